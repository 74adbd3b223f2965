"""A folded graph as boxes and arrows: what every form of the picture is written from."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from minigrad.core import Array, Node
from minigrad.graph.capture import Entry, Graph
from minigrad.graph.frames import Folding, Frame

# With more operands their order is not shown.
PLACES = 8


class Box(NamedTuple):
    """What a picture shows as one thing.

    Attributes
    ----------
    key : str
        ``n7`` for entry 7 of the graph, ``g2`` for a closed frame, ``skipped`` for what is left out.
    kind : str
        ``input``, ``leaf``, ``constant``, ``operation``, ``arrangement``, ``frame`` or ``skipped``.
    entries : sequence of int
        What it stands for.
    frame : Frame
        The frame that it stands in; of a closed frame, this itself.
    """

    key: str
    kind: str
    entries: Sequence[int]
    frame: Frame


class Arrow(NamedTuple):
    """From what was computed to what was computed from it; `place` is the operand's number where order matters."""

    tail: str
    head: str
    place: int | None


class Diagram:
    """Boxes and arrows of a folded graph.

    Attributes
    ----------
    graph : Graph
    folding : Folding
    gradients : mapping of Node to ndarray
        As far as they were asked for.
    boxes : dict of str to Box
        By their keys, in the order of computation.
    arrows : list of Arrow
    bad : dict of int to str
        The entries whose values are not finite, with ``"NaN"`` or ``"inf"``; without those that are meant: an inf in a
        constant or an input, such as a mask, and what is computed from it without a NaN.
    bad_gradients : dict of int to str
        Those whose gradients are not.
    marks : mapping of int to str
        Entries that somebody wants to be seen, with a word.
    alarms, flags : dict of str to str
        What the boxes must say because of values and gradients that are not finite, and of `marks`, by their keys.
    outputs : set of str
        The keys of the boxes that stand for the graph's outputs.
    """

    def __init__(
        self, folding: Folding, gradients: Mapping[Node, Array] | None = None, marks: Mapping[int, str] | None = None
    ) -> None:
        self.graph: Graph = folding.graph
        self.folding = folding
        self.gradients = gradients or {}
        self.marks = marks or {}
        self.bad = self._bad()
        known = ((entry.index, self.gradient(entry)) for entry in self.graph)
        self.bad_gradients = {i: word for i, g in known if g is not None and (word := not_finite(g))}
        self.frame_keys: dict[Frame, str] = {}
        self.box_of: dict[int, str] = {}  # of the entries that are shown
        self.boxes = self._boxes()
        self.arrows = self._arrows()
        gradients_said = self._said({i: f"gradient {word}" for i, word in self.bad_gradients.items()})
        self.alarms = gradients_said | self._said(self.bad)  # values say more
        self.flags = self._said(self.marks)
        self.outputs = {self.key(i) for i in self.graph.outputs}

    def _bad(self) -> dict[int, str]:
        bad: dict[int, str] = {}
        meant: set[int] = set()
        for entry in self.graph:
            word = not_finite(entry.value)
            if word is None:
                continue
            known = [i for i in entry.inputs if i in bad or i in meant]
            of_a_mask = meant.issuperset(known) if known else entry.kind in ("constant", "input")
            if word == "inf" and of_a_mask:
                meant.add(entry.index)
            else:
                bad[entry.index] = word
        return bad

    def gradient(self, entry: Entry) -> Array | None:
        """The gradient that arrived at an entry, if it is known."""
        return None if entry.node is None else self.gradients.get(entry.node)

    def key(self, index: int) -> str | None:
        """The box that stands for an entry."""
        return self.box_of.get(self.folding.shown(index))

    def _said(self, words: Mapping[int, str]) -> dict[str, str]:
        """The words of entries as words of the boxes that stand for them."""
        said: dict[str, str] = {}
        for index, word in sorted(words.items()):
            box = self.boxes[self.box_of[self.folding.shown(index)]]
            if box.kind in ("frame", "skipped"):
                word += " inside"
            elif box.entries[0] != index:
                word += " in a repetition"
            said.setdefault(box.key, word)
        return said

    def _boxes(self) -> dict[str, Box]:
        skipped = self.folding.skipped
        left = Box("skipped", "skipped", sorted(skipped), self.folding.root)
        inside: dict[int, Box] = {}
        stack: list[tuple[Frame, Box | None]] = [(self.folding.root, None)]
        boxes = []
        while stack:
            frame, closed = stack.pop()
            self.frame_keys[frame] = f"g{len(self.frame_keys)}"
            if closed is None and frame.closed:
                closed = Box(self.frame_keys[frame], "frame", frame.entries(), frame)
                if skipped.isdisjoint(closed.entries):
                    boxes.append(closed)
                else:
                    closed = left
            for index in frame.own():
                if closed is not None or index in skipped:
                    inside[index] = closed or left
                else:
                    inside[index] = Box(f"n{index}", _kind(self.graph[index]), [index], frame)
                    boxes.append(inside[index])
            stack.extend((item, closed) for item in reversed(frame.items) if isinstance(item, Frame))
        if skipped:
            boxes.append(left)
        self.box_of = {index: box.key for index, box in inside.items()}
        boxes.sort(key=lambda box: box.entries[0])
        return {box.key: box for box in boxes}

    def _arrows(self) -> list[Arrow]:
        arrows: list[Arrow] = []
        drawn: set[tuple[str, str]] = set()
        hidden = self.folding.stands_for
        for entry in self.graph:
            for place, i in enumerate(entry.inputs):
                if i is None or self.folding.repeats(entry.index, i):
                    continue
                if entry.index in hidden and self.graph[i].op is None and self.graph[i].kind != "input":
                    continue  # of another turn: one of the arrows `onwards`
                tail, head = self.key(i), self.key(entry.index)
                if tail is None or head is None or tail == head:
                    continue
                plain = tail[0] == head[0] == "n" and entry.index not in hidden and i not in hidden
                if not plain and (tail, head) in drawn:
                    continue
                drawn.add((tail, head))
                arrows.append(Arrow(tail, head, place if plain and has_places(entry) else None))
        return arrows

    @cached_property
    def onwards(self) -> set[tuple[str, str]]:
        """Arrows that the first turn of a loop does not have, but others: from what one turn hands on to where the next
        takes it, and from leaves and constants of other turns.
        """
        folding = self.folding
        found = set()
        for index in folding.stands_for:
            entry, first = self.graph[index], self.graph[folding.shown(index)]
            for i, counterpart in zip(entry.inputs, first.inputs, strict=False):
                if i is None or folding.repeats(index, i) == (self.graph[i].op is None):
                    continue
                # In place of this operand the first turn has what the loop began with.
                if counterpart is None or folding.shown(counterpart) != folding.shown(i):
                    found.add((self.key(i) or "", self.key(index) or ""))
        # Within a closed frame there is nothing to see.
        return {(tail, head) for tail, head in found if tail and head and (tail != head or tail[0] == "n")}


def has_places(entry: Entry) -> bool:
    """Whether it must be seen in which order an operation has its operands."""
    count = len(entry.inputs)
    orderless = entry.facts is not None and entry.facts.commutative
    return not orderless and count <= PLACES and count - entry.inputs.count(None) >= 2


def not_finite(value: Array) -> str | None:
    """``"NaN"`` or ``"inf"``, if there is one in the value."""
    if value.dtype.kind not in "fc" or np.isfinite(value).all():
        return None
    return "NaN" if np.isnan(value).any() else "inf"


def _kind(entry: Entry) -> str:
    return "arrangement" if entry.facts is not None and entry.facts.trivial else entry.kind
