"""The divergence of Kullback and Leibler between two distributions of one kind."""

import math
from collections.abc import Callable
from typing import Any

from minigrad.errors.dialects import not_in_the_dialect
from minigrad.torch.distributions import continuous, discrete, multivariate
from minigrad.torch.distributions.multivariate import solved
from minigrad.torch.functions import FUNCTIONS
from minigrad.torch.nn import functional as F  # noqa: N812  # as PyTorch's users write it

__all__ = ["kl_divergence"]
_where = FUNCTIONS["where"]


def _normal(p: Any, q: Any) -> Any:
    ratio = (p.scale / q.scale) ** 2
    return (ratio + ((p.loc - q.loc) / q.scale) ** 2 - 1 - ratio.log()) / 2


def _half_normal(p: Any, q: Any) -> Any:
    return _normal(p.base_dist, q.base_dist)


def _cauchy(p: Any, q: Any) -> Any:
    return ((p.scale + q.scale) ** 2 + (p.loc - q.loc) ** 2).log() - (4 * p.scale * q.scale).log()


def _uniform(p: Any, q: Any) -> Any:
    outside = (q.low > p.low) | (q.high < p.high)
    return _where(outside, math.inf, ((q.high - q.low) / (p.high - p.low)).log())


def _exponential(p: Any, q: Any) -> Any:
    ratio = q.rate / p.rate
    return ratio - 1 - ratio.log()


def _laplace(p: Any, q: Any) -> Any:
    ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
    return distance / q.scale + ratio * (-distance / p.scale).exp() - ratio.log() - 1


def _gamma(p: Any, q: Any) -> Any:
    a, b = p.concentration, q.concentration
    logs = b * (p.rate / q.rate).log() + b.lgamma() - a.lgamma()
    return logs + (a - b) * a.digamma() + (q.rate - p.rate) * (a / p.rate)


def _beta(p: Any, q: Any) -> Any:
    kept = [(p.concentration1, q.concentration1), (p.concentration0, q.concentration0)]
    parts = sum((a - b) * a.digamma() for a, b in kept)
    return q._log_norm() - p._log_norm() + parts + (q._sum - p._sum) * p._sum.digamma()


def _dirichlet(p: Any, q: Any) -> Any:
    a, b = p.concentration, q.concentration
    return q._log_norm() - p._log_norm() + ((a - b) * (a.digamma() - p._sum.digamma())).sum(-1)


def _multivariate_normal(p: Any, q: Any) -> Any:
    size = p.loc.shape[-1]
    columns = solved(q.scale_tril.unsqueeze(-3), p.scale_tril.mT)  # one right-hand side for each row
    distance = solved(q.scale_tril, q.loc - p.loc)
    spread = (columns**2).sum(dim=(-2, -1)) + (distance**2).sum(-1)
    return q.half_log_det() - p.half_log_det() + (spread - size) / 2


def _weighted(weight: Any, log_ratio: Any, allowed: Any) -> Any:
    """``weight * log_ratio``: infinite where the other probability is 0, and 0 where the own one is."""
    return _where(weight == 0, 0.0, _where(allowed == 0, math.inf, weight * log_ratio))


def _categorical(p: Any, q: Any) -> Any:
    return _weighted(p.probs, p.logits - q.logits, q.probs).sum(-1)


def _bernoulli(p: Any, q: Any) -> Any:
    ones = _weighted(p.probs, F.softplus(-q.logits) - F.softplus(-p.logits), q.probs)
    return ones + _weighted(1 - p.probs, F.softplus(q.logits) - F.softplus(p.logits), 1 - q.probs)


def _binomial(p: Any, q: Any) -> Any:
    if (p.total_count != q.total_count).any():
        raise not_in_the_dialect("distributions.kl_divergence of two Binomials with other total_counts")
    return p.total_count * _bernoulli(p, q)


def _geometric(p: Any, q: Any) -> Any:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


def _poisson(p: Any, q: Any) -> Any:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


def _independent(p: Any, q: Any) -> Any:
    return p.summed(kl_divergence(p.base_dist, q.base_dist))


_OF: dict[type, Callable[[Any, Any], Any]] = {
    continuous.Normal: _normal, continuous.LogNormal: _normal, continuous.HalfNormal: _half_normal,
    continuous.Cauchy: _cauchy, continuous.Uniform: _uniform, continuous.Exponential: _exponential,
    continuous.Laplace: _laplace, continuous.Gamma: _gamma, continuous.Chi2: _gamma, continuous.Beta: _beta,
    discrete.Bernoulli: _bernoulli, discrete.Binomial: _binomial, discrete.Categorical: _categorical,
    discrete.OneHotCategorical: _categorical, discrete.Geometric: _geometric, discrete.Poisson: _poisson,
    multivariate.Dirichlet: _dirichlet, multivariate.MultivariateNormal: _multivariate_normal,
    multivariate.Independent: _independent,
}  # fmt: skip


def kl_divergence(p: Any, q: Any) -> Any:
    """The divergence of `p` from `q`."""
    if type(p) not in _OF or _OF[type(p)] is not _OF.get(type(q)):
        raise not_in_the_dialect(f"distributions.kl_divergence of {type(p).__name__} and {type(q).__name__}")
    return _OF[type(p)](p, q)
