"""What goes wrong when a function is made a program, or when the program is run."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from minigrad.errors import ArgumentError, ProgramError
from minigrad.errors.words import an, at, describe


def already_traced(name: str) -> ProgramError:
    """For a function that traces another one, or itself, while it is traced."""
    return ProgramError(
        f"{name} cannot be traced inside of a function that is being traced: call it as it is, and it becomes a part "
        "of the program of the other"
    )


def cannot_be_traced(name: str, reason: str, instead: str) -> ProgramError:
    """For what cannot be a part of a program."""
    return ProgramError(f"{name} cannot be a part of a program: {reason}. {instead}")


def not_an_input(name: str, argument: str, value: Any) -> ProgramError:
    """For an argument that can be neither an input of a program nor a part of it."""
    return ProgramError(
        f"{name} was traced with {an(type(value).__name__)} as {argument}: arguments are Tensors, arrays, numbers, "
        "strings, and dicts, lists, tuples and dataclasses of these. What else the function needs, it can find outside "
        "of itself"
    )


def value_read(name: str, tensor: Any, how: str, place: Any) -> ProgramError:
    """For a function that looks at the value of a Tensor while it is traced."""
    return ProgramError(
        f"{how} of a Tensor ({describe(tensor.array)}) was asked for{at(place)} while {name} was traced: a program is "
        "run again with other values, and this one would stay in it for ever. To choose between values write "
        "where(condition, a, b); compute with the Tensor instead of its number; pass a number that decides how to "
        "compute as an argument that is an int, a bool or a string; look at results outside of the function"
    )


def no_tensor_returned(name: str, value: Any) -> ProgramError:
    """For a function that returns something that no operation has made."""
    return ProgramError(
        f"{name} returned {an(type(value).__name__)} ({value!r:.60}) while it was traced: a program returns Tensors, "
        "in dicts, lists and tuples if there are several. What is not computed from Tensors is known outside of the "
        "function"
    )


def array_written(array: Any) -> ProgramError:
    """For an ndarray into which a traced function writes a Tensor."""
    return ProgramError(
        f"a Tensor was written into an ndarray ({describe(array)}) while a function was traced: a program does not "
        "know of arrays. Make it a Tensor, which a run of the program changes as the function does"
    )


def checkpoint_outside(name: str) -> ProgramError:
    """For a backward pass through a checkpoint that is older than the trace."""
    return ProgramError(
        f"a backward pass inside of {name} came to a checkpoint that was computed before {name} was traced: compute "
        "the loss inside of the function too"
    )


def leaked(name: str, place: Any) -> ProgramError:
    """For a Tensor that a traced function has left somewhere."""
    return ProgramError(
        f"a Tensor that {name} computed{at(place)} while it was traced is still held when it has returned, by a list, "
        "an attribute or a global name outside: a program that is run again would not put a new one there. Return it"
    )


def argument_changed(name: str, argument: str) -> ProgramError:
    """For a traced function that changes an argument in place."""
    return ProgramError(
        f"{name} changed its argument {argument} in place while it was traced: compute a new value and return it, or "
        "find the Tensor outside of the function instead of taking it as an argument"
    )


def argument_has_grad(name: str, argument: str) -> ProgramError:
    """For a traced function that reads or changes the `grad` of one of its arguments."""
    return ProgramError(
        f"{name} came to the grad of its argument {argument} while it was traced, by backward() or by reading it: "
        "another run has another Tensor there. Return the gradient (autograd.grad, value_and_grad), or find the Tensor "
        "outside of the function instead of taking it as an argument"
    )


def from_outside(name: str, node: Any) -> ProgramError:
    """For a backward pass that comes to what was computed before."""
    return ProgramError(
        f"a backward pass inside of {name} came to {node.op}, which was computed before {name} was traced: compute the "
        "loss inside of the function too, or give the function the Tensor as an argument"
    )


def other_form(name: str, expected: str, given: str) -> ProgramError:
    """For arguments of another structure than those of the trace."""
    return ProgramError(
        f"the program of {name} was traced with arguments {expected} and is run with {given}: trace it again"
    )


def other_input(name: str, what: str, value: Any, shape: tuple[int, ...], dtype: Any) -> ProgramError:
    """For an input of another shape or dtype."""
    expected = f"{getattr(dtype, '__name__', dtype)} of shape {shape}"
    given = describe(value) if hasattr(value, "dtype") else an(type(value).__name__)
    return ProgramError(
        f"the program of {name} was traced with {what} as {expected}, and is run with {given}: trace it again for this "
        "form"
    )


def note_equation(error: BaseException, name: str, equation: Any) -> None:
    """Add to an exception of an operation where in a program, and in the function, it was raised."""
    error.add_note(f"in {equation!r} of the program of {name}, which came from {equation.place}")


def other_result(name: str, equation: Any, value: Any) -> ProgramError:
    """For an operation whose result has another form than it had when the program was traced."""
    (x, *_), operation = equation.outputs, equation.operation
    return ProgramError(
        f"{operation} of the program of {name}{at(equation.place)} gave {describe(value)}, and {x.dtype} of shape "
        f"{x.shape} when it was traced: the form of its result depends on the values. Trace the program again"
    )


def other_state(what: str, seen: Any, now: Any) -> ProgramError:
    """For something that a program takes for granted."""
    return ProgramError(f"{changed(what, seen, now)}: trace it again")


def changed(what: str, seen: Any, now: Any) -> str:
    """That something is not what it was; of identities there is nothing to tell."""
    if isinstance(seen, dict):
        names = [repr(name) for name, value in seen.items() if now[name] != value]
        return f"{' and '.join(names)} of {what} changed since the program was traced"
    if isinstance(seen, list):
        return f"{what} has changed since the program was traced"
    return f"{what} was {seen!r} when the program was traced, and is {now!r} now"


def other_choice(seen: Any, now: Any) -> ProgramError:
    """For a value that has decided how something is computed, and is another one at a later run."""
    return ProgramError(
        f"what is computed depends here on a value that was {describe(seen)} when the program was traced, and is "
        f"{describe(now)} now: trace it again"
    )


def changed_constant(name: str, array: Any) -> ProgramError:
    """For an array that the function found outside, and that was written to since."""
    return ProgramError(
        f"an array that {name} found outside of itself ({describe(array)}) was written to after the trace, and is a "
        "constant of the program: pass it as an argument, or make it a Tensor, which is read at every run"
    )


def no_such_static(name: str, argument: str, arguments: Sequence[str]) -> ArgumentError:
    """For a static argument that a function does not have."""
    return ArgumentError(f"jit of {name}: static names {argument!r}, but the arguments are {', '.join(arguments)}")


def no_place_for_programs(name: str, owner: str) -> ArgumentError:
    """For a compiled method of objects that cannot keep anything."""
    return ArgumentError(
        f"the compiled method {name} of {an(owner)} has no place for its programs: the class has __slots__. Add "
        "'__dict__' to them, or compile a function instead"
    )


def unhashable_static(name: str, static: Mapping[str, str]) -> ArgumentError:
    """For a value of a static argument that cannot be a key."""
    given = ", ".join(f"{key} ({kind})" for key, kind in static.items())
    return ArgumentError(
        f"{name} has static arguments of which one cannot be hashed: {given}. Every value of a static argument gets a "
        "program of its own, which is found by the hash: pass a tuple instead of a list, or a frozen dataclass"
    )


def out_of_date(name: str, what: str, found: Any, expected: Any) -> ProgramError:
    """For a program that does not do what its function does now."""
    values = "" if expected is None else f" ({describe(found)}; as written, {describe(expected)})"
    return ProgramError(
        f"{name} was run as a program and as it was written, and {what} was not the same{values}: it depends on "
        "something that the trace could not see, such as a global number, an attribute or a counter that has changed. "
        "Pass it as an argument, or keep it in a Tensor. (What the function changes was changed as it was written)"
    )


def changes_in_the_trace(name: str, what: str) -> ProgramError:
    """For a function that changes, in Python, what its program takes for granted."""
    return ProgramError(
        f"{name} cannot be a program: it changes in Python what it rests on ({what}). Change it outside of the function"
    )


def warn_of_forms(name: str, reasons: Sequence[str]) -> None:
    """For a function that was traced for many forms of arguments."""
    listed = "\n".join(f"  {reason}" for reason in reasons)
    warnings.warn(
        f"jit has traced {name} {len(reasons)} times, for\n{listed}\nTo trace takes longer than to call it as it was "
        "written. Pad batches to one shape, and pass numbers that change as floats or arrays instead of integers",
        UserWarning,
        stacklevel=5,
    )


def warn_of_length(name: str, length: int, line: str, count: int) -> None:
    """For a program so long that it can only come from a loop of Python; the line made many of its equations."""
    warnings.warn(
        f"jit has traced {name} to a program of {length} equations, {count} of them from {line}. A loop of Python is "
        "unrolled, and each of its steps is compiled. Write minigrad.scan, which is compiled as one loop, if the steps "
        "do the same",
        UserWarning,
        stacklevel=5,
    )


def warn_of_anomaly(name: str) -> None:
    """For a compiled function that is called under `detect_anomaly`; said once of each."""
    warnings.warn(
        f"{name} runs as it was written, and not as a program, under detect_anomaly, which looks at every operation by "
        "itself: it takes longer. Call it outside of detect_anomaly() once the cause is found",
        UserWarning,
        stacklevel=4,
    )


def warn_of_compiler(message: str) -> None:
    """For a compiler that fails: everything goes on without it."""
    lines = message.strip().splitlines()
    shown = "\n".join(lines[:6] + ["..."] * (len(lines) > 6))
    warnings.warn(
        f"jit goes on with NumPy alone, since the C compiler does not work:\n{shown}\nminigrad.jit.info() has all that "
        "it said. Another compiler is taken from the environment variable CC; MINIGRAD_JIT_BACKEND=numpy asks for none",
        UserWarning,
        stacklevel=2,
    )
