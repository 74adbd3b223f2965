"""`torch.distributions`: densities, entropies, divergences, and samples that can be differentiated."""

import math
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.core import no_grad
from minigrad.errors.dialects import not_in_the_dialect
from minigrad.torch import creation
from minigrad.torch.functions import FUNCTIONS
from minigrad.torch.functions import tensor_of as _plain_of
from minigrad.torch.nn.functional import binary_cross_entropy_with_logits  # type: ignore[attr-defined]
from minigrad.torch.tensor import adopted, promoted

log, log1p, exp, log_softmax, xlogy, sigmoid, where, sign, absolute = (
    FUNCTIONS[name] for name in ["log", "log1p", "exp", "log_softmax", "xlogy", "sigmoid", "where", "sign", "abs"]
)
_lgamma, digamma = FUNCTIONS["lgamma"], FUNCTIONS["digamma"]


def _ndtr(x: Any) -> Any:
    return adopted(mg.special.ndtr(_plain_of(x)))


def _ndtri(x: Any) -> Any:
    return adopted(mg.special.ndtri(_plain_of(x)))


def tensor_of(x: Any) -> Any:
    """A Tensor of the dialect."""
    return adopted(_plain_of(x))


class Distribution:
    """The base: `rsample` is differentiable where there is one, and `sample` never."""

    parameters: tuple[str, ...] = ()
    event_dims = 0

    def __init__(self, *parameters: Any, validate_args: Any = None, **named: Any) -> None:
        values = [*parameters, *(named[name] for name in self.parameters[len(parameters) :])]
        values = [adopted(x) for x in promoted(*map(_plain_of, values))]
        shape = np.broadcast_shapes(*(x.shape for x in values)) if not self.event_dims else None
        for name, x in zip(self.parameters, values, strict=True):
            setattr(self, name, x if shape is None else adopted(mg.broadcast_to(_plain_of(x), shape)))

    @property
    def batch_shape(self) -> Any:
        """The shape of a single sample, but for its event."""
        shape = getattr(self, self.parameters[0]).shape
        return shape[: len(shape) - self.event_dims]

    def _shape(self, sample_shape: Any) -> tuple[int, ...]:
        return (*sample_shape, *getattr(self, self.parameters[0]).shape)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Samples through which gradients go to the parameters."""
        raise NotImplementedError(
            f"{type(self).__name__} has no samples that can be differentiated: write sample() and log_prob()"
        )

    def sample(self, sample_shape: Any = ()) -> Any:
        """Samples."""
        with no_grad():
            return self.rsample(sample_shape).detach()

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density."""
        raise NotImplementedError(type(self).__name__)


def _xlogy(x: Any, y: Any) -> Any:
    """``x * log(y)``, and 0 where `x` is."""
    return adopted(mg.special.xlogy(tensor_of(x), tensor_of(y)))


class Normal(Distribution):
    """Normal."""

    parameters = ("loc", "scale")
    loc: Any
    scale: Any
    mean = property(lambda self: self.loc)
    stddev = property(lambda self: self.scale)
    variance = property(lambda self: self.scale**2)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.loc + self.scale * creation.randn(*self._shape(sample_shape), dtype=self.loc.dtype)

    def log_prob(self, value: Any) -> Any:
        return -(((value - self.loc) / self.scale) ** 2) / 2 - log(self.scale) - math.log(2 * math.pi) / 2

    def entropy(self) -> Any:
        return 0.5 + math.log(2 * math.pi) / 2 + log(self.scale)

    def cdf(self, value: Any) -> Any:
        return _ndtr((value - self.loc) / self.scale)

    def icdf(self, p: Any) -> Any:
        return self.loc + self.scale * _ndtri(p)


class Uniform(Distribution):
    """Uniform between two numbers."""

    parameters = ("low", "high")
    low: Any
    high: Any
    mean = property(lambda self: (self.low + self.high) / 2)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.low + (self.high - self.low) * creation.rand(*self._shape(sample_shape), dtype=self.low.dtype)

    def log_prob(self, value: Any) -> Any:
        inside = (value >= self.low) & (value < self.high)
        return where(inside, -log(self.high - self.low), -math.inf)

    def entropy(self) -> Any:
        return log(self.high - self.low)


class Exponential(Distribution):
    """Exponential, by its rate."""

    parameters = ("rate",)
    rate: Any
    mean = property(lambda self: 1 / self.rate)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return -log1p(-creation.rand(*self._shape(sample_shape), dtype=self.rate.dtype)) / self.rate

    def log_prob(self, value: Any) -> Any:
        return log(self.rate) - self.rate * value

    def entropy(self) -> Any:
        return 1 - log(self.rate)


class Laplace(Distribution):
    """Two-sided exponential."""

    parameters = ("loc", "scale")
    loc: Any
    scale: Any
    mean = property(lambda self: self.loc)

    def rsample(self, sample_shape: Any = ()) -> Any:
        u = creation.rand(*self._shape(sample_shape), dtype=self.loc.dtype) - 0.5
        return self.loc - self.scale * sign(u) * log1p(-2 * absolute(u))

    def log_prob(self, value: Any) -> Any:
        return -log(2 * self.scale) - absolute(value - self.loc) / self.scale

    def entropy(self) -> Any:
        return 1 + log(2 * self.scale)


class _OfLogits(Distribution):
    """One whose parameter is a probability, or its logarithm up to a constant."""

    parameters = ("logits",)
    logits: Any

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: Any = None) -> None:
        super().__init__(self._logits_of(tensor_of(probs)) if logits is None else logits)
        self._probs = None if probs is None else tensor_of(probs)

    def _logits_of(self, probs: Any) -> Any:
        raise NotImplementedError


class Bernoulli(_OfLogits):
    """0 or 1."""

    probs = property(lambda self: sigmoid(self.logits) if self._probs is None else self._probs)
    mean = property(lambda self: self.probs)

    def _logits_of(self, probs: Any) -> Any:
        eps = float(np.finfo(probs.dtype).eps)
        p = probs.clip(eps, 1 - eps)
        return log(p) - log1p(-p)

    def sample(self, sample_shape: Any = ()) -> Any:
        drawn = creation.rand(*self._shape(sample_shape), dtype=self.logits.dtype) < self.probs.detach()
        return drawn.to(self.logits.dtype)

    def log_prob(self, value: Any) -> Any:
        return -binary_cross_entropy_with_logits(self.logits, tensor_of(value), reduction="none")

    def entropy(self) -> Any:
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")


class Categorical(_OfLogits):
    """Whole numbers from 0, with weights."""

    event_dims = 1
    probs = property(lambda self: FUNCTIONS["softmax"](self.logits, dim=-1))

    def _logits_of(self, probs: Any) -> Any:
        eps = float(np.finfo(probs.dtype).eps)
        return log((probs / FUNCTIONS["sum"](probs, dim=-1, keepdim=True)).clip(eps, 1 - eps))

    def sample(self, sample_shape: Any = ()) -> Any:
        weights = self.probs.detach()
        shape, count = (*sample_shape, *self.batch_shape), math.prod(sample_shape)
        drawn = creation.multinomial(weights.reshape((-1, weights.shape[-1])), count, replacement=True)
        return drawn.t().reshape(shape)

    def log_prob(self, value: Any) -> Any:
        rows, value = log_softmax(self.logits, dim=-1), tensor_of(value).to(np.int64)
        rows = rows.expand(*np.broadcast_shapes(value.shape, rows.shape[:-1]), rows.shape[-1])
        return rows.gather(-1, value.expand(*rows.shape[:-1]).unsqueeze(-1))[..., 0]

    def entropy(self) -> Any:
        return -FUNCTIONS["sum"](self.probs * log_softmax(self.logits, dim=-1), dim=-1)


class Gamma(Distribution):
    """Gamma, by its shape and its rate."""

    parameters = ("concentration", "rate")
    concentration: Any
    rate: Any
    mean = property(lambda self: self.concentration / self.rate)

    def sample(self, sample_shape: Any = ()) -> Any:
        shape = self._shape(sample_shape)
        return (
            adopted(mg.random.drawn("standard_gamma", self.concentration.detach().numpy(), shape)).to(self.rate.dtype)
            / self.rate.detach()
        )

    def log_prob(self, value: Any) -> Any:
        a, b = self.concentration, self.rate
        return a * log(b) + _xlogy(a - 1, value) - b * value - _lgamma(a)

    def entropy(self) -> Any:
        a = self.concentration
        return a - log(self.rate) + _lgamma(a) + (1 - a) * digamma(a)


class Beta(Distribution):
    """Beta."""

    parameters = ("concentration1", "concentration0")
    concentration1: Any
    concentration0: Any
    mean = property(lambda self: self.concentration1 / (self.concentration1 + self.concentration0))

    def sample(self, sample_shape: Any = ()) -> Any:
        a, b = self.concentration1.detach().numpy(), self.concentration0.detach().numpy()
        return adopted(mg.random.drawn("beta", a, b, self._shape(sample_shape))).to(self.concentration1.dtype)

    def log_prob(self, value: Any) -> Any:
        a, b = self.concentration1, self.concentration0
        return _xlogy(a - 1, value) + _xlogy(b - 1, 1 - tensor_of(value)) - (_lgamma(a) + _lgamma(b) - _lgamma(a + b))


class Poisson(Distribution):
    """Counts, by their rate."""

    parameters = ("rate",)
    rate: Any
    mean = property(lambda self: self.rate)

    def sample(self, sample_shape: Any = ()) -> Any:
        return adopted(mg.random.drawn("poisson", self.rate.detach().numpy(), self._shape(sample_shape))).to(
            self.rate.dtype
        )

    def log_prob(self, value: Any) -> Any:
        return xlogy(value, self.rate) - self.rate - _lgamma(value + 1)


class MultivariateNormal(Distribution):
    """Normal vectors, by their mean and their covariance or its Cholesky factor."""

    event_dims = 1

    def __init__(
        self, loc: Any, covariance_matrix: Any = None, scale_tril: Any = None, validate_args: Any = None
    ) -> None:
        self.loc = tensor_of(loc)
        self.scale_tril = tensor_of(
            mg.linalg.cholesky(_plain_of(covariance_matrix)) if scale_tril is None else scale_tril
        )

    parameters = ("loc",)
    mean = property(lambda self: self.loc)

    def rsample(self, sample_shape: Any = ()) -> Any:
        noise = creation.randn(*self._shape(sample_shape), dtype=self.loc.dtype)
        return self.loc + (self.scale_tril @ noise[..., None])[..., 0]

    def log_prob(self, value: Any) -> Any:
        z = adopted(mg.linalg.solve(_plain_of(self.scale_tril), _plain_of((value - self.loc)[..., None])))[..., 0]
        logs = FUNCTIONS["sum"](log(self.scale_tril.diagonal(0, -2, -1)), dim=-1)
        return -FUNCTIONS["sum"](z**2, dim=-1) / 2 - logs - self.loc.shape[-1] * math.log(2 * math.pi) / 2


class Independent(Distribution):
    """Another one, whose last axes are one event."""

    def __init__(self, base_distribution: Any, reinterpreted_batch_ndims: int, validate_args: Any = None) -> None:
        self.base_dist, self._axes = base_distribution, tuple(range(-reinterpreted_batch_ndims, 0))

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.base_dist.rsample(sample_shape)

    def sample(self, sample_shape: Any = ()) -> Any:
        return self.base_dist.sample(sample_shape)

    def log_prob(self, value: Any) -> Any:
        return FUNCTIONS["sum"](self.base_dist.log_prob(value), dim=self._axes)

    def entropy(self) -> Any:
        return FUNCTIONS["sum"](self.base_dist.entropy(), dim=self._axes)


def kl_divergence(p: Any, q: Any) -> Any:
    """The divergence of Kullback and Leibler, of two distributions of one kind."""
    if isinstance(p, Independent) and isinstance(q, Independent):
        return FUNCTIONS["sum"](kl_divergence(p.base_dist, q.base_dist), dim=p._axes)
    if isinstance(p, Normal) and isinstance(q, Normal):
        ratio = (p.scale / q.scale) ** 2
        return (ratio + ((p.loc - q.loc) / q.scale) ** 2 - 1 - log(ratio)) / 2
    if isinstance(p, Categorical) and isinstance(q, Categorical):
        logs = [log_softmax(x.logits, dim=-1) for x in (p, q)]
        return FUNCTIONS["sum"](p.probs * (logs[0] - logs[1]), dim=-1)
    if isinstance(p, Bernoulli) and isinstance(q, Bernoulli):
        a, b = p.probs, q.probs
        return _xlogy(a, a) - _xlogy(a, b) + _xlogy(1 - a, 1 - a) - _xlogy(1 - a, 1 - b)
    if isinstance(p, Exponential) and isinstance(q, Exponential):
        ratio = q.rate / p.rate
        return ratio - 1 - log(ratio)
    raise not_in_the_dialect(f"distributions.kl_divergence of {type(p).__name__} and {type(q).__name__}")
