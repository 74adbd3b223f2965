"""What is said of programs that another engine cannot have."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.errors import ArgumentError, ProgramError, UnsupportedError
from minigrad.errors.words import at


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


def second_call_differs(target: str, name: str) -> ProgramError:
    """For a function that does something else when it is called once more."""
    return ProgramError(
        f"{target}: {name} was called twice with the same arguments, and did something else: give it as an argument "
        "what changes in Python from call to call, such as a counter or random numbers of NumPy"
    )
