"""Steps of optimizers as programs of JavaScript, traced from the optimizers themselves."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from minigrad.creation import tensor
from minigrad.errors import ArgumentError, DTypeError, ProgramError, UnsupportedError
from minigrad.export.as_text.js_module import factory
from minigrad.optim.lbfgs import LBFGS
from minigrad.optim.minimizing import make_optimizer
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.problem import Problem
from minigrad.plot.live.programs import Programs
from minigrad.plot.live.space import vector_of
from minigrad.tensor import Tensor

# What is compared if nothing is said: label, name and options, and whether it runs at first.
DEFAULTS: list[tuple[str, str, dict[str, Any], bool]] = [
    ("Gradient descent", "SGD", {}, True),
    ("Momentum", "SGD", {"momentum": 0.9}, True),
    ("RMSprop", "RMSprop", {}, True),
    ("Adam", "Adam", {}, True),
    ("Nesterov", "SGD", {"momentum": 0.9, "nesterov": True}, False),
    ("Adagrad", "Adagrad", {}, False),
    ("Adadelta", "Adadelta", {}, False),
    ("NAdam", "NAdam", {}, False),
    ("Lion", "Lion", {}, False),
    ("Rprop", "Rprop", {}, False),
]

# Options that the page can change.
CONTROLS = ("lr", "momentum", "betas_0", "betas_1", "alpha", "rho", "weight_decay")
# Options on which a step branches: a program for each way.
_SWITCHES = ("momentum", "nesterov", "amsgrad")
_SAID = {"lr", "momentum", "betas", "alpha", "rho", "weight_decay", "nesterov", "amsgrad"}  # by the page itself
_IN_PROGRAMS = {"momentum": 0.9}  # the value of a number that is switched on, which the page replaces

# Learning rates that suit a function: the inverse of its largest curvature, half of what is stable on a quadratic; or,
# where steps do not become longer with the gradient, parts of the picture's extent.
_OF_CURVATURE = ("SGD", "ASGD")
_OF_EXTENT = {
    "Adadelta": 0.25, "Adagrad": 0.1, "RMSprop": 0.005, "Lion": 0.005, "Rprop": 0.02, "Adafactor": 0.01,
}  # fmt: skip
_PART = 0.02


def read(optimizers: Any) -> list[tuple[str, Any, dict[str, Any], bool]]:
    """Labels, names (or classes, or functions) and options, and whether they run at first."""
    if optimizers is None:
        return [(label, name, dict(options), on) for label, name, options, on in DEFAULTS]
    if isinstance(optimizers, (str, type)) or callable(optimizers) or _is_pair(optimizers):
        optimizers = [optimizers]
    if isinstance(optimizers, Mapping):
        items = [(str(label), given) for label, given in optimizers.items()]
    elif isinstance(optimizers, (list, tuple)):
        items = [("", given) for given in optimizers]
    else:
        raise DTypeError(
            "explore: optimizers are names such as 'Adam', classes, functions from parameters to an optimizer, a list "
            f"of these, or a dict from labels to them, not {optimizers!r}"
        )
    if not items:
        raise ArgumentError("explore: optimizers is empty: give one name at least, such as 'SGD'")
    found: list[tuple[str, Any, dict[str, Any], bool]] = []
    for label, given in items:
        name, options = _with_options(given)
        label = label or (name if isinstance(name, str) else getattr(name, "__name__", type(name).__name__))
        label = label.replace("<lambda>", "function")
        taken = [other[0] for other in found]
        number = next(n for n in range(1, len(items) + 2) if (label if n == 1 else f"{label} {n}") not in taken)
        found.append((label if number == 1 else f"{label} {number}", name, options, True))
    return found


def _with_options(given: Any) -> tuple[Any, dict[str, Any]]:
    """An optimizer's name, class or function, and its options: alone, or in a pair, or options with their name."""
    if _is_pair(given):
        return given[0], dict(given[1])
    if isinstance(given, Mapping):
        options = dict(given)
        return options.pop("optimizer", "SGD"), options
    return given, {}


def _is_pair(given: Any) -> bool:
    """Whether this is an optimizer with its options."""
    return isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], Mapping)


def rate_for(name: str, options: Mapping[str, Any], curvature: float, extent: float) -> float:
    """A learning rate that suits the function, of one digit: 1, 2 or 5."""
    rate = extent * _OF_EXTENT.get(name, _PART)
    if name in _OF_CURVATURE and curvature > 0:
        rate = (0.5 if options.get("momentum") else 1.0) / curvature
    rate = min(max(rate, 1e-6), 1e2)
    power = math.floor(math.log10(rate))
    digit = min((1, 2, 5, 10), key=lambda x: abs(math.log(x * 10.0**power / rate)))
    return float(f"{digit}e{power}")


def stepper(
    label: str, given: Any, options: dict[str, Any], problem: Problem, programs: Programs, rate: Callable[[str], float]
) -> dict[str, Any]:
    """What the page has to know of an optimizer, with a program for each way in which it may step.

    Parameters
    ----------
    label : str
    given : str, class or callable
    options : dict
    problem : Problem
    programs : Programs
        Where the programs are put.
    rate : callable
        From the name of an optimizer to the learning rate of one that is given none.
    """
    made = _optimizer(label, given, options, problem)[1]
    name = type(made).__name__
    if "lr" not in options and (isinstance(given, (str, type))):
        made.param_groups[0]["lr"] = rate(name)
    group, alone = made.param_groups[0], len(made.param_groups) == 1
    numbers = _numbers(group) if alone else {}
    switches = [s for s in _SWITCHES if s in group] if alone else []
    variants = []
    for ways in product([False, True], repeat=len(switches)):
        chosen = dict(zip(switches, ways, strict=True))
        programs_of_it = _ways(label, given, options, problem, chosen)
        if programs_of_it is not None:
            first, then = programs_of_it
            variants.append({"when": chosen, "first": programs.add(first), "next": programs.add(then)})
    controls = [key for key in CONTROLS if key in numbers and not (key == "weight_decay" and not numbers[key])]
    return {
        "label": label,
        "name": name,
        "python": _python(given, options, name),
        "values": {key: numbers[key] for key in controls},
        "switches": {s: bool(group[s]) for s in switches if s != "momentum"},
        "controls": controls,
        "scaled": _scaled(label, made, problem) if alone else {},
        "variants": variants,
    }


def _optimizer(label: str, given: Any, options: dict[str, Any], problem: Problem) -> tuple[list[Tensor], Optimizer]:
    """A new optimizer, with parameters of its own at the start."""
    leaves = [tensor(leaf.array, requires_grad=True, name=f"w{i}") for i, leaf in enumerate(problem.leaves)]
    made = make_optimizer(given, leaves, options)
    if isinstance(made, LBFGS):
        raise ArgumentError(
            f"explore: LBFGS (here {label!r}) computes the loss several times in a step, and the page gives a step one "
            "gradient: leave it out, and draw its runs with plot.contour"
        )
    return leaves, made


def _ways(
    label: str, given: Any, options: dict[str, Any], problem: Problem, chosen: Mapping[str, bool]
) -> tuple[str, str] | None:
    """The first step and those after it, for one setting of the switches; None if there is no such optimizer."""
    leaves, made = _optimizer(label, given, options, problem)
    group = made.param_groups[0]
    for switch, on in chosen.items():
        group[switch] = (_IN_PROGRAMS[switch] if on else 0.0) if switch in _IN_PROGRAMS else on
    if len(made.param_groups) == 1 and isinstance(given, (str, type)):
        group["lr"] = 0.001  # runs that differ in nothing else have the same program
    try:
        made.check(group)
    except ArgumentError:
        return None

    def step(gradient: Any) -> None:
        for leaf, part in zip(leaves, problem.parts(gradient), strict=True):
            leaf.grad = part
        made.step()

    gradient = np.ones_like(vector_of(problem))
    try:
        first = factory(step, gradient, name="step", is_first_call=True)
        step(gradient)
        then = factory(step, gradient, name="step")
    except (ProgramError, UnsupportedError) as error:
        error.add_note(f"explore cannot have {label} in its page: leave it out")
        raise
    # A program's first line is the state that it begins with, which the page takes from the first step.
    return (first, first) if first.partition("\n")[2] == then.partition("\n")[2] else (first, then)


def _numbers(group: Mapping[str, Any]) -> dict[str, float]:
    """The numbers among the options, by the names that programs give them."""
    found: dict[str, float] = {}
    for key, value in group.items():
        if key in ("params", "initial_lr"):
            continue
        parts: Sequence[tuple[str, Any]] = [(key, value)]
        if isinstance(value, (tuple, list)):
            parts = [(f"{key}_{i}", part) for i, part in enumerate(value)]
        found |= {k: float(v) for k, v in parts if isinstance(v, (int, float)) and not isinstance(v, bool)}
    return found


def _scaled(label: str, made: Optimizer, problem: Problem) -> dict[str, float]:
    """Entries of the state that begin as multiples of the learning rate, and these multiples."""
    group, leaf = made.param_groups[0], problem.leaves[0].array
    one, two = (made.initial_state(leaf, {**group, "lr": lr}) for lr in (1.0, 2.0))
    found = {}
    for key, value in one.items():
        if value is None or np.array_equal(value, two[key]):
            continue
        if not np.array_equal(2 * np.asarray(value), two[key]) or np.ptp(value):
            raise ArgumentError(
                f"explore: the state of {label} begins with {key!r}, which depends on the learning rate and is no "
                "multiple of it: leave it out"
            )
        found[key] = float(np.ravel(value)[0])
    return found


def _python(given: Any, options: Mapping[str, Any], name: str) -> str | None:
    """How Python's `minimize` is told of the optimizer, but for what the page changes; None if it cannot be said."""
    known = isinstance(given, str) or (isinstance(given, type) and given.__module__.startswith("minigrad.optim"))
    others = {key: value for key, value in options.items() if key not in _SAID}
    if not known or not all(isinstance(value, (int, float, bool, str, tuple)) for value in others.values()):
        return None
    return ", ".join([f'optimizer="{name}"', *(f"{key}={value!r}" for key, value in others.items())])
