"""In JAX: functions of one element of each operand, of the Array API standard and others of NumPy's."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy import special

from minigrad.export.for_jax.operands import alike, constant, floating

# Both branches of a `where` are differentiated, and what is not chosen must not give 0 times inf: so the operands of
# a function that is infinite somewhere are replaced there, too.


def _reciprocal(x: Any) -> Any:
    return 1 / floating(x)


@jax.custom_jvp
def _nextafter(a: Any, b: Any) -> Any:
    return jnp.nextafter(a, b)


@_nextafter.defjvp
def _(operands: Any, tangents: Any) -> Any:
    y = _nextafter(*operands)
    return y, jnp.broadcast_to(tangents[0], y.shape)


def _lead(a: Any, b: Any) -> Any:
    d = a - b
    return jnp.where(jnp.isnan(d) & (a == b), jnp.minimum(a, 0), d)


def _ordinary(length: Any) -> Any:
    return jnp.all((length == 0) | ((length >= np.finfo(length.dtype).tiny) & (length < jnp.inf)))


def _magnifier(length: Any) -> Any:
    limits = np.finfo(length.dtype)
    return jnp.where((length > 0) & (length < limits.tiny), 1 / limits.eps, jnp.ones_like(length))


def _atan2(a: Any, b: Any) -> Any:
    """At the origin the derivative is 0."""
    origin = (a == 0) & (b == 0)
    turned = jnp.arctan2(a, jnp.where(origin, 1, b))
    return jnp.where(origin, lax.stop_gradient(jnp.arctan2(a, b)), jnp.where(origin, 0, turned))


def _hypot(a: Any, b: Any) -> Any:
    """At the origin the derivative is 0."""
    origin, infinite = (a == 0) & (b == 0), jnp.isinf(a) | jnp.isinf(b)
    length = jnp.hypot(jnp.where(origin | infinite, 1, a), jnp.where(infinite, 1, b))
    return jnp.where(infinite, jnp.inf, jnp.where(origin, 0, length))


def _sign(x: Any) -> Any:
    """That of a complex number turns with it."""
    x = jnp.asarray(x)
    if x.dtype.kind != "c":
        return jnp.sign(x)
    return jnp.where(x == 0, 0, x / jnp.abs(jnp.where(x == 0, 1, x)))


def _rounded(rounding: Callable[..., Any]) -> Callable[..., Any]:
    """Integers are whole already."""
    return lambda x: x if jnp.asarray(x).dtype.kind in "biu" else rounding(x)


def _round(x: Any, *, decimals: int) -> Any:
    x = jnp.asarray(x)
    if x.dtype.kind in "fc":
        return jnp.round(x, decimals)
    return x if decimals >= 0 else (jnp.round(x / 10**-decimals) * 10**-decimals).astype(x.dtype)


def _clip(x: Any, *, min: Any, max: Any) -> Any:
    """An element that equals a bound keeps its gradient, all of it."""
    x = jnp.asarray(x)
    if x.dtype.kind in "iu":
        limits = np.iinfo(x.dtype)  # bounds beyond what the integers can hold change none of them
        min = None if isinstance(min, int) and min <= limits.min else min
        max = None if isinstance(max, int) and max >= limits.max else max
    y = lax.stop_gradient(x)
    y = y if min is None else alike(jnp.maximum)(y, min)
    y = y if max is None else alike(jnp.minimum)(y, max)
    return alike(jnp.where)((x == y) | jnp.isnan(x), x, y)


# NumPy's own


def _angle(z: Any, *, deg: bool) -> Any:
    z = jnp.asarray(z)
    turned = _atan2(z.imag, z.real) if z.dtype.kind == "c" else jnp.arctan2(0, lax.stop_gradient(floating(z)))
    return turned * (180 / np.pi) if deg else turned


def _fraction(x: Any) -> Any:
    return jnp.where(jnp.isinf(x), 0, jnp.fmod(x, 1))


@jax.custom_jvp
def _mantissa(x: Any) -> Any:
    return jnp.frexp(x)[0]


@_mantissa.defjvp
def _(operands: Any, tangents: Any) -> Any:
    mantissa, exponent = jnp.frexp(operands[0])
    half = exponent // 2  # the power itself may be infinite
    return mantissa, tangents[0] * 2.0**-half * 2.0 ** (half - exponent)


def _ldexp(x: Any, exponent: Any) -> Any:
    return jnp.ldexp(x, lax.stop_gradient(exponent))


def _chosen_number(choose: Callable[..., Any]) -> Callable[..., Any]:
    """The larger or smaller of two, where a number wins against NaN."""

    def call(a: Any, b: Any) -> Any:
        return choose(jnp.where(jnp.isnan(a), b, a), jnp.where(jnp.isnan(b), a, b))

    return call


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def _bessel(z: Any, n: int) -> Any:
    """The spherical Bessel function, by the recurrence where it is stable, and else by the series."""
    if n == 0:
        safe = jnp.where(z == 0, 1, z)
        return jnp.where(z == 0, 1, jnp.sin(safe) / safe)
    small = jnp.abs(z) < n + 1
    large, near = jnp.where(small, n + 1, z), jnp.where(small, z, 0)
    before, now = jnp.cos(large) / large, jnp.sin(large) / large
    for k in range(n):
        before, now = now, (2 * k + 1) / large * now - before
    term = near / 3
    for k in range(2, n + 1):
        term = term * near / (2 * k + 1)
    series = term
    for k in range(1, 12 + 2 * n):
        term = term * near * near / (-2 * k * (2 * n + 2 * k + 1))
        series = series + term
    return jnp.where(small, series, now)


@_bessel.defjvp
def _(n: int, operands: Any, tangents: Any) -> Any:
    (z,), (t,) = operands, tangents
    after = _bessel(z, n + 1)
    slope = (n * _bessel(z, n - 1) - (n + 1) * after) / (2 * n + 1) if n else -after
    return _bessel(z, n), t * slope


def _of_one_dtype(table: dict[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    return {name: alike(function) for name, function in table.items()}


ELEMENTWISE: dict[str, Callable[..., Any]] = {
    # Arithmetic
    **_of_one_dtype({
        "add": jnp.add, "subtract": jnp.subtract, "multiply": jnp.multiply, "divide": jnp.true_divide, "pow": jnp.power,
        "floor_divide": jnp.floor_divide, "remainder": jnp.remainder, "fmod": jnp.fmod, "hypot": _hypot,
        "copysign": jnp.copysign, "nextafter": _nextafter, "atan2": _atan2, "lead": _lead,
        "logaddexp": jnp.logaddexp, "logaddexp2": jnp.logaddexp2, "heaviside": jnp.heaviside,
    }),
    "negative": jnp.negative, "positive": jnp.positive, "abs": jnp.abs, "fabs": jnp.fabs, "square": jnp.square,
    "reciprocal": _reciprocal, "real": jnp.real, "imag": jnp.imag, "conj": jnp.conj, "angle": _angle,
    # Exponentials, logarithms, roots and angles
    "exp": jnp.exp, "expm1": jnp.expm1, "exp2": jnp.exp2, "log": jnp.log, "log1p": jnp.log1p, "log2": jnp.log2,
    "log10": jnp.log10, "sigmoid": special.expit, "sqrt": jnp.sqrt, "cbrt": jnp.cbrt,
    "sin": jnp.sin, "cos": jnp.cos, "tan": jnp.tan, "asin": jnp.arcsin, "acos": jnp.arccos, "atan": jnp.arctan,
    "sinh": jnp.sinh, "cosh": jnp.cosh, "tanh": jnp.tanh, "asinh": jnp.arcsinh, "acosh": jnp.arccosh,
    "atanh": jnp.arctanh, "deg2rad": jnp.deg2rad, "rad2deg": jnp.rad2deg,
    "spherical_bessel": lambda z, *, n: _bessel(floating(z), n),
    # Steps, and parts of numbers
    "sign": _sign, "floor": _rounded(jnp.floor), "ceil": _rounded(jnp.ceil), "trunc": _rounded(jnp.trunc),
    "round": _round, "fraction": _fraction, "whole": jnp.trunc, "exponent": lambda x: jnp.frexp(x)[1],
    "mantissa": lambda x: _mantissa(floating(x)), "ldexp": _ldexp, "spacing": constant(jnp.spacing),
    # Choosing
    "where": lambda condition, a, b: alike(lambda a, b: jnp.where(condition, a, b))(a, b),
    "selected": lambda g, mask: jnp.where(mask, g, 0),
    **_of_one_dtype({
        "maximum": jnp.maximum, "minimum": jnp.minimum,
        "fmax": _chosen_number(jnp.maximum), "fmin": _chosen_number(jnp.minimum),
    }),
    "clip": _clip,
    # Tests, logic and bits
    "ordinary": constant(_ordinary), "magnifier": constant(_magnifier),
    "isnan": jnp.isnan, "isinf": jnp.isinf, "isfinite": jnp.isfinite, "signbit": jnp.signbit,
    "logical_not": jnp.logical_not, "logical_and": jnp.logical_and, "logical_or": jnp.logical_or,
    "logical_xor": jnp.logical_xor, "bitwise_invert": jnp.bitwise_invert,
    **_of_one_dtype({
        "equal": jnp.equal, "not_equal": jnp.not_equal, "less": jnp.less, "less_equal": jnp.less_equal,
        "greater": jnp.greater, "greater_equal": jnp.greater_equal,
        "bitwise_and": jnp.bitwise_and, "bitwise_or": jnp.bitwise_or, "bitwise_xor": jnp.bitwise_xor,
        "bitwise_left_shift": jnp.left_shift, "bitwise_right_shift": jnp.right_shift,
    }),
}  # fmt: skip
