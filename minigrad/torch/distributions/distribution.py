"""The base of all distributions."""

import math
from typing import Any, ClassVar

import numpy as np

import minigrad as mg
from minigrad.core import interpreter, no_grad, unwrap
from minigrad.errors.dialects import no_derivative_of_samples, not_allowed
from minigrad.torch import creation
from minigrad.torch.distributions import constraints
from minigrad.torch.distributions.constraints import Constraint
from minigrad.torch.tensor import OurTensor, Size, adopted, get_default_dtype, plain, promoted

__all__ = ["Distribution", "drawn", "parameter_of", "together"]


def parameter_of(x: Any) -> Any:
    """A Tensor of the dialect; numbers of Python have the default dtype."""
    return adopted(x) if isinstance(x, OurTensor) else creation.tensor(x, None if np.ndim(x) else get_default_dtype())


def together(*parameters: Any) -> list[Any]:
    """Parameters in one dtype and one shape."""
    values = promoted(*(plain(parameter_of(x)) for x in parameters))
    shape = np.broadcast_shapes(*(x.shape for x in values))
    return [adopted(mg.broadcast_to(x, shape)) for x in values]


def drawn(method: str, *parameters: Any, shape: Any) -> Any:
    """Samples by a method of NumPy's generators, of the dtype of the last parameter."""
    values = [x.detach().numpy() for x in parameters]
    return adopted(mg.random.drawn(method, *values, shape)).to(parameters[-1].dtype)


class Distribution:
    """The base: `rsample` is differentiable where there is one, and `sample` never."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {}
    support: Any = constraints.real
    event_dims = 0  # the last axes of the first parameter that belong to one event
    has_rsample = False
    _validates = True

    def __init__(self, *parameters: Any, validate_args: bool | None = None, **named: Any) -> None:
        values = [*parameters, *(named[name] for name in [*self.arg_constraints][len(parameters) :])]
        for name, x in zip(self.arg_constraints, values if self.event_dims else together(*values), strict=True):
            setattr(self, name, parameter_of(x))
        self._examine(validate_args)

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether parameters and values are examined where nothing is said about it."""
        Distribution._validates = value

    def _examine(self, validate_args: bool | None) -> None:
        """Note whether to examine parameters and values, and examine the parameters."""
        if validate_args is not None:
            self._validates = validate_args
        for name, constraint in self.arg_constraints.items():
            if name in vars(self):
                self._require(constraint, getattr(self, name), f"the parameter {name}")

    def _require(self, constraint: Constraint, x: Any, what: str) -> None:
        # Of what is traced the values are not those of later runs.
        if self._validates and interpreter() is None and not np.all(constraint.holds(unwrap(x))):
            raise not_allowed(type(self).__name__, what, constraint.said, unwrap(x))

    def _valid(self, value: Any) -> Any:
        """A value, examined, as a Tensor of floats."""
        value = parameter_of(value)
        self._require(self.support, value, "the value")
        return value if value.dtype.kind in "fc" else value.to(get_default_dtype())

    def _first(self) -> Any:
        return getattr(self, next(iter(self.arg_constraints)))

    @property
    def batch_shape(self) -> Size:
        """The shape of a single sample, but for its event."""
        shape = self._first().shape
        return Size(shape[: len(shape) - self.event_dims])

    @property
    def event_shape(self) -> Size:
        """The shape of one event."""
        shape = self._first().shape
        return Size(shape[len(shape) - self.event_dims :])

    @property
    def stddev(self) -> Any:
        """The square root of the variance."""
        return self.variance.sqrt()

    def expand(self, batch_shape: Any) -> Any:
        """The same distribution for more at once."""
        shapes = {name: (*batch_shape, *self.event_shape) for name in self.arg_constraints if name in vars(self)}
        return type(self)(**{name: getattr(self, name).expand(shape) for name, shape in shapes.items()})

    def _shape(self, sample_shape: Any) -> tuple[int, ...]:
        return (*sample_shape, *self.batch_shape, *self.event_shape)

    def _noise(self, make: Any, sample_shape: Any) -> Any:
        """Random numbers for each element of the samples."""
        return make(self._shape(sample_shape), dtype=self._first().dtype)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Samples through which gradients go to the parameters."""
        raise no_derivative_of_samples(type(self).__name__)

    def sample(self, sample_shape: Any = ()) -> Any:
        """Samples."""
        with no_grad():
            return self.rsample(sample_shape).detach()

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density, or of the probability."""
        return self._log_prob(self._valid(value))

    def _log_prob(self, value: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no log_prob")

    def entropy(self) -> Any:
        """The entropy."""
        raise NotImplementedError(f"{type(self).__name__} has no entropy")

    def perplexity(self) -> Any:
        """The exponential of the entropy."""
        return self.entropy().exp()

    def cdf(self, value: Any) -> Any:
        """The probability of what is not larger."""
        return self._cdf(self._valid(value))

    def _cdf(self, value: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no cdf")

    def icdf(self, value: Any) -> Any:
        """The number to which the `cdf` gives this probability."""
        raise NotImplementedError(f"{type(self).__name__} has no icdf")

    def __getattr__(self, name: str) -> Any:
        if name in ("mean", "mode", "variance"):
            raise NotImplementedError(f"{type(self).__name__} has no {name}")
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __repr__(self) -> str:
        held = ", ".join(f"{name}: {getattr(self, name)}" for name in self.arg_constraints if name in vars(self))
        return f"{type(self).__name__}({held})"


LOG_2_PI = math.log(2 * math.pi)
