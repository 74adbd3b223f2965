"""`torch.nn.functional`: the package's functions with PyTorch's words, and Tensors of the dialect."""

import functools
from collections.abc import Callable
from typing import Any

import minigrad.nn.functional as ours
from minigrad.errors.dialects import not_in_the_dialect
from minigrad.torch.tensor import adopted, plain

_WORDS = {"dim": "axis", "keepdim": "keepdims"}
_DROPPED = {"inplace", "size_average", "reduce", "_stacklevel"}


def spoken(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function that takes PyTorch's words and gives the dialect's Tensors."""
    own = (
        f.__code__.co_varnames
        if hasattr(f, "__code__")
        else getattr(getattr(f, "__wrapped__", None), "__code__", spoken.__code__).co_varnames
    )

    @functools.wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        kwargs = {k if k in own else _WORDS.get(k, k): v for k, v in kwargs.items() if k not in _DROPPED or k in own}
        dtype = kwargs.pop("dtype", None) if "dtype" not in own else None
        result = adopted(f(*plain(args), **plain(kwargs)))
        return result if dtype is None else result.to(dtype)

    return call


globals().update({name: spoken(getattr(ours, name)) for name in ours.__all__})
upsample = globals()["interpolate"]


def __getattr__(name: str) -> Any:
    raise AttributeError(str(not_in_the_dialect(f"nn.functional.{name}")))
