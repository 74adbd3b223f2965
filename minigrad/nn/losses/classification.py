"""Losses of scores for classes against labels or probabilities."""

import math
from typing import Any

import numpy as np

from minigrad.core import Array, Handle, primitive
from minigrad.errors import ShapeError
from minigrad.errors.losses import not_probabilities, warn_of_activation
from minigrad.nn.activation import logsigmoid
from minigrad.nn.layer import FunctionLayer, check_broadcast, constant, floating, operand
from minigrad.nn.losses.base import (
    Reduction,
    WeightedLoss,
    alike,
    as_tensor,
    checked_labels,
    class_weights,
    counted_labels,
    labels_of,
    real,
    reduced,
    weighed,
)
from minigrad.ops import elementwise, reductions, shaping
from minigrad.ops.arguments import checked
from minigrad.ops.indexing import getitem, scatter
from minigrad.ops.kept_zeros import zero_safe_divide
from minigrad.ops.numbers import inverse_or_zero, number, or_nan, or_one
from minigrad.ops.scaling import narrowed, widened
from minigrad.options import one_of, real_number

# Cross-entropy of a softmax, fused: from the logits, in one step, without forming logarithms of tiny probabilities


@primitive(lambda g, y, p, places: g, None, cost=lambda args, y, how: np.size(args[1]))
def _less_one_hot(p: Array, places: Array, /) -> Array:
    """Rows of probabilities, with 1 taken from those at these places of the flattened array."""
    out = p.copy()
    out.reshape(-1)[places] -= 1
    return out


# The share of a row is a number for all, or an array of shape (N, 1).  The forward pass saves the probabilities, so a
# first backward pass need not compute them again.


def _row_losses(logits: Array, places: Array, share: Any) -> tuple[Array, Array]:
    """For each row the loss, and the probabilities."""
    shifted = logits - reductions.shift(logits, -1)
    exponentials = np.exp(shifted)
    sums = reductions.row_sums(exponentials, -1)
    exponentials /= sums
    rows = np.log(sums).reshape(-1) - shifted.reshape(-1)[places]
    if isinstance(share, float):
        return rows if share == 1.0 else rows * share, exponentials
    return np.multiply(rows, share[:, 0], out=np.zeros_like(rows), where=share[:, 0] != 0), exponentials  # not 0 * inf


def _errors(logits: Array, places: Array, saved: Array | None) -> Array:
    """The probabilities, less 1 at the labels; computed anew where they shall be differentiated themselves."""
    return _less_one_hot(reductions.softmax(logits) if saved is None else saved, places)


@primitive(
    lambda g, y, logits, places, share, *, saved: np.expand_dims(g, -1) * share * _errors(logits, places, saved),
    None,
    None,
    saves=True,
    cost=5,
)
def _cross_entropies(logits: Array, places: Array, share: Any, /) -> Any:
    """For each row ``-share * log_softmax(logits)`` at its label, which is at this place of the flattened array."""
    rows, saved = _row_losses(logits, places, share)
    return narrowed(rows, logits), saved


@primitive(
    lambda g, y, logits, places, share, *, saved: g * share * _errors(logits, places, saved),
    None,
    None,
    saves=True,
    cost=5,
)
def _cross_entropy(logits: Array, places: Array, share: Any, /) -> Any:
    """The sum of `_cross_entropies` over all rows."""
    rows, saved = _row_losses(logits, places, share)
    return narrowed(np.add.reduce(rows), logits), saved


@primitive(
    lambda g, y, logits, target: (
        np.expand_dims(g, -1) * (reductions.softmax(logits) * np.sum(target, axis=-1, keepdims=True) - target)
    ),
    lambda g, y, logits, target: -np.expand_dims(g, -1) * reductions.log_softmax(logits),
    cost=7,
)
def _softmax_cross_entropy(logits: Array, target: Array, /) -> Array:
    """``-sum(target * log_softmax(logits))`` along the last axis."""
    logarithms = reductions.log_softmax(logits)
    terms = np.multiply(target, logarithms, out=np.zeros_like(logarithms), where=target != 0)  # not 0 * -inf
    return -np.add.reduce(terms, axis=-1)


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Cross-entropy of a target and the softmax of logits.

    Parameters
    ----------
    input : array of shape (C,), (N, C) or (N, C, d1, ...)
        Logits: numbers that no softmax has been applied to.
    target : integer array of shape (), (N,) or (N, d1, ...), or floating-point array of the input's shape
        Labels from 0 to C-1, or a probability for each class.
    weight : array of shape (C,), optional
        The weight of each class.
    ignore_index : int
        Elements with this label do not count.
    reduction : {"mean", "sum", "none"}
        The mean over labels is weighted by the weights of their classes, as in PyTorch.
    label_smoothing : float
        How much of the target, from 0 to 1, is spread evenly over all classes.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    IndexingError
        If a label is negative or not below C.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> print(f"{F.cross_entropy(np.array([[0.0, 0.0]]), np.array([1])):.4f}")
    0.6931
    """
    _warn_if_made_by(reductions.softmax, input, "cross_entropy")
    input = floating(input)
    real_number(label_smoothing, "cross_entropy: label_smoothing", least=0, most=1)
    logits, classes, places = _by_rows("cross_entropy", input)
    weights = class_weights("cross_entropy", weight, classes, input.dtype)
    wanted = operand(target)
    if wanted.dtype.kind == "f" and wanted.shape == input.shape:
        chances = _by_rows("cross_entropy", wanted)[0] * (1 - label_smoothing) + label_smoothing / classes
        losses = _softmax_cross_entropy(logits, chances if weights is None else chances * weights)
        return reduced(losses.reshape(places), reduction, losses.size or np.nan)
    labels, counted = counted_labels("cross_entropy", wanted, places, classes, ignore_index)
    share: Any = 1.0
    total: Any = labels.size
    if weights is not None or counted is not None:
        rows = np.ones(labels.shape, input.dtype) if weights is None else getitem(weights, labels)
        share = widened(rows if counted is None else rows * counted)[:, None]
        total = number(share.sum(dtype=float))
    if label_smoothing:
        dense = (np.arange(classes) == labels[:, None]) * (1 - label_smoothing) + label_smoothing / classes
        if counted is not None:
            dense = dense * counted[:, None]
        losses = _softmax_cross_entropy(logits, (dense if weights is None else dense * weights).astype(input.dtype))
        loss = reduced(losses.reshape(places), reduction, or_one(total))
        return _unless_empty(loss, total) if reduction == "mean" else loss
    at = np.arange(0, labels.size * classes, max(classes, 1)) + labels
    if reduction == "sum":
        return _cross_entropy(logits, at, share)
    if reduction == "mean":
        loss = _cross_entropy(logits, at, share * inverse_or_zero(total))
        return _unless_empty(loss, total)
    return reduced(_cross_entropies(logits, at, share).reshape(places), reduction)


@primitive(lambda g, y, loss, total: g, None, kind="elementwise")
def _nan_if_empty(loss: Array, total: Any, /) -> Array:
    """The mean of nothing is NaN, as in PyTorch, but with gradients of 0."""
    return loss if total else loss + np.nan


def _unless_empty(loss: Any, total: Any) -> Any:
    return _nan_if_empty(loss, total) if isinstance(total, Handle) or not total else loss


def _by_rows(loss: str, input: Any) -> tuple[Any, int, tuple[int, ...]]:
    """Scores as a matrix with a row for each element, the number of classes, and the shape of the elements."""
    shape = real(loss, input).shape
    if not shape:
        raise ShapeError(f"{loss}: scores need an axis for the classes, and these have shape ()")
    axis = 0 if len(shape) == 1 else 1
    if len(shape) > 2:
        input = shaping.moveaxis(input, 1, -1)
    places = shape[:axis] + shape[axis + 1 :]
    if len(shape) == 2:
        return input, shape[1], places
    return input.reshape(math.prod(places), shape[axis]), shape[axis], places


def _warn_if_made_by(activation: Any, input: Any, loss: str) -> None:
    """Warn of the input of a loss that is the result of an activation which does not belong there."""
    node = input.node if isinstance(input, Handle) else None
    if node is not None and node.op is not None and node.op.primitive is activation.primitive:
        warn_of_activation(loss)


def nll_loss(
    input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: Reduction = "mean"
) -> Any:
    """Negative of the log-probability at each label.

    Parameters
    ----------
    input : array of shape (C,), (N, C) or (N, C, d1, ...)
        Logarithms of probabilities.
    target : integer array of shape (), (N,) or (N, d1, ...)
    weight, ignore_index, reduction
        As for `cross_entropy`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> float(F.nll_loss(np.array([[-1.0, -2.0]]), np.array([1])))
    2.0
    """
    _warn_if_made_by(reductions.softmax, input, "nll_loss")
    input = floating(input)
    rows, classes, places = _by_rows("nll_loss", input)
    label, counted = counted_labels("nll_loss", target, places, classes, ignore_index)
    counted = np.ones(label.shape, bool) if counted is None else counted
    weights = class_weights("nll_loss", weight, classes, input.dtype)
    share = (counted if weights is None else getitem(weights, label) * counted).astype(input.dtype)
    picked = getitem(rows, index=(np.arange(len(label)), label))
    losses = -elementwise.where(share != 0, picked, 0.0) * share  # not 0 * -inf
    return reduced(losses.reshape(places), reduction, or_nan(number(share.sum(dtype=float))))


# Two classes: probabilities or scores of one of them


@primitive(lambda g, y, x: zero_safe_divide(g, x), kind="elementwise")
def _bounded_log(x: Array, /) -> Array:
    """The logarithm, but not below -100."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(x), -100)


@primitive(
    lambda g, y, p, t: g * (p - t) / np.maximum(p * (1 - p), 1e-12),
    lambda g, y, p, t: g * (_bounded_log(1 - p) - _bounded_log(p)),
    kind="elementwise",
)
def _binary_cross_entropy(p: Array, t: Array, /) -> Array:
    return -(t * _bounded_log(p) + (1 - t) * _bounded_log(1 - p))


def _require_probabilities(value: np.ndarray) -> None:
    if not ((value >= 0) & (value <= 1)).all():
        raise not_probabilities("binary_cross_entropy", value)


def binary_cross_entropy(input: Any, target: Any, weight: Any = None, reduction: Reduction = "mean") -> Any:
    """Cross-entropy of probabilities of one of two classes.

    Parameters
    ----------
    input : array
        Probabilities, from 0 to 1. Their logarithms are bounded by -100, so the loss is finite.
    target : array of the same shape
        Labels 0 and 1, or probabilities.
    weight : array that broadcasts to the shape, optional
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ArgumentError
        If an element of the input is not from 0 to 1: give logits to `binary_cross_entropy_with_logits`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> float(F.binary_cross_entropy(np.array([1.0, 0.0]), np.array([1.0, 0.0])))
    0.0
    """
    input, target = map(floating, alike("binary_cross_entropy", input, target))
    input = checked(input, _require_probabilities)
    return reduced(weighed("binary_cross_entropy", _binary_cross_entropy(input, target), weight), reduction)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: Reduction = "mean", pos_weight: Any = None
) -> Any:
    """Cross-entropy of the sigmoid of logits, without overflow.

    Parameters
    ----------
    input : array
        Logits: numbers that no sigmoid has been applied to.
    target : array of the same shape
        Labels 0 and 1, or probabilities.
    weight : array that broadcasts to the shape, optional
    reduction : {"mean", "sum", "none"}
    pos_weight : array that broadcasts to the shape, optional
        How much more the class 1 counts than the class 0.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> float(F.binary_cross_entropy_with_logits(np.array([1000.0, -1000.0]), np.array([1.0, 1.0])))
    500.0
    """
    name = "binary_cross_entropy_with_logits"
    _warn_if_made_by(elementwise.sigmoid, input, name)
    input, target = map(floating, alike(name, input, target))
    opened = logsigmoid(input)
    if pos_weight is not None:
        more = real(name, operand(pos_weight))
        check_broadcast(name, "a pos_weight", more.shape, input.shape)
        opened = opened * (1 + (more.astype(input.dtype) - 1) * target)
    return reduced(weighed(name, (1 - target) * input - opened, weight), reduction)


def soft_margin_loss(input: Any, target: Any, reduction: Reduction = "mean") -> Any:
    """``log(1 + exp(-target * input))`` for targets 1 and -1.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> float(F.soft_margin_loss(np.array([-1000.0]), np.array([1.0])))
    1000.0
    """
    input, target = alike("soft_margin_loss", input, target)
    return reduced(-logsigmoid(input * target), reduction)


# Several labels for each element, or a margin between the scores of classes


def multilabel_soft_margin_loss(input: Any, target: Any, weight: Any = None, reduction: Reduction = "mean") -> Any:
    """Mean over the classes, on the last axis, of the cross-entropy of the sigmoid.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> float(F.multilabel_soft_margin_loss(np.array([[1000.0, 1000.0]]), np.array([[1.0, 0.0]])))
    500.0
    """
    input, target = alike("multilabel_soft_margin_loss", input, target)
    losses = binary_cross_entropy_with_logits(input, target, weight, "none")
    return reduced(reductions.mean(losses, axis=-1), reduction)


def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: Reduction = "mean"
) -> Any:
    """Mean over the wrong classes of ``max(0, margin - score of the label + score) ** p``.

    Parameters
    ----------
    input : array of shape (N, C) or (C,)
    target : integer array of shape (N,) or ()
    p : {1, 2}
    margin : float
    weight : array of shape (C,), optional
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> float(F.multi_margin_loss(np.array([[0.5, 1.0]]), np.array([0])))
    0.75
    """
    one_of(p, "multi_margin_loss: p", (1, 2))
    input = floating(input)
    rows, classes, places = _by_rows("multi_margin_loss", input)
    label = labels_of("multi_margin_loss", target, places, classes).ravel()
    weights = class_weights("multi_margin_loss", weight, classes, input.dtype)
    own = getitem(rows, index=(np.arange(len(label)), label))
    short = margin - own.reshape(-1, 1) + rows
    wrong = (np.arange(classes) != label[:, None]) & (constant(short, "margins") > 0)
    short = elementwise.where(wrong, short, 0.0) ** p
    losses = reductions.sum(short, axis=1) / classes
    return reduced((losses if weights is None else losses * getitem(weights, label)).reshape(places), reduction)


def multilabel_margin_loss(input: Any, target: Any, reduction: Reduction = "mean") -> Any:
    """Mean over pairs of a label and another class of ``max(0, 1 - score of the label + score)``.

    Parameters
    ----------
    input : array of shape (N, C) or (C,)
    target : integer array of the same shape
        The labels of each row come first, and end before the first -1.
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> float(F.multilabel_margin_loss(np.array([[0.5, 1.0]]), np.array([[0, -1]])))
    0.75
    """
    input = floating(input)
    rows, classes, places = _by_rows("multilabel_margin_loss", input)
    targets, _ = checked_labels("multilabel_margin_loss", target, input.shape, classes, -1)
    targets = targets.reshape(len(rows), classes)
    listed = np.cumprod(targets >= 0, axis=1).astype(bool)  # up to the first -1
    row = np.arange(len(targets))[:, None]
    label = np.where(listed, targets, 0)
    is_label = scatter(listed.astype(int), (row, label), targets.shape)
    own = getitem(rows, index=(row, label))
    short = 1 - own.reshape(-1, classes, 1) + rows.reshape(-1, 1, classes)
    counts = listed[:, :, None] & (is_label == 0)[:, None, :] & (constant(short, "margins") > 0)
    losses = reductions.sum(elementwise.where(counts, short, 0.0), axis=(1, 2)) / classes
    return reduced(losses.reshape(places), reduction)


# Layers


class CrossEntropyLoss(WeightedLoss):
    """`functional.cross_entropy` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.nn.CrossEntropyLoss()(mg.tensor([[0.0, -1000.0]]), np.array([1])).item()
    1000.0
    """

    function = cross_entropy

    def __init__(
        self,
        weight: Any = None,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing)


class NLLLoss(WeightedLoss):
    """`functional.nll_loss` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.nn.NLLLoss()(mg.tensor([[-1.0, -2.0]]), np.array([1])).item()
    2.0
    """

    function = nll_loss

    def __init__(self, weight: Any = None, ignore_index: int = -100, reduction: Reduction = "mean") -> None:
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction)


class BCELoss(WeightedLoss):
    """`functional.binary_cross_entropy` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.BCELoss()(mg.tensor([1.0]), mg.tensor([1.0])).item()
    0.0
    """

    function = binary_cross_entropy

    def __init__(self, weight: Any = None, reduction: Reduction = "mean") -> None:
        super().__init__(weight, reduction=reduction)


class BCEWithLogitsLoss(WeightedLoss):
    """`functional.binary_cross_entropy_with_logits` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.BCEWithLogitsLoss()(mg.tensor([-1000.0]), mg.tensor([1.0])).item()
    1000.0
    """

    function = binary_cross_entropy_with_logits

    def __init__(self, weight: Any = None, reduction: Reduction = "mean", pos_weight: Any = None) -> None:
        super().__init__(weight, reduction=reduction)
        self.register_buffer("pos_weight", None if pos_weight is None else as_tensor(pos_weight))

    def forward(self, input: Any, target: Any) -> Any:
        """Compute the loss."""
        return binary_cross_entropy_with_logits(input, target, self.weight, self.reduction, self.pos_weight)


class SoftMarginLoss(FunctionLayer):
    """`functional.soft_margin_loss` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.SoftMarginLoss()(mg.tensor([-1000.0]), mg.tensor([1.0])).item()
    1000.0
    """

    function = soft_margin_loss

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__(reduction=reduction)


class MultiLabelSoftMarginLoss(WeightedLoss):
    """`functional.multilabel_soft_margin_loss` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.MultiLabelSoftMarginLoss()(mg.tensor([[1000.0, 1000.0]]), mg.tensor([[1.0, 0.0]])).item()
    500.0
    """

    function = multilabel_soft_margin_loss

    def __init__(self, weight: Any = None, reduction: Reduction = "mean") -> None:
        super().__init__(weight, reduction=reduction)


class MultiMarginLoss(WeightedLoss):
    """`functional.multi_margin_loss` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.nn.MultiMarginLoss()(mg.tensor([[0.5, 1.0]]), np.array([0])).item()
    0.75
    """

    function = multi_margin_loss

    def __init__(self, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: Reduction = "mean") -> None:
        super().__init__(weight, p=p, margin=margin, reduction=reduction)


class MultiLabelMarginLoss(FunctionLayer):
    """`functional.multilabel_margin_loss` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.nn.MultiLabelMarginLoss()(mg.tensor([[0.5, 1.0]]), np.array([[0, -1]])).item()
    0.75
    """

    function = multilabel_margin_loss

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__(reduction=reduction)
