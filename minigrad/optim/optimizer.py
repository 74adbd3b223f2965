"""The base of all optimizers: parameter groups, state, saving."""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np

from minigrad.core import enable_grad, interpreter, no_grad, only_outside, unwrap
from minigrad.diagnostics import Place, user_place
from minigrad.errors import ArgumentError, DTypeError, StateDictError
from minigrad.errors.optimizers import (
    given_twice,
    no_parameters,
    no_such_option,
    not_a_leaf,
    not_a_list,
    not_a_parameter,
    other_groups,
    other_optimizer,
    warn_of_no_step,
    warn_of_used_up,
)
from minigrad.errors.words import nearest
from minigrad.nn.layer import write_to
from minigrad.nn.module import Module, Parameter
from minigrad.optim.whole import FEW, InterruptLater, Moving, copies, put_back
from minigrad.options import real_number
from minigrad.tensor import Tensor
from minigrad.tree import map_leaves
from minigrad.writes import note_write

# Options in the state_dicts of PyTorch that say how it computes, and not what; and the names of parameters.
_OF_PYTORCH = {"foreach", "capturable", "differentiable", "fused", "param_names"}
# What PyTorch's schedules note in the groups.
_OF_SCHEDULES = {"initial_lr", "max_lr", "min_lr", "max_momentum", "base_momentum", "swa_lr"}
_OF_GROUPS = {"params", *_OF_SCHEDULES}
_OPTIONAL = {"amsgrad", "centered", "momentum", "nesterov"}  # what adds to the state when it is switched on


class Options(dict[str, Any]):
    """A parameter group.  A function that becomes a program reads it, and cannot change it."""

    def __setitem__(self, name: str, value: Any) -> None:
        only_outside(f"a change of an optimizer's {name!r}", "Change it outside: the program reads it at every run")
        super().__setitem__(name, value)

    def update(self, *given: Any, **options: Any) -> None:
        """Change several."""
        only_outside("a change of an optimizer's options", "Change them outside: the program reads them at every run")
        super().update(*given, **options)


class Optimizer:
    """Updates parameters by their gradients, in place.

    A subclass defines `update`, which changes one parameter's memory, and passes its options and their defaults to
    the constructor.  Arrays are allocated in the first step only: later ones compute in the state and in `scratch`.

    Parameters
    ----------
    params : iterable of Tensor, or iterable of dict
        Leaves that require grad, or frozen `Parameter`s.  A dict is a group: ``{"params": [...], "lr": 0.1}``, with
        options of its own, and whatever else the caller wants to note in it.
    defaults : dict
        Options of groups that do not set them.

    Raises
    ------
    ValueError
        If there is no parameter, a parameter comes twice, or an option is negative or not a number.
    """

    # Options that must be numbers of at least 0, and entries of the state that are numbers.
    nonnegative: ClassVar[tuple[str, ...]] = ("lr", "weight_decay", "eps", "momentum")
    numbers: ClassVar[tuple[str, ...]] = ("step",)
    # Options that are numbers and yet say what is computed: a program has them as they were.
    fixed: ClassVar[tuple[str, ...]] = ()

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[Tensor, dict[str, Any]] = {}
        self._scratch: dict[tuple[str, tuple[int, ...], np.dtype[Any]], np.ndarray] = {}
        self._steps = 0  # schedulers want to know whether there was one
        if isinstance(params, (Tensor, Module)):
            raise not_a_list(type(self).__name__, params)
        groups = list(params)
        if not groups:
            raise no_parameters(type(self).__name__)
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Add parameters with options of their own."""
        only_outside("add_param_group")
        if not isinstance(group, dict) or "params" not in group:
            raise ArgumentError(f"a parameter group is a dict with an entry 'params', not {group!r}")
        params = [group["params"]] if isinstance(group["params"], Tensor) else list(group["params"])
        known = {id(p) for other in self.param_groups for p in other["params"]}
        optimizer = type(self).__name__
        if not params and iter(group["params"]) is group["params"]:
            warn_of_used_up(optimizer)
        for i, p in enumerate(params):
            if not isinstance(p, Tensor):
                raise not_a_parameter(optimizer, i, p)
            if not (p.is_leaf and (p.requires_grad or isinstance(p, Parameter))):  # a frozen Parameter may thaw
                raise not_a_leaf(optimizer, i, p)
            if p.dtype.kind != "f":
                raise DTypeError(f"{optimizer} is for real parameters: keep real and imaginary part in two")
            if id(p) in known:
                raise given_twice(optimizer, i, p)
            known.add(id(p))
        for name in group.keys() - self.defaults.keys() - _OF_GROUPS:
            meant = nearest(name, self.defaults)
            if meant:  # others are the caller's own notes
                raise no_such_option(optimizer, name, meant)
        made = Options({**self.defaults, **group, "params": params})
        self._check_options(made)
        self.param_groups.append(made)

    def _check_options(self, options: dict[str, Any]) -> None:
        name = type(self).__name__
        for option in self.nonnegative:
            remedy = "to go uphill write maximize=True" if option == "lr" else ""
            real_number(options.get(option, 0.0), f"{name}: {option}", least=0, below=math.inf, remedy=remedy)
        if "betas" in options:
            betas = options["betas"]
            if not isinstance(betas, (tuple, list)) or len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
                raise ArgumentError(
                    f"{name}: betas must be two numbers from 0 to 1, without 1, as in betas=(0.9, 0.999), not {betas}"
                )
        self.check(options)

    def check(self, options: dict[str, Any]) -> None:
        """Raise ValueError for options that cannot be; for subclasses."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.requires_grad:
                    p.grad = None if set_to_none or p.grad is None else np.zeros_like(p.array)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        A step is whole or not at all, whenever Ctrl-C is pressed: of few numbers what was is put back, as after any
        other exception, and of many Ctrl-C waits for the end of the step.

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
        if (tracer := interpreter()) is not None:
            self._write_down(tracer)
            return loss
        place, moving, count = user_place(), list[Moving](), 0
        for group in self.param_groups:
            for p in group["params"]:
                gradient = p.grad
                if gradient is not None:
                    value = p.array
                    count += value.size
                    moving.append((p, value, gradient.array, self.state.get(p), group))
        if count > FEW:
            with InterruptLater():
                self._update_all(moving, place)
        else:
            before = copies(moving)
            try:
                self._update_all(moving, place)
            except BaseException:
                put_back(moving, before, self.state)
                raise
        if not moving:
            warn_of_no_step(type(self).__name__)
        return loss

    def _update_all(self, moving: Sequence[Moving], place: Place | None) -> None:
        for p, value, gradient, state, group in moving:
            if not state:
                state = self.state[p] = self.initial_state(value, group)
            self.update(value, gradient, state, group)
            note_write(p.node, place)
        self._steps += 1

    def _write_down(self, tracer: Any) -> None:
        """The step as a part of a program: rates and numbers of steps are read, and states written, at every run."""
        tracer.guard("which parameters an optimizer has", "[*map(id, {0}.param_groups)]", (self,))
        for group in self.param_groups:
            tracer.guard("which parameters an optimizer has", "[*map(id, {0})]", (group["params"],))
            options = tracer.entries(group, fixed=self.fixed)
            for p in group["params"]:
                gradient = p.grad
                if gradient is None:
                    continue
                if not (state := self.state.get(p)):
                    tracer.on_failure(partial(self.state.pop, p, None))
                    state = self.state[p] = self.initial_state(p.array, group)
                tracer.variable_of(p)  # it is read at every run, even if nothing but the step reads it
                value = tracer.own(p.array)
                with no_grad():
                    self.update(value, tracer.own(gradient.array), tracer.entries(state), options)
                write_to(p, value)
        # What a program writes to: `load_state_dict` brings others.
        tracer.guard("where an optimizer keeps its state", "[id(x) for x in {0}.state.values() if x]", (self,))
        counts = tracer.entries(vars(self))
        counts["_steps"] += 1

    def initial_state(self, value: np.ndarray, options: dict[str, Any]) -> dict[str, Any]:
        """What is kept of a parameter before its first step; for subclasses."""
        return {}

    def update(self, value: np.ndarray, gradient: np.ndarray, state: dict[str, Any], options: dict[str, Any]) -> None:
        """Change `value` in place; `state` is the parameter's own.  `gradient` is not to be changed.

        In a program all three, and the numbers among the options, are Tensors: it is written with operators, methods
        and functions that these have, and does not branch on their values.
        """
        raise NotImplementedError

    def scratch(self, value: np.ndarray, purpose: str = "", shape: tuple[int, ...] | None = None) -> np.ndarray:
        """Memory of the form of `value` (or of another shape) to compute in, shared by all parameters of that form.

        Pieces that are needed at the same time have each a purpose of its own.
        """
        key = purpose, value.shape if shape is None else shape, value.dtype
        if (tracer := interpreter()) is not None:
            return tracer.own(np.empty(key[1], key[2]))
        memory = self._scratch.get(key)
        if memory is None:
            memory = self._scratch[key] = np.empty(key[1], value.dtype)
        return memory

    def prepared(self, value: np.ndarray, gradient: np.ndarray, options: dict[str, Any]) -> np.ndarray:
        """The gradient of what is to be minimized: turned round for `maximize`, with weight decay added."""
        decay = options.get("weight_decay", 0.0)
        if options.get("decoupled_weight_decay"):
            value *= 1 - options["lr"] * decay
            decay = 0.0
        if not decay and not options["maximize"]:
            return gradient
        made = self.scratch(value, "prepared")
        if not decay:
            np.negative(gradient, out=made)
        else:
            np.multiply(value, decay, out=made)
            (np.subtract if options["maximize"] else np.add)(made, gradient, out=made)
        return made

    # Saving

    def _parameters(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def state_dict(self) -> dict[str, Any]:
        """Copies of the state and the options, with parameters by their numbers, as in PyTorch."""
        numbers = {id(p): i for i, p in enumerate(self._parameters())}
        state = {numbers[id(p)]: map_leaves(_copy, entry) for p, entry in self.state.items()}
        groups = [{**group, "params": [numbers[id(p)] for p in group["params"]]} for group in self.param_groups]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from what `state_dict` gave for the same parameters in the same order.

        Raises
        ------
        StateDictError
            If groups or state do not fit; nothing has been changed then.
        """
        only_outside("load_state_dict")
        try:
            groups, state = self._fitting_groups(state_dict["param_groups"]), self._fitting_state(state_dict["state"])
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise StateDictError(f"the state_dict does not fit {type(self).__name__}: {error!r}") from error
        self.state = state
        for group, new in zip(self.param_groups, groups, strict=True):
            group.update(new)

    def _fitting_groups(self, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
        counts, own = ([len(group["params"]) for group in groups] for groups in (given, self.param_groups))
        if counts != own:
            raise other_groups(type(self).__name__, counts, own)
        made = [
            {**group, **{k: v for k, v in new.items() if k != "params" and k not in _OF_PYTORCH}}
            for group, new in zip(self.param_groups, given, strict=True)
        ]
        for group, own_group in zip(made, self.param_groups, strict=True):
            unknown = sorted(group.keys() - own_group.keys() - _OF_GROUPS)
            if unknown:
                raise other_optimizer(type(self).__name__, unknown)
            self._check_options(group)
        return made

    def _fitting_state(self, entries: dict[Any, dict[str, Any]]) -> dict[Tensor, dict[str, Any]]:
        parameters, state = self._parameters(), {}
        for number, entry in entries.items():
            i = int(number)
            if not 0 <= i < len(parameters):
                raise StateDictError(f"there is no parameter {i}: the optimizer has {len(parameters)}")
            missing = sorted(self.needed(parameters[i]) - entry.keys()) if entry else []
            if missing:
                raise StateDictError(
                    f"the state of parameter {i} is that of another optimizer: no {', '.join(missing)}"
                )
            state[parameters[i]] = {k: self.fitting(v, k, i, parameters[i]) for k, v in entry.items()}
        return state

    def needed(self, parameter: Tensor) -> set[str]:
        """The names in the state of a parameter without which no step can be made: those of a first step."""
        nothing, options = np.zeros((0,) * parameter.ndim, parameter.dtype), {**self.defaults}
        options |= {k: False for k in _OPTIONAL if k in self.defaults}
        state = self.initial_state(nothing, options)
        self.update(nothing, nothing, state, options)
        return set(state)

    def fitting(self, value: Any, name: str, number: int, parameter: Tensor) -> Any:
        """A copy of one entry of a state that is loaded, in the dtype of its parameter."""
        if value is None:
            return None
        array = np.array(unwrap(value))
        if array.dtype.kind not in "biuf":
            raise StateDictError(f"{name} of parameter {number} is no array of numbers: {value!r}")
        if name in self.numbers:
            return array.item()
        if array.shape != (wanted := self.shape_of(name, parameter)):
            raise StateDictError(f"{name} of parameter {number} has shape {array.shape}, not {wanted}")
        return array.astype(parameter.dtype)

    def shape_of(self, name: str, parameter: Tensor) -> tuple[int, ...]:
        """The shape of an entry of the state."""
        return parameter.shape

    def __repr__(self) -> str:
        groups = [
            f"{len(group['params'])} parameters: " + ", ".join(f"{k}={v}" for k, v in group.items() if k != "params")
            for group in self.param_groups
        ]
        return f"{type(self).__name__}({'; '.join(groups)})"


def _copy(leaf: Any) -> Any:
    return leaf.copy() if isinstance(leaf, np.ndarray) else leaf


def for_groups(value: Any, optimizer: Optimizer, name: str) -> list[Any]:
    """A value for each group, from one for all or a sequence of them."""
    count = len(optimizer.param_groups)
    values = list(value) if isinstance(value, (list, tuple)) else [value] * count
    if len(values) != count:
        raise ArgumentError(f"{name}: {len(values)} values do not fit an optimizer with {count} groups")
    return values


def average_in(mean: np.ndarray, x: np.ndarray, keep: float, scratch: np.ndarray) -> None:
    """``mean = keep * mean + (1 - keep) * x``, in place."""
    mean *= keep
    mean += np.multiply(x, 1 - keep, out=scratch)


def average_in_square(mean: np.ndarray, x: np.ndarray, keep: float, scratch: np.ndarray) -> None:
    """``mean = keep * mean + (1 - keep) * x**2``, in place."""
    mean *= keep
    np.multiply(x, x, out=scratch)
    scratch *= 1 - keep
    mean += scratch
