"""Matrices of derivatives by rows, by columns, in parts, and sparse; and linear functions that are made once."""

import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ArgumentError, DTypeError, ShapeError

F = nn.functional
sparse = pytest.importorskip("scipy.sparse")

X = np.random.default_rng(0).normal(size=4)
Z = X[:3] + 1j * X[1:]

FUNCTIONS = {
    "elements": lambda x: mg.sin(x) * x,
    "a number": lambda x: mg.sum(x**3),
    "more results": lambda x: mg.outer(x, np.arange(7.0)) * mg.sum(x**2),
    "matrices": lambda x: mg.linalg.inv(mg.reshape(x, (2, 2)) + 3 * np.eye(2)),
    "indices": lambda x: x[np.array([0, 0, 3])] * x[1:],
    "no dependence": lambda x: mg.asarray(np.ones(2)),
    "a tree": lambda x: {"a": x[:2], "b": [mg.prod(x), mg.stack([x, x * x])]},
    "softmax": lambda x: mg.softmax(x),
    "empty": lambda x: x[:0],
    "sorted": lambda x: mg.sort(x),
}


def leaves(tree):
    return mg.tree.flatten(tree)[0]


def differences(f, x, step=1e-6):
    """The Jacobian by central differences."""
    columns = []
    for unit in np.eye(x.size).reshape(x.size, *x.shape):
        ahead, behind = (leaves(f(mg.asarray(x + sign * step * unit))) for sign in (1, -1))
        columns.append([(a.numpy() - b.numpy()) / (2 * step) for a, b in zip(ahead, behind, strict=True)])
    return [np.stack(parts, axis=-1).reshape(*parts[0].shape, *x.shape) for parts in zip(*columns, strict=True)]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("transform", [mg.jacobian, mg.jacrev, mg.jacfwd])
@pytest.mark.parametrize("chunk_size", [None, 1, 3])
def test_rows_and_columns(name, transform, chunk_size):
    f = FUNCTIONS[name]
    found = leaves(transform(f, chunk_size=chunk_size)(X))
    for a, b in zip(found, differences(f, X), strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("transform", [mg.jacobian, mg.jacrev, mg.jacfwd])
def test_several_arguments_in_trees(transform):
    def f(p, t):
        return {"u": p["a"] * t, "v": mg.sum(p["b"][0] * p["a"]) * t}

    p = {"a": X[:2], "b": (X[2:],)}
    found = transform(f, (0, 1))(p, 1.5)
    np.testing.assert_allclose(found["u"][0]["a"], 1.5 * np.eye(2))
    np.testing.assert_allclose(found["u"][0]["b"][0], np.zeros((2, 2)))
    np.testing.assert_allclose(found["u"][1], X[:2])
    np.testing.assert_allclose(found["v"][0]["b"][0], 1.5 * X[:2])
    np.testing.assert_allclose(found["v"][1], X[2:] @ X[:2])


@pytest.mark.parametrize("transform", [mg.jacobian, mg.jacrev, mg.jacfwd])
def test_complex_numbers(transform):
    np.testing.assert_allclose(transform(lambda z: z**2)(Z), np.diag(2 * Z))
    np.testing.assert_allclose(transform(lambda z: mg.real(z) * mg.imag(z))(Z), np.diag(Z.imag + 1j * Z.real))
    np.testing.assert_allclose(transform(lambda x: mg.exp(1j * x))(X), np.diag(1j * np.exp(1j * X)))
    with pytest.raises(DTypeError, match="no complex derivative"):
        transform(mg.conj)(Z)


def test_the_way_with_fewer_vectors_is_taken():
    batches = []

    @mg.primitive(lambda g, y, x: of_gradient(g), kind="elementwise")
    def of_value(x, /):
        return +x

    @mg.primitive(lambda h, y, g: of_gradient(h), kind="elementwise")
    def of_gradient(g, /):
        batches.append(g.shape[:-1])
        return +g

    tall = mg.jacobian(lambda x: of_value(mg.outer(np.arange(50.0), x).reshape(-1)))(np.ones(2))
    assert max(batches) == (2,)
    np.testing.assert_array_equal(tall.reshape(50, 2, 2), np.arange(50.0)[:, None, None] * np.eye(2))
    batches.clear()
    wide = mg.jacobian(lambda x: of_value(mg.stack([mg.sum(x), x[0]])))(np.ones(50))
    assert max(batches) == (2,)
    assert wide.shape == (2, 50)


def test_higher_orders_and_outer_graphs():
    w = mg.tensor(2.0, requires_grad=True)
    for transform in (mg.jacrev, mg.jacfwd):
        matrix = transform(lambda x: mg.sin(x) * w**2)(X)
        mg.sum(matrix).backward()
        assert w.grad.item() == pytest.approx(4 * np.cos(X).sum())
        w.grad = None
    third = mg.jacobian(mg.hessian(lambda x: mg.sum(x**4)))(X)
    expected = np.zeros((4, 4, 4))
    expected[range(4), range(4), range(4)] = 24 * X
    np.testing.assert_allclose(third, expected)
    mixed = mg.jacfwd(mg.jacrev(lambda x: mg.prod(x)))(X)
    np.testing.assert_allclose(mixed, mg.hessian(lambda x: mg.prod(x))(X))


@pytest.mark.parametrize("transform", [mg.jacobian, mg.jacrev, mg.jacfwd, mg.hessian])
def test_compiled(transform):
    f = lambda x: mg.sum(mg.sin(x) * x[::-1])  # noqa: E731
    compiled = mg.jit(transform(f))
    for _ in range(3):
        np.testing.assert_allclose(compiled(X), transform(f)(X), rtol=1e-13, atol=1e-14)


def test_dropout_is_the_same_for_all_rows():
    mg.manual_seed(0)
    layer = nn.Dropout(0.5)
    matrix = mg.jacobian(lambda x: layer(x * x))(np.ones(20))
    assert set(np.unique(matrix.diagonal())) == {0.0, 4.0}
    np.testing.assert_array_equal(matrix, np.diag(matrix.diagonal()))


def test_checkpoints_are_computed_again_once():
    calls = []

    def f(x):
        calls.append(1)
        return mg.sin(x) * mg.random.rand(4)

    mg.manual_seed(0)
    draws = mg.random.rand(4).numpy()
    mg.manual_seed(0)
    np.testing.assert_allclose(mg.jacobian(mg.checkpoint(f))(X), np.diag(np.cos(X) * draws))
    assert len(calls) == 2


def test_under_anomaly_detection_every_row_is_looked_at():
    f = lambda x: mg.stack([x[0], mg.sqrt(x[1])])  # noqa: E731
    with mg.detect_anomaly(), pytest.raises(mg.errors.AnomalyError):
        mg.jacobian(f)(np.array([1.0, 0.0]))


def test_a_rule_in_python_alone_is_no_reason_to_warn():
    @mg.primitive(lambda g, y, x: backward(g))
    def forward(x, /):
        return x + 1

    @mg.primitive(lambda h, y, g: h)
    def backward(g, /):
        return g * 1

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(mg.jacobian(forward)(X), np.eye(4))


# Linear functions


def test_linearize_gives_the_value_and_products_with_the_jacobian():
    def f(x, p):
        return {"y": mg.sin(x) * p["scale"], "s": mg.sum(x)}

    value, push = mg.linearize(f, X, {"scale": 2.0})
    np.testing.assert_allclose(value["y"], 2 * np.sin(X))
    for t in np.eye(4):
        tangent = push(t, {"scale": 0.5})
        np.testing.assert_allclose(tangent["y"], 2 * np.cos(X) * t + 0.5 * np.sin(X))
        np.testing.assert_allclose(tangent["s"], t.sum())
        assert tangent["y"].tolist() == mg.jvp(f, (X, {"scale": 2.0}), (t, {"scale": 0.5}))[1]["y"].tolist()


def test_linearize_calls_the_function_once_and_stays_in_the_graph():
    calls = []
    w = mg.tensor(3.0, requires_grad=True)

    def f(x):
        calls.append(1)
        return w * x**2

    _, push = mg.linearize(f, X)
    results = [push(np.ones(4)) for _ in range(3)]
    assert len(calls) == 1
    mg.sum(results[-1]).backward()
    assert w.grad.item() == pytest.approx(2 * X.sum())
    with pytest.raises(ShapeError, match="tangent"):
        push(np.ones(3))


def test_linearize_of_a_gradient_is_the_hessian():
    f = lambda x: mg.sum(mg.sin(x) * mg.prod(x))  # noqa: E731
    _, product = mg.linearize(mg.grad(f), X)
    np.testing.assert_allclose([product(v) for v in np.eye(4)], mg.hessian(f)(X), rtol=1e-12)
    np.testing.assert_allclose(mg.vmap(product)(np.eye(4)), mg.hessian(f)(X), rtol=1e-12)
    compiled = mg.jit(lambda v: mg.linearize(mg.grad(f), X)[1](v))
    for _ in range(3):
        np.testing.assert_allclose(compiled(X), mg.hvp(f, X, X), rtol=1e-12)


# Sparse matrices


LONG = np.random.default_rng(1).normal(size=24)
MATRIX = sparse.random(24, 24, 0.1, random_state=0, format="csr")
PATTERNS = {
    "a chain": (lambda x: mg.sum(100 * (x[1:] - x[:-1] ** 2) ** 2), True, 70),
    "neighbours": (lambda x: x[1:] * x[:-1] + mg.sin(x[1:]), False, 46),
    "sums of rows": (lambda x: mg.sum(mg.reshape(x, (6, 4)) ** 2, axis=1), False, 24),
    "softmax of rows": (lambda x: mg.softmax(mg.reshape(x, (6, 4)), axis=-1).reshape(-1), False, 96),
    "running sums": (lambda x: mg.cumulative_sum(mg.reshape(x, (6, 4)), axis=1).reshape(-1), False, 96),
    "products of matrices": (lambda x: (mg.reshape(x, (6, 4)) @ np.ones((4, 3))).reshape(-1), False, 72),
    "from the left": (lambda x: (np.ones((2, 6)) @ mg.reshape(x, (6, 4))).reshape(-1), False, 48),
    "a vector": (lambda x: mg.reshape(x, (6, 4)) @ np.ones(4), False, 24),
    "a row": (lambda x: np.ones(6) @ mg.reshape(x, (6, 4)), False, 24),
    "two products": (lambda x: (mg.reshape(x[:8], (2, 4)) @ mg.reshape(x[8:16], (4, 2))).reshape(-1), False, 32),
    "joined": (lambda x: mg.concat([x[::2] ** 2, mg.flip(x)[:5], np.ones(2)]), False, 17),
    "stacked": (lambda x: mg.stack([x, mg.roll(x, 1)]).reshape(-1), False, 48),
    "padded": (lambda x: mg.pad(x, 2, constant_values=3.0) * 2, False, 24),
    "written": (lambda x: written(x), False, None),
    "picked": (lambda x: x[np.array([0, 5, 5])] * x[np.array([1, 2, 3])], False, 6),
    "a layer": (lambda x: F.linear(mg.reshape(x, (6, 4)), np.ones((3, 4)), np.ones(3)).reshape(-1), False, 72),
    "a sparse matrix": (lambda x: MATRIX @ x**2, False, MATRIX.nnz),
    "all": (lambda x: mg.linalg.inv(mg.reshape(x[:4], (2, 2))).reshape(-1), False, 16),
    "one number": (lambda x: mg.sum(x) * np.ones(3), False, 72),
    "broadcast": (lambda x: (mg.reshape(x, (6, 4)) * x[:4]).reshape(-1), False, None),
    "sorted": (lambda x: mg.sort(x)[:3], False, None),
    "no dependence": (lambda x: np.ones(5), False, 0),
    "nothing": (lambda x: x[:0], False, 0),
    "whole": (lambda x: mg.where(x > 0, x, mg.exp(x)), False, 24),
}  # fmt: skip


def written(x):
    y = x * 1
    y[1] = x[0] * x[5]
    y[2:4] += x[:2] ** 2
    return y


@pytest.mark.parametrize("name", PATTERNS)
def test_sparse_matrices_are_the_dense_ones(name):
    f, twice, count = PATTERNS[name]
    transform = mg.hessian if twice else mg.jacobian
    for chunk_size in (None, 2):
        found = transform(f, sparse=True, chunk_size=chunk_size)(LONG)
        expected = np.asarray(transform(f)(LONG))
        assert found.format == "csr"
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found.toarray(), expected, rtol=1e-13, atol=1e-14)
        if count is not None:
            assert found.nnz == count


def test_few_vectors_are_enough_for_a_band():
    """Of 2,000 columns three colours; one after another would be 2,000 passes over the graph."""
    passes = []

    @mg.primitive(lambda g, y, x: counted(g), kind="elementwise")
    def watched(x, /):
        return +x

    @mg.primitive(lambda h, y, g: h, kind="elementwise")
    def counted(g, /):
        passes.append(g.shape)
        return +g

    x = np.linspace(0, 1, 2000)
    found = mg.jacobian(lambda x: watched(x[2:] * x[1:-1] + x[:-2]), sparse=True)(x)
    assert found.shape == (1998, 2000)
    assert found.nnz == 3 * 1998
    assert max(shape[0] for shape in passes if len(shape) == 2) == 3


@pytest.mark.parametrize("f", [lambda x: (x, x), lambda x: 1j * x])
def test_sparse_matrices_of_other_things_are_refused(f):
    with pytest.raises(ArgumentError, match="one real array by one real array"):
        mg.jacobian(f, sparse=True)(LONG)
    with pytest.raises(ArgumentError, match="one real array"):
        mg.jacobian(lambda x, y: x * y, (0, 1), sparse=True)(LONG, LONG)


def test_matrices_of_derivatives_of_compiled_functions():
    f = lambda u: np.sin(u) * u[::-1]  # noqa: E731
    x = np.linspace(0.1, 1.0, 6)
    expected = np.diag(np.cos(x) * x[::-1]) + np.diag(np.sin(x))[:, ::-1]
    for compute in (mg.jacobian, mg.jacrev, mg.jacfwd):
        for chunk_size in (None, 1, 4):
            compiled = mg.jit(f)
            for _ in range(3):
                np.testing.assert_allclose(compute(compiled, chunk_size=chunk_size)(x), expected, rtol=1e-12)
    second = mg.grad(lambda x: mg.sum(mg.jacrev(mg.jit(f))(x) ** 2))(x)
    np.testing.assert_allclose(second, mg.grad(lambda x: mg.sum(mg.jacrev(f)(x) ** 2))(x), rtol=1e-12)


def test_sparse_matrices_have_no_graph():
    pytest.importorskip("scipy")
    inner = lambda v: mg.jacobian(lambda u: u**3, sparse=True)(v).sum()  # noqa: E731
    for outer in (mg.grad, mg.jacobian):
        with pytest.raises(mg.errors.CutError, match=r"matrices have no graph.*Leave out sparse, or call"):
            outer(inner)(np.arange(3.0))
    w = mg.tensor(np.ones(3), requires_grad=True)
    with pytest.raises(mg.errors.CutError, match="depends on Tensors that require grad"):
        mg.jacobian(lambda u: u * w, sparse=True)(np.arange(3.0))
    with mg.no_grad():
        assert mg.jacobian(lambda u: u * w, sparse=True)(np.arange(3.0)).nnz == 3
    for wrong in (0, -1, 1.5):
        with pytest.raises(mg.errors.ArgumentError, match="jacobian: chunk_size must be an integer of at least 1"):
            mg.jacobian(lambda u: u**3, sparse=True, chunk_size=wrong)
