"""In ONNX: reading by index, sorting and searching, and rows of tables."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.export.for_onnx.builder import Graph
from minigrad.export.for_onnx.linalg import length
from minigrad.export.for_onnx.shaping import searched
from minigrad.export.for_onnx.sizes import Size
from minigrad.export.for_onnx.values import NoFormError, Operand, Value, broadcast, of_result
from minigrad.ops.indexing import PLACE

Index = tuple[Any, ...]
_FIRST, _LAST = np.iinfo(np.int64).min, np.iinfo(np.int64).max


class Reading(NamedTuple):
    """What an index says, axis by axis.

    Attributes
    ----------
    slices : dict of int to slice
        By axes of the array.
    picks : dict of int to Value
        The axes that are read at places: by arrays, and by integers beside arrays.
    kept : list of (int or None)
        The axes that stay, and new ones, in the order of the result.
    front : int
        Before how many of these the axes of the places come.
    """

    slices: dict[int, slice]
    picks: dict[int, Value]
    kept: list[int | None]
    front: int


def reading(g: Graph, shape: Sequence[Any], index: Index, places: Sequence[Value]) -> Reading:
    """An index taken apart."""
    parts = _parts(g, index, places)
    consumed = sum(part is not None and part is not Ellipsis for part in parts)
    rest = [slice(None)] * (len(shape) - consumed)
    at = parts.index(Ellipsis) if any(part is Ellipsis for part in parts) else len(parts)
    parts = [*parts[:at], *rest, *parts[at + 1 :]]
    arrays = [i for i, part in enumerate(parts) if isinstance(part, Value)]
    picked = [i for i, part in enumerate(parts) if isinstance(part, Value | int)]
    slices: dict[int, slice] = {}
    picks: dict[int, Value] = {}
    kept: list[int | None] = []
    front, axis = 0, 0
    together = bool(picked) and picked == list(range(picked[0], picked[-1] + 1))
    for i, part in enumerate(parts):
        if part is None:
            kept.append(None)
        elif isinstance(part, slice):
            kept.append(axis)
            slices[axis] = part
            axis += 1
        else:
            picks[axis] = part if isinstance(part, Value) else g.constant(np.int64(part))
            front = len(kept) if not front and i == picked[0] and together else front
            axis += 1
    if not arrays:
        front = 0
    return Reading(slices, picks, kept, front)


def picks_nothing(index: Index) -> bool:
    """Whether False is in the index, a mask of no axes that leaves nothing."""
    return any(part is False for part in index)


def _parts(g: Graph, index: Index, places: Sequence[Value]) -> list[Any]:
    """The parts of an index, with integers as Python's, and masks as the places that they leave."""
    rest = iter(places)
    parts: list[Any] = []
    for part in index:
        if isinstance(part, str) and part == PLACE:
            place = next(rest)
            parts += _of_mask(g, place) if place.dtype.kind == "b" else [g.cast(place, np.int64)]
        elif part is True:  # a mask of no axes, which leaves all
            parts.append(None)
        elif isinstance(part, Size):
            parts.append(g.cast(g.value(part), np.int64))
        elif isinstance(part, np.integer):
            parts.append(int(part))
        else:
            parts.append(part)
    return parts


def _of_mask(g: Graph, mask: Value) -> list[Value]:
    if mask.name not in g.initializers:
        why = "how many elements a mask leaves must not depend on arguments"
        raise NoFormError("an index by a mask", why)
    return [g.constant(place) for place in np.nonzero(g.initializers[mask.name])]


def read(g: Graph, x: Value, how: Reading, shape: Sequence[Any]) -> Value:
    """The elements at an index, as an array of this shape."""
    places = broadcast(*[place.shape for place in how.picks.values()]) if how.picks else ()
    before = how.front
    lengths = [*shape[:before], *shape[before + len(places) :]]
    of_axis = {axis: lengths[i] for i, axis in enumerate(how.kept) if axis is not None}
    x = _sliced(g, x, how.slices, of_axis)
    axes = [axis for axis in how.kept if axis is not None]
    front = sum(axis is not None for axis in how.kept[:before])
    if len(how.picks) == 1:
        ((axis, place),) = how.picks.items()
        own = [*x.shape[:axis], *places, *x.shape[axis + 1 :]]
        x = g.node("Gather", [x, place], x.dtype, own, axis=axis)
    elif how.picks:
        x = g.transpose(x, [*how.picks, *axes])
        columns = [g.unsqueeze(g.expand(place, places), [-1]) for place in how.picks.values()]
        own = [*places, *x.shape[len(how.picks) :]]
        x = g.node("GatherND", [x, g.concat(columns, -1)], x.dtype, own)
        count = len(places)
        rest = list(range(count, x.ndim))
        x = g.transpose(x, [*rest[:front], *range(count), *rest[front:]])
    new = [i if i < before else i + len(places) for i, axis in enumerate(how.kept) if axis is None]
    return g.unsqueeze(x, new) if new else x


def _sliced(g: Graph, x: Value, slices: dict[int, slice], lengths: dict[int, Any]) -> Value:
    """Parts of axes; what is taken whole is left alone."""
    starts, stops, axes, steps = [], [], [], []
    shape = list(x.shape)
    for axis, part in slices.items():
        step = 1 if part.step is None else int(part.step)
        if step == 1 and part.start in (None, 0) and (part.stop is None or part.stop == x.shape[axis]):
            continue
        axes.append(axis)
        steps.append(step)
        starts.append((0 if step > 0 else _LAST) if part.start is None else part.start)
        stops.append((_LAST if step > 0 else _FIRST) if part.stop is None else part.stop)
        shape[axis] = lengths[axis]
    if not axes:
        return x
    ends = [g.vector(starts), g.vector(stops), g.constant(axes, np.int64), g.constant(steps, np.int64)]
    return g.node("Slice", [x, *ends], x.dtype, shape)


@of_result
def _getitem(g: Graph, x: Any, *places: Value, index: Index, result: Value) -> Value:
    if not isinstance(x, Value):  # several results in a row
        found = x.part(index)
        if found is not None:
            return g.reshape(g.cast(found, result.dtype), result.shape)
        x = x.joined()
    if picks_nothing(index):
        return g.expand(g.constant(0, x.dtype), result.shape)
    return read(g, x, reading(g, x.shape, index, places), result.shape)


# Order


def argsort(g: Graph, x: Value, axis: int, descending: bool = False) -> Value:
    """The places in order: of equal elements the first comes first, and NaN is larger than any number."""
    if not x.ndim:
        return g.constant(np.int64(0))
    axis, x = axis % x.ndim, g.wide(x)
    if x.dtype.kind != "f":
        return _top(g, x, axis, descending)
    lost = g.isnan(x)
    places = _top(g, g.where(lost, math.inf, x), axis, descending)
    late = g.node("GatherElements", [g.cast(lost, np.int32), places], np.int32, x.shape, axis=axis)
    return g.node("GatherElements", [places, _top(g, late, axis, descending)], np.int64, x.shape, axis=axis)


def _top(g: Graph, x: Value, axis: int, descending: bool) -> Value:
    count = g.vector([x.shape[axis]])
    forms = [(x.dtype, x.shape), (np.int64, x.shape)]
    return g.several("TopK", [x, count], forms, axis=axis, largest=int(descending), sorted=1)[1]


def _places_of_top(g: Graph, x: Operand, *, k: int, axis: int, largest: bool, sorted: bool) -> Value:
    x = g.value(x)
    order = argsort(g, x, axis, largest)
    places = g.slice(order, axis, 0, k, k)
    if sorted:
        return places
    rank = _top(g, places, axis % x.ndim, False)
    return g.node("GatherElements", [places, rank], np.int64, places.shape, axis=axis)


def _searchsorted(g: Graph, x1: Operand, x2: Operand, *, side: str) -> Value:
    edges, x = g.alike(x1, x2)
    return searched(g, edges, x, side)


def _isin(g: Graph, x1: Operand, x2: Operand, *, invert: bool = False) -> Value:
    x, others = g.alike(x1, x2)
    flat = g.flat(others)
    same = g.equal(g.unsqueeze(x, [-1]), flat)
    found = g.reduce("ReduceSum", g.cast(same, np.int64), -1) > 0
    return ~found if invert else found


# Tables of rows


def _shortened(g: Graph, table: Value, rows: Value, *, max_norm: float, norm_type: float) -> Value:
    numbers = g.unsqueeze(g.arange(table.shape[0]), [-1])
    flat = g.flat(g.cast(rows, np.int64))
    used = g.reduce("ReduceSum", g.cast(g.equal(numbers, flat), np.int64), -1, True) > 0
    norms = length(g, table, (1,), norm_type)
    long = used & (norms > max_norm)
    return g.where(long, table * (max_norm / (g.where(long, norms, 1) + 1e-7)), table)


def _frequencies(g: Graph, rows: Value) -> Value:
    flat = g.flat(rows)
    return g.reduce("ReduceSum", g.cast(g.equal(g.unsqueeze(rows, [-1]), flat), np.int64), -1)


def _bag_numbers(g: Graph, starts: Value, *, count: int, include_last: bool) -> Value:
    starts = g.cast(starts, np.int64)
    bags = starts.shape[0]
    starts = g.slice(starts, 0, 0, -1, bags - 1) if include_last else starts  # type: ignore[operator]
    return searched(g, starts, g.arange(count), "right") - 1


def _places_of_maxima(g: Graph, value: Value, bags: Value, *, count: int) -> Value:
    """In each bag and column the first row that is largest, or NaN."""
    rows = value.shape[0]
    own = g.equal(g.unsqueeze(bags, [0]), g.reshape(g.arange(count), (count, 1)))  # (bags, rows)
    own = g.unsqueeze(own, [-1])
    top = g.reduce("ReduceMax", g.where(own, g.where(g.isnan(value), math.inf, value), -math.inf), 1, True)
    best = g.where(g.isnan(value), math.inf, value)
    lost = g.reduce("ReduceMax", g.cast(own & g.isnan(value), np.int32), 1, True)
    attains = own & g.where(g.equal(lost, 1), g.isnan(value), g.equal(best, top))
    numbers = g.reshape(g.arange(rows), (rows, 1))
    places = g.reduce("ReduceMin", g.where(attains, numbers, rows), 1)
    return g.where(places < rows, places, 0)


PICKING: dict[str, Callable[..., Any]] = {
    "getitem": _getitem,
    "argsort": lambda g, x, axis=-1, *, descending=False, stable=True: argsort(g, g.value(x), axis, descending),
    "places_of_top": _places_of_top,
    "searchsorted": _searchsorted,
    "isin": _isin,
    "scale_gradient": lambda g, x, factor: g.value(x),
    "shortened": _shortened,
    "frequencies": _frequencies,
    "bag_numbers": _bag_numbers,
    "places_of_maxima": _places_of_maxima,
}
