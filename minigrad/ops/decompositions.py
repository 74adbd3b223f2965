"""Decompositions of matrices: Cholesky, eigenvalues, QR, singular values.

Eigenvectors and singular vectors are determined only up to a sign, for complex matrices up to a phase, and those of
equal values up to a rotation among them.  A function of them has a derivative if it does not see this freedom: of a
column ``u`` for instance ``abs(u)**2`` or ``outer(u, conj(u))``, and ``U * f(s) @ Vh``.  Of other functions the
gradient is that for vectors which do not turn by themselves, ``u.H @ du = 0``.

Between equal values (within rounding) the rules of the vectors divide by 0.  A function of the values alone has nothing
there to be divided, and its gradient is right; of functions of the vectors it is NaN.  So is a second derivative of a
function of the values: it exists, but depends on what the function is, which no rule of the vectors can know.  (A
matrix whose gradient is exactly 0 is taken for one that was not chosen: its second derivative is not NaN, and lacks
what is between equal values.)

Formulas are from M. Giles, "An extended collection of matrix derivative results for forward and reverse mode
algorithmic differentiation", 2008; M. Seeger et al., "Auto-differentiating linear algebra", 2017; and the papers named
at the rules.  In all of them ``dL = Re(sum(g * dz))``, so there are transposes where texts have conjugate transposes.
"""

from typing import Any, NamedTuple

import numpy as np

from minigrad.core import Array, conjugated, implements, primitive
from minigrad.errors import ArgumentError, UnsupportedError
from minigrad.ops import costs
from minigrad.ops.arguments import settled, unrecorded
from minigrad.ops.kept_zeros import zero_safe_divide, zero_safe_multiply
from minigrad.ops.linalg import matmul, tril, triu
from minigrad.ops.matrices import (
    PRECISION,
    H,
    LinAlgError,
    T,
    converging,
    diagonal_matrix,
    gaps,
    hermitian,
    inverse,
    matrices,
    member,
    on_diagonal,
    pack,
    real_part,
    square,
    unpack,
    wanted,
)
from minigrad.ops.shaping import concat
from minigrad.options import one_of

# Cholesky


def _cholesky_rule(g: Array, y: Array, x: Array) -> Array:
    inv = inverse(y)
    half = T(y) @ g
    half = np.where(on_diagonal(x.shape[-1]), half / 2, np.tril(half))
    return hermitian(T(inv) @ half @ conjugated(inv))


@primitive(_cholesky_rule, kind="decomposition", cost=costs.per_matrix(lambda m, n: n**3 / 3))
def _cholesky(x: Array, /) -> Array:
    x = hermitian(x)
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError as error:
        smallest = np.linalg.eigvalsh(x)[..., 0] if np.isfinite(x).all() else np.min(x.real, axis=(-2, -1))
        which = np.unravel_index(np.argmin(smallest), smallest.shape)
        words = f"its smallest eigenvalue is {smallest[which]:.3g}" if np.isfinite(x).all() else "it is not finite"
        raise LinAlgError(
            f"cholesky of shape {x.shape}: {member(tuple(map(int, which)))} is not positive definite: {words}. If it "
            "should be, and only rounding is against it, add a small multiple of the identity"
        ) from error


@implements(np.linalg.cholesky)
def cholesky(x: Array, /, *, upper: bool = False) -> Array:
    """Cholesky factor: the lower triangular ``L`` with a positive diagonal for which ``x = L @ L.H``.

    Parameters
    ----------
    x : array of shape (..., n, n)
        Hermitian and positive definite.  Its Hermitian part is what is factorized, so that the gradient is Hermitian.
    upper : bool
        Return the upper triangular factor, ``L.H``.

    Returns
    -------
    array of shape (..., n, n)

    Raises
    ------
    LinAlgError
        If a matrix is not positive definite.
    ShapeError
        If the matrices are not square.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.linalg.cholesky(mg.tensor([[4.0, 2.0], [2.0, 2.0]]))
    tensor([[2., 0.],
            [1., 1.]])
    """
    factor = _cholesky(square(x, "cholesky"))
    return H(factor) if upper else factor


# Hermitian matrices


class EighResult(NamedTuple):
    """Eigenvalues, of shape (..., n), in ascending order, and eigenvectors, the columns of shape (..., n, n)."""

    eigenvalues: Any
    eigenvectors: Any


def _divided(x: Array, divisor: Array) -> Array:
    """``x / divisor``, and 0 for a matrix that is exactly 0, so that its derivative too stays 0."""
    idle = ~np.any(x != 0, axis=(-2, -1), keepdims=True)
    return zero_safe_divide(x, np.where(idle & (divisor == 0), 1, divisor))


def _off_diagonal(x: Array) -> Array:
    return np.where(on_diagonal(x.shape[-1]), 0, x)


def _equal(values: Array) -> Array:
    """Which of the values equal another, as a row."""
    return np.any((gaps(values) == 0) & ~on_diagonal(values.shape[-1]), axis=-2, keepdims=True)


def _unless_unknown(h: Array, g: Array, equal: Array) -> Array:
    unknown = (g == 0) & equal & np.any(g != 0, axis=-1, keepdims=True)
    return np.where(unknown, zero_safe_multiply(h, np.nan), h * g)


@primitive(
    lambda h, y, v, g, equal: _unless_unknown(h, g, equal), lambda h, y, v, g, equal: h * v, None, kind="elementwise"
)
def weighed(v: Array, g: Array, equal: Array, /) -> Array:
    """``v * g``, for vectors `v` in columns and the gradient `g` of their values, of which some equal others.

    The derivative by these vectors counts as unknown where `g` is 0, instead of as 0: that would be divided by 0 next,
    and leave no trace.  Only if all of `g` is 0 it is that of a matrix which was not chosen.
    """
    return v * g


def _eigh_rule(g: Array, y: Array, x: Array) -> Array:
    n = x.shape[-1]
    (w, V), (gw, gV) = unpack(y, (n,), (n, n)), unpack(g, (n,), (n, n))
    w = real_part(w)
    turned = conjugated(V) @ _divided(_off_diagonal(T(V) @ gV), gaps(w))
    return hermitian((weighed(conjugated(V), np.expand_dims(gw, -2), _equal(w)) + turned) @ T(V))


@primitive(_eigh_rule, kind="decomposition", cost=costs.per_matrix(lambda m, n: 9 * n**3))
def _eigh(x: Array, /) -> Array:
    with converging("eigh", x):
        w, V = np.linalg.eigh(hermitian(x))
    return pack(x.shape[:-2], w, V)


def eigh(x: Array, /) -> EighResult:
    """Eigenvalues and eigenvectors of Hermitian matrices: ``x @ v[:, i] = w[i] * v[:, i]``.

    Parameters
    ----------
    x : array of shape (..., n, n)
        Hermitian.  Its Hermitian part is what is decomposed, so that the gradient is Hermitian.

    Returns
    -------
    EighResult
        Named tuple of the eigenvalues in ascending order (real, of shape (..., n)), and the eigenvectors as columns.

    Raises
    ------
    LinAlgError
        If a matrix has elements that are NaN or infinite.
    ShapeError
        If the matrices are not square.

    Notes
    -----
    The sign or phase of an eigenvector is arbitrary, so differentiate functions that do not depend on it.  Where
    eigenvalues are equal, gradients of functions of the eigenvalues alone are right, and those of functions of the
    eigenvectors are NaN.  The same holds for second derivatives, of which those of a function of the eigenvalues
    involve the eigenvectors.  J. Magnus, "On differentiating eigenvalues and eigenvectors", 1985.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor([[2.0, 1.0], [1.0, 2.0]], requires_grad=True)
    >>> w, v = mg.linalg.eigh(x)
    >>> w[1].backward()
    >>> x.grad
    tensor([[0.5, 0.5],
            [0.5, 0.5]])
    """
    x = square(x, "eigh")
    n = x.shape[-1]
    w, V = unpack(_eigh(x), (n,), (n, n))
    return EighResult(real_part(w), V)


def _eigvalsh_rule(g: Array, y: Array, x: Array) -> Array:
    """``conj(V) diag(g) V.T``."""
    w, V = np.linalg.eigh(hermitian(x))
    return weighed(conjugated(V), np.expand_dims(g, -2), _equal(w)) @ T(V)


@primitive(_eigvalsh_rule, kind="decomposition", cost=costs.per_matrix(lambda m, n: 4 * n**3 / 3))
def eigvalsh(x: Array, /) -> Array:
    """Eigenvalues of Hermitian matrices, in ascending order.

    Parameters
    ----------
    x : array of shape (..., n, n)
        Hermitian; as for `eigh`, its Hermitian part is what counts.

    Returns
    -------
    array of shape (..., n)
        Real.

    Raises
    ------
    LinAlgError
        If a matrix has elements that are NaN or infinite.
    ShapeError
        If the matrices are not square.

    Notes
    -----
    The gradient is right where eigenvalues are equal, too, for functions that are symmetric in these.  The second
    derivative is NaN there.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.grad(lambda x: mg.sum(mg.linalg.eigvalsh(x) ** 2))(mg.asarray([[1.0, 0.0], [0.0, 1.0]]))
    tensor([[2., 0.],
            [0., 2.]])
    """
    x = square(x, "eigvalsh")
    with converging("eigvalsh", x):
        return np.linalg.eigvalsh(hermitian(x))


def _of_triangle(a: Array, UPLO: str | None) -> Array:
    """The Hermitian matrices of which one triangle is given, as NumPy's functions take them."""
    if UPLO is None:
        return a
    if UPLO.upper() not in ("L", "U"):
        raise ArgumentError(f"UPLO is 'L' or 'U', not {UPLO!r}")
    return tril(a) + H(tril(a, -1)) if UPLO.upper() == "L" else triu(a) + H(triu(a, 1))


@implements(np.linalg.eigh)
def _numpy_eigh(a: Array, UPLO: str | None = None) -> EighResult:
    return eigh(_of_triangle(a, UPLO))


@implements(np.linalg.eigvalsh)
def _numpy_eigvalsh(a: Array, UPLO: str | None = None) -> Array:
    return eigvalsh(_of_triangle(a, UPLO))


# Other square matrices


class EigResult(NamedTuple):
    """Eigenvalues, of shape (..., n), and eigenvectors of length 1, the columns of shape (..., n, n); complex."""

    eigenvalues: Any
    eigenvectors: Any


def _eig_rule(g: Array, y: Array, x: Array) -> Array:
    n = x.shape[-1]
    (w, V), (gw, gV) = unpack(y, (n,), (n, n)), unpack(g, (n,), (n, n))
    P = T(V) @ gV
    # That the vectors keep their length takes away what points along them.
    along = np.sum(np.where(on_diagonal(n), np.real(P), 0), axis=-2, keepdims=True)
    inner = diagonal_matrix(gw) + _divided(_off_diagonal(P - T(V) @ np.conjugate(V) * along), gaps(w))
    return wanted(T(inverse(V)), inner) @ inner @ T(V)


@primitive(_eig_rule, kind="decomposition", cost=costs.per_matrix(lambda m, n: 25 * n**3))
def _eig(x: Array, /) -> Array:
    with converging("eig", x):
        w, V = np.linalg.eig(x)
    return pack(x.shape[:-2], w, V).astype(np.result_type(w, np.complex64), copy=False)


def eig(x: Array, /) -> EigResult:
    """Eigenvalues and eigenvectors of square matrices: ``x @ v[:, i] = w[i] * v[:, i]``.

    Parameters
    ----------
    x : array of shape (..., n, n)

    Returns
    -------
    EigResult
        Named tuple of the eigenvalues (of shape (..., n), in no particular order) and the eigenvectors of length 1, as
        columns.  Always complex; `numpy.linalg.eig` of a Tensor gives real ones where all are real if NumPy does,
        which it did until version 2.5.

    Raises
    ------
    LinAlgError
        If a matrix has elements that are NaN or infinite.
    ShapeError
        If the matrices are not square.

    Notes
    -----
    The phase of an eigenvector is arbitrary, so differentiate functions that do not depend on it.  Equal eigenvalues
    are as for `eigh`, if there are as many eigenvectors.  A matrix with fewer (a defective one) has no derivatives:
    what comes is NaN, inf or very large.  C. Boeddeker et al., "On the computation of complex-valued gradients with
    application to statistically optimum beamforming", 2017.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.linalg.eig(mg.tensor([[0.0, 1.0], [-1.0, 0.0]])).eigenvalues
    tensor([0.+1.j, 0.-1.j])
    """
    x = square(x, "eig")
    n = x.shape[-1]
    return EigResult(*unpack(_eig(x), (n,), (n, n)))


def _eigvals_rule(g: Array, y: Array, x: Array) -> Array:
    """``inv(V).T diag(g) V.T``."""
    V = np.linalg.eig(x)[1]
    g = diagonal_matrix(g)
    return wanted(T(inverse(V)), g) @ g @ T(V)


@primitive(_eigvals_rule, kind="decomposition", cost=costs.per_matrix(lambda m, n: 10 * n**3))
def eigvals(x: Array, /) -> Array:
    """Eigenvalues of square matrices.

    Parameters
    ----------
    x : array of shape (..., n, n)

    Returns
    -------
    array of shape (..., n)
        Complex, in no particular order.

    Raises
    ------
    LinAlgError
        If a matrix has elements that are NaN or infinite.
    ShapeError
        If the matrices are not square.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.linalg.eigvals(mg.tensor([[0.0, 1.0], [-1.0, 0.0]]))
    tensor([0.+1.j, 0.-1.j])
    """
    x = square(x, "eigvals")
    return _eig(x)[..., : x.shape[-1]]  # without the vectors LAPACK might order them otherwise


def are_real(w: Array, x: Array) -> bool:
    """Whether the eigenvalues `w` of a real matrix `x` can be given as real numbers."""
    return x.dtype.kind != "c" and bool(settled(np.all(unrecorded(w) == np.real(unrecorded(w)))))


_NUMPY_GIVES_REAL_ONES = np.linalg.eigvals(np.eye(1)).dtype.kind == "f"  # not since version 2.5


@implements(np.linalg.eig)
def _numpy_eig(a: Array) -> EigResult:
    w, V = eig(a)
    return EigResult(np.real(w), np.real(V)) if _NUMPY_GIVES_REAL_ONES and are_real(w, a) else EigResult(w, V)


@implements(np.linalg.eigvals)
def _numpy_eigvals(a: Array) -> Array:
    w = eigvals(a)
    return np.real(w) if _NUMPY_GIVES_REAL_ONES and are_real(w, a) else w


# QR


class QRResult(NamedTuple):
    """A matrix with orthonormal columns, and an upper triangular one."""

    Q: Any
    R: Any


def _first(Q: Array, gQ: Array, k: int) -> tuple[Array, Array]:
    """The first columns of a basis, and their gradient, to which the others' has been added.

    Of the others only the space is determined that they span.  It turns as the first ones do, the other way.
    """
    if Q.shape[-1] == k:
        return Q, gQ
    turn = T(Q[..., :k]) @ gQ[..., k:]
    return Q[..., :k], gQ[..., :k] - conjugated(Q[..., k:]) @ H(turn)


def _qr_shapes(m: int, n: int, mode: str) -> tuple[tuple[int, int], tuple[int, int]]:
    k = m if mode == "complete" else n
    return (m, k), (k, n)


def _qr_rule(g: Array, y: Array, x: Array, mode: str) -> Array:
    m, n = x.shape[-2:]
    shapes = _qr_shapes(m, n, mode)
    (Q, R), (gQ, gR) = unpack(y, *shapes), unpack(g, *shapes)
    Q, gQ = _first(Q, gQ, n)
    R, gR = R[..., :n, :], gR[..., :n, :]
    upper = np.triu(gR @ T(R) - T(Q) @ gQ)
    left = gQ + conjugated(Q) @ np.where(on_diagonal(n), real_part(upper), upper + H(upper))
    return left @ wanted(np.where(_dependent(R), np.nan, T(inverse(R))), left)


def _dependent(R: Array) -> Array:
    """Whether a column is within rounding a combination of those before it."""
    size = np.abs(R)
    rest = np.sum(np.where(on_diagonal(R.shape[-1]), size, 0), axis=-2, keepdims=True)
    rounding = R.shape[-1] * PRECISION[R.dtype.char] * np.sum(size, axis=-2, keepdims=True)
    return np.any(rest <= rounding, axis=-1, keepdims=True)


# S. Walter and L. Lehmann, "Algorithmic differentiation of linear algebra functions with application in optimum
# experimental design", 2010.
@primitive(
    lambda g, y, x, *, mode: _qr_rule(g, y, x, mode), kind="decomposition", cost=costs.per_matrix(costs.qr, "mode")
)
def _qr(x: Array, /, *, mode: str) -> Array:
    return pack(x.shape[:-2], *np.linalg.qr(x, mode))  # type: ignore[call-overload]


def qr(x: Array, /, *, mode: str = "reduced") -> QRResult:
    """QR decomposition: ``x = Q @ R``, with orthonormal columns in Q and an upper triangular R.

    Parameters
    ----------
    x : array of shape (..., m, n)
    mode : {"reduced", "complete"}
        Whether Q has ``min(m, n)`` columns or `m`.

    Returns
    -------
    QRResult
        Named tuple of Q, of shape (..., m, k), and R, of shape (..., k, n).

    Raises
    ------
    ArgumentError
        If there is no such mode.
    ShapeError
        If `x` has fewer than two axes.

    Notes
    -----
    The derivative exists if the first ``min(m, n)`` columns are linearly independent, and is NaN otherwise.  Of a
    complete Q the columns beyond these are determined only up to a rotation, so differentiate functions that do not
    depend on it.

    Examples
    --------
    >>> import minigrad as mg
    >>> q, r = mg.linalg.qr(mg.tensor([[3.0, 1.0], [4.0, 2.0]]))
    >>> r
    tensor([[-5. , -2.2],
            [ 0. ,  0.4]])
    """
    x = matrices(x, "qr")
    one_of(mode, "qr: mode", ("reduced", "complete"))
    m, n = x.shape[-2:]
    if m < n:  # the first columns determine Q
        Q, R = qr(x[..., :m])
        return QRResult(Q, concat([R, matmul(H(Q), x[..., m:])], axis=-1))
    return QRResult(*unpack(_qr(x, mode=mode), *_qr_shapes(m, n, mode)))


@implements(np.linalg.qr)
def _numpy_qr(a: Array, mode: str = "reduced") -> Any:
    if mode == "raw":
        raise UnsupportedError("numpy.linalg.qr of a Tensor has no mode 'raw'; there are: reduced, complete, r")
    return qr(a).R if mode == "r" else qr(a, mode=mode)


# Singular values


class SVDResult(NamedTuple):
    """Left singular vectors as columns, singular values in descending order, right singular vectors as rows."""

    U: Any
    S: Any
    Vh: Any


def _svd_shapes(shape: tuple[int, ...], full: bool) -> tuple[tuple[int, int], tuple[int], tuple[int, int]]:
    m, n = shape[-2:]
    k = min(m, n)
    return (m, m if full else k), (k,), (n if full else k, n)


def _singular_vectors(U: Array, gU: Array, s: Array) -> tuple[Array, Array, Array, Array]:
    """The first singular vectors of one side, the product of these with their gradient, and two parts of a rule.

    They are what the gradient says within the space of the vectors, and what it says outside.
    """
    m, k = U.shape[-2], s.shape[-1]
    U, gU = _first(U, gU, k)
    P = T(U) @ gU
    apart = _divided(_off_diagonal(P), gaps(s) * (np.expand_dims(s, -1) + np.expand_dims(s, -2)))
    outside = _divided(gU - conjugated(U) @ P, np.expand_dims(s, -2)) if m > k else np.zeros_like(U)
    return U, P, (apart + H(apart)) * np.expand_dims(s, -2), outside


def _undetermined(s: Array, shape: tuple[int, ...]) -> Array:
    """Of which singular values the vectors may turn: those that equal another, and 0 if the matrix is not square."""
    zero = np.expand_dims(s, -2) == 0
    return _equal(s) | zero if shape[-1] != shape[-2] else _equal(s)


def _svd_rule(g: Array, y: Array, x: Array, full_matrices: bool) -> Array:
    shapes = _svd_shapes(x.shape, full_matrices)
    (U, s, Vh), (gU, gs, gVh) = unpack(y, *shapes), unpack(g, *shapes)
    s = real_part(s)
    U, P, left, outside_left = _singular_vectors(U, gU, s)
    W, _, right, outside_right = _singular_vectors(T(Vh), T(gVh), s)
    values = np.expand_dims(gs, -2)
    if x.dtype.kind == "c":  # a phase that U and Vh do not share
        phase = np.sum(np.where(on_diagonal(s.shape[-1]), np.imag(P), 0), axis=-2, keepdims=True)
        values = values + _divided(phase, np.expand_dims(s, -2)) * 1j
    straight = weighed(conjugated(U), values, _undetermined(s, x.shape))
    turned = conjugated(U) @ (left + T(right)) + outside_left
    return (straight + turned) @ H(W) + conjugated(U) @ T(outside_right)


# J. Townsend, "Differentiating the singular value decomposition", 2016; for complex matrices Z.-Q. Wan and
# S.-X. Zhang, "Automatic differentiation for complex valued SVD", 2019.
@primitive(
    lambda g, y, x, *, full_matrices: _svd_rule(g, y, x, full_matrices),
    kind="decomposition",
    cost=costs.per_matrix(costs.svd, "full_matrices"),
)
def _svd(x: Array, /, *, full_matrices: bool) -> Array:
    with converging("svd", x):
        return pack(x.shape[:-2], *np.linalg.svd(x, full_matrices=full_matrices))


def svd(x: Array, /, *, full_matrices: bool = True) -> SVDResult:
    """Singular value decomposition: ``x = U @ diag(S) @ Vh``.

    Parameters
    ----------
    x : array of shape (..., m, n)
    full_matrices : bool
        Whether U and Vh shall be square; else they have ``k = min(m, n)`` columns and rows.

    Returns
    -------
    SVDResult
        Named tuple of the left singular vectors as columns, the singular values in descending order (real, of shape
        (..., k)), and the right singular vectors as rows, conjugated.

    Raises
    ------
    LinAlgError
        If a matrix has elements that are NaN or infinite.
    ShapeError
        If `x` has fewer than two axes.

    Notes
    -----
    Singular vectors are determined up to a common sign or phase of each pair, and those beyond the first `k` up to a
    rotation, so differentiate functions that do not depend on that.  Where singular values are equal, gradients of
    functions of the singular values alone are right, and those of functions of the vectors are NaN.  The same holds for
    second derivatives, of which those of a function of the singular values involve the vectors.  At a singular value 0
    the gradient is one of the two that its kink has.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor([[3.0, 0.0], [0.0, 2.0]], requires_grad=True)
    >>> u, s, vh = mg.linalg.svd(x)
    >>> s.sum().backward()
    >>> x.grad
    tensor([[1., 0.],
            [0., 1.]])
    """
    x = matrices(x, "svd")
    U, s, Vh = unpack(_svd(x, full_matrices=full_matrices), *_svd_shapes(x.shape, full_matrices))
    return SVDResult(U, real_part(s), Vh)


def _svdvals_rule(g: Array, y: Array, x: Array) -> Array:
    """``conj(U) diag(g) conj(Vh)``."""
    U, s, Vh = np.linalg.svd(x, full_matrices=False)
    return weighed(conjugated(U), np.expand_dims(g, -2), _undetermined(s, x.shape)) @ conjugated(Vh)


@primitive(_svdvals_rule, numpy=np.linalg.svdvals, kind="decomposition", cost=costs.per_matrix(costs.svdvals))
def svdvals(x: Array, /) -> Array:
    """Singular values of matrices, in descending order.

    Parameters
    ----------
    x : array of shape (..., m, n)

    Returns
    -------
    array of shape (..., min(m, n))
        Real.

    Raises
    ------
    LinAlgError
        If a matrix has elements that are NaN or infinite.
    ShapeError
        If `x` has fewer than two axes.

    Notes
    -----
    The gradient is right where singular values are equal, too, for functions that are symmetric in these.  The second
    derivative is NaN there.  At 0 the gradient is one of the two that the kink has.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.linalg.svdvals(mg.tensor([[3.0, 0.0], [0.0, -2.0]]))
    tensor([3., 2.])
    """
    x = matrices(x, "svdvals")
    with converging("svdvals", x):
        return np.linalg.svd(x, compute_uv=False)


@implements(np.linalg.svd)
def _numpy_svd(a: Array, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    # That a matrix is Hermitian changes how NumPy computes its decomposition, not what it is.
    return svd(a, full_matrices=full_matrices) if compute_uv else svdvals(a)
