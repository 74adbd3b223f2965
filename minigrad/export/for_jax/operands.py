"""What the tables of JAX's functions share: operands of one dtype, by NumPy's rules, and results without derivative."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax, tree


def alike(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of operands of several dtypes: NumPy makes doubles of int64 and float32, and JAX does not."""

    @wraps(function)
    def call(*operands: Any, **params: Any) -> Any:
        return function(*of_one_dtype(*operands), **params)

    return call


def of_one_dtype(*operands: Any) -> tuple[Any, ...]:
    """The operands in the dtype that NumPy gives their result; numbers of Python are weak with both."""
    strong = [x for x in operands if hasattr(x, "dtype") and not getattr(x, "weak_type", False)]
    if len({x.dtype for x in strong}) < 2:
        return operands
    dtype = np.result_type(*[x.dtype for x in strong])
    return tuple([x.astype(dtype) if any(x is other for other in strong) else x for x in operands])


def floating(x: Any) -> Any:
    """An array of floating-point numbers, real or complex."""
    x = jnp.asarray(x)
    return x if x.dtype.kind in "fc" else x.astype(float)


def constant(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function without derivatives, of which JAX does not look for any inside of it."""

    @wraps(function)
    def call(*operands: Any, **params: Any) -> Any:
        return function(*tree.map(lax.stop_gradient, operands), **params)

    return call
