"""The operators of sparse matrices and Tensors: what they compute, and what they refuse."""

import operator
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import sparse

import minigrad as mg
from minigrad import errors
from tests.rows import each

FULL = np.array([[1.0, 0.0, 2.0], [0.0, -3.0, 0.0]])
EITHER = [getattr(sparse, f"{name}_{kind}") for name in ("coo", "csc", "csr", "dia") for kind in ("array", "matrix")]
X = np.array([[0.5, -1.0], [2.0, 3.0], [1.0, 0.0]])


@each("requires_grad", [True, False])
@pytest.mark.parametrize("make", EITHER, ids=lambda make: make.__name__)
def test_the_product_of_a_sparse_matrix_and_a_tensor_is_a_tensor(make, requires_grad):
    matrix = make(FULL)
    for value in (X, X[:, 0], np.stack([X, 2 * X])):
        x = mg.tensor(value, requires_grad=requires_grad)
        y = matrix @ x
        assert (type(y), y.requires_grad) == (mg.Tensor, requires_grad)
        np.testing.assert_allclose(y.detach(), FULL @ value)
    x = mg.tensor(X.T, requires_grad=requires_grad)
    y = x @ matrix.T
    assert (type(y), y.requires_grad) == (mg.Tensor, requires_grad)
    np.testing.assert_allclose(y.detach(), X.T @ FULL.T)
    with mg.no_grad():
        assert not (matrix @ mg.tensor(X, requires_grad=True)).requires_grad


def test_all_transforms_take_it():
    matrix = sparse.csr_array(FULL)
    weights = matrix.T @ matrix
    f = lambda x: (mg.tanh(matrix @ x) ** 2).sum()  # noqa: E731
    full = lambda x: (mg.tanh(FULL @ x) ** 2).sum()  # noqa: E731
    x, v = X[:, 0], X[:, 1]
    np.testing.assert_allclose(mg.grad(f)(x), mg.grad(full)(x))
    np.testing.assert_allclose(mg.jvp(f, (x,), (v,))[1], mg.jvp(full, (x,), (v,))[1])
    np.testing.assert_allclose(mg.hvp(f, x, v), mg.hvp(full, x, v))
    np.testing.assert_allclose(mg.hessian(lambda x: x @ (weights @ x))(x), 2 * FULL.T @ FULL)
    np.testing.assert_allclose(mg.jacobian(lambda x: matrix @ x)(x), FULL)


def test_methods_and_operators_of_sparse_matrices():
    matrix, array = sparse.csr_matrix(FULL), sparse.csr_array(FULL)
    x = mg.tensor(X[:, 0], requires_grad=True)
    for y in (matrix * x, matrix.dot(x), array.dot(x)):  # the older class multiplies matrices by *
        np.testing.assert_allclose(y.detach(), FULL @ X[:, 0])
        assert y.requires_grad
    np.testing.assert_allclose((x * matrix.T).detach(), X[:, 0] @ FULL.T)


@pytest.mark.parametrize("compute", [
    operator.add, operator.sub, operator.truediv, operator.mul, operator.lt, operator.floordiv,
], ids=lambda f: f.__name__)  # fmt: skip
def test_operators_that_would_fill_the_matrix_are_refused(compute):
    array, x = sparse.csr_array(FULL), mg.tensor(np.ones((2, 3)), requires_grad=True)
    with pytest.raises(errors.UnsupportedError, match=r"csr_array.*A @ x.*A\.toarray\(\)"):
        compute(x, array)
    with pytest.raises((errors.MinigradError, AttributeError, TypeError, ValueError)):  # SciPy's multiply asks first
        compute(array, x)
    with pytest.raises(errors.UnsupportedError, match="csr_matrix"):
        mg.tensor(2.0) * sparse.csr_matrix(FULL)


def test_shapes_that_do_not_fit_are_named():
    for make in (sparse.csr_array, sparse.coo_matrix):
        for call in (lambda m: m @ mg.ones(2), lambda m: mg.ones(3) @ m, lambda m: m @ mg.tensor(1.0)):
            with pytest.raises(errors.ShapeError, match=r"matmul of shapes"):
                call(make(FULL))


def test_other_conversions_are_what_they_were():
    x = mg.tensor(X, requires_grad=True)
    with pytest.raises(ValueError, match="unrecognized"):
        sparse.csr_array(x)
    with pytest.raises((errors.CutError, AttributeError)):
        sparse.csr_array(FULL.T).multiply(x)
    np.testing.assert_array_equal(sparse.csr_array(x.detach()).toarray(), X)
    assert pickle.loads(pickle.dumps(sparse.csr_array(FULL) @ mg.tensor(X))).shape == (2, 2)
    with pytest.raises(TypeError):
        mg.tensor(1.0) @ object()
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda i: (sparse.csr_array(FULL) @ mg.tensor(X * i)).numpy(), range(20)))
    np.testing.assert_allclose(found[3], 3 * FULL @ X)
