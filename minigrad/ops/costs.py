"""What operations cost, in floating-point operations, where that is more than so many for each element.

Each function here takes operands, result and parameters of one call, or makes such a function; they stand beside the
operations, as their fact `cost`.  The leading terms for LAPACK's algorithms are from G. Golub, C. Van Loan, "Matrix
Computations", 1996, sections 3.2, 4.2, 5.4.5, 7.5.6 and 8.3, and for QR from LAPACK Working Note 41, 1994, appendix C;
those of Fourier transforms from C. Van Loan, "Computational Frameworks for the Fast Fourier Transform", 1992.
"""

from collections.abc import Callable, Mapping, Sequence
from math import log2, prod
from typing import Any, TypeAlias

import numpy as np

Formula: TypeAlias = Callable[[Sequence[Any], Any, Mapping[str, Any]], float]

# Sorting and searching: comparisons


def search(args: Sequence[Any], y: Any, how: Mapping[str, Any]) -> float:
    """For each element of the first operand a search among those of the second."""
    return np.size(args[0]) * log2(1 + np.size(args[1]))


def sort(args: Sequence[Any], y: Any, how: Mapping[str, Any]) -> float:
    """Along an axis, the last one if none is named."""
    size = np.size(args[0])
    return size * log2(max(1, size if how.get("axis", -1) is None else np.shape(args[0])[-1]))


def by_kernel(args: Sequence[Any], y: Any, how: Mapping[str, Any]) -> float:
    """One for each place of the kernel, at each place of the result."""
    return float(y.size * prod(how["kernel"]))


# Fourier transforms


def fourier(args: Sequence[Any], y: Any, how: Mapping[str, Any]) -> float:
    """``5 n log2(n)``."""
    x = args[0]
    return float(5 * x.size * log2(max(1, prod(x.shape[axis] for axis in how["axes"]))))


def half_fourier(args: Sequence[Any], y: Any, how: Mapping[str, Any]) -> float:
    """Half of that, between real and complex numbers."""
    real = y if "n" in how else args[0]
    return float(2.5 * real.size * log2(max(1, real.shape[how["axis"]])))


# Sums of products


def matmul(args: Sequence[Any], y: Any, how: Mapping[str, Any]) -> float:
    """``2 m n k``."""
    return float(2 * y.size * np.shape(args[0])[-1])


def einsum(args: Sequence[Any], y: Any, how: Mapping[str, Any]) -> float:
    """The sum over the contractions, of which each multiplies its operands and then sums."""
    terms, result = how["subscripts"].split("->")
    pending = terms.split(",")
    lengths = {i: n for term, x in zip(pending, args, strict=True) for i, n in zip(term, np.shape(x), strict=True)}
    total = 0
    order: Any = [tuple(range(len(pending)))]
    if len(pending) > 2:
        order = np.einsum_path(how["subscripts"], *args, optimize=True)[0][1:]
    for places in order:
        taken = [pending.pop(i) for i in sorted(places, reverse=True)]
        inside = set("".join(taken))
        left = inside & set("".join([*pending, result]))
        total += prod(lengths[i] for i in inside) * (len(taken) - 1 + (left != inside))
        pending.append("".join(left))
    return total


# Whole matrices


def per_matrix(count: Callable[..., float], *names: str) -> Formula:
    """For each matrix of a stack a count by its rows and columns, and the parameters of these names."""

    def formula(args: Sequence[Any], y: Any, how: Mapping[str, Any]) -> float:
        *stack, m, n = np.shape(args[0])
        return float(prod(stack) * count(m, n, *(how[name] for name in names)))

    return formula


def qr(m: int, n: int, mode: str) -> float:
    """Householder's reflections, and then their product."""
    k = min(m, n)
    columns = m if mode == "complete" else k
    factors = 2 * m * n * n - 2 * n**3 / 3 if m >= n else 2 * n * m * m - 2 * m**3 / 3
    return factors + (mode != "r") * (4 * m * columns * k - 2 * (m + columns) * k * k + 4 * k**3 / 3)


def svd(m: int, n: int, full: bool) -> float:
    """With singular vectors, all of them or as many as there are singular values."""
    m, n = max(m, n), min(m, n)
    return 4 * m * m * n + 22 * n**3 if full else 6 * m * n * n + 20 * n**3


def svdvals(m: int, n: int) -> float:
    """Singular values alone."""
    m, n = max(m, n), min(m, n)
    return 2 * m * n * n + 2 * n**3


def expm(m: int, n: int) -> float:
    """Six products and a solution, without the squarings, whose number depends on the matrix (N. Higham, 2005)."""
    return (6 + 4 / 3) * 2 * n**3
