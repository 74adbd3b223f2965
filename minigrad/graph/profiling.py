"""Where the time goes: operations, modules and lines of the program, forward and backward."""

from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any, Self, TypeAlias

import numpy as np

from minigrad import display
from minigrad.core import Node
from minigrad.diagnostics import Place
from minigrad.errors.functions import profile_of_a_call
from minigrad.graph import tables
from minigrad.graph.capture import operands_of
from minigrad.graph.contractions import Contractions
from minigrad.graph.held import memory_of
from minigrad.graph.tables import Path
from minigrad.graph.watching import Trace, Tracer, trace_of
from minigrad.settings import now

LINES = 15  # the longest that a table is printed

# An operation in a module, at a line: its name, the module, and the instruction with the identity of its code.
Key: TypeAlias = tuple[str, Path, tuple[int, int]]
NOWHERE = (0, 0)


@dataclass(frozen=True, slots=True)
class Timing:
    """How often something was computed, and how long it took.

    Attributes
    ----------
    name : str
        An operation, the path of a module, or a line as ``file:number`` with its text.
    count : int
        How many operations.
    forward, backward : float
        Seconds that their values took, and the derivatives of these.
    bytes : int
        New memory for the values, without what was given back since.
    own : float
        Of a module, the seconds in it without its parts; of others the same as `total`.
    """

    name: str
    count: int
    forward: float
    backward: float
    bytes: int
    own: float

    @property
    def total(self) -> float:
        """Seconds forward and backward."""
        return self.forward + self.backward


class profile(Tracer):
    """Measure every operation in a block, forward and backward, and print as a table where the time went.

    Operations that need no gradient count too.  The block also leaves its notes in the graph: `summary` and `draw` of
    a Tensor from inside, while it is there, show times, lines and modules.

    Parameters
    ----------
    memory : bool
        Measure the peak memory of the block too, with `tracemalloc`.  It slows all of Python down, operations on small
        arrays more than 20 times, so that the times then say little.

    Attributes
    ----------
    operations, lines : tuple of Timing
        From the longest time to the shortest.
    modules : tuple of Timing
        Each module before its parts, in the order of calls, with the calls of a module added up; at the end, with an
        empty name, what was in no module.  Empty if there was no module.
    wall : float
        Seconds from the beginning to the end of the block.
    overhead : float
        Those of them that were spent on measuring.  They are in `wall`, and in no other number.
    peak : int or None
        With ``memory=True``, how many bytes more than in the beginning there were at most.

    Notes
    -----
    Only operations of the thread that opened the block are measured.  Of a block in a block the inner one measures, and
    passes what it found on to the outer one in the end; under `recording` and other watchers, which are open inside,
    nothing is measured.  An exception that leaves the block, or is caught in it, does no harm; the operation that
    raised it is not counted.

    With ``create_graph=True`` the operations of the derivative are measured as operations themselves, at the line of
    the backward pass and in the module of the operation that they belong to, and not once more as its `backward`.
    ``backward`` of an operation that was computed before the block is at no line and in no module.

    To be watched takes an operation 4 or 5 µs.  The product of two numbers, with 0.8 µs, takes 6.5 times as long, that
    of 100,000 numbers 1.3 times; a training step of a small network (16 features) 1.5 times, of a larger one (256
    features) 1.2 times.  These times are counted as `overhead`, and not with the operations.

    NumPy's matrix products use several threads, which for small ones cost more than they give.  Where threadpoolctl is
    installed (the extra `threads`), the product that took longest is computed again when the profile is printed, with
    all threads and with one, and a line below the tables says so if one is quicker.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> from minigrad import graph
    >>> w = mg.tensor(np.ones((3, 2)), requires_grad=True)
    >>> with graph.profile() as measured:
    ...     for _ in range(10):
    ...         mg.tanh(np.ones((5, 3)) @ w).sum().backward()
    >>> sorted((line.name, line.count) for line in measured.operations)
    [('matmul', 10), ('sum', 10), ('tanh', 10)]
    """

    def __init__(self, memory: bool = False) -> None:
        super().__init__()
        if not isinstance(memory, bool):
            raise profile_of_a_call(memory)
        self.memory = memory
        self.wall = self.overhead = 0.0
        self.peak: int | None = None
        self._rows: dict[Key, list[int]] = {}  # count, ns forward, ns backward, bytes
        self._places: dict[tuple[int, int], Place] = {}
        self._contractions = Contractions()
        self._latest: tuple[Any, Path] = ((), ())  # the calls of the latest operation, and what path they are
        self._before: dict[Key, list[int]] = {}
        self._overhead_before = 0.0
        self._begun = 0
        self._meter: _PeakMeter | None = None

    def __enter__(self) -> Self:
        outer = now().watcher
        if not self.is_open:
            if isinstance(outer, Tracer):
                self._calls[:] = outer._calls
            self._before, self._overhead_before = {key: list(row) for key, row in self._rows.items()}, self.overhead
            if self.memory:
                self._meter = _PeakMeter(outer._meter if isinstance(outer, profile) else None)
            self._begun = perf_counter_ns()
        super().__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        ended, was_open = perf_counter_ns(), self.is_open
        super().__exit__(*exception)
        if not was_open or self.is_open:  # it was open twice
            return
        self.wall += (ended - self._begun) / 1e9
        if self._meter is not None:
            self.peak = max(self.peak or 0, self._meter.stop())
            self._meter = None
        if isinstance(outer := now().watcher, profile):
            outer._absorb(self)

    def computed(self, node: Node, begun: int) -> None:
        """Add an operation to the table."""
        arrived = perf_counter_ns()
        super().computed(node, begun)
        assert node.op is not None
        trace = trace_of(node)
        row = self._row(node.op.name, trace)
        row[0] += 1
        row[1] += arrived - begun
        if node.value.base is None or memory_of(node.value) not in map(memory_of, operands_of(node)):
            row[3] += node.value.nbytes
        self._contractions.note(node.op, node.args, arrived - begun)
        done = perf_counter_ns()
        self.overhead += (done - arrived) / 1e9
        self._since += done - begun  # to measure it is no part of the derivative that it may belong to

    def differentiating(self, node: Node | None) -> None:
        """Add the time since the last call to the operation that this was about."""
        arrived = perf_counter_ns()
        source = self._differentiated
        if source is not None:
            assert source.op is not None
            self._row(source.op.name, trace_of(source))[2] += arrived - self._since
        super().differentiating(node)
        self._since = perf_counter_ns()
        self.overhead += (self._since - arrived) / 1e9

    def _row(self, name: str, trace: Trace | None) -> list[int]:
        calls, place = ((), None) if trace is None else (trace.calls, trace.place)
        if calls is not self._latest[0]:
            self._latest = calls, tables.path_of(calls)
        where = NOWHERE
        if place is not None:
            where = id(place.code), place.instruction
            self._places[where] = place
        return self._rows.setdefault((name, self._latest[1], where), [0, 0, 0, 0])

    def _absorb(self, inner: "profile") -> None:
        """Add what a profile measured since its block was opened."""
        for key, row in inner._rows.items():
            mine, before = self._rows.setdefault(key, [0, 0, 0, 0]), inner._before.get(key, [0, 0, 0, 0])
            mine[:] = [a + b - c for a, b, c in zip(mine, row, before, strict=True)]
        self._places.update(inner._places)
        self._contractions.add(inner._contractions)
        self.overhead += inner.overhead - inner._overhead_before

    @property
    def operations(self) -> tuple[Timing, ...]:
        """The operations, those that took longest first."""
        return _sorted((name, row) for (name, _, _), row in self._rows.items())

    @property
    def lines(self) -> tuple[Timing, ...]:
        """The lines of the program, those that took longest first."""
        named = {where: str(place) for where, place in self._places.items()}
        return _sorted((named.get(where, ""), row) for (_, _, where), row in self._rows.items())

    @property
    def modules(self) -> tuple[Timing, ...]:
        """The modules, each before its parts."""
        return tuple(timing for _, timing in self._branches())

    def _branches(self) -> list[tuple[Path, Timing]]:
        own: dict[Path, np.ndarray] = {}
        for (_, path, _), row in self._rows.items():
            own[path] = own.get(path, 0) + np.array(row)
        if not any(own):
            return []
        branches = tables.tree(own)
        return [(path, _timing(tables.dotted(path), total, alone)) for path, alone, total in branches]

    def __repr__(self) -> str:
        count = sum(row[0] for row in self._rows.values())
        return f"<profile: {count:,} operations, {tables.seconds(self.wall)}>"

    def _remark(self) -> str:
        inside = sum(timing.total for timing in self.operations)
        parts = [
            f"{tables.seconds(self.wall)} in all: {tables.percent(inside, self.wall)} in operations, "
            f"{tables.percent(self.overhead, self.wall)} on measuring them, the rest in Python between them"
        ]
        if self.peak is not None:
            parts.append(f"at most {display.memory(self.peak)} more memory than in the beginning")
        if remark := self._contractions.remark():
            parts.append(remark)
        return "\n".join(parts)

    def _tables(self) -> list[tuple[list[str], list[list[str]]]]:
        operations, lines, branches = self.operations, self.lines, self._branches()
        whole = sum(timing.total for timing in operations)
        header = ["count", "forward", "backward", "total", "share", "memory made"]

        def cells(name: str, timing: Timing, *more: str) -> list[str]:
            times = map(tables.seconds, (timing.forward, timing.backward, timing.total))
            share = tables.percent(timing.total, whole)
            return [name, f"{timing.count:,}", *times, share, display.memory(timing.bytes), *more]

        def longest(timings: tuple[Timing, ...]) -> list[list[str]]:
            rows = [cells(_brief(timing.name), timing) for timing in timings[:LINES]]
            left = len(timings) - LINES
            return rows + ([[f"... {left:,} more ...", *[""] * len(header)]] if left > 0 else [])

        parts = [(["operation", *header], longest(operations))]
        if branches:
            rows = [cells(tables.indented(path), timing, tables.seconds(timing.own)) for path, timing in branches]
            parts.append((["module", *header, "own time"], rows))
        parts.append((["line", *header], longest(lines)))
        return parts

    def __str__(self) -> str:
        if not self._rows:
            return self.__repr__()
        return "\n\n".join([*(tables.aligned(header, rows) for header, rows in self._tables()), self._remark()])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        def html() -> str:
            remark = f"<div>{display.escaped(self._remark())}</div>"
            return "".join(display.table(rows, header) for header, rows in self._tables()) + remark

        return display.mimebundle(self.__str__, include, exclude, html=html)


class _PeakMeter:
    """The peak of what `tracemalloc` counts, also if another one is started and stopped meanwhile."""

    def __init__(self, outer: "_PeakMeter | None") -> None:
        import tracemalloc  # only who asks for it pays for it

        self.outer, self.tracemalloc = outer, tracemalloc
        self.starts = not tracemalloc.is_tracing()
        if self.starts:
            tracemalloc.start()
        if outer is not None:
            outer.note()
        tracemalloc.reset_peak()
        self.begun = self.highest = tracemalloc.get_traced_memory()[0]

    def note(self) -> None:
        """Remember the peak until now."""
        self.highest = max(self.highest, self.tracemalloc.get_traced_memory()[1])

    def stop(self) -> int:
        """How much higher than the beginning the peak was."""
        self.note()
        if self.outer is not None:
            self.outer.note()
        if self.starts:
            self.tracemalloc.stop()
        return self.highest - self.begun


def _timing(name: str, row: Any, own: Any) -> Timing:
    count, forward, backward, size = row
    return Timing(name, int(count), forward / 1e9, backward / 1e9, int(size), (own[1] + own[2]) / 1e9)


def _sorted(rows: Any) -> tuple[Timing, ...]:
    """One timing for each name, the longest first."""
    sums: dict[str, list[int]] = {}
    for name, row in rows:
        sums[name] = [a + b for a, b in zip(sums.get(name, (0, 0, 0, 0)), row, strict=True)]
    return tuple(sorted((_timing(name, row, row) for name, row in sums.items()), key=lambda timing: -timing.total))


def _brief(name: str) -> str:
    """A line without the folder of its file."""
    place, mark, text = name.partition(" `")
    place = place.replace("\\", "/").rpartition("/")[2]
    return (place + mark + (text if len(text) <= 48 else text[:46] + "…`")) or "(before the block)"
