"""Histograms of parameters along a run, at most so many: each second one is dropped when there are more."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np

from minigrad import display
from minigrad.core import unwrap
from minigrad.errors import StateDictError


class Snapshot(NamedTuple):
    """The histograms of all parameters at one step.

    Attributes
    ----------
    step : int
    facts : ndarray of float64, shape (parameters, 4)
        The smallest and the largest finite value of each, the mean and the standard deviation; of complex ones those of
        the magnitudes.  NaN where no value is finite.
    bad : ndarray of int, shape (parameters,)
        How many values are not finite.
    counts : ndarray of int, shape (parameters, bins)
        How many values are in each bin from the smallest to the largest: of a sample, where there are over a million.
    """

    step: int
    facts: np.ndarray
    bad: np.ndarray
    counts: np.ndarray


_KINDS = {"facts": "f", "bad": "i", "counts": "i"}


class Snapshots:
    """At most `limit` histograms of each parameter, evenly spaced over the run so far.

    The first measurement is taken, and at first each one.  When there are more than `limit`, each second one is
    dropped, and from then on `spacing` is twice as wide: a run of any length takes about ``limit * log2(length)``.
    """

    def __init__(self, limit: int, bins: int) -> None:
        self.limit, self.bins = limit, bins
        self.spacing, self.seen = 1, 0
        self.kept: list[Snapshot] = []

    def take(self, step: int, arrays: list[np.ndarray | None]) -> None:
        """Measure, if it is time to: None stands for a parameter that is not there any more."""
        if self.limit and self.seen % self.spacing == 0:
            self.kept.append(_measured(step, arrays, self.bins))
            if len(self.kept) > self.limit:
                del self.kept[1::2]
                self.spacing *= 2
        self.seen += 1

    def stacked(self, parameters: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Steps, facts, bad and counts of all snapshots; nothing is known of a parameter that came later."""
        length = len(self.kept)
        facts = np.full((length, parameters, 4), np.nan)
        bad, counts = np.zeros((length, parameters), np.int64), np.zeros((length, parameters, self.bins), np.int64)
        for i, shot in enumerate(self.kept):
            known = len(shot.bad)
            facts[i, :known], bad[i, :known], counts[i, :known] = shot.facts, shot.bad, shot.counts
        return np.array([shot.step for shot in self.kept], np.int64), facts, bad, counts

    def state_dict(self, parameters: int) -> dict[str, Any]:
        """Copies of all that is kept."""
        own = {name: getattr(self, name) for name in ("limit", "bins", "spacing", "seen")}
        return {**own, **dict(zip(("steps", *_KINDS), self.stacked(parameters), strict=True))}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], parameters: int) -> Self:
        """The snapshots that `state_dict` described.

        Raises
        ------
        StateDictError
            If the parts do not fit each other.
        """
        try:
            limit, bins, spacing, seen = (int(state[name]) for name in ("limit", "bins", "spacing", "seen"))
            steps = np.asarray(unwrap(state["steps"]))
            parts = {name: np.asarray(unwrap(state[name])) for name in _KINDS}
            shape = (len(steps), parameters)
            wanted = {"facts": (*shape, 4), "bad": shape, "counts": (*shape, bins)}
            shapes = {name: part.shape for name, part in parts.items()} == wanted and steps.ndim == 1
            kinds = all(part.dtype.kind == _KINDS[name] for name, part in parts.items()) and steps.dtype.kind == "i"
            if not (shapes and kinds and spacing >= 1 and seen >= 0 and bins >= 1 and len(steps) <= max(limit, 0)):
                raise ValueError(f"{len(steps)} histograms of {parameters} parameters, where at most {limit} are kept")
        except (KeyError, TypeError, ValueError) as error:
            raise StateDictError(f"these are no histograms of a History: {error!r}") from error
        made = cls(limit, bins)
        made.spacing, made.seen = spacing, seen
        rows = zip(steps.tolist(), parts["facts"], parts["bad"], parts["counts"], strict=True)
        made.kept = [Snapshot(step, *(part.copy() for part in others)) for step, *others in rows]
        return made


def _measured(step: int, arrays: list[np.ndarray | None], bins: int) -> Snapshot:
    facts, bad = np.full((len(arrays), 4), np.nan), np.zeros(len(arrays), np.int64)
    counts = np.zeros((len(arrays), bins), np.int32)
    for i, array in enumerate(arrays):
        if array is not None:
            found = display.statistics(array, bins)
            facts[i] = found.min, found.max, found.mean, found.std
            bad[i], counts[i] = found.nan + found.inf, found.counts
    return Snapshot(step, facts, bad, counts)
