"""Equations computed in JAX: their operands with derivatives where they had them in the trace."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.dtypes import canonicalize_dtype
from jax.lax import stop_gradient

from minigrad.program.bodies import bodies_of
from minigrad.program.equations import Equation, Variable

# Whose shape depends on values, and stays that of the example.
OF_KNOWN_SHAPE = {"count_numbers", "sum_by_number", "histogram_bin_edges"}


def dtype_of(x: Variable) -> Any:
    """The dtype of a variable as JAX has it now; of a number of Python JAX's own is weak, too."""
    return canonicalize_dtype(x.dtype) if isinstance(x.dtype, np.dtype) else None


def constant_of(array: Any) -> Any:
    """An array of the function's own for JAX; masks stay NumPy's, whose elements are known when JAX traces."""
    return array if getattr(array, "dtype", None) == np.bool_ else jnp.asarray(array)


def followed(x: Any, values: Mapping[Any, Any], active: set[Variable], follows: bool) -> Any:
    """The value of a variable or a literal; without a derivative where the function took it without one."""
    if not isinstance(x, Variable):
        return x.value
    return stop_gradient(values[x]) if x in active and not follows else values[x]


def evaluate(
    equations: Sequence[Equation],
    values: dict[Any, Any],
    table: Mapping[str, Callable[..., Any]],
    keys: Any,
    active: set[Variable],
) -> None:
    """Compute equations: their results become known values, and those that have a derivative become active."""
    for equation in equations:
        made, params = equation.operation.primitive, equation.operation.params
        pairs = zip(equation.inputs, equation.followed or (False,) * len(equation.inputs), strict=True)
        operands = [followed(x, values, active, follows) for x, follows in pairs]
        if True in equation.followed:
            active.update(equation.outputs)
        if made.facts.relays:
            # What was computed before is passed on, with its derivatives: the rule would only compute it again.
            values.update(dict.fromkeys(equation.outputs, followed(equation.inputs[0], values, active, True)))
            continue
        lower = table[made.name]
        if made.name in OF_KNOWN_SHAPE:
            params = {**params, "shape": equation.outputs[0].shape}
        if bodies_of(equation):
            params = {**params, "table": table}
        if made.facts.kind == "draw":
            results: Any = (lower(next(keys), equation.outputs[0], **params),)
        elif made.saves:
            results = lower(*operands, **params)
        else:
            results = (lower(*operands, **params),)
        for x, value in zip(equation.outputs, results, strict=True):
            values[x] = _cast(value, dtype_of(x))


def _cast(value: Any, dtype: Any) -> Any:
    return value if dtype is None or getattr(value, "dtype", None) == dtype else jnp.asarray(value).astype(dtype)
