"""Convolutions and transposed convolutions of sequences, images and volumes."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from minigrad.creation import zeros
from minigrad.errors import ArgumentError, ShapeError
from minigrad.errors.modules import other_channels
from minigrad.nn import init
from minigrad.nn.layer import batched, check_windows, each, fan_bound, operand, unbatched
from minigrad.nn.module import Module, Parameter
from minigrad.nn.padding import pad
from minigrad.ops import shaping
from minigrad.ops.windows import Padding, convolve, convolve_transposed
from minigrad.options import one_of, whole_number

Size = int | Sequence[int]


def _paddings(
    name: str, padding: Any, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> Padding:
    """Padding before and after each axis; "same" puts the odd element after, as PyTorch does."""
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding == "same":
        if any(s != 1 for s in stride):
            raise ArgumentError(f"{name}: padding='same' goes with a stride of 1, not {tuple(stride)}")
        totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    if isinstance(padding, str):
        raise ArgumentError(f"{name}: padding must be an integer for each axis, 'same' or 'valid', not {padding!r}")
    return tuple((p, p) for p in each(padding, len(kernel), f"{name}: padding", least=0))


def _add_bias(y: Any, bias: Any) -> Any:
    return y if bias is None else y + operand(bias).reshape(-1, *(1,) * (y.ndim - 2))


def _conv(
    name: str, input: Any, weight: Any, bias: Any, stride: Size, padding: Any, dilation: Size, groups: int
) -> Any:
    axes = int(name[-2])
    input, had_batch = batched(input, axes, name)
    weight, groups = operand(weight), whole_number(groups, "groups")
    if weight.ndim != axes + 2 or weight.shape[0] % groups or input.shape[1] != weight.shape[1] * groups:
        raise other_channels(name, weight.shape, groups, input.shape, "out_channels, in_channels / groups")
    if bias is not None and np.shape(bias) != (weight.shape[0],):
        raise ShapeError(f"{name}: a bias of shape {np.shape(bias)} does not fit {weight.shape[0]} output channels")
    kernel = weight.shape[2:]
    steps, gaps = each(stride, axes, f"{name}: stride"), each(dilation, axes, f"{name}: dilation")
    how: dict[str, Any] = {
        "stride": steps,
        "padding": _paddings(name, padding, kernel, steps, gaps),
        "dilation": gaps,
        "groups": groups,
    }
    check_windows(name, input.shape[2:], kernel, how["padding"], gaps)
    return unbatched(_add_bias(convolve(input, weight, **how), bias), had_batch)


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Any = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Any:
    """Convolution of sequences; the parameters are those of `conv2d`, with one axis instead of two.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.conv1d(np.array([[[1.0, 2.0, 4.0]]]), np.array([[[-1.0, 1.0]]]))
    array([[[1., 2.]]])
    """
    return _conv("conv1d", input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Any = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Any:
    """Convolution of images (strictly, cross-correlation: the filters are not turned round).

    Parameters
    ----------
    input : array of shape (N, C, H, W) or (C, H, W)
    weight : array of shape (O, C / groups, kernel height, kernel width)
    bias : array of shape (O,), optional
    stride : int or pair of int
        How far the filters move.
    padding : int, pair of int, "valid" or "same"
        Zeros at the edges: "same" gives an output of the input's size, and needs stride 1.
    dilation : int or pair of int
        How far the elements of a filter are apart.
    groups : int
        Into how many groups channels and filters are divided; with as many as channels each is seen alone.

    Returns
    -------
    array of shape (N, O, height, width) or (O, height, width)

    Raises
    ------
    ShapeError
        If the shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)))
    array([[[[4., 4.],
             [4., 4.]]]])
    """
    return _conv("conv2d", input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Any = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Any:
    """Convolution of volumes; the parameters are those of `conv2d`, with three axes instead of two.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.conv3d(np.ones((1, 1, 2, 2, 2)), np.ones((1, 1, 2, 2, 2))).ravel()
    array([8.])
    """
    return _conv("conv3d", input, weight, bias, stride, padding, dilation, groups)


def _conv_transpose(
    name: str,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Size,
    padding: Size,
    output_padding: Size,
    groups: int,
    dilation: Size,
) -> Any:
    axes = int(name[-2])
    input, had_batch = batched(input, axes, name)
    weight, groups = operand(weight), whole_number(groups, "groups")
    if weight.ndim != axes + 2 or weight.shape[0] % groups or input.shape[1] != weight.shape[0]:
        raise other_channels(name, weight.shape, groups, input.shape, "in_channels, out_channels / groups")
    if bias is not None and np.shape(bias) != (weight.shape[1] * groups,):
        raise ShapeError(f"{name}: a bias of shape {np.shape(bias)} does not fit {weight.shape[1] * groups} channels")
    kernel, steps = weight.shape[2:], each(stride, axes, f"{name}: stride")
    edges, gaps = each(padding, axes, f"{name}: padding", least=0), each(dilation, axes, f"{name}: dilation")
    more = each(output_padding, axes, f"{name}: output_padding", least=0)
    if any(m >= max(s, d) for m, s, d in zip(more, steps, gaps, strict=True)):
        raise ArgumentError(
            f"{name}: output_padding {more} must be smaller than the stride {steps} or the dilation {gaps}"
        )
    lengths = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + m + 1
        for n, s, p, d, k, m in zip(input.shape[2:], steps, edges, gaps, kernel, more, strict=True)
    )
    if min(lengths) < 1:
        raise ShapeError(f"{name}: nothing would be left of an input of shape {input.shape} with padding {edges}")
    how: dict[str, Any] = {"stride": steps, "dilation": gaps, "groups": groups}
    if all(m < s for m, s in zip(more, steps, strict=True)):
        y = convolve_transposed(input, weight, lengths=lengths, padding=tuple((p, p) for p in edges), **how)
    else:  # of axes as long as the result a convolution would have more windows: take it out of what nothing is cut off
        whole = tuple(n + 2 * p - m for n, p, m in zip(lengths, edges, more, strict=True))
        y = convolve_transposed(input, weight, lengths=whole, padding=((0, 0),) * axes, **how)
        y = shaping.pad(y, ((0, 0), (0, 0), *((0, m) for m in more)))
        y = y[..., *(slice(p, p + n) for p, n in zip(edges, lengths, strict=True))]
    return unbatched(_add_bias(y, bias), had_batch)


def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Any:
    """Transposed convolution of sequences; the parameters are those of `conv_transpose2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.conv_transpose1d(np.array([[[1.0, 2.0]]]), np.array([[[1.0, 10.0]]]), stride=2)
    array([[[ 1., 10.,  2., 20.]]])
    """
    return _conv_transpose("conv_transpose1d", input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Any:
    """The transpose of `conv2d`: each element times a filter, added up where the filters lie.

    Parameters
    ----------
    input : array of shape (N, C, H, W) or (C, H, W)
    weight : array of shape (C, O / groups, kernel height, kernel width)
    bias : array of shape (O,), optional
    stride : int or pair of int
        How far apart the filters lie.
    padding : int or pair of int
        How much is taken off the edges.
    output_padding : int or pair of int
        How much is added to the far edges: less than the stride, or less than the dilation. Of the sizes that a
        convolution with a stride maps to one, this says which is meant.
    groups, dilation
        As in `conv2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.conv_transpose2d(np.ones((1, 1, 2, 2)), np.ones((1, 1, 2, 2))).astype(int).tolist()
    [[[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]]
    """
    return _conv_transpose("conv_transpose2d", input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Any:
    """Transposed convolution of volumes; the parameters are those of `conv_transpose2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.conv_transpose3d(np.ones((1, 1, 1, 1, 1)), np.ones((1, 1, 2, 2, 2))).shape
    (1, 1, 2, 2, 2)
    """
    return _conv_transpose("conv_transpose3d", input, weight, bias, stride, padding, output_padding, groups, dilation)


# Layers


class _Convolution(Module):
    """What convolutions and transposed convolutions share: options, parameters and their initial values."""

    axes: ClassVar[int]
    transposed: ClassVar[bool] = False
    padding: Any  # a word or a number for each axis

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size,
        padding: Any,
        dilation: Size,
        groups: int,
        bias: bool,
        padding_mode: str,
        dtype: DTypeLike | None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.in_channels = whole_number(in_channels, f"{name}: in_channels")
        self.out_channels = whole_number(out_channels, f"{name}: out_channels")
        self.groups = whole_number(groups, f"{name}: groups")
        if in_channels % groups or out_channels % groups:
            raise ArgumentError(f"{name}: {groups} groups do not divide {in_channels} and {out_channels} channels")
        modes = ("zeros",) if self.transposed else ("zeros", "reflect", "replicate", "circular")
        one_of(padding_mode, f"{name}: padding_mode", modes)
        self.kernel_size = each(kernel_size, self.axes, f"{name}: kernel_size")
        self.stride = each(stride, self.axes, f"{name}: stride")
        self.dilation = each(dilation, self.axes, f"{name}: dilation")
        self.padding = padding if isinstance(padding, str) else each(padding, self.axes, f"{name}: padding", least=0)
        self.padding_mode = padding_mode
        self._paddings = _paddings(name, self.padding, self.kernel_size, self.stride, self.dilation)
        outer, inner = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        self.weight = Parameter(zeros((outer, inner // groups, *self.kernel_size), dtype=dtype))
        self.register_parameter("bias", Parameter(zeros(out_channels, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values: uniform up to ``1 / sqrt(fan_in)``, as in PyTorch."""
        bound = fan_bound(math.prod(self.weight.shape[1:]))
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        """The sizes, and what is not as usual."""
        usual = {"padding": (0,) * self.axes, "dilation": (1,) * self.axes, "groups": 1, "padding_mode": "zeros"}
        usual["output_padding"] = (0,) * self.axes
        words = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        words += [f"{k}={getattr(self, k)!r}" for k, v in usual.items() if getattr(self, k, v) != v]
        return ", ".join(words + ["bias=False"] * (self.bias is None))


class _Conv(_Convolution):
    """A convolution."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Any = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, dtype
        )

    def forward(self, input: Any) -> Any:
        """Apply the convolution."""
        padding = self.padding
        if self.padding_mode != "zeros":
            input = pad(input, [n for pair in self._paddings[::-1] for n in pair], self.padding_mode)
            padding = 0
        name = f"conv{self.axes}d"
        return _conv(name, input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(_Conv):
    """`functional.conv1d` with a weight and a bias of its own; the parameters are those of `Conv2d`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Conv1d(2, 4, kernel_size=3, padding="same")(mg.zeros((1, 2, 10))).shape
    (1, 4, 10)
    """

    axes = 1


class Conv2d(_Conv):
    """`functional.conv2d` with a weight and a bias of its own.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, padding, dilation, groups
        As for `functional.conv2d`.
    bias : bool
    padding_mode : {"zeros", "reflect", "replicate", "circular"}
        What the padding is made of.
    dtype : dtype, optional

    Attributes
    ----------
    weight : Parameter of shape ``(out_channels, in_channels / groups, *kernel_size)``
    bias : Parameter of shape (out_channels,), or None

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Conv2d(1, 8, kernel_size=3, stride=2, padding=1)(mg.zeros((4, 1, 28, 28))).shape
    (4, 8, 14, 14)
    """

    axes = 2


class Conv3d(_Conv):
    """`functional.conv3d` with a weight and a bias of its own; the parameters are those of `Conv2d`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Conv3d(1, 2, kernel_size=(1, 3, 3))(mg.zeros((1, 1, 4, 5, 6))).shape
    (1, 2, 4, 3, 4)
    """

    axes = 3


class _ConvTranspose(_Convolution):
    """A transposed convolution."""

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        padding_mode: str = "zeros",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, dtype
        )
        self.output_padding = each(output_padding, self.axes, f"{type(self).__name__}: output_padding", least=0)

    def forward(self, input: Any, output_size: Sequence[int] | None = None) -> Any:
        """Apply the transposed convolution; `output_size` says which of the possible sizes is meant."""
        more = self.output_padding if output_size is None else self._missing(np.shape(input), output_size)
        return _conv_transpose(
            f"conv_transpose{self.axes}d",
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            more,
            self.groups,
            self.dilation,
        )

    def _missing(self, shape: tuple[int, ...], output_size: Sequence[int]) -> tuple[int, ...]:
        """The output padding that makes the output of this size."""
        name, wanted = type(self).__name__, tuple(output_size)[-self.axes :]
        least = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(
                shape[-self.axes :], self.stride, self.padding, self.dilation, self.kernel_size, strict=True
            )
        ]
        if len(wanted) != self.axes or any(
            not a <= n < a + s for a, n, s in zip(least, wanted, self.stride, strict=True)
        ):
            largest = [a + s - 1 for a, s in zip(least, self.stride, strict=True)]
            raise ShapeError(f"{name}: an output of {wanted} cannot be had: the sizes are {least} to {largest}")
        return tuple(n - a for a, n in zip(least, wanted, strict=True))


class ConvTranspose1d(_ConvTranspose):
    """`functional.conv_transpose1d` with a weight and a bias; the parameters are those of `ConvTranspose2d`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.ConvTranspose1d(2, 3, kernel_size=2, stride=2)(mg.zeros((1, 2, 5))).shape
    (1, 3, 10)
    """

    axes = 1


class ConvTranspose2d(_ConvTranspose):
    """`functional.conv_transpose2d` with a weight and a bias of its own.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, padding, output_padding, groups
        As for `functional.conv_transpose2d`.
    bias : bool
    dilation : int or pair of int
    padding_mode : {"zeros"}
    dtype : dtype, optional

    Attributes
    ----------
    weight : Parameter of shape ``(in_channels, out_channels / groups, *kernel_size)``
    bias : Parameter of shape (out_channels,), or None

    Examples
    --------
    >>> import minigrad as mg
    >>> up = mg.nn.ConvTranspose2d(8, 1, kernel_size=3, stride=2, padding=1)
    >>> up(mg.zeros((4, 8, 14, 14)), output_size=(28, 28)).shape
    (4, 1, 28, 28)
    """

    axes = 2


class ConvTranspose3d(_ConvTranspose):
    """`functional.conv_transpose3d` with a weight and a bias; the parameters are those of `ConvTranspose2d`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.ConvTranspose3d(2, 1, kernel_size=2)(mg.zeros((1, 2, 2, 2, 2))).shape
    (1, 1, 3, 3, 3)
    """

    axes = 3
