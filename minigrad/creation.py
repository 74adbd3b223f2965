"""Functions that make Tensors from numbers, arrays, and nothing."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minigrad.core import Handle, implements, name_of, numpy_keywords, unwrap
from minigrad.errors import ArgumentError, DTypeError
from minigrad.operands import numeric
from minigrad.ops.devices import require_cpu
from minigrad.tensor import Tensor

_default_dtype: np.dtype[Any] = np.dtype(np.float64)


def set_default_dtype(dtype: DTypeLike) -> None:
    """Choose the dtype of new Tensors that are made of Python floats or of nothing, and of `nn` parameters.

    Of Python's complex numbers, Tensors are made whose parts have this dtype.

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


def default_complex_dtype() -> np.dtype[Any]:
    """The dtype of new Tensors that are made of Python's complex numbers: its parts are of the default dtype."""
    return np.result_type(_default_dtype, np.complex64)


def _default_for(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of what NumPy makes of Python's numbers, with the default in place of double precision."""
    if dtype == np.float64:
        return _default_dtype
    return default_complex_dtype() if dtype == np.complex128 else dtype


def _dtype_for(data: Any, dtype: DTypeLike | None) -> DTypeLike | None:
    """The dtype to convert to: arrays keep theirs, Python's floats become the default."""
    data = unwrap(data)  # of a Tensor in a program, perhaps a number of Python
    if dtype is not None or _default_dtype == np.float64 or isinstance(data, (np.ndarray, np.generic)):
        return dtype
    return _default_for(numeric(data, "a Tensor").dtype)


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


def asarray(
    obj: ArrayLike, /, *, dtype: DTypeLike | None = None, device: Any = None, copy: bool | None = None
) -> Tensor:
    """Make a Tensor that shares memory with an ndarray where it can; a Tensor is returned as it is.

    Parameters
    ----------
    obj : array_like
        Of a Tensor, the result is part of its graph.
    dtype : dtype, optional
        By default that of the data; Python floats become the default dtype (`set_default_dtype`).
    device : "cpu", optional
    copy : bool, optional
        Whether to copy always, or never.

    Raises
    ------
    ArgumentError
        If a copy is forbidden and needed.
    DTypeError
        If the data are not numbers, or if complex numbers would lose their imaginary part.

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
    require_cpu(device, "asarray")
    if isinstance(obj, Tensor):
        if type(obj.array) in (bool, int, float):  # a number of a program
            return obj.astype(_default_for(np.result_type(obj.array)) if dtype is None else dtype)
        if not copy and (dtype is None or obj.dtype == dtype):
            return obj
        if copy is False:
            raise _needs_copy("asarray")
        return obj.astype(obj.dtype if dtype is None else dtype)
    if copy is not False:
        return name_of(numeric(obj, "a Tensor", _dtype_for(obj, dtype), copy), None)
    try:
        return _made(np.array(obj, dtype, copy=False, subok=True))
    except ValueError as error:
        raise _needs_copy("asarray") from error


def _needs_copy(name: str) -> ArgumentError:
    return ArgumentError(f"{name} needs a copy of what it was given, and copy=False forbids it")


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """Make a Tensor that shares memory with an array of another library, by the DLPack protocol.

    Parameters
    ----------
    x : array with ``__dlpack__`` and ``__dlpack_device__``
        In the computer's own memory.
    device : "cpu", optional
    copy : bool, optional
        Whether to copy always, or never.

    Raises
    ------
    BufferError
        If the other library cannot lend the array.
    CutError
        If it is a Tensor that requires grad.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.from_dlpack(np.array([1.0, 2.0]))
    tensor([1., 2.])
    """
    require_cpu(device, "from_dlpack")
    value: Any = np.from_dlpack(x)
    return _made(np.array(value) if copy else value)


def _made(value: Any, requires_grad: bool = False) -> Tensor:
    made: Tensor = name_of(numeric(value, "a Tensor"), None)
    return made.requires_grad_() if requires_grad else made


# Of nothing but a shape.  All take `dtype` (the default dtype if it is None) and `device` ("cpu").


def _float_unless(dtype: DTypeLike | None) -> DTypeLike:
    return _default_dtype if dtype is None else dtype


@numpy_keywords
def zeros(
    shape: int | tuple[int, ...], *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A Tensor of zeros."""
    require_cpu(device, "zeros")
    return _made(np.zeros(shape, _float_unless(dtype)), requires_grad)


@numpy_keywords
def ones(
    shape: int | tuple[int, ...], *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A Tensor of ones."""
    require_cpu(device, "ones")
    return _made(np.ones(shape, _float_unless(dtype)), requires_grad)


def full(
    shape: int | tuple[int, ...],
    fill_value: Any,
    *,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A Tensor whose elements are all the same number, which decides the dtype if none is given."""
    require_cpu(device, "full")
    number = _number(fill_value)
    return _made(np.full(shape, number, _dtype_for(number, dtype)), requires_grad)


def _number(x: Any) -> Any:
    return np.asarray(x) if isinstance(x, Handle) else x  # which refuses to cut a graph


@numpy_keywords
def empty(shape: int | tuple[int, ...], *, dtype: DTypeLike | None = None, device: Any = None) -> Tensor:
    """A Tensor whose elements are whatever the memory holds."""
    require_cpu(device, "empty")
    return _made(np.empty(shape, _float_unless(dtype)))


def eye(
    n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: DTypeLike | None = None, device: Any = None
) -> Tensor:
    """A matrix with ones on its `k`-th diagonal and zeros elsewhere."""
    require_cpu(device, "eye")
    return _made(np.eye(n_rows, n_cols, k=k, dtype=_float_unless(dtype)))


# Numbers in a row


def arange(
    start: float, /, stop: float | None = None, step: float = 1, *, dtype: DTypeLike | None = None, device: Any = None
) -> Tensor:
    """Numbers from `start` (0 if only one bound is given) up to, but without, `stop`.

    Of integers the result has the default integer dtype, of floats the default dtype, unless one is given.
    """
    require_cpu(device, "arange")
    bounds: Any = (0, start) if stop is None else (start, stop)
    value: Any = np.arange(*bounds, step, dtype)  # type: ignore[call-overload]  # the bounds are numbers
    return _made(value if dtype is not None else value.astype(_default_for(value.dtype), copy=False))


def linspace(
    start: Any, stop: Any, /, num: int, *, dtype: DTypeLike | None = None, device: Any = None, endpoint: bool = True
) -> Tensor:
    """So many numbers at equal distances, from `start` to `stop`, which is the last of them unless `endpoint` is false.

    The bounds may be complex.
    """
    require_cpu(device, "linspace")
    value: Any = np.linspace(start, stop, num, endpoint=endpoint, dtype=dtype)
    if isinstance(value, Tensor):  # of bounds that are Tensors
        return value
    return _made(value if dtype is not None else value.astype(_default_for(value.dtype), copy=False))


# Like another array: of its shape, and of its dtype if none is given


@implements(np.zeros_like)
def zeros_like(x: Any, /, *, dtype: DTypeLike | None = None, device: Any = None) -> Tensor:
    """Zeros of the shape and dtype of `x`."""
    require_cpu(device, "zeros_like")
    return _made(np.zeros_like(unwrap(x), dtype=dtype))


@implements(np.ones_like)
def ones_like(x: Any, /, *, dtype: DTypeLike | None = None, device: Any = None) -> Tensor:
    """Ones of the shape and dtype of `x`."""
    require_cpu(device, "ones_like")
    return _made(np.ones_like(unwrap(x), dtype=dtype))


@implements(np.full_like)
def full_like(x: Any, /, fill_value: Any, *, dtype: DTypeLike | None = None, device: Any = None) -> Tensor:
    """The same number everywhere, with the shape and dtype of `x`."""
    require_cpu(device, "full_like")
    return _made(np.full_like(unwrap(x), _number(fill_value), dtype=dtype))


@implements(np.empty_like)
def empty_like(x: Any, /, *, dtype: DTypeLike | None = None, device: Any = None) -> Tensor:
    """A Tensor of the shape and dtype of `x`, whose elements are whatever the memory holds."""
    require_cpu(device, "empty_like")
    return _made(np.empty_like(unwrap(x), dtype=dtype))
