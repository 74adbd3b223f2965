"""What the numbers of graphs have in common when they are printed: units, columns, and modules as a tree."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from minigrad.graph.watching import Call

# The way to a module: the name in its parent, and the class, of every module on it.
Path: TypeAlias = tuple[tuple[str, str], ...]


def seconds(duration: float) -> str:
    """A time, with a unit.

    Examples
    --------
    >>> seconds(1.5e-6), seconds(0.02), seconds(75.0)
    ('1.5 µs', '20 ms', '75 s')
    """
    for factor, unit in ((1e9, "ns"), (1e6, "µs"), (1e3, "ms")):
        if duration * factor < 999.5:
            return f"{duration * factor:.3g} {unit}"
    return f"{duration:.3g} s" if duration < 999.5 else f"{duration:,.0f} s"


def amount(number: float) -> str:
    """A count, with a prefix if it is a large one.

    Examples
    --------
    >>> amount(1234), amount(2.5e9)
    ('1,234', '2.5 G')
    """
    for factor, prefix in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M")):
        if number >= factor:
            return f"{number / factor:.4g} {prefix}"
    return f"{number:,.0f}"


def percent(part: float, whole: float) -> str:
    """A share of a whole.

    Examples
    --------
    >>> percent(1, 3), percent(1, 0)
    ('33.3 %', '-')
    """
    return f"{100 * part / whole:.1f} %" if whole else "-"


def aligned(header: Sequence[str], rows: Iterable[Sequence[str]], last: Sequence[str] = ()) -> str:
    """A table as text: the first column to the left, the others to the right, and a line of sums under a rule."""
    body = list(rows)
    lines = [list(header), *map(list, body), *([list(last)] if last else [])]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    text = [
        "  ".join([f"{line[0]:{widths[0]}}", *(f"{cell:>{n}}" for cell, n in zip(line[1:], widths[1:], strict=True))])
        for line in lines
    ]
    rule = "-" * len(text[0])
    foot = [rule, text.pop()] if last else []
    return "\n".join([text[0], rule, *text[1:], *foot])


def path_of(calls: tuple[Call, ...]) -> Path:
    """The way to a module, however many times it was called on it."""
    return tuple([(call.name, call.kind) for call in calls])


def dotted(path: Path) -> str:
    """The way to a module in a word, as in ``Sequential.0``; empty for none."""
    return ".".join([name or kind for name, kind in path])


def tree(own: Mapping[Path, Sequence[float] | np.ndarray]) -> list[tuple[Path, np.ndarray, np.ndarray]]:
    """Modules with what is theirs alone, and that together with their parts': each before its parts, in given order.

    Modules that are on the way to others come in even if nothing is their own.  What is in no module comes last.
    """
    alone: dict[Path, np.ndarray] = {}
    total: dict[Path, np.ndarray] = {}
    children: dict[Path, list[Path]] = {}
    for path, numbers in own.items():
        for i in range(len(path) + 1):
            known = path[:i]
            if known not in total:
                total[known] = alone[known] = np.zeros(len(numbers))
                if i:
                    children.setdefault(path[: i - 1], []).append(known)
            total[known] = total[known] + numbers
        alone[path] = alone[path] + numbers
    lines, stack = [], list(reversed(children.get((), [])))
    while stack:
        path = stack.pop()
        lines.append((path, alone[path], total[path]))
        stack += reversed(children.get(path, []))
    return lines + ([((), alone[()], alone[()])] if () in own else [])


def indented(path: Path) -> str:
    """The last part of the way to a module, as far to the right as the way is long."""
    if not path:
        return "(in no module)"
    name, kind = path[-1]
    return "  " * (len(path) - 1) + (f"{name}: {kind}" if name else kind)
