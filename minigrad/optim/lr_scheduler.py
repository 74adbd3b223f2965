"""Learning rates that change with the number of the step, under PyTorch's names; `schedule` says how."""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any, Literal

from minigrad.errors import ArgumentError
from minigrad.optim.combined_schedules import ChainedScheduler, SequentialLR
from minigrad.optim.optimizer import Optimizer, for_groups
from minigrad.optim.plateau import ReduceLROnPlateau
from minigrad.optim.schedule import ByStepAlone, LRScheduler, towards
from minigrad.options import one_of, real_number

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]

Rate = Callable[[int], float]


# A factor that falls in steps, steadily, or as one says


class StepLR(LRScheduler):
    """The rate times `gamma` after every `step_size` steps.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> [schedule.lr_at(step, 1.0) for step in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        real_number(step_size, "StepLR: step_size", above=0)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def lr_at(self, step: Any, base_lr: float, group: int = 0) -> float:
        """The learning rate at a step."""
        return float(base_lr * self.gamma ** (step // self.step_size))


class MultiStepLR(LRScheduler):
    """The rate times `gamma` at each of the milestones.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[1, 3], gamma=0.5)
    >>> [schedule.lr_at(step, 1.0) for step in range(5)]
    [1.0, 0.5, 0.5, 0.25, 0.25]
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def lr_at(self, step: Any, base_lr: float, group: int = 0) -> float:
        """The learning rate at a step."""
        return float(base_lr * self.gamma ** bisect_right(self.milestones, step))


class ExponentialLR(LRScheduler):
    """The rate times `gamma` at every step.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> [schedule.lr_at(step, 1.0) for step in range(3)]
    [1.0, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def lr_at(self, step: Any, base_lr: float, group: int = 0) -> float:
        """The learning rate at a step."""
        return float(base_lr * self.gamma**step)


class ConstantLR(LRScheduler):
    """The rate times `factor` for the first `total_iters` steps.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.ConstantLR(optimizer, factor=0.25, total_iters=2)
    >>> [schedule.lr_at(step, 1.0) for step in range(3)]
    [0.25, 0.25, 1.0]
    """

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        real_number(factor, "ConstantLR: factor", least=0, most=1)
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def lr_at(self, step: Any, base_lr: float, group: int = 0) -> float:
        """The learning rate at a step."""
        return base_lr * self.factor if step < self.total_iters else base_lr


class LinearLR(LRScheduler):
    """The rate times a factor that changes linearly over the first `total_iters` steps: a warm-up.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> [schedule.lr_at(step, 1.0) for step in range(4)]
    [0.5, 0.75, 1.0, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        real_number(start_factor, "LinearLR: start_factor", above=0, most=1)
        real_number(end_factor, "LinearLR: end_factor", least=0, most=1)
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def lr_at(self, step: Any, base_lr: float, group: int = 0) -> float:
        """The learning rate at a step."""
        share = min(step, self.total_iters) / self.total_iters if self.total_iters else 1.0
        return float(base_lr * (self.start_factor + (self.end_factor - self.start_factor) * share))


class PolynomialLR(LRScheduler):
    """The rate times ``(1 - step / total_iters) ** power``, and then 0.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=2, power=2)
    >>> [schedule.lr_at(step, 1.0) for step in range(4)]
    [1.0, 0.25, 0.0, 0.0]
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        real_number(total_iters, "PolynomialLR: total_iters", above=0)
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def lr_at(self, step: Any, base_lr: float, group: int = 0) -> float:
        """The learning rate at a step."""
        return float(base_lr * (1 - min(step, self.total_iters) / self.total_iters) ** self.power)


class LambdaLR(ByStepAlone):
    """The rate times a function of the step: one for all groups, or one for each.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    >>> schedule.lr_at(3, 1.0)
    0.25
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Rate | list[Rate], last_epoch: int = -1) -> None:
        self.lr_lambdas = for_groups(lr_lambda, optimizer, "LambdaLR")
        super().__init__(optimizer, last_epoch)

    def lr_at(self, step: Any, base_lr: float, group: int = 0) -> float:
        """The learning rate at a step."""
        return float(base_lr * self.lr_lambdas[group](step))


class MultiplicativeLR(LRScheduler):
    """The rate times a function of the step, at every step.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda step: 1 / step)
    >>> schedule.lr_at(2, 1.0)
    0.5
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Rate | list[Rate], last_epoch: int = -1) -> None:
        self.lr_lambdas = for_groups(lr_lambda, optimizer, "MultiplicativeLR")
        self._products: list[list[float]] = [[1.0] for _ in self.lr_lambdas]
        super().__init__(optimizer, last_epoch)

    def lr_at(self, step: Any, base_lr: float, group: int = 0) -> float:
        """The learning rate at a step."""
        products = self._products[group]  # of the functions up to each step, computed once
        while len(products) <= step:
            products.append(products[-1] * self.lr_lambdas[group](len(products)))
        return float(base_lr * products[step])


# Half a cosine, once or again and again


class CosineAnnealingLR(LRScheduler):
    """The rate on half a cosine down to `eta_min` after `T_max` steps, and up again after that.

    I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017, without restarts.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
    >>> [round(schedule.lr_at(step, 1.0), 4) for step in range(5)]
    [1.0, 0.5, 0.0, 0.5, 1.0]
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        real_number(T_max, "CosineAnnealingLR: T_max", above=0)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def lr_at(self, step: Any, base_lr: float, group: int = 0) -> float:
        """The learning rate at a step."""
        return self.eta_min + (base_lr - self.eta_min) * (1 + math.cos(math.pi * step / self.T_max)) / 2

    def _kept(self, group: int, found: float, planned: float, plan: float, scale: float) -> tuple[float, float]:
        return towards(self.eta_min, found, planned, plan, scale)


class CosineAnnealingWarmRestarts(ByStepAlone):
    """The rate on half a cosine down to `eta_min`, then again from the start, for periods that grow by `T_mult`.

    I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.  `step` may be given
    fractions of an epoch.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2, T_mult=2)
    >>> [round(schedule.lr_at(step, 1.0), 4) for step in range(7)]
    [1.0, 0.5, 1.0, 0.8536, 0.5, 0.1464, 1.0]
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        real_number(T_0, "CosineAnnealingWarmRestarts: T_0", least=1)
        real_number(T_mult, "CosineAnnealingWarmRestarts: T_mult", least=1)
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        super().__init__(optimizer, last_epoch)

    def lr_at(self, step: Any, base_lr: float, group: int = 0) -> float:
        """The learning rate at a step."""
        period = self.T_0
        if self.T_mult == 1:
            step = step % period
        while step >= period:
            step, period = step - period, period * self.T_mult
        return self.eta_min + (base_lr - self.eta_min) * (1 + math.cos(math.pi * step / period)) / 2


# Up and down, with the momentum the other way round


class _CycleLR(ByStepAlone):
    """A schedule that may also change the momentum, or the first beta."""

    def _momentum_option(self) -> str:
        group = self.optimizer.param_groups[0]
        name = next((n for n in ("momentum", "betas") if n in group), None)
        if name is None:
            raise ArgumentError(
                f"{type(self).__name__}: {type(self.optimizer).__name__} has no momentum to cycle: cycle_momentum=False"
            )
        return name

    def _with_momentum(self, rate: float, momentum: float, group: int) -> dict[str, Any]:
        name = self._momentum_option()
        if name == "momentum":
            return {"lr": rate, "momentum": momentum}
        return {"lr": rate, "betas": (momentum, *self.optimizer.param_groups[group]["betas"][1:])}


class OneCycleLR(_CycleLR):
    """The rate from a small value up to `max_lr` and down to almost 0, once; momentum goes down and up.

    L. N. Smith and N. Topin, "Super-convergence", 2018.

    Parameters
    ----------
    optimizer : Optimizer
    max_lr : float or list of float
        The largest rate, for all groups or for each.
    total_steps : int, optional
        By default ``epochs * steps_per_epoch``. There are no more steps.
    epochs, steps_per_epoch : int, optional
    pct_start : float
        How much of the steps the rate rises.
    anneal_strategy : {"cos", "linear"}
    cycle_momentum : bool
    base_momentum, max_momentum : float or list of float
    div_factor : float
        `max_lr` divided by this is the rate at the start,
    final_div_factor : float
        ... and that divided by this the rate at the end.
    three_phase : bool
        Fall to the rate at the start first, as slowly as the rate has risen, and then to the rate at the end.
    last_epoch : int

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.tensor(1.0, requires_grad=True)], lr=1.0, momentum=0.9)
    >>> schedule = mg.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    >>> [round(schedule.lr_at(step, 1.0), 4) for step in (0, 2, 9)]
    [0.04, 1.0, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ArgumentError("OneCycleLR: give total_steps, or epochs and steps_per_epoch")
            total_steps = epochs * steps_per_epoch
        real_number(total_steps, "OneCycleLR: total_steps", least=1)
        real_number(pct_start, "OneCycleLR: pct_start", least=0, most=1)
        one_of(anneal_strategy, "OneCycleLR: anneal_strategy", ("cos", "linear"))
        self.total_steps, self.pct_start, self.anneal_strategy = total_steps, pct_start, anneal_strategy
        self.cycle_momentum, self.three_phase = cycle_momentum, three_phase
        self.div_factor, self.final_div_factor = div_factor, final_div_factor
        self.max_lrs = for_groups(max_lr, optimizer, "OneCycleLR")
        self.base_momentums = for_groups(base_momentum, optimizer, "OneCycleLR")
        self.max_momentums = for_groups(max_momentum, optimizer, "OneCycleLR")
        if last_epoch == -1:
            for group, rate in zip(optimizer.param_groups, self.max_lrs, strict=True):
                group["lr"] = group["initial_lr"] = rate / div_factor
        super().__init__(optimizer, last_epoch)

    def _along(self, step: Any, *values: float) -> float:
        """Through these values, each change in its phase of the schedule."""
        rising = self.pct_start * self.total_steps - 1
        ends = [rising, 2 * rising] if self.three_phase else [rising]
        start = 0.0
        for end, low, high in zip([*ends, self.total_steps - 1], values, values[1:], strict=True):
            if step <= end or end == self.total_steps - 1:
                share = (step - start) / (end - start) if end > start else 1.0
                if self.anneal_strategy == "linear":
                    return low + (high - low) * share
                return high + (low - high) / 2 * (1 + math.cos(math.pi * share))
            start = end
        raise AssertionError  # the last phase ends with the last step

    def lr_at(self, step: Any, base_lr: float, group: int = 0) -> float:
        """The learning rate at a step; it does not depend on `base_lr`."""
        if step > self.total_steps:  # PyTorch allows the one after the last, too
            raise ArgumentError(f"OneCycleLR: this schedule has {self.total_steps} steps, and no step {step}")
        top = self.max_lrs[group]
        first = top / self.div_factor
        path = [first, top, first] if self.three_phase else [first, top]
        return self._along(step, *path, first / self.final_div_factor)

    def options_at(self, step: Any, base_lr: float, group: int = 0) -> dict[str, Any]:
        """The learning rate and the momentum at a step."""
        rate = self.lr_at(step, base_lr, group)
        if not self.cycle_momentum:
            return {"lr": rate}
        low, high = self.base_momentums[group], self.max_momentums[group]
        path = [high, low, high, high] if self.three_phase else [high, low, high]
        return self._with_momentum(rate, self._along(step, *path), group)


class CyclicLR(_CycleLR):
    """The rate up and down between two bounds, again and again; momentum goes down and up.

    L. N. Smith, "Cyclical learning rates for training neural networks", WACV 2017.

    Parameters
    ----------
    optimizer : Optimizer
    base_lr, max_lr : float or list of float
        The bounds, for all groups or for each.
    step_size_up, step_size_down : int
        How many steps the rate rises, and falls (by default as many).
    mode : {"triangular", "triangular2", "exp_range"}
        Whether the height of the cycles stays, is halved with each, or is multiplied by `gamma` at each step.
    gamma : float
    scale_fn : callable, optional
        The height of the cycles instead, as a function of the number of the cycle or of the step.
    scale_mode : {"cycle", "iterations"}
        Which of the two.
    cycle_momentum : bool
    base_momentum, max_momentum : float or list of float
    last_epoch : int

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.tensor(1.0, requires_grad=True)], lr=1.0, momentum=0.9)
    >>> schedule = mg.optim.lr_scheduler.CyclicLR(optimizer, base_lr=0.0, max_lr=1.0, step_size_up=2)
    >>> [schedule.lr_at(step, 0.0) for step in range(6)]
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        if scale_fn is None:
            one_of(mode, "CyclicLR: mode", ("triangular", "triangular2", "exp_range"))
        self.step_size_up = step_size_up
        self.step_size_down = step_size_up if step_size_down is None else step_size_down
        real_number(self.step_size_up, "CyclicLR: step_size_up", above=0)
        real_number(self.step_size_down, "CyclicLR: step_size_down", above=0)
        self.mode, self.gamma, self.scale_fn, self.cycle_momentum = mode, gamma, scale_fn, cycle_momentum
        self.scale_mode = scale_mode if scale_fn else "iterations" if mode == "exp_range" else "cycle"
        self.max_lrs = for_groups(max_lr, optimizer, "CyclicLR")
        self.base_momentums = for_groups(base_momentum, optimizer, "CyclicLR")
        self.max_momentums = for_groups(max_momentum, optimizer, "CyclicLR")
        self._lower = for_groups(base_lr, optimizer, "CyclicLR")
        if last_epoch == -1:
            for group, rate in zip(optimizer.param_groups, self._lower, strict=True):
                group["lr"] = rate
        super().__init__(optimizer, last_epoch)

    def _bases(self) -> list[float]:
        return list(self._lower)

    def _height(self, step: Any) -> float:
        """How far from the lower bound to the upper one."""
        total = self.step_size_up + self.step_size_down
        ratio = self.step_size_up / total
        cycle = math.floor(1 + step / total)
        x = 1 + step / total - cycle
        height = x / ratio if x <= ratio else (x - 1) / (ratio - 1)
        count = cycle if self.scale_mode == "cycle" else step
        if self.scale_fn is not None:
            return float(height * self.scale_fn(count))
        return float(height * {"triangular": 1.0, "triangular2": 0.5 ** (cycle - 1)}.get(self.mode, self.gamma**count))

    def lr_at(self, step: Any, base_lr: float, group: int = 0) -> float:
        """The learning rate at a step."""
        return float(base_lr + (self.max_lrs[group] - base_lr) * self._height(step))

    def options_at(self, step: Any, base_lr: float, group: int = 0) -> dict[str, Any]:
        """The learning rate and the momentum at a step."""
        rate = self.lr_at(step, base_lr, group)
        if not self.cycle_momentum:
            return {"lr": rate}
        low, high = self.base_momentums[group], self.max_momentums[group]
        return self._with_momentum(rate, high - (high - low) * self._height(step), group)
