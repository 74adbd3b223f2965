"""In ONNX: what optimizers compute: norms of gradients, and the rectification of their steps."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.export.for_onnx.builder import Graph
from minigrad.export.for_onnx.reductions import extreme
from minigrad.export.for_onnx.values import Operand, Value

# Norms of gradients: two numbers, whose product is the norm


def _norm_parts(g: Graph, *arrays: Operand, names: Sequence[str], order: float, error_if_nonfinite: bool) -> Value:
    sizes = [g.cast(g.unary("Abs", g.flat(x)), float) for x in arrays]
    sizes = g.concat(sizes, 0) if len(sizes) > 1 else sizes[0]  # type: ignore[assignment]
    one = g.constant(1.0)
    if order == 0:
        return _pair(g, one, g.reduce("ReduceSum", g.cast(~g.equal(sizes, 0), float), None))
    scale = extreme(g, sizes, axis=None, keepdims=False, least=order < 0)
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


OPTIMIZERS: dict[str, Callable[..., Any]] = {
    "norm_parts": _norm_parts,
    "total": lambda g, parts: _parts(g, parts)[0] * _parts(g, parts)[1],
    "clipping_factor": _clipping_factor,
    "made_smaller": _made_smaller,
    "rectification": _rectification,
}
