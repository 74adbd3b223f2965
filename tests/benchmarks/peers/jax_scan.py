"""JAX with whole loops of training compiled, by `lax.scan` and `lax.fori_loop`: nothing of Python in a step."""

import jax
import jax.numpy as jnp

from peers import jax_jit


def rosenbrock(spec):
    step = jax_jit.rosenbrock_step(spec)

    @jax.jit
    def descend(w):
        return jax.lax.fori_loop(0, spec.steps, lambda _, w: step(w), w)

    def run():
        return jax_jit.arrays([descend(jnp.asarray(spec.start))])

    return run


def training(spec, loss_of, batches):
    step = jax_jit.descent_step(spec, loss_of)
    stacked = tuple(jnp.stack([jnp.asarray(part) for part in parts]) for parts in zip(*batches, strict=True))

    @jax.jit
    def train(params, stacked):
        def epoch(params, _):
            return jax.lax.scan(lambda params, batch: step(params, *batch), params, stacked)

        params, values = jax.lax.scan(epoch, params, None, length=spec.epochs)
        return params, values[-1, -1]

    def run():
        params, value = train([jnp.asarray(p) for p in spec.params], stacked)
        return jax_jit.arrays([*params, value])

    return run


def linreg_minibatch(spec):
    return training(spec, jax_jit.linear_loss, spec.batches)


def softmax_digits(spec):
    return training(spec, jax_jit.mlp_loss, [(X, Y) for X, Y, _ in spec.batches])


def deep_graph(spec):
    def chain(a):
        a, _ = jax.lax.scan(lambda y, _: (y * spec.c, None), a, None, length=spec.n_ops)
        return a.sum()

    value_and_gradient = jax.jit(jax.value_and_grad(chain))
    a = jnp.asarray(spec.a)

    def run():
        return jax_jit.arrays(value_and_gradient(a))

    return run
