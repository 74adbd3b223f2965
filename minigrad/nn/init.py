"""Initial values of parameters, written into their memory, under PyTorch's names.

Each function changes the Tensor that it is given and returns it.  Random numbers come from the package's generator
(`minigrad.manual_seed`) unless another is given.
"""

import math
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from minigrad import random
from minigrad.diagnostics import user_place
from minigrad.errors import ArgumentError, DTypeError, GraphError, ShapeError
from minigrad.options import one_of, real_number
from minigrad.tensor import Tensor
from minigrad.writes import note_write

if TYPE_CHECKING:
    from numpy.random import Generator  # importing minigrad shall not import numpy.random

Mode: TypeAlias = Literal["fan_in", "fan_out"]


def _fill(tensor: Tensor, values: "np.ndarray | float") -> Tensor:
    if not isinstance(tensor, Tensor) or tensor.dtype.kind not in "fc":
        what = f"{type(tensor).__name__} of dtype {getattr(tensor, 'dtype', None)}"
        raise DTypeError(f"initial values are written into a Tensor of floating-point numbers, not into a {what}")
    if not tensor.is_leaf:
        raise GraphError("initial values are written into a leaf, and this Tensor is the result of an operation")
    tensor.array[...] = values
    if tensor.node is not None:
        note_write(tensor.node, user_place())
    return tensor


def constant_(tensor: Tensor, val: float) -> Tensor:
    """The same number everywhere.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.init.constant_(mg.empty(2), 0.5)
    tensor([0.5, 0.5])
    """
    return _fill(tensor, val)


def zeros_(tensor: Tensor) -> Tensor:
    """Zeros.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.init.zeros_(mg.empty(2))
    tensor([0., 0.])
    """
    return _fill(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """Ones.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.init.ones_(mg.empty(2))
    tensor([1., 1.])
    """
    return _fill(tensor, 1.0)


def eye_(tensor: Tensor) -> Tensor:
    """A matrix with ones on its diagonal and zeros elsewhere.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.init.eye_(mg.empty((2, 2))).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    if tensor.ndim != 2:
        raise ShapeError(f"eye_ is for matrices, and this has shape {tensor.shape}")
    rows, columns = tensor.shape
    return _fill(tensor, np.eye(rows, columns))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Filters of a convolution that let as many channels as possible pass unchanged.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.init.dirac_(mg.empty((1, 1, 3))).tolist()
    [[[0.0, 1.0, 0.0]]]
    """
    if tensor.ndim not in (3, 4, 5) or tensor.shape[0] % groups:
        raise ShapeError(f"dirac_ is for the filters of a convolution in {groups} groups, not shape {tensor.shape}")
    values = np.zeros(tensor.shape)
    centre = tuple(n // 2 for n in tensor.shape[2:])
    per_group = tensor.shape[0] // groups
    for group in range(groups):
        for i in range(min(per_group, tensor.shape[1])):
            values[(group * per_group + i, i, *centre)] = 1
    return _fill(tensor, values)


# Random numbers


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: "Generator | None" = None) -> Tensor:
    """Uniform random numbers from `a` to `b`.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.nn.init.uniform_(mg.empty(3), -0.1, 0.1)
    >>> bool((mg.abs(w) <= 0.1).all())
    True
    """
    return _fill(tensor, random.generator(generator).uniform(a, b, tensor.shape))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: "Generator | None" = None) -> Tensor:
    """Normal random numbers.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.init.normal_(mg.empty((2, 3)), std=0.02).shape
    (2, 3)
    """
    return _fill(tensor, random.generator(generator).normal(mean, std, tensor.shape))


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: "Generator | None" = None,
) -> Tensor:
    """Normal random numbers on condition that they are from `a` to `b`.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.nn.init.trunc_normal_(mg.empty(100))
    >>> bool((mg.abs(w) <= 2).all())
    True
    """
    real_number(std, "trunc_normal_: std", above=0)
    real_number(a, "trunc_normal_: a", below=b)
    drawn = _truncated((a - mean) / std, (b - mean) / std, tensor.array.size, random.generator(generator))
    return _fill(tensor, np.clip(mean + std * drawn, a, b).reshape(tensor.shape))


def _truncated(low: float, high: float, count: int, draw: "Generator") -> np.ndarray:
    """Normal random numbers from `low` to `high`, by rejection: of what is proposed a third at least is taken.

    C. P. Robert, "Simulation of truncated normal variables", 1995.
    """
    if high < 0:
        return -_truncated(-high, -low, count, draw)
    values, rest = np.zeros(count), np.arange(count)
    rate = (low + math.sqrt(low * low + 4)) / 2
    while rest.size:
        chance: np.ndarray
        if low > 0:
            z = low - np.log1p(draw.random(rest.size) * np.expm1(-rate * (high - low))) / rate
            chance = np.exp(-0.5 * (z - rate) ** 2)
        elif high - low < 1:
            z = draw.uniform(low, high, rest.size)
            chance = np.exp(-0.5 * z * z)
        else:
            z = draw.standard_normal(rest.size)
            chance = (z >= low) & (z <= high)
        values[rest] = z
        rest = rest[draw.random(rest.size) >= chance]
    return values


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much to scale weights in front of an activation, so that variances stay as they are.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.init.calculate_gain("relu") == 2**0.5
    True
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        return math.sqrt(2 / (1 + slope**2))
    gains = {"tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}
    gains |= dict.fromkeys(["linear", "sigmoid", "conv1d", "conv2d", "conv3d"], 1.0)
    gains |= dict.fromkeys(["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"], 1.0)
    if nonlinearity not in gains:
        raise ArgumentError(f"there is no gain for {nonlinearity!r}; there are: leaky_relu, {', '.join(gains)}")
    return gains[nonlinearity]


def _fans(tensor: Tensor) -> tuple[int, int]:
    if tensor.ndim < 2:
        raise ShapeError(f"a weight of shape {tensor.shape} has no inputs and outputs to count: it needs two axes")
    window = math.prod(tensor.shape[2:])
    return tensor.shape[1] * window, tensor.shape[0] * window


def _scaled(tensor: Tensor, scale: float, is_normal: bool, generator: "Generator | None") -> Tensor:
    """Random numbers with the standard deviation `scale`."""
    if is_normal:
        return normal_(tensor, 0.0, scale, generator)
    return uniform_(tensor, -math.sqrt(3) * scale, math.sqrt(3) * scale, generator)


def _xavier(tensor: Tensor, gain: float, is_normal: bool, generator: "Generator | None") -> Tensor:
    scale = gain * math.sqrt(2 / max(sum(_fans(tensor)), 1))
    return _scaled(tensor, scale, is_normal, generator)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: "Generator | None" = None) -> Tensor:
    """Uniform random numbers of variance ``gain**2 * 2 / (fan_in + fan_out)``.

    X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.nn.init.xavier_uniform_(mg.empty((3, 3)))
    >>> bool((mg.abs(w) <= 1).all())
    True
    """
    return _xavier(tensor, gain, False, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: "Generator | None" = None) -> Tensor:
    """Normal random numbers of variance ``gain**2 * 2 / (fan_in + fan_out)``.

    X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.init.xavier_normal_(mg.empty((3, 4))).shape
    (3, 4)
    """
    return _xavier(tensor, gain, True, generator)


def _kaiming(
    tensor: Tensor, a: float, mode: Mode, nonlinearity: str, is_normal: bool, generator: "Generator | None"
) -> Tensor:
    one_of(mode, "mode", ("fan_in", "fan_out"))
    fan = _fans(tensor)[mode == "fan_out"]
    return _scaled(tensor, calculate_gain(nonlinearity, a) / math.sqrt(max(fan, 1)), is_normal, generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: Mode = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: "Generator | None" = None,
) -> Tensor:
    """Uniform random numbers of variance ``gain**2 / fan``.

    K. He et al., "Delving deep into rectifiers", ICCV 2015.

    Parameters
    ----------
    tensor : Tensor of shape (out, in, ...)
    a : float
        The slope at negative numbers, if the nonlinearity is "leaky_relu".
    mode : {"fan_in", "fan_out"}
        Whether to keep variances on the way forward or backward.
    nonlinearity : str
        As for `calculate_gain`.
    generator : numpy.random.Generator, optional

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.nn.init.kaiming_uniform_(mg.empty((3, 6)), nonlinearity="relu")
    >>> bool((mg.abs(w) <= 1).all())
    True
    """
    return _kaiming(tensor, a, mode, nonlinearity, False, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: Mode = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: "Generator | None" = None,
) -> Tensor:
    """Normal random numbers of variance ``gain**2 / fan``; the parameters are those of `kaiming_uniform_`.

    K. He et al., "Delving deep into rectifiers", ICCV 2015.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.init.kaiming_normal_(mg.empty((3, 6)), mode="fan_out", nonlinearity="relu").shape
    (3, 6)
    """
    return _kaiming(tensor, a, mode, nonlinearity, True, generator)


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: "Generator | None" = None) -> Tensor:
    """A random matrix with orthogonal rows or columns; further axes are counted to the second.

    A. M. Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", 2014.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.nn.init.orthogonal_(mg.empty((2, 3)))
    >>> mg.abs(w @ w.T).round(6).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    if tensor.ndim < 2:
        raise ShapeError(f"orthogonal_ is for matrices, and this has shape {tensor.shape}")
    rows = tensor.shape[0]
    columns = math.prod(tensor.shape[1:])
    drawn = random.generator(generator).standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(drawn)
    q *= np.sign(np.diagonal(r))  # makes the distribution uniform
    return _fill(tensor, gain * (q if rows >= columns else q.T).reshape(tensor.shape))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: "Generator | None" = None) -> Tensor:
    """A matrix of normal random numbers, of which a share in each column is 0 (J. Martens, ICML 2010).

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.nn.init.sparse_(mg.empty((10, 5)), sparsity=0.3)
    >>> mg.count_nonzero(w, axis=0).tolist()
    [7, 7, 7, 7, 7]
    """
    if tensor.ndim != 2:
        raise ShapeError(f"sparse_ is for matrices, and this has shape {tensor.shape}")
    real_number(sparsity, "sparse_: sparsity", least=0, most=1)
    draw = random.generator(generator)
    values = draw.normal(0.0, std, tensor.shape)
    zeros = math.ceil(sparsity * tensor.shape[0])
    for column in values.T:
        column[draw.permutation(tensor.shape[0])[:zeros]] = 0
    return _fill(tensor, values)
