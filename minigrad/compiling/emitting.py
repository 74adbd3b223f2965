"""Statements as C."""

from collections.abc import Mapping, Sequence
from typing import Any

from minigrad.compiling.elements import GroupWriter
from minigrad.compiling.expressions import C_TYPES, QUICK, literal, name_in_c
from minigrad.compiling.grouping import Group, Unit, statements_of, writes_of
from minigrad.compiling.loops import HEAD, ITEMS, POINTER, STRIDES, Loop
from minigrad.compiling.statements import (
    Accumulate,
    Assume,
    Buffer,
    Contract,
    Count,
    Pick,
    Reduce,
    View,
)
from minigrad.compiling.units import UnitsWriter, axes_of_reduction, placed

STACK = 1 << 14  # bytes of memory that a function takes from its stack
HEADER = """\
#include <stdint.h>
#include <stddef.h>
#define INF __builtin_inf()
#define sqrt(x) _Generic((x), float: __builtin_sqrtf, default: __builtin_sqrt)(x)
#define fabs(x) _Generic((x), float: __builtin_fabsf, default: __builtin_fabs)(x)
#define signbit(x) (_Generic((x), float: __builtin_signbitf, default: __builtin_signbit)(x) != 0)
typedef void (*loop)(char **, const ptrdiff_t *, const ptrdiff_t *, void *);
double pow(double, double);
float powf(float, float);
#define power(x, y) _Generic((x), float: powf, default: pow)(x, y)
static char *table[{size}];
void bind(char **values) {{ for (int i = 0; i < {size}; i++) table[i] = values[i]; }}
#define FAIL(condition) if (__builtin_expect_with_probability(!!(condition), 0, 1.0)) return 1;
#define ITEM(i) (*(char **)(frame + {items} + {pointer} * (i)))
#define DATA(x) (*(char **)((x) + {head}))
#define TYPE(x) (*(char **)((x) + {type}))
#define STRIDE(x, i) ((*(ptrdiff_t **)((x) + {strides}))[i])
"""


def c_source(
    units: Sequence[Unit],
    frame: Sequence[Buffer],
    needed: Sequence[Buffer],
    exact: Mapping[Buffer, Any],
) -> tuple[str, list[Loop], int]:
    """The source of a function `run`; the loops that it calls; and the bytes of memory that it needs.

    Parameters
    ----------
    frame : sequence of Buffer
        What the caller gives, in the order of the items of a tuple, before the memory that it needs.
    needed : sequence of Buffer
        Those of the frame that the kernel fills.
    exact : mapping of Buffer to tuple of int
        The strides that arrays of the frame must have.
    """
    writer = _Writer(units, frame, needed, exact)
    return writer.text(), list(writer.loops), writer.memory


class _Writer(UnitsWriter):
    def __init__(
        self, units: Sequence[Unit], frame: Sequence[Buffer], needed: Sequence[Buffer], exact: Mapping[Buffer, Any]
    ) -> None:
        super().__init__(units, needed)
        self.frame, self.exact = frame, exact
        self.loops: dict[Loop, int] = {}
        self.functions: dict[tuple[str, str], str] = {}  # by what they take and do
        self._local: dict[Buffer, str] | None = None  # what a function calls the buffers that it is given
        self.memory = 0
        self._names: dict[Buffer, str] = {buffer: f"f{i}" for i, buffer in enumerate(frame)}

    def text(self) -> str:
        body = self.body_of_all()
        places = self._placed()
        entry = self.captured(self._entry)
        start = [f"char *{name} = arena + {place};" for name, place in places]
        if self.memory and self.memory <= STACK:
            start.insert(0, f"char arena[{self.memory}] __attribute__((aligned(64)));")
            self.memory = 0
        elif self.memory:
            start.insert(0, f"char *arena = DATA(ITEM({len(self.frame)}));")
        header = HEADER.format(
            size=1 + 2 * len(self.loops), items=ITEMS, pointer=POINTER, head=HEAD, type=HEAD - POINTER, strides=STRIDES
        )
        lines = [*entry, *start, *body, "return 0;"]
        functions = [
            f"static __attribute__((noinline)) void {name}({heads}) {{\n  {text}\n}}\n"
            for (heads, text), name in self.functions.items()
        ]
        # Sources that differ in what they call must differ: each is one library, with one table.
        header += "".join(f"/* {number}: {loop.ufunc} {loop.types} */\n" for loop, number in self.loops.items())
        header += quick_functions("\n".join(text for _, text in self.functions))
        return "".join([header, *functions, "ptrdiff_t run(char *frame) {\n  ", "\n  ".join(lines), "\n}\n"])

    def _entry(self) -> None:
        """Where the arrays are, and whether they are as expected."""
        kinds, layouts, places = [], [], []
        for i, buffer in enumerate(self.frame):
            name, item, array = f"f{i}", f"ITEM({i})", buffer.array
            strides = self.exact.get(buffer)
            if not array.ndim or (strides is None and array.size == 1):  # perhaps a number, with its value in itself
                places.append(f"char *{name} = TYPE({item}) == table[0] ? DATA({item}) : {item} + {HEAD};")
                continue
            places.append(f"char *{name} = DATA({item});")
            if strides is None:
                continue
            kinds.append(f"TYPE({item}) != table[0]")
            layouts += [
                f"STRIDE({item}, {axis}) != {stride}"
                for axis, (n, stride) in enumerate(zip(array.shape, strides, strict=True))
                if n > 1 and array.size
            ]
            if array.dtype.alignment > 1:
                layouts.append(f"(size_t)DATA({item}) % {array.dtype.alignment}")
        # Without a branch for each: a compiler takes what comes after many of them for seldom, and spares itself.
        for conditions in (kinds, layouts):
            if conditions:
                self.lines.append(f"FAIL({' | '.join(f'({c})' for c in conditions)})")
        self.lines += places
        self._apart()

    def _apart(self) -> None:
        """What is written to for good must not be a part of something else that is given."""
        written = {x.buffer for unit in self.units for s in statements_of(unit) for x in writes_of(s)}
        given = [(f"f{i}", b) for i, b in enumerate(self.frame) if b.kind == "given" and b.size]
        for name, buffer in given:
            for other, second in given:
                if buffer in written and second is not buffer and (second not in written or name < other):
                    low = f"{name} - {buffer.origin} < {other} - {second.origin} + {second.size}"
                    high = f"{other} - {second.origin} < {name} - {buffer.origin} + {buffer.size}"
                    self.lines.append(f"overlap |= ({low}) & ({high});")
        if self.lines and self.lines[-1].startswith("overlap"):
            first = next(i for i, line in enumerate(self.lines) if line.startswith("overlap"))
            self.lines.insert(first, "int overlap = 0;")
            self.lines.append("FAIL(overlap)")

    def group(self, unit: Group, number: int) -> None:
        """A call of a function that computes the group: equal ones share theirs, and compilers like small ones."""
        self._local = {}
        text = "\n  ".join(self.captured(lambda: GroupWriter(self, unit, number).write()))
        used, self._local = self._local, None
        if not text:
            return
        heads = ", ".join(f"char *restrict {name}" for name in used.values())
        name = self.functions.setdefault((heads, text), f"g{len(self.functions)}")
        self.lines.append(f"{name}({', '.join(map(self.name, used))});")

    def assume(self, statement: Assume) -> None:
        truth = "!=" if statement.truth else "=="
        self.lines.append(f"FAIL(!({self.truth(statement.x)} {truth} 0))")

    def truth(self, view: View) -> str:
        return f"*(uint8_t *)({self.address(view)})"

    def whole(self, view: View) -> str:
        return f"*(int64_t *)({self.address(view)})"

    def begin_row(self, buffer: Buffer, row: str) -> None:
        assert buffer.base is not None
        self.lines.append(f"char *{self.name(buffer)} = {self.address(buffer.base)} + {row} * {buffer.step};")

    # Memory

    def name(self, buffer: Buffer) -> str:
        """The variable that has the address of a buffer."""
        if self._local is not None:
            return self._local.setdefault(buffer, f"p{len(self._local)}")
        if buffer not in self._names:
            self._names[buffer] = f"m{len(self._names)}"
        return self._names[buffer]

    def address(self, view: View, indices: Sequence[tuple[str, int]] = ()) -> str:
        """The address of an element, by the names of the indices and their strides."""
        parts = [self.name(view.buffer), *([str(view.offset)] if view.offset else [])]
        parts += [f"{name} * ({stride})" for name, stride in indices if stride]
        return " + ".join(parts)

    def _placed(self) -> list[tuple[str, int]]:
        """Where in the memory of the kernel its buffers lie."""
        inside = [b for b in self._names if b not in self.frame and b.kind != "row"]
        lives = [(min(self.spans[b]), max(self.spans[b]), self._names[b], -(-b.size // 64) * 64) for b in inside]
        places, self.memory = placed(lives)
        return places

    def pointer(self, loop: Loop) -> tuple[str, str]:
        """A loop of NumPy's as a function of C, and its data."""
        number = self.loops.setdefault(loop, len(self.loops))
        return f"((loop)table[{1 + 2 * number}])", f"table[{2 + 2 * number}]"

    # Statements

    def reduce(self, statement: Reduce) -> None:
        out, x = statement.out, statement.x
        if not out.buffer.array.size:
            return
        function, data = self.pointer(statement.loop)
        kind, initial = C_TYPES[out.dtype.char], statement.initial
        dims = axes_of_reduction(out, x)
        first = initial is None
        kept = [d for d in dims if not d[3]]
        if not first:
            with self.braces():
                names = self.loops_over([(n, s) for n, _, s, _ in kept])
                self.lines.append(f"*({kind} *)({self.address(out, names)}) = {literal(initial, out.dtype)};")
                self.close(len(names))
        if not x.buffer.array.size or 0 in x.shape:
            return
        with self.braces():
            if not dims:
                dims = [(1, 0, 0, True)]
            *outer, (n, step, out_step, gone) = dims
            counters = [f"i{i}" for i in range(len(outer))]
            for name, (length, _, _, _) in zip(counters, outer, strict=True):
                self.lines.append(f"for (ptrdiff_t {name} = 0; {name} < {length}; {name}++) {{")
            p = self.address(out, [(i, d[2]) for i, d in zip(counters, outer, strict=True)])
            q = self.address(x, [(i, d[1]) for i, d in zip(counters, outer, strict=True)])
            self.lines.append(f"char *p = {p}, *q = {q};")
            self.lines.append(f"ptrdiff_t n = {n}, s[3] = {{{out_step}, {step}, {out_step}}};")
            if first:
                # The first elements are copied, and left out of what follows.
                visits = " && ".join(f"!{i}" for i, d in zip(counters, outer, strict=True) if d[3]) or "1"
                count = "1" if gone else str(n)
                self.lines.append(f"if ({visits}) {{ for (ptrdiff_t j = 0; j < {count}; j++)")
                self.lines.append(f"*({kind} *)(p + j * ({out_step})) = *({kind} *)(q + j * ({step}));")
                self.lines.append(f"n -= {count}; q += {step if gone else 0}; }}")
            self.lines.append(f"char *a[3] = {{p, q, p}}; if (n > 0) {function}(a, &n, s, {data});")
            self.close(len(outer))

    def accumulate(self, statement: Accumulate) -> None:
        out, x, axis = statement.out, statement.x, statement.axis
        if 0 in out.shape:
            return
        function, data = self.pointer(statement.loop)
        kind, n = C_TYPES[out.dtype.char], out.shape[axis]
        outer = [i for i in range(len(out.shape)) if i != axis]
        with self.braces():
            indices = [name for name, _ in self.loops_over([(out.shape[i], 0) for i in outer])]
            p = self.address(out, [(name, out.strides[i]) for name, i in zip(indices, outer, strict=True)])
            q = self.address(x, [(name, x.strides[i]) for name, i in zip(indices, outer, strict=True)])
            step, source = out.strides[axis], x.strides[axis]
            self.lines.append(f"char *p = {p}, *q = {q}; *({kind} *)p = *({kind} *)q;")
            self.lines.append(f"ptrdiff_t n = {n - 1}, s[3] = {{{step}, {source}, {step}}};")
            self.lines.append(f"char *a[3] = {{p, q + {source}, p + {step}}}; if (n > 0) {function}(a, &n, s, {data});")
            self.close(len(outer))

    def contract(self, statement: Contract) -> None:
        views = (*statement.inputs, statement.out)
        if 0 in statement.out.shape:
            return
        function, data = self.pointer(statement.loop)
        shape = statement.out.shape
        outer, last = shape[:-1], shape[-1] if shape else 1
        with self.braces():
            names = self.loops_over([(n, 0) for n in outer])
            indices = [[(name, x.strides[i]) for i, (name, _) in enumerate(names)] for x in views]
            pointers = ", ".join(self.address(x, index) for x, index in zip(views, indices, strict=True))
            steps = [x.strides[-1] if shape else 0 for x in views]
            self.lines.append(f"char *a[] = {{{pointers}}};")
            self.lines.append(f"ptrdiff_t n[] = {{{', '.join(map(str, (last, *statement.lengths)))}}};")
            self.lines.append(f"ptrdiff_t s[] = {{{', '.join(map(str, (*steps, *statement.steps)))}}};")
            self.lines.append(f"{function}(a, n, s, {data});")
            self.close(len(names))

    def pick(self, statement: Pick) -> None:
        out, x = statement.out, statement.x
        if 0 in out.shape:
            return
        kind = C_TYPES[x.dtype.char]
        with self.braces():
            names = [f"i{axis}" for axis in range(len(out.shape))]
            waiting = list(enumerate(statement.places))
            # Each index is looked at in the outermost loop in which it is known.
            opened = 0
            for depth in range(len(names) + 1):
                for number, (view, length, _) in [*waiting]:
                    if not any(view.strides[depth:]):
                        index = C_TYPES[view.dtype.char]
                        at = self.address(view, [*zip(names, view.strides, strict=True)][:depth])
                        self.lines.append(f"ptrdiff_t p{number} = *({index} *)({at});")
                        self.lines.append(f"if (p{number} < 0) p{number} += {length};")
                        self.lines.append(f"FAIL((p{number} < 0) | (p{number} >= {length}))")
                        waiting = [w for w in waiting if w[0] != number]
                if depth < len(names):
                    name, n = names[depth], out.shape[depth]
                    self.lines.append(f"for (ptrdiff_t {name} = 0; {name} < {n}; {name}++) {{")
                    opened += 1
            picked = [(f"p{number}", stride) for number, (_, _, stride) in enumerate(statement.places)]
            source = self.address(x, [*zip(names, x.strides, strict=True), *picked])
            target = self.address(out, [*zip(names, out.strides, strict=True)])
            if statement.writes:
                source, target = target, source
            sign = "+=" if statement.adds else "="
            self.lines.append(f"*({kind} *)({target}) {sign} *({kind} *)({source});")
            self.close(opened)

    def count(self, statement: Count) -> None:
        out, places, weights = statement.out, statement.places, statement.weights
        with self.braces():
            self.lines.append(f"for (ptrdiff_t i = 0; i < {places.shape[0]}; i++) {{")
            at = self.address(places, [("i", places.strides[0])])
            self.lines.append(f"ptrdiff_t p = *({C_TYPES[places.dtype.char]} *)({at});")
            self.lines.append(f"FAIL((p < 0) | (p >= {out.shape[0]}))")
            target, source = self.address(out, [("p", 8)]), self.address(weights, [("i", weights.strides[0])])
            self.lines.append(f"*(double *)({target}) += *(double *)({source});")
            self.close(1)


def quick_functions(text: str) -> str:
    """Declarations of the functions of the C library that are used, as such that can be computed several at once."""
    used = [(name_in_c(name), n) for name, n in QUICK.items() if f"quick_{name_in_c(name)}(" in text]
    if not used:
        return ""
    lines = ["#if defined(__GNUC__) && !defined(__clang__)", '#define SIMD __attribute__((simd("notinbranch"), const))']
    lines += ["#else", "#define SIMD", "#endif"]
    for name, n in used:
        args = ", ".join(["x", "y"][:n])
        lines.append(
            f"SIMD float {name}f({', '.join(['float'] * n)}); SIMD double {name}({', '.join(['double'] * n)});"
        )
        lines.append(f"#define quick_{name}({args}) _Generic((x), float: {name}f, default: {name})({args})")
    return "\n".join([*lines, ""])
