"""Checkpoints: the states of all parts of a training run, and of the random numbers."""

import os
from typing import Any, BinaryIO

from minigrad import random
from minigrad.errors import ArgumentError, DTypeError
from minigrad.io.files import load, name_of, save


def save_checkpoint(path: str | os.PathLike[str] | BinaryIO, **parts: Any) -> None:
    """Save all that training needs to go on, bit for bit: the states of its parts, and of the random numbers.

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
    states = {name: part.state_dict() if hasattr(part, "state_dict") else part for name, part in parts.items()}
    save(path, {**states, "random": random.get_state()})


def load_checkpoint(path: str | os.PathLike[str] | BinaryIO, **parts: Any) -> dict[str, Any]:
    """Restore what `save_checkpoint` has saved, the random numbers included.

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
    before = {name: part.state_dict() for name, part in parts.items()}
    done: list[str] = []
    try:
        for name, part in parts.items():
            part.load_state_dict(saved[name])
            done.append(name)
        random.set_state(saved["random"])
    except Exception:
        for name in done:
            parts[name].load_state_dict(before[name])
        raise
    return {name: value for name, value in saved.items() if name not in parts and name != "random"}
