"""`autograd.scipy.signal`: convolutions along some axes, with products along others."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.options import one_of

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def convolve(
    A: Any,
    B: Any,
    axes: Sequence[Sequence[int]] | None = None,
    dot_axes: Sequence[Sequence[int]] = ((), ()),
    mode: str = "full",
) -> Any:
    """Convolutions of arrays along pairs of axes, summed over other pairs of axes.

    Parameters
    ----------
    A, B : array
    axes : pair of sequence of int, optional
        The axes of each along which they are convolved; by default all.
    dot_axes : pair of sequence of int
        The axes of each over which products are summed.
    mode : {"full", "valid"}
        All sums in which they overlap, or those alone in which the smaller one is wholly inside of the other.

    Returns
    -------
    array
        Its axes are the other ones of `A`, the other ones of `B`, and those of the convolution.

    Raises
    ------
    ValueError
        If `mode` is none of these, or in mode "valid" neither is the larger one along all axes.
    """
    mode = one_of(mode, "convolve: mode", ("full", "valid"))
    of_a, of_b = [list(range(np.ndim(A)))] * 2 if axes is None else [list(part) for part in axes]
    dot_a, dot_b = [list(part) for part in dot_axes]
    sizes_a, sizes_b = [np.shape(A)[i] for i in of_a], [np.shape(B)[i] for i in of_b]
    rest_a, rest_b = _others(A, of_a, dot_a), _others(B, of_b, dot_b)
    if mode == "valid" and any(m < n for m, n in zip(sizes_a, sizes_b, strict=True)):
        if any(m > n for m, n in zip(sizes_a, sizes_b, strict=True)):
            raise ValueError(f"convolve: of lengths {sizes_a} and {sizes_b} neither is the larger one along all axes")
        swapped = convolve(B, A, (of_b, of_a), (dot_b, dot_a), mode)
        return np.moveaxis(swapped, range(len(rest_b)), range(len(rest_a), len(rest_a) + len(rest_b)))
    if mode == "full":
        before_and_after = [(0, 0)] * np.ndim(A)
        for i, n in zip(of_a, sizes_b, strict=True):
            before_and_after[i] = (n - 1, n - 1)
        A = np.pad(A, before_and_after)
    windows = np.lib.stride_tricks.sliding_window_view(A, tuple(sizes_b), tuple(of_a))
    letters = iter(_LETTERS)
    names_a = [next(letters) for _ in range(np.ndim(A))]
    inside = [next(letters) for _ in of_a]
    names_b = [""] * np.ndim(B)
    for i, letter in zip(of_b, inside, strict=True):
        names_b[i] = letter
    for i, j in zip(dot_a, dot_b, strict=True):
        names_b[j] = names_a[i]
    for i in rest_b:
        names_b[i] = next(letters)
    result = [*(names_a[i] for i in rest_a), *(names_b[i] for i in rest_b), *(names_a[i] for i in of_a)]
    what = f"{''.join(names_a + inside)},{''.join(names_b)}->{''.join(result)}"
    return np.einsum(what, windows, np.flip(B, tuple(of_b)))


def _others(x: Any, *taken: Sequence[int]) -> list[int]:
    return [i for i in range(np.ndim(x)) if not any(i in part for part in taken)]
