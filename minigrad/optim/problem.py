"""A function to minimise, with its variable and the data that it is computed on."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.core import no_grad, unwrap
from minigrad.creation import get_default_dtype, tensor
from minigrad.errors import ArgumentError, DTypeError, ShapeError
from minigrad.errors.functions import explain_coordinates, objective_cut, objective_not_real, objective_of_many
from minigrad.operands import require_plain
from minigrad.ops.shaping import reshape
from minigrad.tensor import Tensor
from minigrad.tree import flatten


class Problem:
    """The function, its variable, and the rows of data."""

    def __init__(self, f: Callable[..., Any], x0: Any, data: Sequence[Any], caller: str = "minimize") -> None:
        leaves, self.rebuild = flatten(np.array(x0) if isinstance(x0, list) else x0)
        self.function, self.caller = f, caller
        self.leaves = [_variable(leaf, caller) for leaf in leaves]
        if not sum(leaf.array.size for leaf in self.leaves):
            raise ArgumentError(f"{caller}: x0 holds no number")
        rows = _rows(data, caller)
        self.data = [array if isinstance(array, Tensor) else _plain(array, f"{caller}: data") for array in rows]

    def __call__(self, leaves: Sequence[Any], rows: Any = None) -> Any:
        """The value at a point, on some rows of the data or all of them."""
        return self.on(leaves, self.data if rows is None else [array[rows] for array in self.data])

    def on(self, leaves: Sequence[Any], data: Sequence[Any]) -> Any:
        """The value at a point, on rows of data that are given."""
        x = self.rebuild(leaves)
        try:
            y = self.function(x, *data)
        except (TypeError, AttributeError) as error:
            if isinstance(error, TypeError):
                explain_coordinates(error, self.function, 1 + len(data))
            if isinstance(x, tuple) and all(leaf.ndim == 0 for leaf in self.leaves):
                error.add_note("x0 is a tuple, so the objective gets a tuple of numbers: write a list for a vector")
            raise
        if np.shape(y) != ():
            raise objective_of_many(self.caller, self.function, y)
        if not isinstance(y, Tensor):
            raise objective_cut(self.caller, self.function, y)
        if y.dtype.kind != "f":
            raise objective_not_real(self.caller, self.function, y)
        return y

    def parts(self, x: Any) -> list[Any]:
        """The parts of a vector, in the shapes of the variable."""
        ends = np.cumsum([leaf.array.size for leaf in self.leaves]).tolist()
        shapes = [leaf.array.shape for leaf in self.leaves]
        places = zip([0, *ends[:-1]], ends, shapes, strict=True)
        return [x if x.shape == shape else reshape(x[start:end], shape) for start, end, shape in places]

    def of_vector(self, x: Any) -> Tensor:
        """The value at a point that is one vector, on all rows."""
        return self(self.parts(x))

    def loss(self) -> float:
        """The value where the variable is now, on all rows."""
        with no_grad():
            return float(self(self.leaves).detach())

    def differentiate(self, y: Tensor) -> None:
        """Leave the gradients of a value in the leaves: zeros for those that it does not depend on."""
        for leaf in self.leaves:
            leaf.grad = None
        y.backward()
        for leaf in self.leaves:
            if leaf.grad is None:
                leaf.grad = np.zeros_like(leaf.array)


def _variable(x: Any, caller: str) -> Tensor:
    value = np.array(_plain(unwrap(x), f"{caller}: x0"))
    if value.dtype.kind not in "iuf":
        raise DTypeError(f"{caller}: x0 consists of real numbers, not of {value.dtype}: give floats")
    return tensor(value, dtype=value.dtype if value.dtype.kind == "f" else get_default_dtype(), requires_grad=True)


def _plain(array: Any, name: str) -> np.ndarray:
    require_plain(array, name)
    return np.asarray(array)


def _rows(data: Sequence[Any], caller: str) -> Sequence[Any]:
    if not isinstance(data, (tuple, list)):
        raise DTypeError(f"{caller}: data is a tuple of arrays, as in data=(X, y), not {type(data).__name__}")
    lengths = {np.shape(array)[:1] for array in data}
    if len(lengths) > 1 or () in lengths:
        raise ShapeError(f"{caller}: arrays of data need one row for each observation, not {[*map(np.shape, data)]}")
    return data


def norm_of(arrays: Sequence[np.ndarray]) -> float:
    """The length of several arrays as one vector."""
    return math.sqrt(sum(float(np.vdot(a, a)) for a in arrays))


def is_true(told: Any) -> bool:
    """Whether a callback returned True: Python's or NumPy's, and nothing else that counts as true."""
    return isinstance(told, (bool, np.bool_)) and bool(told)
