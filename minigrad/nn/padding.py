"""Images made larger at their edges, or smaller."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.errors import ArgumentError, ShapeError
from minigrad.nn.layer import FunctionLayer, operand
from minigrad.ops import shaping
from minigrad.options import one_of

# PyTorch's names of what NumPy calls otherwise.
_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """More elements at the edges, or with negative numbers fewer.

    A mirror image, and copies of an edge, are those of the whole input, whatever is taken off; what comes from the
    other end, with mode "circular", is of what is left.

    Parameters
    ----------
    input : array
    pad : sequence of int
        Before and after on the last axis, then on the last but one, and so on.
    mode : {"constant", "reflect", "replicate", "circular"}
        What the new elements are: `value`, a mirror image without the edge itself, the edge, or the other end.
    value : float, optional
        By default 0.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.nn import functional as F
    >>> F.pad(np.array([[1.0, 2.0, 3.0]]), (1, 0))
    array([[0., 1., 2., 3.]])
    >>> F.pad(np.array([[1.0, 2.0, 3.0]]), (2, 0), mode="reflect")
    array([[3., 2., 1., 2., 3.]])
    """
    input = operand(input)
    if isinstance(pad, (int, np.integer)):
        raise ArgumentError(f"pad: two numbers for each axis, the last first, as in (1, 1), not {pad!r}")
    if len(pad) % 2 or len(pad) > 2 * input.ndim:
        raise ArgumentError(f"pad: two numbers for each axis, the last first, not {tuple(pad)} for shape {input.shape}")
    pairs = [(int(pad[i]), int(pad[i + 1])) for i in range(0, len(pad), 2)][::-1]
    widths = [(0, 0)] * (input.ndim - len(pairs)) + pairs
    one_of(mode, "pad: mode", ("constant", *_MODES))
    if mode != "constant" and value is not None:
        raise ArgumentError(f"pad: mode {mode!r} takes no value")
    seen_whole = mode in ("reflect", "replicate")
    left = [n + (a + b if seen_whole else min(a, 0) + min(b, 0)) for n, (a, b) in zip(input.shape, widths, strict=True)]
    if min(left, default=0) < 0:
        raise ShapeError(f"pad: {tuple(pad)} takes more off the edges than an array of shape {input.shape} has")
    if not seen_whole:
        return _grown(_cut(input, widths), pad, widths, mode, value)
    return _cut(_grown(input, pad, widths, mode, value), widths)


def _cut(x: Any, widths: Sequence[tuple[int, int]]) -> Any:
    """An array without the elements that negative widths take off its edges."""
    if min(map(min, widths), default=0) >= 0:
        return x
    return x[tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(x.shape, widths, strict=True))]


def _grown(x: Any, pad: Sequence[int], widths: Sequence[tuple[int, int]], mode: str, value: float | None) -> Any:
    """An array with the elements that positive widths add at its edges."""
    widths = [(max(a, 0), max(b, 0)) for a, b in widths]
    if not any(map(any, widths)):
        return x
    if mode == "constant":
        return shaping.pad(x, widths, constant_values=0.0 if value is None else value)
    most = {"reflect": 1, "circular": 0}.get(mode)
    if most is not None and any(max(pair) > max(n - most, 0) for n, pair in zip(x.shape, widths, strict=True)):
        raise ShapeError(f"pad: mode {mode!r} cannot pad shape {x.shape} by {tuple(pad)}: an axis is too short")
    return shaping.pad(x, widths, mode=_MODES[mode])


class _Pad(FunctionLayer):
    """A layer that pads the last axes of inputs of shape (N, C, ...) or (C, ...)."""

    axes: int
    mode: str
    function = pad

    def __init__(self, padding: int | Sequence[int]) -> None:
        pairs = (padding,) * (2 * self.axes) if isinstance(padding, (int, np.integer)) else tuple(padding)
        if len(pairs) != 2 * self.axes:
            raise ArgumentError(f"{type(self).__name__}: padding is one number or {2 * self.axes}, not {padding!r}")
        super().__init__(padding=pairs)

    def forward(self, input: Any) -> Any:
        """Apply the function."""
        if np.ndim(input) not in (self.axes + 1, self.axes + 2):
            raise ShapeError(
                f"{type(self).__name__}: the input must have {self.axes + 1} or {self.axes + 2} axes, not shape "
                f"{np.shape(input)}"
            )
        return pad(input, self.padding, self.mode, getattr(self, "value", None))


class _ConstantPad(_Pad):
    """A layer that pads with elements that are `value`."""

    mode = "constant"

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value, self._options = value, ("padding", "value")


class ConstantPad1d(_ConstantPad):
    """Pad sequences with elements that are `value`.

    Parameters
    ----------
    padding : int or sequence of 2 int
        Before and after on the last axis.
    value : float

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.ConstantPad1d(1, 7.0)(mg.ones((1, 3))).shape
    (1, 5)
    """

    axes = 1


class ConstantPad2d(_ConstantPad):
    """Pad images with elements that are `value`.

    Parameters
    ----------
    padding : int or sequence of 4 int
        Before and after on the last axis, then on the axes before it.
    value : float

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.ConstantPad2d(1, 7.0)(mg.ones((1, 3, 3))).shape
    (1, 5, 5)
    """

    axes = 2


class ConstantPad3d(_ConstantPad):
    """Pad volumes with elements that are `value`.

    Parameters
    ----------
    padding : int or sequence of 6 int
        Before and after on the last axis, then on the axes before it.
    value : float

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.ConstantPad3d(1, 7.0)(mg.ones((1, 3, 3, 3))).shape
    (1, 5, 5, 5)
    """

    axes = 3


class ZeroPad1d(_Pad):
    """Pad sequences with zeros.

    Parameters
    ----------
    padding : int or sequence of 2 int
        Before and after on the last axis.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.ZeroPad1d(1)(mg.ones((1, 3))).shape
    (1, 5)
    """

    axes, mode = 1, "constant"


class ZeroPad2d(_Pad):
    """Pad images with zeros.

    Parameters
    ----------
    padding : int or sequence of 4 int
        Before and after on the last axis, then on the axes before it.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.ZeroPad2d(1)(mg.ones((1, 3, 3))).shape
    (1, 5, 5)
    """

    axes, mode = 2, "constant"


class ZeroPad3d(_Pad):
    """Pad volumes with zeros.

    Parameters
    ----------
    padding : int or sequence of 6 int
        Before and after on the last axis, then on the axes before it.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.ZeroPad3d(1)(mg.ones((1, 3, 3, 3))).shape
    (1, 5, 5, 5)
    """

    axes, mode = 3, "constant"


class ReflectionPad1d(_Pad):
    """Pad sequences with a mirror image of the inside.

    Parameters
    ----------
    padding : int or sequence of 2 int
        Before and after on the last axis.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.ReflectionPad1d(1)(mg.ones((1, 3))).shape
    (1, 5)
    """

    axes, mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """Pad images with a mirror image of the inside.

    Parameters
    ----------
    padding : int or sequence of 4 int
        Before and after on the last axis, then on the axes before it.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.ReflectionPad2d(1)(mg.ones((1, 3, 3))).shape
    (1, 5, 5)
    """

    axes, mode = 2, "reflect"


class ReflectionPad3d(_Pad):
    """Pad volumes with a mirror image of the inside.

    Parameters
    ----------
    padding : int or sequence of 6 int
        Before and after on the last axis, then on the axes before it.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.ReflectionPad3d(1)(mg.ones((1, 3, 3, 3))).shape
    (1, 5, 5, 5)
    """

    axes, mode = 3, "reflect"


class ReplicationPad1d(_Pad):
    """Pad sequences with copies of the edges.

    Parameters
    ----------
    padding : int or sequence of 2 int
        Before and after on the last axis.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.ReplicationPad1d(1)(mg.ones((1, 3))).shape
    (1, 5)
    """

    axes, mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """Pad images with copies of the edges.

    Parameters
    ----------
    padding : int or sequence of 4 int
        Before and after on the last axis, then on the axes before it.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.ReplicationPad2d(1)(mg.ones((1, 3, 3))).shape
    (1, 5, 5)
    """

    axes, mode = 2, "replicate"


class ReplicationPad3d(_Pad):
    """Pad volumes with copies of the edges.

    Parameters
    ----------
    padding : int or sequence of 6 int
        Before and after on the last axis, then on the axes before it.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.ReplicationPad3d(1)(mg.ones((1, 3, 3, 3))).shape
    (1, 5, 5, 5)
    """

    axes, mode = 3, "replicate"


class CircularPad1d(_Pad):
    """Pad sequences with what is at the other end.

    Parameters
    ----------
    padding : int or sequence of 2 int
        Before and after on the last axis.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.CircularPad1d(1)(mg.ones((1, 3))).shape
    (1, 5)
    """

    axes, mode = 1, "circular"


class CircularPad2d(_Pad):
    """Pad images with what is at the other end.

    Parameters
    ----------
    padding : int or sequence of 4 int
        Before and after on the last axis, then on the axes before it.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.CircularPad2d(1)(mg.ones((1, 3, 3))).shape
    (1, 5, 5)
    """

    axes, mode = 2, "circular"


class CircularPad3d(_Pad):
    """Pad volumes with what is at the other end.

    Parameters
    ----------
    padding : int or sequence of 6 int
        Before and after on the last axis, then on the axes before it.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.CircularPad3d(1)(mg.ones((1, 3, 3, 3))).shape
    (1, 5, 5, 5)
    """

    axes, mode = 3, "circular"
