"""JavaScript: numbers in double precision, and whole numbers as far as these are exact."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from minigrad.export.as_text.languages import CONSTANTS, HELPERS, LIBRARY, TRUTHS, Helper, Language, used_names
from minigrad.ops import special

ARRAYS = {"d": "Float64Array", "f": "Float32Array", "l": "Float64Array", "q": "Float64Array", "?": "Uint8Array"}
_CHECKED = ("add", "subtract", "multiply", "square", "power", "negative")

# What JavaScript has not, by the same name and with the same results.
_UNLIKE = {"fabs", "exp2", "fmod", "copysign", "rint", "pow", "erf", "erfc", "tgamma", "lgamma"}
_FUNCTIONS = {
    **{name: f"const {name} = Math.{name};\n" for name in LIBRARY - _UNLIKE},
    "fabs": "const fabs = Math.abs;\n",
    "INFINITY": "const INFINITY = Infinity;\n",
    "exp2": "const exp2 = (x) => Math.pow(2, x);\n",
    "fmod": "const fmod = (a, b) => a % b;\n",
    "copysign": "const copysign = (x, sign) => (is_negative(sign) ? -Math.abs(x) : Math.abs(x));\n",
    # To the nearest whole number, and of two to the even one.
    "rint": "function rint(x) {\n  if (!(Math.abs(x) < 4503599627370496)) return x;\n"
    "  const size = Math.abs(x) + 4503599627370496 - 4503599627370496;\n  return is_negative(x) ? -size : size;\n}\n",
    # As C has it: 1 to any power is 1, and -1 to an infinite one, too.
    "pow": "const pow = (x, y) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : Math.pow(x, y));\n",
    "whole": "function whole(x) {\n  if (!(Math.abs(x) <= Number.MAX_SAFE_INTEGER)) "
    'throw new RangeError("a whole number is too large to be exact");\n  return x;\n}\n',
    "whole_divide": "const whole_divide = (a, b) => (b === 0 ? 0 : (a - whole_modulo(a, b)) / b);\n",
    "whole_modulo": "const whole_modulo = (a, b) => (b === 0 ? 0 : a - b * Math.floor(a / b));\n",
    "whole_power": "const whole_power = (a, b) => Math.pow(a, b);\n",
    "ratio": """\
function ratio([above, below], x) {
  const value = (row) => row.reduceRight((total, c) => total * x + c, 0);
  return value(above) / value(below);
}
""",
    "tail": f"""\
const FAR = {list(map(list, special._FAR))}, FARTHER = {list(map(list, special._FARTHER))};
function tail(x) {{
  const half = Math.fround(x), s = 1 / (x * x);
  const exponent = ratio(x < 1 / 0.35 ? FAR : FARTHER, s);
  return Math.exp(-half * half - 0.5625) * Math.exp((half - x) * (half + x) + exponent) / x;
}}
""",
    "erf": f"""\
const NEAR = {list(map(list, special._NEAR))}, MIDDLE = {list(map(list, special._MIDDLE))}, AT_ONE = {special._AT_ONE};
function erf(x) {{
  const size = Math.abs(x);
  if (size < 0.84375) return x + x * ratio(NEAR, x * x);
  const value = size < 1.25 ? AT_ONE + ratio(MIDDLE, size - 1) : size < 6 ? 1 - tail(size) : x === x ? 1 : x;
  return x < 0 ? -value : value;
}}
""",
    "erfc": """\
function erfc(x) {
  if (x < 0.5) return 1 - erf(x);
  if (x < 1.25) return x < 0.84375 ? 0.5 - (x - 0.5 + x * ratio(NEAR, x * x)) : 1 - AT_ONE - ratio(MIDDLE, x - 1);
  return x < 28 ? tail(x) : x === x ? 0 : x;
}
""",
    # As NumPy sums a row: eight sums side by side for up to 128 elements, and halves of more.
    "sum_of": """\
function sum_of(x, place, n, step, round) {
  if (n < 8) {
    let total = 0;
    for (let i = 0; i < n; i++) total = round(total + x[place + i * step]);
    return total;
  }
  if (n <= 128) {
    const r = [];
    let i = 8;
    for (let j = 0; j < 8; j++) r.push(x[place + j * step]);
    for (; i < n - (n % 8); i += 8) {
      for (let j = 0; j < 8; j++) r[j] = round(r[j] + x[place + (i + j) * step]);
    }
    const left = round(round(r[0] + r[1]) + round(r[2] + r[3]));
    let total = round(left + round(round(r[4] + r[5]) + round(r[6] + r[7])));
    for (; i < n; i++) total = round(total + x[place + i * step]);
    return total;
  }
  const half = Math.floor(n / 2) - (Math.floor(n / 2) % 8);
  return round(sum_of(x, place, half, step, round) + sum_of(x, place + half * step, n - half, step, round));
}
""",
    "same": "const same = (x) => x;\n",
}


def _function(name: str, helper: Helper) -> str:
    return f"function {name}({', '.join(helper.parameters)}) {{\n  {helper.written('const')}\n}}\n"


class JavaScript(Language):
    """JavaScript, in typed arrays."""

    counter = "let"
    characters = "".join(ARRAYS)
    functions: ClassVar[dict[str, str]] = {
        **{name: _function(name, helper) for name, helper in HELPERS.items()},
        **{name: f"const {name} = {value!r};\n" for name, value in CONSTANTS.items()},
        **_FUNCTIONS,
    }

    def template(self, operation: str, dtype: Any) -> str | None:
        """The expression of an operation; None if there is none."""
        return None if operation in ("gamma", "gammaln") else super().template(operation, dtype)

    def local(self, dtype: Any, name: str, text: str) -> str:
        """The line that gives a value a name."""
        return f"const {name} = {text};"

    def variable(self, dtype: Any, name: str, text: str) -> str:
        """The line that gives a name to what will change."""
        return f"let {name} = {text};"

    def number(self, value: Any, dtype: Any) -> str:
        """A number, exactly."""
        value = dtype.type(value)
        if dtype.kind != "f":
            text = str(int(value))
        elif np.isnan(value):
            return "NaN"
        elif np.isinf(value):
            text = "Infinity" if value > 0 else "-Infinity"
        else:
            text = repr(float(value)).removesuffix(".0")
        return f"({text})" if text.startswith("-") else text

    def numbers(self, array: np.ndarray) -> list[str]:
        """All elements of an array, in C's order, without brackets around negative ones."""
        if array.dtype.kind == "b" or not np.isfinite(array).all():
            return super().numbers(array)
        return [repr(x).removesuffix(".0") for x in array.reshape(-1).tolist()]

    def converted(self, text: str, old: Any, new: Any) -> str:
        """A value of one dtype as one of another."""
        if new.kind == "b":
            return f"({text} != 0)"
        if old.kind in "bi" and new.kind == "f":
            text = f"({text} + 0)"  # which is no -0
        elif old.kind == "b":
            text = f"+{text}"
        return f"Math.fround({text})" if new.char == "f" else text

    def computed(self, operation: str, dtype: Any, operands: Sequence[str]) -> str:
        """An operation on operands of this dtype, in it."""
        template = self.template(operation, dtype)
        assert template is not None
        result = template.format(*operands)
        if dtype.kind == "i" and operation in _CHECKED:
            return f"whole({result})"
        if dtype.char == "f" and operation not in TRUTHS and operation not in ("copy", "positive", "where"):
            return f"Math.fround({result})"
        return result

    def pairwise(self, dtype: Any, memory: str, place: str | None, count: int, stride: int) -> str:
        """The sum of a row in pairs."""
        rounding = "Math.fround" if dtype.char == "f" else "same"
        if place is None:
            return f"sum_of([{memory}], 0, {count}, 0, {rounding})"
        return f"sum_of({memory}, {place}, {count}, {stride}, {rounding})"

    def index(self, name: str, text: str, length: int) -> str:
        """The line that makes an index count from the front."""
        return f"const {name} = {text} < 0 ? {text} + {length} : +{text};"

    def unless(self, condition: str, message: str) -> str:
        """The line that gives up unless something holds."""
        return f'if (!({condition})) throw new RangeError("{message}");'


def functions_of(lines: Sequence[str]) -> list[str]:
    """The functions and constants that lines use, and that JavaScript does not have by these names."""
    return [JavaScript.functions[name] for name in used_names(lines, JavaScript.functions)]
