"""Whether the threads of matrix products pay: the longest one is computed again, with all threads and with one."""

from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np

from minigrad import threads
from minigrad.core import Operation
from minigrad.errors import MissingPackageError

# How long to repeat a product, in seconds, and which part of the time a thread alone must save to be worth a word.
_PATIENCE = 0.02
_WORTH = 0.2

Shapes = tuple[tuple[tuple[int, ...], Any], ...]


class Contractions:
    """The sums of products that a program computed, such as matrix products and convolutions."""

    def __init__(self) -> None:
        self.spent: dict[tuple[str, Shapes], int] = {}  # in nanoseconds
        self.operations: dict[tuple[str, Shapes], Operation] = {}

    def note(self, op: Operation, args: Sequence[Any], spent: int) -> None:
        """Add a call, which took so many nanoseconds."""
        if op.primitive.facts.kind == "contraction":
            self._add(op, (op.name, tuple((np.shape(x), np.asarray(x).dtype) for x in args)), spent)

    def add(self, others: "Contractions") -> None:
        """Add what was noted elsewhere."""
        for key, spent in others.spent.items():
            self._add(others.operations[key], key, spent)

    def _add(self, op: Operation, key: tuple[str, Shapes], spent: int) -> None:
        self.spent[key] = self.spent.get(key, 0) + spent
        self.operations.setdefault(key, op)

    def remark(self) -> str:
        """What to write if one thread would be quicker than those that there are; else an empty text."""
        try:
            count = threads.get_num_threads()
        except MissingPackageError:
            return ""
        if count == 1 or not self.spent:
            return ""
        key = max(self.spent, key=self.spent.__getitem__)
        name, shapes = key
        op, args = self.operations[key], [np.ones(shape, dtype) for shape, dtype in shapes]
        together = seconds(op, args)
        with threads.limited(1):
            alone = seconds(op, args)
        if alone > (1 - _WORTH) * together:
            return ""
        of = " and ".join(str(shape) for shape, _ in shapes)
        return (
            f"{name} of {of} takes {together / alone:.1f} times as long with {count} BLAS threads as with one: call "
            "minigrad.set_num_threads(1)"
        )


def seconds(op: Operation, args: Sequence[Any]) -> float:
    """The least time of a call."""
    least, end = np.inf, perf_counter() + _PATIENCE
    for repeat in range(1000):
        begun = perf_counter()
        op.primitive.value(*args, **op.params)
        now = perf_counter()
        least = min(least, now - begun)
        if repeat >= 2 and now > end:
            break
    return float(least)
