"""Forward-mode differentiation in plain NumPy: the independent reference.

A `Dual` is a value and its tangent along a direction.  Both may be arrays or Duals themselves, so that the tangent of a
tangent is a second derivative.  Everything that is not a Dual is a constant.  The rules say what a textbook says of
tangents; none is shared with minigrad, whose rules go the other way.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.special as sp


class Dual:
    """A value that moves: `value + tangent * t` for small `t`."""

    __array_ufunc__ = None  # an array on the left leaves the operation to the methods below
    __slots__ = ("tangent", "value")

    def __init__(self, value: Any, tangent: Any) -> None:
        self.value = value
        self.tangent = tangent

    def __add__(self, other: Any) -> "Dual":
        return Dual(self.value + value(other), self.tangent + tangent(other))

    def __neg__(self) -> "Dual":
        return Dual(-self.value, -self.tangent)

    def __sub__(self, other: Any) -> "Dual":
        return Dual(self.value - value(other), self.tangent - tangent(other))

    def __rsub__(self, other: Any) -> "Dual":
        return Dual(other - self.value, tangent(other) - self.tangent)

    def __mul__(self, other: Any) -> "Dual":
        if isinstance(other, Dual):
            return Dual(self.value * other.value, self.tangent * other.value + self.value * other.tangent)
        return Dual(self.value * other, self.tangent * other)

    def __truediv__(self, other: Any) -> "Dual":
        if isinstance(other, Dual):
            quotient = self.value / other.value
            return Dual(quotient, (self.tangent - quotient * other.tangent) / other.value)
        return Dual(self.value / other, self.tangent / other)

    def __rtruediv__(self, other: Any) -> "Dual":
        quotient = other / self.value
        return Dual(quotient, -quotient * self.tangent / self.value)

    def __pow__(self, other: Any) -> "Dual":
        if isinstance(other, Dual):
            moving = self.value**other.value
            steep = other.value * self.value ** (other.value - 1)
            return Dual(moving, steep * self.tangent + moving * log(self.value) * other.tangent)
        slope = other * self.value ** where(np.equal(other, 0), 1, other - 1)
        return Dual(self.value**other, slope * self.tangent)

    def __rpow__(self, other: Any) -> "Dual":
        moving = other**self.value
        return Dual(moving, moving * np.log(other) * self.tangent)

    __radd__ = __add__
    __rmul__ = __mul__


def value(x: Any) -> Any:
    return x.value if isinstance(x, Dual) else x


def tangent(x: Any) -> Any:
    if isinstance(x, Dual):
        return x.tangent
    return np.zeros_like(x) if isinstance(x, np.ndarray | np.generic) else 0


def plain(x: Any) -> Any:
    """The number itself, which does not move."""
    while isinstance(x, Dual):
        x = x.value
    return x


def shape(x: Any) -> tuple[int, ...]:
    return np.shape(plain(x))


# The four kinds of operations


def elementwise(f: Callable[[Any], Any], slope: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of each number by itself: the tangent is multiplied by its slope."""

    def apply(x: Any) -> Any:
        return Dual(apply(x.value), slope(x.value) * x.tangent) if isinstance(x, Dual) else f(x)

    return apply


def linear(f: Callable[..., Any]) -> Callable[..., Any]:
    """A linear function of one array: the tangent goes the same way as the value."""

    def apply(x: Any, *how: Any, **named: Any) -> Any:
        if isinstance(x, Dual):
            return Dual(apply(x.value, *how, **named), apply(x.tangent, *how, **named))
        return f(x, *how, **named)

    return apply


def jointly_linear(f: Callable[..., Any]) -> Callable[..., Any]:
    """A linear function of several arrays together, such as their concatenation."""

    def apply(parts: Sequence[Any], *how: Any, **named: Any) -> Any:
        if any(isinstance(part, Dual) for part in parts):
            values, tangents = [value(part) for part in parts], [tangent(part) for part in parts]
            return Dual(apply(values, *how, **named), apply(tangents, *how, **named))
        return f(list(parts), *how, **named)

    return apply


def bilinear(f: Callable[..., Any]) -> Callable[..., Any]:
    """A product of any kind: linear in the one, linear in the other."""

    def apply(x: Any, y: Any, *how: Any, **named: Any) -> Any:
        terms = []
        if isinstance(x, Dual):
            terms.append(apply(x.tangent, value(y), *how, **named))
        if isinstance(y, Dual):
            terms.append(apply(value(x), y.tangent, *how, **named))
        if not terms:
            return f(x, y, *how, **named)
        return Dual(apply(value(x), value(y), *how, **named), terms[0] if len(terms) == 1 else terms[0] + terms[1])

    return apply


def constant(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is flat wherever it has a slope, or whose result is not to be differentiated."""
    return lambda **operands: f(*map(plain, operands.values()))


# Numbers one by one

sin = elementwise(np.sin, lambda x: cos(x))
cos = elementwise(np.cos, lambda x: -sin(x))
tan = elementwise(np.tan, lambda x: 1 / square(cos(x)))
arcsin = elementwise(np.arcsin, lambda x: 1 / sqrt(1 - square(x)))
arccos = elementwise(np.arccos, lambda x: -1 / sqrt(1 - square(x)))
arctan = elementwise(np.arctan, lambda x: 1 / (1 + square(x)))
sinh = elementwise(np.sinh, lambda x: cosh(x))
cosh = elementwise(np.cosh, lambda x: sinh(x))
tanh = elementwise(np.tanh, lambda x: 1 / square(cosh(x)))
arcsinh = elementwise(np.arcsinh, lambda x: 1 / sqrt(1 + square(x)))
arccosh = elementwise(np.arccosh, lambda x: 1 / sqrt(square(x) - 1))
arctanh = elementwise(np.arctanh, lambda x: 1 / (1 - square(x)))
exp = elementwise(np.exp, lambda x: exp(x))
exp2 = elementwise(np.exp2, lambda x: exp2(x) * math.log(2))
expm1 = elementwise(np.expm1, lambda x: exp(x))
log = elementwise(np.log, lambda x: 1 / x)
log2 = elementwise(np.log2, lambda x: 1 / (x * math.log(2)))
log10 = elementwise(np.log10, lambda x: 1 / (x * math.log(10)))
log1p = elementwise(np.log1p, lambda x: 1 / (1 + x))
sqrt = elementwise(np.sqrt, lambda x: 0.5 / sqrt(x))
cbrt = elementwise(np.cbrt, lambda x: 1 / (3 * square(cbrt(x))))
square = elementwise(np.square, lambda x: 2 * x)
reciprocal = elementwise(np.reciprocal, lambda x: -1 / square(x))
fabs = elementwise(np.abs, lambda x: np.sign(plain(x)))  # of real numbers
sinc = elementwise(np.sinc, lambda x: (cos(math.pi * x) - sin(math.pi * x) / (math.pi * x)) / x)
sigmoid = elementwise(sp.expit, lambda x: sigmoid(x) * sigmoid(-x))
erf = elementwise(sp.erf, lambda x: 2 / math.sqrt(math.pi) * exp(-square(x)))
ndtr = elementwise(sp.ndtr, lambda x: exp(-0.5 * square(x)) / math.sqrt(2 * math.pi))
gammaln = elementwise(sp.gammaln, lambda x: digamma(x))
digamma = elementwise(sp.digamma, lambda x: trigamma(x))
trigamma = elementwise(lambda x: sp.polygamma(1, x), lambda x: sp.polygamma(2, plain(x)))
i0 = elementwise(sp.i0, lambda x: i1(x))
i1 = elementwise(sp.i1, lambda x: i0(x) - i1(x) / x)

real, imag, conj = linear(np.real), linear(np.imag), linear(np.conj)
positive = linear(np.positive)


def abs2(x: Any) -> Any:
    """The square of the absolute value, of complex numbers too."""
    return square(x) if plain(x).dtype.kind == "f" else real(x * conj(x))


def absolute(x: Any) -> Any:
    return fabs(x) if plain(x).dtype.kind == "f" else sqrt(abs2(x))


def where(condition: Any, x: Any, y: Any) -> Any:
    if isinstance(x, Dual) or isinstance(y, Dual):
        return Dual(where(condition, value(x), value(y)), where(condition, tangent(x), tangent(y)))
    return np.where(condition, x, y)


def maximum(x: Any, y: Any) -> Any:
    """The larger one; ties share the tangent equally."""
    a, b = plain(x), plain(y)
    return where(a == b, 0.5 * (x + y), where(a > b, x, y))


def minimum(x: Any, y: Any) -> Any:
    a, b = plain(x), plain(y)
    return where(a == b, 0.5 * (x + y), where(a < b, x, y))


def clip(x: Any, low: Any, high: Any) -> Any:
    return where(plain(x) < low, low, where(plain(x) > high, high, x))


def arctan2(x: Any, y: Any) -> Any:
    """The angle whose sine is to its cosine as `x` to `y`."""
    if not (isinstance(x, Dual) or isinstance(y, Dual)):
        return np.arctan2(x, y)
    a, b = value(x), value(y)
    return Dual(arctan2(a, b), (b * tangent(x) - a * tangent(y)) / (square(a) + square(b)))


def logaddexp(x: Any, y: Any) -> Any:
    if not (isinstance(x, Dual) or isinstance(y, Dual)):
        return np.logaddexp(x, y)
    a, b = value(x), value(y)
    return Dual(logaddexp(a, b), sigmoid(a - b) * tangent(x) + sigmoid(b - a) * tangent(y))


def softplus(x: Any) -> Any:
    return logaddexp(x, np.zeros_like(plain(x)))


def hook(x: Any, factor: float) -> Any:
    """What a program differentiates to in which gradients are multiplied on their way: every derivative is, once."""

    def scaled(part: Any) -> Any:
        return Dual(scaled(part.value), factor * part.tangent) if isinstance(part, Dual) else part

    return scaled(x)


# Along axes

reshape, transpose, moveaxis, swapaxes = map(linear, (np.reshape, np.transpose, np.moveaxis, np.swapaxes))
squeeze, expand_dims, broadcast_to = map(linear, (np.squeeze, np.expand_dims, np.broadcast_to))
flip, roll, rot90, tile, repeat, pad = map(linear, (np.flip, np.roll, np.rot90, np.tile, np.repeat, np.pad))
take, take_along_axis = linear(np.take), linear(np.take_along_axis)
tril, triu, diagonal, trace = map(linear, (np.tril, np.triu, np.diagonal, np.trace))
concat, stack = jointly_linear(np.concatenate), jointly_linear(np.stack)
item = linear(lambda x, index: x[index])
sum = linear(np.sum)
cumsum, diff = linear(np.cumsum), linear(np.diff)
fft = linear(np.fft.fft)
matrix_transpose = linear(lambda x: np.swapaxes(x, -1, -2))


def write(x: Any, index: Any, y: Any) -> Any:
    """The array after ``x[index] = y``."""
    if isinstance(x, Dual) or isinstance(y, Dual):
        return Dual(write(value(x), index, value(y)), write(tangent(x), index, tangent(y)))
    x = np.array(x)
    x[index] = y
    return x


def _count(x: Any, axis: Any, where: Any = True) -> Any:
    return np.sum(np.broadcast_to(where, shape(x)), axis=axis, keepdims=True)


def _settled(x: Any, axis: Any, keepdims: bool) -> Any:
    """A reduction that has kept its axes, in the form asked for."""
    return x if keepdims else squeeze(x, axis=tuple(range(len(shape(x)))) if axis is None else axis)


def mean(x: Any, axis: Any = None, keepdims: bool = False, where: Any = True) -> Any:
    # A float of Python keeps float32 what it is.
    counts = _count(x, axis, where)
    total = sum(x, axis=axis, keepdims=True, where=where)
    return _settled(total / counts.astype(plain(total).dtype), axis, keepdims)


def var(x: Any, axis: Any = None, keepdims: bool = False, where: Any = True, correction: float = 0) -> Any:
    spread = abs2(x - mean(x, axis, True, where))
    total = sum(spread, axis=axis, keepdims=True, where=where)
    counts = _count(x, axis, where) - correction
    return _settled(total / counts.astype(plain(total).dtype), axis, keepdims)


def _axes(x: Any, axis: Any) -> list[int]:
    number = len(shape(x))
    axes = range(number) if axis is None else (axis,) if isinstance(axis, int) else axis
    return [a % number for a in axes]


def _slices(x: Any, axis: int) -> list[Any]:
    return [item(x, (slice(None),) * axis + (slice(i, i + 1),)) for i in range(shape(x)[axis])]


def prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    result = x
    for a in _axes(x, axis):
        first, *rest = _slices(result, a)
        result = first
        for part in rest:
            result = result * part
    return _settled(result, axis, keepdims)


def cumprod(x: Any, axis: int) -> Any:
    parts = _slices(x, axis % len(shape(x)))
    for i in range(1, len(parts)):
        parts[i] = parts[i - 1] * parts[i]
    return concat(parts, axis=axis)


def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest number; ties share the tangent equally."""
    numbers = plain(x)
    ties = numbers == np.max(numbers, axis=axis, keepdims=True)
    return sum(x * (ties / np.sum(ties, axis=axis, keepdims=True)).astype(numbers.dtype), axis=axis, keepdims=keepdims)


def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return -max(-x, axis, keepdims)


def sort(x: Any, axis: int) -> Any:
    return take_along_axis(x, np.argsort(plain(x), axis=axis), axis=axis)


def median(x: Any, axis: int) -> Any:
    ordered = sort(x, axis)
    middle = (shape(x)[axis] - 1) / 2
    return 0.5 * (take(ordered, math.floor(middle), axis=axis) + take(ordered, math.ceil(middle), axis=axis))


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return log(sum(exp(x), axis=axis, keepdims=keepdims))


def softmax(x: Any, axis: Any = -1) -> Any:
    weights = exp(x)
    return weights / sum(weights, axis=axis, keepdims=True)


def norm(x: Any, ord: float = 2, axis: Any = None, keepdims: bool = False) -> Any:
    if ord == 2:
        return sqrt(sum(abs2(x), axis=axis, keepdims=keepdims))
    if ord == np.inf:
        return max(absolute(x), axis, keepdims)
    return sum(absolute(x) ** ord, axis=axis, keepdims=keepdims) ** (1 / ord)


def standardized(x: Any, axis: Any, eps: float) -> Any:
    return (x - mean(x, axis, True)) / sqrt(var(x, axis, True) + eps)


# Products and matrices

matmul, dot, inner, outer = map(bilinear, (np.matmul, np.dot, np.inner, np.outer))
kron, cross, tensordot, convolve = map(bilinear, (np.kron, np.cross, np.tensordot, np.convolve))
vecdot = bilinear(lambda x, y: np.sum(np.conj(x) * y, axis=-1))
einsum = bilinear(lambda x, y, subscripts: np.einsum(subscripts, x, y))
einsum_one = linear(lambda x, subscripts: np.einsum(subscripts, x))


def solve(A: Any, b: Any) -> Any:
    """For columns `b`; the tangent of ``A x = b`` is ``dA x + A dx = db``."""
    if not (isinstance(A, Dual) or isinstance(b, Dual)):
        return np.linalg.solve(A, b)
    x = solve(value(A), value(b))
    return Dual(x, solve(value(A), tangent(b) - matmul(tangent(A), x)))


def inv(A: Any) -> Any:
    if not isinstance(A, Dual):
        return np.linalg.inv(A)
    inverse = inv(A.value)
    return Dual(inverse, -matmul(matmul(inverse, A.tangent), inverse))


def det(A: Any) -> Any:
    """Jacobi's formula."""
    if not isinstance(A, Dual):
        return np.linalg.det(A)
    determinant = det(A.value)
    return Dual(determinant, determinant * trace(matmul(inv(A.value), A.tangent), axis1=-2, axis2=-1))


def logabsdet(A: Any) -> Any:
    if not isinstance(A, Dual):
        return np.linalg.slogdet(A)[1]
    return Dual(logabsdet(A.value), trace(matmul(inv(A.value), A.tangent), axis1=-2, axis2=-1))


def cholesky(A: Any) -> Any:
    """I. Murray, "Differentiation of the Cholesky decomposition", 2016, equation 8."""
    if not isinstance(A, Dual):
        return np.linalg.cholesky(A)
    L = cholesky(A.value)
    back = inv(L)
    inside = tril(matmul(matmul(back, A.tangent), matrix_transpose(back)))
    halved = inside * (1 - 0.5 * np.eye(shape(L)[-1], dtype=plain(L).dtype))
    return Dual(L, matmul(L, halved))


def eigh(A: Any) -> tuple[Any, Any]:
    """Perturbation of first order, of eigenvalues that differ."""
    if not isinstance(A, Dual):
        return tuple(np.linalg.eigh(A))
    w, V = eigh(A.value)
    inside = matmul(matmul(matrix_transpose(V), A.tangent), V)
    eye = np.eye(shape(w)[-1], dtype=plain(w).dtype)
    gaps = expand_dims(w, -2) - expand_dims(w, -1)
    return Dual(w, sum(inside * eye, axis=-1)), Dual(V, matmul(V, inside * (1 - eye) / (gaps + eye)))


def eigvalsh(A: Any) -> Any:
    return eigh(A)[0]


def svdvals(A: Any) -> Any:
    """Of a square matrix, from the largest one down."""
    return flip(sqrt(eigvalsh(matmul(matrix_transpose(A), A))), axis=-1)


def pinv(A: Any) -> Any:
    """Of a matrix whose columns are independent."""
    turned = matrix_transpose(A)
    return solve(matmul(turned, A), turned)


def triangle(A: Any) -> Any:
    """The R of ``A = Q R``, with positive numbers on its diagonal: the factor of A'A."""
    return matrix_transpose(cholesky(matmul(matrix_transpose(A), A)))


def matrix_power(A: Any, n: int) -> Any:
    if n < 0:
        return matrix_power(inv(A), -n)
    result = A
    for _ in range(n - 1):
        result = matmul(result, A)
    return result
