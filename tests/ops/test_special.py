"""Special functions to their last digits, at their ends and kinks, with and without SciPy."""

import math
import subprocess
import sys

import numpy as np
import pytest
import scipy.special as sp

import minigrad as mg
from minigrad import errors, special
from minigrad.ops.special import erf
from tests.op_table import A
from tests.rows import each

NAN, INF = np.nan, np.inf

TINY = np.array([5e-324, 1e-320, 2.2250738585072014e-308, 1e-300, 1e-30, 1e-8, 3.7252902984e-09])
BORDERS = np.array([0.84375, 1.25, 1 / 0.35, 6.0])


def grid():
    """All intervals densely, their borders and both neighbours of each, and numbers of all magnitudes."""
    rng = np.random.default_rng(0)
    magnitudes = 10.0 ** rng.uniform(-308, 1, 20_000)
    near = np.concatenate([BORDERS, np.nextafter(BORDERS, 0), np.nextafter(BORDERS, 9)])
    x = np.concatenate([np.linspace(0, 7, 40_001), magnitudes, TINY, near])
    return np.concatenate([x, -x])


def ulps(value, exact, dtype):
    """By how many units in the last place of the exact value, rounded to the dtype, another is away."""
    return np.abs(value.astype(float) - exact) / np.spacing(np.abs(exact).astype(dtype)).astype(float)


def test_doubles_are_within_two_units_of_the_last_place():
    x = grid()
    exact = np.array([math.erf(v) for v in x])
    assert erf(x).dtype == np.float64
    assert ulps(erf(x), exact, np.float64).max() <= 2


def test_singles_are_within_two_units_of_the_last_place():
    x = np.concatenate([grid(), np.linspace(-4.2, 4.2, 20_001)]).astype(np.float32)
    exact = np.array([math.erf(v) for v in x.astype(float)])
    assert erf(x).dtype == np.float32
    # Below its smallest normal number the exact value of a single is not a single.
    assert ulps(erf(x), exact, np.float32).max() <= 2


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_the_ends(dtype):
    x = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 30, -30], dtype)
    y = erf(x)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, np.array([1, -1, np.nan, 0, 0, 1, -1], dtype))
    np.testing.assert_array_equal(np.signbit(y[3:5]), [False, True])


def test_it_is_odd_and_never_beyond_one():
    x = np.linspace(0, 7, 10_001)
    for dtype in (np.float64, np.float32):
        np.testing.assert_array_equal(erf(x.astype(dtype)), -erf(-x.astype(dtype)))
        assert erf(x.astype(dtype)).max() == 1


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_it_rises(dtype):
    x = np.linspace(-7, 7, 20_001).astype(dtype)
    assert (np.diff(erf(x)) >= -np.spacing(dtype(1))).all()


def test_other_kinds_of_numbers():
    assert erf(np.array([0, 1, 100])).tolist() == [0.0, math.erf(1), 1.0]
    assert erf(0.5) == math.erf(0.5)
    assert erf(np.float32(0.5)).dtype == np.float32
    assert erf(np.zeros((0, 3))).shape == (0, 3)
    assert isinstance(erf(np.array(0.5)), float)


def test_the_gradient_vanishes_far_out_without_a_warning():
    x = mg.tensor([-1e200, -30.0, 0.0, 30.0, np.inf], requires_grad=True)
    erf(x).sum().backward()
    np.testing.assert_allclose(x.grad, [0, 0, 2 / math.sqrt(math.pi), 0, 0])


def relative(value, exact):
    """The largest relative error, where the exact value is finite and not 0; the rest must be equal."""
    plain = np.isfinite(exact) & (exact != 0)
    np.testing.assert_array_equal(value[~plain], exact[~plain])
    return np.max(np.abs(value[plain] / exact[plain] - 1))


# The relatives of the error function


def test_erfc_is_accurate_in_its_tail():
    x = np.concatenate([np.linspace(-7, 26.5, 40_001), BORDERS, -BORDERS, [0.25, -0.25, 1e-300]])
    exact = np.array([math.erfc(v) for v in x])
    assert ulps(special.erfc(x), exact, np.float64).max() <= 6
    assert ulps(special.erfc(x.astype(np.float32)), sp.erfc(x.astype(np.float32).astype(float)), np.float32).max() <= 1


def test_erfcx_is_accurate_everywhere():
    x = np.concatenate([np.linspace(-26, 60, 20_001), 10.0 ** np.linspace(0, 300, 301), [INF, -INF, NAN, -30]])
    assert relative(special.erfcx(x), sp.erfcx(x)) < 1e-13


def test_derivatives_of_erfcx_do_not_cancel():
    x = A(1e3, 1e6, 1e9)
    first, second, third = derivatives(special.erfcx, x, 3)
    series = [1 - 1 / (2 * x**2), -1 + 3 / (2 * x**2), 2 - 6 / x**2, -6 + 30 / x**2]
    for value, power, terms in zip((first, second, third), (2, 3, 4), series[1:], strict=True):
        np.testing.assert_allclose(value, terms / (math.sqrt(math.pi) * x**power), rtol=1e-10)


def test_normal_probabilities_are_accurate_at_both_ends():
    x = np.concatenate([np.linspace(-37, 37, 20_001), [INF, -INF, NAN]])
    assert relative(special.ndtr(x), sp.ndtr(x)) < 1e-13
    x = np.concatenate([np.linspace(-100, 37, 20_001), -(10.0 ** np.linspace(2, 150, 149)), [INF, -INF, NAN]])
    assert relative(special.log_ndtr(x), sp.log_ndtr(x)) < 1e-13


def test_derivatives_of_log_ndtr_are_accurate_in_the_far_tail():
    x = A(-1e100, -1e8, -1e4, -40, 40, 1e8)
    first, second, third = derivatives(special.log_ndtr, x, 3)
    np.testing.assert_allclose(first, [1e100, 1e8, 1e4 + 1e-4, 40 + 0.0249690, 0, 0], rtol=1e-8, atol=1e-300)
    np.testing.assert_allclose(second[:3], [-1, -1, -1 + 1e-8], rtol=1e-13)
    np.testing.assert_allclose(second[4:], 0, atol=1e-300)
    assert np.isfinite(third).all()


def test_quantiles_are_accurate_and_invert():
    p = np.concatenate([np.linspace(0, 1, 20_001), 10.0 ** np.linspace(-300, -1, 300), [-0.1, 1.1, NAN]])
    assert relative(special.ndtri(p), sp.ndtri(p)) < 3e-15
    x = np.concatenate([2 * np.linspace(0, 1, 20_001) - 1, 10.0 ** np.linspace(-300, -1, 300), [-1.1, 1.1, NAN]])
    assert relative(special.erfinv(x), sp.erfinv(x)) < 3e-15
    inside = np.linspace(-5, 5, 101)
    np.testing.assert_allclose(special.ndtri(special.ndtr(inside)), inside, rtol=1e-8)
    np.testing.assert_allclose(special.erfinv(special.erf(inside / 2)), inside / 2, rtol=1e-10, atol=1e-15)


# Values at the ends are SciPy's, without a warning

ENDS = np.array([-INF, -1000, -3, -2.5, -1, -0.5, -1e-30, -0.0, 0, 1e-30, 0.5, 1, 1.5, 2, 1000, INF, NAN])
ONE = [
    "digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "expit", "gamma", "gammaln", "i0", "i0e", "i1", "i1e",
    "log_expit", "log_ndtr", "logit", "ndtr", "ndtri", "psi", "softplus",
]  # fmt: skip
TWO = ["beta", "betaln", "gammainc", "gammaincc", "rel_entr", "xlog1py", "xlogy"]


@each("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ONE + TWO)
def test_ends(name, dtype):
    x = ENDS.astype(dtype)
    operands = [x] if name in ONE else np.meshgrid(x, x)
    value = getattr(special, name)(*operands)
    with np.errstate(all="ignore"):
        expected = getattr(sp, name)(*operands)
    assert value.dtype == dtype
    np.testing.assert_allclose(value, expected, rtol=1e-13 if dtype == np.float64 else 1e-5)


def test_divergences_at_their_ends():
    x, y = np.meshgrid(*[A(-1, 0, 1e-100, 0.5, 2, 1e100, NAN)] * 2)
    np.testing.assert_allclose(special.kl_div(x, y), sp.kl_div(x, y), rtol=1e-13)
    near = A(1 + 1e-12, 1 - 1e-9, 2e-30, 3e200)
    np.testing.assert_allclose(special.rel_entr(near, A(1, 1, 1e30, 1e-200)), sp.rel_entr(near, A(1, 1, 1e30, 1e-200)))
    np.testing.assert_allclose(special.rel_entr(near[:1], 1.0), near[:1] * np.log1p(near[:1] - 1), rtol=1e-15)


def test_logit_is_accurate_in_the_middle_and_inverts():
    x = np.array([0.5 + 1e-12, 0.5 - 2e-10, 0.25, 0.75, 1e-300, 1 - 1e-16])
    expected = [4 * (x[0] - 0.5), 4 * (x[1] - 0.5), -math.log(3), math.log(3), math.log(1e-300), -math.log(2**-53)]
    np.testing.assert_allclose(special.logit(x), expected, rtol=1e-14)
    y = np.linspace(-30, 30, 101)
    np.testing.assert_allclose(special.logit(special.expit(y)), y, rtol=1e-2, atol=1e-12)


# Derivatives


def derivatives(function, x, count):
    """The first so many derivatives of an elementwise function."""
    leaf = mg.tensor(x, requires_grad=True)
    found, y = [], function(leaf)
    for order in range(count):
        (y,) = mg.autograd.grad(y.sum(), leaf, create_graph=order < count - 1)
        found.append(y.detach().numpy())
    return found


KINKS = {  # function, operands, their gradients
    "xlogy": (special.xlogy, [A(0, 0, 0, 2), A(0, -1, 2, 2)], [A(0, 0, math.log(2), math.log(2)), A(0, 0, 0, 1)]),
    "xlog1py": (
        special.xlog1py, [A(0, 0, 0, 2), A(-1, -2, 1, 1)], [A(0, 0, math.log(2), math.log(2)), A(0, 0, 0, 1)],
    ),
    "xlogy at infinite slope": (special.xlogy, [A(1), A(0)], [A(-INF), A(INF)]),
    "entr": (special.entr, [A(0, 1, math.exp(-1))], [A(INF, -1, 0)]),
    "rel_entr": (special.rel_entr, [A(0, 0, 2), A(0, 1, 2)], [A(0, -INF, 1), A(0, 0, -1)]),
    "kl_div": (special.kl_div, [A(0, 0, 2), A(0, 1, 2)], [A(-1, -INF, 0), A(1, 1, 0)]),
    "logit": (special.logit, [A(0, 0.5, 1)], [A(INF, 4, INF)]),
    "erfinv": (special.erfinv, [A(-1, 0, 1)], [A(INF, math.sqrt(math.pi) / 2, INF)]),
    "ndtri": (special.ndtri, [A(0, 0.5, 1)], [A(INF, math.sqrt(2 * math.pi), INF)]),
    "i0e": (special.i0e, [A(0)], [A(0)]),
    "i1, i1e and i0": (lambda x: special.i1(x) + special.i1e(x) + special.i0(x), [A(0)], [A(1)]),
    "expit": (special.expit, [A(-INF, -1e300, 0, 1e300, INF)], [A(0, 0, 0.25, 0, 0)]),
    "softplus": (special.softplus, [A(-INF, -1e300, 0, 1e300, INF)], [A(0, 0, 0.5, 1, 1)]),
    "log_ndtr": (special.log_ndtr, [A(-INF, -1e300, 0, INF)], [A(INF, 1e300, math.sqrt(2 / math.pi), 0)]),
    "log_expit": (special.log_expit, [A(-INF, -1e300, 0, 1e300, INF)], [A(1, 1, 0.5, 0, 0)]),
    "betainc": (lambda x: special.betainc(2.0, 2.0, x), [A(0, 0.5, 1)], [A(0, 1.5, 0)]),
    "betainc of 1": (lambda x: special.betainc(1.0, 2.0, x), [A(0, 1)], [A(2, 0)]),
    "gammainc": (lambda x: special.gammainc(1.0, x), [A(0, INF)], [A(1, 0)]),
    "gammainc, infinite at 0": (lambda x: special.gammainc(0.5, x), [A(0)], [A(INF)]),
    "logsumexp with a factor 0": (lambda b: special.logsumexp(A(0, 0), b=b), [A(0, 2)], [A(0.5, 0.5)]),
    "logsumexp of -inf": (lambda a: special.logsumexp(a, b=A(1, 2)), [A(-INF, 0)], [A(0, 1)]),
}  # fmt: skip


@pytest.mark.parametrize("kink", KINKS)
def test_kink(kink):
    function, operands, expected = KINKS[kink]
    leaves = [mg.tensor(x, requires_grad=True) for x in operands]
    y = function(*leaves)
    y.backward(np.ones(y.shape))
    for leaf, gradient in zip(leaves, expected, strict=True):
        np.testing.assert_allclose(leaf.grad.numpy(), gradient, rtol=1e-14, atol=1e-15)


# By mpmath 1.3, with 120 digits: the first three derivatives of functions scaled by exp(-abs(x)) and not scaled.
BESSEL = [
    (special.i0e, 1e10, (-1.994711402081965e-16, 2.9920671031977495e-26, -7.480167758181377e-36)),
    (special.i0e, -2e4, (7.052502032479421e-08, 5.289442646525438e-12, 6.611885963964001e-16)),
    (special.i0e, 5e3, (-5.642319057027533e-07, 1.692780377295348e-10, -8.464325250939089e-14)),
    (special.i0e, -30.0, (0.0012296158835897392, 6.202074722455996e-05, 5.214622571783319e-06)),
    (special.i1e, 1e10, (-1.9947114017827584e-16, 2.992067102449733e-26, -7.480167755563319e-36)),
    (special.i1e, -2e4, (-7.051973088214769e-08, -5.288781457929042e-12, -6.610728869454999e-16)),
    (special.i1e, 5e3, (-5.640626276650239e-07, 1.691933944770254e-10, -8.458399926863827e-14)),
    (special.i1e, -30.0, (-0.0011675951363651794, -5.680612465277664e-05, -4.600706375131675e-06)),
    (special.i0, -30.0, (-768532038938.957, 756054563192.679, -744184144653.5776)),
    (special.i1, -30.0, (756054563192.679, -744184144653.5776, 732871617989.9183)),
    # At 0 by the power series (DLMF 10.25.2), of the scaled ones times 1 - abs(x) + x**2 / 2.
    (special.i0, 1e-310, (0, 0.5, 0)),
    (special.i1, 1e-310, (0.5, 0, 0.375)),
    (special.i0e, 1e-310, (-1, 1.5, -2.5)),
    (special.i1e, -1e-310, (0.5, 1, 1.875)),
    (special.i0e, INF, (0, 0, 0)),
    (special.i1e, -INF, (0, 0, 0)),
]


@pytest.mark.parametrize(("function", "x", "expected"), BESSEL)
def test_derivatives_of_bessel_functions_of_tiny_and_huge_numbers(function, x, expected):
    np.testing.assert_allclose(derivatives(function, x, 3), expected, rtol=1e-11, atol=1e-300)


SINGULAR = {  # function, a number where it is singular, one where it is not
    "xlogy": (lambda x: special.xlogy(x, x), 0.0, 0.5),
    "entr": (special.entr, 0.0, 0.5),
    "entr outside": (special.entr, -1.0, 0.5),
    "rel_entr": (lambda x: special.rel_entr(x, 2.0), 0.0, 0.5),
    "rel_entr by y": (lambda y: special.rel_entr(2.0, y), 0.0, 0.5),
    "logit": (special.logit, 1.0, 0.25),
    "logit outside": (special.logit, 2.0, 0.25),
    "erfinv": (special.erfinv, 1.0, 0.5),
    "erfinv outside": (special.erfinv, 2.0, 0.5),
    "ndtri": (special.ndtri, 0.0, 0.5),
    "erfcx": (special.erfcx, -40.0, 0.5),
    "gamma": (special.gamma, 200.0, 0.5),
    "gamma at a pole": (special.gamma, 0.0, 0.5),
    "gammaln at a pole": (special.gammaln, 0.0, 0.5),
    "digamma at a pole": (special.digamma, -1.0, 0.5),
    "i0": (special.i0, 1000.0, 0.5),
    "gammainc": (lambda x: special.gammainc(0.5, x), 0.0, 0.5),
    "betainc": (lambda x: special.betainc(0.5, 0.5, x), 1.0, 0.5),
}


@pytest.mark.parametrize("name", SINGULAR)
def test_masked_elements_have_no_nan(name):
    function, bad, good = SINGULAR[name]
    x = mg.tensor([bad, good], requires_grad=True)
    with np.errstate(all="ignore"):
        y = mg.where(np.array([False, True]), function(x), 0.0)
    (first,) = mg.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = mg.autograd.grad(first.sum(), x)
    expected = derivatives(function, A(good), 2)
    np.testing.assert_allclose(first.detach().numpy(), [0, expected[0].item()])
    np.testing.assert_allclose(second.numpy(), [0, expected[1].item()])


P = math.pi
HIGHER = {  # function, where, its first derivatives there
    "erf": (special.erf, 0, A(2, 0, -4, 0, 24) / math.sqrt(P)),
    "erfc": (special.erfc, 0, A(-2, 0, 4, 0, -24) / math.sqrt(P)),
    "erfcx": (special.erfcx, 0, A(-2 / math.sqrt(P), 2, -8 / math.sqrt(P), 12)),
    "erfinv": (special.erfinv, 0, A(math.sqrt(P) / 2, 0, P**1.5 / 4)),
    "ndtri": (special.ndtri, 0.5, A(math.sqrt(2 * P), 0, (2 * P) ** 1.5)),
    "gammaln": (special.gammaln, 1, A(-np.euler_gamma, P**2 / 6, -2 * sp.zeta(3), P**4 / 15)),
    "gamma": (special.gamma, 1, A(-np.euler_gamma, np.euler_gamma**2 + P**2 / 6)),
    "digamma": (special.digamma, 1, A(P**2 / 6, -2 * sp.zeta(3), P**4 / 15)),
    "polygamma": (lambda x: special.polygamma(2, x), 1, A(P**4 / 15, -24 * sp.zeta(5))),
    "betaln": (lambda x: special.betaln(x, 1.0), 2, A(-1 / 2, 1 / 4, -1 / 4)),  # betaln(x, 1) is -log(x)
    "gammainc": (lambda x: special.gammainc(1.0, x), 0.5, A(1, -1, 1, -1) * math.exp(-0.5)),
    "gammaincc": (lambda x: special.gammaincc(1.0, x), 0.5, A(-1, 1, -1, 1) * math.exp(-0.5)),
    "betainc": (lambda x: special.betainc(2.0, 1.0, x), 0.5, A(1, 2, 0, 0)),  # which is x**2
    "i0": (special.i0, 0, A(0, 1 / 2, 0, 3 / 8, 0, 5 / 16)),
    "i1": (special.i1, 0, A(1 / 2, 0, 3 / 8, 0, 5 / 16)),
    "sinc": (special.sinc, 0, A(0, -(P**2) / 3, 0, P**4 / 5)),
    "expit": (special.expit, 0, A(1 / 4, 0, -1 / 8)),
    "logit": (special.logit, 0.5, A(4, 0, 32)),
    "entr": (special.entr, 1, A(-1, -1, 1, -2)),
    "xlogy": (lambda x: special.xlogy(x, x), 1, A(1, 1, -1, 2)),
    "kl_div": (lambda x: special.kl_div(x, 1.0), 1, A(0, 1, -1, 2)),
    "softplus": (special.softplus, 0, A(1 / 2, 1 / 4, 0, -1 / 8)),
    "log_expit": (special.log_expit, 0, A(1 / 2, -1 / 4, 0, 1 / 8)),
}


@pytest.mark.parametrize("name", HIGHER)
def test_derivatives_of_every_order(name):
    function, where, expected = HIGHER[name]
    found = np.ravel(derivatives(function, A(where), len(expected)))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


REFUSED = {
    "polygamma by n": (lambda t: special.polygamma(mg.floor(t), 2.0), "polygamma has no derivative by n"),
    "gammainc by a": (lambda t: special.gammainc(t, 2.0), "gammainc has no derivative by a"),
    "gammaincc by a": (lambda t: special.gammaincc(t, 2.0), "gammaincc has no derivative by a"),
    "betainc by a": (lambda t: special.betainc(t, 2.0, 0.5), "betainc has no derivative by a"),
    "betainc by b": (lambda t: special.betainc(2.0, t, 0.5), "betainc has no derivative by b"),
    "stdtr by df": (lambda t: special.stdtr(t, 0.5), "stdtr has no derivative by df"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_derivative_says_so(name):
    function, words = REFUSED[name]
    t = mg.tensor([1.0, 3.0], requires_grad=True)
    with pytest.raises(errors.UnsupportedError, match=words):
        function(t).sum().backward()
    assert t.grad is None
    assert not function(t.detach()).requires_grad


def test_an_operand_without_a_derivative_does_not_hinder_the_others():
    a, x = A(1, 3), mg.tensor([0.5, 2.0], requires_grad=True)
    special.gammainc(mg.tensor(a), x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), x.detach().numpy() ** (a - 1) * np.exp(-x.detach().numpy()) / A(1, 2))


@pytest.mark.parametrize("n", [-1, 0.5, A(1, -2)], ids=str)
def test_orders_of_derivatives_are_whole_numbers(n):
    with pytest.raises(errors.ArgumentError, match="polygamma: the order"):
        special.polygamma(n, A(1, 2))


# Sums over axes, with SciPy's arguments


def test_the_default_axis_is_scipys():
    x = A([1, 2, 3], [4, 5, 7])
    for name in ("logsumexp", "softmax", "log_softmax"):
        np.testing.assert_allclose(getattr(special, name)(x), getattr(sp, name)(x))


def test_logsumexp_with_factors_that_remove_what_is_infinite():
    assert special.logsumexp(A(INF, 1), b=A(0, 1)) == 1
    assert special.logsumexp(A(1e308, 1), b=A(0, 1)) == 1
    assert np.isnan(special.logsumexp(A(1, 1), b=A(-2, 1)))
    for b in (A(-2, 1), A(1, -1), A(0, 0), None):
        ours, theirs = (f(A(1, 1), b=b, return_sign=True) for f in (special.logsumexp, sp.logsumexp))
        np.testing.assert_allclose(ours, theirs)


# Dtypes


ALONE = [name for name in special.__all__ if name not in {"polygamma", "betainc"}]


@pytest.mark.parametrize("name", ALONE)
def test_dtypes(name):
    function = getattr(special, name)
    operands = 2 if name in (*TWO, "kl_div", "stdtr") else 1
    for dtype in (np.float16, np.float32, np.float64):
        assert function(*[np.array([0.5, 0.75], dtype)] * operands).dtype == dtype
        assert function(*[dtype(0.5)] * operands).dtype == dtype
    for whole in (np.array([0, 1]), np.array([0, 1], np.uint8), np.array([False, True])):
        value = function(*[whole] * operands)
        assert value.dtype == np.float64
        np.testing.assert_array_equal(value, function(*[whole.astype(float)] * operands))


@pytest.mark.parametrize("name", [*TWO, "kl_div"])
def test_python_numbers_have_a_weak_dtype(name):
    x = mg.tensor([0.5, 0.75], dtype=np.float32, requires_grad=True)
    left, right = getattr(special, name)(x.detach(), 2.0), getattr(special, name)(2, x)
    right.sum().backward()
    assert left.dtype == right.dtype == x.grad.dtype == np.float32


IN_THE_PLANE = {"expit", "log_softmax", "logsumexp", "sinc", "softmax"}


@each("name", [name for name in special.__all__ if name not in IN_THE_PLANE | {"polygamma"}])
def test_complex_numbers_are_refused(name):
    operands = 2 if name in (*TWO, "kl_div", "stdtr") else 3 if name == "betainc" else 1
    with pytest.raises(errors.DTypeError, match="takes real numbers"):
        getattr(special, name)(*[mg.tensor([0.5 + 1j])] * operands)


# SciPy


def test_scipys_ufuncs_of_tensors_are_ours():
    ufuncs = [name for name in special.__all__ if isinstance(getattr(sp, name), np.ufunc)]
    assert len(ufuncs) > 25
    for name in ufuncs:
        ufunc = getattr(sp, name)
        x = mg.tensor([0.25, 0.5], requires_grad=True)
        operands = [2.0] * (ufunc.nin - 1) + [x]
        y = ufunc(*operands)
        assert y.requires_grad, name
        np.testing.assert_allclose(y.detach().numpy(), ufunc(*operands[:-1], x.detach().numpy()), rtol=1e-13)


def test_other_functions_of_scipy_are_refused():
    x = mg.tensor([0.25, 0.5], requires_grad=True)
    for call in (lambda: sp.jv(1, x), lambda: sp.polygamma(1, x), lambda: sp.logsumexp(x)):
        with pytest.raises(TypeError, match=r"no derivative|cut the graph"):
            call()


NEEDING = ["beta", "betaln", "digamma", "gamma", "gammainc", "gammaincc", "gammaln", "i0e", "i1", "i1e", "psi"]


@pytest.mark.parametrize("name", NEEDING)
def test_without_scipy_the_error_names_the_extra(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(
        errors.MissingPackageError, match=r"SciPy computes, needs the package scipy.*: pip install scipy .*`scipy`"
    ):
        getattr(special, name)(*[A(0.5)] * (2 if name in TWO else 1))
    with pytest.raises(errors.MissingPackageError, match="polygamma"):
        special.polygamma(1, 0.5)
    with pytest.raises(errors.MissingPackageError, match="betainc"):
        special.betainc(1.0, 1.0, mg.tensor([0.5], requires_grad=True))


def test_the_others_need_numpy_alone():
    names = [name for name in special.__all__ if name not in {*NEEDING, "polygamma", "betainc", "stdtr"}]
    assert len(names) > 20
    code = f"""if True:
        import sys
        sys.modules["scipy"] = None
        import numpy as np
        import minigrad as mg
        for name in {names!r}:
            operands = [mg.tensor([0.25, 0.5], requires_grad=True) for _ in range(1 + (name in {[*TWO, "kl_div"]!r}))]
            y = getattr(mg.special, name)(*operands)
            if name != "i0":
                (g,) = mg.autograd.grad((y * y).sum(), operands[:1], create_graph=True)
                mg.autograd.grad(g.sum(), operands[:1])
        """
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_minigrad_does_not_import_scipy():
    code = "import sys, minigrad; assert not any(name.startswith('scipy') for name in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
