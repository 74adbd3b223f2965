"""Whole programs as functions of JAX: training steps, transformations, loops, random numbers, and what is refused."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ArgumentError, ProgramError, ShapeError, UnsupportedError
from minigrad.nn import functional as F  # noqa: N812
from minigrad.tree import flatten, leaves_as_in, map_leaves

jax = pytest.importorskip("jax", reason="JAX is not installed (the extra `jax`)")

from minigrad.export import to_jax  # noqa: E402


@pytest.fixture(autouse=True)
def _double_precision():
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def assert_trees_close(found, wanted, tolerance=1e-12):
    for x, y in zip(leaves_as_in(wanted, found, "found"), flatten(wanted)[0], strict=True):
        y = np.asarray(y)
        assert np.shape(x) == y.shape
        np.testing.assert_allclose(np.asarray(x), y, rtol=tolerance, atol=tolerance)


# Training steps: functions of trees


def mlp():
    with mg.random.using(0):
        return nn.Sequential(nn.Linear(4, 8, dtype=float), nn.LayerNorm(8, dtype=float), nn.GELU(),
                             nn.Linear(8, 3, dtype=float))  # fmt: skip


def cnn():
    with mg.random.using(0):
        return nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1, dtype=float), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3, dtype=float),
            nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(4, 3, dtype=float),
        )  # fmt: skip


MODELS = {"mlp": (mlp, (4,)), "cnn": (cnn, (1, 8, 8))}


def data(shape, count=16):
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, *shape)), rng.integers(0, 3, count)


def sgd(params, gradients, state):
    return map_leaves(lambda p, g: p - 0.1 * g, params, gradients), state


def adam(params, gradients, state):
    count = state["count"] + 1
    m = map_leaves(lambda m, g: 0.9 * m + 0.1 * g, state["m"], gradients)
    v = map_leaves(lambda v, g: 0.999 * v + 0.001 * g * g, state["v"], gradients)

    def moved(p, m, v):
        return p - 0.01 * (m / (1 - 0.9**count)) / (mg.sqrt(v / (1 - 0.999**count)) + 1e-8)

    return map_leaves(moved, params, m, v), {"count": count, "m": m, "v": v}


def prepared(model, optimizer):
    """A training step, its parameters and state, and a batch."""
    make, shape = MODELS[model]
    module = make()
    params = {name: p.detach().numpy().copy() for name, p in module.named_parameters()}
    zeros = map_leaves(np.zeros_like, params)
    state = {"count": np.zeros(()), "m": zeros, "v": zeros} if optimizer is adam else {}

    def step(params, state, x, y):
        loss, gradients = mg.value_and_grad(
            lambda p: F.cross_entropy(nn.functional_call(module, p, x), y)
        )(params)  # fmt: skip
        params, state = optimizer(params, gradients, state)
        return params, state, loss

    return step, params, state, data(shape)


@pytest.mark.parametrize("optimizer", [sgd, adam])
@pytest.mark.parametrize("model", MODELS)
def test_training_steps(model, optimizer):
    step, params, state, batch = prepared(model, optimizer)
    lowered = jax.jit(to_jax(step, params, state, *batch))
    ours, theirs = (params, state), (params, state)
    losses = []
    for _ in range(3):
        *ours, loss = step(*map_leaves(mg.asarray, tuple(ours)), *batch)
        *theirs, other = lowered(*theirs, *batch)
        losses.append(float(other))
        assert_trees_close((*theirs, other), (*ours, loss))
    assert losses[-1] < losses[0]


def step_over_devices():
    """Run in a process of its own: a step with the batch over eight devices equals that on one."""
    jax.config.update("jax_enable_x64", True)
    assert len(jax.devices()) == 8
    mesh = jax.sharding.Mesh(np.array(jax.devices()), ("batch",))
    split, whole = (jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*axes)) for axes in (("batch",), ()))
    for model in MODELS:
        step, params, state, batch = prepared(model, adam)
        lowered = jax.jit(to_jax(step, params, state, *batch))
        wanted = lowered(params, state, *batch)
        found = lowered(*jax.device_put((params, state), whole), *jax.device_put(batch, split))
        assert len(found[0].popitem()[1].sharding.device_set) == 8
        assert_trees_close(lowered(*jax.device_put((params, state), whole), *jax.device_put(batch, split)), wanted)


def test_a_step_over_several_devices():
    run = subprocess.run(
        [sys.executable, "-c", f"from {__name__} import step_over_devices; step_over_devices()"],
        cwd=Path(__file__).parent.parent.parent,
        env={**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_the_keys_of_dicts_decide_and_not_their_order():
    f = to_jax(lambda p: p["b"] - p["a"], {"b": np.ones(2), "a": np.zeros(2)})
    given = {"a": np.zeros(2), "b": np.ones(2)}
    np.testing.assert_array_equal(jax.jit(f)(given), [1, 1])
    np.testing.assert_array_equal(f(given), [1, 1])


# Operations of layers that the table of operations has no rows for

TABLE_OF_ROWS, ROWS = np.linspace(-1, 1, 12).reshape(4, 3), np.array([2, 0, 2, 1])
LAYERS = {
    "adaptive_max_pool2d": (lambda x: F.adaptive_max_pool2d(x, (2, 3)), np.sin(np.arange(40.0)).reshape(1, 2, 4, 5)),
    "max_pool of equal ones": (lambda x: F.max_pool1d(x, 3, 1, padding=1), np.array([[[3.0, 1, 3, 3, -np.inf]]])),
    "embedding by frequency": (lambda w, rows: F.embedding(rows, w, None, None, 2.0, True), TABLE_OF_ROWS, ROWS),
    "embedding_bag": (lambda w, rows, at: F.embedding_bag(rows, w, at), TABLE_OF_ROWS, ROWS, np.array([0, 1, 1])),
    "embedding_bag (last)": (
        lambda w, rows, at: F.embedding_bag(rows, w, at, mode="sum", include_last_offset=True),
        TABLE_OF_ROWS, ROWS, np.array([0, 1, 4]),
    ),
    "embedding_bag (max)": (
        lambda w, rows, at: F.embedding_bag(rows, w, at, mode="max"), TABLE_OF_ROWS, ROWS, np.array([0, 3, 3]),
    ),
    "ctc_loss": (
        lambda x, labels: F.ctc_loss(F.log_softmax(x, 2), labels, np.array([6, 5]), np.array([3, 2])),
        np.cos(np.arange(48.0)).reshape(6, 2, 4), np.array([[1, 1, 2], [3, 1, 0]]),
    ),
    "ctc_loss (in a row)": (
        lambda x, labels: F.ctc_loss(F.log_softmax(x, 2), labels, np.array([6, 5]), np.array([3, 2])),
        np.cos(np.arange(48.0)).reshape(6, 2, 4), np.array([1, 1, 2, 3, 1]),
    ),
    "written twice": (lambda x: mg.scatter(np.ones(3), np.array([2, 0, 2]), x), np.array([0.3, -1.2, 0.7])),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    f, *operands = LAYERS[name]
    lowered = jax.jit(to_jax(f, *operands))
    assert_trees_close(lowered(*operands), f(*map(mg.asarray, operands)))
    weights = np.cos(np.arange(np.size(lowered(*operands)))).reshape(np.shape(lowered(*operands)))
    wanted = mg.grad(lambda x: mg.sum(f(x, *map(mg.asarray, operands[1:])) * weights))(operands[0])
    assert_trees_close(jax.grad(lambda x: (lowered(x, *operands[1:]) * weights).sum())(operands[0]), wanted)
    through = to_jax(mg.grad(lambda x, *others: mg.sum(f(x, *others) * weights)), *operands)
    assert_trees_close(through(*operands), wanted)


# Transformations

X = np.array([0.3, -1.2, 0.7])
FUNCTIONS = {
    "powers": lambda x: mg.sum(x**3) * x[0],
    "waves": lambda x: mg.sum(mg.sin(x) * mg.exp(x[::-1])),
    "logsumexp": lambda x: mg.logsumexp(x * x),
    "determinant": lambda x: mg.linalg.det(mg.outer(x, x) + np.diag(x + 3)),
    "norm": lambda x: mg.linalg.vector_norm(mg.tanh(x), ord=3),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_second_derivatives(name):
    f = FUNCTIONS[name]
    wanted = np.asarray(mg.hessian(f)(X))
    lowered = to_jax(f, X)
    close = {"rtol": 1e-10, "atol": 1e-10}
    np.testing.assert_allclose(jax.jacrev(jax.grad(lowered))(X), wanted, **close)
    np.testing.assert_allclose(jax.hessian(lowered)(X), wanted, **close)
    np.testing.assert_allclose(jax.jacrev(to_jax(mg.grad(f), X))(X), wanted, **close)
    np.testing.assert_allclose(to_jax(mg.hessian(f), X)(X), wanted, **close)


def test_vmap():
    module = cnn()
    f = to_jax(lambda x: module(x[None])[0], np.zeros((1, 8, 8)))
    xs, _ = data((1, 8, 8))
    np.testing.assert_allclose(jax.jit(jax.vmap(f))(xs), module(xs).detach().numpy(), rtol=1e-12, atol=1e-12)


def test_detached_tensors_have_no_gradient():
    def f(x):
        with mg.no_grad():
            factor = x * 2
        return mg.sum(x * x.detach()) + mg.sum(x * factor) + mg.sum((x**3).detach())

    np.testing.assert_allclose(jax.grad(to_jax(f, X))(X), mg.grad(f)(X), rtol=1e-12)


def test_numbers_of_python_have_gradients():
    f = to_jax(lambda x, rate: mg.sum(x * x) * (rate * 2.0), X, 0.5)
    assert float(jax.grad(f, argnums=1)(X, 0.25)) == pytest.approx(2 * np.sum(X * X))


# Loops


def rolling(x, start):
    def step(carry, row):
        total, count = carry
        total = mg.tanh(total + row * row.detach())
        return (total, count + 1), total * count

    (last, count), rows = mg.scan(step, (start, np.asarray(0)), x)
    return mg.sum(rows * rows) + last, count


def test_scan():
    x, start = np.linspace(-1, 1, 7), np.asarray(0.5)
    lowered = to_jax(rolling, x, start)
    assert_trees_close(jax.jit(lowered)(x, start), rolling(mg.asarray(x), mg.asarray(start)))

    def ours(x, start):
        return rolling(x, start)[0]

    wanted = mg.grad(ours, argnums=(0, 1))(x, start)
    assert_trees_close(jax.grad(lambda *args: lowered(*args)[0], argnums=(0, 1))(x, start), wanted)
    assert_trees_close(jax.jit(to_jax(mg.grad(ours, argnums=(0, 1)), x, start))(x, start), wanted)


def test_scan_backwards():
    def f(x):
        return mg.scan(lambda carry, row: (carry * 0.5 + row, carry), np.asarray(0.0), x, reverse=True)

    x = np.arange(5.0)
    assert_trees_close(to_jax(f, x)(x), f(mg.asarray(x)))


def test_while_loop():
    def f(x):
        return mg.while_loop(lambda c: c[0] < 100.0, lambda c: (c[0] * 2 + 1, c[1] + 1), (x, np.asarray(0)))

    lowered = jax.jit(to_jax(f, np.asarray(1.0)))
    for x in (1.0, 7.0, 200.0):
        assert_trees_close(lowered(np.asarray(x)), f(mg.asarray(x)))


def test_cond():
    def f(x):
        return mg.cond(mg.sum(x) > 0, lambda x: mg.sum(mg.sin(x)), lambda x: mg.sum(x**2), x)

    lowered = jax.jit(to_jax(f, X))
    for x in (X, -X):
        assert_trees_close(lowered(x), f(mg.asarray(x)))
        assert_trees_close(jax.grad(lowered)(x), mg.grad(f)(x))


# Random numbers


def drawn(method, *args, **options):
    return lambda x: mg.tensor(mg.random.drawn(method, *args, **options)).astype(float) + 0 * mg.sum(x)


COUNT = 20000
DRAWS = {  # with mean and standard deviation
    "rand": (lambda x: mg.random.rand(COUNT) + x[0] * 0, 0.5, 12**-0.5),
    "randn": (lambda x: mg.random.randn(COUNT) + x[0] * 0, 0, 1),
    "uniform": (drawn("uniform", 2.0, 4.0, (COUNT,)), 3, 3**-0.5),
    "normal": (drawn("normal", 2.0, 3.0, (COUNT,)), 2, 3),
    "integers": (drawn("integers", 1, 4, (COUNT,)), 2, (2 / 3) ** 0.5),
    "integers below": (drawn("integers", 3, size=(COUNT,)), 1, (2 / 3) ** 0.5),
    "integers up to": (drawn("integers", 1, 3, (COUNT,), endpoint=True), 2, (2 / 3) ** 0.5),
    "permutation": (drawn("permutation", COUNT), (COUNT - 1) / 2, COUNT * 12**-0.5),
    "gumbel": (drawn("gumbel", size=(COUNT,)), np.euler_gamma, np.pi * 6**-0.5),
    "standard_exponential": (drawn("standard_exponential", (COUNT,)), 1, 1),
    "exponential": (drawn("exponential", 2.0, (COUNT,)), 2, 2),
    "standard_gamma": (drawn("standard_gamma", 3.0, (COUNT,)), 3, 3**0.5),
    "beta": (drawn("beta", 2.0, 3.0, (COUNT,)), 0.4, 0.2),
    "poisson": (drawn("poisson", 3.0, (COUNT,)), 3, 3**0.5),
    "binomial": (drawn("binomial", 10, 0.3, (COUNT,)), 3, 2.1**0.5),
}


@pytest.mark.parametrize("name", DRAWS)
def test_random_numbers(name):
    f, mean, deviation = DRAWS[name]
    lowered = jax.jit(to_jax(f, X))
    one, two = lowered(X, key=jax.random.key(1)), lowered(X, key=jax.random.key(2))
    assert one.shape == (COUNT,)
    assert not np.array_equal(one, two)
    assert np.array_equal(one, lowered(X, key=jax.random.key(1)))
    assert np.mean(one) == pytest.approx(mean, abs=6 * deviation / COUNT**0.5)
    assert np.std(one) == pytest.approx(deviation, rel=0.05)
    if name == "permutation":
        assert np.array_equal(np.sort(one), np.arange(COUNT))


def test_each_draw_has_numbers_of_its_own():
    f = to_jax(lambda x: (mg.random.rand(5) + 0 * x[0], mg.random.rand(5) + 0 * x[0]), X)
    one, two = f(X, key=jax.random.key(0))
    assert not np.array_equal(one, two)


def test_dropout():
    x = np.ones(COUNT, np.float32)
    f = to_jax(lambda x: F.dropout(x, 0.25), x)
    y = np.asarray(f(x, key=jax.random.key(0)))
    assert np.mean(y == 0) == pytest.approx(0.25, abs=0.02)
    assert set(np.unique(y)) == {np.float32(0), np.float32(4 / 3)}


def test_single_precision_needs_no_double_precision():
    jax.config.update("jax_enable_x64", False)
    x = np.ones((8, 4), np.float32)
    module = nn.Sequential(nn.Linear(4, 4, dtype=np.float32), nn.Dropout(0.5))
    f = to_jax(lambda x: (module(x), mg.argmax(x, axis=1)), x)
    y, places = f(x, key=jax.random.key(0))
    assert (y.dtype, places.dtype) == (np.float32, np.int32)


# What is refused


def test_a_missing_key():
    with pytest.raises(ArgumentError, match=r"key=jax\.random\.key"):
        to_jax(lambda x: mg.random.rand(3) * x, X)(X)


def test_random_numbers_without_a_counterpart():
    f = to_jax(drawn("zipf", 2.0, (3,)), X)
    with pytest.raises(UnsupportedError, match="zipf"):
        f(X, key=jax.random.key(0))


def test_effects():
    module = mlp()
    optimizer = mg.optim.SGD(module.parameters(), lr=0.1)

    def step(x):
        optimizer.zero_grad()
        loss = module(x).sum()
        loss.backward()
        optimizer.step()
        return loss

    with pytest.raises(ProgramError, match=r"functional_call"):
        to_jax(step, data((4,))[0])


def test_other_arguments_than_those_of_the_examples():
    f = to_jax(lambda x, n: x * n, X, 2)
    with pytest.raises(ProgramError, match=r"traced with argument inputs\[0\] as float64 of shape \(3,\)"):
        f(np.ones(4), 2)
    with pytest.raises(ProgramError, match=r"inputs\[1\]"):
        f(X, 3)
    with pytest.raises(ShapeError, match="arguments"):
        f(X)


def test_double_precision_that_jax_has_not():
    f = to_jax(lambda x: x * 2, X)
    jax.config.update("jax_enable_x64", False)
    with pytest.raises(ArgumentError, match="jax_enable_x64"):
        f(X)


@mg.primitive(lambda g, y, x: g * 2)
def doubled(x, /):
    return x * 2


def test_an_operation_of_ones_own_is_named_with_its_line():
    with pytest.raises(UnsupportedError, match=r"doubled.*test_to_jax_programs\.py"):
        to_jax(lambda x: mg.sum(doubled(x)), X)
    with pytest.raises(UnsupportedError, match="doubled"):  # in the body of a loop, too
        to_jax(lambda x: mg.scan(lambda c, row: (c + doubled(row), None), np.asarray(0.0), x)[0], X)


def test_masks_that_depend_on_data():
    with pytest.raises(ProgramError, match="mask"):
        to_jax(lambda x: mg.sum(x[x > 0]), X)
    mask = np.array([True, False, True])
    assert_trees_close(jax.jit(to_jax(lambda x: x[mask] * 2, X))(X), X[mask] * 2)


def test_writing_by_masks_that_depend_on_data():
    def f(x, v):
        x = mg.asarray(x, copy=True)
        x[x > 0] = 7.0
        x[x < 0] = v
        return x

    lowered = jax.jit(to_jax(f, X, np.array([5.0])))
    for x in (X, 2 * X + 3):
        v = np.arange(np.sum(x < 0)) + 5.0
        assert_trees_close(to_jax(f, x, v)(x, v), f(mg.asarray(x), mg.asarray(v)))
    assert_trees_close(lowered(X, np.array([5.0])), f(mg.asarray(X), mg.asarray([5.0])))


def test_a_model_that_is_not_an_argument_is_a_constant():
    module = mlp()
    x, _ = data((4,))
    lowered = jax.jit(to_jax(module, x))
    np.testing.assert_allclose(lowered(x), module(x).detach().numpy(), rtol=1e-12, atol=1e-12)
