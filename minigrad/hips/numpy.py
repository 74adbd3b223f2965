"""`autograd.numpy`: NumPy, whose functions take Tensors, and whose `array` takes lists of them, too."""

from typing import Any

import numpy as _numpy

from minigrad.core import as_operand as _as_operand
from minigrad.core import holds_tensor
from minigrad.ops.shaping import astype as _astype
from minigrad.tensor import Tensor as _Tensor

__all__ = ["array"]


def array(data: Any, dtype: Any = None, *args: Any, **named: Any) -> Any:
    """An array of numbers, of Tensors, or of nested lists of these."""
    if not isinstance(data, _Tensor) and not holds_tensor(data):
        return _numpy.array(data, dtype, *args, **named)
    made = data if isinstance(data, _Tensor) else _as_operand(data, "array")
    return made if dtype is None else _astype(made, _numpy.dtype(dtype))


def __getattr__(name: str) -> Any:
    return getattr(_numpy, name)
