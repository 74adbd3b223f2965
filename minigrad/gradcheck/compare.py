"""The check of one function: its Jacobian by backward against its Jacobian by differences.

The function is that of one vector of real numbers that `function.Function` makes.  Its Jacobian is computed twice: row
by row with backward passes, and column by column with differences of values.  Where the two disagree the differences
are taken again with other steps, since they can be wrong too: beside a kink, at the edge of the domain, or where
rounding hides the derivative.  What still disagrees is a failure.
"""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minigrad.core import Array
from minigrad.gradcheck.failure import ENOUGH, DerivativeError, Failure, disagreement
from minigrad.gradcheck.function import NO_NUMBERS, NO_RESULTS, PRECISION, Function, flat, random_weights, split

STEP = 2.0**-17  # near the cube root of the precision; a power of 2, so that x + step is exact for most x
_LADDER = 2.0 ** np.array([8, 4, 0, -4, -8, -12, -16])  # the other steps, in units of the usual one
_USUAL = slice(2, 5)  # the usual step and two smaller ones: what persists over these is no matter of the step
_BLIND = 1e-4  # uncertainty of the differences excuses a disagreement up to this part of the largest derivative
_PROJECTIONS = 4  # random directions for each Tensor in the fast mode
__tracebackhide__ = True  # by pytest


class Options(NamedTuple):
    """How a check is made: the parameters of `gradcheck`."""

    step: float
    atol: float
    rtol: float
    fast: bool
    seed: int


class Ray(NamedTuple):
    """A direction among the elements of one Tensor: along one of them, or a random combination of all."""

    tensor: int
    element: tuple[int | str, ...] | None
    where: slice
    values: Array
    step: float


def _rays(
    tensors: Sequence[int],
    arrays: Sequence[Array],
    are_complex: Sequence[bool],
    step: float,
    rng: "np.random.Generator | None",
) -> list[Ray]:
    """All directions to look at: random ones if there is a generator, else every element."""
    rays, start = [], 0
    for tensor, array, is_complex in zip(tensors, arrays, are_complex, strict=True):
        scale, stop = np.maximum(1.0, np.abs(array)), start + array.size
        if rng is None:
            for i, element in enumerate(np.ndindex(array.shape), start):
                named = (*element[:-1], ("real", "imag")[element[-1]]) if is_complex else element
                rays.append(Ray(tensor, named, slice(i, i + 1), np.ones(1), step * float(scale[element])))
        elif array.size:
            directions = [np.ravel(scale * random_weights(rng, array.shape)) for _ in range(_PROJECTIONS)]
            rays += [Ray(tensor, None, slice(start, stop), values, step) for values in directions]
        start = stop
    return rays


def along(rays: Sequence[Ray], vectors: Array) -> Array:
    """The components of one or more vectors in these directions."""
    return np.stack([vectors[..., ray.where] @ ray.values for ray in rays], axis=-1)


def moved(x: Array, ray: Ray, distance: complex) -> Array:
    """The point at a distance in this direction."""
    there = x.astype(np.result_type(x, distance))
    there[ray.where] += distance * ray.values
    return there


class Comparison(NamedTuple):
    """The Jacobian of a function, twice, and how far the two may be apart.

    Attributes
    ----------
    seeds : list of Ray
        The elements of the outputs: the rows.
    probes : list of Ray
        The elements of the inputs: the columns.
    analytic, numeric : ndarray
        The Jacobian by backward, and by differences: the best ones, where they were taken again.
    tolerance : ndarray
        How far apart they may be.
    kinked : ndarray of bool
        Where there is no derivative, whatever the numbers are.
    confirmed : ndarray of bool
    failures : list of Failure
        Not all if there are many.
    """

    seeds: list[Ray]
    probes: list[Ray]
    analytic: Array
    numeric: Array
    tolerance: Array
    kinked: Array
    confirmed: Array
    failures: list[Failure]


def check(function: Function, options: Options) -> Comparison | None:
    """Compare the Jacobian of a function with what backward says; None if it has no elements.

    Raises
    ------
    DerivativeError
        If the two disagree.
    """
    if not function.active:
        raise DerivativeError("nothing to check", f"gradcheck has nothing to check: {NO_NUMBERS}")
    if not function.places:
        raise DerivativeError("nothing to check", f"gradcheck has nothing to check: {NO_RESULTS}")
    _check_repeatable(function, times=1)
    rng = np.random.default_rng(options.seed)
    chosen = rng if options.fast else None
    are_complex = [y.dtype.kind == "c" for y in function.outputs]
    seeds = _rays(function.places, [np.zeros(shape) for shape in function.output_shapes], are_complex, 1.0, chosen)
    probes = _rays(function.active, split(function.x, function.shapes), function.complex, options.step, chosen)
    if not seeds or not probes:
        function.vjp(function.y)  # no numbers to compare, but shapes
        return None
    rows = np.stack([function.vjp(moved(np.zeros_like(function.y), seed, 1.0)) for seed in seeds])
    comparison = _compare(function, seeds, probes, along(probes, rows), options)
    if comparison.failures:
        _check_repeatable(function, times=8)
        raise disagreement(function.names, comparison)
    _check_linear(function, seeds, rows, rng, options)
    return comparison


def _compare(function: Function, seeds: list[Ray], probes: list[Ray], analytic: Array, options: Options) -> Comparison:
    numeric, right, left, wide = np.stack([_slopes(function, seeds, probe) for probe in probes], axis=-1)
    tolerance = options.atol + options.rtol * np.abs(numeric)
    close = _close(analytic, numeric, tolerance)
    kinked = np.zeros_like(close)
    # The difference of the slopes on both sides shrinks with the step, unless there is a kink.
    jump = np.abs(right - left)
    noise = options.atol + function.noise / np.array([probe.step for probe in probes])
    bent = (jump > 0.75 * np.abs(wide)) & (jump > _BLIND * (np.abs(right) + np.abs(left)) + noise)

    excuse = _BLIND * np.abs(numeric).max(axis=1, initial=0.0, where=np.isfinite(numeric))
    failures: list[Failure] = []
    suspects = np.flatnonzero((bent | ~close).any(axis=0))
    distance = np.where(close[:, suspects], 0.0, _distance(analytic[:, suspects], numeric[:, suspects]))
    for k, j in enumerate(suspects[np.argsort(-distance.max(axis=0), kind="stable")]):
        # Each of the first columns may have one of the worst derivatives; others are looked at for want of failures.
        if k >= ENOUGH and sum(failure.kind != "kink" for failure in failures) >= ENOUGH:
            break
        better = _refined(function, seeds, probes[j], analytic[:, j], options.atol)
        numeric[:, j] = better.numeric
        tolerance[:, j] = options.atol + options.rtol * np.abs(better.numeric) + np.minimum(better.error, excuse)
        again = _close(analytic[:, j], numeric[:, j], tolerance[:, j])
        kinked[:, j] = better.kinked | (better.growing & ~again)
        close[:, j] = again & ~kinked[:, j]
        apart = _distance(analytic[:, j], numeric[:, j])
        for i in sorted(np.flatnonzero(~close[:, j]), key=lambda i: (kinked[i, j], -apart[i]))[:ENOUGH]:
            numbers = float(analytic[i, j]), float(numeric[i, j]), float(better.error[i])
            slopes = (float(better.left[i]), float(better.right[i])) if kinked[i, j] else None
            failures.append(_failure(function, seeds[i], probes[j], numbers, slopes))
    return Comparison(seeds, probes, analytic, numeric, tolerance, kinked, close, failures)


def _distance(analytic: Array, numeric: Array) -> Array:
    """How far apart the two are, and 0 where one is not finite, which is not the worst that there is."""
    return np.nan_to_num(np.abs(analytic - numeric), nan=0.0, posinf=0.0)


def _close(analytic: Array, numeric: Array, tolerance: Array) -> Array:
    return np.isfinite(numeric) & (np.abs(analytic - numeric) <= tolerance)


def _slopes(function: Function, seeds: Sequence[Ray], probe: Ray, factor: float = 1.0) -> Array:
    """In a direction: the derivative, the slopes to the right and to the left, and their difference over two steps."""
    y, step = function.y, factor * probe.step
    back2, back, on, on2 = (function(moved(function.x, probe, k * step)) for k in (-2, -1, 1, 2))
    central = (4 * (on - back) / 2 - (on2 - back2) / 4) / 3
    return along(seeds, np.stack([central, on - y, y - back, (on2 - 2 * y + back2) / 2]) / step)


class _Refined(NamedTuple):
    numeric: Array
    error: Array
    kinked: Array  # the slopes to the right and to the left do not meet, and the analytic one is between them
    growing: Array  # they grow without end, as at a jump of the function or an infinite slope
    left: Array
    right: Array


def _refined(function: Function, seeds: Sequence[Ray], probe: Ray, analytic: Array, atol: float) -> _Refined:
    """One column of the Jacobian from all steps of the ladder: of each element the one that is known best."""
    central, right, left, _ = np.stack([_slopes(function, seeds, probe, factor) for factor in _LADDER], axis=1)
    noise = (function.noise / (probe.step * _LADDER))[:, None]
    spread = np.abs(np.diff(central, axis=0))
    doubt = np.where(np.isfinite(spread), spread, np.inf) + noise[1:]
    # Large slopes by their relative doubt: far above the distance to a singularity a slope is small, wrong and steady.
    best = (doubt / (1 + np.abs(np.nan_to_num(central[1:])))).argmin(axis=0)[None]
    error = np.take_along_axis(doubt, best, axis=0)[0]
    numeric = np.where(np.isfinite(error), np.take_along_axis(central[1:], best, axis=0)[0], np.nan)

    right, left, noise = right[_USUAL], left[_USUAL], noise[_USUAL]
    jump = np.abs(right - left)
    lasting = (np.abs(jump - jump[0]) <= 0.25 * jump[0]).all(axis=0) & (jump[0] > atol + noise[0])
    slack = 0.01 * jump[0]
    between = (np.minimum(right, left)[0] - slack <= analytic) & (analytic <= np.maximum(right, left)[0] + slack)
    steep = np.maximum(np.abs(right), np.abs(left))
    growing = (steep[1:] > 3 * steep[:-1]).all(axis=0) & (steep[-1] > 10 * noise[-1])
    return _Refined(numeric, error, lasting & between, growing, left[0], right[0])


def _failure(
    function: Function,
    seed: Ray,
    probe: Ray,
    numbers: tuple[float, float, float],
    slopes: tuple[float, float] | None,
) -> Failure:
    """What to tell of a derivative; slopes are given at a kink only."""
    analytic, numeric, error = numbers
    if not np.isfinite(analytic) or not np.isfinite(numeric):
        kind = "not finite"
    elif slopes is not None:
        kind = "kink"
    else:
        kind = "uncertain" if abs(analytic - numeric) <= error else "wrong"
    opinion = None if kind == "kink" else _complex_step(function, seed, probe)
    return Failure(kind, seed.tensor, seed.element, probe.tensor, probe.element, *numbers, opinion, slopes)


def _complex_step(function: Function, seed: Ray, probe: Ray) -> float | None:
    step = 1e-20 * probe.step
    if any(function.complex):
        return None
    try:
        with warnings.catch_warnings(action="error"):
            outputs = function.run(moved(function.x, probe, 1j * step), np.complex128)[1]
            y = flat([outputs[i].data for i in function.places])
            return float(y.imag[seed.where] @ seed.values / step) if y.dtype.kind == "c" else None
    except Exception:  # anything may go wrong in a function that is not made for complex numbers
        return None


def _check_repeatable(function: Function, times: int) -> None:
    tolerance = 64 * PRECISION * np.abs(function.y).max(initial=0.0, where=np.isfinite(function.y))
    for _ in range(times):
        y = function(function.x)
        same = (y == function.y) | (np.abs(y - function.y) <= tolerance) | (np.isnan(y) & np.isnan(function.y))
        if not same.all():
            raise DerivativeError(
                "not deterministic",
                "the function is not deterministic: called twice at the same point it gave different values. Seed its "
                "random numbers inside of it, and switch dropout off",
            )


def _check_linear(
    function: Function, seeds: Sequence[Ray], rows: Array, rng: "np.random.Generator", options: Options
) -> None:
    """Raise if a weighted sum of rows is not what backward gives for this weighted sum of outputs, each time."""
    weights = rng.normal(size=len(seeds))
    u = np.zeros_like(function.y)
    for weight, seed in zip(weights, seeds, strict=True):
        u[seed.where] += weight * seed.values
    tolerance = options.atol + options.rtol * np.abs(weights) @ np.abs(rows)
    for _ in range(2):
        if not (np.abs(function.vjp(u) - weights @ rows) <= tolerance).all():
            raise DerivativeError(
                "not linear",
                "backward is not linear: for a sum of the gradients that enter at the outputs it does not give the sum "
                "of the results, or it gives something else every time",
            )
