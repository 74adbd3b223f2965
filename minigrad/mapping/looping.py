"""Loops and branches with a batch.

A scan makes its steps for all samples at once.  Where a condition differs from sample to sample, each branch is
computed for those samples alone that take it, and a loop goes on with those that have not come to its end.  In a
program, where nobody knows which these are, all samples go both ways, and the results are selected: in a branch that a
sample does not take it is replaced by one that does, so that nothing comes of it, no NaN in a derivative either.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from minigrad import control
from minigrad.core import interpreter, unwrap
from minigrad.mapping import walk
from minigrad.mapping.walk import Step, Value, spread, with_rank
from minigrad.ops.elementwise import where
from minigrad.ops.indexing import getitem
from minigrad.ops.reductions import any as any_of
from minigrad.ops.reductions import argmax
from minigrad.ops.shaping import concat, moveaxis, reshape
from minigrad.program.bodies import Body
from minigrad.program.equations import without_history


def of_body(step: Step, body: Body, operands: Sequence[Value], size: int) -> list[Any]:
    """The results of a body, all of them with a batch."""
    values: dict[Any, Value] = dict(zip(body.inputs, operands, strict=True))
    walk.computed(body.equations, values, step.how._replace(size=size))
    results = [spread(values[x], size) for x in body.outputs]
    return [y if follows else without_history(y) for y, follows in zip(results, body.followed, strict=True)]


def _packed(results: Sequence[Any], size: int) -> Any:
    """Results as one array, as the operation has them for a single sample."""
    if len(results) == 1:
        return results[0]
    return concat([reshape(y, (size, prod(y.shape[1:]))) for y in results], axis=1)


def _batched(arrays: Sequence[Any]) -> list[Value]:
    return [Value(x, True) for x in arrays]


def scan(step: Step) -> Any:
    """A scan over the same steps."""
    how, body = step.params["how"], step.params["body"]
    if how.limited:
        return None
    first, size = how.constants + how.carries, step.size
    constants, rows = step.operands[: how.constants], step.operands[first:]
    carries = [spread(x, size) for x in step.operands[how.constants : first]]
    xs = [moveaxis(x.array, 0, 1) if x.batched else x.array for x in rows]

    def advance(carry: Any, row: Any) -> Any:
        own = [Value(x, of.batched) for x, of in zip(row or (), rows, strict=True)]
        results = of_body(step, body, [*constants, *_batched(carry), *own], size)
        return results[: how.carries], (results[how.carries :], carry if how.keeps else [])

    last, (ys, kept) = control.scan(advance, carries, xs, length=how.length, reverse=how.reverse)
    return _packed([*last, *(moveaxis(y, 0, 1) for y in (*ys, *kept))], size)


def while_loop(step: Step) -> Any:
    """A loop that ends for each sample when it would end for it alone."""
    how, size = step.params["how"], step.size
    begin = how.test_constants + how.step_constants
    of_test, of_step = step.operands[: how.test_constants], step.operands[how.test_constants : begin]
    carry = [spread(x, size) for x in step.operands[begin:]]

    def holds(carry: Any, constants: Sequence[Value] = of_test, size: int = size) -> Any:
        return of_body(step, step.params["test"], [*constants, *_batched(carry)], size)[0]

    def after(carry: Any, constants: Sequence[Value] = of_step, size: int = size) -> Any:
        return of_body(step, step.params["body"], [*constants, *_batched(carry)], size)

    if interpreter() is not None:

        def selected(carry: Any) -> Any:
            goes_on = Value(holds(carry), True)
            pairs = zip(after(carry), carry, strict=True)
            return [where(with_rank(goes_on, np.ndim(unwrap(x)) - 1, size), y, x) for y, x in pairs]

        return _packed(control.while_loop(lambda carry: any_of(holds(carry)), selected, carry), size)

    ended: list[tuple[np.ndarray, Any]] = []
    active = np.arange(size)
    while len(active):
        goes_on = np.asarray(unwrap(holds(carry, _members(of_test, active), len(active))))
        ended.append((active[~goes_on], [x[~goes_on] for x in carry]))
        active, carry = active[goes_on], [x[goes_on] for x in carry]
        if len(active):
            carry = after(carry, _members(of_step, active), len(active))
    numbers = np.concatenate([which for which, _ in ended]) if ended else active
    finished = [concat(parts) for parts in zip(*(parts for _, parts in ended), strict=True)] if ended else carry
    return _packed([x[np.argsort(numbers)] for x in finished], size)


def branch(step: Step) -> Any:
    """One of two branches for each sample."""
    how, size = step.params["how"], step.size
    pred, operands = step.operands[0], step.operands[1:]
    begin = how.test_constants + how.step_constants
    of_first, of_second, shared = operands[: how.test_constants], operands[how.test_constants : begin], operands[begin:]
    ways = [(step.params["first"], [*of_first, *shared]), (step.params["second"], [*of_second, *shared])]

    def result(way: int, operands: Sequence[Value], size: int) -> Any:
        return _packed(of_body(step, ways[way][0], operands, size), size)

    if not pred.batched:
        return control.cond(pred.array, lambda: result(0, ways[0][1], size), lambda: result(1, ways[1][1], size))
    if interpreter() is None:
        holds = np.asarray(unwrap(pred.array))
        parts = [np.flatnonzero(holds), np.flatnonzero(~holds)]
        made = [result(i, _members(ways[i][1], which), len(which)) for i, which in enumerate(parts) if len(which)]
        return concat(made)[np.argsort(np.concatenate(parts))] if made else np.zeros((0, *step.shape))
    masks = [pred.array, ~pred.array]
    first, second = (result(i, _replaced(ways[i][1], masks[i], size), size) for i in range(2))
    return where(with_rank(pred, np.ndim(unwrap(first)) - 1, size), first, second)


def _members(operands: Sequence[Value], which: np.ndarray) -> list[Value]:
    """What belongs to some of the samples."""
    return [Value(x.array[which], True) if x.batched else x for x in operands]


def _replaced(operands: Sequence[Value], mask: Any, size: int) -> list[Value]:
    """Operands of which samples that the mask leaves out are those of one that it does not, without their history."""
    if not size:
        return list(operands)
    stand_in = argmax(mask)
    made = []
    for x in operands:
        other = without_history(x.array)
        other = getitem(other, (stand_in,)) if x.batched else other
        holds = with_rank(Value(mask, True), x.rank, size)
        made.append(Value(where(holds, x.array, other), True))
    return made
