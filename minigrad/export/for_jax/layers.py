"""In JAX: windows that slide over axes, normalization, attention and losses."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from minigrad.export.for_jax.rules import with_slope_of
from minigrad.nn.pooling import bounds

Lengths = tuple[int, ...]

# Convolution: linear in each operand, so the two transposes of it are JAX's


def _convolve(x: Any, w: Any, *, stride: Lengths, padding: Any, dilation: Lengths, groups: int) -> Any:
    dtype = jnp.result_type(x, w)
    return lax.conv_general_dilated(
        jnp.asarray(x, dtype), jnp.asarray(w, dtype), stride, padding, rhs_dilation=dilation, feature_group_count=groups
    )


def _transposed(linear: Callable[[Any], Any], shape: Sequence[int], g: Any) -> Any:
    """The transpose of a linear function of an array of this shape, applied to `g`."""
    like: Any = jax.ShapeDtypeStruct(tuple(shape), g.dtype)  # type: ignore[no-untyped-call]  # which JAX has without
    return jax.linear_transpose(linear, like)(g)[0]


def _convolve_transposed(g: Any, w: Any, *, lengths: Lengths, groups: int, **how: Any) -> Any:
    dtype = jnp.result_type(g, w)
    g, w = jnp.asarray(g, dtype), jnp.asarray(w, dtype)
    shape = (g.shape[0], w.shape[1] * groups, *lengths)
    return _transposed(lambda x: _convolve(x, w, groups=groups, **how), shape, g)


def _convolve_weight(x: Any, g: Any, *, kernel: Lengths, groups: int, **how: Any) -> Any:
    dtype = jnp.result_type(x, g)
    x, g = jnp.asarray(x, dtype), jnp.asarray(g, dtype)
    shape = (g.shape[1], x.shape[1] // groups, *kernel)
    return _transposed(lambda w: _convolve(x, w, groups=groups, **how), shape, g)


# Windows: of shape (N, C, *kernel, *out)


def _windows(x: Any, value: Any, kernel: Lengths, stride: Lengths, padding: Any, dilation: Lengths) -> Any:
    """All windows, by indices that are known: of NumPy's arrays one of NumPy's."""
    own = np if isinstance(x, np.ndarray) else jnp
    x = own.pad(x, [(0, 0), (0, 0), *padding], constant_values=value)
    index: list[Any] = []
    axes = len(kernel)
    for i, (n, k, s, d) in enumerate(zip(x.shape[2:], kernel, stride, dilation, strict=True)):
        count = (n - d * (k - 1) - 1) // s + 1
        place = np.arange(k)[:, None] * d + np.arange(count) * s
        shape = [1] * (2 * axes)
        shape[i], shape[axes + i] = k, count
        index.append(place.reshape(shape))
    return x[(slice(None), slice(None), *index)]


def _unfold(x: Any, *, kernel: Lengths, stride: Lengths, padding: Any, dilation: Lengths) -> Any:
    return _windows(jnp.asarray(x), 0, kernel, stride, padding, dilation)


def _fold(g: Any, *, lengths: Lengths, **how: Any) -> Any:
    kernel = g.shape[2 : 2 + len(lengths)]
    return _transposed(lambda x: _unfold(x, kernel=kernel, **how), (*g.shape[:2], *lengths), jnp.asarray(g))


# Maxima of windows: of equal elements the first is taken, and NaN is larger than any number.  Where they are is found
# first, and all else reads or adds there.


def _which_largest(x: Any, *, kernel: Lengths, **how: Any) -> Any:
    x, lengths, size = lax.stop_gradient(jnp.asarray(x)), x.shape[2:], prod(kernel)
    number = _windows(np.arange(prod(lengths)).reshape(1, 1, *lengths), -1, kernel, **how)
    out = number.shape[2 + len(kernel) :]
    number = number.reshape(1, 1, size, *out)
    bottom = -jnp.inf if jnp.issubdtype(x.dtype, jnp.floating) else np.iinfo(x.dtype).min
    windows = _windows(x, bottom, kernel, **how).reshape(*x.shape[:2], size, *out)
    top = jnp.max(windows, axis=2, keepdims=True)
    found = jnp.argmax((number >= 0) & ((windows == top) | (windows != windows)), axis=2, keepdims=True)
    return jnp.take_along_axis(jnp.broadcast_to(number, windows.shape), found, axis=2)[:, :, 0]


def _taken(h: Any, which: Any) -> Any:
    flat = jnp.asarray(h).reshape(*h.shape[:2], prod(h.shape[2:]))
    found = jnp.take_along_axis(flat, which.reshape(*which.shape[:2], prod(which.shape[2:])), axis=2)
    return found.reshape(which.shape)


def _max_pool(x: Any, **how: Any) -> Any:
    return _taken(x, _which_largest(x, **how))


def _at_largest(h: Any, x: Any, top: Any, **how: Any) -> Any:
    return _taken(h, _which_largest(x, **how))


def _to_largest(g: Any, x: Any, top: Any, **how: Any) -> Any:
    return _transposed(lambda h: _taken(h, _which_largest(x, **how)), x.shape, jnp.asarray(g))


def _places_of_largest(x: Any, *, counts: Sequence[int]) -> Any:
    lengths = x.shape[2:]
    number = np.arange(prod(lengths)).reshape(lengths)
    parts = [bounds(n, count) for n, count in zip(lengths, counts, strict=True)]
    found = []
    for place in np.ndindex(*counts):
        window: Any = tuple(slice(*parts[axis][i]) for axis, i in enumerate(place))
        own = number[window].ravel()
        found.append(jnp.asarray(own)[x[(..., *window)].reshape(*x.shape[:2], own.size).argmax(axis=-1)])
    return jnp.stack(found, axis=-1).reshape(*x.shape[:2], *counts)


# Layers


def _linear(x: Any, weight: Any, bias: Any) -> Any:
    return jnp.matmul(x, jnp.transpose(weight)) + bias


def _standardized(x: Any, *, axes: Any, eps: float) -> Any:
    wide = jnp.asarray(x, jnp.promote_types(x.dtype, jnp.float32))
    y = wide - jnp.mean(wide, axis=axes, keepdims=True)
    return y / jnp.sqrt(jnp.mean(y * y, axis=axes, keepdims=True) + eps)


def _masked_softmax(scores: Any, mask: Any) -> Any:
    value = scores + mask
    blind = jnp.all(mask == -jnp.inf, axis=-1, keepdims=True)
    top = lax.stop_gradient(jnp.max(value, axis=-1, keepdims=True, initial=-jnp.inf))
    exponentials = jnp.exp(value - jnp.where(blind, 0, top))
    return exponentials / jnp.where(blind, 1, jnp.sum(exponentials, axis=-1, keepdims=True))


# Losses


def _row_losses(logits: Any, places: Any, share: Any) -> tuple[Any, Any]:
    """For each row the loss, and the probabilities."""
    top = lax.stop_gradient(jnp.max(logits, axis=-1, keepdims=True))
    top = jnp.where(top == -jnp.inf, 0, jnp.where(top == jnp.inf, jnp.nan, top))
    shifted = logits - top
    exponentials = jnp.exp(shifted)
    sums = jnp.sum(exponentials, axis=-1, keepdims=True)
    rows = jnp.log(sums).reshape(-1) - shifted.reshape(-1)[places]
    if jnp.ndim(share):
        share = jnp.asarray(share)[:, 0]
        rows = jnp.where(share != 0, rows, 0)  # not 0 * inf
    return rows * share, exponentials / sums


def _cross_entropy(logits: Any, places: Any, share: Any) -> tuple[Any, Any]:
    rows, saved = _row_losses(logits, places, share)
    return jnp.sum(rows), saved


def _softmax_cross_entropy(logits: Any, target: Any) -> Any:
    logarithms = jax.nn.log_softmax(logits, axis=-1)
    idle = (target == 0) & ~jnp.isfinite(logarithms)  # not 0 * -inf
    return -jnp.sum(target * jnp.where(idle, 0, logarithms), axis=-1)


def _less_one_hot(p: Any, places: Any) -> Any:
    return p.reshape(-1).at[places].add(-1).reshape(p.shape)


@jax.custom_jvp
def _bounded_log(x: Any) -> Any:
    """The logarithm, but not below -100; with the derivative of the logarithm everywhere."""
    return jnp.maximum(jnp.log(x), -100)


@_bounded_log.defjvp
def _slope_of_logarithm(primals: Any, tangents: Any) -> Any:
    return _bounded_log(*primals), tangents[0] / primals[0]


@jax.custom_jvp
def _binary_cross_entropy(p: Any, t: Any) -> Any:
    return -(t * _bounded_log(p) + (1 - t) * _bounded_log(1 - p))


@_binary_cross_entropy.defjvp
def _slope_of_entropy(primals: Any, tangents: Any) -> Any:
    (p, t), (dp, dt) = primals, tangents
    by_p = (p - t) / jnp.maximum(p * (1 - p), 1e-12)
    return _binary_cross_entropy(p, t), dp * by_p + dt * (_bounded_log(1 - p) - _bounded_log(p))


# Labels of sequences


def _states(targets: Any, *, sizes: tuple[int, ...], blank: int, classes: int) -> Any:
    width, starts = max(sizes, default=0), np.cumsum((0, *sizes))
    pieces = targets if targets.ndim == 2 or len(sizes) == 1 else [targets[start:] for start in starts[:-1]]
    pieces = targets.reshape(1, -1) if targets.ndim == 1 and len(sizes) == 1 else pieces
    states = jnp.full((len(sizes), 2 * width + 1), blank).at[:, 1::2].set(0)
    for i, size in enumerate(sizes):
        states = states.at[i, 1 : 2 * size + 1 : 2].set(pieces[i][:size])
    return states


def _skips(states: Any) -> Any:
    labels = states[:, 1::2]
    return jnp.zeros(states.shape, bool).at[:, 3::2].set(labels[:, 1:] != labels[:, :-1])


LAYERS: dict[str, Callable[..., Any]] = {
    "convolve": _convolve,
    "convolve_transposed": _convolve_transposed,
    "convolve_weight": _convolve_weight,
    "unfold": _unfold,
    "fold": _fold,
    "max_pool": _max_pool,
    "which_largest": _which_largest,
    "at_largest": _at_largest,
    "to_largest": _to_largest,
    "places_of_largest": _places_of_largest,
    "linear": _linear,
    "standardized": _standardized,
    "row_sums": lambda x: jnp.sum(x, axis=-1, keepdims=True),
    "row_products": lambda a, b: jnp.sum(a * b, axis=-1, keepdims=True),
    "masked_softmax": _masked_softmax,
    "cross_entropies": _row_losses,
    "cross_entropy": _cross_entropy,
    "softmax_cross_entropy": _softmax_cross_entropy,
    "less_one_hot": _less_one_hot,
    "nan_if_empty": lambda loss, total: loss + jnp.where(jnp.asarray(total) != 0, 0, jnp.nan),
    "bounded_log": lambda x: _bounded_log(jnp.asarray(x)),
    "binary_cross_entropy": lambda p, t: _binary_cross_entropy(*jnp.broadcast_arrays(p, t)),
    "raised": lambda x, *, least: with_slope_of(jnp.maximum(x, least), x),
    "states": _states,
    "skips": _skips,
}
