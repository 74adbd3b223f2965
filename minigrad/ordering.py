"""Nodes of a graph in the order in which they were made, in which operands come before results."""

from collections.abc import Collection, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING

from minigrad.diagnostics import Receipt

if TYPE_CHECKING:
    from minigrad.core.node import Node

_age = attrgetter("seq")


def collect(roots: "Iterable[Node]", oldest: int = 0) -> "list[Node]":
    """All nodes that the roots were computed from, in order of creation.

    None below a node that is older than `oldest`, or that was released.
    """
    found = set(roots)
    stack = list(found)
    while stack:
        node = stack.pop()
        inputs = node.inputs
        if node.seq > oldest and not isinstance(inputs, Receipt):
            for parent in inputs:
                if parent is not None and parent not in found:
                    found.add(parent)
                    stack.append(parent)
    return sorted(found, key=_age)


def leading_to(wanted: "Collection[Node]", roots: "Iterable[Node]") -> "tuple[set[Node], int]":
    """The nodes between roots and wanted nodes, both included, and the age of the oldest.

    They are those that were computed from a wanted one.
    """
    live = set(wanted)
    oldest = min(map(_age, wanted))
    for node in collect(roots, oldest):
        if node.seq > oldest and not live.isdisjoint(node.parents()):
            live.add(node)
    return live, oldest
