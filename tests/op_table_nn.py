"""The rows of the operations that layers are made of: windows, activations, normalization, losses, lookups.

The references are loops that follow the definitions, or SciPy's functions.
"""

import math
from typing import Any

import numpy as np
import scipy.special as sp

from minigrad.nn import embedding, module_hooks, normalization
from minigrad.nn import functional as F  # noqa: N812
from minigrad.nn.activation import (
    _elu,
    _gate_slope,
    _hardshrink,
    _hardtanh,
    _leaky_relu,
    _logistic_gate,
    _mish_gate,
    _normal_cdf,
    _normal_density,
    _relu,
    _softplus,
    _softshrink,
    _softsign,
    _tanh_gate,
    _threshold,
)
from minigrad.nn.attention import _masked_softmax
from minigrad.nn.linear import _linear
from minigrad.nn.losses.classification import (
    _binary_cross_entropy,
    _bounded_log,
    _cross_entropies,
    _cross_entropy,
    _less_one_hot,
    _nan_if_empty,
    _softmax_cross_entropy,
)
from minigrad.nn.losses.regression import _raised
from minigrad.ops import special, windows
from minigrad.ops.elementwise import selected
from minigrad.ops.linalg import vector_norm
from tests.op_table import MASK, ONE, TABLE, A, N, between, either_sign, row, s, spelling, unary

__all__ = ["KINKS", "TABLE"]

# Windows: every place of a window and every element of it, one after another


def spots(out: Any, kernel: Any, stride: Any, dilation: Any) -> Any:
    """For each window and each element of it: the window's index, the element's, and where it lies."""
    for place in np.ndindex(*out):
        for element in np.ndindex(*kernel):
            yield (
                place,
                element,
                tuple(i * s + j * d for i, s, j, d in zip(place, stride, element, dilation, strict=True)),
            )


def padded(x: Any, padding: Any, value: Any = 0) -> Any:
    return np.pad(x, [(0, 0), (0, 0), *padding], constant_values=value)


def inner(x: Any, padding: Any, lengths: Any) -> Any:
    return x[(..., *(slice(before, before + n) for (before, _), n in zip(padding, lengths, strict=True)))]


def sizes(lengths: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> tuple[int, ...]:
    rows = zip(lengths, kernel, stride, padding, dilation, strict=True)
    return tuple((n + a + b - d * (k - 1) - 1) // s + 1 for n, k, s, (a, b), d in rows)


def convolved(x: Any, w: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    """With filters that have zeros between their elements, everywhere, of which every few results are taken."""
    from scipy import signal  # it takes long

    wide = np.zeros((*w.shape[:2], *(d * (k - 1) + 1 for k, d in zip(w.shape[2:], dilation, strict=True))), w.dtype)
    wide[(..., *(slice(None, None, d) for d in dilation))] = w
    x, taken = padded(x, padding), tuple(slice(None, None, step) for step in stride)
    out = np.zeros(
        (len(x), len(w), *(n - k + 1 for n, k in zip(x.shape[2:], wide.shape[2:], strict=True))), np.result_type(x, w)
    )
    for n, o, c in np.ndindex(len(x), len(w), w.shape[1]):
        source = x[n, o // (len(w) // groups) * w.shape[1] + c]
        out[n, o] += signal.correlate(source, wide[o, c], "valid", "direct")
    return out[(..., *taken)]


def convolved_transposed(g: Any, w: Any, lengths: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    shape = (len(g), groups * w.shape[1], *(n + a + b for n, (a, b) in zip(lengths, padding, strict=True)))
    out = np.zeros(shape, np.result_type(g, w))
    for place, element, spot in spots(g.shape[2:], w.shape[2:], stride, dilation):
        for o in range(len(w)):
            channels = slice(first := o // (len(w) // groups) * w.shape[1], first + w.shape[1])
            out[(slice(None), channels, *spot)] += np.outer(g[(slice(None), o, *place)], w[(o, slice(None), *element)])
    return inner(out, padding, lengths)


def convolved_weight(x: Any, g: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    x, per = padded(x, padding), x.shape[1] // groups
    out = np.zeros((g.shape[1], per, *kernel), np.result_type(x, g))
    for place, element, spot in spots(g.shape[2:], kernel, stride, dilation):
        for o in range(g.shape[1]):
            channels = slice(first := o // (g.shape[1] // groups) * per, first + per)
            out[(o, slice(None), *element)] += g[(slice(None), o, *place)] @ x[(slice(None), channels, *spot)]
    return out


def unfolded(x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    out = np.zeros((*x.shape[:2], *kernel, *sizes(x.shape[2:], kernel, stride, padding, dilation)), x.dtype)
    x = padded(x, padding)
    for place, element, spot in spots(out.shape[2 + len(kernel) :], kernel, stride, dilation):
        out[(..., *element, *place)] = x[(..., *spot)]
    return out


def folded(g: Any, lengths: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    kernel, out = g.shape[2 : 2 + len(lengths)], g.shape[2 + len(lengths) :]
    x = np.zeros((*g.shape[:2], *(n + a + b for n, (a, b) in zip(lengths, padding, strict=True))), g.dtype)
    for place, element, spot in spots(out, kernel, stride, dilation):
        x[(..., *spot)] += g[(..., *element, *place)]
    return inner(x, padding, lengths)


def largest(x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """For each image, channel and window: where its largest element lies, or the first of several."""
    x = padded(x.astype(float), padding, -np.inf)
    out = sizes([n - a - b for n, (a, b) in zip(x.shape[2:], padding, strict=True)], kernel, stride, padding, dilation)
    best: dict[Any, Any] = {}
    for place, _, spot in spots(out, kernel, stride, dilation):
        for n, c in np.ndindex(*x.shape[:2]):
            key = n, c, *place
            if key not in best or x[(n, c, *spot)] > x[(n, c, *best[key])]:
                best[key] = spot
    return best, (*x.shape[:2], *out)


def max_pooled(x: Any, **how: Any) -> Any:
    best, shape = largest(x, **how)
    whole, out = padded(x, how["padding"]), np.zeros(shape, x.dtype)
    for key, spot in best.items():
        out[key] = whole[(*key[:2], *spot)]
    return out


def given_to_largest(g: Any, x: Any, top: Any, **how: Any) -> Any:
    best, _ = largest(x, **how)
    out = np.zeros_like(padded(x, how["padding"]), dtype=g.dtype)
    for key, spot in best.items():
        out[(*key[:2], *spot)] += g[key]
    return inner(out, how["padding"], x.shape[2:])


def taken_at_largest(h: Any, x: Any, top: Any, **how: Any) -> Any:
    best, shape = largest(x, **how)
    whole, out = padded(h, how["padding"]), np.zeros(shape, h.dtype)
    for key, spot in best.items():
        out[key] = whole[(*key[:2], *spot)]
    return out


def numbers_of_largest(x: Any, **how: Any) -> Any:
    best, shape = largest(x, **how)
    out = np.zeros(shape, int)
    for key, spot in best.items():
        own = [i - before for i, (before, _) in zip(spot, how["padding"], strict=True)]
        out[key] = np.ravel_multi_index(own, x.shape[2:])
    return out


# lengths, kernel, stride, padding, dilation
FRAMES = [
    ((5,), (2,), (1,), ((0, 0),), (1,)),
    ((4,), (3,), (2,), ((1, 2),), (1,)),
    ((5,), (2,), (1,), ((2, 0),), (3,)),
    ((3, 3), (2, 2), (1, 1), ((0, 0), (0, 0)), (1, 1)),  # the quick way, with windows that are cut
    ((2, 3), (2, 2), (1, 1), ((1, 0), (0, 1)), (1, 1)),
    ((3, 4), (2, 2), (1, 1), ((0, 1), (1, 0)), (2, 1)),
    ((3, 4), (2, 3), (2, 1), ((1, 0), (0, 1)), (1, 1)),
    ((4, 3), (2, 2), (3, 2), ((0, 1), (1, 1)), (1, 2)),
    ((2, 2, 2), (1, 2, 2), (1, 1, 1), ((0, 0), (0, 0), (0, 1)), (1, 1, 1)),
    ((2, 3, 2), (2, 1, 2), (1, 2, 1), ((1, 0), (0, 0), (0, 1)), (1, 1, 1)),
]
BARE = {"stride": (1,), "padding": ((0, 0),), "dilation": (1,)}
FLAT = {"stride": (1, 1), "padding": ((0, 0), (1, 0)), "dilation": (1, 1)}

# frame, images, channels, filters, groups
CONVOLUTIONS = [
    *((frame, 1 + len(frame[0]) % 2, 1, 2, 1) for frame in FRAMES),
    (FRAMES[0], 2, 2, 2, 2), (FRAMES[1], 1, 2, 4, 2), (FRAMES[3], 1, 2, 2, 1), (FRAMES[3], 1, 2, 2, 2),
    (FRAMES[7], 1, 2, 2, 2), (FRAMES[0], 0, 2, 2, 1), (FRAMES[4], 0, 2, 2, 2), (FRAMES[6], 0, 1, 1, 1),
    (((1,), (1,), (1,), ((0, 0),), (1,)), 1, 1, 1, 1), (((1, 1), (1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1)), 1, 1, 1, 1),
]  # fmt: skip


def cases(kind: str) -> Any:
    """The samples for one of the three forms of convolution."""
    for (lengths, kernel, stride, padding, dilation), count, channels, filters, groups in CONVOLUTIONS:
        how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        x, w = (count, channels, *lengths), (filters, channels // groups, *kernel)
        y = (count, filters, *sizes(lengths, kernel, stride, padding, dilation))
        if kind == "convolve":
            yield s(x, w, **how)
        elif kind == "transposed":
            yield s(y, w, lengths=lengths, **how)
        else:
            yield s(x, y, kernel=kernel, **how)


row(windows.convolve, convolved, *cases("convolve"))
row(windows.convolve_transposed, convolved_transposed, *cases("transposed"))
row(windows.convolve_weight, convolved_weight, *cases("weight"))

FRAMED = [
    (frame, {"stride": frame[2], "padding": frame[3], "dilation": frame[4]}) for frame in FRAMES
]  # fmt: skip
row(
    windows.unfold, unfolded, *(s((1, 2, *frame[0]), kernel=frame[1], **how) for frame, how in FRAMED),
    s((0, 2, 3), kernel=(2,), **BARE), s((2, 0, 3), kernel=(2,), **BARE), s((2, 1, 2, 2), kernel=(1, 2), **FLAT),
)  # fmt: skip
row(
    windows.fold, folded,
    *(s((1, 1, *frame[1], *sizes(*frame)), lengths=frame[0], **how) for frame, how in FRAMED),
    s((0, 2, 2, 2), lengths=(3,), **BARE), s((2, 1, 1, 2, 2, 2), lengths=(2, 2), **FLAT),
)  # fmt: skip
row(
    windows.max_pool, max_pooled, *(s((1, 2, *frame[0]), kernel=frame[1], **how) for frame, how in FRAMED),
    s((0, 2, 3), kernel=(2,), **BARE), s((2, 1, 2, 2), kernel=(1, 2), **FLAT), s(N([[[1, 3, 2]]]), kernel=(2,), **BARE),
)  # fmt: skip
row(
    windows.which_largest, numbers_of_largest,
    *(s((1, 2, *frame[0]), kernel=frame[1], **how) for frame, how in FRAMED),
    s((0, 2, 3), kernel=(2,), **BARE), s(A([[3, 1, 3, 3, -1, -1]]), kernel=(2,), **BARE),
    s(N([[[1, 3, 3, 2]]]), kernel=(3,), **BARE), orders=0,
)  # fmt: skip


def ranked(frame: Any, how: Any) -> Any:
    """Integers, some of which are equal, their maxima, and what a window operation is called with."""
    count = int(np.prod(frame[0]))
    x = (np.arange(2 * count) * 7 % 5).reshape(1, 2, *frame[0])
    return x, max_pooled(x, kernel=frame[1], **how), {"kernel": frame[1], **how}


RANKED = [ranked(*framed) for framed in FRAMED]
row(windows.to_largest, given_to_largest, *(s(top.shape, x, top, **how) for x, top, how in RANKED))
row(windows.at_largest, taken_at_largest, *(s(x.shape, x, top, **how) for x, top, how in RANKED))

# Elementwise

unary(special.erf, sp.erf)
row(special.erf, sp.erf, s(np.linspace(-7, 7, 29)), name="erf (all intervals)", orders=1)
MASKS = [np.resize(MASK, shape) for shape in [(), (3,), (2, 3), (0, 3), (2, 1, 2)]]
row(
    selected, lambda g, mask: np.where(mask, g, 0), *(s(mask.shape, mask) for mask in MASKS), s((2, 3), MASK[0]),
    s((3,), np.bool_(True)),
)  # fmt: skip


def activation(function: Any, reference: Any, *options: Any, **others: Any) -> None:
    row(function, reference, *(s(x[0][0], **how) for how in options for x in ONE), **others)


unary(_relu, lambda x: np.maximum(x, 0))
activation(_hardtanh, lambda x, min_val, max_val: np.clip(x, min_val, max_val), {"min_val": -1.0, "max_val": 0.8})
activation(
    _leaky_relu, lambda x, negative_slope: np.maximum(x, 0) + negative_slope * np.minimum(x, 0),
    {"negative_slope": 0.1}, {"negative_slope": -0.5},
)  # fmt: skip
activation(_threshold, lambda x, threshold, value: np.where(x > threshold, x, value), {"threshold": 0.6, "value": 3.0})
activation(_hardshrink, lambda x, lambd: x * (np.abs(x) > lambd), {"lambd": 0.9}, {"lambd": 0.0})
activation(_softshrink, lambda x, lambd: x - np.clip(x, -lambd, lambd), {"lambd": 0.9}, {"lambd": 0.0})
activation(
    _elu, lambda x, alpha: np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0)), {"alpha": 1.0}, {"alpha": -0.7}
)
activation(
    _softplus, lambda x, beta, threshold: np.where(beta * x > threshold, x, np.log1p(np.exp(beta * x)) / beta),
    {"beta": 1.0, "threshold": 20.0}, {"beta": 3.0, "threshold": 1.5}, domain=either_sign(0.6, 2),
)  # fmt: skip
unary(_logistic_gate, sp.expit)
unary(_mish_gate, lambda x: np.tanh(-sp.log_expit(-x)))
unary(_softsign, lambda x: x / (1 + np.abs(x)))
unary(_normal_cdf, sp.ndtr)
unary(_normal_density, lambda x: np.exp(-x * x / 2) / math.sqrt(2 * math.pi))
GATE = (8 / math.pi) ** 0.5
unary(_tanh_gate, lambda x: sp.expit(GATE * (x + 0.044715 * x**3)))
row(
    _gate_slope, lambda x, y: y * (1 - y) * GATE * (1 + 3 * 0.044715 * x**2), *(s(x[0][0], x[0][0]) for x in ONE),
    domain=between(0.1, 0.9),
)  # fmt: skip

# Sums along axes

row(
    _masked_softmax, lambda scores, mask: sp.softmax(scores + mask, -1),
    s((3, 4), (3, 4)), s((2, 3, 4), (3, 4)), s((1, 4), (1, 1)), s((0, 3, 4), (3, 1)), s((2, 3, 4), (2, 1, 4)),
    s(1000 * A([1, 2, -1, 3]), (4,)),
)  # fmt: skip


def norm(x: Any, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    size = np.abs(x)
    if ord == 0:
        return np.sum(x != 0, axis=axis, keepdims=keepdims).astype(x.dtype)
    if np.isinf(ord):
        return (np.max if ord > 0 else np.min)(size, axis=axis, keepdims=keepdims)
    return np.sum(size**ord, axis=axis, keepdims=keepdims) ** (1 / ord)


ORDERS = [0, 1, 2, 3, 1.5, 0.5, np.inf, -np.inf]
row(
    vector_norm, norm,
    *(s((2, 3), axis=axis, ord=ord) for ord in ORDERS for axis in (None, 1)),
    *(s((2, 3, 2), axis=(0, -1), ord=ord) for ord in ORDERS), *(s((3,), ord=ord) for ord in ORDERS),
    s((2, 3)), s((2, 3), axis=-1, keepdims=True), s((2, 3), axis=0), s((2, 3), keepdims=True), s((1, 3), axis=(0,)),
    s((2, 3, 2), axis=(2, 1), keepdims=True), s((2, 3, 2), axis=1, keepdims=True, ord=3), s(()), s((0, 3), axis=1),
    s((2, 0), axis=0), s(A(0, 2, -3)), s(A([0, 2], [3, -1]), axis=0),
)  # fmt: skip


def standard(x: Any, axes: Any, eps: float) -> Any:
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


row(
    normalization.standardized, standard,
    *(s(shape, axes=axes, eps=eps) for shape, axes, eps in [
        ((3,), (0,), 1e-5), ((3, 2), (0,), 1e-5), ((2, 3), (-1,), 0.1), ((2, 2, 3), (0, 2), 1e-5),
        ((2, 3, 2), (-2, -1), 1e-5), ((2, 1), (1,), 0.1), ((0, 3), (1,), 1e-5), ((2, 2, 2, 1), (2, 3), 0.5),
    ]),
)  # fmt: skip

# Linear layers, losses, and operations whose gradient is not always the derivative, where it is

row(
    _linear, lambda x, weight, bias: x @ weight.T + bias,
    s((2, 3), (4, 3), (4,)), s((3,), (4, 3), (4,)), s((2, 2, 3), (4, 3), (4,)), s((0, 3), (4, 3), (4,)),
    s((1, 1), (1, 1), (1,)), s((2, 0), (2, 0), (2,)),
)  # fmt: skip
# logits, the places of the labels in the flattened logits, and the share of each row
LABELLED = [
    ((1, 3), N([2]), 1.0), ((2, 3), N([0, 5]), 1.0), ((3, 1), N([0, 1, 2]), 0.5), ((0, 3), N([], int), 1.0),
    ((3, 2), N([1, 3, 4]), np.float32([[2], [0], [1]])), (A([1000, 0, -1000], [0, 0, 0]), N([1, 4]), 1.0),
]  # fmt: skip
row(
    _less_one_hot, lambda p, places: p - np.bincount(places, minlength=p.size).reshape(p.shape).astype(p.dtype),
    *(s(logits, places) for logits, places, _ in LABELLED[:5]), domain=between(0, 1),
)  # fmt: skip


def label_losses(logits: Any, places: Any, share: Any) -> Any:
    losses = [sp.logsumexp(x) - x[place % len(x)] for x, place in zip(logits, places, strict=True)]
    shares = np.broadcast_to(np.reshape(share, -1), len(losses))
    return np.array([share and share * loss for share, loss in zip(shares, losses, strict=True)], logits.dtype)


row(
    spelling(_cross_entropies, lambda x, places, share: _cross_entropies(x, places, share)), label_losses,
    *(s(x, places=places, share=share) for x, places, share in LABELLED),
)  # fmt: skip
row(
    spelling(_cross_entropy, lambda x, places, share: _cross_entropy(x, places, share)),
    lambda *x, **how: np.sum(label_losses(*x, **how)),
    *(s(x, places=places, share=share) for x, places, share in LABELLED),
)  # fmt: skip
row(
    _softmax_cross_entropy, lambda logits, target: -np.sum(target * sp.log_softmax(logits, -1), -1),
    s((3,), (3,)), s((2, 3), (2, 3)), s((2, 3), (3,)), s((0, 3), (0, 3)), s((2, 1), (2, 1)),
)  # fmt: skip
unary(_bounded_log, np.log, 0.3, 3)
row(
    _binary_cross_entropy, lambda p, t: -sp.xlogy(t, p) - sp.xlog1py(1 - t, -p),
    *(s(x[0][0], x[0][0]) for x in ONE), domain=between(0.1, 0.9),
)  # fmt: skip
row(_raised, lambda x, least: np.maximum(x, least), *(s(x[0][0], least=0.1) for x in ONE), domain=between(0.3, 2))
row(embedding.scale_gradient, lambda x, factor: x, s((3,), N(1)), s((2, 3), N([[1], [1]])), s((0, 3), N([1, 1, 1])))
row(module_hooks.through_gate, lambda x, gate: x, s((2, 3), ()), s((), ()), s((0, 3), ()))

# Kinks: where a layer or a loss has no derivative its gradient is PyTorch's


def none(function: Any, *operands: Any, **options: Any) -> Any:
    """A loss of each element."""
    return lambda *free: function(*free, *operands, reduction="none", **options)


def line(function: Any, *options: Any, **others: Any) -> Any:
    """A pooling of a sequence."""
    return lambda x: function(x.reshape(1, 1, -1), *options, **others)


NAN, INF = np.nan, np.inf
KINKS = {
    "relu": (F.relu, [A(-1, 0, 2)], [A(0, 0, 1)]),
    "relu6": (F.relu6, [A(-1, 0, 3, 6, 7)], [A(0, 0, 1, 0, 0)]),
    "hardtanh": (F.hardtanh, [A(-2, -1, 0, 1, 2)], [A(0, 0, 1, 0, 0)]),
    "hardsigmoid": (F.hardsigmoid, [A(-3, 0, 3)], [A(0, 1, 0) / 6]),
    "hardswish": (F.hardswish, [A(-3, 0, 3)], [A(0, 0.5, 1)]),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.25), [A(-1, 0, 2)], [A(0.25, 0.25, 1)]),
    "prelu": (F.prelu, [A(-1, 0, 2), A(0.25)], [A(0.25, 0.25, 1), A(-1)]),
    "threshold": (lambda x: F.threshold(x, 1.0, 5.0), [A(0, 1, 2)], [A(0, 0, 1)]),
    "hardshrink": (F.hardshrink, [A(-1, -0.5, 0, 0.5, 1)], [A(1, 0, 0, 0, 1)]),
    "softshrink": (F.softshrink, [A(-1, -0.5, 0, 0.5, 1)], [A(1, 0, 0, 0, 1)]),
    "softshrink by nothing": (lambda x: F.softshrink(x, 0.0), [A(-1, 0, 1)], [A(1, 0, 1)]),
    "elu": (lambda x: F.elu(x, 2.0), [A(0, 1)], [A(2, 1)]),
    "celu": (lambda x: F.celu(x, 2.0), [A(0, 1)], [A(1, 1)]),
    "softplus at its threshold": (lambda x: F.softplus(x, 2.0, 1.0), [A(0.5, 1)], [A(sp.expit(1), 1)]),
    "softsign": (F.softsign, [A(0, 1)], [A(1, 0.25)]),
    "relu of NaN": (F.relu, [A(NAN, 2)], [A(1, 1)]),
    "hardtanh of NaN": (F.hardtanh, [A(NAN, 2)], [A(1, 0)]),
    "leaky_relu of NaN": (lambda x: F.leaky_relu(x, 0.25), [A(NAN, 2)], [A(0.25, 1)]),
    "softshrink of NaN": (F.softshrink, [A(NAN, 2)], [A(1, 1)]),
    "hardshrink of NaN": (F.hardshrink, [A(NAN, 2)], [A(1, 1)]),
    "threshold of NaN": (lambda x: F.threshold(x, 1.0, 5.0), [A(NAN, 2)], [A(1, 1)]),
    "max_pool of equal numbers": (line(F.max_pool1d, 3, 1), [A(3, 1, 3, 3)], [A(1, 0, 1, 0)]),
    "max_pool of NaN": (line(F.max_pool1d, 2), [A(1, NAN, 3, 2)], [A(0, 1, 1, 0)]),
    "max_pool of -inf": (line(F.max_pool1d, 2, padding=1), [A(-INF, 1, 2, -INF)], [A(1, 0, 1, 1)]),
    "adaptive_max_pool of equal numbers": (line(F.adaptive_max_pool1d, 2), [A(3, 3, 1, 1)], [A(1, 0, 1, 0)]),
    "adaptive_max_pool of NaN": (line(F.adaptive_max_pool1d, 2), [A(1, NAN, 3, 2)], [A(0, 1, 1, 0)]),
    "adaptive_avg_pool of NaN": (line(F.adaptive_avg_pool1d, 2), [A(1, NAN, 3, 2, 1)], [A(2, 2, 4, 2, 2) / 6]),
    "lp_pool of zeros": (line(F.lp_pool1d, 2, 2), [A(0, 0, 3, 4)], [A(0, 0, 0.6, 0.8)]),
    "vector_norm of zeros": (vector_norm, [A(0, 0)], [A(0, 0)]),
    "vector_norm of zeros, order 3": (lambda x: vector_norm(x, ord=3), [A(0, 0)], [A(0, 0)]),
    "vector_norm of zeros, order 0.5": (lambda x: vector_norm(x, ord=0.5), [A(0, 0)], [A(0, 0)]),
    "vector_norm with a zero, order 0.5": (lambda x: vector_norm(x, ord=0.5), [A(0, 4)], [A(0, 1)]),
    "vector_norm with a zero, order 3": (lambda x: vector_norm(x, ord=3), [A(0, -4)], [A(0, -1)]),
    "vector_norm with a zero, order 1": (lambda x: vector_norm(x, ord=1), [A(0, -4)], [A(0, -1)]),
    "vector_norm of equal numbers, order inf": (lambda x: vector_norm(x, ord=INF), [A(2, -2, 1)], [A(1, -1, 0) / 2]),
    "vector_norm of zeros, order inf": (lambda x: vector_norm(x, ord=INF), [A(0, 0)], [A(0, 0)]),
    "pairwise_distance of equals": (lambda x: F.pairwise_distance(x, [1.0, 2.0], eps=0.0), [A(1, 2)], [A(0, 0)]),
    "pdist of equals": (F.pdist, [A([1, 2], [1, 2])], [A([0, 0], [0, 0])]),
    "cosine_similarity of zeros": (lambda x: F.cosine_similarity(x, [3.0, 4.0], dim=0), [A(0, 0)], [A(6e7, 8e7)]),
    "l1_loss": (none(F.l1_loss), [A(1, 2, 3), A(2, 2, 2)], [A(-1, 0, 1), A(1, 0, -1)]),
    "huber_loss": (none(F.huber_loss, A(0, 0, 0), delta=0.5), [A(-0.5, 0, 0.5)], [A(-0.5, 0, 0.5)]),
    "smooth_l1_loss": (none(F.smooth_l1_loss, A(0, 0, 0)), [A(-1, 0, 1)], [A(-1, 0, 1)]),
    "smooth_l1_loss, beta 0": (none(F.smooth_l1_loss, A(0, 0, 0), beta=0.0), [A(-1, 0, 1)], [A(-1, 0, 1)]),
    "margin_ranking_loss": (none(F.margin_ranking_loss, A(1, 1)), [A(1, 2), A(1, 1)], [A(-1, 0), A(1, 0)]),
    "hinge_embedding_loss": (none(F.hinge_embedding_loss, A(-1, -1, -1)), [A(0, 1, 2)], [A(-1, -1, 0)]),
    "triplet_margin_loss": (none(F.triplet_margin_loss, A([1]), A([2]), eps=0.0), [A([0])], [A([0])]),
    "multi_margin_loss": (none(F.multi_margin_loss, N([0])), [A([1, 0])], [A([0, 0])]),
    "multilabel_margin_loss": (none(F.multilabel_margin_loss, N([[0, -1]])), [A([1, 0])], [A([0, 0])]),
    "kl_div of a probability 0": (lambda t: F.kl_div(A(0, 0), t, reduction="none"), [A(0, 1)], [A(0, 1)]),
    "gaussian_nll_loss below eps": (
        lambda v: F.gaussian_nll_loss(A(0, 0), A(1, 1), v, eps=0.5, reduction="none"), [A(0.25, 0.5)], [A(-1, -1)],
    ),
    "binary_cross_entropy at its ends": (
        none(F.binary_cross_entropy, A(1, 0, 1, 0)), [A(0, 0, 1, 1)], [A(-1e12, 0, 0, 1e12)],
    ),
    "scale_gradient": (lambda x: embedding.scale_gradient(x, A(0, 2, -1)), [A(1, 2, 3)], [A(0, 2, -1)]),
    "a gate": (module_hooks.through_gate, [A(1, 2), A(3)], [A(1, 1), A(0)]),
}  # fmt: skip

row(
    normalization._row_sums, lambda x: np.sum(x, axis=-1, keepdims=True), s((4,)), s((2, 3)), s((0, 3)), s((2, 1, 3)),
)  # fmt: skip
row(
    normalization._row_products, lambda a, b: np.sum(a * b, axis=-1, keepdims=True), s((4,), (4,)), s((2, 3), (2, 3)),
    s((0, 3), (0, 3)),
)  # fmt: skip
row(
    spelling(_nan_if_empty, lambda loss, total: _nan_if_empty(loss, total)), lambda loss, total: loss,
    s((), total=2.0), s((3,), total=0.5),
)  # fmt: skip
