"""Lengths, distances and angles of vectors along an axis."""

from typing import Any

import numpy as np

from minigrad.errors import DTypeError, ShapeError
from minigrad.nn.layer import FunctionLayer, operand
from minigrad.ops import elementwise, reductions, shaping
from minigrad.ops.indexing import getitem
from minigrad.ops.linalg import vector_norm


def normalize(input: Any, p: float = 2.0, dim: int | tuple[int, ...] = 1, eps: float = 1e-12) -> Any:
    """Vectors divided by their `p`-norm, or by `eps` if that is larger.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.normalize(np.array([[3.0, 4.0]]))
    array([[0.6, 0.8]])
    """
    input = operand(input)
    return input / elementwise.clip(vector_norm(input, axis=dim, keepdims=True, ord=p), min=eps)


def _pair(name: str, x1: Any, x2: Any) -> tuple[Any, Any]:
    """Two operands that broadcast with each other."""
    x1, x2 = operand(x1), operand(x2)
    if any(m != n and 1 not in (m, n) for m, n in zip(x1.shape[::-1], x2.shape[::-1], strict=False)):
        raise ShapeError(f"{name}: vectors of shapes {x1.shape} and {x2.shape} are not pairs")
    return x1, x2


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """The `p`-norm of ``x1 - x2 + eps`` along the last axis.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.pairwise_distance(np.array([[3.0, 4.0]]), np.array([[0.0, 0.0]]), eps=0.0)
    array([5.])
    """
    x1, x2 = _pair("pairwise_distance", x1, x2)
    difference = elementwise.subtract(x1, x2) + eps
    return vector_norm(difference, axis=-1, keepdims=keepdim, ord=p)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """Cosine of the angle between vectors along an axis; lengths below `eps` count as `eps`.

    Arrays of different shapes are repeated to one first, and the axis is one of that shape.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    DTypeError
        For complex numbers, as in PyTorch.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.cosine_similarity(np.array([[3.0, 4.0]]), np.array([[4.0, 3.0]]))
    array([0.96])
    """
    x1, x2 = _pair("cosine_similarity", x1, x2)
    if "c" in (x1.dtype.kind, x2.dtype.kind):
        raise DTypeError(
            "cosine_similarity is for real vectors: join the parts of complex ones, as in "
            "concat([x.real, x.imag], axis=dim)"
        )
    if x1.shape != x2.shape:
        shape = np.broadcast_shapes(x1.shape, x2.shape)
        x1, x2 = shaping.broadcast_to(x1, shape), shaping.broadcast_to(x2, shape)
    lengths = [elementwise.clip(vector_norm(x, axis=dim, keepdims=True), min=eps) for x in (x1, x2)]
    return reductions.sum((x1 / lengths[0]) * (x2 / lengths[1]), axis=dim)


def pdist(input: Any, p: float = 2.0) -> Any:
    """The distances of all pairs of rows, in the order (0, 1), (0, 2), ..., (1, 2), ...

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.pdist(np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 0.0]]))
    array([5., 3., 4.])
    """
    input = operand(input)
    if input.ndim != 2:
        raise ShapeError(f"pdist is for a matrix of row vectors, and this has shape {input.shape}")
    first, second = np.triu_indices(input.shape[0], 1)
    return vector_norm(getitem(input, index=(first,)) - getitem(input, index=(second,)), axis=-1, ord=p)


class CosineSimilarity(FunctionLayer):
    """`functional.cosine_similarity` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.CosineSimilarity()(mg.tensor([[3.0, 4.0]]), mg.tensor([[4.0, 3.0]]))
    tensor([0.96])
    """

    function = cosine_similarity

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__(dim=dim, eps=eps)


class PairwiseDistance(FunctionLayer):
    """`functional.pairwise_distance` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.PairwiseDistance(eps=0.0)(mg.tensor([[3.0, 4.0]]), mg.tensor([[0.0, 0.0]]))
    tensor([5.])
    """

    function = pairwise_distance

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__(p=p, eps=eps, keepdim=keepdim)
