"""Modules that import lines may name and that are no files here."""

import sys
from types import ModuleType
from typing import Any


def module(name: str, **members: Any) -> ModuleType:
    """The module ``minigrad.torch.<name>``, with these members."""
    made = register(name, ModuleType(f"{__package__}.{name}"))
    vars(made).update(members)
    return made


def register(name: str, made: ModuleType) -> ModuleType:
    """A module that is there by another name, too."""
    sys.modules[f"{__package__}.{name}"] = made
    return made
