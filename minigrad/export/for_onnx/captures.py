"""A function written down at several sizes, and its arguments at each of them; nothing outside is changed."""

from collections.abc import Callable, Mapping, Sequence
from itertools import count, product
from typing import Any, NamedTuple

import numpy as np

from minigrad.core import no_grad, unwrap
from minigrad.errors import ProgramError
from minigrad.errors.exporting import (
    draws_random_numbers,
    fails_at_another_size,
    in_training,
    reads_state,
    trained_or_changed,
)
from minigrad.errors.programs import already_traced
from minigrad.export.for_onnx.arguments import Arguments
from minigrad.nn import Module
from minigrad.program import Program, remove_dead_code
from minigrad.program.equations import Argument, OfTensor
from minigrad.program.tracing import Interpreter
from minigrad.settings import now
from minigrad.tree import flatten

TARGET = "export.onnx"


class Captures(NamedTuple):
    """A function at several sizes.

    Attributes
    ----------
    programs : list of Program
        At all choices of one size or the other of each name's pair, in the order of `itertools.product`; and then, if
        there are names, at sizes that only check what was found.
    pairs : dict of str to (int, int)
    check : dict of str to int
    """

    programs: list[Program]
    pairs: dict[str, tuple[int, int]]
    check: dict[str, int]


def captured(f: Callable[..., Any], arguments: Arguments, models: Sequence[Module]) -> Captures:
    """The function at all sizes that are needed."""
    pairs, check = _chosen(arguments)
    corners = [dict(zip(pairs, corner, strict=True)) for corner in product(*pairs.values())]
    programs = []
    for sizes in [*corners, check] if pairs else corners:
        try:
            program = _program(f, arguments, sizes)
        except Exception as error:
            if sizes != arguments.sizes:
                _program(f, arguments, arguments.sizes)  # which may fail for another reason
                raise fails_at_another_size(f, sizes, error) from error
            raise
        _check(program, models)
        programs.append(program)
    return Captures(programs, pairs, check)


def _chosen(arguments: Arguments) -> tuple[dict[str, tuple[int, int]], dict[str, int]]:
    """Sizes that cannot be taken for others: not 1, which is broadcast, and no length that an argument has.

    Of three sizes the first two tell how everything depends on them, and the third one is farther away.
    """
    pairs: dict[str, tuple[int, int]] = {}
    check: dict[str, int] = {}
    taken = {0, 1}
    for x, axes in zip(arguments.leaves, arguments.axes, strict=True):
        taken.update(n for axis, n in enumerate(np.shape(unwrap(x))) if axis not in axes)
    for name, size in arguments.sizes.items():
        first = _next(size, taken)
        second = _next(first + 1, taken)
        check[name] = _next(2 * second + 3, taken)
        taken |= {first, second, check[name]}
        pairs[name] = (first, second)
    return pairs, check


def _next(start: int, taken: set[int]) -> int:
    return next(n for n in count(start) if n not in taken)


def _program(f: Callable[..., Any], arguments: Arguments, sizes: Mapping[str, int]) -> Program:
    """The program, without what only gradients that nobody asks for would need, if it can be without."""
    args = tuple(flatten(arguments.args)[1](arguments.resized(sizes)))
    try:
        with no_grad():
            program = _traced(f, args, arguments.names)
    except ProgramError:
        raise
    except Exception:  # it may look for gradients of its own, by `backward`
        program = _traced(f, args, arguments.names)
    return remove_dead_code(program)


def _traced(f: Callable[..., Any], args: tuple[Any, ...], names: Sequence[str]) -> Program:
    """As `program.trace` does it, but everything outside stays as it is."""
    name = getattr(f, "__name__", type(f).__name__)
    if now().interpreter is not None:
        raise already_traced(name)
    interpreter = Interpreter(name)
    arguments = interpreter.open(args, names)
    try:
        with interpreter:
            result = f(*arguments)
        form = interpreter.form_of_results(result, True)
        del arguments
        program = interpreter.close(form, result, commit=False)
        interpreter.take_back()
    except BaseException:
        interpreter.roll_back()
        raise
    return program


def _check(program: Program, models: Sequence[Module]) -> None:
    """Refuse what an ONNX graph cannot do: to draw, to change something, and to read what changes."""
    draws = [e for e in program.equations if e.operation.primitive.facts.kind == "draw"]
    training = any(part.training for model in models for part in model.modules())
    if program.effects or draws:
        place = draws[0].place if draws else None
        what = [str(target) for target, _ in program.effects]
        if training:
            raise in_training(program.name, what, place)
        if draws:
            raise draws_random_numbers(program.name, place)
        raise trained_or_changed(program.name, what)
    for source in program.inputs.values():
        if not isinstance(source, Argument | OfTensor):
            raise reads_state(TARGET, program.name, str(source))
