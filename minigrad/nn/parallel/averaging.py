"""Averages of gradients over all ranks: in one row for each dtype, sent in parts of a limited size."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.core import Array, interpreter, primitive, unwrap
from minigrad.distributed.group import Group
from minigrad.ops.shaping import concat, reshape

Send = Callable[[np.ndarray], None]


def averaged(gradients: Sequence[Any], group: Group, send: Send, announce: Callable[[], object]) -> list[Any]:
    """The averages of gradients of one dtype, which are announced first, at each run of a program, too."""
    shapes = [np.shape(unwrap(g)) for g in gradients]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1].tolist()
    if interpreter() is not None:  # the program sends them at each of its runs
        row = _sent(concat([reshape(g, -1) for g in gradients]), group=group, send=send, announce=announce)
        starts = [0, *ends]
        return [reshape(row[i : i + int(np.prod(s))], s) for i, s in zip(starts, shapes, strict=True)]
    row = _average(np.concatenate([unwrap(g).reshape(-1) for g in gradients]), group, send, announce)
    return [part.reshape(shape) for part, shape in zip(np.split(row, ends), shapes, strict=True)]


@primitive(acts=True)
def _sent(row: Array, /, *, group: Group, send: Send, announce: Callable[[], object]) -> Array:
    """The average over all ranks of a row, which is sent by a function."""
    return _average(np.array(row), group, send, announce)


def _average(row: np.ndarray, group: Group, send: Send, announce: Callable[[], object]) -> np.ndarray:
    announce()
    send(row)
    row /= group.size
    return row


def in_parts(send: Send, size: int) -> Send:
    """Send a row in parts of so many bytes at most."""

    def sends(row: np.ndarray) -> None:
        step = max(1, size // row.itemsize)
        for start in range(0, row.size, step):
            send(row[start : start + step])

    return sends


class Tree:
    """Sums of micro-batches in the order of a tree: 1 and 2, 3 and 4, ..., then pairs of those.

    So the sum of all is the same to the last bit on one rank that has all of them, and on several that share them.
    """

    def __init__(self) -> None:
        self.sums: list[tuple[int, list[Any]]] = []  # of 1, 2, 4, ... micro-batches, the larger ones first

    def add(self, gradients: list[Any]) -> None:
        """Add a micro-batch."""
        count = 1
        while self.sums and self.sums[-1][0] == count:
            _, others = self.sums.pop()
            gradients = [_added(a, b) for a, b in zip(others, gradients, strict=True)]
            count *= 2
        self.sums.append((count, gradients))

    def total(self) -> tuple[int, list[Any]]:
        """How many micro-batches there were, and their sum; the tree is empty then."""
        sums, self.sums = self.sums, []
        return sum(count for count, _ in sums), sums[0][1]


def _added(a: Any, b: Any) -> Any:
    if a is None or b is None:
        return a if b is None else b
    return a + b
