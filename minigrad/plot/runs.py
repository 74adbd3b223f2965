"""What people give as `paths` or `runs`, read into one form."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from minigrad.core import Handle, unwrap
from minigrad.errors import ArgumentError, DTypeError, ShapeError
from minigrad.operands import numeric
from minigrad.optim.result import Result
from minigrad.optim.sweeping import SweepResult
from minigrad.tree import flatten

_KINDS = "a Result of minimize, an array, a list of them, a dict from labels to them, or what sweep returned"


class Run(NamedTuple):
    """A path of points with its name.

    Attributes
    ----------
    label : str
    points : ndarray of float64, shape (records, coordinates)
    steps : ndarray of int, shape (records,)
        After how many steps each point was reached.
    arrange : callable
        From an array of shape (coordinates, *rest) to what the objective takes: an array, or a tree of arrays, of the
        shape of the original points, followed by `rest`.
    result : Result or None
        Where the path comes from.
    """

    label: str
    points: np.ndarray
    steps: np.ndarray
    arrange: Callable[[np.ndarray], Any]
    result: Result | None


class Curve(NamedTuple):
    """A row of losses with its name.

    Attributes
    ----------
    label : str
    steps, losses : ndarray, shape (records,)
    result : Result or None
    """

    label: str
    steps: np.ndarray
    losses: np.ndarray
    result: Result | None


def _items(runs: Any, what: str, depth: int) -> list[tuple[str, Any]]:
    """Labels and single runs; a single run that is no Result is an array of `depth` dimensions, or a list of such."""
    named: list[tuple[str, Any]]
    if isinstance(runs, SweepResult):
        named = [(f"lr={lr:.4g}", result) for lr, result in runs]
    elif isinstance(runs, Mapping):
        named = [(str(label), run) for label, run in runs.items()]
    elif isinstance(runs, Result):
        named = [(runs.name, runs)]
    elif isinstance(runs, (np.ndarray, Handle)):
        array = unwrap(runs)
        named = [(f"{what} {i + 1}", run) for i, run in enumerate(array)] if array.ndim > 2 else [(what, array)]
    elif isinstance(runs, (list, tuple)):
        many = any(isinstance(run, Result) or (_ndim(run) >= depth and _size(run) != 1) for run in runs)
        labels = [run.name if isinstance(run, Result) else f"{what} {i + 1}" for i, run in enumerate(runs)]
        named = list(zip(labels, runs, strict=True)) if many else [(what, runs)] * bool(runs)
    else:
        raise DTypeError(f"{what}s are {_KINDS}, not {type(runs).__name__}")
    if not named:
        raise ArgumentError(f"there are no {what}s in an empty {type(runs).__name__}: give {_KINDS}")
    labels = [label for label, _ in named]
    unique = [f"{label}, {what} {i + 1}" if labels.count(label) > 1 else label for i, label in enumerate(labels)]
    return [(label, run) for label, (_, run) in zip(unique, named, strict=True)]


def _ndim(data: Any) -> int:
    return 1 + _ndim(data[0]) if isinstance(data, (list, tuple)) and data else int(getattr(data, "ndim", 0))


def _size(data: Any) -> int:
    return len(data) if isinstance(data, (list, tuple)) else int(getattr(data, "size", 1))


def plain(data: Any, what: str) -> np.ndarray:
    """Real numbers as a new array of float64."""
    leaves, rebuild = flatten(data)
    array = numeric(rebuild([unwrap(leaf) for leaf in leaves]), what)
    if array.dtype.kind == "c":
        raise DTypeError(f"{what} is made of real numbers, and these are complex: draw the real or imaginary part")
    return np.array(array, dtype=np.float64)


def read_paths(paths: Any, depth: int = 2) -> list[Run]:
    """The paths, of which a single one is an array of `depth` dimensions: (records, coordinates) or (records,)."""
    if isinstance(paths, list) and paths and all(isinstance(path, Run) for path in paths):
        return paths
    return [_path(label, run) for label, run in _items(paths, "path", depth)]


def _path(label: str, run: Any) -> Run:
    result = run if isinstance(run, Result) else None
    path = run.path if isinstance(run, Result) else run
    leaves, rebuild = flatten(path) if result is not None or _is_tree(path) else ([path], lambda new: new[0])
    arrays = [plain(leaf, f"the path {label!r}") for leaf in leaves]
    if not all(array.ndim and len(array) for array in arrays) or not arrays:
        raise ShapeError(f"the path {label!r} has no points: its shape is {' and '.join(str(a.shape) for a in arrays)}")
    if len({len(array) for array in arrays}) > 1:
        raise ShapeError(f"the parts of the path {label!r} differ in length: {', '.join(str(a.shape) for a in arrays)}")
    if result is None and arrays[0].ndim > 2:
        raise ShapeError(f"the path {label!r} has shape {arrays[0].shape}: a path is (records, coordinates)")
    points = np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1)
    shapes = [array.shape[1:] for array in arrays]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]

    def arrange(new: np.ndarray) -> Any:
        parts = np.split(new, ends)
        return rebuild([part.reshape(shape + new.shape[1:]) for part, shape in zip(parts, shapes, strict=True)])

    return Run(label, points, np.arange(len(points)) if result is None else result.recorded, arrange, result)


def _is_tree(path: Any) -> bool:
    """Whether this is, as the path of a Result may be, a dict of arrays, or a tuple of an array for each variable."""
    return isinstance(path, dict) or (isinstance(path, tuple) and all(isinstance(x, np.ndarray) for x in path))


def read_losses(runs: Any) -> list[Curve]:
    """The losses of runs, of which a single one that is no Result is a row of numbers."""
    return [_losses(label, run) for label, run in _items(runs, "run", 1)]


def _losses(label: str, run: Any) -> Curve:
    if isinstance(run, Result):
        return Curve(label, run.recorded, np.asarray(run.losses, dtype=np.float64), run)
    losses = plain(run, f"the loss curve {label!r}")
    if losses.size == 0 or losses.size != max(losses.shape, default=1):
        raise ShapeError(f"the loss curve {label!r} is a row of numbers, and has shape {losses.shape}")
    return Curve(label, np.arange(losses.size), losses.ravel(), None)


def said(label: str, fate: str) -> str:
    """A label, with what became of the run in parentheses."""
    return f"{label} ({fate})" if fate else label


def width(runs: list[Run], wanted: int, picture: str, remedy: str) -> None:
    """Raise if points do not have the number of coordinates that a picture can show."""
    for run in runs:
        if run.points.shape[1] != wanted:
            raise ShapeError(
                f"{picture} shows points of {wanted} coordinate{'s' * (wanted > 1)}, and those of the path "
                f"{run.label!r} have {run.points.shape[1]}: {remedy}"
            )
