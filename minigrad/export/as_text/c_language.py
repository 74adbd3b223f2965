"""C: C99 without anything but its mathematical functions, in which whole numbers wrap round as NumPy's do."""

import re
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from minigrad.compiling.expressions import C_TYPES
from minigrad.export.as_text.languages import CONSTANTS, HELPERS, LIBRARY, TRUTHS, Helper, Language, used_names

_UNSIGNED = {1: "uint8_t", 2: "uint16_t", 4: "uint32_t", 8: "uint64_t"}
_WRAPPING = {"add": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}", "square": "{0} * {0}"}
_WHOLE = {
    "negative": "0 - {0}", "left_shift": "shift_left({0}, {1})", "right_shift": "shift_right({0}, {1})",
    "bitwise_and": "{0} & {1}", "bitwise_or": "{0} | {1}", "bitwise_xor": "{0} ^ {1}", "invert": "~{0}",
    "absolute": "{0} < 0 ? 0 - (uint64_t){0} : (uint64_t){0}",
}  # fmt: skip
_WITHOUT_SIGN = {"absolute": "{0}", "sign": "{0} != 0"}  # as compilers warn of what is never below 0

_OF_WHOLE = {
    "whole_divide": "static int64_t whole_divide(int64_t a, int64_t b) {\n"
    "  if (b == 0) return 0;\n"
    "  if (b == -1) return (int64_t)(0 - (uint64_t)a);\n"
    "  return a / b - (a % b != 0 && (a < 0) != (b < 0));\n}\n",
    "whole_modulo": "static int64_t whole_modulo(int64_t a, int64_t b) {\n"
    "  if (b == 0 || b == -1) return 0;\n"
    "  int64_t rest = a % b;\n"
    "  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;\n}\n",
    "whole_power": "static int64_t whole_power(int64_t base, int64_t exponent) {\n"
    "  uint64_t result = 1, factor = (uint64_t)base;\n"
    "  for (; exponent > 0; exponent >>= 1, factor *= factor)\n"
    "    if (exponent & 1) result *= factor;\n"
    "  return (int64_t)result;\n}\n",
    "shift_left": "static int64_t shift_left(int64_t a, int64_t n) {\n"
    "  return n < 0 || n > 63 ? 0 : (int64_t)((uint64_t)a << n);\n}\n",
    "shift_right": "static int64_t shift_right(int64_t a, int64_t n) {\n"
    "  return n < 0 || n > 63 ? (a < 0 ? -1 : 0) : a < 0 ? ~(~a >> n) : a >> n;\n}\n",
}  # fmt: skip

# As NumPy sums a row: eight sums side by side for up to 128 elements, and halves of more.
_PAIRWISE = """\
static {kind} sum_of_{kind}(const {kind} *x, ptrdiff_t n, ptrdiff_t step) {{
  if (n < 8) {{
    {kind} total = 0;
    for (ptrdiff_t i = 0; i < n; i++) total += x[i * step];
    return total;
  }}
  if (n <= 128) {{
    {kind} r[8];
    ptrdiff_t i;
    for (i = 0; i < 8; i++) r[i] = x[i * step];
    for (i = 8; i < n - n % 8; i += 8)
      for (int j = 0; j < 8; j++) r[j] += x[(i + j) * step];
    {kind} total = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < n; i++) total += x[i * step];
    return total;
  }}
  ptrdiff_t half = n / 2 - n / 2 % 8;
  return sum_of_{kind}(x, half, step) + sum_of_{kind}(x + half * step, n - half, step);
}}
"""


def _function(name: str, helper: Helper) -> str:
    parameters = ", ".join(f"double {p}" for p in helper.parameters)
    return f"static double {name}({parameters}) {{\n  {helper.written('const double')}\n}}\n"


class C(Language):
    """C99."""

    counter = "ptrdiff_t"
    characters = "?bBhHiIlLqQfd"
    functions: ClassVar[dict[str, str]] = {
        **{name: _function(name, helper) for name, helper in HELPERS.items()},
        **{name: f"#define {name} {value!r}\n" for name, value in CONSTANTS.items()},
        **_OF_WHOLE,
        **{f"sum_of_{kind}": _PAIRWISE.format(kind=kind) for kind in ("float", "double")},
    }

    def template(self, operation: str, dtype: Any) -> str | None:
        """The expression of an operation; None if there is none."""
        if dtype.kind in "iu":
            if dtype.char in "LQ" and operation in ("floor_divide", "remainder", "power", "right_shift"):
                return None  # they are computed with a sign
            if dtype.kind == "u" and operation in _WITHOUT_SIGN:
                return _WITHOUT_SIGN[operation]
            return _WHOLE.get(operation) or _WRAPPING.get(operation) or super().template(operation, dtype)
        return super().template(operation, dtype)

    def local(self, dtype: Any, name: str, text: str) -> str:
        """The line that gives a value a name."""
        return f"const {C_TYPES[dtype.char]} {name} = {text};"

    def variable(self, dtype: Any, name: str, text: str) -> str:
        """The line that gives a name to what will change."""
        return f"{C_TYPES[dtype.char]} {name} = {text};"

    def number(self, value: Any, dtype: Any) -> str:
        """A number, exactly."""
        value = dtype.type(value)
        if dtype.kind == "b":
            return str(int(value))
        if dtype.kind in "iu":
            whole = int(value)
            if whole == -(2**63):
                return "INT64_MIN"
            text = f"{whole}ULL" if whole > 2**63 - 1 else f"{whole}LL" if abs(whole) > 2**31 - 1 else str(whole)
        elif np.isnan(value):
            return "NAN"
        elif np.isinf(value):
            text = "INFINITY" if value > 0 else "-INFINITY"
        else:
            text = repr(float(str(value))) + ("f" if dtype.itemsize == 4 else "")
        return f"({text})" if text.startswith("-") else text

    def numbers(self, array: np.ndarray) -> list[str]:
        """All elements of an array, in C's order; of many at once, which need no brackets where they stand alone."""
        if array.dtype.kind == "f" and np.isfinite(array).all():
            end = "f" if array.dtype.itemsize == 4 else ""
            # The shortest decimal number that is none but this one.
            texts = map(str, array.reshape(-1)) if end else map(repr, array.reshape(-1).tolist())
            return [f"{text}{end}" for text in texts]
        return super().numbers(array)

    def converted(self, text: str, old: Any, new: Any) -> str:
        """A value of one dtype as one of another."""
        if new.kind == "b":
            return f"({text} != 0)"
        return f"({C_TYPES[new.char]}){text}"

    def computed(self, operation: str, dtype: Any, operands: Sequence[str]) -> str:
        """An operation on operands of this dtype, in it."""
        template = self.template(operation, dtype)
        assert template is not None
        kind = C_TYPES[dtype.char]
        if dtype.kind in "iu" and operation not in TRUTHS:
            if operation in _WRAPPING or operation == "negative":
                operands = [f"({_UNSIGNED[max(dtype.itemsize, 4)]}){x}" for x in operands]
            return f"({kind})({template.format(*operands)})"
        if dtype.kind == "f":
            for name in re.findall(r"\b([a-z]\w*)\(", template):
                if dtype.itemsize == 4 and name in LIBRARY:
                    template = template.replace(f"{name}(", f"{name}f(")
            result = template.format(*operands)
            if operation in TRUTHS or dtype.itemsize == 8:
                return result
            helped = any(name in template for name in HELPERS) or any(name in template for name in CONSTANTS)
            return f"(float)({result})" if helped else result
        return template.format(*operands)

    def pairwise(self, dtype: Any, memory: str, place: str | None, count: int, stride: int) -> str:
        """The sum of a row in pairs."""
        kind = C_TYPES[dtype.char]
        if place is None:
            return f"sum_of_{kind}((const {kind}[]){{{memory}}}, {count}, 0)"
        start = memory if place == "0" else f"{memory} + {place}"
        return f"sum_of_{kind}({start}, {count}, {stride})"

    def index(self, name: str, text: str, length: int) -> str:
        """The line that makes an index count from the front."""
        return f"const ptrdiff_t {name} = (ptrdiff_t){text} < 0 ? (ptrdiff_t){text} + {length} : (ptrdiff_t){text};"

    def unless(self, condition: str, message: str) -> str:
        """The line that gives up unless something holds."""
        return f"if (!({condition})) return 1; /* {message} */"


def functions_of(lines: Sequence[str]) -> str:
    """The functions and constants that lines of C use, and that C's library does not have."""
    return "\n".join(C.functions[name] for name in used_names(lines, C.functions))
