"""To save a tree and to load it: to and from a path, or a file that is open."""

import io
import os
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from minigrad.core import only_outside
from minigrad.creation import asarray
from minigrad.errors import ArgumentError, DTypeError, FileError
from minigrad.errors.files import arguments_swapped, at_its_end, no_file, pickled, unknown_ending, wrong_file
from minigrad.io import npz, safetensors, sharded, trees
from minigrad.io.damage import explained
from minigrad.io.streams import copy, rest
from minigrad.replacing import replace_file

# Modules that take milliseconds to import (hashlib, json, tempfile, zipfile) are imported where they are used: most
# programs that import minigrad save nothing.

Path = str | os.PathLike[str]
_VERSION = 1
_WRITERS: dict[str, Callable[[BinaryIO, trees.Arrays, str], None]] = {
    ".npz": npz.write,
    ".safetensors": safetensors.write,
}
_READERS: dict[str, Callable[[BinaryIO, float], tuple[trees.Arrays, str | None]]] = {
    ".npz": npz.read,
    ".safetensors": safetensors.read,
}
_IN_MEMORY = 2**22  # bytes of a file that is made before it is written to a file that is open
_FACTOR = 100  # how much larger than its file a tree may be, when it is loaded
_ANYWAY = 2**28  # bytes that it may have in any case


def save(path: Path | BinaryIO, tree: Any, *, format: str | None = None) -> None:
    """Save a tree of Tensors and arrays to a file.

    Parameters
    ----------
    path : str, path or binary file
        A path ends with ``.npz`` or ``.safetensors``. An existing file is replaced at once, when the new one is whole;
        it keeps its permissions, and if it is a link, the file that it leads to is replaced. To a file that is open,
        the content is written where it stands.
    tree : dict, list, tuple, Tensor, array, number, text, bool or None
        Nested, but not in itself. Tensors are saved without their graph.
    format : "npz" or "safetensors", optional
        What is written to a file that is open. By default what its name ends with, if it has one, or else "npz".

    Raises
    ------
    DTypeError
        If there is another object in the tree, or `path` is neither a path nor a binary file.
    ArgumentError
        If the name has another ending, the tree contains itself, or the file cannot be written to.
    OSError
        If the system does not let the file be written. Then an existing file is as it was.

    Examples
    --------
    >>> import io, tempfile
    >>> import minigrad as mg
    >>> model = mg.nn.Linear(2, 1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mg.save(f"{folder}/model.npz", {"model": model.state_dict(), "epoch": 3})
    ...     saved = mg.load(f"{folder}/model.npz")
    >>> saved["epoch"], model.load_state_dict(saved["model"])
    (3, IncompatibleKeys(missing_keys=[], unexpected_keys=[]))
    >>> file = io.BytesIO()
    >>> mg.save(file, [1, 2], format="safetensors")
    """
    import json

    only_outside("save", "Return what is to be saved")
    if _is_place(tree) and not _is_place(path):
        raise arguments_swapped("save", "path, tree")
    suffix = _suffix(path, format)
    if not isinstance(path, (str, os.PathLike)):
        _check_file("save", path)
    arrays: trees.Arrays = {}
    try:
        form = json.dumps({"version": _VERSION, "tree": trees.describe(tree, "", arrays)})
    except RecursionError:
        raise ArgumentError("save: the tree is nested hundreds of levels deep, or contains itself") from None
    except ValueError as error:  # Python's limit for the digits of an int
        raise ArgumentError(f"save: {error}: save large ints as texts, hex(n)") from error
    if isinstance(path, (str, os.PathLike)):
        replace_file(path, lambda file: _WRITERS[suffix](file, arrays, form), "minigrad.save(file, tree)")
        return
    import tempfile

    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as made:
        _WRITERS[suffix](made, arrays, form)  # type: ignore[arg-type]
        made.seek(0)
        copy(made, path)  # type: ignore[arg-type]


def load(path: Path | BinaryIO, *, max_size: float | None = None) -> Any:
    """Load what `save` has saved.

    Files that others have made, with `numpy.savez` or with safetensors (from PyTorch, for instance), give a dict of
    Tensors by their names.  So does an index of several such files, ``model.safetensors.index.json``: they are read one
    after the other, and what the index does not name is left out.

    Parameters
    ----------
    path : str, path or binary file
        A path ends with ``.npz``, ``.safetensors`` or ``.safetensors.index.json``. A file that is open is read from
        where it stands to its end, and its content says which of the first two it is.
    max_size : int, optional
        How many bytes the arrays of the file may take together. A small file can be made to unfold into what fills the
        memory; so by default these are 100 times the size of the file, or 256 MiB if that is more.

    Raises
    ------
    FileError
        If the file is truncated or damaged, holds pickled objects, or would take more than `max_size` bytes. Nothing
        of it is executed.  Also if the files of an index do not have what it names, or would be outside of its folder.
    ArgumentError
        If the name has another ending, or a file that is open cannot be read, or not from where one wants.
    DTypeError
        If `path` is neither a path nor a binary file.
    FileNotFoundError
        If there is none, or one that an index names is missing.

    Examples
    --------
    >>> import io, tempfile
    >>> import numpy as np
    >>> import minigrad as mg
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/arrays.npz", a=np.ones(2))
    ...     mg.load(f"{folder}/arrays.npz")
    {'a': tensor([1., 1.])}
    >>> file = io.BytesIO()
    >>> mg.save(file, {"a": 3})
    >>> mg.load(io.BytesIO(file.getvalue()))
    {'a': 3}
    """
    if isinstance(max_size, bool) or not isinstance(max_size, (int, float, np.integer, type(None))):
        raise DTypeError(f"load: max_size is a number of bytes, not a {type(max_size).__name__}")
    if max_size is not None and not max_size >= 0:
        raise ArgumentError(f"load: max_size is a number of bytes, not {max_size}")
    if isinstance(path, (str, os.PathLike)):
        if os.fspath(path).endswith(sharded.ENDING):
            return _as_tensors(sharded.read(os.fspath(path), max_size, _limit_of))
        suffix = _suffix(path, None)
        with open(path, "rb") as file:
            return _load(file, suffix, max_size)
    _check_file("load", path)
    if not isinstance(path, io.RawIOBase):
        return _load(path, None, max_size)
    buffered = io.BufferedReader(path)  # which gives as many bytes as one asks for, where it can
    try:
        return _load(buffered, None, max_size)
    finally:
        buffered.detach()


def name_of(path: Any) -> str:
    """What a path or a file that is open is called in messages."""
    name = getattr(path, "name", None) if _is_file(path) else path
    return str(name) if isinstance(name, (str, os.PathLike)) else f"the {type(path).__name__}"


# Of which kind a file is


def _is_file(value: Any) -> bool:
    return hasattr(value, "write") or hasattr(value, "read")


def _is_place(value: Any) -> bool:
    return isinstance(value, (str, os.PathLike)) or _is_file(value)


def _suffix(path: Any, format: str | None) -> str:
    """Which kind of file is to be written, or read: what the path ends with, or what the caller says."""
    if format is not None and f".{format}" not in _WRITERS:
        raise ArgumentError(f"save: there is no format {format!r}: write format='npz' or format='safetensors'")
    name = path if isinstance(path, (str, os.PathLike)) else getattr(path, "name", None)
    base = os.path.basename(os.fspath(name)) if isinstance(name, (str, os.PathLike)) else ""
    ending = os.path.splitext(base)[1]
    if not isinstance(path, (str, os.PathLike)):
        return f".{format}" if format else ending if ending in _WRITERS else ".npz"
    if ending not in _WRITERS:
        raise unknown_ending(base, ending)
    if format is not None and ending != f".{format}":
        raise ArgumentError(f"save: {base} ends with {ending}, and the format is {format!r}: leave it out")
    return ending


def _by_content(file: BinaryIO) -> str:
    """Which kind of file this is; it is read from its start."""
    start = file.tell()
    begin = file.read(9)
    file.seek(start)
    if begin[:1] == b"\x80" and begin[8:] != b"{":  # which the header of a .safetensors file begins with
        raise pickled()
    return ".npz" if begin[:2] == b"PK" and begin[8:] != b"{" else ".safetensors"


def _check_file(function: str, file: Any) -> None:
    """Refuse what is no file, or cannot be used as one, before anything is done."""
    needed, can = (("write",), "writable") if function == "save" else (("read", "seek", "tell"), "readable")
    name = name_of(file)
    if not _is_file(file):
        raise no_file(function, file)
    if getattr(file, "closed", False):
        raise wrong_file(function, name, "is closed")
    if hasattr(file, "encoding"):
        raise wrong_file(function, name, "is opened for text, and what is saved is binary")
    if not all(hasattr(file, method) for method in needed) or not getattr(file, can, lambda: True)():
        raise wrong_file(function, name, f"is not {can}")


def _load(file: BinaryIO, suffix: str | None, max_size: float | None) -> Any:
    """The tree in a file, from where it stands to its end."""
    import json

    name = name_of(file)
    if not getattr(file, "seekable", lambda: True)():
        remedy = "read it whole first, load(io.BytesIO(file.read()))"
        raise wrong_file("load", name, "cannot be read but from its start to its end", remedy)
    size = rest(file)
    if not size:
        raise at_its_end(name)
    with explained(name):
        found = _by_content(file)
        arrays, form = _READERS[suffix or found](file, _limit_of(size) if max_size is None else max_size)
        if form is None:
            return _as_tensors(arrays)
        described = json.loads(form, object_pairs_hook=trees.unique)
        if described["version"] > _VERSION:
            raise FileError(f"it was written by a newer version of minigrad (format {described['version']})")
        return trees.rebuild(described["tree"], arrays)


def _limit_of(size: int) -> int:
    """How many bytes the arrays of a file may take, if nothing is said of it."""
    return max(_ANYWAY, _FACTOR * size)


def _as_tensors(arrays: trees.Arrays) -> dict[str, Any]:
    return {key: asarray(value) for key, value in arrays.items()}
