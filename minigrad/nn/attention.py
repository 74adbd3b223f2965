"""Attention: sums of values, weighted by how well their keys answer a query."""

import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from minigrad.core import Array, Handle, primitive
from minigrad.creation import zeros
from minigrad.errors import ArgumentError, DTypeError, ShapeError
from minigrad.nn import init
from minigrad.nn.dropout import dropout
from minigrad.nn.layer import check_broadcast, constant, floating, operand, probability
from minigrad.nn.linear import Linear, linear
from minigrad.nn.module import Module, Parameter
from minigrad.ops import elementwise, reductions, shaping
from minigrad.ops.linalg import matmul
from minigrad.ops.reductions import softmax_rule
from minigrad.options import whole_number


class _Mask(NamedTuple):
    """What is added to scores: -inf, and constants, as an array, and what is differentiated, which is finite."""

    numbers: Array
    bias: Any = None


@functools.lru_cache(maxsize=16)
def _causal(queries: int, keys: int, dtype: Any) -> _Mask:
    """A mask that lets each query see the keys up to its own place."""
    return _Mask(np.where(np.tri(queries, keys, dtype=bool), 0, -np.inf).astype(dtype))


# One operation with the mask in it, so that no value of the graph is infinite, since detect_anomaly reports those.
@primitive(lambda g, y, scores, mask: softmax_rule(g, y, -1), lambda g, y, scores, mask: softmax_rule(g, y, -1), cost=5)
def _masked_softmax(scores: Array, mask: Array, /) -> Array:
    """The softmax of scores plus a mask; 0 in rows of which the mask leaves nothing."""
    value = scores + mask
    top = np.maximum.reduce(value, axis=-1, keepdims=True, initial=-np.inf)
    blind = None
    if (mask[..., :1] == -np.inf).any():  # only then can there be a query that sees nothing
        blind = (mask == -np.inf).all(axis=-1, keepdims=True)
        top = np.where(blind, 0, top)
    value -= top
    np.exp(value, out=value)
    total = reductions.row_sums(value, -1)
    value /= total if blind is None else np.where(blind, 1, total)
    return value


def _attention_weights(query: Any, key: Any, mask: _Mask | None, scale: float) -> Any:
    """Softmax over the keys of the scaled scores plus a mask; a query that sees no key has weights 0."""
    scores = matmul(query * query.dtype.type(scale), shaping.matrix_transpose(key))
    if mask is None:
        return reductions.softmax(scores, axis=-1)
    if mask.bias is not None:
        scores = scores + mask.bias
    return _masked_softmax(scores, mask.numbers)


def _additive(mask: Any, dtype: Any, allowed: bool) -> _Mask | None:
    """A mask as numbers to be added to scores; of a mask of bools, `allowed` are those that may be seen."""
    if mask is None:
        return None
    mask = operand(mask)
    numbers = constant(mask, "mask")
    if mask.dtype.kind == "b":
        return _Mask(np.where(numbers == allowed, 0, -np.inf).astype(dtype))
    if mask.dtype.kind != "f":
        raise DTypeError(f"an attention mask consists of bools, or of floating-point numbers to add, not {mask.dtype}")
    if not isinstance(mask, Handle) or mask.node is None:
        return _Mask(numbers.astype(dtype, copy=False))
    hidden = numbers == -np.inf
    bias = elementwise.where(hidden, 0.0, mask)
    return _Mask(np.where(hidden, -np.inf, 0).astype(dtype), bias if bias.dtype == dtype else bias.astype(dtype))


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """``softmax(query @ key.T * scale + mask) @ value`` (A. Vaswani et al., "Attention is all you need", 2017).

    Parameters
    ----------
    query : array of shape (..., L, E)
    key : array of shape (..., S, E)
    value : array of shape (..., S, Ev)
    attn_mask : array that broadcasts to (..., L, S), optional
        Bools, True where a query may see a key; or numbers to add to the scores. A query that sees no key gives zeros.
    dropout_p : float
        Probability of dropout of the weights, always applied.
    is_causal : bool
        Let each query see the keys up to its own place; instead of a mask.
    scale : float, optional
        By default ``1 / sqrt(E)``.
    enable_gqa : bool
        Let several heads (axis -3) of the query share one of key and value.

    Returns
    -------
    array of shape (..., L, Ev)

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> q, k, v = np.zeros((2, 4)), np.zeros((2, 4)), np.array([[1.0], [3.0]])
    >>> F.scaled_dot_product_attention(q, k, v, is_causal=True)
    array([[1.],
           [2.]])
    """
    name = "scaled_dot_product_attention"
    query, key, value = floating(query), operand(key), operand(value)
    shapes = query.shape, key.shape, value.shape
    if min(map(len, shapes)) < 2 or shapes[0][-1] != shapes[1][-1] or shapes[1][-2] != shapes[2][-2]:
        raise ShapeError(
            f"{name}: query, key and value have shapes {shapes}: the last axes of query and key must be equally long, "
            "and the last but one of key and value"
        )
    if is_causal and attn_mask is not None:
        raise ArgumentError(f"{name}: give either attn_mask or is_causal")
    if enable_gqa:
        if min(map(len, shapes)) < 3 or not shapes[1][-3] or shapes[0][-3] % shapes[1][-3]:
            raise ShapeError(
                f"{name}: with enable_gqa the heads (axis -3) of key and value divide those of the query; the shapes "
                f"are {shapes}"
            )
        repeats = query.shape[-3] // key.shape[-3]
        key, value = (shaping.repeat(x, repeats, axis=-3) for x in (key, value))
    mask: _Mask | None
    if is_causal:
        mask = _causal(query.shape[-2], key.shape[-2], query.dtype)
    else:
        mask = _additive(attn_mask, query.dtype, allowed=True)
        if mask is not None:
            shape = mask.numbers.shape
            check_broadcast(name, "attn_mask", shape, (*shapes[0][:-2], shapes[0][-2], shapes[1][-2]))
    scale = 1 / math.sqrt(max(query.shape[-1], 1)) if scale is None else scale
    weights = _attention_weights(query, key, mask, scale)
    return matmul(dropout(weights, dropout_p) if dropout_p else weights, value)


def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Any, Any]:
    """Attention in several subspaces at once; see `MultiheadAttention`, whose parameters these are.

    Parameters
    ----------
    query : array of shape (L, N, E) or (L, E)
    key : array of shape (S, N, kdim) or (S, kdim)
    value : array of shape (S, N, vdim) or (S, vdim)

    Returns
    -------
    output : array of the shape of `query`
    weights : array of shape (N, L, S), or None
        With a second axis for the heads unless `average_attn_weights`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> x, eye = np.zeros((3, 1, 2)), np.eye(2)
    >>> y, w = F.multi_head_attention_forward(
    ...     x, x, x, 2, 1, np.tile(eye, (3, 1)), None, None, None, False, 0.0, eye, None
    ... )
    >>> y.shape, w.shape
    ((3, 1, 2), (1, 3, 3))
    """
    query, key, value = operand(query), operand(key), operand(value)
    single = query.ndim == 2
    if query.ndim not in (2, 3) or key.ndim != query.ndim or value.ndim != query.ndim:
        shapes = query.shape, key.shape, value.shape
        raise ShapeError(f"multi-head attention: query, key and value must all have 2 or 3 axes, not shapes {shapes}")
    if single:
        query, key, value = (x.reshape(x.shape[0], 1, x.shape[1]) for x in (query, key, value))
    (length, count, width), keys = query.shape, key.shape[0]
    if width != embed_dim_to_check or key.shape[:2] != value.shape[:2] or key.shape[1] != count:
        shapes = query.shape, key.shape, value.shape
        raise ShapeError(
            f"multi-head attention: query, key and value have shapes {shapes}: the query must have "
            f"{embed_dim_to_check} features, key and value equally many places, and all of them the same batch"
        )
    if is_causal and attn_mask is None:
        raise ArgumentError("multi-head attention: is_causal is a hint that says what attn_mask is: give the mask too")

    if use_separate_proj_weight:
        matrices = [q_proj_weight, k_proj_weight, v_proj_weight]
    else:
        matrices = shaping.split(operand(in_proj_weight), 3)
    biases = [None] * 3 if in_proj_bias is None else shaping.split(operand(in_proj_bias), 3)
    if not use_separate_proj_weight and query is key and key is value:  # one product instead of three
        q, k, v = shaping.split(linear(query, in_proj_weight, in_proj_bias), 3, axis=-1)
    else:
        q, k, v = (linear(x, w, b) for x, w, b in zip((query, key, value), matrices, biases, strict=True))
    extra = (bias_k is not None) + add_zero_attn
    if bias_k is not None:
        k, v = (shaping.concat([x, _repeated(b, count)]) for x, b in ((k, bias_k), (v, bias_v)))
    if add_zero_attn:
        nothing = np.zeros((1, count, width), q.dtype)
        k, v = shaping.concat([k, nothing]), shaping.concat([v, nothing])

    mask = _head_mask(attn_mask, key_padding_mask, (count, num_heads, length, keys), extra, q.dtype)
    q, k, v = (_by_heads(x, num_heads) for x in (q, k, v))
    weights = _attention_weights(q, k, mask, 1 / math.sqrt(width // num_heads))
    if dropout_p and training:
        weights = dropout(weights, dropout_p)
    heads = shaping.permute_dims(matmul(weights, v), (2, 0, 1, 3)).reshape(length, count, width)
    output = linear(heads, out_proj_weight, out_proj_bias)
    shown = (reductions.mean(weights, axis=1) if average_attn_weights else weights) if need_weights else None
    if single:
        return output.reshape(length, width), None if shown is None else shown.reshape(shown.shape[1:])
    return output, shown


def _repeated(x: Any, count: int) -> Any:
    return shaping.broadcast_to(x, (1, count, x.shape[-1]))


def _by_heads(x: Any, heads: int) -> Any:
    """From (time, N, features) to (N, heads, time, features of a head)."""
    return shaping.permute_dims(x.reshape(x.shape[0], x.shape[1], heads, x.shape[2] // heads), (1, 2, 0, 3))


def _head_mask(
    attn_mask: Any, key_padding_mask: Any, shape: tuple[int, int, int, int], extra: int, dtype: Any
) -> _Mask | None:
    """Both masks as one to add to scores of this shape (N, heads, L, S); bools are True where nothing may be seen.

    So many extra keys, which all may see, come after the others.
    """
    count, heads, length, keys = shape
    masks = []
    mask = _additive(attn_mask, dtype, allowed=False)
    if mask is not None:
        given = mask.numbers.shape
        if given not in ((length, keys), (count * heads, length, keys)):
            raise ShapeError(
                f"multi-head attention: attn_mask has shape {given}; it must be (L, S), here {(length, keys)}, or "
                f"(N * heads, L, S), here {(count * heads, length, keys)}"
            )
        masks.append(_formed(mask, (1, 1, length, keys) if len(given) == 2 else shape, extra))
    padding = _additive(key_padding_mask, dtype, allowed=False)
    if padding is not None:
        given = padding.numbers.shape
        if given not in ((count, keys), (keys,)) or (len(given) == 1 and count != 1):
            raise ShapeError(f"multi-head attention: key_padding_mask has shape {given}, and not {(count, keys)}")
        masks.append(_formed(padding, (count, 1, 1, keys), extra))
    if len(masks) < 2:
        return masks[0] if masks else None
    biases = [mask.bias for mask in masks if mask.bias is not None]
    bias = functools.reduce(elementwise.add, biases) if biases else None
    return _Mask(masks[0].numbers + masks[1].numbers, bias)


def _formed(mask: _Mask, shape: tuple[int, ...], extra: int) -> _Mask:
    def formed(x: Any) -> Any:
        x = x.reshape(shape)
        return shaping.pad(x, (*((0, 0),) * (len(shape) - 1), (0, extra))) if extra else x

    return _Mask(formed(mask.numbers), None if mask.bias is None else formed(mask.bias))


class MultiheadAttention(Module):
    """Attention in several subspaces at once (A. Vaswani et al., "Attention is all you need", NeurIPS 2017).

    Parameters
    ----------
    embed_dim : int
        Features of query and output.
    num_heads : int
        A divisor of `embed_dim`.
    dropout : float
        Probability of dropout of the attention weights.
    bias : bool
    add_bias_kv : bool
        Append a learned key and value.
    add_zero_attn : bool
        Append a key and a value of zeros.
    kdim, vdim : int, optional
        Features of key and value, if not `embed_dim`.
    batch_first : bool
        Whether the batch, and not the time, is the first axis.
    dtype : dtype, optional

    Examples
    --------
    >>> import minigrad as mg
    >>> attention = mg.nn.MultiheadAttention(8, num_heads=2, batch_first=True)
    >>> x = mg.zeros((3, 5, 8))
    >>> y, weights = attention(x, x, x)
    >>> y.shape, weights.shape
    ((3, 5, 8), (3, 5, 5))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.embed_dim, self.num_heads = whole_number(embed_dim, "embed_dim"), whole_number(num_heads, "num_heads")
        if embed_dim % num_heads:
            raise ArgumentError(f"MultiheadAttention: {num_heads} heads do not divide {embed_dim} features")
        self.dropout = probability(dropout, "MultiheadAttention")
        self.batch_first, self.add_zero_attn = batch_first, add_zero_attn
        self.kdim, self.vdim = kdim or embed_dim, vdim or embed_dim
        self.head_dim = embed_dim // num_heads
        separate = (self.kdim, self.vdim) != (embed_dim, embed_dim)
        self.register_parameter(
            "in_proj_weight", None if separate else Parameter(zeros((3 * embed_dim, embed_dim), dtype=dtype))
        )
        for letter, features in (("q", embed_dim), ("k", self.kdim), ("v", self.vdim)):
            matrix = Parameter(zeros((embed_dim, features), dtype=dtype)) if separate else None
            self.register_parameter(f"{letter}_proj_weight", matrix)
        self.register_parameter("in_proj_bias", Parameter(zeros(3 * embed_dim, dtype=dtype)) if bias else None)
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype)
        for letter in ("k", "v"):
            row = Parameter(zeros((1, 1, embed_dim), dtype=dtype)) if add_bias_kv else None
            self.register_parameter(f"bias_{letter}", row)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values: Xavier's for the matrices, zeros for the biases."""
        for matrix in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if matrix is not None:
                init.xavier_uniform_(matrix)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for row in (self.bias_k, self.bias_v):
            if row is not None:
                init.xavier_normal_(row)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """Attend.

        Parameters
        ----------
        query : array of shape (L, N, embed_dim), (N, L, embed_dim) if `batch_first`, or (L, embed_dim)
        key, value : arrays of shape (S, N, kdim) and (S, N, vdim), and so on
        key_padding_mask : array of shape (N, S) or (S,), optional
            True for keys that are not to be seen, or numbers to add to the scores.
        need_weights : bool
            Whether to return the weights.
        attn_mask : array of shape (L, S) or (N * num_heads, L, S), optional
            True where a key is not to be seen, or numbers to add to the scores.
        average_attn_weights : bool
            Whether to return the mean of the weights over the heads, or those of each head.
        is_causal : bool
            Says that `attn_mask` is causal; a hint without effect here.

        Returns
        -------
        output : array of the shape of `query`
        weights : array of shape (N, L, S) or (N, num_heads, L, S), or None
        """
        query_, key_, value_ = operand(query), operand(key), operand(value)
        swapped = self.batch_first and query_.ndim == 3
        if swapped:
            same = query is key and key is value
            query_ = shaping.swapaxes(query_, 0, 1)
            key_, value_ = (query_, query_) if same else (shaping.swapaxes(x, 0, 1) for x in (key_, value_))
        output, weights = multi_head_attention_forward(
            query_,
            key_,
            value_,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            self.training,
            key_padding_mask,
            need_weights,
            attn_mask,
            self.in_proj_weight is None,
            self.q_proj_weight,
            self.k_proj_weight,
            self.v_proj_weight,
            average_attn_weights,
            is_causal,
        )
        return (shaping.swapaxes(output, 0, 1) if swapped else output), weights
