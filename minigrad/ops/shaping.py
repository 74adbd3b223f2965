"""Functions that arrange elements anew: shapes, axes, joining, repeating, padding, dtypes."""

import builtins
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from minigrad.core import EVERY, Array, implements, numpy_keywords, primitive
from minigrad.errors import ArgumentError, DTypeError, ShapeError, UnsupportedError
from minigrad.ops.arguments import operand, value_of
from minigrad.ops.axes import Axis, one_axis, several_axes
from minigrad.ops.devices import require_cpu
from minigrad.ops.indexing import getitem, take
from minigrad.ops.names import implements_by_name, with_all_arguments
from minigrad.options import one_of

# Shape and axes


@primitive(
    lambda g, y, x, *, shape, copy: np.reshape(g, x.shape),
    view=True,
    kind="movement",
    cost=0,
    passes=(0,),
    trivial=True,
)
def reshape(x: Array, /, shape: int | tuple[int, ...], *, copy: bool | None = None) -> Array:
    """The same elements in another shape.

    Parameters
    ----------
    x : array
    shape : int or tuple of int
        One length may be -1, to be worked out.
    copy : bool, optional
        Whether the result shall have memory of its own.  By default it shares that of `x` if it can.

    Raises
    ------
    ShapeError
        If the shape does not have as many elements.
    ArgumentError
        If a copy is forbidden and needed.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.reshape(np.arange(6), (2, -1))
    array([[0, 1, 2],
           [3, 4, 5]])
    """
    if copy is None:
        return np.reshape(x, shape)
    x = np.asanyarray(x)
    y = np.reshape(x, shape)
    if copy:
        return np.array(y)
    if y.size and not np.may_share_memory(x, y):
        raise ArgumentError(f"reshape of shape {x.shape} to {y.shape} needs a copy, and copy=False forbids it")
    return y


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


@primitive(
    lambda g, y, x, *, axes: np.transpose(g, np.argsort(several_axes(axes, x.ndim, "permute_dims"))),
    view=True,
    kind="movement",
    cost=0,
    passes=(0,),
    trivial=True,
)
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
@numpy_keywords
def squeeze(x: Array, /, axis: int | tuple[int, ...] | None = None) -> Array:
    """Without axes of length 1: the given ones, or (as NumPy, not the standard) all if none is given."""
    shape = np.shape(x)
    ones = [i for i, n in enumerate(shape) if n == 1]
    axes = several_axes(ones if axis is None else axis, len(shape), "squeeze")
    if builtins.any(shape[i] != 1 for i in axes):
        raise ShapeError(f"squeeze can only remove axes of length 1; shape {shape}, axis {axis}")
    return reshape(x, tuple(n for i, n in enumerate(shape) if i not in axes))


@implements(np.expand_dims)
@numpy_keywords
def expand_dims(x: Array, /, axis: int | tuple[int, ...] = 0) -> Array:
    """With new axes of length 1, at these places of the result."""
    shape = list(np.shape(x))
    for i in sorted(several_axes(axis, len(shape) + np.size(axis), "expand_dims")):
        shape.insert(i, 1)
    return reshape(x, tuple(shape))


@primitive(lambda g, y, x, *, shape: g, kind="movement", cost=0, trivial=True)
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
    try:
        shape = np.broadcast_shapes(*map(np.shape, arrays))
    except ValueError as error:
        raise ShapeError(
            f"broadcast_arrays of shapes {', '.join(str(np.shape(x)) for x in arrays)}: {error}"
        ) from error
    return [broadcast_to(x, shape) for x in arrays]


@primitive(lambda g, y, x, *, dtype: g, kind="elementwise", cost=0, trivial=True)
def _astype(x: Array, /, *, dtype: Any) -> Array:
    y = np.asanyarray(x).astype(dtype)
    return y if y.ndim else y[()]  # a view of an array would not be taken for one that may be added to


@implements_by_name("numpy.astype")
def astype(x: Array, /, dtype: Any, *, copy: bool = True, device: Any = None) -> Array:
    """The elements in another dtype; the gradient comes back in the old one.

    Parameters
    ----------
    x : array
    dtype : dtype
    copy : bool
        Whether to copy `x` even if it has the dtype already.
    device : "cpu", optional

    Raises
    ------
    DTypeError
        If it is not a dtype of numbers, or if complex numbers would lose their imaginary part.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.astype(np.array([1.5, -1.5]), np.int64)
    array([ 1, -1])
    """
    require_cpu(device, "astype")
    x, dtype = operand(x, "astype"), np.dtype(dtype)
    before = getattr(x, "dtype", np.dtype(float))  # a number of a program has none
    if dtype.kind not in "biufc":
        raise DTypeError(f"astype: the elements of a Tensor are numbers, and {dtype} is not a dtype of numbers")
    if before.kind == "c" and dtype.kind in "iuf":
        raise DTypeError(f"astype from {before} to {dtype} would lose the imaginary part: write real(x) or imag(x)")
    return x if not copy and before == dtype else _astype(x, dtype=dtype)


# Joining


def _pieces(g: Array, axis: int, lengths: tuple[int, ...]) -> list[Array]:
    """The parts of `g` that lie where arrays of these lengths, joined along an axis, came to lie."""
    before = (slice(None),) * (axis % g.ndim)
    ends = np.cumsum(lengths).tolist()
    return [g[(*before, slice(end - length, end))] for length, end in zip(lengths, ends, strict=True)]


@primitive(joint=lambda g, y, *arrays, axis, lengths: _pieces(g, axis, lengths), kind="movement", cost=0, passes=EVERY)
def _concat(*arrays: Array, axis: int, lengths: tuple[int, ...]) -> Array:
    return np.concatenate(arrays, axis=axis)


@numpy_keywords
def concat(arrays: Sequence[Array], /, axis: int | None = 0) -> Array:
    """Arrays joined along an existing axis; with ``axis=None`` flattened first."""
    if not arrays:
        raise ShapeError("concat needs at least one array")
    if axis is None:
        arrays, axis = [reshape(x, -1) for x in arrays], 0
    axis = one_axis(axis, np.ndim(arrays[0]), "concat")
    return _concat(*arrays, axis=axis, lengths=tuple(sum(np.shape(x)[axis : axis + 1]) for x in arrays))


# The number and the lengths of the pieces are parameters, so that the rules need not look at the pieces.


@primitive(
    joint=lambda g, y, *arrays, axis, count: [take(g, i, axis=axis) for i in range(count)],
    kind="movement",
    cost=0,
    passes=EVERY,
)
def _stack(*arrays: Array, axis: int, count: int) -> Array:
    return np.stack(arrays, axis=axis)


@numpy_keywords
def stack(arrays: Sequence[Array], /, axis: int = 0) -> Array:
    """Arrays of one shape joined along a new axis."""
    if not arrays:
        raise ShapeError("stack needs at least one array")
    return _stack(*arrays, axis=axis, count=len(arrays))


@implements(np.split)
@numpy_keywords
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


@implements_by_name("numpy.unstack")
@numpy_keywords
def unstack(x: Array, /, *, axis: int = 0) -> tuple[Array, ...]:
    """Cut along an axis, which is lost, into as many arrays as it is long: what `stack` undoes.

    Raises
    ------
    AxisError
        If `x` does not have the axis.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.unstack(np.array([[1, 2], [3, 4]]), axis=1)
    (array([1, 3]), array([2, 4]))
    """
    axis = one_axis(axis, np.ndim(x), "unstack")
    return tuple(take(x, i, axis=axis) for i in range(np.shape(x)[axis]))


@implements(np.meshgrid)
def meshgrid(*arrays: Array, indexing: str = "xy") -> list[Array]:
    """Coordinates of a grid, of the coordinates along each axis: one array of the grid's shape for each axis.

    Parameters
    ----------
    *arrays : array
        Of one axis, or without axes.
    indexing : {"xy", "ij"}
        With "xy" the first array runs along the second axis and the second along the first, as in pictures; with
        "ij" each array runs along its own axis.

    Returns
    -------
    list of array

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.meshgrid(np.array([1, 2]), np.array([3, 4, 5]), indexing="ij")[0]
    array([[1, 1, 1],
           [2, 2, 2]])
    """
    return broadcast_arrays(*_open_grid(arrays, indexing))


def _open_grid(arrays: Sequence[Array], indexing: str) -> list[Array]:
    """The coordinates along each axis of a grid, with axes of length 1 for the others."""
    one_of(indexing, "meshgrid: indexing", ("xy", "ij"))
    if builtins.any(np.ndim(x) > 1 for x in arrays):
        raise ShapeError(f"meshgrid needs arrays of one axis, and these have shapes {[np.shape(x) for x in arrays]}")
    axes = range(len(arrays))
    places = [*axes[1::-1], *axes[2:]] if indexing == "xy" else axes
    return [reshape(x, tuple(-1 if i == place else 1 for i in axes)) for place, x in zip(places, arrays, strict=True)]


@with_all_arguments(np.meshgrid)
def _numpy_meshgrid(*xi: Array, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> list[Array]:
    return _open_grid(xi, indexing) if sparse else meshgrid(*xi, indexing=indexing)


# Turning and repeating


@primitive(lambda g, y, x, *, axis: np.flip(g, axis=axis), view=True, kind="movement", cost=0, passes=(0,))
def flip(x: Array, /, *, axis: int | tuple[int, ...] | None = None) -> Array:
    """The order of elements reversed along one axis, several, or all."""
    return np.flip(x, axis)


implements(np.flip)(lambda m, axis=None: flip(m, axis=axis))


@primitive(
    lambda g, y, x, *, shift, axis: np.roll(g, tuple(-s for s in np.atleast_1d(shift)), axis=axis),
    kind="movement",
    cost=0,
)
def roll(x: Array, /, shift: int | tuple[int, ...], axis: int | tuple[int, ...] | None = None) -> Array:
    """Elements moved on along axes (in the flattened array if there are none), from the end to the front."""
    return np.roll(x, shift, axis)


implements(np.roll)(roll)


@implements(np.repeat)
@numpy_keywords
def repeat(x: Array, repeats: int | Sequence[int] | Array, /, axis: int | None = None) -> Array:
    """Each element, one after another, repeated along an axis, or in the flattened array."""
    if axis is None:
        x, axis = reshape(x, -1), 0
    axis, counts = one_axis(axis, np.ndim(x), "repeat"), value_of(repeats)
    try:
        source = np.repeat(np.arange(np.shape(x)[axis]), counts)
    except ValueError as error:
        raise ShapeError(f"repeat of shape {np.shape(x)} along axis {axis}, repeats={counts}: {error}") from error
    return take(x, source, axis=axis)


@implements(np.tile)
def tile(x: Array, reps: int | tuple[int, ...], /) -> Array:
    """The whole array repeated, so many times along each axis."""
    counts = tuple(np.atleast_1d(reps).tolist())
    if builtins.any(count < 0 for count in counts):
        raise ArgumentError(f"tile repeats an array so many times along each axis, and {counts} has negative numbers")
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
    ],
    kind="movement",
    cost=0,
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
