"""The lines of contours: at which values they are, and in which colours."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.errors import ArgumentError
from minigrad.plot.figure import LARGEST

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Levels = int | Sequence[float] | np.ndarray

# If the values of a larger part of a mesh than this are within a tenth of their range, lines at even distances show
# too little of the function.
_BLANK = 0.6


def heights(z: np.ndarray, log: bool) -> "np.ma.MaskedArray[Any, Any]":
    """The values to draw; those that are not finite, or too large to draw, are masked."""
    if log and (z <= -1).any():
        raise ArgumentError(
            f"log=True draws log(1 + f), and f falls to {np.nanmin(z):.6g}: subtract its minimum, or draw f itself"
        )
    z = np.log1p(z) if log else z
    masked = np.ma.masked_invalid(z)
    masked = np.ma.masked_where(np.abs(masked) > LARGEST, masked)
    if masked.count() == 0:
        raise ArgumentError(f"the function is nowhere on the mesh finite and within {LARGEST:g}: give another domain")
    return masked


def checked(levels: Any) -> Any:
    """Levels as Matplotlib takes them: a number, or values in ascending order."""
    values = np.ndim(levels) == 1 and np.size(levels) > 0 and bool(np.isfinite(levels).all())
    if not values and not (isinstance(levels, (int, np.integer)) and levels >= 1):
        raise ArgumentError(f"levels must be an integer of at least 1, or a list of finite values, not {levels!r}")
    return np.unique(levels) if values else int(levels)


def draw_contours(
    ax: "Axes", x: Any, y: Any, z: Any, levels: Any, fill: Any, cmap: str, passed: Any = (), log: bool = False
) -> Any:
    """Contours of the values `z`, and what a colour bar is made for: the filled ones, or the lines.

    Values that paths have `passed` have lines near them, if lines at even distances would leave most of the mesh empty.
    """
    if z.min() == z.max() and np.ndim(levels) == 0:
        return None  # a plane has no contours
    lines = levels if log else _seen(z, levels, passed)
    if fill is False:
        look: dict[str, Any] = {"cmap": cmap} if lines is levels else _by_rank(lines, cmap)
        return ax.contour(x, y, z, levels=lines, **look, alpha=0.6, linewidths=1.0)
    regions = lines if fill is True else fill if log else _seen(z, fill, passed)
    if regions is levels or regions is fill:
        look = {"cmap": _faded(cmap)}
    else:
        regions = np.array([z.min(), *regions, z.max()])  # nothing is left white
        look = _by_rank(regions, _faded(cmap))
    filled = ax.contourf(x, y, z, levels=regions, **look)
    ax.contour(x, y, z, levels=lines, colors="white", alpha=0.7, linewidths=0.7)
    return filled


def _seen(z: Any, levels: Any, passed: Any) -> Any:
    """Levels as they are; or, if they are a number and even distances show too little, by the ranks of the values."""
    if np.ndim(levels):
        return levels
    values = z.compressed()
    counts = np.histogram(values, 20)[0]
    if (counts[1:] + counts[:-1]).max() <= _BLANK * values.size:
        return levels
    passed = np.unique(passed)  # where a path stays for long, one line is enough
    passed = passed[(passed > values.min()) & (passed < values.max())]
    for_paths = levels // 4 if passed.size else 0
    shares = [(part, n) for part, n in ((values, levels - for_paths), (passed, for_paths)) if n]
    chosen = [np.quantile(part, np.linspace(0, 1, n + 2)[1:-1]) for part, n in shares]
    rounded = _rounded(np.concatenate(chosen))
    inside = rounded[(rounded > values.min()) & (rounded < values.max())]
    return inside if len(inside) > levels // 3 else levels


def _rounded(numbers: np.ndarray) -> np.ndarray:
    """Numbers with as few digits as tell neighbours apart, in ascending order, each once."""
    numbers = np.unique(numbers)
    if len(numbers) < 2:
        return numbers
    gaps = np.diff(numbers)
    nearest = np.minimum(np.append(gaps, gaps[-1]), np.insert(gaps, 0, gaps[0]))
    units = 10 ** np.floor(np.log10(nearest))
    return np.unique(np.round(numbers / units) * units)


def _by_rank(levels: np.ndarray, cmap: Any) -> dict[str, Any]:
    """Colours for lines or regions that are as far apart in the colour map, however near their values are."""
    from matplotlib.colors import BoundaryNorm

    return {"cmap": cmap, "norm": BoundaryNorm([*levels, np.nextafter(levels[-1], np.inf)], 256)}


def _faded(cmap: str) -> Any:
    """A colour map mixed with white, so that paths stand out; transparency instead would show seams."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    colours = colormaps[cmap](np.linspace(0, 1, 256))
    return ListedColormap(0.45 + 0.55 * colours, name=f"{cmap} faded")
