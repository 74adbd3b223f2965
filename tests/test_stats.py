"""Distributions give SciPy's values, and derivatives that differences confirm, by the argument and all parameters."""

import re

import numpy as np
import pytest

import minigrad as mg
from minigrad import stats
from tests.rows import each

scipy_stats = pytest.importorskip("scipy.stats")

# A point, parameters without `loc` and `scale`, and an argument outside of the support.
CONTINUOUS = {
    "norm": ([0.3, -4.0, 2.0], [], None),
    "uniform": ([0.3, 0.9], [], [-0.5, 1.5]),
    "expon": ([0.3, 2.0], [], [-0.5]),
    "laplace": ([0.3, -2.0], [], None),
    "cauchy": ([0.3, -20.0], [], None),
    "logistic": ([0.3, -30.0], [], None),
    "gumbel_r": ([0.3, -2.0], [], None),
    "gamma": ([0.3, 2.0], [2.5], [-1.0]),
    "invgamma": ([0.3, 2.0], [2.5], [-1.0]),
    "chi2": ([0.3, 2.0], [3.5], [-1.0]),
    "beta": ([0.3, 0.8], [2.5, 1.5], [-1.0, 2.0]),
    "t": ([0.3, -2.0], [3.5], None),
    "lognorm": ([0.3, 2.0], [0.7], [-1.0]),
    "halfnorm": ([0.3, 2.0], [], [-1.0]),
    "rayleigh": ([0.3, 2.0], [], [-1.0]),
    "weibull_min": ([0.3, 2.0], [1.7], [-1.0]),
    "pareto": ([1.3, 2.0], [2.7], [0.5]),
}
DISCRETE = {
    "poisson": ([0.0, 3.0], [2.5], [-1.0, 0.5]),
    "bernoulli": ([0.0, 1.0], [0.3], [-1.0, 2.0]),
    "geom": ([1.0, 4.0], [0.3], [0.0]),
    "nbinom": ([0.0, 3.0], [4.0, 0.3], [-1.0]),
    "binom": ([0.0, 3.0, 7.0], [7.0, 0.3], [-1.0, 8.0]),
}
# Whose distribution functions are incomplete gamma and beta functions, without derivatives by the shape.
BY_ARGUMENT_ALONE = ("gamma", "invgamma", "chi2", "beta", "t")
METHODS = ("logpdf", "pdf", "cdf", "sf", "logcdf", "logsf")


@pytest.mark.parametrize("name", CONTINUOUS)
@pytest.mark.parametrize("method", METHODS)
def test_continuous_distributions(name, method):
    points, shapes, outside = CONTINUOUS[name]
    ours, theirs = getattr(getattr(stats, name), method), getattr(getattr(scipy_stats, name), method)
    for scale in (1.0, 1.3):
        x = 0.2 + scale * np.array(points)
        found = ours(x, *shapes, loc=0.2, scale=scale)
        np.testing.assert_allclose(found, theirs(x, *shapes, 0.2, scale), rtol=1e-10, atol=1e-14)
    fixed = shapes if name in BY_ARGUMENT_ALONE and not method.endswith("pdf") else []
    moving = [] if fixed else shapes
    mg.gradcheck(lambda x, *p: ours(x, *fixed, *p[:-2], loc=p[-2], scale=p[-1]), (x, *moving, 0.2, 1.3), atol=1e-6)
    if outside is not None:
        x = np.array(outside)
        with np.errstate(divide="ignore"):
            np.testing.assert_allclose(ours(x, *shapes), theirs(x, *shapes), atol=1e-14)
            if not method.startswith("log"):
                by = tuple(range(1 + len(moving)))
                slopes = mg.grad(lambda x, *p: mg.sum(ours(x, *fixed, *p)), by)(x, *moving)
                assert all(not np.any(g) for g in slopes)


@pytest.mark.parametrize("name", DISCRETE)
@pytest.mark.parametrize("method", ["logpmf", "pmf", "cdf", "sf"])
def test_discrete_distributions(name, method):
    points, shapes, outside = DISCRETE[name]
    ours, theirs = getattr(getattr(stats, name), method), getattr(getattr(scipy_stats, name), method)
    x = np.array([*points, *outside])
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(ours(x, *shapes), theirs(x, *shapes), rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(ours(x + 2, *shapes, loc=2), theirs(x, *shapes), rtol=1e-10, atol=1e-14)
    last = len(shapes) - 1
    mg.gradcheck(lambda p: ours(np.array(points), *shapes[:last], p), shapes[-1], atol=1e-6)


@each("name", [*CONTINUOUS, *DISCRETE])
def test_a_distribution_function_has_a_derivative_by_each_shape_or_the_docstring_says_that_it_has_none(name):
    points, shapes, _ = (CONTINUOUS | DISCRETE)[name]
    distribution = getattr(stats, name)
    of_whole_numbers = ("binom", "nbinom")
    for i, shape in enumerate(distribution.shapes):
        refused = name in BY_ARGUMENT_ALONE or (name in of_whole_numbers and shape == "n")
        for method in (distribution.cdf, distribution.sf):
            slope = mg.grad(lambda *p, method=method: method(points[0], *p), i)
            if refused:
                with pytest.raises(mg.errors.UnsupportedError, match="no closed formula"):
                    slope(*shapes)
            else:
                slope(*shapes)
    said = re.search(r"\(of (.*?), and the `n` of (.*?)\)", " ".join(stats.__doc__.split()))
    assert {*said[1].replace(" and ", ", ").split(", ")} == {*BY_ARGUMENT_ALONE}
    assert {*said[2].split(" and ")} == {*of_whole_numbers}


FAR = np.array([0.0, 1.0, 1e-10, 0.5, 40.0, -40.0, 700.0, -700.0, np.nan, -np.inf])


@pytest.mark.parametrize("name", [*CONTINUOUS, *DISCRETE])
def test_tails_and_bounds(name):
    _, shapes, _ = {**CONTINUOUS, **DISCRETE}[name]
    ours, theirs = getattr(stats, name), getattr(scipy_stats, name)
    for method in METHODS if name in CONTINUOUS else ("logpmf", "pmf", "cdf", "sf"):
        with np.errstate(all="ignore"):
            found, expected = getattr(ours, method)(FAR, *shapes), getattr(theirs, method)(FAR, *shapes)
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-300, err_msg=method)
    assert (float(ours.cdf(np.inf, *shapes)), float(ours.sf(np.inf, *shapes))) == (1, 0)


def test_tails_where_ours_go_further():
    assert float(stats.laplace.logpdf(1e10)) == pytest.approx(-1e10 - np.log(2), rel=1e-15)
    assert float(stats.pareto.logsf(1e300, 2.7)) == pytest.approx(-2.7 * np.log(1e300), rel=1e-14)
    assert float(stats.gamma.logpdf(np.inf, 2.5)) == -np.inf


def test_vectors():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(3, 3))
    cov, mean, x = a @ a.T + np.eye(3), rng.normal(size=3), rng.normal(size=(5, 3))
    ours, theirs = stats.multivariate_normal.logpdf, scipy_stats.multivariate_normal.logpdf
    np.testing.assert_allclose(ours(x, mean, cov), theirs(x, mean, cov), rtol=1e-12)
    np.testing.assert_allclose(ours(x[0], mean, 2.0), theirs(x[0], mean, 2.0), rtol=1e-12)
    np.testing.assert_allclose(ours(x, mean, np.diag(cov)), theirs(x, mean, np.diag(cov)), rtol=1e-12)
    np.testing.assert_allclose(ours(x[0]), theirs(x[0]), rtol=1e-12)
    np.testing.assert_allclose(ours(0.5, 0.2, 2.0), theirs(0.5, 0.2, 2.0), rtol=1e-12)
    np.testing.assert_allclose(stats.multivariate_normal.pdf(x, mean), scipy_stats.multivariate_normal.pdf(x, mean))
    mg.gradcheck(lambda x, m, c: ours(x, m, (c + c.T) / 2), (x, mean, cov))
    p, alpha = np.array([0.2, 0.5, 0.3]), np.array([1.5, 2.0, 0.7])
    np.testing.assert_allclose(stats.dirichlet.logpdf(p, alpha), scipy_stats.dirichlet.logpdf(p, alpha), rtol=1e-12)
    np.testing.assert_allclose(stats.dirichlet.pdf(p, alpha), scipy_stats.dirichlet.pdf(p, alpha), rtol=1e-12)
    mg.gradcheck(stats.dirichlet.logpdf, (p, alpha))


@pytest.mark.parametrize("name", ["norm", "gamma", "beta", "poisson", "binom"])
def test_parameters_outside_of_their_domains_give_nan(name):
    points, shapes, _ = {**CONTINUOUS, **DISCRETE}[name]
    ours = getattr(stats, name)
    density = ours.logpdf if name in CONTINUOUS else ours.logpmf
    for i in range(len(shapes)):
        assert np.all(np.isnan(density(points, *shapes[:i], -1.0, *shapes[i + 1 :])))
        assert np.all(np.isnan(density(points, *shapes[:i], np.array([-1.0, -2.0])[:, None], *shapes[i + 1 :])))
    if name in CONTINUOUS:
        assert np.all(np.isnan(ours.cdf(points, *shapes, scale=-1.0)))


def test_single_precision_stays():
    x = np.array([0.5, 1.5], np.float32)
    assert stats.norm.logpdf(x, 0.1, 2.0).dtype == stats.gamma.cdf(x, 2.5).dtype == np.float32


def test_second_derivatives_and_maps():
    x = np.array([0.5, 1.5])
    f = lambda a: mg.sum(stats.gamma.logpdf(x, a, scale=2.0))  # noqa: E731
    mg.gradgradcheck(f, 2.5)
    np.testing.assert_allclose(mg.vmap(f)(np.array([2.5, 3.0])), [f(2.5), f(3.0)], rtol=1e-12)
    np.testing.assert_allclose(mg.jit(f)(2.5), f(2.5))


@pytest.mark.parametrize("call", [
    lambda: stats.gamma.logpdf(1.0), lambda: stats.norm.logpdf(1.0, 0.0, 1.0, 2.0),
    lambda: stats.norm.pdf(1.0, sigma=2.0), lambda: stats.norm.cdf(1.0, 0.0, loc=1.0),
    lambda: stats.poisson.pmf(1, 2.0, scale=3.0),
])  # fmt: skip
def test_wrong_parameters_are_named(call):
    with pytest.raises(TypeError, match="takes the parameters"):
        call()


def test_students_distribution_is_smooth_at_its_middle_and_normal_in_the_limit():
    slope = mg.grad(lambda x: stats.t.cdf(x, 3.0))
    for x in (0.0, 1e-9, -1e-6):
        assert slope(x) == pytest.approx(scipy_stats.t.pdf(x, 3.0), rel=1e-13)
    assert mg.grad(slope)(0.0) == 0
    assert np.isfinite(mg.grad(lambda m: stats.t.logcdf(np.array([0.0, 1.0, 2.0]), 4.0, m, 1.0).sum())(1.0))
    assert stats.t.cdf(-1e-9, 3.0) - 0.5 == pytest.approx(-3.6755259946730234e-10)
    for df in (0.5, 3.0, 59.0, 61.0, 1e5, 1e10, 1e14, 1e16, np.inf):
        assert stats.t.logpdf(1.0, df) == pytest.approx(scipy_stats.t.logpdf(1.0, df), rel=1e-11)
        assert np.isfinite(mg.grad(lambda d: stats.t.logpdf(1.3, d))(df))
    np.testing.assert_allclose(stats.t.logpdf(1.0, 1e16), -0.5 - np.log(2 * np.pi) / 2, rtol=1e-15)
    assert mg.gradcheck(lambda df: stats.t.logpdf(np.array([0.3, 2.0]), df), np.array([50.0, 70.0]))


def test_geometric_probabilities_at_certainty():
    assert mg.grad(lambda p: stats.geom.cdf(1.0, p))(1.0) == 1
    assert mg.grad(lambda p: stats.geom.cdf(2.0, p))(1.0) == 0
    assert stats.geom.cdf(3.0, 1e-12) == pytest.approx(3e-12, rel=1e-11)
