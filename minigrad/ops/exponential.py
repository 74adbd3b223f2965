"""The exponential of matrices."""

from typing import Any

import numpy as np

from minigrad.core import Array, primitive
from minigrad.ops import costs
from minigrad.ops.matrices import T, square
from minigrad.ops.shaping import concat

# The coefficients of the diagonal Padé approximant of degree 13, and the norm up to which it is exact within rounding.
_PADE = (
    64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
    670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
)  # fmt: skip
_NORM = 5.371920351148152


def _norm(x: Array) -> Array:
    """The largest sum of absolute values of a column, with axes of length 1 for the matrix."""
    return np.max(np.sum(np.abs(x), axis=-2, keepdims=True), axis=-1, keepdims=True, initial=0)


def _exponential(x: Array) -> Array:
    """By N. Higham, "The scaling and squaring method for the matrix exponential revisited", 2005."""
    size = _norm(x)
    halvings = np.ceil(np.log2(np.where(np.isfinite(size), np.maximum(size / _NORM, 1), 1)))
    x = x / (2**halvings).astype(size.dtype)
    b, one, x2 = _PADE, np.eye(x.shape[-1], dtype=x.dtype), x @ x
    x4 = x2 @ x2
    x6 = x2 @ x4
    odd = x @ (x6 @ (b[13] * x6 + b[11] * x4 + b[9] * x2) + b[7] * x6 + b[5] * x4 + b[3] * x2 + b[1] * one)
    even = x6 @ (b[12] * x6 + b[10] * x4 + b[8] * x2) + b[6] * x6 + b[4] * x4 + b[2] * x2 + b[0] * one
    y = np.linalg.solve(even - odd, even + odd)
    for i in range(int(np.max(halvings, initial=0))):
        more = i < halvings[..., 0, 0]
        y[more] = y[more] @ y[more]
    return y


def _blocks(a: Array, b: Array, c: Array, d: Array) -> Array:
    return concat([concat([a, b], axis=-1), concat([c, d], axis=-1)], axis=-2)


def _frechet_rule(h: Array, x: Array, e: Array) -> Array:
    n, zero = x.shape[-1], np.zeros_like(x)
    both = frechet(T(_blocks(x, e, zero, x)), _blocks(zero, h, zero, zero))
    return both[..., :n, :n] + both[..., n:, n:]


@primitive(
    lambda h, y, x, e: _frechet_rule(h, x, e),
    lambda h, y, x, e: frechet(T(x), h),
    kind="decomposition",
    cost=costs.per_matrix(lambda m, n: costs.expm(2 * m, 2 * n)),
    uncertain=True,
)
def frechet(x: Array, e: Array, /) -> Array:
    """The derivative of the exponential at `x` in the direction `e`, both of one shape (..., n, n).

    It is the upper right block of the exponential of ``[[x, e], [0, x]]``: R. Mathias, "A chain rule for matrix
    functions and applications", 1996.
    """
    n, large = x.shape[-1], _norm(e)
    # It is linear in the direction, which is made as large as x: a larger one would only be halved more often.
    scale: Any = np.where(large > 0, large, 1) / np.maximum(_norm(x), 1)
    return _exponential(_blocks(x, e / scale, np.zeros_like(x), x))[..., :n, n:] * scale


@primitive(lambda g, y, x: frechet(T(x), g), kind="decomposition", cost=costs.per_matrix(costs.expm), uncertain=True)
def expm(x: Array, /) -> Array:
    """Exponential of square matrices, ``I + x + x @ x / 2 + ...``.

    Parameters
    ----------
    x : array of shape (..., n, n)

    Returns
    -------
    array of shape (..., n, n)

    Raises
    ------
    ShapeError
        If the matrices are not square.

    Notes
    -----
    By scaling and squaring (N. Higham, 2005).  The derivative is computed by the same method, and has no trouble with
    equal eigenvalues.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.linalg.expm(mg.tensor([[0.0, 1.0], [0.0, 0.0]]))
    tensor([[1., 1.],
            [0., 1.]])
    """
    x = square(x, "expm")
    return _exponential(x if x.dtype.kind in "fc" else x.astype(float))
