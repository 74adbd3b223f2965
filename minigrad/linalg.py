"""Linear algebra: the extension `linalg` of the Python Array API standard 2024.12, and more of NumPy's and SciPy's.

Every function takes stacks of matrices in the last two axes of an array, and has derivatives of every order, for
complex matrices too.

>>> import minigrad as mg
>>> x = mg.tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True)
>>> mg.linalg.det(x).backward()
>>> x.grad.numpy().round(12)
array([[ 3., -1.],
       [-1.,  2.]])
"""

from typing import Any

import numpy as np

from minigrad.core import Array, implements
from minigrad.errors import ShapeError
from minigrad.ops import linalg as products
from minigrad.ops.decompositions import (
    EighResult,
    EigResult,
    QRResult,
    SVDResult,
    cholesky,
    eig,
    eigh,
    eigvals,
    eigvalsh,
    qr,
    svd,
    svdvals,
)
from minigrad.ops.exponential import expm
from minigrad.ops.linalg import kron, matmul, multi_dot, tensordot, vecdot, vector_norm
from minigrad.ops.matrices import LinAlgError, matrices
from minigrad.ops.norms import cond, matrix_norm, norm
from minigrad.ops.reductions import sum
from minigrad.ops.shaping import matrix_transpose
from minigrad.ops.solving import (
    LstsqResult,
    SlogdetResult,
    det,
    inv,
    lstsq,
    matrix_power,
    matrix_rank,
    pinv,
    slogdet,
    solve,
    tensorinv,
    tensorsolve,
)
from minigrad.ops.triangular import cho_factor, cho_solve, solve_triangular

__all__ = [
    "EigResult",
    "EighResult",
    "LinAlgError",
    "LstsqResult",
    "QRResult",
    "SVDResult",
    "SlogdetResult",
    "cho_factor",
    "cho_solve",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "expm",
    "inv",
    "kron",
    "lstsq",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensordot",
    "tensorinv",
    "tensorsolve",
    "trace",
    "vecdot",
    "vector_norm",
]

# The same as at the top level, except that these take the matrices from the last two axes.


@implements(np.linalg.cross)
def cross(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    """Cross products of vectors of three elements.

    Parameters
    ----------
    x1, x2 : array
        Of shapes that broadcast together.
    axis : int
        Along which the vectors lie, in both and in the result.

    Returns
    -------
    array

    Raises
    ------
    ShapeError
        If the vectors have not three elements each.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.linalg.cross(mg.tensor([1.0, 0.0, 0.0]), mg.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    return products.cross(x1, x2, axis=axis)


@implements(np.linalg.diagonal)
def diagonal(x: Array, /, *, offset: int = 0) -> Array:
    """Diagonals of matrices.

    Parameters
    ----------
    x : array of shape (..., m, n)
    offset : int
        How far above the main diagonal; negative below it.

    Returns
    -------
    array of shape (..., k)

    Raises
    ------
    ShapeError
        If `x` has fewer than two axes.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.linalg.diagonal(mg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1., 4.])
    """
    return products.diagonal(matrices(x, "diagonal"), offset, -2, -1)


@implements(np.linalg.outer)
def outer(x1: Array, x2: Array, /) -> Array:
    """Outer product of two vectors.

    Parameters
    ----------
    x1, x2 : array of shape (m,) and of shape (n,)

    Returns
    -------
    array of shape (m, n)

    Raises
    ------
    ShapeError
        If an operand is not a vector; `minigrad.outer` flattens what it is given.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.linalg.outer(mg.tensor([1.0, 2.0]), mg.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ShapeError(f"linalg.outer of shapes {np.shape(x1)} and {np.shape(x2)} needs two vectors")
    return products.outer(x1, x2)


@implements(np.linalg.trace)
def trace(x: Array, /, *, offset: int = 0, dtype: Any = None) -> Array:
    """Sums along the diagonals of matrices.

    Parameters
    ----------
    x : array of shape (..., m, n)
    offset : int
        How far above the main diagonal; negative below it.
    dtype : dtype, optional
        In which to add up, and of the result.

    Returns
    -------
    array of shape (...)

    Raises
    ------
    ShapeError
        If `x` has fewer than two axes.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.linalg.trace(mg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    return sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


implements(np.linalg.matmul)(matmul)
implements(np.linalg.matrix_transpose)(matrix_transpose)
implements(np.linalg.tensordot)(tensordot)
implements(np.linalg.vecdot)(vecdot)
