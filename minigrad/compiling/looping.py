"""Loops and branches as statements: their bodies are recorded once."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.compiling.lowering import as_variable, results_of
from minigrad.compiling.noted_functions import constant
from minigrad.compiling.picking import put
from minigrad.compiling.recorded import Recorded
from minigrad.compiling.recording import Recorder, Refused, current, plain
from minigrad.compiling.statements import Branch, Repeat
from minigrad.program import Variable, bodies


def _run(body: Any, operands: Sequence[Any]) -> list[Any]:
    """Record the equations of a body."""
    operands = [constant(np.asarray(x)) if isinstance(x, np.generic) or type(x) is np.ndarray else x for x in operands]
    known: dict[Any, Any] = {x: as_variable(x, value) for x, value in zip(body.inputs, operands, strict=True)}
    for equation in body.equations:
        inputs = [known[x] if isinstance(x, Variable) else x.value for x in equation.inputs]
        results = results_of(equation, inputs)
        known.update({x: as_variable(x, value) for x, value in zip(equation.outputs, results, strict=True)})
    results = [known[x] for x in body.outputs]
    if not all(isinstance(x, Recorded) for x in results):
        raise Refused("a result of a body is a number of Python")
    return results


def _own(recorder: Recorder, x: Any) -> Recorded:
    """A copy that a loop may write to."""
    if not isinstance(x, Recorded):
        x = recorder.shown(np.asarray(x)) if recorder.known(np.asarray(x)) else np.asarray(x)
        made = recorder.made(np.array(x))
        put(made, x)
        return made
    return recorder.duplicate(x, np.array(plain(x)))


def _hand_on(recorder: Recorder, carries: Sequence[Recorded], results: Sequence[Recorded]) -> None:
    """The next carry in place of the one before; a part of that is copied first."""
    own = {recorder.view(x).buffer for x in carries}
    results = [_own(recorder, x) if recorder.view(x).buffer in own else x for x in results]
    for carry, x in zip(carries, results, strict=True):
        put(carry, x)


def _packed(results: Sequence[Any]) -> Any:
    return results[0] if len(results) == 1 else np.concatenate([x.reshape(-1) for x in results])


def _filled(recorder: Recorder, forms: Sequence[Any]) -> list[Recorded]:
    return [recorder.made(np.zeros(shape, dtype)) for shape, dtype in forms]


def _scan(*operands: Any, body: Any, how: Any, forms: Any) -> Any:
    recorder = current.get()
    constants, carry = operands[: how.constants], operands[how.constants : how.constants + how.carries]
    rows = operands[how.constants + how.carries :]
    limit, constants = (recorder.view(constants[0]), constants[1:]) if how.limited else (None, constants)
    carries = [_own(recorder, x) for x in carry]
    results = _filled(recorder, forms[how.carries :])
    for place in results if how.limited else ():
        put(place, 0)  # rows that are not reached
    stacked, kept = results[: len(results) - how.carries * how.keeps], results[len(results) - how.carries * how.keeps :]
    with recorder.apart() as (statements, moving):
        for place, x in zip(kept, carries, strict=how.keeps):
            put(recorder.row(place), x)
        made = _run(body, [*constants, *carries, *map(recorder.row, rows)])
        for place, y in zip(stacked, made[how.carries :], strict=True):
            put(recorder.row(place), y)
        _hand_on(recorder, carries, made[: how.carries])
    recorder.note(Repeat(how.length, limit, how.reverse, (), None, tuple(statements), tuple(moving)))
    return _packed([*carries, *results])


def _while_loop(*operands: Any, test: Any, body: Any, how: Any, forms: Any) -> Any:
    recorder = current.get()
    begin = how.test_constants + how.step_constants
    of_test, of_step = operands[: how.test_constants], operands[how.test_constants : begin]
    carries = [_own(recorder, x) for x in operands[begin:]]
    with recorder.apart() as (questions, _):
        (holds,) = _run(test, [*of_test, *carries])
    with recorder.apart() as (statements, _):
        _hand_on(recorder, carries, _run(body, [*of_step, *carries]))
    recorder.note(Repeat(None, None, False, tuple(questions), recorder.view(holds), tuple(statements), ()))
    return _packed(carries)


def _branch(pred: Any, *operands: Any, first: Any, second: Any, how: Any, forms: Any) -> Any:
    recorder = current.get()
    begin = how.test_constants + how.step_constants
    of_first, of_second = operands[: how.test_constants], operands[how.test_constants : begin]
    results = _filled(recorder, forms)
    parts = []
    for body, constants in ((first, of_first), (second, of_second)):
        with recorder.apart() as (statements, _):
            for place, x in zip(results, _run(body, [*constants, *operands[begin:]]), strict=True):
                put(place, x)
        parts.append(tuple(statements))
    recorder.note(Branch(recorder.view(pred), *parts))
    return _packed(results)


# What is recorded in place of the functions of these operations.
_OF_FUNCTIONS: dict[Any, Any] = {bodies._scan: _scan, bodies._while_loop: _while_loop, bodies._branch: _branch}
LOOPS = {f.primitive: instead for f, instead in _OF_FUNCTIONS.items()}
