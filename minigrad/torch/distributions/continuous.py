"""Distributions of real numbers."""

import math
from typing import Any, ClassVar

import minigrad as mg
from minigrad.core import no_grad
from minigrad.errors.dialects import no_derivative_of_samples
from minigrad.torch import creation
from minigrad.torch.distributions import constraints
from minigrad.torch.distributions.distribution import LOG_2_PI, Distribution, drawn, parameter_of
from minigrad.torch.functions import FUNCTIONS
from minigrad.torch.tensor import adopted, plain

__all__ = [
    "Beta",
    "Cauchy",
    "Chi2",
    "Exponential",
    "Gamma",
    "HalfNormal",
    "Laplace",
    "LogNormal",
    "Normal",
    "StudentT",
    "Uniform",
]
_where, _xlogy = FUNCTIONS["where"], FUNCTIONS["xlogy"]
_LOC_AND_SCALE = {"loc": constraints.real, "scale": constraints.positive}


def _ndtr(x: Any) -> Any:
    return adopted(mg.special.ndtr(plain(x)))


def _ndtri(p: Any) -> Any:
    return adopted(mg.special.ndtri(plain(p)))


class Normal(Distribution):
    """Normal."""

    arg_constraints: ClassVar = _LOC_AND_SCALE
    has_rsample = True
    loc: Any
    scale: Any
    mean = mode = property(lambda self: self.loc)
    stddev = property(lambda self: self.scale)
    variance = property(lambda self: self.scale**2)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.loc + self.scale * self._noise(creation.randn, sample_shape)

    def _log_prob(self, value: Any) -> Any:
        return -(((value - self.loc) / self.scale) ** 2) / 2 - self.scale.log() - LOG_2_PI / 2

    def entropy(self) -> Any:
        return 0.5 + LOG_2_PI / 2 + self.scale.log()

    def _cdf(self, value: Any) -> Any:
        return _ndtr((value - self.loc) / self.scale)

    def icdf(self, value: Any) -> Any:
        return self.loc + self.scale * _ndtri(value)


class LogNormal(Distribution):
    """The exponential of normal numbers."""

    arg_constraints: ClassVar = _LOC_AND_SCALE
    support = constraints.positive
    has_rsample = True
    loc: Any
    scale: Any
    base_dist = property(lambda self: Normal(self.loc, self.scale, validate_args=False))
    mean = property(lambda self: (self.loc + self.scale**2 / 2).exp())
    mode = property(lambda self: (self.loc - self.scale**2).exp())
    variance = property(lambda self: (self.scale**2).expm1() * (2 * self.loc + self.scale**2).exp())

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.base_dist.rsample(sample_shape).exp()

    def _log_prob(self, value: Any) -> Any:
        return self.base_dist.log_prob(value.log()) - value.log()

    def entropy(self) -> Any:
        return self.base_dist.entropy() + self.loc

    def _cdf(self, value: Any) -> Any:
        return self.base_dist.cdf(value.log())

    def icdf(self, value: Any) -> Any:
        return self.base_dist.icdf(value).exp()


class HalfNormal(Distribution):
    """The absolute value of normal numbers around 0."""

    arg_constraints: ClassVar = {"scale": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    scale: Any
    base_dist = property(lambda self: Normal(0.0, self.scale, validate_args=False))
    mean = property(lambda self: self.scale * math.sqrt(2 / math.pi))
    mode = property(lambda self: self.scale * 0)
    variance = property(lambda self: self.scale**2 * (1 - 2 / math.pi))

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.base_dist.rsample(sample_shape).abs()

    def _log_prob(self, value: Any) -> Any:
        return _where(value >= 0, self.base_dist.log_prob(value) + math.log(2), -math.inf)

    def entropy(self) -> Any:
        return self.base_dist.entropy() - math.log(2)

    def _cdf(self, value: Any) -> Any:
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, value: Any) -> Any:
        return self.base_dist.icdf((value + 1) / 2)


class Cauchy(Distribution):
    """Cauchy: without a mean, and of infinite variance."""

    arg_constraints: ClassVar = _LOC_AND_SCALE
    has_rsample = True
    loc: Any
    scale: Any
    mode = property(lambda self: self.loc)
    mean = property(lambda self: FUNCTIONS["full_like"](self.loc, math.nan))
    variance = property(lambda self: FUNCTIONS["full_like"](self.loc, math.inf))

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.icdf(self._noise(creation.rand, sample_shape))

    def _log_prob(self, value: Any) -> Any:
        return -math.log(math.pi) - self.scale.log() - (((value - self.loc) / self.scale) ** 2).log1p()

    def entropy(self) -> Any:
        return math.log(4 * math.pi) + self.scale.log()

    def _cdf(self, value: Any) -> Any:
        return ((value - self.loc) / self.scale).atan() / math.pi + 0.5

    def icdf(self, value: Any) -> Any:
        return self.loc + self.scale * (math.pi * (value - 0.5)).tan()


class Uniform(Distribution):
    """Uniform between two numbers."""

    arg_constraints: ClassVar = {"low": constraints.real, "high": constraints.real}
    has_rsample = True
    low: Any
    high: Any
    support = property(lambda self: constraints.between(self.low.detach().numpy(), self.high.detach().numpy()))
    mean = property(lambda self: (self.low + self.high) / 2)
    mode = property(lambda self: self.low * math.nan)
    variance = property(lambda self: (self.high - self.low) ** 2 / 12)

    def __init__(self, low: Any, high: Any, validate_args: bool | None = None) -> None:
        super().__init__(low, high, validate_args=validate_args)
        below = constraints.Constraint("above low", lambda high: high > self.low.detach().numpy())
        self._require(below, self.high, "the parameter high")

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.icdf(self._noise(creation.rand, sample_shape))

    def _log_prob(self, value: Any) -> Any:
        inside = (value >= self.low) & (value < self.high)
        return _where(inside, -(self.high - self.low).log(), -math.inf)

    def entropy(self) -> Any:
        return (self.high - self.low).log()

    def _cdf(self, value: Any) -> Any:
        return ((value - self.low) / (self.high - self.low)).clamp(0, 1)

    def icdf(self, value: Any) -> Any:
        return self.low + (self.high - self.low) * value


class Exponential(Distribution):
    """Exponential, by its rate."""

    arg_constraints: ClassVar = {"rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    rate: Any
    mean = stddev = property(lambda self: 1 / self.rate)
    mode = property(lambda self: self.rate * 0)
    variance = property(lambda self: self.rate**-2)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.icdf(self._noise(creation.rand, sample_shape))

    def _log_prob(self, value: Any) -> Any:
        return self.rate.log() - self.rate * value

    def entropy(self) -> Any:
        return 1 - self.rate.log()

    def _cdf(self, value: Any) -> Any:
        return -(-self.rate * value).expm1()

    def icdf(self, value: Any) -> Any:
        return -(-value).log1p() / self.rate


class Laplace(Distribution):
    """Two-sided exponential."""

    arg_constraints: ClassVar = _LOC_AND_SCALE
    has_rsample = True
    loc: Any
    scale: Any
    mean = mode = property(lambda self: self.loc)
    variance = property(lambda self: 2 * self.scale**2)
    stddev = property(lambda self: math.sqrt(2) * self.scale)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.icdf(self._noise(creation.rand, sample_shape))

    def _log_prob(self, value: Any) -> Any:
        return -(2 * self.scale).log() - (value - self.loc).abs() / self.scale

    def entropy(self) -> Any:
        return 1 + (2 * self.scale).log()

    def _cdf(self, value: Any) -> Any:
        z = value - self.loc
        return 0.5 - 0.5 * z.sign() * (-z.abs() / self.scale).expm1()

    def icdf(self, value: Any) -> Any:
        u = value - 0.5
        return self.loc - self.scale * u.sign() * (-2 * u.abs()).log1p()


class Gamma(Distribution):
    """Gamma, by its shape and its rate; samples are differentiable by the rate alone."""

    arg_constraints: ClassVar = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    concentration: Any
    rate: Any
    mean = property(lambda self: self.concentration / self.rate)
    mode = property(lambda self: ((self.concentration - 1) / self.rate).clamp(min=0))
    variance = property(lambda self: self.concentration / self.rate**2)

    def rsample(self, sample_shape: Any = ()) -> Any:
        if self.concentration.requires_grad:
            raise no_derivative_of_samples(type(self).__name__)
        return drawn("standard_gamma", self.concentration, shape=self._shape(sample_shape)) / self.rate

    def sample(self, sample_shape: Any = ()) -> Any:
        with no_grad():
            return Gamma(self.concentration.detach(), self.rate, validate_args=False).rsample(sample_shape)

    def _log_prob(self, value: Any) -> Any:
        a, b = self.concentration, self.rate
        return _xlogy(a, b) + _xlogy(a - 1, value) - b * value - a.lgamma()

    def entropy(self) -> Any:
        a = self.concentration
        return a - self.rate.log() + a.lgamma() + (1 - a) * a.digamma()

    def _cdf(self, value: Any) -> Any:
        return adopted(mg.special.gammainc(plain(self.concentration), plain(self.rate * value)))


class Chi2(Gamma):
    """The sum of squares of so many normal numbers."""

    df = property(lambda self: 2 * self.concentration)

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        super().__init__(parameter_of(df) / 2, 0.5, validate_args=validate_args)


class Beta(Distribution):
    """Beta, whose samples are not differentiable."""

    arg_constraints: ClassVar = {"concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval
    concentration1: Any
    concentration0: Any
    _sum = property(lambda self: self.concentration1 + self.concentration0)
    mean = property(lambda self: self.concentration1 / self._sum)
    variance = property(lambda self: self.mean * (1 - self.mean) / (self._sum + 1))

    @property
    def mode(self) -> Any:
        """Where the density is largest."""
        a, b = (self.concentration1 - 1).clamp(min=0), (self.concentration0 - 1).clamp(min=0)
        flat = (self.concentration1 < 1) & (self.concentration0 < 1)
        return _where(flat, (self.concentration1 >= self.concentration0).to(a.dtype), a / (a + b))

    def sample(self, sample_shape: Any = ()) -> Any:
        made = drawn("beta", self.concentration1, self.concentration0, shape=self._shape(sample_shape))
        eps = float(mg.finfo(made.dtype).eps)
        return made.clamp(eps / 2, 1 - eps / 2)

    def rsample(self, sample_shape: Any = ()) -> Any:
        if self._sum.requires_grad:
            raise no_derivative_of_samples("Beta")
        return self.sample(sample_shape)

    def _log_prob(self, value: Any) -> Any:
        a, b = self.concentration1, self.concentration0
        return _xlogy(a - 1, value) + _xlogy(b - 1, 1 - value) - self._log_norm()

    def _log_norm(self) -> Any:
        return self.concentration1.lgamma() + self.concentration0.lgamma() - self._sum.lgamma()

    def entropy(self) -> Any:
        a, b, total = self.concentration1, self.concentration0, self._sum
        return self._log_norm() - (a - 1) * a.digamma() - (b - 1) * b.digamma() + (total - 2) * total.digamma()


class StudentT(Distribution):
    """Student's t; samples are differentiable by `loc` and `scale`."""

    arg_constraints: ClassVar = {"df": constraints.positive, **_LOC_AND_SCALE}
    has_rsample = True
    df: Any
    loc: Any
    scale: Any
    mode = property(lambda self: self.loc)
    mean = property(lambda self: _where(self.df > 1, self.loc, math.nan))

    def __init__(self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None) -> None:
        super().__init__(df, loc, scale, validate_args=validate_args)

    @property
    def variance(self) -> Any:
        """Infinite for up to two degrees of freedom, and of none for one."""
        finite = self.scale**2 * self.df / (self.df - 2)
        return _where(self.df > 2, finite, _where(self.df > 1, self.df * 0 + math.inf, math.nan))

    def rsample(self, sample_shape: Any = ()) -> Any:
        noise = self._noise(creation.randn, sample_shape)
        squares = Chi2(self.df, validate_args=False).rsample(sample_shape)
        return self.loc + self.scale * noise * (self.df / squares).sqrt()

    def sample(self, sample_shape: Any = ()) -> Any:
        with no_grad():
            return StudentT(self.df.detach(), self.loc, self.scale, validate_args=False).rsample(sample_shape)

    def _log_prob(self, value: Any) -> Any:
        z, n = (value - self.loc) / self.scale, self.df
        norm = self.scale.log() + (n * math.pi).log() / 2 + (n / 2).lgamma() - ((n + 1) / 2).lgamma()
        return -(n + 1) / 2 * (z**2 / n).log1p() - norm

    def entropy(self) -> Any:
        n = self.df
        log_beta = (n / 2).lgamma() + math.lgamma(0.5) - ((n + 1) / 2).lgamma()
        spread = (n + 1) / 2 * (((n + 1) / 2).digamma() - (n / 2).digamma())
        return self.scale.log() + spread + n.log() / 2 + log_beta
