"""What each operation is in ONNX: by the name of the primitive, a function of a graph, operands and parameters.

Operands are tensors of the graph, or numbers of Python.  A primitive that saves something for its rule gives a pair.
"""

from collections.abc import Callable
from typing import Any

from minigrad.export.onnx_activations import ACTIVATIONS
from minigrad.export.onnx_elementwise import ELEMENTWISE
from minigrad.export.onnx_layers import LAYERS
from minigrad.export.onnx_linalg import LINALG
from minigrad.export.onnx_loops import LOOPS
from minigrad.export.onnx_picking import PICKING
from minigrad.export.onnx_reductions import REDUCTIONS
from minigrad.export.onnx_scattering import WRITING
from minigrad.export.onnx_shaping import SHAPING
from minigrad.export.onnx_special import SPECIAL
from minigrad.export.onnx_windows import WINDOWS

LOWERED: dict[str, Callable[..., Any]] = {
    **ELEMENTWISE, **ACTIVATIONS, **SPECIAL, **REDUCTIONS, **SHAPING, **PICKING, **WRITING, **LINALG, **LAYERS, **WINDOWS,
    **LOOPS,
}  # fmt: skip
