"""In ONNX: exponentials, logarithms, roots and angles; whole numbers, and the parts of floating-point numbers."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.export.for_onnx.arithmetic import copysign
from minigrad.export.for_onnx.builder import Graph
from minigrad.export.for_onnx.elementwise import clipped
from minigrad.export.for_onnx.values import Operand, Row, Value

# Exponentials and logarithms

_LN_2, _LN_10 = math.log(2), math.log(10)


def expm1(g: Graph, x: Operand) -> Value:
    """``exp(x) - 1``; near 0 from the hyperbolic tangent, in which nothing cancels."""
    x = g.floating(x)
    near = g.unary("Abs", x) < 0.5
    t = g.unary("Tanh", g.where(near, x, 0.0) * 0.5)
    return g.where(near, 2.0 * t / (1.0 - t), g.unary("Exp", x) - 1.0)


def log1p(g: Graph, x: Operand) -> Value:
    """``log(1 + x)``: what the sum has lost by rounding is made good by a quotient."""
    x = g.floating(x)
    u = x + 1.0
    rise = u - 1.0
    exact = g.equal(rise, 0) | g.equal(u, math.inf) | g.equal(rise, x)
    scale = x / g.where(exact, 1.0, rise)
    logarithm = g.unary("Log", u)
    return g.where(g.equal(rise, 0), x, g.where(exact, logarithm, logarithm * scale))


def logaddexp(g: Graph, a: Operand, b: Operand) -> Value:
    """``log(exp(a) + exp(b))``: the larger one, and what the smaller one adds."""
    a, b = g.alike(g.floating(a), g.floating(b))
    top = g.arithmetic("Max", a, b)
    apart = g.where(g.equal(a, b), 0.0, -g.unary("Abs", a - b))  # also of equal infinities
    return top + log1p(g, g.unary("Exp", apart))


def _logaddexp2(g: Graph, a: Operand, b: Operand) -> Value:
    return logaddexp(g, g.floating(a) * _LN_2, g.floating(b) * _LN_2) / _LN_2


def _exp2(g: Graph, x: Operand) -> Value:
    x = g.floating(x)
    return g.elementwise("Pow", [g.constant(2.0, x.dtype), x], x.dtype)


def _cbrt(g: Graph, x: Operand) -> Value:
    x = g.floating(x)
    root = g.elementwise("Pow", [g.unary("Abs", x), g.constant(1 / 3, x.dtype)], x.dtype)
    return copysign(g, root, x)


def _spherical_bessel(g: Graph, z: Operand, *, n: int) -> Value:
    """By the recurrence where it is stable, and else by the series."""
    z = g.floating(z)
    if n == 0:
        safe = g.where(g.equal(z, 0), 1.0, z)
        return g.where(g.equal(z, 0), 1.0, g.unary("Sin", safe) / safe)
    small = g.unary("Abs", z) < n + 1.0
    large, near = g.where(small, n + 1.0, z), g.where(small, z, 0.0)
    before, now = g.unary("Cos", large) / large, g.unary("Sin", large) / large
    for k in range(n):
        before, now = now, (2 * k + 1) / large * now - before
    term = near / 3.0
    for k in range(2, n + 1):
        term = term * near / (2 * k + 1)
    series = term
    for k in range(1, 12 + 2 * n):
        term = term * near * near / (-2 * k * (2 * n + 2 * k + 1))
        series = series + term
    return g.where(small, series, now)


# Steps and parts of numbers


def _rounded(op: str) -> Row:
    """Integers are whole already."""
    return lambda g, x: g.unary(op, x) if g.value(x).dtype.kind == "f" else g.value(x)


def _trunc(g: Graph, x: Operand) -> Value:
    x = g.value(x)
    return g.where(x < 0, g.unary("Ceil", x), g.unary("Floor", x)) if x.dtype.kind == "f" else x


def _round(g: Graph, x: Operand, *, decimals: int = 0) -> Value:
    x = g.value(x)
    if x.dtype.kind != "f":
        if decimals >= 0:
            return x
        whole = g.unary("Round", g.cast(x, float) / 10.0**-decimals)
        return g.cast(whole * 10.0**-decimals, x.dtype)
    if not decimals:
        return g.unary("Round", x)
    power = 10.0 ** abs(decimals)
    scaled = g.unary("Round", x * power if decimals > 0 else x / power)
    return scaled / power if decimals > 0 else scaled * power


def _fraction(g: Graph, x: Operand) -> Value:
    x = g.floating(x)
    rest = x - _trunc(g, x)
    return g.where(g.node("IsInf", [x], bool, x.shape), 0.0, rest)


def _frexp(g: Graph, x: Value) -> tuple[Value, Value]:
    """A number between 1/2 and 1, and the exponent as a float of the same dtype; those of 0, inf and NaN are 0."""
    size = g.unary("Abs", x)
    ordinary = (size > 0) & (size < math.inf)
    tiny = size < float(np.finfo(x.dtype).tiny)
    lift = np.finfo(x.dtype).nmant + 2
    safe = g.where(ordinary, g.where(tiny, size * 2.0**lift, size), 1.0)
    exponent = g.unary("Floor", g.unary("Log", safe) / _LN_2) + 1.0
    mantissa = _scaled(g, safe, -exponent)
    over, under = mantissa >= 1.0, mantissa < 0.5
    exponent = exponent + g.cast(over, x.dtype) - g.cast(under, x.dtype)
    mantissa = g.where(over, mantissa * 0.5, g.where(under, mantissa * 2.0, mantissa))
    exponent = g.where(ordinary, g.where(tiny, exponent - float(lift), exponent), 0.0)
    return g.where(ordinary, copysign(g, mantissa, x), x), exponent


def _scaled(g: Graph, x: Value, exponent: Value) -> Value:
    """``x * 2**exponent``, in three steps, since the power itself may be infinite or 0."""
    third = g.unary("Floor", exponent * (1 / 3))
    two = g.constant(2.0, x.dtype)
    for part in (third, third, exponent - third - third):
        x = x * g.elementwise("Pow", [two, part], x.dtype)
    return x


def _ldexp(g: Graph, x: Operand, exponent: Operand) -> Value:
    x = g.floating(x)
    most = 2.0 * (np.finfo(x.dtype).maxexp + np.finfo(x.dtype).nmant)  # with more, all are 0 or infinite
    return _scaled(g, x, clipped(g, g.cast(exponent, x.dtype), min=-most, max=most))


def _plain(op: str) -> Row:
    return lambda g, x: g.function(op, x)


_FUNCTIONS = ["exp", "log", "sigmoid", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh",
              "asinh", "acosh", "atanh", "reciprocal"]  # fmt: skip

EXPONENTIALS: dict[str, Callable[..., Any]] = {
    **{name: _plain(name.capitalize()) for name in _FUNCTIONS},
    "expm1": expm1,
    "log1p": log1p,
    "logaddexp": logaddexp,
    "logaddexp2": _logaddexp2,
    "exp2": _exp2,
    "log2": lambda g, x: g.function("Log", x) / _LN_2,
    "log10": lambda g, x: g.function("Log", x) / _LN_10,
    "cbrt": _cbrt,
    "spherical_bessel": _spherical_bessel,
    "deg2rad": lambda g, x: g.floating(x) * (math.pi / 180),
    "rad2deg": lambda g, x: g.floating(x) * (180 / math.pi),
    # Whole numbers, and parts of numbers
    "floor": _rounded("Floor"),
    "ceil": _rounded("Ceil"),
    "trunc": _trunc,
    "whole": _trunc,
    "round": _round,
    "fraction": _fraction,
    "exponent": lambda g, x: _frexp(g, g.floating(x))[1],
    "mantissa": lambda g, x: _frexp(g, g.floating(x))[0],
    "ldexp": _ldexp,
}
