"""What all schedules of learning rates share.

A scheduler is a pure function, `LRScheduler.lr_at`, of the step and of the rate at the start, and a class around it
that counts steps and writes the rate into the optimizer.  If somebody else has changed the rate in between (another
scheduler that is stepped beside, `ReduceLROnPlateau`, or a hand), it is with the change as with PyTorch's: most keep it
as a factor; `CosineAnnealingLR` and `SWALR` as a factor of the distance from the rate at their end; `LambdaLR`,
`CosineAnnealingWarmRestarts`, `OneCycleLR`, `CyclicLR`, and `SequentialLR` at its milestones, write over it.
"""

import copy
from typing import Any

from minigrad.core import only_outside
from minigrad.errors import ArgumentError, DTypeError, StateDictError
from minigrad.errors.optimizers import warn_of_order
from minigrad.optim.optimizer import Optimizer


class LRScheduler:
    """The base of all schedulers.

    A subclass defines `lr_at`.

    Parameters
    ----------
    optimizer : Optimizer
        Its groups keep the rates that they start with as ``initial_lr``.
    last_epoch : int
        The number of the last step; -1 to start anew, which sets the rate of step 0.  To go on, load the optimizer's
        state first, with the rate of the step that comes, and give what `last_epoch` of the first run is, less 1.

    Examples
    --------
    >>> import minigrad as mg
    >>> class Halving(mg.optim.lr_scheduler.LRScheduler):
    ...     def lr_at(self, step, base_lr, group=0):
    ...         return base_lr / 2**step
    >>> optimizer = mg.optim.SGD([mg.tensor(1.0, requires_grad=True)], lr=0.8)
    >>> schedule = Halving(optimizer)
    >>> [schedule.lr_at(step, 0.8) for step in range(3)]
    [0.8, 0.4, 0.2]
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise DTypeError(f"{type(self).__name__} is for an Optimizer, not for {type(optimizer).__name__}")
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise ArgumentError(
                    f"{type(self).__name__}: to go on from step {last_epoch}, group {i} of the optimizer needs an "
                    "entry 'initial_lr': load the optimizer's state_dict first"
                )
        self.last_epoch: float = last_epoch
        self.base_lrs: list[float] = self._bases()
        self.scales = [1.0] * len(self.base_lrs)  # by what others have multiplied the rate of each group
        self.planned: list[float] = []  # the rates of this step, which times the scales were written
        self._start()

    def _bases(self) -> list[float]:
        """The rates that the function starts from."""
        return [group["initial_lr"] for group in self.optimizer.param_groups]

    def _start(self) -> None:
        self.last_epoch += 1
        if self.last_epoch == 0:
            self.planned = self.base_lrs
            self._write()

    def lr_at(self, step: Any, base_lr: float, group: int = 0) -> float:
        """The learning rate at a step of a group that starts with `base_lr`: a pure function."""
        raise NotImplementedError(
            f"{type(self).__name__} must define lr_at(self, step, base_lr, group=0), the rate at any step; a get_lr "
            "that goes on from the last rate is not asked"
        )

    def options_at(self, step: Any, base_lr: float, group: int = 0) -> dict[str, Any]:
        """All options of a group that change, at a step."""
        return {"lr": self.lr_at(step, base_lr, group)}

    def _write(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.base_lrs):
            raise ArgumentError(
                f"{type(self).__name__} was made for {len(self.base_lrs)} groups of parameters, and the optimizer has "
                f"{len(groups)} by now: make a new one"
            )
        plans = [self.options_at(self.last_epoch, base, i) for i, base in enumerate(self.base_lrs)]
        rates = [plan["lr"] for plan in plans]
        for i, (group, plan) in enumerate(zip(groups, plans, strict=True)):
            rate = rates[i]
            if self.planned:
                rate, self.scales[i] = self._kept(i, group["lr"], self.planned[i], rate, self.scales[i])
            group.update(plan, lr=rate)
        self.planned = rates

    def _kept(self, group: int, found: float, planned: float, plan: float, scale: float) -> tuple[float, float]:
        """The rate of this step, and the factor in it that others have brought in.

        Parameters
        ----------
        group : int
        found : float
            The rate as it is now.
        planned, plan : float
            What it was to be at the last step, and what it is to be, were this schedule alone.
        scale : float
            The factor until now.
        """
        return towards(0.0, found, planned, plan, scale)

    def step(self, epoch: float | None = None) -> None:
        """Go on to the next step, or to the given one, after a step of the optimizer."""
        only_outside(f"{type(self).__name__}.step", "Call it outside, after each run: the program reads the new rate")
        if self.last_epoch == 0 and self.optimizer._steps == 0:
            warn_of_order(type(self).__name__)
        self._advance(epoch)
        self._write()

    def _advance(self, epoch: float | None = None) -> None:
        self._stand_at(self.last_epoch + 1 if epoch is None else epoch)

    def _stand_at(self, step: float) -> None:
        self.last_epoch = step

    def get_last_lr(self) -> list[float]:
        """The learning rate of each group as it is now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Copies of all settings but functions, and where the schedule is."""
        return self._plain()

    def _plain(self) -> dict[str, Any]:
        own = {k: v for k, v in vars(self).items() if k != "optimizer" and not k.startswith("_") and is_plain(v)}
        return copy.deepcopy(own)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from what `state_dict` gave; the learning rates are in the optimizer's own state.

        Raises
        ------
        StateDictError
            If it is the state of another scheduler; nothing has been changed then.
        """
        misfits = sorted(self._plain().keys() ^ state_dict.keys())
        if misfits:
            raise StateDictError(f"the state_dict does not fit {type(self).__name__}: {', '.join(misfits)}")
        if len(state_dict["base_lrs"]) != len(self.base_lrs):
            raise StateDictError(
                f"the state_dict is for {len(state_dict['base_lrs'])} groups, not {len(self.base_lrs)}"
            )
        vars(self).update(copy.deepcopy(state_dict))


def towards(end: float, found: float, planned: float, plan: float, scale: float) -> tuple[float, float]:
    """What `LRScheduler._kept` gives for schedules that multiply how far the rate is from an end."""
    before, distance = planned - end, plan - end
    if not before:
        if not distance:  # the schedule is over
            return found, scale
        scale = 1 + (found - end) / distance
    elif found != _scaled(end, planned, scale):
        scale = (found - end) / before
    return _scaled(end, plan, scale), scale


def _scaled(end: float, plan: float, scale: float) -> float:
    return plan if scale == 1 else end + (plan - end) * scale


class ByStepAlone(LRScheduler):
    """A schedule that computes the rate from the number of the step, and writes over what others have made of it."""

    def _kept(self, group: int, found: float, planned: float, plan: float, scale: float) -> tuple[float, float]:
        return plan, 1.0


def is_plain(value: Any) -> bool:
    """Whether a value is made of numbers and words alone."""
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str))
