"""A graph in numbers: how large and deep it is, what its computation costs, and how much memory it keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from minigrad import display
from minigrad.core import Node, collect
from minigrad.graph import tables
from minigrad.graph.capture import nodes_of, plural
from minigrad.graph.costs import backward_flops, flops, is_known
from minigrad.graph.held import held_by, peak_of_backward
from minigrad.graph.tables import Path
from minigrad.graph.watching import trace_of

NOTES = 5  # names of operations in a remark


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a graph, and what it takes.

    Attributes
    ----------
    name : str
        An operation, or the path of a module, whose numbers include those of its parts.
    count : int
        How many nodes.
    flops, backward_flops : int
    bytes : int
        What of the memory for the backward pass these nodes are the first to keep.
    forward, backward : float or None
        Seconds; None unless the graph was computed under `profile`.
    """

    name: str
    count: int
    flops: int
    backward_flops: int
    bytes: int
    forward: float | None
    backward: float | None


@dataclass(frozen=True, slots=True, repr=False)
class GraphSummary:
    """What `summary` returns; printed, it is a table.

    Attributes
    ----------
    nodes, leaves, operations : int
        ``nodes == leaves + operations``.
    depth : int
        The number of operations on the longest way from a leaf to a result.
    parameters : int
        The number of elements of all leaves.
    flops, backward_flops : int
        Floating-point operations: to compute the results, and about how many for the gradients of all leaves.
    estimated : tuple of str
        Operations whose cost is not known: they are taken to be elementwise, or what else comes near.
    bytes_held : int
        The memory of intermediate results that the graph keeps for the backward pass.
    bytes_of_leaves, bytes_of_constants : int
        The memory of leaves, and of other operands, such as data.  The graph keeps these alive too, but they are
        usually there anyway.
    bytes_at_peak : int
        About how much `bytes_held` together with the gradients comes to at most during the backward pass.
    by_operation : tuple of Share
        From the highest number of FLOPs to the lowest; in the order of time if the graph was computed under `profile`.
    by_module : tuple of Share
        Each module before its parts, in the order of calls, and at the end, with an empty name, what is in no module.
        Empty unless the graph was computed under `profile`.
    forward, backward : float or None
        Seconds that the operations took; None unless the graph was computed under `profile`.
    """

    nodes: int
    leaves: int
    operations: int
    depth: int
    parameters: int
    flops: int
    backward_flops: int
    estimated: tuple[str, ...]
    bytes_held: int
    bytes_of_leaves: int
    bytes_of_constants: int
    bytes_at_peak: int
    by_operation: tuple[Share, ...]
    by_module: tuple[Share, ...]
    forward: float | None
    backward: float | None
    _paths: tuple[Path, ...]

    def __repr__(self) -> str:
        return f"<GraphSummary: {self.nodes:,} {plural('node', self.nodes)}, depth {self.depth:,}>"

    def _facts(self) -> list[tuple[str, str]]:
        memory, amount = display.memory, tables.amount
        operations = f"{self.operations:,} {plural('operation', self.operations)}"
        leaves = f"{self.leaves:,} {plural('leaf', self.leaves)}"
        facts = [
            (
                "nodes",
                f"{self.nodes:,} ({operations} and {leaves}), depth {self.depth:,}",
            ),
            ("parameters", f"{self.parameters:,}"),
            ("FLOPs", f"forward {amount(self.flops)}, backward about {amount(self.backward_flops)}"),
            (
                "memory",
                f"held for backward {memory(self.bytes_held)}, leaves {memory(self.bytes_of_leaves)}, constants "
                f"{memory(self.bytes_of_constants)}; peak of backward about {memory(self.bytes_at_peak)}",
            ),
        ]
        if self.forward is not None and self.backward is not None:
            times = f"forward {tables.seconds(self.forward)}, backward {tables.seconds(self.backward)}"
            facts.append(("time", times))
        if self.estimated:
            listed = ", ".join(self.estimated[:NOTES]) + (", ..." if len(self.estimated) > NOTES else "")
            facts.append(("estimated", f"the FLOPs of {listed}, whose cost is not known"))
        return facts

    def _row(self, name: str, share: Share) -> list[str]:
        cells = [name, f"{share.count:,}", tables.amount(share.flops), tables.percent(share.flops, self.flops)]
        cells.append(display.memory(share.bytes))
        if share.forward is not None and share.backward is not None:
            rate = f"{share.flops / share.forward / 1e9:.3g}" if share.flops and share.forward else "-"
            cells += [tables.seconds(share.forward), tables.seconds(share.backward), rate]
        return cells

    def _tables(self) -> list[tuple[list[str], list[list[str]]]]:
        header = ["count", "FLOPs", "share", "held"]
        header += ["forward", "backward", "GFLOP/s forward"] if self.forward is not None else []
        parts = [(["operation", *header], [self._row(share.name, share) for share in self.by_operation])]
        if self.by_module:
            names = map(tables.indented, self._paths)
            rows = [self._row(name, share) for name, share in zip(names, self.by_module, strict=True)]
            parts.append((["module", *header], rows))
        return parts

    def __str__(self) -> str:
        facts = "\n".join(f"{title:10}  {text}" for title, text in self._facts())
        return "\n\n".join([facts, *(tables.aligned(header, rows) for header, rows in self._tables() if rows)])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        def html() -> str:
            return display.table(self._facts()) + "".join(display.table(rows, head) for head, rows in self._tables())

        return display.mimebundle(self.__str__, include, exclude, html=html)


def summary(y: Any) -> GraphSummary:
    """The numbers of the graph of Tensors: size, depth, floating-point operations, memory, and where they are.

    The time it takes is in proportion to the number of nodes, about 10 µs for each.

    Parameters
    ----------
    y : Tensor or sequence of Tensor
        The results, such as a loss.  Also gradients from ``autograd.grad(..., create_graph=True)``.

    Returns
    -------
    GraphSummary

    Raises
    ------
    GraphError
        If a Tensor does not require grad, and so has no graph.
    ReleasedGraphError
        If a backward pass has released part of the graph: call this before it, or pass it ``retain_graph=True``.
    DTypeError
        If `y` is something else than a Tensor, or a list or tuple of Tensors.

    Notes
    -----
    `minigrad.graph.costs` says what counts as how many floating-point operations.  Those for the gradients are an
    estimate: of each operation as many as forward, once for every operand that has a gradient.  That is exact for
    products of matrices and for convolutions, which are most of the work of most models.

    Memory is that of the arrays, as `tracemalloc` counts it too.  A node, with what belongs to it, takes about 0.2 kB
    besides, which counts only in graphs of many small arrays.  The peak is found by going through the backward pass
    without computing it: values are released and gradients come and go as they do there.  Temporary arrays within a
    derivative's formula are not known; that makes the true peak up to 10 % higher, and with convolutions 25 %.
    Intermediate results that you hold yourself by a name are taken as released.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> from minigrad import graph
    >>> w = mg.tensor(np.ones((3, 2)), requires_grad=True)
    >>> print(graph.summary(mg.tanh(np.ones((5, 3)) @ w).sum()))
    nodes       4 (3 operations and 1 leaf), depth 3
    parameters  6
    FLOPs       forward 80, backward about 80
    memory      held for backward 168 B, leaves 48 B, constants 120 B; peak of backward about 248 B
    <BLANKLINE>
    operation  count  FLOPs   share  held
    -------------------------------------
    matmul         1     60  75.0 %  80 B
    sum            1     10  12.5 %   8 B
    tanh           1     10  12.5 %  80 B
    """
    roots = nodes_of(y, "a summary of a graph")
    nodes = collect(roots)
    held = held_by(nodes)
    depths: dict[Node, int] = {}
    estimated: dict[str, bool] = {}
    operations: dict[str, list[int]] = {}
    modules: dict[Path, list[int]] = {}
    leaves = traced = 0
    for node, size in zip(nodes, held.of_nodes, strict=True):
        op = node.op
        if op is None:
            leaves += 1
            depths[node] = 0
            continue
        depths[node] = 1 + max([depths[parent] for parent in node.parents() if parent is not None], default=0)
        if op.name not in estimated:
            estimated[op.name] = not is_known(op)
        trace = trace_of(node)
        work = flops(op, node.args, node.value)
        numbers = [1, work, backward_flops(node, work), size, 0, 0]
        if trace is not None:
            traced += 1
            numbers[4:] = trace.forward, trace.backward
            _add(modules, tables.path_of(trace.calls), numbers)
        _add(operations, op.name, numbers)

    timed = traced > 0
    shares = [_share(name, numbers, timed) for name, numbers in operations.items()]
    total = _share("", [sum(column) for column in zip([0] * 6, *operations.values(), strict=True)], timed)
    branches = tables.tree(modules) if any(modules) else []
    return GraphSummary(
        nodes=len(nodes),
        leaves=leaves,
        operations=total.count,
        depth=max(depths[root] for root in roots),
        parameters=sum(node.value.size for node in nodes if node.op is None),
        flops=total.flops,
        backward_flops=total.backward_flops,
        estimated=tuple(name for name, unknown in estimated.items() if unknown),
        bytes_held=held.values,
        bytes_of_leaves=held.leaves,
        bytes_of_constants=held.constants,
        bytes_at_peak=peak_of_backward(nodes, roots, held),
        by_operation=tuple(sorted(shares, key=_order)),
        by_module=tuple(_share(tables.dotted(path), numbers, timed) for path, _, numbers in branches),
        forward=total.forward,
        backward=total.backward,
        _paths=tuple(path for path, _, _ in branches),
    )


def _add(table: dict[Any, list[int]], key: Any, numbers: Sequence[int]) -> None:
    known = table.get(key)
    table[key] = list(numbers) if known is None else [a + b for a, b in zip(known, numbers, strict=True)]


def _share(name: str, numbers: Any, timed: bool) -> Share:
    count, forward_work, backward_work, size = map(int, numbers[:4])
    forward, backward = (numbers[4] / 1e9, numbers[5] / 1e9) if timed else (None, None)
    return Share(name, count, forward_work, backward_work, size, forward, backward)


def _order(share: Share) -> tuple[float, int, str]:
    return -((share.forward or 0.0) + (share.backward or 0.0)), -share.flops, share.name
