"""How many floating-point operations it takes to compute the nodes of a graph, from the shapes of their operands.

What is counted, for real numbers (n is a number of elements):

- an elementwise function: 1 for each element of the result, whether it is a sum or a Bessel function;
- a sum, a mean, a maximum and other reductions: 1 for each element of the operand.  Variance, softmax and others that
  take several passes have as many for each element as they have passes, see `PASSES`;
- a product of matrices (m, k) and (k, n): ``2 m n k``, and correspondingly einsum (in the order of contraction that
  NumPy chooses) and convolution, where products with padding count too;
- decompositions: the leading terms for LAPACK's algorithms, from G. Golub, C. Van Loan, "Matrix Computations", 1996,
  sections 3.2, 4.2, 5.4.5, 7.5.6 and 8.3, and for QR from LAPACK Working Note 41, 1994, appendix C;
- Fourier transforms of length n: ``5 n log2(n)``, and half of that between real and complex numbers (C. Van Loan,
  "Computational Frameworks for the Fast Fourier Transform", 1992);
- sorting n elements: ``n log2(n)`` comparisons, and searching among them ``log2(n)``;
- what only arranges, copies or selects elements: 0.

Complex numbers: a sum counts as 2, an elementwise function as 6 (the price of a product), and products of matrices and
decompositions as 4 times the real ones (LAPACK Working Note 41).
"""

from collections.abc import Callable, Mapping, Sequence
from math import log2, prod
from typing import Any, TypeAlias

import numpy as np

from minigrad.core import Node, Operation

Formula: TypeAlias = Callable[[Sequence[Any], Any, Mapping[str, Any]], float]

# fmt: off
FREE = frozenset({
    "at_largest", "astype", "broadcast_to", "concat", "elements_at", "flip", "getitem", "imag", "pad", "permute_dims",
    "positive", "real", "reshape", "roll", "scale_gradient", "selected", "setitem", "stack", "through_gate",
    "to_largest", "tril", "triu", "unfold", "where",
})

# How many operations on each element of the first operand.
PASSES = {
    "all": 1, "any": 1, "argmax": 1, "argmin": 1, "argpartition": 1, "count_nonzero": 1, "count_numbers": 1,
    "cumulative_logaddexp": 1, "cumulative_prod": 1, "cumulative_sum": 1, "fold": 1, "max": 1, "mean": 1, "min": 1,
    "extremes_of_groups": 1, "has_nan": 1, "nanargmax": 1, "nanargmin": 1, "nanmax": 1, "nanmin": 1, "nonzero": 1,
    "ordinary": 1, "places_by_weights": 1, "prod": 1, "scatter": 1, "sum": 1, "sum_by_number": 1,
    "histogram_bin_edges": 2, "recurrence": 2, "vector_norm": 2,
    "logsumexp": 4,  # maximum, difference, exponential, sum
    "std": 4, "var": 4,  # mean, difference, square, sum
    "label_cross_entropy": 5, "log_softmax": 5, "masked_softmax": 5, "softmax": 5, "standardized": 5,
    "total_label_cross_entropy": 5,
    "softmax_cross_entropy": 7,
}

# What consists of sums, and not of products as well, if its numbers are complex.
SUMS = frozenset({"add", "conj", "cumulative_sum", "fold", "mean", "negative", "scatter", "subtract", "sum"})
# fmt: on


def _search(args: Sequence[Any], y: Any, how: Mapping[str, Any]) -> float:
    """For each element of the first operand a search among those of the second."""
    return np.size(args[0]) * log2(1 + np.size(args[1]))


def _sort(args: Sequence[Any], y: Any, how: Mapping[str, Any]) -> float:
    size = np.size(args[0])
    return size * log2(max(1, size if how.get("axis", -1) is None else np.shape(args[0])[-1]))


def _fourier(args: Sequence[Any], y: Any, how: Mapping[str, Any]) -> float:
    x = args[0]
    return float(5 * x.size * log2(max(1, prod(x.shape[axis] for axis in how["axes"]))))


def _half_fourier(args: Sequence[Any], y: Any, how: Mapping[str, Any]) -> float:
    real = y if "n" in how else args[0]
    return float(2.5 * real.size * log2(max(1, real.shape[how["axis"]])))


def _einsum(args: Sequence[Any], y: Any, how: Mapping[str, Any]) -> float:
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


def _per_matrix(count: Callable[..., float], *names: str) -> Formula:
    """For each matrix of a stack a count by its rows and columns, and the parameters of these names."""

    def formula(args: Sequence[Any], y: Any, how: Mapping[str, Any]) -> float:
        *stack, m, n = np.shape(args[0])
        return float(prod(stack) * count(m, n, *(how[name] for name in names)))

    return formula


def _qr(m: int, n: int, mode: str) -> float:
    """Householder's reflections, and then their product."""
    k = min(m, n)
    columns = m if mode == "complete" else k
    factors = 2 * m * n * n - 2 * n**3 / 3 if m >= n else 2 * n * m * m - 2 * m**3 / 3
    return factors + (mode != "r") * (4 * m * columns * k - 2 * (m + columns) * k * k + 4 * k**3 / 3)


def _svd(m: int, n: int, full: bool) -> float:
    m, n = max(m, n), min(m, n)
    return 4 * m * m * n + 22 * n**3 if full else 6 * m * n * n + 20 * n**3


def _svdvals(m: int, n: int) -> float:
    m, n = max(m, n), min(m, n)
    return 2 * m * n * n + 2 * n**3


def _solve(args: Sequence[Any], y: Any, how: Mapping[str, Any]) -> float:
    a = np.shape(args[0])
    return float(prod(a[:-2]) * 2 * a[-1] ** 3 / 3 + 2 * a[-1] * y.size)


def _expm(m: int, n: int) -> float:
    """Six products and a solution, without the squarings, whose number depends on the matrix (N. Higham, 2005)."""
    return (6 + 4 / 3) * 2 * n**3


# What consists of products and sums of two numbers, about as many of the one as of the other.
PRODUCTS: dict[str, Formula] = {
    "matmul": lambda args, y, how: 2 * y.size * np.shape(args[0])[-1],
    "linear": lambda args, y, how: 2 * y.size * np.shape(args[0])[-1] + y.size,
    "einsum": _einsum,
    "sparse_product": lambda args, y, how: 2 * how["matrix"].nnz * np.size(y) / max(1, np.shape(y)[0]),
    "convolve": lambda args, y, how: 2 * y.size * prod(args[1].shape[1:]),
    "convolve_transposed": lambda args, y, how: 2 * args[0].size * prod(args[1].shape[1:]),
    "convolve_weight": lambda args, y, how: 2 * args[1].size * prod(y.shape[1:]),
    "convolve_signals": lambda args, y, how: 2 * args[1].size * (args[0].size if how["full"] else y.size),
    "cholesky": _per_matrix(lambda m, n: n**3 / 3),
    "solve": _solve,
    "inv": _per_matrix(lambda m, n: 2 * n**3),
    "inverse": _per_matrix(lambda m, n: 2 * n**3),
    "det": _per_matrix(lambda m, n: 2 * n**3 / 3),
    "slogdet": _per_matrix(lambda m, n: 2 * n**3 / 3),
    "pinv": _per_matrix(lambda m, n: _svd(m, n, False) + 2 * m * n * min(m, n)),
    "matrix_rank": _per_matrix(_svdvals),
    "eigh": _per_matrix(lambda m, n: 9 * n**3),
    "eigvalsh": _per_matrix(lambda m, n: 4 * n**3 / 3),
    "eig": _per_matrix(lambda m, n: 25 * n**3),
    "eigvals": _per_matrix(lambda m, n: 10 * n**3),
    "qr": _per_matrix(_qr, "mode"),
    "svd": _per_matrix(_svd, "full_matrices"),
    "svdvals": _per_matrix(_svdvals),
    "expm": _per_matrix(_expm),
    "frechet": _per_matrix(lambda m, n: _expm(2 * m, 2 * n)),  # of a matrix of four blocks
}

OTHERS: dict[str, Formula] = {
    "fft": _fourier,
    "ifft": _fourier,
    "rfft": _half_fourier,
    "irfft": _half_fourier,
    "max_pool": lambda args, y, how: y.size * prod(how["kernel"]),
    "which_largest": lambda args, y, how: y.size * prod(how["kernel"]),
    "argsort": _sort,
    "places_of_ranks": _sort,
    "places_of_own_ranks": _sort,
    "places_of_top": _sort,
    "searchsorted": lambda args, y, how: np.size(args[1]) * log2(1 + np.size(args[0])),
    "isin": _search,
    "bin_of": _search,
    "piece_of": _search,
    "less_one_hot": lambda args, y, how: np.size(how["places"]),
}

# Their cost depends on values, or on what is not in the graph.
UNCERTAIN = frozenset({"checkpoint", "expm", "frechet"})


def is_known(op: Operation, args: Sequence[Any], value: Any) -> bool:
    """Whether the operation is one of the package's whose cost is known: in a table above, or elementwise."""
    name = op.name
    if not op.primitive.ours or name in UNCERTAIN:
        return False
    listed = name in FREE or name in PASSES or name in PRODUCTS or name in OTHERS
    return listed or bool(value.shape == np.broadcast_shapes(*map(np.shape, args)))


def flops(op: Operation, args: Sequence[Any], value: Any) -> int:
    """How many floating-point operations the computation of a value takes.

    Parameters
    ----------
    op : Operation
    args : sequence of array
        Its operands.
    value : array
        Its result.

    Returns
    -------
    int
        Of an operation that is not known, the size of the result.
    """
    name = op.name
    if not op.primitive.ours:
        return int(value.size)
    if name in FREE:
        return 0
    if name in OTHERS:
        return round(OTHERS[name](args, value, op.params))
    is_complex = value.dtype.kind == "c" or any(getattr(x, "dtype", value.dtype).kind == "c" for x in args)
    if name in PRODUCTS:
        return round(PRODUCTS[name](args, value, op.params) * (4 if is_complex else 1))
    size = np.size(args[0]) * PASSES[name] if name in PASSES else value.size
    return int(size) * ((2 if name in SUMS else 6) if is_complex else 1)


def backward_flops(node: Node, forward: int) -> int:
    """About how many floating-point operations the gradients of a node's operands take.

    For each operand that has a gradient as many as the value took.  For products of matrices and convolutions that is
    exact: each of their gradients is a product of the same size.  For others it is the right order of magnitude.
    """
    assert node.op is not None
    made = node.op.primitive
    rules = made.rules or (made.joint,) * len(node.inputs)
    total = 0
    for place, (parent, rule) in enumerate(zip(node.inputs, rules, strict=True)):
        if parent is not None and rule is not None:
            # The third operand of `linear` is the bias, whose gradient is a sum.
            total += node.value.size if made.name == "linear" and place == 2 else forward
    return total
