"""Passes over programs: what they leave out, what they must not, and that the results stay."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import MinigradError
from minigrad.nn import functional
from minigrad.program import remove_dead_code, share_common_subexpressions, simplified, trace
from minigrad.program.passes import fold_constants
from tests.program.same import assert_same_bits
from tests.rows import each, named


def names(program):
    return [equation.operation.name for equation in program.equations]


# Dead code


def test_what_nothing_depends_on_goes():
    program = trace(lambda x: (mg.exp(x), mg.sin(mg.cos(x)))[0], mg.ones(2))
    shorter = remove_dead_code(program)
    assert names(program) == ["exp", "cos", "sin"]
    assert names(shorter) == ["exp"]
    assert_same_bits(shorter.replay(mg.zeros(2)), program.replay(mg.zeros(2)))


def test_what_is_written_stays():
    w = mg.tensor([1.0, 2.0], requires_grad=True)

    def step(x):
        w.grad = None
        (w * x).sum().backward()

    shorter = remove_dead_code(trace(step, np.ones(2)))
    shorter.replay(np.array([3.0, 4.0]))
    assert w.grad.tolist() == [3.0, 4.0]
    assert "sum" not in names(shorter)  # nobody asks for the loss


def test_random_draws_stay_and_so_do_the_numbers_after_them():
    def draw(x):
        mg.random.rand(3)
        return x + mg.random.rand(2)

    program = trace(draw, np.zeros(2))
    shorter = simplified(program)
    assert names(shorter).count("draw") == 2
    mg.manual_seed(0)
    expected = program.replay(np.zeros(2))
    mg.manual_seed(0)
    assert_same_bits(shorter.replay(np.zeros(2)), expected)


def test_checks_stay():
    def loss(x, labels):
        functional.cross_entropy(x, labels)
        return x * 2

    x, labels = np.ones((2, 3)), np.array([0, 1])
    shorter = simplified(trace(loss, x, labels))
    assert shorter.replay(x, labels).tolist() == (2 * x).tolist()
    with pytest.raises(MinigradError):
        shorter.replay(x, np.array([0, 3]))


def test_arguments_stay_though_they_are_not_used():
    shorter = simplified(trace(lambda x, y: x * 2, np.ones(2), np.ones(3)))
    assert shorter.replay(np.ones(2), np.ones(3)).tolist() == [2.0, 2.0]
    with pytest.raises(mg.errors.ProgramError):
        shorter.replay(np.ones(2), np.ones(2))


# Common subexpressions


@each(("f", "count"), named({
    "the same twice": (lambda x: mg.exp(x) + mg.exp(x), 1),
    "and what follows": (lambda x: mg.exp(mg.sin(x)) * mg.exp(mg.sin(x)), 1),
    "other parameters": (lambda x: mg.exp(x.sum(axis=0)) + mg.exp(x.sum(axis=1)), 2),
    "integers and floats": (lambda x: mg.exp(x * 2) + mg.exp(x * 2.0), 2),
    "zeros of two signs": (lambda x: mg.exp(x * 0.0) + mg.exp(x * -0.0), 2),
    "True and 1": (lambda x: mg.exp(x * True) + mg.exp(x * 1), 2),
    "another order": (lambda x: mg.exp(x - x.sum()) + mg.exp(x.sum() - x), 2),
    "slices": (lambda x: mg.exp(x[:1]) + mg.exp(x[:1]), 1),
    "other slices": (lambda x: mg.exp(x[:1]) + mg.exp(x[1:]), 2),
}))  # fmt: skip
def test_what_is_computed_twice_is_computed_once(f, count):
    x = mg.tensor([[1.0, -2.0], [0.5, 3.0]])
    program = trace(f, x)
    shorter = share_common_subexpressions(program)
    assert names(program).count("exp") == 2
    assert names(shorter).count("exp") == count
    assert_same_bits(shorter.replay(x * 3), program.replay(x * 3))


def test_random_draws_are_not_shared():
    shorter = share_common_subexpressions(trace(lambda x: x + mg.random.rand(2) - mg.random.rand(2), np.zeros(2)))
    assert (shorter.replay(np.zeros(2)) != 0).any()


def test_what_goes_to_several_results_is_shared_and_copied():
    shorter = share_common_subexpressions(trace(lambda x: (mg.exp(x), mg.exp(x)), np.ones(2)))
    first, second = shorter.replay(np.ones(2))
    assert not np.shares_memory(first, second)
    assert_same_bits(first, second)


# Constants


def test_what_depends_on_constants_alone_is_computed_before():
    table = np.array([1.0, 2.0])
    program = trace(lambda x: x * mg.exp(mg.tensor(table)).sum(), np.ones(2))
    shorter = simplified(program)
    assert names(shorter) == ["multiply"]
    assert_same_bits(shorter.replay(np.array([3.0, 4.0])), program.replay(np.array([3.0, 4.0])))


def test_tensors_from_outside_are_no_constants():
    w = mg.tensor([1.0, 2.0])
    shorter = simplified(trace(lambda x: x * mg.exp(w), np.ones(2)))
    assert "exp" in names(shorter)
    w[...] = 0.0
    assert shorter.replay(np.ones(2)).tolist() == [1.0, 1.0]


@each("f", named({
    "itself": lambda x, table: x * table,
    "folded": lambda x, table: x * mg.exp(mg.sin(mg.tensor(1.0) * table)),
}))  # fmt: skip
def test_a_constant_that_was_changed_is_still_refused(f):
    table = np.array([1.0, 2.0])
    shorter = simplified(trace(lambda x: f(x, table), np.ones(2)))
    table[0] = 3.0
    with pytest.raises(mg.errors.ProgramError, match="was written to after the trace"):
        shorter.replay(np.ones(2))


@pytest.mark.usefixtures("_own_primitives")
def test_primitives_of_others_are_left_alone():
    calls = []

    @mg.primitive(lambda g, y, x: g)
    def counted(x, /):
        calls.append(1)
        return x * 1

    program = simplified(trace(lambda x: (counted(x), counted(x), x)[2] * 1, np.ones(2)))
    calls.clear()
    program.replay(np.ones(2))
    assert len(calls) >= 1  # it is not known that it does nothing else


@each("one_pass", [remove_dead_code, share_common_subexpressions, fold_constants, simplified])
def test_a_pass_leaves_its_program_alone(one_pass):
    program = trace(lambda x: (mg.exp(x) + mg.exp(x), mg.sin(mg.tensor(2.0)))[0], np.ones(2))
    before = str(program)
    shorter = one_pass(program)
    assert str(program) == before
    assert_same_bits(shorter.result, program.result)
    assert len(shorter.equations) < len(program.equations)
