"""Gradients of Tensors that exist already, under PyTorch's names."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import errors
from minigrad.core import Handle, detect_anomaly, enable_grad, name_of, no_grad, walk
from minigrad.tensor import Tensor

__all__ = ["detect_anomaly", "enable_grad", "grad", "no_grad"]


def _listed(given: Any) -> list[Any]:
    return [given] if given is None or isinstance(given, Handle | np.ndarray) or np.isscalar(given) else list(given)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """Gradients of the sum of outputs with respect to inputs, without touching any `grad`.

    Parameters
    ----------
    outputs : Tensor or sequence of Tensor
    inputs : Tensor or sequence of Tensor
        Leaves, or results of operations.
    grad_outputs : array_like or sequence of array_like, optional
        How much each element of each output counts; needed where an output is not a single number.
    retain_graph : bool, optional
        Keep the graph for another pass.  By default what `create_graph` is.
    create_graph : bool
        Record the computation of the gradients, so that they can be differentiated.
    allow_unused : bool
        Give None for inputs that the outputs do not depend on, instead of raising.

    Returns
    -------
    tuple of (Tensor or None)
        One for each input, of its shape and dtype.

    Raises
    ------
    GraphError
        If an output or an input does not require grad, or an input was not used.
    ShapeError
        If a gradient given has another shape than its output.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor(2.0, requires_grad=True)
    >>> (slope,) = mg.autograd.grad(x**3, x, create_graph=True)
    >>> (bend,) = mg.autograd.grad(slope, x)
    >>> slope.item(), bend.item()
    (12.0, 12.0)
    """
    outputs, inputs = _listed(outputs), _listed(inputs)
    gradients = [None] * len(outputs) if grad_outputs is None else _listed(grad_outputs)
    if len(gradients) != len(outputs):
        raise errors.ShapeError(f"{len(outputs)} outputs and {len(gradients)} grad_outputs: there must be one for each")
    for kind, tensors in (("output", outputs), ("input", inputs)):
        for i, x in enumerate(tensors):
            if not isinstance(x, Handle) or x.node is None:
                raise errors.no_graph(f"{kind} {i} of grad()")
    wanted = [x.node for x in inputs]
    retain = create_graph if retain_graph is None else retain_graph
    found = walk(outputs, gradients, wanted=wanted, retain_graph=retain, create_graph=create_graph)
    unused = [i for i, node in enumerate(wanted) if node not in found]
    if unused and not allow_unused:
        raise errors.GraphError(
            f"the outputs do not depend on input {', '.join(map(str, unused))}: "
            "pass allow_unused=True to get None for it"
        )
    return tuple(_own(found[node]) if node in found else None for node in wanted)


def _own(g: Any) -> Tensor:
    return g if isinstance(g, Tensor) else name_of(np.array(g), None)
