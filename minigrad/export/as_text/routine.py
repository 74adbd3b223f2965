"""A function as statements alone, with names for what goes in, what comes out, and what stays from call to call."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from minigrad.compiling.assembling import living, numbers_first
from minigrad.compiling.lowering import more_instead
from minigrad.compiling.noting import alike, recorded, scrambled
from minigrad.compiling.statements import Buffer, Map, Statement, View
from minigrad.compiling.tracing import traced
from minigrad.core import unwrap
from minigrad.errors import ArgumentError
from minigrad.errors.exporting import (
    draws_numbers,
    no_counterpart,
    not_in_evaluation,
    with_dtype,
)
from minigrad.export.as_text.calls import all_equations, check_apart, check_first_call, check_second_call, place_of
from minigrad.export.as_text.instead import INSTEAD
from minigrad.export.as_text.languages import Language
from minigrad.export.as_text.names import identifier
from minigrad.export.outside import found_outside, names_outside
from minigrad.nn.module import Module
from minigrad.program import Program, Variable, remove_dead_code
from minigrad.program.equations import Argument, OfEntry, OfGrad, OfTensor, Source
from minigrad.program.passes import simplified
from minigrad.tree import Rebuild, flatten, paths

OTHERS = (0, 1000, 2000)  # seeds of numbers for which the statements have to be the same


class Slot(NamedTuple):
    """What goes in, comes out or stays.

    Attributes
    ----------
    name : str
        Of letters, digits and underscores; all slots of a routine have different ones.
    label : str
        As people know it.
    view : View
        Where it lies.
    value : ndarray or None
        Of what stays, what it is at first; None if nothing reads that.
    number : int
        Of an argument, its place among the leaves of all.
    """

    name: str
    label: str
    view: View
    value: Any = None
    number: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of its axes."""
        return self.view.shape

    @property
    def dtype(self) -> Any:
        """What its elements are."""
        return self.view.dtype


class Routine(NamedTuple):
    """A function as statements.

    Attributes
    ----------
    name : str
    arguments, results, state : list of Slot
    written : set of str
        The names of what is changed of the state.
    statements : list of Statement
        Which fill the results, and write to the state after everything else.
    form : callable
        Puts a list of results into the form that the function returns.
    examples : tuple of trees
    """

    name: str
    arguments: list[Slot]
    results: list[Slot]
    state: list[Slot]
    written: set[str]
    statements: list[Statement]
    form: Rebuild
    examples: tuple[Any, ...]


def routine_of(
    target: str,
    f: Callable[..., Any],
    examples: tuple[Any, ...],
    language: Language,
    name: str | None = None,
    is_first_call: bool = False,
) -> Routine:
    """The function as statements that a language can write; nothing that it would change is changed.

    A call that differs from those after it is refused, unless it is said that it `is_first_call`.
    """
    program, names = _program_of(target, f, examples)
    again, _ = _program_of(target, f, examples)
    check_second_call(target, program, again)
    check_apart(target, program, found_outside(f), lambda source: _label(source, names))
    if not is_first_call:
        check_first_call(target, program, lambda source: _label(source, names))
    name = identifier(program.name if name is None else name, set())
    outside = {x: s for x, s in program.inputs.items() if not isinstance(s, Argument)}
    leaves = [unwrap(x) for x in flatten(examples)[0]]
    values = {
        x: _laid_out(leaves[s.number] if isinstance(s, Argument) else s.read()) for x, s in program.inputs.items()
    }
    values |= {x: np.ascontiguousarray(c.array).reshape(c.array.shape) for x, c in program.constants.items()}
    _check(target, program, values, language.characters)
    parts, places = _statements(target, program, again, values, language)
    taken = {name, f"{name}_state", *language.functions}
    arguments = [
        Slot(identifier(s.name, taken), s.name, places[x], values[x], s.number)
        for x, s in program.inputs.items() if isinstance(s, Argument)
    ]  # fmt: skip
    state: dict[Any, Slot] = {}
    for x, source in outside.items():
        label = _label(source, names)
        state[place_of(source)] = Slot(identifier(label, taken), label, places[x], np.asarray(values[x]))
    constants = {places[x].buffer: values[x] for x in program.constants}
    results, copies = [], list[Statement]()
    for i, x in enumerate(program.outputs):
        label = _result_label(program, i)
        results.append(Slot(identifier(label, taken), label, _memory("given", places[x], (-2, i))))
        copies.append(Map("copy", places[x].dtype, None, results[-1].view, (places[x],)))
    written, moves = _written(program, places, names, state, taken)
    statements = [s for part in parts for s in part] + copies + moves
    needed = {slot.view.buffer for slot in (*results, *state.values())}
    for buffer, array in constants.items():
        buffer.kind, buffer.array = "constant", np.asarray(array)
    statements = living(statements, needed)
    before, at_the_end = statements[: len(statements) - len(moves)], statements[len(statements) - len(moves) :]
    statements = [*numbers_first(before), *at_the_end]
    return Routine(name, arguments, results, [*state.values()], written, statements, program.form.rebuild, examples)


def _program_of(target: str, f: Callable[..., Any], examples: tuple[Any, ...]) -> tuple[Program, dict[int, str]]:
    """The function traced, without what nothing depends on; and the names of what is outside."""
    program = simplified(traced(f, _name(f), (examples, {})))
    for equation in all_equations(program.equations):
        if equation.operation.primitive.facts.kind == "draw":
            if isinstance(f, Module):
                raise not_in_evaluation(target, program.name, "draws random numbers")
            raise draws_numbers(target, equation.place)
    names = names_outside(f)
    # What an optimizer only counts is nothing to anybody; neither are the gradients of a step that does more.
    effects = [(t, x) for t, x in program.effects if not (isinstance(t, OfEntry) and t.key == "_steps")]
    read = {place_of(s) for s in program.inputs.values()}
    does_more = any(not isinstance(t, OfGrad) for t, _ in effects)
    effects = [
        (t, x) for t, x in effects
        if not isinstance(t, OfGrad) or place_of(t) in read or not (does_more or x is None)
    ]  # fmt: skip
    if effects and isinstance(f, Module):
        raise not_in_evaluation(target, program.name, f"changes {', '.join(_label(t, names) for t, _ in effects)}")
    program.effects = effects
    return remove_dead_code(program), names


def _name(f: Any) -> str:
    return getattr(f, "__name__", type(f).__name__).replace("<lambda>", "function")


def _laid_out(value: Any) -> Any:
    """A value as it will lie in memory: arrays in C's order, numbers of Python in double precision."""
    if type(value) in (int, float, bool):
        return float(value)
    return np.array(value, order="C")


def _check(target: str, program: Program, values: Mapping[Variable, Any], dtypes: str) -> None:
    """Raise for dtypes that the target does not have."""
    for x, value in values.items():
        dtype = np.asarray(value).dtype
        if dtype.char not in dtypes:
            raise with_dtype(target, str(program.inputs.get(x, "a constant")), dtype, dtypes)
    for equation in all_equations(program.equations):
        for y in equation.outputs:
            if isinstance(y.dtype, np.dtype) and y.dtype.char not in dtypes and y.dtype.kind in "fciub":
                raise with_dtype(target, equation.operation.name, y.dtype, dtypes, equation.place)


def _statements(
    target: str, program: Program, traced_again: Program, values: Mapping[Variable, Any], language: Language
) -> tuple[list[list[Statement]], dict[Variable, View]]:
    """The statements of each equation, which must be the same for all values; and where the values lie."""
    equations, inputs, given = program.equations, list(values), list(values.values())
    reasons: dict[int, str] = {}
    token = more_instead.set(INSTEAD)
    try:
        first = recorded(equations, inputs, given, reasons)
        for seed in OTHERS:
            others = [
                x if v in program.constants else scrambled(x, seed + i) for i, (v, x) in enumerate(values.items())
            ]
            same_inputs = [*traced_again.inputs, *traced_again.constants]
            again = recorded(traced_again.equations, same_inputs, others, dict(reasons), first)
            differ = [i for i in first.parts if not alike(first.parts[i], again.parts.get(i))]
            reasons.update(dict.fromkeys(differ, "what it does depends on values"))
    finally:
        more_instead.reset(token)
    for number, part in first.parts.items():
        lacks = next(filter(None, map(language.lacks, part.statements)), "")
        if lacks:
            reasons.setdefault(number, lacks)
    if reasons:
        number = min(reasons)
        equation, is_recorded = equations[number], number in first.parts
        # Why the recorder takes no operation says nothing to whoever has not written it.
        why = reasons[number] if is_recorded else ""
        raise no_counterpart(target, equation.operation.name, equation.place, why)
    return [first.parts[i].statements for i in range(len(equations))], first.places


def _memory(kind: str, like: View, number: tuple[int, int]) -> View:
    """Memory of its own for something like this, in C's order."""
    array = np.zeros(like.shape, like.dtype)
    return View(Buffer(number, kind, array, array.nbytes), 0, array.shape, array.strides, array.dtype)


def _written(
    program: Program, places: Mapping[Variable, View], names: Mapping[int, str], state: dict[Any, Slot], taken: set[str]
) -> tuple[set[str], list[Statement]]:
    """What is changed of the state, which grows by what is only written; and the statements that do it, at the end."""
    first, then, written = list[Statement](), list[Statement](), set[str]()
    for i, (target, x) in enumerate(program.effects):
        if x is None:
            raise ArgumentError(
                f"{program.name} forgets {_label(target, names)} at its end, and reads it at its beginning: forget it "
                "at the beginning, as in optimizer.zero_grad()"
            )
        value = places[x]
        slot = state.get(place_of(target))
        if slot is None:
            label = _label(target, names)
            slot = Slot(identifier(label, taken), label, _memory("given", value, (-3, i)))
            state[place_of(target)] = slot
        if value.buffer.kind == "given":
            # What is read from one place may be written to before it is read.
            between = _memory("made", value, (-4, i))
            first.append(Map("copy", value.dtype, None, between, (value,)))
            value = between
        then.append(Map("copy", slot.dtype, None, slot.view, (value,)))
        written.add(slot.name)
    return written, [*first, *then]


def _label(source: Source, names: Mapping[int, str]) -> str:
    """What people know it by."""
    if isinstance(source, OfTensor):
        own = getattr(source.tensor, "name", None)
        return names.get(id(source.tensor)) or own or "tensor"
    if isinstance(source, OfEntry):
        place = "" if source.place is None else f"_{source.place}"
        return ".".join(filter(None, [names.get(id(source.mapping), ""), f"{source.key}{place}"]))
    return str(source).removeprefix("the ").replace(" of ", " ")


def _result_label(program: Program, number: int) -> str:
    """The path of a result in the tree."""
    count = len(program.outputs)
    return paths(program.form.rebuild(list(range(count))), "result")[number]
