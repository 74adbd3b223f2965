"""In JAX: reductions, cumulative functions, quantiles, NumPy's functions without derivative, and checks."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, nn

from minigrad.errors.exporting import no_counterpart
from minigrad.export.for_jax.activations import ACTIVATIONS
from minigrad.export.for_jax.operands import alike, constant, floating
from minigrad.ops.describing import filled


def _reduction(reduce: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy's reductions of a single number take the axes 0 and -1, though it has none."""

    def call(x: Any, *, axis: Any, **params: Any) -> Any:
        return reduce(x, axis=axis if jnp.ndim(x) else None, **params)

    return call


def _count(x: Any, axis: Any) -> int:
    axes = range(x.ndim) if axis is None or not x.ndim else np.atleast_1d(np.asarray(axis, int))
    return math.prod(x.shape[a] for a in axes)


# Moments


def _centred(x: Any, where: Any, *, axis: Any) -> Any:
    """Of equal numbers the deviations are exactly 0, but the derivative is that of any mean."""
    axis = axis if x.ndim else None
    where = jnp.broadcast_to(where, x.shape)
    x = jnp.where(where, x, 0)
    mean = jnp.sum(x, axis, keepdims=True) / jnp.maximum(jnp.sum(where, axis, keepdims=True), 1)
    kept = {"axis": axis, "keepdims": True, "where": where}
    largest, least = jnp.max(x, initial=-jnp.inf, **kept), jnp.min(x, initial=jnp.inf, **kept)
    rounding = lax.stop_gradient(jnp.where(largest == least, largest - mean, 0))
    return jnp.where(where, x - (mean + rounding), 0)


def _squares(x: Any, axis: Any, correction: float) -> tuple[Any, Any]:
    """The sums of squared deviations, and the degrees of freedom, which are none rather than negative."""
    deviations = x - jnp.mean(x, axis, keepdims=True)
    degrees = jnp.asarray(max(_count(x, axis) - correction, 0), deviations.real.dtype)
    return jnp.sum((deviations * deviations.conj()).real, axis, keepdims=True), degrees


def _var(x: Any, *, axis: Any, correction: float, keepdims: bool) -> Any:
    x = floating(x)
    axis = axis if x.ndim else None
    total, degrees = _squares(x, axis, correction)
    return total / degrees if keepdims else jnp.squeeze(total / degrees, axis)


def _std(x: Any, *, axis: Any, correction: float, keepdims: bool) -> Any:
    """Of equal numbers the derivative is 0; squares of large and of small numbers are those of their ratios."""
    x = floating(x)
    axis = axis if x.ndim else None
    size = lax.stop_gradient(jnp.max(jnp.abs(x), axis, keepdims=True, initial=0))
    size = jnp.where((size > 0) & (size < jnp.inf), size, 1)
    total, degrees = _squares(x / size, axis, correction)
    flat = jnp.all(x == jnp.max(x, axis, keepdims=True), axis, keepdims=True) if x.size else total == 0
    root = jnp.where(flat, 0 / degrees, jnp.sqrt(jnp.where(flat, 1, total) / degrees)) * size
    return root if keepdims else jnp.squeeze(root, axis)


# Logarithms of sums of exponentials


def _logsumexp(x: Any, *, axis: Any, keepdims: bool) -> Any:
    """Where there is nothing but -inf the derivative is 0."""
    x = floating(x)
    axis = axis if x.ndim else None
    top = lax.stop_gradient(jnp.max(x, axis, keepdims=True, initial=None if x.size else -jnp.inf))
    top = jnp.where(jnp.isinf(top), 0, top)
    total = jnp.sum(jnp.exp(x - top), axis, keepdims=True)
    value = jnp.where(total == 0, -jnp.inf, jnp.log(jnp.where(total == 0, 1, total))) + top
    return value if keepdims else jnp.squeeze(value, axis)


def _over_axis(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(x: Any, *, axis: Any) -> Any:
        x = floating(x)
        return function(x, axis) if x.ndim else jnp.reshape(function(jnp.reshape(x, 1), 0), ())

    return call


# Cumulative functions


def _cumulative(function: Callable[..., Any], exact: Callable[..., Any], first: int) -> Callable[..., Any]:
    def call(x: Any, *, axis: Any, dtype: Any, include_initial: bool) -> Any:
        axis = 0 if axis is None else axis
        value = function(x, axis=axis, dtype=exact(np.empty(0, x.dtype), dtype=dtype).dtype)
        if not include_initial:
            return value
        head = [1 if i == axis % value.ndim else n for i, n in enumerate(value.shape)]
        return jnp.concatenate([jnp.full(head, first, value.dtype), value], axis)

    return call


def _recurrence(a: Any, b: Any, *, axis: int) -> Any:
    product = ACTIVATIONS["zero_safe_multiply"]

    def step(before: Any, row: Any) -> Any:
        now = row[1] + product(before, row[0])
        return now, now

    if not b.size:
        return b
    a, b = jnp.moveaxis(a, axis, 0), jnp.moveaxis(b, axis, 0)
    return jnp.moveaxis(lax.scan(step, jnp.zeros_like(b[0]), (a, b))[1], 0, axis)


def _places_of_extremes(x: Any, *, axis: int, largest: bool) -> Any:
    extremes = (lax.cummax if largest else lax.cummin)(x, axis)
    places = jnp.reshape(jnp.arange(x.shape[axis]), [-1 if i == axis else 1 for i in range(x.ndim)])
    return lax.cummax(jnp.where((x == extremes) | (x != x), places, 0), axis)


# Without NaN


def _of_numbers(reduce: Callable[..., Any], neutral: float) -> Callable[..., Any]:
    def call(x: Any, mask: Any, *, axis: Any, keepdims: bool, initial: Any) -> Any:
        axis = axis if jnp.ndim(x) else None
        there = ~jnp.isnan(x) & mask
        if x.dtype.kind != "f":
            return reduce(x, axis, keepdims=keepdims, initial=initial, where=None if mask is True else mask)
        value = reduce(jnp.where(there, x, neutral), axis, keepdims=keepdims, initial=initial)
        return value if initial is not None else jnp.where(jnp.any(there, axis, keepdims=keepdims), value, jnp.nan)

    return call


# Quantiles


@jax.custom_jvp
def _elements_at(x: Any, places: Any) -> Any:
    return jnp.take_along_axis(x, places, axis=-1)


@_elements_at.defjvp
def _(operands: Any, tangents: Any) -> Any:
    """Elements that are equal share the gradient equally."""
    y = _elements_at(*operands)
    x, one = operands[0][..., None, :], y[..., None]
    equal = (x == one) | ((x != x) & (one != one))
    shares = jnp.where(equal, tangents[0][..., None, :], 0)
    return y, jnp.sum(shares, axis=-1) / jnp.sum(equal, axis=-1)


def _places_of_ranks(x: Any, ranks: Any) -> Any:
    order = jnp.argsort(x, axis=-1)
    return _spoilt(x, order, order[..., jnp.asarray(ranks).astype(int)])


def _places_of_own_ranks(x: Any, ranks: Any) -> Any:
    return jnp.take_along_axis(jnp.argsort(x, axis=-1), ranks.astype(int), axis=-1)


def _places_by_weights(x: Any, weights: Any, q: Any, *, ignoring: bool) -> Any:
    order = jnp.argsort(x, axis=-1)
    rising = jnp.cumsum(jnp.take_along_axis(weights, order, axis=-1).astype(float), axis=-1)
    rising = (rising / rising[..., -1:]).astype(floating(q).dtype)
    rising = jnp.where(rising == 0, -1, rising)  # the least element is the first that has a weight
    ranks = jnp.sum(rising[..., None] < q, axis=-2)
    places = jnp.take_along_axis(order, jnp.minimum(ranks, x.shape[-1] - 1), axis=-1)
    return places if ignoring else _spoilt(x, order, places)


def _spoilt(x: Any, order: Any, places: Any) -> Any:
    """The places, or that of NaN in slices that have any: in their order it comes last."""
    last = order[..., -1:]
    return jnp.where(jnp.isnan(jnp.take_along_axis(x, last, axis=-1)), last, places)


# Norms of gradients: two numbers, whose product is the norm


def _norm_parts(*arrays: Any, names: Sequence[str], order: float, error_if_nonfinite: bool) -> Any:
    sizes = jnp.concatenate([jnp.zeros(0), *[jnp.abs(jnp.ravel(x)) for x in arrays]])
    if order == 0 or not sizes.size:
        return jnp.stack([jnp.ones(()), jnp.sum(sizes != 0).astype(sizes.dtype)])
    scale = jnp.max(sizes) if order > 0 else jnp.min(sizes)
    whole = (scale == 0) | jnp.isinf(scale) | math.isinf(order)
    norm = jnp.sum((sizes / jnp.where(whole, 1, scale)) ** order) ** (1 / order)
    return jnp.stack([scale, jnp.where(whole, 1, norm)])


def _clipping_factor(parts: Any, max_norm: float) -> Any:
    total = parts[0] * parts[1]
    too_large = jnp.isinf(total) & jnp.isfinite(parts[0])  # though the gradients are finite
    return jnp.where(too_large, max_norm / parts[0] / parts[1], max_norm / (total + 1e-6))


def _rectification(now: Any, end: Any, correction: Any) -> Any:
    ratio = (now - 4) * (now - 2) * end / ((end - 4) * (end - 2) * now) * correction
    return jnp.where(now <= 5, 1.0, jnp.sqrt(ratio))


# NumPy's functions that are no operations of ours


def _numpy_call(*operands: Any, function: Any, name: str, form: Any, part: int | None) -> Any:
    args, kwargs = filled(form, iter(operands))
    ufunc, method = getattr(function, "__self__", None), function.__name__
    place = getattr(jnp, ufunc.__name__, None) if isinstance(ufunc, np.ufunc) else jnp
    counterpart = getattr(place, method, None)
    if isinstance(ufunc, np.ufunc) and method == "outer":  # which few of JAX's have
        args, counterpart = (jnp.reshape(args[0], jnp.shape(args[0]) + (1,) * jnp.ndim(args[1])), args[1]), place
    if counterpart is None:
        raise no_counterpart("JAX", name, None)
    if method == "reduce" and not jnp.ndim(args[0]):
        args, kwargs = args[:1], {**kwargs, "axis": None}
    if method == "ravel_multi_index":
        kwargs.setdefault("mode", "clip")  # JAX cannot raise
    value = counterpart(*args, **kwargs)
    return value if part is None else value[part]


_PLAIN: dict[str, Callable[..., Any]] = {
    "sum": jnp.sum, "mean": jnp.mean, "max": jnp.max, "min": jnp.min, "prod": jnp.prod,
    "argmax": jnp.argmax, "argmin": jnp.argmin, "nanargmax": jnp.nanargmax, "nanargmin": jnp.nanargmin,
    "any": jnp.any, "all": jnp.all, "count_nonzero": jnp.count_nonzero,
}  # fmt: skip

REDUCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _reduction(function) for name, function in _PLAIN.items()},
    "centred": _centred, "var": _var, "std": _std,
    "nanmax": _of_numbers(jnp.max, -math.inf), "nanmin": _of_numbers(jnp.min, math.inf),
    "logsumexp": _logsumexp, "softmax": _over_axis(nn.softmax), "log_softmax": _over_axis(nn.log_softmax),
    "cumulative_sum": _cumulative(jnp.cumsum, np.cumsum, 0),
    "cumulative_prod": _cumulative(jnp.cumprod, np.cumprod, 1),
    "logcumsumexp": lambda x, *, axis: lax.cumlogsumexp(floating(x), axis),
    "recurrence": _recurrence, "places_of_extremes": constant(_places_of_extremes),
    # Signals and samples
    "unwrap": lambda p, *, discont, axis, period: jnp.unwrap(p, discont, axis, period),
    "piece_of": constant(
        lambda x, xp: jnp.clip(jnp.searchsorted(xp, x, side="right") - 1, 0, max(xp.shape[0] - 2, 0))
    ),
    "convolve_signals": alike(
        lambda a, v, *, full: jnp.convolve(a, v, "full" if full else "valid", precision="highest")
    ),
    "elements_at": _elements_at, "places_of_ranks": constant(_places_of_ranks),
    "places_of_own_ranks": constant(_places_of_own_ranks), "places_by_weights": constant(_places_by_weights),
    "numpy_call": constant(_numpy_call),
    # What passes its operand on; checks of values cannot raise
    "checked": lambda x, *, test: x, "through_gate": lambda x, gate: x, "checkpoint": lambda x, *operands: (x, None),
    # Of optimizers
    "norm_parts": constant(_norm_parts), "total": constant(lambda parts: parts[0] * parts[1]),
    "clipping_factor": constant(_clipping_factor),
    "made_smaller": constant(lambda g, factor: jnp.where(factor >= 1, g, g * factor)),
    "rectification": constant(_rectification),
}  # fmt: skip
