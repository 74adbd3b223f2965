"""Densities and distribution functions, under SciPy's names, differentiable in the argument and nearly all parameters.

Each distribution has SciPy's parameters, and of its methods those with a formula: `pdf` or `pmf`, `cdf`, `sf` and their
logarithms, not `ppf`, `rvs` and `fit`.  Outside of the support the density is 0, and so are all derivatives; parameters
outside of their domains give nan.  One thing has no closed formula and is refused: the derivative of a `cdf` or `sf`
that is an incomplete gamma or beta function by a parameter of its shape (of gamma, invgamma, chi2, beta and t, and the
`n` of binom and nbinom).  What gamma and beta functions are in needs SciPy.

The formulas are those of N. L. Johnson, S. Kotz and N. Balakrishnan, "Continuous univariate distributions", 1994, and
of the volume on discrete ones.

Examples
--------
>>> import numpy as np
>>> import minigrad as mg
>>> from minigrad import stats
>>> data = np.array([1.0, 2.0, 4.0])
>>> float(mg.grad(lambda m: np.sum(stats.norm.logpdf(data, loc=m, scale=2.0)))(2.0))
0.25
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad import special
from minigrad.linalg import cholesky, solve_triangular
from minigrad.operands import numeric_operand
from minigrad.ops.elementwise import abs as absolute
from minigrad.ops.elementwise import atan2, exp, expm1, floor, hypot, log, log1p, square, where
from minigrad.ops.gamma import log_student_density
from minigrad.ops.linalg import diagonal
from minigrad.ops.reductions import sum as total
from minigrad.ops.shaping import expand_dims
from minigrad.tensor import Tensor

__all__ = [
    "Continuous", "Discrete", "bernoulli", "beta", "binom", "cauchy", "chi2", "dirichlet", "expon", "gamma", "geom",
    "gumbel_r", "halfnorm", "invgamma", "laplace", "logistic", "lognorm", "multivariate_normal", "nbinom", "norm",
    "pareto", "poisson", "rayleigh", "t", "uniform", "weibull_min",
]  # fmt: skip

_HALF_LOG_TAU = math.log(2 * math.pi) / 2
_INF, _NAN = math.inf, math.nan
_STANDARD = {"loc": 0.0, "scale": 1.0}
Function = Callable[..., Any]


def _operand(x: Any, beside: Any = None) -> Any:
    """An operand as an array; a number has the precision of the array that it is beside."""
    if hasattr(x, "dtype"):
        return x
    precision = getattr(beside, "dtype", None)
    beside_floats = precision is not None and precision.kind == "f"
    if isinstance(x, Tensor):  # a number of Python in a program
        return x.astype(precision) if beside_floats else x
    if isinstance(x, (int, float)):
        return np.asarray(x, precision) if beside_floats else x
    return numeric_operand(x, "stats")


def _within_domain(name: str, value: Any) -> Any:
    """A parameter, nan where it is outside of its domain."""
    if name == "loc":
        return value
    positive = value >= 0 if name in ("p", "n", "mu") else value > 0
    valid = positive & (value <= 1) if name == "p" else positive
    if isinstance(valid, bool):
        return value if valid else _NAN
    return where(valid, value, _NAN)


class Support(NamedTuple):
    """Where a density is positive; if it is open, not at the lower bound."""

    low: float
    high: float
    open: bool = False


_EVERYWHERE = Support(-_INF, _INF)
_NOT_NEGATIVE, _POSITIVE, _PROBABILITY = Support(0.0, _INF), Support(0.0, _INF, True), Support(0.0, 1.0)


class _Distribution:
    """What distributions have in common: the names of their parameters, and their support."""

    scaled: tuple[str, ...] = ("loc", "scale")

    def __init__(self, name: str, shapes: str, support: Support, functions: dict[str, Function]) -> None:
        self.name, self.shapes = name, tuple(shapes.split())
        self.names = (*self.shapes, *self.scaled)
        self.support, self.functions = support, functions
        methods = [method for method in dir(self) if not method.startswith("_") and callable(getattr(self, method))]
        self.__doc__ = (
            f"`scipy.stats.{name}`, with the parameters {', '.join(self.names)}.\n\n"
            f"Its methods take an argument and these parameters: {', '.join(methods)}."
        )

    def _parameters(self, x: Any, args: Sequence[Any], named: dict[str, Any]) -> dict[str, Any]:
        """The values of the parameters beside `x`, nan where they are outside of their domains."""
        given = {**dict(zip(self.names, args, strict=False)), **named}
        wrong = [name for name in given if name not in self.names]
        wrong += [name for name in self.names[: len(args)] if name in named]
        wrong += [name for name in self.shapes if name not in given]
        if wrong or len(args) > len(self.names):
            found = f"look at {wrong[0]!r}" if wrong else f"{len(args)} were given"
            raise TypeError(f"{self.name} takes the parameters {', '.join(self.names)}: {found}")
        return {name: _within_domain(name, _operand(value, x)) for name, value in (_STANDARD | given).items()}

    def _value(self, z: Any, values: dict[str, Any], name: str, below: Any, above: Any) -> Any:
        """A function of a standard argument, with these values below and above the support."""
        shapes = [values[name] for name in self.shapes]
        low, high, is_open = self.support
        if self.support == _EVERYWHERE:
            return self.functions[name](z, *shapes)
        is_below = z <= low if is_open else z < low
        is_above = z > high if high < _INF else z == _INF
        # The function sees an argument of the support everywhere, so that no derivative is nan that the mask sets to 0.
        inside = where(is_below | is_above, low + (0.5 if high < _INF else 1.0), z)
        return where(is_below, below, where(is_above, above, self.functions[name](inside, *shapes)))

    def __repr__(self) -> str:
        return f"<minigrad.stats.{self.name}>"


class Continuous(_Distribution):
    """A continuous distribution; `loc` and `scale` move and stretch it."""

    def _standard(self, x: Any, args: Sequence[Any], named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The argument as for `loc` 0 and `scale` 1, and the parameters."""
        x = _operand(x)
        values = self._parameters(x, args, named)
        return (x - values["loc"]) / values["scale"], values

    def logpdf(self, x: Any, *args: Any, **named: Any) -> Any:
        """The logarithm of the density."""
        z, values = self._standard(x, args, named)
        return self._value(z, values, "logpdf", -_INF, -_INF) - log(values["scale"])

    def pdf(self, x: Any, *args: Any, **named: Any) -> Any:
        """The density."""
        return exp(self.logpdf(x, *args, **named))

    def cdf(self, x: Any, *args: Any, **named: Any) -> Any:
        """The probability of a number up to this one."""
        return self._value(*self._standard(x, args, named), "cdf", 0.0, 1.0)

    def sf(self, x: Any, *args: Any, **named: Any) -> Any:
        """The probability of a larger one."""
        return self._value(*self._standard(x, args, named), "sf", 1.0, 0.0)

    def logcdf(self, x: Any, *args: Any, **named: Any) -> Any:
        """The logarithm of `cdf`."""
        if "logcdf" not in self.functions:
            return _log(self.cdf(x, *args, **named), self.sf(x, *args, **named))
        return self._value(*self._standard(x, args, named), "logcdf", -_INF, 0.0)

    def logsf(self, x: Any, *args: Any, **named: Any) -> Any:
        """The logarithm of `sf`."""
        if "logsf" not in self.functions:
            return _log(self.sf(x, *args, **named), self.cdf(x, *args, **named))
        return self._value(*self._standard(x, args, named), "logsf", 0.0, -_INF)


class Discrete(_Distribution):
    """A distribution of whole numbers; `loc` moves it."""

    scaled = ("loc",)

    def _standard(self, k: Any, args: Sequence[Any], named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The argument as for `loc` 0, and the parameters."""
        k = _operand(k)
        values = self._parameters(k, args, named)
        return k - values["loc"], values

    def logpmf(self, k: Any, *args: Any, **named: Any) -> Any:
        """The logarithm of the probability of a number."""
        k, values = self._standard(k, args, named)
        y = self._value(k, values, "logpmf", -_INF, -_INF)
        return where((k != floor(k)) & (k == k), -_INF, y)

    def pmf(self, k: Any, *args: Any, **named: Any) -> Any:
        """The probability of a number."""
        return exp(self.logpmf(k, *args, **named))

    def cdf(self, k: Any, *args: Any, **named: Any) -> Any:
        """The probability of a number up to this one."""
        k, values = self._standard(k, args, named)
        return self._value(floor(k), values, "cdf", 0.0, 1.0)

    def sf(self, k: Any, *args: Any, **named: Any) -> Any:
        """The probability of a larger one."""
        k, values = self._standard(k, args, named)
        return self._value(floor(k), values, "sf", 1.0, 0.0)


def _log(probability: Any, rest: Any) -> Any:
    """The logarithm of a probability, accurate near 1 by means of the rest."""
    is_small = probability < 0.5
    return where(is_small, log(where(is_small, probability, 1.0)), log1p(-where(is_small, 0.0, rest)))


def _continuous(name: str, shapes: str = "", support: Support = _EVERYWHERE, **functions: Function) -> Continuous:
    return Continuous(name, shapes, support, functions)


def _discrete(name: str, shapes: str, support: Support, **functions: Function) -> Discrete:
    return Discrete(name, shapes, support, functions)


norm = _continuous(
    "norm",
    logpdf=lambda z: -square(z) / 2 - _HALF_LOG_TAU,
    cdf=special.ndtr,
    sf=lambda z: special.ndtr(-z),
    logcdf=special.log_ndtr,
    logsf=lambda z: special.log_ndtr(-z),
)
uniform = _continuous("uniform", support=_PROBABILITY, logpdf=lambda z: 0 * z, cdf=lambda z: +z, sf=lambda z: 1 - z)
expon = _continuous(
    "expon",
    support=_NOT_NEGATIVE,
    logpdf=lambda z: -z,
    cdf=lambda z: -expm1(-z),
    sf=lambda z: exp(-z),
    logsf=lambda z: -z,
)
laplace = _continuous(
    "laplace",
    logpdf=lambda z: -absolute(z) - math.log(2),
    cdf=lambda z: where(z < 0, exp(-absolute(z)) / 2, 1 - exp(-absolute(z)) / 2),
    sf=lambda z: where(z > 0, exp(-absolute(z)) / 2, 1 - exp(-absolute(z)) / 2),
)
cauchy = _continuous(
    "cauchy",
    logpdf=lambda z: -math.log(math.pi) - 2 * log(hypot(1.0, z)),
    cdf=lambda z: atan2(1.0, -z) / math.pi,
    sf=lambda z: atan2(1.0, z) / math.pi,
)
logistic = _continuous(
    "logistic",
    logpdf=lambda z: special.log_expit(z) + special.log_expit(-z),
    cdf=special.expit,
    sf=lambda z: special.expit(-z),
    logcdf=special.log_expit,
    logsf=lambda z: special.log_expit(-z),
)
gumbel_r = _continuous(
    "gumbel_r",
    logpdf=lambda z: -z - exp(-z),
    cdf=lambda z: exp(-exp(-z)),
    sf=lambda z: -expm1(-exp(-z)),
    logcdf=lambda z: -exp(-z),
)
gamma = _continuous(
    "gamma", "a", _NOT_NEGATIVE,
    logpdf=lambda z, a: special.xlogy(a - 1, z) - z - special.gammaln(a),
    cdf=lambda z, a: special.gammainc(a, z), sf=lambda z, a: special.gammaincc(a, z),
)  # fmt: skip
invgamma = _continuous(
    "invgamma", "a", _POSITIVE,
    logpdf=lambda z, a: -(a + 1) * log(z) - special.gammaln(a) - 1 / z,
    cdf=lambda z, a: special.gammaincc(a, 1 / z), sf=lambda z, a: special.gammainc(a, 1 / z),
)  # fmt: skip
chi2 = _continuous(
    "chi2", "df", _NOT_NEGATIVE,
    logpdf=lambda z, df: special.xlogy(df / 2 - 1, z) - z / 2 - special.gammaln(df / 2) - df * (math.log(2) / 2),
    cdf=lambda z, df: special.gammainc(df / 2, z / 2), sf=lambda z, df: special.gammaincc(df / 2, z / 2),
)  # fmt: skip
beta = _continuous(
    "beta", "a b", _PROBABILITY,
    logpdf=lambda z, a, b: special.xlogy(a - 1, z) + special.xlog1py(b - 1, -z) - special.betaln(a, b),
    cdf=lambda z, a, b: special.betainc(a, b, z), sf=lambda z, a, b: special.betainc(b, a, 1 - z),
)  # fmt: skip
t = _continuous(
    "t", "df",
    logpdf=lambda z, df: log_student_density(df, z), cdf=lambda z, df: special.stdtr(df, z),
    sf=lambda z, df: special.stdtr(df, -z),
)  # fmt: skip
lognorm = _continuous(
    "lognorm", "s", _POSITIVE,
    logpdf=lambda z, s: -square(log(z) / s) / 2 - log(z) - log(s) - _HALF_LOG_TAU,
    cdf=lambda z, s: special.ndtr(log(z) / s), sf=lambda z, s: special.ndtr(-log(z) / s),
    logcdf=lambda z, s: special.log_ndtr(log(z) / s), logsf=lambda z, s: special.log_ndtr(-log(z) / s),
)  # fmt: skip
halfnorm = _continuous(
    "halfnorm", support=_NOT_NEGATIVE,
    logpdf=lambda z: -square(z) / 2 + math.log(2 / math.pi) / 2, cdf=lambda z: special.erf(z / math.sqrt(2)),
    sf=lambda z: special.erfc(z / math.sqrt(2)),
)  # fmt: skip
rayleigh = _continuous(
    "rayleigh", support=_NOT_NEGATIVE, logpdf=lambda z: log(z) - square(z) / 2, cdf=lambda z: -expm1(-square(z) / 2),
    sf=lambda z: exp(-square(z) / 2), logsf=lambda z: -square(z) / 2,
)  # fmt: skip
weibull_min = _continuous(
    "weibull_min", "c", _NOT_NEGATIVE,
    logpdf=lambda z, c: log(c) + special.xlogy(c - 1, z) - z**c, cdf=lambda z, c: -expm1(-(z**c)),
    sf=lambda z, c: exp(-(z**c)), logsf=lambda z, c: -(z**c),
)  # fmt: skip
pareto = _continuous(
    "pareto", "b", Support(1.0, _INF), logpdf=lambda z, b: log(b) - (b + 1) * log(z), cdf=lambda z, b: 1 - z**-b,
    sf=lambda z, b: z**-b, logsf=lambda z, b: -b * log(z),
)  # fmt: skip

poisson = _discrete(
    "poisson", "mu", _NOT_NEGATIVE,
    logpmf=lambda k, mu: special.xlogy(k, mu) - mu - special.gammaln(k + 1.0),
    cdf=lambda k, mu: special.gammaincc(k + 1.0, mu), sf=lambda k, mu: special.gammainc(k + 1.0, mu),
)  # fmt: skip
bernoulli = _discrete(
    "bernoulli", "p", _PROBABILITY, logpmf=lambda k, p: special.xlogy(k, p) + special.xlog1py(1 - k, -p),
    cdf=lambda k, p: where(k < 1, 1 - p, 1.0) + 0 * k, sf=lambda k, p: where(k < 1, p, 0.0) + 0 * k,
)  # fmt: skip
geom = _discrete(
    "geom", "p", Support(1.0, _INF), logpmf=lambda k, p: special.xlog1py(k - 1.0, -p) + log(p),
    cdf=lambda k, p: where(p < 0.5, -expm1(k * log1p(-where(p < 0.5, p, 0.0))), 1 - (1 - p) ** k),
    sf=lambda k, p: (1 - p) ** k,
)  # fmt: skip
nbinom = _discrete(
    "nbinom", "n p", _NOT_NEGATIVE,
    logpmf=lambda k, n, p: special.gammaln(k + n) - special.gammaln(k + 1.0) - special.gammaln(n) + n * log(p)
    + special.xlog1py(k, -p),
    cdf=lambda k, n, p: special.betainc(n, k + 1.0, p), sf=lambda k, n, p: special.betainc(k + 1.0, n, 1 - p),
)  # fmt: skip


class _Binomial(Discrete):
    """`scipy.stats.binom`: numbers above `n` are outside of the support."""

    def logpmf(self, k: Any, *args: Any, **named: Any) -> Any:
        z, values = self._standard(k, args, named)
        return where(z > values["n"], -_INF, super().logpmf(k, *args, **named))

    def cdf(self, k: Any, *args: Any, **named: Any) -> Any:
        z, values = self._standard(k, args, named)
        return where(z >= values["n"], 1.0, super().cdf(k, *args, **named))

    def sf(self, k: Any, *args: Any, **named: Any) -> Any:
        z, values = self._standard(k, args, named)
        return where(z >= values["n"], 0.0, super().sf(k, *args, **named))


def _binomial(k: Any, n: Any, p: Any) -> Any:
    k = where(k > n, 0.0, k)
    choices = special.gammaln(n + 1.0) - special.gammaln(k + 1.0) - special.gammaln(n - k + 1.0)
    return choices + special.xlogy(k, p) + special.xlog1py(n - k, -p)


def _binomial_cdf(k: Any, n: Any, p: Any) -> Any:
    k = where(k >= n, 0.0, k)
    return special.betainc(n - k, k + 1.0, 1 - p)


def _binomial_sf(k: Any, n: Any, p: Any) -> Any:
    k = where(k >= n, 0.0, k)
    return special.betainc(k + 1.0, n - k, p)


binom = _Binomial("binom", "n p", _NOT_NEGATIVE, {"logpmf": _binomial, "cdf": _binomial_cdf, "sf": _binomial_sf})


def _length(parameter: Any) -> int:
    return int(np.shape(parameter)[-1]) if np.ndim(parameter) else 1


class _MultivariateNormal:
    """`scipy.stats.multivariate_normal`, of regular covariances."""

    def logpdf(self, x: Any, mean: Any = 0.0, cov: Any = 1.0) -> Any:
        """The logarithm of the density, of vectors along the last axis, or of numbers if the parameters are numbers.

        Parameters
        ----------
        x : array of shape (..., n)
        mean : number, or array of shape (n,)
        cov : number, or array of shape (n,) or (n, n)
            The variances if they are all, or the covariances, symmetric and positive definite; above the diagonal they
            are not looked at.

        Returns
        -------
        array of shape (...)

        Raises
        ------
        LinAlgError
            If `cov` is not positive definite.

        Examples
        --------
        >>> from minigrad import stats
        >>> round(float(stats.multivariate_normal.logpdf([0.0, 0.0], [0.0, 0.0], [1.0, 1.0])), 6)
        -1.837877
        """
        x, cov, mean = np.asarray(_operand(x)) if np.isscalar(x) else _operand(x), _operand(cov), _operand(mean)
        n = max(_length(mean), _length(cov))
        if x.ndim < 2 and n == 1:
            x = expand_dims(x, axis=-1)
        cov = cov if np.ndim(cov) == 2 else cov * np.eye(n)
        root = cholesky(cov)
        z = solve_triangular(root, expand_dims(x - mean, axis=-1), lower=True)[..., 0]
        return -total(square(z), axis=-1) / 2 - total(log(diagonal(root)), axis=-1) - n * _HALF_LOG_TAU

    def pdf(self, x: Any, mean: Any = 0.0, cov: Any = 1.0) -> Any:
        """The density."""
        return exp(self.logpdf(x, mean, cov))


class _Dirichlet:
    """`scipy.stats.dirichlet`, of vectors along the first axis."""

    def logpdf(self, x: Any, alpha: Any) -> Any:
        """The logarithm of the density, of vectors whose sum is 1: it is not looked at."""
        x, alpha = _operand(x), _operand(alpha)
        weights = alpha if x.ndim == 1 else alpha[(slice(None), *(None,) * (x.ndim - 1))]
        constant = total(special.gammaln(alpha)) - special.gammaln(total(alpha))
        return total(special.xlogy(weights - 1, x), axis=0) - constant

    def pdf(self, x: Any, alpha: Any) -> Any:
        """The density."""
        return exp(self.logpdf(x, alpha))


multivariate_normal, dirichlet = _MultivariateNormal(), _Dirichlet()
