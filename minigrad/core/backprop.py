"""The reverse walk: from results to leaves, newest node first, multiplying by one derivative after another.

Nodes are made in an order in which operands come before results.  So the walk needs no recursion and no sorting of
the graph: of the nodes that a gradient has reached it always takes the newest.  Everything that used its value is
newer still, hence done, and its gradient is complete.

To the outside the gradient of a real loss L by a complex z is ``dL/d(Re z) + i dL/d(Im z)``, the direction of steepest
ascent.  Inside it is the conjugate of that: then ``dL = Re(g dz)``, and the rule of every analytic function is the
formula for real numbers, ``g * f'(z)``.
"""

from collections.abc import Collection, Mapping, Sequence
from heapq import heappop, heappush
from operator import iadd
from typing import Any, TypeAlias

import numpy as np
from numpy import ndarray

from minigrad import writes
from minigrad.core.apply import name_of
from minigrad.core.node import Array, Handle, Node, unwrap
from minigrad.core.operation import Operation, Primitive
from minigrad.diagnostics import Receipt, check_finite, check_made, place_of
from minigrad.errors.backward import bad_hook, bad_joint, released
from minigrad.errors.words import at
from minigrad.gradients import conform, conjugated
from minigrad.notes import Notes
from minigrad.ordering import collect, leading_to
from minigrad.settings import now

Nodes: TypeAlias = Collection[Node]


def backprop(
    roots: Nodes, seeds: Sequence[Array], wanted: Nodes | None = None, retain: bool = False, create_graph: bool = False
) -> dict[Node, Array]:
    """Gradients of the roots' values, weighted by the seeds.

    Parameters
    ----------
    roots : sequence of Node
    seeds : sequence of ndarray or Tensor
        The gradient that enters at each root, of its shape and dtype.
    wanted : collection of Node, optional
        The nodes whose gradients to return.  By default every leaf, and every node whose notes say `keep`.
    retain : bool
        Keep what a second walk over the same nodes would need.
    create_graph : bool
        Record the rules: the gradients are Tensors, to be differentiated again.

    Returns
    -------
    dict of Node to ndarray or Tensor
        They share memory with nothing.
    """
    aside = Aside(roots, wanted, retain, create_graph)
    live, oldest, receipt, interpreter = aside.live, aside.oldest, aside.receipt, aside.mode.interpreter
    named = create_graph or interpreter is not None
    reached: Reached = aside.reached
    for root, seed in zip(roots, map(conjugated, seeds), strict=True):
        entry = reached.setdefault(root.seq, [root, None, False])
        entry[1] = seed if entry[1] is None else entry[1] + seed
    queue = sorted(-seq for seq in reached)
    node = None
    try:
        while queue:
            node, g, alone = reached.pop(-heappop(queue))
            if wanted is not None or node.notes is not None:
                g, alone = aside.arrive(node, g, alone)
            if node.op is None or node.seq <= oldest:
                continue
            inputs, args, y = node.inputs, node.args, node.value
            if isinstance(inputs, Receipt):
                raise released(inputs.place, inputs.interruption)
            if aside.watches or node.seq < writes.last:
                aside.inspect(node)
            if named:
                y, args = aside.names_of(node)
            known, params, made = (g, y) + args, node.op.params, node.op.primitive  # noqa: RUF005  # quicker than unpacking
            if made.saves:
                params = aside.with_saved(node.op, named)
            if receipt is not None:
                node.inputs = node.args = receipt
            rules = made.rules if made.joint is None else _jointly(made, known, params)
            for parent, rule in zip(inputs, rules, strict=False):  # operands after the last rule have no derivative
                if parent is None or rule is None or (live is not None and parent not in live):
                    continue
                so_far = reached.get(parent.seq)
                if so_far is not None and made.into is not None and _is_added_to(so_far) and not aside.anomaly:
                    so_far[1] = made.into(so_far[1], *known, **params)
                    continue
                part = rule(*known, **params) if made.joint is None else rule  # a joint rule gave the gradients
                x, kind = parent.value, part.__class__
                if kind is not x.__class__ or (
                    kind is ndarray and (part.shape != x.shape or part.dtype is not x.dtype)
                ):
                    part = conform(part, x, made.name)
                if aside.anomaly:
                    check_finite(part, f"the derivative of {made.name} made", node.op, place_of(node), args, g)
                if so_far is None:
                    # Our rules return the gradient itself, a view, or an array that they made.
                    reached[parent.seq] = [parent, part, made.ours and part is not g and not create_graph]
                    heappush(queue, -parent.seq)
                elif named or not so_far[2] or so_far[1].base is not None:
                    so_far[1], so_far[2] = so_far[1] + part, not create_graph
                else:
                    so_far[1] = iadd(so_far[1], part)  # type: ignore[no-untyped-call]
    except BaseException as error:
        aside.interrupted(error, node)
        raise
    finally:
        if aside.mode.watcher is not None:
            aside.mode.watcher.differentiating(None)  # this was all
    return aside.found


# What a gradient has reached, by `seq`: the node, its gradient so far, and whether that, if it is no view, is an array
# which only the walk has, so that it may be added to.
Reached: TypeAlias = dict[int, list[Any]]


def _jointly(made: Primitive, known: tuple[Array, ...], params: Mapping[str, Any]) -> Sequence[Array]:
    """The gradients of all operands, by the one rule that gives them."""
    assert made.joint is not None
    parts = made.joint(*known, **params)
    if not isinstance(parts, (list, tuple)) or len(parts) != len(known) - 2:
        raise bad_joint(made.name, parts, len(known) - 2)
    return parts


class Aside:
    """What a walk does beside multiplying and adding, for few nodes or in unusual modes."""

    def __init__(self, roots: Nodes, wanted: Nodes | None, retain: bool, create_graph: bool) -> None:
        self.wanted, self.create_graph, self.mode = wanted, create_graph, now()
        self.live, self.oldest = leading_to(wanted, roots)
        self.receipt: Any = None if retain else Receipt()
        self.anomaly = self.mode.anomaly
        self.watches = self.anomaly or self.mode.watcher is not None
        self.found: dict[Node, Array] = {}
        self.reached: Reached = {}
        self.changes: writes.Changes | None = None

    def arrive(self, node: Node, g: Array, alone: bool) -> tuple[Array, bool]:
        """Call the node's hooks, and keep the gradient if it is asked for."""
        if node.notes is not None and node.notes.hooks:
            g, alone = _hooked(node.notes, g, node.value), False
        kept = node.notes is not None and node.notes.keep if self.wanted is None else node in self.wanted
        if kept:
            traced = self.mode.interpreter is not None  # a program knows what shares memory
            self.found[node] = conjugated(g) if traced else own(conjugated(g), alone)
        return g, alone

    def inspect(self, node: Node) -> None:
        """Look for what was written to in the meantime, and, while somebody watches, at the node."""
        if node.seq < writes.last:
            if self.changes is None:
                still = [node, *(entry[0] for entry in self.reached.values())]
                self.changes = writes.Changes(collect(still, self.oldest))
            self.changes.check(node)
        if self.anomaly:  # which the forward pass perhaps was not looked at for
            check_made(node)
            writes.check_constants(node)
        if self.mode.watcher is not None:
            self.mode.watcher.differentiating(node)

    def names_of(self, node: Node) -> tuple[Array, tuple[Array, ...]]:
        """Result and operands as Tensors, so that the rules are recorded."""
        if self.create_graph:
            pairs = zip(node.args, node.parents(), strict=True)
            return name_of(node.value, node), tuple([x if p is None else name_of(x, p) for x, p in pairs])
        return self.mode.interpreter.names_of(node)

    def with_saved(self, op: Operation, named: bool) -> Mapping[str, Any]:
        """The parameters of the rule of an operation that saves something for it."""
        lost = named and isinstance(op.saved, ndarray)  # what depends on it could not be differentiated
        params = {**op.params, "saved": None if lost else op.saved}
        if self.receipt is not None:
            op.saved = None
        return params

    def interrupted(self, error: BaseException, node: Node | None) -> None:
        """Release what the walk has not come to, and leave word of what prevented it."""
        if self.anomaly and node is not None:
            error.add_note(f"in the derivative of {node.op}{at(place_of(node))}")
        if self.receipt is not None:
            self.receipt.interruption = type(error).__name__
            for other in collect([entry[0] for entry in self.reached.values()], self.oldest):
                if other.op is not None and not other.released:
                    other.inputs = other.args = self.receipt


def own(g: Array, alone: bool = False) -> Array:
    """The gradient as an ndarray, or a Tensor with an ndarray, that shares memory with nothing; a copy if need be."""
    if isinstance(g, Handle):
        return name_of(np.array(g.array), g.node)
    return g if alone and _is_own(g) else np.array(g)


def _is_added_to(entry: list[Any]) -> bool:
    return entry[2] and _is_own(entry[1])


def _is_own(g: Array) -> bool:
    g = unwrap(g)
    return g.__class__ is ndarray and g.base is None and bool(g.ndim)


def _hooked(notes: Notes, g: Array, value: Array) -> Array:
    """The gradient after the hooks have seen it, and perhaps changed it."""
    recorded, g = isinstance(g, Handle), conjugated(g)
    for hook in list(notes.hooks.values()):
        handle = name_of(g.array, g.node) if recorded else name_of(g, None)
        g = handle if (answer := hook(handle)) is None else answer
        g = g if isinstance(g, Handle) else name_of(np.asarray(g), None)
        if g.array.shape != value.shape:
            raise bad_hook(hook, g.array.shape, value.shape)
        g = conform(g if recorded else g.array, value, "hook")
    return conjugated(g)
