"""PyTorch's functions, and the methods that are the same: what it calls, counts or returns in another way."""

from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import interpreter, unwrap
from minigrad.nn import functional as F  # noqa: N812  # as PyTorch's users write it
from minigrad.torch.tensor import (
    OurTensor,
    Tensor,
    adopted,
    get_default_dtype,
    in_place,
    lengths,
    made,
    plain,
    promoted,
    require_cpu,
)
from minigrad.views import note_view

FUNCTIONS: dict[str, Any] = {}
METHODS: dict[str, Any] = {}
PAIRS: dict[str, Any] = {
    name: namedtuple(name, ["values", "indices"])  # PyTorch's results have these names
    for name in ("max", "min", "median", "sort", "topk", "cummax", "cummin", "mode", "kthvalue")
}


def tensor_of(x: Any) -> Any:
    """A Tensor of the dialect, an array or a number as one of the package's Tensors."""
    return plain(x if isinstance(x, OurTensor) else made(x))


def function(f: Callable[..., Any], *names: str, method: bool = True) -> Callable[..., Any]:
    """Register a function under its name, or others, and as a method of its first argument."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if "input" in kwargs:
            args = (kwargs.pop("input"), *args)
        out = kwargs.pop("out", None)
        with np.errstate(all="ignore"):
            result = adopted(f(*plain(args), **plain(kwargs)))
        return result if out is None else out.written(result)

    for name in names or (f.__name__.rstrip("_"),):
        FUNCTIONS[name] = call
        if method:
            METHODS[name] = call
            setattr(Tensor, name, call)
    return f


def alias(ours: Any, *names: str) -> None:
    """A function of the package's with PyTorch's words for axes."""

    def f(*args: Any, **kwargs: Any) -> Any:
        kwargs = {{"dim": "axis", "keepdim": "keepdims", "dims": "axis"}.get(k, k): v for k, v in kwargs.items()}
        return ours(tensor_of(args[0]), *args[1:], **kwargs)

    function(f, *names)


def with_promotion(ours: Any, *names: str) -> None:
    """A function of several operands, of which integers take the dtype of floats."""
    function(lambda *operands: ours(*promoted(*map(_operand, operands))), *names)


def _operand(x: Any) -> Any:
    return x if isinstance(x, OurTensor | int | float | complex) else tensor_of(x)


# Elements

for _name in [
    "exp",
    "expm1",
    "log",
    "log2",
    "log10",
    "log1p",
    "sqrt",
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "sigmoid",
    "floor",
    "ceil",
    "trunc",
    "sign",
    "square",
    "reciprocal",
    "isnan",
    "isinf",
    "isfinite",
    "real",
    "imag",
    "conj",
    "signbit",
]:
    alias(getattr(mg, _name), _name)
for _name, _ours in {
    "abs": mg.abs, "absolute": mg.abs, "neg": mg.negative, "asin": mg.asin, "acos": mg.acos, "atan": mg.atan,
    "arctan": mg.atan,
    "asinh": mg.asinh, "acosh": mg.acosh, "atanh": mg.atanh, "relu": F.relu, "erf": mg.special.erf,
    "erfc": mg.special.erfc,
    "lgamma": mg.special.gammaln, "digamma": mg.special.digamma, "logit": mg.special.logit,
    "logical_not": mg.logical_not,
    "bitwise_not": mg.bitwise_invert, "round": mg.round, "deg2rad": np.deg2rad, "erfinv": mg.special.erfinv,
}.items():  # fmt: skip
    alias(_ours, _name)
for _name, _ours in {
    "mul": mg.multiply, "multiply": mg.multiply, "pow": mg.pow, "maximum": mg.maximum, "minimum": mg.minimum,
    "atan2": mg.atan2, "fmod": np.fmod, "remainder": mg.remainder, "logaddexp": mg.logaddexp, "hypot": mg.hypot,
    "eq": mg.equal,
    "ne": mg.not_equal, "lt": mg.less, "le": mg.less_equal, "gt": mg.greater, "ge": mg.greater_equal,
    "logical_and": mg.logical_and,
    "logical_or": mg.logical_or, "logical_xor": mg.logical_xor, "xlogy": mg.special.xlogy, "copysign": mg.copysign,
    "floor_divide": mg.floor_divide, "heaviside": mg.heaviside, "true_divide": lambda a, b: tensor_of(a) / b,
    "matmul": mg.matmul,
    "mm": mg.matmul, "bmm": mg.matmul, "mv": mg.matmul, "dot": mg.matmul, "outer": mg.outer, "inner": np.inner,
    "kron": mg.linalg.kron,
}.items():  # fmt: skip
    with_promotion(_ours, _name)


@function
def add(x: Any, y: Any, *, alpha: Any = 1) -> Any:
    x, y = promoted(tensor_of(x), y)
    return x + (y if alpha == 1 else alpha * y)


@function
def sub(x: Any, y: Any, *, alpha: Any = 1) -> Any:
    x, y = promoted(tensor_of(x), y)
    return x - (y if alpha == 1 else alpha * y)


@function
def div(x: Any, y: Any, *, rounding_mode: str | None = None) -> Any:
    x, y = promoted(tensor_of(x), y)
    if rounding_mode is None and x.dtype.kind in "biu":
        x = mg.astype(x, get_default_dtype())
    quotient = x / y
    return quotient if rounding_mode is None else {"floor": mg.floor, "trunc": mg.trunc}[rounding_mode](quotient)


function(sub, "subtract")
function(div, "divide")
function(lambda x: 1 / mg.sqrt(x), "rsqrt")
function(lambda x, min=None, max=None: tensor_of(x).clip(_number(min), _number(max)), "clamp", "clip")
function(lambda x, min: tensor_of(x).clip(_number(min), None), "clamp_min")
function(lambda x, max: tensor_of(x).clip(None, _number(max)), "clamp_max")
function(lambda c, x=None, y=None: _where(c, x, y), "where", method=False)
METHODS["where"] = lambda self, c, other: adopted(_where(plain(c), plain(self), plain(other)))
function(lambda x, m, v: mg.where(m, v, x), "masked_fill")
function(lambda x, end, weight: x + weight * (end - x), "lerp")
function(lambda x, a, b, value=1: x + value * a * b, "addcmul")
function(lambda x, a, b, value=1: x + value * a / b, "addcdiv")
function(lambda x, a, b, beta=1, alpha=1: beta * x + alpha * (a @ b), "addmm", "baddbmm", "addmv")
function(
    lambda x, nan=0.0, posinf=None, neginf=None: mg.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf), "nan_to_num"
)


def _number(x: Any) -> Any:
    return x.item() if isinstance(x, OurTensor) and x.ndim == 0 and x.node is None else x


def _where(condition: Any, x: Any, y: Any) -> Any:
    if x is None:
        return mg.nonzero(tensor_of(condition))
    x, y = promoted(
        *(
            a if hasattr(a, "dtype") else np.asarray(a, get_default_dtype() if isinstance(a, float) else None)[()]
            for a in (x, y)
        )
    )
    return mg.where(tensor_of(condition), x, y)


# Reductions


def _reduction(ours: Callable[..., Any]) -> Callable[..., Any]:
    def f(x: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, **other: Any) -> Any:
        x = tensor_of(x) if dtype is None else mg.astype(tensor_of(x), dtype)
        return ours(x, axis=tuple(dim) if isinstance(dim, list) else dim, keepdims=keepdim, **other)

    return f


for _name, _ours in {
    "sum": mg.sum, "mean": mg.mean, "prod": mg.prod, "amax": mg.max, "amin": mg.min, "argmax": mg.argmax,
    "argmin": mg.argmin,
    "all": mg.all, "any": mg.any, "logsumexp": mg.logsumexp, "nansum": mg.nansum, "nanmean": mg.nanmean,
    "count_nonzero": mg.count_nonzero,
}.items():  # fmt: skip
    function(_reduction(_ours), _name)


def _spread(ours: Callable[..., Any]) -> Callable[..., Any]:
    """With n - 1, as PyTorch counts."""

    def f(
        x: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *, correction: float | None = None
    ) -> Any:
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        return ours(x, axis=dim, correction=float(unbiased) if correction is None else correction, keepdims=keepdim)

    return f


def _with_mean(spread: Callable[..., Any]) -> Callable[..., Any]:
    def f(x: Any, dim: Any = None, keepdim: bool = False, **how: Any) -> Any:
        return spread(x, dim, keepdim=keepdim, **how), mg.mean(x, axis=dim, keepdims=keepdim)

    return f


for _name, _ours in {"std": mg.std, "var": mg.var}.items():
    function(_spread(_ours), _name)
    function(_with_mean(_spread(_ours)), f"{_name}_mean")


def _extreme(name: str, ours: Callable[..., Any], places: Callable[..., Any], both: Callable[..., Any]) -> None:
    def f(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
        if dim is None:
            return ours(tensor_of(x))
        if isinstance(dim, OurTensor):
            return both(*promoted(x, dim))
        # The whole gradient goes to the place that is returned, also where others are equal.
        return picked(name, x, places(x, axis=dim, keepdims=True), dim, keepdim)

    function(f, name)


_extreme("max", mg.max, mg.argmax, mg.maximum)
_extreme("min", mg.min, mg.argmin, mg.minimum)


def picked(name: str, x: Any, places: Any, dim: int, keepdim: bool) -> Any:
    """The element at one place of each row, and the place."""
    found = mg.take_along_axis(x, places, axis=dim), places
    return PAIRS[name](*(y if keepdim else mg.squeeze(y, dim) for y in found))


@function
def median(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The lower of the two in the middle, or NaN if there is one, as in PyTorch."""
    if dim is None:
        flat = x.reshape(-1)
        value = median(flat, 0).values.array
        chosen = np.isnan(flat.array) if value != value else flat.array == value
        # Equal ones share the gradient.
        return value + mg.mean(flat[chosen] - value) if x.dtype.kind == "f" else value
    length = x.shape[dim] if x.ndim else 1
    middle = mg.take(mg.argsort(x, axis=dim), np.array([(length - 1) // 2]), axis=dim)
    lost = np.isnan(x.array)
    places = np.where(lost.any(axis=dim, keepdims=True), lost.argmax(axis=dim, keepdims=True), middle)
    return picked("median", x, places, dim, keepdim)


@function
def norm(x: Any, p: Any = 2, dim: Any = None, keepdim: bool = False) -> Any:
    order = 2 if p == "fro" else p
    return mg.linalg.vector_norm(x, axis=tuple(dim) if isinstance(dim, list) else dim, keepdims=keepdim, ord=order)


@function
def sort(x: Any, dim: int = -1, descending: bool = False, stable: bool = True) -> Any:
    places = mg.argsort(x, axis=dim, descending=descending)
    return PAIRS["sort"](mg.take_along_axis(x, places, axis=dim), places)


@function
def topk(x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    return PAIRS["topk"](*mg.topk(x, k, axis=dim, largest=largest, sorted=sorted))


for _name, _ours in {
    "cumsum": mg.cumulative_sum, "cumprod": mg.cumulative_prod, "logcumsumexp": mg.logcumsumexp, "softmax": mg.softmax,
    "log_softmax": mg.log_softmax, "argsort": mg.argsort, "diff": mg.diff,
}.items():  # fmt: skip
    alias(_ours, _name)

# Shapes


function(lambda arrays, dim=0: mg.concat(_of_one_dtype(arrays), axis=dim), "cat", "concat", "concatenate", method=False)
function(lambda arrays, dim=0: mg.stack(_of_one_dtype(arrays), axis=dim), "stack", method=False)
function(lambda arrays: mg.concat(_of_one_dtype(arrays), axis=0 if arrays[0].ndim == 1 else 1), "hstack", method=False)
function(
    lambda arrays: mg.concat([x if x.ndim > 1 else x[None] for x in _of_one_dtype(arrays)], axis=0),
    "vstack",
    method=False,
)
function(lambda x, *shape: x.reshape(*lengths(shape)) if lengths(shape) else x.reshape(()), "reshape", "view")
function(lambda x, y: x.reshape(y.shape), "view_as", "reshape_as")
function(lambda x, *axes: mg.permute_dims(x, tuple(axis % x.ndim for axis in lengths(axes))), "permute")
function(lambda x, i, j: mg.swapaxes(x, i, j), "transpose", "swapaxes", "swapdims")
function(lambda x: x if x.ndim < 2 else x.T, "t")
function(lambda x, dim: mg.expand_dims(x, axis=dim), "unsqueeze")
function(lambda x, dim=None: _squeezed(x, dim), "squeeze")
function(lambda x, *shape: mg.broadcast_to(x, _expanded(x, lengths(shape))), "expand")
function(lambda x, y: mg.broadcast_to(x, y.shape), "expand_as")
function(lambda x, shape: mg.broadcast_to(x, tuple(shape)), "broadcast_to")
function(lambda x, *counts: mg.tile(x, lengths(counts)), "repeat", "tile")
function(lambda x, n, dim=None: mg.repeat(x, unwrap(n), axis=dim), "repeat_interleave")
function(lambda x, *axes, dims=(): mg.flip(x, axis=lengths(axes or dims)), "flip")
function(lambda x: mg.flip(x, axis=1), "fliplr")
function(lambda x, shifts, dims=None: mg.roll(x, shifts, axis=dims), "roll")
function(lambda x, diagonal=0: mg.tril(x, k=diagonal), "tril")
function(lambda x, diagonal=0: mg.triu(x, k=diagonal), "triu")
function(lambda x, diagonal=0: np.diag(x, diagonal), "diag")
function(lambda x, offset=0, dim1=0, dim2=1: _diagonal(x, offset, dim1, dim2), "diagonal")
function(lambda x, dim=0: mg.unstack(x, axis=dim), "unbind")
function(lambda x, i, j: mg.moveaxis(x, i, j), "movedim", "moveaxis")
function(lambda x, dim, start, length: x[(slice(None),) * (dim % x.ndim) + (slice(start, start + length),)], "narrow")
function(lambda x, dim, index: x[(slice(None),) * (dim % x.ndim) + (index,)], "select", "index_select")
function(lambda x, mask: mg.broadcast_to(x, np.broadcast_shapes(x.shape, mask.shape))[mask], "masked_select")
function(lambda x, index: x.reshape(-1)[index], "take")
function(lambda x, dim, index: _gathered(x, dim, index), "gather")
function(lambda x, index, dim=None: mg.take_along_axis(x, index, axis=dim), "take_along_dim")
function(lambda x, dim, index, src: _scattered(x, dim, index, src), "scatter")
function(lambda x, dim, index, src: mg.scatter_add(x, index, src, axis=dim), "scatter_add")
function(
    lambda *arrays, indexing="ij": mg.meshgrid(*map(tensor_of, arrays), indexing=indexing), "meshgrid", method=False
)
function(
    lambda text, *arrays: mg.einsum(text, *(arrays[0] if isinstance(arrays[0], list | tuple) else arrays)),
    "einsum",
    method=False,
)
function(lambda x, as_tuple=False: mg.nonzero(x) if as_tuple else mg.stack(mg.nonzero(x), axis=-1), "nonzero")
function(lambda x: mg.stack(mg.nonzero(x), axis=-1), "argwhere")
function(lambda x, y, dims=2: mg.tensordot(x, y, axes=dims), "tensordot", method=False)
function(lambda x, b, right=False: mg.searchsorted(b, x, side="right" if right else "left"), "bucketize")
function(
    lambda a, x, right=False: mg.searchsorted(a, x, side="right" if right else "left"), "searchsorted", method=False
)
function(lambda x: mg.trace(x), "trace")
function(lambda x, bins=None, minlength=0: np.bincount(x, bins, minlength), "bincount")
function(lambda x, y, p=2.0: mg.linalg.norm(mg.expand_dims(x, axis=-2) - mg.expand_dims(y, axis=-3), p, -1), "cdist")
function(lambda x: mg.linalg.inv(x), "inverse")


@function
def quantile(x: Any, q: Any, dim: Any = None, keepdim: bool = False, *, interpolation: str = "linear") -> Any:
    return mg.quantile(x, q, axis=dim, keepdims=keepdim, method=interpolation)


@function
def unique(x: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False) -> Any:
    how: dict[str, Any] = {"return_inverse": return_inverse, "return_counts": return_counts}
    found: Any = np.unique(x, **how)
    return found if return_inverse or return_counts else mg.unique_values(x)


@function
def index_add(x: Any, dim: int, index: Any, source: Any, *, alpha: float = 1.0) -> Any:
    places = mg.reshape(index, tuple(-1 if i == dim % x.ndim else 1 for i in range(x.ndim)))
    return mg.scatter_add(x, mg.broadcast_to(places, source.shape), source * alpha, axis=dim)


@function
def index_fill(x: Any, dim: int, index: Any, value: Any) -> Any:
    chosen = np.isin(np.arange(x.shape[dim]), unwrap(index) % x.shape[dim])
    return mg.where(chosen.reshape([-1 if i == dim % x.ndim else 1 for i in range(x.ndim)]), value, x)


def _of_one_dtype(arrays: Sequence[Any]) -> list[Any]:
    return promoted(*map(tensor_of, arrays))


def _diagonal(x: Any, offset: int, dim1: int, dim2: int) -> Any:
    """A view of a constant or a result, so that writes to it are known; of a leaf in a graph a copy."""
    result = mg.diagonal(tensor_of(x), offset, dim1, dim2)
    if interpreter() is None and isinstance(x.array, np.ndarray) and (result.node is None or not x.is_leaf):
        result.array = np.diagonal(x.array, offset, dim1, dim2)
        result.array.flags.writeable = x.array.flags.writeable
        note_view(result, x)
    return result


def _squeezed(x: Any, dim: Any) -> Any:
    axes = range(x.ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
    return mg.squeeze(x, tuple(i for i in axes if x.shape[i] == 1))


def _expanded(x: Any, shape: Sequence[int]) -> tuple[int, ...]:
    own = (1,) * (len(shape) - x.ndim) + tuple(x.shape)
    return tuple(m if n == -1 else n for n, m in zip(shape, own, strict=True))


def _gathered(x: Any, dim: int, index: Any) -> Any:
    part = tuple(slice(None) if i == dim % x.ndim else slice(n) for i, n in enumerate(index.shape))
    return mg.take_along_axis(x[part], index, axis=dim)


def _scattered(x: Any, dim: int, index: Any, src: Any) -> Any:
    src = src if isinstance(src, OurTensor) else mg.full_like(x, src)[tuple(map(slice, index.shape))]
    return mg.scatter(x, index, src, axis=dim)


@function
def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    first, last = start_dim % max(x.ndim, 1), end_dim % max(x.ndim, 1)
    return x.reshape((*x.shape[:first], int(np.prod(x.shape[first : last + 1])), *x.shape[last + 1 :]))


@function
def unflatten(x: Any, dim: int, sizes: Sequence[int]) -> Any:
    dim = dim % x.ndim
    return x.reshape((*x.shape[:dim], *sizes, *x.shape[dim + 1 :]))


@function
def split(x: Any, size: Any, dim: int = 0) -> Any:
    length = x.shape[dim]
    sizes = size if not isinstance(size, int) else [min(size, length - i) for i in range(0, length, size)]
    return tuple(mg.split(x, np.cumsum(sizes)[:-1].tolist(), axis=dim))


@function
def chunk(x: Any, chunks: int, dim: int = 0) -> Any:
    return split(x, -(-x.shape[dim] // chunks), dim)


# Comparisons


@function
def allclose(x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    return bool(np.allclose(unwrap(x), unwrap(y), rtol=rtol, atol=atol, equal_nan=equal_nan))


@function
def equal(x: Any, y: Any) -> bool:
    return bool(np.array_equal(unwrap(x), unwrap(y)))


function(lambda x, y, rtol=1e-5, atol=1e-8: mg.abs(x - y) <= atol + rtol * mg.abs(y), "isclose")
function(lambda x: int(np.size(unwrap(x))), "numel", "nelement")
function(lambda x: x.ndim, "dim", "ndimension")
function(lambda x: mg.asarray(x, copy=True) if x.node is None else mg.positive(x), "clone")
function(lambda x: x.dtype.itemsize, "element_size")
function(lambda x: x.dtype.kind == "f", "is_floating_point")
function(lambda x: x.dtype.kind == "c", "is_complex")
function(lambda x: True, "is_contiguous")
for _name, _dtype in {
    "float": np.float32, "double": np.float64, "half": np.float16, "long": np.int64, "int": np.int32,
    "short": np.int16, "bool": np.bool_,
    "byte": np.uint8,
}.items():  # fmt: skip
    METHODS[_name] = lambda self, dtype=_dtype: self.to(dtype)

METHODS["cuda"] = lambda self, device="cuda": require_cpu(device if isinstance(device, str) else f"cuda:{device}")
for _name in ("contiguous", "cpu", "pin_memory"):
    METHODS[_name] = lambda self: self

# Methods that write in place

for _name in [
    "add",
    "sub",
    "mul",
    "div",
    "pow",
    "neg",
    "exp",
    "log",
    "sqrt",
    "abs",
    "clamp",
    "clamp_min",
    "clamp_max",
    "sigmoid",
    "tanh",
    "relu",
    "masked_fill",
    "index_add",
    "index_fill",
    "scatter",
    "scatter_add",
    "lerp",
    "addcmul",
    "addcdiv",
    "floor",
    "ceil",
    "round",
    "reciprocal",
    "rsqrt",
    "square",
    "sin",
    "cos",
]:
    METHODS[f"{_name}_"] = in_place(f"{_name}_", METHODS[_name])
METHODS["copy_"] = in_place("copy_", lambda self, x: mg.broadcast_to(mg.astype(tensor_of(x), self.dtype), self.shape))
METHODS["fill_"] = in_place("fill_", lambda self, v: np.full_like(self.array, unwrap(v)))
METHODS["zero_"] = in_place("zero_", lambda self: np.zeros_like(self.array))


def _detached_in_place(self: Any) -> Any:
    self.node = None
    return self


METHODS["detach_"] = _detached_in_place


for _name, _method in METHODS.items():
    setattr(Tensor, _name, _method)
