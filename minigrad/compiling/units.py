"""Units of statements, gone through in order to be written as text: numbers, who uses what, and how loops lie."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from minigrad.compiling.grouping import Group, Unit, grouped, reads_of, statements_of, writes_of
from minigrad.compiling.statements import (
    Accumulate,
    Assume,
    Branch,
    Buffer,
    Contract,
    Count,
    Pick,
    Reduce,
    Repeat,
    View,
)


class UnitsWriter:
    """Lines of text for units, one after another.

    A subclass says what each kind of statement is in its language: `group`, `reduce`, `accumulate`, `contract`,
    `pick`, `count`, `assume`; and how it reads what loops and branches depend on.

    Attributes
    ----------
    counter : str
        What declares the index of a loop.
    lines : list of str
    inner : dict of int to list of list of Unit
        Of loops and branches, by their numbers, the units of their two parts.
    spans : dict of Buffer to set of int
        The numbers between which a buffer is used; in a loop it is used all the time.
    """

    counter = "ptrdiff_t"

    def __init__(self, units: Sequence[Unit], needed: Collection[Buffer]) -> None:
        self.units, self.needed = units, set(needed)
        self.lines: list[str] = []
        self.inner: dict[int, list[list[Unit]]] = {}
        self.spans: dict[Buffer, set[int]] = {}
        self._users: dict[Buffer, set[int]] = {}
        self._place = 0
        self._number(units)

    def _number(self, units: Sequence[Unit]) -> None:
        """Note which units use a buffer, in the order in which they are written."""
        for unit in units:
            number = self.next_number()
            if isinstance(unit, Repeat | Branch):
                parts = (unit.test, unit.body) if isinstance(unit, Repeat) else (unit.first, unit.second)
                self.inner[number] = [grouped(part) for part in parts]
                for part in self.inner[number]:
                    self._number(part)
                for x in (*reads_of(unit), *writes_of(unit)):
                    self.spans.setdefault(x.buffer, set()).update((number, self._place))
                for x in _own_reads(unit):
                    self._users.setdefault(x.buffer, set()).add(number)
                self.next_number()
                continue
            for statement in statements_of(unit):
                for x in (*reads_of(statement), *writes_of(statement)):
                    self._users.setdefault(x.buffer, set()).add(number)
                    self.spans.setdefault(x.buffer, set()).add(number)

    def next_number(self) -> int:
        """The number of the next unit, or of the end of a loop or a branch."""
        self._place += 1
        return self._place - 1

    def is_used_elsewhere(self, buffer: Buffer, number: int) -> bool:
        """Whether memory is needed by the caller, or by another unit than this one."""
        return buffer in self.needed or buffer.kind in ("row", "given") or self._users[buffer] != {number}

    def body_of_all(self) -> list[str]:
        """The lines of all units."""
        self._place = 0
        return self.captured(lambda: self.body(self.units))

    def body(self, units: Sequence[Unit]) -> None:
        """Write units."""
        for unit in units:
            number = self.next_number()
            if isinstance(unit, Group | Repeat | Branch):
                kind: Any = {Group: self.group, Repeat: self.repeat, Branch: self.branch}[type(unit)]
                kind(unit, number)
            else:
                kinds: Any = {
                    Reduce: self.reduce, Accumulate: self.accumulate, Contract: self.contract, Pick: self.pick,
                    Count: self.count, Assume: self.assume,
                }  # fmt: skip
                kinds[type(unit)](unit)

    def group(self, unit: Group, number: int) -> None:
        """Operations on elements in one loop."""
        raise NotImplementedError

    def repeat(self, unit: Repeat, number: int) -> None:
        """A loop over rows, or as long as something holds."""
        test, body = self.inner[number]
        k = f"k{number}"
        with self.braces():
            limit = "" if unit.limit is None else f" && {k} < {self.whole(unit.limit)}"
            head = f"{self.counter} {k} = 0; {k} < {unit.times}{limit}; {k}++" if unit.times is not None else ";;"
            self.lines.append(f"for ({head}) {{")
            for buffer in unit.rows:
                self.begin_row(buffer, k if not unit.reverse else f"({unit.times} - 1 - {k})")
            self.body(test)
            if unit.holds is not None:
                self.lines.append(f"if (!{self.truth(unit.holds)}) break;")
            self.body(body)
            self.close(1)
        self.next_number()

    def branch(self, unit: Branch, number: int) -> None:
        """The one or the other."""
        first, second = self.inner[number]
        self.lines.append(f"if ({self.truth(unit.holds)}) {{")
        self.body(first)
        self.lines.append("} else {")
        self.body(second)
        self.lines.append("}")
        self.next_number()

    def truth(self, view: View) -> str:
        """A single truth."""
        raise NotImplementedError

    def whole(self, view: View) -> str:
        """A single whole number."""
        raise NotImplementedError

    def begin_row(self, buffer: Buffer, row: str) -> None:
        """Say where a row lies, by its number."""
        raise NotImplementedError

    def reduce(self, statement: Reduce) -> None:
        """A reduction."""
        raise NotImplementedError

    def accumulate(self, statement: Accumulate) -> None:
        """Running results."""
        raise NotImplementedError

    def contract(self, statement: Contract) -> None:
        """A product of vectors or matrices."""
        raise NotImplementedError

    def pick(self, statement: Pick) -> None:
        """Elements by index."""
        raise NotImplementedError

    def count(self, statement: Count) -> None:
        """Sums by place."""
        raise NotImplementedError

    def assume(self, statement: Assume) -> None:
        """A truth on which the rest depends."""
        raise NotImplementedError

    # Text

    def captured(self, write: Callable[[], None]) -> list[str]:
        """The lines that a function writes."""
        before, self.lines = self.lines, []
        write()
        made, self.lines = self.lines, before
        return made

    def braces(self) -> "_Braces":
        """A block."""
        return _Braces(self.lines)

    def loops_over(self, dims: Sequence[tuple[int, int]]) -> list[tuple[str, int]]:
        """Begin loops over axes of these lengths: the names of the indices, with the strides."""
        names = []
        for i, (n, stride) in enumerate(dims):
            names.append((self.loop(f"i{i}", n), stride))
        return names

    def loop(self, name: str, length: int, begin: int = 0) -> str:
        """Begin a loop: the name of its index."""
        self.lines.append(f"for ({self.counter} {name} = {begin}; {name} < {length}; {name}++) {{")
        return name

    def close(self, count: int) -> None:
        """End so many loops."""
        self.lines += ["}"] * count


class _Braces:
    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def __enter__(self) -> None:
        self.lines.append("{")

    def __exit__(self, *_: object) -> None:
        self.lines.append("}")


def _own_reads(unit: Repeat | Branch) -> list[View]:
    """What a loop or a branch reads beside what its statements do."""
    bases = [b.base for b in unit.rows if b.base is not None] if isinstance(unit, Repeat) else []
    bases += [unit.limit] if isinstance(unit, Repeat) and unit.limit is not None else []
    return [*bases, *([unit.holds] if unit.holds is not None else [])]


def placed(lives: Sequence[tuple[int, int, str, int]]) -> tuple[list[tuple[str, int]], int]:
    """Places in one piece of memory, and its size: what lives at the same time lies apart.

    Each has the numbers of its first and last use, a name, and a size.
    """
    taken: list[tuple[int, int, int, int]] = []
    places, memory = [], 0
    for first, last, name, size in sorted(lives):
        busy = sorted((start, end) for f, l, start, end in taken if f <= last and l >= first)
        start = 0
        for low, high in busy:
            if start + size <= low:
                break
            start = max(start, high)
        taken.append((first, last, start, start + size))
        places.append((name, start))
        memory = max(memory, start + size)
    return places, memory


def axes_of(shape: Sequence[int], lead: View | None, views: Sequence[View]) -> list[tuple[int, tuple[int, ...]]]:
    """Axes, outermost first as they lie in `lead`, with the strides of views; neighbours that go on in all, as one."""
    if lead is None:
        return []
    axes = sorted([i for i, n in enumerate(shape) if n != 1], key=lambda i: -abs(lead.strides[i]))
    made: list[tuple[int, tuple[int, ...]]] = []
    for i in axes:
        n, steps = shape[i], tuple(v.strides[i] for v in views)
        if made and all(a == n * b for a, b in zip(made[-1][1], steps, strict=True)):
            made[-1] = (made[-1][0] * n, steps)
        else:
            made.append((n, steps))
    return made


def axes_of_reduction(out: View, x: View) -> list[tuple[int, int, int, bool]]:
    """Axes, outermost first, as NumPy orders them, by the strides of the operand.

    Each has a length, the strides of operand and result, and whether it goes.
    """
    axes = sorted(range(len(x.shape)), key=lambda i: -abs(x.strides[i]) if x.shape[i] > 1 else 0)
    made: list[tuple[int, int, int, bool]] = []
    for i in axes:
        n, step, out_step = x.shape[i], x.strides[i], out.strides[i]
        if n == 1:
            continue
        gone = out_step == 0
        if made and made[-1][1] == n * step and made[-1][2] == n * out_step and made[-1][3] == gone:
            made[-1] = (made[-1][0] * n, step, out_step, gone)
        else:
            made.append((n, step, out_step, gone))
    return made
