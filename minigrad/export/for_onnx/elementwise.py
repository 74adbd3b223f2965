"""In ONNX: choices between numbers, comparisons, logic and bits."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.export.for_onnx.arithmetic import ARITHMETIC, of_two
from minigrad.export.for_onnx.builder import Graph
from minigrad.export.for_onnx.values import Operand, Row, Value, of_result

# Choosing


def _chosen_number(op: str, of_bools: str) -> Row:
    """The larger or smaller of two, where a number wins against NaN."""

    def row(g: Graph, a: Operand, b: Operand) -> Value:
        if g.common(a, b).kind != "f":
            return of_two(op, of_bools)(g, a, b)
        a, b = g.alike(a, b)
        return g.arithmetic(op, g.where(g.isnan(a), b, a), g.where(g.isnan(b), a, b))

    return row


def clipped(g: Graph, x: Operand, *, min: Any, max: Any) -> Value:
    """Between bounds, of which the upper one counts more; one that integers cannot have changes none of them."""
    x = g.value(x)
    if x.dtype.kind in "iu":
        limits = np.iinfo(x.dtype)
        min = None if type(min) is int and min <= limits.min else min
        max = None if type(max) is int and max >= limits.max else max
    x = x if min is None else g.arithmetic("Max", x, min)
    return x if max is None else g.arithmetic("Min", x, max)


@of_result
def _where(g: Graph, condition: Operand, a: Operand, b: Operand, *, result: Value) -> Value:
    return g.where(condition, g.cast(a, result.dtype), g.cast(b, result.dtype))


def _ordinary(g: Graph, length: Operand) -> Value:
    length = g.value(length)
    tiny = float(np.finfo(length.dtype).tiny)
    fine = g.equal(length, 0) | ((length >= tiny) & (length < math.inf))
    return g.cast(g.reduce("ReduceMin", g.cast(fine, np.int32), None), bool)


def _magnifier(g: Graph, length: Operand) -> Value:
    length = g.value(length)
    limits = np.finfo(length.dtype)
    subnormal = (length > 0) & (length < float(limits.tiny))
    return g.where(subnormal, g.constant(1 / limits.eps, length.dtype), g.constant(1, length.dtype))


# Tests and bits


def _isfinite(g: Graph, x: Operand) -> Value:
    x = g.value(x)
    return g.unary("Abs", x) < math.inf if x.dtype.kind == "f" else g.equal(x, x)


def _isinf(g: Graph, x: Operand) -> Value:
    x = g.value(x)
    return g.node("IsInf", [x], bool, x.shape) if x.dtype.kind == "f" else ~g.equal(x, x)


def _bitwise(op: str, of_bools: str) -> Row:
    def row(g: Graph, a: Operand, b: Operand) -> Value:
        dtype = g.common(a, b)
        if dtype.kind == "b":
            return g.logic(of_bools, a, b)
        return g.elementwise(op, [g.cast(a, dtype), g.cast(b, dtype)], dtype)

    return row


def _invert(g: Graph, x: Operand) -> Value:
    x = g.value(x)
    return ~x if x.dtype.kind == "b" else g.node("BitwiseNot", [x], x.dtype, x.shape)


def _powers(g: Graph, b: Value, dtype: Any) -> tuple[Value, Value]:
    """2 to the power of the number of bits, and whether it has no place in the dtype."""
    bits = dtype.itemsize * 8 - (dtype.kind == "i")
    table = g.constant(np.array([1 << i for i in range(bits)], dtype))
    count = g.cast(b, np.int64)
    gone = (count >= bits) | (count < 0)
    return g.node("Gather", [table, g.where(gone, 0, count)], dtype, b.shape), gone


def _shifted(g: Graph, a: Operand, b: Operand) -> list[Value]:
    dtype = g.common(a, b)
    return [g.cast(g.cast(x, dtype), np.int8 if dtype.kind == "b" else dtype) for x in (a, b)]


def _left_shift(g: Graph, a: Operand, b: Operand) -> Value:
    a, b = _shifted(g, a, b)
    power, gone = _powers(g, b, a.dtype)
    top = g.equal(g.cast(b, np.int64), a.dtype.itemsize * 8 - 1) if a.dtype.kind == "i" else g.constant(False)
    highest = g.constant(np.iinfo(a.dtype).min, a.dtype)
    odd = g.elementwise("BitwiseAnd", [a, g.constant(1, a.dtype)], a.dtype)
    at_top = g.where(g.equal(odd, 1), highest, g.constant(0, a.dtype))
    return g.where(gone, g.where(top, at_top, g.constant(0, a.dtype)), a * power)


def _right_shift(g: Graph, a: Operand, b: Operand) -> Value:
    a, b = _shifted(g, a, b)
    power, gone = _powers(g, b, a.dtype)
    beyond = g.constant(0, a.dtype)
    if a.dtype.kind == "i":
        beyond = g.where(a < 0, g.constant(-1, a.dtype), beyond)
    return g.where(gone, beyond, ARITHMETIC["floor_divide"](g, a, power))


def _compared(op: str) -> Row:
    return lambda g, a, b: g.compared(op, a, b)


def _logical(op: str) -> Row:
    return lambda g, a, b: g.logic(op, a, b)


ELEMENTWISE: dict[str, Callable[..., Any]] = {
    # Choosing
    "where": _where,
    "selected": lambda g, x, mask: g.where(mask, x, 0),
    "maximum": of_two("Max", "Or"),
    "minimum": of_two("Min", "And"),
    "fmax": _chosen_number("Max", "Or"),
    "fmin": _chosen_number("Min", "And"),
    "clip": clipped,
    # Tests, logic and bits
    "ordinary": _ordinary,
    "magnifier": _magnifier,
    "isnan": lambda g, x: g.isnan(x),
    "isinf": _isinf,
    "isfinite": _isfinite,
    "logical_not": lambda g, x: ~g.value(x),
    "logical_and": _logical("And"),
    "logical_or": _logical("Or"),
    "logical_xor": _logical("Xor"),
    "equal": _compared("Equal"),
    "not_equal": lambda g, a, b: ~g.equal(a, b),
    "less": _compared("Less"),
    "less_equal": _compared("LessOrEqual"),
    "greater": _compared("Greater"),
    "greater_equal": _compared("GreaterOrEqual"),
    "bitwise_and": _bitwise("BitwiseAnd", "And"),
    "bitwise_or": _bitwise("BitwiseOr", "Or"),
    "bitwise_xor": _bitwise("BitwiseXor", "Xor"),
    "bitwise_invert": _invert,
    "bitwise_left_shift": _left_shift,
    "bitwise_right_shift": _right_shift,
}
