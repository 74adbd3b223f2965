"""Numbers of Python that are computed on the way, such as norms and sums of weights, as operations without derivative.

Of Python's numbers the dtype is weak: what is multiplied by one keeps its own.
"""

import math
from typing import Any

import numpy as np

from minigrad.core import Array, primitive, traced
from minigrad.ops.elementwise import where


@primitive(cost=1)
def number(x: Array, /) -> Any:
    """The single number of an array."""
    return np.asarray(x).item()


@primitive(cost=1)
def length(x: Array, /) -> Any:
    """The root of the sum of all squares."""
    return float(np.linalg.norm(x))


@primitive(cost=1)
def inverse_or_zero(x: Any, /) -> Any:
    """``1 / x``, and 0 for 0."""
    return 1 / x if x else 0.0


@primitive(cost=1)
def or_one(x: Any, /) -> Any:
    """`x`, and 1 for 0."""
    return x or 1.0


@primitive(cost=1)
def or_nan(x: Any, /) -> Any:
    """`x`, and NaN for 0."""
    return x or math.nan


@primitive(cost=1)
def root(x: Any, /) -> Any:
    """The square root."""
    return math.sqrt(x)


def chosen(condition: Any, x: Any, y: Any) -> Any:
    """`x` if the condition, a bool or one of a program, holds, and otherwise `y`."""
    if traced(condition):
        return where(condition, x, y)
    return x if condition else y


@primitive(cost=1)
def larger(x: Any, y: Any, /) -> Any:
    """The larger of two numbers."""
    return max(x, y)


@primitive(cost=1)
def smaller(x: Any, y: Any, /) -> Any:
    """The smaller of two numbers."""
    return min(x, y)
