"""To JAX: a program as a function of ``jax.numpy`` arrays, operation by operation."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.core import unwrap
from minigrad.errors.exporting import changes_something, no_counterpart, no_double_precision, no_key, reads_state
from minigrad.errors.files import missing_package
from minigrad.program import Program, trace
from minigrad.program.equations import Argument, Equation, OfTensor, Variable
from minigrad.tree import flatten

TARGET = "export.to_jax"


def to_jax(f: Callable[..., Any], *examples: Any) -> Callable[..., Any]:
    """Make a function of JAX's arrays of a function of Tensors.

    The function is traced with the examples, and its operations are those of ``jax.numpy``: what `jax.jit`, `jax.grad`,
    `jax.vmap`, ``shard_map`` and `jax.export` make of it runs where JAX does.

    Parameters
    ----------
    f : callable
        Of trees of arrays; it returns a tree of Tensors, and changes nothing.  Parameters of a model are an argument,
        as in ``nn.functional_call(model, params, x)``; gradients come from `minigrad.grad`, or from `jax.grad` later.
        Tensors that it finds outside of itself are constants of the result.
    *examples
        What to trace it with: the result is for arguments of the same shapes and dtypes.  Integers, bools and strings
        are fixed.

    Returns
    -------
    callable
        With the arguments of `f`, as trees of NumPy's or JAX's arrays, and ``key=`` for random numbers, which are
        JAX's.  It returns a tree of JAX's arrays.

    Raises
    ------
    ProgramError
        If the function cannot be traced, or changes something.
    UnsupportedError
        If an operation has no counterpart; it names the operation and its line.
    ArgumentError
        When the result is called, if it computes in double precision and JAX is not told to, or draws without a key.
    MissingPackageError
        If JAX is not installed (the extra `jax`).

    Notes
    -----
    Where JAX's derivatives are others, at kinks and at the edges of domains, those of `jax.grad` are JAX's.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> from minigrad.export import to_jax
    >>> f = to_jax(lambda x: mg.sum(mg.sin(x) ** 2), np.zeros(3, np.float32))  # doctest: +SKIP
    >>> jax.jit(jax.grad(f))(np.ones(3, np.float32))  # doctest: +SKIP
    Array([0.9092974, 0.9092974, 0.9092974], dtype=float32)
    """
    jax = _jax()
    program = trace(f, *examples)
    if program.effects:
        raise changes_something(TARGET, program.name, [str(target) for target, _ in program.effects])
    for source in program.inputs.values():
        if not isinstance(source, Argument | OfTensor):
            raise reads_state(TARGET, program.name, str(source))
    from minigrad.export.jax_table import LOWERED  # which needs JAX

    _check(program.equations, LOWERED)
    captured = {x: source.tensor.array for x, source in program.inputs.items() if isinstance(source, OfTensor)}
    captured |= {x: constant.array for x, constant in program.constants.items()}
    double = _double_precision(program)
    draws = _draws(program.equations)

    def lowered(*args: Any, key: Any = None) -> Any:
        if double and not jax.config.jax_enable_x64:
            raise no_double_precision(program.name, double)
        if draws and key is None:
            raise no_key(program.name)
        leaves = [unwrap(x) for x in flatten(args)[0]]
        values: dict[Variable, Any] = {x: jax.numpy.asarray(array) for x, array in captured.items()}
        for x, source in program.inputs.items():
            if isinstance(source, Argument):
                values[x] = jax.numpy.asarray(leaves[source.number], _dtype_of(x))
        evaluate(program.equations, values, LOWERED, iter(jax.random.split(key, draws)) if draws else iter(()))
        return program.form.rebuild([values[x] for x in program.outputs])

    lowered.__name__, lowered.__doc__ = program.name, f.__doc__
    return lowered


def _jax() -> Any:
    try:
        import jax  # type: ignore[import-not-found,unused-ignore]  # optional, and slow to import
    except ImportError as error:
        raise missing_package("export.to_jax", "jax", "jax") from error
    return jax


def _dtype_of(x: Variable) -> Any:
    return x.dtype if isinstance(x.dtype, np.dtype) else None  # of a number of Python JAX's own is weak, too


def evaluate(
    equations: Sequence[Equation], values: dict[Any, Any], table: Mapping[str, Callable[..., Any]], keys: Any
) -> None:
    """Compute equations, and put their results to the values that are known."""
    for equation in equations:
        made, params = equation.operation.primitive, equation.operation.params
        operands = [values[x] if isinstance(x, Variable) else x.value for x in equation.inputs]
        if made.facts.relays:
            values.update(dict.fromkeys(equation.outputs, operands[0]))
            continue
        lower = table[made.name]
        if made.facts.kind == "draw":
            results: Any = (lower(next(keys), equation.outputs[0], **params),)
        elif made.saves:
            results = lower(*operands, **params)
        else:
            results = (lower(*operands, **params),)
        for x, value in zip(equation.outputs, results, strict=True):
            values[x] = value.astype(x.dtype) if isinstance(x.dtype, np.dtype) and value.dtype != x.dtype else value


def _check(equations: Sequence[Equation], table: Mapping[str, Callable[..., Any]]) -> None:
    """Raise if an operation has no counterpart, also in the bodies of loops and branches."""
    for equation in equations:
        made = equation.operation.primitive
        if made.facts.relays:
            continue
        if made.name not in table or not made.ours:
            raise no_counterpart("JAX", made.name, equation.place)
        for body in bodies_of(equation):
            _check(body.equations, table)


def bodies_of(equation: Equation) -> list[Any]:
    """The bodies of a loop or a branch."""
    return [x for name, x in equation.operation.params.items() if name in ("body", "test", "first", "second")]


def _draws(equations: Sequence[Equation]) -> int:
    return sum(equation.operation.primitive.facts.kind == "draw" for equation in equations)


def _double_precision(program: Program) -> list[str]:
    """Which dtypes of double precision there are."""
    found = {x.dtype for x in program.inputs} | {y.dtype for e in program.equations for y in e.outputs}
    return sorted(str(dtype) for dtype in found if dtype in (np.dtype("f8"), np.dtype("c16")))
