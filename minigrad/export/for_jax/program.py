"""To JAX: a program as a function of ``jax.numpy`` arrays, operation by operation."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.core import leaf, name_of, unwrap
from minigrad.errors import ProgramError
from minigrad.errors.exporting import changes_something, no_double_precision, no_key, reads_state
from minigrad.errors.files import missing_package
from minigrad.errors.programs import other_input, other_state
from minigrad.export.tables import check_rows
from minigrad.program import Program, trace
from minigrad.program.bodies import bodies_of
from minigrad.program.equations import VARYING, Argument, Equation, OfTensor, Variable
from minigrad.tree import flatten, leaves_as_in, map_leaves

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
    follows: list[bool] = []  # through which results gradients go

    def noting(*args: Any) -> Any:
        result = f(*args)
        follows[:] = [getattr(y, "node", None) is not None for y in flatten(result)[0]]
        return result

    noting.__name__ = getattr(f, "__name__", type(f).__name__)
    program, differentiable = _traced(noting, examples)
    if program.effects:
        raise changes_something(TARGET, program.name, [str(target) for target, _ in program.effects])
    for source in program.inputs.values():
        if not isinstance(source, Argument | OfTensor):
            raise reads_state(TARGET, program.name, str(source))
    from minigrad.export.for_jax.evaluating import constant_of, evaluate, followed  # which need JAX
    from minigrad.export.for_jax.table import LOWERED

    check_rows("JAX", program.equations, LOWERED)
    captured = {x: source.tensor.array for x, source in program.inputs.items() if isinstance(source, OfTensor)}
    captured |= {x: constant.array for x, constant in program.constants.items()}
    # Gradients go where they went in the trace: not through what is detached.
    sources = program.inputs.items() if differentiable else ()
    arrays = {x for x, source in sources if isinstance(source, Argument) and isinstance(x.dtype, np.dtype)}
    form = map_leaves(lambda x: 0, examples)
    double = _double_precision(program)
    draws = _draws(program.equations)

    def lowered(*args: Any, key: Any = None) -> Any:
        if double and not jax.config.jax_enable_x64:
            raise no_double_precision(program.name, double)
        if draws and key is None:
            raise no_key(program.name)
        values: dict[Variable, Any] = {x: constant_of(array) for x, array in captured.items()}
        values |= _read(program, [unwrap(x) for x in leaves_as_in(form, args, "arguments")])
        active = set(arrays)
        keys = iter(jax.random.split(key, draws)) if draws else iter(())
        evaluate(program.equations, values, LOWERED, keys, active)
        results = [followed(x, values, active, own) for x, own in zip(program.outputs, follows, strict=True)]
        return program.form.rebuild([jax.numpy.asarray(y) for y in results])

    lowered.__name__, lowered.__doc__ = program.name, f.__doc__
    return lowered


def _jax() -> Any:
    try:
        import jax  # type: ignore[import-not-found,unused-ignore]  # optional, and slow to import
    except ImportError as error:
        raise missing_package("export.to_jax", "jax", "jax") from error
    return jax


def _read(program: Program, leaves: Sequence[Any]) -> dict[Variable, Any]:
    """The values of arguments, which must be as they were in the trace, as far as that is known."""
    from jax import numpy as jnp
    from jax.core import Tracer

    from minigrad.export.for_jax.evaluating import dtype_of

    for name, fixed, given in zip(program.signature.names, program.signature.static, leaves, strict=True):
        if fixed is not VARYING and not isinstance(given, Tracer) and fixed != given:
            raise other_state(f"argument {name} of {program.name}", fixed, given)
    values = {}
    for x, source in program.inputs.items():
        if isinstance(source, Argument):
            value = values[x] = jnp.asarray(leaves[source.number], dtype_of(x))
            if value.shape != x.shape:
                raise other_input(program.name, str(source), value, x.shape, x.dtype)
    return values


def _traced(f: Callable[..., Any], examples: tuple[Any, ...]) -> tuple[Program, bool]:
    """The program, and whether arguments require grad in it; some functions can be traced only if they do not."""
    try:
        return trace(f, *map_leaves(_differentiable, examples)), True
    except ProgramError:
        return trace(f, *map_leaves(unwrap, examples)), False


def _differentiable(x: Any) -> Any:
    """An example as a Tensor that requires grad, if it is an array of floats."""
    array = unwrap(x)
    is_float = isinstance(array, np.ndarray | np.generic) and array.dtype.kind in "fc"
    return name_of(array, leaf(array)) if is_float else x


def _draws(equations: Sequence[Equation]) -> int:
    return sum(equation.operation.primitive.facts.kind == "draw" for equation in equations)


def _double_precision(program: Program) -> list[str]:
    """Which dtypes of double precision there are."""
    found = {x.dtype for x in program.inputs} | _dtypes_of(program.equations)
    return sorted(str(dtype) for dtype in found if dtype in (np.dtype("f8"), np.dtype("c16")))


def _dtypes_of(equations: Sequence[Equation]) -> set[Any]:
    """What is computed in; not that of draws, which NumPy has in double, nor of what holds all results of a loop."""
    found: set[Any] = set()
    for equation in equations:
        bodies = bodies_of(equation)
        if equation.operation.primitive.facts.kind != "draw" and not bodies:
            found.update(y.dtype for y in equation.outputs)
        for body in bodies:
            found |= _dtypes_of(body.equations)
    return found
