"""Names that C and JavaScript take, for what people may have called anything."""

import keyword
import re
from collections.abc import Collection

from minigrad.export.as_text.languages import CONSTANTS, HELPERS, LIBRARY

_WORDS = {
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern",
    "float", "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed",
    "sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "bool",
    "true", "false", "int8_t", "int16_t", "int32_t", "int64_t", "uint8_t", "uint16_t", "uint32_t", "uint64_t",
    "ptrdiff_t", "size_t", "main", "errno", "NAN", "INFINITY", "arguments", "await", "catch", "class", "debugger",
    "delete", "eval", "export", "extends", "finally", "function", "implements", "import", "in", "instanceof",
    "interface", "let", "new", "null", "package", "private", "protected", "public", "super", "this", "throw", "try",
    "typeof", "undefined", "var", "with", "yield", "Math", "Number", "Array", "Object", "Infinity", "NaN", "state",
    "create", "base", "compiled", "Float64Array", "Float32Array", "Uint8Array", "BigInt", "Boolean", "RangeError",
    "TypeError",
}  # fmt: skip
# Of C++, which reads the header too, and of later C.
_OF_CPP = {
    "alignas", "alignof", "and_eq", "asm", "bitand", "bitor", "char8_t", "char16_t", "char32_t", "compl", "concept",
    "consteval", "constexpr", "constinit", "decltype", "explicit", "friend", "mutable", "namespace", "noexcept",
    "not_eq", "nullptr", "operator", "or_eq", "requires", "static_assert", "template", "thread_local", "typename",
    "using", "virtual", "wchar_t", "xor", "xor_eq",
}  # fmt: skip
# What the preprocessor puts something else for: macros of the headers, and of compilers.
_MACROS = re.compile(
    r"U?INT\w*_(MAX|MIN|C)|(SIZE|PTRDIFF|WCHAR|WINT|SIG_ATOMIC)_(MAX|MIN)|M_(E|L\w+|PI\w*|\d_\w+|SQRT\w+)"
    r"|(FP|HUGE|MATH)_\w+|FLT_EVAL_METHOD|math_errhandling|NULL|HUGE|MAXFLOAT|DOMAIN|SING|OVERFLOW|UNDERFLOW"
    r"|[PT]LOSS|offsetof|linux|unix|i386"
)
# Others of C's library, which a function may not be called by either.
_OF_C = {
    "abort", "abs", "div", "drem", "exit", "fdim", "finite", "fma", "fmax", "fmin", "fpclassify", "free", "frexp",
    "gamma", "ilogb", "index", "isfinite", "isinf", "isnan", "isnormal", "j0", "j1", "jn", "labs", "ldexp",
    "llrint", "llround", "logb", "lrint", "lround", "malloc", "memcpy", "memset", "modf", "nan", "nearbyint",
    "nextafter", "nexttoward", "printf", "puts", "remainder", "remquo", "rindex", "round", "scalb", "scalbln",
    "scalbn", "signbit", "signgam", "significand", "strlen", "y0", "y1", "yn",
}  # fmt: skip
_RESERVED = {
    *keyword.kwlist, *_WORDS, *_OF_C, *_OF_CPP, *LIBRARY, *(f"{name}{end}" for name in LIBRARY for end in "fl"),
    *HELPERS, *CONSTANTS,
}  # fmt: skip
# What is computed in between.
_OWN = re.compile(r"[acikmpst]\d+|[jpqr]|total|factor|(whole|sum|memory|at)_.*|whole|same")


def identifier(label: str, taken: Collection[str]) -> str:
    """A name of letters, digits and underscores that languages take, and that is not taken; then it is, in a set."""
    base = re.sub(r"[^0-9A-Za-z]+", "_", label).strip("_") or "value"
    if base[0].isdigit():
        base = f"_{base}"
    if base in _RESERVED or _OWN.fullmatch(base) or _MACROS.fullmatch(base):
        base = f"{base}_"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    if isinstance(taken, set):
        taken.add(name)
    return name
