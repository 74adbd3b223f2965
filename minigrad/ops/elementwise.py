"""Functions of one element of each operand: arithmetic, comparisons, powers, logarithms, trigonometry.

In every rule `g` is the gradient of the result, `y` the result, and the rest are the operands.
"""

import math

import numpy as np

from minigrad.core import Array, Handle, implements, primitive, traced
from minigrad.ops.arguments import operand
from minigrad.ops.kept_zeros import finds_nan, has_nan, slope, zero_safe_divide, zero_safe_multiply, zero_safe_product

# Arithmetic


@primitive(lambda g, y, a, b: g, lambda g, y, a, b: g, numpy=np.add, commutative=True, linear=True, passes=(0, 1))
def add(a: Array, b: Array, /) -> Array:
    """Sum, elementwise."""
    return a + b


@primitive(lambda g, y, a, b: g, lambda g, y, a, b: -g, numpy=np.subtract, linear=True, passes=(0,))
def subtract(a: Array, b: Array, /) -> Array:
    """Difference, elementwise."""
    return a - b


@primitive(lambda g, y, a, b: g * b, lambda g, y, a, b: g * a, numpy=np.multiply, commutative=True)
def multiply(a: Array, b: Array, /) -> Array:
    """Product, elementwise."""
    return a * b


@primitive(
    lambda g, y, a, b: zero_safe_divide(g, b),
    lambda g, y, a, b: -zero_safe_divide(zero_safe_multiply(g, y), b),
    numpy=np.divide,
    advice="Keep the denominator away from 0: add eps to it, or write where(d != 0, n / where(d != 0, d, 1), 0)",
)
def divide(a: Array, b: Array, /) -> Array:
    """Quotient, elementwise."""
    return np.true_divide(a, b)


def _base_rule(g: Array, y: Array, a: Array, b: Array) -> Array:
    """``g * b * a ** (b - 1)``, and 0 where `b` is 0, even if the power is infinite."""
    if b.__class__ is int or (not isinstance(b, Handle) and not getattr(b, "ndim", 0)):  # the commonest ones first
        if b == 2:
            return zero_safe_multiply(2 * g, a)
        if b == 1:
            return g
        if b == 0:
            return np.zeros_like(g)
    if getattr(b, "dtype", y.dtype).kind in "biu":
        b = b.astype(y.dtype)  # of the least integer of a dtype there is none that is smaller by 1
    return zero_safe_multiply(g, zero_safe_product(b, a ** (b - 1)))


def _exponent_rule(g: Array, y: Array, a: Array) -> Array:
    """``g * y * log(a)``, and 0 where `a` is 0, unless the power is infinite there."""
    if y.dtype.kind == "c" and not np.iscomplexobj(a):
        a = a + 0j  # the power, too, was made of a complex logarithm
    return zero_safe_multiply(zero_safe_multiply(g, y), np.log(np.where((a == 0) & np.isfinite(y), 1, a)))


@primitive(
    lambda g, y, a, b: _base_rule(g, y, a, b),
    lambda g, y, a, b: _exponent_rule(g, y, a),
    kind="elementwise",
    advice="Keep the base above 0, or the exponent whole: clip the base, or write where(x > 0, x, 1) ** p",
)
def pow(a: Array, b: Array, /) -> Array:
    """Power, elementwise.

    The derivative of ``a**0`` with respect to the base is 0 everywhere.  At the base 0 the derivative with respect to
    the exponent is taken as 0 for exponents from 0 on, and is the limit -inf for negative ones.
    """
    return a**b  # NumPy's operator knows squares and roots; its ufunc does not


implements(np.power)(pow)


@primitive(lambda g, y, a, b: np.zeros_like(g), lambda g, y, a, b: np.zeros_like(g), numpy=np.floor_divide)
def floor_divide(a: Array, b: Array, /) -> Array:
    """Quotient rounded down, elementwise; its derivative is 0."""
    return a // b


@primitive(lambda g, y, a, b: g, lambda g, y, a, b: zero_safe_multiply(g, -(a // b)), numpy=np.remainder)
def remainder(a: Array, b: Array, /) -> Array:
    """Remainder of the division that rounds down, elementwise, with the sign of the divisor."""
    return a % b


@primitive(lambda g, y, x: -g, numpy=np.negative, linear=True)
def negative(x: Array, /) -> Array:
    """Negative, elementwise."""
    return -x


@primitive(lambda g, y, x: g, numpy=np.positive, cost=0, passes=(0,), trivial=True)
def positive(x: Array, /) -> Array:
    """The same value, as a new element of the graph."""
    return +x


def _abs_rule(g: Array, y: Array, x: Array) -> Array:
    """``g * sign(x)``; of a complex number, which has a length, with the conjugate."""
    return slope(g, np.conjugate(x), y) if x.dtype.kind == "c" else zero_safe_multiply(g, np.sign(x))


@primitive(_abs_rule, numpy=np.absolute)
def abs(x: Array, /) -> Array:
    """Absolute value, elementwise; at 0 the derivative is taken as 0."""
    return np.absolute(x)


@primitive(lambda g, y, x: zero_safe_multiply(2 * g, x), numpy=np.square)
def square(x: Array, /) -> Array:
    """Square, elementwise."""
    return np.square(x)


@primitive(lambda g, y, x: -zero_safe_divide(zero_safe_multiply(g, y), x), numpy=np.reciprocal)
def reciprocal(x: Array, /) -> Array:
    """``1 / x``, elementwise; of integers, too, a quotient."""
    return 1 / x if np.asarray(x).dtype.kind in "biu" else np.reciprocal(x)


@primitive(
    lambda g, y, a, b: zero_safe_multiply(g, np.sign(a)) * np.copysign(1.0, b),
    lambda g, y, a, b: np.zeros_like(g),
    numpy=np.copysign,
)
def copysign(a: Array, b: Array, /) -> Array:
    """The absolute value of `a` with the sign of `b`, elementwise; the derivative at 0 is taken as 0.

    Raises
    ------
    DTypeError
        If an operand is complex.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.copysign(np.array([1.0, -2.0]), np.array([-0.0, 3.0]))
    array([-1.,  2.])
    """
    return np.copysign(a, b)


@primitive(lambda g, y, a, b: g, lambda g, y, a, b: np.zeros_like(g), numpy=np.nextafter)
def nextafter(a: Array, b: Array, /) -> Array:
    """The floating-point number next to `a` on the way to `b`, elementwise.

    The step is as short as can be, so the derivative is that of `a` itself.

    Raises
    ------
    DTypeError
        If an operand is complex.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> float(mg.nextafter(np.float64(1.0), np.float64(2.0)) - 1)
    2.220446049250313e-16
    """
    return np.nextafter(a, b)


@primitive(lambda g, y, x: g, numpy=np.real, view=True, kind="elementwise", cost=0)
def real(x: Array, /) -> Array:
    """Real part, elementwise."""
    return np.real(x)


@primitive(lambda g, y, x: g * -1j, numpy=np.imag, view=True, kind="elementwise", cost=0)
def imag(x: Array, /) -> Array:
    """Imaginary part, elementwise."""
    return np.imag(x)


@primitive(lambda g, y, x: np.conjugate(g), numpy=np.conjugate, linear=True)
def conj(x: Array, /) -> Array:
    """Complex conjugate, elementwise."""
    return np.conjugate(x)


# Exponentials and logarithms


@primitive(
    lambda g, y, x: zero_safe_multiply(g, y),
    numpy=np.exp,
    advice="Keep its operand small: write softmax, logsumexp or sigmoid, which cannot overflow, or clip it",
)
def exp(x: Array, /) -> Array:
    """Exponential, elementwise."""
    return np.exp(x)


@primitive(lambda g, y, x: zero_safe_multiply(g, y + 1), numpy=np.expm1)
def expm1(x: Array, /) -> Array:
    """``exp(x) - 1``, elementwise, accurate near 0."""
    return np.expm1(x)


_LOG_2, _LOG_10 = math.log(2), math.log(10)


@primitive(lambda g, y, x: zero_safe_multiply(g, y * _LOG_2), numpy=np.exp2)
def exp2(x: Array, /) -> Array:
    """Power of 2, elementwise."""
    return np.exp2(x)


@primitive(
    lambda g, y, x: zero_safe_divide(g, x),
    numpy=np.log,
    advice="Keep its operand above 0: clip it from below, write log1p(x) for log(1 + x), or log_softmax, logsumexp",
)
def log(x: Array, /) -> Array:
    """Natural logarithm, elementwise."""
    return np.log(x)


@primitive(lambda g, y, x: zero_safe_divide(g, 1 + x), numpy=np.log1p)
def log1p(x: Array, /) -> Array:
    """``log(1 + x)``, elementwise, accurate near 0."""
    return np.log1p(x)


@primitive(lambda g, y, x: zero_safe_divide(g, x * _LOG_2), numpy=np.log2)
def log2(x: Array, /) -> Array:
    """Logarithm to base 2, elementwise."""
    return np.log2(x)


@primitive(lambda g, y, x: zero_safe_divide(g, x * _LOG_10), numpy=np.log10)
def log10(x: Array, /) -> Array:
    """Logarithm to base 10, elementwise."""
    return np.log10(x)


@primitive(lambda g, y, a, b: g, lambda g, y, a, b: -g, kind="elementwise")
def lead(a: Array, b: Array, /) -> Array:
    """``a - b``, which decides about weights in a sum of exponentials; 0 if both are inf, and -inf if both are -inf."""
    with np.errstate(invalid="ignore"):
        d = a - b
    if not finds_nan(d):
        return d
    return np.where(np.isnan(d) & (a == b), np.minimum(a, d.dtype.type(0)), d)


@primitive(
    lambda g, y, a, b: zero_safe_multiply(g, sigmoid(lead(a, b))),
    lambda g, y, a, b: zero_safe_multiply(g, sigmoid(lead(b, a))),
    numpy=np.logaddexp,
    commutative=True,
)
def logaddexp(a: Array, b: Array, /) -> Array:
    """``log(exp(a) + exp(b))``, elementwise, without overflow.

    Where both operands are inf both have half the gradient, and where both are -inf none.
    """
    return np.logaddexp(a, b)


@primitive(lambda g, y, x: zero_safe_multiply(g, y - np.square(y)), kind="elementwise")
def sigmoid(x: Array, /) -> Array:
    """``1 / (1 + exp(-x))``, elementwise, without overflow.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    with np.errstate(over="ignore"):  # 1 / inf is right; a hyperbolic tangent would give 0 from -40 on
        return 1 / (1 + np.exp(-1.0 * x))


@primitive(
    lambda g, y, x: zero_safe_divide(g, 2 * y),
    numpy=np.sqrt,
    advice="Keep its operand above 0: write sqrt(x + eps), or where(x > 0, sqrt(x), 0), which has a derivative of 0",
)
def sqrt(x: Array, /) -> Array:
    """Square root, elementwise; at 0 the derivative is inf."""
    return np.sqrt(x)


@primitive(lambda g, y, x: zero_safe_divide(g, 3 * np.square(y)), numpy=np.cbrt)
def cbrt(x: Array, /) -> Array:
    """Cube root, elementwise; at 0 the derivative is inf."""
    return np.cbrt(x)


# Trigonometric and hyperbolic functions


@primitive(lambda g, y, x: zero_safe_multiply(g, np.cos(x)), numpy=np.sin)
def sin(x: Array, /) -> Array:
    """Sine, elementwise, of an angle in radians."""
    return np.sin(x)


@primitive(lambda g, y, x: -zero_safe_multiply(g, np.sin(x)), numpy=np.cos)
def cos(x: Array, /) -> Array:
    """Cosine, elementwise, of an angle in radians."""
    return np.cos(x)


@primitive(lambda g, y, x: zero_safe_multiply(g, 1 + np.square(y)), numpy=np.tan)
def tan(x: Array, /) -> Array:
    """Tangent, elementwise, of an angle in radians."""
    return np.tan(x)


@primitive(lambda g, y, x: zero_safe_divide(g, np.sqrt(zero_safe_product(1 - x, 1 + x))), numpy=np.arcsin)
def asin(x: Array, /) -> Array:
    """Inverse sine, elementwise, in radians."""
    return np.arcsin(x)


@primitive(lambda g, y, x: -zero_safe_divide(g, np.sqrt(zero_safe_product(1 - x, 1 + x))), numpy=np.arccos)
def acos(x: Array, /) -> Array:
    """Inverse cosine, elementwise, in radians."""
    return np.arccos(x)


@primitive(lambda g, y, x: zero_safe_divide(g, 1 + np.square(x)), numpy=np.arctan)
def atan(x: Array, /) -> Array:
    """Inverse tangent, elementwise, in radians."""
    return np.arctan(x)


@primitive(kind="reduction", cost=1)
def ordinary(length: Array, /) -> Array:
    """Whether all lengths are 0, or neither infinite nor so short that digits are lost (subnormal)."""
    tiny = np.finfo(length.dtype).tiny
    if length.size and tiny <= np.minimum.reduce(length, axis=None) and np.maximum.reduce(length, axis=None) < np.inf:
        return np.True_
    return np.logical_and.reduce((length == 0) | ((length >= tiny) & (length < np.inf)), axis=None)


@primitive(kind="elementwise")
def magnifier(length: Array, /) -> Array:
    """A power of 2 by which to multiply lengths that are subnormal, and 1 for others."""
    limits = np.finfo(length.dtype)
    return np.where((length > 0) & (length < limits.tiny), 1 / limits.eps, limits.dtype.type(1))


def _side_rule(g: Array, length: Array, a: Array, b: Array) -> Array:
    """``g * a / length`` for one of two sides; a side that is infinite is longer than all that are not."""
    if not traced(length) and ordinary(length):
        return slope(g, a, length)
    factor = magnifier(length)
    a, b = a * factor, b * factor
    length = np.hypot(a, b)
    infinite = np.isinf(length)
    a, b = (np.where(infinite, np.where(np.isinf(x), np.sign(x), 0), x) for x in (a, b))
    return slope(g, a, np.where(infinite, np.hypot(a, b), length))


def _turn_rule(g: Array, a: Array, b: Array) -> Array:
    """``g * a / (a * a + b * b)``, without the squares, which overflow and underflow."""
    length = np.hypot(a, b)
    return zero_safe_divide(_side_rule(g, length, a, b), length)


@primitive(lambda g, y, a, b: _turn_rule(g, b, a), lambda g, y, a, b: -_turn_rule(g, a, b), numpy=np.arctan2)
def atan2(a: Array, b: Array, /) -> Array:
    """Angle of the point with ordinate `a` and abscissa `b`, elementwise, in radians from -pi to pi.

    At the origin the derivative is taken as 0.
    """
    return np.arctan2(a, b)


@primitive(
    lambda g, y, a, b: _side_rule(g, y, a, b),
    lambda g, y, a, b: _side_rule(g, y, b, a),
    numpy=np.hypot,
    commutative=True,
)
def hypot(a: Array, b: Array, /) -> Array:
    """``sqrt(a*a + b*b)``, elementwise, without overflow.

    At the origin the derivative is taken as 0, and second derivatives are NaN.
    """
    return np.hypot(a, b)


@primitive(lambda g, y, x: zero_safe_multiply(g, np.cosh(x)), numpy=np.sinh)
def sinh(x: Array, /) -> Array:
    """Hyperbolic sine, elementwise."""
    return np.sinh(x)


@primitive(lambda g, y, x: zero_safe_multiply(g, np.sinh(x)), numpy=np.cosh)
def cosh(x: Array, /) -> Array:
    """Hyperbolic cosine, elementwise."""
    return np.cosh(x)


@primitive(lambda g, y, x: zero_safe_multiply(g, 1 - np.square(y)), numpy=np.tanh)
def tanh(x: Array, /) -> Array:
    """Hyperbolic tangent, elementwise.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.tanh(np.array([-1000.0, 0.0, 1000.0]))
    array([-1.,  0.,  1.])
    """
    return np.tanh(x)


def _asinh_rule(g: Array, y: Array, x: Array) -> Array:
    root = np.sqrt(1 + np.square(x)) if x.dtype.kind == "c" else np.hypot(1, x)  # which does not overflow
    return zero_safe_divide(g, root)


@primitive(_asinh_rule, numpy=np.arcsinh)
def asinh(x: Array, /) -> Array:
    """Inverse hyperbolic sine, elementwise."""
    return np.arcsinh(x)


@primitive(lambda g, y, x: zero_safe_divide(g, zero_safe_product(np.sqrt(x - 1), np.sqrt(x + 1))), numpy=np.arccosh)
def acosh(x: Array, /) -> Array:
    """Inverse hyperbolic cosine, elementwise."""
    return np.arccosh(x)


@primitive(lambda g, y, x: zero_safe_divide(g, zero_safe_product(1 - x, 1 + x)), numpy=np.arctanh)
def atanh(x: Array, /) -> Array:
    """Inverse hyperbolic tangent, elementwise."""
    return np.arctanh(x)


# Steps: constant between their jumps, so their derivative is 0


def _sign_rule(g: Array, y: Array, x: Array) -> Array:
    """0; of a complex number the part that turns it."""
    if x.dtype.kind != "c":
        return np.zeros_like(g)
    size = np.absolute(x)
    return np.where(size == 0, 0, zero_safe_divide(g - np.real(g * y) * np.conjugate(y), size))


@primitive(_sign_rule, numpy=np.sign)
def sign(x: Array, /) -> Array:
    """Sign, elementwise: -1, 0 or 1, with the derivative 0; of a complex number ``x / |x|``, or 0."""
    return np.sign(x)


def _to_whole(rounding: np.ufunc, x: Array) -> Array:
    """`x` rounded; integers are what they are, and not the floating-point numbers that NumPy 2.0 makes of them."""
    return np.copy(x)[()] if np.result_type(x).kind in "biu" else rounding(x)


@primitive(lambda g, y, x: np.zeros_like(g), numpy=np.floor)
def floor(x: Array, /) -> Array:
    """Largest integer not above x, elementwise; its derivative is 0."""
    return _to_whole(np.floor, x)


@primitive(lambda g, y, x: np.zeros_like(g), numpy=np.ceil)
def ceil(x: Array, /) -> Array:
    """Smallest integer not below x, elementwise; its derivative is 0."""
    return _to_whole(np.ceil, x)


@primitive(lambda g, y, x: np.zeros_like(g), numpy=np.trunc)
def trunc(x: Array, /) -> Array:
    """Integer part, elementwise; its derivative is 0."""
    return _to_whole(np.trunc, x)


@primitive(lambda g, y, x, *, decimals: np.zeros_like(g), kind="elementwise")
def round(x: Array, /, decimals: int = 0) -> Array:
    """Nearest number with so many decimals, elementwise, halves to even; its derivative is 0."""
    return np.round(x, decimals)


implements(np.round, np.rint)(round)


# Choosing


@primitive(
    None,
    lambda g, y, condition, a, b: np.where(condition, g, 0),
    lambda g, y, condition, a, b: np.where(condition, 0, g),
    numpy=np.where,
    kind="elementwise",
    cost=0,
)
def where(condition: Array, a: Array, b: Array, /) -> Array:
    """Elements of `a` where the condition holds, else of `b`.  The one that is not chosen has gradient 0."""
    return np.where(condition, a, b)


_BITS = {np.dtype(np.float32): np.dtype(np.int32), np.dtype(np.float64): np.dtype(np.int64)}


@primitive(lambda h, y, g, mask: selected(h, mask), None, kind="elementwise", cost=0)
def selected(g: Array, mask: Array, /) -> Array:
    """``where(mask, g, 0)`` for arrays of one shape, ten times quicker: no processor foresees which it will be."""
    bits = _BITS.get(g.dtype)
    if bits is None or g.shape != mask.shape or not g.ndim or g.strides[-1] != g.itemsize:
        return np.where(mask, g, g.dtype.type(0))
    # All bits of a number are kept, or none: -1 is all ones.
    return np.bitwise_and(g.view(bits), np.negative(mask.view(np.int8))).view(g.dtype)


def share(g: Array, wins: Array, ties: Array) -> Array:
    """The gradient of one of two operands: all of it, a half, or 0."""
    return selected(np.where(ties, g / 2, g), wins | ties)  # ties are few, and foreseen not to be


def _extreme_rule(g: Array, y: Array, a: Array, b: Array, wins: Array) -> Array:
    """The share of `a`; NaN wins against any number."""
    ties = a == b
    if traced(y) or has_nan(y):
        wins, ties = wins | ((a != a) & (b == b)), ties | ((a != a) & (b != b))
    return share(g, wins, ties)


@primitive(
    lambda g, y, a, b: _extreme_rule(g, y, a, b, a > b),
    lambda g, y, a, b: _extreme_rule(g, y, b, a, b > a),
    numpy=np.maximum,
    commutative=True,
)
def maximum(a: Array, b: Array, /) -> Array:
    """The larger of two elements, or one that is NaN; where they are equal both have half the gradient."""
    return np.maximum(a, b)


@primitive(
    lambda g, y, a, b: _extreme_rule(g, y, a, b, a < b),
    lambda g, y, a, b: _extreme_rule(g, y, b, a, b < a),
    numpy=np.minimum,
    commutative=True,
)
def minimum(a: Array, b: Array, /) -> Array:
    """The smaller of two elements, or one that is NaN; where they are equal both have half the gradient."""
    return np.minimum(a, b)


@primitive(lambda g, y, x, *, min, max: selected(g, (x == y) | (x != x)), kind="elementwise")
def _clip(x: Array, /, *, min: Array | None, max: Array | None) -> Array:
    dtype = getattr(x, "dtype", None)
    if dtype is not None and dtype.kind in "iu":
        limits = np.iinfo(dtype)  # bounds beyond what the integers can hold change none of them
        min = None if isinstance(min, int) and min <= limits.min else min
        max = None if isinstance(max, int) and max >= limits.max else max
    y = x if min is None else np.maximum(x, min)
    y = y if max is None else np.minimum(y, max)
    return y if dtype is None or (y.dtype is dtype and y is not x) else _in_kind_of(x, y)


def _in_kind_of(x: Array, y: Array) -> Array:
    """`y` in the dtype of `x`, if both are integers or both are floating-point numbers."""
    alike = x.dtype.kind == y.dtype.kind or (x.dtype.kind in "iu" and y.dtype.kind in "iu")
    return y.astype(x.dtype) if alike else y


def clip(x: Array, /, min: Array | None = None, max: Array | None = None) -> Array:
    """`x`, but not below `min` and not above `max`; an element that equals a bound keeps its gradient.

    Bounds that require grad receive the gradient of the elements that they replaced.  If `min` is above `max`
    the result is `max`; where a bound is NaN the result is NaN.

    Parameters
    ----------
    x : array of real numbers
    min, max : number or array, optional
        Broadcast with `x`.  The result has the dtype of `x`, unless bounds that are not integers clip integers.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.clip(np.array([-2.0, 0.5, 2.0]), -1.0, 1.0)
    array([-1. ,  0.5,  1. ])
    """
    if not isinstance(min, Handle) and not isinstance(max, Handle):
        return _clip(x, min=min, max=max)
    y = x = operand(x, "clip")
    if min is not None:
        y = where((y < min) | isnan(min), min, y)
    if max is not None:
        y = where((y > max) | isnan(max), max, y)
    return _in_kind_of(x, y)


implements(np.clip)(clip)


# Comparisons, tests, logic and bits: nothing to differentiate


@primitive(numpy=np.equal, commutative=True)
def equal(a: Array, b: Array, /) -> Array:
    """Whether the operands are equal, elementwise."""
    return np.equal(a, b)


@primitive(numpy=np.not_equal, commutative=True)
def not_equal(a: Array, b: Array, /) -> Array:
    """Whether the operands differ, elementwise."""
    return np.not_equal(a, b)


@primitive(numpy=np.less)
def less(a: Array, b: Array, /) -> Array:
    """Whether `a` is less than `b`, elementwise."""
    return np.less(a, b)


@primitive(numpy=np.less_equal)
def less_equal(a: Array, b: Array, /) -> Array:
    """Whether `a` is at most `b`, elementwise."""
    return np.less_equal(a, b)


@primitive(numpy=np.greater)
def greater(a: Array, b: Array, /) -> Array:
    """Whether `a` is greater than `b`, elementwise."""
    return np.greater(a, b)


@primitive(numpy=np.greater_equal)
def greater_equal(a: Array, b: Array, /) -> Array:
    """Whether `a` is at least `b`, elementwise."""
    return np.greater_equal(a, b)


@primitive(numpy=np.isnan)
def isnan(x: Array, /) -> Array:
    """Whether elements are NaN."""
    return np.isnan(x)


@primitive(numpy=np.isinf)
def isinf(x: Array, /) -> Array:
    """Whether elements are infinite."""
    return np.isinf(x)


@primitive(numpy=np.isfinite)
def isfinite(x: Array, /) -> Array:
    """Whether elements are neither NaN nor infinite."""
    return np.isfinite(x)


@primitive(numpy=np.signbit)
def signbit(x: Array, /) -> Array:
    """Whether the sign of elements is negative, of -0.0 too.

    Raises
    ------
    DTypeError
        If `x` is complex.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.signbit(np.array([-1.0, -0.0, 0.0]))
    array([ True,  True, False])
    """
    return np.signbit(x)


@primitive(numpy=np.logical_not)
def logical_not(x: Array, /) -> Array:
    """Logical not, elementwise."""
    return np.logical_not(x)


@primitive(numpy=np.logical_and, commutative=True)
def logical_and(a: Array, b: Array, /) -> Array:
    """Logical and, elementwise."""
    return np.logical_and(a, b)


@primitive(numpy=np.logical_or, commutative=True)
def logical_or(a: Array, b: Array, /) -> Array:
    """Logical or, elementwise."""
    return np.logical_or(a, b)


@primitive(numpy=np.logical_xor, commutative=True)
def logical_xor(a: Array, b: Array, /) -> Array:
    """Logical exclusive or, elementwise."""
    return np.logical_xor(a, b)


@primitive(numpy=np.bitwise_and, commutative=True)
def bitwise_and(a: Array, b: Array, /) -> Array:
    """Bitwise and, of bools or integers, elementwise."""
    return np.bitwise_and(a, b)


@primitive(numpy=np.bitwise_or, commutative=True)
def bitwise_or(a: Array, b: Array, /) -> Array:
    """Bitwise or, of bools or integers, elementwise."""
    return np.bitwise_or(a, b)


@primitive(numpy=np.bitwise_xor, commutative=True)
def bitwise_xor(a: Array, b: Array, /) -> Array:
    """Bitwise exclusive or, of bools or integers, elementwise."""
    return np.bitwise_xor(a, b)


@primitive(numpy=np.bitwise_left_shift)
def bitwise_left_shift(a: Array, b: Array, /) -> Array:
    """Bits moved to the left, of integers, elementwise."""
    return np.bitwise_left_shift(a, b)


@primitive(numpy=np.bitwise_right_shift)
def bitwise_right_shift(a: Array, b: Array, /) -> Array:
    """Bits moved to the right, of integers, elementwise."""
    return np.bitwise_right_shift(a, b)


@primitive(numpy=np.bitwise_invert)
def bitwise_invert(x: Array, /) -> Array:
    """Bits inverted, of bools or integers, elementwise."""
    return np.bitwise_invert(x)
