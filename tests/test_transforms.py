"""Functions of functions: values and forms of derivatives, nesting, trees, and what they leave alone."""

import itertools
from collections import namedtuple

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors

X = np.array([0.3, -0.7, 1.2])


def cube_sum(x):
    return (x**3).sum()


# Forms: what goes in and what comes out


def test_ndarrays_give_ndarrays_and_tensors_give_tensors():
    value, gradient = mg.value_and_grad(cube_sum)(X)
    assert (type(value), type(gradient)) == (np.float64, np.ndarray)
    np.testing.assert_allclose(gradient, 3 * X**2)
    value, gradient = mg.value_and_grad(cube_sum)(mg.tensor(X))
    assert (type(value), type(gradient)) == (mg.Tensor, mg.Tensor)
    assert not gradient.requires_grad
    assert isinstance(mg.grad(np.sin)(0.5), np.float64)


def test_a_result_that_depends_on_a_tensor_outside_can_be_differentiated_further():
    w = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    gradient = mg.grad(lambda x: (w * x**2).sum())(X)
    assert gradient.requires_grad
    gradient.sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), 2 * X)
    assert w.is_leaf


def test_what_does_not_depend_on_it_is_a_plain_array_also_beside_a_tensor_that_requires_grad():
    w = mg.tensor(1.0, requires_grad=True)
    assert type(mg.grad(lambda x: (x * x).sum() + 0 * w.detach())(X)) is np.ndarray
    assert w.grad is None


def test_under_no_grad_derivatives_are_computed_and_nothing_is_recorded():
    w = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    with mg.no_grad():
        gradient = mg.grad(lambda x: (w * x).sum())(X)
        assert not mg.is_grad_enabled()
    assert type(gradient) is np.ndarray
    np.testing.assert_array_equal(gradient, [1.0, 2.0, 3.0])


def test_the_arguments_and_their_gradients_are_left_alone():
    x = mg.tensor(X, requires_grad=True)
    mg.hessian(cube_sum)(x)
    mg.jvp(cube_sum, (x,), (x,))
    assert x.grad is None
    np.testing.assert_array_equal(x.detach().numpy(), X)


def test_argnums_choose_arguments_and_shape_the_result():
    f = lambda a, b, *, c: (a * b**c).sum()  # noqa: E731
    a, b = np.array([2.0, 3.0]), np.array([5.0, 7.0])
    np.testing.assert_allclose(mg.grad(f, argnums=1)(a, b, c=2), a * 2 * b)
    pair = mg.grad(f, argnums=(1, 0))(a, b, c=2)
    np.testing.assert_allclose(pair, [a * 2 * b, b**2])
    assert type(pair) is tuple
    ((single,),) = [mg.grad(f, argnums=(0,))(a, b, c=2)]
    np.testing.assert_allclose(single, b**2)


def test_aux_is_handed_on_without_its_graph():
    f = lambda x: ((x * x).sum(), {"double": 2 * x, "label": "text"})  # noqa: E731
    (value, aux), gradient = mg.value_and_grad(f, has_aux=True)(X)
    assert value == pytest.approx((X * X).sum())
    assert type(aux["double"]) is np.ndarray
    assert aux["label"] == "text"
    gradient_alone, aux = mg.grad(f, has_aux=True)(X)
    np.testing.assert_array_equal(gradient, gradient_alone)


Pair = namedtuple("Pair", "left right")


@pytest.mark.parametrize("tree", [
    {"a": X, "b": [X, (X, 2.0)]}, [X, X], (X,), Pair(X, {"c": X}), {"only": {"one": X}}, [X, None, X],
])  # fmt: skip
def test_gradients_have_the_form_of_the_tree(tree):
    def loss(t):
        leaves, _ = mg.tree.flatten(t)
        return sum((k + 1) * (x * x).sum() for k, x in enumerate(leaves))

    gradient = mg.grad(loss)(tree)
    leaves, _ = mg.tree.flatten(tree)
    found, _ = mg.tree.flatten(gradient)
    assert type(gradient) is type(tree)
    for k, (x, g) in enumerate(zip(leaves, found, strict=True)):
        np.testing.assert_allclose(g, 2 * (k + 1) * np.asarray(x))


def test_unused_arguments_and_constant_functions_have_zero_gradients():
    np.testing.assert_array_equal(mg.grad(lambda x, y: (y * y).sum())(X, X), np.zeros(3))
    np.testing.assert_array_equal(mg.grad(lambda x: 1.5)(X), np.zeros(3))
    np.testing.assert_array_equal(mg.jacobian(lambda x: np.ones(2))(X), np.zeros((2, 3)))
    np.testing.assert_array_equal(mg.hessian(lambda x: x.sum())(X), np.zeros((3, 3)))


# Nesting


def test_derivatives_of_different_levels_are_not_confused():
    assert mg.grad(lambda x: x * mg.grad(lambda y: x * y)(2.0))(3.0) == 6.0
    assert mg.grad(lambda x: x * mg.grad(lambda y: x * y * y)(x))(3.0) == pytest.approx(54.0)  # 2 x**3
    inner = lambda x: mg.jvp(lambda y: x * y * y, (x,), (1.0,))[1]  # noqa: E731  # 2 x**2
    assert mg.jvp(inner, (3.0,), (1.0,))[1] == 12.0
    assert mg.grad(lambda x: mg.jvp(lambda y: x * y, (2.0,), (1.0,))[1])(3.0) == 1.0


@pytest.mark.parametrize("order", range(6))
def test_derivatives_of_any_order(order):
    f = np.sin
    for _ in range(order):
        f = mg.grad(f)
    assert f(0.3) == pytest.approx(np.sin(0.3 + order * np.pi / 2), rel=1e-12)


def test_a_derivative_in_an_inner_function_over_plain_numbers_leaves_the_outer_result_an_array():
    f = lambda x: (x * mg.grad(lambda y: y**3)(2.0)).sum()  # noqa: E731
    gradient = mg.grad(f)(X)
    assert type(gradient) is np.ndarray
    np.testing.assert_allclose(gradient, 12.0)


# Products with the Jacobian, and the Jacobian


def vector_function(x):
    return np.sin(x[:2]) * x[2]


JACOBIAN = np.array([[np.cos(X[0]) * X[2], 0, np.sin(X[0])], [0, np.cos(X[1]) * X[2], np.sin(X[1])]])


def test_products_with_the_jacobian_from_both_sides():
    left, right = np.array([2.0, -1.0]), np.array([1.0, 2.0, 3.0])
    value, pullback = mg.vjp(vector_function, X)
    np.testing.assert_allclose(value, np.sin(X[:2]) * X[2])
    for _ in range(2):
        np.testing.assert_allclose(pullback(left)[0], left @ JACOBIAN)
    value, tangent = mg.jvp(vector_function, (X,), (right,))
    np.testing.assert_allclose(tangent, JACOBIAN @ right)
    np.testing.assert_allclose(mg.jacobian(vector_function)(X), JACOBIAN)


def test_jacobians_have_the_shape_of_the_result_and_then_of_the_argument():
    a = np.arange(6.0).reshape(2, 3)
    jacobian = mg.jacobian(lambda x: x.T)(a)
    assert jacobian.shape == (3, 2, 2, 3)
    for i, j in itertools.product(range(2), range(3)):
        assert jacobian[j, i, i, j] == 1
    assert jacobian.sum() == 6
    assert mg.jacobian(lambda x: x * 2)(2.0).shape == ()
    assert mg.jacobian(lambda x: x[:0])(X).shape == (0, 3)


def test_jacobians_of_trees_are_trees_of_trees():
    found = mg.jacobian(lambda p: {"s": p["x"] * p["y"], "t": p["x"].sum()})({"x": X, "y": 2.0})
    np.testing.assert_allclose(found["s"]["x"], 2 * np.eye(3))
    np.testing.assert_allclose(found["s"]["y"], X)
    np.testing.assert_allclose(found["t"]["x"], np.ones(3))
    assert found["t"]["y"] == 0


def test_hessian_and_its_product_with_a_vector():
    f = lambda x: np.exp(x[0] * x[1]) + x[2] ** 4  # noqa: E731
    e = np.exp(X[0] * X[1])
    expected = np.array([
        [X[1] ** 2 * e, (1 + X[0] * X[1]) * e, 0],
        [(1 + X[0] * X[1]) * e, X[0] ** 2 * e, 0],
        [0, 0, 12 * X[2] ** 2],
    ])  # fmt: skip
    np.testing.assert_allclose(mg.hessian(f)(X), expected, rtol=1e-12)
    v = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(mg.hvp(f, X, v), expected @ v, rtol=1e-12)
    tree = mg.hvp(lambda p: (p["a"] ** 3 * p["b"]).sum(), {"a": X, "b": X}, {"a": np.ones(3), "b": np.zeros(3)})
    np.testing.assert_allclose(tree["a"], 6 * X * X)
    np.testing.assert_allclose(tree["b"], 3 * X**2)


def test_jvp_through_kinks_and_masks_is_that_of_vjp():
    f = lambda x: mg.where(x > 0, mg.sqrt(mg.abs(x)), 0.0)  # noqa: E731
    _, tangent = mg.jvp(f, (X,), (np.ones(3),))
    np.testing.assert_allclose(tangent, np.where(X > 0, 0.5 / np.sqrt(np.abs(X)), 0))


# checkpoint


def test_checkpoint_gives_the_same_gradients_also_to_what_it_captures():
    w = mg.tensor(X, requires_grad=True)
    layer = lambda x: mg.tanh(w * x) + x  # noqa: E731
    results = []
    for f in (layer, mg.checkpoint(layer)):
        x = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
        w.grad = None
        f(f(x)).sum().backward()
        results.append((x.grad.numpy(), w.grad.numpy()))
    np.testing.assert_allclose(results[0], results[1], rtol=1e-15)


def test_checkpoint_keeps_no_intermediate_values_and_calls_the_function_again():
    calls = []

    def f(x):
        calls.append(1)
        for _ in range(20):
            x = mg.sin(x)
        return x

    x = mg.tensor(X, requires_grad=True)
    y = mg.checkpoint(f)(x)
    assert len(mg.graph.capture(y)) <= 3
    assert len(calls) == 1
    y.sum().backward()
    assert len(calls) == 2


def test_checkpoint_differentiates_twice_and_gives_trees():
    f = mg.checkpoint(lambda x: mg.exp(x * x))
    np.testing.assert_allclose(
        mg.hessian(lambda x: f(x).sum())(X), mg.hessian(lambda x: mg.exp(x * x).sum())(X), rtol=1e-12
    )
    pair = mg.checkpoint(lambda p, s: {"sum": p["x"] + s, "product": (p["x"] * s).sum()})
    loss = lambda p: (pair(p, 2.0)["sum"] ** 2).sum() + pair(p, 3.0)["product"]  # noqa: E731
    np.testing.assert_allclose(mg.grad(loss)({"x": X})["x"], 2 * (X + 2) + 3)


def test_checkpoint_draws_the_same_random_numbers_again_and_leaves_the_generator_alone():
    mg.manual_seed(3)
    x = mg.tensor(X, requires_grad=True)
    noise = []

    def noisy(x):
        noise.append(mg.random.randn(3))
        return x * noise[-1]

    y = mg.checkpoint(noisy)(x)
    after = mg.random.get_state()
    y.sum().backward()
    assert (noise[0] == noise[1]).all()
    assert mg.random.get_state() == after
    np.testing.assert_array_equal(x.grad.numpy(), noise[0].numpy())


def test_checkpoint_of_constants_and_under_no_grad_is_the_function():
    assert type(mg.checkpoint(np.sin)(X)) is np.ndarray
    x = mg.tensor(X, requires_grad=True)
    with mg.no_grad():
        assert not mg.checkpoint(mg.sin)(x).requires_grad


# Bad input


def test_a_function_of_several_results_has_no_gradient_and_the_message_says_what_to_do():
    with pytest.raises(errors.GraphError, match=r"single number.*\(3,\).*jacobian"):
        mg.grad(lambda x: x * 2)(X)
    with pytest.raises(errors.GraphError, match="has_aux"):
        mg.grad(lambda x: (x.sum(), x.sum()))(X)


def test_integers_are_refused_and_the_message_says_what_to_write():
    for x in (3, np.arange(3), mg.tensor([1, 2])):
        with pytest.raises(errors.DTypeError, match="decimal point"):
            mg.grad(lambda x: (x * x).sum())(x)


def test_misfits_are_named():
    with pytest.raises(errors.ShapeError, match=r"\(2,\).*\(3,\)"):
        mg.jvp(cube_sum, (X,), (np.ones(2),))
    with pytest.raises(errors.ShapeError, match=r"\(2,\).*\(\)"):
        mg.vjp(cube_sum, X)[1]((1.0, 2.0))


def test_an_exception_in_the_function_leaves_the_mode():
    def broken(x):
        raise ZeroDivisionError

    with mg.no_grad():
        with pytest.raises(ZeroDivisionError):
            mg.grad(broken)(X)
        assert not mg.is_grad_enabled()
    assert mg.is_grad_enabled()


# Creation and random numbers


def test_creation_functions_are_those_of_numpy_in_the_default_dtype():
    for made, expected in [
        (mg.zeros((2, 3)), np.zeros((2, 3))),
        (mg.ones(2), np.ones(2)),
        (mg.full((2,), 7), np.full(2, 7)),
        (mg.arange(5), np.arange(5)),
        (mg.arange(1, 2, 0.25), np.arange(1, 2, 0.25)),
        (mg.linspace(0, 1, 5), np.linspace(0, 1, 5)),
        (mg.eye(2, 3, k=1), np.eye(2, 3, 1)),
        (mg.zeros_like(X), np.zeros(3)),
    ]:
        np.testing.assert_array_equal(np.asarray(made), expected, strict=True)
    mg.set_default_dtype(np.float32)
    try:
        dtypes = {t.dtype for t in (mg.zeros(1), mg.ones(1), mg.full(1, 0.5), mg.linspace(0, 1, 2), mg.tensor([1.5]))}
        assert dtypes == {np.dtype(np.float32)}
        assert mg.tensor(X).dtype == np.float64
        assert mg.tensor([1]).dtype == np.int64
    finally:
        mg.set_default_dtype(np.float64)


def test_the_same_seed_gives_the_same_numbers_and_own_generators_are_their_own():
    mg.manual_seed(1)
    a = mg.random.randn(3)
    own = mg.random.rand(3, generator=np.random.default_rng(5))
    mg.manual_seed(1)
    assert (mg.random.randn(3) == a).all()
    np.testing.assert_array_equal(own.numpy(), np.random.default_rng(5).random(3))
