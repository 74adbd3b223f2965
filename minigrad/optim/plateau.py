"""A learning rate that falls when what is measured does not get better."""

import copy
import math
from typing import Any, Literal

from minigrad.core import only_outside
from minigrad.errors import DTypeError, StateDictError
from minigrad.optim.optimizer import Optimizer, for_groups
from minigrad.options import one_of, real_number


class ReduceLROnPlateau:
    """The rate times `factor` when a measured value has not got better for `patience` steps.

    It is no function of the step, and cannot be part of another schedule.

    Parameters
    ----------
    optimizer : Optimizer
    mode : {"min", "max"}
        Whether smaller values are better, or larger ones.
    factor : float
        Below 1.
    patience : int
        How many steps without improvement are allowed.
    threshold : float
    threshold_mode : {"rel", "abs"}
        Whether a value must be better than the best by this share of it, or by this much. The share is of its absolute
        value. PyTorch's is of the value with its sign, so that there a negative value that stays the same is better
        each time, and the rate is never reduced.
    cooldown : int
        For how many steps after a reduction none are counted.
    min_lr : float or list of float
    eps : float
        Smaller changes of the rate are not made.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> schedule = mg.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     schedule.step(loss)
    >>> schedule.get_last_lr()
    [0.1]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise DTypeError(f"ReduceLROnPlateau is for an Optimizer, not for {type(optimizer).__name__}")
        real_number(factor, "ReduceLROnPlateau: factor", below=1)
        one_of(mode, "ReduceLROnPlateau: mode", ("min", "max"))
        one_of(threshold_mode, "ReduceLROnPlateau: threshold_mode", ("rel", "abs"))
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.threshold_mode, self.cooldown, self.eps = threshold, threshold_mode, cooldown, eps
        self.min_lrs = for_groups(min_lr, optimizer, "ReduceLROnPlateau")
        self.last_epoch = 0
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = 0

    def _is_better(self, value: float) -> bool:
        margin = -self.threshold if self.mode == "min" else self.threshold
        if math.isinf(self.best):  # before the first value, or there is nothing better
            bound = self.best
        elif self.threshold_mode == "abs":
            bound = self.best + margin
        else:
            bound = self.best * (1 + math.copysign(1, self.best) * margin)
        return value < bound if self.mode == "min" else value > bound

    def step(self, metrics: Any, epoch: int | None = None) -> None:
        """Take in the value that was measured, and reduce the rate if it is time to."""
        only_outside("ReduceLROnPlateau.step", "Call it outside, with what the program returns")
        value = float(metrics.item() if hasattr(metrics, "item") else metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(value):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            for group, least in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
                reduced = max(group["lr"] * self.factor, least)
                if group["lr"] - reduced > self.eps:
                    group["lr"] = reduced
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0

    def get_last_lr(self) -> list[float]:
        """The learning rate of each group as it is now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Copies of all settings, and what has been measured."""
        return {k: copy.copy(v) for k, v in vars(self).items() if k != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from what `state_dict` gave; the learning rates are in the optimizer's own state."""
        unknown = sorted(set(state_dict) ^ (set(vars(self)) - {"optimizer"}))
        if unknown:
            raise StateDictError(f"the state_dict does not fit ReduceLROnPlateau: {', '.join(unknown)}")
        if len(state_dict["min_lrs"]) != len(self.min_lrs):
            raise StateDictError(f"the state_dict is for {len(state_dict['min_lrs'])} groups, not {len(self.min_lrs)}")
        vars(self).update({k: copy.copy(v) for k, v in state_dict.items()})
