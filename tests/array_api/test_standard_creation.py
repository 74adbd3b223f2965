"""Making arrays: values, dtypes, devices, copies."""

import operator
from array import array

import numpy as np
import pytest

import minigrad as xp
from minigrad import errors
from tests.array_api.standard import ALL, FLOATING, NUMERIC, REAL, sample
from tests.rows import each


@pytest.fixture
def single_precision():
    xp.set_default_dtype(xp.float32)
    yield
    xp.set_default_dtype(xp.float64)


MADE = {
    "zeros": lambda **kw: xp.zeros((2, 3), **kw), "ones": lambda **kw: xp.ones((2, 3), **kw),
    "empty": lambda **kw: xp.empty((2, 3), **kw), "full": lambda **kw: xp.full((2, 3), 1.0, **kw),
    "eye": lambda **kw: xp.eye(2, 3, **kw), "zeros_like": lambda **kw: xp.zeros_like(xp.ones((2, 3)), **kw),
    "ones_like": lambda **kw: xp.ones_like(xp.ones((2, 3)), **kw),
    "empty_like": lambda **kw: xp.empty_like(xp.ones((2, 3)), **kw),
    "full_like": lambda **kw: xp.full_like(xp.ones((2, 3)), 1, **kw), "arange": lambda **kw: xp.arange(1, 3, **kw),
    "linspace": lambda **kw: xp.linspace(0, 1, 3, **kw), "asarray": lambda **kw: xp.asarray([0.0, 1.0], **kw),
}  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_dtypes_and_devices(name):
    for dtype in ALL:
        if name != "arange" or dtype != "bool":
            for given in (getattr(xp, dtype), dtype):
                x = MADE[name](dtype=given, device="cpu")
                assert (type(x), x.dtype, x.device) == (xp.Tensor, dtype, "cpu")
    assert MADE[name](device=None, dtype=None).dtype == (xp.int64 if name == "arange" else xp.float64)
    with pytest.raises(ValueError, match=f"{name}.*'gpu'"):
        MADE[name](device="gpu")


@pytest.mark.usefixtures("single_precision")
def test_the_default_dtype():
    for name in ("zeros", "ones", "empty", "full", "eye", "linspace", "asarray"):
        assert MADE[name]().dtype == xp.float32
    assert xp.arange(3.0).dtype == xp.arange(0, 1, 0.5).dtype == xp.float32
    assert xp.linspace(0, 1j, 3).dtype == xp.asarray([1, 1j]).dtype == xp.full(2, 1j).dtype == xp.complex64
    assert xp.asarray([1, 2]).dtype == xp.full(2, 1).dtype == xp.arange(3).dtype == xp.int64
    assert xp.asarray([True, 2]).dtype == xp.int64
    assert xp.asarray([True]).dtype == xp.full((), False).dtype == xp.bool
    for kept in (np.ones(2), np.float64(1), xp.ones(2, dtype=xp.float64)):
        assert xp.asarray(kept).dtype == xp.zeros_like(kept).dtype == xp.float64
    assert xp.ones_like(xp.ones(2)).dtype == xp.float32


def test_values():
    assert xp.zeros((2, 0, 3)).shape == (2, 0, 3)
    assert xp.ones(3).tolist() == [1, 1, 1]
    assert xp.full((), 7).tolist() == xp.full((), xp.asarray(7)).item() == 7
    assert xp.full_like(xp.ones((1, 2)), 3, dtype=xp.int8).tolist() == [[3, 3]]
    for dtype in NUMERIC:
        assert xp.eye(2, 3, k=1, dtype=dtype).tolist() == [[0, 1, 0], [0, 0, 1]]
        assert xp.eye(3, k=-2, dtype=dtype)[2].tolist() == [1, 0, 0]
    assert xp.eye(2, None).shape == (2, 2)


@each("arguments", [(5,), (0,), (-1,), (2, 7), (7, 2), (2, 9, 3), (9, 2, -3), (2, 9, -1), (1, 2, 10)])
@each("dtype", [None, *REAL])
def test_arange_of_integers(arguments, dtype):
    if min(arguments) >= 0 or dtype is None or not dtype.startswith("u"):
        x = xp.arange(*arguments, dtype=dtype)
        assert (x.tolist(), x.dtype) == (list(range(*arguments)), dtype or "int64")


def test_arange_of_floats():
    assert xp.arange(0.5, 3).tolist() == [0.5, 1.5, 2.5]
    assert xp.arange(1, stop=0, step=-0.25).tolist() == [1, 0.75, 0.5, 0.25]
    assert (xp.arange(2.0).dtype, xp.arange(0, 2, 0.5, dtype=xp.float32).dtype) == (xp.float64, xp.float32)
    with pytest.raises((ValueError, ZeroDivisionError)):
        xp.arange(0, 1, 0)


@pytest.mark.parametrize("dtype", [None, *FLOATING])
def test_linspace(dtype):
    assert xp.linspace(0, 1, 5, dtype=dtype).tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert xp.linspace(0, 1, num=4, endpoint=False, dtype=dtype).tolist() == [0, 0.25, 0.5, 0.75]
    assert xp.linspace(3, 3, 2, dtype=dtype).tolist() == [3, 3]
    assert xp.linspace(5, 6, 1, dtype=dtype).tolist() == [5]
    assert xp.linspace(5, 6, 0, dtype=dtype).shape == (0,)
    assert xp.linspace(0, 1 + 2j, 3).tolist() == [0, 0.5 + 1j, 1 + 2j]
    with pytest.raises(ValueError, match=r"negative|-1"):
        xp.linspace(0, 1, -1)


def test_linspace_between_tensors_keeps_the_graph():
    start = xp.tensor(1.0, requires_grad=True)
    x = xp.linspace(start, 3.0, 3)
    assert x.tolist() == [1, 2, 3]
    (g,) = xp.autograd.grad(xp.sum(x), start)
    assert g.item() == pytest.approx(1.5)


@each("make", [
    lambda: xp.zeros(-1), lambda: xp.ones((2, -3)), lambda: xp.zeros(2, dtype="U3"), lambda: xp.asarray("text"),
    lambda: xp.asarray([[1], [2, 3]]), lambda: xp.asarray(None), lambda: xp.asarray([2**70]), lambda: xp.eye(-1),
])  # fmt: skip
def test_what_cannot_be_made(make):
    with pytest.raises((ValueError, TypeError)):
        make()


# asarray


@each("dtype", ALL)
def test_asarray_of_python_numbers(dtype):
    values = sample(dtype).tolist()
    for given in (values, tuple(map(tuple, values)), [values[0], tuple(values[1])]):
        x = xp.asarray(given, dtype=getattr(xp, dtype))
        assert (x.dtype, x.shape, x.tolist()) == (dtype, (2, 3), values)
    assert xp.asarray(values[0][0], dtype=dtype).shape == ()


def test_asarray_infers_the_dtype():
    for data, dtype in (
        ([True, False], "bool"), ([True, 2], "int64"), (3, "int64"), ([1, 2.5], "float64"), ([True, 2.5], "float64"),
        ([1, 2.5, 1j], "complex128"), ([], "float64"), (True, "bool"), (1j, "complex128"),
    ):  # fmt: skip
        assert xp.asarray(data).dtype == dtype


def test_numbers_that_do_not_fit():
    for value, dtype in ((300, xp.uint8), (-1, xp.uint64), (2**63, xp.int64)):
        with pytest.raises(OverflowError):
            xp.asarray(value, dtype=dtype)


@pytest.mark.parametrize("make", [
    lambda: np.arange(3.0), lambda: array("d", [0, 1, 2]), lambda: memoryview(array("d", [0, 1, 2])),
    lambda: xp.arange(3.0),
])  # fmt: skip
def test_copies_and_shared_memory(make):
    for copy, shares in ((None, True), (False, True), (True, False)):
        source = make()
        x = xp.asarray(source, copy=copy)
        assert x.tolist() == [0, 1, 2]
        assert np.shares_memory(x.numpy(), np.asarray(source)) == shares
        x = xp.asarray(source, copy=copy, dtype=xp.float64)
        assert np.shares_memory(x.numpy(), np.asarray(source)) == shares
    for source in (make(), [0.0, 1.0], 1.0):
        with pytest.raises(errors.ArgumentError, match=r"asarray needs a copy"):
            xp.asarray(source, copy=False, dtype=xp.float32)


def test_a_copy_is_another_name():
    x = xp.arange(3.0)
    y = xp.asarray(x, copy=True)
    y[0] = 9.0
    assert (x.tolist(), y.tolist()) == ([0, 1, 2], [9, 1, 2])
    assert xp.asarray(x) is x
    assert xp.asarray(x, copy=False) is x


def test_nothing_cuts_the_graph():
    x = xp.tensor(2.0, requires_grad=True)
    for call in (lambda: xp.full(2, x), lambda: xp.full_like(xp.ones(2), x), lambda: xp.asarray([x, x])):
        with pytest.raises(errors.CutError):
            call()
    assert not any(f(x).requires_grad for f in (xp.zeros_like, xp.ones_like, xp.empty_like))
    assert operator.index(xp.full(2, xp.asarray(3))[0]) == 3
