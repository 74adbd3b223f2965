"""The rows of the rest of the Array API standard."""

import numpy as np

import minigrad as mg
from tests.op_table import ODD, ONE, TABLE, TWO, ZERO_ROWS, A, N, row, s, spelling

__all__ = ["TABLE"]

# Elementwise functions

row(mg.copysign, np.copysign, *TWO)
row(mg.nextafter, np.nextafter, *TWO)
row(mg.signbit, np.signbit, *ONE, ODD, orders=0)

# Differences and shapes

STEPS = [
    s((4,)), s((2, 3)), s((3, 2), axis=0), s((4,), n=2), s((2, 4), n=3, axis=1), s((3,), n=0), s((1,)), s((0, 3)),
    s((2, 3), n=5), s((3,), prepend=A(1, 2)), s((2, 3), append=A([4], [5]), axis=1), s((3,), prepend=0.0, append=1.0),
    s((2, 3), prepend=np.float64(2), n=2), s((2, 3, 2), axis=1), s(N([True, False, False])), s(N([[5, 1, 4]]), axis=-1),
]  # fmt: skip
row(mg.diff, np.diff, *STEPS, complex=True)
row(mg.unstack, lambda x, axis=0: tuple(np.moveaxis(x, axis, 0)), *(
    s((3,)), s((2, 3)), s((2, 3), axis=1), s((2, 3, 2), axis=-2), s((1, 2)), s((2, 0)), s((2, 3), axis=-1),
), complex=True)  # fmt: skip
row(mg.meshgrid, np.meshgrid, *(
    s((2,), (3,)), s((2,), (3,), indexing="ij"), s((3,)), s((), (2,)), s((2,), (1,), (3,)), s((2,), (0,)),
    s((2,), (3,), (2,), indexing="ij"), s((), ()), s((1,), indexing="ij"),
), complex=True)  # fmt: skip
row(mg.reshape, lambda x, shape, copy: np.reshape(x, shape), *(
    s((6,), shape=(2, 3), copy=True), s((2, 3), [3, 2], copy=True), s((0, 3), [3, 0], copy=True), s((), [1], copy=True),
    s((2, 3), [2, 3], copy=True),
), name="reshape (copy)", complex=True)  # fmt: skip

# Searching and sets

row(mg.nonzero, lambda x: np.nonzero(x), *(
    s((3,)), s(ZERO_ROWS), s((0, 3)), s(N([[True, False], [True, True]])), s(N([[[0, 2]], [[1, 0]]])), ODD,
), orders=0, complex=True)  # fmt: skip

PLACES = [
    s(A(1, 2, 2, 3), (4,)), s(A(1, 2, 2, 3), A([2, 0], [9, 3])), s(A(1, 2, 2, 3), A(2, 3), side="right"), s(A(1), ()),
    s(A(), (2,)), s(A(3, 1, 2), (3,), sorter=N([1, 2, 0])), s(N([1, 5]), N([5, 6, 0])), s(A(1, np.nan), A(np.nan, 2)),
]  # fmt: skip
row(mg.searchsorted, lambda x1, x2, **kw: np.searchsorted(x1, x2, **kw), *PLACES, orders=0)

SETS = [s((4,)), s((2, 3)), s(()), s((0,)), s((1, 2))]  # of different elements: equal ones are at a kink
WHOLE = [s(N([3, 1, 3, 2, 1])), s(N([[2, 2], [0, 1]])), s(N(7)), s(N([], int)), s(N([True, False, True]))]
row(lambda x: mg.unique_all(x).values, lambda x: np.unique(x), *SETS, name="unique_all", complex=True)
row(lambda x: mg.unique_counts(x).values, lambda x: np.unique(x), *SETS, name="unique_counts")
row(lambda x: mg.unique_inverse(x).values, lambda x: np.unique(x), *SETS, name="unique_inverse")
row(mg.unique_values, spelling(np.unique_values, lambda x: np.sort(np.unique_values(x))), *SETS, *WHOLE, complex=True)
row(mg.unique_all, np.unique_all, *WHOLE, name="unique_all (indices)", orders=0)
row(mg.unique_counts, np.unique_counts, *WHOLE, name="unique_counts (counts)", orders=0)
row(mg.unique_inverse, np.unique_inverse, *WHOLE, name="unique_inverse (indices)", orders=0)

row(mg.isin, lambda x1, x2, invert=False: np.isin(x1, x2, invert=invert), *(
    s(A(1, 2, 3), A(3, 1)), s(A([1, 2], [3, 4]), A([2], [4]), invert=True), s((3,), A()), s(A(), (2,)),
    s(A(2), A(2, 3)), s(N([1, 2]), N([2])), s(A(np.nan, 1), A(np.nan, 1)), s(A(1, 2), 2.0),
), orders=0, complex=True)  # fmt: skip
