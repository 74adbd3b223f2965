"""Trees as JSON.  What JSON has no form for is an object with the single key "#": [kind, ...]."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.core import Handle, unwrap
from minigrad.creation import asarray
from minigrad.errors import DTypeError, FileError

Arrays = dict[str, np.ndarray]
_LONGEST = 10_000  # characters in the name of an array: zip allows 65535 bytes
_ALIKE = 16  # keys of a dict that may have the hash of another one, as -1 and -2 have


def describe(tree: Any, path: str, arrays: Arrays) -> Any:
    """A tree in JSON, whose arrays are put into `arrays` under their paths."""
    if tree is None or isinstance(tree, (bool, int, str)) or (isinstance(tree, float) and type(tree) is not np.float64):
        return tree
    if isinstance(tree, (Handle, np.ndarray, np.generic, complex)):
        value = np.asarray(unwrap(tree))
        if value.dtype.kind not in "biufc":
            raise DTypeError(f"save: {path or 'this'} has dtype {value.dtype}: only numbers and bools can be saved")
        name = _name(path, arrays)
        arrays[name] = value
        kind = "tensor" if isinstance(tree, Handle) else "array" if isinstance(tree, np.ndarray) else "number"
        return {"#": [kind, name]}
    if isinstance(tree, Mapping):
        parts = [[key, describe(part, f"{path}.{key}" if path else str(key), arrays)] for key, part in tree.items()]
        if all(isinstance(key, str) and key != "#" for key, _ in parts):
            return dict(parts)
        if not all(isinstance(key, (str, int, float, bool)) or key is None for key, _ in parts):
            raise DTypeError(f"save: the keys of {path or 'the dict'} must be texts or numbers")
        return {"#": ["dict", *parts]}
    if isinstance(tree, (list, tuple)):
        parts = [describe(part, f"{path}.{i}" if path else str(i), arrays) for i, part in enumerate(tree)]
        return {"#": ["tuple", *parts]} if isinstance(tree, tuple) else parts
    raise DTypeError(
        f"save: {path or 'this'} is a {type(tree).__name__}: files hold dicts, lists and tuples of Tensors, arrays, "
        "numbers, texts, bools and None, and no other objects, since to load those is to run code"
    )


def _name(path: str, arrays: Arrays) -> str:
    """A name for an array: its path, if archives can hold that and it is not taken."""
    name = "".join(c if c.isprintable() and c != "\\" else "_" for c in path)[:_LONGEST] or "data"
    while name in arrays or name == "__metadata__":  # which safetensors has for itself
        name += f"'{len(arrays)}"
    return name


def rebuild(form: Any, arrays: Arrays) -> Any:
    """The tree that `describe` took apart; its arrays are taken out of `arrays`, and not copied."""
    if isinstance(form, list):
        return [rebuild(part, arrays) for part in form]
    if not isinstance(form, dict):
        return form
    if "#" not in form:
        return {key: rebuild(part, arrays) for key, part in form.items()}
    kind, *parts = form["#"]
    if kind == "dict":
        if len(parts) - len({hash(key) for key, _ in parts}) > _ALIKE:
            raise FileError("the keys of a dict all have one hash, as if to make it slow")
        return {key: rebuild(part, arrays) for key, part in parts}
    if kind == "tuple":
        return tuple(rebuild(part, arrays) for part in parts)
    (name,) = parts
    if name not in arrays:
        raise FileError(f"the array {name!r} is missing, or stands at two places of the tree")
    value = arrays.pop(name)
    if kind == "tensor":
        return asarray(value)
    return {"array": value, "number": value[()]}[kind]


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, none of whose names is there twice; JSON itself leaves open which of them would count."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise FileError(f"the name {key!r} is there twice")
        found[key] = value
    return found
