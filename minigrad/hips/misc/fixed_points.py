"""`autograd.misc.fixed_points`: where a function leaves its argument as it is, differentiable in its parameter."""

from collections.abc import Callable
from typing import Any

from minigrad.hips.differential_operators import make_vjp
from minigrad.hips.extend import defvjp, primitive

Function = Callable[..., Any]


def _iterate(step: Function, x: Any, distance: Function, tol: float) -> Any:
    before, x = x, step(x)
    while distance(x, before) > tol:
        before, x = x, step(x)
    return x


@primitive
def fixed_point(f: Function, a: Any, x0: Any, distance: Function, tol: float) -> Any:
    """The `x` with ``f(a)(x) = x``, by iteration from `x0` until ``distance(x, before)`` is at most `tol`."""
    return _iterate(f(a), x0, distance, tol)


def _by_parameter(ans: Any, f: Function, a: Any, x0: Any, distance: Function, tol: float) -> Function:
    """By the implicit function theorem: the sum ``g (1 + J + J^2 + ...)`` is a fixed point itself."""
    of_parameter, _ = make_vjp(lambda a: f(a)(ans))(a)
    of_point, _ = make_vjp(f(a))(ans)

    def vjp(g: Any) -> Any:
        return of_parameter(_iterate(lambda u: g + of_point(u), g, distance, tol))

    return vjp


defvjp(fixed_point, None, _by_parameter, None, argnums=(0, 1, 2))
