"""A softmax over very many classes, of which few are frequent."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from minigrad.errors import ArgumentError, ShapeError
from minigrad.nn.activation import log_softmax
from minigrad.nn.container import ModuleList, Sequential
from minigrad.nn.layer import constant, operand
from minigrad.nn.linear import Linear
from minigrad.nn.losses.base import labels_of
from minigrad.nn.module import Module
from minigrad.ops import indexing, reductions, shaping


class ASMOutput(NamedTuple):
    """The log-probability of each target, and the mean of their negatives."""

    output: Any
    loss: Any


class AdaptiveLogSoftmaxWithLoss(Module):
    """Logarithm of a softmax over clusters of classes: rare classes are computed only when they are wanted.

    E. Grave et al., "Efficient softmax approximation for GPUs", ICML 2017.

    Parameters
    ----------
    in_features, n_classes : int
        Classes are sorted by how frequent they are, the most frequent first.
    cutoffs : sequence of int
        Where clusters end; the first is the head, whose classes are always computed.
    div_value : float
        By how much the features are fewer from one cluster to the next.
    head_bias : bool
    dtype : dtype, optional

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> model = mg.nn.AdaptiveLogSoftmaxWithLoss(4, n_classes=10, cutoffs=[3, 6], div_value=2.0)
    >>> output, loss = model(mg.zeros((2, 4)), np.array([1, 8]))
    >>> output.shape, loss.shape, model.log_prob(mg.zeros((2, 4))).shape
    ((2,), (), (2, 10))
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        ends = list(cutoffs)
        if not ends or ends != sorted(set(ends)) or ends[0] < 1 or ends[-1] > n_classes - 1:
            raise ArgumentError(
                f"AdaptiveLogSoftmaxWithLoss: cutoffs must rise, from 1 to n_classes - 1 ({n_classes - 1}), not {ends}"
            )
        self.in_features, self.n_classes, self.div_value, self.head_bias = in_features, n_classes, div_value, head_bias
        self.cutoffs = [*ends, n_classes]
        self.shortlist_size, self.n_clusters = ends[0], len(ends)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, head_bias, dtype)
        self.tail = ModuleList()
        for i, (start, end) in enumerate(zip(self.cutoffs, self.cutoffs[1:], strict=False)):
            features = int(in_features // div_value ** (i + 1))
            self.tail.append(
                Sequential(Linear(in_features, features, False, dtype), Linear(features, end - start, False, dtype))
            )

    def forward(self, input: Any, target: Any) -> ASMOutput:
        """Log-probabilities of the targets.

        Parameters
        ----------
        input : array of shape (N, in_features) or (in_features,)
        target : integer array of shape (N,) or ()
        """
        x, label = operand(input), constant(target, "labels")
        if x.ndim not in (1, 2) or x.shape[-1] != self.in_features:
            raise ShapeError(f"AdaptiveLogSoftmaxWithLoss: {self.in_features} features are wanted, not shape {x.shape}")
        label = labels_of("AdaptiveLogSoftmaxWithLoss", label, x.shape[:-1], self.n_classes)
        if x.ndim == 1:
            output, loss = self.forward(x.reshape(1, -1), label.reshape(1))
            return ASMOutput(output.reshape(()), loss)
        cluster = np.searchsorted(self.cutoffs, label, side="right")
        in_head = np.where(cluster == 0, label, self.shortlist_size + cluster - 1)
        rows = np.arange(len(label))
        output = indexing.getitem(log_softmax(self.head(x), dim=1), index=(rows, in_head))
        for i in range(self.n_clusters):
            (members,) = np.nonzero(cluster == i + 1)
            if members.size:
                inside = log_softmax(self.tail[i](indexing.take(x, members, axis=0)), dim=1)
                picked = indexing.getitem(inside, index=(np.arange(len(members)), label[members] - self.cutoffs[i]))
                output = output + indexing.scatter(picked, index=(members,), shape=(len(label),))
        return ASMOutput(output, -reductions.mean(output))

    def log_prob(self, input: Any) -> Any:
        """Log-probabilities of all classes, of shape (N, n_classes)."""
        head = log_softmax(self.head(input), dim=1)
        parts = [head[:, : self.shortlist_size]]
        for i, tail in enumerate(self.tail):
            cluster = head[:, self.shortlist_size + i]
            parts.append(log_softmax(tail(input), dim=1) + cluster.reshape(-1, 1))
        return shaping.concat(parts, axis=1)

    def predict(self, input: Any) -> np.ndarray:
        """The most probable class of each row."""
        best: np.ndarray = constant(self.log_prob(input), "log-probabilities").argmax(axis=1)
        return best
