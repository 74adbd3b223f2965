"""Random graphs agree with the reference of `tests.fuzz`; and what would be wrong in them is found."""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.ops import elementwise, indexing, linalg, reductions, shaping
from tests.fuzz.campaign import run
from tests.fuzz.checks import WAYS, Disagreement, Examination, along, directions, expect
from tests.fuzz.programs import Program, draw
from tests.fuzz.shrinking import reproducer, values_of
from tests.fuzz.table import FAMILIES, control, numbers
from tests.fuzz.ways import SECOND

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
OPERATIONS = [operation for family in FAMILIES for operation in family]


def test_a_few_hundred_random_graphs_are_right():
    tally = run(400, seed=0)
    assert not tally.reports, tally.reports[0]
    assert tally.unsure <= 4


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_random_graphs_are_right_for_half_a_minute(seed):
    tally = run(20_000, seed, seconds=30)
    print(tally)
    assert not tally.reports, tally.reports[0]
    assert tally.unsure <= 1 + tally.graphs / 200
    assert tally.graphs > 300


def test_the_same_seed_draws_the_same_programs():
    assert draw(3, 5, FAMILIES).source() == draw(3, 5, FAMILIES).source()
    assert draw(3, 5, FAMILIES).source() != draw(4, 5, FAMILIES).source()


def clear(arrays):
    """Whether numbers are apart from each other and from 0, where many functions have kinks."""
    numbers = np.sort(np.concatenate([[0.0], *(np.real(x).ravel() for x in arrays)]))
    return np.diff(numbers).min() > 1e-2


@cache
def steps(index):
    """A program of one step for each operation of a random program that is done on such numbers in double precision."""
    found = {}
    program = draw(0, index, FAMILIES)
    numbers = values_of(program)
    for step in program.steps:
        leaves = {name: numbers[name] for name in step.names()}
        double = all(x.size and x.dtype in (np.float64, np.complex128) for x in leaves.values())
        if double and clear(leaves.values()):
            found.setdefault(step.operation.name, Program(leaves, (step,), (step.out,)))
    return found


def occurrence(name):
    """The first such program for an operation."""
    return next(steps(index)[name] for index in range(2500) if name in steps(index))


def test_every_operation_is_drawn_and_has_a_name_of_its_own():
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)
    assert all(occurrence(operation.name) for operation in OPERATIONS)


# The reference itself

NOT_OF_VALUES = {"times itself detached", "hook that scales"}  # what programs do to derivatives, and not to values
OF_VALUES = [x.name for x in OPERATIONS if not x.constant and x.name not in NOT_OF_VALUES]


def differences(f, arrays, directions, h=1e-4):
    """The derivative along a direction, from six values: exact up to the sixth power of `h`."""
    weights = {1: 3 / 4, 2: -3 / 20, 3: 1 / 60}
    at = {k: f(*(x + k * h * u for x, u in zip(arrays, directions, strict=True))) for n in weights for k in (n, -n)}
    return sum(weight * (at[n] - at[-n]) for n, weight in weights.items()) / h


@pytest.mark.parametrize("name", OF_VALUES)
def test_the_reference_agrees_with_differences_of_its_values(name):
    program = occurrence(name)
    leaves = list(program.leaves.values())
    u, v = directions(program)
    slopes = differences(lambda *leaves: program.refer(*leaves)[0], leaves, u)
    bends = differences(lambda *leaves: expect(program, leaves).tangents[0], leaves, v)
    expected = expect(program, leaves)
    np.testing.assert_allclose(expected.tangents[0], slopes, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(expected.bends[0], bends, rtol=1e-7, atol=1e-8)


# The fuzzer finds what is wrong


@contextlib.contextmanager
def rule_changed(call: Any, i: int, change: Any) -> Iterator[None]:
    """One rule of a primitive, changed for a while."""
    primitive = call.primitive
    rules = primitive.rules
    primitive.rules = tuple(change(rule) if j == i else rule for j, rule in enumerate(rules))
    try:
        yield
    finally:
        primitive.rules = rules


def times(factor: float) -> Any:
    return lambda rule: lambda *known, **params: rule(*known, **params) * factor


def swapped(rule: Any) -> Any:
    return lambda g, y, a, b, **params: rule(g, y, b, a, **params)


ELEMENTWISE = [*numbers.FAMILIES, *control.FAMILIES]
MISTAKES = {
    "a factor of 1.001": (elementwise.sin, 0, times(1.001)),
    "a sign": (elementwise.cos, 0, times(-1)),
    "the other operand": (elementwise.multiply, 0, swapped),
    "an order of operands": (elementwise.divide, 1, swapped),
    "half of a tie": (elementwise.maximum, 0, lambda rule: lambda g, y, a, b: np.where(a > b, g, 0)),
    "no sum over what was broadcast": (elementwise.add, 1, lambda rule: lambda g, y, a, b: _first_of(g, b)),
    "the conjugate": (elementwise.conj, 0, lambda rule: lambda g, y, x: g),
    "a wrong axis": (shaping.roll, 0, lambda rule: lambda g, y, x, **how: g),
    "a transpose forgotten": (linalg.matmul, 0, lambda rule: lambda g, y, a, b: rule(g, y, a, _turned(b))),
    "a wrong second derivative": (elementwise.tanh, 0, lambda rule: lambda g, y, x: g * (1 - y.data * y.data)
                                  if isinstance(y, mg.Tensor) else g * (1 - y * y)),
    "repetitions that do not add up": (indexing.getitem, 0, times(1.0001)),
    "a count": (reductions.sum, 0, times(1.001)),
}  # fmt: skip


def _first_of(g: Any, b: Any) -> Any:
    """A gradient of which one row was taken instead of the sum over rows."""
    while g.ndim > np.ndim(b):
        g = g[0]
    return g


def _turned(b: Any) -> Any:
    return np.swapaxes(b, -1, -2) if b.ndim > 1 and b.shape[-1] == b.shape[-2] else b


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_rule_is_found(mistake):
    call, i, change = MISTAKES[mistake]
    with rule_changed(call, i, change):
        tally = run(600, seed=0, most=1, families=ELEMENTWISE if "tie" in mistake else FAMILIES)
    assert tally.reports, "not found"


# What it finds is written down as a program to run


def _shortest(mistake):
    """The program of a report on a mistake."""
    call, i, change = MISTAKES[mistake]
    with rule_changed(call, i, change):
        return run(1500, seed=0, most=1).reports[0]


def test_a_reproducer_is_short_and_runs(tmp_path):
    text = _shortest("a factor of 1.001")
    assert "import tests" not in text
    assert 1 <= len(re.findall(r"^    v\d+ = ", text, flags=re.MULTILINE)) <= 3
    file = tmp_path / "reproducer.py"
    file.write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, str(file)], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr  # the rule is right there


@pytest.mark.parametrize("way", WAYS)
def test_every_way_can_be_written_down(way, tmp_path):
    program = occurrence("multiply")
    examination = Examination(program)
    second = way in [f.__name__ for f in SECOND]
    parts, direction = (examination.expected.bends, 1) if second else (examination.expected.tangents, 0)
    expected, _ = along(examination.weights, parts)
    side = None if way in ("values", "jvp") else directions(program)[direction]
    text = reproducer(program, Disagreement(way, "derivative", 0.0, expected, side))
    exec(compile(text, "reproducer", "exec"), {})


def test_the_command_counts(capsys):
    command = [sys.executable, "-m", "tests.fuzz", "--graphs", "30", "--seed", "7"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.fullmatch(r"30 random graphs of \d+ steps, by \d+ operations: 0 disagree .* a second\n", done.stdout)
