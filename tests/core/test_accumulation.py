"""Gradients that add up: in the walk, in `grad`, from several passes and threads; and whose memory they have."""

import os
import sys
import threading
import tracemalloc

import numpy as np
import pytest

import minigrad as mg
from minigrad import core
from minigrad.core import Operation, name_of
from tests.op_tables import TABLE
from tests.rows import each


def leaf(value, **how):
    return mg.tensor(value, requires_grad=True, **how)


# Single numbers: NumPy makes scalars of them, which cannot be written to

USES = {
    "x[None]": lambda x: x[None],
    "x[...]": lambda x: x[...],
    "x[()]": lambda x: x[()],
    "x[None, None]": lambda x: x[None, None],
    "x[True]": lambda x: x[True],
    "2x": lambda x: x * 2,
    "x + 1": lambda x: x + 1,
    "reshape": lambda x: mg.reshape(x, (1, *x.shape)),
    "stack": lambda x: mg.stack([x, x]),
}
SLOPES = {"2x": 2.0, "stack": 2.0}


@each("dtype", [np.float64, np.float32, np.complex128])
@each("shape", [(), (1,), (2, 3)])
@each("first", USES)
def test_a_leaf_used_in_several_ways_gets_the_sum(first, shape, dtype):
    for second in USES:
        for third in USES:
            if shape and "x[True]" in (first, second, third):
                continue
            x = leaf(np.full(shape, 2.0, dtype))
            total = sum(mg.real(USES[use](x)).sum() for use in (first, second, third))
            total.backward()
            expected = sum(SLOPES.get(use, 1.0) for use in (first, second, third))
            assert isinstance(x.grad.data, np.ndarray)
            np.testing.assert_array_equal(x.grad.data, np.full(shape, expected, dtype), strict=True)


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_grad_is_always_an_array_that_can_be_written_to(create_graph):
    w = leaf(3.0)
    for n in (1, 2, 3):
        (w * w).backward(create_graph=create_graph)
        assert isinstance(w.grad.data, np.ndarray)
        assert w.grad.item() == 6.0 * n
    w.grad.data[...] = 1.0
    assert w.grad.item() == 1.0
    for found in mg.autograd.grad(w * w, [w, w], create_graph=create_graph):
        assert isinstance(found.data, np.ndarray)


def test_accumulated_single_numbers_can_be_clipped():
    w = leaf(3.0)
    (w * w).backward()
    (w * w).backward()
    assert mg.nn.utils.clip_grad_norm_([w], 1.0) == 12.0
    assert w.grad.item() == pytest.approx(1.0, abs=1e-6)
    (w * w).backward()
    mg.nn.utils.clip_grad_value_([w], 0.5)
    assert w.grad.item() == 0.5


# Memory


@each("row", [row for row in TABLE if row.orders], row=lambda row: row.operation)
def test_our_rules_return_the_gradient_itself_or_a_view_or_an_array_of_their_own(row):
    """The walk adds into such an array, and gives it away as `grad`."""
    for case in row.cases:
        nodes = []

        class Watcher(mg.graph.recording):
            def computed(self, node, begun, nodes=nodes):
                nodes.append(node)

        leaves = [name_of(x, core.leaf(x)) for x in case.floats()]
        with Watcher():
            case(*case.filled(leaves))
        for node in nodes:
            made = node.op.primitive
            if not made.differentiable or not made.ours or node.value.dtype.kind not in "fc":
                continue
            g = np.cos(np.arange(node.value.size)).reshape(node.value.shape).astype(node.value.dtype)
            known = (g, node.value, *node.args)
            made_before = []
            for _ in range(2):
                with np.errstate(all="ignore"):
                    parts = _parts(node, known)
                arrays = [x for x in parts if isinstance(x, np.ndarray) and x is not g and x.base is None]
                held = [x for x in (*known, *node.op.params.values(), *made_before) if isinstance(x, np.ndarray)]
                assert not any(x is other for x in arrays for other in held), f"{made.name} in {case}"
                assert len({id(x) for x in arrays}) == len(arrays), f"{made.name} in {case}"
                made_before = arrays


def _parts(node, known):
    """What the rules of a node return for the operands that require grad."""
    made, params = node.op.primitive, node.op.params
    if made.saves:
        params = {**params, "saved": node.op.saved}
    if made.joint is not None:
        return [part for part, x in zip(made.joint(*known, **params), node.inputs, strict=True) if x is not None]
    rules = zip(made.rules_of(len(node.inputs)), node.inputs, strict=True)
    return [rule(*known, **params) for rule, x in rules if rule is not None and x is not None]


def test_the_peak_of_a_square_and_its_sum():
    x = leaf(np.ones(1_000_000))
    size = x.data.nbytes
    (x * x).sum().backward()
    x.grad = None
    tracemalloc.start()
    try:
        (x * x).sum().backward()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3.1 * size  # the square, and two gradients


@pytest.mark.parametrize("create_graph", [False, True])
def test_leaves_that_a_sum_gives_one_gradient_have_memory_of_their_own(create_graph):
    a, b = (leaf(np.ones(3)) for _ in "ab")
    w = mg.tensor(np.arange(3.0))
    ((a + b) * w).sum().backward(create_graph=create_graph)
    assert not np.shares_memory(a.grad.data, b.grad.data)
    a.grad.data[...] = 7.0
    assert b.grad.tolist() == w.tolist() == [0.0, 1.0, 2.0]


def test_a_checkpoints_gradients_have_memory_of_their_own():
    a, b = leaf(np.ones(3)), leaf(np.ones(3))
    outer = leaf(np.ones(3))
    mg.checkpoint(lambda x, y: x + y + outer)(a, b).sum().backward()
    grads = [x.grad.data for x in (a, b, outer)]
    assert [g.tolist() for g in grads] == [[1.0] * 3] * 3
    assert not any(np.shares_memory(grads[i], grads[j]) for i in range(3) for j in range(i))


# Rules that return what is no gradient

WRONG = {
    "a tuple": lambda g, y, x: (g, g),
    "a list": lambda g, y, x: [g],
    "a NoneType": lambda g, y, x: None,
    "a str": lambda g, y, x: "g",
    "a dict": lambda g, y, x: {"g": g},
    "an array of object": lambda g, y, x: np.full(x.shape, None),
    "an array of <U1": lambda g, y, x: np.full(x.shape, "g"),
}


@each("create_graph", [False, True])
@each("what", WRONG)
def test_a_rule_that_returns_no_array_is_refused(what, create_graph):
    doubled = core.Primitive(_doubled, (WRONG[what],), None, None)
    x = leaf([1.0, 2.0])
    y = core.apply(Operation(doubled, {}), (x,))
    with pytest.raises(mg.errors.DTypeError, match=f"rule of doubled returned {what} .*one array"):
        y.sum().backward(create_graph=create_graph)
    assert x.grad is None


JOINTLY_WRONG = {
    "an array": lambda g: g,
    "a stack": lambda g: np.stack([g, g]),
    "a dict": lambda g: {"a": g, "b": g},
    "None": lambda g: None,
    "an iterator": lambda g: iter((g, g)),
    "a text": lambda g: "gg",
    "one": lambda g: (g,),
    "three": lambda g: (g, g, g),
}


@pytest.mark.parametrize("what", JOINTLY_WRONG)
def test_a_joint_rule_that_returns_no_sequence_of_gradients_is_refused(what):
    total = core.Primitive(_total, (), lambda g, y, a, b: JOINTLY_WRONG[what](g), None)
    x = leaf([1.0, 2.0])
    with pytest.raises(mg.errors.ShapeError, match=r"joint rule of total.*sequence with one for each"):
        core.apply(Operation(total, {}), (x, x)).sum().backward()


@pytest.mark.parametrize("returned", [lambda g: ((g, g), g), lambda g: ("a", "b")])
def test_a_joint_rule_whose_gradients_are_no_arrays_is_refused(returned):
    total = core.Primitive(_total, (), lambda g, y, a, b: returned(g), None)
    x = leaf([1.0, 2.0])
    with pytest.raises(mg.errors.DTypeError, match="rule of total returned a"):
        core.apply(Operation(total, {}), (x, x)).sum().backward()


def _total(a, b, /):
    return a + b


def _doubled(x, /):
    return 2 * x


@pytest.mark.parametrize("slope", [2, 2.0, np.float64(2), np.float32(2), True])
def test_a_rule_may_return_a_number_for_a_number(slope):
    doubled = core.Primitive(_doubled, (lambda g, y, x: slope,), None, None)
    x = leaf(1.5)
    core.apply(Operation(doubled, {}), (x,)).backward()
    assert x.grad.item() == float(slope)
    assert x.grad.dtype == np.float64


# Threads


def _together(count, run):
    barrier, failed = threading.Barrier(count), []

    def begin(i):
        barrier.wait(30)
        try:
            run(i)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=begin, args=(i,)) for i in range(count)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not failed


@pytest.mark.parametrize("create_graph", [False, True])
def test_no_gradient_of_a_shared_leaf_is_lost(create_graph):
    w, lonely = leaf([1.0, 2.0]), leaf(1.0)

    def run(i):
        for _ in range(100):
            (w * float(i + 1) + lonely).sum().backward(create_graph=create_graph)

    _together(4, run)
    assert w.grad.tolist() == [1000.0, 1000.0]
    assert lonely.grad.item() == 800.0


def test_threads_train_one_model_by_graphs_of_their_own():
    mg.manual_seed(0)
    model = mg.nn.Sequential(mg.nn.Linear(3, 4), mg.nn.Tanh(), mg.nn.Linear(4, 2))
    x = np.arange(6.0).reshape(2, 3)

    def run(_):
        for _ in range(25):
            model(x).sum().backward()

    model(x).sum().backward()
    once = [p.grad.data.copy() for p in model.parameters()]
    model.zero_grad()
    _together(8, run)
    for p, g in zip(model.parameters(), once, strict=True):
        np.testing.assert_allclose(p.grad.data, 200 * g, rtol=1e-12)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_process_can_go_backward_though_a_thread_was_at_it_when_it_was_made():
    x, done = leaf(np.ones(50_000)), threading.Event()

    def run():
        while not done.is_set():
            (x * 2.0).sum().backward()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        for _ in range(10):
            child = os.fork()
            if child == 0:
                y = leaf(1.0)
                (y * y).backward()
                os._exit(int(y.grad.item() != 2.0))
            assert os.waitpid(child, 0)[1] == 0
    finally:
        done.set()
        thread.join()
