"""NumPy's numerical methods on sampled functions: differences, integrals, interpolation, convolution."""

from typing import Any

import numpy as np

from minigrad.core import Array, implements, numpy_keywords, primitive
from minigrad.errors import ArgumentError, DTypeError, ShapeError
from minigrad.ops import costs
from minigrad.ops.arguments import operand, unrecorded, weak
from minigrad.ops.axes import Axis, one_axis, several_axes
from minigrad.ops.elementwise import conj, remainder, where
from minigrad.ops.indexing import take
from minigrad.ops.kept_zeros import zero_safe_product
from minigrad.ops.reductions import sum
from minigrad.ops.shaping import astype, concat, flip, moveaxis, reshape
from minigrad.options import one_of

# Differences.  The axis in question is the last.


def _one_sided(f: Array, near: Array, far: Array) -> Array:
    """Second-order derivative at the first of three samples, at these distances from one another."""
    both_ways = near + far
    return (
        -(near + both_ways) / (near * both_ways) * f[..., 0:1]
        + both_ways / (near * far) * f[..., 1:2]
        - near / (far * both_ways) * f[..., 2:3]
    )


def _derivative(f: Array, steps: Array, edge_order: int) -> Array:
    """Derivative by differences; one distance for all samples, or one for each pair of neighbours."""
    if steps.ndim == 0:
        inner = (f[..., 2:] - f[..., :-2]) / (2.0 * steps)
        first = second = last = last_but_one = steps
    else:
        left, right = steps[:-1], steps[1:]
        inner = (
            -right / (left * (left + right)) * f[..., :-2]
            + (right - left) / (left * right) * f[..., 1:-1]
            + left / (right * (left + right)) * f[..., 2:]
        )
        first, second, last, last_but_one = steps[0], steps[edge_order - 1], steps[-1], steps[-edge_order]
    if edge_order == 1:
        start, end = (f[..., 1:2] - f[..., 0:1]) / first, (f[..., -1:] - f[..., -2:-1]) / last
    else:
        start = _one_sided(f[..., :3], first, second)
        end = -_one_sided(f[..., -1:-4:-1], last, last_but_one)
    return concat([start, inner, end], axis=-1)


def _steps(spacing: Any, length: int) -> Array:
    """Distances of neighbours: the spacing, if it is a number, or the differences of coordinates."""
    spacing = operand(spacing, "gradient")
    if spacing.ndim == 0:
        return spacing
    if spacing.shape != (length,):
        raise ShapeError(
            f"gradient along an axis of length {length}: the spacing is a number or as many coordinates, and this has "
            f"shape {spacing.shape}"
        )
    spacing = astype(spacing, float) if spacing.dtype.kind in "iu" else spacing
    return spacing[1:] - spacing[:-1]


@implements(np.gradient)
def gradient(f: Array, *varargs: Any, axis: Axis = None, edge_order: int = 1) -> Any:
    """Derivative of a sampled function along each axis: central differences, and one-sided ones at the ends.

    The formulas are those of `numpy.gradient`; spacings and coordinates have derivatives too.
    """
    f = operand(f, "gradient")
    axes = several_axes(axis, f.ndim, "gradient")
    if len(varargs) not in (0, 1, len(axes)) or (len(varargs) == 1 < len(axes) and np.ndim(varargs[0]) > 0):
        raise DTypeError(f"gradient along {len(axes)} axes takes one spacing, one for each axis, or none")
    one_of(edge_order, "gradient: edge_order", (1, 2))
    spacings = varargs if len(varargs) == len(axes) else (varargs or (1.0,)) * len(axes)
    x = f if f.dtype.kind in "fc" else astype(f, float)
    results = []
    for i, spacing in zip(axes, spacings, strict=True):
        if f.shape[i] < edge_order + 1:
            raise ShapeError(
                f"gradient of shape {f.shape} along axis {i}: at least {edge_order + 1} samples are needed"
            )
        result = _derivative(moveaxis(x, i, -1), _steps(spacing, f.shape[i]), edge_order)
        results.append(moveaxis(astype(result, x.dtype), -1, i))
    return results[0] if len(axes) == 1 else tuple(results)


@implements(np.ediff1d)
def ediff1d(ary: Array, to_end: Any = None, to_begin: Any = None) -> Array:
    """Differences of neighbours in the flattened array, between what is to stand before and after them."""
    flat = reshape(operand(ary, "ediff1d"), -1)
    parts = [flat[1:] - flat[:-1]]
    if to_begin is not None:
        parts.insert(0, _more_differences(to_begin, "to_begin", flat.dtype))
    if to_end is not None:
        parts.append(_more_differences(to_end, "to_end", flat.dtype))
    return concat(parts)


def _more_differences(given: Any, name: str, dtype: Any) -> Array:
    given = operand(given, "ediff1d")
    if not np.can_cast(given.dtype, dtype, "same_kind"):
        raise DTypeError(f"ediff1d: {name} of {given.dtype} does not fit differences of {dtype}")
    return reshape(astype(given, dtype), -1)


@primitive(lambda g, y, p, *, discont, axis, period: g, numpy=np.unwrap, cost=1)
def unwrap(p: Array, /, discont: float | None = None, axis: int = -1, *, period: float = 2 * np.pi) -> Array:
    """Angles with multiples of the period added, so that none is far from the one before it on the axis.

    The multiples have no derivative, so that of the result is 1.
    """
    return np.unwrap(p, discont, axis, period=period)


# Integrals


@implements(np.trapezoid)
@numpy_keywords
def trapezoid(y: Array, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Array:
    """Integral of a sampled function along an axis, by the trapezoidal rule.

    Parameters
    ----------
    y : array
        The function's values.
    x : array, optional
        Where they were taken: as many coordinates as there are values along the axis, or an array like `y`.  They have
        a derivative too.
    dx : number
        The distance of neighbours, if there are no coordinates.
    axis : int

    Returns
    -------
    array
        Of the shape of `y` without the axis.

    Raises
    ------
    AxisError
        If the array does not have the axis.
    ShapeError
        If the coordinates do not fit.

    Examples
    --------
    >>> import minigrad as mg
    >>> y = mg.tensor([1.0, 2.0, 4.0], requires_grad=True)
    >>> mg.trapezoid(y, dx=2.0).backward()
    >>> y.grad
    tensor([1., 2., 1.])
    """
    y = operand(y, "trapezoid")
    f = moveaxis(y, one_axis(axis, y.ndim, "trapezoid"), -1)
    steps = weak(dx, "trapezoid") if x is None else _distances(operand(x, "trapezoid"), y.shape, axis)
    return sum(steps * (f[..., 1:] + f[..., :-1]) / 2.0, axis=-1)


def _distances(x: Array, shape: tuple[int, ...], axis: int) -> Array:
    """Differences of coordinates along an axis, which becomes the last."""
    if x.ndim == 0 or (x.ndim == 1 and x.shape[0] != shape[axis]):
        raise ShapeError(f"trapezoid of shape {shape} along axis {axis} takes {shape[axis]} coordinates, not {x.shape}")
    x = x if x.ndim == 1 else moveaxis(x, axis, -1)
    return x[..., 1:] - x[..., :-1]


# Interpolation


@primitive(cost=costs.search)
def piece_of(x: Array, xp: Array, /) -> Array:
    """The index of the knot at which the piece begins that an abscissa lies in; of the first or last, if outside."""
    return np.clip(np.searchsorted(xp, x, side="right") - 1, 0, max(len(xp) - 2, 0))


@implements(np.interp)
def interp(x: Array, xp: Array, fp: Array, left: Any = None, right: Any = None, period: float | None = None) -> Array:
    """Linear interpolation between knots.

    Parameters
    ----------
    x : array
        Where to interpolate.
    xp : array
        The abscissas of the knots, of one axis, in rising order unless there is a period.
    fp : array
        The ordinates of the knots, real or complex.
    left, right : number, optional
        The value below the first knot and above the last; by default that of the knot.
    period : number, optional
        Of `xp` and `x`: the knots are repeated with it, and `left` and `right` are not used.

    Returns
    -------
    array
        Of the shape of `x`, float64 or complex128.  It has derivatives with respect to all operands.  At a knot that
        with respect to `x` is the one from the right: the slope of the piece that begins there, and 0 at the last knot.

    Raises
    ------
    ShapeError
        If the knots are not two arrays of one axis and the same length, or if there are none.
    ArgumentError
        If the period is 0.

    Examples
    --------
    >>> import minigrad as mg
    >>> fp = mg.tensor([3.0, 2.0, 0.0], requires_grad=True)
    >>> mg.interp(2.25, [1.0, 2.0, 3.0], fp).backward()
    >>> fp.grad
    tensor([0.  , 0.75, 0.25])
    """
    x, xp, fp = (operand(part, "interp") for part in (x, xp, fp))
    if xp.ndim != 1 or xp.shape != fp.shape or xp.shape[0] == 0:
        raise ShapeError(
            f"interp takes knots as two arrays of one axis and the same length, at least 1, not of shapes {xp.shape} "
            f"and {fp.shape}"
        )
    x, xp = astype(x, float), astype(xp, float)
    fp = astype(fp, complex if fp.dtype.kind == "c" else float)
    if period is not None:
        x, xp, fp = _unrolled(x, xp, fp, period)
        left = right = None
    i = piece_of(x, xp)
    after = np.minimum(i + 1, xp.shape[0] - 1)
    start, value = take(xp, i, axis=0), take(fp, i, axis=0)
    width = take(xp, after, axis=0) - start
    part = (x - start) / where(width == 0, 1, width)
    with np.errstate(invalid="ignore"):  # an infinite neighbour is not needed where its part is 0
        inside = value + zero_safe_product(part, take(fp, after, axis=0) - value)
    above = fp[-1] if right is None else where(x > xp[-1], right, fp[-1])
    below = fp[0] if left is None else left
    return where(x < xp[0], below, where(x >= xp[-1], above, inside))


def _unrolled(x: Array, xp: Array, fp: Array, period: float) -> tuple[Array, Array, Array]:
    """Abscissas within one period, and knots in order, with the last of the one before and the first of the next."""
    if period == 0:
        raise ArgumentError("interp: the period must not be 0")
    period = abs(period)
    x, xp = remainder(x, period), remainder(xp, period)
    order = np.argsort(unrecorded(xp))
    xp, fp = take(xp, order, axis=0), take(fp, order, axis=0)
    return (
        x,
        concat([xp[-1:] - period, xp, xp[:1] + period]),
        concat([fp[-1:], fp, fp[:1]]),
    )


# Convolution.  The primitive's first operand is not shorter than the second, and so it is in its rules: the derivative
# of the full convolution is made of those parts of others where the operands overlap completely, and vice versa.


def _left_rule(g: Array, a: Array, v: Array, full: bool) -> Array:
    """The correlation of `g` with `v`."""
    return convolve_signals(g, np.flip(v), full=False) if full else _ordered(g, np.flip(v))


def _right_rule(g: Array, a: Array, v: Array, full: bool) -> Array:
    """The correlation of `g` with `a`."""
    return convolve_signals(g if full else np.flip(a), np.flip(a) if full else g, full=False)


def _ordered(a: Array, v: Array) -> Array:
    """The full convolution, which is the same with the operands exchanged."""
    return convolve_signals(a, v, full=True) if a.shape[0] >= v.shape[0] else convolve_signals(v, a, full=True)


@primitive(
    lambda g, y, a, v, *, full: _left_rule(g, a, v, full),
    lambda g, y, a, v, *, full: _right_rule(g, a, v, full),
    kind="contraction",
    cost=lambda args, y, how: 2 * args[1].size * (args[0].size if how["full"] else y.size),
)
def convolve_signals(a: Array, v: Array, /, *, full: bool) -> Array:
    """Convolution of a signal with one that is not longer, in full or where they overlap completely."""
    return np.convolve(a, v, "full" if full else "valid")


def _signal(x: Any, name: str) -> Array:
    x = operand(x, name)
    if x.ndim > 1 or x.size == 0:
        raise ShapeError(f"{name} takes signals of one axis with at least one element, not of shape {x.shape}")
    return reshape(x, -1)


def _part_of_convolution(a: Array, v: Array, mode: str, later: bool, name: str) -> Array:
    """What a mode leaves of the full convolution; if there are two middles, the one before or the later one."""
    one_of(mode, f"{name}: mode", ("full", "same", "valid"))
    long, short = (a, v) if a.shape[0] >= v.shape[0] else (v, a)
    result = convolve_signals(long, short, full=mode != "valid")
    if mode != "same":
        return result
    start = (short.shape[0] - 1 + later) // 2
    return result[start : start + long.shape[0]]


@implements(np.convolve)
def convolve(a: Array, v: Array, mode: str = "full") -> Array:
    """Convolution of two signals: ``y[k] = sum(a[i] * v[k - i] for all i)``.

    Parameters
    ----------
    a, v : array
        Of one axis, real or complex.
    mode : {"full", "same", "valid"}
        Which results: all, so many as the longer signal has elements (from the middle), or those where the shorter
        signal lies within the longer.

    Returns
    -------
    array
        Of length ``n + m - 1``, ``max(n, m)`` or ``max(n, m) - min(n, m) + 1``.

    Raises
    ------
    ShapeError
        If a signal has more than one axis, or no elements.
    ArgumentError
        If there is no such mode.

    Examples
    --------
    >>> import minigrad as mg
    >>> v = mg.tensor([1.0, 1.0], requires_grad=True)
    >>> y = mg.convolve([1.0, 2.0, 3.0], v)
    >>> y[1].backward()
    >>> y.detach(), v.grad
    (tensor([1., 3., 5., 3.]), tensor([2., 1.]))
    """
    return _part_of_convolution(_signal(a, "convolve"), _signal(v, "convolve"), mode, False, "convolve")


@implements(np.correlate)
def correlate(a: Array, v: Array, mode: str = "valid") -> Array:
    """Cross-correlation of two signals: ``y[k] = sum(a[i + k] * conj(v[i]) for all i)``.

    Parameters
    ----------
    a, v : array
        Of one axis, real or complex.
    mode : {"valid", "same", "full"}
        As for `convolve`, but "valid" by default.

    Returns
    -------
    array
        Of a length as that of `convolve`, with rising `k`.

    Raises
    ------
    ShapeError
        If a signal has more than one axis, or no elements.
    ArgumentError
        If there is no such mode.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.correlate(mg.tensor([1.0, 2.0, 3.0]), [0.0, 1.0, 0.5])
    tensor([3.5])
    """
    a, v = _signal(a, "correlate"), _signal(v, "correlate")
    # NumPy exchanges the signals if the second is longer, and turns the result round.
    return _part_of_convolution(a, flip(conj(v)), mode, a.shape[0] < v.shape[0], "correlate")
