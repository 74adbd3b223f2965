"""Functions run as programs against the same functions as they were written: every operation and its gradients."""

import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad.compiling import jit
from minigrad.errors import ProgramError
from tests.op_tables import TABLE
from tests.program.same import assert_same_bits, other_numbers, weights
from tests.program.test_replay import OF_UNKNOWN_FORM, chosen_by_value
from tests.rows import each

CASES = [
    case
    for row in TABLE
    for case in row.cases
    if row.name not in OF_UNKNOWN_FORM and any(isinstance(x, np.ndarray) for x in case.operands)
]


def of_arrays(case):
    """The operation as a function of the arrays among its operands; the first result that has a derivative, or all."""

    def compute(*arrays):
        rest = iter(arrays)
        results = case(*[next(rest) if isinstance(x, np.ndarray) else x for x in case.operands])
        return [mg.asarray(x) for x in (results if isinstance(results, list | tuple) else [results])]

    return compute


def leaves_of(case, arrays):
    return [mg.tensor(x, requires_grad=x.dtype.kind in "fc" and bool(case.row.orders)) for x in arrays]


def with_gradients(function, leaves):
    """The results, and for each of them what a backward pass from it gives to the leaves."""
    found = []
    results = function(*leaves)
    for y in results:
        found.append(y.detach())
        if y.requires_grad:
            y.backward(weights(y), retain_graph=True)
            found += [x.grad for x in leaves if x.grad is not None]
            for x in leaves:
                x.grad = None
    return found


@each("case", CASES, row=lambda case: case.row.name)
def test_results_and_gradients_are_the_same_to_the_last_bit(case):
    function = of_arrays(case)
    compiled = jit(function)
    arrays = [x for x in case.operands if isinstance(x, np.ndarray)]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of numbers that are not for this operation
        for how in ("as they are", "as they are", "smaller", "elsewhere"):
            leaves = leaves_of(case, [other_numbers(x, how) for x in arrays])
            try:
                expected = with_gradients(function, leaves)
            except (mg.errors.MinigradError, ValueError, ZeroDivisionError):
                continue
            try:
                assert_same_bits(with_gradients(compiled, leaves), expected)
            except ProgramError as error:
                if not chosen_by_value(error):
                    raise


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
