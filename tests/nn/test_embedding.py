"""Tables: which rows, with which gradients, and what is not a row."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, nn
from tests.rows import each

F = nn.functional
RNG = np.random.default_rng(0)
TABLE = RNG.normal(size=(5, 3))
WORDS = np.array([[1, 2, 1], [0, 2, 4]])
LINE, STARTS = np.array([1, 2, 1, 0, 2, 4, 4]), np.array([0, 3, 3, 5])  # the second bag is empty


def gradient(function, *args, **options):
    table = mg.tensor(TABLE, requires_grad=True)
    function(args[0], table, *args[1:], **options).sum().backward()
    return table.grad.numpy()


# Rows


@each("dtype", [np.int8, np.uint8, np.int32, np.uint64, int])
@each("shape", [(), (3,), (2, 3), (1, 3, 2), (0,), (2, 0)])
def test_rows_of_any_shape(shape, dtype):
    words = np.resize(WORDS, shape).astype(dtype)
    for given in (words, mg.tensor(words), words.tolist()):
        np.testing.assert_array_equal(F.embedding(given, TABLE), TABLE[words.astype(int)])


@pytest.mark.parametrize("lookup", [
    lambda rows: F.embedding(rows, TABLE), lambda rows: F.embedding_bag(np.array([rows]), TABLE),
    lambda rows: nn.Embedding(5, 3)(rows), lambda rows: nn.EmbeddingBag(5, 3)(np.array(rows), [0]),
])  # fmt: skip
@each("row", [-1, -5, 5, 100, 2**40])
def test_rows_are_in_range_and_never_wrap(lookup, row):
    with pytest.raises(errors.IndexingError, match=f"index {row} is not one of the rows 0 to 4"):
        lookup([0, row])


def test_rows_are_integers():
    for rows in (np.array([1.0]), np.array([True])):
        with pytest.raises(errors.DTypeError, match=f"embedding: indices must be integers, not {rows.dtype}"):
            F.embedding(rows, TABLE)
    with pytest.raises(errors.ShapeError, match=r"the axes \(num_embeddings, embedding_dim\), not shape \(3,\)"):
        F.embedding([0], TABLE[0])


def test_gradients_of_rows():
    np.testing.assert_array_equal(gradient(F.embedding, WORDS), np.outer([1, 2, 2, 0, 1], [1, 1, 1]))
    np.testing.assert_array_equal(gradient(F.embedding, WORDS, padding_idx=2), np.outer([1, 2, 0, 0, 1], [1, 1, 1]))
    np.testing.assert_array_equal(gradient(F.embedding, WORDS, padding_idx=-1), np.outer([1, 2, 2, 0, 0], [1, 1, 1]))
    np.testing.assert_array_equal(
        gradient(F.embedding, WORDS, scale_grad_by_freq=True), np.outer([1, 1, 1, 0, 1], [1, 1, 1])
    )


def test_a_padding_row_passes_no_second_gradient_either():
    table = mg.tensor(TABLE, requires_grad=True)
    y = (F.embedding(WORDS, table, padding_idx=2) ** 2).sum()
    (g,) = mg.autograd.grad(y, table, create_graph=True)
    (h,) = mg.autograd.grad((g**2).sum(), table)
    counts = np.array([1, 2, 0, 0, 1.0])[:, None]
    np.testing.assert_allclose(g.detach(), 2 * counts * TABLE)
    np.testing.assert_allclose(h, 8 * counts**2 * TABLE)


def test_the_padding_row_starts_at_zero_and_stays():
    layer = nn.Embedding(5, 3, padding_idx=-2)
    assert layer.padding_idx == 3
    assert layer.weight[3].tolist() == [0, 0, 0]
    optimizer = mg.optim.SGD(layer.parameters(), lr=1.0)
    layer([3, 1]).sum().backward()
    optimizer.step()
    assert layer.weight[3].tolist() == [0, 0, 0]
    layer.reset_parameters()
    assert layer.weight[3].tolist() == [0, 0, 0]


@pytest.mark.parametrize("padding", [5, -6])
@pytest.mark.parametrize("make", [
    lambda p: nn.Embedding(5, 3, padding_idx=p), lambda p: nn.EmbeddingBag(5, 3, padding_idx=p),
    lambda p: F.embedding([0], TABLE, padding_idx=p), lambda p: F.embedding_bag(WORDS, TABLE, padding_idx=p),
])  # fmt: skip
def test_the_padding_row_is_a_row(make, padding):
    with pytest.raises(errors.ArgumentError, match=f"padding_idx {padding} is not one of 5 rows"):
        make(padding)


def test_long_rows_are_shortened_in_place_where_they_are_used():
    table = mg.tensor(TABLE, requires_grad=True)
    before = np.linalg.norm(TABLE, axis=1)
    y = F.embedding([0, 1, 1], table, max_norm=1.0)
    after = np.linalg.norm(table.data, axis=1)
    np.testing.assert_allclose(after[:2], np.minimum(before[:2], 1), rtol=1e-6)
    np.testing.assert_array_equal(after[2:], before[2:])
    np.testing.assert_array_equal(y.data, table.data[[0, 1, 1]])
    array = TABLE.copy()
    F.embedding([2], array, max_norm=0.1, norm_type=1.0)
    assert np.abs(array[2]).sum() == pytest.approx(0.1)


def test_shortening_makes_old_graphs_stale():
    table = mg.tensor(10.0 * TABLE, requires_grad=True)
    loss = (table * table).sum()
    F.embedding([0], table, max_norm=1.0)
    with pytest.raises(errors.StaleValueError):
        loss.backward()


def test_a_given_table():
    layer = nn.Embedding.from_pretrained(TABLE)
    assert not layer.weight.requires_grad
    assert not np.shares_memory(layer.weight.data, TABLE)
    np.testing.assert_array_equal(layer(WORDS), TABLE[WORDS])
    layer = nn.Embedding.from_pretrained(mg.tensor(TABLE), freeze=False, padding_idx=1)
    assert layer.weight.requires_grad
    np.testing.assert_array_equal(layer.weight.detach(), TABLE)
    assert nn.Embedding.from_pretrained(TABLE.astype(np.float32)).weight.dtype == np.float32
    assert nn.EmbeddingBag.from_pretrained(TABLE, mode="sum").mode == "sum"
    with pytest.raises(errors.ShapeError, match=r"from_pretrained: the table has two axes, not shape \(3,\)"):
        nn.Embedding.from_pretrained(TABLE[0])


# Bags


def bags(rows, starts, mode, weights=None, padding=None):
    ends = [*starts[1:], len(rows)]
    out = []
    for a, b in zip(starts, ends, strict=True):
        use = [i for i in range(a, b) if rows[i] != padding]
        part = TABLE[rows[use]] * (1 if weights is None else weights[use][:, None])
        reduce = {"sum": np.sum, "mean": np.mean, "max": np.max}[mode]
        out.append(reduce(part, axis=0) if use else np.zeros(3))
    return np.array(out)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("padding", [None, 2, 4])
def test_bags_are_what_loops_make(mode, padding):
    how = {"mode": mode, "padding_idx": padding}
    expected = bags(LINE, STARTS, mode, padding=padding)
    np.testing.assert_allclose(F.embedding_bag(LINE, TABLE, STARTS, **how), expected)
    last = np.append(STARTS, len(LINE))
    np.testing.assert_allclose(F.embedding_bag(LINE, TABLE, last, **how, include_last_offset=True), expected)
    np.testing.assert_allclose(F.embedding_bag(WORDS, TABLE, **how), bags(WORDS.ravel(), [0, 3], mode, padding=padding))


def test_weights_of_single_rows():
    weights = RNG.normal(size=7)
    found = F.embedding_bag(LINE, TABLE, STARTS, mode="sum", per_sample_weights=weights)
    np.testing.assert_allclose(found, bags(LINE, STARTS, "sum", weights))

    def function(table, each):
        return F.embedding_bag(LINE, table, STARTS, mode="sum", per_sample_weights=each, padding_idx=1)

    assert mg.gradcheck(function, (TABLE, weights))


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_no_rows_and_no_bags(mode):
    assert F.embedding_bag(np.zeros((0, 3), int), TABLE, mode=mode).shape == (0, 3)
    assert F.embedding_bag(np.zeros(0, int), TABLE, np.zeros(0, int), mode=mode).shape == (0, 3)
    for rows, starts in ((np.zeros((2, 0), int), None), (np.zeros(0, int), [0, 0])):
        assert F.embedding_bag(rows, TABLE, starts, mode=mode).tolist() == [[0.0] * 3] * 2


def test_of_equal_maxima_the_first_has_the_gradient():
    assert gradient(F.embedding_bag, np.array([[1, 1]]), mode="max").sum(axis=0).tolist() == [1, 1, 1]


def test_gradients_are_divided_by_how_often_a_row_occurs():
    counts = np.bincount(LINE, minlength=5)
    plain = gradient(F.embedding_bag, LINE, STARTS, mode="sum")
    scaled = gradient(F.embedding_bag, LINE, STARTS, mode="sum", scale_grad_by_freq=True)
    np.testing.assert_allclose(scaled, plain / np.maximum(counts, 1)[:, None])


@each(("args", "options", "text"), [
    ((WORDS, TABLE), {"mode": "average"}, "mode must be 'sum', 'mean' or 'max', not 'average'"),
    ((WORDS, TABLE, [0, 3]), {}, "indices in rows need no offsets"),
    ((LINE, TABLE), {}, r"indices have shape \(B, L\), or \(N,\) with offsets, not \(7,\)"),
    ((LINE, TABLE, [1, 3]), {}, r"offsets must rise from 0 to at most 7, not \[1, 3\]"),
    ((LINE, TABLE, [0, 3, 2]), {}, "offsets must rise"),
    ((LINE, TABLE, [0, 8]), {}, "offsets must rise"),
    ((LINE, TABLE, []), {}, "offsets must rise"),
    ((LINE, TABLE, [[0, 3]]), {}, "offsets must rise"),
    ((WORDS, TABLE), {"per_sample_weights": np.ones((2, 3))}, "per_sample_weights go with mode='sum', not with 'mean'"),
    ((WORDS, TABLE), {"per_sample_weights": np.ones(5), "mode": "sum"}, "5 per_sample_weights do not fit 6 indices"),
    ((WORDS[None], TABLE), {}, r"not \(1, 2, 3\)"),
])  # fmt: skip
def test_what_makes_no_bags(args, options, text):
    with pytest.raises(errors.ArgumentError, match="embedding_bag: .*" + text):
        F.embedding_bag(*args, **options)


# One-hot


def test_one_hot():
    rows = F.one_hot(np.array([[2], [0]]), 4)
    assert rows.tolist() == [[[0, 0, 1, 0]], [[1, 0, 0, 0]]]
    assert rows.dtype == np.int64
    assert isinstance(F.one_hot(mg.tensor([1])), mg.Tensor)
    assert F.one_hot(1).tolist() == [0, 1]
    assert F.one_hot(np.zeros((0,), int), 3).shape == (0, 3)
    assert F.one_hot(np.array([1], np.uint8)).tolist() == [[0, 1]]


@pytest.mark.parametrize(("numbers", "classes", "exception", "text"), [
    ([-1, 0], -1, errors.IndexingError, "numbers must be from 0 to 0, not -1 to 0"),
    ([0, 3], 3, errors.IndexingError, "numbers must be from 0 to 2, not 0 to 3"),
    ([0, -2], 3, errors.IndexingError, "numbers must be from 0 to 2, not -2 to 0"),
    ([0.0], -1, errors.DTypeError, "classes must be integers, not float64"),
    (np.zeros(0, int), -1, errors.ArgumentError, "give num_classes"),
])  # fmt: skip
def test_what_is_no_class(numbers, classes, exception, text):
    with pytest.raises(exception, match="one_hot: .*" + text):
        F.one_hot(numbers, classes)
