"""Activations, as functions and as layers."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad import random
from minigrad.core import Array, Handle, primitive, traced
from minigrad.creation import full
from minigrad.errors import ArgumentError, ShapeError
from minigrad.nn import init as initial
from minigrad.nn.layer import FunctionLayer, floating, operand
from minigrad.nn.module import Module, Parameter
from minigrad.ops import elementwise, reductions, shaping, special
from minigrad.ops.arguments import unrecorded, value_of
from minigrad.ops.axes import one_axis
from minigrad.ops.blocks import in_blocks
from minigrad.ops.elementwise import selected, sigmoid, tanh
from minigrad.ops.kept_zeros import zero_safe_divide, zero_safe_multiply, zero_safe_product
from minigrad.options import one_of, real_number

# Piecewise linear functions; at a kink the derivative is PyTorch's


@primitive(lambda g, y, x: selected(g, y != 0), kind="elementwise")  # of NaN, too
def _relu(x: Array, /) -> Array:
    return np.maximum(x, 0)


def relu(input: Any, inplace: bool = False) -> Any:
    """The larger of each element and 0; at 0 the derivative is taken as 0.

    `inplace`, here and in other activations, is accepted for PyTorch's sake and changes nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.relu(np.array([-1.0, 2.0]))
    array([0., 2.])
    """
    return _relu(input)


@primitive(lambda g, y, x, *, min_val, max_val: selected(g, ~((x <= min_val) | (x >= max_val))), kind="elementwise")
def _hardtanh(x: Array, /, *, min_val: float, max_val: float) -> Array:
    return np.minimum(np.maximum(x, min_val), max_val)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """Each element, but not below `min_val` and not above `max_val`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.hardtanh(np.array([-3.0, 0.5]))
    array([-1. ,  0.5])
    """
    if not min_val <= max_val:
        raise ArgumentError(f"hardtanh: min_val {min_val} must not be above max_val {max_val}")
    return _hardtanh(input, min_val=min_val, max_val=max_val)


def relu6(input: Any, inplace: bool = False) -> Any:
    """Each element, but not below 0 and not above 6.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.relu6(np.array([-1.0, 7.0]))
    array([0., 6.])
    """
    return hardtanh(input, 0.0, 6.0)


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """``x / 6 + 1 / 2``, but not below 0 and not above 1.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.hardsigmoid(np.array([-4.0, 0.0]))
    array([0. , 0.5])
    """
    return hardtanh(elementwise.divide(elementwise.add(input, 3.0), 6.0), 0.0, 1.0)


def hardswish(input: Any, inplace: bool = False) -> Any:
    """``x * hardsigmoid(x)`` (A. Howard et al., "Searching for MobileNetV3", ICCV 2019).

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.hardswish(np.array([-4.0, 3.0]))
    array([-0.,  3.])
    """
    return _through(hardsigmoid(input), input)


@primitive(lambda g, y, x, *, negative_slope: np.where(x > 0, g, g * negative_slope), kind="elementwise")
def _leaky_relu(x: Array, /, *, negative_slope: float) -> Array:
    other = x * negative_slope
    # A choice that no processor foresees takes ten times as long as the larger of two numbers.
    return np.maximum(x, other) if 0 < negative_slope <= 1 else np.where(x > 0, x, other)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """Positive elements as they are, others times `negative_slope`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.leaky_relu(np.array([-1.0, 2.0]))
    array([-0.01,  2.  ])
    """
    return _leaky_relu(input, negative_slope=negative_slope)


def prelu(input: Any, weight: Any) -> Any:
    """Positive elements as they are, others times a weight: one for all, or one for each channel (axis 1).

    K. He et al., "Delving deep into rectifiers", ICCV 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.prelu(np.array([[-1.0, -1.0]]), np.array([0.1, 0.2]))
    array([[-0.1, -0.2]])
    """
    input, weight = operand(input), operand(weight)
    if weight.size > 1:
        channels = input.shape[1] if input.ndim > 1 else input.shape[0] if input.ndim else 1
        if weight.size != channels:
            raise ShapeError(f"prelu: {weight.size} weights do not fit the {channels} channels of shape {input.shape}")
        weight = weight.reshape(-1, *(1,) * max(input.ndim - 2, 0))
    elif weight.ndim:
        weight = weight.reshape(())
    return elementwise.where(input > 0, input, weight * elementwise.clip(input, max=0))  # not 0 * inf


def rrelu(input: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False) -> Any:
    """Positive elements as they are, others times a random slope from `lower` to `upper`, or the mean of the two.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.rrelu(np.array([-24.0, 1.0]))
    array([-5.5,  1. ])
    """
    real_number(lower, "rrelu: lower", least=0, most=upper)
    if not training:
        return leaky_relu(input, (lower + upper) / 2)
    input = floating(input)
    slope = random.drawn("uniform", lower, upper, input.shape).astype(input.dtype)
    return elementwise.where(input > 0, input, slope * input)


@primitive(lambda g, y, x, *, threshold, value: selected(g, ~(x <= threshold)), kind="elementwise")
def _threshold(x: Array, /, *, threshold: float, value: float) -> Array:
    return np.where(x <= threshold, x.dtype.type(value), x)  # NaN stays


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """Elements above `threshold` as they are, others replaced by `value`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.threshold(np.array([0.5, 2.0]), 1.0, 20.0)
    array([20.,  2.])
    """
    return _threshold(operand(input), threshold=threshold, value=value)


@primitive(lambda g, y, x, *, lambd: selected(g, ~(np.abs(x) <= lambd)), kind="elementwise")
def _hardshrink(x: Array, /, *, lambd: float) -> Array:
    return np.where(np.abs(x) <= lambd, x.dtype.type(0), x)  # NaN stays


def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """Elements farther than `lambd` from 0 as they are, others 0.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.hardshrink(np.array([0.4, -2.0]))
    array([ 0., -2.])
    """
    return _hardshrink(operand(input), lambd=lambd)


@primitive(lambda g, y, x, *, lambd: selected(g, ~(np.abs(x) <= lambd)), kind="elementwise")
def _softshrink(x: Array, /, *, lambd: float) -> Array:
    return np.sign(x) * np.maximum(np.abs(x) - lambd, 0)


def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """Each element moved towards 0 by `lambd`, but not past it.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.softshrink(np.array([0.4, -2.0]))
    array([ 0. , -1.5])
    """
    real_number(lambd, "softshrink: lambd", least=0)
    return _softshrink(operand(input), lambd=lambd)


# Smooth functions


@primitive(lambda g, y, x, *, alpha: np.where(x > 0, g, zero_safe_multiply(g, y + alpha)), kind="elementwise")
def _elu(x: Array, /, *, alpha: float) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """Positive elements as they are, others ``alpha * (exp(x) - 1)`` (D.-A. Clevert et al., ICLR 2016).

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.elu(np.array([-100.0, 2.0]))
    array([-1.,  2.])
    """
    return _elu(operand(input), alpha=alpha)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """Positive elements as they are, others ``alpha * (exp(x / alpha) - 1)`` (J. T. Barron, 2017).

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.celu(np.array([-100.0, 2.0]), alpha=0.5)
    array([-0.5,  2. ])
    """
    if not alpha:
        raise ArgumentError("celu: alpha must not be 0")
    return elementwise.multiply(elu(elementwise.divide(input, alpha)), alpha)


_SELU_SCALE, _SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717


def selu(input: Any, inplace: bool = False) -> Any:
    """Scaled `elu` that keeps mean 0 and variance 1 (G. Klambauer et al., "Self-normalizing neural networks", 2017).

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.selu(np.array([1.0])).round(4)
    array([1.0507])
    """
    return elementwise.multiply(elu(input, _SELU_ALPHA), _SELU_SCALE)


@primitive(
    lambda g, y, x, *, beta, threshold: np.where(x * beta > threshold, g, zero_safe_multiply(g, sigmoid(x * beta))),
    kind="elementwise",
)
def _softplus(x: Array, /, *, beta: float, threshold: float) -> Array:
    z = x * beta
    return np.where(z > threshold, x, np.logaddexp(z, 0) / beta)


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """``log(1 + exp(beta * x)) / beta``, and `x` itself where ``beta * x`` is above `threshold`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.softplus(np.array([0.0, 100.0])).round(4)
    array([  0.6931, 100.    ])
    """
    return _softplus(operand(input), beta=beta, threshold=threshold)


def logsigmoid(input: Any) -> Any:
    """Logarithm of the sigmoid, accurate where the sigmoid underflows.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.logsigmoid(np.array([0.0, -1000.0])).round(4)
    array([-6.931e-01, -1.000e+03])
    """
    return -elementwise.logaddexp(elementwise.negative(input), 0.0)


@primitive(lambda g, y, x: zero_safe_divide(g, np.square(1 + np.abs(x))), kind="elementwise")
def _softsign(x: Array, /) -> Array:
    with np.errstate(invalid="ignore"):  # inf / inf
        return np.where(np.isinf(x), np.sign(x), x / (1 + np.abs(x)))


def softsign(input: Any) -> Any:
    """``x / (1 + abs(x))``.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.softsign(np.array([-1.0, 3.0]))
    array([-0.5 ,  0.75])
    """
    input = operand(input)
    if input.dtype.kind == "c":
        return elementwise.divide(input, elementwise.add(elementwise.abs(input), 1.0))
    return _softsign(input)


def tanhshrink(input: Any) -> Any:
    """``x - tanh(x)``.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.tanhshrink(np.array([0.0, 1.0])).round(4)
    array([0.    , 0.2384])
    """
    return elementwise.subtract(input, tanh(input))


# An element times a gate that opens with it.  Towards either end a gate settles quicker than the element grows: where
# it is 0, or its derivative is, an element that is infinite counts for nothing.  So all products here are
# `zero_safe_product`.


def _through(gate: Any, input: Any) -> Any:
    with np.errstate(over="ignore", invalid="ignore"):  # inf times 0, and the sum that finds it
        if traced(input):
            return zero_safe_product(input, gate)
        y = elementwise.multiply(input, gate)
        total = np.add.reduce(value_of(y), axis=None)
        return y if total - total == 0 else zero_safe_product(input, gate)  # which looks twice in its derivative


@primitive(lambda g, y, x: zero_safe_product(g, zero_safe_product(y, 1 - y)), kind="elementwise")
def _logistic_gate(x: Array, /) -> Array:
    """The sigmoid."""
    return sigmoid(x)


@primitive(
    lambda g, y, x: zero_safe_product(g, zero_safe_product(1 - np.square(y), _logistic_gate(x))), kind="elementwise"
)
def _mish_gate(x: Array, /) -> Array:
    """``tanh(softplus(x))``."""
    return np.tanh(np.logaddexp(x, 0))


_ROOT_2, _DENSITY = 2**-0.5, (2 * np.pi) ** -0.5


@primitive(lambda g, y, x: zero_safe_product(g, zero_safe_product(-x, y)), kind="elementwise")
def _normal_density(x: Array, /) -> Array:
    """The derivative of the probability that a normal random number is below `x`."""
    return _DENSITY * np.exp(-0.5 * x * x)


@primitive(lambda g, y, x: zero_safe_product(g, _normal_density(x)), kind="elementwise")
def _normal_cdf(x: Array, /) -> Array:
    """The probability that a normal random number is below `x`."""
    return 0.5 * (1 + special.erf(x * _ROOT_2))


_SLOPE, _CUBIC = 2 * (2 / np.pi) ** 0.5, 0.044715


def _gate(x: Array, out: Array) -> None:
    np.multiply(x, x, out=out)
    out *= -_SLOPE * _CUBIC
    out -= _SLOPE
    out *= x
    np.exp(out, out=out)
    out += 1
    np.divide(1, out, out=out)


@primitive(lambda g, y, x: zero_safe_product(g, _gate_slope(x, y)), kind="elementwise")
def _tanh_gate(x: Array, /) -> Array:
    """``(1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2``, which is a sigmoid."""
    with np.errstate(over="ignore"):  # where the gate is shut, the exponential is infinite
        return in_blocks(_gate, np.asanyarray(x))


def _slope(x: Array, y: Array, out: Array) -> None:
    np.multiply(x, x, out=out)
    np.minimum(out, 1e4, out=out)  # where the gate has settled long ago
    out *= 3 * _CUBIC * _SLOPE
    out += _SLOPE
    out *= y
    out *= 1 - y


@primitive(
    lambda g, s, x, y: zero_safe_product((6 * _CUBIC * _SLOPE) * g, zero_safe_product(x, zero_safe_product(y, 1 - y))),
    lambda g, s, x, y: zero_safe_product(
        g, zero_safe_product(1 - 2 * y, _SLOPE + (3 * _CUBIC * _SLOPE) * np.square(x))
    ),
    kind="elementwise",
)
def _gate_slope(x: Array, y: Array, /) -> Array:
    """The derivative of the gate, from `x` and the gate's value `y`."""
    return in_blocks(_slope, np.asanyarray(x), np.asanyarray(y))


def gelu(input: Any, approximate: str = "none") -> Any:
    """``x`` times the probability that a normal random number is below `x`.

    D. Hendrycks and K. Gimpel, "Gaussian error linear units", 2016.

    Parameters
    ----------
    input : array
    approximate : {"none", "tanh"}
        Whether to take the probability from the error function, or approximate it by a hyperbolic tangent.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.gelu(np.array([-1.0, 1.0])).round(4)
    array([-0.1587,  0.8413])
    """
    one_of(approximate, "gelu: approximate", ("none", "tanh"))
    input = floating(input)
    return _through(_normal_cdf(input) if approximate == "none" else _tanh_gate(input), input)


def silu(input: Any, inplace: bool = False) -> Any:
    """``x * sigmoid(x)``, also called swish.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.silu(np.array([0.0, 100.0]))
    array([  0., 100.])
    """
    return _through(_logistic_gate(input), input)


def mish(input: Any, inplace: bool = False) -> Any:
    """``x * tanh(softplus(x))`` (D. Misra, 2019).

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.mish(np.array([0.0, 1.0])).round(4)
    array([0.    , 0.8651])
    """
    return _through(_mish_gate(input), input)


def glu(input: Any, dim: int = -1) -> Any:
    """The first half along an axis times the sigmoid of the second half (Y. N. Dauphin et al., ICML 2017).

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.glu(np.array([2.0, 4.0, 0.0, 100.0]))
    array([1., 4.])
    """
    input = operand(input)
    if input.shape[one_axis(dim, input.ndim, "glu")] % 2:
        raise ShapeError(f"glu: axis {dim} of shape {input.shape} cannot be halved")
    first, second = shaping.split(input, 2, axis=dim)
    return elementwise.multiply(first, sigmoid(second))


# Functions of all elements along an axis


def _axis(name: str, input: Any, dim: int | None) -> int:
    if dim is not None:
        return dim
    warnings.warn(f"{name}: say along which axis, as in {name}(x, dim=-1)", stacklevel=3)
    return 0 if np.ndim(input) in (0, 1, 3) else 1


def softmax(input: Any, dim: int | None = None, dtype: DTypeLike | None = None) -> Any:
    """``exp(x) / sum(exp(x))`` along an axis.

    Without `dim` there is a warning, and the axis is PyTorch's: 0 of inputs with 0, 1 or 3 axes, else 1.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.softmax(np.array([[0.0, 0.0]]), dim=1)
    array([[0.5, 0.5]])
    """
    axis = _axis("softmax", input, dim)
    return reductions.softmax(input if dtype is None else shaping.astype(input, dtype), axis=axis)


def log_softmax(input: Any, dim: int | None = None, dtype: DTypeLike | None = None) -> Any:
    """Logarithm of the softmax along an axis.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.log_softmax(np.array([[0.0, 0.0]]), dim=1).round(4)
    array([[-0.6931, -0.6931]])
    """
    axis = _axis("log_softmax", input, dim)
    return reductions.log_softmax(input if dtype is None else shaping.astype(input, dtype), axis=axis)


def softmin(input: Any, dim: int | None = None, dtype: DTypeLike | None = None) -> Any:
    """Softmax of the negative elements along an axis.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.softmin(np.array([0.0, 100.0]), dim=0).round(4)
    array([1., 0.])
    """
    return softmax(elementwise.negative(input), _axis("softmin", input, dim), dtype)


def gumbel_softmax(logits: Any, tau: float = 1.0, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Any:
    """A random sample near a corner of the simplex, differentiable (E. Jang et al., ICLR 2017).

    Parameters
    ----------
    logits : array
    tau : float
        Temperature: the smaller, the nearer to a corner.
    hard : bool
        Return the corner, with the gradient of the soft sample.
    eps : float
        Has no effect, as in PyTorch.
    dim : int

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> sample = F.gumbel_softmax(np.zeros((2, 3)), hard=True)
    >>> sample.sum(axis=1)
    array([1., 1.])
    """
    logits = floating(logits)
    noise = random.drawn("gumbel", size=logits.shape).astype(logits.dtype)
    soft = reductions.softmax((logits + noise) / tau, axis=dim)
    if not hard:
        return soft
    value = unrecorded(soft)
    corner = (np.expand_dims(np.argmax(value, axis=dim), dim) == _positions(value, dim)).astype(value.dtype)
    return corner - value + soft if isinstance(soft, Handle) else corner


def _positions(value: Array, dim: int) -> Array:
    return np.arange(value.shape[dim]).reshape([-1 if i == dim % value.ndim else 1 for i in range(value.ndim)])


# Layers


class ReLU(FunctionLayer):
    """`functional.relu` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.ReLU()(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([0., 0., 3.])
    """

    function = relu

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()


class ReLU6(FunctionLayer):
    """`functional.relu6` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.ReLU6()(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([0., 0., 3.])
    """

    function = relu6

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()


class Hardtanh(FunctionLayer):
    """`functional.hardtanh` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Hardtanh()(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([-1.,  0.,  1.])
    """

    function = hardtanh

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(min_val=min_val, max_val=max_val)


class Hardsigmoid(FunctionLayer):
    """`functional.hardsigmoid` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Hardsigmoid()(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([0.1667, 0.5   , 1.    ])
    """

    function = hardsigmoid

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()


class Hardswish(FunctionLayer):
    """`functional.hardswish` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Hardswish()(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([-0.3333,  0.    ,  3.    ])
    """

    function = hardswish

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()


class LeakyReLU(FunctionLayer):
    """`functional.leaky_relu` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.LeakyReLU()(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([-0.02,  0.  ,  3.  ])
    """

    function = leaky_relu

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(negative_slope=negative_slope)


class Threshold(FunctionLayer):
    """`functional.threshold` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Threshold(1.0, 5.0)(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([5., 5., 3.])
    """

    function = threshold

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(threshold=threshold, value=value)


class Hardshrink(FunctionLayer):
    """`functional.hardshrink` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Hardshrink()(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([-2.,  0.,  3.])
    """

    function = hardshrink

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__(lambd=lambd)


class Softshrink(FunctionLayer):
    """`functional.softshrink` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Softshrink()(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([-1.5,  0. ,  2.5])
    """

    function = softshrink

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__(lambd=lambd)


class ELU(FunctionLayer):
    """`functional.elu` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.ELU()(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([-0.8647,  0.    ,  3.    ])
    """

    function = elu

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(alpha=alpha)


class CELU(FunctionLayer):
    """`functional.celu` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.CELU()(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([-0.8647,  0.    ,  3.    ])
    """

    function = celu

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(alpha=alpha)


class SELU(FunctionLayer):
    """`functional.selu` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.SELU()(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([-1.5202,  0.    ,  3.1521])
    """

    function = selu

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()


class Softplus(FunctionLayer):
    """`functional.softplus` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Softplus()(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([0.1269, 0.6931, 3.0486])
    """

    function = softplus

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__(beta=beta, threshold=threshold)


class LogSigmoid(FunctionLayer):
    """`functional.logsigmoid` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.LogSigmoid()(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([-2.1269, -0.6931, -0.0486])
    """

    function = logsigmoid

    def __init__(self) -> None:
        super().__init__()


class Softsign(FunctionLayer):
    """`functional.softsign` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Softsign()(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([-0.6667,  0.    ,  0.75  ])
    """

    function = softsign

    def __init__(self) -> None:
        super().__init__()


class Tanhshrink(FunctionLayer):
    """`functional.tanhshrink` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Tanhshrink()(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([-1.036 ,  0.    ,  2.0049])
    """

    function = tanhshrink

    def __init__(self) -> None:
        super().__init__()


class Sigmoid(FunctionLayer):
    """`functional.sigmoid` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Sigmoid()(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([0.1192, 0.5   , 0.9526])
    """

    function = sigmoid

    def __init__(self) -> None:
        super().__init__()


class Tanh(FunctionLayer):
    """`functional.tanh` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Tanh()(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([-0.964 ,  0.    ,  0.9951])
    """

    function = tanh

    def __init__(self) -> None:
        super().__init__()


class GELU(FunctionLayer):
    """`functional.gelu` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.GELU()(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([-0.0455,  0.    ,  2.996 ])
    """

    function = gelu

    def __init__(self, approximate: str = "none") -> None:
        super().__init__(approximate=approximate)


class SiLU(FunctionLayer):
    """`functional.silu` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.SiLU()(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([-0.2384,  0.    ,  2.8577])
    """

    function = silu

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()


class Mish(FunctionLayer):
    """`functional.mish` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Mish()(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([-0.2525,  0.    ,  2.9865])
    """

    function = mish

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()


class GLU(FunctionLayer):
    """`functional.glu` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.GLU()(mg.tensor([2.0, 0.0])).round(4)
    tensor([1.])
    """

    function = glu

    def __init__(self, dim: int = -1) -> None:
        super().__init__(dim=dim)


class Softmax(FunctionLayer):
    """`functional.softmax` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Softmax(dim=0)(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([0.0064, 0.0471, 0.9465])
    """

    function = softmax

    def __init__(self, dim: int | None = None) -> None:
        super().__init__(dim=dim)


class LogSoftmax(FunctionLayer):
    """`functional.log_softmax` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.LogSoftmax(dim=0)(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([-5.055, -3.055, -0.055])
    """

    function = log_softmax

    def __init__(self, dim: int | None = None) -> None:
        super().__init__(dim=dim)


class Softmin(FunctionLayer):
    """`functional.softmin` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Softmin(dim=0)(mg.tensor([-2.0, 0.0, 3.0])).round(4)
    tensor([0.8756, 0.1185, 0.0059])
    """

    function = softmin

    def __init__(self, dim: int | None = None) -> None:
        super().__init__(dim=dim)


class PReLU(Module):
    """`functional.prelu` as a layer that learns the slopes.

    Parameters
    ----------
    num_parameters : int
        1, or the number of channels.
    init : float
        The slope at the start.
    dtype : dtype, optional

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.PReLU()(mg.tensor([-2.0, 0.0, 3.0])).detach()
    tensor([-0.5,  0. ,  3. ])
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(full(num_parameters, init, dtype=dtype))

    def reset_parameters(self) -> None:
        """Set the slopes to what they were at the start."""
        initial.constant_(self.weight, self.init)

    def forward(self, input: Any) -> Any:
        """Apply the function."""
        return prelu(input, self.weight)

    def extra_repr(self) -> str:
        """The number of slopes."""
        return f"num_parameters={self.num_parameters}"


class RReLU(FunctionLayer):
    """`functional.rrelu` as a layer: slopes are random in training, and their mean in use.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.RReLU().eval()(mg.tensor([-24.0, 0.0, 3.0]))
    tensor([-5.5,  0. ,  3. ])
    """

    function = rrelu

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__(lower=lower, upper=upper)

    def forward(self, input: Any) -> Any:
        """Apply the function."""
        return rrelu(input, self.lower, self.upper, self.training)


class Softmax2d(Module):
    """Softmax over the channels of images of shape (N, C, H, W) or (C, H, W).

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Softmax2d()(mg.zeros((2, 1, 1))).tolist()
    [[[0.5]], [[0.5]]]
    """

    def forward(self, input: Any) -> Any:
        """Apply the function."""
        if np.ndim(input) not in (3, 4):
            raise ShapeError(f"Softmax2d: the input must have shape (N, C, H, W) or (C, H, W), not {np.shape(input)}")
        return softmax(input, dim=-3)
