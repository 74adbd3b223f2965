"""A line search: how far to go along a direction."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Point(NamedTuple):
    """A place on the line: how far along, the value there, its gradient, and its slope along the line."""

    t: float
    value: float
    gradient: np.ndarray
    slope: float


def cubic_minimum(a: Point, b: Point, bounds: tuple[float, float] | None = None) -> float:
    """Where the cubic through two points and their slopes has its minimum, within bounds.

    J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd edition, 2006, equation 3.59.
    """
    a, b = (a, b) if a.t <= b.t else (b, a)
    low, high = (a.t, b.t) if bounds is None else bounds
    first = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t)
    square = first * first - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2
    root = math.sqrt(square)
    t = b.t - (b.t - a.t) * ((b.slope + root - first) / (b.slope - a.slope + 2 * root))
    return min(max(t, low), high)


def strong_wolfe(
    evaluate: Callable[[float], Point],
    start: Point,
    t: float,
    largest: float,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance_change: float = 1e-9,
    max_steps: int = 25,
) -> tuple[Point, int]:
    """A point that meets Wolfe's strong conditions: the value has fallen enough, and the slope is flat enough.

    J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd edition, 2006, algorithms 3.5 and 3.6, with cubic
    interpolation and safeguards as in PyTorch's LBFGS.

    Parameters
    ----------
    evaluate : callable
        Gives the `Point` at a distance.
    start : Point
        At distance 0, with a slope below 0.
    t : float
        The first distance to try.
    largest : float
        The largest absolute element of the direction: where it is multiplied by less than `tolerance_change / largest`,
        nothing moves any more.
    c1, c2 : float
        How much the value must fall, and how flat the slope must be, relative to the slope at the start.
    tolerance_change : float
    max_steps : int

    Returns
    -------
    point : Point
    count : int
        How many points were evaluated.
    """

    def too_high(point: Point) -> bool:
        return point.value > start.value + c1 * point.t * start.slope

    def flat(point: Point) -> bool:
        return abs(point.slope) <= -c2 * start.slope

    # Go on until a minimum must lie behind.
    before, point, steps = start, evaluate(t), 0
    while steps < max_steps:
        if too_high(point) or (steps > 1 and point.value >= before.value) or (not flat(point) and point.slope >= 0):
            break
        if flat(point):
            return point, steps + 1
        bounds = (point.t + 0.01 * (point.t - before.t), 10 * point.t)
        t = cubic_minimum(before, point, bounds)
        before, point = point, evaluate(t)
        steps += 1
    bracket = [before, point] if steps < max_steps else [start, point]

    # Narrow the bracket, whose lower end is always the best point that has fallen enough.
    low = 0 if bracket[0].value <= bracket[1].value else 1
    slow = False
    while steps < max_steps:
        left, right = min(p.t for p in bracket), max(p.t for p in bracket)
        if (right - left) * largest < tolerance_change:
            break
        t = cubic_minimum(bracket[0], bracket[1])
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:  # too near an end: the second time, move away from it
            if slow or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                slow = False
            else:
                slow = True
        else:
            slow = False
        point = evaluate(t)
        steps += 1
        if too_high(point) or point.value >= bracket[low].value:
            bracket[1 - low] = point
            low = 0 if bracket[0].value <= bracket[1].value else 1
            continue
        done = flat(point)
        if not done and point.slope * (bracket[1 - low].t - bracket[low].t) >= 0:
            bracket[1 - low] = bracket[low]
        bracket[low] = point
        if done:
            break
    return bracket[low], steps + 1
