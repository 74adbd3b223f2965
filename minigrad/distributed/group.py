"""The group of processes: who belongs to it, and how they make sure that they do the same.

MPI itself does not notice that one rank sends an array which another does not expect, and waits for ever for a rank
that has come to its end.  So before arrays are sent, all ranks exchange a header: what they are about to do, and
whether they have left.
"""

import importlib.util
import os
import sys
import time
import zlib
from typing import Any

import numpy as np

from minigrad import random
from minigrad.contexts import beside
from minigrad.distributed.ending import Ending
from minigrad.errors import MissingPackageError
from minigrad.errors.distributed import (
    already_there,
    left_early,
    no_agreement,
    no_group,
    no_runtime,
    no_such_backend,
    other_launcher,
    waited,
    warn_of_many_threads,
)
from minigrad.options import real_number, whole_number
from minigrad.threads import get_num_threads

# What a rank says in a header: that it takes part, that it only fills in for `join`, or that its program has ended.
ACTIVE, JOINED, LEFT = 0, 1, 2

# How many processes there are, as launchers say: MPICH and Intel MPI, Open MPI, PRRTE, Slurm.
_COUNTS = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "PRTE_NUM_RANKS", "SLURM_STEP_NUM_TASKS")

# For so long a rank asks without a pause whether the others have come, in seconds; then it sleeps in between.
_EAGER, _PAUSE = 2e-3, 2e-4


class Group:
    """One process alone, which agrees with itself.

    Attributes
    ----------
    rank, size : int
    step : int
        How many times gradients were averaged.
    """

    rank, size = 0, 1

    def __init__(self) -> None:
        self.step = 0

    def header(self, what: str, status: int = ACTIVE, more: int = 0, joinable: bool = False) -> np.ndarray:
        """Agree on what comes next.

        Parameters
        ----------
        what : str
            What this rank is about to do, in words, with shapes and dtypes: the same on all ranks.
        status : int
        more : int
            A number for the others.
        joinable : bool
            Whether ranks may take part that only fill in.

        Returns
        -------
        ndarray of int64, shape (size, 4)
            For each rank a checksum of `what`, its status, its number, and its step.

        Raises
        ------
        DistributedError
            If a rank is about to do something else, has left, or does not come.
        """
        return np.array([[zlib.crc32(what.encode()), status, more, self.step]], np.int64)

    def advance(self) -> None:
        """Note that gradients are about to be averaged once more."""
        self.step += 1

    def reduce(self, array: np.ndarray, op: str) -> None:
        """Put the reduction over all ranks into a contiguous array."""

    def reduce_in_tree(self, array: np.ndarray) -> None:
        """Put the sum over all ranks into a contiguous array: rank 0 and 1, 2 and 3, ..., then pairs of those."""

    def broadcast(self, array: np.ndarray, src: int) -> None:
        """Put the array of one rank into a contiguous array of all."""

    def gather(self, array: np.ndarray) -> np.ndarray:
        """The contiguous arrays of all ranks, stacked."""
        return array[None].copy()

    def gather_objects(self, x: Any) -> list[Any]:
        """The objects of all ranks, which are pickled on the way."""
        return [x]

    def neighbours(self) -> int:
        """How many ranks there are on this machine."""
        return 1

    def leave(self) -> None:
        """Say that the program of this rank has ended."""

    def abort(self) -> None:
        """End all ranks at once."""

    def close(self) -> None:
        """Let this process end as any other."""


class MPIGroup(Group):
    """The processes of an MPI launcher."""

    def __init__(self, mpi: Any, timeout: float) -> None:
        super().__init__()
        self.mpi, self.timeout = mpi, timeout
        self.comm = mpi.COMM_WORLD.Dup()
        self.rank, self.size = self.comm.Get_rank(), self.comm.Get_size()
        self._operations = {"sum": mpi.SUM, "mean": mpi.SUM, "max": mpi.MAX, "min": mpi.MIN, "product": mpi.PROD}
        self._ending = Ending(self)

    def header(  # noqa: D102  # inherited
        self, what: str, status: int = ACTIVE, more: int = 0, joinable: bool = False
    ) -> np.ndarray:
        what += beside.get()
        said = np.array([zlib.crc32(what.encode()), status, more, self.step], np.int64)
        heard = np.empty((self.size, 4), np.int64)
        self._wait(self.comm.Iallgather(said, heard), what)
        left = np.flatnonzero(heard[:, 1] == LEFT)
        if status == LEFT:
            return heard
        if left.size:
            raise left_early(left.tolist(), self.rank, self.step, what)
        taking_part = heard[:, 0] if not joinable else heard[heard[:, 1] == ACTIVE, 0]
        if (taking_part != taking_part[:1]).any():
            raise no_agreement(self.comm.allgather(what), self.step)
        return heard

    def advance(self) -> None:  # noqa: D102  # inherited
        super().advance()
        self._ending.at_step(self.step)

    def _wait(self, request: Any, what: str) -> None:
        """Wait for the others, but not for ever, and so that Ctrl-C is heard."""
        begun = time.monotonic()
        while not request.Test():
            passed = time.monotonic() - begun
            if passed > self.timeout:
                raise waited(self.rank, self.step, what, self.timeout)
            if passed > _EAGER:
                time.sleep(_PAUSE)

    def reduce(self, array: np.ndarray, op: str) -> None:  # noqa: D102  # inherited
        self.comm.Allreduce(self.mpi.IN_PLACE, array, self._operations[op])

    def reduce_in_tree(self, array: np.ndarray) -> None:  # noqa: D102  # inherited
        other = np.empty_like(array)
        distance = 1
        while distance < self.size:
            partner = self.rank ^ distance
            self.comm.Sendrecv(array, partner, recvbuf=other, source=partner)
            array += other  # which of the two comes first makes no difference to their sum
            distance *= 2

    def broadcast(self, array: np.ndarray, src: int) -> None:  # noqa: D102  # inherited
        self.comm.Bcast(array, src)

    def gather(self, array: np.ndarray) -> np.ndarray:  # noqa: D102  # inherited
        gathered = np.empty((self.size, *array.shape), array.dtype)
        self.comm.Allgather(array, gathered)
        return gathered

    def gather_objects(self, x: Any) -> list[Any]:  # noqa: D102  # inherited
        objects: list[Any] = self.comm.allgather(x)
        return objects

    def neighbours(self) -> int:  # noqa: D102  # inherited
        here = self.comm.Split_type(self.mpi.COMM_TYPE_SHARED)
        count = int(here.Get_size())
        here.Free()
        return count

    def leave(self) -> None:  # noqa: D102  # inherited
        self.header("end the program", LEFT)

    def abort(self) -> None:  # noqa: D102  # inherited
        self.comm.Abort(1)

    def close(self) -> None:  # noqa: D102  # inherited
        self._ending.cancel()


_group: Group | None = None


def init_process_group(backend: str | None = None, *, timeout: float = 1800.0) -> None:
    """Make a group of the processes that an MPI launcher has started; without a launcher, of this process alone.

    From then on an exception that nobody catches ends all ranks, and so does a rank whose program ends while others
    still expect something of it.

    Parameters
    ----------
    backend : "mpi", optional
        There is no other.
    timeout : float
        How many seconds a rank waits for the others before it gives up.

    Raises
    ------
    DistributedError
        If there is a group already, or the launcher belongs to another MPI than mpi4py.
    MissingPackageError
        If there is a launcher, and mpi4py or its MPI is missing (the extra `mpi`).

    Warns
    -----
    UserWarning
        If the ranks on this machine use more BLAS threads than it has cores.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.distributed.init_process_group()
    >>> mg.distributed.get_rank(), mg.distributed.get_world_size()
    (0, 1)
    >>> mg.distributed.destroy_process_group()
    """
    global _group
    if backend not in (None, "mpi"):
        raise no_such_backend(backend)
    seconds = float(real_number(timeout, "init_process_group: timeout", above=0))
    if _group is not None:
        raise already_there()
    started = max((int(os.environ[name]) for name in _COUNTS if os.environ.get(name, "").isdigit()), default=1)
    if started == 1 and "mpi4py.MPI" not in sys.modules:
        _group = Group()
        return
    try:
        from mpi4py import MPI  # type: ignore[import-not-found,unused-ignore]  # optional, and starts MPI
    except (ImportError, RuntimeError) as error:
        raise no_runtime(error) from error
    if MPI.COMM_WORLD.Get_size() < started:
        raise other_launcher(started)
    _group = MPIGroup(MPI, seconds) if MPI.COMM_WORLD.Get_size() > 1 else Group()
    if _group.size > 1:
        _warn_of_threads(_group)


def _warn_of_threads(group: Group) -> None:
    ranks = group.neighbours()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        threads = get_num_threads()
    except MissingPackageError:
        threads = int(os.environ.get("OPENBLAS_NUM_THREADS") or cores)
    if group.rank == 0 and ranks * threads > cores:
        warn_of_many_threads(ranks, threads, cores)


def destroy_process_group() -> None:
    """Take the group apart; all ranks must come here.

    Raises
    ------
    DistributedError
        If there is no group, or another rank is doing something else.
    """
    global _group
    group = current("destroy_process_group")
    group.header("destroy the process group")
    group.close()
    _group = None


def current(what: str) -> Group:
    """The group, for a function that needs one."""
    if _group is None:
        raise no_group(what)
    return _group


def is_available() -> bool:
    """Whether mpi4py is installed, so that there can be several processes."""
    return importlib.util.find_spec("mpi4py") is not None


def is_initialized() -> bool:
    """Whether there is a process group."""
    return _group is not None


def get_rank() -> int:
    """The number of this process in the group, from 0; 0 without a group."""
    return 0 if _group is None else _group.rank


def get_world_size() -> int:
    """How many processes there are in the group; 1 without one."""
    return 1 if _group is None else _group.size


def manual_seed(seed: int) -> "np.random.Generator":
    """Start the package's generator anew on each rank, with other numbers on each, so that dropout is not the same.

    Parameters
    ----------
    seed : int
        The same on all ranks.

    Returns
    -------
    numpy.random.Generator

    Examples
    --------
    >>> import minigrad as mg
    >>> _ = mg.distributed.manual_seed(0)
    """
    whole_number(seed, "manual_seed: seed", least=0)
    own: Any = random.generator()
    sequence = np.random.SeedSequence(seed, spawn_key=(get_rank(),))
    own.bit_generator.state = type(own.bit_generator)(sequence).state
    return own
