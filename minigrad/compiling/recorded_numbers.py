"""Numbers of Python that note what is computed of them: rates, counts of steps, what was read out of an array."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.compiling.recording import DOUBLE, Refused, ShownNumber, current
from minigrad.compiling.statements import Assume, View


def _arithmetic(sign: str, swapped: bool = False) -> Callable[[Any, Any], Any]:
    compute: Any = {
        "+": float.__add__, "-": float.__sub__, "*": float.__mul__, "/": float.__truediv__, "**": float.__pow__
    }[sign]  # fmt: skip

    def method(self: "RecordedNumber", other: Any) -> Any:
        if type(other) not in (int, float, RecordedNumber):
            return NotImplemented
        a, b = (other, self) if swapped else (self, other)
        if self.whole and getattr(other, "whole", type(other) is int):
            raise Refused("whole numbers of Python")
        try:
            value = compute(float(a), float(b))
        except (ArithmeticError, ValueError):
            value = 1.0  # the numbers of another recording may be any
        recorder = current.get()
        if sign == "/":
            _assume(b, "not_equal", 0.0)
        out = recorder.number(value)
        recorder.map(f"python {sign}", DOUBLE, out.place, [a, b])
        if sign in ("**", "/"):
            _assume_finite(out)
        return out

    return method


def _comparison(name: str) -> Callable[[Any, Any], bool]:
    def method(self: "RecordedNumber", other: Any) -> bool:
        if type(other) not in (int, float, RecordedNumber):
            return NotImplemented
        return _assume(self, name, other)

    return method


class RecordedNumber(ShownNumber):
    """A number of Python that is not known before the kernel runs."""

    def __new__(cls, value: float, place: View) -> "RecordedNumber":  # noqa: D102  # as float's
        made = super().__new__(cls, value)
        made.place, made.whole = place, type(value) is int
        return made

    __add__ = __radd__ = _arithmetic("+")
    __mul__ = __rmul__ = _arithmetic("*")
    __sub__, __rsub__ = _arithmetic("-"), _arithmetic("-", True)
    __truediv__, __rtruediv__ = _arithmetic("/"), _arithmetic("/", True)
    __pow__, __rpow__ = _arithmetic("**"), _arithmetic("**", True)  # type: ignore[assignment]  # of fewer operands
    __eq__, __ne__ = _comparison("equal"), _comparison("not_equal")
    __lt__, __le__ = _comparison("less"), _comparison("less_equal")
    __gt__, __ge__ = _comparison("greater"), _comparison("greater_equal")
    __hash__ = float.__hash__

    def __neg__(self) -> Any:
        return -1.0 * self

    def __bool__(self) -> bool:
        return _assume(self, "not_equal", 0.0)

    def __int__(self) -> int:
        raise Refused("a whole number of a value")

    __index__ = __trunc__ = __round__ = __int__  # type: ignore[assignment]


def _assume(x: Any, comparison: str, other: Any) -> bool:
    """The truth of a comparison now, which the kernel will rely on."""
    recorder = current.get()
    truth = recorder.truth(getattr(np, comparison)(float(x), float(other)))
    if isinstance(x, RecordedNumber) or isinstance(other, RecordedNumber):
        out = recorder.view(recorder.made(np.array(truth)))
        recorder.map(comparison, DOUBLE, out, [x, other])
        recorder.note(Assume(out, truth))
    return truth


def _assume_finite(x: RecordedNumber) -> None:
    recorder = current.get()
    out = recorder.view(recorder.made(np.array(True)))
    recorder.map("isfinite", DOUBLE, out, [x])
    recorder.note(Assume(out, truth=True))


def root_of(x: Any) -> Any:
    """The square root of a number of Python."""
    if not isinstance(x, RecordedNumber):
        raise Refused("the root of a number that is known")
    _assume(x, "greater_equal", 0.0)
    recorder = current.get()
    out = recorder.number(abs(float(x)) ** 0.5)
    recorder.map("sqrt", DOUBLE, out.place, [x])
    return out
