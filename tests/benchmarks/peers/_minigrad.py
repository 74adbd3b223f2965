"""The workloads in minigrad, for both of its peers: `wrap` compiles a function, or leaves it as it is."""

import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.nn import functional as F  # noqa: N812  # PyTorch's users know it by this letter
from peers import _models


def leaf(value):
    return mg.tensor(value, requires_grad=True)


def arrays(tensors):
    return [t.detach().numpy() for t in tensors]


def begin_again(params, starts, optimizer):
    """Parameters and the optimizer's state as they were at first, in the memory that a compiled step knows."""
    with mg.no_grad():
        for p, start in zip(params, starts, strict=True):
            p[...] = start
    for state in optimizer.state.values():
        for name, value in state.items():
            if isinstance(value, np.ndarray):
                value[...] = 0
            else:
                state[name] = 0


def training(spec, wrap, loss_of, batches, epochs, make_optimizer):
    """Steps of an optimizer on `loss_of(params, *batch)`, each of them one function."""
    params = [leaf(p) for p in spec.params]
    optimizer = make_optimizer(params)

    @wrap
    def step(*batch):
        optimizer.zero_grad()
        loss = loss_of(params, *batch)
        loss.backward()
        optimizer.step()
        return loss

    def run():
        begin_again(params, spec.params, optimizer)
        for _ in range(epochs):
            for batch in batches:
                loss = step(*batch)
        return [*(p.copy() for p in arrays(params)), loss.item()]

    return run


def descent(spec, wrap, loss_of, batches, epochs):
    return training(spec, wrap, loss_of, batches, epochs, lambda params: optim.SGD(params, lr=spec.lr))


def adam(spec, params):
    return optim.Adam(params, lr=spec.lr, betas=spec.betas, eps=spec.eps)


def rosenbrock(spec, wrap):
    slope = mg.grad(_models.rosenbrock)

    @wrap
    def step(w):
        return w - spec.lr * mg.clip(slope(w), -spec.clip, spec.clip)

    def run():
        w = mg.tensor(spec.start)
        for _ in range(spec.steps):
            w = step(w)
        return arrays([w])

    return run


def scalar_expr(spec, wrap):
    @wrap
    @mg.value_and_grad
    def value_and_gradient(x):
        return _models.scalar_expr(x, spec.rounds, mg.tanh, F.relu)

    def run():
        leaves = [mg.tensor(value) for value in spec.leaves]
        for _ in range(spec.iters):
            value, gradient = value_and_gradient(leaves)
        return [value.item(), np.array([g.item() for g in gradient])]

    return run


def linreg_minibatch(spec, wrap):
    def loss_of(params, X, y):
        weight, bias = params
        return ((X @ weight + bias - y) ** 2).mean()

    return descent(spec, wrap, loss_of, spec.batches, spec.epochs)


def mlp_loss(params, X, y):
    for i in range(0, len(params) - 2, 2):
        X = F.relu(X @ params[i] + params[i + 1])
    return F.cross_entropy(X @ params[-2] + params[-1], y)


def softmax_digits(spec, wrap):
    return descent(spec, wrap, mlp_loss, [(X, y) for X, _, y in spec.batches], spec.epochs)


def mlp_digits(spec, wrap):
    batches = [(X, y) for X, _, y in spec.batches]
    return training(spec, wrap, mlp_loss, batches, spec.epochs, lambda params: adam(spec, params))


def mlp_large(spec, wrap):
    return descent(spec, wrap, mlp_loss, [(spec.X, spec.y)], spec.steps)


def elementwise_chain(spec, wrap):
    @wrap
    @mg.value_and_grad
    def value_and_gradient(x):
        return _models.elementwise_chain(mg, x)

    def run():
        x = mg.asarray(spec.x)
        for _ in range(spec.iters):
            value, gradient = value_and_gradient(x)
        return arrays([value, gradient])

    return run


def cnn_small(spec, wrap):
    def loss_of(params, X, y):
        k1, b1, k2, b2, weight, bias = params
        h = F.max_pool2d(F.relu(F.conv2d(X, k1, b1, padding=1)), 2)
        h = F.max_pool2d(F.relu(F.conv2d(h, k2, b2, padding=1)), 2)
        return F.cross_entropy(h.flatten(1) @ weight + bias, y)

    return descent(spec, wrap, loss_of, [(spec.X, spec.y)], spec.steps)


def batchnorm_cnn(spec, wrap):
    def loss_of(params, X, y):
        kernel, scale, shift, weight, bias = params
        h = F.batch_norm(F.conv2d(X, kernel, padding=1), None, None, scale, shift, training=True, eps=spec.eps)
        return F.cross_entropy(F.max_pool2d(F.relu(h), 2).flatten(1) @ weight + bias, y)

    return descent(spec, wrap, loss_of, [(spec.X, spec.y)], spec.steps)


def transformer_small(spec, wrap):
    B, T, d, heads = spec.B, spec.T, spec.d, spec.heads

    def loss_of(params, tokens, y):
        table, places, n1w, n1b, w_qkv, w_out, n2w, n2b, w1, b1, w2, b2, n3w, n3b, head = params
        x = F.embedding(tokens, table) + places
        qkv = F.layer_norm(x, d, n1w, n1b) @ w_qkv
        q, k, v = qkv.reshape(B, T, 3, heads, d // heads).transpose(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + seen.transpose(0, 2, 1, 3).reshape(B, T, d) @ w_out
        x = x + F.gelu(F.layer_norm(x, d, n2w, n2b) @ w1 + b1, approximate="tanh") @ w2 + b2
        return F.cross_entropy((F.layer_norm(x, d, n3w, n3b) @ head).reshape(B * T, spec.V), y)

    return descent(spec, wrap, loss_of, [(spec.tokens, spec.y)], spec.steps)


def lstm(spec, wrap):
    model = nn.LSTM(spec.features, spec.hidden, dtype=np.float32)
    weights = list(model.parameters())
    with mg.no_grad():
        for weight, value in zip(weights, spec.weights, strict=True):
            weight[...] = value

    @wrap
    def loss_of(x):
        model.zero_grad()
        outputs, _ = model(x)
        loss = (outputs**2).sum()
        loss.backward()
        return loss

    def run():
        for _ in range(spec.iters):
            loss = loss_of(spec.x)
        return [loss.item(), *arrays(weight.grad for weight in weights)]

    return run


def vae(spec, wrap):
    n = spec.latent

    def loss_of(params, X, noise):
        w1, b1, w2, b2, w3, b3, w4, b4 = params
        code = F.relu(X @ w1 + b1) @ w2 + b2
        means, logs = code[:, :n], code[:, n:]
        z = means + mg.exp(logs / 2) * noise
        logits = F.relu(z @ w3 + b3) @ w4 + b4
        likelihood = F.binary_cross_entropy_with_logits(logits, X, reduction="sum")
        divergence = (means**2 + mg.exp(logs) - 1 - logs).sum() / 2
        return (likelihood + divergence) / len(X)

    return training(spec, wrap, loss_of, spec.batches, 1, lambda params: adam(spec, params))


def gaussian_process(spec, wrap):
    """The triangular factor goes into a general `solve`: there is none for triangles."""
    squares, y, eye = spec.squares, spec.y, np.eye(len(spec.y))

    @mg.value_and_grad
    def value_and_gradient(theta):
        length, signal, noise = mg.exp(theta)
        kernel = signal**2 * mg.exp(-0.5 * squares / length**2)
        factor = mg.linalg.cholesky(kernel + noise**2 * eye)
        half = mg.linalg.solve(factor, y)
        return half @ half / 2 + mg.log(mg.diagonal(factor)).sum() + len(y) / 2 * np.log(2 * np.pi)

    @wrap
    def step(theta):
        value, gradient = value_and_gradient(theta)
        return theta - spec.lr * gradient, value

    def run():
        theta = mg.tensor(spec.params[0])
        for _ in range(spec.steps):
            theta, value = step(theta)
        return arrays([theta, value])

    return run


def adam_large(spec, wrap):
    params = [leaf(p) for p in spec.params]
    optimizer = adam(spec, params)

    @wrap
    def step(gradient):
        params[0].grad = gradient
        optimizer.step()

    def run():
        begin_again(params, spec.params, optimizer)
        for gradient in spec.gradients:
            step(gradient)
        return arrays(params)

    return run


def hessian(spec, wrap):
    @wrap
    @mg.hessian
    def curvature(x):
        return _models.rosenbrock_chain(mg, x)

    def run():
        return arrays([curvature(mg.asarray(spec.x))])

    return run


def hvp(spec, wrap):
    def slope(x):
        return mg.grad(lambda x: _models.rosenbrock_chain(mg, x))(x)

    product = wrap(lambda x, v: mg.jvp(slope, (x,), (v,))[1])
    compiled = isinstance(product, type(mg.jit(slope)))

    def run():
        x = mg.asarray(spec.x)
        # What does not depend on the vector is computed once; a compiled function computes it anew, in less time.
        own = (lambda v: product(x, v)) if compiled else mg.linearize(slope, x)[1]
        for v in spec.vs:
            result = own(v)
        return arrays([result])

    return run


def op_forward(spec, wrap):
    @wrap
    def chain(a, b):
        return _models.repeated_add(a, b, spec.n_ops)

    def run():
        a, b = mg.asarray(spec.a), leaf(spec.b)
        for _ in range(spec.iters):
            y = chain(a, b)
        return arrays([y])

    return run


def op_fwdbwd(spec, wrap):
    @wrap
    @mg.value_and_grad
    def chain(b, a):
        return _models.repeated_add(a, b, spec.n_ops).sum()

    def run():
        a, b = mg.asarray(spec.a), mg.asarray(spec.b)
        for _ in range(spec.iters):
            value, gradient = chain(b, a)
        return arrays([value, gradient])

    return run


def deep_graph(spec, wrap):
    @wrap
    @mg.value_and_grad
    def chain(a):
        return _models.repeated_product(a, spec.c, spec.n_ops).sum()

    def run():
        return arrays(chain(mg.asarray(spec.a)))

    return run
