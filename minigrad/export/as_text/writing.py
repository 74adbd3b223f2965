"""Statements as text of a language with the loops of C, element by element, in the order in which NumPy computes."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from itertools import count
from typing import Any

from minigrad.compiling.grouping import Group, grouped
from minigrad.compiling.statements import (
    Accumulate,
    Assume,
    Buffer,
    Contract,
    Count,
    Number,
    Pick,
    Reduce,
    View,
)
from minigrad.compiling.units import UnitsWriter, axes_of, axes_of_reduction
from minigrad.export.as_text.languages import Language
from minigrad.export.as_text.routine import Routine

PAIRWISE = ("add",)  # reductions along rows that NumPy makes in pairs


class RoutineWriter(UnitsWriter):
    """The lines of a routine.

    Parameters
    ----------
    routine : Routine
    language : Language
    names : mapping of Buffer to str
        What the caller calls the memory of arguments, results and state; single numbers stand for themselves.

    Attributes
    ----------
    arrays : dict of Buffer to str
        The names of what it computes in between.
    numbers : dict of Buffer to str
        Those of single numbers.
    constants : dict of Buffer to str
    """

    def __init__(self, routine: Routine, language: Language, names: Mapping[Buffer, str]) -> None:
        super().__init__(grouped(routine.statements), ())
        self.language, self.counter = language, language.counter
        self._fresh = count(1)
        self._names = dict(names)
        self._rows: dict[Buffer, str] = {}  # which row it is
        self.arrays: dict[Buffer, str] = {}
        self.numbers: dict[Buffer, str] = {}
        self.constants: dict[Buffer, str] = {}

    # Memory

    def element(self, view: View, indices: Sequence[tuple[str, int]] = ()) -> str:
        """An element, by the names of indices and their strides in bytes."""
        name, place = self._located(view, indices)
        return name if place is None else f"{name}[{place}]"

    def _located(self, view: View, indices: Sequence[tuple[str, int]]) -> tuple[str, str | None]:
        """The name of the memory, and the number of the element; None for a single number."""
        size = view.dtype.itemsize
        terms: list[tuple[str, int]] = []
        buffer, offset = view.buffer, view.offset
        while buffer.kind == "row":
            assert buffer.base is not None
            terms.append((self._rows[buffer], buffer.step))
            offset += buffer.base.offset
            buffer = buffer.base.buffer
        terms += indices
        name = self._name(buffer)
        if self._is_number(buffer):
            return name, None
        parts = [_times(text, stride // size) for text, stride in terms if stride]
        if offset or not parts:
            parts.append(str(offset // size))
        return name, " + ".join(parts)

    def _is_number(self, buffer: Buffer) -> bool:
        return not buffer.array.shape

    def _name(self, buffer: Buffer) -> str:
        if buffer in self._names:
            return self._names[buffer]
        if buffer.kind == "constant":
            if self._is_number(buffer):
                return self.language.number(buffer.array[()], buffer.array.dtype)
            self._names[buffer] = self.constants[buffer] = f"c{len(self.constants)}"
        elif self._is_number(buffer):
            self._names[buffer] = self.numbers[buffer] = f"s{len(self.numbers)}"
        else:
            self._names[buffer] = self.arrays[buffer] = f"m{len(self.arrays)}"
        return self._names[buffer]

    def spans_of_arrays(self) -> list[tuple[int, int, Buffer, str]]:
        """Of each array in between: the numbers of its first and last use, and its name."""
        return [(min(self.spans[b]), max(self.spans[b]), b, name) for b, name in self.arrays.items()]

    # Operations on elements

    def group(self, unit: Group, number: int) -> None:
        """One loop over a shape, in which what an operation makes goes on to the next as a local value."""
        if 0 in unit.shape:
            return
        last = {statement.out.place: statement for statement in unit.maps}
        stored = {id(s) for s in last.values() if self.is_used_elsewhere(s.out.buffer, number)}
        outs = [s.out for s in unit.maps if id(s) in stored]
        loaded = [x.spread(unit.shape) for s in unit.maps for x in s.inputs if isinstance(x, View)]
        views = list({view.place: view for view in (*outs, *loaded)}.values())
        lead = outs[0] if outs else max(views, key=lambda v: sum(map(bool, v.strides)), default=None)
        dims = axes_of(unit.shape, lead, views)
        strides = {view.place: [steps[i] for _, steps in dims] for i, view in enumerate(views)}
        names = [name for name, _ in self.loops_over([(n, 0) for n, _ in dims])]

        def at(view: View) -> str:
            return self.element(view, [*zip(names, strides[view.place], strict=True)])

        current: dict[Any, str] = {}
        for statement, is_read in zip(unit.maps, _read_later(unit), strict=True):
            operands = [
                self.language.number(x.value, x.dtype) if isinstance(x, Number)
                else current.get(x.spread(unit.shape).place) or at(x.spread(unit.shape))
                for x in statement.inputs
            ]  # fmt: skip
            text = self.language.expression(statement, operands, [x.dtype for x in statement.inputs])
            if is_read:
                current[statement.out.place] = name = f"t{next(self._fresh)}"
                self.lines.append(self.language.local(statement.out.dtype, name, text))
                text = name
            if id(statement) in stored:
                self.lines.append(f"{at(statement.out)} = {text};")
        self.close(len(names))

    # Reductions

    def reduce(self, statement: Reduce) -> None:
        """A reduction, with rows summed in pairs as NumPy sums them."""
        out, x, initial = statement.out, statement.x, statement.initial
        if not out.buffer.array.size:
            return
        dims = axes_of_reduction(out, x)
        if initial is not None:
            names = self.loops_over([(n, step) for n, _, step, gone in dims if not gone])
            self.lines.append(f"{self.element(out, names)} = {self.language.number(initial, out.dtype)};")
            self.close(len(names))
        if 0 in x.shape:
            return
        *outer, (length, step, out_step, gone) = dims or [(1, 0, 0, True)]
        indices = [i for i, _ in self.loops_over([(n, 0) for n, _, _, _ in outer])]
        to = [(i, d[2]) for i, d in zip(indices, outer, strict=True)]
        of = [(i, d[1]) for i, d in zip(indices, outer, strict=True)]

        def rows(first: bool) -> None:
            """What is in the outer loops; what comes first is copied, and from then on it is an operand."""
            if gone:
                self._reduce_row(statement, to, of, length, step, first)
                return
            j = self.loop("j", length)
            target, source = self.element(out, [*to, (j, out_step)]), self.element(x, [*of, (j, step)])
            value = source if first else self.language.two(statement.loop.ufunc, out.dtype, target, source)
            self.lines.append(f"{target} = {value};")
            self.close(1)

        begins = [i for i, d in zip(indices, outer, strict=True) if d[3]]
        if initial is None and begins:
            self.lines.append(f"if ({' && '.join(f'{i} == 0' for i in begins)}) {{")
            rows(first=True)
            self.lines.append("} else {")
            rows(first=False)
            self.lines.append("}")
        else:
            rows(first=initial is None)
        self.close(len(indices))

    def _reduce_row(self, statement: Reduce, to: Any, of: Any, length: int, step: int, first: bool) -> None:
        """A row of the operand, of which one element comes."""
        out, x, name = statement.out, statement.x, statement.loop.ufunc
        target, dtype, begin = self.element(out, to), out.dtype, int(first)
        if first:
            self.lines.append(f"{target} = {self.element(x, of)};")
        if length == begin:
            return
        if name in PAIRWISE and dtype.kind == "f":
            memory, place = self._located(x, of)
            size = step // dtype.itemsize
            after = f"{place} + {size}" if begin and place is not None else place
            total = self.language.pairwise(dtype, memory, after, length - begin, size)
            self.lines.append(f"{target} = {self.language.two(name, dtype, target, total)};")
            return
        j = self.loop("j", length, begin)
        source = self.element(x, [*of, (j, step)])
        self.lines.append(f"{target} = {self.language.two(name, dtype, target, source)};")
        self.close(1)

    def accumulate(self, statement: Accumulate) -> None:
        """Running results."""
        out, x, axis = statement.out, statement.x, statement.axis
        if 0 in out.shape:
            return
        outer = [i for i in range(len(out.shape)) if i != axis]
        names = [name for name, _ in self.loops_over([(out.shape[i], 0) for i in outer])]
        to = [(name, out.strides[i]) for name, i in zip(names, outer, strict=True)]
        of = [(name, x.strides[i]) for name, i in zip(names, outer, strict=True)]
        self.lines.append(f"{self.element(out, to)} = {self.element(x, of)};")
        if out.shape[axis] > 1:
            j = self.loop("j", out.shape[axis], 1)
            before = self.element(out, [*to, ("(j - 1)", out.strides[axis])])
            value = self.language.two(
                statement.loop.ufunc, out.dtype, before, self.element(x, [*of, (j, x.strides[axis])])
            )
            self.lines.append(f"{self.element(out, [*to, (j, out.strides[axis])])} = {value};")
            self.close(1)
        self.close(len(names))

    def contract(self, statement: Contract) -> None:
        """Products of vectors or matrices: each element is summed in the order of the terms."""
        out, (a, b) = statement.out, statement.inputs
        if 0 in out.shape:
            return
        outer = self.loops_over([(n, 0) for n in out.shape])
        at = [[(name, v.strides[i]) for i, (name, _) in enumerate(outer)] for v in (a, b, out)]
        if statement.loop.ufunc == "vecdot":
            with nullcontext() if outer else self.braces():
                self._dot(statement, at, statement.lengths[0], statement.steps)
            self.close(len(outer))
            return
        rows, length, columns = statement.lengths
        a_row, a_term, b_term, b_column, out_row, out_column = statement.steps
        r = self.loop("r", rows)
        at = [[*index, (r, step)] for index, step in zip(at, (a_row, 0, out_row), strict=True)]
        size = out.dtype.itemsize
        if columns > 1 and b_column == size and out_column == size:
            # Row by row of the second matrix, which compilers make many columns at once of.
            q = self.loop("q", columns)
            self.lines.append(f"{self.element(out, [*at[2], (q, size)])} = {self.language.number(0, out.dtype)};")
            self.close(1)
            j = self.loop("j", length)
            self.lines.append(self.language.local(out.dtype, "factor", self.element(a, [*at[0], (j, a_term)])))
            q = self.loop("q", columns)
            target = self.element(out, [*at[2], (q, size)])
            self._add_product(out.dtype, target, "factor", self.element(b, [*at[1], (j, b_term), (q, size)]))
            self.close(2)
        else:
            q = self.loop("q", columns)
            at = [[*index, (q, step)] for index, step in zip(at, (0, b_column, out_column), strict=True)]
            self._dot(statement, at, length, (a_term, b_term))
            self.close(1)
        self.close(1 + len(outer))

    def _dot(self, statement: Contract, at: Sequence[Any], length: int, steps: Sequence[int]) -> None:
        """One element: the sum of products of terms."""
        out, (a, b) = statement.out, statement.inputs
        self.lines.append(self.language.variable(out.dtype, "total", self.language.number(0, out.dtype)))
        j = self.loop("j", length)
        first, second = self.element(a, [*at[0], (j, steps[0])]), self.element(b, [*at[1], (j, steps[1])])
        self._add_product(out.dtype, "total", first, second)
        self.close(1)
        self.lines.append(f"{self.element(out, at[2])} = total;")

    def _add_product(self, dtype: Any, target: str, first: str, second: str) -> None:
        product = self.language.two("multiply", dtype, first, second)
        self.lines.append(f"{target} = {self.language.two('add', dtype, target, product)};")

    # Elements by index

    def pick(self, statement: Pick) -> None:
        """Elements at places, which are read, written, or added to."""
        out, x = statement.out, statement.x
        if 0 in out.shape:
            return
        names = [f"i{axis}" for axis in range(len(out.shape))]
        waiting = list(enumerate(statement.places))
        opened = 0
        found_at_once = any(not any(view.strides) for view, _, _ in statement.places)
        with self.braces() if found_at_once else nullcontext():
            for depth in range(len(names) + 1):
                for number, (view, length, _) in [*waiting]:
                    if not any(view.strides[depth:]):  # it is the same in the loops that are still to come
                        at = self.element(view, [*zip(names, view.strides, strict=True)][:depth])
                        self._checked(f"p{number}", at, length)
                        waiting = [w for w in waiting if w[0] != number]
                if depth < len(names):
                    self.loop(names[depth], out.shape[depth])
                    opened += 1
            picked = [(f"p{number}", stride) for number, (_, _, stride) in enumerate(statement.places)]
            source = self.element(x, [*zip(names, x.strides, strict=True), *picked])
            target = self.element(out, [*zip(names, out.strides, strict=True)])
            if statement.writes:
                source, target = target, source
            value = self.language.two("add", x.dtype, target, source) if statement.adds else source
            self.lines.append(f"{target} = {value};")
        self.close(opened)

    def _checked(self, name: str, index: str, length: int) -> None:
        """An index from the front, of which it is known that there is such an element."""
        self.lines.append(self.language.index(name, index, length))
        self.lines.append(self.language.unless(f"{name} >= 0 && {name} < {length}", "an index is out of range"))

    def count(self, statement: Count) -> None:
        """Sums of weights by place."""
        out, places, weights = statement.out, statement.places, statement.weights
        self.loop("j", places.shape[0])
        self._checked("p", self.element(places, [("j", places.strides[0])]), out.shape[0])
        target = self.element(out, [("p", out.strides[0])])
        weight = self.element(weights, [("j", weights.strides[0])])
        self.lines.append(f"{target} = {self.language.two('add', out.dtype, target, weight)};")
        self.close(1)

    # Truths, and rows of loops

    def assume(self, statement: Assume) -> None:
        """What the trace relied on."""
        text = self.element(statement.x)
        holds = text if statement.truth else f"!{text}"
        self.lines.append(self.language.unless(holds, "a value is none that the function was traced for"))

    def truth(self, view: View) -> str:
        """A single truth."""
        return self.element(view)

    whole = truth

    def begin_row(self, buffer: Buffer, row: str) -> None:
        """Say which row it is; its elements lie in the memory of all of them."""
        self._rows[buffer] = row


def _times(text: str, count: int) -> str:
    if count == 1:
        return text
    return f"{count} * {text}" if text[0] == "(" or text.isidentifier() else f"{count} * ({text})"


def _read_later(unit: Group) -> list[bool]:
    """Of each operation, whether another one of the group takes the result."""
    wanted: set[Any] = set()
    found = []
    for statement in reversed(unit.maps):
        found.append(statement.out.place in wanted)
        wanted.discard(statement.out.place)
        wanted.update(x.spread(unit.shape).place for x in statement.inputs if isinstance(x, View))
    return found[::-1]


def indented(lines: Sequence[str], depth: int = 1) -> str:
    """Lines of text, indented by their braces."""
    made = []
    for line in lines:
        depth -= line.startswith("}")
        made.append("  " * depth + line)
        depth += line.endswith("{")
    return "\n".join(made)
