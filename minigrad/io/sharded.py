"""Arrays in several .safetensors files, and the index that says which of them holds which.

The index is a file of Hugging Face's, ``model.safetensors.index.json``: ``{"metadata": ..., "weight_map": {name:
file}}``.  Files stand in its folder, or below.
"""

import os
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from minigrad.errors import FileError
from minigrad.errors.files import missing_files, pickled
from minigrad.io import safetensors
from minigrad.io.damage import explained
from minigrad.io.trees import Arrays, unique

ENDING = ".safetensors.index.json"


def read(path: str, max_size: float | None, limit_of: Any) -> Arrays:
    """The arrays that an index names, in its order; one file is read after another.

    Parameters
    ----------
    path : str
    max_size : float or None
        How many bytes all arrays may take together.
    limit_of : callable
        What a file of a size may take, if `max_size` is None.
    """
    name = os.path.basename(path)
    with open(path, "rb") as file, explained(name):
        places = _weight_map(file.read())
    folder = os.path.dirname(path)
    wanted: dict[str, list[str]] = {}
    for array, shard in places.items():
        wanted.setdefault(shard, []).append(array)
    missing = [shard for shard in wanted if not os.path.isfile(os.path.join(folder, shard))]
    if missing:
        raise missing_files(f"load: {name}", [os.path.join(folder, shard) for shard in missing])
    arrays: Arrays = {}
    left = max_size
    for shard, names in wanted.items():
        found = _read_shard(folder, shard, names, name, left, limit_of)
        arrays.update(found)
        left = None if left is None else left - sum(value.nbytes for value in found.values())
    return {array: arrays[array] for array in places}


def _read_shard(folder: str, shard: str, names: list[str], index: str, left: float | None, limit_of: Any) -> Arrays:
    """Those arrays of a file that the index names."""
    path = os.path.join(folder, shard)
    with open(path, "rb") as file, explained(shard):
        found, _ = safetensors.read(file, limit_of(os.path.getsize(path)) if left is None else left)
        absent = [name for name in names if name not in found]
        if absent:
            raise FileError(f"it has no {absent[0]!r}, which {index} says it has: download both again, from one place")
    return {name: found[name] for name in names}


def _weight_map(content: bytes) -> dict[str, str]:
    import json

    index = json.loads(content, object_pairs_hook=unique)
    places = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(places, dict) or not all(isinstance(shard, str) for shard in places.values()):
        raise FileError("an index has a weight_map, from the names of arrays to the names of files")
    for shard in set(places.values()):
        _check_name(shard)
    return places


def _check_name(shard: str) -> None:
    """Refuse files outside of the folder, whichever system's path it is, and what is no .safetensors file."""
    parts = PurePosixPath(shard).parts
    if ".." in parts or "\\" in shard or PurePosixPath(shard).is_absolute() or PureWindowsPath(shard).drive:
        raise FileError(f"the file {shard!r} would be outside of the folder of the index, where all files must be")
    if not shard.endswith(".safetensors"):
        raise pickled(f"the file {shard!r} does not end with .safetensors; others are pickles as a rule")
