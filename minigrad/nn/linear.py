"""Layers that are a sum of products: linear and bilinear; and those that only change the shape."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad.core import Array, primitive
from minigrad.creation import zeros
from minigrad.errors import ShapeError
from minigrad.errors.modules import other_features
from minigrad.nn import init
from minigrad.nn.layer import fan_bound, operand
from minigrad.nn.module import Module, Parameter
from minigrad.ops import costs, shaping
from minigrad.ops.axes import one_axis
from minigrad.ops.linalg import einsum, matmul, rows_of
from minigrad.options import whole_number


@primitive(
    lambda g, y, x, weight, bias: np.reshape(np.matmul(rows_of(g), weight), x.shape),
    lambda g, y, x, weight, bias: np.matmul(np.transpose(rows_of(g)), rows_of(x)),
    lambda g, y, x, weight, bias: np.sum(rows_of(g), axis=0),
    kind="contraction",
    cost=lambda args, y, how: costs.matmul(args, y, how) + y.size,
)
def _linear(x: Array, weight: Array, bias: Array, /) -> Array:
    y = matmul(x, weight.T)
    if y.dtype == bias.dtype and y.ndim:
        y += bias
        return y
    return y + bias


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """``input @ weight.T + bias``.

    Parameters
    ----------
    input : array of shape (..., in_features)
    weight : array of shape (out_features, in_features), or (in_features,)
    bias : array of shape (out_features,), or (), optional

    Returns
    -------
    array of shape (..., out_features), or (...)

    Raises
    ------
    ShapeError
        If the shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.linear(np.ones((1, 2)), np.eye(2), np.array([1.0, 0.0]))
    array([[2., 1.]])
    """
    input, weight = operand(input), operand(weight)
    shape, wanted = input.shape, weight.shape
    if len(wanted) not in (1, 2):
        raise ShapeError(f"linear: a weight has the axes (out_features, in_features), and this has shape {wanted}")
    if not shape or shape[-1] != wanted[-1] or (bias is not None and np.shape(bias) != wanted[:-1]):
        raise other_features(shape, wanted, bias)
    if len(wanted) == 1:
        return matmul(input, weight) if bias is None else matmul(input, weight) + bias
    return matmul(input, shaping.matrix_transpose(weight)) if bias is None else _linear(input, weight, bias)


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """``input1 @ weight[k] @ input2 + bias[k]`` for each output feature `k`.

    Parameters
    ----------
    input1 : array of shape (..., in1_features)
    input2 : array of shape (..., in2_features)
    weight : array of shape (out_features, in1_features, in2_features)
    bias : array of shape (out_features,), optional

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.bilinear(np.array([[1.0, 2.0]]), np.array([[3.0]]), np.ones((1, 2, 1)))
    array([[9.]])
    """
    first, second, expected = np.shape(input1), np.shape(input2), np.shape(weight)
    if len(expected) != 3 or first[-1:] != expected[1:2] or second[-1:] != expected[2:] or first[:-1] != second[:-1]:
        raise ShapeError(
            f"bilinear: inputs of shapes {first} and {second} do not fit a weight of shape {expected}: it must have "
            "the axes (out_features, in1_features, in2_features), and the inputs must be alike but for their last axes"
        )
    if bias is not None and np.shape(bias) != expected[:1]:
        raise ShapeError(f"bilinear: a bias of shape {np.shape(bias)} does not fit {expected[0]} output features")
    y = einsum("...i,kij,...j->...k", operand(input1), operand(weight), operand(input2))
    return y if bias is None else y + bias


class Linear(Module):
    """``x @ weight.T + bias``.

    Parameters
    ----------
    in_features, out_features : int
    bias : bool
        Whether there is one.
    dtype : dtype, optional
        By default the default dtype.

    Attributes
    ----------
    weight : Parameter of shape (out_features, in_features)
    bias : Parameter of shape (out_features,), or None
        Both start as uniform random numbers up to ``1 / sqrt(in_features)``, as in PyTorch.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Linear(3, 2)(mg.ones((5, 3))).shape
    (5, 2)
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.in_features = whole_number(in_features, "Linear: in_features", least=0)
        self.out_features = whole_number(out_features, "Linear: out_features", least=0)
        self.weight = Parameter(zeros((out_features, in_features), dtype=dtype))
        self.register_parameter("bias", Parameter(zeros(out_features, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values."""
        for parameter in self.parameters():
            bound = fan_bound(self.in_features)
            init.uniform_(parameter, -bound, bound)

    def forward(self, input: Any) -> Any:
        """Apply the layer to the last axis."""
        return linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    """`functional.bilinear` with a weight and a bias of its own.

    Parameters
    ----------
    in1_features, in2_features, out_features : int
    bias : bool
    dtype : dtype, optional

    Attributes
    ----------
    weight : Parameter of shape (out_features, in1_features, in2_features)
    bias : Parameter of shape (out_features,), or None

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Bilinear(3, 2, 4)(mg.ones((5, 3)), mg.ones((5, 2))).shape
    (5, 4)
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.in1_features = whole_number(in1_features, "Bilinear: in1_features")
        self.in2_features = whole_number(in2_features, "Bilinear: in2_features")
        self.out_features = whole_number(out_features, "Bilinear: out_features")
        self.weight = Parameter(zeros((out_features, in1_features, in2_features), dtype=dtype))
        self.register_parameter("bias", Parameter(zeros(out_features, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values."""
        for parameter in self.parameters():
            bound = fan_bound(self.in1_features)
            init.uniform_(parameter, -bound, bound)

    def forward(self, input1: Any, input2: Any) -> Any:
        """Apply the layer to the last axes."""
        return bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class Identity(Module):
    """What goes in comes out; any arguments of the constructor are accepted and ignored.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Identity()(mg.tensor([1.0]))
    tensor([1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Return the input."""
        return input


class Flatten(Module):
    """The axes from `start_dim` to `end_dim` made one.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Flatten()(mg.zeros((2, 3, 4))).shape
    (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Any) -> Any:
        """Reshape."""
        return shaping.flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """The axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """One axis made several, of these lengths; one of them may be -1, to be worked out.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Unflatten(1, (3, -1))(mg.zeros((2, 12))).shape
    (2, 3, 4)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, input: Any) -> Any:
        """Reshape."""
        shape = np.shape(input)
        axis = one_axis(self.dim, len(shape), "Unflatten")
        return shaping.reshape(input, (*shape[:axis], *self.unflattened_size, *shape[axis + 1 :]))

    def extra_repr(self) -> str:
        """The axis and its lengths."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
