"""Eigenvalues of Hessians and loss surfaces: against known spectra and dense matrices, and what they leave alone."""

import dataclasses
import inspect
import math
import sys
from contextlib import suppress

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, nn, optim
from minigrad.curvature import Spectrum, loss_surface, spectrum
from minigrad.curvature.lanczos import extreme_eigenpairs
from minigrad.nn.restoring import with_state_restored
from minigrad.settings import unusual
from tests.rows import each


def bowl(w):
    return w[0] ** 2 + 10 * w[1] ** 2


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def symmetric(eigenvalues, seed=0):
    """A matrix with these eigenvalues, and random eigenvectors."""
    n = len(eigenvalues)
    Q, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((n, n)))
    A = (Q * np.asarray(eigenvalues, float)) @ Q.T
    return (A + A.T) / 2


def quadratic(A):
    return lambda x: 0.5 * x @ A @ x


def ends(values, k):
    values = np.sort(values)
    return np.r_[values[:k], values[-k:]]


# What eigenvalues say


def test_a_bowl_has_the_numbers_of_the_textbook():
    found = spectrum(bowl, np.array([3.0, -1.0]))
    np.testing.assert_allclose(found.eigenvalues, [2, 20], rtol=1e-14)
    assert found.complete
    assert (found.smallest, found.largest) == pytest.approx((2, 20), rel=1e-14)
    assert found.condition_number == pytest.approx(10, rel=1e-14)
    assert found.lr_limit == pytest.approx(0.1, rel=1e-14)
    assert found.lr_best == pytest.approx(1 / 11, rel=1e-14)
    assert found.rate(found.lr_best) == pytest.approx(9 / 11, rel=1e-14)
    assert found.rate(found.lr_limit) == pytest.approx(1, rel=1e-14)
    assert found.rate(0.0) == 1


def test_a_wavy_bowl_is_a_saddle_at_the_origin():
    found = spectrum(lambda w: w[0] ** 2 + 3 * w[1] ** 2 + 0.5 * np.sin(3 * w[0]) * np.sin(3 * w[1]), np.zeros(2))
    np.testing.assert_allclose(found.eigenvalues, [-0.9244289008980524, 8.924428900898052], rtol=1e-14)
    assert math.isnan(found.condition_number)
    assert math.isnan(found.lr_best)
    assert all(map(math.isnan, found.momentum_best))
    assert found.lr_limit == 2 / found.largest
    assert found.rate(0.1) > 1
    assert found.steps(0.1, factor=10) == math.inf


def test_the_hessian_of_half_the_mean_squared_error_is_the_covariance_of_the_inputs():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((30, 4)), rng.standard_normal((30, 1))
    model = nn.Linear(4, 1, bias=False)
    found = spectrum(lambda: 0.5 * nn.functional.mse_loss(model(X), y), model)
    np.testing.assert_allclose(found.eigenvalues, np.linalg.eigvalsh(X.T @ X / 30), rtol=1e-12)


@pytest.mark.parametrize("lr", [0.01, 1 / 11, 0.099])
def test_the_predicted_rate_and_steps_are_those_of_gradient_descent(lr):
    bowl_spectrum, w = Spectrum([2.0, 20.0]), mg.tensor([1.0, 1.0], requires_grad=True)
    optimizer, distances = optim.SGD([w], lr=lr), [math.sqrt(2)]
    for _ in range(2000):
        optimizer.zero_grad()
        bowl(w).backward()
        optimizer.step()
        distances.append(float(np.linalg.norm(w.detach().numpy())))
        if distances[-1] < 1e-8:
            break
    assert distances[-1] / distances[-2] == pytest.approx(bowl_spectrum.rate(lr), rel=1e-6)
    reached = next(i for i, d in enumerate(distances) if d <= distances[0] / 1e6)
    assert (
        reached
        <= bowl_spectrum.steps(lr, factor=1e6)
        <= reached + 0.5 * math.log(2) / -math.log(bowl_spectrum.rate(lr)) + 1
    )


@pytest.mark.parametrize("off", [0.9, 1.1])
def test_no_learning_rate_is_better_than_the_best(off):
    found = Spectrum([0.3, 1.0, 7.0])
    assert found.rate(off * found.lr_best) > found.rate(found.lr_best) == pytest.approx(6.7 / 7.3)


def test_the_best_momentum_shrinks_the_distance_at_the_predicted_rate_and_no_other_near_it_does_better():
    def measured(lr, beta):
        w = mg.tensor([1.0, 1.0], requires_grad=True)
        optimizer = optim.SGD([w], lr=lr, momentum=beta)
        distances = []
        for _ in range(120):
            optimizer.zero_grad()
            (0.5 * (w[0] ** 2 + 100 * w[1] ** 2)).backward()
            optimizer.step()
            distances.append(float(np.linalg.norm(w.detach().numpy())))
        return (distances[-1] / distances[59]) ** (1 / 60)

    best = Spectrum([1.0, 100.0]).momentum_best
    assert best == pytest.approx((4 / 121, (9 / 11) ** 2, 9 / 11))
    assert measured(best.lr, best.beta) == pytest.approx(best.rate, rel=0.02)
    for lr, beta in [(0.6 * best.lr, best.beta), (best.lr, 0.8 * best.beta), (best.lr, 1.2 * best.beta)]:
        assert measured(lr, beta) > measured(best.lr, best.beta)


@each(
    ("eigenvalues", "condition_number", "lr_limit", "lr_best"),
    [
        ([5.0], 1.0, 0.4, 0.2),
        ([1.0, 1.0], 1.0, 2.0, 1.0),
        ([0.0, 4.0], math.inf, 0.5, math.nan),
        ([-1.0, 4.0], math.nan, 0.5, math.nan),
        ([-4.0, -1.0], math.nan, math.inf, math.nan),
        ([-1.0, 0.0], math.nan, math.inf, math.nan),
        ([0.0, 0.0], math.nan, math.inf, math.nan),
    ],
)
def test_flat_and_negative_directions_have_their_rules(eigenvalues, condition_number, lr_limit, lr_best):
    found = Spectrum(eigenvalues)
    given = found.condition_number, found.lr_limit, found.lr_best, *found.momentum_best
    momentum = [lr_best, 0.0, 0.0] if condition_number == 1 else [math.nan] * 3
    np.testing.assert_allclose(given, [condition_number, lr_limit, lr_best, *momentum])


def test_what_is_within_the_error_of_zero_counts_as_zero():
    for sign in (-1, 1):
        found = Spectrum([sign * 1e-9, 2.0], error=1e-8)
        assert found.condition_number == math.inf
        assert math.isnan(found.lr_best)
        assert found.rate(0.5) == 1
        assert Spectrum([sign * 1e-9], error=1e-8).lr_limit == math.inf
    assert Spectrum([1e-9, 2.0]).condition_number == pytest.approx(2e9)


def test_a_loss_with_more_weights_than_rows_is_flat_and_rounding_does_not_make_it_a_saddle():
    X = np.random.default_rng(0).standard_normal((3, 10))
    for k in (None, 2):
        assert spectrum(lambda w: ((X @ w) ** 2).sum(), np.zeros(10), k).condition_number == math.inf


def test_steps_are_counted_to_the_whole_number_that_rounding_hides():
    assert Spectrum([0.9]).steps(1.0, factor=1000) == 3
    assert Spectrum([0.5]).steps(1.0, factor=8) == 3
    assert Spectrum([0.2]).steps(1.0, factor=1.25**8) == 8
    assert Spectrum([0.5]).steps(1.0, factor=8.01) == 4
    assert Spectrum([1.0]).steps(1.0, factor=1e9) == 1
    assert Spectrum([1.0]).steps(3.0, factor=1) == 0
    assert Spectrum([1.0]).steps(2.0, factor=2) == math.inf
    for factor in (0.5, math.nan, math.inf):
        with pytest.raises(errors.ArgumentError, match="how many times nearer"):
            Spectrum([1.0]).steps(1.0, factor=factor)


def test_a_spectrum_is_sorted_and_cannot_be_changed():
    given = np.array([3, 1, 2])
    found = Spectrum(given)
    given[0] = 100
    assert found.eigenvalues.dtype == np.float64
    np.testing.assert_array_equal(found.eigenvalues, [1, 2, 3])
    with pytest.raises(ValueError, match="read-only"):
        found.eigenvalues[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.complete = False


@pytest.mark.parametrize("bad", [[], [1.0, np.nan], [np.inf]])
def test_a_spectrum_without_finite_eigenvalues_is_refused(bad):
    with pytest.raises(errors.ArgumentError, match="finite eigenvalues"):
        Spectrum(bad)


def test_a_spectrum_of_complex_numbers_is_refused():
    with pytest.raises(errors.DTypeError, match="eigvalsh"):
        Spectrum(np.array([1.0 + 0j]))


def test_a_spectrum_is_printed_as_a_table():
    assert repr(Spectrum([-1.0, 4.0])) == (
        "eigenvalues       -1, 4\n"
        "condition number  nan\n"
        "lr limit          0.5\n"
        "lr best           none: not all eigenvalues are positive"
    )
    assert "1, 2, 3, ..., 8, 9, 10 (all 10)" in repr(Spectrum(range(1, 11)))
    assert "1, 2, ..., 3, 4 (4 of more)" in repr(Spectrum(range(1, 5), complete=False))
    assert "rate 0.8182" in repr(Spectrum([2.0, 20.0]))


# Points of all forms


def test_the_full_spectrum_is_that_of_the_hessian():
    x = np.random.default_rng(0).standard_normal((3, 2))
    f = lambda x: (np.exp(x) @ x.T).sum() * x[0, 0]  # noqa: E731
    expected = np.linalg.eigvalsh(mg.hessian(f)(x).reshape(6, 6))
    np.testing.assert_allclose(spectrum(f, x).eigenvalues, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(spectrum(f, x, 2).eigenvalues, ends(expected, 2), rtol=1e-9)


def test_trees_are_taken_as_one_vector():
    point = {"w": [np.ones(2), mg.tensor([[2.0]])], "b": (3.0, None)}

    def f(p):
        assert p["b"][1] is None
        flat = mg.concat([p["w"][0], p["w"][1].reshape(-1), p["b"][0].reshape(1)])
        return rosenbrock(flat)

    expected = np.linalg.eigvalsh(mg.hessian(rosenbrock)(np.array([1.0, 1.0, 2.0, 3.0])))
    np.testing.assert_allclose(spectrum(f, point).eigenvalues, expected, rtol=1e-12)
    np.testing.assert_allclose(spectrum(f, point, k=1).eigenvalues, ends(expected, 1), rtol=1e-9)


@each("x", [2, 2.0, np.float64(2), np.array(2), np.array([2.0]), mg.tensor(2.0), [2], (2.0,)])
@each("k", [None, 1, 5])
def test_one_number_has_one_eigenvalue(x, k):
    def cube(x):
        return (x[0] if isinstance(x, list | tuple) else x) ** 3

    found = spectrum(cube, x, k)
    np.testing.assert_allclose(found.eigenvalues, [12.0])
    assert found.complete


def test_a_tensor_that_requires_grad_is_left_alone():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    assert spectrum(bowl, x).largest == pytest.approx(20)
    assert x.grad is None
    assert x.is_leaf


def test_data_are_handed_on():
    X = np.array([[1.0, 0.0], [0.0, 2.0]])
    assert spectrum(lambda w, X, c: c * ((X @ w) ** 2).sum(), np.zeros(2), data=(X, 3.0)).largest == pytest.approx(24)
    model = nn.Linear(2, 1, bias=False)
    assert spectrum(lambda X, c: c * (model(X) ** 2).sum(), model, data=(X, 3.0)).largest == pytest.approx(24)


@pytest.mark.parametrize("k", [None, 2])
def test_float32_is_computed_in_float32_and_reported_in_float64_with_its_error(k):
    A = symmetric(np.linspace(1, 5, 30)).astype(np.float32)
    seen = []

    def f(x):
        seen.append(x.dtype)
        return quadratic(A)(x)

    found = spectrum(f, np.ones(30, np.float32), k)
    assert seen == [np.float32]
    assert found.eigenvalues.dtype == np.float64
    expected = np.linspace(1, 5, 30) if k is None else ends(np.linspace(1, 5, 30), k)
    np.testing.assert_allclose(found.eigenvalues, expected, rtol=1e-5)
    assert 1e-7 < found.error < 1e-2


@pytest.mark.parametrize("f", [lambda x: (3 * x).sum(), lambda x: 1.0, lambda x: (x * 0.0).sum() + x[0]])
@pytest.mark.parametrize("k", [None, 1, 3])
def test_a_function_without_curvature_has_zeros(f, k):
    found = spectrum(f, np.ones(9), k)
    np.testing.assert_array_equal(found.eigenvalues, np.zeros(9 if k is None else 2 * k))
    assert found.lr_limit == math.inf


def test_derivatives_of_any_order_are_recorded_under_no_grad_and_with_tensors_outside():
    c = mg.tensor(3.0, requires_grad=True)
    with mg.no_grad():
        assert spectrum(lambda x: (c * x**2).sum(), np.ones(5), k=1).largest == pytest.approx(6)
    assert spectrum(lambda x: (c * x**2).sum(), np.ones(5), k=1).largest == pytest.approx(6)
    assert c.grad is None


# The Lanczos method


@each("k", [1, 2, 3, 7])
@each(
    "eigenvalues",
    [
        pytest.param(np.random.default_rng(3).standard_normal(60), id="random"),
        pytest.param(np.linspace(1, 2, 60), id="evenly spaced"),
        pytest.param(np.logspace(-3, 3, 60), id="over six decades"),
        pytest.param(np.r_[np.full(7, -3.0), np.linspace(0, 1, 46), np.full(7, 8.0)], id="multiple at both ends"),
        pytest.param(np.r_[np.zeros(50), np.arange(1.0, 11)], id="nearly all zero"),
        pytest.param(np.r_[np.linspace(0, 1, 50), 9 + 1e-6 * np.arange(10)], id="a cluster at one end"),
        pytest.param(np.r_[1.0, np.zeros(59)], id="rank one"),
        pytest.param(np.full(60, 4.0), id="all equal"),
        pytest.param(-np.arange(60.0), id="negative"),
    ],
)
def test_lanczos_finds_the_ends_with_their_multiplicities(eigenvalues, k):
    A = symmetric(eigenvalues)
    found = spectrum(quadratic(A), np.ones(60), k)
    assert not found.complete
    scale = np.abs(eigenvalues).max()
    np.testing.assert_allclose(found.eigenvalues, ends(eigenvalues, k), rtol=0, atol=1e-11 * scale)
    assert found.error <= 1e-10 * scale


@each("n", [1, 2, 3, 4, 5, 6, 7, 8])
@each("k", [1, 2, 3])
def test_small_matrices_have_no_more_eigenvalues_than_rows(n, k):
    eigenvalues = np.arange(1.0, n + 1)
    found = spectrum(quadratic(symmetric(eigenvalues)), np.zeros(n), k)
    expected = eigenvalues if 2 * k >= n else ends(eigenvalues, k)
    np.testing.assert_allclose(found.eigenvalues, expected, rtol=1e-12)
    assert found.complete == (2 * k >= n)


@pytest.mark.parametrize(("low", "high"), [(0, 2), (3, 1), (1, 0), (4, 4)])
def test_the_eigenvectors_belong_to_the_eigenvalues(low, high):
    eigenvalues = np.r_[np.linspace(-1, 1, 37), 5.0, 5.0, -2.0]
    A = symmetric(eigenvalues)
    values, vectors, error = extreme_eigenpairs(
        lambda v: A @ v, 40, low, high, tol=1e-10, max_products=40, generator=np.random.default_rng(1)
    )
    eigenvalues = np.sort(eigenvalues)
    np.testing.assert_allclose(values, np.r_[eigenvalues[:low], eigenvalues[40 - high :]], atol=1e-12)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(low + high), atol=1e-12)
    residuals = np.linalg.norm(A @ vectors - values * vectors, axis=0)
    assert residuals.max() <= error + 1e-13
    assert error <= 5e-10


@each("rank", range(10))
@each("k", [1, 2, 3])
def test_eigenvectors_stay_orthogonal_where_most_coordinates_are_exactly_zero(rank, k):
    # What is left of a product is then rounding error within the basis, which must not become a new basis vector.
    diagonal = np.r_[np.full(rank, 2.0), np.zeros(10 - rank)]
    values, vectors, _ = extreme_eigenpairs(
        lambda v: diagonal * v, 10, k, k, tol=1e-10, max_products=10, generator=np.random.default_rng(0)
    )
    np.testing.assert_allclose(values, ends(diagonal, k), atol=1e-14)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(2 * k), atol=1e-14)


def test_lanczos_stops_long_before_the_basis_is_complete_and_reports_a_true_bound():
    A = symmetric(np.r_[np.linspace(1, 2, 397), 4, 6, 8], seed=2)
    products = []
    values, _, error = extreme_eigenpairs(
        lambda v: products.append(1) or A @ v, 400, 0, 1, tol=1e-4, max_products=400, generator=np.random.default_rng(0)
    )
    assert len(products) < 40
    assert 1e-14 < error <= 8e-4
    assert abs(values[0] - 8) <= error


def test_too_few_iterations_are_reported_with_what_is_known_so_far():
    f, x = quadratic(symmetric(np.linspace(1, 2, 200))), np.zeros(200)
    with pytest.raises(errors.ArgumentError, match=r"max_iterations=10 .* from 1\.\d+ to 1\.\d+, .* tol"):
        spectrum(f, x, k=2, max_iterations=10)
    rough = spectrum(f, x, k=2, max_iterations=60, tol=1e-2)
    np.testing.assert_allclose(rough.eigenvalues, ends(np.linspace(1, 2, 200), 2), atol=2e-2)
    assert 1e-9 < rough.error <= 2e-2


@pytest.mark.parametrize("n", [2, 10, 200])
def test_rosenbrock_at_its_minimum(n):
    full = spectrum(rosenbrock, np.ones(n))
    # The Hessian at (1, ..., 1) is tridiagonal.
    i = np.arange(n)
    H = np.diag(802.0 * (i < n - 1) + 200 * (i > 0)) - 400 * (np.eye(n, k=1) + np.eye(n, k=-1))
    np.testing.assert_allclose(full.eigenvalues, np.linalg.eigvalsh(H), rtol=1e-9)
    assert full.condition_number > 1000
    found = spectrum(rosenbrock, np.ones(n), k=1)
    np.testing.assert_allclose(found.eigenvalues, full.eigenvalues[[0, -1]], rtol=1e-7)


def test_arpack_agrees_on_a_network():
    sparse = pytest.importorskip("scipy.sparse.linalg")
    model, loss = network()
    found = spectrum(loss, model, k=4)
    n = sum(p.size for p in model.parameters())

    def product(v):
        names, shapes = zip(*[(name, p.shape) for name, p in model.named_parameters()], strict=True)
        parts = np.split(v, np.cumsum([math.prod(shape) for shape in shapes])[:-1])
        tangent = {name: part.reshape(shape) for name, part, shape in zip(names, parts, shapes, strict=True)}
        point = {name: p.detach().numpy() for name, p in model.named_parameters()}
        of_parameters = lambda p: ((nn.functional_call(model, p, X) - Y) ** 2).mean()  # noqa: E731
        return np.concatenate([g.ravel() for g in mg.hvp(of_parameters, point, tangent).values()])

    expected = sparse.eigsh(sparse.LinearOperator((n, n), product, dtype=float), 8, which="BE", tol=1e-10)[0]
    np.testing.assert_allclose(found.eigenvalues, np.sort(expected), rtol=1e-8)
    np.testing.assert_allclose(found.eigenvalues, ends(spectrum(loss, model).eigenvalues, 4), rtol=1e-9)


def test_the_function_is_evaluated_once_so_that_all_products_are_of_one_matrix():
    calls = []

    def noisy(x):
        calls.append(1)
        return (mg.random.rand(50) * x * x).sum()

    found = spectrum(noisy, np.ones(50), k=3)
    assert len(calls) == 1
    assert found.error < 1e-9


def test_start_vectors_come_from_the_given_generator_or_from_one_that_is_always_the_same():
    f, x = quadratic(symmetric(np.linspace(1, 2, 80))), np.zeros(80)
    before = mg.random.get_state()
    first, second = spectrum(f, x, k=1, tol=1e-2), spectrum(f, x, k=1, tol=1e-2)
    np.testing.assert_array_equal(first.eigenvalues, second.eigenvalues)
    assert mg.random.get_state() == before
    other = spectrum(f, x, k=1, tol=1e-2, generator=np.random.default_rng(1))
    assert np.all(other.eigenvalues != first.eigenvalues)


# What is refused


def test_more_than_one_number_is_refused():
    with pytest.raises(errors.GraphError, match="single number"):
        spectrum(lambda x: x * x, np.ones(3))
    model = nn.Linear(2, 2)
    with pytest.raises(errors.GraphError, match="single number"):
        spectrum(lambda: model(np.ones(2)), model)


@pytest.mark.parametrize("x", [np.ones(0), [], {}, None, [np.ones((3, 0))]])
def test_nothing_is_refused(x):
    with pytest.raises(errors.ShapeError, match="no elements"):
        spectrum(lambda x: 1.0, x)


@pytest.mark.parametrize("x", [np.ones(2, complex), np.array([True, False]), "ab", [np.ones(2), True]])
def test_what_are_no_real_numbers_is_refused(x):
    with pytest.raises(errors.DTypeError):
        spectrum(lambda x: 1.0, x)


@pytest.mark.parametrize("k", [None, 1])
@pytest.mark.parametrize("f", [lambda x: (x / 0.0 * 0.0).sum() + (x * x * np.nan).sum(), lambda x: np.sqrt(x).sum()])
def test_a_hessian_that_is_not_finite_is_refused(f, k):
    with np.errstate(all="ignore"), pytest.raises(errors.AnomalyError, match=r"Hessian is not finite.*detect_anomaly"):
        spectrum(f, np.zeros(5), k)


@each(
    "options",
    [
        {"k": 0}, {"k": -1}, {"k": 1.5}, {"k": "all"}, {"k": 1, "tol": 0.0}, {"k": 1, "tol": 2},
        {"k": 1, "tol": np.nan}, {"k": 1, "max_iterations": 0}, {"k": 3, "max_iterations": 5},
    ],
)  # fmt: skip
def test_options_without_sense_are_refused(options):
    with pytest.raises(errors.ArgumentError, match=r"spectrum: (k|tol|max_iterations)"):
        spectrum(lambda x: (x * x).sum(), np.ones(10), **options)


def test_a_full_matrix_that_would_not_fit_is_refused():
    with pytest.raises(errors.ArgumentError, match=r"80 GB: ask for the k smallest"):
        spectrum(lambda x: (x * x).sum(), np.ones(100_000))
    assert spectrum(lambda x: (x * x).sum(), np.ones(100_000), k=1).largest == pytest.approx(2)


# Networks

X = np.random.default_rng(0).standard_normal((20, 3))
Y = np.sin(X.sum(axis=1, keepdims=True))


def network(seed=0, dtype=np.float64):
    with mg.random.using(seed):
        model = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 1)).astype(dtype)
    return model, lambda: ((model(X.astype(dtype)) - Y.astype(dtype)) ** 2).mean()


class _Remembered:
    """All there is to know about a module, to be compared with what it is later."""

    def __init__(self, module):
        self.module, self.seen, self.numbers = module, self.look(module), mg.random.get_state()

    @staticmethod
    def look(module):
        tensors = dict(module.named_parameters()) | dict(module.named_buffers())
        return (
            {name: (id(t), id(t.array), t.data.tobytes(), id(t.node)) for name, t in tensors.items()},
            {name: t.grad if t.grad is None else t.grad.tolist() for name, t in tensors.items()},
            [sorted((key, id(value)) for key, value in vars(part).items()) for part in module.modules()],
        )

    def check(self):
        assert self.look(self.module) == self.seen
        assert mg.random.get_state() == self.numbers


def everything():
    """A network of parts that change when they are called."""

    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.calls = 0

        def forward(self, x):
            self.calls += 1
            setattr(self, f"input_of_call_{self.calls}", x)
            return x

    words = nn.Embedding(5, 3, max_norm=0.1)
    net = nn.Sequential(
        words,
        nn.utils.spectral_norm(nn.Linear(3, 4)),
        nn.BatchNorm1d(4),
        nn.Tanh(),
        nn.Dropout(0.5),
        Counting(),
        nn.utils.weight_norm(nn.Linear(4, 1)),
    )
    net[3].eval()
    rows = np.array([0, 1, 2, 3, 3])
    loss = lambda: ((net(rows) - Y[:5]) ** 2).mean()  # noqa: E731
    loss().backward()
    return net, loss


def full(loss, module):
    return spectrum(loss, module)


def lanczos(loss, module):
    return spectrum(loss, module, k=2)


def surface(loss, module):
    return loss_surface(loss, module, points=3, generator=np.random.default_rng(0))


def along_eigenvectors(loss, module):
    return loss_surface(loss, module, points=2, directions="hessian")


@pytest.mark.parametrize("measure", [full, lanczos, surface, along_eigenvectors])
@pytest.mark.parametrize("training", [True, False])
def test_a_module_is_left_as_it_was(measure, training):
    net, loss = everything()
    net.train(training)
    before = _Remembered(net)
    measure(loss, net)
    before.check()


@pytest.mark.parametrize(
    ("measure", "call"),
    [(full, 1), (lanczos, 1), (surface, 1), (surface, 5), (along_eigenvectors, 1), (along_eigenvectors, 3)],
)
@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_a_module_is_left_as_it_was_when_the_loss_raises(measure, call, error):
    net, loss = everything()
    before, calls = _Remembered(net), []

    def failing():
        value = loss()
        calls.append(1)
        if len(calls) == call:
            raise error
        return value

    with pytest.raises(error):
        measure(failing, net)
    assert mg.is_grad_enabled()
    before.check()


class _InterruptAt:
    """Raises KeyboardInterrupt before the n-th line that minigrad executes, as Ctrl-C might.

    The line that restores everything is left out: it is one call into C, and Python looks for signals after calls and
    jumps only.  So is the grad mode, whose blocks have tests of their own.
    """

    def __init__(self, n):
        self.left, self.fired = n, False
        lines, start = inspect.getsourcelines(with_state_restored)
        self.atomic = start + next(i for i, line in enumerate(lines) if "(restore, 0)" in line)

    def __enter__(self):
        self.outer = sys.gettrace()
        sys.settrace(self.trace)

    def __exit__(self, *exception):
        sys.settrace(self.outer)

    def trace(self, frame, event, _):
        name = frame.f_globals.get("__name__", "")
        if not name.startswith("minigrad."):
            return None
        if event == "line" and not (frame.f_code is with_state_restored.__code__ and frame.f_lineno == self.atomic):
            self.left -= 1
            if self.left < 0 and not self.fired:
                self.fired = True
                raise KeyboardInterrupt
        return self.trace


@pytest.mark.parametrize("measure", [lanczos, surface])
@pytest.mark.parametrize("apart", [31, pytest.param(7, marks=pytest.mark.slow)])
def test_ctrl_c_before_any_line_leaves_the_module_as_it_was(measure, apart):
    layer = nn.Linear(2, 2)
    loss = lambda: (layer(np.ones(2)) ** 2).sum()  # noqa: E731
    before = _Remembered(layer)
    for n in range(0, 100_000, apart):
        stop = _InterruptAt(n)
        with suppress(KeyboardInterrupt), stop:
            measure(loss, layer)
        assert mg.is_grad_enabled()
        assert not unusual
        assert _Remembered.look(layer) == before.seen, f"interrupt before line {n}"
        if not stop.fired:
            assert n > 200
            return
    pytest.fail("the measurement never ended")


@pytest.mark.parametrize("measure", [full, lanczos, surface, along_eigenvectors])
def test_a_graph_that_was_recorded_before_can_still_be_walked_even_if_calls_write_to_weights(measure):
    class Bounded(nn.Linear):
        def forward(self, x):
            with mg.no_grad():
                self.weight[...] = np.clip(self.weight.detach().numpy(), -0.5, 0.5)
            return super().forward(x)

    model = nn.Sequential(Bounded(3, 2), nn.Tanh(), Bounded(2, 1))
    loss = lambda: (model(X) ** 2).mean()  # noqa: E731
    value = loss()
    measure(loss, model)
    value.backward()
    assert all(p.grad is not None for p in model.parameters())


def test_hooks_of_parameters_see_nothing_and_change_nothing():
    model, loss = network()
    expected = spectrum(loss, model).eigenvalues
    model[0].weight.register_hook(lambda g: 0 * g)
    np.testing.assert_array_equal(spectrum(loss, model).eigenvalues, expected)


def test_the_spectrum_of_a_network_is_that_of_its_loss_as_a_function_of_the_parameters():
    model, loss = network()
    point = {name: p.detach().numpy() for name, p in model.named_parameters()}
    of_parameters = lambda p: ((nn.functional_call(model, p, X) - Y) ** 2).mean()  # noqa: E731
    np.testing.assert_allclose(
        spectrum(loss, model).eigenvalues, spectrum(of_parameters, point).eigenvalues, rtol=1e-9, atol=1e-14
    )


def test_only_parameters_that_require_grad_count():
    model, loss = network()
    model[0].requires_grad_(False)
    hidden = np.c_[np.tanh(model[0](X).numpy()), np.ones(20)]
    np.testing.assert_allclose(
        spectrum(loss, model).eigenvalues, np.linalg.eigvalsh(2 / 20 * hidden.T @ hidden), rtol=1e-9
    )
    surface = loss_surface(loss, model, points=2)
    assert set(surface.directions[0]) == {"2.weight", "2.bias"}
    model.requires_grad_(False)
    for measure in (spectrum, loss_surface):
        with pytest.raises(errors.ArgumentError, match="no parameters that require grad"):
            measure(loss, model)


def test_tied_parameters_count_once():
    first, second = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
    second.weight = first.weight
    both = nn.Sequential(first, second)
    loss = lambda: (both(np.ones(2)) ** 2).sum()  # noqa: E731
    w = first.weight.detach().numpy()
    expected = spectrum(lambda w: ((w @ (w @ np.ones(2))) ** 2).sum(), w)
    np.testing.assert_allclose(spectrum(loss, both).eigenvalues, expected.eigenvalues, rtol=1e-10, atol=1e-13)


def test_a_loss_that_does_not_depend_on_the_module_is_refused():
    model, loss = network()

    def cut():
        with mg.no_grad():
            return loss()

    for f in (cut, lambda: 1.0, lambda: loss().detach()):
        with pytest.raises(errors.GraphError, match="does not depend on the module's parameters"):
            spectrum(f, model)


def test_a_network_may_be_of_float32():
    model, loss = network(dtype=np.float32)
    double, double_loss = network()
    expected = spectrum(double_loss, double)
    for k in (None, 2):
        found = spectrum(loss, model, k)
        np.testing.assert_allclose([found.smallest, found.largest], [expected.smallest, expected.largest], rtol=1e-3)
    surface = loss_surface(loss, model, points=3)
    assert surface.losses.dtype == np.float64
    assert surface.losses[1, 1] == surface.loss == loss().item()


# Surfaces


def test_a_surface_is_the_loss_at_the_parameters_plus_multiples_of_the_directions():
    model, loss = network()
    surface = loss_surface(loss, model, span=(0.5, 2.0), points=(4, 3), generator=np.random.default_rng(0))
    np.testing.assert_allclose(surface.a, [-0.5, -1 / 6, 1 / 6, 0.5])
    np.testing.assert_allclose(surface.b, [-2, 0, 2])
    assert surface.losses.shape == (3, 4)
    assert surface.loss == loss().item()
    point = {name: p.detach().numpy() for name, p in model.named_parameters()}
    first, second = surface.directions
    for i, b in enumerate(surface.b):
        for j, a in enumerate(surface.a):
            moved = {name: mg.tensor(w + a * first[name] + b * second[name]) for name, w in point.items()}
            expected = ((nn.functional_call(model, moved, X) - Y) ** 2).mean().item()
            assert surface.losses[i, j] == pytest.approx(expected, rel=1e-12)


def test_the_centre_of_a_grid_with_an_odd_number_of_points_is_the_loss_to_the_last_bit():
    model, loss = network()
    surface = loss_surface(loss, model, points=5)
    assert surface.losses[2, 2] == surface.loss == loss().item()
    assert repr(surface) == (
        f"Surface: 5 x 5 losses from {surface.losses.min():.4g} to {surface.losses.max():.4g}, "
        f"{surface.loss:.4g} at the centre"
    )


def test_filters_of_random_directions_have_the_norms_of_the_weights_and_what_has_one_axis_does_not_move():
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 2))
    with mg.no_grad():
        model[0].weight[1] = 0.0
    model.scale = nn.Parameter(2.0)
    images = np.random.default_rng(0).standard_normal((2, 2, 4, 4))
    surface = loss_surface(lambda: (model.scale * model(images) ** 2).sum(), model, points=2)
    for direction in surface.directions:
        for name, p in model.named_parameters():
            assert direction[name].shape == p.shape
            if p.ndim <= 1:
                np.testing.assert_array_equal(direction[name], np.zeros(p.shape))
            else:
                rows = [x.reshape(len(x), -1) for x in (direction[name], p.detach().numpy())]
                np.testing.assert_allclose(*[np.linalg.norm(row, axis=1) for row in rows], rtol=1e-12)
    assert not np.allclose(surface.directions[0]["3.weight"], surface.directions[1]["3.weight"])


def test_without_normalization_directions_are_standard_normal_and_biases_move_too():
    model, loss = network()
    surface = loss_surface(loss, model, points=2, normalize=False, generator=np.random.default_rng(5))
    again = np.random.default_rng(5)
    for direction in surface.directions:
        for name, p in model.named_parameters():
            np.testing.assert_array_equal(direction[name], again.standard_normal(p.shape))


def test_random_directions_come_from_the_packages_numbers_or_from_a_generator():
    model, loss = network()
    with mg.random.using(3):
        first, second = loss_surface(loss, model, points=2), loss_surface(loss, model, points=2)
    third = loss_surface(loss, model, points=2, generator=np.random.default_rng(3))
    np.testing.assert_array_equal(first.losses, third.losses)
    assert not np.allclose(first.losses, second.losses)


def test_the_directions_of_one_surface_can_be_used_for_another():
    model, loss = network()
    first = loss_surface(loss, model, points=3)
    second = loss_surface(loss, model, points=3, directions=first.directions)
    np.testing.assert_array_equal(first.losses, second.losses)


def test_directions_may_be_lists_or_dicts_of_arrays_or_tensors():
    layer = nn.Linear(2, 1)
    loss = lambda: (layer(np.eye(2)) ** 2).sum()  # noqa: E731
    a, b = np.array([[1.0, 2.0]]), np.array([3.0])
    expected = loss_surface(loss, layer, points=3, directions=({"weight": a}, {"bias": b}))
    assert not expected.directions[0]["bias"].any()
    for directions in (
        [[a, [0.0]], [0 * a, b]],
        ((mg.tensor(a), mg.zeros(1)), {"weight": [[0, 0]], "bias": mg.nn.Parameter(b)}),
    ):
        found = loss_surface(loss, layer, points=3, directions=directions)
        np.testing.assert_array_equal(found.losses, expected.losses)


@each(
    ("directions", "message"),
    [
        ("gradient", '"hessian"'),
        ([{"weight": np.ones((1, 2))}], "two, one for each direction"),
        (np.ones((2, 3)), "two, one for each direction"),
        ([{"wait": 1.0}, {}], "wait.*weight, bias"),
        ([{}, [np.ones((1, 2))]], "one array for each of the 2 parameters"),
        ([{"weight": np.ones((2, 1))}, {}], r"\(2, 1\).*\(1, 2\)"),
        ([{"bias": [np.nan]}, {}], "not finite"),
    ],
)
def test_directions_that_do_not_fit_are_refused(directions, message):
    layer = nn.Linear(2, 1)
    with pytest.raises(errors.ArgumentError, match=message):
        loss_surface(lambda: layer(np.ones(2)).sum(), layer, directions=directions)


@each(
    "options",
    [
        {"span": 0}, {"span": -1.0}, {"span": np.inf}, {"span": (1.0,)}, {"span": (1.0, np.nan)},
        {"points": 1}, {"points": 2.5}, {"points": (3, 0)}, {"points": (3, 3, 3)},
    ],
)  # fmt: skip
def test_grids_without_sense_are_refused(options):
    layer = nn.Linear(2, 1)
    with pytest.raises(errors.ArgumentError, match=r"loss_surface: (span|points)"):
        loss_surface(lambda: layer(np.ones(2)).sum(), layer, **options)


def test_a_surface_that_would_be_flat_because_nothing_moves_is_refused():
    module = nn.Module()
    module.w = nn.Parameter([1.0, 2.0])
    loss = lambda: (module.w**2).sum()  # noqa: E731
    with pytest.raises(errors.ArgumentError, match="normalize=False"):
        loss_surface(loss, module)
    surface = loss_surface(loss, module, normalize=False, points=2)
    assert np.ptp(surface.losses) > 0


def test_a_loss_of_several_numbers_is_refused():
    layer = nn.Linear(2, 2)
    with pytest.raises(errors.ShapeError, match=r"shape \(2,\)"):
        loss_surface(lambda: layer(np.ones(2)), layer)


def test_a_loss_may_be_a_plain_number_and_overflow_without_a_warning():
    layer = nn.Linear(2, 1, bias=False)
    surface = loss_surface(lambda: np.exp(layer(np.ones(2)).numpy().sum() ** 2), layer, points=3, span=1e3)
    assert np.isinf(surface.losses).any()
    assert np.isfinite(surface.loss)


def test_along_eigenvectors_the_curvature_is_the_eigenvalue():
    model, loss = network()
    found = spectrum(loss, model)
    step = 1e-3
    surface = loss_surface(loss, model, directions="hessian", span=step, points=3)
    for direction in surface.directions:
        assert sum((d**2).sum() for d in direction.values()) == pytest.approx(1, rel=1e-12)
    along_a = (surface.losses[1, 0] - 2 * surface.loss + surface.losses[1, 2]) / step**2
    along_b = (surface.losses[0, 1] - 2 * surface.loss + surface.losses[2, 1]) / step**2
    assert [along_a, along_b] == pytest.approx(found.eigenvalues[[-1, -2]], rel=1e-4)


def test_eigenvectors_need_two_numbers():
    module = nn.Module()
    module.w = nn.Parameter(1.0)
    with pytest.raises(errors.ArgumentError, match="no two eigenvectors"):
        loss_surface(lambda: module.w**2, module, directions="hessian")


def test_every_point_is_computed_from_the_same_state_and_the_same_random_numbers():
    net, loss = everything()
    still = {"0.weight": np.zeros((5, 3))}
    surface = loss_surface(loss, net.train(), points=3, directions=(still, still))
    np.testing.assert_array_equal(surface.losses, np.full((3, 3), surface.loss))


def test_the_mode_is_the_callers_and_nothing_is_recorded():
    seen = []

    class Watch(nn.Linear):
        def forward(self, x):
            y = super().forward(x)
            seen.append((self.training, y.requires_grad))
            return y

    layer = Watch(2, 1)
    loss_surface(lambda: layer(np.ones(2)).sum(), layer.eval(), points=2)
    assert set(seen) == {(False, False)}
    loss_surface(lambda: layer(np.ones(2)).sum(), layer.train(), points=2)
    assert set(seen[5:]) == {(True, False)}
