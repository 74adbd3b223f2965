"""In JAX: the exponential of matrices, by the package's own method, and so with its digits."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from minigrad.export.for_jax.operands import floating
from minigrad.ops.exponential import _NORM, _PADE

_MOST = 64  # halvings: the norm of a matrix that needs more has no exponential in double precision, or none but 0


def _expm(x: Any) -> Any:
    x = floating(x)
    size = lax.stop_gradient(jnp.max(jnp.sum(jnp.abs(x), -2, keepdims=True), -1, keepdims=True, initial=0))
    halvings = jnp.ceil(jnp.log2(jnp.where(jnp.isfinite(size), jnp.maximum(size / _NORM, 1), 1)))
    x = x / 2**halvings
    b, one, x2 = _PADE, jnp.eye(x.shape[-1], dtype=x.dtype), x @ x
    x4 = x2 @ x2
    x6 = x2 @ x4
    odd = x @ (x6 @ (b[13] * x6 + b[11] * x4 + b[9] * x2) + b[7] * x6 + b[5] * x4 + b[3] * x2 + b[1] * one)
    even = x6 @ (b[12] * x6 + b[10] * x4 + b[8] * x2) + b[6] * x6 + b[4] * x4 + b[2] * x2 + b[0] * one
    y = jnp.linalg.solve(even - odd, even + odd)
    # So many steps for all, which JAX can differentiate; a matrix that needs no more of them stays what it is.
    return lax.fori_loop(0, _MOST, lambda i, y: jnp.where(i < halvings, y @ y, y), y)


EXPONENTIAL: dict[str, Callable[..., Any]] = {
    "expm": _expm, "frechet": lambda x, e: jax.jvp(_expm, (x,), (e,))[1],
}  # fmt: skip
