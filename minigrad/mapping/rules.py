"""What operations do with a batch: a rule for each kind, and rules of their own for some.

All of them are written with the operations themselves, so they need no derivatives.
"""

from contextlib import suppress
from math import prod
from typing import Any

import numpy as np

from minigrad.core import Primitive, unwrap
from minigrad.errors import ProgramError
from minigrad.mapping import looping
from minigrad.mapping.walk import Diverged, Rule, Step, Value, one_by_one, spread, with_rank
from minigrad.nn import activation, attention, embedding, max_pooling, module_hooks, normalization
from minigrad.nn import linear as linear_layer
from minigrad.nn.losses import classification
from minigrad.ops import (
    arguments,
    binning,
    decompositions,
    elementwise,
    fft,
    ignoring_nan,
    indexing,
    kept_zeros,
    linalg,
    logistic,
    numbers,
    numerics,
    numpy_sets,
    quantiles,
    reductions,
    scattering,
    shaping,
    solving,
    sorting,
    sparse,
    ufunc_methods,
    windows,
)
from minigrad.ops.shaping import moveaxis, reshape, swapaxes
from minigrad.program import bodies
from minigrad.program import numbers as program_numbers

# By kind


def aligned(step: Step) -> Any:
    """Operations that broadcast: elements, or vectors and matrices in the last axes, of all operands alike."""
    return step.call(step.aligned())


def spread_out(step: Step) -> Any:
    """Operations on stacks of operands that all need a batch."""
    return all_batched(aligned)(step)


def all_batched(rule: Rule) -> Rule:
    """A rule for operands that all have a batch."""

    def spread_first(step: Step) -> Any:
        step.operands = [Value(x, True) for x in step.spread()]
        return rule(step)

    return spread_first


def along(name: str) -> Rule:
    """Operations along the axes that a parameter names; None is all of them, as one."""

    def rule(step: Step) -> Any:
        axis = step.params[name]
        if axis is None and len(step.operands) == 1:
            (x,) = step.arrays
            flat = reshape(x, (step.size, prod(x.shape[1:])))
            keepdims = {"keepdims": False} if "keepdims" in step.params else {}
            return step.shaped(step.call([flat], **{name: 1}, **keepdims))
        if axis is None:
            axis = tuple(range(max(x.rank for x in step.operands)))
        shifted = tuple(map(_shifted, axis)) if isinstance(axis, tuple | list) else _shifted(axis)
        return step.call(step.aligned(), **{name: shifted})

    return rule


def _shifted(axis: int) -> int:
    return axis if axis < 0 else axis + 1


def joined(step: Step) -> Any:
    """Operations that join several arrays along an axis."""
    return step.call(step.spread(), axis=_shifted(step.params["axis"]))


def in_rows(step: Step) -> Any:
    """Operations on arrays whose first axis is a batch already."""
    rows = [reshape(x, (step.size * x.shape[1], *x.shape[2:])) for x in step.spread()]
    return step.shaped(step.call(rows))


def only(place: int) -> Rule:
    """Operations on the elements of one operand, which can have a batch in it alone."""

    def rule(step: Step) -> Any:
        others = [x.batched for i, x in enumerate(step.operands) if i != place]
        return None if any(others) else step.call(step.arrays)

    return rule


# Movement


def _reshape(step: Step) -> Any:
    return step.shaped(step.arrays[0])


def _astype(step: Step) -> Any:
    """In another dtype; what is not changed in the memory of a batch need not be copied."""
    (x,) = step.arrays
    return x if x.dtype == step.params["dtype"] else step.call([x])


def _permute_dims(step: Step) -> Any:
    rank = step.operands[0].rank
    return step.call(step.arrays, axes=(0, *(axis % rank + 1 for axis in step.params["axes"])))


def _broadcast_to(step: Step) -> Any:
    x = with_rank(step.operands[0], len(step.shape), step.size)
    return step.call([x], shape=(step.size, *step.shape))


def _pad(step: Step) -> Any:
    return step.call(step.arrays, widths=((0, 0), *step.params["widths"]))


def _triangle(step: Step) -> Any:
    (x,) = step.operands
    if x.rank == 1:  # which NumPy takes for all rows of a matrix
        return step.call([shaping.broadcast_to(with_rank(x, 2, step.size), (step.size, *step.shape))])
    return step.call(step.arrays)


# Products


def _product(a: Value, b: Value, size: int, shape: tuple[int, ...]) -> Any:
    """The matrix product of samples."""
    if not b.batched and b.rank == 2:
        return linalg.matmul(a.array, b.array)
    if not a.batched and a.rank == 2 and b.rank == 1:
        return linalg.matmul(b.array, swapaxes(a.array, 0, 1))
    left = a if a.rank > 1 else Value(np.expand_dims(a.array, -2), a.batched)
    right = b if b.rank > 1 else Value(np.expand_dims(b.array, -1), b.batched)
    rank = max(left.rank, right.rank)
    x, y = with_rank(left, rank, size), with_rank(right, rank, size)
    outer = np.shape(unwrap(x))[-1] == 1  # of which NumPy makes as many small products as there are samples
    return reshape(x * y if outer else linalg.matmul(x, y), (size, *shape))


def _matmul(step: Step) -> Any:
    a, b = step.operands
    return _product(a, b, step.size, step.shape)


def _linear(step: Step) -> Any:
    x, weight, bias = step.operands
    if not weight.batched and not bias.batched:
        return step.call(step.arrays)
    turned = Value(swapaxes(weight.array, -1, -2), weight.batched)
    product = _product(x, turned, step.size, step.shape) if x.batched or weight.batched else x.array @ turned.array
    return product + with_rank(bias, len(step.shape), step.size)


def _einsum(step: Step) -> Any:
    terms, result = step.params["subscripts"].split("->")
    letter = next(chr(i) for i in range(ord("A"), ord("z") + 1) if chr(i).isalpha() and chr(i) not in terms)
    named = [letter * x.batched + term for x, term in zip(step.operands, terms.split(","), strict=True)]
    return step.call(step.arrays, subscripts=f"{','.join(named)}->{letter}{result}")


def _sparse_product(step: Step) -> Any:
    x = moveaxis(step.arrays[0], 0, -1)
    y = step.call([reshape(x, (x.shape[0], prod(x.shape[1:])))])
    return moveaxis(reshape(y, (*step.shape, step.size)), -1, 0)


def _solve(step: Step) -> Any:
    a, b = step.operands
    if b.rank == 1:
        b = Value(np.expand_dims(b.array, -1), b.batched)
    rank = max(a.rank, b.rank)
    return step.shaped(step.call([with_rank(a, rank, step.size), with_rank(b, rank, step.size)]))


def _convolution(step: Step) -> Any:
    """Of rows with filters; several filters for as many batches are groups."""
    x, w = step.operands
    if not w.batched:
        y = step.call([reshape(x.array, (step.size * x.array.shape[1], *x.array.shape[2:])), w.array])
        return step.shaped(y)
    y = step.call([_as_channels(x, step.size), _merged(spread(w, step.size))], groups=step.size * step.params["groups"])
    rows, _, *lengths = y.shape
    return moveaxis(reshape(y, (rows, step.size, step.shape[1], *lengths)), 1, 0)


def _weight_of_convolution(step: Step) -> Any:
    operands = [_as_channels(x, step.size) for x in step.operands]
    return step.shaped(step.call(operands, groups=step.size * step.params["groups"]))


def _as_channels(x: Value, size: int) -> Any:
    """The batch in front of the channels, which come second."""
    y = moveaxis(spread(x, size), 0, 1)
    return reshape(y, (y.shape[0], size * y.shape[2], *y.shape[3:]))


def _merged(x: Any) -> Any:
    return reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:]))


# Indexing


class _Places:
    """An index with arrays in it, for batches: what to give to NumPy, and where that puts the axes."""

    def __init__(self, step: Step, first: int, rank: int, whole: bool = True) -> None:
        """The arrays are operands from `first` on; what is indexed has a batch if it is `whole`, and else has none."""
        places = iter(step.operands[first:])
        parts = _without_ellipsis(step.params["index"], step.arrays[first:], rank)
        parts = [next(places) if part == indexing.PLACE else part for part in parts]
        arrays, count = [x for x in parts if isinstance(x, Value)], len(parts)
        advanced = [i for i, x in enumerate(parts) if arrays and isinstance(x, Value | int | np.integer)]
        together = not arrays or advanced[-1] - advanced[0] == len(advanced) - 1
        own = advanced[0] if arrays and together else 0  # how many axes of a sample come before those of the arrays
        width = max([1 if _is_mask(x) else x.rank for x in arrays], default=0)
        if whole and any(x.batched for x in arrays):
            numbers = np.arange(step.size).reshape(step.size, *(1,) * width)
            parts, front, now = [Value(numbers, True), *parts], 0, 1
        elif whole:
            parts, front, now = [slice(None), *parts], 0 if together else width, own + 1 if together else 0
        else:
            front, now = own, own + 1
        given = [x for part in parts for x in _as_arrays(part, bool(arrays))]
        self.operands = [with_rank(x, width, step.size) for x in given if isinstance(x, Value)]
        self.index = tuple([indexing.PLACE if isinstance(x, Value) else x for x in given])
        # Of a sample.
        self.rank = width + sum(x is None or isinstance(x, slice) for x in parts[len(parts) - count :])
        self._front, self._now, self._own, self._width = front, now, own, width

    def _order(self, count: int) -> list[int]:
        """From where each axis of a result comes that has so many, the batch and then those of a sample."""
        arrays = list(range(self._now, self._now + self._width))
        rest = [i for i in range(count) if i != self._front and i not in arrays]
        return [self._front, *rest[: self._own], *arrays, *rest[self._own :]]

    def to_result(self, y: Any) -> Any:
        """What NumPy gives, with its axes in their places."""
        order = self._order(y.ndim)
        return y if order == sorted(order) else shaping.permute_dims(y, tuple(order))

    def from_result(self, g: Any) -> Any:
        """The other way round."""
        order = self._order(g.ndim)
        return g if order == sorted(order) else shaping.permute_dims(g, tuple(np.argsort(order).tolist()))


def _without_ellipsis(index: tuple[Any, ...], places: list[Any], rank: int) -> list[Any]:
    """The parts of an index, with slices for an ellipsis; a mask takes as many axes as it has."""
    arrays = iter(places)
    taken = 0
    for part in index:
        if part == indexing.PLACE:
            x = unwrap(next(arrays))
            taken += x.ndim if x.dtype.kind == "b" else 1
        elif part is not None and part is not Ellipsis:
            taken += 1
    made: list[Any] = []
    for part in index if Ellipsis in index else (*index, Ellipsis):
        made += [slice(None)] * (rank - taken) if part is Ellipsis else [part]
    return made


def _is_mask(x: Value) -> bool:
    return bool(unwrap(x.array).dtype.kind == "b")


def _as_arrays(part: Any, among_arrays: bool) -> list[Any]:
    """A mask as arrays of numbers, and a number among arrays as an array."""
    if isinstance(part, Value) and _is_mask(part):
        return [Value(x, False) for x in np.nonzero(unwrap(part.array))]
    return [Value(np.asarray(part), False)] if among_arrays and isinstance(part, int | np.integer) else [part]


def by_place(rule: Rule) -> Rule:
    """A rule for indices; single bools, which make an axis, are left to the loop."""

    def unless_bools(step: Step) -> Any:
        single = any(isinstance(part, bool | np.bool_) for part in step.params["index"])
        masks = [x for x in step.operands if unwrap(x.array).__class__ is np.ndarray and _is_mask(x) and not x.rank]
        return None if single or masks else rule(step)

    return unless_bools


def _getitem(step: Step) -> Any:
    x = step.operands[0]
    how = _Places(step, 1, x.rank, x.batched)
    return how.to_result(step.call([x.array, *how.operands], index=how.index))


def _scatter(step: Step) -> Any:
    how = _Places(step, 1, len(step.shape))
    g = how.from_result(spread(step.operands[0], step.size))
    return step.call([g, *how.operands], index=how.index, shape=(step.size, *step.shape))


def _written(step: Step) -> Any:
    """What is written to, or added to, at an index."""
    x, v, *places = step.operands
    if any(p.batched and _is_mask(p) for p in places):
        return _written_by_mask(step, x, v, places)
    how = _Places(step, 2, x.rank)
    value, rank = v.array, how.rank
    if v.rank > rank:  # axes of length 1 that it has in excess
        value = reshape(value, (*value.shape[: v.batched], *value.shape[v.batched + v.rank - rank :]))
    if v.batched or v.rank:
        lengths = np.shape(unwrap(value))[v.batched :]
        value = reshape(value, (step.size if v.batched else 1, *(1,) * (rank - len(lengths)), *lengths))
        value = how.from_result(value)
    return step.call([spread(x, step.size), value, *how.operands], index=how.index)


def _written_by_mask(step: Step, x: Value, v: Value, places: list[Value]) -> Any:
    """A number where a mask holds; of more, as many for each sample as it has places, the loop takes care."""
    adds = step.equation.operation.primitive is indexing._add_at.primitive  # type: ignore[attr-defined]
    if adds or len(step.params["index"]) > 1 or v.rank:
        return None
    (mask,) = places
    shape = np.shape(unwrap(mask.array))
    holds = reshape(mask.array, (*shape, *(1,) * (x.rank - mask.rank)))
    return elementwise.where(holds, with_rank(v, x.rank, step.size), spread(x, step.size))


def _last_writes(step: Step) -> Any:
    how = _Places(step, 0, len(step.params["shape"]))
    return how.to_result(step.call(how.operands, index=how.index, shape=(step.size, *step.params["shape"])))


def _places(step: Step) -> Any:
    """Places in a flattened array, of which there is one for each sample."""
    shape, axis = step.params["shape"], step.params["axis"]
    size = prod(shape)
    index = step.arrays[0]
    index = index if shape else reshape(index, (step.size, 1))
    flat = step.call([index], shape=(step.size, *(shape or (1,))), axis=_shifted(axis))
    return step.shaped(flat) - np.arange(step.size).reshape(step.size, *(1,) * len(step.shape)) * size


def _places_by_weights(step: Step) -> Any:
    x, weights, q = step.operands
    return None if q.batched else step.call([spread(x, step.size), spread(weights, step.size), q.array])


def _checked(step: Step) -> Any:
    """A look at values: at all of them, and if something is not as it should be, at one sample after another."""
    (x,), test = step.arrays, step.params["test"]
    with suppress(Exception):
        test(np.asarray(unwrap(x)))
        return x
    for row in np.asarray(unwrap(x)):
        try:
            test(row)
        except ProgramError as error:
            raise Diverged(step.equation.place) from error
    return x


# Rows with labels, whose places are those in a flattened array


def _label_rows(step: Step, total: bool) -> Any:
    logits, places, share = step.operands
    rows, classes = np.shape(unwrap(logits.array))[-2:]
    flat = reshape(spread(logits, step.size), (step.size * rows, classes))
    shares = share.array
    if share.batched:
        shares = shaping.broadcast_to(with_rank(share, 2, step.size), (step.size, rows, 1))
        shares = reshape(shares, (step.size * rows, 1))
    elif np.ndim(unwrap(shares)):
        shares = _merged(spread(share, step.size))
    losses = classification._cross_entropies(flat, _places_of_rows(places, step.size, rows * classes), shares)
    losses = reshape(losses, (step.size, rows))
    return reductions.sum(losses, axis=1) if total else losses


def _less_one_hot(step: Step) -> Any:
    p, places = step.operands
    rows, classes = np.shape(unwrap(p.array))[-2:]
    flat = reshape(spread(p, step.size), (step.size * rows, classes))
    return step.shaped(step.call([flat, _places_of_rows(places, step.size, rows * classes)]))


def _places_of_rows(places: Value, size: int, step: int) -> Any:
    return reshape(spread(places, size) + np.arange(size).reshape(size, 1) * step, (-1,) if size else (0,))


# Numbers of Python


def _number(step: Step) -> Any:
    return reshape(step.arrays[0], (step.size,))


def _length(step: Step) -> Any:
    (x,) = step.arrays
    return linalg.vector_norm(reshape(x, (step.size, prod(x.shape[1:]))), axis=1)


def _inverse_or_zero(step: Step) -> Any:
    (x,) = step.arrays
    return elementwise.where(x == 0, 0.0, 1 / elementwise.where(x == 0, 1, x))


def _or(other: float) -> Rule:
    return lambda step: elementwise.where(step.arrays[0] == 0, other, step.arrays[0])


def _nan_if_empty(step: Step) -> Any:
    loss, total = step.aligned()
    return loss + elementwise.where(total == 0, np.nan, 0.0)


def _arithmetic(step: Step) -> Any:
    return program_numbers.OPERATORS[step.params["sign"]](*step.arrays)


def _has_nan(step: Step) -> Any:
    (x,) = step.arrays
    return reductions.any(elementwise.isnan(reshape(x, (step.size, prod(x.shape[1:])))), axis=1)


# The table

_OF_KINDS: dict[str, Rule] = {"elementwise": aligned, "decomposition": spread_out}
_OF_MODULES: list[tuple[Rule, Any, str]] = [
    (_checked, arguments, "_checked"),
    (aligned, attention, "_masked_softmax"),
    (aligned, normalization, "_row_sums _row_products"),
    (spread_out, kept_zeros, "zero_safe_dot"),
    (spread_out, classification, "_softmax_cross_entropy"),
    (spread_out, quantiles, "elements_at places_of_own_ranks"),
    (only(0), binning, "bin_of"),
    (only(0), numerics, "piece_of"),
    (only(0), sorting, "isin"),
    (only(1), sorting, "_searchsorted"),
    (only(0), quantiles, "places_of_ranks"),
    (_places_by_weights, quantiles, "places_by_weights"),
    (spread_out, activation, "_gate_slope"),
    (spread_out, embedding, "scale_gradient"),
    (spread_out, module_hooks, "through_gate"),
    (spread_out, decompositions, "weighed"),
    (all_batched(along("axis")), reductions, "recurrence"),
    (along("axis"), reductions, "sum mean centred var std max min argmax argmin any all count_nonzero logsumexp _prod"),
    (along("axis"), reductions, "softmax log_softmax cumulative_sum cumulative_prod places_of_extremes _logcumsumexp"),
    (along("axis"), sorting, "argsort _places_of_top"),
    (along("axis"), linalg, "vector_norm"),
    (along("axis"), numpy_sets, "argpartition"),
    (along("axis"), ufunc_methods, "cumulative_logaddexp"),
    (along("axis"), fft, "_rfft _irfft"),
    (along("axes"), fft, "_fft _ifft"),
    (along("axis"), logistic, "_largest_counted"),
    (along("axis"), ignoring_nan, "_nanmax _nanmin nanargmax nanargmin"),
    (along("axis"), numerics, "unwrap"),
    (along("axes"), normalization, "standardized"),
    (along("axis"), shaping, "flip roll"),
    (joined, shaping, "_concat _stack"),
    (in_rows, windows, "unfold fold max_pool to_largest at_largest which_largest"),
    (in_rows, max_pooling, "_places_of_largest"),
    (_reshape, shaping, "reshape"),
    (_astype, shaping, "_astype"),
    (_permute_dims, shaping, "permute_dims"),
    (_broadcast_to, shaping, "broadcast_to"),
    (_pad, shaping, "_pad"),
    (_triangle, linalg, "tril triu"),
    (_matmul, linalg, "matmul"),
    (_linear, linear_layer, "_linear"),
    (_einsum, linalg, "_einsum"),
    (_sparse_product, sparse, "sparse_product"),
    (_solve, solving, "solve"),
    (_convolution, windows, "convolve convolve_transposed"),
    (_weight_of_convolution, windows, "convolve_weight"),
    (by_place(_getitem), indexing, "_getitem"),
    (by_place(_scatter), indexing, "_scatter"),
    (by_place(_written), indexing, "_add_at _setitem"),
    (by_place(_last_writes), indexing, "_last_writes"),
    (_places, scattering, "_places"),
    (lambda step: _label_rows(step, False), classification, "_cross_entropies"),
    (lambda step: _label_rows(step, True), classification, "_cross_entropy"),
    (_less_one_hot, classification, "_less_one_hot"),
    (_nan_if_empty, classification, "_nan_if_empty"),
    (_number, numbers, "number"),
    (_length, numbers, "length"),
    (_inverse_or_zero, numbers, "inverse_or_zero"),
    (_or(1.0), numbers, "or_one"),
    (_or(np.nan), numbers, "or_nan"),
    (lambda step: elementwise.sqrt(step.arrays[0]), numbers, "root"),
    (lambda step: elementwise.maximum(*step.arrays), numbers, "larger"),
    (lambda step: elementwise.minimum(*step.arrays), numbers, "smaller"),
    (_arithmetic, program_numbers, "arithmetic"),
    (_has_nan, kept_zeros, "has_nan"),
    (looping.scan, bodies, "_scan"),
    (looping.while_loop, bodies, "_while_loop"),
    (looping.branch, bodies, "_branch"),
]
# Those of samples one after another, about which nobody needs to be warned: it decides what is computed next.
_OF_MODULES.append((one_by_one, solving, "_corank"))
RULES: dict[Primitive, Rule] = {
    getattr(module, name).primitive: rule for rule, module, names in _OF_MODULES for name in names.split()
}


def rule_of(made: Primitive) -> Rule | None:
    """What an operation does with a batch; None if nobody has said."""
    known = made.ours or made.facts.kind == "elementwise"
    return RULES.get(made) or (_OF_KINDS.get(made.facts.kind) if known else None)
