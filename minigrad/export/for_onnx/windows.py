"""In ONNX: windows that slide over axes: convolution, unfolding, and the maximum of each window."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from minigrad.export.for_onnx.builder import Graph
from minigrad.export.for_onnx.shaping import scatter_add
from minigrad.export.for_onnx.values import Operand, Value, of_result
from minigrad.nn.pooling import bounds

Lengths = tuple[int, ...]

# Convolution, and its transposes in both operands


def _floats(g: Graph, *operands: Operand) -> tuple[list[Value], Any]:
    """Operands that ONNX convolves, and the dtype of the result."""
    dtype = g.common(*operands)
    inside = dtype if dtype.kind == "f" else np.dtype(float)
    return [g.cast(x, inside) for x in operands], dtype


def _pads(padding: Any) -> list[int]:
    return [int(before) for before, _ in padding] + [int(after) for _, after in padding]


@of_result
def _convolve(
    g: Graph, x: Operand, w: Operand, *, stride: Lengths, padding: Any, dilation: Lengths, groups: int, result: Value
) -> Value:
    values, dtype = _floats(g, x, w)
    how = {"strides": list(stride), "pads": _pads(padding), "dilations": list(dilation), "group": groups}
    return g.cast(g.node("Conv", values, values[0].dtype, result.shape, **how), dtype)


@of_result
def _convolve_transposed(
    g: Graph, x: Operand, w: Operand, *, lengths: Lengths, stride: Lengths, padding: Any, dilation: Lengths,
    groups: int, result: Value,
) -> Value:  # fmt: skip
    (x, w), dtype = _floats(g, x, w)
    extra = [
        int(n + sum(pad) - (s * (m - 1) + d * (k - 1) + 1))
        for n, pad, s, m, d, k in zip(lengths, padding, stride, x.shape[2:], dilation, w.shape[2:], strict=True)
    ]
    how = {"strides": list(stride), "pads": _pads(padding), "dilations": list(dilation), "group": groups}
    return g.cast(g.node("ConvTranspose", [x, w], x.dtype, result.shape, output_padding=extra, **how), dtype)


@of_result
def _convolve_weight(
    g: Graph, x: Operand, y: Operand, *, kernel: Lengths, stride: Lengths, padding: Any, dilation: Lengths,
    groups: int, result: Value,
) -> Value:  # fmt: skip
    """A convolution with images and channels in each other's places, and steps and dilations, too."""
    (x, y), dtype = _floats(g, x, y)
    axes = len(kernel)
    rest = list(range(3, 3 + axes))
    count, filters = x.shape[0], y.shape[1]
    channels = int(x.shape[1]) // groups
    x = g.transpose(g.reshape(x, (count, groups, channels, *x.shape[2:])), [2, 1, 0, *rest])
    x = g.reshape(x, (channels, count * groups, *x.shape[3:]))
    y = g.transpose(g.reshape(y, (count, groups, int(filters) // groups, *y.shape[2:])), [1, 2, 0, *rest])
    y = g.reshape(y, (filters, count, *y.shape[3:]))
    how = {"strides": list(dilation), "pads": _pads(padding), "dilations": list(stride), "group": groups}
    made = g.node("Conv", [x, y], x.dtype, (channels, filters, *[None] * axes), **how)
    made = g.transpose(made, [1, 0, *range(2, 2 + axes)])
    for i, k in enumerate(kernel):
        made = g.slice(made, 2 + i, 0, k, k)
    return g.cast(made, dtype)


# Windows: of shape (N, C, *kernel, *out), by places in the flat array that are known


def _numbers(lengths: Sequence[int], kernel: Lengths, stride: Lengths, padding: Any, dilation: Lengths) -> np.ndarray:
    """For each element of each window its number among the elements, or -1 in the padding."""
    own = np.arange(prod(lengths)).reshape(lengths)
    own = np.pad(own, padding, constant_values=-1)
    axes = len(kernel)
    index = []
    for i, (n, k, s, d) in enumerate(zip(own.shape, kernel, stride, dilation, strict=True)):
        places = np.arange(k)[:, None] * d + np.arange((n - d * (k - 1) - 1) // s + 1) * s
        shape = [1] * (2 * axes)
        shape[i], shape[axes + i] = places.shape
        index.append(places.reshape(shape))
    return own[tuple(index)]


def _known(lengths: Sequence[Any]) -> list[int]:
    return [n.__index__() for n in lengths]


def _windows(g: Graph, x: Value, numbers: np.ndarray, padding: Any) -> Value:
    """All windows, with a number in the padding."""
    flat = g.reshape(x, (*x.shape[:2], prod(x.shape[2:])))  # type: ignore[arg-type]
    places = g.constant(np.maximum(numbers, 0))
    found = g.node("Gather", [flat, places], x.dtype, (*x.shape[:2], *numbers.shape), axis=2)
    return g.where(g.constant(numbers >= 0), found, padding) if (numbers < 0).any() else found


def _unfold(g: Graph, x: Operand, **how: Any) -> Value:
    x = g.value(x)
    return _windows(g, x, _numbers(_known(x.shape[2:]), **how), g.constant(0, x.dtype))


def _fold(g: Graph, y: Operand, *, lengths: Lengths, **how: Any) -> Value:
    y = g.value(y)
    numbers = _numbers(_known(lengths), tuple(_known(y.shape[2 : 2 + len(lengths)])), **how)
    return _added(g, g.reshape(y, (*y.shape[:2], numbers.size)), numbers.reshape(-1), lengths)


def _added(g: Graph, y: Value, numbers: np.ndarray, lengths: Sequence[Any]) -> Value:
    """Elements of (N, C, places) added up where they belong, to (N, C, *lengths); what has -1 is left out."""
    kept = np.flatnonzero(numbers >= 0)
    if len(kept) < len(numbers):
        y = g.node("Gather", [y, g.constant(kept)], y.dtype, (*y.shape[:2], len(kept)), axis=2)
    rows = g.transpose(y, [2, 0, 1])
    zeros = g.expand(g.constant(0, y.dtype), (prod(lengths), *y.shape[:2]))
    total = scatter_add(g, zeros, g.constant(numbers[kept].reshape(-1, 1)), rows)
    return g.reshape(g.transpose(total, [1, 2, 0]), (*y.shape[:2], *lengths))


# Maxima of windows: of equal elements the first is taken, and NaN is larger than any number


@of_result
def _max_pool(
    g: Graph, x: Operand, *, kernel: Lengths, stride: Lengths, padding: Any, dilation: Lengths, result: Value
) -> Value:
    """ONNX's own; a window with NaN gives what the runtime makes of it."""
    (x,), dtype = _floats(g, x)
    if any(max(pad) >= k for pad, k in zip(padding, kernel, strict=True)):  # which runtimes do not take
        ends = g.constant([0, 0, *[a for a, _ in padding], 0, 0, *[b for _, b in padding]], np.int64)
        padded = [n + sum(pad) for n, pad in zip(x.shape[2:], padding, strict=True)]
        x = g.node("Pad", [x, ends, g.constant(-np.inf, x.dtype)], x.dtype, (*x.shape[:2], *padded))
        padding = [(0, 0)] * len(kernel)
    how = {"kernel_shape": list(kernel), "strides": list(stride), "pads": _pads(padding), "dilations": list(dilation)}
    return g.cast(g.node("MaxPool", [x], x.dtype, result.shape, **how), dtype)


def _which_largest(g: Graph, x: Operand, *, kernel: Lengths, **how: Any) -> Value:
    x = g.cast(x, g.value(x).dtype if g.value(x).dtype.kind == "f" else np.int64)
    numbers = _numbers(_known(x.shape[2:]), kernel, **how)
    out = numbers.shape[len(kernel) :]
    numbers = numbers.reshape(prod(kernel), *out)
    floats = x.dtype.kind == "f"
    bottom = g.constant(-np.inf if floats else np.iinfo(x.dtype).min, x.dtype)
    windows = _windows(g, g.where(g.isnan(x), np.inf, x) if floats else x, numbers, bottom)
    top = g.reduce("ReduceMax", windows, 2, True)
    found = g.equal(windows, top) & g.constant(numbers >= 0)
    if floats:
        lost = _windows(g, g.cast(g.isnan(x), np.int32), numbers, g.constant(0, np.int32))
        some = g.reduce("ReduceMax", lost, 2, True)
        found = g.where(g.equal(some, 1), g.equal(lost, 1), found)
    place = g.node("ArgMax", [g.cast(found, np.int32)], np.int64, (*x.shape[:2], 1, *out), axis=2, keepdims=1)
    everywhere = g.expand(g.constant(numbers), windows.shape)
    picked = g.node("GatherElements", [everywhere, place], np.int64, place.shape, axis=2)
    return g.squeeze(picked, [2])


def _flat(g: Graph, x: Value) -> Value:
    return g.reshape(x, (*x.shape[:2], prod(x.shape[2:])))  # type: ignore[arg-type]  # sizes multiply as numbers do


def _at_largest(g: Graph, h: Operand, x: Operand, top: Operand, **how: Any) -> Value:
    h, which = g.value(h), _which_largest(g, x, **how)
    places = _flat(g, which)
    found = g.node("GatherElements", [_flat(g, h), places], h.dtype, places.shape, axis=2)
    return g.reshape(found, which.shape)


def _to_largest(g: Graph, y: Operand, x: Operand, top: Operand, **how: Any) -> Value:
    y, x = g.value(y), g.value(x)
    places = _flat(g, _which_largest(g, x, **how))
    zeros = g.expand(g.constant(0, y.dtype), _flat(g, x).shape)
    total = g.node("ScatterElements", [zeros, places, _flat(g, y)], y.dtype, zeros.shape, axis=2, reduction="add")
    return g.reshape(total, x.shape)


def _places_of_largest(g: Graph, x: Operand, *, counts: Sequence[int]) -> Value:
    x = g.value(x)
    lengths = _known(x.shape[2:])
    number = np.arange(prod(lengths)).reshape(lengths)
    parts = [bounds(n, count) for n, count in zip(lengths, counts, strict=True)]
    found = []
    for place in np.ndindex(*counts):
        window: Any = tuple(slice(*parts[axis][i]) for axis, i in enumerate(place))
        own = number[window].ravel()
        part = g.node("Gather", [_flat(g, x), g.constant(own)], x.dtype, (*x.shape[:2], own.size), axis=2)
        lost = g.cast(g.isnan(part), np.int32)
        some = g.reduce("ReduceMax", lost, 2, True)
        shape = (*x.shape[:2], 1)
        first, second = (g.node("ArgMax", [y], np.int64, shape, axis=2, keepdims=1) for y in (lost, part))
        found.append(g.node("Gather", [g.constant(own), g.where(g.equal(some, 1), first, second)], np.int64, shape))
    return g.reshape(g.concat(found, 2), (*x.shape[:2], *counts))


WINDOWS: dict[str, Callable[..., Any]] = {
    "convolve": _convolve,
    "convolve_transposed": _convolve_transposed,
    "convolve_weight": _convolve_weight,
    "unfold": _unfold,
    "fold": _fold,
    "max_pool": _max_pool,
    "which_largest": _which_largest,
    "at_largest": _at_largest,
    "to_largest": _to_largest,
    "places_of_largest": _places_of_largest,
}
