"""Modified Bessel functions of the first kind and integer order, elementwise."""

import math

import numpy as np

from minigrad.core import Array, implements, primitive, traced
from minigrad.ops.kept_zeros import zero_safe_multiply, zero_safe_product
from minigrad.ops.names import implements_by_name
from minigrad.ops.scipy_special import by_scipy, real_operands


def _mean_of_neighbours(x: Array, n: int, scaled: bool) -> Array:
    """``(I[n - 1] + I[n + 1]) / 2``, the derivative of I[n] (DLMF 10.29.1); I[-1] is I[1]."""
    after = bessel_i(x, n=n + 1, scaled=scaled)
    return (bessel_i(x, n=n - 1, scaled=scaled) + after) / 2 if n else after


# From here on the mean of the neighbours and the function itself, if they are scaled, differ in their last digits only:
# the slope is that of the expansion for large numbers (DLMF 10.40.1), of which so many terms are enough.
_FAR, _TERMS = 1e3, 12


def _far_slope(x: Array, n: int) -> Array:
    """The derivative of ``exp(-x) * I[n](x)``, for x from `_FAR` on."""
    coefficient, slope = 1 / math.sqrt(2 * math.pi), np.zeros_like(x)
    for k in range(_TERMS):
        slope = slope - (k + 0.5) * coefficient * x ** (-k - 1.5)
        coefficient *= ((2 * k + 1) ** 2 - 4 * n * n) / (8 * (k + 1))
    return slope


def _scaled_slope(x: Array, y: Array, n: int) -> Array:
    """The derivative of ``exp(-abs(x)) * I[n](x)``; of an even function it is odd, and the other way round."""
    far = np.abs(x) > _FAR
    slope = _mean_of_neighbours(np.where(far, 1, x), n, True) - zero_safe_product(np.sign(x), y)
    if not traced(far) and not np.any(far):
        return slope
    beyond = _far_slope(np.where(far, np.abs(x), _FAR), n)
    return np.where(far, beyond if n % 2 else np.sign(x) * beyond, slope)


def _bessel_rule(g: Array, y: Array, x: Array, n: int, scaled: bool) -> Array:
    """`g` times the mean of the functions of the orders beside `n`."""
    return zero_safe_multiply(g, _scaled_slope(x, y, n) if scaled else _mean_of_neighbours(x, n, False))


def _of_higher_order(x: Array, n: int, scaled: bool) -> Array:
    """SciPy's function of an order from 2 on, also for numbers which are too small or too large for it."""
    (x,) = real_operands("iv", x)
    size = np.abs(x)
    far = size > 1e5
    # A power of so small a number would be 0, and without the scale anything is infinite long before the limit.
    inside = np.where(size < 1e-150, 0, np.clip(x, -1e5, 1e5)).astype(x.dtype)
    value = by_scipy("ive" if scaled else "iv", np.int8(n), inside)  # a dtype that makes no other wider
    if not scaled or not np.any(far):
        return value
    before, now = by_scipy("i0e", x), by_scipy("i1e", x)
    for k in range(1, n):
        before, now = now, before - 2 * k / np.where(far, x, 1) * now
    joined: Array = np.where(far, now, value)
    return joined[()]


@primitive(lambda g, y, x, *, n, scaled: _bessel_rule(g, y, x, n, scaled), kind="elementwise")
def bessel_i(x: Array, /, *, n: int, scaled: bool) -> Array:
    """Modified Bessel function of the first kind, of order `n`; if it is scaled, times ``exp(-abs(x))``.

    All orders from 2 on are SciPy's; those of order 0 and 1 have functions of their own.
    """
    if n > 1:
        return _of_higher_order(x, n, scaled)
    if n or scaled:
        return by_scipy(f"i{n}e" if scaled else f"i{n}", x)
    (x,) = real_operands("i0", x)
    with np.errstate(all="ignore"):
        return np.i0(x.astype(np.float64)).astype(x.dtype)[()]


@implements_by_name("scipy.special.i0")
@implements(np.i0)
def i0(x: Array, /) -> Array:
    """Modified Bessel function of order 0, elementwise.

    The value is NumPy's; derivatives need SciPy, and raise a MissingPackageError without it.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.special.i0(np.array([0.0, 1.0])).round(4)
    array([1.    , 1.2661])
    """
    return bessel_i(x, n=0, scaled=False)


@implements_by_name("scipy.special.i1")
def i1(x: Array, /) -> Array:
    """Modified Bessel function of order 1, elementwise: the derivative of `i0`.

    Needs SciPy, and raises a MissingPackageError without it.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.special.i1(np.array([0.0, 1.0])).round(4)
    array([0.    , 0.5652])
    """
    return bessel_i(x, n=1, scaled=False)


@implements_by_name("scipy.special.i0e")
def i0e(x: Array, /) -> Array:
    """``exp(-abs(x)) * i0(x)``, elementwise; at 0 the derivative is taken as 0.

    Needs SciPy, and raises a MissingPackageError without it.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.special.i0e(np.array([0.0, 1000.0])).round(4)
    array([1.    , 0.0126])
    """
    return bessel_i(x, n=0, scaled=True)


@implements_by_name("scipy.special.i1e")
def i1e(x: Array, /) -> Array:
    """``exp(-abs(x)) * i1(x)``, elementwise.

    Needs SciPy, and raises a MissingPackageError without it.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.special.i1e(np.array([0.0, 1000.0])).round(4)
    array([0.    , 0.0126])
    """
    return bessel_i(x, n=1, scaled=True)
