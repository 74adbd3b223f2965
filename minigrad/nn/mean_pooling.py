"""The mean of each window, or another norm of it."""

import math
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.nn.activation import relu
from minigrad.nn.layer import FunctionLayer, batched, each, floating, operand, unbatched
from minigrad.nn.pooling import Size, Sizes, bounds, counts_for
from minigrad.ops import elementwise, reductions, shaping
from minigrad.ops.scaling import narrowed, widened
from minigrad.ops.windows import unfold


def _avg_pool(
    axes: int,
    input: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    kind: str = "avg_pool",
) -> Any:
    name = f"{kind}{axes}d"
    input, had_batch = batched(input, axes, name)
    sizes = Sizes(name, axes, input.shape[2:], kernel_size, stride, padding)
    sums = reductions.sum(unfold(widened(input), **sizes.how(ceil_mode)), axis=tuple(range(2, 2 + axes)))
    if divisor_override is None:
        means = sums / sizes.counts(sums.shape[2:], count_include_pad).astype(sums.dtype)
    elif divisor_override:
        means = sums / divisor_override
    else:
        raise ArgumentError(f"{name}: divisor_override must not be 0")
    return unbatched(narrowed(means, input), had_batch)


def avg_pool1d(
    input: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The mean of windows of sequences; the parameters are those of `avg_pool2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.avg_pool1d(np.array([[[1.0, 3.0, 2.0, 0.0]]]), 2)
    array([[[2., 1.]]])
    """
    return _avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad)


def avg_pool2d(
    input: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of windows of images.

    Parameters
    ----------
    input : array of shape (N, C, H, W) or (C, H, W)
    kernel_size : int or pair of int
    stride : int or pair of int, optional
        By default the kernel's size.
    padding : int or pair of int
        Zeros at the edges, at most half of the kernel.
    ceil_mode : bool
        Let windows reach beyond the far edge, if they start inside.
    count_include_pad : bool
        Whether padding counts in the number that the sum is divided by.
    divisor_override : int, optional
        Divide by this instead.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.avg_pool2d(np.arange(16.0).reshape(1, 4, 4), 2)
    array([[[ 2.5,  4.5],
            [10.5, 12.5]]])
    """
    return _avg_pool(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(
    input: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of windows of volumes; the parameters are those of `avg_pool2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.avg_pool3d(np.arange(8.0).reshape(1, 2, 2, 2), 2).ravel()
    array([3.5])
    """
    return _avg_pool(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def _lp_pool(
    axes: int, input: Any, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Any:
    input = operand(input)
    powers = elementwise.pow(widened(input), norm_type)
    means = _avg_pool(axes, powers, kernel_size, stride, 0, ceil_mode, kind="lp_pool")
    sums = relu(means) * math.prod(each(kernel_size, axes, "kernel_size"))  # of zeros, the derivative is 0
    return narrowed(elementwise.pow(sums, 1 / norm_type), input)


def lp_pool1d(
    input: Any, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Any:
    """``sum(x ** norm_type) ** (1 / norm_type)`` over windows of sequences.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.lp_pool1d(np.array([[[3.0, 4.0]]]), 2, 2)
    array([[[5.]]])
    """
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Any, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Any:
    """``sum(x ** norm_type) ** (1 / norm_type)`` over windows of images.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.lp_pool2d(np.array([[[3.0, 4.0]]]), 2, (1, 2))
    array([[[5.]]])
    """
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Any, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Any:
    """``sum(x ** norm_type) ** (1 / norm_type)`` over windows of volumes.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.lp_pool3d(np.array([[[[3.0, 4.0]]]]), 2, (1, 1, 2))
    array([[[[5.]]]])
    """
    return _lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)


def _adaptive_avg_pool(axes: int, input: Any, output_size: Any) -> Any:
    name = f"adaptive_avg_pool{axes}d"
    input, had_batch = batched(floating(input), axes, name)
    for axis, count in enumerate(counts_for(name, output_size, input.shape[2:]), start=2):
        before, length, after = input.shape[:axis], input.shape[axis], input.shape[axis + 1 :]
        if length % count == 0:
            input = reductions.mean(input.reshape(*before, count, length // count, *after), axis=axis + 1)
        else:
            parts = [input[(slice(None),) * axis + (slice(*bound),)] for bound in bounds(length, count)]
            input = shaping.stack([reductions.mean(part, axis=axis) for part in parts], axis=axis)
    return unbatched(input, had_batch)


def adaptive_avg_pool1d(input: Any, output_size: Size) -> Any:
    """The means of so many windows of sequences.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.adaptive_avg_pool1d(np.array([[[1.0, 2.0, 3.0]]]), 2)
    array([[[1.5, 2.5]]])
    """
    return _adaptive_avg_pool(1, input, output_size)


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """The means of so many windows of images; None keeps the length of an axis.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.adaptive_avg_pool2d(np.arange(16.0).reshape(1, 4, 4), 1)
    array([[[7.5]]])
    """
    return _adaptive_avg_pool(2, input, output_size)


def adaptive_avg_pool3d(input: Any, output_size: Any) -> Any:
    """The means of so many windows of volumes; None keeps the length of an axis.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.adaptive_avg_pool3d(np.arange(8.0).reshape(1, 2, 2, 2), 1).ravel()
    array([3.5])
    """
    return _adaptive_avg_pool(3, input, output_size)


# Layers


class AvgPool1d(FunctionLayer):
    """`functional.avg_pool1d` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.AvgPool1d(2)(mg.zeros((1, 1, 4))).shape
    (1, 1, 2)
    """

    function = avg_pool1d

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(
            kernel_size=kernel_size,
            stride=kernel_size if stride is None else stride,
            padding=padding,
            ceil_mode=ceil_mode,
            count_include_pad=count_include_pad,
        )


class _AvgPool(FunctionLayer):
    """The mean of windows."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__(
            kernel_size=kernel_size,
            stride=kernel_size if stride is None else stride,
            padding=padding,
            ceil_mode=ceil_mode,
            count_include_pad=count_include_pad,
            divisor_override=divisor_override,
        )


class AvgPool2d(_AvgPool):
    """`functional.avg_pool2d` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.AvgPool2d(2)(mg.zeros((1, 1, 4, 4))).shape
    (1, 1, 2, 2)
    """

    function = avg_pool2d


class AvgPool3d(_AvgPool):
    """`functional.avg_pool3d` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.AvgPool3d(2)(mg.zeros((1, 1, 4, 4, 4))).shape
    (1, 1, 2, 2, 2)
    """

    function = avg_pool3d


class _LPPool(FunctionLayer):
    """A norm of windows."""

    def __init__(
        self, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
    ) -> None:
        super().__init__(norm_type=norm_type, kernel_size=kernel_size, stride=stride, ceil_mode=ceil_mode)


class LPPool1d(_LPPool):
    """`functional.lp_pool1d` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.LPPool1d(2, 2)(mg.ones((1, 1, 4))).shape
    (1, 1, 2)
    """

    function = lp_pool1d


class LPPool2d(_LPPool):
    """`functional.lp_pool2d` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.LPPool2d(2, 2)(mg.ones((1, 1, 4, 4))).shape
    (1, 1, 2, 2)
    """

    function = lp_pool2d


class LPPool3d(_LPPool):
    """`functional.lp_pool3d` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.LPPool3d(2, 2)(mg.ones((1, 1, 4, 4, 4))).shape
    (1, 1, 2, 2, 2)
    """

    function = lp_pool3d


class _AdaptiveAvgPool(FunctionLayer):
    """The mean of so many windows."""

    def __init__(self, output_size: Any) -> None:
        super().__init__(output_size=output_size)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """`functional.adaptive_avg_pool1d` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.AdaptiveAvgPool1d(2)(mg.zeros((1, 1, 5))).shape
    (1, 1, 2)
    """

    function = adaptive_avg_pool1d


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """`functional.adaptive_avg_pool2d` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.AdaptiveAvgPool2d(2)(mg.zeros((1, 1, 5, 5))).shape
    (1, 1, 2, 2)
    """

    function = adaptive_avg_pool2d


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """`functional.adaptive_avg_pool3d` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.AdaptiveAvgPool3d(2)(mg.zeros((1, 1, 5, 5, 5))).shape
    (1, 1, 2, 2, 2)
    """

    function = adaptive_avg_pool3d
