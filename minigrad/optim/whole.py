"""A step is whole or not at all: what an exception, such as Ctrl-C, leaves that comes in the middle of one.

Of few numbers there are copies, which are put back.  Of many, copies would take too long, and Ctrl-C waits for the end
of the step.
"""

import threading
from collections.abc import Sequence
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np

from minigrad.tensor import Tensor

FEW = 256  # to copy so many numbers takes no longer than to copy two

# The module in C, without what finds names for the handlers: that takes longer than a small step, and its import longer
# than that of all optimizers.
_signal: Any = import_module("_signal")


# What a step changes: parameter, its memory, its gradient, its state (None before its first step), its group.  Tuples
# without names: to make one with names takes a twentieth of a small step.
Moving: TypeAlias = tuple[Any, np.ndarray, np.ndarray, dict[str, Any] | None, dict[str, Any]]
Kept: TypeAlias = tuple[np.ndarray, dict[str, Any] | None]


def copies(moving: Sequence[Moving]) -> list[Kept]:
    """The values and states as they are."""
    return [
        (value.copy(), state and {k: v.copy() if v.__class__ is np.ndarray else v for k, v in state.items()})
        for _, value, _, state, _ in moving
    ]


def put_back(moving: Sequence[Moving], before: Sequence[Kept], states: dict[Tensor, dict[str, Any]]) -> None:
    """Make values and states what they were, the values in their own memory."""
    for (parameter, value, *_), (old, state) in zip(moving, before, strict=True):
        np.copyto(value, old)
        if state is None:
            states.pop(parameter, None)
        else:
            states[parameter] = state


class InterruptLater:
    """Lets Ctrl-C, which reaches the main thread only, wait for the end of a block."""

    def __init__(self) -> None:
        self.handler: Any = None
        self.waiting = False

    def __enter__(self) -> None:
        if threading.get_ident() == threading.main_thread().ident:
            self.handler = _signal.signal(_signal.SIGINT, self._wait)
            if not callable(self.handler):  # Ctrl-C is ignored, or ends the program
                _signal.signal(_signal.SIGINT, self.handler)
                self.handler = None

    def _wait(self, number: int, frame: Any) -> None:
        self.waiting = True

    def __exit__(self, *exception: object) -> None:
        if self.handler is not None:
            _signal.signal(_signal.SIGINT, self.handler)
            if self.waiting:
                self.handler(_signal.SIGINT, None)
