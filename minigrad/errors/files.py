"""What is said of optional packages, files, and data that is loaded from them."""

from collections.abc import Iterable
from typing import Any

from minigrad.errors.tree import ArgumentError, DTypeError, FileError, MissingPackageError, ShapeError, WorkerError


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


def damaged(path: Any, error: Exception) -> FileError:
    """For a file that its reader makes nothing of."""
    return FileError(
        f"{path} cannot be loaded, it is truncated or damaged: {type(error).__name__}: {error}. Copy or download it "
        "again, or go back to an older one: save() itself replaces a file only by a whole one"
    )


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
