"""The ways to a derivative: functions of a program, its leaves, weights of its outputs, and directions.

They stand alone, on NumPy and minigrad, so that a reproducer can quote them.  A gradient is that of ``sum(Re(w* y))`` over
the outputs `y`; one that there is not is zeros.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad as mg

Arrays = list[Any]


def loss_of(outputs, weights):
    return sum(np.sum(np.real(np.conj(w) * y)) for w, y in zip(weights, outputs, strict=True))


def backward(program, leaves, weights):
    tensors = [mg.tensor(x, requires_grad=True) for x in leaves]
    loss = loss_of(program(*tensors), weights)
    loss.backward(retain_graph=True)
    first = [None if x.grad is None else x.grad.numpy() for x in tensors]
    copies = [None if g is None else g.copy() for g in first]
    for i, g in enumerate(first):
        for other in [*first[:i], *leaves, *(x.data for x in tensors)]:
            assert g is None or other is None or not np.shares_memory(g, other), "a gradient shares memory"
    assert all(np.array_equal(x.data, a) for x, a in zip(tensors, leaves, strict=True)), "a leaf has changed"
    for x in tensors:
        assert x.grad is None or (x.grad.shape, x.grad.dtype) == (x.shape, x.dtype), "the gradient does not fit its leaf"
    loss.backward()
    for x, g in zip(tensors, copies, strict=True):
        assert g is None or np.array_equal(x.grad.numpy(), g + g), "a second pass over a kept graph gives something else"
    try:
        loss.backward()
    except mg.errors.ReleasedGraphError:
        return copies
    raise AssertionError("a released graph was walked again")


def backward_of_each_output(program, leaves, weights):
    tensors = [mg.tensor(x, requires_grad=True) for x in leaves]
    for y, w in zip(program(*tensors), weights, strict=True):
        if y.requires_grad:
            y.backward(w, retain_graph=True)
    return [None if x.grad is None else x.grad.numpy() for x in tensors]


def autograd_grad(program, leaves, weights):
    tensors = [mg.tensor(x, requires_grad=True) for x in leaves]
    pairs = [(y, w) for y, w in zip(program(*tensors), weights, strict=True) if y.requires_grad]
    outputs, cotangents = zip(*pairs, strict=True)
    found = mg.autograd.grad(outputs, tensors, cotangents, allow_unused=True)
    return [None if g is None else g.numpy() for g in found]


def grad(program, leaves, weights):
    return mg.grad(lambda *leaves: loss_of(program(*leaves), weights), argnums=range(len(leaves)))(*leaves)


def vjp(program, leaves, weights):
    return mg.vjp(program, *leaves)[1](weights)


def jvp(program, leaves, weights, direction):
    return mg.jvp(program, leaves, direction)[1]


def hvp(program, leaves, weights, direction):
    return mg.hvp(lambda leaves: loss_of(program(*leaves), weights), leaves, direction)


def backward_twice(program, leaves, weights, direction):
    tensors = [mg.tensor(x, requires_grad=True) for x in leaves]
    loss = loss_of(program(*tensors), weights)
    slopes = mg.autograd.grad(loss, tensors, create_graph=True, allow_unused=True)
    slope = sum(np.sum(np.real(np.conj(u) * g)) for g, u in zip(slopes, direction, strict=True) if g is not None)
    if not slope.requires_grad:
        return [None] * len(leaves)
    slope.backward()
    return [None if x.grad is None else x.grad.numpy() for x in tensors]


def jvp_of_grad(program, leaves, weights, direction):
    slopes = mg.grad(lambda *leaves: loss_of(program(*leaves), weights), argnums=range(len(leaves)))
    return mg.jvp(slopes, leaves, direction)[1]


GRADIENTS: list[Callable[..., Arrays]] = [backward, backward_of_each_output, autograd_grad, grad, vjp]
SECOND: list[Callable[..., Arrays]] = [hvp, backward_twice, jvp_of_grad]
