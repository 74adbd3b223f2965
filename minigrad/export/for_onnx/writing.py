"""Graphs as ONNX's own objects: nodes, initializers, and the types of inputs and outputs."""

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from minigrad.export.for_onnx.builder import Graph
from minigrad.export.for_onnx.nodes import Node
from minigrad.export.for_onnx.sizes import Size
from minigrad.export.for_onnx.values import Value
from minigrad.version import __version__


def model_of_graph(graph: Graph, name: str, opset_version: int) -> Any:
    """The model of a graph, with the oldest version of the format that can hold it."""
    opsets = [helper.make_opsetid("", opset_version)]
    return helper.make_model(
        _graph(graph, name),
        opset_imports=opsets,
        ir_version=helper.find_min_ir_version_for(opsets),
        producer_name="minigrad",
        producer_version=__version__,
        doc_string=f"{name}, written by minigrad {__version__}",
    )


def _graph(graph: Graph, name: str) -> Any:
    """A graph, or the body of a loop or a branch, with the nodes that its outputs need."""
    nodes = _needed(graph)
    used = {x for node in nodes for x in _read(node)} | {x.name for x in graph.outputs}
    own = graph.initializers if graph.outer is None else {}
    return helper.make_graph(
        [_node(node) for node in nodes],
        name,
        [_typed(x) for x in graph.inputs],
        [_typed(x) for x in graph.outputs],
        [_initializer(key, array) for key, array in own.items() if key in used],
    )


def _needed(graph: Graph) -> list[Node]:
    used = {x.name for x in graph.outputs}
    kept = []
    for node in reversed(graph.nodes):
        if not used.isdisjoint(node.outputs):
            kept.append(node)
            used.update(_read(node))
    return kept[::-1]


def _read(node: Node) -> list[str]:
    """What a node reads, also in its bodies."""
    read = [x for x in node.inputs if x]
    for body in node.attributes.values():
        if isinstance(body, Graph):
            read += [x for inner in _needed(body) for x in _read(inner)] + [x.name for x in body.outputs]
    return read


def _node(node: Node) -> Any:
    attributes = {key: _attribute(node.name, value) for key, value in node.attributes.items()}
    return helper.make_node(
        node.op, node.inputs, node.outputs, name=node.name, doc_string=node.place or None, **attributes
    )


def _attribute(name: str, value: Any) -> Any:
    if isinstance(value, Graph):
        return _graph(value, f"{name} body")
    if isinstance(value, np.dtype):
        return helper.np_dtype_to_tensor_dtype(value)
    return value


def _typed(x: Value) -> Any:
    """The name, the dtype and the shape; sizes by their names."""
    shape = [repr(n) if isinstance(n, Size) else n for n in x.shape]
    return helper.make_tensor_value_info(x.name, helper.np_dtype_to_tensor_dtype(x.dtype), shape)


def _initializer(name: str, array: Any) -> TensorProto:
    array = np.asarray(array)
    return numpy_helper.from_array(array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("=")), name)
