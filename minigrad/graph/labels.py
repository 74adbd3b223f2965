"""What a picture says of each of its boxes, line by line."""

import os
import re
from collections.abc import Iterable, Sequence

import numpy as np

from minigrad import display, errors
from minigrad.core import Array
from minigrad.diagnostics import Place
from minigrad.graph import wording
from minigrad.graph.capture import Entry, Graph
from minigrad.graph.diagram import Box, Diagram
from minigrad.graph.formula import formulas
from minigrad.graph.frames import Frame

DETAILS = ("shape", "dtype", "value", "grad", "line", "memory", "time", "formula")
BRIEF = ("brief",)  # what is shown if nobody asks for anything: dtype and shape, or a few numbers

SMALL = 9  # arrays with more elements are shown as statistics
BINS = 12
UNITS = ((1e-6, 1e9, "ns"), (1e-3, 1e6, "µs"), (1.0, 1e3, "ms"), (float("inf"), 1.0, "s"))


class Bars(tuple[int, ...]):
    """The counts of a histogram, to be shown as bars: in letters they are `str` of it."""

    __slots__ = ()

    def __str__(self) -> str:
        return display.bars(self)


def chosen(show: str | Iterable[str] | None) -> Sequence[str]:
    """The details to show."""
    if show is None:
        return BRIEF
    asked = [show] if isinstance(show, str) or not isinstance(show, Iterable) else list(show)
    for word in asked:
        if word not in (*DETAILS, "all"):
            raise errors.ArgumentError(
                f"a picture cannot show {word!r}: show= takes {', '.join(DETAILS)}, several of these, or 'all'"
            )
    return [word for word in DETAILS if word in asked or "all" in asked]


def title(entry: Entry, within: str = "") -> tuple[str, str, str]:
    """What an entry is called: its name, its operation, and the operation's parameters and numbers.

    In the frame of a module, whose path is `within`, names of its parts are without that path.
    """
    name = wording.label(entry.name)
    if within and name.startswith(within + "."):
        name = name[len(within) + 1 :]
    if entry.op is None:
        return name, "", ""
    # Where a number is an operand, a line stands for each of the others.
    operands = [wording.number(x) if i is None else "_" for i, x in zip(entry.inputs, entry.args, strict=True)]
    details = [*(operands if None in entry.inputs else []), *wording.parameters(entry.params)]
    call = wording.index(entry.params) + (f"({', '.join(details)})" if details else "")
    return name, entry.op, wording.shortened(call, 50)


def details(diagram: Diagram, entry: Entry, show: Sequence[str]) -> list[str | Bars]:
    """The lines below the title of an entry."""
    lines: list[str | Bars] = []
    if "brief" in show:
        lines.append(wording.describe(entry.value))
    kind = [str(entry.dtype)] if "dtype" in show else []
    kind += [str(entry.shape)] if "shape" in show else []
    lines += [" ".join(kind)] if kind else []
    if "value" in show:
        lines += values(entry.value)
    gradient = diagram.gradient(entry) if "grad" in show else None
    if gradient is not None:
        first, *rest = values(gradient)
        lines += [f"grad {first}", *rest]
    trace = entry.trace
    if "line" in show and trace is not None and trace.place is not None:
        lines.append(wording.shortened(line(trace.place), 48))
    if "memory" in show:
        lines.append(display.memory(entry.value.nbytes))
    if "time" in show and trace is not None:
        lines.append(duration(trace.forward) + (f" + {duration(trace.backward)} backward" if trace.backward else ""))
    if "formula" in show and entry.operation is not None:
        lines += [
            wording.shortened(f"grad of {name}: {text}", 60)
            for name, text in formulas(entry.operation.primitive)
            if text
        ]
    return lines


def frame_details(diagram: Diagram, box: Box, show: Sequence[str] = BRIEF) -> list[str | Bars]:
    """The lines below the title of a closed frame: how much is in it, and what is to be shown of its result."""
    operations, numbers = 0, 0
    stack = [(box.frame, 1)]
    while stack:
        frame, times = stack.pop()
        operations += times * sum(not isinstance(item, Frame) for item in frame.items)
        leaves = (diagram.graph[i] for i in frame.sources if diagram.graph[i].kind == "leaf")
        numbers += times * sum(int(np.size(leaf.value)) for leaf in leaves)
        stack += [(item, times * item.count) for item in frame.items if isinstance(item, Frame)]
    each = ", each" if box.frame.count > 1 else ""
    lines: list[str | Bars] = [f"{operations:,} operation{'s' * (operations != 1)}{each}"]
    if numbers:
        lines.append(f"{numbers:,} parameters")
    result = diagram.graph[result_of(diagram, box)]
    lines += details(diagram, result, [word for word in show if word in ("brief", "shape", "dtype", "value", "grad")])
    entries = [diagram.graph[i] for i in box.entries if diagram.graph[i].op is not None]
    traces = [entry.trace for entry in entries if entry.trace is not None]
    if "memory" in show:
        lines.append(display.memory(sum(entry.value.nbytes for entry in entries)))
    if "time" in show and traces:
        forward, backward = sum(trace.forward for trace in traces), sum(trace.backward for trace in traces)
        lines.append(duration(forward) + (f" + {duration(backward)} backward" if backward else ""))
    return lines


def result_of(diagram: Diagram, box: Box) -> int:
    """The last operation in a closed frame."""
    return max((i for i in box.entries if diagram.graph[i].op is not None), default=box.entries[-1])


def values(value: Array) -> list[str | Bars]:
    """A small array as it is; of a large one mean, standard deviation and histogram."""
    if value.ndim == 0:
        return [wording.number(value[()])]
    if 0 < value.size <= SMALL and value.ndim <= 2:
        # Without exponents, unless that would make zeros of small numbers.
        plain = bool(np.all((value == 0) | (np.abs(value) > 1e-3)))
        with np.printoptions(precision=4, suppress=plain, linewidth=40):
            lines = str(value).split("\n")
        # In columns only where there are rows to compare.
        return (
            [*lines] if value.ndim == 2 else [re.sub(r"(?<=\[) | (?=\])", "", " ".join(line.split())) for line in lines]
        )
    if not value.size or value.dtype.kind == "b":
        return [f"{np.count_nonzero(value):,} of {value.size:,} true" if value.size else "empty"]
    known = display.statistics(value, BINS)
    bad = [f"{count:,} {name}" for count, name in ((known.nan, "NaN"), (known.inf, "inf")) if count]
    if not np.isfinite(known.mean):
        return [", ".join(bad)]
    what = "mean of |z|" if value.dtype.kind == "c" else "mean"
    return [", ".join([f"{what} {known.mean:.3g} ± {known.std:.2g}", *bad]), Bars(known.counts)]


def line(place: Place) -> str:
    """A line of the user's program, with the file's name without its folders."""
    where, _, text = str(place).partition(" `")
    return os.path.basename(where) + (f"  {text.rstrip('`')}" if text else "")


def duration(nanoseconds: int) -> str:
    """A time with a fitting unit."""
    seconds = nanoseconds / 1e9
    scale, unit = next((scale, unit) for top, scale, unit in UNITS if seconds < top)
    return f"{seconds * scale:.3g} {unit}"


def shows_values(show: Sequence[str]) -> bool:
    """Whether boxes say numbers, be they only those of small arrays."""
    return not {"brief", "value", "grad"}.isdisjoint(show)


def captions(diagram: Diagram, show: Sequence[str] = BRIEF) -> list[str]:
    """What must be said of the picture as a whole."""
    notes = []
    graph, folding = diagram.graph, diagram.folding
    if folding.stands_for:
        whose = ", and with the values of its first time" if shows_values(show) else ""
        notes.append(f"{len(graph):,} nodes: what repeats itself is drawn once, with ×{whose}")
    elif any(box.kind == "frame" for box in diagram.boxes.values()):
        notes.append(f"{len(graph):,} nodes, some in closed modules: depth= opens them")
    if folding.skipped:
        left = len(diagram.boxes["skipped"].entries)
        notes.append(f"{len(graph):,} nodes, of which {left:,} in the middle are not drawn: limit= is how many are")
    if ("line" in show or "time" in show) and not any(entry.trace for entry in graph):
        notes.append("lines and times are known of what is computed under graph.profile()")
    if diagram.gradients and sum(graph[i].value.size for i in graph.outputs) > 1:
        notes.append("gradients are those of the sum of all outputs")
    if diagram.bad:
        first = min(diagram.bad)
        notes.append(f"first {diagram.bad[first]}: {_named(graph, graph[first])}")
    elif diagram.bad_gradients:
        first = max(diagram.bad_gradients)  # on the way back
        notes.append(f"first {diagram.bad_gradients[first]} in a gradient: that of {_named(graph, graph[first])}")
    return notes


def _named(graph: Graph, entry: Entry) -> str:
    name, op, call = title(entry)
    text = " = ".join(word for word in (name, op + call) if word) or entry.kind
    trace = entry.trace
    if trace is None:
        return text
    if trace.of is not None:
        sources = [other for other in graph if other.node is not None and other.node.seq == trace.of]
        return f"{text} in the derivative" + "".join(f" of {_named(graph, source)}" for source in sources)
    return f"{text}, at {wording.shortened(line(trace.place), 60)}" if trace.place is not None else text
