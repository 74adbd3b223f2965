"""Weights that are computed from other parameters at each call: weight normalization, spectral normalization."""

from typing import Any, ClassVar, TypeVar

from minigrad.errors import ArgumentError
from minigrad.nn.convolution import _ConvTranspose
from minigrad.nn.layer import constant, write_to
from minigrad.nn.module import Module, Parameter
from minigrad.ops import shaping
from minigrad.ops.arguments import unrecorded
from minigrad.ops.axes import one_axis
from minigrad.ops.linalg import matmul, vector_norm
from minigrad.ops.numbers import larger, number
from minigrad.options import whole_number
from minigrad.random import generator
from minigrad.tensor import Tensor

AnyModule = TypeVar("AnyModule", bound=Module)


class _Reparametrization:
    """Before each call of a module, computes its weight anew and sets it as an attribute."""

    title: ClassVar[str]

    def __init__(self, name: str) -> None:
        self.name = name

    def compute(self, module: Module) -> Any:
        """The weight."""
        raise NotImplementedError

    def advance(self, module: Module) -> None:
        """What is done before the weight is computed for a call."""

    def __call__(self, module: Module, args: Any) -> None:
        self.advance(module)
        module.__dict__[self.name] = self.compute(module)


def _install(module: AnyModule, rule: _Reparametrization) -> AnyModule:
    module.__dict__[f"_{type(rule).__name__}_{rule.name}"] = rule, module.register_forward_pre_hook(rule)
    module._own_hooks().computed.add(rule.name)
    rule(module, ())
    return module


def _weight_of(module: Module, name: str, rule: type[_Reparametrization]) -> Parameter:
    """The parameter that is to be computed from now on."""
    weight = module._parameters.get(name)
    if weight is None:
        again = f"_{rule.__name__}_{name}" in module.__dict__
        raise ArgumentError(f"{type(module).__name__} has no parameter {name!r}" + (" any more" if again else ""))
    return weight


def _uninstall(module: AnyModule, name: str, rule: type[_Reparametrization], *parts: str) -> AnyModule:
    """Make the weight, computed from its parts as they are now, a parameter again."""
    own, handle = module.__dict__.pop(f"_{rule.__name__}_{name}", (None, None))
    if own is None:
        raise ArgumentError(f"{name!r} of {type(module).__name__} is not computed by {rule.title}")
    del module.__dict__[name]
    weight = own.compute(module)
    handle.remove()
    module._own_hooks().computed.discard(name)
    for part in parts:
        delattr(module, f"{name}_{part}")
    module.register_parameter(name, Parameter(weight.detach(), name=name))
    return module


# Weight normalization


def _norm_except(v: Any, dim: int | None) -> Any:
    if dim is None or dim == -1:
        return vector_norm(v)
    kept = one_axis(dim, v.ndim, "weight_norm")
    return vector_norm(v, axis=tuple(i for i in range(v.ndim) if i != kept), keepdims=True)


class _WeightNorm(_Reparametrization):
    title = "weight_norm"

    def __init__(self, name: str, dim: int | None) -> None:
        super().__init__(name)
        self.dim = dim

    def compute(self, module: Module) -> Any:
        g, v = getattr(module, f"{self.name}_g"), getattr(module, f"{self.name}_v")
        return v * (g / _norm_except(v, self.dim))


def weight_norm(module: AnyModule, name: str = "weight", dim: int | None = 0) -> AnyModule:
    """Divide a weight into a length and a direction, which are trained in its place.

    ``weight = g * v / norm(v)`` (T. Salimans and D. P. Kingma, "Weight normalization", NeurIPS 2016).

    Parameters
    ----------
    module : Module
    name : str
        The parameter; it is replaced by two, with ``_g`` and ``_v`` added to the name.
    dim : int or None
        The axis along which each entry has a length of its own; None for one length of the whole, and -1 too, as in
        PyTorch (other negative numbers count from the end).

    Returns
    -------
    Module
        The module itself.

    Examples
    --------
    >>> import minigrad as mg
    >>> layer = mg.nn.utils.weight_norm(mg.nn.Linear(3, 2))
    >>> {name: p.shape for name, p in layer.named_parameters()}
    {'bias': (2,), 'weight_g': (2, 1), 'weight_v': (2, 3)}
    """
    value = _weight_of(module, name, _WeightNorm).detach()
    lengths = _norm_except(value, dim)
    del module._parameters[name]
    module.register_parameter(f"{name}_g", Parameter(lengths))
    module.register_parameter(f"{name}_v", Parameter(value))
    return _install(module, _WeightNorm(name, dim))


def remove_weight_norm(module: AnyModule, name: str = "weight") -> AnyModule:
    """Make a weight that `weight_norm` had divided one parameter again.

    Examples
    --------
    >>> import minigrad as mg
    >>> layer = mg.nn.utils.remove_weight_norm(mg.nn.utils.weight_norm(mg.nn.Linear(3, 2)))
    >>> sorted(name for name, p in layer.named_parameters())
    ['bias', 'weight']
    """
    return _uninstall(module, name, _WeightNorm, "g", "v")


# Spectral normalization


def _unit(x: Any, eps: float) -> Any:
    return x / larger(number(vector_norm(x)), eps)


class _SpectralNorm(_Reparametrization):
    title = "spectral_norm"

    def __init__(self, name: str, iterations: int, eps: float, dim: int) -> None:
        super().__init__(name)
        self.iterations, self.eps, self.dim = iterations, eps, dim

    def matrix(self, weight: Any) -> Any:
        """The weight as a matrix whose rows are the outputs."""
        return shaping.moveaxis(weight, self.dim, 0).reshape(weight.shape[self.dim], -1)

    def advance(self, module: Module) -> None:
        """Follow the largest singular value, in training."""
        if not module.training:
            return
        u, v = self.vectors(module)
        matrix = self.matrix(constant(getattr(module, f"{self.name}_orig"), "a weight"))
        for _ in range(self.iterations):
            v = _unit(matmul(matrix.T, u), self.eps)
            u = _unit(matmul(matrix, v), self.eps)
        write_to(getattr(module, f"{self.name}_u"), u, in_memory=False)
        write_to(getattr(module, f"{self.name}_v"), v, in_memory=False)

    def vectors(self, module: Module) -> tuple[Any, Any]:
        """Approximations of the singular vectors."""
        u, v = (unrecorded(getattr(module, f"{self.name}_{part}")) for part in "uv")
        return u, v

    def compute(self, module: Module) -> Any:
        weight = getattr(module, f"{self.name}_orig")
        u, v = self.vectors(module)
        return weight / matmul(u, matmul(self.matrix(weight), v))


def spectral_norm(
    module: AnyModule, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> AnyModule:
    """Divide a weight by its largest singular value, which is followed by power iteration at each call in training.

    T. Miyato et al., "Spectral normalization for generative adversarial networks", ICLR 2018.

    Parameters
    ----------
    module : Module
    name : str
        The parameter; it is kept with ``_orig`` added to the name, and two vectors become buffers.
    n_power_iterations : int
        At each call.
    eps : float
    dim : int, optional
        The axis of the outputs: by default 0, and 1 for transposed convolutions.

    Returns
    -------
    Module
        The module itself.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> layer = mg.nn.utils.spectral_norm(mg.nn.Linear(3, 2), n_power_iterations=50)
    >>> y = layer(mg.zeros(3))
    >>> round(float(np.linalg.svd(layer.weight.detach().numpy())[1][0]), 4)
    1.0
    """
    whole_number(n_power_iterations, "spectral_norm: n_power_iterations")
    weight = _weight_of(module, name, _SpectralNorm)
    if dim is None:
        dim = 1 if isinstance(module, _ConvTranspose) else 0
    rule = _SpectralNorm(name, n_power_iterations, eps, dim)
    matrix = rule.matrix(weight.detach()).array
    draw = generator()
    u, v = (_unit(draw.normal(size=n).astype(weight.dtype), eps) for n in matrix.shape)
    for _ in range(15):  # a start near the largest singular value, whatever the weight
        v = _unit(matrix.T @ u, eps)
        u = _unit(matrix @ v, eps)
    del module._parameters[name]
    module.register_parameter(f"{name}_orig", weight)
    module.register_buffer(f"{name}_u", Tensor(u))
    module.register_buffer(f"{name}_v", Tensor(v))
    return _install(module, rule)


def remove_spectral_norm(module: AnyModule, name: str = "weight") -> AnyModule:
    """Make the weight that `spectral_norm` computes a parameter again.

    Examples
    --------
    >>> import minigrad as mg
    >>> layer = mg.nn.utils.remove_spectral_norm(mg.nn.utils.spectral_norm(mg.nn.Linear(3, 2)))
    >>> sorted(layer.state_dict())
    ['bias', 'weight']
    """
    return _uninstall(module, name, _SpectralNorm, "orig", "u", "v")
