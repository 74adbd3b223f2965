"""What happened in a training run: losses, learning rates, gradient norms and histograms of the weights."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.core import only_outside, unwrap
from minigrad.errors import StateDictError
from minigrad.errors.optimizers import (
    no_model_to_record,
    no_optimizer_to_record,
    rate_given_twice,
    warn_of_no_gradients,
)
from minigrad.nn.module import Module
from minigrad.optim.measuring import gradient_of, is_named, named_tensors, norm_of, single_number
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.series import Series
from minigrad.optim.snapshots import Snapshots
from minigrad.options import whole_number
from minigrad.tensor import Tensor


class History:
    """Keeps what is worth looking at in a training run, of any length, in little memory.

    `record` is called once in each step, between ``backward`` and ``zero_grad``, and `end_epoch` after each epoch.
    `minigrad.plot.dashboard` shows it all on one page.

    Parameters
    ----------
    model : Module, or mapping from names to Tensors, optional
        Whose gradients and weights are looked at.  Without it, only numbers are kept.
    optimizer : Optimizer, optional
        Whose learning rate is kept: the one that it has when `record` is called, for each parameter group.
    every : int
        Look at gradients and weights in each so manieth step only.
    limit : int
        How many rows are kept of each number and of the norms.  When there are more, neighbours are merged, two by
        two: a row is then a mean, with the smallest and the largest, and the number of those that were not finite.
    histograms : int
        How many histograms are kept of each parameter, evenly spaced over the run so far; 0 for none.
    bins : int
        Of each histogram.

    Attributes
    ----------
    step : int
        How many steps have been recorded.
    epoch : int
        How many epochs have ended.
    values : dict of str to Series
        What was given to `record`, and learning rates: as ``"lr"``, or of several groups as ``"lr, group 0"``.
    epochs : dict of str to Series
        What was given to `end_epoch`, and the mean over the epoch of what was given to `record` several times.
    names : list of str
        The parameters' paths.
    gradients : Series
        The norms of their gradients, a column for each; nothing is counted where there is no gradient.
    weights : Snapshots
        Histograms of their values.

    Notes
    -----
    Nothing of the training changes: no value, no gradient, no random number, no graph.  A step costs about 0.1 ms, 10
    µs for each parameter and one pass over all gradients, and where histograms are taken, some passes over all
    parameters: of ``n`` steps, in about ``histograms * log2(n)``.  The memory is at most ``48 * limit`` bytes for each
    number, and ``32 * limit + (4 * bins + 40) * histograms`` for each parameter, however large.

    Raises
    ------
    DTypeError
        If `model` or `optimizer` is something else.
    ArgumentError
        If one of the numbers is too small.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> from minigrad import nn, optim
    >>> generator = mg.manual_seed(0)
    >>> model = nn.Linear(3, 1)
    >>> optimizer = optim.SGD(model.parameters(), lr=0.1)
    >>> history = optim.History(model, optimizer)
    >>> x = np.random.default_rng(0).normal(size=(8, 3))
    >>> for epoch in range(2):
    ...     for step in range(5):
    ...         optimizer.zero_grad()
    ...         loss = nn.functional.mse_loss(model(x), x[:, :1])
    ...         loss.backward()
    ...         optimizer.step()
    ...         history.record(loss=loss)
    ...     history.end_epoch(val_loss=0.5)
    >>> history
    History of 10 steps in 2 epochs
      values     loss, lr
      epochs     loss, val_loss
      gradients  of 2 parameters
      weights    10 histograms of 2 parameters
    """

    def __init__(
        self,
        model: Module | Mapping[str, Tensor] | None = None,
        optimizer: Optimizer | None = None,
        *,
        every: int = 1,
        limit: int = 1000,
        histograms: int = 64,
        bins: int = 40,
    ) -> None:
        if not (model is None or isinstance(model, Module) or is_named(model)):
            raise no_model_to_record(model)
        if not (optimizer is None or isinstance(optimizer, Optimizer)):
            raise no_optimizer_to_record(optimizer)
        self._model, self._optimizer = model, optimizer
        self.every = whole_number(every, "History: every")
        self.limit = whole_number(limit, "History: limit", least=2)
        self.step = self.epoch = 0
        self.values: dict[str, Series] = {}
        self.epochs: dict[str, Series] = {}
        self.names: list[str] = []
        self.gradients = Series(self.limit, 0, squares=True)
        bins = whole_number(bins, "History: bins")
        self.weights = Snapshots(whole_number(histograms, "History: histograms", least=0), bins)
        self._means: dict[str, tuple[float, int]] = {}  # of this epoch, and of how many they are
        self._warned = False

    def record(self, **values: Any) -> None:
        """Keep the numbers of a step, and look at learning rates, gradients and weights.

        Parameters
        ----------
        **values : float, or Tensor of one number
            Such as ``loss=loss``.  Those with "loss" in their name share a panel of the dashboard.

        Raises
        ------
        DTypeError, ShapeError
            If a value is no single real number; nothing has been recorded then.
        ArgumentError
            If ``lr`` is given, and the optimizer's is known.

        Warns
        -----
        UserWarning
            Once, if there are parameters, and none has a gradient.
        """
        only_outside("History.record", "Call it after the function that is compiled, with the loss that this returns")
        numbers = {name: single_number("record", name, value) for name, value in values.items()}
        rates = self._rates()
        if strange := rates.keys() & numbers.keys():
            raise rate_given_twice(min(strange))
        if self.step % self.every == 0 and self._model is not None:
            self._look()
        for name, number in {**numbers, **rates}.items():
            self._add(self.values, name, number)
        for name, number in numbers.items():
            mean, count = self._means.get(name, (0.0, 0))
            if np.isfinite(number):
                count += 1
                mean = mean * ((count - 1) / count) + number / count
            self._means[name] = mean, count
        self.step += 1

    def end_epoch(self, **values: Any) -> None:
        """Keep the numbers of an epoch, such as a validation loss, behind its last step.

        Parameters
        ----------
        **values : float, or Tensor of one number

        Raises
        ------
        DTypeError, ShapeError
            If a value is no single real number; nothing has been recorded then.
        """
        only_outside("History.end_epoch")
        numbers = {name: single_number("end_epoch", name, value) for name, value in values.items()}
        means = {name: mean if count else np.nan for name, (mean, count) in self._means.items()}
        self.epoch += 1
        for name, number in {**means, **numbers}.items():
            self._add(self.epochs, name, number)
        self._means = {}

    def _add(self, table: dict[str, Series], name: str, number: float) -> None:
        if name not in table:
            table[name] = Series(self.limit)
        table[name].add(self.step, number)

    def _rates(self) -> dict[str, float]:
        groups = [] if self._optimizer is None else self._optimizer.param_groups
        names = ["lr"] if len(groups) == 1 else [f"lr, group {i}" for i in range(len(groups))]
        return {name: float(unwrap(group["lr"])) for name, group in zip(names, groups, strict=True) if "lr" in group}

    def _look(self) -> None:
        """Look at all parameters, each once, by the names under which they were first found."""
        parameters = dict(named_tensors(self._model))
        known = set(self.names)
        self.names += [name for name in parameters if name not in known]
        if len(self.names) > self.gradients.columns:
            self.gradients.widen(len(self.names))
        norms, there = np.zeros(len(self.names)), np.zeros(len(self.names), bool)
        for i, name in enumerate(self.names):
            gradient = gradient_of(parameters.get(name))
            if gradient is not None:
                norms[i], there[i] = norm_of(gradient), True
        if self.names:
            self.gradients.add(self.step, norms, there)
            arrays = (parameters.get(name) for name in self.names)
            self.weights.take(self.step, [None if p is None else p.array for p in arrays])
        if parameters and not there.any() and not self._warned:
            self._warned = True
            warn_of_no_gradients()

    # Saving

    def state_dict(self) -> dict[str, Any]:
        """Copies of all that is kept."""
        return {
            "step": self.step,
            "epoch": self.epoch,
            "names": list(self.names),
            "values": {name: series.state_dict() for name, series in self.values.items()},
            "epochs": {name: series.state_dict() for name, series in self.epochs.items()},
            "means": {name: list(pair) for name, pair in self._means.items()},
            "gradients": self.gradients.state_dict(),
            "weights": self.weights.state_dict(len(self.names)),
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from what `state_dict` gave, with its `limit`, `histograms` and `bins` for what is known there.

        Raises
        ------
        StateDictError
            If it is no state of a History; nothing has been changed then.
        """
        only_outside("load_state_dict")
        try:
            step, epoch, names = int(state_dict["step"]), int(state_dict["epoch"]), list(map(str, state_dict["names"]))
            values, epochs = ({n: Series.from_state(s) for n, s in state_dict[k].items()} for k in ("values", "epochs"))
            means = {name: (float(mean), int(count)) for name, (mean, count) in state_dict["means"].items()}
            gradients = Series.from_state(state_dict["gradients"])
            weights = Snapshots.from_state(state_dict["weights"], len(names))
            if gradients.columns != len(names) or len(set(names)) < len(names):
                raise ValueError(f"{len(names)} names for {gradients.columns} parameters")
            if any(series.columns != 1 for series in (*values.values(), *epochs.values())):
                raise ValueError("a value has several columns")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StateDictError(f"the state_dict does not fit History: {error!r}") from error
        self.step, self.epoch, self.names = step, epoch, names
        self.values, self.epochs, self._means = values, epochs, means
        self.gradients, self.weights = gradients, weights

    # Showing

    def _facts(self) -> dict[str, str]:
        count = f"{len(self.names)} parameter{'s' * (len(self.names) != 1)}"
        facts = {
            "values": ", ".join(self.values),
            "epochs": ", ".join(self.epochs),
            "gradients": f"of {count}" if self.names else "",
            "weights": f"{len(self.weights.kept)} histograms of {count}" if self.weights.kept else "",
        }
        stride = max((series.stride for series in (*self.values.values(), self.gradients)), default=1)
        if stride > 1:
            facts["merged"] = f"up to {stride:,} steps in one row"
        return {name: text for name, text in facts.items() if text}

    def _title(self) -> str:
        epochs = f" in {self.epoch:,} epoch{'s' * (self.epoch != 1)}" if self.epoch else ""
        return f"History of {self.step:,} step{'s' * (self.step != 1)}{epochs}"

    def __repr__(self) -> str:
        return "\n".join([self._title(), *(f"  {name:<9}  {text}" for name, text in self._facts().items())])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from minigrad import display  # only notebooks need it

        def html() -> str:
            rows: dict[str, object] = dict(self._facts())
            for name, series in self.values.items():
                known = np.where(series.rows.known > 0, series.rows.centre, np.nan).ravel()
                rows[name] = display.curve(known, width=320, height=60, log=True)
            return f"{display.remark(self._title())}{display.table(rows.items())}"

        return display.mimebundle(self.__repr__, include, exclude, html=html)
