"""Many steps of a descent at once, in one compiled loop.

One step is traced as a program: its value, the gradients, and what the optimizer changes.  That is the body of a scan,
whose carry is everything that a step changes.  The loop knows nothing of limits: it makes a number of steps, and who
finds that too many were made puts back what there was before, and makes fewer.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.compiling.running import Runner
from minigrad.core import Operation
from minigrad.ops.numbers import number
from minigrad.ops.shaping import _astype
from minigrad.program import Equation, Program, Variable, remove_dead_code, share_common_subexpressions
from minigrad.program.bodies import Body, Scan, _scan
from minigrad.program.equations import OfEntry, OfGrad, OfTensor
from minigrad.program.tracing import Interpreter
from minigrad.several import unpacked

MOST = 1000  # steps that are made at once
NUMBERS = 1 << 20  # that they may leave behind
DOUBLE = np.dtype(np.float64)


class Made(NamedTuple):
    """What some steps have come to.

    Attributes
    ----------
    losses : ndarray, shape (count,)
        Before each step.
    gradients, points : list of ndarray, shape (count, ...)
        Of each leaf: the gradients before, and the values after each step.
    carry : list
        What has become of everything that a step changes.
    """

    losses: np.ndarray
    gradients: list[np.ndarray]
    points: list[np.ndarray]
    carry: list[Any]


class Steps:
    """A step of a descent, ready to be made many times.

    Parameters
    ----------
    step : callable
        Makes one, and returns the value before it and the gradients.  It is only traced, and changes nothing.
    leaves : sequence of Tensor

    Raises
    ------
    ProgramError
        If the step can be no program.
    """

    def __init__(self, step: Callable[[], Any], leaves: Sequence[Any]) -> None:
        program = _traced(step)
        program = remove_dead_code(share_common_subexpressions(program))
        self._guards = program.guards
        written: dict[Any, Any] = {_key(target): x for target, x in program.effects if not isinstance(target, OfGrad)}
        self._targets = {_key(target): target for target, _ in program.effects if not isinstance(target, OfGrad)}
        read = {_key(source): x for x, source in program.inputs.items()}
        self._carried = [key for key in written if key in read]
        # Whether everything that a step writes is there before, as in a first step it is not, and nothing else is
        # gathered from step to step.
        own = {leaf.node for leaf in leaves}
        others = [target for target, _ in program.effects if isinstance(target, OfGrad) and target.node not in own]
        self.complete = (
            not others and len(self._carried) == len(written) and all(x is not None for x in written.values())
        )
        self.complete = self.complete and not any(e.operation.primitive.facts.kind == "draw" for e in program.equations)
        fixed = [(source, x) for x, source in program.inputs.items() if _key(source) not in written]
        self._constants: list[Any] = [source for source, _ in fixed]
        arrays = [constant.array for constant in program.constants.values()]
        makes = _Numbers(program)
        inputs = [*(makes.read(x) for _, x in fixed), *program.constants, *(makes.read(read[k]) for k in self._carried)]
        carry = [makes.write(written[key]) for key in self._carried]
        places = {id(leaf): written[id(leaf)] for leaf in leaves if id(leaf) in written}
        self.complete = self.complete and len(places) == len(leaves)
        results = [*program.outputs, *places.values()]
        self._body = Body("a step", makes.equations(), inputs, [*carry, *results])
        self._arrays, self._forms = arrays, [(x.shape, np.dtype(x.dtype)) for x in results]
        self._leaves = len(leaves)
        size = 1 + sum(2 * leaf.array.size for leaf in leaves)
        self.most = max(1, min(MOST, NUMBERS // size))
        self._runner: Runner | None = None

    def fits(self) -> bool:
        """Whether what the step takes for granted is so."""
        return all(guard.look() == guard.seen for guard in self._guards)

    def now(self) -> list[Any]:
        """What the steps change, as it is: copies."""
        return [np.array(self._targets[key].read(), dtype=None) for key in self._carried]

    def make(self, count: int, carry: Sequence[Any]) -> Made:
        """Make so many steps, `MOST` at the most, from a carry; nothing is changed outside."""
        constants = [np.asarray(source.read()) for source in self._constants]
        carry = [x.astype(DOUBLE) if x.dtype.kind in "iub" else x for x in map(np.asarray, carry)]
        operands = [np.array(count), *constants, *self._arrays, *carry]
        forms = (*((x.shape, x.dtype) for x in carry), *(((self.most, *shape), dtype) for shape, dtype in self._forms))
        if self._runner is None:
            self._runner = self._made(operands, len(carry), forms)
        made = unpacked(self._runner(*operands)[0], forms)
        results = [x[:count] for x in made[len(carry) :]]
        return Made(results[0], results[1 : 1 + self._leaves], results[1 + self._leaves :], made[: len(carry)])

    def _made(self, operands: Sequence[Any], carries: int, forms: Any) -> Runner:
        how = Scan(len(operands) - carries, carries, self.most, reverse=False, keeps=False, limited=True)
        inputs = tuple([Variable(i, x) for i, x in enumerate(operands)])
        operation = Operation(_scan.primitive, {"body": self._body, "how": how, "forms": forms})  # type: ignore[attr-defined]
        sizes = sum(int(np.prod(shape)) for shape, _ in forms)
        out = Variable(len(inputs), np.empty(sizes, np.result_type(*[dtype for _, dtype in forms])))
        return Runner("a descent", [Equation(operation, inputs, (out,), None)], inputs, [out])

    def settle(self, carry: Sequence[Any]) -> None:
        """Let everything that steps change be what it has become."""
        for key, value in zip(self._carried, carry, strict=True):
            target = self._targets[key]
            before = target.read()
            target.write(type(before)(value) if type(before) in (int, float) else np.asarray(value))


def _traced(step: Callable[[], Any]) -> Program:
    """The step as a program; it is not made."""
    interpreter = Interpreter("a step of minimize")
    interpreter.open(())
    try:
        with interpreter:
            result = step()
        program = interpreter.close(interpreter.form_of_results(result, named=True), result, commit=False)
    except BaseException:
        interpreter.roll_back()
        raise
    interpreter.take_back()
    return program


def _key(source: Any) -> Any:
    """What a source and a target have in common that are the same place."""
    if isinstance(source, OfTensor):
        return id(source.tensor)
    if isinstance(source, OfEntry):
        return (id(source.mapping), source.key, source.place)
    return source


class _Numbers:
    """Numbers of Python, which a loop carries as arrays."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._count = 1 + max((x.number for e in program.equations for x in e.outputs), default=0)
        self._count = max(self._count, 1 + max((x.number for x in program.inputs), default=0))
        self._before: list[Equation] = []
        self._after: list[Equation] = []

    def _new(self) -> Variable:
        self._count += 1
        return Variable(self._count, np.float64(0))

    def read(self, x: Variable) -> Variable:
        """The variable of an array, of which the number is taken."""
        if not isinstance(x.dtype, type):
            return x
        made = self._new()
        self._before.append(Equation(Operation(number.primitive, {}), (made,), (x,), None))  # type: ignore[attr-defined]
        return made

    def write(self, x: Any) -> Variable:
        """The variable of an array that holds a number."""
        if not isinstance(x.dtype, type):
            return x
        made = self._new()
        operation = Operation(_astype.primitive, {"dtype": DOUBLE})  # type: ignore[attr-defined]
        self._after.append(Equation(operation, (x,), (made,), None))
        return made

    def equations(self) -> list[Equation]:
        """Those of the program, between those that take numbers out of arrays and put them in."""
        return [*self._before, *self.program.equations, *self._after]
