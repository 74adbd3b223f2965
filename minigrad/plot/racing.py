"""Optimizers side by side, as a picture of one moment or as a film."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.options import real_number, whole_number
from minigrad.plot.contours import contour, curve
from minigrad.plot.figure import add_legend, axes, style
from minigrad.plot.mesh import Window, fate, values
from minigrad.plot.runs import Run, read_paths, said, width

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation
    from matplotlib.axes import Axes


def race(
    f: Callable[[Any], Any],
    runs: Any,
    *,
    step: int | None = None,
    legend: bool | str = True,
    ax: "Axes | None" = None,
    **options: Any,
) -> "Axes":
    """Where each run is after so many steps, and by which way: the legend names them from the best to the worst.

    It also says which of them have diverged by then, and which are outside the picture.

    Parameters
    ----------
    f : callable
        Of one variable or two.
    runs : list or dict of Results or paths, or what sweep returned
    step : int, optional
        The number of steps: by default that of the longest run.  A run that has ended stays where it is.
    legend : bool or str
        As for `contour`.
    ax : matplotlib Axes, optional
    **options
        What `contour` (or `curve`, for functions of one variable) takes: domain, levels, log and so on.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ShapeError, ValueError
        As for `contour`; and if `step` is negative.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import plot
    >>> f = mg.objectives.beale
    >>> runs = [mg.optim.minimize(f, (-2.0, 2.0), optimizer=name, lr=0.01, steps=200) for name in ("SGD", "Adam")]
    >>> ax = plot.race(f, runs, log=True)
    >>> ax.get_title()
    'after 200 steps'
    """
    if step is not None:
        whole_number(step, "step", least=0)
    field = _Field(f, runs, ax, options)
    shown = field.end if step is None else step
    field.show(shown)
    field.ax.set_title(f"after {shown} step{'s' * (shown != 1)}")
    field.rank(shown, legend)
    return field.ax


def animate(
    f: Callable[[Any], Any],
    runs: Any,
    *,
    frames: int = 100,
    fps: float = 20,
    legend: bool | str = True,
    ax: "Axes | None" = None,
    **options: Any,
) -> "FuncAnimation":
    """The race as a film: ``.save("race.gif", writer="pillow")`` writes it, ``.to_jshtml()`` is a page with controls.

    In a notebook, ``IPython.display.HTML(film.to_jshtml())`` shows it.  Keep the result in a variable until it is
    saved or shown: Matplotlib warns of a film that is thrown away unseen.

    Parameters
    ----------
    f, runs, legend, ax, **options
        As for `race`.
    frames : int
        How many pictures at most, at even distances from the start to the end of the longest run.
    fps : float
        How many of them are shown in a second.

    Returns
    -------
    matplotlib FuncAnimation

    Raises
    ------
    ShapeError, ValueError
        As for `contour`; and if there is less than one frame, or less than one in 1000 seconds.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import plot
    >>> f = mg.objectives.beale
    >>> runs = [mg.optim.minimize(f, (-2.0, 2.0), optimizer=name, lr=0.01, steps=50) for name in ("SGD", "Adam")]
    >>> film = plot.animate(f, runs, frames=2, log=True)
    >>> page = film.to_jshtml()
    >>> film.save("race.gif", writer="pillow")  # doctest: +SKIP
    """
    whole_number(frames, "frames")
    real_number(fps, "fps", least=0.001, most=1000)
    field = _Field(f, runs, ax, options)
    add_legend(field.ax, legend)
    from minigrad.plot.film import Film  # which needs Matplotlib to be defined

    def draw(step: int) -> list[Any]:
        return [field.ax.set_title(f"step {step}"), *field.show(step)]

    moments = np.unique(np.linspace(0, field.end, frames).round().astype(int)).tolist()
    moving = [field.ax.title, *field.ax.lines, *filter(None, [field.ax.get_legend()])]
    return Film(field.ax.figure.canvas.figure, draw, moments, moving, fps)


class _Field:
    """The ground, the runners' paths and the runners."""

    def __init__(self, f: Any, runs: Any, ax: Any, options: dict[str, Any]) -> None:
        self.f = f
        self.runs = read_paths(runs, depth=1)
        flat = self.runs[0].points.shape[1] == 1
        width(self.runs, 1 if flat else 2, "race", "draw them with contour(..., pca=True)")
        self.ax: Axes = axes(ax)
        before = len(self.ax.lines) + flat  # the curve itself comes first
        picture = curve if flat else contour
        picture(f, self.runs, ax=self.ax, legend=False, **options)
        self.paths = list(self.ax.lines[before : before + len(self.runs)])
        self.tracks = [np.column_stack(path.get_data()) for path in self.paths]
        self.heads = [
            self.ax.plot(*track[-1:].T, color=style(i)["color"], marker=style(i)["marker"], markersize=11,
                         markeredgecolor="black", zorder=30)[0]
            for i, track in enumerate(self.tracks)
        ]  # fmt: skip
        self.window: Window = (self.ax.get_xlim(), self.ax.get_ylim())
        self.fates = [fate(run, f, self.window[: 2 - flat]) for run in self.runs]
        self.end = max(int(run.steps[-1]) for run in self.runs)
        for run, word, path, head in zip(self.runs, self.fates, self.paths, self.heads, strict=True):
            head.set_label(said(run.label, word))
            path.set_label(None)
            if not flat:
                path.set(linewidth=1.2, marker="")

    def place(self, run: Run, step: int) -> int:
        """Which of the run's points was recorded last at a step."""
        return int(np.searchsorted(run.steps, step, side="right")) - 1

    def show(self, step: int) -> list[Any]:
        """Draw the paths up to a step, and the runners there."""
        for run, track, path, head in zip(self.runs, self.tracks, self.paths, self.heads, strict=True):
            last = self.place(run, step)
            path.set_data(*track[: last + 1].T)
            head.set_data(*track[last : last + 1].T)
        return [*self.paths, *self.heads]

    def word(self, i: int, step: int) -> str:
        """What became of a runner by a step, or that it is outside the picture."""
        run, track = self.runs[i], self.tracks[i]
        if step >= run.steps[-1] and self.fates[i]:
            return self.fates[i]
        place = track[self.place(run, step)]
        seen = all(low <= x <= high for x, (low, high) in zip(place, self.window, strict=True))
        return "" if seen else "outside"

    def rank(self, step: int, legend: bool | str) -> None:
        """A legend from the best to the worst, with the losses at a step."""
        points = [run.points[self.place(run, step)] for run in self.runs]
        losses = [
            values(self.f, point[:, None], run.arrange).item() for point, run in zip(points, self.runs, strict=True)
        ]
        for i, (run, loss) in enumerate(zip(self.runs, losses, strict=True)):
            self.heads[i].set_label(said(f"{run.label}: {loss:.3g}", self.word(i, step)))
        order = np.argsort(losses)  # NaN last
        others = [line for line in self.ax.lines if line.get_label() in ("start", "minimum", "minima")]
        add_legend(self.ax, legend, [*(self.heads[i] for i in order), *others])
