"""The rows of Fourier transforms."""

import numpy as np

from minigrad import fft
from tests.op_table import row, s

NORMS = [s((3,), norm=norm) for norm in ("backward", "ortho", "forward")]
LINES = [
    s((1,)), s((4,)), s((5,)), s((2, 3)), s((2, 4), axis=0), s((3, 2, 2), axis=-2), s((0, 3)),
    s((4,), n=2), s((3,), n=6), s((2, 5), n=3, axis=0), s((2, 3), n=1), s((0,), n=3),
    s((3, 4), n=2, axis=-2, norm="ortho"), *NORMS, *(s((4,), norm=norm) for norm in ("ortho", "forward")),
]  # fmt: skip
FROM_HALF = [
    s((2,)), s((3,)), s((4,)), s((2, 3)), s((3, 2), axis=0), s((2, 3, 2), axis=-2), s((0, 3)),
    s((3,), n=5), s((3,), n=1), s((3,), n=2), s((3,), n=3), s((2,), n=6), s((2,), n=7), s((2, 4), n=5, axis=0),
    s((0,), n=3), s((3, 2), n=3, axis=0, norm="ortho"),
    *(s((3,), n=n, norm=norm) for n in (4, 5) for norm in ("backward", "ortho", "forward")),
]  # fmt: skip
row(fft.fft, np.fft.fft, *LINES, spelled=True, complex=True)
row(fft.ifft, np.fft.ifft, *LINES, spelled=True, complex=True)
row(fft.rfft, np.fft.rfft, *LINES, spelled=True)
row(fft.ihfft, np.fft.ihfft, *LINES, spelled=True)
row(fft.irfft, np.fft.irfft, *FROM_HALF, spelled=True, complex=True)
row(fft.hfft, np.fft.hfft, *FROM_HALF, spelled=True, complex=True)

PLANES = [
    s((2, 3)), s((3, 2, 2)), s((2, 2, 3), axes=(0, 2)), s((2, 3), axes=(1, 0)), s((2, 3), axes=(-1,)),
    s((2, 3), s=(3, 2), axes=(0, 1)), s((2, 3), s=(4, -1), axes=(-2, -1)), s((2, 4, 2), s=[3, 3], axes=[1, 0]),
    s((0, 3), axes=(1,)), s((2, 3), s=(1, 1), axes=(0, 1), norm="ortho"),
    *(s((2, 3), norm=norm) for norm in ("backward", "ortho", "forward")),
]  # fmt: skip
SPACES = [s((3,)), s((2, 1, 3)), s((2, 2, 2, 2), axes=(3, 0, 2)), s((2, 2, 3), norm="ortho")]
NO_AXES = [s(()), s((2, 3), axes=())]
row(fft.fftn, np.fft.fftn, *PLANES, *SPACES, *NO_AXES, spelled=True, complex=True)
row(fft.ifftn, np.fft.ifftn, *PLANES, *SPACES, *NO_AXES, spelled=True, complex=True)
row(fft.rfftn, np.fft.rfftn, *PLANES, *SPACES, spelled=True)
row(fft.irfftn, np.fft.irfftn, *PLANES, *SPACES[:1], *SPACES[2:], spelled=True, complex=True)

SQUARES = [
    s((2, 3)), s((3, 2, 3)), s((3, 2, 2), axes=(0, 1)), s((2, 3), s=(3, 2)), s((2, 3), [3, 2]), s((2, 3), norm="ortho"),
]  # fmt: skip
row(fft.fft2, np.fft.fft2, *SQUARES, spelled=True, complex=True)
row(fft.ifft2, np.fft.ifft2, *SQUARES, spelled=True, complex=True)
row(fft.rfft2, np.fft.rfft2, *SQUARES, spelled=True)
row(fft.irfft2, np.fft.irfft2, *SQUARES, spelled=True, complex=True)

ORDERS = [
    s((4,)), s((5,)), s((1,)), s((2, 3)), s((2, 3), axes=0), s((2, 3), axes=(-1,)), s((3, 2, 5), axes=[0, 2]),
    s((0, 3)), s((2, 3), axes=()),
]  # fmt: skip
row(fft.fftshift, np.fft.fftshift, *ORDERS, spelled=True, complex=True)
row(fft.ifftshift, np.fft.ifftshift, *ORDERS, spelled=True, complex=True)
