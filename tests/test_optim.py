"""Optimizers: their input, groups, state and memory.  Their arithmetic is compared in test_training_references."""

import copy
import gc
import inspect
import itertools
import json
import math
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, nn, optim
from minigrad.optim import LBFGS, SGD, Adafactor, Adam, Muon
from tests.rows import each

F = nn.functional
CLASSES = [c for c in vars(optim).values() if inspect.isclass(c) and issubclass(c, optim.Optimizer)]
CLASSES = [c for c in CLASSES if c.__name__ not in ("Optimizer", "ZeroRedundancyOptimizer")]  # for others
OPTIONS = {
    "SGD": {},
    "SGD-momentum": {"momentum": 0.9, "dampening": 0.1, "weight_decay": 0.01, "maximize": True},
    "SGD-nesterov": {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    "Adam": {},
    "Adam-amsgrad": {"amsgrad": True, "weight_decay": 0.01},
    "Adam-decoupled": {"decoupled_weight_decay": True, "weight_decay": 0.01, "maximize": True},
    "AdamW": {"betas": (0.5, 0.9)},
    "Adamax": {"weight_decay": 0.01},
    "NAdam": {},
    "NAdam-decoupled": {"decoupled_weight_decay": True, "weight_decay": 0.01},
    "RAdam": {"betas": (0.9, 0.95)},
    "RMSprop": {},
    "RMSprop-all": {"momentum": 0.5, "centered": True, "weight_decay": 0.01},
    "Adagrad": {"lr_decay": 0.1, "initial_accumulator_value": 0.1},
    "Adadelta": {"weight_decay": 0.01, "maximize": True},
    "Rprop": {},
    "ASGD": {"t0": 2, "weight_decay": 0.01},
    "Adafactor": {},
    "Adafactor-decay": {"weight_decay": 0.1, "beta2_decay": -0.5},
    "Lion": {"weight_decay": 0.1},
}


def maker(name, options):
    kind = getattr(optim, name.split("-")[0])
    return lambda params: kind(params, **{"lr": 0.1, **options})


KINDS = {name: maker(name, options) for name, options in OPTIONS.items()}
OF_MATRICES = {  # these are not for every form
    "Muon": maker("Muon", {"weight_decay": 0.1}),
    "Muon-plain": maker("Muon", {"nesterov": False, "adjust_lr_fn": "match_rms_adamw"}),
}
each_kind = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
ALL = {**KINDS, **OF_MATRICES}
each_of_all = pytest.mark.parametrize("make", ALL.values(), ids=ALL)
each_class = pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
SUFFIXES = [".npz", ".safetensors"]


def test_no_optimizer_is_forgotten():
    assert {name.split("-")[0] for name in ALL} | {"LBFGS"} == {kind.__name__ for kind in CLASSES}
    assert {kind.__name__ for kind in CLASSES} <= set(optim.__all__)


@pytest.fixture(params=SUFFIXES)
def suffix(request):
    if request.param == ".safetensors":
        pytest.importorskip("safetensors")
    return request.param


def saved(tree, tmp_path, suffix):
    """A tree as it comes back from a file."""
    mg.save(tmp_path / f"x{suffix}", tree)
    return mg.load(tmp_path / f"x{suffix}")


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
    with pytest.raises(ValueError, match="gone through once only"):
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


@each("bad", [-1.0, float("nan"), float("inf")])
@pytest.mark.parametrize(
    ("kind", "option"), [(SGD, "lr"), (SGD, "momentum"), (SGD, "weight_decay"), (Adam, "lr"), (Adam, "eps")]
)
def test_options_are_numbers_of_at_least_0(kind, option, bad):
    with pytest.raises(ValueError, match=f"{kind.__name__}: {option} must be a number of at least 0"):
        kind([leaf(1.0)], **{option: bad})
    with pytest.raises(ValueError, match=option):
        kind([{"params": [leaf(1.0)], option: bad}])


@each_class
@each("bad", [-1e-300, -1.0, float("nan"), float("inf"), -float("inf"), "0.1", None, [0.1]])
def test_no_class_takes_options_that_are_no_numbers_of_at_least_0(kind, bad):
    options = set(kind.nonnegative) & set(inspect.signature(kind).parameters)
    assert "lr" in options
    for option in options:
        with pytest.raises(errors.ArgumentError, match=f"{kind.__name__}: {option} must be a number of at least 0"):
            kind([mg.ones((2, 2)).requires_grad_()], **{option: bad})


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("Adadelta", {"rho": 1.1}),
        ("Adadelta", {"rho": -0.1}),
        ("Adadelta", {"rho": float("nan")}),
        ("Rprop", {"etas": (0.5, 0.9)}),
        ("Rprop", {"etas": (1.0, 1.2)}),
        ("Rprop", {"etas": (0.0, 1.2)}),
        ("Rprop", {"step_sizes": (1.0, 0.5)}),
        ("Rprop", {"step_sizes": (-1.0, 0.5)}),
        ("Adafactor", {"d": 0.5}),
        ("Adafactor", {"beta2_decay": 0.1}),
        ("Adafactor", {"eps": (-1.0, 1e-3)}),
        ("Adafactor", {"eps": (None, -1e-3)}),
        ("Muon", {"adjust_lr_fn": "what"}),
        ("LBFGS", {"line_search_fn": "what"}),
        *((kind, {"betas": (0.9, 1.0)}) for kind in ("AdamW", "Adamax", "NAdam", "RAdam", "Lion")),
    ],
)
def test_options_that_cannot_be(kind, options):
    with pytest.raises(errors.ArgumentError, match=kind):
        getattr(optim, kind)([mg.ones((2, 2)).requires_grad_()], **options)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4)])
def test_muon_is_for_matrices(shape):
    with pytest.raises(errors.ArgumentError, match=r"parameter 1 has shape .*: give it to another optimizer"):
        Muon([mg.ones((2, 2)).requires_grad_(), mg.zeros(shape).requires_grad_()])


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


@each_of_all
def test_a_step_that_changes_nothing_warns(make):
    w = mg.ones((2, 2)).requires_grad_()
    optimizer = make([w])
    with pytest.warns(UserWarning, match="changed nothing, since no parameter has a gradient") as caught:
        optimizer.step()
    assert caught[0].filename == __file__
    assert w.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert optimizer.state == {}


@each_of_all
def test_closures(make):
    w = mg.ones((2, 2)).requires_grad_()
    optimizer = make([w])

    def fail():
        raise LookupError

    def closure():
        optimizer.zero_grad()
        loss = (w**2).sum()
        loss.backward()
        return loss

    with pytest.raises(LookupError):
        optimizer.step(fail)
    assert (w.tolist(), optimizer.state) == ([[1.0, 1.0], [1.0, 1.0]], {})
    with mg.no_grad():
        assert optimizer.step(closure).item() == 4.0
    assert w.tolist() != [[1.0, 1.0], [1.0, 1.0]]


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


def undulate(optimizer, *params, steps=1):
    """Steps on a loss that depends on each element alone."""
    for _ in range(steps):
        for i, p in enumerate(params):
            p.grad = (1 + i / 10) * np.sin(3 * p.data)
        optimizer.step()


def started(shape, dtype=np.float64):
    values = np.sin(np.arange(1.0, math.prod(shape) + 1)).reshape(shape)
    return mg.tensor(values, dtype=dtype, requires_grad=True)


FORMS = [(), (1,), (0,), (0, 3), (3, 0), (2, 3), (3, 2), (2, 3, 4), (2, 0, 4)]


@each_of_all
@each("dtype", [np.float16, np.float32, np.float64])
def test_shapes_and_dtypes_are_kept(make, dtype):
    shapes = [shape for shape in FORMS if len(shape) == 2 or make in KINDS.values()]
    params = [started(shape, dtype) for shape in shapes]
    before = [p.data.copy() for p in params]
    optimizer = make(params)
    undulate(optimizer, *params, steps=8)
    for p, shape, old in zip(params, shapes, before, strict=True):
        assert (p.shape, p.dtype) == (shape, dtype)
        assert np.isfinite(p.data).all()
        assert not p.size or (p.data != old).any()
        for name, value in optimizer.state[p].items():
            if name in optimizer.numbers:
                assert isinstance(value, (int, float))
            else:
                assert (value.shape, value.dtype) == (optimizer.shape_of(name, p), dtype)


@pytest.mark.parametrize("make", [v for k, v in KINDS.items() if "Adafactor" not in k])
def test_each_element_goes_its_own_way(make):
    whole = started((2, 3, 4))
    parts = [mg.tensor(x, requires_grad=True) for x in whole.data.ravel()]
    one, many = make([whole]), make(parts)
    for _ in range(8):
        for p in (whole, *parts):
            p.grad = np.sin(3 * p.data)
        one.step()
        many.step()
    np.testing.assert_array_equal(whole.data.ravel(), [p.item() for p in parts])


@each_of_all
def test_the_order_of_memory_does_not_matter(make):
    straight = started((4, 3))
    turned = mg.tensor(1.0, requires_grad=True)
    turned.data = np.asfortranarray(straight.data)
    for p in (straight, turned):
        undulate(make([p]), p, steps=5)
    assert turned.data.flags.f_contiguous
    np.testing.assert_allclose(turned.data, straight.data, rtol=1e-12)


@each_of_all
def test_a_gradient_is_not_changed_and_not_kept(make):
    w, gradient = started((3, 3)), np.arange(9.0).reshape(3, 3)
    optimizer = make([w])
    for _ in range(3):
        w.grad = gradient
        optimizer.step()
    np.testing.assert_array_equal(gradient, np.arange(9.0).reshape(3, 3))
    kept = [value for value in optimizer.state[w].values() if isinstance(value, np.ndarray)]
    assert not any(np.shares_memory(value, gradient) for value in kept)


@each_of_all
@each(("dtype", "shape"), [(np.float64, (1024, 128)), (np.float32, (2048, 128)), (np.float64, (4, 512, 64))])
def test_a_step_after_the_first_allocates_nothing(make, dtype, shape):
    if len(shape) > 2 and make in OF_MATRICES.values():
        pytest.skip("for matrices")
    params = [started(shape, dtype) for _ in range(2)]  # of 1 MB each
    for p in params:
        p.grad = p.data + 1
    optimizer = make(params)
    optimizer.step()
    tracemalloc.start()
    try:
        for _ in range(8):  # RAdam changes its ways in the sixth
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            optimizer.step()
            after, peak = tracemalloc.get_traced_memory()
            # NumPy computes means over other axes than the last by blocks of 128 kB.
            assert peak - before < (200_000 if isinstance(optimizer, Adafactor) and len(shape) > 1 else 50_000)
            assert after - before < 2_000
    finally:
        tracemalloc.stop()


@each_of_all
def test_micro_batches_make_one_batch(make):
    mg.manual_seed(0)
    x, y = mg.random.randn(12, 4), mg.random.randn(12, 3)
    models = [nn.Linear(4, 3, bias=False) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    optimizers = [make(model.parameters()) for model in models]
    for _ in range(3):
        for (model, optimizer), count in zip(zip(models, optimizers, strict=True), (1, 4), strict=True):
            optimizer.zero_grad()
            for part, target in zip(mg.split(x, count), mg.split(y, count), strict=True):
                (F.mse_loss(model(part), target) / count).backward()
            optimizer.step()
    np.testing.assert_allclose(models[1].weight.data, models[0].weight.data, rtol=1e-9)


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


@each_of_all
def test_a_state_in_a_file_continues_bit_for_bit(make, tmp_path, suffix):
    def fresh():
        return [started((2, 3)), started((3, 1)), started((2, 3), np.float32)]

    def build(params):
        return make([{"params": params[:2], "lr": 0.05}, {"params": params[2:]}])

    ours, theirs = fresh(), fresh()
    straight = build(ours)
    undulate(straight, *ours[:2], steps=3)  # one has no gradient yet
    state = saved({"optimizer": straight.state_dict(), "params": [p.detach() for p in ours]}, tmp_path, suffix)
    resumed = make([{"params": theirs[:2], "lr": 7.0}, {"params": theirs[2:]}])
    resumed.load_state_dict(state["optimizer"])
    for p, value in zip(theirs, state["params"], strict=True):
        p.data[...] = value.data
    np.testing.assert_equal(resumed.state_dict(), straight.state_dict())
    for optimizer, params in ((straight, ours), (resumed, theirs)):
        undulate(optimizer, *params, steps=5)
    assert [p.data.tobytes() for p in ours] == [p.data.tobytes() for p in theirs]
    np.testing.assert_equal(resumed.state_dict(), straight.state_dict())


@each_of_all
def test_a_state_dict_is_a_copy_both_ways(make):
    w, other = started((2, 2)), started((2, 2))
    optimizer, second = make([w]), make([other])
    undulate(optimizer, w, steps=2)
    state = optimizer.state_dict()
    text = str(state)
    second.load_state_dict(state)
    undulate(optimizer, w, steps=2)
    undulate(second, other, steps=2)
    assert str(state) == text


PYTORCH = json.loads((Path(__file__).parent / "references" / "torch_optimizers.json").read_text(encoding="utf-8"))


def arrays_of(tree):
    """A state_dict of PyTorch's from JSON."""
    if isinstance(tree, dict):
        return np.array(tree["tensor"]) if tree.keys() == {"tensor"} else {k: arrays_of(v) for k, v in tree.items()}
    return [arrays_of(part) for part in tree] if isinstance(tree, list) else tree


@pytest.mark.parametrize("name", PYTORCH)
@each("kind", [np.array, mg.tensor])
def test_a_state_of_pytorchs_continues(name, kind):
    case = PYTORCH[name]
    state = mg.tree.map_leaves(lambda x: kind(x) if isinstance(x, np.ndarray) else x, arrays_of(case["state"]))
    assert {"foreach", "fused", "capturable", "differentiable"} & state["param_groups"][0].keys() or name == "LBFGS"
    w = mg.tensor(case["before"], requires_grad=True)
    optimizer = getattr(optim, name)([w], lr=7.0)
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0].keys() == {*optimizer.defaults, "params"}
    weights = mg.tensor([[1.0, -2.0, 3.0], [0.5, 0.1, -1.0]])

    def closure():
        optimizer.zero_grad()
        loss = (w**4).sum() + (w * weights).sum()
        loss.backward()
        return loss

    for _ in range(2):
        optimizer.step(closure)
    np.testing.assert_allclose(w.detach().data, case["after"], rtol=1e-9)


# What PyTorch 2.13 has in a group after two steps of a schedule, and rate and momentum after each of the four next.
SCHEDULED = {
    "OneCycleLR": (
        lambda o: optim.lr_scheduler.OneCycleLR(o, 0.3, total_steps=9, last_epoch=1),
        {"lr": 0.29832463063527354, "initial_lr": 0.012, "max_lr": 0.3, "min_lr": 1.2e-06, "max_momentum": 0.95,
         "base_momentum": 0.85, "param_names": ["w"]},
        0.8505584586887436,
        [[0.26956999780393404, 0.8601433746388538], [0.2116934186973299, 0.8794356448434694],
         [0.13879113080009253, 0.9037365046793212], [0.06861898594789442, 0.9271273131932879]],
    ),
    "CyclicLR": (
        lambda o: optim.lr_scheduler.CyclicLR(o, 0.1, 0.3, 3, last_epoch=1),
        {"lr": 0.2333333333333333, "max_momentum": 0.9, "base_momentum": 0.8, "initial_lr": 0.1, "param_names": ["w"]},
        0.8333333333333334,
        [[0.3, 0.8], [0.2333333333333334, 0.8333333333333334], [0.1666666666666666, 0.8666666666666667], [0.1, 0.9]],
    ),
    "SWALR": (
        lambda o: optim.swa_utils.SWALR(o, 0.05, 4, last_epoch=1),
        {"lr": 0.075, "swa_lr": 0.05, "initial_lr": 0.1, "param_names": ["w"]},
        0.9,
        [[0.057322330470336316, 0.9], [0.05, 0.9], [0.05, 0.9], [0.05, 0.9]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("schedule", SCHEDULED)
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_a_state_of_pytorchs_with_the_notes_of_a_schedule_continues(schedule, kind):
    make, notes, momentum, course = SCHEDULED[schedule]
    state = arrays_of(PYTORCH[kind]["state"])
    option = {"momentum": momentum} if kind == "SGD" else {"betas": (momentum, 0.999)}
    state["param_groups"][0] |= notes | option
    optimizer = getattr(optim, kind)([mg.tensor(np.ones((2, 3)), requires_grad=True)], lr=7.0)
    optimizer.load_state_dict(state)
    group = optimizer.param_groups[0]
    assert group.keys() == {*optimizer.defaults, "params", *notes} - {"param_names"}  # and PyTorch finds them again
    resumed = make(optimizer)
    group["params"][0].grad = np.zeros((2, 3))
    for expected in course:
        optimizer.step()
        resumed.step()
        found = [group["lr"], group["momentum"] if kind == "SGD" else group["betas"][0]]
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def garbled(state):
    """States that cannot be continued."""
    (group, *_), entries = state["param_groups"], state["state"]
    yield from ({}, [], None, 3, {"state": {}}, {"param_groups": []}, {**state, "param_groups": None})
    yield from (
        {**state, "param_groups": groups} for groups in ([], [group] * 2, [{}], [3], [{"params": []}], [{"lr": 1}])
    )
    yield from (
        {**state, "param_groups": [{**group, **bad}]} for bad in ({"lr": -1.0}, {"lr": "x"}, {"lr": None}, {"x": 1})
    )
    yield from ({**state, "state": bad} for bad in (None, 3, [1], {"x": {}}, {-1: {}}, {1: {}}, {0: 3}, {0: {"x": 1}}))
    for name, value in entries[0].items():
        if name not in ("momentum_buffer", "max_exp_avg_sq", "grad_avg", "exp_avg"):  # which may come later
            yield {**state, "state": {0: {k: v for k, v in entries[0].items() if k != name}}}
        if isinstance(value, np.ndarray):
            for bad in (np.zeros(5), np.zeros(()), np.zeros((2, 2, 1)), 0.0, "x", [None], np.full((2, 2), 1j)):
                yield {**state, "state": {0: {**entries[0], name: bad}}}
        else:
            for bad in (np.zeros(3), "x", [1, 2], {}):
                yield {**state, "state": {0: {**entries[0], name: bad}}}


@pytest.mark.parametrize("make", [ALL[k] for k in ALL if k != "SGD"], ids=[k for k in ALL if k != "SGD"])
def test_no_misfit_state_changes_anything(make):
    w = started((2, 2))
    optimizer = make([w])
    undulate(optimizer, w, steps=2)
    before = optimizer.state_dict()
    for bad in garbled(optimizer.state_dict()):
        with pytest.raises(errors.StateDictError):
            optimizer.load_state_dict(bad)
        np.testing.assert_equal(optimizer.state_dict(), before)


@each(("one", "other"), list(itertools.permutations([k for k in ALL if "-" not in k], 2)), row=lambda one, other: one)
def test_a_state_of_another_optimizer_is_refused_or_can_be_continued(one, other):
    w, v = started((2, 2)), started((2, 2))
    first, second = ALL[one]([w]), ALL[other]([v])
    undulate(first, w)
    undulate(second, v)
    before = second.state_dict()
    try:
        second.load_state_dict(first.state_dict())
    except errors.StateDictError:
        np.testing.assert_equal(second.state_dict(), before)
    undulate(second, v, steps=2)


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


@each_of_all
def test_memory_does_not_grow(make):
    mg.manual_seed(0)
    layers = nn.Linear(50, 50, bias=False), nn.Tanh(), nn.Linear(50, 1, bias=False)
    model, x = nn.Sequential(*layers), mg.random.randn(8, 50)
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
        grown = train(20) - before
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


# L-BFGS


def minimizer(*params, **options):
    optimizer = LBFGS(params, **options)

    def closure():
        optimizer.zero_grad()
        loss = sum(((p - i) ** 2).sum() + (p**4).sum() for i, p in enumerate(params))
        loss.backward()
        return loss

    return optimizer, closure


@pytest.mark.parametrize("start", [np.zeros(10), np.full(10, 2.0), np.random.RandomState(0).rand(10)], ids=range(3))
def test_lbfgs_finds_the_minimum_that_scipy_finds(start):
    scipy = pytest.importorskip("scipy.optimize")
    w = mg.tensor(start, requires_grad=True)
    optimizer = LBFGS(
        [w], max_iter=500, max_eval=2000, tolerance_grad=1e-9, tolerance_change=0.0, line_search_fn="strong_wolfe"
    )
    evaluations = 0

    def rosenbrock(x):
        return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()

    def closure():
        nonlocal evaluations
        evaluations += 1
        optimizer.zero_grad()
        loss = rosenbrock(w)
        loss.backward()
        return loss

    optimizer.step(closure)
    function = mg.value_and_grad(rosenbrock)
    found = scipy.minimize(lambda x: tuple(map(np.asarray, function(x))), start, jac=True, method="BFGS", tol=1e-9)
    assert abs(rosenbrock(w.detach()).item() - found.fun) < 1e-12
    np.testing.assert_allclose(w.detach().data, found.x, atol=1e-6)
    assert evaluations < 3 * found.nfev


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_in_a_file_continues_bit_for_bit(search, tmp_path, suffix):
    options = {"lr": 0.1, "max_iter": 3, "history_size": 4, "line_search_fn": search}
    ours, theirs = ([started((2, 3)), started(()), started((0, 2))] for _ in range(2))
    (straight, closure), (resumed, other) = minimizer(*ours, **options), minimizer(*theirs, **options)
    for _ in range(4):
        straight.step(closure)
    state = saved(straight.state_dict(), tmp_path, suffix)
    for p, q in zip(ours, theirs, strict=True):
        q.data[...] = p.data
    resumed.load_state_dict(state)
    np.testing.assert_equal(resumed.state_dict(), straight.state_dict())
    for _ in range(3):
        assert straight.step(closure).item() == resumed.step(other).item()
    assert [p.data.tobytes() for p in ours] == [p.data.tobytes() for p in theirs]


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lbfgs_keeps_shapes_and_dtypes(search, dtype):
    params = [started(shape, dtype) for shape in FORMS]
    optimizer, closure = minimizer(*params, max_iter=30, lr=0.1 if search is None else 1.0, line_search_fn=search)
    nodes = [p.node for p in params]
    losses = [optimizer.step(closure).item() for _ in range(5)]
    assert losses == sorted(losses, reverse=True)
    assert [(p.shape, p.dtype, p.node) for p in params] == [(s, dtype, n) for s, n in zip(FORMS, nodes, strict=True)]
    state = optimizer.state[params[0]]
    assert all(part.dtype == dtype for part in [*state["old_dirs"], *state["old_stps"], state["d"]])


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_lbfgs_ends_where_there_are_no_numbers(search, value):
    w = leaf(1.0, 2.0)
    optimizer = LBFGS([w], line_search_fn=search)
    calls = 0

    def closure():
        nonlocal calls
        calls += 1
        w.grad = np.full(2, value)
        return mg.tensor(value)

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        optimizer.step(closure)
    assert calls < 60


def test_lbfgs_at_a_minimum_stays_there():
    w, idle = leaf(0.0, 0.0), leaf(3.0)
    optimizer = LBFGS([w, idle])

    def closure():
        optimizer.zero_grad()
        loss = (w**2).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 0.0
    assert (w.tolist(), idle.tolist()) == ([0.0, 0.0], [3.0])


def test_lbfgs_takes_one_group_and_a_closure():
    w, v = leaf(1.0), leaf(2.0)
    optimizer = LBFGS([w])
    with pytest.raises(errors.ArgumentError, match=r"write step\(closure\)"):
        optimizer.step()
    with pytest.raises(errors.ArgumentError, match="give it a single group"):
        optimizer.add_param_group({"params": [v]})
    with pytest.raises(errors.ArgumentError, match="give it a single group"):
        LBFGS([{"params": [w]}, {"params": [v]}])

    def fail():
        raise LookupError

    with pytest.raises(LookupError):
        optimizer.step(fail)
    assert w.tolist() == [1.0]


def test_lbfgs_leaves_the_parameters_in_place_if_the_closure_fails_in_a_search():
    w = leaf(3.0, 4.0)
    optimizer, closure = minimizer(w, line_search_fn="strong_wolfe")
    calls = 0

    def failing():
        nonlocal calls
        calls += 1
        if calls == 2:
            raise LookupError
        return closure()

    with pytest.raises(LookupError):
        optimizer.step(failing)
    assert w.tolist() == [3.0, 4.0]
