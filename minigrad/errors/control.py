"""What is wrong with a loop or a branch."""

from collections.abc import Sequence
from typing import Any

from minigrad.errors import ArgumentError, ProgramError


def no_length() -> ArgumentError:
    """For a scan that does not know how many steps to make."""
    return ArgumentError("scan: give arrays, of which each step gets a row, or the number of steps as length=")


def other_lengths(shapes: Sequence[tuple[int, ...]], length: int | None) -> ArgumentError:
    """For rows that differ in number."""
    wanted = "" if length is None else f", and length={length} is wanted"
    return ArgumentError(f"scan: all arrays need the same number of rows, and they have shapes {list(shapes)}{wanted}")


def carry_changed(name: str, before: Sequence[Any], after: Sequence[Any], alike: bool) -> ArgumentError:
    """For a carry of another form than the one before."""
    if not alike or len(before) != len(after):
        return ArgumentError(
            f"{name}: the next carry is a tree of another form than the one before: {len(before)} arrays, and now "
            f"{len(after)}. Return as many as there were, in the same tuples and dicts"
        )
    for (shape, dtype), (new_shape, new_dtype) in zip(before, after, strict=True):
        if (shape, dtype) != (new_shape, new_dtype):
            return ArgumentError(
                f"{name}: an array of the carry was {dtype} of shape {shape}, and is {new_dtype} of shape {new_shape} "
                f"after a step. Begin with {new_dtype} of shape {new_shape}, or convert it by astype"
            )
    raise AssertionError("they do not differ")


def other_branch(first: Sequence[Any], second: Sequence[Any]) -> ArgumentError:
    """For two branches that return different things."""
    return ArgumentError(
        "cond: both functions must return trees of one form, with the same shapes and dtypes, and they return "
        f"{_described(first)} and {_described(second)}"
    )


def _described(forms: Sequence[Any]) -> str:
    return ", ".join(f"{dtype} of shape {shape}" for shape, dtype in forms) or "nothing"


def predicate_of_many(name: str, value: Any) -> ArgumentError:
    """For a condition that is no single bool."""
    what = f"{getattr(value, 'dtype', type(value).__name__)} of shape {getattr(value, 'shape', ())}"
    return ArgumentError(f"{name}: a condition is a single bool, not {what}: write a comparison, or mg.all or mg.any")


def acts_in_a_body(name: str, what: str) -> ProgramError:
    """For the body of a loop or a branch that does something beside computing its results."""
    return ProgramError(
        f"{name}: its function {what}, which the body of a loop or a branch in a program cannot do. Hand it on in the "
        "carry, or draw random numbers before, and give them as xs"
    )


def hook_on_an_argument(name: str) -> ProgramError:
    """For a hook on the argument of a body, whose gradient is put together from several steps."""
    return ProgramError(
        f"{name}: its function registers a hook on an argument, and in a program the gradient of that is put together "
        "outside of it. Register the hook on a copy, +x, and compute with that"
    )


def no_derivative_of_while() -> ProgramError:
    """For a gradient through a loop of unknown length."""
    return ProgramError(
        "while_loop has no derivative in a program: how often its body runs is not known, so nothing can be kept for "
        "the way back. Write scan with a fixed length and where, or call the function without jit"
    )
