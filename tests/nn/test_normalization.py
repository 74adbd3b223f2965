"""Normalization: statistics that move from batch to batch, and what has none."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, nn
from tests.rows import each

F = nn.functional
RNG = np.random.default_rng(0)
BATCHES = [RNG.normal(loc=k, scale=k + 1, size=(4, 3, 5)) for k in range(4)]


def per_channel(x):
    return x.mean(axis=(0, 2)), x.var(axis=(0, 2), ddof=1)


# Batches


def test_running_statistics_follow_the_batches():
    norm = nn.BatchNorm1d(3, momentum=0.3)
    mean, var = np.zeros(3), np.ones(3)
    for count, x in enumerate(BATCHES, start=1):
        norm(x)
        m, v = per_channel(x)
        mean, var = 0.7 * mean + 0.3 * m, 0.7 * var + 0.3 * v
        np.testing.assert_allclose(norm.running_mean, mean)
        np.testing.assert_allclose(norm.running_var, var)
        assert norm.num_batches_tracked.item() == count
    y = norm.eval()(BATCHES[0])
    np.testing.assert_allclose(y.detach(), (BATCHES[0] - mean[:, None]) / np.sqrt(var[:, None] + 1e-5))
    assert norm.num_batches_tracked.item() == 4
    np.testing.assert_allclose(norm.running_mean, mean)


def test_without_momentum_they_are_the_mean_over_all_batches():
    norm = nn.BatchNorm1d(3, momentum=None)
    for x in BATCHES:
        norm(x)
    means, variances = zip(*map(per_channel, BATCHES), strict=True)
    np.testing.assert_allclose(norm.running_mean, np.mean(means, axis=0))
    np.testing.assert_allclose(norm.running_var, np.mean(variances, axis=0))


def test_in_training_the_batch_itself_is_normalized():
    for make in (nn.BatchNorm1d, lambda n: nn.BatchNorm1d(n, track_running_stats=False)):
        y = make(3)(BATCHES[3]).detach().numpy()
        np.testing.assert_allclose(y.mean(axis=(0, 2)), 0, atol=1e-12)
        np.testing.assert_allclose(y.var(axis=(0, 2)), 1, rtol=1e-4)


def test_without_running_statistics_the_batch_counts_always():
    norm = nn.BatchNorm1d(3, track_running_stats=False)
    assert [*norm.state_dict()] == ["weight", "bias"]
    assert norm.running_mean is norm.running_var is norm.num_batches_tracked is None
    np.testing.assert_array_equal(norm(BATCHES[1]).data, norm.eval()(BATCHES[1]).data)


def test_a_frozen_norm_in_training_mode_still_follows_and_no_graph_is_kept():
    norm = nn.BatchNorm1d(3).requires_grad_(False)
    x = mg.tensor(BATCHES[1], requires_grad=True)
    norm(norm(x))
    assert not norm.running_mean.requires_grad
    with mg.no_grad():
        norm(x)
    assert norm.num_batches_tracked.item() == 3


def test_the_weight_and_the_bias_may_be_absent():
    assert [*nn.BatchNorm2d(3, affine=False).state_dict()] == ["running_mean", "running_var", "num_batches_tracked"]
    assert [name for name, _ in nn.BatchNorm2d(3, bias=False).named_parameters()] == ["weight"]
    assert [name for name, _ in nn.GroupNorm(1, 2, bias=False).named_parameters()] == ["weight"]
    assert [name for name, _ in nn.LayerNorm(2, bias=False).named_parameters()] == ["weight"]
    for layer in (nn.LayerNorm(2, elementwise_affine=False), nn.RMSNorm(2, elementwise_affine=False)):
        assert not [*layer.parameters()]


@pytest.mark.parametrize("shape", [(1, 3), (1, 3, 1)])
def test_one_number_for_each_channel_cannot_be_normalized(shape):
    norm = nn.BatchNorm1d(3)
    with pytest.raises(errors.ShapeError, match="in training each channel needs more than one value, not shape"):
        norm(mg.ones(shape))
    assert norm.running_mean.tolist() == [0, 0, 0]
    assert norm.eval()(mg.ones(shape)).shape == shape
    with pytest.raises(errors.ShapeError, match="instance_norm: each channel needs more than one value"):
        nn.InstanceNorm1d(3)(mg.ones((2, 3, 1)))


def test_the_functions_update_arrays_and_tensors_in_place():
    x = BATCHES[2]
    for make in (np.array, mg.tensor):
        mean, var = make([0.0] * 3), make([1.0] * 3)
        F.batch_norm(x, mean, var, training=True, momentum=1.0)
        for found, expected in zip((mean, var), per_channel(x), strict=True):
            np.testing.assert_allclose(found, expected)
        F.batch_norm(x, mean, var)
        np.testing.assert_allclose(mean, per_channel(x)[0])


def test_nan_stays_in_its_channel():
    x = BATCHES[0].copy()
    x[0, 1, 0] = np.nan
    y = F.batch_norm(x, None, None, training=True)
    assert np.isnan(y[:, 1]).all()
    assert np.isfinite(y[:, [0, 2]]).all()
    assert np.isnan(F.layer_norm(x, 5)).sum() == 5


# Samples


def test_instance_norm_follows_only_when_told():
    norm = nn.InstanceNorm1d(3)
    assert norm.running_mean is None
    np.testing.assert_array_equal(norm(BATCHES[1]), norm.eval()(BATCHES[1]))
    norm = nn.InstanceNorm1d(3, track_running_stats=True, momentum=0.5)
    norm(BATCHES[1])
    x = BATCHES[1]
    np.testing.assert_allclose(norm.running_mean, 0.5 * x.mean(axis=(0, 2)))
    np.testing.assert_allclose(norm.running_var, 0.5 + 0.5 * x.var(axis=2, ddof=1).mean(axis=0))
    y = norm.eval()(x)
    mean, var = norm.running_mean.data[:, None], norm.running_var.data[:, None]
    np.testing.assert_allclose(y, (x - mean) / np.sqrt(var + 1e-5))
    norm.train()(x[:0])
    assert np.isfinite(norm.running_mean.data).all()


def test_groups():
    x = BATCHES[1]
    np.testing.assert_allclose(F.group_norm(x, 3), F.instance_norm(x))
    np.testing.assert_allclose(F.group_norm(x, 1), F.layer_norm(x, (3, 5)))
    assert nn.GroupNorm(3, 3)(mg.ones((2, 3, 1))).tolist() == [[[0.0]] * 3] * 2


def test_equal_numbers_become_zeros():
    x = np.full((2, 3, 4), 7.0)
    for y in (F.batch_norm(x, None, None, training=True), F.instance_norm(x), F.group_norm(x, 3), F.layer_norm(x, 4)):
        assert not y.any()


@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_huge_and_tiny_numbers(scale):
    x = scale * np.array([[1.0, 2.0, 4.0]])
    np.testing.assert_allclose(F.layer_norm(x, 3, eps=0.0), F.layer_norm(x / scale, 3, eps=0.0), rtol=1e-12)
    np.testing.assert_allclose(F.rms_norm(x, 3, eps=0.0), F.rms_norm(x / scale, 3, eps=0.0), rtol=1e-12)


def test_rms_norm_adds_the_epsilon_of_the_precision():
    for dtype in (np.float32, np.float64):
        x = np.zeros((1, 3), dtype)
        assert not F.rms_norm(x, 3).any()
        tiny = np.full((1, 3), np.finfo(dtype).eps ** 0.5, dtype)
        np.testing.assert_allclose(F.rms_norm(tiny, 3), 2**-0.5, rtol=1e-5)


def test_neighbouring_channels():
    x = np.arange(1.0, 6).reshape(1, 5, 1)
    y = F.local_response_norm(x, 3, alpha=3.0, beta=1.0, k=0.0)
    total = np.convolve(x.ravel() ** 2, np.ones(3), "same")
    np.testing.assert_allclose(y.ravel(), x.ravel() / total)


# What does not fit

X = np.ones((4, 3, 5))


@each(("call", "text"), [
    (lambda: nn.BatchNorm1d(2)(X), r"BatchNorm1d: the input must have 2 or 3 axes and 2 channels, not .*\(4, 3, 5\)"),
    (lambda: nn.BatchNorm2d(3)(X), r"BatchNorm2d: the input must have 4 axes and 3 channels, not shape \(4, 3, 5\)"),
    (lambda: nn.InstanceNorm1d(2)(X), "InstanceNorm1d: the input must have 2 or 3 axes and 2 channels"),
    (lambda: nn.InstanceNorm2d(3)(X[0]), "InstanceNorm2d: the input must have 3 or 4 axes"),
    (lambda: F.batch_norm(X[0, 0], None, None, training=True), r"batch_norm: the input must have shape \(N, C, ...\)"),
    (lambda: F.batch_norm(X, None, None), "running_mean and running_var are needed when not in training"),
    (lambda: F.batch_norm(X, np.zeros(1), np.ones(3)), r"a running_mean of shape \(1,\) does not fit 3 channels"),
    (lambda: F.batch_norm(X, np.zeros(3), np.ones(2), training=True), r"a running_var of shape \(2,\) does not fit"),
    (lambda: F.batch_norm(X, np.zeros(3), np.ones(3), np.ones(5)), r"a weight of shape \(5,\) does not fit 3 channels"),
    (lambda: F.batch_norm(X, np.zeros(3), np.ones(3), bias=np.ones((3, 1))), r"a bias of shape \(3, 1\) does not fit"),
    (lambda: F.instance_norm(X[0]), r"instance_norm: the input must have shape \(N, C, ...\), not \(3, 5\)"),
    (lambda: F.group_norm(X, 2), "group_norm: 2 groups do not divide 3 channels"),
    (lambda: F.group_norm(X, 0), "group_norm: 0 groups do not divide 3 channels"),
    (lambda: nn.GroupNorm(2, 3), "GroupNorm: 2 groups do not divide 3 channels"),
    (lambda: nn.GroupNorm(1, 4)(X), r"group_norm: a weight of shape \(4,\) does not fit 3 channels"),
    (lambda: nn.LayerNorm(3)(X), r"layer_norm: the last axes of an input of shape \(4, 3, 5\) must be \(3,\)"),
    (lambda: F.layer_norm(X, ()), r"layer_norm: the last axes of an input of shape \(4, 3, 5\) must be \(\)"),
    (lambda: F.layer_norm(X, (3, 5), np.ones(15)), r"a weight of shape \(15,\) does not fit .* \(3, 5\)"),
    (lambda: F.layer_norm(X, 5, bias=np.ones(1)), r"layer_norm: a bias of shape \(1,\) does not fit"),
    (lambda: F.rms_norm(X, 4), "rms_norm: the last axes"),
    (lambda: F.local_response_norm(X[0], 2), "local_response_norm: the input must have shape"),
    (lambda: F.local_response_norm(X, 0), "local_response_norm: size must be an integer of at least 1, not 0"),
])  # fmt: skip
def test_what_does_not_fit_is_named(call, text):
    with pytest.raises(errors.ArgumentError, match=text):
        call()


@each("normalize", [
    lambda x: F.layer_norm(x, x.shape[-1:]), lambda x: F.group_norm(x, 3), F.instance_norm,
    lambda x: F.batch_norm(x, None, None, training=True),
])  # fmt: skip
def test_half_precision_stays(normalize):
    x = mg.tensor(X, dtype=np.float16, requires_grad=True)
    y = normalize(x)
    (y * y * y).sum().backward()
    assert (y.dtype, x.grad.dtype) == (np.float16, np.float16)
    np.testing.assert_allclose(y.detach().numpy(), normalize(x.detach().numpy().astype(float)), atol=2e-3)
