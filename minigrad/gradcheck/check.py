"""Finite differences against the graph: is what backward gives the derivative of the function?"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from minigrad import errors
from minigrad.gradcheck.failure import DerivativeError

if TYPE_CHECKING:
    from minigrad.gradcheck.report import Report

__tracebackhide__ = True  # by pytest


def gradcheck(
    f: Callable[..., Any],
    inputs: Any,
    *,
    eps: float | None = None,
    atol: float = 1e-9,
    rtol: float = 1e-6,
    fast: bool = False,
    seed: int = 0,
) -> bool:
    """Compare the gradient of a function with finite differences at a point.

    Every element of every floating-point input is moved a little, and what that does to every element of every
    output is compared with what backward says.  The difference is the central one, extrapolated to step 0 once:
    ``(4 d(h) - d(2 h)) / 3`` with ``d(h) = (f(x + h) - f(x - h)) / 2 h``, whose error is of order ``h**4`` [1]_.
    Where it disagrees, larger and smaller steps must confirm that.

    Parameters
    ----------
    f : callable
        Called as ``f(*inputs)``, with Tensors that require grad; returns a Tensor, or a tree of them: a tuple, list
        or dict.  Tensors that it has from elsewhere are constants, and their `grad` stays what it is.
        Of an `nn.Module`, the parameters that require grad are checked as well, as further inputs with the names of
        their paths; the module itself stays what it is.
    inputs : array or number or Tensor, or tree of these, or tuple or list of one for each argument
        The point.  Numbers and arrays of float64 and complex128 are copied, and checked, in both parts, also those in
        dicts, lists and tuples, which `f` gets in the form that they have; what is not floating-point is passed on.
    eps : float, optional
        The step for elements between -1 and 1, positive; it grows in proportion for larger ones.  By default
        ``2**-17``.
    atol, rtol : float
        Derivatives agree if ``|analytic - numeric| <= atol + rtol * |numeric|``; neither is negative.  Derivatives
        below `atol` are not told from 0, so multiply a function that has no others by a large number.
    fast : bool
        Instead of the whole Jacobian ``J`` of each output and input, compare ``u @ J @ v`` for a few random `u` and
        `v`.  This takes few evaluations however many elements there are, and does not find the wrong element.
    seed : int
        For the random numbers; NumPy's global ones are not touched.

    Returns
    -------
    bool
        True.  Everything else is an exception.

    Raises
    ------
    GradcheckError
        A `DerivativeError`: its text and its attributes say what disagrees, and which operation is wrong.  Its `kind`
        tells wrong derivatives from kinks, and from functions that are not deterministic.
    DTypeError
        If an input, output or parameter has another floating-point dtype than float64 or complex128; if `f` is no
        function, or returns something else than Tensors.
    ArgumentError
        If `eps`, `atol` or `rtol` makes no sense.

    Notes
    -----
    NaN and inf never agree with anything.  The report gives the complex-step derivative ``Im f(x + ih) / h`` [2]_ as
    a third opinion where it can be had; many functions are wrong for complex numbers, so it decides nothing.

    References
    ----------
    .. [1] L. F. Richardson, "The approximate arithmetical solution by finite differences of physical problems
       involving differential equations", Philosophical Transactions of the Royal Society A 210, 1911.
    .. [2] W. Squire and G. Trapp, "Using complex variables to estimate derivatives of real functions", SIAM Review
       40(1), 1998.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.gradcheck import gradcheck
    >>> gradcheck(lambda x, k: np.sin(k * x).sum(), (np.array([0.1, 0.2]), 3.0))
    True
    """
    _examine(f, inputs, 1, None, eps, atol, rtol, fast, seed)
    return True


def gradgradcheck(
    f: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float | None = None,
    atol: float = 1e-9,
    rtol: float = 1e-6,
    fast: bool = False,
    seed: int = 0,
) -> bool:
    """Compare second derivatives with finite differences of first ones.

    This is `gradcheck` of the gradient, as a function of the inputs and of the gradients that enter at the outputs.
    It does not check the gradient itself.

    Parameters
    ----------
    f, inputs, eps, atol, rtol, fast, seed
        As for `gradcheck`.
    grad_outputs : array_like or Tensor, or tuple or list of these, optional
        How much each element of each floating-point output counts; of a tree of outputs, leaf by leaf in a row.  By
        default random numbers.

    Returns
    -------
    bool
        True.  Everything else is an exception.

    Raises
    ------
    GradcheckError
        As in `gradcheck`.
    DTypeError, ArgumentError
        As in `gradcheck`.
    ShapeError
        If `grad_outputs` does not fit the outputs.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.gradcheck import gradgradcheck
    >>> gradgradcheck(lambda x: np.sin(x) ** 2, np.array([0.1, 0.2]))
    True
    """
    _examine(f, inputs, 2, grad_outputs, eps, atol, rtol, fast, seed)
    return True


def gradcheck_report(
    f: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    order: int = 1,
    eps: float | None = None,
    atol: float = 1e-9,
    rtol: float = 1e-6,
    fast: bool = False,
    seed: int = 0,
) -> "Report":
    """Make the check of `gradcheck` or `gradgradcheck`, and report what was found, be it right or wrong.

    Parameters
    ----------
    f, inputs, eps, atol, rtol, fast, seed
        As for `gradcheck`.
    grad_outputs : array_like or Tensor, or tuple or list of these, optional
        As for `gradgradcheck`; with order 2 only.
    order : {1, 2}
        1 is the check of `gradcheck`, 2 that of `gradgradcheck`.

    Returns
    -------
    Report
        Print it, show it in a notebook, or `save` it as a page.  A wrong derivative is reported, and not raised.

    Raises
    ------
    ArgumentError
        If the order is another one, or `grad_outputs` are given with order 1; as in `gradcheck`.
    DTypeError, ShapeError
        As in `gradgradcheck`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.gradcheck import gradcheck_report
    >>> report = gradcheck_report(np.sin, np.array([0.1, 0.2]))
    >>> report.passed
    True
    >>> report.save("report.html")  # doctest: +SKIP
    """
    if order not in (1, 2):
        raise errors.ArgumentError(
            f"gradcheck_report: the order is 1 or 2, for gradcheck or gradgradcheck, not {order}"
        )
    if order == 1 and grad_outputs is not None:
        raise errors.ArgumentError("gradcheck_report: grad_outputs are used by the second order only: give order=2")
    try:
        return _examine(f, inputs, order, grad_outputs, eps, atol, rtol, fast, seed)
    except DerivativeError as error:
        return error.report


def _examine(*given: Any) -> "Report":
    from minigrad.gradcheck.examining import examine  # with modules and graphs, which programs can do without

    return examine(*given)
