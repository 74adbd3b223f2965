"""minigrad: reverse-mode automatic differentiation in pure Python on NumPy.

>>> import minigrad as mg
>>> x = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
tensor([2., 4., 6.])
"""

from typing import TYPE_CHECKING

from minigrad import autograd, errors, fft, linalg, progress, random, special, tree
from minigrad.checkpointing import checkpoint
from minigrad.core import detect_anomaly, enable_grad, is_grad_enabled, no_grad
from minigrad.creation import (
    arange,
    asarray,
    empty,
    empty_like,
    eye,
    from_dlpack,
    full,
    full_like,
    get_default_dtype,
    linspace,
    ones,
    ones_like,
    set_default_dtype,
    tensor,
    zeros,
    zeros_like,
)
from minigrad.dtypes import (
    bool,
    broadcast_shapes,
    can_cast,
    complex64,
    complex128,
    e,
    finfo,
    float32,
    float64,
    iinfo,
    inf,
    int8,
    int16,
    int32,
    int64,
    isdtype,
    nan,
    newaxis,
    pi,
    result_type,
    uint8,
    uint16,
    uint32,
    uint64,
)
from minigrad.gradcheck import gradcheck, gradcheck_report, gradgradcheck
from minigrad.inspection import __array_api_version__, __array_namespace_info__
from minigrad.later import imported_later
from minigrad.memory import keep_freed_memory
from minigrad.ops.elementwise import (
    abs,
    acos,
    acosh,
    add,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    bitwise_and,
    bitwise_invert,
    bitwise_left_shift,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    cbrt,
    ceil,
    clip,
    conj,
    copysign,
    cos,
    cosh,
    divide,
    equal,
    exp,
    exp2,
    expm1,
    floor,
    floor_divide,
    greater,
    greater_equal,
    hypot,
    imag,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    maximum,
    minimum,
    multiply,
    negative,
    nextafter,
    not_equal,
    positive,
    pow,
    real,
    reciprocal,
    remainder,
    round,
    sigmoid,
    sign,
    signbit,
    sin,
    sinh,
    sqrt,
    square,
    subtract,
    tan,
    tanh,
    trunc,
    where,
)
from minigrad.ops.ignoring_nan import nanmax, nanmean, nanmin, nansum
from minigrad.ops.indexing import take, take_along_axis
from minigrad.ops.linalg import (
    diagonal,
    dot,
    einsum,
    matmul,
    outer,
    tensordot,
    trace,
    tril,
    triu,
    vecdot,
)
from minigrad.ops.numerics import convolve, correlate, interp, trapezoid
from minigrad.ops.numpy_elementwise import heaviside, logaddexp2, nan_to_num, sinc
from minigrad.ops.polynomials import polyval
from minigrad.ops.quantiles import median, percentile, quantile
from minigrad.ops.reductions import (
    all,
    any,
    argmax,
    argmin,
    count_nonzero,
    cummax,
    cummin,
    cumulative_prod,
    cumulative_sum,
    diff,
    log_softmax,
    logcumsumexp,
    logsumexp,
    max,
    mean,
    min,
    prod,
    softmax,
    std,
    sum,
    var,
)
from minigrad.ops.scattering import scatter, scatter_add, scatter_reduce
from minigrad.ops.shaping import (
    astype,
    broadcast_arrays,
    broadcast_to,
    concat,
    expand_dims,
    flip,
    matrix_transpose,
    meshgrid,
    moveaxis,
    pad,
    permute_dims,
    repeat,
    reshape,
    roll,
    split,
    squeeze,
    stack,
    swapaxes,
    tile,
    unstack,
)
from minigrad.ops.sorting import (
    argsort,
    isin,
    nonzero,
    searchsorted,
    sort,
    topk,
    unique_all,
    unique_counts,
    unique_inverse,
    unique_values,
)
from minigrad.ops.statistics import average, corrcoef, cov
from minigrad.random import manual_seed
from minigrad.several import primitive
from minigrad.tensor import Tensor
from minigrad.transforms import grad, hvp, jvp, linearize, value_and_grad, vjp
from minigrad.version import __version__

# A line for each name would be longer than all that there is to read.
# fmt: off
if TYPE_CHECKING:
    from minigrad import curvature as curvature
    from minigrad import data, distributed, graph, io, nn, objectives, optim, program, stats
    from minigrad import export as export
    from minigrad import hips as hips
    from minigrad import interop as interop
    from minigrad import plot as plot
    from minigrad import testing as testing
    from minigrad import torch as torch
    from minigrad.compiling import jit
    from minigrad.control import cond, scan, while_loop
    from minigrad.io import load, save
    from minigrad.jacobians import hessian, jacfwd, jacobian, jacrev
    from minigrad.mapping import stack_modules, vmap
    from minigrad.threads import get_num_threads, set_num_threads

# What only some programs need is imported when it is first asked for.  Some of it is not in `__all__`: a star import
# need not load pictures, and must not hide the name of PyTorch.
__getattr__ = imported_later(
    __name__,
    {
        "compiling": ["jit"],
        "control": ["cond", "scan", "while_loop"],
        "curvature": ["curvature"],
        "data": ["data"],
        "distributed": ["distributed"],
        "export": ["export"],
        "graph": ["graph"],
        "hips": ["hips"],
        "interop": ["interop"],
        "io": ["io", "load", "save"],
        "jacobians": ["hessian", "jacfwd", "jacobian", "jacrev"],
        "mapping": ["stack_modules", "vmap"],
        "nn": ["nn"],
        "objectives": ["objectives"],
        "optim": ["optim"],
        "plot": ["plot"],
        "stats": ["stats"],
        "testing": ["testing"],
        "threads": ["get_num_threads", "set_num_threads"],
        "program": ["program"],
        "torch": ["torch"],
    },
)

__all__ = [
    "Tensor", "__array_api_version__", "__array_namespace_info__", "__version__", "abs", "acos", "acosh", "add",
    "all", "any", "arange", "argmax", "argmin", "argsort", "asarray", "asin", "asinh", "astype", "atan", "atan2",
    "atanh", "autograd", "average", "bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_or",
    "bitwise_right_shift", "bitwise_xor", "bool", "broadcast_arrays", "broadcast_shapes", "broadcast_to",
    "can_cast", "cbrt", "ceil", "checkpoint", "clip", "complex128", "complex64", "concat", "cond", "conj",
    "convolve", "copysign", "corrcoef", "correlate", "cos", "cosh", "count_nonzero", "cov", "cummax", "cummin",
    "cumulative_prod", "cumulative_sum", "data", "detect_anomaly", "diagonal", "diff", "distributed", "divide",
    "dot", "e", "einsum", "empty", "empty_like", "enable_grad", "equal", "errors", "exp", "exp2", "expand_dims",
    "expm1", "eye", "fft", "finfo", "flip", "float32", "float64", "floor", "floor_divide", "from_dlpack", "full",
    "full_like",
    "get_default_dtype", "get_num_threads", "grad", "gradcheck", "gradcheck_report", "gradgradcheck", "graph",
    "greater", "greater_equal", "heaviside", "hessian", "hvp", "hypot", "iinfo", "imag", "inf", "int16", "int32",
    "int64", "int8", "interp", "io", "is_grad_enabled", "isdtype", "isfinite", "isin", "isinf", "isnan", "jacfwd",
    "jacobian", "jacrev", "jit", "jvp", "less", "less_equal", "linalg", "linearize", "linspace", "load", "log",
    "log10", "log1p", "log2", "log_softmax", "logaddexp", "logaddexp2", "logcumsumexp", "logical_and",
    "logical_not", "logical_or", "logical_xor", "logsumexp", "manual_seed", "matmul", "matrix_transpose", "max",
    "maximum", "mean", "median", "meshgrid", "min", "minimum", "moveaxis", "multiply", "nan", "nan_to_num",
    "nanmax", "nanmean", "nanmin", "nansum", "negative", "newaxis", "nextafter", "nn", "no_grad", "nonzero",
    "not_equal", "objectives", "ones", "ones_like", "optim", "outer", "pad", "percentile", "permute_dims", "pi",
    "polyval", "positive", "pow", "primitive", "prod", "program", "progress", "quantile", "random", "real",
    "reciprocal", "remainder", "repeat", "reshape", "result_type", "roll", "round", "save", "scan", "scatter",
    "scatter_add", "scatter_reduce", "searchsorted", "set_default_dtype", "set_num_threads", "sigmoid", "sign",
    "signbit", "sin", "sinc", "sinh", "softmax", "sort", "special", "split", "sqrt", "square", "squeeze", "stack",
    "stack_modules", "stats", "std", "subtract", "sum", "swapaxes", "take", "take_along_axis", "tan", "tanh",
    "tensor", "tensordot", "tile", "topk", "trace", "trapezoid", "tree", "tril", "triu", "trunc", "uint16",
    "uint32", "uint64", "uint8", "unique_all", "unique_counts", "unique_inverse", "unique_values", "unstack",
    "value_and_grad", "var", "vecdot", "vjp", "vmap", "where", "while_loop", "zeros", "zeros_like",
]

keep_freed_memory()  # of the whole process; its docstring says what for, and how to switch it off


def __dir__() -> list[str]:
    return __all__
