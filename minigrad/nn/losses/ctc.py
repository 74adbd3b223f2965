"""Connectionist temporal classification: a loss of sequences whose alignment is not known."""

from typing import Any

import numpy as np

from minigrad.core import Array, primitive, traced
from minigrad.errors import ArgumentError, DTypeError, IndexingError, ShapeError
from minigrad.nn.layer import FunctionLayer, constant, floating
from minigrad.nn.losses.base import Reduction, real, reduced
from minigrad.ops import elementwise, shaping
from minigrad.ops.arguments import checked, settled
from minigrad.ops.indexing import getitem


def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: Reduction = "mean",
    zero_infinity: bool = False,
) -> Any:
    """Negative log-probability of a sequence of labels, summed over all its alignments with the input.

    An alignment repeats labels and puts blanks between them, with one blank at least between equal labels.
    A. Graves et al., "Connectionist temporal classification", ICML 2006, equations 6 to 8.

    Parameters
    ----------
    log_probs : array of shape (T, N, C) or (T, C)
        Logarithms of the probabilities of C labels, blank included, at each time, as `log_softmax` gives them. The
        gradient is the derivative by these; PyTorch's differs by what the log-softmax in front of it takes out again.
    targets : integer array of shape (N, S), (S,), or (sum of target_lengths,)
        Labels without blanks, in rows or one after another.
    input_lengths, target_lengths : integer arrays of shape (N,) or ()
        How much of the input and of the targets counts.
    blank : int
    reduction : {"mean", "sum", "none"}
        The mean is over the losses divided by the target lengths.
    zero_infinity : bool
        Count sequences that have no alignment (the input is too short) as 0 instead of inf.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> even = np.full((2, 1, 2), np.log(0.5))  # two times, blank or label 1: three of four alignments are "1"
    >>> print(f"{np.exp(-F.ctc_loss(even, np.array([[1]]), np.array([2]), np.array([1]))):.2f}")
    0.75
    """
    log_probs = real("ctc_loss", floating(log_probs))
    if log_probs.ndim not in (2, 3):
        raise ShapeError(f"ctc_loss: log_probs must have shape (T, N, C) or (T, C), not {log_probs.shape}")
    single = log_probs.ndim == 2
    if single:
        log_probs = log_probs.reshape(log_probs.shape[0], 1, -1)
    times, count, classes = log_probs.shape
    if not 0 <= blank < classes:
        raise ArgumentError(f"ctc_loss: the blank {blank} is not one of the labels 0 to {classes - 1}")
    lengths = _lengths("input_lengths", input_lengths, count, times)
    sizes = settled(
        _lengths("target_lengths", target_lengths, count, None)
    )  # of them depends how many states there are
    states = _states(constant(targets, "targets"), sizes=tuple(sizes.tolist()), blank=blank, classes=classes)
    skips = _skips(states)
    row = np.arange(count)[:, None]
    scores = getitem(log_probs, index=(np.arange(times)[:, None, None], row, states))

    # The logarithm of an impossibility is a number so low that no sum is lower by more than a rounding: detect_anomaly
    # would report an infinity.
    never = float(np.finfo(log_probs.dtype).min) / 2
    start = np.arange(states.shape[1]) < 2
    alpha = elementwise.where(start, scores[0], never)
    alphas = [alpha]
    for t in range(1, times):
        moved = elementwise.logaddexp(alpha, _delayed(alpha, 1, never))
        alpha = elementwise.logaddexp(moved, elementwise.where(skips, _delayed(alpha, 2, never), never)) + scores[t]
        alphas.append(alpha)
    last = np.maximum(lengths - 1, 0), np.arange(count)
    table = shaping.stack(alphas)
    ends = getitem(table, index=(*last, 2 * sizes))
    labelled = getitem(table, index=(*last, np.maximum(2 * sizes - 1, 0)))
    losses = -elementwise.logaddexp(ends, elementwise.where(sizes > 0, labelled, never))
    impossible = constant(losses, "losses") > -never / 2
    if traced(impossible) or impossible.any():
        losses = elementwise.where(impossible, 0.0 if zero_infinity else np.inf, losses)
    if reduction == "mean":
        losses = losses / np.maximum(sizes, 1).astype(losses.dtype)
    return reduced(losses.reshape(()) if single else losses, reduction)


def _delayed(alpha: Any, steps: int, never: float) -> Any:
    """The logarithms of probabilities of states moved on by so many; `never` for those that nothing moves to."""
    if alpha.shape[1] <= steps:
        return np.full(alpha.shape, never, alpha.dtype)
    return shaping.pad(alpha[:, :-steps], ((0, 0), (steps, 0)), constant_values=never)


def _lengths(name: str, given: Any, count: int, most: int | None) -> Any:
    lengths = np.atleast_1d(constant(given, name))
    if lengths.dtype.kind not in "iu":
        raise DTypeError(f"ctc_loss: {name} must be integers, not {lengths.dtype}")
    if lengths.shape != (count,):
        raise ShapeError(
            f"ctc_loss: {name} must have shape ({count},), a length for each sequence, not {lengths.shape}"
        )

    def test(lengths: np.ndarray) -> None:
        if lengths.size and (lengths.min() < 0 or (most is not None and lengths.max() > most)):
            end = "at least 0" if most is None else f"from 0 to {most}"
            raise ArgumentError(f"ctc_loss: {name} must be {end}, not {lengths.tolist()}")

    return checked(lengths, test)


# Labels with blanks around them: an alignment moves on by 0 or 1 at each time, or by 2 over a blank that has different
# labels on its sides.


@primitive(cost=1)
def _states(targets: Array, /, *, sizes: tuple[int, ...], blank: int, classes: int) -> Array:
    """A row for each sequence: its labels, and blanks between them and at both ends."""
    labels = _rows(targets, np.array(sizes, int))
    bad = (labels < 0) | (labels >= classes)
    if bad.any():
        raise IndexingError(f"ctc_loss: label {labels[bad][0]} is not one of the labels 0 to {classes - 1}")
    states = np.full((len(sizes), 2 * labels.shape[1] + 1), blank)
    states[:, 1::2] = labels
    return states


@primitive(cost=1)
def _skips(states: Array, /) -> Array:
    """Which states are reached over a blank."""
    labels = states[:, 1::2]
    skips = np.zeros(states.shape, bool)
    skips[:, 3::2] = labels[:, 1:] != labels[:, :-1]
    return skips


def _rows(targets: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Targets as a matrix with a row for each sequence; what is beyond its length is filled with a label of it."""
    if targets.dtype.kind not in "iu":
        raise DTypeError(f"ctc_loss: targets must be integers, not {targets.dtype}")
    width = int(sizes.max(initial=0))
    if targets.ndim == 2:
        if len(targets) != len(sizes) or targets.shape[1] < width:
            raise ShapeError(f"ctc_loss: targets of shape {targets.shape} do not fit target_lengths {sizes.tolist()}")
        pieces = list(targets)
    elif targets.ndim == 1 and len(sizes) == 1:
        pieces = [targets]
    elif targets.ndim == 1 and targets.size == sizes.sum():
        pieces = np.split(targets, np.cumsum(sizes)[:-1])
    else:
        raise ShapeError(f"ctc_loss: targets of shape {targets.shape} do not fit target_lengths {sizes.tolist()}")
    labels = np.zeros((len(sizes), width), np.intp)
    for row, piece, size in zip(labels, pieces, sizes, strict=True):
        row[:size] = piece[:size]
    return labels


class CTCLoss(FunctionLayer):
    """`functional.ctc_loss` as a layer.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> even = mg.full((2, 1, 2), np.log(0.5))
    >>> loss = mg.nn.CTCLoss()(even, np.array([[1]]), np.array([2]), np.array([1]))
    >>> print(f"{mg.exp(-loss).item():.2f}")
    0.75
    """

    function = ctc_loss

    def __init__(self, blank: int = 0, reduction: Reduction = "mean", zero_infinity: bool = False) -> None:
        super().__init__(blank=blank, reduction=reduction, zero_infinity=zero_infinity)
