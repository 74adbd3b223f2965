"""Sampled functions, polynomials, choices, bins and NumPy's elementwise functions: special values, kinks and misuse."""

import math

import numpy as np
import pytest
import scipy.special as sp

import minigrad as mg
from minigrad import errors
from minigrad.ops import binning, choosing, numerics, numpy_elementwise, polynomials
from tests.rows import each

NAN, INF = np.nan, np.inf


def leaf(*values, dtype=float):
    return mg.tensor(np.array(values, dtype), requires_grad=True)


def gradient(function, *leaves):
    """The gradients of the sum of a function's results."""
    y = function(*leaves)
    found = mg.autograd.grad(y, leaves, np.ones(y.shape, y.dtype))
    return [g.tolist() for g in found] if len(leaves) > 1 else found[0].tolist()


# Elementwise


@each(("function", "values", "expected"), [
    (lambda x: np.fmax(x, 2.0), (1, 2, 3, NAN), (0, 0.5, 1, 0)),
    (lambda x: np.fmin(x, 2.0), (1, 2, 3, NAN), (1, 0.5, 0, 0)),
    (lambda x: np.fmax(NAN, x), (1, NAN), (1, 0.5)),
    (lambda x: np.fmin(x, NAN), (1, NAN), (1, 0.5)),
    (np.fabs, (-2, 0, 2), (-1, 0, 1)),
    (np.nan_to_num, (1, NAN, INF, -INF), (1, 0, 0, 0)),
    (lambda x: np.heaviside(x, 0.5), (-1, 0, 1), (0, 0, 0)),
    (lambda x: np.logaddexp2(x, -INF), (-INF, 1), (0, 1)),
    (lambda x: np.fmod(5.0, x), (3, -3), (-1, 1)),
    (lambda x: np.fmod(-5.0, x), (3, -3), (1, -1)),
    (lambda x: np.modf(x)[0] + np.modf(x)[1], (-1.5, 0, 2), (1, 1, 1)),
    (lambda x: np.frexp(x)[0], (0, 3, -0.2), (1, 0.25, 4)),
    (lambda x: np.ldexp(x, [1, -1]), (3, 3), (2, 0.5)),
    (lambda x: np.divmod(x, 2.0)[1], (3, -3), (1, 1)),
    (np.angle, (-1, 0, 2), (0, 0, 0)),
    (lambda x: np.float_power(x, 2), (3, 0), (6, 0)),
    (np.sinc, (0, 0), (0, 0)),
])  # fmt: skip
def test_elementwise_kinks(function, values, expected):
    np.testing.assert_allclose(gradient(function, leaf(*values)), expected, rtol=1e-15)


def test_masked_elements_have_no_nan():
    keep = np.array([False, True])
    for function, bad in ((np.angle, 0), (np.sinc, NAN), (lambda x: np.fmod(1.0, x), 0), (np.nan_to_num, INF)):
        x = leaf(bad, 2.0)
        with np.errstate(all="ignore"):
            y = mg.where(keep, function(x), 0.0)
        (g,) = mg.autograd.grad(y.sum(), x)
        assert np.isfinite(g.numpy()).all()
        assert g[0].item() == 0


def test_all_derivatives_of_the_sine_cardinal_are_right_at_0():
    function, order = mg.sinc, 0
    while order < 8:
        # sin(pi x) / (pi x) = sum of (-1)^k (pi x)^(2k) / (2k + 1)!
        expected = 0 if order % 2 else (-1) ** (order // 2) * math.pi**order / (order + 1)
        assert float(function(0.0)) == pytest.approx(expected, rel=1e-13)
        function, order = mg.grad(function), order + 1


@pytest.mark.parametrize("n", range(8))
def test_spherical_bessel_functions(n):
    z = np.concatenate([np.linspace(0, 40, 4001), 10.0 ** np.linspace(-9, 1, 101), [0.0]])
    np.testing.assert_allclose(numpy_elementwise.spherical_bessel(z, n=n), sp.spherical_jn(n, z), rtol=0, atol=1e-15)
    odd = numpy_elementwise.spherical_bessel(-z, n=n)
    np.testing.assert_allclose(odd, (-1) ** n * sp.spherical_jn(n, z), rtol=0, atol=1e-15)
    np.testing.assert_allclose(
        numpy_elementwise.spherical_bessel(z + 0.5j, n=n), sp.spherical_jn(n, z + 0.5j), rtol=0, atol=1e-14
    )


def test_the_angle_of_a_complex_number_turns_around_the_origin():
    z = mg.tensor([2j, 1.0, 0.0], requires_grad=True)
    np.angle(z).sum().backward()
    np.testing.assert_allclose(z.grad, [-0.5, 1j, 0])
    np.angle(z, deg=True).sum().backward()
    np.testing.assert_allclose(z.grad, np.array([-0.5, 1j, 0]) * (1 + 180 / np.pi))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex64, np.complex128, np.int32, np.bool_])
@pytest.mark.parametrize("arguments", [{}, {"nan": 1.0, "posinf": 7.0}, {"neginf": -3.0, "copy": False}])
def test_nan_to_num_gives_what_numpy_gives(dtype, arguments):
    x = np.array([0, 1, NAN, INF, -INF]).astype(dtype) if np.dtype(dtype).kind in "fc" else np.array([0, 1], dtype)
    if np.dtype(dtype).kind == "c":
        x[1:3].imag = [INF, -1]
    expected = np.nan_to_num(x.copy(), **arguments)
    np.testing.assert_array_equal(np.nan_to_num(mg.tensor(x), **arguments), expected, strict=True)
    np.testing.assert_array_equal(mg.nan_to_num(x, **arguments), expected, strict=True)
    assert not np.may_share_memory(mg.nan_to_num(x, **arguments), x)


@pytest.mark.parametrize(("function", "x"), [
    (np.modf, np.array([-0.0, -1.5, INF, NAN, 3])), (np.frexp, np.array([0.0, -0.7, 1024, 1e-310])),
    (np.modf, np.array([1, -2])), (lambda x: np.divmod(x, 3), np.array([7, -7])), (np.fabs, np.array([1, -2])),
    (np.spacing, np.array([1, 1e30])), (np.rad2deg, np.array([1, 2])), (np.deg2rad, np.float32([180, 90])),
    (lambda x: np.float_power(x, -1), np.array([2, 4])), (lambda x: np.heaviside(x, 3), np.array([-1, 0, NAN])),
    (np.angle, np.array([1, -1, 0])), (np.angle, np.array([0.0, -0.0, 1j, -1 - 0j])),
])  # fmt: skip
def test_values_are_numpys(function, x):
    for ours, theirs in zip(np.atleast_2d(function(x)), np.atleast_2d(function(x)), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    found, expected = function(mg.tensor(x)), function(x)
    pairs = zip(found, expected, strict=True) if isinstance(expected, tuple) else [(found, expected)]
    for ours, theirs in pairs:
        assert isinstance(ours, mg.Tensor)
        np.testing.assert_array_equal(ours.numpy(), theirs, strict=True)


@pytest.mark.parametrize("function", [np.deg2rad, np.fabs, np.modf, np.frexp, np.spacing])
def test_complex_numbers_are_refused(function):
    with pytest.raises(errors.DTypeError):
        function(mg.tensor([1j]))


def test_exponents_have_no_derivative():
    mantissa, exponent = np.frexp(leaf(3.0, 0.1))
    assert mantissa.requires_grad
    assert not exponent.requires_grad
    assert exponent.dtype == np.int32
    with pytest.raises(errors.DTypeError):
        np.ldexp(leaf(1.0), 0.5)


# Derivatives and integrals of sampled functions


def test_the_gradient_of_a_parabola_is_exact_inside_and_with_second_order_edges():
    x = leaf(0, 1, 2.5, 4)
    np.testing.assert_allclose(np.gradient(x**2, x, edge_order=2).detach(), 2 * x.detach())
    np.testing.assert_allclose(np.gradient(x**2, x)[1:-1].detach(), 2 * x.detach()[1:-1])


def test_evenly_spaced_coordinates_all_have_a_derivative():
    x, f = leaf(0, 1, 2, 3), np.array([1.0, 4, 2, 7])
    (ours,) = mg.autograd.grad((np.gradient(f, x) * np.array([1.0, 2, 3, 4])).sum(), x)
    for i in range(4):
        step = 1e-6 * np.eye(4)[i]
        moved = [np.gradient(f, np.arange(4.0) + sign * step) @ np.array([1.0, 2, 3, 4]) for sign in (1, -1)]
        assert ours[i].item() == pytest.approx((moved[0] - moved[1]) / 2e-6, rel=1e-6)


def test_a_gradient_along_one_axis_is_an_array_and_along_several_a_tuple():
    f = mg.tensor(np.arange(12.0).reshape(3, 4) ** 2, requires_grad=True)
    assert isinstance(np.gradient(f, axis=0), mg.Tensor)
    found = np.gradient(f, 0.5, [0.0, 1.0, 2.0, 4.0])
    assert [type(x) for x in found] == [mg.Tensor] * 2
    for ours, theirs in zip(found, np.gradient(f.detach().numpy(), 0.5, [0.0, 1.0, 2.0, 4.0]), strict=True):
        np.testing.assert_allclose(ours.detach(), theirs)
    assert tuple(numerics.gradient(np.float64(3.0))) == ()


@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.complex64])
def test_the_dtype_of_a_gradient_is_numpys(dtype):
    f = np.array([1, 4, 2, 7], dtype)
    for arguments in ((), (0.5,), (np.array([0.0, 1, 2, 4]),)):
        ours, theirs = np.gradient(mg.tensor(f), *arguments), np.gradient(f, *arguments)
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, strict=True)


@each(("call", "error", "words"), [
    (lambda x: np.gradient(x[:1]), errors.ShapeError, "at least 2"),
    (lambda x: np.gradient(x[:2], edge_order=2), errors.ShapeError, "at least 3"),
    (lambda x: np.gradient(x, edge_order=3), errors.ArgumentError, "edge_order"),
    (lambda x: np.gradient(x, 1.0, 2.0), errors.DTypeError, "one spacing"),
    (lambda x: np.gradient(x, [1.0, 2.0]), errors.ShapeError, r"\(2,\)"),
    (lambda x: np.gradient(x, [[1.0, 2.0, 3.0]]), errors.ShapeError, r"\(1, 3\)"),
    (lambda x: np.gradient(x, axis=1), errors.AxisError, "gradient"),
    (lambda x: np.gradient(x, axis=(0, 0)), errors.AxisError, "gradient"),
    (lambda x: np.trapezoid(x, [1.0, 2.0]), errors.ShapeError, r"3 coordinates, not \(2,\)"),
    (lambda x: np.trapezoid(x, axis=1), errors.AxisError, "trapezoid"),
    (lambda x: np.ediff1d(mg.tensor([1, 2]), to_end=x), errors.DTypeError, "to_end"),
    (lambda x: np.interp(x, [1.0, 2.0], [1.0]), errors.ShapeError, r"\(2,\) and \(1,\)"),
    (lambda x: np.interp(x, [], []), errors.ShapeError, "at least 1"),
    (lambda x: np.interp(x, [[1.0]], [[1.0]]), errors.ShapeError, "one axis"),
    (lambda x: np.interp(x, [1.0], [1.0], period=0), errors.ArgumentError, "period"),
    (lambda x: np.convolve(x, []), errors.ShapeError, "at least one element"),
    (lambda x: np.convolve(x, [[1.0]]), errors.ShapeError, r"\(1, 1\)"),
    (lambda x: np.correlate(x, x, mode="wide"), errors.ArgumentError, "mode must be 'full', 'same' or 'valid'"),
    (lambda x: np.polyval([[1.0]], x), errors.ShapeError, r"\(1, 1\)"),
    (lambda x: np.vander(x[None]), errors.ShapeError, r"\(1, 3\)"),
    (lambda x: np.polyder(x, -1), errors.ArgumentError, "-1"),
    (lambda x: np.polyint(x, -1), errors.ArgumentError, "-1"),
    (lambda x: np.polyint(x, 3, k=[1.0, 2.0]), errors.ShapeError, "1 or 3 constants, not 2"),
    (lambda x: np.poly(x[None]), errors.ShapeError, r"\(1, 3\)"),
    (lambda x: np.polyfit(x, x[:2], 1), errors.ShapeError, r"\(3,\) and \(2,\)"),
    (lambda x: np.polyfit(x, x, -1), errors.ArgumentError, "-1"),
    (lambda x: np.polyfit(x, x, 1, w=[1.0]), errors.ShapeError, "3 points"),
    (lambda x: np.polyfit(x, x, 2, cov=True), errors.ArgumentError, "3 points"),
    (lambda x: np.select([x > 1], [x, x]), errors.ShapeError, "1 conditions and 2"),
    (lambda x: np.select([x], [x]), errors.DTypeError, "bools"),
    (lambda x: np.choose([0, 2, 0], [x, x]), errors.IndexingError, "between 0 and 1"),
    (lambda x: np.choose([0, 1, 0], [x, x], mode="wide"), errors.ArgumentError, "'wide'"),
    (lambda x: np.choose(x, [x, x]), errors.DTypeError, "integers"),
    (lambda x: np.compress([[True]], x), errors.ShapeError, r"\(1, 1\)"),
    (lambda x: np.compress([False] * 3 + [True], x), errors.IndexingError, "3"),
    (lambda x: np.bincount([-1, 0, 1], x), errors.ArgumentError, "bincount|sum_by_number"),
    (lambda x: np.bincount([0, 1], x), errors.ArgumentError, "length"),
    (lambda x: np.histogram(x, weights=[1.0]), errors.ShapeError, r"\(3,\).*\(1,\)"),
    (lambda x: np.histogram(x, "auto", weights=x), errors.UnsupportedError, "'auto'"),
    (lambda x: np.histogram(x, [1.0, 0.0]), errors.ArgumentError, "increase"),
    (lambda x: np.histogram2d(x, x[:2]), errors.ShapeError, r"\(3,\) and \(2,\)"),
    (lambda x: np.histogramdd(x[None, None]), errors.ShapeError, r"\(1, 1, 3\)"),
    (lambda x: np.histogramdd(x[None], bins=[2]), errors.ShapeError, "3 coordinates"),
])  # fmt: skip
def test_misuse(call, error, words):
    with pytest.raises(error, match=words):
        call(leaf(1, 2, 3))


def test_unwrapping_keeps_the_derivative():
    x = np.array([0, 2, 4, 6, 8]) % 5.0
    t = mg.tensor(x, requires_grad=True)
    y = np.unwrap(t, period=5)
    assert y.tolist() == [0, 2, 4, 6, 8]
    y.sum().backward()
    assert t.grad.tolist() == [1] * 5


# Interpolation


def test_the_slope_at_a_knot_is_the_one_from_the_right():
    xp, fp = [0.0, 1.0, 3.0], [0.0, 2.0, -2.0]
    assert gradient(lambda x: np.interp(x, xp, fp), leaf(-1, 0, 0.5, 1, 2, 3, 4)) == [0, 2, 2, -2, -2, 0, 0]


def test_values_at_knots_and_outside_are_exactly_those_of_knots():
    rng = np.random.default_rng(0)
    xp, fp = np.sort(rng.normal(size=9)), rng.normal(size=9)
    assert mg.interp(np.r_[xp, -99, 99], xp, fp).tolist() == [*fp, fp[0], fp[-1]]


def test_constants_outside_have_the_gradient_of_what_lies_there():
    x, xp, fp = leaf(-1, 0.25, 5), leaf(0, 1), leaf(10, 20)
    assert gradient(lambda *t: np.interp(*t), x, xp, fp) == [[0, 10, 0], [-7.5, -2.5], [1.75, 1.25]]
    left, right = leaf(1.0)[0], leaf(2.0)[0]
    assert gradient(lambda a, b: np.interp([-1.0, 5.0, 6.0, 0.5], xp, fp, a, b), left, right) == [1, 2]


def test_infinite_knots_and_missing_abscissas():
    fp = leaf(1, 2, INF)
    y = np.interp([0.0, 1.0, 0.5], [0.0, 1.0, 2.0], fp)
    assert y.tolist() == [1, 2, 1.5]
    y.sum().backward()
    assert fp.grad.tolist() == [1.5, 1.5, 0]
    assert np.isnan(mg.interp(NAN, [0.0, 1.0], [1.0, 2.0]))


def test_interpolation_computes_in_float64():
    fp = leaf(1, 2, dtype=np.float32)
    y = np.interp(np.float32(0.25), np.float32([0, 1]), fp)
    assert y.dtype == np.float64
    y.backward()
    assert (fp.grad.dtype, fp.grad.tolist()) == (np.float32, [0.75, 0.25])


def test_a_step_between_two_knots_of_one_abscissa():
    fp = leaf(0, 1, 5, 6)
    y = np.interp([0.5, 1.0, 1.5], [0.0, 1.0, 1.0, 2.0], fp)
    assert y.tolist() == [0.5, 5, 5.5]
    y.sum().backward()
    assert np.isfinite(fp.grad.numpy()).all()


# Polynomials


def test_a_fit_is_differentiated_through():
    x, y = leaf(0, 1, 2, 4), leaf(1, 3, 5, 9)
    line = np.polyfit(x, y, 1)
    np.testing.assert_allclose(line.detach(), [2, 1])
    line[0].backward()
    centred = x.detach().numpy() - x.detach().numpy().mean()
    np.testing.assert_allclose(y.grad, centred / (centred @ centred))
    np.testing.assert_allclose(x.grad, -2 * centred / (centred @ centred), atol=1e-14)


def test_all_results_of_a_fit():
    x, y = np.array([0.0, 1, 2, 4, 5]), np.array([1.0, 2, 5, 9, 7])
    for w in (None, [1.0, 2, 1, 3, 1]):
        for ours, theirs in zip(
            np.polyfit(mg.tensor(x), mg.tensor(y), 2, full=True, w=w), np.polyfit(x, y, 2, full=True, w=w), strict=True
        ):
            np.testing.assert_allclose(np.asarray(ours), theirs)
    with pytest.warns(np.exceptions.RankWarning):
        np.polyfit(leaf(1, 1), leaf(1, 2), 1)


@each("p", [[0, 0], [0, 3, 0, 0], [5], [0, 2, 3, 0], [1, 0, 4], [2, 4], [0, 5, 0], []])
def test_roots_are_numpys(p):
    for dtype in (int, float):
        expected = np.roots(np.array(p, dtype))
        np.testing.assert_allclose(np.roots(mg.tensor(p, dtype=dtype)), expected)
        np.testing.assert_allclose(polynomials.roots(np.array(p, dtype)), expected, strict=True)


def test_the_derivative_of_a_root_is_that_of_the_implicit_function():
    p = leaf(1, -3, 2)  # zeros 2 and 1
    np.roots(p)[0].backward()
    np.testing.assert_allclose(p.grad, np.array([-4.0, -2, -1]) / (2 * 2 - 3))


def test_polynomials_and_their_zeros():
    np.testing.assert_allclose(np.poly(mg.tensor([1j, -1j])), [1.0, 0, 1], strict=True)
    assert np.poly(mg.tensor([1j, 2j])).dtype == np.complex128
    np.testing.assert_allclose(np.poly(mg.tensor([[0.0, 1.0], [1.0, 0.0]])), [1, 0, -1], atol=1e-15)
    quotient, rest = np.polydiv(leaf(1, -3, 2), leaf(1, -1))
    np.testing.assert_allclose(quotient.detach(), [1, -2])
    np.testing.assert_allclose(rest.detach(), [0])
    quotient, rest = np.polydiv(leaf(1, 2), [1.0, 0, 0])
    assert (quotient.tolist(), rest.tolist()) == ([0], [1, 2])
    assert np.polymul(leaf(0, 0, 2), [1.0, 1.0]).tolist() == [2, 2]
    assert np.polyval(leaf()[:0], np.array([1.0, 2.0])).tolist() == [0, 0]


# Choices


def test_what_is_not_chosen_has_no_gradient_whatever_it_is():
    x = leaf(0, 4)
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.select([x > 1, x < -1], [np.log(x), np.sqrt(x)], default=x)
        z = np.choose([1, 0], [np.log(x), x])
    assert gradient(lambda _: y, x) == [1, 0.25]
    assert gradient(lambda _: z, x) == [1, 0.25]


def test_the_first_condition_that_holds_decides():
    a, b = leaf(1, 2, 3), leaf(10, 20, 30)
    first = np.array([True, False, False])
    assert gradient(lambda a, b: np.select([first, ~first | first], [a, b]), a, b) == [[1, 0, 0], [0, 1, 1]]


def test_dtypes_of_choices_are_numpys():
    x, cond = np.float32([1, 2]), np.array([True, False])
    for arguments in (([cond], [x]), ([cond, ~cond], [1, x], 2.5), ([cond], [1]), ([cond], [x], 1j)):
        np.testing.assert_array_equal(choosing.select(*arguments), np.select(*arguments), strict=True)
    for options in ([x, 1.5], [np.array([1, 2]), x], [1, 2]):
        np.testing.assert_array_equal(
            choosing.choose(np.array([0, 1]), options), np.choose(np.array([0, 1]), options), strict=True
        )


@pytest.mark.parametrize("mode", ["wrap", "clip"])
def test_numbers_beyond_the_choices(mode):
    number, options = np.array([-5, -1, 0, 1, 2, 7]), [np.arange(6.0), -np.arange(6.0)]
    found = np.choose(number, [mg.tensor(option) for option in options], mode=mode)
    np.testing.assert_array_equal(found, np.choose(number, options, mode=mode))


def test_conditions_may_be_tensors():
    x = leaf(1, 2, 3)
    assert np.compress(x > 1, x).tolist() == [2, 3]
    assert np.extract(x > 1, x).tolist() == [2, 3]
    assert np.extract(x > 5, x).shape == (0,)
    assert np.sort_complex(leaf(3, 1)).dtype == np.complex128


# Bins


def test_weights_of_equal_numbers_have_the_gradient_of_their_sum():
    w = leaf(1, 2, 3, 4)
    y = np.bincount([0, 2, 2, 0], weights=w, minlength=5)
    assert y.tolist() == [5, 0, 5, 0, 0]
    (y * np.arange(5)).sum().backward()
    assert w.grad.tolist() == [0, 2, 2, 0]


def test_float32_weights_keep_their_dtype_in_gradient_and_histogram():
    w = leaf(1, 2, 3, dtype=np.float32)
    counts, edges = np.histogram([0.1, 0.9, 5.0], bins=2, range=(0, 1), weights=w)
    assert (counts.tolist(), counts.dtype) == ([1, 2], np.float32)
    assert (edges.tolist(), edges.dtype) == ([0, 0.5, 1], np.float64)
    counts[1].backward()
    assert (w.grad.tolist(), w.grad.dtype) == ([0, 1, 0], np.float32)


def test_elements_outside_and_nan_are_not_counted():
    x = np.array([-1, 0, 0.5, 1, 2, NAN])
    assert np.histogram(mg.tensor(x), [0, 0.5, 1])[0].tolist() == np.histogram(x, [0, 0.5, 1])[0].tolist() == [1, 2]


@pytest.mark.parametrize("seed", range(5))
def test_histograms_are_numpys(seed):
    rng = np.random.default_rng(seed)
    x, y, w = rng.integers(0, 9, (3, 50)) / 4
    for bins in (5, [0, 0.5, 1, 2.0], [3, [0, 1.0, 2]]):
        for density in (False, True):
            ours = np.histogram2d(mg.tensor(x), mg.tensor(y), bins, density=density, weights=mg.tensor(w))
            for a, b in zip(ours, np.histogram2d(x, y, bins, density=density, weights=w), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-12)
    for bins in (7, "fd", np.linspace(0, 2, 9)):
        for a, b in zip(np.histogram(mg.tensor(x), bins), np.histogram(x, bins), strict=True):
            np.testing.assert_array_equal(a, b)
    assert type(binning.histogram(x)[0]) is np.ndarray


def test_no_differences_leave_an_array_as_it_is():
    for more in ({"prepend": 1.0}, {"append": [1.0, 2.0]}, {"prepend": 1.0, "axis": 0}):
        x = leaf(1, 2)
        np.testing.assert_array_equal(np.diff(x, n=0, **more).detach(), np.diff([1.0, 2.0], n=0, **more), strict=True)
        assert gradient(lambda x, more=more: np.diff(x, n=0, **more), x) == [1, 1]
