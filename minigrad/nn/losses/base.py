"""What losses share: the reduction to one number, and checks of what they are given."""

from typing import Any, Literal

import numpy as np

from minigrad.core import traced
from minigrad.errors import ShapeError
from minigrad.errors.losses import (
    labels_not_integers,
    labels_of_other_shape,
    no_such_class,
    not_alike,
    not_real,
)
from minigrad.nn.layer import FunctionLayer, check_broadcast, constant, operand
from minigrad.ops import reductions
from minigrad.ops.arguments import checked
from minigrad.ops.scaling import narrowed, widened
from minigrad.options import one_of
from minigrad.tensor import Tensor

Reduction = Literal["none", "mean", "sum"]


def reduced(losses: Any, reduction: Reduction, count: Any = None) -> Any:
    """The losses of single elements put together; `count` is what the mean divides by, if not their number."""
    one_of(reduction, "reduction", ("none", "mean", "sum"))
    if reduction == "none":
        return losses
    if reduction == "sum":
        return reductions.sum(losses)
    if count is None:
        return reductions.mean(losses)
    return narrowed(reductions.sum(widened(losses)) / count, losses)


def real(loss: str, x: Any) -> Any:
    """An operand of a loss that is defined for real numbers only."""
    if x.dtype.kind == "c":
        raise not_real(loss)
    return x


def alike(loss: str, input: Any, target: Any, *others: Any, only_real: bool = True) -> list[Any]:
    """The operands of a loss that compares element by element; their shapes must be the same.

    Integers become floating-point numbers like those of the input, if it has such.
    """
    what = f"{loss}: an operand"
    operands = [operand(x, what) for x in (input, target, *others)]
    if only_real:
        operands = [real(loss, x) for x in operands]
    dtype = operands[0].dtype
    if dtype.kind == "f":
        operands = [x.astype(dtype) if x.dtype.kind in "iub" else x for x in operands]
    if any(x.shape != operands[0].shape for x in operands):
        raise not_alike(loss, [x.shape for x in operands])
    return operands


def weighed(loss: str, losses: Any, weight: Any) -> Any:
    """Losses times the weights of their elements, if there are any."""
    if weight is None:
        return losses
    weight = real(loss, operand(weight))
    check_broadcast(loss, "a weight", weight.shape, losses.shape)
    return losses * (weight.astype(losses.dtype) if losses.dtype.kind == "f" else weight)


def labels_of(loss: str, target: Any, shape: tuple[int, ...], classes: int) -> Any:
    """Labels as an integer array of the given shape, each one of the classes."""
    labels, counted = checked_labels(loss, target, shape, classes, None)
    assert counted is None
    return labels


def checked_labels(loss: str, target: Any, shape: tuple[int, ...], classes: int, ignore: int | None) -> tuple[Any, Any]:
    """Labels of the given shape, each one of the classes or the one to ignore; and which count, None if all do."""
    labels = constant(target, "labels")
    if labels.shape != shape:
        raise labels_of_other_shape(loss, labels.shape, shape)
    if labels.dtype.kind not in "iu":
        raise labels_not_integers(loss, labels.dtype)
    if traced(labels):
        labels = checked(labels, lambda x: _require_labels(loss, x, classes, ignore))
        return labels.astype(np.intp), None if ignore is None else labels != ignore
    # Nearly always all are in range.  One look finds that out: without their signs, negative numbers are very large.
    unsigned = labels.view(_UNSIGNED[labels.itemsize])
    among_them = ignore is not None and 0 <= ignore < classes
    if not among_them and (not labels.size or np.maximum.reduce(unsigned, axis=None) < classes):
        return labels.astype(np.intp, copy=False), None
    _require_labels(loss, labels, classes, ignore)
    counted = labels != ignore
    return labels.astype(np.intp, copy=False), None if counted.all() else counted


def _require_labels(loss: str, labels: np.ndarray, classes: int, ignore: int | None) -> None:
    """Raise if a label is neither one of the classes nor the one to ignore."""
    bad = (labels != ignore) & ((labels < 0) | (labels >= classes))
    if bad.any():
        raise no_such_class(loss, labels[bad][0], classes)


_UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


def counted_labels(loss: str, target: Any, shape: tuple[int, ...], classes: int, ignore: int) -> tuple[Any, Any]:
    """Labels in a row, 0 in the place of those to ignore; and which of them count, None if all do."""
    labels, counted = checked_labels(loss, target, shape, classes, ignore)
    labels = labels.reshape(-1)
    if counted is None:
        return labels, None
    return np.where(counted.reshape(-1), labels, 0), counted.reshape(-1)


def class_weights(loss: str, weight: Any, classes: int, dtype: Any) -> Any:
    """A weight for each class."""
    if weight is None:
        return None
    weights = real(loss, constant(weight, "weights")).astype(dtype)
    if weights.shape != (classes,):
        raise ShapeError(f"{loss}: weights of shape {weights.shape} do not fit {classes} classes")
    return weights


class WeightedLoss(FunctionLayer):
    """A loss with a weight for each class or element, which belongs to its state."""

    inputs = 2  # the first array may be the weight

    def __init__(self, weight: Any, **options: Any) -> None:
        super().__init__(**options)
        self.register_buffer("weight", None if weight is None else as_tensor(weight))

    def forward(self, input: Any, target: Any) -> Any:
        """Compute the loss."""
        options = {name: getattr(self, name) for name in self._options}
        return type(self).function(input, target, weight=self.weight, **options)


def as_tensor(x: Any) -> Tensor:
    """A weight as a Tensor, to be registered."""
    return x if isinstance(x, Tensor) else Tensor(x)
