"""Arguments as people give them: lists that stand for arrays, and Tensors of which only the value is asked."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.core import PLAIN, Array, Handle, as_operand, give_out, primitive, traced, unwrap
from minigrad.errors import DTypeError
from minigrad.errors.programs import other_choice
from minigrad.errors.words import describe


def operand(x: Any, name: str) -> Array:
    """A Tensor or an array as it is, a list with Tensors in it as a Tensor, everything else as an array.

    `name` is the operation, for the message.
    """
    return x if isinstance(x, Handle | np.ndarray | np.generic) else as_operand(x, name)


def weak(x: Any, name: str) -> Array:
    """The same, but a Python number stays one, so that it decides no dtype."""
    return x if x.__class__ in PLAIN else operand(x, name)


def value_of(x: Any) -> np.ndarray:
    """What a Tensor or anything else holds, as an array without a history; refused while a program is traced."""
    if isinstance(x, Handle):
        give_out(x, "the value, on which the form of the result depends,")
        x = x.array
    return np.asarray(x)


@primitive(lambda g, y, x, *, test: g, cost=0, acts=True)
def _checked(x: Array, /, *, test: Callable[[np.ndarray], None]) -> Array:
    test(x)
    return x


def checked(x: Array, test: Callable[[np.ndarray], None]) -> Array:
    """`x` itself, of which a function has looked at the value, and has not raised; in a program, at every run."""
    if traced(x):
        return _checked(x, test=test)
    test(np.asanyarray(unwrap(x)))
    return x


def mask_of(x: Any) -> Array:
    """The value of a mask, which must consist of bools, as NumPy's must."""
    mask = unrecorded(x)
    if mask.dtype != bool:
        raise DTypeError(f"where takes bools, and these are {describe(mask)}: write a comparison, such as x != 0")
    return mask


def settled(x: Any) -> np.ndarray:
    """The value, on which it depends what is computed: a program raises at a run where it is another one."""
    if not traced(x):
        return value_of(x)
    seen = np.array(x.array)

    def test(now: np.ndarray) -> None:
        if not np.array_equal(now, seen, equal_nan=seen.dtype.kind in "fc"):
            raise other_choice(seen, now)

    _checked(x, test=test)
    return seen


def unrecorded(x: Any) -> Any:
    """The value, to compute with it what has no derivative: an array, and in a program a Tensor."""
    return x.detach() if traced(x) else value_of(x)


# Values of NumPy's arguments that change nothing of a Tensor: their defaults, and other words for these.
_WITHOUT_EFFECT: dict[str, tuple[Any, ...]] = {
    "out": (None,), "where": (True,), "keepdims": (False,), "dtype": (None,), "signature": (None,), "axes": (None,),
    "casting": ("same_kind",), "order": ("K", "A", "C", None), "subok": (True,), "device": ("cpu", None),
}  # fmt: skip


def has_no_effect(name: str, value: Any) -> bool:
    """Whether an argument of a NumPy function may as well be left out."""
    if isinstance(value, np.ndarray | np.bool_ | Handle):  # a mask of no axes, say
        value = value_of(value)
        value = bool(value) if value.ndim == 0 and value.dtype == bool else value
    elif name == "out" and isinstance(value, tuple) and all(x is None for x in value):
        value = None
    without = _WITHOUT_EFFECT.get(name, ())
    return value is np._NoValue or any(value is x or (isinstance(value, str) and value == x) for x in without)


def require_order(x: Array, name: str) -> None:
    """Raise for complex numbers, none of which is the larger of two."""
    if x.dtype.kind == "c":
        raise DTypeError(f"{name}: complex numbers have no order: take their abs, or the real part")
