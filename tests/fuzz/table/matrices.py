"""Products of all kinds, and linear algebra."""

from typing import Any

import numpy as np

from tests.fuzz import duals as d
from tests.fuzz.operands import (
    SMALL,
    contracted,
    factors,
    matrix,
    op,
    same,
    square,
    stack_of_matrices,
    systems,
    triples,
    two,
    vectors,
)
from tests.fuzz.programs import Draft

# fmt: off
LAST = "axes=([-1], [-1])"

products = [
    op("matmul", d.matmul, factors, "{x} @ {y}", "np.matmul({x}, {y})", "mg.matmul({x}, {y})", exact=False),
    op("dot", d.dot, factors, "np.dot({x}, {y})", "mg.dot({x}, {y})", "{x}.dot({y})", exact=False),
    op("inner", d.inner, contracted, "np.inner({x}, {y})", exact=False),
    op("outer", lambda x, y: d.outer(d.reshape(x, (-1,)), d.reshape(y, (-1,))), two(SMALL, constants=0),
       "np.outer({x}, {y})", "mg.outer({x}.reshape(-1), {y}.reshape(-1))"),
    op("kron", d.kron, two(SMALL, constants=0), "np.kron({x}, {y})", "mg.linalg.kron({x}, {y})"),
    op("vecdot", d.vecdot, vectors, "np.sum(np.conj({x}) * {y}, axis=-1)", "mg.vecdot({x}, {y})", exact=False),
    op("tensordot", lambda x, y: d.tensordot(x, y, axes=([-1], [-1])), contracted,
       f"np.tensordot({{x}}, {{y}}, {LAST})", f"mg.tensordot({{x}}, {{y}}, {LAST})", exact=False),
    op("einsum, outer", lambda x, y: d.einsum(x, d.reshape(y, (-1,)), subscripts="...i,j->...ij"), contracted,
       "np.einsum('...i,j->...ij', {x}, {y}.reshape(-1))", "mg.einsum('...i,j->...ij', {x}, {y}.ravel())", exact=False),
    op("einsum, inner", lambda x, y: d.einsum(x, y, subscripts="...i,...i"), vectors,
       "np.einsum('...i,...i', {x}, {y})", "mg.einsum('...i,...i', {x}, {y})", exact=False),
    op("einsum of one", lambda x: d.einsum_one(x, subscripts="...ij->...j"), stack_of_matrices(SMALL),
       "np.einsum('...ij->...j', {x})", "mg.einsum('...ij->...j', {x})", exact=False),
    op("einsum with itself", lambda x: d.einsum(x, x, subscripts="...ij,...kj->...ik"), stack_of_matrices(SMALL),
       "np.einsum('...ij,...kj->...ik', {x}, {x})", "{x} @ np.swapaxes({x}, -1, -2)", exact=False),
    op("convolve", d.convolve, same(SMALL, SMALL, test=lambda x: x.ndim == 1 and x.size), "np.convolve({x}, {y})",
       "mg.convolve({x}, {y})"),
    op("cross", d.cross, triples, "np.cross({x}, {y})", "np.linalg.cross({x}, {y})",
       "mg.linalg.cross({x}, {y})", exact=False),
    op("trace", d.trace, matrix(SMALL), "np.trace({x})", "mg.trace({x})", "{x}.trace()"),
]

# Matrices of which the numbers in {x} make good ones: invertible; symmetric; with eigenvalues that are apart.
REGULAR = "({x} + 5.0 * np.eye({x}.shape[-1]))"
DEFINITE = "({x} @ np.swapaxes({x}, -1, -2) + 2.0 * np.eye({x}.shape[-1]))"
APART = "({x} + np.swapaxes({x}, -1, -2) + np.diag(3.0 * np.arange({x}.shape[-1])))"
GRADED = "({x} + np.diag(3.0 * np.arange({x}.shape[-1]) + 4.0))"


def _size(x: Any) -> int:
    return d.shape(x)[-1]


def _regular(x: Any) -> Any:
    return x + 5.0 * np.eye(_size(x))


def _definite(x: Any) -> Any:
    return d.matmul(x, d.matrix_transpose(x)) + 2.0 * np.eye(_size(x))


def _apart(x: Any) -> Any:
    return x + d.matrix_transpose(x) + np.diag(3.0 * np.arange(_size(x)))


def _graded(x: Any) -> Any:
    return x + np.diag(3.0 * np.arange(_size(x)) + 4.0)


def _power(draft: Draft) -> int:
    return draft.dice.choice([-2, -1, 1, 2, 3])


def both(name: str, matrix: str, part: str = "") -> tuple[str, str]:
    return f"np.linalg.{name}({matrix}){part}", f"mg.linalg.{name}({matrix}){part}"


linalg = [
    op("inv", lambda x: d.inv(_regular(x)), square, *both("inv", REGULAR)),
    op("det", lambda x: d.det(_regular(x)) / 100.0, square, *both("det", REGULAR, " / 100.0")),
    op("slogdet", lambda x: d.logabsdet(_regular(x)), square, *both("slogdet", REGULAR, "[1]")),
    op("solve", lambda x, b: d.solve(_regular(x), b), systems, f"np.linalg.solve({REGULAR}, {{b}})",
       f"mg.linalg.solve({REGULAR}, {{b}})", f"np.linalg.inv({REGULAR}) @ {{b}}", exact=False),
    op("lstsq", lambda x, b: d.matmul(d.pinv(_regular(x)), b), systems, f"np.linalg.lstsq({REGULAR}, {{b}})[0]",
       f"mg.linalg.lstsq({REGULAR}, {{b}})[0]", exact=False),
    op("cholesky", lambda x: d.cholesky(_definite(x)), square, *both("cholesky", DEFINITE)),
    op("eigvalsh", lambda x: d.eigvalsh(_apart(x)), square, *both("eigvalsh", APART)),
    op("eigh", lambda x: d.square(d.eigh(_apart(x))[1]), square, f"np.square(np.linalg.eigh({APART})[1])",
       f"np.square(mg.linalg.eigh({APART})[1])"),
    op("svdvals", lambda x: d.svdvals(_graded(x)), square, *both("svdvals", GRADED)),
    op("svd", lambda x: d.svdvals(_graded(x)), square, f"np.linalg.svd({GRADED})[1]", f"mg.linalg.svd({GRADED})[1]"),
    op("nuclear norm", lambda x: d.sum(d.svdvals(_graded(x)), axis=-1), square,
       f"np.linalg.matrix_norm({GRADED}, ord='nuc')", f"mg.linalg.matrix_norm({GRADED}, ord='nuc')"),
    op("spectral norm", lambda x: d.take(d.svdvals(_graded(x)), 0, axis=-1), square,
       f"np.linalg.matrix_norm({GRADED}, ord=2)", f"mg.linalg.matrix_norm({GRADED}, ord=2)"),
    op("qr", lambda x: d.square(d.triangle(_regular(x))), square, f"np.square(np.linalg.qr({REGULAR})[1])",
       f"np.square(mg.linalg.qr({REGULAR})[1])"),
    op("pinv", lambda x: d.pinv(_regular(x)), square, *both("pinv", REGULAR)),
    op("matrix_power", lambda x, n: d.matrix_power(_regular(x), n), lambda draft: {**square(draft), "n": _power(draft)},
       f"np.linalg.matrix_power({REGULAR}, {{n}})", f"mg.linalg.matrix_power({REGULAR}, {{n}})", exact=False),
    op("multi_dot", lambda x: d.matmul(d.matmul(x, d.matrix_transpose(x)), x), matrix(SMALL),
       "np.linalg.multi_dot([{x}, {x}.T, {x}])", "mg.linalg.multi_dot([{x}, {x}.T, {x}])", "{x} @ {x}.T @ {x}",
       exact=False),
]

FAMILIES = [products, linalg]
