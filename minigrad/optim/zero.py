"""An optimizer whose state is shared out among the ranks of a process group."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from minigrad.core import enable_grad, unwrap
from minigrad.distributed.group import current
from minigrad.errors import ArgumentError, DTypeError, StateDictError, UnsupportedError
from minigrad.optim.optimizer import Optimizer
from minigrad.tensor import Tensor


class ZeroRedundancyOptimizer(Optimizer):
    """Each rank keeps the optimizer's state of a part of the parameters, makes their step, and sends them to all.

    After S. Rajbhandari et al., "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models", SC 2020, stage
    1.  The weights are those of the plain optimizer, to the last bit.

    Parameters
    ----------
    params : iterable of Tensor
        The same on all ranks, with the same gradients, as `nn.parallel.DistributedDataParallel` makes them.
    optimizer_class : class
        Of `minigrad.optim`, such as ``optim.Adam``.
    **defaults
        Its options.

    Raises
    ------
    DistributedError
        If there is no process group, or ranks differ in their parameters.
    UnsupportedError
        For optimizers that look at all parameters together, as `LBFGS` does.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.distributed.init_process_group()
    >>> model = mg.nn.Linear(2, 1)
    >>> optimizer = mg.optim.ZeroRedundancyOptimizer(model.parameters(), mg.optim.Adam, lr=0.01)
    >>> model(mg.ones((3, 2))).sum().backward()
    >>> optimizer.step()
    >>> mg.distributed.destroy_process_group()
    """

    def __init__(self, params: Iterable[Tensor], optimizer_class: type[Optimizer], **defaults: Any) -> None:
        self._group = current("ZeroRedundancyOptimizer")
        if not (isinstance(optimizer_class, type) and issubclass(optimizer_class, Optimizer)):
            raise DTypeError(f"ZeroRedundancyOptimizer takes a class of minigrad.optim, not {optimizer_class!r}")
        if optimizer_class.__name__ == "LBFGS":
            raise UnsupportedError("ZeroRedundancyOptimizer: LBFGS looks at all parameters together, not at shards")
        self._params = list(params)
        if any(isinstance(p, dict) for p in self._params):
            raise UnsupportedError("ZeroRedundancyOptimizer takes parameters, not groups of them with options")
        self._owners = shared_out([p.array.nbytes for p in self._params], self._group.size)
        self._group.header("optimize " + ", ".join(f"{p.dtype} {p.shape}" for p in self._params))
        mine = self._indices(self._group.rank)
        self._whole = optimizer_class(self._params, **defaults)  # which checks them, and never makes a step
        self.optim: Optimizer | None = optimizer_class([self._params[i] for i in mine], **defaults) if mine else None
        # The options of all parameters, in one group: what is written there counts at the next step.
        self.defaults, self.param_groups = self._whole.defaults, self._whole.param_groups
        self.state = {} if self.optim is None else self.optim.state
        self._steps = 0
        self._consolidated: dict[str, Any] | None = None

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Not for this optimizer."""
        raise UnsupportedError("ZeroRedundancyOptimizer shares out its parameters once: give it all of them")

    def _indices(self, rank: int) -> list[int]:
        return [i for i, owner in enumerate(self._owners) if owner == rank]

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make a step of this rank's parameters, and exchange them."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        if self.optim is not None:
            for ours, whole in zip(self.optim.param_groups, self.param_groups, strict=True):
                ours.update({key: value for key, value in whole.items() if key != "params"})
            self.optim.step()
        self._group.header("exchange parameters")
        for rank in range(self._group.size):
            for indices in self._by_dtype(self._indices(rank)):
                self._send([self._params[i] for i in indices], rank)
        self._steps += 1
        self._consolidated = None
        return loss

    def _by_dtype(self, indices: list[int]) -> list[list[int]]:
        found: dict[Any, list[int]] = {}
        for i in indices:
            found.setdefault(self._params[i].dtype, []).append(i)
        return list(found.values())

    def _send(self, parameters: list[Tensor], src: int) -> None:
        row = np.concatenate([unwrap(p).reshape(-1) for p in parameters])
        self._group.broadcast(row, src)
        if self._group.rank == src:
            return
        start = 0
        for p in parameters:
            p.data = row[start : start + p.array.size].reshape(p.shape)
            start += p.array.size

    def consolidate_state_dict(self, to: int = 0) -> None:
        """Collect the states of all ranks on one, whose `state_dict` is then that of the plain optimizer."""
        self._group.header(f"collect the optimizer's state on rank {to}")
        own = None if self.optim is None else self.optim.state_dict()
        shards = self._group.gather_objects(own)
        if self._group.rank != to:
            return
        whole = self._whole.state_dict()
        state: dict[Any, Any] = {}
        for rank, shard in enumerate(shards):
            if shard is not None:
                state.update({i: shard["state"][k] for k, i in enumerate(self._indices(rank)) if k in shard["state"]})
        self._consolidated = {**whole, "state": dict(sorted(state.items()))}

    def state_dict(self) -> dict[str, Any]:
        """The state of the plain optimizer, on the rank that has collected it since the last step.

        Raises
        ------
        ArgumentError
            If this rank has not: call `consolidate_state_dict` on all ranks first.
        """
        if self._consolidated is None and self._group.size == 1:
            self.consolidate_state_dict()
        if self._consolidated is None:
            raise ArgumentError(
                "ZeroRedundancyOptimizer: call consolidate_state_dict() on all ranks after the last step, and then "
                "state_dict() on rank 0"
            )
        return self._consolidated

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load the state of a plain optimizer, of which each rank keeps its part.

        Raises
        ------
        StateDictError
            If it does not fit.
        """
        groups = state_dict.get("param_groups")
        if not groups or len(groups) != 1:
            raise StateDictError("ZeroRedundancyOptimizer: the state is that of one group of parameters")
        if len(groups[0]["params"]) != len(self._params):
            raise StateDictError(
                f"the state is of {len(groups[0]['params'])} parameters, and the optimizer has {len(self._params)}"
            )
        self.param_groups[0].update({key: value for key, value in groups[0].items() if key != "params"})
        if self.optim is None:
            return
        mine = self._indices(self._group.rank)
        state = {k: state_dict["state"][i] for k, i in enumerate(mine) if i in state_dict["state"]}
        group = {**groups[0], "params": list(range(len(mine)))}
        self.optim.load_state_dict({**state_dict, "state": state, "param_groups": [group]})


def shared_out(sizes: list[int], ranks: int) -> list[int]:
    """The owner of each parameter: the largest first, each to the rank that has least."""
    loads, owners = [0] * ranks, [0] * len(sizes)
    for i in sorted(range(len(sizes)), key=lambda i: -sizes[i]):
        owners[i] = loads.index(min(loads))
        loads[owners[i]] += sizes[i]
    return owners
