"""Tensors of a graph, and what is known of shapes."""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any, TypeAlias

import numpy as np

from minigrad.export.for_onnx.sizes import NotFixedError, Size

Length: TypeAlias = int | Size | None  # None for one that nobody knows
Shape: TypeAlias = tuple[Length, ...]
Operand: TypeAlias = Any  # a Value, a number of Python, which is weak, or one of NumPy's
Row: TypeAlias = Callable[..., Any]  # of a graph, operands and parameters
Table: TypeAlias = Mapping[str, Row]


class Value:
    """A tensor of a graph.

    Attributes
    ----------
    name : str
    dtype : dtype
    shape : tuple of (int, Size or None)
    number : type, optional
        `int` or `float` if it stands for a number of Python, whose dtype is weak.
    """

    __slots__ = ("dtype", "graph", "name", "number", "shape")

    def __init__(self, graph: Any, name: str, dtype: Any, shape: Sequence[Length], number: Any = None) -> None:
        self.graph, self.name, self.dtype, self.shape = graph, name, np.dtype(dtype), tuple(shape)
        self.number = number

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __add__(self, other: Operand) -> "Value":
        return self.graph.arithmetic("Add", self, other)

    def __radd__(self, other: Operand) -> "Value":
        return self.graph.arithmetic("Add", other, self)

    def __sub__(self, other: Operand) -> "Value":
        return self.graph.arithmetic("Sub", self, other)

    def __rsub__(self, other: Operand) -> "Value":
        return self.graph.arithmetic("Sub", other, self)

    def __mul__(self, other: Operand) -> "Value":
        return self.graph.arithmetic("Mul", self, other)

    def __rmul__(self, other: Operand) -> "Value":
        return self.graph.arithmetic("Mul", other, self)

    def __truediv__(self, other: Operand) -> "Value":
        return self.graph.divide(self, other)

    def __rtruediv__(self, other: Operand) -> "Value":
        return self.graph.divide(other, self)

    def __neg__(self) -> "Value":
        return self.graph.unary("Neg", self)

    def __lt__(self, other: Operand) -> "Value":
        return self.graph.compared("Less", self, other)

    def __le__(self, other: Operand) -> "Value":
        return self.graph.compared("LessOrEqual", self, other)

    def __gt__(self, other: Operand) -> "Value":
        return self.graph.compared("Greater", self, other)

    def __ge__(self, other: Operand) -> "Value":
        return self.graph.compared("GreaterOrEqual", self, other)

    def __and__(self, other: Operand) -> "Value":
        return self.graph.logic("And", self, other)

    def __or__(self, other: Operand) -> "Value":
        return self.graph.logic("Or", self, other)

    def __invert__(self) -> "Value":
        return self.graph.node("Not", [self.graph.cast(self, bool)], bool, self.shape)

    def __repr__(self) -> str:
        return f"{self.name}: {self.dtype} {self.shape}"


def broadcast(*shapes: Sequence[Length]) -> Shape:
    """The shape of what arrays are broadcast to."""
    ndim = max(map(len, shapes), default=0)
    made: list[Length] = [1] * ndim
    for shape in shapes:
        for i, n in enumerate(shape, ndim - len(shape)):
            if made[i] == 1 or (made[i] is None and n not in (1, None)):
                made[i] = n
    return tuple(made)


def axes_of(axes: Any, ndim: int) -> tuple[int, ...]:
    """Axes counted from the front, in order; all of them for None, and none of a single number."""
    if axes is None or not ndim:
        return tuple(range(ndim))
    return tuple(sorted({int(a) % ndim for a in (axes if isinstance(axes, tuple | list) else (axes,))}))


def count_of(x: Value, axes: Any) -> Any:
    """How many elements a reduction over axes takes together."""
    lengths = [x.shape[a] for a in axes_of(axes, x.ndim)]
    if None in lengths:
        raise NotFixedError(x)
    return prod(lengths)


def sum_of(lengths: Sequence[Length]) -> Length:
    """The sum of lengths, if they are all known."""
    total: Any = 0
    for n in lengths:
        if n is None:
            return None
        total = total + n
    return total


# What rows say


class NoFormError(Exception):
    """What a row has no nodes for, and why, if it says so."""


def of_result(row: Any) -> Any:
    """Mark a row that is given the form of its result, too, as `result`."""
    row.of_result = True
    return row
