"""NumPy's sets and partitions: elements chosen by comparing their values.

Of elements that are equal, the first one has the gradient.
"""

from typing import Any

import numpy as np

from minigrad.core import Array, implements, primitive
from minigrad.ops.arguments import operand, value_of
from minigrad.ops.describing import constant
from minigrad.ops.indexing import take, take_along_axis
from minigrad.ops.shaping import astype, concat, reshape


@primitive(cost=1)
def argpartition(x: Array, /, kth: Any, axis: int | None = -1, kind: Any = "introselect") -> Array:
    """The indices of an order in which some places have the elements that they have after sorting."""
    return np.argpartition(x, kth, axis=axis, kind=kind)


@implements(np.argpartition)
def _argpartition(a: Array, kth: Any, axis: int | None = -1, kind: Any = "introselect") -> Array:
    return argpartition(a, value_of(kth), axis, kind)


@implements(np.partition)
def _partition(a: Array, kth: Any, axis: int | None = -1, kind: Any = "introselect") -> Array:
    if axis is None:
        a, axis = reshape(a, -1), 0
    return take_along_axis(a, _argpartition(a, kth, axis, kind), axis=axis)


@implements(np.unique)
def _unique(
    ar: Array,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    **sorted: bool,
) -> Any:
    ar = operand(ar, "unique")
    _, *found = np.unique(value_of(ar), True, True, True, axis=axis, equal_nan=equal_nan, **sorted)
    wanted = zip((return_index, return_inverse, return_counts), found, strict=True)
    results = (take(ar, found[0], axis=axis), *(constant(x) for is_wanted, x in wanted if is_wanted))
    return results if len(results) > 1 else results[0]


def _elements(ar: Array, assume_unique: bool) -> Array:
    return reshape(ar, -1) if assume_unique else _unique(ar)


@implements(np.union1d)
def _union1d(ar1: Array, ar2: Array) -> Array:
    return _unique(concat([ar1, ar2], axis=None))


@implements(np.intersect1d)
def _intersect1d(ar1: Array, ar2: Array, assume_unique: bool = False, return_indices: bool = False) -> Any:
    both, first, second = np.intersect1d(value_of(ar1), value_of(ar2), assume_unique, return_indices=True)
    values = astype(take(operand(ar1, "intersect1d"), first), both.dtype)
    return (values, constant(first), constant(second)) if return_indices else values


@implements(np.setdiff1d)
def _setdiff1d(ar1: Array, ar2: Array, assume_unique: bool = False) -> Array:
    ar1 = _elements(ar1, assume_unique)
    return take(ar1, np.flatnonzero(np.isin(value_of(ar1), value_of(ar2), invert=True)))


@implements(np.setxor1d)
def _setxor1d(ar1: Array, ar2: Array, assume_unique: bool = False) -> Array:
    both = concat([_elements(ar1, assume_unique), _elements(ar2, assume_unique)])
    _, index, counts = np.unique(value_of(both), return_index=True, return_counts=True)
    return take(both, index[counts == 1])
