"""`autograd.misc.flatten`: trees of arrays as one vector."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import tree
from minigrad.ops.shaping import concat, reshape

Function = Callable[..., Any]


def flatten(value: Any) -> tuple[Any, Function]:
    """All numbers of a tree in one vector, and the function that makes such a tree of one."""
    leaves, rebuild = tree.flatten(_in_order(value))
    shapes = [np.shape(leaf) for leaf in leaves]
    ends = np.cumsum([math.prod(shape) for shape in shapes]).tolist()

    def unflatten(vector: Any) -> Any:
        places = zip([0, *ends], ends, shapes, strict=False)
        return rebuild([reshape(vector[start:end], shape) for start, end, shape in places])

    return concat([reshape(leaf, -1) for leaf in leaves]) if leaves else np.zeros(0), unflatten


def _in_order(value: Any) -> Any:
    """A tree whose dicts have their keys in order, as autograd reads them."""
    if type(value) is dict:
        return {key: _in_order(value[key]) for key in sorted(value)}
    return type(value)(map(_in_order, value)) if type(value) in (list, tuple) else value


def flatten_func(func: Function, example: Any) -> tuple[Function, Function, Any]:
    """A function of trees as one of vectors, the way back from these, and the vector of an example."""
    vector, unflatten = flatten(example)

    def of_vector(x: Any, *args: Any, **named: Any) -> Any:
        return flatten(func(unflatten(x), *args, **named))[0]

    return of_vector, unflatten, vector
