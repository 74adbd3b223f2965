"""minigrad with `mg.jit`: whole steps of training as one function, other workloads as their value and gradient.

The first call includes tracing and compiling, unless what is compiled lies in the cache already.
"""

from workloads import NAMES

import minigrad as mg
from peers import _minigrad, wrapped

# A loop of 100,000 operations would be written out as a function of that length.
globals().update(wrapped(_minigrad, mg.jit, [name for name in NAMES if name != "deep_graph"]))
