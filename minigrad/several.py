"""Operations with several results: one node whose value holds them all, one after another, and pieces of that."""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from minigrad import core
from minigrad.core import Array, Cost, Handle, Kind, Operation, Primitive, apply, unwrap
from minigrad.core.node import Rule
from minigrad.errors import DTypeError
from minigrad.errors.words import an
from minigrad.operands import numeric
from minigrad.ops.matrices import real_part
from minigrad.ops.shaping import astype, concat, reshape
from minigrad.registry import Function, numpy_functions, primitives
from minigrad.rules import require_callable_rules

# Of each result its shape and dtype.
Forms: TypeAlias = tuple[tuple[tuple[int, ...], np.dtype[Any]], ...]


def forms_of(results: Sequence[Array]) -> Forms:
    """Shapes and dtypes."""
    return tuple((y.shape, y.dtype) for y in results)


def packed(results: Sequence[Array]) -> Array:
    """All results as one value: a single one as it is, several in a row, in a dtype that holds them all."""
    return results[0] if len(results) == 1 else concat([reshape(y, -1) for y in results])


def unpacked(value: Array, forms: Forms) -> list[Array]:
    """The results, in their shapes and dtypes."""
    if len(forms) == 1:
        return [value]
    ends = np.cumsum([math.prod(shape) for shape, _ in forms]).tolist()
    parts = [reshape(value[end - math.prod(shape) : end], shape) for end, (shape, _) in zip(ends, forms, strict=True)]
    return [_in_dtype(part, dtype) for part, (_, dtype) in zip(parts, forms, strict=True)]


def _in_dtype(x: Array, dtype: Any) -> Array:
    """A result in its own dtype again, of which it was converted to a wider one."""
    if x.dtype == dtype:
        return x
    return astype(x if dtype.kind == "c" else real_part(x), dtype)


class _Packed(np.ndarray):
    """What a forward function with several results gives to `apply`: all of them, and their forms."""

    forms: Forms


def primitive(
    *rules: Rule | None,
    joint: Rule | None = None,
    numpy: Any = None,
    view: bool = False,
    outputs: int = 1,
    kind: Kind | None = None,
    commutative: bool = False,
    linear: bool = False,
    cost: Cost | None = None,
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
    outputs : int
        How many results there are.  With more than one the function returns a tuple of arrays, and `g` and `y` are
        lists of as many: `g` has zeros for a result that is not used.
    kind : str, optional
        What it does with elements: "elementwise", "reduction", "movement", "indexing", "contraction", "decomposition",
        "draw" or "other".  By default "elementwise" if `numpy` is a ufunc, and otherwise "other", of which
        nothing is taken for granted.
    commutative : bool
        Whether the operands may change places, with the same result to the last bit.
    linear : bool
        Whether the elements of the result are sums of elements of the operands, with signs.
    cost : float or callable, optional
        How many floating-point operations it takes: so many for each element of the first operand, or a function
        ``cost(operands, result, parameters)``.  By default, 1 for each element of the result of an elementwise
        operation, and otherwise unknown.

    Returns
    -------
    callable
        A decorator.  The function that it decorates takes its operands before ``/`` (or as ``*operands``) and its
        parameters after; it is called with ndarrays and returns an ndarray.

    Raises
    ------
    ArgumentError
        If there is no such kind.
    DTypeError
        If the number of rules is not the number of operands, or a rule does not take what it must; at a call, if
        the function does not return as many arrays as it has outputs.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> @mg.primitive(lambda g, y, x, *, k: g * k * np.cos(k * x))
    ... def wave(x, /, *, k=1.0):
    ...     return np.sin(k * x)
    >>> float(mg.grad(mg.grad(wave))(0.5, k=2.0) + 4 * np.sin(1.0))
    0.0

    A rule may use what the forward pass computed on the way, if that is a result too:

    >>> @mg.primitive(lambda g, y, x: (g[0] + g[1]) * y[1], outputs=2)
    ... def expm1_and_exp(x, /):
    ...     e = np.exp(x)
    ...     return e - 1, e
    >>> float(mg.grad(lambda x: expm1_and_exp(x)[0])(0.0))
    1.0
    """
    facts: dict[str, Any] = {"view": view, "commutative": commutative, "linear": linear, "cost": cost}
    if kind is not None:
        facts["kind"] = kind
    of_one = core.primitive(*rules, joint=joint, numpy=numpy, **facts)

    def decorate(forward: Function) -> Function:
        require_callable_rules(forward, (*rules, joint))
        if outputs == 1:
            return of_one(forward)
        made = Primitive(forward, tuple(map(_of_lists, rules)), _of_lists(joint), numpy, facts)
        made.forward, made.ours = _packing(forward, made.name, outputs), False

        @functools.wraps(forward)
        def call(*args: Any, **params: Any) -> tuple[Any, ...]:
            operands = args[: made.operands]
            params = {**made.defaults, **params, **made.bind(args[len(operands) :])}
            result = apply(Operation(made, {**params, "forms": None}), operands)
            value = unwrap(result)
            forms = value.forms
            value = value.view(np.ndarray)
            if not isinstance(result, Handle):
                return tuple(unpacked(value, forms))
            result.array = value
            if result.node is not None:
                result.node.value, result.node.op = value, Operation(made, {**params, "forms": forms})
            return tuple(unpacked(result, forms))

        call.primitive = made  # type: ignore[attr-defined]  # as those with one result have it
        primitives[made.name] = call
        if numpy is not None:
            numpy_functions[numpy] = call
        return call  # type: ignore[return-value]  # it has the signature of the function

    return decorate


def _packing(forward: Rule, name: str, outputs: int) -> Rule:
    """A function with several results as one that returns them all in one array."""

    def packing(*operands: Any, forms: Any, **params: Any) -> _Packed:
        results = forward(*operands, **params)
        if not isinstance(results, (tuple, list)) or len(results) != outputs:
            what = f"{len(results)} results" if isinstance(results, (tuple, list)) else an(type(results).__name__)
            raise DTypeError(
                f"{name} returned {what}: as it has outputs={outputs}, it must return a tuple of {outputs}"
            )
        arrays = [numeric(y, f"a result of {name}") for y in results]
        value: _Packed = packed(arrays).view(_Packed)
        value.forms = forms_of(arrays)
        return value

    return packing


def _of_lists(rule: Rule | None) -> Rule | None:
    """A rule that takes lists of gradients and results as one that takes all of them in one array."""
    if rule is None:
        return None

    def of_lists(g: Array, y: Array, *operands: Array, forms: Forms, **params: Any) -> Any:
        return rule(unpacked(g, _gradients(forms, g.dtype)), unpacked(y, forms), *operands, **params)

    return of_lists


def _gradients(forms: Forms, dtype: Any) -> Forms:
    """The forms of gradients: those of integers and bools, which are zeros, in a dtype that can be multiplied."""
    return tuple((shape, kind if kind.kind in "fc" else dtype) for shape, kind in forms)
