"""`autograd.misc`: trees as vectors, optimizers on functions, fixed points."""

from minigrad.hips.misc import fixed_points, flatten, optimizers

__all__ = ["fixed_points", "flatten", "optimizers"]
