"""What the running thread, or asynchronous task, wants of the operations that it calls.

Normally every operation on a Tensor that requires grad adds a node to the graph.  Four things can be
different, each for the length of a ``with`` block: no nodes are made (`no_grad`), every value is searched for NaN
and inf (`detect_anomaly`), a watcher is told of every operation, those that need no gradient included
(`graph.recording` and `graph.profile` are watchers), or an interpreter writes down a program (`minigrad.program`).
"""

from typing import Any

from minigrad.core.node import Handle
from minigrad.settings import Switch, now, unusual


def traced(x: Any) -> bool:
    """Whether it is a Tensor in a program that is being written down: to look at its value would be of no use."""
    return bool(unusual) and isinstance(x, Handle) and now().interpreter is not None


class no_grad(Switch):
    """Make operations record nothing, as a context manager or a decorator (generator functions included).

    Results inside do not require grad, and in-place syntax on a leaf writes into its memory.
    Affects the running thread or asynchronous task alone.

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
