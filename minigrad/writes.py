"""When memory was written to, as against when the nodes were made that still need what was in it.

Optimizers, and in-place syntax under `no_grad`, write into a leaf's memory and say so.  Who takes the array of a Tensor
out by its `data` can write to it without a word, as long as that array lives.  So a digest of the numbers is taken
first: if they have another one when a derivative needs them, somebody has written.  Of what was computed while the
array lived nobody knows whether that was before or after; it is computed again, to see.
"""

import itertools
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np
from numpy import ndarray

from minigrad.contexts import quietly
from minigrad.diagnostics import Place
from minigrad.errors.backward import stale, stale_constant

if TYPE_CHECKING:
    from minigrad.core.node import Node
    from minigrad.notes import Notes

# Rises with every node made and every write.  The order in which nodes are made is a topological order of any graph.
tick = itertools.count(1).__next__

# A node that is newer needs no check.
last = 0
_lent: set[int] = set()  # the numbers of the arrays that were taken out


class Lent:
    """The array by which somebody may write to the memory of a node's value.

    Attributes
    ----------
    array : weak reference or None
        It, as long as it lives.
    since, until : int
        The `seq` at which it was taken out, and that at which it died, or the one before it.
    digest : number
        That of the memory at `since`.
    place : Place or None
        Where it was taken.
    """

    __slots__ = ("array", "digest", "place", "since", "until")

    def __init__(self) -> None:
        self.array: ref[ndarray] | None = None
        self.since = self.until = 0
        self.digest: Any = None
        self.place: Place | None = None


def note_write(leaf: "Node", place: Place | None = None) -> None:
    """Remember that the node's memory was written to: what older nodes know of its value is out of date."""
    global last
    notes: Any = leaf.notes
    notes.written = now = tick()
    notes.where = place
    if now > last:
        last = now


def lend(notes: "Notes", array: ndarray, place: Place | None) -> ndarray:
    """A view of a value's memory to give out, which is remembered as long as it lives, and longer."""
    global last
    lent = notes.lent = notes.lent or Lent()
    view = None if lent.array is None else lent.array()
    if view is not None:
        return view
    digest = quietly(_digest, array)
    if lent.since and digest != lent.digest:
        notes.written, notes.where = max(notes.written, lent.since), lent.place
    view, number = array.view(), tick()
    lent.since, lent.digest, lent.place = number, digest, place

    def ended(reference: Any) -> None:
        global last
        lent.array = None
        _lent.discard(number)
        lent.until = now = tick()
        last = sys.maxsize if _lent else now

    _lent.add(number)
    last = sys.maxsize
    lent.array = ref(view, ended)
    return view


_WEIGHTS = np.cos(np.arange(1.0, 65.0))


def _digest(x: ndarray) -> Any:
    """A number that depends on all numbers and their order; of so many it may miss the least changes."""
    flat = x.ravel()
    while flat.size > len(_WEIGHTS):
        whole = flat.size - flat.size % len(_WEIGHTS)
        flat = np.concatenate([flat[:whole].reshape(-1, len(_WEIGHTS)) @ _WEIGHTS, flat[whole:]])
    return flat @ _WEIGHTS[: flat.size]


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
        parents = node.parents()
        needed = [rule for rule, parent in zip(made.rules_of(len(parents)), parents, strict=True) if parent is not None]
        for position, value in enumerate((node.value, *node.args), start=1):
            if value.__class__ is not ndarray:
                continue
            for source in self._by_memory.get(_memory(value), ()):
                if np.may_share_memory(value, source.value) and any(reads(rule, position) for rule in needed):
                    _check(node, source)


def _check(node: "Node", source: "Node") -> None:
    """Raise StaleValueError if the memory of `source` was written to after `node` was made, which reads it."""
    notes = source.notes
    assert notes is not None
    if notes.written > node.seq:
        raise stale(source, node, notes.where)
    lent = notes.lent
    if lent is None or (lent.until < node.seq and lent.array is None):
        return
    digest = quietly(_digest, source.value)
    changed = digest != lent.digest if node.seq < lent.since and digest == digest else _differs(node)
    if changed:
        raise stale(source, node, lent.place)


def _memory(value: ndarray) -> int:
    """What tells the memory of a value from that of others: who owns it."""
    return id(value if value.base is None else value.base)


def _differs(node: "Node") -> bool:
    """Whether the operation gives another value now than the node has."""
    assert node.op is not None
    with suppress(Exception):
        value = quietly(node.op.primitive.value, *node.args, **node.op.params)
        return not np.array_equal(value, node.value, equal_nan=np.asarray(node.value).dtype.kind in "fc")
    return True


# Constant arrays of up to so many elements are copied, which costs less than a tenth of the operation; larger ones are
# borrowed until the backward pass, but for data that have no derivative, such as the arrays in an index.
SMALL = 256


class _Copied(tuple[Any, ...]):
    given: tuple[Any, ...]  # with the originals of the copies: pictures know constants by their identity


def copy_constants(node: "Node", inputs: "Sequence[Node | None]", args: Sequence[Any]) -> None:
    """Copy the operands that nobody shall be able to change before the backward pass."""
    assert node.op is not None
    made, copies = node.op.primitive, None
    derived = len(args) if made.joint is not None else len(made.rules)
    for i, x in enumerate(args):
        if x.__class__ is ndarray and inputs[i] is None and (x.size <= SMALL or i >= derived):
            copies = copies or list(args)
            copies[i] = x.copy()
    if copies is not None:
        copied = _Copied(copies)
        copied.given, node.args = node.args, copied


# Constant arrays, which are borrowed: looked at under `detect_anomaly` only


def keep_constants(node: "Node") -> None:
    """Copy the constant arrays that the node has borrowed, for `check_constants`."""
    assert node.notes is not None
    pairs = enumerate(zip(node.args, node.parents(), strict=True))
    node.notes.constants = {i: x.copy() for i, (x, p) in pairs if p is None and isinstance(x, ndarray)}


def check_constants(node: "Node") -> None:
    """Raise StaleValueError if a constant array was written to after the node had borrowed it."""
    if node.notes is None:
        return
    for i, before in node.notes.constants.items():
        if not np.array_equal(node.args[i], before, equal_nan=before.dtype.kind in "fc"):
            raise stale_constant(node, i, node.args[i])


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
        if "LOAD_FAST" not in step.opname:
            continue
        # From Python 3.13 on an instruction may load two names, or store one and load another.
        names = step.argval if isinstance(step.argval, tuple) else (step.argval,)
        loaded = names[1:] if step.opname.startswith("STORE_FAST") else names
        described = after.opname == "LOAD_ATTR" and after.argval in _DESCRIPTIONS
        if name in (loaded[:-1] if described else loaded):
            return True
    return False
