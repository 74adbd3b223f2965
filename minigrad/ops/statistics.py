"""NumPy's averages, variances and correlations, and the same of the elements that a mask leaves."""

import warnings
from functools import partial
from typing import Any

import numpy as np

from minigrad.core import Array, Handle, implements, numpy_keywords, traced
from minigrad.errors import ArgumentError, ShapeError
from minigrad.ops import reductions
from minigrad.ops.arguments import checked, mask_of, operand, settled, unrecorded
from minigrad.ops.axes import Axis, several_axes
from minigrad.ops.elementwise import clip, conj, imag, real, sqrt, where
from minigrad.ops.linalg import diagonal, matmul, vector_norm
from minigrad.ops.reductions import centred, max, mean, min, sum
from minigrad.ops.scaling import narrowed, widened
from minigrad.ops.shaping import astype, broadcast_to, concat, permute_dims, reshape, squeeze


def warn(message: str, frames: int = 3) -> None:
    """What NumPy says of a result that is not a number, at the line of the caller's caller's caller."""
    warnings.warn(message, RuntimeWarning, stacklevel=frames + 1)


def floating(x: Array) -> Array:
    """Integers and bools as float64."""
    return x if x.dtype.kind in "fc" else astype(x, float)


# Moments of the elements where a mask holds.  What the mask leaves out is never multiplied, only not selected, so its
# NaN and infinities reach neither result nor gradient.


def count(mask: Any, x: Array, axis: Axis) -> Array:
    """How many elements the mask leaves along an axis, which stays with length 1, in the real dtype of `x`."""
    chosen = np.broadcast_to(mask_of(mask), x.shape)
    return sum(chosen, axis=axis, keepdims=True, dtype=np.finfo(widened(x).dtype).dtype)


def degrees(mask: Any, x: Array, axis: Axis, less: float) -> Array:
    """Degrees of freedom: how many elements the mask leaves, less a correction."""
    number = count(mask, x, axis)
    return number - number.dtype.type(less)


def masked_mean(x: Array, mask: Any, axis: Axis) -> Array:
    """Mean of the elements where the mask holds, along an axis, which stays with length 1; of none, NaN."""
    number = count(mask, x, axis)
    total = sum(where(mask, widened(x), 0), axis=axis, keepdims=True) / np.where(number == 0, np.nan, number)
    return narrowed(total, x)


def deviations(x: Array, mask: Any, axis: Axis, centre: Array | None) -> Array:
    """Distances of the elements where the mask holds from their mean, or from another centre; 0 for the others."""
    if centre is None:
        return centred(x, mask if mask is True else unrecorded(mask), axis=axis)
    return where(mask, x - centre, 0)


def sum_of_squares(x: Array, axis: Axis) -> Array:
    """Sum of squared absolute values along an axis, which stays with length 1."""
    return sum(real(x * conj(x)) if x.dtype.kind == "c" else x * x, axis=axis, keepdims=True)


def correction_of(ddof: float, correction: float | None, name: str) -> float:
    """How much less than the number of elements to divide by, of which NumPy and the standard have each a name."""
    if correction is None:
        return ddof
    if ddof != 0:
        raise ArgumentError(f"{name}: ddof={ddof} and correction={correction} say the same; give one of them")
    return correction


@implements(np.var)
def var(
    a: Array, axis: Axis = None, dtype: Any = None, *, ddof: float = 0, keepdims: bool = False, where: Any = True,
    mean: Any = None, correction: float | None = None,
) -> Array:  # fmt: skip
    """Variance over one axis, several, or all, with all arguments that `numpy.var` has, but `out`."""
    a, less = operand(a, "var"), correction_of(ddof, correction, "var")
    x = floating(a) if dtype is None else astype(a, dtype)
    if where is True and mean is None and x.dtype.kind == "f":
        return reductions.var(x, axis, correction=less, keepdims=keepdims)
    number = degrees(where, x, axis, less)
    if not traced(number) and np.any(number <= 0):
        warn("Degrees of freedom <= 0 for slice")
    total = sum_of_squares(deviations(widened(x), where, axis, mean), axis) / np.maximum(number, 0)
    total = astype(total, np.finfo(x.dtype).dtype, copy=False)
    return total if keepdims else squeeze(total, several_axes(axis, x.ndim, "var"))


@implements(np.std)
def std(
    a: Array, axis: Axis = None, dtype: Any = None, *, ddof: float = 0, keepdims: bool = False, where: Any = True,
    mean: Any = None, correction: float | None = None,
) -> Array:  # fmt: skip
    """Standard deviation, the square root of `var`; of equal numbers the derivative is taken as 0."""
    a, less = operand(a, "std"), correction_of(ddof, correction, "std")
    x = floating(a) if dtype is None else astype(a, dtype)
    if where is True and mean is None and x.dtype.kind == "f":
        return reductions.std(x, axis, correction=less, keepdims=keepdims)
    number = degrees(where, x, axis, less)
    if not traced(number) and np.any(number <= 0):
        warn("Degrees of freedom <= 0 for slice")
    length = vector_norm(deviations(widened(x), where, axis, mean), axis=axis, keepdims=True)
    length = astype(length / np.sqrt(np.maximum(number, 0)), np.finfo(x.dtype).dtype, copy=False)
    return length if keepdims else squeeze(length, several_axes(axis, x.ndim, "std"))


# Averages


def not_negative(name: str, weights: np.ndarray) -> None:
    """Raise if a weight is negative."""
    if np.any(weights < 0):
        raise ArgumentError(f"{name} must not be negative")


def _not_zero(name: str, total: np.ndarray) -> None:
    if np.any(total == 0):
        raise ZeroDivisionError(f"{name}: weights sum to zero, and nothing can be divided by it")


def _whole(weights: np.ndarray) -> None:
    if np.any(weights % 1 != 0):
        raise TypeError("cov: fweights count observations, and must be integers")


def fitted_weights(weights: Any, shape: tuple[int, ...], axes: tuple[int, ...] | None, name: str) -> Array:
    """Weights of an array's shape, or those of some axes with the other axes as axes of length 1."""
    weights = operand(weights, name)
    if weights.shape == shape:
        return weights
    if axes is None:
        raise ShapeError(f"{name} of shape {shape} with weights of shape {weights.shape} needs an axis")
    expected = tuple(shape[i] for i in axes)
    if weights.shape != expected:
        raise ShapeError(
            f"{name} of shape {shape} over axes {axes} needs weights of shape {expected} or {shape}, "
            f"not {weights.shape}"
        )
    order = sorted(range(len(axes)), key=axes.__getitem__)
    return reshape(permute_dims(weights, tuple(order)), tuple(n if i in axes else 1 for i, n in enumerate(shape)))


@implements(np.average)
@numpy_keywords
def average(a: Array, axis: Axis = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    """Weighted mean over one axis, several, or all: ``sum(a * weights) / sum(weights)``.

    Parameters
    ----------
    a : array
    axis : int, tuple of int or None
    weights : array, optional
        Of the shape of `a`, or of the lengths of the axes alone.  By default all elements count the same.  They have
        a derivative too.
    returned : bool
        Return the sum of the weights as well.
    keepdims : bool
        Leave the reduced axes with length 1.

    Returns
    -------
    array, or pair of arrays
        The averages and, with `returned`, the sums of weights, of the same shape.

    Raises
    ------
    ShapeError
        If the weights fit neither the array nor its axes.
    ZeroDivisionError
        If weights sum to zero.

    Examples
    --------
    >>> import minigrad as mg
    >>> float(mg.average([1.0, 2.0, 6.0], weights=[1.0, 1.0, 2.0]))
    3.75
    """
    a = operand(a, "average")
    if weights is None:
        result = mean(a, axis, keepdims=keepdims)
        total: Any = np.asarray(a.size / result.size if result.size else 0)
    else:
        axes = None if axis is None else several_axes(axis, a.ndim, "average")
        weights = fitted_weights(weights, a.shape, axes, "average")
        kinds = (a.dtype, weights.dtype) if a.dtype.kind in "fc" else (a.dtype, weights.dtype, float)
        kind = np.result_type(*kinds)
        weights = astype(weights, kind)
        total = sum(widened(weights), axis=axis, keepdims=keepdims)
        total = checked(total, partial(_not_zero, f"average of shape {a.shape}"))
        result = astype(sum(widened(a * weights), axis=axis, keepdims=keepdims) / total, kind, copy=False)
    if not returned:
        return result
    return result, broadcast_to(total, result.shape) if isinstance(total, Handle) else _like(total, result)


def _like(total: Any, result: Array) -> Array:
    """Sums of constant weights in the shape, and of the kind, of the averages."""
    spread = np.broadcast_to(total, result.shape).astype(result.dtype)
    return np.zeros_like(result) + spread if isinstance(result, Handle) else spread[()]


@implements(np.ptp)
def ptp(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """Difference of the largest and the smallest element over one axis, several, or all.

    Those that are equal share the gradient equally.
    """
    a = operand(a, "ptp")
    return max(a, axis, keepdims=keepdims) - min(a, axis, keepdims=keepdims)


# Covariance


def _variables(m: Any, dtype: Any, name: str) -> Array:
    """Variables as the rows of a matrix."""
    if m.ndim > 2:
        raise ShapeError(f"{name} is of variables in the rows of a matrix, and shape {m.shape} has more than two axes")
    return reshape(astype(m, dtype), (1,) * (2 - m.ndim) + m.shape)


def _observation_weights(weights: Any, kind: str, number: int) -> Array:
    weights = operand(weights, "cov")
    if weights.shape != (number,):
        raise ShapeError(f"cov of {number} observations needs {kind} of shape {(number,)}, not {weights.shape}")
    return floating(checked(weights, partial(not_negative, f"cov: {kind}")))


@implements(np.cov)
def cov(
    m: Array, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None, fweights: Any = None,
    aweights: Any = None, *, dtype: Any = None,
) -> Array:  # fmt: skip
    """Covariance matrix of variables, each of which is a row of observations.

    Parameters
    ----------
    m : array
        One variable (one axis) or several (two axes: variables, observations).
    y : array, optional
        More variables with as many observations.
    rowvar : bool
        Whether variables are rows; otherwise they are columns.
    bias : bool
        Divide by the number of observations instead of one less.
    ddof : int, optional
        Divide by so much less than the number of observations; overrides `bias`.
    fweights : array of int, optional
        How often each observation was made.
    aweights : array, optional
        How much each observation counts.  They have a derivative too.
    dtype : dtype, optional
        By default at least float64.

    Returns
    -------
    array
        Of shape (variables, variables), without axes if there is one variable.

    Raises
    ------
    ShapeError
        If there are more than two axes, or if shapes do not fit.
    ArgumentError
        If weights are negative, or `ddof` is not an integer.
    DTypeError
        If `fweights` are not integers.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> mg.cov(x, [2.0, 0.0, 4.0])[0, 1].backward()
    >>> x.grad
    tensor([ 0., -1.,  1.])
    """
    if ddof is not None and ddof != int(ddof):
        raise ArgumentError(f"cov: ddof must be an integer, not {ddof}")
    m = operand(m, "cov")
    operands = [m] if y is None else [m, operand(y, "cov")]
    kind = np.result_type(*(x.dtype for x in operands), np.float64) if dtype is None else dtype
    rows = [_variables(x, kind, "cov") for x in operands]
    if not rowvar:
        first, *others = rows
        rows = [first if m.ndim == 1 else first.T, *(x if x.shape[0] == 1 else x.T for x in others)]
    if len(rows) == 2 and rows[0].shape[1] != rows[1].shape[1]:
        raise ShapeError(f"cov of {rows[0].shape[1]} and {rows[1].shape[1]} observations: they must be as many")
    X = rows[0] if len(rows) == 1 or rows[0].shape[0] == 0 else concat(rows)
    if X.shape[0] == 0:
        return matmul(X, X.T)
    ddof = (0 if bias else 1) if ddof is None else int(ddof)
    weights, total, factor = _normalization(X.shape[1], ddof, fweights, aweights)
    if settled(np.any(factor <= 0)):
        warn("Degrees of freedom <= 0 for slice")
        factor = np.float64(0)
    if weights is None:
        X = weighted = centred(X, True, axis=1)
    else:
        X = astype(X - sum(X * weights, axis=1, keepdims=True) / total, X.dtype)
        weighted = X * weights
    products = matmul(X, conj(weighted.T))
    return squeeze(products * astype(1 / factor, np.finfo(products.dtype).dtype))


def _normalization(number: int, ddof: int, fweights: Any, aweights: Any) -> tuple[Array | None, Array, Array]:
    """The weights of observations, their sum, and what to divide sums of products by."""
    weights = None
    if fweights is not None:
        weights = checked(_observation_weights(fweights, "fweights", number), _whole)
    if aweights is not None:
        aweights = _observation_weights(aweights, "aweights", number)
        weights = aweights if weights is None else weights * aweights
    if weights is None:
        return None, np.float64(number), np.float64(number - ddof)
    total = checked(sum(weights), partial(_not_zero, "cov"))
    if ddof == 0:
        return weights, total, total
    return weights, total, total - (ddof if aweights is None else ddof * sum(weights * aweights) / total)


@implements(np.corrcoef)
def corrcoef(x: Array, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Array:
    """Pearson's correlation coefficients of variables: their covariances by their standard deviations.

    Parameters
    ----------
    x, y, rowvar, dtype
        As for `cov`.

    Returns
    -------
    array
        Of shape (variables, variables), without axes if there is one variable.  Real and imaginary parts are clipped
        to [-1, 1]; a variable that is constant has NaN.

    Raises
    ------
    ShapeError
        If there are more than two axes, or if shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.corrcoef(np.array([[0.0, 1.0, 2.0], [3.0, 1.0, 2.0]]))
    array([[ 1. , -0.5],
           [-0.5,  1. ]])
    """
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    deviation = sqrt(real(diagonal(c)))
    c = c / reshape(deviation, (-1, 1)) / deviation
    if c.dtype.kind == "c":
        return clip(real(c), -1, 1) + 1j * clip(imag(c), -1, 1)
    return clip(c, -1, 1)
