"""Gradients kept from being too large."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.core import Array, primitive, unwrap
from minigrad.errors import AnomalyError, ArgumentError
from minigrad.errors.optimizers import not_a_list, not_a_parameter, warn_of_used_up
from minigrad.errors.words import describe
from minigrad.nn.layer import write_to
from minigrad.nn.module import Module
from minigrad.ops.arguments import checked, operand, unrecorded
from minigrad.ops.numbers import number
from minigrad.options import real_number
from minigrad.tensor import Tensor


def _listed(function: str, tensors: Any) -> list[Any]:
    """What was given, as a list; a generator that gives nothing is probably used up."""
    if isinstance(tensors, Tensor):
        return [tensors]
    if isinstance(tensors, Module):
        raise not_a_list(function, tensors)
    listed = list(tensors)
    if not listed and iter(tensors) is tensors:
        warn_of_used_up(function)
    return listed


def _gradients(function: str, parameters: "Tensor | Iterable[Tensor]") -> dict[str, Tensor]:
    """The gradients of those that have one, with words that say whose each is."""
    gradients = {}
    for i, p in enumerate(_listed(function, parameters)):
        if not isinstance(p, Tensor):
            raise not_a_parameter(function, i, p)
        if (gradient := p.grad) is None:
            continue
        gradients[f"number {i}" + (f", {p.name!r}" if p.name else "")] = gradient
    return gradients


def get_total_norm(
    tensors: "Tensor | Iterable[Any]", norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> float:
    """The norm of all elements of several Tensors taken together.

    Parameters
    ----------
    tensors : Tensor or iterable of Tensor
    norm_type : float
        Infinite for the largest absolute value, and 0 for the number of elements that are not 0.
    error_if_nonfinite : bool
        Raise AnomalyError if the norm is NaN or infinite.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.utils.get_total_norm([mg.tensor([3.0]), mg.tensor([4.0])])
    5.0
    """
    arrays = {}
    for i, t in enumerate(_listed("get_total_norm", tensors)):
        if not isinstance(t, (Tensor, np.ndarray, np.generic, int, float, complex)):
            raise not_a_parameter("get_total_norm", i, t)
        arrays[f"number {i}"] = np.asarray(unwrap(t))
    return _total(_norm_of(arrays, norm_type, error_if_nonfinite))


def _norm_of(tensors: dict[str, Any], norm_type: float, error_if_nonfinite: bool) -> Any:
    """The norm of all as an array of two numbers, whose product it is."""
    order = float(norm_type)  # also "inf"
    if math.isnan(order):
        raise ArgumentError(f"a norm is of some order, such as 2.0 or inf, and not {norm_type}")
    arrays = map(unrecorded, tensors.values())
    return _norm_parts(*arrays, names=tuple(tensors), order=order, error_if_nonfinite=error_if_nonfinite)


@primitive(cost=2, acts=True)
def _norm_parts(*arrays: Array, names: tuple[str, ...], order: float, error_if_nonfinite: bool) -> Array:
    """Two numbers whose product is the norm of all."""
    return np.array(_norm(dict(zip(names, arrays, strict=True)), order, error_if_nonfinite))


@primitive(cost=1)
def _total(parts: Array, /) -> Any:
    """The product of two numbers."""
    scale, norm = parts.tolist()
    return scale * norm


def _norm(arrays: dict[str, np.ndarray], order: float, error_if_nonfinite: bool) -> tuple[float, float]:
    """A norm, as a product of two numbers: it may be larger than any number itself."""
    vectors = {name: a.ravel() for name, a in arrays.items() if a.size}
    # Half precision ends at 65504, which squares soon reach.
    exact = {name: v.astype(np.float32) if v.itemsize == 2 else v for name, v in vectors.items()}
    with np.errstate(all="ignore"):
        norms = {name: float(np.linalg.norm(v, order)) for name, v in exact.items()}
        if order == 0:
            scale, norm = 1.0, math.fsum(norms.values())
        else:
            scale, norm = 1.0, float(np.linalg.norm(list(norms.values()), order)) if norms else 0.0
            if not (math.isinf(order) or math.isnan(norm) or _is_sure(norm, order, exact.values())):
                scale, norm = _scaled_norm(list(exact.values()), order, norm)
    total = scale * norm
    if error_if_nonfinite and not math.isfinite(total):
        # All may be finite, and only their sum not: then it is the largest that is at fault.
        bad = next((name for name, n in norms.items() if not math.isfinite(n)), max(norms, key=norms.__getitem__))
        raise AnomalyError(
            f"the norm of the gradients is {total}, and clipping would spread that to all of them; nothing was "
            f"changed. The first gradient at fault is {bad}: {describe(arrays[bad])}. detect_anomaly() finds the "
            "operation that it came from"
        )
    return scale, norm


def _is_sure(norm: float, order: float, vectors: Iterable[np.ndarray]) -> bool:
    """Whether no power of an element that counts for the norm was too large or too small for its dtype."""
    limits = [np.finfo(v.dtype) for v in vectors if v.dtype.kind in "fc"]
    power = np.float64(norm) ** order
    return order > 0 and math.isfinite(power) and all(power >= limit.tiny / limit.eps for limit in limits)


def _scaled_norm(vectors: list[np.ndarray], order: float, norm: float) -> tuple[float, float]:
    """A norm as a product of the element that counts most and of the norm of all, divided by that."""
    sizes = [np.abs(v).astype(np.float64) for v in vectors]
    scale = max(v.max() for v in sizes) if order > 0 else min(v.min() for v in sizes)
    if scale == 0 or math.isinf(scale):
        return float(scale), 1.0
    return float(scale), float(sum(((v / scale) ** order).sum() for v in sizes) ** (1 / order))


def clip_grad_norm_(
    parameters: "Tensor | Iterable[Tensor]",
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    """Scale all gradients down, in place, by one factor, so that their norm is at most `max_norm`.

    R. Pascanu et al., "On the difficulty of training recurrent neural networks", ICML 2013.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Those without a gradient are passed over.
    max_norm : float
    norm_type : float
        Infinite for the largest absolute value.
    error_if_nonfinite : bool
        Raise AnomalyError, and change nothing, if the norm is NaN or infinite.

    Returns
    -------
    float
        The norm before.

    Raises
    ------
    ArgumentError
        If `max_norm` is negative, which would turn all gradients round, or NaN.

    Warns
    -----
    UserWarning
        If `parameters` is a generator that gives nothing.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([3.0, 4.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> mg.nn.utils.clip_grad_norm_([w], max_norm=1.0)
    10.0
    >>> w.grad.round(4)
    tensor([0.6, 0.8])
    """
    real_number(max_norm, "clip_grad_norm_: max_norm", least=0)
    gradients = _gradients("clip_grad_norm_", parameters)
    parts = _norm_of(gradients, norm_type, error_if_nonfinite)
    _multiply(gradients.values(), _clipping_factor(parts, max_norm))
    return _total(parts)


@primitive(cost=1)
def _clipping_factor(parts: Array, max_norm: float, /) -> Any:
    """By what to multiply gradients whose norm is the product of two numbers."""
    scale, norm = parts.tolist()
    total = scale * norm
    too_large = math.isinf(total) and math.isfinite(scale)  # though the gradients are finite
    return max_norm / scale / norm if too_large else max_norm / (total + 1e-6)


def clip_grads_with_norm_(parameters: "Tensor | Iterable[Tensor]", max_norm: float, total_norm: Any) -> None:
    """Scale all gradients down as `clip_grad_norm_` does, by a norm that is known already.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Those without a gradient are passed over.
    max_norm : float
    total_norm : float or Tensor
        What `get_total_norm` gave, perhaps for several groups together.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([3.0, 4.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> mg.nn.utils.clip_grads_with_norm_([w], max_norm=1.0, total_norm=20.0)
    >>> w.grad.round(4)
    tensor([0.3, 0.4])
    """
    real_number(max_norm, "clip_grads_with_norm_: max_norm", least=0)
    total = number(checked(operand(total_norm, "clip_grads_with_norm_"), _require_norm))
    _multiply(_gradients("clip_grads_with_norm_", parameters).values(), max_norm / (total + 1e-6))


def _require_norm(total: np.ndarray) -> None:
    real_number(float(total), "clip_grads_with_norm_: total_norm", least=0)


def _multiply(gradients: Iterable[Tensor], factor: Any) -> None:
    """Multiply gradients in place, if the factor makes them smaller, or NaN."""
    for g in gradients:
        write_to(g, _made_smaller(unrecorded(g), factor))


@primitive(cost=1)
def _made_smaller(g: Array, factor: float, /) -> Array:
    """The gradient times a factor, if that is below 1 or NaN."""
    if factor >= 1:
        return g
    # Some factors have no digits in the gradient's own precision.
    exact = factor if factor >= np.finfo(g.dtype).tiny else np.float64(factor)
    return np.multiply(g, exact).astype(g.dtype, copy=False)


def clip_grad_value_(parameters: "Tensor | Iterable[Tensor]", clip_value: float) -> None:
    """Cut all elements of all gradients, in place, to the interval from ``-clip_value`` to ``clip_value``.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([3.0, 0.1], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> mg.nn.utils.clip_grad_value_([w], 1.0)
    >>> w.grad
    tensor([1. , 0.2])
    """
    real_number(clip_value, "clip_grad_value_: clip_value", least=0)
    for g in _gradients("clip_grad_value_", parameters).values():
        bound = min(float(clip_value), float(np.finfo(g.dtype).max)) if math.isfinite(clip_value) else clip_value
        write_to(g, np.clip(unrecorded(g), -bound, bound))
