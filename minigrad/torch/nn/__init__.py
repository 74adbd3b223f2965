"""`torch.nn`: the package's layers in PyTorch's default dtype, with `to` and its kin."""

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

import minigrad.nn as ours
from minigrad.errors.dialects import not_in_the_dialect
from minigrad.hooks import RemovableHandle
from minigrad.nn.module import Module as OurModule
from minigrad.torch.modules import module, register
from minigrad.torch.nn import functional, utils
from minigrad.torch.nn.translating import translated
from minigrad.torch.tensor import (
    OurParameter,
    OurTensor,
    Parameter,
    adopted,
    get_default_dtype,
    heard,
    plain,
    require_cpu,
)

__all__ = ["Module", "Parameter", "functional", "init", "parameter", "utils"]  # and all layers


class Module(OurModule):
    """A module whose parameters and buffers are Tensors of the dialect."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if isinstance(value, OurModule):
            translated(value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What `forward` makes of Tensors of the dialect, as one of them."""
        return adopted(super().__call__(*map(adopted, args), **{k: adopted(x) for k, x in kwargs.items()}))

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """In another dtype, if one is named; on the CPU."""
        for x in (*args, *kwargs.values()):
            if isinstance(x, str):
                require_cpu(x)
            elif x is not None and not isinstance(x, bool):
                self.astype(getattr(x, "dtype", x))
        return self

    def cpu(self) -> Any:
        """The module."""
        return self

    def cuda(self, device: Any = "cuda") -> Any:
        """Refused."""
        return require_cpu(f"cuda:{device}")

    def half(self) -> Any:
        """In half precision."""
        return self.astype("float16")

    def float(self) -> Any:
        """In single precision."""
        return self.astype("float32")

    def double(self) -> Any:
        """In double precision."""
        return self.astype("float64")

    def astype(self, dtype: Any) -> Any:
        """In another dtype."""
        super().astype(dtype)
        return translated(self)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients."""
        super().zero_grad()

    def state_dict(self) -> dict[str, Any]:
        """All parameters and persistent buffers, in the same memory, by their paths."""
        return {name: adopted(x.data) for name, x in self._state().items()}

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when a backward pass has gone through the module."""
        return super().register_full_backward_hook(heard(hook), prepend)


def _layer(base: type) -> type:
    parameters = inspect.signature(base.__init__).parameters  # type: ignore[misc]

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807  # it becomes one
        require_cpu(kwargs.pop("device", None))
        kwargs.pop("inplace", None)
        dtype = kwargs.pop("dtype", None) or get_default_dtype()
        base.__init__(self, *args, **kwargs, **({"dtype": dtype} if "dtype" in parameters else {}))  # type: ignore[misc]
        translated(self)

    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        own = [x for table in (self._parameters, self._buffers) for x in table.values() if x is not None]
        classes = [x.__class__ for x in own]
        for x in own:
            x.__class__ = OurParameter if isinstance(x, OurParameter) else OurTensor
        try:
            return adopted(base.forward(self, *plain(args), **plain(kwargs)))  # type: ignore[attr-defined]
        finally:
            for x, cls in zip(own, classes, strict=True):
                x.__class__ = cls

    members = {"__init__": functools.wraps(base.__init__)(__init__), "__module__": __name__, "forward": forward}  # type: ignore[misc]
    return type(base.__name__, (base, Module), members)


_OTHERS = {
    "Module",
    "Parameter",
    "IncompatibleKeys",
    "functional",
    "functional_call",
    "init",
    "parallel",
    "summary",
    "utils",
}
_layers = {name: _layer(getattr(ours, name)) for name in ours.__all__ if name not in _OTHERS}
globals().update(_layers)
# Of these, import lines may name members.
init = register("nn.init", ours.init)
parameter = module("nn.parameter", Parameter=Parameter)
for _name in ("modules", "modules.module"):
    register(f"nn.{_name}", sys.modules[__name__])


def __getattr__(name: str) -> Any:
    raise AttributeError(str(not_in_the_dialect(f"nn.{name}")))
