"""Writing along an axis by index, as `take_along_axis` reads: PyTorch's scatter and its relatives, out of place."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.core import Array, numpy_keywords, primitive
from minigrad.errors import ArgumentError, DTypeError, IndexingError, ShapeError
from minigrad.ops import indexing
from minigrad.ops.arguments import operand, require_order, value_of, weak
from minigrad.ops.axes import one_axis
from minigrad.ops.binning import count_numbers
from minigrad.ops.elementwise import floor_divide, where
from minigrad.ops.indexing import getitem, setitem
from minigrad.ops.shaping import astype, broadcast_to, concat, reshape

# What is read, and where in the flattened array it shall go


@primitive(cost=1)
def _places(index: Array, /, *, shape: tuple[int, ...], axis: int, name: str) -> Array:
    """The places in a flattened array of this shape that an index along an axis means, checked."""
    if index.dtype.kind not in "iu" and index.size:
        raise IndexingError(f"{name} takes an index of integers, not of {index.dtype}: convert it with astype(int)")
    if index.ndim != len(shape):
        raise IndexingError(
            f"{name} into shape {shape} by an index of shape {index.shape}: they must have as many axes, as for "
            "take_along_axis"
        )
    if not shape:
        shape, index = (1,), index.reshape(1)
    axis = one_axis(axis, len(shape), name)
    if any(m > n for i, (m, n) in enumerate(zip(index.shape, shape, strict=True)) if i != axis):
        raise IndexingError(
            f"{name} into shape {shape} along axis {axis} by an index of shape {index.shape}: along the other axes it "
            "must not be longer"
        )
    index = index.astype(np.intp)
    wrong = (index < 0) | (index >= shape[axis])
    if wrong.any():
        raise IndexingError(
            f"{name} into shape {shape} by the index {index[wrong][0]}: axis {axis} has {shape[axis]} places, numbered "
            "from 0, and negative numbers do not count from the end"
        )
    grid: list[Any] = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    grid[axis] = index
    return np.asarray(np.ravel_multi_index(tuple(grid), shape))


def _source(src: Any, shape: tuple[int, ...], dtype: np.dtype, name: str) -> Array:
    """As much of the source as the index has a place for, in the dtype of what it is written to."""
    src = weak(src, name)
    given = np.result_type(src) if hasattr(src, "dtype") else np.result_type(dtype, src)
    if not np.can_cast(given, dtype, "same_kind"):
        raise DTypeError(f"{name} of {given} into an array of {dtype}: convert one of them with astype")
    src = astype(operand(src, name), dtype)
    if not src.ndim:
        return broadcast_to(src, shape)
    if src.ndim != len(shape) or any(m > n for m, n in zip(shape, src.shape, strict=True)):
        raise ShapeError(
            f"{name} by an index of shape {shape} from a source of shape {src.shape}: it must have an element for each "
            "of the index, or be a single number"
        )
    return src if src.shape == shape else getitem(src, index=tuple(slice(n) for n in shape))


def _prepared(x: Array, index: Any, src: Any, axis: int, name: str) -> tuple[Array, Array, Array]:
    """The array to write to, the places and what to write there, all flattened."""
    places = _places(operand(index, name), shape=x.shape, axis=axis, name=name)
    values = _source(src, np.shape(index) if x.ndim else (), x.dtype, name)
    return reshape(x, (-1,)), places.reshape(-1), reshape(values, (-1,))


# Writing


@numpy_keywords
def scatter(x: Array, index: Any, src: Any, /, axis: int = -1) -> Array:
    """A copy of `x` with elements of `src` in it, whose places along an axis an index says.

    Of several elements for one place the last one stays, and it alone has a gradient.

    Parameters
    ----------
    x : array
    index : array of int
        Of as many axes as `x`, and along other axes than this one not longer.  From 0 to the last place.
    src : array or number
        Has an element for each of the index; what it has beyond that is not used.
    axis : int

    Returns
    -------
    array
        Of the shape and dtype of `x`: for two axes, ``y[i, index[i, j]] = src[i, j]`` along the last one.

    Raises
    ------
    IndexingError
        If the index does not fit, has other numbers, or negative ones.
    ShapeError
        If the source is smaller than the index.
    DTypeError
        If the source has another kind of numbers.
    AxisError
        If `x` does not have the axis.

    Notes
    -----
    As `torch.scatter`, which leaves open which one of several elements stays.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.scatter(np.zeros((2, 3)), np.array([[2], [0]]), np.array([[5.0], [7.0]]))
    array([[0., 0., 5.],
           [7., 0., 0.]])
    """
    x = operand(x, "scatter")
    flat, places, values = _prepared(x, index, src, axis, "scatter")
    return reshape(setitem(flat, values, index=(places,)), x.shape)


@numpy_keywords
def scatter_add(x: Array, index: Any, src: Any, /, axis: int = -1) -> Array:
    """A copy of `x` to which elements of `src` are added: `scatter_reduce` with "sum".

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.scatter_add(np.zeros(3), np.array([0, 2, 0]), np.array([1.0, 10.0, 100.0]))
    array([101.,   0.,  10.])
    """
    return _reduced(x, index, src, "sum", True, axis, "scatter_add")


@numpy_keywords
def scatter_reduce(
    x: Array, index: Any, src: Any, /, reduce: str, axis: int = -1, *, include_self: bool = True
) -> Array:
    """A copy of `x` with sums, products, means or extremes of elements of `src`, whose places an index says.

    Equal largest or smallest elements share the gradient equally; the derivative of a product is exact with zeros, as
    nothing is divided.

    Parameters
    ----------
    x, index, src, axis
        As for `scatter`.
    reduce : {"sum", "prod", "mean", "amax", "amin"}
        What is made of all elements for one place.
    include_self : bool
        Whether the element of `x` there is one of them.

    Returns
    -------
    array
        Of the shape and dtype of `x`; where the index does not lead to, as `x`.

    Raises
    ------
    ArgumentError
        If there is no such `reduce`.
    IndexingError, ShapeError, DTypeError, AxisError
        As for `scatter`; also if an extreme of complex numbers is asked for.

    Notes
    -----
    As `torch.Tensor.scatter_reduce`, but that second derivatives of products are right with zeros, too, and that NaN is
    shared by all elements that are NaN.  Means of integers are rounded down.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.scatter_reduce(np.ones(3), np.array([0, 2, 0]), np.array([2.0, 3.0, 5.0]), "prod")
    array([10.,  1.,  3.])
    """
    known = [*_OF_ALL, *_OF_GROUPS]
    if reduce not in known:
        raise ArgumentError(f"scatter_reduce has no reduction {reduce!r}; there are: {', '.join(map(repr, known))}")
    return _reduced(x, index, src, reduce, include_self, axis, "scatter_reduce")


def _reduced(x: Any, index: Any, src: Any, reduce: str, include_self: bool, axis: int, name: str) -> Array:
    x = operand(x, name)
    flat, places, values = _prepared(x, index, src, axis, name)
    if reduce in _OF_ALL:
        return reshape(_OF_ALL[reduce](flat, places, values, include_self), x.shape)
    places = value_of(places)
    reached, groups = np.unique(places, return_inverse=True)
    if include_self:
        values = concat([getitem(flat, index=(reached,)), values])
        groups = np.concatenate([np.arange(reached.size), groups])
    results = _OF_GROUPS[reduce](values, groups, reached.size)
    return reshape(setitem(flat, results, index=(reached,)), x.shape)


# Of elements and those that are to be added to them.  How many places there are is known without their numbers.


def _sums(flat: Array, places: Array, values: Array, include_self: bool) -> Array:
    if include_self:
        values, places = concat([flat, values]), concat([np.arange(flat.size), places])
    sums = indexing.scatter(values, index=(places,), shape=flat.shape)
    return sums if include_self else where(count_numbers(places, minlength=flat.size) > 0, sums, flat)


def _means(flat: Array, places: Array, values: Array, include_self: bool) -> Array:
    sizes = count_numbers(places, minlength=flat.size) + include_self
    sizes = where(sizes == 0, 1, sizes)
    if values.dtype.kind in "iu":
        return floor_divide(_sums(flat, places, values, include_self), astype(sizes, values.dtype))
    wide = np.result_type(values.dtype, np.float32)  # of float16, which overflows
    sums = _sums(astype(flat, wide), places, astype(values, wide), include_self)
    return astype(sums / astype(sizes, np.finfo(wide).dtype), values.dtype)


_OF_ALL = {"sum": _sums, "mean": _means}

# Of the elements of groups, which are numbered from 0 and of which none is empty


def _products(values: Array, groups: np.ndarray, count: int) -> Array:
    """Neighbours are multiplied until there is one element of each group: so nothing has to be divided out again."""
    order = np.argsort(groups, kind="stable")
    values, groups = getitem(values, index=(order,)), groups[order]
    while groups.size > count:
        within = np.arange(groups.size) - np.searchsorted(groups, groups)
        first = np.flatnonzero(within % 2 == 0)
        second = np.minimum(first + 1, groups.size - 1)
        has_partner = (second > first) & (groups[second] == groups[first])
        values = getitem(values, index=(first,)) * where(has_partner, getitem(values, index=(second,)), 1)
        groups = groups[first]
    return values


def _share(g: Array, y: Array, values: Array, groups: Array, count: int) -> Array:
    """Equal shares for all elements that attain the extreme of their group, or for those that are NaN."""
    attain = (values == np.take(y, groups)) | (values != values)
    number = indexing.scatter(np.where(attain, 1, 0), index=(groups,), shape=(count,))
    return np.where(attain, np.take(g / number, groups), 0)


@primitive(lambda g, y, values, groups, *, count, largest: _share(g, y, values, groups, count), None, cost=1)
def extremes_of_groups(values: Array, groups: np.ndarray, /, *, count: int, largest: bool) -> Array:
    """The largest or the smallest element of each group."""
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(count))
    return (np.maximum if largest else np.minimum).reduceat(values[order], starts) if count else values[:0]


def _largest(values: Array, groups: np.ndarray, count: int) -> Array:
    require_order(values, "scatter_reduce with amax")
    return extremes_of_groups(values, groups, count=count, largest=True)


def _smallest(values: Array, groups: np.ndarray, count: int) -> Array:
    require_order(values, "scatter_reduce with amin")
    return extremes_of_groups(values, groups, count=count, largest=False)


_OF_GROUPS: dict[str, Callable[[Array, np.ndarray, int], Array]] = {
    "prod": _products, "amax": _largest, "amin": _smallest,
}  # fmt: skip
