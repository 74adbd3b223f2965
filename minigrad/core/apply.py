"""The one way in which a node is made: an operation is computed, and recorded if an operand requires grad."""

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter_ns
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.contexts import quietly
from minigrad.core.node import Array, Handle, Node
from minigrad.core.operation import Operation, Primitive
from minigrad.diagnostics import check_finite, user_place
from minigrad.errors.operations import explain
from minigrad.notes import notes_of
from minigrad.operands import NUMBERS, PLAIN, numeric_operand, require_numbers
from minigrad.registry import numpy_functions
from minigrad.settings import now, unusual
from minigrad.writes import copy_constants, keep_constants, tick

# Tensor has a constructor for people to call; results do not need it.
new = object.__new__
_result_type: type[Handle] = Handle


def set_result_type(cls: type[Handle]) -> None:
    """Say of which class the results of operations are: the Tensor, which is defined on top of this module."""
    global _result_type
    _result_type = cls


def name_of(value: Array, node: Node | None) -> Any:
    """A new name for a value."""
    handle = new(_result_type)
    handle.array, handle.node = value, node
    return handle


# Operands


def holds_tensor(x: Any) -> bool:
    """Whether it is a Tensor, or a list with a Tensor in it."""
    return isinstance(x, Handle) or (type(x) in (list, tuple) and any(map(holds_tensor, x)))


def as_operand(x: Any, name: str) -> Array:
    """A list or a foreign array as an ndarray, or, if a list holds Tensors, as a Tensor of those joined."""
    return numpy_functions[np.asarray](x) if holds_tensor(x) else numeric_operand(x, name)


# Operations


def compute(made: Primitive, args: Sequence[Array], params: Mapping[str, Any], op: Operation | None = None) -> Array:
    """The value of an operation; what it saves for its rule is kept by `op`."""
    try:
        value = made.forward(*args, **params)
        if made.saves:
            value, saved = value
            if op is not None:
                op.saved = saved
    except Exception as error:
        explain(error, made.name, args, params)
        raise
    known = isinstance(value, ndarray) or (made.ours and value.__class__ is not complex)
    return value if known else np.asarray(value)[()]  # a Python number, or a list


def apply(op: Operation, operands: tuple[Any, ...]) -> Any:
    """Compute an operation, and record it if an operand requires grad: the only way in which a node is made.

    With a Tensor among the operands the result is a Tensor, otherwise what the function returned.
    """
    nodes: list[Node | None] = []
    args: list[Array] = []
    named = False
    for operand in operands:
        if isinstance(operand, Handle):
            named = True
            nodes.append(operand.node)
            args.append(operand.array)
        elif operand.__class__ in PLAIN and (operand.__class__ is not ndarray or operand.dtype.kind in NUMBERS):
            nodes.append(None)
            args.append(operand)
        else:
            array = as_operand(operand, op.name)
            if isinstance(array, Handle):
                return apply(op, tuple([array if x is operand else x for x in operands]))
            nodes.append(None)
            args.append(array)
    if named and unusual:
        return _apply_unusually(op, operands, nodes, args)
    value = compute(op.primitive, args, op.params, op)
    if not named:
        return value
    recorded = any(nodes) and op.primitive.differentiable and value.dtype.kind in "fc"
    return name_of(value, _made(op, nodes, args, value) if recorded else None)


def _apply_unusually(op: Operation, operands: tuple[Any, ...], inputs: list[Node | None], args: list[Array]) -> Any:
    """The last part of `apply` while some thread, perhaps this one, is in an unusual mode."""
    begun, mode = perf_counter_ns(), now()
    if mode.anomaly:  # an error will say more than NumPy's warning
        value = quietly(compute, op.primitive, args, op.params, op)
        check_finite(value, f"{op.name} made", op, user_place(), args)
    else:
        value = compute(op.primitive, args, op.params, op)
    if mode.interpreter is not None:
        value = mode.interpreter.computed(op, operands, args, value)
    needed = mode.grad and op.primitive.differentiable and any(inputs) and value.dtype.kind in "fc"
    node = None
    if needed or mode.watcher is not None:
        node = _made(op, inputs, args, value, mode.interpreter is None)
        if mode.anomaly:
            notes_of(node).where = user_place()
            keep_constants(node)
        if mode.watcher is not None:
            mode.watcher.computed(node, begun)
    node = node if needed else None
    return name_of(value, node) if mode.interpreter is None else mode.interpreter.named(value, node, operands, args)


def _made(op: Operation, inputs: Sequence[Node | None], args: list[Array], value: Array, borrows: bool = True) -> Node:
    node = Node()
    node.op, node.inputs, node.args = op, tuple(inputs), tuple(args)
    node.value, node.seq, node.notes = value, tick(), None
    if borrows and None in inputs:
        copy_constants(node, inputs, args)
    return node


def binary(op: Operation, otherwise: Callable[[Operation, tuple[Any, ...]], Any]) -> Callable[[Any, Any], Any]:
    """A function of two operands that does what `apply` does, more quickly, in the commonest case.

    That is: the operands are Tensors, arrays or numbers, and nobody wants to see every node.  What is not an operand at
    all is left to `otherwise`.
    """
    forward = op.primitive.forward
    # On arrays the ufunc is quicker than the operator that leads to it, on NumPy's scalars much slower.  (Of Python's
    # complex numbers and NumPy's scalars operators make Python numbers.)
    ufunc = op.primitive.numpy if isinstance(op.primitive.numpy, np.ufunc) else forward

    def call(x: Any, y: Any, /) -> Any:
        if x.__class__ is _result_type:
            a, node_a = x.array, x.node
        elif x.__class__ in PLAIN:
            a, node_a = x, None
        else:
            return otherwise(op, (x, y))
        if y.__class__ is _result_type:
            b, node_b = y.array, y.node
        elif y.__class__ in PLAIN:
            b, node_b = y, None
        else:
            return otherwise(op, (x, y))
        if unusual:
            mode = now()
            if mode.anomaly or mode.watcher is not None or mode.interpreter is not None:
                return apply(op, (x, y))
            if not mode.grad:
                node_a = node_b = None
        try:
            if a.__class__ is ndarray:
                value = ufunc(a, b)
            elif a.__class__ is complex:
                value = np.asarray(forward(a, b))[()]
            else:
                value = forward(a, b)
        except Exception as error:
            explain(error, op.name, (a, b), op.params)
            raise
        if node_a is None and node_b is None:
            if a is x and b is y:
                return value
            if x.__class__ is ndarray or y.__class__ is ndarray:
                require_numbers(op.name, a, b)
            return name_of(value, None)
        result = new(_result_type)
        result.node = node = Node()
        result.array = node.value = value
        node.op, node.seq, node.notes = op, tick(), None
        node.inputs, node.args = (node_a, node_b), (a, b)
        if (node_b is None and b.__class__ is ndarray) or (node_a is None and a.__class__ is ndarray):
            require_numbers(op.name, a, b)
            copy_constants(node, (node_a, node_b), (a, b))
        return result

    return call
