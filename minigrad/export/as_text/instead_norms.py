"""Norms of vectors, without powers that over- or underflow."""

import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from minigrad.ops import linalg

# Without their types, which know of no arrays but NumPy's.
_add, _maximum, _minimum = (cast(Any, f) for f in (np.add, np.maximum, np.minimum))


def vector_norm(x: Any, *, axis: Any = None, keepdims: bool = False, ord: float = 2) -> Any:
    """What `minigrad.linalg.vector_norm` gives, of numbers by the size of the one that counts most."""
    axes = tuple(range(x.ndim)) if axis is None else axis
    sizes = np.abs(x)
    if ord == 0:
        return _add.reduce((x != 0).astype(x.dtype), axis=axes, keepdims=keepdims)
    if ord == 1:
        return _add.reduce(sizes, axis=axes, keepdims=keepdims)
    extreme = _maximum if ord > 0 else _minimum
    if math.isinf(ord):
        return extreme.reduce(sizes, axis=axes, keepdims=keepdims)
    scale = extreme.reduce(sizes, axis=axes, keepdims=True)
    scale = np.where((scale > 0) & (scale < np.inf), scale, 1)
    ratio = sizes / scale
    total = _add.reduce(ratio * ratio if ord == 2 else ratio**ord, axis=axes, keepdims=True)
    found = scale * (np.sqrt(total) if ord == 2 else total ** (1 / ord))
    return found if keepdims else np.squeeze(found, axes)


ROWS: tuple[tuple[Any, Callable[..., Any]], ...] = ((linalg.vector_norm, vector_norm),)
