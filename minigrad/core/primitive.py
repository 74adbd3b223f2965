"""`primitive` makes an operation of a plain NumPy function and the formulas of its derivative."""

import functools
from collections.abc import Callable
from typing import Any

from minigrad.core.apply import apply, binary, compute
from minigrad.core.node import Handle, Rule
from minigrad.core.operation import Operation, Primitive
from minigrad.operands import PLAIN
from minigrad.registry import Function, numpy_functions, primitives
from minigrad.views import note_view


def primitive(
    *rules: Rule | None, joint: Rule | None = None, numpy: Any = None, **facts: Any
) -> Callable[[Function], Function]:
    """Make a differentiable operation, with one result, of a NumPy function: see `minigrad.primitive` and `Facts`."""

    def decorate(forward: Function) -> Function:
        made = Primitive(forward, rules, joint, numpy, facts)
        call: Any = functools.wraps(forward)(_caller(made))
        call.primitive = made
        primitives[made.name] = call
        if numpy is not None:
            numpy_functions[numpy] = call
        return call

    return decorate


def _caller(made: Primitive) -> Callable[..., Any]:
    """The function that people call: a quick way for the commonest kind of operation, `apply` for all others."""
    bare = Operation(made, made.defaults)
    if made.plain and made.ours and made.rules and made.operands == 2:
        return binary(bare, apply)

    def call(*args: Any, **params: Any) -> Any:
        operands = args[: made.operands]
        for operand in operands:
            if operand.__class__ not in PLAIN:
                break
        else:
            return compute(made, args, params)
        if len(args) > len(operands):
            params |= made.bind(args[made.operands :])
        return apply(Operation(made, {**made.defaults, **params}) if params or made.saves else bare, operands)

    def call_and_note(*args: Any, **params: Any) -> Any:
        result = call(*args, **params)
        if isinstance(result, Handle) and isinstance(args[0], Handle):
            note_view(result, args[0])
        return result

    return call_and_note if made.facts.view else call
