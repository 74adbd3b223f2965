"""What operations there are, and which of NumPy's functions they stand for."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from minigrad.errors.other_names import other_keyword

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


def numpy_keywords(function: Function) -> Function:
    """Let a function say what to write for a keyword, or a shape, that it was given as PyTorch takes it."""

    @functools.wraps(function)
    def answering(*args: Any, **named: Any) -> Any:
        try:
            return function(*args, **named)
        except TypeError as error:
            other = other_keyword(str(error), function.__name__)
            if other is None:
                raise
            raise other from error

    return cast(Function, answering)
