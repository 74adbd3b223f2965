"""Adamax: Adam with the largest gradient in the place of the root mean square."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.optim.optimizer import Optimizer, average_in


class Adamax(Optimizer):
    """Adamax (D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, section 7.1).

    ``w -= lr / (1 - beta1**t) * m / u`` with ``m`` the running mean of the gradient and
    ``u = max(beta2 * u, abs(gradient) + eps)``.

    The parameters are those of `Adam`, without `amsgrad` and `decoupled_weight_decay`.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([4.0, -2.5], requires_grad=True)
    >>> optimizer = mg.optim.Adamax([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.detach().round(4)
    tensor([ 3.9, -2.4])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        )

    def initial_state(self, value: np.ndarray, options: dict[str, Any]) -> dict[str, Any]:
        """The state before the first step."""
        return {"step": 0, "exp_avg": np.zeros_like(value), "exp_inf": np.zeros_like(value)}

    def update(self, value: np.ndarray, gradient: np.ndarray, state: dict[str, Any], options: dict[str, Any]) -> None:
        """One step of one parameter."""
        state["step"] += 1
        mean, largest, scratch = state["exp_avg"], state["exp_inf"], self.scratch(value)
        beta1, beta2 = options["betas"]
        gradient = self.prepared(value, gradient, options)
        average_in(mean, gradient, beta1, scratch)
        largest *= beta2
        np.abs(gradient, out=scratch)
        scratch += options["eps"]
        np.maximum(largest, scratch, out=largest)
        np.divide(mean, largest, out=scratch)
        scratch *= options["lr"] / (1 - beta1 ** state["step"])
        value -= scratch
