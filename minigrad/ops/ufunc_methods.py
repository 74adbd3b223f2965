"""What a ufunc can do besides being called with its operands: its keyword arguments, and its methods.

``reduce`` and ``accumulate`` of the common ufuncs are operations under other names.  Those of all others, ``outer``
and ``reduceat`` are computed as they are defined, step by step, with the operation that stands for the ufunc.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad import errors
from minigrad.core import Array, numpy_functions, primitive
from minigrad.errors.numpy_functions import unsupported_arguments, unsupported_at
from minigrad.errors.operations import explain
from minigrad.ops import elementwise, reductions
from minigrad.ops.arguments import has_no_effect, mask_of, operand, value_of
from minigrad.ops.axes import Axis, one_axis, several_axes
from minigrad.ops.describing import without_derivative
from minigrad.ops.indexing import getitem, take, take_along_axis
from minigrad.ops.making import joined
from minigrad.ops.names import full_name, in_full
from minigrad.ops.numpy_names import masked
from minigrad.ops.reductions import recurrence
from minigrad.ops.shaping import astype, expand_dims, moveaxis, reshape, stack

Operation = Callable[..., Any]


def call(ufunc: np.ufunc, operation: Operation, method: str, inputs: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """A call of one of a ufunc's methods, where `operation` stands for the ufunc."""
    if method == "at":
        raise unsupported_at(full_name(ufunc), ufunc.nin)
    given = {name: x for name, x in kwargs.items() if not has_no_effect(name, x)}
    compute, arguments = _METHODS[method]
    if refused := [name for name in given if name not in arguments]:
        raise unsupported_arguments(_name(ufunc, method), refused)
    made = getattr(operation, "primitive", None)
    if method != "__call__" and made is not None and not made.differentiable:
        return without_derivative(getattr(ufunc, method), _name(ufunc, method))(*inputs, **given)
    return compute(ufunc, operation, *inputs, **given)


def _name(ufunc: np.ufunc, method: str) -> str:
    return full_name(ufunc) + ("" if method == "__call__" else f".{method}")


# Calls with a dtype, and those of the products that can choose an axis


def _call(
    ufunc: np.ufunc, operation: Operation, *operands: Any, dtype: Any = None, casting: Any = "same_kind",
    axis: int = -1, keepdims: bool = False,
) -> Any:  # fmt: skip
    if ufunc.signature not in (None, "(n),(n)->()") and (axis != -1 or keepdims):
        raise unsupported_arguments(full_name(ufunc), ["axis"] if axis != -1 else ["keepdims"])
    if axis != -1:
        operands = tuple(moveaxis(x, axis, -1) for x in operands)
    if dtype is not None or casting != "same_kind":
        operands, kinds = _converted(ufunc, operands, dtype, casting)
        results = operation(*operands)
        if ufunc.nout > 1:
            return tuple(astype(y, kind) for y, kind in zip(results, kinds, strict=True))
        result = results if results.dtype == kinds[0] else astype(results, kinds[0])
    else:
        result = operation(*operands)
    return expand_dims(result, axis) if keepdims else result


def _converted(ufunc: np.ufunc, operands: Sequence[Any], dtype: Any, casting: Any) -> tuple[tuple[Any, ...], list[Any]]:
    """The operands in the dtypes in which the ufunc is to compute, and the dtypes of its results."""
    weak = [type(x) if type(x) in (int, float, complex) else operand(x, ufunc.__name__).dtype for x in operands]
    wanted: Any = {} if dtype is None else {"signature": (*(None,) * ufunc.nin, *(np.dtype(dtype),) * ufunc.nout)}
    try:
        kinds: Any = ufunc.resolve_dtypes((*weak, *(None,) * ufunc.nout), casting=casting, **wanted)
    except TypeError as error:
        raise errors.DTypeError(f"{full_name(ufunc)}: {error}") from error
    pairs = zip(operands, kinds, strict=False)
    converted = [astype(operand(x, ufunc.__name__), kind) for x, kind in pairs]
    return tuple(converted), list(kinds[ufunc.nin :])


# Reductions

_REDUCTIONS: dict[np.ufunc, Any] = {np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min}


def _reduce(
    ufunc: np.ufunc, operation: Operation, array: Array, *, axis: Axis = 0, dtype: Any = None, keepdims: bool = False,
    initial: Array | None = None, where: Any = True,
) -> Array:  # fmt: skip
    array = joined(array)
    axes = several_axes(axis, np.ndim(array), _name(ufunc, "reduce")) if np.ndim(array) else ()
    extra = ({} if initial is None else {"initial": initial}) | ({} if where is True else {"where": where})
    function = _REDUCTIONS.get(ufunc)
    # Not NumPy's function itself: it would call the ufunc's method again if only the mask is a Tensor.
    reduction: Any = None if function is None else (in_full if extra else numpy_functions)[function]
    if ufunc in (np.add, np.multiply):
        return reduction(array, axes, dtype=dtype, keepdims=keepdims, **extra)
    if dtype is not None:
        array = astype(array, dtype)
    if reduction is not None:
        return reduction(array, axes, keepdims=keepdims, **extra)
    if ufunc is np.logaddexp:
        total = reductions.logsumexp(masked(array, where, -np.inf), axes, keepdims=keepdims)
        return total if initial is None else operation(total, initial)
    result = _folded(ufunc, operation, array, axes, initial, where)
    return expand_dims(result, axes) if keepdims else result


def _folded(
    ufunc: np.ufunc, operation: Operation, array: Array, axes: tuple[int, ...], initial: Any, where: Any
) -> Array:
    """``operation(operation(operation(initial, x0), x1), x2)`` and so on; without an initial value from `x0` on."""
    parts, initial = _parts(array, axes), ufunc.identity if initial is None else initial
    masks = [True] * len(parts) if where is True else _parts(np.broadcast_to(mask_of(where), np.shape(array)), axes)
    if initial is None:
        if len(axes) > 1 or where is not True or not parts:
            _require_result(ufunc, axes, np.ones(np.shape(array)), where)
        initial, parts, masks = parts[0], parts[1:], masks[1:]
    result = astype(operand(initial, ufunc.__name__), array.dtype)
    if np.size(array) == 0:  # the result is part of the graph nevertheless
        return reductions.sum(array, axes) + result
    for part, mask in zip(parts, masks, strict=True):
        result = operation(result, part) if mask is True else elementwise.where(mask, operation(result, part), result)
    return result


def _require_result(ufunc: np.ufunc, axes: tuple[int, ...], array: np.ndarray, where: Any) -> None:
    """If a reduction has no result without an initial value, say why, as NumPy does."""
    try:
        ufunc.reduce(array, axis=axes, **({} if where is True else {"where": value_of(where)}))
    except ValueError as error:
        explain(error, f"{ufunc.__name__}.reduce", [array], {"axis": axes})
        raise


def _parts(array: Array, axes: tuple[int, ...]) -> list[Array]:
    """What comes one after another along some axes."""
    rest = tuple(n for i, n in enumerate(np.shape(array)) if i not in axes)
    count = math.prod(np.shape(array)[i] for i in axes)
    array = reshape(moveaxis(array, axes, tuple(range(len(axes)))), (count, *rest))
    return [getitem(array, index=(i,)) for i in range(count)]


# Running reductions


def _running_extreme(ufunc: np.ufunc, array: Array, axis: int) -> Array:
    """Of equal elements the last one has the gradient, as in PyTorch's `cummax`."""
    return take_along_axis(
        array, reductions.places_of_extremes(array, axis=axis, largest=ufunc is np.maximum), axis=axis
    )


def _logaddexp_rule(g: Array, y: Array, x: Array, axis: int) -> Array:
    """The sum over all k from each element on of ``g[k] * exp(x - y[k])``."""
    # With s[i] = g[i] + exp(y[i] - y[i + 1]) s[i + 1], where no exponent is positive, it is exp(x[i] - y[i]) s[i].
    y = np.where(y == -np.inf, -1e30, y)
    backwards = np.flip(y, axis=axis)
    first = backwards[(*(slice(None),) * (axis % x.ndim), slice(1))]
    steps = np.exp(np.diff(backwards, axis=axis, prepend=first))
    return np.exp(x - y) * np.flip(recurrence(steps, np.flip(g, axis=axis), axis=axis), axis=axis)


@primitive(lambda g, y, x, *, axis: _logaddexp_rule(g, y, x, axis), cost=1)
def cumulative_logaddexp(x: Array, /, *, axis: int) -> Array:
    """Logarithms of running sums of exponentials, along an axis."""
    return np.logaddexp.accumulate(x, axis)


def _accumulate(ufunc: np.ufunc, operation: Operation, array: Array, *, axis: int = 0, dtype: Any = None) -> Array:
    axis = one_axis(axis, np.ndim(array), _name(ufunc, "accumulate"))
    if ufunc is np.add:
        return reductions.cumulative_sum(array, axis, dtype=dtype)
    if ufunc is np.multiply:
        return reductions.cumulative_prod(array, axis, dtype=dtype)
    if dtype is not None:
        array = astype(array, dtype)
    if ufunc in (np.maximum, np.minimum):
        return _running_extreme(ufunc, array, axis)
    if ufunc is np.logaddexp:
        return cumulative_logaddexp(array, axis=axis)
    parts = _parts(array, (axis,))
    return stack(list(itertools.accumulate(parts, operation)), axis=axis) if parts else array


def _reduceat(
    ufunc: np.ufunc, operation: Operation, array: Array, indices: Any, *, axis: int = 0, dtype: Any = None
) -> Array:
    """Reductions of slices: each from one index to the next, or of one element if the next is not larger."""
    array = joined(array)
    axis = one_axis(axis, np.ndim(array), _name(ufunc, "reduceat"))
    starts, length = value_of(indices).tolist(), np.shape(array)[axis]
    if any(not 0 <= i < length for i in starts):
        raise errors.IndexingError(f"{_name(ufunc, 'reduceat')}: indices {starts} of an axis of length {length}")
    if not starts:
        return take(array, np.arange(0), axis=axis)
    before = (slice(None),) * axis
    slices = [slice(i, max(i + 1, j)) for i, j in zip(starts, [*starts[1:], length], strict=True)]
    parts = [getitem(array, index=(*before, part)) for part in slices]
    return stack([_reduce(ufunc, operation, part, axis=axis, dtype=dtype) for part in parts], axis=axis)


def _outer(ufunc: np.ufunc, operation: Operation, a: Array, b: Array, **kwargs: Any) -> Any:
    """The operation for all pairs of an element of `a` and an element of `b`."""
    a, b = operand(a, ufunc.__name__), operand(b, ufunc.__name__)
    return _call(ufunc, operation, reshape(a, (*a.shape, *(1,) * b.ndim)), b, **kwargs)


# What each method is computed by, and the arguments that it takes.
_METHODS: dict[str, tuple[Callable[..., Any], set[str]]] = {
    "__call__": (_call, {"dtype", "casting", "axis", "keepdims"}),
    "reduce": (_reduce, {"axis", "dtype", "keepdims", "initial", "where"}),
    "accumulate": (_accumulate, {"axis", "dtype"}),
    "reduceat": (_reduceat, {"axis", "dtype"}),
    "outer": (_outer, {"dtype", "casting"}),
}
