"""Products of a constant sparse matrix of SciPy's with a Tensor.

SciPy is never imported here: who has a sparse matrix has imported it.
"""

import sys
from typing import Any

import numpy as np

from minigrad.core import Array, primitive
from minigrad.errors import UnsupportedError
from minigrad.errors.operations import no_product
from minigrad.ops.matrices import T
from minigrad.ops.shaping import moveaxis, reshape


def is_sparse(x: Any) -> bool:
    """Whether it is a sparse array or matrix of SciPy's."""
    scipy = sys.modules.get("scipy.sparse")
    return scipy is not None and bool(scipy.issparse(x))


@primitive(
    lambda g, y, x, *, matrix: sparse_product(g, matrix=matrix.T),
    kind="contraction",
    cost=lambda args, y, how: 2 * how["matrix"].nnz * np.size(y) / max(1, np.shape(y)[0]),
)
def sparse_product(x: Array, /, *, matrix: Any) -> Array:
    """``matrix @ x`` for a vector, or for a matrix of columns."""
    return matrix @ x


def sparse_matmul(a: Any, b: Any, /) -> Array:
    """The matrix product of a sparse matrix, which is a constant, and an array, in this order or the other.

    Parameters
    ----------
    a, b : sparse matrix of SciPy's, and array
        One of each; the array is a vector, or a matrix or a stack of matrices in its last two axes.  The sparse one is
        not copied, and must not be written to before the backward pass.

    Returns
    -------
    array
        As `matmul` gives for the matrix in full.  The gradient of ``A @ x`` is ``A.T @ g``, for which the matrix stays
        sparse.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    UnsupportedError
        If the sparse array does not have two axes.
    """
    matrix = b if is_sparse(b) else a
    if len(matrix.shape) != 2:
        raise UnsupportedError(
            f"the product of a {type(matrix).__name__} of shape {matrix.shape} and a Tensor has no derivative in "
            "minigrad, only that of a sparse matrix has one: reshape it to two axes, or write A.toarray() @ x"
        )
    shapes = np.shape(a), np.shape(b)
    if not all(shapes) or shapes[0][-1] != shapes[1][-2:][0]:
        raise no_product(*shapes)
    if matrix is b:
        rows = reshape(a, (-1, b.shape[0]))
        return reshape(T(sparse_product(T(rows), matrix=b.T)), (*np.shape(a)[:-1], b.shape[1]))
    if np.ndim(b) <= 2:
        return sparse_product(b, matrix=a)
    columns = moveaxis(b, -2, 0)
    found = sparse_product(reshape(columns, (a.shape[1], -1)), matrix=a)
    return moveaxis(reshape(found, (a.shape[0], *np.shape(columns)[1:])), 0, -2)


def with_operator(name: str, operands: tuple[Any, ...]) -> Any:
    """What an operator, named by its operation, makes of two operands, if one of them is sparse; else NotImplemented.

    The `*` of SciPy's older class, the sparse matrix, is the product of matrices; that of sparse arrays is not.
    """
    sparse = next(filter(is_sparse, operands), None)
    if sparse is None:
        return NotImplemented
    is_matrix = sys.modules["scipy.sparse"].isspmatrix(sparse)
    if name == "matmul" or (name == "multiply" and is_matrix and all(map(np.ndim, operands))):
        return sparse_matmul(*operands)
    raise UnsupportedError(
        f"{name} of a sparse {sparse.shape} {type(sparse).__name__} and a Tensor has no derivative in minigrad, only "
        "their product A @ x has one: write A.toarray() for a full array. To scale a product, write c * (A @ x)"
    )


def is_asked_by_sparse_product() -> bool:
    """Whether the caller's caller is SciPy, which computes ``A @ x`` and asks `x` for an array.

    A single object, instead of numbers, then means that `x` shall compute the product itself: "Not interpretable as an
    array; return NotImplemented so that other's __rmatmul__ can kick in", says ``scipy/sparse/_base.py``.
    """
    if "scipy.sparse" not in sys.modules:
        return False
    caller = sys._getframe(2)
    is_product = caller.f_code.co_name == "_matmul_dispatch"
    return is_product and str(caller.f_globals.get("__name__")).startswith("scipy.sparse.")
