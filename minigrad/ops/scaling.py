"""Numbers whose powers, sums or counts have no place in their dtype, though what is computed of them has."""

from collections.abc import Callable
from functools import cache

import numpy as np

from minigrad.core import Array
from minigrad.ops.axes import Axis
from minigrad.ops.shaping import _astype

_HALF, _SINGLE = np.dtype(np.float16), np.dtype(np.float32)


def widened(x: Array) -> Array:
    """Half precision as float32: it ends at 65504, which many counts exceed, and 2049 has no place in it."""
    return _astype(x, dtype=_SINGLE) if x.dtype == _HALF else x


def narrowed(y: Array, x: Array) -> Array:
    """What was computed in float32, in half precision again if `x` has it."""
    return _astype(y, dtype=_HALF) if x.dtype == _HALF else y


@cache
def _edge(dtype: np.dtype, power: float) -> np.floating:
    """The length whose power is so near to the least number of the dtype that digits are lost."""
    limits = np.finfo(dtype)
    with np.errstate(over="ignore", under="ignore"):
        return dtype.type(np.power(np.float64(limits.tiny / limits.eps), 1 / power))


def scaled(measure: Callable[[Array], Array], x: Array, axis: Axis, power: float) -> Array:
    """Lengths along an axis, which stays with length 1, also where the powers they are made of over- or underflow.

    The lengths are proportional to `x`, so they may be computed of elements by the size of the one that counts most.

    Parameters
    ----------
    measure : callable
        The lengths of an array: NumPy's function, which computes with powers.
    x : array
    axis : int, tuple of int or None
    power : float
        The exponent of the powers, not 0.
    """
    x = np.asanyarray(x)
    wide = widened(x)
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        value = measure(wide)
    edge = _edge(value.dtype, power)
    unsure = ~((value >= edge) & (value < np.inf) if power > 0 else (value <= edge) & (value > 0))
    if unsure.any() and x.size:
        sizes = np.absolute(wide)
        scale = (np.max if power > 0 else np.min)(sizes, axis=axis, keepdims=True)
        unsure &= (scale > 0) & (scale < np.inf)
        if unsure.any():
            scale = np.where(unsure, scale, 1)
            value = np.where(unsure, scale * measure(wide / scale), value)
    return narrowed(value, x)
