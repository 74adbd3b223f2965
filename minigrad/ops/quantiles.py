"""Medians, quantiles and percentiles: elements chosen by their place in the order, and mixtures of two of them.

For a fixed probability a quantile is linear in the elements that it is made of.  Which those are has no derivative and
is found out first; then they are taken, and equal ones share the gradient equally, whichever of them was meant.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from minigrad.core import Array, implements, numpy_keywords, primitive, traced
from minigrad.errors import ArgumentError, DTypeError, ShapeError, UnsupportedError
from minigrad.ops import costs
from minigrad.ops.arguments import checked, operand, value_of
from minigrad.ops.axes import Axis, several_axes
from minigrad.ops.elementwise import isnan, logical_not, where
from minigrad.ops.ignoring_nan import nanmean
from minigrad.ops.kept_zeros import zero_safe_product
from minigrad.ops.reductions import mean, sum
from minigrad.ops.shaping import astype, broadcast_to, concat, moveaxis, reshape
from minigrad.ops.statistics import fitted_weights, not_negative, warn

# Taking elements by their places


def _shared_gradient(g: Array, y: Array, x: Array) -> Array:
    """For each element that was taken, equal shares of its gradient for all that are equal to it."""
    total = np.zeros_like(x)
    for i in range(y.shape[-1]):
        one = y[..., i : i + 1]
        equal = (x == one) | ((x != x) & (one != one))
        total = total + np.where(equal, g[..., i : i + 1] / np.sum(equal, axis=-1, keepdims=True), 0)
    return total


@primitive(lambda g, y, x, places: _shared_gradient(g, y, x), None, kind="indexing", cost=0)
def elements_at(x: Array, places: Array, /) -> Array:
    """Elements at these places along the last axis; those that are equal share the gradient equally."""
    return np.take_along_axis(x, places, axis=-1)


@primitive(cost=costs.sort)
def places_of_ranks(x: Array, ranks: Array, /) -> Array:
    """Where along the last axis the elements lie that would have these ranks (from 0) if it were sorted.

    If there is NaN, which has the highest rank, it stands for every rank.
    """
    ranks, last = ranks.astype(np.intp), x.shape[-1] - 1
    order = np.argpartition(x, [*np.unique(ranks), last], axis=-1)
    return _spoilt(x, order, order[..., ranks])


@primitive(cost=costs.sort)
def places_of_own_ranks(x: Array, ranks: Array, /) -> Array:
    """The same with ranks that differ from slice to slice; NaN is an element like others."""
    return np.take_along_axis(np.argsort(x, axis=-1), ranks.astype(np.intp), axis=-1)


@primitive(cost=1)
def places_by_weights(x: Array, weights: Array, q: Array, /, *, ignoring: bool) -> Array:
    """Where along the last axis the distribution function of weighted elements reaches the probabilities `q`.

    If there is NaN it stands for every place, unless NaN, which then has no weight, is to be ignored.
    """
    order = np.argsort(x, axis=-1)
    rising = np.cumsum(np.take_along_axis(weights, order, axis=-1), axis=-1, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        rising /= rising[..., -1:]
    if np.isnan(rising).any():
        raise ArgumentError("quantile: the weights of a slice are all 0, or include NaN or inf")
    rising = rising.astype(q.dtype if q.dtype.kind == "f" else float)
    rising = np.where(rising == 0, -1, rising)  # the least element is the first that has a weight
    ranks = np.empty((*x.shape[:-1], q.size), np.intp)
    for place in np.ndindex(*x.shape[:-1]):
        ranks[place] = np.searchsorted(rising[place], q)
    places = np.take_along_axis(order, np.minimum(ranks, x.shape[-1] - 1), axis=-1)
    return places if ignoring else _spoilt(x, order, places)


def _spoilt(x: np.ndarray, order: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The places, or that of NaN in slices that have any: in their order it comes last."""
    last = order[..., -1:]
    return np.where(np.isnan(np.take_along_axis(x, last, axis=-1)), last, places)


# The methods: between which ranks the quantile of `n` sorted elements lies, and how far on the way.  The numbers are
# those of Hyndman and Fan, "Sample quantiles in statistical packages", The American Statistician 50 (1996), 361-365.

Ranks: TypeAlias = tuple[Any, Any, Any]


def _between(place: Any) -> Ranks:
    below = np.floor(place)
    return below, below + 1, place - below


def _continuous(alpha: float, beta: float) -> Callable[[Any, Any], Ranks]:
    return lambda n, q: _between(n * q + (alpha + q * (1 - alpha - beta)) - 1)


def _exactly(rank: Any) -> Ranks:
    return rank, rank, None


def _averaged_inverted_cdf(n: Any, q: Any) -> Ranks:
    below, above, part = _between(n * q - 1)
    return below, above, (1 + np.ceil(part)) / 2


def _closest_observation(n: Any, q: Any) -> Ranks:
    below, above, part = _between(n * q - 1.5)
    return _exactly(np.where((part == 0) & (below % 2 == 1), below, above))


def _midpoint(n: Any, q: Any) -> Ranks:
    below, above, part = _between((n - 1) * q)
    return below, above, np.ceil(part) / 2


METHODS: dict[str, Callable[[Any, Any], Ranks]] = {
    "inverted_cdf": lambda n, q: _exactly(np.ceil(n * q) - 1),
    "averaged_inverted_cdf": _averaged_inverted_cdf,
    "closest_observation": _closest_observation,
    "interpolated_inverted_cdf": _continuous(0, 1),
    "hazen": _continuous(0.5, 0.5),
    "weibull": _continuous(0, 0),
    "linear": lambda n, q: _between((n - 1) * q),
    "median_unbiased": _continuous(1 / 3, 1 / 3),
    "normal_unbiased": _continuous(3 / 8, 3 / 8),
    "lower": lambda n, q: _exactly(np.floor((n - 1) * q)),
    "higher": lambda n, q: _exactly(np.ceil((n - 1) * q)),
    "midpoint": _midpoint,
    "nearest": lambda n, q: _exactly(np.round((n - 1) * q)),
}


# Arrangement: the axes to go become one, the last


def _gathered(a: Array, axes: tuple[int, ...]) -> Array:
    rest = tuple(n for i, n in enumerate(a.shape) if i not in axes)
    last = math.prod(a.shape[i] for i in axes)
    return reshape(moveaxis(a, axes, tuple(range(-len(axes), 0))), (*rest, last))


def _kept(shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> tuple[int, ...]:
    return tuple(1 if i in axes else n for i, n in enumerate(shape) if keepdims or i not in axes)


def _numbers(x: Array) -> Array:
    """How many elements along the last axis, which stays with length 1, are not NaN."""
    return sum(logical_not(isnan(x)), axis=-1, keepdims=True)


def _without_gradient_of_nothing(x: Array, result: Array) -> Array:
    """The result, and a constant NaN where the last axis of `x` held nothing else."""
    nothing = _numbers(x) == 0
    if traced(x):
        return where(nothing, np.nan, result)
    if not np.any(value_of(nothing)):
        return result
    warn("All-NaN slice encountered")
    return where(nothing, np.nan, result)


def _probabilities(name: str, q: np.ndarray) -> None:
    if not np.all((q >= 0) & (q <= 1)):
        raise ArgumentError(f"{name}: probabilities must lie between 0 and 1 (percentages between 0 and 100)")


def _quantile(
    a: Any, q: Any, axis: Axis, method: str, keepdims: bool, weights: Any, name: str, ignoring: bool = False
) -> Array:
    """Quantiles; if `ignoring`, of the elements that are not NaN."""
    a, number, q = operand(a, name), q.__class__ in (int, float), operand(q, name)
    axes = several_axes(axis, a.ndim, name)
    if a.dtype.kind == "c":
        raise DTypeError(f"{name} of {a.dtype}: complex numbers have no order that quantiles could be made of")
    if q.ndim > 2:
        raise ShapeError(f"{name}: probabilities of shape {q.shape} have more than two axes")
    q = checked(q, partial(_probabilities, name))
    if method not in METHODS:
        raise UnsupportedError(f"{name} has no method {method!r}; there are: {', '.join(METHODS)}")
    if weights is not None and method != "inverted_cdf":
        raise UnsupportedError(f"{name}: weights are for the method 'inverted_cdf', and there are none for {method!r}")
    if a.size == 0 and ignoring:
        return nanmean(a, axis, keepdims=keepdims)
    x, probabilities = _gathered(a, axes), reshape(q, -1)
    if x.shape[-1] == 0:
        raise ShapeError(f"{name} of shape {a.shape}, axis={axis}: there are no elements to choose from")
    if weights is not None:
        given = None if axis is None else axes
        result = _weighted(x, _gathered(_positive(weights, a.shape, given, name), axes), probabilities, ignoring)
    else:
        n = astype(_numbers(x), probabilities.dtype) if ignoring else x.shape[-1]
        result = _mixed(x, n, probabilities, method, x.dtype if number and x.dtype.kind == "f" else None)
    if ignoring:
        result = _without_gradient_of_nothing(x, result)
    return reshape(moveaxis(result, -1, 0), q.shape + _kept(a.shape, axes, keepdims))


def _mixed(x: Array, n: Any, q: Array, method: str, dtype: Any) -> Array:
    """Quantiles along the last axis of `x`, of which `n` elements (everywhere, or in each slice) are numbers."""
    if method == "linear" and q.dtype.kind in "iu":
        method = "lower"  # a minimum or maximum: nothing to mix, and integers stay integers
    below, above, part = METHODS[method](n, q)
    ranks = np.clip(below if part is None else concat([below, above], axis=-1), 0, np.maximum(n - 1, 0))
    found = elements_at(x, places_of_ranks(x, ranks) if isinstance(n, int) else places_of_own_ranks(x, ranks))
    if part is None:
        return found
    lower, upper = found[..., : q.shape[0]], found[..., q.shape[0] :]
    part = part if dtype is None else astype(part, dtype)
    with np.errstate(invalid="ignore"):  # an infinite neighbour is not needed where its part is 0
        return lower + zero_safe_product(part, upper - lower)


def _positive(weights: Any, shape: tuple[int, ...], axes: tuple[int, ...] | None, name: str) -> Array:
    weights = fitted_weights(weights, shape, axes, name)
    return broadcast_to(checked(weights, partial(not_negative, f"{name}: weights")), shape)


def _weighted(x: Array, weights: Array, q: Array, ignoring: bool) -> Array:
    if ignoring:
        weights = where(_numbers(x) == 0, 1, where(isnan(x), 0, weights))
    return elements_at(x, places_by_weights(x, weights, q, ignoring=ignoring))


@implements(np.quantile)
@numpy_keywords
def quantile(
    a: Array, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False, weights: Any = None,
    overwrite_input: bool = False,
) -> Array:  # fmt: skip
    """Quantiles over one axis, several, or all: the numbers below which given parts of the elements lie.

    Parameters
    ----------
    a : array
        Real numbers.
    q : array
        Probabilities from 0 to 1, of at most two axes.  The methods that are continuous have a derivative with respect
        to them too; where the quantile is an element, it is that from the right.
    axis : int, tuple of int or None
    method : str
        One of NumPy's thirteen: "linear" or another of `numpy.quantile`.
    keepdims : bool
        Leave the reduced axes with length 1.
    weights : array, optional
        For the method "inverted_cdf": how much each element counts.  They have no derivative.
    overwrite_input : bool
        For NumPy's sake: nothing is overwritten.

    Returns
    -------
    array
        Of the shape of `q`, followed by what is left of that of `a`.  A slice with NaN has NaN.  Elements that are
        equal share the gradient equally.

    Raises
    ------
    ArgumentError
        If a probability does not lie between 0 and 1, or if weights are negative.
    DTypeError
        For complex numbers.
    ShapeError
        If there are no elements, or if weights do not fit.
    UnsupportedError
        If there is no such method, or if it takes no weights.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor([4.0, 1.0, 3.0], requires_grad=True)
    >>> y = mg.quantile(x, 0.75)
    >>> y.backward()
    >>> float(y.detach()), x.grad
    (3.5, tensor([0.5, 0. , 0.5]))
    """
    return _quantile(a, q, axis, method, keepdims, weights, "quantile")


@implements(np.percentile)
@numpy_keywords
def percentile(
    a: Array, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False, weights: Any = None,
    overwrite_input: bool = False,
) -> Array:  # fmt: skip
    """Quantiles for percentages instead of probabilities.

    Parameters
    ----------
    a, axis, method, keepdims, weights, overwrite_input
        As for `quantile`.
    q : array
        Percentages from 0 to 100.

    Returns
    -------
    array
        As of `quantile`.

    Raises
    ------
    ArgumentError, DTypeError, ShapeError, UnsupportedError
        As by `quantile`.

    Examples
    --------
    >>> import minigrad as mg
    >>> float(mg.percentile([1.0, 2.0, 3.0, 4.0], 50))
    2.5
    """
    return _quantile(a, _part(q, "percentile"), axis, method, keepdims, weights, "percentile")


def _part(percentage: Any, name: str) -> Any:
    return percentage / 100 if percentage.__class__ in (int, float) else operand(percentage, name) / 100


@implements(np.nanquantile)
def nanquantile(
    a: Array, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False, weights: Any = None,
    overwrite_input: bool = False,
) -> Array:  # fmt: skip
    """Quantiles of the elements that are not NaN; of none NaN, with a RuntimeWarning and the gradient 0."""
    return _quantile(a, q, axis, method, keepdims, weights, "nanquantile", ignoring=True)


@implements(np.nanpercentile)
def nanpercentile(
    a: Array, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False, weights: Any = None,
    overwrite_input: bool = False,
) -> Array:  # fmt: skip
    """Quantiles, for percentages, of the elements that are not NaN; of none NaN, as `nanquantile`."""
    return _quantile(a, _part(q, "nanpercentile"), axis, method, keepdims, weights, "nanpercentile", ignoring=True)


# The median has its own way: it is defined for complex numbers, and of infinities it is a mean


@implements(np.median)
@numpy_keywords
def median(a: Array, axis: Axis = None, *, keepdims: bool = False, overwrite_input: bool = False) -> Array:
    """Median over one axis, several, or all: the element in the middle of the order, or the mean of the two there.

    Parameters
    ----------
    a : array
        Complex numbers are ordered by their real parts, then by their imaginary parts.
    axis : int, tuple of int or None
    keepdims : bool
        Leave the reduced axes with length 1.
    overwrite_input : bool
        For NumPy's sake: nothing is overwritten.

    Returns
    -------
    array
        A slice with NaN has NaN, and so has (with a RuntimeWarning) one without elements.  Elements that are equal
        share the gradient equally.

    Raises
    ------
    AxisError
        If the array does not have the axis.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor([5.0, 1.0, 2.0, 8.0], requires_grad=True)
    >>> mg.median(x).backward()
    >>> x.grad
    tensor([0.5, 0. , 0.5, 0. ])
    """
    a = operand(a, "median")
    axes = several_axes(axis, a.ndim, "median")
    x = _gathered(a, axes)
    n = x.shape[-1]
    if n == 0:
        return mean(a, axis, keepdims=keepdims)
    middle = elements_at(x, places_of_ranks(x, np.array([(n - 1) // 2, n // 2])))
    return reshape(mean(middle, -1), _kept(a.shape, axes, keepdims))


@implements(np.nanmedian)
def nanmedian(a: Array, axis: Axis = None, *, keepdims: bool = False, overwrite_input: bool = False) -> Array:
    """Median of the elements that are not NaN; of none NaN, with a RuntimeWarning and the gradient 0."""
    a = operand(a, "nanmedian")
    axes = several_axes(axis, a.ndim, "nanmedian")
    if a.size == 0:
        return nanmean(a, axis, keepdims=keepdims)
    x = _gathered(a, axes)
    n = _numbers(x)
    ranks = concat([np.maximum(n - 1, 0) // 2, n // 2], axis=-1)
    result = mean(elements_at(x, places_of_own_ranks(x, ranks)), -1, keepdims=True)
    return reshape(_without_gradient_of_nothing(x, result), _kept(a.shape, axes, keepdims))
