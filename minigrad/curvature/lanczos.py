"""Extreme eigenvalues of a symmetric matrix that is known only by its products with vectors."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from minigrad.errors import ArgumentError

# What remains of a vector, relative to the matrix, is rounding error if it is less than this.
_NOTHING = 1e-13


class EigenPairs(NamedTuple):
    """Some eigenvalues of a symmetric matrix.

    Attributes
    ----------
    values : ndarray of shape (k,)
        Ascending.
    vectors : ndarray of shape (n, k)
        The eigenvectors, of length 1, as columns.
    error : float
        The largest residual norm ``|A v - value v|``: each value is as near as that to an eigenvalue.
    """

    values: np.ndarray
    vectors: np.ndarray
    error: float


class _Basis:
    """Orthonormal vectors, as the first rows of an array that doubles when it is full."""

    def __init__(self, n: int, generator: "np.random.Generator") -> None:
        self.memory, self.count, self.generator = np.empty((8, n)), 0, generator

    @property
    def rows(self) -> np.ndarray:
        return self.memory[: self.count]

    def remove_from(self, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The coefficients of a vector in the basis, and what remains of it.

        Classical Gram-Schmidt, and once more for what rounding has left: "twice is enough" (L. Giraud et al., "The loss
        of orthogonality in the Gram-Schmidt orthogonalization process", 2005).
        """
        first = self.rows @ w
        w = w - first @ self.rows
        second = self.rows @ w
        return first + second, w - second @ self.rows

    def append(self, w: np.ndarray, length: float) -> None:
        if self.count == len(self.memory):
            self.memory = np.concatenate([self.memory, np.empty_like(self.memory)])
        self.memory[self.count] = w / length
        self.count += 1

    def append_random(self) -> None:
        """Add a direction in which nothing is known yet."""
        _, w = self.remove_from(self.generator.standard_normal(self.memory.shape[1]))
        self.append(w, float(np.linalg.norm(w)))


def extreme_eigenpairs(
    product: Callable[[np.ndarray], np.ndarray],
    n: int,
    low: int,
    high: int,
    *,
    tol: float,
    max_products: int,
    generator: "np.random.Generator",
) -> EigenPairs:
    """The smallest and the largest eigenvalues of a symmetric matrix, with their eigenvectors.

    The band Lanczos method with full reorthogonalisation (C. Lanczos, 1950; A. Ruhe, "Implementation aspects of band
    Lanczos algorithms", Mathematics of Computation 33, 1979).  A basis begins with as many random vectors as there are
    eigenvalues wanted at one end.  The matrix is multiplied by one basis vector after the other, and the part of each
    product that is new is appended.  Where a product has no new part the basis has one pending vector less; when none
    is left the space is invariant, and a new random vector goes on in its complement.  The eigenvalues of the matrix
    within the span of the multiplied vectors approach the wanted ones.  One start vector would meet a multiple
    eigenvalue only once; so many vectors meet it as often as it can be wanted.

    Parameters
    ----------
    product : callable
        From a float64 vector of shape (n,) to its product with the matrix.
    n : int
    low, high : int
        How many of the smallest and of the largest; together at most `n`.
    tol : float
        The greatest residual norm, relative to the largest absolute value of an eigenvalue.
    max_products : int
    generator : numpy.random.Generator

    Raises
    ------
    ArgumentError
        If `max_products` are not enough.
    """
    limit, wanted = min(n, max_products), low + high
    basis = _Basis(n, generator)
    for _ in range(max(low, high)):
        basis.append_random()
    columns: list[np.ndarray] = []  # the products, as coefficients in the basis
    scale, next_look = 0.0, wanted
    while True:
        if len(columns) == basis.count:
            basis.append_random()
        w = product(basis.memory[len(columns)])
        scale = max(scale, float(np.linalg.norm(w)))
        coefficients, rest = basis.remove_from(w)
        length = float(np.linalg.norm(rest))
        if length > _NOTHING * scale and basis.count < n:
            basis.append(rest, length)
            coefficients = np.append(coefficients, length)
        columns.append(coefficients)
        done = len(columns)
        if done < min(next_look, limit):
            continue
        next_look = done + max(1, done // 10)  # a look costs the cube of `done`
        matrix = np.zeros((basis.count, done))
        for i, column in enumerate(columns):
            matrix[: column.size, i] = column
        values, mixtures = np.linalg.eigh(matrix[:done])  # which uses the lower triangle
        ends = np.r_[:low, done - high : done]
        values, mixtures = values[ends], mixtures[:, ends]
        error = float(np.linalg.norm(matrix[done:] @ mixtures, axis=0).max())
        if error <= tol * np.abs(values).max():
            return EigenPairs(values, basis.rows[:done].T @ mixtures, error)
        if done == limit:
            raise ArgumentError(
                f"after max_iterations={max_products} products with the Hessian of {n} rows the eigenvalues, from "
                f"{values[0]:.6g} to {values[-1]:.6g}, are known up to {error:.1e}, and tol={tol:.1e} asks for "
                f"{tol * np.abs(values).max():.1e}: pass a larger tol, a smaller k, or more max_iterations"
            )
