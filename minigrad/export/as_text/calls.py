"""Whether all calls of a function do the same: what is written down of one is what all later ones do."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from minigrad.compiling.noting import bits
from minigrad.errors.exporting import first_call_differs, second_call_differs, share_an_array
from minigrad.program import Program, Variable
from minigrad.program.bodies import bodies_of
from minigrad.program.equations import Equation, Look, OfEntry, OfGrad, OfTensor
from minigrad.tensor import Tensor


def check_first_call(target: str, program: Program, label: Callable[[Any], str]) -> None:
    """Raise if it makes what it has found missing: all later calls would find it, and do something else."""
    missing = set()
    for guard in program.guards:
        if guard.seen is False and isinstance(guard.look, Look):
            first, *key = guard.look.objects
            missing.add((id(first), *key, None) if key else place_of(getattr(first, "__self__", None)))
    for changed, x in program.effects:
        if x is not None and place_of(changed) in missing and changed.read() is None:
            raise first_call_differs(target, program.name, label(changed), isinstance(changed, OfGrad))


def check_second_call(target: str, program: Program, again: Program) -> None:
    """Raise if a function that was traced twice did not do the same."""
    if _outline(program) != _outline(again):
        raise second_call_differs(target, program.name)


def check_apart(target: str, program: Program, outside: Mapping[str, Any], label: Callable[[Any], str]) -> None:
    """Raise if a Tensor that is written to has the array of another one, of which the program knows nothing."""
    for changed, _ in program.effects:
        if isinstance(changed, OfTensor):
            for name, x in outside.items():
                if isinstance(x, Tensor) and x is not changed.tensor and x.array is changed.tensor.array:
                    raise share_an_array(target, program.name, label(changed), name)


def _outline(program: Program) -> list[Any]:
    """What has to be the same whenever a function is traced."""
    equations = all_equations(program.equations)
    literals = [bits(x.value) for e in equations for x in e.inputs if not isinstance(x, Variable)]
    constants = [constant.digest for constant in program.constants.values()]
    names = [e.operation.name for e in equations]
    return [names, literals, constants, len(program.inputs), len(program.outputs), len(program.effects)]


def all_equations(equations: Sequence[Equation]) -> list[Equation]:
    """Equations, with those of the bodies of loops and branches."""
    return [
        e
        for equation in equations
        for e in (equation, *(x for b in bodies_of(equation) for x in all_equations(b.equations)))
    ]


def place_of(source: Any) -> Any:
    """The same for what is read and written in the same place."""
    if isinstance(source, OfTensor):
        return id(source.tensor)
    if isinstance(source, OfEntry):
        return (id(source.mapping), source.key, source.place)
    return ("grad", id(source.node)) if isinstance(source, OfGrad) else source
