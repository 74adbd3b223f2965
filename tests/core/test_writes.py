"""Writes to memory that a backward pass still needs: found, whoever wrote and however; and those that harm nobody."""

import gc

import numpy as np
import pytest

import minigrad as mg
from minigrad import writes
from tests.rows import each


@pytest.fixture(autouse=True)
def _forget():
    yield
    HELD.clear()


def leaf(*values):
    return mg.tensor(list(values), requires_grad=True)


# Through `data`


def subtracted(w):
    w.data -= 1.0


def multiplied(w):
    w.data *= 2.0


def element(w):
    w.data[0] = 5.0


def all_elements(w):
    w.data[...] = 5.0


def assigned(w):
    w.data = w.data - 1.0


def assigned_array(w):
    w.data = np.full(w.shape, 7.0)


def assigned_tensor(w):
    w.data = mg.tensor(np.full(w.shape, 7.0))


def by_copyto(w):
    np.copyto(w.data, 0.0)


def by_out(w):
    np.add(w.data, 1.0, out=w.data)


def by_a_method(w):
    w.data.fill(0.0)


def by_a_slice(w):
    w.data[:1][...] = 3.0


def by_sorting(w):
    w.data[::-1].sort()


def by_at(w):
    np.add.at(w.data, [0, 0], 1.0)


def by_turning_the_sign(w):
    np.negative(w.data, out=w.data)


def by_exchanging(w):
    w.data[:2] = w.data[1::-1].copy()


HELD = []


def by_a_name_that_lives(w):
    HELD[:] = [w.data]
    HELD[0] += 1.0


WRITES = [
    subtracted, multiplied, element, all_elements, assigned, assigned_array, assigned_tensor, by_copyto, by_out,
    by_a_method, by_a_slice, by_sorting, by_at, by_turning_the_sign, by_exchanging,
    by_a_name_that_lives,
]  # fmt: skip
USES = {
    "cube": lambda w: (w * w * w).sum(),
    "power": lambda w: (w**3).sum(),
    "view": lambda w: (w.reshape(1, -1) ** 3).sum(),
    "exp of a slice": lambda w: mg.exp(np.flip(w) * w).sum(),
    "matmul": lambda w: w @ mg.tensor([[2.0, 1.0], [0.0, 1.0]]) @ w,
    "joint rule": lambda w: mg.einsum("i,i->", w, w),
    "norm": lambda w: np.linalg.norm(w),
}


@each("create_graph", [False, True])
@each("use", USES)
@pytest.mark.parametrize("write", WRITES, ids=lambda f: f.__name__)
def test_a_write_between_forward_and_backward_is_found(write, use, create_graph):
    w = leaf(1.0, 2.0)
    loss = USES[use](w)
    write(w)
    with pytest.raises(mg.errors.StaleValueError, match=r"leaf.*was written to \(at .*test_writes\.py"):
        loss.backward(create_graph=create_graph)
    assert w.grad is None
    fresh = mg.tensor(w.detach().numpy(), requires_grad=True)
    USES[use](fresh).backward()
    USES[use](w).backward()
    assert w.grad.tolist() == fresh.grad.tolist()


@each("write", WRITES)
def test_a_write_before_the_forward_pass_is_what_it_computes_with(write):
    w, array = leaf(1.0, 2.0), mg.tensor([1.0, 2.0])
    write(w)
    write(array)
    assert w.tolist() == array.tolist()
    (w * w).sum().backward()
    assert w.grad.tolist() == [2 * x for x in array.tolist()]


def test_a_result_that_is_written_to_is_found_too():
    w = leaf(1.0, 2.0)
    y = mg.exp(w)
    loss = y.sum()
    y.data *= 2.0
    with pytest.raises(mg.errors.StaleValueError, match=r"the result of exp .* had made it"):
        loss.backward()
    y = w * 3.0  # whose derivative needs no value of it
    loss = y.sum()
    y.data *= 2.0
    loss.backward()
    assert w.grad.tolist() == [3.0, 3.0]


def test_reading_a_result_after_a_write_does_not_hide_the_write():
    w = leaf(1.0, 2.0)
    for write in (multiplied, element, assigned_array):
        y = mg.exp(w)
        loss = y.sum()
        write(y)
        assert y.data.shape == (2,)
        with pytest.raises(mg.errors.StaleValueError, match=r"the result of exp .* had made it"):
            loss.backward()
        assert w.grad is None


def test_reading_is_no_writing():
    w = leaf(1.0, 2.0)
    held = w.data
    loss = (w * w * w).sum()
    assert float(w.data.sum()) == 3.0
    assert w.data.shape == (2,)
    w.data[:] = w.data[:]
    loss.backward()
    assert w.grad.tolist() == [3.0, 12.0]
    assert held.tolist() == [1.0, 2.0]


def test_reading_between_two_writes_hides_neither():
    w = leaf(1.0, 2.0)
    loss = w @ w
    w.data[0] = 5.0
    assert w.data[1] == 2.0
    with pytest.raises(mg.errors.StaleValueError):
        loss.backward()
    loss = w @ w
    assert w.data[0] == 5.0
    loss.backward()
    assert w.grad.tolist() == [10.0, 4.0]


def test_the_order_of_writing_and_computing_is_told_while_an_array_lives():
    w = leaf(1.0, 2.0)
    array = w.data
    array[0] = 3.0
    loss = (w * w * w).sum()
    loss.backward()
    assert w.grad.tolist() == [27.0, 12.0]
    del array
    loss = (w * w * w).sum()
    assert w.data.shape == (2,)
    loss.backward()
    assert w.grad.tolist() == [54.0, 24.0]


@each("size", [1, 63, 64, 65, 4096, 5000])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex128])
def test_digests_tell_other_numbers_and_other_orders(size, dtype):
    x = np.cos(np.arange(size) ** 2).astype(dtype)
    for i in range(0, size, max(1, size // 50)):
        y = x.copy()
        y[i] += 1.0
        assert writes._digest(y) != writes._digest(x)
        if i + 1 < size and x[i] != x[i + 1]:
            y = x.copy()
            y[i], y[i + 1] = y[i + 1], y[i]
            assert writes._digest(y) != writes._digest(x)
    assert writes._digest(x) == writes._digest(x.copy())
    assert writes._digest(-x) != writes._digest(x)


def test_a_derivative_that_needs_no_value_does_not_mind_a_write():
    w = leaf(1.0, 2.0)
    loss = (w * 3.0 + w).sum()
    w.data -= 1.0
    loss.backward()
    assert w.grad.tolist() == [4.0, 4.0]


def test_gradient_descent_through_data_is_gradient_descent():
    kept, fresh = leaf(1.0, 2.0), leaf(1.0, 2.0)
    array = kept.data
    for _ in range(20):
        for w in (kept, fresh):
            w.grad = None
            (w * w * w).sum().backward()
        array -= 0.01 * kept.grad.data
        fresh.data -= 0.01 * fresh.grad.data
    assert kept.tolist() == fresh.tolist()
    expected = np.array([1.0, 2.0])
    for _ in range(20):
        expected -= 0.01 * 3 * expected * expected
    np.testing.assert_allclose(kept.tolist(), expected, rtol=1e-12)
    loss = (kept * kept).sum()
    array[0] = 100.0
    with pytest.raises(mg.errors.StaleValueError):
        loss.backward()


def test_what_is_assigned_to_data_goes_into_the_memory_and_must_fit():
    w = leaf(1.0, 2.0)
    before = w.data
    w.data = [5.0, 6.0]
    assert before.tolist() == w.tolist() == [5.0, 6.0]
    assert w.is_leaf
    with pytest.raises(mg.errors.DTypeError):
        w.data = ["a", "b"]
    y = w * 2.0
    with pytest.raises(mg.errors.ShapeError, match=r"from \(2,\) to \(3,\)"):
        y.data = np.ones(3)
    with pytest.raises(mg.errors.DTypeError, match="complex"):
        y.data = np.ones(2) * 1j
    assert w.tolist() == [5.0, 6.0]


def test_a_leaf_whose_data_become_others_is_a_new_leaf():
    w = mg.tensor([1.0, 2.0], requires_grad=True, name="w")
    loss = (w * w).sum()
    mine = np.ones((2, 3), np.float32)
    w.data = mine
    assert (w.shape, w.dtype, w.is_leaf, w.name) == ((2, 3), np.float32, True, "w")
    assert not np.shares_memory(w.data, mine)
    (w * 3.0).sum().backward()
    assert w.grad.tolist() == [[3.0] * 3] * 2
    assert w.grad.dtype == np.float32
    loss.backward()  # of the old leaf
    assert w.grad.tolist() == [[3.0] * 3] * 2
    with pytest.raises(mg.errors.DTypeError, match="require grad"):
        w.data = np.arange(3)
    assert w.shape == (2, 3)


def test_data_of_constants():
    constant = mg.tensor([1.0, 2.0])
    constant.data = np.ones((2, 2))
    assert constant.shape == (2, 2)


def test_nothing_is_remembered_of_arrays_that_are_gone():
    enabled = gc.isenabled()
    gc.disable()
    lent_before = set(writes._lent)
    try:
        w = leaf(1.0, 2.0)
        for _ in range(100):
            w.data -= 0.1
        held = w.data
        assert held is w.data
        assert w.node.notes.lent.array() is held
        del held
        assert w.node.notes.lent.array is None
        w.data[0] = 1.0
        del w
        assert writes._lent == lent_before
    finally:
        if enabled:
            gc.enable()


# Constant arrays


@pytest.mark.parametrize("combine", [
    lambda w, x: w * x, lambda w, x: x * w, lambda w, x: w / x, lambda w, x: x @ w, lambda w, x: np.multiply(w, x),
    lambda w, x: np.arctan2(w, x), lambda w, x: w**x,
], ids=["w * x", "x * w", "w / x", "x @ w", "np.multiply", "arctan2", "w ** x"])  # fmt: skip
def test_a_small_constant_array_may_be_written_to(combine):
    x = np.arange(1.0, 9.0)
    w, same = (mg.tensor(np.full(8, 2.0), requires_grad=True) for _ in "ab")
    combine(same, x.copy()).sum().backward()
    loss = combine(w, x).sum()
    x[...] = 100.0
    loss.backward()
    assert w.grad.tolist() == same.grad.tolist()


def test_a_small_constant_tensor_may_be_written_to():
    c, w = mg.tensor([1.0, 2.0]), leaf(3.0, 4.0)
    loss = (w * c).sum()
    c.data[...] = 100.0
    loss.backward()
    assert w.grad.tolist() == [1.0, 2.0]


def test_detect_anomaly_finds_a_large_constant_array_that_was_written_to():
    x, w = np.ones((100, 30)), mg.tensor(np.ones(30), requires_grad=True)
    with mg.detect_anomaly():
        loss = (x @ w).sum()
        loss.backward()
        loss = (x @ w).sum()
        x[3] = 2.0
        with pytest.raises(mg.errors.StaleValueError, match=r"operand 0 of matmul.*\(100, 30\).*test_writes\.py"):
            loss.backward()
    assert w.grad.tolist() == [100.0] * 30


# Values that are not finite


def test_an_overflow_is_named_though_the_gradient_would_be_zero():
    x = mg.tensor([800.0], requires_grad=True)
    with pytest.raises(mg.errors.AnomalyError, match="exp made inf"), mg.detect_anomaly():
        np.log(np.exp(x))
    with np.errstate(over="ignore"):
        y = np.log(np.exp(x)).sum()
    with pytest.raises(mg.errors.AnomalyError, match="exp made inf"), mg.detect_anomaly():
        y.backward()


# What a rule reads


def stores_and_loads(g, y, x):
    s = g * 2
    return -x * s


def shape_and_value(g, y, x):
    return np.broadcast_to(x, x.shape)


def shape_only(g, y, x):
    return np.broadcast_to(g, x.shape).astype(x.dtype)


def shape_of_another(g, y, x):
    return np.broadcast_to(x, g.shape)


def in_a_function_inside(g, y, x):
    return g * sum(x[i] for i in range(3))


@each(("rule", "expected"), [
    (stores_and_loads, True), (shape_and_value, True), (shape_only, False), (shape_of_another, True),
    (in_a_function_inside, True), (lambda g, y, x: g * x, True), (lambda g, y, x: g, False), (np.multiply, True),
    (lambda g, y, *xs: xs[0], True), (None, False),
])  # fmt: skip
def test_whether_a_rule_reads_its_operand_is_told_from_its_code(rule, expected):
    assert writes.reads(rule, 2) is expected


@pytest.mark.parametrize("numbers", [[np.inf, -np.inf, 1.0], [np.nan, 1.0, 2.0], [1e308, 1e308, 1e308]])
def test_numbers_that_are_not_finite_are_read_without_a_warning(numbers):
    w = mg.tensor(numbers * 50, requires_grad=True)
    with np.errstate(all="ignore"):
        loss, square = (w * 2.0).sum(), (w * w).sum()
    assert w.data.size == 150
    loss.backward()
    w.data[2] = 7.0
    with pytest.raises(mg.errors.StaleValueError):
        square.backward()
