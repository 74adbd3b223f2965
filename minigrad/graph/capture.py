"""The nodes of a graph as a program: a list in the order in which they were computed."""

from collections.abc import Container, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, get_args, overload

import numpy as np

from minigrad import errors
from minigrad.core import Array, Facts, Handle, Node, Operation, collect
from minigrad.errors.backward import no_graph
from minigrad.graph import wording
from minigrad.graph.watching import Call, Trace, trace_of
from minigrad.program.equations import Argument, OfTensor, Program, Source, Variable

Kind = Literal["input", "leaf", "constant", "operation"]

# A longer graph is printed without its middle.
LINES = 60
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Entry:
    """One line of a captured graph.

    Attributes
    ----------
    index : int
        Its place in the graph.
    kind : {"input", "leaf", "constant", "operation"}
        A leaf requires grad and a constant does not; an input is what a function that is drawn was called with; an
        operation was computed.
    name : str or None
    inputs : tuple of (int or None)
        For each operand the index of its entry; None for a number that is written into the operation.
    value : ndarray or NumPy scalar
        Shared with the graph, not copied.  Of a leaf it is what the leaf holds now.
    operation : Operation or None
        What computed the value.
    args : tuple
        For each operand its value.
    node : Node or None
        The node itself; None for a constant, and in the graph of a program.
    part : tuple of Call
        In the graph of a compiled program the kernel and the loop that compute the value.
    """

    __slots__ = ("args", "index", "inputs", "kind", "name", "node", "operation", "part", "value")

    def __init__(
        self,
        index: int,
        kind: Kind,
        name: str | None,
        inputs: tuple[int | None, ...],
        value: Array,
        operation: Operation | None = None,
        args: tuple[Array, ...] = (),
        node: Node | None = None,
        part: tuple[Call, ...] = (),
    ) -> None:
        self.index, self.kind, self.name, self.inputs, self.value = index, kind, name, inputs, value
        self.operation, self.args, self.node, self.part = operation, args, node, part

    @property
    def op(self) -> str | None:
        """The name of the operation."""
        return None if self.operation is None else self.operation.name

    @property
    def facts(self) -> Facts | None:
        """What is known of the operation."""
        return None if self.operation is None else self.operation.primitive.facts

    @property
    def params(self) -> Mapping[str, Any]:
        """The operation's parameters, as ``axis``."""
        return NOTHING if self.operation is None else MappingProxyType(self.operation.params)

    @property
    def trace(self) -> Trace | None:
        """Line, modules and times, if the operation was computed under `graph.profile`."""
        return None if self.node is None else trace_of(self.node)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        shape: tuple[int, ...] = self.value.shape
        return shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the value."""
        dtype: np.dtype[Any] = self.value.dtype
        return dtype

    @property
    def expression(self) -> str:
        """How the value was computed, as in ``multiply(%1, %2)``; what it is, if it was not."""
        label = wording.label(self.name)
        if self.op is None:
            return f"{self.kind} {label}".rstrip()
        operands = (wording.number(x) if i is None else f"%{i}" for i, x in zip(self.inputs, self.args, strict=True))
        call = f"{self.op}{wording.index(self.params)}({', '.join([*operands, *wording.parameters(self.params)])})"
        return wording.shortened(call, 80) + (f" as {label}" if label else "")

    def __repr__(self) -> str:
        return f"%{self.index} = {self.expression}   {wording.describe(self.value)}"


class Graph(Sequence[Entry]):
    """A captured graph: a sequence of entries in which operands come before results.  Print it to read it.

    Attributes
    ----------
    outputs : tuple of int
        The indices of the Tensors that were captured, in the order in which they were given.
    """

    __slots__ = ("_entries", "outputs")

    def __init__(self, entries: Sequence[Entry], outputs: Sequence[int]) -> None:
        self._entries = tuple(entries)
        self.outputs = tuple(outputs)

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Entry, ...]: ...
    def __getitem__(self, index: int | slice) -> Entry | tuple[Entry, ...]:
        return self._entries[index]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str | bytes]:
        from minigrad import display  # only notebooks need it

        def html() -> str:
            rows = [(f"%{entry.index}", entry.expression, wording.describe(entry.value)) for entry in self[:LINES]]
            more = [("", f"… {len(self) - LINES:,} more …", "")] if len(self) > LINES else []
            return display.table([*rows, *more], ("", "computed as", "value"))

        return display.mimebundle(lambda: str(self), include, exclude, html=html)

    def __repr__(self) -> str:
        kinds = [entry.kind for entry in self]
        counts = [(kinds.count(kind), kind) for kind in get_args(Kind) if kind != "input" or kind in kinds]
        return f"<Graph: {', '.join(f'{n} {plural(kind, n)}' for n, kind in counts)}>"

    def __str__(self) -> str:
        half = len(self) if len(self) <= LINES else LINES // 2
        shown = [*self[:half], *self[max(half, len(self) - half) :]]
        rows = [(f"%{entry.index}", entry.expression, wording.describe(entry.value)) for entry in shown]
        first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
        lines = [f"{index:{first}} = {call:{second}}   {value}" for index, call, value in rows]
        if len(shown) < len(self):
            lines.insert(half, f"... {len(self) - len(shown):,} more ...")
        return "\n".join([*lines, f"return {', '.join(f'%{i}' for i in self.outputs)}"])


def plural(noun: str, count: int) -> str:
    """The noun after a number."""
    return noun if count == 1 else {"leaf": "leaves"}.get(noun, noun + "s")


def capture(y: Any, *inputs: Any, names: Mapping[str, Any] | None = None) -> Graph:
    """List everything that Tensors were computed from, or that a program computes, in the order of computation.

    Parameters
    ----------
    y : Tensor, sequence of Tensor, or Program
        What was computed; also the gradients from ``autograd.grad(..., create_graph=True)``.  A program, as
        `minigrad.program.trace` gives it, is computed once; what it would change stays as it is.
    *inputs
        What to compute a program with.
    names : mapping of str to Tensor, optional
        Names for leaves and constants, such as ``dict(model.named_parameters())``.  They go before the Tensors' own.

    Returns
    -------
    Graph
        The values in it are the graph's own arrays, and live as long as it does.  Of Tensors it has what led to their
        gradients, of a program all of it: the values that need no gradient, too, the backward pass, and what is written
        in the end, which comes after the results among its `outputs`.

    Raises
    ------
    GraphError
        If a Tensor does not require grad, and so has no graph.
    ProgramError
        If the inputs are not those of the program.
    ReleasedGraphError
        If a backward pass has released part of the graph: capture before it, or call it with ``retain_graph=True``.
    DTypeError
        If `y` or `names` hold something else than Tensors.

    Notes
    -----
    A constant operand is an entry of its own, once however often it is used.  A plain number is not an entry: it is
    written into the operations that use it.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import graph
    >>> x = mg.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True, name="x")
    >>> print(graph.capture(((x - 1) ** 2).mean()))
    %0 = leaf x            float64 (4,)
    %1 = subtract(%0, 1)   float64 (4,)
    %2 = pow(%1, 2)        float64 (4,)
    %3 = mean(%2)          float64 3.5
    return %3
    >>> print(graph.capture(mg.program.trace(lambda x: mg.cumulative_sum(x) > 2, x), x))
    %0 = input inputs[0]      float64 (4,)
    %1 = cumulative_sum(%0)   float64 (4,)
    %2 = greater(%1, 2)       bool (4,)
    return %2
    """
    known = by_identity(names or {})
    if isinstance(y, Program):
        return _entries_of_program(y, y.values(*inputs), known)
    if inputs:
        raise errors.DTypeError(f"graph.capture takes inputs for a program, and {type(y).__name__} is none")
    return entries_of(nodes_of(y), known)


def operands_of(node: Node) -> tuple[Array, ...]:
    """The operands of a node as they were given to it, also those of which it has copies."""
    given: tuple[Array, ...] = getattr(node.args, "given", node.args)
    return given


def entries_of(roots: Sequence[Node], known: Mapping[int, str], given: Container[int] = ()) -> Graph:
    """The graph of these nodes.

    `known` has the names of nodes and constant arrays by identity, and `given` the identities of those that are inputs.
    """
    entries: list[Entry] = []
    indices: dict[int, int] = {}  # of each node and constant array, by identity

    def add(thing: Any, kind: Kind, name: str | None, value: Array, inputs: Sequence[int | None] = ()) -> None:
        kind = "input" if id(thing) in given else kind
        indices[id(thing)] = len(entries)
        node = thing if isinstance(thing, Node) else None
        # A backward pass takes the operands from the node.
        made = () if node is None else (node.op, operands_of(node), node)
        entries.append(Entry(len(entries), kind, name, tuple(inputs), value, *made))

    for node in collect(roots):
        inputs: list[int | None] = []
        for parent, arg in zip(node.parents(), operands_of(node), strict=True):
            thing = arg if parent is None else parent
            if parent is None and id(arg) not in indices and (isinstance(arg, np.ndarray) or id(arg) in known):
                # A buffer is often used in another shape, as a view.
                add(arg, "constant", known.get(id(arg)) or known.get(id(getattr(arg, "base", None))), arg)
            inputs.append(indices.get(id(thing)))
        name = known.get(id(node)) or (node.notes and node.notes.name) or None
        add(node, "leaf" if node.op is None else "operation", name, node.value, inputs)
    return Graph(entries, [indices[id(root)] for root in roots])


def _entries_of_program(program: Program, values: Mapping[Variable, Any], known: Mapping[int, str]) -> Graph:
    """The graph of a program, with the values of one run."""
    entries: list[Entry] = []
    indices: dict[Variable, int] = {}
    written = {x: _described(target, known)[1] for target, x in program.effects if x is not None}

    def add(variable: Variable, kind: Kind, name: str | None, inputs: tuple[int | None, ...] = (), *made: Any) -> None:
        indices[variable] = len(entries)
        value = values[variable]
        value = value if hasattr(value, "dtype") else np.asarray(value)[()]  # a number of Python
        entries.append(Entry(len(entries), kind, name, inputs, value, *made))

    for x, source in program.inputs.items():
        add(x, *_described(source, known))
    for x, constant in program.constants.items():
        add(x, "constant", known.get(id(constant.array)))
    for number, equation in enumerate(program.equations):
        operands = [(indices[x], values[x]) if isinstance(x, Variable) else (None, x.value) for x in equation.inputs]
        inputs, args = tuple([i for i, _ in operands]), tuple([arg for _, arg in operands])
        value, *saved = equation.outputs
        part = tuple([Call(name, name.split(" ")[0], 0) for name in program.parts.get(number, ())])
        add(value, "operation", written.get(value), inputs, equation.operation, args, None, part)
        indices.update(dict.fromkeys(saved, indices[value]))
    return Graph(entries, [indices[x] for x in (*program.outputs, *written)])


def _described(source: Source, known: Mapping[int, str]) -> tuple[Kind, str | None]:
    """What a program reads, or writes in the end: of which kind it is, and its name."""
    if not isinstance(source, OfTensor):
        return "input", source.name if isinstance(source, Argument) else str(source)
    tensor = source.tensor
    thing: Any = tensor.array if tensor.node is None else tensor.node
    return "constant" if tensor.node is None else "leaf", known.get(id(thing)) or getattr(tensor, "name", None)


def nodes_of(y: Any, what: str = "a picture or a list of a graph") -> list[Node]:
    """The nodes of a Tensor, or of several; `what` they are for, for the message."""
    tensors = [y] if isinstance(y, Handle) else list(y) if isinstance(y, (list, tuple)) else []
    if not tensors or not all(isinstance(x, Handle) for x in tensors):
        kinds = ", ".join(type(x).__name__ for x in tensors) or type(y).__name__
        raise errors.DTypeError(f"{what} is made of a Tensor, or of a list or tuple of Tensors, not of {kinds}")
    nodes = [x.node for x in tensors if x.node is not None]
    if len(nodes) < len(tensors):
        raise no_graph(what)
    return nodes


def by_identity(names: Mapping[str, Any]) -> dict[int, str]:
    """The name of each node and of each constant array."""
    known = {}
    for name, x in names.items():
        if not isinstance(x, (Handle, np.ndarray)):
            raise errors.DTypeError(f"names are given to Tensors and arrays, and {name!r} is a {type(x).__name__}")
        known[id(x if isinstance(x, np.ndarray) else x.array if x.node is None else x.node)] = str(name)
    return known
