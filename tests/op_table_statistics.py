"""The rows of NumPy's statistics and numerical functions."""

from typing import Any

import numpy as np
import scipy.special as sp

from minigrad.ops import (
    binning,
    choosing,
    ignoring_nan,
    numerics,
    numpy_elementwise,
    polynomials,
    quantiles,
    reductions,
    statistics,
)
from tests.needs import numpy_before
from tests.op_table import ALONG, NOTHING, ONE, TWO, A, N, between, either_sign, row, s, spelling, unary

NAN = np.nan


def given(function: Any, *names: str) -> Any:
    """A function that takes its last arrays by these names."""

    def call(*operands: Any, **params: Any) -> Any:
        first = len(operands) - len(names)
        return function(*operands[:first], **dict(zip(names, operands[first:], strict=True)), **params)

    return spelling(function, call)


def holed(function: Any) -> Any:
    """A function of an array in which some elements are NaN: those that are not can be moved to take differences."""

    def call(x: Any, *args: Any, **params: Any) -> Any:
        hole = np.arange(np.size(x)).reshape(np.shape(x)) % 5 == 1
        return function(np.where(hole, NAN, x), *args, **params)

    return spelling(function, call)


# Elementwise

unary(numpy_elementwise.deg2rad, np.deg2rad)
unary(numpy_elementwise.rad2deg, np.rad2deg)
unary(np.radians, np.radians, name="numpy.radians")
unary(np.degrees, np.degrees, name="numpy.degrees")
row(numpy_elementwise.angle, np.angle, *ONE, s((3,), deg=True), complex=True)
unary(numpy_elementwise.modf, np.modf)
unary(numpy_elementwise._fraction, lambda x: np.modf(x)[0])
unary(numpy_elementwise._whole, lambda x: np.modf(x)[1])
row(numpy_elementwise.frexp, np.frexp, *ONE, s(N([1, 2, 3])))
unary(numpy_elementwise._mantissa, lambda x: np.frexp(x)[0])
unary(numpy_elementwise._exponent, lambda x: np.frexp(x)[1], orders=0)
row(numpy_elementwise.ldexp, np.ldexp, s((3,), N([1, 0, -2])), s((), 3), s((2, 1), N([1, 2])), s((0, 3), N([1, 2, 3])))
unary(numpy_elementwise.spacing, np.spacing, orders=0)
unary(numpy_elementwise.fabs, np.fabs)
row(numpy_elementwise.fmod, np.fmod, *TWO, domain=either_sign(0.5, 3))
row(numpy_elementwise.divmod, np.divmod, *TWO, domain=either_sign(0.5, 3))
row(
    numpy_elementwise.float_power, np.float_power, *TWO, s(N([1, 2]), N([2, -1])), domain=between(0.3, 2.3),
    complex=True,
)  # fmt: skip
row(numpy_elementwise.logaddexp2, np.logaddexp2, *TWO, s(A(-1200, 0, 1200), A(0, 1200, -1200)))
row(numpy_elementwise.fmax, np.fmax, *TWO)
row(numpy_elementwise.fmin, np.fmin, *TWO)
row(numpy_elementwise.heaviside, np.heaviside, *TWO, s(N([-1, 0, 2]), (3,)), s(N([0, 0]), (2, 1)))
row(
    numpy_elementwise.nan_to_num, np.nan_to_num, *ONE, s(N([1, 2])), s((3,), nan=1.0, posinf=2.0), complex=True,
)  # fmt: skip
row(holed(numpy_elementwise.nan_to_num), holed(np.nan_to_num), s((2, 3)), s((3,), nan=1.0), name="nan_to_num (NaN)")
row(numpy_elementwise.sinc, np.sinc, *ONE, s(A(0, 1e-9, -1e-4, 0.02, 0.3, 5)), s(N([0, 1])), complex=True)
row(
    numpy_elementwise.spherical_bessel, lambda z, n: sp.spherical_jn(n, z).astype(z.dtype),
    *(s((2, 3), n=n) for n in range(4)), s((), n=1), s((0, 3), n=2), s(A(0, 1e-5, 0.5), n=1), s(A(4, 9, 30), n=3),
    domain=between(0.1, 6),
)  # fmt: skip

# Averages and moments

row(
    statistics.average,
    np.average,
    *ALONG[:11],
    s((2, 3), axis=0, returned=True),
    s((2, 3), returned=True),
    complex=True,
)
WEIGHED = [
    s((3,), (3,)), s((2, 3), (2, 3)), s((2, 3), (2, 3), axis=1), s((2, 3), (3,), axis=1), s((2, 3), (2,), axis=0),
    s((2, 3, 2), (2, 2), axis=(2, 0)), s((2, 3), (3,), axis=-1, keepdims=True), s((2, 3), (2, 3), returned=True),
    s((2, 3), (3,), axis=1, returned=True), s((2, 3), N([1, 2, 1]), axis=1), s(N([1, 2, 4]), (3,)), s((), ()),
    s((2, 3), N([1, 2, 1]), axis=1, returned=True, keepdims=True),
]  # fmt: skip
row(
    given(statistics.average, "weights"), given(np.average, "weights"), *WEIGHED, name="average (weights)",
    domain=between(0.3, 2), complex=True,
)  # fmt: skip

SOME = N([[True, False, True], [True, True, False]])
MOMENTS = [
    *ALONG, s((3, 2), axis=0, ddof=1), s((4,), axis=0, dtype=np.float64), s((2, 3), where=SOME),
    s((2, 3), axis=1, where=SOME), s((3, 3), axis=0, where=N([True, False, True])[:, None], keepdims=True),
    s((2, 3), axis=1, where=SOME, ddof=1), s(N([1, 2, 4])), s((2, 3), axis=()),
]  # fmt: skip
SEVERAL = [*ALONG[1:5], *ALONG[6:9], *MOMENTS[-8:-1]]  # two numbers or more to each result
CENTRED = [
    s((3,), (1,)), s((2, 3), (2, 1), axis=1), s((2, 3), (1, 3), axis=0, ddof=1, keepdims=True), s((2, 3), (1, 1)),
]  # fmt: skip
row(statistics.var, np.var, *MOMENTS, name="numpy.var", complex=True)
row(statistics.std, np.std, *SEVERAL, name="numpy.std", complex=True)
row(given(statistics.var, "mean"), given(np.var, "mean"), *CENTRED, name="numpy.var (mean)", complex=True)
row(given(statistics.std, "mean"), given(np.std, "mean"), *CENTRED, name="numpy.std (mean)", complex=True)
row(
    spelling(reductions.centred, lambda x, axis=None, where=True: reductions.centred(x, where, axis=axis)),
    lambda x, axis=None, where=True: np.where(where, x - np.mean(x, axis, keepdims=True, where=where), 0),
    s(()), s((4,)), s((2, 3)), s((2, 3), axis=0), s((2, 3), axis=-1), s((2, 3, 2), axis=(0, 2)), s((0, 3), axis=1),
    s((2, 3), axis=1, where=SOME), s((2, 3), where=SOME), complex=True,
)  # fmt: skip
row(statistics.ptp, np.ptp, *ALONG)

COVARIANCES = [
    s((5,)), s((2, 4)), s((3, 4), rowvar=False), s((2, 4), bias=True), s((2, 4), ddof=0), s((2, 4), ddof=2), s((1, 4)),
    s((2, 4), fweights=N([1, 2, 1, 3])), s((2, 4), fweights=N([1, 2, 1, 3]), ddof=0), s((4, 1), rowvar=False),
    s((2, 4), dtype=np.float64), s((2, 4), fweights=N([1, 2, 1, 3]), aweights=A(1, 0.5, 2, 0)),
    s(N([[1, 2, 4], [0, 1, 0]])),
]  # fmt: skip
BOTH = [
    s((4,), (4,)), s((2, 4), (4,)), s((2, 4), (1, 4)), s((4, 2), (4, 3), rowvar=False), s((4,), (1, 4), rowvar=False),
]  # fmt: skip
row(statistics.cov, np.cov, *COVARIANCES, *BOTH, complex=True)
row(
    given(statistics.cov, "aweights"), given(np.cov, "aweights"), s((2, 4), (4,)), s((4,), (4,), ddof=0),
    s((2, 4), (4,), fweights=N([1, 2, 1, 3])), name="cov (weights)", domain=between(0.3, 2),
)  # fmt: skip
row(statistics.corrcoef, np.corrcoef, s((5,)), s((2, 4)), s((3, 2), rowvar=False), *BOTH[:3], complex=True)

# Quantiles

QUARTERS = [
    *(s((5,), q) for q in (0.0, 0.3, 0.5, 1.0, 0, 1)), s((4,), [0.1, 0.6, 0.6, 0.95]), s((2, 3), 0.4, axis=0),
    s((2, 3), [0.2, 0.7], axis=-1), s((2, 3), 0.35, axis=1, keepdims=True), s((2, 3, 2), [0.1, 0.8], axis=(0, 2)),
    s((2, 3, 2), [0.1, 0.8], axis=(2, 0), keepdims=True), s((), 0.3), s((1,), [0.0, 0.7]), s((3, 1), 0.4, axis=1),
    s((2, 3), [0, 1], axis=1), s(N([3, 1, 4]), 0.4), s(N([3, 1, 4]), [0.4], method="higher"), s((0, 3), 0.4, axis=1),
    s((2, 3), [[0.1, 0.2], [0.3, 0.4]], axis=1), s((3,), []),
]  # fmt: skip
CHOICES = sorted(quantiles.METHODS)
if numpy_before("2.0.1"):  # which chooses the wrong one of two that are equally close
    CHOICES.remove("closest_observation")
METHODS = [s((7,), [0.07, 0.31, 0.5, 0.77, 0.98], method=method) for method in CHOICES]
METHODS += [s((2, 4), [0.0, 0.25, 0.5, 0.75, 1.0], axis=1, method=method) for method in CHOICES]
ASKED = [s((2, 8), q, axis=1, method=method) for q in (0.3, [0.0, 0.45, 1.0]) for method in CHOICES]
PERCENTAGES = [
    s((5,), 30), s((4,), [10, 60.5]), s((2, 3), 40.0, axis=0), s((2, 3), [0, 100], axis=1, keepdims=True),
    s((5,), 37, method="weibull"), s((5,), A(25.5, 60)),
]  # fmt: skip
LOADS = A([1, 2, 0, 3], [0.5, 0, 1, 1])
LEAST = 0.1 if numpy_before("2.1.0") else 0.0  # which older ones take to be the smallest element, of whatever weight
LOADED = [
    s((4,), [LEAST, 0.3, 0.9, 1.0], weights=LOADS[0], method="inverted_cdf"),
    s((2, 4), [0.3, 0.6], axis=1, weights=LOADS, method="inverted_cdf"),
    s((2, 4), 0.7, axis=1, weights=LOADS[1], method="inverted_cdf"),
    s((4, 2), 0.7, axis=0, weights=LOADS[1], keepdims=True, method="inverted_cdf"),
]  # fmt: skip
HOLES = [
    s((3,)), s((2, 3)), s((2, 3), axis=0), s((2, 3), axis=-1), s((2, 3, 2), axis=1), s((2, 3, 2), axis=(0, -1)),
    s((2, 3, 2), axis=(2, 0), keepdims=True), s((2, 4), axis=1, keepdims=True),
]  # fmt: skip
HOLES[2] = s((3, 3), axis=0)
WHOLE = [*ALONG, s(N([[1, 2], [4, 3]]), axis=0)]
INNER = between(0.22, 0.83)

row(quantiles.median, np.median, *ALONG, s((4,)), s((2, 2, 3), axis=(0, 2)), s(N([1, 4])), complex=True)
row(quantiles.quantile, np.quantile, *QUARTERS, *METHODS)
row(quantiles.quantile, np.quantile, *LOADED, name="quantile (weights)")
row(
    quantiles.quantile, np.quantile, s((5,), (2,)), s((2, 4), (), axis=1), s((5,), A([0.3, 0.9], [0.6, 0.2])),
    *(s((6,), (3,), method=m) for m in ("hazen", "weibull", "median_unbiased", "normal_unbiased", "midpoint")),
    s((6,), (3,), method="averaged_inverted_cdf"), name="quantile (probabilities)", domain=INNER,
)  # fmt: skip
row(quantiles.percentile, np.percentile, *PERCENTAGES)
row(quantiles.nanmedian, np.nanmedian, *WHOLE)
row(holed(quantiles.nanmedian), holed(np.nanmedian), *HOLES, name="nanmedian (NaN)")
row(quantiles.nanquantile, np.nanquantile, *QUARTERS[:13], s((5,), (2,)), domain=INNER)
row(
    holed(quantiles.nanquantile), holed(np.nanquantile), *ASKED, s((2, 4), (2,), axis=1), s((3, 3), (), axis=0),
    name="nanquantile (NaN)", domain=INNER,
)  # fmt: skip
row(holed(quantiles.nanquantile), holed(np.nanquantile), *LOADED[:2], name="nanquantile (weights)")
row(quantiles.nanpercentile, np.nanpercentile, *PERCENTAGES)
row(holed(quantiles.nanpercentile), holed(np.nanpercentile), *PERCENTAGES[:2], name="nanpercentile (NaN)")


def places(x: Any, ranks: Any) -> Any:
    order = np.argsort(x, axis=-1)
    return order[..., ranks] if ranks.ndim == 1 else np.take_along_axis(order, ranks, axis=-1)


row(
    quantiles.elements_at, lambda x, places: np.take_along_axis(x, places, axis=-1),
    s((2, 3), N([[0, 2], [1, 1]])), s((3,), N([1])), s((0, 3), N([[1]])[:0]), complex=True,
)  # fmt: skip
row(quantiles.places_of_ranks, places, s((5,), N([0, 3])), s((2, 3), N([2, 1])), s((0, 3), N([1])), orders=0)
row(quantiles.places_of_own_ranks, places, s((2, 3), N([[2, 1], [0, 1]])), s((4,), N([3])), orders=0)
row(
    quantiles.places_by_weights, lambda x, weights, q, ignoring: N([[2], [0]]),
    s(A([3, 9, 4], [1, 2, 3]), A([1, 1, 2], [8, 1, 1]), A(0.5), ignoring=True), orders=0,
)  # fmt: skip

# Missing numbers

MASK = N([[True, True, True, False], [True, False, True, True]])
EXTREMES = [s((2, 3), axis=1, where=SOME, initial=0.5), s((2,), initial=2.0)]
WHICH = [
    *ALONG[:6], s(A(1, NAN, 3)), s(A([1, NAN, 3], [4, 2, NAN]), axis=1), s(A([1, NAN, 3], [4, 2, 7])), s(N([2, 5])),
]  # fmt: skip
row(ignoring_nan.nansum, np.nansum, *WHOLE, *NOTHING, s((2, 3), where=SOME), s((2,), initial=2.0), complex=True)
row(holed(ignoring_nan.nansum), holed(np.nansum), *HOLES, s((2, 3), where=SOME), name="nansum (NaN)", complex=True)
row(ignoring_nan.nanprod, np.nanprod, *WHOLE, *NOTHING, s((2, 3), where=SOME), s((2,), initial=2.0), complex=True)
row(
    holed(ignoring_nan.nanprod), holed(np.nanprod), *HOLES, s(A(0, 1, 2)), s((2, 3), axis=0, where=SOME),
    name="nanprod (NaN)", complex=True,
)  # fmt: skip
row(ignoring_nan.nanmean, np.nanmean, *WHOLE, s((2, 3), where=SOME), s((3,), dtype=np.float64), complex=True)
row(holed(ignoring_nan.nanmean), holed(np.nanmean), *HOLES, s((2, 4), where=MASK), name="nanmean (NaN)", complex=True)
row(ignoring_nan.nanvar, np.nanvar, *WHOLE, s((2, 3), where=SOME), s((4,), ddof=1), complex=True)
row(
    holed(ignoring_nan.nanvar), holed(np.nanvar), *HOLES, s((4,), ddof=1), s((2, 4), where=MASK),
    name="nanvar (NaN)", complex=True,
)  # fmt: skip
row(ignoring_nan.nanstd, np.nanstd, *SEVERAL, complex=True)
row(
    holed(ignoring_nan.nanstd), holed(np.nanstd), s((3,)), s((2, 3)), s((2, 3), axis=1), s((4,), ddof=1),
    s((2, 4), axis=1, where=MASK), s((3, 4), axis=0, keepdims=True), name="nanstd (NaN)", complex=True,
)  # fmt: skip
row(ignoring_nan.nanmax, np.nanmax, *WHOLE, *EXTREMES)
row(holed(ignoring_nan.nanmax), holed(np.nanmax), *HOLES, *EXTREMES, name="nanmax (NaN)")
row(ignoring_nan.nanmin, np.nanmin, *WHOLE, *EXTREMES)
row(holed(ignoring_nan.nanmin), holed(np.nanmin), *HOLES, *EXTREMES, name="nanmin (NaN)")
row(ignoring_nan.nancumsum, np.nancumsum, *ALONG[:5], s((2, 3), axis=1, dtype=np.float64), complex=True)
row(holed(ignoring_nan.nancumsum), holed(np.nancumsum), *HOLES[:5], name="nancumsum (NaN)", complex=True)
row(ignoring_nan.nancumprod, np.nancumprod, *ALONG[:5], complex=True)
row(
    holed(ignoring_nan.nancumprod), holed(np.nancumprod), *HOLES[:5], s(A(2, 1, 0, 3)), name="nancumprod (NaN)",
    complex=True,
)  # fmt: skip
row(ignoring_nan.nanargmax, np.nanargmax, *WHICH, orders=0)
row(ignoring_nan.nanargmin, np.nanargmin, *WHICH, orders=0)

# Sampled functions

TIMES = A(0, 1, 2.5, 4)
row(
    numerics.gradient, np.gradient, s((5,)), s((2, 3)), s((2,)), s((2, 4), axis=1), s((2, 1, 3), axis=(0, 2)),
    s((2, 3), axis=(-1, 0), edge_order=1), s((4,), 0.5), s((4,), ()), s((4,), TIMES), s((2, 4), (), TIMES),
    s((2, 3), 0.5, axis=1), s((2, 3), 0.5), s((3,), edge_order=2), s((3, 3), edge_order=2), s((4,), (), edge_order=2),
    s((4,), TIMES, edge_order=2), s((4, 2), TIMES, axis=0, edge_order=2), s((4,), N([0, 1, 3, 4])), s((0, 3), axis=1),
    s(N([1, 4, 9])), complex=True,
)  # fmt: skip
row(
    given(numerics.ediff1d, "to_begin", "to_end"), given(np.ediff1d, "to_begin", "to_end"), s((3,), (), (2,)),
    s((2, 3), (1,), ()), s((1,), (2,), ()), name="ediff1d (ends)", complex=True,
)  # fmt: skip
row(numerics.ediff1d, np.ediff1d, s((4,)), s((2, 3)), s(()), s((0,)), s(N([1, 4])), s((3,), to_end=1.5), complex=True)
row(
    numerics.unwrap, np.unwrap, s(A(0, 1, 5, 9, 2)), s(A([0, 5, 1], [4, 0.5, 3])), s(A([0, 5], [4, 0.5]), axis=0),
    s(A(0, 3, 4.5, 8), period=4), s(A(0, 4, 11), discont=5.0), s((1,)), s((0, 3)), s(N([0, 3, 7]), period=4),
)  # fmt: skip
row(
    numerics.trapezoid, np.trapezoid, s((4,)), s((2, 3)), s((2, 3), axis=0), s((2, 3), dx=0.5), s((4,), (4,)),
    s((2, 3), (3,)), s((2, 3), (2, 3)), s((3, 2), (3,), axis=0), s((3, 2), (3, 2), axis=-2), s((1,)), s((0, 3)),
    s((2, 2, 3), (2, 3)), s((2, 0)), s(N([1, 2, 4])), complex=True,
)  # fmt: skip
KNOTS, INSIDE = A(0, 1, 2.5, 4), A(0.3, 1.7, 3.1, 2.4)
row(
    numerics.interp, np.interp, s(INSIDE, KNOTS, (4,)), s(INSIDE.reshape(2, 2), KNOTS, (4,)),
    s(A(-1, 0.5, 9), KNOTS, (4,)), s(A(-1, 0.5, 9), KNOTS, (4,), left=7.0, right=8.0), s(A(-1, 5), A(2), (1,)),
    s(A(1.2).reshape(()), KNOTS, (4,)), s(A(), KNOTS, (4,)), s(A(5.6, -1.2, 9.9), A(4.5, 0.3, 2, 8), (4,), period=5),
    s(N([2, 3]), KNOTS, (4,)), s(A(1.5), [1.0, 2.0], (2,)), s(1.2, KNOTS, (4,)), s(A(0.3), N([0, 1]), (2,), period=-3),
)  # fmt: skip
row(
    given(numerics.interp, "left", "right"), given(np.interp, "left", "right"),
    s(A(-1, 2, 5), KNOTS, A(1, 2, 3, 1), 2.0, 3.0), name="interp (outside)",
)  # fmt: skip


def in_two_parts(x: Any, real: Any, imag: Any, **params: Any) -> Any:
    y = np.interp(x, KNOTS, real + imag * 1j, **params)
    return [np.real(y), np.imag(y)]


row(
    in_two_parts, spelling(np.interp, in_two_parts), s(INSIDE, (4,), (4,)), s(A(-1, 9), (4,), (4,), left=1j),
    name="interp (complex)",
)  # fmt: skip
row(numerics.piece_of, lambda x, xp: N([0, 1, 0, 0, 1]), s(A(0.5, 3, -1, 0, 1), A(0, 1, 2)), orders=0)
SIGNALS = [
    s(first, second, mode=mode)
    for first, second in [((4,), (3,)), ((2,), (5,)), ((3,), (3,)), ((1,), (4,)), ((4,), (2,))]
    for mode in ("full", "same", "valid")
]
row(numerics.convolve, np.convolve, s((4,), (2,)), *SIGNALS, s(N([1, 2]), (3,)), s((), (3,)), complex=True)
row(
    numerics.convolve_signals, lambda a, v, full: np.convolve(a, v, "full" if full else "valid"),
    s((4,), (2,), full=True), s((4,), (2,), full=False), s((3,), (3,), full=False), s((1,), (1,), full=True),
    complex=True,
)  # fmt: skip
row(numerics.correlate, np.correlate, s((4,), (2,)), *SIGNALS, s(N([1, 2]), (3,)), complex=True)

# Polynomials

SUMMANDS = [s((3,), (3,)), s((2,), (4,)), s((3,), (1,)), s((2,), 1.5), s([1.0, 2.0], (3,))]
row(
    polynomials.polyval, np.polyval, s((3,), (2, 2)), s((1,), (3,)), s((4,), ()), s((3,), (0, 2)), s(N([1, 2]), (3,)),
    s([1.0, 0.0, 2.0], (3,)), s((3,), N([1, 2])), complex=True,
)  # fmt: skip
row(
    polynomials.vander, np.vander, s((3,)), s((3,), N=2), s((3,), 4, increasing=True), s((0,)), s((3,), 0), s((3,), 1),
    s(N([1, 2, 3])), s(A(0, 1.5)), complex=True,
)  # fmt: skip
row(polynomials.polyder, np.polyder, s((4,)), s((4,), m=2), s((1,)), s((3,), 0), s((2,), m=3), complex=True)
row(polynomials.polyint, np.polyint, s((3,)), s((3,), 2), s((3,), m=0), complex=True)
row(
    given(polynomials.polyint, "k"), given(np.polyint, "k"), s((3,), ()), s((3,), (2,), m=2), s((3,), (1,), m=2),
    s((2,), (3,), m=2), name="polyint (constants)", complex=True,
)  # fmt: skip
row(polynomials.polyadd, np.polyadd, *SUMMANDS, complex=True)
row(polynomials.polysub, np.polysub, *SUMMANDS, complex=True)
row(polynomials.polymul, np.polymul, *SUMMANDS, s(N([0, 0, 2, 1]), (3,)), s([0, 0], (2,)), complex=True)

row(polynomials.polydiv, np.polydiv, s(A(1, -3, 2, 5), A(2, 1)), s(A(1, 2, 4), A(2, 1, 3)), s((3,), A(2)), complex=True)
row(polynomials.poly, np.poly, s((3,)), s((1,)), s((2, 2)), s(N([1, 2])))
row(polynomials.roots, np.roots, s(A(1, -6, 11, -6)), s(A(1, 0.5, 4)), s(A(2, 4)))
FIT = [s((4,), (4,), 1), s((5,), (5, 2), 2), s((4,), (4,), 0), s((4,), (4,), 1, cov=True), s((4,), (4, 2), 1, cov=True)]
row(polynomials.polyfit, np.polyfit, *FIT, s((4,), (4,), 1, cov="unscaled"), s(N([0, 1, 2]), N([1, 3, 2]), 1))
row(
    lambda x, y, w: polynomials.polyfit(x, y, 1, w=w), spelling(np.polyfit, lambda x, y, w: np.polyfit(x, y, 1, w=w)),
    s((4,), (4,), (4,)), s((4,), (4, 2), (4,)), name="polyfit (weights)", domain=between(0.3, 2),
)  # fmt: skip

# Choosing


def choices(function: Any, by: Any) -> Any:
    return spelling(function, lambda *arrays, **params: function(by, list(arrays), **params))


CONDITIONS = [SOME, ~SOME | N([True, False, False])]
NUMBERS = N([[0, 1, 1], [0, 1, 0]])
row(
    choices(choosing.select, CONDITIONS), choices(np.select, CONDITIONS), s((2, 3), (2, 3)), s((3,), ()),
    s((2, 3), 1.5), s((2, 3), (2, 1), default=7.0), s((4, 2, 3), (3,)), complex=True,
)  # fmt: skip
row(
    choices(choosing.choose, NUMBERS), choices(np.choose, NUMBERS), s((2, 3), (2, 3)), s((3,), (), (2, 1)),
    s((4, 2, 3), (3,), 1.5), s((3,), (3,), mode="wrap"), s((3,), (3,), mode="clip"), complex=True,
)  # fmt: skip
row(
    choosing.compress, np.compress, s([True, False, True], (4,)), s([False, True], (2, 3), axis=0),
    s(N([1, 0, 1]), (2, 3), axis=-1), s([True] * 5, (2, 3)), s([], (3,)), complex=True,
)  # fmt: skip
row(
    choosing.extract, np.extract, s(SOME, (2, 3)), s(N([1, 0, 1]), (3,)), s([True], ()), s(SOME[:0], (0, 3)),
    complex=True,
)  # fmt: skip
row(
    choosing.sort_complex, np.sort_complex, s((5,)), s((2, 3)), s((0, 3)), s((3, 1)), s(N([3, 1], np.int8)),
    s(N([3, 1])), complex=True,
)  # fmt: skip

# Bins

EDGES = A(-1.5, 0, 1, 1.5)
POINTS = A([0.1, 0.2], [0.7, -1], [0.1, 0.3], [-0.4, 0.9], [2, 0.5])
HISTOGRAMS = [
    s((9,)), s((9,), 4), s((2, 5), [-1, 0, 0.5, 2]), s((9,), 3, range=(-1, 1)), s(N([1, 2, 2, 7]), 3), s((9,), "auto"),
    s((9,), 4, density=True), s((0,)),
]  # fmt: skip
PLANES = [
    s((7, 2)), s((7, 2), 3), s((7, 2), [2, 3]), s((7, 2), [[-2, 0, 1], 3], density=True), s((7, 2), 2, [(-1, 1), None]),
    s((7, 1), 4), s((5, 3), 2), s((5,), 3),
]  # fmt: skip
row(
    binning.bincount, np.bincount, s(N([0, 2, 2, 5])), s(N([0, 2, 2, 5]), (4,)), s(N([1, 1]), (2,), minlength=4),
    s(N([], int)), s(N([0, 3]), minlength=6), s(N([0, 3]), N([2, 1])),
)  # fmt: skip
row(binning.count_numbers, np.bincount, s(N([0, 2, 2]), minlength=0), s(N([0, 2]), minlength=5), orders=0)
row(binning.sum_by_number, np.bincount, s(N([0, 2, 2]), (3,), minlength=0), s(N([0, 2]), (2,), minlength=5))
row(
    binning.histogram_bin_edges, np.histogram_bin_edges, s((9,)), s((9,), 4), s((9,), [0.0, 1.0, 3.0]),
    s((9,), 3, range=(0, 2)), s((9,), "auto"), s((2, 3), 2), orders=0,
)  # fmt: skip
row(binning.bin_of, lambda x, edges: N([0, 1, 2, 3, 4, 4]), s(A(-2, -1.5, 0, 1.5, 2, NAN), EDGES), orders=0)
row(binning.histogram, np.histogram, *HISTOGRAMS, orders=0)


def flat(function: Any) -> Any:
    """A function of which the second result is a tuple, with one list of results."""

    def call(*args: Any, **params: Any) -> Any:
        first, others = function(*args, **params)
        return [first, *others]

    return spelling(function, call)


row(flat(binning.histogramdd), flat(np.histogramdd), *PLANES, orders=0)
row(
    binning.histogram2d, np.histogram2d, s((7,), (7,)), s((7,), (7,), 3), s((7,), (7,), [2, [-1.0, 0.0, 2.0]]),
    s((7,), (7,), [-2.0, 0.0, 1.0, 2.0]), s((7,), (7,), 3, density=True), orders=0,
)  # fmt: skip


def of_weights(function: Any, points: Any) -> Any:
    """The counts of a histogram of constant points as a function of their weights."""
    return spelling(function, lambda weights, **params: function(points, weights=weights, **params)[0])


row(
    of_weights(binning.histogram, POINTS[:, 0]), of_weights(np.histogram, POINTS[:, 0]), s((5,)), s((5,), bins=3),
    s((5,), bins=[-1, 0, 1, 3], density=True), s((5,), range=(0, 1)), name="histogram (weights)",
    domain=between(0.3, 2),
)  # fmt: skip
row(
    of_weights(binning.histogramdd, POINTS), of_weights(np.histogramdd, POINTS), s((5,)), s((5,), bins=3),
    s((5,), bins=(2, 3), density=True), name="histogramdd (weights)", domain=between(0.3, 2),
)  # fmt: skip


def in_the_plane(function: Any) -> Any:
    """The counts of a histogram of constant points in the plane as a function of their weights."""
    x, y = POINTS[:, 0], POINTS[:, 1]
    return spelling(function, lambda weights, **params: function(x, y, weights=weights, **params)[0])


row(
    in_the_plane(binning.histogram2d), in_the_plane(np.histogram2d), s((5,)), s((5,), bins=(2, 3), density=True),
    name="histogram2d (weights)", domain=between(0.3, 2),
)  # fmt: skip
