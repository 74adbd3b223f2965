"""The walk of `vmap`: a program is computed for a whole batch, with the operations that it is made of.

A value that differs from sample to sample has the batch as its first axis; the others are as they were.  The results
are Tensors of one graph, so they can be differentiated, compiled and mapped again.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad import random
from minigrad.core import Operation, Primitive, apply, unwrap
from minigrad.errors.mapping import warn_of_loop
from minigrad.ops.shaping import astype, broadcast_to, reshape, stack
from minigrad.program.equations import Equation, Variable, without_history

Rule = Callable[["Step"], Any]


class Value(NamedTuple):
    """An array or a Tensor, and whether it differs from sample to sample: then the batch is its first axis."""

    array: Any
    batched: bool

    @property
    def rank(self) -> int:
        """How many axes a sample has."""
        return len(getattr(self.array, "shape", ())) - self.batched


class Diverged(Exception):  # noqa: N818  # no error: samples are then computed one after another
    """A value decides what is computed, and is another one in another sample."""

    def __init__(self, place: Any) -> None:
        super().__init__(place)
        self.place = place


class How(NamedTuple):
    """How a batch is computed: its size, by which rules, what random numbers are, and whether loops are warned of."""

    size: int
    rule_of: Callable[[Primitive], "Rule | None"]
    random: str = "error"
    warns: bool = True
    # What was drawn by equations, for all parts of a batch: the keys are the equations' identities.
    drawn: "dict[int, Any] | None" = None


class Step:
    """An equation with operands of which some have a batch.

    Attributes
    ----------
    operands : list of Value
    params : dict
    size : int
        Of the batch.
    shape : tuple of int
        Of the result for a single sample.
    """

    def __init__(self, equation: Equation, operands: Sequence[Value], how: How) -> None:
        self.equation, self.operands, self.how, self.size = equation, list(operands), how, how.size
        self.params = dict(equation.operation.params)
        self.shape = equation.outputs[0].shape

    @property
    def arrays(self) -> list[Any]:
        """The operands as they are."""
        return [x.array for x in self.operands]

    def call(self, operands: Sequence[Any], **changed: Any) -> Any:
        """The operation on other operands, with other parameters."""
        return apply(Operation(self.equation.operation.primitive, {**self.params, **changed}), tuple(operands))

    def aligned(self) -> list[Any]:
        """Operands that broadcast as single samples do."""
        ranks = [x.rank for x in self.operands]
        if min(ranks) == (rank := max(ranks)):
            return self.arrays
        return [with_rank(x, rank, self.size) for x in self.operands]

    def spread(self) -> list[Any]:
        """Operands that all have a batch."""
        return [spread(x, self.size) for x in self.operands]

    def shaped(self, y: Any) -> Any:
        """A result that has the right elements in the right order, in its shape."""
        return reshape(y, (self.size, *self.shape))


def with_rank(x: Value, rank: int, size: int) -> Any:
    """With axes of length 1 behind that of the batch, as if a sample had so many axes."""
    if not x.batched or x.rank >= rank:
        return x.array
    return reshape(x.array, (size, *(1,) * (rank - x.rank), *x.array.shape[1:]))


def spread(x: Value, size: int) -> Any:
    """With a batch, in which all are the same if it had none."""
    return x.array if x.batched else broadcast_to(x.array, (size, *np.shape(unwrap(x.array))))


def one_by_one(step: Step) -> Any:
    """The operation for one sample after another."""
    if not step.size:
        return np.zeros((0, *step.shape), step.equation.outputs[0].dtype)
    rows = [[x.array[i] if x.batched else x.array for x in step.operands] for i in range(step.size)]
    return stack([step.call(row) for row in rows])


def computed(equations: Sequence[Equation], values: dict[Any, Value], how: How) -> None:
    """Compute equations, and put their results to the values that are known."""
    for equation in equations:
        made, target = equation.operation.primitive, equation.outputs[0]
        operands = [values[x] if x.__class__ is Variable else Value(x.value, False) for x in equation.inputs]  # type: ignore[union-attr]
        if made.facts.kind == "draw":
            values[target] = _drawn(equation, how)
        elif made.facts.relays:
            values[target] = operands[0]
        else:
            step = Step(equation, _as_followed(operands, equation.followed), how)
            batched = any(x.batched for x in operands)
            values[target] = _result(step, made, target) if batched else Value(step.call(step.arrays), False)


def _as_followed(operands: list[Value], followed: Sequence[bool]) -> list[Value]:
    """Operands without their history, where gradients did not go to them in the trace."""
    if False not in followed and followed:
        return operands
    follows = followed or (False,) * len(operands)
    return [
        x if f or getattr(x.array, "node", None) is None else Value(without_history(x.array), x.batched)
        for x, f in zip(operands, follows, strict=True)
    ]


def _result(step: Step, made: Primitive, target: Variable) -> Value:
    """What an operation makes of operands of which some have a batch: by its rule, or else in a loop."""
    rule = step.how.rule_of(made)
    result = None if rule is None else rule(step)
    if result is None:
        if step.how.warns:
            warn_of_loop(made.name, step.equation.place, step.size)
        result = one_by_one(step)
    return Value(_in_dtype(result, target), True)


def _in_dtype(result: Any, target: Variable) -> Any:
    """In the dtype of a single sample; of a number of Python, whose dtype is weak, in the one that it has by itself."""
    known = result.dtype == target.dtype or not isinstance(target.dtype, np.dtype)
    return result if known else astype(result, target.dtype)


def _drawn(equation: Equation, how: How) -> Value:
    """Random numbers, the same for all samples or other ones for each."""
    if how.drawn is not None and id(equation) in how.drawn:
        return Value(how.drawn[id(equation)], False)
    params, shape = equation.operation.params, equation.outputs[0].shape
    arguments, options = params["arguments"], dict(params["options"])
    different = how.random == "different"
    if different and "size" in options:
        options["size"] = (how.size, *shape)
    elif different and arguments and arguments[-1] == shape:
        arguments = (*arguments[:-1], (how.size, *shape))
    elif different:
        return Value(stack([_draw(params, arguments, options) for _ in range(how.size)]), True)
    numbers = _draw(params, arguments, options)
    if how.drawn is not None and not different:
        how.drawn[id(equation)] = numbers
    return Value(numbers, different)


def _draw(params: Mapping[str, Any], arguments: Sequence[Any], options: Mapping[str, Any]) -> Any:
    return random.drawn(params["method"], *arguments, generator=params["generator"], **options)
