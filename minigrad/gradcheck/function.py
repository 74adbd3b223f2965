"""A function of Tensors as one function ``y = F(x)`` of one vector of real numbers.

A complex number stands in the vectors as its real and its imaginary part.
"""

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from minigrad import autograd, errors
from minigrad.core import Array, Node, collect, unwrap
from minigrad.errors.backward import wrong_seed
from minigrad.errors.words import describe
from minigrad.gradcheck.failure import DerivativeError
from minigrad.nn.module import Module
from minigrad.nn.restoring import with_state_restored
from minigrad.tensor import Tensor
from minigrad.tree import flatten, paths

Computed = TypeVar("Computed")
__tracebackhide__ = True  # by pytest, as in the other files that call the function: it shows the function's own frames
PRECISION = float(np.finfo(np.float64).eps)
NO_NUMBERS = "no input is floating-point. Write numbers with a decimal point (1.0), and make arrays with dtype=float"
NO_RESULTS = "no result is floating-point, and integers and bools have no derivative"
EXACT = (np.dtype(np.float64), np.dtype(np.complex128))  # what has the digits that differences need


def listed(given: Any) -> list[Any]:
    """One or several things as a list."""
    return list(given) if isinstance(given, (tuple, list)) else [given]


def is_floating(x: Any) -> bool:
    """Whether it is a number or an array that one can differentiate by."""
    return isinstance(x, (float, complex)) or getattr(getattr(x, "dtype", None), "kind", None) in ("f", "c")


def _float64(x: Any, what: str) -> Array:
    value = np.asarray(unwrap(x))
    if value.dtype in EXACT:
        return value
    raise errors.DTypeError(
        f"gradcheck: {what} is {value.dtype}, and finite differences need the digits of float64: convert inputs, as "
        "in x.astype(np.float64), and modules, as in model.double()"
    )


def outputs_of(result: Any, whose: str) -> list[Tensor]:
    """What a function has returned, as a list of Tensors: of a tree, such as a dict, the leaves.

    Raises
    ------
    DTypeError
        If something else is among them.
    """
    if result is None:
        raise errors.DTypeError(
            f"output 0 of {whose} is a NoneType, not a Tensor: it returned None. Is a `return` missing?"
        )
    outputs = flatten(result)[0]
    for i, y in enumerate(outputs):
        if not isinstance(y, Tensor):
            raise errors.DTypeError(
                f"{_places(result)[i]} of {whose} is a {type(y).__name__}, not a Tensor: compute it from the inputs "
                "with functions of minigrad, and without numpy(), item(), float() or .data, which leave the graph"
            )
    return outputs


def _places(result: Any) -> list[str]:
    return [place for i, y in enumerate(listed(result)) for place in paths(y, f"output {i}")]


def reals(array: Array) -> Array:
    """An array of complex numbers with one more axis, of their real and imaginary parts; others as they are."""
    return np.stack([array.real, array.imag], axis=-1) if array.dtype.kind == "c" else array


def complexes(parts: Array) -> Array:
    """What `reals` has taken apart."""
    whole: Array = np.ascontiguousarray(parts, np.float64).view(np.complex128)[..., 0]
    return whole


def flat(arrays: Sequence[Array]) -> Array:
    """All elements of arrays in one row."""
    return np.concatenate([np.empty(0), *map(np.ravel, arrays)])


def split(x: Array, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    """What `flat` has joined."""
    ends = np.cumsum([math.prod(shape) for shape in shapes], dtype=int)
    return [x[end - math.prod(shape) : end].reshape(shape) for shape, end in zip(shapes, ends, strict=True)]


def _backward(roots: Any, inputs: Any, gradients: Any, **options: bool) -> Sequence[Tensor | None]:
    """The gradients of `autograd.grad`; a rule that gives one of another shape has a wrong derivative."""
    try:
        return autograd.grad(roots, inputs, gradients, allow_unused=True, **options)
    except errors.ShapeError as error:
        raise DerivativeError("shape", f"backward failed: {error}") from error


class Function:
    """A function of Tensors as one of the vector of all elements that are checked, evaluated at a point."""

    def __init__(
        self,
        f: Callable[..., Any],
        inputs: Sequence[Any],
        active: list[int] | None = None,
        names: tuple[Sequence[str] | None, Sequence[str] | None] = (None, None),
        module: Module | None = None,
    ) -> None:
        self.f = f
        self.module = module
        self.inputs = list(inputs)
        self.active = [i for i, x in enumerate(inputs) if is_floating(x)] if active is None else active
        named = [f"input {i}" for i in range(len(inputs))] if names[1] is None else names[1]
        values = [_float64(inputs[i], named[i]) for i in self.active]
        self.shapes = [reals(value).shape for value in values]
        self.complex = [value.dtype.kind == "c" for value in values]
        self.x = flat([reals(value) for value in values])
        self.leaves, result = self._result(self.x)
        outputs = outputs_of(result, "the function") if self.active else []  # or the check says that there is nothing
        self.names: tuple[Sequence[str], Sequence[str]] = (names[0] or _places(result), named)
        self.places = [i for i, y in enumerate(outputs) if y.array.dtype.kind in "fc"]
        self.outputs = [outputs[i] for i in self.places]
        results = [reals(_float64(outputs[i], self.names[0][i])) for i in self.places]
        self.output_shapes = [result.shape for result in results]
        self.y = flat(results)

    def _result(self, x: Array, dtype: Any = np.float64) -> tuple[list[Tensor], Any]:
        args = list(self.inputs)
        parts = zip(split(x, self.shapes), self.complex, strict=True)
        values = [complexes(value) if is_complex else value.astype(dtype) for value, is_complex in parts]
        leaves = [Tensor(value, requires_grad=True) for value in values]
        for i, leaf in zip(self.active, leaves, strict=True):
            args[i] = leaf
        return leaves, self.f(*args)

    def run(self, x: Array, dtype: Any = np.float64) -> tuple[list[Tensor], list[Tensor]]:
        """New leaves for a point, and what f makes of them."""
        leaves, result = self._result(x, dtype)
        return leaves, outputs_of(result, "the function")

    def with_state_restored(self, compute: Callable[[], Computed]) -> Computed:
        """What `compute` returns; a module is afterwards what it was, with its buffers, as those of batch norm."""
        return compute() if self.module is None else with_state_restored(self.module, compute)

    def __call__(self, x: Array) -> Array:
        """The values at another point."""
        outputs = self.run(x)[1]
        y = flat([reals(outputs[i].array) for i in self.places])
        if y.shape != self.y.shape:
            raise DerivativeError("shape", f"the outputs have {self.y.size} elements here, and {y.size} close by")
        return y

    def vjp(self, u: Array) -> Array:
        """The gradient by backward of the sum of all output elements, weighted by `u`."""
        pieces = zip(self.outputs, split(u, self.output_shapes), strict=True)
        pairs = [(y, complexes(v) if y.dtype.kind == "c" else v) for y, v in pieces if y.requires_grad]
        if not pairs:
            return np.zeros_like(self.x)
        roots, gradients = zip(*pairs, strict=True)
        found = _backward(roots, self.leaves, gradients, retain_graph=True)
        parts = [np.zeros_like(x.array) if g is None else g.array for g, x in zip(found, self.leaves, strict=True)]
        for i, leaf, g in zip(self.active, self.leaves, parts, strict=True):
            if g.shape != leaf.shape or g.dtype != leaf.dtype:
                text = f"{self.names[1][i]} is {describe(leaf)}, and its gradient {describe(g)}"
                raise DerivativeError("shape", text)
        return flat([reals(part) for part in parts])

    def graph(self) -> list[Node]:
        """The nodes between the leaves and the outputs."""
        nodes = collect([y.node for y in self.outputs if y.node is not None])
        return [node for node in nodes if node.op is not None]

    @cached_property
    def noise(self) -> float:
        """A bound for rounding errors in the values: they come from the largest number of the computation."""
        arrays = map(np.asarray, [self.y, *(x for node in self.graph() for x in (node.value, *node.args))])
        return 8 * PRECISION * max(float(np.abs(x[np.isfinite(x)]).max(initial=0.0)) for x in arrays)


def gradient_of(function: Function, grad_outputs: Sequence[Any] | None, seed: int) -> Function:
    """The gradient as a function of the inputs and of what enters at the outputs."""
    if grad_outputs is None:
        rng = np.random.default_rng((seed, 1))
        drawn = zip(function.outputs, [random_weights(rng, shape) for shape in function.output_shapes], strict=True)
        grad_outputs = [complexes(v) if y.dtype.kind == "c" else v for y, v in drawn]
    if len(grad_outputs) != len(function.outputs):
        raise errors.ShapeError(f"{len(grad_outputs)} grad_outputs for {len(function.outputs)} floating-point outputs")
    for y, g in zip(function.outputs, grad_outputs, strict=True):
        given = np.shape(unwrap(g))
        if given != y.shape:
            raise wrong_seed(given, y.shape)
    count = len(function.inputs)

    def gradient(*args: Any) -> list[Tensor]:
        wanted = [args[i] for i in function.active]
        results = outputs_of(function.f(*args[:count]), "the function")
        outputs = [results[i] for i in function.places]
        pairs = [(y, g) for y, g in zip(outputs, args[count:], strict=True) if y.requires_grad]
        found: Sequence[Tensor | None] = [None] * len(wanted)
        if pairs:
            roots, gradients = zip(*pairs, strict=True)
            found = _backward(roots, wanted, gradients, create_graph=True)
        return [Tensor(np.zeros_like(x.array)) if g is None else g for x, g in zip(wanted, found, strict=True)]

    active = [*function.active, *range(count, count + len(grad_outputs))]
    named = function.names[1]
    gradients = [f"gradient of {named[i]}" for i in function.active]
    inputs = [*named, *(f"grad_{function.names[0][i]}" for i in function.places)]
    return Function(gradient, [*function.inputs, *grad_outputs], active, (gradients, inputs), function.module)


def random_weights(rng: "np.random.Generator", shape: Any) -> Array:
    """Random numbers away from 0, so that an error in a single element shows in every sum that they weight."""
    return rng.uniform(0.5, 1.5, shape) * rng.choice((-1.0, 1.0), shape)
