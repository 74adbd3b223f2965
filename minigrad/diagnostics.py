"""What is looked at when something is wrong: lines of the user's program, values that are not finite."""

import sys
from collections.abc import Sequence
from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minigrad.errors.backward import not_finite

if TYPE_CHECKING:
    from minigrad.core.node import Node

# Where in the user's program


class Place(NamedTuple):
    """A line of the user's program, kept in a form that costs nothing until somebody asks for the text."""

    code: CodeType
    instruction: int

    @property
    def line(self) -> int:
        """The number of the line."""
        spans = self.code.co_lines()
        return next((n for start, end, n in spans if start <= self.instruction < end and n), self.code.co_firstlineno)

    @property
    def stores_item(self) -> bool:
        """Whether the value that is computed here is then stored by index, as that of ``x[i] += v`` is."""
        import dis  # only here, before a warning: it takes milliseconds

        names = (step.opname for step in dis.get_instructions(self.code) if step.offset > self.instruction)
        return next((name for name in names if name.startswith("STORE_")), "") in ("STORE_SUBSCR", "STORE_SLICE")

    def __str__(self) -> str:
        import linecache  # here, and not at the top, as it takes milliseconds that only errors need

        text = linecache.getline(self.code.co_filename, self.line).strip()
        return f"{self.code.co_filename}:{self.line}" + (f" `{text}`" if text else "")


def user_place() -> Place | None:
    """The innermost line, on the way to here, that is not minigrad's own."""
    frame = sys._getframe(1)
    while frame.f_globals.get("__name__", "").startswith("minigrad."):
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return Place(frame.f_code, frame.f_lasti)


def place_of(node: "Node") -> Place | None:
    """The line that made a node, as far as it is known: under `detect_anomaly`."""
    return None if node.notes is None else node.notes.where


# Who released a part of a graph


class Receipt:
    """Stands for what a released node held, and says who released it, and whether that was interrupted."""

    def __init__(self) -> None:
        self.place = user_place()
        self.interruption: str | None = None


# Values that are not finite


def check_finite(
    value: Any, what: str, op: Any, place: Place | None, operands: Sequence[Any], gradient: Any = None
) -> None:
    """Raise AnomalyError if there is a NaN or an inf in `value`."""
    data = value if isinstance(value, (np.ndarray, np.generic)) else value.array
    if data.dtype.kind not in "fc" or np.isfinite(data).all():
        return
    raise not_finite(what, op, data, place, operands, gradient)


def check_made(node: "Node") -> None:
    """Raise AnomalyError if the operation has made NaN or inf of operands that are finite.

    An overflow may have a derivative of 0, which would tell nothing of it: that of ``log(exp(x))`` at 800, say.
    """
    if all(np.isfinite(x).all() for x in node.args):
        check_finite(node.value, f"{node.op} made", node.op, place_of(node), node.args)
