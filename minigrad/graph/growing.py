"""Finding the line that makes a graph grow from one step of a loop to the next."""

import warnings
from typing import NamedTuple, Self, TypeAlias
from weakref import WeakSet

from minigrad import display
from minigrad.core import Node, notes_of
from minigrad.diagnostics import Place, user_place
from minigrad.errors.words import at
from minigrad.graph.held import held_by
from minigrad.graph.watching import Trace, Watcher, trace_of
from minigrad.options import whole_number

# An operation, and the place that called it.
_Line: TypeAlias = tuple[str, Place | None]


class GrowthWarning(UserWarning):
    """A graph grows from step to step, and with it the memory that it takes."""


class Growth(NamedTuple):
    """What a `growth` block found: a line that keeps every step's graph alive.

    Attributes
    ----------
    place : Place or None
        The line: it hangs the graph of a step on that of the step before, or made what somebody keeps.
    operation : str
        The operation that it called.
    linked : bool
        Whether it hangs one step's graph on another's.
    step : int
        In which step it was found, from 0.
    nodes, bytes : int
        What was alive of earlier steps.
    """

    place: Place | None
    operation: str
    linked: bool
    step: int
    nodes: int
    bytes: int

    def __str__(self) -> str:
        line = f"{self.operation}{at(self.place)}"
        found = f"a graph grows from step to step: {self.nodes:,} nodes and {display.memory(self.bytes)} of earlier "
        found += f"steps are alive after step {self.step + 1:,}. "
        if self.linked:
            return (
                f"{found}{line} takes a result of an earlier step, and so keeps all that this was computed from. "
                "If the gradient shall not go back to earlier steps, take a number, as in total += loss.item(), or "
                "cut the graph, as in h = h.detach()"
            )
        return (
            f"{found}The result of {line} is kept from every step, in a list perhaps, and with it what it was computed "
            "from. Keep a number, as in losses.append(loss.item()), or an array, as in outputs.append(y.detach()), or "
            "compute it under no_grad()"
        )


class _Mark(Trace):
    """A trace that dies with its node, and tells in which step the node was made."""

    __slots__ = ("__weakref__", "step")

    def __init__(self, place: Place | None, step: int) -> None:
        super().__init__(place, (), 0, None, 0)
        self.step = step


class growth(Watcher):
    """Warn when the graph of a loop's steps grows, and name the line that makes it grow.

    The commonest is ``total += loss``, which keeps the graph of every step for as long as there is a `total`; others
    are a hidden state that is carried from step to step, and a list of losses.  Nothing of it is wrong, so nothing
    fails: each step takes a little more memory, and sometimes more time, than the one before.

    Parameters
    ----------
    patience : int
        After how many steps in a row that left something behind there is a warning.

    Attributes
    ----------
    found : list of Growth
        Each line once.

    Warns
    -----
    GrowthWarning
        Once for each line.  ``warnings.simplefilter("error", graph.GrowthWarning)`` makes an exception of it.

    Notes
    -----
    A step ends with each backward pass that does not record its derivatives; or, once you have called the method
    `step`, with each call of that.  Call it where a step has no backward pass, as in a loop that only evaluates, and
    where it has more than `patience` of them.  If in the end of a step some line has left results behind in each of
    the `patience` steps before that, and these are still alive, the graph grows.

    Graphs that are made under another watcher, such as `profile`, or in other threads, are not seen.  To be watched
    takes an operation 4 µs: a training step of a small network (16 features) takes 1.3 times as long, that of a larger
    one (256 features) 1.02 times.

    Examples
    --------
    >>> import warnings
    >>> import minigrad as mg
    >>> from minigrad import graph
    >>> w = mg.tensor(1.0, requires_grad=True)
    >>> total = 0.0
    >>> with graph.growth() as watch, warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     for x in range(10):
    ...         loss = (w * x - 1.0) ** 2
    ...         loss.backward()
    ...         total += loss
    >>> watch.found[0].operation, watch.found[0].linked
    ('add', True)
    """

    def __init__(self, patience: int = 5) -> None:
        whole_number(patience, "growth: patience")
        self.patience = patience
        self.found: list[Growth] = []
        self._marks: dict[int, WeakSet[_Mark]] = {}  # of the nodes that are alive, by step
        self._known: set[str] = set()  # lines that were reported
        self._now = self._looks_from = 0
        self._by_hand = self._differentiates = self._records = False

    def __enter__(self) -> Self:
        self.value = self
        super().__enter__()
        return self

    def computed(self, node: Node, begun: int) -> None:
        """Note in which step, and where, a node was made."""
        mark = notes_of(node).trace = _Mark(user_place(), self._now)
        self._marks.setdefault(self._now, WeakSet()).add(mark)
        self._records = self._differentiates

    def differentiating(self, node: Node | None) -> None:
        """Take the end of a backward pass for the end of a step."""
        self._differentiates = node is not None
        if node is None:
            # Operations until the end of the pass: it had create_graph=True, and belongs to the computation of a step.
            if not self._by_hand and not self._records:
                self._end_step()
            self._records = False

    def step(self) -> None:
        """Say that a step has ended; from now on a backward pass does not end one."""
        self._by_hand = True
        self._end_step()

    def _end_step(self) -> None:
        self._marks = {step: marks for step, marks in self._marks.items() if marks}
        past = set(range(self._now - self.patience, self._now))
        if past <= self._marks.keys() and self._now >= self._looks_from:
            # To look takes time, and a loop that leaks and has been warned of shall not be slow on top of it.
            self._looks_from = self._now + 1 + self._now // 8
            self._look(past)
        self._now += 1

    def _look(self, past: set[int]) -> None:
        """Find the lines that left something behind in each of the past steps."""
        steps = self._alive()
        linked, kept = _Lines(), _Lines()
        used = {parent for node in steps for parent in _operands(node)}
        for node, step in steps.items():
            if any(steps.get(parent, step) < step for parent in _operands(node)):
                linked.add(node, step)
            elif node not in used:
                kept.add(node, step)
        if (line := linked.commonest(past)) is not None:
            self._report(line, True, steps)
            # What hangs on earlier steps at other lines does so because of the one that was named, nearly always.
            self._known |= {str(place) for _, place in linked}
        self._report(kept.commonest(past), False, steps)

    def _alive(self) -> dict[Node, int]:
        """The nodes that were made in the block and are still alive, in order of creation, and their steps."""
        import gc  # nodes cannot be looked up in another way

        gc.collect()  # what only waits for this is no leak
        steps = {id(mark): step for step, marks in self._marks.items() for mark in marks}
        nodes = [x for x in gc.get_objects() if x.__class__ is Node and id(trace_of(x)) in steps]
        return {node: steps[id(trace_of(node))] for node in sorted(nodes, key=lambda node: node.seq)}

    def _report(self, line: _Line | None, linked: bool, steps: dict[Node, int]) -> None:
        if line is None or str(line[1]) in self._known:
            return
        self._known.add(str(line[1]))
        old = {node for node, step in steps.items() if step < self._now}
        leaves = {parent for node in old for parent in _operands(node) if parent.op is None}
        operation, place = line
        report = Growth(place, operation, linked, self._now, len(old), held_by([*leaves, *old]).values)
        self.found.append(report)
        if place is None:
            warnings.warn(str(report), GrowthWarning, stacklevel=1)
        else:
            warnings.warn_explicit(str(report), GrowthWarning, place.code.co_filename, place.line)


class _Lines(dict[_Line, list[int]]):
    """In which steps each line made nodes."""

    def add(self, node: Node, step: int) -> None:
        trace = trace_of(node)
        assert node.op is not None
        assert trace is not None
        self.setdefault((node.op.name, trace.place), []).append(step)

    def commonest(self, past: set[int]) -> _Line | None:
        """The line that made the most nodes, of those that made some in all past steps; of several the first."""
        lines = [line for line, steps in self.items() if past <= set(steps)]
        return max(lines, key=lambda line: len(self[line]), default=None)


def _operands(node: Node) -> list[Node]:
    """The nodes of its operands, as long as it is not released."""
    return [] if node.released else [parent for parent in node.parents() if parent is not None]
