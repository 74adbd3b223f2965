"""A program as a function of Python that calls kernels, and what they are made of."""

import ctypes
import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.compiling.building import load
from minigrad.compiling.emitting import c_source
from minigrad.compiling.expressions import QUICK
from minigrad.compiling.grouping import Group, Unit, grouped, inside, may_fail, reads_of, writes_of
from minigrad.compiling.loops import addresses_of
from minigrad.compiling.noting import Recording
from minigrad.compiling.recording import Refused
from minigrad.compiling.statements import Assume, Branch, Buffer, Map, Repeat, Statement, View
from minigrad.compiling.straight import Steps
from minigrad.program import Equation, Variable

Run = Callable[..., tuple[Any, ...]]


class Misfit(Exception):  # noqa: N818  # no error: the program runs without C this time
    """A kernel has met something that it was not made for."""


class _Kernel(NamedTuple):
    numbers: list[int]


class Assembly(Steps):
    """The text of a function of Python that calls kernels, and these."""

    def __init__(
        self,
        name: str,
        equations: Sequence[Equation],
        inputs: Sequence[Variable],
        outputs: Sequence[Variable],
        recording: Recording,
        reasons: Mapping[int, str],
        targets: Mapping[Variable, Variable],
        quick: bool = False,
    ) -> None:
        super().__init__(name, equations)
        self.quick, self.inputs, self.outputs = quick, inputs, outputs
        self.recording, self.steps = recording, set(reasons)
        self.targets = {x: t for x, t in targets.items() if self._may_be_written(x, t, targets)}
        self.sources: list[str] = []
        self.parts: dict[int, tuple[str, ...]] = {}  # of equations: the kernel and the loop that computes them
        self.names |= {
            "np": np, "empty": np.empty, "array": np.ndarray, "strided": np.lib.stride_tricks.as_strided,
            "Misfit": Misfit,
        }  # fmt: skip
        self.given = {recording.places[x].buffer: x for x in inputs}
        self.made_by: dict[Variable, int] = {x: i for i, e in enumerate(equations) for x in e.outputs}

    def _may_be_written(self, x: Variable, target: Variable, targets: Mapping[Variable, Variable]) -> bool:
        """Whether nobody has a view of the target's memory that must stay as it is."""
        places = self.recording.places
        kept = {y for y in self.outputs if y is not x}  # also what goes to other targets
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
                lines += self.step(step)
                number = step
            self.ended(lines, number)
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
            statements[k] = numbers_first([s for i in step.numbers for s in self.recording.parts[i].statements])
            if self.quick:
                statements[k] = quickly(statements[k])
            if step is order[-1]:
                statements[k] = self._with_targets(statements[k])
            for statement in statements[k]:
                for x in writes_of(statement):
                    if x.buffer.kind != "row":
                        self.kernel_of.setdefault(x.buffer, k)
            for i in step.numbers:
                for place in self.recording.parts[i].places:
                    self.kernel_of.setdefault(place.buffer, k)  # of no elements
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
        for made, place in self.recording.places.items():
            if place.buffer in outside and place.covers() and place.buffer not in self.mains and made in self.made_by:
                self.mains[place.buffer] = made

    def _with_targets(self, statements: list[Statement]) -> list[Statement]:
        """The last statements, with copies of results to where they belong; or with results that are made there."""
        places = self.recording.places
        others = {places[x].buffer for x in self.needed_values}
        moves: dict[Buffer, View] = {}
        copies: list[Statement] = []
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
                moves[source.buffer] = target
            else:
                copies.append(Map("copy", target.dtype, None, target, (source,)))
        return [*(_moved(s, moves) for s in statements), *copies]

    def _kernel(self, step: _Kernel) -> list[str]:
        statements, k = self.kernels[id(step)]
        made = [b for b in self.outside if self.kernel_of.get(b) == k and b.kind == "made"]
        made.sort(key=lambda b: b.name)  # so that the source is the same in every process
        lines = [self._allocation(b) for b in made]
        if statements:
            lines += self._call(statements, made, k)
            for number in step.numbers:
                self.parts.setdefault(number, (f"kernel {len(self.sources)}",))
        lines += self._viewed(step, set(made))
        return lines

    def _call(self, statements: Sequence[Statement], made: Sequence[Buffer], k: int) -> list[str]:
        used = dict.fromkeys(x.buffer for s in statements for x in (*reads_of(s), *writes_of(s)))
        used = {b: None for b in used if b.kind != "row"}
        written = {x.buffer for s in statements for x in writes_of(s)}
        foreign = [b for b in used if b.kind != "made" or (b not in written and self.kernel_of.get(b, k) != k)]
        frame = [*foreign, *made]
        exact = {b: b.array.strides for b in foreign if b.kind == "given"}
        units = grouped(statements)
        self._note_parts(units)
        source, loops, memory = c_source(units, frame, made, exact)
        library = load(source, optional=self.quick)
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

    def _note_parts(self, units: Sequence[Unit]) -> None:
        """Note in which loop each equation is computed: that of its last operation on elements."""
        number_of = {self.recording.places[t].buffer: self.made_by[x] for x, t in self.targets.items()}
        for number, part in self.recording.parts.items():
            number_of |= {x.buffer: number for statement in part.statements for x in writes_of(statement)}
        loops = [unit for unit in units if isinstance(unit, Group)]
        for i, group in enumerate(loops):
            for statement in group.maps:
                if statement.out.buffer in number_of:
                    place = (f"kernel {len(self.sources) + 1}", f"loop {i + 1}")
                    self.parts[number_of[statement.out.buffer]] = place

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
                    lines += [*self._layout(place.buffer), f"        {x!r} = {self._view(place)}"]
        return lines

    def _layout(self, buffer: Buffer) -> list[str]:
        """A line that looks whether a given array lies in memory as the first one did, of which a view is made."""
        if buffer.kind != "given" or not buffer.array.ndim:
            return []
        return [f"        if {self._source(buffer)!r}.strides != {buffer.array.strides}: raise Misfit"]

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


def quickly(statements: Sequence[Statement]) -> list[Statement]:
    """The statements with functions of the C library in place of NumPy's loops."""
    return [_quick(statement) for statement in statements]


def _quick(x: Any) -> Any:
    if isinstance(x, Map):
        fits = x.loop is not None and x.operation in QUICK and x.dtype.char in "fd"
        fits = fits and (x.operation, x.dtype.char) != ("log", "f")  # which is 6 units off near 1
        return x._replace(operation=f"quick {x.operation}", loop=None) if fits else x
    if isinstance(x, Repeat):
        return x._replace(test=tuple(map(_quick, x.test)), body=tuple(map(_quick, x.body)))
    if isinstance(x, Branch):
        return x._replace(first=tuple(map(_quick, x.first)), second=tuple(map(_quick, x.second)))
    return x


def numbers_first(statements: Sequence[Statement]) -> list[Statement]:
    """The statements with those first that look at single numbers alone: what fails should fail before much is done."""
    early: list[Statement] = []
    rest: list[Statement] = []
    late: set[Buffer] = set()  # what the rest reads or writes
    for statement in statements:
        views = (*reads_of(statement), *writes_of(statement))
        single = isinstance(statement, Map | Assume) and all(not x.shape for x in views)
        if single and late.isdisjoint(x.buffer for x in views):
            early.append(statement)
        else:
            rest.append(statement)
            late.update(x.buffer for x in writes_of(statement))
            late.update(x.buffer for x in reads_of(statement) if x.buffer.kind == "made")
    return [*early, *rest]


def _moved(statement: Statement, moves: Mapping[Buffer, View]) -> Statement:
    """A statement that has other buffers in place of some, with the same layouts."""

    def now(x: Any) -> Any:
        if isinstance(x, View):
            new = moves.get(x.buffer)
            return x if new is None else x._replace(buffer=new.buffer, offset=x.offset + new.offset)
        if isinstance(x, tuple):
            return type(x)(*map(now, x)) if hasattr(x, "_fields") else tuple(map(now, x))
        return x

    return now(statement) if moves else statement


def living(statements: Sequence[Statement], needed: Collection[Buffer]) -> list[Statement]:
    """The statements on whose results something depends."""
    used = set(needed)
    kept = []
    for statement in reversed(statements):
        if isinstance(statement, Assume) or any(x.buffer in used for x in writes_of(statement)):
            kept.append(statement)
            used.update(x.buffer for x in reads_of(statement))
    return kept[::-1]
