"""Whether the rules of an operation can be called with what they will be called with: asked where it is defined."""

from collections.abc import Callable, Iterable
from typing import Any

from minigrad.errors.backward import uncallable_rule

# Flags of a code object.
_VARARGS, _KEYWORDS = 4, 8


def require_callable_rules(forward: Callable[..., Any], rules: Iterable[Callable[..., Any] | None]) -> None:
    """Raise for a rule that does not take the gradient, the result, the operands, and the parameters by name."""
    code = getattr(forward, "__code__", None)
    if code is None:
        return
    any_number = bool(code.co_flags & _VARARGS)
    operands = code.co_varnames[: code.co_posonlyargcount]
    parameters = code.co_varnames[code.co_posonlyargcount : code.co_argcount + code.co_kwonlyargcount]
    for rule in rules:
        if hasattr(rule, "__code__") and not _takes(rule, len(operands), any_number, parameters):
            names = ("*operands",) if any_number else operands
            raise uncallable_rule(forward.__name__, rule, names, parameters)


def _takes(rule: Any, operands: int, any_number: bool, parameters: tuple[str, ...]) -> bool:
    code = rule.__code__
    positional = code.co_argcount
    if not code.co_flags & _VARARGS and (any_number or positional < 2 + operands):
        return False
    names = code.co_varnames[min(2 + operands, positional) : positional + code.co_kwonlyargcount]
    with_default = code.co_varnames[:positional][positional - len(rule.__defaults__ or ()) :]
    required = set(names) - set(with_default) - set(rule.__kwdefaults__ or ())
    return required <= set(parameters) and (bool(code.co_flags & _KEYWORDS) or set(parameters) <= set(names))
