"""Sparse Jacobians: what the graph says can differ from 0, and as few rows or columns as that allows.

The pattern is read off the recorded graph: for each value which elements of the argument its elements may depend on.
Rows that have no place in common can be computed as one, as the pullback of their sum; so can columns (A. R. Curtis,
M. J. D. Powell and J. K. Reid, "On the estimation of sparse Jacobian matrices", Journal of the Institute of Mathematics
and its Applications 13, 1974).
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from minigrad.core import Node, collect, unwrap
from minigrad.errors.files import missing_package
from minigrad.errors.functions import not_one_array, sparse_without_graph
from minigrad.mapping.rows import each_unit
from minigrad.nn import linear as linear_layer
from minigrad.ops import indexing, linalg, sparse
from minigrad.transforms import Function, _close, _outputs, _pull, _Run, _transposed

Pattern = Any  # a sparse matrix of bools: for each element of a value, elements of the argument


def sparse_jacobian(f: Function, numbers: Sequence[int], chunk_size: int | None) -> Function:
    """`jacobian` as a sparse matrix, by the arguments of these numbers."""

    @functools.wraps(f)
    def compute(*args: Any, **kwargs: Any) -> Any:
        scipy = _scipy_sparse()
        run = _Run(f, args, numbers, kwargs)
        outputs, _ = _outputs(run.result)
        real = all(x.array.dtype.kind == "f" for x in outputs + run.variables)
        if not real or len(outputs) != 1 or len(run.variables) != 1:
            raise not_one_array(f, [x.array for x in outputs], [x.array for x in run.variables])
        if run.outside(outputs):
            raise sparse_without_graph(f)
        (y,), (x,) = outputs, run.variables
        if y.node is None:
            return scipy.csr_array((y.array.size, x.array.size), dtype=y.array.dtype)
        pattern = scipy.csr_array(pattern_of(y.node, x.node))
        by_rows, by_columns = _colours(pattern), _colours(scipy.csr_array(pattern.T))
        if by_rows.max(initial=0) <= by_columns.max(initial=0):
            found = _compressed(by_rows, y.array, lambda g: _pull([x], [y], [g], False, retain=True), chunk_size)
            rows, columns = pattern.nonzero()
            values = found[by_rows[rows], columns]
        else:
            push = _transposed(run, outputs)
            found = _compressed(by_columns, x.array, lambda t: push([t], False), chunk_size)
            rows, columns = pattern.nonzero()
            values = found[by_columns[columns], rows]
        _close(run.variables)
        return scipy.csr_array((values, (rows, columns)), shape=pattern.shape)

    return compute


def _scipy_sparse() -> Any:
    try:
        from scipy import sparse as scipy_sparse  # type: ignore[import-untyped]
    except ImportError as error:
        raise missing_package("a sparse jacobian", "scipy", "scipy") from error
    return scipy_sparse


# Colours


def _colours(pattern: Pattern) -> np.ndarray:
    """A number for each row, so that rows of the same number have no column in common; greedily, the fullest first."""
    near = pattern.astype(np.intp) @ pattern.T.astype(np.intp)
    near = near.tocsr()
    colours = np.full(pattern.shape[0], -1)
    for i in np.argsort(-np.diff(near.indptr), kind="stable"):
        used = colours[near.indices[near.indptr[i] : near.indptr[i + 1]]]
        taken = np.zeros(len(used) + 1, bool)
        taken[used[(used >= 0) & (used < len(taken))]] = True
        colours[i] = np.argmin(taken)
    return colours


def _compressed(colours: np.ndarray, like: Any, f: Callable[[Any], list[Any]], chunk_size: int | None) -> np.ndarray:
    """What a linear function makes of the sum of the unit vectors of each colour, flattened."""
    count = int(colours.max(initial=-1)) + 1
    if not count:
        return np.zeros((0, 0), like.dtype)
    seeds = np.zeros((count, like.size), like.dtype)
    seeds[colours, np.arange(like.size)] = 1
    (found,) = each_unit(f, seeds.reshape(count, *like.shape), chunk_size)
    return np.asarray(unwrap(found)).reshape(count, -1)


# Patterns


def pattern_of(root: Node, variable: Node) -> Pattern:
    """On which elements of a variable the elements of a value depend, or seem to: there may be more than there are."""
    scipy = _scipy_sparse()
    known: dict[Node, Pattern] = {variable: scipy.eye_array(variable.value.size, dtype=bool, format="csr")}
    for node in sorted(collect([root], variable.seq), key=lambda node: node.seq):
        if node.op is None or node is variable:
            continue
        operands = [None if p is None else known.get(p) for p in node.parents()]
        if any(p is not None for p in operands):
            known[node] = _Propagation(node, operands).pattern()
    return known.get(root, scipy.csr_array((root.value.size, variable.value.size), dtype=bool))


class _Propagation:
    """One operation on patterns."""

    def __init__(self, node: Node, operands: Sequence[Pattern | None]) -> None:
        self.made, self.params = node.op.primitive, node.op.params  # type: ignore[union-attr]  # it is no leaf
        self.args, self.shape, self.operands = node.args, np.shape(node.value), operands
        self.size = prod(self.shape)

    def pattern(self) -> Pattern:
        """That of the result."""
        rule = _RULES.get(self.made)
        if rule is None and self.made.facts.kind == "elementwise":
            rule = _elementwise
        if rule is None and self.made.ours and self.made.facts.kind == "movement":
            rule = _moved
        if rule is None and self.made.ours and len(self.args) == 1 and ("axis" in self.params or "axes" in self.params):
            rule = _along
        return (rule or _dense)(self)

    def chosen(self, number: int, rows: Any) -> Pattern:
        """The rows of an operand at the places of an array that broadcasts to the shape of the result."""
        return self.operands[number][np.broadcast_to(rows, self.shape).ravel()]  # type: ignore[index]  # it is known

    def united(self, number: int, groups: Any) -> Pattern:
        """The rows of an operand, those of each group as one; there is a number of a group for each element."""
        scipy, pattern = _scipy_sparse(), self.operands[number]
        count = int(np.max(groups, initial=-1)) + 1
        ones = np.ones(np.size(groups), np.intp)
        sums = scipy.csr_array((ones, (np.ravel(groups), np.arange(np.size(groups)))), shape=(count, np.size(groups)))
        return scipy.csr_array((sums @ pattern.astype(np.intp)).astype(bool))  # type: ignore[union-attr]

    def total(self, parts: Sequence[Pattern]) -> Pattern:
        """What is in any of several patterns."""
        return functools.reduce(lambda a, b: a + b, parts)

    def known(self) -> list[int]:
        """The operands that depend on the variable."""
        return [i for i, p in enumerate(self.operands) if p is not None]


def _numbers_of(x: Any) -> Any:
    """The places of the elements in the flattened array."""
    return np.arange(np.size(x)).reshape(np.shape(x))


def _elementwise(step: _Propagation) -> Pattern:
    return step.total([step.chosen(i, _numbers_of(step.args[i])) for i in step.known()])


def _moved(step: _Propagation) -> Pattern:
    """Elements in other places: the operation on the numbers of elements says where, and 0 stands for what is new."""
    scipy, first = _scipy_sparse(), 1
    patterns: list[Pattern] = []
    numbers: list[Any] = []
    for x, pattern in zip(step.args, step.operands, strict=True):
        if pattern is None:
            numbers.append(x if np.asarray(x).dtype.kind in "biu" and patterns else np.zeros(np.shape(x), np.intp))
            continue
        numbers.append(_numbers_of(x) + first)
        patterns.append(pattern)
        first += np.size(x)
    params: Mapping[str, Any] = {**step.params, **({"value": 0} if "value" in step.params else {})}
    places = np.asarray(step.made.value(*numbers, **params)).ravel()
    nothing = scipy.csr_array((1, patterns[0].shape[1]), dtype=bool)
    return scipy.csr_array(scipy.vstack([nothing, *patterns], format="csr")[places])


def _getitem(step: _Propagation) -> Pattern:
    places = step.made.value(_numbers_of(step.args[0]), *step.args[1:], **step.params)
    return step.operands[0][np.ravel(places)]  # type: ignore[index]  # only what is read has a pattern


def _written(step: _Propagation) -> Pattern:
    """What is added to, or written, at an index; of an array that is all zeros before, or of another one."""
    shape = step.shape
    first = 1 if step.made is not indexing._scatter.primitive else 0  # type: ignore[attr-defined]
    index, places = step.params["index"], step.args[first + 1 :]
    where = np.arange(prod(shape)).reshape(shape)[indexing._with(index, places)]
    parts = [step.operands[0]] if first and step.operands[0] is not None else []
    if step.operands[first] is not None:
        scipy, lengths = _scipy_sparse(), np.shape(step.args[first])
        lengths = lengths[max(len(lengths) - where.ndim, 0) :]  # without axes of length 1 in excess
        number = np.broadcast_to(np.arange(prod(lengths)).reshape(lengths), where.shape)
        ones = np.ones(where.size, np.intp)
        puts = scipy.csr_array((ones, (where.ravel(), number.ravel())), shape=(prod(shape), np.size(step.args[first])))
        parts.append(scipy.csr_array((puts @ step.operands[first].astype(np.intp)).astype(bool)))  # type: ignore[union-attr]
    return step.total(parts)


def _along(step: _Propagation) -> Pattern:
    """All elements along the axes together, whether the axes stay or go."""
    (x,) = step.args
    axis = step.params["axis"] if "axis" in step.params else step.params["axes"]
    axes = range(x.ndim) if axis is None else np.atleast_1d(np.asarray(axis)) % max(x.ndim, 1)
    lengths = [1 if i in axes else n for i, n in enumerate(x.shape)]
    if prod(lengths) != step.size and x.shape != step.shape:
        return _dense(step)
    groups = np.arange(prod(lengths)).reshape(lengths)
    united = step.united(0, np.broadcast_to(groups, x.shape))
    return united if prod(lengths) == step.size else united[np.broadcast_to(groups, x.shape).ravel()]


def _matmul(step: _Propagation) -> Pattern:
    """Each element of a product depends on a row and on a column."""
    a, b = (np.shape(x) for x in step.args[:2])
    full = (*step.shape[: len(step.shape) - (len(a) > 1) - (len(b) > 1)], *a[-2:-1], *(b[-1:] if len(b) > 1 else ()))
    parts = []
    for i in step.known():
        shape = (a, b)[i]
        contracted = len(shape) - 1 if i == 0 or len(shape) == 1 else len(shape) - 2
        lengths = [1 if axis == contracted else n for axis, n in enumerate(shape)]
        groups = np.arange(prod(lengths)).reshape(lengths)
        rows = np.squeeze(groups, contracted)
        if i == 0 and len(b) > 1 and len(a) > 1:
            rows = np.expand_dims(rows, -1)
        elif i == 1 and len(a) > 1 and len(b) > 1:
            rows = np.expand_dims(rows, -2)
        united = step.united(i, np.broadcast_to(groups, shape))
        parts.append(united[np.broadcast_to(rows, full).ravel()])
    return step.total(parts)


def _linear(step: _Propagation) -> Pattern:
    x, weight, bias = step.args
    parts = []
    if step.operands[0] is not None:
        groups = np.arange(prod(x.shape[:-1])).reshape(*x.shape[:-1], 1)
        parts.append(step.united(0, np.broadcast_to(groups, x.shape))[np.broadcast_to(groups, step.shape).ravel()])
    if step.operands[1] is not None:
        groups = np.arange(len(weight))[:, None]
        united = step.united(1, np.broadcast_to(groups, weight.shape))
        parts.append(united[np.broadcast_to(groups[:, 0], step.shape).ravel()])
    if step.operands[2] is not None:
        parts.append(step.chosen(2, _numbers_of(bias)))
    return step.total(parts)


def _sparse_product(step: _Propagation) -> Pattern:
    if step.args[0].ndim != 1:
        return _dense(step)
    scipy = _scipy_sparse()
    matrix = scipy.csr_array(step.params["matrix"] != 0).astype(np.intp)
    return scipy.csr_array((matrix @ step.operands[0].astype(np.intp)).astype(bool))  # type: ignore[union-attr]


def _dense(step: _Propagation) -> Pattern:
    """Every element depends on all that there is."""
    scipy = _scipy_sparse()
    parts = [step.united(i, np.zeros(np.size(step.args[i]), np.intp)) for i in step.known() if np.size(step.args[i])]
    if not parts:
        width = next(p for p in step.operands if p is not None).shape[1]
        return scipy.csr_array((step.size, width), dtype=bool)
    return scipy.csr_array(step.total(parts))[np.zeros(step.size, np.intp)]


_RULES: dict[Any, Callable[[_Propagation], Pattern]] = {
    getattr(f, "primitive"): rule  # noqa: B009  # which functions made by `primitive` have
    for f, rule in (
        (indexing._getitem, _getitem),
        (indexing._scatter, _written),
        (indexing._add_at, _written),
        (indexing._setitem, _written),
        (linalg.matmul, _matmul),
        (linear_layer._linear, _linear),
        (sparse.sparse_product, _sparse_product),
    )
}
