"""One traced function, ready to run: with its effects, and with a node for each result that requires grad."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import random
from minigrad.autograd import walk
from minigrad.compiling.straight import straight_line
from minigrad.compiling.tracing import Pullback, Traced
from minigrad.core import Handle, Operation, apply, conjugated, enable_grad, name_of, primitive, unwrap
from minigrad.ops.elementwise import positive
from minigrad.program import Variable
from minigrad.program.equations import Argument, OfTensor

Values = Mapping[Variable, Any]


class Compiled:
    """A program as functions of Python, and what has to hold for it to be run.

    Attributes
    ----------
    program : Program
    runs : int
        How often it was run.
    """

    def __init__(self, traced: Traced) -> None:
        self.program, self.pullbacks = traced
        self.runs = 0
        program = self.program
        self._outside = [(x, s) for x, s in program.inputs.items() if not isinstance(s, Argument)]
        arguments = [(x, s.number) for x, s in program.inputs.items() if isinstance(s, Argument)]
        self._numbers = [number for _, number in arguments]
        # NumPy's arrays from outside are read anew at every run, as they are: whoever writes into one finds it changed.
        self._constants = [constant.array for constant in program.constants.values()]
        self._inputs = [*(x for x, _ in self._outside), *(x for x, _ in arguments), *program.constants]
        draws = [e.outputs[0] for e in program.equations if e.operation.primitive.facts.kind == "draw"]
        pullbacks = [pullback for pullback in self.pullbacks if pullback is not None]
        needed = dict.fromkeys([x for pullback in pullbacks for x in pullback.needed])
        self._kept = list(dict.fromkeys([*needed, *(draws if pullbacks else ())]))
        self._changed = [x for _, x in program.effects if x is not None]
        made = [*program.outputs, *self._changed, *self._kept]
        self.run = straight_line(program.name, program.equations, self._inputs, made)
        self._pulls = [None if p is None else self._pull_of(p) for p in self.pullbacks]
        tensors = [source.tensor for _, source in self._outside if isinstance(source, OfTensor)]
        self.reads_tensors = bool(tensors)
        self._require = [(tensor, tensor.node is not None) for tensor in tensors]

    def _pull_of(self, pullback: Pullback) -> Callable[..., tuple[Any, ...]]:
        ends = list(pullback.gradients.values())
        return straight_line(self.program.name, pullback.equations, [pullback.seed, *pullback.needed], ends)

    def objection(self) -> str | None:
        """What has another form than it had when the function was traced; None if the program can be run."""
        for guard in self.program.guards:
            if (now := guard.look()) != guard.seen:
                return f"{guard.what} was {guard.seen!r}, and is {now!r}"
        for x, source in self._outside:
            value = source.read()
            if not x.fits(value):
                return f"{source} was {x.dtype} of shape {x.shape}, and is now of another form"
        for tensor, required in self._require:
            if (tensor.node is not None) is not required:
                return f"a Tensor of shape {tensor.array.shape} {'required' if required else 'did not require'} grad"
        return None

    def compute(self, leaves: Sequence[Any]) -> "Outcome":
        """Everything that a run computes; nothing is changed but the state of the generator."""
        values = [source.read() for _, source in self._outside]
        values += [unwrap(leaves[number]) for number in self._numbers]
        values += self._constants
        with random.restoring():
            made = self.run(*values)
        return Outcome(self, leaves, values, made)

    def values_of(self, outcome: "Outcome") -> dict[Variable, Any]:
        """The values of an outcome by their variables."""
        program = self.program
        found = dict(zip(self._inputs, outcome.inputs, strict=True))
        found.update(zip((*program.outputs, *self._changed, *self._kept), outcome.made, strict=True))
        return found


class Outcome:
    """What one run has computed."""

    def __init__(self, compiled: Compiled, leaves: Sequence[Any], inputs: list[Any], made: tuple[Any, ...]) -> None:
        self.compiled, self.leaves, self.inputs, self.made = compiled, leaves, inputs, made

    def written(self) -> Iterator[tuple[Any, Any]]:
        """The targets of the run's effects, with their new values."""
        program = self.compiled.program
        changed = iter(self.made[len(program.outputs) :])
        for target, x in program.effects:
            yield target, None if x is None else next(changed)

    def commit(self) -> None:
        """Change what the function changes."""
        taken = self._taken()
        for target, value in self.written():
            target.write(_alone(value, taken))

    def results(self, named: bool) -> Any:
        """The tree that the function returns."""
        compiled, program = self.compiled, self.compiled.program
        taken = self._taken()
        results = [_alone(x, taken) for x in self.made[: len(program.outputs)]]
        if named:
            by_variable = compiled.values_of(self) if any(compiled.pullbacks) else {}
            results = [self._named(i, x, by_variable) for i, x in enumerate(results)]
        return program.form.rebuild(results)

    def _taken(self) -> set[int]:
        """The identities of memory that somebody else has: what the run was given, and what a derivative will need."""
        count = len(self.compiled.program.outputs) + len(self.compiled._changed)
        found = {id(owner) for x in (*self.inputs, *self.made[count:]) for owner in _owners(x)}
        return found

    def _named(self, number: int, value: Any, values: Values) -> Any:
        pullback = self.compiled.pullbacks[number]
        if pullback is None:
            return name_of(value, None)
        tensors = [self._tensor(x) for x in pullback.gradients]
        op = Operation(_compiled.primitive, {})  # type: ignore[attr-defined]
        result = apply(op, (value, *tensors))
        op.saved = partial(_pull, self, number, [values[x] for x in pullback.needed])
        return result

    def _tensor(self, x: Variable) -> Any:
        source = self.compiled.program.inputs[x]
        return self.leaves[source.number] if isinstance(source, Argument) else source.tensor  # type: ignore[union-attr]

    def again(self, number: int, operands: Mapping[Variable, Any]) -> Any:
        """One result computed once more, of Tensors, so that it can be differentiated to any order."""
        known: dict[Any, Any] = {**self.compiled.values_of(self), **operands}
        program = self.compiled.program
        draws = {e.outputs[0] for e in program.equations if e.operation.primitive.facts.kind == "draw"}
        values = {x: known[x] for x in (*self.compiled._inputs, *draws)}
        for equation in program.equations:
            if equation.outputs[0] not in values:
                inputs = [values[x] if isinstance(x, Variable) else x.value for x in equation.inputs]
                operation = equation.operation
                values[equation.outputs[0]] = apply(Operation(operation.primitive, operation.params), tuple(inputs))
        return values[program.outputs[number]]


def _owners(x: Any) -> tuple[Any, ...]:
    return (x, x.base) if isinstance(x, ndarray) and x.base is not None else (x,)


def _alone(x: Any, taken: set[int]) -> Any:
    """The value in memory of its own, which from now on is taken."""
    if isinstance(x, ndarray):
        if x.base is not None or id(x) in taken:
            x = np.array(x)
        taken.add(id(x))
    return x


def _pull(outcome: Outcome, number: int, needed: list[Any], g: Any, operands: Sequence[Any]) -> list[Any]:
    """The gradients of the inputs of one result."""
    compiled = outcome.compiled
    pullback = compiled.pullbacks[number]
    assert pullback is not None
    if not isinstance(g, Handle):
        pull = compiled._pulls[number]
        assert pull is not None
        return list(pull(g, *needed))
    with enable_grad():
        # Tensors of its own, at which the walk ends: what the operands were computed from is for the outer one.
        variables = [positive(x) for x in operands]
        result = outcome.again(number, dict(zip(pullback.gradients, variables, strict=True)))
    found = walk([result], [g], [x.node for x in variables], True, True)
    return [found.get(x.node, np.zeros_like(x.array)) for x in variables]


def _compiled_rule(g: Any, y: Any, value: Any, *operands: Any, saved: Any) -> list[Any]:
    # `saved` is a walk of its own.
    return [None, *map(conjugated, saved(conjugated(g), operands))]


@primitive(joint=_compiled_rule, saves=True)
def _compiled(value: Any, *operands: Any) -> Any:
    """The value of a result that a program has computed of the operands."""
    return value, None
