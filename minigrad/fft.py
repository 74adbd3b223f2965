"""Fourier transforms: the `fft` extension of the Python Array API standard, and NumPy's functions of two axes.

>>> import minigrad as mg
>>> signal = mg.tensor([0.0, 1.0, 0.0, -1.0], requires_grad=True)
>>> mg.fft.rfft(signal)
tensor([0.+0.j, 0.-2.j, 0.+0.j], op=rfft)
"""

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad.core import name_of
from minigrad.creation import get_default_dtype
from minigrad.errors import ArgumentError, DTypeError
from minigrad.ops.devices import require_cpu
from minigrad.ops.fft import (
    fft,
    fft2,
    fftn,
    fftshift,
    hfft,
    ifft,
    ifft2,
    ifftn,
    ifftshift,
    ihfft,
    irfft,
    irfft2,
    irfftn,
    rfft,
    rfft2,
    rfftn,
)
from minigrad.tensor import Tensor

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]


def fftfreq(n: int, /, *, d: float = 1.0, dtype: DTypeLike | None = None, device: Any = None) -> Tensor:
    """The frequencies that the results of `fft` belong to, in cycles per unit of `d`.

    Parameters
    ----------
    n : int
        Length of the transform.
    d : float
        Distance between two samples.
    dtype : dtype, optional
        Real and floating-point; by default the default dtype.
    device : {None, "cpu"}

    Returns
    -------
    Tensor
        ``[0, 1, ..., -2, -1] / (d * n)``, of shape ``(n,)``: 0, the positive ones, then the negative ones.

    Raises
    ------
    ArgumentError
        If `n` is less than 1, `d` is 0 or not finite, or the device is another.
    DTypeError
        If `n` is not an integer, or the dtype is not real and floating-point.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.fft.fftfreq(4, d=0.5)
    tensor([ 0. ,  0.5, -1. , -0.5])
    """
    return _frequencies(np.fft.fftfreq, n, d, dtype, device)


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: DTypeLike | None = None, device: Any = None) -> Tensor:
    """The frequencies that the results of `rfft` belong to: the first ``n // 2 + 1`` of `fftfreq`, all positive.

    Parameters and errors are those of `fftfreq`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.fft.rfftfreq(4, d=0.5)
    tensor([0. , 0.5, 1. ])
    """
    return _frequencies(np.fft.rfftfreq, n, d, dtype, device)


def _frequencies(function: Any, n: int, d: float, dtype: DTypeLike | None, device: Any) -> Tensor:
    name = function.__name__
    kind = np.dtype(get_default_dtype() if dtype is None else dtype)
    if kind.kind != "f":
        raise DTypeError(f"{name}: frequencies are real floating-point numbers, and cannot have the dtype {kind}")
    if not isinstance(n, (int, np.integer)):
        raise DTypeError(f"{name}: the length of a transform is an integer, not {n!r}")
    if n < 1:
        raise ArgumentError(f"{name}: a transform has at least one number, and n is {n}")
    if d == 0 or not math.isfinite(d):
        raise ArgumentError(f"{name}: the distance between samples must be a number other than 0, and d is {d!r}")
    require_cpu(device, name)
    made: Tensor = name_of(function(n, d).astype(kind), None)
    return made
