"""Products of constant sparse matrices and arrays, compared with those of the matrices in full."""

import numpy as np
import pytest
from scipy import sparse

import minigrad as mg
from minigrad import errors
from minigrad.ops.sparse import sparse_matmul
from tests.rows import each

FULL = np.array([[1.0, 0.0, 2.0], [0.0, -3.0, 0.0]])
FORMATS = ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"]
EITHER = [getattr(sparse, f"{name}_{kind}") for name in FORMATS for kind in ("array", "matrix")]
LEFT, RIGHT = [(3,), (3, 2), (3, 1), (2, 3, 2), (2, 0, 3, 4)], [(2,), (4, 2), (1, 2), (2, 3, 2), (2, 0, 4, 2)]


def drawn(shape, dtype=np.float64):
    x = np.random.default_rng(7).normal(size=(2, *shape))
    return (x[0] + 1j * x[1] if np.dtype(dtype).kind == "c" else x[0]).astype(dtype)


@pytest.mark.parametrize("make", EITHER, ids=lambda make: make.__name__)
def test_products_are_those_of_the_matrix_in_full(make):
    matrix = make(FULL)
    for shape in LEFT:
        x = drawn(shape)
        np.testing.assert_allclose(sparse_matmul(matrix, x), FULL @ x)
        found = mg.grad(lambda x: (sparse_matmul(matrix, x) ** 3).sum())(x)
        np.testing.assert_allclose(found, mg.grad(lambda x: ((FULL @ x) ** 3).sum())(x))
    for shape in RIGHT:
        x = drawn(shape)
        np.testing.assert_allclose(sparse_matmul(x, matrix), x @ FULL)
        found = mg.grad(lambda x: (sparse_matmul(x, matrix) ** 3).sum())(x)
        np.testing.assert_allclose(found, mg.grad(lambda x: ((x @ FULL) ** 3).sum())(x))


def test_second_derivatives():
    matrix = sparse.csr_array(FULL)
    found = mg.hessian(lambda x: (sparse_matmul(matrix, x) ** 2).sum())(drawn((3,)))
    np.testing.assert_allclose(found, 2 * FULL.T @ FULL, atol=1e-15)
    assert mg.gradgradcheck(lambda x: mg.tanh(sparse_matmul(x, matrix)), (mg.tensor(drawn((4, 2))),))


@each("of_matrix", [np.float32, np.float64, np.complex64, np.complex128, np.int64, np.bool_])
@each("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_dtypes_are_those_of_the_matrix_in_full(of_matrix, dtype):
    full = (FULL * (1 + 2j) if np.dtype(of_matrix).kind == "c" else FULL).astype(of_matrix)
    matrix = sparse.csr_array(full)
    for compute, shape in ((lambda a, x: sparse_matmul(a, x), (3, 2)), (lambda a, x: sparse_matmul(x, a), (2, 2))):
        gradients = []
        for a, product in ((matrix, compute), (full, lambda a, x: a @ x if shape == (3, 2) else x @ a)):  # noqa: B023
            x = mg.tensor(drawn(shape, dtype), requires_grad=True)
            y = product(a, x)
            assert y.dtype == np.result_type(of_matrix, dtype)
            mg.sum(mg.abs(y) ** 2).backward()
            assert x.grad.dtype == dtype
            gradients.append(x.grad.numpy())
        np.testing.assert_allclose(*gradients, rtol=1e-5)


def test_the_matrix_stays_sparse():
    n = 200_000  # in full it would have 3e11 bytes
    matrix = sparse.diags_array([np.ones(n), np.full(n - 1, 0.5)], offsets=[0, 1], format="csr")
    x = mg.tensor(np.ones(n), requires_grad=True)
    sparse_matmul(matrix, x).sum().backward()
    assert x.grad[:3].tolist() == [1, 1.5, 1.5]


@pytest.mark.parametrize("shape", [(4,), (4, 4), ()])
def test_shapes_that_do_not_fit_are_named(shape):
    matrix, x = sparse.csr_array(FULL), np.ones(shape)
    for a, b in ((matrix, x), (x, matrix)):
        with pytest.raises(errors.ShapeError, match=r"matmul of shapes \(.*\) and \("):
            sparse_matmul(a, b)


def test_a_sparse_vector_is_refused():
    vector = sparse.coo_array(np.ones(3))
    if vector.ndim == 1:  # not in the oldest SciPy, which makes a row of it
        with pytest.raises(errors.UnsupportedError, match=r"coo_array of shape \(3,\).*toarray"):
            sparse_matmul(vector, mg.ones(3))
