"""Numbers, dtypes and operations on elements, as C writes them."""

from collections.abc import Mapping, Sequence
from math import isinf, isnan
from typing import Any

import numpy as np

from minigrad.compiling.statements import Map

C_TYPES = {
    "?": "uint8_t", "b": "int8_t", "B": "uint8_t", "h": "int16_t", "H": "uint16_t", "i": "int32_t", "I": "uint32_t",
    "l": "int64_t", "L": "uint64_t", "q": "int64_t", "Q": "uint64_t", "e": "uint16_t", "f": "float", "d": "double",
    "F": "float _Complex", "D": "double _Complex",
}  # fmt: skip

# Operations that C computes to the same bits as NumPy does, by the kinds of dtypes: others are left to NumPy's loops.
ARITHMETIC = {"add": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}", "negative": "-{0}"}
COMPARISONS = {
    "equal": "{0} == {1}", "not_equal": "{0} != {1}", "less": "{0} < {1}", "less_equal": "{0} <= {1}",
    "greater": "{0} > {1}", "greater_equal": "{0} >= {1}",
}  # fmt: skip
LOGIC = {
    "logical_and": "({0} != 0) & ({1} != 0)", "logical_or": "({0} != 0) | ({1} != 0)",
    "logical_xor": "({0} != 0) ^ ({1} != 0)", "logical_not": "{0} == 0",
}  # fmt: skip
_ANY = {"copy": "{0}", "positive": "{0}", "where": "{0} ? {1} : {2}"}
# Of equal operands, and of NaN, the same one as NumPy's loops give.  In this form a processor needs no branch, which it
# would often foresee wrongly.
EXTREMES = {
    "maximum": "(({1} >= {0}) | ({1} != {1})) ? {1} : {0}",
    "minimum": "(({1} <= {0}) | ({1} != {1})) ? {1} : {0}",
}
_FLOATS = {
    "divide": "{0} / {1}", "square": "{0} * {0}", "reciprocal": "1 / {0}", "sqrt": "sqrt({0})", "absolute": "fabs({0})",
    "fabs": "fabs({0})", "isnan": "{0} != {0}", "isfinite": "{0} - {0} == 0", "isinf": "fabs({0}) == INF",
    "conjugate": "{0}", "signbit": "signbit({0})",
    "no_nan": "({0} == {0}) ? {0} : 0", "kept_zero": "({1} == 0) ? {2} : {0}",
    "python +": "{0} + {1}", "python -": "{0} - {1}", "python *": "{0} * {1}", "python /": "{0} / {1}",
    "python **": "pow({0}, {1})", "scalar power": "power({0}, {1})",
}  # fmt: skip
_WHOLE = {
    "bitwise_and": "{0} & {1}", "bitwise_or": "{0} | {1}", "bitwise_xor": "{0} ^ {1}", "square": "{0} * {0}",
    "conjugate": "{0}",
}  # fmt: skip
_BOOLS = {"add": "{0} | {1}", "multiply": "{0} & {1}", "bitwise_and": "{0} & {1}", "bitwise_or": "{0} | {1}",
          "bitwise_xor": "{0} ^ {1}"}  # fmt: skip
# With numerics="fast": functions of the C library, of which a compiler makes several at once, to a few units in the
# last place.
QUICK = {
    "exp": 1, "exp2": 1, "expm1": 1, "log": 1, "log2": 1, "log10": 1, "log1p": 1, "sin": 1, "cos": 1, "tan": 1,
    "sinh": 1, "cosh": 1, "tanh": 1, "arcsin": 1, "arccos": 1, "arctan": 1, "arcsinh": 1, "arccosh": 1, "arctanh": 1,
    "cbrt": 1, "power": 2, "arctan2": 2, "hypot": 2,
}  # fmt: skip
_OF_C = {"power": "pow"}


def name_in_c(ufunc: str) -> str:
    """What the C library calls a function."""
    return _OF_C.get(ufunc, ufunc.replace("arc", "a"))


_QUICK = {
    f"quick {name}": f"quick_{name_in_c(name)}({', '.join(f'{{{i}}}' for i in range(n))})" for name, n in QUICK.items()
}
DIRECT: dict[str, Mapping[str, str]] = {
    "f": {**_ANY, **ARITHMETIC, **COMPARISONS, **LOGIC, **EXTREMES, **_FLOATS, **_QUICK},
    "i": {**_ANY, **ARITHMETIC, **COMPARISONS, **LOGIC, **EXTREMES, **_WHOLE},
    "b": {**_ANY, **COMPARISONS, **LOGIC, **_BOOLS},
    "c": _ANY,
}
DIRECT["u"] = DIRECT["i"]


def literal(value: Any, dtype: Any) -> str:
    """A number as C writes it, exactly."""
    kind, value = C_TYPES[dtype.char], dtype.type(value)
    if dtype.kind == "f":
        x = float(value)
        if isnan(x):
            text = '__builtin_nan("")'
        elif isinf(x):
            text = "INF" if x > 0 else "-INF"
        else:
            text = x.hex()
        return f"(({kind}){text})"
    if dtype.kind == "c":
        part = np.dtype(value.real.dtype)
        return f"__builtin_complex({literal(value.real, part)}, {literal(value.imag, part)})"
    whole = int(value)
    text = f"{whole}ULL" if whole > 2**63 - 1 else f"{whole}LL" if whole > -(2**63) else f"({whole + 1}LL - 1)"
    return f"(({kind}){text})"


def is_direct(statement: Map) -> bool:
    """Whether C computes it by itself."""
    return statement.operation in DIRECT[statement.dtype.kind]


def expression(statement: Map, operands: Sequence[str], dtypes: Sequence[Any]) -> str:
    """The result in C."""
    dtype = statement.dtype
    kind = C_TYPES[dtype.char]
    converted = []
    for i, (text, own) in enumerate(zip(operands, dtypes, strict=True)):
        wanted = np.dtype(bool) if statement.operation == "where" and i == 0 else dtype
        converted.append(text if own == wanted else _converted(text, own, wanted))
    result = DIRECT[dtype.kind][statement.operation].format(*converted)
    out = statement.out.dtype
    if out != dtype and statement.operation in ("copy", "where", "positive"):
        return _converted(f"({result})", dtype, out)
    return f"({C_TYPES[out.char]})({result})" if out.kind in "iub" or kind != C_TYPES[out.char] else result


def _converted(text: str, old: Any, new: Any) -> str:
    if new.kind == "b":
        return f"({text} != 0)"
    return f"(({C_TYPES[new.char]}){text})"
