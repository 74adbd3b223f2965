"""JAX, with a jitted step that Python calls in a loop.  jax_eager has the same functions without `jax.jit`."""

from types import SimpleNamespace

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import optax  # noqa: E402

from peers import _models  # noqa: E402


def cross_entropy(logits, targets):
    return -jnp.mean(jnp.sum(jax.nn.log_softmax(logits) * targets, axis=-1))


lib = SimpleNamespace(xp=jnp, relu=jax.nn.relu, softmax=jax.nn.softmax, cross_entropy=cross_entropy)


def arrays(values):
    return [np.asarray(value) for value in values]


def rosenbrock_step(spec):
    slope = jax.grad(_models.rosenbrock)

    def step(w):
        return w - spec.lr * jnp.clip(slope(w), -spec.clip, spec.clip)

    return step


def descent_step(spec, loss_of):
    def step(params, *batch):
        value, gradients = jax.value_and_grad(loss_of)(params, *batch)
        return [p - p.dtype.type(spec.lr) * g for p, g in zip(params, gradients, strict=True)], value

    return step


def descent(spec, wrap, loss_of, batches, epochs):
    step = wrap(descent_step(spec, loss_of))
    batches = [tuple(jnp.asarray(part) for part in batch) for batch in batches]

    def run():
        params = [jnp.asarray(p) for p in spec.params]
        for _ in range(epochs):
            for batch in batches:
                params, value = step(params, *batch)
        return arrays([*params, value])

    return run


def adam(spec):
    return optax.adam(spec.lr, *spec.betas, eps=spec.eps)


def adam_training(spec, wrap, loss_of, batches, epochs):
    optimizer = adam(spec)

    @wrap
    def step(params, state, *batch):
        value, gradients = jax.value_and_grad(loss_of)(params, *batch)
        updates, state = optimizer.update(gradients, state)
        return optax.apply_updates(params, updates), state, value

    batches = [tuple(jnp.asarray(part) for part in batch) for batch in batches]

    def run():
        params = [jnp.asarray(p) for p in spec.params]
        state = optimizer.init(params)
        for _ in range(epochs):
            for batch in batches:
                params, state, value = step(params, state, *batch)
        return arrays([*params, value])

    return run


def rosenbrock(spec, wrap=jax.jit):
    step = wrap(rosenbrock_step(spec))

    def run():
        w = jnp.asarray(spec.start)
        for _ in range(spec.steps):
            w = step(w)
        return arrays([w])

    return run


def scalar_expr(spec, wrap=jax.jit):
    def expression(x):
        return _models.scalar_expr(x, spec.rounds, jnp.tanh, jax.nn.relu)

    value_and_gradient = wrap(jax.value_and_grad(expression))

    def run():
        for _ in range(spec.iters):
            value, gradient = value_and_gradient(tuple(spec.leaves))
        return [float(value), np.array([float(g) for g in gradient])]

    return run


def linear_loss(params, X, y):
    return _models.linear_regression(jnp, params, X, y)


def linreg_minibatch(spec, wrap=jax.jit):
    return descent(spec, wrap, linear_loss, spec.batches, spec.epochs)


def mlp_loss(params, X, Y):
    return cross_entropy(_models.mlp(lib, params, X), Y)


def softmax_digits(spec, wrap=jax.jit):
    return descent(spec, wrap, mlp_loss, [(X, Y) for X, Y, _ in spec.batches], spec.epochs)


def mlp_digits(spec, wrap=jax.jit):
    return adam_training(spec, wrap, mlp_loss, [(X, Y) for X, Y, _ in spec.batches], spec.epochs)


def mlp_large(spec, wrap=jax.jit):
    return descent(spec, wrap, mlp_loss, [(spec.X, spec.Y)], spec.steps)


def elementwise_chain(spec, wrap=jax.jit):
    def chain(x):
        return _models.elementwise_chain(jnp, x)

    value_and_gradient = wrap(jax.value_and_grad(chain))
    x = jnp.asarray(spec.x)

    def run():
        for _ in range(spec.iters):
            value, gradient = jax.block_until_ready(value_and_gradient(x))
        return arrays([value, gradient])

    return run


def convolution(x, kernel):
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), ((1, 1), (1, 1)))


def pool(x):
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


def cnn_small(spec, wrap=jax.jit):
    def loss_of(params, X, Y):
        k1, b1, k2, b2, weight, bias = params
        h = pool(jax.nn.relu(convolution(X, k1) + b1[:, None, None]))
        h = pool(jax.nn.relu(convolution(h, k2) + b2[:, None, None]))
        return cross_entropy(h.reshape(len(X), -1) @ weight + bias, Y)

    return descent(spec, wrap, loss_of, [(spec.X, spec.Y)], spec.steps)


def batchnorm_cnn(spec, wrap=jax.jit):
    def loss_of(params, X, Y):
        kernel, scale, shift, weight, bias = params
        h = convolution(X, kernel)
        h = h - jnp.mean(h, axis=(0, 2, 3), keepdims=True)
        h = h / jnp.sqrt(jnp.mean(h * h, axis=(0, 2, 3), keepdims=True) + spec.eps)
        h = pool(jax.nn.relu(h * scale[:, None, None] + shift[:, None, None]))
        return cross_entropy(h.reshape(len(X), -1) @ weight + bias, Y)

    return descent(spec, wrap, loss_of, [(spec.X, spec.Y)], spec.steps)


def transformer_small(spec, wrap=jax.jit):
    def loss_of(params, tokens, Y):
        return _models.transformer(lib, spec, params, tokens, Y)

    return descent(spec, wrap, loss_of, [(spec.tokens, spec.Y)], spec.steps)


def lstm(spec, wrap=jax.jit):
    """Over the steps with `lax.scan`, as it is written in JAX."""

    def loss_of(weights, x):
        weight, own_weight, bias, own_bias = weights

        def step(state, gates):
            h, c = state
            enter, forget, candidate, leave = jnp.split(gates + h @ own_weight.T, 4, axis=-1)
            c = jax.nn.sigmoid(forget) * c + jax.nn.sigmoid(enter) * jnp.tanh(candidate)
            h = jax.nn.sigmoid(leave) * jnp.tanh(c)
            return (h, c), h

        nothing = jnp.zeros((x.shape[1], spec.hidden), x.dtype)
        _, outputs = jax.lax.scan(step, (nothing, nothing), x @ weight.T + (bias + own_bias))
        return jnp.sum(outputs**2)

    value_and_gradients = wrap(jax.value_and_grad(loss_of))
    weights, x = [jnp.asarray(weight) for weight in spec.weights], jnp.asarray(spec.x)

    def run():
        for _ in range(spec.iters):
            value, gradients = jax.block_until_ready(value_and_gradients(weights, x))
        return arrays([value, *gradients])

    return run


def vae(spec, wrap=jax.jit):
    n = spec.latent

    def loss_of(params, X, noise):
        w1, b1, w2, b2, w3, b3, w4, b4 = params
        code = jax.nn.relu(X @ w1 + b1) @ w2 + b2
        means, logs = code[:, :n], code[:, n:]
        z = means + jnp.exp(logs / 2) * noise
        logits = jax.nn.relu(z @ w3 + b3) @ w4 + b4
        likelihood = jnp.sum(optax.sigmoid_binary_cross_entropy(logits, X))
        divergence = jnp.sum(means**2 + jnp.exp(logs) - 1 - logs) / 2
        return (likelihood + divergence) / len(X)

    return adam_training(spec, wrap, loss_of, spec.batches, 1)


def gaussian_process(spec, wrap=jax.jit):
    squares, y = jnp.asarray(spec.squares), jnp.asarray(spec.y)
    count = len(y)

    def loss_of(params):
        length, signal, noise = jnp.exp(params[0])
        kernel = signal**2 * jnp.exp(-0.5 * squares / length**2)
        factor = jnp.linalg.cholesky(kernel + noise**2 * jnp.eye(count))
        half = jax.scipy.linalg.solve_triangular(factor, y, lower=True)
        return half @ half / 2 + jnp.sum(jnp.log(jnp.diagonal(factor))) + count / 2 * np.log(2 * np.pi)

    return descent(spec, wrap, loss_of, [()], spec.steps)


def adam_large(spec, wrap=jax.jit):
    optimizer = adam(spec)

    @wrap
    def step(params, state, gradients):
        updates, state = optimizer.update(gradients, state)
        return optax.apply_updates(params, updates), state

    given = [[jnp.asarray(gradient)] for gradient in spec.gradients]

    def run():
        params = [jnp.asarray(p) for p in spec.params]
        state = optimizer.init(params)
        for gradients in given:
            params, state = step(params, state, gradients)
        return arrays(params)

    return run


def rosenbrock_chain(x):
    return _models.rosenbrock_chain(jnp, x)


def hessian(spec, wrap=jax.jit):
    curvature = wrap(jax.hessian(rosenbrock_chain))
    x = jnp.asarray(spec.x)

    def run():
        return arrays([curvature(x)])

    return run


def hvp(spec, wrap=jax.jit):
    slope = jax.grad(rosenbrock_chain)
    x, vs = jnp.asarray(spec.x), [jnp.asarray(v) for v in spec.vs]

    @wrap
    def product(v):
        return jax.jvp(slope, (x,), (v,))[1]

    def run():
        for v in vs:
            result = product(v)
        return arrays([result])

    return run
