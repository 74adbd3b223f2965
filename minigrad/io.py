"""Saving and loading of nested dicts of Tensors, arrays, numbers and texts: never pickle, never code.

A file is an ``.npz`` archive of NumPy's, or a ``.safetensors`` file, that other programs can read: each array has a
name of its own, the path of keys that leads to it.  Beside the arrays there is a description of the tree in JSON, and a
checksum of the whole file, which finds any change of a byte.

A file is written beside its final place and then renamed.  So whenever the process is killed there is either the old
file or the new one, and both are whole.
"""

import io
import math
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import random
from minigrad.core import Handle
from minigrad.errors import (
    ArgumentError,
    DTypeError,
    FileError,
    MinigradError,
    MissingPackageError,
    arguments_swapped,
    damaged,
    missing_package,
    pickled,
    unknown_ending,
)
from minigrad.tensor import Tensor

# Modules that take milliseconds to import (hashlib, json, pathlib, zipfile) are imported where they are used: most
# programs that import minigrad save nothing.
if TYPE_CHECKING:
    from pathlib import Path

Arrays = dict[str, np.ndarray]
_VERSION = 1
_DIGEST = 64  # the length of a SHA-256 checksum in hexadecimal
_LONGEST = 10_000  # characters in the name of an array: zip allows 65535 bytes

# Trees as JSON.  What JSON has no form for is an object with the single key "#": [kind, ...].


def _describe(tree: Any, path: str, arrays: Arrays) -> Any:
    """A tree in JSON, whose arrays are put into `arrays` under their paths."""
    if tree is None or isinstance(tree, (bool, int, str)) or (isinstance(tree, float) and type(tree) is not np.float64):
        return tree
    if isinstance(tree, (Handle, np.ndarray, np.generic, complex)):
        value = np.asarray(tree.data if isinstance(tree, Handle) else tree)
        if value.dtype.kind not in "biufc":
            raise DTypeError(f"save: {path or 'this'} has dtype {value.dtype}: only numbers and bools can be saved")
        name = _name(path, arrays)
        arrays[name] = value
        kind = "tensor" if isinstance(tree, Handle) else "array" if isinstance(tree, np.ndarray) else "number"
        return {"#": [kind, name]}
    if isinstance(tree, Mapping):
        parts = [[key, _describe(part, f"{path}.{key}" if path else str(key), arrays)] for key, part in tree.items()]
        if all(isinstance(key, str) and key != "#" for key, _ in parts):
            return dict(parts)
        if not all(isinstance(key, (str, int, float, bool)) or key is None for key, _ in parts):
            raise DTypeError(f"save: the keys of {path or 'the dict'} must be texts or numbers")
        return {"#": ["dict", *parts]}
    if isinstance(tree, (list, tuple)):
        parts = [_describe(part, f"{path}.{i}" if path else str(i), arrays) for i, part in enumerate(tree)]
        return {"#": ["tuple", *parts]} if isinstance(tree, tuple) else parts
    raise DTypeError(
        f"save: {path or 'this'} is a {type(tree).__name__}: files hold dicts, lists and tuples of Tensors, arrays, "
        "numbers, texts, bools and None, and no other objects, since to load those is to run code"
    )


def _name(path: str, arrays: Arrays) -> str:
    """A name for an array: its path, if archives can hold that and it is not taken."""
    name = "".join(c if c.isprintable() and c != "\\" else "_" for c in path)[:_LONGEST] or "data"
    while name in arrays or name == "__metadata__":  # which safetensors has for itself
        name += "'"
    return name


def _rebuild(form: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """The tree that `_describe` took apart."""
    if isinstance(form, list):
        return [_rebuild(part, arrays) for part in form]
    if not isinstance(form, dict):
        return form
    if "#" not in form:
        return {key: _rebuild(part, arrays) for key, part in form.items()}
    kind, *parts = form["#"]
    if kind == "dict":
        return {key: _rebuild(part, arrays) for key, part in parts}
    if kind == "tuple":
        return tuple(_rebuild(part, arrays) for part in parts)
    value = arrays[parts[0]]
    if kind == "tensor":
        return Tensor(value)
    return {"array": value, "number": value[()]}[kind]


# npz: the description is a member of the archive, and the checksum is the archive's comment, at the very end


_TREE = "minigrad.json"
_MARK = b"minigrad-sha256:"


def _sha256(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()


def _to_npz(arrays: Arrays, form: str) -> bytes:
    import zipfile

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, value in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, value, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())
        archive.writestr(zipfile.ZipInfo(_TREE), form)
        archive.comment = _MARK + b"0" * _DIGEST
    content = file.getvalue()[:-_DIGEST]
    return content + _sha256(content).encode()


_MOST_DEFLATED = 1032  # how many bytes of zeros zip makes one byte of


def _check_size(name: str, member: Any, size: int) -> None:
    """Refuse an array that is larger than its file, before there is an attempt to allocate it."""
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(member)
    if math.prod(shape) * dtype.itemsize > size:
        raise FileError(f"{name} is said to have shape {shape}, for which there is not enough in the file")


def _from_npz(content: bytes) -> tuple[Arrays, str | None]:
    import zipfile

    signed = content[-_DIGEST - len(_MARK) : -_DIGEST] == _MARK
    if signed and _sha256(content[:-_DIGEST]).encode() != content[-_DIGEST:]:
        raise FileError("the checksum does not fit")
    arrays: Arrays = {}
    form = None
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if any(name.endswith("data.pkl") for name in archive.namelist()):
            raise pickled("this is a file of torch.save, which holds a pickle")
        for name in archive.namelist():
            with archive.open(name) as member:
                if name == _TREE:
                    form = member.read().decode()
                elif name.endswith(".npy"):
                    _check_size(name, member, min(archive.getinfo(name).file_size, _MOST_DEFLATED * len(content)))
                    member.seek(0)
                    arrays[name.removesuffix(".npy")] = np.lib.format.read_array(member, allow_pickle=False)
                else:
                    raise FileError(f"{name!r} in the archive is no array")
    if form is not None and not signed:
        raise FileError("the checksum is missing")
    return arrays, form


# safetensors: description and checksum are metadata in the header; for the checksum its own place is filled with zeros


def _library() -> Any:
    try:
        import safetensors.numpy  # optional, so not at the top
    except ImportError as error:
        what = "reading and writing files that end with .safetensors"
        raise missing_package(what, "safetensors", "io", "Files that end with .npz need nothing") from error
    return safetensors


_SUM = "minigrad-sha256"
_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1", "U64": "<u8",
    "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "?", "C64": "<c8", "BF16": "<u2",
}  # fmt: skip


def _to_safetensors(arrays: Arrays, form: str) -> bytes:
    for name, value in arrays.items():
        if value.dtype.kind == "c" or value.dtype.itemsize > 8:
            raise DTypeError(f"save: {name} is {value.dtype}, which .safetensors files cannot hold: save it as .npz")
    own = {name: np.ascontiguousarray(value).reshape(value.shape) for name, value in arrays.items()}
    content: bytes = _library().numpy.save(own, {"minigrad": form, _SUM: "0" * _DIGEST})
    return _with_sum(content, "0" * _DIGEST, _sha256(content))


def _with_sum(content: bytes, old: str, new: str) -> bytes:
    """The file with another checksum; quotation marks that belong to texts have a backslash before them."""
    return content.replace(f'"{_SUM}":"{old}"'.encode(), f'"{_SUM}":"{new}"'.encode(), 1)


def _from_safetensors(content: bytes) -> tuple[Arrays, str | None]:
    import json

    length = int.from_bytes(content[:8], "little")
    if not 2 <= length <= len(content) - 8:
        raise FileError("the header is damaged")
    header = json.loads(content[8 : 8 + length])
    metadata = header.pop("__metadata__", None) or {}
    if "minigrad" in metadata or _SUM in metadata:
        found = metadata.get(_SUM, "")
        if _sha256(_with_sum(content, found, "0" * _DIGEST)) != found:
            raise FileError("the checksum does not fit")
    entries = dict(_library().deserialize(content))
    return {name: _array(name, entries[name]) for name in header}, metadata.get("minigrad")


def _array(name: str, entry: dict[str, Any]) -> np.ndarray:
    """An array from its bytes; bfloat16, which NumPy does not have, becomes float32, without loss."""
    if entry["dtype"] not in _DTYPES:
        raise FileError(f"{name} has dtype {entry['dtype']}, which NumPy does not have")
    value = np.frombuffer(entry["data"], _DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return (value.astype(np.uint32) << 16).view(np.float32) if entry["dtype"] == "BF16" else value


# Files

_WRITERS: dict[str, Callable[[Arrays, str], bytes]] = {".npz": _to_npz, ".safetensors": _to_safetensors}
_READERS: dict[str, Callable[[bytes], tuple[Arrays, str | None]]] = {
    ".npz": _from_npz,
    ".safetensors": _from_safetensors,
}


def _known(path: str | os.PathLike[str]) -> "Path":
    """A path whose ending says of which kind the file is."""
    from pathlib import Path

    path = Path(path)
    if path.suffix not in _WRITERS:
        raise unknown_ending(path.name, path.suffix)
    return path


_one_at_a_time = threading.Lock()  # threads would write to one file beside


def _write(path: "Path", content: bytes) -> None:
    """Write a file so that there is never half of one under its name."""
    with _one_at_a_time:
        _sweep(path)
        _write_and_rename(path, content)
    if os.name == "posix":  # let the new name survive a crash of the machine, too, where folders can be synchronized
        with suppress(OSError):
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def _write_and_rename(path: "Path", content: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def _sweep(path: "Path") -> None:
    """Remove what processes that were killed while they wrote this file have left."""
    if os.name != "posix":
        return
    start = f".{path.name}."
    for left in [p for p in path.parent.iterdir() if p.name.startswith(start) and p.name.endswith(".tmp")]:
        owner = left.name.split(".")[-2]
        try:
            os.kill(int(owner), 0)  # asks whether the process is there
        except ProcessLookupError:
            left.unlink(missing_ok=True)
        except (PermissionError, ValueError, OverflowError):
            pass


def save(path: str | os.PathLike[str], tree: Any) -> None:
    """Save a tree of Tensors and arrays to a file.

    Parameters
    ----------
    path : str or path
        Ending with ``.npz`` or ``.safetensors``. An existing file is replaced at once, when the new one is whole.
    tree : dict, list, tuple, Tensor, array, number, text, bool or None
        Nested, but not in itself. Tensors are saved without their graph.

    Raises
    ------
    DTypeError
        If there is another object in the tree.
    ArgumentError
        If the name has another ending, or the tree contains itself.

    Examples
    --------
    >>> import tempfile
    >>> import minigrad as mg
    >>> model = mg.nn.Linear(2, 1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mg.save(f"{folder}/model.npz", {"model": model.state_dict(), "epoch": 3})
    ...     saved = mg.load(f"{folder}/model.npz")
    >>> saved["epoch"], model.load_state_dict(saved["model"])
    (3, IncompatibleKeys(missing_keys=[], unexpected_keys=[]))
    """
    import json

    if isinstance(tree, (str, os.PathLike)) and not isinstance(path, (str, os.PathLike)):
        raise arguments_swapped("save", "path, tree")
    path = _known(path)
    arrays: Arrays = {}
    try:
        form = json.dumps({"version": _VERSION, "tree": _describe(tree, "", arrays)})
    except RecursionError:
        raise ArgumentError("save: the tree is nested hundreds of levels deep, or contains itself") from None
    _write(path, _WRITERS[path.suffix](arrays, form))


def load(path: str | os.PathLike[str]) -> Any:
    """Load what `save` has saved.

    Files that others have made, with `numpy.savez` or with safetensors (from PyTorch, for instance), give a dict of
    Tensors by their names.

    Parameters
    ----------
    path : str or path
        Ending with ``.npz`` or ``.safetensors``.

    Raises
    ------
    FileError
        If the file is truncated or damaged, or holds pickled objects. Nothing of it is executed.
    FileNotFoundError
        If there is none.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import minigrad as mg
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/arrays.npz", a=np.ones(2))
    ...     mg.load(f"{folder}/arrays.npz")
    {'a': tensor([1., 1.])}
    """
    import json

    path = _known(path)
    content = path.read_bytes()
    try:
        if content[:1] == b"\x80" and content[8:9] != b"{":  # which the header of a .safetensors file begins with
            raise pickled()
        arrays, form = _READERS[path.suffix](content)
        if form is None:
            return {name: Tensor(value) for name, value in arrays.items()}
        described = json.loads(form)
        if described["version"] > _VERSION:
            raise FileError(f"it was written by a newer version of minigrad (format {described['version']})")
        return _rebuild(described["tree"], arrays)
    except (MissingPackageError, MemoryError):
        raise
    except MinigradError as error:
        raise FileError(f"{path} cannot be loaded: {error}") from error
    except Exception as error:  # whatever a reader says of bytes that mean nothing
        raise damaged(path, error) from error


# Checkpoints


def save_checkpoint(path: str | os.PathLike[str], **parts: Any) -> None:
    """Save all that training needs to go on, bit for bit: the states of its parts, and of the random numbers.

    Parameters
    ----------
    path : str or path
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


def load_checkpoint(path: str | os.PathLike[str], **parts: Any) -> dict[str, Any]:
    """Restore what `save_checkpoint` has saved, the random numbers included.

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
        raise ArgumentError(f"{path} is no checkpoint: it holds a {type(saved).__name__}")
    missing = [name for name in (*parts, "random") if name not in saved]
    if missing:
        raise ArgumentError(f"{path} has no {', '.join(missing)}; there are {', '.join(saved)}")
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
