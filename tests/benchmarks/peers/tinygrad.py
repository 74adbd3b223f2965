"""tinygrad on its CPU device, with TinyJit.  It needs clang, or what `CC` names."""

import numpy as np
from tinygrad import Tensor, TinyJit
from tinygrad.helpers import Context
from tinygrad.nn.optim import SGD, Adam

from peers import _models


def leaf(array):
    """At least one axis: numbers would become constants."""
    return Tensor(np.atleast_1d(np.array(array))).is_param_(True)


def rosenbrock(spec):
    w = leaf(spec.start)

    @TinyJit
    def step():
        w.grad = None
        _models.rosenbrock(w).backward()
        w.assign(w - spec.lr * w.grad.clip(-spec.clip, spec.clip)).realize()

    def run():
        w.assign(Tensor(spec.start)).realize()
        for _ in range(spec.steps):
            step()
        return [w.numpy()]

    return run


def scalar_expr(spec):
    leaves = [leaf(value) for value in spec.leaves]

    @TinyJit
    def value_and_gradients():
        for x in leaves:
            x.grad = None
        value = _models.scalar_expr(leaves, spec.rounds, Tensor.tanh, Tensor.relu).sum()
        value.backward()
        gradients = [x.grad for x in leaves]
        return value.realize(*gradients), *gradients

    def run():
        for _ in range(spec.iters):
            value, *gradients = value_and_gradients()
        return [value.item(), np.array([g.item() for g in gradients])]

    return run


def training(spec, loss_of, batches, epochs, make_optimizer):
    params = [leaf(p) for p in spec.params]
    optimizer = make_optimizer(params)
    batches = [tuple(Tensor(part).realize() for part in batch) for batch in batches]

    @TinyJit
    def step(X, y):
        optimizer.zero_grad()
        loss = loss_of(params, X, y).backward()
        return loss.realize(*optimizer.schedule_step())

    def begin_again():
        for p, start in zip(params, spec.params, strict=True):
            p.assign(Tensor(start).reshape(p.shape)).realize()
        for moment in [*getattr(optimizer, "m", []), *getattr(optimizer, "v", [])]:
            moment.assign(Tensor.zeros_like(moment).contiguous()).realize()
        for name in ("b1_t", "b2_t"):  # the powers of Adam's betas
            power = getattr(optimizer, name, None)
            if power is not None:
                power.assign(Tensor.ones_like(power).contiguous()).realize()

    def run():
        begin_again()
        with Context(TRAINING=1):
            for _ in range(epochs):
                for batch in batches:
                    loss = step(*batch)
        return [*(p.numpy() for p in params), loss.item()]

    return run


def descent(spec, loss_of, batches, epochs):
    return training(spec, loss_of, batches, epochs, lambda params: SGD(params, lr=spec.lr))


def linreg_minibatch(spec):
    def loss_of(params, X, y):
        weight, bias = params
        return ((X @ weight + bias - y) ** 2).mean()

    return descent(spec, loss_of, spec.batches, spec.epochs)


def mlp_loss(params, X, y):
    for i in range(0, len(params) - 2, 2):
        X = (X @ params[i] + params[i + 1]).relu()
    return (X @ params[-2] + params[-1]).sparse_categorical_crossentropy(y)


def softmax_digits(spec):
    return descent(spec, mlp_loss, [(X, y) for X, _, y in spec.batches], spec.epochs)


def mlp_digits(spec):
    def adam(params):
        beta1, beta2 = spec.betas
        return Adam(params, lr=spec.lr, b1=beta1, b2=beta2, eps=spec.eps)

    return training(spec, mlp_loss, [(X, y) for X, _, y in spec.batches], spec.epochs, adam)


def mlp_large(spec):
    return descent(spec, mlp_loss, [(spec.X, spec.y)], spec.steps)


def elementwise_chain(spec):
    x = leaf(spec.x)

    @TinyJit
    def value_and_gradient():
        x.grad = None
        a = x.sin()
        d = (a * x + 0.5).tanh()
        g = (d.exp() * 0.3 + 1).log()
        j = (g * d + a).cos()
        value = (j * j + g).sum()
        value.backward()
        return value.realize(x.grad), x.grad

    def run():
        for _ in range(spec.iters):
            value, gradient = value_and_gradient()
        return [value.item(), gradient.numpy()]

    return run


def cnn_small(spec):
    def loss_of(params, X, y):
        k1, b1, k2, b2, weight, bias = params
        h = X.conv2d(k1, b1, padding=1).relu().max_pool2d((2, 2))
        h = h.conv2d(k2, b2, padding=1).relu().max_pool2d((2, 2))
        return (h.flatten(1) @ weight + bias).sparse_categorical_crossentropy(y)

    return descent(spec, loss_of, [(spec.X, spec.y)], spec.steps)


def transformer_small(spec):
    B, T, d, heads = spec.B, spec.T, spec.d, spec.heads

    def layer_norm(x, weight, bias):
        return x.layernorm(eps=1e-5) * weight + bias

    def loss_of(params, tokens, y):
        table, places, n1w, n1b, w_qkv, w_out, n2w, n2b, w1, b1, w2, b2, n3w, n3b, head = params
        x = table[tokens] + places
        qkv = (layer_norm(x, n1w, n1b) @ w_qkv).reshape(B, T, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
        seen = qkv[0].scaled_dot_product_attention(qkv[1], qkv[2], is_causal=True)
        x = x + seen.transpose(1, 2).reshape(B, T, d) @ w_out
        x = x + (layer_norm(x, n2w, n2b) @ w1 + b1).gelu() @ w2 + b2
        return (layer_norm(x, n3w, n3b) @ head).reshape(B * T, spec.V).sparse_categorical_crossentropy(y)

    return descent(spec, loss_of, [(spec.tokens, spec.y)], spec.steps)


def deep_graph(spec):
    def run():
        a = leaf(spec.a)
        value = _models.repeated_product(a, spec.c, spec.n_ops).sum()
        value.backward()
        return [value.item(), a.grad.numpy()]

    return run
