"""Memory for time: a function whose intermediate values are computed once more in the backward pass, and not kept."""

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from minigrad import random
from minigrad.autograd import walk
from minigrad.core import (
    Handle,
    Node,
    Operation,
    apply,
    collect,
    conjugated,
    enable_grad,
    interpreter,
    is_grad_enabled,
    leaf,
    name_of,
    notes_of,
    primitive,
    unwrap,
)
from minigrad.ops.elementwise import positive
from minigrad.several import forms_of, packed, unpacked
from minigrad.transforms import Function, variable
from minigrad.tree import Rebuild, flatten
from minigrad.writes import tick


def checkpoint(f: Function) -> Function:
    """Make a function that computes the same as `f`, but keeps none of its intermediate values.

    The backward pass calls `f` again to have them.  The memory for the graph is that of the arguments and results, the
    time that of one more forward pass (T. Chen et al., "Training deep nets with sublinear memory cost", 2016).  Tensors
    that `f` uses without taking them as arguments receive gradients too, and `minigrad.random`'s numbers are the same
    in both calls.

    Parameters
    ----------
    f : callable
        Takes and returns arrays or trees of arrays, and has no other effects.  Results that do not depend on Tensors
        that require grad are returned as they are.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor(2.0, requires_grad=True)
    >>> block = mg.checkpoint(lambda x: mg.tanh(mg.tanh(w * x)))
    >>> block(mg.tensor(1.0)).backward()
    >>> w.grad
    tensor(0.03132534)
    """

    @functools.wraps(f)
    def compute(*args: Any, **kwargs: Any) -> Any:
        if not is_grad_enabled():
            return f(*args, **kwargs)
        given, arrange = flatten((args, kwargs))
        places = [i for i, x in enumerate(given) if isinstance(x, Handle) and x.node is not None]
        state = random.get_state()

        def again(values: Sequence[Any]) -> tuple[list[Any], list[Any], Rebuild]:
            """Run `f` on new variables: these, the results, and the form of the results."""
            leaves = list(given)
            variables = [variable(unwrap(x), False) for x in values]
            for i, x in zip(places, variables, strict=True):
                leaves[i] = x
            new_args, new_kwargs = arrange(leaves)
            with enable_grad():
                results, rebuild = flatten(f(*new_args, **new_kwargs))
            return variables, results, rebuild

        start, tracer = tick(), interpreter()
        first = None if tracer is None else tracer.draws()
        variables, results, rebuild = again([given[i].array for i in places])
        varying = [i for i, y in enumerate(results) if isinstance(y, Handle) and y.node is not None]
        if not varying:
            return rebuild(results)
        outputs = [results[i] for i in varying]
        outside = _captured(start, variables, outputs)
        forms = forms_of([y.array for y in outputs])
        value = name_of(packed(outputs).array, None)
        drawn = None if tracer is None else (first, tracer.draws())
        results = [None if i in varying else y for i, y in enumerate(results)]
        del variables, outputs

        def pull(g: Any, values: Sequence[Any]) -> list[Any]:
            start = tick()
            stand_ins = {node: leaf(node.value) for node in outside}
            with _drawing_again(state, drawn):
                variables, results, _ = again(values[: len(places)])
            create = any(isinstance(x, Handle) and x.node is not None for x in values)
            with enable_grad():
                y = packed([results[i] for i in varying])
                y = y if y.node.seq > start else positive(y)
            _redirect(y.node, stand_ins, start)
            ends = [x.node for x in variables] + list(stand_ins.values())
            found = walk([y], [g], ends, create, create)
            if create:
                for end, operand in zip(ends, values, strict=True):
                    _graft(end, operand)
            return [found[end] if end in found else np.zeros_like(end.value) for end in ends]

        operands = [given[i] for i in places] + [name_of(node.value, node) for node in outside]
        op = Operation(_checkpoint.primitive, {})  # type: ignore[attr-defined]
        made = apply(op, (value, *operands))
        op.saved = pull
        for i, y in zip(varying, unpacked(made, forms), strict=True):
            results[i] = y
        return rebuild(results)

    return compute


@contextmanager
def _drawing_again(state: dict[str, Any], drawn: Any) -> Iterator[None]:
    """Let random numbers be those that were drawn before: by the generator's state, or those of a program."""
    if (tracer := interpreter()) is not None:
        with tracer.repeating(state) if drawn is None else tracer.drawing_again(*drawn):
            yield
        return
    current = random.get_state()
    random.set_state(state)
    try:
        yield
    finally:
        random.set_state(current)


def _checkpoint_rule(g: Any, y: Any, value: Any, *operands: Any, saved: Function) -> list[Any]:
    # `saved` is a walk of its own, with the gradients of the outside at its ends.
    return [None, *map(conjugated, saved(conjugated(g), operands))]


@primitive(joint=_checkpoint_rule, saves=True, relays=True, uncertain=True)
def _checkpoint(value: Any, *operands: Any) -> Any:
    return value, None


def _captured(start: int, variables: Sequence[Any], outputs: Sequence[Any]) -> list[Node]:
    """The nodes that outputs depend on although they are not among the variables: leaves, and what was there before."""
    own = {x.node for x in variables}
    found = collect([y.node for y in outputs if y.node is not None], start)
    return [node for node in found if node not in own and (node.op is None or node.seq <= start)]


def _redirect(root: Node, stand_ins: dict[Node, Node], start: int) -> None:
    """Let what was made since the start lead to leaves that stand for captured nodes.

    A walk then ends at them.  What lies behind the captured nodes, and their hooks, are for the walk that calls it.
    """
    for node in collect([root], start):
        if node.seq > start:
            node.inputs = tuple([stand_ins.get(parent, parent) if parent else None for parent in node.parents()])


def _graft(node: Node, operand: Handle) -> None:
    """Make of a leaf, which had to be one so that a walk ends there, the copy of an operand in the outer graph."""
    if operand.node is not None:
        copy: Node = positive(operand).node
        node.op, node.inputs, node.args = copy.op, copy.inputs, copy.args
        notes_of(node).keep = False
        if (tracer := interpreter()) is not None:
            tracer.replaced(copy, node)
