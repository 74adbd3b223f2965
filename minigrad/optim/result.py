"""What a run of `minimize` comes to."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minigrad import jacobians, transforms
from minigrad.errors import ArgumentError
from minigrad.errors.functions import hessian_not_definite, warn_not_at_the_minimum
from minigrad.tree import flatten

# An eigenvalue of a matrix with ones on its diagonal that is no larger, for each row, may be one of 0.
_ROUNDING = 1e-13


class Step(NamedTuple):
    """What a callback is told after each step."""

    step: int  # how many were made
    x: Any  # the point reached: a copy, of the form of x0
    loss: float  # there; with minibatches, of the batch on which the step was made
    gradient_norm: float  # at the start of the step
    lr: float  # of the step


@dataclass(frozen=True, repr=False, eq=False)
class Result:
    """A run of `minimize`: where it went, and how it ended.

    Attributes
    ----------
    x : ndarray, or tree of ndarray
        The final point, of the form of `x0`.
    loss : float
        The loss there.
    path : ndarray, or tree of ndarray
        The recorded points, stacked along a first axis.
    losses : ndarray of float64, shape (records,)
        The loss at each of them: over all rows, where there are minibatches.
    recorded : ndarray of int, shape (records,)
        After how many steps each was recorded: 0 is the start.
    gradient_norms : ndarray of float64, shape (steps,)
        The norm of the gradient at the start of each step, before noise and clipping.
    batch_losses : ndarray of float64, shape (steps,)
        The loss that each step was made on, before the step.
    steps : int
        How many steps were made.
    evaluations : int
        How often the objective was evaluated with its gradient.
    converged : bool
        The gradient's norm fell below `tol`, or the loss below `target`; if neither was given, the last gradient's
        norm is below 1e-6.
    diverged : bool
        A value was not finite, a limit was passed, or the loss ended at its highest, at more than twice its start.
    stop : str
        Why the run ended.
    name : str
        The optimizer and its options.
    scipy : object, optional
        What `scipy.optimize.minimize` returned, if it did the work.
    problem : object, optional
        The objective with its data; a pickled result leaves it behind.
    settled : int, optional
        With neither `tol` nor `target`: after how many steps the gradient's norm was below 1e-6, for good.
    """

    x: Any
    loss: float
    path: Any
    losses: np.ndarray
    recorded: np.ndarray
    gradient_norms: np.ndarray
    batch_losses: np.ndarray
    steps: int
    evaluations: int
    converged: bool
    diverged: bool
    stop: str
    name: str
    scipy: Any = None
    problem: Any = None
    settled: int | None = None

    def covariance(self) -> np.ndarray:
        """The covariance of the estimate `x`: the inverse of the Hessian, of a loss that is a negative log-likelihood.

        Of a sum of squares of errors with the variance ``s2`` the covariance is ``2 * s2`` times this; of a mean in
        place of a sum it is that of a single row.

        Returns
        -------
        ndarray of float64, shape (n, n)
            Of all numbers of `x`, one after another, over all rows of the data.

        Raises
        ------
        ValueError
            If the Hessian is not positive definite: `x` is no minimum, or there are many about it; or if this is a copy
            from a pickle.

        Warns
        -----
        UserWarning
            If `x` is more than a tenth of a standard error away from the minimum, by the gradient there: the run has
            not converged, or an estimate is at one of its bounds.

        Notes
        -----
        By the asymptotic normality of maximum-likelihood estimates, whose covariance is the inverse of the observed
        information: B. Efron and D. V. Hinkley, "Assessing the accuracy of the maximum likelihood estimator: observed
        versus expected Fisher information", 1978.

        Examples
        --------
        >>> import numpy as np
        >>> import minigrad as mg
        >>> data = np.array([1.0, 2.0, 4.0, 5.0])
        >>> found = mg.optim.minimize(lambda m: -np.sum(mg.stats.norm.logpdf(data, m, 2.0)), 0.0, lr=0.5, steps=100)
        >>> found.standard_errors()  # 2 / sqrt(4)
        array(1.)
        """
        if self.problem is None:
            raise ArgumentError("covariance needs the objective, which a pickled result has left behind: ask it before")
        point = np.concatenate([np.ravel(leaf) for leaf in flatten(self.x)[0]]).astype(np.float64)
        hessian = np.asarray(jacobians.hessian(self.problem.of_vector)(point)).reshape(point.size, point.size)
        hessian = (hessian + hessian.T) / 2
        units = np.sqrt(np.diagonal(hessian).clip(0))
        if not (np.isfinite(hessian).all() and units.all()):
            raise hessian_not_definite(hessian)
        values, vectors = np.linalg.eigh(hessian / np.outer(units, units))
        if values[0] <= _ROUNDING * point.size:
            raise hessian_not_definite(hessian)
        root = vectors / np.sqrt(values) / units[:, None]
        gradient = np.asarray(transforms.grad(self.problem.of_vector)(point))
        distance = float(np.linalg.norm(root.T @ gradient))
        if distance > 0.1:
            warn_not_at_the_minimum(distance)
        covariance: np.ndarray = root @ root.T
        return covariance

    def standard_errors(self) -> Any:
        """The square roots of the diagonal of `covariance`, in the form of `x`."""
        return self.problem.rebuild(self.problem.parts(np.sqrt(np.diagonal(self.covariance()))))

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "problem": None}  # it holds functions, which many cannot be pickled

    @property
    def verdict(self) -> str:
        """The end of the run in two or three words."""
        if self.diverged:
            return f"diverged after {self.steps}"
        return f"converged in {self.steps_to_converge}" if self.converged else "slow"

    @property
    def steps_to_converge(self) -> int:
        """After how many steps it had converged, if it has: without `tol` and `target` a run goes on after that."""
        return self.steps if self.settled is None else self.settled

    def _facts(self) -> dict[str, str]:
        """What is said of the run, by title."""
        rows = {
            "method": self.name,
            "verdict": self.verdict,
            "stop": self.stop,
            "steps": str(self.steps),
            "evaluations": str(self.evaluations),
            "loss": f"{self.loss:.6g}, from {self.losses[0]:.6g}",
            "x": _brief(self.x),
        }
        if self.gradient_norms.size:
            last = f"{self.gradient_norms[-1]:.3g}, from {self.gradient_norms[0]:.3g}"
            rows["gradient norm"] = last
        return rows

    def __repr__(self) -> str:
        rows = self._facts()
        width = max(map(len, rows))
        return "\n".join(["Result", *(f"  {key:<{width}}  {text}" for key, text in rows.items())])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from minigrad import display  # only notebooks need it

        def html() -> str:
            drawn = {"losses": display.curve(self.losses, width=320, height=60, log=True)}
            return display.table((self._facts() | drawn).items())

        return display.mimebundle(self.__repr__, include, exclude, html=html)


def _brief(tree: Any) -> str:
    """A point in one line."""
    leaves, rebuild = flatten(tree)
    if len(leaves) == 1 and leaves[0] is tree:
        return np.array2string(tree, precision=6, threshold=8, edgeitems=3).replace("\n", " ")
    return str(rebuild([_Words(_brief(leaf)) for leaf in leaves]))


class _Words(str):
    """Text that shows itself without quotes, inside a dict or a tuple."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def ends_diverged(losses: np.ndarray) -> bool:
    """Whether a run whose values are all finite ran away: its last loss is its highest, and twice that of the start."""
    first, last = losses[0], losses[-1]
    return bool(last == losses.max() and last - first > max(abs(first), np.finfo(np.float64).tiny))
