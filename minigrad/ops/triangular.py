"""Equations with triangular matrices, and with those whose Cholesky factor is known, under SciPy's names."""

from typing import Any

import numpy as np

from minigrad.core import Array
from minigrad.errors import ShapeError
from minigrad.ops.decompositions import cholesky
from minigrad.ops.linalg import tril, triu
from minigrad.ops.matrices import H, T, square
from minigrad.ops.solving import solve
from minigrad.options import one_of


def solve_triangular(
    a: Array,
    b: Array,
    trans: int | str = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
) -> Array:
    """The `x` for which ``a @ x = b``, of triangular matrices, as in `scipy.linalg.solve_triangular`.

    Parameters
    ----------
    a : array of shape (..., n, n)
        Elements on the other side of the diagonal are not looked at, and have gradient 0.
    b : array of shape (n,) or (..., n, k)
        One right-hand side, or a stack of matrices whose columns are right-hand sides.
    trans : {0, 1, 2} or {"N", "T", "C"}
        Whether to solve with the matrix, its transpose, or its conjugate transpose.
    lower : bool
        The triangle is the lower one.
    unit_diagonal : bool
        The diagonal is not looked at either, and holds ones.

    Returns
    -------
    array of shape (..., n) or (..., n, k)

    Raises
    ------
    LinAlgError
        If a matrix is singular.
    ShapeError
        If the matrices are not square, or the shapes do not fit.

    Notes
    -----
    The equations are solved as any others are, in ``2 n^3 / 3`` steps: NumPy has no routine for triangles.

    Examples
    --------
    >>> import minigrad as mg
    >>> a = mg.tensor([[2.0, 0.0], [1.0, 4.0]], requires_grad=True)
    >>> x = mg.linalg.solve_triangular(a, mg.tensor([2.0, 9.0]), lower=True)
    >>> x
    tensor([1., 2.], op=solve)
    """
    a = square(a, "solve_triangular")
    trans = one_of(trans, "solve_triangular: trans", (0, 1, 2, "N", "T", "C"))
    triangle = (tril if lower else triu)(a, (-1 if lower else 1) if unit_diagonal else 0)
    if unit_diagonal:
        triangle = triangle + np.eye(a.shape[-1], dtype=a.dtype)
    if trans in (1, "T"):
        triangle = T(triangle)
    elif trans in (2, "C"):
        triangle = H(triangle)
    return solve(triangle, b)


def cho_factor(a: Array, lower: bool = False) -> tuple[Array, bool]:
    """The Cholesky factor of positive definite matrices, for `cho_solve`, as in `scipy.linalg.cho_factor`.

    Parameters
    ----------
    a : array of shape (..., n, n)
        Symmetric or Hermitian.
    lower : bool
        Whether the factor is the lower triangle `c` of ``a = c @ c.T``, or the upper one of ``a = c.T @ c``.

    Returns
    -------
    tuple of array of shape (..., n, n) and bool
        The factor, whose other triangle holds zeros, and `lower`.

    Raises
    ------
    LinAlgError
        If a matrix is not positive definite.
    ShapeError
        If the matrices are not square.

    Examples
    --------
    >>> import minigrad as mg
    >>> a = mg.tensor([[4.0, 2.0], [2.0, 10.0]])
    >>> factor = mg.linalg.cho_factor(a)
    >>> mg.linalg.cho_solve(factor, mg.tensor([8.0, 22.0]))
    tensor([1., 2.])
    """
    return cholesky(a, upper=not lower), bool(lower)


def cho_solve(c_and_lower: tuple[Any, bool], b: Array) -> Array:
    """The `x` for which ``a @ x = b``, by the Cholesky factor of `a`, as in `scipy.linalg.cho_solve`.

    Parameters
    ----------
    c_and_lower : tuple of array of shape (..., n, n) and bool
        As `cho_factor` gives it: the factor, and whether it is the lower one.
    b : array of shape (n,) or (..., n, k)
        One right-hand side, or a stack of matrices whose columns are right-hand sides.

    Returns
    -------
    array of shape (..., n) or (..., n, k)

    Raises
    ------
    LinAlgError
        If a factor is singular.
    ShapeError
        If the factors are not square, or the shapes do not fit.

    Examples
    --------
    >>> import minigrad as mg
    >>> root = mg.linalg.cholesky(mg.tensor([[4.0, 2.0], [2.0, 10.0]]))
    >>> mg.linalg.cho_solve((root, True), mg.tensor([8.0, 22.0]))
    tensor([1., 2.])
    """
    try:
        factor, lower = c_and_lower
    except ValueError:
        raise ShapeError(
            "cho_solve takes a pair, of the factor and of whether it is the lower one: cho_solve((c, lower), b)"
        ) from None
    half = solve_triangular(factor, b, 0 if lower else 2, lower)
    return solve_triangular(factor, half, 2 if lower else 0, lower)
