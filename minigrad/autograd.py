"""Gradients of Tensors that exist already, under PyTorch's names: what surrounds the engine's walk."""

import os
from collections import deque
from collections.abc import Callable, Sequence
from itertools import repeat
from operator import iadd
from threading import RLock
from typing import Any
from weakref import WeakMethod

import numpy as np

from minigrad import errors
from minigrad.contexts import quietly
from minigrad.core import (
    Array,
    Handle,
    Node,
    backprop,
    detect_anomaly,
    enable_grad,
    interpreter,
    name_of,
    no_grad,
    unwrap,
)
from minigrad.core.backprop import own
from minigrad.errors.backward import no_graph, not_a_real_root, not_a_scalar, unused, wrong_seed
from minigrad.gradients import conform
from minigrad.operands import numeric_operand
from minigrad.settings import Mode, go_back, now, unusual

__all__ = ["backward", "detect_anomaly", "enable_grad", "grad", "no_grad"]


def backward(root: Handle, gradient: Any = None, retain_graph: bool = False, create_graph: bool = False) -> None:
    """Add to the `grad` of every leaf, and of nodes that keep theirs; all of them at once, at the very end."""
    if root.node is None:
        raise no_graph("backward()", root.array)
    tracer = interpreter() if unusual else None
    seed = _seed(root, gradient, create_graph or tracer is not None)
    found = _run([root.node], [seed], None, retain_graph, create_graph)
    # On one line: after the call Ctrl-C cannot come before the lock is given back, nor can a debugger's stop.
    with _adding: _add(found, create_graph, tracer)  # fmt: skip  # noqa: E701
    if _listeners:
        _tell(found, create_graph)


def _add(found: dict[Node, Array], record: bool, tracer: Any) -> None:
    """Add gradients to what the nodes keep."""
    kept: list[Any] = [node.notes for node in found]
    sums = []
    for node, notes, g in zip(found, kept, found.values(), strict=True):
        if tracer is not None:
            tracer.grad_read(node)
            g = g if notes.grad is None else g + notes.grad
        elif notes.grad is not None:
            g = own(notes.grad + g) if record else iadd(g, notes.grad.array)  # type: ignore[no-untyped-call]
        sums.append(_named(g))
    if len(kept) == 1:
        kept[0].grad = sums[0]
    else:  # not a loop, but one call into C, which Ctrl-C cannot interrupt half-way
        deque(map(setattr, kept, repeat("grad"), sums), 0)


def _named(g: Any) -> Any:
    return g if isinstance(g, Handle) else name_of(g, None)


# Who wants to know that gradients were added to `grad`, as weak references to methods.
_listeners: "list[WeakMethod[Listener]]" = []
Listener = Callable[[dict[Node, Array], bool], None]


def after_backward(listener: Listener) -> None:
    """Call a method, as long as its object lives, at the end of each backward pass.

    It is given the gradients that the pass has added to `grad`, and whether they were recorded.
    """
    _listeners.append(WeakMethod(listener))


def _tell(found: dict[Node, Array], recorded: bool) -> None:
    for listener in [listener() for listener in _listeners]:
        if listener is not None:
            listener(found, recorded)
    _listeners[:] = [listener for listener in _listeners if listener() is not None]


# Held while gradients are added to `grad`: the graphs of several threads may end in the same leaves.
_adding = RLock()


def _forked() -> None:
    global _adding
    _adding = RLock()  # the old one may have been held by a thread that the child process does not have


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def walk(
    roots: Sequence[Handle], gradients: Sequence[Any], wanted: Sequence[Node] | None, retain: bool, create: bool
) -> dict[Node, Array]:
    """`backprop` from Tensors: the gradients that enter are checked and filled in."""
    nodes: list[Any] = [root.node for root in roots]
    named = create or interpreter() is not None
    seeds = [_seed(root, g, named) for root, g in zip(roots, gradients, strict=True)]
    return _run(nodes, seeds, wanted, retain, create)


def _run(
    nodes: Sequence[Node], seeds: Sequence[Array], wanted: Sequence[Node] | None, retain: bool, create: bool
) -> dict[Node, Array]:
    """`backprop` in the mode that the rules need.

    NumPy's floating-point warnings are off: rules meet 0/0 where a gradient is 0, and `detect_anomaly` is the
    better way to find the others.
    """
    return quietly(_recorded if create else backprop, nodes, seeds, wanted, retain, create)


def _recorded(*args: Any) -> dict[Node, Array]:
    """`backprop` with operations recorded, which ends with the context that this is called in."""
    go_back(Mode(now(), "grad", True))
    return backprop(*args)


def _seed(root: Handle, gradient: Any, named: bool) -> Array:
    """The gradient that enters at a root: 1 for a single number, else what the caller gives, checked."""
    if gradient is None:
        seed = _one(root)
        return name_of(seed, None) if named else seed
    value: Array = root.array
    if not isinstance(gradient, Handle):
        gradient = numeric_operand(gradient, "a gradient")
    data = unwrap(gradient)
    if data.shape != value.shape:
        raise wrong_seed(data.shape, value.shape, root.node)
    if not np.can_cast(data.dtype, value.dtype, "same_kind"):
        raise errors.DTypeError(f"a gradient of dtype {data.dtype} does not fit a Tensor of dtype {value.dtype}")
    gradient = conform(gradient, value, "backward")
    return _named(gradient) if named else unwrap(gradient)


def _one(root: Handle) -> Array:
    """The gradient of a single number by itself."""
    value = root.array
    if value.dtype.kind == "c" and value.size == 1:
        raise not_a_real_root(root)
    if isinstance(value, np.generic):
        return type(value)(1)
    if value.size == 1:
        return np.ones_like(value)
    raise not_a_scalar(root)


def _listed(given: Any) -> list[Any]:
    return [given] if given is None or isinstance(given, Handle | np.ndarray) or np.isscalar(given) else list(given)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """Gradients of the sum of outputs with respect to inputs, without touching any `grad`.

    Parameters
    ----------
    outputs : Tensor or sequence of Tensor
    inputs : Tensor or sequence of Tensor
        Leaves, or results of operations.
    grad_outputs : array_like or sequence of array_like, optional
        How much each element of each output counts; needed where an output is not a single number.
    retain_graph : bool, optional
        Keep the graph for another pass.  By default what `create_graph` is.
    create_graph : bool
        Record the computation of the gradients, so that they can be differentiated.
    allow_unused : bool
        Give None for inputs that the outputs do not depend on, instead of raising.

    Returns
    -------
    tuple of (Tensor or None)
        One for each input, of its shape and dtype.

    Raises
    ------
    GraphError
        If an output or an input does not require grad, or an input was not used.
    ShapeError
        If a gradient given has another shape than its output.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor(2.0, requires_grad=True)
    >>> (slope,) = mg.autograd.grad(x**3, x, create_graph=True)
    >>> (bend,) = mg.autograd.grad(slope, x)
    >>> slope.item(), bend.item()
    (12.0, 12.0)
    """
    outputs, inputs = _listed(outputs), _listed(inputs)
    weights = [None] * len(outputs) if grad_outputs is None else _listed(grad_outputs)
    if len(weights) != len(outputs):
        raise errors.ShapeError(
            f"grad() of {len(outputs)} outputs got {len(weights)} grad_outputs: a list is taken as one for each; "
            "for one output of several elements pass an array"
        )
    for kind, tensors in (("output", outputs), ("input", inputs)):
        for i, x in enumerate(tensors):
            if not isinstance(x, Handle) or x.node is None:
                raise no_graph(f"{kind} {i} of grad()", getattr(x, "array", x))
    if not inputs:
        return ()
    wanted = [x.node for x in inputs]
    retain = create_graph if retain_graph is None else retain_graph
    found = walk(outputs, weights, wanted, retain, create_graph)
    missing = [i for i, node in enumerate(wanted) if node not in found]
    if missing and not allow_unused:
        raise unused(wanted, missing)
    gradients = [found.get(node) for node in wanted]
    for i, g in enumerate(gradients):
        if g is not None and wanted[i] in wanted[:i]:
            gradients[i] = own(g)  # one for each time that an input is named
    return tuple(None if g is None else _named(g) for g in gradients)
