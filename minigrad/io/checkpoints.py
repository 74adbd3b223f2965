"""Checkpoints: the states of all parts of a training run, and of the random numbers."""

import os
from typing import Any, BinaryIO

from minigrad import random
from minigrad.distributed.group import current, get_rank, get_world_size
from minigrad.errors import ArgumentError, DTypeError
from minigrad.io.files import load, name_of, save
from minigrad.io.ranks import begin_anew, own_states, spread_random_numbers, written_by_the_first


def save_checkpoint(path: str | os.PathLike[str] | BinaryIO, **parts: Any) -> None:
    """Save all that training needs to go on, bit for bit: the states of its parts, and of the random numbers.

    In a process group (`minigrad.distributed`) all ranks call it, and rank 0 writes the file: with the states of all
    ranks of loaders, samplers and random numbers, and of all else its own.

    Parameters
    ----------
    path : str, path or binary file
        As for `save` and `load`.
    **parts : object
        Models, optimizers, schedulers, samplers, loaders: what has a `state_dict`; and plain trees.

    Examples
    --------
    >>> import tempfile
    >>> import minigrad as mg
    >>> model = mg.nn.Linear(2, 1)
    >>> optimizer = mg.optim.Adam(model.parameters())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mg.io.save_checkpoint(f"{folder}/run.npz", model=model, optimizer=optimizer, epoch=3)
    ...     mg.io.load_checkpoint(f"{folder}/run.npz", model=model, optimizer=optimizer)
    {'epoch': 3}
    """
    if "random" in parts:
        raise ArgumentError("save_checkpoint: the state of the random numbers is saved in any case, as `random`")
    if get_world_size() > 1:
        _save_together(path, parts)
        return
    states = {name: part.state_dict() if hasattr(part, "state_dict") else part for name, part in parts.items()}
    save(path, {**states, "random": random.get_state()})


def _save_together(path: Any, parts: dict[str, Any]) -> None:
    group = current("save_checkpoint")
    group.header(f"save a checkpoint of {', '.join(parts)}")
    for part in parts.values():
        if hasattr(part, "consolidate_state_dict"):
            part.consolidate_state_dict()
    own = own_states(parts)
    ranks = group.gather_objects({**own, "random": random.get_state()})

    def write() -> None:
        shared = {
            name: part.state_dict() if hasattr(part, "state_dict") else part
            for name, part in parts.items()
            if name not in own
        }
        save(path, {**shared, **ranks[0], "ranks": ranks})

    written_by_the_first(group, write)


def load_checkpoint(path: str | os.PathLike[str] | BinaryIO, **parts: Any) -> dict[str, Any]:
    """Restore what `save_checkpoint` has saved, the random numbers included.

    In a process group all ranks read the file.  With as many ranks as there were when it was written, training goes on
    bit for bit; with another number, loaders begin the epoch that was running anew, and each rank draws new numbers.

    Parameters
    ----------
    path : str, path or binary file
        As for `save` and `load`.
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
    DTypeError
        If a part cannot load a state.
    StateDictError
        If a state does not fit its part; then all parts are as they were.
    """
    strangers = [name for name, part in parts.items() if not hasattr(part, "load_state_dict")]
    if strangers:
        raise DTypeError(f"load_checkpoint: {', '.join(strangers)} cannot load a state; plain trees are in the result")
    saved = load(path)
    if not isinstance(saved, dict):
        raise ArgumentError(f"{name_of(path)} is no checkpoint: it holds a {type(saved).__name__}")
    missing = [name for name in (*parts, "random") if name not in saved]
    if missing:
        raise ArgumentError(f"{name_of(path)} has no {', '.join(missing)}; there are {', '.join(saved)}")
    ranks = saved.pop("ranks", None) or [{"random": saved["random"]}]
    as_before = len(ranks) == get_world_size()
    own: dict[str, Any] = ranks[get_rank()] if as_before else {}
    sharing = [name for name, part in parts.items() if not as_before and name in ranks[0]]
    # What is shared out among the ranks cannot be put back by one of them; it comes last.
    shared = {name: part for name, part in parts.items() if hasattr(part, "consolidate_state_dict")}
    before = {name: part.state_dict() for name, part in parts.items() if name not in shared}
    done: list[str] = []
    try:
        for name, part in {**{name: parts[name] for name in before}, **shared}.items():
            if name in sharing:
                begin_anew(part, ranks[0][name])
            else:
                part.load_state_dict(own.get(name, saved[name]))
            done.append(name)
        random.set_state(own["random"] if as_before else saved["random"])
        if not as_before:
            spread_random_numbers(get_rank())
    except Exception:
        for name in before.keys() & done:
            parts[name].load_state_dict(before[name])
        raise
    return {name: value for name, value in saved.items() if name not in parts and name != "random"}
