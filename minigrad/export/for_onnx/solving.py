"""In ONNX: equations, inverses, determinants and Cholesky factors, by loops over the columns of matrices.

ONNX itself has `Det` alone.  A matrix that is singular gives NaN or infinite numbers, for a graph cannot raise.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.export.for_onnx.bodies import looped, seen_from
from minigrad.export.for_onnx.builder import Graph
from minigrad.export.for_onnx.values import Operand, Row, Value, broadcast, of_result
from minigrad.registry import primitives


def eye(g: Graph, n: Any, dtype: Any) -> Value:
    """The identity."""
    rows = g.arange(n)
    return g.cast(g.equal(g.unsqueeze(rows, [1]), rows), dtype)


def _picked(g: Graph, x: Value, k: Value, axis: int) -> Value:
    """Row or column `k` of matrices."""
    axis = axis % x.ndim
    return g.node("Gather", [x, k], x.dtype, [n for i, n in enumerate(x.shape) if i != axis], axis=axis)


def _eliminated(g: Graph, a: Value, b: Value) -> tuple[Value, Value, Value]:
    """What solves the equations, the sign of the determinant, and the logarithm of its size.

    Of each column the largest element that is left is the pivot, whose row is taken from all others.
    """
    n, batch = a.shape[-1], a.shape[:-2]
    one, zero = g.constant(1, a.dtype), g.constant(0, a.dtype)
    first = [g.concat([a, b], -1), g.expand(one, batch), g.expand(zero, batch), g.constant(np.int64(0))]

    def step(body: Graph, carry: list[Value]) -> list[Value]:
        rest, sign, size, k = carry
        rows = body.arange(n)
        column = body.unary("Abs", _picked(body, rest, k, -1))
        left = body.where(rows >= k, column, -1)
        place = body.node("ArgMax", [left], np.int64, (*batch, 1), axis=len(batch), keepdims=1)
        order = body.where(body.equal(rows, k), place, body.where(body.equal(rows, place), k, rows))
        every = body.expand(body.unsqueeze(order, [-1]), rest.shape)
        rest = body.node("GatherElements", [rest, every], rest.dtype, rest.shape, axis=len(batch))
        row = _picked(body, rest, k, -2)
        pivot = _picked(body, row, k, -1)
        factor = _picked(body, rest, k, -1) / body.unsqueeze(pivot, [-1])
        factor = body.where(body.equal(rows, k), 0, factor)
        rest = rest - body.unsqueeze(factor, [-1]) * body.unsqueeze(row, [-2])
        stays = body.equal(body.squeeze(place, [-1]), k)
        sign = sign * body.where(stays, 1, -1) * body.unary("Sign", pivot)
        return [rest, sign, size + body.unary("Log", body.unary("Abs", pivot)), k + 1]

    rest, sign, size, _ = looped(g, first, step, count=int(n))  # type: ignore[arg-type]  # a size raises here
    square = g.slice(rest, -1, 0, n, n)
    diagonal = g.reduce("ReduceSum", square * eye(g, n, a.dtype), -1, True)
    width = b.shape[-1]
    solution = g.slice(rest, -1, n, n + width, width) / diagonal  # type: ignore[operator]  # both are known
    return solution, sign, size


def _solve(g: Graph, a: Operand, b: Operand) -> Value:
    a, b = g.alike(g.floating(a), g.floating(b))
    columns = g.unsqueeze(b, [-1]) if b.ndim == 1 else b
    batch = broadcast(a.shape[:-2], columns.shape[:-2])
    a, columns = (g.expand(x, (*batch, *x.shape[-2:])) for x in (a, columns))
    solution = _eliminated(g, a, columns)[0]
    return g.squeeze(solution, [-1]) if b.ndim == 1 else solution


def _inv(g: Graph, x: Operand) -> Value:
    x = g.floating(x)
    return _eliminated(g, x, g.expand(eye(g, x.shape[-1], x.dtype), x.shape))[0]


def _inverse(g: Graph, x: Operand) -> Value:
    """NaN for a matrix that is singular."""
    x = g.floating(x)
    solution, sign, _ = _eliminated(g, x, g.expand(eye(g, x.shape[-1], x.dtype), x.shape))
    regular = g.unsqueeze(~g.equal(sign, 0) & ~g.isnan(sign), [-2, -1])
    return g.where(regular, solution, math.nan)


def _slogdet(g: Graph, x: Operand) -> Value:
    x = g.floating(x)
    _, sign, size = _eliminated(g, x, g.slice(x, -1, 0, 1, 1))
    singular = g.equal(sign, 0) | g.isnan(sign)
    parts = g.where(singular, 0, sign), g.where(singular, -math.inf, size)
    return g.concat([g.unsqueeze(part, [-1]) for part in parts], -1)


def _cholesky(g: Graph, x: Operand) -> Value:
    """Column by column, each of what the columns before it leave."""
    x = g.floating(x)
    x = (x + g.transpose(x, [*range(x.ndim - 2), x.ndim - 1, x.ndim - 2])) * 0.5
    n = x.shape[-1]
    first = [g.expand(g.constant(0, x.dtype), x.shape), g.constant(np.int64(0))]

    def step(body: Graph, carry: list[Value]) -> list[Value]:
        factor, k = carry
        rows = body.arange(n)
        known = body.matmul(factor, body.unsqueeze(_picked(body, factor, k, -2), [-1]))
        rest = _picked(body, seen_from(body, x), k, -1) - body.squeeze(known, [-1])
        pivot = body.unary("Sqrt", _picked(body, rest, k, -1))
        column = body.where(rows >= k, rest / body.unsqueeze(pivot, [-1]), 0)
        here = body.cast(body.equal(rows, k), x.dtype)
        return [factor + body.unsqueeze(column, [-1]) * here, k + 1]

    return looped(g, first, step, count=int(n))[0]


def _of_any_size(name: str, row: Row) -> Row:
    """A row for matrices with elements; of others NumPy's result is a constant."""

    @of_result
    def lowered(g: Graph, *operands: Operand, result: Value) -> Value:
        values = [g.value(x) for x in operands]
        if 0 in result.shape:
            return g.expand(g.constant(0, result.dtype), result.shape)
        if all(0 not in x.shape for x in values):
            return row(g, *values)
        forward: Any = primitives[name].primitive.forward  # type: ignore[attr-defined]  # which every primitive has
        shapes: Any = [x.shape for x in values]
        return g.constant(forward(*[np.zeros(shape, x.dtype) for x, shape in zip(values, shapes, strict=True)]))

    return lowered


_OF_MATRICES: dict[str, Row] = {
    "solve": _solve,
    "inv": _inv,
    "inverse": _inverse,
    "slogdet": _slogdet,
    "cholesky": _cholesky,
}

SOLVING: dict[str, Callable[..., Any]] = {name: _of_any_size(name, row) for name, row in _OF_MATRICES.items()}
