"""NumPy's protocols: what happens when a NumPy function is called with a Tensor."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad import errors
from minigrad.core import Array, Handle, numpy_functions


class NumPyProtocols(Handle):
    """The part of a Tensor that NumPy asks."""

    __slots__ = ()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        if self.node is not None:
            raise errors.cuts_graph("conversion to an ndarray", "detach().numpy()")
        return np.array(self.data, dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and not kwargs and ufunc in numpy_functions:
            return numpy_functions[ufunc](*inputs)
        if method != "__call__":
            raise errors.unsupported(f"{ufunc.__name__}.{method}", _supported())
        return self.__array_function__(ufunc, (), inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        stand_in = _stand_in(function)
        kwargs = {k: v for k, v in kwargs.items() if v is not np._NoValue and not (k == "out" and v is None)}
        try:
            return stand_in(*args, **kwargs)
        except TypeError as error:
            if "unexpected keyword argument" in str(error) or "positional" in str(error) or "by position" in str(error):
                raise errors.unsupported_arguments(function.__name__, kwargs) from error
            raise


# Functions of NumPy that describe arrays: they see the value, and there is nothing to differentiate


def _value(x: Any) -> Any:
    if isinstance(x, Handle):
        return np.asarray(x.data)
    return type(x)(map(_value, x)) if type(x) in (list, tuple) else x


def _describing(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*map(_value, args), **{key: _value(x) for key, x in kwargs.items()})

    return call


for _function in (
    np.shape, np.ndim, np.size, np.array_equal, np.array_equiv, np.allclose, np.isclose, np.iscomplexobj,
    np.isrealobj, np.result_type, np.can_cast, np.may_share_memory, np.shares_memory, np.nonzero, np.flatnonzero,
    np.argwhere, np.searchsorted, np.array_repr, np.array_str, np.array2string,
):  # fmt: skip
    numpy_functions[_function] = _describing(_function)


def _supported() -> list[str]:
    return sorted({function.__name__ for function in numpy_functions})


def _stand_in(function: Callable[..., Any]) -> Callable[..., Any]:
    """What shall be called instead of a NumPy function that got a Tensor."""
    if function not in numpy_functions:
        raise errors.unsupported(function.__name__, _supported(), getattr(function, "__module__", "numpy"))
    return numpy_functions[function]
