"""The reverse walk: from results to leaves, newest node first, multiplying by one derivative after another.

Nodes are made in an order in which operands come before results.  So the walk needs no recursion and no clever
sorting: it collects what is reachable and takes the newest node first.  When a node's turn comes, everything that
used its value is done, and its gradient is complete.
"""

import dis
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from itertools import repeat
from operator import attrgetter, iadd
from typing import Any, NoReturn

import numpy as np

from minigrad import errors
from minigrad.core.mode import enable_grad, mode, no_grad
from minigrad.core.node import Array, Handle, Node, Notes, Rule, name_of, notes_of, tick

_seq = attrgetter("seq")


class Receipt:
    """Stands for the inputs of a released node, and says who released it to those who look for them."""

    def __init__(self) -> None:
        self.place = errors.user_place()
        self.interruption: str | None = None

    def __iter__(self) -> NoReturn:
        raise errors.released(self.place, self.interruption)


def backprop(
    roots: Sequence[Node],
    seeds: Sequence[Array],
    *,
    wanted: Sequence[Node] | None = None,
    retain_graph: bool = False,
    create_graph: bool = False,
) -> dict[Node, Array]:
    """Gradients of the roots' values, weighted by the seeds.

    Parameters
    ----------
    roots : sequence of Node
    seeds : sequence of ndarray or Tensor
        The gradient that enters at each root, of its shape and dtype.
    wanted : sequence of Node, optional
        The nodes whose gradients to return.  By default every leaf, and every node whose notes say `keep`.
    retain_graph : bool
        Keep what a second walk over the same nodes would need.
    create_graph : bool
        Record the rules: the gradients are Tensors, to be differentiated again.

    Returns
    -------
    dict of Node to ndarray or Tensor
        May share memory with anything: copy what is to be kept.
    """
    oldest = 0 if wanted is None else min(map(_seq, wanted))
    order = collect(roots, oldest)
    live = None if wanted is None else leading_to(wanted, order)
    _check_fresh(order)
    receipt = None if retain_graph else Receipt()
    found: dict[Node, Array] = {}
    table: dict[Node, Array] = {}
    for root, seed in zip(roots, seeds, strict=True):
        table[root] = table[root] + seed if root in table else seed
    owned: set[Node] = set()  # nodes whose gradient so far is an array that this walk made, and may add to
    anomaly = mode.anomaly
    try:
        while order:
            node = order.pop()
            g = table.pop(node, None)
            if g is None:
                continue
            if node.notes is not None:
                g = _noted(node.notes, g, node.value)
                if wanted is None and node.notes.keep:
                    found[node] = g
            if wanted is not None and node in wanted:
                found[node] = g
            op, inputs, args, y = node.op, node.inputs, node.args, node.value
            if op is None or node.seq <= oldest:
                continue
            if receipt is not None:
                node.inputs, node.args = receipt, ()  # type: ignore[assignment]  # a Receipt raises when it is read
            if create_graph:
                y = name_of(y, node)
                args = tuple(x if p is None else name_of(x, p) for x, p in zip(args, inputs, strict=True))
            rules, params = op.primitive.rules, op.params
            joint = None if op.primitive.joint is None else op.primitive.joint(g, y, *args, **params)
            for i, parent in enumerate(inputs):
                if parent is None or (live is not None and parent not in live):
                    continue
                part = rules[i](g, y, *args, **params) if joint is None else joint[i]  # type: ignore[misc]
                value = parent.value
                if part.shape != value.shape or part.dtype != value.dtype:
                    part = conform(part, value, op.name)
                if anomaly:
                    errors.check_finite(part, f"the derivative of {op.name} made", op, (g, *args), notes_of(node))
                if parent not in table:
                    table[parent] = part
                elif parent in owned:
                    table[parent] = iadd(table[parent], part)
                else:
                    table[parent] = table[parent] + part
                    if not create_graph:
                        owned.add(parent)
    except BaseException as error:
        if receipt is not None:
            receipt.interruption = type(error).__name__
            for node in order:
                if node.op is not None:
                    node.inputs, node.args = receipt, ()  # type: ignore[assignment]
        raise
    return found


def collect(roots: Iterable[Node], oldest: int = 0) -> list[Node]:
    """All nodes that the roots were computed from, in order of creation; none below a node older than `oldest`."""
    found = set(roots)
    stack = list(found)
    while stack:
        node = stack.pop()
        if node.seq > oldest:
            for parent in node.inputs:
                if parent is not None and parent not in found:
                    found.add(parent)
                    stack.append(parent)
    return sorted(found, key=_seq)


def leading_to(wanted: Sequence[Node], order: Sequence[Node]) -> set[Node]:
    """The nodes of `order` that were computed from a wanted node, and these themselves."""
    live = set(wanted)
    oldest = min(map(_seq, wanted))
    for node in order:
        if node.seq > oldest and not live.isdisjoint(node.inputs):
            live.add(node)
    return live


def conform(part: Array, value: Array, name: str) -> Array:
    """Give a gradient the shape and dtype of the value that it belongs to: sum over what was broadcast, cast."""
    if not isinstance(part, (np.ndarray, np.generic, Handle)):
        raise errors.bad_rule(name, f"returned {type(part).__name__}, not an array", value.shape)
    if part.shape != value.shape:
        lead = part.ndim - value.ndim
        if lead < 0 or any(n not in (1, m) for n, m in zip(value.shape, part.shape[lead:], strict=True)):
            raise errors.bad_rule(name, f"returned a gradient of shape {part.shape}", value.shape)
        spread = tuple(i for i, n in enumerate((*(1,) * lead, *value.shape)) if i < lead or n < part.shape[i])
        part = np.reshape(np.sum(part, axis=spread), value.shape)
    if part.dtype != value.dtype:
        if part.dtype.kind == "c" and value.dtype.kind == "f":
            part = np.real(part)
        part = part.astype(value.dtype)
    return part


def _noted(notes: Notes, g: Array, value: Array) -> Array:
    """The gradient after the hooks have seen it, and perhaps changed it."""
    for hook in list(notes.hooks.values()):
        handle = g if isinstance(g, Handle) else name_of(g, None)
        with nullcontext() if isinstance(g, Handle) else no_grad():
            answer = hook(handle)
        answer = handle if answer is None else answer
        if not isinstance(g, Handle):
            answer = answer.data if isinstance(answer, Handle) else np.asarray(answer)
        g = answer
        if g.shape != value.shape:
            raise errors.bad_hook(hook, g.shape, value.shape)
        g = conform(g, value, "hook")
    return g


def backward(root: Handle, gradient: Any, retain_graph: bool, create_graph: bool) -> None:
    """Add to the `grad` of every leaf, and of nodes that keep theirs; all of them at once, at the very end."""
    if root.node is None:
        raise errors.no_graph("backward()")
    found = walk([root], [gradient], retain_graph=retain_graph, create_graph=create_graph)
    kept = [node.notes for node in found]
    sums = []
    for notes, g in zip(kept, found.values(), strict=True):
        old = notes.grad  # type: ignore[union-attr]  # only nodes with notes keep gradients
        if create_graph:
            sums.append(g if old is None else old + g)  # type: ignore[operator]
        else:
            sums.append(name_of(np.array(g) if old is None else old.data + g, None))
    # Not a loop: one call into C, which Ctrl-C cannot interrupt half-way.
    deque(map(setattr, kept, repeat("grad"), sums), maxlen=0)


def walk(roots: Sequence[Handle], gradients: Sequence[Any], *, create_graph: bool, **how: Any) -> dict[Node, Array]:
    """`backprop` from Tensors: check and fill in the gradients that enter, and set the mode for the rules."""
    with enable_grad() if create_graph else nullcontext():
        seeds = [seed(root, g, create_graph) for root, g in zip(roots, gradients, strict=True)]
        return backprop([root.node for root in roots], seeds, create_graph=create_graph, **how)  # type: ignore[misc]


def seed(root: Handle, gradient: Any, create_graph: bool) -> Array:
    """The gradient that enters at a root: ones for a single number, else what the caller gives, checked."""
    value = root.data
    if gradient is None:
        if value.size != 1:
            raise errors.not_a_scalar(value.shape)
        gradient = np.ones_like(value) if value.ndim else value.dtype.type(1)
    elif not isinstance(gradient, Handle):
        gradient = np.asarray(gradient)
    elif not create_graph:
        gradient = gradient.data
    if gradient.shape != value.shape:
        raise errors.wrong_seed(gradient.shape, value.shape)
    gradient = conform(gradient, value, "backward")
    return gradient if isinstance(gradient, Handle) or not create_graph else name_of(gradient, None)


_last_write = 0


def note_write(leaf: Node, place: errors.Place | None = None) -> None:
    """Remember that the leaf's memory was written to: what older nodes know of its value is out of date."""
    global _last_write
    assert leaf.notes is not None
    leaf.notes.written = _last_write = tick()
    leaf.notes.where = place


def _check_fresh(order: Sequence[Node]) -> None:
    """Raise if a rule would read memory that was written to after its operation had used it."""
    oldest = next((node.seq for node in order if node.op is not None), _last_write)
    if _last_write <= oldest:
        return  # as in every loop that runs forward, backward, update
    written = [node for node in order if node.op is None and node.notes is not None and node.notes.written > oldest]
    for node in order:
        if node.op is None:
            continue
        rules = [rule for rule, parent in zip(_rules(node), node.inputs, strict=True) if parent is not None]
        for position, value in enumerate((node.value, *node.args), start=1):
            if not any(_reads(rule, position) for rule in rules):
                continue
            for leaf in written:
                if leaf.notes.written > node.seq and np.may_share_memory(value, leaf.value):  # type: ignore[union-attr]
                    raise errors.stale(leaf, node)


def _rules(node: Node) -> Sequence[Rule | None]:
    primitive = node.op.primitive  # type: ignore[union-attr]
    return primitive.rules or (primitive.joint,) * len(node.inputs)


_DESCRIPTIONS = {"shape", "dtype", "ndim", "size"}


def _reads(rule: Rule | None, position: int) -> bool:
    """Whether a rule looks at more of its argument at `position` than at its shape and dtype."""
    code = getattr(rule, "__code__", None)
    if code is None or position >= code.co_argcount or code.co_varnames[position] in code.co_cellvars:
        return rule is not None
    name = code.co_varnames[position]
    steps = list(dis.get_instructions(code))
    for step, after in zip(steps, steps[1:], strict=False):
        loaded = step.argval if isinstance(step.argval, tuple) else (step.argval,)
        if step.opname.startswith("LOAD_FAST") and name in loaded:
            described = after.opname == "LOAD_ATTR" and after.argval in _DESCRIPTIONS and loaded[-1] == name
            if not described:
                return True
    return False
