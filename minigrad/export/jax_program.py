"""To JAX: a program as a function of ``jax.numpy`` arrays, operation by operation."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.core import leaf, name_of, unwrap
from minigrad.errors import ProgramError
from minigrad.errors.exporting import changes_something, no_counterpart, no_double_precision, no_key, reads_state
from minigrad.errors.files import missing_package
from minigrad.errors.programs import other_input, other_state
from minigrad.program import Program, trace
from minigrad.program.bodies import Body
from minigrad.program.equations import VARYING, Argument, Equation, OfTensor, Variable
from minigrad.tree import flatten, leaves_as_in, map_leaves

TARGET = "export.to_jax"
# Whose shape depends on values, and stays that of the example.
OF_KNOWN_SHAPE = {"count_numbers", "sum_by_number", "histogram_bin_edges"}


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
    from minigrad.export.jax_table import LOWERED  # which needs JAX

    _check(program.equations, LOWERED)
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
        values: dict[Variable, Any] = {x: _constant(array) for x, array in captured.items()}
        values |= _read(program, [unwrap(x) for x in leaves_as_in(form, args, "arguments")])
        active = set(arrays)
        keys = iter(jax.random.split(key, draws)) if draws else iter(())
        evaluate(program.equations, values, LOWERED, keys, active)
        results = [_followed(x, values, active, own) for x, own in zip(program.outputs, follows, strict=True)]
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

    for name, fixed, given in zip(program.signature.names, program.signature.static, leaves, strict=True):
        if fixed is not VARYING and not isinstance(given, Tracer) and fixed != given:
            raise other_state(f"argument {name} of {program.name}", fixed, given)
    values = {}
    for x, source in program.inputs.items():
        if isinstance(source, Argument):
            value = values[x] = jnp.asarray(leaves[source.number], _dtype_of(x))
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


def _dtype_of(x: Variable) -> Any:
    """The dtype of a variable as JAX has it now; of a number of Python JAX's own is weak, too."""
    from jax.dtypes import canonicalize_dtype

    return canonicalize_dtype(x.dtype) if isinstance(x.dtype, np.dtype) else None


def _constant(array: Any) -> Any:
    """An array of the function's own for JAX; masks stay NumPy's, whose elements are known when JAX traces."""
    from jax import numpy as jnp

    return array if getattr(array, "dtype", None) == np.bool_ else jnp.asarray(array)


def _followed(x: Any, values: Mapping[Any, Any], active: set[Variable], follows: bool) -> Any:
    """The value of a variable or a literal; without a derivative where the function took it without one."""
    from jax.lax import stop_gradient

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
        operands = [_followed(x, values, active, follows) for x, follows in pairs]
        if True in equation.followed:
            active.update(equation.outputs)
        if made.facts.relays:
            # What was computed before is passed on, with its derivatives: the rule would only compute it again.
            values.update(dict.fromkeys(equation.outputs, _followed(equation.inputs[0], values, active, True)))
            continue
        lower = table[made.name]
        if made.name in OF_KNOWN_SHAPE:
            params = {**params, "shape": equation.outputs[0].shape}
        if made.facts.kind == "draw":
            results: Any = (lower(next(keys), equation.outputs[0], **params),)
        elif made.saves:
            results = lower(*operands, **params)
        else:
            results = (lower(*operands, **params),)
        for x, value in zip(equation.outputs, results, strict=True):
            values[x] = _cast(value, _dtype_of(x))


def _cast(value: Any, dtype: Any) -> Any:
    return value if dtype is None or getattr(value, "dtype", None) == dtype else _array(value).astype(dtype)


def _array(value: Any) -> Any:
    from jax import numpy as jnp

    return jnp.asarray(value)


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
    return [x for x in equation.operation.params.values() if isinstance(x, Body)]


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
