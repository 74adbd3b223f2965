"""Functions that are traced once, and then run as programs.

Read `tracing` first (a function together with its derivative), then `straight` (equations as Python), `fusing`, `run`,
`arguments` (what a program rests on) and `function`, which is `jit` itself.
"""

from minigrad.compiling.function import Jitted, disabled, jit

__all__ = ["Jitted", "disabled", "jit"]
