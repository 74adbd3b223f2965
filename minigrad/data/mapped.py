"""Arrays that stay in their files: how they go to another process, and how they leave the memory of this one."""

import mmap
import os
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np


class Place(NamedTuple):
    """Where an array is found: in which file, and at which byte its first element begins."""

    path: str
    offset: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def to_place(array: Any) -> Any:
    """The place of a memory-mapped array, or of a part of one; everything else as it is.

    Arrays whose file has no name, and those of mode "c", whose changes are in no file, are such, too.
    """
    if not isinstance(array, np.memmap) or not array.size or array.filename is None or array.mode == "c":
        return array
    held = _map_of(array)
    if held is None:
        return array
    # A part of an array has the attribute `offset` of the whole.  A map begins at a page.
    begin = array.offset - array.offset % mmap.ALLOCATIONGRANULARITY
    offset = begin + _address(array) - _address(np.frombuffer(held, np.uint8))
    return Place(os.fspath(array.filename), offset, array.dtype, array.shape, array.strides)


def from_place(given: Any) -> Any:
    """The array at a place, which cannot be written to; everything else as it is."""
    if not isinstance(given, Place):
        return given
    steps = [(length - 1) * stride for length, stride in zip(given.shape, given.strides, strict=True)]
    low = sum(min(0, step) for step in steps)  # the first element need not be at the lowest address
    size = sum(map(abs, steps)) + given.dtype.itemsize
    held = np.memmap(given.path, np.uint8, "r", given.offset + low, (size,))
    first = held[-low : given.dtype.itemsize - low].view(given.dtype)
    return np.lib.stride_tricks.as_strided(first, given.shape, given.strides, subok=True, writeable=False)


def _map_of(array: Any) -> "mmap.mmap | None":
    """The memory that an array, or a part of one, lies in."""
    while array is not None and not isinstance(array, mmap.mmap):
        array = getattr(array, "base", None)
    return array


def _address(array: np.ndarray) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


# Memory

_MOST = 2**26  # bytes
_AROUND = 2**16  # bytes that the system maps when one of them is read


class Pages:
    """What a process has read of mapped files, which counts as its memory: now and then it is let go of.

    The system keeps it in its cache, as long as there is room, so that to read it again takes microseconds.

    Parameters
    ----------
    share : int
        Among how many files 64 MiB are shared.
    """

    def __init__(self, share: int = 1) -> None:
        self.most, self.read = _MOST // share, 0

    def count(self, arrays: Iterable[Any], rows: int) -> None:
        """Count rows that were read from each of some arrays, of which some are mapped."""
        mapped = [array for array in arrays if isinstance(array, np.memmap) and array.mode != "c"]
        self.read += sum(rows * max(_AROUND, array[:1].nbytes) for array in mapped)
        if self.read > self.most:
            self.read = 0
            for array in mapped:
                _let_go(_map_of(array))


def _let_go(held: Any) -> None:
    if hasattr(mmap, "MADV_DONTNEED") and held is not None:  # Windows has none, and does it by itself
        held.madvise(mmap.MADV_DONTNEED)
