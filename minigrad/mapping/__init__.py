"""Functions of single samples, computed for whole batches: `vmap`.

Read `vmap` first, then `walk` (one equation after another, with a batch), `rules` (what an operation does with one)
and `looping` (loops and branches).
"""

from minigrad.mapping.stacking import StackedModules, stack_modules
from minigrad.mapping.vmap import vmap

__all__ = ["StackedModules", "stack_modules", "vmap"]
