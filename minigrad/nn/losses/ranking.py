"""Losses of pairs and triplets: what should be near, far, or in order."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.errors import ArgumentError, ShapeError
from minigrad.nn.distance import cosine_similarity, pairwise_distance
from minigrad.nn.layer import FunctionLayer, constant, operand
from minigrad.nn.losses.base import Reduction, alike, real, reduced
from minigrad.ops import elementwise
from minigrad.ops.arguments import checked
from minigrad.options import real_number


def _signs(loss: str, target: Any) -> Any:
    def test(signs: np.ndarray) -> None:
        if not np.isin(signs, (-1, 1)).all():
            raise ArgumentError(f"{loss}: targets must be 1 or -1")

    return checked(constant(target, "targets"), test)


def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: Reduction = "mean"
) -> Any:
    """``max(0, margin - target * (input1 - input2))``: the first is to be larger if the target is 1, smaller if -1.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> float(F.margin_ranking_loss(np.array([1.0]), np.array([3.0]), np.array([1])))
    2.0
    """
    input1, input2, target = alike("margin_ranking_loss", input1, input2, target)
    return reduced(elementwise.clip(margin - target * (input1 - input2), min=0.0), reduction)


def hinge_embedding_loss(input: Any, target: Any, margin: float = 1.0, reduction: Reduction = "mean") -> Any:
    """The input, a distance, where the target is 1, and ``max(0, margin - input)`` where it is -1.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.hinge_embedding_loss(np.array([0.25, 0.25]), np.array([1, -1]), reduction="none")
    array([0.25, 0.75])
    """
    input, target = alike("hinge_embedding_loss", input, target)
    near = _signs("hinge_embedding_loss", target) == 1
    return reduced(elementwise.where(near, input, elementwise.clip(margin - input, min=0.0)), reduction)


def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: Reduction = "mean"
) -> Any:
    """``1 - cos`` of the angle of two vectors where the target is 1, and ``max(0, cos - margin)`` where it is -1.

    Parameters
    ----------
    input1, input2 : arrays of shape (N, D), or (D,)
    target : array of shape (N,), or ()
        1 or -1.
    margin : float
        From -1 to 1.
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> one, other = np.array([[3.0, 4.0]]), np.array([[-3.0, -4.0]])
    >>> print(f"{F.cosine_embedding_loss(one, other, np.array([1])):.4f}")
    2.0000
    """
    input1, input2 = alike("cosine_embedding_loss", input1, input2)
    same = _signs("cosine_embedding_loss", target) == 1
    if same.shape != input1.shape[:-1]:
        raise ShapeError(f"cosine_embedding_loss: targets of shape {same.shape} do not fit vectors of {input1.shape}")
    cosine = cosine_similarity(input1, input2, dim=-1)
    return reduced(elementwise.where(same, 1 - cosine, elementwise.clip(cosine - margin, min=0.0)), reduction)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: Reduction = "mean",
) -> Any:
    """``max(0, margin + distance to the positive - distance to the negative)``.

    V. Balntas et al., "Learning shallow convolutional feature descriptors with triplet losses", BMVC 2016.

    Parameters
    ----------
    anchor, positive, negative : arrays of shape (N, D), or (D,)
    margin : float
    p, eps : float
        Of the distance, as in `pairwise_distance`.
    swap : bool
        Take the distance of the positive from the negative, if that is smaller than the anchor's.
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> a, p, n = np.array([[0.0]]), np.array([[3.0]]), np.array([[1.0]])
    >>> float(F.triplet_margin_loss(a, p, n, eps=0.0))
    3.0
    """
    return triplet_margin_with_distance_loss(
        anchor,
        positive,
        negative,
        distance_function=lambda x, y: pairwise_distance(x, y, p, eps),
        margin=margin,
        swap=swap,
        reduction=reduction,
    )


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: Reduction = "mean",
) -> Any:
    """`triplet_margin_loss` with any distance.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> a, p, n = np.array([[0.0]]), np.array([[3.0]]), np.array([[1.0]])
    >>> def squared(x, y):
    ...     return ((x - y) ** 2).sum(axis=-1)
    >>> float(F.triplet_margin_with_distance_loss(a, p, n, distance_function=squared))
    9.0
    """
    real_number(margin, "triplet_margin_loss: margin", above=0)
    anchor, positive, negative = alike("triplet_margin_loss", anchor, positive, negative, only_real=False)
    distance = distance_function or pairwise_distance
    near, far = real("triplet_margin_loss", distance(anchor, positive)), distance(anchor, negative)
    if swap:
        far = elementwise.minimum(far, distance(positive, negative))
    return reduced(elementwise.clip(operand(margin + near - far), min=0.0), reduction)


# Layers


class MarginRankingLoss(FunctionLayer):
    """`functional.margin_ranking_loss` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.MarginRankingLoss()(mg.tensor([1.0]), mg.tensor([3.0]), mg.tensor([1.0])).item()
    2.0
    """

    function = margin_ranking_loss

    def __init__(self, margin: float = 0.0, reduction: Reduction = "mean") -> None:
        super().__init__(margin=margin, reduction=reduction)


class HingeEmbeddingLoss(FunctionLayer):
    """`functional.hinge_embedding_loss` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.HingeEmbeddingLoss()(mg.tensor([0.25]), mg.tensor([-1.0])).item()
    0.75
    """

    function = hinge_embedding_loss

    def __init__(self, margin: float = 1.0, reduction: Reduction = "mean") -> None:
        super().__init__(margin=margin, reduction=reduction)


class CosineEmbeddingLoss(FunctionLayer):
    """`functional.cosine_embedding_loss` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> one, other = mg.tensor([[1.0, 0.0]]), mg.tensor([[-1.0, 0.0]])
    >>> mg.nn.CosineEmbeddingLoss()(one, other, mg.tensor([1.0])).item()
    2.0
    """

    function = cosine_embedding_loss

    def __init__(self, margin: float = 0.0, reduction: Reduction = "mean") -> None:
        super().__init__(margin=margin, reduction=reduction)


class TripletMarginLoss(FunctionLayer):
    """`functional.triplet_margin_loss` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> a, p, n = mg.tensor([[0.0]]), mg.tensor([[3.0]]), mg.tensor([[1.0]])
    >>> mg.nn.TripletMarginLoss(eps=0.0)(a, p, n).item()
    3.0
    """

    function = triplet_margin_loss

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(margin=margin, p=p, eps=eps, swap=swap, reduction=reduction)


class TripletMarginWithDistanceLoss(FunctionLayer):
    """`functional.triplet_margin_with_distance_loss` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> a, p, n = mg.tensor([[0.0]]), mg.tensor([[3.0]]), mg.tensor([[1.0]])
    >>> loss = mg.nn.TripletMarginWithDistanceLoss(distance_function=lambda x, y: ((x - y) ** 2).sum(axis=-1))
    >>> loss(a, p, n).item()
    9.0
    """

    function = triplet_margin_with_distance_loss

    def __init__(
        self,
        *,
        distance_function: Callable[[Any, Any], Any] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(distance_function=distance_function, margin=margin, swap=swap, reduction=reduction)
