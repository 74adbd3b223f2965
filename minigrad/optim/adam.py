"""Adam: steps scaled by running means of the gradient and of its square."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.ops.numbers import root
from minigrad.optim.optimizer import Optimizer, average_in, average_in_square


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
    decoupled_weight_decay : bool
        Instead of adding to the gradient, multiply the parameter by ``1 - lr * weight_decay``, as `AdamW` does.

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
        decoupled_weight_decay: bool = False,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad}
        super().__init__(params, {**options, "maximize": maximize, "decoupled_weight_decay": decoupled_weight_decay})

    def initial_state(self, value: np.ndarray, options: dict[str, Any]) -> dict[str, Any]:
        """The state before the first step."""
        return {"step": 0, "exp_avg": np.zeros_like(value), "exp_avg_sq": np.zeros_like(value)}

    def update(self, value: np.ndarray, gradient: np.ndarray, state: dict[str, Any], options: dict[str, Any]) -> None:
        """One step of one parameter."""
        state["step"] += 1
        mean, square, scratch = state["exp_avg"], state["exp_avg_sq"], self.scratch(value)
        beta1, beta2 = options["betas"]
        gradient = self.prepared(value, gradient, options)
        average_in(mean, gradient, beta1, scratch)
        average_in_square(square, gradient, beta2, scratch)
        if options["amsgrad"]:
            if "max_exp_avg_sq" not in state:
                state["max_exp_avg_sq"] = np.zeros_like(value)
            square = np.maximum(state["max_exp_avg_sq"], square, out=state["max_exp_avg_sq"])
        # Both sides of the quotient are multiplied by the root of the correction, which saves one pass.
        correction = root(1 - beta2 ** state["step"])
        np.sqrt(square, out=scratch)
        scratch += options["eps"] * correction
        np.divide(mean, scratch, out=scratch)
        scratch *= options["lr"] * correction / (1 - beta1 ** state["step"])
        value -= scratch


class AdamW(Adam):
    """Adam with weight decay that does not pass through the running means.

    I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019.  Before each step the parameter is
    multiplied by ``1 - lr * weight_decay``; the other parameters are those of `Adam`.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([4.0, 2.5], requires_grad=True)
    >>> optimizer = mg.optim.AdamW([w], lr=0.5, weight_decay=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([3.3  , 1.875], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True)
