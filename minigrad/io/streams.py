"""Arrays and files a piece at a time, so that nothing is in memory twice."""

import os
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import numpy as np

from minigrad.errors import FileError

PIECE = 2**20  # bytes
DIGEST = 64  # the length of a SHA-256 checksum in hexadecimal


def pieces(value: np.ndarray, dtype: np.dtype[Any] | None = None, order: str = "C") -> Iterator[bytes]:
    """The bytes of an array; `dtype` may have another order of bytes."""
    flags = ["external_loop", "buffered", "zerosize_ok"]
    size = PIECE // value.itemsize
    chunks = np.nditer(value, flags, op_dtypes=dtype, order=order, casting="equiv", buffersize=size)  # type: ignore[call-overload]
    with chunks:
        for chunk in chunks:
            yield chunk.tobytes()


def fill(value: np.ndarray, read: Callable[[int], bytes]) -> np.ndarray:
    """Read the bytes of a new array with one axis."""
    places = value.view(np.uint8).data
    done = 0
    while done < len(places):
        piece = read(min(PIECE, len(places) - done))
        if not piece:
            raise FileError("it ends in the middle of an array")
        places[done : done + len(piece)] = piece
        done += len(piece)
    return value


def exactly(file: BinaryIO, size: int) -> bytes:
    """So many bytes, however few the file gives at a time."""
    return fill(np.empty(size, np.uint8), file.read).tobytes()


def checksum(file: BinaryIO, size: int, start: bytes = b"") -> str:
    """The SHA-256 of some bytes, and of so many more from where the file stands."""
    import hashlib

    digest = hashlib.sha256(start)
    while size > 0:
        piece = file.read(min(PIECE, size))
        if not piece:
            raise FileError("it ends too early")
        digest.update(piece)
        size -= len(piece)
    return digest.hexdigest()


def rest(file: BinaryIO) -> int:
    """How many bytes there are from where the file stands, where it stays."""
    here = file.tell()
    size = file.seek(0, os.SEEK_END) - here
    file.seek(here)
    return size


def copy(source: BinaryIO, target: Any) -> None:
    """Copy the rest of a file to another one, which may take less at a time than it is given."""
    while piece := source.read(PIECE):
        left = memoryview(piece)
        while left:
            done = target.write(left.tobytes())
            left = left[done:] if isinstance(done, int) else left[len(left) :]
