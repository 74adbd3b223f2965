"""Every row of the op table, with its gradients: `vmap` gives what a loop over the samples gives."""

import itertools
import warnings

import numpy as np

import minigrad as mg
from tests.op_tables import TABLE
from tests.program.same import other_numbers, weights
from tests.program.test_replay import OF_UNKNOWN_FORM, with_gradients
from tests.rows import each

SAMPLES = ["as it is", "smaller", "elsewhere"]


def batch(x):
    """Several arrays of the same form."""
    return np.stack([x if how == "as it is" else other_numbers(x, how) for how in SAMPLES])


def subsets(count):
    """Which operands have a batch: all, each alone, and for up to three operands all choices."""
    if count <= 3:
        return [s for s in itertools.product([True, False], repeat=count) if any(s)]
    return [(True,) * count, *(tuple(i == j for j in range(count)) for i in range(count))]


def assert_close(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        a, b = (np.asarray(x.detach() if isinstance(x, mg.Tensor) else x) for x in (a, b))
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        if a.dtype.kind not in "fc":
            np.testing.assert_array_equal(a, b)
            continue
        finite = np.abs(b[np.isfinite(b)])
        eps = np.finfo(a.dtype).eps
        np.testing.assert_allclose(a, b, rtol=5e3 * eps, atol=5e3 * eps * max(1.0, finite.max(initial=0.0)))


def looped(compute, batches, mapped, axis, size=3):
    rows = []
    for i in range(size):
        given = [np.take(x, i, axis=axis) if m else x for x, m in zip(batches, mapped, strict=True)]
        rows.append([np.asarray(y.detach()) for y in compute(*map(mg.tensor, given))])
    return [np.stack(ys) for ys in zip(*rows, strict=True)]


def mapped_is_looped(case, mapped, axis=0):
    compute = with_gradients(case)
    arrays = [x for x in case.operands if isinstance(x, np.ndarray)]
    batches = [np.moveaxis(batch(x), 0, axis) if m else x for x, m in zip(arrays, mapped, strict=True)]
    in_axes = tuple(axis if m else None for m in mapped)
    try:
        expected = looped(compute, batches, mapped, axis)
    except (mg.errors.MinigradError, ValueError, ZeroDivisionError):  # these numbers are not for this operation
        return False
    tensors = [mg.tensor(x) for x in batches]
    with np.errstate(all="ignore"):
        assert_close(mg.vmap(compute, in_axes)(*tensors), expected)
    return True


def as_nested(case):
    """A batch of batches: the outer one of the first operand, the inner one of all others, and of that of the first."""
    compute = with_gradients(case)
    arrays = [x for x in case.operands if isinstance(x, np.ndarray)]
    first = np.stack([batch(arrays[0]), batch(arrays[0])[::-1]], axis=1)  # (samples, 2, ...)
    others = [batch(x)[:2] for x in arrays[1:]]
    axes = (0, *(None for _ in others)), (0,) * len(arrays)
    try:
        expected = [
            np.stack(ys)
            for ys in zip(
                *(looped(compute, [first[i], *others], (True,) * len(arrays), 0, 2) for i in range(len(SAMPLES))),
                strict=True,
            )
        ]
    except (mg.errors.MinigradError, ValueError, ZeroDivisionError):
        return False
    tensors = [mg.tensor(x) for x in (first, *others)]
    with np.errstate(all="ignore"):
        assert_close(mg.vmap(mg.vmap(compute, axes[1]), axes[0])(*tensors), expected)
    return True


CASES = [
    case
    for row in TABLE
    if row.name not in OF_UNKNOWN_FORM
    for case in row.cases
    if any(isinstance(x, np.ndarray) for x in case.operands)
]


@each("case", CASES, row=lambda case: case.row.name)
def test_mapped_is_looped(case):
    arrays = [x for x in case.operands if isinstance(x, np.ndarray)]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="vmap.* (for one sample after another|one sample after another)")
        for mapped in subsets(len(arrays)):
            mapped_is_looped(case, mapped)
            least = min(x.ndim for x, m in zip(arrays, mapped, strict=True) if m)
            if least:
                mapped_is_looped(case, mapped, axis=least)


@each("case", CASES, row=lambda case: case.row.name)
def test_mapped_twice_is_looped_twice(case):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="vmap.* (for one sample after another|one sample after another)")
        as_nested(case)


FIRST = [next(iter(cases)) for _, cases in itertools.groupby(CASES, lambda case: case.row.name)]


@each("case", [case for case in FIRST if case.row.orders and case.floats()], row=lambda case: case.row.name)
def test_gradients_through_the_mapped_function(case):
    """Of all operands, each with a batch, by the results of all samples."""
    arrays = [x for x in case.operands if isinstance(x, np.ndarray)]
    batches = [batch(x) for x in arrays]

    def compute(*arrays):
        rest = iter(arrays)
        results = case(*[next(rest) if isinstance(x, np.ndarray) else x for x in case.operands])
        results = [mg.asarray(x) for x in (results if isinstance(results, list | tuple) else [results])]
        return sum(mg.sum(mg.real(y * weights(y))) for y in results if y.dtype.kind in "fc")

    numbers = tuple(i for i, x in enumerate(arrays) if x.dtype.kind == "f")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.filterwarnings("ignore", message="vmap.* (for one sample after another|one sample after another)")
        try:
            rows = [mg.grad(compute, numbers)(*[x[i] for x in batches]) for i in range(len(SAMPLES))]
        except (mg.errors.MinigradError, ValueError, ZeroDivisionError):
            return
        expected = [np.stack(column) for column in zip(*rows, strict=True)]
        total = mg.grad(lambda *xs: mg.sum(mg.vmap(compute)(*xs)), numbers)
        assert_close(total(*batches), expected)


def test_so_many_samples_were_compared():
    """The numbers of the batches are ones for which the operations are defined."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compared = [mapped_is_looped(c, (True,) * sum(isinstance(x, np.ndarray) for x in c.operands)) for c in FIRST]
        compared_twice = [as_nested(case) for case in FIRST]
    assert len(FIRST) > 450
    assert np.mean(compared) > 0.98
    assert np.mean(compared_twice) > 0.98


def test_nine_of_ten_rows_are_computed_for_all_samples_at_once():
    """A rule that gives up, or an operation that depends on its values, is looped over with a warning."""
    looped_over = []
    for case in FIRST:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            mapped_is_looped(case, (True,) * sum(isinstance(x, np.ndarray) for x in case.operands))
        if any("one sample after another" in str(warning.message) for warning in caught):
            looped_over.append(case.row.name)
    assert len(looped_over) < 0.1 * len(FIRST), looped_over


def test_nearly_all_operations_have_a_rule():
    """But for those that belong to the running of programs, and to the steps of optimizers."""
    import minigrad.testing.strategies  # noqa: F401  # with all modules that have operations
    from minigrad.core import primitives
    from minigrad.mapping.rules import rule_of

    own = {call.primitive for call in primitives.values() if call.primitive.ours}
    ruled = {made for made in own if rule_of(made) is not None}
    by_loop = sorted(made.name for made in own - ruled)
    assert len(ruled) >= 0.9 * len(own), by_loop
