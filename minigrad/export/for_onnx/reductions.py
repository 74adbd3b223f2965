"""In ONNX: reductions, moments and softmax."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.export.for_onnx.activations import largest
from minigrad.export.for_onnx.builder import Graph
from minigrad.export.for_onnx.values import Operand, Row, Value, axes_of, count_of, of_result


@of_result
def _sum(g: Graph, x: Operand, *, axis: Any, keepdims: bool, result: Value, dtype: Any = None) -> Value:
    return g.reduce("ReduceSum", g.wide(g.cast(x, result.dtype)), axis, keepdims)


@of_result
def _mean(g: Graph, x: Operand, *, axis: Any, keepdims: bool, result: Value) -> Value:
    return g.reduce("ReduceMean", g.cast(x, result.dtype), axis, keepdims)


@of_result
def _prod(g: Graph, x: Operand, *, axis: Any, result: Value, dtype: Any = None) -> Value:
    return g.reduce("ReduceProd", g.wide(g.cast(x, result.dtype)), axis)


def extreme(g: Graph, x: Operand, *, axis: Any, keepdims: bool, least: bool) -> Value:
    """NaN if there is any, which runtimes do not see."""
    x = g.wide(x)
    if x.dtype.kind != "f":
        return g.reduce("ReduceMin" if least else "ReduceMax", x, axis, keepdims)
    top = -largest(g, -x, axis) if least else largest(g, x, axis)
    return top if keepdims else g.squeeze(top, axes_of(axis, x.ndim))


def _argument(op: str, of_numbers: bool = False) -> Row:
    """The first of equal ones; NaN is the largest and the smallest, or counts for nothing."""

    def row(g: Graph, x: Operand, *, axis: Any = None, keepdims: bool = False) -> Value:
        x = g.wide(x)
        whole, kept = axis is None or not x.ndim, (1,) * x.ndim
        if whole:
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
        if whole:
            return g.reshape(found, kept if keepdims else ())
        return found if keepdims else g.squeeze(found, [axis])

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


def _degrees(g: Graph, x: Value, axis: Any, correction: float) -> Value:
    """The degrees of freedom, which are none rather than negative."""
    return g.arithmetic("Max", g.cast(count_of(x, axis) - float(correction), x.dtype), 0.0)


def _var(g: Graph, x: Operand, *, axis: Any, correction: float, keepdims: bool) -> Value:
    x = g.floating(x)
    deviations = x - g.reduce("ReduceMean", x, axis, True)
    return g.reduce("ReduceSum", deviations * deviations, axis, keepdims) / _degrees(g, x, axis, correction)


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


# Without NaN


def _of_numbers(least: bool) -> Row:
    def row(g: Graph, x: Operand, mask: Any, *, axis: Any, keepdims: bool, initial: Any) -> Value:
        x = g.wide(x)
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


REDUCTIONS: dict[str, Callable[..., Any]] = {
    "sum": _sum,
    "mean": _mean,
    "prod": _prod,
    "max": lambda g, x, *, axis=None, keepdims=False: extreme(g, x, axis=axis, keepdims=keepdims, least=False),
    "min": lambda g, x, *, axis=None, keepdims=False: extreme(g, x, axis=axis, keepdims=keepdims, least=True),
    "argmax": _argument("ArgMax"),
    "argmin": _argument("ArgMin"),
    "nanargmax": _argument("ArgMax", True),
    "nanargmin": _argument("ArgMin", True),
    "any": lambda g, x, *, axis=None, keepdims=False: _count_nonzero(g, x, axis=axis, keepdims=keepdims) > 0,
    "all": _all,
    "count_nonzero": _count_nonzero,
    "centred": _centred,
    "var": _var,
    "std": _std,
    "nanmax": _of_numbers(False),
    "nanmin": _of_numbers(True),
    "logsumexp": _logsumexp,
    "softmax": _softmax,
    "log_softmax": log_softmax,
    # What passes its operand on: checks of values are no part of a graph
    "checked": lambda g, x, *, test: g.value(x),
    "through_gate": lambda g, x, gate: g.value(x),
}
