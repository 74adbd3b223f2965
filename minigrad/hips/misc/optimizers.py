"""`autograd.misc.optimizers`: gradient descent for functions of a tree and the number of the step.

Each takes ``grad(x, i)``, a start, and a callback that sees ``x, i, g`` before every step, and returns the end.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.hips.misc.flatten import flatten

Function = Callable[..., Any]
# From the gradient and the number of the step to what is added to the point.
Rule = Callable[[np.ndarray, int], np.ndarray]


def _descend(grad: Function, x0: Any, callback: Function | None, num_iters: int, rule: Rule) -> Any:
    x, unflatten = flatten(x0)
    for i in range(num_iters):
        g = flatten(grad(unflatten(x), i))[0]
        if callback is not None:
            callback(unflatten(x), i, unflatten(g))
        x = x + rule(g, i)
    return unflatten(x)


def sgd(
    grad: Function,
    x: Any,
    callback: Function | None = None,
    num_iters: int = 200,
    step_size: float = 0.1,
    mass: float = 0.9,
) -> Any:
    """Gradient descent with momentum."""
    velocity: Any = 0.0

    def rule(g: np.ndarray, i: int) -> np.ndarray:
        nonlocal velocity
        velocity = mass * velocity - (1 - mass) * g
        step: np.ndarray = step_size * velocity
        return step

    return _descend(grad, x, callback, num_iters, rule)


def rmsprop(
    grad: Function, x: Any, callback: Function | None = None, num_iters: int = 100, step_size: float = 0.1,
    gamma: float = 0.9, eps: float = 1e-8,
) -> Any:  # fmt: skip
    """Steps divided by the root of the average square of the gradients (T. Tieleman and G. Hinton, 2012)."""
    squares: Any = 1.0

    def rule(g: np.ndarray, i: int) -> np.ndarray:
        nonlocal squares
        squares = squares * gamma + g**2 * (1 - gamma)
        step: np.ndarray = -step_size * g / (np.sqrt(squares) + eps)
        return step

    return _descend(grad, x, callback, num_iters, rule)


def adam(
    grad: Function, x: Any, callback: Function | None = None, num_iters: int = 100, step_size: float = 0.001,
    b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8,
) -> Any:  # fmt: skip
    """D. Kingma and J. Ba, "Adam: a method for stochastic optimization", 2015."""
    mean: Any = 0.0
    squares: Any = 0.0

    def rule(g: np.ndarray, i: int) -> np.ndarray:
        nonlocal mean, squares
        mean = (1 - b1) * g + b1 * mean
        squares = (1 - b2) * g**2 + b2 * squares
        step: np.ndarray = -step_size * (mean / (1 - b1 ** (i + 1))) / (np.sqrt(squares / (1 - b2 ** (i + 1))) + eps)
        return step

    return _descend(grad, x, callback, num_iters, rule)
