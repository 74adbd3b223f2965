"""Equations as one Python function: straight-line NumPy, without a look at what can be known beforehand."""

from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from minigrad.errors.programs import note_equation, other_result
from minigrad.program import Equation, Literal, Variable
from minigrad.program.equations import normal
from minigrad.program.numbers import arithmetic

LARGE = 1000  # elements of an array that is let go of as early as possible

# Of these kinds the form of a result follows from the forms of the operands.
CERTAIN = ("elementwise", "reduction", "movement", "contraction")


def straight_line(
    name: str,
    equations: Sequence[Equation],
    inputs: Sequence[Variable],
    outputs: Sequence[Variable],
    ordered: Collection[Variable] = (),
) -> Callable[..., tuple[Any, ...]]:
    """A function of the values of `inputs` that computes the equations, and returns the values of `outputs`.

    Every operation is called as it is outside of a program, so the results are the same to the last bit.  An array is
    let go of after its last use, or takes the result of the ufunc that uses it last.  Of the inputs in `ordered` the
    elements lie in memory in the order of their indices: elsewhere a result could come to lie in another order than it
    would by itself, and be summed in another one.
    """
    lines = _Lines(name, equations, inputs, outputs, ordered)
    text = lines.text()
    namespace = lines.names
    exec(compile(text, f"<program of {name}>", "exec"), namespace)
    function: Callable[..., tuple[Any, ...]] = namespace["run"]
    return function


class Calls:
    """Calls of operations as text, and the objects that the names in it stand for."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self._known: dict[int, str] = {}

    def name(self, value: Any, kind: str) -> str:
        """The name of an object."""
        if id(value) not in self._known:
            self._known[id(value)] = name = f"{kind}{len(self._known)}_"
            self.names[name] = value
        return self._known[id(value)]

    def call(self, equation: Equation, out: str = "") -> str:
        """What computes the value of an equation, into an array if it is a ufunc that does."""
        operation, made = equation.operation, equation.operation.primitive
        operands = [repr(x) if isinstance(x, Variable) else self.name(x.value, "c") for x in equation.inputs]
        if made is arithmetic.primitive:  # type: ignore[attr-defined]
            return f" {operation.params['sign']} ".join(operands)
        params = [f"{key}={self.name(value, 'p')}" for key, value in operation.params.items()]
        params += [f"out={out}"] * bool(out)
        function = made.numpy if is_ufunc(equation) else made.forward
        return f"{self.name(function, 'f')}({', '.join([*operands, *params])})"


class Steps(Calls):
    """Equations as lines of a function, which look at results whose form is not certain, and at whose an error is."""

    def __init__(self, name: str, equations: Sequence[Equation]) -> None:
        super().__init__()
        self.program, self.equations = name, equations
        self.names |= {"normal": normal, "require": self._require, "note": self._note}
        self._ends: list[int] = []  # the last line of each part of the function
        self._numbers: list[int] = []  # and an equation that it computes

    def step(self, number: int, out: str = "") -> list[str]:
        """The lines of one equation."""
        equation = self.equations[number]
        made, y = equation.operation.primitive, equation.outputs[0]
        targets = ", ".join(map(repr, equation.outputs))
        lines = [f"        {targets} = {self.call(equation, out)}"]
        is_number = isinstance(y.dtype, type) and y.dtype is not bool
        if not is_number and not (made.ours and made.facts.kind in CERTAIN):
            lines += [f"        {x!r} = require({number}, {i}, {x!r})" for i, x in enumerate(equation.outputs)]
        elif y.dtype in (bool, np.bool_) and not y.shape:
            lines += [f"        {targets} = normal({targets})"]
        return lines

    def ended(self, lines: Sequence[str], number: int) -> None:
        """Remember that a part of the function has ended, which computes an equation; or none, by a number below 0."""
        self._ends.append(len(lines))
        self._numbers.append(number)

    def _note(self, error: Exception) -> None:
        """Say which equation has raised: the number of the line tells."""
        place = error.__traceback__
        assert place is not None
        part = bisect_left(self._ends, place.tb_lineno)
        if part < len(self._numbers) and self._numbers[part] >= 0:
            note_equation(error, self.program, self.equations[self._numbers[part]])

    def _require(self, number: int, position: int, value: Any) -> Any:
        """A result, if it has the form that it had when the program was traced."""
        value, equation = normal(value), self.equations[number]
        if not equation.outputs[position].fits(value):
            raise other_result(self.program, equation, value)
        return value


class _Lines(Steps):
    def __init__(
        self,
        name: str,
        equations: Sequence[Equation],
        inputs: Sequence[Variable],
        outputs: Sequence[Variable],
        ordered: Collection[Variable],
    ) -> None:
        super().__init__(name, equations)
        self.inputs, self.outputs = inputs, outputs
        self._last = _last_uses(equations, outputs)
        self._own = _owned_alone(equations) & _in_order(equations, ordered)

    def text(self) -> str:
        """The source."""
        lines = [f"def run({', '.join(map(repr, self.inputs))}):", "    try:"]
        for number, equation in enumerate(self.equations):
            lines += self._of(number, equation)
            self.ended(lines, number)
        results = "".join(f"{x!r}, " for x in self.outputs)
        end = ["    except Exception as error:", "        note(error)", "        raise"]
        return "\n".join([*lines, f"        return ({results})", *end, ""])

    def _of(self, number: int, equation: Equation) -> list[str]:
        y = equation.outputs[0]
        ended = [x for x in dict.fromkeys(equation.inputs) if isinstance(x, Variable) and self._last[x] == number]
        there = [
            x for x in ended if is_ufunc(equation) and {x, y} <= self._own and (x.shape, x.dtype) == (y.shape, y.dtype)
        ]
        lines = self.step(number, out=repr(there[0]) if there else "")
        gone = [
            x for x in (*ended, *equation.outputs) if self._last.get(x, number) == number and prod(x.shape) >= LARGE
        ]
        if gone:
            lines.append(f"        {' = '.join(map(repr, gone))} = None")
        return lines


def _last_uses(equations: Sequence[Equation], outputs: Sequence[Variable]) -> Mapping[Any, int]:
    last: dict[Any, int] = {}
    for number, equation in enumerate(equations):
        last.update(dict.fromkeys([*equation.outputs, *equation.inputs], number))
    last.update(dict.fromkeys(outputs, len(equations)))
    return last


def is_ufunc(equation: Equation) -> bool:
    """Whether NumPy's ufunc does what the operation does: on arrays, and not on numbers, whose classes differ."""
    made = equation.operation.primitive
    return (
        isinstance(made.numpy, np.ufunc)
        and made.ours
        and made.plain
        and made.operands == made.numpy.nin == len(equation.inputs)
        and any(isinstance(x, Variable) and x.shape for x in equation.inputs)
        and all(isinstance(x, Literal) or not isinstance(x.dtype, type) for x in equation.inputs)
    )


def _owned_alone(equations: Sequence[Equation]) -> set[Variable]:
    """Arrays that ufuncs have made, and of which nothing but ufuncs ever takes hold."""
    made = {x for equation in equations if is_ufunc(equation) for x in equation.outputs if x.shape}
    shared = {x for equation in equations if not is_ufunc(equation) for x in equation.inputs}
    return {x for x in made if x not in shared}


def _in_order(equations: Sequence[Equation], ordered: Collection[Variable]) -> set[Variable]:
    """The arrays of which it is certain that their elements lie in order."""
    certain = set(ordered)
    for equation in equations:
        arrays = [x for x in equation.inputs if isinstance(x, Variable) and len(x.shape) > 1]
        if all(len(x.shape) < 2 for x in equation.outputs) or (is_ufunc(equation) and certain.issuperset(arrays)):
            certain.update(equation.outputs)
    return certain
