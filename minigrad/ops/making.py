"""NumPy's functions that make arrays: of lists, of nothing (with ``like=``), and between two ends."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.core import Array, Handle, holds_tensor, implements, name_of
from minigrad.errors import ArgumentError, ShapeError
from minigrad.ops.arguments import checked, operand, value_of, weak
from minigrad.ops.describing import constant
from minigrad.ops.names import with_all_arguments
from minigrad.ops.shaping import astype, broadcast_arrays, broadcast_to, expand_dims, reshape, stack

# Of existing elements


def joined(x: Any) -> Array:
    """A Tensor: `x` itself, its value, or, of a list that holds Tensors, those joined."""
    if isinstance(x, Handle):
        return x
    if holds_tensor(x):
        return stack([joined(part) for part in x])
    return name_of(np.asarray(x), None)


@implements(np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray, np.require)
def _asarray(a: Any, dtype: Any = None, *, copy: bool | None = None) -> Array:
    a = joined(a)
    return a if dtype is None else astype(a, dtype)


@implements(np.array)
def _array(object: Any, dtype: Any = None, *, copy: bool | None = True, ndmin: int = 0) -> Array:
    a = _asarray(object, dtype)
    return reshape(a, (1,) * (ndmin - np.ndim(a)) + np.shape(a))


@implements(np.copy)
def _copy(a: Array) -> Array:
    return astype(a, a.dtype)


@implements(np.ix_)
def _ix(*args: Any) -> tuple[Array, ...]:
    """An index for the elements of some rows, some columns and so on."""
    if any(np.ndim(x) != 1 for x in args):
        raise ShapeError(f"ix_ needs arrays of one axis, and these have shapes {[np.shape(x) for x in args]}")
    chosen = [joined(np.flatnonzero(x) if value_of(x).dtype == bool else x) for x in args]
    return tuple(reshape(x, (1,) * i + (-1,) + (1,) * (len(args) - 1 - i)) for i, x in enumerate(chosen))


# Of nothing


def _like(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that makes arrays as one that makes Tensors; a Tensor that requires grad is no argument of it."""

    def make(*args: Any, **kwargs: Any) -> Any:
        return constant(function(*args, **kwargs))

    return make


_function: Any
for _function in (
    np.zeros, np.ones, np.empty, np.eye, np.identity, np.tri, np.arange, np.frombuffer, np.fromfile, np.fromfunction,
    np.fromiter, np.fromstring, np.genfromtxt, np.loadtxt,
):  # fmt: skip
    implements(_function)(_like(_function))


@implements(np.full)
def _full(shape: Any, fill_value: Any, dtype: Any = None) -> Array:
    return broadcast_to(_asarray(fill_value, dtype), shape)


@with_all_arguments(np.full_like)
def _full_like(a: Array, fill_value: Any, dtype: Any = None, *, shape: Any = None) -> Array:
    return _full(np.shape(a) if shape is None else shape, fill_value, dtype or a.dtype)


def _shaped_like(function: Callable[..., Any]) -> Callable[..., Any]:
    def make(a: Array, dtype: Any = None, *, shape: Any = None) -> Array:
        return constant(function(value_of(a), dtype=dtype, shape=shape))

    return make


for _function in (np.zeros_like, np.ones_like):
    with_all_arguments(_function)(_shaped_like(_function))


@with_all_arguments(np.empty_like)
def _empty_like(prototype: Array, dtype: Any = None, *, shape: Any = None) -> Array:
    return constant(np.empty_like(value_of(prototype), dtype=dtype, shape=shape))


# Between two ends


def _between(start: Array, stop: Array, num: int, endpoint: bool, axis: int) -> Array:
    """Numbers at equal distances; the ends are exact."""
    if num < 0:
        raise ArgumentError(f"linspace makes no {num} numbers: num must not be negative")
    start, stop = broadcast_arrays(*_floating(start, stop))
    share = (np.arange(num) / max(num - endpoint, 1)).astype(np.empty(0, start.dtype).real.dtype)
    share = np.reshape(share, (num,) + (1,) * np.ndim(start))
    return np.moveaxis(start * (1 - share) + stop * share, 0, axis)


def _floating(*ends: Array) -> list[Array]:
    """The ends in one floating-point dtype."""
    ends = tuple(weak(x, "linspace") for x in ends)
    kind = np.result_type(1.0, *(getattr(x, "dtype", x) for x in ends))
    return [astype(operand(x, "linspace"), kind) for x in ends]


@implements(np.linspace)
def _linspace(
    start: Array, stop: Array, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
    axis: int = 0,
) -> Any:  # fmt: skip
    y = _between(start, stop, num, endpoint, axis)
    if dtype is not None:
        y = astype(np.floor(y) if np.dtype(dtype).kind in "iu" else y, dtype)
    if not retstep:
        return y
    parts, (start, stop) = num - endpoint, _floating(start, stop)
    return y, (stop - start) / parts if parts > 0 else (stop - start) * np.nan


@implements(np.logspace)
def _logspace(
    start: Array, stop: Array, num: int = 50, endpoint: bool = True, base: Array = 10.0, dtype: Any = None,
    axis: int = 0,
) -> Array:  # fmt: skip
    if np.ndim(base):
        start, stop, base = np.broadcast_arrays(start, stop, base)
        base = np.expand_dims(base, axis)
    y = np.power(base, _between(start, stop, num, endpoint, axis))
    return y if dtype is None else astype(y, dtype)


def _no_zero(x: np.ndarray) -> None:
    if not np.all(x):
        raise ArgumentError("geomspace: a geometric sequence cannot begin or end with 0")


@implements(np.geomspace)
def _geomspace(
    start: Array, stop: Array, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Array:
    """Numbers in equal proportions: between their logarithms the distances are equal."""
    start, stop = (checked(operand(x, "geomspace"), _no_zero) for x in (start, stop))
    start, stop = (astype(x, np.result_type(x.dtype, float)) for x in broadcast_arrays(*_floating(start, stop)))
    growth = np.log(stop / start)
    y = expand_dims(start, axis) * np.exp(_between(growth * 0, growth, num, endpoint, axis))
    return y if dtype is None else astype(y, dtype)
