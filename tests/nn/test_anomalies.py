"""Under detect_anomaly no layer reports an infinity of its own, or a mask's; what is wrong with the data it does."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, nn
from minigrad.nn.attention import _masked_softmax
from tests.rows import each, named

F = nn.functional
INF = np.inf
SEEN = np.tril(np.ones((4, 4), bool))
ADDED = np.where(SEEN, 0.5, -INF)
BLIND = SEEN & (np.arange(4) != 1)[:, None]
PADDING = np.array([[False, False, True, True], [False, True, True, True]])
CAUSAL = nn.Transformer.generate_square_subsequent_mask(4)
LABELS = np.array([[1, 2], [1, 1]])


def drawn(*shape):
    return mg.tensor(np.random.default_rng(0).normal(size=shape), requires_grad=True)


def leaf(*values):
    return mg.tensor(np.array(values), requires_grad=True)


def attention(mask=None, **options):
    x = drawn(2, 4, 8)
    return F.scaled_dot_product_attention(x, 2.0 * x, -x, mask, **options)


def heads(extra=False, **options):
    mg.manual_seed(0)
    layer, x = nn.MultiheadAttention(8, 2, batch_first=True, add_bias_kv=extra, add_zero_attn=extra), drawn(2, 4, 8)
    return layer(x, x, x, **options)[0]


def encoded(**options):
    return nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)(drawn(2, 4, 8), **options)


def transformed(**options):
    x = drawn(2, 4, 8)
    return nn.Transformer(8, 2, 1, 1, 16, dropout=0.0, batch_first=True)(x, x, **options)


def ctc(labels=LABELS, times=(6, 6), lengths=(2, 2), **options):
    x = F.log_softmax(drawn(6, 2, 4), dim=-1)
    return F.ctc_loss(x, labels, np.array(times), np.array(lengths), **options)


DELIBERATE = {
    "bools": lambda: attention(SEEN),
    "bools that leave nothing": lambda: attention(BLIND),
    "numbers": lambda: attention(ADDED),
    "numbers that leave nothing": lambda: attention(np.where(BLIND, 0, -INF)),
    "a Tensor of numbers": lambda: attention(mg.tensor(ADDED)),
    "a Tensor of single precision": lambda: attention(mg.tensor(ADDED.astype(np.float32))),
    "a leaf": lambda: attention(leaf(*ADDED)),
    "a leaf of single precision": lambda: attention(mg.tensor(ADDED.astype(np.float32), requires_grad=True)),
    "a leaf that leaves nothing": lambda: attention(leaf(*np.where(BLIND, 0, -INF))),
    "causal": lambda: attention(is_causal=True),
    "heads": lambda: heads(attn_mask=~SEEN),
    "heads, numbers": lambda: heads(attn_mask=mg.tensor(ADDED)),
    "heads, leaf": lambda: heads(attn_mask=leaf(*ADDED), key_padding_mask=leaf(*np.where(PADDING, -INF, 0.0))),
    "heads, padding": lambda: heads(key_padding_mask=PADDING),
    "heads, nothing left": lambda: heads(key_padding_mask=np.ones((2, 4), bool)),
    "heads, both": lambda: heads(attn_mask=~SEEN, key_padding_mask=mg.tensor(np.where(PADDING, -INF, 0.0))),
    "heads, extra": lambda: heads(True, attn_mask=leaf(*ADDED), key_padding_mask=PADDING),
    "encoder": lambda: encoded(src_mask=CAUSAL, src_key_padding_mask=PADDING),
    "encoder, causal": lambda: encoded(src_mask=CAUSAL, is_causal=True),
    "transformer": lambda: transformed(tgt_mask=CAUSAL, src_key_padding_mask=PADDING, memory_key_padding_mask=PADDING),
    "ctc": ctc,
    "ctc, lengths": lambda: ctc(times=(6, 4), lengths=(2, 1)),
    "ctc, no alignment": lambda: ctc(np.array([[1, 1, 1], [1, 1, 2]]), (3, 6), (3, 2), zero_infinity=True),
    "ctc, no labels": lambda: ctc(np.zeros((2, 0), int), lengths=(0, 0)),
    "max_pool": lambda: F.max_pool2d(drawn(1, 1, 5, 5), 2, padding=1, ceil_mode=True),
    "max_pool, indices": lambda: F.max_unpool1d(*F.max_pool1d(drawn(1, 1, 4), 2, return_indices=True), 2),
    "adaptive_max_pool": lambda: F.adaptive_max_pool1d(drawn(1, 1, 5), 2),
    "embedding_bag": lambda: nn.EmbeddingBag(5, 3, mode="max")(np.array([1, 2, 3]), np.array([0, 0, 2])),
    "cross_entropy of impossible classes": lambda: F.cross_entropy(leaf([1.0, -INF, 2.0]), np.array([0])),
    "cross_entropy, shares": lambda: F.cross_entropy(leaf([1.0, -INF, 2.0]), np.array([[1.0, 0.0, 0.0]])),
    "cross_entropy, ignored": lambda: F.cross_entropy(drawn(3, 3), np.array([0, -100, 2])),
    "binary_cross_entropy": lambda: F.binary_cross_entropy(leaf(0.0, 1.0, 0.5), np.array([1.0, 0.0, 1.0])),
    "kl_div of zeros": lambda: F.kl_div(F.log_softmax(drawn(1, 3), dim=1), np.array([[0.0, 0.5, 0.5]])),
    "softmax of a mask": lambda: F.softmax(leaf([1.0, -INF, 2.0]), dim=1),
    "logsumexp of a mask": lambda: mg.logsumexp(leaf([1.0, -INF, 2.0]), axis=1),
    "gumbel_softmax": lambda: F.gumbel_softmax(drawn(3, 4)),
    "gelu": lambda: F.gelu(leaf(-100.0, 100.0), approximate="tanh"),
    "logsigmoid": lambda: F.logsigmoid(leaf(-1000.0, 1000.0)),
    "normalize": lambda: F.normalize(leaf([0.0, 0.0])),
    "layer_norm": lambda: F.layer_norm(leaf([1.0, 1.0]), (2,)),
    "dropout": lambda: F.dropout(drawn(4, 4), 1.0) + F.alpha_dropout(drawn(4, 4), 1.0),
}


@each("make", named(DELIBERATE))
def test_what_is_done_on_purpose_is_no_anomaly(make):
    mg.manual_seed(0)
    plain = make()
    mg.manual_seed(0)
    with mg.detect_anomaly():
        y = make()
        (y * y).sum().backward()
    np.testing.assert_array_equal(y.data, plain.data)
    assert np.isfinite(y.data).all()


def test_what_is_wrong_with_the_data_is_one():
    for bad in (np.nan, INF):
        x = np.ones((2, 4, 8))
        x[1, 2, 3] = bad
        query = mg.tensor(x, requires_grad=True)
        with mg.detect_anomaly(), pytest.raises(errors.AnomalyError):
            F.scaled_dot_product_attention(query, np.ones_like(x), np.ones_like(x), SEEN)
    with mg.detect_anomaly(), pytest.raises(errors.AnomalyError):
        attention(np.where(SEEN, 0.0, np.nan))
    with mg.detect_anomaly(), pytest.raises(errors.AnomalyError):
        ctc(np.array([[1, 1, 1], [1, 1, 2]]), (3, 6), (3, 2))  # the loss is infinite


def test_a_masked_softmax_is_one_of_what_is_seen():
    rng = np.random.default_rng(0)
    scores, weights = rng.normal(size=(3, 4, 4)), rng.normal(size=(3, 4, 4))
    for mask in (ADDED, np.where(BLIND, 0.25, -INF), ADDED[:1], np.full((4, 1), -INF), np.full((4, 4), -INF)):
        found, x = np.zeros_like(scores), mg.tensor(scores, requires_grad=True)
        slope = np.zeros_like(scores)
        for place in np.ndindex(3, 4):
            added = np.broadcast_to(mask, (4, 4))[place[1]]
            seen = added > -INF
            if seen.any():
                e = np.exp(scores[place][seen] + added[seen])
                found[place][seen] = p = e / e.sum()
                slope[place][seen] = p * (weights[place][seen] - (p * weights[place][seen]).sum())
        y = _masked_softmax(x, mask)
        np.testing.assert_allclose(y.data, found, rtol=1e-13)
        (y * weights).sum().backward()
        np.testing.assert_allclose(x.grad.data, slope, rtol=1e-12, atol=1e-15)
    learned = leaf(*ADDED)
    query = rng.normal(size=(4, 8))
    (F.scaled_dot_product_attention(query, query, query, learned) ** 2).sum().backward()
    assert (learned.grad.data[~SEEN] == 0).all()
    assert (learned.grad.data[SEEN][1:] != 0).all()
