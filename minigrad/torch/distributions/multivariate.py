"""Distributions of vectors."""

from typing import Any, ClassVar

import numpy as np

import minigrad as mg
from minigrad.errors import ArgumentError
from minigrad.errors.dialects import no_derivative_of_samples
from minigrad.torch import creation
from minigrad.torch.distributions import constraints
from minigrad.torch.distributions.distribution import LOG_2_PI, Distribution, drawn, parameter_of
from minigrad.torch.functions import FUNCTIONS
from minigrad.torch.tensor import Size, adopted, plain

__all__ = ["Dirichlet", "Independent", "MultivariateNormal", "solved"]


def solved(triangle: Any, vectors: Any) -> Any:
    """The inverse of a lower triangular matrix times vectors."""
    return adopted(mg.linalg.solve_triangular(plain(triangle), plain(vectors.unsqueeze(-1)), lower=True))[..., 0]


class MultivariateNormal(Distribution):
    """Normal vectors, by their mean, and their covariance, its inverse, or its Cholesky factor."""

    arg_constraints: ClassVar = {
        "loc": constraints.real,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
    }
    event_dims = 1
    has_rsample = True
    mean = mode = property(lambda self: self.loc)
    variance = property(lambda self: (self.scale_tril**2).sum(-1))

    def __init__(
        self,
        loc: Any,
        covariance_matrix: Any = None,
        precision_matrix: Any = None,
        scale_tril: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        given = {
            "covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix, "scale_tril": scale_tril,
        }  # fmt: skip
        known = {name: parameter_of(x) for name, x in given.items() if x is not None}
        if len(known) != 1:
            raise ArgumentError(f"MultivariateNormal takes one of {', '.join(given)}")
        ((name, matrix),) = known.items()
        self.loc = parameter_of(loc)
        setattr(self, name, matrix)
        self._examine(validate_args)
        if name != "scale_tril":
            matrix = mg.linalg.inv(plain(matrix)) if name == "precision_matrix" else plain(matrix)
            self.scale_tril = adopted(mg.linalg.cholesky(matrix))
        batch = np.broadcast_shapes(self.loc.shape[:-1], self.scale_tril.shape[:-2])
        self.loc, self.scale_tril = self.loc.expand(*batch, -1), self.scale_tril.expand(*batch, -1, -1)

    def __getattr__(self, name: str) -> Any:
        if name == "covariance_matrix":
            return self.scale_tril @ self.scale_tril.mT
        if name == "precision_matrix":
            return self.covariance_matrix.inverse()
        return super().__getattr__(name)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.loc + (self.scale_tril @ self._noise(creation.randn, sample_shape)[..., None])[..., 0]

    def half_log_det(self) -> Any:
        """The logarithm of the determinant of the Cholesky factor."""
        return self.scale_tril.diagonal(0, -2, -1).log().sum(-1)

    def _log_prob(self, value: Any) -> Any:
        z = solved(self.scale_tril, value - self.loc)
        return -(z**2).sum(-1) / 2 - self.half_log_det() - self.loc.shape[-1] * LOG_2_PI / 2

    def entropy(self) -> Any:
        return self.half_log_det() + self.loc.shape[-1] * (1 + LOG_2_PI) / 2


class Dirichlet(Distribution):
    """Weights whose sum is 1; samples are not differentiable."""

    arg_constraints: ClassVar = {"concentration": constraints.positive}
    support = constraints.simplex
    event_dims = 1
    concentration: Any
    _sum = property(lambda self: self.concentration.sum(-1, keepdim=True))
    mean = property(lambda self: self.concentration / self._sum)
    variance = property(lambda self: self.mean * (1 - self.mean) / (self._sum + 1))

    @property
    def mode(self) -> Any:
        """Where the density is largest."""
        above = (self.concentration - 1).clamp(min=0)
        corner = creation.eye(self.concentration.shape[-1], dtype=above.dtype)[self.concentration.argmax(dim=-1)]
        flat = (self.concentration < 1).all(dim=-1, keepdim=True)
        return FUNCTIONS["where"](flat, corner, above / above.sum(-1, keepdim=True))

    def sample(self, sample_shape: Any = ()) -> Any:
        parts = drawn("standard_gamma", self.concentration, shape=self._shape(sample_shape))
        return parts / parts.sum(-1, keepdim=True)

    def rsample(self, sample_shape: Any = ()) -> Any:
        if self.concentration.requires_grad:
            raise no_derivative_of_samples("Dirichlet")
        return self.sample(sample_shape)

    def _log_prob(self, value: Any) -> Any:
        return FUNCTIONS["xlogy"](self.concentration - 1, value).sum(-1) - self._log_norm()

    def _log_norm(self) -> Any:
        return self.concentration.lgamma().sum(-1) - self._sum[..., 0].lgamma()

    def entropy(self) -> Any:
        a, total = self.concentration, self._sum[..., 0]
        return self._log_norm() + (total - a.shape[-1]) * total.digamma() - ((a - 1) * a.digamma()).sum(-1)


class Independent(Distribution):
    """Another one, whose last axes are one event."""

    mean = property(lambda self: self.base_dist.mean)
    mode = property(lambda self: self.base_dist.mode)
    variance = property(lambda self: self.base_dist.variance)
    has_rsample = property(lambda self: self.base_dist.has_rsample)
    support = property(lambda self: self.base_dist.support)

    def __init__(
        self, base_distribution: Any, reinterpreted_batch_ndims: int, validate_args: bool | None = None
    ) -> None:
        self.base_dist, self.reinterpreted_batch_ndims = base_distribution, reinterpreted_batch_ndims
        self._examine(validate_args)

    def _split(self) -> int:
        return len(self.base_dist.batch_shape) - self.reinterpreted_batch_ndims

    @property
    def batch_shape(self) -> Size:
        """The axes that are left."""
        return Size(self.base_dist.batch_shape[: self._split()])

    @property
    def event_shape(self) -> Size:
        """The axes that became an event, and the events before."""
        return Size((*self.base_dist.batch_shape[self._split() :], *self.base_dist.event_shape))

    def summed(self, x: Any) -> Any:
        """The sum along the axes that became an event."""
        axes = tuple(range(-self.reinterpreted_batch_ndims, 0))
        return x.sum(dim=axes) if axes else x

    def expand(self, batch_shape: Any) -> Any:
        """The same distribution for more at once."""
        inner = self.base_dist.expand((*batch_shape, *self.base_dist.batch_shape[self._split() :]))
        return Independent(inner, self.reinterpreted_batch_ndims)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.base_dist.rsample(sample_shape)

    def sample(self, sample_shape: Any = ()) -> Any:
        return self.base_dist.sample(sample_shape)

    def _log_prob(self, value: Any) -> Any:
        return self.summed(self.base_dist.log_prob(value))

    def entropy(self) -> Any:
        return self.summed(self.base_dist.entropy())
