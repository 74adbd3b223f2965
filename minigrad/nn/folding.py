"""Windows taken out of images and put back, and channels that become pixels and back."""

import math
from collections.abc import Sequence
from typing import Any

from minigrad.errors import ShapeError
from minigrad.nn.layer import FunctionLayer, check_windows, each, operand
from minigrad.ops import shaping, windows
from minigrad.options import whole_number

Size = int | Sequence[int]


def _how(kernel_size: Size, dilation: Size, padding: Size, stride: Size) -> tuple[tuple[int, ...], dict[str, Any]]:
    edges = each(padding, 2, "padding", least=0)
    how = {"stride": each(stride, 2, "stride"), "padding": tuple((p, p) for p in edges)}
    return each(kernel_size, 2, "kernel_size"), {**how, "dilation": each(dilation, 2, "dilation")}


def unfold(input: Any, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> Any:
    """The windows of images as columns ("im2col").

    Parameters
    ----------
    input : array of shape (N, C, H, W) or (C, H, W)
    kernel_size, dilation, padding, stride : int or pair of int

    Returns
    -------
    array of shape ``(N, C * kernel elements, number of windows)``, or without N

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.unfold(np.arange(6.0).reshape(1, 2, 3), 2)
    array([[0., 1.],
           [1., 2.],
           [3., 4.],
           [4., 5.]])
    """
    input = operand(input)
    if input.ndim == 3:
        return unfold(input.reshape(1, *input.shape), kernel_size, dilation, padding, stride)[0]
    if input.ndim != 4:
        raise ShapeError(f"unfold: the input must have shape (N, C, H, W) or (C, H, W), not {input.shape}")
    kernel, how = _how(kernel_size, dilation, padding, stride)
    check_windows("unfold", input.shape[2:], kernel, how["padding"], how["dilation"])
    y = windows.unfold(input, kernel=kernel, **how)
    return y.reshape(len(y), y.shape[1] * math.prod(kernel), math.prod(y.shape[4:]))


def fold(
    input: Any, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
) -> Any:
    """Columns added up to images, each where `unfold` would have taken it from.

    Parameters
    ----------
    input : array of shape ``(N, C * kernel elements, number of windows)``, or without N
    output_size : int or pair of int
    kernel_size, dilation, padding, stride : int or pair of int

    Returns
    -------
    array of shape ``(N, C, *output_size)``, or without N

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.fold(np.ones((4, 2)), (2, 3), 2)
    array([[[1., 2., 1.],
            [1., 2., 1.]]])
    """
    input = operand(input)
    if input.ndim == 2:
        return fold(input.reshape(1, *input.shape), output_size, kernel_size, dilation, padding, stride)[0]
    kernel, how = _how(kernel_size, dilation, padding, stride)
    lengths = each(output_size, 2, "output_size")
    check_windows("fold", lengths, kernel, how["padding"], how["dilation"])
    out = windows.geometry(lengths, kernel, **how).out
    if input.ndim != 3 or input.shape[1] % math.prod(kernel) or input.shape[2] != math.prod(out):
        raise ShapeError(
            f"fold: {math.prod(out)} windows of {math.prod(kernel)} elements a channel make an output of {lengths}, "
            f"and the input has shape {input.shape}"
        )
    channels = input.shape[1] // math.prod(kernel)
    return windows.fold(input.reshape(len(input), channels, *kernel, *out), lengths=lengths, **how)


def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """Channels made pixels: (..., C * r * r, H, W) becomes (..., C, H * r, W * r).

    W. Shi et al., "Real-time single image and video super-resolution", CVPR 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.pixel_shuffle(np.arange(4.0).reshape(4, 1, 1), 2)
    array([[[0., 1.],
            [2., 3.]]])
    """
    input, r = operand(input), whole_number(upscale_factor, "upscale_factor")
    *rest, channels, height, width = _image(input, "pixel_shuffle")
    if channels % (r * r):
        raise ShapeError(f"pixel_shuffle: {channels} channels are not a multiple of {r} * {r}")
    first = len(rest)
    y = input.reshape(*rest, channels // (r * r), r, r, height, width)
    order = (*range(first), *(first + i for i in (0, 3, 1, 4, 2)))
    return shaping.permute_dims(y, order).reshape(*rest, channels // (r * r), height * r, width * r)


def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """The inverse of `pixel_shuffle`: pixels made channels.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.pixel_unshuffle(np.arange(4.0).reshape(1, 2, 2), 2).ravel()
    array([0., 1., 2., 3.])
    """
    input, r = operand(input), whole_number(downscale_factor, "downscale_factor")
    *rest, channels, height, width = _image(input, "pixel_unshuffle")
    if height % r or width % r:
        raise ShapeError(f"pixel_unshuffle: images of {height} x {width} pixels cannot be divided by {r}")
    first = len(rest)
    y = input.reshape(*rest, channels, height // r, r, width // r, r)
    order = (*range(first), *(first + i for i in (0, 2, 4, 1, 3)))
    return shaping.permute_dims(y, order).reshape(*rest, channels * r * r, height // r, width // r)


def channel_shuffle(input: Any, groups: int) -> Any:
    """The channels (axis 1) in another order: the first of each group, then the second of each, and so on.

    X. Zhang et al., "ShuffleNet", CVPR 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.channel_shuffle(np.arange(4.0).reshape(1, 4, 1, 1), 2).ravel()
    array([0., 2., 1., 3.])
    """
    input = operand(input)
    if input.ndim < 3 or groups < 1 or input.shape[1] % groups:
        raise ShapeError(f"channel_shuffle: {groups} groups do not divide the channels (axis 1) of shape {input.shape}")
    count, channels, *rest = input.shape
    y = input.reshape(count, groups, channels // groups, *rest)
    return shaping.swapaxes(y, 1, 2).reshape(input.shape)


def _image(input: Any, name: str) -> tuple[int, ...]:
    if input.ndim < 3:
        raise ShapeError(f"{name}: the input must have shape (..., C, H, W), not {input.shape}")
    shape: tuple[int, ...] = input.shape
    return shape


class Unfold(FunctionLayer):
    """`functional.unfold` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Unfold(2)(mg.zeros((1, 3, 4, 4))).shape
    (1, 12, 9)
    """

    function = unfold

    def __init__(self, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> None:
        super().__init__(kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride)


class Fold(FunctionLayer):
    """`functional.fold` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Fold((4, 4), 2)(mg.zeros((1, 12, 9))).shape
    (1, 3, 4, 4)
    """

    function = fold

    def __init__(
        self, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
    ) -> None:
        super().__init__(
            output_size=output_size, kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride
        )


class PixelShuffle(FunctionLayer):
    """`functional.pixel_shuffle` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.PixelShuffle(2)(mg.zeros((1, 8, 3, 3))).shape
    (1, 2, 6, 6)
    """

    function = pixel_shuffle

    def __init__(self, upscale_factor: int) -> None:
        super().__init__(upscale_factor=upscale_factor)


class PixelUnshuffle(FunctionLayer):
    """`functional.pixel_unshuffle` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.PixelUnshuffle(2)(mg.zeros((1, 2, 6, 6))).shape
    (1, 8, 3, 3)
    """

    function = pixel_unshuffle

    def __init__(self, downscale_factor: int) -> None:
        super().__init__(downscale_factor=downscale_factor)


class ChannelShuffle(FunctionLayer):
    """`functional.channel_shuffle` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.ChannelShuffle(2)(mg.zeros((1, 4, 3, 3))).shape
    (1, 4, 3, 3)
    """

    function = channel_shuffle

    def __init__(self, groups: int) -> None:
        super().__init__(groups=groups)
