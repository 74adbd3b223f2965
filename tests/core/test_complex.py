"""Gradients by complex numbers: dL/d(Re z) + i dL/d(Im z), from one formula for each operation."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import autograd
from tests.rows import each

Z = np.array([1.0 + 2.0j, -0.5 + 0.3j, 0.7 - 1.1j])


def leaf(z=Z):
    return mg.tensor(z, requires_grad=True)


@each(("f", "gradient"), [
    (lambda z: mg.real(z), lambda z: np.ones_like(z)),
    (lambda z: mg.imag(z), lambda z: np.full_like(z, 1j)),
    (lambda z: mg.abs(z), lambda z: z / np.abs(z)),
    (lambda z: mg.real(z * mg.conj(z)), lambda z: 2 * z),
    (lambda z: mg.real(z) ** 2, lambda z: 2 * z.real + 0j),
    (lambda z: mg.real(z * z), lambda z: 2 * np.conj(z)),
    (lambda z: mg.real(mg.exp(z)), lambda z: np.conj(np.exp(z))),
    (lambda z: mg.imag(mg.conj(z)), lambda z: np.full_like(z, -1j)),
])  # fmt: skip
def test_the_gradient_of_a_real_loss(f, gradient):
    z = leaf()
    f(z).sum().backward()
    assert z.grad.dtype == np.complex128
    np.testing.assert_allclose(z.grad.numpy(), gradient(Z), rtol=1e-15)


def test_a_step_against_the_gradient_goes_downhill():
    target = np.array([0.3 - 0.2j, 1.5j, -1.0])
    z = leaf()
    loss = before = mg.abs(z - target).sum()
    for _ in range(60):
        z.grad = None
        loss = (mg.abs(z - target) ** 2).sum()
        loss.backward()
        with mg.no_grad():
            z -= 0.25 * z.grad
    assert loss.item() < 1e-12 < before.item()


def test_the_gradient_that_is_given_is_of_the_same_kind():
    # For w = z**2 and a loss whose gradient by w is v, that by z is v times the conjugate of 2 z.
    v = np.array([1 + 1j, 2.0, -1j])
    z = leaf()
    (z * z).backward(v)
    np.testing.assert_allclose(z.grad.numpy(), v * np.conj(2 * Z), rtol=1e-15)
    z = leaf()
    (grad,) = autograd.grad(z * z, [z], [mg.tensor(v)])
    np.testing.assert_allclose(grad.numpy(), v * np.conj(2 * Z), rtol=1e-15)
    _, pullback = mg.vjp(lambda z: z * z, Z)
    np.testing.assert_allclose(pullback(v)[0], v * np.conj(2 * Z), rtol=1e-15)


def test_hooks_and_retained_gradients_see_it_too():
    z, seen = leaf(), []
    w = z * 2j
    w.retain_grad()
    w.register_hook(lambda g: seen.append(g.numpy().copy()))
    w.register_hook(lambda g: g * 1j)
    mg.imag(w).sum().backward()
    np.testing.assert_array_equal(seen[0], np.full_like(Z, 1j))
    np.testing.assert_array_equal(w.grad.numpy(), np.full_like(Z, -1))
    np.testing.assert_array_equal(z.grad.numpy(), np.conj(2j) * np.full_like(Z, -1))


def test_real_leaves_of_a_complex_computation_have_real_gradients():
    x = mg.tensor([0.3, -1.2], requires_grad=True)
    mg.abs(mg.exp(1j * x) + x).sum().backward()
    assert x.grad.dtype == np.float64
    assert mg.gradcheck(lambda x: mg.abs(mg.exp(1j * x) + x), np.array([0.3, -1.2]))


def test_single_precision_stays():
    z = leaf(Z.astype(np.complex64))
    mg.abs(z).sum().backward()
    assert z.grad.dtype == np.complex64
    x = mg.tensor(np.float32([0.5]), requires_grad=True)
    mg.real(x * np.complex64(1j) * z[:1]).sum().backward()
    assert x.grad.dtype == np.float32


def test_pythons_complex_numbers_and_numbers_without_axes():
    x = mg.tensor(0.5, requires_grad=True)
    functions = [lambda x: 1j * x, lambda x: 1j + x, lambda x: 1j - x, lambda x: 1j / x, lambda x: x * 1j]
    for f in (*functions, lambda x: 1j**x):
        assert f(x).dtype == np.complex128
        assert mg.gradcheck(lambda x, f=f: mg.abs(f(x) + 1), 0.5)
        assert mg.gradgradcheck(lambda x, f=f: mg.imag(f(x)) * mg.real(f(x) * (1 + 1j)), 0.5)


def test_higher_orders():
    def f(z):
        return mg.real(z**3)

    z = 0.4 + 0.9j
    first = mg.grad(f)
    np.testing.assert_allclose(first(z), np.conj(3 * z**2), rtol=1e-15)
    second = mg.grad(lambda z: mg.real(first(z)))(z)
    np.testing.assert_allclose(second, np.conj(6 * z), rtol=1e-15)
    assert mg.gradgradcheck(f, np.array([z]))


def test_a_direction_times_the_derivative():
    v = np.array([1j, 1.0, 0.5 - 2j])
    _, tangent = mg.jvp(lambda z: z**2, (Z,), (v,))
    np.testing.assert_allclose(tangent, 2 * Z * v, rtol=1e-15)
    _, tangent = mg.jvp(lambda z: mg.abs(z), (Z,), (v,))
    np.testing.assert_allclose(tangent, np.real(np.conj(Z) * v) / np.abs(Z), rtol=1e-14)


def test_checkpoint_hands_complex_gradients_on():
    def f(z):
        return mg.exp(z) * mg.conj(z)

    a, b = leaf(), leaf()
    mg.real(f(a)).sum().backward()
    mg.real(mg.checkpoint(f)(b)).sum().backward()
    np.testing.assert_array_equal(a.grad.numpy(), b.grad.numpy())


def test_the_kink_of_the_absolute_value_has_the_slope_0():
    z = mg.tensor([0j, 3 + 4j], requires_grad=True)
    mg.abs(z).sum().backward()
    np.testing.assert_allclose(z.grad.numpy(), [0, 0.6 + 0.8j], rtol=1e-15)
    z = mg.tensor([0j], requires_grad=True)
    mg.real(mg.sign(z)).sum().backward()
    assert z.grad.numpy() == 0


@pytest.mark.parametrize("wrong", ["conjugated", "real"])
def test_a_rule_that_is_wrong_for_complex_numbers_only_is_found(wrong):
    def rule(g, y, x):
        slope = np.conjugate(2 * x) if wrong == "conjugated" else np.real(2 * x)
        return g * slope

    @mg.primitive(rule)
    def squared(x, /):
        return x * x

    assert mg.gradcheck(squared, np.array([0.5, 1.5]))
    with pytest.raises(mg.errors.GradcheckError, match=r"input 0\[\d, (real|imag)\]"):
        mg.gradcheck(squared, Z)


def test_a_complex_number_has_no_gradient_of_its_own():
    z = mg.tensor(1 + 1j, requires_grad=True)
    for start in (lambda y: y.backward(), lambda y: mg.autograd.grad(y, z), lambda y: y.reshape(1).backward()):
        with pytest.raises(mg.errors.GraphError, match="starts from a real number"):
            start(z * z)
    assert z.grad is None
    (z * z).backward(1.0)  # the gradient of the real part
    assert z.grad.item() == 2 - 2j
