"""What is said of programs that another engine cannot have."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.errors import ArgumentError, ProgramError, UnsupportedError
from minigrad.errors.words import at, describe


def no_counterpart(target: str, operation: str, place: Any, why: str = "") -> UnsupportedError:
    """For an operation without a row in a table."""
    reason = f" ({why})" if why else ""
    return UnsupportedError(f"{target} has nothing for {operation}{at(place)}{reason}: write it in other operations")


def changes_something(target: str, name: str, what: Sequence[str]) -> ProgramError:
    """For a function that does more than to return its results."""
    return ProgramError(
        f"{target} takes functions that return all that they compute, and {name} changes "
        f"{', '.join(what)}: take the parameters as an argument, as in nn.functional_call(model, params, x), use "
        "mg.grad in place of backward(), and return what is new"
    )


def reads_state(target: str, name: str, what: str) -> ProgramError:
    """For a function that reads what changes from call to call."""
    return ProgramError(f"{target}: {name} reads {what}, which would stay what it is now: give it as an argument")


def no_double_precision(name: str, dtypes: Sequence[str]) -> ArgumentError:
    """For JAX in single precision, which is its default."""
    return ArgumentError(
        f"{name} computes in {', '.join(dtypes)}, and JAX rounds to single precision unless it is told not to: call "
        'jax.config.update("jax_enable_x64", True) before, or export the function of float32 examples'
    )


def no_key(name: str) -> ArgumentError:
    """For random numbers without a key."""
    return ArgumentError(f"{name} draws random numbers: call it with key=jax.random.key(seed)")


# C and JavaScript


def with_dtype(target: str, what: str, dtype: Any, known: str, place: Any = None) -> UnsupportedError:
    """For arrays of a dtype that a target does not have."""
    names = ", ".join(dict.fromkeys(str(np.dtype(char)) for char in known))
    return UnsupportedError(f"{target}: {what} is of {dtype}{at(place)}, and there is {names} only: convert it before")


def draws_numbers(target: str, place: Any) -> UnsupportedError:
    """For random numbers, of which a target has none."""
    return UnsupportedError(
        f"{target} has no random numbers, and the function draws some{at(place)}: let it take them as an argument"
    )


def not_in_evaluation(target: str, name: str, why: str) -> ProgramError:
    """For a model that is exported as it trains."""
    return ProgramError(
        f"{target}: {name} is in training and {why}: call model.eval() first, or export a function that makes a whole "
        "step of training"
    )


def first_call_differs(target: str, name: str, what: str, is_grad: bool) -> ProgramError:
    """For what a function begins in its first call and goes on with in all later ones."""
    forget = "forget it at the beginning, as in optimizer.zero_grad(), or " if is_grad else ""
    return ProgramError(
        f"{target}: there is no {what} yet, so that the first call of {name} differs from all later ones, which go on "
        f"with it: {forget}call {name} once before it is exported"
    )


def share_an_array(target: str, name: str, changed: str, other: str) -> ProgramError:
    """For a Tensor that is written to, and whose elements another one has, too."""
    return ProgramError(
        f"{target}: {name} writes to {changed}, and {other} has the same array, which keeps its elements here and "
        f"would change there: give it a copy, {other} = mg.asarray({changed}.detach(), copy=True)"
    )


def second_call_differs(target: str, name: str) -> ProgramError:
    """For a function that does something else when it is called once more."""
    return ProgramError(
        f"{target}: {name} was called twice with the same arguments, and did something else: give it as an argument "
        "what changes in Python from call to call, such as a counter or random numbers of NumPy"
    )


# ONNX


def opset_out_of_range(given: Any, least: int, most: int) -> ArgumentError:
    """For a version of ONNX's operations that is not written."""
    return ArgumentError(f"export.onnx: opset_version is a whole number from {least} to {most}, not {given!r}")


def no_function(given: Any) -> ArgumentError:
    """For something that cannot be called."""
    return ArgumentError(f"export.onnx takes a model or a function first, and this is {describe(given)}")


def nothing_returned(name: str) -> ProgramError:
    """For a function without results."""
    return ProgramError(f"export.onnx: {name} returns nothing, and a graph is made for its outputs")


def not_named(what: str, given: Any, why: str) -> ArgumentError:
    """For names of inputs or outputs that cannot be."""
    return ArgumentError(f"export.onnx: {what} {given!r} {why}")


def wrong_shapes(given: Any, why: str) -> ArgumentError:
    """For dynamic shapes that do not say which axes of which inputs they mean."""
    return ArgumentError(
        f'export.onnx: dynamic_shapes is a dict such as {{"x": {{0: "batch"}}}}, or a tuple with an entry for each '
        f"argument; {given!r} {why}"
    )


def no_named_size(name: str, axis: Any, given: Any) -> ArgumentError:
    """For a size whose name is none."""
    return ArgumentError(
        f"export.onnx: dynamic_shapes of {name!r} names the size of axis {axis!r} {given!r}: write a name that Python "
        'could have, as "batch"'
    )


def no_such_axis(name: str, axis: Any, shape: tuple[int, ...]) -> ArgumentError:
    """For a named size of an axis that cannot have one."""
    return ArgumentError(
        f"export.onnx: dynamic_shapes of {name!r} names axis {axis!r}, and the example is of shape {shape}: an axis is "
        "named once, and has at least one element in the example"
    )


def sizes_differ(size: str, first: int, other: int, name: str) -> ArgumentError:
    """For one name of two sizes."""
    return ArgumentError(
        f"export.onnx: the size {size!r} is {first} in one example and {other} in {name!r}: give it two names, or "
        "examples of one size"
    )


def too_many_names(names: Sequence[str], most: int) -> ArgumentError:
    """For more sizes than there can be captures of all choices of them."""
    return ArgumentError(
        f"export.onnx: dynamic_shapes has the names {', '.join(names)}, and at most {most} are possible"
    )


def in_training(name: str, changed: Sequence[str], place: Any) -> ProgramError:
    """For a model that is in training, where that makes a difference."""
    what = f"changes {', '.join(changed)}" if changed else f"draws random numbers{at(place)}"
    return ProgramError(f"export.onnx: {name} is in training, and {what}: call model.eval() before")


def draws_random_numbers(name: str, place: Any) -> ProgramError:
    """For random numbers, which a file would not draw as the function does."""
    return ProgramError(
        f"export.onnx: {name} draws random numbers{at(place)}: give them as an argument, or turn them off (a layer by "
        "model.eval(), F.dropout with training=False)"
    )


def trained_or_changed(name: str, changed: Sequence[str]) -> ProgramError:
    """For a function that changes something."""
    return ProgramError(
        f"export.onnx takes functions that return all that they compute, and {name} changes {', '.join(changed)}: call "
        "model.eval() if it is the state of a layer (F.batch_norm has training=False), and return what is new"
    )


def fails_at_another_size(f: Any, sizes: Mapping[str, int], error: Exception) -> ProgramError:
    """For a function that only takes examples of one size."""
    now = ", ".join(f"{name} = {size}" for name, size in sizes.items())
    return ProgramError(
        f"export.onnx: {getattr(f, '__name__', type(f).__name__)} cannot be computed with {now}, so the size is baked "
        f"in: {type(error).__name__}: {error}"
    )


def other_equations(equation: Any, names: Sequence[str]) -> ProgramError:
    """For a function that computes otherwise at another size."""
    where = "" if equation is None else f", first in {equation.operation.name}{at(equation.place)}"
    return ProgramError(
        f"export.onnx: at another size of {' or '.join(names)} there are other operations{where}: a loop of Python "
        "over an axis, or a choice by its length, is baked in; write mg.scan for the loop, or leave the size out of "
        "dynamic_shapes"
    )


def baked_in(equation: Any, names: Sequence[str], values: Any = (), what: str = "a number") -> ProgramError:
    """For something that depends on a size in a way that the graph cannot have."""
    where = "an output" if equation is None else f"{equation.operation.name}{at(equation.place)}"
    seen = f", which is {', '.join(map(repr, values))} at different sizes" if values else ""
    return ProgramError(
        f"export.onnx: the size of {' or '.join(names)} is baked in: {where} has {what} that depends on it in a way "
        f"that is not known{seen}; compute it of a traced array's own shape, or leave the size out of dynamic_shapes"
    )


def no_dtype(what: str, dtype: Any, place: Any) -> UnsupportedError:
    """For elements that are not written."""
    return UnsupportedError(
        f"export.onnx has nothing for {dtype}, which {what}{at(place)} has: compute in float32 or float64, and with "
        "real and imaginary parts apart"
    )


def too_many_bytes(total: int, limit: int) -> UnsupportedError:
    """For a model that has no place in one file."""
    return UnsupportedError(
        f"export.onnx: the arrays of the model have {total} bytes, and a file of ONNX has at most {limit}: save the "
        "weights in float32, or export the model in parts"
    )


def other_results(name: str, sizes: Mapping[str, int], found: str) -> ProgramError:
    """For a file whose results are not those of the function."""
    where = f" with {', '.join(f'{size} = {n}' for size, n in sizes.items())}" if sizes else ""
    return ProgramError(
        f"export.onnx: the graph of {name} gives other results than the function{where}: {found}. "
        "Nothing was written; with verify=False it is, and can be looked at"
    )


def not_valid(name: str, error: Exception) -> ProgramError:
    """For a graph that ONNX itself refuses."""
    return ProgramError(f"export.onnx: the graph of {name} is refused: {type(error).__name__}: {error}")
