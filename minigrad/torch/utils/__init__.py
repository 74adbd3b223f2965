"""`torch.utils`: data, and checkpoints."""

from typing import Any

import minigrad as mg
from minigrad.torch.modules import module
from minigrad.torch.tensor import adopted, heard, plain
from minigrad.torch.utils import data

__all__ = ["checkpoint", "data"]


def _checkpoint(function: Any, *args: Any, use_reentrant: bool = False) -> Any:
    return adopted(mg.checkpoint(heard(function))(*plain(args)))


checkpoint = module("utils.checkpoint", checkpoint=_checkpoint)
