"""Attention and transformers: masks of all kinds, heads, and what does not fit."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, nn
from tests.rows import each

F = nn.functional
RNG = np.random.default_rng(0)
Q, K, V = RNG.normal(size=(2, 4, 3)), RNG.normal(size=(2, 5, 3)), RNG.normal(size=(2, 5, 2))
INF = np.inf
SEEN = np.array([[1, 0, 1, 1, 0], [1, 1, 1, 1, 1], [0, 0, 0, 1, 0], [0, 1, 1, 0, 0]], bool)


@pytest.fixture(autouse=True)
def _seed():
    mg.manual_seed(0)


def by_loops(q, k, v, seen):
    out = np.zeros((*q.shape[:-1], v.shape[-1]))
    for n, i in np.ndindex(*q.shape[:2]):
        allowed = [j for j in range(k.shape[1]) if seen[i, j]]
        if allowed:
            scores = np.exp([q[n, i] @ k[n, j] / 3**0.5 for j in allowed])
            out[n, i] = scores @ v[n, allowed] / scores.sum()
    return out


def attention(**options):
    layer = nn.MultiheadAttention(4, 2, **options)
    for p in layer.parameters():
        nn.init.normal_(p, std=0.5)
    return layer


# scaled_dot_product_attention


def test_attention_is_a_weighted_mean():
    np.testing.assert_allclose(F.scaled_dot_product_attention(Q, K, V), by_loops(Q, K, V, np.ones((4, 5))))
    y = F.scaled_dot_product_attention(Q, K, V, SEEN)
    np.testing.assert_allclose(y, by_loops(Q, K, V, SEEN))
    added = np.where(SEEN, 0, -INF)
    np.testing.assert_allclose(F.scaled_dot_product_attention(Q, K, V, added), y)
    np.testing.assert_allclose(F.scaled_dot_product_attention(Q, K, V, np.where(SEEN, 0, -1e30)), y)
    np.testing.assert_allclose(F.scaled_dot_product_attention(Q, K, V, SEEN[None]), y)
    np.testing.assert_allclose(F.scaled_dot_product_attention(Q[0], K[0], V[0], SEEN), y[0])
    np.testing.assert_allclose(F.scaled_dot_product_attention(Q, K, V, is_causal=True), by_loops(Q, K, V, np.tri(4, 5)))
    scaled = F.scaled_dot_product_attention(Q, K, V, scale=0.0)
    np.testing.assert_allclose(scaled, np.repeat(V.mean(axis=1, keepdims=True), 4, axis=1))


def test_a_query_that_sees_nothing_gives_zeros_and_no_gradient():
    seen = SEEN.copy()
    seen[1] = False
    for mask in (seen, np.where(seen, 0.0, -INF), mg.tensor(np.where(seen, 0.0, -INF), requires_grad=True)):
        q, k, v = (mg.tensor(x, requires_grad=True) for x in (Q, K, V))
        y = F.scaled_dot_product_attention(q, k, v, mask)
        np.testing.assert_allclose(y.data, by_loops(Q, K, V, seen))
        (y * y).sum().backward()
        assert all(np.isfinite(x.grad.data).all() for x in (q, k, v))
        assert not q.grad.data[:, 1].any()
        assert q.grad.data[:, 0].any()
        if isinstance(mask, mg.Tensor):
            assert np.isfinite(mask.grad.data).all()


def test_nobody_sees_anything():
    y = F.scaled_dot_product_attention(Q, K, V, np.zeros((4, 5), bool))
    assert not y.any()
    assert F.scaled_dot_product_attention(Q, K[:, :0], V[:, :0]).tolist() == np.zeros((2, 4, 2)).tolist()
    assert F.scaled_dot_product_attention(Q[:, :0], K, V).shape == (2, 0, 2)


def test_a_mask_is_differentiated():
    def function(q, mask):
        return F.scaled_dot_product_attention(q, K, V, mask)

    assert mg.gradcheck(function, (Q, RNG.normal(size=(4, 5))))
    assert mg.gradgradcheck(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, SEEN), (Q, K, V))


def test_large_scores_do_not_overflow():
    y = F.scaled_dot_product_attention(1e3 * Q, 1e3 * K, V)
    best = (Q @ np.swapaxes(K, 1, 2)).argmax(axis=-1)
    np.testing.assert_allclose(y, np.take_along_axis(V, best[..., None], axis=1))


def test_several_heads_share_keys():
    q, k, v = RNG.normal(size=(2, 6, 4, 3)), RNG.normal(size=(2, 2, 5, 3)), RNG.normal(size=(2, 2, 5, 2))
    y = F.scaled_dot_product_attention(q, k, v, enable_gqa=True)
    for head in range(6):
        one = F.scaled_dot_product_attention(q[:, head], k[:, head // 3], v[:, head // 3])
        np.testing.assert_allclose(y[:, head], one)


def test_dropout_of_weights():
    y = F.scaled_dot_product_attention(Q, K, np.ones((2, 5, 1)), dropout_p=0.5)
    assert not np.allclose(y, 1)
    assert not F.scaled_dot_product_attention(Q, K, V, dropout_p=1.0).any()


@each(("args", "options", "text"), [
    ((Q, K[..., :2], V), {}, "the last axes of query and key must be equally long"),
    ((Q, K, V[:, :4]), {}, "query, key and value have shapes"),
    ((Q[0, 0], K, V), {}, "query, key and value have shapes"),
    ((Q, K, V, SEEN), {"is_causal": True}, "give either attn_mask or is_causal"),
    ((Q, K, V, SEEN[:3]), {}, r"attn_mask of shape \(3, 5\) does not fit: it must have the shape \(2, 4, 5\)"),
    ((Q, K, V, np.ones((3, 2, 4, 5), bool)), {}, r"attn_mask of shape \(3, 2, 4, 5\) does not fit"),
    ((Q[0], K[0], V[0], np.ones((3, 4, 5), bool)), {}, r"attn_mask of shape \(3, 4, 5\) does not fit"),
    ((Q[0], K[0], V[0]), {"enable_gqa": True}, r"the heads \(axis -3\) of key and value divide those of the query"),
    ((RNG.normal(size=(3, 4, 3)), K, V), {"enable_gqa": True}, "divide those of the query"),
])  # fmt: skip
def test_what_cannot_attend(args, options, text):
    with pytest.raises(errors.ArgumentError, match="scaled_dot_product_attention: .*" + text):
        F.scaled_dot_product_attention(*args, **options)


def test_masks_are_bools_or_floating_point():
    with pytest.raises(errors.DTypeError, match=r"mask consists of bools, or of floating-point .* not int64"):
        F.scaled_dot_product_attention(Q, K, V, SEEN.astype(int))
    with pytest.raises(errors.ArgumentError, match="p must be a number from 0 to 1"):
        F.scaled_dot_product_attention(Q, K, V, dropout_p=2.0)


# MultiheadAttention

X = RNG.normal(size=(3, 2, 4))
CAUSAL = np.triu(np.ones((3, 3), bool), 1)  # True is hidden


def test_masks_say_the_same_in_all_forms():
    layer = attention()
    y, w = layer(X, X, X, attn_mask=CAUSAL)
    for mask in (np.where(CAUSAL, -INF, 0.0), np.broadcast_to(CAUSAL, (4, 3, 3)), mg.tensor(CAUSAL)):
        z, v = layer(X, X, X, attn_mask=mask, is_causal=True)
        np.testing.assert_allclose(z.data, y.data)
        np.testing.assert_allclose(v.data, w.data)
    assert not np.triu(w.data, 1).any()
    np.testing.assert_allclose(w.data.sum(axis=-1), 1)
    hidden = np.array([[False, True, False], [True, False, True]])
    y, w = layer(X, X, X, key_padding_mask=hidden)
    assert not w.data[np.broadcast_to(hidden[:, None], (2, 3, 3))].any()
    z, _ = layer(X, X, X, attn_mask=np.repeat(np.repeat(hidden[:, None], 3, axis=1), 2, axis=0))
    np.testing.assert_allclose(z.data, y.data)


def test_padding_may_hide_everything():
    layer = attention()
    x = mg.tensor(X, requires_grad=True)
    y, w = layer(x, x, x, key_padding_mask=np.array([[True] * 3, [False] * 3]))
    np.testing.assert_allclose(y.data[:, 0], np.broadcast_to(layer.out_proj.bias.data, (3, 4)))  # nothing else is left
    assert not w.data[0].any()
    (y * y).sum().backward()
    assert np.isfinite(x.grad.data).all()
    assert not x.grad.data[:, 0].any()


def test_one_place_attends_to_itself():
    y, w = attention()(X[:1], X[:1], X[:1])
    assert w.tolist() == [[[1.0]], [[1.0]]]
    assert y.shape == (1, 2, 4)


def test_weights_are_shown_as_wanted():
    layer = attention()
    y, w = layer(X, X, X)
    z, heads = layer(X, X, X, average_attn_weights=False)
    assert (w.shape, heads.shape) == ((2, 3, 3), (2, 2, 3, 3))
    np.testing.assert_allclose(heads.data.mean(axis=1), w.data)
    assert layer(X, X, X, need_weights=False)[1] is None
    np.testing.assert_allclose(layer(X, X, X, need_weights=False)[0].data, y.data)
    np.testing.assert_allclose(z.data, y.data)


def test_the_batch_may_come_first():
    layer, first = attention(), attention(batch_first=True)
    first.load_state_dict(layer.state_dict())
    y, w = layer(X, X, X)
    x = np.swapaxes(X, 0, 1)
    z, v = first(x, x, x)
    np.testing.assert_allclose(np.swapaxes(z.data, 0, 1), y.data)
    np.testing.assert_allclose(v.data, w.data)
    np.testing.assert_allclose(first(X[:, 0], X[:, 0], X[:, 0])[0].data, layer(X[:, 0], X[:, 0], X[:, 0])[0].data)


def test_equal_inputs_give_the_same_as_one_input():
    layer = attention()
    np.testing.assert_allclose(layer(X, X, X)[0].data, layer(X, X.copy(), X.copy())[0].data)


def test_heads_of_their_own_are_those_of_the_parts():
    layer = attention(bias=False)
    y, _ = layer(X, X, X)
    q, k, v = np.split(X @ layer.in_proj_weight.data.T, 3, axis=-1)
    parts = []
    for head in range(2):
        part = slice(2 * head, 2 * head + 2)
        parts.append(F.scaled_dot_product_attention(*(np.swapaxes(a[..., part], 0, 1) for a in (q, k, v))))
    expected = np.swapaxes(np.concatenate(parts, axis=-1), 0, 1) @ layer.out_proj.weight.data.T
    np.testing.assert_allclose(y.data, expected)


def test_dropout_is_for_training():
    layer = attention(dropout=0.5)
    assert not np.allclose(layer(X, X, X)[0].data, layer(X, X, X)[0].data)
    layer.eval()
    np.testing.assert_array_equal(layer(X, X, X)[0].data, layer(X, X, X)[0].data)


@each(("call", "text"), [
    (lambda: nn.MultiheadAttention(4, 3), "MultiheadAttention: 3 heads do not divide 4 features"),
    (lambda: nn.MultiheadAttention(0, 1), "embed_dim must be an integer of at least 1, not 0"),
    (lambda: nn.MultiheadAttention(4, 2, dropout=2.0), "MultiheadAttention: p must be a number from 0 to 1"),
    (lambda: attention()(X[..., :3], X, X), "query, key and value have shapes .* the query must have 4 features"),
    (lambda: attention()(X, X, X[:2]), "key and value equally many places, and all of them the same batch"),
    (lambda: attention()(X, X[:, :1], X[:, :1]), "key and value equally many places, and all of them the same batch"),
    (lambda: attention()(X, X[0], X[0]), "query, key and value must all have 2 or 3 axes, not shapes"),
    (lambda: attention()(X[None], X[None], X[None]), "query, key and value must all have 2 or 3 axes"),
    (lambda: attention()(X, X, X, attn_mask=CAUSAL[:2]), r"attn_mask has shape \(2, 3\); it must be .* \(3, 3\)"),
    (lambda: attention()(X, X, X, attn_mask=np.broadcast_to(CAUSAL, (2, 3, 3))), r"here \(4, 3, 3\)"),
    (lambda: attention()(X, X, X, key_padding_mask=CAUSAL), r"key_padding_mask has shape \(3, 3\), and not \(2, 3\)"),
    (lambda: attention()(X, X, X, key_padding_mask=CAUSAL[0]), r"key_padding_mask has shape \(3,\), and not \(2, 3\)"),
    (lambda: attention()(X, X, X, is_causal=True), "is_causal is a hint .*: give the mask too"),
    (lambda: attention()(X, X, X, attn_mask=CAUSAL.astype(int)), "an attention mask consists of bools"),
])  # fmt: skip
def test_what_does_not_fit_is_named(call, text):
    with pytest.raises(errors.MinigradError, match=text):
        call()


# Transformers


def test_a_causal_decoder_does_not_look_ahead():
    layer = nn.TransformerDecoderLayer(4, 2, 8, dropout=0.0)
    mask = nn.Transformer.generate_square_subsequent_mask(3)
    memory = RNG.normal(size=(2, 2, 4))
    other = X.copy()
    other[2:] += 1.0
    y, z = (layer(x, memory, tgt_mask=mask).data for x in (X, other))
    np.testing.assert_allclose(y[:2], z[:2])
    assert not np.allclose(y[2], z[2])


def test_hidden_places_of_the_memory_do_not_count():
    model = nn.Transformer(4, 2, 1, 1, 8, dropout=0.0)
    src, hidden = RNG.normal(size=(3, 2, 4)), np.array([[False, False, True], [False, True, True]])
    other = src + 5.0 * np.swapaxes(hidden, 0, 1)[..., None]
    how = {"src_key_padding_mask": hidden, "memory_key_padding_mask": hidden}
    np.testing.assert_allclose(model(src, X, **how).data, model(other, X, **how).data)


def test_layers_are_copies_of_one():
    layer = nn.TransformerEncoderLayer(4, 2, 8)
    encoder = nn.TransformerEncoder(layer, 2)
    first, second = encoder.layers
    assert first.linear1.weight.tolist() == second.linear1.weight.tolist() == layer.linear1.weight.tolist()
    assert len({id(p) for p in [*encoder.parameters(), *layer.parameters()]}) == 36
    np.testing.assert_array_equal(nn.TransformerEncoder(layer, 0)(X), X)


def test_the_norm_may_come_first_or_last():
    after, before = (nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, norm_first=f) for f in (False, True))
    before.load_state_dict(after.state_dict())
    y = after(X).data
    np.testing.assert_allclose(y.mean(axis=-1), 0, atol=1e-12)
    assert not np.allclose(before(X).data, y)


@pytest.mark.parametrize("activation", ["gelu", nn.functional.gelu, nn.GELU()])
def test_activations(activation):
    mg.manual_seed(0)
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, activation=activation)
    mg.manual_seed(0)
    by_name = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, activation="gelu")
    np.testing.assert_allclose(layer(X).data, by_name(X).data)


def test_unknown_activations_are_named():
    with pytest.raises(errors.ArgumentError, match="activation of a transformer is 'relu', 'gelu' or a function"):
        nn.TransformerEncoderLayer(4, 2, activation="swish")


@pytest.mark.parametrize("is_causal", [False, True])
def test_a_query_of_no_meaning_that_is_not_selected_gets_a_gradient_of_zero(is_causal):
    query = mg.tensor([[1.0, 1.0], [INF, INF]], requires_grad=True)
    with np.errstate(invalid="ignore"):
        seen = F.scaled_dot_product_attention(query, np.array([[-1.0, 1.0], [1.0, 1.0]]), V[0, :2], is_causal=is_causal)
    assert np.isnan(seen.data[1]).all()
    seen[0].sum().backward()
    assert not query.grad.data[1].any()
    np.testing.assert_array_equal(np.isfinite(query.grad.data), True)
