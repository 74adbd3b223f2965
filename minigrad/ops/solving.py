"""Linear equations: solutions, inverses, powers, determinants, ranks.

Formulas are from M. Giles, "An extended collection of matrix derivative results for forward and reverse mode
algorithmic differentiation", 2008.  In all of them ``dL = Re(sum(g * dz))``, so there are transposes where texts have
conjugate transposes.
"""

import math
import operator
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.core import Array, Handle, conjugated, implements, primitive
from minigrad.errors import ShapeError
from minigrad.ops import costs
from minigrad.ops.arguments import settled, unrecorded
from minigrad.ops.elementwise import abs, where
from minigrad.ops.elementwise import square as squared
from minigrad.ops.linalg import diagonal, matmul, triu
from minigrad.ops.matrices import H, T, inverse, inverse_rule, matrices, real_part, singular, square, wanted
from minigrad.ops.reductions import cumulative_sum, sum
from minigrad.ops.shaping import flip, moveaxis, reshape

# Equations


def _solve_rule(g: Array, y: Array, a: Array, b: Array) -> tuple[Array, Array]:
    """Of `b` ``gb = solve(a.T, g)``, and of `a` ``-gb @ y.T``."""
    if b.ndim == 1:
        g, y = np.expand_dims(g, -1), np.expand_dims(y, -1)
    gb = np.linalg.solve(T(a), g)
    return -(gb @ T(y)), np.squeeze(gb, -1) if b.ndim == 1 else gb


def _cost_of_solving(args: Sequence[Any], y: Any, how: Mapping[str, Any]) -> float:
    a = np.shape(args[0])
    return float(math.prod(a[:-2]) * 2 * a[-1] ** 3 / 3 + 2 * a[-1] * y.size)


@primitive(
    joint=lambda g, y, a, b: _solve_rule(g, y, a, b), numpy=np.linalg.solve, kind="decomposition", cost=_cost_of_solving
)
def solve(a: Array, b: Array, /) -> Array:
    """The `x` for which ``a @ x = b``.

    Parameters
    ----------
    a : array of shape (..., n, n)
    b : array of shape (n,) or (..., n, k)
        One right-hand side, or a stack of matrices whose columns are right-hand sides.

    Returns
    -------
    array of shape (..., n) or (..., n, k)

    Raises
    ------
    LinAlgError
        If a matrix is singular.
    ShapeError
        If the matrices are not square, or the shapes do not fit.

    Examples
    --------
    >>> import minigrad as mg
    >>> a = mg.tensor([[2.0, 0.0], [0.0, 4.0]], requires_grad=True)
    >>> x = mg.linalg.solve(a, mg.tensor([2.0, 2.0]))
    >>> x
    tensor([1. , 0.5], op=solve)
    """
    a = square(a, "solve")
    rows = np.shape(b)[-2 if np.ndim(b) > 1 else -1] if np.ndim(b) else None
    if rows != a.shape[-1]:
        raise ShapeError(
            f"solve of shapes {a.shape} and {np.shape(b)}: the right-hand side needs {a.shape[-1]} rows, and "
            f"has {rows or 'none'} (with one axis it is a vector, with more a stack of matrices)"
        )
    with singular("solve", a, b):
        return np.linalg.solve(a, b)


@primitive(
    lambda g, y, x: inverse_rule(g, y),
    numpy=np.linalg.inv,
    kind="decomposition",
    cost=costs.per_matrix(lambda m, n: 2 * n**3),
)
def inv(x: Array, /) -> Array:
    """Inverse of square matrices.

    Parameters
    ----------
    x : array of shape (..., n, n)

    Returns
    -------
    array of shape (..., n, n)

    Raises
    ------
    LinAlgError
        If a matrix is singular.
    ShapeError
        If the matrices are not square.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.linalg.inv(mg.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5 , 0.  ],
            [0.  , 0.25]])
    """
    x = square(x, "inv")
    with singular("inv", x):
        return np.linalg.inv(x)


@implements(np.linalg.matrix_power)
def matrix_power(x: Array, n: int, /) -> Array:
    """The product of `n` equal factors; of inverses if `n` is negative.

    Parameters
    ----------
    x : array of shape (..., m, m)
    n : int
        The power 0 is the identity, with the derivative 0.

    Returns
    -------
    array of shape (..., m, m)

    Raises
    ------
    LinAlgError
        If `n` is negative and a matrix singular.
    ShapeError
        If the matrices are not square.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.linalg.matrix_power(mg.tensor([[1.0, 1.0], [0.0, 1.0]]), 5)
    tensor([[1., 5.],
            [0., 1.]])
    """
    x, n = square(x, "matrix_power"), operator.index(n)
    if n == 0:
        return where(np.True_, np.eye(x.shape[-1], dtype=x.dtype), x)
    if n < 0:
        x, n = inv(x), -n
    power = None
    while n:
        if n % 2:
            power = x if power is None else matmul(power, x)
        n //= 2
        x = matmul(x, x) if n else x
    return power


@implements(np.linalg.tensorsolve)
def tensorsolve(a: Array, b: Array, axes: Sequence[int] | None = None) -> Array:
    """The `x` for which ``tensordot(a, x, x.ndim) = b``, as in `numpy.linalg.tensorsolve`.

    Parameters
    ----------
    a : array
        Of the shape of `b` followed by that of `x`, with as many elements in the one as in the other.
    b : array
    axes : sequence of int, optional
        Axes of `a` to be moved to its end first.

    Raises
    ------
    LinAlgError
        If the equations have no unique solution.
    ShapeError
        If there are not as many equations as unknowns.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.linalg.tensorsolve(np.eye(4).reshape(2, 2, 2, 2), mg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[1., 2.],
            [3., 4.]])
    """
    if axes is not None:
        a = moveaxis(a, tuple(axes), tuple(range(np.ndim(a) - len(axes), np.ndim(a))))
    unknowns = np.shape(a)[np.ndim(b) :]
    if np.size(a) != np.size(b) ** 2 or int(np.prod(unknowns)) != np.size(b):
        raise ShapeError(f"tensorsolve of shapes {np.shape(a)} and {np.shape(b)} needs as many equations as unknowns")
    return reshape(solve(reshape(a, (np.size(b), np.size(b))), reshape(b, -1)), unknowns)


@implements(np.linalg.tensorinv)
def tensorinv(a: Array, ind: int = 2) -> Array:
    """The inverse of ``x -> tensordot(a, x, ind)``, as in `numpy.linalg.tensorinv`.

    Parameters
    ----------
    a : array
        Its first `ind` axes have together as many elements as the others.
    ind : int

    Raises
    ------
    LinAlgError
        If there is no inverse.
    ShapeError
        If the two groups of axes are not equally large.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.linalg.tensorinv(mg.tensor(2 * np.eye(4).reshape(4, 2, 2)), ind=1).shape
    (2, 2, 4)
    """
    shape = np.shape(a)
    n = int(np.prod(shape[:ind]))
    if not 0 < ind < len(shape) or n != int(np.prod(shape[ind:])):
        raise ShapeError(f"tensorinv of shape {shape}: the first {ind} axes must have as many elements as the others")
    return reshape(inv(reshape(a, (n, n))), (*shape[ind:], *shape[:ind]))


# Equations without a solution, or with many


def _pinv_rule(g: Array, y: Array, x: Array) -> Array:
    left, right = x @ y, y @ x  # projections, if the matrix has the rank that was found
    gt = T(g)
    across = (gt - left @ gt) @ y @ H(y) + H(y) @ y @ (gt - gt @ right)
    return conjugated(across) - T(y) @ g @ T(y)


def _cutoff(x: Array, rtol: Any) -> Any:
    """What part of the largest singular value counts as 0."""
    return max(x.shape[-2:]) * np.finfo(np.result_type(x, np.float32)).eps if rtol is None else rtol


@primitive(
    lambda g, y, x, *, rtol: _pinv_rule(g, y, x),
    kind="decomposition",
    cost=costs.per_matrix(lambda m, n: costs.svd(m, n, False) + 2 * m * n * min(m, n)),
)
def pinv(x: Array, /, *, rtol: Any = None) -> Array:
    """Pseudo-inverse of matrices, after Moore and Penrose.

    Parameters
    ----------
    x : array of shape (..., m, n)
    rtol : float, or array of shape (...), optional
        Singular values up to this part of the largest one count as 0.  By default ``max(m, n)`` times the precision of
        the dtype.

    Returns
    -------
    array of shape (..., n, m)

    Raises
    ------
    ShapeError
        If `x` has fewer than two axes.

    Notes
    -----
    The derivative is that among matrices of the same rank; where the rank changes there is none.  G. Golub and
    V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose variables separate",
    1973.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.linalg.pinv(mg.tensor([[2.0, 0.0], [0.0, 0.0]]))
    tensor([[0.5, 0. ],
            [0. , 0. ]])
    """
    x = matrices(x, "pinv")
    return np.linalg.pinv(x, rtol=_cutoff(x, rtol))


@implements(np.linalg.pinv)
def _numpy_pinv(a: Array, rcond: Any = None, hermitian: bool = False, *, rtol: Any = 1e-15) -> Array:
    return pinv(a, rtol=rtol if rcond is None else rcond)


class LstsqResult(NamedTuple):
    """A solution, its squared residuals, the rank of the matrix, and its singular values."""

    solution: Any
    residuals: Any
    rank: Any
    singular_values: Any


@implements(np.linalg.lstsq)
def lstsq(a: Array, b: Array, rcond: Any = None) -> LstsqResult:
    """The `x` for which the columns of ``a @ x - b`` are shortest, as in `numpy.linalg.lstsq`, for stacks too.

    Parameters
    ----------
    a : array of shape (..., m, n)
    b : array of shape (m,) or (..., m, k)
    rcond : float, optional
        Singular values up to this part of the largest one count as 0.  By default ``max(m, n)`` times the precision of
        the dtype.

    Returns
    -------
    LstsqResult
        Named tuple of the solution, of shape (..., n) or (..., n, k), and the shortest one if there are many; the
        squared lengths of the columns of ``a @ x - b``, of shape (..., 1) or (..., k), or (0,) if ``m <= n`` or some
        rank is below `n`; the rank of `a`, of shape (...), and its singular values.

    Raises
    ------
    ShapeError
        If the shapes do not fit.

    Notes
    -----
    The derivative is that of `pinv`.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> x = np.array([0.0, 1.0, 2.0])
    >>> y = mg.tensor([1.0, 3.0, 5.0], requires_grad=True)
    >>> line = np.linalg.lstsq(np.stack([x, np.ones(3)], axis=1), y)[0]
    >>> np.round(line.detach().numpy(), 12)
    array([2., 1.])
    """
    a = matrices(a, "lstsq")
    vector = np.ndim(b) == 1
    if np.ndim(b) == 0 or np.shape(b)[-1 if vector else -2] != a.shape[-2]:
        raise ShapeError(f"lstsq of shapes {a.shape} and {np.shape(b)}: both must have as many rows")
    columns = reshape(b, (-1, 1)) if vector else b
    m, n = a.shape[-2:]
    s = np.linalg.svdvals(a)
    rank = matrix_rank(a, rtol=rcond)
    x = matmul(pinv(a, rtol=rcond), columns)
    if m <= n or settled(np.any(rank < n)):
        residuals = real_part(reshape(x, -1)[:0])
    else:
        residuals = sum(squared(abs(matmul(a, x) - columns)), axis=-2)
    return LstsqResult(np.squeeze(x, -1) if vector else x, residuals, rank, s)


@primitive(kind="decomposition", cost=costs.per_matrix(costs.svdvals))
def matrix_rank(x: Array, /, *, rtol: Any = None) -> Array:
    """How many singular values of each matrix are not 0; it has no derivative.

    Parameters
    ----------
    x : array of shape (..., m, n)
    rtol : float, or array of shape (...), optional
        Singular values up to this part of the largest one count as 0.  By default ``max(m, n)`` times the precision of
        the dtype.

    Returns
    -------
    array of shape (...), of integers

    Raises
    ------
    ShapeError
        If `x` has fewer than two axes.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.linalg.matrix_rank(mg.tensor([[1.0, 2.0], [2.0, 4.0]]))
    tensor(1)
    """
    x = matrices(x, "matrix_rank")
    s = np.linalg.svd(x, compute_uv=False)
    largest = np.max(s, axis=-1, keepdims=True, initial=0)
    return np.asarray(np.count_nonzero(s > largest * np.expand_dims(_cutoff(x, rtol), -1), axis=-1))[()]


@implements(np.linalg.matrix_rank)
def _numpy_matrix_rank(A: Array, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Array:
    if A.ndim < 2:
        return np.any(A != 0) + 0
    if tol is None:
        return matrix_rank(A, rtol=rtol)
    return np.count_nonzero(np.linalg.svdvals(A) > np.expand_dims(np.array(tol), -1), axis=-1)


# Determinants


class SlogdetResult(NamedTuple):
    """The sign of the determinant, and the natural logarithm of its absolute value."""

    sign: Any
    logabsdet: Any


def _slogdet_rule(g: Array, y: Array, x: Array) -> Array:
    along = g[..., 1]
    if x.dtype.kind == "c":  # the sign moves on a circle
        along = along + np.imag(g[..., 0] * y[..., 0]) * 1j
    along = np.expand_dims(along, (-2, -1))
    return along * wanted(T(inverse(x)), along)


@primitive(_slogdet_rule, kind="decomposition", cost=costs.per_matrix(lambda m, n: 2 * n**3 / 3))
def _slogdet(x: Array, /) -> Array:
    sign, logabsdet = np.linalg.slogdet(x)
    return np.stack([sign, logabsdet], axis=-1)


@implements(np.linalg.slogdet)
def slogdet(x: Array, /) -> SlogdetResult:
    """Sign and logarithm of determinants, which neither overflow nor underflow.

    Parameters
    ----------
    x : array of shape (..., n, n)

    Returns
    -------
    SlogdetResult
        Named tuple of the sign (-1, 0 or 1; of complex matrices a number on the unit circle, or 0) and the natural
        logarithm of the absolute value (real; -inf for a singular matrix), both of shape (...).

    Raises
    ------
    ShapeError
        If the matrices are not square.

    Notes
    -----
    The derivative is NaN for a singular matrix.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor([[2.0, 0.0], [0.0, 4.0]], requires_grad=True)
    >>> mg.linalg.slogdet(x).logabsdet.backward()
    >>> x.grad
    tensor([[0.5 , 0.  ],
            [0.  , 0.25]])
    """
    both = _slogdet(square(x, "slogdet"))
    return SlogdetResult(both[..., 0], real_part(both[..., 1]))


@primitive(
    lambda g, y, x: np.expand_dims(g * y, (-2, -1)) * T(inverse(x)),
    kind="decomposition",
    cost=costs.per_matrix(lambda m, n: 2 * n**3 / 3),
)
def _det(x: Array, /) -> Array:
    return np.linalg.det(x)


@implements(np.linalg.det)
def det(x: Array, /) -> Array:
    """Determinants of square matrices.

    Parameters
    ----------
    x : array of shape (..., n, n)

    Returns
    -------
    array of shape (...)

    Raises
    ------
    ShapeError
        If the matrices are not square.

    Notes
    -----
    A determinant is a polynomial of the elements, and has derivatives of every order at singular matrices too.  The
    first is the matrix of cofactors.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> x = mg.tensor([[1.0, 2.0], [2.0, 4.0]], requires_grad=True)
    >>> mg.linalg.det(x).backward()
    >>> np.round(x.grad.numpy(), 12)
    array([[ 4., -2.],
           [-2.,  1.]])
    """
    x = square(x, "det")
    if not isinstance(x, Handle) or x.node is None:
        return _det(x)
    corank = int(settled(_corank(x)))
    return _det_beside_zero(x, corank) if corank else _det(x)


@primitive(cost=1)
def _corank(x: Array, /) -> Array:
    """The number of singular values that may be called small, of the matrix that has the most of them."""
    if not x.size or not np.isfinite(x).all():
        return np.intp(0)
    enough = np.finfo(x.dtype).eps ** (1 / 3)  # then second derivatives by means of the inverse are good to two thirds
    inverses = inverse(x)
    if np.all(np.linalg.norm(x, axis=(-2, -1)) * np.linalg.norm(inverses, axis=(-2, -1)) < 1 / enough):
        return np.intp(0)
    s = np.linalg.svd(x, compute_uv=False)
    return np.max(np.count_nonzero(s <= enough * s[..., :1], axis=-1))


def _det_beside_zero(x: Array, corank: int) -> Array:
    """The determinant as that of a regular block, times that of what the others leave (the Schur complement).

    The blocks are those between the singular vectors of large and of small singular values, which are constants here.
    """
    U, _, Vh = np.linalg.svd(unrecorded(x))
    k = x.shape[-1] - corank
    turned = matmul(matmul(H(U), x), H(Vh))
    a, b, c, d = turned[..., :k, :k], turned[..., :k, k:], turned[..., k:, :k], turned[..., k:, k:]
    rest = d - matmul(c, solve(a, b))
    return np.linalg.det(U) * np.linalg.det(Vh) * _det(a) * _det_without_division(rest)


def _det_without_division(x: Array) -> Array:
    """By R. Bird, "A simple division-free algorithm for computing determinants", 2011."""
    f = x
    for _ in range(x.shape[-1] - 1):
        trailing = flip(cumulative_sum(flip(diagonal(f, 0, -2, -1), axis=-1), axis=-1), axis=-1)
        below = np.concatenate([trailing[..., 1:], np.zeros_like(trailing[..., :1])], axis=-1)
        f = matmul(triu(f, 1) - where(np.eye(x.shape[-1], dtype=bool), np.expand_dims(below, -1), 0), x)
    return f[..., 0, 0] if x.shape[-1] % 2 else -f[..., 0, 0]
