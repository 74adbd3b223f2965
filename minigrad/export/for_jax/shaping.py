"""In JAX: shapes, axes, joining, and sorting into bins and groups."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from minigrad.export.for_jax.rules import with_slope_of


def _cumulative_logaddexp(x: Any, *, axis: int) -> Any:
    return lax.associative_scan(jnp.logaddexp, jnp.asarray(x), axis=axis)


# Bins.  What lies beyond the length that the example's numbers made is not counted.


def _count_numbers(x: Any, *, minlength: int, shape: tuple[int, ...]) -> Any:
    return jnp.zeros(shape, int).at[x].add(1, mode="drop")


def _sum_by_number(x: Any, weights: Any, *, minlength: int, shape: tuple[int, ...]) -> Any:
    return jnp.zeros(shape, jnp.result_type(weights, float)).at[x].add(weights, mode="drop")


def _edges(a: Any, *, bins: Any, range: Any, shape: tuple[int, ...]) -> Any:
    if range is None and not np.size(a):
        range = (0, 1)  # NumPy's for no numbers
    count = shape[0] - 1 if isinstance(bins, str) else bins
    return jnp.histogram_bin_edges(jnp.asarray(a), np.asarray(bins) if np.ndim(count) else int(count), range)


def _bin_of(x: Any, edges: Any) -> Any:
    return jnp.where(x == edges[-1], len(edges) - 1, jnp.searchsorted(edges, x, side="right"))


# Groups


def _extremes_of_groups(values: Any, groups: Any, *, count: int, largest: bool) -> Any:
    """The extreme; its derivative are equal shares of those that attain it, or of those that are NaN."""
    extreme = jax.ops.segment_max if largest else jax.ops.segment_min
    top = extreme(lax.stop_gradient(values), groups, count)
    if not jnp.issubdtype(top.dtype, jnp.inexact):
        return top
    attains = (values == top[groups]) | jnp.isnan(values)
    number = jax.ops.segment_sum(attains.astype(top.dtype), groups, count)
    shares = jax.ops.segment_sum(jnp.where(attains, values, 0), groups, count) / jnp.maximum(number, 1)
    return with_slope_of(top, shares)


def _places(index: Any, *, shape: tuple[int, ...], axis: int, name: str) -> Any:
    if not shape:
        shape, index = (1,), jnp.reshape(index, (1,))
    axis = axis % len(shape)
    grid = list(jnp.ogrid[tuple(slice(n) for n in index.shape)])
    grid[axis] = index
    return sum(part * _stride(shape, i) for i, part in enumerate(grid)) + jnp.zeros(index.shape, int)


def _stride(shape: Sequence[int], axis: int) -> int:
    step = 1
    for n in shape[axis + 1 :]:
        step *= n
    return step


def _is_nearly_real(a: Any, *, tol: float) -> Any:
    if not jnp.iscomplexobj(a):
        return jnp.asarray(True)
    least = tol * np.finfo(a.dtype).eps if tol > 1 else tol
    return jnp.all(jnp.abs(a.imag) < least)


def _argpartition(x: Any, kth: Any, axis: int | None = -1, kind: Any = None) -> Any:
    """All in order, which is one of the orders that are asked for."""
    return jnp.argsort(x, axis=axis)


SHAPING: dict[str, Callable[..., Any]] = {
    "reshape": lambda x, shape, *, copy=None: jnp.reshape(x, shape),
    "permute_dims": lambda x, axes: jnp.transpose(x, axes),
    "broadcast_to": lambda x, shape: jnp.broadcast_to(x, shape),
    "astype": lambda x, *, dtype: jnp.asarray(x),  # to the dtype of the result, as all are
    "concat": lambda *arrays, axis, lengths: jnp.concatenate(arrays, axis=axis),
    "stack": lambda *arrays, axis, count: jnp.stack(arrays, axis=axis),
    "flip": lambda x, *, axis=None: jnp.flip(x, axis),
    "roll": lambda x, shift, axis=None: jnp.roll(x, shift, axis),
    "pad": lambda x, *, widths, value: jnp.pad(x, widths, constant_values=value),
    "cumulative_logaddexp": _cumulative_logaddexp,
    "count_numbers": _count_numbers,
    "sum_by_number": _sum_by_number,
    "histogram_bin_edges": _edges,
    "bin_of": _bin_of,
    "extremes_of_groups": _extremes_of_groups,
    "places": _places,
    "is_nearly_real": _is_nearly_real,
    "argpartition": _argpartition,
}
