"""Layers and losses of infinite numbers, of nothing at all, and at kinks."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn

F = nn.functional
INF = np.inf


def gradient(loss, x):
    (g,) = mg.autograd.grad(loss, x)
    return g.data


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_where_no_label_counts_the_mean_is_nan_but_no_gradient_is(smoothing):
    x = mg.tensor(np.ones((3, 4)), requires_grad=True)
    loss = F.cross_entropy(x, np.full(3, -100), label_smoothing=smoothing)
    assert np.isnan(loss.item())
    np.testing.assert_array_equal(gradient(loss, x), np.zeros((3, 4)))


@pytest.mark.parametrize("target", [np.zeros(0, int), np.zeros((0, 4))], ids=["labels", "probabilities"])
def test_the_mean_cross_entropy_of_no_rows_is_nan(target):
    x = mg.zeros((0, 4), requires_grad=True)
    loss = F.cross_entropy(x, target)
    assert np.isnan(loss.item())
    assert gradient(loss, x).shape == (0, 4)


def test_a_softmax_of_infinity_is_nan_everywhere_and_a_logsumexp_is_infinite():
    x = mg.tensor([[INF, 1.0, 2.0], [-INF, 0.0, 0.0]])
    assert np.isnan(F.softmax(x, -1).data[0]).all()
    assert np.isnan(F.log_softmax(x, -1).data[0]).all()
    np.testing.assert_allclose(F.softmax(x, -1).data[1], [0, 0.5, 0.5])
    np.testing.assert_allclose(mg.logsumexp(x, axis=-1).data, [INF, np.log(2)])


def test_a_softmax_of_no_integers_is_empty():
    assert F.softmax(np.zeros((0, 3), int), -1).shape == (0, 3)


@pytest.mark.parametrize("loss", [F.huber_loss, F.smooth_l1_loss])
def test_huber_losses_have_slopes_of_1_at_infinity_and_curvature_1_at_0(loss):
    x = mg.tensor([-INF, 0.0, INF], requires_grad=True)
    np.testing.assert_array_equal(gradient(loss(x, np.zeros(3), reduction="sum"), x), [-1, 0, 1])
    x = mg.tensor([0.0, 0.5, 3.0], requires_grad=True)
    (g,) = mg.autograd.grad(loss(x, np.zeros(3), reduction="sum"), x, create_graph=True)
    np.testing.assert_array_equal(gradient(g.sum(), x), [1, 1, 0])


def test_the_weights_of_a_huber_loss_do_not_divide_its_mean():
    losses = F.huber_loss(np.array([1.0, 1.0]), np.zeros(2), weight=np.array([4.0, 2.0]))
    assert float(losses) == 1.5


def test_the_gate_of_gelu_is_shut_for_what_is_far_below():
    x = np.array([-1e30, 1e30], np.float32)
    np.testing.assert_array_equal(F.gelu(x, approximate="tanh"), [0, x[1]])


def test_the_weight_of_prelu_gets_nothing_from_infinity():
    weight = mg.tensor(0.25, requires_grad=True)
    assert gradient(F.prelu(mg.tensor([INF, -2.0, 0.0]), weight).sum(), weight) == -2
    x = mg.tensor([0.0], requires_grad=True)
    assert gradient(F.prelu(x, weight).sum(), x) == 0.25


@pytest.mark.parametrize("mode", ["linear", "nearest"])
def test_scales_that_leave_the_length(mode):
    """A linear mode then copies; others go by the scale (here from element 0 in both)."""
    x = np.array([[[1.0, 2.0, 4.0]]])
    found = F.interpolate(x, scale_factor=1.2, mode=mode)
    np.testing.assert_array_equal(found[0, 0], [1, 2, 4] if mode == "linear" else [1, 1, 2])


def test_matrices_without_columns_or_rows():
    assert (mg.zeros((0, 3, 0)) @ mg.zeros((0, 2))).shape == (0, 3, 2)
    layer = nn.Linear(3, 2)
    x = mg.zeros((2, 0, 3), requires_grad=True)
    layer(x).sum().backward()
    assert x.grad.shape == x.shape
    assert layer.weight.grad.data.tolist() == np.zeros((2, 3)).tolist()


def test_attention_without_keys_is_zero():
    q = mg.ones((1, 2, 4))
    for causal in (False, True):
        out = F.scaled_dot_product_attention(q, mg.zeros((1, 0, 4)), mg.zeros((1, 0, 4)), is_causal=causal)
        assert out.tolist() == np.zeros((1, 2, 4)).tolist()


def test_instance_norm_without_momentum_keeps_its_running_statistics():
    layer = nn.InstanceNorm1d(2, momentum=None, track_running_stats=True)
    layer(mg.tensor(np.arange(12.0).reshape(2, 2, 3)))
    assert layer.running_mean.tolist() == [0, 0]


def test_a_part_with_two_names_is_one_child():
    model = nn.Module()
    model.a = model.b = nn.ReLU()
    assert [name for name, _ in model.named_children()] == ["a"]


@pytest.mark.parametrize("labels", [0, 1])
def test_ctc_of_float32_stays_float32(labels):
    scores = F.log_softmax(mg.tensor(np.ones((3, 1, 2)), dtype="float32"), -1)
    assert F.ctc_loss(scores, np.ones((1, labels), int), np.array([3]), np.array([labels])).dtype == np.float32


@pytest.mark.parametrize(("dtype", "x"), [("float64", -700.0), ("float32", -80.0)])
def test_a_sigmoid_keeps_its_digits_far_below(dtype, x):
    y = F.sigmoid(np.array([x, -1e30, 1e30], dtype))
    np.testing.assert_allclose(y, [np.exp(x), 0, 1], rtol=1e-5 if dtype == "float32" else 1e-12)
