"""A picture of a graph as text for Graphviz, which does the layout.

Where the order of operands matters they enter an operation from left to right (in a picture from left to right,
from top to bottom): in ``subtract`` it must be seen what is taken from what.
"""

import html
from collections.abc import Iterator, Mapping, Sequence

from minigrad.graph import labels, wording
from minigrad.graph.diagram import Arrow, Box, Diagram, has_places
from minigrad.graph.frames import Frame
from minigrad.graph.heat import Heat, Shade

# Tints of the palette of Okabe and Ito, which people with every kind of colour vision can tell apart, with the
# palette's own colours, darkened, as outlines.  The shapes say the same once more.
STYLES = {
    "input": {"shape": "house", "fillcolor": "#D9F2E3", "color": "#00785A", "margin": "0.1,0.05"},
    "leaf": {"shape": "ellipse", "fillcolor": "#FCE6B8", "color": "#B97F00", "margin": "0.04,0.02"},
    "constant": {"shape": "cylinder", "fillcolor": "#ECECEC", "color": "#808080", "margin": "0.1,0.06"},
    "operation": {"shape": "box", "style": "rounded,filled", "fillcolor": "#E2F1FB", "color": "#3F8FBF"},
    "derivative": {"shape": "box", "style": "rounded,filled", "fillcolor": "#F6E3EF", "color": "#A8558A"},
    "arrangement": {"shape": "box", "style": "", "color": "transparent", "fontcolor": "#606060", "fontsize": "10"},
    "frame": {"shape": "box3d", "style": "filled", "fillcolor": "#E9EEF2", "color": "#5B7083", "margin": "0.15,0.08"},
    "skipped": {"shape": "box", "style": "dashed,rounded", "color": "#606060", "margin": "0.2,0.12"},
}
OUTPUT = {"penwidth": "2.5", "color": "#00785A"}
ALARM = {"penwidth": "3", "color": "#D55E00", "fontcolor": "#B03A00"}
MARK = {"penwidth": "3", "color": "#C2185B"}

ONWARDS = {"style": "dashed", "color": "#B03A00", "constraint": "false"}

LEGEND = {
    "input": "input",
    "leaf": "parameter, requires grad",
    "constant": "constant",
    "operation": "operation",
    "derivative": "operation of the derivative",
    "frame": "closed module",
}

HEAD = """\
digraph minigrad {{
  graph [rankdir={direction}, nodesep=0.3, ranksep=0.35, pad=0.2, fontname=Helvetica, fontsize=11,
    {effort}fontcolor="#606060"]
  node [fontname=Helvetica, fontsize=13, fontcolor="#202020", style=filled, margin=0, width=0, height=0]
  edge [color="#707070", arrowsize=0.6]
"""
# For larger graphs: fewer rounds of making the layout shorter and of taking arrows apart; and straight arrows, where
# many lead far, because to bend them takes longer than everything else.
LARGE = 100
HURRIED = "nslimit=1, nslimit1=1, mclimit=0.3, searchsize=10, "
FAR = 5000

# The lines below a title are smaller.
DETAIL = '<FONT POINT-SIZE="10" COLOR="{color}">{text}</FONT>'
BAR_WIDTH, BAR_HEIGHT = 6, 14
SIDES = {"TB": "n", "BT": "s", "LR": "w", "RL": "e"}


def dot(
    diagram: Diagram,
    show: Sequence[str] = labels.BRIEF,
    direction: str = "TB",
    heat: Heat | None = None,
    legend: bool = True,
) -> str:
    """The diagram in Graphviz's language."""
    writer = _Writer(diagram, show, direction, heat)
    effort = HURRIED if len(diagram.boxes) > LARGE else ""
    rank = {key: i for i, key in enumerate(diagram.boxes)}
    if sum(abs(rank[arrow.head] - rank[arrow.tail]) for arrow in diagram.arrows) > FAR:
        effort += "splines=line, "
    lines = [HEAD.format(direction=direction, effort=effort).rstrip("\n"), *writer.frames(), *writer.arrows()]
    caption = writer.caption(legend)
    if caption:
        lines.append(f"  label=<{caption}>; labelloc=b")
    return "\n".join([*lines, "}\n"])


class _Writer:
    def __init__(self, diagram: Diagram, show: Sequence[str], direction: str, heat: Heat | None) -> None:
        self.diagram, self.show, self.direction, self.heat = diagram, show, direction, heat
        self.graph = diagram.graph
        self.styles_used: dict[str, None] = {}

    # Boxes, in their frames

    def frames(self) -> Iterator[str]:
        """The boxes of the whole picture; clusters for open frames."""
        inside: dict[Frame, list[Box]] = {}
        for box in self.diagram.boxes.values():
            at = box.frame.outer if box.kind == "frame" and box.frame.outer is not None else box.frame
            inside.setdefault(at, []).append(box)
        stack: list[tuple[Frame | None, int]] = [(self.diagram.folding.root, 0)]
        while stack:
            frame, depth = stack.pop()
            indent = "  " * max(depth, 1)
            if frame is None:
                yield f"{indent}}}"
                continue
            if depth and not _is_bare(frame):
                yield f"{indent}subgraph cluster_{self.diagram.frame_keys[frame]} {{"
                yield f"{indent}  {self._frame_style(frame)}"
                stack.append((None, depth))
            for box in inside.get(frame, []):
                yield f"{indent}  {self._box(box)}" if depth else f"  {self._box(box)}"
            open_ones = [item for item in frame.items if isinstance(item, Frame) and not item.closed]
            stack.extend((item, depth + 1) for item in reversed(open_ones))

    def _frame_style(self, frame: Frame) -> str:
        times = f'&#160;<FONT COLOR="#B03A00"><B>×{frame.count:,}</B></FONT>' if frame.count > 1 else ""
        title = f"<B>{_escaped(wording.shortened(frame.title, 60))}</B>" if frame.call else "repeated"
        style = 'style="rounded,filled", fillcolor="#F6F8FA", color="#A9B7C3"'
        if frame.call is None:
            style = 'style="rounded,dashed", color="#B03A00"'
        return f'label=<{title}{times}>; labeljust=l; fontsize=12; fontcolor="#405060"; graph [{style}, margin=10]'

    def _box(self, box: Box) -> str:
        if box.kind == "skipped":
            rows = [f"<I>… {len(box.entries):,} nodes …</I>", *self._said(box)]
            label, style = self._table(rows, box), STYLES["skipped"] | self._outline(box)
        elif box.kind == "frame":
            label, style = self._closed(box)
        else:
            label, style = self._entry(box)
        shade = self._shade(box)
        if shade is not None:
            style = {**style, "fillcolor": shade.colour, "fontcolor": shade.text_colour}
            style |= {"style": "rounded,filled"} if box.kind == "arrangement" else {}
        return f"{box.key} [label=<{label}>, {_listed(style)}]"

    def _shade(self, box: Box) -> Shade | None:
        return None if self.heat is None else self.heat.of_box(box)

    def _closed(self, box: Box) -> tuple[str, dict[str, str]]:
        self.styles_used["frame"] = None
        times = f"&#160;&#160;×{box.frame.count:,}" if box.frame.count > 1 else ""
        rows = [f"<B>{_escaped(box.frame.title)}</B>{times}"]
        rows += [self._detail(text, box) for text in labels.frame_details(self.diagram, box, self.show)]
        style = STYLES["frame"]
        return self._table([*rows, *self._said(box)], box), style | self._outline(box)

    def _entry(self, box: Box) -> tuple[str, dict[str, str]]:
        index = box.entries[0]
        entry = self.graph[index]
        kind = box.kind
        if kind == "operation" and entry.trace is not None and entry.trace.level:
            kind = "derivative"
        self.styles_used[kind] = None
        style = STYLES[kind] | self._outline(box)
        name, op, call = labels.title(entry, box.frame.path)
        head = f"<B>{_escaped(name)}</B>" if name and not op else f"<I>{kind}</I>"
        if op:
            word = _escaped(op) if kind == "arrangement" else f"<B>{_escaped(op)}</B>"
            head = (f"{_escaped(name)} = " if name else "") + word + _escaped(call)
        details = [self._detail(part, box) for part in labels.details(self.diagram, entry, self.show)]
        hint = wording.printable(str(entry)).replace("\\", "\\\\").replace('"', "'")
        module = [self._detail(_heading(box.frame), box)] if _is_bare(box.frame) else []
        rows = [*module, head, *details, *self._said(box)]
        return self._table(rows, box, style["shape"] == "box"), style | {"tooltip": hint}

    def _outline(self, box: Box) -> dict[str, str]:
        output = OUTPUT if box.key in self.diagram.outputs else {}
        alarm = ALARM if box.key in self.diagram.alarms else {}
        return output | alarm | (MARK if box.key in self.diagram.flags else {})

    def _said(self, box: Box) -> list[str]:
        said = (wording.label(table.get(box.key)) for table in (self.diagram.alarms, self.diagram.flags))
        return [f"<B>{_escaped(word)}</B>" for word in said if word]

    def _detail(self, part: str | labels.Bars, box: Box) -> str:
        shade = self._shade(box)
        color = "#505050" if shade is None else shade.text_colour
        if isinstance(part, labels.Bars):
            return _bars(part, color)
        return DETAIL.format(color=color, text=_escaped(part))

    def _table(self, rows: Sequence[str], box: Box, boxed: bool = True) -> str:
        """The rows in a table; in a box, with a place for the arrow of each operand at the side it comes from."""
        entry = self.graph[box.entries[0]] if box.kind == "operation" and boxed else None
        count = len(entry.inputs) if entry is not None and has_places(entry) else 0
        padding = 6 if boxed and box.kind != "arrangement" else 2
        text = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{_rows(rows)}</TABLE>'
        if not count:
            lines = [f'<TD CELLPADDING="{padding}">{text}</TD>']
        else:
            ports = [f'<TD PORT="p{place}" CELLPADDING="0"></TD>' for place in range(count)]
            if self.direction in ("TB", "BT"):
                lines = ["".join(ports), f'<TD COLSPAN="{count}" CELLPADDING="{padding}">{text}</TD>']
                lines = lines if self.direction == "TB" else lines[::-1]
            else:
                cell = f'<TD ROWSPAN="{count}" CELLPADDING="{padding}">{text}</TD>'
                lines = [ports[0] + cell if self.direction == "LR" else cell + ports[0], *ports[1:]]
        content = "".join(f"<TR>{line}</TR>" for line in lines)
        return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0">{content}</TABLE>'

    # Arrows

    def arrows(self) -> Iterator[str]:
        """An arrow from every operand."""
        for arrow in self.diagram.arrows:
            yield f"  {arrow.tail} -> {self._head(arrow)}{self._weight(arrow)}"
        for tail, head in sorted(self.diagram.onwards):
            yield f"  {tail} -> {head} [{_listed(ONWARDS)}]"

    def _head(self, arrow: Arrow) -> str:
        return arrow.head if arrow.place is None else f"{arrow.head}:p{arrow.place}:{SIDES[self.direction]}"

    def _weight(self, arrow: Arrow) -> str:
        # The weight keeps the way from operation to operation straight, with leaves and constants at its sides.
        return " [weight=4]" if self.diagram.boxes[arrow.tail].kind in ("operation", "frame") else ""

    # Below the picture

    def caption(self, legend: bool) -> str:
        """The notes, the key to the colours, and the scale of the heat, as one table."""
        rows = [f'<TR><TD ALIGN="LEFT">{_escaped(note)}</TD></TR>' for note in labels.captions(self.diagram, self.show)]
        if self.diagram.onwards:
            rows.append('<TR><TD ALIGN="LEFT">dashed arrows lead into later repetitions</TD></TR>')
        if self.heat is not None:
            rows.append(f"<TR><TD>{_scale(self.heat.scale())}</TD></TR>")
        elif legend:
            used = [kind for kind in LEGEND if kind in self.styles_used]
            if len(used) > 1:
                rows.append(f"<TR><TD>{_key(used)}</TD></TR>")
        if not rows:
            return ""
        return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="4" CELLPADDING="0">{"".join(rows)}</TABLE>'


def _is_bare(frame: Frame) -> bool:
    """Whether a module is one operation without parameters, such as ReLU: that needs no frame."""
    if frame.call is None or frame.closed or frame.sources:
        return False
    return len(frame.items) == 1 and not isinstance(frame.items[0], Frame)


def _heading(frame: Frame) -> str:
    return frame.title + (f" ×{frame.count:,}" if frame.count > 1 else "")


def _rows(rows: Sequence[str]) -> str:
    return "".join(f"<TR><TD>{row}</TD></TR>" for row in rows)


def _bars(counts: Sequence[int], color: str) -> str:
    """A histogram of coloured cells: fonts of pictures rarely have the letters for it."""
    top = max(max(counts), 1)
    cells = []
    for count in counts:
        height = max(int(count > 0), round(BAR_HEIGHT * count / top))
        parts = [(BAR_HEIGHT - height, ""), (height, f' BGCOLOR="{color}"')]
        size = f'FIXEDSIZE="TRUE" WIDTH="{BAR_WIDTH}"'
        rows = "".join(f'<TR><TD {size} HEIGHT="{part}"{look}></TD></TR>' for part, look in parts if part)
        cells.append(f'<TD><TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">{rows}</TABLE></TD>')
    row = "".join(cells)
    # In a wider box the bars stay together.
    size = f'FIXEDSIZE="TRUE" WIDTH="{len(counts) * (BAR_WIDTH + 1) + 1}" HEIGHT="{BAR_HEIGHT + 2}"'
    return f'<TABLE {size} BORDER="0" CELLBORDER="0" CELLSPACING="1" CELLPADDING="0"><TR>{row}</TR></TABLE>'


def _key(kinds: Sequence[str]) -> str:
    """What the colours mean, each written on it."""
    cells = []
    for kind in kinds:
        look = f'BGCOLOR="{STYLES[kind]["fillcolor"]}" COLOR="{STYLES[kind]["color"]}" BORDER="1"'
        cells.append(f"<TD {look}> {_escaped(LEGEND[kind])} </TD>")
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="6" CELLPADDING="3"><TR>{"".join(cells)}</TR></TABLE>'


def _scale(colours: Sequence[tuple[str, str]]) -> str:
    """Colours side by side, between the words of the first and the last."""
    cells = "".join(f'<TD BGCOLOR="{colour}" WIDTH="20" HEIGHT="14"></TD>' for colour, _ in colours)
    first, last = (f"<TD>  {_escaped(word)}  </TD>" for _, word in (colours[0], colours[-1]))
    row = f"<TR>{first}{cells}{last}</TR>"
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="1" CELLPADDING="2">{row}</TABLE>'


# Graphviz replaces backslash sequences, such as \N, in all text, and reads labels as HTML


def _escaped(text: str) -> str:
    return html.escape(wording.printable(text)).replace("\\", "\\\\")


def _listed(style: Mapping[str, str]) -> str:
    return ", ".join(f'{key}="{value}"' for key, value in style.items())
