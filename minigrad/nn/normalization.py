"""Layers that bring their input to mean 0 and variance 1: over a batch, over features, over groups of channels."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from minigrad.core import Array, primitive, traced, unwrap
from minigrad.creation import ones, zeros
from minigrad.errors import ArgumentError, ShapeError
from minigrad.errors.modules import one_value
from minigrad.nn.layer import FunctionLayer, constant, floating, operand, write_to
from minigrad.nn.module import Module, Parameter
from minigrad.ops import elementwise, reductions, windows
from minigrad.ops.arguments import unrecorded
from minigrad.ops.numbers import number
from minigrad.ops.scaling import narrowed, widened
from minigrad.options import whole_number
from minigrad.tensor import Tensor

Axes = tuple[int, ...]


@primitive(lambda g, y, x: np.broadcast_to(g, x.shape), kind="reduction", linear=True, cost=1)
def _row_sums(x: Array, /) -> Array:
    """Sums along the last axis, which stays with length 1."""
    return np.expand_dims(np.vecdot(np.ones(x.shape[-1], x.dtype), x), -1)


@primitive(lambda g, y, a, b: g * b, lambda g, y, a, b: g * a, kind="contraction", cost=2)
def _row_products(a: Array, b: Array, /) -> Array:
    """Sums of products along the last axis, which stays with length 1."""
    return np.expand_dims(np.vecdot(a, b), -1)


def _mean(x: Array, axes: Axes) -> Array:
    """The mean over axes, which stay with length 1; of short rows a product is quicker than a reduction."""
    if axes == (-1,):
        return _row_sums(x) / x.shape[-1]
    return np.mean(x, axis=axes, keepdims=True)


def _mean_product(x: Array, y: Array, axes: Axes) -> Array:
    """The mean of ``x * y``."""
    if axes == (-1,):
        return _row_products(x, y) / x.shape[-1]
    return np.mean(x * y, axis=axes, keepdims=True)


def _standardized_rule(g: Array, y: Array, x: Array, axes: Axes, eps: float) -> Array:
    """``(g - mean(g) - y * mean(g * y)) / sqrt(var(x) + eps)``."""
    g, y, x = widened(g), widened(y), widened(x)
    centred = x - _mean(x, axes)
    deviation = np.sqrt(_mean_product(centred, centred, axes) + eps)
    return (g - _mean(g, axes) - y * _mean_product(g, y, axes)) / deviation


@primitive(lambda g, y, x, *, axes, eps: _standardized_rule(g, y, x, axes, eps), cost=5)
def standardized(x: Array, /, *, axes: Axes, eps: float) -> Array:
    """``(x - mean) / sqrt(variance + eps)``, over axes; fused, since its derivative is far shorter than its parts'."""
    wide = widened(x)
    y = wide - _mean(wide, axes)
    y /= np.sqrt(_mean_product(y, y, axes) + eps)
    return narrowed(y, x)


def _scaled(y: Any, weight: Any, bias: Any, shape: Sequence[int]) -> Any:
    """Times a weight, plus a bias, both brought to this shape first."""
    y = y if weight is None else y * operand(weight).reshape(*shape)
    return y if bias is None else y + operand(bias).reshape(*shape)


def _channels(name: str, input: Any, least: int = 2, **others: Any) -> Any:
    """An input of shape (N, C, ...), and a check of what has a number for each channel."""
    input = operand(input)
    if input.ndim < least:
        raise ShapeError(f"{name}: the input must have shape (N, C, ...), not {input.shape}")
    for what, x in others.items():
        if x is not None and np.shape(x) != input.shape[1:2]:
            raise ShapeError(f"{name}: a {what} of shape {np.shape(x)} does not fit {input.shape[1]} channels")
    return input


def _update(running: Any, value: Any, momentum: Any) -> None:
    """Move a running statistic towards a new value, in its own memory."""
    if traced(value):
        write_to(running, unrecorded(running) * (1 - momentum) + momentum * value.reshape(running.shape))
        return
    memory = unwrap(running)
    memory *= 1 - momentum
    memory += momentum * value.reshape(memory.shape)


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Each channel brought to mean 0 and variance 1 over the batch, or by running statistics.

    S. Ioffe and C. Szegedy, "Batch normalization", ICML 2015.

    Parameters
    ----------
    input : array of shape (N, C, ...)
    running_mean, running_var : array of shape (C,), or None
        Used if not `training`; in training they are moved towards the batch's, in place.
    weight, bias : array of shape (C,), optional
        What the result is multiplied with, and what is added then.
    training : bool
    momentum : float
        How far running statistics move, from 0 to 1.
    eps : float
        Added to the variance.

    Raises
    ------
    ShapeError
        If the shapes do not fit, or, in training, if there is one value for each channel only.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.batch_norm(np.array([[1.0], [3.0]]), None, None, training=True).round(3)
    array([[-1.],
           [ 1.]])
    """
    state = {"running_mean": running_mean, "running_var": running_var}
    input = _channels("batch_norm", input, weight=weight, bias=bias, **state)
    shape = (-1, *(1,) * (input.ndim - 2))
    axes = tuple(i for i in range(input.ndim) if i != 1)
    count = math.prod(input.shape[i] for i in axes)
    if not training:
        if running_mean is None or running_var is None:
            raise ArgumentError("batch_norm: running_mean and running_var are needed when not in training")
        scale = 1 / np.sqrt(constant(running_var, "running_var") + eps)
        centred = input - constant(running_mean, "running_mean").reshape(shape)
        return _scaled(centred * scale.reshape(shape), weight, bias, shape)
    if count <= 1:
        raise one_value("batch_norm", input.shape)
    value = constant(input, "the input")
    if running_mean is not None:
        _update(running_mean, reductions.mean(value, axes), momentum)
    if running_var is not None:
        _update(running_var, reductions.var(value, axes, correction=1), momentum)
    return _scaled(standardized(input, axes=axes, eps=eps), weight, bias, shape)


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Each channel of each sample brought to mean 0 and variance 1, or by running statistics.

    D. Ulyanov et al., "Instance normalization", 2016.

    Parameters
    ----------
    input : array of shape (N, C, d1, ...)
    running_mean, running_var : array of shape (C,), optional
    weight, bias : array of shape (C,), optional
    use_input_stats : bool
        Whether not to use the running statistics; if so, they are moved towards the input's, in place.
    momentum, eps : float
        As in `batch_norm`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.instance_norm(np.array([[[1.0, 3.0]]])).round(3)
    array([[[-1.,  1.]]])
    """
    state = {"running_mean": running_mean, "running_var": running_var}
    input = _channels("instance_norm", input, least=3, weight=weight, bias=bias, **state)
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    axes = tuple(range(2, input.ndim))
    if math.prod(input.shape[2:]) <= 1:
        raise ShapeError(f"instance_norm: each channel needs more than one value, not shape {input.shape}")
    value = constant(input, "the input")
    if running_mean is not None and len(value):
        _update(running_mean, reductions.mean(value, (0, *axes)), momentum)
    if running_var is not None and len(value):
        _update(running_var, reductions.mean(reductions.var(value, axes, correction=1), 0), momentum)
    return _scaled(standardized(input, axes=axes, eps=eps), weight, bias, (-1, *(1,) * len(axes)))


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Each group of channels of each sample brought to mean 0 and variance 1.

    Y. Wu and K. He, "Group normalization", ECCV 2018.

    Parameters
    ----------
    input : array of shape (N, C, ...)
    num_groups : int
        A divisor of C.
    weight, bias : array of shape (C,), optional
    eps : float
        Added to the variance.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.group_norm(np.array([[1.0, 3.0, 10.0, 30.0]]), 2).round(3)
    array([[-1.,  1., -1.,  1.]])
    """
    input = _channels("group_norm", input, weight=weight, bias=bias)
    if num_groups < 1 or input.shape[1] % num_groups:
        raise ArgumentError(f"group_norm: {num_groups} groups do not divide {input.shape[1]} channels")
    groups = input.reshape(input.shape[0], num_groups, math.prod(input.shape[1:]) // num_groups)
    y = standardized(groups, axes=(2,), eps=eps).reshape(input.shape)
    return _scaled(y, weight, bias, (-1, *(1,) * (input.ndim - 2)))


def _last_axes(name: str, input: Any, normalized_shape: int | Sequence[int], **others: Any) -> tuple[Any, Axes, Axes]:
    """An input whose last axes have this shape, the shape, and the axes; and a check of what has the shape, too."""
    input, shape = floating(input), _shape(normalized_shape)
    if not shape or input.shape[-len(shape) :] != shape:
        raise ShapeError(f"{name}: the last axes of an input of shape {input.shape} must be {shape}")
    for what, x in others.items():
        if x is not None and np.shape(x) != shape:
            raise ShapeError(f"{name}: a {what} of shape {np.shape(x)} does not fit the normalized shape {shape}")
    return input, shape, tuple(range(-len(shape), 0))


def _shape(normalized_shape: int | Sequence[int]) -> Axes:
    single = isinstance(normalized_shape, (int, np.integer))
    return (int(normalized_shape),) if single else tuple(normalized_shape)  # type: ignore[arg-type]  # one or the other


def layer_norm(
    input: Any, normalized_shape: int | Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """The last axes of each sample brought to mean 0 and variance 1 (J. L. Ba et al., "Layer normalization", 2016).

    Parameters
    ----------
    input : array of shape ``(..., *normalized_shape)``
    normalized_shape : int or sequence of int
    weight, bias : array of shape normalized_shape, optional
    eps : float
        Added to the variance.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.layer_norm(np.array([[1.0, 3.0], [10.0, 30.0]]), 2).round(3)
    array([[-1.,  1.],
           [-1.,  1.]])
    """
    input, shape, axes = _last_axes("layer_norm", input, normalized_shape, weight=weight, bias=bias)
    return _scaled(standardized(input, axes=axes, eps=eps), weight, bias, shape)


def rms_norm(input: Any, normalized_shape: int | Sequence[int], weight: Any = None, eps: float | None = None) -> Any:
    """The last axes divided by the root of their mean square (B. Zhang and R. Sennrich, NeurIPS 2019).

    Parameters
    ----------
    input : array of shape ``(..., *normalized_shape)``
    normalized_shape : int or sequence of int
    weight : array of shape normalized_shape, optional
    eps : float, optional
        Added to the mean square; by default the machine epsilon of the dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.rms_norm(np.array([3.0, -3.0]), 2).round(3)
    array([ 1., -1.])
    """
    input, shape, axes = _last_axes("rms_norm", input, normalized_shape, weight=weight)
    eps = float(np.finfo(input.dtype).eps) if eps is None else eps
    mean_square = reductions.mean(elementwise.square(input), axis=axes, keepdims=True)
    return _scaled(input / elementwise.sqrt(mean_square + eps), weight, None, shape)


def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """``x / (k + alpha * mean of squares over the size nearest channels) ** beta``.

    A. Krizhevsky et al., "ImageNet classification with deep convolutional neural networks", NeurIPS 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.local_response_norm(np.ones((1, 1, 2)), 1, alpha=3.0, beta=0.5)
    array([[[0.5, 0.5]]])
    """
    input = operand(input)
    if input.ndim < 3:
        raise ShapeError(f"local_response_norm: the input must have shape (N, C, d1, ...), not {input.shape}")
    whole_number(size, "local_response_norm: size")
    squares = elementwise.square(input).reshape(*input.shape[:1], 1, input.shape[1], math.prod(input.shape[2:]))
    padding = ((size // 2, (size - 1) // 2), (0, 0))
    near = windows.unfold(squares, kernel=(size, 1), stride=(1, 1), padding=padding, dilation=(1, 1))
    mean = reductions.sum(near, axis=(2, 3)).reshape(input.shape) / size
    return input / (mean * alpha + k) ** beta


# Layers


class _Statistics(Module):
    """A layer over the channels, with running statistics, a weight and a bias if wanted."""

    dimensions: ClassVar[tuple[int, ...]]

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        dtype: DTypeLike | None,
        bias: bool,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.register_parameter("weight", Parameter(ones(num_features, dtype=dtype)) if affine else None)
        self.register_parameter("bias", Parameter(zeros(num_features, dtype=dtype)) if affine and bias else None)
        tracked = track_running_stats
        self.register_buffer("running_mean", zeros(num_features, dtype=dtype) if tracked else None)
        self.register_buffer("running_var", ones(num_features, dtype=dtype) if tracked else None)
        self.register_buffer("num_batches_tracked", Tensor(0) if tracked else None)

    def _check(self, input: Any) -> None:
        shape = np.shape(input)
        channel = 0 if len(shape) == min(self.dimensions) and self._may_lack_batch else 1
        if len(shape) not in self.dimensions or shape[channel] != self.num_features:
            dims = " or ".join(map(str, self.dimensions))
            raise ShapeError(
                f"{type(self).__name__}: the input must have {dims} axes and {self.num_features} channels, "
                f"not shape {shape}"
            )

    _may_lack_batch: ClassVar[bool] = False

    def _step(self) -> Any:
        """How far the running statistics move: the momentum, or what makes them the mean over all batches."""
        if self.num_batches_tracked is None:
            return self.momentum or 0.0
        self.num_batches_tracked += 1
        return 1 / number(unrecorded(self.num_batches_tracked)) if self.momentum is None else self.momentum

    def extra_repr(self) -> str:
        """The options."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Statistics):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        dtype: DTypeLike | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype, bias)

    def forward(self, input: Any) -> Any:
        """Normalize; in training also move the running statistics."""
        self._check(input)
        by_batch = self.training or self.running_mean is None
        momentum = self._step() if self.training and self.track_running_stats else 0.0
        moving = self.training and self.track_running_stats
        mean, var = (self.running_mean, self.running_var) if moving or not by_batch else (None, None)
        return batch_norm(input, mean, var, self.weight, self.bias, by_batch, momentum, self.eps)


class BatchNorm1d(_BatchNorm):
    """`functional.batch_norm` of inputs of shape (N, C) or (N, C, L); the parameters are those of `BatchNorm2d`.

    Examples
    --------
    >>> import minigrad as mg
    >>> norm = mg.nn.BatchNorm1d(1)
    >>> norm(mg.tensor([[1.0], [3.0]])).round(3).tolist()
    [[-1.0], [1.0]]
    >>> norm.running_mean
    tensor([0.2])
    """

    dimensions = (2, 3)


class BatchNorm2d(_BatchNorm):
    """`functional.batch_norm` of images of shape (N, C, H, W), with running statistics, a weight and a bias.

    Parameters
    ----------
    num_features : int
        The number of channels, C.
    eps : float
        Added to the variance.
    momentum : float or None
        How far running statistics move at each batch; None makes them the mean over all batches.
    affine : bool
        Whether there is a weight and a bias.
    track_running_stats : bool
        Whether there are running statistics; without them the batch's are used in `eval` mode too.
    dtype : dtype, optional
    bias : bool
        Whether there is a bias if `affine` is set.

    Attributes
    ----------
    weight, bias : Parameter of shape (num_features,), or None
    running_mean, running_var : Tensor of shape (num_features,), or None
    num_batches_tracked : Tensor, or None

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.BatchNorm2d(3)(mg.random.randn(4, 3, 5, 5)).shape
    (4, 3, 5, 5)
    """

    dimensions = (4,)


class BatchNorm3d(_BatchNorm):
    """`functional.batch_norm` of volumes of shape (N, C, D, H, W); the parameters are those of `BatchNorm2d`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.BatchNorm3d(3)(mg.random.randn(4, 3, 2, 2, 2)).shape
    (4, 3, 2, 2, 2)
    """

    dimensions = (5,)


class _InstanceNorm(_Statistics):
    _may_lack_batch = True

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        dtype: DTypeLike | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype, bias)

    def forward(self, input: Any) -> Any:
        """Normalize; in training also move the running statistics, if there are any."""
        self._check(input)
        by_input = self.training or not self.track_running_stats
        had_batch = np.ndim(input) == max(self.dimensions)
        x = operand(input) if had_batch else operand(input).reshape(1, *np.shape(input))
        step = self.momentum if self.momentum is not None else 0.0
        y = instance_norm(x, self.running_mean, self.running_var, self.weight, self.bias, by_input, step, self.eps)
        return y if had_batch else y.reshape(y.shape[1:])


class InstanceNorm1d(_InstanceNorm):
    """`functional.instance_norm` of inputs of shape (N, C, L) or (C, L); the parameters are those of `InstanceNorm2d`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.InstanceNorm1d(1)(mg.tensor([[[1.0, 3.0]]])).round(3).tolist()
    [[[-1.0, 1.0]]]
    """

    dimensions = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """`functional.instance_norm` of images of shape (N, C, H, W) or (C, H, W).

    Parameters
    ----------
    num_features : int
        The number of channels, C.
    eps, momentum
        As for `BatchNorm2d`.
    affine, track_running_stats : bool
        Whether there are a weight and a bias, and running statistics; usually there are none.
    dtype : dtype, optional
    bias : bool
        Whether there is a bias if `affine` is set.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.InstanceNorm2d(3)(mg.random.randn(4, 3, 5, 5)).shape
    (4, 3, 5, 5)
    """

    dimensions = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """`functional.instance_norm` of volumes of shape (N, C, D, H, W) or (C, D, H, W).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.InstanceNorm3d(3)(mg.random.randn(4, 3, 2, 2, 2)).shape
    (4, 3, 2, 2, 2)
    """

    dimensions = (4, 5)


class GroupNorm(Module):
    """`functional.group_norm` with a weight and a bias of its own.

    Parameters
    ----------
    num_groups, num_channels : int
        The first divides the second.
    eps : float
    affine : bool
        Whether there is a weight and a bias.
    dtype : dtype, optional
    bias : bool
        Whether there is a bias if `affine` is set.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.GroupNorm(2, 4)(mg.random.randn(3, 4, 5)).shape
    (3, 4, 5)
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        dtype: DTypeLike | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_groups < 1 or num_channels % num_groups:
            raise ArgumentError(f"GroupNorm: {num_groups} groups do not divide {num_channels} channels")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self.register_parameter("weight", Parameter(ones(num_channels, dtype=dtype)) if affine else None)
        self.register_parameter("bias", Parameter(zeros(num_channels, dtype=dtype)) if affine and bias else None)

    def forward(self, input: Any) -> Any:
        """Normalize."""
        return group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The options."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"


class LayerNorm(Module):
    """`functional.layer_norm` with a weight and a bias of its own.

    Parameters
    ----------
    normalized_shape : int or sequence of int
        The lengths of the last axes.
    eps : float
    elementwise_affine : bool
        Whether there is a weight and a bias.
    bias : bool
        Whether there is a bias if `elementwise_affine` is set.
    dtype : dtype, optional

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.LayerNorm(2)(mg.tensor([[1.0, 3.0]])).detach().round(3).tolist()
    [[-1.0, 1.0]]
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.normalized_shape, self.eps, self.elementwise_affine = _shape(normalized_shape), eps, elementwise_affine
        affine, shape = elementwise_affine, self.normalized_shape
        self.register_parameter("weight", Parameter(ones(shape, dtype=dtype)) if affine else None)
        self.register_parameter("bias", Parameter(zeros(shape, dtype=dtype)) if affine and bias else None)

    def forward(self, input: Any) -> Any:
        """Normalize the last axes."""
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The options."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class RMSNorm(Module):
    """`functional.rms_norm` with a weight of its own; the parameters are those of `LayerNorm`, without a bias.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.RMSNorm(2)(mg.tensor([3.0, -3.0])).detach().round(3)
    tensor([ 1., -1.])
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.normalized_shape, self.eps, self.elementwise_affine = _shape(normalized_shape), eps, elementwise_affine
        weight = Parameter(ones(self.normalized_shape, dtype=dtype)) if elementwise_affine else None
        self.register_parameter("weight", weight)

    def forward(self, input: Any) -> Any:
        """Normalize the last axes."""
        return rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """The options."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class LocalResponseNorm(FunctionLayer):
    """`functional.local_response_norm` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.LocalResponseNorm(1, alpha=3.0, beta=0.5)(mg.ones((1, 1, 2))).tolist()
    [[[0.5, 0.5]]]
    """

    function = local_response_norm

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__(size=size, alpha=alpha, beta=beta, k=k)
