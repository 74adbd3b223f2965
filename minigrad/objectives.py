"""Functions to minimise: each a formula, with its known minimum and the region that one plots.

Coordinates lie along the first axis, so one formula serves a point of shape (n,), and all points of a grid at once, of
shape (n, rows, columns).  No derivative is written anywhere: gradients and Hessians come from the graph.

All of them can be pickled, and so be sent to other processes.

Sources, unless an entry names another: E. M. L. Beale, "On an iterative method for finding a local minimum", 1958;
D. M. Himmelblau, "Applied Nonlinear Programming", 1972; L. A. Rastrigin, "Systems of Extremal Control", 1974; M. Jamil
and X.-S. Yang, "A literature survey of benchmark functions for global optimization problems", 2013.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from minigrad.errors import ArgumentError


class Objective(NamedTuple):
    """A function of a vector or a number, and what is known of it.

    Attributes
    ----------
    name : str
    function : callable
        From an array or Tensor of shape (n, ...), coordinates first, to one of shape (...).  That of a one-dimensional
        objective takes numbers and works elementwise.
    minimizers : tuple of tuple of float
        The points at which it has its least value; empty if there is none.
    minimum : float
        That value, or -inf.
    domain : tuple of (float, float)
        The interval of each coordinate that a picture shows.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> booth = mg.objectives.booth
    >>> booth
    booth, least at (1, 3) with value 0
    >>> mg.grad(booth)(np.zeros(2))
    array([-34., -38.])
    """

    name: str
    function: Callable[[Any], Any]
    minimizers: tuple[tuple[float, ...], ...]
    minimum: float
    domain: tuple[tuple[float, float], ...]

    def __call__(self, x: Any) -> Any:
        """The value at `x`."""
        return self.function(x)

    def __repr__(self) -> str:
        if not self.minimizers:
            return f"{self.name}, without a least value"
        points = " and ".join("(" + ", ".join(f"{c:.6g}" for c in point) + ")" for point in self.minimizers)
        return f"{self.name}, least at {points} with value {self.minimum:.6g}"


# Of one variable


def _square(x: Any) -> Any:
    return x**2


def _parabola(x: Any) -> Any:
    return x**2 + 5 * x + 6


def _wavy_parabola(x: Any) -> Any:
    return np.sin(3 * x) + 0.1 * x**2


def _well(x: Any) -> Any:
    return -np.exp(-(x**2))


#: The square of a number.
square = Objective("square", _square, ((0.0,),), 0.0, ((-10.0, 10.0),))

#: x^2 + 5 x + 6.
parabola = Objective("parabola", _parabola, ((-2.5,),), -0.25, ((-12.5, 10.0),))

#: sin 3x + 0.1 x^2: five minima between -5 and 5, of which one is the deepest.
wavy_parabola = Objective(
    "wavy_parabola", _wavy_parabola, ((-0.5122140283561128,),), -0.9731804794973067, ((-5.0, 5.0),)
)

#: -exp(-x^2): a well in a plain so flat that gradient descent hardly moves on it.
well = Objective("well", _well, ((0.0,),), -1.0, ((-4.0, 4.0),))


# Of two variables, or more


def bowl(*curvatures: float, center: Sequence[float] | None = None) -> Objective:
    """The quadratic ``sum(a_i (w_i - c_i)^2)``; its Hessian is diagonal and holds ``2 a_i``.

    Parameters
    ----------
    *curvatures : float
        The a, one for each coordinate.
    center : sequence of float, optional
        The c: by default the origin.

    Raises
    ------
    ValueError
        If there is no curvature, one is not above 0, or `center` has another length.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> f = mg.objectives.bowl(1, 5)
    >>> mg.grad(f)(np.array([4.0, 2.5]))
    array([ 8., 25.])
    """
    point = (0.0,) * len(curvatures) if center is None else tuple(map(float, center))
    if not curvatures or not all(math.isfinite(a) and a > 0 for a in curvatures):
        raise ArgumentError(f"bowl: curvatures are numbers above 0, one for each coordinate, not {curvatures}")
    if len(point) != len(curvatures):
        raise ArgumentError(f"bowl: a center of {len(point)} coordinates does not fit {len(curvatures)} curvatures")
    domain = tuple((c - 5.0, c + 5.0) for c in point)
    return Objective(f"bowl{tuple(curvatures)}", partial(_quadratic, curvatures, point), (point,), 0.0, domain)


def _quadratic(curvatures: Sequence[float], center: Sequence[float], w: Any) -> Any:
    return sum(a * (w[i] - c) ** 2 for i, (a, c) in enumerate(zip(curvatures, center, strict=True)))


def _wavy_bowl(w: Any) -> Any:
    return w[0] ** 2 + 3 * w[1] ** 2 + 0.5 * np.sin(3 * w[0]) * np.sin(3 * w[1])


def _saddle(w: Any) -> Any:
    return w[0] ** 2 - w[1] ** 2


def _rosenbrock(w: Any) -> Any:
    return (100 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2).sum(axis=0)


def _beale(w: Any) -> Any:
    x, y = w[0], w[1]
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def _himmelblau(w: Any) -> Any:
    x, y = w[0], w[1]
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def _booth(w: Any) -> Any:
    x, y = w[0], w[1]
    return (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2


def _matyas(w: Any) -> Any:
    x, y = w[0], w[1]
    return 0.26 * (x**2 + y**2) - 0.48 * x * y


def _goldstein_price(w: Any) -> Any:
    x, y = w[0], w[1]
    hills = 19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2
    valleys = 18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2
    return (1 + (x + y + 1) ** 2 * hills) * (30 + (2 * x - 3 * y) ** 2 * valleys)


def _three_hump_camel(w: Any) -> Any:
    x, y = w[0], w[1]
    return 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2


def _rastrigin(w: Any) -> Any:
    return (10 + w**2 - 10 * np.cos(2 * np.pi * w)).sum(axis=0)


def _styblinski_tang(w: Any) -> Any:
    return (w**4 - 16 * w**2 + 5 * w).sum(axis=0) / 2


#: w1^2 + 3 w2^2 + 0.5 sin 3w1 sin 3w2: two minima, and a saddle between them at the origin.
wavy_bowl = Objective(
    "wavy_bowl",
    _wavy_bowl,
    ((0.2432454619972512, -0.1500624066688317), (-0.2432454619972512, 0.1500624066688317)),
    -0.018321585921169725,
    ((-3.0, 3.0), (-2.0, 2.0)),
)

#: w1^2 - w2^2: the origin is a minimum along one coordinate and a maximum along the other.
saddle = Objective("saddle", _saddle, (), -math.inf, ((-2.0, 2.0), (-2.0, 2.0)))

#: A long banana-shaped valley, in two or more dimensions; the minimum is 0 at (1, ..., 1).
#: H. H. Rosenbrock, "An automatic method for finding the greatest or least value of a function", 1960.
rosenbrock = Objective("rosenbrock", _rosenbrock, ((1.0, 1.0),), 0.0, ((-2.0, 2.0), (-1.0, 3.0)))

#: Beale's function: flat plains with steep corners.
beale = Objective("beale", _beale, ((3.0, 0.5),), 0.0, ((-4.5, 4.5), (-4.5, 4.5)))

#: Himmelblau's function: four minima of equal depth.
himmelblau = Objective(
    "himmelblau",
    _himmelblau,
    (
        (3.0, 2.0),
        (-2.805118086952745, 3.131312518250573),
        (-3.779310253377747, -3.283185991286170),
        (3.584428340330492, -1.848126526964404),
    ),
    0.0,
    ((-5.0, 5.0), (-5.0, 5.0)),
)

#: Booth's function: a tilted quadratic.
booth = Objective("booth", _booth, ((1.0, 3.0),), 0.0, ((-10.0, 10.0), (-10.0, 10.0)))

#: Matyas' function: a quadratic whose Hessian has the eigenvalues 0.04 and 1.
matyas = Objective("matyas", _matyas, ((0.0, 0.0),), 0.0, ((-10.0, 10.0), (-10.0, 10.0)))

#: Goldstein and Price's function, "On descent from local minima", 1971: values over six powers of ten.
goldstein_price = Objective("goldstein_price", _goldstein_price, ((0.0, -1.0),), 3.0, ((-2.0, 2.0), (-3.0, 1.0)))

#: The three-hump camel: the least of three minima is at the origin.
three_hump_camel = Objective("three_hump_camel", _three_hump_camel, ((0.0, 0.0),), 0.0, ((-2.5, 2.5), (-2.5, 2.5)))

#: Rastrigin's function, in one or more dimensions: a bowl full of minima, the least 0 at the origin.
rastrigin = Objective("rastrigin", _rastrigin, ((0.0, 0.0),), 0.0, ((-5.12, 5.12), (-5.12, 5.12)))

#: The Styblinski-Tang function, in one or more dimensions; the minimum is -39.16616570377142 for each of them.
styblinski_tang = Objective(
    "styblinski_tang",
    _styblinski_tang,
    ((-2.903534027771177, -2.903534027771177),),
    -78.33233140754284,
    ((-5.0, 5.0), (-5.0, 5.0)),
)
