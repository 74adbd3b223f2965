"""The graph: nodes, the operations that make them, and the one way in which a node is made.

A `Node` is a value together with how it was computed.  A `Handle` (the bare part of what people hold as a
Tensor) is a name for a value.  Edges run from node to node, never to a name, so there are no reference cycles
and a graph dies with its last name; and because a name can move on to another value, ``x += 1`` is harmless.

`primitive` turns a plain NumPy function and the formulas of its derivative into an operation.
"""

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter_ns
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy import ndarray

from minigrad import errors
from minigrad.core.mode import now, quietly, unusual
from minigrad.core.view import View, note_view
from minigrad.diagnostics import Place, check_finite, user_place

# An ndarray or a NumPy scalar; in a rule that is being recorded, a Tensor.  NumPy's protocols make the three
# interchangeable, and no static type can say so.
Array: TypeAlias = Any
Rule: TypeAlias = Callable[..., Any]
Function = TypeVar("Function", bound=Callable[..., Any])

# Creation order is a topological order of any graph: what every walk sorts by.
tick = itertools.count(1).__next__

_PACKAGE = __file__[: -len("core/node.py")]  # primitives of the package itself are trusted to return arrays

# Tensor has a constructor for people to call; results do not need it.
new = object.__new__


class Node:
    """One value of the graph.

    Attributes
    ----------
    op : Operation or None
        What computed the value; None for a leaf.
    inputs : tuple of (Node or None)
        The node of each operand, None for a constant.  After a backward pass has released the node, a
        `Receipt`, which raises when a second pass looks for the inputs.
    args : tuple
        The operands' values, as they were given to the operation.
    value : ndarray or NumPy scalar
    seq : int
        Rises with every node made.
    notes : Notes or None
        What only few nodes have.  Every leaf has notes.
    """

    __slots__ = ("args", "inputs", "notes", "op", "seq", "value")
    op: "Operation | None"
    inputs: "tuple[Node | None, ...]"
    args: tuple[Array, ...]
    value: Array
    seq: int
    notes: "Notes | None"


class Notes:
    """What leaves have, and other nodes when somebody asks for it: a gradient to keep, hooks, a name, a line."""

    __slots__ = ("grad", "hooks", "keep", "name", "trace", "where", "written")

    def __init__(self) -> None:
        self.grad: Handle | None = None
        self.hooks: dict[object, Callable[[Any], Any]] = {}
        self.name: str | None = None
        self.where: Place | None = None  # the line that made the node; of a leaf, that last wrote to it
        self.trace: Any = None  # what a watcher wants to remember of the node
        # Whether to keep the gradient, and the `seq` at which a leaf's memory was last written to.
        self.keep, self.written = False, 0


class Handle:
    """A name for a value: its data, and the node that computed them if the value requires grad."""

    __slots__ = ("__weakref__", "data", "node", "viewed")
    data: Array
    node: Node | None
    viewed: View | None  # what it was read from; not set for what is no view


_result_type: type[Handle] = Handle


def set_result_type(cls: type[Handle]) -> None:
    """Say of which class the results of operations are: the Tensor, which is defined on top of this module."""
    global _result_type
    _result_type = cls


def name_of(value: Array, node: Node | None) -> Any:
    """A new name for a value."""
    handle = new(_result_type)
    handle.data, handle.node = value, node
    return handle


def _made(op: "Operation | None", inputs: Sequence[Node | None], args: list[Array], value: Array) -> Node:
    node = Node()
    if None in inputs:
        name, pairs = "" if op is None else op.name, zip(args, inputs, strict=True)
        args = [_kept(x, name) if node is None and x.__class__ is ndarray else x for x, node in pairs]
    node.op, node.inputs, node.args = op, tuple(inputs), tuple(args)
    node.value, node.seq, node.notes = value, tick(), None
    return node


# Constant arrays of up to so many elements are copied, which costs less than a tenth of the operation; larger ones are
# borrowed until the backward pass.
SMALL = 256


def _kept(constant: Array, name: str) -> Array:
    if constant.dtype.kind not in NUMBERS:
        errors.as_operand(constant, name)  # which raises
    return constant.copy() if constant.size <= SMALL else constant


def leaf(value: Array, name: str | None = None) -> Node:
    """A node that nothing computed, which keeps the gradients that reach it."""
    node = _made(None, (), [], value)
    notes_of(node).keep, notes_of(node).name = True, name
    return node


def notes_of(node: Node) -> Notes:
    """The node's notes, started if it has none."""
    if node.notes is None:
        node.notes = Notes()
    return node.notes


class Primitive:
    """A function on arrays together with the rules that give its derivative."""

    def __init__(
        self, forward: Rule, rules: tuple[Rule | None, ...], joint: Rule | None, numpy: Any, view: bool = False
    ) -> None:
        code = getattr(forward, "__code__", None)
        if code is None:
            raise errors.bad_primitive(repr(forward), None, len(rules))
        self.name = forward.__name__.lstrip("_")
        self.forward, self.ours = forward, code.co_filename.startswith(_PACKAGE)
        # CO_VARARGS is 4; to import inspect takes longer than to import all of minigrad.
        self.operands = None if code.co_flags & 4 else code.co_posonlyargcount
        self.parameters = code.co_varnames[code.co_posonlyargcount : code.co_argcount]
        self.plain = not self.parameters and not code.co_kwonlyargcount
        backwards = zip(reversed(self.parameters), reversed(forward.__defaults__ or ()), strict=False)
        self.defaults = {**dict(backwards), **(forward.__kwdefaults__ or {})}
        self.rules, self.joint, self.numpy, self.view = rules, joint, numpy, view
        # How to add the gradient into an array, for a rule that would fill a large one with little: `getitem` has it.
        self.into: Rule | None = None
        self.differentiable = bool(rules) or joint is not None
        if self.operands == 0 or (joint and rules) or (rules and len(rules) != self.operands):
            raise errors.bad_primitive(self.name, self.operands, len(rules))

    def bind(self, values: tuple[Any, ...]) -> dict[str, Any]:
        """The names of parameters that were given by position."""
        if len(values) > len(self.parameters):
            raise TypeError(f"{self.name}() has {self.operands} operands and, by position, {self.parameters}")
        return dict(zip(self.parameters, values, strict=False))


class Operation:
    """A primitive with its parameters: what a node was made by."""

    __slots__ = ("name", "params", "primitive")

    def __init__(self, primitive: Primitive, params: Mapping[str, Any]) -> None:
        self.primitive, self.params, self.name = primitive, params, primitive.name

    def __repr__(self) -> str:
        return self.name


# Every primitive by its name, and what stands for a NumPy function when it is called with a Tensor.
primitives: dict[str, Callable[..., Any]] = {}
numpy_functions: dict[Callable[..., Any], Callable[..., Any]] = {}


def primitive(
    *rules: Rule | None, joint: Rule | None = None, numpy: Any = None, view: bool = False
) -> Callable[[Function], Function]:
    """Make a differentiable operation of a NumPy function.

    Parameters
    ----------
    *rules : callable or None
        For each operand the formula of its gradient, ``rule(g, y, *operands, **parameters)``: `g` is the
        gradient of the result, `y` the result.  A rule may return any shape that broadcasting made of the
        operand's, and is written with NumPy functions and operations only, so that it can be differentiated
        itself.  None: the operand has no derivative (an index, a condition).  No rules at all: the result
        never requires grad.
    joint : callable, optional
        One formula that returns the gradients of all operands, instead of a rule for each.
    numpy : callable, optional
        The NumPy function that shall mean this operation when it is called with a Tensor.
    view : bool
        Whether the result may share the memory of the first operand.  Who writes to such a result is warned that the
        operand does not change, as it would in NumPy.

    Returns
    -------
    callable
        A decorator.  The function that it decorates takes its operands before ``/`` (or as ``*operands``) and its
        parameters after; it is called with ndarrays and returns an ndarray.

    Raises
    ------
    TypeError
        If the number of rules is not the number of operands.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> @mg.primitive(lambda g, y, x, *, k: g * k * np.cos(k * x))
    ... def wave(x, /, *, k=1.0):
    ...     return np.sin(k * x)
    >>> float(mg.grad(mg.grad(wave))(0.5, k=2.0) + 4 * np.sin(1.0))
    0.0
    """

    def decorate(forward: Function) -> Function:
        made = Primitive(forward, rules, joint, numpy, view)
        call: Any = functools.wraps(forward)(_caller(made))
        call.primitive = made
        primitives[made.name] = call
        if numpy is not None:
            numpy_functions[numpy] = call
        return call  # type: ignore[no-any-return]  # it has the signature of the function

    return decorate


def implements(*functions: Callable[..., Any]) -> Callable[[Function], Function]:
    """Let a function stand for NumPy functions that are called with a Tensor."""

    def register(implementation: Function) -> Function:
        numpy_functions.update(dict.fromkeys(functions, implementation))
        return implementation

    return register


def _caller(made: Primitive) -> Callable[..., Any]:
    """The function that people call: a quick way for the commonest kind of operation, `apply` for all others."""
    bare = Operation(made, made.defaults)
    if made.plain and made.ours and made.rules and made.operands == 2:
        return binary(bare, apply)

    def call(*args: Any, **params: Any) -> Any:
        operands = args[: made.operands]
        for operand in operands:
            if operand.__class__ not in PLAIN:
                break
        else:
            return _compute(made, args, params)
        if len(args) > len(operands):
            params |= made.bind(args[made.operands :])
        return apply(Operation(made, {**made.defaults, **params}) if params else bare, operands)

    def call_and_note(*args: Any, **params: Any) -> Any:
        result = call(*args, **params)
        if isinstance(result, Handle):
            note_view(result, args[0])
        return result

    return call_and_note if made.view else call


# NumPy's kinds of numbers, and operands that pass as they are.  Python's numbers are among them: NumPy treats their dtype
# as weak.
NUMBERS = frozenset("biufc")
PLAIN = frozenset({ndarray, bool, int, float, complex} | {np.dtype(code).type for code in "?bBhHiIlLqQefdgFDG"})


def _compute(made: Primitive, args: Sequence[Array], params: Mapping[str, Any]) -> Array:
    try:
        value = made.forward(*args, **params)
    except Exception as error:
        errors.explain(error, made.name, args, params)
        raise
    return value if isinstance(value, (ndarray, np.generic)) else np.asarray(value)[()]  # a Python number, or a list


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
            args.append(operand.data)
        else:
            nodes.append(None)
            known = operand.__class__ in PLAIN and (operand.__class__ is not ndarray or operand.dtype.kind in NUMBERS)
            args.append(operand if known else errors.as_operand(operand, op.name))
    if named and unusual:
        return _apply_unusually(op, nodes, args)
    value = _compute(op.primitive, args, op.params)
    if not named:
        return value
    recorded = any(nodes) and op.primitive.differentiable and value.dtype.kind in "fc"
    return name_of(value, _made(op, nodes, args, value) if recorded else None)


def _apply_unusually(op: Operation, inputs: list[Node | None], args: list[Array]) -> Any:
    """The last part of `apply` while some thread, perhaps this one, is in an unusual mode."""
    begun, mode = perf_counter_ns(), now()
    if mode.anomaly:  # an error will say more than NumPy's warning
        value = quietly(None, _compute, op.primitive, args, op.params)
        check_finite(value, f"{op.name} made", op, user_place(), args)
    else:
        value = _compute(op.primitive, args, op.params)
    needed = mode.grad and op.primitive.differentiable and any(inputs) and value.dtype.kind in "fc"
    if not needed and mode.watcher is None:
        return name_of(value, None)
    node = _made(op, inputs, args, value)
    if mode.anomaly:
        notes_of(node).where = user_place()
    if mode.watcher is not None:
        mode.watcher.computed(node, begun)
    return name_of(value, node if needed else None)


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
            a, node_a = x.data, x.node
        elif x.__class__ in PLAIN:
            a, node_a = x, None
        else:
            return otherwise(op, (x, y))
        if y.__class__ is _result_type:
            b, node_b = y.data, y.node
        elif y.__class__ in PLAIN:
            b, node_b = y, None
        else:
            return otherwise(op, (x, y))
        grad = True
        if unusual:
            mode = now()
            if mode.anomaly or mode.watcher is not None:
                return apply(op, (x, y))
            grad = mode.grad
        if node_a is None:
            if node_b is not None and a.__class__ is ndarray:
                a = _kept(a, op.name)
        elif node_b is None and b.__class__ is ndarray:
            b = _kept(b, op.name)
        try:
            if a.__class__ is ndarray:
                value = ufunc(a, b)
            elif a.__class__ is complex:
                value = np.asarray(forward(a, b))[()]
            else:
                value = forward(a, b)
        except Exception as error:
            errors.explain(error, op.name, (a, b), op.params)
            raise
        if not grad or (node_a is None and node_b is None):
            if x.__class__ is not _result_type and y.__class__ is not _result_type:
                return value
            return name_of(value if value.dtype.kind in NUMBERS else errors.as_operand(value, op.name), None)
        result = new(_result_type)
        result.node = node = Node()
        result.data = node.value = value
        node.op, node.seq, node.notes = op, tick(), None
        node.inputs, node.args = (node_a, node_b), (a, b)
        return result

    return call
