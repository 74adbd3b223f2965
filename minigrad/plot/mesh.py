"""Values of a function on a whole mesh, and the region that a picture shows."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.core import unwrap
from minigrad.creation import asarray
from minigrad.errors import ArgumentError, DTypeError, ShapeError
from minigrad.errors.functions import explain_coordinates
from minigrad.plot.figure import finite, interval, widened
from minigrad.plot.runs import Run, plain
from minigrad.tree import map_leaves

Function = Callable[[Any], Any]
Window = tuple[tuple[float, float], ...]


def _as_it_is(points: np.ndarray) -> Any:
    return points


def values(f: Function, points: np.ndarray, arrange: Function = _as_it_is, whole: bool = True) -> np.ndarray:
    """The values of `f` at many points.

    The function is called once with all points, and the result is taken if it has the right shape and agrees with
    what the function gives for some of the points alone.  Otherwise, as for a function that sums over all that it is
    given, it is called for each point.

    Parameters
    ----------
    f : callable
        From an array of shape (coordinates,), or what `arrange` makes of it, to a number.  If it cannot work with an
        ndarray, it is given a Tensor.
    points : ndarray, shape (coordinates, *grid)
    arrange : callable
    whole : bool
        Whether to try a call with all points.

    Returns
    -------
    ndarray of float64, shape (*grid,)
        NaN where an evaluation ends in an ArithmeticError, or the module `math` says that there is no value.

    Raises
    ------
    ShapeError
        If `f` does not return one number for one point.
    DTypeError
        If it returns complex numbers, or none at all.
    """
    rest = points.reshape(len(points), -1)
    if whole:
        found = _at_once(f, points, arrange)
        sample = [] if found is None else _sample(found)
        if found is not None and _agree(found.ravel()[sample], [_at(f, rest[:, i], arrange) for i in sample]):
            return found
    return np.array([_at(f, rest[:, i], arrange) for i in range(rest.shape[1])]).reshape(points.shape[1:])


def _sample(found: np.ndarray) -> Any:
    """The places at which to look whether values are right: corners, the middle, the extremes, and some others.

    The others have no row and no column in common.  A function that takes, for example, the maximum over the whole mesh
    is right at all points on one edge.
    """
    rng = np.random.default_rng(0)
    others = [rng.permutation(n)[: min(20, *found.shape)] for n in found.shape]
    corners = np.meshgrid(*([0, n // 2, n - 1] for n in found.shape))
    extremes = [np.nanargmin(found), np.nanargmax(found)] if not np.isnan(found).all() else []
    places = [np.ravel_multi_index(tuple(map(np.ravel, place)), found.shape) for place in (corners, others)]
    return np.unique(np.concatenate([*places, extremes])).astype(int)


def _call(f: Function, x: Any) -> Any:
    with np.errstate(all="ignore"):
        try:
            y = f(x)
        except (AttributeError, TypeError):  # of an ndarray where the function wants a Tensor
            y = f(map_leaves(asarray, x))
    return unwrap(y)


# Functions are given copies, for some write into what they are given.


def _at_once(f: Function, points: np.ndarray, arrange: Function) -> np.ndarray | None:
    try:
        found = np.asarray(_call(f, arrange(points.copy())))
    except Exception:  # whatever it is: a single point does not meet it, or will raise it where it is seen
        return None
    return found.astype(np.float64) if found.shape == points.shape[1:] and found.dtype.kind in "biuf" else None


# What the module `math` says of the logarithm of -1; of Python 3.14 on, in the second form.
_NO_VALUE = r"math domain error|expected a .* got"


def _at(f: Function, point: np.ndarray, arrange: Function) -> float:
    try:
        y = np.asarray(_call(f, arrange(point.copy())))
    except TypeError as error:
        if len(point) > 1:
            explain_coordinates(error, f)
        raise
    except ArithmeticError:
        return float("nan")
    except ValueError as error:
        if type(error) is ValueError and re.match(_NO_VALUE, str(error)):
            return float("nan")
        raise
    if y.dtype.kind not in "biuf":
        raise DTypeError(f"a picture shows real numbers, and the function returned {y.dtype} of shape {y.shape}")
    if y.size != 1:
        raise ShapeError(f"a picture shows one number at each point, and the function returned an array of {y.shape}")
    return float(y.item())


def _agree(found: np.ndarray, singles: list[float]) -> bool:
    with np.errstate(all="ignore"):
        return np.allclose(found, singles, rtol=1e-5, atol=1e-12, equal_nan=True)


# The region that is shown


def window_of(domain: Any, coordinates: int) -> Window:
    """A domain as given: a pair (low, high) for all coordinates, or one for each."""
    if np.ndim(domain) == 1 and len(domain) == 2:
        return (interval(domain, "the domain"),) * coordinates
    if np.ndim(domain) != 2 or len(domain) != coordinates:
        raise ArgumentError(
            f"the domain is a pair (low, high), or {coordinates} such pair{'s' * (coordinates > 1)}, not {domain!r}"
        )
    return tuple(interval(bounds, f"the domain of coordinate {i + 1}") for i, bounds in enumerate(domain))


def window(domain: Any, f: Any, runs: Sequence[Run], marks: np.ndarray, coordinates: int) -> Window:
    """The region to show: as given, or where an objective is at home and its runs go, or what runs need.

    Of a function that says nothing of itself the region is as wide as the paths that do not run away, and around their
    ends so wide that one sees it rise again, to a quarter of the height that they have descended.
    """
    if domain is not None:
        return window_of(domain, coordinates)
    home = getattr(f, "domain", ())
    kept = [run for run in runs if not runs_away(run, f)]
    if len(home) == coordinates:
        return _around(window_of(home, coordinates), runs, kept)
    shown = [marks, *(run.points[:1] for run in runs)]
    shown += [run.points for run in kept] or [run.points[:2] for run in runs]
    sides = [finite(points[:, i] for points in shown) for i in range(coordinates)]
    if not all(side.size for side in sides):
        pairs = "(low, high)" if coordinates == 1 else "((low, high), (low, high))"
        raise ArgumentError(f"neither the function nor paths say which region to show: give domain={pairs}")
    extents = np.array([np.ptp(side) for side in sides])
    ends = [] if f is None else [_slopes_around(f, run, extents) for run in kept]
    wide = [finite([side, *(end[:, i] for end in ends)]) for i, side in enumerate(sides)]
    return tuple(widened(side.min(), side.max(), 0.1) for side in wide)


def _around(home: Window, runs: Sequence[Run], kept: Sequence[Run]) -> Window:
    """An objective's own region with all starts in it, and with what lies next to it of the paths that stay."""
    sides = []
    for i, (low, high) in enumerate(home):
        size = high - low
        near = np.clip(finite(run.points[:, i] for run in kept), low - size, high + size)
        points = np.concatenate([near, finite(run.points[:1, i] for run in runs)])
        left, right = points.min(initial=np.inf), points.max(initial=-np.inf)
        room = 0.05 * (max(high, right) - min(low, left))
        sides.append((left - room if left <= low else low, right + room if right >= high else high))
    return tuple(sides)


# How far to look for the other side of a valley, in units of the paths' extent.
_REACHES = 2.0 ** np.arange(-20, 1)


def _slopes_around(f: Any, run: Run, extents: np.ndarray) -> np.ndarray:
    """Points on both sides of the end of a path, along each axis, where the function has risen enough to be seen."""
    start, end = run.points[[0, -1]]
    if not np.isfinite([start, end]).all():
        return np.empty((0, len(end)))
    top, bottom = values(f, np.stack([start, end], axis=1), run.arrange, whole=False)
    seen = bottom + (top - bottom) / 4
    found = []
    for i, extent in enumerate(extents):
        furthest = extent if extent > 0.1 * extents.max() else extents.max()
        for side in (-1.0, 1.0):
            line = np.repeat(end[:, None], len(_REACHES), axis=1)
            line[i] += side * furthest * _REACHES
            heights = values(f, line, run.arrange, whole=False)
            there = np.flatnonzero(~(heights < seen))  # NaN is no place to go on
            which = there[0] if there.size else -1 if heights[-1] > bottom else -3
            found.append(line[:, which])
    return np.array(found)


def runs_away(run: Run, f: Any) -> bool:
    """Whether a path diverges: by its Result's own account, or because it ends higher than it starts."""
    if run.result is not None:
        return run.result.diverged
    ends = run.points[[0, -1]]
    if f is None or not np.isfinite(ends).all():
        return not np.isfinite(ends).all()
    first, last = values(f, ends.T, run.arrange)
    return not last <= first


def fate(run: Run, f: Any, region: Window) -> str:
    """What a legend says of a path that does not end inside the picture."""
    away = run.result.verdict if run.result is not None else "diverges"
    last = run.points[-1]
    if run.result is not None and run.result.diverged:
        return away
    if all(low <= x <= high for x, (low, high) in zip(last, region, strict=True)):
        return ""
    return away if runs_away(run, f) else "ends outside"


def minimizers(f: Any, minimum: Any, coordinates: int) -> np.ndarray:
    """The points to mark as minima, one in each row: as given, or as the objective knows them; False for none."""
    if minimum is False:
        return np.empty((0, coordinates))
    if minimum is None or minimum is True:
        known = [np.ravel(point) for point in getattr(f, "minimizers", ()) if coordinates == np.size(point)]
        return np.array(known, dtype=np.float64).reshape(len(known), coordinates)
    given = plain(minimum, "the minimum")
    points = given.reshape(-1, 1) if coordinates == 1 else np.atleast_2d(given)
    if points.ndim != 2 or points.shape[1] != coordinates:
        raise ShapeError(
            f"the minimum is a point of {coordinates} coordinates, or a list of such, and has shape {given.shape}"
        )
    return points


def grid(region: Window, points: Any) -> tuple[np.ndarray, ...]:
    """The positions along each axis, evenly spaced: `points` is their number, or one number for each axis."""
    counts = (points,) * len(region) if np.ndim(points) == 0 else tuple(points)
    if len(counts) != len(region) or not all(isinstance(n, (int, np.integer)) and n >= 2 for n in counts):
        raise ArgumentError(f"points must be an integer of at least 2, or {len(region)} of them, not {points!r}")
    return tuple(np.linspace(low, high, n) for (low, high), n in zip(region, counts, strict=True))
