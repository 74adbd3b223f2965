"""Layers, activations and losses as functions, with PyTorch's names, arguments and defaults."""

import warnings
from typing import Any, Literal

import numpy as np

from minigrad.core import Array, Handle, primitive
from minigrad.errors import ArgumentError, DTypeError, IndexingError, ShapeError
from minigrad.ops import elementwise, reductions, shaping
from minigrad.ops.linalg import matmul

Reduction = Literal["none", "mean", "sum"]

# Layers


def _rows(x: Array) -> Array:
    return x if x.ndim == 2 else np.reshape(x, (-1, x.shape[-1]))


@primitive(
    lambda g, y, x, weight, bias: np.matmul(g, weight),
    lambda g, y, x, weight, bias: np.matmul(np.transpose(_rows(g)), _rows(x)),
    lambda g, y, x, weight, bias: g,
)
def _linear(x: Array, weight: Array, bias: Array, /) -> Array:
    y = matmul(x, weight.T)
    if y.dtype == bias.dtype and y.ndim:
        y += bias
        return y
    return y + bias


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """``input @ weight.T + bias``.

    Parameters
    ----------
    input : array of shape (..., in_features)
    weight : array of shape (out_features, in_features)
    bias : array of shape (out_features,), optional

    Returns
    -------
    array of shape (..., out_features)

    Raises
    ------
    ShapeError
        If the shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.linear(np.ones((1, 2)), np.eye(2), np.array([1.0, 0.0]))
    array([[2., 1.]])
    """
    shape = np.shape(input)
    if np.ndim(weight) != 2:
        raise ShapeError(
            f"linear: a weight has two axes (out_features, in_features), and this has shape {np.shape(weight)}"
        )
    out, features = np.shape(weight)
    if not shape or shape[-1] != features or (bias is not None and np.shape(bias) != (out,)):
        raise ShapeError(
            f"linear: an input of shape {shape} does not fit a weight of shape {(out, features)}"
            + ("" if bias is None else f" and a bias of shape {np.shape(bias)}")
            + ": the input's last axis must be the weight's second"
        )
    if bias is None:
        return matmul(input, shaping.matrix_transpose(weight))
    return _linear(input, weight, bias)


# Activations


@primitive(lambda g, y, x: np.where(y > 0, g, 0))
def relu(x: Array, /) -> Array:
    """The larger of `x` and 0; at 0 the derivative is taken as 0, as in PyTorch."""
    return np.maximum(x, 0)


tanh = elementwise.tanh
sigmoid = elementwise.sigmoid


def softmax(input: Any, dim: int = -1) -> Any:
    """``exp(x) / sum(exp(x))`` along an axis."""
    return reductions.softmax(input, axis=dim)


def log_softmax(input: Any, dim: int = -1) -> Any:
    """Logarithm of the softmax along an axis."""
    return reductions.log_softmax(input, axis=dim)


# Losses


def _reduced(losses: Any, reduction: Reduction, count: Any = None) -> Any:
    """The losses of single elements put together; `count` is what the mean divides by, if not their number."""
    if reduction == "none":
        return losses
    if reduction == "sum":
        return reductions.sum(losses)
    if reduction == "mean":
        return reductions.mean(losses) if count is None else reductions.sum(losses) / count
    raise ArgumentError(f"reduction must be 'none', 'mean' or 'sum', not {reduction!r}")


def _same_shape(loss: str, input: Any, target: Any) -> None:
    if np.shape(input) != np.shape(target):
        raise ShapeError(
            f"{loss}: a prediction of shape {np.shape(input)} and a target of shape {np.shape(target)} are not "
            "compared element by element: reshape one of them (PyTorch would broadcast here, which is seldom meant)"
        )


def mse_loss(input: Any, target: Any, reduction: Reduction = "mean") -> Any:
    """Squared error.

    Parameters
    ----------
    input, target : arrays of one shape
        Other than in PyTorch, shapes that differ are an error: ``(n, 1)`` against ``(n,)`` would broadcast to
        ``(n, n)``.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ShapeError
        If the shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> float(F.mse_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    2.0
    """
    _same_shape("mse_loss", input, target)
    return _reduced(elementwise.square(elementwise.subtract(input, target)), reduction)


@primitive(
    lambda g, y, logits, target: (
        np.expand_dims(g, -1) * (reductions.softmax(logits) * np.sum(target, axis=-1, keepdims=True) - target)
    ),
    lambda g, y, logits, target: -np.expand_dims(g, -1) * reductions.log_softmax(logits),
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
    _warn_of_softmax(input)
    input = input if isinstance(input, Handle) else np.asarray(input, float)
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(f"label_smoothing must be from 0 to 1, not {label_smoothing}")
    shape = np.shape(input)
    if not shape:
        raise ShapeError("cross_entropy: logits need an axis for the classes, and these have shape ()")
    axis = 0 if len(shape) == 1 else 1
    logits = shaping.moveaxis(input, axis, -1) if len(shape) > 2 else input
    classes = shape[axis]
    weights = np.ones(classes) if weight is None else np.asarray(weight.data if isinstance(weight, Handle) else weight)
    if weights.shape != (classes,):
        raise ShapeError(f"cross_entropy: weights of shape {weights.shape} do not fit {classes} classes")
    dtype = input.dtype
    labels = target.data if isinstance(target, Handle) else np.asarray(target)
    if labels.dtype.kind == "f" and labels.shape == shape:
        wanted = target if isinstance(target, Handle) else labels
        wanted = shaping.moveaxis(wanted, axis, -1) * (1 - label_smoothing) + label_smoothing / classes
        losses = _softmax_cross_entropy(logits, wanted * weights.astype(dtype))
        return _reduced(losses, reduction, max(losses.size, 1))
    if labels.shape != shape[:axis] + shape[axis + 1 :]:
        raise ShapeError(f"cross_entropy: labels of shape {labels.shape} do not fit logits of shape {shape}")
    if labels.dtype.kind not in "iu":
        raise DTypeError(
            f"cross_entropy: labels must be integers, not {labels.dtype}; probabilities have shape {shape}"
        )
    counted = labels != ignore_index
    bad = counted & ((labels < 0) | (labels >= classes))
    if bad.any():
        raise IndexingError(f"cross_entropy: label {labels[bad][0]} is not one of the classes 0 to {classes - 1}")
    label = np.where(counted, labels, 0)
    wanted = (np.arange(classes) == label[..., None]) * (weights * (1 - label_smoothing))
    wanted = (wanted + weights * (label_smoothing / classes)) * counted[..., None]
    losses = _softmax_cross_entropy(logits, wanted.astype(dtype))
    total = float(np.sum(weights[label] * counted))
    return _reduced(losses, reduction, total if total else np.nan)  # the mean of no labels is NaN, as in PyTorch


def _warn_of_softmax(logits: Any) -> None:
    node = logits.node if isinstance(logits, Handle) else None
    if node is not None and node.op is not None and node.op.name == "softmax":
        warnings.warn(
            "cross_entropy applies the softmax itself, and this input is the result of one already: give it the logits",
            stacklevel=3,
        )
