"""PyTorch's words for minigrad: ``import minigrad.torch as torch``, for programs that are written for PyTorch.

A thin namespace over the package: a subclass of Tensor whose methods have PyTorch's names, arguments and results, the
functions, layers, optimizers, data sets and distributions in the same way, and float32 as default dtype, in here alone.
What there is not (other devices, compilation, pickle) is refused by name.
"""

import functools
import operator
import os
import sys
import tempfile
from types import ModuleType
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import Switch, enable_grad, is_grad_enabled, no_grad
from minigrad.errors.dialects import not_in_the_dialect
from minigrad.torch import creation as _creation
from minigrad.torch import distributions, nn, optim, utils
from minigrad.torch.creation import Generator
from minigrad.torch.custom import Function as _Function
from minigrad.torch.functions import FUNCTIONS as _FUNCTIONS
from minigrad.torch.functions import tensor_of as _tensor_of
from minigrad.torch.memory import require_constants
from minigrad.torch.tensor import (
    Parameter,
    Size,
    Tensor,
    adopted,
    device,
    get_default_dtype,
    heard,
    plain,
    set_default_dtype,
)

# And all functions, which are in the table.
__all__ = [
    "Generator", "Parameter", "Size", "Tensor", "device", "distributions", "enable_grad", "get_default_dtype",
    "is_grad_enabled", "nn", "no_grad", "optim", "set_default_dtype", "utils",
]  # fmt: skip
globals().update(_FUNCTIONS)

float16 = half = np.dtype(np.float16)
float32 = float = np.dtype(np.float32)
float64 = double = np.dtype(np.float64)
int8, int16, uint8 = np.dtype(np.int8), np.dtype(np.int16), np.dtype(np.uint8)
int32 = int = np.dtype(np.int32)
int64 = long = np.dtype(np.int64)
bool = np.dtype(np.bool_)
complex64, complex128 = np.dtype(np.complex64), np.dtype(np.complex128)
inf, nan, pi, e = np.inf, np.nan, np.pi, np.e
inference_mode, finfo, iinfo = no_grad, np.finfo, np.iinfo
strided, __version__ = "strided", "2.13 (in minigrad)"


_switched: list[Any] = []


class set_grad_enabled(Switch):  # PyTorch's name
    """Switch recording on or off: from now on, or in a block, or in a function that it decorates."""

    setting = "grad"

    def __init__(self, mode: Any) -> None:
        self.value = mode is not False and mode != 0
        super().__enter__()
        self._is_entered = True
        _switched.append(self)  # a switch that nobody holds would be taken for one that was given up

    def __enter__(self) -> Any:
        if self._is_entered:
            self._is_entered = False
            return self.value
        return super().__enter__()

    def __exit__(self, *exception: Any) -> None:
        super().__exit__(*exception)
        if self in _switched:
            _switched.remove(self)

    def __call__(self, function: Any) -> Any:
        """Decorate a function; outside of it nothing changes."""
        self.__exit__()
        wanted = self.value

        @functools.wraps(function)
        def switched(*args: Any, **kwargs: Any) -> Any:
            with set_grad_enabled(wanted):
                return function(*args, **kwargs)

        return switched


def _spoken(f: Any, *of: Any, **how: Any) -> Any:
    """What a transform makes of a function of the dialect: a function that gives its Tensors, too."""
    function, *options = of
    made = f(heard(function), *options, **how)
    return lambda *args, **kwargs: adopted(made(*args, **kwargs))


def _grad(*args: Any, **kwargs: Any) -> Any:
    require_constants(args[0] if isinstance(args[0], (tuple, list)) else [args[0]])
    known = {k: plain(v) for k, v in kwargs.items() if k not in ("only_inputs", "is_grads_batched")}
    return adopted(mg.autograd.grad(*plain(args), **known))


def _backward(tensors: Any, grad_tensors: Any = None, **how: Any) -> None:
    several = tensors if isinstance(tensors, (tuple, list)) else [tensors]
    weights = grad_tensors if isinstance(grad_tensors, (tuple, list)) else [grad_tensors] * len(several)
    parts = [x if g is None else (x * g).sum() for x, g in zip(several, weights, strict=True)]
    functools.reduce(operator.add, parts).backward(**how)


def _functional_call(module: Any, parameters: Any, args: Any = (), kwargs: Any = None, **_: Any) -> Any:
    given = args if isinstance(args, tuple) else (args,)
    return adopted(mg.nn.functional_call(module, parameters, *given, **(kwargs or {})))


def _vmap(f: Any, in_dims: Any = 0, out_dims: Any = 0, randomness: Any = "error", chunk_size: Any = None) -> Any:
    return _spoken(mg.vmap, f, in_dims, out_dims, random=randomness, chunk_size=chunk_size)


def _of_arrays(f: Any) -> Any:
    """A function of arrays and options, with PyTorch's words for axes."""

    def call(*args: Any, **how: Any) -> Any:
        words = {"dim": "axis", "keepdim": "keepdims"}
        arrays = [_tensor_of(x) if hasattr(x, "dtype") else x for x in args]
        return adopted(f(*arrays, **{words.get(k, k): plain(v) for k, v in how.items()}))

    return call


def _nothing(*args: Any) -> None:
    """Where there is no GPU there is nothing to do."""


def _module(name: str, **members: Any) -> ModuleType:
    """A module of PyTorch's, which import lines may name."""
    made = sys.modules[f"{__name__}.{name}"] = ModuleType(f"{__name__}.{name}")
    vars(made).update(members)
    return made


def _variable(data: Any, requires_grad: Any = False) -> Any:
    return data.requires_grad_() if requires_grad else data


autograd = _module(
    "autograd",
    Function=_Function,
    Variable=_variable,
    grad=_grad,
    backward=_backward,
    detect_anomaly=mg.detect_anomaly,
    functional=_module(
        "autograd.functional",
        jacobian=lambda f, x: _spoken(mg.jacobian, f)(x),
        hessian=lambda f, x: _spoken(mg.hessian, f)(x),
        hvp=lambda f, x, v: (adopted(f(x)), adopted(mg.hvp(heard(f), x, v))),
    ),
)
func = _module(
    "func",
    vmap=_vmap,
    functional_call=_functional_call,
    grad=lambda f, argnums=0: _spoken(mg.grad, f, argnums),
    jacrev=lambda f, argnums=0: _spoken(mg.jacrev, f, argnums),
    jacfwd=lambda f, argnums=0: _spoken(mg.jacfwd, f, argnums),
    hessian=lambda f, argnums=0: _spoken(mg.hessian, f, argnums),
)
vmap = _vmap
cuda = _module(
    "cuda",
    is_available=lambda: False,
    device_count=lambda: 0,
    **dict.fromkeys(("manual_seed", "manual_seed_all", "empty_cache", "synchronize"), _nothing),
)
backends = _module(
    "backends",
    mps=_module("backends.mps", is_available=lambda: False),
    cudnn=_module("backends.cudnn", benchmark=False, deterministic=True),
)
_LINALG = (
    "inv det slogdet solve cholesky eigh eigvalsh qr svd svdvals pinv norm vector_norm matrix_norm matrix_power "
    "matrix_rank"
)
_SPECIAL = "erf erfc expit logit gammaln digamma xlogy ndtr ndtri log_ndtr i0 i1 entr logsumexp"
linalg = _module("linalg", **{name: _of_arrays(getattr(mg.linalg, name)) for name in _LINALG.split()})
special = _module(
    "special", **{n: _of_arrays(getattr(mg.special, n)) for n in _SPECIAL.split() if hasattr(mg.special, n)}
)
random = _module("random", manual_seed=_creation.manual_seed)


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
    "fft": "write minigrad.fft",
    "sparse_coo_tensor": "a constant sparse matrix of SciPy's is multiplied by @",
    "distributed": "there is one process",
    "multiprocessing": "DataLoader(num_workers=...) has workers",
}
