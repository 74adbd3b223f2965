"""Operands as people give them: numbers, lists and foreign arrays, made ndarrays of numbers."""

import functools
from typing import Any

import numpy as np

from minigrad.errors import DTypeError, ShapeError
from minigrad.errors.operations import not_numbers, other_arithmetic


def numeric(data: Any, what: str, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    """Data as an array of numbers; `what` it is for, for the message."""
    if isinstance(dtype, bool):
        raise DTypeError(f"{what} cannot have the dtype {dtype}: is requires_grad={dtype} meant, or dtype=bool?")
    try:
        array = np.array(data, dtype=dtype, copy=copy)
    except ValueError as error:
        if "inhomogeneous" in str(error):
            raise ShapeError(
                f"{what} cannot be made of a {type(data).__name__} whose rows differ in length: pad the rows to one "
                "length, or keep an array for each"
            ) from error
        raise DTypeError(f"{what} cannot be made of {type(data).__name__}: {error}") from error
    if array.dtype.kind not in "biufc":
        raise not_numbers(data, array, what)
    require_plain(data, what)
    return array


def numeric_operand(operand: Any, name: str) -> np.ndarray:
    """A list, tuple or foreign array as an ndarray."""
    return numeric(operand, f"{name}: an operand")


def require_plain(data: Any, what: str) -> None:
    """Raise if the arithmetic of an array, or of one in a list of arrays, is not that of ndarrays."""
    arrays = data if isinstance(data, list | tuple) and data and isinstance(data[0], np.ndarray) else (data,)
    classes: set[Any] = {type(x) for x in arrays if isinstance(x, np.ndarray)}
    for cls in filter(_has_own_arithmetic, classes):
        raise other_arithmetic(cls, what)


# What a subclass of ndarray defines anew if its elements are more than the numbers that they are stored as.
_ARITHMETIC = (
    "__array_ufunc__", "__array_function__", "__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__",
    "__truediv__", "__rtruediv__", "__pow__", "__matmul__", "__rmatmul__", "__neg__", "__abs__",
)  # fmt: skip


@functools.cache
def _has_own_arithmetic(cls: Any) -> bool:
    return any(getattr(cls, name) is not getattr(np.ndarray, name) for name in _ARITHMETIC)


# Operands that pass as they are

# NumPy's kinds of numbers, and operands that pass as they are.  Python's numbers are among them: NumPy treats their
# dtype as weak.
NUMBERS = frozenset("biufc")
PLAIN = {np.ndarray, bool, int, float, complex} | {np.dtype(code).type for code in "?bBhHiIlLqQefdgFDG"}


def require_numbers(name: str, *args: Any) -> None:
    """Raise for an array of something else than numbers."""
    for x in args:
        if x.__class__ is np.ndarray and x.dtype.kind not in NUMBERS:
            numeric_operand(x, name)  # which raises
