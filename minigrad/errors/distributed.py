"""What is said where several processes work together, and one of them does not."""

from collections.abc import Mapping, Sequence
from typing import Any

from minigrad.errors import (
    ArgumentError,
    DistributedError,
    DTypeError,
    GraphError,
    MissingPackageError,
    UnsupportedError,
)
from minigrad.errors.words import an, warn


def no_runtime(reason: Exception) -> MissingPackageError:
    """For processes of a launcher, and no MPI to talk to each other."""
    return MissingPackageError(
        f"this process was started by an MPI launcher, and mpi4py cannot be used ({reason}): pip install mpi4py mpich "
        "(the extra `mpi`), or without mpich where the system has an MPI of its own"
    )


def other_launcher(started: int) -> DistributedError:
    """For a launcher that belongs to another MPI than mpi4py."""
    return DistributedError(
        f"the launcher started {started} processes, and mpi4py sees one: it was built for another MPI than that of "
        "this launcher. Use the mpiexec beside python (`pip install mpich` brings one), or build mpi4py for the "
        "system's MPI: pip install --no-binary mpi4py mpi4py"
    )


def no_such_backend(backend: Any) -> ArgumentError:
    """For PyTorch's other backends."""
    return ArgumentError(f"init_process_group: there is one backend, 'mpi', and not {backend!r}: leave it out")


def already_there() -> DistributedError:
    """For a second `init_process_group`."""
    return DistributedError("there is a process group already: call init_process_group() once, or destroy the old one")


def no_group(what: str) -> DistributedError:
    """For a collective without a group."""
    return DistributedError(f"{what} needs a process group: call minigrad.distributed.init_process_group() first")


def left_early(ranks: Sequence[int], me: int, step: int, what: str) -> DistributedError:
    """For ranks that have come to their end while others go on."""
    return DistributedError(
        f"{_ranks(ranks)} came to the end of the program, and rank {me} still had {what} to do (step {step}): give all "
        "ranks equally many batches (data.DistributedSampler does), or train within model.join()"
    )


def no_agreement(said: Sequence[str], step: int) -> DistributedError:
    """For ranks that are in different places, or have different arrays."""
    groups: dict[str, list[int]] = {}
    for rank, text in enumerate(said):
        groups.setdefault(text, []).append(rank)
    parts = "; ".join(f"{_ranks(ranks)}: {text}" for text, ranks in groups.items())
    return DistributedError(f"the ranks do not do the same at step {step}: {parts}")


def waited(me: int, step: int, what: str, seconds: float) -> DistributedError:
    """For ranks that do not come."""
    return DistributedError(f"rank {me} waited for the others for {seconds:g} seconds, with {what} (step {step})")


def no_such_operation(op: Any, known: Sequence[str]) -> ArgumentError:
    """For an unknown reduction."""
    return ArgumentError(f"all_reduce: op is one of {', '.join(map(repr, known))}, not {op!r}")


def not_for_dtype(what: str, dtype: Any) -> DTypeError:
    """For arrays that MPI cannot send."""
    return DTypeError(
        f"{what}: arrays of {dtype} cannot be sent: convert them to float32 or float64, or send Python objects with "
        "all_gather_object and broadcast_object"
    )


def not_an_array(what: str, x: Any) -> DTypeError:
    """For something that cannot be written to."""
    return DTypeError(
        f"{what} writes its result into an array or a Tensor, and this is {an(type(x).__name__)}: "
        f"write x = minigrad.tensor(x); distributed.{what}(x)"
    )


def recorded(what: str) -> GraphError:
    """For a Tensor that requires grad: no gradient would go through."""
    return GraphError(
        f"{what} has no derivative: give it t.detach(), or call it within no_grad(). Gradients of a model are averaged "
        "by nn.parallel.DistributedDataParallel"
    )


def no_such_rank(what: str, rank: Any, size: int) -> ArgumentError:
    """For a rank that does not exist."""
    return ArgumentError(f"{what}: ranks are whole numbers from 0 to {size - 1}, not {rank!r}")


def create_graph_in_parallel() -> UnsupportedError:
    """For derivatives of averaged gradients."""
    return UnsupportedError(
        "backward(create_graph=True) through DistributedDataParallel: averages over ranks have no derivative here. "
        "Compute what needs second derivatives with the module itself, as in model.module(x)"
    )


def without_gradients(names: Mapping[int, Sequence[str]], step: int) -> DistributedError:
    """For parameters that have a gradient on some ranks only."""
    parts = "; ".join(f"rank {rank} has none for {', '.join(lacking)}" for rank, lacking in names.items())
    return DistributedError(
        f"the ranks have gradients of different parameters at step {step}: {parts}. If that is meant, write "
        "DistributedDataParallel(model, find_unused_parameters=True), and they count as 0 there"
    )


def joined_in_a_program() -> UnsupportedError:
    """For a compiled step on uneven batches."""
    return UnsupportedError(
        "model.join() cannot be used around a compiled training step, which sends the same at each run: compile the "
        "loss alone, and call backward() and step() outside of jit"
    )


def not_averaged(names: Sequence[str]) -> DTypeError:
    """For parameters of half precision, which MPI cannot add."""
    return DTypeError(
        f"DistributedDataParallel: gradients of float16 cannot be averaged ({', '.join(names)}): keep the parameters "
        "in float32, as in model.astype('float32')"
    )


def nothing_to_train() -> ArgumentError:
    """For a module without parameters that require grad."""
    return ArgumentError("DistributedDataParallel: the module has no parameter that requires grad: use it as it is")


def not_a_power_of_two(what: str, number: int) -> ArgumentError:
    """For a tree that has no other shape."""
    return ArgumentError(
        f"DistributedDataParallel(deterministic=True) adds gradients in a tree, and needs 1, 2, 4, 8, ... {what}, not "
        f"{number}"
    )


def warn_of_many_threads(ranks: int, threads: int, cores: int) -> None:
    """For ranks that share too few cores."""
    warn(
        f"{ranks} ranks with {threads} BLAS thread{'s' * (threads > 1)} each share {cores} cores, and wait for each "
        "other: set OPENBLAS_NUM_THREADS=1 before the start, or call minigrad.set_num_threads(1), and start no more "
        "ranks than there are cores"
    )


def warn_of_equal_draws() -> None:
    """For dropout that is the same on all ranks."""
    warn(
        "dropout draws the same numbers on all ranks, so that the ranks do not add to each other's: call "
        "minigrad.distributed.manual_seed(seed), which gives each rank numbers of its own"
    )


def more_ranks_than_samples(samples: int, ranks: int) -> ArgumentError:
    """For a data set that is too small."""
    return ArgumentError(
        f"DistributedSampler: {samples} samples cannot be shared out among {ranks} ranks: start fewer of them"
    )


def _ranks(ranks: Sequence[int]) -> str:
    return f"rank {ranks[0]}" if len(ranks) == 1 else f"ranks {', '.join(map(str, ranks))}"
