"""Loops inside of a graph: bodies that are written down by functions of tensors."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.export.for_onnx.builder import Graph
from minigrad.export.for_onnx.values import Length, Value

Step = Callable[[Graph, list[Value], list[Value]], tuple[list[Value], list[Value]]]


def seen_from(body: Graph, x: Value) -> Value:
    """A tensor of a graph around the body, as one of the body."""
    return Value(body, x.name, x.dtype, x.shape, x.number)


def scanned(
    g: Graph,
    carries: Sequence[Value],
    rows: Sequence[Value],
    step: Step,
    length: Length,
    axis: int = 0,
    reverse: bool = False,
) -> tuple[list[Value], list[Value]]:
    """The last carries, and the results of all steps along the axis of the rows.

    The step is a function of a graph, carries and parts of rows; it returns the next carries, and results.
    """
    # Not every runtime takes rows along other axes, and from the end.
    rows = [_in_order(g, _moved(g, x, axis, 0), reverse) for x in rows]
    body = g.inner()
    names = [body.fresh(f"{g.scope}/carry") for _ in carries]
    before = [body.input(name, x.dtype, x.shape) for name, x in zip(names, carries, strict=True)]
    own = [body.input(body.fresh(f"{g.scope}/row"), x.dtype, x.shape[1:]) for x in rows]
    after, results = step(body, before, own)
    for x in (*after, *results):
        body.outputs.append(body.copied(x, body.fresh(f"{g.scope}/result")))
    forms = [(x.dtype, x.shape) for x in carries]
    forms += [(y.dtype, (length, *y.shape)) for y in results]
    made = g.several("Scan", [*carries, *rows], forms, body=body, num_scan_inputs=len(rows))
    return made[: len(carries)], [_moved(g, _in_order(g, y, reverse), 0, axis) for y in made[len(carries) :]]


def _in_order(g: Graph, x: Value, reverse: bool) -> Value:
    return g.flipped(x, [0]) if reverse else x


def _moved(g: Graph, x: Value, start: int, end: int) -> Value:
    """With an axis in another place."""
    axes = [i for i in range(x.ndim) if i != start]
    return g.transpose(x, [*axes[:end], start, *axes[end:]])


def looped(
    g: Graph,
    carries: Sequence[Value],
    step: Callable[[Graph, list[Value]], list[Value]],
    count: int | None = None,
    test: Callable[[Graph, list[Value]], Value] | None = None,
) -> list[Value]:
    """The carries after so many steps, or when the test no longer holds."""
    body = g.inner()
    body.input(body.fresh(f"{g.scope}/step"), np.int64, ())
    body.input(body.fresh(f"{g.scope}/goes_on"), bool, ())
    before = [body.input(body.fresh(f"{g.scope}/carry"), x.dtype, x.shape) for x in carries]
    after = step(body, before)
    goes_on = body.constant(True) if test is None else body.reshape(test(body, after), ())
    for x in (goes_on, *after):
        body.outputs.append(body.copied(x, body.fresh(f"{g.scope}/result")))
    times = None if count is None else g.constant(np.int64(count))
    first = g.constant(True) if test is None else g.reshape(test(g, list(carries)), ())
    return g.several("Loop", [times, first, *carries], [(x.dtype, x.shape) for x in carries], body=body)


def branched(g: Graph, pred: Value, branches: Sequence[Callable[[Graph], list[Any]]]) -> list[Value]:
    """The results of one of two functions of a graph."""
    bodies = []
    for branch in branches:
        body = g.inner()
        for x in branch(body):
            body.outputs.append(body.copied(x, body.fresh(f"{g.scope}/result")))
        bodies.append(body)
    forms = [(x.dtype, x.shape) for x in bodies[0].outputs]
    condition = g.reshape(g.cast(pred, bool), ())
    return g.several("If", [condition], forms, then_branch=bodies[0], else_branch=bodies[1])
