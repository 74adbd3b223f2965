"""NumPy's functions that become complex where the real ones are not defined: those of ``numpy.emath``."""

from collections.abc import Callable

import numpy as np

from minigrad.core import Array, implements
from minigrad.ops.arguments import operand, settled, unrecorded
from minigrad.ops.elementwise import abs, acos, acosh, asin, atanh, divide, log, log2, log10, pow, sign, sqrt, where
from minigrad.ops.shaping import astype


def _negative(x: np.ndarray) -> Array:
    return x < 0


def _large(x: np.ndarray) -> Array:
    return np.absolute(x) > 1


def _wide(x: Array, outside: Callable[[np.ndarray], Array]) -> Array:
    """The elements as complex numbers if one of them lies outside."""
    x = operand(x, "emath")
    if x.dtype.kind == "c" or not settled(np.any(outside(unrecorded(x)))):
        return x
    return astype(x, np.result_type(x.dtype, np.complex64))


def _widely(function: Callable[[Array], Array], outside: Callable[[np.ndarray], Array]) -> Callable[[Array], Array]:
    def call(x: Array) -> Array:
        return function(_wide(x, outside))

    return call


implements(np.emath.sqrt)(_widely(sqrt, _negative))
implements(np.emath.log)(_widely(log, _negative))
implements(np.emath.log2)(_widely(log2, _negative))
implements(np.emath.log10)(_widely(log10, _negative))
implements(np.emath.arctanh)(_widely(atanh, _large))


@implements(np.emath.logn)
def _logn(n: Array, x: Array) -> Array:
    return divide(log(_wide(x, _negative)), log(_wide(n, _negative)))


@implements(np.emath.power)
def _power(x: Array, p: Array) -> Array:
    p = operand(p, "emath")
    if p.dtype.kind in "iu" and settled(np.any(unrecorded(p) < 0)):
        p = astype(p, float)
    return pow(_wide(x, _negative), p)


# The real axis outside -1 and 1 is where the complex functions jump.  So that the derivative is the one along the axis,
# they are made of real ones there.


def _beyond(x: Array, outside: np.ndarray) -> Array:
    """What arcsine has outside in excess of its value at 0, and arccosine the negative of it."""
    return sign(x) * outside * (np.pi / 2) + 1j * (acosh(where(outside, abs(x), 2)) * outside)


@implements(np.emath.arcsin)
def _arcsin(x: Array) -> Array:
    x = operand(x, "arcsin")
    outside = _large(unrecorded(x))
    if x.dtype.kind == "c" or not settled(np.any(outside)):
        return asin(x)
    return asin(where(outside, 0, x)) + _beyond(x, outside)


@implements(np.emath.arccos)
def _arccos(x: Array) -> Array:
    x = operand(x, "arccos")
    outside = _large(unrecorded(x))
    if x.dtype.kind == "c" or not settled(np.any(outside)):
        return acos(x)
    return acos(where(outside, 0, x)) - _beyond(x, outside)
