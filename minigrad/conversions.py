"""How values leave Tensors: as Python's numbers and truth values, as arrays of NumPy and of other libraries."""

import sys
from typing import Any

import numpy as np

from minigrad import errors
from minigrad.core import Array
from minigrad.errors import tensors
from minigrad.protocols import NumPyProtocols

_DLPACK_HAS_NO_VERSION = np.lib.NumpyVersion(np.__version__) < "2.1.0"


class Conversions(NumPyProtocols):
    """The part of a Tensor by which its value is looked at; while a program is traced none of it is to be had."""

    __slots__ = ()

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.size(self.array))

    def __contains__(self, value: Any) -> bool:
        self.give_out("`in`")
        return bool(np.any(self.array == getattr(value, "array", value)))

    def numpy(self) -> Array:
        """The value as an ndarray that shares memory; refused while it would cut the graph."""
        if self.node is not None:
            raise tensors.cuts_graph("numpy()", "detach().numpy()", self.node)
        self.give_out("numpy()")
        return np.asarray(self.array)

    def item(self) -> bool | int | float | complex:
        """The single number of this Tensor, as a Python number."""
        if self.size != 1:
            raise tensors.no_item(self.array.shape)
        self.give_out("item()")
        number: bool | int | float | complex = self.array.item()
        return number

    def tolist(self) -> Any:
        """The value as nested lists of Python numbers."""
        self.give_out("tolist()")
        return self.array.tolist()

    def _number(self, kind: str) -> Any:
        if self.node is not None:
            raise tensors.cuts_graph(f"{kind}()", "item()", self.node)
        if self.size != 1:
            raise tensors.no_number(kind, self.array.shape)
        self.give_out(f"{kind}()")
        return self.array.item()

    def __float__(self) -> float:
        return float(self._number("float"))

    def __int__(self) -> int:
        return int(self._number("int"))

    def __complex__(self) -> complex:
        return complex(self._number("complex"))

    def __index__(self) -> int:
        if self.array.dtype.kind not in "iu" or self.array.ndim:
            raise tensors.no_index(self.array)
        self.give_out("the number, to count or to index by it,")
        return int(self.array)

    def __bool__(self) -> bool:
        self.give_out("bool()")
        if self.size != 1:
            raise tensors.no_truth(np.shape(self.array))
        return bool(self.array)

    # Interchange with other libraries

    def __array_namespace__(self, /, *, api_version: str | None = None) -> Any:
        if api_version not in (None, "2021.12", "2022.12", "2023.12", "2024.12"):
            raise errors.ArgumentError(f"version {api_version!r} of the Array API standard is not known here")
        return sys.modules[__package__]

    def __dlpack__(
        self,
        /,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: "bool | None" = None,  # Python 3.14 would take `bool` to be the attribute of that name
    ) -> Any:
        if self.node is not None:
            raise tensors.cuts_graph("interchange by DLPack", "detach()", self.node)
        if dl_device not in (None, self.__dlpack_device__()):
            raise BufferError(f"a Tensor is in the memory of the CPU, device (1, 0) of DLPack, and not on {dl_device}")
        self.give_out("interchange by DLPack")
        array: Any = np.array(self.array) if copy else np.asarray(self.array)
        if max_version is None or _DLPACK_HAS_NO_VERSION:
            return array.__dlpack__(stream=stream)
        return array.__dlpack__(stream=stream, max_version=max_version)

    def __dlpack_device__(self) -> tuple[int, int]:
        return np.asarray(self.array).__dlpack_device__()
