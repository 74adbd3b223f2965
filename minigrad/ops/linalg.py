"""Products of matrices and tensors, and parts of matrices."""

import math
import string
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.core import Array, conjugated, implements, numpy_keywords, primitive, traced
from minigrad.errors import AxisError, ShapeError
from minigrad.errors.operations import no_product
from minigrad.ops import costs
from minigrad.ops.arguments import operand
from minigrad.ops.axes import Axis, one_axis, several_axes
from minigrad.ops.elementwise import magnifier, ordinary
from minigrad.ops.indexing import getitem, take
from minigrad.ops.kept_zeros import slope, zero_safe_multiply
from minigrad.ops.reductions import keep, sum
from minigrad.ops.scaling import scaled
from minigrad.ops.shaping import moveaxis, permute_dims, reshape, squeeze

# Matrix products


def rows_of(x: Array) -> Array:
    """A stack of matrices, or a vector, as one matrix of all rows."""
    return x if x.ndim == 2 else np.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def _left_rule(g: Array, a: Array, b: Array) -> Array:
    """``g @ b.T``; of vectors their outer or plain product."""
    if a.ndim == 1 and b.ndim == 1:
        return g * b
    if b.ndim == 1:
        return np.expand_dims(g, -1) * b
    if a.ndim == 1:
        return np.squeeze(np.matmul(b, np.expand_dims(g, -1)), -1)
    if b.ndim == 2 and g.ndim > 2:
        return np.reshape(np.matmul(rows_of(g), np.swapaxes(b, -1, -2)), (*g.shape[:-1], b.shape[0]))
    return np.matmul(g, np.swapaxes(b, -1, -2))


def _right_rule(g: Array, a: Array, b: Array) -> Array:
    """``a.T @ g``; of vectors their outer or plain product."""
    if a.ndim == 1 and b.ndim == 1:
        return g * a
    if a.ndim == 1:
        return np.expand_dims(a, -1) * np.expand_dims(g, -2)
    if b.ndim == 1:
        return np.squeeze(np.matmul(np.swapaxes(a, -1, -2), np.expand_dims(g, -1)), -1)
    if b.ndim == 2 and a.ndim > 2:  # one product over all rows of the stack, instead of a stack to be summed
        a, g = rows_of(a), rows_of(g)
    return np.matmul(np.swapaxes(a, -1, -2), g)


@primitive(
    lambda g, y, a, b: _left_rule(g, a, b),
    lambda g, y, a, b: _right_rule(g, a, b),
    kind="contraction",
    cost=costs.matmul,
)
def matmul(a: Array, b: Array, /) -> Array:
    """Matrix product of the last two axes, broadcast over the others; 1-d operands are a row and a column."""
    shape_a: tuple[int, ...] = getattr(a, "shape", ())  # Python numbers have none
    shape_b: tuple[int, ...] = getattr(b, "shape", ())
    if len(shape_a) == len(shape_b) == 2 and shape_a[1] == shape_b[0]:
        return np.matmul(a, b)
    if not (shape_a and shape_b) or shape_a[-1] != (shape_b[-2] if len(shape_b) > 1 else shape_b[-1]):
        raise no_product(shape_a, shape_b)
    if b.ndim == 2 and a.ndim > 2 and a.flags.c_contiguous:
        return np.matmul(rows_of(a), b).reshape(*a.shape[:-1], b.shape[-1])
    return np.matmul(a, b)


implements(np.matmul)(matmul)


@implements(np.dot)
def dot(a: Array, b: Array, /) -> Array:
    """NumPy's dot: the sum over the last axis of `a` and the last but one of `b`, or the product with a number."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * b
    if np.ndim(b) <= 2:
        return matmul(a, b)
    return tensordot(a, b, axes=((-1,), (-2,)))


@implements(np.vecdot)
@numpy_keywords
def vecdot(a: Array, b: Array, /, *, axis: int = -1) -> Array:
    """Dot products of vectors that lie along an axis; of complex ones, the first conjugated."""
    lengths = [np.shape(x)[one_axis(axis, np.ndim(x), "vecdot")] for x in (a, b)]
    if lengths[0] != lengths[1]:
        raise ShapeError(
            f"vecdot of shapes {np.shape(a)} and {np.shape(b)}: the vectors along axis {axis} have {lengths[0]} and "
            f"{lengths[1]} elements, and must have as many: for one number instead of a vector write sum(a * b, axis)"
        )
    products = conjugated(operand(a, "vecdot")) * b
    return sum(products, axis=axis, dtype=products.dtype)


@implements(np.outer)
def outer(a: Array, b: Array, /) -> Array:
    """All products of an element of `a` and an element of `b`, both flattened."""
    return reshape(a, (-1, 1)) * reshape(b, (1, -1))


@implements(np.tensordot)
@numpy_keywords
def tensordot(a: Array, b: Array, /, axes: int | tuple[Sequence[int] | int, Sequence[int] | int] = 2) -> Array:
    """Sum of products over pairs of axes: the last ones of `a` with the first of `b`, or as listed."""
    shape_a, shape_b = np.shape(a), np.shape(b)
    if isinstance(axes, int):
        left, right = list(range(len(shape_a) - axes, len(shape_a))), list(range(axes))
    else:
        left, right = (
            [i % len(s) for i in np.atleast_1d(x).tolist()] for x, s in zip(axes, (shape_a, shape_b), strict=True)
        )
    if [shape_a[i] for i in left] != [shape_b[i] for i in right]:
        raise ShapeError(
            f"tensordot of shapes {shape_a} and {shape_b}: axes {left} of the first and {right} of the second are to "
            "be summed together, and differ in length"
        )
    free_a = [i for i in range(len(shape_a)) if i not in left]
    free_b = [i for i in range(len(shape_b)) if i not in right]
    length = int(np.prod([shape_a[i] for i in left]))
    rows = reshape(permute_dims(a, (*free_a, *left)), (int(np.prod([shape_a[i] for i in free_a])), length))
    columns = reshape(permute_dims(b, (*right, *free_b)), (length, int(np.prod([shape_b[i] for i in free_b]))))
    return reshape(matmul(rows, columns), tuple([shape_a[i] for i in free_a] + [shape_b[i] for i in free_b]))


@implements(np.kron)
def kron(a: Array, b: Array) -> Array:
    """Kronecker product: each element of `a` replaced by its product with `b`.

    Parameters
    ----------
    a, b : array
        The one with fewer axes gets axes of length 1 at the front.

    Returns
    -------
    array
        On each axis as long as both together, multiplied.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.linalg.kron(mg.tensor([1.0, 10.0]), mg.tensor([1.0, 2.0, 3.0]))
    tensor([ 1.,  2.,  3., 10., 20., 30.])
    """
    ndim = max(np.ndim(a), np.ndim(b))
    shape_a, shape_b = ((1,) * (ndim - np.ndim(x)) + np.shape(x) for x in (a, b))
    pairs = list(zip(shape_a, shape_b, strict=True))
    a = reshape(a, tuple(n for m, _ in pairs for n in (m, 1)))
    b = reshape(b, tuple(n for _, m in pairs for n in (1, m)))
    return reshape(a * b, tuple(m * n for m, n in pairs))


def cross(a: Array, b: Array, /, *, axis: int = -1) -> Array:
    """Cross products of vectors of three elements that lie along an axis."""
    return _numpy_cross(a, b, axis=axis)


@implements(np.cross)
def _numpy_cross(
    a: Array, b: Array, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Array:
    if axis is not None:
        axisa = axisb = axisc = axis
    lengths = [np.shape(x)[one_axis(i, np.ndim(x), "cross")] for x, i in ((a, axisa), (b, axisb))]
    if lengths != [3, 3]:
        raise ShapeError(f"cross of shapes {np.shape(a)} and {np.shape(b)}: the vectors need 3 elements, not {lengths}")
    a, b = moveaxis(a, axisa, -1), moveaxis(b, axisb, -1)
    on, back = np.array([1, 2, 0]), np.array([2, 0, 1])
    product = take(a, on, axis=-1) * take(b, back, axis=-1) - take(a, back, axis=-1) * take(b, on, axis=-1)
    return moveaxis(product, -1, axisc)


@implements(np.linalg.multi_dot)
def multi_dot(arrays: Sequence[Array], /) -> Array:
    """The product of several matrices, in an order of multiplications that takes little time.

    Parameters
    ----------
    arrays : sequence of array
        Matrices; the first and the last may be vectors, which are a row and a column.

    Returns
    -------
    array

    Raises
    ------
    ShapeError
        If there are fewer than two, or the shapes do not fit.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.linalg.multi_dot([mg.tensor([1.0, 2.0]), mg.tensor([[0.0, 1.0], [1.0, 0.0]]), mg.tensor([3.0, 4.0])])
    tensor(10.)
    """
    ndims = [np.ndim(x) for x in arrays]
    if len(ndims) < 2 or any(n != 2 for n in ndims[1:-1]) or not {ndims[0], ndims[-1]} <= {1, 2}:
        shapes = ", ".join(str(np.shape(x)) for x in arrays)
        raise ShapeError(f"multi_dot of shapes {shapes} needs two or more matrices; the first and last may be vectors")
    letters = string.ascii_letters[: len(ndims) + 1]
    terms = [letters[i : i + 2] for i in range(len(ndims))]
    terms[0], terms[-1] = terms[0][2 - ndims[0] :], terms[-1][: ndims[-1]]
    return einsum(",".join(terms), *arrays)


def _norm_rule(g: Array, y: Array, x: Array, axis: Axis, ord: float) -> Array:
    """``g * x / y`` for the order 2, and 0 at 0; ``g * sign(x) * (abs(x) / y) ** (ord - 1)`` in general."""
    g, y = keep(g, x.shape, axis), keep(y, x.shape, axis)
    if ord == 0:
        return np.zeros_like(x)
    if ord == 1:
        return g * conjugated(np.sign(x))
    if math.isinf(ord):
        attain = (np.abs(x) == y) | (x != x)
        return np.where(attain, g * conjugated(np.sign(x)) / np.sum(attain, axis=axis, keepdims=True), 0)
    if traced(y) or not ordinary(y):
        x, y = _in_range(x, y, axis, ord)
    if ord == 2:
        return slope(g, conjugated(x), y)
    ratio = np.abs(x) / np.where(y == 0, 1, y)
    if ord > 1:  # of the derivative of this, what is infinite at an element 0 is not multiplied by its sign 0
        return slope(g, zero_safe_multiply(conjugated(x), _growth(ratio, ord - 2)), y)
    return slope(g, zero_safe_multiply(conjugated(np.sign(x)), y * _growth(ratio, ord - 1)), y)


def _in_range(x: Array, y: Array, axis: Axis, ord: float) -> tuple[Array, Array]:
    """Arrays and their norms, in the same proportion, where norms were subnormal or infinite."""
    x = x * magnifier(y)
    y = vector_norm(x, axis=axis, keepdims=True, ord=ord)
    infinite = np.isinf(y)  # an element that is infinite is larger than all that are not
    x = np.where(infinite, np.where(np.isinf(x), np.sign(x), 0), x)
    return x, np.where(infinite, vector_norm(x, axis=axis, keepdims=True, ord=ord), y)


def _growth(ratio: Array, power: float) -> Array:
    """``ratio ** power``, without a warning where it is infinite."""
    if power > 0:
        return ratio**power
    return np.where(ratio == 0, np.inf, np.where(ratio == 0, 1, ratio) ** power)


@primitive(
    lambda g, y, x, *, axis, keepdims, ord: _norm_rule(g, y, x, axis, ord),
    numpy=np.linalg.vector_norm,
    kind="reduction",
    cost=2,
)
def vector_norm(x: Array, /, *, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Array:
    """``sum(abs(x) ** ord) ** (1 / ord)`` over one axis, several, or all; at 0 the derivative is taken as 0.

    Neither the norm nor its derivatives depend on powers that have a place in the dtype.  At 0 second derivatives are
    NaN, but those of the orders 1 and inf, which are 0.

    Parameters
    ----------
    x : array
    axis : int or tuple of int, optional
        By default all axes.
    keepdims : bool
        Keep the axes, with length 1.
    ord : float
        Infinite for the largest absolute value, minus infinite for the smallest, and 0 for the number of elements that
        are not 0.

    Returns
    -------
    array
        Real.

    Raises
    ------
    AxisError
        If `x` has no such axes.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.linalg.vector_norm(mg.tensor([3.0, 4.0]))
    tensor(5.)
    """
    axes = several_axes(axis, x.ndim, "vector_norm")
    if len(axes) == 1:
        value = _lengths(x, axes[0], ord)
    else:
        rest = [i for i in range(x.ndim) if i not in axes]
        rows = x.transpose(*rest, *axes).reshape(*(x.shape[i] for i in rest), math.prod(x.shape[i] for i in axes))
        value = keep(np.squeeze(_lengths(rows, -1, ord), -1), x.shape, axes)
    return value if keepdims else np.squeeze(value, axes)[()]


def _lengths(x: Array, axis: Axis, ord: Any) -> Array:
    """NumPy's norm along an axis, which stays with length 1."""

    def measure(x: Array) -> Array:
        return np.linalg.norm(x, ord, axis=axis, keepdims=True)

    without_powers = isinstance(ord, str) or ord in (0, 1) or math.isinf(ord)  # a name is NumPy's to refuse
    return measure(x) if without_powers else scaled(measure, x, axis, ord)


# Einstein's summation.  The primitive is restricted so that the derivative is an einsum of the same kind: no operand
# has an index twice, an index is as long in all operands that have it, and each index of an operand is also in the
# result or in another operand.  What people write is brought into this form by taking diagonals and sums first.


def _einsum_rule(g: Array, operands: tuple[Array, ...], subscripts: str) -> list[Array]:
    """For each operand the einsum of `g` and the others, with its own subscripts as the result."""
    terms, result = subscripts.split("->")
    lists = terms.split(",")
    return [
        _einsum(
            g,
            *operands[:i],
            *operands[i + 1 :],
            subscripts=",".join([result, *lists[:i], *lists[i + 1 :]]) + "->" + term,
        )
        for i, term in enumerate(lists)
    ]


@primitive(
    joint=lambda g, y, *operands, subscripts: _einsum_rule(g, operands, subscripts),
    kind="contraction",
    cost=costs.einsum,
)
def _einsum(*operands: Array, subscripts: str) -> Array:
    return np.einsum(subscripts, *operands, optimize=len(operands) > 1)


def einsum(subscripts: str, /, *operands: Array, optimize: Any = None) -> Array:
    """Sum of products in Einstein's notation, as in `numpy.einsum` (the form with a string).

    Parameters
    ----------
    subscripts : str
        For instance ``"ij,jk->ik"``.  Indices may repeat within an operand, axes of length 1 and the ellipsis
        broadcast, and without an arrow the result has the indices that occur once, in alphabetical order.
    *operands : array
    optimize : optional
        Accepted for NumPy's sake; the order of contraction is always optimized.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> a = mg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    >>> mg.einsum("ii", a).backward()
    >>> a.grad
    tensor([[1., 0.],
            [0., 1.]])
    """
    lists, result = _explicit(subscripts, operands)
    if any(1 in np.shape(x) for x in operands):
        lists, operands = _without_repeated(lists, operands)
    simple_terms, simple = [], []
    for position, (term, x) in enumerate(zip(lists, operands, strict=True)):
        while repeated := next((i for i, n in Counter(term).items() if n > 1), None):
            first, second = term.index(repeated), term.rindex(repeated)
            if np.shape(x)[first] != np.shape(x)[second]:
                raise ShapeError(f"einsum {subscripts!r}: index {repeated!r} has two lengths in shape {np.shape(x)}")
            x = diagonal(x, axis1=first, axis2=second)
            term = term[:first] + term[first + 1 : second] + term[second + 1 :] + repeated
        others = set(result).union(*(t for i, t in enumerate(lists) if i != position))
        lonely = tuple(i for i, index in enumerate(term) if index not in others)
        if lonely:
            x = operand(x, "einsum")
            x = sum(x, axis=lonely, dtype=x.dtype)
            term = "".join(index for index in term if index in others)
        simple_terms.append(term)
        simple.append(x)
    return _einsum(*simple, subscripts=",".join(simple_terms) + "->" + result)


def _explicit(subscripts: str, operands: tuple[Array, ...]) -> tuple[list[str], str]:
    """The indices of each operand and of the result, with letters in the place of an ellipsis."""
    if not isinstance(subscripts, str):
        raise TypeError("einsum takes its subscripts as a string, as in einsum('ij,jk->ik', a, b)")
    terms, arrow, result = subscripts.replace(" ", "").partition("->")
    lists = terms.split(",")
    if len(lists) != len(operands):
        raise ShapeError(f"einsum {subscripts!r} is for {len(lists)} operands, and {len(operands)} were given")
    named = {letter for letter in terms if letter.isalpha()}
    spare = [letter for letter in string.ascii_letters if letter not in named]
    widths = [np.ndim(x) - len(t.replace("...", "")) for t, x in zip(lists, operands, strict=True)]
    for term, width, x in zip(lists, widths, operands, strict=True):
        if width < 0 or (width and "..." not in term):
            raise ShapeError(f"einsum {subscripts!r}: the term {term!r} does not fit an operand of shape {np.shape(x)}")
    widest = max([width for term, width in zip(lists, widths, strict=True) if "..." in term], default=0)
    ellipsis = "".join(spare[:widest])
    if not arrow:
        counts = Counter(terms.replace("...", "").replace(",", ""))
        result = "..." + "".join(sorted(letter for letter, n in counts.items() if n == 1))
    unknown = set(result.replace("...", "")) - named
    if unknown:
        raise ShapeError(f"einsum {subscripts!r}: the result has {sorted(unknown)}, which no operand has")
    expand = [t.replace("...", ellipsis[widest - w :]) for t, w in zip(lists, widths, strict=True)]
    return expand, result.replace("...", ellipsis)


def _without_repeated(lists: list[str], operands: tuple[Array, ...]) -> tuple[list[str], tuple[Array, ...]]:
    """Operands and their indices without the axes of length 1 that would be repeated, as others have more there."""
    longer = {
        i for term, x in zip(lists, operands, strict=True) for i, n in zip(term, np.shape(x), strict=True) if n != 1
    }
    terms, shorter = [], []
    for term, x in zip(lists, operands, strict=True):
        # An index that the operand has twice, with two lengths, is a mistake that is still to be told.
        lengths = {i: {n for j, n in zip(term, np.shape(x), strict=True) if i == j} for i in term}
        repeated = {i for i, n in lengths.items() if n == {1} and i in longer}
        axes = tuple(axis for axis, i in enumerate(term) if i in repeated)
        terms.append("".join(i for i in term if i not in repeated))
        shorter.append(squeeze(x, axes) if axes else x)
    return terms, tuple(shorter)


# Parts of matrices


@implements(np.diagonal)
def diagonal(x: Array, /, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The elements whose indices on two axes differ by `offset`, along a new last axis."""
    if axis1 == axis2:
        raise AxisError(f"diagonal needs two axes, and axis1 and axis2 are both {axis1}")
    x = moveaxis(x, (axis1, axis2), (-2, -1))
    rows, columns = np.shape(x)[-2:]
    length = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    i = np.arange(length)
    return getitem(x, index=(..., i - min(offset, 0), i + max(offset, 0)))


@implements(np.trace)
def trace(x: Array, /, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Array:
    """Sum along a diagonal."""
    return sum(diagonal(x, offset, axis1, axis2), axis=-1, dtype=dtype)


@primitive(lambda g, y, x, *, k: np.tril(g, k), numpy=np.tril, kind="movement", cost=0)
def tril(x: Array, /, k: int = 0) -> Array:
    """Matrices without what is above the `k`-th diagonal."""
    return np.tril(x, k)


@primitive(lambda g, y, x, *, k: np.triu(g, k), numpy=np.triu, kind="movement", cost=0)
def triu(x: Array, /, k: int = 0) -> Array:
    """Matrices without what is below the `k`-th diagonal."""
    return np.triu(x, k)
