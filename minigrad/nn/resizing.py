"""Sequences, images and volumes resampled to another size."""

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.errors import ArgumentError, ShapeError
from minigrad.nn.layer import FunctionLayer, floating
from minigrad.ops import shaping
from minigrad.ops.linalg import matmul

# The modes with the number of axes that they are for, None for any.
_MODES = {
    "nearest": None, "nearest-exact": None, "area": None, "linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3,
}  # fmt: skip
_ALIGNED = {"linear", "bilinear", "bicubic", "trilinear"}


def interpolate(
    input: Any,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """Resample to another size.

    All modes are linear and treat one axis after another: each is a product with a matrix of weights for each axis.

    Parameters
    ----------
    input : array of shape (N, C, d1, ...)
        With one to three axes to be resampled.
    size : int or sequence of int, optional
        The new lengths. Give either these or `scale_factor`.
    scale_factor : float or sequence of float, optional
    mode : {"nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear", "area"}
        "linear" is for one axis, "bilinear" and "bicubic" are for two, "trilinear" for three. "area" takes means.
    align_corners : bool, optional
        In the linear and cubic modes, whether the first and last elements of an axis (and not the edges of them) lie at
        the same places in input and output.
    recompute_scale_factor : bool, optional
        Whether to resample by the ratio of the lengths instead of the `scale_factor` given.
    antialias : bool
        In "bilinear" and "bicubic", widen the weights when the image is made smaller.

    Raises
    ------
    ArgumentError
        If the options do not go together.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.interpolate(np.array([[[1.0, 2.0]]]), scale_factor=2)
    array([[[1., 1., 2., 2.]]])
    >>> F.interpolate(np.array([[[1.0, 2.0]]]), size=3, mode="linear", align_corners=True)
    array([[[1. , 1.5, 2. ]]])
    """
    input = floating(input)
    axes = input.ndim - 2
    if axes not in (1, 2, 3):
        raise ShapeError(f"interpolate: the input must have shape (N, C, d1), (N, C, d1, d2) ..., not {input.shape}")
    if mode not in _MODES or _MODES[mode] not in (None, axes):
        fitting = [name for name, count in _MODES.items() if count in (None, axes)]
        raise ArgumentError(f"interpolate: mode {mode!r} is not one of those for {axes} axes: {', '.join(fitting)}")
    if align_corners is not None and mode not in _ALIGNED:
        raise ArgumentError(f"interpolate: align_corners is for the linear and cubic modes, not for {mode!r}")
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ArgumentError(f"interpolate: antialias is for the modes 'bilinear' and 'bicubic', not for {mode!r}")
    if (size is None) == (scale_factor is None):
        raise ArgumentError("interpolate: give either size or scale_factor")
    if recompute_scale_factor and size is not None:
        raise ArgumentError("interpolate: recompute_scale_factor goes with scale_factor, not with size")
    lengths = input.shape[2:]
    wanted: Any = size if scale_factor is None else scale_factor
    given: tuple[float, ...] = tuple(wanted) if isinstance(wanted, Sequence) else (wanted,) * axes
    if len(given) != axes:
        raise ArgumentError(f"interpolate: one number, or one for each of {axes} axes, not {given}")
    scales: list[float | None] = [None] * axes
    if scale_factor is None:
        new = [int(n) for n in given]
    else:
        new = [math.floor(n * s) for n, s in zip(lengths, given, strict=True)]
        scales = [None] * axes if recompute_scale_factor or mode == "area" else list(given)
    if min(new) < 1:
        raise ShapeError(f"interpolate: nothing would be left of shape {input.shape} at size {new}")
    for axis, (old, out, scale) in enumerate(zip(lengths, new, scales, strict=True), start=2):
        if old != out or not (scale is None or mode.endswith("linear")):  # at one length the linear modes copy
            weights = _weights(old, out, mode, bool(align_corners), scale, antialias).astype(input.dtype)
            moved = matmul(shaping.moveaxis(input, axis, -1), weights)
            input = shaping.moveaxis(moved, -1, axis)
    return input


@functools.lru_cache(maxsize=64)
def _weights(old: int, new: int, mode: str, aligned: bool, scale: float | None, antialias: bool) -> np.ndarray:
    """A matrix of shape (old, new) whose columns say how each new element is made of the old ones."""
    weights = np.zeros((old, new))
    columns = np.arange(new)
    if mode == "area":
        for i in columns:
            start, end = i * old // new, -((i + 1) * old // -new)
            weights[start:end, i] = 1 / (end - start)
        return weights
    step = old / new if scale is None else 1 / scale
    if mode.startswith("nearest"):
        source = np.floor((columns + 0.5 * (mode == "nearest-exact")) * step).astype(int)
        weights[np.minimum(source, old - 1), columns] = 1
        return weights
    if aligned:
        step = (old - 1) / (new - 1) if new > 1 else 0.0
    kernel = _cubic if mode == "bicubic" else _linear
    if antialias:
        return _antialiased(weights, step, kernel, 2 if mode == "bicubic" else 1)
    places = columns * step if aligned else (columns + 0.5) * step - 0.5
    if mode != "bicubic":
        places = np.maximum(places, 0)
    first = np.floor(places).astype(int)
    for offset in (-1, 0, 1, 2) if mode == "bicubic" else (0, 1):
        share = kernel(places - first - offset, -0.75)
        np.add.at(weights, (np.clip(first + offset, 0, old - 1), columns), share)
    return weights


def _antialiased(weights: np.ndarray, step: float, kernel: Any, radius: int) -> np.ndarray:
    """Weights that reach as far as the new elements are apart."""
    old, new = weights.shape
    reach = max(step, 1.0)
    for i in range(new):
        centre = step * (i + 0.5)  # with aligned corners too, as in PyTorch
        start, end = max(int(centre - radius * reach + 0.5), 0), min(int(centre + radius * reach + 0.5), old)
        share = kernel((np.arange(start, end) - centre + 0.5) / reach, -0.5)
        weights[start:end, i] = share / share.sum()
    return weights


def _linear(x: np.ndarray, _: float) -> np.ndarray:
    shares: np.ndarray = np.maximum(1 - np.abs(x), 0)
    return shares


def _cubic(x: np.ndarray, a: float) -> np.ndarray:
    """Convolution kernel with parameter `a` (R. G. Keys, "Cubic convolution interpolation", 1981)."""
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


class Upsample(FunctionLayer):
    """`functional.interpolate` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Upsample(scale_factor=2, mode="bilinear")(mg.zeros((1, 3, 4, 4))).shape
    (1, 3, 8, 8)
    """

    function = interpolate

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__(
            size=size,
            scale_factor=scale_factor,
            mode=mode,
            align_corners=align_corners,
            recompute_scale_factor=recompute_scale_factor,
        )


class UpsamplingNearest2d(Upsample):
    """`Upsample` of images with mode "nearest".

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.UpsamplingNearest2d(scale_factor=2)(mg.zeros((1, 3, 4, 4))).shape
    (1, 3, 8, 8)
    """

    def __init__(
        self, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None
    ) -> None:
        super().__init__(size, scale_factor)


class UpsamplingBilinear2d(Upsample):
    """`Upsample` of images with mode "bilinear" and aligned corners.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.UpsamplingBilinear2d(scale_factor=2)(mg.zeros((1, 3, 4, 4))).shape
    (1, 3, 8, 8)
    """

    def __init__(
        self, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None
    ) -> None:
        super().__init__(size, scale_factor, "bilinear", align_corners=True)
