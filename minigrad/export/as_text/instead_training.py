"""What steps of training look at: the norm of all gradients, and whether arguments make sense."""

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from minigrad.compiling.recording import DOUBLE
from minigrad.export.as_text.instead_norms import vector_norm
from minigrad.nn.utils import clipping
from minigrad.ops import arguments


def _norm_parts(*arrays: Any, names: tuple[str, ...], order: float, error_if_nonfinite: bool) -> Any:
    """The size of the largest gradient, and the norm of all divided by it; of other orders than 2, 1 and the norm."""
    rows = [x.reshape(-1).astype(DOUBLE) for x in arrays if x.size]
    if not rows:
        return np.array([1.0, 0.0])
    scale = np.ones_like(rows[0], shape=(1,))
    if order == 2:
        sizes = [vector_norm(row, ord=math.inf).reshape(1) for row in rows]
        largest = vector_norm(np.concatenate(sizes), ord=math.inf).reshape(1)
        scale = np.where((largest > 0) & (largest < np.inf), largest, 1)
        rows = [row / scale for row in rows]
    norms = np.concatenate([vector_norm(row, ord=order).reshape(1) for row in rows])
    norm = np.add.reduce(norms, keepdims=True) if order == 0 else vector_norm(norms, keepdims=True, ord=order)
    if error_if_nonfinite:
        bool(np.isfinite(scale * norm).reshape(()))  # on which the rest then depends
    return np.concatenate([scale, norm])


def _total(parts: Any) -> Any:
    return (parts[:1] * parts[1:]).reshape(()).item()


def _clipping_factor(parts: Any, max_norm: Any) -> Any:
    scale, norm = parts[:1], parts[1:]
    total = scale * norm
    too_large = np.isinf(total) & np.isfinite(scale)
    return np.where(too_large, max_norm / scale / norm, max_norm / (total + 1e-6)).reshape(()).item()


def _checked(x: Any, *, test: Any) -> Any:
    """The argument, with those of its tests that can be written down."""
    with suppress(Exception):  # whatever a test does with what only looks like an array
        test(x)
    return x


ROWS: tuple[tuple[Any, Callable[..., Any]], ...] = (
    (clipping._norm_parts, _norm_parts), (clipping._total, _total), (clipping._clipping_factor, _clipping_factor),
    (arguments._checked, _checked),
)  # fmt: skip
