"""Linear algebra beyond the table: what is refused, kinks, equal eigenvalues, singular matrices, conventions."""

import inspect

import numpy as np
import pytest
import scipy.linalg as sl

import minigrad as mg
from minigrad import errors, gradcheck, gradgradcheck, linalg
from minigrad.ops.exponential import frechet
from minigrad.ops.matrices import inverse
from tests.needs import numpy_before
from tests.op_table import A
from tests.rows import each

RNG = np.random.default_rng(5)
X = RNG.normal(size=(3, 3))
TURN = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
I2, I3 = np.eye(2), np.eye(3)


def close(actual, desired, rtol=1e-10):
    np.testing.assert_allclose(actual, desired, rtol=rtol, atol=rtol)


def gradient(f, x):
    return mg.grad(f)(mg.asarray(x)).numpy()


def hessian(f, x):
    return mg.hessian(f)(mg.asarray(x)).numpy().reshape(x.size, x.size)


# What is refused

SQUARE_ONLY = {
    "cholesky": linalg.cholesky, "det": linalg.det, "eig": linalg.eig, "eigh": linalg.eigh,
    "eigvals": linalg.eigvals, "eigvalsh": linalg.eigvalsh, "expm": linalg.expm, "inv": linalg.inv,
    "matrix_power": lambda x: linalg.matrix_power(x, 2), "slogdet": linalg.slogdet,
    "solve": lambda x: linalg.solve(x, np.ones(2)), "cond": lambda x: linalg.cond(x, 1),
}  # fmt: skip
MATRICES_ONLY = {
    "diagonal": linalg.diagonal, "lstsq": lambda x: linalg.lstsq(x, x), "matrix_norm": linalg.matrix_norm,
    "matrix_rank": linalg.matrix_rank, "matrix_transpose": linalg.matrix_transpose, "pinv": linalg.pinv,
    "qr": linalg.qr, "svd": linalg.svd, "svdvals": linalg.svdvals, "diagonal ": linalg.trace,
}  # fmt: skip


@pytest.mark.parametrize("name", SQUARE_ONLY)
@each("shape", [(2, 3), (4, 3, 2)])
def test_matrices_must_be_square(name, shape):
    for x in (np.ones(shape), mg.tensor(np.ones(shape), requires_grad=True)):
        with pytest.raises(errors.ShapeError, match=name) as caught:
            SQUARE_ONLY[name](x)
        assert str(shape) in str(caught.value)


@each("name", SQUARE_ONLY | MATRICES_ONLY)
def test_there_must_be_two_axes(name):
    for x in (np.ones(3), mg.tensor([1.0, 2.0, 3.0], requires_grad=True)):
        with pytest.raises(errors.ShapeError, match=name.strip()) as caught:
            (SQUARE_ONLY | MATRICES_ONLY)[name](x)
        assert "(3,)" in str(caught.value)


SINGULAR = {
    "inv": linalg.inv,
    "solve": lambda x: linalg.solve(x, np.ones((2, 1))),
    "inv ": lambda x: linalg.matrix_power(x, -2),
}


@pytest.mark.parametrize("name", SINGULAR)
def test_singular_matrices_are_named(name):
    bad = A([1, 2], [2, 4])
    with pytest.raises(linalg.LinAlgError, match=rf"{name.strip()} of shapes? \(2, 2\).*the matrix is singular"):
        SINGULAR[name](mg.tensor(bad))
    with pytest.raises(linalg.LinAlgError, match=r"\(3, 2, 2\).*matrix 1 of the stack is singular"):
        SINGULAR[name](np.stack([I2, bad, bad]))
    with pytest.raises(linalg.LinAlgError, match="matrix 0, 1 of the stack"):
        SINGULAR[name](np.stack([I2, bad, I2, I2]).reshape(2, 2, 2, 2))


def test_linalgerror_is_numpys_and_ours():
    for base in (np.linalg.LinAlgError, errors.ArgumentError, ValueError):
        with pytest.raises(base):
            linalg.inv(mg.tensor(np.zeros((2, 2))))


def test_cholesky_needs_positive_definite_matrices():
    with pytest.raises(linalg.LinAlgError, match=r"cholesky of shape \(2, 2\).*smallest eigenvalue is -1"):
        linalg.cholesky(mg.tensor([[1.0, 2.0], [2.0, 1.0]]))
    with pytest.raises(linalg.LinAlgError, match="matrix 1 of the stack is not positive definite"):
        np.linalg.cholesky(mg.tensor(np.stack([I2, -I2])))


@pytest.mark.parametrize("name", ["eigh", "eigvalsh", "svd", "svdvals", "eig"])
def test_nan_is_found_in_what_does_not_converge(name):
    x = np.ones((2, 3, 3))
    x[1, 0, 0] = np.nan
    with pytest.raises(linalg.LinAlgError, match=rf"{name} of shape \(2, 3, 3\).*1 elements are NaN"):
        getattr(linalg, name)(mg.tensor(x))


@each(("call", "error", "words"), [
    (lambda: linalg.solve(I2, np.ones(3)), errors.ShapeError, r"solve of shapes \(2, 2\) and \(3,\).*needs 2 rows"),
    (lambda: linalg.solve(I2, 1.0), errors.ShapeError, r"\(2, 2\) and \(\)"),
    (lambda: linalg.solve(np.ones((3, 2, 2)), np.ones((4, 2, 1))), errors.ShapeError, r"solve of shapes \(3, 2, 2\)"),
    (lambda: linalg.lstsq(I2, np.ones(3)), errors.ShapeError, r"lstsq of shapes \(2, 2\) and \(3,\)"),
    (lambda: linalg.cross(np.ones(2), np.ones(3)), errors.ShapeError, r"cross of shapes \(2,\) and \(3,\).*3 elements"),
    (lambda: linalg.cross(np.ones(3), np.ones(3), axis=1), errors.AxisError, "cross"),
    (lambda: linalg.outer(np.ones((2, 2)), np.ones(3)), errors.ShapeError, r"\(2, 2\) and \(3,\)"),
    (lambda: linalg.multi_dot([I2]), errors.ShapeError, r"multi_dot of shapes \(2, 2\)"),
    (lambda: linalg.multi_dot([I2, np.ones(2), I2]), errors.ShapeError, r"\(2, 2\), \(2,\), \(2, 2\)"),
    (lambda: linalg.tensorinv(np.ones((2, 3)), 1), errors.ShapeError, r"tensorinv of shape \(2, 3\)"),
    (lambda: linalg.tensorinv(I2, 0), errors.ShapeError, "tensorinv"),
    (lambda: linalg.tensorsolve(np.ones((2, 2, 3)), np.ones((2, 2))), errors.ShapeError, r"\(2, 2, 3\) and \(2, 2\)"),
    (lambda: linalg.qr(I2, mode="raw"), errors.ArgumentError, "'raw'"),
    (lambda: np.linalg.qr(mg.tensor(I2), "raw"), errors.UnsupportedError, "raw"),
    (lambda: np.linalg.eigh(mg.tensor(I2), "X"), errors.ArgumentError, "UPLO"),
    (lambda: linalg.matrix_norm(I2, ord=3), errors.ArgumentError, "matrix_norm has no ord 3.*'nuc'"),
    (lambda: linalg.vector_norm(np.ones(2), ord="nuc"), errors.ArgumentError, "vector_norm.*nuc"),
    (lambda: linalg.norm(np.ones((2, 2, 2)), 2), errors.ShapeError, r"norm of shape \(2, 2, 2\)"),
    (lambda: linalg.norm(I2, axis=(0, 0)), errors.AxisError, "norm"),
    (lambda: linalg.cond(np.ones((0, 0))), errors.ShapeError, r"cond of shape \(0, 0\)"),
    (lambda: linalg.matrix_power(I2, 1.5), TypeError, "integer"),
    (lambda: linalg.det(mg.tensor(I2, dtype=np.float16)), errors.DTypeError, "det"),
])  # fmt: skip
def test_bad_input(call, error, words):
    with pytest.raises(error, match=words):
        call()


# The namespace

SIGNATURES = {
    "cholesky": "(x, /, *, upper=False)", "cross": "(x1, x2, /, *, axis=-1)", "det": "(x, /)",
    "diagonal": "(x, /, *, offset=0)", "eig": "(x, /)", "eigh": "(x, /)", "eigvals": "(x, /)", "eigvalsh": "(x, /)",
    "inv": "(x, /)", "matrix_norm": "(x, /, *, keepdims=False, ord='fro')", "matrix_power": "(x, n, /)",
    "matrix_rank": "(x, /, *, rtol=None)", "matrix_transpose": "(x, /)", "outer": "(x1, x2, /)",
    "pinv": "(x, /, *, rtol=None)", "qr": "(x, /, *, mode='reduced')", "slogdet": "(x, /)",
    "svd": "(x, /, *, full_matrices=True)", "svdvals": "(x, /)", "trace": "(x, /, *, offset=0, dtype=None)",
    "vector_norm": "(x, /, *, axis=None, keepdims=False, ord=2)",
}  # fmt: skip


@each("name", SIGNATURES)
def test_signatures_are_the_standards(name):
    found = inspect.signature(getattr(linalg, name))
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in found.parameters.values()]
    assert str(inspect.Signature(plain)) == SIGNATURES[name]


@pytest.mark.parametrize(("call", "fields"), [
    (linalg.eigh, ("eigenvalues", "eigenvectors")), (linalg.eig, ("eigenvalues", "eigenvectors")),
    (linalg.qr, ("Q", "R")), (linalg.slogdet, ("sign", "logabsdet")), (linalg.svd, ("U", "S", "Vh")),
    (lambda x: linalg.lstsq(x, x), ("solution", "residuals", "rank", "singular_values")),
    (np.linalg.eigh, ("eigenvalues", "eigenvectors")), (np.linalg.svd, ("U", "S", "Vh")),
])  # fmt: skip
def test_several_results_have_names(call, fields):
    tensors = call(mg.tensor(X + X.T))
    assert tensors._fields == fields
    assert all(type(x) is mg.Tensor for x in tensors)
    assert not any(isinstance(x, mg.Tensor) for x in call(X + X.T))


def test_every_numpy_function_of_linear_algebra_is_supported():
    overrides = pytest.importorskip("numpy.testing.overrides")
    names = {f for f in overrides.get_overridable_numpy_array_functions() if f.__module__ == "numpy.linalg"}
    assert len(names) > 25
    assert names <= set(mg.core.numpy_functions)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_dtypes_stay(dtype):
    x = mg.tensor((X + 3 * I3).astype(dtype), requires_grad=True)
    real = np.zeros((), dtype).real.dtype
    U, S, Vh = linalg.svd(x)
    w, V = linalg.eigh(x)
    sign, logabsdet = linalg.slogdet(x)
    assert {y.dtype for y in (U, Vh, V, sign, linalg.expm(x), linalg.pinv(x), *linalg.qr(x))} == {np.dtype(dtype)}
    assert {y.dtype for y in (S, w, logabsdet, linalg.norm(x), linalg.svdvals(x), linalg.cond(x))} == {real}
    (S.sum() + w.sum() + logabsdet + linalg.norm(x)).backward()
    assert x.grad.dtype == dtype


@pytest.mark.parametrize("f", [linalg.inv, linalg.det, linalg.eigvalsh, linalg.expm, linalg.matrix_norm, linalg.pinv])
def test_integers_and_lists_compute_in_floating_point(f):
    rows = [[2, 1], [1, 3]]
    expected = f(A(*rows))
    for x in (rows, np.array(rows), mg.tensor(rows)):
        result = f(x)
        close(np.asarray(result.numpy() if isinstance(result, mg.Tensor) else result), expected)


def test_numpys_eig_is_real_where_numpys_own_is():
    x = mg.tensor(np.diag(A(1, 2)), requires_grad=True)
    w, V = np.linalg.eig(x)
    kind = np.float64 if numpy_before("2.5.0") else np.complex128
    assert w.dtype == V.dtype == np.linalg.eigvals(x).dtype == np.linalg.eigvals(x.detach().numpy()).dtype == kind
    assert np.linalg.eigvals(mg.tensor(A([0, 1], [-1, 0]))).dtype == np.complex128
    mg.real(w).sum().backward()
    close(x.grad.numpy(), I2)


def test_the_rank_of_a_vector():
    assert np.linalg.matrix_rank(mg.tensor([0.0, 2.0])).item() == 1
    assert np.linalg.matrix_rank(mg.tensor([0.0, 0.0])).item() == 0


# Symmetric matrices


@pytest.mark.parametrize("f", [
    linalg.cholesky, linalg.eigvalsh, lambda x: linalg.eigh(x).eigenvectors ** 2,
], ids=["cholesky", "eigvalsh", "eigh"])  # fmt: skip
def test_the_hermitian_part_is_what_counts_and_the_gradient_is_hermitian(f):
    x = X @ X.T + I3
    skew = X - X.T
    close(f(x + skew), f(x))
    g = gradient(lambda x: mg.sum(f(x) * X[0]), x)
    close(g, g.T, 1e-15)
    z = x + 1j * (X - X.T) / 4
    g = gradient(lambda x: mg.sum(mg.abs(f(x)) * X[0]), z)
    close(g, np.conj(g.T), 1e-15)
    assert gradcheck(f, x)  # although it moves one element at a time
    assert gradgradcheck(f, x)


def test_a_single_triangle_gets_all_of_the_gradient_if_it_is_asked_for():
    x = mg.tensor(X, requires_grad=True)
    w = np.linalg.eigvalsh(x, UPLO="U")
    close(w.detach().numpy(), np.linalg.eigvalsh(X, UPLO="U"))
    w[0].backward()
    assert not np.tril(x.grad.numpy(), -1).any()


# Equal eigenvalues and singular values

PAIR = np.diag(A(1, 1, 2))
EQUAL = [np.zeros((3, 3)), I3, PAIR, TURN @ PAIR @ TURN.T, TURN @ (2 * I3) @ TURN.T]


@pytest.mark.parametrize("x", EQUAL)
def test_functions_of_eigenvalues_alone_have_gradients(x):
    cubes = {
        "eigvalsh": lambda x: mg.sum(linalg.eigvalsh(x) ** 3),
        "eigh": lambda x: mg.sum(linalg.eigh(x).eigenvalues ** 3),
        "eigvals": lambda x: mg.sum(mg.real(linalg.eigvals(x) ** 3)),
        "eig": lambda x: mg.sum(mg.real(linalg.eig(x).eigenvalues ** 3)),
    }
    for f in cubes.values():
        close(gradient(f, x), 3 * x @ x)
        close(gradient(f, x + 0j), 3 * x @ x)


@each("x", [*EQUAL[:4], TURN, A([1, 0], [0, 1], [0, 0]), A([1, 0], [0, 0], [0, 0])])
def test_functions_of_singular_values_alone_have_gradients(x):
    expected = 4 * x @ x.T @ x
    close(gradient(lambda x: mg.sum(linalg.svdvals(x) ** 4), x), expected)
    close(gradient(lambda x: mg.sum(linalg.svd(x).S ** 4), x), expected)
    close(gradient(lambda x: mg.sum(linalg.svd(x, full_matrices=False).S ** 4), x * 1j), expected * 1j)


def test_norms_at_equal_singular_values():
    close(gradient(lambda x: linalg.matrix_norm(x, ord="nuc"), TURN), TURN)
    close(gradient(lambda x: linalg.matrix_norm(x, ord=2), 2 * I2), I2 / 2)
    close(gradient(lambda x: linalg.matrix_norm(x, ord=-2), 2 * I2), I2 / 2)


def test_a_simple_eigenvector_does_not_mind_that_others_are_equal():
    x = TURN @ np.diag(A(1, 1, 3)) @ TURN.T
    g = gradient(lambda x: mg.sum(linalg.eigh(x).eigenvectors[:, 2] ** 2 * X[0]), x)
    # By perturbation: dv = (3 - x)^+ dx v
    v = TURN[:, 2]
    expected = np.outer((I3 - np.outer(v, v)) / 2 @ (2 * X[0] * v), v)
    close(g, (expected + expected.T) / 2)


def turned(V):
    return mg.sum(mg.real((V * A(1, 2, 3)) @ mg.conj(mg.matrix_transpose(V))) * X)


UNKNOWN = {  # first derivatives of functions of the vectors, and second ones of functions of the values
    "eigh": lambda x: gradient(lambda x: turned(linalg.eigh(x).eigenvectors), x),
    "eig": lambda x: gradient(lambda x: turned(linalg.eig(x).eigenvectors), x),
    "svd": lambda x: gradient(lambda x: turned(linalg.svd(x).U), x),
    "eigvalsh twice": lambda x: hessian(lambda x: mg.sum(linalg.eigvalsh(x) ** 2), x),
    "eigh twice": lambda x: hessian(lambda x: mg.sum(linalg.eigh(x).eigenvalues ** 2), x),
    "svdvals twice": lambda x: hessian(lambda x: mg.sum(linalg.svdvals(x) ** 2), x),
    "svd twice": lambda x: hessian(lambda x: mg.sum(linalg.svd(x).S ** 2), x),
}


@pytest.mark.parametrize("name", UNKNOWN)
@each("x", EQUAL[1:])
def test_what_equal_values_leave_open_is_nan(name, x):
    assert not np.isfinite(UNKNOWN[name](x)).all()


@pytest.mark.parametrize("name", ["eigvalsh twice", "eigh twice", "svdvals twice", "svd twice"])
def test_it_is_nan_even_where_the_first_derivative_is_zero(name):
    assert np.isnan(UNKNOWN[name](np.diag(A(1, 0, 0)))).any()  # the truth is 2 I


def test_second_derivatives_at_singular_values_that_are_zero():
    def f(x):
        return mg.sum(linalg.svdvals(x) ** 2)

    close(hessian(f, A([1, 0], [0, 0])), 2 * np.eye(4))
    tall = hessian(f, A([1, 0], [0, 0], [0, 0]))
    assert np.isnan(tall).any()  # the truth is 2 I
    close(hessian(f, A([2, 0], [0, 1], [0, 0])), 2 * np.eye(6))


def test_distinct_values_may_be_close():
    gap = 1e-6
    H = hessian(lambda x: mg.sum(linalg.eigvalsh(x) ** 3), np.diag(A(1, 1 + gap)))
    assert H[1, 1] == pytest.approx(3 / 2 * (2 + gap), rel=1e-6)


# Singular matrices


def cofactors(x):
    n = len(x)
    return np.array([
        [(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(x, i, 0), j, 1)) for j in range(n)] for i in range(n)
    ])  # fmt: skip


def numbered(rank, n=4):
    rng = np.random.default_rng(rank)
    return rng.normal(size=(n, rank)) @ rng.normal(size=(rank, n))


@pytest.mark.parametrize("rank", range(5))
@pytest.mark.parametrize("unit", [1, 1e-3, 1e3, 1j])
def test_the_gradient_of_det_is_the_matrix_of_cofactors(rank, unit):
    x = numbered(rank) * unit
    scale = abs(unit) ** 3
    expected = cofactors(x)
    if unit == 1j:
        found = gradient(lambda x: mg.real(linalg.det(x)), x)
        expected = np.conj(expected)
    else:
        found = gradient(linalg.det, x)
    close(found / scale, expected / scale, 1e-11)


@pytest.mark.parametrize("rank", range(5))
def test_second_derivatives_of_det(rank):
    assert gradcheck(linalg.det, numbered(rank))
    assert gradgradcheck(linalg.det, numbered(rank))


def test_det_in_a_stack_of_all_ranks():
    x = np.stack([numbered(rank) for rank in range(5)])
    close(gradient(lambda x: mg.sum(linalg.det(x)), x), np.stack([cofactors(part) for part in x]))
    assert gradgradcheck(linalg.det, x)


@pytest.mark.parametrize("smallest", [0, 1e-16, 1e-12, 1e-8, 1e-6, 1e-5, 1e-4, 1e-2])
def test_derivatives_of_det_are_accurate_near_singular_matrices(smallest):
    x = TURN @ np.diag(A(3, 1, smallest)) @ X
    found = hessian(linalg.det, x).reshape(3, 3, 3, 3)
    signs = np.linalg.det(I3[np.indices((3, 3, 3)).T])  # of permutations, 0 of others
    np.testing.assert_allclose(found, np.einsum("ikm,jln,mn->ijkl", signs, signs, x), rtol=1e-8, atol=1e-8)


def test_all_derivatives_of_det_at_zero():
    def f(t):
        return linalg.det(t * X)

    third = mg.grad(mg.grad(mg.grad(f)))
    assert third(0.0) == pytest.approx(6 * np.linalg.det(X), rel=1e-12)
    assert mg.grad(mg.grad(f))(0.0) == pytest.approx(0)


def test_the_determinant_of_singular_matrices_by_numpy():
    x = mg.tensor([[1.0, 2.0], [2.0, 4.0]], requires_grad=True)
    np.linalg.det(x).backward()
    close(x.grad.numpy(), A([4, -2], [-2, 1]))


def test_nan_passes_through_det():
    x = mg.tensor([[np.nan, 1.0], [1.0, 1.0]], requires_grad=True)
    with np.errstate(invalid="ignore"):
        linalg.det(x).backward()
    assert np.isnan(x.grad.numpy()).any()


def test_a_derivative_that_does_not_exist_is_nan_for_one_matrix_only():
    x = mg.tensor(np.stack([2 * I2, A([1, 2], [2, 4])]), requires_grad=True)
    linalg.slogdet(x).logabsdet.sum().backward()
    close(x.grad.numpy()[0], I2 / 2)
    assert np.isnan(x.grad.numpy()[1]).all()
    close(inverse(x).detach().numpy()[0], I2 / 2)
    assert np.isnan(inverse(x).detach().numpy()[1]).all()


CHOSEN = {
    "slogdet": lambda x: linalg.slogdet(x).logabsdet,
    "det": linalg.det,
    "eigvalsh": lambda x: linalg.eigvalsh(x)[..., 0],
    "eigh": lambda x: linalg.eigh(x).eigenvectors[..., 0, 0] * linalg.eigh(x).eigenvectors[..., 1, 0],
    "eig": lambda x: mg.abs(linalg.eig(x).eigenvectors[..., 1, 0]) ** 2,
    "eigvals": lambda x: mg.abs(linalg.eigvals(x)[..., 0]),
    "svd": lambda x: linalg.svd(x).U[..., 0, 0] * linalg.svd(x).Vh[..., 0, 1],
    "tall svd": lambda x: mg.abs(linalg.svd(x[..., :1]).U[..., 1, 0]),
    "svdvals": lambda x: linalg.svdvals(x)[..., 0],
    "qr": lambda x: linalg.qr(x).R[..., 0, 1],
    "norm": lambda x: linalg.matrix_norm(x),
    "p-norm": lambda x: linalg.vector_norm(x, axis=(-1, -2), ord=3),
    "nuc": lambda x: linalg.matrix_norm(x, ord="nuc"),
    "cond": linalg.cond,
    "cond in 1": lambda x: linalg.cond(x, 1),
}


@pytest.mark.parametrize("name", CHOSEN)
@each("unit", [1, 1j])
def test_a_matrix_that_was_not_chosen_has_gradient_zero(name, unit):
    regular = A([2, 0.5], [0.5, 3]) + unit * A([0, 0.2], [-0.2, 0])
    x = mg.tensor(np.stack([regular, np.zeros((2, 2))]), requires_grad=True)
    y = mg.sum(mg.where(np.array([True, False]), mg.real(CHOSEN[name](x)), 0.0))
    (first,) = mg.autograd.grad(y, x, create_graph=True)
    (second,) = mg.autograd.grad(mg.sum(mg.real(first * X[:2, :2])), x)
    for g in (first.detach().numpy(), second.numpy()):
        assert np.isfinite(g[0]).all()
        np.testing.assert_array_equal(g[1], 0)


# QR, least squares, pseudo-inverses


def test_dependent_columns_have_no_derivative():
    x = mg.tensor(np.stack([A([1, 2], [2, 4]), X[:2, :2]]), requires_grad=True)
    linalg.qr(x).R.sum().backward()
    assert not np.isfinite(x.grad.numpy()[0]).all()
    assert np.isfinite(x.grad.numpy()[1]).all()


def test_a_wide_matrix_needs_independent_first_columns_only():
    x = np.concatenate([X[:2, :2], np.ones((2, 2))], axis=1)
    assert gradcheck(lambda x: linalg.qr(x).R, x)


def test_lstsq_of_a_matrix_without_full_rank():
    a, b = A([1, 1], [1, 1], [0, 0]), A(1, 3, 5)
    found = np.linalg.lstsq(mg.tensor(a), b)
    expected = np.linalg.lstsq(a, b)
    for x, y in zip(found, expected, strict=True):
        close(x.numpy(), y)
    assert found.residuals.shape == (0,)
    assert found.rank.item() == 1


def test_rcond_counts_small_singular_values_as_zero():
    a, b = np.diag(A(1, 1e-3)), np.ones(2)
    close(linalg.lstsq(a, b).solution, A(1, 1000))
    close(linalg.lstsq(a, b, rcond=0.01).solution, A(1, 0))
    close(linalg.pinv(a, rtol=0.01), np.diag(A(1, 0)))
    close(np.linalg.pinv(mg.tensor(a), 0.01).numpy(), np.diag(A(1, 0)))
    assert linalg.matrix_rank(a, rtol=0.01) == 1
    assert np.linalg.matrix_rank(mg.tensor(a), 0.01).item() == 1


# The exponential


def test_exponentials_that_are_known():
    t = 0.7
    close(linalg.expm(A([0, -t], [t, 0])), A([np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]), 1e-15)
    close(linalg.expm(np.diag(A(-700, 0, 700))), np.diag(np.exp(A(-700, 0, 700))), 1e-12)
    close(linalg.expm(np.zeros((2, 0, 0))), np.zeros((2, 0, 0)))


def test_one_large_matrix_does_not_disturb_the_others_of_a_stack():
    x = np.stack([X, -1e3 * np.ones((3, 3)), np.zeros((3, 3)), 700 * I3])
    close(linalg.expm(x), np.stack([sl.expm(part) for part in x]), 1e-11)


def test_what_is_not_finite_stays_with_its_matrix():
    with np.errstate(all="ignore"):
        y = linalg.expm(np.stack([I2, I2 * np.nan, I2 * np.inf]))
    close(y[0], np.exp(1) * I2, 1e-15)
    assert not np.isfinite(y[1:]).any(axis=(1, 2)).all()


def test_the_derivative_of_the_exponential_is_linear_in_the_direction():
    one = frechet(X, I3 + X)
    for scale in (1e-30, 1e8, 1e30):
        close(frechet(X, scale * (I3 + X)) / scale, one, 1e-13)
    close(frechet(X, 0 * X), 0 * X)


def test_third_derivative_of_the_exponential():
    f = mg.grad(mg.grad(mg.grad(lambda t: mg.sum(linalg.expm(t * X)))))
    assert f(0.0) == pytest.approx(np.sum(X @ X @ X), rel=1e-12)


# Norms at their kinks


@pytest.mark.parametrize("ord", [0, 0.5, 1, 1.5, 2, 3, np.inf, -1, -2, -np.inf])
def test_the_gradient_of_a_norm_is_zero_at_zero(ord):
    for x in (np.zeros(3), np.zeros(3, complex)):
        x = mg.tensor(x, requires_grad=True)
        with np.errstate(divide="ignore"):
            y = linalg.vector_norm(x, ord=ord)
        (g,) = mg.autograd.grad(y, x, create_graph=True)
        np.testing.assert_array_equal(g.detach().numpy(), 0)


@pytest.mark.parametrize("ord", ["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
def test_the_gradient_of_a_matrix_norm_is_zero_at_zero(ord):
    for shape in [(2, 2), (3, 2), (2, 2, 3)]:
        np.testing.assert_array_equal(gradient(lambda x: mg.sum(linalg.matrix_norm(x, ord=ord)), np.zeros(shape)), 0)


def test_zeros_in_a_vector():
    x = A(0, 3, -4)
    close(gradient(linalg.vector_norm, x), A(0, 0.6, -0.8))
    close(gradient(lambda x: linalg.vector_norm(x, ord=1), x), A(0, 1, -1))
    for ord in (0.5, 1.5, 3):
        assert np.isfinite(gradient(lambda x, ord=ord: linalg.vector_norm(x, ord=ord), x)).all()


def test_equal_extremes_share_the_gradient():
    close(gradient(lambda x: linalg.vector_norm(x, ord=np.inf), A(2, -2, 1)), A(0.5, -0.5, 0))
    close(gradient(lambda x: linalg.vector_norm(x, ord=-np.inf), A(2, -1, 1)), A(0, -0.5, 0.5))
    close(gradient(lambda x: linalg.matrix_norm(x, ord=1), A([1, -1], [1, 1])), A([1, -1], [1, 1]) / 2)


@pytest.mark.parametrize("ord", ["fro", "nuc", 1, 2, np.inf])
def test_norms_of_nothing_are_zero(ord):
    close(linalg.matrix_norm(np.zeros((0, 3)), ord=ord), 0.0)
    assert gradient(lambda x: linalg.matrix_norm(x, ord=ord), np.zeros((2, 0))).shape == (2, 0)


@pytest.mark.parametrize("p", [None, -2, 1, "fro", np.inf])
def test_the_condition_of_a_singular_matrix(p):
    x = np.stack([2 * I2, np.zeros((2, 2)), I2 * [1, 0]])
    close(linalg.cond(mg.tensor(x), p).numpy(), np.linalg.cond(x, p))


def test_vectors_of_other_lengths_have_no_dot_product():
    for call in (mg.vecdot, np.vecdot, np.linalg.vecdot):
        for shapes in (((2, 3), (1,)), ((2, 3), (2, 1)), ((1,), (3,)), ((0,), (1,))):
            a, b = (np.ones(shape) for shape in shapes)
            with pytest.raises(errors.ShapeError, match=r"vecdot of shapes .* must have as many.*sum\(a \* b, axis\)"):
                call(mg.tensor(a), b)
    with pytest.raises(errors.ShapeError, match="3 and 1 elements"):
        np.vdot(mg.ones(3), np.ones(1))
    assert mg.vecdot(np.ones((3, 2)), np.ones((3, 1)), axis=0).tolist() == [3.0, 3.0]


@pytest.mark.parametrize(("subscripts", "shapes"), [
    ("ii", [(1, 3)]), ("ii->i", [(3, 1)]), ("ii,i", [(1, 3), (3,)]), ("ii,i->i", [(3, 1), (3,)]),
])  # fmt: skip
def test_an_index_that_an_operand_has_twice_has_one_length(subscripts, shapes):
    arrays = [np.ones(shape) for shape in shapes]
    with pytest.raises(ValueError, match="collapsing index"):
        np.einsum(subscripts, *arrays)
    with pytest.raises(errors.ShapeError, match="'i' has two lengths"):
        mg.einsum(subscripts, *map(mg.tensor, arrays))


def test_einsum_repeats_axes_of_length_one_as_numpy_does():
    five = np.array([5.0])
    for optimize in (False, True, "greedy"):
        f = lambda a, b: np.einsum("i,i", a, b, optimize=optimize)  # noqa: B023, E731
        np.testing.assert_array_equal(mg.grad(f)(np.array([2.0, 3.0]), five), [5.0, 5.0])
        np.testing.assert_array_equal(mg.grad(f, argnums=1)(np.array([2.0, 3.0]), five), [5.0])
    # Of sum(a * b) with b of one element: the second derivative by a[i] and b is 1.
    mixed = mg.jacobian(mg.grad(lambda a, b: mg.einsum("i,i", a, b)), argnums=1)(np.array([2.0, 3.0]), five)
    np.testing.assert_array_equal(mixed, [[1.0], [1.0]])
    with pytest.raises(errors.ShapeError, match="A letter stands for one length"):
        mg.einsum("i,i", mg.ones(2), mg.ones(3))


# Products of small integers


@each("dtype", [np.bool_, np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32])
@each("function", [
    lambda a: np.vecdot(a, a), lambda a: linalg.vecdot(a, a, axis=0), lambda a: np.einsum("ij,jk->", a, a),
    lambda a: np.einsum("ij->i", a), lambda a: np.einsum("ii", a), lambda a: np.vdot(a, a), lambda a: np.matmul(a, a),
    lambda a: np.tensordot(a, a), lambda a: np.inner(a, a),
])  # fmt: skip
def test_sums_of_products_keep_their_dtype(function, dtype):
    a = np.array([[1, 0], [1, 1]], dtype)
    np.testing.assert_array_equal(function(mg.tensor(a)).numpy(), function(a), strict=True)
