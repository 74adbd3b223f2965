"""Modules that import lines may name and that are no files here."""

import sys
from types import ModuleType
from typing import Any

from minigrad.errors.dialects import not_in_the_dialect


def module(name: str, **members: Any) -> ModuleType:
    """The module ``minigrad.torch.<name>``, with these members."""
    made = register(name, ModuleType(f"{__package__}.{name}"))

    def missing(member: str) -> Any:
        raise AttributeError(str(not_in_the_dialect(f"{name}.{member}")))

    vars(made).update(members, __getattr__=missing)
    return made


def register(name: str, made: ModuleType) -> ModuleType:
    """A module that is there by another name, too."""
    sys.modules[f"{__package__}.{name}"] = made
    return made
