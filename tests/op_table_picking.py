"""Rows for functions that pick elements by their order, and that write them by index.

The references of what is written by index are loops over single elements.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.ops import arguments, indexing, reductions, scattering, sorting
from tests.op_table import TABLE, A, N, row, s, spelling

__all__ = ["TABLE"]

# The largest and the smallest

TOP = [
    s((5,), 2), s((5,), 0), s((5,), 5), s((2, 3), 2), s((3, 2), 2, axis=0), s((2, 3, 2), 1, 1), s((), 1), s((0, 3), 2),
    s((4,), 2, largest=False), s((3, 2), 1, 0, largest=False), s((5,), 3, sorted=False), s((2, 0), 0),
]  # fmt: skip
TIES = [s(N([2, 1, 2, 1, 2]), 2), s(N([2, 1, 2, 1]), 3, largest=False), s(N([1, 3, 3, 2]), 3, sorted=False)]


def top_places(x: Any, k: int, axis: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    order = np.argsort(np.atleast_1d(-x if largest else x), axis, stable=True)
    found = np.take(order, np.arange(k), axis)
    return (found if sorted else np.sort(found, axis)).reshape(found.shape if np.ndim(x) else ())


def top(x: Any, *args: Any, axis: int = -1, **options: Any) -> Any:
    places = top_places(x, *args, axis=axis, **options) if len(args) == 1 else top_places(x, *args, **options)
    return np.take_along_axis(x, places, args[1] if len(args) > 1 else axis) if np.ndim(x) else x


row(lambda *x, **kw: mg.topk(*x, **kw).values, top, *TOP, name="topk")
row(lambda *x, **kw: mg.topk(*x, **kw).indices, top_places, *TOP, *TIES, name="topk (indices)", orders=0)
row(mg.topk, lambda *x, **kw: (top(*x, **kw), top_places(*x, **kw)), *TIES, name="topk (both)", orders=0)

# Running extremes and sums

RUNNING = [
    s((4,)), s((1,)), s(()), s((2, 3), axis=0), s((2, 3), axis=-1), s((2, 3, 2), 1), s((0,)), s((0, 3), axis=1),
    s((2, 0), axis=1), s((2, 0), axis=0),
]  # fmt: skip
EQUAL = [s(N([1, 3, 3, 2, 3, 1])), s(N([[2, 1], [2, 1], [0, 3]]), axis=0)]


def last_place(x: Any, attains: Any) -> Any:
    """For the start of each vector, the last index of its extreme."""
    return np.array([np.flatnonzero(x[: i + 1] == attains(x[: i + 1]))[-1] for i in range(len(x))], int)


def running(x: Any, axis: int | None, attains: Any) -> Any:
    if not x.size or not np.ndim(x):
        return np.zeros(np.shape(x), int)
    return np.apply_along_axis(last_place, 0 if axis is None else axis, x, attains)


def accumulated(ufunc: np.ufunc) -> Callable[..., Any]:
    return lambda x, axis=0: ufunc.accumulate(x, axis) if np.ndim(x) else x


row(lambda x, axis=None: mg.cummax(x, axis).values, accumulated(np.maximum), *RUNNING, name="cummax")
row(lambda x, axis=None: mg.cummin(x, axis).values, accumulated(np.minimum), *RUNNING, name="cummin")
row(lambda x, axis=None: mg.cummax(x, axis).indices, lambda x, axis=None: running(x, axis, np.max), *RUNNING, *EQUAL,
    name="cummax (indices)", orders=0)  # fmt: skip
row(lambda x, axis=None: mg.cummin(x, axis).indices, lambda x, axis=None: running(x, axis, np.min), *RUNNING, *EQUAL,
    name="cummin (indices)", orders=0)  # fmt: skip
row(mg.logcumsumexp, lambda x, axis=0: np.log(np.cumsum(np.exp(x), axis)) if np.ndim(x) else x, *RUNNING)
row(reductions._logcumsumexp, accumulated(np.logaddexp), s((4,), axis=0), s((2, 3), axis=1), s(A(-800, 0, 800), axis=0))
row(sorting._places_of_top, top_places, s((4,), k=2, axis=0, largest=True, sorted=True), orders=0)
row(reductions.places_of_extremes, lambda x, axis, largest: running(x, axis, np.max), s((4,), axis=0, largest=True),
    orders=0)  # fmt: skip

# Written by index

NONE = np.array([], int)
SCATTERED = [
    s((4,), N([2, 0, 3]), (3,)), s((4,), N([2, 0]), (3,)), s((2, 3), N([[2, 0], [1, 2]]), (2, 2), axis=1),
    s((2, 3), N([[1, 0, 1]]), (2, 3), axis=0), s((3,), N([1, 1, 1, 0]), (4,)), s((2, 3), N([[0, 0], [2, 0]]), (3, 4)),
    s((2, 2, 2), N([[[1]], [[0]]]), (2, 1, 1), axis=-1), s((), N(0), ()), s((3,), N([0, 2]), 1.5), s((3,), NONE, (2,)),
    s((3,), N([0, 0]), ()), s((0, 3), np.zeros((0, 2), int), (0, 2), axis=1),
]  # fmt: skip


def places(x: Any, index: Any, src: Any, axis: int) -> Any:
    """Pairs of a place, and the element of the source for it."""
    for at in np.ndindex(*np.shape(index)):
        place = list(at)
        if place:
            place[axis] = int(index[at])
        yield tuple(place), (src[at] if np.ndim(src) else src)


def scatter(x: Any, index: Any, src: Any, axis: int = -1) -> Any:
    y = np.array(x)
    for place, value in places(x, index, src, axis):
        y[place] = value
    return y


REDUCTIONS = {"sum": np.sum, "prod": np.prod, "mean": np.mean, "amax": np.max, "amin": np.min}


def scatter_reduce(x: Any, index: Any, src: Any, reduce: str = "sum", axis: int = -1, include_self: bool = True) -> Any:
    groups: dict[Any, list[Any]] = {}
    for place, value in places(x, index, src, axis):
        groups.setdefault(place, [x[place]] if include_self else []).append(value)
    y = np.array(x)
    for place, values in groups.items():
        y[place] = REDUCTIONS[reduce](np.array(values, y.dtype))
    return y


def reduced(*names: str) -> list[Any]:
    """The samples, with these reductions."""
    own = [(operands, {**params, "reduce": name}) for operands, params in SCATTERED for name in names]
    return own + [(operands, {**params, "include_self": False}) for operands, params in own]


ZEROS = [
    s(A(0, 2, 3), N([0, 0, 1, 1, 1]), A(0, 5, 0, 7, 0), reduce="prod", include_self=own) for own in (True, False)
]  # fmt: skip
row(mg.scatter, scatter, *SCATTERED, complex=True, name="scatter (along an axis)")
row(mg.scatter_add, scatter_reduce, *SCATTERED, complex=True)
row(mg.scatter_reduce, scatter_reduce, *reduced("sum", "prod", "mean"), *ZEROS, complex=True)
row(mg.scatter_reduce, scatter_reduce, *reduced("amax", "amin"), name="scatter_reduce (extremes)")
row(
    scattering.extremes_of_groups,
    lambda x, groups, count, largest: np.array([(np.max if largest else np.min)(x[groups == i]) for i in range(count)]),
    s((5,), N([1, 0, 1, 0, 1]), count=2, largest=True), s((3,), N([0, 1, 0]), count=2, largest=False),
)  # fmt: skip


# What programs and rules are made of


def added_at(x: Any, g: Any, index: Any) -> Any:
    y = np.array(x)
    np.add.at(y, index, g)
    return y


def add_at(x: Any, g: Any, index: Any) -> Any:
    form, places = indexing.normalized(index)
    return indexing._add_at(x, g, *places, index=form)


row(
    spelling(indexing._add_at, add_at), added_at,
    s((4,), (3,), index=N([0, 2, 0])), s((4,), (2,), index=slice(1, 3)), s((3, 2), (2,), index=1),
    s((2, 3), (2, 2), index=(slice(None), N([2, 2]))), complex=True,
)  # fmt: skip
row(
    spelling(arguments._checked, lambda x: arguments._checked(x, test=lambda x: None)), lambda x: x, s(()), s((2, 3)),
    complex=True,
)  # fmt: skip
