"""In ONNX: writing by index, and what is added up there, on the flat array."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from minigrad.export.for_onnx.builder import Graph
from minigrad.export.for_onnx.picking import Index, picks_nothing, read, reading
from minigrad.export.for_onnx.shaping import scatter_add
from minigrad.export.for_onnx.sizes import NotFixedError
from minigrad.export.for_onnx.values import Operand, Value, broadcast, of_result


def _flat_places(g: Graph, shape: Sequence[Any], index: Index, places: Sequence[Value], part: Sequence[Any]) -> Value:
    """Where the elements at an index are in the flat array, as an array of the shape of the part."""
    if not places and all(isinstance(n, int) for n in shape) and _is_plain(index):
        return g.constant(np.arange(prod(shape)).reshape(shape)[index])
    numbers = g.reshape(g.arange(prod(shape)), shape)
    return read(g, numbers, reading(g, shape, index, places), part)


def _is_plain(index: Index) -> bool:
    ends = [end for part in index for end in ((part.start, part.stop, part.step) if isinstance(part, slice) else ())]
    return all(end is None or isinstance(end, int | np.integer) for end in ends)


def _part_shape(g: Graph, shape: Sequence[Any], index: Index, places: Sequence[Value]) -> list[Any]:
    """The shape of what is at an index."""
    how = reading(g, shape, index, places)
    kept = [1 if axis is None else _length(shape[axis], how.slices[axis]) for axis in how.kept]
    at = broadcast(*[place.shape for place in how.picks.values()]) if how.picks else ()
    return [*kept[: how.front], *at, *kept[how.front :]]


def _length(n: Any, part: slice) -> Any:
    """How many elements of an axis a slice takes."""
    if part.start is part.stop is None and part.step in (None, 1, -1):
        return n
    if isinstance(n, int) and _is_plain((part,)):
        return len(range(*part.indices(n)))
    if part.step not in (None, 1):
        raise NotFixedError(part)
    start, stop = 0 if part.start is None else part.start, n if part.stop is None else part.stop
    start, stop = (n + end if isinstance(end, int) and end < 0 else end for end in (start, stop))
    return stop - start


def _columns(g: Graph, places: Value) -> Value:
    return g.reshape(places, (prod(places.shape), 1))  # type: ignore[arg-type]  # sizes multiply as numbers do


def _add_at(g: Graph, x: Operand, v: Operand, *places: Value, index: Index) -> Value:
    x = g.value(x)
    if picks_nothing(index):
        return x
    part = _part_shape(g, x.shape, index, places)
    if 0 in part:
        return x
    flat = _columns(g, _flat_places(g, x.shape, index, places, part))
    total = prod(x.shape)
    values = g.reshape(g.expand(g.cast(v, x.dtype), part), (flat.shape[0],))
    return g.reshape(scatter_add(g, g.reshape(x, (total,)), flat, values), x.shape)


@of_result
def _scatter(g: Graph, v: Operand, *places: Value, index: Index, shape: Any, result: Value) -> Value:
    zeros = g.expand(g.constant(0, result.dtype), result.shape)
    return _add_at(g, zeros, v, *places, index=index)


def _setitem(g: Graph, x: Operand, v: Operand, *places: Value, index: Index) -> Value:
    x = g.value(x)
    v = g.cast(v, x.dtype)
    if len(index) == 1 and places and places[0].dtype.kind == "b" and places[0].name not in g.initializers:
        return _set_by_mask(g, x, v, places[0])
    if picks_nothing(index):
        return x
    part = _part_shape(g, x.shape, index, places)
    if 0 in part:
        return x
    at = _flat_places(g, x.shape, index, places, part)
    v = g.reshape(v, v.shape[v.ndim - len(part) :]) if v.ndim > len(part) else v
    total = prod(x.shape)
    flat, v = _columns(g, at), g.reshape(g.expand(v, part), (prod(part),))
    if not any(place.dtype.kind != "b" for place in places):  # nothing is written twice
        return g.reshape(g.node("ScatterND", [g.reshape(x, (total,)), flat, v], x.dtype, (total,)), x.shape)
    winner = _winners(g, flat, total)
    written = g.node("Gather", [v, g.arithmetic("Max", winner, 0)], v.dtype, (total,))
    return g.reshape(g.where(winner >= 0, written, g.reshape(x, (total,))), x.shape)


def _set_by_mask(g: Graph, x: Value, v: Value, mask: Value) -> Value:
    """Of a mask that is known only later each element that it leaves has a number."""
    axes = x.ndim - mask.ndim
    wide = g.unsqueeze(mask, list(range(mask.ndim, x.ndim))) if axes else mask
    if v.ndim > axes:
        flat = g.reshape(g.cast(mask, np.int64), (prod(mask.shape),))  # type: ignore[arg-type]
        number = g.node("CumSum", [flat, g.constant(np.int64(0))], np.int64, flat.shape) - 1
        last = g.node("Gather", [g.shape_vector(v), g.constant(np.int64(0))], np.int64, ()) - 1
        number = g.arithmetic("Max", g.arithmetic("Min", number, last), 0)
        v = g.node("Gather", [v, number], v.dtype, (*flat.shape, *v.shape[1:]))
        v = g.reshape(v, (*mask.shape, *v.shape[1:]))
    return g.where(wide, v, x)


def _winners(g: Graph, flat: Value, total: Any) -> Value:
    """For each element the number of the last one that is written there, or -1."""
    nobody = g.expand(g.constant(np.int64(-1)), (total,))
    order = g.arange(flat.shape[0])
    return g.node("ScatterND", [nobody, flat, order], np.int64, (total,), reduction="max")


@of_result
def _last_writes(g: Graph, *places: Value, index: Index, shape: Any, result: Value) -> Value:
    at = _flat_places(g, shape, index, places, result.shape)
    winner = _winners(g, _columns(g, at), prod(shape))
    own = g.node("Gather", [winner, at], np.int64, at.shape)
    return g.equal(own, g.reshape(g.arange(prod(at.shape)), at.shape))  # type: ignore[arg-type]


def _extremes_of_groups(g: Graph, values: Value, groups: Value, *, count: int, largest: bool) -> Value:
    """The extreme of each group; NaN if it has one."""
    op = "max" if largest else "min"
    floats = values.dtype.kind == "f"
    limits = np.finfo(values.dtype) if floats else np.iinfo(values.dtype)
    first = (-np.inf if largest else np.inf) if floats else (limits.min if largest else limits.max)
    start = g.expand(g.constant(first, values.dtype), (count, *values.shape[1:]))
    at = g.unsqueeze(g.cast(groups, np.int64), [-1])
    lost = g.isnan(values)
    clean = g.where(lost, g.constant(first, values.dtype), values)
    found = g.node("ScatterND", [start, at, clean], values.dtype, start.shape, reduction=op)
    if not floats:
        return found
    none = g.expand(g.constant(np.int64(0)), start.shape)
    bad = scatter_add(g, none, at, g.cast(lost, np.int64))
    return g.where(bad > 0, np.nan, found)


WRITING: dict[str, Callable[..., Any]] = {
    "add_at": _add_at,
    "scatter": _scatter,
    "setitem": _setitem,
    "last_writes": _last_writes,
    "extremes_of_groups": _extremes_of_groups,
}
