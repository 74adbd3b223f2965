"""`torch.utils`: data, and checkpoints."""

from typing import Any

import minigrad as mg
from minigrad.errors.dialects import not_in_the_dialect
from minigrad.torch.modules import module
from minigrad.torch.tensor import adopted, heard, plain
from minigrad.torch.utils import data

__all__ = ["checkpoint", "data"]


def _checkpoint(function: Any, *args: Any, use_reentrant: bool = False) -> Any:
    return adopted(mg.checkpoint(heard(function))(*plain(args)))


checkpoint = module("utils.checkpoint", checkpoint=_checkpoint)


def __getattr__(name: str) -> Any:
    raise AttributeError(str(not_in_the_dialect(f"utils.{name}")))
