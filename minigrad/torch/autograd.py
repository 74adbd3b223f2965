"""`torch.autograd`: gradients, functions of them, and what goes with them."""

import functools
import operator
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import enable_grad, no_grad
from minigrad.errors import GradcheckError
from minigrad.errors.dialects import no_direction, not_in_the_dialect, one_backward_for_each
from minigrad.torch.custom import Function
from minigrad.torch.func import detached
from minigrad.torch.memory import require_constants
from minigrad.torch.modes import set_detect_anomaly, set_grad_enabled
from minigrad.torch.modules import module
from minigrad.torch.tensor import adopted, heard, plain

__all__ = [
    "Function",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]
detect_anomaly, inference_mode = mg.detect_anomaly, no_grad


def Variable(data: Any, requires_grad: Any = False) -> Any:  # PyTorch's name
    """The Tensor itself."""
    return data.requires_grad_() if requires_grad else data


def _several(x: Any) -> Any:
    return x if isinstance(x, (tuple, list)) else (x,)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: Any = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> Any:
    """Gradients of the sum of outputs with respect to inputs."""
    if is_grads_batched:
        raise one_backward_for_each()
    require_constants(_several(outputs))
    allowed = materialize_grads if allow_unused is None else allow_unused
    how = {"retain_graph": retain_graph, "create_graph": create_graph, "allow_unused": allowed}
    found = adopted(mg.autograd.grad(plain(outputs), plain(inputs), plain(grad_outputs), **how))
    if not materialize_grads:
        return found
    zeros = (adopted(mg.zeros_like(plain(x.detach()))) for x in _several(inputs))
    return tuple([z if g is None else g for g, z in zip(found, zeros, strict=True)])


def backward(tensors: Any, grad_tensors: Any = None, **how: Any) -> None:
    """Add the gradients of the sum of Tensors, each with its weight, to the `grad` of the leaves."""
    several = _several(tensors)
    weights = grad_tensors if isinstance(grad_tensors, (tuple, list)) else [grad_tensors] * len(several)
    parts = [x if g is None else (x * g).sum() for x, g in zip(several, weights, strict=True)]
    functools.reduce(operator.add, parts).backward(**how)


def _checked(check: Any) -> Any:
    """A comparison with finite differences by the inputs that require grad."""

    def call(
        func: Any, inputs: Any, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3, raise_exception: bool = True
    ) -> bool:
        given = _several(inputs)
        active = [i for i, x in enumerate(given) if getattr(x, "requires_grad", False)]

        def of_active(*values: Any) -> Any:
            known = dict(zip(active, values, strict=True))
            return func(*(known.get(i, x) for i, x in enumerate(given)))

        try:
            return bool(check(heard(of_active), tuple(plain(given[i]) for i in active), eps=eps, atol=atol, rtol=rtol))
        except GradcheckError:
            if raise_exception:
                raise
            return False

    return call


gradcheck, gradgradcheck = _checked(mg.gradcheck), _checked(mg.gradgradcheck)


# Derivatives at a point: of one Tensor, or of a tuple of them, in the form of which the results come.


def _at(inputs: Any, create_graph: bool, results: Any) -> Any:
    """Results for each of several inputs, or for the only one."""
    made = adopted(results) if create_graph else detached(adopted(results))
    return made if isinstance(inputs, (tuple, list)) else made[0]


def _direction(v: Any, like: Any) -> Any:
    """The vector of a product; of a single number it may be left out."""
    if v is not None:
        return plain(tuple(_several(v)))
    if len(like) != 1 or np.size(like[0]) != 1:
        raise no_direction()
    return (mg.ones_like(like[0]),)


def _jacobian(func: Any, inputs: Any, create_graph: bool = False, **how: Any) -> Any:
    given = plain(tuple(_several(inputs)))
    made = mg.jacobian(heard(func), tuple(range(len(given))))(*given)
    if isinstance(made[0], tuple):  # of several results
        return tuple(_at(inputs, create_graph, row) for row in made)
    return _at(inputs, create_graph, made)


def _hessian(func: Any, inputs: Any, create_graph: bool = False, **how: Any) -> Any:
    given = plain(tuple(_several(inputs)))
    rows = mg.hessian(heard(func), tuple(range(len(given))))(*given)
    return _at(inputs, create_graph, tuple(_at(inputs, create_graph, row) for row in rows))


def _vjp(func: Any, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    value, pullback = mg.vjp(heard(func), *plain(tuple(_several(inputs))))
    weights = _direction(v, _several(value))
    made = pullback(weights if isinstance(value, tuple) else weights[0])
    return _at((), create_graph, value), _at(inputs, create_graph, made)


def _jvp(func: Any, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    given = plain(tuple(_several(inputs)))
    return _at((), create_graph, mg.jvp(heard(func), given, _direction(v, given)))


def _hvp(func: Any, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    given = plain(tuple(_several(inputs)))
    f = heard(func)
    made = mg.hvp(lambda xs: f(*xs), given, _direction(v, given))
    return _at((), create_graph, f(*given)), _at(inputs, create_graph, made)


functional = module(
    "autograd.functional", jacobian=_jacobian, hessian=_hessian, vjp=_vjp, jvp=_jvp, hvp=_hvp,
    vhp=_hvp,  # the Hessian is symmetric
)  # fmt: skip


def __getattr__(name: str) -> Any:
    raise AttributeError(str(not_in_the_dialect(f"autograd.{name}")))
