"""Numbers of Python that optimizers compute on the way: what is recorded of functions that look at them.

Both of two ways are computed, and one of the results is taken.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.compiling.recording import BOOL, DOUBLE, ShownNumber, current, plain
from minigrad.compiling.statements import Map
from minigrad.ops import elementwise, numbers
from minigrad.optim import radam


def _made(operation: str, value: float, *operands: Any) -> Any:
    """A number that an operation makes of numbers; the value is an example."""
    recorder = current.get()
    out = recorder.number(float(value))
    recorder.map(operation, DOUBLE, out.place, operands)
    return out


def _truth(comparison: str, a: Any, b: Any) -> Any:
    """Whether a comparison of two numbers holds."""
    recorder = current.get()
    truth = recorder.made(np.array(bool(getattr(np, comparison)(float(a), float(b)))))
    recorder.map(comparison, DOUBLE, recorder.view(truth), [a, b])
    return truth


def _greater(x: Any, y: Any) -> Any:
    if isinstance(x, ShownNumber) or isinstance(y, ShownNumber):
        return _truth("greater", x, y)
    return np.greater(x, y)


def _if(comparison: str, a: Any, b: Any, x: Any, y: Any) -> Any:
    """One number where a comparison of two holds, and otherwise another one."""
    recorder = current.get()
    truth = _truth(comparison, a, b)
    out = recorder.number(float(x) if bool(plain(truth)) else float(y))
    inputs = (recorder.operand(truth, BOOL), recorder.operand(x, DOUBLE), recorder.operand(y, DOUBLE))
    recorder.note(Map("where", DOUBLE, None, out.place, inputs))
    return out


def _larger(x: Any, y: Any) -> Any:
    return _if("less", x, y, y, x)


def _smaller(x: Any, y: Any) -> Any:
    return _if("less", y, x, y, x)


def _length(x: Any) -> Any:
    row = x.reshape(-1)
    square = np.vecdot(row, row).reshape(1).item()
    return _made("sqrt", abs(float(square)) ** 0.5, square)


def _rectification(now: Any, end: Any, correction: Any) -> Any:
    """As `RAdam` has it: where there are too few squares, the root is of anything, and not taken."""

    def times(a: Any, b: Any) -> Any:
        return _made("python *", float(a) * float(b), a, b)

    def less(a: Any, b: float) -> Any:
        return _made("python -", float(a) - b, a, b)

    above = times(times(less(now, 4), less(now, 2)), end)
    below = times(times(less(end, 4), less(end, 2)), now)
    square = times(_made("python /", float(above) / (float(below) or 1.0), above, below), correction)
    return _if("less_equal", now, 5, 1.0, _made("sqrt", abs(float(square)) ** 0.5, square))


ROWS: tuple[tuple[Any, Callable[..., Any]], ...] = (
    (numbers.larger, _larger), (numbers.smaller, _smaller), (numbers.length, _length),
    (elementwise.greater, _greater), (radam._rectification, _rectification),
)  # fmt: skip
