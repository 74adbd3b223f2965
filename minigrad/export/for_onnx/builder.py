"""A graph that grows node by node: what changes shapes, reads parts, and reduces."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from minigrad.export.for_onnx.numbers import Numbers
from minigrad.export.for_onnx.sizes import NotFixedError
from minigrad.export.for_onnx.values import Length, Operand, Value, axes_of, broadcast, sum_of


class Graph(Numbers):
    """A graph, with all that rows make nodes by."""

    def reshape(self, x: Operand, shape: Sequence[Length]) -> Value:
        """The same elements in another shape; lengths that depend on sizes are computed when the graph runs."""
        x, shape = self.value(x), tuple(shape)
        if x.shape == shape and None not in shape:
            return x
        unknown = [i for i, n in enumerate(shape) if not isinstance(n, int)]
        if len(unknown) == 1 and 0 not in shape:
            target = self.constant(np.array([n if isinstance(n, int) else -1 for n in shape], np.int64))
        elif None in shape:
            raise NotFixedError(shape)
        else:
            target = self.vector(shape)
        return self.node("Reshape", [x, target], x.dtype, shape, allowzero=1 if 0 in shape else None)

    def flat(self, x: Operand) -> Value:
        """The elements in a row."""
        x = self.value(x)
        if x.ndim == 1:
            return x
        total: Any = None if None in x.shape else prod(x.shape)
        if isinstance(total, int):
            return self.reshape(x, (total,))
        return self.node("Reshape", [x, self.constant(np.array([-1]))], x.dtype, (total,))

    def transpose(self, x: Value, axes: Sequence[int]) -> Value:
        """The axes in another order."""
        if list(axes) == list(range(x.ndim)):
            return x
        return self.node("Transpose", [x], x.dtype, [x.shape[a] for a in axes], perm=list(axes))

    def unsqueeze(self, x: Value, axes: Sequence[int]) -> Value:
        """New axes of length 1, in these places of the result."""
        shape, rest = [], iter(x.shape)
        ndim = x.ndim + len(axes)
        places = {a % ndim for a in axes}
        shape = [1 if i in places else next(rest) for i in range(ndim)]
        return self.node("Unsqueeze", [x, self.constant(np.array(sorted(places), np.int64))], x.dtype, shape)

    def squeeze(self, x: Value, axes: Sequence[int]) -> Value:
        """Without axes of length 1."""
        places = {a % x.ndim for a in axes}
        shape = [n for i, n in enumerate(x.shape) if i not in places]
        if not places:
            return x
        return self.node("Squeeze", [x, self.constant(np.array(sorted(places), np.int64))], x.dtype, shape)

    def concat(self, parts: Sequence[Value], axis: int) -> Value:
        """Arrays of one dtype one after another."""
        first = parts[0]
        total: Any = sum_of([x.shape[axis] for x in parts])
        shape = [total if i == axis % first.ndim else n for i, n in enumerate(first.shape)]
        return self.node("Concat", parts, first.dtype, shape, axis=axis)

    def slice(self, x: Value, axis: int, start: Any, stop: Any, length: Length) -> Value:
        """A part of an axis."""
        ends = [self.vector([start]), self.vector([stop]), self.constant(np.array([axis], np.int64))]
        shape = [length if i == axis % x.ndim else n for i, n in enumerate(x.shape)]
        return self.node("Slice", [x, *ends], x.dtype, shape)

    def flipped(self, x: Value, axes: Sequence[int]) -> Value:
        """Axes in the opposite direction."""
        if not axes:
            return x
        numbers = [[-1] * len(axes), [np.iinfo(np.int64).min] * len(axes), list(axes), [-1] * len(axes)]
        return self.node("Slice", [x, *[self.constant(n, np.int64) for n in numbers]], x.dtype, x.shape)

    def arange(self, length: Length) -> Value:
        """The numbers from 0 on."""
        if isinstance(length, int):
            return self.constant(np.arange(length))
        ends = [self.constant(np.int64(0)), self.cast(self.value(length), np.int64), self.constant(np.int64(1))]
        return self.node("Range", ends, np.int64, (length,))

    def reduce(self, op: str, x: Value, axes: Any, keepdims: bool = False) -> Value:
        """A reduction over axes, over all of them if that is None."""
        places = axes_of(axes, x.ndim)
        if not places:
            return x
        shape = [1 if i in places else n for i, n in enumerate(x.shape) if keepdims or i not in places]
        axes_tensor = self.constant(np.array(places, np.int64))
        return self.node(op, [x, axes_tensor], x.dtype, shape, keepdims=int(keepdims))

    def matmul(self, a: Value, b: Value) -> Value:
        """The product of matrices, which may be many."""
        batch = broadcast(a.shape[:-2], b.shape[:-2])
        shape = (*batch, *a.shape[-2:-1] * (a.ndim > 1), *b.shape[-1:] * (b.ndim > 1))
        return self.node("MatMul", [a, b], a.dtype, shape)
