"""Discrete Fourier transforms: linear maps, whose derivatives are Fourier transforms again.

The matrix of `fft` along an axis is symmetric, and so is that of `ifft`: each is its own transpose.  `rfft` gives half
of a spectrum of which the other half is its mirror image, and `irfft` takes one; up to how often a frequency occurs in
the whole, these two are each other's transposes.  Everything else is composed of the four.

NumPy loads `numpy.fft` when somebody first uses it, and so does this module: the functions are registered by name.
"""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.core import Array, primitive
from minigrad.errors import ArgumentError, DTypeError, ShapeError
from minigrad.ops import costs
from minigrad.ops.axes import Axis, one_axis, several_axes
from minigrad.ops.elementwise import conj, positive
from minigrad.ops.indexing import getitem
from minigrad.ops.names import implements_by_name
from minigrad.ops.shaping import pad, roll

# The norm with which the transform in the other direction scales as much as this one.
_OTHER_NORM = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


# The four maps, of arrays that have the right lengths


@primitive(lambda g, y, x, *, axes, norm: _fft(g, axes=axes, norm=norm), cost=costs.fourier)
def _fft(x: Array, /, *, axes: tuple[int, ...], norm: Any) -> Array:
    return np.fft.fftn(x, axes=axes, norm=norm)


@primitive(lambda g, y, x, *, axes, norm: _ifft(g, axes=axes, norm=norm), cost=costs.fourier)
def _ifft(x: Array, /, *, axes: tuple[int, ...], norm: Any) -> Array:
    return np.fft.ifftn(x, axes=axes, norm=norm)


def _occurrences(n: int, axis: int, ndim: int) -> Array:
    """How often each number of half a spectrum occurs in the whole one of length `n`, along an axis.

    That is twice, but once at frequency 0, and at the highest frequency if `n` is even.
    """
    k = np.arange(n // 2 + 1)
    times = np.where((k == 0) | (2 * k == n), 1, 2).astype(np.float32)  # which makes no dtype wider
    return times.reshape(-1, *(1,) * (ndim - axis - 1))


def _rfft_rule(g: Array, x: Array, axis: int, norm: str) -> Array:
    """The inverse transform of the conjugate of `g`, each frequency counted once."""
    n = x.shape[axis]
    half = np.conjugate(g) / _occurrences(n, axis, x.ndim)
    return _irfft(half, axis=axis, n=n, norm=_OTHER_NORM[norm])


@primitive(lambda g, y, x, *, axis, norm: _rfft_rule(g, x, axis, norm), cost=costs.half_fourier)
def _rfft(x: Array, /, *, axis: int, norm: Any) -> Array:
    return np.fft.rfft(x, axis=axis, norm=norm)


def _irfft_rule(g: Array, axis: int, n: int, norm: str) -> Array:
    """The conjugate of the transform of `g`, times how often each frequency occurs."""
    return np.conjugate(_rfft(g, axis=axis, norm=_OTHER_NORM[norm])) * _occurrences(n, axis, g.ndim)


@primitive(lambda g, y, x, *, axis, n, norm: _irfft_rule(g, axis, n, norm), cost=costs.half_fourier)
def _irfft(x: Array, /, *, axis: int, n: int, norm: Any) -> Array:
    return np.fft.irfft(x, n, axis=axis, norm=norm)


# What people pass


def _checked_norm(norm: str | None, name: str) -> str:
    if norm is None:  # NumPy's word for the default
        return "backward"
    if norm not in tuple(_OTHER_NORM):
        raise ArgumentError(f"{name}: norm is 'backward', 'ortho' or 'forward', not {norm!r}")
    return norm


def _checked_length(n: Any, shape: tuple[int, ...], name: str) -> int:
    try:
        n = operator.index(n)
    except TypeError as error:
        raise DTypeError(f"{name}: the length of a transform is an integer, not {n!r}") from error
    if n < 1:
        raise ArgumentError(f"{name} of shape {shape}: a transform has at least one number, and here it has {n}")
    return int(n)


def _checked_real(x: Array, name: str, instead: str) -> None:
    if np.iscomplexobj(x):
        raise DTypeError(f"{name} takes real numbers, and these are complex: use {instead}")


def _one(x: Array, n: int | None, axis: int, name: str, from_half: bool = False) -> tuple[int, int]:
    """The axis, counted from the front, and the length of the transform along it."""
    shape = np.shape(x)
    axis = one_axis(axis, len(shape), name)
    if n is None:
        n = 2 * (shape[axis] - 1) if from_half else shape[axis]
    return axis, _checked_length(n, shape, name)


def _several(
    x: Array, s: Sequence[int] | None, axes: Axis | Sequence[int], name: str, from_half: bool = False
) -> tuple[tuple[int, ...], list[int]]:
    """The axes, counted from the front, and the lengths of the transforms along them."""
    shape = np.shape(x)
    if s is not None and axes is None:
        raise ArgumentError(f"{name}: s says how long axes shall be, so write also which: axes=(...)")
    numbers = several_axes(tuple(axes) if isinstance(axes, Sequence) else axes, len(shape), name)
    lengths = [shape[i] for i in numbers]
    if s is None:
        if from_half and lengths:
            lengths[-1] = 2 * (lengths[-1] - 1)
    elif np.shape(s) != (len(numbers),):
        raise ShapeError(f"{name}: s is one length for each axis, and there are s={s!r} and axes={axes!r}")
    else:
        lengths = [m if n == -1 else n for n, m in zip(s, lengths, strict=True)]
    return numbers, [_checked_length(n, shape, name) for n in lengths]


def _fitted(x: Array, axes: tuple[int, ...], lengths: Sequence[int]) -> Array:
    """With axes of these lengths: cut off at the end, or filled up with zeros."""
    wanted = dict(zip(axes, lengths, strict=True))
    changes = [(n, wanted.get(i, n)) for i, n in enumerate(np.shape(x))]
    if any(n > m for n, m in changes):
        x = getitem(x, index=tuple(slice(m) for _, m in changes))
    if any(n < m for n, m in changes):
        x = pad(x, [(0, max(m - n, 0)) for n, m in changes])
    return x


# Along one axis


@implements_by_name("numpy.fft.fft")
def fft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: str | None = "backward") -> Array:
    """Discrete Fourier transform along an axis: ``y[k] = sum(x[j] * exp(-2j * pi * j * k / n))``.

    Parameters
    ----------
    x : array
        Real or complex.
    n : int, optional
        The length of the transform: the axis is cut off there, or filled up with zeros. By default that of the axis.
    axis : int
    norm : {"backward", "ortho", "forward"}
        Which of the two directions is divided by `n`: the one back (`ifft`), both by its square root, or this one.

    Returns
    -------
    array
        Complex, with `n` numbers along the axis; of single precision if `x` is.

    Raises
    ------
    ArgumentError
        If `n` is less than 1, or `norm` is another word.
    AxisError
        If there is no such axis.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.tensor([1.0, 0.0, 2.0, 0.0], requires_grad=True)
    >>> power = mg.abs(mg.fft.fft(x)) ** 2
    >>> power
    tensor([9., 1., 9., 1.], op=pow)
    >>> power[0].backward()
    >>> x.grad
    tensor([6., 6., 6., 6.])
    """
    axis, n = _one(x, n, axis, "fft")
    return _fft(_fitted(x, (axis,), (n,)), axes=(axis,), norm=_checked_norm(norm, "fft"))


@implements_by_name("numpy.fft.ifft")
def ifft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: str | None = "backward") -> Array:
    """Inverse of `fft`: ``y[j] = sum(x[k] * exp(2j * pi * j * k / n)) / n``.

    Parameters, result and errors are those of `fft`.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.fft.ifft(mg.fft.fft(np.array([1.0, 2.0, 4.0]))).real
    array([1., 2., 4.])
    """
    axis, n = _one(x, n, axis, "ifft")
    return _ifft(_fitted(x, (axis,), (n,)), axes=(axis,), norm=_checked_norm(norm, "ifft"))


@implements_by_name("numpy.fft.rfft")
def rfft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: str | None = "backward") -> Array:
    """The first half of the `fft` of real numbers, ``n // 2 + 1`` of them: the other half is its mirror image.

    Parameters and errors are those of `fft`, and a DTypeError for complex numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.fft.rfft(np.array([1.0, 0.0, 2.0, 0.0]))
    array([ 3.+0.j, -1.+0.j,  3.+0.j])
    """
    _checked_real(x, "rfft", "fft")
    axis, n = _one(x, n, axis, "rfft")
    return _rfft(_fitted(x, (axis,), (n,)), axis=axis, norm=_checked_norm(norm, "rfft"))


@implements_by_name("numpy.fft.irfft")
def irfft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: str | None = "backward") -> Array:
    """Inverse of `rfft`: `n` real numbers from the first half of their spectrum.

    Parameters and errors are those of `fft`, but `n` is the length of the result, of which ``n // 2 + 1`` numbers of
    the axis are used; by default it is even, ``2 * (m - 1)`` for an axis of length m. Imaginary parts at frequency 0
    and, for an even `n`, at the highest do not count and have no gradient.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.fft.irfft(mg.fft.rfft(np.array([1.0, 2.0, 4.0])), n=3)
    array([1., 2., 4.])
    """
    axis, n = _one(x, n, axis, "irfft", from_half=True)
    return _irfft(_fitted(x, (axis,), (n // 2 + 1,)), axis=axis, n=n, norm=_checked_norm(norm, "irfft"))


@implements_by_name("numpy.fft.hfft")
def hfft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: str | None = "backward") -> Array:
    """The `fft` of a signal with a real spectrum, of which `x` is the first half.

    The other half is its mirror image: ``x[n - j]`` is the conjugate of ``x[j]``.

    Parameters and errors are those of `irfft`; the result is real.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.fft.hfft(np.array([1.0, 2.0, 3.0]))
    array([ 8., -2.,  0., -2.])
    """
    axis, n = _one(x, n, axis, "hfft", from_half=True)
    half = _fitted(x, (axis,), (n // 2 + 1,))
    return _irfft(conj(half), axis=axis, n=n, norm=_OTHER_NORM[_checked_norm(norm, "hfft")])


@implements_by_name("numpy.fft.ihfft")
def ihfft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: str | None = "backward") -> Array:
    """Inverse of `hfft`: the first half of the signal that has a real spectrum.

    Parameters and errors are those of `rfft`.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.fft.ihfft(np.array([8.0, -2.0, 0.0, -2.0])).real
    array([1., 2., 3.])
    """
    _checked_real(x, "ihfft", "ifft")
    axis, n = _one(x, n, axis, "ihfft")
    return conj(_rfft(_fitted(x, (axis,), (n,)), axis=axis, norm=_OTHER_NORM[_checked_norm(norm, "ihfft")]))


# Along several axes


@implements_by_name("numpy.fft.fftn")
def fftn(
    x: Array,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str | None = "backward",
) -> Array:
    """Discrete Fourier transform along several axes, or all.

    Parameters
    ----------
    x : array
        Real or complex.
    s : sequence of int, optional
        The length of the transform along each of `axes`, which must then be given: an axis is cut off there, or filled
        up with zeros; -1 leaves it as it is.
    axes : sequence of int, optional
        All different; by default all axes.
    norm : {"backward", "ortho", "forward"}
        As for `fft`.

    Returns
    -------
    array
        Complex.

    Raises
    ------
    ArgumentError
        If a length is less than 1, `s` is given without `axes` or `norm` is another word; a ShapeError if `s` and
        `axes` differ in length or name an axis twice.
    AxisError
        If there is no such axis.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.fft.fftn(np.ones((2, 2))).real
    array([[4., 0.],
           [0., 0.]])
    """
    numbers, lengths = _several(x, s, axes, "fftn")
    norm = _checked_norm(norm, "fftn")
    return _fft(_fitted(x, numbers, lengths), axes=numbers, norm=norm) if numbers else positive(x)


@implements_by_name("numpy.fft.ifftn")
def ifftn(
    x: Array,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str | None = "backward",
) -> Array:
    """Inverse of `fftn`, which has the same parameters and errors.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.fft.ifftn(np.ones((2, 2))).real
    array([[1., 0.],
           [0., 0.]])
    """
    numbers, lengths = _several(x, s, axes, "ifftn")
    norm = _checked_norm(norm, "ifftn")
    return _ifft(_fitted(x, numbers, lengths), axes=numbers, norm=norm) if numbers else positive(x)


def _last(numbers: tuple[int, ...], name: str) -> int:
    if not numbers:
        raise ShapeError(f"{name} halves the spectrum along the last of its axes, and needs at least one")
    return numbers[-1]


@implements_by_name("numpy.fft.rfftn")
def rfftn(
    x: Array,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str | None = "backward",
) -> Array:
    """The `fftn` of real numbers, of which only the first half is computed along the last of the axes.

    Parameters and errors are those of `fftn`, and a DTypeError for complex numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.fft.rfftn(np.ones((2, 4))).real
    array([[8., 0., 0.],
           [0., 0., 0.]])
    """
    _checked_real(x, "rfftn", "fftn")
    numbers, lengths = _several(x, s, axes, "rfftn")
    last, norm = _last(numbers, "rfftn"), _checked_norm(norm, "rfftn")
    half = _rfft(_fitted(x, numbers, lengths), axis=last, norm=norm)
    return _fft(half, axes=numbers[:-1], norm=norm) if numbers[:-1] else half


@implements_by_name("numpy.fft.irfftn")
def irfftn(
    x: Array,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str | None = "backward",
) -> Array:
    """Inverse of `rfftn`.

    Parameters and errors are those of `fftn`, but `s` are the lengths of the result; along the last of the axes it is
    by default ``2 * (m - 1)`` for a length of m.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.fft.irfftn(mg.fft.rfftn(np.arange(6.0).reshape(2, 3)), s=(2, 3), axes=(0, 1)).round(12)
    array([[0., 1., 2.],
           [3., 4., 5.]])
    """
    numbers, lengths = _several(x, s, axes, "irfftn", from_half=True)
    last, norm = _last(numbers, "irfftn"), _checked_norm(norm, "irfftn")
    half = _fitted(x, numbers, [*lengths[:-1], lengths[-1] // 2 + 1])
    half = _ifft(half, axes=numbers[:-1], norm=norm) if numbers[:-1] else half
    return _irfft(half, axis=last, n=lengths[-1], norm=norm)


# Along two axes: names of NumPy's, which the standard does not have


@implements_by_name("numpy.fft.fft2")
def fft2(
    a: Array, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: str | None = "backward"
) -> Array:
    """`fftn` along two axes, by default the last two.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.fft.fft2(np.ones((3, 2, 2))).shape
    (3, 2, 2)
    """
    return fftn(a, s=s, axes=axes, norm=norm)


@implements_by_name("numpy.fft.ifft2")
def ifft2(
    a: Array, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: str | None = "backward"
) -> Array:
    """`ifftn` along two axes, by default the last two.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.fft.ifft2(np.ones((3, 2, 2))).shape
    (3, 2, 2)
    """
    return ifftn(a, s=s, axes=axes, norm=norm)


@implements_by_name("numpy.fft.rfft2")
def rfft2(
    a: Array, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: str | None = "backward"
) -> Array:
    """`rfftn` along two axes, by default the last two.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.fft.rfft2(np.ones((3, 4, 4))).shape
    (3, 4, 3)
    """
    return rfftn(a, s=s, axes=axes, norm=norm)


@implements_by_name("numpy.fft.irfft2")
def irfft2(
    a: Array, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: str | None = "backward"
) -> Array:
    """`irfftn` along two axes, by default the last two.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.fft.irfft2(np.ones((3, 4, 3))).shape
    (3, 4, 4)
    """
    return irfftn(a, s=s, axes=axes, norm=norm)


# The order of frequencies


def _shifted(x: Array, axes: Axis | Sequence[int], sign: int, name: str) -> Array:
    shape = np.shape(x)
    numbers = several_axes(tuple(axes) if isinstance(axes, Sequence) else axes, len(shape), name)
    return roll(x, tuple(sign * (shape[i] // 2) for i in numbers), axis=numbers) if numbers else positive(x)


@implements_by_name("numpy.fft.fftshift")
def fftshift(x: Array, /, *, axes: int | Sequence[int] | None = None) -> Array:
    """With frequency 0 in the middle, instead of at the front, of an axis, several, or all.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.fft.fftshift(np.array([0, 1, 2, -2, -1]))
    array([-2, -1,  0,  1,  2])
    """
    return _shifted(x, axes, 1, "fftshift")


@implements_by_name("numpy.fft.ifftshift")
def ifftshift(x: Array, /, *, axes: int | Sequence[int] | None = None) -> Array:
    """Inverse of `fftshift`.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.fft.ifftshift(np.array([-2, -1, 0, 1, 2]))
    array([ 0,  1,  2, -2, -1])
    """
    return _shifted(x, axes, -1, "ifftshift")
