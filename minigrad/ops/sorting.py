"""Sorting, searching and sets: elements chosen by an order that has no derivative itself."""

from typing import NamedTuple

import numpy as np

from minigrad.core import Array, Handle, implements, name_of, primitive
from minigrad.errors import ShapeError
from minigrad.ops.arguments import operand, value_of
from minigrad.ops.indexing import take, take_along_axis
from minigrad.ops.shaping import reshape, unstack

# Sorting


@primitive()
def argsort(x: Array, /, axis: int = -1, *, descending: bool = False, stable: bool = True) -> Array:
    """The indices that sort along an axis; elements that are equal stay in their order."""
    if not descending:
        return np.argsort(x, axis=axis, kind="stable" if stable else None)
    backwards = np.argsort(np.flip(x, axis=axis), axis=axis, kind="stable")
    return x.shape[axis] - 1 - np.flip(backwards, axis=axis)


def sort(x: Array, /, axis: int = -1, *, descending: bool = False, stable: bool = True) -> Array:
    """Elements in rising (or falling) order along an axis; each takes its gradient with it."""
    return take_along_axis(x, argsort(x, axis, descending=descending, stable=stable), axis=axis)


@implements(np.argsort)
def _numpy_argsort(a: Array, axis: int | None = -1, *, kind: str | None = None, stable: bool | None = None) -> Array:
    return argsort(np.reshape(a, -1)) if axis is None else argsort(a, axis)


@implements(np.sort)
def _numpy_sort(a: Array, axis: int | None = -1, *, kind: str | None = None, stable: bool | None = None) -> Array:
    return sort(np.reshape(a, -1)) if axis is None else sort(a, axis)


# Searching


@primitive()
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
    return unstack(_nonzero(x))


@primitive()
def _searchsorted(x1: Array, x2: Array, /, *, side: str, sorter: Array | None) -> Array:
    return np.searchsorted(x1, x2, side, sorter)  # type: ignore[call-overload]  # the side is checked there


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
    return _searchsorted(x1, x2, side=side, sorter=None if sorter is None else value_of(sorter))


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


@primitive()
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
