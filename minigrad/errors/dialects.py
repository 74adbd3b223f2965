"""What is said of a thing that PyTorch can do and its dialect cannot."""

from typing import Any

from minigrad.errors import ArgumentError, GraphError, StaleValueError, UnsupportedError
from minigrad.errors.words import describe, warn


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


def recorded_into_view() -> GraphError:
    """For a write, in a graph, to a view of a Tensor."""
    return GraphError(
        "this writes to a part of a Tensor in a graph, and would not reach the Tensor: write x[index] = value or "
        "x[index] += value, which is recorded, instead of x[index].add_(value), x.view(...)[...] = value or t = "
        "x[index]; t += value"
    )


def warn_of_stale_view(shape: tuple[int, ...], view: tuple[int, ...]) -> None:
    """For a write to a Tensor in a graph of which there is a view."""
    warn(
        f"a Tensor of shape {shape} is written to, and what was read from it before, of shape {view}, keeps the old "
        "value, where PyTorch's would change with it: read it again after the write"
    )


def constant_written(node: Any, array: Any) -> StaleValueError:
    """For backward after a constant in the graph was written to."""
    return StaleValueError(
        f"a constant of shape {array.shape} was written to in place after {node.op} had used it, and the derivative of "
        f"{node.op} may need the old value: call backward() before, or use a clone() of the constant"
    )


def bad_backward(name: str, given: int, wanted: int) -> ArgumentError:
    """For a Function whose `backward` gives too few gradients, or too many."""
    return ArgumentError(
        f"{name}.backward returned {given} gradient{'s' * (given != 1)} for the {wanted} "
        f"argument{'s' * (wanted != 1)} of forward: return one for each, None where there is none"
    )


def warn_of_number(kind: str) -> None:
    """For ``float(x)`` of a Tensor that requires grad."""
    join = ", or join Tensors by torch.stack" if kind == "torch.tensor" else ""
    said = f"{kind}() of a Tensor that requires grad is a number, and no gradient goes through it"
    warn(f"{said}: say so by x.item(){join}")


def no_such_method(name: str) -> AttributeError:
    """For an attribute that PyTorch's Tensors may have and those of the dialect have not."""
    return AttributeError(f"torch.Tensor.{name} does not exist in minigrad.torch", name=name, obj=None)


def not_in_the_dialect(name: str, instead: str = "") -> UnsupportedError:
    """For a name of PyTorch's that does not exist here."""
    return UnsupportedError(f"torch.{name} does not exist in minigrad.torch" + (f": {instead}" if instead else ""))


def one_backward_for_each() -> UnsupportedError:
    """For gradients of many outputs at once by `grad_outputs` with one more axis."""
    return UnsupportedError(
        "torch.autograd.grad(is_grads_batched=True) does not exist in minigrad.torch: write torch.func.vmap of the "
        "function that torch.func.vjp gives, or torch.func.jacrev for the whole Jacobian"
    )


def no_direction() -> ArgumentError:
    """For a product of a derivative with a vector that is not given."""
    return ArgumentError("the vector v may be left out only where it would be a single number")


def not_allowed(distribution: str, what: str, said: str, value: Any) -> ArgumentError:
    """For a parameter of a distribution, or a value, that cannot be."""
    return ArgumentError(
        f"{distribution}: {what} must be {said}, and is {describe(value)}; validate_args=False lets everything pass"
    )


def one_of_probs_and_logits(distribution: str) -> ArgumentError:
    """For a distribution that is given both, or none."""
    return ArgumentError(f"{distribution} takes either probs or logits")


def no_derivative_of_samples(distribution: str) -> NotImplementedError:
    """For samples that cannot be differentiated by what they are drawn with."""
    return NotImplementedError(
        f"{distribution} has no samples that can be differentiated by such parameters: write sample() and log_prob()"
    )
