"""Optimizers: their input, groups, state and memory.  Their arithmetic is compared in test_references."""

import copy
import gc
import tracemalloc

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, nn
from minigrad.optim import SGD, Adam

F = nn.functional
KINDS = [
    pytest.param(lambda params: SGD(params, lr=0.1), id="SGD"),
    pytest.param(lambda params: SGD(params, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01), id="nesterov"),
    pytest.param(lambda params: Adam(params, lr=0.1), id="Adam"),
    pytest.param(lambda params: Adam(params, lr=0.1, amsgrad=True, weight_decay=0.01), id="amsgrad"),
]
each_kind = pytest.mark.parametrize("make", KINDS)


def leaf(*values):
    return mg.tensor(list(values), requires_grad=True)


def descend(optimizer, *params, steps=1):
    for _ in range(steps):
        optimizer.zero_grad()
        sum((mg.cos(p) * p).sum() for p in params).backward()
        optimizer.step()


# Bad input


def test_there_must_be_parameters():
    with pytest.raises(ValueError, match="no parameters"):
        SGD([])
    parameters = nn.Linear(1, 1).parameters()
    SGD(parameters)
    with pytest.raises(ValueError, match="an exhausted iterator"):
        SGD(parameters)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: leaf(1.0), errors.DTypeError, r"write \[w\] instead of w"),
        (lambda: [np.ones(2)], errors.DTypeError, "parameter 0 is no Tensor but ndarray"),
        (lambda: nn.Linear(1, 1).named_parameters(), errors.DTypeError, "parameter 0 is no Tensor but tuple"),
        (lambda: [leaf(1.0), leaf(1.0) * 2.0], errors.GraphError, "parameter 1 is no leaf"),
        (lambda: [mg.ones(2)], errors.GraphError, "parameter 0 is no leaf that requires grad"),
        (lambda: [leaf(1.0)] * 2, ValueError, r"parameter 1, of shape \(1,\), is there twice"),
        (lambda: [{"params": [w]} for w in [leaf(1.0)] * 2], ValueError, "is there twice"),
    ],
    ids=["tensor", "array", "named", "result", "constant", "twice", "groups"],
)
def test_parameters_are_different_leaves(make, error, words):
    with pytest.raises(error, match=words):
        SGD(make())


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
@pytest.mark.parametrize(
    ("kind", "option"), [(SGD, "lr"), (SGD, "momentum"), (SGD, "weight_decay"), (Adam, "lr"), (Adam, "eps")]
)
def test_options_are_numbers_of_at_least_0(kind, option, bad):
    with pytest.raises(ValueError, match=f"{kind.__name__}: {option} must be a number of at least 0"):
        kind([leaf(1.0)], **{option: bad})
    with pytest.raises(ValueError, match=option):
        kind([{"params": [leaf(1.0)], option: bad}])


@pytest.mark.parametrize("options", [{}, {"momentum": 0.9, "dampening": 0.1}])
def test_nesterov_needs_plain_momentum(options):
    with pytest.raises(ValueError, match="nesterov needs a momentum above 0 and no dampening"):
        SGD([leaf(1.0)], nesterov=True, **options)


@pytest.mark.parametrize("betas", [(1.0, 0.9), (0.9, 1.0), (-0.1, 0.9), (0.9, float("nan"))])
def test_betas_are_below_1(betas):
    with pytest.raises(ValueError, match="betas must be two numbers from 0 to 1, without 1"):
        Adam([leaf(1.0)], betas=betas)


# Steps


def test_groups_have_options_of_their_own():
    a, b, c = leaf(1.0), leaf(1.0), leaf(1.0)
    optimizer = SGD([{"params": [a]}, {"params": b, "lr": 0.5}], lr=0.1)
    optimizer.add_param_group({"params": [c], "maximize": True})
    (a * 1.0 + b + c).sum().backward()
    optimizer.step()
    np.testing.assert_allclose([a.item(), b.item(), c.item()], [0.9, 0.5, 1.1])
    optimizer.param_groups[0]["lr"] = 0.0
    optimizer.step()
    np.testing.assert_allclose([a.item(), b.item(), c.item()], [0.9, 0.0, 1.2])
    assert repr(optimizer).count("1 parameters: lr=") == 3


@each_kind
def test_parameters_without_gradient_are_skipped(make):
    used, idle = leaf(1.0), leaf(1.0)
    optimizer = make([used, idle])
    descend(optimizer, used)
    assert used.item() != 1.0
    assert idle.item() == 1.0
    assert idle not in optimizer.state


def test_a_closure_is_called_with_recording_on():
    w = leaf(4.0)
    optimizer = SGD([w], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with mg.no_grad():
        assert optimizer.step(closure).item() == 16.0
    assert w.item() == 2.0
    assert optimizer.step() is None


def test_zero_grad_forgets_or_fills():
    w, idle = leaf(4.0), leaf(1.0)
    optimizer = SGD([w, idle])
    (w * w).sum().backward()
    optimizer.zero_grad(set_to_none=False)
    assert (w.grad.tolist(), idle.grad) == ([0.0], None)
    optimizer.zero_grad()
    assert w.grad is None


@each_kind
def test_a_step_keeps_leaf_memory_and_gradient(make):
    w = leaf(1.0, 2.0)
    optimizer = make([w])
    node, memory = w.node, w.data
    descend(optimizer, w, steps=3)
    assert w.is_leaf
    assert w.requires_grad
    assert w.node is node
    assert w.data is memory
    gradient = w.grad.tolist()
    optimizer.step()
    assert w.grad.tolist() == gradient


@each_kind
def test_backward_through_an_old_graph_is_refused(make):
    w = leaf(1.0, 2.0)
    optimizer = make([w])
    old = (w * w).sum()
    descend(optimizer, w)
    with pytest.raises(errors.StaleValueError, match="written to"):
        old.backward()


@each_kind
@pytest.mark.parametrize("values", [[2.0], [[1.0, 2.0], [3.0, 4.0]], 2.0], ids=["vector", "matrix", "scalar"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shapes_and_dtypes_are_kept(make, values, dtype):
    w = mg.tensor(values, dtype=dtype, requires_grad=True)
    optimizer = make([w])
    descend(optimizer, w, steps=2)
    kept = [v for v in optimizer.state[w].values() if isinstance(v, np.ndarray)]
    assert {(a.shape, a.dtype) for a in (w.data, *kept)} == {(np.shape(values), np.dtype(dtype))}


# State


@each_kind
def test_state_continues_bit_for_bit(make):
    def fresh():
        return leaf(0.3, 2.0), leaf(-1.0)

    ours = fresh()
    straight = make(ours)
    descend(straight, *ours, steps=5)
    theirs = [mg.tensor(p.data, requires_grad=True) for p in ours]
    resumed = make(theirs)
    saved = straight.state_dict()
    resumed.load_state_dict(saved)
    descend(straight, *ours, steps=5)
    descend(resumed, *theirs, steps=5)
    assert [p.data.tobytes() for p in ours] == [p.data.tobytes() for p in theirs]
    again = make(fresh())
    again.load_state_dict(saved)  # later steps have not changed it
    assert str(again.state_dict()) == str(saved)


@each_kind
def test_a_misfit_state_changes_nothing(make):
    w = leaf(1.0, 2.0)
    optimizer = make([w])
    descend(optimizer, w)
    before = str(optimizer.state_dict())
    misshapen = optimizer.state_dict()
    misshapen["state"][0] = {"momentum_buffer": np.ones(3)}
    misshapen["param_groups"][0]["lr"] = 7.0
    other = make([leaf(1.0), leaf(2.0)]).state_dict()
    for state in (misshapen, other):
        with pytest.raises(errors.StateDictError):
            optimizer.load_state_dict(state)
        assert str(optimizer.state_dict()) == before


@each_kind
def test_a_model_and_its_optimizer_are_copied_together(make):
    model = nn.Linear(2, 1)
    optimizer = make(model.parameters())
    descend(optimizer, *model.parameters())
    model_copy, optimizer_copy = copy.deepcopy((model, optimizer))
    assert optimizer_copy.param_groups[0]["params"][0] is model_copy.weight
    descend(optimizer, *model.parameters())
    descend(optimizer_copy, *model_copy.parameters())
    assert model.weight.data.tobytes() == model_copy.weight.data.tobytes()


@each_kind
def test_memory_does_not_grow(make):
    mg.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(50, 50), nn.Tanh(), nn.Linear(50, 1)), mg.random.randn(8, 50)
    optimizer = make(model.parameters())

    def train(steps):
        for _ in range(steps):
            optimizer.zero_grad()
            F.mse_loss(model(x), mg.zeros((8, 1))).backward()
            optimizer.step()
        gc.collect()  # it also empties Python's stores of freed objects, which would be counted
        return tracemalloc.get_traced_memory()[0]

    train(5)
    addresses = [p.data.ctypes.data for p in model.parameters()]
    tracemalloc.start()
    try:
        before = train(5)
        grown = train(50) - before
    finally:
        tracemalloc.stop()
    assert grown < 5_000
    assert [p.data.ctypes.data for p in model.parameters()] == addresses


def test_a_parameter_that_is_frozen_later_is_passed_over():
    p, q = (mg.tensor([1.0], requires_grad=True) for _ in range(2))
    optimizer = mg.optim.SGD([p, q], lr=0.1)
    (p + q).sum().backward()
    p.requires_grad_(False)
    optimizer.step()
    optimizer.zero_grad()
    assert (p.tolist(), q.tolist(), q.grad) == ([1.0], [0.9], None)


def test_amsgrad_may_be_switched_on_later():
    p = mg.tensor([1.0], requires_grad=True)
    optimizer = mg.optim.Adam([p])
    for _ in range(2):
        p.grad = np.ones(1)
        optimizer.step()
        optimizer.param_groups[0]["amsgrad"] = True


@pytest.mark.parametrize("make", [
    lambda p: mg.optim.SGD([{"params": [p], "lrr": 0.1}]), lambda p: mg.optim.SGD([p], lr="a"),
    lambda p: mg.optim.Adam([p], betas=(0.9,)), lambda p: mg.optim.SGD([{"lr": 0.1}]),
    lambda p: mg.optim.SGD([{"params": [p]}, p]),
])  # fmt: skip
def test_options_that_cannot_be_are_refused_when_the_optimizer_is_made(make):
    with pytest.raises(mg.errors.ArgumentError):
        make(mg.tensor([1.0], requires_grad=True))


def test_a_state_that_cannot_work_is_refused_and_changes_nothing():
    p = mg.tensor([1.0, 2.0], requires_grad=True)
    optimizer = mg.optim.Adam([p])
    p.grad = np.ones(2)
    optimizer.step()
    good = optimizer.state_dict()
    bad_lr = {**good, "param_groups": [{**good["param_groups"][0], "lr": -1.0}]}
    misshapen = {**good, "state": {0: {**good["state"][0], "exp_avg": np.zeros(())}}}
    for bad in (bad_lr, misshapen, {**good, "state": {7: {}}}, {}, mg.optim.SGD([p]).state_dict()):
        with pytest.raises(mg.errors.StateDictError):
            optimizer.load_state_dict(bad)
        np.testing.assert_equal(optimizer.state_dict(), good)
