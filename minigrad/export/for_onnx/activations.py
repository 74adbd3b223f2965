"""In ONNX: activations and gates, logistic functions, entropies, and what rules are made of."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.export.for_onnx.builder import Graph
from minigrad.export.for_onnx.elementwise import clipped
from minigrad.export.for_onnx.exponentials import expm1, log1p, logaddexp
from minigrad.export.for_onnx.values import Operand, Row, Value

# Activations


def _hardtanh(g: Graph, x: Value, *, min_val: float, max_val: float) -> Value:
    return g.where(x <= min_val, min_val, g.where(x >= max_val, max_val, x))


def _softshrink(g: Graph, x: Value, *, lambd: float) -> Value:
    return g.where(g.unary("Abs", x) <= lambd, 0, x - lambd * g.unary("Sign", x))


def _elu(g: Graph, x: Value, *, alpha: float) -> Value:
    return g.where(x > 0, x, alpha * expm1(g, g.where(x > 0, 0, x)))


def _softplus(g: Graph, x: Value, *, beta: float, threshold: float) -> Value:
    z = x * beta
    return g.where(z > threshold, x, logaddexp(g, z, 0.0) / beta)


def _softsign(g: Graph, x: Value) -> Value:
    infinite = g.node("IsInf", [x], bool, x.shape)
    finite = g.where(infinite, 0, x)
    return g.where(infinite, g.unary("Sign", x), finite / (1 + g.unary("Abs", finite)))


# Beyond these limits gates are 0 or 1 in any precision.

_DENSITY, _ROOT_2 = (2 * math.pi) ** -0.5, 2**-0.5
_SLOPE, _CUBIC = 2 * (2 / math.pi) ** 0.5, 0.044715


def _normal_density(g: Graph, x: Value) -> Value:
    x = clipped(g, x, min=-40.0, max=40.0)
    return _DENSITY * g.unary("Exp", -0.5 * x * x)


def _normal_cdf(g: Graph, x: Value) -> Value:
    return 0.5 * (1 + g.unary("Erf", x * _ROOT_2))


def _tanh_gate(g: Graph, x: Value) -> Value:
    x = clipped(g, x, min=-100.0, max=100.0)
    return g.unary("Sigmoid", x * (_SLOPE + _SLOPE * _CUBIC * x * x))


def _gate_slope(g: Graph, x: Value, y: Value) -> Value:
    x = clipped(g, x, min=-100.0, max=100.0)
    return (_SLOPE + 3 * _CUBIC * _SLOPE * x * x) * y * (1 - y)


# Logistic functions


def _logit(g: Graph, x: Operand) -> Value:
    x = g.floating(x)
    near = g.unary("Abs", x - 0.5) < 0.25  # where the logarithms would cancel
    middle, outer = g.where(near, x, 0.5), g.where(near, 0.1, x)
    z = 2 * middle - 1
    inner = log1p(g, z) - log1p(g, -z)
    return g.where(near, inner, g.unary("Log", outer) - log1p(g, -outer))


def _log_expit(g: Graph, x: Operand) -> Value:
    return -logaddexp(g, -g.floating(x), 0.0)


def largest(g: Graph, x: Value, axis: Any) -> Value:
    """The largest elements along axes, which stay with length 1; NaN if there is any."""
    top = g.reduce("ReduceMax", x, axis, True)
    if x.dtype.kind != "f":
        return top
    bad = g.reduce("ReduceMax", g.cast(g.isnan(x), np.int32), axis, True)
    return g.where(g.equal(bad, 1), math.nan, top)


def _largest_counted(g: Graph, a: Operand, b: Operand, *, axis: Any) -> Value:
    counted = g.where(g.equal(g.value(b), 0), -math.inf, g.floating(a))
    top = largest(g, counted, axis)
    return g.where(g.node("IsInf", [top], bool, top.shape), 0, top)


# Entropies


def _xlogy(g: Graph, x: Operand, y: Operand) -> Value:
    x, y = g.alike(g.floating(x), g.floating(y))
    dropped = g.equal(x, 0) & ((y <= 0) | g.equal(y, math.inf))
    return g.where(dropped, 0, x * g.unary("Log", g.where(dropped, 1, y)))


def _xlog1py(g: Graph, x: Operand, y: Operand) -> Value:
    x, y = g.alike(g.floating(x), g.floating(y))
    dropped = g.equal(x, 0) & ((y <= -1) | g.equal(y, math.inf))
    return g.where(dropped, 0, x * log1p(g, g.where(dropped, 0, y)))


def _entr(g: Graph, x: Operand) -> Value:
    x = g.floating(x)
    inside = -x * g.unary("Log", g.where(x > 0, x, 1))
    value = g.where(x > 0, inside, g.where(g.equal(x, 0), 0.0, -math.inf))
    return g.where(g.isnan(x), x, value)


def _rel_entr(g: Graph, x: Operand, y: Operand) -> Value:
    """A quotient near 1 is rounded, and another may over- or underflow."""
    x, y = g.alike(g.floating(x), g.floating(y))
    ratio = x / y
    near, fits = (ratio > 0.5) & (ratio < 2), (ratio > float(np.finfo(ratio.dtype).tiny)) & (ratio < math.inf)
    log = [g.unary("Log", z) for z in (ratio, x, y)]
    value = x * g.where(near, log1p(g, (x - y) / y), g.where(fits, log[0], log[1] - log[2]))
    value = g.where(g.equal(x, 0) & (y >= 0), 0, g.where((x < 0) | (y <= 0), math.inf, value))
    return g.where(g.isnan(x) | g.isnan(y), math.nan, value)


# Products, quotients and lengths in rules: a gradient of 0 stays 0, whatever it is multiplied with


def _finite(g: Graph, x: Value) -> Value:
    return g.unary("Abs", x) < math.inf if x.dtype.kind == "f" else g.expand(True, x.shape)


def zero_safe_multiply(g: Graph, a: Operand, factor: Operand) -> Value:
    """A product that is 0 where the first factor is."""
    a, factor = g.value(a), g.value(factor)
    if factor.dtype.kind != "f":
        return g.arithmetic("Mul", a, factor)
    return a * g.where(g.equal(a, 0) & ~_finite(g, factor), 0, factor)


def _zero_safe_product(g: Graph, a: Operand, b: Operand) -> Value:
    a, b = g.alike(a, b)
    if a.dtype.kind != "f":
        return g.arithmetic("Mul", a, b)
    return g.where(g.equal(b, 0) & ~_finite(g, a), 0, a) * g.where(g.equal(a, 0) & ~_finite(g, b), 0, b)


def _zero_safe_divide(g: Graph, a: Operand, divisor: Operand) -> Value:
    a, divisor = g.value(a), g.value(divisor)
    idle = g.equal(a, 0) & (g.equal(divisor, 0) | g.isnan(divisor))
    return g.divide(a, g.where(idle, 1, divisor))


def _zero_safe_dot(g: Graph, a: Operand, factor: Operand) -> Value:
    return g.reduce("ReduceSum", zero_safe_multiply(g, a, factor), -1)


def _slope(g: Graph, a: Operand, x: Operand, length: Operand) -> Value:
    length = g.value(length)
    return zero_safe_multiply(g, a, g.divide(x, g.where(g.equal(length, 0), math.inf, length)))


def _has_nan(g: Graph, x: Value) -> Value:
    return g.reduce("ReduceSum", g.cast(g.isnan(x), np.int64), None) > 0


# Numbers of Python


def _inverse_or_zero(g: Graph, x: Operand) -> Value:
    x = g.floating(x)
    return g.where(g.equal(x, 0), 0, g.divide(1, g.where(g.equal(x, 0), 1, x)))


def _length(g: Graph, x: Operand) -> Value:
    x = g.floating(x)
    top = largest(g, g.unary("Abs", x), None)
    scale = g.where((top > 0) & (top < math.inf), top, 1)
    ratio = x / scale
    total = g.reduce("ReduceSum", ratio * ratio, None, True)
    return g.reshape(g.unary("Sqrt", total) * scale, ())


def _arithmetic(g: Graph, a: Operand, b: Operand, *, sign: str) -> Value:
    if sign == "/":
        return g.divide(a, b)
    if sign == "**":
        return g.elementwise("Pow", g.alike(g.floating(a), g.floating(b)), g.common(g.floating(a), g.floating(b)))
    return g.arithmetic({"+": "Add", "-": "Sub", "*": "Mul"}[sign], a, b)


def _compared_number(op: str) -> Row:
    return lambda g, x, y: g.where(g.compared(op, y, x), y, x)


_NUMBERS: dict[str, Callable[..., Any]] = {
    "number": lambda g, x: g.reshape(x, ()), "length": _length, "inverse_or_zero": _inverse_or_zero,
    "or_one": lambda g, x: g.where(g.equal(x, 0), 1, x),
    "or_nan": lambda g, x: g.where(g.equal(x, 0), math.nan, x), "root": lambda g, x: g.function("Sqrt", x),
    "larger": _compared_number("Greater"), "smaller": _compared_number("Less"), "arithmetic": _arithmetic,
}  # fmt: skip

ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "relu": lambda g, x: g.where(x <= 0, 0, x) if x.dtype.kind != "f" else g.unary("Relu", x),
    "hardtanh": _hardtanh,
    "leaky_relu": lambda g, x, *, negative_slope: g.where(x > 0, x, x * negative_slope),
    "threshold": lambda g, x, *, threshold, value: g.where(x <= threshold, value, x),
    "hardshrink": lambda g, x, *, lambd: g.where(g.unary("Abs", x) <= lambd, 0, x),
    "softshrink": _softshrink, "elu": _elu, "softplus": _softplus, "softsign": _softsign,
    "logistic_gate": lambda g, x: g.function("Sigmoid", x),
    "mish_gate": lambda g, x: g.unary("Tanh", logaddexp(g, x, 0.0)),
    "normal_density": _normal_density, "normal_cdf": _normal_cdf, "tanh_gate": _tanh_gate, "gate_slope": _gate_slope,
    # Logistic functions and entropies
    "logit": _logit, "log_expit": _log_expit, "largest_counted": _largest_counted,
    "xlogy": _xlogy, "xlog1py": _xlog1py, "entr": _entr, "rel_entr": _rel_entr,
    # Parts of rules
    "has_nan": _has_nan, "zero_safe_multiply": zero_safe_multiply, "zero_safe_product": _zero_safe_product,
    "zero_safe_divide": _zero_safe_divide, "zero_safe_dot": _zero_safe_dot, "slope": _slope,
    **_NUMBERS,
}  # fmt: skip
