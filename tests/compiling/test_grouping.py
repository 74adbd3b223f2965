"""Statements in groups give what they give one after another: element by element, in one loop per group."""

import itertools
import random

import numpy as np
import pytest

from minigrad.compiling.assembling import living, numbers_first
from minigrad.compiling.grouping import MOST, Group, grouped, statements_of
from minigrad.compiling.statements import Assume, Buffer, Map, Reduce, View

DOUBLE = np.dtype(float)
SIZE = DOUBLE.itemsize


def buffer(number, length, kind="made"):
    return Buffer((number, 0), kind, np.zeros(length), length * SIZE)


def view(of, shape, strides=None, offset=0):
    """Elements of a buffer, with strides and offset in elements; by default all in order."""
    if strides is None:
        strides = [1]
        for n in shape[:0:-1]:
            strides.insert(0, strides[0] * n)
        strides = strides[: len(shape)]
    return View(of, offset * SIZE, tuple(shape), tuple(s * SIZE for s in strides), DOUBLE)


def add(out, *inputs):
    return Map("add", DOUBLE, None, out, inputs)


def lengths(statements):
    return [len(statements_of(unit)) for unit in grouped(statements)]


a, b, c, d = (buffer(i, 12) for i in range(4))
x, y, z, w = (view(of, (12,)) for of in (a, b, c, d))


def test_a_chain_is_one_loop():
    assert lengths([add(y, x, x), add(z, y, x), add(w, z, y)]) == [3]


def test_another_shape_is_another_loop():
    assert lengths([add(y, x, x), add(view(c, (3, 4)), view(a, (3, 4)), view(a, (3, 4)))]) == [1, 1]


def test_a_loop_has_no_more_than_so_many_operations():
    targets = [view(buffer(i, 12), (12,)) for i in range(MOST + 3)]
    assert lengths([add(target, x, x) for target in targets]) == [MOST, 3]


@pytest.mark.parametrize("other", [view(b, (12,), (-1,), 11), view(b, (12,), (0,))], ids=["backwards", "its first"])
def test_other_elements_of_what_a_loop_makes_are_read_after_it(other):
    assert lengths([add(y, x, x), add(z, other, x)]) == [1, 1]


def test_what_a_loop_reads_elsewhere_is_written_after_it():
    assert lengths([add(y, view(a, (12,), (-1,), 11), z), add(x, z, z)]) == [1, 1]


def test_what_does_not_depend_on_a_reduction_joins_the_loop_before_it():
    total = view(buffer(5, 1), (12,), (0,))
    statements = [add(y, x, x), Reduce(None, None, total, y), add(z, y, x), add(w, view(total.buffer, ()), x)]
    units = grouped(statements)
    assert [statements_of(unit) for unit in units[:2]] == [[statements[0], statements[2]], (statements[1],)]
    assert units[2].maps == [statements[3]]


def test_nothing_of_the_callers_is_written_before_the_last_thing_that_may_fail():
    target = view(buffer(6, 12, "given"), (12,))
    statements = [add(y, x, x), Assume(view(buffer(7, 1), ()), True), add(target, y, y)]
    assert lengths(statements) == [1, 1, 1]
    assert lengths([*statements[:2], add(z, y, y)]) == [2, 1]


def test_statements_without_use_fall_away_and_assumptions_do_not():
    assume = Assume(view(b, ()), True)
    statements = [add(y, x, x), assume, add(z, x, x), add(w, x, x), add(view(buffer(8, 12), (12,)), z, x)]
    assert living(statements, [d]) == [statements[0], assume, statements[3]]


def test_single_numbers_come_first_as_far_as_they_can():
    one, two = view(buffer(9, 1), ()), view(buffer(10, 1), ())
    given = view(buffer(11, 1, "given"), ())
    first, assume = add(one, given, given), Assume(one, True)
    late = add(two, view(b, ()), one)  # of what an array's operation makes
    assert numbers_first([add(y, x, x), first, assume, late]) == [first, assume, add(y, x, x), late]


# Random statements


def draw(rng):
    """Some operations on views of a few buffers, which are read and written in part, backwards and broadcast."""
    buffers = [buffer(i, 12) for i in range(4)]
    forms = [((12,), (1,), 0), ((12,), (-1,), 11), ((6,), (2,), 0), ((6,), (2,), 1), ((6,), (1,), 3),
             ((3, 4), (4, 1), 0), ((4, 3), (1, 4), 0), ((3, 4), (1, 3), 0), ((), (), 5)]  # fmt: skip
    spread = [((12,), (0,), 2), ((6,), (0,), 7), ((3, 4), (4, 0), 1), ((3, 4), (0, 1), 2), ((4, 3), (0, 0), 3)]
    statements = []
    for _ in range(rng.randint(2, 9)):
        form = rng.choice(forms)
        likely = [f for f in forms + spread if f[0] == form[0]]
        inputs = tuple(view(rng.choice(buffers), *rng.choice(likely)) for _ in range(2))
        out = view(rng.choice(buffers), *form)
        # As in a kernel, an operation does not read other elements of what it writes.
        if all(x.buffer is not out.buffer or x.place == out.place for x in inputs):
            statements.append(add(out, *inputs))
    return buffers, statements


def elements(memory, x, index):
    at = x.offset + sum(i * stride for i, stride in zip(index, x.strides, strict=True))
    return memory[x.buffer], at // SIZE


def run(buffers, units):
    """What is in the buffers after the units, each of which is one loop over its elements."""
    memory = {of: np.arange(12.0) * 10**number for number, of in enumerate(buffers)}
    for maps in units:
        for index in itertools.product(*map(range, maps[0].out.shape)):
            for statement in maps:
                p, q = (elements(memory, x, index) for x in statement.inputs)
                out, at = elements(memory, statement.out, index)
                out[at] = p[0][p[1]] + q[0][q[1]]
    return [memory[of].tolist() for of in buffers]


def test_random_statements_give_the_same_in_groups():
    rng = random.Random(0)
    joined = 0
    for _ in range(2000):
        buffers, statements = draw(rng)
        units = grouped(statements)
        assert all(isinstance(unit, Group) for unit in units)
        assert run(buffers, [unit.maps for unit in units]) == run(buffers, [[s] for s in statements]), statements
        joined += len(statements) - len(units)
    assert joined > 500
