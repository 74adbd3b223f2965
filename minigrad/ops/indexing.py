"""Reading and writing by index, as NumPy does it: numbers, slices, ellipsis, new axes, masks and index arrays."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.core import Array, Handle, give_out, implements, numpy_keywords, primitive, traced, unwrap
from minigrad.errors import IndexingError
from minigrad.errors.operations import not_an_index
from minigrad.ops.axes import one_axis

Index = Any


PLACE = "array"  # stands in an index for an array, which is an operand


def normalized(index: Index) -> tuple[tuple[Any, ...], list[Array]]:
    """An index as a tuple with `PLACE` where it has arrays of integers or bools, and these."""
    if index.__class__ is int or index.__class__ is slice:
        return (index,), []
    form: list[Any] = []
    places: list[Array] = []
    for part in index if isinstance(index, tuple) else (index,):
        if part is None or part is Ellipsis or isinstance(part, (int, slice, np.integer)):
            form.append(part)
        else:
            form.append(PLACE)
            places.append(_array_in(part))
    return tuple(form), places


def _array_in(part: Any) -> Array:
    array: Any = part if isinstance(part, (Handle, np.ndarray)) else np.array(part)
    value = unwrap(array)
    if value.dtype.kind in "biu":
        return array
    if value.dtype.kind == "f" and value.size == 0:
        return np.zeros(value.shape, np.intp)  # an empty list
    raise not_an_index(part)


def _with(index: tuple[Any, ...], places: Sequence[Array]) -> tuple[Any, ...]:
    """The index with its arrays."""
    if not places:
        return index
    if len(index) == len(places):
        return tuple(places)
    rest = iter(places)
    return tuple([next(rest) if part == PLACE else part for part in index])


def _meets_twice(places: Sequence[Array]) -> bool:
    """Whether an index may name an element more than once: only arrays of integers can."""
    for place in places:  # noqa: SIM110  # a generator expression takes five times as long
        if place.dtype.kind != "b":
            return True
    return False


def require_known_count(places: Sequence[Array]) -> None:
    """Refuse to read by a mask in a program, where it must be known how many elements a mask leaves."""
    for place in places:
        if traced(place) and place.dtype.kind == "b":
            give_out(place, "the number of elements that a mask leaves")


def getitem(x: Array, /, index: Index) -> Array:
    """``x[index]``."""
    form, places = normalized(index)
    require_known_count(places)
    return _getitem(x, *places, index=form)


@primitive(
    lambda g, y, x, *places, index: _scatter(g, *places, index=index, shape=x.shape),
    view=True,
    kind="indexing",
    cost=0,
)
def _getitem(x: Array, /, *places: Array, index: tuple[Any, ...]) -> Array:
    return x[_with(index, places)] if places else x[index]  # the commonest case by the shortest way


getitem.primitive = _getitem.primitive  # type: ignore[attr-defined]  # for who calls it without a name


def _added(total: Array, g: Array, y: Array, x: Array, *places: Array, index: tuple[Any, ...]) -> Array:
    """What the rule of `getitem` means, in the memory of a gradient that has come from elsewhere.

    A loop that reads one row after another would otherwise fill a whole array for each of them.
    """
    if isinstance(total, Handle) or isinstance(g, Handle):  # nothing is changed in a program
        return _add_at(total, g, *places, index=index)
    if not places:  # the commonest case
        total[index] += g
    elif _meets_twice(places):
        np.add.at(total, _with(index, places), g)
    else:
        total[_with(index, places)] += g
    return total


getitem.primitive.into = _added  # type: ignore[attr-defined]


@primitive(
    lambda h, y, x, g, *places, index: h,
    lambda h, y, x, g, *places, index: _getitem(h, *places, index=index),
    kind="indexing",
    linear=True,
    cost=1,
)
def _add_at(x: Array, g: Array, /, *places: Array, index: tuple[Any, ...]) -> Array:
    """A copy of `x` to which `g` is added at the index, repeats and all."""
    return _added(np.array(x), g, x, x, *places, index=index)


def scatter(g: Array, /, index: Index, shape: tuple[int, ...]) -> Array:
    """The transpose of `getitem`: an array of zeros to which `g` is added at the index, repeats and all."""
    form, places = normalized(index)
    return _scatter(g, *places, index=form, shape=shape)


@primitive(
    lambda h, y, g, *places, index, shape: _getitem(h, *places, index=index), kind="indexing", linear=True, cost=1
)
def _scatter(g: Array, /, *places: Array, index: tuple[Any, ...], shape: tuple[int, ...]) -> Array:
    if not places or not _meets_twice(places):
        out = np.zeros(shape, g.dtype)
        out[_with(index, places) if places else index] = g
        return out
    if g.dtype.kind not in "fc":  # bincount counts in floating point
        out = np.zeros(shape, g.dtype)
        np.add.at(out, _with(index, places), g)
        return out
    size = int(np.prod(shape))
    flat = np.arange(size).reshape(shape)[_with(index, places)].ravel()
    weights = np.ravel(g)
    if g.dtype.kind == "c":
        total = np.bincount(flat, weights.real, size) + 1j * np.bincount(flat, weights.imag, size)
    else:
        total = np.bincount(flat, weights, size)
    return total.astype(g.dtype).reshape(shape)


def setitem(x: Array, v: Array, /, index: Index) -> Array:
    """A copy of `x` in which the elements at the index are `v`."""
    form, places = normalized(index)
    return _setitem(x, v, *places, index=form)


@primitive(
    lambda g, y, x, v, *places, index: _setitem(g, 0, *places, index=index),
    lambda g, y, x, v, *places, index: _written_rule(g, x, v, places, index),
    kind="indexing",
    cost=0,
)
def _setitem(x: Array, v: Array, /, *places: Array, index: tuple[Any, ...]) -> Array:
    out = np.array(x)
    out[_with(index, places)] = v
    return out


def _written_rule(g: Array, x: Array, v: Array, places: Sequence[Array], index: tuple[Any, ...]) -> Array:
    """``g[index]``, but 0 for an element that another one was written over."""
    stays = _last_writes(*places, index=index, shape=x.shape) if _meets_twice(places) else True
    part = np.where(stays, _getitem(g, *places, index=index), 0)
    # Without the axes of length 1 at the front that a written value may have in excess.
    return np.reshape(part, (*(1,) * (v.ndim - part.ndim), *part.shape))


@primitive(cost=1)
def _last_writes(*places: Array, index: tuple[Any, ...], shape: tuple[int, ...]) -> Array:
    """For each element that is written whether it stays: of repeated ones only the last does."""
    place = np.arange(int(np.prod(shape))).reshape(shape)[_with(index, places)]
    order = np.arange(place.size).reshape(place.shape)
    winner = np.empty(int(np.prod(shape)), np.intp)
    winner[place] = order
    return winner[place] == order


@implements(np.take)
@numpy_keywords
def take(x: Array, indices: Any, /, axis: int | None = None) -> Array:
    """Elements along an axis (of the flattened array if it is None) at these indices."""
    index = indices if isinstance(indices, tuple) else (indices,)
    if axis is None:
        return getitem(np.reshape(x, -1), index)
    before = (slice(None),) * one_axis(axis, np.ndim(x), "take")
    return getitem(x, (*before, *index))


@implements(np.take_along_axis)
@numpy_keywords
def take_along_axis(x: Array, indices: Any, /, axis: int | None = -1) -> Array:
    """For each place along an axis the element at the index that `indices` has there, as `argsort` gives them."""
    if axis is None:
        return take_along_axis(np.reshape(x, -1), indices, axis=0)
    where = _array_in(indices)
    if where.ndim != np.ndim(x):
        raise IndexingError(f"take_along_axis of shapes {np.shape(x)} and {where.shape}: they must have as many axes")
    grid: list[Any] = list(np.ogrid[tuple(slice(n) for n in np.shape(x))])
    grid[one_axis(axis, np.ndim(x), "take_along_axis")] = where
    return getitem(x, tuple(grid))
