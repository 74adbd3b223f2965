"""Reading and writing by index, as NumPy does it: numbers, slices, ellipsis, new axes, masks and index arrays."""

from typing import Any

import numpy as np

from minigrad.core import Array, Handle, implements, primitive
from minigrad.errors import IndexingError
from minigrad.errors.operations import not_an_index
from minigrad.ops.axes import one_axis

Index = Any


def normalized(index: Index) -> tuple[Any, ...]:
    """An index as a tuple that nobody else can change: Tensors by their values, lists and arrays copied."""
    if index.__class__ is int or index.__class__ is slice:
        return (index,)
    return tuple([_own(part) for part in (index if isinstance(index, tuple) else (index,))])


def _own(part: Any) -> Any:
    if isinstance(part, Handle):
        part = part.array
    if part is None or part is Ellipsis or isinstance(part, (int, slice, np.integer)):
        return part
    array = np.array(part)
    if array.size == 0 and array.dtype.kind == "f":
        array = array.astype(np.intp)  # an empty list
    if array.dtype.kind not in "biu":
        raise not_an_index(part)
    return array


def _meets_twice(index: tuple[Any, ...]) -> bool:
    """Whether the index may name an element more than once: only arrays of integers can."""
    for part in index:  # noqa: SIM110  # a generator expression takes five times as long
        if isinstance(part, np.ndarray) and part.dtype.kind != "b":
            return True
    return False


@primitive(lambda g, y, x, *, index: scatter(g, index=index, shape=x.shape), view=True)
def getitem(x: Array, /, *, index: tuple[Any, ...]) -> Array:
    """``x[index]``."""
    return x[index]


def _add_into(out: Array, g: Array, *, index: tuple[Any, ...]) -> None:
    """What the rule of `getitem` means, in the memory of a gradient that has come from elsewhere.

    A loop that reads one row after another would otherwise fill a whole array for each of them.
    """
    if _meets_twice(index):
        np.add.at(out, index, g)
    else:
        out[index] += g


getitem.primitive.into = _add_into  # type: ignore[attr-defined]  # a primitive's function has its primitive


@primitive(lambda h, y, g, *, index, shape: h[index])
def scatter(g: Array, /, *, index: tuple[Any, ...], shape: tuple[int, ...]) -> Array:
    """The transpose of `getitem`: an array of zeros to which `g` is added at the index, repeats and all."""
    if not _meets_twice(index):
        out = np.zeros(shape, g.dtype)
        out[index] = g
        return out
    if g.dtype.kind not in "fc":  # bincount counts in floating point
        out = np.zeros(shape, g.dtype)
        np.add.at(out, index, g)
        return out
    size = int(np.prod(shape))
    flat = np.arange(size).reshape(shape)[index].ravel()
    weights = np.ravel(g)
    if g.dtype.kind == "c":
        total = np.bincount(flat, weights.real, size) + 1j * np.bincount(flat, weights.imag, size)
    else:
        total = np.bincount(flat, weights, size)
    return total.astype(g.dtype).reshape(shape)


@primitive(
    lambda g, y, x, v, *, index: setitem(g, 0, index=index),
    lambda g, y, x, v, *, index: _fit(np.where(_last_writes(index, x.shape), g[index], 0), v.shape),
)
def setitem(x: Array, v: Array, /, *, index: tuple[Any, ...]) -> Array:
    """A copy of `x` in which the elements at the index are `v`."""
    out = np.array(x)
    out[index] = v
    return out


def _fit(g: Array, shape: tuple[int, ...]) -> Array:
    """`g` with the axes of length 1 at the front that a written value may have in excess."""
    return np.reshape(g, (*(1,) * (len(shape) - g.ndim), *g.shape))


def _last_writes(index: tuple[Any, ...], shape: tuple[int, ...]) -> Array:
    """For each element that is written whether it stays: of repeated ones only the last does."""
    if not _meets_twice(index):
        return np.True_
    place = np.arange(int(np.prod(shape))).reshape(shape)[index]
    order = np.arange(place.size).reshape(place.shape)
    winner = np.empty(int(np.prod(shape)), np.intp)
    winner[place] = order
    return winner[place] == order


@implements(np.take)
def take(x: Array, indices: Any, /, axis: int | None = None) -> Array:
    """Elements along an axis (of the flattened array if it is None) at these indices."""
    if axis is None:
        return getitem(np.reshape(x, -1), index=normalized(indices))
    before = (slice(None),) * one_axis(axis, np.ndim(x), "take")
    return getitem(x, index=(*before, *normalized(indices)))


@implements(np.take_along_axis)
def take_along_axis(x: Array, indices: Any, /, axis: int | None = -1) -> Array:
    """For each place along an axis the element at the index that `indices` has there, as `argsort` gives them."""
    if axis is None:
        return take_along_axis(np.reshape(x, -1), indices, axis=0)
    (where,) = normalized(indices)
    if where.ndim != np.ndim(x):
        raise IndexingError(f"take_along_axis of shapes {np.shape(x)} and {where.shape}: they must have as many axes")
    grid: list[Any] = list(np.ogrid[tuple(slice(n) for n in np.shape(x))])
    grid[one_axis(axis, np.ndim(x), "take_along_axis")] = where
    return getitem(x, index=tuple(grid))
