"""How many threads NumPy's matrix products use."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from minigrad.errors import MissingPackageError
from minigrad.errors.files import missing_package
from minigrad.options import whole_number

__all__ = ["get_num_threads", "set_num_threads"]


def set_num_threads(n: int) -> None:
    """Let NumPy's matrix products use so many threads, from now on and in the whole process.

    Nothing else of minigrad uses threads.  For small matrices one is quickest: others cost more than they give, all the
    more where several processes share the cores.

    Parameters
    ----------
    n : int
        At least 1.

    Raises
    ------
    ValueError
        If it is no such number.
    MissingPackageError
        If threadpoolctl is not installed (the extra `threads`).  Without it, set ``OPENBLAS_NUM_THREADS`` before Python
        starts.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.set_num_threads(1)  # doctest: +SKIP
    """
    whole_number(n, "set_num_threads: n")
    _threadpoolctl("set_num_threads").threadpool_limits(n, user_api="blas")


def get_num_threads() -> int:
    """How many threads NumPy's matrix products may use.

    Raises
    ------
    MissingPackageError
        If threadpoolctl is not installed (the extra `threads`).
    """
    pools = _threadpoolctl("get_num_threads").threadpool_info()
    return max([int(pool["num_threads"]) for pool in pools if pool["user_api"] == "blas"], default=1)


def limited(n: int) -> AbstractContextManager[Any]:
    """So many threads at most inside of the block."""
    limits: AbstractContextManager[Any] = _threadpoolctl("limited").threadpool_limits(n, user_api="blas")
    return limits


def one_thread() -> AbstractContextManager[Any]:
    """One thread inside of the block, where threadpoolctl is installed; elsewhere as many as there were."""
    try:
        return limited(1)
    except MissingPackageError:
        return nullcontext()


def _threadpoolctl(asked: str) -> Any:
    try:
        import threadpoolctl  # type: ignore[import-untyped,unused-ignore]  # optional, so not at the top
    except ImportError as error:
        instead = "Without it, set the environment variable OPENBLAS_NUM_THREADS before Python starts"
        raise missing_package(asked, "threadpoolctl", "threads", instead) from error
    return threadpoolctl
