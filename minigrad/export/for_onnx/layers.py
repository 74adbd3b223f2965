"""In ONNX: normalization, attention and losses."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.export.for_onnx.builder import Graph
from minigrad.export.for_onnx.reductions import log_softmax
from minigrad.export.for_onnx.shaping import scatter_add
from minigrad.export.for_onnx.values import Operand, Value


def _standardized(g: Graph, x: Operand, *, axes: Any, eps: float) -> Value:
    x = g.floating(x)
    y = x - g.reduce("ReduceMean", x, axes, True)
    return y / g.unary("Sqrt", g.reduce("ReduceMean", y * y, axes, True) + eps)


def _masked_softmax(g: Graph, scores: Operand, mask: Operand) -> Value:
    """0 in rows of which the mask leaves nothing."""
    value = g.arithmetic("Add", scores, mask)
    mask = g.value(mask)
    blind = g.equal(g.reduce("ReduceMax", mask, -1, True), -math.inf)
    top = g.reduce("ReduceMax", value, -1, True)
    exponentials = g.unary("Exp", value - g.where(blind, 0, top))
    return exponentials / g.where(blind, 1, g.reduce("ReduceSum", exponentials, -1, True))


# Losses


def _row_losses(g: Graph, logits: Operand, places: Operand, share: Operand) -> tuple[Value, Value]:
    """For each row the loss, and the probabilities."""
    logits = g.floating(logits)
    top = g.reduce("ReduceMax", logits, -1, True)  # NaN is in the sum, whatever is taken away
    top = g.where(g.equal(top, -math.inf), 0, g.where(g.equal(top, math.inf), math.nan, top))
    shifted = logits - top
    exponentials = g.unary("Exp", shifted)
    sums = g.reduce("ReduceSum", exponentials, -1, True)
    every, rows = g.flat(shifted), g.flat(sums)
    places = g.cast(places, np.int64)
    taken = g.node("Gather", [every, places], every.dtype, places.shape)
    rows = g.unary("Log", rows) - taken
    if isinstance(share, Value) and share.ndim:
        share = g.squeeze(share, [1])
        rows = g.where(~g.equal(share, 0), rows, 0)  # not 0 * inf
    return g.arithmetic("Mul", rows, share), exponentials / sums


def _cross_entropy(g: Graph, logits: Operand, places: Operand, share: Operand) -> tuple[Value, Value]:
    rows, saved = _row_losses(g, logits, places, share)
    return g.reduce("ReduceSum", rows, None), saved


def _softmax_cross_entropy(g: Graph, logits: Operand, target: Operand) -> Value:
    logarithms = log_softmax(g, logits, axis=-1)
    idle = g.equal(g.value(target), 0)  # not 0 * -inf
    return -g.reduce("ReduceSum", g.arithmetic("Mul", target, g.where(idle, 0, logarithms)), -1)


def _less_one_hot(g: Graph, p: Operand, places: Operand) -> Value:
    p, places = g.value(p), g.cast(places, np.int64)
    flat = g.flat(p)
    ones = g.expand(g.constant(-1, p.dtype), places.shape)
    return g.reshape(scatter_add(g, flat, g.unsqueeze(places, [-1]), ones), p.shape)


def _nan_if_empty(g: Graph, loss: Operand, total: Operand) -> Value:
    return g.where(g.equal(g.value(total), 0), math.nan, loss)


def _bounded_log(g: Graph, x: Operand) -> Value:
    return g.arithmetic("Max", g.function("Log", x), -100)


def _binary_cross_entropy(g: Graph, p: Operand, t: Operand) -> Value:
    p, t = g.alike(g.floating(p), g.floating(t))
    return -(t * _bounded_log(g, p) + (1 - t) * _bounded_log(g, 1 - p))


# Labels of sequences


def _states(g: Graph, targets: Operand, *, sizes: tuple[int, ...], blank: int, classes: int) -> Value:
    targets = g.cast(targets, np.int64)
    width, starts = max(sizes, default=0), np.cumsum((0, *sizes))
    if targets.ndim == 2:
        starts = np.arange(len(sizes) + 1) * targets.shape[1]
    places = np.zeros((len(sizes), 2 * width + 1), np.int64)
    there = np.zeros(places.shape, bool)
    for i, size in enumerate(sizes):
        places[i, 1 : 2 * size + 1 : 2] = starts[i] + np.arange(size)
        there[i, 1 : 2 * size + 1 : 2] = True
    rest = np.full(places.shape, blank)
    rest[:, 1::2] = 0
    flat = g.flat(targets)
    labels = g.node("Gather", [flat, g.constant(places)], np.int64, places.shape)
    return g.where(g.constant(there), labels, g.constant(rest))


def _skips(g: Graph, states: Operand) -> Value:
    """Which states are labels that differ from the label before."""
    states = g.value(states)
    width = states.shape[1]
    before = g.slice(states, 1, 0, width - 2, width - 2)
    now = g.slice(states, 1, 2, width, width - 2)
    odd = g.constant(np.arange(width - 2) % 2 == 1)
    none = g.expand(g.constant(False), (states.shape[0], 2))
    return g.concat([none, ~g.equal(now, before) & odd], 1)


LAYERS: dict[str, Callable[..., Any]] = {
    "standardized": _standardized,
    "row_sums": lambda g, x: g.reduce("ReduceSum", g.value(x), -1, True),
    "row_products": lambda g, a, b: g.reduce("ReduceSum", g.arithmetic("Mul", a, b), -1, True),
    "masked_softmax": _masked_softmax,
    "cross_entropies": _row_losses,
    "cross_entropy": _cross_entropy,
    "softmax_cross_entropy": _softmax_cross_entropy,
    "less_one_hot": _less_one_hot,
    "nan_if_empty": _nan_if_empty,
    "bounded_log": _bounded_log,
    "binary_cross_entropy": _binary_cross_entropy,
    "raised": lambda g, x, *, least: g.arithmetic("Max", x, least),
    "states": _states,
    "skips": _skips,
}
