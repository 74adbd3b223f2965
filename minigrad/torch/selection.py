"""PyTorch's functions that pick, order and write by index, and those of complex numbers and of whole samples."""

import math
from collections import namedtuple
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import unwrap
from minigrad.torch.functions import FUNCTIONS, PAIRS, alias, function, picked, with_promotion
from minigrad.torch.tensor import Size, Tensor, in_place, promoted

# By an index


@function
def kthvalue(x: Any, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    return picked("kthvalue", x, mg.take(mg.argsort(x, axis=dim), np.array([k - 1]), axis=dim), dim, keepdim)


@function
def scatter_reduce(x: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Any:
    used = src[tuple(map(slice, index.shape))]
    return mg.scatter_reduce(x, index, used, reduce, axis=dim, include_self=include_self)


@function
def index_put(x: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    places = np.arange(x.array.size).reshape(x.shape)[tuple(map(unwrap, indices))]
    values = mg.reshape(mg.broadcast_to(mg.astype(values, x.dtype), places.shape), -1)
    write = mg.scatter_add if accumulate else mg.scatter
    return mg.reshape(write(mg.reshape(x, -1), places.reshape(-1), values, axis=0), x.shape)


@function
def diag_embed(x: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    count = x.shape[-1]
    whole = mg.zeros((*x.shape[:-1], *[count + abs(offset)] * 2), dtype=x.dtype)
    rows = np.arange(count)
    whole[..., rows + max(-offset, 0), rows + max(offset, 0)] = x
    return mg.moveaxis(whole, (-2, -1), (dim1, dim2))


@function
def unfold(x: Any, dimension: int, size: int, step: int) -> Any:
    starts = np.arange(0, x.shape[dimension] - size + 1, step)
    windows = mg.take(mg.moveaxis(x, dimension, -1), starts[:, None] + np.arange(size), axis=-1)
    return mg.moveaxis(windows, -2, dimension if dimension >= 0 else dimension - 1)


def _filled_diagonal(self: Any, value: Any, wrap: bool = False) -> Any:
    mask = np.zeros(self.shape, bool)
    np.fill_diagonal(mask, True, wrap)
    return FUNCTIONS["masked_fill"](self, mask, value)


def _running(name: str, ours: Any) -> None:
    function(lambda x, dim: PAIRS[name](*ours(x, axis=dim)), name)


_running("cummax", mg.cummax)
_running("cummin", mg.cummin)
Tensor.unfold = FUNCTIONS.pop("unfold")  # type: ignore[attr-defined]  # PyTorch has the method alone
Tensor.fill_diagonal_ = in_place("fill_diagonal_", _filled_diagonal)  # type: ignore[attr-defined]
for _name in ("index_put", "scatter_reduce"):
    setattr(Tensor, f"{_name}_", in_place(f"{_name}_", FUNCTIONS[_name]))
function(lambda row, col, offset=0: np.stack(np.tril_indices(row, offset, col)), "tril_indices", method=False)
function(lambda row, col, offset=0: np.stack(np.triu_indices(row, offset, col)), "triu_indices", method=False)
function(lambda x, among, invert=False: mg.isin(x, among, invert=invert), "isin", method=False)
function(lambda *arrays: mg.broadcast_arrays(*arrays), "broadcast_tensors", method=False)
FUNCTIONS["broadcast_shapes"] = lambda *shapes: Size(np.broadcast_shapes(*shapes))

# Elements

function(lambda x: x - mg.trunc(x), "frac")
for _name in ("exp2", "sinc", "positive"):
    alias(getattr(mg, _name), _name)
for _name, _of in {
    "sgn": "sign", "negative": "neg", "fix": "trunc", "arcsin": "asin", "arccos": "acos", "arcsinh": "asinh",
    "arccosh": "acosh", "arctanh": "atanh", "arctan2": "atan2", "greater": "gt", "greater_equal": "ge", "less": "lt",
    "less_equal": "le", "not_equal": "ne", "ger": "outer",
}.items():  # fmt: skip
    FUNCTIONS[_name] = FUNCTIONS[_of]
    setattr(Tensor, _name, FUNCTIONS[_of])
for _name, _ours in {
    "bitwise_and": mg.bitwise_and, "bitwise_or": mg.bitwise_or, "bitwise_xor": mg.bitwise_xor,
    "bitwise_left_shift": mg.bitwise_left_shift, "bitwise_right_shift": mg.bitwise_right_shift,
    "logaddexp2": mg.logaddexp2,
}.items():  # fmt: skip
    with_promotion(_ours, _name)
_IN_PLACE = (
    "acos acosh asin asinh atan atan2 atanh copysign cosh cumprod cumsum digamma divide erf erfc erfinv exp2 expm1 fix "
    "floor_divide fmod frac hypot lgamma log10 log1p log2 logit multiply nan_to_num negative remainder sgn sign sinh "
    "subtract tan tril triu trunc xlogy"
)
for _name in _IN_PLACE.split():
    setattr(Tensor, f"{_name}_", in_place(f"{_name}_", FUNCTIONS[_name]))
function(lambda x, y, p=2: mg.linalg.vector_norm(x - y, ord=p), "dist")
function(lambda x: x.reshape(-1), "ravel")
function(lambda x: mg.flip(x, axis=0), "flipud")

function(lambda x, k=1, dims=(0, 1): np.rot90(x, k, tuple(dims)), "rot90")
function(lambda x: mg.sort(x, axis=0), "msort")
function(lambda x, n: mg.special.polygamma(n, x), "polygamma")
function(lambda n, x: mg.special.polygamma(n, x), "polygamma", method=False)
function(lambda arrays: np.column_stack(arrays), "column_stack", method=False)
function(lambda arrays: np.dstack(arrays), "dstack", method=False)
_Extremes = namedtuple("_Extremes", ["min", "max"])


@function
def aminmax(x: Any, *, dim: int | None = None, keepdim: bool = False) -> Any:
    return _Extremes(*(f(x, axis=dim, keepdims=keepdim) for f in (mg.min, mg.max)))


# In memory

Tensor.stride = lambda self: tuple(n // self.array.itemsize for n in self.array.strides)  # type: ignore[attr-defined]
for _name, _get in {
    "itemsize": lambda self: self.array.itemsize, "nbytes": lambda self: self.array.nbytes, "is_cpu": lambda self: True,
    "mH": lambda self: self.conj().mT, "H": lambda self: self.conj().mT,
}.items():  # fmt: skip
    setattr(Tensor, _name, property(_get))

# Complex numbers

function(lambda real, imag: _complex(*promoted(real, imag)), "complex", method=False)
function(lambda r, angle: _complex(r * mg.cos(angle), r * mg.sin(angle)), "polar", method=False)
function(lambda x: _complex(x[..., 0], x[..., 1]), "view_as_complex", method=False)
function(lambda z: mg.stack([mg.real(z), mg.imag(z)], axis=-1), "view_as_real", method=False)
for _name in ("real", "imag"):  # attributes, unlike the functions
    setattr(Tensor, _name, property(FUNCTIONS[_name]))


@function
def angle(z: Any) -> Any:
    return mg.atan2(mg.imag(z), mg.real(z)) if z.dtype.kind == "c" else mg.where(z < 0, math.pi, 0 * z)


def _complex(real: Any, imag: Any) -> Any:
    return real + 1j * imag


# Whole samples


@function
def cov(x: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    return mg.astype(mg.cov(x, ddof=correction, fweights=fweights, aweights=aweights), x.dtype)


function(lambda x: mg.astype(mg.corrcoef(x), x.dtype), "corrcoef")
function(lambda y, x=None, *, dx=1.0, dim=-1: mg.trapezoid(y, x, dx, axis=dim), "trapezoid", "trapz", method=False)
