"""In ONNX: the exponential of matrices, and its derivative in a direction, by the package's own method."""

from typing import Any

import numpy as np

from minigrad.export.for_onnx.bodies import looped, seen_from
from minigrad.export.for_onnx.builder import Graph
from minigrad.export.for_onnx.solving import SOLVING, eye
from minigrad.export.for_onnx.values import Operand, Row, Value
from minigrad.ops.exponential import _NORM, _PADE

_MOST = 64  # halvings: a matrix that needs more has no exponential in double precision, or none but 0


def _expm(g: Graph, x: Operand) -> Value:
    """The quotient of two polynomials for a matrix that is halved until it is small, and then its squares."""
    x = g.floating(x)
    if 0 in x.shape:
        return x
    size = g.reduce("ReduceMax", g.reduce("ReduceSum", g.unary("Abs", x), -2, True), -1, True)
    halvings = g.unary("Ceil", g.unary("Log", g.arithmetic("Max", size / _NORM, 1.0)) / float(np.log(2)))
    x = x / g.elementwise("Pow", [g.constant(2.0, x.dtype), halvings], x.dtype)
    b, one, x2 = _PADE, eye(g, x.shape[-1], x.dtype), g.matmul(x, x)
    x4 = g.matmul(x2, x2)
    x6 = g.matmul(x2, x4)
    inner = g.matmul(x6, x6 * b[13] + x4 * b[11] + x2 * b[9])
    odd = g.matmul(x, inner + x6 * b[7] + x4 * b[5] + x2 * b[3] + one * b[1])
    even = g.matmul(x6, x6 * b[12] + x4 * b[10] + x2 * b[8]) + x6 * b[6] + x4 * b[4] + x2 * b[2] + one * b[0]
    y = SOLVING["solve"](g, even - odd, even + odd, result=x)

    def step(body: Graph, carry: list[Value]) -> list[Value]:
        y, count = carry
        goes_on = count < seen_from(body, halvings)
        return [body.where(goes_on, body.matmul(y, y), y), count + 1]

    return looped(g, [y, g.constant(0, x.dtype)], step, count=_MOST)[0]


def _frechet(g: Graph, x: Operand, e: Operand) -> Value:
    """The corner of the exponential of a matrix of twice the size, with the direction in its corner."""
    x, e = g.alike(g.floating(x), g.floating(e))
    n: Any = x.shape[-1]
    none = g.expand(g.constant(0, x.dtype), x.shape)
    double = g.concat([g.concat([x, e], -1), g.concat([none, x], -1)], -2)
    return g.slice(g.slice(_expm(g, double), -2, 0, n, n), -1, n, n + n, n)


EXPM: dict[str, Row] = {"expm": _expm, "frechet": _frechet}
