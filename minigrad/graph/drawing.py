"""Drawing: from what shall be seen to its picture."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from minigrad import errors
from minigrad.core import Array, Handle, Node
from minigrad.graph import labels, wording
from minigrad.graph.capture import Graph
from minigrad.graph.diagram import Diagram
from minigrad.graph.dot import dot
from minigrad.graph.frames import Folding, Frame
from minigrad.graph.heat import Heat
from minigrad.graph.payload import payload
from minigrad.graph.picture import Picture
from minigrad.graph.render import format_of
from minigrad.graph.targets import gradients_of, target_of
from minigrad.graph.text import text
from minigrad.options import one_of, real_number
from minigrad.program import Program

# So many boxes an interactive page has with everything open.
PAGE_LIMIT = 1500


def draw(
    target: Any,
    *inputs: Any,
    kwargs: Mapping[str, Any] | None = None,
    path: str | os.PathLike[str] | None = None,
    format: str | None = None,
    show: str | Iterable[str] | None = None,
    depth: int | None = None,
    fold: bool | None = None,
    heat: str | None = None,
    names: Mapping[str, Any] | None = None,
    mark: Mapping[Any, str] | None = None,
    direction: str = "TB",
    legend: bool = True,
    limit: int = 200,
) -> Picture:
    """Draw everything that Tensors were computed from, or what a function, a module or a program computes.

    Houses are inputs; ellipses are parameters and other leaves, which require grad; cylinders are constants, such as
    data; rounded boxes are operations; what was computed in the end has a thick outline.  Operations that only change a
    shape or a dtype have no box.  Calls of modules are frames, but for modules of a single operation without
    parameters.  What repeats itself is drawn once, with a number, and dashed arrows lead into the next repetition.
    Values that are not finite stand out, and a note below names the first one.

    Parameters
    ----------
    target : Tensor, tree of Tensors, Graph, Program, callable or Module
        A function or a module is called once, with copies of the inputs that require grad.  Of a module nothing
        changes: it works on copies of its parameters and buffers, in the mode it is in, with the random numbers it
        would get.  `grad` of a function is a function: its picture is the graph of forward and backward pass together.
        A program is computed once, and changes nothing; its picture has all of it, an optimizer's step, too.
    *inputs
        What to call it with: arrays, numbers, lists of numbers, Tensors, trees of these.
    kwargs : mapping, optional
        What to call it with by name.
    path : path-like, optional
        The file to write.
    format : {"svg", "png", "pdf", "dot", "text", "html"}, optional
        Of the file; by default what the end of the path says.  Without a path, what a notebook shows.
        "html" is an interactive page.  "dot", "text" and "html" do not need Graphviz.
    show : str or iterable of str, optional
        What the boxes say: any of "shape", "dtype", "value", "grad" (the gradient of the sum of the outputs), "line"
        (of the program), "memory", "time" and "formula" (of the derivative); or "all".  Small arrays are shown whole,
        of large ones mean, standard deviation and histogram.  Lines and times are known of functions and modules that
        are called here, and of Tensors that were computed under `graph.profile`.  By default dtype and shape, or up to
        three numbers.
    depth : int, optional
        How many levels of modules to open; 0 draws each outermost module as one box.  By default as many as `limit`
        allows.
    fold : bool, optional
        Whether to draw what repeats itself only once, with the number of times: all of it (True), nothing (False), or,
        by default, equal modules (but not under `heat`, where they are to be compared) and, in large graphs, long
        loops.
    heat : {"grad", "time", "memory"}, optional
        Colour boxes by the norm of their gradient, their time, or their memory, on a logarithmic scale.
    names : mapping of str to Tensor, optional
        Names for leaves and constants, such as ``dict(model.named_parameters())``.
    mark : mapping of (Tensor, Node or int) to str, optional
        Nodes, or their indices in the graph, that shall stand out, each with a word.
    direction : {"TB", "LR", "BT", "RL"}
        From top to bottom, from left to right, ...
    legend : bool
        Whether to explain the colours.
    limit : int
        Of how many boxes the picture may consist.  What is too large is closed, from the innermost modules outwards,
        and then the middle of the graph is left out.

    Returns
    -------
    Picture
        Notebooks show it; its `source` is the text for Graphviz, its `text` the picture in letters, and its `save`
        writes further files.

    Raises
    ------
    GraphError
        If there is no graph, or no picture can be made in that format, or Graphviz fails or takes over half a minute.
    ReleasedGraphError
        If a backward pass has released part of the graph: draw before it, or call it with ``retain_graph=True``.
    MissingPackageError
        If there is no Graphviz.  It says how to get one, and the text for it is saved in place of the picture.
    ArgumentError
        If an option is not one of those above.
    OSError
        If the file cannot be written there.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor(3.0, requires_grad=True, name="w")
    >>> print(mg.graph.draw(w * w + 1, show=("value", "grad")))
    %0 = leaf w                                                            3
                                                                           grad 6
    %1 = multiply(%0, %0)                                                  9
                                                                           grad 1
    %2 = add(%1, 1)                                                        10
                                                                           grad 1
    return %2
    """
    format = format_of(path, format)
    shown = labels.chosen(show)
    one_of(direction, "direction", ("TB", "LR", "BT", "RL"))
    real_number(limit, "limit", least=1)
    if depth is not None:
        real_number(depth, "depth", least=0)
    gradients = "grad" in shown or heat == "grad" or format == "html"
    graph, found, copies = target_of(target, inputs, names, gradients, kwargs or {})
    marks = {_index(graph, thing, copies): str(word) for thing, word in (mark or {}).items()}
    diagram = Diagram(Folding(graph, depth, fold, limit, alike=heat is None), found, marks)
    colours = Heat(diagram, heat) if heat is not None else None

    def interactive() -> str:
        from minigrad.graph.page import page  # few programs need it

        known = found or _gradients(graph)
        whole, closed = opened(graph, known, marks, depth, fold, limit)
        made = payload(whole, _title(target), Heat(whole, heat or "grad"), closed)
        return page({**made, "opened": depth is not None})

    picture = Picture(
        lambda: dot(diagram, shown, direction, colours, legend), lambda: text(diagram, shown), interactive, format
    )
    if path is None:
        picture.write()
    else:
        picture.save(path, format)
    return picture


def opened(
    graph: Graph,
    gradients: Mapping[Node, Array],
    marks: Mapping[int, str] | None = None,
    depth: int | None = None,
    fold: bool | None = None,
    limit: int = 200,
) -> tuple[Diagram, frozenset[Frame]]:
    """A diagram with all modules open, for an interactive page, and the frames that are closed at first."""
    folding = Folding(graph, depth, fold, limit)
    closed = frozenset(frame for frame in folding.root.frames() if frame.closed)
    folding.close(None, PAGE_LIMIT)
    return Diagram(folding, gradients, marks), closed


def _index(graph: Graph, thing: Any, copies: Mapping[int, Node]) -> int:
    """The index in the graph of what shall be marked."""
    if isinstance(thing, (int, np.integer)) and 0 <= thing < len(graph):
        return int(thing)
    node = copies.get(id(thing), thing.node if isinstance(thing, Handle) else thing)
    for entry in graph:
        if entry.node is node if isinstance(node, Node) else isinstance(thing, Handle) and entry.value is thing.array:
            return entry.index
    raise errors.GraphError(
        f"mark= takes Tensors and nodes of the graph that is drawn, or indices from 0 to {len(graph) - 1}, and this is "
        f"none of them: {wording.shortened(repr(thing), 80)}"
    )


def _gradients(graph: Graph) -> dict[Node, Array]:
    """The gradients for a page that is wanted later, unless a backward pass has released the graph since."""
    try:
        return gradients_of(graph)
    except errors.ReleasedGraphError:
        return {}


def _title(target: Any) -> str:
    """What the page is called."""
    if isinstance(target, Handle | list | tuple | Graph | Program):
        return "graph"
    return str(getattr(target, "__name__", type(target).__name__))
