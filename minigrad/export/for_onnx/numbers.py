"""Numbers, dtypes and elementwise nodes, by NumPy's rules of promotion."""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.export.for_onnx.nodes import Nodes
from minigrad.export.for_onnx.sizes import Inverse, NotFixedError, Size
from minigrad.export.for_onnx.values import Length, Operand, Value, broadcast

_PLAIN = (bool, int, float)  # numbers of Python: of NumPy's some are floats, too, but not weak
# Small integers are computed in wider ones, which runtimes have, and wrap around when they are brought back.
WIDE = {"b1": "i4", "i1": "i4", "i2": "i4", "u1": "i4", "u2": "i4", "u4": "i8"}
_COMPARISONS = {
    "Less": operator.lt,
    "LessOrEqual": operator.le,
    "Greater": operator.gt,
    "GreaterOrEqual": operator.ge,
    "Equal": operator.eq,
}


class Numbers(Nodes):
    """Nodes of numbers, arrays and sizes."""

    def value(self, x: Operand, dtype: Any = None) -> Value:
        """An operand as a tensor; a number of Python in the dtype that is given."""
        if isinstance(x, Size | Inverse):
            x = self._number(x)
        if not isinstance(x, Value):
            weak = type(x) in _PLAIN and dtype is not None
            return self.constant(np.asarray(x).astype(dtype) if weak else x)  # as `where` has it, which wraps around
        return x if dtype is None or x.number is None else self.cast(x, dtype)

    def _number(self, x: Size | Inverse) -> Value:
        """A number of Python that depends on sizes."""
        if isinstance(x, Inverse):
            total = self._number(x.of)
            made = self.node("Div", [self.constant(1.0), self.cast(total, float)], float, ())
            return Value(self, made.name, float, (), float)
        terms = []
        for names, factor in x.terms.items():
            parts = [self.constant(factor)] * (factor != 1 or not names)
            parts += [self._with_shape(self.length(name), ()) for name in names]
            terms.append(self._all("Mul", parts))
        made = self._all("Add", terms)
        return Value(self, made.name, made.dtype, (), float if made.dtype.kind == "f" else int)

    def _all(self, op: str, parts: Sequence[Value]) -> Value:
        """One operation of several numbers, which are floating-point if one of them is."""
        kind = float if any(part.dtype.kind == "f" for part in parts) else np.int64
        made = self.cast(parts[0], kind)
        for part in parts[1:]:
            made = self.node(op, [made, self.cast(part, kind)], kind, ())
        return made

    def _with_shape(self, x: Value, shape: tuple[int, ...]) -> Value:
        """One element in another shape."""
        return self.node("Reshape", [x, self.constant(np.array(shape, np.int64))], x.dtype, shape)

    def length(self, name: str) -> Value:
        """The size of a name, in an array of one element."""
        x, axis = self.dims[name]
        return self.node("Shape", [x], np.int64, (1,), start=axis, end=axis + 1)

    def vector(self, lengths: Sequence[Length]) -> Value:
        """Several sizes as an array."""
        if None in lengths:
            raise NotFixedError(lengths)
        if all(isinstance(n, int) for n in lengths):
            return self.constant(np.array(lengths, np.int64))
        parts = [
            self.constant(np.array([n], np.int64)) if isinstance(n, int) else self._with_shape(self.value(n), (1,))
            for n in lengths
        ]
        return parts[0] if len(parts) == 1 else self.node("Concat", parts, np.int64, (len(parts),), axis=0)

    def shape_vector(self, x: Value) -> Value:
        """The shape of a tensor as an array."""
        if None not in x.shape:
            return self.vector(x.shape)
        return self.node("Shape", [x], np.int64, (x.ndim,))

    def expand(self, x: Operand, shape: Sequence[Length]) -> Value:
        """An operand repeated to fill a shape."""
        x = self.value(x)
        if 0 in shape and all(isinstance(n, int) for n in shape):  # which not every runtime makes of a length of 1
            return self.constant(np.zeros(shape, x.dtype))
        return x if x.shape == tuple(shape) else self.node("Expand", [x, self.vector(shape)], x.dtype, shape)

    def cast(self, x: Operand, dtype: Any) -> Value:
        """An operand in a dtype."""
        dtype = np.dtype(dtype)
        if not isinstance(x, Value):
            x = self.value(x, dtype)
        if x.dtype == dtype:
            return Value(self, x.name, dtype, x.shape) if x.number else x
        return self.node("Cast", [x], dtype, x.shape, to=dtype)

    def wide(self, x: Operand) -> Value:
        """An operand in a dtype that runtimes compute in, without loss."""
        x = self.value(x)
        return self.cast(x, WIDE.get(x.dtype.str[1:], x.dtype))

    def common(self, *operands: Operand) -> Any:
        """The dtype that NumPy gives the result of operands."""
        kinds = []
        for x in operands:
            if isinstance(x, Size | Inverse):
                kinds.append(0 if isinstance(x, Size) else 0.0)
            elif isinstance(x, Value):
                kinds.append(x.dtype if x.number is None else x.number(0))
            else:
                kinds.append(x if type(x) in _PLAIN else x.dtype)
        return np.result_type(*kinds)

    def alike(self, *operands: Operand) -> list[Value]:
        """The operands in the dtype that NumPy gives their result."""
        dtype = self.common(*operands)
        return [self.cast(x, dtype) for x in operands]

    def floating(self, x: Operand) -> Value:
        """An operand in a floating-point dtype."""
        dtype = self.common(x)
        return self.cast(x, dtype if dtype.kind == "f" else float)

    def elementwise(self, op: str, operands: Sequence[Value], dtype: Any, **how: Any) -> Value:
        """A node whose operands are broadcast together."""
        return self.node(op, operands, dtype, broadcast(*[x.shape for x in operands]), **how)

    def arithmetic(self, op: str, a: Operand, b: Operand) -> Value:
        """Of two numbers one, in NumPy's dtype, in which integers wrap around."""
        dtype = self.common(a, b)
        inside = WIDE.get(dtype.str[1:], dtype)
        operands = [self.cast(self.cast(x, dtype), inside) for x in (a, b)]
        return self.cast(self.elementwise(op, operands, inside), dtype)

    def divide(self, a: Operand, b: Operand) -> Value:
        """True division: of integers one of floating-point numbers."""
        dtype = self.common(a, b)
        dtype = dtype if dtype.kind == "f" else np.result_type(dtype, float)
        return self.elementwise("Div", [self.cast(a, dtype), self.cast(b, dtype)], dtype)

    def unary(self, op: str, x: Operand) -> Value:
        """A function of one number that keeps its dtype."""
        x = self.value(x)
        inside = self.cast(x, WIDE.get(x.dtype.str[1:], x.dtype))
        return self.cast(self.node(op, [inside], inside.dtype, x.shape), x.dtype)

    def compared(self, op: str, a: Operand, b: Operand) -> Value:
        """A comparison; an integer that the dtype cannot hold is compared all the same."""
        dtype = self.common(a, b)
        for x, other in ((a, b), (b, a)):
            if type(x) is int and not _holds(dtype, x):
                sides = [(1 if x > 0 else -1) if y is x else 0 for y in (a, b)]
                return self.expand(bool(_COMPARISONS[op](*sides)), self.value(other).shape)
        dtype = np.dtype(WIDE.get(dtype.str[1:], dtype))
        return self.elementwise(op, [self.cast(a, dtype), self.cast(b, dtype)], bool)

    def logic(self, op: str, a: Operand, b: Operand) -> Value:
        """A function of two truth values."""
        return self.elementwise(op, [self.cast(a, bool), self.cast(b, bool)], bool)

    def where(self, condition: Operand, a: Operand, b: Operand) -> Value:
        """One or the other number; of two of Python's the result is as weak as they are."""
        weak = all(type(x) in (int, float) for x in (a, b))
        a, b = self.alike(a, b)
        chosen = [self.cast(condition, bool), self.wide(a), self.wide(b)]
        made = self.cast(self.elementwise("Where", chosen, chosen[1].dtype), a.dtype)
        if not weak:
            return made
        return Value(self, made.name, made.dtype, made.shape, float if made.dtype.kind == "f" else int)

    def equal(self, a: Operand, b: Operand) -> Value:
        """Whether two numbers are the same."""
        return self.compared("Equal", a, b)

    def isnan(self, x: Operand) -> Value:
        """Whether a number is NaN; integers never are."""
        x = self.value(x)
        return self.node("IsNaN", [x], bool, x.shape) if x.dtype.kind == "f" else ~self.equal(x, x)

    def function(self, op: str, x: Operand) -> Value:
        """A function of floating-point numbers."""
        x = self.floating(x)
        return self.node(op, [x], x.dtype, x.shape)


def _holds(dtype: np.dtype, number: int) -> bool:
    return dtype.kind not in "iu" or np.iinfo(dtype).min <= number <= np.iinfo(dtype).max
