"""In ONNX: arithmetic, with NumPy's signs, zeros and integers."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.export.for_onnx.bodies import looped
from minigrad.export.for_onnx.builder import Graph
from minigrad.export.for_onnx.values import Operand, Row, Value

# Arithmetic.  ONNX has no sums of bools, and its division of integers truncates, and must not see 0.


def of_two(op: str, of_bools: str) -> Row:
    """A row of two operands, with another operation of bools."""

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
        return _integer_rest(g, a, b)[0]
    rest = g.elementwise("Mod", [a, b], a.dtype, fmod=1)
    turned = ~g.equal(rest, 0) & g.logic("Xor", b < 0, rest < 0)
    return g.where(turned, rest + b, g.where(g.equal(rest, 0), copysign(g, rest, b), rest))


def _integer_rest(g: Graph, a: Value, b: Value) -> tuple[Value, Value]:
    """The remainder with the sign of the divisor, which is 0 for 0; and a divisor that is not 0."""
    safe, zero = _divisor(g, a, b)
    wide = [g.wide(x) for x in (a, safe)]
    rest = g.cast(g.elementwise("Mod", wide, wide[0].dtype), a.dtype)
    return g.where(zero, g.constant(0, a.dtype), rest), safe


def _fmod(g: Graph, a: Operand, b: Operand) -> Value:
    a, b = g.alike(a, b)
    if a.dtype.kind == "f":
        return g.elementwise("Mod", [a, b], a.dtype, fmod=1)
    a, b = (g.cast(x, np.int8) if x.dtype.kind == "b" else x for x in (a, b))
    rest, safe = _integer_rest(g, a, b)  # `Mod` with the sign of `a` is computed in floating point by some runtimes
    turned = ~g.equal(rest, 0) & g.logic("Xor", a < 0, safe < 0)
    return g.where(turned, rest - safe, rest)


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


def copysign(g: Graph, a: Operand, b: Operand) -> Value:
    """The size of one number with the sign of another."""
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


def _heaviside(g: Graph, x: Operand, at_zero: Operand) -> Value:
    x, at_zero = g.alike(g.floating(x), g.floating(at_zero))
    step = g.where(x > 0, 1.0, g.where(x < 0, 0.0, at_zero))
    return g.where(g.isnan(x), x, step)


def _angle(g: Graph, z: Operand, *, deg: bool) -> Value:
    z = g.floating(z)
    turned = g.where(_signbit(g, z), g.constant(180.0 if deg else math.pi, z.dtype), g.constant(0.0, z.dtype))
    return g.where(g.isnan(z), z, turned)


ARITHMETIC: dict[str, Callable[..., Any]] = {
    "add": of_two("Add", "Or"),
    "subtract": lambda g, a, b: g.arithmetic("Sub", a, b),
    "multiply": of_two("Mul", "And"),
    "divide": lambda g, a, b: g.divide(a, b),
    "pow": _pow,
    "floor_divide": _floor_divide,
    "remainder": _remainder,
    "fmod": _fmod,
    "hypot": _hypot,
    "copysign": copysign,
    "atan2": _atan2,
    "lead": _lead,
    "heaviside": _heaviside,
    "negative": lambda g, x: g.unary("Neg", x) if g.value(x).dtype.kind != "u" else g.constant(0, x.dtype) - x,
    "positive": lambda g, x: g.value(x),
    "abs": lambda g, x: g.value(x) if g.value(x).dtype.kind in "bu" else g.unary("Abs", x),
    "fabs": lambda g, x: g.function("Abs", x),
    "square": lambda g, x: of_two("Mul", "And")(g, x, x),
    "signbit": _signbit,
    "sign": lambda g, x: g.value(x) if g.value(x).dtype.kind == "b" else g.unary("Sign", x),
    # Of real numbers
    "real": lambda g, x: g.value(x),
    "conj": lambda g, x: g.value(x),
    "imag": lambda g, x: g.expand(g.constant(0, g.value(x).dtype), g.value(x).shape),
    "angle": _angle,
}
