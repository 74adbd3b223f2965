"""Norms of matrices, and what is made of them; `vector_norm` is in `linalg`."""

from typing import Any

import numpy as np

from minigrad.core import Array, implements, numpy_keywords
from minigrad.errors import ArgumentError, ShapeError
from minigrad.ops.axes import Axis, several_axes
from minigrad.ops.decompositions import svdvals
from minigrad.ops.elementwise import abs, where
from minigrad.ops.linalg import vector_norm
from minigrad.ops.matrices import inverse, matrices, square
from minigrad.ops.reductions import keep, max, min, sum
from minigrad.ops.shaping import astype, expand_dims, moveaxis


def _singular_values(x: Array) -> Array:
    return abs(svdvals(x))  # for its derivative 0 at 0


def _largest(x: Array) -> Array:
    """The largest number along the last axis, and 0 of none."""
    return max(x, axis=-1) if x.shape[-1] else sum(x, axis=-1)


_MATRIX_NORMS: dict[Any, Any] = {
    "fro": lambda x: vector_norm(x, axis=(-2, -1)),
    "nuc": lambda x: sum(_singular_values(x), axis=-1),
    2: lambda x: _largest(_singular_values(x)),
    -2: lambda x: min(_singular_values(x), axis=-1),
    1: lambda x: _largest(sum(abs(x), axis=-2)),
    -1: lambda x: min(sum(abs(x), axis=-2), axis=-1),
    np.inf: lambda x: _largest(sum(abs(x), axis=-1)),
    -np.inf: lambda x: min(sum(abs(x), axis=-1), axis=-1),
}


@implements(np.linalg.matrix_norm)
@numpy_keywords
def matrix_norm(x: Array, /, *, keepdims: bool = False, ord: Any = "fro") -> Array:
    """Norms of matrices.

    Parameters
    ----------
    x : array of shape (..., m, n)
    keepdims : bool
        Keep the last two axes, with length 1.
    ord : {"fro", "nuc", 1, -1, 2, -2, inf, -inf}
        Which norm: the root of the sum of squared absolute values, the sum of the singular values, the largest or
        smallest sum of absolute values of a column, the largest or smallest singular value, the largest or smallest
        sum of absolute values of a row.

    Returns
    -------
    array of shape (...) or (..., 1, 1)
        Real.

    Raises
    ------
    ArgumentError
        If there is no such norm.
    ShapeError
        If `x` has fewer than two axes.

    Notes
    -----
    At kinks the gradient is a finite subgradient: 0 where the norm is 0, and columns, rows or singular values that
    attain an extreme share it equally.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.linalg.matrix_norm(mg.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor(5.)
    >>> mg.linalg.matrix_norm(mg.tensor([[3.0, 0.0], [0.0, 4.0]]), ord="nuc")
    tensor(7.)
    """
    x = matrices(x, "matrix_norm")
    x = x if x.dtype.kind in "fc" else astype(x, float)
    if ord not in _MATRIX_NORMS:
        raise ArgumentError(f"matrix_norm has no ord {ord!r}; there are: {', '.join(map(repr, _MATRIX_NORMS))}")
    value = _MATRIX_NORMS[ord](x)
    return expand_dims(value, (-2, -1)) if keepdims else value


@implements(np.linalg.norm)
@numpy_keywords
def norm(x: Array, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Array:
    """Norms of vectors or matrices, as in `numpy.linalg.norm`.

    Parameters
    ----------
    x : array
    ord : int, float, "fro" or "nuc", optional
        Which norm: see `vector_norm` and `matrix_norm`.
    axis : int or tuple of int, optional
        One axis along which vectors lie, or two that hold matrices.  By default all of `x`, which has one or two axes
        if an `ord` is given.
    keepdims : bool
        Keep the axes, with length 1.

    Returns
    -------
    array
        Real.

    Raises
    ------
    ArgumentError
        If there is no such norm.
    ShapeError
        If there are more axes than two.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> x = mg.tensor([3.0, 4.0], requires_grad=True)
    >>> np.linalg.norm(x).backward()
    >>> x.grad
    tensor([0.6, 0.8])
    """
    shape = np.shape(x)
    if axis is None and ord is None:
        return vector_norm(x, keepdims=keepdims)
    axes = several_axes(axis, len(shape), "norm")
    if len(axes) == 1:
        return vector_norm(x, axis=axes[0], keepdims=keepdims, ord=2 if ord is None else ord)
    if len(axes) != 2:
        raise ShapeError(f"norm of shape {shape}: along one axis for vectors or two for matrices, not {len(axes)}")
    value = matrix_norm(moveaxis(x, axes, (-2, -1)), ord="fro" if ord in (None, "f") else ord)
    return keep(value, shape, axes) if keepdims else value


@implements(np.linalg.cond)
def cond(x: Array, p: Any = None) -> Array:
    """Condition numbers of matrices, as in `numpy.linalg.cond`: inf for a singular one.

    Parameters
    ----------
    x : array of shape (..., m, n)
        Square, unless `p` is 2 or -2.
    p : {None, 2, -2, 1, -1, inf, -inf, "fro", "nuc"}
        Which norm; the default is 2, the quotient of the largest and the smallest singular value.

    Returns
    -------
    array of shape (...)

    Raises
    ------
    ShapeError
        If the matrices are not square, or have no elements.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.linalg.cond(mg.tensor([[4.0, 0.0], [0.0, 2.0]]))
    tensor(2.)
    """
    x = matrices(x, "cond")
    if 0 in x.shape[-2:]:
        raise ShapeError(f"cond of shape {x.shape}: the matrices have no elements")
    if p in (None, 2, -2):
        s = svdvals(x)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
        singular = np.isnan(value)
    else:
        inv = inverse(square(x, "cond"))
        singular = np.any(np.isnan(inv), axis=(-2, -1))
        value = matrix_norm(x, ord=p) * matrix_norm(where(np.expand_dims(singular, (-2, -1)), 0, inv), ord=p)
    return where(singular & ~np.any(np.isnan(x), axis=(-2, -1)), np.inf, value)
