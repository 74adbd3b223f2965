"""What poolings share: sizes and places of their windows."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.errors import ArgumentError, ShapeError
from minigrad.nn.layer import check_windows, each
from minigrad.ops.windows import Padding

Size = int | Sequence[int]


class Sizes:
    """The options of a pooling, for each axis; the stride is the kernel's size if none is given."""

    def __init__(
        self, name: str, axes: int, lengths: Sequence[int], kernel: Size, stride: Any, padding: Size, dilation: Size = 1
    ) -> None:
        self.name, self.lengths = name, tuple(lengths)
        self.kernel = each(kernel, axes, f"{name}: kernel_size")
        self.stride = self.kernel if stride is None or stride == [] else each(stride, axes, f"{name}: stride")
        self.edges = each(padding, axes, f"{name}: padding", least=0)
        self.dilation = each(dilation, axes, f"{name}: dilation")
        self.spans = [d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True)]
        if any(2 * p > k for p, k in zip(self.edges, self.kernel, strict=True)):
            raise ArgumentError(f"{name}: padding {self.edges} must be at most half of the kernel {self.kernel}")

    def how(self, ceil_mode: bool) -> dict[str, Any]:
        """The arguments of a window operation; with `ceil_mode` windows may reach beyond the far edge."""
        padding: Padding = tuple((p, p) for p in self.edges)
        if ceil_mode:
            padding = tuple(
                (p, max(p, end - n - p)) for p, n, end in zip(self.edges, self.lengths, self._ends(), strict=True)
            )
        check_windows(self.name, self.lengths, self.kernel, padding, self.dilation)
        return {"kernel": self.kernel, "stride": self.stride, "padding": padding, "dilation": self.dilation}

    def _ends(self) -> list[int]:
        """Where the last window ends that starts inside the array or the padding before it."""
        ends = []
        for n, p, span, s in zip(self.lengths, self.edges, self.spans, self.stride, strict=True):
            count = -((n + 2 * p - span) // -s) + 1
            count -= (count - 1) * s >= n + p
            ends.append((count - 1) * s + span)
        return ends

    def counts(self, out: Sequence[int], with_padding: bool) -> np.ndarray:
        """How many elements each window has, with or without the padding (but not what is beyond it)."""
        count = np.ones(())
        for n, p, k, s, windows in zip(self.lengths, self.edges, self.kernel, self.stride, out, strict=True):
            start = np.arange(windows) * s - p
            end = np.minimum(start + k, n + p)
            each_count = end - start if with_padding else np.minimum(end, n) - np.maximum(start, 0)
            count = count[..., None] * each_count
        return count


# Adaptive pooling: the number of windows is given, and they are as equal as can be


def counts_for(name: str, output_size: Any, lengths: Sequence[int]) -> list[int]:
    """How many windows are wanted along each axis: as many as elements where the answer is None."""
    values = tuple(output_size) if isinstance(output_size, Sequence) else (output_size,) * len(lengths)
    if len(values) != len(lengths) or not all(
        v is None or (isinstance(v, (int, np.integer)) and v >= 1) for v in values
    ):
        raise ArgumentError(f"{name}: output_size is a number (or None) for each of {len(lengths)} axes: {output_size}")
    if not all(lengths):
        raise ShapeError(f"{name}: there is nothing in an input with axes of lengths {tuple(lengths)}")
    return [n if v is None else v for v, n in zip(values, lengths, strict=True)]


def bounds(length: int, count: int) -> list[tuple[int, int]]:
    """Where so many windows start and end that cover an axis."""
    return [(i * length // count, -((i + 1) * length // -count)) for i in range(count)]
