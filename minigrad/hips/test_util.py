"""`autograd.test_util`: derivatives compared with differences."""

from collections.abc import Callable, Sequence
from typing import Any

from minigrad.gradcheck import gradcheck, gradgradcheck


def check_grads(f: Callable[..., Any], modes: Sequence[str] = ("fwd", "rev"), order: int = 2) -> Callable[..., None]:
    """A function of the arguments of `f` that raises if a derivative is wrong, up to second order.

    Raises
    ------
    ValueError
        If more than two orders are asked for.
    """
    if order not in (1, 2):
        raise ValueError(f"check_grads checks the orders 1 and 2, and not {order}: check grad(f) for the third")
    del modes  # derivatives along directions are made of those backwards

    def check(*args: Any) -> None:
        gradcheck(f, args)
        if order == 2:
            gradgradcheck(f, args)

    return check
