"""What a Tensor says when it is used as a number, as an array, or as a variable to be overwritten."""

from typing import TYPE_CHECKING, Any

from minigrad.errors import CutError, DTypeError, GraphError, ShapeError
from minigrad.errors.words import called, describe, warn

if TYPE_CHECKING:
    from minigrad.core.node import Node


def cuts_graph(what: str, instead: str, node: "Node | None" = None) -> CutError:
    """For a conversion that would lose the history of a value."""
    whose = f"{called(node)}, which requires grad," if node is not None else "a Tensor that requires grad"
    return CutError(
        f"{what} of {whose} would cut the graph, and gradients would be missing without a word. "
        f"If that is what you want, write t.{instead}; if not, use minigrad's or NumPy's functions on the Tensor "
        "(np.sin for math.sin, np.mean(minigrad.stack([t, u])) for np.mean([t, u]))"
    )


def no_copy(what: str, node: "Node | None") -> CutError:
    """For a copy or a pickle of a result, which has a history."""
    of = "a result" if node is None else called(node)
    return CutError(
        f"{what} of {of}, which requires grad, would have no history, and gradients would be missing without a word. "
        "If the value is all that is wanted, take that of t.detach(). Leaves, made with requires_grad=True, are copied "
        "with their gradients; a history is never copied: call the function again for another graph"
    )


def no_index(value: Any) -> DTypeError:
    """For an index that is no integer, or has axes."""
    return DTypeError(f"only an integer Tensor without axes is an index, not {describe(value)}")


def no_truth(shape: tuple[int, ...]) -> ShapeError:
    """For `if` and the like of other than one number."""
    return ShapeError(
        f"the truth of a Tensor of shape {shape}, which if, while, and, or, not ask for, is not one answer: write "
        "(x > 0).all() or (x > 0).any(), or choose element by element with where(x > 0, a, b)"
    )


def no_item(shape: tuple[int, ...]) -> ShapeError:
    """For item() of other than one number."""
    return ShapeError(
        f"item() needs a single number, and this Tensor has shape {shape}: use tolist(), or reduce it first"
    )


def no_number(kind: str, shape: tuple[int, ...]) -> DTypeError:
    """For float(), int() and complex() of other than one number."""
    return DTypeError(f"{kind}() needs a single number, and this Tensor has shape {shape}: reduce it, or index it")


def cannot_require_grad(dtype: Any) -> DTypeError:
    """For integers that shall be differentiated by."""
    return DTypeError(
        f"only floating-point and complex Tensors can require grad, and this is {dtype}: write numbers with a decimal "
        "point, or give dtype=float"
    )


def leaf_in_place(node: "Node") -> GraphError:
    """For in-place syntax on a leaf outside of `no_grad`."""
    name = repr(node.notes.name) if node.notes is not None and node.notes.name else "(without a name)"
    return GraphError(
        f"the leaf {name} of shape {node.value.shape} requires grad and cannot be changed in place: for an update "
        "write `with minigrad.no_grad(): w -= ...`; for a new value, y = w + 1"
    )


def warn_of_written_view(shape: tuple[int, ...], of: tuple[int, ...]) -> None:
    """For a write to what was read from another Tensor by a slice, a transpose or another shape."""
    warn(
        f"what is written to here, of shape {shape}, was read from a Tensor of shape {of}, which is still there and "
        "does not change: a Tensor is a name for a value, and only this name moves on to a new one. In NumPy both "
        "would change. Write to the Tensor itself, by one index: y[1:-1] += v for `v = y[1:-1]; v += ...`, y[0, 1] = v "
        "for y[0][1] = v, y[:, 0] = v for y.T[0] = v, y[i] = ... for `for row in y: row[:] = ...`. If the other Tensor "
        "is to stay as it is, give the new value a name: v = v + ..."
    )


def other_shape_in_place(shape: tuple[int, ...], new: tuple[int, ...]) -> ShapeError:
    """For in-place syntax that would change the shape."""
    return ShapeError(
        f"in-place syntax cannot change the shape of a Tensor from {shape} to {new}: compute a new value and assign it "
        "to the name, as in x = x + y"
    )


def other_dtype_in_place(dtype: Any, new: Any) -> DTypeError:
    """For in-place syntax that would change the dtype."""
    return DTypeError(
        f"in-place syntax cannot change the dtype of a Tensor from {dtype} to {new}: compute a new value and assign it "
        "to the name, as in x = x / y"
    )
