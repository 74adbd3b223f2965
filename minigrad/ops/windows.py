"""Functions of windows that slide over the last axes of an array: convolution, unfolding, the maximum of each window.

All arrays are of shape (N, C, *lengths).  `padding` is a pair (before, after) for each of the last axes; the kernel's
lengths, `stride` and `dilation` are a number for each.

Convolution is linear in its input and in its weight.  So the sum of ``g * convolve(x, w)`` is linear in each of
three arrays, and the derivative by one of them is a function of the other two: `convolve` for `g`,
`convolve_transposed` for `x` and `convolve_weight` for `w`.  Each of the three is an operation, and the derivatives of
each are the other two, to any order.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import as_strided

from minigrad.core import Array, primitive
from minigrad.errors import ShapeError
from minigrad.ops import costs
from minigrad.ops.elementwise import selected

Lengths: TypeAlias = tuple[int, ...]
Padding: TypeAlias = tuple[tuple[int, int], ...]

# Windows are copied next to each other for a matrix product, for so many images at a time that the copy stays in the
# cache of one core.
_CACHE_BYTES = 1 << 19


class Geometry:
    """Where the windows lie, of a kernel on arrays with axes of these lengths.

    Attributes
    ----------
    padded : tuple of int
        The lengths with padding.
    out : tuple of int
        How many windows there are along each axis.
    grid, run : tuple of int, int
        Windows are looked at as one long run over this grid.  If each window is one step from the last, rows of windows
        are contiguous in memory, and one need not stop at the end of a row: the grid is as wide as the padded array,
        and the last columns of it hold windows that are cut across two rows, to be dropped afterwards.  Otherwise the
        grid is `out`, and the run all of it.
    inside, kept : tuple
        Indices of what is not padding in a padded array, and of the windows that are not cut in the grid.
    """

    def __init__(self, lengths: Lengths, kernel: Lengths, stride: Lengths, padding: Padding, dilation: Lengths) -> None:
        self.lengths, self.kernel, self.stride, self.padding, self.dilation = lengths, kernel, stride, padding, dilation
        self.padded = tuple(n + a + b for n, (a, b) in zip(lengths, padding, strict=True))
        spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
        self.out = tuple((n - span) // s + 1 for n, span, s in zip(self.padded, spans, stride, strict=True))
        if min((*self.out, *kernel), default=1) < 1:
            raise ShapeError(
                f"windows of {kernel} elements (with dilation {tuple(spans)}) do not fit into axes of lengths {lengths}"
                f", padded to {self.padded}"
            )
        self.by_rows = len(kernel) > 1 and all(s == 1 for s in stride)
        self.grid = (self.out[0], *self.padded[1:]) if self.by_rows else self.out
        last = [(n - 1) * math.prod(self.grid[i + 1 :]) for i, n in enumerate(self.out)]
        self.run = sum(last) + 1
        self.inside: Any = (..., *(slice(a, a + n) for n, (a, _) in zip(lengths, padding, strict=True)))
        self.kept: Any = (..., *map(slice, self.out))

    def pad(self, x: Array, value: float = 0) -> Array:
        """An array with its padding, contiguous."""
        if self.padded == self.lengths:
            return x if x.flags.c_contiguous else x.copy()
        shape = (*x.shape[:2], *self.padded)
        out = np.full_like(x, value, shape=shape, order="C") if value else self.zeros(x)
        out[self.inside] = x
        return out

    def zeros(self, like: Array) -> Array:
        """An array of zeros with padding."""
        return np.zeros_like(like, shape=(*like.shape[:2], *self.padded), order="C")

    def windows(self, x: Array, by_rows: bool = False) -> Array:
        """A view of shape (N, C, *kernel, *out) on a padded array, or (N, C, *kernel, run)."""
        steps = x.strides[2:]
        within = [step * d for step, d in zip(steps, self.dilation, strict=True)]
        between = [step * s for step, s in zip(steps, self.stride, strict=True)]
        if by_rows and self.by_rows:
            return as_strided(
                x, (*x.shape[:2], *self.kernel, self.run), (*x.strides[:2], *within, x.itemsize), subok=True
            )
        return as_strided(x, (*x.shape[:2], *self.kernel, *self.out), (*x.strides[:2], *within, *between), subok=True)

    def columns(self, x: Array, groups: int) -> Array:
        """The windows of a padded array next to each other: (N, groups, C / groups * kernel, run)."""
        return self.windows(x, True).reshape(len(x), groups, -1, self.run)

    def spread(self, g: Array, groups: int) -> Array:
        """One number for each window as rows over the grid, with zeros for the windows that were dropped."""
        if self.by_rows:
            out = np.zeros_like(g, shape=(*g.shape[:2], *self.grid), order="C")
            out[self.kept] = g
            g = out
        return g.reshape(len(g), groups, g.shape[1] // groups, -1)[..., : self.run]

    def parts(self, count: int, channels: int, itemsize: int) -> Iterator[slice]:
        """Slices of so many images that their columns fit into the cache."""
        size = max(1, _CACHE_BYTES // max(1, channels * math.prod(self.kernel) * self.run * itemsize))
        return (slice(start, start + size) for start in range(0, count, size))

    def places(self) -> Iterator[Any]:
        """The index of each element of a window, in a view by `windows`."""
        return ((slice(None), slice(None), *place) for place in itertools.product(*map(range, self.kernel)))


geometry = functools.lru_cache(maxsize=512)(Geometry)


# Convolution


@primitive(
    lambda g, y, x, w, **how: convolve_transposed(g, w, lengths=x.shape[2:], **how),
    lambda g, y, x, w, **how: convolve_weight(x, g, kernel=w.shape[2:], **how),
    kind="contraction",
    cost=lambda args, y, how: 2 * y.size * math.prod(args[1].shape[1:]),
)
def convolve(x: Array, w: Array, /, *, stride: Lengths, padding: Padding, dilation: Lengths, groups: int) -> Array:
    """Cross-correlation: at each place the sum of the products of a window of `x` and a filter.

    Parameters
    ----------
    x : array of shape ``(N, C, *lengths)``
    w : array of shape ``(O, C / groups, *kernel)``
        Filters. With several groups, each group of filters sees its own part of the channels.
    stride, dilation : tuple of int
    padding : tuple of (int, int)
    groups : int

    Returns
    -------
    array of shape ``(N, O, *out)``
    """
    where = geometry(x.shape[2:], w.shape[2:], stride, padding, dilation)
    x, filters = where.pad(x), w.reshape(groups, len(w) // groups, -1)
    shape = (len(x), *filters.shape[:2], math.prod(where.grid))
    out = np.empty_like(x, np.result_type(x, w), shape=shape, order="C")
    for part in where.parts(len(x), x.shape[1], x.itemsize):
        np.matmul(filters, where.columns(x[part], groups), out=out[part, ..., : where.run])
    return out.reshape(len(x), len(w), *where.grid)[where.kept]


@primitive(
    lambda h, y, g, w, *, lengths, **how: convolve(h, w, **how),
    lambda h, y, g, w, *, lengths, **how: convolve_weight(h, g, kernel=w.shape[2:], **how),
    kind="contraction",
    cost=lambda args, y, how: 2 * args[0].size * math.prod(args[1].shape[1:]),
)
def convolve_transposed(
    g: Array, w: Array, /, *, lengths: Lengths, stride: Lengths, padding: Padding, dilation: Lengths, groups: int
) -> Array:
    """The transpose of `convolve` in its first operand: every number of `g` times a filter, added up where it lies.

    Parameters
    ----------
    g : array of shape ``(N, O, *out)``
    w : array of shape ``(O, C / groups, *kernel)``
    lengths : tuple of int
        Of the axes of the result, whose windows `g` belongs to.
    stride, dilation : tuple of int
    padding : tuple of (int, int)
    groups : int

    Returns
    -------
    array of shape ``(N, C, *lengths)``
    """
    where = geometry(lengths, w.shape[2:], stride, padding, dilation)
    if where.out != g.shape[2:]:
        raise ShapeError(f"there are {where.out} windows in axes of lengths {lengths}, and numbers for {g.shape[2:]}")
    filters = w.reshape(groups, len(w) // groups, -1).swapaxes(-1, -2)
    channels = w.shape[1] * groups
    out = np.zeros_like(g, np.result_type(g, w), shape=(len(g), channels, *where.padded), order="C")
    for part in where.parts(len(g), channels, g.itemsize):
        windows = where.windows(out[part], True)
        columns = np.matmul(filters, where.spread(g[part], groups)).reshape(windows.shape)
        for place in where.places():
            windows[place] += columns[place]
    return out[where.inside]


@primitive(
    lambda h, y, x, g, *, kernel, **how: convolve_transposed(g, h, lengths=x.shape[2:], **how),
    lambda h, y, x, g, *, kernel, **how: convolve(x, h, **how),
    kind="contraction",
    cost=lambda args, y, how: 2 * args[1].size * math.prod(y.shape[1:]),
)
def convolve_weight(
    x: Array, g: Array, /, *, kernel: Lengths, stride: Lengths, padding: Padding, dilation: Lengths, groups: int
) -> Array:
    """The transpose of `convolve` in its second operand: the windows of `x`, weighted by `g`, added up.

    Parameters
    ----------
    x : array of shape ``(N, C, *lengths)``
    g : array of shape ``(N, O, *out)``
    kernel, stride, dilation : tuple of int
    padding : tuple of (int, int)
    groups : int

    Returns
    -------
    array of shape ``(O, C / groups, *kernel)``
    """
    where = geometry(x.shape[2:], kernel, stride, padding, dilation)
    x = where.pad(x)
    filters, channels = g.shape[1], x.shape[1] // groups
    shape = (groups, filters // groups, channels * math.prod(kernel))
    out = np.zeros_like(x, np.result_type(x, g), shape=shape, order="C")
    for part in where.parts(len(x), x.shape[1], x.itemsize):
        columns = where.columns(x[part], groups).swapaxes(-1, -2)
        out += np.add.reduce(np.matmul(where.spread(g[part], groups), columns), axis=0)
    return out.reshape(filters, channels, *kernel)


# Windows as they are


@primitive(lambda g, y, x, *, kernel, **how: fold(g, lengths=x.shape[2:], **how), kind="movement", cost=0)
def unfold(x: Array, /, *, kernel: Lengths, stride: Lengths, padding: Padding, dilation: Lengths) -> Array:
    """A copy of all windows: of shape (N, C, *kernel, *out)."""
    where = geometry(x.shape[2:], kernel, stride, padding, dilation)
    return where.windows(where.pad(x)).copy()


@primitive(
    lambda h, y, g, *, lengths, **how: unfold(h, kernel=g.shape[2 : 2 + len(lengths)], **how), linear=True, cost=1
)
def fold(g: Array, /, *, lengths: Lengths, stride: Lengths, padding: Padding, dilation: Lengths) -> Array:
    """The transpose of `unfold`: windows added up where they lie, to an array of shape (N, C, *lengths)."""
    where = geometry(lengths, g.shape[2 : 2 + len(lengths)], stride, padding, dilation)
    out = where.zeros(g)
    windows = where.windows(out)
    for place in where.places():
        windows[place] += g[place]
    return out[where.inside]


# The maximum of each window.  Of equal elements the first is taken, as in PyTorch, and NaN is larger than any number.


def _with_bottom(x: Array, where: Geometry) -> Array:
    """The windows of an array whose padding is less than any number."""
    return where.windows(where.pad(x, _bottom(x)))


def _bottom(x: Array) -> float:
    return -np.inf if x.dtype.kind == "f" else int(np.iinfo(x.dtype).min)


def _finder(x: Array, top: Array, where: Geometry) -> Callable[[Any], Array]:
    """A function of a place in the windows: in which of them the element there is their largest, `top`."""
    windows = _with_bottom(x, where)
    if not top.size or top.min() > _bottom(x):
        return lambda place: windows[place] == top
    # There is NaN, which does not equal itself, or an element as small as the padding, which must not be found.
    inside = where.windows(where.pad(np.ones(x.shape, bool)))
    return lambda place: inside[place] & ((windows[place] == top) | (windows[place] != windows[place]))


@primitive(lambda g, y, x, **how: to_largest(g, x, y, **how), kind="reduction", cost=costs.by_kernel)
def max_pool(x: Array, /, *, kernel: Lengths, stride: Lengths, padding: Padding, dilation: Lengths) -> Array:
    """The largest element of each window; padding does not count."""
    where = geometry(x.shape[2:], kernel, stride, padding, dilation)
    windows = _with_bottom(x, where)
    first, *others = where.places()
    y = windows[first].copy()
    for place in others:
        np.maximum(y, windows[place], out=y)
    return y


# The derivative of `max_pool` and its transpose: both take the array `x` whose windows they look at and the largest
# elements `y`, and neither depends on them, but at their kinks.


@primitive(lambda h, y, g, x, top, **how: at_largest(h, x, top, **how), None, None, kind="indexing", cost=0)
def to_largest(
    g: Array, x: Array, top: Array, /, *, kernel: Lengths, stride: Lengths, padding: Padding, dilation: Lengths
) -> Array:
    """A number for each window of `x`, added up where the window's largest element, `top`, is."""
    where = geometry(x.shape[2:], kernel, stride, padding, dilation)
    found, out = _finder(x, top, where), where.zeros(g)
    target = where.windows(out)
    for place in where.places():
        here = found(place)
        target[place] += selected(g, here)
        g = selected(g, ~here)
    return out[where.inside]


@primitive(lambda g, y, h, x, top, **how: to_largest(g, x, top, **how), None, None, kind="indexing", cost=0)
def at_largest(
    h: Array, x: Array, top: Array, /, *, kernel: Lengths, stride: Lengths, padding: Padding, dilation: Lengths
) -> Array:
    """The elements of `h` that lie where the windows of `x` have their largest element, `top`."""
    where = geometry(x.shape[2:], kernel, stride, padding, dilation)
    found, source = _finder(x, top, where), where.windows(where.pad(h))
    out, missing = np.zeros_like(h, shape=top.shape, order="C"), np.ones_like(top, bool, order="C")
    for place in where.places():
        here = found(place) & missing
        out += selected(source[place], here)
        missing ^= here
    return out


@primitive(kind="reduction", cost=costs.by_kernel)
def which_largest(x: Array, /, *, kernel: Lengths, stride: Lengths, padding: Padding, dilation: Lengths) -> Array:
    """For each window the index of its largest element among all elements of its channel, without padding."""
    where = geometry(x.shape[2:], kernel, stride, padding, dilation)
    top = max_pool(x, kernel=kernel, stride=stride, padding=padding, dilation=dilation)
    found = _finder(x, top, where)
    own = np.arange(math.prod(where.lengths)).reshape(1, 1, *where.lengths)
    number = where.windows(where.pad(own, -1))
    out = np.full(top.shape, -1)
    for place in where.places():
        out = np.where((out < 0) & found(place), number[place], out)
    return out
