"""A linear function of many vectors at once: rows and columns of matrices of derivatives."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.mapping.mapper import mapped_rows
from minigrad.ops.shaping import stack
from minigrad.settings import now


def each_unit(f: Callable[[Any], list[Any]], units: np.ndarray, chunk_size: int | None) -> list[Any]:
    """What a linear function makes of unit vectors, or of others, stacked."""
    if len(units) == 1 or (len(units) and is_watched()):
        rows = [f(unit) for unit in units]
        return [stack(column) for column in zip(*rows, strict=True)]
    return mapped_rows(f, units, chunk_size=chunk_size)


def is_watched() -> bool:
    """Whether somebody looks at every operation, as it is done for one vector alone."""
    mode = now()
    return mode.anomaly or mode.watcher is not None
