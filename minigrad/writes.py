"""When memory was written to, as against when the nodes were made that still need what was in it.

Optimizers, and in-place syntax under `no_grad`, write into a leaf's memory and say so.  Who takes the array of a Tensor
out by its `data` can write to it without a word: as long as that array lives somebody may, and what was computed of it
before is computed again, to see, before its derivative is believed.
"""

import itertools
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np
from numpy import ndarray

from minigrad import errors
from minigrad.contexts import quietly
from minigrad.diagnostics import Place

if TYPE_CHECKING:
    from minigrad.core.node import Node, Notes

# Rises with every node made and every write.  The order in which nodes are made is a topological order of any graph.
tick = itertools.count(1).__next__

# A node that is newer needs no check.
last = 0
_lent: set[int] = set()  # the numbers of the arrays that were taken out


class Lent:
    """The arrays by which somebody may write to the memory of a node's value.

    Attributes
    ----------
    arrays : dict
        Weak references to those that are alive, by numbers.
    until : int
        The `seq` at which the last of those died that are not.
    place : Place or None
        Where the latest was taken.
    """

    __slots__ = ("arrays", "place", "until")

    def __init__(self) -> None:
        self.arrays: dict[int, Any] = {}
        self.until = 0
        self.place: Place | None = None


def note_write(leaf: "Node", place: Place | None = None) -> None:
    """Remember that the node's memory was written to: what older nodes know of its value is out of date."""
    global last
    assert leaf.notes is not None
    leaf.notes.written = now = tick()
    leaf.notes.where = place
    last = max(last, now)


def lend(notes: "Notes", array: ndarray, place: Place | None) -> ndarray:
    """A view of a value's memory to give out, which is remembered as long as it lives, and longer."""
    global last
    lent, view, number = notes.lent or Lent(), array.view(), tick()
    notes.lent, lent.place = lent, place

    def ended(reference: Any) -> None:
        global last
        del lent.arrays[number]
        _lent.discard(number)
        lent.until = now = tick()
        last = sys.maxsize if _lent else now

    _lent.add(number)
    last = sys.maxsize
    lent.arrays[number] = ref(view, ended)
    return view


class Changes:
    """The nodes of a graph whose memory was, or may have been, written to since something was computed of them."""

    def __init__(self, nodes: "Iterable[Node]") -> None:
        self._by_memory: dict[int, list[Node]] = {}
        for node in nodes:
            changed = node.notes is not None and (node.notes.written or node.notes.lent is not None)
            if changed and node.value.__class__ is ndarray:
                self._by_memory.setdefault(_memory(node.value), []).append(node)

    def check(self, node: "Node") -> None:
        """Raise StaleValueError if a rule of the node would read what was written to after the node was made."""
        assert node.op is not None
        if not self._by_memory:
            return
        made = node.op.primitive
        rules = made.rules or (made.joint,) * len(node.inputs)
        needed = [rule for rule, parent in zip(rules, node.inputs, strict=True) if parent is not None]
        for position, value in enumerate((node.value, *node.args), start=1):
            if value.__class__ is not ndarray:
                continue
            for source in self._by_memory.get(_memory(value), ()):
                notes = source.notes
                assert notes is not None
                written = notes.written > node.seq and source is not node
                lent = notes.lent is not None and (bool(notes.lent.arrays) or notes.lent.until > node.seq)
                shared = (written or lent) and np.may_share_memory(value, source.value)
                if shared and any(reads(rule, position) for rule in needed) and (written or _differs(node)):
                    place = notes.where if written or notes.lent is None else notes.lent.place
                    raise errors.stale(source, node, place)


def _memory(value: ndarray) -> int:
    """What tells the memory of a value from that of others: who owns it."""
    return id(value if value.base is None else value.base)


def _differs(node: "Node") -> bool:
    """Whether the operation gives another value now than the node has."""
    assert node.op is not None
    with suppress(Exception):
        value = quietly(node.op.primitive.forward, *node.args, **node.op.params)
        return not np.array_equal(value, node.value, equal_nan=np.asarray(node.value).dtype.kind in "fc")
    return True


# Constant arrays, which are borrowed: looked at under `detect_anomaly` only


def keep_constants(node: "Node") -> None:
    """Copy the constant arrays that the node has borrowed, for `check_constants`."""
    assert node.notes is not None
    pairs = enumerate(zip(node.args, node.inputs, strict=True))
    node.notes.constants = {i: x.copy() for i, (x, p) in pairs if p is None and isinstance(x, ndarray)}


def check_constants(node: "Node") -> None:
    """Raise StaleValueError if a constant array was written to after the node had borrowed it."""
    if node.notes is None:
        return
    for i, before in node.notes.constants.items():
        if not np.array_equal(node.args[i], before, equal_nan=before.dtype.kind in "fc"):
            raise errors.stale_constant(node, i, node.args[i])


# What rules look at

_DESCRIPTIONS = {"shape", "dtype", "ndim", "size"}


def reads(rule: Callable[..., Any] | None, position: int) -> bool:
    """Whether a rule looks at more of its argument at `position` than its shape and dtype."""
    import dis  # only here, before an error: it takes milliseconds

    code = getattr(rule, "__code__", None)
    if code is None:
        return rule is not None
    if position >= code.co_argcount:  # one of *operands
        position = code.co_argcount + code.co_kwonlyargcount
    name = code.co_varnames[position]
    if name in code.co_cellvars:
        return True
    steps = list(dis.get_instructions(code))
    for step, after in pairwise(steps):
        loaded = step.argval if isinstance(step.argval, tuple) else (step.argval,)
        if step.opname.startswith("LOAD_FAST") and name in loaded:
            described = after.opname == "LOAD_ATTR" and after.argval in _DESCRIPTIONS and loaded[-1] == name
            if not described:
                return True
    return False
