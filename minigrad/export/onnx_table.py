"""What each operation is in ONNX: by the name of the primitive, a function of a graph, operands and parameters.

Operands are tensors of the graph, or numbers of Python.  A primitive that saves something for its rule gives a pair.
"""

from minigrad.export.onnx_activations import ACTIVATIONS
from minigrad.export.onnx_arithmetic import ARITHMETIC
from minigrad.export.onnx_cumulative import CUMULATIVE
from minigrad.export.onnx_elementwise import ELEMENTWISE
from minigrad.export.onnx_expm import EXPM
from minigrad.export.onnx_exponentials import EXPONENTIALS
from minigrad.export.onnx_layers import LAYERS
from minigrad.export.onnx_linalg import LINALG
from minigrad.export.onnx_loops import LOOPS
from minigrad.export.onnx_optimizers import OPTIMIZERS
from minigrad.export.onnx_picking import PICKING
from minigrad.export.onnx_reductions import REDUCTIONS
from minigrad.export.onnx_scattering import WRITING
from minigrad.export.onnx_shaping import SHAPING
from minigrad.export.onnx_solving import SOLVING
from minigrad.export.onnx_special import SPECIAL
from minigrad.export.onnx_values import Row
from minigrad.export.onnx_windows import WINDOWS

LOWERED: dict[str, Row] = {
    **ARITHMETIC, **EXPONENTIALS, **ELEMENTWISE, **ACTIVATIONS, **SPECIAL, **REDUCTIONS, **CUMULATIVE, **OPTIMIZERS,
    **SHAPING, **PICKING, **WRITING, **LINALG, **SOLVING, **EXPM, **LAYERS, **WINDOWS, **LOOPS,
}  # fmt: skip
