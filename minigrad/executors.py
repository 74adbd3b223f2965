"""Independent computations on the workers of an executor, with the results that they have one after another.

Whatever has a ``map(function, iterable)`` will do: the executors of `concurrent.futures` and of mpi4py, a pool of
`multiprocessing`, a client of Dask.  Functions are sent with what their results depend on: the random numbers of the
caller, the default dtype, `detect_anomaly`.
"""

import io
import os
import pickle
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from copy import deepcopy
from typing import Any, NamedTuple

from minigrad import random
from minigrad.core import detect_anomaly
from minigrad.creation import get_default_dtype, set_default_dtype
from minigrad.errors.executors import WRITE_A_FUNCTION, cannot_be_sent, no_map, note_dead_workers
from minigrad.settings import now
from minigrad.threads import one_thread


def gathered(function: Callable[[Any], Any], items: Iterable[Any], map: Any, what: str) -> list[Any]:
    """The results of a function for all items, in their order.

    Every call begins with the random numbers that the caller has now.  Afterwards those of the caller go on where the
    last call has left them.

    Parameters
    ----------
    function : callable
        Of one item.
    items : iterable
    map : callable, optional
        Called as ``map(function, iterable)``; it gives results, or futures of them, in any order.  None: they are
        computed here, one after another.
    what : str
        Whose computations these are, for messages.

    Raises
    ------
    DTypeError
        If `map` is no function.
    ArgumentError
        If workers are processes, and the function or an item cannot be pickled.
    """
    if map is not None and not callable(map):
        raise no_map(what, map)
    task, numbered = _Task(function), list(enumerate(items))
    ends = [task(item) for item in numbered] if map is None else _on_workers(task, numbered, map, what)
    ends.sort(key=lambda end: end.number)
    if ends and ends[-1].state is not None:
        random.generator().bit_generator.state = ends[-1].state
    return [end.value for end in ends]


class _End(NamedTuple):
    """What a call came to: its number, its value, and the state of the random numbers if it has drawn any."""

    number: int
    value: Any
    state: Any


class _Task:
    """A function with the settings and the random numbers that its calls begin with."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function
        self.generator = deepcopy(random.generator())  # the original draws on in other threads
        self.dtype, self.anomaly, self.process = get_default_dtype(), now().anomaly, os.getpid()

    def __call__(self, numbered: tuple[int, Any]) -> _End:
        number, item = numbered
        with ExitStack() as blocks:
            if os.getpid() != self.process:
                self._settle(blocks)
            if self.anomaly:  # which a thread has for itself
                blocks.enter_context(detect_anomaly())
            own = blocks.enter_context(random.using(deepcopy(self.generator)))
            before = pickle.dumps(own.bit_generator.state)
            value = self.function(item)
            state = own.bit_generator.state
            return _End(number, value, None if pickle.dumps(state) == before else state)

    def _settle(self, blocks: ExitStack) -> None:
        """Let another process do as the caller's does; its matrix products leave the other cores to other workers."""
        blocks.enter_context(one_thread())
        blocks.callback(set_default_dtype, get_default_dtype())
        set_default_dtype(self.dtype)


def _on_workers(task: _Task, items: list[Any], map: Any, what: str) -> list[_End]:
    from concurrent.futures import BrokenExecutor  # only here: it takes milliseconds

    try:
        with one_thread():  # for workers that are threads: they share the setting
            return [end if isinstance(end, _End) else end.result() for end in map(task, items)]
    except BrokenExecutor as error:
        note_dead_workers(error)
        raise
    except Exception as error:
        why = _why_not_pickled((task, items))
        if why is not None and (type(why), str(why)) == (type(error), str(error)):
            raise cannot_be_sent(what, why, WRITE_A_FUNCTION) from error
        raise


def _why_not_pickled(thing: Any) -> Exception | None:
    try:
        pickle.dumps(thing)
    except Exception as error:  # of any kind: objects say how they are pickled
        return error
    return None


# Objects of which every call has a copy of its own


class Packed:
    """A method that each call makes with a new copy of its object: for what is changed while it computes.

    Parameters
    ----------
    method : bound method
        Of one item.
    what, instead : str
        Whose computations these are, and what to write if the object cannot be pickled.
    """

    def __init__(self, method: Callable[[Any], Any], what: str, instead: str) -> None:
        try:
            self.content = pickle.dumps(method)
        except Exception as error:  # of any kind: objects say how they are pickled
            raise cannot_be_sent(what, error, instead) from error

    def __call__(self, item: Any) -> Any:
        """Make a copy, and its result for the item."""
        numbers = random.get_state()
        method = pickle.loads(self.content)
        random.set_state(numbers)  # to make the copy is to import modules, which may draw
        return method(item)


def holds(thing: Any, parts: Iterable[Any]) -> bool:
    """Whether a copy of something, made by pickle, brings a copy of one of these objects with it."""
    finder = _Finder(parts)
    finder.dump(thing)
    return finder.found


class _Finder(pickle.Pickler):
    """Goes through all that is pickled, and looks for some objects."""

    def __init__(self, parts: Iterable[Any]) -> None:
        super().__init__(io.BytesIO())
        self.parts = list(parts)  # which must live as long as their identities are compared
        self.identities = {id(part) for part in self.parts}
        self.found = False

    def persistent_id(self, thing: Any) -> None:
        """See an object; None lets it be pickled as it is."""
        self.found = self.found or id(thing) in self.identities
