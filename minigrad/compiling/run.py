"""One traced function, ready to run: with its effects, and with a node for each result that requires grad."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import random
from minigrad.autograd import walk
from minigrad.compiling.arguments import is_ordered
from minigrad.compiling.running import Runner
from minigrad.compiling.tracing import Differentiable, Pullback
from minigrad.core import Handle, Operation, apply, conjugated, enable_grad, leaf, name_of, primitive, unwrap
from minigrad.errors.programs import changed as change_of
from minigrad.ops.elementwise import positive
from minigrad.program import Program, Variable
from minigrad.program.equations import Argument, OfEntry, OfTensor, with_hooks
from minigrad.tree import Rebuild
from minigrad.writes import SMALL

Run = Callable[..., tuple[Any, ...]]


class Compiled:
    """A program as functions of Python, and what has to hold for it to be run.

    Attributes
    ----------
    program : Program
    runs : int
        How often it was run.
    """

    def __init__(self, written: Differentiable, leaves: Sequence[Any], quick: bool = False) -> None:
        self.program, self.pullbacks, self.written = written
        self.runs, self.quick = 0, quick
        self._short_way: tuple[Callable[..., Any] | None] | None = None
        program, pullbacks = self.program, [p for p in self.pullbacks if p is not None]
        self.outside = [(x, source) for x, source in program.inputs.items() if not isinstance(source, Argument)]
        arguments = [(x, source.number) for x, source in program.inputs.items() if isinstance(source, Argument)]
        self._numbers = [number for _, number in arguments]
        # NumPy's arrays from outside are read anew at every run, as they are: whoever writes into one finds it changed.
        self._constants = [constant.array for constant in program.constants.values()]
        self.inputs = [*(x for x, _ in self.outside), *(x for x, _ in arguments), *program.constants]
        self.inputs_of_written = dict(_same_inputs(self.written, program))
        self.draws = {e.outputs[0] for e in program.equations if e.operation.primitive.facts.kind == "draw"}
        self._draws = bool(self.draws)
        changed = [x for _, x in program.effects if x is not None]
        needed = dict.fromkeys([*(x for p in pullbacks for x in p.needed), *(self.draws if pullbacks else ())])
        self.made = [*program.outputs, *changed, *needed]
        self.results, self.kept_from = len(program.outputs), len(program.outputs) + len(changed)
        # What is in order at the first call has to be at the others; most arrays are.
        values = [source.read() for _, source in self.outside] + [unwrap(leaves[number]) for number in self._numbers]
        ordered = [x for x, value in zip(self.inputs, values, strict=False) if is_ordered(value)]
        self._ordered = [x in ordered for x, _ in self.outside]
        # As without a program: what has no derivative is copied for the backward pass if it is small.
        borrowed = set(self.inputs) - {x for p in pullbacks for x in p.gradients}
        self._borrowed = [i for i in range(self.kept_from, len(self.made)) if self.made[i] in borrowed]
        self.runner = Runner(program.name, program.equations, self.inputs, self.made, ordered, self._targets(), quick)
        self.pulls = [None if p is None else self._pull_of(p) for p in self.pullbacks]
        tensors = [source.tensor for _, source in self.outside if isinstance(source, OfTensor)]
        self.reads_tensors = bool(tensors)
        self._require = [(tensor, tensor.node is not None) for tensor in tensors]

    def _targets(self) -> dict[Variable, Variable]:
        """Results that are written into arrays which the program reads, too."""
        read: dict[Any, Variable] = {}
        for x, source in self.outside:
            if isinstance(source, OfTensor):
                read[id(source.tensor)] = x
            elif isinstance(source, OfEntry):
                read[id(source.mapping), source.key, source.place] = x
        found: dict[Variable, Variable] = {}
        for target, made in self.program.effects:
            place: Any = None
            if isinstance(target, OfTensor) and target.in_memory:
                place = id(target.tensor)
            elif isinstance(target, OfEntry):
                place = (id(target.mapping), target.key, target.place)
            before = read.get(place)
            if made is None or before is None or made in found or before in found.values() or made in self.inputs:
                continue
            if before.shape == made.shape and made.shape and not isinstance(made.dtype, type):
                found[made] = before
        return found

    def _pull_of(self, pullback: Pullback) -> Run:
        ends = list(pullback.gradients.values())
        return Runner(self.program.name, pullback.equations, [pullback.seed, *pullback.needed], ends, quick=self.quick)

    def short_way(self, make: Callable[[], Callable[..., Any] | None]) -> Callable[..., Any] | None:
        """The short way in, made once, when the program has been compared and run."""
        if self._short_way is None and self.runs > 2:
            self._short_way = (make(),)
        return self._short_way[0] if self._short_way is not None else None

    def read(self) -> list[Any] | str:
        """What the program takes from outside; if that has another form than in the trace, how."""
        for guard in self.program.guards:
            if (now := guard.look()) != guard.seen:
                return change_of(guard.what, guard.seen, now)
        for tensor, required in self._require:
            if (tensor.node is not None) is not required:
                return f"a Tensor of shape {tensor.array.shape} {'required' if required else 'did not require'} grad"
        values = []
        for (x, source), ordered in zip(self.outside, self._ordered, strict=True):
            value = source.read()
            if value.__class__ is ndarray and x.shape == value.shape and x.dtype is value.dtype:
                if ordered and not is_ordered(value):
                    return f"{source} lies in memory in another order"
            elif not x.fits(value):
                return f"{source} was {x.dtype} of shape {x.shape}, and has another form now"
            values.append(value)
        return values

    def compute(self, outside: list[Any], leaves: Sequence[Any]) -> "Outcome":
        """Everything that a run computes of what was read; nothing is changed but the state of the generator."""
        values = outside
        for number in self._numbers:
            x = leaves[number]
            values.append(x.array if isinstance(x, Handle) else x)
        values += self._constants
        if self._draws:
            with random.restoring():
                made = self.runner(*values)
        else:
            made = self.runner(*values)
        if self._borrowed:
            kept = list(made)
            for i in self._borrowed:
                if kept[i].__class__ is ndarray and kept[i].size <= SMALL:
                    kept[i] = kept[i].copy()
            made = tuple(kept)
        return Outcome(self, leaves, values, made)


class Outcome:
    """What one run has computed."""

    __slots__ = ("compiled", "inputs", "leaves", "made")

    def __init__(self, compiled: Compiled, leaves: Sequence[Any], inputs: list[Any], made: tuple[Any, ...]) -> None:
        self.compiled, self.leaves, self.inputs, self.made = compiled, leaves, inputs, made

    def written(self) -> Iterator[tuple[Any, Any]]:
        """The targets of the run's effects, with their new values."""
        values = iter(self.made[self.compiled.results :])
        for target, x in self.compiled.program.effects:
            yield target, None if x is None else next(values)

    def commit(self) -> None:
        """Change what the function changes."""
        if self.compiled.program.effects:
            taken = self._taken()
            for target, value in self.written():
                target.write(_alone(value, taken))

    def present(self, named: bool) -> Any:
        """The tree that the function returns."""
        compiled, taken = self.compiled, self._taken()
        results = [_alone(x, taken) for x in self.made[: compiled.results]]
        if named:
            results = [self._named(i, x) for i, x in enumerate(results)]
        rebuild: Rebuild = compiled.program.form.rebuild
        return rebuild(results)

    def _taken(self) -> set[int]:
        """The identities of memory that somebody else has: what the run was given, and what a derivative will need."""
        arrays = [x for x in (*self.inputs, *self.made[self.compiled.kept_from :]) if x.__class__ is ndarray]
        return {id(x) for x in arrays} | {id(x.base) for x in arrays if x.base is not None}

    def _named(self, number: int, value: Any) -> Any:
        """A result as a Tensor, with a node if it requires grad."""
        pullback = self.compiled.pullbacks[number]
        if pullback is None:
            return name_of(value, None)
        op = Operation(_compiled.primitive, {})  # type: ignore[attr-defined]
        result = apply(op, (value, *map(self._tensor, pullback.gradients)))
        op.saved = partial(_pull, self, number)
        return result

    def _tensor(self, x: Variable) -> Any:
        source = self.compiled.program.inputs[x]
        return self.leaves[source.number] if isinstance(source, Argument) else source.tensor  # type: ignore[union-attr]

    def values(self) -> dict[Variable, Any]:
        """What was read and made, by its variables."""
        compiled = self.compiled
        return dict(zip((*compiled.inputs, *compiled.made), (*self.inputs, *self.made), strict=True))

    def again(self, number: int, operands: Mapping[Variable, Any]) -> Any:
        """One result computed once more, of Tensors, so that it can be differentiated to any order."""
        written, known = self.compiled.written, {**self.values(), **operands}
        values: dict[Any, Any] = {x: constant.array for x, constant in written.constants.items()}
        values |= {x: known[same] for x, same in self.compiled.inputs_of_written.items()}
        values |= {x: known[x] for x in self.compiled.draws}
        for x in written.hooks:
            if x in values:
                with_hooks(values[x], written.hooks[x])
        for equation in written.equations:
            if equation.outputs[0] not in values:
                equation.apply_to(values)
                for x in equation.outputs:
                    with_hooks(values[x], written.hooks.get(x, ()))
        return values[written.outputs[number]]


def _same_inputs(written: Program, program: Program) -> Iterator[tuple[Variable, Variable]]:
    """The inputs of a program as it was traced, and those of another form of it that are read from the same places."""
    entries = {(id(s.mapping), s.key, s.place): x for x, s in program.inputs.items() if isinstance(s, OfEntry)}
    for x, source in written.inputs.items():
        if x in program.inputs:
            yield x, x
        elif isinstance(source, OfEntry) and (id(source.mapping), source.key, source.place) in entries:
            yield x, entries[id(source.mapping), source.key, source.place]


def _alone(x: Any, taken: set[int]) -> Any:
    """The value in memory of its own, which from now on is taken."""
    if x.__class__ is ndarray:
        if x.base is not None or id(x) in taken:
            x = np.array(x)
        taken.add(id(x))
    return x


def _pull(outcome: Outcome, number: int, g: Any, operands: Sequence[Any]) -> list[Any]:
    """The gradients of the inputs of one result."""
    pullback, pull = outcome.compiled.pullbacks[number], outcome.compiled.pulls[number]
    assert pullback is not None
    assert pull is not None
    if not isinstance(g, Handle):
        values = outcome.values()
        return list(pull(g, *[values[x] for x in pullback.needed]))
    with enable_grad():
        # Tensors of its own, at which the walk ends: what the operands were computed from is for the outer one.
        # Where nothing is recorded, as in a mapped function, they have to be made leaves.
        copies = map(positive, operands)
        variables = [x if x.node is not None else name_of(x.array, leaf(x.array)) for x in copies]
        result = outcome.again(number, dict(zip(pullback.gradients, variables, strict=True)))
    found = walk([result], [g], [x.node for x in variables], True, True)
    return [found.get(x.node, np.zeros_like(x.array)) for x in variables]


def _compiled_rule(g: Any, y: Any, value: Any, *operands: Any, saved: Any) -> list[Any]:
    # `saved` is a walk of its own.
    return [None, *map(conjugated, saved(conjugated(g), operands))]


@primitive(joint=_compiled_rule, saves=True, relays=True)
def _compiled(value: Any, *operands: Any) -> Any:
    """The value of a result that a program has computed of the operands."""
    return value, None
