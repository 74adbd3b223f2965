"""In ONNX: shapes, axes, joining, and counting into bins."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.export.for_onnx.builder import Graph
from minigrad.export.for_onnx.values import NoFormError, Operand, Value, axes_of, broadcast, of_result


@of_result
def _reshape(g: Graph, x: Operand, shape: Any = None, *, copy: Any = None, result: Value) -> Value:
    x = g.value(x)
    if None not in result.shape:
        return g.reshape(x, result.shape)
    lengths = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    kept = [0 if i < x.ndim and n is None and x.shape[i] is None else n for i, n in enumerate(result.shape)]
    target = [n if isinstance(n, int) and n == -1 else m for n, m in zip(lengths, kept, strict=True)]
    if sum(n is None or n == -1 for n in target) > 1:
        raise NoFormError("a reshape with several lengths that are not known")
    return g.node("Reshape", [x, g.vector([-1 if n is None else n for n in target])], x.dtype, result.shape)


@of_result
def _broadcast_to(g: Graph, x: Operand, shape: Any, *, result: Value) -> Value:
    return g.expand(x, result.shape if None not in result.shape else shape)


def _concat(g: Graph, *arrays: Operand, axis: int, lengths: Any) -> Value:
    return g.concat(g.alike(*arrays), axis)


def _stack(g: Graph, *arrays: Operand, axis: int, count: int) -> Value:
    parts = [g.unsqueeze(x, [axis]) for x in g.alike(*arrays)]
    return g.concat(parts, axis) if len(parts) > 1 else parts[0]


def _roll(g: Graph, x: Operand, shift: Any, axis: Any = None) -> Value:
    x = g.value(x)
    if axis is None:
        return g.reshape(_roll(g, g.flat(x), shift, 0), x.shape)
    axes = axis if isinstance(axis, tuple) else (axis,)
    shifts = shift if isinstance(shift, tuple) else (shift,) * len(axes)
    axes = axes * len(shifts) if len(axes) < len(shifts) else axes
    for by, a in zip(shifts, axes, strict=True):
        x = _rolled(g, x, by, a % x.ndim)
    return x


def _rolled(g: Graph, x: Value, shift: Any, axis: int) -> Value:
    length = x.shape[axis]
    if length == 0:
        return x
    numbers = g.arange(length)
    moved = numbers - g.cast(g.value(shift), np.int64)
    place = g.elementwise("Mod", [moved, g.cast(g.value(length), np.int64)], np.int64)
    return g.node("Gather", [x, place], x.dtype, x.shape, axis=axis)


@of_result
def _pad(g: Graph, x: Operand, *, widths: Any, value: Any, result: Value) -> Value:
    x = g.value(x)
    if np.ndim(value):
        return _padded_by_sides(g, x, widths, np.broadcast_to(value, (x.ndim, 2)))
    inside = g.wide(x)
    ends = g.vector([before for before, _ in widths] + [after for _, after in widths])
    return g.cast(g.node("Pad", [inside, ends, g.constant(value, inside.dtype)], inside.dtype, result.shape), x.dtype)


def _padded_by_sides(g: Graph, x: Value, widths: Any, values: Any) -> Value:
    """With a number of its own before and after each axis."""
    for axis, (lengths, numbers) in enumerate(zip(widths, values, strict=True)):
        sides = []
        for length, number in zip(lengths, numbers, strict=True):
            shape = [length if i == axis else n for i, n in enumerate(x.shape)]
            sides.append(g.expand(g.constant(number, x.dtype), shape))
        x = g.concat([sides[0], x, sides[1]], axis)
    return x


# Counting.  How many bins there are was seen in the example; what lies beyond is not counted.


@of_result
def _count_numbers(g: Graph, x: Value, *, minlength: int, result: Value) -> Value:
    return _summed(g, x, g.expand(g.constant(1), x.shape), result)


@of_result
def _sum_by_number(g: Graph, x: Value, weights: Operand, *, minlength: int, result: Value) -> Value:
    return _summed(g, x, g.cast(weights, result.dtype), result)


def _summed(g: Graph, x: Value, weights: Value, result: Value) -> Value:
    bins = result.shape[0]
    if not bins:
        return g.expand(g.constant(0, result.dtype), (0,))
    x = g.cast(x, np.int64)
    counted = x < bins
    zeros = g.expand(g.constant(0, result.dtype), result.shape)
    kept = g.where(counted, weights, g.constant(0, weights.dtype))
    return scatter_add(g, zeros, g.unsqueeze(g.where(counted, x, 0), [-1]), g.cast(kept, result.dtype))


def scatter_add(g: Graph, x: Value, places: Value, updates: Value) -> Value:
    """Updates added at places, which are rows of indices, repeats and all."""
    return g.node("ScatterND", [x, places, updates], x.dtype, x.shape, reduction="add")


def _bin_of(g: Graph, x: Operand, edges: Operand) -> Value:
    x, edges = g.alike(x, edges)
    last = g.node("Gather", [edges, g.constant(-1)], edges.dtype, ())
    return g.where(g.equal(x, last), edges.shape[0] - 1, searched(g, edges, x, "right"))


def searched(g: Graph, edges: Value, x: Value, side: str) -> Value:
    """How many of the edges, which are in order, come before each number; NaN comes last."""
    wide = g.unsqueeze(x, [-1])
    before = edges <= wide if side == "right" else edges < wide
    if x.dtype.kind == "f":
        lost = g.isnan(wide)
        before = before | (lost if side == "right" else lost & ~g.isnan(edges))
    return g.reduce("ReduceSum", g.cast(before, np.int64), -1)


def _places(g: Graph, index: Value, *, shape: Any, axis: int, name: str) -> Value:
    """Where elements at an index along one axis, and at their own places on the others, are in the flat array."""
    index = g.cast(index, np.int64)
    if not shape:
        shape, index = (1,), g.reshape(index, (1,))
    axis = axis % len(shape)
    negative = g.where(index < 0, index + _number(g, shape[axis]), index)
    total, step = None, 1
    for i in reversed(range(len(shape))):
        own = [n if j == i else 1 for j, n in enumerate(index.shape)]
        part = negative if i == axis else g.reshape(g.arange(index.shape[i]), own)
        part = part * _number(g, step)
        total = part if total is None else total + part
        step = step * shape[i]
    assert total is not None
    return g.expand(total, broadcast(total.shape, index.shape))


def _number(g: Graph, n: Any) -> Value:
    return g.cast(g.value(n), np.int64)


SHAPING: dict[str, Callable[..., Any]] = {
    "reshape": _reshape,
    "permute_dims": lambda g, x, axes: g.transpose(g.value(x), [a % x.ndim for a in axes]),
    "broadcast_to": _broadcast_to,
    "astype": lambda g, x, *, dtype: g.cast(x, dtype),
    "concat": _concat,
    "stack": _stack,
    "flip": lambda g, x, *, axis=None: g.flipped(g.value(x), axes_of(axis, g.value(x).ndim)),
    "roll": _roll,
    "pad": _pad,
    "count_numbers": _count_numbers,
    "sum_by_number": _sum_by_number,
    "bin_of": _bin_of,
    "places": _places,
    "is_nearly_real": lambda g, a, *, tol: g.constant(True),
}
