"""Lengths, spreads, angles and means: of numbers whose squares or counts have no place in their dtype, and at kinks."""

import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad.nn import functional as F  # noqa: N812
from tests.rows import each

NAN, INF = np.nan, np.inf
ORDERS = [1, 2, 3, 10, 0.5, 1.5, 2.5, -1, -2]


def A(*values, dtype=float):
    return np.array(values, dtype)


def slopes(order):
    """The length of (1, 2), and its derivatives, by the formula: ``(x / length) ** (order - 1)``."""
    x = A(1, 2)
    length = np.sum(x**order) ** (1 / order)
    return length, (x / length) ** (order - 1)


# Squares that under- or overflow


@each("order", ORDERS)
@each(("dtype", "unit"), [
    (np.float64, 1e-170), (np.float64, 1e170), (np.float64, 2.0**-1040), (np.float64, 5e-324),
    (np.float32, 1e-25), (np.float32, 1e25), (np.float16, 2.0**-14), (np.float16, 1000),
])  # fmt: skip
def test_norms_of_tiny_and_huge_numbers(dtype, unit, order):
    length, expected = slopes(order)
    x = A(1, 2, dtype=dtype) * dtype(unit)
    value, found = mg.value_and_grad(lambda x: np.linalg.norm(x, order))(x)
    np.testing.assert_allclose(found, expected.astype(dtype), rtol=200 * np.finfo(dtype).eps, strict=True)
    np.testing.assert_allclose(value, length * np.float64(x[0]), rtol=200 * np.finfo(dtype).eps, atol=np.spacing(x[0]))


@each("unit", [1e-170, 1e170])
@each("function", [
    np.linalg.norm, lambda x: np.linalg.norm(x, "nuc"), lambda x: np.linalg.norm(x, 2), lambda x: np.linalg.norm(x, -2),
    lambda x: np.linalg.norm(x, axis=1).sum(), lambda x: mg.linalg.vector_norm(x, axis=(0, 1), keepdims=True).sum(),
    lambda x: mg.linalg.vector_norm(x, axis=0, ord=3).sum(), np.std, lambda x: np.std(x, axis=0, ddof=1).sum(),
    np.nanstd, lambda x: np.std(x, where=[True, False, True]), lambda x: np.hypot(x[0], x[1]).sum(),
    lambda x: F.pdist(x).sum(), lambda x: F.pairwise_distance(x[0], x[1], eps=0.0), lambda x: mg.abs(x + 2j * x).sum(),
    lambda x: np.linalg.norm(x * (1 + 2j)), lambda x: np.linalg.norm(x + 1j * x[0], 3, axis=1).sum(),
])  # fmt: skip
def test_the_gradient_of_a_length_does_not_depend_on_the_unit(function, unit):
    x = A([1, 2, 4], [5, 3, 7])
    value, gradient = mg.value_and_grad(function)(x)
    scaled_value, scaled = mg.value_and_grad(function)(x * unit)
    np.testing.assert_allclose(scaled, gradient, rtol=1e-12)
    np.testing.assert_allclose(scaled_value, value * unit, rtol=1e-12)
    assert np.abs(gradient).max() > 0.1


@pytest.mark.parametrize("unit", [1e-170, 1e170])
@pytest.mark.parametrize("function", [np.linalg.norm, np.std, lambda x: np.hypot(x[0], x[1]), np.nanstd])
def test_the_second_derivative_of_a_length_is_inverse_to_the_unit(function, unit):
    x = A(1, 3)
    expected = mg.hessian(function)(x)
    np.testing.assert_allclose(mg.hessian(function)(x * unit) * unit, expected, rtol=1e-12, atol=1e-15)


def test_norms_of_ordinary_numbers_are_numpys_to_the_last_bit():
    x = np.random.default_rng(0).normal(size=(4, 5))
    for order in (*ORDERS, INF, -INF, 0):
        for axis in (0, 1):
            ours = mg.linalg.vector_norm(mg.tensor(x), axis=axis, ord=order)
            np.testing.assert_array_equal(ours, np.linalg.norm(x, order, axis=axis))


@each(("function", "x", "expected"), [
    (np.linalg.norm, (INF, 1), (1, 0)),
    (np.linalg.norm, (-INF, INF), (-(0.5**0.5), 0.5**0.5)),
    (np.linalg.norm, (1, NAN), (NAN, NAN)),
    (lambda x: np.linalg.norm(x, 3), (1, -INF), (0, -1)),
    (lambda x: np.linalg.norm(x, -1), (1, INF), (1, 0)),
    (lambda x: np.linalg.norm(x, -2), (0, 3), (0, 0)),
    (lambda x: np.linalg.norm(x, INF), (1, INF), (0, 1)),
    (lambda x: np.linalg.norm(x, INF), (1, NAN), (0, NAN)),
    (lambda x: np.hypot(x[0], x[1]), (INF, 1), (1, 0)),
    (lambda x: np.hypot(x[0], x[1]), (5e-324, 5e-324), (0.5**0.5, 0.5**0.5)),
    (lambda x: np.arctan2(x[0], x[1]), (INF, 1), (0, 0)),
    (lambda x: np.arctan2(x[0], x[1]), (1, -INF), (0, 0)),
    (lambda x: np.arctan2(x[0], x[1]), (0, 0), (0, 0)),
])  # fmt: skip
def test_limits(function, x, expected):
    np.testing.assert_allclose(mg.grad(function)(A(*x)), expected, rtol=1e-15)


@pytest.mark.parametrize(("dtype", "unit"), [(float, 1e-200), (float, 1e200), (np.float32, 1e-30), (np.float32, 1e25)])
def test_angles_of_short_and_long_vectors(dtype, unit):
    a, b = dtype(unit), dtype(2 * unit)
    found = mg.grad(np.arctan2, argnums=(0, 1))(a, b)
    np.testing.assert_allclose(found, [0.4 / unit, -0.2 / unit], rtol=8 * np.finfo(dtype).eps)
    if dtype is float:
        z = mg.grad(np.angle)(complex(b, a))
        np.testing.assert_allclose(z, (-0.2 + 0.4j) / unit, rtol=1e-15)


def test_the_second_derivative_of_an_angle():
    x = A(1e100, 2e100)  # of which even the squares' squares overflow
    found = mg.hessian(lambda x: np.arctan2(x[0], x[1]))(x)
    np.testing.assert_allclose(found * 1e200, A([-4, -3], [-3, 4]) / 25, rtol=1e-14)


# Spreads of equal numbers.  A mean is rounded: that of three times 0.1 is not 0.1.

SPREADS = {
    "std": np.std,
    "std with a correction": lambda x: np.std(x, axis=-1, ddof=1),
    "mg.std": lambda x: mg.std(x, axis=-1, correction=0.5),
    "std where": lambda x: np.std(x, axis=-1, where=np.arange(x.shape[-1]) % 4 < 3),
    "nanstd": lambda x: np.nanstd(x, keepdims=True),
    "var": np.var,
    "var where": lambda x: np.var(x, axis=-1, where=np.arange(x.shape[-1]) % 4 < 3),
    "nanvar": np.nanvar,
    "cov": lambda x: np.cov(x),
}


@each("name", SPREADS)
@each("dtype", [np.float16, np.float32, np.float64, np.complex64, np.complex128])
def test_equal_numbers_have_no_spread(name, dtype):
    for number in (0.1, 0.7, 1 / 3, -123.4, 1e-3, 0.0):
        for n in (2, 3, 7, 10, 1000):
            x = np.full(n, number * (1 + 0.3j) if np.dtype(dtype).kind == "c" else number, dtype)
            found = mg.grad(lambda x: mg.real(mg.sum(SPREADS[name](x))))(x)
            np.testing.assert_array_equal(found, np.zeros(n, dtype), strict=True, err_msg=f"{number} {n}")


def test_rows_of_equal_numbers_beside_others():
    x = A([0.1, 0.1, 0.1], [1, 2, 4])
    expected = A([0, 0, 0], (A(1, 2, 4) - 7 / 3) / (3 * np.std([1, 2, 4])))
    for function in (np.std, np.nanstd, lambda x, axis: np.std(x, axis=axis, where=[True, True, True])):
        found = mg.grad(lambda x, f=function: f(x, axis=1).sum())(x)
        np.testing.assert_allclose(found, expected, rtol=1e-14)
    np.testing.assert_array_equal(mg.grad(lambda x: np.std(x, axis=(0, 2)).sum())(np.full((2, 3, 5), 0.1)), 0)


def test_nan_beside_equal_numbers():
    assert mg.grad(np.nanstd)(A(0.1, NAN, 0.1, 0.1)).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("function", [np.var, np.nanvar, lambda x: np.var(x, where=[True, True, True])])
@pytest.mark.parametrize("number", [1.0, 0.1])
def test_a_variance_is_smooth_at_equal_numbers(function, number):
    expected = 2 / 3 * (np.eye(3) - 1 / 3)
    np.testing.assert_allclose(mg.hessian(function)(np.full(3, number)), expected, rtol=1e-15)


def test_a_constant_variable_correlates_with_nothing():
    with np.errstate(invalid="ignore"):
        found = mg.corrcoef(A([0.1, 0.1, 0.1], [1, 2, 4]))
    np.testing.assert_array_equal(found, [[NAN, NAN], [NAN, 1]])


# Second derivatives at kinks


LENGTHS = {  # a function, and a point at which it has a kink
    "norm": (np.linalg.norm, A(0, 0)),
    "norm of order 3": (lambda x: np.linalg.norm(x, 3), A(0, 0)),
    "norm of order 1.5": (lambda x: np.linalg.norm(x, 1.5), A(0, 0)),
    "Frobenius norm": (lambda x: np.linalg.norm(mg.reshape(x, (1, 2))), A(0, 0)),
    "hypot": (lambda x: np.hypot(x[0], x[1]), A(0, 0)),
    "absolute value of a complex number": (lambda x: mg.abs(x[0] + 1j * x[1]), A(0, 0)),
    "std": (np.std, A(0.1, 0.1, 0.1)),
    "std of ones": (np.std, A(1, 1, 1)),
    "nanstd": (np.nanstd, A(0.1, 0.1, 0.1)),
    "std where": (lambda x: np.std(x, where=[True, True, False]), A(0.1, 0.1, 5)),
    "pairwise distance": (lambda x: F.pairwise_distance(x[:1], x[1:], eps=0.0), A(3, 3)),
}


def bent(x):
    """Elements that a Hessian may not leave at 0: of those that the function depends on."""
    return x if x[-1] != 5 else x[:-1]


@pytest.mark.parametrize("name", LENGTHS)
@each("outer", [lambda y: y, lambda y: y**2, lambda y: y * y, np.square, lambda y: (1 + y) ** 2])
def test_the_second_derivative_at_a_kink_is_not_silently_zero(name, outer):
    function, x = LENGTHS[name]
    n = len(bent(x))
    np.testing.assert_array_equal(mg.grad(lambda x: mg.sum(outer(function(x))))(x), 0)
    assert np.isnan(mg.hessian(lambda x: mg.sum(outer(function(x))))(x)[:n, :n]).all()


@pytest.mark.parametrize("name", LENGTHS)
def test_a_kink_that_was_not_selected_has_derivatives_zero(name):
    function, kink = LENGTHS[name]
    x = np.stack([kink, np.arange(1.0, 1 + len(kink)) ** 2])

    def chosen(x):
        return mg.where(np.array([False, True]), mg.stack([mg.sum(function(row)) for row in (x[0], x[1])]), 0.0).sum()

    np.testing.assert_array_equal(mg.grad(chosen)(x)[0], 0)
    found = mg.hessian(chosen)(x)
    np.testing.assert_array_equal(found[0], 0)
    np.testing.assert_allclose(found[1, :, 1], mg.hessian(lambda x: mg.sum(function(x)))(x[1]), rtol=1e-13, atol=1e-15)


def test_a_row_at_a_kink_leaves_the_others_alone():
    x = A([0, 0], [3, 4])
    found = mg.hessian(lambda x: np.linalg.norm(x, axis=1).sum())(x)
    np.testing.assert_allclose(found[1, :, 1], A([16, -12], [-12, 9]) / 125, rtol=1e-14)
    np.testing.assert_array_equal(found[1, :, 0], 0)
    assert np.isnan(found[0, :, 0]).all()


def test_orders_of_norms_with_an_element_zero():
    hessian = mg.hessian(lambda x: np.linalg.norm(x, 3))(A(0, 2))
    np.testing.assert_allclose(hessian, A([0, 0], [0, 0]), atol=1e-15)  # 2 |x| / y**2 and 0
    hessian = mg.hessian(lambda x: np.linalg.norm(x, 1.5))(A(0, 2))
    assert hessian[0, 0] == INF


def test_absolute_values_and_ramps_have_the_second_derivative_zero_by_convention():
    for function in (np.abs, F.relu, lambda x: np.maximum(x, -x)):
        assert mg.grad(mg.grad(lambda x, f=function: f(x) ** 2))(0.0) == 0


# Counts that half precision cannot hold

HALF = {
    "mean": np.mean,
    "mean where": lambda x: np.mean(x, where=np.arange(x.size) % 2 == 0),
    "var": np.var,
    "var where": lambda x: np.var(x, where=np.arange(x.size) % 2 == 0),
    "std": np.std,
    "std where": lambda x: np.std(x, where=np.arange(x.size) % 2 == 0),
    "nanmean": np.nanmean,
    "nanvar": np.nanvar,
    "nanstd": np.nanstd,
    "average": np.average,
    "average with weights": lambda x: np.average(x, weights=np.ones(x.size, np.float16)),
    "average of weights": lambda w: np.average(np.arange(w.size) % 3 * np.float16(1), weights=w),
    "logsumexp": mg.logsumexp,
    "log_softmax": lambda x: mg.log_softmax(x)[:2].sum(),
    "mse_loss": lambda x: F.mse_loss(x, np.zeros(x.size, x.dtype)),
    "nll_loss": lambda x: F.nll_loss(x.reshape(-1, 1), np.zeros(x.size, int)),
    "nll_loss with weights": lambda x: F.nll_loss(x.reshape(-1, 1), np.zeros(x.size, int), np.ones(1, x.dtype)),
    "cross_entropy with weights": lambda x: F.cross_entropy(
        mg.stack([x, 0 * x], axis=-1), np.zeros(x.size, int), np.ones(2, x.dtype)
    ),
    "avg_pool": lambda x: F.avg_pool1d(x.reshape(1, -1), x.size)[0, 0],
    "adaptive_avg_pool": lambda x: F.adaptive_avg_pool1d(x.reshape(1, -1), 1)[0, 0],
    "lp_pool": lambda x: F.lp_pool1d(x.reshape(1, -1), 2, x.size)[0, 0],
    "layer_norm": lambda x: F.layer_norm(x, x.size)[0],
    "batch_norm": lambda x: F.batch_norm(x.reshape(-1, 1), None, None, training=True)[0, 0],
}


@pytest.mark.parametrize("name", HALF)
@each("n", [70_000, 2049])
def test_half_precision_counts_in_float32(name, n):
    function, x = HALF[name], np.resize(A(1, 2, 3, 2, dtype=np.float16), n)
    value, found = mg.value_and_grad(function)(x)
    wide_value, expected = mg.value_and_grad(function)(x.astype(float))
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, expected, rtol=5e-3, atol=6e-8)
    np.testing.assert_allclose(value, wide_value, rtol=2e-3)
    assert np.abs(expected).max() > 3e-6


def test_the_gradient_of_a_mean_in_half_precision():
    assert set(mg.grad(np.mean)(np.ones(70_000, np.float16)).tolist()) == {float(np.float16(1 / 70_000))}


# No degrees of freedom


@pytest.mark.parametrize("function", [np.std, np.var, np.nanstd, np.nanvar])
@pytest.mark.parametrize(("x", "less"), [((3,), 1), ((3, 5), 2), ((3, 5), 3)])
def test_a_spread_without_degrees_of_freedom_has_no_gradient(function, x, less):
    for options in ({}, {"where": [True] * len(x)}):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = mg.grad(lambda x, o=options: function(x, ddof=less, **o))(A(*x))
        assert np.isnan(found).all()


def test_missing_numbers_have_gradient_zero_even_so():
    with pytest.warns(RuntimeWarning, match="Degrees of freedom"):
        found = mg.grad(lambda x: np.nanvar(x, axis=1, ddof=1).sum())(A([NAN, 2], [1, 3], [NAN, NAN]))
    np.testing.assert_array_equal(found, [[0, NAN], [-2, 2], [0, 0]])


# A single number


@pytest.mark.parametrize(("function", "expected"), [
    (mg.softmax, (1, 0, 0)), (mg.log_softmax, (0, 0, 0)), (mg.logsumexp, (2, 1, 0)),
    (lambda x: mg.sum(x, axis=-1) ** 2, (4, 4, 2)), (lambda x: mg.max(x, axis=0) ** 2, (4, 4, 2)),
    (lambda x: mg.softmax(x, axis=0), (1, 0, 0)),
])  # fmt: skip
def test_reductions_of_a_single_number(function, expected):
    slope = mg.grad(function)
    assert (float(function(2.0)), float(slope(2.0)), float(mg.grad(slope)(2.0))) == expected
