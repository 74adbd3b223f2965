"""Functions of numbers one by one, and of two operands that broadcast."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.fuzz import duals as d
from tests.fuzz.operands import (
    ABOVE_ONE,
    ANY,
    FRACTION,
    HALF,
    NONZERO,
    NONZERO_REAL,
    POSITIVE,
    REAL,
    SMALL,
    UNIT,
    clear,
    constant_first,
    difference,
    one,
    op,
    same,
    spelled,
    to_integer,
    two,
)

# fmt: off
METHODS = {"sin", "cos", "tanh", "exp", "log", "sqrt", "square"}
OF_THE_STANDARD = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh",
                   "arctanh": "atanh", "absolute": "abs"}
DOMAINS = {
    SMALL: "sin cos sinh cosh exp exp2 expm1",
    ANY: "square positive conj real imag",
    UNIT: "arcsin arccos arctanh",
    REAL: "arctan arcsinh tanh",
    ABOVE_ONE: "arccosh",
    POSITIVE: "log log2 log10 log1p sqrt",
    NONZERO: "absolute reciprocal",
    NONZERO_REAL: "cbrt sinc",
}

numbers = [
    *(op(name, getattr(d, name), one(domain), *spelled(name, "np.NAME({x})"),
         *spelled(OF_THE_STANDARD.get(name, name), "mg.NAME({x})", "{x}.NAME()" if name in METHODS else ""))
      for domain, names in DOMAINS.items() for name in names.split()),
    op("tan", d.tan, one(UNIT), "np.tan({x})", "mg.tan({x})", "np.sin({x}) / np.cos({x})", exact=False),
    op("negative", lambda x: -x, one(ANY), "np.negative({x})", "-{x}", "mg.negative({x})", "0 - {x}"),
    op("tanh of complex numbers", d.tanh, one(HALF), "np.tanh({x})", "mg.tanh({x})", "{x}.tanh()"),
    op("abs", d.absolute, one(NONZERO), "np.abs({x})", "abs({x})", "mg.abs({x})", "{x}.abs()"),
    op("fabs", d.fabs, one(REAL), "np.fabs({x})"),
    op("deg2rad", lambda x: x * np.float32(math.pi / 180), one(REAL), "np.deg2rad({x})", "np.radians({x})"),
    op("nan_to_num", d.positive, one(REAL), "np.nan_to_num({x})", "mg.nan_to_num({x})"),
    op("sigmoid", d.sigmoid, one(REAL), "mg.sigmoid({x})", "mg.special.expit({x})", "F.sigmoid({x})"),
    *(op(name, getattr(d, name), one(REAL), *spelled(name, "mg.special.NAME({x})")) for name in ("erf", "ndtr")),
    *(op(name, getattr(d, name), one(POSITIVE), *spelled(name, "mg.special.NAME({x})"))
      for name in ("gammaln", "digamma", "i0")),
    op("entr", lambda x: -x * d.log(x), one(POSITIVE), "mg.special.entr({x})"),
    op("logit", lambda x: d.log(x / (1 - x)), one(FRACTION), "mg.special.logit({x})"),
]


# Activations


def _chosen(condition: Callable[[Any], Any], inside: Callable[[Any], Any], outside: Callable[[Any], Any]) -> Any:
    return lambda x: d.where(condition(d.plain(x)), inside(x), outside(x))


def _elu(alpha: float, scale: float = 1.0) -> Callable[[Any], Any]:
    return lambda x: scale * d.where(d.plain(x) > 0, x, alpha * d.expm1(d.clip(x, -np.inf, 0)))


ACTIVATIONS = {
    "relu": _chosen(lambda x: x > 0, lambda x: x, lambda x: 0 * x),
    "relu6": lambda x: d.clip(x, 0, 6),
    "leaky_relu": _chosen(lambda x: x > 0, lambda x: x, lambda x: 0.01 * x),
    "elu": _elu(1.0),
    "celu": _elu(1.0),
    # G. Klambauer et al., "Self-normalizing neural networks", 2017
    "selu": _elu(1.6732632423543772, 1.0507009873554805),
    "gelu": lambda x: x * d.ndtr(x),
    "silu": lambda x: x * d.sigmoid(x),
    "mish": lambda x: x * d.tanh(d.softplus(x)),
    "softplus": d.softplus,
    "softsign": lambda x: x / (1 + d.fabs(x)),
    "tanhshrink": lambda x: x - d.tanh(x),
    "logsigmoid": lambda x: -d.softplus(-x),
    "hardtanh": lambda x: d.clip(x, -1, 1),
    "hardsigmoid": lambda x: d.clip(x / 6 + 0.5, 0, 1),
    "hardswish": lambda x: x * d.clip(x / 6 + 0.5, 0, 1),
    "softshrink": _chosen(lambda x: abs(x) > 0.5, lambda x: x - 0.5 * np.sign(d.plain(x)), lambda x: 0 * x),
    "hardshrink": _chosen(lambda x: abs(x) > 0.5, lambda x: x, lambda x: 0 * x),
}
activations = [op(name, f, one(REAL), *spelled(name, "F.NAME({x})")) for name, f in ACTIVATIONS.items()]


# Two operands


def _log_where_large(x: Any) -> Any:
    large = d.plain(x) > 0.1
    return d.where(large, d.log(d.where(large, x, 1 + 0 * x)), 0 * x)


EXPONENTS = [0, 1, 2, 3, -1, 2.0, -2.0, 0.5, np.int64(2), np.float32(2), np.int8(3), np.float64(1.5), np.uint8(2)]
WHOLE = [0, 1, 2, 3, np.int64(2), np.int16(3), np.float32(2.0), np.array(2)]

binary = [
    op("add", lambda x, y: x + y, two(ANY), "{x} + {y}", "{y} + {x}", "np.add({x}, {y})", "mg.add({x}, {y})"),
    op("subtract", lambda x, y: x - y, two(ANY, constants=0), "{x} - {y}", "np.subtract({x}, {y})",
       "mg.subtract({x}, {y})"),
    op("multiply", lambda x, y: x * y, two(ANY), "{x} * {y}", "np.multiply({x}, {y})", "mg.multiply({x}, {y})"),
    op("divide", lambda x, y: x / y, two(ANY, NONZERO), "{x} / {y}", "np.divide({x}, {y})", "mg.divide({x}, {y})"),
    op("power", lambda x, y: x**y, two(POSITIVE, UNIT), "{x} ** {y}", "np.power({x}, {y})", "mg.pow({x}, {y})"),
    op("constant power", lambda x, n: x**n, one(POSITIVE, n=lambda draft: draft.dice.choice(EXPONENTS)),
       "{x} ** {n}", "np.power({x}, {n})", "mg.pow({x}, {n})"),
    op("whole power", lambda x, n: x**n, one(SMALL, n=lambda draft: draft.dice.choice(WHOLE)),
       "{x} ** {n}", "np.power({x}, {n})", "mg.pow({x}, {n})"),
    op("constant to the power", lambda x, c: np.add(c, 0.5) ** x, constant_first(REAL), "np.add({c}, 0.5) ** {x}"),
    op("constant minus", lambda x, c: c - x, constant_first(ANY), "{c} - {x}", "np.subtract({c}, {x})"),
    op("constant by", lambda x, c: c / x, constant_first(NONZERO), "{c} / {x}", "mg.divide({c}, {x})"),
    op("with itself", lambda x: x * x - x / (2 + d.abs2(x)), one(SMALL),
       "{x} * {x} - {x} / (2 + np.real({x} * np.conj({x})))"),
    op("maximum", d.maximum, two(REAL), "np.maximum({x}, {y})", "mg.maximum({x}, {y})", "np.fmax({x}, {y})"),
    op("minimum", d.minimum, two(REAL), "np.minimum({x}, {y})", "mg.minimum({x}, {y})", "np.fmin({x}, {y})"),
    op("logaddexp", d.logaddexp, two(REAL, constants=0), "np.logaddexp({x}, {y})", "mg.logaddexp({x}, {y})"),
    op("arctan2", d.arctan2, two(REAL, POSITIVE, 0), "np.arctan2({x}, {y})", "mg.atan2({x}, {y})"),
    op("hypot", lambda x, y: d.sqrt(d.square(x) + d.square(y)), two(REAL, POSITIVE, 0), "np.hypot({x}, {y})",
       "mg.hypot({x}, {y})"),
    op("remainder", lambda x, y: x - y * np.floor(d.plain(x) / d.plain(y)),
       clear(two(REAL, POSITIVE, 0), to_integer), "{x} % {y}",
       "np.remainder({x}, {y})", "np.mod({x}, {y})", "mg.remainder({x}, {y})"),
    op("copysign", lambda x, y: d.fabs(x) * np.copysign(d.plain(y) * 0 + 1, d.plain(y)),
       two(NONZERO_REAL, constants=0), "np.copysign({x}, {y})", "mg.copysign({x}, {y})"),
    op("xlogy", lambda x, y: x * d.log(y), two(REAL, POSITIVE, 0), "mg.special.xlogy({x}, {y})"),
    op("clip", d.clip, one(REAL, low=lambda draft: draft.number(-2, 0), high=lambda draft: draft.number(0, 2)),
       "np.clip({x}, {low}, {high})", "mg.clip({x}, {low}, {high})", "{x}.clip({low}, {high})"),
    op("clip to arrays", lambda x, y: d.minimum(d.maximum(x, y - 1), y + 1), same(REAL, REAL),
       "np.clip({x}, {y} - 1, {y} + 1)", "np.minimum(np.maximum({x}, {y} - 1), {y} + 1)"),
    op("where", lambda x, y: d.where(d.plain(x) > d.plain(y), x, y * y), clear(two(REAL, constants=0), difference),
       "np.where({x} > {y}, {x}, {y} * {y})", "mg.where(mg.greater({x}, {y}), {x}, {y} * {y})"),
    op("where it has a value", _log_where_large, clear(one(REAL), lambda x: x - 0.1),
       "np.where({x} > 0.1, np.log(np.where({x} > 0.1, {x}, 1)), 0)"),
    op("in place", lambda x, y: (x + y) / y, same(SMALL, NONZERO), "{out} = {x} + {y}\n{out} = {out} / {y}",
       "{out} = {x} + {y}\n{out} /= {y}", "{out} = {x} * 1\n{out} += {y}\n{out} /= {y}",
       on_arrays="({x} + {y}) / {y}"),
    op("in place, and before", lambda x, y: (x + y) * x - y, same(SMALL, SMALL),
       "{out} = {x} + {y}\n{out} *= {x}\n{out} -= {y}", on_arrays="({x} + {y}) * {x} - {y}"),
]

FAMILIES = [numbers, activations, binary]
