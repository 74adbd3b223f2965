"""Are the gradients of a function right: by finite differences, by another implementation, or by given numbers?"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad import autograd
from minigrad.core import enable_grad, unwrap
from minigrad.errors import ArgumentError
from minigrad.gradcheck import DerivativeError, gradcheck, gradgradcheck
from minigrad.gradcheck.function import NO_NUMBERS, is_floating, listed, outputs_of, random_weights
from minigrad.tensor import Tensor
from minigrad.testing.close import Closeness, disagreements
from minigrad.tree import flatten, paths

_ORDERS = ("First", "Second")


def assert_gradients_close(
    f: Callable[..., Any],
    inputs: Any,
    reference: Any = None,
    *,
    order: int | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    seed: int = 0,
    **options: Any,
) -> None:
    """Raise an AssertionError unless the gradients of a function are right at a point.

    Parameters
    ----------
    f : callable
        Called as ``f(*inputs)``, with Tensors that require grad in the place of floating-point numbers and arrays;
        returns a Tensor, or a tree of Tensors.  Tensors that it has from elsewhere are constants.  Of an `nn.Module`,
        the parameters are checked as well, with finite differences only.
    inputs : array_like, Tensor or dict, or tuple or list of these
        The point.  A tuple or list has one member for each argument of `f`, and each may be a tree of arrays, such as
        a dict of parameters.  What is not floating-point is passed on.  Arrays are copied.
    reference : callable or tree of array_like, optional
        What the gradients are compared with.

        - None: finite differences, by `minigrad.gradcheck` and `minigrad.gradgradcheck`.
        - A function: another implementation of `f`, slow and simple, whose gradients are taken for right.  Where `f`
          returns more than a single number, both are weighted with the same random numbers and summed.  Values are
          not compared; `assert_close` does that.
        - Otherwise the gradients themselves, in the form of `inputs`, with None for what has none.  `f` must return a
          single number.
    order : int, optional
        1 for first derivatives, 2 for second ones as well.  By default 2, or 1 if the gradients are given.  Second
        derivatives of two functions are compared in one random direction.
    rtol, atol : float, optional
        Numbers are close if ``|actual - expected| <= atol + rtol * |expected|``.  By default those of `gradcheck`
        with finite differences, and otherwise those of `assert_close`.
    seed : int
        For the random numbers.
    **options
        Without a reference: what else `gradcheck` takes, such as ``fast=True``.

    Raises
    ------
    AssertionError
        Its text says which derivatives differ, by which input, and by how much.  With finite differences, its
        ``__context__`` is the `minigrad.gradcheck.DerivativeError` with everything that is known.
    DTypeError
        If `f` returns something else than Tensors; if float32 is to be compared with finite differences.
    ArgumentError
        If options do not go together.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> from minigrad.testing import assert_gradients_close
    >>> x = np.array([0.5, 2.0])
    >>> assert_gradients_close(lambda x: mg.logsumexp(x), x)
    >>> assert_gradients_close(lambda x: mg.logsumexp(x), x, reference=lambda x: np.log(np.exp(x).sum()))
    >>> assert_gradients_close(lambda p: (p["w"] ** 2).sum(), {"w": x}, reference={"w": 2 * x})
    """
    __tracebackhide__ = True
    given = reference is not None and not callable(reference)
    if order is None:
        order = 1 if given else 2
    if order not in (1, 2) or (given and order == 2):
        reason = "and given gradients are first ones" if order == 2 else "for first or second derivatives"
        raise ArgumentError(f"order is 1 or 2, {reason}, not {order!r}")
    if reference is not None and options:
        raise ArgumentError(f"with a reference there are no finite differences, and no options: {', '.join(options)}")
    closeness = Closeness(rtol, atol).checked()
    if reference is None:
        tolerances = {name: value for name, value in (("rtol", rtol), ("atol", atol)) if value is not None}
        _against_differences(f, inputs, order, {**tolerances, "seed": seed, **options})
        return
    point = _Point(inputs)
    if not point.active:
        raise AssertionError(f"there is nothing to compare: {NO_NUMBERS}")
    if given:
        gradients = listed(reference) if isinstance(inputs, (tuple, list)) else [reference]
        _against_arrays(point, f, gradients, closeness)
    else:
        _against_function(point, f, reference, order, seed, closeness)


class _Point:
    """The inputs: the leaves of all trees in a row, their places, and which of them are floating-point."""

    def __init__(self, inputs: Any) -> None:
        args = listed(inputs)
        self.leaves, self.rebuild = flatten(args)
        self.places = [place for i, x in enumerate(args) for place in paths(x, f"input {i}")]
        self.active = [i for i, leaf in enumerate(self.leaves) if is_floating(leaf)]

    def tensors(self) -> list[Any]:
        """The leaves, with new Tensors in the place of floating-point ones."""
        made = list(self.leaves)
        for i in self.active:
            made[i] = Tensor(unwrap(made[i]), requires_grad=True)
        return made


def _called(f: Any) -> str:
    name = getattr(f, "__name__", type(f).__name__)
    return "the function" if name == "<lambda>" else name


def _against_differences(f: Callable[..., Any], inputs: Any, order: int, options: dict[str, Any]) -> None:
    __tracebackhide__ = True
    for which, check in list(zip(_ORDERS, (gradcheck, gradgradcheck), strict=True))[:order]:
        try:
            check(f, inputs, **options)
        except DerivativeError as error:
            raise AssertionError(f"{which} derivatives of {_called(f)}: {error}") from None


# Against given gradients


def _against_arrays(point: _Point, f: Callable[..., Any], expected: Sequence[Any], closeness: Closeness) -> None:
    __tracebackhide__ = True
    inputs, outputs = _run(f, point)
    found: list[Any] = [None] * len(point.leaves)
    for i, g in zip(point.active, _gradients(outputs, inputs, [None] * len(outputs)), strict=True):
        found[i] = g
    actual = point.rebuild(found)
    if len(actual) != len(expected):
        raise ArgumentError(f"the reference consists of {len(expected)} gradients, for {len(actual)} inputs")
    names = [f"gradient of input {i}" for i in range(len(actual))]
    if text := disagreements(list(zip(names, actual, expected, strict=True)), closeness):
        raise AssertionError(f"The gradients of {_called(f)} are not those given:\n{text}{_if_cut(f, outputs)}")


# Against another function


def _against_function(
    point: _Point, f: Callable[..., Any], reference: Callable[..., Any], order: int, seed: int, closeness: Closeness
) -> None:
    __tracebackhide__ = True
    (inputs, outputs), (other_inputs, other_outputs) = _run(f, point), _run(reference, point)
    both = f"{_called(f)} and of its reference"
    shapes, other_shapes = [y.shape for y in outputs], [y.shape for y in other_outputs]
    if shapes != other_shapes:
        given, expected = (", ".join(map(str, found)) for found in (shapes, other_shapes))
        raise AssertionError(f"The results of {both} differ in shape: {given}, and {expected} is expected")
    hint = _if_cut(f, outputs)
    for which in _ORDERS[:order]:
        weights = _weights(outputs, np.random.default_rng(seed))
        outputs = _gradients(outputs, inputs, weights)
        other_outputs = _gradients(other_outputs, other_inputs, weights)
        names = [f"{which.lower()} derivative by {point.places[i]}" for i in point.active]
        if text := disagreements(list(zip(names, outputs, other_outputs, strict=True)), closeness):
            raise AssertionError(f"{which} derivatives of {both} differ:\n{text}{hint}")


def _run(f: Callable[..., Any], point: _Point) -> tuple[list[Tensor], list[Tensor]]:
    """The new Tensors that stand for the floating-point inputs, and what the function makes of them."""
    __tracebackhide__ = True
    inputs = point.tensors()
    with enable_grad():
        outputs = outputs_of(f(*point.rebuild(inputs)), _called(f))
    return [inputs[i] for i in point.active], outputs


def _weights(outputs: Sequence[Tensor], rng: "np.random.Generator") -> list[Any]:
    """Random weights for the elements of the outputs; a single number needs none."""
    if len(outputs) == 1 and outputs[0].array.size == 1:
        return [None]
    drawn = [random_weights(rng, (2, *y.shape)) for y in outputs]
    return [v[0] + 1j * v[1] if y.dtype.kind == "c" else v[0] for y, v in zip(outputs, drawn, strict=True)]


def _gradients(outputs: Sequence[Tensor], inputs: Sequence[Tensor], weights: Sequence[Any]) -> list[Tensor]:
    """The gradients of the weighted sum of the outputs: zeros by inputs that it does not depend on."""
    pairs = [(y, v) for y, v in zip(outputs, weights, strict=True) if y.requires_grad]
    found: Sequence[Tensor | None] = [None] * len(inputs)
    if pairs:
        roots, seeds = zip(*pairs, strict=True)
        found = autograd.grad(roots, inputs, seeds, create_graph=True, allow_unused=True)
    return [Tensor(np.zeros_like(x.array)) if g is None else g for x, g in zip(inputs, found, strict=True)]


def _if_cut(f: Callable[..., Any], outputs: Sequence[Tensor]) -> str:
    """A hint at the likeliest reason for gradients that are 0."""
    if any(y.requires_grad for y in outputs):
        return ""
    return (
        f"\nNo result of {_called(f)} requires grad: it does not depend on these inputs, or a value was taken out of "
        "the graph on the way (detach(), .data, item(), under no_grad)"
    )
