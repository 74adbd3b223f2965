"""Heat maps: how far apart the two Jacobians are, in decades of the tolerance.

The level of a derivative is a whole number: 3 and less within the tolerance, one for two powers of 10, and from 4 on
beyond it, one for each.  Two more levels are above these, so that the largest level of a block never hides them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minigrad.core import Array
from minigrad.gradcheck.compare import Comparison, Ray

KINK, NOT_FINITE = 10, 11
SHADES = " .:-=+*#%@KN"  # one for each level
WORDS = (
    "at most 1e-6 of the tolerance", "at most 1e-4", "at most 1e-2", "within the tolerance",
    "up to 10 times the tolerance", "up to 100 times", "up to 1000 times", "up to 1e4 times", "up to 1e5 times",
    "more than that", "no derivative: a kink or a jump", "NaN or inf",
)  # fmt: skip
_WITHIN = WORDS.index("within the tolerance")
_WORST = KINK - 1

SIDE = 60  # a larger map is made smaller
_PLANES = 6  # of three axes, so many places along the first are shown


def levels(comparison: Comparison) -> Array:
    """The level of every derivative."""
    found = ratios(comparison)
    with np.errstate(all="ignore"):
        decades = np.log10(found)
        level = np.clip(np.ceil(np.where(decades > 0, decades, decades / 2)) + _WITHIN, 0, _WORST)
    level = np.where(comparison.confirmed, np.minimum(level, _WITHIN), np.maximum(level, _WITHIN + 1))
    level = np.where(comparison.kinked, KINK, level)
    return np.where(np.isfinite(found), level, NOT_FINITE).astype(np.int8)


def ratios(comparison: Comparison) -> Array:
    """The distance of the two Jacobians over the tolerance; NaN where one of them is not finite."""
    analytic, numeric = comparison.analytic, comparison.numeric
    finite = np.isfinite(analytic) & np.isfinite(numeric)
    with np.errstate(all="ignore"):
        distance = np.abs(analytic - numeric)
        huge = np.finfo(np.float64).max  # of a tolerance of 0
        ratio = np.where(distance == 0, 0.0, np.minimum(distance / comparison.tolerance, huge))
    return np.where(finite, ratio, np.nan)


class Pair(NamedTuple):
    """One output and one input: which rows and columns of the Jacobian are theirs, or slices of no length."""

    output: int
    input: int
    rows: slice
    columns: slice


def pairs(comparison: Comparison, outputs: Sequence[int], inputs: Sequence[int]) -> list[Pair]:
    """Every output with every input."""
    rows, columns = _runs(comparison.seeds, outputs), _runs(comparison.probes, inputs)
    return [Pair(i, j, rows[i], columns[j]) for i in outputs for j in inputs]


def _runs(rays: Sequence[Ray], tensors: Sequence[int]) -> dict[int, slice]:
    """The elements of one Tensor follow one another."""
    owners = np.array([ray.tensor for ray in rays])
    starts, stops = np.searchsorted(owners, tensors, "left"), np.searchsorted(owners, tensors, "right")
    return {tensor: slice(int(a), int(b)) for tensor, a, b in zip(tensors, starts, stops, strict=True)}


class HeatMap(NamedTuple):
    """A map that can be shown: grids of levels, one below the other, each with a name."""

    title: str
    note: str
    planes: list[tuple[str, Array]]

    def __str__(self) -> str:
        lines = [self.title]
        for name, grid in self.planes:
            rule = f"  +{'-' * grid.shape[1]}+"
            lines += [f"  {name}"] if name else []
            lines += [rule, *(f"  |{''.join(SHADES[level] for level in row)}|" for row in grid), rule]
        return "\n".join([*lines, f"  {self.note}"])


def jacobian_map(title: str, grid: Array, side: tuple[int, int] = (SIDE, SIDE)) -> HeatMap:
    """The map of one output by one input, with the elements in a row."""
    rows, columns = grid.shape
    grid, blocks = _reduced(grid, side)
    note = f"{_count(rows, 'row')} for the output, {_count(columns, 'column')} for the input{_told(blocks)}"
    return HeatMap(title, note, [("", grid)])


def input_map(title: str, grid: Array, shape: tuple[int, ...], side: tuple[int, int] = (SIDE, SIDE)) -> HeatMap:
    """The map of an input in its own shape, of one to three axes: the largest level of any output."""
    whole = grid.max(axis=0).reshape(shape)
    cube, blocks = _reduced(whole.reshape((1,) * (3 - whole.ndim) + shape), (_PLANES, *side))
    note = f"the worst of all outputs, in the shape {shape}{_told(blocks[3 - whole.ndim :])}"
    if whole.ndim < 3:
        return HeatMap(title, note, [("", cube[0])])
    starts = range(0, shape[0], blocks[0])
    ends = (f"{start}" if blocks[0] == 1 else f"{start}:{min(start + blocks[0], shape[0])}" for start in starts)
    return HeatMap(title, note, [(f"[{place}, :, :]", grid) for place, grid in zip(ends, cube, strict=True)])


def _reduced(grid: Array, side: tuple[int, ...]) -> tuple[Array, tuple[int, ...]]:
    """The maximum over blocks, so that no axis is longer than allowed; and the shape of these blocks."""
    blocks = tuple(-(-length // most) for length, most in zip(grid.shape, side, strict=True))
    for axis, block in enumerate(blocks):
        if block > 1:
            grid = np.maximum.reduceat(grid, np.arange(0, grid.shape[axis], block), axis=axis)
    return grid, blocks


def _told(blocks: tuple[int, ...]) -> str:
    if max(blocks) == 1:
        return ""
    return f"; each cell is the worst of a block of {' x '.join(map(str, blocks))}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def key() -> str:
    """What the shades mean."""
    words = [f"'{shade}' {word}" for shade, word in zip(SHADES, WORDS, strict=True)]
    lines = ["; ".join(words[: _WITHIN + 1]), "; ".join(words[_WITHIN + 1 : KINK]), "; ".join(words[KINK:])]
    return "\n".join(["|analytic - numeric| over the tolerance:", *(f"  {line}" for line in lines)])
