"""Functions of single samples, computed for whole batches: `vmap`.

Read `mapper` first, then `walk` (one equation after another, with a batch), `rules` (what an operation does with one)
and `looping` (loops and branches).
"""

from minigrad.mapping.mapper import vmap
from minigrad.mapping.stacking import StackedModules, stack_modules

__all__ = ["StackedModules", "stack_modules", "vmap"]
