"""Derivatives inside of a batch, of what a function around it has: each against a loop over the samples."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.nn import functional as F  # noqa: N812  # PyTorch's users know it by this letter

RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(4, 3)) + 3
MATRICES = np.stack([x @ x.T + 3 * np.eye(3) for x in RNG.normal(size=(4, 3, 3))])
OUTER, INNER = np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0])


def looped(f, batch):
    return np.stack([np.asarray(f(x)) for x in batch])


def symmetric(x):
    return (x + x.T) / 2


OF_VECTORS = {
    "norm": np.linalg.norm,
    "sqrt": lambda x: np.sqrt(x).sum(),
    "std": np.std,
    "prod": np.prod,
    "cumprod": lambda x: np.cumprod(x).sum(),
    "hypot": lambda x: np.hypot(x[0], x[1]),
    "layer_norm": lambda x: (F.layer_norm(x, (3,)) ** 3).sum(),
    "fft": lambda x: (np.abs(np.fft.fft(x)) ** 2).sum(),
    "softmax": lambda x: mg.softmax(x)[0],
}
OF_MATRICES = {
    "det": np.linalg.det,
    "slogdet": lambda x: np.linalg.slogdet(x)[1],
    "inv": lambda x: np.linalg.inv(x).sum(),
    "solve": lambda x: np.linalg.solve(x, np.ones(3)).sum(),
    "solve_triangular": lambda x: mg.linalg.solve_triangular(np.tril(x), np.ones(3), lower=True).sum(),
    "cho_solve": lambda x: mg.linalg.cho_solve(mg.linalg.cho_factor(symmetric(x)), np.ones(3)).sum(),
    "cholesky": lambda x: np.linalg.cholesky(symmetric(x)).sum(),
    "eigvalsh": lambda x: (np.linalg.eigvalsh(symmetric(x)) ** 2).sum(),
    "svdvals": lambda x: np.linalg.svdvals(x).max(),
    "qr": lambda x: (np.linalg.qr(x)[1] ** 3).sum(),
}
MAPS = {
    "softmax": mg.softmax,
    "log_softmax": mg.log_softmax,
    "shares": lambda w: w / w.sum(),
    "power": lambda w: w ** w[0],
    "unit": lambda w: w / np.linalg.norm(w),
    "layer": lambda w: np.ones((2, 3)) @ np.tanh(w),
}
PAIRS = {  # with their derivatives by z
    "divide": (lambda u, z: u / z, lambda u, z: -u / z**2),
    "power": (lambda u, z: z**u, lambda u, z: u * z ** (u - 1)),
    "maximum": (lambda u, z: np.maximum(u * z, 2.5 * z), lambda u, z: np.where(u > 2.5, u, 2.5) + 0 * z),
    "where": (lambda u, z: np.where(z > 2, z * z * u, z * u), lambda u, z: np.where(z > 2, 2 * z * u, u)),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*one sample after another")
@pytest.mark.parametrize("name", [*OF_VECTORS, *OF_MATRICES])
def test_hessians_of_a_batch(name):
    f, batch = (OF_VECTORS[name], VECTORS) if name in OF_VECTORS else (OF_MATRICES[name], MATRICES)
    wanted = looped(mg.hessian(f), batch)
    np.testing.assert_allclose(mg.vmap(mg.hessian(f))(batch), wanted, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(mg.vmap(mg.hessian(f), chunk_size=1)(batch), wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("derivative", [mg.jacobian, mg.jacrev, mg.jacfwd])
def test_jacobians_of_a_batch(name, derivative):
    f = MAPS[name]
    wanted = looped(derivative(f), VECTORS)
    np.testing.assert_allclose(mg.vmap(derivative(f))(VECTORS), wanted, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(mg.jit(mg.vmap(derivative(f)))(VECTORS), wanted, rtol=1e-9, atol=1e-12)


WAYS = {  # to the derivative of f(b, z) at z = a
    "grad": lambda f, a, b: mg.grad(lambda z: f(b, z))(a),
    "jvp": lambda f, a, b: mg.jvp(lambda z: f(b, z), (a,), (1.0,))[1],
    "vjp": lambda f, a, b: mg.vjp(lambda z: f(b, z), a)[1](1.0)[0],
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("way", WAYS)
def test_a_derivative_by_what_an_outer_batch_has(name, way):
    f, known = PAIRS[name]
    at = WAYS[way]
    wanted = known(INNER, OUTER[:, None])
    found = mg.vmap(lambda a: mg.vmap(lambda b: at(f, a, b))(INNER))(OUTER)
    np.testing.assert_allclose(found, wanted)
    given = mg.vmap(lambda a: mg.vmap(lambda b, a: at(f, a, b), in_axes=(0, None))(INNER, a))(OUTER)
    np.testing.assert_allclose(given, wanted)
    three = mg.vmap(lambda a: mg.vmap(lambda b: mg.vmap(lambda c: c * at(f, a, b))(INNER))(INNER))(OUTER)
    np.testing.assert_allclose(three, wanted[..., None] * INNER)


@pytest.mark.parametrize("name", PAIRS)
def test_a_derivative_by_what_a_compiled_function_or_a_loop_around_has(name):
    f, known = PAIRS[name]
    wanted = known(INNER, OUTER[:, None])

    def slope(a, b):
        return mg.grad(lambda z: f(b, z))(a)

    batch = mg.jit(lambda a: mg.vmap(lambda b: slope(a, b))(INNER))
    total = mg.jit(lambda a: mg.scan(lambda c, b: (c + slope(a, b), c), 0.0, INNER)[0])
    branch = mg.jit(lambda a: mg.cond(True, lambda: slope(a, 3.0), lambda: a))
    for a, slopes in zip(OUTER, wanted, strict=True):
        np.testing.assert_allclose(batch(float(a)), slopes)
        np.testing.assert_allclose(total(float(a)), slopes.sum())
        np.testing.assert_allclose(branch(float(a)), slopes[1])
    totals = mg.vmap(lambda a: mg.scan(lambda c, b: (c + slope(a, b), c), 0.0, INNER)[0])
    np.testing.assert_allclose(totals(OUTER), wanted.sum(axis=1))
    branches = mg.vmap(lambda a: mg.cond(a > 1.5, lambda: slope(a, 3.0), lambda: a))
    np.testing.assert_allclose(branches(OUTER), np.where(OUTER > 1.5, wanted[:, 1], OUTER))


def pulled_inside(w, f, directions):
    return mg.vmap(lambda u: mg.vjp(f, w)[1](u)[0])(directions)


def pulled_from_around(w, f, directions):
    pull = mg.vjp(f, w)[1]
    return mg.vmap(lambda u: pull(u)[0])(directions)


@pytest.mark.parametrize("pulled", [pulled_inside, pulled_from_around])
def test_a_pullback_of_an_outer_batch_is_mapped_inside(pulled):
    found = mg.vmap(lambda w: pulled(w, lambda z: np.sum(z**3), INNER))(VECTORS)
    np.testing.assert_allclose(found, 3 * VECTORS[:, None] ** 2 * INNER[:, None])


def test_a_derivative_of_a_batch_of_derivatives():
    found = mg.grad(lambda w: mg.vmap(lambda u: mg.grad(lambda z: (z**3 * u).sum())(w))(INNER).sum())(VECTORS[0])
    np.testing.assert_allclose(found, 6 * VECTORS[0] * INNER.sum())
    slopes = mg.vmap(lambda a: mg.vmap(lambda b: mg.grad(mg.grad(lambda z: z**3 * b))(a))(INNER))(OUTER)
    np.testing.assert_allclose(slopes, 6 * OUTER[:, None] * INNER)


def test_the_gradients_of_a_kernel_between_all_pairs():
    kernel = mg.grad(lambda x, y: np.exp(-((x - y) ** 2).sum() / 9))
    found = mg.vmap(lambda x: mg.vmap(lambda y: kernel(x, y))(VECTORS))(VECTORS)
    differences = VECTORS[:, None] - VECTORS
    wanted = -2 / 9 * differences * np.exp(-(differences**2).sum(axis=-1, keepdims=True) / 9)
    np.testing.assert_allclose(found, wanted, atol=1e-12)
