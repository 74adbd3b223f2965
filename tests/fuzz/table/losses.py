"""Losses, and layers without parameters of their own."""

from typing import Any

import numpy as np

from tests.fuzz import duals as d
from tests.fuzz.operands import FRACTION, POSITIVE, REAL, Arguments, op, same, spelled
from tests.fuzz.programs import Draft

# fmt: off


def _reduced(loss: Any) -> Any:
    return lambda x, reduction, **more: {"none": lambda y: y, "mean": d.mean, "sum": d.sum}[reduction](loss(x, **more))


def _reduction(draft: Draft) -> str:
    return draft.dice.choice(["none", "mean", "sum"])


def _full(x: np.ndarray) -> bool:
    return x.size > 0


def pair(draft: Draft) -> Arguments:
    return {**same(REAL, REAL, test=_full)(draft), "reduction": _reduction(draft)}


def _huber(x: Any, y: Any) -> Any:
    gap = x - y
    return d.where(np.abs(d.plain(gap)) < 1, 0.5 * d.square(gap), d.fabs(gap) - 0.5)


def with_targets(domain: Any, low: float, high: float, whole: bool = False) -> Any:
    """Predictions, and a target for each: a constant."""

    def drawn(draft: Draft) -> Arguments:
        x = domain(draft, _full)
        numbers = draft.rng.uniform(low, high, draft.values[x].shape)
        targets = np.where(numbers > 0, 1.0, -1.0) if whole else np.round(numbers, 2)
        return {"x": x, "t": np.asarray(targets), "reduction": _reduction(draft)}

    return drawn


def labelled(draft: Draft) -> Arguments:
    x = REAL(draft, lambda x: x.ndim == 2 and x.size)
    rows, classes = draft.values[x].shape
    return {"x": x, "t": draft.rng.integers(0, classes, rows), "reduction": _reduction(draft)}


def _nll(scores: Any, t: np.ndarray) -> Any:
    return -d.item(scores, (np.arange(len(t)), t))


def _log_softmax(x: Any) -> Any:
    return x - d.logsumexp(x, -1, True)


SAME = "F.NAME({x}, {y}, reduction={reduction})"
TARGET = "F.NAME({x}, {t}, reduction={reduction})"

losses = [
    op("mse_loss", _reduced(lambda x, y: d.square(x - y)), pair, *spelled("mse_loss", SAME)),
    op("l1_loss", _reduced(lambda x, y: d.fabs(x - y)), pair, *spelled("l1_loss", SAME)),
    op("smooth_l1_loss", _reduced(_huber), pair, *spelled("smooth_l1_loss", SAME)),
    op("huber_loss", _reduced(_huber), pair, *spelled("huber_loss", SAME)),
    op("cross_entropy", _reduced(lambda x, t: _nll(_log_softmax(x), t)), labelled, *spelled("cross_entropy", TARGET)),
    op("nll_loss", _reduced(_nll), labelled, *spelled("nll_loss", TARGET)),
    op("kl_div", _reduced(lambda x, t: t * (np.log(t) - x)), with_targets(REAL, 0.1, 1), *spelled("kl_div", TARGET)),
    op("binary_cross_entropy", _reduced(lambda x, t: -(t * d.log(x) + (1 - t) * d.log(1 - x))),
       with_targets(FRACTION, 0, 1), *spelled("binary_cross_entropy", TARGET)),
    op("binary_cross_entropy_with_logits", _reduced(lambda x, t: d.softplus(x) - t * x), with_targets(REAL, 0, 1),
       *spelled("binary_cross_entropy_with_logits", TARGET)),
    op("poisson_nll_loss", _reduced(lambda x, t: d.exp(x) - t * x), with_targets(FRACTION, 0, 3),
       *spelled("poisson_nll_loss", TARGET)),
    op("soft_margin_loss", _reduced(lambda x, t: d.softplus(-t * x)), with_targets(REAL, -1, 1, whole=True),
       *spelled("soft_margin_loss", TARGET)),
    op("gaussian_nll_loss", _reduced(lambda x, y, z: 0.5 * (d.log(z) + d.square(x - y) / z)),
       lambda draft: {**same(REAL, REAL, POSITIVE, test=_full)(draft), "reduction": _reduction(draft)},
       "F.gaussian_nll_loss({x}, {y}, {z}, reduction={reduction})"),
]


# Layers


def _standardized(x: Any) -> Any:
    return (x - d.mean(x, -1, True)) / d.sqrt(d.var(x, -1, True) + 1e-5)


def _attention(x: Any, y: Any, z: Any) -> Any:
    scores = d.matmul(x, d.matrix_transpose(y)) / float(d.shape(x)[-1]) ** 0.5
    return d.matmul(d.softmax(scores, -1), z)


def _windows(x: Any, size: int) -> Any:
    """The parts of so many neighbours along the last axis, as one more axis."""
    return d.item(x, (..., np.arange(d.shape(x)[-1] - size + 1)[:, None] + np.arange(size)))


def _convolution(x: Any, w: np.ndarray) -> Any:
    return d.einsum(_windows(x, w.shape[-1]), w, subscripts="nclk,ock->nol")


def signals(draft: Draft) -> Arguments:
    x = REAL(draft, lambda x: x.ndim == 3 and x.shape[-1] > 1 and x.size)
    channels = draft.values[x].shape[1]
    return {"x": x, "w": draft.normal((2, channels, 2)).astype(draft.values[x].dtype)}


def _even(draft: Draft, x: np.ndarray) -> Arguments:
    return {}


def _glu(x: Any) -> Any:
    half = d.shape(x)[-1] // 2
    return d.item(x, (..., slice(half))) * d.sigmoid(d.item(x, (..., slice(half, None))))


def _last(draft: Draft, test: Any) -> Arguments:
    return {"x": REAL(draft, lambda x: x.ndim and x.size and test(x))}


layers = [
    op("layer_norm", _standardized, lambda draft: _last(draft, lambda x: x.shape[-1] > 1),
       "F.layer_norm({x}, {x}.shape[-1:])"),
    op("rms_norm", lambda x: x / d.sqrt(d.mean(d.square(x), -1, True) + 1e-5), lambda draft: _last(draft, np.any),
       "F.rms_norm({x}, {x}.shape[-1:], eps=1e-5)"),
    op("glu", _glu, lambda draft: _last(draft, lambda x: x.shape[-1] % 2 == 0), "F.glu({x}, -1)"),
    op("attention", _attention, same(REAL, REAL, REAL, test=lambda x: x.ndim >= 2 and x.size),
       "F.scaled_dot_product_attention({x}, {y}, {z})"),
    op("conv1d", _convolution, signals, "F.conv1d({x}, {w})"),
    op("avg_pool1d", lambda x: d.mean(_windows(x, 2), -1), lambda draft: {"x": signals(draft)["x"]},
       "F.avg_pool1d({x}, 2, stride=1)"),
    op("max_pool1d", lambda x: d.max(_windows(x, 2), -1), lambda draft: {"x": signals(draft)["x"]},
       "F.max_pool1d({x}, 2, stride=1)"),
    op("linear", lambda x, y: d.einsum(x, y, subscripts="...i,ji->...j"), lambda draft: (
        lambda x: {"x": x, "y": REAL(draft, lambda y: y.ndim == 2 and y.shape[-1] == draft.values[x].shape[-1])})(
        REAL(draft, lambda x: x.ndim >= 1)), "F.linear({x}, {y})", "{x} @ {y}.T", exact=False),
]

FAMILIES = [losses, layers]
