"""Every operation of the table against NumPy, against finite differences, and at its kinks."""

import importlib
import importlib.util
import inspect
import math
import pkgutil

import numpy as np
import pytest

import minigrad as mg
from minigrad import core
from minigrad.core import numpy_functions, primitive, primitives
from minigrad.gradcheck import gradcheck, gradgradcheck
from minigrad.ops import elementwise, indexing
from minigrad.transforms import grad, jvp, vjp
from tests import op_table_nn
from tests.needs import engine_of
from tests.op_table import A
from tests.op_table_numpy import DESCRIBING, ELSEWHERE
from tests.op_tables import TABLE
from tests.rows import each

CASES = [case for row in TABLE for case in row.cases]
DIFFERENTIABLE = [case for case in CASES if case.row.orders and case.floats()]


def over(cases):
    return each("case", cases, row=lambda case: case.row.operation)


def parts(result):
    return list(result) if isinstance(result, (list, tuple)) else [result]


def joined(result):
    """All that an operation returned, in one Tensor."""
    return mg.concat([mg.reshape(x, -1) for x in result]) if isinstance(result, (list, tuple)) else result


def weights(x):
    return np.cos(1 + np.arange(x.size)).reshape(x.shape).astype(x.dtype)


def gradients(function, operands, weigh=weights):
    """The gradients of a weighted sum of all results, one for each floating-point operand."""
    leaves = [
        mg.asarray(x).requires_grad_() if getattr(x, "dtype", None) in (np.float64, np.float32) else x for x in operands
    ]
    result = joined(function(*leaves))
    result.backward(weigh(result))
    return [x.grad.numpy() for x in leaves if isinstance(x, mg.Tensor)]


def assert_same(actual, desired, rtol):
    for a, b in zip(parts(actual), parts(desired), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol, strict=True)


# The table


def import_everything():
    for module in pkgutil.walk_packages(mg.__path__, "minigrad."):
        package = engine_of(module.name)
        is_there = package is None or importlib.util.find_spec(package) is not None
        if not module.name.endswith("__main__") and is_there:
            importlib.import_module(module.name)


NUMBERS = ("minigrad.ops.numbers", "minigrad.program.numbers", "minigrad.random")  # not of arrays: tested by themselves


def has_row(function):
    """What has no derivative and is private is tested by what uses it."""
    made = getattr(function, "primitive", None)
    return (
        made is None
        or made.differentiable
        or not (made.forward.__name__.startswith("_") or function.__module__ in NUMBERS)
    )


def operations():
    """The names of all operations of the package: registered primitives and public functions of arrays."""

    def ours(function, start="minigrad."):  # what people and doctests register is not to be found in a module
        module = getattr(function, "__module__", "")
        return (
            module.startswith(start) and getattr(importlib.import_module(module), function.__name__, None) is function
        )

    import_everything()
    public = [getattr(mg, name) for name in mg.__all__]
    return {name for name, function in primitives.items() if ours(function) and has_row(function)} | {
        function.__name__ for function in public if inspect.isfunction(function) and ours(function, "minigrad.ops.")
    }


LOOPS = {"scan", "branch"}  # which take functions: they have `tests.test_control`


def without_a_row():
    return operations() - {row.name for row in TABLE} - LOOPS


def test_every_operation_has_a_row():
    assert not without_a_row()


def test_a_primitive_without_a_row_is_found(monkeypatch):
    def newcomer(x, /):
        return x

    newcomer.__module__ = "minigrad.ops.elementwise"
    monkeypatch.setattr(elementwise, "newcomer", newcomer, raising=False)
    monkeypatch.setitem(primitives, "newcomer", newcomer)
    assert without_a_row() == {"newcomer"}


def test_a_public_function_without_a_row_is_found(monkeypatch):
    monkeypatch.setattr(mg, "__all__", [*mg.__all__, "normalized"])
    monkeypatch.setattr(mg, "normalized", indexing.normalized, raising=False)
    assert without_a_row() == {"normalized"}


def test_a_primitive_of_somebody_else_needs_no_row(monkeypatch):
    monkeypatch.setitem(primitives, "theirs", None)

    @primitive(lambda g, y, x: g)
    def theirs(x, /):
        return x

    assert primitives["theirs"] is theirs
    assert "theirs" not in operations()


@over(CASES)
def test_value(case):
    for dtype in case.dtypes:
        floats = [np.asarray(x + 0.5j * weights(x)) if dtype == np.complex128 else x for x in case.floats(dtype)]
        operands = case.filled(floats)
        before = [np.copy(x) for x in floats]
        expected = case.reference(*operands)
        rtol = 1e-5 if dtype == np.float32 else 1e-12

        plain = case(*operands)
        assert all(isinstance(x, (np.ndarray, np.generic)) for x in parts(plain))
        assert_same(plain, expected, rtol)

        tensors = [mg.tensor(x) if isinstance(x, np.ndarray) else x for x in operands]
        result = case(*tensors)
        if any(isinstance(x, mg.Tensor) for x in tensors):
            assert all(type(x) is mg.Tensor for x in parts(result))
            assert_same([x.numpy() for x in parts(result)], parts(expected), rtol)
        assert all(np.array_equal(x, y, equal_nan=True) for x, y in zip(floats, before, strict=True))


@over([case for case in CASES if not case.row.orders and case.floats()])
def test_no_gradient(case):
    result = case(*case.filled([mg.tensor(x, requires_grad=True) for x in case.floats()]))
    assert not any(x.requires_grad for x in parts(result))


@over(DIFFERENTIABLE)
def test_gradient_fits_its_leaf(case):
    double = gradients(case, case.filled(case.floats()))
    single = gradients(case, case.filled(case.floats(np.float32)))
    assert [(g.shape, g.dtype) for g in double] == [(x.shape, np.float64) for x in case.floats()]
    assert [(g.shape, g.dtype) for g in single] == [(x.shape, np.float32) for x in case.floats()]
    assert_same(single, [g.astype(np.float32) for g in double], 1e-3)


def awkward(x):
    """The same numbers, with the axes in reverse order in memory, backwards, and with gaps."""
    memory = np.zeros([2 * n for n in x.shape[::-1]])
    view = memory.T[(..., *(slice(None, None, -2) for _ in x.shape))]
    view[...] = x
    return view


@over([case for case in DIFFERENTIABLE if any(x.size > 1 for x in case.floats())])
def test_layout_of_memory_changes_nothing(case):
    views = [awkward(x) for x in case.floats()]
    leaves = [core.name_of(x, core.leaf(x)) for x in views]  # requires_grad_() would copy them
    assert all(leaf.data.strides == x.strides for leaf, x in zip(leaves, views, strict=True) if x.ndim)
    assert_same(joined(case(*case.filled(leaves))).detach().numpy(), joined(case(*case.filled(case.floats()))), 1e-12)
    assert_same(gradients(case, case.filled(views)), gradients(case, case.filled(case.floats())), 1e-12)


@over([case for case in CASES if case.row.spelled and case.floats()])
def test_numpys_own_spelling(case):
    leaves = [mg.tensor(x, requires_grad=True) for x in case.floats()]
    result, ours = case.reference(*case.filled(leaves)), case(*case.filled(case.floats()))
    assert all(type(x) is mg.Tensor for x in parts(result))
    assert_same([x.detach().numpy() for x in parts(result)], parts(ours), 1e-12)
    if case.row.orders:
        operands = case.filled(case.floats())
        assert_same(gradients(case.reference, operands), gradients(case, operands), 1e-12)


# Of how many samples of each row all derivatives of the first and the second order are checked, and of the others
# combinations of them.
FEW, IN_FULL = 3, 1


@over(DIFFERENTIABLE)
def test_first_derivative(case):
    assert gradcheck(lambda *floats: case(*case.filled(floats)), case.floats(), fast=case.number >= FEW)


@pytest.mark.slow
@over([case for case in DIFFERENTIABLE if case.number >= FEW])
def test_all_first_derivatives(case):
    assert gradcheck(lambda *floats: case(*case.filled(floats)), case.floats())


@pytest.fixture
def one_direction(monkeypatch):
    """A check by projections looks in one random direction of each Tensor: there are many samples of each operation."""
    monkeypatch.setattr(importlib.import_module("minigrad.gradcheck.compare"), "_PROJECTIONS", 1)


TWICE = [case for case in DIFFERENTIABLE if case.row.orders > 1]


@pytest.mark.usefixtures("one_direction")
@over(TWICE)
def test_second_derivative(case):
    assert gradgradcheck(lambda *floats: case(*case.filled(floats)), case.floats(), fast=case.number >= IN_FULL)


@pytest.mark.slow
@over([case for case in TWICE if case.number >= IN_FULL])
def test_all_second_derivatives(case):
    assert gradgradcheck(lambda *floats: case(*case.filled(floats)), case.floats())


def in_the_plane(case):
    """The floating-point operands with imaginary parts."""
    return [x + 1j * (0.4 + 0.5 * weights(x) ** 2) for x in case.floats()]


COMPLEX = [case for case in DIFFERENTIABLE if np.complex128 in case.dtypes]


@over(COMPLEX)
def test_first_derivative_by_complex_numbers(case):
    assert gradcheck(lambda *operands: case(*case.filled(operands)), in_the_plane(case), fast=case.number >= FEW)


@pytest.mark.slow
@over([case for case in COMPLEX if case.number >= FEW])
def test_all_first_derivatives_by_complex_numbers(case):
    assert gradcheck(lambda *operands: case(*case.filled(operands)), in_the_plane(case))


@pytest.mark.usefixtures("one_direction")
@over([case for case in TWICE if case in COMPLEX])
def test_second_derivative_by_complex_numbers(case):
    operands = in_the_plane(case)
    assert gradgradcheck(lambda *operands: case(*case.filled(operands)), operands, fast=case.number >= IN_FULL)


@pytest.mark.slow
@over([case for case in TWICE if case in COMPLEX and case.number >= IN_FULL])
def test_all_second_derivatives_by_complex_numbers(case):
    assert gradgradcheck(lambda *operands: case(*case.filled(operands)), in_the_plane(case))


@over(DIFFERENTIABLE)
def test_jvp_and_vjp_agree(case):
    def function(*floats):
        return joined(case(*case.filled(floats)))

    tangents = [np.sin(2 + np.arange(x.size)).reshape(x.shape) for x in case.floats()]
    value, tangent = jvp(function, case.floats(), tangents)
    same_value, pullback = vjp(function, *case.floats())
    np.testing.assert_array_equal(value, same_value)
    forward = np.real(np.sum(tangent * weights(value)))  # the weights are real
    backward = sum(np.sum(g * t) for g, t in zip(pullback(weights(value)), tangents, strict=True))
    np.testing.assert_allclose(forward, backward, rtol=1e-9, atol=1e-9)


# NumPy's functions


@pytest.mark.parametrize("function", DESCRIBING, ids=lambda f: f.__name__)
def test_functions_that_describe_see_the_value(function):
    args = DESCRIBING[function]
    leaf = core.name_of(args[0], core.leaf(args[0]))
    result, expected = function(*(leaf if x is args[0] else x for x in args)), function(*args)
    if isinstance(result, mg.Tensor):
        assert not result.requires_grad
        assert (result.shape, result.dtype) == (expected.shape, expected.dtype)
        assert function is np.empty_like or np.array_equal(result.numpy(), expected)
    else:
        np.testing.assert_equal(result, expected)


def test_every_numpy_function_is_tested():
    assert set(numpy_functions) - {row.numpy for row in TABLE} == set(DESCRIBING) | ELSEWHERE


# Kinks: a finite subgradient, exactly


def ones(x):
    return np.ones(x.shape, x.dtype)


NAN, INF = np.nan, np.inf
KINKS = {
    "abs": (mg.abs, [A(-2, 0, 2)], [A(-1, 0, 1)]),
    "sign, floor, ceil, round, trunc": (
        lambda x: mg.sign(x) + mg.floor(x) + mg.ceil(x) + mg.round(x) + mg.trunc(x), [A(-1, 0, 0.5)], [A(0, 0, 0)],
    ),
    "maximum": (mg.maximum, [A(1, 2, 3), A(3, 2, 1)], [A(0, 0.5, 1), A(1, 0.5, 0)]),
    "minimum": (mg.minimum, [A(1, 2, 3), A(3, 2, 1)], [A(1, 0.5, 0), A(0, 0.5, 1)]),
    "maximum of NaN": (mg.maximum, [A(NAN, 1, NAN), A(1, NAN, NAN)], [A(1, 0, 0.5), A(0, 1, 0.5)]),
    "minimum of NaN": (mg.minimum, [A(NAN, 1, NAN), A(1, NAN, NAN)], [A(1, 0, 0.5), A(0, 1, 0.5)]),
    "maximum of infinities": (mg.maximum, [A(INF, -INF, INF), A(INF, -INF, 0)], [A(0.5, 0.5, 1), A(0.5, 0.5, 0)]),
    "maximum with a number": (lambda x: mg.maximum(x, 0.0), [A(-1, 0, 1)], [A(0, 0.5, 1)]),
    "max": (mg.max, [A(3, 1, 3, 3)], [A(1, 0, 1, 1) / 3]),
    "min": (mg.min, [A(1, 1, 3, 2)], [A(1, 1, 0, 0) / 2]),
    "max along an axis": (lambda x: mg.max(x, axis=0), [A([1, 5], [1, 2])], [A([0.5, 1], [0.5, 0])]),
    "max of NaN": (mg.max, [A(1, NAN, 3)], [A(0, 1, 0)]),
    "max of inf": (mg.max, [A(1, INF, INF)], [A(0, 0.5, 0.5)]),
    "clip": (lambda x: mg.clip(x, -1.0, 1.0), [A(-2, -1, 0, 1, 2)], [A(0, 1, 1, 1, 0)]),
    "clip between Tensors": (mg.clip, [A(-2, -1, 1, 2), A(-1), A(1)], [A(0, 1, 1, 0), A(1), A(1)]),
    "x**0": (lambda x: x**0, [A(-1, 0, 2)], [A(0, 0, 0)]),
    "x**1": (lambda x: x**1, [A(-1, 0, 2)], [A(1, 1, 1)]),
    "x**2": (lambda x: x**2, [A(-1, 0, 2)], [A(-2, 0, 4)]),
    "x**0.0": (lambda x: x**0.0, [A(0)], [A(0)]),
    "x**y at x = 0": (mg.pow, [A(0, 0, 0), A(0, 1, 2)], [A(0, 1, 0), A(0, 0, 0)]),
    "0**y": (lambda y: 0.0**y, [A(0, 1, 2.5)], [A(0, 0, 0)]),
    "sqrt": (mg.sqrt, [A(0, 4)], [A(INF, 0.25)]),
    "cbrt": (mg.cbrt, [A(0, 1)], [A(INF, 1 / 3)]),
    "std of a constant": (mg.std, [A(2, 2, 2)], [A(0, 0, 0)]),
    "std of one number": (mg.std, [A(2)], [A(0)]),
    "var of a constant": (mg.var, [A(2, 2, 2)], [A(0, 0, 0)]),
    "hypot": (mg.hypot, [A(0, 3), A(0, 4)], [A(0, 0.6), A(0, 0.8)]),
    "atan2 at the origin": (mg.atan2, [A(0, 1), A(0, 0)], [A(0, 0), A(0, -1)]),
    "prod, one zero": (mg.prod, [A(2, 0, 3)], [A(0, 6, 0)]),
    "prod, two zeros": (mg.prod, [A(0, 0, 3)], [A(0, 0, 0)]),
    "cumulative_prod, a zero": (mg.cumulative_prod, [A(2, 0, 3)], [A(1, 2 + 6, 0)]),
    "cumulative_prod, two zeros": (mg.cumulative_prod, [A(0, 2, 0, 5)], [A(1 + 2, 0, 0, 0)]),
    "logsumexp of -inf": (mg.logsumexp, [A(-INF, -INF)], [A(0, 0)]),
    "logsumexp with -inf": (mg.logsumexp, [A(-INF, 1, 1)], [A(0, 0.5, 0.5)]),
    "logsumexp of huge numbers": (mg.logsumexp, [A(1e300, 1e300, -1e300)], [A(0.5, 0.5, 0)]),
    "logsumexp of inf": (mg.logsumexp, [A(INF, 1, -INF)], [A(1, 0, 0)]),
    "logsumexp of inf, twice": (mg.logsumexp, [A(INF, 1, INF)], [A(0.5, 0, 0.5)]),
    "logaddexp of -inf": (mg.logaddexp, [A(-INF, -INF), A(-INF, 0)], [A(0, 0), A(0, 1)]),
    "logaddexp of inf": (mg.logaddexp, [A(INF, INF, INF), A(INF, 0, -INF)], [A(0.5, 1, 1), A(0.5, 0, 0)]),
    "logaddexp of huge numbers": (mg.logaddexp, [A(1e300, 1e300), A(1e300, -1e300)], [A(0.5, 1), A(0.5, 0)]),
    "logaddexp2 of inf": (np.logaddexp2, [A(INF, -INF, 0), A(INF, -INF, INF)], [A(0.5, 0, 0), A(0.5, 0, 1)]),
    "softmax of huge numbers": (lambda x: mg.softmax(x)[0], [A(1e300, 1e300, -1e300)], [A(0.25, -0.25, 0)]),
    "softmax with -inf": (lambda x: mg.softmax(x)[1], [A(-INF, 0, 0)], [A(0, 0.25, -0.25)]),
    "log_softmax of huge numbers": (lambda x: mg.log_softmax(x)[0], [A(1e300, 1e300)], [A(0.5, -0.5)]),
    "sigmoid of huge numbers": (mg.sigmoid, [A(-1e300, 0, 1e300)], [A(0, 0.25, 0)]),
    "getitem, repeated indices": (lambda x: x[[0, 0, 2, 0]], [A(1, 2, 3)], [A(3, 0, 1)]),
    "take, repeated indices": (lambda x: mg.take(x, [1, 1], axis=0), [A(1, 2, 3)], [A(0, 2, 0)]),
    "repeat": (lambda x: mg.repeat(x, [2, 0, 3]), [A(1, 2, 3)], [A(2, 0, 3)]),
    "setitem, the last of repeated indices": (
        lambda x, v: indexing.setitem(x, v, index=(np.array([1, 1]),)), [A(1, 2, 3), A(4, 5)], [A(1, 0, 1), A(0, 1)],
    ),
    "sort of equal numbers": (lambda x: mg.sort(x)[0], [A(2, 1, 1)], [A(0, 1, 0)]),
    **op_table_nn.KINKS,
}  # fmt: skip


@pytest.mark.parametrize("kink", KINKS)
def test_kink(kink):
    function, operands, expected = KINKS[kink]
    found = gradients(function, operands, ones)
    for g, e in zip(found, expected, strict=True):
        np.testing.assert_allclose(g, e, rtol=1e-15, atol=0, strict=True)


LIMITS = {  # without a warning
    "logsumexp of -inf": (lambda: mg.logsumexp(A(-INF, -INF)), -INF),
    "logsumexp with -inf": (lambda: mg.logsumexp(A([-INF, 1], [-INF, -INF]), axis=1), A(1, -INF)),
    "logsumexp of inf": (lambda: mg.logsumexp(A(INF, 1)), INF),
    "logsumexp of huge numbers": (lambda: mg.logsumexp(A(1e300, -1e300)), 1e300),
    "logsumexp of nothing": (lambda: mg.logsumexp(A()), -INF),
    "softmax of huge numbers": (lambda: mg.softmax(A(1e300, 1e300, -1e300)), A(0.5, 0.5, 0)),
    "softmax with -inf": (lambda: mg.softmax(A(-INF, 0)), A(0, 1)),
    "log_softmax of huge numbers": (lambda: mg.log_softmax(A(1e300, -1e300)), A(0, -2e300)),
    "logaddexp of -inf": (lambda: mg.logaddexp(A(-INF), A(-INF)), A(-INF)),
    "sigmoid of huge numbers": (lambda: mg.sigmoid(A(-1e300, 1e300)), A(0, 1)),
    "hypot of huge numbers": (lambda: mg.hypot(A(3e300), A(4e300)), A(5e300)),
    "max of NaN": (lambda: mg.max(A(1, NAN, 3)), NAN),
    "clip with min above max": (lambda: mg.clip(A(0, 5), 3, 1), A(1, 1)),
    "prod of nothing": (lambda: mg.prod(A()), 1.0),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_limit(limit):
    compute, expected = LIMITS[limit]
    np.testing.assert_allclose(compute(), expected, rtol=1e-15)


# A gradient of exactly zero stays zero through an infinite or undefined derivative

MASKED = {  # function, a number where it is singular, one where it is not and its first two derivatives there
    "sqrt": (mg.sqrt, 0.0, 4.0, 1 / 4, -1 / 32),
    "sqrt of a negative number": (mg.sqrt, -1.0, 4.0, 1 / 4, -1 / 32),
    "cbrt": (mg.cbrt, 0.0, 8.0, 1 / 12, -1 / 144),
    "log": (mg.log, 0.0, 2.0, 1 / 2, -1 / 4),
    "log of a negative number": (mg.log, -1.0, 2.0, 1 / 2, -1 / 4),
    "log2": (mg.log2, 0.0, 1.0, 1 / math.log(2), -1 / math.log(2)),
    "log10": (mg.log10, 0.0, 1.0, 1 / math.log(10), -1 / math.log(10)),
    "log1p": (mg.log1p, -1.0, 1.0, 1 / 2, -1 / 4),
    "1 / x": (lambda x: 1 / x, 0.0, 2.0, -1 / 4, 1 / 4),
    "x / x": (lambda x: x / x, 0.0, 2.0, 0.0, 0.0),
    "reciprocal": (mg.reciprocal, 0.0, 2.0, -1 / 4, 1 / 4),
    "x**0.5": (lambda x: x**0.5, 0.0, 4.0, 1 / 4, -1 / 32),
    "x**-1.0": (lambda x: x**-1.0, 0.0, 2.0, -1 / 4, 1 / 4),
    "x**1.5": (lambda x: x**1.5, -1.0, 4.0, 3.0, 3 / 8),
    "x**x": (lambda x: x**x, -0.5, 1.0, 1.0, 2.0),
    "asin": (mg.asin, 1.0, 0.0, 1.0, 0.0),
    "asin outside": (mg.asin, 2.0, 0.0, 1.0, 0.0),
    "acos": (mg.acos, 1.0, 0.0, -1.0, 0.0),
    "acosh": (mg.acosh, 1.0, 2.0, 3**-0.5, -2 * 3**-1.5),
    "atanh": (mg.atanh, 1.0, 0.0, 1.0, 0.0),
    "hypot": (lambda x: mg.hypot(x, 0.0), 0.0, 2.0, 1.0, 0.0),
    "atan2": (lambda x: mg.atan2(x, x), 0.0, 2.0, 0.0, 0.0),
    "exp(1 / x)": (lambda x: mg.exp(1 / x), 0.0, 1.0, -math.e, 3 * math.e),
    "sqrt(log(x))": (lambda x: mg.sqrt(mg.log(x)), 0.0, math.e, 0.5 / math.e, -0.75 / math.e**2),
    "exp": (mg.exp, 1000.0, 0.0, 1.0, 1.0),
    "cosh": (mg.cosh, 1000.0, 0.0, 0.0, 1.0),
    "norm": (lambda x: mg.sqrt(x * x), 0.0, 2.0, 1.0, 0.0),
}  # fmt: skip


@pytest.mark.parametrize("name", MASKED)
def test_masked_elements_have_no_nan(name):
    function, bad, good, slope, bend = MASKED[name]
    x = mg.tensor([bad, good], requires_grad=True)
    with np.errstate(all="ignore"):  # what NumPy says of the forward pass
        y = mg.where(np.array([False, True]), function(x), 0.0)
    (first,) = mg.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = mg.autograd.grad(first.sum(), x)
    np.testing.assert_allclose(first.detach().numpy(), [0, slope], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(second.numpy(), [0, bend], rtol=1e-12, atol=1e-15)


# Third derivatives

M, V = A([0.5, -1.0], [2.0, 0.3]), A(0.7, -0.4)
u = math.tanh(0.6)
THIRD = {  # function of a number, where, its third derivative there
    "tanh": (mg.tanh, 0.6, (1 - u**2) * (6 * u**2 - 2)),
    "exp": (mg.exp, 0.6, math.exp(0.6)),
    "sin": (mg.sin, 0.6, -math.cos(0.6)),
    "log": (mg.log, 0.6, 2 / 0.6**3),
    "sqrt": (mg.sqrt, 0.6, 3 / 8 * 0.6**-2.5),
    "x**4": (lambda x: x**4, 0.6, 24 * 0.6),
    "x**4 at 0": (lambda x: x**4, 0.0, 0.0),
    "x**3 at 0": (lambda x: x**3, 0.0, 6.0),
    "x**2 at 0": (lambda x: x**2, 0.0, 0.0),
    "x**2.5": (lambda x: x**2.5, 0.6, 2.5 * 1.5 * 0.5 * 0.6**-0.5),
    "2**x": (lambda x: 2**x, 0.6, 2**0.6 * math.log(2) ** 3),
    "1 / x": (lambda x: 1 / x, 0.6, -6 / 0.6**4),
    "sigmoid": (mg.sigmoid, 0.0, -1 / 8),
    "matmul": (lambda x: V @ (M * x) @ (M * x) @ (M * x) @ V, 0.6, 6 * V @ M @ M @ M @ V),
    "einsum": (lambda x: mg.einsum("ij,jk,ki->", M * x, M * x, M * x), 0.6, 6 * np.trace(M @ M @ M)),
    "prod": (lambda x: mg.prod(mg.stack([x, 2 * x, 3 * x])), 0.6, 36.0),
    "prod of zeros": (lambda x: mg.prod(mg.stack([x, 2 * x, 3 * x])), 0.0, 36.0),
    "cumulative_prod": (lambda x: mg.cumulative_prod(mg.stack([x, 2 * x, 3 * x]))[2], 0.0, 36.0),
    "logsumexp": (lambda x: mg.logsumexp(mg.stack([x, -x])), 0.6, -2 * u * (1 - u**2)),
}  # fmt: skip


@pytest.mark.parametrize("name", THIRD)
def test_third_derivative(name):
    function, where, expected = THIRD[name]
    assert grad(grad(grad(function)))(where) == pytest.approx(expected, rel=1e-12, abs=1e-14)


# Dtypes

F32, F64 = np.dtype(np.float32), np.dtype(np.float64)
BINARY = [
    mg.add,
    mg.subtract,
    mg.multiply,
    mg.divide,
    mg.pow,
    mg.maximum,
    mg.hypot,
    mg.atan2,
    mg.logaddexp,
    mg.remainder,
]


@pytest.mark.parametrize("function", BINARY, ids=lambda f: f.__name__)
def test_python_numbers_have_a_weak_dtype(function):
    for number in (2, 2.0):
        for order in (1, -1):
            x = mg.tensor([1.5, 2.5], dtype=np.float32, requires_grad=True)
            y = function(*(x, number)[::order])
            y.sum().backward()
            assert y.dtype == x.grad.dtype == F32


@pytest.mark.parametrize("function", [*BINARY, mg.dot, mg.matmul, mg.vecdot, mg.outer], ids=lambda f: f.__name__)
def test_mixed_dtypes_are_numpys_and_each_gradient_has_its_own(function):
    a = mg.tensor([1.5, 2.5], dtype=np.float32, requires_grad=True)
    b = mg.tensor([2.5, 0.5], requires_grad=True)
    y = function(a, b)
    y.sum().backward()
    assert (y.dtype, a.grad.dtype, b.grad.dtype) == (F64, F32, F64)


def test_joining_mixed_dtypes_gives_each_gradient_its_own():
    for join in (mg.concat, mg.stack):
        a = mg.tensor([1.5, 2.5], dtype=np.float32, requires_grad=True)
        b = mg.tensor([2.5, 0.5], requires_grad=True)
        join([a, b]).sum().backward()
        assert (a.grad.dtype, b.grad.dtype) == (F32, F64)


def test_astype_takes_the_gradient_back():
    x = mg.tensor([1.5, 2.5], requires_grad=True)
    y = mg.astype(x, np.float32)
    (y * np.float32(2)).sum().backward()
    assert (y.dtype, x.grad.dtype) == (F32, F64)
    assert x.grad.tolist() == [2, 2]


def test_astype_to_integers_has_no_gradient():
    assert not mg.astype(mg.tensor([1.5, 2.5], requires_grad=True), int).requires_grad


@pytest.mark.parametrize(
    "function",
    [mg.add, mg.multiply, mg.divide, mg.maximum, mg.matmul, mg.less, mg.bitwise_and],
    ids=lambda f: f.__name__,
)
@each("dtype", [np.int64, np.int8, np.bool_])
def test_integers_and_bools_compute_without_a_graph(function, dtype):
    a, b = np.array([1, 0], dtype), np.array([1, 1], dtype)
    result = function(mg.tensor(a), mg.tensor(b))
    assert type(result) is mg.Tensor
    assert not result.requires_grad
    np.testing.assert_array_equal(result.numpy(), getattr(np, function.__name__)(a, b), strict=True)


@pytest.mark.parametrize(
    "function", [mg.sum, mg.prod, mg.mean, mg.max, mg.cumulative_sum, mg.sqrt, mg.var], ids=lambda f: f.__name__
)
@each("dtype", [np.int32, np.bool_])
def test_reductions_of_integers_have_numpys_dtype(function, dtype):
    a = np.array([1, 0, 1], dtype)
    reference = np.cumsum if function is mg.cumulative_sum else getattr(np, function.__name__)
    np.testing.assert_array_equal(function(mg.tensor(a)).numpy(), reference(a), strict=True)


def test_an_integer_operand_takes_no_gradient():
    x, n = mg.tensor([1.5, 2.5], requires_grad=True), mg.tensor([2, 3])
    (x * n).sum().backward()
    assert x.grad.tolist() == [2, 3]
    assert not n.requires_grad
