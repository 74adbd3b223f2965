"""Nested dicts, lists, tuples and dataclasses of arrays, taken apart and put together again."""

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from minigrad import errors
from minigrad.core import PLAIN, Handle
from minigrad.errors.functions import not_a_field, not_rebuilt, other_form

Rebuild = Callable[[Sequence[Any]], Any]


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """The leaves of a tree, and the function that makes a tree of the same form from other leaves.

    Dicts, lists, tuples (named ones too) and dataclasses are branches, None is an empty one, and everything else is a
    leaf.  Fields of a dataclass that are marked ``field(metadata={"static": True})`` are no leaves: they are kept as
    they are.

    A tree is rebuilt in its own classes, without calling the ``__init__`` and ``__post_init__`` of a dataclass: each
    field is a leaf or a branch of its own, also one that was computed from others at first.

    Raises
    ------
    DTypeError
        If a class cannot be made with other contents; of some, this is found only when the tree is rebuilt.

    Examples
    --------
    >>> import minigrad as mg
    >>> leaves, rebuild = mg.tree.flatten({"w": [1.0, 2.0], "b": 3.0})
    >>> leaves
    [1.0, 2.0, 3.0]
    >>> rebuild([4.0, 5.0, 6.0])
    {'w': [4.0, 5.0], 'b': 6.0}
    """
    leaves: list[Any] = []
    form = _take_apart(tree, leaves)

    def rebuild(new: Sequence[Any]) -> Any:
        if len(new) != len(leaves):
            raise ValueError(f"a tree with {len(leaves)} leaves cannot be rebuilt from {len(new)}")
        return form(iter(new))

    return leaves, rebuild


def _take_apart(tree: Any, leaves: list[Any]) -> Callable[[Any], Any]:
    # First what is commonest, and cannot refuse.
    cls = tree.__class__
    if cls is dict:
        named = {key: _take_apart(branch, leaves) for key, branch in tree.items()}
        return lambda new: {key: form(new) for key, form in named.items()}
    if cls is tuple or cls is list:
        forms = [_take_apart(branch, leaves) for branch in tree]
        return lambda new: cls([form(new) for form in forms])
    branches = None if cls in PLAIN or isinstance(tree, Handle) else branches_of(tree)
    if branches is None:
        leaves.append(tree)
        return next
    forms = [_take_apart(branch, leaves) for branch in branches.values()]
    make = _tried(cls, _maker, tree, list(branches))
    return lambda new: _tried(cls, make, [form(new) for form in forms])


def _tried(cls: type, function: Callable[..., Any], *args: Any) -> Any:
    """What a function returns that uses a class which people wrote, and which may refuse."""
    try:
        return function(*args)
    except errors.MinigradError:
        raise
    except Exception as error:
        raise not_rebuilt(cls, error) from error


def leaves_as_in(form: Any, tree: Any, what: str) -> list[Any]:
    """What a tree holds in the places where another one has leaves, and in its order: of dicts, the keys decide.

    Parameters
    ----------
    form : tree
        Lists and tuples stand for each other in it.
    tree : tree
    what : str
        Its name, for the message.

    Raises
    ------
    ShapeError
        If the trees are not of one form.

    Examples
    --------
    >>> from minigrad.tree import leaves_as_in
    >>> leaves_as_in({"a": 0.0, "b": 0.0}, {"b": 2.0, "a": 1.0}, "v")
    [1.0, 2.0]
    """
    wanted = branches_of(form)
    if wanted is None:
        if tree is None:
            raise other_form(what, form, tree)
        return [tree]
    given = branches_of(tree)
    if given is None or given.keys() != wanted.keys() or _kind(form) != _kind(tree):
        raise other_form(what, form, tree)
    return [
        leaf for key, branch in wanted.items() for leaf in leaves_as_in(branch, given[key], what + _step(form, key))
    ]


def paths(tree: Any, name: str = "") -> list[str]:
    """Where each leaf stands, in the order of `flatten`, as Python would write it.

    >>> paths({"w": [1.0, 2.0], "b": 3.0}, "x")
    ["x['w'][0]", "x['w'][1]", "x['b']"]
    """
    branches = branches_of(tree)
    if branches is None:
        return [name]
    return [path for key, branch in branches.items() for path in paths(branch, name + _step(tree, key))]


def map_leaves(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """The tree with `function` applied to its leaves (and to those of other trees of the same form, by their keys).

    Raises
    ------
    ShapeError
        If another tree has not the form of the first.
    """
    leaves, rebuild = flatten(tree)
    columns = [leaves_as_in(tree, other, f"tree {i}") for i, other in enumerate(others, 1)]
    return rebuild([function(*row) for row in zip(leaves, *columns, strict=True)])


def is_branch(x: Any) -> bool:
    """Whether it is taken apart, and is not a leaf: a dict, a list, a tuple, a dataclass, or None."""
    return branches_of(x) is not None


# Kinds of branches


def branches_of(tree: Any) -> dict[Any, Any] | None:
    """What a branch holds, by key, place or field; None if it is a leaf."""
    if tree is None:
        return {}
    if isinstance(tree, dict):
        return dict(tree.items())
    if isinstance(tree, (list, tuple)):
        return dict(enumerate(tree))
    if _is_record(tree):
        return {field.name: getattr(tree, field.name) for field in _fields(tree, static=False)}
    return None


def _is_record(x: Any) -> bool:
    """Whether it is an instance of a dataclass, other than one that is an array itself."""
    return hasattr(type(x), "__dataclass_fields__") and not hasattr(type(x), "__array__")


def _fields(record: Any, static: bool) -> list[Any]:
    """The fields of a dataclass that have a value; either those that are static, or all others."""
    from dataclasses import fields  # few trees have any

    own = [field for field in fields(record) if hasattr(record, field.name)]
    return [field for field in own if bool(field.metadata.get("static")) == static]


def _kind(tree: Any) -> Any:
    """What two branches have in common that can stand for each other."""
    if tree is None or isinstance(tree, (list, tuple)):
        return tree is None
    return dict if isinstance(tree, dict) else type(tree)


def _step(tree: Any, key: Any) -> str:
    """The way from a branch to what it holds under a key, as Python would write it."""
    if isinstance(tree, dict):
        return f"[{key!r}]"
    if isinstance(tree, (list, tuple)):
        return f".{tree._fields[key]}" if hasattr(tree, "_fields") else f"[{key}]"
    return f".{key}"


def _maker(tree: Any, keys: list[Any]) -> Callable[[Sequence[Any]], Any]:
    """The function that makes a branch of this kind of other contents, given in the order of the keys."""
    cls = type(tree)
    if tree is None:
        return lambda parts: None
    if isinstance(tree, dict):
        return partial(_refilled, copy.copy(tree), keys)
    if isinstance(tree, (list, tuple)):
        return getattr(cls, "_make", cls)  # a named tuple's, which calls no __new__ that people wrote
    return _record_maker(tree, keys)


def _refilled(like: Any, keys: list[Any], parts: Sequence[Any]) -> Any:
    """A dict with what those of its class have besides, such as a default_factory."""
    made = copy.copy(like)
    for key, part in zip(keys, parts, strict=True):
        made[key] = part
    return made


def _record_maker(record: Any, names: list[str]) -> Callable[[Sequence[Any]], Any]:
    cls = type(record)
    kept = {field.name: getattr(record, field.name) for field in _fields(record, static=True)}
    strange = _other_attributes(record, {*names, *kept})

    def make(parts: Sequence[Any]) -> Any:
        if strange:
            raise not_a_field(cls, strange[0])
        made = object.__new__(cls)
        for name, value in {**kept, **dict(zip(names, parts, strict=True))}.items():
            object.__setattr__(made, name, value)  # of a frozen one too
        return made

    return make


def _other_attributes(record: Any, names: set[str]) -> list[str]:
    """What a record has besides fields: with other leaves it might be wrong, and is not known to be right.

    What `cached_property` keeps is computed anew when it is asked for.
    """
    own: Mapping[str, Any] = getattr(record, "__dict__", {})
    return [
        name
        for name in own
        if name not in names
        and not name.startswith("__")
        and not isinstance(getattr(type(record), name, None), cached_property)
    ]
