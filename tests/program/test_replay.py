"""A replay gives the same bits as the function: every operation with its gradient, every layer, every optimizer.

And so does a compiled function, of single operations.
"""

import contextlib
import itertools
import os
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.errors import ProgramError
from minigrad.program import simplified, trace
from tests.nn.table import CALLS
from tests.op_tables import TABLE
from tests.program.same import assert_prints, assert_same_bits, other_numbers, weights
from tests.rows import each

HOW = ["smaller", "elsewhere"]

# What cannot be a program, row by row: the number of elements of a result, or its dtype, depends on the values.
OF_UNKNOWN_FORM = {
    "compress", "extract", "nonzero", "polydiv", "polymul", "repeat", "roots", "unique_all", "unique_all (indices)",
    "unique_counts", "unique_counts (counts)", "unique_inverse", "unique_inverse (indices)", "unique_values",
    *(f"numpy.{name}" for name in (
        "argwhere", "delete", "flatnonzero", "insert", "intersect1d", "intersect1d (indices)", "ix_", "nonzero", "pad",
        "piecewise", "piecewise (else)", "resize (of nothing)", "setdiff1d", "setdiff1d (unique)", "setxor1d",
        "trim_zeros", "trim_zeros (of zeros)", "union1d", "unique", "where (indices)",
    )),
    *(f"numpy.{name}.reduceat" for name in ("add", "logaddexp", "maximum", "multiply", "subtract")),
    "scatter_reduce", "scatter_reduce (extremes)",  # products and extremes: how many places are reached
}  # fmt: skip


def chosen_by_value(error):
    """Whether a program has refused to run since something depends on a value, and has said so."""
    return "what is computed depends here on a value" in str(error)


def with_gradients(case):
    """The results of an operation, and the gradients of a weighted sum of them, as a function of all arrays."""

    def compute(*arrays):
        rest = iter(arrays)
        operands = [next(rest) if isinstance(x, np.ndarray) else x for x in case.operands]
        leaves = []
        for i, x in enumerate(operands):
            if isinstance(x, mg.Tensor) and x.dtype.kind == "f" and case.row.orders:
                operands[i] = x.detach().requires_grad_()
                leaves.append(operands[i])
        results = case(*operands)
        results = [mg.asarray(x) for x in (results if isinstance(results, list | tuple) else [results])]
        varying = [x for x in results if x.requires_grad]
        found = ()
        if leaves and varying:
            found = mg.autograd.grad(varying, leaves, [weights(y) for y in varying], allow_unused=True)
        return [*(x.detach() for x in results), *(g for g in found if g is not None)]

    return compute


def replays(case, printed=False):
    """Trace an operation, and compare replays and the printed file with it; how many replays there were."""
    arrays = [x for x in case.operands if isinstance(x, np.ndarray)]
    compute = with_gradients(case)
    program = trace(compute, *map(mg.tensor, arrays))
    assert_same_bits(program.result, compute(*map(mg.tensor, arrays)))
    if case.number == 0 or printed:
        assert_prints(program, *map(mg.tensor, arrays))
    shorter, count = simplified(program), 0
    for how in HOW:
        given = [other_numbers(x, how) for x in arrays]
        try:
            expected = compute(*map(mg.tensor, given))
        except (mg.errors.MinigradError, ValueError, ZeroDivisionError):  # these numbers are not for this operation
            continue
        try:
            assert_same_bits(program.replay(*map(mg.tensor, given)), expected)
        except ProgramError as error:
            if not chosen_by_value(error):
                raise
            continue
        assert_same_bits(shorter.replay(*map(mg.tensor, given)), expected)
        count += 1
    return count


def compiles(case):
    """Compare the compiled operation, and backward passes from its results, with the operation itself."""
    with pytest.MonkeyPatch.context() as patch:
        if id(case) not in IN_C:
            patch.setenv("MINIGRAD_JIT_BACKEND", "numpy")
        gives_the_same_compiled(case)


def gives_the_same_compiled(case):

    def compute(*arrays):
        rest = iter(arrays)
        results = case(*[next(rest) if isinstance(x, np.ndarray) else x for x in case.operands])
        return [mg.asarray(x) for x in (results if isinstance(results, list | tuple) else [results])]

    compiled = mg.jit(compute)
    arrays = [x for x in case.operands if isinstance(x, np.ndarray)]
    for how in ("as they are", "as they are", *HOW):
        given = [other_numbers(x, how) for x in arrays]
        leaves = [mg.tensor(x, requires_grad=x.dtype.kind in "fc" and bool(case.row.orders)) for x in given]
        try:
            expected = with_backward(compute, leaves)
        except (mg.errors.MinigradError, ValueError, ZeroDivisionError):
            continue
        try:
            assert_same_bits(with_backward(compiled, leaves), expected)
        except ProgramError as error:
            if not chosen_by_value(error):
                raise


def with_backward(function, leaves):
    """The results, and for each of them what a backward pass from it gives to the leaves."""
    found = []
    for y in function(*leaves):
        found.append(y.detach())
        if y.requires_grad:
            y.backward(weights(y), retain_graph=True)
            found += [x.grad for x in leaves if x.grad is not None]
            for x in leaves:
                x.grad = None
    return found


CASES = [case for row in TABLE for case in row.cases if any(isinstance(x, np.ndarray) for x in case.operands)]

# The first samples of each row are compiled by C; all of them with MINIGRAD_SAMPLES_IN_C=1000, which takes minutes.
IN_C = {
    id(case)
    for _, cases in itertools.groupby(CASES, lambda case: case.row.name)
    for case in itertools.islice(cases, int(os.environ.get("MINIGRAD_SAMPLES_IN_C", "2")))
}


@each("case", CASES, row=lambda case: case.row.name)
def test_every_operation_and_its_gradient(case):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of numbers that are not for this operation
        if case.row.name not in OF_UNKNOWN_FORM:
            replays(case)
            compiles(case)
            return
        with contextlib.suppress(ProgramError):  # some of their samples can be one
            replays(case)


@pytest.mark.slow
@each("case", CASES, row=lambda case: case.row.name)
def test_every_printed_operation(case):
    with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.suppress(ProgramError):
        warnings.simplefilter("ignore")
        replays(case, printed=True)


@each("name", sorted(OF_UNKNOWN_FORM))
def test_what_has_no_known_form_is_refused(name):
    refused = 0
    for case in CASES:
        if case.row.name == name:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                try:
                    replays(case)
                except ProgramError:
                    refused += 1
    assert refused


def test_so_many_operations_are_replayed():
    names = {case.row.name for case in CASES}
    assert len(names - OF_UNKNOWN_FORM) > 450
    assert names >= OF_UNKNOWN_FORM


# Layers and losses

REFUSED = {"AdaptiveLogSoftmaxWithLoss"}  # how many labels are in a cluster


def training_step(layer, call):
    """Results, gradients of the inputs, and what the layer keeps, of a step in training."""

    def step(*arrays):
        layer.zero_grad()
        leaves = [x.detach().requires_grad_() if x.dtype.kind == "f" else x for x in arrays]
        leaves = leaves[:1] * len(leaves) if call.same else leaves
        results = [y for y in mg.tree.flatten(layer(*leaves))[0] if isinstance(y, mg.Tensor)]
        terms = [(y * weights(y)).sum() for y in results if y.requires_grad]
        if terms:
            sum(terms[1:], terms[0]).backward()
        return [*(y.detach() for y in results), *(x.grad for x in leaves if x.requires_grad and x.grad is not None)]

    return step


def kept_by(layer):
    return [[p.grad for p in layer.parameters()], list(layer.buffers())]


@each("call", CALLS, row=str)
def test_every_layer_and_loss_in_training(call):
    if call.name in REFUSED:
        with pytest.raises(ProgramError):
            trace(training_step(call.layer(), call), *call.inputs())
        return
    eager, traced = call.layer().train(), call.layer().train()
    step = training_step(eager, call)
    mg.manual_seed(1)
    expected = step(*map(mg.tensor, call.inputs()))
    mg.manual_seed(1)
    program = trace(training_step(traced, call), *map(mg.tensor, call.inputs()))
    assert_same_bits(program.result, expected)
    assert_same_bits(kept_by(traced), kept_by(eager))
    assert_prints(program, *map(mg.tensor, call.inputs()))
    for how in ("smaller", "elsewhere", "smaller"):
        arrays = [mg.tensor(other_numbers(x, how)) for x in call.inputs()]
        state = mg.random.get_state()
        expected = step(*arrays)
        mg.random.set_state(state)
        try:
            found = program.replay(*arrays)
        except ProgramError as error:
            if not chosen_by_value(error):  # the lengths of targets
                raise
            return
        assert_same_bits(found, expected)
        assert_same_bits(kept_by(traced), kept_by(eager))


# Optimizers

OPTIMIZERS = {
    "Adadelta": {}, "Adafactor": {}, "Adagrad": {"lr_decay": 0.01}, "Adam": {"weight_decay": 0.01}, "AdamW": {},
    "Adam, amsgrad": {"amsgrad": True}, "Adamax": {}, "ASGD": {"t0": 2.0}, "Lion": {}, "Muon": {}, "NAdam": {},
    "RAdam": {}, "RMSprop": {"centered": True, "momentum": 0.9}, "Rprop": {}, "SGD": {},
    "SGD, Nesterov": {"momentum": 0.9, "nesterov": True}, "SGD, uphill": {"maximize": True, "weight_decay": 0.1},
}  # fmt: skip


def test_every_optimizer_is_tried_or_refused():
    names = {name.partition(",")[0] for name in OPTIMIZERS} | {"LBFGS"}
    assert names == {name for name in optim.__all__ if isinstance(getattr(optim, name), type)} & names
    assert len(names) == 15


def training(name, options, dtype):
    """A step of training with clipping, and the schedule and state that belong to it."""
    mg.manual_seed(0)
    bias = name != "Muon"  # which is for matrices
    model = nn.Sequential(nn.Linear(5, 7, bias=bias), nn.Tanh(), nn.Linear(7, 3, bias=bias)).astype(dtype)
    optimizer = getattr(optim, name.partition(",")[0])(model.parameters(), **options)
    schedule = optim.lr_scheduler.ExponentialLR(optimizer, 0.9)

    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 0.3)
        optimizer.step()
        return (loss, norm) if isinstance(norm, mg.Tensor) else (loss, mg.tensor(norm))

    return model, optimizer, schedule, step


@each(("name", "options", "dtype"), [(*x, dtype) for x in OPTIMIZERS.items() for dtype in (np.float64, np.float32)])
def test_every_optimizer_with_clipping_and_a_schedule(name, options, dtype):
    rng = np.random.default_rng(0)
    batches = [(rng.normal(size=(6, 5)).astype(dtype), rng.integers(0, 3, 6)) for _ in range(8)]
    model, optimizer, schedule, step = training(name, options, dtype)
    again, its_optimizer, its_schedule, its_step = training(name, options, dtype)
    program = None
    for number, (x, y) in enumerate(batches):
        loss, norm = step(x, y)
        if number == 0:  # some optimizers begin otherwise than they go on
            its_step(x, y)
        elif number == 1:
            program = trace(its_step, x, y)
        else:
            its_loss, its_norm = program.replay(x, y)
            assert_same_bits(its_loss, loss)
            assert its_norm == norm.item()
        schedule.step()
        its_schedule.step()
    assert_same_bits(list(again.parameters()), list(model.parameters()))
    assert_same_bits([p.grad for p in again.parameters()], [p.grad for p in model.parameters()])
    assert_same_bits(its_optimizer.state_dict()["state"], optimizer.state_dict()["state"])


def test_lbfgs_is_refused():
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    optimizer = optim.LBFGS([w])

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with pytest.raises(ProgramError, match="LBFGS cannot be a part of a program"):
        trace(lambda: optimizer.step(closure))
    assert w.grad is None


@each("average", [None, optim.swa_utils.get_ema_multi_avg_fn(0.9), "one by one"])
def test_averages_of_weights(average):
    one_by_one = {"avg_fn": optim.swa_utils.get_ema_avg_fn(0.9)}
    how = one_by_one if average == "one by one" else {"multi_avg_fn": average}
    results = []
    for traced in (False, True):
        mg.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
        averaged = optim.swa_utils.AveragedModel(model, **how)
        averaged.update_parameters(model)
        program = trace(lambda m=averaged, n=model: m.update_parameters(n)) if traced else None
        if not traced:
            averaged.update_parameters(model)
        for i in range(3):
            for p in model.parameters():
                p.data = p.detach().numpy() + i
            program.replay() if traced else averaged.update_parameters(model)
        results.append([*averaged.parameters(), *averaged.buffers()])
    assert_same_bits(*results)
