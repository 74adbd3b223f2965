"""Nodes in the order of computation, with names of their own; what is computed already is not computed again."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from minigrad.export.for_onnx.values import Length, Value

_SMALL = 1000  # constants of fewer elements are there only once


class Node(NamedTuple):
    """One operation of ONNX."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]  # of which some are graphs
    place: str


class Nodes:
    """Nodes in the order of computation, and the arrays that they begin with.

    Attributes
    ----------
    outer : Graph, optional
        For the body of a loop or a branch: the graph around it, whose tensors it sees.
    nodes : list of Node
    initializers : dict of str to ndarray
        Only of the outermost graph.
    inputs, outputs : list of Value
    scope, place : str
        What nodes are named after, and the line that they come from.
    """

    def __init__(self, outer: "Self | None" = None) -> None:
        self.outer = outer
        self.nodes: list[Node] = []
        self.initializers: dict[str, np.ndarray] = {} if outer is None else outer.initializers
        self.inputs: list[Value] = []
        self.outputs: list[Value] = []
        self.dims: dict[str, tuple[Value, int]] = {} if outer is None else outer.dims
        self.names: set[str] = set() if outer is None else outer.names
        self.scope: str = "" if outer is None else outer.scope
        self.place: str = "" if outer is None else outer.place
        self._known: dict[Any, list[str]] = {}  # the results of nodes by what they compute
        self._other_names: dict[str, str] = {}

    def fresh(self, name: str) -> str:
        """A name that nothing has yet."""
        unique, count = name, 0
        while unique in self.names:
            count += 1
            unique = f"{name}_{count}"
        self.names.add(unique)
        return unique

    def input(self, name: str, dtype: Any, shape: Sequence[Length]) -> Value:
        """A new input."""
        made = Value(self, name, dtype, shape)
        self.inputs.append(made)
        return made

    def node(self, op: str, inputs: Sequence[Value | None], dtype: Any, shape: Sequence[Length], **how: Any) -> Value:
        """The result of a new node, or of the one that has computed the same already."""
        return self.several(op, inputs, [(dtype, shape)], **how)[0]

    def several(
        self, op: str, inputs: Sequence[Value | None], forms: Sequence[tuple[Any, Sequence[Length]]], **how: Any
    ) -> list[Value]:
        """The results of a node."""
        given = tuple("" if x is None else x.name for x in inputs)
        attributes = {key: value for key, value in how.items() if value is not None}
        key = (op, given, repr(sorted(attributes.items())))
        simple = not any(isinstance(value, Nodes) for value in attributes.values())
        if simple and (known := self._find(key)) is not None:
            return [Value(self, own, dtype, shape) for own, (dtype, shape) in zip(known, forms, strict=True)]
        name = self.fresh(f"{self.scope}/{op}" if self.scope else op)
        names = [name] if len(forms) == 1 else [self.fresh(f"{name}:{i}") for i in range(len(forms))]
        self.nodes.append(Node(op, name, given, tuple(names), attributes, self.place))
        made = [Value(self, own, dtype, shape) for own, (dtype, shape) in zip(names, forms, strict=True)]
        if simple:
            self._known[key] = names
        return made

    def _find(self, key: Any) -> list[str] | None:
        """What the results are called of a node that this graph, or one around it, has already."""
        graph: Nodes | None = self
        while graph is not None:
            if key in graph._known:
                return [graph._other_names.get(name, name) for name in graph._known[key]]
            graph = graph.outer
        return None

    def constant(self, array: Any, dtype: Any = None) -> Value:
        """An array that is known."""
        array = np.asarray(array, dtype)
        key = (array.dtype.str, array.shape, array.tobytes() if array.size < _SMALL else id(array))
        root: Nodes = self
        while root.outer is not None:
            root = root.outer
        if key not in root._known:
            name = self.fresh(f"{self.scope}/constant" if self.scope else "constant")
            self.initializers[name] = array
            root._known[key] = [name]
        return Value(self, root._known[key][0], array.dtype, array.shape)

    def copied(self, x: Value, name: str) -> Value:
        """The same elements once more, under this name."""
        self.nodes.append(Node("Identity", name, (x.name,), (name,), {}, self.place))
        return Value(self, name, x.dtype, x.shape)

    def renamed(self, value: Value, name: str, start: int) -> None:
        """Give the result of a node from the `start`-th on another name."""
        for i in range(start, len(self.nodes)):
            node = self.nodes[i]
            swap = [tuple(name if x == value.name else x for x in part) for part in (node.inputs, node.outputs)]
            own = name if node.outputs == (value.name,) else node.name
            self.nodes[i] = node._replace(inputs=swap[0], outputs=swap[1], name=own)
        self._other_names[value.name] = name
        value.name = name

    def inner(self) -> Self:
        """A graph inside of this one."""
        return type(self)(self)
