"""Distributions of counts and classes."""

import math
from typing import Any, ClassVar

import numpy as np

from minigrad.core import no_grad
from minigrad.errors.dialects import one_of_probs_and_logits
from minigrad.torch import creation
from minigrad.torch.distributions import constraints
from minigrad.torch.distributions.distribution import Distribution, drawn, parameter_of, together
from minigrad.torch.functions import FUNCTIONS
from minigrad.torch.nn import functional as F  # noqa: N812  # as PyTorch's users write it

__all__ = ["Bernoulli", "Binomial", "Categorical", "Geometric", "OneHotCategorical", "Poisson"]
_where, _xlogy = FUNCTIONS["where"], FUNCTIONS["xlogy"]


def _inside(probs: Any) -> Any:
    """Probabilities, kept from 0 and 1, where logarithms end."""
    eps = float(np.finfo(probs.dtype).eps)
    return probs.clamp(eps, 1 - eps)


def _cross_entropy(logits: Any, target: Any) -> Any:
    logits, target = together(logits, target)
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none")


class _OfLogits(Distribution):
    """One whose parameter is a probability, or its logarithm up to a constant."""

    arg_constraints: ClassVar = {"probs": constraints.unit_interval, "logits": constraints.real}

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        if (probs is None) == (logits is None):
            raise one_of_probs_and_logits(type(self).__name__)
        name, given = ("logits", logits) if probs is None else ("probs", probs)
        setattr(self, name, self._normalized(name, parameter_of(given)))
        self._examine(validate_args)

    def _normalized(self, name: str, given: Any) -> Any:
        return given

    def __getattr__(self, name: str) -> Any:
        """What was not given of the two; it is computed anew, as there may be gradients."""
        if name == "probs" and "logits" in vars(self):
            return self.logits.sigmoid()
        if name == "logits" and "probs" in vars(self):
            p = _inside(self.probs)
            return p.log() - (-p).log1p()
        return super().__getattr__(name)

    def _first(self) -> Any:
        return vars(self).get("logits", vars(self).get("probs"))


class Bernoulli(_OfLogits):
    """0 or 1."""

    support = constraints.boolean
    mean = property(lambda self: self.probs)
    variance = property(lambda self: self.probs * (1 - self.probs))
    mode = property(lambda self: _where(self.probs == 0.5, math.nan, (self.probs >= 0.5).to(self.probs.dtype)))

    def sample(self, sample_shape: Any = ()) -> Any:
        drawn = self._noise(creation.rand, sample_shape) < self.probs.detach()
        return drawn.to(self._first().dtype)

    def _log_prob(self, value: Any) -> Any:
        return -_cross_entropy(self.logits, value)

    def entropy(self) -> Any:
        return _cross_entropy(self.logits, self.probs)


class Geometric(_OfLogits):
    """How often 0 comes before the first 1."""

    support = constraints.nonnegative_integer
    mean = property(lambda self: 1 / self.probs - 1)
    variance = property(lambda self: (1 / self.probs - 1) / self.probs)
    mode = property(lambda self: self.probs * 0)

    def sample(self, sample_shape: Any = ()) -> Any:
        with no_grad():
            return ((-self._noise(creation.rand, sample_shape)).log1p() / (-self.probs).log1p()).floor()

    def _log_prob(self, value: Any) -> Any:
        return _xlogy(value, 1 - self.probs) + self.probs.log()

    def entropy(self) -> Any:
        return _cross_entropy(self.logits, self.probs) / self.probs


class Binomial(_OfLogits):
    """How often 1 comes among so many."""

    arg_constraints: ClassVar = {"total_count": constraints.nonnegative_integer, **_OfLogits.arg_constraints}
    total_count: Any
    support = property(lambda self: constraints.between(0, self.total_count.detach().numpy(), whole=True))
    mean = property(lambda self: self.total_count * self.probs)
    variance = property(lambda self: self.total_count * self.probs * (1 - self.probs))
    mode = property(lambda self: FUNCTIONS["minimum"](((self.total_count + 1) * self.probs).floor(), self.total_count))

    def __init__(
        self, total_count: Any = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        if (probs is None) == (logits is None):
            raise one_of_probs_and_logits("Binomial")
        self.total_count, given = together(total_count, logits if probs is None else probs)
        named = {"logits": given} if probs is None else {"probs": given}
        super().__init__(**named, validate_args=validate_args)

    def sample(self, sample_shape: Any = ()) -> Any:
        counts = self.total_count.long()
        return drawn("binomial", counts, self.probs, shape=self._shape(sample_shape)).to(self._first().dtype)

    def _log_prob(self, value: Any) -> Any:
        n, logits = self.total_count, self.logits
        ways = (n + 1).lgamma() - (value + 1).lgamma() - (n - value + 1).lgamma()
        return value * logits + ways - n * F.softplus(logits)

    def entropy(self) -> Any:
        count = int(self.total_count.max())
        if count != self.total_count.min():
            raise NotImplementedError("the entropy of a Binomial is there for one total_count alone")
        values = creation.arange(count + 1).reshape(-1, *(1,) * len(self.batch_shape))
        logs = self._log_prob(values.to(self._first().dtype))
        return -(logs.exp() * logs).sum(0)


class Categorical(_OfLogits):
    """Whole numbers from 0, with weights."""

    arg_constraints: ClassVar = {"probs": constraints.simplex, "logits": constraints.real}
    event_dims = 1
    event_shape = property(lambda self: self._first().shape[:0])
    support = property(lambda self: constraints.between(0, self._first().shape[-1] - 1, whole=True))
    mode = property(lambda self: self._first().argmax(dim=-1))
    mean = variance = property(lambda self: self._first()[..., 0] * 0 + math.nan)

    def _normalized(self, name: str, given: Any) -> Any:
        if name == "probs":
            return given / given.sum(-1, keepdim=True)
        return given - given.logsumexp(-1, keepdim=True)

    def __getattr__(self, name: str) -> Any:
        if name == "probs" and "logits" in vars(self):
            return self.logits.softmax(-1)
        if name == "logits" and "probs" in vars(self):
            return _inside(self.probs).log()
        return super().__getattr__(name)

    def sample(self, sample_shape: Any = ()) -> Any:
        weights = self.probs.detach()
        shape, count = (*sample_shape, *self.batch_shape), math.prod(sample_shape)
        drawn = creation.multinomial(weights.reshape((-1, weights.shape[-1])), count, replacement=True)
        return drawn.t().reshape(shape)

    def _log_prob(self, value: Any) -> Any:
        rows, value = self.logits, value.long()
        rows = rows.expand(*np.broadcast_shapes(value.shape, rows.shape[:-1]), rows.shape[-1])
        return rows.gather(-1, value.expand(*rows.shape[:-1]).unsqueeze(-1))[..., 0]

    def entropy(self) -> Any:
        least = float(np.finfo(self._first().dtype).min)  # so that 0 times it is 0
        return -(self.probs * self.logits.clamp(min=least)).sum(-1)


class OneHotCategorical(Categorical):
    """Classes, as rows of zeros with a single 1."""

    event_shape = property(lambda self: self._first().shape[-1:])
    support = constraints.one_hot
    mean = property(lambda self: self.probs)
    variance = property(lambda self: self.probs * (1 - self.probs))
    mode = property(lambda self: self._rows(self._first().argmax(dim=-1)))

    def _rows(self, numbers: Any) -> Any:
        return creation.eye(self._first().shape[-1], dtype=self._first().dtype)[numbers]

    def sample(self, sample_shape: Any = ()) -> Any:
        return self._rows(super().sample(sample_shape))

    def _log_prob(self, value: Any) -> Any:
        return super()._log_prob(value.argmax(dim=-1))


class Poisson(Distribution):
    """Counts, by their rate."""

    arg_constraints: ClassVar = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer
    rate: Any
    mean = variance = property(lambda self: self.rate)
    mode = property(lambda self: self.rate.floor())

    def sample(self, sample_shape: Any = ()) -> Any:
        return drawn("poisson", self.rate, shape=self._shape(sample_shape))

    def _log_prob(self, value: Any) -> Any:
        return _xlogy(value, self.rate) - self.rate - (value + 1).lgamma()
