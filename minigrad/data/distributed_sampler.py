"""The samples of a data set, shared out among the ranks of a process group."""

import warnings
from collections.abc import Iterator, Sized
from typing import Any

import numpy as np

from minigrad.data.sampler import Sampler, is_number
from minigrad.errors import ArgumentError, StateDictError
from minigrad.errors.distributed import more_ranks_than_samples
from minigrad.options import whole_number


class DistributedSampler(Sampler):
    """A part of the samples for each rank, equally many, in an order that depends on the epoch.

    Parameters
    ----------
    dataset : Dataset
    num_replicas, rank : int, optional
        How many ranks there are, and which this is; by default those of the process group.
    shuffle : bool
        Whether the order is a new one in each epoch: call `set_epoch` before each.
    seed : int
        The same on all ranks.
    drop_last : bool
        Leave out samples that are too few for a round of all ranks; otherwise the first ones come twice.

    Raises
    ------
    ArgumentError
        If there are more ranks than samples, or no such rank.

    Warns
    -----
    UserWarning
        If an epoch has the order of the one before, because `set_epoch` was forgotten.

    Examples
    --------
    >>> import minigrad as mg
    >>> [list(mg.data.DistributedSampler(range(5), num_replicas=2, rank=r, shuffle=False)) for r in (0, 1)]
    [[0, 2, 4], [1, 3, 0]]
    """

    def __init__(
        self,
        dataset: Sized,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        from minigrad.distributed.group import get_rank, get_world_size  # which few programs need

        self.num_replicas = get_world_size() if num_replicas is None else whole_number(num_replicas, "num_replicas")
        self.rank = get_rank() if rank is None else whole_number(rank, "DistributedSampler: rank", least=0)
        if self.rank >= self.num_replicas:
            raise ArgumentError(f"DistributedSampler: of {self.num_replicas} ranks none has the number {self.rank}")
        if len(dataset) < self.num_replicas:
            raise more_ranks_than_samples(len(dataset), self.num_replicas)
        self.dataset, self.shuffle, self.drop_last = dataset, shuffle, drop_last
        self.seed, self.epoch = whole_number(seed, "DistributedSampler: seed", least=0), 0
        self._given: int | None = None  # the epoch whose order was given last

    @property
    def num_samples(self) -> int:
        """How many samples each rank has in an epoch."""
        count = len(self.dataset)
        return count // self.num_replicas if self.drop_last else -(count // -self.num_replicas)

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next epoch."""
        self.epoch = int(whole_number(epoch, "set_epoch: epoch", least=0))

    def __iter__(self) -> Iterator[int]:
        if self.shuffle and self._given == self.epoch:
            warnings.warn(
                f"DistributedSampler gives the order of epoch {self.epoch} again: call sampler.set_epoch(epoch) before "
                "each epoch",
                stacklevel=2,
            )
        self._given = self.epoch
        count = len(self.dataset)
        order = np.random.default_rng((self.seed, self.epoch)).permutation(count) if self.shuffle else np.arange(count)
        order = np.resize(order, self.num_samples * self.num_replicas)
        return iter(order[self.rank :: self.num_replicas].tolist())

    def __len__(self) -> int:
        return self.num_samples

    def state_dict(self) -> dict[str, Any]:
        """The epoch."""
        return {"epoch": self.epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Let the next epoch be the one that was running when `state_dict` gave this.

        Raises
        ------
        StateDictError
            If it is the state of something else.
        """
        if not is_number(state_dict.get("epoch")):
            raise StateDictError(f"the state_dict does not fit a DistributedSampler: {state_dict}")
        self.epoch, self._given = int(state_dict["epoch"]), None
