"""Lion: steps by the sign of a running mean."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.optim.optimizer import Optimizer, average_in


class Lion(Optimizer):
    """Lion (X. Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023).

    ``w -= lr * (sign(beta1 * m + (1 - beta1) * gradient) + weight_decay * w)``, then
    ``m = beta2 * m + (1 - beta2) * gradient``.

    The other parameters are those of `Adam`.

    Parameters
    ----------
    lr : float
        The learning rate: 3 to 10 times smaller than Adam's.
    weight_decay : float
        Decoupled from the gradient, as in `AdamW`: 3 to 10 times larger than there.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([4.0, -2.5], requires_grad=True)
    >>> optimizer = mg.optim.Lion([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 3.9, -2.4], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, {**options, "decoupled_weight_decay": True})

    def initial_state(self, value: np.ndarray, options: dict[str, Any]) -> dict[str, Any]:
        """The state before the first step."""
        return {"exp_avg": np.zeros_like(value)}

    def update(self, value: np.ndarray, gradient: np.ndarray, state: dict[str, Any], options: dict[str, Any]) -> None:
        """One step of one parameter."""
        mean, scratch, direction = state["exp_avg"], self.scratch(value), self.scratch(value, "direction")
        beta1, beta2 = options["betas"]
        gradient = self.prepared(value, gradient, options)
        np.multiply(mean, beta1, out=direction)
        direction += np.multiply(gradient, 1 - beta1, out=scratch)
        np.sign(direction, out=direction)
        direction *= options["lr"]
        value -= direction
        average_in(mean, gradient, beta2, scratch)
