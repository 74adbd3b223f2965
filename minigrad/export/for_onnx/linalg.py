"""In ONNX: products of matrices, norms, triangles, and determinants."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.export.for_onnx.builder import Graph
from minigrad.export.for_onnx.values import Operand, Value, axes_of, of_result


def _alike(g: Graph, *operands: Operand) -> tuple[list[Value], Any]:
    """Operands in a dtype that runtimes multiply matrices in, and the dtype of the result."""
    dtype = g.common(*operands)
    return [g.wide(g.cast(x, dtype)) for x in operands], dtype


@of_result
def _matmul(g: Graph, a: Operand, b: Operand, *, result: Value) -> Value:
    (a, b), _ = _alike(g, a, b)
    return g.cast(g.matmul(a, b), result.dtype)


@of_result
def _einsum(g: Graph, *operands: Operand, subscripts: str, result: Value) -> Value:
    """As many at a time as there are; what ONNX's form of it does not have is brought into it first."""
    values, _ = _alike(g, *operands)
    terms, wanted = subscripts.split("->")
    parts = terms.split(",")
    for i, term in enumerate(parts):
        values[i], parts[i] = _diagonal(g, values[i], term)
    return g.node("Einsum", values, values[0].dtype, result.shape, equation=f"{','.join(parts)}->{wanted}")


def _diagonal(g: Graph, x: Value, term: str) -> tuple[Value, str]:
    """An operand in which no index stands twice."""
    while repeated := next((c for c in term if c != "." and term.count(c) > 1), None):
        if "..." in term:
            break
        first, second = term.index(repeated), term.rindex(repeated)
        order = [i for i in range(x.ndim) if i not in (first, second)]
        x = g.transpose(x, [first, second, *order])
        n = x.shape[0]
        places = g.unsqueeze(g.arange(n), [-1])
        x = g.node("GatherND", [x, g.concat([places, places], -1)], x.dtype, (n, *x.shape[2:]))
        term = repeated + "".join(term[i] for i in order)
    return x, term


def length(g: Graph, x: Value, axes: tuple[int, ...], order: float) -> Value:
    """The norm of an order over axes, which stay with length 1."""
    size = g.unary("Abs", x)
    if order == 0:
        return g.reduce("ReduceSum", g.cast(~g.equal(x, 0), x.dtype), axes, True)
    if order == 1:
        return g.reduce("ReduceSum", size, axes, True)
    if math.isinf(order):
        return g.reduce("ReduceMax" if order > 0 else "ReduceMin", size, axes, True)
    # Of elements by the size of the one that counts most, so that no power has no place in the dtype.
    scale = g.reduce("ReduceMax" if order > 0 else "ReduceMin", size, axes, True)
    scale = g.where((scale > 0) & (scale < math.inf), scale, 1)
    ratio = size / scale
    if order == 2:
        return scale * g.unary("Sqrt", g.reduce("ReduceSum", ratio * ratio, axes, True))
    power = g.elementwise("Pow", [ratio, g.constant(float(order), x.dtype)], x.dtype)
    total = g.reduce("ReduceSum", power, axes, True)
    return scale * g.elementwise("Pow", [total, g.constant(1 / order, x.dtype)], x.dtype)


def _vector_norm(g: Graph, x: Operand, *, axis: Any = None, keepdims: bool = False, ord: float = 2) -> Value:
    x = g.floating(x)
    axes = axes_of(axis, x.ndim)
    value = length(g, x, axes, ord)
    return value if keepdims else g.squeeze(value, axes)


def _triangle(upper: int) -> Callable[..., Value]:
    def row(g: Graph, x: Operand, k: int = 0) -> Value:
        x = g.value(x)
        inside = g.wide(x)
        diagonal = g.cast(g.value(k), np.int64)
        return g.cast(g.node("Trilu", [inside, diagonal], inside.dtype, x.shape, upper=upper), x.dtype)

    return row


def _linear(g: Graph, x: Operand, weight: Operand, bias: Operand) -> Value:
    """One `Gemm` of a matrix in one dtype, and otherwise a product and a sum."""
    (x, weight), dtype = _alike(g, x, weight)
    bias = g.value(bias)
    if x.ndim == weight.ndim == 2 and bias.ndim == 1 and dtype.kind == "f" and bias.dtype == dtype:
        shape = (x.shape[0], weight.shape[0])
        return g.node("Gemm", [x, weight, bias], dtype, shape, transB=1)
    return g.cast(g.matmul(x, g.transpose(weight, list(range(weight.ndim))[::-1])), dtype) + bias


def _sparse_product(g: Graph, x: Operand, *, matrix: Any) -> Value:
    """By the elements that are there: each is a row of the operand times a number, added to a row of the result."""
    found = matrix.tocoo()
    x = g.value(x)
    dtype = np.result_type(found.dtype, x.dtype)
    data = g.constant(found.data.astype(dtype).reshape(-1, *(1,) * (x.ndim - 1)))
    rows = g.node(
        "Gather", [g.cast(x, dtype), g.constant(found.col.astype(np.int64))], dtype, (found.nnz, *x.shape[1:])
    )
    zeros = g.expand(g.constant(0, dtype), (found.shape[0], *x.shape[1:]))
    places = g.constant(found.row.astype(np.int64).reshape(-1, 1))
    return g.node("ScatterND", [zeros, places, data * rows], dtype, zeros.shape, reduction="add")


LINALG: dict[str, Callable[..., Any]] = {
    "matmul": _matmul,
    "einsum": _einsum,
    "linear": _linear,
    "vector_norm": _vector_norm,
    "tril": _triangle(0),
    "triu": _triangle(1),
    "sparse_product": _sparse_product,
    "weighed": lambda g, v, w, equal: g.arithmetic("Mul", v, w),
    "det": lambda g, x: g.node("Det", [g.floating(x)], g.floating(x).dtype, x.shape[:-2]),
}
