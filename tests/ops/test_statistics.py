"""Averages, quantiles and missing numbers: special values, ties, warnings and misuse."""

import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors
from minigrad.ops import ignoring_nan, quantiles, statistics
from tests.needs import since_numpy
from tests.rows import each

NAN, INF = np.nan, np.inf


def leaf(*values, dtype=float):
    return mg.tensor(np.array(values, dtype), requires_grad=True)


def gradient(function, x):
    """The gradient of the sum of a function's results."""
    y = function(x)
    return mg.autograd.grad(y, x, np.ones(y.shape, y.dtype))[0].numpy()


def second(function, x):
    """The gradient of the sum of a gradient."""
    y = function(x)
    (g,) = mg.autograd.grad(y.sum(), x, create_graph=True)
    return mg.autograd.grad(g.sum(), x, allow_unused=True)[0] if g.requires_grad else None


# Quantiles


@each(("function", "values", "expected"), [
    (np.median, (2, 2, 2), (1 / 3, 1 / 3, 1 / 3)),
    (np.median, (1, 2, 2, 3), (0, 0.5, 0.5, 0)),
    (np.median, (1, 2, 2, 2), (0, 1 / 3, 1 / 3, 1 / 3)),
    (np.median, (1, 1, 3, 3), (0.25, 0.25, 0.25, 0.25)),
    (np.median, (5,), (1,)),
    (np.median, (1, NAN, 3, NAN), (0, 0.5, 0, 0.5)),
    (lambda x: np.quantile(x, 1.0), (3, 1, 3, 2), (0.5, 0, 0.5, 0)),
    (lambda x: np.quantile(x, 0), (1, 1, 2), (0.5, 0.5, 0)),
    (lambda x: np.quantile(x, 0.25), (1, 1, 2, 3, 4), (0.5, 0.5, 0, 0, 0)),
    (lambda x: np.quantile(x, 0.5, method="lower"), (1, 4, 2, 3), (0, 0, 1, 0)),
    (lambda x: np.percentile(x, 50), (1, NAN, 3), (0, 1, 0)),
    (np.nanmedian, (1, NAN, 3, NAN), (0.5, 0, 0.5, 0)),
    (np.nanmedian, (NAN, 2, 2), (0, 0.5, 0.5)),
    (lambda x: np.nanquantile(x, 0.75), (NAN, 1, 2, NAN, 3), (0, 0, 0.5, 0, 0.5)),
])  # fmt: skip
def test_equal_elements_share_the_gradient_of_a_quantile(function, values, expected):
    np.testing.assert_allclose(gradient(function, leaf(*values)), expected, rtol=1e-15)


def test_an_infinite_neighbour_that_is_not_needed_does_no_harm():
    x = leaf(1, 2, INF)
    assert float(np.quantile(x, 0.5).detach()) == 2  # NumPy's own answer is NaN
    assert gradient(lambda x: np.quantile(x, 0.5), x).tolist() == [0, 1, 0]


@pytest.mark.parametrize("values", [(1, INF, INF), (-INF, 1, INF), (INF, INF), (-INF, -INF, 3)])
def test_the_median_of_infinities(values):
    assert float(mg.median(np.array(values))) == np.median(values)


def test_the_derivative_by_a_probability_is_the_distance_of_the_neighbours():
    q = leaf(0.0, 0.3, 0.5, 0.9, 1.0)
    x = np.array([4.0, 1.0, 3.0])
    assert gradient(lambda q: np.quantile(x, q), q).tolist() == [4, 4, 2, 2, 0]
    assert gradient(lambda q: np.percentile(x, q * 100), leaf(0.3)).tolist() == pytest.approx([4])


def test_a_method_with_jumps_has_no_derivative_by_a_probability():
    assert not np.quantile(np.array([1.0, 2.0, 4.0]), leaf(0.3), method="nearest").requires_grad


def test_a_quantile_is_linear_so_it_has_no_second_derivative():
    assert second(lambda x: np.quantile(x, [0.3, 0.6]), leaf(3, 1, 2)) is None


@since_numpy("2.0.1", "closest_observation is right")
@each("method", quantiles.METHODS)
@each("n", range(1, 9))
def test_every_method_chooses_as_numpy_does(method, n):
    x = np.random.default_rng(n).permutation(n) * 1.0
    q = np.concatenate([np.linspace(0, 1, 41), np.arange(n + 1) / n, (np.arange(n) + 0.5) / n])
    np.testing.assert_allclose(mg.quantile(x, q, method=method), np.quantile(x, q, method=method), atol=1e-12)
    holed = np.append(x, NAN)
    np.testing.assert_allclose(
        quantiles.nanquantile(holed, q, method=method), np.nanquantile(holed, q, method=method), atol=1e-12
    )


@since_numpy("2.1.0", "the quantile 0 is no element whose weight is 0")
def test_weights_choose_as_numpy_does():
    rng = np.random.default_rng(0)
    q = np.linspace(0, 1, 21)
    for _ in range(20):
        x, w = rng.integers(0, 5, (3, 6)) * 1.0, rng.integers(0, 3, (3, 6)) + np.eye(3, 6)
        found = mg.quantile(mg.tensor(x), q, axis=1, weights=w, method="inverted_cdf")
        np.testing.assert_array_equal(found, np.quantile(x, q, axis=1, weights=w, method="inverted_cdf"))
    x[0, 2] = NAN
    for function, ours in ((np.quantile, quantiles.quantile), (np.nanquantile, quantiles.nanquantile)):
        expected = function(x, q, axis=1, weights=w, method="inverted_cdf")
        np.testing.assert_array_equal(ours(x, q, axis=1, weights=w, method="inverted_cdf"), expected)


A_SCALAR_COUNTS = since_numpy("2.4.0", "the dtype of a NumPy scalar counts like that of an array")


@each("q", [
    0.3, 1, 0, pytest.param(np.float64(0.3), marks=A_SCALAR_COUNTS), np.array(0.3), [0.3], np.array([0.3], np.float32),
])  # fmt: skip
@each("dtype", [np.float32, np.float64, np.int32])
@pytest.mark.parametrize("method", ["linear", "lower", "hazen"])
def test_the_dtype_of_a_quantile_is_numpys(q, dtype, method):
    x = np.array([3, 1, 2], dtype)
    np.testing.assert_allclose(
        mg.quantile(x, q, method=method), np.quantile(x, q, method=method), rtol=1e-6, strict=True
    )


def test_many_quantiles_of_many_numbers():
    x = np.random.default_rng(0).normal(size=2000)
    q = np.linspace(0, 1, 101)
    t = mg.tensor(x, requires_grad=True)
    y = np.quantile(t, q)
    np.testing.assert_allclose(y.detach(), np.quantile(x, q), rtol=1e-12)
    y.sum().backward()
    assert t.grad.sum().item() == pytest.approx(len(q))


@each(("call", "error", "words"), [
    (lambda x: np.quantile(x, 1.5), errors.ArgumentError, "between 0 and 1"),
    (lambda x: np.quantile(x, NAN), errors.ArgumentError, "between 0 and 1"),
    (lambda x: np.percentile(x, [50, 101]), errors.ArgumentError, "percentile"),
    (lambda x: np.quantile(x, [[[0.5]]]), errors.ShapeError, r"\(1, 1, 1\)"),
    (lambda x: np.quantile(x, 0.5, method="cubic"), errors.UnsupportedError, "'cubic'; there are: inverted_cdf"),
    (lambda x: np.quantile(x, 0.5, weights=[1, 1, 1]), errors.UnsupportedError, "inverted_cdf"),
    (lambda x: np.quantile(x, 0.5, weights=[1, 1], method="inverted_cdf"), errors.ShapeError, r"\(2,\)"),
    (lambda x: np.quantile(x, 0.5, weights=[1, -1, 1], method="inverted_cdf"), errors.ArgumentError, "negative"),
    (lambda x: np.quantile(x, 0.5, weights=[0, 0, 0], method="inverted_cdf"), errors.ArgumentError, "all 0"),
    (lambda x: np.quantile(x[:0], 0.5), errors.ShapeError, "no elements"),
    (lambda x: np.quantile(x, 0.5, axis=1), errors.AxisError, "quantile"),
    (lambda x: np.median(x, axis=1), errors.AxisError, "median"),
    (lambda x: np.median(x, axis=(0, 0)), errors.AxisError, "median"),
    (lambda x: np.quantile(x + 1j, 0.5), errors.DTypeError, "complex"),
    (lambda x: np.median(x, out=np.empty(())), errors.UnsupportedError, "out"),
])  # fmt: skip
def test_misuse_of_quantiles(call, error, words):
    with pytest.raises(error, match=words):
        call(leaf(1, 2, 3))


# Warnings are NumPy's, and what is not a number has gradient 0


EMPTY = [
    (np.median, lambda x: x[:0]),
    (np.nanmedian, lambda x: x[:0]),
    (np.nanmean, lambda x: x[:0]),
    (np.nanmean, lambda x: x * NAN),
    (np.nanmedian, lambda x: x * NAN),
    (lambda x: np.nanquantile(x, [0.2, 0.7]), lambda x: x * NAN),
    (np.nanmax, lambda x: x * NAN),
    (np.nanmin, lambda x: x * NAN),
    (np.nanvar, lambda x: x * NAN),
    (lambda x: np.nanvar(x, ddof=3), lambda x: x),
    (lambda x: np.nanstd(x, ddof=5), lambda x: x),
    (lambda x: np.var(x, ddof=3), lambda x: x),
    (lambda x: np.var(x, where=False), lambda x: x),
    (lambda x: np.cov(x, ddof=3), lambda x: x),
    (lambda x: np.cov(x[:1]), lambda x: x),
]


def slices(warning):
    """What a warning says of slices without numbers; nothing if it speaks of a division."""
    text = str(warning.message).rstrip(".")
    return text if "slice" in text else ""


@each(("function", "prepare"), EMPTY)
def test_what_has_no_value_warns_as_numpy_does(function, prepare):
    x = prepare(np.array([1.0, 2.0, 4.0]))
    with pytest.warns(RuntimeWarning) as theirs:
        expected = function(x)
    with pytest.warns(RuntimeWarning) as ours:
        found = function(mg.tensor(x))
    np.testing.assert_array_equal(found, expected)
    said = {str(warning.message).rstrip(".") for warning in ours}
    assert {word for word in map(slices, theirs) if word} <= said | {"Mean of empty slice"}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("function", [
    np.nanmean, np.nanmedian, np.nanmax, np.nanmin, np.nanvar, np.nanstd, np.nansum, np.nanprod,
    lambda x, axis: np.nanquantile(x, [0.2, 0.6], axis=axis), lambda x, axis: np.nanpercentile(x, 30, axis=axis),
    lambda x, axis: np.nanquantile(x, 0.6, axis=axis, weights=x * 0 + 1, method="inverted_cdf"),
    lambda x, axis: np.nancumsum(x, axis=axis), lambda x, axis: np.nancumprod(x, axis=axis),
])  # fmt: skip
def test_missing_numbers_have_gradient_0_also_where_there_is_nothing_else(function):
    x = mg.tensor([[NAN, NAN, NAN], [1.0, NAN, 3.0]], requires_grad=True)
    g = gradient(lambda x: function(x, axis=1), x)
    assert np.isfinite(g).all()
    np.testing.assert_array_equal(g[np.isnan(x.detach())], 0)


@pytest.mark.parametrize("function", [np.nanmean, np.nansum, np.nanprod, np.nanvar, np.nanstd])
def test_infinities_that_are_not_chosen_do_no_harm(function):
    x = leaf(1, INF, 3, NAN)
    g = gradient(lambda x: function(x, where=np.array([True, False, True, True])), x)
    expected = gradient(function, leaf(1, 3))
    assert g.tolist() == [expected[0], 0, expected[1], 0]


@pytest.mark.parametrize(("function", "values", "expected"), [
    (np.nanmax, (3, NAN, 3, 1), (0.5, 0, 0.5, 0)),
    (np.nanmin, (1, NAN, 1, 1), (1 / 3, 0, 1 / 3, 1 / 3)),
    (np.nanmax, (-INF, NAN, -INF), (0.5, 0, 0.5)),
    (lambda x: np.nanmax(x, initial=9.0), (3, NAN), (0, 0)),
    (lambda x: np.nanmin(x, initial=9.0, where=[False, True, True]), (1, NAN, 4), (0, 0, 1)),
    (np.ptp, (1, 3, 3, 1), (-0.5, 0.5, 0.5, -0.5)),
    (np.ptp, (2, 2), (0, 0)),
    (np.ptp, (2,), (0,)),
    (np.nanstd, (2, NAN, 2), (0, 0, 0)),
    (lambda x: np.std(x, where=[True, True, False]), (2, 2, 7), (0, 0, 0)),
    (lambda x: np.std(x, mean=[2.0]), (2, 2), (0, 0)),
    (np.nanprod, (0, NAN, 3), (3, 0, 0)),
    (np.nancumprod, (0, NAN, 3), (1 + 1 + 3, 0, 0)),
])  # fmt: skip
def test_kinks(function, values, expected):
    np.testing.assert_allclose(gradient(function, leaf(*values)), expected, rtol=1e-15)


def test_nanargmax_of_nothing_but_nan_is_an_error_with_a_name():
    with pytest.raises(errors.ArgumentError, match=r"nanargmax of shape \(2,\).*All-NaN"):
        np.nanargmax(leaf(NAN, NAN))
    index = np.nanargmin(leaf(3, NAN, 1))
    assert isinstance(index, mg.Tensor)
    assert (index.item(), index.requires_grad) == (2, False)


def test_integers_and_bools_are_what_numpy_makes_of_them():
    for x in (np.array([[1, 2], [4, 3]], np.int8), np.array([[True, False], [True, True]])):
        for name in ("nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nancumsum", "nanmedian", "median"):
            ours = getattr(mg, name, None) or getattr(ignoring_nan, name, None) or getattr(quantiles, name)
            np.testing.assert_allclose(ours(x), getattr(np, name)(x), rtol=1e-15, strict=True)
            np.testing.assert_allclose(getattr(np, name)(mg.tensor(x)), getattr(np, name)(x), rtol=1e-15, strict=True)


@pytest.mark.parametrize("name", ["nanmean", "nanvar", "nanstd", "nansum", "nanmax", "nanmedian"])
@each("dtype", [np.float32, np.float64, np.complex64])
def test_missing_numbers_leave_the_dtype(name, dtype):
    if dtype == np.complex64 and name in ("nanmax", "nanmedian"):
        return
    x = np.array([[1, NAN, 3], [4, 2, 7]], dtype)
    for axis in (None, 0, 1):
        np.testing.assert_allclose(
            getattr(np, name)(mg.tensor(x), axis=axis), getattr(np, name)(x, axis=axis), rtol=1e-6, strict=True
        )


# Averages and variances


def test_weights_that_sum_to_zero():
    with pytest.raises(ZeroDivisionError, match=r"average of shape \(2,\)"):
        np.average(leaf(1, 2), weights=[1.0, -1.0])


@each(("call", "error", "words"), [
    (lambda x: np.average(x, weights=[1.0, 2.0]), errors.ShapeError, "needs an axis"),
    (lambda x: np.average(x, axis=1, weights=[1.0, 2.0]), errors.ShapeError, r"of shape \(3,\) or \(2, 3\)"),
    (lambda x: np.average(x, axis=2), errors.AxisError, "axis"),
    (lambda x: np.var(x, ddof=1, correction=1), errors.ArgumentError, "correction"),
    (lambda x: np.std(x, ddof=1, correction=1), errors.ArgumentError, "std"),
    (lambda x: np.nanvar(x, ddof=1, correction=1), errors.ArgumentError, "nanvar"),
    (lambda x: np.var(x, axis=5), errors.AxisError, "var"),
    (lambda x: np.cov(x[None]), errors.ShapeError, "two axes"),
    (lambda x: np.cov(x, x[:, :2]), errors.ShapeError, "3 and 2 observations"),
    (lambda x: np.cov(x, ddof=0.5), errors.ArgumentError, "ddof"),
    (lambda x: np.cov(x, fweights=[1, 2]), errors.ShapeError, "fweights"),
    (lambda x: np.cov(x, fweights=[1, 2, -1]), errors.ArgumentError, "negative"),
    (lambda x: np.cov(x, fweights=[1, 2, 0.5]), TypeError, "integers"),
    (lambda x: np.cov(x, aweights=[[1, 2, 3]]), errors.ShapeError, "aweights"),
    (lambda x: np.cov(x, aweights=[0, 0, 0]), ZeroDivisionError, "zero"),
    (lambda x: np.corrcoef(x, x[:, :2]), errors.ShapeError, "observations"),
    (lambda x: np.var(x, out=np.empty(())), errors.UnsupportedError, "out"),
    (lambda x: np.ptp(x, axis=0, out=np.empty(3)), errors.UnsupportedError, "out"),
])  # fmt: skip
def test_misuse_of_averages(call, error, words):
    with pytest.raises(error, match=words):
        call(mg.tensor([[1.0, 2.0, 4.0], [3.0, 0.0, 1.0]], requires_grad=True))


def test_correction_and_ddof_are_one():
    x = mg.tensor([1.0, 2.0, 4.0])
    assert np.var(x, correction=1).item() == np.var(x, ddof=1).item() == pytest.approx(7 / 3)
    assert np.nanstd(x, correction=1).item() == pytest.approx(np.std(x, ddof=1).item())


def test_the_variance_about_a_given_mean_has_a_derivative_by_it():
    x, m = leaf(1, 2, 4), leaf(2.0)
    np.var(x, mean=m).backward()
    np.testing.assert_allclose(x.grad, [-2 / 3, 0, 4 / 3])
    np.testing.assert_allclose(m.grad, [-2 / 3])


def test_a_masked_variance_does_not_see_what_the_mask_leaves_out():
    x = mg.tensor([[1.0, INF, 3.0], [NAN, 2.0, 6.0]], requires_grad=True)
    mask = np.isfinite(x.detach().numpy())
    y = np.var(x, axis=1, where=mask)
    assert y.tolist() == [1, 4]
    (g,) = mg.autograd.grad(y.sum(), x, create_graph=True)
    assert g.tolist() == [[-1, 0, 1], [0, -2, 2]]
    (h,) = mg.autograd.grad((g * g).sum(), x)
    assert np.isfinite(h.numpy()).all()


def test_the_variance_of_complex_numbers_is_real():
    z = mg.tensor([1 + 2j, 3 - 1j, 0.5j], requires_grad=True)
    y = np.var(z)
    assert y.dtype == np.float64
    y.backward()
    centred = z.detach().numpy() - z.detach().numpy().mean()
    np.testing.assert_allclose(z.grad, 2 * centred / 3)


def test_float32_variances_and_averages_stay_float32():
    x = np.array([1, 2, 4], np.float32)
    for call in (
        lambda x: np.var(x, where=[True, True, False]),
        lambda x: np.std(x, mean=np.float32([2])),
        lambda x: np.average(x, weights=np.float32([1, 2, 3])),
        np.ptp,
    ):
        np.testing.assert_allclose(call(mg.tensor(x)), call(x), rtol=1e-6, strict=True)
    assert np.cov(mg.tensor(x)).dtype == np.float64


def test_the_average_returns_the_sum_of_weights_as_a_tensor():
    average, total = np.average(leaf(1, 2, 6), weights=[1.0, 1.0, 2.0], returned=True)
    assert average.requires_grad
    assert not total.requires_grad
    assert (average.item(), total.item()) == (3.75, 4)
    weights = leaf(1, 1, 2)
    _, total = np.average(np.array([1.0, 2.0, 6.0]), weights=weights, returned=True)
    assert total.requires_grad


def test_the_correlation_of_a_constant_is_nan_and_of_a_line_is_1():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        assert np.isnan(np.corrcoef(leaf(1, 1, 1), leaf(1, 2, 3)).detach().numpy()[0, 1])
    x = leaf(1, 2, 4)
    r = np.corrcoef(x, 2 * x + 1)
    np.testing.assert_allclose(r.detach(), np.ones((2, 2)), rtol=1e-15)
    np.testing.assert_allclose(mg.autograd.grad(r[0, 1], x)[0], 0, atol=1e-15)


def test_the_covariance_of_no_variables_is_an_empty_matrix():
    assert np.cov(mg.zeros((0, 3))).shape == (0, 0)


def test_a_covariance_is_differentiated_as_a_matrix_product():
    x = mg.tensor(np.random.default_rng(0).normal(size=(3, 6)), requires_grad=True)
    centred = x - x.mean(axis=1, keepdims=True)
    for call, expected in ((np.cov(x), centred @ centred.T / 5), (np.cov(x, bias=True), centred @ centred.T / 6)):
        weights = np.arange(9.0).reshape(3, 3)
        ours = mg.autograd.grad((call * weights).sum(), x)[0]
        np.testing.assert_allclose(ours, mg.autograd.grad((expected * weights).sum(), x, retain_graph=True)[0])


def test_lists_are_arrays():
    assert mg.median([3.0, 1.0, 2.0]) == 2
    assert mg.average([1, 2, 6], weights=[1, 1, 2]) == 3.75
    assert mg.nanmax([1.0, NAN]) == 1
    assert statistics.ptp([1.0, 4.0]) == 3
    assert type(mg.median([3.0, 1.0])) is np.float64


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("options", [{}, {"fweights": np.arange(1, 7)}, {"aweights": np.linspace(0.1, 1, 6)}])
def test_covariances_in_the_dtype_that_is_asked_for(dtype, options):
    x = np.random.default_rng(0).normal(size=(3, 6)).astype(dtype)
    for more in ({}, {"dtype": dtype}):
        wanted = np.cov(x, **options, **more)
        found = mg.cov(mg.tensor(x), **options, **more)
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(np.asarray(found), wanted, rtol=1e-4)
    assert mg.corrcoef(mg.tensor(x), dtype=dtype).dtype == np.corrcoef(x, dtype=dtype).dtype
