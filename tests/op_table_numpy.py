"""Rows for NumPy's own names: functions that the Array API standard does not have, and arguments that it does not have.

The function and its reference are the same, NumPy's: what is compared is what it makes of arrays and of Tensors.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.ops import ufunc_methods
from tests.needs import numpy_before
from tests.op_table import ALONG, MASK, A, between, either_sign, packed, row, s, spelling

X = A([1, 0, 3], [4, 5, 6])

# Functions that describe arrays return what NumPy returns: tuples, names, one answer about all elements.  Of those that
# make an array like another one, only shape and dtype are compared.
DESCRIBING = {
    np.shape: (X,), np.ndim: (X,), np.size: (X,), np.array_equal: (X, X), np.array_equiv: (X, X),
    np.allclose: (X, X + 1), np.iscomplexobj: (X,), np.isrealobj: (X,), np.can_cast: (X, "f"),
    np.result_type: (X, np.float32(1)), np.common_type: (X,), np.min_scalar_type: (X,), np.may_share_memory: (X, X),
    np.shares_memory: (X, X), np.array_repr: (X,), np.array_str: (X,), np.array2string: (X,),
    np.zeros_like: (X,), np.ones_like: (X,), np.full_like: (X, 2.0), np.empty_like: (X,),
    np.einsum_path: (X, [0, 1], [0]),
}  # fmt: skip

# Those whose calls are tested in `test_protocols`, one by one.
ELSEWHERE = {
    np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray, np.require, np.zeros, np.ones,
    np.empty, np.full, np.eye, np.identity, np.tri, np.arange, np.frombuffer, np.fromfile, np.fromfunction,
    np.fromiter, np.fromstring, np.genfromtxt, np.loadtxt, np.save, np.savetxt, np.savez, np.savez_compressed,
}  # fmt: skip


def same(function: Callable[..., Any], *samples: Any, **options: Any) -> None:
    """A row of a NumPy function that is compared with itself."""
    row(function, function, *samples, **{"name": f"numpy.{function.__name__}", "complex": True, **options})


def of_lists(function: Callable[..., Any], *samples: Any, **options: Any) -> None:
    """The same for a function of a sequence of arrays."""
    row(packed(function), packed(function), *samples, name=f"numpy.{function.__name__}", complex=True, **options)


def spelled(function: Any, call: Callable[..., Any], name: str, *samples: Any, **options: Any) -> None:
    """The same for a call in another form."""
    row(call, spelling(function, call), *samples, **{"name": name, "spelled": True, "complex": True, **options})


# Reductions with masks and initial values

ROW = MASK[0]
MASKS = [s((2, 3), where=MASK), s((2, 3), axis=0, where=ROW), s((2, 3, 2), axis=(0, 2), where=MASK[1][:, None])]
COLUMN = s((3, 3), axis=1, keepdims=True, where=np.array([[True], [False], [True]]))
INITIAL = [s((2, 3), initial=1.5), s((2, 3), axis=1, keepdims=True, initial=-0.5), s((0, 3), axis=0, initial=1.0)]
BOTH = [s((2, 3), axis=-1, initial=0.25, where=MASK), s((3,), initial=2.5, where=np.array([False, False, False]))]

same(np.sum, *MASKS, COLUMN, *INITIAL, *BOTH, s((2, 3), 0, dtype=np.float64, where=ROW))
same(np.prod, *MASKS, COLUMN, *INITIAL, *BOTH)
same(
    np.mean,
    s((2, 3), where=MASK),
    s((2, 3), axis=1, where=ROW),
    s((2, 3), axis=1, keepdims=True, where=MASK),
    s((2, 3), 1, dtype=np.float64),
)
same(
    np.max, *INITIAL, *BOTH, s((0,), initial=3.0), s((2, 0, 3), axis=(0, 1), keepdims=True, initial=1.0), complex=False
)
same(np.min, *INITIAL, *BOTH, s((2, 3), axis=(), initial=0.1), complex=False)
same(np.any, *MASKS, COLUMN, orders=0)
same(np.all, *MASKS, COLUMN, orders=0)
spelled(np.sum, lambda x, first, **kw: np.sum(x, initial=first, **kw), "numpy.sum (from)", s((2, 3), ()))
spelled(
    np.max, lambda x, first, **kw: np.max(x, initial=first, **kw), "numpy.max (from)", s((2, 3), ()),
    complex=False,
)  # fmt: skip

# Elements

same(np.around, *ALONG[:3], s((3,), 1), s((3,), decimals=2), complex=False)
same(np.fix, *ALONG[:3], complex=False)
same(np.copy, *ALONG[:3], s(np.array([True])), s((2, 3), order="K"))
spelled(
    np.clip, lambda x, *bounds, **kw: np.clip(x, *bounds, **kw), "numpy.clip", s((3,), a_min=-0.5, a_max=None),
    s((3,), -1.0, 1.0, None), s((2, 3), a_min=None, a_max=0.5), complex=False,
)  # fmt: skip
spelled(np.where, lambda x: np.where(x), "numpy.where (indices)", s((2, 3)), s(A(0, 1, 0, 2)), orders=0)
same(np.real_if_close, s((3,)), s(()), s((0, 3)))
same(
    np.take, s((4,), [-5, 4, 7], mode="wrap"), s((2, 3), [[-1, 5]], axis=1, mode="clip"),
    s((2, 3), 7, None, None, "wrap"), s((2, 3), [0, 2], axis=-1, mode="raise"),
)  # fmt: skip
same(
    np.reshape, s((2, 3), [3, 2], order="F"), s((2, 3), -1, order="F"), s((2, 3, 2), [4, -1], "F"),
    s((0, 3), [3, 0], order="F"),
)  # fmt: skip
same(np.ravel, s((2, 3), "F"), s((2, 3, 2), order="F"), s((), order="F"))
same(np.partition, s((5,), 2), s((2, 5), [1, 3]), s((3, 2), 1, axis=0), s((2, 3), 4, axis=None))
same(
    np.argpartition,
    s((5,), 2),
    s((3, 2), 1, axis=0),
    s((3,), [0, 2], kind="introselect"),
    name="argpartition",
    orders=0,
)
same(np.nonzero, *ALONG[1:3], s(A(0, 1, 0)), orders=0)
same(np.searchsorted, s(A(1, 2, 3), A(0, 2, 9)), s(A(1, 2), (), side="right"), orders=0)
same(np.digitize, s((3,), A(0, 1)), s(A(0, 1), A(2, 1, 0), right=True), orders=0, complex=False)
same(np.isin, s(A(1, 2), A(2, 3)), s((2, 3), A(1), invert=True), orders=0)
same(np.isclose, s((3,), (3,)), s((2, 3), (3,), atol=1.0), orders=0)
for function in (np.iscomplex, np.isreal, np.flatnonzero, np.argwhere):
    same(function, *ALONG[1:3], s(A(0, 1, 0)), orders=0)
for function in (np.isneginf, np.isposinf):
    same(function, *ALONG[:3], s(A(0, np.inf, -np.inf)), orders=0, complex=False)
for function in (np.diag_indices_from, np.tril_indices_from, np.triu_indices_from):
    same(function, s((3, 3)), s((2, 2)), orders=0)
same(np.lexsort, s((2, 3)), s((2, 3), axis=0), orders=0, complex=False)
same(np.unravel_index, s(np.array([5, 0]), shape=(2, 3)), orders=0)
spelled(
    np.ravel_multi_index, lambda i, j, **kw: np.ravel_multi_index((i, j), **kw), "numpy.ravel_multi_index",
    s(np.array([0, 1]), np.array([2, 0]), dims=(2, 3)), orders=0, complex=False,
)  # fmt: skip
same(np.gcd, s(np.array([12, 18]), np.array([8, 27])), orders=0)
same(np.lcm, s(np.array([12, 18]), np.array([4, 27])), s(np.array([12, 18]), 4), orders=0)
same(np.bitwise_count, s(np.array([5, 255])), orders=0)

# Sets

REPEATED = np.array([2, 1, 2, 3, 1])  # of integers: a small change would make different elements of equal ones
same(
    np.unique, s((5,)), s(REPEATED), s((2, 3)), s(REPEATED, True, True, True), s(REPEATED, return_counts=True),
    s(np.array([[1, 2], [1, 2], [0, 5]]), axis=0), s((2, 3), axis=1), s((3,), equal_nan=False), s((0,)),
)  # fmt: skip
OTHER = np.array([[1, 3], [3, 5]])
SETS = [s(REPEATED, OTHER), s(np.array([[1, 2], [2, 4]]), OTHER), s((3,), OTHER), s((0,), OTHER)]
same(np.union1d, *SETS, s((3,), (2, 2)))
same(np.setxor1d, *SETS, s((3,), (2, 2)), s((0,), (3,)))
same(np.intersect1d, *SETS)  # only the first operand has gradients, as it has of the elements that are in both
same(np.setdiff1d, *SETS)
spelled(
    np.intersect1d, lambda a, b, **kw: np.intersect1d(a, b, **kw), "numpy.intersect1d (indices)",
    s(REPEATED, OTHER, return_indices=True), s(np.array([1, 2]), np.array([2, 3]), assume_unique=True), complex=False,
)  # fmt: skip
spelled(
    np.setdiff1d, lambda a, b: np.setdiff1d(a, b, assume_unique=True), "numpy.setdiff1d (unique)",
    s(np.array([3, 1]), np.array([1, 2])), s((2,), OTHER), complex=False,
)  # fmt: skip

# Joining

of_lists(
    np.concatenate, s((2, 3), (1, 3), dtype=np.float64), s((2, 3), (2, 1), axis=1, casting="no", dtype=None),
    s((2,), np.array([1, 2]), dtype=np.float64),
)  # fmt: skip
spelled(
    np.concatenate, lambda x, **kw: np.concatenate(x, **kw), "numpy.concatenate (rows)", s((2, 3)), s((2, 3, 2), axis=1)
)
spelled(np.stack, lambda x, **kw: np.stack(x, **kw), "numpy.stack (rows)", s((2, 3)), s((2, 3), axis=1))
of_lists(np.stack, s((2, 3), (2, 3), dtype=np.float64))
STACKS = [s((3,), (3,)), s((2, 3), (2, 3)), s((2, 3, 2), (2, 3, 2)), s((3,)), s((0, 3), (0, 3))]
of_lists(np.hstack, *STACKS, s((), ()), s((2, 3), (2, 1)), s((2,), (3,)), s((2,), (3,), dtype=np.float64))
of_lists(np.vstack, *STACKS, s((), ()), s((2, 3), (3,)), s((3,), (1, 3), dtype=np.float64))
of_lists(np.dstack, *STACKS, s((), ()), s((2, 3, 1), (2, 3)))
of_lists(np.column_stack, *STACKS[:3], s((2,), (2, 3)), s((2,), (2,), (2,)))
spelled(
    np.block, lambda a, b, c, d: np.block([[a, b], [c, d]]), "numpy.block", s((2, 2), (2, 1), (1, 2), (1, 1)),
    s((2,), (1,), (2,), (1,)), s((), (), (), ()), s((2, 2, 2), (2, 2, 1), (2, 1, 2), (2, 1, 1)),
    s((0, 2), (0, 1), (1, 2), (1, 1)),
)  # fmt: skip
spelled(np.block, lambda a, b: np.block([a, b]), "numpy.block (a row)", s((2,), (3,)), s((2, 2), (2, 1)), s((), (2,)))
spelled(np.block, lambda a: np.block(a), "numpy.block (one)", s((2,)), s(()))
for function in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
    same(function, s(()), s((3,)), s((2, 3)), s((2, 3, 2)), s((2, 1, 2, 1)), s((0,)), s((), (3,), (2, 2)))
same(np.append, s((3,), (2,)), s((2, 3), (1, 3), axis=0), s((2, 2), ()), s((2, 1), (2, 2), axis=-1), s((0,), (2,)))
same(
    np.insert, s((4,), 1, (2,)), s((4,), [1, 3], (2,)), s((2, 3), 1, (2,), axis=1), s((2, 3), 1, (3,), axis=0),
    s((2, 3), [0, 2], (2, 1), axis=1), s((3,), -1, ()), s((3,), [0, 0, 3], (3,)), s((2, 2), 1, ()),
    s((3,), slice(0, 2), (2,)), s((3,), [1], (2,)), s((3,), [], ()), s((2, 3), [1], (1, 3), axis=0),
)  # fmt: skip
if not numpy_before("2.2.0"):  # which takes booleans for a mask, and no longer for the places 0 and 1
    same(np.insert, s((4,), np.array([True, False, True, False]), (2,)))
same(
    np.delete, s((4,), 1), s((4,), [0, -1]), s((2, 3), 1, axis=1), s((2, 3), slice(0, 2), axis=-1), s((2, 3), 4),
    s((4,), np.array([True, False, False, True])), s((3,), []), s((3, 2), [0, 0, 2], axis=0),
)  # fmt: skip
same(np.resize, s((3,), [2, 4]), s((2, 3), 4), s((2, 3), [2, 0]), s((), [3]), s((4,), new_shape=(2,)))
same(np.resize, s((0,), 2), name="numpy.resize (of nothing)", orders=0)
TRIMMED = np.array([0, 0, 1, 0, 2, 0])
same(
    np.trim_zeros, s(TRIMMED), s(TRIMMED, "f"), s(TRIMMED, trim="b"), s((3,)), s(np.array([0, 0])),
    s(np.array([0, 0]), "f"), s((0,)),
)  # fmt: skip

spelled(
    np.trim_zeros, lambda x, **kw: np.trim_zeros(np.append([0, 0], np.append(x, 0)), **kw),
    "numpy.trim_zeros (of zeros)",
    s((3,)), s((3,), trim="f"),
)  # fmt: skip

same(
    np.pad, s((3,), 2, constant_values=[1.0, 2.0]), s((2,), 1, mode="edge"),
    s((3,), 2, mode="linear_ramp"), s((2, 3), [[1, 2], [0, 3]], "linear_ramp", end_values=[[1, 2], [3, 4]]),
    *(s((3, 4), [[2, 1], [1, 0]], mode=mode) for mode in ("mean", "maximum", "minimum", "median")),
    s((4,), 2, "mean", stat_length=2), s((4,), [1, 3], "maximum", stat_length=[2, 3]),
    s((3, 4), [[2, 1], [1, 0]], "reflect", reflect_type="odd"), s((3,), [5, 4], mode="symmetric", reflect_type="odd"),
    s((1, 2), 2, "reflect", reflect_type="odd"), s((3,), 2, "reflect", reflect_type="even"), s((0, 2), 0, mode="mean"),
    name="numpy.pad", complex=False,
)  # fmt: skip
spelled(
    np.pad, lambda x, *ends, **kw: np.pad(x, 1, constant_values=list(ends), **kw), "numpy.pad (by Tensors)",
    s((3,), (), ()), s((2, 2), (), ()),
)  # fmt: skip

# Cutting

same(np.array_split, s((5,), 2), s((5,), 7), s((2, 5), 3, axis=1), s((5,), [1, 3]), s((0,), 2), s((4, 2), 3, axis=-2))
same(np.hsplit, s((4,), 2), s((2, 4), 2), s((2, 4), [1, 2]))
same(np.vsplit, s((4, 2), 2), s((3, 2), [1]))
same(np.dsplit, s((2, 1, 4), 2), s((2, 1, 3), [1]))
same(
    np.lib.stride_tricks.sliding_window_view, s((5,), 3), s((3, 4), [2, 2]), s((3, 4), 2, axis=1), s((4,), [2]),
    s((3, 4), [2, 3], axis=(1, 0)), s((5,), window_shape=(2, 2), axis=(0, 0)), s((2, 3), 3, axis=-1),
)  # fmt: skip
same(np.ix_, s((2,), (3,)), s((3,)), s((2,), np.array([True, False, True])), s((1,), (2,), (1,)))

# Turning

same(np.fliplr, s((2, 3)), s((2, 3, 2)), s((2, 0)))
same(np.flipud, s((3,)), s((2, 3)))
same(
    np.rot90, s((2, 3)), *(s((2, 3), k) for k in (-1, 0, 2, 3, 5)), s((2, 3, 2), axes=(1, 2)), s((2, 3, 2), 3, [-1, 0])
)
same(
    np.rollaxis,
    s((2, 3, 4), 2),
    s((2, 3, 4), 0, 2),
    s((2, 3, 4), 1, 3),
    s((2, 3, 4), 2, -1),
    s((2, 3), -1),
    s((2, 3), 1, 1),
)

# Products

spelled(
    np.einsum, lambda a, b, **kw: np.einsum(a, [0, 1], b, [1, 2], [0, 2], **kw), "numpy.einsum (lists)",
    s((2, 3), (3, 2)), s((2, 3), (3, 2), optimize=True), s((2, 3), (3, 2), dtype=np.float64),
)  # fmt: skip
spelled(np.einsum, lambda a: np.einsum(a, [0, ..., 0]), "numpy.einsum (a list)", s((2, 2)), s((2, 3, 2)))
spelled(
    np.einsum, lambda a, b: np.einsum("ij,jk", a, b, casting="same_kind"), "numpy.einsum (options)", s((2, 3), (3, 2))
)
same(
    np.inner, s((3,), (3,)), s((2, 3), (3,)), s((2, 3), (4, 3)), s((), (2, 3)), s((2, 1, 3), (2, 3)), s((2, 0), (3, 0))
)
same(np.vdot, s((3,), (3,)), s((2, 3), (3, 2)), s((), ()), s((0,), (0,)))
same(np.diag, s((3,)), s((2,), 1), s((2,), k=-2), s((3, 3)), s((2, 3), 1), s((3, 2), -1), s((0,)), s((1,)))
same(np.diagflat, s((3,)), s((2, 2), 1), s((), -1), s((2,), k=-1))
same(np.trace, s((3, 3), 1, 0, 1, dtype=np.float64), s((2, 3, 3), axis1=1, axis2=2, dtype=np.float64))
MATRIX_AND_VECTOR = [s((2, 3), (3,)), s((2, 2, 3), (3,)), s((2, 3), (4, 3)), s((0, 3), (3,))]
VECTOR_AND_MATRIX = [s((2,), (2, 3)), s((3,), (2, 3, 2)), s((2, 3), (3, 2)), s((2,), (2, 0))]
if hasattr(np, "matvec"):  # since NumPy 2.2
    same(np.matvec, *MATRIX_AND_VECTOR, spelled=True)
    same(np.vecmat, *VECTOR_AND_MATRIX, spelled=True)
same(np.astype, s((2, 3), np.float64), s((3,), np.float64, copy=False), spelled=True, complex=False)
if hasattr(np, "unstack"):  # since NumPy 2.1
    same(np.reshape, s((2, 3), shape=(3, 2), copy=True))
    spelled(np.clip, lambda x, min: np.clip(x, min=min), "numpy.clip (min)", s((3,), min=-1.0), complex=False)
    same(np.unstack, s((2, 3)), s((2, 3), axis=-1), spelled=True)
    same(np.cumulative_sum, s((3,)), s((2, 3), axis=1, include_initial=True), spelled=True)
    same(np.cumulative_prod, s((3,)), s((2, 3), axis=0, dtype=np.float64), spelled=True)
spelled(
    np.vecdot, lambda a, b, **kw: np.vecdot(a, b, **kw), "numpy.vecdot", s((2, 3), (2, 3), axis=0, keepdims=True),
    s((2, 3), (3,), keepdims=True), s((2, 3), (2, 3), axis=0),
)  # fmt: skip

# Between two ends

same(
    np.linspace, s((), (), 5), s((), 2.0, 4), s(1.0, (), num=3, endpoint=False), s((3,), (3,), 4),
    s((2,), (), 3, axis=-1), s((2, 1), (3,), 2, axis=1), s((), (), 1), s((), (), 0),
    s((), (), 4, True, True), s((3,), 0, 2), s((), (), 3, dtype=np.float64), s([0.0, 1.0], (2,), 3),
)  # fmt: skip
same(np.logspace, s((), (), 4), s((2,), (2,), 3, axis=1), s((), 1.0, 3, False, 2.0), s((2,), (), 3, base=2.0))
spelled(
    np.logspace, lambda a, b, base, **kw: np.logspace(a, b, 3, base=base, **kw), "numpy.logspace (bases)",
    s((), (), A(2, 3)), s((2,), (2,), A(2.5), axis=-1), complex=False,
)  # fmt: skip
same(
    np.geomspace, s((), (), 4), s((2,), (2,), 3, axis=1), s((), 9.0, 3, False), s(0.5, (2,), 3), s((), (), 1),
    domain=between(0.5, 3), complex=False,
)  # fmt: skip
same(np.geomspace, s((), (), 4), s((2,), (), 3), name="numpy.geomspace (below 0)", domain=between(-3, -0.5))

# Calls of functions

spelled(
    np.apply_along_axis, lambda x, f, axis, **kw: np.apply_along_axis(f, axis, x, **kw), "numpy.apply_along_axis",
    s((2, 3), np.sum, 1), s((2, 3), np.cumsum, 0), s((2, 3, 2), np.outer, 1, b=A(1, 2)), s((3,), np.prod, 0),
    s((2, 3), lambda v: [v[0], v[1] * v[2]], axis=-1), s((2, 0), np.sum, 1),
)  # fmt: skip
spelled(
    np.apply_over_axes, lambda x, f, axes: np.apply_over_axes(f, x, axes), "numpy.apply_over_axes",
    s((2, 3, 2), np.sum, [0, -1]), s((2, 3), np.cumsum, 1), s((2, 3), np.prod, [0]),
)  # fmt: skip
spelled(
    np.piecewise, lambda x, limit, *functions: np.piecewise(x, [x < limit, x >= limit], functions), "numpy.piecewise",
    s((4,), 0.0, np.exp, np.square), s((2, 3), 0.5, lambda x: -x, 7.0), s((), 0.0, np.sin, 1.5),
    complex=False,
)  # fmt: skip
spelled(
    np.piecewise, lambda x, *rest, **kw: np.piecewise(x, x < 0, [lambda v, a: a * v, lambda v, a: v**2], *rest, **kw),
    "numpy.piecewise (else)", s((4,), 3.0), s((4,), a=2.0), complex=False,
)  # fmt: skip

# Complex where the real functions are not defined: their real and imaginary parts


def emath(function: Callable[..., Any], *samples: Any, **options: Any) -> None:
    name = f"numpy.emath.{function.__name__}"
    spelled(function, lambda *x: _parts(function(*x)), name, *samples, **{"complex": False, **options})


def _parts(y: Any) -> list[Any]:
    return [np.real(y), np.imag(y)] if np.iscomplexobj(y) else [y]


for function in (np.emath.sqrt, np.emath.log, np.emath.log2, np.emath.log10):
    emath(function, *ALONG[:3], s(A(1, 2)))
for function in (np.emath.arccos, np.emath.arcsin, np.emath.arctanh):
    emath(function, *ALONG[:3], s(A(0.5, -0.5, 1.5, -1.5)), s(A(0.5, -0.5)), domain=either_sign(0.2, 1.9))
emath(np.emath.logn, s(2.0, (3,)), s((3,), (3,)), s((3,), A(-1.5)), domain=between(1.2, 2))
if not numpy_before("2.4.0"):  # which keeps the dtype of the base beside a Python number
    emath(np.emath.power, s((3,), 2), s((3,), 0.5))
emath(np.emath.power, s(A(1, 2, 3), np.array([-1, 2, 3])), s((2, 1), A(0.5, 1.5, 2.5)))

# Ufuncs: keyword arguments and methods


def method(ufunc: np.ufunc, which: str, *samples: Any, **options: Any) -> None:
    spelled(
        ufunc, lambda *args, **kw: getattr(ufunc, which)(*args, **kw), f"numpy.{ufunc.__name__}.{which}", *samples,
        **{"complex": False, **options},
    )  # fmt: skip


FLOAT = np.float64
REDUCED = [s((3,)), s((2, 3)), s((2, 3), axis=1, keepdims=True), s((2, 3, 2), axis=-1), s(()), s((1, 3))]
OVER_ALL = [s((2, 3), axis=None), s((2, 3, 2), axis=(0, 2)), s((2, 3), axis=1, dtype=FLOAT), s((2, 3), initial=1.5)]
WITH_MASK = [s((2, 3), axis=1, where=MASK, initial=0.5), s((2, 3), axis=None, keepdims=True, where=MASK, initial=1.5)]
IN_PARTS = [
    s((5,), [0, 2, 4]),
    s((5,), [3, 1, 1]),
    s((2, 4), [0, 2], axis=1),
    s((3, 2), [2]),
    s((4,), np.array([], int)),
]

for ufunc in (np.add, np.multiply, np.maximum, np.minimum, np.logaddexp, np.hypot, np.fmax, np.logaddexp2):
    method(ufunc, "reduce", *REDUCED, *OVER_ALL, *WITH_MASK)
for ufunc in (np.add, np.multiply, np.hypot):
    method(ufunc, "reduce", s((0, 3)), s((2, 0), axis=1), s((2, 3), where=MASK))
for ufunc in (np.subtract, np.divide, np.remainder):
    method(ufunc, "reduce", *REDUCED, s((2, 3), axis=1, initial=1.5, where=MASK), domain=between(0.5, 1.8))
for ufunc in (np.add, np.multiply, np.maximum, np.minimum, np.logaddexp, np.hypot, np.subtract, np.divide):
    method(ufunc, "accumulate", *REDUCED[:2], s((2, 3), axis=-1), s((0, 3)), s((2, 3), 1, FLOAT), s((1, 2)))
for ufunc in (np.add, np.multiply, np.maximum, np.subtract, np.logaddexp):
    method(ufunc, "reduceat", *IN_PARTS)
for ufunc in (np.add, np.multiply, np.subtract, np.maximum, np.arctan2):
    method(
        ufunc,
        "outer",
        s((2,), (3,)),
        s((2, 2), (3,)),
        s((), (2,)),
        s((2,), 1.5),
        s((0,), (2,)),
        s((2,), (2,), dtype=FLOAT),
    )
for ufunc in (np.logical_and, np.logical_or, np.logical_xor):
    method(ufunc, "reduce", *REDUCED, s((2, 3), axis=None), s((2, 3), where=MASK), s(A(0, 1)), s(A(0, 0)), orders=0)
    method(ufunc, "accumulate", *REDUCED[:2], s(A(0, 1, 0)), orders=0)
method(np.less, "outer", s((2,), (3,)), orders=0)
method(np.bitwise_or, "reduce", s(np.array([1, 4])), orders=0)
method(np.divmod, "outer", s((2,), (3,)))

same(
    np.exp,
    s((3,), dtype=FLOAT),
    s((3,), casting="no"),
    s((3,), where=True),
    s((3,), None),
    name="numpy.exp (arguments)",
)
same(np.add, s((3,), np.array([1, 2, 3]), dtype=FLOAT), s((3,), 1, casting="safe"), name="numpy.add (arguments)")
same(np.divmod, s((3,), 2.0, dtype=FLOAT), name="numpy.divmod (arguments)", complex=False)

row(
    ufunc_methods.cumulative_logaddexp, np.logaddexp.accumulate,
    s((4,), axis=0), s((2, 3), axis=1), s((3, 2), axis=-2), s((0, 3), axis=0), s(A(-800, 0, 800), axis=0),
)  # fmt: skip
