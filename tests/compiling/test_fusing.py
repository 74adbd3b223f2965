"""Elementwise operations on tiles: what becomes a group, and that no bit changes."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.compiling import jit
from minigrad.compiling.fusing import LEAST, TILE, fused
from minigrad.program import trace
from tests.program.same import assert_same_bits
from tests.rows import each

F = nn.functional
MANY = LEAST * TILE // 8  # float64
SPECIAL = [np.nan, 0.0, -0.0, np.inf, -np.inf, 1e-40, -1e-310, 1e300, 3.0, -0.5, 0.7]


def groups(function, *arrays):
    """How many equations there are, and how many are left when groups are one."""
    program = trace(function, *arrays)
    return len(program.equations), len(fused(program.equations, program.outputs))


def chain(x):
    a = mg.sin(x)
    d = mg.tanh(a * x + 0.5)
    g = mg.log1p(mg.exp(d) * 0.3)
    j = mg.cos(g * d + a)
    return j * j + g


def test_a_chain_is_one_group():
    assert groups(chain, mg.ones(MANY)) == (12, 1)
    assert groups(chain, mg.ones(MANY - 1)) == (12, 12)


def test_sums_and_other_shapes_are_not_in_it():
    def function(x):
        y = mg.exp(x) * 2
        total = mg.sum(y)
        return mg.tanh(y / total) + mg.sin(x)

    # The sine does not depend on the sum: it comes into the first group.
    before, after = groups(function, mg.ones(MANY))
    assert (before, after) == (7, 3)


def test_what_acts_keeps_its_order():
    def function(x):
        y = mg.exp(x) * 2
        first = mg.random.rand(MANY)
        z = y * mg.sum(y)
        second = mg.random.rand(MANY)
        return z + first, mg.tanh(second * y)

    compiled = jit(function)
    x = mg.tensor(np.linspace(-1, 1, MANY))
    for seed in range(4):
        mg.manual_seed(seed)
        expected = function(x)
        mg.manual_seed(seed)
        assert_same_bits(compiled(x), expected)


FUNCTIONS = {
    "a chain": chain,
    "numbers": lambda x: (x * 2 + 1 - x / 3) ** 2,
    "a number that is computed": lambda x: mg.exp(x) * mg.max(x) + mg.min(x) * x,
    "bools": lambda x: mg.where(mg.logical_and(x > 0, x < 1), mg.sin(x), x * x),
    "activations": lambda x: F.gelu(F.relu(x) + mg.sigmoid(x)) * F.softplus(x),
    "handed on as they are": lambda x: mg.positive(mg.positive(mg.exp(x))) * 2 + mg.positive(x),
    "roundings": lambda x: mg.round(mg.clip(x * 3, -2, 2)) + mg.floor(x),
    "several results": lambda x: (mg.exp(x), mg.exp(x) * 2, mg.sin(mg.exp(x)) + 1),
    "of integers": lambda x: mg.astype(mg.isfinite(x), np.int64) * 3 + 1,
    "powers": lambda x: mg.abs(x) ** 1.5 + x**3 - mg.sqrt(mg.abs(x)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@each("dtype", [np.float32, np.float64])
def test_values_and_gradients(name, dtype):
    function, tile = FUNCTIONS[name], TILE // np.dtype(dtype).itemsize
    with np.errstate(over="ignore"):
        special = np.array(SPECIAL).astype(dtype)
    for size in (LEAST * tile - 1, LEAST * tile, LEAST * tile + 1, (LEAST + 1) * tile + 777):
        x = mg.tensor(np.resize(special, size), requires_grad=True)

        def with_gradients(function, x=x, size=size):
            results = function(x)
            found = []
            for y in results if isinstance(results, tuple) else (results,):
                found.append(y.detach())
                if y.requires_grad:
                    y.backward(np.cos(np.arange(size)).astype(y.dtype))
                    found.append(x.grad)
                    x.grad = None
            return found

        compiled = jit(function)
        with np.errstate(all="ignore"):
            expected = with_gradients(function)
            for _ in range(3):
                assert_same_bits(with_gradients(compiled), expected)


@pytest.mark.parametrize("make", [np.asfortranarray, lambda x: x[:, ::2], lambda x: x[::-1], lambda x: x.T])
def test_arrays_in_another_order(make):
    def function(x):
        y = mg.exp(mg.sin(x) * 2) + x
        return y, mg.sum(y, axis=0), mg.sum(y)

    x = mg.asarray(make(np.random.default_rng(0).normal(size=(400, 500))), copy=False)
    compiled = jit(function)
    for _ in range(3):
        assert_same_bits(compiled(x), function(x))


@pytest.mark.parametrize("shape", [(MANY,), (4, MANY // 4)])
def test_the_gradient_of_a_sum_is_one_number_everywhere(shape):
    def slope(x):
        return mg.grad(lambda x: mg.sum(mg.tanh(mg.sin(x) * x)))(x)

    x = np.random.default_rng(0).normal(size=shape)
    compiled = jit(slope)
    for _ in range(3):
        assert_same_bits(compiled(x), slope(x))


def test_an_error_of_numpy_in_a_tile_changes_nothing():
    w = mg.tensor(np.ones(MANY), requires_grad=True)

    @jit
    def step(x):
        with mg.no_grad():
            w.__imul__(2 / mg.sqrt(x) + 1)
        return mg.sum(w)

    x = np.ones(MANY)
    for _ in range(3):
        step(x)
    before = w.detach().numpy().copy()
    x[-1] = 0
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        step(x)
    assert_same_bits(w, before)
