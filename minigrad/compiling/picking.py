"""What is noted of elements that are read and written: by index, by mask, and where something holds."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.compiling.recording import BOOL, Refused, Shown, check_conversion, current, plain
from minigrad.compiling.statements import Map, Pick, View

_INTEGERS = "bBhHiIlLqQ"


def to_write(target: Any) -> View:
    """Where something may be written to."""
    view = current.get().view(target)
    if view.buffer.kind == "given":
        raise Refused("an input is written to")
    return view


def put(target: Any, value: Any) -> None:
    """Write a value into an array."""
    recorder = current.get()
    view = to_write(target)
    check_conversion(getattr(value, "dtype", view.dtype), view.dtype)
    if isinstance(value, np.ndarray) and value.ndim > target.ndim:
        value = value.reshape(value.shape[-target.ndim or value.ndim :])
    recorder.map("copy", view.dtype, view, [value])
    plain(target)[...] = plain(value)


def chosen(condition: Any, x: Any, y: Any) -> Any:
    """Elements of the one or of the other."""
    recorder = current.get()
    values = [plain(v) for v in (condition, x, y)]
    result = np.asarray(np.where(*values))
    if np.asarray(values[0]).dtype != BOOL:
        condition = np.not_equal(condition, 0)
    for v in values[1:]:
        if hasattr(v, "dtype"):
            check_conversion(v.dtype, result.dtype)
    made = recorder.made(result)
    inputs = (recorder.operand(condition, BOOL), *[recorder.operand(v, result.dtype) for v in (x, y)])
    recorder.note(Map("where", result.dtype, None, recorder.view(made), inputs))
    return made


def picked(x: Any, keys: Any, value: Any = None, adds: bool = False) -> Any:
    """Elements by arrays of indices; with a value, it is put there, or added."""
    recorder = current.get()
    keys = keys if isinstance(keys, tuple) else (keys,)
    keys = tuple([np.asarray(k) if isinstance(k, list) else k for k in keys])
    arrays = [k for k in keys if isinstance(k, np.ndarray)]
    if any(k.dtype.char not in _INTEGERS for k in arrays) or any(
        isinstance(k, int | np.integer) and not isinstance(k, bool) for k in keys
    ):
        raise Refused("an index of this kind")
    if isinstance(plain(x), np.ndarray) and not isinstance(x, Shown) and recorder.known(x) is None and value is None:
        recorder.view(x)  # a constant
    # First the part of the index that makes a view, with all of an axis where an array stands.
    part = plain(x)[tuple([slice(None) if isinstance(k, np.ndarray) else k for k in keys])]
    has_ellipsis = any(k is Ellipsis for k in keys)
    axes = [i for i, k in enumerate(_spelt(keys, part.ndim) if has_ellipsis else keys) if isinstance(k, np.ndarray)]
    shape = np.broadcast_shapes(*[k.shape for k in arrays])
    together = axes == list(range(axes[0], axes[0] + len(axes)))
    first = axes[0] if together else 0
    rest = [i for i in range(part.ndim) if i not in axes]
    source = recorder.view(part)
    before = [i for i in rest if i < axes[0]] if together else []
    after = [i for i in rest if i not in before]
    lengths = (*[part.shape[i] for i in before], *shape, *[part.shape[i] for i in after])
    strides = (*[part.strides[i] for i in before], *[0] * len(shape), *[part.strides[i] for i in after])
    view = source._replace(shape=lengths, strides=strides)
    places = []
    for k, i in zip(arrays, axes, strict=True):
        at = recorder.view(k).spread(shape)
        spread = at._replace(
            shape=lengths, strides=(*[0] * first, *at.strides, *[0] * (len(lengths) - first - len(shape)))
        )
        places.append((spread, part.shape[i], part.strides[i]))
    # The indices of another recording may be any.
    limits = iter([max(part.shape[i], 1) for i in axes])
    index = tuple([_within(plain(k), next(limits)) if isinstance(k, np.ndarray) else k for k in keys])
    if value is None:
        made = recorder.made(np.asarray(plain(x)[index]))
        recorder.note(Pick(recorder.view(made), view, tuple(places), writes=False))
        return made
    if source.buffer.kind == "given":
        raise Refused("an input is written to")
    if not isinstance(value, np.ndarray) or value.dtype != part.dtype or recorder.known(value) is None:
        filled = recorder.made(np.zeros(np.shape(value), part.dtype))
        put(filled, value)
        value = filled
    if value.ndim > len(lengths):
        raise Refused("a value of more axes")
    recorder.note(Pick(recorder.view(value).spread(lengths), view, tuple(places), writes=True, adds=adds))
    if adds:
        np.add.at(plain(x), index, plain(value))
    else:
        plain(x)[index] = plain(value)
    return None


def _within(places: np.ndarray, length: int) -> np.ndarray:
    return np.clip(places, -length, length - 1)


def _spelt(keys: Sequence[Any], ndim: int) -> list[Any]:
    """The keys with slices in place of an ellipsis."""
    place = next(i for i, k in enumerate(keys) if k is Ellipsis)
    return [*keys[:place], *[slice(None)] * (ndim - len(keys) + 1), *keys[place + 1 :]]


def taken(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: Any = "raise") -> Any:
    """Elements by their places along an axis."""
    if out is not None or mode != "raise" or not np.ndim(indices):
        raise Refused("take with options")
    if axis is None:
        a, axis = np.reshape(a, -1), 0
    return a[(*[slice(None)] * (axis % np.ndim(a)), indices)]
