"""Models: fitted lines, the spectrum of a Hessian, the loss landscape of a network."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.errors import ArgumentError, ShapeError
from minigrad.optim.result import Result
from minigrad.options import real_number
from minigrad.plot.figure import (
    COLOURS,
    add_legend,
    axes,
    finite,
    fit_y,
    heights_of_lines,
    interval,
    spatial_labels,
    style,
    widened,
)
from minigrad.plot.levels import Levels, checked, draw_contours, heights
from minigrad.plot.mesh import values
from minigrad.plot.runs import plain
from minigrad.tree import flatten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from minigrad.curvature import Spectrum, Surface


def fits(
    x: Any,
    y: Any,
    lines: Any,
    *,
    domain: tuple[float, float] | None = None,
    points: int = 100,
    legend: bool | str = True,
    ax: "Axes | None" = None,
) -> "Axes":
    """Data of one variable, with the lines or curves that were fitted to them.

    Parameters
    ----------
    x, y : array of n numbers
        A single axis of length 1 is ignored, as in (n, 1).
    lines : dict or list, or a single one
        Each a pair (slope, intercept), a Result of `minimize` whose point is such a pair, or a function from an array
        of numbers to an array.
    domain : pair (low, high), optional
        Where the lines are drawn: by default where the data are.
    points : int
        Of how many points each line is made.
    legend : bool or str
        As for `contour`.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
        Its lines are the fits, in the given order.

    Raises
    ------
    ShapeError
        If x and y differ in length, or a pair is none.
    ValueError
        If no point of the data is finite and no domain is given.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad import plot
    >>> x = np.linspace(-3, 3, 20)
    >>> ax = plot.fits(x, 3 * x + 2, {"line": (2.9, 2.1), "wave": np.sin}, domain=(-3, 3))
    >>> float(ax.lines[0].get_ydata()[0])
    -6.6
    """
    across, up = plain(x, "x").ravel(), plain(y, "y").ravel()
    if across.shape != up.shape:
        raise ShapeError(f"x and y of shapes {np.shape(x)} and {np.shape(y)} are not one number each for each point")
    if not isinstance(lines, (Mapping, list)):
        lines = [lines]
    if isinstance(lines, Mapping):
        named = [(str(label), line) for label, line in lines.items()]
    else:
        named = [(f"fit {i + 1}" if len(lines) > 1 else "fit", line) for i, line in enumerate(lines)]
    if domain is None:
        if not finite([across]).size:
            raise ArgumentError("x has no finite number to show where lines shall be drawn: give domain=(low, high)")
        domain = widened(finite([across]).min(), finite([across]).max())
    places = np.linspace(*interval(domain, "the domain"), points)
    rows = [_fitted(line, places, label) for label, line in named]
    ax = axes(ax)
    ax.set_autoscale_on(False)
    ax.scatter(across, up, s=14, color="0.3", edgecolors="white", linewidths=0.3, label="data", zorder=3)
    for i, ((label, _), row) in enumerate(zip(named, rows, strict=True)):
        ax.plot(places, row, **{**style(i), "marker": None}, linewidth=2.0, label=label)
    drawn = _seen(finite([across]), finite([up]), places, rows)
    wide = finite([across, places])
    ax.set(xlim=widened(wide.min(), wide.max(), 0.02), xlabel="$x$", ylabel="$y$")
    if drawn.size:
        ax.set_ylim(*widened(drawn.min(), drawn.max()))
    add_legend(ax, legend)
    return ax


def _seen(x: np.ndarray, y: np.ndarray, places: np.ndarray, rows: list[np.ndarray]) -> np.ndarray:
    """The heights that must be seen: data, and lines where data are; of what ran away from them a little.

    It must not press the data flat.
    """
    if not x.size or not y.size:
        return finite(rows)
    span = y.max() - y.min() or 4.0
    shown = [y]
    for row in rows:
        near = finite([row[(places >= x.min()) & (places <= x.max())]])
        stays = ((near >= y.min() - 2 * span) & (near <= y.max() + 2 * span)).all()
        others = np.clip(finite([row]), y.min() - span / 4, y.max() + span / 4)
        shown += [near, others] if stays else [others]
    return np.concatenate(shown)


def _fitted(line: Any, places: np.ndarray, label: str) -> np.ndarray:
    """The heights of a fit at places."""
    if callable(line):
        return values(line, places[None], lambda points: points[0])
    leaves = flatten(line.x)[0] if isinstance(line, Result) else [plain(line, f"the line {label!r}")]
    pair = np.concatenate([np.ravel(leaf) for leaf in leaves])
    if pair.size != 2:
        raise ShapeError(f"the line {label!r} is a pair (slope, intercept) or a function, and has {pair.size} numbers")
    row: np.ndarray = pair[0] * places + pair[1]
    return row


def spectrum(
    found: "Spectrum | Any",
    *,
    lr: float | None = None,
    log: bool = True,
    legend: bool | str = True,
    ax: "Axes | None" = None,
) -> "Axes":
    """The eigenvalues of a Hessian in ascending order.

    Parameters
    ----------
    found : Spectrum, or row of eigenvalues
        What `minigrad.curvature.spectrum` returned.
    lr : float, optional
        Draw a line at 2 / lr: along eigenvectors of larger eigenvalues gradient descent at this rate moves away.
    log : bool
        A logarithmic axis, if all eigenvalues are positive.
    legend : bool or str
        As for `contour`.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
        Its lines are the positive, then the other eigenvalues, as far as there are any.

    Raises
    ------
    ShapeError
        If eigenvalues are not a row of numbers.
    ValueError
        If there are none, or `lr` is not positive.

    Examples
    --------
    >>> from minigrad import curvature, plot
    >>> ax = plot.spectrum(curvature.Spectrum([2.0, 20.0]), lr=0.05)
    >>> ax.get_title()
    'condition number 10, lr limit 0.1'
    """
    known = hasattr(found, "eigenvalues")
    given = plain(found.eigenvalues if known else found, "a spectrum")
    if given.ndim != 1:
        raise ShapeError(f"a spectrum is a row of eigenvalues, and has shape {given.shape}")
    if not given.size:
        raise ArgumentError("there are no eigenvalues to draw")
    if lr is not None:
        real_number(lr, "lr", above=0)
    eigenvalues = np.sort(given)
    rank = np.arange(1, given.size + 1)
    ax = axes(ax)
    ax.set_autoscaley_on(False)
    groups = [("positive", eigenvalues > 0, "o", COLOURS[0]), ("not positive", ~(eigenvalues > 0), "v", COLOURS[1])]
    for label, chosen, marker, colour in groups:
        if chosen.any():
            size = 6 if given.size <= 50 else 3
            ax.plot(rank[chosen], eigenvalues[chosen], marker, color=colour, markersize=size, label=label)
    if lr is not None:
        ax.axhline(2 / lr, color="0.4", linestyle="--", label=f"2 / lr for lr={lr:g}")
    note = fit_y(ax, heights_of_lines(ax), log)
    part = "" if not known or found.complete else "; those in the middle are not known"
    ax.set(xlabel=f"number in ascending order{part}", ylabel=f"eigenvalue\n({note})" if note else "eigenvalue")
    ax.locator_params(axis="x", integer=True)
    if known:
        shape = f"condition number {found.condition_number:.4g}"
        if np.isnan(found.condition_number):
            shape = "not a minimum"
        ax.set_title(f"{shape}, lr limit {found.lr_limit:.4g}")
    ax.grid(alpha=0.25)
    add_legend(ax, legend)
    return ax


def landscape(
    surface: "Surface",
    *,
    levels: Levels = 20,
    log: bool = False,
    cmap: str = "viridis",
    ax: Any = None,
) -> Any:
    """The loss around a network's parameters, along two directions: filled contours, or a surface in axes that are 3-D.

    Parameters
    ----------
    surface : Surface
        What `minigrad.curvature.loss_surface` returned.
    levels, log, cmap
        As for `contour`.
    ax : matplotlib Axes, optional
        Of projection "3d" for a surface.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If no loss is finite, or one is not above -1 with `log`.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> from minigrad import curvature, plot
    >>> model = mg.nn.Linear(2, 1)
    >>> X = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> ax = plot.landscape(curvature.loss_surface(lambda: (model(X) ** 2).mean(), model, points=5))
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('direction 1', 'direction 2')
    """
    levels = checked(levels)
    z = heights(surface.losses, log)
    what = "log(1 + loss)" if log else "loss"
    spatial = getattr(ax, "name", None) == "3d"
    ax = axes(ax, spatial=spatial)
    centre = np.log1p(surface.loss) if log else surface.loss
    star = {"marker": "*", "linestyle": "none", "color": "black", "markersize": 15, "markeredgecolor": "white"}
    if spatial:
        mesh = np.meshgrid(surface.a, surface.b)
        least, most = float(z.min()), float(z.max())
        ax.plot_surface(*mesh, z.filled(np.nan), cmap=cmap, alpha=0.7, linewidth=0, vmin=least, vmax=most)
        ax.plot([0.0], [0.0], [centre], **star, zorder=20)
        ax.set_zlim(*widened(least, most))
    else:
        drawn = draw_contours(ax, surface.a, surface.b, z, levels, True, cmap, log=log)
        ax.plot(0.0, 0.0, **star, zorder=20)
        if drawn is not None:
            ax.figure.colorbar(drawn, ax=ax, label=what)
    ax.set(xlim=(surface.a[0], surface.a[-1]), ylim=(surface.b[0], surface.b[-1]))
    names = ("direction 1", "direction 2")
    if spatial:
        spatial_labels(ax, *names, what)
    else:
        ax.set(xlabel=names[0], ylabel=names[1])
    ax.set_title(f"loss {surface.loss:.4g} at the star")
    return ax
