"""The ways to a derivative: functions of a program, its leaves, weights of its outputs, and directions.

They stand alone, on NumPy and minigrad, so that a reproducer can quote them.  A gradient is that of the sum over all
outputs y of ``Re(conj(w) y)``; None is a gradient of zeros.
"""

import numpy as np

import minigrad as mg


def loss_of(outputs, weights):
    return sum(np.sum(np.real(np.conj(w) * y)) for w, y in zip(weights, outputs, strict=True))


def backward(program, leaves, weights):
    tensors = [mg.tensor(x, requires_grad=True) for x in leaves]
    loss = loss_of(program(*tensors), weights)
    loss.backward(retain_graph=True)
    gradients = [None if x.grad is None else x.grad.numpy() for x in tensors]
    found = [g for g in gradients if g is not None]
    for i, g in enumerate(found):
        others = [*found[:i], *leaves, *(x.data for x in tensors)]
        assert not any(np.shares_memory(g, other) for other in others), "a gradient shares memory"
    assert all(np.array_equal(x.data, a) for x, a in zip(tensors, leaves, strict=True)), "a leaf has changed"
    first = [None if g is None else g.copy() for g in gradients]
    loss.backward()
    for x, g in zip(tensors, first, strict=True):
        assert g is None or np.array_equal(x.grad.numpy(), g + g), "a second pass over the graph gives something else"
    try:
        loss.backward()
    except mg.errors.ReleasedGraphError:
        return first
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


GRADIENTS = [backward, backward_of_each_output, autograd_grad, grad, vjp]
SECOND = [hvp, backward_twice, jvp_of_grad]
