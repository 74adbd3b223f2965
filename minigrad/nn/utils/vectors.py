"""All parameters of a model as one vector, and back."""

from collections.abc import Iterable
from typing import Any

from minigrad.diagnostics import user_place
from minigrad.errors import ShapeError
from minigrad.nn.layer import constant
from minigrad.ops import shaping
from minigrad.tensor import Tensor
from minigrad.writes import note_write


def parameters_to_vector(parameters: Iterable[Any]) -> Any:
    """All elements of all parameters, one after another, as one differentiable vector.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.utils.parameters_to_vector([mg.ones((2, 2)), mg.zeros(1)])
    tensor([1., 1., 1., 1., 0.])
    """
    return shaping.concat([shaping.reshape(p, -1) for p in parameters])


def vector_to_parameters(vec: Any, parameters: Iterable[Tensor]) -> None:
    """Write the elements of a vector into the memory of parameters, in order.

    Raises
    ------
    ShapeError
        If the vector has more or fewer elements than the parameters; nothing has been written then.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.nn.Parameter([0.0, 0.0])
    >>> mg.nn.utils.vector_to_parameters(mg.tensor([1.0, 2.0]), [w])
    >>> w.detach()
    tensor([1., 2.])
    """
    values, targets = constant(vec, "a vector"), list(parameters)
    wanted = sum(p.array.size for p in targets)
    if values.shape != (wanted,):
        raise ShapeError(f"vector_to_parameters: the parameters have {wanted} elements, the vector has {values.shape}")
    place, start = user_place(), 0
    for p in targets:
        p.array[...] = values[start : start + p.array.size].reshape(p.shape)
        start += p.array.size
        if p.node is not None:
            note_write(p.node, place)
