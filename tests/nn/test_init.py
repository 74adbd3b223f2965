"""Initial values: where they end, how they scatter, from which generator."""

import math

import numpy as np
import pytest
import scipy.stats

import minigrad as mg
from minigrad import errors, nn
from tests.rows import each

init = nn.init
RANDOM = {
    "uniform_": (init.uniform_, {"a": -2.0, "b": 4.0}, 6 / 12**0.5, 1.0),
    "normal_": (init.normal_, {"mean": 3.0, "std": 2.0}, 2.0, 3.0),
    "xavier_uniform_": (init.xavier_uniform_, {"gain": 2.0}, 2 * math.sqrt(2 / 700), 0.0),
    "xavier_normal_": (init.xavier_normal_, {}, math.sqrt(2 / 700), 0.0),
    "kaiming_uniform_": (init.kaiming_uniform_, {"nonlinearity": "relu"}, math.sqrt(2 / 400), 0.0),
    "kaiming_normal_": (init.kaiming_normal_, {"a": 0.5, "mode": "fan_out"}, math.sqrt(2 / 1.25 / 300), 0.0),
    "trunc_normal_": (init.trunc_normal_, {"std": 0.5}, 0.5 * scipy.stats.truncnorm.std(-4, 4), 0.0),
    "sparse_": (init.sparse_, {"sparsity": 0.0, "std": 0.3}, 0.3, 0.0),
}
over_random = pytest.mark.parametrize("name", RANDOM)


@pytest.fixture(autouse=True)
def _seed():
    mg.manual_seed(0)


@over_random
def test_mean_and_spread(name):
    function, options, std, mean = RANDOM[name]
    w = function(mg.empty((300, 400)), **options).data
    assert w.std() == pytest.approx(std, rel=0.01)
    assert w.mean() == pytest.approx(mean, abs=0.015 * std)


@over_random
def test_the_generator_decides(name):
    function, options, _, _ = RANDOM[name]

    def draw(**more):
        return function(mg.empty((4, 5)), **options, **more).tolist()

    assert draw(generator=np.random.default_rng(7)) == draw(generator=np.random.default_rng(7))
    assert draw(generator=np.random.default_rng(7)) != draw(generator=np.random.default_rng(8))
    mg.manual_seed(7)
    one = draw()
    assert draw() != one
    mg.manual_seed(7)
    assert draw() == one
    mg.manual_seed(7)
    draw(generator=np.random.default_rng(1))  # leaves the package's alone
    assert draw() == one


@over_random
def test_they_are_written_into_the_memory_and_returned(name):
    function, options, _, _ = RANDOM[name]
    for p in (nn.Parameter(mg.empty((4, 5))), nn.Parameter(np.empty((4, 5), np.float32)), mg.empty((4, 5))):
        memory = p.data
        assert function(p, **options) is p
        assert p.data is memory
        assert np.isfinite(memory).all()


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 5), (3, 4, 5, 6), (3, 4, 2, 2, 2)])
def test_the_bounds_come_from_the_fans(shape):
    window = math.prod(shape[2:])
    bounds = {
        math.sqrt(6 / (7 * window)): init.xavier_uniform_,
        math.sqrt(6 / (4 * window)): init.kaiming_uniform_,
        math.sqrt(6 / (3 * window)): lambda w: init.kaiming_uniform_(w, mode="fan_out"),
    }
    for bound, function in bounds.items():
        largest = max(np.abs(function(mg.empty(shape)).data).max() for _ in range(60))
        assert 0.9 * bound < largest <= bound


def test_constants():
    assert init.constant_(mg.empty(2), 0.5).tolist() == [0.5, 0.5]
    assert init.zeros_(mg.empty(2)).tolist() == [0, 0]
    assert init.ones_(mg.empty(2)).tolist() == [1, 1]
    assert init.eye_(mg.empty((2, 3))).tolist() == [[1, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize(
    ("shape", "groups"), [((2, 2, 3), 1), ((2, 3, 3, 3), 1), ((4, 2, 1, 3), 2), ((3, 1, 2, 2, 3), 3)]
)
def test_dirac_lets_channels_pass(shape, groups):
    w = init.dirac_(mg.empty(shape), groups)
    x = np.random.default_rng(0).normal(size=(1, shape[1] * groups, *(5,) * (len(shape) - 2)))
    y = getattr(nn.functional, f"conv{len(shape) - 2}d")(x, w, padding="same", groups=groups).data
    per = min(shape[0] // groups, shape[1])
    for group in range(groups):
        first, source = group * (shape[0] // groups), group * shape[1]
        # Of a kernel of even length the centre is the element after the middle.
        shift = tuple(slice(0, 5) if k % 2 else slice(0, 4) for k in shape[2:])
        moved = tuple(slice(0, 5) if k % 2 else slice(1, 5) for k in shape[2:])
        np.testing.assert_array_equal(
            y[(0, slice(first, first + per), *shift)], x[(0, slice(source, source + per), *moved)]
        )


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (3, 2, 2), (1, 1)])
def test_orthogonal_rows_or_columns(shape):
    w = init.orthogonal_(mg.empty(shape), gain=2.0).data.reshape(shape[0], -1)
    square = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(square, 4 * np.eye(len(square)), atol=1e-12)
    signs = [np.sign(init.orthogonal_(mg.empty((2, 2))).data[0, 0]) for _ in range(40)]
    assert len(set(signs)) == 2


@pytest.mark.parametrize("sparsity", [0.0, 0.25, 0.3, 1.0])
def test_sparse_columns(sparsity):
    w = init.sparse_(mg.empty((10, 7)), sparsity).data
    assert (np.count_nonzero(w == 0, axis=0) == math.ceil(10 * sparsity)).all()


@each(("low", "high"), [
    (-2, 2), (-1, 3), (0, 1), (-0.1, 0.1), (2, 3), (5, 6), (5, math.inf), (0.01, math.inf), (-math.inf, -4),
    (-9, -8.5), (30, 31), (-math.inf, math.inf),
])  # fmt: skip
@each(("mean", "std"), [(0.0, 1.0), (3.0, 0.5)])
def test_truncated_normal_numbers_have_the_right_distribution(low, high, mean, std):
    w = init.trunc_normal_(mg.empty(4000), mean, std, mean + std * low, mean + std * high).data
    z = (w - mean) / std
    assert z.min() >= low - 1e-12
    assert z.max() <= high + 1e-12
    assert scipy.stats.kstest(z, scipy.stats.truncnorm(low, high).cdf).pvalue > 1e-4


def test_gains():
    assert init.calculate_gain("relu") == math.sqrt(2)
    assert init.calculate_gain("leaky_relu") == pytest.approx(math.sqrt(2 / 1.0001))
    assert init.calculate_gain("leaky_relu", 1.0) == 1.0
    with pytest.raises(errors.ArgumentError, match="there is no gain for 'gelu'; there are: leaky_relu, tanh, relu"):
        init.calculate_gain("gelu")


def test_writing_makes_old_graphs_stale_and_says_where():
    p = nn.Parameter([1.0, 2.0])
    loss = (p * p).sum()
    init.zeros_(p)
    with pytest.raises(errors.StaleValueError, match=r"was written to \(at .*test_init.py"):
        loss.backward()


def test_edge_sizes():
    for function, options, _, _ in RANDOM.values():
        assert function(mg.empty((0, 3)), **options).shape == (0, 3)
        assert function(mg.empty((3, 0)), **options).shape == (3, 0)
    assert init.normal_(mg.tensor(0.0)).shape == ()


@each(("call", "text"), [
    (lambda: init.xavier_normal_(mg.empty(3)), r"a weight of shape \(3,\) has no inputs and outputs to count"),
    (lambda: init.kaiming_normal_(mg.empty((2, 2)), mode="fan"), "mode must be 'fan_in' or 'fan_out', not 'fan'"),
    (lambda: init.kaiming_normal_(mg.empty((2, 2)), nonlinearity="gelu"), "there is no gain for 'gelu'"),
    (lambda: init.eye_(mg.empty(3)), r"eye_ is for matrices, and this has shape \(3,\)"),
    (lambda: init.sparse_(mg.empty(3), 0.1), r"sparse_ is for matrices, and this has shape \(3,\)"),
    (lambda: init.sparse_(mg.empty((3, 3)), 1.1), "sparse_: sparsity must be a number from 0 to 1, not 1.1"),
    (lambda: init.orthogonal_(mg.empty(3)), r"orthogonal_ is for matrices, and this has shape \(3,\)"),
    (lambda: init.dirac_(mg.empty((2, 2))), r"dirac_ is for the filters .* in 1 groups, not shape \(2, 2\)"),
    (lambda: init.dirac_(mg.empty((3, 2, 1)), 2), "dirac_ is for the filters of a convolution in 2 groups"),
    (lambda: init.trunc_normal_(mg.empty(3), std=0.0), "trunc_normal_: std must be a number above 0, not 0.0"),
    (lambda: init.trunc_normal_(mg.empty(3), a=2.0, b=2.0), "trunc_normal_: a must be a number below 2.0, not 2.0"),
    (lambda: init.zeros_(np.ones(3)), "written into a Tensor of floating-point numbers, not into a ndarray"),
    (lambda: init.uniform_(mg.tensor([1, 2])), "not into a Tensor of dtype int64"),
    (lambda: init.zeros_(2.0 * mg.tensor([1.0], requires_grad=True)), "this Tensor is the result of an operation"),
])  # fmt: skip
def test_what_cannot_be_initialized(call, text):
    with pytest.raises(errors.MinigradError, match=text):
        call()
