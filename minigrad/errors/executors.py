"""What is said of computations on the workers of an executor."""

from typing import Any

from minigrad.errors import ArgumentError, DTypeError


def no_map(function: str, given: Any) -> DTypeError:
    """For something else than a function in the place of ``map``."""
    instead = "map=executor.map" if hasattr(given, "map") else "map=executor.map, or leave it out"
    return DTypeError(
        f"{function}: map is a function that is called as map(function, iterable), and not a "
        f"{type(given).__name__}: write {instead}"
    )


def cannot_be_sent(function: str, why: BaseException, instead: str) -> ArgumentError:
    """For what pickle cannot send to another process."""
    return ArgumentError(
        f"{function}: this cannot be sent to a worker: {why}. Lambdas, functions inside of functions and generators "
        f"cannot be pickled: {instead}"
    )


WRITE_A_FUNCTION = (
    "write a function at the top level of a module, with functools.partial for what it needs beside its argument; or "
    "use threads, ThreadPoolExecutor().map"
)
WRITE_A_PARTIAL = (
    "write the loss as a function at the top level of a module, and give functools.partial(function, model, X, y). "
    "That holds for threads, too, each of which works on a copy of the model"
)


def loss_without_module(function: str) -> ArgumentError:
    """For a loss that calls a module which stands outside of it: a worker's copy would not be the one it calls."""
    return ArgumentError(
        f"{function}: the loss does not hold the module, but finds it elsewhere, and a worker's copy of it would not "
        f"be the one that is called: {WRITE_A_PARTIAL}"
    )


def one_iterator_for_all(function: str) -> ArgumentError:
    """For batches that can be gone through once."""
    return ArgumentError(
        f"{function}: batches is an iterator, which is used up by one run, and with map= all runs go on at once: give "
        "a list of rows, or the size of a batch"
    )


def note_dead_workers(error: BaseException) -> None:
    """Say of worker processes that have died what they most often die of."""
    error.add_note(
        "A worker process imports what it calls. If it is started anew (spawn, forkserver), functions must be in a "
        "module that it can import, and a script starts its executor under `if __name__ == '__main__':`"
    )
