"""What operations say of operands that do not fit: what NumPy says of them, with the operation's name and a remedy."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.errors import (
    ArgumentError,
    AxisError,
    DTypeError,
    IndexingError,
    MinigradError,
    ShapeError,
)
from minigrad.errors.other_names import other_keyword
from minigrad.errors.words import an, describe, shapes


def not_numbers(data: Any, array: np.ndarray, what: str) -> DTypeError:
    """For what holds something else than numbers; `what` they are for."""
    kind = type(data).__name__
    if data is None:
        return DTypeError(
            f"{what} is made of numbers, and {an(kind)} holds none: is a `return` missing in the function that "
            "it comes from?"
        )
    if callable(data):
        return DTypeError(
            f"{what} is made of numbers, and {an(kind)} computes them when it is called: write f(x), not f"
        )
    return DTypeError(
        f"{what} is made of numbers, and {an(kind)} of dtype {array.dtype} holds none: convert it before, as "
        "np.array(data, dtype=float) does with texts that are numbers"
    )


def other_arithmetic(cls: Any, what: str) -> DTypeError:
    """For a subclass of ndarray whose elements are more than numbers."""
    if issubclass(cls, np.matrix):
        why = "whose * is the product of matrices: write np.asarray(m) before, and @ for that product"
    elif issubclass(cls, np.ma.MaskedArray):
        why = (
            "whose mask would be lost: write a.filled(value), or keep the mask as an array of its own, as in "
            "where(mask, 0, x) with x = np.asarray(a) and mask = np.ma.getmaskarray(a)"
        )
    else:
        why = "a kind of array whose arithmetic is its own, and would be lost: write np.asarray(a) if it may be"
    return DTypeError(f"{what} cannot be made of a {cls.__name__}, {why}")


# What NumPy's plain ValueErrors speak of when they are about shapes.
_OF_SHAPES = ("shape", "dimension", "broadcast", "axis", "axes", "size", "array", "einstein", "subscript")

# What to write instead, by a word in what NumPy says.
_REMEDIES = {
    "cannot reshape": "The new lengths must multiply to the number of elements; -1 stands for the one that remains",
    "must match exactly": "Slice or pad the arrays to one shape, or join them along the axis that differs",
    "same shape": "Slice or pad the arrays to one shape, or join them with concat along the axis that differs",
    "of label": "A letter stands for one length in all operands: give an axis that differs another letter",
    "out of bounds": "An axis of length n has the indices 0 to n - 1, or -n to -1 from the end",
    "too many indices": "Give no more indices than there are axes",
    "boolean index": "A mask has the shape of what it is for, as x > 0 has in x[x > 0]",
}


def explain(error: Exception, name: str, args: Sequence[Any], params: Mapping[str, Any]) -> None:
    """Raise what NumPy says of a failed operation again, as ours, with the operation's name and the shapes.

    Returns if there is no better word for the error than its own.
    """
    given = "".join(f", {key}={value!r}" for key, value in params.items() if value is not None and value is not False)
    said = str(error).strip()
    what = f"{name} of shape{'s' if len(args) != 1 else ''} {shapes(args)}{given}: {said}"
    if isinstance(error, MinigradError):
        return
    if isinstance(error, np.exceptions.AxisError):
        raise AxisError(what + _axes_of(error.ndim)) from error
    if type(error) is ValueError:
        of_shapes = any(word in said.lower() for word in _OF_SHAPES)
        raise (ShapeError if of_shapes else ArgumentError)(what + _remedy(said, args)) from error
    if type(error) is IndexError:
        raise IndexingError(what + _remedy(said, args)) from error
    if isinstance(error, TypeError) and (other := other_keyword(said, name)):
        raise other from error
    if isinstance(error, TypeError) and " argument" not in said:
        if "casting rule" in said and args:
            kinds = " and ".join(str(np.asarray(x).dtype) for x in args)
            raise DTypeError(f"{name} is not defined for {kinds}: operations on bits need bools or integers") from error
        raise DTypeError(f"{name} of {', '.join(map(describe, args))}: {said}") from error


def _remedy(said: str, args: Sequence[Any]) -> str:
    """What to write instead, as another sentence, if it can be told from what NumPy says."""
    dot = "" if said.endswith(".") else "."
    if "broadcast" in said:
        return f"{dot} Counted from the last, axes must be equally long, or 1{_that_would_fit(args)}"
    return next((f"{dot} {remedy}" for word, remedy in _REMEDIES.items() if word in said), "")


def _that_would_fit(args: Sequence[Any]) -> str:
    """A shape for one of two operands with which they would broadcast."""
    if len(args) == 2:
        first, second = map(np.shape, args)
        for which, shape, other in (("first", first, second), ("second", second, first)):
            wider = (*shape, *(1,) * (len(other) - len(shape)))
            if wider != shape and all(1 in (n, m) or n == m for n, m in zip(wider, other, strict=True)):
                return f": with shape {wider}, from reshape, the {which} would fit"
    return ": reshape or transpose one of them, or make axes of length 1, as x[:, None] does"


def _axes_of(ndim: int | None) -> str:
    """Which axes there are, to go on with after NumPy's words about one that is not there."""
    if ndim is None:
        return ""
    words = {0: "a single number has none", 1: "its only axis is 0"}
    return ": " + words.get(ndim, f"its axes are 0 to {ndim - 1}, or -1 to {-ndim} from the end")


def no_such_axis(name: str, error: np.exceptions.AxisError) -> AxisError:
    """For an axis of an operation that was looked at before NumPy could."""
    return AxisError(f"{name}: {error}{_axes_of(error.ndim)}")


def no_product(first: tuple[int, ...], second: tuple[int, ...]) -> ShapeError:
    """For a matrix product of shapes that do not fit."""
    what = f"matmul of shapes {first} and {second}"
    if not (first and second):
        return ShapeError(f"{what} needs an axis on both sides; use * for a number")
    last = "last but one" if len(second) > 1 else "last"
    rows = second[-2] if len(second) > 1 else second[-1]
    if len(second) > 1 and first[-1] == second[-1]:
        remedy = "transposed, as in a @ b.mT, the second would fit"
    elif len(first) > 1 and first[-2] == rows:
        remedy = "transposed, as in a.mT @ b, the first would fit"
    else:
        remedy = "transpose or reshape one of them"
    return ShapeError(
        f"{what}: the last axis of the first ({first[-1]}) must be as long as the {last} of the second ({rows}); "
        + remedy
    )


def not_an_index(part: Any) -> IndexingError:
    """For what cannot stand in brackets."""
    return IndexingError(
        f"an index must be a number, a slice, ..., None, or an array of integers or bools, not {part!r}: convert "
        "floating-point numbers, with int(i) or indices.astype(int)"
    )
