"""ASGD: gradient descent whose path is averaged."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.ops.numbers import larger
from minigrad.optim.optimizer import Optimizer


class ASGD(Optimizer):
    """Averaged stochastic gradient descent (B. T. Polyak and A. B. Juditsky, 1992).

    The rate of step ``t`` is ``lr / (1 + lambd * lr * t) ** alpha``.  The average of the path from step `t0` on is
    ``optimizer.state[w]["ax"]``.

    The other parameters are those of `SGD`.

    Parameters
    ----------
    lr : float
        The learning rate at the start.
    lambd : float
        By how much the parameter shrinks at each step, relative to the rate.
    alpha : float
        How fast the rate falls.
    t0 : float
        The step at which averaging starts.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([4.0], requires_grad=True)
    >>> optimizer = mg.optim.ASGD([w], lr=0.1, lambd=0.0)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([3.2], requires_grad=True)
    """

    nonnegative = ("lr", "lambd", "alpha", "t0", "weight_decay")
    numbers = ("step", "eta", "mu")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay}
        super().__init__(params, {**options, "maximize": maximize})

    def initial_state(self, value: np.ndarray, options: dict[str, Any]) -> dict[str, Any]:
        """The state before the first step."""
        return {"step": 0, "eta": options["lr"], "mu": 1.0, "ax": np.zeros_like(value)}

    def update(self, value: np.ndarray, gradient: np.ndarray, state: dict[str, Any], options: dict[str, Any]) -> None:
        """One step of one parameter."""
        state["step"] += 1
        gradient, average, scratch = self.prepared(value, gradient, options), state["ax"], self.scratch(value)
        value *= 1 - options["lambd"] * state["eta"]
        value -= np.multiply(gradient, state["eta"], out=scratch)
        np.subtract(value, average, out=scratch)
        scratch *= state["mu"]
        average += scratch
        state["eta"] = options["lr"] / (1 + options["lambd"] * options["lr"] * state["step"]) ** options["alpha"]
        state["mu"] = 1 / larger(1, state["step"] - options["t0"])
