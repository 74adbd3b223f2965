"""Where a gradient stops, or is changed on its way: in programs that are differentiated again as outside of them."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import ProgramError


def detached(x):
    return x**2 * x.detach()


def without_recording(x):
    with mg.no_grad():
        factor = x * x
    return x**2 * factor


def recorded_again(x):
    with mg.no_grad():
        left_out = x * x
        with mg.enable_grad():
            kept = x * x
    return kept * left_out


def copied(x):
    return x * mg.tensor(x.detach())


def same_operation_twice(x):
    return mg.sin(x) * mg.sin(x.detach())


def with_a_hook(x):
    y = x * x
    if y.requires_grad:
        y.register_hook(lambda g: 2 * g)
    return y * x


def inner_gradient_of_its_own(x):
    w = mg.tensor(1.0, requires_grad=True)
    (g,) = mg.autograd.grad(w * w * x, w)
    return g * x


def inner_derivative(x):
    return mg.grad(lambda z: z**3 * x)(x)


def inner_cross_entropy(x):
    logits = mg.stack([x, x * x, mg.sin(x)])
    return mg.grad(lambda z: mg.nn.functional.cross_entropy(z, np.array(1)))(logits)[0]


def checkpointed(x):
    return mg.checkpoint(lambda z: mg.sin(z) * z**2)(x) * x


BODIES = {
    f.__name__: f
    for f in (
        detached, without_recording, recorded_again, copied, same_operation_twice, with_a_hook,
        inner_gradient_of_its_own, inner_derivative, inner_cross_entropy, checkpointed,
    )
}  # fmt: skip


def one_after_another(body):
    """The sum over elements in a scan, whose carry depends on all of them."""

    def f(x):
        last, ys = mg.scan(lambda carry, row: (carry * 0.5 + body(row), body(carry)), 0.3, x)
        return last + mg.sum(ys)

    return f


def in_a_branch(body):
    return lambda x: sum(mg.cond(row > 0, body, mg.exp, row) for row in (x[0], x[1], -x[2]))


def in_two_scans(body):
    def outer(carry, row):
        last, _ = mg.scan(lambda c, r: (c + body(r * carry), None), carry, row)
        return last, None

    return lambda x: mg.scan(outer, 0.7, mg.stack([x, x * x]))[0]


def all_at_once(body):
    return lambda x: sum(body(x[i]) for i in range(3))


SHAPES = {f.__name__: f for f in (all_at_once, one_after_another, in_a_branch, in_two_scans)}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_the_derivatives_are_those_of_the_function_as_it_is_written(shape, body):
    f = shape(body)
    x = np.array([0.9, -0.4, 1.3])
    np.testing.assert_allclose(mg.asarray(mg.jit(f)(x)).detach(), f(mg.asarray(x)).detach().item(), rtol=1e-13)
    gradient = mg.grad(f)(x)
    for made in (mg.jit(mg.grad(f)), mg.grad(mg.jit(f))):
        np.testing.assert_allclose(made(x), gradient, rtol=1e-12, atol=1e-13)
    bend = mg.hessian(f)(x)
    np.testing.assert_allclose(mg.hessian(mg.jit(f))(x), bend, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(mg.jit(mg.hessian(f))(x), bend, rtol=1e-11, atol=1e-12)


def test_hooks_on_arguments():
    def tripled(x):
        if x.requires_grad:
            x.register_hook(lambda g: 3 * g)
        return x**3

    x = np.array([0.9, -0.4])

    def f(x):
        return mg.sum(tripled(x))

    np.testing.assert_allclose(mg.hessian(mg.jit(f))(x), mg.hessian(f)(x))
    g = mg.jit(mg.grad(lambda x: mg.scan(lambda c, r: (c + tripled(r), None), 0.0, x)[0]))
    with pytest.raises(ProgramError, match=r"Register the hook on a copy, \+x"):
        g(x)


def test_data_are_no_constants_in_gradients_that_are_recorded():
    rng = np.random.default_rng(0)
    w, v = (mg.tensor(rng.normal(size=(4, 3)), requires_grad=True) for _ in range(2))

    def slope(x):  # it depends on `v`, which requires grad
        return mg.grad(lambda w: mg.sum(mg.matmul(x, w * v) ** 2))(w)

    compiled = mg.jit(slope)
    for _ in range(4):
        x = rng.normal(size=(5, 2, 4))
        np.testing.assert_allclose(compiled(x).detach(), slope(mg.asarray(x)).detach(), rtol=1e-13)
