"""Averages of weights along the path of training, under PyTorch's names."""

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import numpy as np

from minigrad.core import no_grad, traced
from minigrad.errors import ArgumentError
from minigrad.nn.layer import write_to
from minigrad.nn.module import Module
from minigrad.nn.normalization import _BatchNorm
from minigrad.ops.arguments import settled, unrecorded
from minigrad.ops.numbers import number
from minigrad.optim.optimizer import Optimizer, for_groups
from minigrad.optim.schedule import LRScheduler, towards
from minigrad.options import one_of, real_number
from minigrad.tensor import Tensor
from minigrad.writes import note_write

Average = Callable[[Any, Any, int], Any]
AverageAll = Callable[[Sequence[Tensor], Sequence[Tensor], int], None]


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """For `AveragedModel`: an exponential moving average, ``decay * average + (1 - decay) * parameter``.

    Examples
    --------
    >>> from minigrad.optim.swa_utils import get_ema_avg_fn
    >>> get_ema_avg_fn(0.75)(4.0, 8.0, 1)
    5.0
    """
    real_number(decay, "decay", least=0, most=1)
    return lambda average, parameter, count: decay * average + (1 - decay) * parameter


def get_ema_multi_avg_fn(decay: float = 0.999) -> AverageAll:
    """For `AveragedModel`: an exponential moving average of all parameters, in place.

    Examples
    --------
    >>> import minigrad as mg
    >>> average = mg.tensor([4.0])
    >>> mg.optim.swa_utils.get_ema_multi_avg_fn(0.75)([average], [mg.tensor([8.0])], 1)
    >>> average
    tensor([5.])
    """
    real_number(decay, "decay", least=0, most=1)

    def average(averages: Sequence[Tensor], parameters: Sequence[Tensor], count: int) -> None:
        for a, p in zip(averages, parameters, strict=True):
            _approach(a, p, 1 - decay)

    return average


def get_swa_avg_fn() -> Average:
    """For `AveragedModel`: the mean of all, as it takes without any function.

    Examples
    --------
    >>> from minigrad.optim.swa_utils import get_swa_avg_fn
    >>> get_swa_avg_fn()(4.0, 8.0, 3)
    5.0
    """
    return lambda average, parameter, count: average + (parameter - average) / (count + 1)


def get_swa_multi_avg_fn() -> AverageAll:
    """For `AveragedModel`: the mean of all, of all parameters in place.

    Examples
    --------
    >>> import minigrad as mg
    >>> average = mg.tensor([4.0])
    >>> mg.optim.swa_utils.get_swa_multi_avg_fn()([average], [mg.tensor([8.0])], 3)
    >>> average
    tensor([5.])
    """

    def average(averages: Sequence[Tensor], parameters: Sequence[Tensor], count: int) -> None:
        for a, p in zip(averages, parameters, strict=True):
            _approach(a, p, 1 / (count + 1))

    return average


def _check(decay: float) -> None:
    if not 0 <= decay <= 1:
        raise ArgumentError(f"the decay of a moving average is from 0 to 1, not {decay}")


def _approach(average: Tensor, parameter: Tensor, share: Any) -> None:
    """Move an average a share of the way to a parameter, in its memory."""
    if average.dtype.kind != "f":
        write_to(average, np.copy(unrecorded(parameter)), in_memory=False)
        return
    if traced(average):
        write_to(average, unrecorded(average) * (1 - share) + share * unrecorded(parameter))
        return
    average.array *= 1 - share
    average.array += share * parameter.array
    if average.node is not None:
        note_write(average.node)


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's.

    By default the mean of all (P. Izmailov et al., "Averaging weights leads to wider optima and better generalization",
    UAI 2018); with ``multi_avg_fn=get_ema_multi_avg_fn(0.999)`` an exponential moving average.

    Parameters
    ----------
    model : Module
        Copied.
    device : None
        In its place for PyTorch's sake; there is one device here.
    avg_fn : callable, optional
        The new average of one parameter: a function of the old average, the parameter, and how many were averaged.
    multi_avg_fn : callable, optional
        The same for lists of all of them, in place.
    use_buffers : bool
        Average buffers too, instead of copying those of the model.

    Attributes
    ----------
    module : Module
        The copy.
    n_averaged : Tensor
        How often `update_parameters` was called.

    Examples
    --------
    >>> import minigrad as mg
    >>> model = mg.nn.Linear(1, 1, bias=False)
    >>> average = mg.optim.swa_utils.AveragedModel(model)
    >>> for value in (1.0, 3.0):
    ...     _ = mg.nn.init.constant_(model.weight, value)
    ...     average.update_parameters(model)
    >>> average(mg.ones(1)).item()
    2.0
    """

    def __init__(
        self,
        model: Module,
        device: None = None,
        avg_fn: Average | None = None,
        multi_avg_fn: AverageAll | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ArgumentError("AveragedModel: give either avg_fn or multi_avg_fn")
        self.module = copy.deepcopy(model)
        self.register_buffer("n_averaged", Tensor(0))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the copy."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the parameters of the model, as they are now, into the average."""
        own, given = list(self.module.parameters()), list(model.parameters())
        own_buffers, buffers = list(self.module.buffers()), list(model.buffers())
        if self.use_buffers:
            own, given = [*own, *own_buffers], [*given, *buffers]  # type: ignore[list-item]
        count = number(unrecorded(self.n_averaged))
        if settled(np.equal(unrecorded(self.n_averaged), 0)):
            for average, parameter in zip(own, given, strict=True):
                _approach(average, parameter, 1.0)
        elif self.multi_avg_fn is not None:
            self.multi_avg_fn(own, given, count)
        elif self.avg_fn is not None:
            for average, parameter in zip(own, given, strict=True):
                with no_grad():
                    value = self.avg_fn(average.detach(), parameter.detach(), count)
                write_to(average, value)
        else:
            get_swa_multi_avg_fn()(own, given, count)
        if not self.use_buffers:
            for mine, buffer in zip(own_buffers, buffers, strict=True):
                write_to(mine, np.copy(unrecorded(buffer)), in_memory=False)
        self.n_averaged += 1


class SWALR(LRScheduler):
    """The rate from what it is at the first step to `swa_lr` in `anneal_epochs` steps, and constant then.

    Examples
    --------
    >>> import minigrad as mg
    >>> optimizer = mg.optim.SGD([mg.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> schedule = mg.optim.swa_utils.SWALR(optimizer, swa_lr=0.2, anneal_epochs=2)
    >>> [round(schedule.lr_at(step, 1.0), 4) for step in range(4)]
    [1.0, 0.6, 0.2, 0.2]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        last_epoch: int = -1,
    ) -> None:
        one_of(anneal_strategy, "SWALR: anneal_strategy", ("cos", "linear"))
        real_number(anneal_epochs, "SWALR: anneal_epochs", least=0)
        self.swa_lrs = for_groups(swa_lr, optimizer, "SWALR")
        self.anneal_epochs, self.anneal_strategy = anneal_epochs, anneal_strategy
        super().__init__(optimizer, last_epoch)

    def _share(self, step: Any) -> float:
        """How much of the way has been gone."""
        share = min(step / self.anneal_epochs, 1.0) if self.anneal_epochs else 1.0
        return (1 - math.cos(math.pi * share)) / 2 if self.anneal_strategy == "cos" else float(share)

    def _bases(self) -> list[float]:
        share, rates = self._share(self.last_epoch + 1), self.get_last_lr()
        if share == 1:
            return rates
        return [(rate - share * end) / (1 - share) for rate, end in zip(rates, self.swa_lrs, strict=True)]

    def _kept(self, group: int, found: float, planned: float, plan: float, scale: float) -> tuple[float, float]:
        end = self.swa_lrs[group]
        return (plan, 1.0) if planned == end else towards(end, found, planned, plan, scale)

    def _advance(self, epoch: float | None = None) -> None:
        if self.last_epoch == 0:  # another scheduler may have been at work since this one was made
            self.base_lrs = self.planned = self.get_last_lr()
        super()._advance(epoch)

    def lr_at(self, step: Any, base_lr: float, group: int = 0) -> float:
        """The learning rate at a step."""
        share = self._share(step)
        return float(self.swa_lrs[group] * share + base_lr * (1 - share))


def update_bn(loader: Iterable[Any], model: Module) -> None:
    """Compute the running statistics of all batch normalizations of a model anew, from data.

    Averaged weights have never seen any.

    Parameters
    ----------
    loader : iterable
        Gives batches; of tuples and lists the first entry is what the model is called with.
    model : Module

    Examples
    --------
    >>> import minigrad as mg
    >>> model = mg.nn.BatchNorm1d(1)
    >>> mg.optim.swa_utils.update_bn([mg.tensor([[1.0], [3.0]])], model)
    >>> model.running_mean
    tensor([2.])
    """
    norms = [m for m in model.modules() if isinstance(m, _BatchNorm) and m.running_mean is not None]
    if not norms:
        return
    momenta, was_training = [norm.momentum for norm in norms], model.training
    for norm in norms:
        norm.running_mean.array[...], norm.running_var.array[...] = 0, 1
        norm.num_batches_tracked.array, norm.momentum = np.asarray(0), None
    model.train()
    try:
        with no_grad():
            for batch in loader:
                model(batch[0] if isinstance(batch, (tuple, list)) else batch)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        model.train(was_training)
