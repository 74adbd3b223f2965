"""Arguments as people give them: lists that stand for arrays, and Tensors of which only the value is asked."""

from typing import Any

import numpy as np

from minigrad.core import PLAIN, Array, Handle, numpy_functions
from minigrad.errors import DTypeError, as_operand


def operand(x: Any, name: str) -> Array:
    """A Tensor or an array as it is, a list with Tensors in it as a Tensor, everything else as an array.

    `name` is the operation, for the message.
    """
    if isinstance(x, Handle | np.ndarray | np.generic):
        return x
    return numpy_functions[np.asarray](x) if holds_tensor(x) else as_operand(x, name)


def holds_tensor(x: Any) -> bool:
    """Whether it is a Tensor, or a list with a Tensor in it."""
    return isinstance(x, Handle) or (type(x) in (list, tuple) and any(map(holds_tensor, x)))


def weak(x: Any, name: str) -> Array:
    """The same, but a Python number stays one, so that it decides no dtype."""
    return x if x.__class__ in PLAIN else operand(x, name)


def value_of(x: Any) -> np.ndarray:
    """What a Tensor or anything else holds, as an array without a history."""
    return np.asarray(x.data if isinstance(x, Handle) else x)


def require_order(x: Array, name: str) -> None:
    """Raise for complex numbers, none of which is the larger of two."""
    if x.dtype.kind == "c":
        raise DTypeError(f"{name}: complex numbers have no order: take their abs, or the real part")
