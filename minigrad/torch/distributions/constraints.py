"""Which numbers parameters and samples may be."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "Constraint",
    "between",
    "boolean",
    "nonnegative",
    "nonnegative_integer",
    "one_hot",
    "positive",
    "positive_definite",
    "real",
    "simplex",
    "unit_interval",
]


class Constraint(NamedTuple):
    """What numbers must be, in words, and as a test of an array."""

    said: str
    holds: Callable[[Any], Any]


def _sums_to_one(x: Any) -> Any:
    return (x >= 0) & (abs(x.sum(-1, keepdims=True) - 1) < 1e-6)


def _whole(x: Any) -> Any:
    return (x >= 0) & (x % 1 == 0)


def _definite(x: Any) -> Any:
    symmetric = np.isclose(x, np.swapaxes(x, -1, -2), atol=1e-6).all((-2, -1))
    return symmetric & (np.linalg.eigvalsh(x) > 0).all(-1)


def between(low: Any, high: Any, whole: bool = False) -> Constraint:
    """Numbers from one to another, both included."""
    kind = "whole numbers" if whole else "numbers"
    return Constraint(f"{kind} from {low} to {high}", lambda x: (x >= low) & (x <= high) & (_whole(x) | (not whole)))


real = Constraint("numbers", lambda x: x == x)
positive = Constraint("positive", lambda x: x > 0)
nonnegative = Constraint("at least 0", lambda x: x >= 0)
unit_interval = between(0, 1)
boolean = Constraint("0 or 1", lambda x: (x == 0) | (x == 1))
nonnegative_integer = Constraint("whole numbers of at least 0", _whole)
simplex = Constraint("weights of at least 0 whose sum is 1", _sums_to_one)
one_hot = Constraint("a single 1 among zeros", lambda x: ((x == 0) | (x == 1)) & (x.sum(-1, keepdims=True) == 1))
positive_definite = Constraint("symmetric and positive definite", _definite)
