"""Elements picked by their order and written by index: ties, NaN, infinities, dtypes, and what is refused.

The values are those of the definitions; what PyTorch says is compared in `test_picking_references`.
"""

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors
from tests.rows import each

NAN, INF = np.nan, np.inf


def weighted(f):
    """A number of an array: the sum of the elements times 1, 10, 100, ..."""
    return lambda *args: (f(*args) * 10.0 ** np.arange(len(f(*args)))).sum()


# The largest and the smallest


def test_of_equal_elements_the_first_are_taken():
    x = np.array([2.0, 5.0, 5.0, 1.0, 5.0])
    assert mg.topk(x, 2).indices.tolist() == [1, 2]
    assert mg.topk(x, 4).indices.tolist() == [1, 2, 4, 0]
    assert mg.topk(-x, 2, largest=False).indices.tolist() == [1, 2]
    np.testing.assert_array_equal(mg.grad(weighted(lambda x: mg.topk(x, 3).values))(x), [0, 1, 10, 0, 100])


def test_nan_is_larger_than_all_numbers():
    x = np.array([NAN, INF, 1.0, NAN])
    assert mg.topk(x, 3).indices.tolist() == [0, 3, 1]
    assert mg.topk(x, 2, largest=False).indices.tolist() == [2, 1]


def test_unsorted_means_in_the_order_of_the_array():
    x = np.array([[1.0, 9.0, 3.0, 7.0], [4.0, 2.0, 8.0, 6.0]])
    assert mg.topk(x, 2, sorted=False).indices.tolist() == [[1, 3], [2, 3]]
    assert mg.topk(x, 1, axis=0, sorted=False).values.tolist() == [[4, 9, 8, 7]]


def test_nothing_and_a_single_number():
    assert mg.topk(np.ones((2, 3)), 0).values.shape == (2, 0)
    np.testing.assert_array_equal(mg.grad(lambda x: mg.topk(x, 0).values.sum())(np.ones(3)), np.zeros(3))
    values, indices = mg.topk(mg.tensor(3.0, requires_grad=True), 1)
    assert (values.shape, indices.shape, indices.item()) == ((), (), 0)
    values.backward()
    for running in (mg.cummax, mg.cummin):
        assert [part.shape for part in running(mg.tensor(2.0))] == [(), ()]
    assert mg.logcumsumexp(2.0).shape == ()


def test_results_are_of_the_kind_of_the_operand():
    x = np.array([1.0, 2.0], np.float32)
    for function in (lambda x: mg.topk(x, 1), mg.cummax, mg.cummin):
        assert [type(part) for part in function(x)] == [np.ndarray, np.ndarray]
        values, indices = function(mg.tensor(x, requires_grad=True))
        assert (values.dtype, values.requires_grad) == (np.float32, True)
        assert (indices.dtype, indices.requires_grad) == (np.int64, False)
    assert mg.topk([1, 3, 2], np.int8(2)).values.tolist() == [3, 2]
    assert mg.topk([1, 3, 2], mg.tensor(2)).values.tolist() == [3, 2]
    assert mg.logcumsumexp(np.ones(2, np.float16)).dtype == np.float16
    assert mg.logcumsumexp([0, 0]).dtype == np.float64


# Running


def test_from_a_nan_on_a_running_extreme_is_nan():
    x = np.array([1.0, 4.0, NAN, 9.0, NAN, 0.0])
    for running, first in ((mg.cummax, 1), (mg.cummin, 0)):
        values, indices = running(x)
        np.testing.assert_array_equal(values, [1, x[first], NAN, NAN, NAN, NAN])
        assert indices.tolist() == [0, first, 2, 2, 4, 4]
        np.testing.assert_array_equal(
            mg.grad(weighted(lambda x, running=running: running(x).values))(np.nan_to_num(x, nan=0.5)),
            [1, 1e1 + 1e2, 0, 1e3 + 1e4 + 1e5, 0, 0] if running is mg.cummax else [11, 0, 1e2 + 1e3, 0, 1e4, 1e5],
        )


def test_the_running_logarithm_of_a_sum_at_infinities():
    f = mg.grad(lambda x: mg.logcumsumexp(x).sum())
    np.testing.assert_array_equal(mg.logcumsumexp(np.array([-INF, -INF, 0.0, INF, 1.0])), [-INF, -INF, 0, INF, INF])
    np.testing.assert_array_equal(f(np.array([-INF, -INF, 0.0])), [0, 0, 1])
    np.testing.assert_array_equal(f(np.array([0.0, INF, 1.0])), [1, 2, 0])  # the limits
    np.testing.assert_array_equal(
        mg.hessian(lambda x: mg.logcumsumexp(x).sum())(np.array([-INF, 0.0])), np.zeros((2, 2))
    )
    large = np.array([1e4, 1e4, -1e4])
    np.testing.assert_allclose(f(large), [1 + 0.5 + 0.5, 0.5 + 0.5, 0])
    np.testing.assert_allclose(f(large.astype(np.float32)), [2, 1, 0])


def test_nan_that_is_not_used_does_no_harm():
    x = np.array([1.0, 2.0, NAN])
    np.testing.assert_allclose(mg.grad(lambda x: mg.logcumsumexp(x)[0])(x), [1, 0, 0])
    np.testing.assert_allclose(mg.grad(lambda x: mg.cumulative_prod(x)[1])(x), [2, 1, 0])


# Written by index


def test_of_several_elements_for_one_place_the_last_one_stays():
    x, index, src = np.zeros(3), np.array([1, 1, 0, 1]), np.array([5.0, 6.0, 7.0, 8.0])
    np.testing.assert_array_equal(mg.scatter(x, index, src), [7, 8, 0])
    by_x, by_src = mg.grad(weighted(lambda x, s: mg.scatter(x, index, s)), argnums=(0, 1))(x, src)
    np.testing.assert_array_equal(by_x, [0, 0, 100])
    np.testing.assert_array_equal(by_src, [0, 0, 1, 10])


@pytest.mark.parametrize(("reduce", "sign"), [("amax", 1), ("amin", -1)])
def test_equal_extremes_share_the_gradient(reduce, sign):
    index, x, src = np.array([0, 0, 0, 1, 1]), np.array([4.0, 4.0]) * sign, np.array([4.0, 1, 4, 2, 3]) * sign

    def shares(include_self):
        f = weighted(lambda x, s: mg.scatter_reduce(x, index, s, reduce, include_self=include_self))
        return mg.grad(f, argnums=(0, 1))(x, src)

    np.testing.assert_allclose(np.concatenate(shares(True)), [1 / 3, 10, 1 / 3, 0, 1 / 3, 0, 0])
    np.testing.assert_allclose(np.concatenate(shares(False)), [0, 0, 1 / 2, 0, 1 / 2, 0, 10])


def test_nan_is_an_extreme_and_has_the_gradient():
    f = lambda x, s: mg.scatter_reduce(x, np.array([0, 0, 1]), s, "amax")  # noqa: E731
    x, src = np.array([1.0, NAN]), np.array([NAN, 2.0, 3.0])
    np.testing.assert_array_equal(f(x, src), [NAN, NAN])
    np.testing.assert_array_equal(np.concatenate(mg.grad(weighted(f), (0, 1))(x, src)), [0, 10, 1, 0, 0])


@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
def test_products_with_zeros_have_all_derivatives(zeros):
    values = np.where(np.arange(4) < zeros, 0.0, np.array([2.0, 3.0, 5.0, 7.0]))

    def product(v):
        return mg.scatter_reduce(v[:1], np.zeros(3, int), v[1:], "prod")[0]

    np.testing.assert_allclose(product(values), values.prod())
    np.testing.assert_allclose(mg.grad(product)(values), [np.delete(values, i).prod() for i in range(4)])
    expected = [[np.delete(values, [i, j]).prod() if i != j else 0 for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(mg.hessian(product)(values), expected)


def test_products_of_many_elements_are_made_of_few_operations():
    src = mg.tensor(np.full(1000, 1.001), requires_grad=True)
    index = np.arange(1000) % 3
    y = mg.scatter_reduce(mg.ones(3), index, src, "prod")
    np.testing.assert_allclose(y.detach(), 1.001 ** np.bincount(index))
    assert len(mg.graph.capture(y)) < 100


def test_integers_and_halves_are_not_rounded_on_the_way():
    big = np.array([2**60 + 1, 2**60 + 2])
    assert mg.scatter_add(np.zeros(2, int), [1, 1], big).tolist() == [0, 2**61 + 3]
    assert mg.scatter_reduce(np.zeros(2, int), [0, 0], [-7, 0], "mean").tolist() == [-3, 0]  # -7/3 rounded down
    assert mg.scatter_reduce(np.ones(2, np.uint8), [0, 0], np.array([3, 5], np.uint8), "amax").tolist() == [5, 1]
    many = mg.tensor(np.ones(70_000, np.float16), requires_grad=True)
    mean = mg.scatter_reduce(np.ones(1, np.float16), np.zeros(70_000, int), many, "mean")
    assert mean.tolist() == [1]
    mean.sum().backward()
    np.testing.assert_allclose(many.grad[0].item(), 1 / 70_001, rtol=0.01)


def test_the_source_has_the_dtype_of_what_it_is_written_to():
    x = np.zeros(2, np.float32)
    src = mg.tensor([1.5], requires_grad=True)
    y = mg.scatter(x, [1], src)
    assert y.dtype == np.float32
    y.sum().backward()
    assert src.grad.dtype == np.float64
    assert mg.scatter(x, [1], 2).dtype == np.float32


X = np.zeros((2, 3))


@each(("kind", "words", "call"), [
    (errors.ArgumentError, "k is 4.*3 elements", lambda: mg.topk(X, 4)),
    (errors.ArgumentError, "k is -1", lambda: mg.topk(X, -1)),
    (errors.DTypeError, "integer, not 1.5", lambda: mg.topk(X, 1.5)),
    (errors.DTypeError, "integer, not True", lambda: mg.topk(X, True)),
    (errors.AxisError, "axis 2", lambda: mg.topk(X, 1, axis=2)),
    (errors.DTypeError, "no order", lambda: mg.topk(X + 0j, 1)),
    (errors.DTypeError, "no order", lambda: mg.cummax(X + 0j, 0)),
    (errors.DTypeError, "no order", lambda: mg.logcumsumexp(X + 0j, 0)),
    (errors.ShapeError, "needs an axis", lambda: mg.cummin(X)),
    (errors.AxisError, "axis 2", lambda: mg.cummin(X, 2)),
    (errors.AxisError, "axis 1", lambda: mg.cummin(1.0, 1)),
    (errors.IndexingError, "index -1.*do not count from the end", lambda: mg.scatter(X, [[-1]], 1.0)),
    (errors.IndexingError, "index 3.*axis 1 has 3 places", lambda: mg.scatter(X, [[3]], 1.0)),
    (errors.IndexingError, "index of integers", lambda: mg.scatter(X, [[0.0]], 1.0)),
    (errors.IndexingError, "index of integers", lambda: mg.scatter(X, [[True]], 1.0)),
    (errors.IndexingError, "as many axes", lambda: mg.scatter(X, [0], 1.0)),
    (errors.IndexingError, "as many axes", lambda: mg.scatter(X, 0, [0], [1.0])),
    (errors.IndexingError, "must not be longer", lambda: mg.scatter(X, [[0], [0], [0]], 1.0)),
    (errors.ShapeError, "an element for each", lambda: mg.scatter(X, [[0, 1]], [[1.0]])),
    (errors.ShapeError, "an element for each", lambda: mg.scatter(X, [[0, 1]], [1.0, 2.0])),
    (errors.AxisError, "axis 2", lambda: mg.scatter(X, [[0]], 1.0, axis=2)),
    (errors.DTypeError, "complex128 into an array of float64", lambda: mg.scatter(X, [[0]], 1j)),
    (errors.DTypeError, "float64 into an array of int64", lambda: mg.scatter(np.zeros(2, int), [0], 1.5)),
    (errors.ArgumentError, "no reduction 'max'.*'amax'", lambda: mg.scatter_reduce(X, [[0]], 1.0, "max")),
    (errors.DTypeError, "no order", lambda: mg.scatter_reduce(X + 0j, [[0]], 1.0, "amin")),
    (errors.UnsupportedError, "minigrad.scatter", lambda: np.put_along_axis(mg.tensor(X), X.astype(int), 1.0, 0)),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(kind, words, call):
    with pytest.raises(kind, match=words):
        call()
