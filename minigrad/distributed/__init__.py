"""Several processes that train together, on MPI, under PyTorch's names.

A script calls `init_process_group` first, and is started by ``mpiexec -n 4 python -m mpi4py train.py``; started alone,
it is a group of one.  Each process is a rank.  What one of them does wrong ends them all, with a message.
Checkpoints of all ranks are written and read by `minigrad.io.save_checkpoint` and `load_checkpoint`.
"""

from minigrad.distributed.collectives import (
    all_gather,
    all_gather_object,
    all_reduce,
    barrier,
    broadcast,
    broadcast_object,
)
from minigrad.distributed.group import (
    destroy_process_group,
    get_rank,
    get_world_size,
    init_process_group,
    is_available,
    is_initialized,
    manual_seed,
)

__all__ = [
    "all_gather",
    "all_gather_object",
    "all_reduce",
    "barrier",
    "broadcast",
    "broadcast_object",
    "destroy_process_group",
    "get_rank",
    "get_world_size",
    "init_process_group",
    "is_available",
    "is_initialized",
    "manual_seed",
]
