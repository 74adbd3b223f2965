"""A graph that grows node by node: tensors that know their dtypes and shapes, by NumPy's rules of promotion."""

import operator
from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple, Union

import numpy as np

from minigrad.export.onnx_sizes import Inverse, NotFixed, Size, named

Length = Union[int, Size, None]  # None for one that nobody knows
Shape = tuple[Length, ...]
Operand = Any  # a Value, a number of Python, which is weak, or one of NumPy's

# Small integers are computed in wider ones, which runtimes have, and wrap around when they are brought back.
_SMALL = 1000  # constants of fewer elements are there only once
_COMPUTED_IN = {"i1": "i4", "i2": "i4", "u1": "i4", "u2": "i4", "u4": "i8", "b1": "i4"}

_PLAIN = (bool, int, float)  # numbers of Python: of NumPy's some are floats, too, but not weak


_COMPARISONS = {
    "Less": operator.lt, "LessOrEqual": operator.le, "Greater": operator.gt, "GreaterOrEqual": operator.ge,
    "Equal": operator.eq,
}  # fmt: skip


class Node(NamedTuple):
    """One operation of ONNX."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]  # of which some are graphs
    place: str


class Value:
    """A tensor of a graph.

    Attributes
    ----------
    name : str
    dtype : dtype
    shape : tuple of (int, Size or None)
    number : type, optional
        `int` or `float` if it stands for a number of Python, whose dtype is weak.
    """

    __slots__ = ("dtype", "graph", "name", "number", "shape")

    def __init__(self, graph: "Graph", name: str, dtype: Any, shape: Sequence[Length], number: Any = None) -> None:
        self.graph, self.name, self.dtype, self.shape = graph, name, np.dtype(dtype), tuple(shape)
        self.number = number

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __add__(self, other: Operand) -> "Value":
        return self.graph.arithmetic("Add", self, other)

    def __radd__(self, other: Operand) -> "Value":
        return self.graph.arithmetic("Add", other, self)

    def __sub__(self, other: Operand) -> "Value":
        return self.graph.arithmetic("Sub", self, other)

    def __rsub__(self, other: Operand) -> "Value":
        return self.graph.arithmetic("Sub", other, self)

    def __mul__(self, other: Operand) -> "Value":
        return self.graph.arithmetic("Mul", self, other)

    def __rmul__(self, other: Operand) -> "Value":
        return self.graph.arithmetic("Mul", other, self)

    def __truediv__(self, other: Operand) -> "Value":
        return self.graph.divide(self, other)

    def __rtruediv__(self, other: Operand) -> "Value":
        return self.graph.divide(other, self)

    def __neg__(self) -> "Value":
        return self.graph.unary("Neg", self)

    def __lt__(self, other: Operand) -> "Value":
        return self.graph.compared("Less", self, other)

    def __le__(self, other: Operand) -> "Value":
        return self.graph.compared("LessOrEqual", self, other)

    def __gt__(self, other: Operand) -> "Value":
        return self.graph.compared("Greater", self, other)

    def __ge__(self, other: Operand) -> "Value":
        return self.graph.compared("GreaterOrEqual", self, other)

    def __and__(self, other: Operand) -> "Value":
        return self.graph.logic("And", self, other)

    def __or__(self, other: Operand) -> "Value":
        return self.graph.logic("Or", self, other)

    def __invert__(self) -> "Value":
        return self.graph.node("Not", [self.graph.cast(self, bool)], bool, self.shape)

    def __repr__(self) -> str:
        return f"{self.name}: {self.dtype} {self.shape}"


class Graph:
    """Nodes in the order of computation, and the arrays that they begin with.

    Attributes
    ----------
    outer : Graph, optional
        For the body of a loop or a branch: the graph around it, whose tensors it sees.
    nodes : list of Node
    initializers : dict of str to ndarray
        Only of the outermost graph.
    inputs, outputs : list of Value
    scope, place : str
        What nodes are named after, and the line that they come from.
    """

    def __init__(self, outer: "Graph | None" = None) -> None:
        self.outer = outer
        self.nodes: list[Node] = []
        self.initializers: dict[str, np.ndarray] = {} if outer is None else outer.initializers
        self.inputs: list[Value] = []
        self.outputs: list[Value] = []
        self.dims: dict[str, tuple[Value, int]] = {} if outer is None else outer.dims
        self.names: set[str] = set() if outer is None else outer.names
        self.scope: str = "" if outer is None else outer.scope
        self.place: str = "" if outer is None else outer.place
        self._known: dict[Any, list[str]] = {}  # the results of nodes by what they compute
        self._other_names: dict[str, str] = {}

    # Names, nodes and constants

    def fresh(self, name: str) -> str:
        """A name that nothing has yet."""
        unique, count = name, 0
        while unique in self.names:
            count += 1
            unique = f"{name}_{count}"
        self.names.add(unique)
        return unique

    def input(self, name: str, dtype: Any, shape: Sequence[Length]) -> Value:
        """A new input."""
        made = Value(self, name, dtype, shape)
        self.inputs.append(made)
        return made

    def node(self, op: str, inputs: Sequence[Value | None], dtype: Any, shape: Sequence[Length], **how: Any) -> Value:
        """The result of a new node, or of the one that has computed the same already."""
        return self.several(op, inputs, [(dtype, shape)], **how)[0]

    def several(
        self, op: str, inputs: Sequence[Value | None], forms: Sequence[tuple[Any, Sequence[Length]]], **how: Any
    ) -> list[Value]:
        """The results of a node."""
        given = tuple("" if x is None else x.name for x in inputs)
        attributes = {key: value for key, value in how.items() if value is not None}
        key = (op, given, repr(sorted(attributes.items())))
        simple = not any(isinstance(value, Graph) for value in attributes.values())
        if simple and (known := self._find(key)) is not None:
            return [Value(self, own, dtype, shape) for own, (dtype, shape) in zip(known, forms, strict=True)]
        name = self.fresh(f"{self.scope}/{op}" if self.scope else op)
        names = [name] if len(forms) == 1 else [self.fresh(f"{name}:{i}") for i in range(len(forms))]
        self.nodes.append(Node(op, name, given, tuple(names), attributes, self.place))
        made = [Value(self, own, dtype, shape) for own, (dtype, shape) in zip(names, forms, strict=True)]
        if simple:
            self._known[key] = names
        return made

    def _find(self, key: Any) -> list[str] | None:
        """What the results are called of a node that this graph, or one around it, has already."""
        graph: Graph | None = self
        while graph is not None:
            if key in graph._known:
                return [graph._other_names.get(name, name) for name in graph._known[key]]
            graph = graph.outer
        return None

    def constant(self, array: Any, dtype: Any = None) -> Value:
        """An array that is known."""
        array = np.asarray(array, dtype)
        key = (array.dtype.str, array.shape, array.tobytes() if array.size < _SMALL else id(array))
        root = self
        while root.outer is not None:
            root = root.outer
        if key not in root._known:
            name = self.fresh(f"{self.scope}/constant" if self.scope else "constant")
            self.initializers[name] = array
            root._known[key] = [name]
        return Value(self, root._known[key][0], array.dtype, array.shape)

    def copied(self, x: Value, name: str) -> Value:
        """The same elements once more, under this name."""
        self.nodes.append(Node("Identity", name, (x.name,), (name,), {}, self.place))
        return Value(self, name, x.dtype, x.shape)

    def renamed(self, value: Value, name: str, start: int) -> None:
        """Give the result of a node from the `start`-th on another name."""
        for i in range(start, len(self.nodes)):
            node = self.nodes[i]
            swap = [tuple(name if x == value.name else x for x in part) for part in (node.inputs, node.outputs)]
            own = name if node.outputs == (value.name,) else node.name
            self.nodes[i] = node._replace(inputs=swap[0], outputs=swap[1], name=own)
        self._other_names[value.name] = name
        value.name = name

    # Numbers, sizes and dtypes

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
            parts += [self.reshape(self.length(name), ()) for name in names]
            kind = float if isinstance(factor, float) else np.int64
            terms.append(_joined(lambda a, b: self.node("Mul", [a, b], kind, ()), [self.cast(p, kind) for p in parts]))
        kind = float if any(term.dtype.kind == "f" for term in terms) else np.int64
        made = _joined(lambda a, b: self.node("Add", [a, b], kind, ()), [self.cast(term, kind) for term in terms])
        return Value(self, made.name, kind, (), float if kind is float else int)

    def length(self, name: str) -> Value:
        """The size of a name, in an array of one element."""
        x, axis = self.dims[name]
        return self.node("Shape", [x], np.int64, (1,), start=axis, end=axis + 1)

    def vector(self, lengths: Sequence[Length]) -> Value:
        """Several sizes as an array."""
        if all(isinstance(n, int) for n in lengths):
            return self.constant(np.array(lengths, np.int64))
        parts = [
            self.constant(np.array([n], np.int64)) if isinstance(n, int) else self.reshape(self.value(n), (1,))
            for n in lengths
        ]
        return parts[0] if len(parts) == 1 else self.node("Concat", parts, np.int64, (len(parts),), axis=0)

    def shape_vector(self, x: Value) -> Value:
        """The shape of a tensor as an array."""
        if None not in x.shape:
            return self.vector(x.shape)
        return self.node("Shape", [x], np.int64, (x.ndim,))

    def cast(self, x: Operand, dtype: Any) -> Value:
        """An operand in a dtype."""
        dtype = np.dtype(dtype)
        if not isinstance(x, Value):
            x = self.value(x, dtype)
        if x.dtype == dtype:
            return Value(self, x.name, dtype, x.shape) if x.number else x
        return self.node("Cast", [x], dtype, x.shape, to=dtype)

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

    # Elementwise

    def elementwise(self, op: str, operands: Sequence[Value], dtype: Any, **how: Any) -> Value:
        """A node whose operands are broadcast together."""
        return self.node(op, operands, dtype, broadcast(*[x.shape for x in operands]), **how)

    def arithmetic(self, op: str, a: Operand, b: Operand) -> Value:
        """Of two numbers one, in NumPy's dtype, in which integers wrap around."""
        dtype = self.common(a, b)
        inside = _COMPUTED_IN.get(dtype.str[1:], dtype)
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
        inside = self.cast(x, _COMPUTED_IN.get(x.dtype.str[1:], x.dtype))
        return self.cast(self.node(op, [inside], inside.dtype, x.shape), x.dtype)

    def compared(self, op: str, a: Operand, b: Operand) -> Value:
        """A comparison; an integer that the dtype cannot hold is compared all the same."""
        dtype = self.common(a, b)
        for x, other in ((a, b), (b, a)):
            if type(x) is int and not _holds(dtype, x):
                sides = [(1 if x > 0 else -1) if y is x else 0 for y in (a, b)]
                return self.expand(bool(_COMPARISONS[op](*sides)), self.value(other).shape)
        dtype = np.dtype(_COMPUTED_IN.get(dtype.str[1:], dtype))
        return self.elementwise(op, [self.cast(a, dtype), self.cast(b, dtype)], bool)

    def logic(self, op: str, a: Operand, b: Operand) -> Value:
        """A function of two truth values."""
        return self.elementwise(op, [self.cast(a, bool), self.cast(b, bool)], bool)

    def where(self, condition: Operand, a: Operand, b: Operand) -> Value:
        """One or the other number."""
        a, b = self.alike(a, b)
        dtype = a.dtype
        inside = np.dtype({"b1": "u1", "i1": "i4", "i2": "i4", "u2": "i4", "u4": "i8"}.get(dtype.str[1:], dtype))
        chosen = [self.cast(condition, bool), self.cast(a, inside), self.cast(b, inside)]
        return self.cast(self.elementwise("Where", chosen, inside), dtype)

    def equal(self, a: Operand, b: Operand) -> Value:
        """Whether two numbers are the same."""
        return self.compared("Equal", a, b)

    def isnan(self, x: Operand) -> Value:
        """Whether a number is NaN; integers never are."""
        x = self.value(x)
        return self.node("IsNaN", [x], bool, x.shape) if x.dtype.kind == "f" else self.expand(False, x.shape)

    def f(self, op: str, x: Operand) -> Value:
        """A function of floating-point numbers."""
        x = self.floating(x)
        return self.node(op, [x], x.dtype, x.shape)

    # Shapes

    def reshape(self, x: Operand, shape: Sequence[Length]) -> Value:
        """The same elements in another shape; lengths that depend on sizes are computed when the graph runs."""
        x, shape = self.value(x), tuple(shape)
        if x.shape == shape and None not in shape:
            return x
        unknown = [i for i, n in enumerate(shape) if not isinstance(n, int)]
        if len(unknown) == 1 and 0 not in shape:
            target = self.constant(np.array([n if isinstance(n, int) else -1 for n in shape], np.int64))
        elif None in shape:
            raise NotFixed(shape)
        else:
            target = self.vector(shape)
        return self.node("Reshape", [x, target], x.dtype, shape, allowzero=1 if 0 in shape else None)

    def flat(self, x: Operand) -> Value:
        """The elements in a row."""
        x = self.value(x)
        if x.ndim == 1:
            return x
        total: Any = None if None in x.shape else prod(x.shape)  # type: ignore[arg-type]  # sizes multiply
        if isinstance(total, int):
            return self.reshape(x, (total,))
        return self.node("Reshape", [x, self.constant(np.array([-1]))], x.dtype, (total,))

    def expand(self, x: Operand, shape: Sequence[Length]) -> Value:
        """An operand repeated to fill a shape."""
        x = self.value(x)
        if 0 in shape and all(isinstance(n, int) for n in shape):  # which not every runtime makes of a length of 1
            return self.constant(np.zeros(shape, x.dtype))  # type: ignore[arg-type]  # all are numbers
        return x if x.shape == tuple(shape) else self.node("Expand", [x, self.vector(shape)], x.dtype, shape)

    def transpose(self, x: Value, axes: Sequence[int]) -> Value:
        """The axes in another order."""
        if list(axes) == list(range(x.ndim)):
            return x
        return self.node("Transpose", [x], x.dtype, [x.shape[a] for a in axes], perm=list(axes))

    def swapped(self, x: Value, a: int = -1, b: int = -2) -> Value:
        """With two axes in each other's places."""
        axes = list(range(x.ndim))
        axes[a], axes[b] = axes[b], axes[a]
        return self.transpose(x, axes)

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

    def inner(self) -> "Graph":
        """A graph inside of this one."""
        return Graph(self)


def broadcast(*shapes: Sequence[Length]) -> Shape:
    """The shape of what arrays are broadcast to."""
    ndim = max(map(len, shapes), default=0)
    made: list[Length] = [1] * ndim
    for shape in shapes:
        for i, n in enumerate(shape, ndim - len(shape)):
            if made[i] == 1 or (made[i] is None and n not in (1, None)):
                made[i] = n
    return tuple(made)


def axes_of(axes: Any, ndim: int) -> tuple[int, ...]:
    """Axes counted from the front, in order; all of them for None, and none of a single number."""
    if axes is None or not ndim:
        return tuple(range(ndim))
    return tuple(sorted({int(a) % ndim for a in (axes if isinstance(axes, tuple | list) else (axes,))}))


def count_of(x: Value, axes: Any) -> Any:
    """How many elements a reduction over axes takes together."""
    lengths = [x.shape[a] for a in axes_of(axes, x.ndim)]
    if None in lengths:
        raise NotFixed(x)
    return prod(lengths)  # type: ignore[arg-type]  # sizes multiply as numbers do


def sum_of(lengths: Sequence[Length]) -> Length:
    """The sum of lengths, if they are all known."""
    total: Any = 0
    for n in lengths:
        if n is None:
            return None
        total = total + n
    return total  # type: ignore[no-any-return]


def _joined(join: Callable[[Value, Value], Value], parts: Sequence[Value]) -> Value:
    made = parts[0]
    for part in parts[1:]:
        made = join(made, part)
    return made


def _holds(dtype: np.dtype, number: int) -> bool:
    return dtype.kind not in "iu" or np.iinfo(dtype).min <= number <= np.iinfo(dtype).max


class NoForm(Exception):
    """What a row has no nodes for, and why, if it says so."""


def of_result(row: Any) -> Any:
    """Mark a row that is given the form of its result, too, as `result`."""
    row.of_result = True
    return row


Row = Callable[..., Any]  # of a graph, operands and parameters
Table = Mapping[str, Row]
