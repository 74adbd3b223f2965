"""Loops that leak, whose line must be named, and loops that do not, which must be left in peace."""

import collections
import contextlib
import gc
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.errors import ArgumentError
from minigrad.graph.growing import GrowthWarning, growth

STEPS = 40
RNG = np.random.default_rng(0)


@pytest.fixture
def model():
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))


def batch():
    return RNG.normal(size=(16, 4)), RNG.normal(size=(16, 1))


def loss_of(model):
    x, y = batch()
    return ((model(x) - y) ** 2).mean()


@contextlib.contextmanager
def leaking(remedy, **how):
    """A `growth` block that must warn of each line that it finds, at that line and with the remedy."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with growth(**how) as watch:
            yield watch
    assert watch.found
    assert [str(warning.message) for warning in caught] == list(map(str, watch.found))
    for warning, found in zip(caught, watch.found, strict=True):
        assert warning.category is GrowthWarning
        assert (warning.filename, warning.lineno) == (__file__, found.place.line)
        assert remedy in str(found)


def text_of(found):
    return str(found.place).partition(" ")[2]


# What leaks


@pytest.mark.parametrize("backward_first", [True, False])
def test_a_running_total(model, backward_first):
    total = 0.0
    with leaking("total += loss.item()") as watch:
        for _ in range(STEPS):
            loss = loss_of(model)
            if backward_first:
                loss.backward()
            total += loss
            if not backward_first:
                loss.backward()
    (found,) = watch.found
    assert (text_of(found), found.operation, found.linked) == ("`total += loss`", "add", True)
    assert found.step == 6  # the first sum takes no earlier result
    # Of each step the sum, and the loss, of which a backward pass has released all but the last node.  What comes after
    # the backward pass belongs to the next step.
    assert found.nodes == 2 * found.step - backward_first
    assert f"add (at {__file__}:{found.place.line} `total += loss`) takes a result of an earlier step" in str(found)


def test_a_total_over_evaluations(model):
    total = 0.0
    with leaking("detach()") as watch:
        for _ in range(STEPS):
            total = total + loss_of(model)
            watch.step()
    (found,) = watch.found
    assert text_of(found) == "`total = total + loss_of(model)`"
    assert found.linked


def test_a_hidden_state_with_retain_graph():
    cell, head = nn.RNNCell(4, 8), nn.Linear(8, 1)
    h = np.zeros((16, 8))
    with leaking("h = h.detach()") as watch:
        for _ in range(STEPS):
            x, y = batch()
            h = cell(x, h)
            loss = ((head(h) - y) ** 2).mean()
            loss.backward(retain_graph=True)
    (found,) = watch.found
    assert text_of(found) == "`h = cell(x, h)`"
    assert found.linked
    assert found.bytes > 4 * 16 * 8 * 8


def test_a_hidden_state_without_a_backward_pass():
    cell, state = nn.LSTMCell(4, 8), None
    with leaking("detach()") as watch:
        for _ in range(STEPS):
            state = cell(batch()[0], state)
            watch.step()
    assert [text_of(found) for found in watch.found] == ["`state = cell(batch()[0], state)`"]


def test_a_hidden_state_of_the_users_own_cell():
    weight, recurrent = leaf_like(4, 8), leaf_like(8, 8)
    h = np.zeros((16, 8))
    with leaking("detach()") as watch:
        for _ in range(STEPS):
            past = h @ recurrent
            h = mg.tanh(batch()[0] @ weight + past)
            h.sum().backward(retain_graph=True)
    (found,) = watch.found
    assert text_of(found) == "`past = h @ recurrent`"


def leaf_like(*shape):
    return mg.tensor(0.1 * RNG.normal(size=shape), requires_grad=True)


def test_a_list_of_losses(model):
    losses = []
    with leaking("losses.append(loss.item())") as watch:
        for _ in range(STEPS):
            loss = loss_of(model) * 1.0
            loss.backward()
            losses.append(loss)
    (found,) = watch.found
    assert text_of(found) == "`loss = loss_of(model) * 1.0`"
    assert not found.linked
    # The backward pass has released all but the last node of each.
    assert (found.nodes, found.bytes) == (found.step, 8 * found.step)


def test_a_list_of_outputs_without_a_backward_pass(model):
    outputs = []
    with leaking("compute it under no_grad()") as watch:
        for _ in range(STEPS):
            outputs.append(model(batch()[0]))
            watch.step()
    (found,) = watch.found
    assert text_of(found) == "`outputs.append(model(batch()[0]))`"
    assert found.nodes == 3 * found.step
    # The result of the first layer with the bias in it, of the activation, and of the last.
    assert found.bytes == found.step * 16 * (8 + 8 + 1) * 8


def test_two_leaks_in_a_loop_are_both_named(model):
    total, outputs = 0.0, []
    with leaking(".item()") as watch:
        for _ in range(STEPS):
            outputs.append(model(batch()[0]))
            loss = loss_of(model)
            loss.backward()
            total += loss
    assert {text_of(found) for found in watch.found} == {"`outputs.append(model(batch()[0]))`", "`total += loss`"}


def test_a_leak_that_begins_late(model):
    losses = []
    with leaking("detach()") as watch:
        for step in range(3 * STEPS):
            loss = loss_of(model)
            loss.backward()
            if step >= 2 * STEPS:
                losses.append(loss)
    assert 2 * STEPS + 5 <= watch.found[0].step <= 2 * STEPS + 8


def test_patience(model):
    losses = []
    with leaking("losses.append(loss.item())", patience=20) as watch:
        for _ in range(STEPS):
            losses.append(loss_of(model))
            losses[-1].backward()
    assert watch.found[0].step == 20
    with pytest.raises(ArgumentError, match="patience must be an integer of at least 1, not 0"):
        growth(patience=0)


def test_a_warning_can_be_made_an_exception(model):
    losses = []

    def train():
        for _ in range(STEPS):
            losses.append(loss_of(model))
            losses[-1].backward()

    with growth(), pytest.raises(GrowthWarning, match=r"losses.append\(loss.item\(\)\)"):  # warnings are errors here
        train()
    assert len(losses) == 6
    loss_of(model)  # nobody watches now


# What does not leak: a warning would be an error here


def test_training(model):
    optimizer = optim.Adam(model.parameters())
    total, losses = 0.0, []
    with growth() as watch:
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss = loss_of(model)
            loss.backward()
            optimizer.step()
            total += loss.item()
            losses.append(loss.detach())
    assert watch.found == []


def test_training_that_keeps_the_last_and_the_best(model):
    best, last = None, None
    with growth() as watch:
        for _ in range(STEPS):
            loss = loss_of(model)
            loss.backward()
            if best is None or loss < best:
                best = loss
            last = loss if last is None or abs(loss - last) > 0 else last
    assert watch.found == []


@pytest.mark.parametrize("parts", [4, 10])
def test_gradient_accumulation(model, parts):
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    with growth() as watch:
        for _ in range(STEPS):
            for _ in range(parts):
                (loss_of(model) / parts).backward()
            optimizer.step()
            optimizer.zero_grad()
    assert watch.found == []


def test_a_sum_of_losses_before_one_backward_pass(model):
    with growth() as watch:
        for _ in range(STEPS):
            total = 0.0
            for _ in range(10):
                total = total + loss_of(model)
            total.backward()
    assert watch.found == []


def test_truncated_backpropagation_through_time():
    cell, head = nn.GRUCell(4, 8), nn.Linear(8, 1)
    h = mg.tensor(np.zeros((16, 8)))
    with growth() as watch:
        for _ in range(STEPS):
            loss = 0.0
            for _ in range(8):
                x, y = batch()
                h = cell(x, h)
                loss = loss + ((head(h) - y) ** 2).mean()
            loss.backward()
            h = h.detach()
    assert watch.found == []


def test_lbfgs(model):
    x, y = batch()
    optimizer = optim.LBFGS(model.parameters(), max_iter=10, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        return loss

    with growth() as watch:
        for _ in range(10):
            optimizer.step(closure)
    assert watch.found == []


def test_passes_that_retain_their_graph(model):
    with growth() as watch:
        for _ in range(STEPS):
            loss = loss_of(model)
            loss.backward(retain_graph=True)
            loss.backward()
    assert watch.found == []


def test_derivatives_within_a_step(model):
    """Steps of an inner loop that are to be differentiated hang together, and are gone after the outer one."""
    with growth() as watch:
        for _ in range(10):
            w = leaf_like(4, 1)
            inner = w
            for _ in range(8):
                x, y = batch()
                (slope,) = mg.autograd.grad(((x @ inner - y) ** 2).mean(), inner, create_graph=True)
                inner = inner - 0.1 * slope
            (inner**2).sum().backward()
    assert watch.found == []


def test_checkpoints(model):
    with growth() as watch:
        for _ in range(STEPS):
            x, _ = batch()
            h = mg.tensor(x, requires_grad=True)
            for _ in range(3):
                h = mg.checkpoint(mg.tanh)(h)
            model(h).sum().backward()
    assert watch.found == []


def test_two_losses_in_turn(model):
    other = nn.Linear(4, 1)
    with growth() as watch:
        for _ in range(STEPS):
            for part in (model, other):
                loss = loss_of(part)
                loss.backward()
    assert watch.found == []


def test_a_window_of_the_last_results_that_is_shorter_than_the_patience(model):
    window = collections.deque(maxlen=3)
    with growth() as watch:
        for _ in range(STEPS):
            loss = loss_of(model)
            loss.backward()
            window.append(loss)
    assert watch.found == []


def test_what_waits_for_the_garbage_collector_is_no_leak(model):
    gc.disable()
    try:
        with growth() as watch:
            for _ in range(STEPS):
                cycle = [loss_of(model)]
                cycle.append(cycle)
                watch.step()
    finally:
        gc.enable()
    assert watch.found == []


def test_what_was_there_before_the_block_is_none_of_its_business(model):
    losses = [loss_of(model) for _ in range(STEPS)]
    with growth() as watch:
        for _ in range(STEPS):
            loss_of(model).backward()
    assert len(losses) == STEPS
    assert watch.found == []


def test_nothing_is_kept_alive_by_the_block(model):
    with growth() as watch:
        for _ in range(STEPS):
            loss_of(model).backward()
        assert sum(len(marks) for marks in watch._marks.values()) == 0


def test_a_line_with_several_operations_is_reported_once():
    w, kept = mg.tensor([1.0, 2.0], requires_grad=True), {}
    with leaking("item()", patience=3) as watch:
        for i in range(20):
            (g,) = mg.autograd.grad((w**3).sum(), w, create_graph=True)
            kept[i] = sum((q**2).sum() for q in (g, g * 2))
            (w * 2).sum().backward()
    lines = [found.place.line for found in watch.found]
    assert len(lines) == len(set(lines))
