"""NumPy's polynomials, given by their coefficients from the highest power down to the constant."""

import warnings
from typing import Any

import numpy as np

from minigrad.core import Array, implements, traced
from minigrad.errors import ArgumentError, ShapeError
from minigrad.ops.arguments import operand, settled, unrecorded, value_of
from minigrad.ops.decompositions import are_real, eigvals
from minigrad.ops.elementwise import add, real, sqrt, subtract
from minigrad.ops.linalg import matmul
from minigrad.ops.numerics import convolve
from minigrad.ops.reductions import cumulative_prod, sum
from minigrad.ops.shaping import astype, broadcast_to, concat, flip, pad, reshape


def _coefficients(p: Any, name: str) -> Array:
    p = operand(p, name)
    if p.ndim > 1:
        raise ShapeError(f"{name} takes coefficients along one axis, not of shape {p.shape}")
    return reshape(p, -1)


@implements(np.polyval)
def polyval(p: Array, x: Array) -> Array:
    """Values of a polynomial, by Horner's scheme.

    Parameters
    ----------
    p : array
        Coefficients, the highest power first, along one axis.
    x : array
        Where to evaluate, of any shape.

    Returns
    -------
    array
        Of the shape of `x`.

    Raises
    ------
    ShapeError
        If the coefficients have more than one axis.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor(2.0, requires_grad=True)
    >>> y = mg.polyval([3.0, 0.0, 1.0], x)
    >>> y.backward()
    >>> float(y.detach()), float(x.grad)
    (13.0, 12.0)
    """
    p, x = _coefficients(p, "polyval"), operand(x, "polyval")
    y = np.zeros_like(x)
    for i in range(p.shape[0]):
        y = y * x + p[i]
    return y


@implements(np.vander)
def vander(x: Array, N: int | None = None, increasing: bool = False) -> Array:
    """Vandermonde matrix: the powers of each number in a row, from ``N - 1`` down to 0, or increasing."""
    x = operand(x, "vander")
    if x.ndim != 1:
        raise ShapeError(f"vander takes numbers along one axis, not of shape {x.shape}")
    columns = x.shape[0] if N is None else N
    factors = astype(x, np.promote_types(x.dtype, int))
    factors = broadcast_to(reshape(factors, (-1, 1)), (x.shape[0], max(columns - 1, 0)))
    powers = cumulative_prod(factors, axis=1, include_initial=True)[:, :columns]
    return powers if increasing else flip(powers, axis=1)


@implements(np.polyder)
def polyder(p: Array, m: int = 1) -> Array:
    """Coefficients of the `m`-th derivative."""
    p = _coefficients(p, "polyder")
    if m < 0:
        raise ArgumentError(f"polyder: the order of a derivative cannot be {m}")
    for _ in range(m):
        p = p[:-1] * np.arange(p.shape[0] - 1, 0, -1)
    return p


@implements(np.polyint)
def polyint(p: Array, m: int = 1, k: Any = None) -> Array:
    """Coefficients of the `m`-th antiderivative; `k` has the constants, in the order of integration."""
    p = _coefficients(p, "polyint")
    if m < 0:
        raise ArgumentError(f"polyint: the order of an antiderivative cannot be {m}")
    constants = reshape(operand(0.0 if k is None else k, "polyint"), -1)
    if constants.shape[0] not in (1, m) and constants.shape[0] < m:
        raise ShapeError(f"polyint of order {m} takes 1 or {m} constants, not {constants.shape[0]}")
    for i in range(m):
        constant = constants[:1] if constants.shape[0] == 1 else constants[i : i + 1]
        p = concat([p / np.arange(p.shape[0], 0, -1), constant])
    return p


def _aligned(a1: Any, a2: Any, name: str) -> tuple[Array, Array]:
    """Coefficients with zeros in front of the shorter ones."""
    a1, a2 = _coefficients(a1, name), _coefficients(a2, name)
    length = max(a1.shape[0], a2.shape[0])
    return pad(a1, (length - a1.shape[0], 0)), pad(a2, (length - a2.shape[0], 0))


@implements(np.polyadd)
def polyadd(a1: Array, a2: Array) -> Array:
    """Coefficients of a sum."""
    return add(*_aligned(a1, a2, "polyadd"))


@implements(np.polysub)
def polysub(a1: Array, a2: Array) -> Array:
    """Coefficients of a difference."""
    return subtract(*_aligned(a1, a2, "polysub"))


@implements(np.polymul)
def polymul(a1: Array, a2: Array) -> Array:
    """Coefficients of a product; zeros at the front of a factor are left out, as NumPy does, and have no gradient."""
    return convolve(_trimmed(a1, "polymul"), _trimmed(a2, "polymul"))


def _trimmed(p: Any, name: str) -> Array:
    p = _coefficients(p, name)
    (filled,) = np.nonzero(value_of(p))
    return p[filled[0] :] if filled.size else p[:0] if not p.shape[0] else p[-1:]


@implements(np.polydiv)
def polydiv(u: Array, v: Array) -> tuple[Array, Array]:
    """Coefficients of quotient and remainder; of the latter without what is nearly 0 at the front, as NumPy does."""
    u, v = _coefficients(u, "polydiv") + 0.0, _coefficients(v, "polydiv") + 0.0
    degree, steps = v.shape[0] - 1, u.shape[0] - v.shape[0] + 1
    rest, quotient = astype(u, np.result_type(u.dtype, v.dtype)), []
    for k in range(steps):
        quotient.append(rest[k : k + 1] / v[:1])
        rest = rest - pad(quotient[-1] * v, (k, u.shape[0] - k - degree - 1))
    while rest.shape[0] > 1 and np.allclose(value_of(rest[0]), 0, rtol=1e-14):
        rest = rest[1:]
    return concat(quotient) if quotient else np.zeros_like(rest[:1]), rest


# Zeros and fits


@implements(np.poly)
def poly(seq_of_zeros: Any) -> Array:
    """Coefficients, the first of which is 1, of the polynomial with these zeros, or with the eigenvalues of a matrix.

    They are real if the zeros come in conjugate pairs.
    """
    zeros = operand(seq_of_zeros, "poly")
    if zeros.ndim == 2 and zeros.shape[0] == zeros.shape[1] > 0:
        zeros = np.linalg.eigvals(zeros)
    if zeros.ndim != 1:
        raise ShapeError(f"poly takes zeros along one axis, or a square matrix, not shape {zeros.shape}")
    zeros = zeros if zeros.dtype.kind in "fc" else astype(zeros, float)
    p = np.ones(1, zeros.dtype)
    for i in range(zeros.shape[0]):
        p = convolve(p, concat([np.ones(1, zeros.dtype), -zeros[i : i + 1]]))
    if zeros.dtype.kind != "c":
        return p
    value = unrecorded(zeros)
    in_pairs = settled(np.all(np.sort(value) == np.sort(np.conj(value))))
    return real(p) if in_pairs else p


@implements(np.roots)
def roots(p: Array) -> Array:
    """Zeros of a polynomial: the eigenvalues of its companion matrix, and as many 0 as it has zeros at its end."""
    p = _coefficients(p, "roots")
    (filled,) = np.nonzero(value_of(p))
    if not filled.size:
        return astype(p[:0], float)
    trailing, p = p.shape[0] - int(filled[-1]) - 1, p[filled[0] : filled[-1] + 1]
    p = p if p.dtype.kind in "fc" else astype(p, float)
    degree = p.shape[0] - 1
    if degree == 0:
        return np.zeros_like(pad(p, (0, trailing))[1:], dtype=float)
    first = reshape(-p[1:] / p[0], (1, degree))
    found = eigvals(concat([first, np.eye(degree - 1, degree, dtype=p.dtype)]))
    return pad(real(found) if are_real(found, p) else found, (0, trailing))


@implements(np.polyfit)
def polyfit(
    x: Array, y: Array, deg: int, rcond: float | None = None, full: bool = False, w: Any = None, cov: Any = False
) -> Any:
    """Coefficients of the polynomial that fits points best, by least squares; with NumPy's other results if asked for.

    Abscissas, ordinates (of one polynomial, or of one in each column) and weights have derivatives.
    """
    x, y = operand(x, "polyfit") + 0.0, operand(y, "polyfit") + 0.0
    number, order = x.shape[0] if x.ndim else 0, int(deg) + 1
    if deg < 0:
        raise ArgumentError(f"polyfit: the degree cannot be {deg}")
    if x.ndim != 1 or y.ndim not in (1, 2) or not number or y.shape[0] != number:
        raise ShapeError(f"polyfit of shapes {x.shape} and {y.shape}: abscissas of one axis, and an ordinate for each")
    rcond = number * np.finfo(x.dtype).eps if rcond is None else rcond
    left = vander(x, order)
    if w is not None:
        w = operand(w, "polyfit") + 0.0
        if w.shape != (number,):
            raise ShapeError(f"polyfit of {number} points takes as many weights, not of shape {w.shape}")
        left, y = left * reshape(w, (-1, 1)), y * (w if y.ndim == 1 else reshape(w, (-1, 1)))
    scale = sqrt(sum(left * left, axis=0))
    left = left / scale
    found, residuals, rank, singular = np.linalg.lstsq(left, y, rcond)
    found = found / (scale if y.ndim == 1 else reshape(scale, (-1, 1)))
    if full:
        return found, residuals, rank, singular, rcond
    if not traced(rank) and value_of(rank) != order:
        warnings.warn("Polyfit may be poorly conditioned", np.exceptions.RankWarning, stacklevel=3)
    if not cov:
        return found
    base = np.linalg.inv(matmul(left.T, left)) / (reshape(scale, (-1, 1)) * scale)
    if cov != "unscaled" and number <= order:
        raise ArgumentError(f"polyfit: {number} points do not say how well {order} coefficients fit")
    factor = 1.0 if cov == "unscaled" else residuals / (number - order)
    return found, base * factor if y.ndim == 1 else reshape(base, (order, order, 1)) * factor
