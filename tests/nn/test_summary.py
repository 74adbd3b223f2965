"""The table of a model's parts."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        self.drop = nn.Dropout()
        self.head = nn.Linear(16, 2)
        self.unused = nn.Linear(1000, 10)
        self.scale = nn.Parameter(1.0)

    def forward(self, x, factor=1.0):
        return self.scale * self.head(self.drop(nn.functional.relu(self.body(x)).reshape(len(x), -1))) * factor


def test_the_text():
    assert repr(nn.summary(Net(), mg.zeros((1, 1, 4, 4)), factor=2.0)) == (
        "part                output        parameters\n"
        "--------------------------------------------\n"
        "model: Net          (1, 2)                 1\n"
        "  body: Sequential  (1, 4, 2, 2)           -\n"
        "    0: Conv2d       (1, 4, 2, 2)          40\n"
        "    1: BatchNorm2d  (1, 4, 2, 2)           8\n"
        "    2: ReLU         (1, 4, 2, 2)           -\n"
        "  drop: Dropout     (1, 16)                -\n"
        "  head: Linear      (1, 2)                34\n"
        "  unused: Linear    -                 10,010\n"
        "--------------------------------------------\n"
        "10,093 parameters, 10,093 of them trained, 0.08 MiB"
    )


def test_the_numbers():
    model = Net()
    model.unused.requires_grad_(False)
    table = nn.summary(model, np.zeros((1, 1, 4, 4)))
    assert (table.parameters, table.trainable) == (10_093, 83)
    assert table.bytes == 8 * (10_093 + 8 + 1)
    assert [line.name for line in table.lines] == [name for name, _ in model.named_modules()]
    assert [line.depth for line in table.lines] == [0, 1, 2, 2, 2, 1, 1, 1]
    assert table.lines[6] == ("head", "Linear", ((1, 2),), 34, 1)
    assert table.lines[7].shapes == ()


def test_without_an_input_the_model_is_not_run():
    table = nn.summary(Net())
    assert all(line.shapes == () for line in table.lines)
    assert table.parameters == 10_093


def test_nothing_is_left_behind():
    model = Net()
    model.body.eval()
    modes = [part.training for part in model.modules()]
    before = {name: t.tolist() for name, t in model.state_dict().items()}
    buffers = [*model.buffers()]
    state = mg.random.get_state()
    nn.summary(model, mg.zeros((1, 1, 4, 4)))
    assert mg.random.get_state() == state
    assert {name: t.tolist() for name, t in model.state_dict().items()} == before
    assert all(x is y for x, y in zip(buffers, model.buffers(), strict=True))
    assert [part.training for part in model.modules()] == modes
    assert all(p.grad is None for p in model.parameters())
    calls = []
    model.register_forward_hook(lambda *args: calls.append(1))
    with pytest.raises(mg.errors.ShapeError):
        nn.summary(model, mg.zeros((1, 2, 4, 4)))
    assert [part.training for part in model.modules()] == modes
    model(mg.zeros((2, 1, 4, 4)))
    assert len(calls) == 1


def test_several_outputs_and_shared_parts():
    table = nn.summary(nn.LSTM(3, 4), mg.zeros((5, 2, 3)))
    assert table.lines[0].shapes == ((5, 2, 4), (1, 2, 4), (1, 2, 4))
    assert "(5, 2, 4), (1, 2, 4), (1, 2, 4)" in repr(table)
    layer = nn.Linear(2, 2)
    table = nn.summary(nn.Sequential(layer, layer), mg.zeros(2))
    assert table.parameters == 6
    assert len(table.lines) == 2
    spectral = nn.utils.spectral_norm(nn.Linear(3, 2))
    u = spectral.weight_u.tolist()
    nn.summary(spectral, mg.zeros(3))
    assert spectral.weight_u.tolist() == u


def test_models_of_a_batch_of_one():
    assert nn.summary(nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)), mg.zeros((1, 4))).parameters == 21
