"""`autograd.scipy`: linear algebra, special functions and densities are minigrad's own; convolutions are here."""

from minigrad import linalg, special, stats
from minigrad.hips.scipy import signal

__all__ = ["linalg", "signal", "special", "stats"]
