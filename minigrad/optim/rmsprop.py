"""RMSprop: steps scaled by a running mean of the squared gradient."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.optim.optimizer import Optimizer, average_in, average_in_square


class RMSprop(Optimizer):
    """RMSprop (T. Tieleman and G. Hinton, Coursera lecture 6.5, 2012): ``w -= lr * gradient / (sqrt(s) + eps)``.

    The other parameters are those of `Adam`.

    Parameters
    ----------
    alpha : float
        How much of ``s``, the running mean of the squared gradient, is kept at each step.
    momentum : float
        How much of the last step is added to the next.
    centered : bool
        Subtract the square of the running mean of the gradient from ``s`` (A. Graves, 2013).

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([4.0, -2.5], requires_grad=True)
    >>> optimizer = mg.optim.RMSprop([w], lr=0.1, alpha=0.0)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 3.9, -2.4], requires_grad=True)
    """

    nonnegative = ("lr", "alpha", "eps", "weight_decay", "momentum")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay, "momentum": momentum}
        super().__init__(params, {**options, "centered": centered, "maximize": maximize})

    def initial_state(self, value: np.ndarray, options: dict[str, Any]) -> dict[str, Any]:
        """The state before the first step."""
        return {"step": 0, "square_avg": np.zeros_like(value)}

    def update(self, value: np.ndarray, gradient: np.ndarray, state: dict[str, Any], options: dict[str, Any]) -> None:
        """One step of one parameter."""
        alpha, momentum, scratch = options["alpha"], options["momentum"], self.scratch(value)
        state["step"] += 1
        gradient, square = self.prepared(value, gradient, options), state["square_avg"]
        average_in_square(square, gradient, alpha, scratch)
        if options["centered"]:
            mean = state.get("grad_avg")
            if mean is None:
                mean = state["grad_avg"] = np.zeros_like(value)
            average_in(mean, gradient, alpha, scratch)
            np.multiply(mean, mean, out=scratch)
            square = np.subtract(square, scratch, out=scratch)
        np.sqrt(square, out=scratch)
        scratch += options["eps"]
        np.divide(gradient, scratch, out=scratch)
        if momentum:
            buffer = state.get("momentum_buffer")
            if buffer is None:
                buffer = state["momentum_buffer"] = np.zeros_like(value)
            buffer *= momentum
            buffer += scratch
            scratch[...] = buffer
        scratch *= options["lr"]
        value -= scratch
