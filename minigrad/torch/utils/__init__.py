"""`torch.utils`: data, and checkpoints."""

from types import SimpleNamespace
from typing import Any

import minigrad as mg
from minigrad.torch.utils import data

__all__ = ["checkpoint", "data"]


def _checkpoint(function: Any, *args: Any, use_reentrant: bool = False) -> Any:
    return mg.checkpoint(function)(*args)


checkpoint = SimpleNamespace(checkpoint=_checkpoint)
