"""Values, parameters and names in few words: what a graph's text and its picture have in common."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.ops.indexing import PLACE


def shortened(text: str, length: int) -> str:
    """At most `length` characters."""
    return text if len(text) <= length else text[: length - 1] + "…"


def printable(text: str) -> str:
    """Line breaks, control characters and broken Unicode as backslash escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def label(name: str | None) -> str:
    """A name that somebody gave, fit to be shown; of long paths, it is the end that tells."""
    text = printable(name or "")
    return text if len(text) <= 50 else f"{text[:15]}…{text[-34:]}"


def number(x: Any) -> str:
    """A number with at most six digits."""
    return f"{x:.6g}" if isinstance(x, (float, complex, np.inexact)) else str(x)


def describe(value: Any) -> str:
    """The dtype and the shape of an array; of a number, or up to three that are short, the numbers instead."""
    array = np.asarray(value)
    if array.ndim == 0:
        return f"{array.dtype} {number(array[()])}"
    if array.ndim == 1 and 1 <= array.size <= 3:
        numbers = f"[{', '.join(map(number, array))}]"
        if len(numbers) <= 16:
            return f"{array.dtype} {numbers}"
    return f"{array.dtype} {array.shape}"


def index(params: Mapping[str, Any]) -> str:
    """The index of an operation that reads or writes by index, as in ``[1:, 0]``."""
    value = params.get("index")
    if not isinstance(value, tuple):
        return ""
    return f"[{', '.join([part if part == PLACE else _parameter(part) for part in value])}]"


def parameters(params: Mapping[str, Any]) -> list[str]:
    """The other parameters as they would be written in a call, without those that are None or False."""
    given = {name: value for name, value in params.items() if value is not None and value is not False}
    if index(params):
        del given["index"]
    return [f"{name}={_parameter(value)}" for name, value in given.items()]


def _parameter(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return describe(value)
    if isinstance(value, (float, complex, np.generic)):
        return number(value)
    if isinstance(value, slice):
        start, stop = ("" if end is None else end for end in (value.start, value.stop))
        return f"{start}:{stop}" + ("" if value.step is None else f":{value.step}")
    if value is Ellipsis:
        return "..."
    text = value.__qualname__ if isinstance(value, type) else repr(value)
    return shortened(printable(" ".join(text.split())), 40)
