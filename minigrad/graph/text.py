"""A picture of a graph in letters, for a terminal: frames by indentation, operands by number."""

from collections.abc import Iterator, Sequence

from minigrad.graph import labels, wording
from minigrad.graph.diagram import Box, Diagram
from minigrad.graph.frames import Frame

WIDTH = 70


def text(diagram: Diagram, show: Sequence[str] = labels.BRIEF) -> str:
    """The diagram as indented lines."""
    lines = list(_lines(diagram, show))
    outputs = [f"%{diagram.folding.shown(i)}" for i in diagram.graph.outputs]
    return "\n".join(
        [*lines, f"return {', '.join(outputs)}", *(f"# {note}" for note in labels.captions(diagram, show))]
    )


def _lines(diagram: Diagram, show: Sequence[str]) -> Iterator[str]:
    skipped = diagram.boxes.get("skipped")
    stack: list[tuple[Frame | int, int]] = [(diagram.folding.root, -1)]
    while stack:
        item, depth = stack.pop()
        indent = "  " * depth
        if skipped is not None:
            within = item.entries() if isinstance(item, Frame) else [item]
            if diagram.folding.skipped.issuperset(within):
                if skipped.entries[0] in within:
                    yield f"{indent}... {len(skipped.entries):,} more ...{_said(diagram, skipped)}"
                continue
        if not isinstance(item, Frame):
            entry = diagram.graph[item]
            call = f"{indent}%{item} = {entry.expression}"
            first, *more = [str(part) for part in labels.details(diagram, entry, show)] or [""]
            yield f"{call:{WIDTH}} {first}".rstrip() + _said(diagram, diagram.boxes[f"n{item}"])
            yield from (f"{'':{WIDTH}} {more_line}" for more_line in more)
            continue
        if depth >= 0:
            times = f" ×{item.count:,}" if item.count > 1 else ""
            heading = wording.shortened(wording.printable(item.title), WIDTH) or "repeated"
            content = ":"
            if item.closed:
                box = diagram.boxes[diagram.frame_keys[item]]
                operands = dict.fromkeys(
                    _number(diagram, arrow.tail) for arrow in diagram.arrows if arrow.head == box.key
                )
                heading = f"{_number(diagram, box.key)} = {heading}"
                known = ", ".join(str(part) for part in labels.frame_details(diagram, box, show))
                content = f"({', '.join(operands)})   {known}{_said(diagram, box)}"
            yield f"{indent}{heading}{times}{content}"
        if not item.closed:
            stack.extend((inner, depth + 1) for inner in reversed([*item.sources, *item.items]))


def _number(diagram: Diagram, key: str) -> str:
    """The number of a box, by which others name it as an operand: of a closed module, that of its result."""
    box = diagram.boxes[key]
    return (
        "..."
        if box.kind == "skipped"
        else f"%{labels.result_of(diagram, box) if box.kind == 'frame' else box.entries[0]}"
    )


def _said(diagram: Diagram, box: Box) -> str:
    said = (wording.label(table.get(box.key)) for table in (diagram.alarms, diagram.flags))
    return "".join(f"   <-- {word}" for word in said if word)
