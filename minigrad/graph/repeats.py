"""What repeats itself in a sequence: a loop that was unrolled, a stack of equal layers."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minigrad.core import Array

# How many comparisons the search may cost; it finds shorter periods only in longer sequences.
EFFORT = 100_000_000
SLOTS = 6  # of an item's operands so many are compared
LEAST = 3  # fewer repetitions are no pattern


class Run(NamedTuple):
    """A part of a sequence, `period` items long, that stands there `times` times from `start` on."""

    start: int
    period: int
    times: int

    @property
    def stop(self) -> int:
        """The end of the last repetition."""
        return self.start + self.period * self.times


def find_runs(kinds: Sequence[int], operands: Sequence[Sequence[int]]) -> list[Run]:
    """The parts that repeat themselves, the longest first where they overlap.

    Parameters
    ----------
    kinds : sequence of int
        Of each item; equal items have equal kinds, and as many operands.
    operands : sequence of sequence of int
        For each item the positions of those that it is computed from; negative for what is not in the sequence.

    Returns
    -------
    list of Run
        In order, without overlap.  In every repetition the items have the same kinds.  An operand is at the same place
        of the same repetition, or as far away as in the repetition before (what the loop has just computed), or the
        very same (what was there before).  In the first repetition, what the loop has just computed may be anything
        from before it.
    """
    count = len(kinds)
    kind = np.asarray(kinds, dtype=np.int64)
    places = np.full((SLOTS, count), -1, dtype=np.int64)
    for i, found in enumerate(operands):
        for slot, place in enumerate(found[:SLOTS]):
            places[slot, i] = place
    # A negative place is a kind of thing outside; its distance says the same as the place, and is no other's.
    distances = np.where(places >= 0, np.arange(count) - places, places - count)

    longest = min(count // LEAST, max(1, EFFORT // (max(count, 1) * (SLOTS + 1))))
    candidates: list[tuple[int, int, int, int]] = []
    for period in range(1, longest + 1):
        same = kind[period:] == kind[:-period]
        if not same.any():
            continue
        for at, away in zip(places, distances, strict=True):
            # What is in the same repetition for one of two items is not outside for the other.
            fixed = (at[period:] == at[:-period]) & (away[:-period] >= period)
            same &= fixed | (away[period:] == away[:-period])
        for start, stop in _stretches(same):
            if stop - start >= period * (LEAST - 2):
                candidates.append((start - stop, period, start, stop))
    taken = np.zeros(count, dtype=bool)
    runs = []
    for _, period, start, stop in sorted(candidates):
        for begin, end in _stretches(~taken[max(0, start - period) : stop + period], max(0, start - period)):
            first = _beginning(kind, places, period, max(start, begin), begin)
            run = Run(first, period, (end - first) // period)
            if run.times >= LEAST:
                taken[run.start : run.stop] = True
                runs.append(run)
    return sorted(runs)


def _stretches(true: Array, offset: int = 0) -> list[tuple[int, int]]:
    """Where the array is true: the beginning and the end of each stretch."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], true, [False]]).astype(np.int8))) + offset
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _beginning(kind: Array, places: Array, period: int, start: int, least: int) -> int:
    """Where the first repetition begins: up to a period before `start`, from where on operands are alike.

    The first time round, they come from before the loop.
    """
    first = start
    while first > least and start - first < period and kind[first - 1] == kind[first - 1 + period]:
        first -= 1
    while first < start:
        before, after = places[:, first:start], places[:, first + period : start + period]
        outside = np.where(after < 0, before == after, before < first)
        if np.where(after >= first + period, before == after - period, outside).all():
            break
        first += 1
    return first
