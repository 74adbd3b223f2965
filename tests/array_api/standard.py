"""What the Python Array API standard, version 2024.12, asks for: names, signatures, dtypes and how they combine.

Written from its text, https://data-apis.org/array-api/2024.12/.
"""

import numpy as np

BOOL = ["bool"]
SIGNED = ["int8", "int16", "int32", "int64"]
UNSIGNED = ["uint8", "uint16", "uint32", "uint64"]
INTEGRAL = SIGNED + UNSIGNED
REAL_FLOATING = ["float32", "float64"]
COMPLEX = ["complex64", "complex128"]
FLOATING = REAL_FLOATING + COMPLEX
REAL = INTEGRAL + REAL_FLOATING
NUMERIC = INTEGRAL + FLOATING
ALL = BOOL + NUMERIC

KINDS = {
    "bool": BOOL,
    "signed integer": SIGNED,
    "unsigned integer": UNSIGNED,
    "integral": INTEGRAL,
    "real floating": REAL_FLOATING,
    "complex floating": COMPLEX,
    "numeric": NUMERIC,
}

_TABLES = """
          int8    int16   int32   int64
int8      int8    int16   int32   int64
int16     int16   int16   int32   int64
int32     int32   int32   int32   int64
int64     int64   int64   int64   int64

          uint8   uint16  uint32  uint64
uint8     uint8   uint16  uint32  uint64
uint16    uint16  uint16  uint32  uint64
uint32    uint32  uint32  uint32  uint64
uint64    uint64  uint64  uint64  uint64

          uint8   uint16  uint32
int8      int16   int32   int64
int16     int16   int32   int64
int32     int32   int32   int64
int64     int64   int64   int64

          float32    float64    complex64  complex128
float32   float32    float64    complex64  complex128
float64   float64    float64    complex128 complex128
complex64 complex64  complex128 complex64  complex128
complex128 complex128 complex128 complex128 complex128
"""


def _promotions():
    """The dtype of a result for each pair of dtypes that the standard lets one combine."""
    found = {("bool", "bool"): "bool"}
    for table in _TABLES.strip("\n").split("\n\n"):
        head, *rows = (line.split() for line in table.split("\n"))
        for left, *results in rows:
            for right, result in zip(head, results, strict=True):
                found[left, right] = found[right, left] = result
    return found


PROMOTIONS = _promotions()

SIGNATURES = """
arange(start, /, stop=None, step=1, *, dtype=None, device=None)
asarray(obj, /, *, dtype=None, device=None, copy=None)
empty(shape, *, dtype=None, device=None)
empty_like(x, /, *, dtype=None, device=None)
eye(n_rows, n_cols=None, /, *, k=0, dtype=None, device=None)
from_dlpack(x, /, *, device=None, copy=None)
full(shape, fill_value, *, dtype=None, device=None)
full_like(x, /, fill_value, *, dtype=None, device=None)
linspace(start, stop, /, num, *, dtype=None, device=None, endpoint=True)
meshgrid(*arrays, indexing="xy")
ones(shape, *, dtype=None, device=None)
ones_like(x, /, *, dtype=None, device=None)
tril(x, /, *, k=0)
triu(x, /, *, k=0)
zeros(shape, *, dtype=None, device=None)
zeros_like(x, /, *, dtype=None, device=None)
astype(x, dtype, /, *, copy=True, device=None)
can_cast(from_, to, /)
finfo(type, /)
iinfo(type, /)
isdtype(dtype, kind)
result_type(*arrays_and_dtypes)
clip(x, /, min=None, max=None)
take(x, indices, /, *, axis=None)
take_along_axis(x, indices, /, *, axis=-1)
__array_namespace_info__()
matmul(x1, x2, /)
matrix_transpose(x, /)
tensordot(x1, x2, /, *, axes=2)
vecdot(x1, x2, /, *, axis=-1)
broadcast_arrays(*arrays)
broadcast_to(x, /, shape)
concat(arrays, /, *, axis=0)
expand_dims(x, /, axis)
flip(x, /, *, axis=None)
moveaxis(x, source, destination, /)
permute_dims(x, /, axes)
repeat(x, repeats, /, *, axis=None)
reshape(x, /, shape, *, copy=None)
roll(x, /, shift, *, axis=None)
squeeze(x, /, axis)
stack(arrays, /, *, axis=0)
tile(x, repetitions, /)
unstack(x, /, *, axis=0)
argmax(x, /, *, axis=None, keepdims=False)
argmin(x, /, *, axis=None, keepdims=False)
count_nonzero(x, /, *, axis=None, keepdims=False)
nonzero(x, /)
searchsorted(x1, x2, /, *, side="left", sorter=None)
where(condition, x1, x2, /)
unique_all(x, /)
unique_counts(x, /)
unique_inverse(x, /)
unique_values(x, /)
argsort(x, /, *, axis=-1, descending=False, stable=True)
sort(x, /, *, axis=-1, descending=False, stable=True)
cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False)
cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False)
max(x, /, *, axis=None, keepdims=False)
mean(x, /, *, axis=None, keepdims=False)
min(x, /, *, axis=None, keepdims=False)
prod(x, /, *, axis=None, dtype=None, keepdims=False)
std(x, /, *, axis=None, correction=0.0, keepdims=False)
sum(x, /, *, axis=None, dtype=None, keepdims=False)
var(x, /, *, axis=None, correction=0.0, keepdims=False)
all(x, /, *, axis=None, keepdims=False)
any(x, /, *, axis=None, keepdims=False)
diff(x, /, *, axis=-1, n=1, prepend=None, append=None)
"""

EXTENSIONS = """
fft.fft(x, /, *, n=None, axis=-1, norm="backward")
fft.ifft(x, /, *, n=None, axis=-1, norm="backward")
fft.fftn(x, /, *, s=None, axes=None, norm="backward")
fft.ifftn(x, /, *, s=None, axes=None, norm="backward")
fft.rfft(x, /, *, n=None, axis=-1, norm="backward")
fft.irfft(x, /, *, n=None, axis=-1, norm="backward")
fft.rfftn(x, /, *, s=None, axes=None, norm="backward")
fft.irfftn(x, /, *, s=None, axes=None, norm="backward")
fft.hfft(x, /, *, n=None, axis=-1, norm="backward")
fft.ihfft(x, /, *, n=None, axis=-1, norm="backward")
fft.fftfreq(n, /, *, d=1.0, dtype=None, device=None)
fft.rfftfreq(n, /, *, d=1.0, dtype=None, device=None)
fft.fftshift(x, /, *, axes=None)
fft.ifftshift(x, /, *, axes=None)
linalg.cholesky(x, /, *, upper=False)
linalg.cross(x1, x2, /, *, axis=-1)
linalg.det(x, /)
linalg.diagonal(x, /, *, offset=0)
linalg.eigh(x, /)
linalg.eigvalsh(x, /)
linalg.inv(x, /)
linalg.matmul(x1, x2, /)
linalg.matrix_norm(x, /, *, keepdims=False, ord="fro")
linalg.matrix_power(x, n, /)
linalg.matrix_rank(x, /, *, rtol=None)
linalg.matrix_transpose(x, /)
linalg.outer(x1, x2, /)
linalg.pinv(x, /, *, rtol=None)
linalg.qr(x, /, *, mode="reduced")
linalg.slogdet(x, /)
linalg.solve(x1, x2, /)
linalg.svd(x, /, *, full_matrices=True)
linalg.svdvals(x, /)
linalg.tensordot(x1, x2, /, *, axes=2)
linalg.trace(x, /, *, offset=0, dtype=None)
linalg.vecdot(x1, x2, /, *, axis=-1)
linalg.vector_norm(x, /, *, axis=None, keepdims=False, ord=2)
"""

# Elementwise functions, with the dtypes that they are defined for.  All their operands are positional-only.
UNARY = {
    "abs": NUMERIC, "acos": FLOATING, "acosh": FLOATING, "asin": FLOATING, "asinh": FLOATING, "atan": FLOATING,
    "atanh": FLOATING, "bitwise_invert": BOOL + INTEGRAL, "ceil": REAL, "conj": NUMERIC, "cos": FLOATING,
    "cosh": FLOATING, "exp": FLOATING, "expm1": FLOATING, "floor": REAL, "imag": COMPLEX, "isfinite": NUMERIC,
    "isinf": NUMERIC, "isnan": NUMERIC, "log": FLOATING, "log1p": FLOATING, "log2": FLOATING, "log10": FLOATING,
    "logical_not": BOOL, "negative": NUMERIC, "positive": NUMERIC, "real": NUMERIC, "reciprocal": FLOATING,
    "round": NUMERIC, "sign": NUMERIC, "signbit": REAL_FLOATING, "sin": FLOATING, "sinh": FLOATING, "square": NUMERIC,
    "sqrt": FLOATING, "tan": FLOATING, "tanh": FLOATING, "trunc": REAL,
}  # fmt: skip
BINARY = {
    "add": NUMERIC, "atan2": REAL_FLOATING, "bitwise_and": BOOL + INTEGRAL, "bitwise_left_shift": INTEGRAL,
    "bitwise_or": BOOL + INTEGRAL, "bitwise_right_shift": INTEGRAL, "bitwise_xor": BOOL + INTEGRAL,
    "copysign": REAL_FLOATING, "divide": FLOATING, "equal": ALL, "floor_divide": REAL, "greater": REAL,
    "greater_equal": REAL, "hypot": REAL_FLOATING, "less": REAL, "less_equal": REAL, "logaddexp": REAL_FLOATING,
    "logical_and": BOOL, "logical_or": BOOL, "logical_xor": BOOL, "maximum": REAL, "minimum": REAL,
    "multiply": NUMERIC, "nextafter": REAL_FLOATING, "not_equal": ALL, "pow": NUMERIC, "remainder": REAL,
    "subtract": NUMERIC,
}  # fmt: skip
TRUTHS = {  # functions whose results are bools
    "equal", "greater", "greater_equal", "isfinite", "isinf", "isnan", "less", "less_equal", "logical_and",
    "logical_not", "logical_or", "logical_xor", "not_equal", "signbit",
}  # fmt: skip
PARTS = {"abs", "imag", "real"}  # functions whose results for complex numbers are real

# Operators, with the function that they are and whether they have a reflected and an in-place form.
OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "pow", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
    "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift",
}  # fmt: skip
COMPARISONS = {
    "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
}  # fmt: skip
SIGNS = {"abs": "abs", "invert": "bitwise_invert", "neg": "negative", "pos": "positive"}

ATTRIBUTES = ["dtype", "device", "mT", "ndim", "shape", "size", "T"]
METHODS = """
__array_namespace__(self, /, *, api_version=None)
__bool__(self, /)
__complex__(self, /)
__dlpack__(self, /, *, stream=None, max_version=None, dl_device=None, copy=None)
__dlpack_device__(self, /)
__float__(self, /)
__getitem__(self, key, /)
__index__(self, /)
__int__(self, /)
__setitem__(self, key, value, /)
to_device(self, device, /, *, stream=None)
"""


def component(name):
    """The dtype of the parts of a complex dtype; a real one itself."""
    return {"complex64": "float32", "complex128": "float64"}.get(name, name)


def lines(text):
    return text.strip().split("\n")


def sample(dtype, shape=(2, 3)):
    """Small positive numbers, clear of what functions have special values for."""
    size = int(np.prod(shape))
    if dtype == "bool":
        return (np.arange(size) % 2 == 0).reshape(shape)
    values = np.arange(size) % 3 + 1
    if np.dtype(dtype).kind in "fc":
        values = values / 4
    if np.dtype(dtype).kind == "c":
        values = values + 0.25j
    return values.astype(dtype).reshape(shape)
