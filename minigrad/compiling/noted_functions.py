"""What is noted of NumPy's functions; those that are not here are run, and what they call is noted."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.compiling.picking import chosen, put, taken
from minigrad.compiling.recording import DOUBLE, Refused, Shown, ShownNumber, current, plain
from minigrad.compiling.statements import Count


def _copied_to(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    if where is not True:
        src = chosen(where, src, dst)
    put(dst, src)


def _joined(arrays: Any, axis: Any = 0, out: Any = None, dtype: Any = None, casting: Any = None) -> Any:
    if out is not None or axis is None or dtype is not None:
        raise Refused("concatenate with options")
    recorder = current.get()
    made = recorder.made(np.concatenate([plain(x) for x in arrays], axis))
    start = 0
    for x in arrays:
        stop = start + x.shape[axis]
        put(made[(*[slice(None)] * (axis % made.ndim), slice(start, stop))], x)
        start = stop
    return made


def _filled(fill: Any) -> Callable[..., Any]:
    def function(prototype: Any, *args: Any, **kwargs: Any) -> Any:
        value = fill(plain(prototype), *[plain(a) for a in args], **{**kwargs, "subok": False})
        if any(isinstance(a, ShownNumber | Shown) for a in args):
            raise Refused("full_like of a value")
        made = current.get().made(value)
        if fill is np.empty_like:
            plain(made)[...] = 0
        elif value.size:
            put(made, value.reshape(-1)[0])
        return made

    return function


def _dot(a: Any, b: Any) -> Any:
    a, b = np.ravel(a), np.ravel(b)
    if plain(a).dtype.kind != "f":
        raise Refused("vdot")
    return np.vecdot(a, b)


def _inner(a: Any, b: Any, out: Any = None) -> Any:
    if np.ndim(a) != 1 or np.ndim(b) != 1 or out is not None:
        raise Refused("dot")
    return _dot(a, b)


def _spread(array: Any, shape: Any, subok: bool = False) -> Any:
    value = plain(array)
    strides = np.broadcast_to(value, shape).strides
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if not isinstance(array, Shown):
        current.get().view(array)
    return current.get().shown(np.lib.stride_tricks.as_strided(value, shape, strides))


def _counted(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    recorder = current.get()
    if weights is None or plain(x).dtype.char not in "lq" or plain(x).ndim != 1:
        raise Refused("bincount")
    value = np.bincount(np.clip(plain(x), 0, max(minlength - 1, 0)), plain(weights), minlength)
    weights = weights.astype(DOUBLE) if plain(weights).dtype != DOUBLE else weights
    made = recorder.made(value)
    put(made, 0.0)
    plain(made)[...] = value
    recorder.note(Count(recorder.view(made), recorder.view(x), recorder.view(weights)))
    return made


def constant(array: np.ndarray) -> Any:
    """An array that is always the same."""
    recorder = current.get()
    recorder.view(array)
    return recorder.shown(recorder.view(array).buffer.array)


def _refused(*args: Any, **kwargs: Any) -> Any:
    raise Refused("a function that is not noted")


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.where: lambda condition, *rest: chosen(condition, *rest) if len(rest) == 2 else _refused(),
    np.concatenate: _joined,
    np.zeros_like: _filled(np.zeros_like),
    np.ones_like: _filled(np.ones_like),
    np.empty_like: _filled(np.empty_like),
    np.full_like: _filled(np.full_like),
    np.copyto: _copied_to,
    np.vdot: _dot,
    np.dot: _inner,
    np.take: taken,
    np.broadcast_to: _spread,
    np.bincount: _counted,
    np.reshape: lambda a, shape, **options: a.reshape(shape, **options),
    np.copy: lambda a, order="K", subok=False: a.copy(order),
    np.array_equal: _refused,
    np.einsum: _refused,
    np.lexsort: _refused,
}
