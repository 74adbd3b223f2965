"""The shape of a loss around a point: eigenvalues of its Hessian, and pictures of it along two directions.

Read `spectrum` first, which says what the eigenvalues tell about learning rates; then `hessian`, how second derivatives
of a function or of a network become a linear operator; `lanczos`, how its extreme eigenvalues are found; and `surface`.
"""

from minigrad.curvature.spectrum import HeavyBall, Spectrum, spectrum
from minigrad.curvature.surface import Surface, loss_surface

__all__ = ["HeavyBall", "Spectrum", "Surface", "loss_surface", "spectrum"]
