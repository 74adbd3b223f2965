"""What messages are made of: values, nodes and places in words; and how a warning finds the user's line."""

import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from minigrad.core.node import Node


def at(place: Any) -> str:
    """A place in the user's program, in parentheses, if it is known."""
    return f" (at {place})" if place else ""


def defined_at(function: Callable[..., Any]) -> str:
    """A function by its name, and the line where it was defined, if it is one of Python's."""
    name = getattr(function, "__qualname__", repr(function))
    code = getattr(function, "__code__", None)
    if code is None:
        return name
    import linecache  # here, and not at the top, as it takes milliseconds that only errors need

    text = linecache.getline(code.co_filename, code.co_firstlineno).strip()
    return name + at(f"{code.co_filename}:{code.co_firstlineno}" + (f" `{text}`" if text else ""))


def value_of(operand: Any) -> Any:
    """The array of a Tensor; anything else as it is."""
    return operand if isinstance(operand, (np.ndarray, np.generic)) else getattr(operand, "array", operand)


def describe(operand: Any) -> str:
    """An operand in a few words: its dtype and shape, and the range of its numbers."""
    value = value_of(operand)
    if not isinstance(value, (np.ndarray, np.generic)):
        return repr(value)
    if value.ndim == 0:
        return f"{value.dtype} {value!s}"
    text = f"{value.dtype} {value.shape}"
    if value.dtype.kind in "fc" and value.size:
        bad = {"NaN": int(np.isnan(value).sum()), "inf": int(np.isinf(value).sum())}
        text += "".join(f", {count} {name}" for name, count in bad.items() if count)
        good = np.asarray(value)[np.isfinite(value)]
        if good.size and value.dtype.kind == "f":
            text += f", from {good.min():.4g} to {good.max():.4g}"
    return text


def called(node: "Node") -> str:
    """A value of the graph by its name, or by the operation that made it, and the line of that if it was noted."""
    notes = node.notes
    name = notes.name if notes is not None else None
    if node.op is None:
        return f"the leaf {name!r}" if name else "a leaf"
    where = at(notes.where) if notes is not None else ""
    return (f"{name!r}, the result of {node.op}" if name else f"the result of {node.op}") + where


def an(kind: str) -> str:
    """A noun with its article."""
    return f"{'an' if kind.lower().startswith(('a', 'e', 'i', 'o', 'u', 'nd')) else 'a'} {kind}"


def listed(words: Sequence[str]) -> str:
    """Words with commas, and "and" before the last."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def shapes(args: Sequence[Any]) -> str:
    """The shapes of some arrays."""
    return listed([str(np.shape(x)) for x in args])


def nearest(name: str, names: Iterable[str], cutoff: float = 0.75) -> str | None:
    """The one of some names that is spelt most like a given one."""
    import difflib  # only for messages

    return next(iter(difflib.get_close_matches(name, names, n=1, cutoff=cutoff)), None)


def warn(message: str) -> None:
    """Warn of the innermost line, on the way to here, that is not minigrad's own."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("minigrad."):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)
