"""What a function reads outside of itself, by the names that people know it by."""

from collections.abc import Callable, Iterator
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

from minigrad.nn.module import Module
from minigrad.optim.optimizer import Optimizer
from minigrad.tensor import Tensor


def found_outside(f: Callable[..., Any]) -> dict[str, Any]:
    """Models, optimizers and Tensors by the names that a function, or one that it calls, has for them."""
    found: dict[str, Any] = {}
    for name, x in _found("", f, set(), is_asked_for=True):
        found.setdefault(name, x)
    return found


def names_outside(f: Callable[..., Any]) -> dict[int, str]:
    """Names by identity: of a model's parameters and buffers, of an optimizer's dicts, and of Tensors.

    The parameters of one model have the keys of its `state_dict`; of several models the variable's name goes first.
    A dict of an optimizer's state has the name of its parameter, and one of its groups an empty name or a number.
    """
    found = found_outside(f)
    optimizers = {name: x for name, x in found.items() if isinstance(x, Optimizer)}
    names = {id(x): name for name, x in found.items() if isinstance(x, Tensor)}
    for key, x in parameters_of({name: x for name, x in found.items() if isinstance(x, Module)}):
        names.setdefault(id(x), key)
    for name, optimizer in optimizers.items():
        prefix = f"{name}." if len(optimizers) > 1 else ""
        count = len(optimizer.param_groups)
        for i, group in enumerate(optimizer.param_groups):
            names[id(group)] = f"{prefix}{i if count > 1 else ''}"
            for j, p in enumerate(group["params"]):
                if p in optimizer.state:
                    names[id(optimizer.state[p])] = f"{prefix}{names.get(id(p), f'{i}.{j}')}"
    return names


def parameters_of(models: dict[str, Module]) -> Iterator[tuple[str, Tensor]]:
    """Parameters and buffers by the keys of state dicts, which of several models begin with the model's name."""
    for name, model in models.items():
        prefix = f"{name}." if len(models) > 1 and name else ""
        for key, x in (*model.named_parameters(), *model.named_buffers()):
            yield prefix + key, x


def _found(name: str, x: Any, known: set[int], is_asked_for: bool = False) -> Iterator[tuple[str, Any]]:
    """What is looked for in a variable, or in what a function reads."""
    if id(x) in known:
        return
    known.add(id(x))
    if isinstance(x, Module | Optimizer | Tensor):
        yield name, x
    else:
        for own, value in _read_by(x, is_asked_for):
            yield from _found(own or name, value, known)


def _read_by(x: Any, is_asked_for: bool) -> Iterator[tuple[str, Any]]:
    """The variables of a function, of what it is made of, and of the object that it belongs to.

    Functions of the package itself are passed over, unless it is they that are asked for.
    """
    if isinstance(x, partial):
        yield from (("", x.func), *((str(i), value) for i, value in enumerate(x.args)), *x.keywords.items())
    elif isinstance(x, MethodType):
        yield from (("", x.__self__), *getattr(x.__self__, "__dict__", {}).items(), ("", x.__func__))
    elif isinstance(x, FunctionType) and (is_asked_for or not (x.__module__ or "").startswith("minigrad.")):
        for name, cell in zip(x.__code__.co_freevars, x.__closure__ or (), strict=True):
            try:
                yield name, cell.cell_contents
            except ValueError:  # not yet bound
                continue
        for name in _names_of(x.__code__):
            if name in x.__globals__:
                yield name, x.__globals__[name]
    if "__wrapped__" in getattr(x, "__dict__", ()):
        yield "", x.__wrapped__


def _names_of(code: CodeType) -> Iterator[str]:
    """The global names of a function, and of those that are defined in it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_of(constant)
