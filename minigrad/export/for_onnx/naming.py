"""Names in a graph: of inputs and outputs, and of the parameters of models."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from types import FunctionType, MethodType
from typing import Any

from minigrad.core import unwrap
from minigrad.errors.exporting import not_named
from minigrad.nn import Module
from minigrad.tree import paths

# Arguments and results


def argument_names(f: Callable[..., Any], args: tuple[Any, ...]) -> list[str]:
    """What each leaf of the arguments is called: after the parameter of the function, and its place in a tree."""
    called = f.forward if isinstance(f, Module) else f
    try:
        parameters = list(inspect.signature(called).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    own = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = [p.name for p in parameters if p.kind is p.VAR_POSITIONAL] or ["input"]
    names: list[str] = []
    for i, x in enumerate(args):
        name = own[i] if i < len(own) else f"{rest[0]}_{i - len(own)}"
        names += [written(path) for path in paths(x, name)]
    return names


def written(path: str) -> str:
    """A place in a tree as names are written: ``x['w'][0]`` is ``x.w.0``."""
    return re.sub(r"\[(?:'([^']*)'|([^\]]*))\]", lambda found: f".{found[1] or found[2]}", path)


def result_names(result: Any) -> list[str]:
    """What each leaf of the results is called."""
    names = [written(path) for path in paths(result, "output")]
    return [name.removeprefix("output.") if isinstance(result, Mapping) else name.replace(".", "_") for name in names]


def chosen_names(what: str, given: Sequence[str] | None, own: Sequence[str]) -> list[str]:
    """The names that are given, checked, or else the function's own."""
    if given is None:
        names: list[str] = []
        for name in own:  # of parts of trees two may be written alike
            others = (f"{name}_{i}" for i in count(1))
            names.append(name if name not in names else next(x for x in others if x not in (*own, *names)))
        return names
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise not_named(what, given, "are not a list of names")
    for name in given:
        if not isinstance(name, str) or not name or not name.isprintable() or name != name.strip():
            raise not_named(what, given, f"have {name!r} among them, which is no name that can be read")
    if len(given) != len(own):
        raise not_named(what, given, f"are {len(given)}, and there are {len(own)}: {', '.join(own)}")
    if len(set(given)) != len(given):
        raise not_named(what, given, "have a name that stands twice")
    return list(given)


# Parameters and buffers


def models_of(f: Callable[..., Any]) -> dict[str, Module]:
    """The models that a function computes with, by the names that it, or a function inside of it, has for them."""
    found: dict[str, Module] = {}
    _look(f, "", found, set())
    return found


def _look(f: Any, name: str, found: dict[str, Module], known: set[int]) -> None:
    if id(f) in known:
        return
    known.add(id(f))
    owner = getattr(f, "__self__", None)
    model = f if isinstance(f, Module) else owner
    if isinstance(model, Module):
        found.setdefault(name, model)
    elif isinstance(f, partial):
        _look(f.func, name, found, known)
    elif hasattr(f, "__wrapped__"):
        _look(f.__wrapped__, name, found, known)
    elif isinstance(f, FunctionType):
        cells = zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)
        seen = {own: cell.cell_contents for own, cell in cells if _is_full(cell)}
        seen |= {own: f.__globals__[own] for own in f.__code__.co_names if own in f.__globals__}
        for own, x in seen.items():  # functions of other files are those of libraries, as a rule
            near = isinstance(x, partial | FunctionType | MethodType) and x.__module__ in (f.__module__, "functools")
            if near or isinstance(x, Module):
                _look(x, own, found, known)


def _is_full(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018  # a cell that is empty raises
    except ValueError:
        return False
    return True


def names_of_arrays(models: Mapping[str, Module]) -> dict[int, str]:
    """The keys of state dicts, by the identities of arrays; of several models they begin with the model's name."""
    found: dict[int, str] = {}
    for name, model in models.items():
        prefix = f"{name}." if len(models) > 1 else ""
        for key, x in (*model.named_parameters(), *model.named_buffers()):
            found.setdefault(id(unwrap(x)), prefix + key)
    return found
