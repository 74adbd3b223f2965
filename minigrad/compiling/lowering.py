"""Operations whose function on arrays looks at values: for these, what they do for all values at once."""

import math
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from minigrad.compiling.noted_functions import constant
from minigrad.compiling.recorded import Recorded
from minigrad.compiling.recorded_numbers import RecordedNumber, root_of
from minigrad.compiling.recording import Refused, Shown, current, plain
from minigrad.core import Primitive
from minigrad.ops import elementwise, indexing, kept_zeros, numbers, shaping
from minigrad.ops.elementwise import selected
from minigrad.ops.indexing import _meets_twice, _with
from minigrad.program import Equation, Variable


def results_of(equation: Equation, operands: Sequence[Any]) -> list[Any]:
    """What an operation makes of recorded operands, noted by the recorder."""
    made = equation.operation.primitive
    if not made.ours or made.facts.kind == "draw":
        raise Refused("it may do something that cannot be seen")
    result = forward_of(made)(*operands, **equation.operation.params)
    results = list(result) if made.saves else [result]
    for i, (x, value) in enumerate(zip(equation.outputs, results, strict=True)):
        if isinstance(value, np.ndarray) and not isinstance(value, Recorded) and _is_known(value):
            results[i] = value = value.view(Recorded)
        if not isinstance(value, Recorded | RecordedNumber):
            raise Refused("its result is not seen")
        if isinstance(value, RecordedNumber) != (isinstance(x.dtype, type) and x.dtype is not bool):
            raise Refused("its result is of another class")
        if isinstance(value, Recorded) and (value.shape, value.dtype) != (x.shape, x.dtype):
            raise Refused("its result has another form")
    return results


def as_variable(x: Variable, value: Any) -> Any:
    """A recorded value, of which it is known whether it stands for one of NumPy's single numbers."""
    if isinstance(value, Shown) and value.scalar is not x.scalar:
        value = value.view()
        value.scalar = x.scalar
    return value


def _is_known(value: np.ndarray) -> bool:
    """Whether an array lies in memory that is known."""
    found = current.get().known(value)
    return found is not None and found.buffer.kind != "constant"


# What else is recorded in place of functions, where the same bits are not asked for.
more_instead: ContextVar[Mapping[Primitive, Callable[..., Any]] | None] = ContextVar(
    "minigrad.compiling.more_instead", default=None
)


def forward_of(made: Primitive) -> Callable[..., Any]:
    """What is recorded in place of the function of an operation; mostly that itself."""
    more = more_instead.get() or {}
    return more.get(made) or INSTEAD.get(made, made.forward)


def _kept_zero(product: Any, *factors: Any) -> Any:
    """A product, with 0 in place of NaN where a factor is 0."""
    recorder = current.get()
    for factor in factors:
        if not isinstance(product, Recorded) or product.dtype.kind != "f":
            raise Refused("a product of this kind")
        value, other = plain(product), plain(factor)
        # In two steps, which compilers make of several elements at once where they do not of one.
        clean, made = (recorder.made(value.copy()) for _ in range(2))
        with np.errstate(all="ignore"):
            plain(clean)[...] = np.where(np.isnan(value), value.dtype.type(0), value)
            plain(made)[...] = np.where(other == 0, plain(clean), value)
        recorder.map("no_nan", product.dtype, recorder.view(clean), [product])
        recorder.map("kept_zero", product.dtype, recorder.view(made), [product, factor, clean])
        product = made
    return product


def _product(a: Any, b: Any) -> Any:
    return _kept_zero(np.multiply(a, b), a, b)


def _times(g: Any, factor: Any) -> Any:
    return _kept_zero(np.multiply(g, factor), g)


def _over(g: Any, divisor: Any) -> Any:
    return _kept_zero(np.true_divide(g, divisor), g)


def _power(a: Any, b: Any) -> Any:
    """Of two single numbers the C library's function, as NumPy has it; of arrays what NumPy does with these."""
    single = [getattr(x, "scalar", isinstance(x, np.generic)) for x in (a, b)]
    if not any(single) or not all(one or type(x) in (int, float) for one, x in zip(single, (a, b), strict=True)):
        return a**b
    recorder = current.get()
    dtype = np.result_type(*[plain(x) if type(x) in (int, float) else plain(x).dtype for x in (a, b)])
    if dtype.char not in "fd" or any(isinstance(x, Shown) and x.dtype != dtype for x in (a, b)):
        raise Refused("a power of single numbers of this kind")
    with np.errstate(all="ignore"):
        made = recorder.made(np.array(plain(a)[()] ** plain(b)[()] if all(single) else _powered(a, b), dtype))
    recorder.map("scalar power", dtype, recorder.view(made), [a, b])
    return made


def _powered(a: Any, b: Any) -> Any:
    """The power, of which one is a number of Python."""
    x, y = (v if type(v) in (int, float) else plain(v)[()] for v in (a, b))
    return x**y


def _slope(g: Any, x: Any, length: Any) -> Any:
    length = np.where(length == 0, np.inf, length)
    return _kept_zero(g * (x / length), g)


def _scatter(g: Any, *places: Any, index: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    where = _with(index, places) if places else index
    if not places or not _meets_twice(places):
        out = np.zeros_like(g, shape=shape)
        out[where] = g
        return out
    if g.dtype.kind != "f":
        raise Refused("sums of whole or complex numbers by index")
    size = math.prod(shape)
    flat = constant(np.arange(size).reshape(shape))[where].ravel()
    total = np.bincount(flat, g.ravel(), size)
    return total.astype(g.dtype).reshape(shape)


def _add_at(x: Any, g: Any, *places: Any, index: tuple[Any, ...]) -> Any:
    out = x.copy()
    if not places:
        part = out[index]
        part += g
    elif _meets_twice(places):
        np.add.at(out, _with(index, places), g)
    else:
        raise Refused("elements by a mask")
    return out


def _setitem(x: Any, v: Any, *places: Any, index: tuple[Any, ...]) -> Any:
    out = x.copy()
    out[_with(index, places) if places else index] = v
    return out


def _astype_of(x: Any, *, dtype: Any) -> Any:
    if not isinstance(x, RecordedNumber):
        return x.astype(dtype)
    recorder = current.get()
    made = recorder.made(np.asarray(plain(x), dtype))
    recorder.map("copy", dtype, recorder.view(made), [x])
    return made


_OF_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    kept_zeros.zero_safe_product: _product,
    kept_zeros.zero_safe_multiply: _times,
    kept_zeros.zero_safe_divide: _over,
    kept_zeros.slope: _slope,
    selected: lambda g, mask: np.where(mask, g, g.dtype.type(0)),
    indexing._scatter: _scatter,
    indexing._add_at: _add_at,
    indexing._setitem: _setitem,
    elementwise.pow: _power,
    shaping._astype: _astype_of,
    numbers.number: lambda x: x.item(),
    numbers.root: root_of,
}
INSTEAD: dict[Primitive, Callable[..., Any]] = {f.primitive: instead for f, instead in _OF_FUNCTIONS.items()}
