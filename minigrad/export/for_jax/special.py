"""In JAX: error functions, normal probabilities, the gamma function and its relatives, and Bessel functions."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy import special

from minigrad.export.for_jax.operands import floating, of_one_dtype

_SLOPE, _DENSITY, _ROOT_HALF = 2 / math.sqrt(math.pi), 1 / math.sqrt(2 * math.pi), math.sqrt(0.5)

# Error functions.  Repeated integrals of erfc, times exp(x * x), of which each is the derivative of the next but for a
# factor: below 1 by the recurrence upwards, and from 1 on by its continued fraction, of which so many steps are enough.

_ENOUGH = 120


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def _erfc_integral(x: Any, n: int) -> Any:
    far = x >= 1
    near, x = jnp.where(far, 0, x), jnp.where(far, x, 1)
    before: Any = _SLOPE
    now = jnp.exp(near * near) * special.erfc(near)
    for k in range(1, n + 1):
        before, now = now, (before - 2 * near * now) / (2 * k)
    last = n + _ENOUGH
    ratio = 1 / (x + jnp.sqrt(x * x + 2 * last))
    ratio = lax.fori_loop(1, _ENOUGH, lambda i, ratio: 0.5 / (x + (last - i + 1) * ratio), ratio)
    value: Any = _SLOPE
    for k in range(n, -1, -1):
        ratio = 0.5 / (x + (k + 1) * ratio)
        value = value * ratio
    return jnp.where(far, value, now)


@_erfc_integral.defjvp
def _(n: int, operands: Any, tangents: Any) -> Any:
    (x,), (t,) = operands, tangents
    return _erfc_integral(x, n), -2 * (n + 1) * t * _erfc_integral(x, n + 1)


@jax.custom_jvp
def _log_ndtr(x: Any) -> Any:
    low = x < -1
    upper, lower = jnp.where(low, 0, x), jnp.where(low, x, -1)
    tail = jnp.log(0.5 * _erfc_integral(lower * -_ROOT_HALF, 0)) - 0.5 * lower * lower
    return jnp.where(low, tail, jnp.log1p(-0.5 * special.erfc(upper * _ROOT_HALF)))


@_log_ndtr.defjvp
def _(operands: Any, tangents: Any) -> Any:
    (x,), (t,) = operands, tangents
    return _log_ndtr(x), t * (2 * _DENSITY / _erfc_integral(x * -_ROOT_HALF, 0))


@jax.custom_jvp
def _ndtri(p: Any) -> Any:
    return special.ndtri(p)


@_ndtri.defjvp
def _(operands: Any, tangents: Any) -> Any:
    y = _ndtri(*operands)
    return y, tangents[0] * (jnp.exp(0.5 * y * y) / _DENSITY)


# The gamma function.  By parameters there are no derivatives, here as there.


def _of_reals(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*operands: Any) -> Any:
        return function(*of_one_dtype(*map(floating, operands)))

    return call


def _log_student_density(df: Any, t: Any) -> Any:
    """As the package's own: by the asymptotic series for many degrees of freedom, in which nothing large cancels."""
    is_normal, is_large = df == jnp.inf, df > 60
    df = jnp.where(is_normal, 1e300, df)
    by_a = 2 / df
    series = by_a * (-1 / 8 + by_a**2 * (1 / 192 + by_a**2 * (-1 / 640 + by_a**2 * (17 / 14336))))
    few = jnp.where(is_large, 1.0, df)
    exact = -special.betaln(few / 2, jnp.full_like(few, 0.5)) + jnp.log(2 / few) / 2 + math.log(math.pi) / 2
    exponent = jnp.where(is_normal, t * t / 2, (df + 1) / 2 * jnp.log1p(t * t / df))
    return jnp.where(is_large, series, exact) - math.log(2 * math.pi) / 2 - exponent


_MANY = 1e3  # degrees of freedom, from which on JAX's incomplete beta function has fewer and fewer digits
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)


def _far_probability(df: Any, t: Any) -> Any:
    """The probability beyond `t`, not negative, for many degrees of freedom: the integral to where nothing is left."""
    end = 60 / ((df + 1) * t / (df + t * t) + 5)
    at = t[..., None] + end[..., None] * (_NODES.astype(t.dtype) + 1) / 2
    return end / 2 * jnp.sum(jnp.exp(_log_student_density(df[..., None], at)) * _WEIGHTS.astype(t.dtype), axis=-1)


@jax.custom_jvp
def _stdtr(df: Any, t: Any) -> Any:
    df, t = jnp.broadcast_arrays(df, t)
    square = t * t
    near, half = square < jnp.minimum(df, 1), jnp.full_like(df, 0.5)
    middle = 0.5 + 0.5 * jnp.sign(t) * special.betainc(half, df / 2, jnp.where(near, square / (df + square), 0.5))
    tail = 0.5 * special.betainc(df / 2, half, jnp.where(near, 0.5, df / (df + square)))
    far = _far_probability(df, jnp.abs(t))
    near, tail = near & (df < _MANY), jnp.where(df < _MANY, tail, far)
    value = jnp.where(near, middle, jnp.where(t > 0, 1 - tail, tail))
    return jnp.where(df == jnp.inf, special.ndtr(t), value)


@_stdtr.defjvp
def _(operands: Any, tangents: Any) -> Any:
    return _stdtr(*operands), tangents[1] * jnp.exp(_log_student_density(*operands))


# Modified Bessel functions.  Those of order 0 and 1 are JAX's.  Others come from their series, whose terms are all
# positive, and where that is long from the recurrence upwards, which loses few digits there.

_LARGE, _TERMS = 30.0, 80


def _of_higher_order(x: Any, n: int, scaled: bool) -> Any:
    size = jnp.abs(x)
    large = size > _LARGE
    quarter = jnp.where(large, 1, size) ** 2 / 4
    term = jnp.where(large, 1, x / 2) ** n / math.factorial(n)
    series = term
    for k in range(1, _TERMS):
        term = term * quarter / (k * (n + k))
        series = series + term
    series = series * jnp.exp(-size) if scaled else series
    of_0, of_1 = (special.i0e, special.i1e) if scaled else (special.i0, special.i1)
    before, now, x = of_0(x), of_1(x), jnp.where(large, x, 1)
    for k in range(1, n):
        before, now = now, before - 2 * k / x * now
    return jnp.where(large, now, series)


@partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def _bessel(x: Any, n: int, scaled: bool) -> Any:
    if n > 1:
        return _of_higher_order(x, n, scaled)
    return [[special.i0, special.i0e], [special.i1, special.i1e]][n][scaled](x)


_FAR, _FAR_TERMS = 1e3, 12


def _far_slope(x: Any, n: int) -> Any:
    """The derivative of ``exp(-x) * I[n](x)`` for large numbers, where the difference below would lose digits."""
    coefficient, slope = 1 / math.sqrt(2 * math.pi), jnp.zeros_like(x)
    for k in range(_FAR_TERMS):
        slope = slope - (k + 0.5) * coefficient * x ** (-k - 1.5)
        coefficient *= ((2 * k + 1) ** 2 - 4 * n * n) / (8 * (k + 1))
    return slope


@_bessel.defjvp
def _(n: int, scaled: bool, operands: Any, tangents: Any) -> Any:
    (x,), (t,) = operands, tangents
    y, after = _bessel(x, n, scaled), _bessel(x, n + 1, scaled)
    slope = (_bessel(x, n - 1, scaled) + after) / 2 if n else after
    if scaled:
        beyond = _far_slope(jnp.maximum(jnp.abs(x), _FAR), n) * jnp.sign(x) ** (n + 1)
        slope = jnp.where(jnp.abs(x) > _FAR, beyond, slope - jnp.sign(x) * y)
    return y, t * slope


_GAMMA: dict[str, Callable[..., Any]] = {
    "gamma": special.gamma, "gammaln": special.gammaln, "digamma": special.digamma,
    "beta": special.beta, "betaln": special.betaln,
    "gammainc": special.gammainc, "gammaincc": special.gammaincc, "betainc": special.betainc, "stdtr": _stdtr,
}  # fmt: skip

SPECIAL: dict[str, Callable[..., Any]] = {
    "erf": special.erf, "erfc": special.erfc, "erfinv": special.erfinv, "ndtr": special.ndtr,
    "erfc_integral": lambda x, *, n: _erfc_integral(floating(x), n),
    "log_ndtr": lambda x: _log_ndtr(floating(x)), "ndtri": lambda p: _ndtri(floating(p)),
    "bessel_i": lambda x, *, n, scaled: _bessel(floating(x), n, scaled),
    "polygamma": lambda n, x: special.polygamma(jnp.asarray(n).astype(int), floating(x)),
    **{name: _of_reals(function) for name, function in _GAMMA.items()},
}  # fmt: skip
