"""mygrad, which has first derivatives only."""

from types import SimpleNamespace

import mygrad
import numpy as np
from mygrad.nnet.activations import relu, softmax
from mygrad.nnet.layers import conv_nd, max_pool
from mygrad.nnet.losses import softmax_crossentropy

from peers import _models

# Its functions by NumPy's names, as far as the transformer needs them; losses take labels
xp = SimpleNamespace(
    mean=mygrad.mean, sqrt=mygrad.sqrt, tanh=mygrad.tanh, swapaxes=mygrad.swapaxes, transpose=mygrad.transpose
)
lib = SimpleNamespace(xp=xp, softmax=lambda x: softmax(x, axis=-1), cross_entropy=softmax_crossentropy)


def rosenbrock(spec):
    def run():
        w = mygrad.tensor(spec.start)
        for _ in range(spec.steps):
            _models.rosenbrock(w).backward()
            w = mygrad.tensor(w.data - spec.lr * np.clip(w.grad, -spec.clip, spec.clip))
        return [w.data]

    return run


def scalar_expr(spec):
    spec.iters = 5

    def run():
        for _ in range(spec.iters):
            leaves = [mygrad.tensor(value) for value in spec.leaves]
            value = _models.scalar_expr(leaves, spec.rounds, mygrad.tanh, relu)
            value.backward()
        return [value.item(), np.array([x.grad.item() for x in leaves])]

    return run


def descent(spec, loss_of, batches, epochs):
    def run():
        params = [mygrad.tensor(p.copy()) for p in spec.params]
        for _ in range(epochs):
            for X, y in batches:
                loss = loss_of(params, X, y)
                loss.backward()
                for p in params:
                    p.data[...] -= p.dtype.type(spec.lr) * p.grad
                    p.null_grad()
        return [*(p.data for p in params), loss.item()]

    return run


def linreg_minibatch(spec):
    def loss_of(params, X, y):
        weight, bias = params
        return mygrad.mean((mygrad.matmul(X, weight) + bias - y) ** 2)

    return descent(spec, loss_of, spec.batches, spec.epochs)


def mlp_loss(params, X, y):
    for i in range(0, len(params) - 2, 2):
        X = relu(mygrad.matmul(X, params[i]) + params[i + 1])
    return softmax_crossentropy(mygrad.matmul(X, params[-2]) + params[-1], y)


def softmax_digits(spec):
    return descent(spec, mlp_loss, [(X, y) for X, _, y in spec.batches], spec.epochs)


def mlp_digits(spec):
    beta1, beta2 = spec.betas

    def run():
        params, count = [mygrad.tensor(p.copy()) for p in spec.params], 0
        means, squares = ([np.zeros_like(p) for p in spec.params] for _ in range(2))
        for _ in range(spec.epochs):
            for X, _, y in spec.batches:
                loss = mlp_loss(params, X, y)
                loss.backward()
                count += 1
                for i, p in enumerate(params):
                    means[i] = beta1 * means[i] + (1 - beta1) * p.grad
                    squares[i] = beta2 * squares[i] + (1 - beta2) * p.grad**2
                    root = np.sqrt(squares[i] / (1 - beta2**count)) + spec.eps
                    p.data[...] -= spec.lr * (means[i] / (1 - beta1**count)) / root
                    p.null_grad()
        return [*(p.data for p in params), loss.item()]

    return run


def mlp_large(spec):
    return descent(spec, mlp_loss, [(spec.X, spec.y)], spec.steps)


def elementwise_chain(spec):
    def run():
        for _ in range(spec.iters):
            x = mygrad.tensor(spec.x)
            value = _models.elementwise_chain(mygrad, x)
            value.backward()
        return [value.item(), x.grad]

    return run


def cnn_small(spec):
    def convolution(x, kernel, bias):
        return conv_nd(x, kernel, stride=1, padding=1) + bias.reshape(1, -1, 1, 1)

    def loss_of(params, X, y):
        k1, b1, k2, b2, weight, bias = params
        h = max_pool(relu(convolution(X, k1, b1)), (2, 2), 2)
        h = max_pool(relu(convolution(h, k2, b2)), (2, 2), 2)
        return softmax_crossentropy(mygrad.matmul(h.reshape(len(X), -1), weight) + bias, y)

    return descent(spec, loss_of, [(spec.X, spec.y)], spec.steps)


def transformer_small(spec):
    def loss_of(params, tokens, y):
        return _models.transformer(lib, spec, params, tokens, y)

    return descent(spec, loss_of, [(spec.tokens, spec.y)], spec.steps)


def op_forward(spec):
    def run():
        b = mygrad.tensor(spec.b)
        for _ in range(spec.iters):
            y = _models.repeated_add(mygrad.tensor(spec.a), b, spec.n_ops)
            b.clear_graph()
        return [y.data]

    return run


def op_fwdbwd(spec):
    def run():
        b = mygrad.tensor(spec.b)
        for _ in range(spec.iters):
            b.null_grad()
            value = _models.repeated_add(mygrad.tensor(spec.a), b, spec.n_ops).sum()
            value.backward()
        return [value.item(), b.grad]

    return run


def deep_graph(spec):
    def run():
        a = mygrad.tensor(spec.a)
        value = _models.repeated_product(a, spec.c, spec.n_ops).sum()
        value.backward()
        return [value.item(), a.grad]

    return run
