"""A function written down at several sizes, and its arguments at each of them; nothing outside is changed."""

from collections.abc import Callable, Mapping, Sequence
from itertools import count, product
from typing import Any, NamedTuple

import numpy as np

from minigrad.core import Handle, no_grad, unwrap
from minigrad.errors import ProgramError
from minigrad.errors.exporting import (
    draws_random_numbers,
    fails_at_another_size,
    in_training,
    no_named_size,
    no_such_axis,
    reads_state,
    sizes_differ,
    trained_or_changed,
)
from minigrad.errors.programs import already_traced
from minigrad.program import Program, remove_dead_code
from minigrad.program.equations import Argument, OfTensor
from minigrad.program.tracing import Interpreter
from minigrad.settings import now
from minigrad.tree import flatten

TARGET = "export.onnx"
_MOST_NAMES = 4  # for n of them there are 2 ** n captures


class Axes(NamedTuple):
    """Which axes of the arguments' leaves have sizes with names.

    Attributes
    ----------
    of_leaf : tuple of dict
        For each leaf the name of an axis.
    sizes : dict of str to int
        What they are in the example.
    """

    of_leaf: tuple[Mapping[int, str], ...]
    sizes: Mapping[str, int]


def axes_of_leaves(leaves: Sequence[Any], names: Sequence[str], wanted: Sequence[Mapping[Any, Any]]) -> Axes:
    """What `dynamic_shapes` says of each leaf, checked."""
    sizes: dict[str, int] = {}
    of_leaf = []
    for x, name, axes in zip(leaves, names, wanted, strict=True):
        found = {}
        for axis, size in axes.items():
            if not isinstance(size, str) or not size.isidentifier():
                raise no_named_size(name, axis, size)
            shape = np.shape(x)
            if isinstance(axis, bool) or not isinstance(axis, int) or not -len(shape) <= axis < len(shape):
                raise no_such_axis(name, axis, shape)
            length = shape[axis]
            if sizes.setdefault(size, length) != length:
                raise sizes_differ(size, sizes[size], length, name)
            if axis % len(shape) in found or not length:
                raise no_such_axis(name, axis, shape)
            found[axis % len(shape)] = size
        of_leaf.append(found)
    if len(sizes) > _MOST_NAMES:
        raise no_named_size("dynamic_shapes", "", f"{len(sizes)} names, and at most {_MOST_NAMES} are possible")
    return Axes(tuple(of_leaf), sizes)


def resized(x: Any, axes: Mapping[int, str], sizes: Mapping[str, int]) -> Any:
    """An argument whose axes have other lengths, with its elements repeated as often as they must be."""
    array = unwrap(x)
    for axis, name in axes.items():
        if array.shape[axis] != sizes[name]:
            array = np.take(array, np.arange(sizes[name]) % array.shape[axis], axis)
    return array


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


def captured(f: Callable[..., Any], args: tuple[Any, ...], axes: Axes, names: Sequence[str], models: Any) -> Captures:
    """The function at all sizes that are needed."""
    leaves, rebuild = flatten(args)
    pairs, check = _chosen(leaves, axes)
    corners = [dict(zip(pairs, corner, strict=True)) for corner in product(*pairs.values())]
    programs = []
    for sizes in [*corners, check] if pairs else corners:
        given = [resized(x, own, sizes) if own else unwrap(x) for x, own in zip(leaves, axes.of_leaf, strict=True)]
        try:
            program = _program(f, tuple(rebuild(given)), names)
        except Exception as error:
            if sizes == {name: axes.sizes[name] for name in sizes}:
                raise
            raise fails_at_another_size(f, sizes, error) from error
        _check(program, models)
        programs.append(program)
    return Captures(programs, pairs, check)


def _chosen(leaves: Sequence[Any], axes: Axes) -> tuple[dict[str, tuple[int, int]], dict[str, int]]:
    """Sizes that cannot be taken for others: not 1, which is broadcast, and no length that an argument has.

    Of three sizes the first two tell how everything depends on them, and the third one is farther away.
    """
    fixed = {
        n
        for x, own in zip(leaves, axes.of_leaf, strict=True)
        for axis, n in enumerate(np.shape(unwrap(x)))
        if axis not in own
    }
    pairs: dict[str, tuple[int, int]] = {}
    check: dict[str, int] = {}
    taken = {0, 1} | fixed
    for name, size in axes.sizes.items():
        first = size if size not in taken else _next(size, taken)
        taken.add(first)
        second = _next(first + 1, taken)
        taken.add(second)
        check[name] = _next(2 * second + 3, taken)
        taken.add(check[name])
        pairs[name] = (first, second)
    return pairs, check


def _next(start: int, taken: set[int]) -> int:
    return next(n for n in count(start) if n not in taken)


def _program(f: Callable[..., Any], args: tuple[Any, ...], names: Sequence[str]) -> Program:
    """The program, without what only gradients that nobody asks for would need, if it can be without."""
    try:
        with no_grad():
            program = _traced(f, args, names)
    except ProgramError:
        raise
    except Exception:  # it may look for gradients of its own, by `backward`
        program = _traced(f, args, names)
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


def _check(program: Program, models: Sequence[Any]) -> None:
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


def is_tensor(x: Any) -> bool:
    """Whether an argument becomes an input: other ones, as numbers of Python, are fixed."""
    return isinstance(x, Handle | np.ndarray | np.generic)
