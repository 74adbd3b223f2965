"""What the ranks of a process group have of their own in a checkpoint: random numbers, and where their data are."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad import random
from minigrad.distributed.group import Group


def own_states(parts: Mapping[str, Any]) -> dict[str, Any]:
    """The states of those parts that are others on each rank: loaders and samplers."""
    return {name: part.state_dict() for name, part in parts.items() if getattr(part, "is_of_one_rank", False)}


def written_by_the_first(group: Group, write: Any) -> None:
    """Call a function on rank 0 alone; if it raises, all ranks do."""
    error = None
    if group.rank == 0:
        try:
            write()
        except Exception as failure:  # all ranks shall know of it
            error = failure
    error = group.gather_objects(error)[0]
    if error is not None:
        raise error


def begin_anew(part: Any, state: Mapping[str, Any]) -> None:
    """Let a loader or a sampler begin the epoch that was running from its start: a rank has other samples now."""
    sampler, known = getattr(part, "sampler", part), state.get("sampler", state)
    if hasattr(sampler, "set_epoch") and isinstance(known, Mapping) and "epoch" in known:
        sampler.set_epoch(int(known["epoch"]))


def spread_random_numbers(rank: int) -> None:
    """Let the numbers of a rank be others than those of the rest, by the state that all have."""
    used: Any = random.generator().bit_generator
    seed = int(random.generator().integers(2**63))
    used.state = type(used)(np.random.SeedSequence(seed, spawn_key=(rank,))).state
