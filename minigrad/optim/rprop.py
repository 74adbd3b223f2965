"""Rprop: steps by the sign of the gradient alone."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.errors import ArgumentError
from minigrad.optim.optimizer import Optimizer


class Rprop(Optimizer):
    """Resilient backpropagation (M. Riedmiller and H. Braun, 1993).

    Each element has a step size of its own, which grows while the sign of its gradient stays, and shrinks when it
    changes; then the element stands still once.  For gradients of the whole data, not of batches.

    The other parameters are those of `SGD`.

    Parameters
    ----------
    lr : float
        The first step size.
    etas : pair of float
        By what step sizes shrink and grow.
    step_sizes : pair of float
        The least and the largest step size.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([4.0, -2.5], requires_grad=True)
    >>> optimizer = mg.optim.Rprop([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 3.9, -2.4], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "etas": etas, "step_sizes": step_sizes, "maximize": maximize})

    def check(self, options: dict[str, Any]) -> None:
        """Step sizes must shrink and grow within bounds."""
        (less, more), (least, most) = options["etas"], options["step_sizes"]
        if not (0 < less < 1 < more and 0 <= least <= most):
            raise ArgumentError(
                f"Rprop: etas must be below and above 1 and step_sizes rise, not {options['etas']} and "
                f"{options['step_sizes']}"
            )

    def initial_state(self, value: np.ndarray, options: dict[str, Any]) -> dict[str, Any]:
        """The state before the first step."""
        return {"step": 0, "prev": np.zeros_like(value), "step_size": np.full_like(value, options["lr"])}

    def update(self, value: np.ndarray, gradient: np.ndarray, state: dict[str, Any], options: dict[str, Any]) -> None:
        """One step of one parameter."""
        state["step"] += 1
        less, more = options["etas"]
        before, size, agreement = state["prev"], state["step_size"], self.scratch(value)
        gradient = self.prepared(value, gradient, options)
        np.sign(np.multiply(gradient, before, out=agreement), out=agreement)
        before[...] = gradient
        # The agreement is -1, 0 or 1.  Where it is -1, the gradient is taken for 0, also in the next step.
        factor = self.scratch(value, "factor")
        np.minimum(agreement, 0, out=factor)
        factor += 1
        before *= factor
        # less, 1 or more: a parabola through the three.
        np.multiply(agreement, (more + less) / 2 - 1, out=factor)
        factor += (more - less) / 2
        factor *= agreement
        factor += 1
        size *= factor
        smallest, largest = options["step_sizes"]
        np.maximum(size, smallest, out=size)
        np.minimum(size, largest, out=size)
        np.sign(before, out=agreement)
        agreement *= size
        value -= agreement
