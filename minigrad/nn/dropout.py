"""Layers that drop elements at random in training, and scale the others so that the mean stays."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import random
from minigrad.errors import ShapeError
from minigrad.nn.layer import FunctionLayer, floating, probability


def _kept(p: float, shape: tuple[int, ...]) -> Any:
    """Which elements stay: each with probability ``1 - p``, drawn from the package's generator."""
    return random.drawn("random", shape, dtype=np.float32) >= p


def _drop(input: Any, p: float, shape: tuple[int, ...]) -> Any:
    scale = 0.0 if p == 1 else 1 / (1 - p)
    return input * (_kept(p, shape) * input.dtype.type(scale))


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Each element set to 0 with probability `p`, or else divided by ``1 - p``; unchanged if not `training`.

    N. Srivastava et al., "Dropout", JMLR 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> y = F.dropout(np.ones(1000), p=0.5)
    >>> set(y.tolist()) == {0.0, 2.0}
    True
    """
    p, input = probability(p, "dropout"), floating(input)
    return _drop(input, p, input.shape) if training and p else input


def _channel_dropout(input: Any, p: float, training: bool, axes: int) -> Any:
    p, input = probability(p, f"dropout{axes}d"), floating(input)
    if input.ndim not in (axes + 1, axes + 2):
        raise ShapeError(f"dropout{axes}d: the input must have shape (N, C, ...) or (C, ...), not {input.shape}")
    shape = (*input.shape[:-axes], *(1,) * axes)
    return _drop(input, p, shape) if training and p else input


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Whole channels of sequences, of shape (N, C, L) or (C, L), dropped with probability `p`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> y = F.dropout1d(np.ones((8, 4)))
    >>> bool((y == y[:, :1]).all())
    True
    """
    return _channel_dropout(input, p, training, 1)


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Whole channels of images, of shape (N, C, H, W) or (C, H, W), dropped with probability `p`.

    J. Tompson et al., "Efficient object localization using convolutional networks", CVPR 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.dropout2d(np.ones((2, 3, 4, 4)), training=False).min()
    np.float64(1.0)
    """
    return _channel_dropout(input, p, training, 2)


def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Whole channels of volumes, of shape (N, C, D, H, W) or (C, D, H, W), dropped with probability `p`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.dropout3d(np.ones((3, 2, 2, 2)), training=False).min()
    np.float64(1.0)
    """
    return _channel_dropout(input, p, training, 3)


_BOTTOM = -1.7580993408473766  # what SELU tends to at minus infinity


def _alpha(input: Any, p: float, shape: tuple[int, ...]) -> Any:
    if p == 1:
        return input * 0.0
    a = ((1 - p) * (1 + p * _BOTTOM**2)) ** -0.5
    kept = _kept(p, shape)
    # Dropped elements become `_BOTTOM`; then all are scaled and moved to mean 0 and variance 1.
    dropped = input.dtype.type(a * _BOTTOM) * ~kept
    return input * (kept * input.dtype.type(a)) + (dropped - input.dtype.type(a * _BOTTOM * p))


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Dropout for networks with SELU: mean 0 and variance 1 stay (G. Klambauer et al., 2017).

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> y = F.alpha_dropout(np.random.default_rng(0).normal(size=100_000), p=0.2, training=True)
    >>> round(float(y.std()), 1)
    1.0
    """
    p, input = probability(p, "alpha_dropout"), floating(input)
    return _alpha(input, p, input.shape) if training and p else input


def feature_alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """`alpha_dropout` of whole channels, of inputs of shape (N, C, ...).

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.feature_alpha_dropout(np.ones((2, 3, 4)), training=False).min()
    np.float64(1.0)
    """
    p, input = probability(p, "feature_alpha_dropout"), floating(input)
    if input.ndim < 2:
        raise ShapeError(f"feature_alpha_dropout: the input must have shape (N, C, ...), not {input.shape}")
    return _alpha(input, p, (*input.shape[:2], *(1,) * (input.ndim - 2))) if training and p else input


class _Dropout(FunctionLayer):
    """A dropout that is active in training only."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__(p=probability(p, type(self).__name__))

    def forward(self, input: Any) -> Any:
        """Drop in training, else pass on."""
        drop: Callable[..., Any] = type(self).function
        return drop(input, self.p, self.training)


class Dropout(_Dropout):
    """`functional.dropout` as a layer, active in training only.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Dropout(p=0.2).eval()(mg.ones((2,))).min().item()
    1.0
    """

    function = dropout


class Dropout1d(_Dropout):
    """`functional.dropout1d` as a layer, active in training only.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Dropout1d(p=0.2).eval()(mg.ones((2, 3))).min().item()
    1.0
    """

    function = dropout1d


class Dropout2d(_Dropout):
    """`functional.dropout2d` as a layer, active in training only.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Dropout2d(p=0.2).eval()(mg.ones((2, 3, 3))).min().item()
    1.0
    """

    function = dropout2d


class Dropout3d(_Dropout):
    """`functional.dropout3d` as a layer, active in training only.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.Dropout3d(p=0.2).eval()(mg.ones((2, 3, 3, 3))).min().item()
    1.0
    """

    function = dropout3d


class AlphaDropout(_Dropout):
    """`functional.alpha_dropout` as a layer, active in training only.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.AlphaDropout(p=0.2).eval()(mg.ones((2,))).min().item()
    1.0
    """

    function = alpha_dropout


class FeatureAlphaDropout(_Dropout):
    """`functional.feature_alpha_dropout` as a layer, active in training only.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.FeatureAlphaDropout(p=0.2).eval()(mg.ones((2, 3))).min().item()
    1.0
    """

    function = feature_alpha_dropout
