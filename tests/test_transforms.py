"""Functions of functions: values and forms of derivatives, nesting, trees, and what they leave alone."""

import itertools
from collections import namedtuple

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors
from tests.rows import each

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


def test_argnums_count_from_both_ends_and_name_an_argument_once():
    f = lambda a, b, *, c: (a * b**c).sum()  # noqa: E731
    a, b = np.array([2.0, 3.0]), np.array([5.0, 7.0])
    np.testing.assert_allclose(mg.grad(f, argnums=-1)(a, b, c=2), a * 2 * b)
    np.testing.assert_allclose(mg.grad(f, argnums=np.int64(1))(a, b, c=2), a * 2 * b)
    np.testing.assert_allclose(mg.grad(f, argnums=[-2, 1])(a, b, c=2), [b**2, a * 2 * b])
    for argnums in ((0, 0), (0, -2), (1, 0, -1)):
        for transform in (mg.grad, mg.value_and_grad, mg.jacobian, mg.hessian):
            with pytest.raises(errors.ArgumentError, match="two of them are the same argument"):
                transform(f, argnums=argnums)(a, b, c=2)


def test_keyword_arguments_are_not_differentiated_by_but_belong_to_an_outer_graph():
    w = mg.tensor(2.0, requires_grad=True)
    gradient = mg.grad(lambda x, *, w: x * x * w)(1.5, w=w)
    gradient.backward()
    assert (gradient.item(), w.grad.item()) == (6.0, 3.0)
    assert mg.grad(lambda w: mg.grad(lambda x, *, w: x * x * w)(1.5, w=w))(2.0) == 3.0


def test_aux_is_handed_on_without_its_graph():
    f = lambda x: ((x * x).sum(), {"double": 2 * x, "label": "text"})  # noqa: E731
    (value, aux), gradient = mg.value_and_grad(f, has_aux=True)(X)
    assert value == pytest.approx((X * X).sum())
    assert type(aux["double"]) is np.ndarray
    assert aux["label"] == "text"
    gradient_alone, aux = mg.grad(f, has_aux=True)(X)
    np.testing.assert_array_equal(gradient, gradient_alone)


Pair = namedtuple("Pair", "left right")


@each("tree", [
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


# Results that vary with nothing, and results that are no real numbers

CONSTANT = {
    "a number": lambda x: 3.0,
    "an integer": lambda x: 3,
    "an array": lambda x: np.ones((2, 2), np.float32),
    "a Tensor": lambda x: mg.tensor([1.0, 2.0]),
    "an index": np.argmax,
    "a mask": lambda x: x > 0.5,
    "a gradient": mg.grad(lambda x: x.sum()),
    "no elements": lambda x: np.zeros((0, 2)),
}


@pytest.mark.parametrize("f", CONSTANT.values(), ids=CONSTANT)
def test_tangents_of_what_does_not_vary_are_zeros(f):
    value, tangent = mg.jvp(f, (X,), (np.ones(3),))
    np.testing.assert_array_equal(np.asarray(tangent), np.zeros_like(np.asarray(value)), strict=True)
    value, tangent = mg.jvp(f, (mg.tensor(X),), (mg.ones(3),))
    assert (type(tangent), tangent.dtype, tangent.shape) == (mg.Tensor, np.asarray(value).dtype, np.shape(value))
    (gradient,) = mg.vjp(f, X)[1](np.ones(np.shape(value)))
    np.testing.assert_array_equal(gradient, np.zeros(3), strict=True)
    np.testing.assert_array_equal(mg.jacobian(f)(X), np.zeros((*np.shape(value), 3)))


def test_tangents_of_results_that_vary_in_part():
    value, tangent = mg.jvp(lambda x: {"y": 2 * x, "i": np.argmax(x), "n": None, "k": (1.5,)}, (X,), (np.ones(3),))
    assert (value["i"], value["n"], tangent["n"], tangent["i"], tangent["k"]) == (2, None, None, 0, (0.0,))
    np.testing.assert_array_equal(tangent["y"], [2.0, 2.0, 2.0])
    assert mg.jvp(lambda x: {}, (X,), (X,)) == ({}, {})
    assert mg.jvp(lambda: 3.0, (), ()) == (3.0, 0.0)
    nothing = np.zeros(0)
    assert mg.jvp(np.sum, (nothing,), (nothing,)) == (0.0, 0.0)
    np.testing.assert_array_equal(mg.grad(lambda x: mg.jvp(np.sum, (x,), (X,))[1])(X), np.zeros(3))


@each("f", [
    lambda x: 3, lambda x: x.sum() > 0, lambda x: bool(x[0] > 0), np.argmax, lambda x: x[0] * 1j,
    lambda x: 1j, lambda x: np.sum(x + 0j), lambda x: mg.tensor(2),
])  # fmt: skip
@pytest.mark.parametrize("transform", [
    mg.grad, mg.value_and_grad, mg.hessian, lambda f: lambda x: mg.hvp(f, x, X), lambda f: mg.grad(f, (0,)),
    lambda f: mg.grad(lambda x: (f(x), None), has_aux=True),
], ids=["grad", "value_and_grad", "hessian", "hvp", "argnums", "aux"])  # fmt: skip
def test_the_gradient_of_what_is_no_real_number_is_refused(f, transform):
    with pytest.raises(errors.DTypeError, match=r"real floating-point number.*(np.real|decimal point)"):
        transform(f)(X)


def test_the_gradient_of_a_complex_number_is_refused_of_its_parts_it_is_that_of_backward():
    with pytest.raises(errors.DTypeError, match=r"returned complex128 2j: return np.real\(y\)"):
        mg.grad(lambda z: z * z)(1 + 1j)
    assert mg.grad(lambda z: np.real(z * z))(1 + 1j) == 2 - 2j  # d/dx + i d/dy of x*x - y*y
    assert mg.grad(lambda z: np.imag(z * z))(1 + 1j) == 2 + 2j  # of 2*x*y
    assert mg.grad(lambda z: np.abs(z))(3 + 4j) == pytest.approx(0.6 + 0.8j)


@pytest.mark.parametrize("f", [lambda x: "text", lambda x: [x, "text"], lambda x: object(), lambda x: np.array(["1"])])
def test_results_that_are_no_numbers_are_refused(f):
    for transform in (mg.jacobian(f), lambda x: mg.jvp(f, (x,), (x,)), lambda x: mg.vjp(f, x)):
        with pytest.raises(errors.DTypeError, match="a result to differentiate is made of numbers"):
            transform(X)


# Complex Jacobians


def test_the_jacobian_of_complex_results_by_real_arguments_is_complex():
    np.testing.assert_array_equal(mg.jacobian(lambda x: x * (1 + 2j))(np.array([3.0])), [[1 + 2j]])
    f = lambda x: np.exp(1j * x) * x[0]  # noqa: E731
    np.testing.assert_allclose(
        mg.jacobian(f)(X), np.diag(1j * np.exp(1j * X) * X[0]) + np.outer(np.exp(1j * X), [1, 0, 0]), rtol=1e-12
    )
    single = mg.jacobian(lambda x: x * np.complex64(1j))(X.astype(np.float32))
    np.testing.assert_array_equal(single, 1j * np.eye(3, dtype=np.float32), strict=True)
    assert mg.jacobian(lambda x: 1j)(X).tolist() == [0, 0, 0]
    real, both = mg.jacobian(lambda x: (x[0], x[1] * 1j))(X)
    np.testing.assert_array_equal(real, [1.0, 0.0, 0.0], strict=True)
    np.testing.assert_array_equal(both, [0, 1j, 0])
    assert mg.jacobian(lambda x: x[:0] * 1j)(X).shape == (0, 3)
    w = mg.tensor(2.0, requires_grad=True)
    mg.real(mg.jacobian(lambda x: x * w * (3 + 1j))(1.0)).backward()
    assert w.grad.item() == 3.0
    assert mg.jacobian(mg.jacobian(lambda x: x * x * 1j))(0.5) == 2j


@each(("f", "slope"), [
    (lambda z: z * z, lambda z: 2 * z), (np.exp, np.exp), (np.sin, np.cos), (np.log, lambda z: 1 / z),
    (lambda z: 1 / (z - 2j), lambda z: -1 / (z - 2j) ** 2), (lambda z: z**3 + 1j * z, lambda z: 3 * z * z + 1j),
    (lambda z: np.conj(np.sin(np.conj(z))), np.cos), (lambda z: z * 0 + 1j, lambda z: 0 * z),
])  # fmt: skip
def test_the_jacobian_of_an_analytic_function_is_its_complex_derivative(f, slope):
    z = np.array([0.3 + 0.4j, -1.2 + 0.1j])
    np.testing.assert_allclose(mg.jacobian(f)(z), np.diag(slope(z)), rtol=1e-13)
    narrow = z.astype(np.complex64)
    np.testing.assert_allclose(mg.jacobian(f)(narrow), np.diag(slope(z)), rtol=1e-5)
    assert mg.jacobian(f)(narrow).dtype == np.complex64


def test_the_jacobian_of_an_analytic_function_of_many_numbers():
    rng = np.random.default_rng(0)
    a, z = (rng.normal(size=(40, 40)) + 1j * rng.normal(size=(40, 40)) for _ in range(2))
    np.testing.assert_allclose(mg.jacobian(lambda z: (a @ z)[0, 0])(z)[:, 0], a[0], rtol=1e-12)


@each("f", [
    np.conj, lambda z: z * np.conj(z), lambda z: np.abs(z) + 0j, lambda z: z / np.abs(z), lambda z: np.real(z) + z,
    lambda z: z + 1e-9 * np.conj(z), mg.grad(lambda z: np.real(z * z * z)),
])  # fmt: skip
def test_a_complex_derivative_that_does_not_exist_is_refused(f):
    with pytest.raises(errors.DTypeError, match=r"no complex derivative.*jacobian\(lambda x, y: f\(x \+ 1j \* y\)"):
        mg.jacobian(f)(0.3 + 0.4j)
    dx, dy = mg.jacobian(lambda x, y: f(x + 1j * y), argnums=(0, 1))(0.3, 0.4)
    step = 1e-6
    for found, direction in ((dx, 1.0), (dy, 1j)):
        z = 0.3 + 0.4j
        expected = (f(np.array(z + step * direction)) - f(np.array(z - step * direction))) / (2 * step)
        assert found == pytest.approx(complex(expected), abs=1e-8)


def test_second_derivatives_by_complex_numbers():
    # |z|**2 has the gradient 2 z and so the complex second derivative 2; the gradient of Re z**2 is conj(2 z).
    assert mg.hessian(lambda z: np.real(z * np.conj(z)))(1 + 1j) == 2
    with pytest.raises(errors.DTypeError, match="no complex derivative"):
        mg.hessian(lambda z: np.real(z * z))(1 + 1j)
    # The product with a vector is the derivative of the gradient along it, which exists for all.
    assert mg.hvp(lambda z: np.real(z * z), 1 + 1j, 2j) == np.conj(2 * 2j)


def test_products_with_the_jacobian_of_complex_functions():
    z, v = 1 + 2j, 3 - 1j
    assert mg.jvp(lambda z: z * z, (z,), (v,))[1] == 2 * z * v
    assert mg.jvp(np.conj, (z,), (v,))[1] == np.conj(v)
    assert mg.jvp(lambda x: x * (1 + 2j), (2.0,), (3.0,))[1] == 3 + 6j
    # The gradient of real(conj(v) * z * z), which is conj(conj(v) * 2 z).
    assert mg.vjp(lambda z: z * z, z)[1](v)[0] == np.conj(np.conj(v) * 2 * z)
    with pytest.raises(errors.DTypeError, match=r"a tangent is complex, and its argument is float64"):
        mg.jvp(np.sin, (1.0,), (1j,))
    with pytest.raises(errors.DTypeError, match=r"a cotangent is complex, and its result is float64"):
        mg.vjp(np.sin, 1.0)[1](1j)


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


CAPTURED = {  # functions of x in which checkpoint's argument and what it captures are computed from the same
    "itself": lambda c, x: c(lambda z: np.arctan(z) * x)(x),
    "what it was computed from": lambda c, x: c(lambda z: np.arctan(z) * x)(x * x),
    "a sister": lambda c, x: (lambda h: c(lambda z: np.arctan(z) * np.sin(h))(2 * h))(x * x),
    "one inside of another": lambda c, x: c(lambda z: c(lambda w: np.sin(w) * z * x)(z * x))(x),
    "two of which one was computed from the other": lambda c, x: (lambda h: c(lambda z: z * x * h)(np.sin(x)))(x * x),
    "what it returns": lambda c, x: (lambda h: c(lambda z: h)(x))(x * x),
    "several": lambda c, x: c(lambda z, w: [z * w * x, np.sin(z)])(x, x * x)[0],
}


@pytest.mark.parametrize("f", CAPTURED.values(), ids=CAPTURED)
def test_checkpoint_counts_what_it_captures_once_in_derivatives_of_every_order(f):
    once, again = (lambda x: f(lambda f: f, x).sum()), (lambda x: f(mg.checkpoint, x).sum())
    x = mg.tensor(X, requires_grad=True)
    for y in (once(x), again(x)):
        (slope,) = mg.autograd.grad(y, x, create_graph=True)
        np.testing.assert_allclose(slope.data, mg.grad(once)(X), rtol=1e-13)
    for wanted in (mg.grad, mg.hessian, lambda f: lambda x: mg.jvp(mg.hessian(f), (x,), (x,))[1]):
        np.testing.assert_allclose(wanted(again)(X), wanted(once)(X), rtol=1e-13)


def test_checkpoint_does_not_release_what_was_there_before_it():
    w = mg.tensor(X, requires_grad=True)
    h = w * 2
    for loss in (mg.checkpoint(lambda z: (z * h).sum())(mg.tensor(X)), mg.checkpoint(lambda: (h * 3).sum())()):
        loss.backward(retain_graph=True)
        first, w.grad = w.grad, None
        loss.backward(retain_graph=True)
        np.testing.assert_array_equal(w.grad.data, first.data)
        w.grad = None


def test_hooks_of_what_checkpoint_captures_run_once():
    found = []
    for c in (lambda f: f, mg.checkpoint):
        w, calls = mg.tensor(X, requires_grad=True), []
        h = w * 2
        for x in (w, h):
            x.register_hook(lambda g, calls=calls: calls.append(g))
            x.register_hook(lambda g: 3 * g)
        c(lambda z, w=w, h=h: np.arctan(z) * w * h)(h + w).sum().backward()
        found.append([w.grad.data, *(g.data for g in calls)])
        assert len(calls) == 2
    for once, again in zip(*found, strict=True):
        np.testing.assert_allclose(again, once, rtol=1e-14)


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


def test_checkpoint_leaves_what_does_not_vary_as_it_is():
    x = mg.tensor(X, requires_grad=True)
    f = lambda x: {"y": 2 * x, "i": np.argmax(x), "m": x > 0, "k": 3, "n": None, "s": "text"}  # noqa: E731
    results = mg.checkpoint(f)(x)
    assert (results["i"].dtype, results["m"].dtype, results["k"], results["n"], results["s"]) == (
        np.int64, np.bool_, 3, None, "text",
    )  # fmt: skip
    results["y"].sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 2.0, 2.0])
    assert mg.checkpoint(lambda x: None)(x) is None
    assert mg.checkpoint(np.argmax)(x).item() == 2


def test_checkpoint_keeps_the_dtypes_of_several_results():
    x = mg.tensor(X, requires_grad=True)
    f = lambda x: (x.astype(np.float32), x * 1j, 3 * x)  # noqa: E731
    results = mg.checkpoint(f)(x)
    assert [y.dtype for y in results] == [np.float32, np.complex128, np.float64]
    (results[0].sum().astype(float) + mg.imag(results[1]).sum() + results[2].sum()).backward()
    np.testing.assert_allclose(x.grad.numpy(), [5.0, 5.0, 5.0])


def test_checkpoint_takes_keyword_arguments():
    x, w = mg.tensor(X, requires_grad=True), mg.tensor(2.0, requires_grad=True)
    mg.checkpoint(lambda x, *, w: (x * w).sum())(x, w=w).backward()
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 2.0, 2.0])
    assert w.grad.item() == pytest.approx(X.sum())


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
    with pytest.raises(errors.ShapeError, match=r"\(7,\) does not fit its result of shape \(3,\)"):
        mg.hvp(np.sum, X, np.ones(7))
    with pytest.raises(errors.ShapeError, match=r"keys \['b'\], and a dict with the keys \['a'\]"):
        mg.vjp(lambda x: {"a": x}, X)[1]({"b": X})


def test_trees_of_directions_belong_together_by_their_names():
    f = lambda p: {"u": p["a"] * 2, "v": p["b"] * 3}  # noqa: E731
    p = {"a": 1.0, "b": 1.0}
    (gradient,) = mg.vjp(f, p)[1]({"v": 1.0, "u": 10.0})
    assert gradient == {"a": 20.0, "b": 3.0}
    assert mg.jvp(f, (p,), ({"b": 1.0, "a": 10.0},))[1] == {"u": 20.0, "v": 3.0}
    # Tuples, named tuples and lists stand for each other.  The determinant of 2 I has the logarithm 2 log 2.
    for cotangent in ((1.0, 1.0), [1.0, 1.0], np.linalg.slogdet(np.eye(2))._replace(logabsdet=1.0)):
        (gradient,) = mg.vjp(np.linalg.slogdet, 2 * np.eye(2))[1](cotangent)
        np.testing.assert_allclose(gradient, np.eye(2) / 2)


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
