"""Files of safetensors (https://huggingface.co/docs/safetensors): the length of a header, a header in JSON, bytes.

Description and checksum are metadata in the header; for the checksum its own place is filled with zeros.  The package
of this name is not needed: it holds all data twice when it writes or reads, and until 0.4.3 it wrote no metadata if
there were no arrays.
"""

import math
from typing import Any, BinaryIO

import numpy as np

from minigrad.errors import ArgumentError, DTypeError, FileError
from minigrad.errors.files import too_large
from minigrad.io.streams import DIGEST, checksum, exactly, fill, pieces, rest
from minigrad.io.trees import Arrays, unique

_SUM = "minigrad-sha256"
_TREE = "minigrad"
_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1", "U64": "<u8",
    "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1", "C64": "<c8", "BF16": "<u2",
}  # fmt: skip
_NAMES = {dtype: name for name, dtype in _DTYPES.items() if name not in ("C64", "BF16")}  # C64 is new, and read by few
_LONGEST = 100_000_000  # bytes of a header: the package reads no longer ones


def write(file: BinaryIO, arrays: Arrays, form: str) -> None:
    """Write an empty file, which must be readable, too."""
    import json

    little = {name: _little(name, value) for name, value in arrays.items()}
    by_size = sorted(arrays, key=lambda name: -arrays[name].itemsize)  # so all begin at multiples of their item size
    header: dict[str, Any] = {"__metadata__": {_SUM: "0" * DIGEST, _TREE: form}}
    end = 0
    for name in by_size:
        start, end = end, end + arrays[name].nbytes
        kind = _NAMES[little[name].str]
        header[name] = {"dtype": kind, "shape": arrays[name].shape, "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > _LONGEST:
        raise ArgumentError(f"save: {len(arrays)} arrays are too many for one .safetensors file: save them as .npz")
    file.write(len(text).to_bytes(8, "little") + text)
    for name in by_size:
        for piece in pieces(arrays[name], little[name]):
            file.write(piece)
    file.seek(0)
    found = checksum(file, rest(file))
    file.seek(8)
    file.write(_with_sum(text, "0" * DIGEST, found))


def _little(name: str, value: np.ndarray) -> np.dtype[Any]:
    """The dtype of an array in a file."""
    dtype = value.dtype.newbyteorder("<")
    if dtype.str not in _NAMES:
        raise DTypeError(f"save: {name} is {value.dtype}, which .safetensors files cannot hold: save it as .npz")
    return dtype


def _with_sum(header: bytes, old: str, new: str) -> bytes:
    """The header with another checksum; quotation marks that belong to texts have a backslash before them."""
    return header.replace(f'"{_SUM}":"{old}"'.encode(), f'"{_SUM}":"{new}"'.encode(), 1)


def read(file: BinaryIO, limit: float) -> tuple[Arrays, str | None]:
    """The arrays of a file, and the description of the tree if it is ours.

    What is read takes `limit` bytes at most, and nothing is allocated before it is known to be so.
    """
    import json

    start = exactly(file, 8)
    length, size = int.from_bytes(start, "little"), rest(file)
    if not 2 <= length <= min(size, _LONGEST):
        raise FileError("the header is damaged")
    text = exactly(file, length)
    header = json.loads(text, object_pairs_hook=unique)
    metadata = header.pop("__metadata__", None) or {}
    data = file.tell()
    if _TREE in metadata or _SUM in metadata:
        found = metadata.get(_SUM, "")
        if checksum(file, size - length, start + _with_sum(text, found, "0" * DIGEST)) != found:
            raise FileError("the checksum does not fit")
        file.seek(data)
    _check_entries(header, size - length, limit)
    arrays = {name: _array(entry, file) for name, entry in sorted(header.items(), key=_place)}
    return {name: arrays[name] for name in header}, metadata.get(_TREE)


def _place(item: tuple[str, dict[str, Any]]) -> list[int]:
    offsets: list[int] = item[1]["data_offsets"]
    return offsets


def _check_entries(header: dict[str, dict[str, Any]], size: int, limit: float) -> None:
    """Refuse arrays that do not lie one after another, each with the bytes that it takes."""
    here = 0
    total = 0
    for name, entry in sorted(header.items(), key=_place):
        if entry["dtype"] not in _DTYPES:
            raise FileError(f"{name} has dtype {entry['dtype']}, which NumPy does not have")
        shape = entry["shape"]
        start, end = entry["data_offsets"]
        if not all(type(length) is int and length >= 0 for length in (*shape, start, end)):
            raise FileError(f"{name} has shape {shape}, from {start} to {end}")
        taken = math.prod(shape) * np.dtype(_DTYPES[entry["dtype"]]).itemsize
        if start != here or end != start + taken:
            raise FileError(f"{name} of shape {shape} does not lie where its {taken} bytes should be")
        here = end
        total += 2 * taken if entry["dtype"] == "BF16" else taken
    if here != size:
        raise FileError(f"there are {size} bytes for arrays that take {here}")
    if total > limit:
        raise too_large(total, size, limit)


def _array(entry: dict[str, Any], file: BinaryIO) -> np.ndarray:
    """An array from its bytes; bfloat16, which NumPy does not have, becomes float32, without loss."""
    count = math.prod(entry["shape"])
    value = fill(np.empty(count, _DTYPES[entry["dtype"]]), file.read)
    if entry["dtype"] == "BF16":
        wide = value.astype(np.uint32)
        wide <<= 16
        value = wide.view(np.float32)
    return value.reshape(entry["shape"])
