"""What a function reads outside of itself, by the names that people know it by."""

from collections.abc import Callable, Iterator
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

from minigrad.nn.module import Module
from minigrad.optim.optimizer import Optimizer
from minigrad.tensor import Tensor

DEEP = 8  # functions within functions that are looked into


def names_outside(f: Callable[..., Any]) -> dict[int, str]:
    """Names by identity: of a model's parameters and buffers, of an optimizer's dicts, and of Tensors.

    The parameters of one model have the keys of its `state_dict`; of several models the variable's name goes first.
    A dict of an optimizer's state has the name of its parameter, and one of its groups an empty name or a number.
    """
    found = list(dict(_found(f, DEEP)).items())
    modules = [(name, x) for name, x in found if isinstance(x, Module)]
    optimizers = [(name, x) for name, x in found if isinstance(x, Optimizer)]
    names: dict[int, str] = {}
    for name, x in found:
        if isinstance(x, Tensor):
            names.setdefault(id(x), name)
    for name, module in modules:
        prefix = f"{name}." if len(modules) > 1 and name else ""
        for key, x in (*module.named_parameters(), *module.named_buffers()):
            names.setdefault(id(x), f"{prefix}{key}")
    for name, optimizer in optimizers:
        prefix = f"{name}." if len(optimizers) > 1 else ""
        count = len(optimizer.param_groups)
        for i, group in enumerate(optimizer.param_groups):
            names[id(group)] = f"{prefix}{i if count > 1 else ''}"
            for j, p in enumerate(group["params"]):
                if p in optimizer.state:
                    names[id(optimizer.state[p])] = f"{prefix}{names.get(id(p), f'{i}.{j}')}"
    return names


def _found(x: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """Variables of a function that are Tensors, models or optimizers, also of functions that it calls by name."""
    if isinstance(x, Module):
        yield "", x
    elif depth and isinstance(x, partial):
        for name, value in (("", x.func), *((str(i), v) for i, v in enumerate(x.args)), *x.keywords.items()):
            yield from _named(name, value, depth - 1)
    elif depth and isinstance(x, MethodType):
        for name, value in (("", x.__self__), *getattr(x.__self__, "__dict__", {}).items()):
            yield from _named(name, value, depth - 1)
        yield from _found(x.__func__, depth - 1)
    elif depth and isinstance(x, FunctionType):
        for name, cell in zip(x.__code__.co_freevars, x.__closure__ or (), strict=True):
            try:
                value = cell.cell_contents
            except ValueError:  # not yet bound
                continue
            yield from _named(name, value, depth - 1)
        for name in _names_of(x.__code__):
            if name in x.__globals__:
                yield from _named(name, x.__globals__[name], depth - 1)
    if depth and "__wrapped__" in getattr(x, "__dict__", ()):
        yield from _found(x.__wrapped__, depth - 1)


def _named(name: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Module | Optimizer | Tensor):
        yield name, value
    elif not (getattr(value, "__module__", None) or "").startswith("minigrad."):
        yield from _found(value, depth)


def _names_of(code: CodeType) -> Iterator[str]:
    """The global names of a function, and of those that are defined in it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_of(constant)
