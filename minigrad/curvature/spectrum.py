"""Eigenvalues of the Hessian, and what they say about gradient descent.

Near a minimum a loss is a quadratic function, and gradient descent multiplies the distance from the minimum, along each
eigenvector of the Hessian, by ``1 - lr * eigenvalue`` at every step.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minigrad import errors
from minigrad.curvature.hessian import Hessian
from minigrad.errors.words import describe
from minigrad.operands import numeric

# Beyond this size a full matrix takes gigabytes, and its eigenvalues hours.
_LARGEST_FULL = 20_000


class HeavyBall(NamedTuple):
    """The best constants of gradient descent with momentum: those of ``optim.SGD(lr=lr, momentum=beta)``.

    Attributes
    ----------
    lr : float
    beta : float
        The momentum.
    rate : float
        The factor by which the distance from the minimum shrinks at each step, in the long run.
    """

    lr: float
    beta: float
    rate: float


@dataclass(frozen=True, repr=False, eq=False)
class Spectrum:
    """Eigenvalues of a Hessian; printed, it is a table.

    The predictions are exact for quadratic functions, and hold near the minimum of others.  They depend on the
    smallest and the largest eigenvalue only, so they are as good if only the ends of the spectrum are known.

    B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", 1964; Y. Nesterov, "Introductory
    Lectures on Convex Optimization", 2004, section 2.1.5; G. Goh, "Why momentum really works", Distill, 2017.

    Parameters
    ----------
    eigenvalues : array_like of shape (n,)
        In any order.
    complete : bool
        Whether these are all.
    error : float
        How far each may be from the true one.  An eigenvalue that is not farther than this from 0 counts as 0.

    Attributes
    ----------
    eigenvalues : ndarray of float64, shape (n,)
        Ascending.
    complete : bool
    error : float

    Raises
    ------
    ValueError
        If there are no eigenvalues, or they are not finite.

    Examples
    --------
    >>> from minigrad.curvature import Spectrum
    >>> bowl = Spectrum([2.0, 20.0])  # of w1**2 + 10 * w2**2
    >>> bowl
    eigenvalues       2, 20
    condition number  10
    lr limit          0.1
    lr best           0.09091, rate 0.8182
    momentum best     lr 0.1154, beta 0.2699, rate 0.5195
    >>> bowl.rate(0.05), bowl.steps(0.05, factor=1000)
    (0.9, 66)
    """

    eigenvalues: np.ndarray
    complete: bool = True
    error: float = 0.0

    def __post_init__(self) -> None:
        given = numeric(self.eigenvalues, "a Spectrum", copy=True)
        if given.dtype.kind == "c":
            raise errors.DTypeError("the eigenvalues of a Hessian are real: use numpy.linalg.eigvalsh, not eigvals")
        values = np.sort(given, axis=None).astype(np.float64)
        if not values.size or not np.isfinite(values).all():
            raise errors.ArgumentError(f"a Spectrum has one or more finite eigenvalues, not {describe(values)}")
        values.flags.writeable = False
        object.__setattr__(self, "eigenvalues", values)

    @property
    def smallest(self) -> float:
        """The smallest eigenvalue, with its sign."""
        return float(self.eigenvalues[0])

    @property
    def largest(self) -> float:
        """The largest eigenvalue, with its sign."""
        return float(self.eigenvalues[-1])

    @property
    def condition_number(self) -> float:
        """Largest over smallest eigenvalue: how much longer than wide the valley is, squared.

        It is infinite if the smallest is 0 (a flat direction), and NaN if one is negative or all are 0: then there is
        no valley.
        """
        if self._is_minimum:
            return self.largest / self.smallest
        return math.inf if self.smallest >= -self.error and self.largest > self.error else math.nan

    @property
    def lr_limit(self) -> float:
        """The learning rate 2 / largest, from which on gradient descent moves away along the steepest direction.

        It is infinite if no eigenvalue is positive.  Along directions of negative curvature every learning rate leads
        away.
        """
        return 2 / self.largest if self.largest > self.error else math.inf

    @property
    def lr_best(self) -> float:
        """The learning rate 2 / (smallest + largest), whose `rate` is the least; NaN unless all are positive."""
        return 2 / (self.smallest + self.largest) if self._is_minimum else math.nan

    @property
    def momentum_best(self) -> HeavyBall:
        """The best learning rate and momentum (Polyak 1964); NaN unless all eigenvalues are positive."""
        if not self._is_minimum:
            return HeavyBall(math.nan, math.nan, math.nan)
        low, high = math.sqrt(self.smallest), math.sqrt(self.largest)
        rate = (high - low) / (high + low)
        return HeavyBall(4 / (high + low) ** 2, rate**2, rate)

    def rate(self, lr: float) -> float:
        """The largest ``|1 - lr * eigenvalue|``: the factor on the distance from the minimum in each step.

        Gradient descent converges if it is less than 1, and the sooner the smaller it is.  A flat direction makes it 1.
        """
        certain = np.where(np.abs(self.eigenvalues) > self.error, self.eigenvalues, 0.0)
        return float(np.abs(1 - lr * certain).max())

    def steps(self, lr: float, factor: float) -> float:
        """How many steps of gradient descent bring the minimum `factor` times nearer: infinite if it never does.

        Raises
        ------
        ValueError
            If `factor` is less than 1, or infinite.
        """
        if not 1 <= factor < math.inf:
            raise errors.ArgumentError(f"steps: factor says how many times nearer, 1000 for instance, not {factor}")
        if factor == 1:
            return 0
        rate = self.rate(lr)
        if not rate < 1:
            return math.inf
        if rate == 0:
            return 1
        exact = math.log(factor) / -math.log(rate)
        return math.ceil(exact * (1 - 1e-12))  # a whole number that rounding has raised is meant to be whole

    @property
    def _is_minimum(self) -> bool:
        return self.smallest > self.error

    def __repr__(self) -> str:
        rows = {
            "eigenvalues": self._eigenvalues_in_words(),
            "condition number": f"{self.condition_number:.4g}",
            "lr limit": f"{self.lr_limit:.4g}",
        }
        if self._is_minimum:
            best = self.momentum_best
            rows["lr best"] = f"{self.lr_best:.4g}, rate {self.rate(self.lr_best):.4g}"
            rows["momentum best"] = f"lr {best.lr:.4g}, beta {best.beta:.4g}, rate {best.rate:.4g}"
        else:
            rows["lr best"] = "none: not all eigenvalues are positive"
        return "\n".join(f"{key:<16}  {text}" for key, text in rows.items())

    def _eigenvalues_in_words(self) -> str:
        shown = [f"{value:.4g}" for value in self.eigenvalues]
        if self.complete and len(shown) <= 8:
            return ", ".join(shown)
        ends = min(3, (len(shown) + 1) // 2)
        count = f"all {len(shown)}" if self.complete else f"{len(shown)} of more"
        return f"{', '.join(shown[:ends])}, ..., {', '.join(shown[-ends:])} ({count})"


def spectrum(
    f: Callable[..., Any],
    x: Any,
    k: int | None = None,
    *,
    data: Sequence[Any] = (),
    tol: float | None = None,
    max_iterations: int = 1000,
    generator: "np.random.Generator | None" = None,
) -> Spectrum:
    """Eigenvalues of the Hessian of a function at a point, or of a loss with respect to a network's parameters.

    Parameters
    ----------
    f : callable
        Returns a single number.  Called once, as ``f(x, *data)`` with `x` made of Tensors; as ``f(*data)`` if `x` is a
        Module.
    x : number, array, Tensor, tree (tuple, list, dict) of these, or Module
        The point.  Integers become the default float dtype.  A Module stands for its parameters that require grad, and
        `f` is then a loss that calls it.  It is left as it was, in every respect; its mode (`train` or `eval`) is the
        caller's.
    k : int, optional
        Find only the k smallest and the k largest eigenvalues, by the Lanczos method, which multiplies vectors by the
        Hessian and never forms it; unless 2 k are all there are.  By default the full matrix is formed, of n rows for n
        numbers in `x`.
    data : sequence
        Further arguments of `f`.
    tol : float, optional
        How far eigenvalues found with `k` may be from true ones, relative to the largest absolute value among them.  By
        default the rounding error of the dtype of `x` to the power 2/3, which is 4e-11 for float64 and 2e-5 for
        float32.
    max_iterations : int
        How many products with the Hessian the Lanczos method may use; it keeps a vector of n numbers for each.
    generator : numpy.random.Generator, optional
        For the random vectors that the Lanczos method starts from.  By default one of its own, always the same.

    Returns
    -------
    Spectrum

    Raises
    ------
    GraphError
        If `f` returns more than one number, or does not depend on the parameters of the Module.
    DTypeError
        If `x` is not made of real numbers.
    AnomalyError
        If the Hessian is not finite.
    ValueError
        If `x` has no elements or a Module has no parameters that require grad; if `k`, `tol` or `max_iterations` makes
        no sense; if `max_iterations` are not enough, or the full matrix would be too large.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> from minigrad.curvature import spectrum
    >>> spectrum(lambda w: w[0] ** 2 + 10 * w[1] ** 2, np.array([3.0, 1.0])).lr_limit
    0.1
    >>> model = mg.nn.Linear(3, 1, bias=False)
    >>> X = np.diag([1.0, 2.0, 3.0])
    >>> spectrum(lambda: 0.5 * (model(X) ** 2).sum(), model, k=1)  # the Hessian is X.T @ X
    eigenvalues       1, ..., 9 (2 of more)
    condition number  9
    lr limit          0.2222
    lr best           0.2, rate 0.8
    momentum best     lr 0.25, beta 0.25, rate 0.5
    """
    k = None if k is None else _whole("k", k)
    max_iterations = _whole("max_iterations", max_iterations)
    if tol is not None and not 0 < tol < 1:
        raise errors.ArgumentError(f"spectrum: tol lies between 0 and 1, not {tol}")
    hessian = Hessian(f, x, data)
    n = hessian.size
    if k is not None and 2 * k < n:
        if max_iterations < 2 * k:
            raise errors.ArgumentError(f"spectrum: k={k} takes at least {2 * k} iterations, not {max_iterations}")
        values, _, residual = hessian.extreme(k, k, tol=tol, max_products=max_iterations, generator=generator)
    else:
        if n > _LARGEST_FULL:
            raise errors.ArgumentError(
                f"spectrum: the full Hessian of {n} numbers would take {8e-9 * n * n:.0f} GB: ask for the k smallest "
                "and largest eigenvalues, k=3 for instance"
            )
        values, residual = np.linalg.eigvalsh(hessian.matrix()), 0.0
    rounding = values.size * hessian.epsilon * float(np.abs(values).max())
    return Spectrum(values, complete=len(values) == n, error=max(residual, rounding))


def _whole(name: str, value: Any) -> int:
    if not isinstance(value, (int, np.integer)) or value < 1:
        raise errors.ArgumentError(f"spectrum: {name} must be a whole number of 1 or more, not {value!r}")
    return int(value)
