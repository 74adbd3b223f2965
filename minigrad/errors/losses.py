"""What losses say of predictions and targets."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.errors import ArgumentError, DTypeError, IndexingError, ShapeError
from minigrad.errors.words import describe, listed, warn


def not_alike(loss: str, shapes: Sequence[tuple[int, ...]]) -> ShapeError:
    """For operands that are compared element by element and differ in shape."""
    given = f"operands of shapes {listed([str(shape) for shape in shapes])}"
    how = ""
    if len(shapes) == 2:
        given = f"a prediction of shape {shapes[0]} and a target of shape {shapes[1]}"
        if np.prod(shapes[0], dtype=int) == np.prod(shapes[1], dtype=int):
            how = f", as in target.reshape({shapes[0]})"
    return ShapeError(
        f"{loss}: {given} are not compared element by element: reshape one of them{how}, or say with "
        "minigrad.broadcast_to that it shall be repeated (PyTorch would repeat it without asking, which is seldom "
        "meant)"
    )


def not_real(loss: str) -> DTypeError:
    """For complex numbers in a loss that has no meaning for them."""
    return DTypeError(
        f"{loss} is defined for real numbers, and an operand or a weight is complex: give it np.abs(x), or np.real(x) "
        "and np.imag(x) one after the other; mse_loss and l1_loss take complex operands, and measure distances in the "
        "plane"
    )


# What a loss computes of its input, where people compute it before.
_APPLIED = {
    "cross_entropy": "applies the softmax itself, and this input is the result of one already: give it the logits",
    "binary_cross_entropy_with_logits": "applies the sigmoid itself, and this input is the result of one already: give "
    "it the logits, or the probabilities to binary_cross_entropy",
    "nll_loss": "takes logarithms of probabilities, and this input is the result of a softmax: write log_softmax "
    "instead, or give the logits to cross_entropy",
}


def warn_of_activation(loss: str) -> None:
    """For a softmax or sigmoid too many, or one in the place of its logarithm."""
    warn(f"{loss} {_APPLIED[loss]}")


def not_probabilities(loss: str, value: np.ndarray) -> ArgumentError:
    """For an input with elements that are no probabilities."""
    return ArgumentError(
        f"{loss}: probabilities must be from 0 to 1, and these are {describe(value)}; if they are logits, give them to "
        f"{loss}_with_logits (BCEWithLogitsLoss)"
    )


def labels_not_integers(loss: str, dtype: Any) -> DTypeError:
    """For labels of another dtype."""
    return DTypeError(
        f"{loss}: labels must be integers, not {dtype}: convert them, as in labels.astype(int). Probabilities of the "
        "classes, where a loss takes them, have the shape of the scores"
    )


def labels_of_other_shape(loss: str, given: tuple[int, ...], wanted: tuple[int, ...]) -> ShapeError:
    """For labels that do not fit the predictions."""
    if np.prod(given, dtype=int) == np.prod(wanted, dtype=int):
        remedy = f"write labels.reshape({wanted})"
    elif len(given) == len(wanted) + 1:
        remedy = "of one-hot rows the labels are labels.argmax(axis=1); probabilities are floating-point numbers"
    else:
        remedy = (
            "give one label for each prediction, without an axis for the classes, and the predictions first, as in "
            f"{loss}(predictions, labels)"
        )
    return ShapeError(f"{loss}: labels of shape {given} do not fit predictions that want shape {wanted}: {remedy}")


def no_such_class(loss: str, label: Any, classes: int) -> IndexingError:
    """For a label out of range."""
    return IndexingError(
        f"{loss}: label {label} is not one of the classes 0 to {classes - 1}: count labels from 0, give the model a "
        "score for each class, or, where a loss has ignore_index, name there the label of what does not count"
    )
