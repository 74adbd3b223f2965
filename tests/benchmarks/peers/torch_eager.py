"""PyTorch as it is.  torch_compile has the same functions, with `wrap = torch.compile`."""

import os

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # its users know it by this letter

from peers import _models, identity

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


def tensor(array):
    return torch.from_numpy(np.array(array))


def leaf(array):
    return tensor(array).requires_grad_()


def arrays(tensors):
    return [t.detach().numpy() for t in tensors]


def training(spec, wrap, loss_of, batches, epochs, make_optimizer):
    compiled = wrap(loss_of)
    batches = [tuple(tensor(part) for part in batch) for batch in batches]

    def run():
        params = [leaf(p) for p in spec.params]
        optimizer = make_optimizer(params)
        for _ in range(epochs):
            for batch in batches:
                optimizer.zero_grad()
                loss = compiled(params, *batch)
                loss.backward()
                optimizer.step()
        return [*arrays(params), loss.item()]

    return run


def descent(spec, wrap, loss_of, batches, epochs):
    return training(spec, wrap, loss_of, batches, epochs, lambda params: torch.optim.SGD(params, lr=spec.lr))


def adam(spec, params):
    return torch.optim.Adam(params, lr=spec.lr, betas=spec.betas, eps=spec.eps)


def rosenbrock(spec, wrap=identity):
    loss_of = wrap(_models.rosenbrock)

    def run():
        w = leaf(spec.start)
        for _ in range(spec.steps):
            w.grad = None
            loss_of(w).backward()
            with torch.no_grad():
                w -= spec.lr * w.grad.clamp(-spec.clip, spec.clip)
        return arrays([w])

    return run


def scalar_expr(spec, wrap=identity):
    def expression(*x):
        return _models.scalar_expr(x, spec.rounds, torch.tanh, torch.relu)

    compiled = wrap(expression)

    def run():
        for _ in range(spec.iters):
            leaves = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in spec.leaves]
            value = compiled(*leaves)
            value.backward()
        return [value.item(), np.array([x.grad.item() for x in leaves])]

    return run


def linreg_minibatch(spec, wrap=identity):
    def loss_of(params, X, y):
        weight, bias = params
        return torch.mean((X @ weight + bias - y) ** 2)

    return descent(spec, wrap, loss_of, spec.batches, spec.epochs)


def mlp_loss(params, X, y):
    for i in range(0, len(params) - 2, 2):
        X = F.relu(X @ params[i] + params[i + 1])
    return F.cross_entropy(X @ params[-2] + params[-1], y)


def softmax_digits(spec, wrap=identity):
    return descent(spec, wrap, mlp_loss, [(X, y) for X, _, y in spec.batches], spec.epochs)


def mlp_digits(spec, wrap=identity):
    batches = [(X, y) for X, _, y in spec.batches]
    return training(spec, wrap, mlp_loss, batches, spec.epochs, lambda params: adam(spec, params))


def mlp_large(spec, wrap=identity):
    return descent(spec, wrap, mlp_loss, [(spec.X, spec.y)], spec.steps)


def elementwise_chain(spec, wrap=identity):
    def chain(x):
        return _models.elementwise_chain(torch, x)

    compiled = wrap(chain)
    x = leaf(spec.x)

    def run():
        for _ in range(spec.iters):
            x.grad = None
            value = compiled(x)
            value.backward()
        return [value.item(), x.grad.numpy()]

    return run


def cnn_small(spec, wrap=identity):
    def loss_of(params, X, y):
        k1, b1, k2, b2, weight, bias = params
        h = F.max_pool2d(F.relu(F.conv2d(X, k1, b1, padding=1)), 2)
        h = F.max_pool2d(F.relu(F.conv2d(h, k2, b2, padding=1)), 2)
        return F.cross_entropy(h.flatten(1) @ weight + bias, y)

    return descent(spec, wrap, loss_of, [(spec.X, spec.y)], spec.steps)


def batchnorm_cnn(spec, wrap=identity):
    def loss_of(params, X, y):
        kernel, scale, shift, weight, bias = params
        h = F.batch_norm(F.conv2d(X, kernel, padding=1), None, None, scale, shift, training=True, eps=spec.eps)
        return F.cross_entropy(F.max_pool2d(F.relu(h), 2).flatten(1) @ weight + bias, y)

    return descent(spec, wrap, loss_of, [(spec.X, spec.y)], spec.steps)


def transformer_small(spec, wrap=identity):
    B, T, d, heads = spec.B, spec.T, spec.d, spec.heads

    def loss_of(params, tokens, y):
        table, places, n1w, n1b, w_qkv, w_out, n2w, n2b, w1, b1, w2, b2, n3w, n3b, head = params
        x = F.embedding(tokens, table) + places
        qkv = (F.layer_norm(x, (d,), n1w, n1b) @ w_qkv).view(B, T, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], is_causal=True)
        x = x + seen.transpose(1, 2).reshape(B, T, d) @ w_out
        x = x + F.gelu(F.layer_norm(x, (d,), n2w, n2b) @ w1 + b1, approximate="tanh") @ w2 + b2
        return F.cross_entropy((F.layer_norm(x, (d,), n3w, n3b) @ head).view(B * T, spec.V), y)

    return descent(spec, wrap, loss_of, [(spec.tokens, spec.y)], spec.steps)


def lstm(spec, wrap=identity):
    model = torch.nn.LSTM(spec.features, spec.hidden)
    weights = list(model.parameters())
    with torch.no_grad():
        for weight, value in zip(weights, spec.weights, strict=True):
            weight.copy_(tensor(value))
    x = tensor(spec.x)

    def loss_of(x):
        outputs, _ = model(x)
        return (outputs**2).sum()

    compiled = wrap(loss_of)

    def run():
        for _ in range(spec.iters):
            model.zero_grad()
            loss = compiled(x)
            loss.backward()
        return [loss.item(), *arrays(weight.grad for weight in weights)]

    return run


def vae(spec, wrap=identity):
    n = spec.latent

    def loss_of(params, X, noise):
        w1, b1, w2, b2, w3, b3, w4, b4 = params
        code = F.relu(X @ w1 + b1) @ w2 + b2
        means, logs = code[:, :n], code[:, n:]
        z = means + torch.exp(logs / 2) * noise
        logits = F.relu(z @ w3 + b3) @ w4 + b4
        likelihood = F.binary_cross_entropy_with_logits(logits, X, reduction="sum")
        divergence = (means**2 + torch.exp(logs) - 1 - logs).sum() / 2
        return (likelihood + divergence) / len(X)

    return training(spec, wrap, loss_of, spec.batches, 1, lambda params: adam(spec, params))


def gaussian_process(spec, wrap=identity):
    squares, y = tensor(spec.squares), tensor(spec.y)
    count = len(y)
    eye = torch.eye(count, dtype=y.dtype)

    def loss_of(theta):
        length, signal, noise = torch.exp(theta)
        kernel = signal**2 * torch.exp(-0.5 * squares / length**2)
        factor = torch.linalg.cholesky(kernel + noise**2 * eye)
        half = torch.linalg.solve_triangular(factor, y[:, None], upper=False)[:, 0]
        return half @ half / 2 + torch.log(torch.diagonal(factor)).sum() + count / 2 * np.log(2 * np.pi)

    compiled = wrap(loss_of)

    def run():
        theta = leaf(spec.params[0])
        for _ in range(spec.steps):
            theta.grad = None
            value = compiled(theta)
            value.backward()
            with torch.no_grad():
                theta -= spec.lr * theta.grad
        return [*arrays([theta]), value.item()]

    return run


def adam_large(spec):
    gradients = [tensor(gradient) for gradient in spec.gradients]

    def run():
        params = [leaf(p) for p in spec.params]
        optimizer = adam(spec, params)
        for gradient in gradients:
            params[0].grad = gradient
            optimizer.step()
        return arrays(params)

    return run


def rosenbrock_chain(x):
    return _models.rosenbrock_chain(torch, x)


def hessian(spec, wrap=identity):
    curvature = wrap(torch.func.hessian(rosenbrock_chain))
    x = tensor(spec.x)

    def run():
        return [curvature(x).numpy()]

    return run


def hvp(spec, wrap=identity):
    x, vs = tensor(spec.x), tensor(spec.vs)
    slope = torch.func.grad(rosenbrock_chain)

    def product(v):
        return torch.func.jvp(slope, (x,), (v,))[1]

    compiled = wrap(product)

    def run():
        for v in vs:
            result = compiled(v)
        return [result.numpy()]

    return run


def op_forward(spec):
    a, b = tensor(spec.a), leaf(spec.b)

    def run():
        for _ in range(spec.iters):
            y = _models.repeated_add(a, b, spec.n_ops)
        return arrays([y])

    return run


def op_fwdbwd(spec):
    a, b = tensor(spec.a), leaf(spec.b)

    def run():
        for _ in range(spec.iters):
            b.grad = None
            value = _models.repeated_add(a, b, spec.n_ops).sum()
            value.backward()
        return [value.item(), b.grad.numpy()]

    return run


def deep_graph(spec):
    def run():
        a = leaf(spec.a)
        value = _models.repeated_product(a, spec.c, spec.n_ops).sum()
        value.backward()
        return [value.item(), a.grad.numpy()]

    return run
