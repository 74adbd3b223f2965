"""What a node is made by: a function on arrays, the formulas of its derivative, and the parameters of one call."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.core.node import Rule
from minigrad.errors.backward import bad_primitive
from minigrad.facts import facts_of

_PACKAGE = __file__[: -len("core/operation.py")]  # rules of the package itself are known to own what they return


class Primitive:
    """A function on arrays together with the rules that give its derivative, and facts about it."""

    def __init__(
        self, forward: Rule, rules: tuple[Rule | None, ...], joint: Rule | None, numpy: Any, facts: Any = ()
    ) -> None:
        code = getattr(forward, "__code__", None)
        if code is None:
            raise bad_primitive(repr(forward), None, len(rules))
        self.name = forward.__name__.lstrip("_")
        self.forward, self.ours = forward, code.co_filename.startswith(_PACKAGE)
        # CO_VARARGS is 4; to import inspect takes longer than to import all of minigrad.
        self.operands = None if code.co_flags & 4 else code.co_posonlyargcount
        leading = code.co_posonlyargcount  # what *operands take after these are data, if each operand has its rule
        self.parameters = code.co_varnames[code.co_posonlyargcount : code.co_argcount]
        self.plain = not self.parameters and not code.co_kwonlyargcount
        backwards = zip(reversed(self.parameters), reversed(forward.__defaults__ or ()), strict=False)
        self.defaults = {**dict(backwards), **(forward.__kwdefaults__ or {})}
        self.rules, self.joint, self.numpy = rules, joint, numpy
        self.facts = facts_of(self.name, facts, isinstance(numpy, np.ufunc))
        self.saves = self.facts.saves
        optional = len(forward.__defaults__ or ()) > len(self.parameters)  # the last operands may be left out
        self.special = self.saves or joint is not None or optional  # the walk back asks once for all
        # How to add to a gradient that is there, for a rule that would fill a large array with little.
        self.into: Rule | None = None
        # How a printed program calls it, if that is not by its function: from operands and parameters, a function and
        # what it takes.
        self.printed: Rule | None = None
        self.differentiable = bool(rules) or joint is not None
        no_operand = self.operands == 0 and self.facts.kind != "draw"
        if no_operand or (joint and rules) or (rules and len(rules) != leading):
            raise bad_primitive(self.name, self.operands if leading == self.operands else None, len(rules))

    def rules_of(self, count: int) -> tuple[Rule | None, ...]:
        """The rule of each of so many operands, None for data; a joint rule is that of them all."""
        if self.joint is not None:
            return (self.joint,) * count
        return (*self.rules, *(None,) * (count - len(self.rules)))

    def value(self, *args: Any, **params: Any) -> Any:
        """What the function returns, without what it saves."""
        value = self.forward(*args, **params)
        return value[0] if self.saves else value

    def bind(self, values: tuple[Any, ...]) -> dict[str, Any]:
        """The names of parameters that were given by position."""
        if len(values) > len(self.parameters):
            raise TypeError(f"{self.name}() has {self.operands} operands and, by position, {self.parameters}")
        return dict(zip(self.parameters, values, strict=False))


class Operation:
    """A primitive with its parameters: what a node was made by; and an array that the call has saved for its rule."""

    __slots__ = ("name", "params", "primitive", "saved")
    saved: Any

    def __init__(self, primitive: Primitive, params: Mapping[str, Any]) -> None:
        self.primitive, self.params, self.name, self.saved = primitive, params, primitive.name, None

    def __repr__(self) -> str:
        return self.name
