"""The largest element of each window, and its place."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.core import Array, Handle, name_of, primitive
from minigrad.errors import DTypeError, IndexingError, ShapeError
from minigrad.nn.layer import FunctionLayer, batched, constant, unbatched
from minigrad.nn.pooling import Size, Sizes, bounds, counts_for
from minigrad.ops import indexing
from minigrad.ops.arguments import checked
from minigrad.ops.windows import max_pool, which_largest


def _max_pool(
    axes: int,
    input: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    name = f"max_pool{axes}d"
    input, had_batch = batched(input, axes, name)
    how = Sizes(name, axes, input.shape[2:], kernel_size, stride, padding, dilation).how(ceil_mode)
    y = unbatched(max_pool(input, **how), had_batch)
    return (y, unbatched(which_largest(input, **how), had_batch)) if return_indices else y


def max_pool1d(
    input: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of windows of sequences; the parameters are those of `max_pool2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.max_pool1d(np.array([[[1.0, 3.0, 2.0, 0.0]]]), 2)
    array([[[3., 2.]]])
    """
    return _max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of windows of images; of equal ones the first has the gradient.

    Parameters
    ----------
    input : array of shape (N, C, H, W) or (C, H, W)
    kernel_size : int or pair of int
    stride : int or pair of int, optional
        By default the kernel's size.
    padding : int or pair of int
        At most half of the kernel; never the largest.
    dilation : int or pair of int
    ceil_mode : bool
        Let windows reach beyond the far edge, if they start inside.
    return_indices : bool
        Return also the index of each largest element in the flattened image, for `max_unpool2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.max_pool2d(np.arange(16.0).reshape(1, 4, 4), 2)
    array([[[ 5.,  7.],
            [13., 15.]]])
    """
    return _max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of windows of volumes; the parameters are those of `max_pool2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.max_pool3d(np.arange(8.0).reshape(1, 2, 2, 2), 2).ravel()
    array([7.])
    """
    return _max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def _max_unpool(
    axes: int,
    input: Any,
    indices: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Any:
    name = f"max_unpool{axes}d"
    input, had_batch = batched(input, axes, name)
    where = constant(indices, "indices")
    if where.shape != input.shape[not had_batch :]:
        raise ShapeError(f"{name}: indices of shape {where.shape} do not fit the input: one for each element is wanted")
    if where.dtype.kind not in "iu":
        raise DTypeError(f"{name}: indices must be integers, not {where.dtype}")
    sizes = Sizes(name, axes, input.shape[2:], kernel_size, stride, padding)
    usual = [
        (n - 1) * s - 2 * p + k
        for n, s, p, k in zip(sizes.lengths, sizes.stride, sizes.edges, sizes.kernel, strict=True)
    ]
    lengths = tuple(usual) if output_size is None else _unpooled_lengths(name, output_size, usual, sizes.stride)

    def test(where: np.ndarray) -> None:
        bad = (where < 0) | (where >= math.prod(lengths))
        if bad.any():
            raise IndexingError(f"{name}: index {where[bad][0]} is beyond an output of {lengths}")

    where = checked(where, test)
    count, channels, *rest = input.shape
    flat = where.reshape(count, channels, math.prod(rest))
    index = (np.arange(count)[:, None, None], np.arange(channels)[:, None], flat)
    empty = np.zeros((count, channels, math.prod(lengths)), input.dtype)
    y = indexing.setitem(empty, input.reshape(flat.shape), index=index)
    return unbatched(y.reshape(count, channels, *lengths), had_batch)


def _unpooled_lengths(name: str, wanted: Sequence[int], usual: Sequence[int], stride: Sequence[int]) -> tuple[int, ...]:
    """The sizes that are wanted, if pooling could have come from them."""
    axes, ends = len(usual), [(n - s + 1, n + s - 1) for n, s in zip(usual, stride, strict=True)]
    lengths = tuple(wanted)[-axes:]
    if len(wanted) not in (axes, axes + 1, axes + 2) or any(
        n not in range(least, most + 1) for n, (least, most) in zip(lengths, ends, strict=True)
    ):
        raise ShapeError(
            f"{name}: an output of {tuple(wanted)} cannot be had: output_size is a size for each of {axes} axes, or a "
            f"shape that ends with them, and they are {', '.join(f'{least} to {most}' for least, most in ends)}"
        )
    return lengths


def max_unpool1d(
    input: Any,
    indices: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Any:
    """The elements that `max_pool1d` found put back in their places, among zeros.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> y, indices = F.max_pool1d(np.array([[[1.0, 3.0, 2.0, 0.0]]]), 2, return_indices=True)
    >>> F.max_unpool1d(y, indices, 2)
    array([[[0., 3., 2., 0.]]])
    """
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Any,
    indices: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Any:
    """The elements that `max_pool2d` found put back in their places, among zeros.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> y, indices = F.max_pool2d(np.arange(4.0).reshape(1, 2, 2), 2, return_indices=True)
    >>> F.max_unpool2d(y, indices, 2)
    array([[[0., 0.],
            [0., 3.]]])
    """
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Any,
    indices: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Any:
    """The elements that `max_pool3d` found put back in their places, among zeros.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> y, indices = F.max_pool3d(np.arange(8.0).reshape(1, 2, 2, 2), 2, return_indices=True)
    >>> F.max_unpool3d(y, indices, 2).ravel()
    array([0., 0., 0., 0., 0., 0., 0., 7.])
    """
    return _max_unpool(3, input, indices, kernel_size, stride, padding, output_size)


@primitive(cost=1)
def _places_of_largest(x: Array, /, *, counts: Sequence[int]) -> Array:
    """The number of the largest element in each of so many windows along each axis."""
    lengths = x.shape[2:]
    number = np.arange(math.prod(lengths)).reshape(lengths)
    parts = [bounds(n, count) for n, count in zip(lengths, counts, strict=True)]
    where = np.zeros((*x.shape[:2], *counts), np.intp)
    for place in np.ndindex(*counts):
        window: Any = tuple(slice(*parts[axis][i]) for axis, i in enumerate(place))
        own: Any = number[window].ravel()
        flat = x[(..., *window)].reshape(*x.shape[:2], own.size)
        where[(..., *place)] = own[flat.argmax(axis=-1)]
    return where


def _adaptive_max_pool(axes: int, input: Any, output_size: Any, return_indices: bool) -> Any:
    name = f"adaptive_max_pool{axes}d"
    input, had_batch = batched(input, axes, name)
    lengths = input.shape[2:]
    counts = counts_for(name, output_size, lengths)
    where = _places_of_largest(constant(input, "the input"), counts=counts)
    flat = where.reshape(*where.shape[:2], math.prod(counts))
    elements = input.reshape(*input.shape[:2], math.prod(lengths))
    y = indexing.take_along_axis(elements, flat, axis=-1).reshape(where.shape)
    y, places = unbatched(y, had_batch), unbatched(where, had_batch)
    if not return_indices:
        return y
    return y, name_of(places, None) if isinstance(y, Handle) else places


def adaptive_max_pool1d(input: Any, output_size: Size, return_indices: bool = False) -> Any:
    """The largest elements of so many windows of sequences.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.adaptive_max_pool1d(np.array([[[1.0, 2.0, 3.0]]]), 2)
    array([[[2., 3.]]])
    """
    return _adaptive_max_pool(1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of so many windows of images; None keeps the length of an axis.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.adaptive_max_pool2d(np.arange(16.0).reshape(1, 4, 4), (1, 2))
    array([[[13., 15.]]])
    """
    return _adaptive_max_pool(2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of so many windows of volumes; None keeps the length of an axis.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.adaptive_max_pool3d(np.arange(8.0).reshape(1, 2, 2, 2), 1).ravel()
    array([7.])
    """
    return _adaptive_max_pool(3, input, output_size, return_indices)


# Layers


class _MaxPool(FunctionLayer):
    """The largest element of windows."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(
            kernel_size=kernel_size,
            stride=kernel_size if stride is None else stride,
            padding=padding,
            dilation=dilation,
            return_indices=return_indices,
            ceil_mode=ceil_mode,
        )


class MaxPool1d(_MaxPool):
    """`functional.max_pool1d` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.MaxPool1d(2)(mg.zeros((1, 1, 4))).shape
    (1, 1, 2)
    """

    function = max_pool1d


class MaxPool2d(_MaxPool):
    """`functional.max_pool2d` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.MaxPool2d(2)(mg.zeros((1, 1, 4, 4))).shape
    (1, 1, 2, 2)
    """

    function = max_pool2d


class MaxPool3d(_MaxPool):
    """`functional.max_pool3d` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.MaxPool3d(2)(mg.zeros((1, 1, 4, 4, 4))).shape
    (1, 1, 2, 2, 2)
    """

    function = max_pool3d


class _AdaptiveMaxPool(FunctionLayer):
    """The largest element of so many windows."""

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size=output_size, return_indices=return_indices)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """`functional.adaptive_max_pool1d` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.AdaptiveMaxPool1d(2)(mg.zeros((1, 1, 5))).shape
    (1, 1, 2)
    """

    function = adaptive_max_pool1d


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """`functional.adaptive_max_pool2d` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.AdaptiveMaxPool2d(2)(mg.zeros((1, 1, 5, 5))).shape
    (1, 1, 2, 2)
    """

    function = adaptive_max_pool2d


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """`functional.adaptive_max_pool3d` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.AdaptiveMaxPool3d(2)(mg.zeros((1, 1, 5, 5, 5))).shape
    (1, 1, 2, 2, 2)
    """

    function = adaptive_max_pool3d


class _MaxUnpool(FunctionLayer):
    """The largest elements put back."""

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        super().__init__(kernel_size=kernel_size, stride=kernel_size if stride is None else stride, padding=padding)

    def forward(self, input: Any, indices: Any, output_size: Sequence[int] | None = None) -> Any:
        """Apply the function."""
        function = type(self).function
        return function(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool1d(_MaxUnpool):
    """`functional.max_unpool1d` as a layer, called with the elements and their indices.

    Examples
    --------
    >>> import minigrad as mg
    >>> y, indices = mg.nn.MaxPool1d(2, return_indices=True)(mg.zeros((1, 1, 4)))
    >>> mg.nn.MaxUnpool1d(2)(y, indices).shape
    (1, 1, 4)
    """

    function = max_unpool1d


class MaxUnpool2d(_MaxUnpool):
    """`functional.max_unpool2d` as a layer, called with the elements and their indices.

    Examples
    --------
    >>> import minigrad as mg
    >>> y, indices = mg.nn.MaxPool2d(2, return_indices=True)(mg.zeros((1, 1, 4, 4)))
    >>> mg.nn.MaxUnpool2d(2)(y, indices).shape
    (1, 1, 4, 4)
    """

    function = max_unpool2d


class MaxUnpool3d(_MaxUnpool):
    """`functional.max_unpool3d` as a layer, called with the elements and their indices.

    Examples
    --------
    >>> import minigrad as mg
    >>> y, indices = mg.nn.MaxPool3d(2, return_indices=True)(mg.zeros((1, 1, 4, 4, 4)))
    >>> mg.nn.MaxUnpool3d(2)(y, indices).shape
    (1, 1, 4, 4, 4)
    """

    function = max_unpool3d
