"""What the families of layers share: operands, options for each axis, and layers that are one function."""

import math
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any, ClassVar, Self

import numpy as np

from minigrad.core import Handle, interpreter, unwrap
from minigrad.diagnostics import user_place
from minigrad.errors import ArgumentError, ShapeError
from minigrad.errors.modules import no_window, other_axes
from minigrad.errors.other_names import input_to_constructor
from minigrad.errors.programs import array_written
from minigrad.nn.module import Module
from minigrad.operands import numeric
from minigrad.ops.arguments import unrecorded
from minigrad.options import real_number
from minigrad.writes import note_write


def operand(x: Any, name: str = "the input of a layer") -> Any:
    """An argument as something with a shape: Tensors and arrays as they are, lists and numbers as arrays."""
    return x if isinstance(x, (Handle, np.ndarray)) else numeric(x, name)


def constant(x: Any, name: str) -> Any:
    """The value of an argument through which no gradient flows, such as labels or a mask; in a program, as a Tensor."""
    return unrecorded(x) if isinstance(x, Handle) else numeric(x, name)


def write_to(x: Any, value: Any, in_memory: bool = True) -> None:
    """Write a value into the memory of a Tensor or an array, or let the Tensor name it; in a program, at every run."""
    tracer = interpreter()
    if tracer is not None and not isinstance(x, Handle):
        raise array_written(x)
    if isinstance(x, Handle) and (tracer is not None or not in_memory):
        if tracer is not None:
            tracer.rebound(x, in_memory)
        x.array = unwrap(value)
    elif (array := unwrap(value)) is not (memory := unwrap(x)):
        memory[...] = array
    if isinstance(x, Handle) and x.node is not None:
        note_write(x.node, user_place())


def floating(x: Any) -> Any:
    """An operand; integers and bools as floating-point numbers."""
    x = operand(x)
    return x.astype(float) if x.dtype.kind in "iub" else x


def check_broadcast(name: str, what: str, shape: tuple[int, ...], target: tuple[int, ...]) -> None:
    """Raise if an array of `shape` does not broadcast to `target`, or would broadcast both to something larger."""
    if len(shape) > len(target) or any(n not in (1, m) for n, m in zip(shape[::-1], target[::-1], strict=False)):
        raise ShapeError(
            f"{name}: {what} of shape {shape} does not fit: it must have the shape {target}, or one that can be "
            "repeated to that"
        )


def check_windows(
    name: str,
    lengths: Sequence[int],
    kernel: Sequence[int],
    padding: Sequence[tuple[int, int]],
    dilation: Sequence[int],
) -> None:
    """Raise if not a single window fits into axes of these lengths."""
    spans = (d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    padded = tuple(n + a + b for n, (a, b) in zip(lengths, padding, strict=True))
    if any(n < span for n, span in zip(padded, spans, strict=True)):
        raise no_window(name, lengths, padded, kernel, dilation)


def each(value: int | Sequence[int], count: int, name: str, least: int = 1) -> tuple[int, ...]:
    """An option for each of `count` axes, from one integer for all or a sequence of them."""
    values = tuple(value) if isinstance(value, Sequence) else (value,) * count
    if len(values) == 1:
        values *= count
    if len(values) != count or not all(isinstance(v, (int, np.integer)) and v >= least for v in values):
        raise ArgumentError(f"{name} must be an integer of at least {least}, or {count} of them, not {value!r}")
    return tuple(map(int, values))


def batched(x: Any, axes: int, name: str) -> tuple[Any, bool]:
    """An input of shape (N, C, ...) with so many more axes; one without N gets N = 1. And whether it had N."""
    x = operand(x)
    if x.ndim not in (axes + 1, axes + 2):
        raise other_axes(name, x.shape, axes)
    return (x, True) if x.ndim == axes + 2 else (x.reshape(1, *x.shape), False)


def unbatched(y: Any, had_batch: bool) -> Any:
    """A result of shape (N, ...), without N if the input had none."""
    return y if had_batch else y.reshape(y.shape[1:])


def probability(p: float, name: str) -> float:
    """A number from 0 to 1."""
    return float(real_number(p, f"{name}: p", least=0, most=1))


def fan_bound(fan_in: int) -> float:
    """Where PyTorch's usual initial values end: ``1 / sqrt(fan_in)``."""
    return 1 / math.sqrt(fan_in) if fan_in else 0.0


class _SignatureOfInit:
    """What `inspect.signature` of a class shall return: the signature of its constructor, whatever `__new__` takes."""

    def __get__(self, layer: Any, owner: type) -> Any:
        if layer is not None:  # a call of the layer is another matter
            raise AttributeError("__signature__")
        import inspect  # only for documentation, and it takes milliseconds

        signature = inspect.signature(owner.__init__)  # type: ignore[misc]  # of this very class
        return signature.replace(parameters=list(signature.parameters.values())[1:])


class FunctionLayer(Module):
    """A layer without parameters: one function, and the options with which it is called.

    A subclass says which function, and gives its options to the constructor, which keeps them as attributes.
    """

    function: ClassVar[Callable[..., Any]]
    inputs: ClassVar[int] = 1  # so many arrays in front are what the layer was meant to be called with
    __signature__ = _SignatureOfInit()

    def __new__(cls, *args: Any, **options: Any) -> Self:
        """Refuse what the layer is to be called with, whatever the constructor would make of it."""
        given = list(takewhile(lambda x: isinstance(x, (Handle, np.ndarray)), args))
        if len(given) >= cls.inputs:
            raise input_to_constructor(cls, cls.function, given)
        return super().__new__(cls)

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self._options = tuple(options)
        for name, value in options.items():
            setattr(self, name, value)

    def forward(self, *inputs: Any) -> Any:
        """Apply the function."""
        return type(self).function(*inputs, **{name: getattr(self, name) for name in self._options})

    def extra_repr(self) -> str:
        """The options."""
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self._options)
