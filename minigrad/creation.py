"""Functions that make Tensors from numbers, arrays, and nothing."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minigrad import errors
from minigrad.core import Handle, implements, name_of
from minigrad.errors import DTypeError
from minigrad.tensor import Tensor

_default_dtype: np.dtype[Any] = np.dtype(np.float64)


def set_default_dtype(dtype: DTypeLike) -> None:
    """Choose the dtype of new Tensors that are made of Python floats or of nothing, and of `nn` parameters.

    Raises
    ------
    DTypeError
        If it is not a real floating-point dtype.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.set_default_dtype(np.float32)
    >>> mg.tensor([1.5]).dtype, mg.tensor(np.array([1.5])).dtype
    (dtype('float32'), dtype('float64'))
    >>> mg.set_default_dtype(np.float64)
    """
    global _default_dtype
    if np.dtype(dtype).kind != "f":
        raise DTypeError(f"the default dtype must be a floating-point one, not {np.dtype(dtype)}")
    _default_dtype = np.dtype(dtype)


def get_default_dtype() -> np.dtype[Any]:
    """The dtype of new Tensors that are made of Python floats or of nothing."""
    return _default_dtype


def _dtype_for(data: Any, dtype: DTypeLike | None) -> DTypeLike | None:
    """The dtype to convert to: arrays keep theirs, Python's floats become the default."""
    if dtype is not None or isinstance(data, (Handle, np.ndarray, np.generic)):
        return dtype
    return _default_dtype if errors.numeric(data, "a Tensor").dtype == np.float64 else None


def tensor(
    data: ArrayLike, dtype: DTypeLike | None = None, requires_grad: bool = False, name: str | None = None
) -> Tensor:
    """Make a Tensor of a copy of the data.

    Parameters
    ----------
    data : array_like
    dtype : dtype, optional
        By default that of the data; Python floats become the default dtype (`set_default_dtype`).
    requires_grad : bool
        Whether gradients shall be computed with respect to the Tensor.
    name : str, optional
        For messages and pictures.

    Raises
    ------
    DTypeError
        If the data are not numbers, or are integers and `requires_grad` is set.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.tensor([1.0, 2.0], requires_grad=True)
    tensor([1., 2.], requires_grad=True)
    """
    return Tensor(data, _dtype_for(data, dtype), requires_grad, name)


def asarray(data: ArrayLike, dtype: DTypeLike | None = None) -> Tensor:
    """Make a Tensor that shares memory with an ndarray where it can; a Tensor is returned as it is.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> a = np.zeros(2)
    >>> t = mg.asarray(a)
    >>> a[0] = 1.0
    >>> t
    tensor([1., 0.])
    """
    if isinstance(data, Tensor):
        return data if dtype is None or data.dtype == dtype else data.astype(dtype)
    value = errors.numeric(data, "a Tensor", _dtype_for(data, dtype))
    return name_of(value, None)  # type: ignore[no-any-return]


def _made(value: Any, requires_grad: bool) -> Tensor:
    made: Tensor = name_of(value, None)
    return made.requires_grad_() if requires_grad else made


def zeros(shape: int | tuple[int, ...], *, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of zeros."""
    return _made(np.zeros(shape, dtype or _default_dtype), requires_grad)


def ones(shape: int | tuple[int, ...], *, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of ones."""
    return _made(np.ones(shape, dtype or _default_dtype), requires_grad)


def full(
    shape: int | tuple[int, ...], fill_value: Any, *, dtype: DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """A Tensor whose elements are all the same number."""
    return _made(np.full(shape, fill_value, _dtype_for(fill_value, dtype)), requires_grad)


def arange(start: float, /, stop: float | None = None, step: float = 1, *, dtype: DTypeLike | None = None) -> Tensor:
    """Numbers from `start` (0 if only one bound is given) up to, but without, `stop`."""
    bounds: Any = (0, start) if stop is None else (start, stop)
    value: Any = np.arange(*bounds, step, dtype)  # type: ignore[call-overload]  # the bounds are numbers
    return _made(value if dtype or value.dtype.kind != "f" else value.astype(_default_dtype), False)


def linspace(
    start: float, stop: float, /, num: int, *, dtype: DTypeLike | None = None, endpoint: bool = True
) -> Tensor:
    """So many numbers at equal distances, from `start` to `stop`."""
    return _made(np.linspace(start, stop, num, endpoint=endpoint, dtype=dtype or _default_dtype), False)


def eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: DTypeLike | None = None) -> Tensor:
    """A matrix with ones on its `k`-th diagonal and zeros elsewhere."""
    return _made(np.eye(n_rows, n_cols, k=k, dtype=dtype or _default_dtype), False)


def _like(x: Any) -> Any:
    return x.data if isinstance(x, Handle) else x


@implements(np.zeros_like)
def zeros_like(x: Any, /, *, dtype: DTypeLike | None = None) -> Tensor:
    """Zeros of the shape and dtype of `x`."""
    return _made(np.zeros_like(_like(x), dtype=dtype), False)


@implements(np.ones_like)
def ones_like(x: Any, /, *, dtype: DTypeLike | None = None) -> Tensor:
    """Ones of the shape and dtype of `x`."""
    return _made(np.ones_like(_like(x), dtype=dtype), False)


@implements(np.full_like)
def full_like(x: Any, /, fill_value: Any, *, dtype: DTypeLike | None = None) -> Tensor:
    """The same number everywhere, with the shape and dtype of `x`."""
    return _made(np.full_like(_like(x), fill_value, dtype=dtype), False)


def empty(shape: int | tuple[int, ...], *, dtype: DTypeLike | None = None) -> Tensor:
    """A Tensor whose elements are whatever the memory holds."""
    return _made(np.empty(shape, dtype or _default_dtype), False)


@implements(np.empty_like)
def empty_like(x: Any, /, *, dtype: DTypeLike | None = None) -> Tensor:
    """A Tensor of the shape and dtype of `x`, whose elements are whatever the memory holds."""
    return _made(np.empty_like(_like(x), dtype=dtype), False)
