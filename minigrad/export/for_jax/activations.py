"""In JAX: activations and gates, logistic functions, entropies, and what rules are made of.

At a kink the derivative is the package's own: the choice is a `where`, for JAX halves the gradient of a maximum there.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy import special

from minigrad.export.for_jax.operands import alike, constant, floating
from minigrad.program.numbers import OPERATORS

# Activations


def _hardtanh(x: Any, *, min_val: float, max_val: float) -> Any:
    return jnp.where(x <= min_val, min_val, jnp.where(x >= max_val, max_val, x))


def _softshrink(x: Any, *, lambd: float) -> Any:
    return jnp.where(jnp.abs(x) <= lambd, 0, x - lambd * jnp.sign(x))


def _elu(x: Any, *, alpha: float) -> Any:
    return jnp.where(x > 0, x, alpha * jnp.expm1(jnp.where(x > 0, 0, x)))


def _softplus(x: Any, *, beta: float, threshold: float) -> Any:
    z = x * beta
    return jnp.where(z > threshold, x, jnp.logaddexp(z, 0.0) / beta)


def _softsign(x: Any) -> Any:
    finite = jnp.where(jnp.isinf(x), 0, x)
    return jnp.where(jnp.isinf(x), jnp.sign(x), finite / (1 + jnp.abs(finite)))


# Beyond these limits gates are 0 or 1 in any precision, and the derivatives of the limited numbers are 0.

_DENSITY, _ROOT_2 = (2 * math.pi) ** -0.5, 2**-0.5
_SLOPE, _CUBIC = 2 * (2 / math.pi) ** 0.5, 0.044715


def _normal_density(x: Any) -> Any:
    x = jnp.clip(x, -40, 40)
    return _DENSITY * jnp.exp(-0.5 * x * x)


def _tanh_gate(x: Any) -> Any:
    x = jnp.clip(x, -100, 100)
    return special.expit(x * (_SLOPE + _SLOPE * _CUBIC * x * x))


def _gate_slope(x: Any, y: Any) -> Any:
    x = jnp.clip(x, -100, 100)
    return (_SLOPE + 3 * _CUBIC * _SLOPE * x * x) * y * (1 - y)


# Logistic functions


def _logit(x: Any) -> Any:
    x = floating(x)
    near = jnp.abs(x - 0.5) < 0.25  # where the logarithms would cancel
    middle, outer = jnp.where(near, x, 0.5), jnp.where(near, 0.1, x)
    return jnp.where(near, 2 * jnp.arctanh(2 * middle - 1), jnp.log(outer) - jnp.log1p(-outer))


def _largest_counted(a: Any, b: Any, *, axis: Any) -> Any:
    counted = jnp.where(b == 0, -jnp.inf, a)
    top = jnp.max(counted, axis=axis, keepdims=True, initial=-jnp.inf)
    return jnp.where(jnp.isinf(top), 0, top)


# Entropies


def _xlogy(x: Any, y: Any) -> Any:
    dropped = (x == 0) & ((y <= 0) | (y == jnp.inf))
    return jnp.where(dropped, 0, x * jnp.log(jnp.where(dropped, 1, y)))


def _xlog1py(x: Any, y: Any) -> Any:
    dropped = (x == 0) & ((y <= -1) | (y == jnp.inf))
    return jnp.where(dropped, 0, x * jnp.log1p(jnp.where(dropped, 0, y)))


@jax.custom_jvp
def _rel_entr(x: Any, y: Any) -> Any:
    """A quotient near 1 is rounded, and another may over- or underflow."""
    ratio = x / y
    near, fits = (ratio > 0.5) & (ratio < 2), (ratio > np.finfo(ratio.dtype).tiny) & (ratio < jnp.inf)
    value = x * jnp.where(near, jnp.log1p((x - y) / y), jnp.where(fits, jnp.log(ratio), jnp.log(x) - jnp.log(y)))
    value = jnp.where((x == 0) & (y >= 0), 0, jnp.where((x < 0) | (y <= 0), jnp.inf, value))
    return jnp.where(jnp.isnan(x) | jnp.isnan(y), jnp.nan, value)


@_rel_entr.defjvp
def _(operands: Any, tangents: Any) -> Any:
    (x, y), (dx, dy) = operands, tangents
    by_x = jnp.where((x == 0) & (y == 0), 0, 1 + jnp.log(x) - jnp.log(y))
    return _rel_entr(x, y), dx * by_x - dy * jnp.where(x == 0, 0, x / y)


# Products, quotients and lengths in rules: a gradient of 0 stays 0, whatever it is multiplied with


def _zero_safe_multiply(g: Any, factor: Any) -> Any:
    return g * jnp.where((g == 0) & ~jnp.isfinite(factor), 0, factor)


def _zero_safe_product(a: Any, b: Any) -> Any:
    return jnp.where((b == 0) & ~jnp.isfinite(a), 0, a) * jnp.where((a == 0) & ~jnp.isfinite(b), 0, b)


def _zero_safe_divide(g: Any, divisor: Any) -> Any:
    return g / jnp.where((g == 0) & ((divisor == 0) | jnp.isnan(divisor)), 1, divisor)


def _zero_safe_dot(g: Any, factor: Any) -> Any:
    return jnp.sum(_zero_safe_multiply(g, factor), axis=-1)


def _slope(g: Any, x: Any, length: Any) -> Any:
    return _zero_safe_multiply(g, x / jnp.where(length == 0, jnp.inf, length))


# Numbers of Python


def _inverse_or_zero(x: Any) -> Any:
    return jnp.where(x == 0, 0, 1 / jnp.where(x == 0, 1, x))


_NUMBERS: dict[str, Callable[..., Any]] = {
    "number": lambda x: jnp.reshape(x, ()), "length": lambda x: jnp.linalg.norm(jnp.ravel(x)),
    "inverse_or_zero": _inverse_or_zero, "or_one": lambda x: jnp.where(x == 0, 1, x),
    "or_nan": lambda x: jnp.where(x == 0, jnp.nan, x), "root": jnp.sqrt,
    "larger": lambda x, y: jnp.where(y > x, y, x), "smaller": lambda x, y: jnp.where(y < x, y, x),
}  # fmt: skip

ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "relu": lambda x: jnp.where(x <= 0, 0, x),
    "hardtanh": _hardtanh,
    "leaky_relu": lambda x, *, negative_slope: jnp.where(x > 0, x, x * negative_slope),
    "threshold": lambda x, *, threshold, value: jnp.where(x <= threshold, value, x),
    "hardshrink": lambda x, *, lambd: jnp.where(jnp.abs(x) <= lambd, 0, x),
    "softshrink": _softshrink, "elu": _elu, "softplus": _softplus, "softsign": _softsign,
    "logistic_gate": special.expit, "mish_gate": lambda x: jnp.tanh(jnp.logaddexp(x, 0.0)),
    "normal_density": _normal_density, "normal_cdf": lambda x: 0.5 * (1 + special.erf(x * _ROOT_2)),
    "tanh_gate": _tanh_gate, "gate_slope": _gate_slope,
    # Logistic functions and entropies
    "logit": _logit, "log_expit": lambda x: -jnp.logaddexp(-floating(x), 0.0),
    "largest_counted": constant(alike(_largest_counted)),
    "xlogy": alike(_xlogy), "xlog1py": alike(_xlog1py), "entr": special.entr,
    "rel_entr": alike(lambda x, y: _rel_entr(floating(x), floating(y))),
    # Parts of rules
    "has_nan": constant(lambda x: jnp.any(jnp.isnan(x))),
    "zero_safe_multiply": alike(_zero_safe_multiply), "zero_safe_product": alike(_zero_safe_product),
    "zero_safe_divide": alike(_zero_safe_divide), "zero_safe_dot": _zero_safe_dot, "slope": alike(_slope),
    # Numbers of Python, and arrays of no axes in their place
    "arithmetic": lambda a, b, *, sign: OPERATORS[sign](a, b),
    **{name: constant(function) for name, function in _NUMBERS.items()},
}  # fmt: skip
