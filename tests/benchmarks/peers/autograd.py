"""HIPS autograd."""

from types import SimpleNamespace

import autograd.numpy as anp
import numpy as np
from autograd import grad, hessian_vector_product, value_and_grad
from autograd import hessian as hessian_of
from autograd.core import make_vjp
from autograd.scipy.special import logsumexp

from peers import _models


def relu(x):
    return anp.maximum(x, 0)


def softmax(x):
    e = anp.exp(x - anp.max(x, axis=-1, keepdims=True))
    return e / anp.sum(e, axis=-1, keepdims=True)


def cross_entropy(logits, targets):
    logarithms = logits - logsumexp(logits, axis=-1, keepdims=True)
    return -anp.mean(anp.sum(logarithms * targets, axis=-1))


lib = SimpleNamespace(xp=anp, relu=relu, softmax=softmax, cross_entropy=cross_entropy)


def rosenbrock(spec):
    slope = grad(_models.rosenbrock)

    def run():
        w = spec.start.copy()
        for _ in range(spec.steps):
            w = w - spec.lr * np.clip(slope(w), -spec.clip, spec.clip)
        return [w]

    return run


def scalar_expr(spec):
    spec.iters = 20

    def expression(x):
        return _models.scalar_expr(x, spec.rounds, anp.tanh, relu)

    value_and_gradient = value_and_grad(expression)

    def run():
        for _ in range(spec.iters):
            value, gradient = value_and_gradient(tuple(spec.leaves))
        return [value, np.array(gradient)]

    return run


def descent(spec, loss_of, batches, epochs):
    value_and_gradients = value_and_grad(loss_of)

    def run():
        params = [p.copy() for p in spec.params]
        for _ in range(epochs):
            for X, y in batches:
                value, gradients = value_and_gradients(params, X, y)
                params = [p - p.dtype.type(spec.lr) * g for p, g in zip(params, gradients, strict=True)]
        return [*params, value]

    return run


def linreg_minibatch(spec):
    def loss_of(params, X, y):
        return _models.linear_regression(anp, params, X, y)

    return descent(spec, loss_of, spec.batches, spec.epochs)


def mlp_loss(params, X, Y):
    return cross_entropy(_models.mlp(lib, params, X), Y)


def softmax_digits(spec):
    return descent(spec, mlp_loss, [(X, Y) for X, Y, _ in spec.batches], spec.epochs)


def mlp_digits(spec):
    value_and_gradients = value_and_grad(mlp_loss)
    beta1, beta2 = spec.betas

    def run():
        params, count = [p.copy() for p in spec.params], 0
        means, squares = ([np.zeros_like(p) for p in params] for _ in range(2))
        for _ in range(spec.epochs):
            for X, Y, _ in spec.batches:
                value, gradients = value_and_gradients(params, X, Y)
                count += 1
                for i, g in enumerate(gradients):
                    means[i] = beta1 * means[i] + (1 - beta1) * g
                    squares[i] = beta2 * squares[i] + (1 - beta2) * g**2
                    root = np.sqrt(squares[i] / (1 - beta2**count)) + spec.eps
                    params[i] = params[i] - spec.lr * (means[i] / (1 - beta1**count)) / root
        return [*params, value]

    return run


def mlp_large(spec):
    return descent(spec, mlp_loss, [(spec.X, spec.Y)], spec.steps)


def elementwise_chain(spec):
    def chain(x):
        return _models.elementwise_chain(anp, x)

    value_and_gradient = value_and_grad(chain)

    def run():
        for _ in range(spec.iters):
            value, gradient = value_and_gradient(spec.x)
        return [value, gradient]

    return run


def convolution(x, kernel, bias):
    """Of images with their channels last, as a product with nine shifted copies of them."""
    count, height, width, channels = x.shape
    x = anp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="constant")
    columns = anp.concatenate([x[:, i : i + height, j : j + width] for i in range(3) for j in range(3)], axis=3)
    matrix = anp.transpose(kernel, (2, 3, 1, 0)).reshape((9 * channels, -1))
    return anp.dot(columns.reshape((-1, 9 * channels)), matrix).reshape((count, height, width, -1)) + bias


def pool(x):
    count, height, width, channels = x.shape
    return anp.max(anp.max(x.reshape((count, height // 2, 2, width // 2, 2, channels)), axis=4), axis=2)


def cnn_small(spec):
    def loss_of(params, X, Y):
        k1, b1, k2, b2, weight, bias = params
        h = pool(relu(convolution(X, k1, b1)))
        h = pool(relu(convolution(h, k2, b2)))
        return cross_entropy(anp.transpose(h, (0, 3, 1, 2)).reshape((len(X), -1)) @ weight + bias, Y)

    X = np.ascontiguousarray(spec.X.transpose(0, 2, 3, 1))
    return descent(spec, loss_of, [(X, spec.Y)], spec.steps)


def transformer_small(spec):
    def loss_of(params, tokens, Y):
        return _models.transformer(lib, spec, params, tokens, Y)

    return descent(spec, loss_of, [(spec.tokens, spec.Y)], spec.steps)


def rosenbrock_chain(x):
    return _models.rosenbrock_chain(anp, x)


def hessian(spec):
    curvature = hessian_of(rosenbrock_chain)

    def run():
        return [curvature(spec.x)]

    return run


def hvp(spec):
    product = hessian_vector_product(rosenbrock_chain)

    def run():
        for v in spec.vs:
            result = product(spec.x, v)
        return [result]

    return run


def op_forward(spec):
    def chain(b):
        return _models.repeated_add(spec.a, b, spec.n_ops)

    def run():
        for _ in range(spec.iters):
            _, y = make_vjp(chain, spec.b)
        return [y]

    return run


def op_fwdbwd(spec):
    def chain(b):
        return anp.sum(_models.repeated_add(spec.a, b, spec.n_ops))

    value_and_gradient = value_and_grad(chain)

    def run():
        for _ in range(spec.iters):
            value, gradient = value_and_gradient(spec.b)
        return [value, gradient]

    return run


def deep_graph(spec):
    def chain(a):
        return anp.sum(_models.repeated_product(a, spec.c, spec.n_ops))

    value_and_gradient = value_and_grad(chain)

    def run():
        return list(value_and_gradient(spec.a))

    return run
