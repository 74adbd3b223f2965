"""Writing down what the operations of a program ask of NumPy, as statements about memory.

The functions of the operations are run on arrays that look like NumPy's, and note each call: ufuncs, reductions,
products of matrices, picks by index, copies.  Views need no note, since where they lie in memory says what they are.
What cannot be noted is refused, and stays a step of Python.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from minigrad.compiling.statements import Buffer, Map, Number, Operand, Statement, View

DOUBLE = np.dtype(np.float64)
BOOL = np.dtype(np.bool_)
current: ContextVar["Recorder"] = ContextVar("minigrad.compiling.recorder")


class Refused(Exception):  # noqa: N818  # no error: what was asked stays a step of Python
    """Something cannot be written down as statements."""


class Shown(np.ndarray):
    """An array in memory that is known; the class that notes what is computed of it stands on this one.

    Attributes
    ----------
    scalar : bool
        Whether it stands for one of NumPy's single numbers.
    """

    scalar = False


class ShownNumber(float):
    """A number of Python that is not known before the kernel runs; likewise."""

    place: View
    whole: bool

    def plain(self) -> float:
        """The number itself."""
        return int(float(self)) if self.whole else float(self)


class Recorder:
    """The statements of one equation after another.

    Parameters
    ----------
    arrays, numbers : type
        What operations are given for arrays and for numbers of Python.
    answers : sequence of bool, optional
        What is said when an operation asks for a truth, in place of the truth: those of another recording.
    """

    def __init__(
        self, arrays: type[Shown], numbers: Callable[[float, View], Any], answers: Sequence[bool] | None = None
    ) -> None:
        self._arrays, self._numbers = arrays, numbers
        self.truths: list[bool] = []
        self._answers = None if answers is None else iter(answers)
        self.statements: list[Statement] = []
        self.rows: list[Buffer] = []
        self.buffers: dict[int, Buffer] = {}
        self._kept: list[Any] = []  # what gives its identity may not die
        self._equation, self._count = 0, 0

    @contextmanager
    def equation(self, number: int) -> Iterator[None]:
        """Note the statements of this equation in the block."""
        self._equation, self._count = number, 0
        self.statements = []
        token = current.set(self)
        try:
            yield
        finally:
            current.reset(token)

    def truth(self, found: Any) -> bool:
        """What an operation is told that asks for a truth."""
        truth = bool(found) if self._answers is None else next(self._answers, None)
        if truth is None:
            raise Refused("another number of questions")
        self.truths.append(truth)
        return truth

    # Memory

    def shown(self, array: np.ndarray) -> Any:
        """An array as operations are given it."""
        return array.view(self._arrays)

    def given(self, value: Any) -> Any:
        """An array or a number with the value, whose memory the caller of the kernel will give."""
        if type(value) in (int, float):
            return self._numbers(value, View(self._buffer("given", np.float64(value)), 0, (), (), DOUBLE))
        made, block, origin = copied(np.asarray(value))
        self._note(block, Buffer(self._name(), "given", made, block.nbytes, origin))
        return self.shown(made)

    def made(self, value: Any) -> Any:
        """An array that the kernel makes, with this value as an example."""
        array = np.asarray(value)
        root = root_of_memory(array)
        if array.size and (not _is_dense(array) or root.nbytes != array.nbytes or id(root) in self.buffers):
            array = copied(array)[0]
            root = root_of_memory(array)
        origin = array.__array_interface__["data"][0] - root.__array_interface__["data"][0]
        self._note(root, Buffer(self._name(), "made", array, max(array.nbytes, 1), origin))
        return self.shown(array)

    def _name(self) -> tuple[int, int]:
        self._count += 1
        return (self._equation, self._count)

    def _buffer(self, kind: str, value: Any) -> Buffer:
        array = np.array(value)
        buffer = Buffer(self._name(), kind, array, array.nbytes)
        self._note(array, buffer)
        return buffer

    def _note(self, root: np.ndarray, buffer: Buffer) -> None:
        self.buffers[id(root)] = buffer
        self._kept.append(root)

    def known(self, x: np.ndarray) -> View | None:
        """Where an array lies, if that is in a known buffer."""
        root = root_of_memory(x)
        buffer = self.buffers.get(id(root))
        if buffer is None:
            return None
        offset = x.__array_interface__["data"][0] - root.__array_interface__["data"][0] - buffer.origin
        return View(buffer, offset, x.shape, x.strides, x.dtype)

    def view(self, x: Any) -> View:
        """Where an array lies; of one that comes up now, that it is constant."""
        found = self.known(x)
        if found is None:
            if isinstance(x, Shown):
                raise Refused("a method of arrays that is not noted")
            if x.dtype.char not in "?bBhHiIlLqQefdFD":
                raise Refused(f"dtype {x.dtype}")
            copy = np.ascontiguousarray(x).reshape(x.shape)
            copy = copy.copy() if copy is x or copy.base is not None else copy
            buffer = Buffer(self._name(), "constant", copy, copy.nbytes)
            self._note(copy, buffer)
            if root_of_memory(x) is x and x.flags.c_contiguous:
                self._note(x, buffer)
            found = self.known(copy)
            assert found is not None
        return found

    def operand(self, x: Any, dtype: Any) -> Operand:
        """What a statement takes that computes in this dtype."""
        if isinstance(x, ShownNumber):
            return x.place
        if isinstance(x, np.ndarray) and (x.ndim or self.known(x) is not None):
            return self.view(x)
        with np.errstate(all="ignore"):
            return Number(np.asarray(plain(x)).astype(dtype)[()], dtype)

    def number(self, value: float) -> Any:
        """A number of Python that the kernel makes."""
        return self._numbers(value, View(self._buffer("made", np.float64(value)), 0, (), (), DOUBLE))

    def row(self, x: Any) -> Any:
        """The row of an array that a loop has come to."""
        base = self.view(x)
        made, block, origin = copied(np.asarray(plain(x)[0]))
        buffer = Buffer(self._name(), "row", made, block.nbytes, origin)
        buffer.base = base._replace(shape=base.shape[1:], strides=base.strides[1:])
        buffer.step = base.strides[0]
        self._note(block, buffer)
        self.rows.append(buffer)
        return self.shown(made)

    @contextmanager
    def apart(self) -> Iterator[tuple[list[Statement], list[Buffer]]]:
        """Note statements, and rows, in lists of their own."""
        before = self.statements, self.rows
        self.statements, self.rows = [], []
        try:
            yield self.statements, self.rows
        finally:
            self.statements, self.rows = before

    # Statements

    def note(self, statement: Statement) -> None:
        """Write down a statement."""
        self.statements.append(statement)

    def map(self, operation: str, dtype: Any, out: View, inputs: Sequence[Any], loop: Any = None) -> None:
        """Note an operation on each element."""
        self.note(Map(operation, dtype, loop, out, tuple([self.operand(x, dtype) for x in inputs])))

    def duplicate(self, x: Any, like: np.ndarray) -> Any:
        """A copy, converted and laid out as an example is."""
        out = self.made(like)
        view = self.view(out)
        check_conversion(getattr(x, "dtype", view.dtype), view.dtype)
        self.map("copy", view.dtype, view, [x])
        return out


def check_conversion(old: Any, new: Any) -> None:
    """Refuse conversions in which C and NumPy may differ."""
    if old != new and ("e" in (old.char, new.char) or old.kind == "c" or (old.kind == "f" and new.kind in "iu")):
        raise Refused(f"from {old} to {new}")


def root_of_memory(x: np.ndarray) -> np.ndarray:
    """The array whose memory it is."""
    found, base = x, x.base
    while base is not None:
        if isinstance(base, np.ndarray):
            found = base
        base = getattr(base, "base", None)
    return found


def _is_dense(x: np.ndarray) -> bool:
    """Whether its elements fill a piece of memory, in the order of some permutation of the axes."""
    expected = x.itemsize
    for stride, n in sorted((s, n) for s, n in zip(x.strides, x.shape, strict=True) if n != 1):
        if stride != expected:
            return False
        expected *= n
    return True


def copied(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """The same elements with the same strides in memory of their own; that, and where the first one lies in it."""
    reach = [(n - 1) * stride for n, stride in zip(x.shape, x.strides, strict=True)] if x.size else []
    origin = -sum(r for r in reach if r < 0)
    block = np.zeros(max(sum(map(abs, reach)) + x.itemsize, 1), np.uint8)
    made: np.ndarray = np.ndarray(x.shape, x.dtype, block, origin, x.strides)
    made[...] = x
    return made, block, origin


def plain(x: Any) -> Any:
    """What NumPy computes with."""
    if isinstance(x, Shown):
        return x.view(np.ndarray)
    if isinstance(x, ShownNumber):
        return x.plain()
    return x


def view_of(x: Any) -> View:
    """Where a recorded value lies."""
    return x.place if isinstance(x, ShownNumber) else current.get().view(x)
