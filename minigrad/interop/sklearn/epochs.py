"""The training of a module: epochs of batches, a schedule, and early stopping."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np

from minigrad.core import no_grad
from minigrad.errors import ArgumentError
from minigrad.nn.module import Module
from minigrad.optim.lr_scheduler import ReduceLROnPlateau
from minigrad.optim.optimizer import Optimizer
from minigrad.progress import Progress
from minigrad.tensor import Tensor


class Samples(NamedTuple):
    """Rows of features, their targets, and how much each of them counts."""

    x: np.ndarray
    target: np.ndarray
    weight: np.ndarray | None

    def take(self, rows: "np.ndarray | slice") -> "Samples":
        """Some of the rows."""
        return Samples(self.x[rows], self.target[rows], None if self.weight is None else self.weight[rows])

    @property
    def total(self) -> float:
        """The sum of the weights."""
        return float(len(self.x) if self.weight is None else self.weight.sum())


def batches(count: int, size: int | None, order: np.ndarray | None = None) -> "Iterator[np.ndarray | slice]":
    """The rows of each batch, the last of which may be smaller; a single batch of all if there is no size.

    Examples
    --------
    >>> from minigrad.interop.sklearn.epochs import batches
    >>> list(batches(5, 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    size = size or count
    for start in range(0, count, size):
        rows = slice(start, min(start + size, count))
        yield rows if order is None else order[rows]


@dataclass
class Training:
    """A module, what changes it, and how it went so far.

    Attributes
    ----------
    owner : str
        Who trains, for messages.
    module : Module
    optimizer : Optimizer
    scheduler : object with a method step, or None
        Stepped after each epoch; a `ReduceLROnPlateau` is given the validation loss, or else the training loss.
    loss : callable
        Of samples, as a Tensor.
    batch_size : int, or None for all rows at once
    shuffle : bool
    generator : numpy.random.Generator
        For the order of the rows.
    losses, validation_losses : list of float
        Each epoch adds its own: of the batches as they were when they were used, and of the rows held out after it.
    """

    owner: str
    module: Module
    optimizer: Optimizer
    scheduler: Any
    loss: Callable[[Samples], Tensor]
    batch_size: int | None
    shuffle: bool
    generator: np.random.Generator
    losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)

    def epoch(self, samples: Samples, held_out: Samples | None = None) -> None:
        """Train with each row once, and measure the loss of the rows that were held out."""
        count = len(samples.x)
        several = self.batch_size is not None and self.batch_size < count
        order = self.generator.permutation(count) if self.shuffle and several else None
        self.module.train()
        loss = self._mean(samples, batches(count, self.batch_size, order), self._step)
        self.losses.append(loss)
        self._check_finite(loss, "training loss")
        if held_out is not None:
            self.module.eval()
            with no_grad():
                loss = self._mean(held_out, batches(len(held_out.x), self.batch_size), self._measure)
            self.validation_losses.append(loss)
            self._check_finite(loss, "validation loss")
        if isinstance(self.scheduler, ReduceLROnPlateau):
            self.scheduler.step(loss)
        elif self.scheduler is not None:
            self.scheduler.step()

    def _mean(
        self, samples: Samples, parts: "Iterable[np.ndarray | slice]", compute: Callable[[Samples], float]
    ) -> float:
        """The mean of the losses of batches, which count as much as their rows."""
        taken = map(samples.take, parts)
        return sum(compute(batch) * batch.total for batch in taken) / samples.total

    def _measure(self, batch: Samples) -> float:
        return float(self.loss(batch).array)

    def _step(self, batch: Samples) -> float:
        """The loss of a batch, before the step that it leads to."""

        def closure() -> Tensor:
            self.module.zero_grad()
            loss = self.loss(batch)
            loss.backward()
            return loss

        return float(self.optimizer.step(closure).item())

    def _check_finite(self, value: float, what: str) -> None:
        if not math.isfinite(value):
            raise ArgumentError(
                f"{self.owner}: training diverged: the {what} of epoch {len(self.losses)} is {value}. Lower the "
                "learning rate, scale the features (as with StandardScaler), or let minigrad.detect_anomaly() find the "
                "operation"
            )

    def finish(self) -> Self:
        """Leave the module ready for use, without gradients.

        Raises
        ------
        ArgumentError
            If the last step has led to parameters that are not finite.
        """
        for name, parameter in self.module.named_parameters():
            largest = float(np.abs(parameter.array).max(initial=0))
            self._check_finite(largest, f"largest number in {name} after the last step")
        self.module.zero_grad()
        self.module.eval()
        return self

    def run(self, samples: Samples, epochs: int, verbose: bool) -> Self:
        """Train for so many epochs."""
        for _ in self._counted(epochs, verbose):
            self.epoch(samples)
        return self.finish()

    def run_until_no_better(
        self, samples: Samples, held_out: Samples, epochs: int, verbose: bool, patience: int, tol: float
    ) -> Self:
        """Train until the validation loss has not fallen by `tol` for `patience` epochs, and return to the best one."""
        best, state, waited = math.inf, self.module.state_dict(), 0
        for _ in self._counted(epochs, verbose):
            self.epoch(samples, held_out)
            loss = self.validation_losses[-1]
            waited = 0 if loss < best - tol else waited + 1
            if loss < best:
                best, state = loss, self.module.state_dict()
            if waited >= patience:
                break
        self.module.load_state_dict(state)
        return self.finish()

    def _counted(self, epochs: int, verbose: bool) -> Iterator[None]:
        bar = Progress(range(epochs), self.owner) if verbose else range(epochs)
        for _ in bar:
            yield
            if isinstance(bar, Progress):
                after = f", validation {self.validation_losses[-1]:.4g}" if self.validation_losses else ""
                bar.note(f"loss {self.losses[-1]:.4g}{after}")
