"""Derivatives where functions are special: at 0, at infinity, at ties, beside NaN, of results that do not vary.

Each row says what mathematics says; a random graph meets such numbers too seldom.
"""

import numpy as np
import pytest

import minigrad as mg
from tests.rows import each

TYPES = [int, float, np.int8, np.uint8, np.int16, np.int32, np.int64, np.uint64, np.float32, np.float64, np.array]


def slopes(f, x, orders):
    """The value of a function of one number, and its derivatives."""
    found = [f]
    for _ in range(orders):
        found.append(mg.grad(found[-1]))
    return [float(g(x)) for g in found]


# Powers of 0: (x ** n)^(k) at 0 is n! where k = n, and otherwise 0


@each("kind", TYPES)
@each("n", range(5))
def test_whole_powers_of_zero(kind, n):
    expected = [np.prod(np.arange(1, n + 1)) if k == n else 0 for k in range(5)]
    for power in (lambda x: x ** kind(n), lambda x: np.power(x, kind(n)), lambda x: mg.pow(x, kind(n))):
        np.testing.assert_array_equal(slopes(power, 0.0, 4), expected)


@each("kind", TYPES)
def test_a_function_of_a_square_at_zero(kind):
    # exp(-x²) = 1 - x² + x⁴/2 - ...
    np.testing.assert_array_equal(slopes(lambda x: np.exp(-(x ** kind(2))), 0.0, 4), [1, 0, -2, 0, 12])


# Kinks: the finite subgradients of docs/guide/kinks.md

KINKS = [
    ("abs", np.abs, 0.0, 0),
    ("relu", mg.nn.functional.relu, 0.0, 0),
    ("maximum with itself", lambda x: np.maximum(x, x), 1.5, 1),
    ("maximum with a constant", lambda x: np.maximum(x, 1.5), 1.5, 0.5),
    ("minimum with a constant", lambda x: np.minimum(x, 1.5), 1.5, 0.5),
    ("max of two", lambda x: np.max(np.stack([x, 1.5 + 0 * x])), 1.5, 0.5),
    ("max of three", lambda x: np.max(np.stack([x, 3.0 - x, 1.5 + 0 * x])), 1.5, 0.0),
    ("sort", lambda x: np.sort(np.stack([x, 2 * x - 1.5]))[1] + np.sort(np.stack([x, 2 * x - 1.5]))[0], 1.5, 3),
    ("clip at a bound", lambda x: np.clip(x, 0.0, 1.5), 1.5, 1),
    ("norm", lambda x: np.linalg.norm(np.stack([x, 0 * x])), 0.0, 0),
    ("std", lambda x: np.std(np.stack([x, x, x])), 0.7, 0),
    ("sign", lambda x: np.sign(x) * x, 0.0, 0),
    ("floor", lambda x: np.floor(x) * x, 2.0, 2),
]


@pytest.mark.parametrize(("name", "f", "x", "expected"), KINKS, ids=[row[0] for row in KINKS])
def test_kinks(name, f, x, expected):
    assert mg.grad(f)(x) == expected


# Large, small and infinite numbers, where the derivative is finite: limits of the formulas

FAR = [
    ("tanh", np.tanh, [-np.inf, -1e300, 1e300, np.inf], [0, 0, 0, 0]),
    ("arctan", np.arctan, [-np.inf, 1e200, np.inf], [0, 0, 0]),
    ("exp", np.exp, [-np.inf, -1e300], [0, 0]),
    ("log", np.log, [np.inf, 1e300, 1e-300], [0, 1e-300, 1e300]),
    ("log1p", np.log1p, [np.inf, 1e-320], [0, 1]),
    ("sqrt", np.sqrt, [np.inf, 1e300, 1e-300], [0, 0.5e-150, 0.5e150]),
    ("cbrt", np.cbrt, [np.inf, 1e-300], [0, 1e200 / 3]),
    ("sinh", np.sinh, [0.0], [1]),
    ("arcsinh", np.arcsinh, [-np.inf, 1e200, 0.0, np.inf], [0, 1e-200, 1, 0]),
    ("reciprocal", lambda x: 1 / x, [np.inf, 1e100], [0, -1e-200]),
    ("square", np.square, [0.0, 1e-200, 1e200], [0, 2e-200, 2e200]),
    ("sigmoid", mg.sigmoid, [-np.inf, -800.0, 800.0, np.inf], [0, 0, 0, 0]),
    ("logsigmoid", mg.nn.functional.logsigmoid, [-np.inf, -800.0, 800.0, np.inf], [1, 1, 0, 0]),
    ("softplus", mg.nn.functional.softplus, [-np.inf, -800.0, 800.0, np.inf], [0, 0, 1, 1]),
    ("logaddexp with 0", lambda x: np.logaddexp(x, 0.0), [-np.inf, -800.0, 0.0, 800.0, np.inf], [0, 0, 0.5, 1, 1]),
    ("logaddexp with -inf", lambda x: np.logaddexp(x, -np.inf), [0.0, 800.0], [1, 1]),
    ("hypot with 1", lambda x: np.hypot(x, 1.0), [-np.inf, -1e300, 0.0, 1e300, np.inf], [-1, -1, 0, 1, 1]),
    ("hypot of tiny numbers", lambda x: np.hypot(x, 1e-200), [1e-200], [0.5**0.5]),
    ("arctan2 of tiny numbers", lambda x: np.arctan2(x, 1e-200), [1e-200], [0.5e200]),
    ("arctan2 of large numbers", lambda x: np.arctan2(x, 1e200), [1e200], [0.5e-200]),
    ("norm of tiny numbers", lambda x: np.linalg.norm(np.stack([x, x])), [1e-170, 1e-310], [2**0.5, 2**0.5]),
    ("norm of large numbers", lambda x: np.linalg.norm(np.stack([x, x])), [1e170], [2**0.5]),
    ("logsumexp", lambda x: mg.logsumexp(np.stack([x, 0 * x])), [-800.0, 0.0, 800.0], [0, 0.5, 1]),
    ("maximum with inf", lambda x: np.maximum(x, np.inf), [1.0], [0]),
    ("minimum with inf", lambda x: np.minimum(x, np.inf), [1.0], [1]),
    ("erf", mg.special.erf, [-np.inf, 0.0, np.inf], [0, 2 / np.pi**0.5, 0]),
    ("x log x", lambda x: mg.special.xlogy(x, x), [1.0], [1]),
    ("sinc", np.sinc, [0.0], [0]),
    ("prod with a zero", lambda x: np.prod(np.stack([x, x + 2, x + 3])), [0.0], [6]),
    ("cumprod with a zero", lambda x: np.cumprod(np.stack([x, x + 2, x + 3]))[-1], [0.0], [6]),
]


@pytest.mark.parametrize(("name", "f", "points", "expected"), FAR, ids=[row[0] for row in FAR])
def test_far_away(name, f, points, expected):
    with np.errstate(all="ignore"):
        found = [mg.grad(f)(x) for x in points]
    np.testing.assert_allclose(found, expected, rtol=1e-14)


# What is not selected counts for nothing

GUARDED = [
    ("log", lambda x: np.where(x > 0, np.log(x), 0.0), 1.0),
    ("sqrt", lambda x: np.where(x > 0, np.sqrt(x), 0.0), 0.5),
    ("reciprocal", lambda x: np.where(x > 0, 1 / x, 0.0), -1.0),
    ("arccosh", lambda x: np.where(x > 0, np.arccosh(x + 1), 0.0), 1 / 3**0.5),
    ("power", lambda x: np.where(x > 0, x**0.5, 0.0), 0.5),
    ("own power", lambda x: np.where(x > 0, x**x, 0.0), 1.0),
    ("nan", lambda x: np.where(np.isnan(x), 0.0, np.sin(x)), np.cos(1.0)),
    ("division", lambda x: np.where(x > 0, x / x, 0.0), 0.0),
]


@each("other", [0.0, -1.0, np.nan])
@pytest.mark.parametrize(("name", "f", "slope"), GUARDED, ids=[row[0] for row in GUARDED])
def test_the_branch_that_is_not_selected(name, f, slope, other):
    if name == "nan" and not np.isnan(other):
        pytest.skip("it is selected")
    with np.errstate(all="ignore"):
        found = mg.grad(lambda x: f(x).sum())(np.array([other, 1.0]))
    np.testing.assert_allclose(found, [0.0, slope], rtol=1e-15)


# Results that do not depend on the argument, in whole or in part

CONSTANT = {
    "sign": np.sign,
    "floor": np.floor,
    "round": np.round,
    "comparison": lambda x: x > 0.5,
    "isnan": np.isnan,
    "argmax": np.argmax,
    "argsort": np.argsort,
    "count": np.count_nonzero,
    "zeros_like": np.zeros_like,
    "detached": lambda x: x.detach(),
    "an array": lambda x: np.arange(3.0),
    "integers": lambda x: np.arange(3),
    "a number": lambda x: 2.5,
    "a Tensor": lambda x: mg.tensor([1.0, 2.0]),
    "single precision": lambda x: mg.tensor(np.ones(2, np.float32)),
}


@pytest.mark.parametrize("name", CONSTANT)
def test_derivatives_of_what_does_not_vary(name):
    f, x = CONSTANT[name], np.array([0.2, 0.7, -1.5])
    value, tangent = mg.jvp(f, (x,), (np.ones(3),))
    assert np.shape(tangent) == np.shape(value)
    assert np.asarray(tangent).dtype == np.asarray(value).dtype
    assert not np.any(tangent)
    (gradient,) = mg.vjp(f, x)[1](np.zeros_like(value))
    assert gradient.dtype == x.dtype
    np.testing.assert_array_equal(gradient, np.zeros(3))


@pytest.mark.parametrize("name", CONSTANT)
def test_derivatives_of_results_of_which_some_do_not_vary(name):
    f, x = CONSTANT[name], np.array([0.2, 0.7, -1.5])
    value, (first, tangent, last) = mg.jvp(lambda x: (np.sin(x), f(x), {"y": x * x}), (x,), (np.ones(3),))
    np.testing.assert_allclose(first, np.cos(x), rtol=1e-15)
    np.testing.assert_allclose(last["y"], 2 * x, rtol=1e-15)
    assert (np.shape(tangent), np.asarray(tangent).dtype) == (np.shape(value[1]), np.asarray(value[1]).dtype)
    assert not np.any(tangent)


def test_derivatives_by_arguments_that_are_not_used():
    x, y = np.array([0.2, 0.7]), np.float32(2)
    _, tangent = mg.jvp(lambda x, y: y * y, (x, y), (np.ones(2), np.float32(1)))
    assert (tangent, tangent.dtype) == (4, np.float32)
    _, tangent = mg.jvp(lambda x, y: x.sum() * 2, (x, y), (np.zeros(2), np.float32(1)))
    assert tangent == 0
    gx, gy = mg.vjp(lambda x, y: y * y, x, y)[1](np.float32(1))
    assert (gx.dtype, gx.tolist(), gy.dtype, gy) == (np.float64, [0, 0], np.float32, 4)
    a, b = mg.tensor(x, requires_grad=True), mg.tensor(y, requires_grad=True)
    assert mg.autograd.grad((b * b).sum(), [a, b], allow_unused=True)[0] is None
    with pytest.raises(mg.errors.GraphError):
        mg.autograd.grad((b * b).sum(), [a, b])
    np.testing.assert_array_equal(mg.jacobian(lambda x: np.sign(x))(x), np.zeros((2, 2)))
    np.testing.assert_array_equal(mg.hessian(lambda x: x.sum())(x), np.zeros((2, 2)))
    np.testing.assert_array_equal(mg.hvp(lambda x: x.sum(), x, np.ones(2)), np.zeros(2))
