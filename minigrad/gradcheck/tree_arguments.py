"""A function of trees as one of their leaves in a row: what is in a dict, and the parameters of a module.

The check knows functions of Tensors only.  What is told of them keeps the names that the places have in the trees.
"""

from collections.abc import Callable
from itertools import islice
from typing import Any, NamedTuple

from minigrad import errors
from minigrad.errors.words import describe
from minigrad.gradcheck.function import is_floating, listed
from minigrad.nn.module import Module, functional_call
from minigrad.tree import flatten, is_branch, paths

__tracebackhide__ = True  # by pytest


class Arguments(NamedTuple):
    """A function of leaves, these leaves, and their names."""

    f: Callable[..., Any]
    leaves: list[Any]
    names: list[str]


def arguments(f: Any, inputs: Any) -> Arguments:
    """Take the inputs of a function apart; those of a module go on with its parameters that require grad.

    Raises
    ------
    DTypeError
        If `f` is no function.
    """
    if not callable(f):
        what = describe(f) if hasattr(f, "dtype") else f"a {type(f).__name__}"
        raise errors.DTypeError(
            f"gradcheck takes a function first, and this is {what}: give it the function itself and then its inputs, "
            "as in gradcheck(f, x), or gradcheck(f, (a, b)) for several"
        )
    trees = listed(inputs)
    names = [name for i, x in enumerate(trees) for name in _names(x, f"input {i}")]
    own = {path: x for path, x in f.named_parameters() if x.requires_grad} if isinstance(f, Module) else {}
    if own:
        f, trees, names = _of_parameters(f), [*trees, own], [*names, *own]
    if not any(map(_is_tree, trees)):
        return Arguments(f, trees, names)
    parts = [flatten(x) if _is_tree(x) else ([x], None) for x in trees]

    def function(*leaves: Any) -> Any:
        left = iter(leaves)
        return f(*[next(left) if build is None else build([*islice(left, len(mine))]) for mine, build in parts])

    return Arguments(function, [leaf for leaves, _ in parts for leaf in leaves], names)


def _is_tree(x: Any) -> bool:
    """Whether to take it apart; what has no floating-point number in it is passed on as it is."""
    return is_branch(x) and any(map(is_floating, flatten(x)[0]))


def _names(x: Any, name: str) -> list[str]:
    return paths(x, name) if _is_tree(x) else [name]


def _of_parameters(module: Any) -> Callable[..., Any]:
    """A module as a function of its parameters too, which come last, by their paths."""

    def function(*args: Any) -> Any:
        return functional_call(module, args[-1], *args[:-1])

    return function
