"""Lists that hold Tensors, in the place of arrays: they are joined, and the graph goes on through them."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors
from tests.rows import each


def leaves():
    return mg.tensor(3.0, requires_grad=True), mg.tensor(4.0, requires_grad=True)


@each(("compute", "value", "gradient"), [
    (lambda a, b: mg.prod([a, b]), 12, (4, 3)),
    (lambda a, b: mg.prod([[a, 1.0], [2.0, b]]), 24, (8, 6)),
    (lambda a, b: mg.median((a, b, 0.0)), 3, (1, 0)),
    (lambda a, b: mg.topk([a, b], 1).values.sum(), 4, (0, 1)),
    (lambda a, b: mg.cummax([b, a]).values.sum(), 8, (0, 2)),
    (lambda a, b: mg.scatter_add([a, b], [0, 0], [b, b])[0], 11, (1, 2)),
    (lambda a, b: mg.average([a, b], weights=[1.0, 3.0]), 3.75, (0.25, 0.75)),
    (lambda a, b: mg.mean([a, b]), 3.5, (0.5, 0.5)),
    (lambda a, b: mg.sum([[a, 1.0], [2.0, b]], axis=0)[1], 5, (0, 1)),
    (lambda a, b: mg.max([a, b]), 4, (0, 1)),
    (lambda a, b: mg.exp([a - 3, b])[0], 1, (1, 0)),
    (lambda a, b: mg.logsumexp([a, a]), 3 + np.log(2), (1, 0)),
    (lambda a, b: mg.stack([[a, 1.0], [2.0, b]])[1, 1], 4, (0, 1)),
    (lambda a, b: mg.matmul(np.ones(2), [a, b]), 7, (1, 1)),
    (lambda a, b: (mg.ones(2) * [a, b]).sum(), 7, (1, 1)),
    (lambda a, b: ([a, b] * mg.ones(2)).sum(), 7, (1, 1)),
    (lambda a, b: mg.where([True, False], [a, 1.0], [b, b]).sum(), 7, (1, 1)),
    (lambda a, b: np.mean(mg.stack([a, b])), 3.5, (0.5, 0.5)),
    (lambda a, b: np.linalg.norm(np.stack([a, b])), 5, (0.6, 0.8)),
])  # fmt: skip
def test_a_list_of_tensors_is_an_array(compute, value, gradient):
    a, b = leaves()
    y = compute(a, b)
    assert y.item() == pytest.approx(value)
    y.backward()
    found = [0 if x.grad is None else x.grad.item() for x in (a, b)]
    np.testing.assert_allclose(found, gradient)


@pytest.mark.parametrize("convert", [np.mean, np.sum, np.max, np.array, np.exp, np.linalg.norm, mg.tensor, mg.asarray])
def test_what_makes_an_array_of_a_list_first_is_refused(convert):
    with pytest.raises(errors.CutError, match=r"minigrad\.stack\(\[t, u\]\)"):
        convert([*leaves()])


def test_rows_of_different_lengths_are_refused():
    a, b = leaves()
    with pytest.raises(errors.ShapeError):
        mg.prod([[a], [a, b]])
