"""What a kernel consists of: memory, views of it, and statements, each of which fills a view."""

from typing import Any, NamedTuple, TypeAlias

import numpy as np

from minigrad.compiling.loops import Loop


class Buffer:
    """A piece of memory.

    Attributes
    ----------
    name : tuple of int
        The equation in which it first came up, and its place among the buffers of that one.
    dtype : dtype
    kind : str
        "given": by the caller, as an array or a number; "constant": an array that is always the same; "made"; "row": a
        part of another one, which moves on in a loop.
    size : int
        In bytes.
    origin : int
        How many bytes of it come before the first element of the array that is given.
    array : ndarray
        The array that was given, or is constant; of one that is made, an example.
    base, step : View, int
        Of a row: the first one, and how far the next one is.
    """

    __slots__ = ("array", "base", "dtype", "kind", "name", "origin", "size", "step")

    def __init__(self, name: tuple[int, int], kind: str, array: np.ndarray, size: int, origin: int = 0) -> None:
        self.name, self.kind, self.array, self.dtype = name, kind, array, array.dtype
        self.size, self.origin = size, origin
        self.base: View | None = None
        self.step = 0

    def __repr__(self) -> str:
        return "b{}_{}".format(*self.name)


class View(NamedTuple):
    """Elements in the memory of a buffer; offset and strides are in bytes."""

    buffer: Buffer
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: Any

    @property
    def place(self) -> tuple[Any, ...]:
        """Equal for views of the same elements in the same order."""
        strides = tuple([0 if n == 1 else stride for n, stride in zip(self.shape, self.strides, strict=True)])
        return (self.buffer, self.offset, self.shape, strides, self.dtype)

    def spread(self, shape: tuple[int, ...]) -> "View":
        """The view broadcast to a shape."""
        added = len(shape) - len(self.shape)
        strides = [0 if i < added or self.shape[i - added] == 1 else self.strides[i - added] for i in range(len(shape))]
        return self._replace(shape=shape, strides=tuple(strides))

    def covers(self) -> bool:
        """Whether it is all of a buffer that was made."""
        return self.buffer.kind == "made" and self.dtype.itemsize * _size(self.shape) == self.buffer.size


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for n in shape:
        size *= n
    return size


class Number(NamedTuple):
    """A number that is written into the code, as a value of a dtype."""

    value: Any
    dtype: Any


Operand: TypeAlias = View | Number


class Map(NamedTuple):
    """Each element of the result from those of the operands, which are broadcast.

    The operation is one of NumPy's names of ufuncs, "where", "copy", "no_nan", "kept_zero" or an operator of Python's
    numbers; the loop, if there is one, computes it.
    """

    operation: str
    dtype: Any  # that in which it is computed; operands are converted to it
    loop: Loop | None
    out: View
    inputs: tuple[Operand, ...]


class Reduce(NamedTuple):
    """A reduction with a ufunc: in the view of the results, axes that go have stride 0 and the operand's length."""

    loop: Loop
    initial: Any  # None: the first elements
    out: View
    x: View


class Accumulate(NamedTuple):
    """A ufunc of each element and of the result before it, along an axis."""

    loop: Loop
    axis: int
    out: View
    x: View


class Contract(NamedTuple):
    """A generalized ufunc on whole vectors or matrices: the lengths of its core dimensions, and their strides."""

    loop: Loop
    lengths: tuple[int, ...]
    steps: tuple[int, ...]
    out: View  # of the batch
    inputs: tuple[View, ...]  # of the batch


class Pick(NamedTuple):
    """Elements of `x` at places, or if `writes`, elements put to them, or if `adds`, added to them.

    Attributes
    ----------
    out : View
        What is filled, or of `writes` the values.
    x : View
        The array that is indexed: with the shape of `out`, and stride 0 along the axes that are indexed.
    places : tuple of (View, int, int)
        Indices, broadcast to the shape; the length of the axis and its stride.
    """

    out: View
    x: View
    places: tuple[tuple[View, int, int], ...]
    writes: bool
    adds: bool = False


class Assume(NamedTuple):
    """A truth on which what follows depends: if it is another, the kernel gives up."""

    x: View
    truth: bool


class Count(NamedTuple):
    """Sums of weights by places, in double precision and in their order, as `numpy.bincount` gives them."""

    out: View
    places: View
    weights: View


class Repeat(NamedTuple):
    """A loop: over rows, or as long as something holds.

    Attributes
    ----------
    times, limit : int or None, View or None
        How often at most, and a whole number that says how often.
    reverse : bool
        Whether it begins with the last row.
    test, holds : tuple of Statement, View or None
        What is computed before each step to see whether to make it.
    body : tuple of Statement
    rows : tuple of Buffer
        What moves on.
    """

    times: int | None
    limit: View | None
    reverse: bool
    test: "tuple[Statement, ...]"
    holds: View | None
    body: "tuple[Statement, ...]"
    rows: tuple[Buffer, ...]


class Branch(NamedTuple):
    """Some statements if something holds, and otherwise others."""

    holds: View
    first: "tuple[Statement, ...]"
    second: "tuple[Statement, ...]"


Statement: TypeAlias = Map | Reduce | Accumulate | Contract | Pick | Assume | Count | Repeat | Branch
