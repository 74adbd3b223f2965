"""What people give to `dashboard`, read into one form."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.core import Handle
from minigrad.errors import ArgumentError, DTypeError, ShapeError
from minigrad.optim.history import History
from minigrad.optim.result import Result
from minigrad.optim.series import Series
from minigrad.optim.snapshots import Snapshots
from minigrad.optim.sweeping import SweepResult
from minigrad.plot.runs import plain, read_losses

LIMIT = 1000  # rows of what is given as plain numbers, as a History keeps by default
_KINDS = (
    'an optim.History, a dict of rows of numbers such as {"loss": [...], "lr": [...]}, Results of minimize, what sweep '
    "returned, or a fitted estimator of interop.sklearn"
)
_RATES = re.compile(r"(^|[^a-z])(lr|learning[_ ]rates?)([^a-z]|$)")
_NORMS = re.compile(r"grad(ient)?s?([_ ]norms?)?")


class Line(NamedTuple):
    """A curve of the dashboard.

    Attributes
    ----------
    name : str
    panel : {"losses", "rates", "measures"}
    kind : {"step", "mean", "epoch"}
        Whether there is a number for each step, for each epoch beside those for each step (as a rule their mean), or
        for each epoch only.
    series : Series
    """

    name: str
    panel: str
    kind: str
    series: Series


class Training(NamedTuple):
    """What the dashboard shows.

    Attributes
    ----------
    unit : {"step", "epoch"}
        What is counted along the pictures.
    lines : list of Line
    names : list of str
        Of what the gradients are of.
    paths : bool
        Whether these are paths of parameters, which make layers and blocks.
    gradients : Series
        Their norms, a column for each name.
    weights : Snapshots
    ends : list of int
        The steps after which an epoch ended, as far as they are known one by one.
    steps, epochs : int
        How many there were.
    """

    unit: str
    lines: list[Line]
    names: list[str]
    paths: bool
    gradients: Series
    weights: Snapshots
    ends: list[int]
    steps: int
    epochs: int


def read_training(given: Any) -> Training:
    """All that people give, in one form."""
    if isinstance(given, History):
        return _of_history(given)
    if isinstance(given, (Result, SweepResult)) or (_all_results(given) and len(given)):
        return _of_results(given)
    if isinstance(given, Mapping):
        return _of_rows({str(name): row for name, row in given.items()}, "step")
    if hasattr(given, "loss_history_"):  # which an estimator has when it is fitted
        rows = {"loss": given.loss_history_, "validation loss": given.validation_history_}
        return _of_rows({name: (range(1, len(row) + 1), row) for name, row in rows.items()}, "epoch")
    hint = ": fit it first" if hasattr(given, "get_params") else ""
    raise DTypeError(f"dashboard shows {_KINDS}, and not {type(given).__name__}{hint}")


def _all_results(given: Any) -> bool:
    values = given.values() if isinstance(given, Mapping) else given if isinstance(given, (list, tuple)) else [None]
    return all(isinstance(value, Result) for value in values)


def _panel(name: str) -> str:
    if _RATES.search(name.lower()):
        return "rates"
    return "losses" if "loss" in name.lower() else "measures"


def _of_history(history: History) -> Training:
    if not (history.values or history.epochs or history.gradients.length):
        raise ArgumentError(
            "dashboard: there is nothing in this History yet: call history.record(loss=loss) in each step of the "
            "training, after loss.backward()"
        )
    lines = [Line(name, _panel(name), "step", series) for name, series in history.values.items()]
    for name, series in history.epochs.items():
        kind = "mean" if name in history.values else "epoch"
        if (kind, _panel(name)) != ("mean", "rates"):  # which says nothing
            lines.append(Line(name, _panel(name), kind, series))
    longest = max(history.epochs.values(), key=lambda series: series.length, default=None)
    ends = longest.rows.last.tolist() if longest is not None and longest.stride == 1 else []
    steps, epochs = history.step, history.epoch
    return Training("step", lines, history.names, True, history.gradients, history.weights, ends, steps, epochs)


def _of_results(given: Any) -> Training:
    curves = read_losses(given)
    lines = [Line(c.label, "losses", "step", Series.of(c.steps, c.losses, LIMIT)) for c in curves]
    rows = {c.label: c.result.gradient_norms for c in curves if c.result is not None and c.result.gradient_norms.size}
    steps = max(int(curve.steps[-1]) for curve in curves)
    return Training("step", lines, list(rows), False, _norms(rows), Snapshots(0, 1), [], steps, 0)


def _of_rows(given: Mapping[str, Any], unit: str) -> Training:
    values: dict[str, tuple[Any, np.ndarray]] = {}
    norms: dict[str, np.ndarray] = {}
    for name, row in given.items():
        if isinstance(row, Mapping):
            if not _NORMS.fullmatch(name.lower()):
                raise DTypeError(
                    f"dashboard: {name!r} is a row of numbers, and not a dict: norms of gradients by their layers go "
                    'under "gradients"'
                )
            norms.update({str(layer): _row(f"{name}, {layer}", numbers) for layer, numbers in row.items()})
        elif _NORMS.fullmatch(name.lower()):
            norms[name] = _row(name, row)
        else:
            values.update(_columns(name, row))
    norms = {name: row for name, row in norms.items() if len(row)}
    values = {name: pair for name, pair in values.items() if len(pair[1])}
    if not values and not norms:
        raise ArgumentError(f"dashboard: there are no numbers in this {type(given).__name__}: give {_KINDS}")
    length = max(map(len, [*(row for _, row in values.values()), *norms.values()]))
    lines = []
    for name, (steps, row) in values.items():
        if steps is None:
            shorter = len(row) < length
            steps = np.arange(1, len(row) + 1) * length // len(row) if shorter else np.arange(length)
            kind = "epoch" if shorter else "step"
        else:
            kind = "epoch" if unit == "epoch" else "step"
        lines.append(Line(name, _panel(name), kind, Series.of(steps, row, LIMIT)))
    last = max([int(line.series.rows.last[-1]) for line in lines], default=0)
    return Training(unit, lines, list(norms), True, _norms(norms), Snapshots(0, 1), [], max(last, length), 0)


def _columns(name: str, row: Any) -> Iterator[tuple[str, tuple[Any, np.ndarray]]]:
    """The steps (None where they are counted) and the numbers of each column, by name."""
    steps = None
    if isinstance(row, tuple) and len(row) == 2 and all(isinstance(x, (Sequence, np.ndarray, Handle)) for x in row):
        steps, row = plain(row[0], f"the steps of {name!r}"), row[1]
        rising = steps.ndim == 1 and np.isfinite(steps).all() and (np.diff(steps) >= 0).all()
        if not rising or (steps != steps.round()).any() or (np.abs(steps) > 2**53).any():
            raise ArgumentError(f"dashboard: the steps of {name!r} are whole numbers, none smaller than one before it")
    table = plain(row, f"{name!r}")
    if table.ndim not in (1, 2) or (steps is not None and len(steps) != len(table)):
        given = f"{len(steps)} steps and numbers" if steps is not None else "numbers"
        raise ShapeError(
            f"dashboard: {name!r} has {given} of shape {table.shape}: give a number for each step, or a pair (steps, "
            "numbers) of the same length"
        )
    if table.ndim == 1:
        yield name, (steps, table)
    else:
        yield from ((f"{name}, group {i}", (steps, column)) for i, column in enumerate(table.T))


def _row(name: str, row: Any) -> np.ndarray:
    numbers = plain(row, f"{name!r}")
    if numbers.ndim != 1:
        raise ShapeError(f"dashboard: {name!r} has shape {numbers.shape}: give one norm for each step")
    if (numbers < 0).any():
        raise ArgumentError(f"dashboard: {name!r} has negative numbers, which are no norms")
    return numbers


def _norms(rows: Mapping[str, np.ndarray]) -> Series:
    """Rows of norms, which may be of different length, as the columns of a series."""
    length = max(map(len, rows.values()), default=0)
    table, there = np.zeros((length, len(rows))), np.zeros((length, len(rows)), bool)
    for i, row in enumerate(rows.values()):
        table[: len(row), i], there[: len(row), i] = row, True
    return Series.of(np.arange(length), table, LIMIT, there, squares=True)
