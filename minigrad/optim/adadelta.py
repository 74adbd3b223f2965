"""Adadelta: steps scaled by the ratio of past steps to past gradients."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.optim.optimizer import Optimizer, average_in_square
from minigrad.options import real_number


class Adadelta(Optimizer):
    """Adadelta (M. D. Zeiler, "ADADELTA: an adaptive learning rate method", 2012).

    ``w -= lr * delta`` with ``delta = gradient * sqrt(d + eps) / sqrt(s + eps)``, where ``s`` and ``d`` are the running
    means of the squares of gradient and delta.

    The other parameters are those of `Adam`.

    Parameters
    ----------
    lr : float
        A factor; the method was meant to need none.
    rho : float
        How much of the running means is kept at each step.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([4.0], requires_grad=True)
    >>> optimizer = mg.optim.Adadelta([w], rho=0.0, eps=0.01)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.detach().round(4)
    tensor([3.9])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize})

    def check(self, options: dict[str, Any]) -> None:
        """The running means need a rho from 0 to 1."""
        real_number(options["rho"], "Adadelta: rho", least=0, most=1)

    def initial_state(self, value: np.ndarray, options: dict[str, Any]) -> dict[str, Any]:
        """The state before the first step."""
        return {"step": 0, "square_avg": np.zeros_like(value), "acc_delta": np.zeros_like(value)}

    def update(self, value: np.ndarray, gradient: np.ndarray, state: dict[str, Any], options: dict[str, Any]) -> None:
        """One step of one parameter."""
        state["step"] += 1
        rho, eps = options["rho"], options["eps"]
        gradient, square, steps = self.prepared(value, gradient, options), state["square_avg"], state["acc_delta"]
        scratch, delta = self.scratch(value), self.scratch(value, "delta")
        average_in_square(square, gradient, rho, scratch)
        np.sqrt(np.add(square, eps, out=scratch), out=scratch)
        np.sqrt(np.add(steps, eps, out=delta), out=delta)
        delta /= scratch
        delta *= gradient
        average_in_square(steps, delta, rho, scratch)
        delta *= options["lr"]
        value -= delta
