"""Dtypes: the objects, the functions that tell of them, and the dtypes of results."""

import itertools
import operator

import numpy as np
import pytest

import minigrad as xp
from minigrad import errors
from tests.array_api import standard
from tests.array_api.standard import ALL, BINARY, COMPLEX, FLOATING, KINDS, NUMERIC, PROMOTIONS, REAL, UNARY, sample
from tests.needs import numpy_before
from tests.rows import each

# The objects


@each("name", ALL)
def test_a_dtype_is_numpys_by_any_name(name):
    dtype = getattr(xp, name)
    assert dtype == xp.ones(2, dtype=dtype).dtype == np.dtype(name)
    assert dtype == getattr(np, name)
    assert {dtype: 1}[xp.zeros(1, dtype=dtype).dtype] == 1
    assert np.ones(2, dtype).dtype == dtype
    assert sum(dtype == getattr(xp, other) for other in ALL) == 1


@pytest.mark.parametrize("name", standard.REAL_FLOATING + COMPLEX)
def test_finfo(name):
    real = np.dtype(standard.component(name))
    for given in (getattr(xp, name), getattr(np, name), name, xp.ones(1, dtype=name), np.ones(1, name)):
        found = xp.finfo(given)
        assert (found.bits, found.dtype) == (8 * real.itemsize, real)
        digits, exponents = {4: (23, 127), 8: (52, 1023)}[real.itemsize]
        assert found.eps == 2.0**-digits
        assert found.max == -found.min == (2 - 2.0**-digits) * 2.0**exponents
        assert found.smallest_normal == 2.0 ** (1 - exponents)
        assert {type(x) for x in found[:5]} == {int, float}


@each("name", standard.INTEGRAL)
def test_iinfo(name):
    dtype = np.dtype(name)
    for given in (getattr(xp, name), name, xp.ones(1, dtype=name)):
        found = xp.iinfo(given)
        assert (found.bits, found.dtype) == (8 * dtype.itemsize, dtype)
        assert (found.min, found.max) == (
            (0, 2**found.bits - 1) if dtype.kind == "u" else (-(2 ** (found.bits - 1)), 2 ** (found.bits - 1) - 1)
        )
        assert {type(x) for x in found[:3]} == {int}


def test_limits_of_dtypes_that_have_none():
    for call in (
        lambda: xp.finfo(xp.int8), lambda: xp.finfo(xp.bool), lambda: xp.iinfo(xp.float32), lambda: xp.iinfo(xp.bool),
        lambda: xp.iinfo(xp.ones(1)), lambda: xp.finfo(xp.ones(1, dtype=xp.int8)),
    ):  # fmt: skip
        with pytest.raises(errors.DTypeError, match=r"limits of (floating|integer).* see [if]info"):
            call()


@pytest.mark.parametrize("kind", KINDS)
def test_isdtype_by_kind(kind):
    assert [name for name in ALL if xp.isdtype(getattr(xp, name), kind)] == KINDS[kind]


def test_isdtype_by_dtypes_and_tuples():
    assert xp.isdtype(xp.float32, xp.float32)
    assert not xp.isdtype(xp.float32, xp.float64)
    assert xp.isdtype(xp.int8, ("bool", xp.int8))
    assert xp.isdtype(xp.bool, ("bool", "complex floating"))
    assert not xp.isdtype(xp.int8, ("bool", "complex floating", xp.int16))
    assert type(xp.isdtype(xp.int8, "integral")) is bool
    with pytest.raises(ValueError, match=r"isdtype.*'integer'"):
        xp.isdtype(xp.int8, "integer")


# How dtypes combine


@each(("left", "right"), PROMOTIONS)
def test_promotion(left, right):
    expected = PROMOTIONS[left, right]
    a, b = xp.ones(2, dtype=left), xp.ones((), dtype=right)  # axes do not count
    mixtures = itertools.product((a, a.dtype, a[0]), (b, b.dtype))
    assert {xp.result_type(*pair) for pair in mixtures} == {np.dtype(expected)}
    assert xp.result_type(a) == np.dtype(left)
    assert xp.can_cast(xp.ones(1, dtype=left), getattr(xp, right)) == (expected == right)
    assert xp.can_cast(getattr(xp, left), getattr(xp, right)) == (expected == right)
    assert xp.concat([a, xp.ones(1, dtype=right)]).dtype == expected
    assert xp.stack([a[0], b]).dtype == expected
    assert xp.where(xp.asarray([True, False]), a, b).dtype == expected


@each("name", BINARY)
def test_dtypes_of_binary_functions_and_operators(name):
    function = getattr(xp, name)
    symbol = next((k for k, f in (standard.OPERATORS | standard.COMPARISONS).items() if f == name), None)
    for (left, right), expected in PROMOTIONS.items():
        if left not in BINARY[name] or right not in BINARY[name]:
            continue
        a, b = xp.asarray(sample(left)), xp.asarray(sample(right, (3,)))
        results = [function(a, b)]
        if name != "pow" or not numpy_before("2.3.0"):  # older ones square in the dtype of the base
            results.append(function(a, b[1]))
        if symbol:
            results += [getattr(operator, f"__{symbol}__")(x, y) for x, y in ((a, b), (a[0, 1], b), (a[0, 0], b[0]))]
        for result in results:
            assert type(result) is xp.Tensor
            assert result.dtype == ("bool" if name in standard.TRUTHS else expected), (left, right)
        if name in standard.OPERATORS.values() and expected == left:
            before, c = a, xp.asarray(a, copy=True)
            c = getattr(operator, f"__i{symbol}__")(c, b)
            np.testing.assert_array_equal(c.numpy(), function(before, b).numpy(), strict=True)


@each("name", UNARY)
def test_dtypes_of_unary_functions_and_operators(name):
    symbol = next((k for k, f in standard.SIGNS.items() if f == name), None)
    for dtype in UNARY[name]:
        expected = "bool" if name in standard.TRUTHS else standard.component(dtype) if name in standard.PARTS else dtype
        x = xp.asarray(sample(dtype))
        with np.errstate(invalid="ignore", over="ignore"):  # acosh of numbers below 1, -x without a sign
            results = [getattr(xp, name)(x), getattr(xp, name)(x[0, 1])]
        results += [getattr(operator, f"__{symbol}__")(x)] if symbol else []
        for result in results:
            assert (type(result), result.dtype) == (xp.Tensor, expected)


# Python's numbers: their kind counts, and not how many bits they have


def kinds_of_numbers(dtype):
    """Python's numbers that the standard lets one combine with an array of a dtype."""
    kind = np.dtype(dtype).kind
    return {"b": [True], "i": [2], "u": [2], "f": [2, 2.0], "c": [2, 2.0, 2j]}[kind]


@each("name", BINARY)
def test_numbers_have_a_weak_dtype(name):
    function = getattr(xp, name)
    symbol = next((k for k, f in (standard.OPERATORS | standard.COMPARISONS).items() if f == name), None)
    for dtype in BINARY[name]:
        x = xp.asarray(sample(dtype))
        for number in kinds_of_numbers(dtype):
            array = np.asarray(number, dtype)
            calls = [(function(x, number), function(x, xp.asarray(array))),
                     (function(number, x), function(xp.asarray(array), x))]  # fmt: skip
            if symbol:
                form = getattr(operator, f"__{symbol}__")
                calls += [
                    (form(x, number), calls[0][1]),
                    (form(number, x), calls[1][1]),
                    (form(x[0], number), calls[0][1][0]),
                ]
            if name in standard.OPERATORS.values():
                changed = getattr(operator, f"__i{symbol}__")(xp.asarray(x, copy=True), number)
                calls.append((changed, calls[0][1]))
            for result, expected in calls:
                assert result.dtype == ("bool" if name in standard.TRUTHS else dtype)
                np.testing.assert_allclose(result.numpy(), expected.numpy(), rtol=1e-6)


def test_numbers_have_a_weak_dtype_in_other_functions():
    for dtype in NUMERIC:
        x = xp.asarray(sample(dtype))
        for number in kinds_of_numbers(dtype):
            assert xp.where(x == x, x, number).dtype == xp.where(x == x, number, x).dtype == dtype
            assert xp.result_type(x, number) == xp.result_type(number, getattr(xp, dtype)) == dtype
            if dtype in REAL:
                assert xp.clip(x, number, 3).dtype == xp.clip(x, max=number).dtype == dtype


def test_numbers_that_an_integer_dtype_cannot_hold():
    x = xp.asarray([1, 2], dtype=xp.uint8)
    for call in (lambda: x + 300, lambda: -1 * x, lambda: x - 2**70, lambda: operator.iadd(x, 300), lambda: 300 & x):
        with pytest.raises(OverflowError):
            call()
    assert x.tolist() == [1, 2]
    assert (x < 300).tolist() == [True, True]
    assert xp.clip(x, -5, 300).tolist() == [1, 2]


# Dtypes of other functions


def test_the_dtypes_of_sums_and_products():
    for dtype in NUMERIC:
        x, kind = xp.asarray(sample(dtype)), np.dtype(dtype).kind
        expected = {"i": "int64", "u": "uint64"}.get(kind, dtype)
        for function in (xp.sum, xp.prod):
            for axis in (None, 0, (0, 1), ()):
                assert function(x, axis=axis).dtype == expected
                assert function(x, axis=axis, dtype=xp.complex64).dtype == xp.complex64
        for function in (xp.cumulative_sum, xp.cumulative_prod):
            for initial in (False, True):
                assert function(x, axis=0, include_initial=initial).dtype == expected
                assert function(x, axis=0, dtype=xp.complex64, include_initial=initial).dtype == xp.complex64


def test_the_dtypes_of_other_reductions():
    for dtype in ALL:
        x = xp.asarray(sample(dtype))
        assert xp.any(x, axis=0).dtype == xp.all(x).dtype == xp.bool
        assert {xp.argmax(x).dtype, xp.argmin(x, axis=0).dtype, xp.count_nonzero(x, axis=1).dtype} == {
            np.dtype(np.intp)
        }
        assert xp.max(x).dtype == xp.min(x, axis=0).dtype == dtype
    for dtype in FLOATING:
        x = xp.asarray(sample(dtype))
        assert xp.mean(x, axis=0).dtype == dtype
        if dtype not in COMPLEX:
            assert xp.var(x).dtype == xp.std(x, axis=1).dtype == dtype


# astype


def test_astype_from_every_dtype_to_every_other():
    for source, target in itertools.product(ALL, ALL):
        values = sample(source)
        x, dtype = xp.asarray(values), getattr(xp, target)
        if source in COMPLEX and target in REAL:
            for cast in (xp.astype, xp.Tensor.astype, lambda x, dtype: xp.asarray(x, dtype=dtype)):
                with pytest.raises(errors.DTypeError, match=rf"{source} to {target} .* real\(x\) or imag\(x\)"):
                    cast(x, dtype)
            continue
        for y in (xp.astype(x, dtype), x.astype(dtype), xp.astype(x, dtype, copy=False), xp.asarray(x, dtype=dtype)):
            np.testing.assert_array_equal(y.numpy(), values.astype(target), strict=True)
        assert xp.astype(x, dtype) is not x
        assert not np.shares_memory(xp.astype(x, dtype).numpy(), values)
        assert (xp.astype(x, dtype, copy=False, device="cpu") is x) == (source == target)


def test_truths_of_numbers():
    for values in ([0.0, -0.0, 1e-300, np.nan, np.inf], [0j, 1e-300j, -0.0 + 1j, complex("nan"), 2]):
        assert xp.astype(xp.asarray(values), xp.bool).tolist() == [bool(v) for v in values]
    assert xp.astype(xp.asarray([True, False]), xp.complex64).tolist() == [1 + 0j, 0j]


def test_astype_is_part_of_the_graph():
    x = xp.tensor([1.5, 2.5], requires_grad=True)
    for y in (
        xp.astype(x, xp.float32),
        xp.astype(x, xp.float64),
        xp.asarray(x, dtype=xp.float32),
        xp.asarray(x, copy=True),
    ):
        assert y is not x
        (g,) = xp.autograd.grad((y * y).sum(), x)
        assert (g.tolist(), g.dtype) == ([3.0, 5.0], xp.float64)
    assert xp.astype(x, xp.float64, copy=False) is x is xp.asarray(x) is xp.asarray(x, dtype=xp.float64, copy=False)
    z = xp.astype(x, xp.complex64)
    (g,) = xp.autograd.grad(xp.sum(xp.real(z * z)), x)
    assert (g.tolist(), g.dtype) == ([3.0, 5.0], xp.float64)


def test_astype_to_what_is_not_a_number():
    with pytest.raises(errors.DTypeError, match="numbers"):
        xp.astype(xp.ones(2), "U3")
    with pytest.raises(errors.ArgumentError, match=r"astype.*gpu"):
        xp.astype(xp.ones(2), xp.float32, device="gpu")


# Errors


def test_result_type_of_nothing_and_shapes_that_do_not_fit():
    with pytest.raises(errors.ArgumentError, match="result_type"):
        xp.result_type()
    assert xp.broadcast_shapes() == ()
    assert xp.broadcast_shapes((2, 1), (), (1, 3), (3,)) == (2, 3)
    with pytest.raises(errors.ShapeError, match=r"\(2,\), \(3,\)"):
        xp.broadcast_shapes((2,), (3,))


@pytest.mark.parametrize("name", [name for name in BINARY if name.startswith("bitwise")])
def test_bits_of_floating_point_numbers(name):
    x = xp.asarray([1.0, 2.0])
    for call in (lambda: getattr(xp, name)(x, x), lambda: getattr(xp, name)(xp.asarray([1, 2]), 1.5)):
        with pytest.raises(errors.DTypeError, match=f"{name} is not defined for .*float64"):
            call()


@pytest.mark.parametrize("name", ["floor", "ceil", "trunc", "signbit", "copysign", "nextafter", "hypot", "atan2",
                                  "floor_divide", "remainder", "logaddexp"])  # fmt: skip
def test_real_functions_of_complex_numbers(name):
    x = xp.asarray([1j, 2.0])
    operands = (x,) if name in UNARY else (x, x)
    with pytest.raises(errors.DTypeError, match=name):
        getattr(xp, name)(*operands)
