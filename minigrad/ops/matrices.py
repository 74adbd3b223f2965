"""What the functions of matrices share: transposes, stacks of several results in one value, and their errors."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minigrad import errors
from minigrad.core import Array, Handle, primitive
from minigrad.operands import numeric_operand
from minigrad.ops import costs


class LinAlgError(errors.ArgumentError, np.linalg.LinAlgError):
    """A matrix that an operation is not defined for: it is singular, or not positive definite.

    Also NumPy's exception of this name.
    """


# What is given


def matrices(x: Array, name: str) -> Array:
    """The operand of a function of matrices, with at least two axes; `name` is the function's, for the message."""
    x = x if isinstance(x, (Handle, np.ndarray)) else numeric_operand(x, name)
    if x.ndim < 2:
        raise errors.ShapeError(f"{name} needs a matrix, or a stack of them, and this array has shape {x.shape}")
    return x


def square(x: Array, name: str) -> Array:
    """The same for functions of square matrices."""
    x = matrices(x, name)
    if x.shape[-1] != x.shape[-2]:
        raise errors.ShapeError(f"{name} needs square matrices, and the last two axes of shape {x.shape} differ")
    return x


def member(index: tuple[int, ...]) -> str:
    """One of a stack of matrices, in words."""
    return f"matrix {', '.join(map(str, index))} of the stack" if index else "the matrix"


@contextmanager
def singular(name: str, x: Array, *others: Array) -> Iterator[None]:
    """Say what is wrong where NumPy meets a singular matrix."""
    try:
        yield
    except np.linalg.LinAlgError as error:
        signs = np.atleast_1d(np.linalg.slogdet(x)[0])
        which = tuple(np.argwhere(signs == 0)[0].tolist()) if x.ndim > 2 else ()
        shapes = " and ".join(str(np.shape(operand)) for operand in (x, *others))
        raise LinAlgError(
            f"{name} of shape{'s' * bool(others)} {shapes}: {member(which)} is singular; "
            "pinv and lstsq are defined for such matrices too"
        ) from error


@contextmanager
def converging(name: str, x: Array) -> Iterator[None]:
    """Say what is wrong where an iteration of LAPACK's does not end."""
    try:
        yield
    except np.linalg.LinAlgError as error:
        bad = int(x.size - np.isfinite(x).sum())
        raise LinAlgError(f"{name} of shape {x.shape} did not converge: {bad} elements are NaN or infinite") from error


# Parts of formulas


def T(x: Array) -> Array:
    """Each matrix transposed."""
    return np.swapaxes(x, -1, -2)


def H(x: Array) -> Array:
    """Each matrix transposed and conjugated."""
    return np.conjugate(T(x)) if x.dtype.kind == "c" else T(x)


def hermitian(x: Array) -> Array:
    """The Hermitian part of each matrix, which for real ones is the symmetric part."""
    return (x + H(x)) / 2


def on_diagonal(n: int) -> Array:
    """Where the diagonal of a matrix with `n` columns is."""
    i = np.arange(n)
    return i[:, None] == i


def diagonal_matrix(v: Array) -> Array:
    """Matrices with these diagonals, which lie along the last axis."""
    return np.where(on_diagonal(v.shape[-1]), np.expand_dims(v, -2), 0)


PRECISION = {code: float(np.finfo(code).eps) for code in "fdFD"}


def gaps(values: Array) -> Array:
    """The differences ``values[j] - values[i]``, and exactly 0 where they might be rounding."""
    n = values.shape[-1]
    gap = np.expand_dims(values, -2) - np.expand_dims(values, -1)
    if n < 2:
        return gap
    rounding = n * PRECISION[values.dtype.char] * np.max(np.abs(values), axis=-1, keepdims=True)
    return np.where(np.abs(gap) <= np.expand_dims(rounding, -1), 0, gap)


# A node has one value.  An operation with several results returns their elements in a row, and the function that people
# call takes them apart.


def pack(batch: tuple[int, ...], *parts: Array) -> Array:
    """Several results of shapes ``(*batch, ...)`` in a row along a last axis."""
    flat = [part.reshape(*batch, math.prod(part.shape[len(batch) :])) for part in parts]
    return np.concatenate(flat, axis=-1)


def unpack(packed: Array, *shapes: tuple[int, ...]) -> list[Array]:
    """The results, or their gradients, from what `pack` made; their shapes without those of the stack."""
    ends = np.cumsum([math.prod(shape) for shape in shapes]).tolist()
    batch = packed.shape[:-1]
    return [
        np.reshape(packed[..., end - math.prod(shape) : end], (*batch, *shape))
        for end, shape in zip(ends, shapes, strict=True)
    ]


# The inverse, for rules: a derivative that does not exist is NaN, and only for the matrix that has none


def wanted(y: Array, g: Array) -> Array:
    """`y`, but 0 instead of NaN for matrices whose gradient is exactly 0, so that it stays 0."""
    idle = np.any(np.isnan(y), axis=(-2, -1), keepdims=True) & ~np.any(g != 0, axis=(-2, -1), keepdims=True)
    return np.where(idle, 0, y)


def inverse_rule(g: Array, y: Array) -> Array:
    """From ``d(x**-1) = -x**-1 dx x**-1``."""
    y = wanted(T(y), g)
    return -(y @ g @ y)


@primitive(lambda g, y, x: inverse_rule(g, y), kind="decomposition", cost=costs.per_matrix(lambda m, n: 2 * n**3))
def inverse(x: Array, /) -> Array:
    """The inverse of each matrix, and NaN for a singular one."""
    try:
        return np.linalg.inv(x)
    except np.linalg.LinAlgError:
        bad = (np.linalg.slogdet(x)[0] == 0)[..., None, None]
        return np.where(bad, np.nan, np.linalg.inv(np.where(bad, np.eye(x.shape[-1]), x))).astype(x.dtype)


def real_part(x: Any) -> Any:
    """The real part of complex numbers; real ones as they are."""
    return np.real(x) if x.dtype.kind == "c" else x
