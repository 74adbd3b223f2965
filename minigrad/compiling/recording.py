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

from minigrad.compiling.loops import find_loop
from minigrad.compiling.statements import (
    Accumulate,
    Assume,
    Buffer,
    Contract,
    Count,
    Map,
    Number,
    Operand,
    Pick,
    Reduce,
    Statement,
    View,
)
from minigrad.operands import PLAIN

SMALL = 8192  # elements: NumPy converts so many at a time, and sums each such part by itself
DOUBLE = np.dtype(np.float64)
BOOL = np.dtype(np.bool_)
_INTEGERS = "bBhHiIlLqQ"
_recorder: ContextVar["Recorder"] = ContextVar("minigrad.compiling.recorder")


class Refused(Exception):  # noqa: N818  # no error: what was asked stays a step of Python
    """Something cannot be written down as statements."""


class Recorder:
    """The statements of one equation after another.

    Parameters
    ----------
    answers : sequence of bool, optional
        What is said when an operation asks for a truth, in place of the truth: those of another recording.
    """

    def __init__(self, answers: Sequence[bool] | None = None) -> None:
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
        token = _recorder.set(self)
        try:
            yield
        finally:
            _recorder.reset(token)

    def truth(self, found: Any) -> bool:
        """What an operation is told that asks for a truth."""
        truth = bool(found) if self._answers is None else next(self._answers, None)
        if truth is None:
            raise Refused("another number of questions")
        self.truths.append(truth)
        return truth

    # Memory

    def given(self, value: Any) -> Any:
        """An array or a number with the value, whose memory the caller of the kernel will give."""
        if type(value) in (int, float):
            return RecordedNumber(value, View(self._buffer("given", np.float64(value)), 0, (), (), DOUBLE))
        made, block, origin = copied(np.asarray(value))
        self._note(block, Buffer(self._name(), "given", made, block.nbytes, origin))
        return made.view(Recorded)

    def made(self, value: Any) -> "Recorded":
        """An array that the kernel makes, with this value as an example."""
        array = np.asarray(value)
        root, _ = _root_of(array)
        if array.size and (not _is_dense(array) or root.nbytes != array.nbytes or id(root) in self.buffers):
            array = copied(array)[0]
            root, _ = _root_of(array)
        origin = array.__array_interface__["data"][0] - root.__array_interface__["data"][0]
        self._note(root, Buffer(self._name(), "made", array, max(array.nbytes, 1), origin))
        return array.view(Recorded)

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
        root, _ = _root_of(x)
        buffer = self.buffers.get(id(root))
        if buffer is None:
            return None
        offset = x.__array_interface__["data"][0] - root.__array_interface__["data"][0] - buffer.origin
        return View(buffer, offset, x.shape, x.strides, x.dtype)

    def view(self, x: Any) -> View:
        """Where an array lies; of one that comes up now, that it is constant."""
        found = self.known(x)
        if found is None:
            if isinstance(x, Recorded):
                raise Refused("a method of arrays that is not noted")
            if x.dtype.char not in "?bBhHiIlLqQefdFD":
                raise Refused(f"dtype {x.dtype}")
            copy = np.ascontiguousarray(x).reshape(x.shape)
            copy = copy.copy() if copy is x or copy.base is not None else copy
            buffer = Buffer(self._name(), "constant", copy, copy.nbytes)
            self._note(copy, buffer)
            if _root_of(x)[0] is x and x.flags.c_contiguous:
                self._note(x, buffer)
            found = self.known(copy)
            assert found is not None
        return found

    def operand(self, x: Any, dtype: Any) -> Operand:
        """What a statement takes that computes in this dtype."""
        if isinstance(x, RecordedNumber):
            return x.place
        if isinstance(x, np.ndarray) and (x.ndim or self.known(x) is not None):
            return self.view(x)
        with np.errstate(all="ignore"):
            return Number(np.asarray(plain(x)).astype(dtype)[()], dtype)

    def number(self, value: float) -> "RecordedNumber":
        """A number of Python that the kernel makes."""
        return RecordedNumber(value, View(self._buffer("made", np.float64(value)), 0, (), (), DOUBLE))

    def row(self, x: "Recorded") -> "Recorded":
        """The row of an array that a loop has come to."""
        base = self.view(x)
        made, block, origin = copied(np.asarray(plain(x)[0]))
        buffer = Buffer(self._name(), "row", made, block.nbytes, origin)
        buffer.base = base._replace(shape=base.shape[1:], strides=base.strides[1:])
        buffer.step = base.strides[0]
        self._note(block, buffer)
        self.rows.append(buffer)
        return made.view(Recorded)

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

    def duplicate(self, x: Any, like: np.ndarray) -> "Recorded":
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


def _root_of(x: np.ndarray) -> tuple[np.ndarray, Any]:
    """The array whose memory it is."""
    found, base = x, x.base
    while base is not None:
        if isinstance(base, np.ndarray):
            found = base
        base = getattr(base, "base", None)
    return found, base


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
    if isinstance(x, Recorded):
        return x.view(np.ndarray)
    if isinstance(x, RecordedNumber):
        return x.plain()
    return x


def view_of(x: Any) -> View:
    """Where a recorded value lies."""
    return x.place if isinstance(x, RecordedNumber) else _recorder.get().view(x)


# Numbers of Python


def _arithmetic(sign: str, swapped: bool = False) -> Callable[[Any, Any], Any]:
    compute = {
        "+": float.__add__, "-": float.__sub__, "*": float.__mul__, "/": float.__truediv__, "**": float.__pow__
    }[sign]  # fmt: skip

    def method(self: "RecordedNumber", other: Any) -> Any:
        if type(other) not in (int, float, RecordedNumber):
            return NotImplemented
        a, b = (other, self) if swapped else (self, other)
        if self.whole and getattr(other, "whole", type(other) is int):
            raise Refused("whole numbers of Python")
        try:
            value = compute(float(a), float(b))
        except (ArithmeticError, ValueError):
            value = 1.0  # the numbers of another recording may be any
        recorder = _recorder.get()
        if sign == "/":
            _assume(b, "not_equal", 0.0)
        out = recorder.number(value)
        recorder.map(f"python {sign}", DOUBLE, out.place, [a, b])
        if sign in ("**", "/"):
            _assume_finite(out)
        return out

    return method


def _comparison(name: str) -> Callable[[Any, Any], bool]:
    def method(self: "RecordedNumber", other: Any) -> bool:
        if type(other) not in (int, float, RecordedNumber):
            return NotImplemented
        return _assume(self, name, other)

    return method


class RecordedNumber(float):
    """A number of Python that is not known before the kernel runs."""

    place: View
    whole: bool

    def __new__(cls, value: float, place: View) -> "RecordedNumber":  # noqa: D102  # as float's
        made = super().__new__(cls, value)
        made.place, made.whole = place, type(value) is int
        return made

    def plain(self) -> float:
        """The number itself."""
        return int(float(self)) if self.whole else float(self)

    __add__ = __radd__ = _arithmetic("+")  # type: ignore[assignment]  # of other classes, too
    __mul__ = __rmul__ = _arithmetic("*")  # type: ignore[assignment]
    __sub__, __rsub__ = _arithmetic("-"), _arithmetic("-", True)  # type: ignore[assignment]
    __truediv__, __rtruediv__ = _arithmetic("/"), _arithmetic("/", True)  # type: ignore[assignment]
    __pow__, __rpow__ = _arithmetic("**"), _arithmetic("**", True)  # type: ignore[assignment]
    __eq__, __ne__ = _comparison("equal"), _comparison("not_equal")  # type: ignore[assignment]
    __lt__, __le__ = _comparison("less"), _comparison("less_equal")
    __gt__, __ge__ = _comparison("greater"), _comparison("greater_equal")
    __hash__ = float.__hash__

    def __neg__(self) -> Any:
        return -1.0 * self

    def __bool__(self) -> bool:
        return _assume(self, "not_equal", 0.0)

    def __int__(self) -> int:
        raise Refused("a whole number of a value")

    __index__ = __trunc__ = __round__ = __int__  # type: ignore[assignment]


def _assume(x: Any, comparison: str, other: Any) -> bool:
    """The truth of a comparison now, which the kernel will rely on."""
    recorder = _recorder.get()
    truth = recorder.truth(getattr(np, comparison)(float(x), float(other)))
    if isinstance(x, RecordedNumber) or isinstance(other, RecordedNumber):
        out = recorder.view(recorder.made(np.array(truth)))
        recorder.map(comparison, DOUBLE, out, [x, other])
        recorder.note(Assume(out, truth))
    return truth


def _assume_finite(x: RecordedNumber) -> None:
    recorder = _recorder.get()
    out = recorder.view(recorder.made(np.array(True)))
    recorder.map("isfinite", DOUBLE, out, [x])
    recorder.note(Assume(out, truth=True))


def root_of(x: Any) -> Any:
    """The square root of a number of Python."""
    if not isinstance(x, RecordedNumber):
        raise Refused("the root of a number that is known")
    _assume(x, "greater_equal", 0.0)
    recorder = _recorder.get()
    out = recorder.number(abs(float(x)) ** 0.5)
    recorder.map("sqrt", DOUBLE, out.place, [x])
    return out


# Arrays


class Recorded(np.ndarray):
    """An array that notes what is computed of it."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__":
            if ufunc.signature is not None:
                return _contracted(ufunc, inputs, options)
            return _mapped(ufunc, inputs, options)
        if method == "reduce":
            return _reduced(ufunc, *inputs, **options)
        if method == "accumulate":
            return _accumulated(ufunc, *inputs, **options)
        if method == "at" and ufunc is np.add and len(inputs) == 3:
            _picked(inputs[0], inputs[1], inputs[2], adds=True)
            return None
        raise Refused(f"{ufunc.__name__}.{method}")

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        found = _FUNCTIONS.get(function)
        if found is not None:
            return found(*args, **kwargs)
        return function._implementation(*args, **kwargs)

    # Values

    def __bool__(self) -> bool:
        if self.size != 1:
            raise Refused("the truth of an array")
        recorder, x = _recorder.get(), self.reshape(())
        truth = recorder.truth(plain(self))
        out = recorder.view(recorder.made(np.array(truth)))
        recorder.map("not_equal", self.dtype, out, [x, 0])
        recorder.note(Assume(out, truth))
        return truth

    def item(self, *args: Any) -> Any:
        """The number, of an array of one in double precision."""
        if args or self.size != 1 or self.dtype.char not in "fd":
            raise Refused("item")
        recorder = _recorder.get()
        out = recorder.number(float(plain(self).reshape(())))
        recorder.map("copy", DOUBLE, out.place, [self.reshape(())])
        return out

    def __float__(self) -> float:
        raise Refused("the number of an array")

    __int__ = __index__ = __complex__ = __float__  # type: ignore[assignment]

    def tolist(self) -> Any:
        """Refused."""
        raise Refused("the numbers of an array")

    def tobytes(self, order: Any = "C") -> bytes:
        """Refused."""
        raise Refused("the bytes of an array")

    # Elements

    def __getitem__(self, key: Any) -> Any:
        keys = key if isinstance(key, tuple) else (key,)
        if any(isinstance(k, np.ndarray | list) for k in keys):
            return _picked(self, keys)
        if not any(k is Ellipsis for k in keys):
            keys = (*keys, Ellipsis)  # so that it is a view even of one element
        return super().__getitem__(keys)

    def __setitem__(self, key: Any, value: Any) -> None:
        keys = key if isinstance(key, tuple) else (key,)
        if len(keys) == 1 and isinstance(keys[0], np.ndarray) and keys[0].dtype == BOOL:
            if np.ndim(value) or keys[0].shape != self.shape:
                raise Refused("elements by a mask")
            put(self, _chosen(keys[0], value, self))
        elif any(isinstance(k, np.ndarray | list) for k in keys):
            _picked(self, keys, value)
        else:
            put(self[key], value)

    # Copies

    def reshape(self, *shape: Any, order: Any = "C", copy: Any = None) -> Any:
        """The array in another shape: a view if that is possible."""
        if order != "C":
            raise Refused("an order")
        made = plain(self).reshape(*shape)
        if copy is not True and (not made.size or _root_of(made)[0] is _root_of(self)[0]):
            return made.view(Recorded)
        recorder = _recorder.get()
        out = recorder.made(np.array(made))
        as_before = recorder.view(out)._replace(shape=self.shape, strides=np.empty(self.shape, self.dtype).strides)
        recorder.map("copy", self.dtype, as_before, [self])
        return out

    def ravel(self, order: Any = "C") -> Any:
        """In one dimension."""
        return self.reshape(-1, order=order)

    def flatten(self, order: Any = "C") -> Any:
        """In one dimension, as a copy."""
        return self.reshape(-1, order=order, copy=True)

    def copy(self, order: Any = "C") -> Any:
        """A copy."""
        return _recorder.get().duplicate(self, plain(self).copy(order))

    def astype(self, dtype: Any, order: Any = "K", casting: Any = "unsafe", subok: Any = True, copy: Any = True) -> Any:
        """Converted."""
        made = plain(self).astype(dtype, order=order, casting=casting, copy=copy)
        if _root_of(made)[0] is _root_of(self)[0]:
            return self
        return _recorder.get().duplicate(self, made)

    def fill(self, value: Any) -> None:
        """Make all elements one value."""
        put(self, value)

    def take(self, indices: Any, axis: Any = None, out: Any = None, mode: Any = "raise") -> Any:
        """Elements by their places."""
        return _taken(self, indices, axis, out, mode)

    def sort(self, *args: Any, **kwargs: Any) -> None:
        """Refused."""
        raise Refused("sort")

    partition = put = itemset = resize = byteswap = setfield = sort  # type: ignore[assignment]


PLAIN.add(Recorded)  # operations of the package take it

# Ufuncs


def _mapped(ufunc: np.ufunc, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    out, where = options.pop("out", None), options.pop("where", True)
    options.pop("casting", None)
    options.pop("subok", None)
    dtype = options.pop("dtype", None)
    if options or ufunc.nout != 1:
        raise Refused(f"{ufunc.__name__} with {', '.join(options) or 'several results'}")
    recorder = _recorder.get()
    values = [plain(x) for x in inputs]
    kinds = [_kind_of(x) for x in values]
    try:
        chosen = {} if dtype is None else {"signature": (*[None] * ufunc.nin, np.dtype(dtype))}
        dtypes = ufunc.resolve_dtypes((*kinds, None), **chosen)
    except TypeError as error:
        raise Refused(str(error)) from None
    loop = find_loop(ufunc, dtypes)
    name = ufunc.__name__
    for x, kind in zip(values, dtypes, strict=False):
        if hasattr(x, "dtype"):
            check_conversion(x.dtype, kind)
    if (loop is None and name != "clip") or any(kind.char not in "?bBhHiIlLqQefdFD" for kind in dtypes):
        raise Refused(f"{name} of {dtypes[0]}")
    if any(kind != dtypes[0] for kind in dtypes[: ufunc.nin]):
        raise Refused(f"{name} of several dtypes")  # such as ldexp
    if out is not None:
        (target,) = out if isinstance(out, tuple) else (out,)
    if out is None or target is None:
        if where is not True:
            raise Refused("where without out")
        made = recorder.made(ufunc(*values) if dtype is None else ufunc(*values, dtype=dtype))
        recorder.map(name, dtypes[0], recorder.view(made), inputs, loop)
        return made
    view = _to_write(target)  # before it has the values
    if where is not True or view.dtype != dtypes[-1]:
        temporary = recorder.made(np.zeros(np.broadcast_shapes(target.shape), dtypes[-1]))
        with np.errstate(all="ignore"):
            ufunc(*values, out=plain(temporary))
        recorder.map(name, dtypes[0], recorder.view(temporary), inputs, loop)
        put(target, temporary if where is True else _chosen(where, temporary, target))
        return target
    ufunc(*values, out=plain(target))
    recorder.map(name, dtypes[0], view, inputs, loop)
    return target


def _kind_of(x: Any) -> Any:
    """What NumPy chooses a dtype by: of Python's numbers, their class."""
    return type(x) if type(x) in (int, float, complex) else np.asarray(x).dtype


def _reduced(
    ufunc: np.ufunc,
    x: Any,
    axis: Any = 0,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = np._NoValue,
    where: Any = True,
) -> Any:
    if (out is not None and out != (None,)) or where is not True or isinstance(initial, Recorded | RecordedNumber):
        raise Refused("a reduction with options")
    recorder = _recorder.get()
    begins = {} if initial is np._NoValue or initial is None else {"initial": initial}
    value = plain(x)
    chosen = {} if dtype is None else {"signature": (np.dtype(dtype), None, None)}
    try:
        kinds = ufunc.resolve_dtypes((None, value.dtype, None), reduction=True, **chosen)
    except TypeError as error:
        raise Refused(str(error)) from None
    kind = kinds[1]
    loop = find_loop(ufunc, kinds)
    if loop is None or len(set(kinds)) != 1:
        raise Refused(f"{ufunc.__name__}.reduce of {value.dtype}")
    result = ufunc.reduce(value, axis=axis, dtype=dtype, keepdims=keepdims, **begins)
    if value.dtype != kind:
        if kind.kind in "fc" and value.size > SMALL:
            raise Refused("a large sum in another dtype")
        x = recorder.duplicate(x, value.astype(kind))
    axes = range(value.ndim) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, value.ndim)
    kept = [1 if i in axes else n for i, n in enumerate(value.shape)]
    made = recorder.made(np.asarray(result))
    # The same memory, with the axes that are gone.
    strides, left = [], list(recorder.view(made).strides)
    if keepdims:
        strides = left
    else:
        strides = [0 if i in axes else left.pop(0) for i in range(value.ndim)]
    source = recorder.view(x)
    target = recorder.view(made)._replace(shape=tuple(kept), strides=tuple(strides)).spread(source.shape)
    identity = begins.get("initial", ufunc.identity)
    if not value.size and identity is None:
        raise Refused("a reduction of nothing")
    recorder.note(Reduce(loop, identity, target, source))
    return made


def _accumulated(ufunc: np.ufunc, x: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    if out is not None and out != (None,):
        raise Refused("accumulate with out")
    recorder = _recorder.get()
    value = plain(x)
    result = ufunc.accumulate(value, axis=axis, dtype=dtype)
    loop = find_loop(ufunc, (result.dtype,) * 3)
    if loop is None:
        raise Refused(f"{ufunc.__name__}.accumulate of {value.dtype}")
    if value.dtype != result.dtype:
        x = recorder.duplicate(x, value.astype(result.dtype))
    made = recorder.made(result)
    recorder.note(Accumulate(loop, axis % value.ndim, recorder.view(made), recorder.view(x)))
    return made


def _contracted(ufunc: np.ufunc, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    target = options.pop("out", None)
    target = target[0] if isinstance(target, tuple) else target
    if any(value is not None for value in options.values()) or ufunc not in (np.matmul, np.vecdot):
        raise Refused(f"{ufunc.__name__}")
    recorder = _recorder.get()
    values = [np.asarray(plain(x)) for x in inputs]
    kinds = ufunc.resolve_dtypes((*[x.dtype for x in values], None))
    loop = find_loop(ufunc, kinds)
    if loop is None or kinds[0].char not in "fdFD":
        raise Refused(f"{ufunc.__name__} of {kinds[0]}")
    result = ufunc(*values)
    if target is not None and target.dtype != result.dtype:
        raise Refused(f"{ufunc.__name__} into another dtype")
    sources = []
    for x, value in zip(inputs, values, strict=True):
        if value.dtype != kinds[0]:
            check_conversion(value.dtype, kinds[0])
            x = recorder.duplicate(x, value.astype(kinds[0], order="K"))
        sources.append(recorder.view(x))
    if target is not None:
        recorder.note(_product(loop, _to_write(target), *sources))
        plain(target)[...] = result
        return target
    made = recorder.made(np.asarray(result))
    recorder.note(_product(loop, recorder.view(made), *sources))
    return made


def _to_write(target: Any) -> View:
    """Where something may be written to."""
    view = _recorder.get().view(target)
    if view.buffer.kind == "given":
        raise Refused("an input is written to")
    return view


def _product(loop: Any, out: View, a: View, b: View) -> Contract:
    if loop.ufunc == "vecdot":
        batch = out.shape
        sources = [
            x._replace(shape=x.shape[:-1], strides=x.strides[:-1]).spread(batch) for x in (a, b)
        ]
        steps = [0 if x.shape[-1] == 1 else x.strides[-1] for x in (a, b)]
        return Contract(loop, (max(a.shape[-1], b.shape[-1]),), tuple(steps), out, tuple(sources))
    rows = a.shape[-2:-1] if len(a.shape) > 1 else ()
    columns = b.shape[-1:] if len(b.shape) > 1 else ()
    core = len(rows) + len(columns)
    batch = out.shape[: len(out.shape) - core]
    # Of dimensions that an operand lacks, the length is 1 and the stride 0.
    a_steps = a.strides[-2:] if rows else (0, a.strides[-1])
    b_steps = b.strides[-2:] if columns else (b.strides[-1], 0)
    left = list(out.strides[len(batch) :])
    out_steps = (left.pop(0) if rows else 0, left.pop(0) if columns else 0)
    lengths = (rows[0] if rows else 1, a.shape[-1], columns[0] if columns else 1)
    sources = []
    for x in (a, b):
        kept = max(len(x.shape) - 2, 0)
        sources.append(x._replace(shape=x.shape[:kept], strides=x.strides[:kept]).spread(batch))
    target = out._replace(shape=batch, strides=out.strides[: len(batch)])
    return Contract(loop, lengths, (*a_steps, *b_steps, *out_steps), target, tuple(sources))


# Functions


def _chosen(condition: Any, x: Any, y: Any) -> Any:
    recorder = _recorder.get()
    values = [plain(v) for v in (condition, x, y)]
    result = np.asarray(np.where(*values))
    if np.asarray(values[0]).dtype != BOOL:
        condition = np.not_equal(condition, 0)
    for v in values[1:]:
        if hasattr(v, "dtype"):
            check_conversion(v.dtype, result.dtype)
    made = recorder.made(result)
    inputs = (recorder.operand(condition, BOOL), *[recorder.operand(v, result.dtype) for v in (x, y)])
    recorder.note(Map("where", result.dtype, None, recorder.view(made), inputs))
    return made


def put(target: Any, value: Any) -> None:
    """Write a value into an array."""
    recorder = _recorder.get()
    view = _to_write(target)
    check_conversion(getattr(value, "dtype", view.dtype), view.dtype)
    if isinstance(value, np.ndarray) and value.ndim > target.ndim:
        value = value.reshape(value.shape[-target.ndim or value.ndim :])
    recorder.map("copy", view.dtype, view, [value])
    plain(target)[...] = plain(value)


def _copied_to(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    if where is not True:
        src = _chosen(where, src, dst)
    put(dst, src)


def _picked(x: Any, keys: Any, value: Any = None, adds: bool = False) -> Any:
    """Elements by arrays of indices; with a value, it is put there, or added."""
    recorder = _recorder.get()
    keys = keys if isinstance(keys, tuple) else (keys,)
    keys = tuple([np.asarray(k) if isinstance(k, list) else k for k in keys])
    arrays = [k for k in keys if isinstance(k, np.ndarray)]
    if any(k.dtype.char not in _INTEGERS for k in arrays) or any(
        isinstance(k, int | np.integer) and not isinstance(k, bool) for k in keys
    ):
        raise Refused("an index of this kind")
    if isinstance(plain(x), np.ndarray) and not isinstance(x, Recorded) and recorder.known(x) is None and value is None:
        recorder.view(x)  # a constant
    # First the part of the index that makes a view, with all of an axis where an array stands.
    part = plain(x)[tuple([slice(None) if isinstance(k, np.ndarray) else k for k in keys])]
    axis, axes = 0, []
    for k in keys if Ellipsis not in [k for k in keys if not isinstance(k, np.ndarray)] else _spelt(keys, part.ndim):
        if isinstance(k, np.ndarray):
            axes.append(axis)
        axis += 1
    shape = np.broadcast_shapes(*[k.shape for k in arrays])
    together = axes == list(range(axes[0], axes[0] + len(axes)))
    first = axes[0] if together else 0
    rest = [i for i in range(part.ndim) if i not in axes]
    source = recorder.view(part)
    before = [i for i in rest if i < axes[0]] if together else []
    after = [i for i in rest if i not in before]
    lengths = (*[part.shape[i] for i in before], *shape, *[part.shape[i] for i in after])
    strides = (*[part.strides[i] for i in before], *[0] * len(shape), *[part.strides[i] for i in after])
    view = source._replace(shape=lengths, strides=strides)
    places = []
    for k, i in zip(arrays, axes, strict=True):
        at = recorder.view(k).spread(shape)
        spread = at._replace(
            shape=lengths, strides=(*[0] * first, *at.strides, *[0] * (len(lengths) - first - len(shape)))
        )
        places.append((spread, part.shape[i], part.strides[i]))
    # The indices of another recording may be any.
    rest = iter([part.shape[i] for i in axes])
    index = tuple([np.clip(plain(k), -n, n - 1) if isinstance(k, np.ndarray) and (n := next(rest)) else plain(k) for k in keys])
    if value is None:
        made = recorder.made(np.asarray(plain(x)[index]))
        recorder.note(Pick(recorder.view(made), view, tuple(places), writes=False))
        return made
    if source.buffer.kind == "given":
        raise Refused("an input is written to")
    if not isinstance(value, np.ndarray) or value.dtype != part.dtype or recorder.known(value) is None:
        filled = recorder.made(np.zeros(np.shape(value), part.dtype))
        put(filled, value)
        value = filled
    if value.ndim > len(lengths):
        raise Refused("a value of more axes")
    recorder.note(Pick(recorder.view(value).spread(lengths), view, tuple(places), writes=True, adds=adds))
    if adds:
        np.add.at(plain(x), index, plain(value))
    else:
        plain(x)[index] = plain(value)
    return None


def _spelt(keys: Sequence[Any], ndim: int) -> list[Any]:
    """The keys with slices in place of an ellipsis."""
    place = next(i for i, k in enumerate(keys) if k is Ellipsis)
    return [*keys[:place], *[slice(None)] * (ndim - len(keys) + 1), *keys[place + 1 :]]


def _taken(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: Any = "raise") -> Any:
    if out is not None or mode != "raise" or not np.ndim(indices):
        raise Refused("take with options")
    if axis is None:
        a, axis = np.reshape(a, -1), 0
    return a[(*[slice(None)] * (axis % np.ndim(a)), indices)]


def _joined(arrays: Any, axis: Any = 0, out: Any = None, dtype: Any = None, casting: Any = None) -> Any:
    if out is not None or axis is None or dtype is not None:
        raise Refused("concatenate with options")
    recorder = _recorder.get()
    made = recorder.made(np.concatenate([plain(x) for x in arrays], axis))
    start = 0
    for x in arrays:
        stop = start + x.shape[axis]
        put(made[(*[slice(None)] * (axis % made.ndim), slice(start, stop))], x)
        start = stop
    return made


def _filled(fill: Any) -> Callable[..., Any]:
    def function(prototype: Any, *args: Any, **kwargs: Any) -> Any:
        value = fill(plain(prototype), *[plain(a) for a in args], **{**kwargs, "subok": False})
        if any(isinstance(a, RecordedNumber | Recorded) for a in args):
            raise Refused("full_like of a value")
        made = _recorder.get().made(value)
        if fill is np.empty_like:
            plain(made)[...] = 0
        elif value.size:
            put(made, value.reshape(-1)[0])
        return made

    return function


def _dot(a: Any, b: Any) -> Any:
    a, b = np.ravel(a), np.ravel(b)
    if plain(a).dtype.kind != "f":
        raise Refused("vdot")
    return np.vecdot(a, b)


def _inner(a: Any, b: Any, out: Any = None) -> Any:
    if np.ndim(a) != 1 or np.ndim(b) != 1 or out is not None:
        raise Refused("dot")
    return _dot(a, b)


def _spread(array: Any, shape: Any, subok: bool = False) -> Any:
    value = plain(array)
    strides = np.broadcast_to(value, shape).strides
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if not isinstance(array, Recorded):
        _recorder.get().view(array)
    return np.lib.stride_tricks.as_strided(value, shape, strides).view(Recorded)


def _counted(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    recorder = _recorder.get()
    if weights is None or plain(x).dtype.char not in "lq" or plain(x).ndim != 1:
        raise Refused("bincount")
    value = np.bincount(np.clip(plain(x), 0, max(minlength - 1, 0)), plain(weights), minlength)
    weights = weights.astype(DOUBLE) if plain(weights).dtype != DOUBLE else weights
    made = recorder.made(value)
    put(made, 0.0)
    plain(made)[...] = value
    recorder.note(Count(recorder.view(made), recorder.view(x), recorder.view(weights)))
    return made


def constant(array: np.ndarray) -> Recorded:
    """An array that is always the same."""
    recorder = _recorder.get()
    recorder.view(array)
    return recorder.view(array).buffer.array.view(Recorded)


def _refused(*args: Any, **kwargs: Any) -> Any:
    raise Refused("a function that is not noted")


_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.where: lambda condition, *rest: _chosen(condition, *rest) if len(rest) == 2 else _refused(),
    np.concatenate: _joined,
    np.zeros_like: _filled(np.zeros_like),
    np.ones_like: _filled(np.ones_like),
    np.empty_like: _filled(np.empty_like),
    np.full_like: _filled(np.full_like),
    np.copyto: _copied_to,
    np.vdot: _dot,
    np.dot: _inner,
    np.take: _taken,
    np.broadcast_to: _spread,
    np.bincount: _counted,
    np.reshape: lambda a, shape, **options: a.reshape(shape, **options),
    np.copy: lambda a, order="K", subok=False: a.copy(order),
    np.array_equal: _refused,
    np.einsum: _refused,
    np.lexsort: _refused,
}
