"""How runs get on: losses, and points of one variable, against the number of the step."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.errors import ArgumentError, ShapeError
from minigrad.options import whole_number
from minigrad.plot.figure import LARGEST, add_legend, axes, finite, fit_y, heights_of_lines, style, whole_ticks
from minigrad.plot.runs import Curve, plain, read_losses, read_paths, said, width

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def losses(
    runs: Any,
    *,
    x: Any = None,
    log: bool = True,
    ylim: tuple[float, float] | None = None,
    limit: float | None = None,
    xlabel: str | None = None,
    steps_per_epoch: int | None = None,
    legend: bool | str = True,
    ax: "Axes | None" = None,
) -> "Axes":
    """Loss curves.

    Parameters
    ----------
    runs : Result, row of numbers, list or dict of these, or what sweep returned
        Losses that are not finite leave gaps, and a curve that ends in one is said to diverge.  A loss between two gaps
        is a marker.
    x : row of numbers, or list or dict of rows, optional
        Where the losses are drawn, if not at the numbers of the steps; one row for all curves, or one for each.
    log : bool
        A logarithmic axis.  Where losses are 0 it is linear below the smallest positive loss, and where they are
        negative it is linear altogether; the label of the axis says so.
    ylim : pair, optional
        The limits of the losses' axis: by default they hold the curves that do not diverge, and where others leave.
    limit : float, optional
        Draw a dotted line at this loss.
    xlabel : str, optional
        What the losses are drawn over: by default "step", or "epoch".
    steps_per_epoch : int, optional
        How many steps an epoch has, such as the length of a `DataLoader`: then the losses are drawn over epochs, pale,
        and in front of them the mean of each epoch, at its end.  The first of the given losses is that before the first
        step.
    legend, ax
        As for `contour`.

    Returns
    -------
    matplotlib Axes
        Its first lines are the curves, in the given order and with all their points; then come the means of epochs.

    Raises
    ------
    ShapeError
        If losses are not a row of numbers, or `x` is not as long.
    ValueError
        If there are no runs, `ylim` is not a pair (low, high), positive for a logarithmic axis, or there are both `x`
        and `steps_per_epoch`.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import plot
    >>> runs = mg.optim.sweep(mg.objectives.bowl(1, 10), (4.0, 2.5), [0.01, 0.09], steps=50)
    >>> ax = plot.losses(runs, limit=1e-4)
    >>> ax.get_yscale(), [text.get_text() for text in ax.get_legend().get_texts()]
    ('log', ['lr=0.01', 'lr=0.09', 'limit 0.0001'])
    """
    curves = read_losses(runs)
    if steps_per_epoch is not None:
        whole_number(steps_per_epoch, "losses: steps_per_epoch")
        if x is not None:
            raise ArgumentError("losses are drawn over x, or over epochs: leave out x or steps_per_epoch")
    length = steps_per_epoch or 1
    places = _places(x, [(curve.label, curve.steps / length if length > 1 else curve.steps) for curve in curves])
    fates = []
    for curve in curves:
        diverged = curve.result is not None and curve.result.diverged
        ended = "" if np.isfinite(curve.losses[-1]) else "diverges"
        fates.append(curve.result.verdict if diverged and curve.result is not None else ended)
    ax = axes(ax)
    labels = [said(curve.label, word) for curve, word in zip(curves, fates, strict=True)]
    _draw(ax, labels, places, [curve.losses for curve in curves], list(map(bool, fates)), "loss", log, ylim, limit)
    if length > 1:
        _draw_means(ax, ax.lines[: len(curves)], [_means(curve, length) for curve in curves])
    if x is None:
        whole_ticks(ax.xaxis)
    ax.set_xlabel(xlabel or ("step" if steps_per_epoch is None else "epoch"))
    add_legend(ax, legend)
    return ax


def _means(curve: Curve, length: int) -> tuple[np.ndarray, np.ndarray]:
    """The ends of epochs of so many steps, and the mean loss over each, the last one perhaps unfinished."""
    epochs = curve.steps // length
    ends = np.append(np.flatnonzero(np.diff(epochs)) + 1, len(epochs))
    with np.errstate(all="ignore"):
        means = [part.mean() for part in np.split(curve.losses, ends[:-1])]
    return np.minimum(epochs[ends - 1] + 1, (curve.steps[-1] + 1) / length), np.array(means)


def _draw_means(ax: "Axes", lines: Sequence[Any], means: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
    """The means in front of their curves, which grow pale and leave the name to them."""
    for line, (ends, heights) in zip(lines, means, strict=True):
        marker = "o" if len(ends) < 40 else ""
        look = {"color": line.get_color(), "linestyle": line.get_linestyle(), "label": line.get_label()}
        ax.plot(ends, heights, marker=marker, markersize=4.5, **look)
        line.set(alpha=0.35, linestyle="-", linewidth=1.0, label=None)


def iterates(
    runs: Any,
    *,
    minimum: Any = None,
    log: bool = False,
    ylim: tuple[float, float] | None = None,
    legend: bool | str = True,
    ax: "Axes | None" = None,
) -> "Axes":
    """The point of each step, for functions of one variable; or its distance from the minimum, for all functions.

    Parameters
    ----------
    runs : Result, path, list or dict of these, or what sweep returned
    minimum : point, optional
        Draw the distance from here.
    log, ylim
        As for `losses`.
    legend, ax
        As for `contour`.

    Returns
    -------
    matplotlib Axes
        Its first lines are the runs, in the given order and with all their points.

    Raises
    ------
    ShapeError
        If points have more than one coordinate, and no minimum is given or it has another number of them.
    ValueError
        If there are no runs.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import plot
    >>> run = mg.optim.minimize(mg.objectives.parabola, 10.0, lr=0.1, steps=50)
    >>> ax = plot.iterates({"plain": run}, minimum=-2.5, log=True)
    >>> ax.get_ylabel(), ax.lines[0].get_ydata()[0]
    ('$|x - x^*|$', np.float64(12.5))
    """
    point = None if minimum is None else plain(minimum, "the minimum").ravel()
    paths = read_paths(runs, depth=1 if point is None or point.size == 1 else 2)
    if point is None:
        width(paths, 1, "iterates", "give minimum=, and the distance from it is drawn")
    rows = []
    for run in paths:
        if point is not None and run.points.shape[1] != point.size:
            raise ShapeError(
                f"the minimum has {point.size} coordinates, and the points of {run.label!r} have {run.points.shape[1]}"
            )
        with np.errstate(all="ignore"):
            rows.append(run.points[:, 0] if point is None else _length(run.points - point))
    fates = [run.result.verdict if run.result is not None and run.result.diverged else "" for run in paths]
    labels = [said(run.label, word) for run, word in zip(paths, fates, strict=True)]
    away = [bool(word) or not np.isfinite(row[-1]) for word, row in zip(fates, rows, strict=True)]
    many = point is not None and point.size > 1
    what = "$x$" if point is None else r"$\|w - w^*\|$" if many else "$|x - x^*|$"
    ax = axes(ax)
    _draw(ax, labels, [run.steps for run in paths], rows, away, what, log, ylim, None)
    whole_ticks(ax.xaxis)
    ax.set_xlabel("step")
    add_legend(ax, legend)
    return ax


def _length(vectors: np.ndarray) -> np.ndarray:
    """The norm of each row, also where the squares of its numbers overflow."""
    length: np.ndarray = np.hypot.reduce(vectors, axis=1)
    return length


def _places(x: Any, curves: list[tuple[str, np.ndarray]]) -> list[np.ndarray]:
    """Where each curve is drawn."""
    if x is None:
        return [steps for _, steps in curves]
    if isinstance(x, Mapping):
        if missing := [label for label, _ in curves if label not in x]:
            raise ArgumentError(f"x has no row for {missing[0]!r}: its rows are {', '.join(map(repr, x))}")
        rows = [x[label] for label, _ in curves]
    elif isinstance(x, (list, tuple)) and x and np.ndim(x[0]) == 1:
        rows = list(x)
    else:
        rows = [x] * len(curves)
    if len(rows) != len(curves):
        raise ShapeError(f"x has {len(rows)} rows for {len(curves)} curves")
    places = [plain(row, "x") for row in rows]
    for place, (label, steps) in zip(places, curves, strict=True):
        if place.shape != steps.shape:
            raise ShapeError(f"x of shape {place.shape} does not fit the {len(steps)} losses of {label!r}")
    return places


def _draw(
    ax: "Axes",
    labels: Sequence[str],
    places: Sequence[np.ndarray],
    rows: Sequence[np.ndarray],
    away: Sequence[bool],
    what: str,
    log: bool,
    ylim: tuple[float, float] | None,
    limit: float | None,
) -> None:
    """Curves on an axis whose scale fits them all; those that run away from others are seen to leave the picture."""
    ax.set_autoscaley_on(False)
    lines = []
    for i, (label, place, row) in enumerate(zip(labels, places, rows, strict=True)):
        alone = _alone(row)
        look = style(i) if alone else {**style(i), "marker": None}
        lines += ax.plot(place, row, **look, linewidth=1.8, markevery=alone, label=label)
    if limit is not None:
        ax.axhline(limit, color="0.4", linestyle=(0, (1, 2)), label=f"limit {limit:g}")
    leaving = [] if all(away) else [i for i, runs_away in enumerate(away) if runs_away]
    beginnings = [rows[i][np.isfinite(rows[i])][:1] for i in leaving]
    kept = finite([heights_of_lines(ax, without=[lines[i] for i in leaving]), *beginnings])
    note = fit_y(ax, np.append(kept, _near(kept, finite(rows[i] for i in leaving), log)), log, ylim)
    ax.set_ylabel(f"{what}\n({note})" if note else what)
    ax.grid(alpha=0.25)


def _near(kept: np.ndarray, others: np.ndarray, log: bool) -> np.ndarray:
    """Numbers that run away, cut off so that they make the range of those that are kept half as large again at most."""
    if not kept.size:
        return others
    positive = np.clip(kept[kept > 0], 1 / LARGEST, None)
    if log and positive.size and kept.min() >= 0:
        room = max(10.0, np.sqrt(positive.max()) / np.sqrt(positive.min()))
        return np.clip(others, positive.min(), positive.max() * min(room, LARGEST / positive.max()))
    room = np.ptp(kept / 2)
    return np.clip(others, kept.min() - room, kept.max() + room)


def _alone(row: np.ndarray) -> list[int]:
    """The numbers between two gaps, of which no line tells: they need a marker."""
    there = np.pad(np.isfinite(row), 1)
    found: list[int] = np.flatnonzero(there[1:-1] & ~there[:-2] & ~there[2:]).tolist()
    return found
