"""Paths of many coordinates in the plane in which they move most."""

from typing import Any, NamedTuple

import numpy as np

from minigrad.errors import ShapeError
from minigrad.options import whole_number
from minigrad.plot.runs import Run, read_paths, width


class Projection(NamedTuple):
    """Paths on their main directions.

    Attributes
    ----------
    paths : dict from str to ndarray, shape (records, dims)
        The coordinates of the points of each path along the directions, 0 at the center; NaN where a point is not
        finite.
    center : ndarray, shape (coordinates,)
        The mean of all finite points.
    directions : ndarray, shape (dims, coordinates)
        Of length 1, orthogonal, the main one first.
    explained : ndarray, shape (dims,)
        The part of the points' variance along each direction; 1 in total if the paths lie in these directions.
    """

    paths: dict[str, np.ndarray]
    center: np.ndarray
    directions: np.ndarray
    explained: np.ndarray

    def back(self, positions: Any) -> np.ndarray:
        """The points, coordinates first, at positions of shape ``(dims, *grid)`` along the directions."""
        positions = np.asarray(positions, dtype=np.float64)
        along = np.tensordot(self.directions.T, positions, axes=1)
        return np.reshape(self.center, (-1,) + (1,) * (positions.ndim - 1)) + along

    def coordinates(self, points: Any) -> np.ndarray:
        """The positions along the directions, shape (records, dims), of points of shape (records, coordinates)."""
        with np.errstate(all="ignore"):
            found: np.ndarray = (np.asarray(points, dtype=np.float64) - self.center) @ self.directions.T
        return np.where(np.isfinite(found), found, np.nan)


def project(paths: Any, dims: int = 2) -> Projection:
    """Project paths on the directions in which their points vary most: principal component analysis.

    As H. Li et al. show paths of training, "Visualizing the loss landscape of neural nets", NeurIPS 2018, section 7;
    the center is the mean here, so that the plane is the nearest to all points.

    Parameters
    ----------
    paths : Result, array of shape (records, coordinates), list or dict of these, or what sweep returned
        All of the same number of coordinates.  Trees of arrays are taken as one row of numbers.
    dims : int
        How many directions.

    Returns
    -------
    Projection

    Raises
    ------
    ShapeError
        If paths differ in the number of coordinates, or there are fewer coordinates or finite points than directions.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad import plot
    >>> steps = np.arange(5.0)[:, None]
    >>> found = plot.project(steps * np.array([3.0, 0.0, 4.0]) + 1.0)
    >>> found.directions[0], found.explained.round(6)
    (array([0.6, 0. , 0.8]), array([1., 0.]))
    >>> found.paths["path"][:, 0]
    array([-10.,  -5.,   0.,   5.,  10.])
    """
    return projected(read_paths(paths), dims)


def projected(runs: list[Run], dims: int) -> Projection:
    """The projection of paths that are read already."""
    whole_number(dims, "dims")
    for run in runs:
        width([run], runs[0].points.shape[1], f"a projection together with the path {runs[0].label!r}", "leave it out")
    points = np.concatenate([run.points for run in runs])
    points = points[np.isfinite(points).all(axis=1)]
    if min(points.shape) < dims:
        raise ShapeError(
            f"{dims} directions cannot be found from {len(points)} finite points of {points.shape[1]} coordinates"
        )
    # Numbers of a path that runs away are squared in here: in units of the largest none of them overflows.
    unit = np.abs(points).max() or 1.0
    center = (points / unit).mean(axis=0)
    _, lengths, directions = np.linalg.svd(points / unit - center, full_matrices=False)
    directions = directions[:dims]
    # A direction and its opposite are equally good: take the one whose largest component is positive.
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, None], axis=1)
    directions = directions * np.where(largest < 0, -1.0, 1.0)
    variances = lengths**2
    found = Projection({}, center * unit, directions, variances[:dims] / (variances.sum() or 1.0))
    return found._replace(paths={run.label: found.coordinates(run.points) for run in runs})
