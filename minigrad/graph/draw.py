"""A picture of a graph, as text for Graphviz, which does the layout.

Where the order of operands matters they enter an operation from left to right (in a picture from left to right,
from top to bottom): in ``subtract`` it must be seen what is taken from what.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from minigrad import errors
from minigrad.graph import words
from minigrad.graph.capture import Entry, Graph, capture
from minigrad.graph.render import Picture, format_of, replacing

# Tints of the palette of Okabe and Ito, which people with every kind of colour vision can tell apart, with the
# palette's own colours, darkened, as outlines.  The shapes say the same once more.
STYLES = {
    "leaf": {"shape": "ellipse", "fillcolor": "#FCE6B8", "color": "#B97F00", "margin": "0.04,0.02"},
    "constant": {"shape": "cylinder", "fillcolor": "#ECECEC", "color": "#808080", "margin": "0.1,0.06"},
    "operation": {"shape": "box", "style": "rounded,filled", "fillcolor": "#E2F1FB", "color": "#3F8FBF"},
    "arrangement": {"shape": "box", "style": "", "color": "transparent", "fontcolor": "#606060", "fontsize": "10"},
    "output": {"fillcolor": "#BFE8DA", "color": "#00785A", "penwidth": "2.5"},
    "fold": {"shape": "box", "style": "dashed,rounded", "color": "#606060", "margin": "0.2,0.12"},
}

# Operations that only arrange elements anew are many and say little: they are drawn without a box.
ARRANGEMENTS = frozenset({"astype", "broadcast_to", "permute_dims", "reshape"})

# Operations whose operands may change places: dot may, too, and finds a clearer layout.  With many operands the order
# is not shown either.
ORDERLESS = frozenset({"add", "equal", "hypot", "logaddexp", "maximum", "minimum", "multiply", "not_equal", "times"})
PORTS = 8

HEAD = """\
digraph minigrad {{
  graph [rankdir={direction}, nodesep=0.3, ranksep=0.35, pad=0.2, fontname=Helvetica, fontsize=11, fontcolor="#606060"]
  node [fontname=Helvetica, fontsize=13, fontcolor="#202020", style=filled, margin=0, width=0, height=0]
  edge [color="#707070", arrowsize=0.6]
"""

# The second line of a label, smaller, and a thin empty line above it.
DETAIL = '<FONT POINT-SIZE="10" COLOR="#505050">{}</FONT>'
GAP = '<BR/><FONT POINT-SIZE="3"> </FONT><BR/>'


def draw(
    y: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    format: str | None = None,
    names: Mapping[str, Any] | None = None,
    direction: str = "TB",
    limit: int = 500,
) -> Picture:
    """Draw everything that Tensors were computed from.

    Ellipses are leaves, which require grad; cylinders are constants, such as data; rounded boxes are operations;
    what was computed in the end stands out in green.  Operations that only change a shape or a dtype have no box.
    Single numbers are shown, and up to three in a row if they are short.

    Parameters
    ----------
    y : Tensor or sequence of Tensor
    path : path-like, optional
        The file to write.
    format : {"svg", "png", "pdf", "dot"}, optional
        Of the file; by default what the end of the path says.  Without a path, what a notebook shows.
        "dot" is the text for Graphviz, and does not need Graphviz.
    names : mapping of str to Tensor, optional
        Names for leaves and constants, such as ``dict(model.named_parameters())``.
    direction : {"TB", "LR", "BT", "RL"}
        From top to bottom, from left to right, ...
    limit : int
        Of a graph with more entries, about as many are drawn: the first and the last ones, and one for all between.

    Returns
    -------
    Picture
        Notebooks show it; its `source` is the text for Graphviz, and its `save` writes further files.

    Raises
    ------
    GraphError
        If there is no graph, or no picture can be made in that format, or Graphviz fails or takes over a minute.
    ReleasedGraphError
        If a backward pass has released part of the graph: draw before it, or call it with ``retain_graph=True``.
    MissingPackageError
        If there is no Graphviz.  It says how to get one.
    OSError
        If the file cannot be written there; this is found out first.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import graph
    >>> w = mg.tensor(3.0, requires_grad=True, name="w")
    >>> picture = graph.draw(w * w + 1, format="dot")
    >>> print(picture.source)  # doctest: +ELLIPSIS
    digraph minigrad {
    ...
    """
    format = format_of(path, format)
    if direction not in ("TB", "LR", "BT", "RL"):
        raise errors.GraphError(f"the direction of a picture is TB, LR, BT or RL, not {direction!r}")
    if path is None:
        return Picture(dot(capture(y, names=names), direction, limit), format)
    with replacing(path) as file:
        picture = Picture(dot(capture(y, names=names), direction, limit), format)
        file.write(picture.render())
    return picture


def dot(graph: Graph, direction: str = "TB", limit: int = 500) -> str:
    """The picture of a captured graph in Graphviz's language."""
    end = len(graph) if len(graph) <= limit else max(1, limit // 2)
    start = max(end, len(graph) - end)
    shown = [*graph[:end], *graph[start:]]
    lines = [_node(entry, entry.index in graph.outputs, direction) for entry in shown]
    if start > end:
        lines += [f"  fold [label={_quoted(f'… {start - end:,} nodes …')}, {_listed(STYLES['fold'])}]"]
        lines += [f'  label="{len(graph):,} nodes, of which the first {end:,} and the last {end:,} are drawn"']
    lines += _arrows(graph, end, start, direction)
    return "\n".join([HEAD.format(direction=direction) + lines[0], *lines[1:], "}\n"])


def _arrows(graph: Graph, end: int, start: int, direction: str) -> Iterator[str]:
    """An arrow from every operand; of those to and from the fold, between `end` and `start`, one of a kind."""
    side = {"TB": "n", "BT": "s", "LR": "w", "RL": "e"}[direction]
    folded = set()
    for entry in graph:
        head = "fold" if end <= entry.index < start else f"n{entry.index}"
        ports = head != "fold" and _has_ports(entry)
        for place, i in enumerate(entry.inputs):
            if i is None:
                continue
            tail = "fold" if end <= i < start else f"n{i}"
            if "fold" in (tail, head):
                if tail == head or (tail, head) in folded:
                    continue
                folded.add((tail, head))
            # The weight keeps the way from operation to operation straight, with leaves and constants at its sides.
            weight = " [weight=4]" if _style(graph[i]) == "operation" else ""
            yield f"  {tail} -> {head}" + (f":p{place}:{side}" if ports else "") + weight


def _has_ports(entry: Entry) -> bool:
    count = len(entry.inputs)
    return entry.op not in ORDERLESS and count <= PORTS and count - entry.inputs.count(None) >= 2


def _style(entry: Entry) -> str:
    return "arrangement" if entry.op in ARRANGEMENTS else entry.kind


def _node(entry: Entry, is_output: bool, direction: str) -> str:
    style = STYLES[_style(entry)] | (STYLES["output"] if is_output else {})
    text = f"{_title(entry)}{GAP}{DETAIL.format(_escaped(words.describe(entry.value)))}"
    label = _boxed(entry, text, direction) if style["shape"] == "box" else text
    return f"  n{entry.index} [label=<{label}>, tooltip={_quoted(str(entry))}, {_listed(style)}]"


def _title(entry: Entry) -> str:
    """What an entry is called: a name, or an operation and its parameters."""
    name = _escaped(words.label(entry.name))
    if entry.op is None:
        return f"<B>{name}</B>" if name else f"<I>{entry.kind}</I>"
    # Where a number is an operand, a line stands for each of the others.
    operands = [words.number(x) if i is None else "_" for i, x in zip(entry.inputs, entry.args, strict=True)]
    details = [*(operands if None in entry.inputs else []), *words.parameters(entry.params)]
    call = words.index(entry.params) + (f"({', '.join(details)})" if details else "")
    op = _escaped(entry.op) if _style(entry) == "arrangement" else f"<B>{_escaped(entry.op)}</B>"
    return (f"{name} = " if name else "") + op + _escaped(words.shortened(call, 50))


def _boxed(entry: Entry, text: str, direction: str) -> str:
    """The text in a table that fills the box, with a place for the arrow of each operand at the side it comes from."""
    count = len(entry.inputs) if _has_ports(entry) else 0
    ports = [f'<TD PORT="p{place}" CELLPADDING="0"></TD>' for place in range(count)]
    if not count:
        rows = [f"<TD>{text}</TD>"]
    elif direction in ("TB", "BT"):
        rows = ["".join(ports), f'<TD COLSPAN="{count}">{text}</TD>']
        rows = rows if direction == "TB" else rows[::-1]
    else:
        cell = f'<TD ROWSPAN="{count}">{text}</TD>'
        rows = [ports[0] + cell if direction == "LR" else cell + ports[0], *ports[1:]]
    table = "".join(f"<TR>{row}</TR>" for row in rows)
    padding = 2 if _style(entry) == "arrangement" else 6
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{padding}">{table}</TABLE>'


# Graphviz replaces backslash sequences, such as \N, in all text, and reads labels as HTML


def _escaped(text: str) -> str:
    import html  # only pictures need it

    return html.escape(words.printable(text)).replace("\\", "\\\\")


def _quoted(text: str) -> str:
    return '"' + words.printable(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _listed(style: Mapping[str, str]) -> str:
    return ", ".join(f'{key}="{value}"' for key, value in style.items())
