"""In JAX: loops, branches and random numbers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from minigrad.errors.exporting import no_counterpart
from minigrad.export.for_jax.evaluating import dtype_of, evaluate, followed
from minigrad.program.bodies import Body, Scan

Table = Mapping[str, Callable[..., Any]]


def _run(body: Body, table: Table) -> Callable[..., list[Any]]:
    """A body as a function of its inputs."""

    def run(*operands: Any) -> list[Any]:
        values: dict[Any, Any] = dict(zip(body.inputs, operands, strict=True))
        active: set[Any] = {
            x for e in body.equations for x, follows in zip(e.inputs, e.followed, strict=False) if follows
        }
        evaluate(body.equations, values, table, iter(()), active)
        results = zip(body.outputs, body.followed, strict=True)
        return [jnp.asarray(followed(x, values, active, follows), dtype_of(x)) for x, follows in results]

    return run


def _joined(results: Sequence[Any]) -> Any:
    """All results as one value, as the package's loops give them."""
    if len(results) == 1:
        return results[0]
    dtype = jax.dtypes.canonicalize_dtype(
        np.result_type(*[x.dtype for x in results])
    )  # in JAX's own integers lose digits
    return jnp.concatenate([jnp.reshape(x, -1).astype(dtype) for x in results])


def _scan(*operands: Any, body: Body, how: Scan, forms: Any, table: Table) -> Any:
    if how.limited:
        raise no_counterpart("JAX", "a scan of a length that is not known", None)
    run, begin = _run(body, table), how.constants + how.carries
    constants, carries, rows = operands[: how.constants], operands[how.constants : begin], operands[begin:]
    first = [jnp.asarray(x, dtype) for x, (_, dtype) in zip(carries, forms, strict=False)]

    def step(carry: Any, row: Any) -> Any:
        made = run(*constants, *carry, *row)
        kept = tuple(carry) if how.keeps else ()
        return made[: how.carries], (*made[how.carries :], *kept)

    last, stacked = lax.scan(step, first, tuple(rows), length=how.length, reverse=how.reverse)
    return _joined([*last, *stacked])


def _while_loop(*operands: Any, test: Body, body: Body, how: Any, forms: Any, table: Table) -> Any:
    begin = how.test_constants + how.step_constants
    of_test, of_step = operands[: how.test_constants], operands[how.test_constants : begin]
    carry = [jnp.asarray(x, dtype) for x, (_, dtype) in zip(operands[begin:], forms, strict=True)]
    holds, step = _run(test, table), _run(body, table)
    return _joined(
        lax.while_loop(
            lambda state: jnp.reshape(holds(*of_test, *state)[0], ()).astype(bool),
            lambda state: step(*of_step, *state),
            carry,
        )
    )


def _branch(pred: Any, *operands: Any, first: Body, second: Body, how: Any, forms: Any, table: Table) -> Any:
    begin = how.test_constants + how.step_constants
    of_first, of_second = operands[: how.test_constants], operands[how.test_constants : begin]
    shared = operands[begin:]
    one, two = _run(first, table), _run(second, table)
    return lax.cond(
        jnp.reshape(pred, ()).astype(bool),
        lambda: _joined(one(*of_first, *shared)),
        lambda: _joined(two(*of_second, *shared)),
    )


# Random numbers of NumPy's distributions: functions of a key, shape and dtype, and of what NumPy's methods take before
# the size.


def _uniform(key: Any, shape: Any, dtype: Any, low: Any = 0.0, high: Any = 1.0) -> Any:
    return low + (high - low) * jax.random.uniform(key, shape, dtype)


def _integers(key: Any, shape: Any, dtype: Any, low: Any, high: Any = None, *, endpoint: bool = False) -> Any:
    low, high = (0, low) if high is None else (low, high)
    return jax.random.randint(key, shape, low, high + endpoint, dtype)


def _permutation(key: Any, shape: Any, dtype: Any, x: Any, axis: int = 0) -> Any:
    return jax.random.permutation(key, jnp.arange(x) if np.ndim(x) == 0 else jnp.asarray(x), axis)


_DRAWS: dict[str, tuple[int, Callable[..., Any]]] = {
    "random": (0, jax.random.uniform),
    "uniform": (2, _uniform),
    "standard_normal": (0, jax.random.normal),
    "normal": (2, lambda key, shape, dtype, loc=0.0, scale=1.0: loc + scale * jax.random.normal(key, shape, dtype)),
    "gumbel": (2, lambda key, shape, dtype, loc=0.0, scale=1.0: loc + scale * jax.random.gumbel(key, shape, dtype)),
    "standard_exponential": (0, jax.random.exponential),
    "exponential": (1, lambda key, shape, dtype, scale=1.0: scale * jax.random.exponential(key, shape, dtype)),
    "standard_gamma": (1, lambda key, shape, dtype, a: jax.random.gamma(key, a, shape, dtype)),
    "beta": (2, lambda key, shape, dtype, a, b: jax.random.beta(key, a, b, shape, dtype)),
    "poisson": (1, lambda key, shape, dtype, lam=1.0: jax.random.poisson(key, lam, shape)),
    "binomial": (2, lambda key, shape, dtype, n, p: jax.random.binomial(key, n, p, shape)),
    "integers": (2, _integers),
    "permutation": (2, _permutation),
}  # fmt: skip


def _draw(key: Any, target: Any, *, method: str, arguments: Sequence[Any], options: Any, generator: Any) -> Any:
    """Random numbers of the same distribution, in the shape and dtype of the variable they are for."""
    if method not in _DRAWS:
        raise no_counterpart("JAX", f"random numbers of {method}", None)
    count, draw = _DRAWS[method]
    named = {name: x for name, x in options.items() if name not in ("size", "dtype")}
    return draw(key, target.shape, jax.dtypes.canonicalize_dtype(target.dtype), *arguments[:count], **named)


LOOPS: dict[str, Callable[..., Any]] = {
    "scan": _scan, "while_loop": _while_loop, "branch": _branch, "draw": _draw,
}  # fmt: skip
