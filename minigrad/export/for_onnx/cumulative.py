"""In ONNX: cumulative functions, signals, and quantiles."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.export.for_onnx.activations import zero_safe_multiply
from minigrad.export.for_onnx.bodies import scanned
from minigrad.export.for_onnx.builder import Graph
from minigrad.export.for_onnx.elementwise import clipped
from minigrad.export.for_onnx.exponentials import logaddexp
from minigrad.export.for_onnx.picking import argsort
from minigrad.export.for_onnx.shaping import searched
from minigrad.export.for_onnx.values import Operand, Value, of_result

# Cumulative functions


def _with_initial(g: Graph, value: Value, axis: int, first: float) -> Value:
    head = [1 if i == axis % value.ndim else n for i, n in enumerate(value.shape)]
    return g.concat([g.expand(g.constant(first, value.dtype), head), value], axis)


@of_result
def _cumulative_sum(
    g: Graph, x: Operand, *, axis: Any = None, dtype: Any = None, include_initial: bool = False, result: Value
) -> Value:
    x = g.wide(g.cast(x, result.dtype))
    axis = 0 if axis is None else axis % x.ndim
    value = g.node("CumSum", [x, g.constant(np.int64(axis))], x.dtype, x.shape)
    return _with_initial(g, value, axis, 0) if include_initial else value


@of_result
def _cumulative_prod(
    g: Graph, x: Operand, *, axis: Any = None, dtype: Any = None, include_initial: bool = False, result: Value
) -> Value:
    x = g.cast(x, result.dtype)
    axis = 0 if axis is None else axis % x.ndim
    value = _running(g, x, axis, 1, lambda body, before, now: body.arithmetic("Mul", before, now))
    return _with_initial(g, value, axis, 1) if include_initial else value


def _running(g: Graph, x: Value, axis: int, first: float, join: Callable[[Graph, Value, Value], Value]) -> Value:
    """What all elements up to each one are joined to."""
    shape = [n for i, n in enumerate(x.shape) if i != axis]

    def step(body: Graph, carries: list[Value], rows: list[Value]) -> tuple[list[Value], list[Value]]:
        now = join(body, carries[0], rows[0])
        return [now], [now]

    if 0 in x.shape:
        return x
    start = g.expand(g.constant(first, x.dtype), shape)
    return scanned(g, [start], [x], step, x.shape[axis], axis)[1][0]


def _logcumsumexp(g: Graph, x: Operand, *, axis: int) -> Value:
    x = g.floating(x)
    return _running(g, x, axis % x.ndim, -math.inf, logaddexp)


def _recurrence(g: Graph, a: Operand, b: Operand, *, axis: int) -> Value:
    a, b = g.alike(a, b)
    axis = axis % b.ndim
    shape = [n for i, n in enumerate(b.shape) if i != axis]

    def step(body: Graph, carries: list[Value], rows: list[Value]) -> tuple[list[Value], list[Value]]:
        now = rows[1] + zero_safe_multiply(body, carries[0], rows[0])
        return [now], [now]

    if 0 in b.shape:
        return b
    start = g.expand(g.constant(0, b.dtype), shape)
    return scanned(g, [start], [a, b], step, b.shape[axis], axis)[1][0]


def _places_of_extremes(g: Graph, x: Operand, *, axis: int, largest: bool) -> Value:
    """Of equal ones the last, and NaN when it comes."""
    x = g.wide(x)
    axis = axis % x.ndim
    numbers = g.reshape(g.arange(x.shape[axis]), [n if i == axis else 1 for i, n in enumerate(x.shape)])
    if 0 in x.shape:
        return g.expand(g.constant(0), x.shape)
    shape = [n for i, n in enumerate(x.shape) if i != axis]
    least = -math.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    most = math.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).max

    def step(body: Graph, carries: list[Value], rows: list[Value]) -> tuple[list[Value], list[Value]]:
        (best, place), (now, number) = carries, rows
        taken = (now >= best if largest else now <= best) | body.isnan(now)
        best, place = body.where(taken, now, best), body.where(taken, number, place)
        return [best, place], [place]

    first = [g.expand(g.constant(least if largest else most, x.dtype), shape), g.expand(g.constant(0), shape)]
    return scanned(g, first, [x, g.expand(numbers, x.shape)], step, x.shape[axis], axis)[1][0]


# Signals and samples


def _unwrap(g: Graph, p: Operand, *, discont: float | None, axis: int, period: float) -> Value:
    p = g.value(p)
    axis = axis % p.ndim
    n = p.shape[axis]
    after, before = g.slice(p, axis, 1, n, n - 1), g.slice(p, axis, 0, n - 1, n - 1)
    rise, half = g.floating(after - before), period / 2  # of integers as NumPy has it, which wrap around
    p, after = g.floating(p), g.floating(after)
    shifted = rise + half
    turned = shifted - g.unary("Floor", shifted / period) * period - half
    turned = g.where(g.equal(turned, -half) & (rise > 0), half, turned)
    limit = half if discont is None else discont
    correction = g.where(g.unary("Abs", rise) < limit, 0, turned - rise)
    total = g.node("CumSum", [correction, g.constant(np.int64(axis))], p.dtype, rise.shape)
    return g.concat([g.slice(p, axis, 0, 1, 1), after + total], axis)


def _piece_of(g: Graph, x: Operand, xp: Operand) -> Value:
    x, xp = g.alike(x, xp)
    place = searched(g, xp, x, "right") - 1
    return clipped(g, place, min=0, max=max(xp.shape[0] - 2, 0))


def _convolve_signals(g: Graph, a: Operand, v: Operand, *, full: bool) -> Value:
    a, v = g.alike(a, v)
    if a.shape[0] < v.shape[0]:
        a, v = v, a
    n, k = int(a.shape[0]), int(v.shape[0])
    if full:
        a, n = (
            g.concat([g.expand(g.constant(0, a.dtype), (k - 1,)), a, g.expand(g.constant(0, a.dtype), (k - 1,))], 0),
            n + 2 * k - 2,
        )
    places = np.arange(n - k + 1)[:, None] + np.arange(k)[::-1]
    return g.matmul(g.node("Gather", [a, g.constant(places)], a.dtype, places.shape), v)


def _elements_at(g: Graph, x: Operand, places: Operand) -> Value:
    x = g.value(x)
    places = g.cast(places, np.int64)
    return g.node("GatherElements", [x, places], x.dtype, places.shape, axis=x.ndim - 1)


def _spoilt(g: Graph, x: Value, order: Value, places: Value) -> Value:
    """The places, or that of NaN in slices that have any: in their order it comes last."""
    last = g.node("Gather", [order, g.constant(np.array([-1]))], np.int64, (*order.shape[:-1], 1), axis=-1)
    return g.where(g.isnan(_elements_at(g, x, last)), last, places)


def _places_of_ranks(g: Graph, x: Operand, ranks: Operand) -> Value:
    x = g.value(x)
    order, ranks = argsort(g, x, -1), g.cast(ranks, np.int64)
    places = g.node("Gather", [order, ranks], np.int64, (*order.shape[:-1], *ranks.shape), axis=-1)
    return _spoilt(g, x, order, places)


def _places_of_own_ranks(g: Graph, x: Operand, ranks: Operand) -> Value:
    return _elements_at(g, argsort(g, g.value(x), -1), ranks)


def _places_by_weights(g: Graph, x: Operand, weights: Operand, q: Operand, *, ignoring: bool) -> Value:
    x, q = g.value(x), g.floating(q)
    order = argsort(g, x, -1)
    weights = g.expand(g.cast(weights, float), x.shape)
    rising = _elements_at(g, weights, order)
    rising = g.node("CumSum", [rising, g.constant(np.int64(x.ndim - 1))], rising.dtype, rising.shape)
    total = g.node("Gather", [rising, g.constant(np.array([-1]))], rising.dtype, (*rising.shape[:-1], 1), axis=-1)
    rising = g.cast(rising / total, q.dtype)
    rising = g.where(g.equal(rising, 0), -1, rising)  # the least element is the first that has a weight
    ranks = g.reduce("ReduceSum", g.cast(g.unsqueeze(rising, [-1]) < q, np.int64), -2)
    places = _elements_at(g, order, g.arithmetic("Min", ranks, x.shape[-1] - 1))
    return places if ignoring else _spoilt(g, x, order, places)


CUMULATIVE: dict[str, Callable[..., Any]] = {
    "cumulative_sum": _cumulative_sum,
    "cumulative_prod": _cumulative_prod,
    "logcumsumexp": _logcumsumexp,
    "cumulative_logaddexp": _logcumsumexp,
    "recurrence": _recurrence,
    "places_of_extremes": _places_of_extremes,
    # Signals and samples
    "unwrap": _unwrap,
    "piece_of": _piece_of,
    "convolve_signals": _convolve_signals,
    "elements_at": _elements_at,
    "places_of_ranks": _places_of_ranks,
    "places_of_own_ranks": _places_of_own_ranks,
    "places_by_weights": _places_by_weights,
}
