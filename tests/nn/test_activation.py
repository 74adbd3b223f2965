"""Activations: far out, at random, along axes; and linear layers."""

import math

import numpy as np
import pytest
import scipy.special as sp

import minigrad as mg
from minigrad import errors, nn
from tests.rows import each

F = nn.functional
FAR = np.array([-1e300, -1000.0, -40.0, 40.0, 1000.0, 1e300])


@pytest.fixture(autouse=True)
def _seed():
    mg.manual_seed(0)


# Far from zero nothing overflows, and nothing is lost

LIMITS = {
    F.relu: [0, 0, 0, 40, 1000, 1e300],
    F.relu6: [0, 0, 0, 6, 6, 6],
    F.hardtanh: [-1, -1, -1, 1, 1, 1],
    F.hardsigmoid: [0, 0, 0, 1, 1, 1],
    F.hardswish: [0, 0, 0, 40, 1000, 1e300],
    F.leaky_relu: [-1e298, -10, -0.4, 40, 1000, 1e300],
    F.elu: [-1, -1, -1, 40, 1000, 1e300],
    F.celu: [-1, -1, -1, 40, 1000, 1e300],
    F.selu: [-1.75809934085] * 3 + [42.02803949422, 1050.700987355, 1.0507009874e300],
    F.softplus: [0, 0, math.exp(-40), 40, 1000, 1e300],
    F.logsigmoid: [-1e300, -1000, -40, -math.exp(-40), 0, 0],
    F.softsign: [-1, -1000 / 1001, -40 / 41, 40 / 41, 1000 / 1001, 1],
    F.tanhshrink: [-1e300, -999, -39, 39, 999, 1e300],
    F.softshrink: [-1e300, -999.5, -39.5, 39.5, 999.5, 1e300],
    F.gelu: [0, 0, 0, 40, 1000, 1e300],
    F.silu: [0, 0, -40 * sp.expit(-40), 40, 1000, 1e300],
    F.mish: [0, 0, -40 * math.exp(-40), 40, 1000, 1e300],
    F.sigmoid: [0, 0, 0, 1, 1, 1],
    F.tanh: [-1, -1, -1, 1, 1, 1],
}  # fmt: skip


@pytest.mark.parametrize("function", LIMITS, ids=lambda f: f.__name__)
def test_far_out(function):
    x = mg.tensor(FAR, requires_grad=True)
    y = function(x)
    np.testing.assert_allclose(y.data, LIMITS[function], rtol=1e-9, atol=1e-15)
    y.sum().backward()
    assert np.isfinite(x.grad.data).all()


def test_gelu_by_a_hyperbolic_tangent():
    x = np.linspace(-5, 5, 101)
    np.testing.assert_allclose(F.gelu(x, "tanh"), F.gelu(x), atol=1e-3)
    np.testing.assert_allclose(F.gelu(x), x * sp.ndtr(x), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(F.gelu(FAR[1:-1], "tanh"), np.maximum(FAR[1:-1], 0), atol=1e-15)
    large = np.linspace(-5, 5, 200_001).reshape(3, -1)  # more than one block
    np.testing.assert_allclose(F.gelu(large, "tanh")[1, 5], F.gelu(large[1:2, 5], "tanh")[0])


@pytest.mark.parametrize("function", [
    F.relu, F.relu6, F.hardtanh, F.leaky_relu, lambda x: F.threshold(x, 0.0, 1.0), F.hardshrink, F.softshrink, F.elu,
    F.softplus, F.softsign, F.gelu, F.silu, F.mish, F.selu, lambda x: F.prelu(x, [0.25]), F.hardswish, F.hardsigmoid,
    F.tanhshrink, F.rrelu,
])  # fmt: skip
def test_nan_is_not_hidden(function):
    with np.errstate(invalid="ignore"):  # NumPy's logaddexp speaks of NaN
        y = function(np.array([np.nan, 1.0]))
    assert np.isnan(y).tolist() == [True, False]


def test_single_slopes_and_those_of_channels():
    x = -np.ones((2, 3, 4))
    for weight in (0.5, [0.5], np.array(0.5)):
        assert (F.prelu(x, weight) == -0.5).all()
    assert F.prelu(x, [1.0, 2.0, 3.0])[1, :, 2].tolist() == [-1, -2, -3]
    assert F.prelu(x[0, :, 0], [1.0, 2.0, 3.0]).tolist() == [-1, -2, -3]
    layer = nn.PReLU(3, init=0.1)
    nn.init.zeros_(layer.weight)
    layer.reset_parameters()
    assert layer.weight.tolist() == [0.1] * 3


def test_random_slopes():
    y = F.rrelu(-np.ones(10_000), 0.2, 0.6, training=True)
    assert (y.min(), y.max()) == (pytest.approx(-0.6, abs=1e-3), pytest.approx(-0.2, abs=1e-3))
    assert y.mean() == pytest.approx(-0.4, abs=0.01)
    assert F.rrelu(np.array([-1.0]), 0.2, 0.6).item() == pytest.approx(-0.4)
    x = mg.tensor(-np.ones(5), requires_grad=True)
    y = F.rrelu(x, training=True)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, -y.data)


# Along an axis


def test_the_axis_of_a_softmax():
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(F.softmax(x, dim=0).sum(axis=0), 1.0)
    np.testing.assert_allclose(np.exp(F.log_softmax(x, dim=1)), F.softmax(x, dim=1))
    np.testing.assert_allclose(F.softmin(x, dim=-1), F.softmax(-x, dim=-1))
    assert F.softmax(x, dim=0, dtype=np.float32).dtype == np.float32
    assert F.log_softmax(np.arange(3), dim=0).dtype == np.float64


@pytest.mark.parametrize("function", [F.softmax, F.log_softmax, F.softmin])
@pytest.mark.parametrize(("shape", "axis"), [((3,), 0), ((2, 3), 1), ((2, 3, 2), 0), ((2, 3, 1, 2), 1)])
def test_without_an_axis_there_is_a_warning_and_pytorchs_axis(function, shape, axis):
    x = np.random.default_rng(0).normal(size=shape)
    with pytest.warns(UserWarning, match=f"{function.__name__}: say along which axis, as in") as caught:
        y = function(x)
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(y, function(x, dim=axis))


def test_masked_softmaxes():
    x = np.array([0.0, -np.inf, 0.0])
    assert F.softmax(x, dim=0).tolist() == [0.5, 0, 0.5]
    assert F.log_softmax(x, dim=0)[1] == -np.inf


def test_gumbel_softmax():
    logits = mg.tensor(np.log([0.7, 0.2, 0.1]), requires_grad=True)
    soft = F.gumbel_softmax(mg.broadcast_to(logits, (4000, 3)), tau=0.5)
    np.testing.assert_allclose(soft.data.sum(axis=1), 1)
    hard = F.gumbel_softmax(mg.broadcast_to(logits, (4000, 3)), hard=True)
    np.testing.assert_allclose(np.sort(hard.data, axis=1), np.broadcast_to([0, 0, 1], (4000, 3)), atol=1e-15)
    np.testing.assert_allclose(hard.data.mean(axis=0), [0.7, 0.2, 0.1], atol=0.03)
    (hard * np.arange(3)).sum().backward()
    assert logits.grad.data.any()
    assert F.gumbel_softmax(np.zeros((3, 2)), hard=True, dim=0).sum(axis=0) == pytest.approx(1)
    mg.manual_seed(3)
    one = F.gumbel_softmax(np.zeros(3))
    mg.manual_seed(3)
    np.testing.assert_array_equal(F.gumbel_softmax(np.zeros(3)), one)


# Linear layers


@each("shape", [(3,), (5, 3), (2, 5, 3), (0, 3), (2, 0, 3), (1, 1, 1, 3)])
@each("bias", [True, False])
def test_linear(shape, bias):
    layer, x = nn.Linear(3, 2, bias=bias), mg.random.randn(*shape, requires_grad=True)
    y = layer(x)
    assert y.shape == (*shape[:-1], 2)
    np.testing.assert_allclose(y.data, x.data @ layer.weight.data.T + (layer.bias.data if bias else 0.0))
    y.sum().backward()
    np.testing.assert_allclose(x.grad, np.broadcast_to(layer.weight.data.sum(axis=0), shape))
    np.testing.assert_allclose(layer.weight.grad, np.broadcast_to(x.data.reshape(-1, 3).sum(axis=0), (2, 3)))
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"][: 1 + bias]
    assert bias or layer.bias is None


def test_operands_of_several_precisions():
    x, w, b = np.ones((2, 3), np.float32), np.ones((2, 3), np.float32), np.ones(2)
    assert F.linear(x, w, b).dtype == np.float64
    assert F.linear(x, w.astype(float), b.astype(np.float32)).tolist() == [[4, 4]] * 2
    assert F.linear(np.ones((2, 3), int), w, b.astype(np.float32)).tolist() == [[4, 4]] * 2


def test_linear_functions_of_one_output():
    assert F.linear(np.ones((2, 3)), np.arange(3.0)).tolist() == [3, 3]
    assert F.linear(np.ones(3), np.arange(3.0), np.float64(1.0)) == 4


def test_linear_starts_within_its_bounds():
    layer = nn.Linear(100, 50)
    for p in layer.parameters():
        assert 0.05 < np.abs(p.data).max() <= 0.1
        assert abs(p.data.mean()) < 0.03
    assert nn.Linear(0, 2)(mg.zeros((3, 0))).tolist() == [[0, 0]] * 3
    assert nn.Linear(2, 0)(mg.zeros((3, 2))).shape == (3, 0)


def test_bilinear_is_a_product_from_both_sides():
    layer = nn.Bilinear(3, 2, 4)
    a, b = np.random.default_rng(0).normal(size=(5, 3)), np.random.default_rng(1).normal(size=(5, 2))
    expected = [[x @ w @ y for w in layer.weight.data] for x, y in zip(a, b, strict=True)] + layer.bias.data
    np.testing.assert_allclose(layer(a, b).data, expected)


def test_shapes_change():
    x = mg.random.randn(2, 3, 4)
    assert nn.Unflatten(-1, (2, -1))(nn.Flatten()(x)).shape == (2, 2, 6)
    assert nn.Flatten(0)(mg.tensor(1.0)).shape == (1,)
    assert nn.Flatten(0, 1)(x).shape == (6, 4)
    assert nn.Identity("anything", goes=True)(x) is x


@each(("call", "text"), [
    (lambda: nn.Linear(-1, 2), "Linear: in_features must be an integer of at least 0, not -1"),
    (lambda: nn.Linear(2, 2.5), "Linear: out_features must be an integer of at least 0, not 2.5"),
    (lambda: nn.Bilinear(1, 0, 2), "Bilinear: in2_features must be an integer of at least 1, not 0"),
    (lambda: nn.Linear(3, 2)(mg.ones(())), r"linear: an input of shape \(\) does not fit a weight of shape \(2, 3\)"),
    (lambda: nn.Linear(3, 2)(mg.ones((3, 2))), r"linear: an input of shape \(3, 2\) .*and a bias of shape \(2,\): the "
                                               "input's last axis must be as long as the weight's"),
    (lambda: F.linear(np.ones(3), np.ones((2, 3)), np.ones(3)), r"and a bias of shape \(3,\)"),
    (lambda: F.linear(np.ones(3), np.ones((2, 3)), np.ones((1, 2))), r"and a bias of shape \(1, 2\)"),
    (lambda: F.linear(np.ones(3), np.ones((2, 3, 1))), r"linear: a weight has the axes \(out_features, in_features\)"),
    (lambda: F.bilinear(np.ones((2, 3)), np.ones((2, 3)), np.ones((2, 3, 2))), "bilinear: inputs of shapes"),
    (lambda: F.bilinear(np.ones((2, 3)), np.ones((1, 2)), np.ones((2, 3, 2))), "the inputs must be alike"),
    (lambda: F.bilinear(np.ones(3), np.ones(2), np.ones((2, 3, 2)), np.ones((2, 1))), "bilinear: a bias of shape"),
    (lambda: nn.Unflatten(2, (2, 2))(np.ones((2, 4))), "Unflatten: axis 2 is out of bounds"),
    (lambda: nn.Unflatten(0, (2, 2))(np.float64(1.0)), "Unflatten: axis 0 is out of bounds"),
    (lambda: nn.Unflatten(1, (3, -1))(np.ones((2, 4))), r"reshape of shape.* \(2, 4\)"),
    (lambda: nn.Flatten(1)(np.ones(3)), "flatten: axis 1 is out of bounds"),
    (lambda: nn.Flatten(2, 1)(np.ones((2, 3, 4))), "flatten: axis 2 does not come before axis 1"),
    (lambda: F.hardtanh(np.ones(2), 1.0, -1.0), "hardtanh: min_val 1.0 must not be above max_val -1.0"),
    (lambda: F.rrelu(np.ones(2), 0.5, 0.2), "rrelu: lower must be a number from 0 to 0.2, not 0.5"),
    (lambda: F.softshrink(np.ones(2), -1.0), "softshrink: lambd must be a number of at least 0, not -1.0"),
    (lambda: F.celu(np.ones(2), 0.0), "celu: alpha must not be 0"),
    (lambda: F.gelu(np.ones(2), "erf"), "gelu: approximate must be 'none' or 'tanh', not 'erf'"),
    (lambda: F.prelu(np.ones((2, 3)), np.ones(2)), r"prelu: 2 weights do not fit the 3 channels of shape \(2, 3\)"),
    (lambda: F.prelu(np.float64(1.0), np.ones(2)), "prelu: 2 weights do not fit the 1 channels"),
    (lambda: F.glu(np.ones((2, 3))), r"glu: axis -1 of shape \(2, 3\) cannot be halved"),
    (lambda: F.glu(np.ones(2), dim=1), "glu: axis 1 is out of bounds"),
    (lambda: F.glu(np.float64(1.0)), "glu: axis -1 is out of bounds"),
    (lambda: F.softmax(np.ones(2), dim=2), "softmax of shape .* axis 2 is out of bounds"),
    (lambda: nn.Softmax2d()(np.ones((2, 3))), r"Softmax2d: the input must have shape \(N, C, H, W\) or \(C, H, W\)"),
    (lambda: F.relu("words"), "relu: an operand is made of numbers, and a str"),
    (lambda: F.silu(None), "made of numbers, and a NoneType"),
    (lambda: nn.Linear(2, 1)([[1.0, 2.0], [3.0]]), "cannot be made of a list whose rows differ in length"),
])  # fmt: skip
def test_what_makes_no_sense_is_named(call, text):
    with pytest.raises(errors.MinigradError, match=text):
        call()
