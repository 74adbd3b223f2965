"""Initial values of parameters, written into their memory, under PyTorch's names."""

import math

import numpy as np

from minigrad import random
from minigrad.core import note_write
from minigrad.tensor import Tensor


def _fill(tensor: Tensor, values: np.ndarray) -> Tensor:
    tensor.data[...] = values
    if tensor.node is not None:
        note_write(tensor.node)
    return tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: "np.random.Generator | None" = None) -> Tensor:
    """Uniform random numbers from `a` to `b`.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.nn.init.uniform_(mg.empty(3), -0.1, 0.1)
    >>> bool((mg.abs(w) <= 0.1).all())
    True
    """
    return _fill(tensor, random.generator(generator).uniform(a, b, tensor.shape))


def kaiming_uniform_(
    tensor: Tensor, a: float = 0.0, nonlinearity: str = "leaky_relu", generator: "np.random.Generator | None" = None
) -> Tensor:
    """Uniform random numbers that keep the variance through a layer with (leaky) ReLU.

    The bound is ``sqrt(6 / ((1 + a*a) * fan_in))`` (K. He et al., "Delving deep into rectifiers", ICCV 2015).

    Parameters
    ----------
    tensor : Tensor of shape (out, in, ...)
    a : float
        The slope of the leaky ReLU at negative numbers.
    nonlinearity : {"leaky_relu", "relu", "linear"}
    generator : numpy.random.Generator, optional
    """
    fan_in = math.prod(tensor.shape[1:])
    if not fan_in:
        return tensor  # a layer without inputs has no weights to draw
    gains = {"leaky_relu": math.sqrt(2 / (1 + a * a)), "relu": math.sqrt(2), "linear": 1.0}
    bound = gains[nonlinearity] * math.sqrt(3 / fan_in)
    return uniform_(tensor, -bound, bound, generator)
