"""Optimizers, schedulers and averages of weights, as code that runs on PyTorch and on minigrad alike.

make_training.py runs the cases with PyTorch and keeps the results; test_training_references.py runs them with minigrad.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import permutations
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np


class Parameters(NamedTuple):
    """What is optimized: one of each form."""

    vector: Any
    square: Any
    matrix: Any
    number: Any


def _draw() -> Parameters:
    # RandomState's stream is frozen, unlike default_rng's.
    rng = np.random.RandomState(0)
    return Parameters(*(np.asarray(rng.normal(size=shape)) for shape in ((3,), (2, 2), (3, 4), ())))


START = _draw()
CASES: dict[str, Any] = {}


def wavy(xp: Any, p: Parameters) -> Any:
    """A smooth loss with many minima."""
    return (
        ((p.vector - 1.0) ** 2).sum()
        + (p.square * p.square).sum()
        + xp.cos(3.0 * p.square).sum()
        + 0.1 * p.vector.sum() * p.square.sum()
        + 0.5 * (p.matrix * p.matrix).sum()
        + xp.sin(2.0 * p.matrix).sum()
        + xp.cos(p.vector @ p.matrix).sum()
        + (p.number - 0.5) ** 2
        + 0.1 * xp.sin(p.number) * p.matrix.sum()
    )


def mild(xp: Any, p: Parameters) -> Any:
    """A loss so nearly convex that a line search does not magnify roundings."""
    return (
        ((p.vector - 1.0) ** 2).sum()
        + 3.0 * (p.square * p.square).sum()
        + 0.2 * xp.cos(3.0 * p.square).sum()
        + 0.1 * p.vector.sum() * p.square.sum()
        + 0.5 * (p.matrix * p.matrix).sum()
        + 0.3 * xp.sin(2.0 * p.matrix).sum()
        + 0.2 * xp.cos(p.vector @ p.matrix).sum()
        + 5.0 * (p.number - 0.5) ** 2
    )


def steep(xp: Any, p: Parameters) -> Any:
    """A loss of higher than second degree."""
    return mild(xp, p) + (p.vector**4).sum() + (p.matrix**4).sum()


def bent(xp: Any, p: Parameters) -> Any:
    """A loss that falls slowly to one side and rises fast to the other."""
    return sum(xp.log(1.0 + xp.exp(3.0 * x)).sum() - 0.1 * x.sum() for x in p)


def flat(arrays: Iterable[Any]) -> np.ndarray:
    """All numbers of some tensors."""
    return np.concatenate([np.zeros(0), *(np.asarray(a, dtype=np.float64).ravel() for a in arrays)])


# Optimizers


@dataclass(frozen=True)
class OptimizerCase:
    """A path over the loss.  `late`: for so many steps the vector has no gradient."""

    build: Callable[[Any, Parameters], Any]
    loss: Callable[[Any, Parameters], Any] = wavy
    steps: int = 100
    every: int = 10
    late: int = 0
    closure: bool = False
    schedule: Callable[[Any, Any], Any] | None = None
    compared: tuple[str, ...] | None = None

    def _make(self, optim: Any, p: Parameters) -> tuple[Any, Any]:
        optimizer = self.build(optim, p)
        return optimizer, self.schedule(optim.lr_scheduler, optimizer) if self.schedule else None

    def run(self, framework: Any, optim: Any, *, resumed: bool = False, start: Parameters = START) -> dict[str, Any]:
        """The parameters on the way and the state at the end; `resumed`: the state was saved and loaded half way."""
        p = Parameters(*(framework.tensor(array, requires_grad=True) for array in start))
        optimizer, scheduler = self._make(optim, p)

        def evaluate(step: int) -> Any:
            for x in p:
                x.grad = None
            loss = self.loss(framework, p)
            loss.backward()
            if step < self.late:
                p.vector.grad = None
            return loss

        path = []
        for step in range(self.steps):
            if resumed and step == self.steps // 2:
                states = [part and part.state_dict() for part in (optimizer, scheduler)]
                optimizer, scheduler = self._make(optim, p)
                optimizer.load_state_dict(states[0])
                if scheduler:
                    scheduler.load_state_dict(states[1])
            if self.closure:
                loss = [optimizer.step(partial(evaluate, step)).detach()]
            else:
                evaluate(step)
                optimizer.step()
                loss = []
            if scheduler:
                scheduler.step()
            if (step + 1) % self.every == 0:
                path.append(flat([x.detach() for x in p] + loss))
        state = {
            f"{i} {name}": value
            for i, entry in sorted(optimizer.state_dict()["state"].items())
            for name, value in sorted(entry.items())
            if self.compared is None or name in self.compared
        }
        return {"path": np.stack(path), "state": flat(state.values()), "names": list(state)}


def optimizer(name: str, build: Callable[[Any, Parameters], Any], **options: Any) -> None:
    """Add a case."""
    assert name not in CASES
    CASES[name] = OptimizerCase(build, **options)


def halves(p: Parameters, **second: Any) -> list[dict[str, Any]]:
    """Two groups, the second with options of its own."""
    return [{"params": [p.vector, p.number]}, {"params": [p.square, p.matrix], **second}]


optimizer("SGD", lambda optim, p: optim.SGD(p, lr=0.02))
optimizer("SGD-default", lambda optim, p: optim.SGD(p))
optimizer("SGD-momentum", lambda optim, p: optim.SGD(p, lr=0.01, momentum=0.9))
optimizer("SGD-dampening", lambda optim, p: optim.SGD(p, lr=0.02, momentum=0.8, dampening=0.3))
optimizer("SGD-nesterov", lambda optim, p: optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True))
optimizer("SGD-weight_decay", lambda optim, p: optim.SGD(p, lr=0.02, weight_decay=0.1))
optimizer("SGD-all", lambda optim, p: optim.SGD(p, 0.02, 0.5, 0.0, 0.1, True))
optimizer("SGD-maximize", lambda optim, p: optim.SGD(p, lr=0.005, momentum=0.5, weight_decay=0.1, maximize=True))
optimizer("SGD-groups", lambda optim, p: optim.SGD(halves(p, lr=0.03, momentum=0.5, weight_decay=0.2), lr=0.02))
optimizer("SGD-late", lambda optim, p: optim.SGD(p, lr=0.02, momentum=0.8, dampening=0.5), late=5)
optimizer("SGD-closure", lambda optim, p: optim.SGD(p, lr=0.02, momentum=0.5), closure=True)
optimizer(
    "SGD-OneCycleLR",
    lambda optim, p: optim.SGD(p, lr=0.1, momentum=0.9),
    schedule=lambda lr_scheduler, optimizer: lr_scheduler.OneCycleLR(optimizer, max_lr=0.02, total_steps=100),
)


def _grown(optim: Any, p: Parameters) -> Any:
    optimizer = optim.SGD([p.vector], lr=0.02, momentum=0.5)
    optimizer.add_param_group({"params": [p.square, p.matrix], "lr": 0.01, "nesterov": True})
    optimizer.add_param_group({"params": p.number, "weight_decay": 0.1})
    return optimizer


optimizer("SGD-add_param_group", _grown)

optimizer("Adam", lambda optim, p: optim.Adam(p))
optimizer("Adam-options", lambda optim, p: optim.Adam(p, lr=0.05, betas=(0.8, 0.95), eps=1e-4))
optimizer("Adam-weight_decay", lambda optim, p: optim.Adam(p, lr=0.03, weight_decay=0.1))
optimizer("Adam-amsgrad", lambda optim, p: optim.Adam(p, lr=0.05, betas=(0.9, 0.9), amsgrad=True))
optimizer("Adam-maximize", lambda optim, p: optim.Adam(p, lr=0.01, weight_decay=0.1, amsgrad=True, maximize=True))
optimizer(
    "Adam-decoupled",
    lambda optim, p: optim.Adam(p, lr=0.03, weight_decay=0.1, amsgrad=True, decoupled_weight_decay=True),
)
optimizer("Adam-no_beta1", lambda optim, p: optim.Adam(p, lr=0.01, betas=(0.0, 0.9)))
optimizer(
    "Adam-groups",
    lambda optim, p: optim.Adam(halves(p, lr=0.01, betas=(0.7, 0.9), amsgrad=True, weight_decay=0.3), lr=0.03),
)
optimizer("Adam-late", lambda optim, p: optim.Adam(p, lr=0.03), late=5)
optimizer(
    "Adam-OneCycleLR",
    lambda optim, p: optim.Adam(p),
    schedule=lambda lr_scheduler, optimizer: lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, total_steps=100),
)

optimizer("AdamW", lambda optim, p: optim.AdamW(p))
optimizer("AdamW-options", lambda optim, p: optim.AdamW(p, lr=0.05, betas=(0.8, 0.95), eps=1e-4))
optimizer("AdamW-weight_decay", lambda optim, p: optim.AdamW(p, lr=0.03, weight_decay=0.5))
optimizer("AdamW-amsgrad", lambda optim, p: optim.AdamW(p, lr=0.05, betas=(0.9, 0.9), amsgrad=True))
optimizer("AdamW-maximize", lambda optim, p: optim.AdamW(p, lr=0.01, weight_decay=0.1, maximize=True))
optimizer("AdamW-groups", lambda optim, p: optim.AdamW(halves(p, weight_decay=0.0, lr=0.02), lr=0.03, weight_decay=0.4))
optimizer("AdamW-late", lambda optim, p: optim.AdamW(p, lr=0.03, weight_decay=0.4), late=5)

optimizer("RMSprop", lambda optim, p: optim.RMSprop(p))
optimizer("RMSprop-alpha", lambda optim, p: optim.RMSprop(p, lr=0.005, alpha=0.9))
optimizer("RMSprop-centered", lambda optim, p: optim.RMSprop(p, lr=0.005, alpha=0.95, centered=True))
optimizer("RMSprop-momentum", lambda optim, p: optim.RMSprop(p, lr=0.002, momentum=0.9))
optimizer("RMSprop-weight_decay", lambda optim, p: optim.RMSprop(p, weight_decay=0.3))
optimizer("RMSprop-eps", lambda optim, p: optim.RMSprop(p, eps=0.5))
optimizer(
    "RMSprop-all",
    lambda optim, p: optim.RMSprop(p, lr=0.002, alpha=0.95, eps=1e-2, weight_decay=0.1, momentum=0.8, centered=True),
)
optimizer("RMSprop-maximize", lambda optim, p: optim.RMSprop(p, weight_decay=0.1, maximize=True))
optimizer(
    "RMSprop-groups",
    lambda optim, p: optim.RMSprop(halves(p, lr=0.005, centered=True, momentum=0.5), lr=0.02, weight_decay=0.1),
)

optimizer("Adagrad", lambda optim, p: optim.Adagrad(p))
optimizer("Adagrad-lr_decay", lambda optim, p: optim.Adagrad(p, lr=0.3, lr_decay=0.05))
optimizer("Adagrad-weight_decay", lambda optim, p: optim.Adagrad(p, lr=0.2, weight_decay=0.3))
optimizer("Adagrad-accumulator", lambda optim, p: optim.Adagrad(p, lr=0.2, initial_accumulator_value=0.5))
optimizer("Adagrad-eps", lambda optim, p: optim.Adagrad(p, lr=0.2, eps=0.3))
optimizer("Adagrad-maximize", lambda optim, p: optim.Adagrad(p, lr=0.1, weight_decay=0.1, maximize=True))
optimizer(
    "Adagrad-groups",
    lambda optim, p: optim.Adagrad(halves(p, lr=0.2, lr_decay=0.1, eps=0.1), 0.1, 0.0, 0.2, 1.0),
)
optimizer("Adagrad-late", lambda optim, p: optim.Adagrad(p, lr=0.2, lr_decay=0.1), late=5)

optimizer("Adadelta", lambda optim, p: optim.Adadelta(p))
optimizer("Adadelta-rho", lambda optim, p: optim.Adadelta(p, rho=0.6))
optimizer("Adadelta-eps", lambda optim, p: optim.Adadelta(p, eps=1e-3))
optimizer("Adadelta-lr", lambda optim, p: optim.Adadelta(p, lr=5.0))
optimizer("Adadelta-weight_decay", lambda optim, p: optim.Adadelta(p, eps=1e-4, weight_decay=0.3))
optimizer("Adadelta-maximize", lambda optim, p: optim.Adadelta(p, weight_decay=0.1, maximize=True))
optimizer("Adadelta-groups", lambda optim, p: optim.Adadelta(halves(p, lr=3.0, rho=0.8, weight_decay=0.2), eps=1e-4))

optimizer("Adamax", lambda optim, p: optim.Adamax(p))
optimizer("Adamax-betas", lambda optim, p: optim.Adamax(p, lr=0.01, betas=(0.8, 0.95)))
optimizer("Adamax-eps", lambda optim, p: optim.Adamax(p, lr=0.03, eps=0.2))
optimizer("Adamax-weight_decay", lambda optim, p: optim.Adamax(p, lr=0.03, weight_decay=0.3))
optimizer("Adamax-maximize", lambda optim, p: optim.Adamax(p, lr=0.01, weight_decay=0.1, maximize=True))
optimizer("Adamax-groups", lambda optim, p: optim.Adamax(halves(p, lr=0.01, betas=(0.8, 0.99)), weight_decay=0.2))

optimizer("NAdam", lambda optim, p: optim.NAdam(p))
optimizer("NAdam-options", lambda optim, p: optim.NAdam(p, lr=0.03, betas=(0.8, 0.95), eps=1e-3))
optimizer("NAdam-momentum_decay", lambda optim, p: optim.NAdam(p, lr=0.02, momentum_decay=0.3))
optimizer("NAdam-weight_decay", lambda optim, p: optim.NAdam(p, lr=0.02, eps=0.1, weight_decay=0.3))
optimizer("NAdam-decoupled", lambda optim, p: optim.NAdam(p, lr=0.02, weight_decay=0.3, decoupled_weight_decay=True))
optimizer("NAdam-maximize", lambda optim, p: optim.NAdam(p, lr=0.01, weight_decay=0.1, maximize=True))
optimizer("NAdam-groups", lambda optim, p: optim.NAdam(halves(p, lr=0.01, momentum_decay=0.1), weight_decay=0.2))
optimizer("NAdam-late", lambda optim, p: optim.NAdam(p, lr=0.02), late=5)

optimizer("RAdam", lambda optim, p: optim.RAdam(p))
optimizer("RAdam-options", lambda optim, p: optim.RAdam(p, lr=0.03, betas=(0.8, 0.95), eps=1e-2))
optimizer("RAdam-never_rectified", lambda optim, p: optim.RAdam(p, lr=0.02, betas=(0.9, 0.6)))
optimizer("RAdam-weight_decay", lambda optim, p: optim.RAdam(p, lr=0.03, weight_decay=0.3))
optimizer("RAdam-decoupled", lambda optim, p: optim.RAdam(p, lr=0.03, weight_decay=0.3, decoupled_weight_decay=True))
optimizer("RAdam-maximize", lambda optim, p: optim.RAdam(p, lr=0.01, weight_decay=0.1, maximize=True))
optimizer("RAdam-groups", lambda optim, p: optim.RAdam(halves(p, lr=0.02, betas=(0.9, 0.9)), weight_decay=0.2))
optimizer("RAdam-late", lambda optim, p: optim.RAdam(p, lr=0.03), late=5)

optimizer("Rprop", lambda optim, p: optim.Rprop(p))
optimizer("Rprop-etas", lambda optim, p: optim.Rprop(p, lr=0.02, etas=(0.7, 1.1)))
optimizer("Rprop-step_sizes", lambda optim, p: optim.Rprop(p, lr=0.02, step_sizes=(1e-3, 0.05)))
optimizer("Rprop-maximize", lambda optim, p: optim.Rprop(p, lr=0.001, step_sizes=(1e-6, 0.01), maximize=True))
optimizer("Rprop-groups", lambda optim, p: optim.Rprop(halves(p, lr=0.05, etas=(0.6, 1.3), step_sizes=(1e-4, 0.1))))
optimizer("Rprop-late", lambda optim, p: optim.Rprop(p, step_sizes=(1e-4, 0.1)), late=5)

optimizer("ASGD", lambda optim, p: optim.ASGD(p))
optimizer("ASGD-lambd", lambda optim, p: optim.ASGD(p, lr=0.02, lambd=0.3))
optimizer("ASGD-alpha", lambda optim, p: optim.ASGD(p, lr=0.02, lambd=0.3, alpha=0.4))
optimizer("ASGD-t0", lambda optim, p: optim.ASGD(p, lr=0.02, t0=20))
optimizer("ASGD-weight_decay", lambda optim, p: optim.ASGD(p, lr=0.02, t0=20.5, weight_decay=0.2))
optimizer("ASGD-maximize", lambda optim, p: optim.ASGD(p, lr=0.003, t0=0.0, weight_decay=0.1, maximize=True))
optimizer("ASGD-groups", lambda optim, p: optim.ASGD(halves(p, lr=0.03, t0=10, lambd=0.1), weight_decay=0.2))
optimizer("ASGD-late", lambda optim, p: optim.ASGD(p, lr=0.02, t0=20), late=5)

optimizer("Adafactor", lambda optim, p: optim.Adafactor(p))
optimizer("Adafactor-lr", lambda optim, p: optim.Adafactor(p, lr=0.5))
optimizer("Adafactor-beta2_decay", lambda optim, p: optim.Adafactor(p, lr=0.05, beta2_decay=-0.5))
optimizer("Adafactor-eps", lambda optim, p: optim.Adafactor(p, lr=0.05, eps=(0.1, 2.0)))
optimizer("Adafactor-d", lambda optim, p: optim.Adafactor(p, lr=0.01, d=1.2))
optimizer("Adafactor-weight_decay", lambda optim, p: optim.Adafactor(p, lr=0.01, weight_decay=0.5))
optimizer("Adafactor-maximize", lambda optim, p: optim.Adafactor(p, lr=0.005, weight_decay=0.1, maximize=True))
optimizer("Adafactor-groups", lambda optim, p: optim.Adafactor(halves(p, lr=0.1, beta2_decay=-0.6), weight_decay=0.1))
optimizer("Adafactor-late", lambda optim, p: optim.Adafactor(p, lr=0.05), late=5)

optimizer("Muon", lambda optim, p: optim.Muon([p.square, p.matrix]))
optimizer("Muon-lr", lambda optim, p: optim.Muon([p.square, p.matrix], lr=0.02))
optimizer("Muon-momentum", lambda optim, p: optim.Muon([p.square, p.matrix], lr=0.01, momentum=0.6))
optimizer("Muon-plain_momentum", lambda optim, p: optim.Muon([p.square, p.matrix], lr=0.02, nesterov=False))
optimizer("Muon-ns_steps", lambda optim, p: optim.Muon([p.square, p.matrix], lr=0.02, ns_steps=3))
optimizer(
    "Muon-ns_coefficients", lambda optim, p: optim.Muon([p.square, p.matrix], lr=0.02, ns_coefficients=(2.0, -1.5, 0.5))
)
optimizer("Muon-eps", lambda optim, p: optim.Muon([p.square, p.matrix], lr=0.02, eps=3.0))
optimizer("Muon-weight_decay", lambda optim, p: optim.Muon([p.square, p.matrix], lr=0.02, weight_decay=0.5))
optimizer("Muon-original", lambda optim, p: optim.Muon([p.square, p.matrix], lr=0.02, adjust_lr_fn="original"))
optimizer(
    "Muon-match_rms_adamw", lambda optim, p: optim.Muon([p.square, p.matrix], lr=0.02, adjust_lr_fn="match_rms_adamw")
)
optimizer(
    "Muon-groups",
    lambda optim, p: optim.Muon(
        [
            {"params": [p.square], "momentum": 0.8},
            {"params": [p.matrix], "lr": 0.005, "adjust_lr_fn": "match_rms_adamw"},
        ],
        lr=0.01,
        weight_decay=0.2,
    ),
)

optimizer("Lion", lambda optim, p: optim.Lion(p))
optimizer("Lion-lr", lambda optim, p: optim.Lion(p, lr=0.01))
optimizer("Lion-betas", lambda optim, p: optim.Lion(p, lr=0.01, betas=(0.7, 0.9)))
optimizer("Lion-weight_decay", lambda optim, p: optim.Lion(p, lr=0.01, weight_decay=0.5))
optimizer("Lion-groups", lambda optim, p: optim.Lion(halves(p, lr=0.02, betas=(0.5, 0.8)), lr=0.01, weight_decay=0.2))
optimizer("Lion-late", lambda optim, p: optim.Lion(p, lr=0.01), late=5)


def lbfgs(name: str, loss: Callable[[Any, Parameters], Any] = mild, steps: int = 20, late: int = 0, **how: Any) -> None:
    """Add a case; of the state only what does not depend on how the directions are kept."""
    compared = "func_evals", "n_iter"
    options = {"loss": loss, "steps": steps, "every": 1, "late": late, "closure": True, "compared": compared}
    optimizer(name, lambda optim, p: optim.LBFGS(p, **how), **options)


lbfgs("LBFGS")
lbfgs("LBFGS-one_iteration", max_iter=1)
lbfgs("LBFGS-lr", lr=0.3, max_iter=2)
lbfgs("LBFGS-history_size", lr=0.5, max_iter=2, history_size=3)
lbfgs("LBFGS-max_eval", lr=0.5, max_iter=10, max_eval=3)
lbfgs("LBFGS-tolerance_grad", lr=0.5, tolerance_grad=0.3)
lbfgs("LBFGS-tolerance_change", lr=0.5, tolerance_change=0.01)
lbfgs("LBFGS-small_steps", lr=0.02, tolerance_change=0.05)
lbfgs("LBFGS-late", lr=0.3, max_iter=1, late=5)

# Each way through the line search is taken by some case, but for two: a step away from the upper end of the bracket,
# and a bracket that becomes too narrow.
wolfe = partial(lbfgs, line_search_fn="strong_wolfe")
wolfe("LBFGS-strong_wolfe")
wolfe("LBFGS-strong_wolfe-one_iteration", max_iter=1, max_eval=25)
wolfe("LBFGS-strong_wolfe-no_search", max_iter=1)
wolfe("LBFGS-strong_wolfe-short", steps=5, lr=0.001, max_iter=2, max_eval=50)
wolfe("LBFGS-strong_wolfe-long", lr=20.0, max_iter=2, max_eval=50)
wolfe("LBFGS-strong_wolfe-history_size", max_iter=2, max_eval=50, history_size=2)
wolfe("LBFGS-strong_wolfe-max_eval", lr=10.0, max_iter=4, max_eval=5)
wolfe("LBFGS-strong_wolfe-tolerances", tolerance_grad=0.1, tolerance_change=1e-3)
# The line search goes on to its own tolerance, 1e-9, whatever tolerance_change is.
wolfe("LBFGS-strong_wolfe-coarse", loss=steep, steps=6, lr=300.0, max_iter=1, max_eval=25, tolerance_change=200.0)
wolfe("LBFGS-strong_wolfe-wavy", loss=wavy, max_iter=1, max_eval=25)
wolfe("LBFGS-strong_wolfe-steep", loss=steep, lr=0.05, max_iter=1, max_eval=25)
wolfe("LBFGS-strong_wolfe-steep-long", loss=steep, lr=100.0, max_iter=1, max_eval=25)
wolfe("LBFGS-strong_wolfe-bent", loss=bent, steps=3, lr=100.0, max_iter=1, max_eval=25)


# Schedulers


def sgd(optim: Any, groups: list[dict[str, Any]]) -> Any:
    """What most schedulers steer."""
    return optim.SGD(groups, momentum=0.9)


def adam(optim: Any, groups: list[dict[str, Any]]) -> Any:
    """An optimizer whose momentum is called beta1."""
    return optim.Adam(groups, betas=(0.9, 0.99))


@dataclass(frozen=True)
class SchedulerCase:
    """A course of learning rates.

    `begun`: of a run that goes on, when the rates are at this share of the first.  `since`: compared from this step on.
    """

    build: Callable[[Any, Any], Any]
    optimizer: Callable[[Any, list[dict[str, Any]]], Any] = sgd
    arguments: tuple[tuple[Any, ...], ...] = ((),) * 100
    module: str | None = "lr_scheduler"
    begun: float | None = None
    since: int = 0

    def _make(self, framework: Any, optim: Any) -> tuple[Any, Any]:
        groups = []
        for lr in (0.1, 0.02):
            x = framework.tensor(np.zeros(2), requires_grad=True)
            x.grad = framework.tensor(np.zeros(2))
            groups.append({"params": [x], "lr": lr} | ({"initial_lr": lr / self.begun} if self.begun else {}))
        optimizer = self.optimizer(optim, groups)
        return optimizer, self.build(getattr(optim, self.module) if self.module else optim, optimizer)

    def run(self, framework: Any, optim: Any, *, resumed: bool = False) -> dict[str, Any]:
        """Rate and momentum of both groups before and after each step; `resumed`: saved and loaded half way."""
        optimizer, scheduler = self._make(framework, optim)

        def row() -> list[float]:
            rates = [group["lr"] for group in optimizer.param_groups]
            assert rates == list(scheduler.get_last_lr())
            return rates + [g["betas"][0] if "betas" in g else g["momentum"] for g in optimizer.param_groups]

        course = [row()]
        for step, arguments in enumerate(self.arguments):
            if resumed and step == len(self.arguments) // 2:
                states = optimizer.state_dict(), scheduler.state_dict()
                optimizer, scheduler = self._make(framework, optim)
                optimizer.load_state_dict(states[0])
                scheduler.load_state_dict(states[1])
            optimizer.step()
            scheduler.step(*arguments)
            course.append(row())
        return {"course": np.array(course[self.since :])}


def scheduler(name: str, build: Callable[[Any, Any], Any], **options: Any) -> None:
    """Add a case."""
    assert name not in CASES
    CASES[name] = SchedulerCase(build, **options)


scheduler("StepLR", lambda lr, o: lr.StepLR(o, step_size=30))
scheduler("StepLR-gamma", lambda lr, o: lr.StepLR(o, step_size=7, gamma=0.8))
scheduler("StepLR-begun", lambda lr, o: lr.StepLR(o, step_size=4, gamma=0.9, last_epoch=9), begun=0.9**2)
scheduler("MultiStepLR", lambda lr, o: lr.MultiStepLR(o, milestones=[10, 45, 80]))
scheduler("MultiStepLR-repeated", lambda lr, o: lr.MultiStepLR(o, milestones=[50, 20, 20, 70, 70, 70], gamma=0.5))
scheduler("ConstantLR", lambda lr, o: lr.ConstantLR(o))
scheduler("ConstantLR-options", lambda lr, o: lr.ConstantLR(o, factor=0.7, total_iters=40))
scheduler("LinearLR", lambda lr, o: lr.LinearLR(o))
scheduler("LinearLR-options", lambda lr, o: lr.LinearLR(o, start_factor=0.9, end_factor=0.2, total_iters=60))
scheduler("LinearLR-begun", lambda lr, o: lr.LinearLR(o, 0.5, total_iters=50, last_epoch=9), begun=0.6)
scheduler("ExponentialLR", lambda lr, o: lr.ExponentialLR(o, gamma=0.95))
scheduler("ExponentialLR-begun", lambda lr, o: lr.ExponentialLR(o, gamma=0.95, last_epoch=9), begun=0.95**10)
scheduler("PolynomialLR", lambda lr, o: lr.PolynomialLR(o))
scheduler("PolynomialLR-power", lambda lr, o: lr.PolynomialLR(o, total_iters=70, power=2.5))
scheduler("LambdaLR", lambda lr, o: lr.LambdaLR(o, lambda epoch: 0.9**epoch))
scheduler("LambdaLR-list", lambda lr, o: lr.LambdaLR(o, [lambda epoch: 1.0 / (1 + epoch), lambda epoch: 0.95**epoch]))
scheduler("LambdaLR-begun", lambda lr, o: lr.LambdaLR(o, lambda epoch: 1.0 / (1 + epoch), last_epoch=9), begun=1 / 11)
scheduler("MultiplicativeLR", lambda lr, o: lr.MultiplicativeLR(o, lambda epoch: 0.97))
scheduler(
    "MultiplicativeLR-list",
    lambda lr, o: lr.MultiplicativeLR(o, [lambda epoch: epoch / (1 + epoch), lambda epoch: 1.02 if epoch % 3 else 0.9]),
)
scheduler("CosineAnnealingLR", lambda lr, o: lr.CosineAnnealingLR(o, T_max=100))
scheduler("CosineAnnealingLR-eta_min", lambda lr, o: lr.CosineAnnealingLR(o, T_max=80, eta_min=0.005))
scheduler("CosineAnnealingLR-beyond", lambda lr, o: lr.CosineAnnealingLR(o, T_max=15, eta_min=0.001))
scheduler("CosineAnnealingLR-begun", lambda lr, o: lr.CosineAnnealingLR(o, T_max=40, last_epoch=19), begun=0.5)
scheduler("CosineAnnealingWarmRestarts", lambda lr, o: lr.CosineAnnealingWarmRestarts(o, T_0=30))
scheduler("CosineAnnealingWarmRestarts-T_mult", lambda lr, o: lr.CosineAnnealingWarmRestarts(o, 7, T_mult=2))
scheduler(
    "CosineAnnealingWarmRestarts-eta_min", lambda lr, o: lr.CosineAnnealingWarmRestarts(o, 10, T_mult=3, eta_min=0.01)
)
scheduler(
    "CosineAnnealingWarmRestarts-fractions",
    lambda lr, o: lr.CosineAnnealingWarmRestarts(o, T_0=3),
    arguments=tuple((step / 8,) for step in range(1, 101)),
)
scheduler(
    "CosineAnnealingWarmRestarts-fractions-T_mult",
    lambda lr, o: lr.CosineAnnealingWarmRestarts(o, T_0=2, T_mult=2, eta_min=0.001),
    arguments=tuple((step / 5,) for step in range(1, 101)),
)
scheduler(
    "CosineAnnealingWarmRestarts-jumps",
    lambda lr, o: lr.CosineAnnealingWarmRestarts(o, T_0=5, T_mult=2),
    arguments=tuple((26,) if step == 20 else (3,) if step == 60 else () for step in range(100)),
)
scheduler("OneCycleLR", lambda lr, o: lr.OneCycleLR(o, max_lr=0.1, total_steps=100))
scheduler(
    "OneCycleLR-linear",
    lambda lr, o: lr.OneCycleLR(o, max_lr=[0.1, 0.5], total_steps=110, anneal_strategy="linear", pct_start=0.45),
)
scheduler("OneCycleLR-three_phase", lambda lr, o: lr.OneCycleLR(o, 0.1, total_steps=100, three_phase=True))
scheduler(
    "OneCycleLR-factors", lambda lr, o: lr.OneCycleLR(o, 0.1, total_steps=120, div_factor=5.0, final_div_factor=20.0)
)
scheduler(
    "OneCycleLR-epochs",
    lambda lr, o: lr.OneCycleLR(
        o, [0.3, 0.2], epochs=5, steps_per_epoch=21, base_momentum=0.7, max_momentum=[0.9, 0.99]
    ),
)
scheduler("OneCycleLR-no_momentum", lambda lr, o: lr.OneCycleLR(o, 0.1, total_steps=105, cycle_momentum=False))
scheduler("OneCycleLR-Adam", lambda lr, o: lr.OneCycleLR(o, max_lr=0.01, total_steps=105), optimizer=adam)
scheduler(
    "OneCycleLR-Adam-linear-three_phase",
    lambda lr, o: lr.OneCycleLR(o, 0.01, total_steps=105, anneal_strategy="linear", three_phase=True, pct_start=0.25),
    optimizer=adam,
)
scheduler("CyclicLR", lambda lr, o: lr.CyclicLR(o, base_lr=0.01, max_lr=0.1, step_size_up=20))
scheduler(
    "CyclicLR-sides",
    lambda lr, o: lr.CyclicLR(o, base_lr=[0.01, 0.1], max_lr=[0.2, 0.5], step_size_up=20, step_size_down=8),
)
scheduler("CyclicLR-triangular2", lambda lr, o: lr.CyclicLR(o, 0.01, 0.1, step_size_up=10, mode="triangular2"))
scheduler("CyclicLR-exp_range", lambda lr, o: lr.CyclicLR(o, 0.01, 0.1, step_size_up=12, mode="exp_range", gamma=0.98))
scheduler("CyclicLR-scale_fn", lambda lr, o: lr.CyclicLR(o, 0.01, 0.1, 10, scale_fn=lambda cycle: 0.7**cycle))
scheduler(
    "CyclicLR-scale_fn-iterations",
    lambda lr, o: lr.CyclicLR(o, 0.01, 0.1, 10, scale_fn=lambda step: 1 / (1 + 0.1 * step), scale_mode="iterations"),
)
scheduler("CyclicLR-no_momentum", lambda lr, o: lr.CyclicLR(o, 0.01, 0.1, step_size_up=15, cycle_momentum=False))
scheduler(
    "CyclicLR-momentum", lambda lr, o: lr.CyclicLR(o, 0.01, 0.1, step_size_up=15, base_momentum=0.5, max_momentum=0.99)
)
scheduler("CyclicLR-Adam", lambda lr, o: lr.CyclicLR(o, 0.001, 0.01, 10, mode="triangular2"), optimizer=adam)
scheduler(
    "SequentialLR",
    lambda lr, o: lr.SequentialLR(
        o, [lr.LinearLR(o, start_factor=0.1, total_iters=10), lr.CosineAnnealingLR(o, T_max=90)], milestones=[10]
    ),
)
scheduler(
    "SequentialLR-three",
    lambda lr, o: lr.SequentialLR(
        o,
        [lr.ConstantLR(o, factor=0.1, total_iters=20), lr.ExponentialLR(o, gamma=0.9), lr.StepLR(o, 15, gamma=0.5)],
        milestones=[20, 55],
    ),
)
scheduler(
    "SequentialLR-early",
    lambda lr, o: lr.SequentialLR(
        o, [lr.LinearLR(o, total_iters=50), lr.CosineAnnealingWarmRestarts(o, T_0=9, T_mult=2)], milestones=[12]
    ),
)
scheduler(
    "ChainedScheduler",
    lambda lr, o: lr.ChainedScheduler([lr.ConstantLR(o, factor=0.1, total_iters=30), lr.ExponentialLR(o, gamma=0.95)]),
)
scheduler(
    "ChainedScheduler-steps",
    lambda lr, o: lr.ChainedScheduler(
        [lr.LinearLR(o, total_iters=20), lr.StepLR(o, step_size=25, gamma=0.5)], optimizer=o
    ),
)
scheduler(
    "ChainedScheduler-three",
    lambda lr, o: lr.ChainedScheduler(
        [
            lr.CosineAnnealingLR(o, T_max=120),
            lr.MultiStepLR(o, [30, 60], gamma=0.5),
            lr.MultiplicativeLR(o, lambda epoch: 0.99),
        ]
    ),
)

FALLING = tuple((1.0 / (1 + step // 12),) for step in range(100))
RISING = tuple((10.0 + 0.4 * (step // 7) + 0.01 * (step % 7),) for step in range(100))
STUCK = tuple((3.0,) for _ in range(100))
JUMPY = tuple(
    (float("nan") if step % 17 == 5 else float("inf") if step == 3 else 50 - step // 9,) for step in range(100)
)
NEGATIVE = tuple((-1.0 - step // 12,) for step in range(100))


def plateau(name: str, arguments: tuple[tuple[float], ...], **options: Any) -> None:
    """Add a case of ReduceLROnPlateau."""
    scheduler(name, lambda lr, o: lr.ReduceLROnPlateau(o, **options), arguments=arguments)


plateau("ReduceLROnPlateau", FALLING)
plateau("ReduceLROnPlateau-patience", FALLING, patience=4, factor=0.5)
plateau("ReduceLROnPlateau-impatient", STUCK, patience=0, factor=0.9)
plateau("ReduceLROnPlateau-abs", FALLING, patience=5, threshold=0.04, threshold_mode="abs", factor=0.7)
plateau("ReduceLROnPlateau-rel", FALLING, patience=5, threshold=0.15, factor=0.7)
plateau("ReduceLROnPlateau-max", RISING, mode="max", patience=3, factor=0.6, threshold=0.02)
plateau("ReduceLROnPlateau-max-abs", RISING, mode="max", patience=3, threshold=0.5, threshold_mode="abs", factor=0.6)
plateau("ReduceLROnPlateau-max-of-losses", FALLING, mode="max", patience=8, factor=0.5)
plateau("ReduceLROnPlateau-cooldown", STUCK, patience=2, cooldown=9, factor=0.5)
plateau("ReduceLROnPlateau-min_lr", STUCK, patience=2, min_lr=0.01, factor=0.5)
plateau("ReduceLROnPlateau-min_lr-list", STUCK, patience=2, min_lr=[0.001, 0.015], factor=0.5)
plateau("ReduceLROnPlateau-eps", STUCK, patience=2, eps=0.004, factor=0.7)
plateau("ReduceLROnPlateau-jumpy", JUMPY, patience=3, factor=0.8)
# Of negative values PyTorch's relative threshold is on the wrong side, so these stand for them: test_schedules mirrors.
plateau("ReduceLROnPlateau-max-positive", tuple((-value,) for (value,) in NEGATIVE), mode="max", patience=3, factor=0.8)
plateau("ReduceLROnPlateau-negative-abs", NEGATIVE, patience=3, factor=0.8, threshold_mode="abs")

scheduler("SWALR", lambda swa, o: swa.SWALR(o, swa_lr=0.05), module="swa_utils")
scheduler("SWALR-linear", lambda swa, o: swa.SWALR(o, [0.3, 0.001], 40, "linear"), module="swa_utils")
scheduler("SWALR-epochs", lambda swa, o: swa.SWALR(o, 0.05, anneal_epochs=70), module="swa_utils")
scheduler("SWALR-at_once", lambda swa, o: swa.SWALR(o, 0.05, anneal_epochs=0), module="swa_utils")


class Succession:
    """A schedule that gives way to another one that was made at the same time, as PyTorch documents SWALR's use."""

    def __init__(self, first: Any, second: Any, change: int) -> None:
        self.parts, self.change, self.count = (first, second), change, 0

    def _part(self) -> Any:
        return self.parts[self.count > self.change]

    def step(self) -> None:
        """One step of the schedule whose turn it is."""
        self.count += 1
        self._part().step()

    def get_last_lr(self) -> list[float]:
        """The rates of the schedule whose turn it is."""
        return self._part().get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        """The states of both."""
        return {"count": self.count, "parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from the states of both."""
        self.count = state["count"]
        for part, its_state in zip(self.parts, state["parts"], strict=True):
            part.load_state_dict(its_state)


scheduler(
    "SWALR-after_another",
    lambda optim, o: Succession(
        optim.lr_scheduler.ExponentialLR(o, gamma=0.95), optim.swa_utils.SWALR(o, swa_lr=0.05, anneal_epochs=40), 30
    ),
    module=None,
)


class Beside:
    """Two schedules of one optimizer, stepped one after the other."""

    def __init__(self, *parts: Any) -> None:
        self.parts = parts

    def step(self) -> None:
        """One step of each."""
        for part in self.parts:
            part.step()

    def get_last_lr(self) -> list[float]:
        """The rates after both."""
        return self.parts[1].get_last_lr()

    def state_dict(self) -> list[dict[str, Any]]:
        """The states of both."""
        return [part.state_dict() for part in self.parts]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """Go on from the states of both."""
        for part, state in zip(self.parts, states, strict=True):
            part.load_state_dict(state)


def _all_schedules(optim: Any) -> Any:
    return SimpleNamespace(**vars(optim.lr_scheduler), SWALR=optim.swa_utils.SWALR)


# One of each kind, long enough for every change in 24 steps.  PyTorch multiplies the rate that it finds, or computes it
# from the number of the step alone, or moves it towards the end of a cosine.
PARTNERS: dict[str, Callable[[Any, Any], Any]] = {
    "StepLR": lambda lr, o: lr.StepLR(o, step_size=5, gamma=0.5),
    "MultiStepLR": lambda lr, o: lr.MultiStepLR(o, [3, 9, 9], gamma=0.5),
    "ConstantLR": lambda lr, o: lr.ConstantLR(o, factor=0.5, total_iters=7),
    "LinearLR": lambda lr, o: lr.LinearLR(o, 0.25, total_iters=6),
    "LinearLR-to-0": lambda lr, o: lr.LinearLR(o, 1.0, 0.0, total_iters=6),
    "ExponentialLR": lambda lr, o: lr.ExponentialLR(o, gamma=0.9),
    "PolynomialLR": lambda lr, o: lr.PolynomialLR(o, total_iters=30, power=1.5),
    "PolynomialLR-ended": lambda lr, o: lr.PolynomialLR(o, total_iters=8),
    "MultiplicativeLR": lambda lr, o: lr.MultiplicativeLR(o, lambda epoch: 1.1 if epoch % 3 else 0.7),
    "LambdaLR": lambda lr, o: lr.LambdaLR(o, lambda epoch: 1.0 / (1 + 0.3 * epoch)),
    "CosineAnnealingLR": lambda lr, o: lr.CosineAnnealingLR(o, T_max=7),
    "CosineAnnealingLR-eta_min": lambda lr, o: lr.CosineAnnealingLR(o, T_max=40, eta_min=0.0001),
    "CosineAnnealingWarmRestarts": lambda lr, o: lr.CosineAnnealingWarmRestarts(o, T_0=3, T_mult=2, eta_min=0.001),
    "OneCycleLR": lambda lr, o: lr.OneCycleLR(o, max_lr=[0.3, 0.1], total_steps=30),
    "CyclicLR": lambda lr, o: lr.CyclicLR(o, base_lr=0.01, max_lr=0.1, step_size_up=4),
    "SWALR": lambda lr, o: lr.SWALR(o, swa_lr=0.03, anneal_epochs=8),
    "SequentialLR": lambda lr, o: lr.SequentialLR(
        o, [lr.LinearLR(o, 0.5, total_iters=3), lr.ExponentialLR(o, 0.9)], [6]
    ),
    "ChainedScheduler": lambda lr, o: lr.ChainedScheduler([lr.LinearLR(o, 0.5, total_iters=3), lr.StepLR(o, 5)]),
}
# PyTorch's CyclicLR starts at the first rate of the one that was made before, and comes to its own with the first step.
for one, other in permutations(PARTNERS, 2):
    scheduler(
        f"{one} beside {other}",
        lambda optim, o, pair=(one, other): Beside(*(PARTNERS[name](_all_schedules(optim), o) for name in pair)),
        arguments=((),) * 24,
        module=None,
        since=int(other == "CyclicLR"),
    )


# Averages of weights


@dataclass(frozen=True)
class AverageCase:
    """The averaged weights of a linear model after each of 20 steps."""

    build: Callable[[Any, Any], Any]

    def run(self, framework: Any, optim: Any) -> dict[str, Any]:
        """The averages and how many weights are in them."""
        rng = np.random.RandomState(1)
        x, y, weight, bias = (framework.tensor(rng.normal(size=shape)) for shape in ((8, 3), (8, 2), (2, 3), (2,)))
        model = framework.nn.Linear(3, 2)
        model.load_state_dict({"weight": weight, "bias": bias})
        optimizer = optim.SGD(model.parameters(), lr=0.1)
        averaged = self.build(optim.swa_utils, model)
        path = []
        for _ in range(20):
            optimizer.zero_grad()
            ((model(x) - y) ** 2).mean().backward()
            optimizer.step()
            averaged.update_parameters(model)
            path.append(flat([*(p.detach() for p in averaged.parameters()), averaged(x).detach(), averaged.n_averaged]))
        return {"path": np.stack(path)}


def average(name: str, build: Callable[[Any, Any], Any]) -> None:
    """Add a case."""
    assert name not in CASES
    CASES[name] = AverageCase(build)


average("AveragedModel", lambda swa, model: swa.AveragedModel(model))
average("AveragedModel-swa", lambda swa, model: swa.AveragedModel(model, multi_avg_fn=swa.get_swa_multi_avg_fn()))
average("AveragedModel-ema", lambda swa, model: swa.AveragedModel(model, multi_avg_fn=swa.get_ema_multi_avg_fn(0.9)))
average("AveragedModel-avg_fn", lambda swa, model: swa.AveragedModel(model, avg_fn=swa.get_ema_avg_fn(0.8)))
average(
    "AveragedModel-own",
    lambda swa, model: swa.AveragedModel(model, avg_fn=lambda mean, new, n: 0.25 * mean + 0.75 * new),
)
