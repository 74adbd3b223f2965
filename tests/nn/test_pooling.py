"""Pooling: windows at the edges, places of the largest, numbers that are not finite."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, nn
from tests.rows import each

F = nn.functional
RNG = np.random.default_rng(0)
NAN, INF = np.nan, np.inf
SIZES = {1: (7,), 2: (5, 6), 3: (3, 4, 5)}


def line(*numbers):
    return np.array(numbers, float).reshape(1, 1, -1)


@pytest.mark.parametrize("d", SIZES)
@each("options", [{}, {"stride": 1, "padding": 1}, {"stride": 3, "ceil_mode": True}, {"dilation": 2}])
def test_the_indices_point_to_the_values(d, options):
    x = RNG.normal(size=(2, 3, *SIZES[d]))
    y, where = getattr(F, f"max_pool{d}d")(x, 2, return_indices=True, **options)
    found = np.take_along_axis(x.reshape(2, 3, -1), where.reshape(2, 3, -1), axis=-1)
    np.testing.assert_array_equal(found.reshape(y.shape), y)


@pytest.mark.parametrize("d", SIZES)
def test_adaptive_indices_point_to_the_values(d):
    x = RNG.normal(size=(2, 3, *SIZES[d]))
    for count in (1, 2, 3):
        y, where = getattr(F, f"adaptive_max_pool{d}d")(x, count, return_indices=True)
        found = np.take_along_axis(x.reshape(2, 3, -1), where.reshape(2, 3, -1), axis=-1)
        np.testing.assert_array_equal(found.reshape(y.shape), y)
        assert y.shape == (2, 3, *(count,) * d)


@pytest.mark.parametrize("pool", ["max_pool", "adaptive_max_pool"])
def test_indices_are_of_the_kind_of_the_input(pool):
    function = getattr(F, pool + "1d")
    y, where = function(mg.tensor(line(1, 2, 3, 4), requires_grad=True), 2, return_indices=True)
    assert type(y) is type(where) is mg.Tensor
    assert not where.requires_grad
    y, where = function(line(1, 2, 3, 4), 2, return_indices=True)
    assert type(y) is type(where) is np.ndarray
    assert where.dtype.kind == "i"


@pytest.mark.parametrize("d", SIZES)
def test_pooling_and_back(d):
    x = mg.tensor(RNG.normal(size=(2, 3, *SIZES[d])), requires_grad=True)
    y, where = getattr(F, f"max_pool{d}d")(x, 2, return_indices=True)
    back = getattr(F, f"max_unpool{d}d")(y, where, 2, output_size=x.shape)
    assert back.shape == x.shape
    kept = back.data != 0
    np.testing.assert_array_equal(back.data[kept], x.data[kept])
    assert kept.sum() == y.size
    back.sum().backward()
    np.testing.assert_array_equal(x.grad, kept.astype(float))


def test_pooling_of_nan_and_back():
    y, where = F.max_pool1d(line(1, NAN, 3, 2), 2, return_indices=True)
    np.testing.assert_array_equal(F.max_unpool1d(y, where, 2), line(0, NAN, 3, 0))


@pytest.mark.parametrize("function", [F.max_pool1d, F.avg_pool1d, lambda x, k: F.lp_pool1d(x, 2, k)])
@pytest.mark.parametrize("bad", [NAN, INF])
def test_what_is_not_finite_stays_in_its_window(function, bad):
    y = function(line(1, 2, bad, 3, 4, 5), 2)
    assert np.isfinite(y).ravel().tolist() == [True, False, True]
    np.testing.assert_array_equal(y[0, 0, 1], bad)


@pytest.mark.parametrize("function", [F.adaptive_max_pool1d, F.adaptive_avg_pool1d])
@pytest.mark.parametrize("bad", [NAN, INF])
@pytest.mark.parametrize("length", [6, 7])
def test_what_is_not_finite_stays_in_its_adaptive_window(function, bad, length):
    x = np.arange(1.0, length + 1).reshape(1, 1, -1)
    x[0, 0, 0] = bad
    y = function(x, 3)
    assert np.isfinite(y).ravel().tolist() == [False, True, True]
    np.testing.assert_array_equal(y[0, 0, 0], bad)


def test_minus_infinity_counts_more_than_padding():
    x = mg.tensor(line(-INF, -INF, 1), requires_grad=True)
    y, where = F.max_pool1d(x, 2, padding=1, return_indices=True)
    assert y.tolist() == [[[-INF, 1.0]]]
    assert where.tolist() == [[[0, 2]]]


@pytest.mark.parametrize("d", SIZES)
def test_one_window_for_all_is_the_mean(d):
    x = RNG.normal(size=(2, 3, *SIZES[d]))
    axes = tuple(range(2, 2 + d))
    np.testing.assert_allclose(getattr(F, f"adaptive_avg_pool{d}d")(x, 1), x.mean(axis=axes, keepdims=True))
    np.testing.assert_array_equal(getattr(F, f"adaptive_max_pool{d}d")(x, 1), x.max(axis=axes, keepdims=True))
    np.testing.assert_allclose(getattr(F, f"avg_pool{d}d")(x, SIZES[d]), x.mean(axis=axes, keepdims=True))
    np.testing.assert_array_equal(getattr(F, f"adaptive_avg_pool{d}d")(x, SIZES[d] if d > 1 else 7), x)


def test_more_windows_than_elements():
    assert F.adaptive_avg_pool1d(line(1, 2), 3).tolist() == [[[1.0, 1.5, 2.0]]]
    assert F.adaptive_max_pool1d(line(1, 2), 3).tolist() == [[[1.0, 2.0, 2.0]]]


def test_padding_counts_or_not():
    x = line(2, 4)
    assert F.avg_pool1d(x, 2, 1, padding=1).tolist() == [[[1.0, 3.0, 2.0]]]
    assert F.avg_pool1d(x, 2, 1, padding=1, count_include_pad=False).tolist() == [[[2.0, 3.0, 4.0]]]
    assert F.avg_pool1d(line(2, 4, 6), 2, ceil_mode=True).tolist() == [[[3.0, 6.0]]]


def test_lp_pooling_of_zeros_has_no_gradient():
    x = mg.tensor(line(0, 0, 3, 4), requires_grad=True)
    (g,) = mg.autograd.grad(F.lp_pool1d(x, 2, 2).sum(), x, create_graph=True)
    np.testing.assert_allclose(g.data, line(0, 0, 0.6, 0.8))
    (h,) = mg.autograd.grad(g.sum(), x)
    assert np.isfinite(h.data).all()


def test_the_stride_is_the_kernel_unless_given():
    x = RNG.normal(size=(1, 1, 6, 6))
    for make in (nn.MaxPool2d, nn.AvgPool2d):
        assert make(2)(x).shape == (1, 1, 3, 3)
        assert make(2, stride=1)(x).shape == (1, 1, 5, 5)
        assert make((2, 3))(x).shape == (1, 1, 3, 2)
        assert f"{make.__name__}(kernel_size=2, stride=2" in repr(make(2))


X = np.ones((2, 3, 5))


@each(("call", "text"), [
    (lambda: nn.MaxPool1d(2)(X[0, 0]), r"max_pool1d: the input must have shape \(N, C, d1\) or \(C, d1\), not \(5,\)"),
    (lambda: nn.MaxPool1d(6)(X), r"max_pool1d: not one window fits: a kernel of size \(6,\)"),
    (lambda: nn.MaxPool1d(3, dilation=3)(X), r"max_pool1d: not one window fits: .* dilation \(3,\) is \(7,\)"),
    (lambda: nn.MaxPool1d(2, padding=2)(X), r"max_pool1d: padding \(2,\) must be at most half of the kernel \(2,\)"),
    (lambda: nn.MaxPool1d(0)(X), "kernel_size must be an integer of at least 1"),
    (lambda: nn.MaxPool1d(2, stride=0)(X), "stride must be an integer of at least 1"),
    (lambda: nn.AvgPool1d(2, padding=2)(X), "avg_pool1d: padding"),
    (lambda: F.avg_pool2d(X, 2, divisor_override=0), "avg_pool2d: divisor_override must not be 0"),
    (lambda: F.lp_pool1d(X, 2, 6), "lp_pool1d: not one window fits"),
    (lambda: nn.AdaptiveAvgPool1d(0)(X), "adaptive_avg_pool1d: output_size is a number"),
    (lambda: nn.AdaptiveAvgPool2d((2, 2, 2))(X), "adaptive_avg_pool2d: output_size is a number"),
    (lambda: nn.AdaptiveMaxPool1d(2)(X[..., :0]), r"adaptive_max_pool1d: there is nothing in .* lengths \(0,\)"),
    (lambda: nn.AdaptiveAvgPool1d(2)(X[..., :0]), "adaptive_avg_pool1d: there is nothing"),
    (lambda: F.max_unpool1d(X, np.zeros((2, 3, 4), int), 2), r"max_unpool1d: indices of shape \(2, 3, 4\) do not fit"),
    (lambda: F.max_unpool1d(X, np.zeros((3, 2, 5), int), 2), "max_unpool1d: indices of shape"),
    (lambda: F.max_unpool1d(X, np.zeros((2, 3, 5)), 2), "max_unpool1d: indices must be integers, not float64"),
    (lambda: F.max_unpool1d(X, np.full((2, 3, 5), 10), 2), r"max_unpool1d: index 10 is beyond an output of \(10,\)"),
    (lambda: F.max_unpool1d(X, np.full((2, 3, 5), -1), 2), "max_unpool1d: index -1 is beyond"),
    (lambda: F.max_unpool1d(X, np.zeros((2, 3, 5), int), 2, output_size=(12,)), r"an output of \(12,\) .* 9 to 11"),
    (lambda: F.max_unpool1d(X, np.zeros((2, 3, 5), int), 2, output_size=()), r"an output of \(\) cannot be had"),
    (lambda: F.max_unpool2d(X, np.zeros((2, 3, 5), int), 2, output_size=(6,)), r"output_size is a size for each of 2"),
])  # fmt: skip
def test_what_cannot_be_pooled(call, text):
    with pytest.raises(errors.MinigradError, match=text):
        call()
