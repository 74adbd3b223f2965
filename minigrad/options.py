"""Options as people give them, checked: what is refused is refused in the same words everywhere."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.errors import ArgumentError

__tracebackhide__ = True  # by pytest

_REAL = (int, float, np.integer, np.floating)


def real_number(
    value: Any,
    name: str,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
    remedy: str = "",
) -> Any:
    """The option, if it is a number within these bounds, which NaN never is; `name` is whose it is and its own."""
    within = (
        isinstance(value, _REAL)
        and (least is None or value >= least)
        and (above is None or value > above)
        and (most is None or value <= most)
        and (below is None or value < below)
    )
    if not within:
        bounds = (("of at least", least), ("above", above), ("of at most", most), ("below", below))
        words = " and ".join(f"{kind} {bound}" for kind, bound in bounds if bound is not None)
        if least is not None and most is not None:
            words = f"from {least} to {most}"
        remedy = f": {remedy}" if remedy else ""
        number = f"a number {words}".rstrip()
        raise ArgumentError(f"{name} must be {number}, not {value!r}{remedy}")
    return value


def whole_number(value: Any, name: str, least: int = 1) -> int:
    """The option, if it is an integer that is large enough."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
        raise ArgumentError(f"{name} must be an integer of at least {least}, not {value!r}")
    return int(value)


def one_of(value: Any, name: str, allowed: Sequence[Any]) -> Any:
    """The option, if it is one of those that there are."""
    if value not in allowed:
        *others, last = map(repr, allowed)
        words = f"{', '.join(others)} or {last}" if others else last
        raise ArgumentError(f"{name} must be {words}, not {value!r}")
    return value
