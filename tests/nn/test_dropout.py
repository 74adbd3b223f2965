"""Dropout: how often, how much, from which seed."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, nn
from tests.rows import each

F = nn.functional
KINDS = {
    "dropout": (nn.Dropout, (50, 40, 30)),
    "dropout1d": (nn.Dropout1d, (300, 200, 3)),
    "dropout2d": (nn.Dropout2d, (300, 200, 2, 2)),
    "dropout3d": (nn.Dropout3d, (300, 200, 2, 1, 2)),
    "alpha_dropout": (nn.AlphaDropout, (50, 40, 30)),
    "feature_alpha_dropout": (nn.FeatureAlphaDropout, (300, 200, 3)),
}
CHANNELS = ["dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]
over_all = pytest.mark.parametrize("name", KINDS)


@pytest.fixture(autouse=True)
def _seed():
    mg.manual_seed(0)


@over_all
@each("p", [0.1, 0.5, 0.9])
def test_the_share_that_is_dropped(name, p):
    layer, shape = KINDS[name]
    y = layer(p)(np.ones(shape))
    values, counts = np.unique(y.round(12), return_counts=True)
    assert len(values) == 2
    dropped = counts[values == (0.0 if "alpha" not in name else values.min())].sum() / y.size
    draws = shape[0] * shape[1] if name in CHANNELS else y.size
    assert abs(dropped - p) < 5 * (p * (1 - p) / draws) ** 0.5
    if "alpha" not in name:
        assert values.max() == pytest.approx(1 / (1 - p))
        assert abs(y.mean() - 1) < 5 * (p / (1 - p) / draws) ** 0.5


@pytest.mark.parametrize("name", ["alpha_dropout", "feature_alpha_dropout"])
@pytest.mark.parametrize("p", [0.1, 0.5])
def test_alpha_dropout_keeps_mean_and_variance(name, p):
    layer, _ = KINDS[name]
    y = layer(p)(np.random.default_rng(0).normal(size=(400, 300, 1)))
    assert abs(y.mean()) < 0.02
    assert abs(y.std() - 1) < 0.02


@pytest.mark.parametrize("name", CHANNELS)
def test_whole_channels_are_dropped(name):
    layer, shape = KINDS[name]
    for size in (shape, shape[1:]) if "alpha" not in name else (shape,):
        y = layer()(np.ones(size)).reshape(*size[: -len(shape) + 2], -1)
        assert (y == y[..., :1]).all()
        assert len(np.unique(y.round(12))) == 2


@over_all
def test_the_seed_decides(name):
    layer, shape = KINDS[name]
    made = layer()

    def draw(seed):
        mg.manual_seed(seed)
        return made(np.ones(shape))

    assert np.array_equal(draw(5), draw(5))
    assert not np.array_equal(draw(5), draw(6))
    assert not np.array_equal(made(np.ones(shape)), made(np.ones(shape)))


@over_all
def test_in_use_the_input_passes_untouched(name):
    layer, shape = KINDS[name]
    x = mg.tensor(np.ones(shape))
    assert layer().eval()(x) is x
    assert getattr(F, name)(x, training=False) is x
    assert layer(0.0)(x) is x


@over_all
def test_everything_may_be_dropped(name):
    layer, shape = KINDS[name]
    x = mg.tensor(np.ones(shape), requires_grad=True)
    y = layer(1.0)(x)
    assert not y.data.any()
    y.sum().backward()
    assert not x.grad.data.any()


@over_all
@each("p", [-0.1, 1.1, float("nan")])
def test_p_is_a_probability(name, p):
    layer, shape = KINDS[name]
    with pytest.raises(errors.ArgumentError, match=f"{layer.__name__}: p must be a number from 0 to 1"):
        layer(p)
    with pytest.raises(errors.ArgumentError, match=f"{name}: p must be"):
        getattr(F, name)(np.ones(shape), p)


def test_the_gradient_is_scaled_as_the_value():
    x = mg.tensor(np.full((10, 10), 3.0), requires_grad=True)
    y = F.dropout(x, 0.25)
    y.sum().backward()
    np.testing.assert_allclose(y.detach(), 3 * x.grad)
    x.grad = None
    mg.manual_seed(1)
    y = F.alpha_dropout(x, 0.25, training=True)
    y.sum().backward()
    kept = x.grad.numpy() != 0
    assert len(np.unique(x.grad.numpy().round(12))) == 2
    assert len(np.unique(y.data[~kept].round(12))) == 1


def test_integers_become_floating_point():
    assert F.dropout(np.arange(5), 0.5).dtype == np.float64
    assert F.alpha_dropout(np.arange(5), 0.5, training=True).dtype == np.float64
    assert F.dropout(np.ones(5, np.float16), 0.5).dtype == np.float16
    assert set(F.dropout(np.full(100, 1 + 2j), 0.5).tolist()) == {0, 2 + 4j}


@pytest.mark.parametrize(("call", "text"), [
    (lambda: F.dropout1d(np.ones(3)), r"dropout1d: the input must have shape \(N, C, ...\) or \(C, ...\), not \(3,\)"),
    (lambda: F.dropout2d(np.ones((2, 3))), "dropout2d: the input must have shape"),
    (lambda: nn.Dropout3d()(np.ones((2, 3, 4))), "dropout3d: the input must have shape"),
    (lambda: F.feature_alpha_dropout(np.ones(3), training=True), "feature_alpha_dropout: the input must have shape"),
])  # fmt: skip
def test_channels_must_be_there(call, text):
    with pytest.raises(errors.ShapeError, match=text):
        call()
