"""Data sets that are larger than memory: the rows of arrays in several files."""

import os
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from minigrad.creation import asarray
from minigrad.data.dataset import Dataset, within
from minigrad.data.mapped import Pages
from minigrad.errors.files import (
    damaged,
    missing_files,
    no_numbers_in_file,
    no_shards,
    no_such_array,
    other_lengths,
    other_rows,
    shards_of_two_kinds,
)
from minigrad.operands import NUMBERS
from minigrad.options import whole_number
from minigrad.tensor import Tensor

Path = str | os.PathLike[str]
Headers = dict[str, tuple[tuple[int, ...], np.dtype[Any]]]


class Rows(NamedTuple):
    """What a file says of an array: how many rows it has, and of which form they are."""

    number: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class ShardedDataset(Dataset):
    """Samples that are the rows of arrays in several files, one file after the other.

    Only the rows of a batch are read from ``.npy`` files.  An ``.npz`` file is unpacked as a whole when a row of it is
    wanted, and all rows of a batch that it has are taken at once; in random order each batch wants most of the files,
    so take ``.npy`` files for that, or a `cache` that holds all.  Pickled, it is the names of its files.

    Parameters
    ----------
    paths : sequence of str or path
        Files of NumPy's, all of which end with ``.npy``, or all with ``.npz``.  Their rows have one shape and dtype.
    keys : sequence of str, optional
        Which arrays of ``.npz`` files are wanted; by default all that the first file has.
    cache : int
        How many files are kept open, or unpacked.

    Attributes
    ----------
    paths : list of str
        They are absolute.
    keys : list of str
        Empty for ``.npy`` files.
    cumulative_sizes : list of int
        How many samples there are up to the end of each file.

    Raises
    ------
    FileNotFoundError
        If a file is not there.
    FileError
        If a file is damaged, or holds Python objects.
    ShapeError, DTypeError
        If the rows of a file have another shape or dtype than those of the first.
    ArgumentError
        If there are no files, their names end differently, or one has no such array.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import minigrad as mg
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/0.npy", np.array([[0.0, 1.0], [2.0, 3.0]]))
    ...     np.save(f"{folder}/1.npy", np.array([[4.0, 5.0]]))
    ...     rows = mg.data.ShardedDataset([f"{folder}/0.npy", f"{folder}/1.npy"])
    ...     len(rows), rows[2], [len(batch) for batch in mg.data.DataLoader(rows, batch_size=2)]
    (3, tensor([4., 5.]), [2, 1])

    The samples of ``.npz`` files are dicts:

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/0.npz", x=np.ones((2, 3)), label=np.array([0, 1]))
    ...     mg.data.ShardedDataset([f"{folder}/0.npz"])[1]
    {'x': tensor([1., 1., 1.]), 'label': tensor(1)}
    """

    def __init__(self, paths: Iterable[Path], keys: Sequence[str] | None = None, cache: int = 8) -> None:
        self.paths = _existing(paths)
        packed = _ending(self.paths, keys) == ".npz"
        described = [_described(path, keys if packed else [""]) for path in self.paths]
        self._names = list(described[0])  # of an .npy file the empty one
        self.keys = self._names if packed else []
        for path, found in zip(self.paths, described, strict=True):
            self._check(path, found, described[0])
        self._rows = described[0]
        self.cumulative_sizes = list(accumulate(found[self._names[0]].number for found in described))
        self._recent = _Recent(self._names, whole_number(cache, "ShardedDataset: cache"))

    def _check(self, path: str, found: dict[str, Rows], first: dict[str, Rows]) -> None:
        """Refuse a file that does not go with the first."""
        for name in self._names:
            if name not in found:
                raise no_such_array(path, name, found)
            if found[name][1:] != first[name][1:]:
                raise other_rows(path, name, found[name], self.paths[0], first[name])
        counts = [found[name].number for name in self._names]
        if len(set(counts)) > 1:
            raise other_lengths(f"ShardedDataset: {path}", counts)

    def __getitem__(self, index: int) -> Any:
        number = within(index, len(self))
        shard = bisect_right(self.cumulative_sizes, number)
        file = self._recent(self.paths[shard])
        sample = {name: Tensor(array[number - self._start(shard)]) for name, array in file.arrays.items()}
        file.pages.count(file.arrays.values(), 1)
        return self._form(sample)

    def __getbatch__(self, indices: Sequence[int]) -> Any:
        numbers = np.array([within(index, len(self)) for index in indices], np.intp)
        shards = np.searchsorted(self.cumulative_sizes, numbers, side="right")
        batch = {name: np.empty((len(numbers), *r.shape), r.dtype) for name, r in self._rows.items()}
        for shard in np.unique(shards).tolist():
            here, file = np.flatnonzero(shards == shard), self._recent(self.paths[shard])
            for name, array in file.arrays.items():
                batch[name][here] = array[numbers[here] - self._start(shard)]
            file.pages.count(file.arrays.values(), here.size)
        return self._form({name: asarray(array) for name, array in batch.items()})

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def _start(self, shard: int) -> int:
        """The number of the first sample of a file."""
        return self.cumulative_sizes[shard - 1] if shard else 0

    def _form(self, tensors: dict[str, Tensor]) -> Any:
        return tensors if self.keys else tensors[""]


@contextmanager
def _reading(path: str) -> Iterator[None]:
    """Say which file it is whose bytes mean nothing."""
    import zipfile  # only where they are wanted: they take milliseconds
    import zlib

    try:
        yield
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise damaged(path, error) from error


# Before a row is read


def _existing(paths: Iterable[Path]) -> list[str]:
    """The absolute names of files that are there."""
    if isinstance(paths, (str, os.PathLike)):
        raise no_shards(paths)
    found = [os.path.abspath(path) for path in paths]
    if not found:
        raise no_shards(None)
    missing = [path for path in found if not os.path.exists(path)]
    if missing:
        raise missing_files("ShardedDataset", missing)
    return found


def _ending(paths: Sequence[str], keys: Any) -> str:
    endings = {os.path.splitext(path)[1] for path in paths}
    if endings not in ({".npy"}, {".npz"}) or (keys is not None and endings == {".npy"}):
        raise shards_of_two_kinds(endings, keys)
    return endings.pop()


def _described(path: str, keys: Sequence[str] | None) -> dict[str, Rows]:
    """The arrays of a file by their names, from what it says of them; no row is read."""
    with _reading(path):
        found = _headers_of_archive(path, keys) if path.endswith(".npz") else _header_of_file(path)
    absent = [key for key in keys or () if key not in found]
    if absent or not found:
        raise no_such_array(path, absent[0] if absent else None, found)
    for name, (shape, dtype) in found.items():
        if dtype.kind not in NUMBERS or not shape:
            raise no_numbers_in_file(path, name, shape, dtype)
    return {name: Rows(shape[0], shape[1:], dtype) for name, (shape, dtype) in found.items()}


def _header_of_file(path: str) -> Headers:
    with open(path, "rb") as file:
        return {"": _header(file)}


def _headers_of_archive(path: str, keys: Sequence[str] | None) -> Headers:
    import zipfile

    found = {}
    with zipfile.ZipFile(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
        for name in names if keys is None else [key for key in keys if key in names] or names:
            with archive.open(f"{name}.npy") as member:
                found[name] = _header(member)
    return found


def _header(file: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    older = np.lib.format.read_magic(file) == (1, 0)
    read = np.lib.format.read_array_header_1_0 if older else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


# Rows


class _Opened(NamedTuple):
    """The arrays of a file by their names, and what was read of them."""

    arrays: dict[str, np.ndarray]
    pages: Pages


class _Recent:
    """Those files that were read from last, open or unpacked.

    Threads may open a file twice at the same time.  A lock would prevent that, and a process that is forked while it is
    held could never open it.
    """

    def __init__(self, names: Sequence[str], size: int) -> None:
        self.names, self.size = names, size
        self.files: OrderedDict[str, _Opened] = OrderedDict()

    def __reduce__(self) -> Any:
        return _Recent, (self.names, self.size)

    def __call__(self, path: str) -> _Opened:
        """A file, which is the most recent one then."""
        found = self.files.pop(path, None) or _Opened(self._read(path), Pages(self.size))
        self.files[path] = found
        with suppress(KeyError):  # another thread may have been quicker
            while len(self.files) > self.size:
                self.files.popitem(last=False)
        return found

    def _read(self, path: str) -> dict[str, np.ndarray]:
        with _reading(path):
            if path.endswith(".npy"):
                return {"": np.load(path, mmap_mode="r", allow_pickle=False)}
            with np.load(path, allow_pickle=False) as archive:
                return {name: archive[name] for name in self.names}
