"""What a Tensor says when it is used as a number, as an array, or as a variable to be overwritten."""

import sys
from typing import TYPE_CHECKING, Any

from minigrad.errors import ArgumentError, CutError, DTypeError, GraphError, ShapeError
from minigrad.errors.words import called, describe, warn

if TYPE_CHECKING:
    from minigrad.core.node import Node


def cuts_graph(what: str, instead: str, node: "Node | None" = None) -> CutError:
    """For a conversion that would lose the history of a value."""
    whose = f"{called(node)}, which requires grad," if node is not None else "a Tensor that requires grad"
    return CutError(
        f"{what} of {whose} would cut the graph, and gradients would be missing without a word. "
        f"If that is what you want, write t.{instead}; if not, use minigrad's or NumPy's functions on the Tensor "
        "(np.sin for math.sin, np.mean(minigrad.stack([t, u])) for np.mean([t, u])); an array that is to be filled "
        "with results is made by minigrad.zeros(shape)"
    )


def cut_by_copy(kind: str, node: "Node") -> CutError:
    """For a Tensor or a Parameter that is made of a Tensor that requires grad."""
    return CutError(
        f"a {kind} made of {called(node)}, which requires grad, would be a copy that does not belong to its graph, and "
        "gradients would be missing without a word: write t itself, or minigrad.asarray(t); for a copy of the value "
        "alone, take t.detach()"
    )


def read_by_scipy(node: "Node") -> CutError | None:
    """For a Tensor that requires grad and that a function of SciPy's makes an array of; None if it is not SciPy's."""
    name = _function_of_scipy()
    if name is None:
        return None
    ours = name.replace("scipy", "minigrad", 1).replace("minigrad.optimize", "minigrad.optim")
    there: Any = sys.modules["minigrad"]
    for part in ours.split(".")[1:]:
        there = getattr(there, part, None)
    what = f"write {ours}" if there is not None else "write it with functions of minigrad or NumPy"
    return CutError(
        f"{name} knows no Tensors, and would cut the graph at {called(node)}, which requires grad: {what}; or, if the "
        "value is all that is wanted, give it t.detach().numpy()"
    )


def _function_of_scipy() -> str | None:
    """The public name of the function of SciPy's that called, through SciPy and NumPy alone."""
    found: str | None = None
    frame: Any = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        package = module.partition(".")[0]
        if package not in ("scipy", "numpy", "minigrad"):
            break
        if module.startswith("scipy._lib."):  # a wrapper, which holds the function that it is around
            wrapped = [x for x in frame.f_locals.values() if getattr(x, "__module__", None) and callable(x)]
            names = [_public(x.__module__, x.__name__) for x in wrapped if x.__module__.startswith("scipy.")]
            found = names[0] if names else found
        elif package == "scipy":
            owner = frame.f_locals.get("self")
            name = frame.f_code.co_name
            if owner is not None:
                name = getattr(owner, "name", type(owner).__name__.removesuffix("_gen")) + "." + name
            found = _public(module, name)
        frame = frame.f_back
    return found


def _public(module: str, name: str) -> str:
    return ".".join([part for part in module.split(".") if not part.startswith("_")] + [name])


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


def ambiguous_repeat(repeats: tuple[Any, ...]) -> ArgumentError:
    """For ``x.repeat(2, 1)``."""
    given = ", ".join(map(str, repeats))
    return ArgumentError(
        f"x.repeat({given}) is each element {repeats[0]} times along axis {repeats[1]} in NumPy, and x so many times "
        f"along each axis in PyTorch: write x.repeat({repeats[0]}, axis={repeats[1]}) for the one, "
        f"minigrad.tile(x, ({given})) for the other"
    )


def warn_of_transpose() -> None:
    """For ``x.transpose(0, 1)`` of a matrix."""
    warn(
        "x.transpose(0, 1) leaves a matrix as it is, as in NumPy: write x.T, or x.swapaxes(0, 1), to exchange its axes"
    )


def no_exchange(shape: tuple[int, ...], axes: tuple[Any, ...]) -> ShapeError:
    """For ``x.transpose(1, 2)`` of an array that has not two axes."""
    return ShapeError(
        f"transpose{axes} of shape {shape} names two axes of {len(shape)}: it takes their whole order, as in NumPy; to "
        f"exchange two write x.swapaxes{axes}"
    )
