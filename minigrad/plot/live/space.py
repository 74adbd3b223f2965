"""Where the page looks: the start of the runs, the plane of the picture, its limits, and the known minima."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad import jacobians
from minigrad.core import no_grad, unwrap
from minigrad.creation import tensor
from minigrad.errors import ArgumentError, DTypeError, ShapeError
from minigrad.optim.minimizing import minimize
from minigrad.optim.problem import Problem
from minigrad.plot.figure import interval, widened
from minigrad.plot.mesh import Window, window
from minigrad.plot.projection import Projection
from minigrad.plot.runs import Run
from minigrad.tree import flatten

# Where a run begins that is given none: at these parts of the sides of the picture, which is seldom a minimum.
_CORNER = (0.15, 0.8)


class Plane(NamedTuple):
    """The picture's plane, or line, in the space of all coordinates.

    Attributes
    ----------
    origin : ndarray, shape (coordinates,)
    directions : ndarray, shape (1 or 2, coordinates)
    names : list of str
        Of the axes.
    seen : ndarray, shape (points, 1 or 2), or None
        Positions that the picture shall hold.
    """

    origin: np.ndarray
    directions: np.ndarray
    names: list[str]
    seen: np.ndarray | None = None

    @property
    def back(self) -> np.ndarray:
        """From a point less the origin to its position in the plane: that of the nearest point in it."""
        found: np.ndarray = np.linalg.pinv(self.directions).T
        return found

    def positions(self, points: np.ndarray) -> np.ndarray:
        """Where points are in the plane, shape (points, 1 or 2)."""
        found: np.ndarray = (points - self.origin) @ self.back.T
        return found


def start_of(f: Any, start: Any, bounds: Any) -> Any:
    """The start in the form that the function takes, with float64 for all leaves."""
    if start is None:
        home = getattr(f, "domain", None) if bounds is None else bounds
        if home is None:
            raise ArgumentError(
                "explore does not know where to look: give start=[-1.5, 2.0], say, and the limits of the picture, "
                "bounds=((low, high), (low, high))"
            )
        count = len(home) if np.ndim(home) == 2 else 2
        sides = bounds_of(home, count)
        point = [low + part * (high - low) for part, (low, high) in zip(_CORNER, sides, strict=False)]
        return np.array(point[0] if count == 1 else point)
    leaves, rebuild = flatten(np.array(start) if isinstance(start, list) else start)
    arrays = [np.asarray(unwrap(leaf)) for leaf in leaves]
    for array in arrays:
        if array.dtype.kind not in "iuf":
            raise DTypeError(f"explore: the start consists of real numbers, not of {array.dtype}: give floats")
        if not np.isfinite(array).all():
            raise ArgumentError(f"explore: the start is not finite: {start!r}")
    if not sum(array.size for array in arrays):
        raise ArgumentError("explore: the start holds no number")
    return rebuild([array.astype(np.float64) for array in arrays])


def plane_of(plane: Any, start: Any) -> Plane:
    """The plane as given, or the whole space if that has one or two coordinates."""
    leaves, _ = flatten(start)
    count = sum(np.size(leaf) for leaf in leaves)
    if plane is None:
        if count > 2:
            raise ArgumentError(
                f"explore shows a plane, and the start has {count} coordinates: give plane=(origin, direction, "
                "direction), or plane=plot.project(runs), the plane in which runs of optim.minimize move most"
            )
        return Plane(np.zeros(count), np.eye(count), _names(start, count))
    seen = None
    if isinstance(plane, Projection):
        paths = np.concatenate([*plane.paths.values()])[:, :2]
        plane, seen = (plane.center, *plane.directions[:2]), paths[np.isfinite(paths).all(axis=1)]
    if not isinstance(plane, (tuple, list)) or len(plane) != 3:
        raise ArgumentError(
            f"explore: plane is (origin, direction, direction), or what plot.project returned, not {plane!r}"
        )
    origin, *directions = (_vector(part, count) for part in plane)
    if np.linalg.matrix_rank(np.stack(directions)) < 2:
        raise ArgumentError("explore: the two directions of the plane are parallel, or one is 0: give another one")
    return Plane(origin, np.stack(directions), ["direction 1", "direction 2"], seen)


def _vector(part: Any, count: int) -> np.ndarray:
    """A part of the plane, which may have the form of the start, as one row of numbers."""
    leaves, _ = flatten(np.array(part) if isinstance(part, list) else part)
    row = np.concatenate([np.ravel(np.asarray(unwrap(leaf), dtype=np.float64)) for leaf in leaves])
    if row.size != count:
        raise ShapeError(f"explore: a part of the plane has {row.size} numbers, and the start {count}: give as many")
    if not np.isfinite(row).all():
        raise ArgumentError("explore: the plane is not made of finite numbers")
    return row


def _names(start: Any, count: int) -> list[str]:
    """Of the coordinates."""
    if isinstance(start, dict) and all(np.size(part) == 1 for part in start.values()):
        return [str(key) for key in start]
    return ["w"] if count == 1 else [f"w{i + 1}" for i in range(count)]


def bounds_of(bounds: Any, count: int) -> Window:
    """The limits of the picture: a pair (low, high) for all axes, or one for each."""
    if np.ndim(bounds) == 1 and len(bounds) == 2:
        return (interval(bounds, "explore: bounds"),) * count
    if np.ndim(bounds) != 2 or len(bounds) != count:
        pairs = "((low, high), (low, high))" if count == 2 else "(low, high)"
        raise ArgumentError(f"explore: bounds={pairs} are the limits of the picture's {count} axes, not {bounds!r}")
    return tuple(interval(side, f"explore: bounds of axis {i + 1}") for i, side in enumerate(bounds))


def window_of(bounds: Any, f: Any, problem: Problem, plane: Plane, minima: np.ndarray) -> Window:
    """The limits as given, or those of an objective, or of where a descent from the start goes."""
    count = len(plane.directions)
    start = vector_of(problem)
    here = plane.positions(start[None])[0]
    home = getattr(f, "domain", ()) if count == start.size else ()
    if bounds is not None:
        sides = bounds_of(bounds, count)
        outside = [i for i, (low, high) in enumerate(sides) if not low <= here[i] <= high]
        if outside:
            name, (low, high) = plane.names[outside[0]], sides[outside[0]]
            raise ArgumentError(
                f"explore: the start has {name} = {here[outside[0]]:g}, outside of its bounds ({low:g}, {high:g}): "
                "give bounds that hold it, or another start"
            )
        return sides
    if len(home) == count:
        return tuple(
            (low, high) if low <= x <= high else widened(min(low, x), max(high, x))
            for (low, high), x in zip(home, here, strict=True)
        )
    if plane.seen is None:
        points = plane.positions(_descent(problem, start))
    else:
        points = np.concatenate([here[None], plane.seen])

    def in_plane(position: Any) -> float:
        with no_grad():
            return float(problem.of_vector(tensor(plane.origin + position @ plane.directions)).detach())

    return window(None, in_plane, [Run("descent", points, np.arange(len(points)), np.asarray, None)], minima, count)


def _descent(problem: Problem, start: np.ndarray) -> np.ndarray:
    """The points of a run that finds its way without a learning rate that suits the function."""
    path = [start]
    rate = 0.03 * (float(np.abs(start).max()) or 1.0)
    minimize(problem.of_vector, start, optimizer="Adam", lr=rate, steps=300, compiled=False,
             callback=lambda step: path.append(step.x))  # fmt: skip
    return np.array(path)


def vector_of(problem: Problem) -> np.ndarray:
    """The start as one row of numbers."""
    return np.concatenate([np.ravel(leaf.array) for leaf in problem.leaves])


def minima_of(f: Any, minima: Any, plane: Plane) -> np.ndarray:
    """Known minima in the plane, shape (minima, 1 or 2): as given, or those of an objective; False for none."""
    count = plane.origin.size
    if minima is None:
        minima = [point for point in getattr(f, "minimizers", ()) if len(point) == count]
    if minima is False or np.size(minima) == 0:
        return np.empty((0, len(plane.directions)))
    array = np.asarray(unwrap(minima), dtype=np.float64)
    points = array.reshape(-1, 1) if count == 1 else np.atleast_2d(array)
    if points.ndim != 2 or points.shape[1] != count or not np.isfinite(points).all():
        raise ShapeError(
            f"explore: minima are points of {count} finite coordinates, one in each row, and these have shape "
            f"{array.shape}"
        )
    return plane.positions(points)


def curvature_at(problem: Problem, most: int) -> float:
    """The largest curvature at the start, in absolute value; 0 if it is not known."""
    start = vector_of(problem)
    if start.size > most:
        return 0.0
    with np.errstate(all="ignore"):
        hessian = np.asarray(jacobians.hessian(problem.of_vector)(start)).reshape(start.size, start.size)
    return float(np.abs(np.linalg.eigvalsh(hessian)).max()) if np.isfinite(hessian).all() else 0.0


def extent(sides: Window, plane: Plane) -> float:
    """How long the picture's longest side is, in the space of the coordinates."""
    lengths: Sequence[float] = np.linalg.norm(plane.directions, axis=1).tolist()
    return max((high - low) * length for (low, high), length in zip(sides, lengths, strict=True))
