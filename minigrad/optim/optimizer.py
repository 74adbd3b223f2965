"""The base of all optimizers: parameter groups, state, saving."""

import math
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np

from minigrad.core import enable_grad, note_write
from minigrad.diagnostics import user_place
from minigrad.errors import ArgumentError, DTypeError, GraphError, StateDictError
from minigrad.tensor import Tensor


class Optimizer:
    """Updates parameters by their gradients, in place.

    A subclass defines `update`, which changes one parameter's memory, and passes its options and their defaults to
    the constructor.

    Parameters
    ----------
    params : iterable of Tensor, or iterable of dict
        Leaves that require grad.  A dict is a group: ``{"params": [...], "lr": 0.1}``, with options of its own.
    defaults : dict
        Options of groups that do not set them.

    Raises
    ------
    ValueError
        If there is no parameter, a parameter comes twice, or an option is negative or not a number.
    """

    # Options that must be numbers of at least 0.
    nonnegative: ClassVar[tuple[str, ...]] = ("lr", "weight_decay", "eps", "momentum")

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[Tensor, dict[str, Any]] = {}
        self._scratch: dict[tuple[tuple[int, ...], np.dtype[Any]], np.ndarray] = {}
        if isinstance(params, Tensor):
            raise DTypeError("an optimizer takes an iterable of parameters: write [w] instead of w")
        groups = list(params)
        if not groups:
            raise ArgumentError("the optimizer got no parameters (an exhausted iterator, or a model without any?)")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Add parameters with options of their own."""
        if not isinstance(group, dict) or "params" not in group:
            raise ArgumentError(f"a parameter group is a dict with an entry 'params', not {group!r}")
        params = [group["params"]] if isinstance(group["params"], Tensor) else list(group["params"])
        known = {id(p) for other in self.param_groups for p in other["params"]}
        for i, p in enumerate(params):
            if not isinstance(p, Tensor):
                raise DTypeError(f"parameter {i} is no Tensor but {type(p).__name__}")
            if not (p.requires_grad and p.is_leaf):
                raise GraphError(f"parameter {i} is no leaf that requires grad: {p!r}")
            if id(p) in known:
                raise ArgumentError(f"parameter {i}, of shape {p.shape}, is there twice")
            known.add(id(p))
        made = {**self.defaults, **group, "params": params}
        self._check_options(made)
        self.param_groups.append(made)

    def _check_options(self, options: dict[str, Any]) -> None:
        name = type(self).__name__
        unknown = sorted(options.keys() - self.defaults.keys() - {"params"})
        if unknown:
            raise ArgumentError(f"{name} has no option {', '.join(unknown)}; there are {', '.join(self.defaults)}")
        for option in self.nonnegative:
            value = options.get(option, 0.0)
            if not isinstance(value, (int, float, np.number)) or not (value >= 0 and math.isfinite(value)):
                raise ArgumentError(f"{name}: {option} must be a number of at least 0, not {value!r}")
        self.check(options)

    def check(self, options: dict[str, Any]) -> None:
        """Raise ValueError for options that cannot be; for subclasses."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.requires_grad:
                    p.grad = None if set_to_none or p.grad is None else np.zeros_like(p.data)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        Parameters
        ----------
        closure : callable, optional
            Called first, with recording on; computes gradients and returns the loss.

        Returns
        -------
        The loss that the closure returned, or None.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        place = user_place()
        for group in self.param_groups:
            for p in group["params"]:
                gradient = p.grad
                if gradient is None:
                    continue
                if p not in self.state:
                    self.state[p] = {}
                self.update(p.data, gradient.data, self.state[p], group)
                note_write(p.node, place)
        return loss

    def update(self, value: np.ndarray, gradient: np.ndarray, state: dict[str, Any], options: dict[str, Any]) -> None:
        """Change `value` in place; `state` is the parameter's own, empty at first."""
        raise NotImplementedError

    def scratch(self, value: np.ndarray) -> np.ndarray:
        """Memory of the form of `value` to compute in, the same for all parameters of that form."""
        key = value.shape, value.dtype
        if key not in self._scratch:
            self._scratch[key] = np.empty_like(value)
        return self._scratch[key]

    # Saving

    def _parameters(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def state_dict(self) -> dict[str, Any]:
        """Copies of the state and the options, with parameters by their numbers, as in PyTorch."""
        numbers = {id(p): i for i, p in enumerate(self._parameters())}
        state = {
            numbers[id(p)]: {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in entry.items()}
            for p, entry in self.state.items()
        }
        groups = [{**group, "params": [numbers[id(p)] for p in group["params"]]} for group in self.param_groups]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from what `state_dict` gave for the same parameters in the same order.

        Raises
        ------
        StateDictError
            If the groups do not fit; nothing has been changed then.
        """
        try:
            given, entries = state_dict["param_groups"], state_dict["state"]
            counts = [len(group["params"]) for group in given]
        except (KeyError, TypeError) as error:
            raise StateDictError(f"this is no state_dict of an optimizer: {error!r} is missing") from error
        own = [len(group["params"]) for group in self.param_groups]
        if counts != own:
            raise StateDictError(f"groups of {counts} parameters do not fit an optimizer with groups of {own}")
        groups = [
            {**group, **{k: v for k, v in new.items() if k != "params"}}
            for group, new in zip(self.param_groups, given, strict=True)
        ]
        try:
            for group in groups:
                self._check_options(group)
        except ArgumentError as error:
            raise StateDictError(f"the options do not fit: {error}") from error
        parameters = self._parameters()
        state = {}
        for i, entry in entries.items():
            if not 0 <= int(i) < len(parameters):
                raise StateDictError(f"there is no parameter {i}: the optimizer has {len(parameters)}")
            state[parameters[int(i)]] = {k: _fitting(v, k, int(i), parameters[int(i)]) for k, v in entry.items()}
        self.state = state
        for group, new in zip(self.param_groups, groups, strict=True):
            group.update(new)

    def __repr__(self) -> str:
        groups = [
            f"{len(group['params'])} parameters: " + ", ".join(f"{k}={v}" for k, v in group.items() if k != "params")
            for group in self.param_groups
        ]
        return f"{type(self).__name__}({'; '.join(groups)})"


def _fitting(value: Any, name: str, number: int, parameter: Tensor) -> Any:
    """A copy of one entry of the state, in the dtype of its parameter."""
    if not isinstance(value, (np.ndarray, Tensor)):
        return value
    array = np.array(value.data if isinstance(value, Tensor) else value, parameter.dtype)
    if array.shape != parameter.shape:
        raise StateDictError(f"{name} of parameter {number} has shape {array.shape}, not {parameter.shape}")
    return array
