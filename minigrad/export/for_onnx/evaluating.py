"""Equations as nodes: the operands of each are tensors of the graph, and its row in the table makes the result."""

from collections.abc import Mapping, Sequence
from os.path import basename
from typing import Any

import numpy as np

from minigrad.errors.exporting import baked_in, no_counterpart, no_dtype
from minigrad.export.for_onnx.builder import Graph
from minigrad.export.for_onnx.merging import Corner, Filled, Merged, Reshaped, Rising, Typed
from minigrad.export.for_onnx.sizes import Inverse, NotFixedError, Size
from minigrad.export.for_onnx.values import NoFormError, Table, Value
from minigrad.program.bodies import bodies_of
from minigrad.program.equations import Equation, Variable

_WRITTEN = {"f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"}


class Packed:
    """Several results of a loop or a branch in a row; read one by one, they need not be put into one array.

    Attributes
    ----------
    parts : list of Value
    """

    def __init__(self, graph: Graph, parts: Sequence[Value], dtype: Any) -> None:
        self.graph, self.parts, self.dtype = graph, parts, dtype

    def joined(self) -> Value:
        """All of them in one array."""
        flat = [self.graph.cast(self.graph.reshape(x, (_size(x),)), self.dtype) for x in self.parts]
        return self.graph.concat(flat, 0)

    def part(self, index: tuple[Any, ...]) -> Value | None:
        """The result that an index reads; None if it reads another part."""
        begin: Any = 0
        for x in self.parts:
            end = begin + _size(x)
            if index == (slice(begin, end),):
                return x
            begin = end
        return None


def _size(x: Value) -> Any:
    total: Any = 1
    for n in x.shape:
        if n is None:
            raise NotFixedError(x)
        total = total * n
    return total


class Lowering:
    """What equations are lowered with.

    Attributes
    ----------
    table : mapping of str to callable
    shapes : mapping of Variable to tuple
    names : sequence of str
        Of sizes.
    """

    def __init__(self, table: Table, program: Merged, names: Sequence[str]) -> None:
        self.table, self.shapes, self.names = table, program.shapes, names

    def run(
        self, graph: Graph, equations: Sequence[Equation], values: dict[Any, Any], named: Mapping[Variable, str]
    ) -> None:
        """Write down equations: their results become known values."""
        for equation in equations:
            made = equation.operation.primitive
            operands = [values[x] if isinstance(x, Variable) else x.value for x in equation.inputs]
            if made.facts.relays:
                values.update(dict.fromkeys(equation.outputs, operands[0]))
                continue
            for x in equation.outputs:
                check_dtype(x.dtype, made.name, equation.place)
            if operands and all(isinstance(x, bool | int | float) for x in operands):
                values[equation.outputs[0]] = made.forward(*operands, **equation.operation.params)
                continue
            graph.scope, graph.place = graph.fresh(made.name), _line(equation.place)
            start = len(graph.nodes)
            try:
                results = self._results(graph, equation, operands)
                for i, (x, value) in enumerate(zip(equation.outputs, results, strict=True)):
                    name = named.get(x) or (graph.fresh(f"{graph.scope}/saved") if i else graph.scope)
                    values[x] = self._result(graph, x, value, start, name)
            except NoFormError as error:
                raise no_counterpart("ONNX", error.args[0], equation.place, *error.args[1:]) from error
            except NotFixedError as error:
                raise baked_in(equation, self.names) from error

    def whole(self, graph: Graph, value: Any) -> Value:
        """A value as one tensor."""
        return value.joined() if isinstance(value, Packed) else constant_value(graph, value)

    def _results(self, graph: Graph, equation: Equation, operands: Sequence[Any]) -> Sequence[Any]:
        """What the row makes of operands."""
        made, params = equation.operation.primitive, dict(equation.operation.params)
        row = self.table[made.name]
        given: list[Any] = []
        for x in operands:
            if isinstance(x, Size | Inverse | Typed) or (isinstance(x, Packed) and made.name != "getitem"):
                x = self.whole(graph, x)
            given.append(x)
        if bodies_of(equation):
            params["lowering"] = self
        if getattr(row, "of_result", False):
            params["result"] = Value(graph, "", _dtype(equation.outputs[0]), self.shapes[equation.outputs[0]])
        results = row(graph, *given, **params)
        return results if made.saves else (results,)

    def _result(self, graph: Graph, x: Variable, value: Any, start: int, name: str) -> Any:
        """A result in the form that the program has for it, under a name that can be read."""
        if isinstance(value, Packed):
            return value
        value = graph.cast(value, _dtype(x))
        shape = [b if a is None else a for a, b in zip(self.shapes[x], value.shape, strict=True)]
        own = [node for node in graph.nodes[start:] if value.name in node.outputs]
        value = Value(graph, value.name, value.dtype, shape)
        if own:
            graph.renamed(value, name, start)
        return value


def _dtype(x: Variable) -> Any:
    return x.dtype if isinstance(x.dtype, np.dtype) else np.dtype(x.dtype)


def _line(place: Any) -> str:
    return "" if place is None else f"{basename(place.code.co_filename)}:{place.line}"


def check_dtype(dtype: Any, what: str, place: Any = None) -> None:
    """Raise if elements are not written."""
    if np.dtype(dtype).str[1:] not in _WRITTEN:
        raise no_dtype(what, dtype, place)


def constant_value(graph: Graph, constant: Any) -> Value:
    """A constant whose form depends on sizes, as nodes."""
    if isinstance(constant, Typed):
        return graph.cast(graph.value(constant.value), constant.dtype)
    if isinstance(constant, Filled):
        return graph.expand(constant_value(graph, constant.array), constant.shape)
    if isinstance(constant, Reshaped):
        return graph.reshape(constant_value(graph, constant.form), constant.shape)
    if isinstance(constant, Rising):
        total = graph.constant(constant.first)
        for axis, step in constant.steps.items():
            column = [n if i == axis else 1 for i, n in enumerate(constant.shape)]
            numbers = graph.cast(graph.reshape(graph.arange(constant.shape[axis]), column), total.dtype)
            total = total + numbers * (graph.value(step) if isinstance(step, Size) else graph.constant(step))
        return total
    if isinstance(constant, Corner):
        rows, columns = (graph.arange(n) for n in constant.shape[-2:])
        seen = graph.unsqueeze(rows, [1]) + constant.diagonal >= columns
        chosen = graph.where(seen, graph.constant(constant.inside), graph.constant(constant.outside))
        return graph.expand(graph.cast(chosen, constant.dtype), constant.shape)
    return graph.value(constant)
