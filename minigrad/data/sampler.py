"""Samplers: in which order the samples of a data set come.

A random order is drawn, at the start of each epoch, by a generator of its own, for which a seed is taken from the
generator that was given, or from the package's.  So one number is the state of a whole epoch.
"""

from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, ClassVar

import numpy as np

from minigrad import random
from minigrad.errors import ArgumentError, StateDictError
from minigrad.options import whole_number


def draw_seed(generator: "np.random.Generator | None") -> int:
    """A seed from a generator, or from the package's."""
    return int(random.generator(generator).integers(2**63))


def restore(generator: "np.random.Generator | None", state: Any) -> None:
    """Put a generator, if there is one, into a state, if there is one."""
    if generator is not None and state is not None:
        with random.using(generator):
            random.set_state(state)


def is_number(value: Any) -> bool:
    """Whether this can be a seed, or the number of a batch."""
    return isinstance(value, (int, np.integer)) and bool(value >= 0)


class Sampler:
    """The base of samplers: a subclass defines ``__iter__``, which gives numbers of samples, and ``__len__``.

    What it draws from the package's generator is the same again if an epoch is resumed.  If it has a state that changes
    from epoch to epoch, it also defines ``state_dict`` and ``load_state_dict``: a loader keeps the state of before an
    epoch.

    Examples
    --------
    >>> import minigrad as mg
    >>> class Backwards(mg.data.Sampler):
    ...     def __iter__(self):
    ...         return iter([2, 1, 0])
    >>> list(mg.data.DataLoader(["a", "b", "c"], batch_size=2, sampler=Backwards()))
    [['c', 'b'], ['a']]
    """

    is_of_one_rank: ClassVar[bool] = True  # in a checkpoint each rank has its own

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} defines no __iter__()")


class SequentialSampler(Sampler):
    """All samples in their order.

    Examples
    --------
    >>> import minigrad as mg
    >>> list(mg.data.SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomOrder(Sampler):
    """A sampler whose order depends on a seed, which can be saved in the middle of an epoch."""

    def __init__(self, generator: "np.random.Generator | None") -> None:
        self.generator = generator
        self.seed: int | None = None  # of the running epoch
        self._continues = False

    def order(self, draw: "np.random.Generator") -> Iterator[int]:
        """The numbers of the samples, drawn by a generator."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[int]:
        if not self._continues or self.seed is None:
            self.seed = draw_seed(self.generator)
        self._continues = False
        return self.order(np.random.default_rng(self.seed))

    def state_dict(self) -> dict[str, Any]:
        """The seed of the running epoch, and the state of the generator, if the sampler has one of its own."""
        own = None if self.generator is None else dict(self.generator.bit_generator.state)
        return {"seed": self.seed, "generator": own}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Let the next epoch be the one that was running when `state_dict` gave this.

        Raises
        ------
        StateDictError
            If it is the state of something else; nothing has been changed then.
        """
        seed = state_dict.get("seed", "missing")
        if "generator" not in state_dict or not (seed is None or is_number(seed)):
            raise StateDictError(f"the state_dict does not fit a {type(self).__name__}: {state_dict}")
        restore(self.generator, state_dict["generator"])
        self.seed, self._continues = seed, True


class RandomSampler(RandomOrder):
    """All samples in a random order; or, with `replacement`, so many drawn at random.

    Parameters
    ----------
    data_source : Dataset
    replacement : bool
        Whether a sample may come twice.
    num_samples : int, optional
        How many there are in an epoch; by default as many as in the data set. More are several rounds.
    generator : numpy.random.Generator, optional

    Examples
    --------
    >>> import minigrad as mg
    >>> sorted(mg.data.RandomSampler("abc"))
    [0, 1, 2]
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: "np.random.Generator | None" = None,
    ) -> None:
        super().__init__(generator)
        if num_samples is not None:
            whole_number(num_samples, "RandomSampler: num_samples")
        if num_samples is not None and not len(data_source):
            raise ArgumentError(f"RandomSampler: {num_samples} samples cannot be drawn from none")
        self.data_source, self.replacement, self._num_samples = data_source, replacement, num_samples

    @property
    def num_samples(self) -> int:
        """How many samples there are in an epoch."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def order(self, draw: "np.random.Generator") -> Iterator[int]:
        """The numbers of the samples."""
        count, left = len(self.data_source), self.num_samples
        if self.replacement:
            yield from draw.integers(count, size=left).tolist()
            return
        while left > 0:
            yield from draw.permutation(count)[:left].tolist()
            left -= count

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(RandomOrder):
    """The samples with these numbers in a random order.

    Examples
    --------
    >>> import minigrad as mg
    >>> sorted(mg.data.SubsetRandomSampler([4, 7]))
    [4, 7]
    """

    def __init__(self, indices: Sequence[int], generator: "np.random.Generator | None" = None) -> None:
        super().__init__(generator)
        self.indices = indices

    def order(self, draw: "np.random.Generator") -> Iterator[int]:
        """The numbers of the samples."""
        return (self.indices[i] for i in draw.permutation(len(self.indices)).tolist())

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(RandomOrder):
    """Samples drawn at random with these weights.

    Parameters
    ----------
    weights : sequence of float
        Of each sample; they need not sum to 1.
    num_samples : int
        How many are drawn in an epoch.
    replacement : bool
        Whether a sample may come twice.
    generator : numpy.random.Generator, optional

    Examples
    --------
    >>> import minigrad as mg
    >>> list(mg.data.WeightedRandomSampler([0.0, 2.0, 0.0], num_samples=3))
    [1, 1, 1]
    """

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: "np.random.Generator | None" = None,
    ) -> None:
        super().__init__(generator)
        self.weights = np.asarray(weights, np.float64)
        if self.weights.ndim != 1 or not (self.weights >= 0).all() or not 0 < self.weights.sum() < np.inf:
            raise ArgumentError("WeightedRandomSampler: weights are numbers of at least 0, and not all of them 0")
        possible = int((self.weights > 0).sum())
        if num_samples < 1 or (not replacement and num_samples > possible):
            raise ArgumentError(
                f"WeightedRandomSampler: {num_samples} samples cannot be drawn from {possible} with a weight"
            )
        self.num_samples, self.replacement = num_samples, replacement

    def order(self, draw: "np.random.Generator") -> Iterator[int]:
        """The numbers of the samples."""
        chances = self.weights / self.weights.sum()
        drawn = draw.choice(len(chances), self.num_samples, replace=self.replacement, p=chances)
        return iter(drawn.tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """The numbers that a sampler gives, in lists of `batch_size`.

    Examples
    --------
    >>> import minigrad as mg
    >>> list(mg.data.BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        whole_number(batch_size, "BatchSampler: batch_size")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[int]]:
        return self._batches(iter(self.sampler))  # which draws its order now, and not with the first batch

    def _batches(self, indices: Iterator[int]) -> Iterator[list[int]]:
        batch: list[int] = []
        for index in indices:
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        count = len(self.sampler)  # type: ignore[arg-type]  # TypeError, as it should, if the sampler has no length
        return count // self.batch_size if self.drop_last else -(count // -self.batch_size)
