"""The error function and its relatives, elementwise, with NumPy alone: `erf`, normal probabilities, their inverses."""

import math
from collections.abc import Callable

import numpy as np

from minigrad.core import Array, primitive
from minigrad.ops.blocks import in_blocks
from minigrad.ops.kept_zeros import zero_safe_divide, zero_safe_multiply
from minigrad.ops.names import implements_by_name
from minigrad.ops.scipy_special import real_operands

# The error function by rational approximations in four intervals of |x|, with the coefficients of s_erf.c in fdlibm
# (Sun Microsystems, 1993).  Lowest power first.

_NEAR = (
    [0.12837916709551256, -0.3250421072470015, -0.02848174957559851, -0.005770270296489442, -2.3763016656650163e-05],
    [1.0, 0.39791722395915535, 0.0650222499887673, 0.005081306281875766, 0.00013249473800432164,
     -3.960228278775368e-06],
)  # fmt: skip
_MIDDLE = (
    [-0.0023621185607526594, 0.41485611868374833, -0.3722078760357013, 0.31834661990116175, -0.11089469428239668,
     0.035478304325618236, -0.002166375594868791],
    [1.0, 0.10642088040084423, 0.540397917702171, 0.07182865441419627, 0.12617121980876164, 0.01363708391202905,
     0.011984499846799107],
)  # fmt: skip
_FAR = (
    [-0.009864944034847148, -0.6938585727071818, -10.558626225323291, -62.375332450326006, -162.39666946257347,
     -184.60509290671104, -81.2874355063066, -9.814329344169145],
    [1.0, 19.651271667439257, 137.65775414351904, 434.56587747522923, 645.3872717332679, 429.00814002756783,
     108.63500554177944, 6.570249770319282, -0.0604244152148581],
)  # fmt: skip
_FARTHER = (
    [-0.0098649429247001, -0.799283237680523, -17.757954917754752, -160.63638485582192, -637.5664433683896,
     -1025.0951316110772, -483.5191916086514],
    [1.0, 30.33806074348246, 325.7925129965739, 1536.729586084437, 3199.8582195085955, 2553.0504064331644,
     474.52854120695537, -22.44095244658582],
)  # fmt: skip
_AT_ONE = 0.8450629115104675  # erf(1), rounded to few bits


# For float32 one approximation ``x * P(x * x) / Q(x * x)`` is enough, fitted to a relative error of 2.2e-9 up to where
# the float32 next to erf(x) is 1.
_SINGLE_END = 3.92
_SINGLE = (
    [1.1283791695391736, 0.19242403128967772, 0.055567864579537746, 0.004191798074787185, 0.00040525090049014107,
     6.5705352253888705e-06],
    [1.0, 0.5038647777421246, 0.11720009669238889, 0.016206084778379606, 0.0014063432252074582, 7.09818702571758e-05,
     2.47973254470175e-07],
)  # fmt: skip


def _polynomial(x: Array, coefficients: list[float]) -> Array:
    """The value by Horner's rule, in memory of its own."""
    value = x * coefficients[-1]
    for c in coefficients[-2:0:-1]:
        value += c
        value *= x
    value += coefficients[0]
    return value


def _ratio(polynomials: tuple[list[float], list[float]], x: Array) -> Array:
    above, below = (_polynomial(x, p) for p in polynomials)
    above /= below
    return above


def _in_doubles(compute: Callable[..., None], x: Array, name: str) -> Array:
    """What `compute` writes for blocks of doubles, in the dtype of `x` if it is a floating-point one."""
    (x,) = real_operands(name, x)
    with np.errstate(all="ignore"):
        y = in_blocks(compute, x.astype(np.float64, copy=False))
    return y.astype(x.dtype, copy=False)


def _upper_half(x: Array) -> Array:
    """The upper half of the digits, whose square is exact where that of `x` would be rounded."""
    return (x.view(np.int64) & -(1 << 32)).view(np.float64)


def _tail_exponent(x: Array) -> Array:
    """The logarithm of ``exp(x * x) * x * (1 - erf(x))``, plus 0.5625, for x from 1.25 on."""
    s = 1 / (x * x)
    return np.where(x < 1 / 0.35, _ratio(_FAR, s), _ratio(_FARTHER, s))


def _tail(x: Array) -> Array:
    """``1 - erf(x)`` for x from 1.25 on."""
    z = _upper_half(x)
    return np.exp(-z * z - 0.5625) * np.exp((z - x) * (z + x) + _tail_exponent(x)) / x


def _scaled_tail(x: Array) -> Array:
    """``exp(x * x) * (1 - erf(x))`` for x from 1.25 on."""
    return np.exp(_tail_exponent(x) - 0.5625) / x


# The error function


def _single_erf(x: Array, out: Array) -> None:
    x = np.clip(np.asanyarray(x, np.float64), -_SINGLE_END, _SINGLE_END)
    y = _ratio(_SINGLE, x * x)
    y *= x
    out[:] = y


def _double_erf(x: Array, y: Array) -> None:
    size = np.abs(x)
    y[:] = np.copysign(np.where(np.isnan(x), np.nan, 1.0), x)
    near, middle, far = size < 0.84375, (size >= 0.84375) & (size < 1.25), (size >= 1.25) & (size < 6)
    part = x[near]
    y[near] = part + part * _ratio(_NEAR, part * part)
    y[middle] = np.copysign(_AT_ONE + _ratio(_MIDDLE, size[middle] - 1), x[middle])
    y[far] = np.copysign(1 - _tail(size[far]), x[far])


_SLOPE = 2 / math.sqrt(math.pi)


@implements_by_name("scipy.special.erf")
@primitive(lambda g, y, x: zero_safe_multiply(g, _SLOPE * np.exp(-np.square(x))), kind="elementwise")
def erf(x: Array, /) -> Array:
    """Error function, elementwise: ``2 / sqrt(pi)`` times the integral of ``exp(-t * t)`` from 0 to `x`.

    Within 2 units in the last place.

    Examples
    --------
    >>> import minigrad as mg
    >>> round(float(mg.grad(mg.special.erf)(0.0)), 6)  # 2 / sqrt(pi)
    1.128379
    """
    if getattr(x, "dtype", None) == np.float32:
        return in_blocks(_single_erf, np.asanyarray(x))
    return _in_doubles(_double_erf, x, "erf")


def _double_erfc(x: Array, y: Array) -> None:
    size = np.abs(x)
    y[:] = np.where(np.isnan(x), np.nan, np.where(x > 0, 0, 2))
    near, middle, far = size < 0.84375, (size >= 0.84375) & (size < 1.25), (size >= 1.25) & (x < 28) & (x > -6)
    part = x[near]
    odd = part * _ratio(_NEAR, part * part)
    y[near] = np.where(part < 0.25, 1 - (part + odd), 0.5 - (part - 0.5 + odd))
    part = _ratio(_MIDDLE, size[middle] - 1)
    y[middle] = np.where(x[middle] > 0, 1 - _AT_ONE - part, 1 + (_AT_ONE + part))
    part = _tail(size[far])
    y[far] = np.where(x[far] > 0, part, 2 - part)


@implements_by_name("scipy.special.erfc")
@primitive(lambda g, y, x: -zero_safe_multiply(g, _SLOPE * np.exp(-np.square(x))), kind="elementwise")
def erfc(x: Array, /) -> Array:
    """``1 - erf(x)``, elementwise, accurate where that is small.

    Within a few units in the last place.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.special.erfc(np.array([0.0, 10.0]))
    array([1.00000000e+00, 2.08848758e-45])
    """
    return _in_doubles(_double_erfc, x, "erfc")


# The scaled one, and its derivatives: repeated integrals of erfc (Abramowitz and Stegun, 7.2), times exp(x * x).  With
# I[n] for the n-fold integral, scaled, there is I[n - 2] = 2n I[n] + 2x I[n - 1], from I[-1] = 2 / sqrt(pi) on, and the
# derivative of I[n] is -2 (n + 1) I[n + 1].  In this form nothing cancels; erfcx' = 2x erfcx - 2 / sqrt(pi) does.


def _double_erfcx(x: Array, y: Array) -> None:
    size = np.abs(x)
    near = size < 1.25
    _double_erfc(x, y)
    y[near] *= np.exp(x[near] ** 2)
    part = size[~near]
    tail, part = _scaled_tail(part), np.minimum(part, 30)  # of which the exponential is infinite already
    z = _upper_half(part)
    y[~near] = np.where(x[~near] < 0, 2 * np.exp(z * z) * np.exp((part - z) * (part + z)) - tail, tail)


_ENOUGH = 120  # steps of the continued fraction for double precision, from x = 1 on


def _double_integral(x: Array, y: Array, n: int) -> None:
    _double_erfcx(x, y)
    far = x >= 1  # where the recurrence is stable only downwards, and gives the ratios I[k] / I[k - 1]
    part, before, now = x[~far], np.full(x[~far].shape, _SLOPE), y[~far]
    for k in range(1, n + 1):
        before, now = now, (before - 2 * part * now) / (2 * k)
    y[~far] = now
    part, now, last = x[far], y[far], n + _ENOUGH
    ratio = 1 / (part + np.sqrt(part * part + 2 * last))  # that of a recurrence whose coefficients would not change
    for k in range(last - 1, 0, -1):
        ratio = 0.5 / (part + (k + 1) * ratio)
        if k <= n:
            now = now * ratio
    y[far] = now


@primitive(lambda g, y, x, *, n: zero_safe_multiply(-2 * (n + 1) * g, _erfc_integral(x, n=n + 1)), kind="elementwise")
def _erfc_integral(x: Array, /, *, n: int) -> Array:
    """``exp(x * x)`` times the `n`-fold integral of `erfc` from x to infinity."""
    if n == 0:
        return _in_doubles(_double_erfcx, x, "erfcx")
    return _in_doubles(lambda block, out: _double_integral(block, out, n), x, "erfcx")


@implements_by_name("scipy.special.erfcx")
def erfcx(x: Array, /) -> Array:
    """``exp(x * x) * erfc(x)``, elementwise, which is near ``1 / (sqrt(pi) * x)`` for large x.

    All derivatives are accurate, for they do not subtract what is nearly equal.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.special.erfcx(np.array([0.0, 1e8]))
    array([1.00000000e+00, 5.64189584e-09])
    """
    return _erfc_integral(x, n=0)


# Probabilities of the normal distribution


_ROOT_HALF, _DENSITY = math.sqrt(0.5), 1 / math.sqrt(2 * math.pi)


def _double_ndtr(x: Array, y: Array) -> None:
    _double_erfc(x * -_ROOT_HALF, y)
    y *= 0.5


@implements_by_name("scipy.special.ndtr")
@primitive(lambda g, y, x: zero_safe_multiply(g, _DENSITY * np.exp(-0.5 * np.square(x))), kind="elementwise")
def ndtr(x: Array, /) -> Array:
    """Probability that a normal random number of mean 0 and variance 1 is below `x`, elementwise.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.special.ndtr(np.array([-1.0, 0.0, 1.0])).round(4)
    array([0.1587, 0.5   , 0.8413])
    """
    return _in_doubles(_double_ndtr, x, "ndtr")


def _double_log_ndtr(x: Array, y: Array) -> None:
    low = x < -1
    part = x[~low] * _ROOT_HALF
    tail = np.empty_like(part)
    _double_erfc(part, tail)
    y[~low] = np.log1p(-0.5 * tail)
    part = x[low]
    tail = np.empty_like(part)
    _double_erfcx(part * -_ROOT_HALF, tail)
    y[low] = np.log(0.5 * tail) - 0.5 * part * part


def _log_ndtr_rule(g: Array, x: Array) -> Array:
    """``g`` times the density over the probability, which is ``-x`` to all digits where that is large."""
    far = x <= -1e8
    near = zero_safe_divide(2 * _DENSITY * g, erfcx(np.where(far, 0, x) * -_ROOT_HALF))
    return np.where(far, -zero_safe_multiply(g, x), near)


@implements_by_name("scipy.special.log_ndtr")
@primitive(lambda g, y, x: _log_ndtr_rule(g, x), kind="elementwise")
def log_ndtr(x: Array, /) -> Array:
    """Logarithm of `ndtr`, elementwise, accurate at both ends; so are its derivatives.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor([-1e6, 0.0], requires_grad=True)
    >>> y = mg.special.log_ndtr(x)
    >>> y.sum().backward()
    >>> x.grad
    tensor([1.00000000e+06, 7.97884561e-01])
    """
    return _in_doubles(_double_log_ndtr, x, "log_ndtr")


# Quantiles, by M. Wichura's rational approximations ("Algorithm AS 241: The Percentage Points of the Normal
# Distribution", 1988): in the middle of q = p - 1/2, outside of r = sqrt(-log(p)).  Lowest power first.

_QUANTILE_MIDDLE = (
    [3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125, 45921.953931549871457,
     67265.770927008700853, 33430.575583588128105, 2509.0809287301226727],
    [1.0, 42.313330701600911252, 687.18700749205790830, 5394.1960214247511077, 21213.794301586595867,
     39307.895800092710610, 28729.085735721942674, 5226.4952788528545610],
)  # fmt: skip
_QUANTILE_FAR = (
    [1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
     1.27045825245236838258, 0.241780725177450611770, 0.0227238449892691845833, 7.74545014278341407640e-4],
    [1.0, 2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550, 0.148103976427480074590,
     0.0151986665636164571966, 5.47593808499534494600e-4, 1.05075007164441684324e-9],
)  # fmt: skip
_QUANTILE_FARTHER = (
    [6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 0.296560571828504891230,
     0.0265321895265761230930, 0.00124266094738807843860, 2.71155556874348757815e-5, 2.01033439929228813265e-7],
    [1.0, 0.599832206555887937690, 0.136929880922735805310, 0.0148753612908506148525, 7.86869131145613259100e-4,
     1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15],
)  # fmt: skip


def _quantile(q: Array, p: Array) -> Array:
    """The quantile of ``q + 1/2``, of which `p` is the distance to the nearer end, 0 or 1."""
    r = np.sqrt(-np.log(p))
    outside = np.where(r <= 5, _ratio(_QUANTILE_FAR, r - 1.6), _ratio(_QUANTILE_FARTHER, r - 5))
    middle = q * _ratio(_QUANTILE_MIDDLE, 0.180625 - q * q)
    return np.where(p == 0, np.copysign(np.inf, q), np.where(np.abs(q) <= 0.425, middle, np.copysign(outside, q)))


def _double_ndtri(p: Array, x: Array) -> None:
    x[:] = _quantile(p - 0.5, np.minimum(p, 1 - p))


@implements_by_name("scipy.special.ndtri")
@primitive(lambda g, y, p: zero_safe_multiply(g, np.exp(0.5 * np.square(y)) / _DENSITY), kind="elementwise")
def ndtri(p: Array, /) -> Array:
    """Inverse of `ndtr`, elementwise; its derivative at 0 and 1 is inf, and outside of them all is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.special.ndtri(np.array([0.0, 0.5, 0.975])).round(4)
    array([-inf, 0.  , 1.96])
    """
    return _in_doubles(_double_ndtri, p, "ndtri")


def _double_erfinv(x: Array, y: Array) -> None:
    y[:] = _ROOT_HALF * _quantile(0.5 * x, 0.5 * (1 - np.abs(x)))


@implements_by_name("scipy.special.erfinv")
@primitive(lambda g, y, x: zero_safe_multiply(g, np.exp(np.square(y)) / _SLOPE), kind="elementwise")
def erfinv(x: Array, /) -> Array:
    """Inverse of `erf`, elementwise; its derivative at -1 and 1 is inf, and outside of them all is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.special.erfinv(np.array([0.0, 0.5, 1.0])).round(4)
    array([0.    , 0.4769,    inf])
    """
    return _in_doubles(_double_erfinv, x, "erfinv")
