"""What a whole program comes to as statements, recorded twice: with its values, and with any numbers.

What both recordings have in common does not depend on values, so it may be compiled.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.compiling.looping import LOOPS
from minigrad.compiling.lowering import INSTEAD, as_variable, results_of
from minigrad.compiling.recorded import new_recorder
from minigrad.compiling.recording import Refused, ShownNumber, copied, plain, view_of
from minigrad.compiling.statements import Buffer, Number, Statement, View
from minigrad.program import Equation, Variable
from minigrad.program.equations import normal

INSTEAD.update(LOOPS)


class Part(NamedTuple):
    """What the recording of one equation has come to."""

    statements: list[Statement]
    places: list[View]


def is_numeric(value: Any) -> bool:
    """Whether it is an array or a number that can stand in a kernel."""
    return type(value) in (int, float) or (
        isinstance(value, np.ndarray | np.generic) and value.dtype.char in "?bBhHiIlLqQefdFD"
    )


class Recording(NamedTuple):
    """What was written down: of each equation, where its results lie, and what could not be written down."""

    parts: dict[int, Part]
    places: dict[Variable, View]
    numbers: set[Variable]
    steps: dict[int, list[Any]]  # what steps of Python gave
    truths: list[bool]


def recorded(
    equations: Sequence[Equation],
    inputs: Sequence[Variable],
    values: Sequence[Any],
    reasons: dict[int, str],
    first: Recording | None = None,
) -> Recording:
    """What can be written down of each equation; why others cannot goes to `reasons`.

    After a first recording this one is of any numbers, and operations are told the truths of the first one.  What it
    writes down is the same if nothing in it depends on values.
    """
    recorder = new_recorder(None if first is None else first.truths)
    known: dict[Variable, Any] = {}
    found = Recording({}, {}, set(), {}, recorder.truths)

    def keep(x: Variable, value: Any) -> None:
        known[x] = as_variable(x, value)
        found.places[x] = view_of(value)
        if isinstance(value, ShownNumber):
            found.numbers.add(x)

    def take(x: Variable, value: Any) -> None:
        if is_numeric(value):
            keep(x, recorder.given(value))
        else:  # something that operations hand on to one another
            known[x] = value
            found.places[x] = View(Buffer((-1, x.number), "opaque", np.empty(()), 0), 0, (), (), None)

    with recorder.equation(-1), np.errstate(all="ignore"):
        for x, value in zip(inputs, values, strict=True):
            take(x, value)
    for number, equation in enumerate(equations):
        operands = [known[x] if isinstance(x, Variable) else x.value for x in equation.inputs]
        with recorder.equation(number), np.errstate(all="ignore"):
            if number not in reasons:
                try:
                    results = results_of(equation, operands)
                    for x, value in zip(equation.outputs, results, strict=True):
                        keep(x, value)
                    found.parts[number] = Part(recorder.statements, [found.places[x] for x in equation.outputs])
                    continue
                except Refused as refused:
                    reasons[number] = str(refused)
                except Exception as error:  # an operation of NumPy's that does not take what looks like an array
                    reasons[number] = f"{type(error).__name__}: {error}"
        with recorder.equation(number), np.errstate(all="ignore"):
            if first is None:
                found.steps[number] = _computed(equation, operands)
            elif number in first.steps:
                found.steps[number] = [scrambled(value, number) for value in first.steps[number]]
            else:
                break  # what the first one could write down: that is a difference already
            for x, value in zip(equation.outputs, found.steps[number], strict=True):
                take(x, value)
    return found


def _computed(equation: Equation, operands: Sequence[Any]) -> list[Any]:
    """What it makes of the values."""
    made = equation.operation.primitive
    operands = [_as_value(x) for x in operands]
    result = made.forward(*operands, **equation.operation.params)
    return [normal(x) for x in (result if made.saves else (result,))]


def _as_value(x: Any) -> Any:
    value = plain(x)
    if isinstance(value, np.ndarray) and not value.ndim and value.dtype != bool:
        return value[()]
    return value


def scrambled(value: Any, seed: int) -> Any:
    """Any numbers of the same form; whole ones between the least and the largest that there are."""
    rng = np.random.default_rng(seed)
    if type(value) in (int, float):
        return type(value)(value + 1 + 7 * rng.random())
    if not is_numeric(value):
        return value
    array = np.asarray(value)
    made, _, _ = copied(array)  # with the same strides
    if array.dtype.kind in "fc":
        made[...] = 3 * rng.standard_normal(array.shape)
    elif array.dtype.kind == "b":
        made[...] = ~array if array.size < 8 else rng.integers(0, 2, array.shape)
    elif array.size:
        low, high = int(array.min()), int(array.max())
        wide = high - low > 8
        made[...] = rng.integers(low, high, array.shape, array.dtype, endpoint=True) if wide else np.roll(array, 1)
        if (made == array).all() and high < np.iinfo(array.dtype).max:
            made += array.dtype.type(1)
    return made if isinstance(value, np.ndarray) else made[()]


def varied(value: Any, seed: int) -> Any:
    """Similar numbers: what is 0 or not finite stays, unless all is 0."""
    rng = np.random.default_rng(seed)
    if type(value) is float:
        return value * 0.9375
    if not isinstance(value, np.ndarray | np.generic) or value.dtype.kind not in "fc":
        return value
    array = np.asarray(value)
    made, _, _ = copied(array)
    with np.errstate(all="ignore"):
        made[...] = array * (1 + 0.25 * rng.random(array.shape))
    if array.size and not array.any():
        made[...] = rng.standard_normal(array.shape)
    return made if isinstance(value, np.ndarray) else made[()]


def alike(a: Part, b: Part | None) -> bool:
    """Whether two recordings say the same."""
    if b is None or len(a.statements) != len(b.statements):
        return False
    return all(map(_same, a.statements, b.statements)) and all(map(_same, a.places, b.places))


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Buffer):
        if not isinstance(b, Buffer) or (a.name, a.kind, a.size, a.step) != (b.name, b.kind, b.size, b.step):
            return False
        if a.base is not None:
            return _same(a.base, b.base)
        return a.kind != "constant" or a.array.tobytes() == b.array.tobytes()
    if isinstance(a, Number):
        return isinstance(b, Number) and a.dtype == b.dtype and bits(a.value) == bits(b.value)
    if isinstance(a, tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(_same, a, b))
    return bool(a == b)


def bits(x: Any) -> bytes:
    """The bytes of a value."""
    return np.asarray(x).tobytes()
