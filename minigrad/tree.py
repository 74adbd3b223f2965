"""Nested dicts, lists and tuples of arrays, taken apart and put together again."""

from collections.abc import Callable, Sequence
from typing import Any

Rebuild = Callable[[Sequence[Any]], Any]


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """The leaves of a tree, and the function that makes a tree of the same form from other leaves.

    Dicts, lists and tuples (named ones too) are branches, None is an empty one, and everything else is a leaf.
    """
    leaves: list[Any] = []
    form = _take_apart(tree, leaves)

    def rebuild(new: Sequence[Any]) -> Any:
        if len(new) != len(leaves):
            raise ValueError(f"a tree with {len(leaves)} leaves cannot be rebuilt from {len(new)}")
        return form(iter(new))

    return leaves, rebuild


def _take_apart(tree: Any, leaves: list[Any]) -> Callable[[Any], Any]:
    if tree is None:
        return lambda new: None
    if isinstance(tree, dict):
        forms = {key: _take_apart(branch, leaves) for key, branch in tree.items()}
        return lambda new: type(tree)((key, form(new)) for key, form in forms.items())
    if isinstance(tree, (list, tuple)):
        parts = [_take_apart(branch, leaves) for branch in tree]
        if hasattr(tree, "_fields"):
            return lambda new: type(tree)(*[form(new) for form in parts])
        return lambda new: type(tree)([form(new) for form in parts])
    leaves.append(tree)
    return next


def paths(tree: Any, name: str = "") -> list[str]:
    """Where each leaf stands, in the order of `flatten`, as Python would write it.

    >>> paths({"w": [1.0, 2.0], "b": 3.0}, "x")
    ["x['w'][0]", "x['w'][1]", "x['b']"]
    """
    if tree is None:
        return []
    if isinstance(tree, dict):
        return [path for key, branch in tree.items() for path in paths(branch, f"{name}[{key!r}]")]
    if isinstance(tree, (list, tuple)):
        fields = getattr(tree, "_fields", None)
        steps = [f"[{i}]" for i in range(len(tree))] if fields is None else [f".{field}" for field in fields]
        return [path for step, branch in zip(steps, tree, strict=True) for path in paths(branch, name + step)]
    return [name]


def map_leaves(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """The tree with `function` applied to its leaves (and to those of other trees of the same form)."""
    leaves, rebuild = flatten(tree)
    columns = [flatten(other)[0] for other in others]
    return rebuild([function(*row) for row in zip(leaves, *columns, strict=True)])
