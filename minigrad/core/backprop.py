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
from minigrad.core.node import Array, Handle, Node, Rule, unwrap
from minigrad.core.operation import Operation
from minigrad.diagnostics import Receipt, check_finite, check_made, place_of
from minigrad.errors.backward import bad_hook, bad_joint, released
from minigrad.errors.words import at
from minigrad.gradients import conform, conjugated
from minigrad.notes import Notes
from minigrad.ordering import collect, leading_to
from minigrad.settings import Mode, now

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
    live, oldest = (None, 0) if wanted is None else leading_to(wanted, roots)
    mode, receipt, changes = now(), None if retain else Receipt(), None
    anomaly, watches = mode.anomaly, mode.anomaly or mode.watcher is not None
    named = create_graph or mode.interpreter is not None
    found: dict[Node, Array] = {}
    reached: Reached = {}
    for root, seed in zip(roots, map(conjugated, seeds), strict=True):
        entry = reached.setdefault(root.seq, [root, None, False])
        entry[1] = seed if entry[1] is None else entry[1] + seed
    queue = sorted(-seq for seq in reached)
    node = None
    try:
        while queue:
            node, g, alone = reached.pop(-heappop(queue))
            if node.notes is not None or wanted is not None:
                notes = node.notes
                if notes is not None and notes.hooks:
                    g, alone = _hooked(notes, g, node.value), False
                if (notes is not None and notes.keep) if wanted is None else node in wanted:
                    found[node] = own(conjugated(g), alone) if mode.interpreter is None else conjugated(g)
            if node.op is None or node.seq <= oldest:
                continue
            inputs, args, y = node.inputs, node.args, node.value
            if type(inputs) is Receipt:
                raise released(inputs.place, inputs.interruption)
            if watches or node.seq < writes.last:
                changes = _inspected(node, mode, changes, reached, oldest)
            if named:
                y, args = _names_of(node, mode.interpreter, create_graph)
            known, params, made = (g, y) + args, node.op.params, node.op.primitive  # noqa: RUF005  # quicker than unpacking
            rules, into = made.rules, None if anomaly else made.into
            if made.special:
                params, rules = _special(node.op, known, named, create_graph, receipt is not None)
            if receipt is not None:
                node.inputs = node.args = receipt
            for i, rule in enumerate(rules):  # operands after the last rule have no derivative
                parent = inputs[i]
                if parent is None or rule is None or (live is not None and parent not in live):
                    continue
                so_far = reached.get(parent.seq)
                if so_far is not None and into is not None and so_far[2] and _is_own(unwrap(so_far[1])):
                    so_far[1] = into(so_far[1], *known, **params)
                    continue
                part = rule(*known, **params)
                x, kind = parent.value, part.__class__
                if kind is not x.__class__ or (
                    kind is ndarray and (part.shape != x.shape or part.dtype is not x.dtype)
                ):
                    part = conform(part, x, made.name)
                if anomaly:
                    check_finite(part, f"the derivative of {made.name} made", node.op, place_of(node), args, g)
                if so_far is None:
                    # Our rules return the gradient itself, a view, or an array that they made.
                    reached[parent.seq] = [parent, part, made.ours and part is not g and not create_graph]
                    heappush(queue, -parent.seq)
                elif so_far[2] and not named and so_far[1].base is None:
                    so_far[1] = iadd(so_far[1], part)  # type: ignore[no-untyped-call]
                else:
                    so_far[1], so_far[2] = so_far[1] + part, not create_graph
    except BaseException as error:
        if anomaly and node is not None:
            error.add_note(f"in the derivative of {node.op}{at(place_of(node))}")
        if receipt is not None:
            _released(collect([entry[0] for entry in reached.values()], oldest), receipt, error)
        raise
    finally:
        if mode.watcher is not None:
            mode.watcher.differentiating(None)  # this was all
    return found


# What a gradient has reached, by `seq`: the node, its gradient so far, and whether that, if it is no view, is an array
# which only the walk has, so that it may be added to.
Reached: TypeAlias = dict[int, list[Any]]


# What few nodes need


def _inspected(node: Node, mode: Mode, changes: Any, reached: Reached, oldest: int) -> writes.Changes | None:
    """Look for what was written to in the meantime, and, while somebody watches, at the node."""
    if node.seq < writes.last:
        changes = changes or writes.Changes(collect([node, *(entry[0] for entry in reached.values())], oldest))
        changes.check(node)
    if mode.anomaly:  # which the forward pass perhaps was not looked at for
        check_made(node)
        writes.check_constants(node)
    if mode.watcher is not None:
        mode.watcher.differentiating(node)
    known: writes.Changes | None = changes
    return known


def _names_of(node: Node, interpreter: Any, create_graph: bool) -> tuple[Array, tuple[Array, ...]]:
    """Result and operands as Tensors, so that the rules are recorded; in a program those that need no gradient, too."""
    y, args = (node.value, node.args) if interpreter is None else interpreter.names_of(node)
    if not create_graph:
        return y, args
    triples = zip(node.args, node.parents(), args, strict=True)
    return name_of(node.value, node), tuple([other if p is None else name_of(x, p) for x, p, other in triples])


def _special(
    op: Operation, known: tuple[Array, ...], named: bool, create_graph: bool, last: bool
) -> tuple[Mapping[str, Any], Sequence[Rule | None]]:
    """Parameters and rules of an operation that saves something, has one rule for all, or was given less operands."""
    made, params = op.primitive, op.params
    if made.saves:
        saved = op.saved
        if named and isinstance(saved, ndarray):  # in a graph, what depends on it could not be differentiated
            kept = not create_graph and now().interpreter.keeps_saved
            saved = name_of(saved, None) if kept else None
        params = {**params, "saved": saved}
        if last:
            op.saved = None
    if made.joint is None:
        return params, made.rules[: len(known) - 2]
    parts = made.joint(*known, **params)
    if not isinstance(parts, (list, tuple)) or len(parts) != len(known) - 2:
        raise bad_joint(made.name, parts, len(known) - 2)
    return params, [None if part is None else _giving(part) for part in parts]


def _giving(part: Array) -> Rule:
    """A rule with an answer that is known."""
    return lambda *known, **params: part


def _released(nodes: Sequence[Node], receipt: Receipt, error: BaseException) -> None:
    """Release what a walk has not come to, and leave word of what prevented it."""
    receipt.interruption = type(error).__name__
    for node in nodes:
        if node.op is not None and not node.released:
            node.inputs = node.args = receipt


def own(g: Array, alone: bool = False) -> Array:
    """The gradient as an ndarray, or a Tensor with an ndarray, that shares memory with nothing; a copy if need be."""
    if isinstance(g, Handle):
        return name_of(np.array(g.array), g.node)
    return g if alone and _is_own(g) else np.array(g)


def _is_own(g: Array) -> bool:
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
