"""What a History reads in a step: numbers, parameters by their names, and the norms of gradients."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from minigrad.core import unwrap
from minigrad.errors.optimizers import no_single_number
from minigrad.nn.module import Module
from minigrad.nn.utils.clipping import _norm
from minigrad.tensor import Tensor

# A sum of squares that is larger has lost no digits to numbers too small for their dtype.
_LEAST = {np.dtype(kind): float(np.finfo(kind).tiny / np.finfo(kind).eps) for kind in (np.float32, np.float64)}


def is_named(model: Any) -> bool:
    """Whether these are Tensors by their names."""
    return isinstance(model, Mapping) and all(isinstance(x, Tensor) for x in model.values())


def named_tensors(model: Any) -> Iterable[tuple[str, Tensor]]:
    """The parameters of a model, each once, or the Tensors of a mapping."""
    return model.named_parameters() if isinstance(model, Module) else ((str(n), p) for n, p in model.items())


def gradient_of(parameter: Tensor | None) -> np.ndarray | None:
    """The gradient of a leaf, if it has one; to ask a frozen one, or a result, is not worth a warning here."""
    if parameter is None or not parameter.is_leaf or not parameter.requires_grad or parameter.grad is None:
        return None
    return parameter.grad.array


@np.errstate(all="ignore")
def norm_of(gradient: np.ndarray) -> float:
    """The norm: quickly, where no square can have been too large or too small for its dtype."""
    least = _LEAST.get(gradient.dtype)
    if least is not None:
        vector = gradient.ravel()
        square = float(np.dot(vector, vector))
        if least < square < math.inf:
            return math.sqrt(square)
    scale, norm = _norm({"": gradient}, 2.0, error_if_nonfinite=False)
    return scale * norm


def single_number(function: str, name: str, value: Any) -> float:
    """One real number, as a float: what follows from it is no part of a graph."""
    array = np.asarray(unwrap(value))
    if array.dtype.kind not in "biuf" or array.size != 1:
        raise no_single_number(f"History.{function}", name, array)
    return float(array.reshape(()))
