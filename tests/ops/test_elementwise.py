"""Elementwise functions beyond the table: what was not selected, powers at 0, the ends of the real line."""

import inspect
import math
import re
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad import special
from minigrad.core import numpy_functions
from tests.rows import each

F = mg.nn.functional
NAN, INF = np.nan, np.inf


def derivatives(function, x, count):
    """The first so many derivatives of an elementwise function."""
    leaf = mg.tensor(x, requires_grad=True)
    found, y = [], function(leaf)
    for order in range(count):
        (y,) = mg.autograd.grad(y, leaf, np.ones(y.shape, y.dtype), create_graph=order < count - 1)
        found.append(y.detach().numpy())
        if not y.requires_grad:  # what follows is 0
            return found + [np.zeros_like(x)] * (count - order - 1)
    return found


# What was not selected has the derivative 0, whatever the function is there


def candidates():
    """All public functions of arrays, by their names, and what stands for NumPy's."""
    for place, module in (("mg", mg), ("special", special), ("functional", F)):
        for name, function in vars(module).items():
            home = getattr(function, "__module__", "")
            if inspect.isfunction(function) and home.startswith(("minigrad.ops", "minigrad.nn.activation")):
                yield f"{place}.{name}", function
    for function in numpy_functions:
        if isinstance(function, np.ufunc) or function.__module__ == "numpy":
            yield f"np.{function.__name__}", function


def is_elementwise(function, numbers):
    """Whether a function makes of numbers what it makes of each, with a derivative."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            together = function(mg.tensor(numbers))
            if together.shape != (len(numbers),) or together.dtype.kind != "f":
                return False
            alone = [function(mg.tensor([x])).item() for x in numbers]
            if together.tolist() != alone:
                return False
            derivatives(function, np.array(numbers), 1)
    except Exception:  # whatever it says of these arguments
        return False
    return True


def elementwise_calls():
    """Calls with one operand, named by how they are written, and a number at which each is defined."""
    for name, function in candidates():
        if any(word in name for word in ("dropout", "gumbel", "quantile", "percentile")):
            continue  # random ones, and those that take no NaN for an argument
        calls = {f"{name}(x)": function}
        for c in (0.6, 2.0):
            calls[f"{name}(x, {c})"] = lambda x, function=function, c=c: function(x, c)
            calls[f"{name}({c}, x)"] = lambda x, function=function, c=c: function(c, x)
        for call, f in calls.items():
            for numbers in ([0.4, 0.7, 0.5], [1.4, 1.7, 1.5]):
                if is_elementwise(f, numbers):
                    yield call, f, numbers[0]
                    break


CALLS = {call: (function, regular) for call, function, regular in elementwise_calls()}


def test_the_walk_finds_the_functions():
    assert len(CALLS) > 250
    expected = {
        "mg.sin(x)", "mg.acosh(x)", "mg.pow(x, 0.6)", "mg.pow(2.0, x)", "np.sin(x)", "np.logaddexp(x, 2.0)",
        "np.fabs(x)", "np.sinc(x)", "special.gammaln(x)", "special.i1e(x)", "special.xlogy(2.0, x)",
        "functional.gelu(x)", "functional.elu(x)", "functional.softsign(x)",
    }  # fmt: skip
    assert expected <= set(CALLS)


@each("call", CALLS, row=lambda call: re.search(r"(\w+)\(", call)[1])
def test_what_is_not_selected_has_the_derivative_0(call):
    function, regular = CALLS[call]
    x = np.array([NAN, INF, -INF, regular])
    selected = np.array([False, False, False, True])
    with np.errstate(all="ignore"):
        first, second = derivatives(lambda x: mg.where(selected, function(x), 0.0), x, 2)
        alone = derivatives(function, x[3:], 2)
    np.testing.assert_array_equal(first[:3], 0)
    np.testing.assert_array_equal(second[:3], 0)
    np.testing.assert_allclose([first[3:], second[3:]], alone, rtol=1e-14)


@each("size", [1, 4, 10_000])  # NaN is looked for in different ways
@each("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_zeros_stay_zeros_in_arrays_of_any_size_and_dtype(size, dtype):
    x = np.full(size, 2, dtype)
    x[-1] = NAN
    first, second = derivatives(lambda x: mg.where(np.isnan(x), 0.0, np.square(x)), x, 2)
    np.testing.assert_array_equal(first, np.where(np.isnan(x), 0, 4))
    np.testing.assert_array_equal(second, np.where(np.isnan(x), 0, 2))


POWERS = [lambda x: x**2, np.square, lambda x: x**3, lambda x: x**2.5, lambda x: x ** np.int8(2)]


@each("power", POWERS)
@pytest.mark.parametrize("reduction", [np.nansum, np.nanmean, np.nanvar, np.nanmax])
def test_numbers_that_are_missing_stay_without_gradient_in_powers(power, reduction):
    x = mg.tensor([1.0, NAN, 3.0], requires_grad=True)
    reduction(power(x)).backward()
    present = mg.tensor([1.0, 3.0], requires_grad=True)
    reduction(power(present)).backward()
    np.testing.assert_allclose(x.grad[[0, 2]], present.grad)
    assert x.grad[1] == 0


@pytest.mark.parametrize("function", [mg.softmax, mg.log_softmax, lambda x: mg.softmax(x.T, axis=0).T])
def test_rows_that_are_not_selected_have_the_derivative_0(function):
    x = np.array([[NAN, 1.0], [INF, 1.0], [1.0, 2.0]])
    selected = np.array([[False], [False], [True]])
    with np.errstate(all="ignore"):
        found = derivatives(lambda x: mg.where(selected, function(x), 0.0)[:, 0], x, 2)
        alone = derivatives(lambda x: function(x)[:, 0], x[2:], 2)
    for derivative, expected in zip(found, alone, strict=True):
        np.testing.assert_array_equal(derivative[:2], 0)
        np.testing.assert_allclose(derivative[2:], expected, rtol=1e-14)


# Powers


def slopes_of_power(x, n, count):
    """The first so many derivatives of ``x**n``: falling factorials of n times lower powers, the end of which is 0."""
    factors = [math.prod(n - j for j in range(k)) for k in range(1, count + 1)]
    return [factor * float(x) ** (n - k) if factor else 0.0 for k, factor in enumerate(factors, 1)]


EXPONENTS = {
    "int": int, "float": float, "int64": np.int64, "int8": np.int8, "uint8": np.uint8, "float32": np.float32,
    "float16": np.float16, "longdouble": np.longdouble, "0-d": np.array, "0-d float": lambda n: np.array(float(n)),
    "array": lambda n: np.array([n]), "array of uint8": lambda n: np.array([n], np.uint8),
    "array of floats": lambda n: np.array([float(n)]), "Tensor": mg.tensor, "Tensor array": lambda n: mg.tensor([n]),
    "Tensor of a float": lambda n: mg.tensor(float(n)),
    "variable": lambda n: mg.tensor(float(n), requires_grad=True),
    "variable array": lambda n: mg.tensor([float(n)], requires_grad=True),
}  # fmt: skip


@pytest.mark.parametrize("kind", EXPONENTS)
@each("power", [lambda x, n: x**n, np.power, np.float_power, mg.pow])
def test_all_derivatives_of_powers_are_right_also_at_0(kind, power):
    for n in (0, 1, 2, 3, 4):
        exponent = EXPONENTS[kind](n)
        for x in (0.0, -0.0, 3.0, -2.0):
            found = derivatives(lambda x, e=exponent: power(x, e), np.array([x]), 5)
            np.testing.assert_allclose(np.concatenate(found), slopes_of_power(x, n, 5), rtol=1e-6, err_msg=f"{x}**{n}")


def test_exponents_that_are_bools():
    for n in (False, True, np.False_, np.True_, np.array(True), np.array([True])):
        for x in (0.0, 3.0):
            found = derivatives(lambda x, n=n: x**n, np.array([x]), 3)
            np.testing.assert_array_equal(np.concatenate(found), [bool(np.ravel(n)[0]), 0, 0])


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float32, np.float64])
def test_exponents_of_many_sizes_in_one_array(dtype):
    n = np.array([0, 1, 2, 3, 5, -1, -2], dtype)
    for x in (-2.0, 3.0):
        found = derivatives(lambda x: x**n, np.full(7, x), 5)
        expected = np.transpose([slopes_of_power(x, int(k), 5) for k in n])
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    with np.errstate(divide="ignore"):
        found = derivatives(lambda x: x**n, np.zeros(7), 5)
    finite, infinite = np.split(np.array(found), [5], axis=1)
    np.testing.assert_array_equal(finite, np.transpose([slopes_of_power(0.0, int(k), 5) for k in n[:5]]))
    assert np.isinf(infinite).all()


def test_the_least_integer_is_an_exponent_too():
    for n in (np.int8(-128), np.array([-128], np.int8)):
        (slope,) = derivatives(lambda x, n=n: x**n, np.array([1.5]), 1)
        np.testing.assert_allclose(slope, -128 * 1.5**-129.0, rtol=1e-14)


def test_powers_of_complex_numbers_at_0():
    for n in (0, 1, 2, 3, np.int64(2), np.array([2]), 2 + 0j):
        order, factor = int(np.real(np.ravel(n)[0])), 1
        z = mg.tensor([0j], requires_grad=True)
        y = z**n
        for k in range(1, 5):
            factor *= order - k + 1
            (y,) = mg.autograd.grad(mg.real(y).sum(), z, create_graph=True)
            np.testing.assert_array_equal(y.detach().numpy(), [factor if k == order else 0])
            if not y.requires_grad:
                break


BASES = [
    -2.0,
    np.float32(-2),
    np.array([-2.0]),
    np.array(-0.5),
    mg.tensor(-2.0),
    3.0,
    -2 + 0j,
    complex(-2, -0.0),
    1 - 2j,
]


@each("a", BASES)
@each("power", [lambda a, y: a**y, np.power, np.float_power])
def test_complex_exponents_of_any_base(a, power):
    y = 1 + 1j
    value = np.ravel(a)[0].item() if not isinstance(a, mg.Tensor) else a.item()
    logarithm = np.log(value if isinstance(value, complex) else complex(value, 0.0))
    # The gradient of the real part of an analytic function is the conjugate of its derivative.
    found = mg.grad(lambda y: np.real(power(a, y)).sum())(y)
    np.testing.assert_allclose(found, np.conj(np.exp(y * logarithm) * logarithm), rtol=1e-6)
    found = mg.grad(lambda y: np.imag(power(a, y)).sum())(y)
    np.testing.assert_allclose(found, np.conj(-1j * np.exp(y * logarithm) * logarithm), rtol=1e-6)
    if isinstance(value, float):
        found = mg.grad(lambda a: np.real(power(a, y)).sum())(value)
        np.testing.assert_allclose(found, (y * np.exp((y - 1) * logarithm)).real, rtol=1e-6)


def test_a_complex_power_of_0():
    for base in (0.0, 0j):
        assert mg.grad(lambda y, base=base: np.real(base**y))(1 + 1j) == 0
    assert mg.grad(lambda a: np.real(a ** (2 + 1j)))(0.0) == 0


@pytest.mark.parametrize("base", [0.0, np.zeros(4), mg.tensor(0.0), mg.tensor(np.zeros(4), requires_grad=True)])
def test_derivatives_by_the_exponent_at_base_0(base):
    with np.errstate(divide="ignore"):
        first, second = derivatives(lambda y: base**y, np.array([-1.5, 0.0, 1.0, 2.5]), 2)
    np.testing.assert_array_equal(first, [-INF, 0, 0, 0])
    np.testing.assert_array_equal(second, [INF, 0, 0, 0])


# The ends of the real line: where a derivative has a limit it is the limit


ENDS = {  # function: at -inf and inf the value, the first derivative, and the second
    "sigmoid": (mg.sigmoid, (0, 1), (0, 0), (0, 0)),
    "tanh": (mg.tanh, (-1, 1), (0, 0), (0, 0)),
    "atan": (mg.atan, (-math.pi / 2, math.pi / 2), (0, 0), (0, 0)),
    "asinh": (mg.asinh, (-INF, INF), (0, 0), (0, 0)),
    "exp": (mg.exp, (0, INF), (0, INF), (0, INF)),
    "expm1": (mg.expm1, (-1, INF), (0, INF), (0, INF)),
    "logaddexp": (lambda x: np.logaddexp(x, 0.0), (0, INF), (0, 1), (0, 0)),
    "logaddexp2": (lambda x: np.logaddexp2(0.0, x), (0, INF), (0, 1), (0, 0)),
    "erf": (special.erf, (-1, 1), (0, 0), (0, 0)),
    "erfc": (special.erfc, (2, 0), (0, 0), (0, 0)),
    "erfcx": (special.erfcx, (INF, 0), (-INF, 0), (INF, 0)),
    "ndtr": (special.ndtr, (0, 1), (0, 0), (0, 0)),
    "log_ndtr": (special.log_ndtr, (-INF, 0), (INF, 0), (-1, 0)),
    "log_expit": (special.log_expit, (-INF, 0), (1, 0), (0, 0)),
    "special.softplus": (special.softplus, (0, INF), (0, 1), (0, 0)),
    "softplus": (F.softplus, (0, INF), (0, 1), (0, 0)),
    "logsigmoid": (F.logsigmoid, (-INF, 0), (1, 0), (0, 0)),
    "softsign": (F.softsign, (-1, 1), (0, 0), (0, 0)),
    "tanhshrink": (F.tanhshrink, (-INF, INF), (1, 1), (0, 0)),
    "elu": (F.elu, (-1, INF), (0, 1), (0, 0)),
    "silu": (F.silu, (0, INF), (0, 1), (0, 0)),
    "gelu": (F.gelu, (0, INF), (0, 1), (0, 0)),
    "gelu by tanh": (lambda x: F.gelu(x, "tanh"), (0, INF), (0, 1), (0, 0)),
    "mish": (F.mish, (0, INF), (0, 1), (0, 0)),
    "hardswish": (F.hardswish, (0, INF), (0, 1), (0, 0)),
}


@each("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", ENDS)
def test_the_ends(name, dtype):
    function, *expected = ENDS[name]
    x = np.array([-INF, INF], dtype)
    found = [function(mg.tensor(x)).numpy(), *derivatives(function, x, 2)]  # without a warning
    np.testing.assert_allclose(found, expected, rtol=1e-3 if dtype == np.float16 else 1e-6)
    huge = np.array([np.finfo(dtype).min, np.finfo(dtype).max])
    with np.errstate(over="ignore"):
        found = derivatives(function, huge, 1)
    np.testing.assert_allclose(np.where(np.abs(found) > 100, np.copysign(INF, found), found), expected[1:2], atol=2e-3)


@pytest.mark.parametrize("function", [mg.logaddexp, np.logaddexp2, lambda a, b: mg.logsumexp(mg.stack([a, b]), axis=0)])
def test_sums_of_exponentials_at_the_ends_of_both_operands(function):
    a = np.array([INF, INF, INF, -INF, -INF, 0])
    b = np.array([INF, 0, -INF, -INF, 0, INF])
    weights = [0.5, 1, 1, 0, 0, 0]  # equal shares of what is inf, none where the sum is 0
    for x, y, expected in ((a, b, weights), (b, a, [0.5, 0, 0, 0, 1, 1])):
        first, second = derivatives(lambda x, y=y: function(x, mg.tensor(y)), x, 2)
        np.testing.assert_array_equal(first, expected)
        assert np.isfinite(second).all()
        np.testing.assert_array_equal(second[1:], 0)
