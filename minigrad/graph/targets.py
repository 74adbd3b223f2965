"""What can be drawn: Tensors, captured graphs, and functions and modules, which are run once."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from minigrad import errors
from minigrad.core import Array, Handle, Node, backprop, enable_grad, unwrap
from minigrad.graph.capture import Entry, Graph, by_identity, capture, entries_of, nodes_of
from minigrad.graph.watching import Tracer
from minigrad.nn.module import Module
from minigrad.nn.restoring import with_state_restored
from minigrad.ops.elementwise import positive
from minigrad.program import Program
from minigrad.tensor import Tensor
from minigrad.tree import flatten, paths

NO_KWARGS: Mapping[str, Any] = MappingProxyType({})


class Target(NamedTuple):
    """A captured graph, and the gradients at its nodes if they were asked for.

    `copies` has the nodes of copies that were drawn in place of Tensors, by the identity of these: inputs, and the
    parameters of a module.
    """

    graph: Graph
    gradients: dict[Node, Array]
    copies: Mapping[int, Node]


def target_of(
    target: Any,
    inputs: Sequence[Any],
    names: Mapping[str, Any] | None,
    gradients: bool,
    kwargs: Mapping[str, Any] = NO_KWARGS,
    what: str = "draw",
    instead: str = 'The file to write is named by path="..."',
) -> Target:
    """The graph of a Tensor, of several, of a captured graph or a program, or of what a function or module computes."""
    if isinstance(target, Program):
        return Target(capture(target, *inputs, names=names), {}, {})
    if isinstance(target, (Handle, list, tuple, dict, Graph)):
        if inputs or kwargs:
            given = len(inputs) + len(kwargs)
            raise errors.DTypeError(
                f"graph.{what} of a {type(target).__name__} takes no inputs, and was given {given}: only functions and "
                f"modules are called with some. {instead}"
            )
        if isinstance(target, Graph):
            return Target(target, gradients_of(target) if gradients else {}, {})
        roots = nodes_of(flatten(target)[0] if isinstance(target, dict) else target)
        try:
            return _captured(roots, by_identity(names or {}), {}, gradients, {})
        except errors.ReleasedGraphError as error:
            error.add_note(f"graph.{what} needs the whole graph: call it before backward()")
            raise
    if not callable(target):
        raise errors.DTypeError(
            f"graph.{what} takes a Tensor, a list of Tensors, or a function or a Module and what to call it with, "
            f"not a {type(target).__name__}"
        )

    def run() -> Target:
        return _run(target, inputs, kwargs, names, gradients, what)

    return with_state_restored(target, run) if isinstance(target, Module) else run()


def _run(
    function: Callable[..., Any],
    inputs: Sequence[Any],
    kwargs: Mapping[str, Any],
    names: Mapping[str, Any] | None,
    gradients: bool,
    what: str,
) -> Target:
    """Call the function once with copies of the inputs, which require grad as far as they can."""
    known: dict[int, str] = {}
    named = [*zip(_parameters(function, len(inputs)), inputs, strict=True), *kwargs.items()]
    arguments, given, copies = _arguments(named)
    if isinstance(function, Module):
        known = by_identity(dict(function.named_parameters()) | dict(function.named_buffers()))
        copies |= {id(x): x.node for x in function.parameters() if x.node is not None}
    with enable_grad(), Tracer():
        by_place, by_name = arguments[: len(inputs)], dict(zip(kwargs, arguments[len(inputs) :], strict=True))
        results = flatten(function(*by_place, **by_name))[0]
        roots = [y.node for y in results if isinstance(y, Handle) and y.node is not None]
        if not roots:
            kinds = ", ".join(sorted({type(y).__name__ for y in results}))
            raise errors.GraphError(
                f"graph.{what} called {_name(function)}, which returned {kinds or 'nothing'}, without a graph: it must "
                "return a Tensor that depends on a floating-point input or on a parameter. float(), item(), detach() "
                "and no_grad() cut the graph"
            )
        return _captured(roots, known | given | by_identity(names or {}), given, gradients, copies)


def _captured(
    roots: Sequence[Node],
    known: Mapping[int, str],
    given: Mapping[int, str],
    gradients: bool,
    copies: Mapping[int, Node],
) -> Target:
    graph = without_copies(entries_of(roots, known, given)) if given else entries_of(roots, known)
    return Target(graph, gradients_of(graph) if gradients else {}, copies)


def without_copies(graph: Graph) -> Graph:
    """The graph without operations that hand a value on as it is: `grad` makes one of every argument."""
    places: dict[int, int] = {}
    entries: list[Entry] = []
    for entry in graph:
        inputs = tuple(None if i is None else places[i] for i in entry.inputs)
        if _is_copy(entry) and entry.index not in graph.outputs and inputs[0] is not None:
            places[entry.index] = inputs[0]
        else:
            places[entry.index] = len(entries)
            made = entry.operation, entry.args, entry.node
            entries.append(Entry(len(entries), entry.kind, entry.name, inputs, entry.value, *made))
    return Graph(entries, [places[i] for i in graph.outputs])


def _is_copy(entry: Entry) -> bool:
    made = entry.operation
    return made is not None and made.primitive is positive.primitive  # type: ignore[attr-defined]  # it has its primitive


def gradients_of(graph: Graph) -> dict[Node, Array]:
    """The gradient at every node, of the sum of all outputs; no `grad` changes, and the graph stays.

    That of a program has no nodes: backward passes are a part of it.
    """
    nodes = [entry.node for entry in graph if entry.node is not None]
    if not nodes:
        return {}
    roots = [node for i in graph.outputs if (node := graph[i].node) is not None]
    with np.errstate(all="ignore"):
        found = backprop(roots, [np.ones_like(root.value)[()] for root in roots], wanted=set(nodes), retain=True)
    return dict(found)


def _arguments(inputs: Iterable[tuple[str, Any]]) -> tuple[list[Any], dict[int, str], dict[int, Node]]:
    """New leaves for the inputs, their names, and of which Tensors they are copies."""
    arguments = []
    given: dict[int, str] = {}
    copies: dict[int, Node] = {}
    for name, tree in inputs:
        tree = _as_array(tree) if isinstance(tree, list) else tree
        leaves, rebuild = flatten(tree)
        made = []
        for label, value in zip(paths(tree, name), leaves, strict=True):
            x = unwrap(value)
            if isinstance(x, (float, complex)) or (isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind in "fc"):
                leaf = Tensor(x, requires_grad=True)
                given[id(leaf.node)] = label
                if isinstance(value, Handle) and leaf.node is not None:
                    copies[id(value)] = leaf.node
                made.append(leaf)
            elif isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind in "biu":
                constant = Tensor(x)
                given[id(constant.array)] = label
                made.append(constant)
            else:
                made.append(value)
        arguments.append(rebuild(made))
    return arguments, given, copies


def _as_array(tree: list[Any]) -> Any:
    """A list, or lists in a list, of nothing but numbers as an array, if their lengths make one."""
    if not all(isinstance(x, (int, float, complex)) for x in flatten(tree)[0]) or not tree:
        return tree
    try:
        return np.array(tree)
    except ValueError:
        return tree


def _parameters(function: Callable[..., Any], count: int) -> list[str]:
    """The names of a function's first parameters."""
    try:
        called = function.forward if isinstance(function, Module) else function
        parameters = inspect.signature(called).parameters.values()
    except (TypeError, ValueError):
        parameters = ()  # type: ignore[assignment]  # a function that does not say
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [names[i] if i < len(names) else f"input {i}" for i in range(count)]


def _name(function: Any) -> str:
    return type(function).__name__ if isinstance(function, Module) else getattr(function, "__name__", repr(function))
