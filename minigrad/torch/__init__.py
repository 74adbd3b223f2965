"""PyTorch's words for minigrad: ``import minigrad.torch as torch``, for programs that are written for PyTorch.

A thin namespace over the package: a subclass of Tensor whose methods have PyTorch's names, arguments and results, the
functions, layers, optimizers, data sets and distributions in the same way, and float32 as default dtype, in here alone.
What there is not (other devices, compilation, pickle) is refused by name.
"""

import os
import tempfile
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import enable_grad, is_grad_enabled, no_grad
from minigrad.errors.dialects import not_in_the_dialect
from minigrad.torch import autograd, distributions, fft, func, linalg, nn, optim, selection, utils
from minigrad.torch import creation as _creation
from minigrad.torch.creation import Generator
from minigrad.torch.functions import FUNCTIONS as _FUNCTIONS
from minigrad.torch.linalg import of_arrays as _of_arrays
from minigrad.torch.modes import (
    get_float32_matmul_precision,
    set_default_device,
    set_default_tensor_type,
    set_float32_matmul_precision,
    set_grad_enabled,
    use_deterministic_algorithms,
)
from minigrad.torch.modules import module
from minigrad.torch.tensor import (
    Parameter,
    Size,
    Tensor,
    adopted,
    device,
    get_default_dtype,
    set_default_dtype,
)

# And all functions, which are in the table.
__all__ = [
    "Generator", "Parameter", "Size", "Tensor", "autograd", "device", "distributions", "enable_grad", "fft", "func",
    "get_default_dtype", "get_float32_matmul_precision", "is_grad_enabled", "linalg", "nn", "no_grad", "optim",
    "selection", "set_default_device", "set_default_dtype", "set_default_tensor_type", "set_float32_matmul_precision",
    "set_grad_enabled", "use_deterministic_algorithms", "utils",
]  # fmt: skip
globals().update(_FUNCTIONS)

float16 = half = np.dtype(np.float16)
float32 = float = np.dtype(np.float32)
float64 = double = np.dtype(np.float64)
int8, uint8 = np.dtype(np.int8), np.dtype(np.uint8)
int32 = int = np.dtype(np.int32)
int64 = long = np.dtype(np.int64)
bool = np.dtype(np.bool_)
complex64, complex128 = np.dtype(np.complex64), np.dtype(np.complex128)
int16 = short = np.dtype(np.int16)
dtype = np.dtype
inf, nan, pi, e = np.inf, np.nan, np.pi, np.e
inference_mode, finfo, iinfo = no_grad, np.finfo, np.iinfo
strided, __version__ = "strided", "2.13 (in minigrad)"


def _nothing(*args: Any) -> None:
    """Where there is no GPU there is nothing to do."""


vmap = func.vmap
cuda = module(
    "cuda",
    is_available=lambda: False,
    device_count=lambda: 0,
    **dict.fromkeys(("manual_seed", "manual_seed_all", "empty_cache", "synchronize"), _nothing),
)
backends = module(
    "backends",
    mps=module("backends.mps", is_available=lambda: False),
    cudnn=module("backends.cudnn", benchmark=False, deterministic=True),
)
_SPECIAL = "erf erfc expit logit gammaln digamma xlogy ndtr ndtri log_ndtr i0 i1 entr logsumexp"
special = module(
    "special", **{n: _of_arrays(getattr(mg.special, n)) for n in _SPECIAL.split() if hasattr(mg.special, n)}
)
get_rng_state, set_rng_state = mg.random.get_state, mg.random.set_state
random = module("random", manual_seed=_creation.manual_seed, get_rng_state=get_rng_state, set_rng_state=set_rng_state)


set_num_threads, get_num_threads = mg.set_num_threads, mg.get_num_threads
set_printoptions = np.set_printoptions


def is_tensor(x: Any) -> Any:
    """Whether it is a Tensor."""
    return isinstance(x, mg.Tensor)


def save(obj: Any, f: Any) -> None:
    """Save a state dict, or a tree of Tensors and numbers, in the package's format, under any name."""
    path = os.fspath(f) if not hasattr(f, "write") else f
    if isinstance(path, str) and not path.endswith((".npz", ".safetensors")):
        with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(path))) as folder:
            mg.save(os.path.join(folder, "file.npz"), obj)
            os.replace(os.path.join(folder, "file.npz"), path)
        return
    mg.save(path, obj)


def load(f: Any, map_location: Any = None, weights_only: Any = True) -> Any:
    """Load what `save` has saved; a file of PyTorch's own, which is a pickle, is refused."""
    if hasattr(f, "read"):
        return _adopted_tree(mg.load(f))
    with open(f, "rb") as file:
        return _adopted_tree(mg.load(file))


def _adopted_tree(tree: Any) -> Any:
    leaves, rebuild = mg.tree.flatten(tree)
    return rebuild([adopted(x) if isinstance(x, mg.Tensor | np.ndarray) else x for x in leaves])


def __getattr__(name: str) -> Any:
    raise AttributeError(str(not_in_the_dialect(name, _INSTEAD.get(name, ""))))


_INSTEAD = {
    "amp": "there is no mixed precision",
    "hub": "weights are loaded from files",
    "compile": "minigrad.jit compiles a whole step",
    "jit": "minigrad.jit compiles a whole step",
    "onnx": "it is not exported here",
    "bfloat16": "NumPy has no such dtype: write torch.float32",
    "sparse_coo_tensor": "a constant sparse matrix of SciPy's is multiplied by @",
    "distributed": "write minigrad.distributed, and minigrad.nn.parallel.DistributedDataParallel",
    "multiprocessing": "DataLoader(num_workers=...) has workers",
}
