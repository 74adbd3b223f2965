"""In JAX: reading and writing by index, sorting and searching, and rows of tables."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from minigrad.errors.exporting import no_counterpart
from minigrad.export.for_jax.rules import length, with_slope_of
from minigrad.ops.indexing import PLACE

Index = tuple[Any, ...]

# Indices.  A mask must be known when JAX traces, as what is read by it has as many elements as it leaves.


def _with(index: Index, places: Sequence[Any]) -> Index:
    """The index with its arrays."""
    rest = iter(places)
    return tuple([_known(next(rest)) if isinstance(part, str) and part == PLACE else part for part in index])


def _known(place: Any) -> Any:
    if place.dtype != bool:
        return jnp.asarray(place)
    if isinstance(place, jax.core.Tracer):
        raise no_counterpart(
            "JAX", "an index by a mask", None, "how many elements a mask leaves must not depend on arguments"
        )
    return np.asarray(place)


def _getitem(x: Any, *places: Any, index: Index) -> Any:
    return jnp.asarray(x)[_with(index, places)]


def _add_at(x: Any, g: Any, *places: Any, index: Index) -> Any:
    x = jnp.asarray(x)
    return x.at[_with(index, places)].add(jnp.asarray(g, x.dtype))


def _scatter(g: Any, *places: Any, index: Index, shape: tuple[int, ...]) -> Any:
    return _add_at(jnp.zeros(shape, jnp.asarray(g).dtype), g, *places, index=index)


def _setitem(x: Any, v: Any, *places: Any, index: Index) -> Any:
    x = jnp.asarray(x)
    v = jnp.asarray(v, x.dtype)
    if len(index) == 1 and places and places[0].dtype == bool and isinstance(places[0], jax.core.Tracer):
        return _set_by_mask(x, v, places[0])
    at = _with(index, places)
    if all(place.dtype == bool for place in places):
        return x.at[at].set(_fitted(v, x, at))
    winner, part = _winners(at, x.shape)
    v = jnp.broadcast_to(_fitted(v, x, at), part).reshape(-1)
    if not v.size:
        return x
    return jnp.where(winner >= 0, v[winner], x.reshape(-1)).reshape(x.shape)


def _fitted(v: Any, x: Any, at: Index) -> Any:
    """A value without axes of length 1 at the front that it may have in excess."""
    ndim = jax.eval_shape(lambda x: x[at], x).ndim
    return v.reshape(v.shape[v.ndim - ndim :]) if v.ndim > ndim else v


def _set_by_mask(x: Any, v: Any, mask: Any) -> Any:
    """Of a mask that is known only later each element that it leaves has a number."""
    wide = mask.reshape(*mask.shape, *(1,) * (x.ndim - mask.ndim))
    if v.ndim > x.ndim - mask.ndim:
        v = v[jnp.clip(jnp.cumsum(mask.reshape(-1)) - 1, 0, v.shape[0] - 1)].reshape(*mask.shape, *v.shape[1:])
    return jnp.where(wide, v, x)


def _winners(at: Index, shape: tuple[int, ...]) -> tuple[Any, tuple[int, ...]]:
    """For each element the number of the last one that is written there, or -1; and the shape of what is written."""
    size = int(np.prod(shape))
    place = jnp.arange(size).reshape(shape)[at]
    return jnp.full(size, -1).at[place.reshape(-1)].max(jnp.arange(place.size)), place.shape


def _last_writes(*places: Any, index: Index, shape: tuple[int, ...]) -> Any:
    at = _with(index, places)
    winner, part = _winners(at, shape)
    return winner[jnp.arange(int(np.prod(shape))).reshape(shape)[at]] == jnp.arange(int(np.prod(part))).reshape(part)


# Order


def _argsort(x: Any, axis: int = -1, *, descending: bool = False, stable: bool = True) -> Any:
    if not descending:
        return jnp.argsort(x, axis=axis, stable=True)
    backwards = jnp.argsort(jnp.flip(x, axis=axis), axis=axis, stable=True)
    return x.shape[axis] - 1 - jnp.flip(backwards, axis=axis)


def _places_of_top(x: Any, *, k: int, axis: int, largest: bool, sorted: bool) -> Any:
    places = _argsort(x, axis, descending=largest)[(*(slice(None),) * axis, slice(k))]
    return places if sorted else jnp.sort(places, axis=axis)


def _nonzero(x: Any) -> Any:
    if isinstance(x, jax.core.Tracer):
        raise no_counterpart("JAX", "nonzero", None, "how many elements are not 0 must not depend on arguments")
    return np.stack(np.nonzero(np.asarray(x)))


# Tables of rows


def _shortened(table: Any, rows: Any, *, max_norm: float, norm_type: float) -> Any:
    used = jnp.zeros(table.shape[0], bool).at[rows].set(True)[:, None]
    norms = length(table, (1,), norm_type)
    long = used & (norms > max_norm)
    return jnp.where(long, table * (max_norm / (jnp.where(long, norms, 1) + 1e-7)), table)


def _frequencies(rows: Any) -> Any:
    order = jnp.sort(rows.reshape(-1))
    return jnp.searchsorted(order, rows, side="right") - jnp.searchsorted(order, rows, side="left")


def _bag_numbers(starts: Any, *, count: int, include_last: bool) -> Any:
    return jnp.searchsorted(starts[:-1] if include_last else starts, jnp.arange(count), side="right") - 1


def _places_of_maxima(value: Any, bags: Any, *, count: int) -> Any:
    rows = value.shape[0]
    top = jax.ops.segment_max(lax.stop_gradient(value), bags, count)
    attains = (value == top[bags]) | jnp.isnan(value)
    places = jax.ops.segment_min(jnp.where(attains, jnp.arange(rows)[:, None], rows), bags, count)
    return jnp.where(places < rows, places, 0)


PICKING: dict[str, Callable[..., Any]] = {
    "getitem": _getitem,
    "add_at": _add_at,
    "scatter": _scatter,
    "setitem": _setitem,
    "last_writes": _last_writes,
    "argsort": _argsort,
    "places_of_top": _places_of_top,
    "nonzero": _nonzero,
    "searchsorted": lambda x1, x2, *, side: jnp.searchsorted(x1, x2, side=side),
    "isin": lambda x1, x2, *, invert=False: jnp.isin(x1, x2, invert=invert),
    "scale_gradient": lambda x, factor: with_slope_of(x, x * factor),
    "shortened": _shortened,
    "frequencies": _frequencies,
    "bag_numbers": _bag_numbers,
    "places_of_maxima": _places_of_maxima,
}
