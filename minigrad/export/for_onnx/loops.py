"""In ONNX: loops and branches of a program."""

from collections.abc import Callable, Sequence
from typing import Any

from minigrad.export.for_onnx.bodies import branched, looped, scanned, seen_from
from minigrad.export.for_onnx.builder import Graph
from minigrad.export.for_onnx.evaluating import Lowering, Packed
from minigrad.export.for_onnx.values import NoFormError, Operand, Value, of_result
from minigrad.program.bodies import Body, Scan


def _run(body: Body, lowering: Lowering, graph: Graph, operands: Sequence[Operand]) -> list[Value]:
    """The results of a body, as nodes of a graph; what is outside of it is seen from there."""
    values: dict[Any, Any] = {}
    for x, value in zip(body.inputs, operands, strict=True):
        values[x] = seen_from(graph, value) if isinstance(value, Value) else value
    scope, place = graph.scope, graph.place
    lowering.run(graph, body.equations, values, {})
    graph.scope, graph.place = scope, place
    return [graph.cast(lowering.whole(graph, values[x]), x.dtype) for x in body.outputs]


def _packed(g: Graph, results: Sequence[Value], dtype: Any) -> Any:
    return results[0] if len(results) == 1 else Packed(g, results, dtype)


def _typed(g: Graph, operands: Sequence[Operand], forms: Any) -> list[Value]:
    """Operands in the dtypes and shapes of what is carried."""
    return [g.expand(g.cast(x, dtype), shape) for x, (shape, dtype) in zip(operands, forms, strict=False)]


@of_result
def _scan(g: Graph, *operands: Operand, body: Body, how: Scan, forms: Any, lowering: Lowering, result: Value) -> Any:
    if how.limited:
        raise NoFormError("a scan of a length that is not known")
    begin = how.constants + how.carries
    constants = list(operands[: how.constants])
    carries, rows = _typed(g, operands[how.constants : begin], forms), [g.value(x) for x in operands[begin:]]

    def step(inner: Graph, before: list[Value], own: list[Value]) -> tuple[list[Value], list[Value]]:
        made = _run(body, lowering, inner, [*constants, *before, *own])
        return made[: how.carries], [*made[how.carries :], *(before if how.keeps else [])]

    if not rows:
        rows = [g.arange(how.length)]
        last, stacked = scanned(g, carries, rows, lambda g, a, b: step(g, a, []), how.length, 0, how.reverse)
    else:
        last, stacked = scanned(g, carries, rows, step, how.length, 0, how.reverse)
    return _packed(g, [*last, *stacked], result.dtype)


@of_result
def _while_loop(
    g: Graph, *operands: Operand, test: Body, body: Body, how: Any, forms: Any, lowering: Lowering, result: Value
) -> Any:
    begin = how.test_constants + how.step_constants
    of_test, of_step = operands[: how.test_constants], operands[how.test_constants : begin]
    carries = _typed(g, operands[begin:], forms)

    def holds(inner: Graph, carry: list[Value]) -> Value:
        return inner.cast(_run(test, lowering, inner, [*of_test, *carry])[0], bool)

    def step(inner: Graph, carry: list[Value]) -> list[Value]:
        return _run(body, lowering, inner, [*of_step, *carry])

    return _packed(g, looped(g, carries, step, test=holds), result.dtype)


@of_result
def _branch(
    g: Graph, pred: Operand, *operands: Operand, first: Body, second: Body, how: Any, forms: Any, lowering: Lowering,
    result: Value,
) -> Any:  # fmt: skip
    begin = how.test_constants + how.step_constants
    of_first, of_second = operands[: how.test_constants], operands[how.test_constants : begin]
    shared = operands[begin:]
    branches: list[Callable[[Graph], list[Any]]] = [
        lambda inner: _run(first, lowering, inner, [*of_first, *shared]),
        lambda inner: _run(second, lowering, inner, [*of_second, *shared]),
    ]
    return _packed(g, branched(g, g.value(pred), branches), result.dtype)


LOOPS: dict[str, Callable[..., Any]] = {"scan": _scan, "while_loop": _while_loop, "branch": _branch}
