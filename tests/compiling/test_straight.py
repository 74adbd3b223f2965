"""Equations as straight-line NumPy: what is written where, and that it changes no bit."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.compiling import jit
from minigrad.compiling.straight import _Lines
from minigrad.program import trace
from tests.program.same import assert_same_bits
from tests.rows import each


def text_of(function, *arrays, ordered=True):
    program = trace(function, *arrays)
    inputs = list(program.inputs)
    return _Lines("f", program.equations, inputs, program.outputs, inputs if ordered else ()).text()


def test_a_result_takes_the_place_of_an_operand_that_is_not_needed_again():
    text = text_of(lambda x: mg.exp(mg.sin(x) * 2) + 1, mg.ones((3, 4)))
    assert text.count("out=") == 3  # all but the sine, whose operand is not its own
    assert text_of(lambda x: mg.exp(mg.sin(x) * 2) + 1, mg.ones((3, 4)), ordered=False).count("out=") == 0


def test_what_is_needed_again_keeps_its_place():
    def function(x):
        y = mg.sin(x)
        return mg.exp(y) + y

    assert text_of(function, mg.ones(3)).count("out=") == 1  # the sum takes the place of one of the two


@pytest.mark.parametrize("view", [lambda y: y.T, lambda y: y[1:], lambda y: y.reshape(-1)])
def test_what_others_see_parts_of_keeps_its_place(view):
    def function(x):
        y = mg.sin(x)
        part = view(y)
        return mg.exp(y), part * 2

    compiled = jit(function)
    x = mg.tensor(np.random.default_rng(0).normal(size=(3, 3)))
    for _ in range(3):
        assert_same_bits(compiled(x), function(x))


def test_another_dtype_or_shape_is_no_place():
    text = text_of(lambda x, y: (mg.sin(x) > 0) * 1.0 + mg.cos(y), mg.ones((2, 3)), mg.ones(3))
    assert text.count("out=") == 1  # the sum, whose operand from the mask has its form


@pytest.mark.parametrize("order", ["C", "F", "strided"])
def test_layouts_change_no_bit(order):
    def function(x, y):
        z = mg.exp(mg.sin(x) * y) + x
        return z, mg.sum(z, axis=0), mg.sum(z), z @ y.T

    rng = np.random.default_rng(0)
    compiled = jit(function)
    for made in (order, "C", order, order, "C"):
        x, y = rng.normal(size=(2, 37, 53)).astype(np.float32)
        if made == "F":
            x = np.asfortranarray(x)
        elif made == "strided":
            x = np.repeat(np.repeat(x, 2, axis=0), 2, axis=1)[::2, ::2]
        given = [mg.asarray(x, copy=False), mg.asarray(y, copy=False)]
        assert_same_bits(compiled(*given), function(*given))


@each("dtype", [np.float32, np.float64])
@each("size", [0, 1, 7, 8, 9, 127, 128, 129, 100_000])
def test_sizes_and_special_numbers(size, dtype):
    def function(x):
        y = mg.tanh(mg.sin(x) * x + 0.5) / (x * x + 1e-30)
        return y, mg.sum(y), mg.max(mg.abs(x), axis=0) if size else mg.sum(x)

    special = np.array([np.nan, 0.0, -0.0, np.inf, -np.inf, 1e-40, -1e-310, 1e38, 3.0], dtype)
    x = mg.tensor(np.resize(special, size))
    compiled = jit(function)
    with np.errstate(all="ignore"):
        for _ in range(3):
            assert_same_bits(compiled(x), function(x))
