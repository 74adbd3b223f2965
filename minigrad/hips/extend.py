"""`autograd.extend`: operations of one's own, whose derivatives are given after the function."""

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from minigrad.core import Handle, Operation, Primitive, apply
from minigrad.errors import UnsupportedError

Function = Callable[..., Any]

__all__ = ["defjvp", "defvjp", "defvjp_argnum", "primitive"]


def primitive(raw: Function) -> Function:
    """An operation of a function on arrays; `defvjp` gives its derivatives.

    Tensors among its positional arguments are operands; all else is handed to the function as it is.
    """

    def forward(*operands: Any, given: Sequence[Any], places: Sequence[int], named: dict[str, Any]) -> Any:
        return raw(*_filled(given, places, operands), **named)

    def rule(g: Any, y: Any, *operands: Any, given: Sequence[Any], places: Sequence[int], named: dict[str, Any]) -> Any:
        args = _filled(given, places, operands)
        gradients = []
        for place in places:
            maker = call.vjps(place)  # type: ignore[attr-defined]  # it is set below
            gradients.append(None if maker is None else maker(y, *args, **named)(g))
        return gradients

    forward.__name__ = raw.__name__
    made = Primitive(forward, (), rule, None)
    made.ours = False  # the gradients may be arrays that belong to others

    @functools.wraps(raw)
    def call(*args: Any, **named: Any) -> Any:
        places = [i for i, arg in enumerate(args) if isinstance(arg, Handle)]
        if not places:
            return raw(*args, **named)
        given = [None if i in places else arg for i, arg in enumerate(args)]
        operands = tuple([args[i] for i in places])
        return apply(Operation(made, {"given": given, "places": places, "named": named}), operands)

    def undefined(argnum: int) -> Function:
        raise UnsupportedError(
            f"{raw.__name__} has no derivative by its argument {argnum}: give it by defvjp({raw.__name__}, ...), or "
            "None if it is to be 0"
        )

    call.vjps = undefined  # type: ignore[attr-defined]
    return call


def _filled(given: Sequence[Any], places: Sequence[int], operands: Sequence[Any]) -> list[Any]:
    args = list(given)
    for place, operand in zip(places, operands, strict=True):
        args[place] = operand
    return args


def defvjp(fun: Any, *makers: Function | None, argnums: Iterable[int] | None = None) -> None:
    """Give the derivatives of an operation by its arguments, ``maker(ans, *args, **kwargs)(g)``, or None for 0."""
    known = dict(zip(range(len(makers)) if argnums is None else argnums, makers, strict=True))
    undefined = fun.vjps
    fun.vjps = lambda argnum: known[argnum] if argnum in known else undefined(argnum)


def defvjp_argnum(fun: Any, maker: Function) -> None:
    """Give the derivatives by all arguments as one function, ``maker(argnum, ans, args, kwargs)(g)``."""
    fun.vjps = lambda argnum: lambda ans, *args, **kwargs: maker(argnum, ans, args, kwargs)


def defjvp(fun: Any, *makers: Function | str | None, argnums: Iterable[int] | None = None) -> None:
    """Accepted, without effect: derivatives along a direction are made of those that `defvjp` gives, and need them."""
