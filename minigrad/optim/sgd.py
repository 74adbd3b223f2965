"""Gradient descent, with momentum."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.errors import ArgumentError
from minigrad.optim.optimizer import Optimizer


class SGD(Optimizer):
    """Gradient descent: ``w -= lr * v`` with ``v = momentum * v + (1 - dampening) * gradient``.

    Parameters
    ----------
    params : iterable of Tensor, or iterable of dict
    lr : float
        The learning rate.
    momentum : float
        How much of the last direction is kept (B. T. Polyak, 1964).
    dampening : float
        How much less the gradient counts from the second step on.
    weight_decay : float
        Added to the gradient: this times the parameter.
    nesterov : bool
        Step along ``gradient + momentum * v`` instead of `v` (I. Sutskever et al., "On the importance of
        initialization and momentum in deep learning", ICML 2013).
    maximize : bool
        Go uphill.

    Raises
    ------
    ValueError
        If an option is negative, or `nesterov` is set without momentum or with dampening.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([4.0, 2.5], requires_grad=True)
    >>> optimizer = mg.optim.SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([3.2, 2. ], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        super().__init__(params, {**options, "nesterov": nesterov, "maximize": maximize})

    def check(self, options: dict[str, Any]) -> None:
        """Nesterov's step is defined for plain momentum only."""
        if options["nesterov"] and (options["momentum"] <= 0 or options["dampening"] != 0):
            raise ArgumentError("SGD: nesterov needs a momentum above 0 and no dampening")

    def update(self, value: np.ndarray, gradient: np.ndarray, state: dict[str, Any], options: dict[str, Any]) -> None:
        """One step of one parameter."""
        momentum, scratch = options["momentum"], self.scratch(value)
        direction = gradient
        if options["maximize"] or options["weight_decay"]:
            direction = self.prepared(value, gradient, options)
        if momentum:
            buffer = state.get("momentum_buffer")
            if buffer is None:
                buffer = state["momentum_buffer"] = np.copy(direction)
            else:
                buffer *= momentum
                buffer += np.multiply(direction, 1 - options["dampening"], out=scratch)
            if options["nesterov"]:
                np.multiply(buffer, momentum, out=scratch)
                direction = np.add(scratch, direction, out=scratch)
            else:
                direction = buffer
        value -= np.multiply(direction, options["lr"], out=scratch)
