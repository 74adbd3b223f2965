"""Adagrad: steps scaled by the sum of all squared gradients."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.optim.optimizer import Optimizer


class Adagrad(Optimizer):
    """Adagrad (J. Duchi et al., JMLR 2011): ``w -= lr / (1 + (t - 1) * lr_decay) * gradient / (sqrt(sum) + eps)``.

    The other parameters are those of `Adam`.

    Parameters
    ----------
    lr_decay : float
        How fast it falls with the number of the step, ``t``.
    initial_accumulator_value : float
        What the sum of squared gradients starts with.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([4.0, -2.5], requires_grad=True)
    >>> optimizer = mg.optim.Adagrad([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 3.9, -2.4], requires_grad=True)
    """

    nonnegative = ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay, "eps": eps, "maximize": maximize}
        super().__init__(params, {**options, "initial_accumulator_value": initial_accumulator_value})

    def initial_state(self, value: np.ndarray, options: dict[str, Any]) -> dict[str, Any]:
        """The state before the first step."""
        return {"step": 0, "sum": np.full_like(value, options["initial_accumulator_value"])}

    def update(self, value: np.ndarray, gradient: np.ndarray, state: dict[str, Any], options: dict[str, Any]) -> None:
        """One step of one parameter."""
        state["step"] += 1
        gradient, total, scratch = self.prepared(value, gradient, options), state["sum"], self.scratch(value)
        total += np.multiply(gradient, gradient, out=scratch)
        np.sqrt(total, out=scratch)
        scratch += options["eps"]
        np.divide(gradient, scratch, out=scratch)
        scratch *= options["lr"] / (1 + (state["step"] - 1) * options["lr_decay"])
        value -= scratch
