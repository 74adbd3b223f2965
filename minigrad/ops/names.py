"""Names of functions in other libraries, beyond what `minigrad.core.implements` says.

`numpy_functions` in the core knows a function by itself, and its stand-in takes the arguments that the operation
has.  Here is what is not said there: stand-ins that take all of NumPy's arguments, and functions that are known only
by their names, because to import their modules would take long, or because not every NumPy has them.
"""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from minigrad.core import numpy_functions

Function = TypeVar("Function", bound=Callable[..., Any])

# What stands for a NumPy function when it is called with arguments that its stand-in in `numpy_functions` has not.
in_full: dict[Callable[..., Any], Callable[..., Any]] = {}

# What stands for a function or ufunc, by its full name: "numpy.fft.fft", "scipy.special.expit".
by_name: dict[str, Callable[..., Any]] = {}

_found: dict[Callable[..., Any], Callable[..., Any]] = {}


def with_all_arguments(*functions: Callable[..., Any]) -> Callable[[Function], Function]:
    """Let a function stand for calls of NumPy functions with arguments that the operation itself does not have.

    Its parameters have NumPy's names and defaults; those that are left out, such as `out`, are refused unless they
    have their default.
    """

    def register(implementation: Function) -> Function:
        in_full.update(dict.fromkeys(functions, implementation))
        return implementation

    return register


def implements_by_name(*names: str) -> Callable[[Function], Function]:
    """Let a function stand for others by their full names, as in ``"numpy.fft.fft"``.

    Nothing is imported, and a function need not exist.
    """

    def register(implementation: Function) -> Function:
        by_name.update(dict.fromkeys(names, implementation))
        return implementation

    return register


def stand_in_for(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """What shall be called instead of a function of another library that got a Tensor; None if there is nothing."""
    found = numpy_functions.get(function) or _found.get(function)
    if found is None and (found := _by_name(function)) is not None:
        _found[function] = found
    return found


def _by_name(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """Ufuncs know neither their module nor whether somebody else's has the same name: so it is looked for there."""
    for name, stand_in in by_name.items():
        module, _, last = name.rpartition(".")
        if last == function.__name__ and getattr(sys.modules.get(module), last, None) is function:
            return stand_in
    return None


def full_name(function: Any) -> str:
    """The name of a function or ufunc with its module, as people write it."""
    name: str = function.__name__
    if getattr(function, "types", None) == []:  # a ufunc of strings, which people reach through a function
        return f"numpy.strings.{name}"
    for module in (getattr(function, "__module__", ""), "numpy", *{key.rpartition(".")[0] for key in by_name}):
        if getattr(sys.modules.get(module), name, None) is function:
            return f"{module}.{name}"
    return name
