"""Modules of the package as those of the dialect."""

from typing import Any

from minigrad.torch.tensor import adopted


def translated(module: Any) -> Any:
    """The module, whose parameters and buffers, and those of all parts, are of the dialect."""
    for part in module.modules():
        for table in (part._parameters, part._buffers):
            for x in table.values():
                adopted(x)
    return module
