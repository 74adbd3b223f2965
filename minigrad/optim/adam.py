"""Adam: steps scaled by running means of the gradient and of its square."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.errors import ArgumentError, DTypeError
from minigrad.optim.optimizer import Optimizer


class Adam(Optimizer):
    """Adam (D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015).

    With ``m`` and ``v`` the running means of the gradient and its square, and ``t`` the number of the step,
    ``w -= lr * (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + eps)``.

    Parameters
    ----------
    params : iterable of Tensor, or iterable of dict
    lr : float
        The learning rate.
    betas : pair of float
        How much of the running means is kept at each step.
    eps : float
        Added to the denominator.
    weight_decay : float
        Added to the gradient: this times the parameter.
    amsgrad : bool
        Use the largest ``v`` so far (S. J. Reddi et al., "On the convergence of Adam and beyond", ICLR 2018).
    maximize : bool
        Go uphill.

    Raises
    ------
    ValueError
        If an option is negative, or a beta is not from 0 to 1, without 1.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([4.0, 2.5], requires_grad=True)
    >>> optimizer = mg.optim.Adam([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([3.5, 2. ], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**options, "amsgrad": amsgrad, "maximize": maximize})

    def check(self, options: dict[str, Any]) -> None:
        """The running means need betas below 1."""
        betas = options["betas"]
        if len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
            raise ArgumentError(f"Adam: betas must be two numbers from 0 to 1, without 1, not {betas}")

    def update(self, value: np.ndarray, gradient: np.ndarray, state: dict[str, Any], options: dict[str, Any]) -> None:
        """One step of one parameter."""
        if value.dtype.kind == "c":
            raise DTypeError("Adam is for real parameters: keep real and imaginary part in two")
        if not state:
            state.update(step=0, exp_avg=np.zeros_like(value), exp_avg_sq=np.zeros_like(value))
        state["step"] += 1
        mean, square, scratch = state["exp_avg"], state["exp_avg_sq"], self.scratch(value)
        beta1, beta2 = options["betas"]
        if options["maximize"]:
            gradient = -gradient
        if options["weight_decay"]:
            gradient = gradient + options["weight_decay"] * value
        mean *= beta1
        mean += np.multiply(gradient, 1 - beta1, out=scratch)
        square *= beta2
        np.multiply(gradient, gradient, out=scratch)
        scratch *= 1 - beta2
        square += scratch
        if options["amsgrad"]:
            state.setdefault("max_exp_avg_sq", np.zeros_like(value))
            square = np.maximum(state["max_exp_avg_sq"], square, out=state["max_exp_avg_sq"])
        np.sqrt(square, out=scratch)
        scratch /= math.sqrt(1 - beta2 ** state["step"])
        scratch += options["eps"]
        np.divide(mean, scratch, out=scratch)
        scratch *= options["lr"] / (1 - beta1 ** state["step"])
        value -= scratch
