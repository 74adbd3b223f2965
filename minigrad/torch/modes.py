"""Switches that PyTorch's programs set by a call, in a block, or by a decorator."""

import functools
from typing import Any

from minigrad.core import Switch
from minigrad.options import one_of
from minigrad.torch.tensor import require_cpu, set_default_dtype

_switched: list[Any] = []


class _FromNowOn(Switch):
    """Switch a setting on or off: from now on, or in a block, or in a function that it decorates."""

    def __init__(self, mode: Any) -> None:
        self.value = mode is not False and mode != 0
        super().__enter__()
        self._is_entered = True
        _switched.append(self)  # a switch that nobody holds would be taken for one that was given up

    def __enter__(self) -> Any:
        if self._is_entered:
            self._is_entered = False
            return self.value
        return super().__enter__()

    def __exit__(self, *exception: Any) -> None:
        super().__exit__(*exception)
        if self in _switched:
            _switched.remove(self)

    def __call__(self, function: Any) -> Any:
        """Decorate a function; outside of it nothing changes."""
        self.__exit__()
        kind, wanted = type(self), self.value

        @functools.wraps(function)
        def switched(*args: Any, **kwargs: Any) -> Any:
            with kind(wanted):
                return function(*args, **kwargs)

        return switched


class set_grad_enabled(_FromNowOn):  # PyTorch's name
    """Switch recording on or off."""

    setting = "grad"


class set_detect_anomaly(_FromNowOn):  # PyTorch's name
    """Switch on or off that the first NaN or inf is an error."""

    setting = "anomaly"

    def __init__(self, mode: Any, check_nan: bool = True) -> None:
        super().__init__(mode)


# What PyTorch lets one choose and is always so here.


def set_float32_matmul_precision(precision: str) -> None:
    """Products of matrices are always in full precision."""
    one_of(precision, "precision", ("highest", "high", "medium"))


def get_float32_matmul_precision() -> str:
    """The full one."""
    return "highest"


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """The same numbers give the same results, always."""


def set_default_device(device: Any) -> None:
    """The CPU; others are refused."""
    require_cpu(device)


def set_default_tensor_type(kind: Any) -> None:
    """Choose the default dtype by a type of Tensors."""
    set_default_dtype(kind.dtype)
