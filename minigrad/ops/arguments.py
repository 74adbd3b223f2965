"""Arguments as people give them: lists that stand for arrays, and Tensors of which only the value is asked."""

from typing import Any

import numpy as np

from minigrad.core import PLAIN, Array, Handle
from minigrad.errors import DTypeError, as_operand


def operand(x: Any, name: str) -> Array:
    """A Tensor or an array as it is, everything else as an array; `name` is the operation, for the message."""
    return x if isinstance(x, Handle | np.ndarray | np.generic) else as_operand(x, name)


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
