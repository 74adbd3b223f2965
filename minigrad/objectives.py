"""Functions to minimise: each a formula, with its known minimum and the region that one plots."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Objective(NamedTuple):
    """A function of a vector, and what is known of it.

    Attributes
    ----------
    function : callable
        From an array or Tensor of shape (n,) to a number.
    minimizers : tuple of tuple of float
        The points at which it has its least value.
    minimum : float
        That value.
    domain : tuple of (float, float)
        The interval of each coordinate that a picture shows.
    """

    function: Callable[[Any], Any]
    minimizers: tuple[tuple[float, ...], ...]
    minimum: float
    domain: tuple[tuple[float, float], ...]

    def __call__(self, x: Any) -> Any:
        """The value at `x`."""
        return self.function(x)


def _rosenbrock(x: Any) -> Any:
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


#: Rosenbrock's banana-shaped valley, in two or more dimensions; the minimum is 0 at (1, ..., 1).
#: H. H. Rosenbrock, "An automatic method for finding the greatest or least value of a function", 1960.
rosenbrock = Objective(_rosenbrock, ((1.0, 1.0),), 0.0, ((-2.0, 2.0), (-1.0, 3.0)))
