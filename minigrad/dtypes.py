"""The dtypes and constants of the Array API standard, and how dtypes combine.

Dtypes are NumPy's: ``mg.float32`` is ``np.dtype("float32")``, and equal to ``np.float32`` as well.
"""

import builtins
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from minigrad.core import Handle, unwrap
from minigrad.errors import ArgumentError, DTypeError, ShapeError

bool: np.dtype[Any] = np.dtype(np.bool_)
int8: np.dtype[Any] = np.dtype(np.int8)
int16: np.dtype[Any] = np.dtype(np.int16)
int32: np.dtype[Any] = np.dtype(np.int32)
int64: np.dtype[Any] = np.dtype(np.int64)
uint8: np.dtype[Any] = np.dtype(np.uint8)
uint16: np.dtype[Any] = np.dtype(np.uint16)
uint32: np.dtype[Any] = np.dtype(np.uint32)
uint64: np.dtype[Any] = np.dtype(np.uint64)
float32: np.dtype[Any] = np.dtype(np.float32)
float64: np.dtype[Any] = np.dtype(np.float64)
complex64: np.dtype[Any] = np.dtype(np.complex64)
complex128: np.dtype[Any] = np.dtype(np.complex128)

e, pi, inf, nan = math.e, math.pi, math.inf, math.nan
newaxis = None


class FloatLimits(NamedTuple):
    """What `finfo` returns."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: np.dtype[Any]


class IntegerLimits(NamedTuple):
    """What `iinfo` returns."""

    bits: int
    max: int
    min: int
    dtype: np.dtype[Any]


def _dtype(x: Any) -> np.dtype[Any]:
    """The dtype of an array, or the dtype that is meant by another name of it."""
    value = unwrap(x)
    found: np.dtype[Any] = value.dtype if isinstance(value, np.ndarray | np.generic) else np.dtype(value)
    return found


def finfo(type: DTypeLike | Handle, /) -> FloatLimits:
    """The limits of a floating-point dtype, in Python's numbers.

    Parameters
    ----------
    type : dtype or array
        Of a complex dtype, the limits are those of its two parts.

    Returns
    -------
    bits : int
    eps : float
        The difference between 1 and the next larger number.
    max, min : float
    smallest_normal : float
        The smallest positive number that is represented with full precision.
    dtype : dtype

    Raises
    ------
    DTypeError
        If it is not a floating-point or complex dtype.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.finfo(mg.float32).bits, mg.finfo(mg.complex128).eps
    (32, 2.220446049250313e-16)
    """
    dtype = _dtype(type)
    if dtype.kind not in "fc":
        raise DTypeError(f"finfo tells the limits of floating-point dtypes, and {dtype} is none: see iinfo")
    found = np.finfo(dtype)
    eps, largest, least, normal = map(float, (found.eps, found.max, found.min, found.smallest_normal))
    return FloatLimits(int(found.bits), eps, largest, least, normal, np.dtype(found.dtype))


def iinfo(type: DTypeLike | Handle, /) -> IntegerLimits:
    """The limits of an integer dtype, in Python's numbers.

    Parameters
    ----------
    type : dtype or array

    Returns
    -------
    bits, max, min : int
    dtype : dtype

    Raises
    ------
    DTypeError
        If it is not an integer dtype.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.iinfo(mg.int8).max
    127
    """
    dtype = _dtype(type)
    if dtype.kind not in "iu":
        raise DTypeError(f"iinfo tells the limits of integer dtypes, and {dtype} is none: see finfo")
    found = np.iinfo(dtype)
    return IntegerLimits(int(found.bits), int(found.max), int(found.min), dtype)


def isdtype(dtype: DTypeLike, kind: Any) -> builtins.bool:
    """Whether a dtype is of a kind.

    Parameters
    ----------
    dtype : dtype
    kind : str, dtype, or tuple of them
        "bool", "signed integer", "unsigned integer", "integral", "real floating", "complex floating" or "numeric"; a
        dtype means itself, and a tuple any of its members.

    Raises
    ------
    ArgumentError
        If there is no such kind.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.isdtype(mg.float32, "real floating"), mg.isdtype(mg.int8, ("bool", mg.int16))
    (True, False)
    """
    try:
        return np.isdtype(np.dtype(dtype), kind)
    except ValueError as error:
        raise ArgumentError(f"isdtype: {error}") from error


def result_type(*arrays_and_dtypes: Any) -> np.dtype[Any]:
    """The dtype of a result that is computed from these arrays, dtypes and numbers.

    Python's numbers are weak: they decide a kind, and not how many bits.

    Raises
    ------
    ArgumentError
        If nothing is given.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.result_type(mg.float32, mg.float64), mg.result_type(mg.float32, 1.0)
    (dtype('float64'), dtype('float32'))
    """
    if not arrays_and_dtypes:
        raise ArgumentError("result_type needs an array or a dtype at least")
    return np.result_type(*map(unwrap, arrays_and_dtypes))


def can_cast(from_: DTypeLike | Handle, to: DTypeLike, /) -> builtins.bool:
    """Whether each number of a dtype, or of an array's, is also one of another dtype.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.can_cast(mg.float32, mg.float64), mg.can_cast(mg.tensor([1.0]), mg.float32)
    (True, False)
    """
    return np.can_cast(_dtype(from_), np.dtype(to))


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a result that is computed elementwise from arrays of these shapes.

    Raises
    ------
    ShapeError
        If they do not fit.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError as error:
        raise ShapeError(f"broadcast_shapes of {', '.join(map(str, shapes))}: {error}") from error
