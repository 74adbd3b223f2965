"""NumPy's ways to sort elements into bins and to count them.  Which bin it is has no derivative; weights have one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.core import Array, Handle, implements, primitive, unwrap
from minigrad.errors import ShapeError, UnsupportedError
from minigrad.ops import costs
from minigrad.ops.arguments import operand
from minigrad.ops.indexing import take
from minigrad.ops.reductions import sum
from minigrad.ops.shaping import astype, reshape


@primitive(cost=1)
def count_numbers(x: Array, /, *, minlength: int) -> Array:
    """How often each of the numbers 0, 1, ... occurs."""
    return np.bincount(x, minlength=minlength)


@primitive(None, lambda g, y, x, weights, *, minlength: take(g, x), cost=1)
def sum_by_number(x: Array, weights: Array, /, *, minlength: int) -> Array:
    """The sum of weights for each of the numbers 0, 1, ..."""
    return np.bincount(x, weights, minlength)


@implements(np.bincount)
def bincount(x: Array, /, weights: Any = None, minlength: int = 0) -> Array:
    """How often each of the numbers 0, 1, ... occurs, or the sum of the weights of its occurrences.

    Weights have a derivative.
    """
    if weights is None:
        return count_numbers(x, minlength=minlength)
    return sum_by_number(x, operand(weights, "bincount"), minlength=minlength)


# Histograms


@primitive(cost=2)
def _histogram_bin_edges(a: Array, /, *, bins: Any, range: Any) -> Array:
    """Edges of bins of the same width, or those that are given."""
    return np.histogram_bin_edges(a, bins, range)


@primitive(cost=costs.search)
def bin_of(x: Array, edges: Array, /) -> Array:
    """The number of the bin, from 1; 0 and one more than there are bins for what lies in none.

    A bin has its left edge, and the last one both.
    """
    return np.where(x == edges[-1], len(edges) - 1, np.searchsorted(edges, x, side="right"))


@implements(np.histogram_bin_edges)
def histogram_bin_edges(a: Array, bins: Any = 10, range: Any = None, weights: Any = None) -> Array:
    """Edges of the bins of a histogram; they have no derivative."""
    if isinstance(bins, str) and weights is not None:
        raise UnsupportedError(f"a histogram of weighted elements takes a number of bins or their edges, not {bins!r}")
    return _histogram_bin_edges(a, bins=unwrap(bins), range=unwrap(range))


def _is_number(bins: Any) -> bool:
    return np.ndim(unwrap(bins)) == 0 if isinstance(bins, Handle | np.ndarray) else not isinstance(bins, Sequence)


@implements(np.histogram)
def histogram(
    a: Array, bins: Any = 10, range: Any = None, density: bool = False, weights: Any = None
) -> tuple[Array, Array]:
    """The number of elements in each bin, or the sum of their weights, which have a derivative; and the bins' edges."""
    a = operand(a, "histogram")
    edges = histogram_bin_edges(a, bins, range, weights)
    counts, (edges,) = _counted([reshape(a, -1)], [edges], a.shape, density, weights, "histogram")
    return counts, edges


@implements(np.histogramdd)
def histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, density: bool = False, weights: Any = None
) -> tuple[Array, tuple[Array, ...]]:
    """A histogram of points, which are the rows of the sample; their weights have a derivative."""
    columns = _columns(sample)
    each = [bins] * len(columns) if _is_number(bins) else list(bins)
    limits = [None] * len(columns) if range is None else list(range)
    if not len(each) == len(limits) == len(columns):
        raise ShapeError(
            f"histogramdd of points with {len(columns)} coordinates takes bins and ranges for each of them, not "
            f"{len(each)} and {len(limits)}"
        )
    edges = [  # from given limits in float64, whatever the points are
        histogram_bin_edges(x if limit is None else astype(x, float), one, limit, weights)
        for x, one, limit in zip(columns, each, limits, strict=True)
    ]
    counts, edges = _counted(columns, edges, columns[0].shape, density, weights, "histogramdd")
    return astype(counts, float), tuple(edges)


def _columns(sample: Any) -> list[Array]:
    """The coordinates of points: of an array the columns, of a sequence the elements."""
    if not isinstance(sample, Handle | np.ndarray):
        return [operand(x, "histogramdd") for x in sample]
    points = operand(sample, "histogramdd")
    if points.ndim == 1:
        return [points]
    if points.ndim != 2:
        raise ShapeError(f"histogramdd takes points as the rows of a matrix, not of shape {points.shape}")
    return list(points.T)


@implements(np.histogram2d)
def histogram2d(
    x: Array, y: Array, bins: Any = 10, range: Any = None, density: bool = False, weights: Any = None
) -> tuple[Array, Array, Array]:
    """A histogram of points in the plane; their weights have a derivative."""
    x, y = operand(x, "histogram2d"), operand(y, "histogram2d")
    if x.shape != y.shape:
        raise ShapeError(f"histogram2d of shapes {x.shape} and {y.shape}: they must be as long")
    if not _is_number(bins) and len(bins) not in (1, 2):
        bins = [bins, bins]
    counts, (first, second) = histogramdd([x, y], bins, range, density, weights)
    return counts, first, second


def _counted(
    columns: list[Array], edges: list[Array], shape: tuple[int, ...], density: bool, weights: Any, name: str
) -> tuple[Array, list[Array]]:
    """Points counted in a grid of bins, of which there are two more on each axis until the end."""
    lengths = [e.shape[0] + 1 for e in edges]
    number: Any = 0
    for x, e, length in zip(columns, edges, lengths, strict=True):
        number = number * length + bin_of(x, e)
    size = int(np.prod(lengths))
    if weights is None:
        counts = count_numbers(number, minlength=size)
    else:
        weights = operand(weights, name)
        if weights.shape != shape:
            raise ShapeError(f"{name} of shape {shape} takes weights of the same shape, not {weights.shape}")
        counts = astype(sum_by_number(number, reshape(weights, -1), minlength=size), weights.dtype)
    counts = reshape(counts, tuple(lengths))[(slice(1, -1),) * len(lengths)]
    if density:
        counts = counts / sum(counts)
        for i, e in enumerate(edges):
            counts = counts / reshape(e[1:] - e[:-1], (-1,) + (1,) * (len(edges) - 1 - i))
    return counts, edges
