"""NumPy's `pad` in all of its modes but that of functions which write into an array.

Modes that copy elements, or fill in a number, are those of `shaping.pad`.  For the others one axis is padded after the
other.  What comes after an array is what would come before it in the reverse order, in the reverse order.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.core import Array, holds_tensor, implements
from minigrad.errors import ArgumentError, ShapeError, UnsupportedError
from minigrad.ops.arguments import operand, value_of
from minigrad.ops.elementwise import round
from minigrad.ops.linalg import tensordot
from minigrad.ops.making import joined
from minigrad.ops.shaping import astype, broadcast_to, concat, flip, moveaxis, pad

# So many elements before an array along axis 0, by the argument of the mode.
Start = Callable[[Array, int, Any], Array]


def _constant(x: Array, width: int, value: Array) -> Array:
    return broadcast_to(astype(value, x.dtype), (width, *x.shape[1:]))


def _ramp(x: Array, width: int, value: Array) -> Array:
    return np.linspace(value, x[0], width, endpoint=False, dtype=x.dtype)


def _statistic(function: Callable[..., Array]) -> Start:
    def start(x: Array, width: int, length: int | None) -> Array:
        y = function(x[:length], axis=0, keepdims=True)
        return broadcast_to(astype(round(y) if x.dtype.kind in "iu" else y, x.dtype), (width, *x.shape[1:]))

    return start


def _odd(mode: Any) -> Start:
    """A reflection about the edge's value too: each element is a sum of multiples of those of the array."""

    def start(x: Array, width: int, _: Any) -> Array:
        sums = np.pad(np.eye(len(x), dtype=x.dtype), ((width, 0), (0, 0)), mode, reflect_type="odd")[:width]
        return tensordot(sums, x, axes=1)

    return start


_STARTS: dict[str, Start] = {
    "constant": _constant, "linear_ramp": _ramp, "maximum": _statistic(np.max), "minimum": _statistic(np.min),
    "mean": _statistic(np.mean), "median": _statistic(np.median), "reflect": _odd("reflect"),
    "symmetric": _odd("symmetric"),
}  # fmt: skip

# The keyword argument that a mode has, and its default.
_ARGUMENTS: dict[str, tuple[str, Any]] = {
    "constant": ("constant_values", 0), "linear_ramp": ("end_values", 0), "reflect": ("reflect_type", "even"),
    "symmetric": ("reflect_type", "even"),
    **dict.fromkeys(("maximum", "minimum", "mean", "median"), ("stat_length", None)),
}  # fmt: skip
_MODES = {*_ARGUMENTS, "edge", "wrap", "empty"}


@implements(np.pad)
def _numpy_pad(array: Array, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Array:
    if callable(mode):
        raise UnsupportedError("pad by a function that writes into an array: write concat([before, x, after], axis)")
    if mode not in _MODES:
        raise ArgumentError(f"pad has no mode {mode!r}; there are: {', '.join(sorted(_MODES))}")
    name, default = _ARGUMENTS.get(mode, ("", None))
    argument = kwargs.pop(name, default)
    if kwargs:
        raise ArgumentError(f"pad in mode {mode!r} does not take these arguments: {', '.join(kwargs)}")
    array = operand(array, "pad")
    widths = _widths(pad_width, array.ndim)
    if mode == "constant" and not holds_tensor(argument):
        return pad(array, widths, constant_values=argument)
    if mode in ("edge", "wrap") or argument == "even":
        return pad(array, widths, mode)
    if mode == "empty":
        return pad(array, widths)
    for axis, width, value in zip(range(array.ndim), widths, _pairs(argument, array.ndim), strict=True):
        array = _along(array, axis, width, value, mode)
    return array


def _along(x: Array, axis: int, width: Any, value: Any, mode: str) -> Array:
    """The array padded along one axis."""
    if not any(width):
        return x
    if x.shape[axis] == 0 and mode != "constant":
        raise ShapeError(f"pad of shape {x.shape} in mode {mode!r}: axis {axis} has no elements to start from")
    start, x = _STARTS[mode], moveaxis(x, axis, 0)
    backwards = flip(x, axis=0)
    before, after = start(x, width[0], value[0]), flip(start(backwards, width[1], value[1]), axis=0)
    return moveaxis(concat([before, x, after]), 0, axis)


def _widths(pad_width: Any, ndim: int) -> Any:
    """How many elements before and after each axis."""
    if isinstance(pad_width, dict):
        named = {axis % ndim: width for axis, width in pad_width.items()}
        pad_width = [np.broadcast_to(named.get(axis, 0), 2) for axis in range(ndim)]
    widths = value_of(pad_width)
    if widths.dtype.kind not in "iu" or np.any(widths < 0):
        raise ArgumentError(f"pad: widths are numbers of elements, not {pad_width!r}")
    return np.broadcast_to(widths, (ndim, 2)).tolist()


def _pairs(argument: Any, ndim: int) -> Any:
    """The argument of a mode for both ends of each axis."""
    if argument is None or isinstance(argument, str):
        return [(argument, argument)] * ndim
    return np.broadcast_to(joined(argument), (ndim, 2))
