"""The arguments of a call, taken apart, and what of them a program rests on."""

from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.core import Handle, name_of
from minigrad.creation import get_default_dtype
from minigrad.errors.programs import unhashable_static
from minigrad.program.equations import form_of
from minigrad.settings import now, unusual
from minigrad.tree import Rebuild, flatten


class Call:
    """The arguments of one call, taken apart, and their forms."""

    __slots__ = ("_rebuild", "args", "fixed", "grad", "key", "kwargs", "leaves", "named", "objections")

    def __init__(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], fixed: dict[str, Any]) -> None:
        self.args, self.kwargs, self.fixed = args, kwargs, fixed
        self.leaves: list[Any] = [*args, *kwargs.values()]
        self._rebuild: Rebuild | None = None
        form: Any = (len(args), *kwargs)
        for x in self.leaves:
            if x.__class__ not in _SIMPLE and not isinstance(x, Handle):
                self.leaves, self._rebuild = flatten((args, kwargs))
                form = form_of((args, kwargs))
                break
        self.objections: list[str] = []
        self.named = any(map(_is_tensor, self.leaves))
        chosen = tuple([(key, type(value), value) for key, value in fixed.items()]) if fixed else ()
        self.grad = now().grad if unusual else True
        self.key = (form, *map(_form_of, self.leaves), chosen, self.grad, get_default_dtype())
        if fixed:
            try:
                hash(self.key)
            except TypeError:
                raise unhashable_static(name, {key: type(value).__name__ for key, value in fixed.items()}) from None

    def as_tensors(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with Tensors in place of arrays, as a traced function has them."""
        leaves = [name_of(x, None) if isinstance(x, ndarray | np.generic) else x for x in self.leaves]
        if self._rebuild is None:
            count = len(self.args)
            return tuple(leaves[:count]), dict(zip(self.kwargs, leaves[count:], strict=True))
        args, kwargs = self._rebuild(leaves)
        return args, kwargs

    def described(self) -> str:
        """The forms in words."""
        forms = [_form_of(x) for x in self.leaves]
        words = [*(" ".join(map(str, form[:3])) for form in forms), *(f"{k}={v!r}" for k, v in self.fixed.items())]
        return ", ".join(words) or "no arguments"


def _is_tensor(x: Any) -> bool:
    return isinstance(x, Handle)


# Leaves of a tree that need not be looked for.
_SIMPLE = {ndarray, float, int, bool, complex, str, np.float64, np.float32, np.int64}


def _form_of(x: Any) -> tuple[Any, ...]:
    """What of an argument a program rests on."""
    if isinstance(x, Handle):
        value = x.array
        requires = "Tensor" if x.node is None else "Tensor that requires grad"
        return (requires, getattr(value, "dtype", type(value)), getattr(value, "shape", ()), is_ordered(value))
    if isinstance(x, ndarray | np.generic):
        return ("array", x.dtype, x.shape, is_ordered(x))
    if x is None or isinstance(x, bool | int | str):
        return (type(x).__name__, x)
    return (type(x).__name__,)


def is_ordered(value: Any) -> bool:
    """Whether the elements of an array lie in memory in the order of their indices."""
    return value.__class__ is ndarray and (value.ndim < 2 or value.flags.c_contiguous)
