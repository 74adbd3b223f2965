"""What the running thread wants of the operations that it calls.

Normally every operation on a Tensor that requires grad adds a node to the graph.  Three things can be
different, each for one thread and for the length of a ``with`` block: no nodes are made (`no_grad`), every
value is searched for NaN and inf (`detect_anomaly`), or a watcher is told of every operation, those that need
no gradient included (`graph.recording` and `graph.profile` are watchers).
"""

import functools
import threading
from collections.abc import Callable, Generator
from typing import Any


class Mode(threading.local):
    """The settings of one thread."""

    grad = True
    anomaly = False
    # Its ``computed(node, begun)`` is told of every node and of when its computation began, in nanoseconds; its
    # ``differentiating(node)`` of every node whose derivative a backward pass computes next, and of the end (None).
    watcher: Any = None


mode = Mode()

# The open blocks of all threads.  While there are none, operations can skip the look at the settings of the thread,
# which takes longer than a look at this.
unusual: set[int] = set()


class Switch:
    """A context manager and decorator that changes a setting of the thread, and restores what it found."""

    setting: str
    value: Any
    saved: tuple[Any, Any] | None = None

    def __enter__(self) -> Any:
        self.saved = (self.saved, getattr(mode, self.setting))
        unusual.add(id(self))
        setattr(mode, self.setting, self.value)
        return self.value

    def __exit__(self, *exception: object) -> None:
        if self.saved is not None:
            outer, before = self.saved
            setattr(mode, self.setting, before)
            self.saved = outer
        if self.saved is None:
            unusual.discard(id(self))

    __del__ = __exit__  # for Ctrl-C at the wrong moment: it may keep __exit__ from being called, or from its end

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate a function, or a generator function (whose consumer, between two values, is in its own mode)."""

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with type(self)():
                return function(*args, **kwargs)

        @functools.wraps(function)
        def generator(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            body = function(*args, **kwargs)
            step, item = body.send, None
            while True:
                try:
                    with type(self)():
                        item = step(item)
                except StopIteration as stop:
                    return stop.value
                try:
                    step, item = body.send, (yield item)
                except BaseException as error:
                    step, item = body.throw, error

        # 0x20 is CO_GENERATOR.
        return generator if getattr(getattr(function, "__code__", None), "co_flags", 0) & 0x20 else wrapper


class no_grad(Switch):
    """Make operations record nothing, as a context manager or a decorator (generator functions included).

    Results inside do not require grad, and in-place syntax on a leaf writes into its memory.
    Affects the running thread alone.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> with mg.no_grad():
    ...     w -= 0.1 * w.grad
    >>> w
    tensor([0.8, 1.6], requires_grad=True)
    """

    setting, value = "grad", False


class enable_grad(Switch):
    """Record again inside a `no_grad` block, as a context manager or a decorator.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor(3.0, requires_grad=True)
    >>> with mg.no_grad(), mg.enable_grad():
    ...     (w * w).requires_grad
    True
    """

    setting, value = "grad", True


class detect_anomaly(Switch):
    """Stop at the first NaN or inf, in an operation or in its derivative, and say where it came from.

    The `AnomalyError` names the operation and the line of your program that called it, and describes
    the operands.  Every value is inspected, so use it to find a fault, not to train.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor([1.0, 0.0], requires_grad=True)
    >>> with mg.detect_anomaly():
    ...     mg.sqrt(x).sum().backward()  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    AnomalyError: the derivative of sqrt made inf
    """

    setting, value = "anomaly", True


def is_grad_enabled() -> bool:
    """Whether operations on Tensors that require grad are recorded in this thread now."""
    return mode.grad
