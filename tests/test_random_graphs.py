"""Hypothesis builds expressions that nobody would think of; their gradients must agree with differences of values."""

from dataclasses import dataclass, field

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minigrad as mg

QUICK = settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))

UNARY = {
    "sin": np.sin,
    "tanh": np.tanh,
    "exp(-x²)": lambda x: np.exp(-x * x),
    "log(2 + x²)": lambda x: np.log(x**2 + 2.0),
    "sqrt(1 + x²)": lambda x: np.sqrt(x * x + 1),
    "1 / (3 + cos)": lambda x: 1.0 / (3.0 + np.cos(x)),
    "arctan": np.arctan,
    "sigmoid": mg.sigmoid,
    "negative": lambda x: -x,
    "2 ** tanh": lambda x: 2.0 ** np.tanh(x),
}
BINARY = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * np.tanh(y),
    "divide": lambda x, y: x / (np.square(y) + 1.5),
    "power": lambda x, y: (np.square(x) + 0.5) ** np.tanh(y),
    "logaddexp": np.logaddexp,
    "arctan2": lambda x, y: np.arctan2(x, y * y + 1.0),
    "where": lambda x, y: np.where(np.arange(3) > 0, x, y),
    "outer": lambda x, y: np.einsum("...i,...j->...ij", x, y)[..., 0],
}
REDUCTIONS = {
    "sum": np.sum,
    "mean": np.mean,
    "logsumexp": mg.logsumexp,
    "var": lambda x, **how: np.var(x + 0.0, **how),
    "prod": lambda x, **how: np.prod(np.tanh(x) + 0.1, **how),
}
ROWS = {  # of arrays whose last axis has length 3
    "softmax": mg.softmax,
    "log_softmax": mg.log_softmax,
    "flip": lambda x: np.flip(x, axis=-1),
    "roll": lambda x: np.roll(x, 1, axis=-1),
    "cumsum": lambda x: np.cumsum(x, axis=-1),
    "cumprod": lambda x: np.cumprod(np.tanh(x), axis=-1),
    "gather": lambda x: x[..., [2, 0, 2]],
    "matmul": lambda x: np.matmul(x, np.array([[0.5, -1.0, 0.2], [0.1, 0.3, 0.4], [-0.7, 0.0, 1.0]])),
    "concat": lambda x: np.concatenate([x[..., 1:], x[..., :1] * x[..., 2:]], axis=-1),
    "stack": lambda x: np.stack([x[..., 2], x[..., 0] * x[..., 1], x[..., 1]], axis=-1),
    "turned": lambda x: np.swapaxes(np.reshape(np.swapaxes(x, -1, 0), x.shape[::-1]), 0, -1),
    "strided": lambda x: x[..., ::-1] + x[..., ::2][..., :1],
}


def _write(x, y):
    x = x * 1.0
    x[..., 1] = y[..., 0] * 0.5
    return x


def _add_to_part(x, y):
    x = x * 1.0
    x[..., :2] += y[..., 1:]
    return x


def _update(x, y):
    before = x
    x = x * 1.0
    x *= 0.5
    x += np.sin(y)
    return x + before


def _write_with_mask(x, y):
    x = x * 1.0
    x[..., np.array([True, False, True])] = y[..., :1]
    return x


IN_PLACE = {f.__name__.strip("_"): f for f in (_write, _add_to_part, _update, _write_with_mask)}
SHAPES = [(3,), (1, 3), (2, 3), (2, 1, 3)]


@dataclass
class Program:
    """Steps that each make a new value of earlier ones; it runs on ndarrays and on Tensors."""

    shapes: list[tuple[int, ...]]
    steps: list[tuple] = field(default_factory=list)

    def __call__(self, *leaves):
        values = list(leaves)
        for kind, name, i, j, axis in self.steps:
            x, y = values[i % len(values)], values[j % len(values)]
            if kind == "unary":
                values.append(UNARY[name](x))
            elif kind == "binary":
                values.append(BINARY[name](x, y))
            elif kind == "row":
                values.append(ROWS[name](x))
            elif kind == "in place":
                wide = x + y * 0.1  # of a shape that y broadcasts to
                values.append(IN_PLACE[name](wide, y))
            else:
                reduced = REDUCTIONS[name](x, axis=axis % x.ndim - x.ndim, keepdims=True)
                values.append(reduced * np.cos(x))
        return sum(np.sum(np.tanh(value) * weight) for weight, value in enumerate(values[-3:], start=1))


KINDS = {"unary": UNARY, "binary": BINARY, "row": ROWS, "in place": IN_PLACE, "reduction": REDUCTIONS}
STEPS = st.sampled_from([(kind, name) for kind, table in KINDS.items() for name in table]).flatmap(
    lambda step: st.tuples(
        st.just(step[0]), st.just(step[1]), st.integers(0, 20), st.integers(0, 20), st.integers(0, 2)
    )
)
PROGRAMS = st.builds(Program, st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3), st.lists(STEPS, max_size=9))


def _leaves(program, seed):
    rng = np.random.default_rng(seed)
    return [rng.uniform(-1.0, 1.0, shape) for shape in program.shapes]


def _differences(f, arrays, directions, h=1e-3):
    """The derivative along a direction, from six values of the function: exact up to the sixth power of `h`."""
    weights = {1: 3 / 4, 2: -3 / 20, 3: 1 / 60}
    at = {k: f(*(a + k * h * d for a, d in zip(arrays, directions, strict=True))) for n in weights for k in (n, -n)}
    return sum(weight * (at[n] - at[-n]) for n, weight in weights.items()) / h


@QUICK
@given(PROGRAMS, st.integers(0, 2**32 - 1))
def test_the_gradient_of_a_random_graph_is_that_of_its_values(program, seed):
    arrays, directions = _leaves(program, seed), _leaves(program, seed + 1)
    leaves = [mg.tensor(a, requires_grad=True) for a in arrays]
    loss = program(*leaves)
    np.testing.assert_allclose(loss.item(), program(*arrays), rtol=1e-12)
    loss.backward()
    assert all(x.grad is None or x.grad.shape == x.shape for x in leaves)
    slope = sum(np.sum(x.grad.numpy() * d) for x, d in zip(leaves, directions, strict=True) if x.grad is not None)
    np.testing.assert_allclose(slope, _differences(program, arrays, directions), rtol=1e-6, atol=1e-8)
    assert all(np.array_equal(x.data, a) for x, a in zip(leaves, arrays, strict=True))


@settings(QUICK, max_examples=150)
@given(PROGRAMS, st.integers(0, 2**32 - 1))
def test_the_second_derivative_of_a_random_graph_is_that_of_its_gradient(program, seed):
    arrays, directions = _leaves(program, seed), _leaves(program, seed + 1)

    def slope(*arrays, create_graph=False):
        leaves = [mg.tensor(a, requires_grad=True) for a in arrays]
        found = mg.autograd.grad(program(*leaves), leaves, create_graph=create_graph, allow_unused=True)
        pairs = [(g, d) for g, d in zip(found, directions, strict=True) if g is not None]
        return leaves, sum(np.sum(g * d) for g, d in pairs)

    leaves, total = slope(*arrays, create_graph=True)
    first = slope(*arrays)[1].item()
    np.testing.assert_allclose(total.item(), first, rtol=1e-10, atol=1e-12)
    second = mg.autograd.grad(total, leaves, allow_unused=True) if total.requires_grad else [None] * len(leaves)
    bend = sum(np.sum(g.numpy() * d) for g, d in zip(second, directions, strict=True) if g is not None)
    expected = _differences(lambda *a: slope(*a)[1].item(), arrays, directions)
    np.testing.assert_allclose(bend, expected, rtol=1e-5, atol=1e-6)


@settings(QUICK, max_examples=150)
@given(PROGRAMS, st.integers(0, 2**32 - 1))
def test_a_second_pass_over_a_retained_graph_gives_the_same(program, seed):
    leaves = [mg.tensor(a, requires_grad=True) for a in _leaves(program, seed)]
    loss = program(*leaves)
    first = mg.autograd.grad(loss, leaves, retain_graph=True, allow_unused=True)
    loss.backward()
    for x, g in zip(leaves, first, strict=True):
        assert (x.grad is None) == (g is None)
        if g is not None:
            np.testing.assert_array_equal(x.grad.numpy(), g.numpy())
