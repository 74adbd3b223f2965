"""NumPy's functions of one element of each operand that the Array API standard does not have.

In every rule `g` is the gradient of the result, `y` the result, and the rest are the operands.
"""

import math
from typing import Any

import numpy as np

from minigrad.core import Array, implements, primitive
from minigrad.ops.arguments import operand
from minigrad.ops.elementwise import floor_divide, imag, isnan, lead, pow, real, remainder, share, sigmoid, where
from minigrad.ops.kept_zeros import zero_safe_divide, zero_safe_multiply
from minigrad.ops.shaping import astype

# Angles


@primitive(lambda g, y, x: np.deg2rad(g), numpy=np.deg2rad)
def deg2rad(x: Array, /) -> Array:
    """Angle in radians of an angle in degrees, elementwise."""
    return np.deg2rad(x)


@primitive(lambda g, y, x: np.rad2deg(g), numpy=np.rad2deg)
def rad2deg(x: Array, /) -> Array:
    """Angle in degrees of an angle in radians, elementwise."""
    return np.rad2deg(x)


implements(np.radians)(deg2rad)
implements(np.degrees)(rad2deg)


def _angle_rule(g: Array, z: Array, deg: bool) -> Array:
    """``-1j * g / z``; 0 for real numbers."""
    if z.dtype.kind != "c":
        return np.zeros_like(g)
    return zero_safe_divide(g * (-1j * (180 / np.pi if deg else 1)), np.where(z == 0, np.inf, z))


@primitive(lambda g, y, z, *, deg: _angle_rule(g, z, deg), numpy=np.angle, kind="elementwise")
def angle(z: Array, /, deg: bool = False) -> Array:
    """Angle of a complex number from the positive real axis, elementwise, in radians from -pi to pi, or in degrees.

    At 0 the derivative is taken as 0.  Of a real number the angle is 0 or pi, with the derivative 0.
    """
    return np.angle(z, deg)


# Parts of numbers


@primitive(lambda g, y, x: g, kind="elementwise")
def _fraction(x: Array, /) -> Array:
    """What follows the decimal point, with the sign of the number."""
    return np.modf(x)[0]


@primitive(lambda g, y, x: np.zeros_like(g), kind="elementwise")
def _whole(x: Array, /) -> Array:
    """What precedes the decimal point; its derivative is 0."""
    return np.modf(x)[1]


@implements(np.modf)
def modf(x: Array, /) -> tuple[Array, Array]:
    """What follows the decimal point and what precedes it, elementwise, both with the sign of the number."""
    return _fraction(x), _whole(x)


@primitive(kind="elementwise")
def _exponent(x: Array, /) -> Array:
    """The power of 2 by which a number between 1/2 and 1 is multiplied."""
    return np.frexp(x)[1]


@primitive(lambda g, y, x: np.ldexp(g, -_exponent(x)), kind="elementwise")
def _mantissa(x: Array, /) -> Array:
    """The number between 1/2 and 1 that is multiplied by a power of 2."""
    return np.frexp(x)[0]


@implements(np.frexp)
def frexp(x: Array, /) -> tuple[Array, Array]:
    """`m` between 1/2 and 1 and an integer `e` with ``x = m * 2**e``, elementwise; `e` has no derivative."""
    return _mantissa(x), _exponent(x)


@primitive(lambda g, y, x, exponent: np.ldexp(g, exponent), None, numpy=np.ldexp)
def ldexp(x: Array, exponent: Array, /) -> Array:
    """``x * 2**exponent``, elementwise, for exponents that are integers."""
    return np.ldexp(x, exponent)


@primitive(numpy=np.spacing)
def spacing(x: Array, /) -> Array:
    """Distance to the neighbouring number that is farther from 0, elementwise; it has no derivative."""
    return np.spacing(x)


@primitive(lambda g, y, x: zero_safe_multiply(g, np.sign(x)), numpy=np.fabs)
def fabs(x: Array, /) -> Array:
    """Absolute value of real numbers, elementwise, as floating-point numbers; at 0 the derivative is taken as 0."""
    return np.fabs(x)


# Division and powers

_LOG_2 = math.log(2)


@primitive(lambda g, y, a, b: g, lambda g, y, a, b: zero_safe_multiply(g, -np.trunc(a / b)), numpy=np.fmod)
def fmod(a: Array, b: Array, /) -> Array:
    """Remainder of the division that rounds towards 0, elementwise, with the sign of `a`."""
    return np.fmod(a, b)


@implements(np.divmod)
def divmod(a: Array, b: Array, /) -> tuple[Array, Array]:
    """Quotient rounded down, and remainder with the sign of `b`, elementwise."""
    return floor_divide(a, b), remainder(a, b)


@implements(np.float_power)
def float_power(a: Array, b: Array, /) -> Array:
    """Power, elementwise, computed with numbers of at least 64 bits."""
    a, b = operand(a, "float_power"), operand(b, "float_power")
    return pow(astype(a, np.result_type(a.dtype, float)), astype(b, np.result_type(b.dtype, float)))


@primitive(
    lambda g, y, a, b: zero_safe_multiply(g, sigmoid(lead(a, b) * _LOG_2)),
    lambda g, y, a, b: zero_safe_multiply(g, sigmoid(lead(b, a) * _LOG_2)),
    numpy=np.logaddexp2,
    commutative=True,
)
def logaddexp2(a: Array, b: Array, /) -> Array:
    """``log2(2**a + 2**b)``, elementwise, without overflow.

    Where both operands are inf both have half the gradient, and where both are -inf none.

    Parameters
    ----------
    a, b : array
        Real numbers, of shapes that broadcast.

    Returns
    -------
    array
        Of the broadcast shape and the common floating-point dtype.

    Raises
    ------
    DTypeError
        For complex numbers.
    ShapeError
        If the shapes do not broadcast.

    Examples
    --------
    >>> import minigrad as mg
    >>> float(mg.logaddexp2(2000.0, 2000.0))
    2001.0
    """
    return np.logaddexp2(a, b)


# Choosing


def _number_rule(g: Array, y: Array, a: Array, b: Array, wins: Array) -> Array:
    """The share of `a`; any number wins against NaN."""
    return share(g, wins | ((a == a) & (b != b)), (a == b) | (y != y))


@primitive(
    lambda g, y, a, b: _number_rule(g, y, a, b, a > b),
    lambda g, y, a, b: _number_rule(g, y, b, a, b > a),
    numpy=np.fmax,
    commutative=True,
)
def fmax(a: Array, b: Array, /) -> Array:
    """The larger of two elements, or the one that is not NaN; where they are equal both have half the gradient."""
    return np.fmax(a, b)


@primitive(
    lambda g, y, a, b: _number_rule(g, y, a, b, a < b),
    lambda g, y, a, b: _number_rule(g, y, b, a, b < a),
    numpy=np.fmin,
    commutative=True,
)
def fmin(a: Array, b: Array, /) -> Array:
    """The smaller of two elements, or the one that is not NaN; where they are equal both have half the gradient."""
    return np.fmin(a, b)


@primitive(
    lambda g, y, x, at_zero: np.zeros_like(g), lambda g, y, x, at_zero: np.where(x == 0, g, 0), numpy=np.heaviside
)
def heaviside(x: Array, at_zero: Array, /) -> Array:
    """The step from 0 to 1, elementwise: 0 below 0, 1 above, and `at_zero` at 0.

    Its derivative with respect to `x` is 0, at the step too.

    Parameters
    ----------
    x, at_zero : array
        Real numbers, of shapes that broadcast.

    Returns
    -------
    array
        Of the broadcast shape and the common floating-point dtype.

    Raises
    ------
    DTypeError
        For complex numbers.
    ShapeError
        If the shapes do not broadcast.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.heaviside(np.array([-1.5, 0.0, 2.0]), 0.5)
    array([0. , 0.5, 1. ])
    """
    return np.heaviside(x, at_zero)


@implements(np.nan_to_num)
def nan_to_num(x: Array, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Array:
    """Finite numbers in the place of NaN and infinities; of a complex number, in both parts.

    Parameters
    ----------
    x : array
    copy : bool
        For NumPy's sake: the result is new in any case.
    nan, posinf, neginf : number or array
        What stands for NaN, inf and -inf.  By default 0, and the largest and the lowest number of the dtype.

    Returns
    -------
    array
        Of the shape and dtype of `x`.  What was replaced has gradient 0.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.nan_to_num(np.array([1.0, np.nan, np.inf]), posinf=9.0)
    array([1., 0., 9.])
    """
    x = operand(x, "nan_to_num")
    if x.dtype.kind not in "fc":
        return astype(x, x.dtype)
    if x.dtype.kind == "c":
        first, second = (nan_to_num(part, copy, nan, posinf, neginf) for part in (real(x), imag(x)))
        return first + second * 1j  # in this order, for Python multiplies NumPy's scalars in its own way
    limits = np.finfo(x.dtype)
    finite = where(x == np.inf, limits.max if posinf is None else posinf, x)
    finite = where(x == -np.inf, limits.min if neginf is None else neginf, finite)
    return astype(where(isnan(x), nan, finite), x.dtype)


# The sine cardinal.  It is the spherical Bessel function of order 0, and the derivative of one of these is made of its
# neighbours (DLMF 10.51.2), so all derivatives are accurate at 0, where a quotient would not be.


def _bessel_slope(z: Array, n: int) -> Array:
    after = spherical_bessel(z, n=n + 1)
    return (n * spherical_bessel(z, n=n - 1) - (n + 1) * after) / (2 * n + 1) if n else -after


@primitive(lambda g, y, z, *, n: zero_safe_multiply(g, _bessel_slope(z, n)), kind="elementwise")
def spherical_bessel(z: Array, /, *, n: int) -> Array:
    """The spherical Bessel function of the first kind, of order `n`, elementwise.

    By upward recurrence (DLMF 10.51.1), which is stable while ``|z| > n``, and else by the power series (10.53.1).
    """
    if n == 0:
        safe = np.where(z == 0, 1, z)
        return np.where(z == 0, 1, np.sin(safe) / safe)[()]
    small = np.absolute(z) < n + 1
    large = np.where(small, n + 1, z)
    before, now = np.cos(large) / large, np.sin(large) / large
    for k in range(n):
        before, now = now, (2 * k + 1) / large * now - before
    near = np.where(small, z, 0)
    term = near / 3
    for k in range(2, n + 1):
        term = term * near / (2 * k + 1)
    series = term
    for k in range(1, 12 + 2 * n):
        term = term * near * near / (-2 * k * (2 * n + 2 * k + 1))
        series = series + term
    return np.where(small, series, now)[()]


@implements(np.sinc)
def sinc(x: Array) -> Array:
    """``sin(pi x) / (pi x)``, elementwise, and 1 at 0.  Derivatives of every order are accurate at 0.

    Parameters
    ----------
    x : array

    Returns
    -------
    array
        Of the shape of `x` and its dtype, or float64 if that is not a floating-point one.

    Examples
    --------
    >>> import minigrad as mg
    >>> round(mg.grad(mg.grad(mg.sinc))(0.0).item(), 6)  # -pi**2 / 3
    -3.289868
    """
    return spherical_bessel(np.pi * operand(x, "sinc"), n=0)
