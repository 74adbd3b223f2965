"""NumPy's functions called with arguments that the Array API's do not have.

What stands for a function in the commonest calls is registered where the operation is.  Here are the calls with
more: masks and initial values of reductions, dtypes to compute in, orders of elements, other forms of the arguments.
Memory to write to, and the like, nobody takes, and so the call is refused.
"""

import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.core import Array, implements, primitive
from minigrad.errors import ArgumentError, ShapeError
from minigrad.errors.numpy_functions import unsupported_arguments
from minigrad.ops import elementwise, indexing, linalg, reductions, shaping
from minigrad.ops.arguments import mask_of, operand, settled, value_of
from minigrad.ops.assembling import converted
from minigrad.ops.axes import Axis, one_axis, several_axes
from minigrad.ops.names import implements_by_name, with_all_arguments
from minigrad.ops.statistics import floating, masked_mean

# Reductions


def masked(a: Array, where: Any, neutral: Any) -> Array:
    """`a`, and where the mask does not hold a number that changes no result."""
    return a if where is True else elementwise.where(np.broadcast_to(mask_of(where), np.shape(a)), a, neutral)


def _as(dtype: Any, a: Array) -> Array:
    return a if dtype is None else shaping.astype(operand(a, "astype"), dtype)


@with_all_arguments(np.sum)
def _sum(
    a: Array, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False, initial: Array | None = None,
    where: Any = True,
) -> Array:  # fmt: skip
    total = reductions.sum(masked(a, where, 0), axis, dtype=dtype, keepdims=keepdims)
    return total if initial is None else total + _as(total.dtype, initial)


@with_all_arguments(np.prod)
def _prod(
    a: Array, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False, initial: Array | None = None,
    where: Any = True,
) -> Array:  # fmt: skip
    product = reductions.prod(masked(a, where, 1), axis, dtype=dtype, keepdims=keepdims)
    return product if initial is None else product * _as(product.dtype, initial)


@with_all_arguments(np.mean)
def _mean(a: Array, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False, where: Any = True) -> Array:
    a = _as(dtype, a)
    if where is True:
        return reductions.mean(a, axis, keepdims=keepdims)
    value = masked_mean(floating(a), where, axis)
    return value if keepdims else shaping.squeeze(value, several_axes(axis, np.ndim(a), "mean"))


def _extreme(largest: Any, larger: Any) -> Any:
    name = largest.__name__

    def extreme(
        a: Array, axis: Axis = None, *, keepdims: bool = False, initial: Array | None = None, where: Any = True
    ) -> Array:
        if initial is None:
            if where is not True:
                raise ArgumentError(f"{name}: where nothing is left by the mask the result is `initial`, so give one")
            return largest(a, axis, keepdims=keepdims)
        initial = _as(a.dtype, initial)
        if any(a.shape[i] == 0 for i in several_axes(axis, a.ndim, name)):
            return reductions.sum(a, axis, keepdims=keepdims) + initial
        return larger(largest(masked(a, where, initial), axis, keepdims=keepdims), initial)

    return extreme


with_all_arguments(np.max, np.amax)(_extreme(reductions.max, elementwise.maximum))
with_all_arguments(np.min, np.amin)(_extreme(reductions.min, elementwise.minimum))


@with_all_arguments(np.any)
def _any(a: Array, axis: Axis = None, *, keepdims: bool = False, where: Any = True) -> Array:
    return reductions.any(masked(a, where, False), axis, keepdims=keepdims)


@with_all_arguments(np.all)
def _all(a: Array, axis: Axis = None, *, keepdims: bool = False, where: Any = True) -> Array:
    return reductions.all(masked(a, where, True), axis, keepdims=keepdims)


# Elements

implements(np.around)(elementwise.round)
implements(np.fix)(elementwise.trunc)


@primitive(cost=1)
def _is_nearly_real(a: Array, /, *, tol: float) -> Array:
    """Whether `numpy.real_if_close` drops the imaginary part."""
    return np.bool_(np.isrealobj(np.real_if_close(a, tol)))


@implements(np.real_if_close)
def _real_if_close(a: Array, tol: float = 100) -> Array:
    return elementwise.real(a) if settled(_is_nearly_real(a, tol=tol)) else a


@with_all_arguments(np.clip)
def _clip(
    a: Array, a_min: Array | None = None, a_max: Array | None = None, *, min: Array | None = None,
    max: Array | None = None, dtype: Any = None,
) -> Array:  # fmt: skip
    if (a_min is not None and min is not None) or (a_max is not None and max is not None):
        raise ArgumentError("clip: a_min and min (a_max and max) are names of one bound; give it once")
    low, high = min if a_min is None else a_min, max if a_max is None else a_max
    return elementwise.clip(_as(dtype, a), low, high)


@with_all_arguments(np.where)
def _where(condition: Array, /) -> tuple[Array, ...]:
    return np.nonzero(condition)


@with_all_arguments(np.take)
def _take(a: Array, indices: Any, axis: int | None = None, *, mode: str | None = "raise") -> Array:
    if mode not in ("raise", "wrap", "clip", None):
        raise ArgumentError(f"take: mode is 'raise', 'wrap' or 'clip', not {mode!r}")
    length = np.size(a) if axis is None else np.shape(a)[one_axis(axis, np.ndim(a), "take")]
    indices = value_of(indices)
    if mode == "wrap":
        indices = indices % length
    elif mode == "clip":
        indices = np.clip(indices, 0, length - 1)
    return indexing.take(a, indices, axis=axis)


# Shapes


@with_all_arguments(np.reshape)
def _reshape(
    a: Array, shape: Any = None, order: str | None = "C", *, newshape: Any = None, copy: bool | None = None
) -> Array:
    shape = newshape if shape is None else shape  # NumPy 2.0 has the name newshape alone
    if order in ("C", None):
        return shaping.reshape(a, shape, copy=copy)
    if order != "F" or copy is False:
        raise unsupported_arguments("numpy.reshape", ["order"])
    reverse = tuple(np.atleast_1d(shape).tolist())[::-1]
    return np.transpose(shaping.reshape(np.transpose(a), reverse))


@with_all_arguments(np.ravel)
def _ravel(a: Array, order: str | None = "C") -> Array:
    return _reshape(a, -1, order)


# Products


@with_all_arguments(np.trace)
def _trace(a: Array, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Array:
    return linalg.trace(_as(dtype, a), offset, axis1, axis2)


@implements(np.einsum)
def _einsum(*operands: Any, optimize: Any = False, dtype: Any = None, casting: Any = "safe") -> Array:
    """With arrays and lists of indices in turn too, as in ``einsum(a, [0, 1], b, [1, 2], [0, 2])``."""
    if isinstance(operands[0], str):
        subscripts, *arrays = operands
    else:
        arrays, subscripts = list(operands[:-1:2]), ",".join(map(_letters, operands[1::2]))
        if len(operands) % 2:
            subscripts += "->" + _letters(operands[-1])
    return linalg.einsum(subscripts, *converted(arrays, dtype, casting))


def _letters(indices: Sequence[Any]) -> str:
    return "".join("..." if index is Ellipsis else string.ascii_letters[index] for index in indices)


@implements(np.inner)
def _inner(a: Array, b: Array, /) -> Array:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    return linalg.tensordot(a, b, axes=(-1, -1))


@implements(np.vdot)
def _vdot(a: Array, b: Array, /) -> Array:
    return linalg.vecdot(shaping.reshape(a, -1), shaping.reshape(b, -1))


@implements_by_name("numpy.matvec")
def _matvec(x1: Array, x2: Array, /) -> Array:
    return np.squeeze(linalg.matmul(x1, np.expand_dims(x2, -1)), -1)


@implements_by_name("numpy.vecmat")
def _vecmat(x1: Array, x2: Array, /) -> Array:
    return np.squeeze(linalg.matmul(np.expand_dims(elementwise.conj(x1), -2), x2), -2)


@implements(np.diag)
def _diag(v: Array, k: int = 0) -> Array:
    """The diagonal of a matrix, or a matrix with a diagonal."""
    if np.ndim(v) == 2:
        return linalg.diagonal(v, k)
    if np.ndim(v) != 1:
        raise ShapeError(f"diag is for vectors and matrices, and this array has shape {np.shape(v)}")
    i, n = np.arange(np.size(v)), np.size(v) + abs(k)
    return indexing.setitem(np.zeros((n, n), v.dtype), v, index=(i + max(-k, 0), i + max(k, 0)))


@implements(np.diagflat)
def _diagflat(v: Array, k: int = 0) -> Array:
    return _diag(shaping.reshape(v, -1), k)
