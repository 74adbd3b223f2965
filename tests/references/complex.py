"""The expressions in which minigrad's complex numbers are compared with PyTorch's.

An expression names operands and functions; the functions are looked up in the package that shall compute it, and those
that both packages have are called alike.  make_complex.py lets PyTorch compute all expressions and writes complex.npz;
test_complex_references.py lets minigrad do so.  This module needs neither.

From each result a real loss is made, a sum of real and imaginary parts with random weights, and the operands' gradients
are kept; and from these gradients another loss, of which the gradients are kept too: the second derivatives.
"""

import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np


def _drawn(*shape, seed):
    """Normal random numbers, which stay the same in all versions of NumPy."""
    return np.random.RandomState(zlib.crc32(seed.encode())).normal(size=shape)


def _complex(*shape, seed):
    return _drawn(*shape, seed=seed) + 1j * _drawn(*shape, seed=f"imaginary part of {seed}")


OPERANDS = {
    "z": _complex(2, 3, seed="z"),
    "w": _complex(2, 3, seed="w"),
    "v": _complex(3, seed="v"),
    "c": _complex(seed="c"),
    "x": _drawn(2, 3, seed="x"),
    "t": _drawn(seed="t"),
    "A": _complex(3, 3, seed="A"),
    "B": _complex(3, 4, seed="B"),
    "C": _complex(2, 4, 3, seed="C"),
    "R": _drawn(3, 3, seed="R"),
    "s": _complex(7, seed="s"),
    "r": _drawn(7, seed="r"),
    "e": np.array([0, 1, -1, 2j, -2j]),  # zero, and numbers on the axes
    "f": np.array([3.0, 0.0, -2.0]),  # real numbers, one of them zero
}

# Between two expressions are at least two spaces.
_TEXT = """
    z + w    z + x    v - z    t - z    -z    z * w    z * v    x * z    c * x    (2 - 3j) * x    1j * z    z * 2.5
    z / w    z / x    x / z    v / z    1 / z    (1 - 2j) / x    z * conj(z)    real(z * w) / abs(w)

    abs(z)    abs(z) ** 2    abs(z - w)    abs(z) * z    real(z)    imag(z)    conj(z)    real(z) * imag(w)    sign(z)
    real(z) + imag(z)    where(abs(z) < 1, z, z / abs(z))    real(conj(z) * w)    x + 1j * real(z)    reciprocal(z)
    square(z)    positive(z)    negative(z)    abs(x)    real(x) * z    conj(x) * z

    z ** 2    z ** 3    z ** -1    z ** 0.5    z ** -1.5    z ** w    z ** x    abs(x) ** z    2.0 ** z
    pow(z, 2 + 1j)    abs(z) ** x    c ** z

    exp(z)    exp(1j * x)    exp(1j * sum(x))    (1 - 2j) / mean(x)    expm1(z)    exp2(z)    log(z)    log1p(z)
    log2(z)    log10(z)    sqrt(z)    log(abs(z))    sin(z)    cos(z)    tan(z)    sinh(z)    cosh(z)    tanh(z)
    asin(z)    acos(z)    atan(z)    asinh(z)    acosh(z)    atanh(z)    exp(z) / (1 + exp(z))    sqrt(1 + z * z)
    real(log(z))    imag(log(z))

    sum(z)    sum(z, axis=0)    sum(z * x, axis=1, keepdims=True)    mean(z)    mean(z, axis=1)    prod(z)
    prod(z, axis=0)    var(z, correction=0)    std(z, axis=1, correction=1)    linalg.vector_norm(z)
    linalg.vector_norm(z, ord=1)    linalg.vector_norm(z, ord=3, axis=1)    cumulative_sum(z, axis=1)
    cumulative_prod(z, axis=1)    sum(abs(z)) * z    z / linalg.vector_norm(z, axis=1, keepdims=True)

    z[0]    z[:, 1:] * z[:, :-1]    z[[0, 1, 0, 0]]    z[..., None] * v    s[::2]    where(real(z) > 0, z, w)
    where(x > 0, x, z)    where(imag(z) > 0, 0.0, z)    stack([z, w * x])    concat([z, x], 0)
    reshape(z, (3, 2)) @ z    permute_dims(C, (2, 0, 1)) * v[:, None, None]    swapaxes(z, 0, 1)    tril(A) @ triu(A)
    diagonal(A) * v    roll(s, 2) * s    flip(s, axis=0) * r    broadcast_to(v, (2, 3)) * z    sum(z[real(z) > 0])

    z @ A    A @ v    v @ A    v @ v    C @ A    A @ swapaxes(C, -1, -2)    matmul(R, A)    matmul(A, R)
    conj(swapaxes(z, 0, 1)) @ z    real(conj(v) @ A @ v)    tensordot(C, A, 1)    vecdot(z, w)    vecdot(x, z)
    outer(v, s)    trace(A @ A)    einsum('ij,jk->ik', z, A)    einsum('ij,kj->ik', conj(z), w)
    einsum('i,ij,j', conj(v), A, v)    einsum('ii->i', A)    einsum('bij,jk,k->b', C, A, v)    einsum('ij,ij->', R, A)
    einsum('...i,i->...', C, v)

    fft.fft(s)    fft.ifft(s)    fft.fft(r)    fft.rfft(r)    fft.irfft(s)    fft.fft(s, norm='ortho')
    fft.fft(s, n=5)    fft.fft(s, n=9)    fft.irfft(s, n=9)    fft.hfft(s)    fft.ihfft(r)    fft.fftn(C)
    fft.ifftn(z)    fft.rfftn(R)    fft.irfftn(A)    fft.fft(C, axis=1)    abs(fft.fft(r)) ** 2
    real(fft.ifft(fft.fft(r) * fft.fft(s)))    fft.irfft(fft.rfft(r) / (1 + abs(fft.rfft(r)) ** 2))
    fft.fftshift(fft.fft(s)) * s

    linalg.det(A)    linalg.inv(A)    linalg.solve(A, B)    linalg.solve(A, R)    linalg.slogdet(A)[1]
    linalg.slogdet(A)[0]    linalg.matrix_power(A, 3)    linalg.matrix_norm(A)    linalg.pinv(B)
    linalg.eigvalsh(A + conj(swapaxes(A, 0, 1)))    linalg.svdvals(B)
    linalg.cholesky(A @ conj(swapaxes(A, 0, 1)) + 3 * exp(0.1 * R @ swapaxes(R, 0, 1)))
    linalg.matrix_norm(B, ord='nuc')    abs(linalg.qr(A)[1])

    abs(e)    real(e) * e    e * conj(e)    e ** 2    e ** 3    prod(e)    sign(e) * 2    cumulative_prod(e, axis=0)
    where(abs(e) > 0, log(where(abs(e) > 0, e, 1.0)), 0.0)    linalg.vector_norm(0 * e)    sum(abs(e[1:])) * e
    f * e[2:]    (1 + 2j) ** f    f ** 2 * e[:3]
"""
EXPRESSIONS = re.split(r"\s{2,}", _TEXT.strip())


class Framework(NamedTuple):
    """A package: its functions by name, how it makes a Tensor that is differentiated, and an array of a Tensor."""

    names: Mapping[str, Any]
    leaf: Callable[[np.ndarray], Any]
    array: Callable[[Any], np.ndarray]


def run(expression, framework):
    """Compute an expression: the arrays ``value``, ``gradient of z`` and ``second gradient of z`` for each operand."""
    code = compile(expression, expression, "eval")
    leaves = {name: framework.leaf(array) for name, array in OPERANDS.items() if name in code.co_names}
    value = eval(code, {**framework.names, **leaves})
    first = _gradients(framework, _loss(framework, [value], expression), leaves)
    second = _gradients(framework, _loss(framework, first.values(), f"gradients of {expression}"), leaves)
    results = {"value": value}
    results |= {f"gradient of {name}": g for name, g in first.items()}
    results |= {f"second gradient of {name}": g for name, g in second.items()}
    return {key: framework.array(x.detach()) for key, x in results.items()}


def _loss(framework, values, seed):
    """The sum of all real and imaginary parts, each with a random weight."""
    names, total = framework.names, 0.0
    for i, x in enumerate(values):
        weights = names["asarray"](_complex(*x.shape, seed=f"{seed} {i}"))
        total = total + names["real"](names["sum"](weights * x))
    return total


def _gradients(framework, loss, leaves):
    """The gradients of a loss, recorded; zeros for what it does not depend on."""
    found = [None] * len(leaves)
    if loss.requires_grad:
        grad = framework.names["autograd"].grad
        found = grad(loss, list(leaves.values()), create_graph=True, allow_unused=True)
    zeros_like = framework.names["zeros_like"]
    return {
        name: zeros_like(leaf).detach() if g is None else g
        for (name, leaf), g in zip(leaves.items(), found, strict=True)
    }
