"""The gamma function and its relatives, elementwise, by SciPy.

By the parameters of the incomplete functions, and by the order of a derivative, no closed formula is known: these
operands have no gradient, and whoever asks for it is told.
"""

import numpy as np

from minigrad.core import Array, primitive
from minigrad.errors import ArgumentError
from minigrad.ops.entropy import xlog1py, xlogy
from minigrad.ops.kept_zeros import zero_safe_multiply
from minigrad.ops.names import implements_by_name
from minigrad.ops.scipy_special import by_scipy, refuse

# The gamma function and its logarithmic derivatives (DLMF 5.2, 5.15)


@implements_by_name("scipy.special.gamma")
@primitive(lambda g, y, x: zero_safe_multiply(zero_safe_multiply(g, y), digamma(x)), kind="elementwise")
def gamma(x: Array, /) -> Array:
    """Gamma function, elementwise: ``(x - 1)!`` for positive integers.

    Needs SciPy, and raises a MissingPackageError without it.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.special.gamma(np.array([1.0, 4.0, 0.5])).round(4)
    array([1.    , 6.    , 1.7725])
    """
    return by_scipy("gamma", x)


@implements_by_name("scipy.special.gammaln")
@primitive(lambda g, y, x: zero_safe_multiply(g, digamma(x)), kind="elementwise")
def gammaln(x: Array, /) -> Array:
    """Logarithm of the absolute value of the gamma function, elementwise.

    Needs SciPy, and raises a MissingPackageError without it.

    Examples
    --------
    >>> import minigrad as mg
    >>> round(float(mg.grad(mg.special.gammaln)(1.0)), 6)  # minus Euler's constant
    -0.577216
    """
    return by_scipy("gammaln", x)


@implements_by_name("scipy.special.psi", "scipy.special.digamma")
@primitive(lambda g, y, x: zero_safe_multiply(g, polygamma(1, x)), kind="elementwise")
def digamma(x: Array, /) -> Array:
    """Derivative of `gammaln`, elementwise; SciPy's other name for it is psi.

    Needs SciPy, and raises a MissingPackageError without it.

    Examples
    --------
    >>> import minigrad as mg
    >>> round(float(mg.special.digamma(1.0)), 6)
    -0.577216
    """
    return by_scipy("digamma", x)


psi = digamma


@primitive(
    lambda g, y, n, x: refuse("polygamma", "n"),
    lambda g, y, n, x: zero_safe_multiply(g, polygamma(n + 1, x)),
    kind="elementwise",
)
def polygamma(n: Array, x: Array, /) -> Array:
    """The `n`-th derivative of `digamma`, elementwise.

    Needs SciPy, and raises a MissingPackageError without it.

    Parameters
    ----------
    n : array of int
        Orders, not negative. There is no derivative by them: to ask for it raises an UnsupportedError.
    x : array

    Raises
    ------
    ArgumentError
        If an order is negative or not a whole number.

    Examples
    --------
    >>> import minigrad as mg
    >>> round(float(mg.special.polygamma(1, 1.0)), 6)  # pi**2 / 6
    1.644934
    """
    orders = np.asarray(n)
    if np.any((orders < 0) | (orders != np.floor(orders))):
        raise ArgumentError(f"polygamma: the order of a derivative is 0, 1, 2, ..., and n is {n!r}")
    value = by_scipy("polygamma", n, x)
    dtype = getattr(x, "dtype", value.dtype)  # an array of integers would make it double precision
    return value.astype(dtype, copy=False) if dtype.kind == "f" else value


# The beta function (DLMF 5.12)


@implements_by_name("scipy.special.beta")
@primitive(
    lambda g, y, a, b: zero_safe_multiply(zero_safe_multiply(g, y), digamma(a) - digamma(a + b)),
    lambda g, y, a, b: zero_safe_multiply(zero_safe_multiply(g, y), digamma(b) - digamma(a + b)),
    kind="elementwise",
    commutative=True,
)
def beta(a: Array, b: Array, /) -> Array:
    """``gamma(a) * gamma(b) / gamma(a + b)``, elementwise.

    Needs SciPy, and raises a MissingPackageError without it.

    Examples
    --------
    >>> import minigrad as mg
    >>> round(float(mg.special.beta(2.0, 3.0)), 6)  # 1 / 12
    0.083333
    """
    return by_scipy("beta", a, b)


@implements_by_name("scipy.special.betaln")
@primitive(
    lambda g, y, a, b: zero_safe_multiply(g, digamma(a) - digamma(a + b)),
    lambda g, y, a, b: zero_safe_multiply(g, digamma(b) - digamma(a + b)),
    kind="elementwise",
    commutative=True,
)
def betaln(a: Array, b: Array, /) -> Array:
    """Logarithm of the absolute value of `beta`, elementwise.

    Needs SciPy, and raises a MissingPackageError without it.

    Examples
    --------
    >>> import minigrad as mg
    >>> round(float(mg.special.betaln(1000.0, 1000.0)), 3)
    -1388.483
    """
    return by_scipy("betaln", a, b)


# Incomplete functions: the derivative by their limit is the integrand (DLMF 8.2, 8.17), by its logarithm


def _gamma_density(a: Array, x: Array) -> Array:
    return np.exp(xlogy(a - 1, x) - x - gammaln(a))


def _beta_density(a: Array, b: Array, x: Array) -> Array:
    return np.exp(xlogy(a - 1, x) + xlog1py(b - 1, -x) - betaln(a, b))


@implements_by_name("scipy.special.gammainc")
@primitive(
    lambda g, y, a, x: refuse("gammainc", "a"),
    lambda g, y, a, x: zero_safe_multiply(g, _gamma_density(a, x)),
    kind="elementwise",
)
def gammainc(a: Array, x: Array, /) -> Array:
    """Regularized lower incomplete gamma function, elementwise: the distribution function of the gamma distribution.

    Needs SciPy, and raises a MissingPackageError without it.

    Parameters
    ----------
    a : array
        Positive. There is no derivative by it: to ask for it raises an UnsupportedError.
    x : array
        Not negative.

    Examples
    --------
    >>> import minigrad as mg
    >>> round(float(mg.special.gammainc(1.0, 2.0)), 6)  # 1 - exp(-2)
    0.864665
    """
    return by_scipy("gammainc", a, x)


@implements_by_name("scipy.special.gammaincc")
@primitive(
    lambda g, y, a, x: refuse("gammaincc", "a"),
    lambda g, y, a, x: -zero_safe_multiply(g, _gamma_density(a, x)),
    kind="elementwise",
)
def gammaincc(a: Array, x: Array, /) -> Array:
    """``1 - gammainc(a, x)``, elementwise, accurate where that is small.

    Needs SciPy, and raises a MissingPackageError without it.

    Parameters
    ----------
    a : array
        Positive. There is no derivative by it: to ask for it raises an UnsupportedError.
    x : array
        Not negative.

    Examples
    --------
    >>> import minigrad as mg
    >>> round(float(mg.special.gammaincc(1.0, 2.0)), 6)  # exp(-2)
    0.135335
    """
    return by_scipy("gammaincc", a, x)


@implements_by_name("scipy.special.betainc")
@primitive(
    lambda g, y, a, b, x: refuse("betainc", "a"),
    lambda g, y, a, b, x: refuse("betainc", "b"),
    lambda g, y, a, b, x: zero_safe_multiply(g, _beta_density(a, b, x)),
    kind="elementwise",
)
def betainc(a: Array, b: Array, x: Array, /) -> Array:
    """Regularized incomplete beta function, elementwise: the distribution function of the beta distribution.

    Needs SciPy, and raises a MissingPackageError without it.

    Parameters
    ----------
    a, b : array
        Positive. There is no derivative by them: to ask for it raises an UnsupportedError.
    x : array
        From 0 to 1.

    Examples
    --------
    >>> import minigrad as mg
    >>> round(float(mg.special.betainc(2.0, 2.0, 0.5)), 6)
    0.5
    """
    return by_scipy("betainc", a, b, x)


@implements_by_name("scipy.special.stdtr")
@primitive(
    lambda g, y, df, t: refuse("stdtr", "df"),
    lambda g, y, df, t: zero_safe_multiply(g, np.exp(log_student_density(df, t))),
    kind="elementwise",
)
def stdtr(df: Array, t: Array, /) -> Array:
    """Distribution function of Student's t distribution, elementwise.

    Needs SciPy, and raises a MissingPackageError without it.

    Parameters
    ----------
    df : array
        The degrees of freedom, positive.  There is no derivative by them: to ask for it raises an UnsupportedError.
    t : array

    Examples
    --------
    >>> import minigrad as mg
    >>> round(float(mg.special.stdtr(1.0, 1.0)), 6)  # 1/2 + arctan(1) / pi
    0.75
    """
    return by_scipy("stdtr", df, t)


def log_student_density(df: Array, t: Array) -> Array:
    """The logarithm of the density of Student's t distribution, the normal one for infinitely many degrees of freedom.

    The ratio of the gamma functions of ``a + 1/2`` and ``a`` for large `a` by its asymptotic series (DLMF 5.11.13), in
    which nothing large cancels.
    """
    is_normal, is_large = df == np.inf, df > 60
    df = np.where(is_normal, 1e300, df)
    by_a = 2 / df
    series = by_a * (-1 / 8 + by_a**2 * (1 / 192 + by_a**2 * (-1 / 640 + by_a**2 * (17 / 14336))))
    few = np.where(is_large, 1.0, df)
    exact = -betaln(few / 2, 0.5) + np.log(2 / few) / 2 + np.log(np.pi) / 2
    norming = np.where(is_large, series, exact) - np.log(2 * np.pi) / 2
    exponent = np.where(is_normal, np.square(t) / 2, (df + 1) / 2 * np.log1p(np.square(t) / df))
    return norming - exponent
