"""The loss around a network's parameters, along two directions through the space of all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from minigrad.core import no_grad, unwrap
from minigrad.curvature.hessian import Hessian, trained_parameters
from minigrad.errors import ArgumentError, ShapeError
from minigrad.errors.executors import WRITE_A_PARTIAL, loss_without_module
from minigrad.errors.words import describe
from minigrad.executors import Packed, gathered, holds
from minigrad.nn.module import Module, Parameter
from minigrad.nn.restoring import with_state_restored
from minigrad.operands import numeric
from minigrad.random import generator as random_generator

Direction = dict[str, np.ndarray]


@dataclass(frozen=True, repr=False, eq=False)
class Surface:
    """What `loss_surface` returns.

    Attributes
    ----------
    a, b : ndarray of float64
        Positions along the first and the second direction.
    losses : ndarray of float64, shape (len(b), len(a))
        ``losses[i, j]`` is the loss at the parameters plus ``a[j]`` times the first direction plus ``b[i]`` times the
        second: what Matplotlib's ``contour(a, b, losses)`` expects.
    loss : float
        The loss at the parameters themselves.
    directions : tuple of two dicts
        Arrays by the paths of the parameters; to be given to `loss_surface` again.
    """

    a: np.ndarray
    b: np.ndarray
    losses: np.ndarray
    loss: float
    directions: tuple[Direction, Direction]

    def __repr__(self) -> str:
        return (
            f"Surface: {len(self.b)} x {len(self.a)} losses from {self.losses.min():.4g} to {self.losses.max():.4g}, "
            f"{self.loss:.4g} at the centre"
        )


def loss_surface(
    loss: Callable[[], Any],
    module: Module,
    *,
    directions: "str | Sequence[Any] | None" = None,
    span: "float | tuple[float, float]" = 1.0,
    points: "int | tuple[int, int]" = 25,
    normalize: bool = True,
    generator: "np.random.Generator | None" = None,
    map: Callable[..., Any] | None = None,
) -> Surface:
    """The loss on a grid around a network's parameters, along two directions.

    Random directions are made comparable with the weights filter by filter: each filter of a direction (each part of a
    parameter along its first axis: the weights of one unit or one channel) is scaled to the norm of the same filter of
    the weights (H. Li et al., "Visualizing the loss landscape of neural nets", NeurIPS 2018).  Parameters with one axis
    or none, such as biases and the scales of normalizations, do not move then, as in that paper's program.  Buffers
    never move, and neither do parameters that do not require grad.

    Every point is computed under `no_grad` from the same start: the same running statistics, the same random numbers
    of the package.  Afterwards the module is what it was, also if `loss` raises.

    Parameters
    ----------
    loss : callable
        Without arguments; calls the module and returns a single number.
    module : Module
        Its mode (`train` or `eval`) is the caller's.
    directions : "hessian" or pair, optional
        ``"hessian"``: the eigenvectors, of length 1, of the largest and the second largest eigenvalue of the Hessian.
        A pair: each a dict from paths of parameters to arrays (those that are absent do not move), or a sequence of
        arrays, one for each parameter that requires grad.  By default two random ones.
    span : float or pair of float
        The grid goes from -span to span; a pair is for the two directions.
    points : int or pair of int
        How many positions; with an odd number the parameters themselves are in the middle.
    normalize : bool
        Without it random directions are standard normal numbers for all parameters that require grad, as they are.
    generator : numpy.random.Generator, optional
        For random directions; by default the package's.
    map : callable, optional
        The ``map`` of an executor, whose workers compute a row of the grid at a time, as for `optim.sweep`: the same
        losses, to the last bit.  Each works on a copy of the module, so `loss` must hold it, and be pickled with it:
        ``functools.partial(function, module, X, y)`` of a function at the top level of a module, and no lambda.

    Returns
    -------
    Surface

    Raises
    ------
    ShapeError
        If a direction does not fit the parameters, or `loss` does not return a single number.
    ValueError
        If no parameter requires grad or would move, or an option makes no sense; if `loss` cannot be sent to workers.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> from minigrad.curvature import loss_surface
    >>> model = mg.nn.Linear(2, 1, bias=False)
    >>> with mg.no_grad():
    ...     model.weight[...] = 1.0
    >>> X = np.array([[1.0, 0.0], [0.0, 3.0]])
    >>> along = {"weight": np.array([[1.0, 0.0]])}, {"weight": np.array([[0.0, 1.0]])}
    >>> loss = lambda: ((model(X) - X.sum(1, keepdims=True)) ** 2).sum()
    >>> loss_surface(loss, model, directions=along, points=3).losses
    array([[10.,  9., 10.],
           [ 1.,  0.,  1.],
           [10.,  9., 10.]])
    """
    parameters = trained_parameters(module)
    a, b = (_positions(*along) for along in zip(_pair("span", span), _pair("points", points), strict=True))
    if directions is None:
        numbers = random_generator(generator)
        first, second = (_random(parameters, normalize, numbers) for _ in range(2))
    elif isinstance(directions, str):
        first, second = _eigenvectors(directions, loss, module, generator)
    else:
        first, second = (_given(direction, parameters) for direction in _pair("directions", directions))

    losses = _Losses(loss, module, first, second, a)
    centre = losses.at(0.0, 0.0)
    rows = [losses.row(j) for j in b] if map is None else _on_workers(losses, b, map)
    return Surface(a, b, np.array(rows), centre, (first, second))


class _Losses:
    """The losses at the points of a grid around a module's parameters."""

    def __init__(
        self, loss: Callable[[], Any], module: Module, first: Direction, second: Direction, a: np.ndarray
    ) -> None:
        self.loss, self.module, self.first, self.second, self.a = loss, module, first, second, a

    def row(self, j: float) -> list[float]:
        """Those of all positions along the first direction, at one along the second."""
        return [self.at(i, j) for i in self.a]

    def at(self, i: float, j: float) -> float:
        """That of one point."""
        return with_state_restored(self.module, partial(self._compute, i, j))

    def _compute(self, i: float, j: float) -> float:
        """Move the parameters, and compute the loss: to be called by `with_state_restored`."""
        for name, p in trained_parameters(self.module).items():
            p.array = p.array + (i * self.first[name] + j * self.second[name]).astype(p.dtype)
        # Far away a loss may overflow: the surface shows it.
        with no_grad(), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            value = np.asarray(unwrap(self.loss()))
        if value.size != 1:
            raise ShapeError(f"loss_surface: the loss has shape {value.shape}, and must be a single number")
        return float(value.reshape(()))


def _on_workers(losses: _Losses, b: np.ndarray, map: Callable[..., Any]) -> list[list[float]]:
    """The rows of the grid, each computed by a worker on a copy of the module: threads must not share one."""
    packed = Packed(losses.row, "loss_surface", WRITE_A_PARTIAL)
    if not holds(losses.loss, [*losses.module.modules(), *losses.module.parameters()]):
        raise loss_without_module("loss_surface")
    return gathered(packed, b.tolist(), map, "loss_surface")


def _pair(name: str, value: Any) -> Sequence[Any]:
    """Something for each of the two directions."""
    pair = (value, value) if np.isscalar(value) else value
    if not isinstance(pair, Sequence) or len(pair) != 2:
        raise ArgumentError(f"loss_surface: {name} must be two, one for each direction, not {_in_words(value)}")
    return pair


def _in_words(value: Any) -> str:
    return f"a {type(value).__name__} of {len(value)}" if hasattr(value, "__len__") else repr(value)


def _positions(span: float, points: int) -> np.ndarray:
    if not 0 < span < np.inf:
        raise ArgumentError(f"loss_surface: span must be positive and finite, not {span!r}")
    if not isinstance(points, (int, np.integer)) or points < 2:
        raise ArgumentError(f"loss_surface: points must be a whole number of 2 or more, not {points!r}")
    return np.linspace(-span, span, points)


# Directions


def _random(parameters: dict[str, Parameter], normalize: bool, numbers: "np.random.Generator") -> Direction:
    direction = {name: numbers.standard_normal(p.shape) for name, p in parameters.items()}
    if not normalize:
        return direction
    if all(p.ndim <= 1 for p in parameters.values()):
        raise ArgumentError(
            f"loss_surface: none of the parameters {', '.join(parameters)} has more than one axis, and normalized "
            "directions leave those where they are: pass normalize=False, or directions of your own"
        )
    return {name: _filter_normalized(d, parameters[name].array) for name, d in direction.items()}


def _filter_normalized(d: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """A direction with the norms of the weights' filters; zeros for a parameter that has none."""
    if d.ndim <= 1:
        return np.zeros_like(d)
    wanted, found = (
        np.sqrt((x.astype(np.float64) ** 2).sum(axis=tuple(range(1, d.ndim)), keepdims=True)) for x in (weights, d)
    )
    scaled: np.ndarray = d * (wanted / np.maximum(found, np.finfo(np.float64).tiny))  # an empty filter has the norm 0
    return scaled


def _eigenvectors(
    which: str, loss: Callable[[], Any], module: Module, generator: "np.random.Generator | None"
) -> tuple[Direction, Direction]:
    if which != "hessian":
        raise ArgumentError(f'loss_surface: directions are "hessian", a pair, or None for random ones, not {which!r}')
    hessian = Hessian(loss, module)
    if hessian.size < 2:
        raise ArgumentError("loss_surface: a Hessian of one number has no two eigenvectors")
    _, vectors, _ = hessian.extreme(0, 2, tol=None, max_products=1000, generator=generator)
    return hessian.split(vectors[:, 1]), hessian.split(vectors[:, 0])


def _given(direction: Any, parameters: dict[str, Parameter]) -> Direction:
    """The user's direction, with a place for every parameter."""
    if not isinstance(direction, Mapping):
        if len(direction) != len(parameters):
            raise ShapeError(
                f"loss_surface: a direction has one array for each of the {len(parameters)} parameters that require "
                f"grad ({', '.join(parameters)}), and this one is {_in_words(direction)}"
            )
        direction = dict(zip(parameters, direction, strict=True))
    unknown = [str(name) for name in direction if name not in parameters]
    if unknown:
        raise ArgumentError(
            f"loss_surface: a direction is for {', '.join(unknown)}, and the parameters that require grad are "
            f"{', '.join(parameters)}"
        )
    return {
        name: _fitting(name, direction[name], p) if name in direction else np.zeros(p.shape)
        for name, p in parameters.items()
    }


def _fitting(name: str, d: Any, parameter: Parameter) -> np.ndarray:
    array: np.ndarray = numeric(unwrap(d), f"the direction of {name}", np.float64)
    if array.shape != parameter.shape:
        raise ShapeError(
            f"loss_surface: the direction of {name} has shape {array.shape}, and the parameter {parameter.shape}"
        )
    if not np.isfinite(array).all():
        raise ArgumentError(f"loss_surface: the direction of {name} is not finite: {describe(array)}")
    return array
