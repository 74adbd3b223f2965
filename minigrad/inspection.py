"""What the namespace can do, as the Array API standard lets one ask."""

from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.creation import default_complex_dtype, get_default_dtype
from minigrad.ops.devices import CPU, require_cpu

__array_api_version__ = "2024.12"


class NamespaceInfo:
    """What `__array_namespace_info__` returns."""

    def capabilities(self) -> dict[str, Any]:
        """What is optional in the standard, and how many axes an array can have."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """The device of new Tensors."""
        return CPU

    def devices(self) -> list[str]:
        """All devices."""
        return [CPU]

    def default_dtypes(self, *, device: Any = None) -> dict[str, np.dtype[Any]]:
        """The dtypes of new Tensors that are made of Python's numbers, and of indices."""
        require_cpu(device, "default_dtypes")
        return {
            "real floating": get_default_dtype(),
            "complex floating": default_complex_dtype(),
            "integral": np.dtype(np.int64),
            "indexing": np.dtype(np.intp),
        }

    def dtypes(self, *, device: Any = None, kind: str | tuple[str, ...] | None = None) -> dict[str, np.dtype[Any]]:
        """The standard's dtypes by name; all, or those of a kind or several (see `isdtype`)."""
        require_cpu(device, "dtypes")
        found = {name: x for name, x in vars(dtypes).items() if isinstance(x, np.dtype)}
        return {name: dtype for name, dtype in found.items() if kind is None or dtypes.isdtype(dtype, kind)}


def __array_namespace_info__() -> NamespaceInfo:  # noqa: N807  # the standard's name
    """What this namespace can do: its devices, dtypes and defaults.

    Examples
    --------
    >>> import minigrad as mg
    >>> info = mg.__array_namespace_info__()
    >>> info.devices(), list(info.dtypes(kind="complex floating"))
    (['cpu'], ['complex64', 'complex128'])
    """
    return NamespaceInfo()
