"""NumPy's functions that call a function for parts of an array."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.core import Array, implements
from minigrad.errors import ArgumentError, ShapeError
from minigrad.ops.arguments import value_of
from minigrad.ops.axes import one_axis
from minigrad.ops.describing import values_of
from minigrad.ops.indexing import getitem, setitem
from minigrad.ops.making import joined
from minigrad.ops.shaping import expand_dims, moveaxis, reshape, stack


@implements(np.apply_along_axis)
def _apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Array, *args: Any, **kwargs: Any) -> Array:
    """What the function gives for each vector along an axis, in the place of the vector."""
    axis = one_axis(axis, np.ndim(arr), "apply_along_axis")
    vectors = moveaxis(arr, axis, -1)
    outer = np.shape(vectors)[:-1]
    if 0 in outer:
        raise ShapeError(f"apply_along_axis: in shape {np.shape(arr)} there is no vector along axis {axis}")
    results = stack([joined(func1d(vectors[i], *args, **kwargs)) for i in np.ndindex(*outer)])
    inner = np.shape(results)[1:]
    places = range(len(inner))
    result = reshape(results, (*outer, *inner))
    return moveaxis(result, tuple(len(outer) + i for i in places), tuple(axis + i for i in places))


@implements(np.apply_over_axes)
def _apply_over_axes(func: Callable[[Array, int], Any], a: Array, axes: int | Sequence[int]) -> Array:
    """A reduction over one axis after another, which all stay with length 1."""
    ndim = np.ndim(a)
    for axis in np.atleast_1d(value_of(axes)).tolist():
        axis = one_axis(axis, ndim, "apply_over_axes")
        result = joined(func(a, axis))
        result = result if np.ndim(result) == ndim else expand_dims(result, axis)
        if np.ndim(result) != ndim:
            raise ArgumentError(f"apply_over_axes: the function made {np.ndim(result)} axes of {ndim}")
        a = result
    return a


@implements(np.piecewise)
def _piecewise(x: Array, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Array:
    """Where a condition holds, what its function makes of the elements; the last one that holds counts."""
    conditions = [np.asarray(c, bool) for c in _several(values_of(condlist), np.ndim(x))]
    if len(funclist) == len(conditions) + 1:
        conditions.append(~np.any(conditions, axis=0))
    if len(funclist) != len(conditions):
        raise ArgumentError(f"piecewise has {len(conditions)} conditions and {len(funclist)} functions")
    y = np.zeros_like(x)
    for condition, function in zip(conditions, funclist, strict=True):
        if callable(function):
            if condition.any():
                y = setitem(y, function(getitem(x, condition), *args, **kw), condition)
        else:
            y = setitem(y, function, condition)
    return y


def _several(conditions: Any, ndim: int) -> Any:
    """One condition, or a list of them, as a list."""
    if isinstance(conditions, list | tuple) and (ndim == 0 or np.ndim(conditions[0])):
        return conditions
    return conditions if np.ndim(conditions) > ndim else [conditions]
