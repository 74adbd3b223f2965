"""The memory that a graph keeps, and how it comes and goes while a backward pass walks over it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.core import Node
from minigrad.graph.capture import operands_of


class Held(NamedTuple):
    """The memory that the nodes of a graph keep; each part in bytes, and memory that several share counted once.

    Attributes
    ----------
    values : int
        Results of operations, and arrays that operations have as parameters.
    constants : int
        Operands that require no grad.
    leaves : int
    of_nodes : list of int
        For each node what it is the first to keep, of the first kind.
    sizes : dict of int to int
        The bytes of all memory of the first kind, by the identity of the array that owns it.
    users : list of tuple
        For each node the identities of the memory of the first kind that it refers to.
    """

    values: int
    constants: int
    leaves: int
    of_nodes: list[int]
    sizes: dict[int, int]
    users: list[tuple[int, ...]]


def memory_of(x: Any) -> tuple[int, int]:
    """The identity of the array that owns the memory of an array or NumPy scalar, and its bytes.

    Of a view, that is all the memory that it keeps alive.
    """
    if x.__class__ is not np.ndarray:  # None has no bytes
        return id(x), getattr(x, "nbytes", 0)
    base = x.base
    while base is not None:
        if isinstance(base, np.ndarray):
            x = base
        base = getattr(base, "base", None)
    return id(x), x.nbytes


def held_by(nodes: Sequence[Node]) -> Held:
    """The memory that nodes keep, which are given in order of creation, operands before results."""
    leaves = dict(memory_of(node.value) for node in nodes if node.op is None)
    constants = {
        key: size
        for node in nodes
        if node.op is not None
        for parent, x in _operands(node)
        if parent is None and isinstance(x, np.ndarray)
        for key, size in (memory_of(x),)
        if key not in leaves
    }
    sizes: dict[int, int] = {}
    users: list[tuple[int, ...]] = []
    of_nodes: list[int] = []
    for node in nodes:
        own, new = [], 0
        if node.op is not None:
            operands = [x for _, x in _operands(node)]
            for x in (node.value, *operands, node.op.saved, *_arrays(node.op.params.values())):
                key, size = memory_of(x)
                if size and key not in leaves and key not in constants:
                    own.append(key)
                    if key not in sizes:
                        sizes[key] = size
                        new += size
        users.append(tuple(own))
        of_nodes.append(new)
    return Held(sum(of_nodes), sum(constants.values()), sum(leaves.values()), of_nodes, sizes, users)


def _operands(node: Node) -> Iterable[tuple[Node | None, Any]]:
    """The operands, as nodes and as values; none once the node is released."""
    return zip(node.parents(), operands_of(node), strict=True) if not node.released else ()


def _arrays(values: Iterable[Any]) -> Iterator[np.ndarray]:
    """The arrays among parameters, and in the lists and tuples among them."""
    for value in values:
        if isinstance(value, np.ndarray):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from (x for x in value if isinstance(x, np.ndarray))


class _Gradient:
    """Memory for a gradient: of how many gradients it is the memory, and whether the walk made it and may add to it."""

    __slots__ = ("own", "size", "users")

    def __init__(self, size: int, own: bool = False) -> None:
        self.size, self.own, self.users = size, own, 0


def peak_of_backward(nodes: Sequence[Node], roots: Sequence[Node], held: Held) -> int:
    """How many bytes there are at most while a backward pass walks over the graph and releases it.

    Counted are the `values` of `held` that are still there, and the gradients.  Not counted are temporary arrays inside
    a derivative's formula.  It is assumed that the graph alone keeps the values.
    """
    users = Counter(key for keys in held.users for key in keys)
    kept = held.values
    reached: dict[Node, _Gradient] = {}
    moving = 0  # bytes of gradients

    def give(node: Node, gradient: _Gradient) -> None:
        nonlocal moving
        if not gradient.users:
            moving += gradient.size
        gradient.users += 1
        reached[node] = gradient

    def drop(gradient: _Gradient) -> None:
        nonlocal moving
        gradient.users -= 1
        if not gradient.users:
            moving -= gradient.size

    for root in roots:
        if root not in reached:
            give(root, _Gradient(root.value.nbytes))
    peak = kept + moving
    for node, keys in zip(reversed(nodes), reversed(held.users), strict=True):
        if node.op is None:
            continue
        gradient = reached.pop(node, None)
        if gradient is not None:
            adds = node.op.primitive.into is not None
            for place, parent in _differentiable(node):
                before, size = reached.get(parent), parent.value.nbytes
                if before is not None and before.own and adds:
                    continue
                passed = _passes_on(node, place, parent)
                if before is None:
                    give(parent, gradient if passed else _Gradient(size, own=adds))
                    continue
                # The sum of two gradients: in the memory of the first, if that is the walk's own.
                peak = max(peak, kept + moving + (0 if passed else size) + (0 if before.own else size))
                if not before.own:
                    drop(before)
                    give(parent, _Gradient(size, own=True))
            peak = max(peak, kept + moving)
            drop(gradient)
        for key in keys:
            users[key] -= 1
            if not users[key]:
                kept -= held.sizes[key]
    # In the end every leaf has a gradient of its own.
    return int(max(peak, kept + sum(node.value.nbytes for node in reached)))


def _passes_on(node: Node, place: int, parent: Node) -> bool:
    """Whether the rule for an operand gives the memory of the gradient that it gets."""
    assert node.op is not None
    facts = node.op.primitive.facts
    spread = facts.kind == "elementwise" and parent.value.shape != node.value.shape
    return place in facts.passes and not spread


def _differentiable(node: Node) -> Iterator[tuple[int, Node]]:
    """The operands that have a gradient, with their places."""
    assert node.op is not None
    inputs = node.parents()
    for place, (parent, rule) in enumerate(zip(inputs, node.op.primitive.rules_of(len(inputs)), strict=True)):
        if parent is not None and rule is not None:
            yield place, parent
