"""What is said of optional packages, files, and data that is loaded from them."""

import errno
import os
from collections.abc import Iterable, Sequence
from typing import Any

from minigrad.errors import ArgumentError, DTypeError, FileError, MissingPackageError, ShapeError, WorkerError
from minigrad.errors.words import an


def arguments_swapped(function: str, order: str) -> DTypeError:
    """For arguments in the order of another library."""
    return DTypeError(f"{function}: the arguments are in the wrong order: write minigrad.{function}({order})")


def no_data_set(given: Any, missing: str) -> DTypeError:
    """For something that a loader cannot take samples from."""
    return DTypeError(
        f"DataLoader: a data set has __getitem__ and __len__, and this {type(given).__name__} has no {missing}: give "
        "it a list or a data.TensorDataset; for samples that come one after another, an object whose class "
        "derives from data.IterableDataset and defines __iter__"
    )


def missing_package(what: str, package: str, extra: str, otherwise: str = "") -> MissingPackageError:
    """For an optional package that is not installed; `otherwise` says how to do without it."""
    return MissingPackageError(
        f"{what} needs the package {package}, which is not installed: pip install {package} (the extra `{extra}`)"
        + (f". {otherwise}" if otherwise else "")
    )


# Files

_PICKLED = {".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".joblib"}
_WITHOUT_CODE = (
    "to load one is to run code. Save the weights as .safetensors where they come from (in PyTorch with "
    "safetensors.torch.save_file(model.state_dict(), path)), and load that"
)


def unknown_ending(name: str, suffix: str) -> ArgumentError:
    """For a file whose name does not say how it is written."""
    more = f". Files that end with {suffix} are pickles as a rule, and {_WITHOUT_CODE}" if suffix in _PICKLED else ""
    if suffix == ".npy":
        more = ". A single array is loaded with numpy.load"
    return ArgumentError(f"{name}: the name of a file must end with .npz or .safetensors{more}")


def pickled(what: str = "this is a pickle") -> FileError:
    """For a file that could run code."""
    return FileError(f"{what}, and {_WITHOUT_CODE}")


def in_pickle(name: str) -> FileError:
    """For an array of Python objects in an archive."""
    return pickled(f"{name!r} holds Python objects, which are pickled")


def twice(name: str) -> FileError:
    """For a name that stands twice where it may mean one thing only."""
    return FileError(f"the name {name!r} is there twice, and which of the two is meant cannot be known")


def too_large(total: int, size: int, limit: float) -> FileError:
    """For a file that is small because it unfolds, when it is read, into something that is large."""
    return FileError(
        f"unpacked it takes {total} bytes, and the file has {size}; more than {limit} are not unpacked. If you trust "
        f"where it comes from, write load(path, max_size={total})"
    )


def damaged(name: str, error: Exception) -> FileError:
    """For a file that its reader makes nothing of."""
    return FileError(
        f"{name} cannot be loaded, it is truncated or damaged: {type(error).__name__}: {error}. Copy or download it "
        "again, or go back to an older one: save() itself replaces a file only by a whole one"
    )


_MODES = {"save": "wb", "load": "rb"}


def no_file(function: str, given: Any) -> DTypeError:
    """For something that is neither a path nor a file."""
    remedy = ""
    if isinstance(given, int):
        remedy = f"; a descriptor becomes a file by open(descriptor, '{_MODES[function]}')"
    if isinstance(given, (bytes, bytearray, memoryview)):
        remedy = "; a path of bytes becomes a text by os.fsdecode(path), and the content of a file becomes a file by "
        remedy += "io.BytesIO(content)"
    return DTypeError(f"{function}: {an(type(given).__name__)} is neither a path nor a binary file{remedy}")


def wrong_file(function: str, name: str, why: str, remedy: str = "") -> ArgumentError:
    """For a file object that cannot be used as it is."""
    remedy = remedy or f"a file to {function} is opened by open(path, '{_MODES[function]}')"
    return ArgumentError(f"{function}: {name} {why}: {remedy}")


def at_its_end(name: str) -> FileError:
    """For a file that nothing can be read from."""
    return FileError(f"{name} cannot be loaded: it is empty, or stands at its end: file.seek(0) goes to its start")


def no_regular_file(path: str, folder: bool, instead: str) -> OSError:
    """For a place that no file can be put in."""
    if folder:
        return IsADirectoryError(errno.EISDIR, "a folder is there, so no file can be saved there", path)
    return OSError(
        errno.EINVAL,
        "a pipe or a device is there, which would be replaced by a file. To write to it: "
        f"with open(path, 'wb') as file: {instead}",
        path,
    )


_OF_FOLDERS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY}


def cannot_write(path: str, error: OSError, instead: str) -> OSError:
    """For a file that the system does not let us write: what it says, of the same kind, with a remedy."""
    why = f"{error.strerror or error}: the file cannot be saved, and nothing has changed"
    if error.errno in _OF_FOLDERS:
        why += (
            ". It is written beside its place first, so files must be allowed in its folder; where they are not: "
            f"with open(path, 'wb') as file: {instead}"
        )
    return OSError(error.errno, why, path) if error.errno else error


def missing_files(who: str, paths: Sequence[str]) -> FileNotFoundError:
    """For files of several that are not there."""
    others = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
    return FileNotFoundError(errno.ENOENT, f"{who}: there is no such file{others}", paths[0])


# Data


def no_batch(shapes: Iterable[tuple[int, ...]]) -> ShapeError:
    """For samples of different shapes."""
    words = ", ".join(map(str, sorted(shapes)[:5]))
    return ShapeError(
        f"samples of shapes {words} do not make a batch: pad them to one shape, or give the DataLoader a collate_fn "
        "that does"
    )


def other_lengths(dataset: str, lengths: Iterable[int]) -> ShapeError:
    """For arrays of a data set with different numbers of samples."""
    return ShapeError(
        f"{dataset}: there must be arrays with first axes of one length, not of {list(lengths)}: each array has an "
        "entry for each sample, in one order"
    )


def no_shards(given: Any) -> ArgumentError:
    """For a single path, or none at all, in the place of several."""
    what = "there are none" if given is None else f"this is one path, {os.fspath(given)!r}"
    return ArgumentError(
        f"ShardedDataset takes a list of files, and {what}: write sorted(glob.glob('folder/*.npy')), for instance"
    )


def shards_of_two_kinds(endings: Iterable[str], keys: Any) -> ArgumentError:
    """For files that are not all of one kind that can be read; `keys` are asked of files that have none."""
    if keys is not None and set(endings) == {".npy"}:
        return ArgumentError("ShardedDataset: keys are of .npz files, and an .npy file holds one array: leave them out")
    words = ", ".join(repr(ending) for ending in sorted(endings))
    return ArgumentError(
        f"ShardedDataset: the names of the files end with {words}, and must all end with .npy, or all with .npz: save "
        "other data with numpy.save, and join data sets of two kinds by data.ConcatDataset"
    )


def no_such_array(path: str, name: str | None, there: Iterable[str]) -> ArgumentError:
    """For an archive without an array of a name, or without any."""
    names = ", ".join(map(repr, there))
    what = "no arrays" if name is None else f"no array {name!r}: there are {names or 'none'}"
    return ArgumentError(f"ShardedDataset: {path} has {what}")


def no_numbers_in_file(path: str, name: str, shape: tuple[int, ...], dtype: Any) -> DTypeError | ShapeError:
    """For an array of a file whose rows are no samples."""
    which = f"the array {name!r} of {path}" if name else path
    if dtype.kind in "biufc":
        return ShapeError(f"ShardedDataset: {which} has shape {shape}, and no rows: save it as array[None]")
    why = "are pickled, and to load them is to run code" if dtype.kind == "O" else "are no numbers"
    return DTypeError(
        f"ShardedDataset: the elements of {which}, of dtype {dtype}, {why}: save it as an array of numbers, "
        "numpy.save(path, array.astype(float))"
    )


def other_rows(path: str, name: str, found: Any, first: str, expected: Any) -> DTypeError | ShapeError:
    """For a file whose rows are not those of the first."""
    which = f"the array {name!r} of {path}" if name else path
    if found.shape != expected.shape:
        return ShapeError(
            f"ShardedDataset: the rows of {which} have shape {found.shape}, and those of {first} {expected.shape}"
        )
    return DTypeError(
        f"ShardedDataset: {which} has dtype {found.dtype}, and {first} {expected.dtype}: save it with "
        f"array.astype('{expected.dtype}')"
    )


def worker_died(who: str, code: int | None) -> WorkerError:
    """For a worker process that is gone."""
    how = f"killed by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
    return WorkerError(
        f"{who} of the data loader died, {how}. Out of memory, or a crash in a library? With num_workers=0 the fault "
        "shows itself in the main process"
    )


def worker_late(who: str, timeout: float) -> WorkerError:
    """For a worker that does not answer."""
    return WorkerError(
        f"{who} of the data loader has not answered for {timeout} s: a sample takes longer than `timeout` allows, or "
        "the data set waits for something. With num_workers=0 one sees where"
    )


def stopped(dataset: Any, worker: int | None) -> WorkerError:
    """For StopIteration that comes out of a data set, or of what makes a batch of its samples."""
    where = "" if worker is None else f" in worker {worker} of the data loader"
    return WorkerError(
        f"StopIteration came out of the data set {type(dataset).__name__}, or of the collation of its samples,{where} "
        "and Python takes it for the end of a loop: raise another exception, such as IndexError for a number that is "
        "not there; and if it is next() that raises it, give that a default, as in next(iterator, None)"
    )
