"""Sorting: a choice of elements by an order that has no derivative itself."""

import numpy as np

from minigrad.core import Array, implements, primitive
from minigrad.ops.indexing import take_along_axis


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
