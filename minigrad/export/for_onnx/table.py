"""What each operation is in ONNX: by the name of the primitive, a function of a graph, operands and parameters.

Operands are tensors of the graph, or numbers of Python.  A primitive that saves something for its rule gives a pair.
"""

from minigrad.export.for_onnx.activations import ACTIVATIONS
from minigrad.export.for_onnx.arithmetic import ARITHMETIC
from minigrad.export.for_onnx.cumulative import CUMULATIVE
from minigrad.export.for_onnx.elementwise import ELEMENTWISE
from minigrad.export.for_onnx.expm import EXPM
from minigrad.export.for_onnx.exponentials import EXPONENTIALS
from minigrad.export.for_onnx.layers import LAYERS
from minigrad.export.for_onnx.linalg import LINALG
from minigrad.export.for_onnx.loops import LOOPS
from minigrad.export.for_onnx.optimizers import OPTIMIZERS
from minigrad.export.for_onnx.picking import PICKING
from minigrad.export.for_onnx.reductions import REDUCTIONS
from minigrad.export.for_onnx.scattering import WRITING
from minigrad.export.for_onnx.shaping import SHAPING
from minigrad.export.for_onnx.solving import SOLVING
from minigrad.export.for_onnx.special import SPECIAL
from minigrad.export.for_onnx.values import Row
from minigrad.export.for_onnx.windows import WINDOWS

LOWERED: dict[str, Row] = {
    **ARITHMETIC, **EXPONENTIALS, **ELEMENTWISE, **ACTIVATIONS, **SPECIAL, **REDUCTIONS, **CUMULATIVE, **OPTIMIZERS,
    **SHAPING, **PICKING, **WRITING, **LINALG, **SOLVING, **EXPM, **LAYERS, **WINDOWS, **LOOPS,
}  # fmt: skip
