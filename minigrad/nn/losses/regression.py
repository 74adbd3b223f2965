"""Losses of numbers against numbers, and of the parameters of distributions against samples."""

import math
from typing import Any

import numpy as np

from minigrad.core import Array, primitive
from minigrad.errors import ArgumentError, ShapeError
from minigrad.nn.layer import FunctionLayer, constant, operand
from minigrad.nn.losses.base import Reduction, alike, real, reduced, weighed
from minigrad.ops import elementwise, reductions
from minigrad.ops.arguments import checked
from minigrad.ops.numbers import number
from minigrad.options import real_number


def _weighted(loss: str, losses: Any, weight: Any, reduction: Reduction) -> Any:
    """Losses times the weights of their elements; the mean is weighted too."""
    if weight is None:
        return reduced(losses, reduction)
    weight = constant(weight, "weights")
    products = weighed(loss, losses, weight)
    return reduced(products, reduction, number(np.sum(np.broadcast_to(weight, losses.shape))))


def mse_loss(input: Any, target: Any, reduction: Reduction = "mean", weight: Any = None) -> Any:
    """Squared error; of complex numbers the squared distance, ``|input - target|**2``.

    Parameters
    ----------
    input, target : arrays of one shape
        Other than in PyTorch, shapes that differ are an error: ``(n, 1)`` against ``(n,)`` would broadcast to
        ``(n, n)``.
    reduction : {"mean", "sum", "none"}
    weight : array that broadcasts to the shape, optional
        How much each element counts; the mean is the weighted one.

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
    input, target = alike("mse_loss", input, target, only_real=False)
    return _weighted("mse_loss", _squared(elementwise.subtract(input, target)), weight, reduction)


def _squared(error: Any) -> Any:
    if error.dtype.kind != "c":
        return elementwise.square(error)
    return elementwise.square(elementwise.real(error)) + elementwise.square(elementwise.imag(error))


def l1_loss(input: Any, target: Any, reduction: Reduction = "mean", weight: Any = None) -> Any:
    """Absolute error, of complex numbers the distance; the parameters are those of `mse_loss`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> float(F.l1_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    1.0
    """
    input, target = alike("l1_loss", input, target, only_real=False)
    return _weighted("l1_loss", elementwise.abs(elementwise.subtract(input, target)), weight, reduction)


def huber_loss(input: Any, target: Any, reduction: Reduction = "mean", delta: float = 1.0, weight: Any = None) -> Any:
    """Half the squared error up to `delta`, and beyond it a straight line (P. J. Huber, 1964).

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.huber_loss(np.array([1.0, 5.0]), np.array([0.0, 0.0]), reduction="none")
    array([0.5, 4.5])
    """
    real_number(delta, "huber_loss: delta", above=0)
    input, target = alike("huber_loss", input, target)
    losses = _huber(elementwise.subtract(input, target), delta)
    return reduced(losses if weight is None else weighed("huber_loss", losses, weight), reduction)


def _huber(error: Any, delta: float) -> Any:
    """Smooth at 0 to second order, where an absolute value is not, and finite slopes for infinite errors."""
    slope = elementwise.clip(error, -delta, delta)
    return slope * (error - 0.5 * slope)


def smooth_l1_loss(input: Any, target: Any, reduction: Reduction = "mean", beta: float = 1.0) -> Any:
    """`huber_loss` divided by its `delta`, here called `beta`; with 0 the absolute error.

    R. Girshick, "Fast R-CNN", ICCV 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.smooth_l1_loss(np.array([1.0, 5.0]), np.array([0.0, 0.0]), reduction="none", beta=2.0)
    array([0.25, 4.  ])
    """
    real_number(beta, "smooth_l1_loss: beta", least=0)
    input, target = alike("smooth_l1_loss", input, target)
    error = elementwise.subtract(input, target)
    return reduced(_huber(error, beta) / beta if beta else elementwise.abs(error), reduction)


# Distributions


def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: Reduction = "mean",
) -> Any:
    """Negative log-likelihood of counts under Poisson distributions.

    Parameters
    ----------
    input : array
        The expected counts, or, if `log_input` is set, their logarithms.
    target : array of the same shape
    log_input : bool
    full : bool
        Add Stirling's approximation of the term that depends on the target alone.
    eps : float
        Added to the counts before their logarithm is taken.
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> float(F.poisson_nll_loss(np.array([0.0]), np.array([2.0])))
    1.0
    """
    input, target = alike("poisson_nll_loss", input, target)
    if log_input:
        losses = elementwise.exp(input) - target * input
    else:
        losses = input - target * elementwise.log(input + eps)
    if full:
        safe = elementwise.where(target > 1, target, 1.0)
        stirling = safe * elementwise.log(safe) - safe + 0.5 * elementwise.log(2 * math.pi * safe)
        losses = losses + elementwise.where(target > 1, stirling, 0.0)
    return reduced(losses, reduction)


def _require_variances(var: np.ndarray) -> None:
    if (var < 0).any():
        raise ArgumentError("gaussian_nll_loss: a variance is negative")


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: Reduction = "mean"
) -> Any:
    """Negative log-likelihood of numbers under normal distributions.

    D. A. Nix and A. S. Weigend, "Estimating the mean and variance of the target probability distribution", 1994.

    Parameters
    ----------
    input : array
        Means.
    target : array of the same shape
    var : array of the same shape, or with a last axis of length 1, or without the last axis; or float
        Variances, at least 0.
    full : bool
        Add the constant ``log(2 * pi) / 2``.
    eps : float
        Variances are raised to this, but the gradient passes as if they were not.
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> float(F.gaussian_nll_loss(np.array([1.0]), np.array([3.0]), np.array([1.0])))
    2.0
    """
    input, target = alike("gaussian_nll_loss", input, target)
    var = operand(np.full(input.shape, var, input.dtype) if isinstance(var, (int, float)) else var)
    real("gaussian_nll_loss", var)
    if var.shape == input.shape[:-1] and var.shape != input.shape:
        var = var.reshape(*var.shape, 1)
    elif var.shape not in (input.shape, (*input.shape[:-1], 1)):
        raise ShapeError(f"gaussian_nll_loss: variances of shape {var.shape} do not fit means of shape {input.shape}")
    var = _raised(checked(var, _require_variances), least=eps)
    losses = 0.5 * (elementwise.log(var) + elementwise.square(input - target) / var)
    return reduced(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)


@primitive(lambda g, y, x, *, least: g, kind="elementwise")
def _raised(x: Array, /, *, least: float) -> Array:
    """The larger of an element and a bound, with the gradient of the element."""
    return np.maximum(x, least)


def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Any:
    """Kullback-Leibler divergence from a distribution given by its logarithm to a target.

    Parameters
    ----------
    input : array
        Logarithms of probabilities.
    target : array of the same shape
        Probabilities, or their logarithms if `log_target` is set.
    reduction : {"mean", "batchmean", "sum", "none"}
        "batchmean" divides by the length of the first axis and is what the mathematics means; "mean" divides by the
        number of elements.
    log_target : bool

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> half = np.array([[0.5, 0.5]])
    >>> float(F.kl_div(np.log(half), half, reduction="batchmean"))
    0.0
    """
    input, target = alike("kl_div", input, target)
    if log_target:
        losses = elementwise.exp(target) * (target - input)
    else:
        inside = target > 0
        logarithm = elementwise.log(elementwise.where(inside, target, 1.0))
        losses = elementwise.where(inside, target * logarithm, 0.0) - target * input
    if reduction == "batchmean":
        return reductions.sum(losses) / losses.shape[0]
    return reduced(losses, reduction)  # type: ignore[arg-type]  # it checks the value


# Layers


class MSELoss(FunctionLayer):
    """`functional.mse_loss` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.MSELoss()(mg.tensor([1.0, 2.0]), mg.tensor([1.0, 4.0])).item()
    2.0
    """

    function = mse_loss

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__(reduction=reduction)


class L1Loss(FunctionLayer):
    """`functional.l1_loss` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.L1Loss()(mg.tensor([1.0, 2.0]), mg.tensor([1.0, 4.0])).item()
    1.0
    """

    function = l1_loss

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__(reduction=reduction)


class HuberLoss(FunctionLayer):
    """`functional.huber_loss` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.HuberLoss()(mg.tensor([5.0]), mg.tensor([0.0])).item()
    4.5
    """

    function = huber_loss

    def __init__(self, reduction: Reduction = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction, delta=delta)


class SmoothL1Loss(FunctionLayer):
    """`functional.smooth_l1_loss` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.SmoothL1Loss(beta=2.0)(mg.tensor([5.0]), mg.tensor([0.0])).item()
    4.0
    """

    function = smooth_l1_loss

    def __init__(self, reduction: Reduction = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction, beta=beta)


class PoissonNLLLoss(FunctionLayer):
    """`functional.poisson_nll_loss` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.PoissonNLLLoss()(mg.tensor([0.0]), mg.tensor([2.0])).item()
    1.0
    """

    function = poisson_nll_loss

    def __init__(
        self, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: Reduction = "mean"
    ) -> None:
        super().__init__(log_input=log_input, full=full, eps=eps, reduction=reduction)


class GaussianNLLLoss(FunctionLayer):
    """`functional.gaussian_nll_loss` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.GaussianNLLLoss()(mg.tensor([1.0]), mg.tensor([3.0]), mg.tensor([1.0])).item()
    2.0
    """

    function = gaussian_nll_loss

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: Reduction = "mean") -> None:
        super().__init__(full=full, eps=eps, reduction=reduction)


class KLDivLoss(FunctionLayer):
    """`functional.kl_div` as a layer.

    Examples
    --------
    >>> import minigrad as mg
    >>> half = mg.tensor([[0.5, 0.5]])
    >>> mg.nn.KLDivLoss(reduction="batchmean")(mg.log(half), half).item()
    0.0
    """

    function = kl_div

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction=reduction, log_target=log_target)
