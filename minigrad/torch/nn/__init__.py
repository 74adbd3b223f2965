"""`torch.nn`: the package's layers in PyTorch's default dtype, with `to` and its kin."""

import functools
import inspect
from typing import Any

import minigrad.nn as ours
from minigrad.errors.dialects import not_in_the_dialect
from minigrad.nn.module import Module as OurModule
from minigrad.torch.nn import functional
from minigrad.torch.tensor import OurParameter, OurTensor, Parameter, adopted, get_default_dtype, plain

__all__ = ["Module", "Parameter", "functional", "init", "utils"]  # and all layers


class Module(OurModule):
    """A module whose parameters and buffers are Tensors of the dialect."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if isinstance(value, OurModule):
            _translated(value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What `forward` makes of Tensors of the dialect, as one of them."""
        return adopted(super().__call__(*map(adopted, args), **{k: adopted(x) for k, x in kwargs.items()}))

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """In another dtype, if one is named; on the CPU."""
        dtypes = [x for x in (*args, *kwargs.values()) if x is not None and not isinstance(x, str | bool)]
        return self.astype(dtypes[0]) if dtypes else self

    def cpu(self) -> Any:
        """The module."""
        return self

    def float(self) -> Any:
        """In single precision."""
        return self.astype("float32")

    def double(self) -> Any:
        """In double precision."""
        return self.astype("float64")

    def astype(self, dtype: Any) -> Any:
        """In another dtype."""
        super().astype(dtype)
        return _translated(self)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients."""
        super().zero_grad()


def _translated(module: Any) -> Any:
    """The module, whose parameters and buffers, and those of all parts, are of the dialect."""
    for part in module.modules():
        for table in (part._parameters, part._buffers):
            for x in table.values():
                adopted(x)
    return module


def _layer(base: type) -> type:
    parameters = inspect.signature(base.__init__).parameters  # type: ignore[misc]

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807  # it becomes one
        kwargs.pop("device", None)
        kwargs.pop("inplace", None)
        dtype = kwargs.pop("dtype", None) or get_default_dtype()
        base.__init__(self, *args, **kwargs, **({"dtype": dtype} if "dtype" in parameters else {}))  # type: ignore[misc]
        _translated(self)

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


_OTHERS = {"Module", "Parameter", "IncompatibleKeys", "functional", "functional_call", "init", "summary", "utils"}
_layers = {name: _layer(getattr(ours, name)) for name in ours.__all__ if name not in _OTHERS}
globals().update(_layers)
init = ours.init


class _Utils:
    """`torch.nn.utils`, with sequences of different lengths in `rnn`."""

    class rnn:  # PyTorch's name
        """Sequences of different lengths."""

        @staticmethod
        def pad_sequence(sequences: Any, batch_first: bool = False, padding_value: float = 0.0) -> Any:
            """One array of sequences, filled up at their ends."""
            import minigrad as mg

            longest = max(len(x) for x in sequences)
            rows = [
                mg.pad(x, ((0, longest - len(x)), *((0, 0),) * (x.ndim - 1)), constant_values=padding_value)
                for x in sequences
            ]
            return adopted(mg.stack(rows, axis=0 if batch_first else 1))

    def __getattr__(self, name: str) -> Any:
        return getattr(ours.utils, name)


utils = _Utils()


def __getattr__(name: str) -> Any:
    raise AttributeError(str(not_in_the_dialect(f"nn.{name}")))
