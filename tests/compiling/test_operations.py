"""Compiled functions inside and outside of transforms; single operations are in `tests.program.test_replay`."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.compiling import jit

ONCE_MORE = {
    "a chain": (lambda x, y: mg.sum(mg.tanh(mg.sin(x) * y) ** 2), ((3,), (3,))),
    "matrices": (lambda x, y: mg.sum(mg.softmax(x @ y, axis=-1) ** 2), ((2, 3), (3, 2))),
    "several results": (lambda x, y: (mg.exp(x) * y, mg.sum(x**3, axis=0)), ((2, 2), (2, 2))),
    "an operand twice": (lambda x, y: x * x * x + mg.sum(x) * y, ((3,), (3,))),
    "indices": (lambda x, y: x[np.array([0, 0, 2])] * y[::-1] ** 3, ((3,), (3,))),
}


@pytest.mark.parametrize("name", ONCE_MORE)
def test_derivatives_of_the_second_order(name):
    function, shapes = ONCE_MORE[name]
    rng = np.random.default_rng(0)
    operands = [rng.uniform(0.3, 1.2, shape) for shape in shapes]
    compiled = jit(function)
    for _ in range(3):
        compiled(*operands)
    assert mg.gradcheck(compiled, operands)
    assert mg.gradgradcheck(compiled, operands)


@pytest.mark.parametrize("name", ["a chain", "matrices"])
def test_transforms_inside_and_outside_are_the_same(name):
    function, shapes = ONCE_MORE[name]
    rng = np.random.default_rng(0)
    operands = [rng.uniform(0.3, 1.2, shape) for shape in shapes]
    for transform in (mg.grad, mg.value_and_grad, mg.hessian):
        expected = transform(function)(*operands)
        outside, inside = transform(jit(function)), jit(transform(function))
        for _ in range(3):
            for found in (outside(*operands), inside(*operands)):
                for a, b in zip(mg.tree.flatten(found)[0], mg.tree.flatten(expected)[0], strict=True):
                    np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-13)


def test_derivatives_of_the_third_order():
    def third(f):
        return mg.grad(lambda x: mg.sum(mg.grad(lambda x: mg.sum(mg.grad(f)(x)))(x)))

    def function(x):
        return mg.sum(mg.sin(x) * x**3)

    compiled, x = jit(function), np.array([0.3, 0.7, 1.1])
    for _ in range(3):
        found = third(compiled)(x)
    np.testing.assert_allclose(found, third(function)(x), rtol=1e-13)
    np.testing.assert_allclose(  # by hand: of sin(x) x**3
        found, -np.cos(x) * x**3 - 9 * np.sin(x) * x**2 + 18 * np.cos(x) * x + 6 * np.sin(x), rtol=1e-12
    )


def test_a_result_that_the_loss_does_not_depend_on_adds_no_nan():
    @jit
    def both(x):
        return mg.sum(x * 2), mg.log(x - x)

    x = mg.tensor([1.0, 2.0], requires_grad=True)
    with np.errstate(all="ignore"):
        for _ in range(3):
            x.grad = None
            both(x)[0].backward()
            np.testing.assert_array_equal(x.grad, [2.0, 2.0])
