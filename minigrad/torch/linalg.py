"""`torch.linalg`, and the functions of matrices that have names of their own."""

from typing import Any

import numpy as np

import minigrad as mg
from minigrad.errors.dialects import not_in_the_dialect
from minigrad.torch.functions import function, tensor_of
from minigrad.torch.tensor import adopted, plain

_WORDS = {"dim": "axis", "keepdim": "keepdims"}
# What a function takes behind its arrays, in PyTorch's order.
_OPTIONS = {
    "vector_norm": ("ord", "axis", "keepdims"), "matrix_norm": ("ord",), "svd": ("full_matrices",), "qr": ("mode",),
}  # fmt: skip


def of_arrays(f: Any, *options: str) -> Any:
    """A function of arrays and options, with PyTorch's words for axes."""

    def call(*args: Any, **how: Any) -> Any:
        if options:
            args, how = args[:1], {**how, **dict(zip(options, args[1:], strict=False))}
        arrays = [tensor_of(x) if hasattr(x, "dtype") else plain(x) for x in args]
        return adopted(f(*arrays, **{_WORDS.get(k, k): plain(v) for k, v in how.items()}))

    return call


_NAMES = (
    "cholesky cond cross det eigh eigvalsh inv matrix_norm matrix_power matrix_rank multi_dot norm pinv qr slogdet "
    "solve svd svdvals tensorinv tensorsolve vecdot vector_norm"
)
globals().update({x: of_arrays(getattr(mg.linalg, x), *_OPTIONS.get(x, ())) for x in _NAMES.split()})
matrix_exp = of_arrays(mg.linalg.expm)
lstsq = of_arrays(lambda a, b, rcond=None, driver=None: mg.linalg.lstsq(a, b, rcond))


def _always_complex(x: Any) -> Any:
    return x if x.dtype.kind == "c" else mg.astype(x, np.result_type(x.dtype, np.complex64))


eigvals = of_arrays(lambda x: _always_complex(mg.linalg.eigvals(x)))
eig = of_arrays(lambda x: mg.linalg.EigResult(*map(_always_complex, mg.linalg.eig(x))))


def solve_triangular(a: Any, b: Any, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:
    """The `x` for which ``a @ x = b``, or ``x @ a = b``, of triangular matrices."""
    a, b = tensor_of(a), tensor_of(b)
    if not left:
        return solve_triangular(a.mT, b.mT, upper=not upper, unitriangular=unitriangular).mT
    return adopted(mg.linalg.solve_triangular(a, b, lower=not upper, unit_diagonal=unitriangular))


def __getattr__(name: str) -> Any:
    raise AttributeError(str(not_in_the_dialect(f"linalg.{name}")))


# Names that PyTorch has beside `linalg`, too


@function
def logdet(x: Any) -> Any:
    sign, logarithm = mg.linalg.slogdet(x)
    return mg.where(sign < 0, np.nan, logarithm)


def _svd(x: Any, some: bool = True, compute_uv: bool = True) -> Any:
    found = mg.linalg.svd(x, full_matrices=not some)
    return found.U, found.S, mg.conj(found.Vh).mT


@function
def cholesky_solve(b: Any, factor: Any, upper: bool = False) -> Any:
    lower = factor.mT if upper else factor
    return mg.linalg.solve_triangular(lower, mg.linalg.solve_triangular(lower, b, lower=True), trans=1, lower=True)


function(_svd, "svd")
function(lambda x: mg.linalg.det(x), "det")
function(lambda x: mg.linalg.slogdet(x), "slogdet")
function(lambda x, upper=False: mg.linalg.cholesky(x, upper=upper), "cholesky")
function(lambda x, n: mg.linalg.matrix_power(x, n), "matrix_power")
function(lambda x: mg.linalg.expm(x), "matrix_exp")
function(lambda x: mg.linalg.pinv(x), "pinverse")
function(lambda x, y, dim=-1: mg.linalg.cross(x, y, axis=dim), "cross")
