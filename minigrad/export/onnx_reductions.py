"""In ONNX: reductions, softmax, cumulative functions, quantiles, and norms of gradients."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.export.onnx_activations import largest, zero_safe_multiply
from minigrad.export.onnx_bodies import scanned
from minigrad.export.onnx_builder import Graph, Operand, Row, Value, axes_of, count_of, of_result
from minigrad.export.onnx_elementwise import clipped, logaddexp
from minigrad.export.onnx_picking import argsort
from minigrad.export.onnx_shaping import searched

_WIDE = {"b1": "i4", "i1": "i4", "i2": "i4", "u1": "i4", "u2": "i4", "u4": "i8"}  # what runtimes reduce


def _wide(g: Graph, x: Operand) -> Value:
    x = g.value(x)
    return g.cast(x, _WIDE.get(x.dtype.str[1:], x.dtype))


@of_result
def _sum(g: Graph, x: Operand, *, axis: Any, keepdims: bool, result: Value, dtype: Any = None) -> Value:
    return g.reduce("ReduceSum", _wide(g, g.cast(x, result.dtype)), axis, keepdims)


@of_result
def _mean(g: Graph, x: Operand, *, axis: Any, keepdims: bool, result: Value) -> Value:
    return g.reduce("ReduceMean", g.cast(x, result.dtype), axis, keepdims)


@of_result
def _prod(g: Graph, x: Operand, *, axis: Any, result: Value, dtype: Any = None) -> Value:
    return g.reduce("ReduceProd", _wide(g, g.cast(x, result.dtype)), axis)


def _extreme(g: Graph, x: Operand, *, axis: Any, keepdims: bool, least: bool) -> Value:
    """NaN if there is any, which runtimes do not see."""
    x = _wide(g, x)
    if x.dtype.kind != "f":
        return g.reduce("ReduceMin" if least else "ReduceMax", x, axis, keepdims)
    top = -largest(g, -x, axis) if least else largest(g, x, axis)
    return top if keepdims else g.squeeze(top, axes_of(axis, x.ndim))


def _argument(op: str, of_numbers: bool = False) -> Row:
    """The first of equal ones; NaN is the largest and the smallest, or counts for nothing."""

    def row(g: Graph, x: Operand, *, axis: Any = None, keepdims: bool = False) -> Value:
        x = _wide(g, x)
        shape = tuple(1 if i in axes_of(axis, x.ndim) else n for i, n in enumerate(x.shape))
        if axis is None or not x.ndim:
            x, axis = g.flat(x), 0
        own = [1 if i == axis % x.ndim else n for i, n in enumerate(x.shape)]

        def place(op: str, y: Value) -> Value:
            return g.node(op, [y], np.int64, own, axis=axis % x.ndim, keepdims=1)

        if x.dtype.kind != "f":
            found = place(op, x)
        elif of_numbers:
            found = place(op, g.where(g.isnan(x), -math.inf if op == "ArgMax" else math.inf, x))
        else:
            bad = g.cast(g.isnan(x), np.int32)
            any_bad = g.reduce("ReduceMax", bad, axis, True)
            found = g.where(g.equal(any_bad, 1), place("ArgMax", bad), place(op, x))
        found = g.reshape(found, shape) if found.shape != shape else found
        return found if keepdims else g.squeeze(found, [i for i, n in enumerate(shape) if i in _reduced(shape, own, x, axis)])

    def _reduced(shape: Any, own: Any, x: Value, axis: Any) -> set[int]:
        return set(range(len(shape))) if len(own) != len(shape) or len(own) == 1 else {axis % x.ndim}

    return row


def _count_nonzero(g: Graph, x: Operand, *, axis: Any = None, keepdims: bool = False) -> Value:
    return g.reduce("ReduceSum", g.cast(g.cast(x, bool), np.int64), axis, keepdims)


def _all(g: Graph, x: Operand, *, axis: Any = None, keepdims: bool = False) -> Value:
    missing = g.cast(~g.cast(x, bool), np.int64)
    return g.equal(g.reduce("ReduceSum", missing, axis, keepdims), 0)


# Moments


def _centred(g: Graph, x: Operand, where: Any, *, axis: Any) -> Value:
    """Of equal numbers the deviations are exactly 0."""
    x = g.floating(x)
    there = g.expand(g.cast(where, bool), x.shape)
    inside = g.where(there, x, 0)
    number = g.reduce("ReduceSum", g.cast(there, x.dtype), axis, True)
    mean = g.reduce("ReduceSum", inside, axis, True) / g.arithmetic("Max", number, 1)
    top = g.reduce("ReduceMax", g.where(there, x, -math.inf), axis, True)
    low = g.reduce("ReduceMin", g.where(there, x, math.inf), axis, True)
    return g.where(there, inside - g.where(g.equal(top, low), top, mean), 0)


def _degrees(x: Value, axis: Any, correction: float) -> Any:
    count = count_of(x, axis)
    return float(max(count - correction, 0)) if isinstance(count, int) else count - float(correction)


def _var(g: Graph, x: Operand, *, axis: Any, correction: float, keepdims: bool) -> Value:
    x = g.floating(x)
    deviations = x - g.reduce("ReduceMean", x, axis, True)
    return g.reduce("ReduceSum", deviations * deviations, axis, keepdims) / _degrees(x, axis, correction)


def _std(g: Graph, x: Operand, *, axis: Any, correction: float, keepdims: bool) -> Value:
    """Squares of large and of small numbers are those of their ratios."""
    x = g.floating(x)
    size = g.reduce("ReduceMax", g.unary("Abs", x), axis, True)
    size = g.where((size > 0) & (size < math.inf), size, 1)
    root = g.unary("Sqrt", _var(g, x / size, axis=axis, correction=correction, keepdims=True)) * size
    return root if keepdims else g.squeeze(root, axes_of(axis, x.ndim))


# Exponentials


def _logsumexp(g: Graph, x: Operand, *, axis: Any, keepdims: bool) -> Value:
    x = g.floating(x)
    top = g.reduce("ReduceMax", x, axis, True)  # NaN is in the sum, whatever is taken away
    top = g.where(g.node("IsInf", [top], bool, top.shape), 0, top)
    value = g.unary("Log", g.reduce("ReduceSum", g.unary("Exp", x - top), axis, True)) + top
    return value if keepdims else g.squeeze(value, axes_of(axis, x.ndim))


def _softmax(g: Graph, x: Operand, *, axis: Any) -> Value:
    x = g.floating(x)
    axes = axes_of(axis, x.ndim)
    if len(axes) == 1:
        return g.node("Softmax", [x], x.dtype, x.shape, axis=axes[0])
    exponentials = g.unary("Exp", x - g.reduce("ReduceMax", x, axes, True))
    return exponentials / g.reduce("ReduceSum", exponentials, axes, True)


def log_softmax(g: Graph, x: Operand, *, axis: Any) -> Value:
    """The logarithm of a softmax."""
    x = g.floating(x)
    axes = axes_of(axis, x.ndim)  # `LogSoftmax` may be computed as a logarithm of numbers that are 0
    shifted = x - g.reduce("ReduceMax", x, axes, True)
    return shifted - g.unary("Log", g.reduce("ReduceSum", g.unary("Exp", shifted), axes, True))


# Cumulative functions


def _with_initial(g: Graph, value: Value, axis: int, first: float) -> Value:
    head = [1 if i == axis % value.ndim else n for i, n in enumerate(value.shape)]
    return g.concat([g.expand(g.constant(first, value.dtype), head), value], axis)


@of_result
def _cumulative_sum(
    g: Graph, x: Operand, *, axis: Any = None, dtype: Any = None, include_initial: bool = False, result: Value
) -> Value:
    x = _wide(g, g.cast(x, result.dtype))
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
    x = _wide(g, x)
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


# Without NaN


def _of_numbers(least: bool) -> Row:
    def row(g: Graph, x: Operand, mask: Any, *, axis: Any, keepdims: bool, initial: Any) -> Value:
        x = _wide(g, x)
        floats = x.dtype.kind == "f"
        limits = (math.inf, -math.inf) if floats else (np.iinfo(x.dtype).max, np.iinfo(x.dtype).min)
        neutral = g.constant(limits[0] if least else limits[1], x.dtype)
        there = g.expand(~g.isnan(x) & g.cast(mask, bool), x.shape)
        value = g.reduce("ReduceMin" if least else "ReduceMax", g.where(there, x, neutral), axis, keepdims)
        if initial is not None:
            return g.arithmetic("Min" if least else "Max", value, g.constant(initial, x.dtype))
        some = g.reduce("ReduceMax", g.cast(there, np.int32), axis, keepdims)
        return g.where(g.equal(some, 1), value, math.nan) if floats else value

    return row


# Signals and samples


def _unwrap(g: Graph, p: Operand, *, discont: float | None, axis: int, period: float) -> Value:
    p = g.value(p)
    axis = axis % p.ndim
    n = p.shape[axis]
    after, before = g.slice(p, axis, 1, n, n - 1), g.slice(p, axis, 0, n - 1, n - 1)  # type: ignore[operator]
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
    return clipped(g, place, min=0, max=max(xp.shape[0] - 2, 0))  # type: ignore[operator]


def _convolve_signals(g: Graph, a: Operand, v: Operand, *, full: bool) -> Value:
    a, v = g.alike(a, v)
    if a.shape[0] < v.shape[0]:  # type: ignore[operator]
        a, v = v, a
    n, k = int(a.shape[0]), int(v.shape[0])  # type: ignore[arg-type]
    if full:
        a, n = g.concat([g.expand(g.constant(0, a.dtype), (k - 1,)), a, g.expand(g.constant(0, a.dtype), (k - 1,))], 0), n + 2 * k - 2
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
    places = _elements_at(g, order, g.arithmetic("Min", ranks, x.shape[-1] - 1))  # type: ignore[operator]
    return places if ignoring else _spoilt(g, x, order, places)


# Norms of gradients: two numbers, whose product is the norm


def _norm_parts(g: Graph, *arrays: Operand, names: Sequence[str], order: float, error_if_nonfinite: bool) -> Value:
    sizes = [g.cast(g.unary("Abs", g.flat(x)), float) for x in arrays]
    sizes = g.concat(sizes, 0) if len(sizes) > 1 else sizes[0]  # type: ignore[assignment]
    one = g.constant(1.0)
    if order == 0:
        return _pair(g, one, g.reduce("ReduceSum", g.cast(~g.equal(sizes, 0), float), None))
    scale = _extreme(g, sizes, axis=None, keepdims=False, least=order < 0)
    whole = g.equal(scale, 0) | g.equal(scale, math.inf) | g.constant(math.isinf(order))
    ratio = g.divide(sizes, g.where(whole, 1.0, scale))
    if math.isinf(order):
        return _pair(g, scale, one)
    power = g.elementwise("Pow", [ratio, g.constant(float(order))], float)
    total = g.elementwise("Pow", [g.reduce("ReduceSum", power, None), g.constant(1 / order)], float)
    return _pair(g, scale, g.where(whole, 1.0, total))


def _pair(g: Graph, a: Value, b: Value) -> Value:
    return g.concat([g.reshape(g.cast(x, float), (1,)) for x in (a, b)], 0)


def _parts(g: Graph, parts: Value) -> tuple[Value, Value]:
    first, second = (g.node("Gather", [parts, g.constant(i)], parts.dtype, ()) for i in (0, 1))
    return first, second


def _clipping_factor(g: Graph, parts: Value, max_norm: Operand) -> Value:
    scale, norm = _parts(g, parts)
    total = scale * norm
    too_large = g.equal(total, math.inf) & (scale < math.inf)  # though the gradients are finite
    return g.where(too_large, g.divide(max_norm, scale) / norm, g.divide(max_norm, total + 1e-6))


def _made_smaller(g: Graph, x: Value, factor: Operand) -> Value:
    factor = g.cast(factor, float)
    return g.where(factor >= 1, x, g.cast(g.cast(x, float) * factor, x.dtype))


def _rectification(g: Graph, now: Operand, end: Operand, correction: Operand) -> Value:
    now, end, correction = (g.cast(x, float) for x in (now, end, correction))
    ratio = (now - 4) * (now - 2) * end / ((end - 4) * (end - 2) * now) * correction
    return g.where(now <= 5, 1.0, g.unary("Sqrt", ratio))


REDUCTIONS: dict[str, Callable[..., Any]] = {
    "sum": _sum, "mean": _mean, "prod": _prod,
    "max": lambda g, x, *, axis=None, keepdims=False: _extreme(g, x, axis=axis, keepdims=keepdims, least=False),
    "min": lambda g, x, *, axis=None, keepdims=False: _extreme(g, x, axis=axis, keepdims=keepdims, least=True),
    "argmax": _argument("ArgMax"), "argmin": _argument("ArgMin"),
    "nanargmax": _argument("ArgMax", True), "nanargmin": _argument("ArgMin", True),
    "any": lambda g, x, *, axis=None, keepdims=False: _count_nonzero(g, x, axis=axis, keepdims=keepdims) > 0,
    "all": _all, "count_nonzero": _count_nonzero, "centred": _centred, "var": _var, "std": _std,
    "nanmax": _of_numbers(False), "nanmin": _of_numbers(True),
    "logsumexp": _logsumexp, "softmax": _softmax, "log_softmax": log_softmax,
    "cumulative_sum": _cumulative_sum, "cumulative_prod": _cumulative_prod, "logcumsumexp": _logcumsumexp,
    "cumulative_logaddexp": _logcumsumexp, "recurrence": _recurrence, "places_of_extremes": _places_of_extremes,
    # Signals and samples
    "unwrap": _unwrap, "piece_of": _piece_of, "convolve_signals": _convolve_signals, "elements_at": _elements_at,
    "places_of_ranks": _places_of_ranks, "places_of_own_ranks": _places_of_own_ranks,
    "places_by_weights": _places_by_weights,
    # What passes its operand on: checks of values are no part of a graph
    "checked": lambda g, x, *, test: g.value(x), "through_gate": lambda g, x, gate: g.value(x),
    # Of optimizers
    "norm_parts": _norm_parts, "total": lambda g, parts: _parts(g, parts)[0] * _parts(g, parts)[1],
    "clipping_factor": _clipping_factor, "made_smaller": _made_smaller, "rectification": _rectification,
}  # fmt: skip
