"""Computing with a module without leaving a trace in it."""

from collections import deque
from collections.abc import Callable
from itertools import chain, repeat
from typing import Any, TypeVar

from minigrad import random
from minigrad.core import Handle, leaf
from minigrad.nn.module import Module

Measured = TypeVar("Measured")


def with_state_restored(module: Module, compute: Callable[[], Measured]) -> Measured:
    """What `compute` returns; meanwhile the module works on copies, and afterwards it is what it was.

    That holds for the values and gradients of parameters and buffers, for all attributes of all parts (the mode is one
    of them) and for the state of the package's random numbers, also if `compute` raises or Ctrl-C is pressed.
    The memory of the originals is never written to, so graphs that were recorded before stay valid.
    """
    tensors: list[Handle] = [*module.parameters(), *module.buffers()]
    tables = [t for part in module.modules() for t in (vars(part), part._parameters, part._buffers, part._modules)]
    # One iterator that C code can run to its end in one call, which Ctrl-C cannot interrupt half-way.
    restore = chain(
        map(setattr, tensors, repeat("array"), [x.array for x in tensors]),
        map(setattr, tensors, repeat("node"), [x.node for x in tensors]),
        map(dict.clear, tables),
        map(dict.update, tables, [dict(table) for table in tables]),
    )
    numbers = random.get_state()
    try:
        for x in tensors:
            x.array = x.array.copy()
            x.node = leaf(x.array) if x.node is not None else None
        return compute()
    finally:
        deque[Any](restore, 0)
        random.set_state(numbers)
