"""In JAX: products of matrices, their decompositions, equations, and Fourier transforms."""

from collections.abc import Callable
from math import prod
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from minigrad.export.for_jax.rules import length
from minigrad.registry import primitives

# Parts of formulas


def _H(x: Any) -> Any:
    return jnp.conj(jnp.swapaxes(x, -1, -2))


def _hermitian(x: Any) -> Any:
    return (x + _H(x)) / 2


def _pack(*parts: Any, batch: tuple[int, ...]) -> Any:
    """Several results in a row, as the package has them."""
    flat = [part.reshape(*batch, prod(part.shape[len(batch) :])) for part in parts]
    return jnp.concatenate(flat, axis=-1)


def _completed(some: Any, all_: Any) -> Any:
    """Columns of a basis: the first ones, and others which only turn as they must, to stay orthonormal to these."""
    rest = lax.stop_gradient(all_[..., some.shape[-1] :])
    if not rest.shape[-1]:
        return some
    rest = rest - some @ (_H(some) @ rest)
    factor = jnp.linalg.cholesky(_H(rest) @ rest)  # the identity, but for its derivatives
    return jnp.concatenate([some, rest @ _H(jnp.linalg.inv(factor))], axis=-1)


# Products


def _vector_norm(x: Any, *, axis: Any = None, keepdims: bool = False, ord: float = 2) -> Any:
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    value = length(x, tuple(i % x.ndim for i in axes), ord)
    return value if keepdims else jnp.squeeze(value, tuple(i % x.ndim for i in axes))


def _sparse_product(x: Any, *, matrix: Any) -> Any:
    found = matrix.tocoo()
    x = jnp.asarray(x)
    dtype = np.result_type(found.dtype, x.dtype)
    data = found.data.astype(dtype).reshape(-1, *(1,) * (x.ndim - 1))
    return jnp.zeros((found.shape[0], *x.shape[1:]), dtype).at[found.row].add(data * x[found.col])


# Decompositions


def _eigh(x: Any) -> Any:
    values, vectors = jnp.linalg.eigh(_hermitian(x), symmetrize_input=False)
    return _pack(values, vectors, batch=x.shape[:-2])


def _eig(x: Any) -> Any:
    values, vectors = lax.linalg.eig(x, compute_left_eigenvectors=False, enable_eigvec_derivs=True)
    return _pack(values, vectors, batch=x.shape[:-2])


def _qr(x: Any, *, mode: str) -> Any:
    m, n = x.shape[-2:]
    q, r = jnp.linalg.qr(x)
    if mode == "complete" and m > n:
        q = _completed(q, jnp.linalg.qr(lax.stop_gradient(x), mode="complete")[0])
        r = jnp.concatenate([r, jnp.zeros((*r.shape[:-2], m - n, n), r.dtype)], axis=-2)
    return _pack(q, r, batch=x.shape[:-2])


def _svd(x: Any, *, full_matrices: bool) -> Any:
    m, n = x.shape[-2:]
    u, s, vh = jnp.linalg.svd(x, full_matrices=False)
    if full_matrices and m != n:
        left, _, right = jnp.linalg.svd(lax.stop_gradient(x), full_matrices=True)
        u, vh = _completed(u, left), _H(_completed(_H(vh), _H(right)))
    return _pack(u, s, vh, batch=x.shape[:-2])


def _slogdet(x: Any) -> Any:
    return jnp.stack(jnp.linalg.slogdet(x), axis=-1)


def _inverse(x: Any) -> Any:
    """The inverse, and NaN for a singular matrix."""
    bad = (jnp.linalg.slogdet(lax.stop_gradient(x))[0] == 0)[..., None, None]
    return jnp.where(bad, jnp.nan, jnp.linalg.inv(jnp.where(bad, jnp.eye(x.shape[-1], dtype=x.dtype), x)))


def _cutoff(x: Any, rtol: Any) -> Any:
    return max(x.shape[-2:]) * np.finfo(jnp.result_type(x, np.float32)).eps if rtol is None else rtol


def _values(x: Any) -> Any:
    return jnp.linalg.svd(x, compute_uv=False)


def _pinv(x: Any, *, rtol: Any = None) -> Any:
    return jnp.linalg.pinv(x, rtol=jnp.asarray(_cutoff(x, rtol)))


def _matrix_rank(x: Any, *, rtol: Any = None) -> Any:
    s = _values(x)
    largest = jnp.max(s, axis=-1, keepdims=True, initial=0)
    return jnp.sum(s > largest * jnp.expand_dims(jnp.asarray(_cutoff(x, rtol)), -1), axis=-1)


def _corank(x: Any) -> Any:
    s = _values(jnp.where(jnp.all(jnp.isfinite(x)), x, jnp.eye(x.shape[-1], dtype=x.dtype)))
    return jnp.max(jnp.sum(s <= np.finfo(x.dtype).eps ** (1 / 3) * s[..., :1], axis=-1))


def _of_any_size(name: str, lower: Callable[..., Any]) -> Callable[..., Any]:
    """A function of matrices that JAX has for those with elements only; of others NumPy's result is a constant."""

    def lowered(x: Any, **params: Any) -> Any:
        if x.size:
            return lower(x, **params)
        forward = primitives[name].primitive.forward  # type: ignore[attr-defined]  # which every primitive has
        return jnp.asarray(forward(np.zeros(x.shape, x.dtype), **params))

    return lowered


# Fourier transforms: along one axis after another, since JAX has them for three at most


def _along(transform: Callable[..., Any]) -> Callable[..., Any]:
    def lowered(x: Any, *, axes: tuple[int, ...], norm: str) -> Any:
        for axis in axes:
            x = transform(x, axis=axis, norm=norm)
        return x

    return lowered


_OF_MATRICES: dict[str, Callable[..., Any]] = {
    "cholesky": lambda x: jnp.linalg.cholesky(_hermitian(x), symmetrize_input=False),
    "eigh": _eigh,
    "eigvalsh": lambda x: jnp.linalg.eigvalsh(_hermitian(x)),
    "eig": _eig,
    "eigvals": lambda x: lax.linalg.eig(x, compute_left_eigenvectors=False, enable_eigvec_derivs=True)[0],
    "qr": _qr,
    "svd": _svd,
    "svdvals": _values,
    "inv": lambda x: jnp.linalg.inv(x),
    "inverse": _inverse,
    "pinv": _pinv,
    "matrix_rank": _matrix_rank,
    "slogdet": _slogdet,
    "det": lambda x: jnp.linalg.det(x),
    "corank": _corank,
}
LINALG: dict[str, Callable[..., Any]] = {
    **{name: _of_any_size(name, lower) for name, lower in _OF_MATRICES.items()},
    "matmul": lambda a, b: jnp.matmul(a, b),
    "einsum": lambda *operands, subscripts: jnp.einsum(subscripts, *operands),
    "vector_norm": _vector_norm,
    "tril": lambda x, k=0: jnp.tril(x, k),
    "triu": lambda x, k=0: jnp.triu(x, k),
    "sparse_product": _sparse_product,
    "weighed": lambda v, g, equal: v * g,
    "solve": lambda a, b: jnp.linalg.solve(a, b),
    "fft": _along(jnp.fft.fft),
    "ifft": _along(jnp.fft.ifft),
    "rfft": lambda x, *, axis, norm: jnp.fft.rfft(x, axis=axis, norm=norm),
    "irfft": lambda x, *, axis, n, norm: jnp.fft.irfft(x, n, axis=axis, norm=norm),
}
