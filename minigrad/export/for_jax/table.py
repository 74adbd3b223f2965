"""What each operation is in JAX: by the name of the primitive, a function of its operands and parameters.

A primitive that saves something for its rule gives a pair, and one that draws is given a key and the variable of its
result first.
"""

from collections.abc import Callable
from typing import Any

from minigrad.export.for_jax.activations import ACTIVATIONS
from minigrad.export.for_jax.elementwise import ELEMENTWISE
from minigrad.export.for_jax.exponential import EXPONENTIAL
from minigrad.export.for_jax.layers import LAYERS
from minigrad.export.for_jax.linalg import LINALG
from minigrad.export.for_jax.loops import LOOPS
from minigrad.export.for_jax.picking import PICKING
from minigrad.export.for_jax.reductions import REDUCTIONS
from minigrad.export.for_jax.shaping import SHAPING
from minigrad.export.for_jax.special import SPECIAL

LOWERED: dict[str, Callable[..., Any]] = {
    **ELEMENTWISE, **ACTIVATIONS, **SPECIAL, **EXPONENTIAL, **REDUCTIONS, **SHAPING, **PICKING, **LINALG, **LAYERS,
    **LOOPS,
}  # fmt: skip
