"""JAX without `jax.jit`, operation by operation: what ends within reasonable time."""

import jax
import jax.numpy as jnp

from peers import _models, identity, jax_jit, wrapped

globals().update(wrapped(jax_jit, identity, ["hvp", "mlp_large", "elementwise_chain", "transformer_small"]))


def scalar_expr(spec):
    spec.iters = 2
    return jax_jit.scalar_expr(spec, wrap=identity)


def op_fwdbwd(spec):
    spec.iters = 1

    def chain(b):
        return _models.repeated_add(a, b, spec.n_ops).sum()

    a, b = jnp.asarray(spec.a), jnp.asarray(spec.b)

    def run():
        return jax_jit.arrays(jax.value_and_grad(chain)(b))

    return run


def deep_graph(spec):
    def chain(a):
        return _models.repeated_product(a, spec.c, spec.n_ops).sum()

    a = jnp.asarray(spec.a)

    def run():
        return jax_jit.arrays(jax.value_and_grad(chain)(a))

    return run
