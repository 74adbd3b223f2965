"""`torch.func`: the package's transforms of functions of Tensors of the dialect."""

from collections.abc import Callable, Sequence
from typing import Any

import minigrad as mg
from minigrad.torch.tensor import adopted, heard, plain

__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "stack_module_state",
    "vjp",
    "vmap",
]
Function = Callable[..., Any]


def _spoken(made: Function) -> Function:
    """A function that gives Tensors of the dialect."""
    return lambda *args, **kwargs: adopted(made(*args, **kwargs))


def grad(func: Function, argnums: Any = 0, has_aux: bool = False) -> Function:
    """Make a function that returns the gradient."""
    return _spoken(mg.grad(heard(func), argnums, has_aux))


def grad_and_value(func: Function, argnums: Any = 0, has_aux: bool = False) -> Function:
    """Make a function that returns the gradient and the value."""
    both = _spoken(mg.value_and_grad(heard(func), argnums, has_aux))
    return lambda *args, **kwargs: both(*args, **kwargs)[::-1]


def jacrev(func: Function, argnums: Any = 0) -> Function:
    """Make a function that returns the Jacobian, by rows."""
    return _spoken(mg.jacrev(heard(func), argnums))


def jacfwd(func: Function, argnums: Any = 0) -> Function:
    """Make a function that returns the Jacobian, by columns."""
    return _spoken(mg.jacfwd(heard(func), argnums))


def hessian(func: Function, argnums: Any = 0) -> Function:
    """Make a function that returns the Hessian."""
    return _spoken(mg.hessian(heard(func), argnums))


def vmap(
    func: Function, in_dims: Any = 0, out_dims: Any = 0, randomness: Any = "error", *, chunk_size: int | None = None
) -> Function:
    """Make a function of rows of arguments."""
    return _spoken(mg.vmap(heard(func), in_dims, out_dims, random=randomness, chunk_size=chunk_size))


def vjp(func: Function, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value, and the function that multiplies a vector by the Jacobian from the left."""
    told: list[Any] = []
    value, pullback = mg.vjp(heard(_telling(func, told) if has_aux else func), *plain(primals))
    return (adopted(value), lambda *cotangents: adopted(pullback(*plain(cotangents))), *told)


def jvp(func: Function, primals: Sequence[Any], tangents: Sequence[Any], *, has_aux: bool = False) -> tuple[Any, ...]:
    """The value, and the derivative along a direction."""
    told: list[Any] = []
    made = mg.jvp(heard(_telling(func, told) if has_aux else func), plain(primals), plain(tangents))
    return (*adopted(made), *told)


def linearize(func: Function, *primals: Any) -> tuple[Any, Function]:
    """The value, and the linear function that the Jacobian is."""
    value, push = mg.linearize(heard(func), *plain(primals))
    return adopted(value), lambda *tangents: adopted(push(*plain(tangents)))


def _telling(func: Function, told: list[Any]) -> Function:
    """The first result of a function; the second is put down."""

    def call(*args: Any) -> Any:
        result, more = func(*args)
        told[:] = [detached(more)]
        return result

    return call


def detached(tree: Any) -> Any:
    """Tensors, in tuples, lists and dicts, without their history."""
    return mg.tree.map_leaves(lambda x: x.detach() if isinstance(x, mg.Tensor) else x, tree)


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Any,
    args: Any = (),
    kwargs: Any = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """The result of a module with other parameters and buffers, in one dict or several."""
    dicts = parameter_and_buffer_dicts if isinstance(parameter_and_buffer_dicts, (tuple, list)) else None
    held = parameter_and_buffer_dicts if dicts is None else {k: v for part in dicts for k, v in part.items()}
    given = args if isinstance(args, tuple) else () if args is None else (args,)
    return adopted(mg.nn.functional_call(module, held, *given, **(kwargs or {})))


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of modules of one form, stacked along a new first axis."""
    parameters, buffers = (
        {name: [dict(getattr(model, kind)())[name] for model in models] for name, _ in getattr(models[0], kind)()}
        for kind in ("named_parameters", "named_buffers")
    )
    trained = {name: rows[0].requires_grad for name, rows in (parameters | buffers).items()}
    stacked = {k: adopted(mg.stack(plain(rows))).detach() for k, rows in (parameters | buffers).items()}
    for name, x in stacked.items():
        x.requires_grad_(trained[name])
    return {name: stacked[name] for name in parameters}, {name: stacked[name] for name in buffers}
