"""Operations for which languages have functions, or that look at values here: what is recorded of these instead.

They give what the operations give up to the last few places, where a kernel that has to give the same bits takes none
of them.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np

from minigrad.compiling.recording import Refused, current, plain
from minigrad.core import Primitive
from minigrad.export.as_text import instead_norms, instead_numbers, instead_training
from minigrad.nn import activation, embedding
from minigrad.ops import (
    elementwise,
    entropy,
    gamma,
    kept_zeros,
    linalg,
    logistic,
    numpy_elementwise,
    reductions,
    shaping,
    special,
    windows,
)

_ROOT_2 = math.sqrt(0.5)
# Without their types, which know of no arrays but NumPy's.
_add, _maximum, _minimum, _logical_or = (cast(Any, f) for f in (np.add, np.maximum, np.minimum, np.logical_or))


def _function(name: str, exact: Callable[..., Any]) -> Callable[..., Any]:
    """An operation that the languages have a function for."""

    def record(x: Any) -> Any:
        recorder = current.get()
        if x.dtype.char not in "fd":
            raise Refused(f"{name} of {x.dtype}")
        with np.errstate(all="ignore"):
            made = recorder.made(np.asarray(exact(plain(x))).reshape(x.shape))
        recorder.map(name, x.dtype, recorder.view(made), [x])
        return made

    return record


def _forward(f: Any) -> Callable[..., Any]:
    """The function on arrays of an operation."""
    forward: Callable[..., Any] = f.primitive.forward
    return forward


_erf, _erfc = _function("erf", _forward(special.erf)), _function("erfc", _forward(special.erfc))


def _normal_cdf(x: Any) -> Any:
    return 0.5 * (1 + _erf(x * _ROOT_2))


def _ndtr(x: Any) -> Any:
    return 0.5 * _erfc(x * -_ROOT_2)


def _log_expit(x: Any) -> Any:
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


def _logit(x: Any) -> Any:
    return np.where(np.abs(x - 0.5) < 0.25, 2 * np.arctanh(2 * x - 1), np.log(x) - np.log1p(-x))


def _xlogy(x: Any, y: Any) -> Any:
    zero = (x == 0) & (y == y)
    return np.where(zero, 0, x * np.log(np.where(zero, 1, y)))


def _xlog1py(x: Any, y: Any) -> Any:
    zero = (x == 0) & (y == y)
    return np.where(zero, 0, x * np.log1p(np.where(zero, 0, y)))


def _entr(x: Any) -> Any:
    return np.where(x == 0, 0, np.where(x < 0, -np.inf, -x * np.log(x)))


def _round(x: Any, *, decimals: int = 0) -> Any:
    if not decimals or x.dtype.kind != "f":
        return np.rint(x) if x.dtype.kind == "f" else np.positive(x)
    power = 10.0 ** abs(decimals)
    return np.rint(x * power) / power if decimals > 0 else np.rint(x / power) * power


def _whole(x: Any) -> Any:
    return np.trunc(x)


def _fraction(x: Any) -> Any:
    return np.where(np.isinf(x), np.copysign(0, x), np.copysign(x - np.trunc(x), x))


def _place_of(extreme: Any, x: Any, axis: int | None, keepdims: bool) -> Any:
    """The first place of an extreme, or of NaN: the least of the places where it is."""
    whole = x.shape
    if axis is None:
        x, axis = x.reshape(-1), 0
    axis %= x.ndim
    if not x.shape[axis]:
        raise Refused("a place in nothing")
    places = np.arange(x.shape[axis]).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
    is_there = x == extreme.reduce(x, axis=axis, keepdims=True)
    if x.dtype.kind == "f":
        is_there = is_there | np.isnan(x)
    found = _minimum.reduce(np.where(is_there, places, x.shape[axis]), axis=axis, keepdims=keepdims)
    return found.reshape((1,) * len(whole)) if keepdims and len(whole) != x.ndim else found


def _argmax(x: Any, *, axis: int | None = None, keepdims: bool = False) -> Any:
    return _place_of(_maximum, x, axis, keepdims)


def _argmin(x: Any, *, axis: int | None = None, keepdims: bool = False) -> Any:
    return _place_of(_minimum, x, axis, keepdims)


def _count_nonzero(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    return _add.reduce(x != 0, axis=axis, dtype=np.int64, keepdims=keepdims)


def _has_nan(x: Any) -> Any:
    return _logical_or.reduce(np.isnan(x), axis=None)


def _pad(x: Any, *, widths: Any, value: float) -> Any:
    shape = [n + sum(width) for n, width in zip(x.shape, widths, strict=True)]
    made = np.full_like(x, value, shape=shape)
    made[tuple([slice(first, first + n) for n, (first, _) in zip(x.shape, widths, strict=True)])] = x
    return made


def _to_largest(g: Any, x: Any, top: Any, **how: Any) -> Any:
    """As the operation does it where there may be NaN, or elements as small as the padding."""
    where = windows.geometry(x.shape[2:], **how)
    elements = windows._with_bottom(x, where)
    inside = where.windows(where.pad(np.ones(x.shape, bool)))
    zero, out = g.dtype.type(0), where.zeros(g)
    target = where.windows(out)
    for place in where.places():
        here = inside[place] & ((elements[place] == top) | (elements[place] != elements[place]))
        target[place] += np.where(here, g, zero)
        g = np.where(here, zero, g)
    return out[where.inside]


def _einsum(*operands: Any, subscripts: str) -> Any:
    """Two operands at a time, as products of stacks of matrices."""
    terms, result = subscripts.split("->")
    lists = terms.split(",")
    operands_left = list(zip(lists, operands, strict=True))
    while len(operands_left) > 1:
        (first, a), (second, b), *rest = operands_left
        kept = set(result).union(*(term for term, _ in rest))
        operands_left = [_product(first, a, second, b, kept), *rest]
    term, x = _summed(*operands_left[0], set(result))
    return np.positive(x.transpose([term.index(i) for i in result]))


def _summed(term: str, x: Any, kept: set[str]) -> tuple[str, Any]:
    """An operand without the indices that nobody else has."""
    if len(set(term)) != len(term):
        raise Refused("an index that an operand has twice")
    gone = tuple([axis for axis, i in enumerate(term) if i not in kept])
    return "".join(i for i in term if i in kept), (_add.reduce(x, axis=gone) if gone else x)


def _product(first: str, a: Any, second: str, b: Any, kept: set[str]) -> tuple[str, Any]:
    first, a = _summed(first, a, kept | set(second))
    second, b = _summed(second, b, kept | set(first))
    lengths = dict(zip(first + second, a.shape + b.shape, strict=True))
    batch = [i for i in first if i in second and i in kept]
    inner = [i for i in first if i in second and i not in kept]
    rows, columns = [i for i in first if i not in second], [i for i in second if i not in first]

    def size(indices: list[str]) -> int:
        return math.prod(lengths[i] for i in indices)

    def as_matrices(term: str, x: Any, left: list[str], right: list[str]) -> Any:
        x = x.transpose([term.index(i) for i in (*batch, *left, *right)])
        return x.reshape(size(batch), size(left), size(right))

    product = np.matmul(as_matrices(first, a, rows, inner), as_matrices(second, b, inner, columns))
    term = "".join((*batch, *rows, *columns))
    return term, product.reshape([lengths[i] for i in term])


_ROWS: tuple[tuple[Any, Callable[..., Any]], ...] = (
    (special.erf, _erf), (special.erfc, _erfc), (activation._normal_cdf, _normal_cdf), (special.ndtr, _ndtr),
    (logistic.log_expit, _log_expit), (logistic.logit, _logit), (entropy.xlogy, _xlogy),
    (entropy.xlog1py, _xlog1py), (entropy.entr, _entr), (elementwise.round, _round),
    (reductions.argmax, _argmax), (reductions.argmin, _argmin), (reductions.count_nonzero, _count_nonzero),
    (kept_zeros.has_nan, _has_nan), (shaping._pad, _pad),
    (linalg._einsum, _einsum), (windows.to_largest, _to_largest),
    (embedding.scale_gradient, lambda x, factor: np.positive(x)), (numpy_elementwise._whole, _whole),
    (numpy_elementwise._fraction, _fraction),
    (gamma.gamma, _function("gamma", _forward(gamma.gamma))),
    (gamma.gammaln, _function("gammaln", _forward(gamma.gammaln))),
)  # fmt: skip
INSTEAD: Mapping[Primitive, Callable[..., Any]] = {
    f.primitive: instead
    for rows in (_ROWS, instead_norms.ROWS, instead_numbers.ROWS, instead_training.ROWS)
    for f, instead in rows
}
