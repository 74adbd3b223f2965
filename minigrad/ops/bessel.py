"""Modified Bessel functions of the first kind and integer order, elementwise."""

import numpy as np

from minigrad.core import Array, implements, primitive
from minigrad.ops.elementwise import times
from minigrad.ops.names import implements_by_name
from minigrad.ops.scipy_special import by_scipy, real_operands


def _mean_of_neighbours(x: Array, n: int, scaled: bool) -> Array:
    """``(I[n - 1] + I[n + 1]) / 2``, the derivative of I[n] (DLMF 10.29.1); I[-1] is I[1]."""
    after = bessel_i(x, n=n + 1, scaled=scaled)
    return (bessel_i(x, n=n - 1, scaled=scaled) + after) / 2 if n else after


def _bessel_rule(g: Array, y: Array, x: Array, n: int, scaled: bool) -> Array:
    """`g` times the mean of the functions of the orders beside `n`."""
    slope = _mean_of_neighbours(x, n, scaled)
    return times(g, slope - np.sign(x) * y if scaled else slope)


@primitive(lambda g, y, x, *, n, scaled: _bessel_rule(g, y, x, n, scaled))
def bessel_i(x: Array, /, *, n: int, scaled: bool) -> Array:
    """Modified Bessel function of the first kind, of order `n`; if it is scaled, times ``exp(-abs(x))``.

    All orders from 2 on are SciPy's; those of order 0 and 1 have functions of their own.
    """
    if n > 1:
        return by_scipy("ive" if scaled else "iv", np.int8(n), x)  # a dtype that makes no other wider
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
