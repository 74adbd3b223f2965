"""What people write out of habit from PyTorch and SciPy is answered with what to write instead."""

import copy
import pickle
import re

import numpy as np
import pytest

import minigrad as mg
from minigrad import graph, optim
from minigrad.errors import ArgumentError, CutError, DTypeError, ProgramError, module_names
from tests.rows import each

X = mg.tensor([[2.0, 0.5], [0.5, 3.0]], requires_grad=True)
WIDE = mg.ones((2, 3, 4))


@pytest.mark.parametrize(("call", "says"), [
    (lambda: mg.stack([X, X], dim=0), "write axis="), (lambda: mg.concat([X, X], dim=0), "write axis="),
    (lambda: mg.split(X, 2, dim=1), "write axis=.*parts.*not their size"), (lambda: mg.sort(X, dim=0), "write axis="),
    (lambda: mg.median(X, keepdim=True), "write keepdims="), (lambda: mg.linalg.norm(X, dim=0), "write axis="),
    (lambda: mg.linalg.norm(X, p=1), "write ord="), (lambda: mg.topk(X, 1, dim=0), "write axis="),
    (lambda: mg.squeeze(X, dim=0), "write axis="), (lambda: mg.special.softmax(X, dim=0), "write axis="),
    (lambda: mg.zeros(2, 3), r"as in minigrad.zeros\(\(2, 3\)\)"), (lambda: mg.ones(2, 3), r"minigrad.ones\(\("),
    (lambda: mg.empty(2, 3), r"minigrad.empty\(\("),
])  # fmt: skip
def test_keywords_and_shapes(call, says):
    with pytest.raises(TypeError, match=says):
        call()


def test_what_two_libraries_mean_by_one_call():
    with pytest.raises(
        ArgumentError, match=r"repeat\(2, axis=1\) for the one, minigrad.tile\(x, \(2, 1\)\) for the other"
    ):
        X.repeat(2, 1)
    np.testing.assert_array_equal(X.repeat(2, axis=1).detach(), np.repeat(X.detach().numpy(), 2, axis=1))
    with pytest.warns(UserWarning, match=r"write x.T, or x.swapaxes\(0, 1\)"):
        X.transpose(0, 1)
    with pytest.raises(mg.errors.ShapeError, match=r"write x.swapaxes\(1, 2\)"):
        WIDE.transpose(1, 2)
    assert WIDE.transpose(2, 0, 1).shape == WIDE.transpose((2, 0, 1)).shape == (4, 2, 3)
    np.testing.assert_array_equal(X.transpose(1, 0).detach(), X.T.detach())


def test_arrays_filled_with_results_are_tensors():
    filled = np.zeros(2)
    with pytest.raises(ValueError, match="setting an array element") as said:
        filled[0] = X[0, 0]
    assert "is made by minigrad.zeros(shape)" in str(said.value.__cause__)
    with pytest.raises(CutError, match=r"is made by minigrad.zeros\(shape\)"):
        np.zeros((2, 2))[0] = X[0]
    filled = mg.zeros(2)
    filled[0] = X[0, 0]
    assert mg.autograd.grad(filled.sum(), [X])[0].tolist() == [[1, 0], [0, 0]]


def _scipy_calls():
    linalg, special = pytest.importorskip("scipy.linalg"), pytest.importorskip("scipy.special")
    stats, optimize = pytest.importorskip("scipy.stats"), pytest.importorskip("scipy.optimize")
    integrate = pytest.importorskip("scipy.integrate")
    return [
        (lambda: linalg.expm(X), "write minigrad.linalg.expm;"),
        (lambda: linalg.solve_triangular(X, np.ones(2)), "write minigrad.linalg.solve_triangular;"),
        (lambda: linalg.cho_solve((X, True), np.ones(2)), "write minigrad.linalg.cho_solve;"),
        (lambda: special.logsumexp(X), "write minigrad.special.logsumexp;"),
        (lambda: stats.norm.logpdf(X), "write minigrad.stats.norm.logpdf;"),
        (lambda: stats.multivariate_normal.logpdf(X), "write minigrad.stats.multivariate_normal.logpdf;"),
        (lambda: optimize.minimize(lambda x: (x * x).sum(), X), "write minigrad.optim.minimize;"),
        (
            lambda: integrate.odeint(lambda y, t: y, X[0], [0, 1]),
            "integrate.odeint knows.*functions of minigrad or NumPy;",
        ),
    ]


def test_functions_of_scipy_that_know_no_tensors():
    for call, says in _scipy_calls():
        with pytest.raises(CutError, match=says):
            call()


def test_own_functions_that_scipy_calls_are_not_taken_for_its():
    optimize = pytest.importorskip("scipy.optimize")

    def cut(x):
        return np.asarray(X)[0, 0] * x[0]

    with pytest.raises(CutError, match="conversion to an ndarray"):
        optimize.minimize(cut, [1.0])


def square(x):
    return (x * x).sum()


@pytest.mark.parametrize(("options", "says"), [
    ({"args": (1,)}, "args=: write them into the objective"), ({"ftol": 1e-3}, "ftol=: write tol="),
    ({"optimiser": "SGD"}, "optimiser=: write optimizer="), ({"maxiter": 5}, "maxiter=: write steps="),
    ({"jac": True}, "gradients come from the graph"), ({"ftol": 1e-3, "method": "BFGS"}, "options={'ftol': ...}"),
    ({"learning_rate": 0.1}, "write lr="),
])  # fmt: skip
def test_keywords_of_other_minimisers(options, says):
    with pytest.raises(ArgumentError, match=says):
        optim.minimize(square, np.ones(2), **options)


def test_options_that_an_optimizer_has_are_its_own():
    found = optim.minimize(square, np.ones(2), optimizer="LBFGS", max_iter=3, lr=0.5, steps=2)
    assert found.loss < 0.5
    with pytest.raises(ArgumentError, match="args=: write them into the objective"):
        optim.minimize(square, np.ones(2), optimizer=lambda params: optim.SGD(params, lr=0.1), args=(1,))


def test_rules_that_cannot_be_called():
    cases = [
        (lambda g, x: g, {}),
        (lambda g, y, x, z: g, {}),
        (lambda g, y, x, *, other: g, {}),
        (lambda g, *, k: g, {}),
    ]
    for rule, how in cases:
        with pytest.raises(DTypeError, match=r"a rule of double takes \(g, .*must take \(g, y, x, \*, k\)"):

            @mg.primitive(rule, **how)
            def double(x, /, *, k=2):
                return k * x

    with pytest.raises(DTypeError, match=r"must take \(g, y, \*operands\)"):

        @mg.primitive(joint=lambda g, y, x: (g,))
        def total(*operands):
            return sum(operands)

    for rule in (
        lambda g, y, x, k: g * k,
        lambda g, y, *args, **options: g * options["k"],
        lambda g, y, x, *, k=1: g * k,
    ):

        @mg.primitive(rule)
        def triple(x, /, *, k=2):
            return k * x

        assert mg.grad(lambda x, f=triple: mg.sum(f(x, k=3)))(2.0) == 3


def test_a_call_is_not_a_block():
    with pytest.raises(DTypeError, match=r"with profile\(\) as measured"):
        graph.profile(lambda: square(X))


# Estimates


DATA = np.array([1.0, 2.0, 4.0, 5.5])


def surprise(p):
    return -mg.sum(mg.stats.norm.logpdf(DATA, p["mean"], mg.exp(p["log_scale"])))


def test_covariance_of_an_estimate():
    start = {"mean": 0.0, "log_scale": 0.5}
    for found in (
        optim.minimize(surprise, start, method="BFGS", tol=1e-10),
        optim.minimize(surprise, start, lr=0.05, steps=2000),
    ):
        scale = np.std(DATA)
        np.testing.assert_allclose(found.covariance(), np.diag([scale**2 / 4, 1 / 8]), atol=1e-6)
        errors = found.standard_errors()
        np.testing.assert_allclose([errors["mean"], errors["log_scale"]], [scale / 2, 8**-0.5], rtol=1e-5)
    with pytest.raises(ArgumentError, match="a pickled result has left behind"):
        pickle.loads(pickle.dumps(found)).covariance()
    matrix = optim.minimize(lambda x: mg.sum(x**2 * np.array([[1.0, 2.0], [4.0, 8.0]])), np.zeros((2, 2)), steps=3)
    np.testing.assert_allclose(matrix.covariance(), np.diag([1 / 2, 1 / 4, 1 / 8, 1 / 16]))
    assert matrix.standard_errors().shape == (2, 2)


@pytest.mark.parametrize("f", [
    lambda x: x[0] ** 2, lambda x: -(x**2).sum(), lambda x: (x**4).sum() * 0, lambda x: mg.linalg.norm(x - 1) + x[0],
])  # fmt: skip
def test_covariance_where_there_is_no_single_minimum(f):
    with pytest.raises(ArgumentError, match="the Hessian at x is not positive definite"):
        optim.minimize(f, np.ones(2), steps=1).covariance()


def test_bounds_of_trees():
    pytest.importorskip("scipy")
    wanted = {"a": 3.0, "b": np.array([-1.0, 0.5]), "c": (2.0, 2.0)}

    def far(p):
        return (p["a"] - 3) ** 2 + mg.sum((p["b"] - wanted["b"]) ** 2) + sum((c - 2) ** 2 for c in p["c"])

    start = {"a": 0.0, "b": np.zeros(2), "c": (0.0, 0.0)}
    bounds = {"a": (None, 1.0), "b": (np.array([0.0, -1.0]), None), "c": (None, (0.0, 1.5))}
    found = optim.minimize(far, start, method="L-BFGS-B", bounds=bounds).x
    np.testing.assert_allclose([found["a"], *found["b"], *found["c"]], [1, 0, 0.5, 2, 1.5], atol=1e-6)
    pair = optim.minimize(lambda p: (p[0] - 3) ** 2 + mg.sum(p[1] ** 2), (0.0, np.ones(2)), method="L-BFGS-B",
                          bounds=((0, 1), (0.5, 2)))  # fmt: skip
    np.testing.assert_allclose([pair.x[0], *pair.x[1]], [1, 0.5, 0.5])
    for wrong, says in [
        ({"d": (0, 1)}, "keys among 'a', 'b', 'c'"), ([(0, 1)], "a dict of pairs"),
        ({"a": 1.0}, r"bounds\['a'\] is a pair"), ({"c": ((0, 1),)}, r"bounds\['c'\] of a tuple of 2"),
    ]:  # fmt: skip
        with pytest.raises(ArgumentError, match=says):
            optim.minimize(far, start, method="L-BFGS-B", bounds=wrong)


# Copies that would not belong to a graph


@each("f", [
    lambda x: mg.tensor(x) ** 2, lambda x: mg.tensor(2 * x) ** 2, lambda x: mg.Tensor(x, dtype="float32") ** 2,
    lambda x: mg.tensor(x, requires_grad=True) ** 2, lambda x: mg.nn.Parameter(x) ** 2,
    lambda x: copy.deepcopy(x) ** 2, lambda x: copy.deepcopy([x])[0] ** 2,
    lambda x: pickle.loads(pickle.dumps(x)) ** 2, lambda x: copy.deepcopy(x * 2),
])  # fmt: skip
def test_a_copy_of_an_argument_that_would_lose_its_gradient_is_refused(f):
    for derivative in (mg.grad(f), mg.value_and_grad(f), lambda x: mg.jvp(f, (x,), (1.0,))):
        with pytest.raises(CutError, match=r"gradients would be missing without a word"):
            derivative(2.5)
    for traced in (mg.jit(mg.grad(f)), lambda x: mg.vmap(mg.grad(f))(np.array([x]))):
        with pytest.raises((CutError, ProgramError), match=r"without a word|was asked for"):
            traced(2.5)


def test_copies_that_are_asked_for():
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(CutError, match=r"write t itself, or minigrad\.asarray\(t\); for a copy .* t\.detach\(\)"):
        mg.tensor(w)
    assert not mg.tensor(w.detach()).requires_grad
    with mg.no_grad():
        kept = mg.tensor(w)
    w.data += 1
    assert kept.tolist() == [1, 2]
    assert copy.deepcopy(w).requires_grad
    assert mg.grad(lambda x: copy.copy(x) ** 2)(3.0) == 6
    assert mg.grad(lambda x: mg.asarray(x) ** 2)(3.0) == 6


@pytest.mark.parametrize("call", [
    lambda: optim.minimize(lambda x, y: x**2 + y**2, [1.0, 2.0]),
    lambda: optim.minimize(lambda x, y: x**2 + y**2, [1.0, 2.0], method="BFGS"),
    lambda: optim.sweep(lambda x, y: x**2 + y**2, [1.0, 2.0], [0.1]),
    lambda: mg.plot.contour(lambda x, y: x**2 + y**2, domain=(-1, 1)),
    lambda: mg.plot.surface(lambda x, y: x**2 + y**2, domain=(-1, 1)),
])  # fmt: skip
def test_a_function_of_coordinates_one_by_one(call):
    pytest.importorskip("matplotlib")
    pytest.importorskip("scipy")
    with pytest.raises(TypeError, match="missing 1 required positional argument") as caught:
        call()
    (note,) = [note for note in caught.value.__notes__ if "coordinates" in note]
    assert "takes x, y one by one, and gets all coordinates in one vector" in note
    assert note.endswith("as in lambda w: w[0]**2 + w[1]**2")


def test_other_type_errors_of_an_objective_have_no_note_on_coordinates():
    for f, data in ((lambda w: w[0] + "a", ()), (lambda w, x, y=1: w @ x + "a", np.ones((2, 2)))):
        with pytest.raises(TypeError) as caught:
            optim.minimize(f, [1.0, 2.0], data=data)
        assert not getattr(caught.value, "__notes__", [])


@pytest.mark.parametrize("f", [lambda x: (x**2).sum(), lambda x: np.sum(x**2), lambda x: x.sum()])
@pytest.mark.parametrize("transform", [mg.grad, mg.value_and_grad])
def test_derivatives_at_a_list(f, transform):
    with pytest.raises((TypeError, AttributeError), match="list") as caught:
        transform(f)([1.0, 2.0])
    (note,) = caught.value.__notes__
    assert "each element of which is an argument of its own: write np.array([...]) for a vector" in note
    with pytest.raises(TypeError, match="list") as caught:
        transform(lambda x: x**2)([np.ones(2)])
    assert not hasattr(caught.value, "__notes__")


@pytest.mark.parametrize("name", ["target", "loss_limit", "x_limit"])
def test_limits_of_minimize_are_numbers(name):
    for wrong in ("a", [1, 2]):
        with pytest.raises(ArgumentError, match=rf"minimize: {name} must be a number, not {re.escape(repr(wrong))}"):
            optim.minimize(lambda x: x**2, 1.0, **{name: wrong})


@pytest.mark.parametrize(("name", "instead"), [
    ("Dense", "nn.Linear"), ("Relu", "nn.ReLU"), ("Conv2D", "nn.Conv2d"), ("Gelu", "nn.GELU"),
    ("MultiHeadAttention", "nn.MultiheadAttention"),
    ("BatchNormalization", "nn.BatchNorm1d or BatchNorm2d"), ("MaxPooling2D", "nn.MaxPool2d"),
])  # fmt: skip
def test_layers_of_other_libraries(name, instead):
    with pytest.raises(AttributeError, match=f"'minigrad.nn' has no attribute '{name}': write {instead}$"):
        getattr(mg.nn, name)


def test_layers_that_are_named_instead_exist():
    for instead in module_names._LAYERS.values():
        for name in instead.replace(" or another activation", "").replace(",", " or").split(" or "):
            assert isinstance(getattr(mg.nn, name.strip()), type)
    with pytest.raises(AttributeError, match=r"no attribute 'Nonsense'$"):
        mg.nn.Nonsense  # noqa: B018


@pytest.mark.parametrize("shape", [(2, 4, 5, 6), (2, 4, 30), (2, 120, 1)])
def test_a_linear_layer_after_a_convolution_needs_flatten(shape):
    with pytest.raises(mg.errors.ShapeError, match=r"flatten the input, with nn.Flatten\(\)"):
        mg.nn.Linear(120, 3)(np.ones(shape))
