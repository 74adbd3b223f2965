"""A group of operations on elements as C: one loop over a shape, in stages where some are left to NumPy's loops."""

from collections.abc import Mapping, Sequence
from typing import Any

from minigrad.compiling.expressions import C_TYPES, expression, is_direct, literal
from minigrad.compiling.grouping import Group
from minigrad.compiling.statements import Map, Number, View
from minigrad.compiling.units import axes_of

TILE = 512  # elements that one of NumPy's loops computes at a time


class _Value:
    """What an operation of a group makes: where it is computed, and who needs it."""

    def __init__(self, number: int, statement: Map) -> None:
        self.number, self.statement = number, statement
        self.name, self.kind = f"t{number}", C_TYPES[statement.out.dtype.char]
        self.stage = 0
        self.kept = False  # as an array of a tile
        self.stored = False


class GroupWriter:
    """One loop over a shape: in stages, if some operations are left to NumPy's loops."""

    def __init__(self, writer: Any, group: Group, number: int) -> None:
        self.writer, self.group, self.number = writer, group, number
        self.lines = writer.lines
        self.shape = group.shape
        self.values: list[_Value] = []
        self.sources: list[list[Any]] = []  # of each value: other values, views of memory, numbers
        self.loaded: dict[Any, View] = {}
        self.early: dict[Any, str] = {}
        current: dict[Any, _Value] = {}
        last: dict[Any, _Value] = {}
        for statement in group.maps:
            value = _Value(len(self.values), statement)
            sources: list[Any] = []
            for x in statement.inputs:
                if isinstance(x, Number):
                    sources.append(x)
                    continue
                view = x.spread(self.shape)
                if view.place in current:
                    sources.append(current[view.place])
                else:
                    self.loaded[view.place] = view
                    sources.append(view)
            self.values.append(value)
            self.sources.append(sources)
            current[statement.out.place] = last[statement.out.place] = value
        for value in last.values():
            value.stored = writer.is_used_elsewhere(value.statement.out.buffer, number)
        self.written = {v.statement.out.place for v in self.values if v.stored}

    def write(self) -> None:
        """The lines of C."""
        if 0 in self.shape:
            return
        self._plan()
        views = [*self.loaded.values(), *(v.statement.out for v in self.values if v.stored)]
        dims = self._dims(views)
        *outer, inner = dims or [(1, tuple(0 for _ in views))]
        self.strides = {view.place: (*[d[1][i] for d in outer], inner[1][i]) for i, view in enumerate(views)}
        with self.writer.braces():
            names = self.writer.loops_over([(n, 0) for n, _ in outer])
            self.outer = [name for name, _ in names]
            self._hoist(inner[0])
            if self.stages == 1:
                self._stage(0, str(inner[0]), "0")
            else:
                self._tiled(inner[0])
            self.writer.close(len(names))

    def _hoist(self, length: int) -> None:
        """Load before the innermost loop what is the same in all of it."""
        self.hoisted: dict[Any, str] = {}
        for place, view in self.loaded.items():
            if length > 1 and not self.strides[place][-1] and place not in self.written:
                name = f"h{len(self.hoisted)}"
                self.lines.append(f"const {C_TYPES[view.dtype.char]} {name} = {self._memory(view, '0')};")
                self.hoisted[place] = name

    def _plan(self) -> None:
        """In which stage each value is computed: loops of NumPy's have stages of their own."""
        for value, sources in zip(self.values, self.sources, strict=True):
            own = is_direct(value.statement)
            stage = 0
            for source in sources:
                if isinstance(source, _Value):
                    # Even stages are of C, odd ones of NumPy's loops.
                    stage = max(stage, source.stage)
            value.stage = stage if (stage % 2 == 0) == own else stage + 1
        self.stages = max(v.stage for v in self.values) + 1
        if any(not is_direct(v.statement) for v in self.values):
            self.stages = max(self.stages, 2)
        for value, sources in zip(self.values, self.sources, strict=True):
            for source in sources:
                if isinstance(source, _Value) and (source.stage != value.stage or value.stage % 2):
                    source.kept = True
            if value.stage % 2:
                value.kept = True

    def _dims(self, views: Sequence[View]) -> list[tuple[int, tuple[int, ...]]]:
        """Axes with the strides of the views, as the first result lies in memory."""
        stored = [v.statement.out for v in self.values if v.stored]
        lead = stored[0] if stored else max(views, key=lambda v: sum(map(bool, v.strides)), default=None)
        return axes_of(self.shape, lead, views)

    # One stage without tiles, or one of several

    def _tiled(self, length: int) -> None:
        tile = min(TILE, length)
        early = [place for place in self.loaded if place in self.written]  # before something else is written there
        self.early = {place: f"e{i}" for i, place in enumerate(early)}
        arrays = [(v.kind, v.name) for v in self.values if v.kept and not self._is_direct_store(v)]
        arrays += [(C_TYPES[self.loaded[place].dtype.char], name) for place, name in self.early.items()]
        for kind, name in arrays:
            self.lines.append(f"{kind} {name}_[{tile}] __attribute__((aligned(64)));")
        conversions = self._conversions(tile)
        self.lines.append(f"for (ptrdiff_t j0 = 0; j0 < {length}; j0 += {tile}) {{")
        rest = f"j0 + {tile} <= {length} ? {tile} : {length} - j0" if length % tile else str(tile)
        self.lines.append(f"ptrdiff_t m = {rest};")
        if self.early:
            self.lines.append("for (ptrdiff_t j = 0; j < m; j++) {")
            for place, name in self.early.items():
                self.lines.append(f"{name}_[j] = {self._memory(self.loaded[place], 'j0 + j')};")
            self.lines.append("}")
        for stage in range(self.stages):
            if stage % 2 == 0:
                self._stage(stage, "m", "j0", conversions)
            else:
                for value, sources in zip(self.values, self.sources, strict=True):
                    if value.stage == stage:
                        self._call(value, sources, conversions)
        self.lines.append("}")

    def _conversions(self, tile: int) -> dict[Any, str]:
        """Tiles for operands of NumPy's loops that have another dtype in memory."""
        made: dict[Any, str] = {}
        for value, sources in zip(self.values, self.sources, strict=True):
            if value.stage % 2 == 0:
                continue
            for source in sources:
                dtype = _dtype_of(source)
                key = _key(source, value.statement.dtype)
                if not isinstance(source, Number) and dtype != value.statement.dtype and key not in made:
                    made[key] = f"c{len(made)}_"
                    kind = C_TYPES[value.statement.dtype.char]
                    self.lines.append(f"{kind} {made[key]}[{tile}] __attribute__((aligned(64)));")
        return made

    def _is_direct_store(self, value: _Value) -> bool:
        """Whether one of NumPy's loops writes where the result belongs."""
        return value.stored and value.stage % 2 == 1

    def _memory(self, view: View, index: str) -> str:
        steps = self.strides[view.place]
        indices = [*zip([*self.outer, f"({index})"], steps, strict=True)]
        return f"*({C_TYPES[view.dtype.char]} *)({self.writer.address(view, indices)})"

    def _operand(self, source: Any, stage: int, start: str) -> str:
        if isinstance(source, Number):
            return literal(source.value, source.dtype)
        if isinstance(source, _Value):
            if source.stage == stage:
                return source.name
            if self._is_direct_store(source):
                return self._memory(source.statement.out, f"{start} + j")
            return f"{source.name}_[j]"
        if source.place in self.hoisted:
            return self.hoisted[source.place]
        if source.place in self.early:
            return f"{self.early[source.place]}_[j]"
        return self._memory(source, "j" if start == "0" else f"{start} + j")

    def _local(self, known: dict[str, str], text: str, source: Any) -> str:
        """A variable for what is read from memory."""
        if not text.startswith("*"):
            return text
        if text not in known:
            known[text] = name = f"x{len(known)}"
            self.lines.append(f"const {C_TYPES[_dtype_of(source).char]} {name} = {text};")
        return known[text]

    def _stage(self, stage: int, count: str, start: str, conversions: Mapping[Any, str] | None = None) -> None:
        """Operations of C, in one loop."""
        here = [(v, s) for v, s in zip(self.values, self.sources, strict=True) if v.stage == stage]
        later = [
            (key, source)
            for value, sources in zip(self.values, self.sources, strict=True)
            if value.stage == stage + 1 and value.stage % 2
            for source in sources
            if (key := _key(source, value.statement.dtype)) in (conversions or {})
        ]
        if not here and not later:
            return
        self.lines.append('_Pragma("GCC ivdep")')
        self.lines.append(f"for (ptrdiff_t j = 0; j < {count}; j++) {{")
        known: dict[str, str] = {}
        for value, sources in here:
            # Each element is read once, into a variable: a compiler would take a second read for one that may not be.
            operands = [self._local(known, self._operand(source, stage, start), source) for source in sources]
            result = expression(value.statement, operands, [*map(_dtype_of, sources)])
            self.lines.append(f"{value.kind} {value.name} = {result};")
            if value.kept:
                self.lines.append(f"{value.name}_[j] = {value.name};")
            if value.stored:
                index = "j" if start == "0" else f"{start} + j"
                self.lines.append(f"{self._memory(value.statement.out, index)} = {value.name};")
        for key, source in dict(later).items():
            name = (conversions or {})[key]
            kind = C_TYPES[key[-1].char]
            self.lines.append(f"{name}[j] = ({kind}){self._operand(source, stage, start)};")
        self.lines.append("}")

    def _call(self, value: _Value, sources: Sequence[Any], conversions: Mapping[Any, str]) -> None:
        """One of NumPy's loops on a tile."""
        statement = value.statement
        assert statement.loop is not None
        function, data = self.writer.pointer(statement.loop)
        pointers, steps = [], []
        before = []
        for i, source in enumerate(sources):
            key = _key(source, statement.dtype)
            if isinstance(source, Number):
                kind = C_TYPES[statement.dtype.char]
                before.append(f"{kind} n{i} = {literal(source.value, statement.dtype)};")
                pointers.append(f"(char *)&n{i}")
                steps.append(0)
            elif key in conversions:
                pointers.append(f"(char *){conversions[key]}")
                steps.append(statement.dtype.itemsize)
            elif isinstance(source, _Value) and not self._is_direct_store(source):
                pointers.append(f"(char *){source.name}_")
                steps.append(source.statement.out.dtype.itemsize)
            elif not isinstance(source, _Value) and source.place in self.early:
                pointers.append(f"(char *){self.early[source.place]}_")
                steps.append(source.dtype.itemsize)
            else:
                view = source.statement.out if isinstance(source, _Value) else source
                pointers.append(f"(char *)&{self._memory(view, 'j0')}")
                steps.append(self.strides[view.place][-1])
        if self._is_direct_store(value):
            pointers.append(f"(char *)&{self._memory(statement.out, 'j0')}")
            steps.append(self.strides[statement.out.place][-1])
        else:
            pointers.append(f"(char *){value.name}_")
            steps.append(statement.out.dtype.itemsize)
        self.lines.append("{")
        self.lines += before
        self.lines.append(f"char *a[] = {{{', '.join(pointers)}}}; ptrdiff_t s[] = {{{', '.join(map(str, steps))}}};")
        self.lines.append(f"{function}(a, &m, s, {data});")
        self.lines.append("}")


def _dtype_of(source: Any) -> Any:
    if isinstance(source, _Value):
        return source.statement.out.dtype
    return source.dtype


def _key(source: Any, dtype: Any) -> Any:
    return (source.number if isinstance(source, _Value) else getattr(source, "place", None), dtype)
