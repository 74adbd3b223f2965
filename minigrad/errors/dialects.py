"""What is said of a thing that PyTorch can do and its dialect cannot."""

from minigrad.errors import ArgumentError, GraphError, UnsupportedError


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


def not_in_the_dialect(name: str, instead: str = "") -> UnsupportedError:
    """For a name of PyTorch's that does not exist here."""
    return UnsupportedError(f"torch.{name} does not exist in minigrad.torch" + (f": {instead}" if instead else ""))
