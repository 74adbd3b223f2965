"""Operations with several results."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors

pytestmark = pytest.mark.usefixtures("_own_primitives")


def polar():
    """Length and angle, by one rule for each operand."""

    @mg.primitive(
        lambda g, y, a, b: g[0] * a / y[0] - g[1] * b / y[0] ** 2,
        lambda g, y, a, b: g[0] * b / y[0] + g[1] * a / y[0] ** 2,
        outputs=2,
    )
    def polar(a, b, /):
        return np.hypot(a, b), np.arctan2(b, a)

    return polar


A, B = np.array([[1.0, -2.0, 0.5]]), np.array([[0.3, 1.0, -2.0]])


def test_results_are_arrays_of_arrays_and_tensors_of_tensors():
    f = polar()
    for a, b, kind in ((A, B, np.ndarray), (mg.tensor(A), B, mg.Tensor), (A, mg.tensor(B), mg.Tensor)):
        length, angle = f(a, b)
        assert type(length) is type(angle) is kind
        np.testing.assert_array_equal(np.asarray(length), np.hypot(A, B))
        np.testing.assert_array_equal(np.asarray(angle), np.arctan2(B, A))
    x = mg.tensor(A, requires_grad=True)
    assert [y.requires_grad for y in f(x, B)] == [True, True]
    with mg.no_grad():
        assert not f(x, B)[0].requires_grad


def test_derivatives_of_both_orders_of_each_result_and_of_all():
    f = polar()
    for use in (lambda a, b: f(a, b)[0], lambda a, b: f(a, b)[1], lambda a, b: f(a, b)[0] * mg.sin(f(a, b)[1])):
        assert mg.gradcheck(use, [A, B])
        assert mg.gradgradcheck(use, [A, B])
    both = lambda a: mg.sum(f(a, B)[0] * f(a, B)[1])  # noqa: E731
    np.testing.assert_allclose(
        mg.grad(both)(A), mg.grad(lambda a: mg.sum(np.hypot(a, B) * np.arctan2(B, a)))(A), rtol=1e-13
    )
    np.testing.assert_allclose(
        mg.hessian(both)(A), mg.hessian(lambda a: mg.sum(np.hypot(a, B) * np.arctan2(B, a)))(A), rtol=1e-12
    )
    _, tangent = mg.jvp(lambda a: f(a, B), (A,), (np.ones_like(A),))
    np.testing.assert_allclose(tangent[0], A / np.hypot(A, B))
    np.testing.assert_allclose(tangent[1], -B / (A * A + B * B))


def test_a_rule_that_keeps_what_the_forward_pass_computed():
    calls = []

    @mg.primitive(lambda g, y, x: (g[0] + g[1]) * y[1], outputs=2)
    def expm1_and_exp(x, /):
        calls.append(x)
        e = np.exp(x)
        return e - 1, e

    x = mg.tensor([0.5, 1.0], requires_grad=True)
    expm1_and_exp(x)[0].sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.exp([0.5, 1.0]))
    assert len(calls) == 1
    for order in range(1, 5):
        f = lambda x: expm1_and_exp(x)[0]  # noqa: E731
        for _ in range(order):
            f = mg.grad(f)
        assert f(0.5) == pytest.approx(np.exp(0.5), rel=1e-14)


def test_results_of_other_shapes_and_dtypes():
    with pytest.raises(TypeError, match="axis, name"):  # a parameter that the rule does not take

        @mg.primitive(
            lambda g, y, x, *, axis: np.expand_dims(g[0], axis) * (x == np.expand_dims(y[0], axis)), outputs=3
        )
        def extreme(x, /, axis=-1, *, name=None):
            del name
            return np.max(x, axis=axis), np.argmax(x, axis=axis), np.isfinite(x)

    @mg.primitive(lambda g, y, x, *, axis: np.expand_dims(g[0], axis) * (x == np.expand_dims(y[0], axis)), outputs=3)
    def extreme2(x, /, axis=-1):
        return np.max(x, axis=axis), np.argmax(x, axis=axis), np.isfinite(x)

    for dtype in (np.float64, np.float32):
        x = mg.tensor(np.array([[3.0, 1.0], [2.0, 5.0], [0.0, -1.0]]), dtype=dtype, requires_grad=True)
        largest, where, finite = extreme2(x, 0)
        assert (largest.dtype, where.dtype, finite.dtype) == (dtype, np.intp, np.bool_)
        assert (largest.shape, where.shape, finite.shape) == ((2,), (2,), (3, 2))
        assert (where.tolist(), finite.requires_grad, where.requires_grad) == ([0, 1], False, False)
        (largest * np.array([1.0, 10.0], dtype)).sum().backward()
        assert x.grad.dtype == dtype
        assert x.grad.tolist() == [[1.0, 0.0], [0.0, 10.0], [0.0, 0.0]]


def test_complex_and_real_results_and_single_numbers():
    @mg.primitive(lambda g, y, x: np.real(g[0] * 1j * y[0]) + g[1] * 2 * x, outputs=2)
    def turn_and_square(x, /):
        return np.exp(1j * x), x * x

    turn, square = turn_and_square(mg.tensor(0.5, requires_grad=True))
    assert (turn.dtype, square.dtype, turn.shape) == (np.complex128, np.float64, ())
    both = lambda x: mg.real(turn_and_square(x)[0]) + turn_and_square(x)[1]  # noqa: E731
    assert mg.grad(both)(0.5) == pytest.approx(-np.sin(0.5) + 1.0)
    assert mg.grad(mg.grad(both))(0.5) == pytest.approx(-np.cos(0.5) + 2.0)


def test_joint_rules_and_any_number_of_operands():
    @mg.primitive(joint=lambda g, y, *xs: [g[0] + 2 * x * g[1] for x in xs], outputs=2)
    def moments(*xs):
        return sum(xs), sum(x * x for x in xs)

    xs = [mg.tensor([float(i), 1.0], requires_grad=True) for i in range(3)]
    first, second = moments(*xs)
    (second - first).sum().backward()
    assert [x.grad.tolist() for x in xs] == [[-1.0, 1.0], [1.0, 1.0], [3.0, 1.0]]


def test_it_can_be_drawn_captured_watched_and_checked_for_anomalies():
    f, x = polar(), mg.tensor(A, requires_grad=True, name="x")
    length, angle = f(x, B)
    assert "polar" in str(mg.graph.draw((length * angle).sum(), format="text"))
    with mg.graph.recording() as nodes:
        f(x, B)
    assert nodes[0].op.name == "polar"
    length, _ = f(mg.tensor(0.0, requires_grad=True), 0.0)
    with mg.detect_anomaly(), pytest.raises(errors.AnomalyError, match="derivative of polar made NaN"):
        length.backward()


@pytest.mark.parametrize(("result", "words"), [
    (lambda x: x, "returned an ndarray"), (lambda x: (x,), "returned 1 results"), (lambda x: (x, x, x), "3 results"),
    (lambda x: (x, "a"), "a result of wrong"),
])  # fmt: skip
def test_functions_that_return_something_else_are_refused(result, words):
    @mg.primitive(lambda g, y, x: g[0], outputs=2)
    def wrong(x, /):
        return result(x)

    for x in (A, mg.tensor(A, requires_grad=True)):
        with pytest.raises(errors.DTypeError, match=words):
            wrong(x)
