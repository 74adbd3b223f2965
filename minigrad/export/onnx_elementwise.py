"""In ONNX: functions of one element of each operand, of the Array API standard and others of NumPy's."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.export.onnx_bodies import looped
from minigrad.export.onnx_builder import Graph, Operand, Row, Value, of_result

# Arithmetic.  ONNX has no sums of bools, and its division of integers truncates, and must not see 0.


def _of_two(op: str, of_bools: str) -> Row:
    def row(g: Graph, a: Operand, b: Operand) -> Value:
        return g.logic(of_bools, a, b) if g.common(a, b).kind == "b" else g.arithmetic(op, a, b)

    return row


def _divisor(g: Graph, a: Value, b: Value) -> tuple[Value, Value]:
    """A divisor that no machine refuses; and where it stands for 0."""
    zero = g.equal(b, 0)
    overflows = g.equal(b, -1) & g.equal(a, np.iinfo(a.dtype).min) if a.dtype.kind == "i" else zero
    return g.where(zero | overflows, g.constant(1, b.dtype), b), zero


def _floor_divide(g: Graph, a: Operand, b: Operand) -> Value:
    a, b = g.alike(a, b)
    if a.dtype.kind == "f":
        return _float_floor(g, a, b)
    if a.dtype.kind == "b":
        a, b = g.cast(a, np.int8), g.cast(b, np.int8)
    safe, zero = _divisor(g, a, b)
    quotient = g.arithmetic("Div", a, safe)
    if a.dtype.kind == "i":
        inexact = ~g.equal(quotient * safe, a) & g.logic("Xor", a < 0, safe < 0)
        quotient = quotient - g.cast(inexact, a.dtype)
    return g.where(zero, g.constant(0, a.dtype), quotient)


def _float_floor(g: Graph, a: Value, b: Value) -> Value:
    """As NumPy, from the remainder, which is exact."""
    rest = g.elementwise("Mod", [a, b], a.dtype, fmod=1)
    turned = ~g.equal(rest, 0) & g.logic("Xor", b < 0, rest < 0)
    quotient = (a - rest) / b
    quotient = g.where(turned, quotient - 1.0, quotient)
    whole = g.unary("Floor", quotient)
    whole = g.where(quotient - whole > 0.5, whole + 1.0, whole)
    whole = g.where(g.equal(quotient, 0), a / b * 0.0, whole)
    return g.where(g.equal(b, 0), a / b, whole)


def _remainder(g: Graph, a: Operand, b: Operand) -> Value:
    a, b = g.alike(a, b)
    if a.dtype.kind != "f":
        a, b = (g.cast(x, np.int8) if x.dtype.kind == "b" else x for x in (a, b))
        return _without_zero(g, a, b, 0)
    rest = g.elementwise("Mod", [a, b], a.dtype, fmod=1)
    turned = ~g.equal(rest, 0) & g.logic("Xor", b < 0, rest < 0)
    return g.where(turned, rest + b, g.where(g.equal(rest, 0), _copysign(g, rest, b), rest))


def _without_zero(g: Graph, a: Value, b: Value, fmod: int) -> Value:
    safe, zero = _divisor(g, a, b)
    wide = [g.cast(x, {"i1": "i4", "i2": "i4", "u1": "i4", "u2": "i4"}.get(x.dtype.str[1:], x.dtype)) for x in (a, safe)]
    rest = g.cast(g.elementwise("Mod", wide, wide[0].dtype, fmod=fmod), a.dtype)
    return g.where(zero, g.constant(0, a.dtype), rest)


def _fmod(g: Graph, a: Operand, b: Operand) -> Value:
    a, b = g.alike(a, b)
    if a.dtype.kind == "f":
        return g.elementwise("Mod", [a, b], a.dtype, fmod=1)
    a, b = (g.cast(x, np.int8) if x.dtype.kind == "b" else x for x in (a, b))
    return _without_zero(g, a, b, 1)


def _pow(g: Graph, a: Operand, b: Operand) -> Value:
    dtype = g.common(a, b)
    if type(b) is int and 0 <= b <= _UNROLLED:
        return _power(g, g.cast(a, dtype), b)
    if dtype.kind == "f" and type(b) is float and b == 0.5:
        return g.unary("Sqrt", g.cast(a, dtype))  # as NumPy: that of -inf is NaN
    if dtype.kind == "f":
        return g.elementwise("Pow", [g.cast(a, dtype), g.cast(b, dtype)], dtype)
    return _integer_power(g, g.cast(a, np.int64), g.cast(b, np.int64))


_UNROLLED = 3  # up to this power products are as exact as NumPy's


def _power(g: Graph, x: Value, n: int) -> Value:
    if not n:
        return g.expand(g.constant(1, x.dtype), x.shape)
    made = x
    for _ in range(n - 1):
        made = made * x
    return made


def _integer_power(g: Graph, a: Value, b: Value) -> Value:
    """By repeated squares, since runtimes compute powers of integers in floating point."""
    one = g.constant(np.int64(1))
    whole = g.elementwise("Add", [a, b * 0], np.int64)
    first = [g.expand(one, whole.shape), whole, g.elementwise("Add", [b, a * 0], np.int64)]

    def step(body: Graph, carry: list[Value]) -> list[Value]:
        product, base, rest = carry
        odd = body.elementwise("Mod", [rest, body.constant(2)], np.int64)
        product = body.where(body.equal(odd, 1), product * base, product)
        half = body.elementwise("Div", [rest - odd, body.constant(2)], np.int64)
        half = body.where(rest < 0, half + np.int64(np.iinfo(np.int64).min), half)  # it had no sign
        return [product, base * base, half]

    return looped(g, first, step, count=64)[0]


def _hypot(g: Graph, a: Operand, b: Operand) -> Value:
    a, b = (g.unary("Abs", x) for x in g.alike(g.floating(a), g.floating(b)))
    large, small = g.arithmetic("Max", a, b), g.arithmetic("Min", a, b)
    ratio = small / g.where(g.equal(large, 0), 1.0, large)
    length = large * g.unary("Sqrt", ratio * ratio + 1.0)
    infinite = g.equal(a, math.inf) | g.equal(b, math.inf)
    return g.where(infinite, math.inf, length)


def _copysign(g: Graph, a: Operand, b: Operand) -> Value:
    a, b = g.alike(g.floating(a), g.floating(b))
    size = g.unary("Abs", a)
    return g.where(_signbit(g, b), -size, size)


def _signbit(g: Graph, x: Operand) -> Value:
    x = g.value(x)
    if x.dtype.kind != "f":
        return x < 0
    return (x < 0) | (g.equal(x, 0) & (g.unary("Reciprocal", x) < 0))


def _atan2(g: Graph, a: Operand, b: Operand) -> Value:
    """By the quotient that is at most 1, in the octant that signs and sizes tell."""
    a, b = g.alike(g.floating(a), g.floating(b))
    y, x = g.unary("Abs", a), g.unary("Abs", b)
    steep = y > x
    large, small = g.where(steep, y, x), g.where(steep, x, y)
    ratio = small / g.where(g.equal(large, 0), 1.0, large)
    ratio = g.where(g.equal(small, math.inf), 1.0, g.where(g.equal(large, math.inf), 0.0, ratio))
    angle = g.unary("Atan", ratio)
    angle = g.where(steep, math.pi / 2 - angle, angle)
    angle = g.where(_signbit(g, b), math.pi - angle, angle)
    return g.where(g.isnan(a) | g.isnan(b), math.nan, g.where(_signbit(g, a), -angle, angle))


def _lead(g: Graph, a: Operand, b: Operand) -> Value:
    a, b = g.alike(a, b)
    d = a - b
    return g.where(g.isnan(d) & g.equal(a, b), g.arithmetic("Min", a, 0), d)


def logaddexp(g: Graph, a: Operand, b: Operand) -> Value:
    """``log(exp(a) + exp(b))``: the larger one, and what the smaller one adds."""
    a, b = g.alike(g.floating(a), g.floating(b))
    top = g.arithmetic("Max", a, b)
    apart = g.where(g.equal(a, b), 0.0, -g.unary("Abs", a - b))  # also of equal infinities
    return top + log1p(g, g.unary("Exp", apart))


def _logaddexp2(g: Graph, a: Operand, b: Operand) -> Value:
    return logaddexp(g, g.floating(a) * _LN_2, g.floating(b) * _LN_2) / _LN_2


def _heaviside(g: Graph, x: Operand, at_zero: Operand) -> Value:
    x, at_zero = g.alike(g.floating(x), g.floating(at_zero))
    step = g.where(x > 0, 1.0, g.where(x < 0, 0.0, at_zero))
    return g.where(g.isnan(x), x, step)


def _angle(g: Graph, z: Operand, *, deg: bool) -> Value:
    z = g.floating(z)
    turned = g.where(_signbit(g, z), g.constant(180.0 if deg else math.pi, z.dtype), g.constant(0.0, z.dtype))
    return g.where(g.isnan(z), z, turned)


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


def _exp2(g: Graph, x: Operand) -> Value:
    x = g.floating(x)
    return g.elementwise("Pow", [g.constant(2.0, x.dtype), x], x.dtype)


def _cbrt(g: Graph, x: Operand) -> Value:
    x = g.floating(x)
    root = g.elementwise("Pow", [g.unary("Abs", x), g.constant(1 / 3, x.dtype)], x.dtype)
    return _copysign(g, root, x)


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
    return g.where(ordinary, _copysign(g, mantissa, x), x), exponent


def _scaled(g: Graph, x: Value, exponent: Value) -> Value:
    """``x * 2**exponent``, in three steps, since the power itself may be infinite or 0."""
    part = g.unary("Floor", exponent * (1 / 3))
    two = g.constant(2.0, x.dtype)
    for part in (part, part, exponent - part - part):
        x = x * g.elementwise("Pow", [two, part], x.dtype)
    return x


def _ldexp(g: Graph, x: Operand, exponent: Operand) -> Value:
    x = g.floating(x)
    most = 2.0 * (np.finfo(x.dtype).maxexp + np.finfo(x.dtype).nmant)  # with more, all are 0 or infinite
    return _scaled(g, x, clipped(g, g.cast(exponent, x.dtype), min=-most, max=most))


# Choosing


def _chosen_number(op: str, of_bools: str) -> Row:
    """The larger or smaller of two, where a number wins against NaN."""

    def row(g: Graph, a: Operand, b: Operand) -> Value:
        if g.common(a, b).kind != "f":
            return _of_two(op, of_bools)(g, a, b)
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
    return g.unary("Abs", x) < math.inf if x.dtype.kind == "f" else g.expand(True, x.shape)


def _isinf(g: Graph, x: Operand) -> Value:
    x = g.value(x)
    return g.node("IsInf", [x], bool, x.shape) if x.dtype.kind == "f" else g.expand(False, x.shape)


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
    beyond = g.where(a < 0, g.constant(-1, a.dtype), g.constant(0, a.dtype)) if a.dtype.kind == "i" else g.constant(0, a.dtype)
    return g.where(gone, beyond, _floor_divide(g, a, power))


def _plain(op: str) -> Row:
    return lambda g, x: g.f(op, x)


def _compared(op: str) -> Row:
    return lambda g, a, b: g.compared(op, a, b)


def _logical(op: str) -> Row:
    return lambda g, a, b: g.logic(op, a, b)


_FUNCTIONS = ["exp", "log", "sigmoid", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh",
              "asinh", "acosh", "atanh", "reciprocal"]  # fmt: skip

ELEMENTWISE: dict[str, Callable[..., Any]] = {
    # Arithmetic
    "add": _of_two("Add", "Or"), "subtract": lambda g, a, b: g.arithmetic("Sub", a, b),
    "multiply": _of_two("Mul", "And"), "divide": lambda g, a, b: g.divide(a, b), "pow": _pow,
    "floor_divide": _floor_divide, "remainder": _remainder, "fmod": _fmod, "hypot": _hypot, "copysign": _copysign,
    "atan2": _atan2, "lead": _lead, "logaddexp": logaddexp, "logaddexp2": _logaddexp2, "heaviside": _heaviside,
    "negative": lambda g, x: g.unary("Neg", x) if g.value(x).dtype.kind != "u" else g.constant(0, x.dtype) - x,
    "positive": lambda g, x: g.value(x), "real": lambda g, x: g.value(x), "conj": lambda g, x: g.value(x),
    "imag": lambda g, x: g.expand(g.constant(0, g.value(x).dtype), g.value(x).shape), "angle": _angle,
    "abs": lambda g, x: g.value(x) if g.value(x).dtype.kind in "bu" else g.unary("Abs", x),
    "fabs": lambda g, x: g.f("Abs", x), "square": lambda g, x: _of_two("Mul", "And")(g, x, x),
    # Exponentials, logarithms, roots and angles
    **{name: _plain(name.capitalize()) for name in _FUNCTIONS},
    "expm1": expm1, "log1p": log1p, "exp2": _exp2, "cbrt": _cbrt, "spherical_bessel": _spherical_bessel,
    "log2": lambda g, x: g.f("Log", x) / _LN_2, "log10": lambda g, x: g.f("Log", x) / _LN_10,
    "deg2rad": lambda g, x: g.floating(x) * (math.pi / 180), "rad2deg": lambda g, x: g.floating(x) * (180 / math.pi),
    # Steps, and parts of numbers
    "sign": lambda g, x: g.value(x) if g.value(x).dtype.kind == "b" else g.unary("Sign", x),
    "floor": _rounded("Floor"), "ceil": _rounded("Ceil"), "trunc": _trunc, "whole": _trunc, "round": _round,
    "fraction": _fraction, "exponent": lambda g, x: _frexp(g, g.floating(x))[1],
    "mantissa": lambda g, x: _frexp(g, g.floating(x))[0], "ldexp": _ldexp,
    # Choosing
    "where": _where, "selected": lambda g, x, mask: g.where(mask, x, 0),
    "maximum": _of_two("Max", "Or"), "minimum": _of_two("Min", "And"),
    "fmax": _chosen_number("Max", "Or"), "fmin": _chosen_number("Min", "And"), "clip": clipped,
    # Tests, logic and bits
    "ordinary": _ordinary, "magnifier": _magnifier, "isnan": lambda g, x: g.isnan(x), "isinf": _isinf,
    "isfinite": _isfinite, "signbit": _signbit, "logical_not": lambda g, x: ~g.value(x),
    "logical_and": _logical("And"), "logical_or": _logical("Or"), "logical_xor": _logical("Xor"),
    "equal": _compared("Equal"), "not_equal": lambda g, a, b: ~g.equal(a, b),
    "less": _compared("Less"), "less_equal": _compared("LessOrEqual"),
    "greater": _compared("Greater"), "greater_equal": _compared("GreaterOrEqual"),
    "bitwise_and": _bitwise("BitwiseAnd", "And"), "bitwise_or": _bitwise("BitwiseOr", "Or"),
    "bitwise_xor": _bitwise("BitwiseXor", "Xor"), "bitwise_invert": _invert,
    "bitwise_left_shift": _left_shift, "bitwise_right_shift": _right_shift,
}  # fmt: skip
