"""In ONNX: error functions, normal probabilities, and the gamma function, of which ONNX itself has `Erf` only."""

import math
from collections.abc import Callable
from typing import Any

from minigrad.export.for_onnx.bodies import looped, seen_from
from minigrad.export.for_onnx.builder import Graph
from minigrad.export.for_onnx.exponentials import log1p
from minigrad.export.for_onnx.values import Operand, Value

# Error functions.  Repeated integrals of erfc, times exp(x * x): below 1 by the recurrence upwards, and from 1 on by
# their continued fraction, of which so many steps are enough.

_ENOUGH = 120
_SLOPE, _DENSITY, _ROOT_HALF = 2 / math.sqrt(math.pi), 1 / math.sqrt(2 * math.pi), math.sqrt(0.5)


def _erf(g: Graph, x: Operand) -> Value:
    return g.function("Erf", x)


def _erfc_integral(g: Graph, x: Operand, *, n: int) -> Value:
    x = g.floating(x)
    far = x >= 1
    near, x = g.where(far, 0, x), g.where(far, x, 1)
    before: Any = g.constant(_SLOPE, x.dtype)
    now = g.unary("Exp", near * near) * (1 - _erf(g, near))
    for k in range(1, n + 1):
        before, now = now, (before - 2 * near * now) / (2 * k)
    last = n + _ENOUGH
    first = 1 / (x + g.unary("Sqrt", x * x + 2 * last))

    def step(body: Graph, carry: list[Value]) -> list[Value]:
        ratio, number = carry
        return [0.5 / (seen_from(body, x) + number * ratio), number - 1]

    ratio = looped(g, [first, g.constant(last, x.dtype)], step, count=_ENOUGH - 1)[0]
    value: Any = g.constant(_SLOPE, x.dtype)
    for k in range(n, -1, -1):
        ratio = 0.5 / (x + (k + 1) * ratio)
        value = value * ratio
    return g.where(far, value, now)


def _erfc(g: Graph, x: Operand) -> Value:
    x = g.floating(x)
    far = x >= 1
    tail = g.where(far, x, 1)
    small = g.unary("Exp", -tail * tail) * _erfc_integral(g, tail, n=0)
    value = g.where(far, small, 1 - _erf(g, x))
    return g.where(g.isnan(x), x, value)


def _ndtr(g: Graph, x: Operand) -> Value:
    return 0.5 * _erfc(g, g.floating(x) * -_ROOT_HALF)


def _log_ndtr(g: Graph, x: Operand) -> Value:
    x = g.floating(x)
    low = x < -1
    upper, lower = g.where(low, 0, x), g.where(low, x, -1)
    tail = g.unary("Log", 0.5 * _erfc_integral(g, lower * -_ROOT_HALF, n=0)) - 0.5 * lower * lower
    return g.where(low, tail, log1p(g, -0.5 * _erfc(g, upper * _ROOT_HALF)))


def _erfc_inverse(g: Graph, q: Value) -> Value:
    """Where erfc is `q`, at most 1: from a formula with three digits on, by Newton's method for logarithms."""
    log = g.unary("Log", q)
    a = 0.147
    whole = 2 / (math.pi * a) + (log + g.unary("Log", 2 - q)) / 2
    x = g.unary("Sqrt", g.unary("Sqrt", whole * whole - (log + g.unary("Log", 2 - q)) / a) - whole)
    for _ in range(_STEPS):
        scaled = _erfc_integral(g, x, n=0)
        x = x + (g.unary("Log", scaled) - x * x - log) * scaled / _SLOPE
    return x


_STEPS = 4


def _erfinv(g: Graph, y: Operand) -> Value:
    """Near 0 by Newton's method for erf itself, of which no digit is lost there."""
    y = g.floating(y)
    size = g.unary("Abs", y)
    small = size < 0.5
    x = g.where(small, size, 0.0) * (math.sqrt(math.pi) / 2)
    for _ in range(_STEPS + 1):
        x = x + (g.where(small, size, 0.0) - _erf(g, x)) * g.unary("Exp", x * x) / _SLOPE
    far = _erfc_inverse(g, g.where(small | g.equal(size, 1) | ~(size < 1), 0.5, 1 - size))
    value = g.where(small, x, g.where(g.equal(size, 1), math.inf, g.where(size < 1, far, math.nan)))
    return g.where(y < 0, -value, value)


def _ndtri(g: Graph, p: Operand) -> Value:
    p = g.floating(p)
    upper = p > 0.5
    q = g.where(upper, 1 - p, p) * 2
    inside = (q > 0) & (q < 1)
    value = _erfc_inverse(g, g.where(inside, q, 0.5)) * math.sqrt(2)
    value = g.where(inside, value, g.where(g.equal(q, 1), 0, g.where(g.equal(q, 0), math.inf, math.nan)))
    return g.where(upper, value, -value)


# The gamma function: its logarithm is shifted to large numbers, where Stirling's series is exact.  What cancels next is
# computed in double precision.

_SHIFT = 10
_STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156]
_DIGAMMA = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12]


def _of_inverse(g: Graph, x: Value, coefficients: list[float]) -> Value:
    """The polynomial of 1 / x**2."""
    inverse = 1 / (x * x)
    total: Any = coefficients[-1]
    for c in coefficients[-2::-1]:
        total = total * inverse + c
    return total


def _positive_gammaln(g: Graph, x: Value) -> Value:
    product: Any = x
    for k in range(1, _SHIFT):
        product = product * (x + k)
    low = x < _SHIFT
    z = g.where(low, x + _SHIFT, x)
    value = (z - 0.5) * g.unary("Log", z) - z + math.log(2 * math.pi) / 2 + _of_inverse(g, z, _STIRLING) / z
    return value - g.where(low, g.unary("Log", g.where(low, product, 1)), 0)


def _sine_of_pi(g: Graph, x: Value) -> Value:
    """``sin(pi * x)``, from how far the number is from a whole one."""
    whole = g.unary("Round", x)
    odd = g.equal(whole - 2 * g.unary("Floor", whole * 0.5), 1)
    sine = g.unary("Sin", (x - whole) * math.pi)
    return g.where(odd, -sine, sine)


def _gammaln(g: Graph, x: Operand) -> Value:
    dtype, x = g.floating(x).dtype, g.cast(x, float)
    low = x < 0.5
    value = _positive_gammaln(g, g.where(low, 1 - x, x))
    sine = g.unary("Abs", _sine_of_pi(g, g.where(low, x, 0.5)))
    reflected = math.log(math.pi) - g.unary("Log", sine) - value
    value = g.where(low, reflected, value)
    whole = low & g.equal(x, g.unary("Floor", x))
    return g.cast(g.where(whole | g.equal(g.unary("Abs", x), math.inf), math.inf, value), dtype)


def _gamma(g: Graph, x: Operand) -> Value:
    """Below 0 the sign changes from one whole number to the next; at these there is no value, at 0 there are two."""
    dtype, x = g.floating(x).dtype, g.cast(x, float)
    floor = g.unary("Floor", x)
    odd = g.equal(floor - 2 * g.unary("Floor", floor * 0.5), 1)
    size = g.unary("Exp", _gammaln(g, x))
    value = g.where((x < 0) & odd, -size, size)
    value = g.where(g.equal(x, 0), g.unary("Reciprocal", x), value)
    return g.cast(g.where((x < 0) & g.equal(x, floor), math.nan, value), dtype)


def _beta(g: Graph, a: Operand, b: Operand) -> Value:
    """By logarithms of sizes, and signs."""
    dtype, a, b = g.common(g.floating(a), g.floating(b)), g.cast(a, float), g.cast(b, float)
    signs = [g.unary("Sign", _gamma(g, x)) for x in (a, b, a + b)]
    return g.cast(g.unary("Exp", _betaln(g, a, b)) * signs[0] * signs[1] * signs[2], dtype)


def _digamma(g: Graph, x: Operand) -> Value:
    dtype, x = g.floating(x).dtype, g.cast(x, float)
    low = x < 0.5
    z = g.where(low, 1 - x, x)
    total: Any = 0.0
    for k in range(_SHIFT):
        total = total + 1 / (z + k)
    small = z < _SHIFT
    large = g.where(small, z + _SHIFT, z)
    value = g.unary("Log", large) - 0.5 / large - _of_inverse(g, large, _DIGAMMA) / (large * large)
    value = value - g.where(small, total, 0)
    apart = (x - g.unary("Round", x)) * math.pi
    reflected = value - math.pi * g.unary("Cos", apart) / g.unary("Sin", apart)
    pole = g.where(g.equal(x, 0), -g.unary("Reciprocal", x), math.nan)
    whole = low & g.equal(x, g.unary("Floor", x))
    return g.cast(g.where(whole, pole, g.where(low, reflected, value)), dtype)


def _betaln(g: Graph, a: Operand, b: Operand) -> Value:
    dtype, a, b = g.common(g.floating(a), g.floating(b)), g.cast(a, float), g.cast(b, float)
    return g.cast(_gammaln(g, a) + _gammaln(g, b) - _gammaln(g, a + b), dtype)


SPECIAL: dict[str, Callable[..., Any]] = {
    "erf": _erf,
    "erfc": _erfc,
    "erfc_integral": _erfc_integral,
    "ndtr": _ndtr,
    "log_ndtr": _log_ndtr,
    "erfinv": _erfinv,
    "ndtri": _ndtri,
    "gammaln": _gammaln,
    "gamma": _gamma,
    "digamma": _digamma,
    "betaln": _betaln,
    "beta": _beta,
}
