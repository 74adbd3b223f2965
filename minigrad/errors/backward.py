"""What goes wrong in a backward pass, or before one."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.errors import (
    AnomalyError,
    ArgumentError,
    DTypeError,
    GraphError,
    ReleasedGraphError,
    ShapeError,
    StaleValueError,
)
from minigrad.errors.words import an, at, called, defined_at, describe, listed, value_of, warn

if TYPE_CHECKING:
    from minigrad.core.node import Handle, Node


def no_graph(what: str, value: Any = None) -> GraphError:
    """For what needs a graph, of a Tensor that has none."""
    this = "this one" if value is None else f"this one ({describe(value)})"
    return GraphError(
        f"{what} needs a Tensor that requires grad, and {this} does not: nothing that it was computed from requires "
        "grad, or it was made under no_grad(), by detach() or from a plain number. Make the leaves with "
        "tensor(..., requires_grad=True), and compute what follows by operations on Tensors outside of no_grad()"
    )


def not_a_scalar(root: "Handle") -> GraphError:
    """For backward from many numbers without weights."""
    assert root.node is not None
    return GraphError(
        f"backward needs a single number to start from, and {called(root.node)} has shape {root.array.shape}: reduce "
        "it first, as in y.sum().backward(), or say how much each element counts: y.backward(gradient=weights of the "
        "same shape)"
    )


def not_a_real_root(root: "Handle") -> GraphError:
    """For backward from a complex number without a gradient."""
    assert root.node is not None
    return GraphError(
        f"backward starts from a real number, and {called(root.node)} is {describe(root.array)}: start from its real "
        "part, imaginary part or absolute value, as in mg.abs(y).backward(), or say what counts: "
        "y.backward(gradient=v) gives the gradients of the real number sum(real(conj(v) * y))"
    )


def wrong_seed(given: tuple[int, ...], shape: tuple[int, ...], node: "Node | None" = None) -> ShapeError:
    """For a gradient given to backward that does not fit."""
    of = "the Tensor" if node is None else called(node)
    return ShapeError(
        f"the gradient given to backward has shape {given}, and {of} has shape {shape}: they must be equal. It says "
        "how much each element counts; a single number needs none"
    )


def wrong_grad(given: tuple[int, ...], node: "Node") -> ShapeError:
    """For a value of `grad` that does not fit."""
    return ShapeError(
        f"a gradient of shape {given} does not fit {called(node)} of shape {node.value.shape}: what is assigned to "
        "`grad` has the shape of the Tensor, or is None"
    )


def unused(inputs: Sequence["Node"], numbers: Sequence[int]) -> GraphError:
    """For inputs of `autograd.grad` that the outputs do not depend on."""
    words = ", ".join(f"{i} ({called(inputs[i])} of shape {inputs[i].value.shape})" for i in numbers)
    return GraphError(
        f"the outputs of grad() do not depend on input {words}: pass allow_unused=True to get None for it. If they "
        "should depend on it, look for a detach(), an item() or a copy between them"
    )


def warn_of_no_grad(node: "Node") -> None:
    """For a look at the `grad` of the result of an operation."""
    warn(
        f"grad is None: this Tensor is {called(node)}, of shape {node.value.shape}, and only leaves keep their "
        "gradients: call its retain_grad() before backward(), or use autograd.grad(output, tensor)"
    )


def released(place: Any, interruption: str | None) -> ReleasedGraphError:
    """For backward through a released graph."""
    first = f"backward{at(place)} was interrupted by {interruption}, and" if interruption else f"backward{at(place)}"
    return ReleasedGraphError(
        f"part of this graph is gone: an earlier {first} released it, to save memory. Compute the loss anew for "
        "every backward. If it keeps a value from an earlier step (a hidden state, a running total), detach() that "
        "value. If you do want two passes over one graph, pass retain_graph=True to the first"
    )


# The lines of operations are noted under `detect_anomaly` only, as that costs a tenth of the time of a small one.
_LINE = "Run it under minigrad.detect_anomaly() to see the line that called {}"


def stale(source: "Node", node: "Node", place: Any) -> StaleValueError:
    """For backward after the memory that it needs was written to."""
    used = node.notes.where if node.notes is not None else None
    line = "" if used else f". {_LINE.format(node.op)}"
    what = "made it" if source is node else "used its value"
    return StaleValueError(
        f"{called(source)} of shape {source.value.shape} was written to{at(place)} after {node.op} number "
        f"{node.seq} had {what}{at(used)}, and the derivative of {node.op} needs the old value. "
        f"Call backward() before the update, or compute the loss again after it{line}"
    )


def stale_constant(node: "Node", position: int, array: np.ndarray) -> StaleValueError:
    """For backward after an array was written to that an operation had borrowed, under `detect_anomaly`."""
    where = node.notes.where if node.notes is not None else None
    return StaleValueError(
        f"operand {position} of {node.op}, the constant {describe(array)}, was written to after {node.op} had borrowed "
        f"it{at(where)}, and its derivative would be computed of the new numbers. Call backward() before you write to "
        "the array, or give the operation a copy: minigrad.tensor(array)"
    )


def not_finite(
    what: str, op: Any, value: Any, place: Any, operands: Sequence[Any], gradient: Any = None
) -> AnomalyError:
    """For NaN or inf under `detect_anomaly`; `what` says that the operation, or its derivative, made it."""
    kind = "NaN" if np.isnan(value).any() else "inf"
    count = int(value.size - np.isfinite(value).sum())
    lines = [f"{what} {kind}, in {count} of {value.size} elements{at(place)}"]
    if op.params:
        lines.append("parameters: " + ", ".join(f"{k}={v!r}" for k, v in op.params.items()))
    if gradient is not None:
        lines.append(f"gradient of the result: {describe(gradient)}")
    lines += [f"operand {i}: {describe(operand)}" for i, operand in enumerate(operands)]
    came_in = not all(np.isfinite(value_of(x)).all() for x in operands)
    lines.append(_CAME_IN if came_in else op.primitive.facts.advice or _ELSEWHERE)
    return AnomalyError("\n  ".join(lines))


_CAME_IN = "An operand is not finite itself: look for NaN and inf in the data, and in what the leaves began with"
_ELSEWHERE = "Keep the operands away from there, with clip or where, or make the steps smaller (lr, clip_grad_norm_)"


# Rules and hooks


def bad_primitive(name: str, operands: int | None, rules: int) -> DTypeError:
    """For a function and rules that do not make an operation."""
    return DTypeError(
        f"primitive: {name} has {'any number of' if operands is None else operands} operands (the arguments "
        f"before `/`, or *operands, of a Python function) and {rules} rules: give one for each operand, or one "
        "`joint` rule for all"
    )


def uncallable_rule(name: str, rule: Any, operands: Sequence[str], options: Sequence[str]) -> DTypeError:
    """For a rule that cannot be called with what rules are called with."""
    code = rule.__code__
    taken = ", ".join(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    must = ", ".join(["g", "y", *operands, *(["*", *options] if options else [])])
    return DTypeError(
        f"primitive: a rule of {name} takes ({taken}), and must take ({must}): the gradient of the result, the result, "
        f"the operands{', and the options by their names' if options else ''}"
    )


def no_such_kind(name: str, given: Any, kinds: Sequence[str]) -> ArgumentError:
    """For a kind of operation that there is not."""
    return ArgumentError(f"primitive: {name} cannot be of the kind {given!r}; kinds are {listed(kinds)}")


def bad_joint(name: str, given: Any, operands: int) -> ShapeError:
    """For a joint rule that does not give one gradient for each operand."""
    what = f"{len(given)} gradients" if isinstance(given, list | tuple) else an(type(given).__name__)
    return ShapeError(
        f"the joint rule of {name} returned {what} for {operands} operands: it must return a sequence with "
        f"one for each, and None for those that have none. {_LINE.format(name)}"
    )


def not_a_gradient(name: str, given: Any) -> DTypeError:
    """For a rule that returns something else than one array of numbers."""
    what = f"an array of {given.dtype}" if hasattr(given, "dtype") else an(type(given).__name__)
    return DTypeError(
        f"the derivative rule of {name} returned {what} as the gradient of one operand: a rule must return one array "
        "of numbers. For several operands give one rule each, or one for all as `joint`; for an operand without a "
        f"derivative, None in the place of its rule. {_LINE.format(name)}"
    )


def bad_rule(name: str, what: str, shape: tuple[int, ...]) -> ShapeError:
    """For a rule that returns what cannot be a gradient."""
    return ShapeError(
        f"the derivative rule of {name} {what}, but its operand has shape {shape}: a rule must return an array "
        f"of the operand's shape, or of one that broadcasting makes of it. "
        f"{_LINE.format(name)}"
    )


def no_decorator_of_async_generators(switch: str, function: Callable[..., Any]) -> DTypeError:
    """For an asynchronous generator function, whose body and consumer would share the mode."""
    return DTypeError(
        f"{switch}() cannot decorate the asynchronous generator function {defined_at(function)}: write "
        f"`with {switch}():` inside it, around what lies between two yields"
    )


def bad_hook(hook: Callable[..., Any], given: tuple[int, ...], shape: tuple[int, ...]) -> ShapeError:
    """For a hook that returns what cannot be a gradient."""
    return ShapeError(
        f"the hook {defined_at(hook)} returned a gradient of shape {given} for a Tensor of shape {shape}: a hook must "
        "return None, which leaves the gradient as it is, or another gradient of the same shape"
    )
