"""Functions that make one number of many along an axis, and those that do so cumulatively."""

import math
from operator import mul
from typing import Any, NamedTuple

import numpy as np

from minigrad.core import Array, conjugated, implements, numpy_keywords, primitive
from minigrad.errors import ArgumentError, ShapeError
from minigrad.ops.arguments import operand, require_order
from minigrad.ops.axes import Axis, one_axis, several_axes
from minigrad.ops.elementwise import lead, not_equal, sigmoid, subtract
from minigrad.ops.indexing import take_along_axis
from minigrad.ops.kept_zeros import slope, zero_safe_dot, zero_safe_multiply
from minigrad.ops.names import implements_by_name
from minigrad.ops.scaling import narrowed, scaled, widened
from minigrad.ops.shaping import astype, broadcast_to, concat, reshape

# The same as np.sum and so on, without their detour through Python.
_add: Any = np.add.reduce
_multiply: Any = np.multiply.reduce
_maximum: Any = np.maximum.reduce
_minimum: Any = np.minimum.reduce


def keep(g: Array, shape: tuple[int, ...], axis: Axis) -> Array:
    """What a reduction of an array of `shape` gave, with the reduced axes back as axes of length 1."""
    if not shape:  # NumPy's reductions of a single number take the axes 0 and -1, though it has none
        return g
    axes = several_axes(axis, len(shape), "a reduction")
    return np.reshape(g, tuple(1 if i in axes else n for i, n in enumerate(shape)))


def spread(g: Array, shape: tuple[int, ...], axis: Axis) -> Array:
    """What a reduction of an array of `shape` gave, repeated along the reduced axes."""
    return np.broadcast_to(keep(g, shape, axis), shape)


def _count(shape: tuple[int, ...], axis: Axis) -> int:
    return math.prod(shape[a] for a in several_axes(axis, len(shape), "a reduction"))


# Sums and moments


@primitive(
    lambda g, y, x, *, axis, dtype, keepdims: spread(g, x.shape, axis),
    numpy=np.sum,
    kind="reduction",
    linear=True,
    cost=1,
    passes=(0,),
)
def sum(x: Array, /, axis: Axis = None, *, dtype: Any = None, keepdims: bool = False) -> Array:
    """Sum over one axis, several, or all."""
    return _add(x, axis=axis, dtype=dtype, keepdims=keepdims)


@primitive(
    lambda g, y, x, *, axis, keepdims: spread(widened(g) / _count(x.shape, axis), x.shape, axis),
    numpy=np.mean,
    kind="reduction",
    linear=True,
    cost=1,
    passes=(0,),
)
def mean(x: Array, /, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """Arithmetic mean over one axis, several, or all."""
    x = np.asanyarray(x)
    if x.dtype.kind not in "fc" or x.dtype.itemsize < 4:
        return np.mean(x, axis=axis, keepdims=keepdims)
    return _add(x, axis=axis, keepdims=keepdims) / _count(x.shape, axis)


@primitive(
    lambda g, y, x, where, *, axis: centred(g, where, axis=axis),
    None,
    cost=1,
)
def centred(x: Array, where: Any, /, *, axis: Axis = None) -> Array:
    """Deviations from the mean of the elements where a mask holds, along an axis; 0 where it does not.

    Of equal numbers they are exactly 0, though the mean of three times 0.1 is not 0.1.
    """
    wide = widened(x)
    if where is not True:
        where = np.broadcast_to(where, x.shape)
    largest = _maximum(wide, axis=axis, keepdims=True, initial=-np.inf, where=where)
    equal = largest == _minimum(wide, axis=axis, keepdims=True, initial=np.inf, where=where)
    if where is True:
        number = _count(x.shape, axis) or 1
    else:
        number = np.maximum(_add(where, axis=axis, keepdims=True, dtype=np.finfo(wide.dtype).dtype), 1)
    mean = np.where(equal, largest, _add(wide, axis=axis, keepdims=True, where=where) / number)
    deviations = wide - mean if where is True else np.where(where, np.where(where, wide, 0) - mean, 0)
    return narrowed(deviations, x)


def _conjugate_deviations(x: Array, axis: Axis) -> Array:
    """The deviations from the mean; conjugated if they are complex, since only their absolute values count."""
    return conjugated(centred(widened(x), True, axis=axis))


def _degrees(shape: tuple[int, ...], axis: Axis, correction: float) -> float:
    """Degrees of freedom: the number of elements less a correction; NaN if none are left, as the result is."""
    degrees = _count(shape, axis) - correction
    return degrees if degrees > 0 else math.nan


def _var_rule(g: Array, x: Array, axis: Axis, correction: float) -> Array:
    g = keep(widened(g), x.shape, axis) * (2 / _degrees(x.shape, axis, correction))
    return g * _conjugate_deviations(x, axis)


@primitive(lambda g, y, x, *, axis, correction, keepdims: _var_rule(g, x, axis, correction), kind="reduction", cost=4)
def var(x: Array, /, axis: Axis = None, *, correction: float = 0.0, keepdims: bool = False) -> Array:
    """Variance over one axis, several, or all: the sum of squared deviations divided by ``n - correction``."""
    x = np.asanyarray(x)
    return narrowed(np.var(widened(x), axis=axis, ddof=correction, keepdims=keepdims), x)


def _std_rule(g: Array, y: Array, x: Array, axis: Axis, correction: float) -> Array:
    """``g / (n - correction) * deviation / y``; where all deviations are 0, `y` may be their rounding."""
    deviations = _conjugate_deviations(x, axis)
    y = np.where(np.any(deviations, axis=axis, keepdims=True), keep(y, x.shape, axis), 0)
    return slope(keep(widened(g), x.shape, axis) / _degrees(x.shape, axis, correction), deviations, y)


@primitive(
    lambda g, y, x, *, axis, correction, keepdims: _std_rule(g, y, x, axis, correction), kind="reduction", cost=4
)
def std(x: Array, /, axis: Axis = None, *, correction: float = 0.0, keepdims: bool = False) -> Array:
    """Standard deviation, the square root of `var`; of equal numbers the derivative is taken as 0."""
    x = np.asanyarray(x)

    def measure(x: Array) -> Array:
        return np.std(x, axis=axis, ddof=correction, keepdims=True)

    axes = several_axes(axis, x.ndim, "std")
    count = math.prod(x.shape[a] for a in axes)
    value = scaled(measure, x, axis, 2) if count > correction else measure(x)
    return value if keepdims else np.squeeze(value, axes)[()]


# Extremes


def _share(g: Array, y: Array, x: Array, axis: Axis) -> Array:
    """The gradient of an extreme: equal shares for all elements that attain it, or for those that are NaN."""
    attain = (x == keep(y, x.shape, axis)) | (x != x)
    return np.where(attain, keep(g, x.shape, axis) / np.sum(attain, axis=axis, keepdims=True), 0)


@primitive(lambda g, y, x, *, axis, keepdims: _share(g, y, x, axis), kind="reduction", cost=1)
def max(x: Array, /, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """Largest element over one axis, several, or all; equal ones share the gradient equally."""
    return _maximum(x, axis=axis, keepdims=keepdims)


@primitive(lambda g, y, x, *, axis, keepdims: _share(g, y, x, axis), kind="reduction", cost=1)
def min(x: Array, /, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """Smallest element over one axis, several, or all; equal ones share the gradient equally."""
    return _minimum(x, axis=axis, keepdims=keepdims)


implements(np.max, np.amax)(max)
implements(np.min, np.amin)(min)


@primitive(numpy=np.argmax, kind="reduction", cost=1)
def argmax(x: Array, /, axis: int | None = None, *, keepdims: bool = False) -> Array:
    """Index of the first largest element along an axis, or in the flattened array."""
    return np.argmax(x, axis=axis, keepdims=keepdims)


@primitive(numpy=np.argmin, kind="reduction", cost=1)
def argmin(x: Array, /, axis: int | None = None, *, keepdims: bool = False) -> Array:
    """Index of the first smallest element along an axis, or in the flattened array."""
    return np.argmin(x, axis=axis, keepdims=keepdims)


@primitive(numpy=np.any, kind="reduction", cost=1)
def any(x: Array, /, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """Whether some element is not 0, over one axis, several, or all."""
    return np.any(x, axis=axis, keepdims=keepdims)


@primitive(numpy=np.all, kind="reduction", cost=1)
def all(x: Array, /, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """Whether no element is 0, over one axis, several, or all."""
    return np.all(x, axis=axis, keepdims=keepdims)


@primitive(numpy=np.count_nonzero, kind="reduction", cost=1)
def count_nonzero(x: Array, /, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """How many elements are not 0, over one axis, several, or all."""
    return np.asanyarray(np.count_nonzero(x, axis=axis, keepdims=keepdims))[()]


# Logarithms of sums of exponentials: the largest element is taken out first, so nothing overflows


def shift(x: Array, axis: Axis, infinite: float = np.nan) -> Array:
    """The largest elements along an axis, which stays with length 1; other numbers where they are infinite.

    In place of -inf it is 0, so that what remains is a sum of zeros.  In place of inf it is NaN, which says without a
    warning that no softmax is defined, or another number.
    """
    top = _maximum(x, axis=axis, keepdims=True, initial=-np.inf if x.size == 0 else None)
    if np.isfinite(top).all():
        return top
    return np.where(top == -np.inf, 0, np.where(top == np.inf, infinite, top)).astype(x.dtype)


def _dtype_of_sums(x: Array) -> Any:
    """Sums of half precision are made in float32: with 65504 elements they may be larger than any number there is."""
    return np.float32 if x.dtype == np.float16 else None


def _floating(x: Array) -> Array:
    x = np.asanyarray(x)
    return x if x.dtype.kind in "fc" else x.astype(float)


def row_sums(x: Array, axis: Axis) -> Array:
    """Sums along an axis, which stays with length 1; of many short rows a product is quicker than a reduction."""
    kind = _dtype_of_sums(x)
    rows = axis in (-1, x.ndim - 1) and x.ndim > 1 and x.dtype.kind == "f" and x.flags.c_contiguous
    if x.size > 10_000 and rows and kind is None:
        return np.matmul(x, np.ones((x.shape[-1], 1), x.dtype))
    return _add(x, axis=axis, keepdims=True, dtype=kind)


def _parts(x: Array, y: Array, axis: Axis) -> Array:
    """The softmax, from the logsumexp; what is inf shares it equally, and where there is nothing but -inf it is 0.

    The shift by `y` is divided out again: of large numbers its rounding is not small.
    """
    e = np.exp(lead(widened(x), y))
    total = np.sum(e, axis=axis, keepdims=True)
    return e / np.where(total == 0, 1, total)


@primitive(
    lambda g, y, x, *, axis, keepdims: zero_safe_multiply(
        keep(g, x.shape, axis), _parts(x, keep(y, x.shape, axis), axis)
    ),
    kind="reduction",
    cost=4,
)
def logsumexp(x: Array, /, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """``log(sum(exp(x)))`` over one axis, several, or all, without overflow."""
    x = _floating(x)
    top = shift(x, axis, infinite=0)
    with np.errstate(divide="ignore"):  # nothing but -inf: the logarithm of 0
        value = np.log(_add(np.exp(x - top), axis=axis, keepdims=True, dtype=_dtype_of_sums(x))) + top
    value = narrowed(value, x)
    return value if keepdims else np.squeeze(value, several_axes(axis, x.ndim, "logsumexp"))[()]


def softmax_rule(g: Array, y: Array, axis: Axis) -> Array:
    """``y * (g - sum(g * y))``, summed along the axis."""
    if axis == -1 and y.ndim:  # quicker, and the commonest
        total = np.expand_dims(zero_safe_dot(g, y), -1)
    else:
        total = np.sum(zero_safe_multiply(g, y), axis=axis, keepdims=True)
    return zero_safe_multiply(g - total, y)


@primitive(lambda g, y, x, *, axis: softmax_rule(g, y, axis), cost=5)
def softmax(x: Array, /, axis: Axis = -1) -> Array:
    """``exp(x) / sum(exp(x))`` along an axis."""
    x = _floating(x)
    value = np.asanyarray(np.exp(x - shift(x, axis)))
    value /= row_sums(value, axis)
    return value


@primitive(lambda g, y, x, *, axis: g - zero_safe_multiply(np.sum(g, axis=axis, keepdims=True), np.exp(y)), cost=5)
def log_softmax(x: Array, /, axis: Axis = -1) -> Array:
    """Logarithm of `softmax`, accurate where the softmax underflows."""
    x = _floating(x)
    shifted = np.asanyarray(x - shift(x, axis))
    shifted -= np.log(row_sums(np.exp(shifted), axis))
    return shifted


# Cumulative functions.  The derivatives of products must not divide by an element, which may be 0, and are made of
# running products from both sides.


def _along(axis: int | None, x: Array) -> int:
    if axis is None and x.ndim != 1:
        raise ShapeError(f"a cumulative function of an array of shape {x.shape} needs an axis")
    return 0 if axis is None else axis


def _slice(x: Array, axis: int, start: int | None, stop: int | None) -> Array:
    return x[tuple(slice(start, stop) if i == axis % x.ndim else slice(None) for i in range(x.ndim))]


def _delay(x: Array, axis: int, first: float) -> Array:
    """The elements moved on by one along an axis, with `first` at the front and the last one lost."""
    head = np.zeros_like(_slice(x, axis, 0, 1)) + first
    return np.concatenate([head, _slice(x, axis, None, -1)], axis=axis)


def _with_initial(value: Array, axis: int, first: int) -> Array:
    head = np.full([1 if i == axis % value.ndim else n for i, n in enumerate(value.shape)], first, value.dtype)
    return np.concatenate([head, value], axis=axis)


def _cumsum_from_end(g: Array, axis: int | None, initial: bool) -> Array:
    """The sums of `g` from each element to the end."""
    axis = _along(axis, g)
    g = _slice(g, axis, 1, None) if initial else g
    return np.flip(np.cumsum(np.flip(g, axis=axis), axis=axis), axis=axis)


@primitive(
    lambda g, y, x, *, axis, dtype, include_initial: _cumsum_from_end(g, axis, include_initial), linear=True, cost=1
)
def cumulative_sum(x: Array, /, axis: int | None = None, *, dtype: Any = None, include_initial: bool = False) -> Array:
    """Sums of the first 1, 2, ... elements along an axis (which only a 1-d array may leave out)."""
    axis = _along(axis, x)
    value = np.cumsum(x, axis=axis, dtype=dtype)
    return _with_initial(value, axis, 0) if include_initial else value


def _recurrence_from_end(a: Array, b: Array, axis: int) -> Array:
    """``s[i] = b[i] + a[i + 1] * s[i + 1]``."""
    return np.flip(recurrence(_delay(np.flip(a, axis=axis), axis, 0), np.flip(b, axis=axis), axis=axis), axis=axis)


@primitive(
    lambda g, y, a, b, *, axis: _recurrence_from_end(a, g, axis) * _delay(y, axis, 0),
    lambda g, y, a, b, *, axis: _recurrence_from_end(a, g, axis),
    cost=2,
)
def recurrence(a: Array, b: Array, /, *, axis: int) -> Array:
    """``s[i] = b[i] + a[i] * s[i - 1]`` along an axis, from ``s[-1] = 0``, for operands of one shape."""
    a, b = np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0)
    product = mul if np.isfinite(a).all() else zero_safe_multiply  # NaN does no harm where no gradient comes from
    s = b.copy()
    for i in range(1, len(s)):
        s[i] += product(s[i - 1], a[i])
    return np.moveaxis(s, 0, axis)


def _cumprod_rule(g: Array, y: Array, x: Array, axis: int | None, initial: bool) -> Array:
    # The sum over k >= i of g[k] dy[k]/dx[i] is the product of all elements before i, times s[i] with
    # s[i] = g[i] + x[i + 1] * s[i + 1].
    axis = _along(axis, x)
    before = _slice(y, axis, None, -1) if initial else _delay(y, axis, 1)
    return before * _recurrence_from_end(x, _slice(g, axis, int(initial), None), axis)


@primitive(lambda g, y, x, *, axis, dtype, include_initial: _cumprod_rule(g, y, x, axis, include_initial), cost=1)
def cumulative_prod(x: Array, /, axis: int | None = None, *, dtype: Any = None, include_initial: bool = False) -> Array:
    """Products of the first 1, 2, ... elements along an axis (which only a 1-d array may leave out)."""
    axis = _along(axis, x)
    value = np.cumprod(x, axis=axis, dtype=dtype)
    return _with_initial(value, axis, 1) if include_initial else value


implements_by_name("numpy.cumulative_sum")(cumulative_sum)
implements_by_name("numpy.cumulative_prod")(cumulative_prod)


@implements(np.cumsum)
def _numpy_cumsum(a: Array, axis: int | None = None, dtype: Any = None) -> Array:
    return cumulative_sum(np.reshape(a, -1) if axis is None else a, axis=axis, dtype=dtype)


@implements(np.cumprod)
def _numpy_cumprod(a: Array, axis: int | None = None, dtype: Any = None) -> Array:
    return cumulative_prod(np.reshape(a, -1) if axis is None else a, axis=axis, dtype=dtype)


# Running extremes, with the place of the last element that attains them


class Running(NamedTuple):
    """What `cummax` and `cummin` return."""

    values: Array
    indices: Array


@primitive(cost=1)
def places_of_extremes(x: Array, /, *, axis: int, largest: bool) -> Array:
    """The index of the last element so far that is the largest or smallest so far, or NaN."""
    extremes = (np.maximum if largest else np.minimum).accumulate(x, axis=axis)
    places = np.reshape(np.arange(x.shape[axis]), [-1 if i == axis else 1 for i in range(x.ndim)])
    return np.maximum.accumulate(np.where((x == extremes) | (x != x), places, 0), axis=axis)


def _running(x: Array, axis: int | None, largest: bool, name: str) -> Running:
    x = operand(x, name)
    require_order(x, name)
    if not x.ndim:
        return Running(*(reshape(part, ()) for part in _running(reshape(x, (1,)), axis, largest, name)))
    axis = one_axis(_along(axis, x), x.ndim, name)
    indices = places_of_extremes(x, axis=axis, largest=largest)
    return Running(take_along_axis(x, indices, axis=axis), indices)


@numpy_keywords
def cummax(x: Array, /, axis: int | None = None) -> Running:
    """The largest of the first 1, 2, ... elements along an axis (which only a 1-d array may leave out), and its place.

    The gradient goes to the element at that place, the last one of those that are equal.

    Parameters
    ----------
    x : array
        From a NaN on, all values are NaN.
    axis : int, optional

    Returns
    -------
    values : array
        Of the shape of `x`.
    indices : array of int
        Where along the axis the value is: of equal ones, and of several NaN, the last so far.

    Raises
    ------
    AxisError
        If the array does not have the axis.
    ShapeError
        If there is more than one axis, and none is given.
    DTypeError
        If the numbers are complex.

    Notes
    -----
    As `torch.cummax`.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.cummax(np.array([1.0, 3.0, 2.0, 3.0]))
    Running(values=array([1., 3., 3., 3.]), indices=array([0, 1, 1, 3]))
    """
    return _running(x, axis, True, "cummax")


@numpy_keywords
def cummin(x: Array, /, axis: int | None = None) -> Running:
    """The smallest of the first 1, 2, ... elements along an axis, and its place: as `cummax`.

    The gradient goes to the element at that place, the last one of those that are equal.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.cummin(np.array([3.0, 1.0, 2.0, 1.0])).indices
    array([0, 1, 1, 3])
    """
    return _running(x, axis, False, "cummin")


def _logcumsumexp_rule(g: Array, y: Array, x: Array, axis: int) -> Array:
    # y[i] = logaddexp(y[i - 1], x[i]), and the derivatives of that by both are sigmoids of their difference d.  The sum
    # over k >= i of g[k] dy[k]/dx[i] is that by x[i], times s[i] with s[i] = g[i] + dy[i + 1]/dy[i] * s[i + 1].
    before = _delay(y, axis, -np.inf)
    d = np.where(np.isinf(x) & (x == before), 0, x - before)
    step = np.where(before == -np.inf, 0, sigmoid(-d))
    return zero_safe_multiply(_recurrence_from_end(step, g, axis), np.where(x == -np.inf, 0, sigmoid(d)))


@primitive(lambda g, y, x, *, axis: _logcumsumexp_rule(g, y, x, axis), cost=1)
def _logcumsumexp(x: Array, /, *, axis: int) -> Array:
    with np.errstate(invalid="ignore"):  # of NaN
        return np.logaddexp.accumulate(_floating(x), axis=axis)


@numpy_keywords
def logcumsumexp(x: Array, /, axis: int | None = None) -> Array:
    """Logarithms of the sums of exponentials of the first 1, 2, ... elements along an axis, without overflow.

    Where there is nothing but -inf, the derivative is taken as 0.

    Parameters
    ----------
    x : array
    axis : int, optional
        Only a 1-d array may leave it out.

    Returns
    -------
    array
        Of the shape of `x`.

    Raises
    ------
    AxisError
        If the array does not have the axis.
    ShapeError
        If there is more than one axis, and none is given.
    DTypeError
        If the numbers are complex.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.logcumsumexp(np.array([1000.0, 1000.0, -np.inf])).round(4)
    array([1000.    , 1000.6931, 1000.6931])
    """
    x = operand(x, "logcumsumexp")
    require_order(x, "logcumsumexp")
    if not x.ndim:
        return reshape(logcumsumexp(reshape(x, (1,)), axis), ())
    return _logcumsumexp(x, axis=one_axis(_along(axis, x), x.ndim, "logcumsumexp"))


# Products over an axis


def _others(x: Array, axis: int) -> Array:
    """For each element the product of all others along the axis."""
    before = _delay(np.cumprod(x, axis=axis), axis, 1)
    after = np.flip(_delay(np.cumprod(np.flip(x, axis=axis), axis=axis), axis, 1), axis=axis)
    return before * after


@primitive(lambda g, y, x, *, axis, dtype: np.expand_dims(g, axis) * _others(x, axis), kind="reduction", cost=1)
def _prod(x: Array, /, axis: int, *, dtype: Any) -> Array:
    return _multiply(x, axis=axis, dtype=dtype)


@implements(np.prod)
@numpy_keywords
def prod(x: Array, /, axis: Axis = None, *, dtype: Any = None, keepdims: bool = False) -> Array:
    """Product over one axis, several, or all."""
    x = operand(x, "prod")
    shape = x.shape
    axes = several_axes(axis, len(shape), "prod")
    if not axes:
        return astype(x, _multiply(np.empty(0, x.dtype), dtype=dtype).dtype)
    for a in sorted(axes, reverse=True):
        x = _prod(x, axis=a, dtype=dtype)
    return keep(x, shape, axes) if keepdims else x


# Differences, which cumulative sums undo


@implements(np.diff)
@numpy_keywords
def diff(
    x: Array, /, *, axis: int = -1, n: int = 1, prepend: Array | None = None, append: Array | None = None
) -> Array:
    """What each element along an axis is larger than the one before it.

    Parameters
    ----------
    x : array
        Of bools, the result says where neighbours differ.
    axis : int
    n : int
        How many times to do this; with 0 the result is `x`, and nothing is put before or after it.
    prepend, append : array or number, optional
        What to put before and after `x` along the axis first.

    Returns
    -------
    array
        Shorter by `n` along the axis.

    Raises
    ------
    AxisError
        If `x` does not have the axis.
    ArgumentError
        If `n` is negative.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.diff(np.array([1, 4, 9, 16]), n=2)
    array([2, 2])
    """
    if n < 0:
        raise ArgumentError(f"diff takes differences so many times: n cannot be {n}")
    x = operand(x, "diff")
    if n == 0:
        return x
    axis = one_axis(axis, x.ndim, "diff")
    slab = tuple(1 if i == axis else m for i, m in enumerate(x.shape))
    if prepend is not None or append is not None:
        parts = [part for part in (prepend, x, append) if part is not None]
        x = concat([part if np.ndim(part) else broadcast_to(part, slab) for part in parts], axis)
    differ = not_equal if x.dtype.kind == "b" else subtract
    for _ in range(n):
        x = differ(_slice(x, axis, 1, None), _slice(x, axis, None, -1))
    return x
