"""The reverse walk: from results to leaves, newest node first, multiplying by one derivative after another.

Nodes are made in an order in which operands come before results.  So the walk needs no recursion and no sorting of
the graph: of the nodes that a gradient has reached it always takes the newest.  Everything that used its value is
newer still, hence done, and its gradient is complete.

To the outside the gradient of a real loss L by a complex z is ``dL/d(Re z) + i dL/d(Im z)``, the direction of steepest
ascent.  Inside it is the conjugate of that: then ``dL = Re(g dz)``, and the rule of every analytic function is the
formula for real numbers, ``g * f'(z)``.
"""

from collections.abc import Collection, Iterable, Sequence
from heapq import heappop, heappush
from operator import attrgetter, iadd
from typing import Any, TypeAlias

import numpy as np
from numpy import ndarray

from minigrad import writes
from minigrad.core.apply import NUMBERS, name_of
from minigrad.core.mode import now
from minigrad.core.node import Array, Handle, Node, Notes, notes_of
from minigrad.diagnostics import Receipt, check_finite, check_made
from minigrad.errors.backward import bad_hook, bad_joint, bad_rule, not_a_gradient
from minigrad.errors.words import at

Nodes: TypeAlias = Collection[Node]
_seq = attrgetter("seq")


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
    live, oldest = (None, 0) if wanted is None else (leading_to(wanted, roots), min(map(_seq, wanted)))
    receipt, anomaly, watcher = None if retain else Receipt(), now().anomaly, now().watcher
    watched = anomaly or watcher is not None
    found: dict[Node, Array] = {}
    # What a gradient has reached, by `seq`: the node, its gradient so far, and whether that, if it is no view, is an
    # array which only the walk has, so that it may be added to.  The queue gives the newest first.
    reached: dict[int, list[Any]] = {}
    for root, seed in zip(roots, map(conjugated, seeds), strict=True):
        entry = reached.setdefault(root.seq, [root, None, False])
        entry[1] = seed if entry[1] is None else entry[1] + seed
    queue = sorted(-seq for seq in reached)
    changes: writes.Changes | None = None
    try:
        while queue:
            node, g, alone = reached.pop(-heappop(queue))
            if node.notes is not None:
                if node.notes.hooks:
                    g, alone = _hooked(node.notes, g, node.value), False
                if wanted is None and node.notes.keep:
                    found[node] = own(conjugated(g), alone)
            if wanted is not None and node in wanted:
                found[node] = own(conjugated(g), alone)
            if node.op is None or node.seq <= oldest:
                continue
            if node.seq < writes.last:
                if changes is None:
                    changes = writes.Changes(collect([node, *(entry[0] for entry in reached.values())], oldest))
                changes.check(node)
            if watched:
                if anomaly:  # which the forward pass perhaps was not looked at for
                    check_made(node)
                    writes.check_constants(node)
                if watcher is not None:
                    watcher.differentiating(node)
            inputs, args, y = node.inputs, node.args, node.value
            if create_graph:
                y = name_of(y, node)
                args = tuple([x if p is None else name_of(x, p) for x, p in zip(args, inputs, strict=True)])
            known, params, made = (g, y) + args, node.op.params, node.op.primitive  # noqa: RUF005  # quicker than unpacking
            if receipt is not None:
                node.inputs = node.args = receipt
            if made.joint is None:
                rules = made.rules
            else:
                rules = made.joint(*known, **params)
                if not isinstance(rules, (list, tuple)) or len(rules) != len(inputs):
                    raise bad_joint(made.name, rules, len(inputs))
            for i, parent in enumerate(inputs):
                if parent is None or (rule := rules[i]) is None or (live is not None and parent not in live):
                    continue
                so_far = reached.get(parent.seq)
                if made.into is not None and so_far is not None and so_far[2] and _is_own(so_far[1]) and not anomaly:
                    made.into(so_far[1], g, **params)
                    continue
                part = rule(*known, **params) if made.joint is None else rule  # a joint rule gave the gradients
                x, kind = parent.value, part.__class__
                if kind is not x.__class__ or (
                    kind is ndarray and (part.shape != x.shape or part.dtype is not x.dtype)
                ):
                    part = conform(part, x, made.name)
                if anomaly:
                    check_finite(part, f"the derivative of {made.name} made", node.op, notes_of(node).where, args, g)
                if so_far is None:
                    # Our rules return the gradient itself, a view, or an array that they made.
                    reached[parent.seq] = [parent, part, not create_graph and part is not g and made.ours]
                    heappush(queue, -parent.seq)
                elif so_far[2] and so_far[1].base is None:
                    so_far[1] = iadd(so_far[1], part)  # type: ignore[no-untyped-call]
                else:
                    so_far[1], so_far[2] = so_far[1] + part, not create_graph
    except BaseException as error:
        if anomaly:
            error.add_note(f"in the derivative of {node.op}{at(notes_of(node).where)}")
        if receipt is not None:
            receipt.interruption = type(error).__name__
            for node in collect([entry[0] for entry in reached.values()], oldest):
                if node.op is not None and type(node.inputs) is tuple:
                    node.inputs = node.args = receipt  # type: ignore[assignment]
        raise
    finally:
        if watcher is not None:
            watcher.differentiating(None)
    return found


def collect(roots: Iterable[Node], oldest: int = 0) -> list[Node]:
    """All nodes that the roots were computed from, in order of creation.

    None below a node that is older than `oldest`, or that was released.
    """
    found = set(roots)
    stack = list(found)
    while stack:
        node = stack.pop()
        if node.seq > oldest and node.inputs.__class__ is tuple:
            for parent in node.inputs:
                if parent is not None and parent not in found:
                    found.add(parent)
                    stack.append(parent)
    return sorted(found, key=_seq)


def leading_to(wanted: Nodes, roots: Iterable[Node]) -> set[Node]:
    """The nodes between roots and wanted nodes, both included: those that were computed from a wanted one."""
    live = set(wanted)
    oldest = min(map(_seq, wanted))
    for node in collect(roots, oldest):
        if node.seq > oldest and not live.isdisjoint(node.inputs):
            live.add(node)
    return live


def conform(part: Array, value: Array, name: str) -> Array:
    """Give a gradient the shape and dtype of the value that it belongs to: sum over what was broadcast, cast."""
    part = np.asarray(part) if isinstance(part, (int, float, complex)) else part
    if not hasattr(part, "dtype") or part.dtype.kind not in NUMBERS:
        raise not_a_gradient(name, part)
    if part.shape != value.shape:
        lead = part.ndim - value.ndim
        spread = tuple(range(lead))
        if part.shape[lead:] != value.shape:  # seldom: it is a bias, nearly always
            if lead < 0 or any(n not in (1, m) for n, m in zip(value.shape, part.shape[lead:], strict=True)):
                raise bad_rule(name, f"returned a gradient of shape {part.shape}", value.shape)
            spread = tuple(i for i, n in enumerate((*(1,) * lead, *value.shape)) if i < lead or n != part.shape[i])
        part = np.reshape(np.sum(part, axis=spread), value.shape)
    if part.dtype != value.dtype:
        possible = np.real(part) if part.dtype.kind == "c" and value.dtype.kind == "f" else part
        part = possible.astype(value.dtype)
    return part


def own(g: Array, alone: bool = False) -> Array:
    """The gradient as an ndarray, or a Tensor with an ndarray, that shares memory with nothing; a copy if need be."""
    if isinstance(g, Handle):
        return name_of(np.array(g.array), g.node)
    return g if alone and _is_own(g) else np.array(g)


def _is_own(g: Array) -> bool:
    return g.__class__ is ndarray and g.base is None and bool(g.ndim)


def conjugated(g: Array) -> Array:
    """A gradient as it is seen from the other side of the walk's boundary."""
    return np.conjugate(g) if g.dtype.kind == "c" else g


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
