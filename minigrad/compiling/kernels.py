"""A program as few functions of C, with what stays Python between them."""

import ctypes
import itertools
from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad import random
from minigrad.compiling.building import load
from minigrad.compiling.emitting import c_source
from minigrad.compiling.grouping import grouped, inside, may_fail, reads_of, writes_of
from minigrad.compiling.loops import addresses_of, trusted
from minigrad.compiling.looping import lowers_loops
from minigrad.compiling.lowering import results_of
from minigrad.compiling.recording import RecordedNumber, Recorder, Refused, copied, plain, view_of
from minigrad.compiling.statements import Assume, Buffer, Map, Number, Statement, View
from minigrad.compiling.straight import CERTAIN, Calls
from minigrad.errors.programs import note_equation, other_result
from minigrad.program import Equation, Literal, Variable
from minigrad.program.equations import normal

Run = Callable[..., tuple[Any, ...]]
MISFIT = "a kernel refuses the values it was made for"


class Misfit(Exception):  # noqa: N818  # no error: the program runs without C this time
    """A kernel has met something that it was not made for."""


class _Part(NamedTuple):
    """What the recording of one equation has come to."""

    statements: list[Statement]
    places: list[View]


class Lowered(NamedTuple):
    """A program with kernels.

    Attributes
    ----------
    run : callable
        As `straight_line` makes it; raises Misfit, and has changed nothing then.
    targets : mapping of Variable to Variable
        Of the targets that were asked for, those whose memory it writes to.
    fresh : set of Variable
        Outputs that have memory of their own, which nobody else knows.
    sources : list of str
        The kernels' C.
    steps : list of str
        The operations that stay steps of Python, and why.
    """

    run: Run
    targets: Mapping[Variable, Variable]
    fresh: set[Variable]
    sources: list[str]
    steps: list[str]


def lowered(
    name: str,
    equations: Sequence[Equation],
    inputs: Sequence[Variable],
    outputs: Sequence[Variable],
    values: Sequence[Any],
    plainly: Run,
    targets: Mapping[Variable, Variable],
) -> Lowered | str:
    """The equations with kernels of C; or why not.

    Parameters
    ----------
    inputs, values
        What is given, and examples of it, which have the forms and the layouts of all that will be given.
    plainly : callable
        The same without kernels: every kernel is run at once on the examples and on other numbers, and thrown away if
        one bit differs.
    """
    lowers_loops()
    if not trusted():
        return "objects of NumPy have another form in memory than is known"
    others = [_scrambled(value, i) for i, value in enumerate(values)]
    reasons: dict[int, str] = {}
    state = random.get_state()
    try:
        for _ in range(8):
            first = _recorded(equations, inputs, values, reasons)
            second = _recorded(equations, inputs, others, dict(reasons), first)
            differ = [i for i in first.parts if not _alike(first.parts[i], second.parts.get(i))]
            if not differ:
                break
            reasons.update(dict.fromkeys(differ, "what it does depends on values"))
        else:
            return "what its operations do depends on values"
        made = _Assembly(name, equations, inputs, outputs, first, reasons, targets)
        run = made.function()
    except Refused as refused:
        return str(refused)
    finally:
        random.set_state(state)
    varied = [_varied(value, i) for i, value in enumerate(values)]
    for example in (values, varied):
        difference = _difference(run, plainly, example, inputs, outputs, made.targets)
        if difference and not (example is varied and difference == MISFIT):
            return difference
    return Lowered(run, made.targets, made.fresh(), made.sources, [f"{equations[i].operation.name}: {why}" for i, why in sorted(reasons.items())])


def _is_numeric(value: Any) -> bool:
    return type(value) in (int, float) or (
        isinstance(value, np.ndarray | np.generic) and value.dtype.char in "?bBhHiIlLqQefdFD"
    )


# Recording


class _Recording(NamedTuple):
    parts: dict[int, _Part]
    places: dict[Variable, View]
    numbers: set[Variable]
    steps: dict[int, list[Any]]  # what steps of Python gave
    truths: list[bool]


def _recorded(
    equations: Sequence[Equation],
    inputs: Sequence[Variable],
    values: Sequence[Any],
    reasons: dict[int, str],
    first: _Recording | None = None,
) -> _Recording:
    """What can be written down of each equation; why others cannot goes to `reasons`.

    After a first recording this one is of any numbers, and operations are told the truths of the first one.  What it
    writes down is the same if nothing in it depends on values.
    """
    recorder = Recorder(None if first is None else first.truths)
    known: dict[Variable, Any] = {}
    found = _Recording({}, {}, set(), {}, recorder.truths)

    def keep(x: Variable, value: Any) -> None:
        known[x] = value
        found.places[x] = view_of(value)
        if isinstance(value, RecordedNumber):
            found.numbers.add(x)

    def take(x: Variable, value: Any) -> None:
        if _is_numeric(value):
            keep(x, recorder.given(value))
        else:  # something that operations hand on to one another
            known[x] = value
            found.places[x] = View(Buffer((-1, x.number), "opaque", np.empty(()), 0), 0, (), (), None)

    with recorder.equation(-1), np.errstate(all="ignore"):
        for x, value in zip(inputs, values, strict=True):
            take(x, value)
    for number, equation in enumerate(equations):
        operands = [known[x] if isinstance(x, Variable) else x.value for x in equation.inputs]
        with recorder.equation(number), np.errstate(all="ignore"):
            if number not in reasons:
                try:
                    results = results_of(equation, operands)
                    for x, value in zip(equation.outputs, results, strict=True):
                        keep(x, value)
                    found.parts[number] = _Part(recorder.statements, [found.places[x] for x in equation.outputs])
                    continue
                except Refused as refused:
                    reasons[number] = str(refused)
                except Exception as error:  # an operation of NumPy's that does not take what looks like an array
                    reasons[number] = f"{type(error).__name__}: {error}"
        with recorder.equation(number), np.errstate(all="ignore"):
            if first is None:
                found.steps[number] = _computed(equation, operands)
            elif number in first.steps:
                found.steps[number] = [_scrambled(value, number) for value in first.steps[number]]
            else:
                break  # what the first one could write down: that is a difference already
            for x, value in zip(equation.outputs, found.steps[number], strict=True):
                take(x, value)
    return found


def _computed(equation: Equation, operands: Sequence[Any]) -> list[Any]:
    """What it makes of the values."""
    made = equation.operation.primitive
    operands = [_as_value(x) for x in operands]
    result = made.forward(*operands, **equation.operation.params)
    return [normal(x) for x in (result if made.saves else (result,))]


def _as_value(x: Any) -> Any:
    value = plain(x)
    if isinstance(value, np.ndarray) and not value.ndim and value.dtype != bool:
        return value[()]
    return value


def _scrambled(value: Any, seed: int) -> Any:
    """Any numbers of the same form; whole ones between the least and the largest that there are."""
    rng = np.random.default_rng(seed)
    if type(value) in (int, float):
        return type(value)(value + 1 + 7 * rng.random())
    if not _is_numeric(value):
        return value
    array = np.asarray(value)
    made, _, _ = copied(array)  # with the same strides
    if array.dtype.kind in "fc":
        made[...] = 3 * rng.standard_normal(array.shape)
    elif array.dtype.kind == "b":
        made[...] = ~array if array.size < 8 else rng.integers(0, 2, array.shape)
    elif array.size:
        low, high = int(array.min()), int(array.max())
        made[...] = rng.integers(low, high, array.shape, endpoint=True) if high - low > 8 else np.roll(array, 1)
        if (made == array).all() and high < np.iinfo(array.dtype).max:
            made += array.dtype.type(1)
    return made if isinstance(value, np.ndarray) else made[()]


def _varied(value: Any, seed: int) -> Any:
    """Similar numbers: what is 0 or not finite stays, unless all is 0."""
    rng = np.random.default_rng(seed)
    if type(value) is float:
        return value * 0.9375
    if not isinstance(value, np.ndarray | np.generic) or value.dtype.kind not in "fc":
        return value
    array = np.asarray(value)
    made, _, _ = copied(array)
    with np.errstate(all="ignore"):
        made[...] = array * (1 + 0.25 * rng.random(array.shape))
    if array.size and not array.any():
        made[...] = rng.standard_normal(array.shape)
    return made if isinstance(value, np.ndarray) else made[()]


def _alike(a: _Part, b: _Part | None) -> bool:
    """Whether two recordings say the same."""
    if b is None or len(a.statements) != len(b.statements):
        return False
    return all(map(_same, a.statements, b.statements)) and all(map(_same, a.places, b.places))


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Buffer):
        if not isinstance(b, Buffer) or (a.name, a.kind, a.size, a.step) != (b.name, b.kind, b.size, b.step):
            return False
        if a.base is not None:
            return _same(a.base, b.base)
        return a.kind != "constant" or a.array.tobytes() == b.array.tobytes()
    if isinstance(a, Number):
        return isinstance(b, Number) and a.dtype == b.dtype and _bits(a.value) == _bits(b.value)
    if isinstance(a, tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(_same, a, b))
    return bool(a == b)


def _bits(x: Any) -> bytes:
    return np.asarray(x).tobytes()


# Assembly


class _Kernel(NamedTuple):
    numbers: list[int]


class _Assembly(Calls):
    """The text of a function of Python that calls kernels, and these."""

    def __init__(
        self,
        name: str,
        equations: Sequence[Equation],
        inputs: Sequence[Variable],
        outputs: Sequence[Variable],
        recording: _Recording,
        reasons: Mapping[int, str],
        targets: Mapping[Variable, Variable],
    ) -> None:
        super().__init__()
        self.program, self.equations, self.inputs, self.outputs = name, equations, inputs, outputs
        self.recording, self.steps = recording, set(reasons)
        self.targets = {x: t for x, t in targets.items() if self._may_be_written(x, t, targets)}
        self.sources: list[str] = []
        self.names |= {
            "np": np, "empty": np.empty, "array": np.ndarray, "normal": normal, "require": self._require,
            "note": self._note, "strided": np.lib.stride_tricks.as_strided, "Misfit": Misfit,
        }  # fmt: skip
        self._ends: list[int] = []
        self._numbers: list[int] = []
        self.given = {recording.places[x].buffer: x for x in inputs}
        self.made_by: dict[Variable, int] = {x: i for i, e in enumerate(equations) for x in e.outputs}

    def _may_be_written(self, x: Variable, target: Variable, targets: Mapping[Variable, Variable]) -> bool:
        """Whether nobody has a view of the target's memory that must stay as it is."""
        places = self.recording.places
        kept = {y for y in self.outputs if y not in targets}
        kept |= {y for i in self.steps for y in self.equations[i].inputs if isinstance(y, Variable)}
        return (
            any(x in equation.outputs for equation in self.equations)
            and x not in self.recording.numbers
            and (places[x].shape, places[x].dtype) == (places[target].shape, places[target].dtype)
            and all(places[y].buffer is not places[target].buffer for y in kept)
        )

    def function(self) -> Run:
        """The function."""
        order = self._order()
        if not any(isinstance(step, _Kernel) for step in order):
            raise Refused("nothing in it can be compiled")
        lines = [f"def run({', '.join(map(repr, self.inputs))}):", "    try:"]
        self._plan(order)
        for step in order:
            if isinstance(step, _Kernel):
                lines += self._kernel(step)
                number = step.numbers[0] if step.numbers else -1
            else:
                lines += self._step(step)
                number = step
            self._ends.append(len(lines))
            self._numbers.append(number)
        results = "".join(f"{self._value(x)}, " for x in self.outputs)
        lines += [f"        return ({results})", "    except Misfit:", "        raise"]
        lines += ["    except Exception as error:", "        note(error)", "        raise"]
        text = "\n".join([*lines, ""])
        exec(compile(text, f"<program of {self.program}>", "exec"), self.names)
        self.text = text
        run: Run = self.names["run"]
        return run

    def fresh(self) -> set[Variable]:
        """Outputs for which an array is made, of which no other value is a part."""
        places = [self.recording.places[x].buffer for x in self.needed_values]
        return {
            x for x in self.outputs
            if self.mains.get(self.recording.places[x].buffer) is x
            and places.count(self.recording.places[x].buffer) == 1
        }  # fmt: skip

    def _order(self) -> list[Any]:
        """Steps of Python as early as they can be, and all that is between them in one kernel each."""
        there: set[Any] = set(self.inputs)
        waiting = list(range(len(self.equations)))
        order: list[Any] = []

        def is_ready(i: int) -> bool:
            return all(x in there for x in self.equations[i].inputs if isinstance(x, Variable))

        while waiting:
            left = []
            for i in waiting:
                if i in self.steps and is_ready(i):
                    order.append(i)
                    there.update(self.equations[i].outputs)
                else:
                    left.append(i)
            waiting, left, numbers = left, [], []
            for i in waiting:
                if i not in self.steps and is_ready(i):
                    numbers.append(i)
                    there.update(self.equations[i].outputs)
                else:
                    left.append(i)
            waiting = left
            if numbers:
                order.append(_Kernel(numbers))
        if self.targets and not isinstance(order[-1], _Kernel):
            order.append(_Kernel([]))  # which writes to the targets
        return order

    def _plan(self, order: Sequence[Any]) -> None:
        """What each kernel computes, and which of its buffers are needed after it."""
        self.kernel_of: dict[Buffer, int] = {}
        self.units: dict[int, Any] = {}
        self.uses: dict[int, list[Buffer]] = {}
        needed_values = {x for x in self.outputs if x not in self.targets}
        for step in order:
            if not isinstance(step, _Kernel):
                needed_values.update(x for x in self.equations[step].inputs if isinstance(x, Variable))
        self.needed_values = needed_values
        outside = {self.recording.places[x].buffer for x in needed_values}
        kernels = [(k, step) for k, step in enumerate(order) if isinstance(step, _Kernel)]
        statements: dict[int, list[Statement]] = {}
        for k, step in kernels:
            statements[k] = [s for i in step.numbers for s in self.recording.parts[i].statements]
            if step is order[-1]:
                statements[k] = self._with_targets(statements[k])
            for statement in statements[k]:
                for x in writes_of(statement):
                    if x.buffer.kind != "row":
                        self.kernel_of.setdefault(x.buffer, k)
            for x in [x for i in step.numbers for x in self.equations[i].outputs]:
                self.kernel_of.setdefault(self.recording.places[x].buffer, k)  # of no elements
        for k, _ in kernels:
            for statement in statements[k]:
                for x in reads_of(statement):
                    if x.buffer.kind != "row" and self.kernel_of.get(x.buffer, k) != k:
                        outside.add(x.buffer)
        outside.update(self.recording.places[t].buffer for t in self.targets.values())
        self.outside = outside
        self.kernels: dict[int, tuple[list[Statement], int]] = {}
        for k, step in kernels:
            self.kernels[id(step)] = (living(statements[k], outside), k)
        # Which variable is all of a buffer that is needed.
        self.mains: dict[Buffer, Variable] = {}
        for x, place in self.recording.places.items():
            if place.buffer in outside and place.covers() and place.buffer not in self.mains and x in self.made_by:
                self.mains[place.buffer] = x
        self.named: dict[Variable, str] = {}

    def _with_targets(self, statements: list[Statement]) -> list[Statement]:
        """The last statements, with copies of results to where they belong; or with results that are made there."""
        places = self.recording.places
        others = {places[x].buffer for x in self.needed_values}
        for x, t in self.targets.items():
            source, target = places[x], places[t]
            made = [i for i, s in enumerate(statements) if any(v.buffer is source.buffer for v in writes_of(s))]
            later = statements[made[0] + 1 :] if made else []
            at_once = (
                made
                and source.covers()
                and source.strides == target.strides
                and source.buffer not in others
                and isinstance(statements[made[0]], Map)
                and not any(may_fail(s) or any(v.buffer is target.buffer for v in reads_of(s)) for s in later)
                and not any(inside(s) and any(v.buffer is source.buffer for v in reads_of(s)) for s in statements)
                and not any(places[other].buffer is source.buffer for other in self.targets if other is not x)
            )
            if at_once:
                statements = [_moved(s, source.buffer, target) for s in statements]
            else:
                statements = [*statements, Map("copy", target.dtype, None, target, (source,))]
        return statements

    def _kernel(self, step: _Kernel) -> list[str]:
        statements, k = self.kernels[id(step)]
        made = [b for b in self.outside if self.kernel_of.get(b) == k and b.kind == "made"]
        lines = [self._allocation(b) for b in made]
        if statements:
            lines += self._call(statements, made, k)
        lines += self._viewed(step, set(made))
        return lines

    def _call(self, statements: Sequence[Statement], made: Sequence[Buffer], k: int) -> list[str]:
        used = dict.fromkeys(x.buffer for s in statements for x in (*reads_of(s), *writes_of(s)))
        used = {b: None for b in used if b.kind != "row"}
        written = {x.buffer for s in statements for x in writes_of(s)}
        foreign = [b for b in used if b.kind != "made" or (b not in written and self.kernel_of.get(b, k) != k)]
        frame = [*foreign, *made]
        exact = {b: b.array.strides for b in foreign if b.kind == "given"}
        source, loops, memory = c_source(grouped(statements), frame, made, exact)
        library = load(source)
        if library is None:
            raise Refused("there is no compiler")
        addresses = [id(np.ndarray), *itertools.chain.from_iterable(map(addresses_of, loops))]
        library.bind((ctypes.c_void_p * len(addresses))(*addresses))
        function = library.run
        function.argtypes, function.restype = [ctypes.py_object], ctypes.c_ssize_t
        self.sources.append(source)
        call = self.name(function, "k")
        items = [self._item(b) for b in frame]
        if memory:
            pool: list[np.ndarray] = []
            name = self.name(pool, "pool")
            size = memory
            return [
                f"        arena = {name}.pop() if {name} else empty({size}, 'u1')",
                f"        if {call}(({', '.join(items)}, arena)): raise Misfit",
                f"        {name}.append(arena)",
            ]
        return [f"        if {call}(({', '.join(items)},)): raise Misfit"]

    def _item(self, buffer: Buffer) -> str:
        if buffer.kind == "constant":
            return self.name(buffer.array, "c")
        if buffer.kind == "given":
            x = self._source(buffer)
            return f"float({x!r})" if x in self.recording.numbers else repr(x)
        return self._buffer_name(buffer)

    def _source(self, buffer: Buffer) -> Variable:
        """The variable whose value a buffer has that is given."""
        if buffer in self.given:
            return self.given[buffer]
        found = next(
            x for i in self.steps for x in self.equations[i].outputs if self.recording.places[x].buffer is buffer
        )
        self.given[buffer] = found
        return found

    def _buffer_name(self, buffer: Buffer) -> str:
        main = self.mains.get(buffer)
        if main is not None and self.recording.places[main].place == self.recording.places[main].place:
            return f"{main!r}"
        return f"{buffer!r}".replace("-", "_")

    def _allocation(self, buffer: Buffer) -> str:
        """Memory for what a kernel makes: an array of the form of the variable that it is, or bytes."""
        name, main = self._buffer_name(buffer), self.mains.get(buffer)
        if main is None:
            return f"        {name} = empty({buffer.size}, 'u1')"
        place = self.recording.places[main]
        dtype = self.name(place.dtype, "d")
        if not place.shape and place.dtype != bool:
            return f"        {name} = {self.name(place.dtype.type, 't')}()"
        if place.strides == np.empty(place.shape, place.dtype).strides or 0 in place.shape:
            return f"        {name} = empty({place.shape}, {dtype})"
        order = sorted(range(len(place.shape)), key=lambda i: -place.strides[i] if place.shape[i] > 1 else 0)
        shape = tuple([place.shape[i] for i in order])
        back = tuple([order.index(i) for i in range(len(order))])
        return f"        {name} = empty({shape}, {dtype}).transpose({back})"

    def _viewed(self, step: _Kernel, made: set[Buffer]) -> list[str]:
        """Lines for the values that are views of others."""
        lines = []
        for i in step.numbers:
            for x in self.equations[i].outputs:
                if x not in self.needed_values:
                    continue
                place = self.recording.places[x]
                if x in self.recording.numbers:
                    lines.append(f"        {x!r} = float({self._item(place.buffer)})")
                elif self.mains.get(place.buffer) is not x:
                    lines.append(f"        {x!r} = {self._view(place)}")
        return lines

    def _view(self, place: View) -> str:
        buffer = place.buffer
        if buffer.kind == "given":
            source = self._source(buffer)
            base = self.recording.places[source]
            if base.place == place.place:
                return repr(source)
            name = repr(source) if buffer.array.ndim else f"np.asarray({source!r})"
            if not buffer.array.flags.c_contiguous:
                if place.offset or place.dtype != buffer.dtype:
                    raise Refused("a view of an array of an unusual layout is needed")
                return f"strided({name}, {place.shape}, {place.strides})"
        elif buffer.kind == "constant":
            raise Refused("a constant is a result")
        else:
            name = self._buffer_name(buffer)
            main = self.mains.get(buffer)
            if main is not None and self.recording.places[main].place == place.place:
                return name
            if main is not None and not self._is_contiguous(main):
                name = f"{name}.T" if self._is_contiguous_backwards(main) else ""
                if not name:
                    raise Refused("a view of an array of an unusual layout is needed")
        if 0 in place.shape:
            return f"empty({place.shape}, {self.name(place.dtype, 'd')})"
        scalar = "[()]" if not place.shape and place.dtype != bool else ""
        dtype = self.name(place.dtype, "d")
        return f"array({place.shape}, {dtype}, {name}, {place.offset}, {place.strides}){scalar}"

    def _is_contiguous(self, x: Variable) -> bool:
        place = self.recording.places[x]
        return bool(place.shape) and place.strides == np.empty(place.shape, place.dtype).strides

    def _is_contiguous_backwards(self, x: Variable) -> bool:
        place = self.recording.places[x]
        return place.strides[::-1] == np.empty(place.shape[::-1], place.dtype).strides

    def _value(self, x: Variable) -> str:
        """The name of a value."""
        return "None" if x in self.targets else repr(x)

    def _step(self, number: int) -> list[str]:
        """An operation that stays one of Python."""
        equation = self.equations[number]
        made, y = equation.operation.primitive, equation.outputs[0]
        targets = ", ".join(map(repr, equation.outputs))
        lines = [f"        {targets} = {self.call(equation)}"]
        is_number = isinstance(y.dtype, type) and y.dtype is not bool
        if not is_number and not (made.ours and made.facts.kind in CERTAIN):
            lines += [f"        {x!r} = require({number}, {i}, {x!r})" for i, x in enumerate(equation.outputs)]
        elif y.dtype in (bool, np.bool_) and not y.shape:
            lines += [f"        {targets} = normal({targets})"]
        return lines

    def _note(self, error: Exception) -> None:
        place = error.__traceback__
        assert place is not None
        number = bisect_left(self._ends, place.tb_lineno)
        if number < len(self._numbers):
            note_equation(error, self.program, self.equations[self._numbers[number]])

    def _require(self, number: int, position: int, value: Any) -> Any:
        value, equation = normal(value), self.equations[number]
        if not equation.outputs[position].fits(value):
            raise other_result(self.program, equation, value)
        return value


def _moved(statement: Statement, old: Buffer, new: View) -> Statement:
    """A statement that has another buffer in place of one, with the same layout."""

    def now(x: Any) -> Any:
        if isinstance(x, View):
            return x._replace(buffer=new.buffer, offset=x.offset + new.offset) if x.buffer is old else x
        if isinstance(x, tuple):
            return type(x)(*map(now, x)) if hasattr(x, "_fields") else tuple(map(now, x))
        return x

    return now(statement)  # type: ignore[no-any-return]  # of the same class


def living(statements: Sequence[Statement], needed: Collection[Buffer]) -> list[Statement]:
    """The statements on whose results something depends."""
    used = set(needed)
    kept = []
    for statement in reversed(statements):
        if isinstance(statement, Assume) or any(x.buffer in used for x in writes_of(statement)):
            kept.append(statement)
            used.update(x.buffer for x in reads_of(statement))
    return kept[::-1]


# Trust


def _difference(
    run: Run,
    plainly: Run,
    values: Sequence[Any],
    inputs: Sequence[Variable],
    outputs: Sequence[Variable],
    targets: Mapping[Variable, Variable],
) -> str:
    """Where the kernels give other bits than the program without them; empty if nowhere."""
    changed = {t: copied(np.asarray(v))[0] for t, v in zip(inputs, values, strict=True) if t in targets.values()}
    state = random.get_state()
    try:
        with np.errstate(all="ignore"):
            try:
                expected = plainly(*values)
            except Exception:  # other numbers may be none for which the function is defined
                return ""
            random.set_state(state)
            try:
                found = run(*[changed.get(x, v) for x, v in zip(inputs, values, strict=True)])
            except Misfit:
                return MISFIT
    finally:
        random.set_state(state)
    found = tuple([changed[targets[x]] if x in targets else y for x, y in zip(outputs, found, strict=True)])
    for x, a, b in zip(outputs, found, expected, strict=True):
        if not same_bits(a, b):
            return f"{x!r} differs"
    return ""


def same_bits(a: Any, b: Any) -> bool:
    """Whether two values are the same to the last bit; NaN is NaN."""
    if a is None or b is None or type(a) in (int, float) or type(b) in (int, float):
        return type(a) is type(b) and _bits(a) == _bits(b)
    a, b = np.asarray(a), np.asarray(b)
    if (a.shape, a.dtype) != (b.shape, b.dtype):
        return False
    if a.dtype.kind in "fc":
        both = np.isnan(a) & np.isnan(b)
        a, b = np.where(both, 0, a), np.where(both, 0, b)
    return bool(a.tobytes() == b.tobytes())
