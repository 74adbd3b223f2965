"""Writes to memory that others have, too: graphs hold constants for their derivatives, and Tensors are views of others.

A graph must not be differentiated after such a constant was written to.  Of a result in a graph a write makes a new
value, which what was read from it before does not have.
"""

from collections.abc import Iterable
from typing import Any
from weakref import ref

import numpy as np

from minigrad.core import Handle, collect
from minigrad.errors.dialects import constant_written, warn_of_stale_view
from minigrad.views import viewed_from
from minigrad.writes import tick

# By the identity of an array that owns its memory: the array, and of each write to it the bounds in bytes and the time.
_written: dict[int, tuple["ref[np.ndarray]", list[tuple[int, int, int]]]] = {}
_MANY = 1000  # writes, which are taken together then


def _owner(array: np.ndarray) -> np.ndarray:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def note_constant_write(array: np.ndarray) -> None:
    """Remember that a part of an array was written to."""
    owner = _owner(array)
    known, writes = _written.get(id(owner), (None, []))
    if known is None or known() is not owner:
        writes = []
        _written[id(owner)] = ref(owner), writes
    if len(writes) == _MANY:
        lows, highs, times = zip(*writes, strict=True)
        writes[:] = [(min(lows), max(highs), max(times))]
    writes.append((*np.lib.array_utils.byte_bounds(array), tick()))


def require_constants(roots: Iterable[Any]) -> None:
    """Raise if an operation below some results holds a constant that was written to after it was computed."""
    for key in [key for key, (owner, _) in _written.items() if owner() is None]:
        del _written[key]
    if not _written:
        return
    for node in collect([x.node for x in roots if getattr(x, "node", None) is not None]):
        if node.op is None or node.released:
            continue
        for x, parent in zip(node.args, node.parents(), strict=True):
            if parent is None and isinstance(x, np.ndarray) and id(_owner(x)) in _written:
                low, high = np.lib.array_utils.byte_bounds(x)
                for first, last, time in _written[id(_owner(x))][1]:
                    if time > node.seq and first < high and low < last:
                        raise constant_written(node, x)


# The Tensors that were read from a Tensor and share its memory, by the identity of that.
_readers: dict[int, tuple["ref[Handle]", list["ref[Handle]"]]] = {}


def note_reader(source: Handle, view: Handle) -> None:
    """Remember that a Tensor is a view of another one."""
    key = id(source)
    if key not in _readers:
        _readers[key] = ref(source, lambda _: _readers.pop(key, None)), []
    _readers[key][1].append(ref(view))


def warn_of_readers(source: Handle, value: Any) -> None:
    """Warn, before a Tensor in a graph takes a new value, of those that keep the old one where PyTorch's would not."""
    _, views = _readers.pop(id(source), (None, []))
    for view in [view() for view in views]:
        if view is not None and view is not value and viewed_from(view) is source:
            warn_of_stale_view(source.array.shape, view.array.shape)
