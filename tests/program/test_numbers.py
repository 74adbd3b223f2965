"""Numbers of Python in a program: as weak as outside of it, with Python's arithmetic, and new at every run."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import ProgramError
from minigrad.program import trace
from tests.program.same import assert_same_bits
from tests.rows import each, named

FUNCTIONS = {
    "sum": lambda x, s: x * (s + 1) + (1 + s),
    "difference": lambda x, s: x * (s - 3) - (3 - s),
    "product": lambda x, s: x * (s * 0.1) * (0.1 * s),
    "quotient": lambda x, s: x / (s / 3) + 3 / s,
    "power": lambda x, s: x * s**0.5 + 2**s,
    "negative": lambda x, s: x + -s,
    "in place": lambda x, s: in_place(x, s),
    "two numbers": lambda x, s: x * (s * s - s / 7),
}


def in_place(x, s):
    t = s
    t += 1
    t *= 0.3
    t -= s
    t /= 7
    return x * t


@each(("f", "dtype"), [(f, dtype) for f in FUNCTIONS.values() for dtype in (np.float32, np.float64, np.int64)])
def test_arithmetic_is_that_of_python(f, dtype):
    x = np.arange(1, 4).astype(dtype)
    program = trace(f, x, 0.7)
    for number in (0.7, 1.3, 1e-3):
        assert_same_bits(program.replay(x, number), mg.asarray(f(mg.asarray(x), number)).numpy())


def test_numbers_stay_weak():
    program = trace(lambda x, s: x * (s * 2), np.ones(2, np.float32), 0.1)
    assert program.replay(np.ones(2, np.float32), 1e-3).dtype == np.float32


def test_operands_keep_their_order():
    assert trace(lambda x, s: x * (s - 1) + (1 - s), 1.0, 3.0).replay(1.0, 5.0) == 0.0


@each(("read", "words"), named({
    "bool": (lambda x, s: x if s else -x, "bool()"),
    "comparison": (lambda x, s: x if s > 0 else -x, "bool()"),
    "float": (lambda x, s: x * float(s), "float()"),
    "int": (lambda x, s: x * int(s), "int()"),
    "item": (lambda x, s: x * s.item(), "item()"),
}))  # fmt: skip
def test_reading_a_number_is_refused(read, words):
    with pytest.raises(ProgramError) as caught:
        trace(read, np.ones(2), 2.0)
    assert words in str(caught.value)


def test_division_by_zero_is_pythons():
    program = trace(lambda x, s: x * (1 / s), np.ones(2), 2.0)
    with pytest.raises(ZeroDivisionError):
        program.replay(np.ones(2), 0.0)
