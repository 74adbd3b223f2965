"""Losses: what they refuse, their reductions, labels, and numbers at the ends of the range."""

import itertools
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, nn
from tests.rows import each

F = nn.functional
RNG = np.random.default_rng(0)
INF, NAN = np.inf, np.nan
A, B = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))
CHANCES = 1 / (1 + np.exp(-A))
LABELS, SIGNS = np.array([2, 0, 1, 1]), np.array([1, -1, -1, 1])
ALIGNED = (np.log(np.full((4, 2, 3), 1 / 3)), np.array([[1, 2], [2, 1]]), np.array([4, 3]), np.array([2, 1]))

# Every loss with operands that fit, and the shape of the losses of the elements.
LOSSES = {
    F.mse_loss: ((A, B), (4, 3)),
    F.l1_loss: ((A, B), (4, 3)),
    F.huber_loss: ((A, B), (4, 3)),
    F.smooth_l1_loss: ((A, B), (4, 3)),
    F.poisson_nll_loss: ((A, np.abs(B)), (4, 3)),
    F.gaussian_nll_loss: ((A, B, np.abs(A)), (4, 3)),
    F.kl_div: ((A, CHANCES), (4, 3)),
    F.cross_entropy: ((A, LABELS), (4,)),
    F.nll_loss: ((A, LABELS), (4,)),
    F.binary_cross_entropy: ((CHANCES, CHANCES), (4, 3)),
    F.binary_cross_entropy_with_logits: ((A, CHANCES), (4, 3)),
    F.soft_margin_loss: ((A[:, 0], SIGNS), (4,)),
    F.multilabel_soft_margin_loss: ((A, CHANCES), (4,)),
    F.multi_margin_loss: ((A, LABELS), (4,)),
    F.multilabel_margin_loss: ((A, np.array([[0, -1, -1], [1, 2, -1], [0, 1, 2], [-1, 0, 0]])), (4,)),
    F.margin_ranking_loss: ((A[:, 0], B[:, 0], SIGNS), (4,)),
    F.hinge_embedding_loss: ((A[:, 0], SIGNS), (4,)),
    F.cosine_embedding_loss: ((A, B, SIGNS), (4,)),
    F.triplet_margin_loss: ((A, B, A + B), (4,)),
    F.triplet_margin_with_distance_loss: ((A, B, A + B), (4,)),
    F.ctc_loss: (ALIGNED, (2,)),
}


def over(losses):
    return pytest.mark.parametrize("loss", list(losses), ids=lambda loss: loss.__name__)


def test_every_loss_is_here():
    names = {name for name in F.__all__ if "loss" in name or "entropy" in name or name == "kl_div"}
    assert names == {loss.__name__ for loss in LOSSES}


# Reductions


@over(LOSSES)
def test_reductions(loss):
    operands, shape = LOSSES[loss]
    each = loss(*operands, reduction="none")
    assert each.shape == shape
    np.testing.assert_allclose(loss(*operands, reduction="sum"), each.sum())
    mean = (each / np.maximum(ALIGNED[3], 1)).mean() if loss is F.ctc_loss else each.mean()
    np.testing.assert_allclose(loss(*operands), mean)
    assert loss(*operands).shape == ()


@over(LOSSES)
@each("reduction", ["avg", "batchmean", None, ""])
def test_reductions_are_known(loss, reduction):
    if (loss, reduction) != (F.kl_div, "batchmean"):
        text = f"reduction must be 'none', 'mean' or 'sum', not {reduction!r}"
        with pytest.raises(errors.ArgumentError, match=text):
            loss(*LOSSES[loss][0], reduction=reduction)


def test_batchmean():
    np.testing.assert_allclose(F.kl_div(A, CHANCES, reduction="batchmean"), F.kl_div(A, CHANCES, reduction="sum") / 4)


@over(LOSSES)
def test_the_loss_of_nothing(loss):
    operands, _ = LOSSES[loss]
    axis = {loss: 1} if loss is F.ctc_loss else {}
    empty = [x[:, :0] if axis and x.ndim == 3 else x[:0] for x in operands]
    assert loss(*empty, reduction="sum") == 0
    assert loss(*empty, reduction="none").size == 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's words on the mean of nothing
        assert np.isnan(loss(*empty))


@over(LOSSES)
def test_integer_targets_do_not_make_singles_double(loss):
    operands, _ = LOSSES[loss]
    leaf = mg.tensor(operands[0], dtype=np.float32, requires_grad=True)
    others = [x.astype(np.float32) if x.dtype == float else x for x in operands[1:]]
    loss_value = loss(leaf, *others)
    loss_value.backward()
    assert (loss_value.dtype, leaf.grad.dtype) == (np.float32, np.float32)


# Shapes that would broadcast

COLUMN, ROW = np.ones((4, 1)), np.ones(4)
BROADCASTING = [
    *((loss, (COLUMN, ROW)) for loss in (
        F.mse_loss, F.l1_loss, F.huber_loss, F.smooth_l1_loss, F.poisson_nll_loss, F.kl_div, F.binary_cross_entropy,
        F.binary_cross_entropy_with_logits, F.soft_margin_loss, F.multilabel_soft_margin_loss, F.hinge_embedding_loss,
    )),
    (F.mse_loss, (np.ones((2, 3)), np.ones((1, 3)))), (F.mse_loss, (np.ones((2, 3)), np.float64(1.0))),
    (F.margin_ranking_loss, (COLUMN, ROW, ROW)), (F.margin_ranking_loss, (ROW, ROW, COLUMN)),
    (F.margin_ranking_loss, (ROW, ROW, np.float64(1.0))),
    (F.cosine_embedding_loss, (A, A[:1], SIGNS)), (F.cosine_embedding_loss, (A, A, SIGNS[:, None])),
    (F.cosine_embedding_loss, (A, A, SIGNS[0])),
    (F.triplet_margin_loss, (A, A, A[:1])), (F.triplet_margin_with_distance_loss, (A, A[:1], A)),
    (F.gaussian_nll_loss, (COLUMN, ROW, ROW)), (F.gaussian_nll_loss, (A, A, np.ones(3))),
    (F.gaussian_nll_loss, (A, A, np.ones((1, 3)))),
    (F.cross_entropy, (A, LABELS[:, None])), (F.cross_entropy, (A, LABELS[:1])), (F.cross_entropy, (A, CHANCES[:1])),
    (F.cross_entropy, (A, np.array(1))), (F.cross_entropy, (A[..., None], LABELS)),
    (F.cross_entropy, (A[0], LABELS[:1])),
    (F.nll_loss, (A, LABELS[:, None])), (F.nll_loss, (A, np.array(1))),
    (F.multi_margin_loss, (A, LABELS[:, None])), (F.multi_margin_loss, (A, np.array(1))),
    (F.multilabel_margin_loss, (A, LABELS)), (F.multilabel_margin_loss, (A, np.array([[0, -1, -1]]))),
]  # fmt: skip


@each(("loss", "operands"), BROADCASTING)
def test_losses_refuse_shapes_that_would_broadcast(loss, operands):
    with pytest.raises(errors.ShapeError) as caught:
        loss(*operands)
    name = loss.__name__.replace("_with_distance", "")
    assert str(caught.value).startswith(name + ": ")
    assert str(operands[0].shape) in str(caught.value) or "labels of shape" in str(caught.value)


def test_the_message_says_what_to_do():
    with pytest.raises(errors.ShapeError, match=r"shape \(3, 1\) and a target of shape \(3,\).*minigrad.broadcast_to"):
        F.mse_loss(mg.ones((3, 1)), mg.ones(3))


def test_every_loss_is_among_those_that_refuse():
    assert {loss for loss, _ in BROADCASTING} | {F.ctc_loss} == set(LOSSES)


WEIGHTED = [
    lambda w: F.mse_loss(COLUMN, COLUMN, weight=w), lambda w: F.l1_loss(COLUMN, COLUMN, weight=w),
    lambda w: F.huber_loss(COLUMN, COLUMN, weight=w), lambda w: F.binary_cross_entropy(COLUMN, COLUMN, weight=w),
    lambda w: F.binary_cross_entropy_with_logits(COLUMN, COLUMN, weight=w),
    lambda w: F.binary_cross_entropy_with_logits(COLUMN, COLUMN, pos_weight=w),
    lambda w: F.multilabel_soft_margin_loss(COLUMN, COLUMN, weight=w),
]  # fmt: skip


@each("loss", WEIGHTED)
@each("shape", [(4,), (3, 1), (1, 4, 1), (4, 2)])
def test_weights_do_not_make_losses_larger(loss, shape):
    with pytest.raises(errors.ShapeError, match=r"weight of shape .* does not fit: it must have the shape \(4, 1\)"):
        loss(np.ones(shape))


@each("loss", WEIGHTED)
@each("shape", [(), (1,), (4, 1), (1, 1)])
def test_weights_may_be_repeated(loss, shape):
    np.testing.assert_allclose(loss(np.ones(shape)), loss(None))


def test_weights_have_the_precision_of_the_input():
    x = np.ones((4, 3), np.float32)
    for weight in ([1.0, 2.0, 3.0], np.array([1, 2, 3])):
        for loss in (
            F.mse_loss(x, x, weight=weight),
            F.binary_cross_entropy(x, x, weight=weight),
            F.binary_cross_entropy_with_logits(x, x, weight, pos_weight=weight),
            F.cross_entropy(x, LABELS, weight),
            F.nll_loss(x, LABELS, weight),
            F.multi_margin_loss(x, LABELS, weight=weight),
        ):
            assert loss.dtype == np.float32


@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss, F.multi_margin_loss])
@each("weight", [np.ones(2), np.ones((3, 1)), np.ones((4, 3)), 1.0])
def test_there_is_a_weight_for_each_class(loss, weight):
    with pytest.raises(errors.ShapeError, match=rf"{loss.__name__}: weights of shape .* do not fit 3 classes"):
        loss(A, LABELS, weight=weight)


def test_the_mean_is_weighted():
    x, y, w = np.array([1.0, 5.0]), np.zeros(2), np.array([3.0, 1.0])
    assert F.mse_loss(x, y, weight=w) == (3 * 1 + 25) / 4
    assert F.l1_loss(x, y, weight=w) == (3 * 1 + 5) / 4
    assert F.mse_loss(np.ones((3, 2)), np.zeros((3, 2)), weight=w) == 1


# Labels

CLASSES = [
    F.cross_entropy, F.nll_loss, F.multi_margin_loss,
    lambda x, y: F.multilabel_margin_loss(x, np.stack([y, y * 0 - 1, y * 0 - 1], axis=1)),
    lambda x, y: nn.AdaptiveLogSoftmaxWithLoss(3, 3, [1])(mg.tensor(x), y).loss,
    lambda x, y: F.ctc_loss(np.zeros((5, len(x), 3)), y[:, None], np.full(len(x), 5), np.ones(len(x), int)),
]  # fmt: skip


@pytest.mark.parametrize("loss", CLASSES, ids=["cross_entropy", "nll", "margin", "multilabel", "adaptive", "ctc"])
@each("label", [-2, -3, 3, 100, -(2**40)])
def test_labels_are_in_range(loss, label):
    with pytest.raises(errors.IndexingError, match=f"label {label} is not one of the (classes|labels) 0 to 2"):
        loss(A[:2], np.array([0, label]))


@pytest.mark.parametrize(
    "loss", [CLASSES[i] for i in (0, 1, 2, 4, 5)], ids=["cross_entropy", "nll", "margin", "adaptive", "ctc"]
)
def test_minus_one_is_no_label_either(loss):
    for dtype in (np.int64, np.int8):
        with pytest.raises(errors.IndexingError, match=r"label -1 is not one of the (classes|labels) 0 to 2"):
            loss(A[:2], np.array([0, -1], dtype))


@each("dtype", [np.int8, np.uint8, np.int16, np.uint32, np.int64, np.uint64, ">i4", ">i8"])
@pytest.mark.parametrize("loss", CLASSES, ids=["cross_entropy", "nll", "margin", "multilabel", "adaptive", "ctc"])
def test_labels_of_all_integer_dtypes(loss, dtype):
    mg.manual_seed(0)
    expected = loss(A, LABELS)
    if loss is CLASSES[3] and np.dtype(dtype).kind == "u":
        return  # there is no -1 among them
    mg.manual_seed(0)
    found = loss(A, LABELS.astype(dtype))
    np.testing.assert_allclose(*(np.asarray(getattr(x, "data", x)) for x in (found, expected)))


@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss, F.multi_margin_loss, F.multilabel_margin_loss])
def test_labels_are_integers(loss):
    target = np.zeros((2, 3)) if loss is F.multilabel_margin_loss else [0.0, 1.0]
    with pytest.raises(errors.DTypeError, match=f"{loss.__name__}: labels must be integers, not float64"):
        loss(mg.ones((2, 3)), target)


@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss])
def test_the_label_to_ignore(loss):
    logs = np.log(CHANCES)
    for ignored in (-100, -1, 3, 7):
        target = np.array([2, ignored, 1, ignored])
        np.testing.assert_allclose(loss(logs, target, ignore_index=ignored), loss(logs[::2], LABELS[::2]))
        each = loss(logs, target, ignore_index=ignored, reduction="none")
        np.testing.assert_allclose(each, loss(logs, LABELS, reduction="none") * [1, 0, 1, 0])
    np.testing.assert_allclose(loss(logs, LABELS, ignore_index=1), loss(logs[:2], LABELS[:2]))
    assert np.isnan(loss(logs[:1], [-100]))
    assert loss(logs[:1], [-100], reduction="sum") == 0


@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_what_is_ignored_may_be_anything(loss, reduction):
    scores = mg.tensor([[0.0, 1.0], [-INF, 0.0], [0.5, 0.5]], requires_grad=True)
    value = loss(scores, [1, -100, 0], reduction=reduction)
    value.sum().backward()
    assert np.isfinite(value.data).all()
    assert scores.grad[1].tolist() == [0.0, 0.0]


def test_class_weights():
    weight = np.array([1.0, 0.0, 3.0])
    each = F.cross_entropy(A, LABELS, weight, reduction="none")
    np.testing.assert_allclose(each, F.cross_entropy(A, LABELS, reduction="none") * weight[LABELS])
    np.testing.assert_allclose(F.cross_entropy(A, LABELS, weight), each.sum() / weight[LABELS].sum())
    np.testing.assert_allclose(F.nll_loss(A, LABELS, weight), -(A[0, 2] * 3 + A[1, 0]) / 4)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_labels_are_certain_chances(smoothing):
    certain = np.eye(3)[LABELS]
    for options in ({}, {"label_smoothing": smoothing}):
        np.testing.assert_allclose(F.cross_entropy(A, LABELS, **options), F.cross_entropy(A, certain, **options))
    deep = np.moveaxis(A.reshape(2, 2, 3), -1, 1)
    np.testing.assert_allclose(
        F.cross_entropy(deep, LABELS.reshape(2, 2), label_smoothing=smoothing),
        F.cross_entropy(A, LABELS, label_smoothing=smoothing),
    )
    np.testing.assert_allclose(F.cross_entropy(A[0], 2), F.cross_entropy(A[:1], [2]))


@pytest.mark.parametrize("smoothing", [1.5, -0.1, NAN])
def test_label_smoothing_is_a_share(smoothing):
    with pytest.raises(errors.ArgumentError, match="cross_entropy: label_smoothing must be a number from 0 to 1"):
        F.cross_entropy(mg.ones((2, 3)), [0, 1], label_smoothing=smoothing)


def test_losses_of_a_layer_keep_their_weights_in_the_state():
    layer = nn.CrossEntropyLoss(weight=[1.0, 2.0, 3.0])
    assert layer.state_dict()["weight"].tolist() == [1.0, 2.0, 3.0]
    assert [*nn.BCEWithLogitsLoss(pos_weight=np.ones(2)).state_dict()] == ["pos_weight"]
    assert [*nn.CrossEntropyLoss().state_dict()] == []
    np.testing.assert_allclose(layer(A, LABELS), F.cross_entropy(A, LABELS, [1.0, 2.0, 3.0]))


# A softmax too many


def test_cross_entropy_of_a_softmax_warns():
    x = mg.random.randn(2, 3, requires_grad=True)
    with pytest.warns(UserWarning, match="cross_entropy applies the softmax itself.*give it the logits") as caught:
        F.cross_entropy(F.softmax(x, dim=1), [0, 1])
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="give it the logits"):
        nn.CrossEntropyLoss()(nn.Softmax(dim=1)(x), [0, 1])


def test_activations_in_the_wrong_place_warn():
    x = mg.random.randn(2, 3, requires_grad=True)
    with pytest.warns(UserWarning, match="nll_loss takes logarithms.*write log_softmax") as caught:
        nn.NLLLoss()(nn.Softmax(dim=1)(x), [0, 1])
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="applies the sigmoid itself.*give it the logits"):
        F.binary_cross_entropy_with_logits(mg.sigmoid(x), mg.ones((2, 3)))


def test_logits_and_logarithms_do_not_warn():
    x = mg.random.randn(2, 3, requires_grad=True)
    F.cross_entropy(2.0 * F.softmax(x, dim=1), [0, 1])
    F.cross_entropy(F.log_softmax(x, dim=1), [0, 1])
    F.nll_loss(F.log_softmax(x, dim=1), [0, 1])
    F.binary_cross_entropy(mg.sigmoid(x), mg.ones((2, 3)))
    F.cross_entropy(x, F.softmax(x.detach(), dim=1))


# The ends of the range


def test_large_logits_do_not_overflow():
    x = mg.tensor([[1000.0, 0.0], [-1000.0, 0.0]], requires_grad=True)
    loss = F.cross_entropy(x, [0, 0])
    loss.backward()
    assert loss.item() == 500.0
    np.testing.assert_allclose(x.grad, [[0.0, 0.0], [-0.5, 0.5]])


@pytest.mark.parametrize("target", [np.array([0]), np.array([[1.0, 0.0, 0.0]])])
def test_a_masked_logit_costs_nothing_and_has_no_gradient(target):
    logits = mg.tensor([[0.0, -INF, 0.0]], requires_grad=True)
    loss = F.cross_entropy(logits, target)
    loss.backward()
    assert loss.item() == pytest.approx(np.log(2))
    np.testing.assert_allclose(logits.grad.numpy(), [[-0.5, 0.0, 0.5]])


def test_an_impossible_label_costs_infinitely_much():
    assert F.cross_entropy([[0.0, -INF]], [1]) == INF
    assert F.nll_loss([[0.0, -INF]], [1]) == INF
    assert F.kl_div([[0.0, -INF]], [[0.5, 0.5]], reduction="sum") == INF
    assert F.kl_div([[0.0, -50.0]], [[1.0, 0.0]], reduction="sum") == 0


@over([loss for loss in LOSSES if loss not in (F.binary_cross_entropy, F.multi_margin_loss, F.multilabel_margin_loss)])
def test_nan_is_not_hidden(loss):
    operands, _ = LOSSES[loss]
    spoilt = operands[0].copy()
    spoilt[(0,) * spoilt.ndim if loss is not F.ctc_loss else (0, 0, 0)] = NAN
    if loss is F.nll_loss:
        spoilt[0] = NAN
    with np.errstate(invalid="ignore"):  # NumPy's logaddexp speaks of NaN
        assert np.isnan(loss(spoilt, *operands[1:]))


def test_binary_losses_at_their_ends():
    x = mg.tensor([INF, -INF, 1000.0, -1000.0], requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(x[2:], [1.0, 0.0], reduction="none")
    assert loss.tolist() == [0.0, 0.0]
    loss = F.binary_cross_entropy_with_logits(x[2:], [0.0, 1.0], reduction="none")
    assert loss.tolist() == [1000.0, 1000.0]
    loss.sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 1.0, -1.0]
    assert F.binary_cross_entropy([0.0, 1.0], [1.0, 0.0], reduction="none").tolist() == [100.0, 100.0]
    assert F.soft_margin_loss([1000.0, -1000.0], [1, 1], reduction="none").tolist() == [0.0, 1000.0]


@pytest.mark.parametrize("value", [1.5, -0.1, NAN, INF])
def test_chances_are_from_0_to_1(value):
    with pytest.raises(
        errors.ArgumentError, match=r"must be from 0 to 1.*give them to binary_cross_entropy_with_logits"
    ):
        F.binary_cross_entropy([0.5, value], [1.0, 0.0])


@each(("call", "text"), [
    (lambda: F.huber_loss(A, B, delta=0.0), "huber_loss: delta must be a number above 0, not 0.0"),
    (lambda: F.huber_loss(A, B, delta=NAN), "huber_loss: delta must be a number above 0, not nan"),
    (lambda: F.smooth_l1_loss(A, B, beta=-1.0), "smooth_l1_loss: beta must be a number of at least 0"),
    (lambda: F.gaussian_nll_loss(A, B, -np.ones((4, 3))), "gaussian_nll_loss: a variance is negative"),
    (lambda: F.gaussian_nll_loss(A, B, -1.0), "gaussian_nll_loss: a variance is negative"),
    (lambda: F.multi_margin_loss(A, LABELS, p=3), "multi_margin_loss: p must be 1 or 2, not 3"),
    (lambda: F.triplet_margin_loss(A, B, A, margin=0.0), "triplet_margin_loss: margin must be a number above 0"),
    (lambda: F.hinge_embedding_loss(A[:, 0], [1, 0, 1, 1]), "hinge_embedding_loss: targets must be 1 or -1"),
    (lambda: F.cosine_embedding_loss(A, B, [1, 2, 1, 1]), "cosine_embedding_loss: targets must be 1 or -1"),
    (lambda: F.cross_entropy(np.float64(1.0), np.array(0)), r"cross_entropy: scores need an axis for the classes"),
    (lambda: F.cross_entropy(np.ones((2, 0)), [0, 0]), "cross_entropy: label 0 is not one of the classes"),
])  # fmt: skip
def test_options_that_make_no_sense(call, text):
    with pytest.raises(errors.MinigradError, match=text):
        call()


def test_a_variance_may_be_a_number_or_lack_the_last_axis():
    expected = F.gaussian_nll_loss(A, B, np.full((4, 3), 2.0))
    for var in (2.0, 2, np.full((4, 1), 2.0), np.full(4, 2.0)):
        np.testing.assert_allclose(F.gaussian_nll_loss(A, B, var), expected)
    assert np.isfinite(F.gaussian_nll_loss(A, B, 0.0))


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_a_second_pass_gives_the_same(reduction):
    x = mg.tensor(A, requires_grad=True)
    loss = F.cross_entropy(x, LABELS, [1.0, 2.0, 3.0], reduction=reduction)
    found = [mg.autograd.grad(loss.sum(), x, retain_graph=True)[0].tolist() for _ in range(3)]
    (again,) = mg.autograd.grad(loss.sum(), x, create_graph=True)
    for other in (found[1], found[2], again.tolist()):
        np.testing.assert_allclose(other, found[0], rtol=1e-12)
    both = F.cross_entropy(x, LABELS, reduction=reduction).sum() + F.cross_entropy(2.0 * x, LABELS, reduction="sum")
    expected = [mg.autograd.grad(part, x)[0].data for part in (
        F.cross_entropy(x, LABELS, reduction=reduction).sum(), F.cross_entropy(2.0 * x, LABELS, reduction="sum"),
    )]  # fmt: skip
    np.testing.assert_allclose(mg.autograd.grad(both, x)[0], sum(expected))


# Connectionist temporal classification


def by_all_alignments(logs, labels, blank=0):
    """The loss of one sequence by its definition: the sum over all paths that spell the labels."""
    times, classes = logs.shape
    total = -INF
    for path in itertools.product(range(classes), repeat=times):
        spelled = [k for k, _ in itertools.groupby(path) if k != blank]
        if spelled == list(labels):
            total = np.logaddexp(total, sum(logs[t, k] for t, k in enumerate(path)))
    return -total


@each("labels", [[], [1], [2, 1], [1, 1], [1, 2, 1], [2, 2, 2], [1, 2, 2, 1]])
@each("times", [1, 2, 4, 6])
@each("blank", [0, 2])
def test_ctc_is_the_sum_over_all_alignments(labels, times, blank):
    names = [(k + blank) % 3 for k in labels]
    logs = np.log(RNG.dirichlet(np.ones(3), times))
    found = F.ctc_loss(logs, np.array(names, int), [times], [len(names)], blank=blank, reduction="none")
    assert found == pytest.approx(by_all_alignments(logs, names, blank), rel=1e-12)


def test_ctc_of_several_sequences_is_that_of_each():
    logs = np.log(RNG.dirichlet(np.ones(3), (5, 4)))
    times, sizes = np.array([5, 3, 4, 1]), np.array([2, 3, 0, 1])
    rows = [[1, 2], [1, 2, 1], [], [2]]
    padded = np.array([row + [0] * (3 - len(row)) for row in rows])
    expected = [by_all_alignments(logs[:n, i], row) for i, (n, row) in enumerate(zip(times, rows, strict=True))]
    found = F.ctc_loss(logs, padded, times, sizes, reduction="none")
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    joined = np.concatenate(rows).astype(int)
    np.testing.assert_allclose(F.ctc_loss(logs, joined, times, sizes, reduction="none"), found)
    np.testing.assert_allclose(F.ctc_loss(logs, padded, times, sizes), (found / [2, 3, 1, 1]).mean())


def test_what_lies_beyond_the_lengths_does_not_count():
    logs = np.log(RNG.dirichlet(np.ones(3), (4, 1)))
    other = logs.copy()
    other[3:] = NAN
    for x, targets in ((logs, [[1, 2]]), (other, [[1, 0]]), (logs, [[1, 1]])):
        leaf = mg.tensor(x, requires_grad=True)
        loss = F.ctc_loss(leaf, np.array(targets), [3], [1])
        loss.backward()
        assert loss.item() == pytest.approx(by_all_alignments(logs[:3, 0], [1]))
        assert leaf.grad[3].tolist() == [[0.0, 0.0, 0.0]]


def test_a_sequence_that_is_too_short():
    logs = mg.tensor(np.log(RNG.dirichlet(np.ones(3), (2, 2))), requires_grad=True)
    targets, times, sizes = np.array([[1, 1], [1, 2]]), [2, 2], [2, 2]
    loss = F.ctc_loss(logs, targets, times, sizes, reduction="none")
    assert loss[0].item() == INF
    assert np.isfinite(loss[1].item())
    assert F.ctc_loss(logs, targets, times, sizes).item() == INF
    loss = F.ctc_loss(logs, targets, times, sizes, zero_infinity=True, reduction="none")
    assert loss[0].item() == 0
    loss.sum().backward()
    assert logs.grad[:, 0].tolist() == [[0.0] * 3] * 2
    assert np.isfinite(logs.grad.numpy()).all()


def test_nothing_to_spell():
    logs = np.log(RNG.dirichlet(np.ones(3), (3, 2)))
    found = F.ctc_loss(logs, np.zeros((2, 0), int), [3, 2], [0, 0], reduction="none")
    np.testing.assert_allclose(found, [-logs[:, 0, 0].sum(), -logs[:2, 1, 0].sum()])
    np.testing.assert_allclose(F.ctc_loss(logs, np.zeros(0, int), [3, 2], [0, 0], reduction="none"), found)


def test_gradients_of_ctc():
    logs = np.log(RNG.dirichlet(np.ones(3), (4, 2)))

    def loss(x):
        return F.ctc_loss(x, np.array([[1, 1], [2, 0]]), [4, 3], [2, 1], reduction="sum")

    assert mg.gradcheck(loss, (logs,))
    assert mg.gradgradcheck(loss, (logs,))
    single = mg.tensor(logs, dtype=np.float32, requires_grad=True)
    loss(single).backward()
    assert (loss(single).dtype, single.grad.dtype) == (np.float32, np.float32)


LOGS = np.zeros((4, 2, 3))
ROWS = np.array([[1, 2], [2, 1]])


@each(("operands", "options", "exception", "text"), [
    ((np.zeros(4), ROWS, [4, 4], [2, 2]), {}, errors.ShapeError, r"log_probs must have shape \(T, N, C\)"),
    ((LOGS, ROWS, [4], [2, 2]), {}, errors.ShapeError, r"input_lengths must have shape \(2,\)"),
    ((LOGS, ROWS, [4, 4], [2, 2, 2]), {}, errors.ShapeError, r"target_lengths must have shape \(2,\)"),
    ((LOGS, ROWS, [5, 4], [2, 2]), {}, errors.ArgumentError, "input_lengths must be from 0 to 4"),
    ((LOGS, ROWS, [4, 4], [-1, 2]), {}, errors.ArgumentError, "target_lengths must be at least 0"),
    ((LOGS, ROWS, [4, 4], [3, 2]), {}, errors.ShapeError, r"targets of shape \(2, 2\) do not fit target_lengths"),
    ((LOGS, ROWS[:1], [4, 4], [2, 2]), {}, errors.ShapeError, r"targets of shape \(1, 2\) do not fit"),
    ((LOGS, ROWS.ravel(), [4, 4], [2, 1]), {}, errors.ShapeError, r"targets of shape \(4,\) do not fit"),
    ((LOGS, ROWS + 0.5, [4, 4], [2, 2]), {}, errors.DTypeError, "targets must be integers, not float64"),
    ((LOGS, ROWS, [4.0, 4.0], [2, 2]), {}, errors.DTypeError, "input_lengths must be integers, not float64"),
    ((LOGS, ROWS, [4, 4], [2, 2]), {"blank": 3}, errors.ArgumentError, "the blank 3 is not one of the labels 0 to 2"),
    ((LOGS, ROWS, [4, 4], [2, 2]), {"blank": -1}, errors.ArgumentError, "the blank -1 is not one of the labels"),
    ((LOGS, ROWS + 1, [4, 4], [2, 2]), {}, errors.IndexingError, "label 3 is not one of the labels 0 to 2"),
])  # fmt: skip
def test_what_ctc_refuses(operands, options, exception, text):
    with pytest.raises(exception, match="ctc_loss: .*" + text):
        F.ctc_loss(*operands, **options)


# Complex numbers

Z, W = A + 1j * B, B - 0.5j * A


def test_errors_of_complex_numbers_are_distances():
    assert F.mse_loss(np.array([3 + 4j]), np.array([0j])) == 25
    assert F.l1_loss(np.array([3 + 4j]), np.array([0j])) == 5
    assert F.mse_loss(Z, W) == pytest.approx(np.mean(np.abs(Z - W) ** 2))
    assert F.l1_loss(Z, W) == pytest.approx(np.mean(np.abs(Z - W)))
    assert F.mse_loss(A, W, "sum") == pytest.approx(np.sum(np.abs(A - W) ** 2))
    np.testing.assert_allclose(F.mse_loss(Z, B, "none"), np.abs(Z - B) ** 2, rtol=1e-14)
    weight = np.abs(A)
    expected = np.sum(weight * np.abs(Z - W) ** 2) / np.sum(weight)
    assert F.mse_loss(Z, W, weight=weight) == pytest.approx(expected)
    assert nn.MSELoss()(Z.astype(np.complex64), W.astype(np.complex64)).dtype == np.float32


def test_gradients_of_errors_of_complex_numbers_point_away_from_the_target():
    np.testing.assert_allclose(mg.grad(F.mse_loss)(Z, W), 2 * (Z - W) / Z.size, rtol=1e-14)
    np.testing.assert_allclose(mg.grad(F.l1_loss)(Z, W), (Z - W) / np.abs(Z - W) / Z.size, rtol=1e-14)
    np.testing.assert_array_equal(mg.grad(F.mse_loss)(Z, Z), np.zeros_like(Z))
    assert mg.hvp(lambda z: F.mse_loss(z, 0j * z), np.zeros(1, complex), np.ones(1, complex)) == 2
    assert mg.gradcheck(F.mse_loss, (Z, W))
    assert mg.gradcheck(F.l1_loss, (Z, W))


OF_DISTANCES = {F.mse_loss, F.l1_loss, F.triplet_margin_loss, F.triplet_margin_with_distance_loss}


@over([loss for loss in LOSSES if loss not in OF_DISTANCES])
def test_complex_numbers_in_other_losses_are_refused(loss):
    operands = LOSSES[loss][0]
    for i, x in enumerate(operands):
        if x.dtype.kind == "f":
            given = [y + 0j if i == j else y for j, y in enumerate(operands)]
            with pytest.raises(errors.DTypeError, match=rf"{loss.__name__} is defined for real numbers.*np\.real"):
                loss(*given)


def test_a_triplet_of_complex_numbers_is_compared_by_distances_which_must_be_real():
    assert F.triplet_margin_loss(A + 0j, B + 0j, A + B) == pytest.approx(F.triplet_margin_loss(A, B, A + B))
    with pytest.raises(errors.DTypeError, match="triplet_margin_loss is defined for real numbers"):
        F.triplet_margin_with_distance_loss(Z, W, Z, distance_function=lambda x, y: mg.sum((x - y) ** 2))


@each("loss", [
    lambda w: F.mse_loss(A, B, weight=w), lambda w: F.l1_loss(A, B, weight=w), lambda w: F.huber_loss(A, B, weight=w),
    lambda w: F.binary_cross_entropy(CHANCES, CHANCES, weight=w),
    lambda w: F.binary_cross_entropy_with_logits(A, CHANCES, pos_weight=w),
    lambda w: F.cross_entropy(A, LABELS, weight=w), lambda w: F.nll_loss(A, LABELS, weight=w),
    lambda w: F.multi_margin_loss(A, LABELS, weight=w),
])  # fmt: skip
def test_complex_weights_are_refused(loss):
    with pytest.raises(errors.DTypeError, match="is defined for real numbers"):
        loss(np.ones(3, complex))
