"""Colours for quantities: how large the gradients are, how long operations take, how much memory they hold."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np

from minigrad import display
from minigrad.graph import labels
from minigrad.graph.capture import Entry
from minigrad.graph.diagram import Box, Diagram
from minigrad.options import one_of

QUANTITIES = ("grad", "time", "memory")

# Five colours of the scale cividis (Nunez, Anderton and Renslow, "Optimizing colormaps with consideration for color
# vision deficiency to enable accurate interpretation of scientific data", PLOS ONE 13(7), 2018).
SCALE = ((0, 34, 78), (65, 77, 107), (124, 123, 120), (188, 175, 111), (254, 232, 56))
SPAN = 1e4  # the scale reaches at least from 1 to this,
REACH = 1e12  # and at most: what is smaller beside the largest is mostly rounding
LARGEST = 709.0  # of the logarithms of floats
ZERO = "#FFFFFF"
STEPS = 7


class Shade(NamedTuple):
    """A colour, and that of text on it."""

    colour: str
    text_colour: str


class Heat:
    """The colour of every box by the logarithm of a quantity.

    Parameters
    ----------
    diagram : Diagram
    quantity : {"grad", "time", "memory"}
        The norm of the gradient, the time of forward and backward pass, or the memory of the value.
    """

    def __init__(self, diagram: Diagram, quantity: str) -> None:
        self.quantity = one_of(quantity, "heat", QUANTITIES)
        measure = _MEASURES[quantity]
        self.levels: dict[str, float] = {}
        for entry in diagram.graph:  # of what is drawn once, all turns
            key, level = diagram.key(entry.index), measure(diagram, entry)
            if key is not None and level is not None:
                before = self.levels.get(key, 0.0)
                self.levels[key] = before + level if quantity == "time" else max(before, level)
        self.low, self.high = 0.0, 0.0  # logarithms
        self.fit([self.levels])

    def fit(self, all_levels: Iterable[Mapping[str, float]]) -> None:
        """Let the scale reach from the smallest to the largest of these quantities."""
        positive = [x for levels in all_levels for x in levels.values() if 0 < x < math.inf]
        low, high = (math.log(min(positive)), math.log(max(positive))) if positive else (0.0, 0.0)
        low = max(low, high - math.log(REACH))
        # Quantities that hardly differ shall look alike.
        middle, half = (low + high) / 2, max(high - low, math.log(SPAN)) / 2
        self.low, self.high = middle - half, middle + half

    def share(self, key: str) -> float | None:
        """Where on the scale a box is, from 0 to 1; None for one without the quantity, or with 0 of it."""
        level = self.levels.get(key)
        if level is None or level == 0 or math.isnan(level):
            return None
        place = (math.log(level) - self.low) / (self.high - self.low) if level < math.inf else 1.0
        return min(max(place, 0.0), 1.0)

    def of_box(self, box: Box) -> Shade | None:
        """The colour of a box, if it has the quantity."""
        share = self.share(box.key)
        if share is None:
            return Shade(ZERO, "#202020") if self.levels.get(box.key) == 0 else None
        return shade(share)

    def scale(self) -> list[tuple[str, str]]:
        """The key: coloured cells, with the quantity at both ends and what it is."""
        shares = [i / (STEPS - 1) for i in range(STEPS)]
        title, low, high = self.words().values()
        words = [low, *[""] * (STEPS - 2), f"{high}   {title}"]
        return [(shade(share).colour, word) for share, word in zip(shares, words, strict=True)]

    def words(self) -> dict[str, str]:
        """What the quantity is, and its values at both ends of the scale."""
        return {"title": _TITLES[self.quantity], "low": self._word(self.low), "high": self._word(self.high)}

    def _word(self, logarithm: float) -> str:
        level = math.exp(min(logarithm, LARGEST))
        if self.quantity == "time":
            return labels.duration(int(level))
        return display.memory(int(level)) if self.quantity == "memory" else f"{level:.1e}"


def shade(share: float) -> Shade:
    """The colour at a place on the scale, from 0 to 1."""
    place = share * (len(SCALE) - 1)
    below = min(int(place), len(SCALE) - 2)
    mixed = [round(a + (b - a) * (place - below)) for a, b in zip(SCALE[below], SCALE[below + 1], strict=True)]
    return Shade("#{:02X}{:02X}{:02X}".format(*mixed), "#FFFFFF" if share < 0.55 else "#202020")


def _norm(diagram: Diagram, entry: Entry) -> float | None:
    gradient = diagram.gradient(entry)
    if gradient is None or not np.size(gradient):
        return None
    # Scaled, as the squares of very small and very large numbers are 0 and inf.
    largest = float(np.abs(gradient).max())
    return largest if not 0 < largest < math.inf else largest * float(np.linalg.norm(np.ravel(gradient / largest)))


def _time(_: Diagram, entry: Entry) -> float | None:
    return None if entry.trace is None else float(entry.trace.forward + entry.trace.backward)


def _memory(_: Diagram, entry: Entry) -> float | None:
    return float(entry.value.nbytes)


_MEASURES: dict[str, Callable[[Diagram, Entry], float | None]] = {"grad": _norm, "time": _time, "memory": _memory}
_TITLES = {
    "grad": "norm of the gradient",
    "time": "time, forward and backward",
    "memory": "memory of the value",
}
