"""A diagram as plain data, for the interactive page."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from minigrad import display
from minigrad.core import Array
from minigrad.graph import labels, wording
from minigrad.graph.capture import Entry
from minigrad.graph.diagram import Box, Diagram
from minigrad.graph.formula import formulas
from minigrad.graph.frames import Frame
from minigrad.graph.heat import Heat

BINS = 24


def payload(
    diagram: Diagram, title: str, heat: Heat | None = None, closed: frozenset[Frame] = frozenset()
) -> dict[str, Any]:
    """Everything that the page shows.

    The diagram has all of its modules open; those in `closed` are folded when the page opens.
    """
    frames = list(diagram.folding.root.frames())
    number = {frame: i for i, frame in enumerate(frames)}
    place = {key: i for i, key in enumerate(diagram.boxes)}
    return {
        "title": title,
        "caption": labels.captions(diagram),
        "groups": [_group(diagram, frame, number, frame in closed) for frame in frames],
        "nodes": [_node(diagram, box, i, number, heat) for i, box in enumerate(diagram.boxes.values())],
        "edges": [[place[arrow.tail], place[arrow.head], arrow.place] for arrow in diagram.arrows],
        "steps": [],
        **({} if heat is None else {"heat": heat.words()}),
    }


def step(diagram: Diagram) -> dict[str, dict[str, Any]]:
    """The values and gradients of one moment, for the page's slider, by the keys of the boxes."""
    return {key: _numbers(diagram, box, None) for key, box in diagram.boxes.items()}


def _group(diagram: Diagram, frame: Frame, number: Mapping[Frame, int], folded: bool) -> dict[str, Any]:
    entries = [diagram.graph[i] for i in frame.operations()]
    facts = [["operations", f"{len(entries):,}"]]
    sources = [diagram.graph[i] for inner in frame.frames() for i in inner.sources]
    parameters = sum(int(np.size(entry.value)) for entry in sources if entry.kind == "leaf")
    if parameters:
        facts.append(["parameters", f"{parameters:,}"])
    traces = [entry.trace for entry in entries if entry.trace is not None]
    if traces:
        took = labels.duration(sum(trace.forward for trace in traces))
        back = sum(trace.backward for trace in traces)
        facts.append(["time", f"{took} forward" + (f", {labels.duration(back)} backward" if back else "")])
    if frame.count > 1:
        facts = [["stands here", f"{frame.count:,} times"], *([f"{name}, each", text] for name, text in facts)]
    return {
        "id": number[frame],
        "parent": None if frame.outer is None else number[frame.outer],
        "title": frame.title or ("" if frame.outer is None else "repeated"),
        "kind": frame.call.kind if frame.call else "",
        "count": frame.count,
        "folded": folded,
        "facts": facts,
    }


def _node(diagram: Diagram, box: Box, index: int, number: Mapping[Frame, int], heat: Heat | None) -> dict[str, Any]:
    made: dict[str, Any] = {"id": index, "group": number[box.frame], **_numbers(diagram, box, heat)}
    if box.kind == "skipped":
        text = f"… {len(box.entries):,} nodes …"
        return made | {
            "kind": "fold", "output": False, "level": 0, "title": text, "detail": "", "facts": [], "mark": None
        }  # fmt: skip
    if box.kind == "frame":
        return made | {
            "kind": "frame", "output": box.key in diagram.outputs, "level": 0, "title": box.frame.title,
            "detail": ", ".join(map(str, labels.frame_details(diagram, box))), "facts": [],
            "mark": diagram.flags.get(box.key),
        }  # fmt: skip
    entry = diagram.graph[box.entries[0]]
    name, op, call = labels.title(entry, box.frame.path)
    head = (f"{name} = " if name and op else name) + op + call
    return made | {
        "kind": {"leaf": "parameter"}.get(box.kind, box.kind),
        "output": box.key in diagram.outputs,
        "level": 0 if entry.trace is None else entry.trace.level,
        "title": wording.printable(head) or box.kind,
        "detail": wording.printable(wording.describe(entry.value)),
        "facts": [[label, wording.printable(text)] for label, text in facts(entry)],
        "mark": diagram.flags.get(box.key),
    }


def facts(entry: Entry) -> Iterator[tuple[str, str]]:
    """What is known of an entry, as pairs of a word and a text."""
    yield "computed as", f"%{entry.index} = {entry.expression}"
    if entry.name:
        yield "name", entry.name
    yield "shape", str(entry.shape)
    yield "dtype", str(entry.dtype)
    yield "memory", display.memory(entry.value.nbytes)
    trace = entry.trace
    if trace is not None:
        if trace.place is not None:
            yield "source line", labels.line(trace.place)
        if trace.calls:
            yield "module", " > ".join(map(str, trace.calls))
        if trace.level:
            yield "part of", f"the derivative of order {trace.level}"
        yield "time forward", labels.duration(trace.forward)
        if trace.backward:
            yield "time backward", labels.duration(trace.backward)
    if entry.operation is not None:
        for operand, formula in formulas(entry.operation.primitive):
            yield f"gradient of {operand}", formula


def _numbers(diagram: Diagram, box: Box, heat: Heat | None) -> dict[str, Any]:
    """What changes from step to step."""
    entry = diagram.graph[box.entries[0]] if box.kind not in ("skipped", "frame") else None
    gradient = None if entry is None else diagram.gradient(entry)
    return {
        "value": None if entry is None else numbers(entry.value),
        "grad": None if gradient is None else numbers(gradient),
        "heat": None if heat is None else heat.share(box.key),
        "bad": diagram.alarms.get(box.key),
    }


def numbers(value: Array) -> dict[str, Any]:
    """An array in numbers and a histogram."""
    known = display.statistics(value, BINS)
    bad = [f"{count:,} {name}" for count, name in ((known.nan, "NaN"), (known.inf, "inf")) if count]
    text = [str(part) for part in labels.values(value)]
    with np.errstate(all="ignore"):
        norm = float(np.linalg.norm(np.ravel(value))) if value.dtype.kind in "fciu" else None
    found = {"min": known.min, "max": known.max, "mean": known.mean, "std": known.std, "norm": norm}
    whole = value.size <= labels.SMALL
    return {
        "text": "\n".join(text if whole else text[:1]),
        **{name: x if x is not None and np.isfinite(x) else None for name, x in found.items()},
        "histogram": None if whole or not any(known.counts) else list(known.counts),
        "low": known.min if np.isfinite(known.min) else None,
        "high": known.max if np.isfinite(known.max) else None,
        "bad": ", ".join(bad) or None,
    }
