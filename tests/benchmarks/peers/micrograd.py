"""micrograd, which has scalars only.  It has no tanh, so that one is added as a node."""

import math

import numpy as np
from micrograd.engine import Value

from peers import _models


def tanh(x):
    t = math.tanh(x.data)
    out = Value(t, (x,), "tanh")

    def backward():
        x.grad += (1 - t * t) * out.grad

    out._backward = backward
    return out


def rosenbrock(spec):
    def run():
        w = [float(number) for number in spec.start]
        for _ in range(spec.steps):
            values = [Value(number) for number in w]
            _models.rosenbrock(values).backward()
            w = [value.data - spec.lr * min(max(value.grad, -spec.clip), spec.clip) for value in values]
        return [np.array(w)]

    return run


def scalar_expr(spec):
    def run():
        for _ in range(spec.iters):
            leaves = [Value(number) for number in spec.leaves]
            value = _models.scalar_expr(leaves, spec.rounds, tanh, Value.relu)
            value.backward()
        return [value.data, np.array([x.grad for x in leaves])]

    return run


def deep_graph(spec):
    """Of one number.  Its backward pass is recursive, and so deep a graph is too much for it."""

    def run():
        a = Value(1.0)
        value = _models.repeated_product(a, spec.c, spec.n_ops)
        value.backward()
        return [value.data, a.grad]

    return run
