"""NAdam: Adam with Nesterov's momentum."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.ops.numbers import root
from minigrad.optim.optimizer import Optimizer, average_in, average_in_square


class NAdam(Optimizer):
    """NAdam (T. Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016).

    The momentum of step ``t`` is ``mu = beta1 * (1 - 0.96 ** (t * momentum_decay) / 2)``.

    The other parameters are those of `Adam`.

    Parameters
    ----------
    momentum_decay : float

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([4.0, -2.5], requires_grad=True)
    >>> optimizer = mg.optim.NAdam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> bool((mg.abs(w) < mg.tensor([4.0, 2.5])).all())
    True
    """

    nonnegative = ("lr", "eps", "weight_decay", "momentum_decay")
    numbers = ("step", "mu_product")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        options |= {"momentum_decay": momentum_decay, "decoupled_weight_decay": decoupled_weight_decay}
        super().__init__(params, options)

    def initial_state(self, value: np.ndarray, options: dict[str, Any]) -> dict[str, Any]:
        """The state before the first step."""
        return {"step": 0, "mu_product": 1.0, "exp_avg": np.zeros_like(value), "exp_avg_sq": np.zeros_like(value)}

    def update(self, value: np.ndarray, gradient: np.ndarray, state: dict[str, Any], options: dict[str, Any]) -> None:
        """One step of one parameter."""
        state["step"] += 1
        step, mean, square = state["step"], state["exp_avg"], state["exp_avg_sq"]
        scratch, denominator = self.scratch(value), self.scratch(value, "denominator")
        beta1, beta2 = options["betas"]
        mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (t * options["momentum_decay"])) for t in (step, step + 1))
        state["mu_product"] *= mu
        product = state["mu_product"]
        gradient = self.prepared(value, gradient, options)
        average_in(mean, gradient, beta1, scratch)
        average_in_square(square, gradient, beta2, scratch)
        np.sqrt(square, out=denominator)
        denominator /= root(1 - beta2**step)
        denominator += options["eps"]
        for array, share in ((gradient, (1 - mu) / (1 - product)), (mean, mu_next / (1 - product * mu_next))):
            np.divide(array, denominator, out=scratch)
            scratch *= options["lr"] * share
            value -= scratch
