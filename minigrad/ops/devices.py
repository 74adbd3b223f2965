"""Devices as people write them, checked.  There is one: the processor and its memory, where NumPy computes."""

from typing import Any

from minigrad.errors import ArgumentError

CPU = "cpu"


def require_cpu(device: Any, name: str) -> None:
    """Refuse a device other than None and the only one; `name` is the operation, for the message."""
    if device is not None and device != CPU:
        raise ArgumentError(f"{name}: there is no device {device!r}; every Tensor is on {CPU!r}, where NumPy computes")
