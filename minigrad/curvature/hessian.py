"""The Hessian of a function or of a network's loss, as what it does to a vector."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad import errors
from minigrad.core import Handle, unwrap
from minigrad.creation import get_default_dtype
from minigrad.curvature.lanczos import EigenPairs, extreme_eigenpairs
from minigrad.errors.words import describe
from minigrad.nn.module import Module, Parameter
from minigrad.nn.restoring import with_state_restored
from minigrad.operands import numeric
from minigrad.transforms import grad, vjp
from minigrad.tree import flatten, map_leaves


class Hessian:
    """The second derivatives of a function at a point; rows and columns in the order of the point's numbers.

    The function is evaluated once.  Every product with a vector is one more backward pass through the graph of its
    gradient (B. A. Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6, 1994), so that all
    products are of the same matrix even if the function draws random numbers.

    Parameters
    ----------
    f : callable
        Of `x` and `data`, or of `data` alone if `x` is a Module; returns a single number.
    x : number, array, Tensor, tree of these, or Module
    data : sequence
        Further arguments of `f`.

    Attributes
    ----------
    size : int
        The number of rows and of columns.
    epsilon : float
        The relative rounding error of the coarsest dtype in `x`.
    """

    def __init__(self, f: Callable[..., Any], x: Any, data: Sequence[Any] = ()) -> None:
        is_module = isinstance(x, Module)
        parameters = trained_parameters(x) if is_module else {}
        point = {name: p.array for name, p in parameters.items()} if is_module else map_leaves(_number_or_array, x)
        self.leaves, self.rebuild = flatten(point)
        self.size = sum(leaf.size for leaf in self.leaves)
        if not self.size:
            raise errors.ShapeError("spectrum: x has no elements, so that there is nothing to differentiate by")
        for leaf in self.leaves:
            if leaf.dtype.kind != "f":
                raise errors.DTypeError(f"spectrum: x is made of real numbers, not of {describe(leaf)}")
        self.epsilon = max(float(np.finfo(leaf.dtype).eps) for leaf in self.leaves)
        if is_module:
            function = _of_parameters(f, parameters, data)
            _, self.pullback = with_state_restored(x, lambda: vjp(grad(function), point))
        else:
            _, self.pullback = vjp(grad(functools.wraps(f)(lambda x: f(x, *data))), point)

    def split(self, v: np.ndarray) -> Any:
        """A vector in the form of the point."""
        parts = np.split(v, np.cumsum([leaf.size for leaf in self.leaves])[:-1])
        fitted = [part.reshape(leaf.shape).astype(leaf.dtype) for part, leaf in zip(parts, self.leaves, strict=True)]
        return self.rebuild(fitted)

    def product(self, v: np.ndarray) -> np.ndarray:
        """The Hessian times a vector of shape (size,), in float64."""
        parts = flatten(self.pullback(self.split(v))[0])[0]
        arrays = [unwrap(part) for part in parts]
        result = np.concatenate([np.ravel(a).astype(np.float64) for a in arrays])
        if not np.isfinite(result).all():
            raise errors.AnomalyError(
                f"the Hessian is not finite at this point: its product with a vector is {describe(result)}. "
                "Evaluate the function and its gradient there, under detect_anomaly() to find the operation at fault"
            )
        return result

    def matrix(self) -> np.ndarray:
        """All of it, by one product for each row."""
        return np.stack([self.product(unit) for unit in np.eye(self.size)])

    def extreme(
        self, low: int, high: int, *, tol: float | None, max_products: int, generator: "np.random.Generator | None"
    ) -> EigenPairs:
        """The smallest and the largest eigenvalues, by `extreme_eigenpairs`."""
        tol = self.epsilon ** (2 / 3) if tol is None else tol
        # A generator of its own: the package's random numbers are left to what is being measured.
        own = np.random.default_rng(0) if generator is None else generator
        return extreme_eigenpairs(self.product, self.size, low, high, tol=tol, max_products=max_products, generator=own)


def _number_or_array(leaf: Any) -> np.ndarray:
    value = numeric(unwrap(leaf), "the point of a Hessian")
    is_weak = isinstance(leaf, float) or value.dtype.kind in "iu"
    return value.astype(get_default_dtype()) if is_weak else value


def trained_parameters(module: Module) -> dict[str, Parameter]:
    """The parameters that require grad, by their paths."""
    found = {name: p for name, p in module.named_parameters() if p.requires_grad}
    if not found:
        raise errors.ArgumentError(
            f"{type(module).__name__} has no parameters that require grad: call module.requires_grad_(), or give the "
            "module that is trained"
        )
    return found


def _of_parameters(
    f: Callable[..., Any], parameters: dict[str, Parameter], data: Sequence[Any]
) -> Callable[[dict[str, Any]], Any]:
    """A loss that evaluates a module, as a function of its parameters: to be called by `with_state_restored`."""

    @functools.wraps(f)
    def compute(values: dict[str, Any]) -> Any:
        for name, parameter in parameters.items():
            parameter.array, parameter.node = values[name].array, values[name].node
        result = f(*data)
        if not any(isinstance(y, Handle) and y.node is not None for y in flatten(result)[0]):
            raise errors.GraphError(
                "the loss does not depend on the module's parameters: it must call the module, with operations that "
                "are recorded (not under no_grad() or after detach())"
            )
        return result

    return compute
