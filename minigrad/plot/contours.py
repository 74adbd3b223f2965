"""A function of one or two variables, and the paths that optimizers take on it: contours, surface, curve."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.errors import ArgumentError
from minigrad.plot.figure import (
    add_legend,
    axes,
    finite,
    interval,
    sparse,
    spatial_labels,
    style,
    widened,
)
from minigrad.plot.levels import Levels, checked, draw_contours, heights
from minigrad.plot.mesh import Window, fate, grid, minimizers, runs_away, values, window
from minigrad.plot.projection import projected
from minigrad.plot.runs import Run, read_paths, said, width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# In a plane among many coordinates, a call with all points takes so many numbers at most; else each point is a call.
_MOST = 20_000_000

# A surface has so many along each axis at most.  Where they are few, a narrow valley has teeth.
_FACETS = 500

# A legend of more names than this is no help: it says how many there are.
_NAMES = 15


def contour(
    f: Callable[[Any], Any] | None,
    paths: Any = None,
    *,
    domain: Any = None,
    xlim: tuple[float, float] | None = None,
    ylim: tuple[float, float] | None = None,
    levels: Levels = 20,
    points: int | tuple[int, int] = 200,
    log: bool = False,
    fill: bool | Levels = False,
    cmap: str = "viridis",
    start: bool = True,
    minimum: Any = None,
    equal: bool = False,
    pca: bool = False,
    legend: bool | str = True,
    ax: "Axes | None" = None,
) -> "Axes":
    """Contours of a function of two variables, with paths on them.

    The axes show the domain, and a path that leaves it is cut off at the frame; the legend says what became of it.

    Parameters
    ----------
    f : callable or None
        From an array of shape (2,), or the tree that the paths are made of, to a number.  It is called with all
        points of the mesh at once, with an array of shape (2, rows, columns), if that gives the same; else with one
        point after the other.  Without it, only the paths are drawn.
    paths : Result, array of shape (records, 2), list or dict of these, or what sweep returned, optional
    domain : pair of pairs (low, high), or one pair for both coordinates, optional
        Where `f` is computed: by default the `domain` of an `Objective`, with the starts and the paths next to it; of
        other functions as much as the paths need, and as one must see of the function to see their ends in a valley.
    xlim, ylim : pair, optional
        The limits of the axes: by default the domain.
    levels : int or sequence of float
        Values at which there are lines; or about how many there shall be, at round values: these are evenly spaced, or,
        where that would leave most of the picture empty, closer where the mesh and the paths have more points.
    points : int or pair of int
        How many points the mesh has along each axis, w1 first.
    log : bool
        Draw contours of log(1 + f).
    fill : bool, int or sequence of float
        Colour the regions between the lines; with levels of their own, if they are given here.
    cmap : str
        The name of a Matplotlib colour map.
    start : bool
        Mark the first points of the paths.
    minimum : point, list of points, or False, optional
        Where to put stars: by default at the `minimizers` of an `Objective`.
    equal : bool
        Show both coordinates in the same scale.
    pca : bool
        Draw paths of any number of coordinates in the plane of their two main directions (see `project`), with the
        contours of `f` in that plane.  Domain and limits are those of the plane.  If `f` cannot take all points at
        once, choose `points` small: ``points=50`` are 2500 calls.
    legend : bool or str
        Whether there is a legend, or where inside the axes, such as ``"upper right"``.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
        Its first lines are the paths, in the given order and with all their points; then come "start" and "minimum".

    Raises
    ------
    ShapeError
        If points have not two coordinates, or `f` does not return one number for one point.
    ValueError
        If there is no domain, or it is not made of pairs (low, high); if `f` is nowhere finite, or not above -1 with
        `log`.
    MissingPackageError
        If Matplotlib is not installed.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import plot
    >>> f = mg.objectives.bowl(1, 5)
    >>> run = mg.optim.minimize(f, (4.0, 2.5), lr=0.08, steps=30)
    >>> ax = plot.contour(f, run)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['SGD(lr=0.08)', 'start', 'minimum']
    """
    levels, fill = checked(levels), fill if isinstance(fill, bool) else checked(fill)
    runs = [] if paths is None else read_paths(paths)
    names: tuple[str, ...] = ("$w_1$", "$w_2$")
    coordinates = runs[0].points.shape[1] if runs else 2
    if pca:
        if not runs:
            raise ArgumentError("contour with pca=True shows the plane of the main directions of paths: give paths")
        marks = minimizers(f, minimum, coordinates)
        f, runs, marks, names = _in_plane(f, runs, marks)
    else:
        width(runs, 2, "contour", "draw them in the plane of their two main directions with pca=True")
        marks = minimizers(f, minimum, 2)
    region = window(domain, f, runs, marks, 2)
    limits = [side if given is None else given for given, side in zip((xlim, ylim), region, strict=True)]
    shown = (interval(limits[0], "xlim"), interval(limits[1], "ylim"))
    arrange = runs[0].arrange if runs else np.asarray
    z = None
    sides = grid(region, points)
    if f is not None:
        whole = not pca or coordinates * len(sides[0]) * len(sides[1]) <= _MOST
        z = heights(values(f, np.stack(np.meshgrid(*sides)), arrange, whole), log)
    ax = axes(ax)
    ax.set(xlim=shown[0], ylim=shown[1], xlabel=names[0], ylabel=names[1])
    if z is not None:
        draw_contours(ax, sides[0], sides[1], z, levels, fill, cmap, _passed(sides, z, runs), log)
    _draw_paths(ax, runs, [run.points for run in runs], [fate(run, f, shown) for run in runs])
    _draw_marks(ax, shown, [run.points[0] for run in runs if start], marks)
    if equal:
        ax.set_aspect("equal")
    add_legend(ax, legend)
    return ax


def _in_plane(f: Any, runs: list[Run], marks: np.ndarray) -> tuple[Any, list[Run], np.ndarray, tuple[str, ...]]:
    """The function, paths and marks along the main directions, and names for these."""
    found = projected(runs, 2)
    arrange = runs[0].arrange
    names = tuple(f"direction {i + 1} ({part:.1%} of the variance)" for i, part in enumerate(found.explained))
    flat = [run._replace(points=found.coordinates(run.points), arrange=np.asarray) for run in runs]
    carried = None if f is None else lambda positions: f(arrange(found.back(positions)))
    return carried, flat, found.coordinates(marks), names


def _passed(sides: Any, z: Any, runs: list[Run]) -> np.ndarray:
    """The values at the points of the mesh next to those of the paths."""
    points = np.concatenate([np.empty((0, 2)), *(run.points for run in runs)])
    points = points[_is_inside(points, tuple((side[0], side[-1]) for side in sides))]
    columns, rows = (np.searchsorted(side, points[:, i]) for i, side in enumerate(sides))
    values: np.ndarray = z[rows, columns].compressed()
    return values


def _draw_paths(ax: Any, runs: list[Run], tracks: list[np.ndarray], fates: list[str], lines: str = "-") -> None:
    """Each track, of shape (records, dimensions of the axes), with a marker at every record if there are few."""
    for i, (run, track, word) in enumerate(zip(runs, tracks, fates, strict=True)):
        ax.plot(
            *track.T, **{**style(i), "linestyle": lines}, linewidth=1.5, markersize=4.5, markeredgecolor="white",
            markeredgewidth=0.4, markevery=sparse(len(track)), zorder=10 + 0.1 * i,
            label=said(run.label, word) if len(runs) <= _NAMES else None if i else f"{len(runs)} runs",
        )  # fmt: skip


def _draw_marks(ax: Any, shown: Window, starts: list[np.ndarray], minima: np.ndarray) -> None:
    """Starts and minima, as far as they are in the picture, so that the legend names nothing else."""
    points = np.unique(starts, axis=0) if starts else np.empty((0, 2))
    points, minima = points[_is_inside(points, shown)], minima[_is_inside(minima, shown)]
    if len(points):
        ax.plot(
            *points.T, "o", color="black", markerfacecolor="white", markersize=7, markeredgewidth=1.5,
            zorder=20, label="start",
        )  # fmt: skip
    if len(minima):
        ax.plot(
            *minima.T, "*", color="black", markersize=15, markeredgecolor="white", zorder=21,
            label="minimum" if len(minima) == 1 else "minima",
        )  # fmt: skip


def _is_inside(points: np.ndarray, shown: Window) -> Any:
    """Which points are between all limits, of which there may be fewer than coordinates."""
    lows, highs = np.transpose(shown)
    limited = points[:, : len(shown)]
    return ((limited >= lows) & (limited <= highs)).all(axis=1)


def surface(
    f: Callable[[Any], Any],
    paths: Any = None,
    *,
    domain: Any = None,
    points: int | tuple[int, int] = 300,
    log: bool = False,
    cmap: str = "viridis",
    elev: float = 35,
    azim: float = -60,
    start: bool = True,
    minimum: Any = None,
    legend: bool | str = True,
    ax: Any = None,
) -> Any:
    """The surface of a function of two variables, with paths on it.

    Parameters are those of `contour`, and:

    Parameters
    ----------
    elev, azim : float
        From where one looks: the height above the plane and the direction within it, in degrees.
    ax : matplotlib Axes of projection "3d", optional

    Returns
    -------
    matplotlib Axes
        Its first lines are the paths.  Points outside the domain are NaN in them, because axes of three dimensions
        cut nothing off.

    Raises
    ------
    ShapeError, ValueError
        As for `contour`.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import plot
    >>> run = mg.optim.minimize(mg.objectives.wavy_bowl, (2.5, 1.5), lr=0.05)
    >>> ax = plot.surface(mg.objectives.wavy_bowl, run, points=30)
    >>> ax.get_zlabel()
    'loss'
    """
    runs = [] if paths is None else read_paths(paths)
    width(runs, 2, "surface", "draw contours in the plane of their main directions, contour(..., pca=True)")
    marks = minimizers(f, minimum, 2)
    region = window(domain, f, runs, marks, 2)
    sides = grid(region, points)
    arrange = runs[0].arrange if runs else np.asarray
    mesh = np.stack(np.meshgrid(*sides))
    z = heights(values(f, mesh, arrange), log)
    tracks = [_on_surface(f, run.points, run.arrange, region, log) for run in runs]
    ax = axes(ax, spatial=True)
    least, most = float(z.min()), float(z.max())
    ax.plot_surface(
        *mesh, z.filled(np.nan), cmap=cmap, alpha=0.6, linewidth=0, rcount=_FACETS, ccount=_FACETS, vmin=least,
        vmax=most,
    )  # fmt: skip
    _draw_paths(ax, runs, tracks, [fate(run, f, region) for run in runs])
    _draw_marks(ax, region, [track[0] for track in tracks if start], _on_surface(f, marks, arrange, region, log))
    ax.set(xlim=region[0], ylim=region[1], zlim=widened(least, most))
    spatial_labels(ax, "$w_1$", "$w_2$", "log(1 + loss)" if log else "loss")
    ax.view_init(elev=elev, azim=azim)
    add_legend(ax, legend)
    return ax


def _on_surface(f: Any, points: np.ndarray, arrange: Any, region: Window, log: bool) -> np.ndarray:
    """Points with their heights, shape (records, 3): NaN outside the region."""
    inside = _is_inside(points, region)
    track = np.full((len(points), 3), np.nan)
    if inside.any():
        z = values(f, points[inside].T, arrange)
        track[inside] = np.column_stack([points[inside], np.log1p(z) if log else z])
    return track


def curve(
    f: Callable[[Any], Any],
    paths: Any = None,
    *,
    domain: tuple[float, float] | None = None,
    points: int = 400,
    start: bool = True,
    minimum: Any = None,
    legend: bool | str = True,
    ax: "Axes | None" = None,
) -> "Axes":
    """The curve of a function of one variable, with the points of paths as dots on it.

    Parameters are those of `contour`, where a point is one number, and the domain one pair.

    Parameters
    ----------
    paths : Result, array of shape (records,), list or dict of these, or what sweep returned, optional

    Returns
    -------
    matplotlib Axes
        Its first line is the curve; the paths follow, and "start" and "minimum".

    Raises
    ------
    ShapeError, ValueError
        As for `contour`.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import plot
    >>> ax = plot.curve(lambda x: (x - 3) ** 2 + 1, [10.0, 8.6, 7.48, 6.584], domain=(-2, 11))
    >>> len(ax.lines[0].get_xdata()), len(ax.lines[1].get_xdata())
    (400, 4)
    """
    runs = [] if paths is None else read_paths(paths, depth=1)
    width(runs, 1, "curve", "draw them with contour")
    marks = minimizers(f, minimum, 1)
    region = window(domain, f, runs, marks, 1)
    arrange = runs[0].arrange if runs else _number
    (x,) = grid(region, points)
    y = heights(values(f, x[None], arrange), log=False)
    tracks = [_on_curve(f, run.points, run.arrange) for run in runs]
    ax = axes(ax)
    told = finite(track[:, 1] for run, track in zip(runs, tracks, strict=True) if not runs_away(run, f))
    shown = (region[0], widened(*_without_poles(y.compressed(), told)))
    ax.set(xlim=shown[0], ylim=shown[1], xlabel="$x$", ylabel="$f(x)$")
    ax.plot(*_without_jumps(x, y.filled(np.nan), *shown[1]), color="0.45", linewidth=1.5, zorder=2)
    _draw_paths(ax, runs, tracks, [fate(run, f, region) for run in runs], lines="none")
    _draw_marks(ax, shown, [track[0] for track in tracks if start], _on_curve(f, marks, arrange))
    add_legend(ax, legend)
    return ax


def _without_poles(y: np.ndarray, told: np.ndarray) -> tuple[float, float]:
    """The heights to show: all, unless the middle half of them, and what is told of, would be a flat line then."""
    low, high = np.quantile(y, [0.25, 0.75])
    low, high = min(low, told.min(initial=low)), max(high, told.max(initial=high))
    size = high - low
    least, most = float(y.min()), float(y.max())
    if size > 0 and low - least > 20 * size:
        least = low - 2 * size
    if size > 0 and most - high > 20 * size:
        most = high + 2 * size
    return min(least, low), max(most, high)


def _without_jumps(x: np.ndarray, y: np.ndarray, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """The curve with a gap where it leaves the picture at one edge and comes back at the other, as at a pole."""
    above, below = y > high, y < low
    jumps = 1 + np.flatnonzero((above[:-1] & below[1:]) | (below[:-1] & above[1:]))
    return np.insert(x, jumps, x[jumps]), np.insert(y, jumps, np.nan)


def _number(points: np.ndarray) -> Any:
    return points[0]


def _on_curve(f: Any, points: np.ndarray, arrange: Any) -> np.ndarray:
    return np.column_stack([points, values(f, points.T, arrange)]) if len(points) else np.empty((0, 2))
