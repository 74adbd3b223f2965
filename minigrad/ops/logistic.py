"""The logistic function and its relatives, elementwise and over an axis, with NumPy alone.

`logsumexp`, `softmax` and `log_softmax` are here with SciPy's arguments: their axis is by default all of them.
"""

from typing import Any

import numpy as np

from minigrad.core import Array, numpy_keywords, primitive
from minigrad.ops import reductions
from minigrad.ops.axes import Axis
from minigrad.ops.elementwise import abs, add, exp, log, multiply, sigmoid, sign, subtract
from minigrad.ops.kept_zeros import zero_safe_divide, zero_safe_multiply, zero_safe_product
from minigrad.ops.names import implements_by_name
from minigrad.ops.scipy_special import real_operands


@implements_by_name("scipy.special.expit")
def expit(x: Array, /) -> Array:
    """``1 / (1 + exp(-x))``, elementwise, without overflow: SciPy's name for the sigmoid.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.special.expit(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    return sigmoid(x)


@implements_by_name("scipy.special.logit")
@primitive(lambda g, y, x: zero_safe_divide(g, zero_safe_product(x, 1 - x)), kind="elementwise")
def logit(x: Array, /) -> Array:
    """``log(x / (1 - x))``, elementwise, the inverse of `expit`; its derivative at 0 and 1 is inf.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.special.logit(np.array([0.0, 0.5, 0.75])).round(4)
    array([  -inf, 0.    , 1.0986])
    """
    (x,) = real_operands("logit", x)
    with np.errstate(all="ignore"):  # near 1/2 the logarithms would cancel, and twice a distance from it is exact
        return np.where(np.abs(x - 0.5) < 0.25, 2 * np.arctanh(2 * x - 1), np.log(x) - np.log1p(-x))[()]


@implements_by_name("scipy.special.log_expit")
@primitive(lambda g, y, x: zero_safe_multiply(g, sigmoid(-x)), kind="elementwise")
def log_expit(x: Array, /) -> Array:
    """Logarithm of `expit`, elementwise, accurate where that is small.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.special.log_expit(np.array([-1000.0, 0.0])).round(4)
    array([-1.000e+03, -6.931e-01])
    """
    (x,) = real_operands("log_expit", x)
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


def softplus(x: Array, /) -> Array:
    """``log(1 + exp(x))``, elementwise, without overflow.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.special.softplus(np.array([-1000.0, 0.0, 100.0])).round(4)
    array([  0.    ,   0.6931, 100.    ])
    """
    return subtract(0.0, log_expit(multiply(x, -1.0)))  # which is not -0, as a negative could be


@primitive(cost=1)
def _largest_counted(a: Array, b: Array, /, *, axis: Axis) -> Array:
    """The largest elements of `a` along an axis, which stays with length 1, of those whose factor `b` is not 0."""
    return reductions.shift(np.where(b == 0, -np.inf, a), axis, infinite=0)


@numpy_keywords
def logsumexp(
    a: Array, axis: Axis = None, b: Array | None = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """``log(sum(b * exp(a)))`` over one axis, several, or all, without overflow.

    Parameters
    ----------
    a : array
    axis : int or tuple of int, optional
        By default all.
    b : array, optional
        Factors that broadcast against `a`; a negative sum gives NaN, unless its sign is returned.
    keepdims : bool
        Keep the axis, with length 1.
    return_sign : bool
        Return the logarithm of the absolute value of the sum, and its sign.

    Returns
    -------
    array, or pair of array

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.special.logsumexp(np.array([1000.0, 1000.0]), b=np.array([0.5, 0.5]))
    np.float64(1000.0)
    """
    if b is None and not return_sign:
        return reductions.logsumexp(a, axis, keepdims=keepdims)
    b = 1.0 if b is None else b
    top = _largest_counted(a, b, axis=axis)
    with np.errstate(all="ignore"):  # what a factor 0 removes may be infinite, and a sum may be 0 or negative
        total = reductions.sum(zero_safe_multiply(b, exp(subtract(a, top))), axis, keepdims=keepdims)
        value = add(log(abs(total) if return_sign else total), top if keepdims else np.squeeze(top, axis))
    return (value, sign(total)) if return_sign else value


@numpy_keywords
def softmax(x: Array, axis: Axis = None) -> Array:
    """``exp(x) / sum(exp(x))`` over one axis, several, or (as in SciPy) all.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.special.softmax(np.zeros((2, 2)))
    array([[0.25, 0.25],
           [0.25, 0.25]])
    """
    return reductions.softmax(x, axis)


@numpy_keywords
def log_softmax(x: Array, axis: Axis = None) -> Array:
    """Logarithm of `softmax`, accurate where that underflows, over one axis, several, or (as in SciPy) all.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.special.log_softmax(np.zeros((2, 2))).round(4)
    array([[-1.3863, -1.3863],
           [-1.3863, -1.3863]])
    """
    return reductions.log_softmax(x, axis)
