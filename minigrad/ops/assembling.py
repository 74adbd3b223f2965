"""Arrays put together and taken apart under NumPy's names: stacks, blocks, pieces, insertions, turns."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.core import Array, implements
from minigrad.errors import ArgumentError, DTypeError, ShapeError
from minigrad.ops.arguments import operand, value_of
from minigrad.ops.axes import one_axis, several_axes
from minigrad.ops.describing import explained
from minigrad.ops.indexing import getitem, take
from minigrad.ops.shaping import astype, broadcast_to, concat, flip, moveaxis, permute_dims, reshape, split, stack

# More axes


def _with_one_axis(x: Array) -> Array:
    return x if np.ndim(x) else reshape(x, 1)


def _with_two_axes(x: Array) -> Array:
    return x if np.ndim(x) > 1 else reshape(x, (1, np.size(x)))


def _with_three_axes(x: Array) -> Array:
    shape = np.shape(x)
    return x if len(shape) > 2 else reshape(x, (*shape, 1) if len(shape) == 2 else (1, np.size(x), 1))


def _each(change: Callable[[Array], Array]) -> Callable[..., Any]:
    """A function of one array as one of several, which returns a tuple unless there is one."""

    def call(*arys: Array) -> Any:
        changed = tuple(map(change, arys))
        return changed[0] if len(changed) == 1 else changed

    return call


implements(np.atleast_1d)(_each(_with_one_axis))
implements(np.atleast_2d)(_each(_with_two_axes))
implements(np.atleast_3d)(_each(_with_three_axes))

# Joining


def converted(arrays: Iterable[Array], dtype: Any, casting: Any) -> list[Array]:
    """Arrays in the dtype that the result is to have."""
    if dtype is None:
        return list(arrays)
    arrays = [operand(x, "astype") for x in arrays]
    for x in arrays:
        if not np.can_cast(x.dtype, dtype, casting):
            raise DTypeError(f"{x.dtype} does not become {np.dtype(dtype)} by {casting!r} casting: convert it before")
    return [astype(x, dtype) for x in arrays]


@implements(np.concatenate)
def _concatenate(
    arrays: Sequence[Array], axis: int | None = 0, *, dtype: Any = None, casting: Any = "same_kind"
) -> Array:
    return concat(converted(arrays, dtype, casting), axis=axis)


@implements(np.stack)
def _stack(arrays: Sequence[Array], axis: int = 0, *, dtype: Any = None, casting: Any = "same_kind") -> Array:
    return stack(converted(arrays, dtype, casting), axis=axis)


@implements(np.hstack)
def _hstack(tup: Sequence[Array], *, dtype: Any = None, casting: Any = "same_kind") -> Array:
    arrays = [_with_one_axis(x) for x in tup]
    return _concatenate(arrays, 0 if arrays and np.ndim(arrays[0]) == 1 else 1, dtype=dtype, casting=casting)


@implements(np.vstack)
def _vstack(tup: Sequence[Array], *, dtype: Any = None, casting: Any = "same_kind") -> Array:
    return _concatenate([_with_two_axes(x) for x in tup], 0, dtype=dtype, casting=casting)


@implements(np.dstack)
def _dstack(tup: Sequence[Array]) -> Array:
    return concat([_with_three_axes(x) for x in tup], axis=2)


@implements(np.column_stack)
def _column_stack(tup: Sequence[Array]) -> Array:
    return concat([x if np.ndim(x) > 1 else reshape(x, (-1, 1)) for x in tup], axis=1)


@implements(np.block)
def _block(arrays: Any) -> Array:
    depth = _depth(arrays)
    ndim = max(depth, *(np.ndim(x) for x in _leaves(arrays)))
    return _joined(arrays, depth, ndim)


def _depth(arrays: Any) -> int:
    """How deep the lists are nested, in all of their parts."""
    if isinstance(arrays, tuple):
        raise DTypeError("block joins nested lists, and this is a tuple: write [..., ...]")
    if not isinstance(arrays, list):
        return 0
    depths = {_depth(x) for x in arrays}
    if len(depths) != 1:
        raise ShapeError(f"block: the lists are nested to different depths, or empty: {sorted(depths)}")
    return 1 + depths.pop()


def _leaves(arrays: Any) -> list[Array]:
    return [leaf for x in arrays for leaf in _leaves(x)] if isinstance(arrays, list) else [arrays]


def _joined(arrays: Any, depth: int, ndim: int) -> Array:
    """The innermost lists joined along the last axis, those around them along the last but one, and so on."""
    if isinstance(arrays, list):
        return concat([_joined(x, depth - 1, ndim) for x in arrays], axis=-depth)
    return reshape(arrays, (1,) * (ndim - np.ndim(arrays)) + np.shape(arrays))


# Cutting


@implements(np.array_split)
def _array_split(ary: Array, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    if np.ndim(indices_or_sections):
        return split(ary, indices_or_sections, axis=axis)
    sections = int(indices_or_sections)
    if sections <= 0:
        raise ArgumentError(f"array_split into {sections} parts: there must be at least one")
    each, more = divmod(np.shape(ary)[one_axis(axis, np.ndim(ary), "array_split")], sections)
    return split(ary, [each * i + min(i, more) for i in range(1, sections)], axis=axis)


def _cut_along(name: str, axis: Callable[[int], int]) -> Callable[..., list[Array]]:
    def call(ary: Array, indices_or_sections: Any) -> list[Array]:
        if np.ndim(ary) <= axis(np.ndim(ary)):
            raise ShapeError(f"{name} of shape {np.shape(ary)}: the array has no axis {axis(np.ndim(ary))}")
        return split(ary, indices_or_sections, axis=axis(np.ndim(ary)))

    return call


implements(np.hsplit)(_cut_along("hsplit", lambda ndim: int(ndim > 1)))
implements(np.vsplit)(_cut_along("vsplit", lambda ndim: 1 if ndim < 2 else 0))
implements(np.dsplit)(_cut_along("dsplit", lambda ndim: 2))


@implements(np.lib.stride_tricks.sliding_window_view)
def _sliding_window_view(x: Array, window_shape: int | Sequence[int], axis: Any = None) -> Array:
    """All windows of a shape: their places along the old axes, their elements along new ones at the end."""
    lengths = _list(window_shape)
    axes = range(np.ndim(x)) if axis is None else [one_axis(i, np.ndim(x), "sliding_window_view") for i in _list(axis)]
    if len(axes) != len(lengths):
        raise ArgumentError(
            f"sliding_window_view: window_shape {tuple(lengths)} is for {len(lengths)} axes, not {len(axes)}"
        )
    for length, i in zip(lengths, axes, strict=True):
        places = np.shape(x)[i] - length + 1
        if places < 1 or length < 0:
            raise ShapeError(f"sliding_window_view: shape {np.shape(x)} has no window of length {length} on axis {i}")
        x = moveaxis(take(x, np.arange(places)[:, None] + np.arange(length), axis=i), i + 1, -1)
    return x


def _list(x: Any) -> list[int]:
    return list(map(int, np.atleast_1d(x)))


# More elements, or fewer


def _along(x: Array, axis: int | None, name: str) -> tuple[Array, int]:
    """The array and the axis along which to work on it: without one, all elements."""
    return (reshape(x, -1), 0) if axis is None else (x, one_axis(axis, np.ndim(x), name))


def _index(obj: Any) -> Any:
    """A slice, or numbers of elements."""
    index = obj if isinstance(obj, slice) else value_of(obj)
    return index.astype(int) if isinstance(index, np.ndarray) and index.size == 0 else index


@implements(np.append)
def _append(arr: Array, values: Array, axis: int | None = None) -> Array:
    return concat([arr, values], axis=axis)


@implements(np.delete)
def _delete(arr: Array, obj: Any, axis: int | None = None) -> Array:
    arr, axis = _along(arr, axis, "delete")
    return take(arr, explained("delete", np.delete, np.arange(np.shape(arr)[axis]), _index(obj)), axis=axis)


@implements(np.insert)
def _insert(arr: Array, obj: Any, values: Array, axis: int | None = None) -> Array:
    arr, axis = _along(arr, axis, "insert")
    obj, shape = _index(obj), np.shape(arr)
    old = np.arange(shape[axis])
    count = explained("insert", np.insert, old, obj, 0).size - old.size
    if count == 1:  # one place can take many values
        values = reshape(values, (1,) * (len(shape) - np.ndim(values)) + np.shape(values))
        if not isinstance(obj, slice) and np.ndim(obj) == 0:
            values = moveaxis(values, 0, axis)
        count = np.shape(values)[axis]
    new = broadcast_to(astype(values, operand(arr, "insert").dtype), (*shape[:axis], count, *shape[axis + 1 :]))
    order = np.insert(old, obj, old.size + np.arange(count))
    return take(concat([arr, new], axis=axis), order, axis=axis)


@implements(np.resize)
def _resize(a: Array, new_shape: int | tuple[int, ...]) -> Array:
    if np.size(a) == 0:
        return np.zeros_like(a, shape=new_shape)
    return take(reshape(a, -1), np.resize(np.arange(np.size(a)), new_shape))


@implements(np.trim_zeros)
def _trim_zeros(filt: Array, trim: str = "fb", axis: Any = None) -> Array:
    places = np.argwhere(value_of(filt))
    first, last = (places.min(0), places.max(0) + 1) if len(places) else (0 * places.sum(0),) * 2
    axes = several_axes(axis, np.ndim(filt), "trim_zeros")
    front, back = ("f" in trim.lower() or not len(places)), ("b" in trim.lower() or not len(places))
    cut = [slice(int(i) if front else None, int(j) if back else None) for i, j in zip(first, last, strict=True)]
    return getitem(filt, index=tuple(part if i in axes else slice(None) for i, part in enumerate(cut)))


# Turning


@implements(np.fliplr)
def _fliplr(m: Array) -> Array:
    if np.ndim(m) < 2:
        raise ShapeError(f"fliplr needs two axes, and this array has shape {np.shape(m)}")
    return flip(m, axis=1)


@implements(np.flipud)
def _flipud(m: Array) -> Array:
    if np.ndim(m) < 1:
        raise ShapeError("flipud needs an axis, and this array has none")
    return flip(m, axis=0)


@implements(np.rot90)
def _rot90(m: Array, k: int = 1, axes: Sequence[int] = (0, 1)) -> Array:
    ndim = np.ndim(m)
    plane = several_axes(tuple(axes), ndim, "rot90")
    if len(plane) != 2:
        raise ArgumentError(f"rot90 turns a plane, which has two axes, not {tuple(axes)}")
    first, second = plane
    if k % 4 == 2:
        return flip(m, axis=plane)
    if k % 4 == 1:
        m = flip(m, axis=second)
    elif k % 4 == 0:
        return m
    order = list(range(ndim))
    order[first], order[second] = second, first
    m = permute_dims(m, tuple(order))
    return flip(m, axis=second) if k % 4 == 3 else m


@implements(np.rollaxis)
def _rollaxis(a: Array, axis: int, start: int = 0) -> Array:
    ndim = np.ndim(a)
    axis = one_axis(axis, ndim, "rollaxis")
    start = one_axis(start, ndim + 1, "rollaxis") if start >= 0 else one_axis(start, ndim, "rollaxis")
    return moveaxis(a, axis, start - (axis < start))
