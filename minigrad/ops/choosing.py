"""NumPy's ways to choose elements: by conditions, by numbers, by their order."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.core import Array, implements
from minigrad.errors import ArgumentError, DTypeError, IndexingError, ShapeError
from minigrad.ops.arguments import operand, value_of, weak
from minigrad.ops.elementwise import where
from minigrad.ops.indexing import take, take_along_axis
from minigrad.ops.shaping import astype, broadcast_to, reshape, stack
from minigrad.ops.sorting import sort

# By conditions


@implements(np.select)
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Array:
    """For each place the element of the first choice whose condition holds there, or the default."""
    conditions = [operand(condition, "select") for condition in condlist]
    choices = [weak(choice, "select") for choice in (*choicelist, default)]
    if len(conditions) != len(choices) - 1 or not conditions:
        raise ShapeError(f"select of {len(conditions)} conditions and {len(choices) - 1} choices: both must be as many")
    for i, condition in enumerate(conditions):
        if condition.dtype.kind != "b":
            raise DTypeError(f"select: condition {i} must be of bools, not of {condition.dtype}")
    result = choices.pop()
    dtype = _common_dtype([*choices, result])
    for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
        result = where(condition, choice, result)
    return astype(result, dtype)


def _common_dtype(arrays: list[Any]) -> Any:
    """The dtype of all together; Python's numbers are weak."""
    return np.result_type(*(getattr(x, "dtype", x) for x in arrays))


@implements(np.compress)
def compress(condition: Any, a: Array, axis: int | None = None) -> Array:
    """The slices along an axis (elements of the flattened array, if it is None) at which the condition holds."""
    mask = value_of(condition)
    if mask.ndim != 1:
        raise ShapeError(f"compress takes a condition of one axis, not of shape {mask.shape}")
    return take(operand(a, "compress"), np.flatnonzero(mask), axis=axis)


@implements(np.extract)
def extract(condition: Any, arr: Array) -> Array:
    """The elements of the flattened array at which the flattened condition holds."""
    return take(operand(arr, "extract"), np.flatnonzero(value_of(condition)))


# By numbers


@implements(np.choose)
def choose(a: Any, choices: Any, *, mode: str = "raise") -> Array:
    """For each place the element of the choice whose number, from 0, is there; beyond the last one, as the mode says.

    The mode "raise" raises IndexingError, "wrap" counts anew from 0, and "clip" takes the first or last.
    """
    number = value_of(a)
    if number.dtype.kind not in "iub":
        raise DTypeError(f"choose takes integers to choose by, not {number.dtype}")
    options = [weak(choices[i], "choose") for i in range(len(choices))]
    if not options:
        raise ShapeError("choose needs at least one choice")
    last = len(options) - 1
    if mode == "wrap":
        number = number % len(options)
    elif mode == "clip":
        number = np.clip(number, 0, last)
    elif mode != "raise":
        raise ArgumentError(f"choose has no mode {mode!r}; there are: 'raise', 'wrap', 'clip'")
    if np.any((number < 0) | (number > last)):
        raise IndexingError(f"choose: the numbers must lie between 0 and {last}, for {len(options)} choices")
    shape = np.broadcast_shapes(number.shape, *map(np.shape, options))
    dtype = _common_dtype(options)
    stacked = stack([broadcast_to(astype(operand(option, "choose"), dtype), shape) for option in options])
    index = np.broadcast_to(number, shape)[np.newaxis].astype(np.intp)
    return reshape(take_along_axis(stacked, index, axis=0), shape)


# By order


@implements(np.sort_complex)
def sort_complex(a: Array) -> Array:
    """Elements in the order of their real parts, then of their imaginary parts, along the last axis, as complex."""
    a = operand(a, "sort_complex")
    small = a.dtype.kind in "iu" and a.dtype.itemsize <= 2
    return astype(sort(a), a.dtype if a.dtype.kind == "c" else np.complex64 if small else np.complex128)
