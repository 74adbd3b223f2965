"""Training on one page: losses, learning rates, gradient norms and weights, with one cursor through all of them."""

import base64
import os
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.errors import DTypeError
from minigrad.graph.page import ASSETS as ELEMENTS
from minigrad.graph.page import filled
from minigrad.optim.series import Rows
from minigrad.plot.html_page import HtmlPage
from minigrad.plot.trainings import Line, Training, read_training

ASSETS = Path(__file__).with_name("assets")
SCRIPTS = ("scales.js", "panel.js", "lines.js", "gradients.js", "weights.js", "dashboard.js")

CELLS = 200_000  # of the norms of gradients that the page holds: two bytes each
BARS = 600_000  # of all histograms: one byte each
FEWEST = 8  # columns that are left, however many parameters there are

# In the codes of norms, before those of numbers.
_NONE, _ZERO, _BAD, _FIRST = range(4)
_LAST = 2**16 - 1


class Dashboard(HtmlPage):
    """The page of a training run: a notebook shows it, and `save` writes it.

    Attributes
    ----------
    html : str
        The page.
    """


def dashboard(
    history: Any, path: str | os.PathLike[str] | None = None, *, title: str = "Training", log: bool | None = None
) -> Dashboard:
    """A page that shows how training went on: one HTML file, which loads nothing and needs no package.

    Its panels are losses (with the mean of each epoch), learning rates, other measures such as accuracies, the norm of
    the gradient of each parameter, layer or block, and histograms of each parameter's values.  One cursor runs through
    all of them, moved by the pointer, the slider or the arrow keys, and everything is read out there.  NaN and inf
    leave gaps and marks, and a button leads to the first of them.

    Parameters
    ----------
    history : optim.History, mapping, Result, estimator
        A `History`, which was told of each step; or a dict from names to rows of numbers: losses have "loss" in their
        name, learning rates are ``"lr"``, norms of gradients ``"grad_norm"`` or, layer by layer, a dict under
        ``"gradients"``, and all others are measures.  A row that is shorter than the longest has a number for each
        epoch; other places are given as a pair (steps, numbers).  Also a `Result` of `minimize`, a list or dict of
        these, what `sweep` returned, and a fitted estimator of `minigrad.interop.sklearn`.
    path : path-like, optional
        The file to write.
    title : str
    log : bool, optional
        Whether the losses' axis is logarithmic at first; by default if they are positive and the largest is over 30
        times the smallest.

    Returns
    -------
    Dashboard
        Notebooks show it; `save` writes it, and `html` is the page as text.

    Raises
    ------
    ArgumentError
        If there are no steps yet, or the numbers make no sense.
    ShapeError
        If rows of numbers have another shape.
    DTypeError
        If `history` is something else.
    OSError
        If the file cannot be written there.

    Notes
    -----
    A page has some 45 kB, and up to 60 bytes more for each row of a curve, with 1,000 rows at most.  Norms have at most
    200,000 cells, and histograms some 600,000 bars, which makes at most 1.4 MB: where there are very many parameters,
    they are shown at fewer steps.

    Examples
    --------
    >>> from minigrad import plot
    >>> page = plot.dashboard({"loss": [2.0, 1.0, 0.5, 0.25], "val_loss": [1.5, 0.75], "lr": [0.1, 0.1, 0.05, 0.05]})
    >>> page
    <Dashboard: 4 steps, loss, val_loss, lr; save(path) writes the page>
    >>> page.html.startswith("<!DOCTYPE html>")
    True
    """
    if not (log is None or isinstance(log, (bool, np.bool_))):
        raise DTypeError(f"dashboard: log is True, False or None, not {log!r}")
    training = read_training(history)
    scripts = [ELEMENTS / "elements.js", *(ASSETS / name for name in SCRIPTS)]
    page = filled(ASSETS / "dashboard.html", scripts, _payload(training, str(title), log))
    names = dict.fromkeys(line.name for line in training.lines)
    made = Dashboard(page, str(title), ", ".join([_length(training), *names]))
    if path is not None:
        made.save(path)
    return made


# What the page holds


def _payload(training: Training, title: str, log: bool | None) -> dict[str, Any]:
    panels = {line.panel for line in training.lines}
    lines = [_line(line, alone="losses" not in panels) for line in training.lines]
    gradients = training.gradients.thinned(max(FEWEST, CELLS // max(1, len(training.names))))
    weights = _weights(training)
    steps = [end for line in lines for end in (line["first"][0], line["last"][-1])]
    steps += [*gradients.first[:1].tolist(), *gradients.last[-1:].tolist()]
    return {
        "title": title,
        "unit": training.unit,
        "facts": _length(training),
        "first": min(steps),
        "last": max(steps),
        "heading": "Losses" if "losses" in panels else "Values",
        "log": _is_wide(training.lines) if log is None else bool(log),
        "lines": lines,
        "ends": training.ends,
        "names": training.names,
        "paths": training.paths,
        "gradients": _norms(gradients) if len(gradients.first) else None,
        "weights": weights,
        "notes": _notes(training, gradients, weights),
    }


def _length(training: Training) -> str:
    count, unit = training.steps, training.unit
    epochs = f", {training.epochs:,} epoch{'s' * (training.epochs != 1)}" if training.epochs else ""
    return f"{count:,} {unit}{'s' * (count != 1)}{epochs}"


def _is_wide(lines: list[Line]) -> bool:
    """Whether the losses are seen better on a logarithmic axis."""
    rows = [line.series.rows for line in lines if line.panel == "losses"]
    known = [part[row.known > 0] for row in rows for part in (row.low, row.high)]
    numbers = np.concatenate([*known, np.empty(0)])
    return bool(numbers.size and numbers.min() > 0 and numbers.max() / 30 > numbers.min())


def _line(line: Line, alone: bool) -> dict[str, Any]:
    """A line as the page reads it; with no losses, other measures take their panel."""
    rows = line.series.rows
    known = rows.known[:, 0] > 0
    panel = "losses" if alone and line.panel == "measures" else line.panel
    made = {
        "name": line.name,
        "panel": panel,
        "kind": line.kind,
        "first": rows.first.tolist(),
        "last": rows.last.tolist(),
        "y": _short(rows.centre[:, 0], known),
        "bad": [[i, int(rows.bad[i, 0])] for i in np.flatnonzero(rows.bad[:, 0]).tolist()],
    }
    if line.series.stride > 1:
        made |= {"low": _short(rows.low[:, 0], known), "high": _short(rows.high[:, 0], known)}
    return made


def _short(numbers: np.ndarray, known: np.ndarray) -> list[float | None]:
    """Six digits of each number, and None where nothing is known."""
    return [float(f"{x:.6g}") if there else None for x, there in zip(numbers.tolist(), known.tolist(), strict=True)]


def _norms(rows: Rows) -> dict[str, Any]:
    """Norms as codes of two bytes: none, zero, not finite, or a place on a logarithmic scale."""
    positive = (rows.known > 0) & (rows.centre > 0)
    logs = np.log10(rows.centre, where=positive, out=np.zeros(rows.centre.shape))
    low, high = (float(logs[positive].min()), float(logs[positive].max())) if positive.any() else (0.0, 0.0)
    places = (logs - low) / ((high - low) or 1.0) * (_LAST - _FIRST)
    codes = np.where(positive, _FIRST + np.rint(places), np.where(rows.known > 0, _ZERO, _NONE))
    codes = np.where(rows.bad > 0, _BAD, codes).astype("<u2")
    return {
        "first": rows.first.tolist(),
        "last": rows.last.tolist(),
        "low": low,
        "high": high,
        "codes": _packed(codes.T),
    }


def _weights(training: Training) -> dict[str, Any] | None:
    """Histograms with a byte for each bar: the root of its height, so that low bars are seen too."""
    steps, facts, bad, counts = training.weights.stacked(len(training.names))
    if not len(steps) or not len(training.names):
        return None
    each = max(1, -(-counts.size // BARS))
    kept = slice(None, None, min(each, max(1, len(steps) // FEWEST)))
    steps, facts, bad, counts = steps[kept], facts[kept], bad[kept], counts[kept]
    highest = np.maximum(counts.max(axis=-1, keepdims=True), 1)
    bars = np.ceil(255 * np.sqrt(counts / highest)).astype(np.uint8)
    largest = float(np.finfo(np.float32).max)
    return {
        "steps": steps.tolist(),
        "bins": counts.shape[-1],
        "sizes": counts.sum(axis=-1).max(axis=0).tolist(),
        "facts": _packed(np.clip(facts, -largest, largest).astype("<f4").swapaxes(0, 1)),
        "bad": [[i, j, int(bad[j, i])] for j, i in np.argwhere(bad).tolist()],
        "bars": _packed(bars.swapaxes(0, 1)),
    }


def _packed(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _notes(training: Training, gradients: Rows, weights: dict[str, Any] | None) -> list[str]:
    """An account of what was merged or left out."""
    notes, unit = [], training.unit
    stride = max((line.series.stride for line in training.lines), default=1)
    if stride > 1:
        notes.append(
            f"Curves: up to {stride:,} {unit}s make one point, which is their mean, in a band from the lowest to the "
            "highest."
        )
    rows, spans = len(gradients.first), gradients.last - gradients.first
    if rows and spans.max() > 0:
        notes.append(
            f"Gradients: each of {rows:,} columns stands for up to {int(spans.max()) + 1:,} {unit}s, as the root of "
            "their mean square."
        )
    if weights is not None and len(weights["steps"]) > 1 and (apart := max(np.diff(weights["steps"]).tolist())) > 1:
        notes.append(f"Weights: {len(weights['steps'])} histograms, up to {apart:,} {unit}s apart.")
    return notes
