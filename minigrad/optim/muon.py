"""Muon: momentum made orthogonal."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.errors import ArgumentError
from minigrad.ops.numbers import larger, length
from minigrad.optim.optimizer import Optimizer, average_in
from minigrad.options import one_of


class Muon(Optimizer):
    """Muon (K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024).

    The momentum of a matrix is replaced by the nearest orthogonal matrix, found by a few steps of Newton and Schulz's
    iteration.  For the matrices inside a network; biases, embeddings and the last layer go to another optimizer.

    The other parameters are those of `SGD`.

    Parameters
    ----------
    params : iterable of Tensor, or iterable of dict
        Matrices.
    weight_decay : float
        The parameter is multiplied by ``1 - lr * weight_decay``.
    ns_coefficients : triple of float
        Of the iteration's polynomial ``a * x + b * x**3 + c * x**5``.
    eps : float
        The least norm that a matrix is divided by.
    ns_steps : int
        How many steps of the iteration are made, in the dtype of the parameter (PyTorch makes them in bfloat16).
    adjust_lr_fn : {None, "original", "match_rms_adamw"}
        How the rate depends on the shape of the matrix: by ``sqrt(max(1, rows / columns))``, or by
        ``0.2 * sqrt(max(rows, columns))``, so that the rate and weight decay of AdamW fit.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([[4.0, 0.0], [0.0, 2.5]], requires_grad=True)
    >>> optimizer = mg.optim.Muon([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.shape
    (2, 2)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        options: dict[str, Any] = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "eps": eps,
        }
        options |= {"ns_coefficients": ns_coefficients, "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn}
        super().__init__(params, {**options, "maximize": False, "decoupled_weight_decay": True})

    def check(self, options: dict[str, Any]) -> None:
        """All parameters must be matrices."""
        for i, p in enumerate(options["params"]):
            if p.ndim != 2:
                raise ArgumentError(
                    f"Muon is for matrices, and parameter {i} has shape {p.shape}: give it to another optimizer"
                )
        one_of(options["adjust_lr_fn"], "Muon: adjust_lr_fn", (None, "original", "match_rms_adamw"))

    fixed = ("ns_steps",)

    def initial_state(self, value: np.ndarray, options: dict[str, Any]) -> dict[str, Any]:
        """The state before the first step."""
        return {"momentum_buffer": np.zeros_like(value)}

    def update(self, value: np.ndarray, gradient: np.ndarray, state: dict[str, Any], options: dict[str, Any]) -> None:
        """One step of one parameter."""
        buffer, scratch, momentum = state["momentum_buffer"], self.scratch(value), options["momentum"]
        gradient = self.prepared(value, gradient, options)
        average_in(buffer, gradient, momentum, scratch)
        direction = self.scratch(value, "direction")
        if options["nesterov"]:
            np.multiply(buffer, momentum, out=direction)
            direction += np.multiply(gradient, 1 - momentum, out=scratch)
        else:
            direction[...] = buffer
        rows, columns = value.shape
        self._orthogonalize(direction, options)
        ratio = math.sqrt(max(1, rows / max(columns, 1)))
        if options["adjust_lr_fn"] == "match_rms_adamw":
            ratio = 0.2 * math.sqrt(max(rows, columns))
        direction *= options["lr"] * ratio
        value -= direction

    def _orthogonalize(self, matrix: np.ndarray, options: dict[str, Any]) -> None:
        """Move the singular values of a matrix close to 1, in place."""
        matrix /= larger(length(matrix), options["eps"])
        a, b, c = options["ns_coefficients"]
        high = len(matrix) > matrix.shape[1]  # the products are taken on the shorter side
        x = self.scratch(matrix.T if high else matrix, "x")
        x[...] = matrix.T if high else matrix
        scratch = self.scratch(x, "product")
        square, fourth = (self.scratch(x, power, (len(x), len(x))) for power in ("square", "fourth"))
        for _ in range(options["ns_steps"]):
            np.matmul(x, x.T, out=square)
            np.matmul(square, square, out=fourth)
            fourth *= c
            square *= b
            fourth += square
            np.matmul(fourth, x, out=scratch)
            x *= a
            x += scratch
        matrix[...] = x.T if high else x
