"""Programs from programs: the same results, with less to compute."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.program.equations import (
    Atom,
    Constant,
    Equation,
    Literal,
    OfEntry,
    Program,
    Variable,
    digest_of,
    normal,
)


def simplified(program: Program) -> Program:
    """The program after all passes of this module."""
    return remove_dead_code(share_common_subexpressions(fold_constants(program)))


def remove_dead_code(program: Program) -> Program:
    """Leave out equations that nothing depends on.

    Random draws stay: they move the generator on, and what is drawn after them would be other numbers.  What may raise
    stays too, as a check of labels does.
    """
    return program.changed(leading_to({*program.outputs, *(x for _, x in program.effects)}, program.equations, True))


def leading_to(ends: Iterable[Any], equations: Sequence[Equation], acting: bool = False) -> list[Equation]:
    """The equations on which some variables depend; with `acting` also those that do something beside."""
    needed = set(ends)
    kept = []
    for equation in reversed(equations):
        if not needed.isdisjoint(equation.outputs) or (acting and equation.acts):
            kept.append(equation)
            needed.update(equation.inputs)
    return kept[::-1]


def share_common_subexpressions(program: Program, differentiable: bool = False) -> Program:
    """Compute once what is computed several times of the same operands, and read once what is read several times.

    A program that shall be `differentiable` shares only what gradients go through in the same way.
    """
    known: dict[Hashable, tuple[Variable, ...]] = {}
    names: dict[Variable, Atom] = {}
    read: dict[Hashable, Variable] = {}
    for x, source in program.inputs.items():
        if isinstance(source, OfEntry):
            first = read.setdefault((id(source.mapping), source.key, source.place), x)
            if first is not x:
                names[x] = first
    kept = []
    for equation in program.equations:
        inputs = tuple(names.get(x, x) if isinstance(x, Variable) else x for x in equation.inputs)
        equation = equation._replace(inputs=inputs)
        key = _key(equation)
        if equation.operation.primitive.facts.kind == "draw":
            key = None
        elif key is not None and differentiable:
            key = None if equation.outputs[0] in program.hooks else (key, equation.followed)
        before = None if key is None else known.get(key)
        if before is not None:
            names.update(zip(equation.outputs, before, strict=True))
            continue
        if key is not None:
            known[key] = equation.outputs
        kept.append(equation)
    return program.changed(kept, names)


def fold_constants(program: Program) -> Program:
    """Compute now what depends on constants and numbers alone."""
    kept = []
    constants = dict(program.constants)
    for equation in program.equations:
        known = all(isinstance(x, Literal) or x in constants for x in equation.inputs)
        if not known or not equation.inputs or equation.acts or equation.operation.primitive.saves:
            kept.append(equation)
            continue
        (x,) = equation.outputs
        operands = [constants[v].array if isinstance(v, Variable) else v.value for v in equation.inputs]
        with np.errstate(all="ignore"):
            value = normal(equation.operation.primitive.forward(*operands, **equation.operation.params))
        given = [constants[v] for v in equation.inputs if isinstance(v, Variable)]
        sources = {id(source): source for constant in given for source in constant.made_of or (constant,)}
        constants[x] = Constant(value, digest_of(value), tuple(sources.values()))
    folded = program.changed(kept)
    used = {v for equation in kept for v in equation.inputs} | {*folded.outputs, *(v for _, v in folded.effects)}
    folded.constants = {x: c for x, c in constants.items() if x in used}
    return folded


def _key(equation: Equation) -> Hashable:
    """Equal for equations that compute the same; None if that cannot be told."""
    operation = equation.operation
    key = (operation.primitive, tuple(map(_atom, equation.inputs)), _frozen(operation.params))
    try:
        hash(key)
    except TypeError:
        return None
    return key


def _atom(x: Atom) -> Hashable:
    return x if isinstance(x, Variable) else (type(x.value), repr(x.value))  # 0.0 and -0.0 are equal, and not the same


def _frozen(params: Mapping[str, Any]) -> Hashable:
    return tuple(
        (name, type(value), repr(value) if isinstance(value, float) else _hashable(value))
        for name, value in params.items()
    )


def _hashable(value: Any) -> Any:
    if isinstance(value, slice):
        return ("slice", value.start, value.stop, value.step)
    if isinstance(value, tuple):
        return tuple([(type(x), _hashable(x)) for x in value])
    return value
