"""NumPy's reductions that take NaN for a missing number: it counts for nothing, and its gradient is 0."""

from typing import Any

import numpy as np

from minigrad.core import Array, implements, numpy_functions, numpy_keywords, primitive, traced
from minigrad.ops.arguments import operand, unrecorded, value_of
from minigrad.ops.axes import Axis, several_axes
from minigrad.ops.elementwise import isnan, logical_and, logical_not, where
from minigrad.ops.linalg import vector_norm
from minigrad.ops.reductions import keep, prod, sum
from minigrad.ops.scaling import widened
from minigrad.ops.shaping import astype, squeeze
from minigrad.ops.statistics import correction_of, count, degrees, deviations, masked_mean, sum_of_squares, warn

# Sums and products: in the place of NaN stands the number that changes nothing


def _present(a: Array, mask: Any) -> Array:
    """Where there are numbers, of those that another mask leaves."""
    numbers = logical_not(isnan(a))
    return numbers if mask is True else logical_and(numbers, mask)


@implements(np.nansum)
@numpy_keywords
def nansum(
    a: Array, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Array:
    """Sum of the elements that are not NaN, over one axis, several, or all.

    Parameters
    ----------
    a : array
    axis : int, tuple of int or None
    dtype : dtype, optional
        Of the sum; by default that of `a`, and of small integers NumPy's default integer.
    keepdims : bool
        Leave the reduced axes with length 1.
    initial : number, optional
        Added to every sum.
    where : array of bool
        Which elements to take.

    Returns
    -------
    array
        The sum of nothing is 0.

    Raises
    ------
    AxisError
        If the array does not have the axis.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> x = mg.tensor([1.0, np.nan, 3.0], requires_grad=True)
    >>> mg.nansum(x).backward()
    >>> x.grad
    tensor([1., 0., 1.])
    """
    total = sum(_filled(a, 0, where, "nansum"), axis, dtype=dtype, keepdims=keepdims)
    return total if initial is None else total + initial


@implements(np.nanprod)
def nanprod(
    a: Array, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Array:
    """Product of the elements that are not NaN, over one axis, several, or all."""
    product = prod(_filled(a, 1, where, "nanprod"), axis, dtype=dtype, keepdims=keepdims)
    return product if initial is None else product * initial


@implements(np.nancumsum)
def nancumsum(a: Array, axis: int | None = None, dtype: Any = None) -> Array:
    """Sums of the first 1, 2, ... elements that are not NaN, along an axis, or of the flattened array."""
    return numpy_functions[np.cumsum](_filled(a, 0, True, "nancumsum"), axis, dtype)


@implements(np.nancumprod)
def nancumprod(a: Array, axis: int | None = None, dtype: Any = None) -> Array:
    """Products of the first 1, 2, ... elements that are not NaN, along an axis, or of the flattened array."""
    return numpy_functions[np.cumprod](_filled(a, 1, True, "nancumprod"), axis, dtype)


def _filled(a: Any, neutral: int, mask: Any, name: str) -> Array:
    a = operand(a, name)
    if a.dtype.kind not in "fc" and mask is True:
        return a
    return where(_present(a, mask), a, a.dtype.type(neutral))


# Moments


@implements(np.nanmean)
@numpy_keywords
def nanmean(a: Array, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False, where: Any = True) -> Array:
    """Mean of the elements that are not NaN, over one axis, several, or all.

    Parameters
    ----------
    a : array
    axis : int, tuple of int or None
    dtype : dtype, optional
        To compute in; by default that of `a`, and float64 for integers.
    keepdims : bool
        Leave the reduced axes with length 1.
    where : array of bool
        Which elements to take.

    Returns
    -------
    array
        The mean of nothing is NaN, with a RuntimeWarning and the gradient 0.

    Raises
    ------
    AxisError
        If the array does not have the axis.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> float(mg.nanmean(np.array([1.0, np.nan, 3.0])))
    2.0
    """
    x = _computed_in(a, dtype, "nanmean")
    mask = _present(x, where)
    if not traced(x) and np.any(count(mask, x, axis) == 0):
        warn("Mean of empty slice")
    return _without_axes(masked_mean(x, mask, axis), axis, keepdims)


def _computed_in(a: Any, dtype: Any, name: str) -> Array:
    a = operand(a, name)
    if dtype is None:
        return a if a.dtype.kind in "fc" else astype(a, float)
    return astype(a, dtype)


def _without_axes(x: Array, axis: Axis, keepdims: bool) -> Array:
    return x if keepdims else squeeze(x, several_axes(axis, x.ndim, "a reduction"))


@implements(np.nanvar)
def nanvar(
    a: Array, axis: Axis = None, dtype: Any = None, *, ddof: float = 0, keepdims: bool = False, where: Any = True,
    mean: Any = None, correction: float | None = None,
) -> Array:  # fmt: skip
    """Variance of the elements that are not NaN, over one axis, several, or all.

    Where there are not more elements than `ddof` it is NaN, with a RuntimeWarning, and so is their gradient.
    """
    x, mask, number = _sample(a, axis, dtype, ddof, correction, where, "nanvar")
    total = sum_of_squares(deviations(widened(x), mask, axis, mean), axis) / number
    return _without_axes(astype(total, np.finfo(x.dtype).dtype, copy=False), axis, keepdims)


@implements(np.nanstd)
def nanstd(
    a: Array, axis: Axis = None, dtype: Any = None, *, ddof: float = 0, keepdims: bool = False, where: Any = True,
    mean: Any = None, correction: float | None = None,
) -> Array:  # fmt: skip
    """Standard deviation of the elements that are not NaN, the square root of `nanvar`; at 0 its derivative is 0."""
    x, mask, number = _sample(a, axis, dtype, ddof, correction, where, "nanstd")
    length = vector_norm(deviations(widened(x), mask, axis, mean), axis=axis, keepdims=True) / np.sqrt(number)
    return _without_axes(astype(length, np.finfo(x.dtype).dtype, copy=False), axis, keepdims)


def _sample(
    a: Any, axis: Axis, dtype: Any, ddof: float, correction: float | None, where: Any, name: str
) -> tuple[Array, Any, np.ndarray]:
    """The array in the dtype to compute in, where it has numbers, and their degrees of freedom, or NaN for none."""
    x, less = _computed_in(a, dtype, name), correction_of(ddof, correction, name)
    mask = _present(x, where)
    number = degrees(mask, x, axis, less)
    if not traced(number) and np.any(number <= 0):
        warn("Degrees of freedom <= 0 for slice.", frames=4)
    return x, mask, np.where(number <= 0, np.nan, number)


# Extremes

# Annotated because NumPy's stubs do not know of `initial` and `where` together with a `keepdims` that varies.
_largest: Any = np.fmax.reduce
_smallest: Any = np.fmin.reduce


def _attained(g: Array, y: Array, x: Array, axis: Axis, mask: Any) -> Array:
    """The gradient of an extreme: equal shares for all elements that attain it; none for NaN, which equals nothing."""
    attain = (x == keep(y, x.shape, axis)) & mask
    return np.where(attain, keep(g, x.shape, axis) / np.sum(attain, axis=axis, keepdims=True), 0)


@primitive(
    lambda g, y, x, mask, *, axis, keepdims, initial: _attained(g, y, x, axis, mask), None, kind="reduction", cost=1
)
def _nanmax(x: Array, mask: Any, /, *, axis: Axis, keepdims: bool, initial: Any) -> Array:
    """Largest element that is not NaN."""
    return _largest(x, axis=axis, keepdims=keepdims, initial=initial, where=mask)


@primitive(
    lambda g, y, x, mask, *, axis, keepdims, initial: _attained(g, y, x, axis, mask), None, kind="reduction", cost=1
)
def _nanmin(x: Array, mask: Any, /, *, axis: Axis, keepdims: bool, initial: Any) -> Array:
    """Smallest element that is not NaN."""
    return _smallest(x, axis=axis, keepdims=keepdims, initial=initial, where=mask)


@implements(np.nanmax)
@numpy_keywords
def nanmax(a: Array, axis: Axis = None, *, keepdims: bool = False, initial: Any = None, where: Any = True) -> Array:
    """Largest element that is not NaN, over one axis, several, or all; equal ones share the gradient equally.

    Parameters
    ----------
    a : array
    axis : int, tuple of int or None
    keepdims : bool
        Leave the reduced axes with length 1.
    initial : number, optional
        The least that the result can be; needed if there can be no elements at all.
    where : array of bool
        Which elements to take; needs `initial`.

    Returns
    -------
    array
        NaN, with a RuntimeWarning and the gradient 0, if there is nothing else.

    Raises
    ------
    ShapeError
        If there are no elements.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> x = mg.tensor([3.0, np.nan, 3.0, 1.0], requires_grad=True)
    >>> mg.nanmax(x).backward()
    >>> x.grad
    tensor([0.5, 0. , 0.5, 0. ])
    """
    return _told(_nanmax(operand(a, "nanmax"), _constant(where), axis=axis, keepdims=keepdims, initial=initial))


@implements(np.nanmin)
@numpy_keywords
def nanmin(a: Array, axis: Axis = None, *, keepdims: bool = False, initial: Any = None, where: Any = True) -> Array:
    """Smallest element that is not NaN, over one axis, several, or all; equal ones share the gradient equally.

    Parameters
    ----------
    a : array
    axis : int, tuple of int or None
    keepdims : bool
        Leave the reduced axes with length 1.
    initial : number, optional
        The most that the result can be; needed if there can be no elements at all.
    where : array of bool
        Which elements to take; needs `initial`.

    Returns
    -------
    array
        NaN, with a RuntimeWarning and the gradient 0, if there is nothing else.

    Raises
    ------
    ShapeError
        If there are no elements.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> float(mg.nanmin(np.array([3.0, np.nan, 2.0])))
    2.0
    """
    return _told(_nanmin(operand(a, "nanmin"), _constant(where), axis=axis, keepdims=keepdims, initial=initial))


def _constant(mask: Any) -> Any:
    return mask if mask is True else unrecorded(mask)


def _told(extreme: Array) -> Array:
    """The extreme, and NumPy's warning if there was nothing but NaN."""
    if not traced(extreme) and np.isnan(value_of(extreme)).any():
        warn("All-NaN slice encountered")
    return extreme


@primitive(numpy=np.nanargmax, kind="reduction", cost=1)
def nanargmax(x: Array, /, axis: int | None = None, *, keepdims: bool = False) -> Array:
    """Index of the first largest element that is not NaN, along an axis, or in the flattened array."""
    return np.nanargmax(x, axis=axis, keepdims=keepdims)


@primitive(numpy=np.nanargmin, kind="reduction", cost=1)
def nanargmin(x: Array, /, axis: int | None = None, *, keepdims: bool = False) -> Array:
    """Index of the first smallest element that is not NaN, along an axis, or in the flattened array."""
    return np.nanargmin(x, axis=axis, keepdims=keepdims)
