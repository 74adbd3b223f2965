"""Operators that make a function's derivatives: autograd's names and arguments for `minigrad.transforms`."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad import jacobians, transforms, tree
from minigrad.checkpointing import checkpoint
from minigrad.ops.elementwise import conj, real
from minigrad.ops.linalg import tensordot
from minigrad.ops.reductions import sum as total

Function = Callable[..., Any]
Argnum = int | Sequence[int]

__all__ = [
    "checkpoint", "deriv", "elementwise_grad", "grad", "grad_and_aux", "grad_named", "hessian",
    "hessian_tensor_product", "hessian_vector_product", "holomorphic_grad", "jacobian", "make_ggnvp", "make_hvp",
    "make_jvp", "make_vjp", "multigrad_dict", "tensor_jacobian_product", "value_and_grad", "vector_jacobian_product",
]  # fmt: skip


def _split(argnum: Argnum, args: Sequence[Any], f: Function, named: dict[str, Any]) -> tuple[Function, Any]:
    """`f` as a function of the arguments alone that it is differentiated by, a tuple if they are several; and these."""
    places = [argnum] if isinstance(argnum, int) else list(argnum)

    def of_these(x: Any) -> Any:
        given = list(args)
        for place, value in zip(places, [x] if isinstance(argnum, int) else x, strict=True):
            given[place] = value
        return f(*given, **named)

    return of_these, args[argnum] if isinstance(argnum, int) else tuple(args[i] for i in places)


def _conjugated(gradient: Any) -> Any:
    return tree.map_leaves(lambda g: conj(g) if np.iscomplexobj(g) else g, gradient)


def _operator(operate: Callable[[Function, Any], Any]) -> Callable[..., Function]:
    """An operator on functions of one argument as one on functions of several, of which `argnum` says which."""

    @functools.wraps(operate)
    def operator(fun: Function, argnum: Argnum = 0) -> Function:
        @functools.wraps(fun)
        def derived(*args: Any, **named: Any) -> Any:
            return operate(*_split(argnum, args, fun, named))

        return derived

    return operator


@_operator
def value_and_grad(fun: Function, x: Any) -> Any:
    """The value of a function with a single result, and its gradient."""
    value, gradient = transforms.value_and_grad(fun)(x)
    return value, _conjugated(gradient)


@_operator
def grad(fun: Function, x: Any) -> Any:
    """The gradient of a function with a single result."""
    return _conjugated(transforms.grad(fun)(x))


@_operator
def grad_and_aux(fun: Function, x: Any) -> Any:
    """The gradient by the first of two results, and the second one."""
    gradient, aux = transforms.grad(fun, has_aux=True)(x)
    return _conjugated(gradient), aux


@_operator
def elementwise_grad(fun: Function, x: Any) -> Any:
    """The gradient of the sum of all results: each element's derivative, where each result depends on one."""
    return _conjugated(transforms.grad(lambda x: total(fun(x)))(x))


@_operator
def holomorphic_grad(fun: Function, x: Any) -> Any:
    """The complex derivative of a holomorphic function."""
    return _conjugated(transforms.grad(lambda x: real(fun(x)))(x))


@_operator
def deriv(fun: Function, x: Any) -> Any:
    """The derivative along ones, forwards."""
    return transforms.jvp(fun, (x,), (np.ones_like(x),))[1]


@_operator
def jacobian(fun: Function, x: Any) -> Any:
    """The derivatives of all results by all elements, of the shape of the one followed by that of the other."""
    return jacobians.jacobian(fun)(x)


@_operator
def hessian(fun: Function, x: Any) -> Any:
    """The Jacobian of the Jacobian."""
    return jacobians.jacobian(jacobians.jacobian(fun))(x)


@_operator
def make_vjp(fun: Function, x: Any) -> Any:
    """The function that multiplies a vector by the Jacobian from the left, and the value."""
    value, pullback = transforms.vjp(fun, x)
    return (lambda g: _conjugated(pullback(_conjugated(g))[0])), value


@_operator
def make_jvp(fun: Function, x: Any) -> Any:
    """The function from a direction to the value, and the derivative along that."""
    return lambda v: transforms.jvp(fun, (x,), (v,))


@_operator
def make_hvp(fun: Function, x: Any) -> Any:
    """The function that multiplies a vector by the Hessian, and the gradient."""
    return make_vjp(grad(fun))(x)


def grad_named(fun: Function, argname: str) -> Function:
    """The gradient by the argument of that name."""
    return grad(fun, list(inspect.signature(fun).parameters).index(argname))


def multigrad_dict(fun: Function) -> Function:
    """A function that returns the gradients by all arguments, as a dict by their names."""
    signature = inspect.signature(fun)

    def gradients(*args: Any, **named: Any) -> Any:
        bound = signature.bind(*args, **named)
        bound.apply_defaults()
        of_variables = {name: value for name, value in bound.arguments.items() if not _gathers(signature, name)}

        def of_dict(values: dict[str, Any]) -> Any:
            bound.arguments.update(values)
            return fun(*bound.args, **bound.kwargs)

        return grad(of_dict)(of_variables)

    return gradients


def _gathers(signature: inspect.Signature, name: str) -> bool:
    return signature.parameters[name].kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def tensor_jacobian_product(fun: Function, argnum: int = 0) -> Function:
    """A function of the arguments and a tensor, which is multiplied by the Jacobian from the left."""

    def product(*args: Any, **named: Any) -> Any:
        *given, vector = args
        f, x = _split(argnum, given, fun, named)
        return grad(lambda x: tensordot(vector, f(x), np.ndim(vector)))(x)

    return product


def hessian_tensor_product(fun: Function, argnum: int = 0) -> Function:
    """A function of the arguments and a tensor of the argument's shape, which is multiplied by the Hessian."""
    gradient = grad(fun, argnum)

    def product(*args: Any, **named: Any) -> Any:
        *given, vector = args
        f, x = _split(argnum, given, gradient, named)
        return grad(lambda x: tensordot(f(x), vector, np.ndim(vector)))(x)

    return product


vector_jacobian_product, hessian_vector_product = tensor_jacobian_product, hessian_tensor_product


def make_ggnvp(f: Function, g: Function = lambda x: 0.5 * total(x**2, axis=-1), f_argnum: int = 0) -> Function:
    """A function that makes products with the generalised Gauss-Newton matrix ``J^T H J`` of ``g(f(x))``.

    J. Martens and I. Sutskever, "Training deep and recurrent networks with Hessian-free optimization", 2012.
    """

    @_operator
    def make(fun: Function, x: Any) -> Any:
        pull, value = make_vjp(fun)(x)
        of_g, _ = make_vjp(grad(g))(value)
        push = make_jvp(fun)(x)
        return lambda v: pull(of_g(push(v)[1]))

    return make(f, f_argnum)
