"""`primitive` makes an operation of a plain NumPy function and the formulas of its derivative."""

import functools
from collections.abc import Callable
from typing import Any

from minigrad.core.apply import PLAIN, apply, binary, compute
from minigrad.core.node import Handle, Rule
from minigrad.core.operation import Function, Operation, Primitive, numpy_functions, primitives
from minigrad.views import note_view


def primitive(
    *rules: Rule | None, joint: Rule | None = None, numpy: Any = None, view: bool = False
) -> Callable[[Function], Function]:
    """Make a differentiable operation of a NumPy function.

    Parameters
    ----------
    *rules : callable or None
        For each operand the formula of its gradient, ``rule(g, y, *operands, **parameters)``: `g` is the
        gradient of the result, `y` the result.  A rule may return any shape that broadcasting made of the
        operand's, and is written with NumPy functions and operations only, so that it can be differentiated
        itself.  None: the operand has no derivative (an index, a condition).  No rules at all: the result
        never requires grad.
    joint : callable, optional
        One formula that returns the gradients of all operands, instead of a rule for each.
    numpy : callable, optional
        The NumPy function that shall mean this operation when it is called with a Tensor.
    view : bool
        Whether the result may share the memory of the first operand.  Who writes to such a result is warned that the
        operand does not change, as it would in NumPy.

    Returns
    -------
    callable
        A decorator.  The function that it decorates takes its operands before ``/`` (or as ``*operands``) and its
        parameters after; it is called with ndarrays and returns an ndarray.

    Raises
    ------
    TypeError
        If the number of rules is not the number of operands.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> @mg.primitive(lambda g, y, x, *, k: g * k * np.cos(k * x))
    ... def wave(x, /, *, k=1.0):
    ...     return np.sin(k * x)
    >>> float(mg.grad(mg.grad(wave))(0.5, k=2.0) + 4 * np.sin(1.0))
    0.0
    """

    def decorate(forward: Function) -> Function:
        made = Primitive(forward, rules, joint, numpy, view)
        call: Any = functools.wraps(forward)(_caller(made))
        call.primitive = made
        primitives[made.name] = call
        if numpy is not None:
            numpy_functions[numpy] = call
        return call  # type: ignore[no-any-return]  # it has the signature of the function

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
        return apply(Operation(made, {**made.defaults, **params}) if params else bare, operands)

    def call_and_note(*args: Any, **params: Any) -> Any:
        result = call(*args, **params)
        if isinstance(result, Handle):
            note_view(result, args[0])
        return result

    return call_and_note if made.view else call
