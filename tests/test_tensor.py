"""What a Tensor does as a Python object: operators, in-place syntax, conversions, copies, display, NumPy."""

import copy
import html.parser
import math
import operator
import pickle
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors
from tests.rows import each, named


def leaf(*values, name=None):
    return mg.tensor(list(values), requires_grad=True, name=name)


def grad_of(f, *values):
    x = leaf(*values)
    f(x).sum().backward()
    return x.grad.tolist()


# Operators

ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.mod, operator.floordiv]
COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]
BITS = [operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift]
OTHERS = [np.array([2.0, 3.0]), np.float64(2), np.float32(2), 2, 2.0, True, [2.0, 3.0], (2, 3), mg.tensor([2.0, 3.0])]


@each("other", OTHERS)
@pytest.mark.parametrize("op", ARITHMETIC + COMPARISONS)
def test_operators_take_anything_numeric_on_both_sides(op, other):
    for x in (leaf(5.0, 7.0), mg.tensor([5.0, 7.0])):
        for result, expected in (
            (op(x, other), op(x.data, np.asarray(other))),
            (op(other, x), op(np.asarray(other), x.data)),
        ):
            assert type(result) is mg.Tensor
            assert result.dtype == expected.dtype
            np.testing.assert_array_equal(result.detach().numpy(), expected)
            assert result.requires_grad == (x.requires_grad and op in ARITHMETIC)


@each("other", [np.array([2, 3]), np.int64(2), 2, [2, 3], mg.tensor([2, 3])])
@pytest.mark.parametrize("op", BITS)
def test_operators_on_integers(op, other):
    x = mg.tensor([5, 7])
    assert op(x, other).tolist() == op(x.data, np.asarray(other)).tolist()
    assert op(other, x).tolist() == op(np.asarray(other), x.data).tolist()
    assert (~x).tolist() == [-6, -8]


@pytest.mark.parametrize("other", [np.eye(2), [[1.0, 0.0], [0.0, 1.0]], mg.tensor(np.eye(2))])
def test_matrix_product_on_both_sides(other):
    x = mg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    for result in (x @ other, other @ x):
        assert result.tolist() == x.tolist()
        assert result.requires_grad


def test_unary_operators_and_their_gradients():
    assert grad_of(operator.neg, 2.0, -3.0) == [-1.0, -1.0]
    assert grad_of(operator.pos, 2.0, -3.0) == [1.0, 1.0]
    assert grad_of(operator.abs, 2.0, -3.0) == [1.0, -1.0]
    assert round(mg.tensor([1.26]), 1).tolist() == [1.3]
    assert round(mg.tensor(2.5)).item() == 2.0


def test_gradients_reach_operands_on_the_right():
    assert grad_of(lambda x: 1.0 - x, 2.0) == [-1.0]
    assert grad_of(lambda x: [8.0] / x, 2.0) == [-2.0]
    assert grad_of(lambda x: np.float64(2) ** x, 3.0) == pytest.approx([8 * math.log(2)])
    assert grad_of(lambda x: np.array([[1.0, 2.0]]) @ x, 3.0, 4.0) == [1.0, 2.0]


@pytest.mark.parametrize("number", [2, 2.0, True])
def test_python_numbers_do_not_widen_the_dtype(number):
    x = mg.tensor([1.0, 2.0], dtype=np.float32, requires_grad=True)
    for y in (x + number, number * x, x**number, number - x, x / number):
        assert y.dtype == np.float32


class Foreign:
    """Knows how to add itself to a Tensor, and nothing else."""

    def __radd__(self, other):
        return "asked on the right"

    def __add__(self, other):
        return "asked on the left"

    def __lt__(self, other):
        return "asked for less"


def test_foreign_types_are_asked_for_what_they_know():
    x = leaf(1.0)
    assert x + Foreign() == "asked on the right"
    assert Foreign() + x == "asked on the left"
    assert (x > Foreign()) == "asked for less"
    alias = x
    alias += Foreign()
    assert alias == "asked on the right"


@pytest.mark.parametrize("other", [None, "text", object(), {}, Foreign()], ids=lambda other: type(other).__name__)
def test_foreign_types_that_do_not_know_raise_pythons_own_error(other):
    x = leaf(1.0)
    for op in (operator.sub, operator.matmul, operator.pow):
        with pytest.raises(TypeError, match="unsupported operand"):
            op(x, other)
    assert x.__mul__(other) is NotImplemented
    assert (x == other) is False
    assert (x != other) is True


# In-place syntax


@pytest.mark.parametrize("op", [operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ipow])
def test_in_place_operators_move_the_name_and_leave_the_value(op):
    x = leaf(2.0, 3.0)
    h = x * 1.0
    part, square, value = h[0], h * h, h.data
    same = h
    h = op(h, 2.0)
    assert h is same
    assert h.tolist() == op(np.array([2.0, 3.0]), 2.0).tolist()
    assert (part.item(), square.tolist(), value.tolist()) == (2.0, [4.0, 9.0], [2.0, 3.0])
    (square.sum() + part + h.sum()).backward()
    slope = grad_of(lambda x: op(x * 1.0, 2.0), 2.0, 3.0)
    assert x.grad.tolist() == [4.0 + 1.0 + slope[0], 6.0 + slope[1]]


def test_a_constant_can_take_up_a_value_that_requires_grad():
    total, x = mg.zeros(2), leaf(1.0, 2.0)
    total += x * x
    assert total.requires_grad
    total.sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_in_place_syntax_never_writes_into_an_array_of_the_user():
    mine = np.array([1.0, 2.0])
    x = mg.asarray(mine)
    x += 1.0
    x[0] = 9.0
    assert mine.tolist() == [1.0, 2.0]
    assert x.tolist() == [9.0, 3.0]


def test_in_place_syntax_keeps_shape_and_dtype_or_refuses():
    x = mg.tensor([1, 2])
    for change, error in (
        (lambda: operator.itruediv(x, 2), TypeError),
        (lambda: operator.iadd(x, [[1], [2]]), ValueError),
    ):
        with pytest.raises(error, match="in-place") as caught:
            change()
        assert isinstance(caught.value, errors.MinigradError)
    assert x.tolist() == [1, 2]
    y = mg.tensor([1.0], dtype=np.float32)
    y += np.array([1.0])
    assert y.dtype == np.float32


def test_a_leaf_refuses_in_place_syntax_outside_no_grad():
    w = leaf(1.0, 2.0, name="weight")
    for change in (lambda: operator.iadd(w, 1.0), lambda: operator.setitem(w, 0, 1.0)):
        with pytest.raises(errors.GraphError, match=r"weight.*no_grad") as caught:
            change()
        assert isinstance(caught.value, RuntimeError)
    assert w.tolist() == [1.0, 2.0]
    assert w.is_leaf


def test_a_leaf_written_under_no_grad_stays_the_same_leaf_in_the_same_memory():
    w = leaf(1.0, 2.0, name="w")
    w.grad = [1.0, 1.0]
    node, memory, same = w.node, w.data, w
    with mg.no_grad():
        w -= 0.5 * w.grad
        w[1] = 9.0
    assert w is same
    assert (w.node is node, w.data is memory, w.is_leaf, w.requires_grad) == (True,) * 4
    assert (w.tolist(), w.grad.tolist(), w.name) == ([0.5, 9.0], [1.0, 1.0], "w")


def test_what_was_read_from_a_leaf_does_not_change_when_the_leaf_is_written():
    w = mg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    read = [
        w[0],
        w[:, 1],
        w[...],
        w[w > 1],
        w.detach(),
        w[0].detach(),
        w.T.detach(),
        w.reshape(4).detach(),
        next(iter(w)),
    ]
    before = [x.tolist() for x in read]
    with mg.no_grad():
        read += [w[0], w.detach()]
        before += [w[0].tolist(), w.tolist()]
        w *= 10.0
        w[0] = 7.0
    assert [x.tolist() for x in read] == before


def test_a_constant_that_becomes_a_leaf_shares_memory_with_no_value_of_a_graph():
    w = leaf(1.0, 2.0)
    h = w * 2.0
    state = h.detach().requires_grad_()
    loss = (h * h).sum()
    with mg.no_grad():
        state -= 1.0
    loss.backward()
    assert h.tolist() == [2.0, 4.0]
    assert w.grad.tolist() == [8.0, 16.0]


# Writing by index

INDICES = [
    0, -1, (1, 2), slice(None), slice(0, 2), (slice(None), 1), (..., slice(None, None, -2)), ..., (1, ...),
    [0, 1], [True, False], (slice(None), [0, 2]), ([0, 1], [2, 0]), np.array([[0, 1], [1, 0]]), (None, 0),
    np.arange(6).reshape(2, 3) % 2 == 0, (np.array([True, False]), 1), (mg.tensor(1), mg.tensor([0, 2])),
]  # fmt: skip


def _plain(index):
    """The index in NumPy's terms."""
    if isinstance(index, tuple):
        return tuple(map(_plain, index))
    return index.numpy() if isinstance(index, mg.Tensor) else index


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_written_elements_take_the_gradient_of_what_was_written(index):
    array = np.arange(6.0).reshape(2, 3)
    plain = _plain(index)
    x, v = mg.tensor(array, requires_grad=True), mg.tensor(np.asarray(array[plain] * 10 + 5), requires_grad=True)
    weights = np.arange(1.0, 7.0).reshape(2, 3)
    y = x * 1.0
    y[index] = v
    expected, kept = array.copy(), weights.copy()
    expected[plain], kept[plain] = v.data, 0.0
    assert y.tolist() == expected.tolist()
    (y * weights).sum().backward()
    assert x.grad.tolist() == kept.tolist()
    assert v.grad.sum().item() == weights.sum() - kept.sum()
    if not isinstance(index, np.ndarray) or index.dtype == bool:  # nothing is written twice
        assert v.grad.tolist() == weights[plain].tolist()


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_read_elements_pass_their_gradient_on_repeats_and_all(index):
    array = np.arange(6.0).reshape(2, 3)
    plain = _plain(index)
    x = mg.tensor(array, requires_grad=True)
    y = x[index]
    assert y.tolist() == array[plain].tolist()
    weights = np.arange(1.0, y.size + 1).reshape(y.shape)
    (y * weights).sum().backward()
    expected = np.zeros((2, 3))
    np.add.at(expected, plain, weights)
    assert x.grad.tolist() == expected.tolist()


def test_of_an_element_written_twice_only_the_last_writer_gets_a_gradient():
    x, v = leaf(1.0, 2.0, 3.0), leaf(10.0, 20.0, 30.0)
    y = x * 1.0
    y[[0, 2, 0]] = v
    assert y.tolist() == [30.0, 2.0, 20.0]
    (y * np.array([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.tolist() == [0.0, 10.0, 0.0]
    assert v.grad.tolist() == [0.0, 100.0, 1.0]


@each("shape", [(), (1,), (3,), (2, 1), (1, 1), (1, 2, 3)])
def test_what_is_written_broadcasts_and_its_gradient_is_summed(shape):
    v = mg.tensor(np.full(shape, 2.0), requires_grad=True)
    y = mg.zeros((2, 3))
    y[:] = v
    assert (y == 2.0).all()
    (y * np.arange(6.0).reshape(2, 3)).sum().backward()
    assert v.grad.shape == shape
    assert v.grad.sum().item() == 15.0


def test_writing_constants_numbers_and_lists_stops_the_gradient_there():
    x = leaf(1.0, 2.0, 3.0)
    y = x * x
    y[0], y[1:2] = 5, [7.0]
    y.sum().backward()
    assert y.tolist() == [5.0, 7.0, 9.0]
    assert x.grad.tolist() == [0.0, 0.0, 6.0]


def test_in_place_operators_on_elements_are_differentiable():
    x = leaf(1.0, 2.0, 3.0)
    y = x * 1.0
    y[0] += x[2]
    y[1:] *= y[0]
    y.sum().backward()
    assert y.tolist() == [4.0, 8.0, 12.0]
    assert x.grad.tolist() == [1.0 + 5.0, 4.0, 1.0 + 5.0 + 4.0]


def test_changing_an_index_afterwards_changes_nothing():
    x, index, mask = leaf(1.0, 2.0, 3.0), np.array([0, 1]), np.array([True, False, False])
    y = x[index].sum() + x[mask].sum()
    index[:], mask[:] = 2, False
    y.backward()
    assert x.grad.tolist() == [2.0, 1.0, 0.0]


# Values that were changed after use

USES_OF_THE_OLD_VALUE = {
    "w * w": lambda w: w * w,
    "exp after a view": lambda w: mg.square(w.T),
    "reshape": lambda w: mg.sin(w.reshape(4)),
    "ravel": lambda w: np.ravel(w) ** 2,
    "broadcast": lambda w: mg.broadcast_to(w, (3, 2, 2)) ** 2,
    "matmul": lambda w: w @ np.eye(2) @ w.mT,
    "swapaxes": lambda w: mg.cos(w.swapaxes(0, 1)),
    "squeeze": lambda w: mg.expand_dims(w, 0).squeeze(0) ** 3,
    "einsum": lambda w: mg.einsum("ij,ij->i", w, w),
}


@each("f", named(USES_OF_THE_OLD_VALUE))
@each("create_graph", [False, True])
def test_a_derivative_that_needs_a_value_changed_since_is_refused(f, create_graph):
    w = mg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True, name="the weights")
    loss = f(w).sum()
    with mg.no_grad():
        w -= 0.5  # the update
    with pytest.raises(errors.StaleValueError, match=r"'the weights'.*test_tensor\.py:\d+ `w -= 0\.5  # the update`"):
        loss.backward(create_graph=create_graph)
    assert w.grad is None
    f(w).sum().backward()
    assert w.grad is not None


def test_writing_by_index_counts_as_a_change_too():
    w = leaf(1.0, 2.0, name="w")
    loss = (w * w).sum()
    with mg.no_grad():
        w[0] = 5.0
    with pytest.raises(RuntimeError, match=r"'w'.*w\[0\] = 5\.0"):
        loss.backward()


DOES_NOT_NEED_THE_OLD_VALUE = {
    "sum": lambda w: w.sum(),
    "+": lambda w: (w + 1.0).sum(),
    "-": lambda w: (1.0 - w).sum(),
    "times a constant": lambda w: (w * np.arange(4.0).reshape(2, 2)).sum(),
    "divided by a constant": lambda w: (w / 4.0).sum(),
    "times another leaf": lambda w: (w * mg.tensor(np.ones((2, 2)))).sum(),
    "views": lambda w: w.T.reshape(4)[1:].sum(),
    "mean": lambda w: w.mean(axis=0).sum(),
    "concat": lambda w: mg.concat([w, w]).sum(),
    "exp needs its own result": lambda w: mg.exp(w).sum(),
    "what was read from it": lambda w: (w[0] * w[0]).sum(),
    "a copy": lambda w: ((w + 0.0) ** 2).sum(),
}


@each("f", named(DOES_NOT_NEED_THE_OLD_VALUE))
def test_a_derivative_that_does_not_need_the_changed_value_is_right(f):
    grads = []
    for update in (False, True):
        w = mg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        loss = f(w)
        if update:
            with mg.no_grad():
                w -= 0.5
        loss.backward()
        grads.append(w.grad.tolist())
    assert grads[0] == grads[1]


def test_a_change_before_use_or_of_another_leaf_does_no_harm():
    v, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    with mg.no_grad():
        w += 1.0
    loss = (w * w).sum()
    with mg.no_grad():
        v += 1.0
    loss.backward()
    assert w.grad.tolist() == [8.0, 10.0]


# Conversions


def test_what_a_tensor_says_of_itself():
    x = mg.tensor(np.ones((2, 3), np.float32), requires_grad=True, name="x")
    assert (x.shape, x.ndim, x.size, x.dtype, len(x)) == ((2, 3), 2, 6, np.float32, 2)
    assert (x.requires_grad, x.is_leaf, x.name, x.grad) == (True, True, "x", None)
    y = x.T
    assert (y.shape, y.requires_grad, y.is_leaf, y.name) == ((3, 2), True, False, None)
    y.name = "y"
    assert y.name == "y"
    assert mg.tensor(1).is_leaf


def test_conversions_of_constants():
    assert float(mg.tensor(2.5)) == 2.5
    assert int(mg.tensor([2.7])) == 2
    assert complex(mg.tensor(2.5)) == 2.5 + 0j
    assert [10, 20][mg.tensor(1)] == 20
    assert list(range(mg.tensor(3))) == [0, 1, 2]
    assert "ab" * mg.tensor(2).__index__() == "abab"
    assert mg.tensor([[1, 2]]).tolist() == [[1, 2]]
    assert type(mg.tensor(1.0).item()) is float
    assert type(mg.tensor([True]).item()) is bool
    assert math.sin(mg.tensor(1.0)) == math.sin(1.0)
    array = np.zeros(2)
    array[:] = mg.tensor([1.0, 2.0])
    assert array.tolist() == [1.0, 2.0]


def test_item_tolist_and_truth_are_for_reading_and_work_on_anything():
    x = leaf(3.0)
    assert (x.item(), (x * 2).tolist(), bool(x > 0), bool(x)) == (3.0, [6.0], True, True)
    assert (2.0 in leaf(1.0, 2.0), 5.0 in leaf(1.0, 2.0), mg.tensor(1.0) in leaf(1.0, 2.0)) == (True, False, True)


def test_numpy_and_detach_share_memory_except_with_what_may_be_written_to():
    c = mg.tensor([1.0, 2.0])
    assert np.shares_memory(c.numpy(), c.data)
    h = leaf(1.0, 2.0) * 2.0
    assert h.detach().numpy() is not None
    assert not h.detach().requires_grad
    w = leaf(1.0, 2.0)
    assert not np.shares_memory(w.detach().numpy(), w.data)
    total = leaf(1.0, 2.0).sum().detach()
    assert isinstance(total.numpy(), np.ndarray)
    assert total.numpy().shape == ()


CUTS = {
    "float": float,
    "int": int,
    "complex": complex,
    "math.sin": math.sin,
    "numpy()": lambda x: x.numpy(),
    "np.asarray": np.asarray,
    "np.array": np.array,
    "np.array of a list": lambda x: np.array([x, x]),
    "tensor of a list": lambda x: mg.tensor([x, x]),
    "np.float64": np.float64,
    "buffer[:]": lambda x: operator.setitem(np.zeros(1), slice(None), x),
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_conversions_that_would_cut_the_graph_are_refused(cut):
    for x in (mg.tensor(1.0, requires_grad=True), leaf(1.0) * 2.0):
        with pytest.raises(errors.CutError, match=r"detach\(\)|item\(\)") as caught:
            cut(x)
        assert isinstance(caught.value, TypeError)
        assert isinstance(caught.value, RuntimeError)


def test_an_element_of_an_array_is_not_assigned_either():
    array = np.zeros(2)
    with pytest.raises(ValueError, match="setting an array element") as caught:  # NumPy's words, ours are the cause
        array[0] = leaf(1.0)[0]
    assert isinstance(caught.value.__cause__, errors.CutError)
    assert array.tolist() == [0.0, 0.0]


def test_iteration_and_unpacking_are_differentiable():
    x = leaf(1.0, 2.0, 3.0)
    a, b, c = x
    (a * b + c).backward()
    assert x.grad.tolist() == [2.0, 1.0, 1.0]


def test_a_sequence_of_one_dimension_less_is_what_iteration_gives():
    assert [row.tolist() for row in mg.tensor([[1, 2], [3, 4]])] == [[1, 2], [3, 4]]
    assert [row.tolist() for row in reversed(mg.tensor([1, 2]))] == [2, 1]
    with pytest.raises(TypeError, match="no length"):
        iter(mg.tensor(1.0)).__next__()


def test_tensors_are_hashable_by_identity():
    x, y = leaf(1.0), leaf(1.0)
    assert len({x, y, x}) == 2
    assert {x: "x"}[x] == "x"


# Display


def test_repr_says_what_is_special():
    x = leaf(1.0, 2.0)
    assert repr(mg.tensor([1.0, 2.0])) == "tensor([1., 2.])"
    assert repr(mg.tensor([1, 2])) == "tensor([1, 2])"
    assert repr(x) == str(x) == "tensor([1., 2.], requires_grad=True)"
    assert repr(x * 2) == "tensor([2., 4.], op=multiply)"
    assert repr(mg.tensor([1.0], dtype=np.float32, requires_grad=True, name="w")) == (
        "tensor([1.], dtype=float32, name='w', requires_grad=True)"
    )
    assert repr(x.sum()) == "tensor(3., op=sum)"
    assert len(repr(mg.zeros((1000, 1000)))) < 1000


def test_format_applies_to_single_numbers():
    x = leaf(1.5)
    assert f"{x.sum():.3f} {x:6.2f}|{mg.tensor(7):>4d}|" == "1.500   1.50|   7|"
    assert f"{leaf(1.0, 2.0)}" == "tensor([1., 2.], requires_grad=True)"
    with pytest.raises((TypeError, ValueError)):
        f"{leaf(1.0, 2.0):.2f}"


class _Balance(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_html_is_well_formed_and_escaped():
    x = mg.tensor([1.0, 2.0], requires_grad=True, name="<script>&")
    for tensor in (x, x * 2.0, mg.tensor([[1]])):
        text = tensor._repr_html_()
        parser = _Balance()
        parser.feed(text)
        assert not parser.open
        assert "script" not in parser.seen
        assert str(tensor.shape) in text
    assert "&lt;script&gt;&amp;" in x._repr_html_()


# Copies

COPIES = {
    "deepcopy": copy.deepcopy,
    **{f"pickle {n}": lambda x, n=n: pickle.loads(pickle.dumps(x, n)) for n in range(6)},
}


@pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES)
def test_copies_carry_the_value_in_their_own_memory(duplicate):
    x = mg.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True, name="x")
    constant = mg.tensor([1, 2], dtype=np.int8)
    for original in (x, constant, x.T.detach(), (x * 2).sum().detach(), mg.tensor(3.0, requires_grad=True)):
        twin = duplicate(original)
        assert type(twin) is mg.Tensor
        assert (twin.tolist(), twin.dtype, twin.shape) == (original.tolist(), original.dtype, original.shape)
        assert twin.requires_grad == original.requires_grad
        assert twin.name == original.name
        assert twin.is_leaf
        assert not np.shares_memory(twin.data, original.data)
    twin = duplicate(x)
    with mg.no_grad():
        twin += 1.0
    (twin * x).sum().backward()
    assert x.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert twin.grad.tolist() == x.tolist()


def test_a_container_is_deepcopied_with_its_identities():
    x = leaf(1.0)
    first, second, results = copy.deepcopy([x, x, {"y": (x * 2).detach()}])
    assert first is second
    assert first is not x
    assert results["y"].tolist() == [2.0]


@pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES)
def test_a_copy_of_a_leaf_has_its_gradient(duplicate):
    for shape in ((), (3,)):
        x = mg.tensor(np.full(shape, 2.0), requires_grad=True)
        assert duplicate(x).grad is None
        (x * x).sum().backward(create_graph=True)
        twin = duplicate(x)
        assert twin.grad.tolist() == np.full(shape, 4.0).tolist()
        assert not np.shares_memory(twin.grad.data, x.grad.data)
        assert not twin.grad.requires_grad
        twin.grad.data[...] = 0.0
        assert x.grad.tolist() == np.full(shape, 4.0).tolist()


@pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES)
def test_a_result_is_not_copied_without_its_history(duplicate):
    x = leaf(1.0)
    for result in (x * 2, x.T if x.ndim == 2 else x.mean(), x[0]):
        with pytest.raises(mg.errors.CutError, match="would have no history"):
            duplicate(result)
        with pytest.raises(mg.errors.CutError, match=r"take that of t.detach\(\)"):
            duplicate({"hidden": [result]})
    with mg.no_grad():
        assert duplicate(x * 2).tolist() == [2.0]


def test_a_shallow_copy_is_another_name_for_the_same_value():
    x = leaf(1.0, 2.0)
    h = x * 2.0
    other = copy.copy(h)
    h += 1.0
    assert other.tolist() == [2.0, 4.0]
    other.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
    assert copy.copy(x).node is x.node


def test_copies_never_walk_the_graph():
    y = mg.tensor(1.0, requires_grad=True)
    for _ in range(100_000):
        y = y + 1.0
    assert copy.copy(y).item() == 100_001.0
    for duplicate in COPIES.values():
        with pytest.raises(mg.errors.CutError):
            duplicate(y)
        assert duplicate(y.detach()).item() == 100_001.0


# grad and hooks


def test_grad_can_be_assigned_and_reset():
    x = mg.tensor([1.0, 2.0], dtype=np.float32, requires_grad=True)
    for value in ([1, 2], np.array([1.0, 2.0]), mg.tensor([1.0, 2.0]), (1.0, 2.0)):
        x.grad = value
        assert (x.grad.tolist(), x.grad.dtype) == ([1.0, 2.0], np.float32)
    (x * x).sum().backward()
    assert x.grad.tolist() == [3.0, 6.0]
    x.grad = None
    assert x.grad is None


@pytest.mark.parametrize(
    ("value", "error"), [([1.0], ValueError), (1.0, ValueError), ([1j, 2j], TypeError), (["a", "b"], TypeError)]
)
def test_a_grad_that_does_not_fit_is_refused_and_the_old_one_kept(value, error):
    x = leaf(1.0, 2.0)
    x.grad = [5.0, 6.0]
    with pytest.raises(error, match="gradient") as caught:
        x.grad = value
    assert isinstance(caught.value, errors.MinigradError)
    assert x.grad.tolist() == [5.0, 6.0]


def test_a_constant_has_no_grad():
    x = mg.tensor([1.0])
    assert x.grad is None
    with pytest.raises(errors.GraphError):
        x.grad = [1.0]


def test_results_of_operations_keep_their_grad_only_when_asked():
    x = leaf(1.0, 2.0)
    kept, other = x * 3.0, x * 5.0
    kept.retain_grad()
    (kept * other).sum().backward()
    assert kept.grad.tolist() == [5.0, 10.0]
    with pytest.warns(UserWarning, match="retain_grad") as caught:
        assert other.grad is None
    assert caught[0].filename == __file__


def test_reading_the_grad_of_a_leaf_or_a_constant_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert leaf(1.0).grad is None
        assert mg.tensor(1.0).grad is None


def test_a_grad_assigned_to_a_result_is_not_lost():
    y = leaf(1.0, 2.0) * 2.0
    y.retain_grad()
    y.grad = [1.0, 1.0]
    assert y.grad.tolist() == [1.0, 1.0]


def test_hooks_run_in_order_and_may_replace_the_gradient():
    x, seen = leaf(1.0, 2.0), []
    x.register_hook(lambda g: seen.append(g.tolist()))
    x.register_hook(lambda g: g * 10.0)
    x.register_hook(lambda g: seen.append(g.tolist()))
    x.register_hook(lambda g: g + 1.0)
    (x * x).sum().backward()
    assert seen == [[2.0, 4.0], [20.0, 40.0]]
    assert x.grad.tolist() == [21.0, 41.0]


def test_a_hook_on_a_result_changes_what_flows_further_down_and_sees_the_whole_sum():
    x, seen = leaf(1.0, 2.0), []
    h = x * 2.0
    h.register_hook(lambda g: (seen.append(g.tolist()), mg.clip(g, max=5.0))[1])
    h.retain_grad()
    (h + h * h).sum().backward()
    assert seen == [[5.0, 9.0]]
    assert h.grad.tolist() == [5.0, 5.0]
    assert x.grad.tolist() == [10.0, 10.0]


def test_a_removed_hook_is_gone_and_may_be_removed_twice_even_while_hooks_run():
    x, seen = leaf(1.0), []
    removals = [x.register_hook(lambda g, i=i: seen.append(i)) for i in range(3)]
    removals.append(x.register_hook(lambda g: removals[2]()))
    removals[1]()
    removals[1]()
    (x * x).sum().backward()
    (x * x).sum().backward()
    assert seen == [0, 2, 0]
    late = x.register_hook(lambda g: seen.append("late"))
    removals[2]()
    (x * x).sum().backward()
    assert seen == [0, 2, 0, 0, "late"]
    late()


def test_removing_an_old_hook_does_not_remove_a_newer_one():
    x, seen = leaf(1.0), []
    first = x.register_hook(lambda g: seen.append("first"))
    first()
    x.register_hook(lambda g: seen.append("second"))
    first()
    (x * x).sum().backward()
    assert seen == ["second"]


def test_a_hook_that_returns_another_shape_is_named():
    def lopsided(g):
        return g[0]

    x = leaf(1.0, 2.0)
    x.register_hook(lopsided)
    with pytest.raises(errors.ShapeError, match=r"lopsided.*\(\).*\(2,\)"):
        (x * x).sum().backward()
    assert x.grad is None


def test_hooks_see_tensors_and_record_under_create_graph_only():
    x, seen = leaf(1.0, 2.0), []
    x.register_hook(lambda g: seen.append((type(g), (g * g).requires_grad)))
    loss = (x * x).sum()
    loss.backward(retain_graph=True)
    loss.backward(create_graph=True)
    assert seen == [(mg.Tensor, False), (mg.Tensor, True)]


# requires_grad


@pytest.mark.parametrize("make", [
    lambda: mg.tensor([1, 2], requires_grad=True),
    lambda: mg.Tensor([True], requires_grad=True),
    lambda: mg.tensor([1, 2]).requires_grad_(),
    lambda: mg.zeros(2, dtype=int, requires_grad=True),
    lambda: setattr(mg.tensor(1), "requires_grad", True),
])  # fmt: skip
def test_integers_cannot_require_grad(make):
    with pytest.raises(TypeError, match="floating-point") as caught:
        make()
    assert isinstance(caught.value, errors.DTypeError)


def test_requires_grad_can_be_switched_on_and_off():
    x = mg.tensor([1.0, 2.0])
    assert x.requires_grad_(name="x") is x
    assert (x.requires_grad, x.name) == (True, "x")
    (x * x).sum().backward()
    x.requires_grad = False
    assert (x.requires_grad, x.grad, (x * x).requires_grad) == (False, None, False)
    y = leaf(1.0) * 2.0
    with pytest.raises(RuntimeError, match="leaf"):
        y.requires_grad = False
    assert y.requires_grad


def test_operations_without_derivative_and_integer_results_do_not_require_grad():
    x = leaf(1.5, 2.5)
    for y in (x > 1, mg.argmax(x), x.astype(int), mg.isnan(x), x == x):
        assert not y.requires_grad
    assert (x.astype(np.float32)).requires_grad


# Together with ndarrays


def test_ndarrays_and_scalars_on_the_left_give_tensors():
    x = leaf(1.0, 2.0)
    for y in (np.ones(2) + x, np.float64(2) * x, np.ones(2) @ x, np.int64(1) / x, np.ones(2) ** x, np.ones(2) == x):
        assert type(y) is mg.Tensor


def test_minigrads_functions_of_ndarrays_give_ndarrays():
    array = np.array([1.0, 2.0])
    for y in (
        mg.exp(array),
        mg.add(array, 1),
        mg.concat([array, array]),
        mg.softmax(array),
        mg.where(array > 1, array, 0),
    ):
        assert type(y) is np.ndarray
    assert isinstance(mg.sum(array), np.float64)
    assert isinstance(mg.mean(2.0), float)


# Making Tensors


def test_the_default_dtype_is_for_floats_that_have_none():
    try:
        mg.set_default_dtype(np.float32)
        assert mg.get_default_dtype() == np.float32
        for x in (mg.tensor(1.5), mg.tensor([1.0, 2.0]), mg.zeros(2), mg.ones(2), mg.full(2, 1.5), mg.linspace(0, 1, 3),
                  mg.eye(2), mg.arange(0.0, 2.0), mg.asarray([1.5]), mg.empty(2)):  # fmt: skip
            assert x.dtype == np.float32
            assert (x * 2.5).dtype == np.float32
        assert mg.tensor(np.array([1.5])).dtype == np.float64
        assert mg.tensor(np.float64(1.5)).dtype == np.float64
        assert (mg.tensor([1]).dtype, mg.arange(3).dtype, mg.full(2, 1).dtype) == (np.int64,) * 3
        assert mg.tensor([1.5], dtype=np.float16).dtype == np.float16
    finally:
        mg.set_default_dtype(np.float64)
    for bad in (int, "complex128", bool):
        with pytest.raises(errors.DTypeError, match="floating-point"):
            mg.set_default_dtype(bad)
    assert mg.tensor(1.5).dtype == np.float64


def test_tensor_copies_and_asarray_shares():
    array = np.array([1.0, 2.0])
    copied, also_copied, shared = mg.tensor(array), mg.Tensor(array), mg.asarray(array)
    array[0] = 9.0
    assert (copied.tolist(), also_copied.tolist(), shared.tolist()) == ([1.0, 2.0], [1.0, 2.0], [9.0, 2.0])
    assert mg.asarray(shared) is shared
    x = leaf(1.0)
    assert mg.tensor(x.detach()).requires_grad is False


def test_reshape_and_transpose_take_numpys_spellings():
    x = mg.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    for y in (x.reshape(3, 2), x.reshape((3, 2)), x.reshape([3, 2]), x.reshape(-1, 2), x.reshape(mg.tensor(3), 2)):
        assert y.tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    for y in (x.T, x.mT, x.transpose(), x.transpose(1, 0), x.transpose((1, 0)), x.transpose([-1, 0]), x.swapaxes(0, 1)):
        assert y.tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
    assert x.flatten().shape == x.ravel().shape == x.reshape(-1).shape == (6,)
