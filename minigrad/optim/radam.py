"""RAdam: Adam that waits until its running means can be trusted."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.core import primitive
from minigrad.ops.numbers import chosen
from minigrad.optim.optimizer import Optimizer, average_in, average_in_square


class RAdam(Optimizer):
    """Rectified Adam (L. Liu et al., "On the variance of the adaptive learning rate and beyond", ICLR 2020).

    The first steps are those of momentum alone; then steps are scaled as in Adam, by a factor that rises to 1.

    The parameters are those of `Adam`, without `amsgrad`.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([4.0, -2.5], requires_grad=True)
    >>> optimizer = mg.optim.RAdam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.detach().round(4)
    tensor([ 3.2, -2. ])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, {**options, "decoupled_weight_decay": decoupled_weight_decay})

    def initial_state(self, value: np.ndarray, options: dict[str, Any]) -> dict[str, Any]:
        """The state before the first step."""
        return {"step": 0, "exp_avg": np.zeros_like(value), "exp_avg_sq": np.zeros_like(value)}

    def update(self, value: np.ndarray, gradient: np.ndarray, state: dict[str, Any], options: dict[str, Any]) -> None:
        """One step of one parameter."""
        state["step"] += 1
        step, mean, square, scratch = state["step"], state["exp_avg"], state["exp_avg_sq"], self.scratch(value)
        beta1, beta2 = options["betas"]
        gradient = self.prepared(value, gradient, options)
        average_in(mean, gradient, beta1, scratch)
        average_in_square(square, gradient, beta2, scratch)
        # How many gradients the running mean of squares is worth, now and in the end.
        end = 2 / (1 - beta2) - 1
        now = end - 2 * step * beta2**step / (1 - beta2**step)
        rate = options["lr"] / (1 - beta1**step)
        rate *= _rectification(now, end, 1 - beta2**step)
        np.sqrt(square, out=scratch)
        scratch += options["eps"]
        # The first steps, before there are squares enough, are not divided by their root.
        np.divide(mean, chosen(now > 5, scratch, 1), out=scratch)
        scratch *= rate
        value -= scratch


@primitive(cost=1)
def _rectification(now: Any, end: Any, correction: Any, /) -> Any:
    """What the variance of the root is corrected by; 1 while there are too few squares to know it."""
    if now <= 5:
        return 1.0
    return math.sqrt((now - 4) * (now - 2) * end / ((end - 4) * (end - 2) * now) * correction)
