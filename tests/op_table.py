"""One row for each operation: what it is to be compared with, and on which inputs.

The tests of `test_ops` walk over this table: there is one for each operation, which loops over all samples of its rows
(`tests.rows`).  In a sample

    a tuple           is the shape of an operand that is drawn from the row's domain
    an ndarray        is an operand as it stands
    anything else     is passed as it is, and so are keywords

Drawn numbers are seeded by the row's name, all different within a sample, and clear of the kinks of most functions.
Every floating-point operand is differentiated.  The rows of what layers are made of are in `op_table_nn`.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.special as sp

import minigrad as mg
from minigrad.checkpointing import checkpoint
from minigrad.compiling import jit
from minigrad.core import numpy_functions
from minigrad.ops import elementwise, indexing, kept_zeros, reductions


@dataclass(frozen=True)
class Row:
    """An operation, its reference, and cases to compare them on."""

    name: str
    function: Callable[..., Any]
    reference: Callable[..., Any]
    orders: int  # of derivatives to check; 0 where the result never requires grad
    numpy: Callable[..., Any]  # the NumPy function that the reference calls
    spelled: bool  # the reference is also how people may write the operation with a Tensor
    complex: bool  # the values are to be compared for complex operands too
    cases: "list[Case]"

    @property
    def operation(self) -> str:
        """What several rows may be about."""
        return self.name.split(" (")[0].removeprefix("numpy.")


@dataclass(frozen=True, eq=False)
class Case:
    """One call of a row's operation."""

    row: Row
    number: int  # in the row
    operands: tuple[Any, ...]
    params: dict[str, Any]

    def __call__(self, *operands: Any) -> Any:
        return self.row.function(*operands, **self.params)

    def reference(self, *operands: Any) -> Any:
        return self.row.reference(*operands, **self.params)

    def floats(self, dtype: Any = np.float64) -> list[np.ndarray]:
        """The operands that can be differentiated."""
        return [x.astype(dtype) for x in self.operands if is_float(x)]

    @property
    def dtypes(self) -> list[Any]:
        """The dtypes of floating-point operands for which to compare values."""
        return [np.float64, np.float32, np.complex128][: 2 + (self.row.complex and "dtype" not in self.params)]

    def filled(self, floats: Any) -> list[Any]:
        """All operands, with these in the places of the floating-point ones."""
        rest = iter(floats)
        return [next(rest) if is_float(x) else x for x in self.operands]

    def __str__(self) -> str:
        words = [*map(_word, self.operands), *(f"{k}={_word(v)}" for k, v in self.params.items())]
        return f"{self.row.name}({', '.join(words)})"


def is_float(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def _word(x: Any) -> str:
    if isinstance(x, np.ndarray):
        return f"{x.dtype.kind}{list(x.shape)}"
    return getattr(x, "__name__", None) or str(x)


# Domains: functions from the unit interval


def between(low: float, high: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda u: low + (high - low) * u


def either_sign(low: float, high: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda u: np.where(u < 0.5, -1, 1) * (low + (high - low) * np.abs(2 * u - 1))


ANYWHERE = either_sign(0.3, 2)

# Rows and samples

TABLE: list[Row] = []


def s(*operands: Any, **params: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A sample."""
    return operands, params


def row(
    function: Callable[..., Any],
    reference: Callable[..., Any],
    *samples: Any,
    name: str = "",
    domain: Callable[[np.ndarray], np.ndarray] = ANYWHERE,
    orders: int = 2,
    spelled: bool = False,
    complex: bool = False,
) -> None:
    name, numpy = name or function.__name__.lstrip("_"), getattr(reference, "spells", reference)
    made = Row(name, function, reference, orders, numpy, numpy in numpy_functions or spelled, complex, [])
    for i, (operands, params) in enumerate(samples):
        rng = np.random.default_rng([zlib.crc32(name.encode()), i])
        sizes = [int(np.prod(x)) if isinstance(x, tuple) else 0 for x in operands]
        drawn = domain((rng.permutation(sum(sizes)) + 0.37) / max(sum(sizes), 1))
        parts = np.split(drawn, np.cumsum(sizes)[:-1])
        operands = tuple(p.reshape(x) if isinstance(x, tuple) else x for x, p in zip(operands, parts, strict=True))
        made.cases.append(Case(made, i, operands, params))
    TABLE.append(made)


def spelling(function: Callable[..., Any], call: Callable[..., Any]) -> Callable[..., Any]:
    """A call that takes its arguments in another way than the function which it spells."""
    call.__name__, call.spells = function.__name__, function  # type: ignore[attr-defined]
    return call


def packed(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a sequence of arrays as a function of arrays."""
    return spelling(function, lambda *arrays, **params: function(list(arrays), **params))


def renamed(function: Callable[..., Any], **names: str) -> Callable[..., Any]:
    """A function with other names for its keywords."""
    return spelling(function, lambda *args, **kw: function(*args, **{names.get(key, key): x for key, x in kw.items()}))


def A(*values: Any) -> np.ndarray:  # an array, in as few letters as the table can bear
    return np.array(values, float)


# Elementwise functions of one operand

ONE = [s(shape) for shape in [(), (3,), (2, 3), (1,), (0, 3), (2, 1, 2)]]


def unary(function: Any, reference: Any, low: float | None = None, high: float = 0, **options: Any) -> None:
    if low is not None:
        options["domain"] = between(low, high)
    row(function, reference, *ONE, **options)


unary(mg.abs, np.abs, complex=True)
unary(mg.acos, np.arccos, -0.9, 0.9, complex=True)
unary(mg.acosh, np.arccosh, 1.2, 3, complex=True)
unary(mg.asin, np.arcsin, -0.9, 0.9, complex=True)
unary(mg.asinh, np.arcsinh, complex=True)
unary(mg.atan, np.arctan, complex=True)
unary(mg.atanh, np.arctanh, -0.9, 0.9, complex=True)
unary(mg.cbrt, np.cbrt)
unary(mg.ceil, np.ceil)
unary(mg.conj, np.conjugate, complex=True)
unary(mg.cos, np.cos, complex=True)
unary(mg.cosh, np.cosh, complex=True)
unary(mg.exp, np.exp, complex=True)
unary(mg.exp2, np.exp2, complex=True)
unary(mg.expm1, np.expm1, complex=True)
unary(mg.floor, np.floor)
unary(mg.log, np.log, 0.3, 3, complex=True)
unary(mg.log10, np.log10, 0.3, 3, complex=True)
unary(mg.log1p, np.log1p, -0.6, 3, complex=True)
unary(mg.log2, np.log2, 0.3, 3, complex=True)
unary(mg.negative, np.negative, complex=True)
unary(mg.positive, np.positive, complex=True)
unary(mg.real, np.real, complex=True)
unary(mg.imag, np.imag, complex=True)
unary(mg.reciprocal, np.reciprocal, complex=True)
unary(mg.sigmoid, sp.expit)
unary(mg.sign, np.sign, complex=True)
unary(mg.sin, np.sin, complex=True)
unary(mg.sinh, np.sinh, complex=True)
unary(mg.sqrt, np.sqrt, 0.3, 3, complex=True)
unary(mg.square, np.square, complex=True)
unary(mg.tan, np.tan, -1.2, 1.2, complex=True)
unary(mg.tanh, np.tanh, complex=True)
unary(mg.trunc, np.trunc)
unary(np.rint, np.rint, name="numpy.rint")
row(mg.round, np.round, *ONE, s((2, 3), decimals=1), s((3,), 2))

ODD = s(A(0, 1, np.nan, np.inf, -np.inf, -0.0))
row(mg.isfinite, np.isfinite, *ONE, ODD, orders=0, complex=True)
row(mg.isinf, np.isinf, *ONE, ODD, orders=0, complex=True)
row(mg.isnan, np.isnan, *ONE, ODD, orders=0, complex=True)
row(mg.logical_not, np.logical_not, *ONE, ODD, s(np.array([True, False])), orders=0)

# Elementwise functions of two operands

TWO = [
    s((), ()), s((3,), (3,)), s((2, 3), (3,)), s((2, 1), (1, 3)), s((), (2, 3)),
    s((1,), (2, 1)), s((0, 3), (1, 3)), s((2, 1, 3), (4, 1)), s((3,), 2.0), s(1.5, (2, 2)),
]  # fmt: skip

row(mg.add, np.add, *TWO, complex=True)
row(mg.atan2, np.arctan2, *TWO)
row(mg.divide, np.divide, *TWO, complex=True)
row(mg.floor_divide, np.floor_divide, *TWO)
row(mg.hypot, np.hypot, *TWO)
row(mg.logaddexp, np.logaddexp, *TWO, s(A(-800, 0, 800), A(0, 800, -800)))
row(mg.maximum, np.maximum, *TWO)
row(mg.minimum, np.minimum, *TWO)
row(mg.multiply, np.multiply, *TWO, complex=True)
row(mg.remainder, np.remainder, *TWO, domain=either_sign(0.5, 3))
row(mg.subtract, np.subtract, *TWO, complex=True)
row(elementwise.lead, np.subtract, *TWO)
row(kept_zeros.has_nan, lambda x: np.isnan(x).any(), *ONE, s(A(1, np.nan)), s(A()), orders=0)
row(kept_zeros.zero_safe_divide, np.divide, *TWO)
row(kept_zeros.zero_safe_multiply, np.multiply, *TWO)
row(kept_zeros.zero_safe_product, np.multiply, *TWO)
row(
    kept_zeros.zero_safe_dot, lambda g, x: np.sum(g * x, axis=-1), s((3,), (3,)), s((2, 3), (2, 3)), s((0, 3), (0, 3)),
    s((2, 1, 2), (2, 1, 2)),
)  # fmt: skip
row(
    kept_zeros.slope, lambda g, x, length: g * x / length,
    s((), (), ()), s((3,), (3,), (3,)), s((2, 3), (2, 3), (2, 1)), s((2, 1), (2, 3), (2, 1)), s((0,), (0,), (0,)),
)  # fmt: skip
row(elementwise.magnifier, lambda length: np.ones(length.shape, length.dtype)[()], s(()), s((2, 3)), s((0,)), orders=0)
row(elementwise.ordinary, lambda length: np.True_, s(A(1, 2)), s(A(0, 3)), s((0,)), orders=0)
row(mg.pow, np.power, *TWO, domain=between(0.3, 2.3), complex=True)
row(
    mg.pow, np.power,
    *(s(A(-1.5, 0.7, 1.2), exponent) for exponent in (0, 1, 2, 3, -1, -2.0, np.array([1, 2, 3]))),
    s((3,), 0.5), s((2, 2), -1.5), s(2, (3,)), s(np.array([1, 2, 3]), (2, 3)),
    s(A(0.5, 2), A(-3, -0.5)),
    domain=between(0.3, 2.3), name="pow (signs)",
)  # fmt: skip

ORDERED = [*TWO, s(A(1, 2, np.nan), A(1, 3, 1)), s(np.array([1, 2]), np.array([1, 3]))]
row(mg.equal, np.equal, *ORDERED, orders=0, complex=True)
row(mg.greater, np.greater, *ORDERED, orders=0)
row(mg.greater_equal, np.greater_equal, *ORDERED, orders=0)
row(mg.less, np.less, *ORDERED, orders=0)
row(mg.less_equal, np.less_equal, *ORDERED, orders=0)
row(mg.not_equal, np.not_equal, *ORDERED, orders=0, complex=True)

LOGICAL = [*TWO, s(A(0, 0, 1, 1), A(0, 2, 0, 2)), s(np.array([True, False]), np.array([[True], [False]]))]
row(mg.logical_and, np.logical_and, *LOGICAL, orders=0)
row(mg.logical_or, np.logical_or, *LOGICAL, orders=0)
row(mg.logical_xor, np.logical_xor, *LOGICAL, orders=0)

BITS = [s(np.array([[5], [12]]), np.array([1, 3])), s(np.int8(6), np.int8(2)), s(np.array([6, 9]), 1)]
BOOLS = s(np.array([True, False]), np.array([True, True]))
row(mg.bitwise_and, np.bitwise_and, *BITS, BOOLS, orders=0)
row(mg.bitwise_invert, np.bitwise_invert, s(np.array([5, -1])), s(np.array([True, False])), orders=0)
row(mg.bitwise_left_shift, np.bitwise_left_shift, *BITS, orders=0)
row(mg.bitwise_or, np.bitwise_or, *BITS, BOOLS, orders=0)
row(mg.bitwise_right_shift, np.bitwise_right_shift, *BITS, orders=0)
row(mg.bitwise_xor, np.bitwise_xor, *BITS, BOOLS, orders=0)

MASK = np.array([[True, False, True], [False, False, True]])
row(
    mg.where, np.where,
    s(MASK, (2, 3), (2, 3)), s(MASK, (3,), (2, 1)), s(MASK, (), ()), s(MASK, (2, 3), 0.0),
    s(np.bool_(True), (3,), (3,)), s(MASK[0], 1.0, (2, 3)), s(np.array([2, 0, 1]), (3,), (3,)),
    s(MASK[:0], (0, 3), (3,)), complex=True,
)  # fmt: skip
row(
    mg.clip, np.clip,
    s((2, 3), -1.0, 1.0), s((2, 3), None, 0.5), s((3,), -0.5, None), s((), 0.0, 1.0), s((3,), 1.0, -1.0),
    s((4, 3), (3,), (4, 1)), s((2, 3), None, (3,)), s((), (3,), None), s((0, 3), -1.0, (3,)),
)  # fmt: skip

# Reductions

ALONG = [
    s(()), s((3,)), s((2, 3)), s((2, 3), axis=0), s((2, 3), axis=-1), s((2, 3), keepdims=True),
    s((2, 3, 2), axis=1), s((2, 3, 2), axis=(0, -1)), s((2, 3, 2), axis=(2, 0), keepdims=True),
    s((1, 3), axis=0), s((3, 1), axis=1, keepdims=True), s((0, 3), axis=1), s((2, 3), 1),
]  # fmt: skip
SEVERAL = [s((3,)), *ALONG[2:9], s((0, 3), axis=1)]  # two numbers or more to each result
NOTHING = [s((0, 3)), s((2, 0), axis=1), s((2, 3), axis=())]  # for those that have a value then
DTYPE = s((2, 3), axis=1, dtype=np.float64)

row(mg.sum, np.sum, *ALONG, *NOTHING, DTYPE, complex=True)
row(mg.mean, np.mean, *ALONG, s((2, 3), axis=()), complex=True)
row(mg.var, renamed(np.var, correction="ddof"), *ALONG, s((3, 2), axis=0, correction=1), complex=True)
row(mg.std, renamed(np.std, correction="ddof"), *SEVERAL, s((3, 2), axis=0, correction=1), complex=True)
row(mg.max, np.max, *ALONG, s((2, 3), axis=()))
row(mg.min, np.min, *ALONG, s((2, 3), axis=()))
row(np.amax, np.amax, *ALONG[:3], name="numpy.amax")
row(np.amin, np.amin, *ALONG[:3], name="numpy.amin")
row(mg.logsumexp, sp.logsumexp, *ALONG, s(A(1000, 1001)))

ZEROS = [s(A(*x)) for x in [(0, 2, 3), (2, 0, 3), (2, 3, 0), (2, 0, 0), (0, 0, 0), (0, 2, 0, 3), (0,)]]
ZERO_ROWS = A([0, 2, 3], [2, 0, 0], [1.5, 2, 3], [1, 0, 2])
row(
    mg.prod, np.prod, *ALONG, *NOTHING, DTYPE, *ZEROS, s(ZERO_ROWS, axis=1), s(ZERO_ROWS), s((0, 3), axis=0),
    s(ZERO_ROWS, axis=(0, 1)), s(ZERO_ROWS, axis=-2, keepdims=True), complex=True,
)  # fmt: skip

TRUTHS = [*ALONG, *NOTHING, *ZEROS, s(ZERO_ROWS, axis=1), s(np.array([[True, False], [True, True]]), axis=0)]
row(mg.all, np.all, *TRUTHS, orders=0)
row(mg.any, np.any, *TRUTHS, orders=0)
row(mg.count_nonzero, np.count_nonzero, *TRUTHS, orders=0)

WHICH = [*ALONG[:6], s((0, 3), axis=1), s(A(1, 3, 3, 1)), s(np.array([[1, 3], [2, 2]]), axis=1)]
row(mg.argmax, np.argmax, *WHICH, orders=0)
row(mg.argmin, np.argmin, *WHICH, orders=0)

SOFT = [
    s((3,)), s((2, 3)), s((2, 3), axis=0), s((2, 3, 2), 1), s((2, 1)), s((0, 3)),
    s((2, 2, 2), axis=(0, 2)), s((2, 3), axis=None), s((2, 3), axis=(-1,)),
]  # fmt: skip
row(mg.softmax, lambda x, axis=-1: sp.softmax(x, axis), *SOFT, s(A(1000, 0, -1000)))
row(mg.log_softmax, lambda x, axis=-1: sp.log_softmax(x, axis), *SOFT, s(A(1000, 0, -1000)))


def cumulative(ufunc: np.ufunc) -> Callable[..., Any]:
    """NumPy's cumulative_sum and cumulative_prod, which NumPy 2.0 does not have."""

    def reference(x: Any, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Any:
        axis = 0 if axis is None else axis
        value = ufunc.accumulate(x, axis, dtype)
        head = np.full_like(np.sum(value, axis, keepdims=True, dtype=value.dtype), ufunc.identity)
        return np.concatenate([head, value], axis) if include_initial else value

    return reference


RUNNING = [
    s((3,)), s((1,)), s((2, 3), axis=0), s((2, 3), axis=-1), s((2, 3, 2), 1), s((0,)),
    s((0, 3), axis=1), s((2, 0), axis=1), s((4,), include_initial=True), DTYPE,
    s((2, 3), axis=-1, include_initial=True), s((2, 0), axis=-1, include_initial=True),
]  # fmt: skip
row(mg.cumulative_sum, cumulative(np.add), *RUNNING, complex=True)
row(
    mg.cumulative_prod, cumulative(np.multiply), *RUNNING, *ZEROS, s(ZERO_ROWS, axis=1), s(ZERO_ROWS, axis=0),
    s(A(2, 0, 3, 0), include_initial=True), complex=True,
)  # fmt: skip
row(np.cumsum, np.cumsum, *ALONG[:5], DTYPE, name="numpy.cumsum")
row(np.cumprod, np.cumprod, *ALONG[:5], DTYPE, s(ZERO_ROWS), name="numpy.cumprod")


def recurrence(a: Any, b: Any, axis: int) -> Any:
    total = b.copy()
    for _ in range(b.shape[axis] - 1):  # each round makes one more element right
        total = b + a * np.where(np.indices(b.shape)[axis], np.roll(total, 1, axis), 0)
    return total


PAIRS = [s((4,), (4,), axis=0), s((2, 3), (2, 3), axis=1), s((3, 2), (3, 2), axis=-2)]
row(reductions.recurrence, recurrence, *PAIRS, s((0,), (0,), axis=0), s((1,), (1,), axis=0))

# Shapes

row(
    mg.reshape, np.reshape,
    s((6,), [2, 3]), s((2, 3), -1), s((), [1, 1]), s((1, 1), []), s((0, 3), [3, -1]), s((2, 3, 2), [4, -1]),
    complex=True,
)  # fmt: skip
row(np.ravel, np.ravel, s((2, 3)), s(()), s((0, 3)), name="numpy.ravel")
row(np.atleast_1d, np.atleast_1d, s((2, 3)), s(()), name="numpy.atleast_1d")
row(
    mg.permute_dims, np.transpose,
    s((2, 3), axes=(1, 0)), s((2, 3, 4), axes=(2, 0, 1)), s((3, 3, 3), axes=(1, 2, 0)), s((), axes=()),
    s((3, 3, 3), axes=(-1, 0, 1)), s((0, 3), axes=(1, 0)), s((2, 3), [1, 0]), complex=True,
)  # fmt: skip
row(
    np.transpose,
    np.transpose,
    s((2, 3, 4)),
    s((3,)),
    s((3, 3), axes=(-1, 0)),
    s((2, 3), [1, 0]),
    name="numpy.transpose",
)
row(mg.swapaxes, np.swapaxes, s((2, 3), 0, 1), s((2, 3, 4), -1, 0), s((3, 3), 1, 1), complex=True)
row(mg.matrix_transpose, np.matrix_transpose, s((2, 3)), s((2, 3, 4)), s((0, 3)), complex=True)
row(
    mg.moveaxis, np.moveaxis,
    s((2, 3, 4), 0, -1), s((2, 3, 4), [0, 1], [-1, 0]), s((2, 3), [], []), s((3, 3, 3), 2, 0), complex=True,
)  # fmt: skip
row(
    mg.squeeze, np.squeeze,
    s((1, 3, 1)), s((1, 3, 1), axis=0), s((1, 3, 1), axis=(0, -1)), s((1,)), s((2, 3)), complex=True,
)  # fmt: skip
row(
    mg.expand_dims, np.expand_dims,
    s((3,), axis=0), s((), axis=0), s((2, 3), axis=(0, -1)), s((2, 3), axis=1), complex=True,
)  # fmt: skip
row(
    mg.broadcast_to, np.broadcast_to,
    s((3,), shape=(2, 3)), s((), shape=(2, 2)), s((2, 1), shape=(4, 2, 3)), s((1, 3), shape=(0, 3)),
    s((2,), shape=(2,)), complex=True,
)  # fmt: skip
row(
    mg.broadcast_arrays, np.broadcast_arrays,
    s((2, 1), (3,)), s((), (2, 2), (1, 2)), s((3,)), s((3,), (3,)), complex=True,
)  # fmt: skip
row(
    mg.astype, lambda x, dtype: np.asarray(x).astype(dtype)[()],
    s((2, 3), dtype=np.float64), s((), dtype=np.float64), s((0, 3), dtype=np.float64),
)  # fmt: skip

# Joining, turning, repeating, padding

row(
    packed(mg.concat), packed(np.concatenate),
    s((2, 3), (1, 3)), s((2, 3), (2, 1), axis=-1), s((2, 3), (3,), axis=None), s((3,)),
    s((0, 3), (2, 3), (1, 3), axis=0), s(np.array([1, 2]), (3,)), s((), (2,), axis=None), complex=True,
)  # fmt: skip
row(
    packed(mg.stack), packed(np.stack),
    s((2, 3), (2, 3)), s((3,), (3,), (3,), axis=-1), s((), ()), s((0, 3), (0, 3), axis=1),
    s((2,), axis=1), complex=True,
)  # fmt: skip
row(
    mg.split, np.split,
    s((6,), 3), s((4, 3), [1, 3]), s((2, 4), 2, axis=-1), s((3,), [0, 5]), s((3, 2), 1),
    s((3,), indices_or_sections=np.array([1])), complex=True,
)  # fmt: skip
row(mg.flip, np.flip, *ALONG[:5], s((2, 3, 2), axis=(0, -1)), s((0, 3)), complex=True)
row(
    mg.roll, np.roll,
    s((4,), 1), s((2, 3), 2), s((2, 3), -1, axis=1), s((2, 3), shift=(1, 2), axis=(0, 1)), s((), 1),
    s((2, 3), 4, axis=(0, 1)), s((0, 3), 1), s((3, 2), shift=(1, 1), axis=0), complex=True,
)  # fmt: skip
row(
    mg.repeat, np.repeat,
    s((3,), 2), s((2, 3), 2), s((2, 3), [1, 0, 2], axis=1), s((2, 3), 3, axis=-2), s((), 3),
    s((2, 3), np.array([2, 1]), axis=0), s((3,), 0), complex=True,
)  # fmt: skip
row(
    mg.tile, np.tile,
    s((3,), 2), s((2, 3), [2]), s((3,), [2, 2]), s((2, 1), [1, 3]), s((), 2), s((2, 3), 0),
    s((2, 3), []), complex=True,
)  # fmt: skip
row(
    mg.pad, np.pad,
    s((3,), 1), s((2, 3), [1, 2]), s((2, 3), [[1, 0], [0, 2]]), s((2, 3), 1, constant_values=7.0),
    s((0, 3), 1), s((2, 3), [[1], [2]]),
    *(s((3, 4), [[1, 2], [2, 0]], mode=mode) for mode in ("edge", "reflect", "symmetric", "wrap")),
    s((3,), [4, 5], mode="reflect"), s((2,), 3, mode="wrap"), s((1,), 2, mode="edge"), complex=True,
)  # fmt: skip

# Indexing

N = np.array
INDICES = [(shape, index) for shape, indices in {
    (): [..., None, True],
    (3,): [1, -1, (), True, N(1), [], slice(3, 0, -2), N([2, 2, 2])],
    (4,): [N([], int), N([[0, 3], [3, -1]]), N([True, False, False, True])],
    (2, 3): [
        (1, 2), slice(None, None, -1), (None, slice(None), None, 1), N([1, 0, 1, 1]), slice(5, None), np.int64(1),
        [[0, 1], [1, 1]], MASK, MASK & ~MASK, (N([0, 1, 0]), N([2, -1, 2])), (slice(None), N([0, 0, 2])),
        (N([[0], [1]]), N([0, 2])), (N([True, False]), slice(1, None)), (N([True, True]), N([0, 0])), (0, N([1, 1])),
    ],
    (2, 3, 2): [(..., 0), (MASK, 0), (N([0, 0]), slice(None), N([1, 1])), (N([0, 0]), None, N([1, 1]))],
    (0, 3): [slice(None), (..., 1), N([], int)],
}.items() for index in indices]  # fmt: skip


row(
    lambda x, index: indexing.getitem(x, index), lambda x, index: x[index],
    *(s(shape, index=index) for shape, index in INDICES), name="getitem", spelled=True, complex=True,
)  # fmt: skip


def written(x: Any, v: Any, index: Any) -> Any:
    x = x + 0  # a value of our own, not a leaf
    x[index] = v
    return x


row(
    lambda x, v, index: indexing.setitem(x, v, index), written,
    *(s(shape, np.empty(shape)[index].shape, index=index) for shape, index in INDICES if shape),
    s((2, 3), (), index=slice(None)), s((2, 3), (1,), index=np.array([1, 0, 1])), s((2, 3), (3,), index=...),
    s((2, 3), (2, 1), index=(slice(None), [0, 0, 2])), s((3,), 1.5, index=[0, 0]), name="setitem", spelled=True,
    complex=True,
)  # fmt: skip


def scattered(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    out = np.zeros(shape, g.dtype)
    np.add.at(out, index, g)
    return out


row(
    lambda g, index, shape: indexing.scatter(g, index, shape), scattered,
    *(s(np.empty(shape)[index].shape, index=index, shape=shape) for shape, index in INDICES if shape), name="scatter",
    complex=True,
)  # fmt: skip
row(
    mg.take, np.take,
    s((4,), np.array([0, 3, 3, -1])), s((2, 3), np.array([5, 0])), s((2, 3), np.array([1, 1]), axis=0),
    s((2, 3), np.array([[0, 2], [1, 1]]), axis=-1), s((2, 3), 1, axis=1), s((3,), [2, 0], axis=0),
    s((2, 3), np.array([], int), axis=0), s((3,), np.array(1)), complex=True,
)  # fmt: skip
row(
    mg.take_along_axis, np.take_along_axis,
    s((2, 3), np.array([[2, 0], [1, 1]]), axis=1), s((3, 2), np.array([[0, 1], [0, -1]]), axis=0),
    s((1, 3), np.array([[0, 1], [2, 2]]), axis=-1), s((2, 3), np.array([[0]]), axis=1),
    s((2, 3), np.array([3, 3, 0]), axis=None), s((2, 3, 2), np.array([[[0, 1]], [[2, 2]]]), axis=1), complex=True,
)  # fmt: skip

# Sorting

SORTS = [s((5,)), s((2, 3)), s((3, 2), axis=0), s((2, 3, 2), 1), s((0, 3)), s((3, 1))]
FALLING = [s((5,), descending=True), s((3, 2), axis=0, descending=True), s((4,), stable=False)]
EQUAL = [s(np.array([2, 1, 2, 1])), s(np.array([2, 1, 2, 1]), descending=True)]


def sort(x: Any, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    return -np.sort(-x, axis) if descending else np.sort(x, axis)


def argsort(x: Any, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    return np.argsort(-x if descending else x, axis, stable=True)


row(mg.sort, sort, *SORTS, *FALLING, *EQUAL)
row(mg.argsort, argsort, *SORTS, *FALLING, *EQUAL, orders=0)
row(np.sort, np.sort, *SORTS, s((2, 3), axis=None), name="numpy.sort")
row(np.argsort, np.argsort, *SORTS, s((2, 3), axis=None), orders=0, name="numpy.argsort")

# Products and matrices

row(
    mg.matmul, np.matmul,
    *(s(a, b) for a, b in [
        ((3,), (3,)), ((2, 3), (3, 2)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 2, 3), (3, 2)), ((2, 2, 3), (2, 3, 2)),
        ((2, 1, 2, 3), (3, 3, 2)), ((2, 3), (2, 3, 2)), ((3,), (2, 3, 2)), ((2, 2, 3), (3,)), ((0, 3), (3, 2)),
        ((2, 0), (0, 3)), ((1, 3), (3, 1)), ((2, 0, 3), (3, 2)), ((1, 2, 3), (2, 3, 1)), ((0, 2, 3), (3, 2)),
    ]), s(np.array([[1, 2]]), (2, 3)), complex=True,
)  # fmt: skip
row(
    mg.dot, np.dot,
    *(s(a, b) for a, b in [
        ((), (2, 3)), ((2,), ()), ((3,), (3,)), ((2, 3), (3, 2)), ((2, 3), (3,)), ((2, 2, 3), (3,)),
        ((2, 2, 3), (3, 2)), ((2, 3), (2, 3, 2)), ((3,), (2, 3, 2)), ((2, 2, 3), (2, 3, 2)), ((0, 3), (3, 2)),
    ]), complex=True,
)  # fmt: skip
row(
    mg.vecdot, np.vecdot,
    s((3,), (3,)), s((2, 3), (3,)), s((2, 3), (2, 3), axis=0), s((2, 1, 3), (2, 3)),
    s((2, 0), (2, 0)), complex=True,
)  # fmt: skip
row(mg.outer, np.outer, s((2,), (3,)), s((2, 2), (3,)), s((), (2,)), s((0,), (2,)), complex=True)
row(
    mg.tensordot, np.tensordot,
    s((2, 3), (2, 3)), s((2, 3), (3, 2), axes=1), s((2,), (3,), axes=0), s((2, 3, 4), (4, 3), axes=([1, 2], [1, 0])),
    s((2, 3, 2), (2, 4), axes=(-1, 0)), s((2, 0), (0, 3), axes=1), s((), (3,), axes=0), complex=True,
)  # fmt: skip
row(
    lambda *operands, subscripts: mg.einsum(subscripts, *operands),
    spelling(np.einsum, lambda *operands, subscripts: np.einsum(subscripts, *operands)),
    *(s(*shapes, subscripts=subscripts) for subscripts, *shapes in [
        ("ij,jk->ik", (2, 3), (3, 2)), ("ij,jk", (2, 3), (3, 2)), ("ba", (2, 3)), ("ii", (3, 3)), ("ii->i", (3, 3)),
        ("ij->ji", (2, 3)), ("ij->", (2, 3)), ("ij->j", (2, 3)), ("ij,ij", (2, 3), (2, 3)), ("i,j", (2,), (3,)),
        ("i,i->", (3,), (3,)), ("bij,bjk->bik", (2, 2, 3), (2, 3, 2)), ("...ij,...jk->...ik", (2, 2, 3), (3, 2)),
        ("...ij,...jk", (2, 1, 2, 3), (3, 3, 2)), ("i...->...", (2, 3)), ("...", (2, 3)),
        ("...i,...i->...", (2, 1, 3), (4, 3)),
        ("iij,jk->ik", (2, 2, 3), (3, 2)), ("iii->i", (2, 2, 2)), ("iijj->ij", (2, 2, 3, 3)), ("iijj", (2, 2, 3, 3)),
        ("ij,jk,kl->il", (2, 3), (3, 2), (2, 3)), ("ij,kl->", (2, 3), (3, 2)), ("ij,kl->il", (2, 3), (3, 2)),
        (",i->i", (), (3,)),
        ("i,i,i->i", (3,), (3,), (3,)), ("ij, jk -> ik", (0, 3), (3, 2)), ("ij,jk->ik", (2, 0), (0, 2)), ("->", ()),
        ("ij,j->ij", (2, 1), (3,)), ("i,i", (2,), (1,)), ("i,i", (1,), (3,)), ("i,i->i", (1,), (0,)),
        ("ij,jk->ik", (2, 1), (3, 2)), ("ij,jk->ik", (2, 3), (1, 2)), ("ij,ij", (1, 3), (2, 1)),
        ("ij,ij", (1, 1), (2, 1)), ("ii,i->i", (3, 3), (1,)), ("ii,i", (1, 1), (3,)), ("iij,j->i", (2, 2, 1), (3,)),
        ("i,i,i", (1,), (3,), (1,)), ("ij,jk,kl->il", (2, 1), (3, 1), (2, 2)), ("...i,...i->...", (2, 3), (1, 1)),
        ("i...,i...", (1, 2), (3, 1)), ("i,i->", (1,), (1,)), ("ij->i", (1, 3)),
        ("...a,a...->...", (2, 3), (3, 2)), ("aB,Bc->ca", (2, 3), (3, 2)),
    ]), name="einsum", complex=True,
)  # fmt: skip

DIAGONALS = [
    s((3, 3)), s((2, 3), 1), s((3, 2), -1), s((2, 3, 3), axis1=1, axis2=2), s((3, 2, 3), 1, 2, 0),
    s((2, 2), 5), s((0, 3)), s((2, 3, 3), axis1=-1, axis2=-2, offset=-1),
]  # fmt: skip
TRIANGLES = [
    s((3, 3)),
    s((2, 3), k=1),
    s((3, 2), k=-1),
    s((2, 3, 3)),
    s((0, 3)),
    s((2, 3), 1),
]
row(mg.diagonal, np.diagonal, *DIAGONALS, complex=True)
row(mg.trace, np.trace, *DIAGONALS, complex=True)
row(mg.tril, np.tril, *TRIANGLES, complex=True)
row(mg.triu, np.triu, *TRIANGLES, complex=True)

# Those that compute what a function does

row(
    checkpoint(lambda x, y: (mg.tanh(x) * y, mg.sum(x))), lambda x, y: (np.tanh(x) * y, np.sum(x)),
    s((3,), (3,)), s((), (2,)), s((2, 1), (3,)), s((0, 2), (2,)), name="checkpoint", spelled=True,
)  # fmt: skip
row(
    lambda x, y: jit(lambda x, y: (mg.tanh(x) * y, mg.sum(x)))(x, y), lambda x, y: (np.tanh(x) * y, np.sum(x)),
    s((3,), (3,)), s((), (2,)), s((2, 1), (3,)), s((0, 2), (2,)), name="compiled", spelled=True,
)  # fmt: skip
