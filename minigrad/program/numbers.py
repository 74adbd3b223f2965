"""Numbers of Python in a program: the rate and the count of steps of an optimizer, and what is computed of them.

They stay Python's numbers at every run, so that their dtype is as weak as it is outside of a program, and arithmetic
among them is Python's own.
"""

import operator
from collections.abc import Callable
from typing import Any

from minigrad.core import Array, primitive, unwrap
from minigrad.tensor import Tensor

SMALL = 64  # arrays of up to so many elements are kept as examples, and written as lists


OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow}


@primitive(cost=1)
def arithmetic(a: Any, b: Any, /, *, sign: str) -> Any:
    """What an operator of Python makes of two numbers."""
    return OPERATORS[sign](a, b)


def _methods(name: str, sign: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The methods for ``x ∘ y`` and ``y ∘ x``: Python's arithmetic of two numbers, and otherwise that of Tensors."""
    general, reflected = getattr(Tensor, f"__{name}__"), getattr(Tensor, f"__r{name}__")

    def forward(self: Any, other: Any) -> Any:
        return arithmetic(self, other, sign=sign) if is_number(other) else general(self, other)

    def backward(self: Any, other: Any) -> Any:
        return arithmetic(other, self, sign=sign) if is_number(other) else reflected(self, other)

    return forward, backward


def is_number(x: Any) -> bool:
    """Whether it is a number of Python, in a program or not."""
    return type(unwrap(x)) in (bool, int, float, complex)


class Number(Tensor):
    """The name of a number of Python in a program."""

    __slots__ = ()

    __add__, __radd__ = _methods("add", "+")
    __sub__, __rsub__ = _methods("sub", "-")
    __mul__, __rmul__ = _methods("mul", "*")
    __truediv__, __rtruediv__ = _methods("truediv", "/")
    __pow__, __rpow__ = _methods("pow", "**")
    # A number is no array that could change in place: the name goes to the result.
    __iadd__, __isub__, __imul__, __itruediv__ = __add__, __sub__, __mul__, __truediv__

    def __neg__(self) -> Any:
        return -1 * self


def number_named(value: Array) -> Number:
    """A Number."""
    made = object.__new__(Number)
    made.array, made.node = value, None
    return made
