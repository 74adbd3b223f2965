"""Settings of a thread or asynchronous task that hold in blocks, and how blocks end.

They stand in a context variable, so that threads and tasks have their own.  Ctrl-C may come between any two lines: a
block is closed by the end of an outer one, or by the end of its switch, if its own end was prevented.  What can be set,
and what it means, is said in `core.mode`.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any
from weakref import ref

from minigrad.contexts import in_blocks
from minigrad.errors.programs import cannot_be_traced


class Mode:
    """The settings inside a block; those around it are `outer`.  It is closed, too, when its switch is gone."""

    __slots__ = ("anomaly", "closed", "grad", "interpreter", "outer", "setting", "switch", "watcher")
    grad: bool
    anomaly: bool
    # Its ``computed(node, begun)`` is told of every node and of when its computation began, in nanoseconds; its
    # ``differentiating(node)`` of every node whose derivative a backward pass computes next, and of the end (None).
    watcher: Any
    # Sees every operation on Tensors and gives the value that the operation is to have: see `program.tracing`.
    interpreter: Any

    def __init__(self, outer: "Mode | None", setting: str, value: Any, switch: Callable[[], Any] = object) -> None:
        self.outer, self.setting, self.switch, self.closed = outer, setting, switch, False
        if outer is None:
            self.grad, self.anomaly, self.watcher, self.interpreter = True, False, None, None
        else:
            self.grad, self.anomaly = outer.grad, outer.anomaly
            self.watcher, self.interpreter = outer.watcher, outer.interpreter
        setattr(self, setting, value)


# The settings inside all blocks, of all threads and tasks.  While there are none, operations can skip the look at their
# own, which takes longer than a look at this.
unusual: set[Mode] = set()
NORMAL = Mode(None, "grad", True)
_mode: ContextVar[Mode] = ContextVar("minigrad.mode", default=NORMAL)


def now() -> Mode:
    """The settings of the running thread or task."""
    mode = _mode.get()
    while mode.closed or mode.switch() is None:
        assert mode.outer is not None
        unusual.discard(mode)
        mode = mode.outer
        _mode.set(mode)
    return mode


def interpreter() -> Any:
    """What writes down a program in this thread or task; None nearly always."""
    return now().interpreter if unusual else None


def give_out(x: Any, how: str) -> None:
    """Raise ProgramError if a program is being written down, from which the value of `x` would be gone."""
    if (tracer := interpreter()) is not None:
        tracer.reading(x, how)


def only_outside(what: str, instead: str = "Call it outside of the function that is traced") -> None:
    """Raise ProgramError if a program is being written down, in which something would not be done again."""
    if interpreter() is not None:
        raise cannot_be_traced(what, "it is done in Python, and a run of the program would not do it", instead)


def is_grad_enabled() -> bool:
    """Whether operations on Tensors that require grad are recorded in this thread or task now."""
    return now().grad


def go_back(mode: Mode) -> None:
    """Restore settings that were found earlier, whatever blocks have been left open since."""
    _mode.set(mode)


class Switch:
    """A context manager and decorator that changes a setting, and restores what it found."""

    setting: str
    value: Any

    def __enter__(self) -> Any:
        mode = Mode(now(), self.setting, self.value, ref(self))
        _mode.set(mode)
        unusual.add(mode)
        return self.value

    def __exit__(self, kind: type[BaseException] | None = None, *exception: object) -> None:
        """Close the innermost block that this switch has opened, and all that an exception has left open inside it."""
        inside: list[Mode] = []
        mode: Mode | None = _mode.get()
        while mode is not None and (mode.closed or mode.switch() is not self):
            inside.append(mode)
            mode = mode.outer
        if mode is None:  # a generator, say, that was begun in another context ends in this one
            for other in [mode for mode in list(unusual) if mode.switch() is self][:1]:
                other.closed = True
                unusual.discard(other)
            return
        mode.closed, remaining = True, mode.outer
        unusual.discard(mode)
        assert remaining is not None
        if not inside:
            _mode.set(remaining)
            return
        # What is open inside may belong to a generator that waits, if it was not an exception that ended this block.
        waiting = reversed(inside) if kind is None or kind is GeneratorExit else ()
        for other in waiting:
            if other.setting != mode.setting and not other.closed and other.switch() is not None:
                remaining = Mode(remaining, other.setting, getattr(other, other.setting), other.switch)
                unusual.add(remaining)
        unusual.difference_update(inside)
        _mode.set(remaining)

    @property
    def is_open(self) -> bool:
        """Whether there is a block of this switch around what runs now."""
        mode: Mode | None = now()
        while mode is not None and (mode.closed or mode.switch() is not self):
            mode = mode.outer
        return mode is not None

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate a function, a coroutine function, or a generator function (whose consumer keeps its own mode)."""
        return in_blocks(type(self), function)
