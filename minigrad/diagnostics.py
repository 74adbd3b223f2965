"""What is looked at when something is wrong: lines of the user's program, values that are not finite or out of date."""

import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minigrad import errors

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


# Who released a part of a graph


class Receipt:
    """Stands for what a released node held, and says who released it to those who look for that."""

    def __init__(self) -> None:
        self.place = user_place()
        self.interruption: str | None = None

    def __iter__(self, _: Any = None) -> Any:
        raise errors.released(self.place, self.interruption)

    __radd__ = __iter__


# Values that are not finite


def check_finite(
    value: Any, what: str, op: Any, place: Place | None, operands: Sequence[Any], gradient: Any = None
) -> None:
    """Raise AnomalyError if there is a NaN or an inf in `value`."""
    data = value if isinstance(value, (np.ndarray, np.generic)) else value.data
    if data.dtype.kind not in "fc" or np.isfinite(data).all():
        return
    raise errors.not_finite(what, op, data, place, operands, gradient)


# Values that are out of date


def check_fresh(node: "Node", written: Sequence["Node"]) -> None:
    """Raise StaleValueError if a rule of the node would read memory of a leaf that was written to since."""
    assert node.op is not None
    made = node.op.primitive
    rules = made.rules or (made.joint,) * len(node.inputs)
    needed = [rule for rule, parent in zip(rules, node.inputs, strict=True) if parent is not None]
    for leaf in written:
        assert leaf.notes is not None
        for position, value in enumerate((node.value, *node.args), start=1):
            shared = leaf.notes.written > node.seq and np.may_share_memory(value, leaf.value)
            if shared and any(reads(rule, position) for rule in needed):
                raise errors.stale(leaf, node)


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
