"""`torch.nn.utils`: the package's tools for gradients and parameters, and sequences of different lengths in `rnn`."""

import functools
from collections.abc import Callable
from typing import Any

import minigrad.nn.utils as ours
from minigrad.errors.dialects import not_in_the_dialect
from minigrad.nn.module import Module as OurModule
from minigrad.torch.nn.translating import translated
from minigrad.torch.nn.utils import rnn
from minigrad.torch.tensor import OurTensor, adopted, get_default_dtype

__all__ = ["rnn"]
__all__ += ours.__all__
__all__.sort()


def _adopting(f: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        result = f(*args, **kwargs)  # also a module, which has got other parameters
        return translated(result) if isinstance(result, OurModule) else adopted(result)

    return call


def _as_tensor(norm: Callable[..., float], of: Callable[[Any], Any]) -> Callable[..., Any]:
    """A norm as a Tensor, of the dtype of what it is the norm of."""

    @functools.wraps(norm)
    def call(tensors: Any, *args: Any, **kwargs: Any) -> Any:
        tensors = [tensors] if isinstance(tensors, OurTensor) else list(tensors)
        known = [x for x in map(of, tensors) if x is not None]
        return adopted(known[0].dtype.type(norm(tensors, *args, **kwargs)) if known else get_default_dtype().type(0))

    return call


globals().update({name: _adopting(getattr(ours, name)) for name in ours.__all__})
clip_grad_norm_ = _as_tensor(ours.clip_grad_norm_, lambda p: p.grad)
get_total_norm = _as_tensor(ours.get_total_norm, lambda x: x)


def __getattr__(name: str) -> Any:
    raise AttributeError(str(not_in_the_dialect(f"nn.utils.{name}")))
