"""Whole steps of training as programs: the same weights, gradients and states as without them, to the last bit."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.compiling import jit
from tests.program.same import assert_same_bits
from tests.program.test_training_steps import char_lstm, gpt, mnist_cnn, of_images, prepared, time_series_lstm, vae
from tests.rows import each

STEPS = 8

MODELS = [of_images(mnist_cnn), gpt, char_lstm, time_series_lstm, of_images(vae)]


@pytest.mark.parametrize("make", MODELS, ids=lambda f: f.__name__)
def test_the_models_of_the_examples(make):
    before = mg.get_default_dtype()
    mg.set_default_dtype(np.float32)
    try:
        model, optimizer, schedule, step, batch = prepared(make)
        again, its_optimizer, its_schedule, its_step, _ = prepared(make)
        compiled = jit(its_step)
        mg.manual_seed(1)
        for _ in range(STEPS):
            arrays = batch()
            state = mg.random.get_state()
            loss = step(*arrays)
            after = mg.random.get_state()
            mg.random.set_state(state)
            assert_same_bits(compiled(*map(mg.tensor, arrays)), loss)
            assert mg.random.get_state() == after
            schedule.step()
            its_schedule.step()
            assert_same_bits(list(again.parameters()), list(model.parameters()))
            assert_same_bits([p.grad for p in again.parameters()], [p.grad for p in model.parameters()])
            assert_same_bits(list(again.buffers()), list(model.buffers()))
        assert_same_bits(its_optimizer.state_dict()["state"], optimizer.state_dict()["state"])
        assert compiled.explain().count(" equations, calls: ") <= 2  # the first step, and the others
    finally:
        mg.set_default_dtype(before)


OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.01, centered=True),
    "Adam": lambda p: optim.Adam(p, lr=0.01, amsgrad=True),
    "AdamW": lambda p: optim.AdamW(p, lr=0.01),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.01, lr_decay=0.1),
    "Adadelta": lambda p: optim.Adadelta(p),
    "Adamax": lambda p: optim.Adamax(p),
    "NAdam": lambda p: optim.NAdam(p),
    "RAdam": lambda p: optim.RAdam(p),
    "Rprop": lambda p: optim.Rprop(p),
    "ASGD": lambda p: optim.ASGD(p),
    "Lion": lambda p: optim.Lion(p),
    "Muon": lambda p: optim.Muon(p),
    "Adafactor": lambda p: optim.Adafactor(p),
}


@each("name", OPTIMIZERS)
def test_every_optimizer_with_a_schedule(name):
    def made():
        mg.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 4, bias=False), nn.Tanh(), nn.Linear(4, 2, bias=False))
        optimizer = OPTIMIZERS[name](model.parameters())

        def step(x, y):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            optimizer.step()
            return loss

        return model, step, optim.lr_scheduler.ExponentialLR(optimizer, 0.9)

    (model, step, schedule), (again, its_step, its_schedule) = made(), made()
    compiled = jit(its_step)
    rng = np.random.default_rng(0)
    for _ in range(7):
        x, y = mg.tensor(rng.normal(size=(5, 3))), mg.tensor(rng.normal(size=(5, 2)))
        assert_same_bits(compiled(x, y), step(x, y))
        schedule.step()
        its_schedule.step()
        assert_same_bits(list(again.parameters()), list(model.parameters()))


def test_a_loss_is_compiled_and_the_rest_of_the_step_is_not():
    def course(wrap):
        mg.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2))
        optimizer = optim.Adam(model.parameters(), lr=0.01)
        loss_of = wrap(lambda x, y: nn.functional.cross_entropy(model(x), y))
        rng = np.random.default_rng(0)
        for _ in range(6):
            optimizer.zero_grad()
            loss_of(mg.tensor(rng.normal(size=(6, 3))), rng.integers(0, 2, 6)).backward()
            optimizer.step()
        return [*model.parameters(), *model.buffers()]

    assert_same_bits(course(jit), course(lambda f: f))


def test_a_step_between_forward_and_backward_is_found():
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1)
    loss_of = jit(lambda x: mg.sum((x * w) ** 2))
    x = mg.tensor([1.0, 3.0])
    for _ in range(3):
        loss = loss_of(x)
        w.grad = mg.tensor([1.0, 1.0])
        optimizer.step()
        with pytest.raises(mg.errors.StaleValueError):
            loss.backward()


def course(wrap, make, between):
    """Parameters and state after nine steps, before each of which something may happen."""
    mg.manual_seed(0)
    model = nn.Linear(3, 2)
    optimizer = make(model.parameters())

    @wrap
    def step(x):
        optimizer.zero_grad()
        loss = mg.sum(model(x) ** 2)
        loss.backward()
        optimizer.step()
        return loss

    rng, kept = np.random.default_rng(0), {}
    for i in range(9):
        between(i, model, optimizer, kept)
        step(mg.tensor(rng.normal(size=(4, 3))))
    return [*model.parameters(), *(x for state in optimizer.state.values() for x in state.values())]


def test_a_state_that_is_loaded_is_the_one_that_is_used():
    def between(i, model, optimizer, kept):
        if i == 4:
            kept.update(optimizer.state_dict())
        if i == 7:
            optimizer.load_state_dict(kept)

    def adam(parameters):
        return optim.Adam(parameters, lr=0.1)

    assert_same_bits(course(jit, adam, between), course(lambda f: f, adam, between))


def test_a_loaded_model_is_the_one_that_is_trained():
    def between(i, model, optimizer, kept):
        if i == 0:
            kept.update(model.state_dict())
        if i == 4:
            model.load_state_dict(kept)

    def sgd(parameters):
        return optim.SGD(parameters, lr=0.1)

    assert_same_bits(course(jit, sgd, between), course(lambda f: f, sgd, between))
