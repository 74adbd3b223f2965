"""What all ranks do together with arrays and objects, under PyTorch's names."""

from typing import Any

import numpy as np

from minigrad.core import Array, Handle, is_grad_enabled, no_grad, primitive, unwrap
from minigrad.distributed.group import Group, current
from minigrad.errors.distributed import (
    no_such_operation,
    no_such_rank,
    not_an_array,
    not_for_dtype,
    recorded,
)

OPERATIONS = ("sum", "mean", "max", "min", "product")


def all_reduce(x: Any, op: str = "sum") -> Any:
    """Put the sum over all ranks, or another reduction, into an array or a Tensor.

    Parameters
    ----------
    x : ndarray or Tensor
        Of the same shape and dtype on all ranks; it is written to.  A Tensor that requires grad must be detached.
    op : {"sum", "mean", "max", "min", "product"}

    Returns
    -------
    ndarray or Tensor
        `x` itself, with the same bits on all ranks.

    Raises
    ------
    DistributedError
        If there is no group, or another rank has an array of another shape or dtype, does something else, or has left.
    DTypeError
        If `x` is no array, or has a dtype that MPI cannot reduce.
    GraphError
        If `x` requires grad.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.distributed.init_process_group()
    >>> mg.distributed.all_reduce(np.ones(3), op="mean")
    array([1., 1., 1.])
    >>> mg.distributed.destroy_process_group()
    """
    if op not in OPERATIONS:
        raise no_such_operation(op, OPERATIONS)
    return _written(x, "all_reduce", lambda given: _reduced(given, op=op))


def broadcast(x: Any, src: int = 0) -> Any:
    """Put the array of one rank into an array or a Tensor of each.

    Parameters
    ----------
    x : ndarray or Tensor
        Of the same shape and dtype on all ranks; it is written to.
    src : int
        Whose array it is.

    Returns
    -------
    ndarray or Tensor
        `x` itself.

    Raises
    ------
    DistributedError, DTypeError, GraphError
        As for `all_reduce`.
    """
    _check_rank("broadcast", src)
    return _written(x, "broadcast", lambda given: _broadcast(given, src=src))


def all_gather(x: Any) -> list[Any]:
    """The arrays of all ranks.

    Parameters
    ----------
    x : ndarray, Tensor or number
        Of the same shape and dtype on all ranks.

    Returns
    -------
    list of ndarray or Tensor
        One for each rank, in their order.

    Raises
    ------
    DistributedError, DTypeError, GraphError
        As for `all_reduce`.
    """
    if isinstance(x, Handle):
        _refuse_recorded(x, "all_gather")
    return list(_gathered(x if isinstance(x, Handle) else np.asarray(x)))


def barrier() -> None:
    """Wait until all ranks are here."""
    current("barrier").header("wait at a barrier")


def all_gather_object(x: Any) -> list[Any]:
    """Python objects of all ranks, which are pickled on the way."""
    group = current("all_gather_object")
    group.header("gather objects")
    return group.gather_objects(x)


def broadcast_object(x: Any = None, src: int = 0) -> Any:
    """The Python object of one rank, on all of them; it is pickled on the way."""
    _check_rank("broadcast_object", src)
    group = current("broadcast_object")
    group.header(f"broadcast an object from rank {src}")
    return group.gather_objects(x if group.rank == src else None)[src]


# As operations, which a compiled step does again


@primitive(acts=True)
def _reduced(x: Array, /, *, op: str) -> Array:
    """The reduction over all ranks."""
    group = current("all_reduce")
    array = _sendable(x, f"all_reduce({op!r})", "biuf" if op in ("max", "min") else "biufc")
    group.header(f"all_reduce {op} of {_words(array)}")
    group.reduce(array, op)
    return array / array.dtype.type(group.size) if op == "mean" else array


@primitive(acts=True)
def _broadcast(x: Array, /, *, src: int) -> Array:
    """The array of one rank."""
    group, array = current("broadcast"), _sendable(x, "broadcast")
    group.header(f"broadcast of {_words(array)} from rank {src}")
    group.broadcast(array, src)
    return array


@primitive(acts=True)
def _gathered(x: Array, /) -> Array:
    """The arrays of all ranks, stacked."""
    group, array = current("all_gather"), _sendable(x, "all_gather")
    group.header(f"all_gather of {_words(array)}")
    return group.gather(array)


def _sendable(x: Array, what: str, kinds: str = "biufc") -> np.ndarray:
    """A contiguous copy, of a dtype that MPI knows."""
    array = np.array(x, order="C")
    if array.dtype.kind not in kinds or array.dtype == np.float16 or array.dtype.itemsize > 16:
        raise not_for_dtype(what, array.dtype)
    return array


def _words(array: np.ndarray) -> str:
    return f"{array.dtype} {array.shape}"


def _written(x: Any, what: str, compute: Any) -> Any:
    """An array or a Tensor with a new value."""
    if not isinstance(x, Handle | np.ndarray):
        raise not_an_array(what, x)
    current(what)
    if isinstance(x, Handle):
        _refuse_recorded(x, what)
    with no_grad():
        made = compute(x)
        if isinstance(x, Handle):
            x[...] = made  # type: ignore[index]  # a Tensor
        else:
            np.copyto(x, unwrap(made))
    return x


def _refuse_recorded(x: Handle, what: str) -> None:
    if x.node is not None and is_grad_enabled():
        raise recorded(what)


def _check_rank(what: str, rank: Any) -> None:
    group: Group = current(what)
    if not isinstance(rank, int | np.integer) or isinstance(rank, bool) or not 0 <= rank < group.size:
        raise no_such_rank(what, rank, group.size)
