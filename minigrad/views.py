"""What was read from a Tensor and shares its memory, as slices do: to write to it does not reach the Tensor.

In NumPy it does.  A Tensor is a name that moves on to a new value, so that the other one keeps its old value; whoever
writes array code could miss that, and is warned.
"""

from typing import TYPE_CHECKING, NamedTuple
from weakref import ref

import numpy as np
from numpy import ndarray

if TYPE_CHECKING:
    from minigrad.core.node import Array, Handle


class View(NamedTuple):
    """A result that shares memory with the operand from which it was read.

    Attributes
    ----------
    of : weak reference to Handle
        The operand.
    data : ndarray
        The operand's value at that time.
    further : View or None
        What the operand itself was read from.
    """

    of: "ref[Handle]"
    data: "Array"
    further: "View | None"


def is_compact(x: ndarray) -> bool:
    """Whether the elements lie in memory as a copy of them would that keeps the order of the axes."""
    strides = np.empty_like(x).strides
    return all(n < 2 or one == other for n, one, other in zip(x.shape, x.strides, strides, strict=True))


def note_view(result: "Handle", operand: "Handle") -> None:
    """Remember where a result was read from, if it shares the memory of that."""
    value, x = result.array, operand.array
    if value.__class__ is not ndarray or value.base is None:
        return
    if value.base is x or value.base is getattr(x, "base", None):  # which a number of a program does not have
        result.viewed = View(ref(operand), x, getattr(operand, "viewed", None))


def viewed_from(x: "Handle") -> "Handle | None":
    """A Tensor from which this one was read, which is alive and has the same value still."""
    view: View | None = getattr(x, "viewed", None)
    while view is not None:
        operand = view.of()
        if operand is not None and operand is not x and operand.array is view.data:
            return operand
        view = view.further
    return None
