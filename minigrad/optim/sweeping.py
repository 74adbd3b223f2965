"""The search for a learning rate: many runs side by side, and one run in which it grows."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from minigrad.errors import ArgumentError, DTypeError
from minigrad.errors.executors import one_iterator_for_all
from minigrad.executors import gathered
from minigrad.nn.module import Module
from minigrad.optim.minimizing import make_optimizer, minimize
from minigrad.optim.problem import Problem
from minigrad.optim.result import Result
from minigrad.options import real_number, whole_number


@dataclass(frozen=True, repr=False, eq=False)
class SweepResult:
    """The runs of a sweep, in the order of their learning rates.

    Attributes
    ----------
    lrs : tuple of float
    results : tuple of Result
    verdicts : tuple of str
        What became of each: ``"converged in 34"``, ``"slow"``, ``"diverged after 4"``.
    best : float or None
        The rate that converged in the fewest steps, or else the one with the lowest loss; None if all diverged.
    """

    lrs: tuple[float, ...]
    results: tuple[Result, ...]

    @property
    def verdicts(self) -> tuple[str, ...]:
        """The end of each run in two or three words."""
        return tuple(result.verdict for result in self.results)

    @property
    def best(self) -> float | None:
        """The rate with the quickest, or else the lowest, run."""
        runs = [(lr, result) for lr, result in zip(self.lrs, self.results, strict=True) if not result.diverged]
        ranks = [(r.steps_to_converge if r.converged else math.inf, r.loss, lr) for lr, r in runs]
        return min(ranks)[-1] if ranks else None

    def __iter__(self) -> Iterator[tuple[float, Result]]:
        return iter(zip(self.lrs, self.results, strict=True))

    def __len__(self) -> int:
        return len(self.lrs)

    def __repr__(self) -> str:
        rows = [("lr", "steps", "loss", "verdict")]
        rows += [(f"{lr:g}", str(r.steps), f"{r.loss:.6g}", r.verdict) for lr, r in self]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(n) for cell, n in zip(row, widths, strict=True)).rstrip() for row in rows]
        best = "none: every run diverged, so try smaller rates" if self.best is None else f"{self.best:g}"
        return "\n".join([*lines, f"best: {best}"])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from minigrad import display  # only notebooks need it

        def html() -> str:
            best = self.best
            words = [r.verdict + (", the best" if lr == best else "") for lr, r in self]
            curves = [display.curve(r.losses, width=120, log=True) for r in self.results]
            rows = [
                (f"{lr:g}", r.steps, r.loss, curve, word)
                for (lr, r), curve, word in zip(self, curves, words, strict=True)
            ]
            return display.table(rows, ("lr", "steps", "loss", "losses", "verdict"))

        return display.mimebundle(self.__repr__, include, exclude, html=html)


def sweep(
    f: Callable[..., Any], x0: Any, lrs: Iterable[float], *, map: Callable[..., Any] | None = None, **options: Any
) -> SweepResult:
    """Minimise from the same start with one learning rate after the other, or with several at once.

    Parameters
    ----------
    f, x0
        As in `minimize`.
    lrs : iterable of float
        The learning rates.
    map : callable, optional
        The ``map`` of an executor, whose workers make the runs: threads or processes of `concurrent.futures`, of
        mpi4py, of Dask.  What goes to processes must be pickled, so `f` and other functions are written at the top
        level of a module.  By default the runs are made here, one after another.
    **options
        What `minimize` takes.  `tol` or `target` says what it means to converge; without them a run has converged if
        its last gradient's norm is below 1e-6.  Iterables such as `batches` are used up by the first run: give a size.

    Returns
    -------
    SweepResult

    Raises
    ------
    ValueError
        If there is no learning rate, or one is not above 0; if something cannot be pickled for a worker.
    TypeError
        If `map` is no function.

    Notes
    -----
    All runs begin with the same random numbers of the package: those of its generator as it is now, which afterwards
    goes on from where the last run has left it.  So the results are the same with and without `map`, to the last bit.
    A generator of your own, in `noise` or in `f`, is another one in each process, and goes on from run to run here.
    Workers multiply matrices with one thread each, where threadpoolctl is installed; large products on several threads
    may differ in their last bits.

    Examples
    --------
    >>> import minigrad as mg
    >>> f = mg.objectives.bowl(1, 10)
    >>> mg.optim.sweep(f, [4.0, 2.5], [0.01, 0.09, 0.105], target=1e-4, steps=100)
    lr     steps  loss         verdict
    0.01   100    0.281407     slow
    0.09   32     8.80079e-05  converged in 32
    0.105  100    1.18691e+10  diverged after 100
    best: 0.09
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor(2) as executor:
    ...     mg.optim.sweep(f, [4.0, 2.5], [0.01, 0.09], target=1e-4, steps=100, map=executor.map).best
    0.09
    """
    rates = tuple(float(lr) for lr in lrs)
    if not rates or not all(0 < lr < math.inf for lr in rates):
        raise ArgumentError(f"sweep: give at least one learning rate, each above 0, not {rates}")
    if map is not None and isinstance(options.get("batches"), Iterator):
        raise one_iterator_for_all("sweep")
    results = gathered(partial(_run, f, x0, options), rates, map, "sweep")
    return SweepResult(rates, tuple(_with_problem(result, f, x0, options.get("data", ())) for result in results))


def _run(f: Callable[..., Any], x0: Any, options: dict[str, Any], lr: float) -> Result:
    return minimize(f, x0, lr=lr, **options)


def _with_problem(result: Result, f: Callable[..., Any], x0: Any, data: Sequence[Any]) -> Result:
    """The result with the objective, which it has left behind if it comes from another process."""
    return result if result.problem is not None else replace(result, problem=Problem(f, x0, data))


@dataclass(frozen=True, repr=False, eq=False)
class LrRange:
    """What `lr_range_test` saw.

    Attributes
    ----------
    lrs : ndarray of float64, shape (steps,)
        The learning rate of each step.
    losses : ndarray of float64, shape (steps,)
        The loss on its batch, before it.
    smoothed : ndarray of float64, shape (steps,)
        A moving average of the losses, without the bias of its start.
    suggestion : float
        Where the smoothed loss falls most steeply over the logarithm of the rate.
    largest : float
        Where it is lowest: from there on the rate is too large.
    """

    lrs: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray

    @property
    def suggestion(self) -> float:
        """The rate at which the loss falls most steeply."""
        end = int(np.argmin(self.smoothed))
        if end < 2:
            return float(self.lrs[0])
        slopes = np.gradient(self.smoothed[: end + 1], np.log(self.lrs[: end + 1]))
        return float(self.lrs[int(np.argmin(slopes))])

    @property
    def largest(self) -> float:
        """The rate at which the loss is lowest."""
        return float(self.lrs[int(np.argmin(self.smoothed))])

    def __repr__(self) -> str:
        return (
            f"LrRange: {len(self.lrs)} steps from lr={self.lrs[0]:.3g} to {self.lrs[-1]:.3g}; the loss falls most "
            f"steeply at {self.suggestion:.3g} and is lowest at {self.largest:.3g}"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from minigrad import display  # only notebooks need it

        def html() -> str:
            rows = {
                "lr": f"{self.lrs[0]:.3g} to {self.lrs[-1]:.3g}, {len(self.lrs)} steps",
                "losses, smoothed": display.curve(self.smoothed, width=320, height=60),
                "falls most steeply at": f"{self.suggestion:.3g}",
                "lowest at": f"{self.largest:.3g}",
            }
            return display.table(rows.items())

        return display.mimebundle(self.__repr__, include, exclude, html=html)


def lr_range_test(
    loss: Callable[..., Any],
    module: Module,
    batches: Iterable[Any],
    *,
    optimizer: Any = "SGD",
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 100,
    smoothing: float = 0.95,
    **options: Any,
) -> LrRange:
    """Train a model while the learning rate grows from step to step, to see which rates it can bear.

    L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017.  The test ends early when the
    smoothed loss is four times its least, or not finite.  Parameters and buffers are as before afterwards, whatever
    happens; gradients are forgotten.

    Parameters
    ----------
    loss : callable
        From the arrays of a batch to the loss of `module`.
    module : Module
        The model whose parameters are trained.
    batches : iterable
        Tuples of arrays, such as a `DataLoader`; gone through again and again.
    optimizer : str, class or callable
        As in `minimize`; further options are passed to it.
    low, high : float
        The first and the last learning rate; between them it grows by the same factor at each step.
    steps : int
    smoothing : float
        How much of the average is kept at each step, from 0 to 1.

    Returns
    -------
    LrRange

    Raises
    ------
    ValueError
        If the rates do not grow, there are fewer than 3 steps, there is no batch, or the first loss is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> model = mg.nn.Linear(2, 1)
    >>> X = np.random.default_rng(0).normal(size=(64, 2))
    >>> y = X @ np.array([[2.0], [-1.0]])
    >>> found = mg.optim.lr_range_test(lambda X, y: ((model(X) - y) ** 2).mean(), model, [(X, y)], low=1e-4)
    >>> 0.01 < found.suggestion < 1
    True
    """
    if not isinstance(module, Module):
        raise DTypeError(f"lr_range_test: the second argument is the Module to train, not {type(module).__name__}")
    real_number(high, "lr_range_test: high", above=0, below=math.inf)
    real_number(low, "lr_range_test: low", above=0, below=high)
    whole_number(steps, "lr_range_test: steps", least=3)
    real_number(smoothing, "lr_range_test: smoothing", least=0, below=1)
    rates = np.geomspace(low, high, steps)
    made = make_optimizer(optimizer, list(module.parameters()), {"lr": low, **options})
    kept = module.state_dict()
    losses: list[float] = []
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            for lr, batch in zip(rates, islice(_again_and_again(batches), steps), strict=True):
                for group in made.param_groups:
                    group["lr"] = float(lr)
                made.zero_grad()
                value = loss(*batch)
                losses.append(float(value.detach()))
                if not math.isfinite(losses[-1]) or _smooth(losses, smoothing)[-1] > 4 * min(
                    _smooth(losses, smoothing)
                ):
                    break
                value.backward()
                made.step()
    finally:
        made.zero_grad()
        module.load_state_dict(kept)
    if not math.isfinite(losses[-1]):
        losses.pop()
    if not losses:
        raise ArgumentError("lr_range_test: the loss is not finite before the first step")
    return LrRange(rates[: len(losses)], np.array(losses), _smooth(losses, smoothing))


def _again_and_again(batches: Iterable[Any]) -> Iterator[Sequence[Any]]:
    while True:
        empty = True
        for batch in batches:
            empty = False
            yield batch if isinstance(batch, (tuple, list)) else (batch,)
        if empty:
            raise ArgumentError("lr_range_test: there are no (more) batches: give a list or a DataLoader, no generator")


def _smooth(losses: Sequence[float], keep: float) -> np.ndarray:
    """A moving average, corrected for its start at 0 (D. P. Kingma and J. Ba, "Adam", 2015, section 3)."""
    average, made = 0.0, []
    for i, value in enumerate(losses, 1):
        average = keep * average + (1 - keep) * value
        made.append(average / (1 - keep**i))
    return np.array(made)
