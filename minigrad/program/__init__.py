"""The graph as a program: written down while it is computed, and run again on other inputs.

`trace` runs a function once and writes down every operation on Tensors, those of a backward pass and of an optimizer's
step included.  The `Program` that comes of it is a list of equations, which `replay` computes again in plain NumPy, to
the last bit as the function itself would.  Read `equations` first (what a program is), then `tracing`.
"""

from minigrad.program.equations import Equation, Literal, Program, Variable
from minigrad.program.passes import remove_dead_code, share_common_subexpressions, simplified
from minigrad.program.tracing import trace

__all__ = [
    "Equation",
    "Literal",
    "Program",
    "Variable",
    "remove_dead_code",
    "share_common_subexpressions",
    "simplified",
    "trace",
]
