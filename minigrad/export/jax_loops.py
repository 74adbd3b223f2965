"""In JAX: loops, branches and random numbers."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from minigrad.errors.exporting import no_counterpart
from minigrad.program.bodies import Body, Scan


def _run(body: Body) -> Callable[..., list[Any]]:
    """A body as a function of its inputs."""
    from minigrad.export.jax_table import LOWERED  # which has these loops, too
    from minigrad.export.to_jax import evaluate

    def run(*operands: Any) -> list[Any]:
        values: dict[Any, Any] = dict(zip(body.inputs, operands, strict=True))
        evaluate(body.equations, values, LOWERED, iter(()))
        return [jnp.asarray(values[x], x.dtype) for x in body.outputs]

    return run


def _joined(results: Sequence[Any]) -> Any:
    """All results as one value, as the package's loops give them."""
    return results[0] if len(results) == 1 else jnp.concatenate([jnp.reshape(x, -1) for x in results])


def _scan(*operands: Any, body: Body, how: Scan, forms: Any) -> Any:
    if how.limited:
        raise no_counterpart("JAX", "a scan of a length that is not known", None)
    run, begin = _run(body), how.constants + how.carries
    constants, carries, rows = operands[: how.constants], operands[how.constants : begin], operands[begin:]
    carries = [jnp.asarray(x, dtype) for x, (_, dtype) in zip(carries, forms, strict=False)]

    def step(carry: Any, row: Any) -> Any:
        made = run(*constants, *carry, *row)
        kept = tuple(carry) if how.keeps else ()
        return made[: how.carries], (*made[how.carries :], *kept)

    last, stacked = lax.scan(step, carries, tuple(rows), length=how.length, reverse=how.reverse)
    return _joined([*last, *stacked])


def _while_loop(*operands: Any, test: Body, body: Body, how: Any, forms: Any) -> Any:
    begin = how.test_constants + how.step_constants
    of_test, of_step = operands[: how.test_constants], operands[how.test_constants : begin]
    carry = [jnp.asarray(x, dtype) for x, (_, dtype) in zip(operands[begin:], forms, strict=True)]
    holds, step = _run(test), _run(body)
    return _joined(
        lax.while_loop(
            lambda state: jnp.reshape(holds(*of_test, *state)[0], ()).astype(bool),
            lambda state: step(*of_step, *state),
            carry,
        )
    )


def _branch(pred: Any, *operands: Any, first: Body, second: Body, how: Any, forms: Any) -> Any:
    begin = how.test_constants + how.step_constants
    of_first, of_second = operands[: how.test_constants], operands[how.test_constants : begin]
    shared = operands[begin:]
    one, two = _run(first), _run(second)
    return lax.cond(
        jnp.reshape(pred, ()).astype(bool),
        lambda: _joined(one(*of_first, *shared)),
        lambda: _joined(two(*of_second, *shared)),
    )


def _draw(key: Any, target: Any, *, method: str, arguments: Sequence[Any], options: Any, generator: Any) -> Any:
    """Random numbers of the same distribution; NumPy's methods, of which these have counterparts."""
    shape, dtype = target.shape, target.dtype
    named = dict(options)
    size = named.get("size", arguments[-1] if arguments and method in ("random", "standard_normal") else shape)
    if prod(shape) != prod(size if isinstance(size, tuple) else (size,)):
        size = shape
    if method == "random":
        return jax.random.uniform(key, shape, dtype)
    if method == "standard_normal":
        return jax.random.normal(key, shape, dtype)
    low, high = (*arguments, *(0.0, 1.0))[:2]
    if method == "normal":
        return named.get("loc", low) + named.get("scale", high) * jax.random.normal(key, shape, dtype)
    if method == "uniform":
        return jax.random.uniform(key, shape, dtype, named.get("low", low), named.get("high", high))
    if method == "integers":
        return jax.random.randint(key, shape, named.get("low", low), named.get("high", high), dtype)
    if method == "permutation":
        return jax.random.permutation(key, jnp.asarray(arguments[0]))
    raise no_counterpart("JAX", f"random numbers of {method}", None)


LOOPS: dict[str, Callable[..., Any]] = {
    "scan": _scan, "while_loop": _while_loop, "branch": _branch, "draw": _draw,
}  # fmt: skip
