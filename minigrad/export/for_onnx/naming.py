"""Names in a graph: of inputs and outputs, and of the parameters of models."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

from minigrad.core import unwrap
from minigrad.errors.exporting import not_named
from minigrad.export.outside import found_outside, parameters_of
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
    return {name: x for name, x in found_outside(f).items() if isinstance(x, Module)}


def names_of_arrays(models: dict[str, Module]) -> dict[int, str]:
    """The keys of state dicts, by the identities of arrays."""
    found: dict[int, str] = {}
    for key, x in parameters_of(models):
        found.setdefault(id(unwrap(x)), key)
    return found
