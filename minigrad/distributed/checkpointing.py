"""Checkpoints of several processes: one file, which rank 0 writes, with what each rank has of its own."""

import os
from typing import Any

from minigrad import random
from minigrad.data import DataLoader, Sampler
from minigrad.distributed.group import current
from minigrad.errors import ArgumentError
from minigrad.io.files import load, save


def save_checkpoint(path: str | os.PathLike[str], **parts: Any) -> None:
    """Save all that training needs to go on; all ranks must call it, and rank 0 writes the file.

    Parameters
    ----------
    path : str or path
        As for `minigrad.io.save`.
    **parts : object
        As for `minigrad.io.save_checkpoint`.  Of loaders and samplers, and of the random numbers, the states of all
        ranks are saved; of models, optimizers and all else that of rank 0.

    Raises
    ------
    DistributedError
        If there is no process group, or another rank is doing something else.
    OSError
        If the file cannot be written, on all ranks.

    Examples
    --------
    >>> import tempfile
    >>> import minigrad as mg
    >>> mg.distributed.init_process_group()
    >>> model = mg.nn.Linear(2, 1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mg.distributed.save_checkpoint(f"{folder}/run.npz", model=model, epoch=3)
    ...     mg.distributed.load_checkpoint(f"{folder}/run.npz", model=model)
    {'epoch': 3}
    >>> mg.distributed.destroy_process_group()
    """
    group = current("save_checkpoint")
    if "ranks" in parts:
        raise ArgumentError("save_checkpoint: what each rank has of its own is saved in any case, as `ranks`")
    group.header(f"save a checkpoint of {', '.join(parts)}")
    for part in parts.values():
        if hasattr(part, "consolidate_state_dict"):
            part.consolidate_state_dict()
    own = {name: part.state_dict() for name, part in parts.items() if _differs(part)}
    ranks = group.gather_objects({**own, "random": random.get_state()})
    error = None
    if group.rank == 0:
        shared = {
            name: part.state_dict() if hasattr(part, "state_dict") else part
            for name, part in parts.items()
            if name not in own
        }
        try:
            save(path, {**shared, "ranks": ranks})
        except Exception as failure:  # all ranks shall know of it
            error = failure
    error = group.gather_objects(error)[0]
    if error is not None:
        raise error


def _differs(part: Any) -> bool:
    """Whether each rank has a state of its own."""
    return isinstance(part, DataLoader | Sampler)


def load_checkpoint(path: str | os.PathLike[str], **parts: Any) -> dict[str, Any]:
    """Restore what `save_checkpoint` has saved; all ranks read the file.

    With as many ranks as there were, training goes on bit for bit.  With another number, loaders begin the epoch that
    was running anew, and each rank draws new random numbers, which depend on those that were saved.

    Parameters
    ----------
    path : str or path
    **parts : object
        What has a `load_state_dict`, under the names that it was saved by.

    Returns
    -------
    dict
        The other parts of the checkpoint.

    Raises
    ------
    ArgumentError
        If a part is not in the file.
    StateDictError
        If a state does not fit its part.
    """
    group = current("load_checkpoint")
    saved = load(path)
    if not isinstance(saved, dict) or "ranks" not in saved:
        raise ArgumentError(f"{os.fspath(path)} is no checkpoint of minigrad.distributed.save_checkpoint")
    ranks = saved.pop("ranks")
    same = len(ranks) == group.size
    own = ranks[group.rank if same else 0]
    missing = [name for name in parts if name not in saved and name not in own]
    if missing:
        raise ArgumentError(f"{os.fspath(path)} has no {', '.join(missing)}; there are {', '.join({**saved, **own})}")
    for name, part in parts.items():
        if name in saved:
            part.load_state_dict(saved[name])
        elif same:
            part.load_state_dict(own[name])
        else:
            _begin_anew(part, own[name])
    random.set_state(own["random"])
    if not same:
        seed = int(random.generator().integers(2**63))
        with random.using(seed + group.rank) as fresh:
            state = fresh.bit_generator.state
        random.generator().bit_generator.state = state
    return {name: value for name, value in saved.items() if name not in parts}


def _begin_anew(part: Any, state: dict[str, Any]) -> None:
    """The epoch that was running, from its beginning: a rank has other samples now."""
    sampler = part.sampler if isinstance(part, DataLoader) else part
    if hasattr(sampler, "set_epoch"):
        epoch = state["sampler"] if isinstance(part, DataLoader) else state
        sampler.set_epoch(int(epoch["epoch"]))
