"""What operations there are, and which of NumPy's functions they stand for."""

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

# Every primitive by its name, and what stands for a NumPy function when it is called with a Tensor.
primitives: dict[str, Callable[..., Any]] = {}
numpy_functions: dict[Callable[..., Any], Callable[..., Any]] = {}


def implements(*functions: Callable[..., Any]) -> Callable[[Function], Function]:
    """Let a function stand for NumPy functions that are called with a Tensor."""

    def register(implementation: Function) -> Function:
        numpy_functions.update(dict.fromkeys(functions, implementation))
        return implementation

    return register
