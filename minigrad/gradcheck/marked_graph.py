"""The graph of a function under check, with the operations at fault marked: as a picture, and as text."""

from collections.abc import Mapping
from typing import NamedTuple

from minigrad import errors
from minigrad.core import Node
from minigrad.gradcheck.blame import Culprit
from minigrad.gradcheck.failure import aligned
from minigrad.gradcheck.function import Function
from minigrad.graph import Graph, capture, wording

_LINES = 40  # a longer text is cut to what stands around the marks
_AROUND = 3


class Drawing(NamedTuple):
    """A function whose graph is drawn, and the operations to mark in it."""

    title: str
    function: Function
    culprits: dict[str, Culprit]

    @property
    def marks(self) -> dict[Node | None, str]:
        """The nodes of the operations at fault, each with a word."""
        said = {"not finite": "NaN or inf", "shape": "wrong shape"}
        return {
            node: said.get(culprit.kind, culprit.kind) for culprit in self.culprits.values() for node in culprit.nodes
        }

    def text(self) -> str:
        """The graph as a list of operations."""
        roots = [y for y in self.function.outputs if y.requires_grad]
        if not roots:
            return "no output depends on an input: there is no graph"
        return "\n".join(_lines(capture(roots, names=self._names()), self.marks))

    def svg(self) -> str:
        """The graph as a picture.

        Raises
        ------
        MissingPackageError
            If there is no Graphviz.
        GraphError
            If there is no graph, or no picture of it.
        """
        roots = [y for y in self.function.outputs if y.requires_grad]
        if not roots:
            raise errors.GraphError("no output depends on an input: there is no graph")
        from minigrad.graph import draw  # few checks fail, and fewer are drawn

        picture = draw(roots, names=self._names(), mark=self.marks)
        svg = picture.render("svg").decode()
        return svg[svg.index("<svg") :]  # what stands before it belongs into a file of its own

    def _names(self) -> dict[str, object]:
        names = self.function.names[1]
        return {names[i]: leaf for i, leaf in zip(self.function.active, self.function.leaves, strict=True)}


def _lines(graph: Graph, marks: Mapping[Node | None, str]) -> list[str]:
    """The entries, with an arrow at those that are marked; of a long graph the marked ones and their neighbours."""
    near = [
        i for entry in graph if entry.node in marks for i in range(entry.index - _AROUND, entry.index + _AROUND + 1)
    ]
    if len(graph) <= _LINES:
        shown = list(range(len(graph)))
    else:
        shown = sorted({i for i in near or range(_LINES) if 0 <= i < len(graph)})[:_LINES]
    rows: list[tuple[str, ...]] = []
    after = 0
    for i in shown:
        if i > after:
            rows.append(("", f"... {i - after:,} more", "", ""))
        word = marks.get(graph[i].node)
        value = wording.describe(graph[i].value)
        rows.append((">>" if word else "", f"%{i} = {graph[i].expression}", value, f"<== {word}" if word else ""))
        after = i + 1
    if after < len(graph):
        rows.append(("", f"... {len(graph) - after:,} more", "", ""))
    return aligned(rows)
