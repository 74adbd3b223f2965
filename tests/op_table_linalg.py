"""The rows of linear algebra."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg as sl
from scipy import sparse

import minigrad as mg
from minigrad import linalg
from minigrad.ops import decompositions, exponential, matrices
from minigrad.ops import linalg as products
from minigrad.ops import sparse as products_with_sparse
from tests.needs import numpy_before
from tests.op_table import DIAGONALS, A, packed, row, s, spelling

# Operands for which functions are defined, made of any; these expressions serve for arrays and for Tensors


def same(x: Any) -> Any:
    return x


def H(x: Any) -> Any:
    return np.conjugate(np.swapaxes(x, -1, -2))


def hermitian(x: Any) -> Any:
    return (x + H(x)) / 2


def positive(x: Any) -> Any:
    return x @ H(x) + np.eye(x.shape[-1])


def dominant(x: Any) -> Any:
    return x + 3 * np.eye(x.shape[-1])


def apart(x: Any) -> Any:
    """Matrices whose eigenvalues are not close."""
    return x + np.diag(3.0 * np.arange(x.shape[-1]))


def rank_one(x: Any) -> Any:
    return x[..., :, :1] * x[..., :1, :]


def matrix_row(
    name: str,
    *samples: Any,
    make: Any = same,
    seen: Any = same,
    variant: str = "",
    complex: bool = True,
    **options: Any,
) -> None:
    """A row for a function that NumPy has under the same name.

    It is called with a matrix that is made of the first operand, and its results are looked at through a function.
    """

    def composed(function: Callable[..., Any]) -> Any:
        return spelling(function, lambda x, *rest, **params: seen(function(make(x), *rest, **params)))

    ours, theirs = composed(getattr(linalg, name)), composed(getattr(np.linalg, name))
    row(ours, theirs, *samples, name=name + variant, complex=complex, **options)


SQUARE = [s((3, 3)), s((2, 2, 2)), s((1, 1)), s((2, 1, 1, 1)), s((0, 0)), s((0, 2, 2))]
OBLONG = [s((3, 2)), s((2, 3)), s((2, 2, 1)), s((1, 3)), s((0, 2)), s((2, 0)), s((0, 2, 3)), s((2, 2))]

# Products


def numpy_cross(x: Any, y: Any, axis: int = -1) -> Any:
    return np.cross(x, y, axis=axis)


CROSS = [
    s((3,), (3,)), s((2, 3), (3,)), s((2, 1, 3), (2, 3)), s((3, 2), (3, 2), axis=0), s((3, 2), (3, 1), axis=-2),
    s((0, 3), (0, 3)),
]  # fmt: skip
row(linalg.cross, np.linalg.cross, *CROSS, complex=True)
row(products.cross, spelling(np.cross, numpy_cross), *CROSS, name="cross (of NumPy)", complex=True)
row(np.cross, np.cross, s((3, 2), (2, 3), axisa=0, axisc=0), s((3,), (3,), -1, 0), name="numpy.cross")
row(
    linalg.kron, np.kron,
    s((2, 2), (2, 3)), s((3,), (2,)), s((2,), (2, 2)), s((2, 2, 1), (2,)), s((), (2, 2)), s((2, 0), (2, 2)), s((), ()),
    complex=True,
)  # fmt: skip
row(
    packed(linalg.multi_dot), packed(np.linalg.multi_dot),
    s((2, 3), (3, 2)), s((2, 3), (3, 4), (4, 1)), s((3,), (3, 2), (2, 2), (2,)), s((3,), (3, 2)),
    s((2, 3), (3, 1), (1,)), s((3,), (3,)), s((1, 2), (2, 0), (0, 3)), complex=True,
)  # fmt: skip
row(linalg.matmul, np.linalg.matmul, s((2, 3), (3, 2)), name="linalg.matmul", complex=True)
row(linalg.tensordot, np.linalg.tensordot, s((2, 3), (3, 2), axes=1), name="linalg.tensordot", complex=True)
row(linalg.vecdot, np.linalg.vecdot, s((2, 3), (2, 3)), s((2, 3), (2, 1), axis=0), name="linalg.vecdot", complex=True)
row(linalg.outer, np.linalg.outer, s((2,), (3,)), s((0,), (3,)), name="linalg.outer", complex=True)
row(
    linalg.matrix_transpose, np.linalg.matrix_transpose,
    s((2, 3)), s((2, 3, 1)), name="linalg.matrix_transpose", complex=True,
)  # fmt: skip
PARTS = [s((3, 3)), s((2, 3), offset=1), s((2, 3, 2), offset=-1), s((2, 2), offset=5), s((0, 3)), s((2, 0, 3))]
row(linalg.diagonal, np.linalg.diagonal, *PARTS, name="linalg.diagonal", complex=True)
row(linalg.trace, np.linalg.trace, *PARTS, s((3, 3), dtype=np.float64), name="linalg.trace", complex=True)
row(mg.trace, np.trace, DIAGONALS[0], s((3, 3), dtype=np.float64), name="trace (dtype)")

# Equations


def solve(function: Callable[..., Any]) -> Any:
    return spelling(function, lambda a, b: function(dominant(a), b))


row(
    solve(linalg.solve), solve(np.linalg.solve),
    s((3, 3), (3,)), s((3, 3), (3, 2)), s((2, 3, 3), (3, 1)), s((2, 1, 2, 2), (3, 2, 1)), s((2, 3, 3), (3,)),
    s((2, 2), (2, 2, 3)), s((1, 1), (1,)), s((2, 2), (2, 0)), s((0, 0), (0, 2)), s((0, 0), (0,)), s((0, 2, 2), (2,)),
    s((2, 2), np.array([1, 2])), name="solve", complex=True,
)  # fmt: skip


def triangular(module: Any) -> Any:
    return spelling(module.solve_triangular, lambda a, b, **kw: module.solve_triangular(dominant(a), b, **kw))


row(
    triangular(linalg), triangular(sl),
    s((3, 3), (3,)), s((3, 3), (3, 2), lower=True), s((3, 3), (3, 2), trans=1), s((2, 2), (2,), trans="T", lower=True),
    s((3, 3), (3,), trans="C"), s((3, 3), (3, 1), unit_diagonal=True), s((3, 3), (3,), unit_diagonal=True, lower=True),
    s((1, 1), (1,)), name="solve_triangular", complex=True,
)  # fmt: skip
row(
    lambda a, b, lower: linalg.cho_solve(linalg.cho_factor(positive(a), lower), b),
    lambda a, b, lower: sl.cho_solve(sl.cho_factor(positive(a), lower), b),
    *(s((n, n), b, lower) for n, b in [(3, (3,)), (3, (3, 2)), (1, (1,))] for lower in (False, True)),
    name="cho_solve", complex=True,
)  # fmt: skip
matrix_row("inv", *SQUARE, make=dominant)
row(
    decompositions.weighed, lambda v, g, equal: v * g,
    s((3, 3), (1, 3), np.array([[True, True, False]])), s((2, 2, 2), (2, 1, 2), np.array([[[False, True]]])),
    complex=True,
)  # fmt: skip
row(
    lambda x: matrices.inverse(dominant(x)), lambda x: np.linalg.inv(dominant(x)), *SQUARE,
    name="inverse", complex=True,
)  # fmt: skip
POWERS = [s((2, 2), n) for n in (0, 1, 2, 3, 5, -1, -2)]
matrix_row("matrix_power", *POWERS, s((2, 2, 2), 3), s((0, 0), 2), make=dominant)


def tensors(function: Callable[..., Any]) -> Any:
    return spelling(function, lambda a, *b, **kw: function(a + 3 * np.reshape(np.eye(4), a.shape), *b, **kw))


row(
    tensors(linalg.tensorsolve), tensors(np.linalg.tensorsolve),
    s((2, 2, 2, 2), (2, 2)), s((4, 2, 2), (4,)), s((2, 2, 4), (4,), axes=(0, 1)), name="tensorsolve", complex=True,
)  # fmt: skip
row(
    tensors(linalg.tensorinv), tensors(np.linalg.tensorinv),
    s((2, 2, 2, 2)), s((4, 2, 2), ind=1), name="tensorinv", complex=True,
)  # fmt: skip

matrix_row("pinv", *OBLONG, s((3, 3), rtol=1e-10), s((2, 2, 1), rtol=np.array([1e-10, 1e-12])))
matrix_row("pinv", *(s(x, rtol=1e-5) for x in [(3, 3), (3, 2), (2, 2, 3)]), make=rank_one, variant=" (rank 1)")


def of_lstsq(result: Any) -> Any:
    x, residuals, rank, s = result
    return x, residuals, rank + 0.0, s  # whose rank is an int32 in NumPy, elsewhere an int64


LEAST = [s((4, 2), (4,)), s((3, 2), (3, 2)), s((2, 3), (2,)), s((2, 3), (2, 2)), s((2, 2), (2,)), s((3, 1), (3, 1))]
matrix_row("lstsq", *LEAST, seen=of_lstsq)
matrix_row(
    "lstsq", *(s(*x, rcond=1e-5) for x, _ in LEAST[:3]), make=rank_one, seen=lambda result: result[0],
    variant=" (rank 1)",
)  # fmt: skip
row(
    lambda a, b: linalg.lstsq(a, b)[:2], lambda a, b: (x := np.linalg.pinv(a) @ b, np.sum(abs(a @ x - b) ** 2, -2)),
    s((2, 3, 2), (2, 3, 1)), s((3, 2), (2, 3, 1)), s((2, 3, 1), (3, 2)), name="lstsq (stacks)", complex=True,
)  # fmt: skip
WITH_A_RANK = OBLONG[:4] + OBLONG[6:] if numpy_before("2.4.0") else OBLONG  # older ones refuse to find one of nothing
matrix_row("matrix_rank", *WITH_A_RANK, s((3, 3), rtol=0.5), s((2, 2, 3), rtol=np.array([0.1, 0.9])), orders=0)
matrix_row("matrix_rank", s((3, 3)), s((2, 2, 3)), s((2, 3)), make=rank_one, variant=" (rank 1)", orders=0)
row(
    np.linalg.matrix_rank, np.linalg.matrix_rank,
    s((3, 2), 0.5), s((2, 2), hermitian=True), orders=0, name="numpy.linalg.matrix_rank",
)  # fmt: skip

matrix_row("det", *SQUARE)
matrix_row("det", s((2, 2)), s((3, 3)), s((2, 3, 3)), make=rank_one, variant=" (rank 1)")
ZERO, ONE = np.zeros((3, 3)), np.diag(A(0, 2, 0))
COUNT = A([1, 2, 3], [4, 5, 6], [7, 8, 9])
row(
    linalg.det, np.linalg.det,
    *map(s, [A([1, 2], [2, 4]), ZERO[:2, :2], ZERO[:1, :1], ZERO, ONE, COUNT, np.stack([COUNT, ZERO])]),
    name="det (singular)",
)  # fmt: skip
matrix_row("slogdet", *SQUARE)

# Decompositions, by functions that do not see signs and phases


def mirrored(w: Any, V: Any) -> Any:
    return (V * np.expand_dims(np.exp(w), -2)) @ H(V)


def of_eigh(result: Any) -> Any:
    w, V = result
    return w, np.abs(V) ** 2, mirrored(w, V)


def of_eig(result: Any) -> Any:
    w, V = (x + 0j for x in result)
    return np.sum(w**3, axis=-1), np.sum(np.abs(V) ** 2 * np.expand_dims(np.abs(w), -2), axis=-1), mirrored(w, V)


def of_svd(result: Any) -> Any:
    U, S, Vh = result
    k = S.shape[-1]
    beyond = U[..., k:] @ H(U[..., k:]), H(Vh[..., k:, :]) @ Vh[..., k:, :]
    middle = (U[..., :k] * np.expand_dims(S**3, -2)) @ Vh[..., :k, :]
    return np.abs(U[..., :k]) ** 2, S, np.abs(Vh[..., :k, :]) ** 2, middle, *beyond


def of_qr(result: Any) -> Any:
    Q, R = result
    k = R.shape[-1]
    return Q[..., :k], R, Q[..., k:] @ H(Q[..., k:])


def of_triangle(x: Any, UPLO: str) -> Any:
    lower = np.tril(x) if UPLO in "Ll" else H(np.triu(x))
    return lower + H(np.tril(lower, -1))


matrix_row("cholesky", *SQUARE, s((2, 2), upper=True), make=positive)
matrix_row("eigh", *SQUARE, make=hermitian, seen=of_eigh)
matrix_row("eigvalsh", *SQUARE, make=hermitian)
TRIANGLES = [s((3, 3), UPLO="U"), s((2, 2, 2), UPLO="L"), s((2, 2), UPLO="u")]
row(
    lambda x, UPLO: of_eigh(linalg.eigh(of_triangle(x, UPLO))),
    spelling(np.linalg.eigh, lambda x, UPLO: of_eigh(np.linalg.eigh(x, UPLO))),
    *TRIANGLES, name="eigh (of a triangle)", complex=True,
)  # fmt: skip
row(
    lambda x, UPLO: linalg.eigvalsh(of_triangle(x, UPLO)), np.linalg.eigvalsh,
    *TRIANGLES, name="eigvalsh (of a triangle)", complex=True,
)  # fmt: skip
matrix_row("eig", *SQUARE, make=apart, seen=of_eig)
matrix_row("eigvals", *SQUARE, make=apart, seen=lambda w: (np.sum(w**3 + 0j, axis=-1), np.prod(w + 0j, axis=-1)))
matrix_row("qr", *OBLONG, s((2, 3, 3)), s((4, 2), mode="reduced"))
matrix_row("qr", *(s(*x, mode="complete") for x, _ in OBLONG), seen=of_qr, variant=" (complete)")
row(
    lambda x: linalg.qr(x).R, spelling(np.linalg.qr, lambda x: np.linalg.qr(x, mode="r")),
    s((3, 2)), s((2, 3)), name="qr (R)", complex=True,
)  # fmt: skip
matrix_row("svd", *OBLONG, seen=of_svd)
matrix_row("svd", *(s(*x, full_matrices=False) for x, _ in OBLONG[:6]), seen=of_svd, variant=" (thin)")
matrix_row("svdvals", *OBLONG)
row(
    linalg.svdvals, spelling(np.linalg.svd, lambda x: np.linalg.svd(x, compute_uv=False)),
    s((3, 2)), name="svd (values)", complex=True,
)  # fmt: skip

# The exponential

row(
    linalg.expm, sl.expm,
    *SQUARE[:4], s(A([0, 30], [-30, 0])), s(A([1, 1], [0, 1])), s(A([0, 0], [0, 0])), s(A([1, 50], [0, -1])),
    complex=True,
)  # fmt: skip


def frechet(x: Any, e: Any) -> Any:
    pairs = zip(x.reshape(-1, *x.shape[-2:]), e.reshape(-1, *e.shape[-2:]), strict=True)
    return np.stack([sl.expm_frechet(a, b, compute_expm=False) for a, b in pairs]).reshape(x.shape).astype(x.dtype)


row(exponential.frechet, frechet, s((2, 2), (2, 2)), s((2, 2, 2), (2, 2, 2)), s((1, 1), (1, 1)), complex=True)

# Norms

VECTORS = [s((3,)), s((2, 3)), s((2, 3), axis=0), s((2, 3), axis=-1, keepdims=True), s((2, 3, 2), axis=(0, 2)), s(())]
ORDERS = [s((4,), ord=p) for p in (0, 1, 2, 3, 0.5, -1, -2, -1.5, np.inf, -np.inf)]
row(
    linalg.vector_norm, np.linalg.vector_norm,
    *VECTORS, *ORDERS, s((0, 3), axis=1), s((0,)), s((2, 3), axis=(0, 1), keepdims=True, ord=3), complex=True,
)  # fmt: skip
MATRIX_NORMS = ["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf]
ALL_NORMS = [s(shape, ord=p) for shape in [(3, 2), (2, 2, 3)] for p in MATRIX_NORMS]
KEPT = [s((2, 2, 3), keepdims=True, ord="nuc"), s((2, 3), keepdims=True)]
matrix_row("matrix_norm", *OBLONG[:4], *ALL_NORMS, *KEPT)
row(
    linalg.norm, np.linalg.norm,
    s((3,)), s((2, 3)), s((2, 2, 3)), s((3,), 1), s((2, 3), "nuc"), s((2, 3), "fro", keepdims=True), s((2, 3), axis=0),
    s((2, 4, 3), axis=(0, 2), ord=1), s((2, 3, 2), axis=(2, 0), ord=1),
    s((2, 3, 2), 2, axis=(1, 0), keepdims=True), s((2, 3), 3, 1),
    s((2, 3), keepdims=True), s(()), s((3,), np.inf, keepdims=True), s((2, 2, 3), axis=(-1, -2)), complex=True,
)  # fmt: skip
matrix_row(
    "cond", s((3, 3)), s((2, 3)), s((2, 2, 2)), s((3, 3), -2), *(s((3, 3), p) for p in MATRIX_NORMS),
    seen=np.real if numpy_before("2.3.0") else same,  # older ones have complex numbers for complex matrices
)  # fmt: skip

# Products with constant sparse matrices

DENSE = A([1, 0, 2], [0, -3, 0])
FORMATS = [sparse.csr_array, sparse.csc_array, sparse.coo_array, sparse.dia_array, sparse.csr_matrix, sparse.lil_matrix]
row(
    products_with_sparse.sparse_product, lambda x, matrix: matrix.toarray() @ x,
    *(s(shape, matrix=make(DENSE)) for make in FORMATS for shape in [(3,), (3, 2)]),
    s((3, 1), matrix=FORMATS[0](DENSE)), s((3, 0), matrix=FORMATS[0](DENSE)), s((2,), matrix=FORMATS[0]((3, 2))),
    s((3, 2), matrix=FORMATS[0](DENSE * (1 + 2j))), s((3,), matrix=FORMATS[0](DENSE.astype(int))),
    s((3,), matrix=FORMATS[0](DENSE != 0)), s((0,), matrix=FORMATS[0]((2, 0))), complex=True,
)  # fmt: skip
