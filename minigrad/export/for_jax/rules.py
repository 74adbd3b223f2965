"""In JAX: what several tables need for derivatives that plain formulas do not have."""

from typing import Any

import jax
import jax.numpy as jnp


@jax.custom_jvp
def with_slope_of(value: Any, other: Any) -> Any:
    """A value with the derivative of another one of its shape and dtype."""
    return value


@with_slope_of.defjvp
def _slope(primals: Any, tangents: Any) -> Any:
    return with_slope_of(*primals), tangents[1]


def length(x: Any, axes: tuple[int, ...], order: float) -> Any:
    """The norm of an order over axes, which stay with length 1; its derivative is 0 where it is 0."""
    if order == 0:
        return jnp.sum(x != 0, axis=axes, keepdims=True).astype(jnp.abs(x).dtype)
    if order == 1:
        return jnp.sum(jnp.abs(x), axis=axes, keepdims=True)
    if abs(order) == float("inf"):
        return (jnp.max if order > 0 else jnp.min)(jnp.abs(x), axis=axes, keepdims=True)
    # Of elements by the size of the one that counts most, so that no power has no place in the dtype.
    sizes = jax.lax.stop_gradient(jnp.abs(x))
    if not x.size:
        return jnp.sum(sizes, axis=axes, keepdims=True)
    scale = (jnp.max if order > 0 else jnp.min)(sizes, axis=axes, keepdims=True)
    scale = jnp.where((scale > 0) & (scale < jnp.inf), scale, 1)
    x = x / scale
    if order == 2:
        total = jnp.sum(x.real**2 + x.imag**2 if jnp.iscomplexobj(x) else x * x, axis=axes, keepdims=True)
        return scale * jnp.where(total == 0, 0, jnp.sqrt(jnp.where(total == 0, 1, total)))
    zero = x == 0
    powers = jnp.where(zero, 0.0 if order > 0 else jnp.inf, jnp.abs(jnp.where(zero, 1, x)) ** order)
    total = jnp.sum(powers, axis=axes, keepdims=True)
    bad = (total == 0) | (total == jnp.inf)
    edge = jnp.where((total == 0) == (order > 0), 0.0, jnp.inf)
    return scale * jnp.where(bad, edge, jnp.where(bad, 1, total) ** (1 / order))
