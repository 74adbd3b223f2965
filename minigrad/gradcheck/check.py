"""Finite differences against the graph: is what backward gives the derivative of the function?

A function of several Tensors is looked at as one function ``y = F(x)`` of one vector of real numbers (`_Function`), in
which a complex number stands as its real and its imaginary part.  Its Jacobian is
computed twice: row by row with backward passes, and column by column with differences of values.  Where the two
disagree the differences are taken again with other steps, since they can be wrong too: beside a kink, at the edge of
the domain, or where rounding hides the derivative.  What still disagrees is a failure.  Then the same check is made of
every operation of the graph by itself, to find the one whose derivative is wrong.
"""

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from minigrad.core import Array, Node, apply, enable_grad
from minigrad.gradcheck.function import (
    EXACT,
    PRECISION,
    Function,
    flat,
    gradient_of,
    listed,
    random_weights,
    reals,
    split,
)
from minigrad.gradcheck.report import ENOUGH, OTHER_CAUSES, DerivativeError, Failure, report

_STEP = 2.0**-17  # near the cube root of the precision; a power of 2, so that x + step is exact for most x
_LADDER = 2.0 ** np.array([8, 4, 0, -4, -8, -12, -16])  # the other steps, in units of the usual one
_USUAL = slice(2, 5)  # the usual step and two smaller ones: what persists over these is no matter of the step
_BLIND = 1e-4  # uncertainty of the differences excuses a disagreement up to this part of the largest derivative
_PROJECTIONS = 4  # random directions for each Tensor in the fast mode
_LARGE = 10_000  # the derivatives of an operation by itself, above which its check is a fast one


class _Options(NamedTuple):
    step: float
    atol: float
    rtol: float
    fast: bool
    seed: int


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
        Called as ``f(*inputs)``, with Tensors that require grad; returns a Tensor, or a tuple or list of Tensors.
        Tensors that it has from elsewhere are constants, and their `grad` stays what it is.
    inputs : array_like or Tensor, or tuple or list of these
        The point.  Numbers and arrays of float64 and complex128 are copied, and checked, in both parts; what is not
        floating-point is passed on.
    eps : float, optional
        The step for elements between -1 and 1; it grows in proportion for larger ones.  By default ``2**-17``.
    atol, rtol : float
        Derivatives agree if ``|analytic - numeric| <= atol + rtol * |numeric|``.  Those below `atol` are not told
        from 0, so multiply a function that has no others by a large number.
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
        If an input or output has another floating-point dtype than float64 or complex128.

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
    options = _Options(_STEP if eps is None else eps, atol, rtol, fast, seed)
    with enable_grad(), np.errstate(all="ignore"):
        function = Function(f, listed(inputs))
        try:
            _check(function, options)
        except DerivativeError as error:
            _explain(error, function, _blame(function, options))
            raise
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
        How much each element of each floating-point output counts.  By default random numbers.

    Returns
    -------
    bool
        True.  Everything else is an exception.

    Raises
    ------
    GradcheckError
        As in `gradcheck`.
    DTypeError
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
    options = _Options(_STEP if eps is None else eps, atol, rtol, fast, seed)
    with enable_grad(), np.errstate(all="ignore"):
        function = Function(f, listed(inputs))
        gradient = gradient_of(function, None if grad_outputs is None else listed(grad_outputs), seed)
        try:
            _check(gradient, options)
        except DerivativeError as error:
            _explain(error, gradient, _blame(function, options, second=True) | _blame(gradient, options))
            raise
    return True


# The check


class _Ray(NamedTuple):
    """A direction among the elements of one Tensor: along one of them, or a random combination of all."""

    tensor: int
    element: tuple[int | str, ...] | None
    where: slice
    values: Array
    step: float


def _rays(
    tensors: Sequence[int],
    arrays: Sequence[Array],
    are_complex: Sequence[bool],
    step: float,
    rng: "np.random.Generator | None",
) -> list[_Ray]:
    """All directions to look at: random ones if there is a generator, else every element."""
    rays, start = [], 0
    for tensor, array, is_complex in zip(tensors, arrays, are_complex, strict=True):
        scale, stop = np.maximum(1.0, np.abs(array)), start + array.size
        if rng is None:
            for i, element in enumerate(np.ndindex(array.shape), start):
                named = (*element[:-1], ("real", "imag")[element[-1]]) if is_complex else element
                rays.append(_Ray(tensor, named, slice(i, i + 1), np.ones(1), step * float(scale[element])))
        elif array.size:
            directions = [np.ravel(scale * random_weights(rng, array.shape)) for _ in range(_PROJECTIONS)]
            rays += [_Ray(tensor, None, slice(start, stop), values, step) for values in directions]
        start = stop
    return rays


def _along(rays: Sequence[_Ray], vectors: Array) -> Array:
    """The components of one or more vectors in these directions."""
    return np.stack([vectors[..., ray.where] @ ray.values for ray in rays], axis=-1)


def _moved(x: Array, ray: _Ray, distance: complex) -> Array:
    moved = x.astype(np.result_type(x, distance))
    moved[ray.where] += distance * ray.values
    return moved


def _check(function: Function, options: _Options) -> None:
    """Raise a DerivativeError if the Jacobian of the function is not what backward says."""
    if not function.active:
        raise DerivativeError("nothing to check", "gradcheck has nothing to check: no input is floating-point")
    _check_repeatable(function, times=1)
    rng = np.random.default_rng(options.seed)
    chosen = rng if options.fast else None
    are_complex = [y.dtype.kind == "c" for y in function.outputs]
    seeds = _rays(function.places, [np.zeros(shape) for shape in function.output_shapes], are_complex, 1.0, chosen)
    probes = _rays(function.active, split(function.x, function.shapes), function.complex, options.step, chosen)
    if not seeds or not probes:
        function.vjp(function.y)  # no numbers to compare, but shapes
        return
    rows = np.stack([function.vjp(_moved(np.zeros_like(function.y), seed, 1.0)) for seed in seeds])
    analytic = _along(probes, rows)
    numeric, right, left, wide = np.stack([_slopes(function, seeds, probe) for probe in probes], axis=-1)
    close = _close(analytic, numeric, options)
    # The difference of the slopes on both sides shrinks with the step, unless there is a kink.
    jump = np.abs(right - left)
    noise = options.atol + function.noise / np.array([probe.step for probe in probes])
    bent = (jump > 0.75 * np.abs(wide)) & (jump > _BLIND * (np.abs(right) + np.abs(left)) + noise)

    excuse = _BLIND * np.abs(numeric).max(axis=1, initial=0.0, where=np.isfinite(numeric))
    failures: list[Failure] = []
    for j in np.flatnonzero((bent | ~close).any(axis=0)):
        if sum(failure.kind != "kink" for failure in failures) >= ENOUGH:
            break
        better = _refined(function, seeds, probes[j], analytic[:, j], options.atol)
        again = _close(analytic[:, j], better.numeric, options, np.minimum(better.error, excuse))
        kinked = better.kinked | (better.growing & ~again)
        close[:, j] = again & ~kinked
        distance = np.abs(analytic[:, j] - better.numeric)
        for i in sorted(np.flatnonzero(~close[:, j]), key=lambda i: (kinked[i], -distance[i]))[:ENOUGH]:
            numbers = float(analytic[i, j]), float(better.numeric[i]), float(better.error[i])
            failures.append(_failure(function, seeds[i], probes[j], numbers, kinked[i]))
    if failures:
        _check_repeatable(function, times=8)
        raise report(function.names, failures, int((~close).sum()), close.size)
    _check_linear(function, seeds, rows, rng, options)


def _close(analytic: Array, numeric: Array, options: _Options, uncertainty: Array | float = 0.0) -> Array:
    tolerance = options.atol + options.rtol * np.abs(numeric) + uncertainty
    return np.isfinite(numeric) & (np.abs(analytic - numeric) <= tolerance)


def _slopes(function: Function, seeds: Sequence[_Ray], probe: _Ray, factor: float = 1.0) -> Array:
    """In a direction: the derivative, the slopes to the right and to the left, and their difference over two steps."""
    y, step = function.y, factor * probe.step
    back2, back, on, on2 = (function(_moved(function.x, probe, k * step)) for k in (-2, -1, 1, 2))
    central = (4 * (on - back) / 2 - (on2 - back2) / 4) / 3
    return _along(seeds, np.stack([central, on - y, y - back, (on2 - 2 * y + back2) / 2]) / step)


class _Refined(NamedTuple):
    numeric: Array
    error: Array
    kinked: Array  # the slopes to the right and to the left do not meet, and the analytic one is between them
    growing: Array  # they grow without end, as at a jump of the function or an infinite slope


def _refined(function: Function, seeds: Sequence[_Ray], probe: _Ray, analytic: Array, atol: float) -> _Refined:
    """One column of the Jacobian from all steps of the ladder: of each element the one that is known best."""
    central, right, left, _ = np.stack([_slopes(function, seeds, probe, factor) for factor in _LADDER], axis=1)
    noise = (function.noise / (probe.step * _LADDER))[:, None]
    spread = np.abs(np.diff(central, axis=0))
    doubt = np.where(np.isfinite(spread), spread, np.inf) + noise[1:]
    # Large slopes by their relative doubt: far above the distance to a singularity a slope is small, wrong and steady.
    best = (doubt / (1 + np.abs(np.nan_to_num(central[1:])))).argmin(axis=0)[None]
    error = np.take_along_axis(doubt, best, axis=0)[0]
    numeric = np.where(np.isfinite(error), np.take_along_axis(central[1:], best, axis=0)[0], np.nan)

    right, left, noise = right[_USUAL], left[_USUAL], noise[_USUAL]
    jump = np.abs(right - left)
    lasting = (np.abs(jump - jump[0]) <= 0.25 * jump[0]).all(axis=0) & (jump[0] > atol + noise[0])
    slack = 0.01 * jump[0]
    between = (np.minimum(right, left)[0] - slack <= analytic) & (analytic <= np.maximum(right, left)[0] + slack)
    steep = np.maximum(np.abs(right), np.abs(left))
    growing = (steep[1:] > 3 * steep[:-1]).all(axis=0) & (steep[-1] > 10 * noise[-1])
    return _Refined(numeric, error, lasting & between, growing)


def _failure(function: Function, seed: _Ray, probe: _Ray, numbers: tuple[float, float, float], kinked: bool) -> Failure:
    analytic, numeric, error = numbers
    if not np.isfinite(analytic) or not np.isfinite(numeric):
        kind = "not finite"
    elif kinked:
        kind = "kink"
    else:
        kind = "uncertain" if abs(analytic - numeric) <= error else "wrong"
    opinion = None if kind == "kink" else _complex_step(function, seed, probe)
    return Failure(kind, seed.tensor, seed.element, probe.tensor, probe.element, *numbers, opinion)


def _complex_step(function: Function, seed: _Ray, probe: _Ray) -> float | None:
    step = 1e-20 * probe.step
    if any(function.complex):
        return None
    try:
        with warnings.catch_warnings(action="error"):
            outputs = function.run(_moved(function.x, probe, 1j * step), np.complex128)[1]
            y = flat([outputs[i].data for i in function.places])
            return float(y.imag[seed.where] @ seed.values / step) if y.dtype.kind == "c" else None
    except Exception:  # anything may go wrong in a function that is not made for complex numbers
        return None


def _check_repeatable(function: Function, times: int) -> None:
    tolerance = 64 * PRECISION * np.abs(function.y).max(initial=0.0, where=np.isfinite(function.y))
    for _ in range(times):
        y = function(function.x)
        same = (y == function.y) | (np.abs(y - function.y) <= tolerance) | (np.isnan(y) & np.isnan(function.y))
        if not same.all():
            raise DerivativeError(
                "not deterministic",
                "the function is not deterministic: called twice at the same point it gave different values. Seed its "
                "random numbers inside of it, and switch dropout off",
            )


def _check_linear(
    function: Function, seeds: Sequence[_Ray], rows: Array, rng: "np.random.Generator", options: _Options
) -> None:
    """Raise if a weighted sum of rows is not what backward gives for this weighted sum of outputs, each time."""
    weights = rng.normal(size=len(seeds))
    u = np.zeros_like(function.y)
    for weight, seed in zip(weights, seeds, strict=True):
        u[seed.where] += weight * seed.values
    tolerance = options.atol + options.rtol * np.abs(weights) @ np.abs(rows)
    for _ in range(2):
        if not (np.abs(function.vjp(u) - weights @ rows) <= tolerance).all():
            raise DerivativeError(
                "not linear",
                "backward is not linear: for a sum of the gradients that enter at the outputs it does not give the sum "
                "of the results, or it gives something else every time",
            )


# Which operation it is


def _blame(function: Function, options: _Options, second: bool = False) -> dict[str, tuple[str, str]]:
    """Make the same check of every operation of the graph by itself, or of its gradient; those that fail, by name."""
    found: dict[str, tuple[str, str]] = {}
    for node in function.graph():
        active = [i for i, parent in enumerate(node.inputs) if parent is not None]
        if any(x.dtype not in EXACT for x in (node.value, *(node.args[i] for i in active))) or len(found) == 3:
            continue
        alone = Function(partial(_apply, node.op), node.args, active)
        alone = gradient_of(alone, None, options.seed) if second else alone
        try:
            _check(alone, options._replace(fast=alone.x.size * alone.y.size > _LARGE))
        except DerivativeError as error:
            if error.kind != "uncertain":
                found.setdefault(str(node.op), (error.kind, _accusation(node, error, second)))
    return found


def _apply(op: Any, *operands: Any) -> Any:
    return apply(op, operands)


def _accusation(node: Node, error: DerivativeError, second: bool) -> str:
    shapes = " and ".join(str(np.shape(x)) for x in node.args)
    params = node.op.params if node.op is not None else {}
    what = f"The operation {str(node.op)!r} of shapes {shapes}" + "".join(f", {k}={v!r}" for k, v in params.items())
    if not error.failures:
        return f"{what} by itself: {error}"
    worst = error.failures[0]
    operand = f"operand {worst.input}" if worst.input < len(node.args) else "the gradient that enters"
    numbers = f"(analytic {worst.analytic:.9g}, numeric {worst.numeric:.9g})"
    if error.kind == "kink":
        return f"{what} has a kink here, in {operand} {numbers}"
    whose = "the derivative of its gradient" if second else "its own derivative"
    return f"{what} is to blame: {whose} with respect to {operand} is {error.kind} {numbers}"


def _explain(error: DerivativeError, function: Function, found: dict[str, tuple[str, str]]) -> None:
    """Add to the report what the check of every operation found, or what else may be the cause."""
    if error.kind in ("nothing to check", "not deterministic", "uncertain"):
        return
    error.findings = [text for _, text in found.values()]
    error.operations = [name for name, (kind, _) in found.items() if kind != "kink" or error.kind == "kink"]
    if error.operations or error.kind == "kink":
        return
    error.findings.append(OTHER_CAUSES)
    for i, leaf, value in zip(function.active, function.leaves, split(function.x, function.shapes), strict=True):
        if not np.array_equal(reals(leaf.data), value, equal_nan=True):
            error.findings.append(f"The function has written into the memory of {function.names[1][i]}")
    if any(node.value.dtype == np.float32 for node in function.graph()):
        error.findings.append("Part of the computation is in float32, which has too few digits")
