"""What is minimized: any loss, as the weighted mean over rows."""

import copy
import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from minigrad.errors import ArgumentError, DTypeError, ShapeError
from minigrad.nn.layer import FunctionLayer
from minigrad.nn.module import Module
from minigrad.tensor import Tensor

Loss = Callable[[Any, Any], Any]


class Objective:
    """A loss as the mean over rows, each of which counts as much as its weight.

    Losses with an option `reduction` are asked for the losses of single elements, so that for integer weights the mean
    is that over as many copies of the rows, whatever the loss.  Others may return these by themselves, as an array
    whose first axis is that of the rows; a single number will do where there are no weights.

    Parameters
    ----------
    loss : str, callable, or class or instance of a loss layer
    known : mapping of str to callable
        The losses that have names.
    owner : str
        Whose loss it is, for messages.

    Raises
    ------
    ArgumentError
        If there is no loss of this name, or its reduction is not the mean.
    DTypeError
        If it is nothing that can be called.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> from minigrad.interop.sklearn.objective import Objective
    >>> objective = Objective(mg.nn.L1Loss, {}, "Regressor")
    >>> objective(mg.tensor([[1.0], [2.0]]), np.array([[0.0], [0.0]]), weight=np.array([3.0, 1.0])).item()
    1.25
    """

    def __init__(self, loss: Any, known: Mapping[str, Loss], owner: str) -> None:
        if isinstance(loss, str):
            if loss not in known:
                names = ", ".join(map(repr, known))
                raise ArgumentError(
                    f"{owner}: there is no loss {loss!r}; known by name are {names}. A function of output and target, "
                    "or a loss layer of minigrad.nn, can be given as well"
                )
            loss = known[loss]
        elif isinstance(loss, type):
            loss = loss()
        if not callable(loss):
            raise DTypeError(f"{owner}: loss must be a name, a function or a loss layer, not {loss!r}")
        self.name = _name(loss)
        self.function = type(loss).function if isinstance(loss, FunctionLayer) else getattr(loss, "func", loss)
        self._owner = owner
        self._elements = self._unreduced(loss)

    def _unreduced(self, loss: Any) -> Loss:
        """The loss, which returns those of single elements if it has an option for that."""
        if isinstance(loss, Module):
            reduction = getattr(loss, "reduction", None)
        else:
            option = inspect.signature(loss).parameters.get("reduction")
            reduction = None if option is None else option.default
        if reduction is None:
            return loss
        if reduction not in ("mean", "none", inspect.Parameter.empty):
            raise ArgumentError(
                f"{self._owner}: the loss {self.name} has the reduction {reduction!r}, but what is minimized is the "
                "mean over rows: leave its reduction at 'mean', and scale the learning rate instead"
            )
        if not isinstance(loss, Module):
            return partial(loss, reduction="none")
        layer: Any = copy.copy(loss)
        layer.reduction = "none"
        return layer

    def __call__(self, output: Tensor, target: np.ndarray, weight: np.ndarray | None = None) -> Tensor:
        """Compute the mean.

        Parameters
        ----------
        output : Tensor of shape (n, ...)
        target : array of shape (n, ...)
        weight : array of shape (n,), optional
        """
        losses = self._elements(output, target)
        if not isinstance(losses, Tensor):
            raise DTypeError(f"{self._owner}: the loss {self.name} returned a {type(losses).__name__}, not a Tensor")
        if not losses.ndim and weight is not None:
            raise ArgumentError(
                f"{self._owner}: the loss {self.name} returns one number for all rows, and rows with a sample_weight "
                "cannot be told apart in it: let it return one number for each row, or give it an option `reduction` "
                "as the losses of minigrad.nn.functional have"
            )
        if losses.ndim and losses.shape[0] != len(target):
            raise ShapeError(
                f"{self._owner}: the loss {self.name} returned shape {losses.shape} for {len(target)} rows: it must be "
                "one number for each row, or one for all"
            )
        if weight is None:
            mean: Tensor = losses.mean()
            return mean
        share = (weight / weight.sum()).astype(losses.dtype)
        weighted: Tensor = (losses.reshape(len(target), -1).mean(axis=1) * share).sum()
        return weighted


def _name(loss: Any) -> str:
    loss = getattr(loss, "func", loss)
    return str(getattr(loss, "__name__", type(loss).__name__))
