"""Products, quotients and lengths in rules, by which a gradient of exactly 0 stays 0."""

from typing import Any

import numpy as np

from minigrad.core import Array, primitive

# Where a derivative is infinite or undefined, a plain product turns a gradient of exactly 0 ("this element was not
# selected") into NaN.  All rules but those of sums and products multiply and divide by these three, which keep it 0;
# within the factor, too, everything that depends on the operands is made of them, for the sake of higher derivatives.


# A sum of so many squares, by the BLAS, takes half the time of one of numbers; for more of them it wakes other threads,
# and waits for them.
_FEW = 8192


def finds_nan(x: Array) -> Any:
    """Whether an element is NaN; it may be that some are infinite and none is NaN."""
    if not x.ndim:
        total = x
    elif x.size <= _FEW:
        total = np.vdot(x, x)
    else:
        total = np.add.reduce(x, axis=None)
    return total != total


@primitive(kind="reduction", cost=1)
def has_nan(x: Array, /) -> Array:
    """Whether some element is NaN, for rules that do more in that case; perhaps also if some are infinite."""
    return np.bool_(finds_nan(x))


def _keep_zeros(product: Array, *factors: Array) -> Array:
    """Repair NaN in a product that came of a factor of 0."""
    if finds_nan(product):
        for factor in factors:
            product = np.where((factor == 0) & np.isnan(product), product.dtype.type(0), product)
    return product


@primitive(
    lambda h, y, a, b: zero_safe_product(h, b),
    lambda h, y, a, b: zero_safe_product(h, a),
    kind="elementwise",
    commutative=True,
)
def zero_safe_product(a: Array, b: Array, /) -> Array:
    """``a * b``, and 0 where either is 0 even if the other is infinite or NaN."""
    return _keep_zeros(a * b, a, b)


@primitive(
    lambda h, y, g, factor: zero_safe_multiply(h, factor),
    lambda h, y, g, factor: zero_safe_product(h, g),
    kind="elementwise",
)
def zero_safe_multiply(g: Array, factor: Array, /) -> Array:
    """``g * factor``, and 0 where `g` is 0 even if the factor is infinite or NaN."""
    product = g * factor
    plain = product.__class__ is np.float64 and product == product  # the quick way of single numbers
    return product if plain else _keep_zeros(product, g)


@primitive(
    lambda h, y, g, divisor: zero_safe_divide(h, divisor),
    lambda h, y, g, divisor: -zero_safe_divide(zero_safe_product(h, y), divisor),
    kind="elementwise",
)
def zero_safe_divide(g: Array, divisor: Array, /) -> Array:
    """``g / divisor``, and 0 where `g` is 0 even if the divisor is 0 or NaN."""
    quotient = g / divisor
    plain = quotient.__class__ is np.float64 and quotient == quotient
    return quotient if plain else _keep_zeros(quotient, g)


@primitive(
    lambda h, y, g, factor: zero_safe_multiply(np.expand_dims(h, -1), factor),
    lambda h, y, g, factor: zero_safe_product(np.expand_dims(h, -1), g),
    kind="contraction",
    cost=2,
)
def zero_safe_dot(g: Array, factor: Array, /) -> Array:
    """The sum of ``times(g, factor)`` over the last axis, for arrays of one shape."""
    total = np.vecdot(g, factor)
    return np.add.reduce(_keep_zeros(g * factor, g), axis=-1) if finds_nan(total) else total


# Lengths, which are roots of sums of squares, grow with their parts `x` by ``x / length``.  At length 0 they have a
# kink, and their second derivative is infinite: what depends on it is NaN, and not a number that looks right.  Where
# `g` is 0 there, either the length was not selected, and its gradient is 0 whatever `x` is; or the 0 itself came of the
# length, as in that of its square.  The derivative by `g` tells the two apart: only then does somebody want it.


@primitive(
    lambda h, y, g, x, length: _undefined(h, (length == 0) & (g == 0), slope(h, x, length)),
    lambda h, y, g, x, length: _undefined(h, (length == 0) & (g != 0), _by_length(zero_safe_product(h, g), length)),
    lambda h, y, g, x, length: _undefined(h, (length == 0) & (g != 0), -_by_length(zero_safe_product(h, y), length)),
    kind="elementwise",
)
def slope(g: Array, x: Array, length: Array, /) -> Array:
    """``g * x / length``, and 0 where the length is 0; the derivative of that is NaN."""
    if not np.logical_and.reduce(length, axis=None):
        length = np.where(length == 0, np.inf, length)
    return _keep_zeros(g * (x / length), g)


def _by_length(g: Array, length: Array) -> Array:
    """``g / length``, and 0 where the length is 0."""
    return slope(g, 1, length)


def _undefined(h: Array, where: Array, derivative: Array) -> Array:
    """A derivative, and NaN in some places, but for a gradient `h` of 0."""
    return np.where(where & (h != 0), np.nan, derivative)
