"""The reverse walk: from results to leaves, newest node first, multiplying by one derivative after another.

Nodes are made in an order in which operands come before results.  So the walk needs no recursion and no sorting of
the graph: of the nodes that a gradient has reached it always takes the newest.  Everything that used its value is
newer still, hence done, and its gradient is complete.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from itertools import pairwise, repeat
from operator import attrgetter, iadd
from typing import Any, NoReturn

import numpy as np
from numpy import ndarray

from minigrad import errors
from minigrad.core.mode import enable_grad, mode
from minigrad.core.node import Array, Handle, Node, Notes, Rule, name_of, notes_of, tick

_seq = attrgetter("seq")
_ARRAYS: Any = (ndarray, np.generic, Handle)


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
    live: set[Node] | None = None
    targets: set[Node] = set()
    oldest = 0
    if wanted is not None:
        live, targets, oldest = leading_to(wanted, roots), set(wanted), min(map(_seq, wanted))
    receipt = None if retain_graph else Receipt()
    anomaly = mode.anomaly
    found: dict[Node, Array] = {}
    # What a gradient has reached, by `seq`: the node, the gradient so far, and whether that is an array which this
    # walk made and may add to.  The queue gives the newest node first.
    reached: dict[int, list[Any]] = {}
    for root, seed in zip(roots, seeds, strict=True):
        if root.seq in reached:
            reached[root.seq][1] = reached[root.seq][1] + seed
        else:
            reached[root.seq] = [root, seed, False]
    queue = sorted(-seq for seq in reached)
    written: list[Node] | None = None
    try:
        while queue:
            seq = -heappop(queue)
            node, g, _ = reached.pop(seq)
            if node.notes is not None:
                if node.notes.hooks:
                    g = _hooked(node.notes, g, node.value)
                if wanted is None and node.notes.keep:
                    found[node] = g
            if live is not None and node in targets:
                found[node] = g
            op = node.op
            if op is None or seq <= oldest:
                continue
            if seq < _last_write:
                if written is None:
                    below = collect([node, *(entry[0] for entry in reached.values())], oldest)
                    written = [leaf for leaf in below if _written(leaf)]
                _check_fresh(node, written)
            inputs, args, y = node.inputs, node.args, node.value
            if receipt is not None:
                node.inputs, node.args = receipt, ()
            if create_graph:
                y = name_of(y, node)
                args = tuple(x if p is None else name_of(x, p) for x, p in zip(args, inputs, strict=True))
            known, params, joint = (g, y, *args), op.params, op.primitive.joint
            rules = op.primitive.rules if joint is None else joint(*known, **params)
            for parent, rule in zip(inputs, rules, strict=True):
                if parent is None or (live is not None and parent not in live):
                    continue
                if joint is not None:
                    part = rule
                elif params:
                    part = rule(*known, **params)
                else:
                    part = rule(*known)
                value = parent.value
                kind = type(part)
                if kind is not type(value) or (
                    kind is ndarray and (part.shape != value.shape or part.dtype is not value.dtype)
                ):
                    part = conform(part, value, op.name)
                if anomaly:
                    errors.check_finite(part, f"the derivative of {op.name} made", op, (g, *args), notes_of(node))
                entry = reached.get(parent.seq)
                if entry is None:
                    reached[parent.seq] = [parent, part, False]
                    heappush(queue, -parent.seq)
                elif entry[2]:
                    entry[1] = iadd(entry[1], part)  # type: ignore[no-untyped-call]
                else:
                    entry[1] = entry[1] + part
                    entry[2] = not create_graph
    except BaseException as error:
        if receipt is not None:
            receipt.interruption = type(error).__name__
            for node in collect([entry[0] for entry in reached.values()], oldest):
                if node.op is not None:
                    node.inputs, node.args = receipt, ()  # type: ignore[assignment]
        raise
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


def leading_to(wanted: Sequence[Node], roots: Iterable[Node]) -> set[Node]:
    """The nodes between roots and wanted nodes, both included: those that were computed from a wanted one."""
    live = set(wanted)
    oldest = min(map(_seq, wanted))
    for node in collect(roots, oldest):
        if node.seq > oldest and not live.isdisjoint(node.inputs):
            live.add(node)
    return live


def conform(part: Array, value: Array, name: str) -> Array:
    """Give a gradient the shape and dtype of the value that it belongs to: sum over what was broadcast, cast."""
    if not isinstance(part, _ARRAYS):
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


def _hooked(notes: Notes, g: Array, value: Array) -> Array:
    """The gradient after the hooks have seen it, and perhaps changed it."""
    for hook in list(notes.hooks.values()):
        handle = g if isinstance(g, Handle) else name_of(g, None)
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
            sums.append(g if old is None else old + g)
        else:
            sums.append(name_of(np.array(g) if old is None else old.data + g, None))
    # Not a loop: one call into C, which Ctrl-C cannot interrupt half-way.
    deque(map(setattr, kept, repeat("grad"), sums), maxlen=0)


def walk(roots: Sequence[Handle], gradients: Sequence[Any], *, create_graph: bool, **how: Any) -> dict[Node, Array]:
    """`backprop` from Tensors: check and fill in the gradients that enter, and set the mode for the rules.

    NumPy's floating-point warnings are off: rules meet 0/0 where a gradient is 0, and `detect_anomaly` is the
    better way to find the others.
    """
    nodes: Any = [root.node for root in roots]
    with np.errstate(all="ignore"):
        if create_graph:
            with enable_grad():
                seeds = [_seed(root.data, g, True) for root, g in zip(roots, gradients, strict=True)]
                return backprop(nodes, seeds, create_graph=True, **how)
        return backprop(nodes, [_seed(root.data, g) for root, g in zip(roots, gradients, strict=True)], **how)


def _seed(value: Array, gradient: Any, named: bool = False) -> Array:
    """The gradient that enters at a root: 1 for a single number, else what the caller gives, checked."""
    if gradient is None:
        if value.size != 1:
            raise errors.not_a_scalar(value.shape)
        gradient = type(value)(1) if isinstance(value, np.generic) else np.ones_like(value)
    else:
        gradient = gradient if isinstance(gradient, Handle) else np.asarray(gradient)
        if gradient.shape != value.shape:
            raise errors.wrong_seed(gradient.shape, value.shape)
        gradient = conform(gradient, value, "backward")
    if named:
        return gradient if isinstance(gradient, Handle) else name_of(gradient, None)
    return gradient.data if isinstance(gradient, Handle) else gradient


_last_write = 0


def note_write(leaf: Node, place: errors.Place | None = None) -> None:
    """Remember that the leaf's memory was written to: what older nodes know of its value is out of date."""
    global _last_write
    assert leaf.notes is not None
    leaf.notes.written = _last_write = tick()
    leaf.notes.where = place


def _written(node: Node) -> int:
    return node.notes.written if node.op is None and node.notes is not None else 0


def _check_fresh(node: Node, leaves: Sequence[Node]) -> None:
    """Raise if a rule of the node would read memory that was written to after its operation had used it."""
    for leaf in leaves:
        if _written(leaf) < node.seq:
            continue
        rules = [rule for rule, parent in zip(_rules(node), node.inputs, strict=True) if parent is not None]
        for position, value in enumerate((node.value, *node.args), start=1):
            if np.may_share_memory(value, leaf.value) and any(_reads(rule, position) for rule in rules):
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
    import dis  # only here, before an error: it takes milliseconds

    name = code.co_varnames[position]
    steps = list(dis.get_instructions(code))
    for step, after in pairwise(steps):
        loaded = step.argval if isinstance(step.argval, tuple) else (step.argval,)
        if step.opname.startswith("LOAD_FAST") and name in loaded:
            described = after.opname == "LOAD_ATTR" and after.argval in _DESCRIPTIONS and loaded[-1] == name
            if not described:
                return True
    return False
