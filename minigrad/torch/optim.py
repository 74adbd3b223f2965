"""`torch.optim`: the package's optimizers and schedules, which have PyTorch's names."""

from typing import Any

import minigrad.optim as ours
from minigrad.optim import *  # noqa: F403  # all of them

__all__ = [*ours.__all__]


def __getattr__(name: str) -> Any:
    raise AttributeError(f"torch.optim.{name} does not exist in minigrad.torch: there are {', '.join(ours.__all__)}")
