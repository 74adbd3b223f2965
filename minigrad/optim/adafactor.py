"""Adafactor: running means of squared gradients kept by rows and columns only."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.ops.numbers import larger, length, root, smaller
from minigrad.optim.optimizer import Optimizer
from minigrad.options import real_number
from minigrad.tensor import Tensor


class Adafactor(Optimizer):
    """Adafactor (N. Shazeer and M. Stern, "Adafactor: adaptive learning rates with sublinear memory cost", ICML 2018).

    Of a matrix of squared gradients the running means of rows and columns are kept, whose product stands for it.  Steps
    are relative to the root mean square of the parameter, and limited in their own.

    The other parameters are those of `SGD`.

    Parameters
    ----------
    lr : float
        The largest relative step; it is also at most ``1 / sqrt(t)`` at step ``t``.
    beta2_decay : float
        The running means of step ``t`` keep ``1 - t ** beta2_decay``.
    eps : pair of float
        The least mean square (by default the machine epsilon of the dtype), and the least root mean square of a
        parameter.
    d : float
        The largest root mean square of a step, before it is scaled.
    weight_decay : float
        The parameter is multiplied by ``1 - lr * weight_decay``.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([[4.0, -2.0], [1.0, 3.0]], requires_grad=True)
    >>> optimizer = mg.optim.Adafactor([w])
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> optimizer.state[w]["row_var"].shape, optimizer.state[w]["col_var"].shape
    ((2, 1), (1, 2))
    """

    nonnegative = ("lr", "d", "weight_decay")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay}
        super().__init__(params, {**options, "maximize": maximize, "decoupled_weight_decay": True})

    def check(self, options: dict[str, Any]) -> None:
        """The bounds must be bounds, and the running means must come to rest."""
        first, second = options["eps"]
        if first is not None:
            real_number(first, "Adafactor: eps[0]", least=0)
        real_number(second, "Adafactor: eps[1]", least=0)
        real_number(options["beta2_decay"], "Adafactor: beta2_decay", most=0)
        real_number(options["d"], "Adafactor: d", least=1)

    def initial_state(self, value: np.ndarray, options: dict[str, Any]) -> dict[str, Any]:
        """The state before the first step."""
        names = ("row_var", "col_var") if value.ndim > 1 else ("variance",)
        return {"step": 0, **{name: np.zeros(_shape(name, value.shape), value.dtype) for name in names}}

    def update(self, value: np.ndarray, gradient: np.ndarray, state: dict[str, Any], options: dict[str, Any]) -> None:
        """One step of one parameter."""
        state["step"] += 1
        if not value.size:
            return
        least, floor = options["eps"]
        least = float(np.finfo(value.dtype).eps) if least is None else least
        count, step, scratch = math.sqrt(max(value.size, 1)), state["step"], self.scratch(value)
        size = larger(floor, length(value) / count) * smaller(options["lr"], 1 / root(step))
        gradient = self.prepared(value, gradient, options)
        share = step ** options["beta2_decay"]
        np.multiply(gradient, gradient, out=scratch)
        if value.ndim > 1:
            rows, columns = state["row_var"], state["col_var"]
            for running, axis in ((rows, -1), (columns, -2)):
                running *= 1 - share
                mean = np.mean(scratch, axis=axis, keepdims=True, out=self.scratch(running, "mean"))
                mean *= share
                running += mean
            np.multiply(rows, columns, out=scratch)
            shape = (*value.shape[:-2], 1, 1)
            whole = np.mean(rows, axis=-2, keepdims=True, out=self.scratch(rows, "whole", shape))
            scratch /= np.maximum(whole, least, out=whole)
        else:
            running = state["variance"]
            running *= 1 - share
            scratch *= share
            running += scratch
            scratch[...] = running
        np.maximum(scratch, least * least, out=scratch)
        np.sqrt(scratch, out=scratch)
        np.divide(gradient, scratch, out=scratch)
        scratch *= size / larger(1.0, length(scratch) / (count * options["d"]))
        value -= scratch

    def shape_of(self, name: str, parameter: Tensor) -> tuple[int, ...]:
        """Rows and columns have a number each."""
        return _shape(name, parameter.shape)


def _shape(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    return {"row_var": (*shape[:-1], 1), "col_var": (*shape[:-2], 1, *shape[-1:])}.get(name, shape)
