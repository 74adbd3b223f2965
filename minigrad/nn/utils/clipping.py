"""Gradients kept from being too large."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.errors import AnomalyError, ArgumentError, describe
from minigrad.tensor import Tensor


def _gradients(parameters: "Tensor | Iterable[Tensor]") -> dict[str, np.ndarray]:
    """The gradients of those that have one, with words that say whose each is."""
    tensors = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    names = [f"number {i}" + (f", {p.name!r}" if p.name else "") for i, p in enumerate(tensors)]
    return {name: p.grad.data for name, p in zip(names, tensors, strict=True) if p.grad is not None}


def get_total_norm(
    tensors: "Tensor | Iterable[Any]", norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> float:
    """The norm of all elements of several Tensors taken together.

    Parameters
    ----------
    tensors : Tensor or iterable of Tensor
    norm_type : float
        Infinite for the largest absolute value.
    error_if_nonfinite : bool
        Raise AnomalyError if the norm is NaN or infinite.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.utils.get_total_norm([mg.tensor([3.0]), mg.tensor([4.0])])
    5.0
    """
    given = [tensors] if isinstance(tensors, Tensor) else tensors
    arrays = {f"number {i}": np.asarray(t.data if isinstance(t, Tensor) else t) for i, t in enumerate(given)}
    return _norm(arrays, norm_type, error_if_nonfinite)


def _norm(arrays: dict[str, np.ndarray], norm_type: float, error_if_nonfinite: bool) -> float:
    norm_type = float(norm_type)  # also "inf"
    norms = {name: float(np.linalg.norm(a.ravel(), norm_type)) for name, a in arrays.items() if a.size}
    total = float(np.linalg.norm(list(norms.values()), norm_type)) if norms else 0.0
    if error_if_nonfinite and not math.isfinite(total):
        # All may be finite, and only their sum not: then it is the largest that is at fault.
        bad = next((name for name, n in norms.items() if not math.isfinite(n)), max(norms, key=norms.__getitem__))
        raise AnomalyError(
            f"the norm of the gradients is {total}, and clipping would spread that to all of them; nothing was "
            f"changed. The first gradient at fault is {bad}: {describe(arrays[bad])}. detect_anomaly() finds the "
            "operation that it came from"
        )
    return total


def clip_grad_norm_(
    parameters: "Tensor | Iterable[Tensor]",
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    """Scale all gradients down, in place, by one factor, so that their norm is at most `max_norm`.

    R. Pascanu et al., "On the difficulty of training recurrent neural networks", ICML 2013.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Those without a gradient are passed over.
    max_norm : float
    norm_type : float
        Infinite for the largest absolute value.
    error_if_nonfinite : bool
        Raise AnomalyError, and change nothing, if the norm is NaN or infinite.

    Returns
    -------
    float
        The norm before.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([3.0, 4.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> mg.nn.utils.clip_grad_norm_([w], max_norm=1.0)
    10.0
    >>> w.grad.round(4)
    tensor([0.6, 0.8])
    """
    gradients = _gradients(parameters)
    total = _norm(gradients, norm_type, error_if_nonfinite)
    factor = max_norm / (total + 1e-6)
    if not factor >= 1:  # NaN included
        for g in gradients.values():
            g *= factor
    return total


def clip_grad_value_(parameters: "Tensor | Iterable[Tensor]", clip_value: float) -> None:
    """Cut all elements of all gradients, in place, to the interval from ``-clip_value`` to ``clip_value``.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([3.0, 0.1], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> mg.nn.utils.clip_grad_value_([w], 1.0)
    >>> w.grad
    tensor([1. , 0.2])
    """
    if not clip_value >= 0:
        raise ArgumentError(f"clip_grad_value_: clip_value must be at least 0, not {clip_value}")
    for g in _gradients(parameters).values():
        np.clip(g, -clip_value, clip_value, out=g)
