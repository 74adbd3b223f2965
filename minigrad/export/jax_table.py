"""What each operation is in JAX: by the name of the primitive, a function of its operands and parameters.

A primitive that saves something for its rule gives a pair, and one that draws is given a key and the variable of its
result first.
"""

from collections.abc import Callable
from typing import Any

from minigrad.export.jax_activations import ACTIVATIONS
from minigrad.export.jax_elementwise import ELEMENTWISE
from minigrad.export.jax_exponential import EXPONENTIAL
from minigrad.export.jax_layers import LAYERS
from minigrad.export.jax_linalg import LINALG
from minigrad.export.jax_loops import LOOPS
from minigrad.export.jax_picking import PICKING
from minigrad.export.jax_reductions import REDUCTIONS
from minigrad.export.jax_shaping import SHAPING
from minigrad.export.jax_special import SPECIAL

LOWERED: dict[str, Callable[..., Any]] = {
    **ELEMENTWISE, **ACTIVATIONS, **SPECIAL, **EXPONENTIAL, **REDUCTIONS, **SHAPING, **PICKING, **LINALG, **LAYERS,
    **LOOPS,
}  # fmt: skip
