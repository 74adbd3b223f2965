"""Axes, colours that everybody can tell apart, legends, and limits that fit any numbers."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from minigrad.errors import ArgumentError, DTypeError
from minigrad.errors.files import missing_package

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The palette of M. Okabe and K. Ito, "Color Universal Design", 2008, without its yellow, which is not seen on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "<", ">")

# Matplotlib adds margins to limits and subtracts limits from each other: beyond this that would overflow.
LARGEST = 1e300


def pyplot() -> Any:
    """Matplotlib's pyplot, which makes figures that notebooks show."""
    try:
        import matplotlib.pyplot as plt  # optional, so not at the top
    except ImportError as error:
        raise missing_package("minigrad.plot", "matplotlib", "plot") from error
    return plt


def axes(ax: Any, *, spatial: bool = False, size: tuple[float, float] = (7.6, 4.8)) -> Any:
    """The given axes, if they are of the right kind, or those of a new figure, wide enough for a legend beside them."""
    plt = pyplot()
    kind = {"projection": "3d"} if spatial else {}
    if ax is None:
        return plt.subplots(figsize=size, layout="constrained", subplot_kw=kind)[1]
    from matplotlib.axes import Axes

    if not isinstance(ax, Axes):
        hint = ": choose one of them, as in axes[0]" if isinstance(ax, np.ndarray) else ""
        raise DTypeError(f"ax is one Matplotlib Axes, not {type(ax).__name__}{hint}")
    if (ax.name == "3d") != spatial:
        made = 'plt.subplots(subplot_kw={"projection": "3d"})' if spatial else "plt.subplots()"
        raise ArgumentError(f"this picture needs axes of {3 if spatial else 2} dimensions: make them with {made}")
    return ax


def spatial_labels(ax: Any, x: str, y: str, z: str) -> None:
    """Names of three axes, with room for them, and few numbers, so that they do not meet in the corners."""
    ax.set_anchor("W")
    ax.set_xlabel(x, labelpad=8)
    ax.set_ylabel(y, labelpad=8)
    ax.set_zlabel(z, labelpad=8)
    ax.locator_params(nbins=5)
    for side in ("x", "y"):
        ax.locator_params(axis=side, prune="both")


def whole_ticks(axis: Any) -> None:
    """No ticks between two steps."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins="auto", steps=[1, 2, 5, 10], integer=True))


def style(i: int) -> dict[str, Any]:
    """Colour, dashes and marker of curve number `i`: neighbours differ in all three."""
    return {
        "color": COLOURS[i % len(COLOURS)],
        "linestyle": DASHES[i % len(DASHES)],
        "marker": MARKERS[i % len(MARKERS)],
    }


def sparse(records: int) -> int:
    """How many points there are from one marker to the next, so that a long path is not one thick band."""
    return max(1, records // 100)


def add_legend(ax: "Axes", where: bool | str, handles: Sequence[Any] | None = None) -> None:
    """A legend beside the picture, which gives up room for it; of axes that were placed by hand, where it hides least.

    A figure with a layout engine makes the room itself.
    """
    shown = ax.get_legend_handles_labels()[0] if handles is None else handles
    if not where or not shown:
        return
    place: dict[str, Any] = {"loc": "best"}
    cell, figure = ax.get_subplotspec(), cast("Figure", ax.figure)  # or a part of one, with the same methods
    laid_out = figure.get_layout_engine() is not None
    if isinstance(where, str):
        place = {"loc": where}
    elif laid_out or cell is not None:
        # The numbers of the third axis stand to the right of what Matplotlib takes for the box of the axes.
        place = {"loc": "upper left", "bbox_to_anchor": (1.12 if ax.name == "3d" else 1.02, 1.0), "borderaxespad": 0.0}
    legend = ax.legend(handles=shown, fontsize="small", ncols=1 + (len(shown) - 1) // 16, **place)
    if cell is not None and not laid_out and not isinstance(where, str):
        _make_room(ax, cell.get_position(figure), legend)


def _make_room(ax: "Axes", cell: Any, legend: Any) -> None:
    """Let the legend take the right part of the axes' cell, or, if it would take most of that, the lower one."""
    figure, box = ax.figure.bbox, legend.get_window_extent()
    wide, high = box.width / figure.width, box.height / figure.height
    width = (cell.width - wide) / (1.3 if ax.name == "3d" else 1.04)
    beside = width > 0.45 * cell.width
    if beside:
        ax.set_position((cell.x0, cell.y0, width, cell.height))
    else:
        below = min(high + 0.02, 0.6 * cell.height)
        ax.set_position((cell.x0, cell.y0 + below, cell.width, cell.height - below))
    # Where the numbers and names of the axes end, the legend begins.
    legend.set_in_layout(False)
    written, plain = ax.get_tightbbox() or ax.bbox, ax.bbox
    legend.set_in_layout(True)
    if beside and ax.name == "3d":
        legend.set_bbox_to_anchor(((written.x1 - plain.x0) / plain.width + 0.04, 1.0), transform=ax.transAxes)
    elif not beside:
        legend.set_loc("upper center")
        legend.set_bbox_to_anchor((0.5, (written.y0 - plain.y0) / plain.height - 0.03), transform=ax.transAxes)


# Limits


def interval(bounds: Any, what: str) -> tuple[float, float]:
    """A pair of numbers of which the first is the smaller one."""
    try:
        low, high = (float(bound) for bound in bounds)
    except (TypeError, ValueError):
        raise ArgumentError(f"{what} is a pair (low, high) of numbers, not {bounds!r}") from None
    if not -LARGEST <= low < high <= LARGEST:
        raise ArgumentError(f"{what} is a pair (low, high) of finite numbers with low < high, not ({low:g}, {high:g})")
    return low, high


def finite(arrays: Iterable[Any]) -> np.ndarray:
    """All finite numbers of the arrays in one row, cut off where Matplotlib would overflow."""
    rows = [np.ravel(np.asarray(array, dtype=np.float64)) for array in arrays]
    numbers = np.concatenate([np.empty(0), *rows])
    kept: np.ndarray = np.clip(numbers[np.isfinite(numbers)], -LARGEST, LARGEST)
    return kept


def heights_of_lines(ax: "Axes", without: Sequence[Any] = ()) -> np.ndarray:
    """All finite heights of the lines in axes but some, and those such as of `axvline`, which have no heights."""
    of_data = (ax.transData, ax.get_yaxis_transform(which="grid"))  # the second is that of `axhline`
    lines = [line for line in ax.lines if line.get_transform() in of_data and line not in without]
    return finite(line.get_ydata(orig=False) for line in lines)


def widened(low: float, high: float, margin: float = 0.05) -> tuple[float, float]:
    """An interval with margins, and never an empty one."""
    room = margin * (high - low) or 0.1 * abs(low) or 1.0
    return max(low - room, -LARGEST), min(high + room, LARGEST)


def fit_y(ax: "Axes", numbers: np.ndarray, log: bool, ylim: tuple[float, float] | None = None) -> str:
    """Choose scale and limits of the y-axis for finite numbers, and say in words where the scale is not as asked.

    A logarithmic axis shows neither zero nor negative numbers.  With zeros the scale is linear below the smallest
    positive number and logarithmic above; with negative numbers it is linear.
    """
    positive = np.clip(numbers[numbers > 0], 1 / LARGEST, None)
    note = ""
    if log and (numbers < 0).any():
        log, note = False, "linear scale: no logarithm of negative numbers"
    elif log and numbers.size and not positive.size:
        log, note = False, "linear scale: all are 0"
    if not log:
        ax.set_yscale("linear")
        low, high = widened(numbers.min(), numbers.max()) if numbers.size else (0.0, 1.0)
    else:
        least, most = (positive.min(), positive.max()) if positive.size else (1.0, 1.0)
        first, last = np.log10(least), np.log10(most)
        room = 0.05 * (last - first) or 0.5
        low, high = 10 ** max(first - room, -300.0), 10 ** min(last + room, 300.0)
        if (numbers == 0).any():
            threshold = max(least, most / LARGEST)
            note, low = f"log scale, linear below {threshold:.1g}", -0.3 * threshold
            ax.set_yscale("symlog", linthresh=threshold)
        else:
            ax.set_yscale("log")
    if ylim is not None:
        low, high = interval(ylim, "ylim")
        if low <= 0 and ax.get_yscale() == "log":
            raise ArgumentError(f"ylim of a logarithmic axis is positive, not ({low:g}, {high:g})")
    ax.set_ylim(low, high)
    if log and high > 0:
        _few_ticks(ax, low if low > 0 else 10 * max(least, most / LARGEST), high, zero=low <= 0)
    return note


def _few_ticks(ax: "Axes", low: float, high: float, zero: bool) -> None:
    """Ticks at powers of ten for an axis of so many of them that Matplotlib's own search would overflow."""
    first, last = np.ceil(np.log10(low)), np.floor(np.log10(high))
    if last - first > 100:
        powers = 10.0 ** np.arange(first, last + 1, np.ceil((last - first) / 6))
        ax.set_yticks([0.0, *powers[1:]] if zero else powers)
        ax.set_yticks([], minor=True)
