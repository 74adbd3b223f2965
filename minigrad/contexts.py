"""Functions that run in a block, or in a context of their own: what Python's ways of calling need for that."""

import functools
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar, copy_context
from typing import Any

import numpy as np

from minigrad.errors.backward import no_decorator_of_async_generators

# Flags of Python's code objects; to import inspect takes longer than to import all of minigrad.
GENERATOR, COROUTINE, ASYNC_GENERATOR = 0x20, 0x80, 0x200


def in_blocks(block: Callable[[], AbstractContextManager[Any]], function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, each call of which runs in a block of its own; the consumer of a generator is outside of it."""
    flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
    if flags & ASYNC_GENERATOR:
        raise no_decorator_of_async_generators(getattr(block, "__name__", str(block)), function)

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with block():
            return function(*args, **kwargs)

    @functools.wraps(function)
    async def coroutine(*args: Any, **kwargs: Any) -> Any:
        with block():
            return await function(*args, **kwargs)

    @functools.wraps(function)
    def generator(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        body = function(*args, **kwargs)
        step, item = body.send, None
        while True:
            try:
                with block():
                    item = step(item)
            except StopIteration as stop:
                return stop.value
            try:
                step, item = body.send, (yield item)
            except BaseException as error:
                step, item = body.throw, error

    return coroutine if flags & COROUTINE else generator if flags & GENERATOR else wrapper


def _silencing() -> list[tuple[ContextVar[Any], Any]]:
    context = copy_context()
    context.run(np.seterr, all="ignore")
    return [(variable, value) for variable, value in context.items() if "numpy" in variable.name]


# What np.seterr(all="ignore") sets.
_SILENCE = _silencing()


def quietly(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The result of a function, computed without NumPy's floating-point warnings, in a context of its own.

    Python leaves the context in C: after Ctrl-C, wherever it came, the warnings are as they were.  np.errstate cannot
    promise that, and takes longer.
    """
    return copy_context().run(_silenced, function, args, kwargs)


def _silenced(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    for variable, value in _SILENCE:
        variable.set(value)
    return function(*args, **kwargs)


# What is computed beside the program's own steps, in words: processes that work together must all be at the same.
beside: ContextVar[str] = ContextVar("minigrad_beside", default="")


@contextmanager
def computed_beside(what: str) -> Iterator[None]:
    """In the block things are computed once more, for the sake of something else."""
    token = beside.set(what)
    try:
        yield
    finally:
        beside.reset(token)
