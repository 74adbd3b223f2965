"""What C and JavaScript have in common: operations on elements as expressions, and functions that both need."""

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from minigrad.compiling.expressions import ARITHMETIC, COMPARISONS, EXTREMES, LOGIC, name_in_c
from minigrad.compiling.grouping import inside
from minigrad.compiling.statements import (
    Accumulate,
    Branch,
    Contract,
    Map,
    Number,
    Reduce,
    Repeat,
    Statement,
    View,
)

# Functions of C's library, which have a form for single precision, too.
LIBRARY = {
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "sin", "cos", "tan", "asin", "acos",
    "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "fabs", "floor", "ceil", "trunc", "rint", "pow", "atan2",
    "hypot", "copysign", "fmod", "erf", "erfc", "tgamma", "lgamma",
}  # fmt: skip
# Of floats, by NumPy's names; the functions are those of C's library, and of `HELPERS`.
_OF_LIBRARY = [
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "sin", "cos", "tan", "arcsin",
    "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "fabs", "floor", "ceil",
    "trunc", "rint",
]  # fmt: skip
_FLOATS: dict[str, str] = {
    **{name: f"{name_in_c(name)}({{0}})" for name in _OF_LIBRARY},
    "divide": "{0} / {1}", "square": "{0} * {0}", "reciprocal": "1 / {0}", "absolute": "fabs({0})",
    "isnan": "{0} != {0}", "isfinite": "{0} - {0} == 0", "isinf": "fabs({0}) == INFINITY", "conjugate": "{0}",
    "signbit": "is_negative({0})", "sign": "sign({0})", "power": "pow({0}, {1})", "float_power": "pow({0}, {1})",
    "arctan2": "atan2({0}, {1})", "hypot": "hypot({0}, {1})", "copysign": "copysign({0}, {1})",
    "fmod": "fmod({0}, {1})", "remainder": "modulo({0}, {1})", "floor_divide": "floor_divide({0}, {1})",
    "fmax": "(({0} >= {1}) | ({1} != {1})) ? {0} : {1}", "fmin": "(({0} <= {1}) | ({1} != {1})) ? {0} : {1}",
    "clip": "clip({0}, {1}, {2})",
    "erf": "erf({0})", "erfc": "erfc({0})", "gamma": "tgamma({0})", "gammaln": "lgamma({0})",
    "logaddexp": "logaddexp({0}, {1})", "logaddexp2": "logaddexp2({0}, {1})", "heaviside": "heaviside({0}, {1})",
    "degrees": "{0} * DEGREES", "rad2deg": "{0} * DEGREES", "radians": "{0} * RADIANS", "deg2rad": "{0} * RADIANS",
    "no_nan": "({0} == {0}) ? {0} : 0", "kept_zero": "({1} == 0) ? {2} : {0}",
    "python +": "{0} + {1}", "python -": "{0} - {1}", "python *": "{0} * {1}", "python /": "{0} / {1}",
    "python **": "pow({0}, {1})", "scalar power": "pow({0}, {1})",
}  # fmt: skip
_ANY = {"copy": "{0}", "positive": "{0}", "where": "{0} ? {1} : {2}"}
_WHOLE = {
    "square": "{0} * {0}", "conjugate": "{0}", "absolute": "{0} < 0 ? -{0} : {0}", "sign": "({0} > 0) - ({0} < 0)",
    "floor_divide": "whole_divide({0}, {1})", "remainder": "whole_modulo({0}, {1})", "power": "whole_power({0}, {1})",
    "clip": "({0} < {1}) ? {1} : ({0} > {2}) ? {2} : {0}",
    "maximum": "{0} > {1} ? {0} : {1}", "minimum": "{0} < {1} ? {0} : {1}",
    "fmax": "{0} > {1} ? {0} : {1}", "fmin": "{0} < {1} ? {0} : {1}",
}  # fmt: skip
_BOOLS = {
    "add": "{0} | {1}", "multiply": "{0} & {1}", "bitwise_and": "{0} & {1}", "bitwise_or": "{0} | {1}",
    "bitwise_xor": "{0} ^ {1}", "invert": "!{0}", "maximum": "{0} | {1}", "minimum": "{0} & {1}",
    "absolute": "{0}", "square": "{0}",
}  # fmt: skip
TEMPLATES: dict[str, Mapping[str, str]] = {
    "f": {**_ANY, **ARITHMETIC, **COMPARISONS, **LOGIC, **EXTREMES, **_FLOATS},
    "i": {**_ANY, **ARITHMETIC, **COMPARISONS, **LOGIC, **_WHOLE},
    "b": {**_ANY, **COMPARISONS, **LOGIC, **_BOOLS},
}
# Whose results are numbers of the dtype itself, whatever the operands are.
TRUTHS = {*COMPARISONS, *LOGIC, "isnan", "isfinite", "isinf", "signbit"}


class Helper(NamedTuple):
    """A function of floats in the language that C and JavaScript share: `LET` begins the name of a local value."""

    parameters: tuple[str, ...]
    body: str

    def written(self, declaration: str) -> str:
        """The body, each statement on a line, where a local value begins with a declaration."""
        return "\n  ".join(f"{part};".replace("LET ", f"{declaration} ") for part in self.body.rstrip(";").split("; "))


HELPERS: dict[str, Helper] = {
    "sign": Helper(("x",), "return x > 0 ? 1 : x < 0 ? -1 : x;"),
    "is_negative": Helper(("x",), "return x < 0 || (x == 0 && 1 / x < 0);"),
    "clip": Helper(
        ("x", "low", "high"),
        "if (low != low) return low; if (high != high) return high; "
        "LET least = x < low ? low : x; return least > high ? high : least;",
    ),
    "heaviside": Helper(("x", "half"), "return x != x ? x : x < 0 ? 0 : x > 0 ? 1 : half;"),
    # With the sign of the divisor, as in Python.
    "modulo": Helper(
        ("a", "b"),
        "LET rest = fmod(a, b); if (rest == 0) return copysign(0, b); return (rest < 0) != (b < 0) ? rest + b : rest;",
    ),
    "floor_divide": Helper(
        ("a", "b"),
        "if (b == 0) return a / b; LET rest = fmod(a, b); LET quotient = (a - rest) / b; "
        "LET lower = rest != 0 && (b < 0) != (rest < 0) ? quotient - 1 : quotient; "
        "if (lower == 0) return copysign(0, a / b); "
        "LET down = floor(lower); return lower - down > 0.5 ? down + 1 : down;",
    ),
    "logaddexp": Helper(
        ("a", "b"),
        "if (a == b) return a + LOG2; LET d = a - b; if (d != d) return d; "
        "return d > 0 ? a + log1p(exp(-d)) : b + log1p(exp(d));",
    ),
    "logaddexp2": Helper(
        ("a", "b"),
        "if (a == b) return a + 1; LET d = a - b; if (d != d) return d; "
        "return d > 0 ? a + log1p(exp2(-d)) / LOG2 : b + log1p(exp2(d)) / LOG2;",
    ),
}  # fmt: skip
CONSTANTS = {"LOG2": math.log(2), "DEGREES": 180 / math.pi, "RADIANS": math.pi / 180}


class Language:
    """How a language writes what `RoutineWriter` asks of it."""

    counter: str  # the declaration of an index
    characters: str  # of the dtypes that it has
    functions: ClassVar[dict[str, str]]  # of its own, by their names

    def template(self, operation: str, dtype: Any) -> str | None:
        """The expression of an operation; None if there is none."""
        return TEMPLATES["i" if dtype.kind in "iu" else dtype.kind].get(operation)

    def local(self, dtype: Any, name: str, text: str) -> str:
        """The line that gives a value a name."""
        raise NotImplementedError

    def variable(self, dtype: Any, name: str, text: str) -> str:
        """The line that gives a name to what will change."""
        raise NotImplementedError

    def number(self, value: Any, dtype: Any) -> str:
        """A number, exactly."""
        raise NotImplementedError

    def numbers(self, array: np.ndarray) -> list[str]:
        """All elements of an array, in C's order."""
        return [self.number(x, array.dtype) for x in array.reshape(-1)]

    def converted(self, text: str, old: Any, new: Any) -> str:
        """A value of one dtype as one of another."""
        raise NotImplementedError

    def computed(self, operation: str, dtype: Any, operands: Sequence[str]) -> str:
        """An operation on operands of this dtype, in it."""
        raise NotImplementedError

    def pairwise(self, dtype: Any, memory: str, place: str | None, count: int, stride: int) -> str:
        """The sum of a row in pairs."""
        raise NotImplementedError

    def index(self, name: str, text: str, length: int) -> str:
        """The line that makes an index count from the front."""
        raise NotImplementedError

    def unless(self, condition: str, message: str) -> str:
        """The line that gives up unless something holds."""
        raise NotImplementedError

    def expression(self, statement: Map, operands: Sequence[str], dtypes: Sequence[Any]) -> str:
        """The result of an operation on elements, in the dtype of the result."""
        dtype, operation = statement.dtype, statement.operation
        converted = []
        for i, (text, own) in enumerate(zip(operands, dtypes, strict=True)):
            wanted = np.dtype(bool) if operation == "where" and i == 0 else dtype
            converted.append(text if own == wanted else self.converted(text, own, wanted))
        result = self.computed(operation, dtype, converted)
        own = np.dtype(bool) if operation in TRUTHS else dtype
        return result if own == statement.out.dtype else self.converted(f"({result})", own, statement.out.dtype)

    def two(self, operation: str, dtype: Any, first: str, second: str) -> str:
        """An operation on two values of a dtype."""
        result = self.computed(operation, dtype, (first, second))
        return (
            self.converted(f"({result})", np.dtype(bool), dtype)
            if operation in TRUTHS and dtype.kind != "b"
            else result
        )

    def lacks(self, statement: Statement) -> str:
        """What the language cannot write of a statement; empty for none."""
        for x in _values_of(statement):
            if x.dtype.char not in self.characters:
                return f"a value of {x.dtype}"
            if isinstance(x, View) and x.buffer.dtype != x.dtype:
                return "elements looked at in another dtype"
        for operation, dtype in _operations(statement):
            if self.template(operation, dtype) is None:
                return f"{operation} of {dtype}"
        return next(filter(None, map(self.lacks, inside(statement))), "")


def _values_of(x: Any) -> Iterator[View | Number]:
    """The views and numbers in a statement."""
    if isinstance(x, View | Number):
        yield x
    elif isinstance(x, tuple) and not isinstance(x, Repeat | Branch):
        for part in x:
            yield from _values_of(part)


def _operations(statement: Statement) -> Iterator[tuple[str, Any]]:
    if isinstance(statement, Map):
        yield statement.operation, statement.dtype
    elif isinstance(statement, Reduce | Accumulate):
        yield statement.loop.ufunc, statement.out.dtype
    elif isinstance(statement, Contract):
        yield "add", statement.out.dtype
        yield "multiply", statement.out.dtype


def used_names(texts: Sequence[str], known: Mapping[str, str]) -> list[str]:
    """Which of the known names occur in texts, with those that occur in their own; what is needed goes first."""
    found: list[str] = []

    def look(text: str, path: Collection[str]) -> None:
        for name in re.findall(r"\b[A-Za-z_][A-Za-z0-9_]*\b", text):
            if name in known and name not in found and name not in path:
                look(known[name], {*path, name})
                found.append(name)

    for text in texts:
        look(text, ())
    return found
