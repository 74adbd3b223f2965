"""What is said of a thing that PyTorch can do and its dialect cannot."""

from minigrad.errors import ArgumentError, GraphError, UnsupportedError
from minigrad.errors.words import warn


def no_such_device(name: str) -> ArgumentError:
    """For a device other than the CPU."""
    return ArgumentError(
        f"there is one device here, the CPU, and {name!r} was asked for: torch.cuda.is_available() is False"
    )


def leaf_in_place() -> GraphError:
    """For a method that would change a leaf while it is recorded."""
    return GraphError(
        "a leaf that requires grad was used in an in-place method: write it within torch.no_grad(), or change its data"
    )


def bad_backward(name: str, given: int, wanted: int) -> ArgumentError:
    """For a Function whose `backward` gives too few gradients."""
    return ArgumentError(
        f"{name}.backward returned {given} gradient{'s' * (given != 1)} for the {wanted} arguments of forward: return "
        "one for each, None where there is none"
    )


def warn_of_number(kind: str) -> None:
    """For ``float(x)`` of a Tensor that requires grad."""
    warn(f"{kind}() of a Tensor that requires grad is a number, and no gradient goes through it: say so by x.item()")


def not_in_the_dialect(name: str, instead: str = "") -> UnsupportedError:
    """For a name of PyTorch's that does not exist here."""
    return UnsupportedError(f"torch.{name} does not exist in minigrad.torch" + (f": {instead}" if instead else ""))
