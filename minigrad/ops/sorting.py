"""Sorting, searching and sets: elements chosen by an order that has no derivative itself."""

import math
from operator import index
from typing import NamedTuple

import numpy as np

from minigrad.core import Array, Handle, give_out, implements, name_of, numpy_keywords, primitive, traced
from minigrad.errors import ArgumentError, DTypeError, ShapeError
from minigrad.ops import costs
from minigrad.ops.arguments import operand, require_order, value_of
from minigrad.ops.axes import one_axis
from minigrad.ops.indexing import take, take_along_axis
from minigrad.ops.shaping import reshape, unstack

# Sorting


@primitive(cost=costs.sort)
def argsort(x: Array, /, axis: int = -1, *, descending: bool = False, stable: bool = True) -> Array:
    """The indices that sort along an axis; elements that are equal stay in their order."""
    if not descending:
        return np.argsort(x, axis=axis, kind="stable" if stable else None)
    backwards = np.argsort(np.flip(x, axis=axis), axis=axis, kind="stable")
    return x.shape[axis] - 1 - np.flip(backwards, axis=axis)


@numpy_keywords
def sort(x: Array, /, axis: int = -1, *, descending: bool = False, stable: bool = True) -> Array:
    """Elements in rising (or falling) order along an axis; each takes its gradient with it."""
    return take_along_axis(x, argsort(x, axis, descending=descending, stable=stable), axis=axis)


@implements(np.argsort)
def _numpy_argsort(a: Array, axis: int | None = -1, *, kind: str | None = None, stable: bool | None = None) -> Array:
    return argsort(np.reshape(a, -1)) if axis is None else argsort(a, axis)


@implements(np.sort)
def _numpy_sort(a: Array, axis: int | None = -1, *, kind: str | None = None, stable: bool | None = None) -> Array:
    return sort(np.reshape(a, -1)) if axis is None else sort(a, axis)


# The largest and the smallest


class TopK(NamedTuple):
    """What `topk` returns."""

    values: Array
    indices: Array


@primitive(cost=costs.sort)
def _places_of_top(x: Array, /, *, k: int, axis: int, largest: bool, sorted: bool) -> Array:
    """The indices of the `k` largest or smallest elements."""
    order = argsort(x, axis, descending=largest)
    places = order[(*(slice(None),) * axis, slice(k))]
    return places if sorted else np.sort(places, axis=axis)


@numpy_keywords
def topk(x: Array, /, k: int, axis: int = -1, *, largest: bool = True, sorted: bool = True) -> TopK:
    """The `k` largest (or smallest) elements along an axis, and where they are; each takes its gradient with it.

    Parameters
    ----------
    x : array
        NaN is larger than all numbers.  A single number is taken as one along an axis.
    k : int
        How many, from 0 to the length of the axis.
    axis : int
    largest : bool
        Whether the largest are meant, and not the smallest.
    sorted : bool
        Whether they come in falling (or rising) order; otherwise in the order in which they are in `x`.

    Returns
    -------
    values : array
        Of length `k` along the axis.
    indices : array of int
        Of the shape of `values`; of elements that are equal, the first ones are taken.

    Raises
    ------
    ArgumentError
        If there are not so many elements.
    AxisError
        If the array does not have the axis.
    DTypeError
        If the numbers are complex, or `k` is no integer.

    Notes
    -----
    As `torch.topk`, which leaves open which ones of equal elements are taken.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.topk(np.array([1.0, 5.0, 2.0, 5.0]), 3)
    TopK(values=array([5., 5., 2.]), indices=array([1, 3, 2]))
    """
    x = operand(x, "topk")
    require_order(x, "topk")
    if not x.ndim:
        found = topk(reshape(x, (1,)), k, axis, largest=largest, sorted=sorted)
        return TopK(*(reshape(part, ()) for part in found)) if k else found
    axis = one_axis(axis, x.ndim, "topk")
    if isinstance(k, bool) or not hasattr(k, "__index__"):
        raise DTypeError(f"topk takes so many elements: k must be an integer, not {k!r}")
    k = index(k)
    if not 0 <= k <= x.shape[axis]:
        raise ArgumentError(
            f"topk: k is {k}, and axis {axis} of shape {x.shape} has {x.shape[axis]} elements: give a "
            f"number from 0 to {x.shape[axis]}"
        )
    indices = _places_of_top(x, k=k, axis=axis, largest=largest, sorted=sorted)
    return TopK(take_along_axis(x, indices, axis=axis), indices)


# Searching


@primitive(cost=1)
def _nonzero(x: Array, /) -> Array:
    """The indices as one array, with a row for each axis."""
    return np.stack(np.nonzero(x))


def nonzero(x: Array, /) -> tuple[Array, ...]:
    """The indices of all elements that are not 0, one array for each axis, in the order of memory.

    Raises
    ------
    ShapeError
        If `x` has no axes.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.nonzero(np.array([[0, 1], [2, 0]]))
    (array([0, 1]), array([1, 0]))
    """
    if not np.ndim(x):
        raise ShapeError("nonzero tells where elements are along axes, and a single number has no axes")
    if traced(x):
        give_out(x, "the number of elements that are not 0")
    return unstack(_nonzero(x))


@primitive(cost=lambda args, y, how: np.size(args[1]) * math.log2(1 + np.size(args[0])))
def _searchsorted(x1: Array, x2: Array, /, *, side: str) -> Array:
    return np.searchsorted(x1, x2, side)  # type: ignore[call-overload]  # the side is checked there


def searchsorted(x1: Array, x2: Array, /, side: str = "left", sorter: Array | None = None) -> Array:
    """Where to insert the elements of `x2` so that `x1` stays in rising order.

    Parameters
    ----------
    x1 : array of one axis
        In rising order, or in the order that `sorter` puts right.
    x2 : array
    side : {"left", "right"}
        Whether the index is before or after elements of `x1` that are equal.
    sorter : array of int, optional
        As `argsort` gives it for `x1`.

    Returns
    -------
    array of int
        Of the shape of `x2`.

    Raises
    ------
    ShapeError
        If `x1` has not one axis.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.searchsorted(np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.5, 9.0]))
    array([1, 2, 3])
    """
    if np.ndim(x1) != 1:
        raise ShapeError(f"searchsorted looks for places in an array of one axis, and this has shape {np.shape(x1)}")
    return _searchsorted(x1 if sorter is None else take(x1, sorter), x2, side=side)


# Sets.  An element is what `==` says: 0.0 is -0.0, and every NaN is another.


class UniqueAll(NamedTuple):
    """What `unique_all` returns."""

    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


class UniqueCounts(NamedTuple):
    """What `unique_counts` returns."""

    values: Array
    counts: Array


class UniqueInverse(NamedTuple):
    """What `unique_inverse` returns."""

    values: Array
    inverse_indices: Array


@implements(np.unique_all)
def unique_all(x: Array, /) -> UniqueAll:
    """The different elements in rising order, and where and how often they occur; the first of each has its gradient.

    Returns
    -------
    values : array of one axis
    indices : array of int
        Of the first place of each in `x`, flattened.
    inverse_indices : array of int
        Of the shape of `x`: at each place the index of its value.
    counts : array of int

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.unique_all(np.array([3, 1, 3])).inverse_indices
    array([1, 0, 1])
    """
    x = operand(x, "unique_all")
    values, *found = np.unique(value_of(x), True, True, True, equal_nan=False)
    found[1] = found[1].reshape(x.shape)
    if isinstance(x, Handle):
        found = [name_of(indices, None) for indices in found]
        values = take(reshape(x, -1), found[0])
    return UniqueAll(values, *found)


@implements(np.unique_counts)
def unique_counts(x: Array, /) -> UniqueCounts:
    """The different elements in rising order, and how often each occurs; the first of each has its gradient.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.unique_counts(np.array([3, 1, 3])).counts
    array([1, 2])
    """
    found = unique_all(x)
    return UniqueCounts(found.values, found.counts)


@implements(np.unique_inverse)
def unique_inverse(x: Array, /) -> UniqueInverse:
    """The different elements in rising order, and for each place of `x` the index of its value among them.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.unique_inverse(np.array([3, 1, 3])).inverse_indices
    array([1, 0, 1])
    """
    found = unique_all(x)
    return UniqueInverse(found.values, found.inverse_indices)


@implements(np.unique_values)
def unique_values(x: Array, /) -> Array:
    """The different elements in rising order; the first of each has its gradient.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.unique_values(np.array([3, 1, 3]))
    array([1, 3])
    """
    return unique_all(x).values


@primitive(cost=costs.search)
def isin(x1: Array, x2: Array, /, *, invert: bool = False) -> Array:
    """Whether elements of `x1` occur in `x2`, of any shape; or, inverted, whether they do not.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.isin(np.array([1, 2, 3]), np.array([3, 1]))
    array([ True, False,  True])
    """
    return np.isin(x1, x2, invert=invert)
