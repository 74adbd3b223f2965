"""Products of a number and a logarithm, elementwise: entropies and divergences, with 0 times log(0) taken as 0."""

import numpy as np

from minigrad.core import Array, primitive
from minigrad.ops.elementwise import add, subtract
from minigrad.ops.kept_zeros import zero_safe_divide, zero_safe_multiply
from minigrad.ops.names import implements_by_name
from minigrad.ops.scipy_special import real_operands


def _is_zero(x: Array, y: Array) -> Array:
    """Where x is 0, and y is a number."""
    return (x == 0) & (y == y)


@implements_by_name("scipy.special.xlogy")
@primitive(
    lambda g, y, x, z: xlogy(g, np.where((x == 0) & (z <= 0), 1, z)),
    lambda g, y, x, z: zero_safe_divide(zero_safe_multiply(g, x), z),
    kind="elementwise",
)
def xlogy(x: Array, y: Array, /) -> Array:
    """``x * log(y)``, elementwise, and 0 where `x` is 0, unless `y` is NaN.

    Where `x` is 0 and `y` is 0 or negative, both derivatives are taken as 0.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.special.xlogy(np.array([0.0, 2.0]), np.array([0.0, 1.0]))
    array([0., 0.])
    """
    x, y = real_operands("xlogy", x, y)
    zero = _is_zero(x, y)
    with np.errstate(all="ignore"):
        return np.where(zero, 0, x * np.log(np.where(zero, 1, y)))[()]


@implements_by_name("scipy.special.xlog1py")
@primitive(
    lambda g, y, x, z: xlog1py(g, np.where((x == 0) & (z <= -1), 0, z)),
    lambda g, y, x, z: zero_safe_divide(zero_safe_multiply(g, x), 1 + z),
    kind="elementwise",
)
def xlog1py(x: Array, y: Array, /) -> Array:
    """``x * log1p(y)``, elementwise, and 0 where `x` is 0, unless `y` is NaN.

    Where `x` is 0 and `y` is -1 or below, both derivatives are taken as 0.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.special.xlog1py(np.array([0.0, 2.0]), np.array([-1.0, 0.0]))
    array([0., 0.])
    """
    x, y = real_operands("xlog1py", x, y)
    zero = _is_zero(x, y)
    with np.errstate(all="ignore"):
        return np.where(zero, 0, x * np.log1p(np.where(zero, 0, y)))[()]


@implements_by_name("scipy.special.entr")
@primitive(lambda g, y, x: -zero_safe_multiply(g, 1 + np.log(x)), kind="elementwise")
def entr(x: Array, /) -> Array:
    """``-x * log(x)``, elementwise: 0 at 0, where its derivative is inf, and -inf for negative numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.special.entr(np.array([0.0, 0.5, 1.0])).round(4)
    array([ 0.    ,  0.3466, -0.    ])
    """
    (x,) = real_operands("entr", x)
    with np.errstate(all="ignore"):
        return np.where(x == 0, 0, np.where(x < 0, -np.inf, -x * np.log(x)))[()]


def _rel_entr_rule(g: Array, x: Array, y: Array) -> Array:
    """``g * (1 + log(x / y))``."""
    return np.where((x == 0) & (y == 0), 0, zero_safe_multiply(g, 1 + (np.log(x) - np.log(y))))


@implements_by_name("scipy.special.rel_entr")
@primitive(
    lambda g, y, p, q: _rel_entr_rule(g, p, q),
    lambda g, y, p, q: -zero_safe_divide(zero_safe_multiply(g, p), q),
    kind="elementwise",
)
def rel_entr(x: Array, y: Array, /) -> Array:
    """``x * log(x / y)``, elementwise: 0 where `x` is 0 and `y` is not negative, and inf where either is negative.

    Where both are 0 both derivatives are taken as 0; where only `x` is, the derivative by it is -inf.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.special.rel_entr(np.array([0.0, 0.5, 0.5]), np.array([0.0, 0.5, 0.0]))
    array([ 0.,  0., inf])
    """
    x, y = real_operands("rel_entr", x, y)
    with np.errstate(all="ignore"):
        ratio = x / y
        # A quotient near 1 is rounded, and another may over- or underflow.
        near, fits = (ratio > 0.5) & (ratio < 2), (ratio > np.finfo(x.dtype).tiny) & (ratio < np.inf)
        value = x * np.where(near, np.log1p((x - y) / y), np.where(fits, np.log(ratio), np.log(x) - np.log(y)))
        value = np.where((x == 0) & (y >= 0), 0, np.where((x < 0) | (y <= 0), np.inf, value))
        return np.where(np.isnan(x) | np.isnan(y), np.nan, value)[()]


@implements_by_name("scipy.special.kl_div")
def kl_div(x: Array, y: Array, /) -> Array:
    """``x * log(x / y) - x + y``, elementwise: `rel_entr` with terms that make it 0 at its minimum, ``x = y``.

    Where both are 0 the derivatives are taken as -1 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.special.kl_div(np.array([0.0, 0.5]), np.array([0.25, 0.5]))
    array([0.25, 0.  ])
    """
    with np.errstate(invalid="ignore"):
        return add(subtract(rel_entr(x, y), x), y)
