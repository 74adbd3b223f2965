"""Functions that arrange elements anew: shapes, axes, joining, repeating, padding, dtypes."""

import builtins
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from minigrad.core import Array, implements, primitive
from minigrad.errors import DTypeError, ShapeError, UnsupportedError
from minigrad.ops.axes import Axis, one_axis, several_axes
from minigrad.ops.indexing import getitem, take

# Shape and axes


@primitive(lambda g, y, x, *, shape: np.reshape(g, x.shape))
def reshape(x: Array, /, shape: int | tuple[int, ...]) -> Array:
    """The same elements in another shape; one length may be -1, to be worked out."""
    return np.reshape(x, shape)


implements(np.reshape)(reshape)


@implements(np.ravel)
def _numpy_ravel(a: Array) -> Array:
    return reshape(a, -1)


def flatten(x: Array, /, start_dim: int = 0, end_dim: int = -1) -> Array:
    """The axes from `start_dim` to `end_dim` made one, as in PyTorch; without arguments all of them."""
    shape = np.shape(x)
    first = one_axis(start_dim, max(len(shape), 1), "flatten")
    last = one_axis(end_dim, max(len(shape), 1), "flatten")
    if first > last:
        raise ShapeError(f"flatten: axis {start_dim} does not come before axis {end_dim} in shape {shape}")
    return reshape(x, (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


@primitive(lambda g, y, x, *, axes: np.transpose(g, np.argsort(several_axes(axes, x.ndim, "permute_dims"))))
def permute_dims(x: Array, /, axes: tuple[int, ...]) -> Array:
    """The axes in another order: axis `i` of the result is axis ``axes[i]`` of `x`."""
    return np.transpose(x, axes)


@implements(np.transpose)
def _numpy_transpose(a: Array, axes: Sequence[int] | None = None) -> Array:
    return permute_dims(a, tuple(range(a.ndim))[::-1] if axes is None else tuple(int(i) for i in axes))


def _swapped(ndim: int, axis1: int, axis2: int) -> tuple[int, ...]:
    order = list(range(ndim))
    first, second = one_axis(axis1, ndim, "swapaxes"), one_axis(axis2, ndim, "swapaxes")
    order[first], order[second] = second, first
    return tuple(order)


@implements(np.swapaxes)
def swapaxes(x: Array, /, axis1: int, axis2: int) -> Array:
    """Two axes exchanged."""
    return permute_dims(x, _swapped(np.ndim(x), axis1, axis2))


@implements(np.matrix_transpose)
def matrix_transpose(x: Array, /) -> Array:
    """The last two axes exchanged: each matrix of a stack transposed."""
    if np.ndim(x) < 2:
        raise ShapeError(f"matrix_transpose needs at least two axes, and this array has shape {np.shape(x)}")
    return permute_dims(x, _swapped(np.ndim(x), -2, -1))


@implements(np.moveaxis)
def moveaxis(x: Array, source: Axis, destination: Axis, /) -> Array:
    """Some axes moved to new places, the others in their old order."""
    ndim = np.ndim(x)
    sources = several_axes(source, ndim, "moveaxis")
    destinations = several_axes(destination, ndim, "moveaxis")
    if len(sources) != len(destinations):
        raise ShapeError(f"moveaxis has {len(sources)} axes to move and {len(destinations)} places for them")
    order = [i for i in range(ndim) if i not in sources]
    for place, axis in sorted(zip(destinations, sources, strict=True)):
        order.insert(place, axis)
    return permute_dims(x, tuple(order))


@implements(np.squeeze)
def squeeze(x: Array, /, axis: int | tuple[int, ...] | None = None) -> Array:
    """Without axes of length 1: the given ones, or (as NumPy, not the standard) all if none is given."""
    shape = np.shape(x)
    ones = [i for i, n in enumerate(shape) if n == 1]
    axes = several_axes(ones if axis is None else axis, len(shape), "squeeze")
    if builtins.any(shape[i] != 1 for i in axes):
        raise ShapeError(f"squeeze can only remove axes of length 1; shape {shape}, axis {axis}")
    return reshape(x, tuple(n for i, n in enumerate(shape) if i not in axes))


@implements(np.expand_dims)
def expand_dims(x: Array, /, axis: int | tuple[int, ...] = 0) -> Array:
    """With new axes of length 1, at these places of the result."""
    shape = list(np.shape(x))
    for i in sorted(several_axes(axis, len(shape) + np.size(axis), "expand_dims")):
        shape.insert(i, 1)
    return reshape(x, tuple(shape))


@primitive(lambda g, y, x, *, shape: g)
def broadcast_to(x: Array, /, shape: tuple[int, ...]) -> Array:
    """Repeated along axes of length 1, and along new ones at the front, up to a shape."""
    try:
        return np.broadcast_to(x, shape)
    except ValueError as error:
        raise ShapeError(f"broadcast_to: an array of shape {np.shape(x)} cannot become {shape}") from error


implements(np.broadcast_to)(broadcast_to)


@implements(np.broadcast_arrays)
def broadcast_arrays(*arrays: Array) -> list[Array]:
    """All arrays broadcast to their common shape."""
    shape = np.broadcast_shapes(*map(np.shape, arrays))
    return [broadcast_to(x, shape) for x in arrays]


@implements(np.atleast_1d)
def _numpy_atleast_1d(a: Array) -> Array:
    return reshape(a, 1) if a.ndim == 0 else a


@primitive(lambda g, y, x, *, dtype: g)
def astype(x: Array, /, dtype: Any) -> Array:
    """The elements in another dtype; the gradient comes back in the old one."""
    if np.dtype(dtype).kind not in "biufc":
        raise DTypeError(
            f"astype: the elements of a Tensor are numbers, and {np.dtype(dtype)} is not a dtype of numbers"
        )
    return x.astype(dtype)


# Joining


def _pieces(g: Array, axis: int, lengths: tuple[int, ...]) -> list[Array]:
    """The parts of `g` that lie where arrays of these lengths, joined along an axis, came to lie."""
    before = (slice(None),) * (axis % g.ndim)
    ends = np.cumsum(lengths).tolist()
    return [g[(*before, slice(end - length, end))] for length, end in zip(lengths, ends, strict=True)]


@primitive(joint=lambda g, y, *arrays, axis, lengths: _pieces(g, axis, lengths))
def _concat(*arrays: Array, axis: int, lengths: tuple[int, ...]) -> Array:
    return np.concatenate(arrays, axis=axis)


@implements(np.concatenate)
def concat(arrays: Sequence[Array], /, axis: int | None = 0) -> Array:
    """Arrays joined along an existing axis; with ``axis=None`` flattened first."""
    if not arrays:
        raise ShapeError("concat needs at least one array")
    if axis is None:
        arrays, axis = [reshape(x, -1) for x in arrays], 0
    axis = one_axis(axis, np.ndim(arrays[0]), "concat")
    return _concat(*arrays, axis=axis, lengths=tuple(sum(np.shape(x)[axis : axis + 1]) for x in arrays))


# The number and the lengths of the pieces are parameters, so that the rules need not look at the pieces.


@primitive(joint=lambda g, y, *arrays, axis, count: [take(g, i, axis=axis) for i in range(count)])
def _stack(*arrays: Array, axis: int, count: int) -> Array:
    return np.stack(arrays, axis=axis)


@implements(np.stack)
def stack(arrays: Sequence[Array], /, axis: int = 0) -> Array:
    """Arrays of one shape joined along a new axis."""
    if not arrays:
        raise ShapeError("stack needs at least one array")
    return _stack(*arrays, axis=axis, count=len(arrays))


@implements(np.split)
def split(x: Array, /, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Array]:
    """Cut along an axis, into so many equal parts or at these indices."""
    axis = one_axis(axis, np.ndim(x), "split")
    length = np.shape(x)[axis]
    if isinstance(indices_or_sections, Sequence | np.ndarray):
        cuts = [0, *(int(i) for i in indices_or_sections), length]
    elif length % indices_or_sections:
        raise ShapeError(f"split cannot cut an axis of length {length} into {indices_or_sections} equal parts")
    else:
        cuts = list(range(0, length + 1, length // indices_or_sections))
    before = (slice(None),) * axis
    return [getitem(x, index=(*before, slice(start, stop))) for start, stop in pairwise(cuts)]


# Turning and repeating


@primitive(lambda g, y, x, *, axis: np.flip(g, axis=axis))
def flip(x: Array, /, *, axis: int | tuple[int, ...] | None = None) -> Array:
    """The order of elements reversed along one axis, several, or all."""
    return np.flip(x, axis)


implements(np.flip)(lambda m, axis=None: flip(m, axis=axis))


@primitive(lambda g, y, x, *, shift, axis: np.roll(g, tuple(-s for s in np.atleast_1d(shift)), axis=axis))
def roll(x: Array, /, shift: int | tuple[int, ...], axis: int | tuple[int, ...] | None = None) -> Array:
    """Elements moved on along axes (in the flattened array if there are none), from the end to the front."""
    return np.roll(x, shift, axis)


implements(np.roll)(roll)


@implements(np.repeat)
def repeat(x: Array, repeats: int | Sequence[int] | Array, /, axis: int | None = None) -> Array:
    """Each element, one after another, repeated along an axis, or in the flattened array."""
    if axis is None:
        x, axis = reshape(x, -1), 0
    axis = one_axis(axis, np.ndim(x), "repeat")
    return take(x, np.repeat(np.arange(np.shape(x)[axis]), repeats), axis=axis)


@implements(np.tile)
def tile(x: Array, reps: int | tuple[int, ...], /) -> Array:
    """The whole array repeated, so many times along each axis."""
    counts = tuple(np.atleast_1d(reps).tolist())
    ndim = builtins.max(len(counts), np.ndim(x))
    shape = (1,) * (ndim - np.ndim(x)) + np.shape(x)
    counts = (1,) * (ndim - len(counts)) + counts
    pairs = [(count, n) for count, n in zip(counts, shape, strict=True)]
    x = reshape(x, tuple(m for n in shape for m in (1, n)))
    x = broadcast_to(x, tuple(m for pair in pairs for m in pair))
    return reshape(x, tuple(count * n for count, n in pairs))


# Padding


@primitive(
    lambda g, y, x, *, widths, value: g[
        tuple(slice(before, before + n) for (before, _), n in zip(widths, x.shape, strict=True))
    ]
)
def _pad(x: Array, /, *, widths: tuple[tuple[int, int], ...], value: float) -> Array:
    return np.pad(x, widths, constant_values=value)


_COPYING_PADS = ("edge", "reflect", "symmetric", "wrap")


@implements(np.pad)
def pad(x: Array, pad_width: Any, /, mode: str = "constant", *, constant_values: float = 0) -> Array:
    """With more elements at the edges: a constant, or copies chosen by the mode.

    Parameters
    ----------
    x : array
    pad_width : int, pair of int, or pair of int for each axis
        How many elements before and after.
    mode : {"constant", "edge", "reflect", "symmetric", "wrap"}
        As in `numpy.pad`.
    constant_values : float
        The number that "constant" fills in.
    """
    widths = np.broadcast_to(pad_width, (np.ndim(x), 2)).tolist()
    if mode == "constant":
        return _pad(x, widths=tuple(map(tuple, widths)), value=constant_values)
    if mode not in _COPYING_PADS:
        raise UnsupportedError(f"pad has no mode {mode!r}; there are: constant, {', '.join(_COPYING_PADS)}")
    source = np.pad(np.arange(np.size(x)).reshape(np.shape(x)), widths, mode=mode)  # type: ignore[call-overload]
    return getitem(reshape(x, -1), index=(source,))
