"""Distances, angles and norms; and the softmax by clusters."""

import numpy as np
import pytest
import scipy.spatial.distance as spd

import minigrad as mg
from minigrad import errors, nn

F = nn.functional
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 3))


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, np.inf])
def test_distances(p):
    metric = "chebyshev" if p == np.inf else "minkowski"
    options = {} if p == np.inf else {"p": p}
    np.testing.assert_allclose(F.pdist(X, p), spd.pdist(X, metric, **options))
    expected = np.diag(spd.cdist(X, Y, metric, **options))
    np.testing.assert_allclose(F.pairwise_distance(X, Y, p, eps=0.0), expected)
    assert F.pairwise_distance(X, Y, p, keepdim=True).shape == (5, 1)
    np.testing.assert_allclose(F.pairwise_distance(X, Y[0], p), F.pairwise_distance(X, Y[:1], p))


def test_few_rows():
    assert F.pdist(X[:1]).shape == F.pdist(X[:0]).shape == (0,)
    x = mg.tensor(X[:1], requires_grad=True)
    F.pdist(x).sum().backward()
    assert x.grad.tolist() == [[0.0] * 3]


def test_angles():
    np.testing.assert_allclose(F.cosine_similarity(X, Y), 1 - np.diag(spd.cdist(X, Y, "cosine")))
    np.testing.assert_allclose(F.cosine_similarity(1e150 * X, 1e-150 * X, eps=0.0), 1)
    assert F.cosine_similarity(X, 0 * X).tolist() == [0.0] * 5
    np.testing.assert_allclose(F.cosine_similarity(X, Y, dim=0), F.cosine_similarity(X.T, Y.T))


def test_vectors_are_repeated_before_they_are_measured():
    assert F.cosine_similarity(np.ones((1, 1)), np.ones((1, 2))) == pytest.approx(1, rel=1e-15)
    ones, x = np.ones((4, 1)), mg.tensor(X[:4], requires_grad=True)
    np.testing.assert_allclose(F.cosine_similarity(ones, x).data, F.cosine_similarity(np.ones((4, 3)), X[:4]))
    for v in (1e-200, 1e-9, 1.0, 1e150):
        lengths = np.maximum(v * np.hypot(1, 2), 1e-8) * np.hypot(3, 1)  # as PyTorch has it
        found = F.cosine_similarity(np.array([v, 2 * v]), np.array([3.0, 1.0]), dim=0)
        np.testing.assert_allclose(found, 5 * v / lengths, rtol=1e-14)
    with pytest.raises(errors.DTypeError, match="cosine_similarity is for real vectors"):
        F.cosine_similarity(X + 1j, Y)


def test_normalized_vectors():
    for p in (1, 2, 3, np.inf):
        np.testing.assert_allclose(np.linalg.norm(F.normalize(X, p), p, axis=1), 1)
    assert F.normalize(np.zeros((1, 3))).tolist() == [[0.0] * 3]
    np.testing.assert_allclose(np.linalg.norm(F.normalize(X, dim=(0, 1))), 1)


@pytest.mark.parametrize(("call", "text"), [
    (lambda: F.pairwise_distance(X, Y[:2]), r"pairwise_distance: vectors of shapes \(5, 3\) and \(2, 3\)"),
    (lambda: F.cosine_similarity(X, Y[:, :2]), r"cosine_similarity: vectors of shapes \(5, 3\) and \(5, 2\)"),
    (lambda: F.cosine_similarity(X, Y, dim=2), "axis 2 is out of bounds"),
    (lambda: F.normalize(X[0]), "axis 1 is out of bounds"),
    (lambda: F.pdist(X[0]), r"pdist is for a matrix of row vectors, and this has shape \(3,\)"),
])  # fmt: skip
def test_what_has_no_distance(call, text):
    with pytest.raises(errors.ShapeError, match=text):
        call()


# AdaptiveLogSoftmaxWithLoss


@pytest.fixture
def clusters():
    mg.manual_seed(0)
    return nn.AdaptiveLogSoftmaxWithLoss(4, 10, [3, 6], div_value=2.0)


def test_the_probabilities_of_all_classes(clusters):
    x = RNG.normal(size=(6, 4))
    logs = clusters.log_prob(x).data
    np.testing.assert_allclose(np.exp(logs).sum(axis=1), 1)
    label = np.array([0, 2, 3, 5, 6, 9])
    output, loss = clusters(x, label)
    np.testing.assert_allclose(output.data, logs[np.arange(6), label])
    np.testing.assert_allclose(loss.item(), -output.data.mean())
    np.testing.assert_array_equal(clusters.predict(x), logs.argmax(axis=1))
    one = clusters(x[3], label[3])
    assert one.output.shape == ()
    np.testing.assert_allclose(one.output.item(), output[3].item())


def test_only_the_clusters_that_occur_are_trained(clusters):
    clusters(RNG.normal(size=(2, 4)), [0, 4]).loss.backward()
    assert clusters.tail[0][0].weight.grad is not None
    assert clusters.tail[1][0].weight.grad is None
    assert [p.shape for p in clusters.parameters()] == [(5, 4), (2, 4), (3, 2), (1, 4), (4, 1)]


@pytest.mark.parametrize("cutoffs", [[], [0, 3], [3, 3], [6, 3], [3, 10]])
def test_cutoffs_rise(cutoffs):
    with pytest.raises(errors.ArgumentError, match=r"cutoffs must rise, from 1 to n_classes - 1 \(9\), not"):
        nn.AdaptiveLogSoftmaxWithLoss(4, 10, cutoffs)


def test_what_does_not_fit_the_clusters(clusters):
    x = np.ones((2, 4))
    with pytest.raises(
        errors.ShapeError, match=r"AdaptiveLogSoftmaxWithLoss: 4 features are wanted, not shape \(2, 3\)"
    ):
        clusters(x[:, :3], [0, 1])
    with pytest.raises(errors.ShapeError, match=r"AdaptiveLogSoftmaxWithLoss: labels of shape \(3,\)"):
        clusters(x, [0, 1, 2])
    with pytest.raises(errors.IndexingError, match="label 10 is not one of the classes 0 to 9"):
        clusters(x, [0, 10])
