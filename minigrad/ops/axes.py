"""Axes as people write them (negative, one or several, None for all), checked, and counted from the front."""

from typing import TypeAlias

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from minigrad.errors import AxisError
from minigrad.errors.operations import no_such_axis

Axis: TypeAlias = int | tuple[int, ...] | None


def one_axis(axis: int, ndim: int, name: str) -> int:
    """An axis of an array with `ndim` axes; `name` is the operation, for the message."""
    try:
        return normalize_axis_index(axis, ndim)
    except np.exceptions.AxisError as error:
        raise no_such_axis(name, error) from error


def several_axes(axis: Axis | list[int], ndim: int, name: str) -> tuple[int, ...]:
    """One axis or several, or all if it is None."""
    if axis is None:
        return tuple(range(ndim))
    try:
        return normalize_axis_tuple(axis, ndim)
    except np.exceptions.AxisError as error:
        raise no_such_axis(name, error) from error
    except ValueError as error:
        raise AxisError(f"{name}: axes {axis} of an array with {ndim} axes: {error}") from error
