"""What is wrong with a call of a mapped function."""

from collections.abc import Sequence
from typing import Any

from minigrad.errors import ArgumentError, AxisError, DTypeError, ProgramError, ShapeError
from minigrad.errors.words import an, at, describe, warn


def not_an_axis(what: str, axes: Any) -> DTypeError:
    """For an axis that is none."""
    return DTypeError(
        f"vmap: {what} is {axes!r}: write an int, None for what is the same for all samples, or a tuple, list or dict "
        "of these in the form of the arguments"
    )


def other_axes(what: str, axes: Any, kind: str) -> ArgumentError:
    """For axes in a tree that has not the form of what they belong to."""
    return ArgumentError(
        f"vmap: {what} is {axes!r}, which has not the form of {kind}: one axis, or None, for each of it"
    )


def no_batch(name: str, value: Any) -> DTypeError:
    """For an argument without axes that is to be mapped over."""
    return DTypeError(
        f"vmap: {name} is {an(type(value).__name__)} ({value!r:.40}), which has no axis to map over: give in_axes with "
        "None for it, if it is the same for all samples"
    )


def no_such_axis(name: str, axis: int, shape: tuple[int, ...], which: str = "in_axes") -> AxisError:
    """For an axis that an array does not have."""
    return AxisError(f"vmap: {which} names axis {axis} of {name}, which has shape {shape}")


def other_sizes(sizes: Sequence[tuple[str, int, int | None]]) -> ShapeError:
    """For batches that differ in size."""
    words = ", ".join(f"{name} has {size} along axis {axis}" for name, size, axis in sizes)
    return ShapeError(f"vmap: all batches must be of one size, and {words}")


def nothing_mapped(name: str) -> ArgumentError:
    """For a call without anything to map over."""
    return ArgumentError(
        f"vmap of {name}: there is no array among the arguments to map over, so nobody knows how many samples there "
        "are: give one an axis in in_axes"
    )


def form_of_nothing(name: str) -> ArgumentError:
    """For an empty batch, of whose results nobody knows the form."""
    return ArgumentError(
        f"vmap of {name}: the batch is empty, and with zeros in place of a sample the function raised an error, so the "
        "form of the results is not known: do not call it for an empty batch"
    )


def batched_result(name: str, number: int) -> ArgumentError:
    """For a result that is said to be the same for all samples, and is not."""
    return ArgumentError(
        f"vmap of {name}: out_axes is None for result {number}, which differs from sample to sample: give the axis at "
        "which the batch shall be"
    )


def value_read_in_a_batch(name: str, tensor: Any, how: str, place: Any) -> ProgramError:
    """For a mapped function that looks at a value."""
    return ProgramError(
        f"{how} of a Tensor ({describe(tensor.array)}) was asked for{at(place)} inside of vmap({name}), which computes "
        "all samples at once: there is one value for each of them. To choose between values write where(condition, a, "
        "b), cond or while_loop; compute with the Tensor instead of its number; give what is the same for all samples "
        "with None in in_axes, and not as a Tensor that is computed inside"
    )


def acts_in_a_batch(name: str, what: str) -> ProgramError:
    """For a mapped function that does something beside computing its results."""
    return ProgramError(
        f"vmap({name}): the function {what}, which would have to happen once for each sample. Return what shall be "
        "written, and write it outside. A BatchNorm in training keeps statistics: call eval(), give it "
        "track_running_stats=False, or take GroupNorm. For gradients write mg.grad(f) instead of backward()"
    )


def drawn_in_a_batch(name: str) -> ProgramError:
    """For random numbers in a mapped function."""
    return ProgramError(
        f"vmap({name}): the function draws random numbers, and it is not said whether all samples get the same: write "
        'vmap(f, random="different"), as a loop would draw them, or random="same"'
    )


def hook_in_a_batch(name: str) -> ProgramError:
    """For a hook that would see the gradients of all samples at once."""
    return ProgramError(
        f"vmap({name}): the function registers a hook, which would see the gradients of all samples as one: register "
        "it on a result outside"
    )


def warn_of_loop(operation: str, place: Any, size: int) -> None:
    """For an operation that is computed for one sample after another."""
    warn(
        f"vmap computes {operation}{at(place)} for one sample after another, {size} times: nobody has said what it "
        "does with a batch. A primitive of your own that works on elements says so by kind='elementwise'"
    )


def warn_of_samples(name: str, place: Any, size: int) -> None:
    """For a function whose samples are computed one after another."""
    warn(
        f"vmap({name}) computes one sample after another, {size} times: what is computed{at(place)} depends on a "
        "value, which is not the same for all of them"
    )


def not_stackable(name: str, why: str) -> ArgumentError:
    """For modules of different forms."""
    return ArgumentError(f"stack_modules: {name} {why}: all must be of one form, with parameters of the same shapes")
