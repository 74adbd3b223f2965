"""The array object: attributes, conversions, indexing, operators in place, interchange."""

import operator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.array_api import make_strategies_namespace

import minigrad as xp
from minigrad import errors
from tests.array_api import standard
from tests.array_api.standard import ALL, COMPLEX, INTEGRAL, REAL, sample
from tests.rows import each

xps = make_strategies_namespace(xp)  # which finds out by itself what the namespace offers
QUICK = settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
SHAPES = xps.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
ARRAYS = xps.arrays(xps.scalar_dtypes(), SHAPES)


@each("dtype", ALL)
def test_hypothesis_makes_arrays(dtype):
    assert xps.api_version == "2024.12"

    @QUICK
    @given(xps.arrays(dtype, SHAPES) | xps.arrays(getattr(xp, dtype), SHAPES))
    def draw(x):
        assert (type(x), x.dtype) == (xp.Tensor, dtype)

    draw()


# Attributes


@QUICK
@given(ARRAYS)
def test_attributes(x):
    value = x.numpy()
    assert (x.dtype, x.shape, x.ndim, x.size, x.device) == (value.dtype, value.shape, value.ndim, value.size, "cpu")
    assert all(type(n) is int for n in (x.ndim, x.size, *x.shape))
    for transposed, least, most in ((lambda: x.T, 2, 2), (lambda: x.mT, 2, 64)):
        if least <= x.ndim <= most:
            np.testing.assert_array_equal(transposed().numpy(), np.swapaxes(value, -1, -2), strict=True)
        else:
            with pytest.raises(errors.ShapeError, match=r"T is for matrices|matrix_transpose"):
                transposed()


def test_devices():
    x = xp.ones(2)
    assert x.to_device("cpu") is x
    assert x.to_device(x.device, stream=None) is x
    for bad in (lambda: x.to_device("gpu"), lambda: x.to_device("cpu", stream=1)):
        with pytest.raises(ValueError, match=r"to_device.*(gpu|streams)"):
            bad()


# Conversions to Python's numbers


@each("dtype", ALL)
def test_single_numbers(dtype):
    x = xp.asarray(sample(dtype, ()))
    number = x.item()
    results = {bool: bool(x), complex: complex(x)}
    if dtype not in COMPLEX:
        results |= {int: int(x), float: float(x)}
    for kind, result in results.items():
        assert (type(result), result) == (kind, kind(number))
    assert bool(xp.zeros((), dtype=dtype)) is False


@each("dtype", ALL)
def test_indices(dtype):
    x = xp.ones((), dtype=dtype)
    if dtype in INTEGRAL:
        assert (operator.index(x), [5, 6][x], list(range(3))[x:]) == (1, 6, [1, 2])
        return
    with pytest.raises(TypeError, match="index"):
        operator.index(x)


def test_numbers_that_cannot_be_converted():
    for kind in (int, float):
        with pytest.raises(TypeError, match="complex"):
            kind(xp.asarray(1j))
    with pytest.raises(OverflowError):
        int(xp.asarray(xp.inf))
    with pytest.raises(ValueError, match="NaN"):
        int(xp.asarray(xp.nan))
    for kind in (int, float, complex, operator.index):
        with pytest.raises(TypeError, match=r"\(2,\)|axes"):
            kind(xp.ones(2, dtype=xp.int8))
    with pytest.raises(ValueError, match=r"\(0,\)"):
        bool(xp.ones(0))
    assert [bool(xp.asarray(x)) for x in (xp.nan, -xp.inf, -0.0, 0j, complex(0, xp.nan))] == [
        True,
        True,
        False,
        False,
        True,
    ]


# Reading and writing by index


def plain(key):
    """An index in terms of NumPy."""
    if isinstance(key, tuple):
        return tuple(map(plain, key))
    return key.numpy() if isinstance(key, xp.Tensor) else key


def keys(shape):
    """Basic indices, masks, and arrays of integers."""
    basic = xps.indices(shape, allow_newaxis=True) if 0 not in shape else st.just(...)
    masks = xps.arrays(xp.bool, st.sampled_from([shape, (), shape[:1]]))
    if not shape or not shape[0]:
        return basic | masks
    integers = xps.arrays(
        st.sampled_from([xp.int8, xp.int64]), SHAPES, elements={"min_value": -shape[0], "max_value": shape[0] - 1}
    )
    return basic | masks | integers | integers.map(lambda i: (i, ...))


@QUICK
@given(ARRAYS.flatmap(lambda x: st.tuples(st.just(x), keys(x.shape))))
def test_reading(pair):
    x, key = pair
    result = x[key]
    assert type(result) is xp.Tensor
    np.testing.assert_array_equal(result.numpy(), x.numpy()[plain(key)], strict=True)


@QUICK
@given(st.data())
def test_writing(data):
    x = data.draw(ARRAYS)
    key = data.draw(keys(x.shape))
    value = data.draw(xps.from_dtype(x.dtype) | xps.arrays(x.dtype, ()))
    y, expected = xp.asarray(x, copy=True), np.array(x.numpy())
    y[key] = value
    expected[plain(key)] = plain(value)
    np.testing.assert_array_equal(y.numpy(), expected, strict=True)


@pytest.mark.parametrize("index", [2, -3, (0, 0, 0), (..., ...), slice(None, None, 0), "a", 1.0, (0, 3)])
def test_indices_that_do_not_fit(index):
    x = xp.ones((2, 3))
    for call in (lambda: x[index], lambda: operator.setitem(x, index, 1.0)):
        with pytest.raises((IndexError, ValueError)) as caught:
            call()
        assert isinstance(caught.value, errors.MinigradError)


def test_masks_that_do_not_fit():
    x = xp.ones((2, 3))
    for mask in (xp.ones((3,), dtype=xp.bool), xp.ones((2, 2), dtype=xp.bool), xp.ones((2, 3, 1), dtype=xp.bool)):
        with pytest.raises(IndexError):
            x[mask]
    single = xp.asarray(5.0)
    assert single[xp.asarray(True)].tolist() == [5.0]
    assert single[xp.asarray(False)].shape == (0,)
    with pytest.raises(IndexError, match="without axes"):
        single[xp.asarray(0)]


def test_what_may_be_written():
    for dtype in ALL:
        kind, x = np.dtype(dtype).kind, xp.zeros(2, dtype=dtype)
        for value, kinds in ((True, "biufc"), (1, "iufc"), (1.0, "fc"), (1j, "c")):
            if kind in kinds:
                x[1] = value
                assert (x[1].item(), x.dtype) == (value, dtype)
            else:
                with pytest.raises(errors.DTypeError, match="cannot be written"):
                    x[1] = value
    x = xp.zeros(2, dtype=xp.uint8)
    for value in (256, -1, 2**70):
        with pytest.raises(OverflowError):
            x[0] = value
    assert x.tolist() == [0, 0]


# Operators in place


@pytest.mark.parametrize("name", standard.OPERATORS)
def test_operators_in_place_keep_the_name_and_its_dtype(name):
    function, form = getattr(xp, standard.OPERATORS[name]), getattr(operator, f"__i{name}__")
    for dtype in standard.BINARY[standard.OPERATORS[name]]:
        x, other = xp.asarray(sample(dtype)), xp.asarray(sample(dtype, (3,)))
        y = x
        before, expected = xp.asarray(x, copy=True), function(x, other)
        y = form(y, other)
        assert y is x
        np.testing.assert_array_equal(x.numpy(), expected.numpy(), strict=True)
        with pytest.raises(errors.ShapeError, match=r"\(3,\) to \(2, 3\)"):
            form(other, before)


def test_operators_in_place_that_would_change_the_dtype():
    for x, other in (
        (xp.ones(2, dtype=xp.int8), 1.5),
        (xp.ones(2), 1j),
        (xp.ones(2, dtype=xp.uint8), xp.ones(2, dtype=xp.int8)),
    ):
        before = x.tolist()
        with pytest.raises(errors.DTypeError, match="dtype"):
            operator.iadd(x, other)
        assert x.tolist() == before
    x = xp.eye(2)
    y = x
    y @= 2 * xp.eye(2)
    assert x.tolist() == [[2, 0], [0, 2]]


@pytest.mark.parametrize("name", [*standard.OPERATORS, *standard.COMPARISONS, "matmul"])
def test_operators_leave_what_they_do_not_know_to_it(name):
    class Other:
        def answer(self, other):
            return "mine"

    reflected = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le", "eq": "eq", "ne": "ne"}.get(name, f"r{name}")
    setattr(Other, f"__{reflected}__", Other.answer)
    assert getattr(operator, f"__{name}__")(xp.ones(2), Other()) == "mine"
    if name not in standard.COMPARISONS:
        with pytest.raises(TypeError):
            getattr(operator, f"__{name}__")(xp.ones(2), object())


# Interchange


@each("dtype", ALL)
def test_dlpack(dtype):
    x = xp.asarray(sample(dtype))
    assert x.__dlpack_device__() == (1, 0)
    for keywords in ({}, {"copy": True}, {"copy": False}, {"copy": None, "device": "cpu"}):
        y = xp.from_dlpack(x, **keywords)
        assert (y.device, y.dtype) == ("cpu", dtype)
        assert np.shares_memory(y.numpy(), x.numpy()) == (keywords.get("copy") is not True)
        np.testing.assert_array_equal(y.numpy(), x.numpy())
    assert np.shares_memory(np.from_dlpack(x), x.numpy())
    assert xp.from_dlpack(np.ones(2, dtype)).dtype == dtype
    assert xp.from_dlpack(xp.sum(x)).shape == ()


def test_dlpack_in_full():
    x = xp.ones(3)
    for version in ((0, 0), (1, 0), (2, 0), None):
        capsule = x.__dlpack__(stream=None, max_version=version, dl_device=(1, 0), copy=None)
        assert type(capsule).__name__ == "PyCapsule"
    with pytest.raises(BufferError):
        x.__dlpack__(dl_device=(2, 0))
    with pytest.raises(ValueError, match=r"from_dlpack.*gpu"):
        xp.from_dlpack(x, device="gpu")
    with pytest.raises(AttributeError):
        xp.from_dlpack([1.0])


def test_dlpack_does_not_cut_the_graph():
    x = xp.tensor([1.0, 2.0], requires_grad=True)
    for call in (lambda: x.__dlpack__(), lambda: xp.from_dlpack(x), lambda: np.from_dlpack(x * 2)):
        with pytest.raises(errors.CutError, match=r"DLPack.*detach\(\)"):
            call()
    assert xp.from_dlpack(x.detach()).tolist() == [1.0, 2.0]


@each("dtype", REAL)
def test_python_iterates_and_unpacks(dtype):
    first, second = xp.asarray(sample(dtype))
    assert first.dtype == second.dtype == dtype
    assert [row.shape for row in xp.asarray(sample(dtype))] == [(3,), (3,)]
    assert xp.asarray([first, second]).dtype == dtype
