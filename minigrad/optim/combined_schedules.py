"""Schedules that are made of several others."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from minigrad.errors import ArgumentError, DTypeError, StateDictError
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.schedule import LRScheduler


class _Composite(LRScheduler):
    """A schedule made of others for the same optimizer."""

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], last_epoch: int = -1) -> None:
        self._schedulers = list(schedulers)
        name = type(self).__name__
        if not self._schedulers:
            raise ArgumentError(f"{name} needs a scheduler")
        for i, scheduler in enumerate(self._schedulers):
            if not isinstance(scheduler, LRScheduler):
                raise DTypeError(f"{name}: scheduler {i} gives no rate for a step: {type(scheduler).__name__}")
            if scheduler.optimizer is not optimizer:
                raise ArgumentError(f"{name}: scheduler {i} is for another optimizer")
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """The states of all schedulers, and where the schedule is."""
        return {**super().state_dict(), "_schedulers": [scheduler.state_dict() for scheduler in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from what `state_dict` gave."""
        parts = state_dict.get("_schedulers", [])
        if len(parts) != len(self._schedulers):
            raise StateDictError(f"{len(parts)} schedules do not fit a scheduler with {len(self._schedulers)}")
        before = [vars(scheduler).copy() for scheduler in self._schedulers]
        try:
            for scheduler, part in zip(self._schedulers, parts, strict=True):
                scheduler.load_state_dict(part)
            super().load_state_dict({k: v for k, v in state_dict.items() if k != "_schedulers"})
        except Exception:
            for scheduler, old in zip(self._schedulers, before, strict=True):
                vars(scheduler).update(old)
            raise


class ChainedScheduler(_Composite):
    """Several schedules at once: each takes the rate that the one before gives for the rate at the start.

    PyTorch steps them one after another instead.  That is the same for all that multiply what they find; others, such
    as `LambdaLR`, write over those before them there, and not here.  All start anew, or go on from one step.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> warmup = mg.optim.lr_scheduler.ConstantLR(optimizer, factor=0.1, total_iters=2)
    >>> decay = mg.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> schedule = mg.optim.lr_scheduler.ChainedScheduler([warmup, decay])
    >>> [schedule.lr_at(step, 1.0) for step in range(4)]
    [0.1, 0.05, 0.25, 0.125]
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        first = next(iter(schedulers), None)
        super().__init__(optimizer or getattr(first, "optimizer", None), schedulers)  # type: ignore[arg-type]

    def _start(self) -> None:
        steps = {scheduler.last_epoch for scheduler in self._schedulers}
        if len(steps) > 1:
            raise ArgumentError(
                f"ChainedScheduler: all schedulers go on from one step, and these are at {sorted(steps)}: give all of "
                "them the same last_epoch"
            )
        self.last_epoch = steps.pop()
        self.planned = [self.lr_at(self.last_epoch, base, i) for i, base in enumerate(self.base_lrs)]
        for group, planned in zip(self.optimizer.param_groups, self.planned, strict=True):
            if math.isclose(group["lr"], planned, rel_tol=1e-12):  # the parts have written theirs, with roundings
                group["lr"] = planned

    def _stand_at(self, step: float) -> None:
        super()._stand_at(step)
        for scheduler in self._schedulers:
            scheduler._stand_at(step)

    def lr_at(self, step: Any, base_lr: float, group: int = 0) -> float:
        """The learning rate at a step."""
        return float(self.options_at(step, base_lr, group)["lr"])

    def options_at(self, step: Any, base_lr: float, group: int = 0) -> dict[str, Any]:
        """All options that one of the schedules changes."""
        options = {"lr": base_lr}
        for scheduler in self._schedulers:
            options |= scheduler.options_at(step, options["lr"], group)
        return options


class SequentialLR(_Composite):
    """Several schedules one after another: each starts, with its step 0, at a milestone.

    With `last_epoch` it goes on as if there had been no interruption, whether the parts were made with theirs or anew;
    PyTorch begins with the first again.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> warmup = mg.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> decay = mg.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> schedule = mg.optim.lr_scheduler.SequentialLR(optimizer, [warmup, decay], milestones=[2])
    >>> [schedule.lr_at(step, 1.0) for step in range(5)]
    [0.5, 0.75, 1.0, 0.5, 0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        self.milestones = list(milestones)
        if len(self.milestones) != len(schedulers) - 1 or self.milestones != sorted(self.milestones):
            raise ArgumentError(
                f"SequentialLR: between {len(schedulers)} schedules are {len(schedulers) - 1} rising milestones, not "
                f"{self.milestones}"
            )
        super().__init__(optimizer, schedulers, last_epoch)

    def _start(self) -> None:
        fresh = self.last_epoch == -1
        if fresh:  # the parts have written theirs
            for group in self.optimizer.param_groups:
                group["lr"] = group["initial_lr"]
        super()._start()
        if not fresh:
            self._go_on()

    def _go_on(self) -> None:
        """Write what an uninterrupted run would have written by now, over the first rates of parts that are new."""
        new = any(scheduler.last_epoch == 0 for scheduler in self._schedulers)
        self._stand_at(self.last_epoch)
        if not new:
            return
        for i, (group, base) in enumerate(zip(self.optimizer.param_groups, self.base_lrs, strict=True)):
            for scheduler in self._schedulers[: bisect_right(self.milestones, self.last_epoch) + 1]:
                group.update(scheduler.options_at(scheduler.last_epoch, base, i))
        self.planned = self.get_last_lr()

    def _place(self, step: Any) -> tuple[LRScheduler, Any]:
        """The schedule of a step, and the step counted from its milestone."""
        i = bisect_right(self.milestones, step)
        return self._schedulers[i], step - self.milestones[i - 1] if i else step

    def _stand_at(self, step: float) -> None:
        super()._stand_at(step)
        starts, ends = [0, *self.milestones], [*(end - 1 for end in self.milestones), step]
        for scheduler, start, end in zip(self._schedulers, starts, ends, strict=True):
            scheduler._stand_at(max(min(step, end) - start, 0))

    def _kept(self, group: int, found: float, planned: float, plan: float, scale: float) -> tuple[float, float]:
        scheduler, own = self._place(self.last_epoch)
        if own == 0:  # each starts anew
            return plan, 1.0
        return scheduler._kept(group, found, planned, plan, scale)

    def lr_at(self, step: Any, base_lr: float, group: int = 0) -> float:
        """The learning rate at a step."""
        scheduler, own = self._place(step)
        return scheduler.lr_at(own, base_lr, group)

    def options_at(self, step: Any, base_lr: float, group: int = 0) -> dict[str, Any]:
        """All options that the schedule of this step changes."""
        scheduler, own = self._place(step)
        return scheduler.options_at(own, base_lr, group)
