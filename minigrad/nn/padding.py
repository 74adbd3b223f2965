"""Images made larger at their edges, or smaller."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.errors import ArgumentError, ShapeError
from minigrad.nn.layer import FunctionLayer, operand
from minigrad.ops import shaping

# PyTorch's names of what NumPy calls otherwise.
_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """More elements at the edges, or with negative numbers fewer.

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
    if any(n + min(a, 0) + min(b, 0) < 0 for n, (a, b) in zip(input.shape, widths, strict=True)):
        raise ShapeError(f"pad: {tuple(pad)} takes more off the edges than an array of shape {input.shape} has")
    if any(min(pair) < 0 for pair in pairs):
        cuts = [slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(input.shape, widths, strict=True)]
        input = input[tuple(cuts)]
        widths = [(max(a, 0), max(b, 0)) for a, b in widths]
    if not any(map(any, widths)):
        return input
    if mode == "constant":
        return shaping.pad(input, widths, constant_values=0.0 if value is None else value)
    if mode not in _MODES:
        raise ArgumentError(f"pad: mode must be 'constant', 'reflect', 'replicate' or 'circular', not {mode!r}")
    if value is not None:
        raise ArgumentError(f"pad: mode {mode!r} takes no value")
    most = {"reflect": 1, "circular": 0}.get(mode)
    if most is not None and any(max(pair) > max(n - most, 0) for n, pair in zip(input.shape, widths, strict=True)):
        raise ShapeError(f"pad: mode {mode!r} cannot pad shape {input.shape} by {tuple(pad)}: an axis is too short")
    return shaping.pad(input, widths, mode=_MODES[mode])


class _Pad(FunctionLayer):
    """A layer that pads the last axes of inputs of shape (N, C, ...) or (C, ...)."""

    axes: int
    mode: str
    function = pad

    def __init__(self, padding: int | Sequence[int], **options: Any) -> None:
        pairs = (padding,) * (2 * self.axes) if isinstance(padding, (int, np.integer)) else tuple(padding)
        if len(pairs) != 2 * self.axes:
            raise ArgumentError(f"{type(self).__name__}: padding is one number or {2 * self.axes}, not {padding!r}")
        super().__init__(padding=pairs, **options)

    def forward(self, input: Any) -> Any:
        """Apply the function."""
        if np.ndim(input) not in (self.axes + 1, self.axes + 2):
            raise ShapeError(
                f"{type(self).__name__}: the input must have {self.axes + 1} or {self.axes + 2} axes, not shape "
                f"{np.shape(input)}"
            )
        return pad(input, self.padding, self.mode, getattr(self, "value", None))


class ConstantPad1d(_Pad):
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

    axes, mode = 1, "constant"

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding, value=value)


class ConstantPad2d(_Pad):
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

    axes, mode = 2, "constant"

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding, value=value)


class ConstantPad3d(_Pad):
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

    axes, mode = 3, "constant"

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding, value=value)


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
