"""Data sets: samples by their numbers, or one after another."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from minigrad import random
from minigrad.creation import asarray
from minigrad.data.collate import default_collate
from minigrad.data.mapped import Pages, from_place, to_place
from minigrad.errors import ArgumentError, IndexingError, ShapeError
from minigrad.errors.files import other_lengths
from minigrad.operands import numeric
from minigrad.tensor import Tensor


class Dataset:
    """The base of data sets whose samples have numbers: a subclass defines ``__getitem__`` and ``__len__``.

    It may also define ``__getbatch__``, which takes a list of numbers and gives their samples in one batch, as the
    collation of a `DataLoader` would make of them, if it has a quicker way.  A subclass that replaces ``__getitem__``
    alone has none.

    Examples
    --------
    >>> import minigrad as mg
    >>> class Squares(mg.data.Dataset):
    ...     def __getitem__(self, index):
    ...         return index**2
    ...
    ...     def __len__(self):
    ...         return 4
    >>> [batch.tolist() for batch in mg.data.DataLoader(Squares(), batch_size=2)]
    [[0, 1], [4, 9]]
    """

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} defines no __getitem__()")

    def __add__(self, other: "Dataset") -> "ConcatDataset":
        return ConcatDataset([self, other])


class IterableDataset:
    """The base of data sets that are gone through: a subclass defines ``__iter__``.

    With several workers each goes through the whole data set, unless ``__iter__`` asks `get_worker_info` for its part.

    Examples
    --------
    >>> import minigrad as mg
    >>> class Stream(mg.data.IterableDataset):
    ...     def __iter__(self):
    ...         yield from range(5)
    >>> [batch.tolist() for batch in mg.data.DataLoader(Stream(), batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} defines no __iter__()")


def fetch(dataset: Any, indices: Sequence[int], collate: Callable[[list[Any]], Any] = default_collate) -> Any:
    """The samples with these numbers in one batch, by the quicker way of the data set if there is one."""
    if collate is default_collate and _has_quicker_way(type(dataset), "__getbatch__"):
        return dataset.__getbatch__(indices)
    if _has_quicker_way(type(dataset), "__getitems__"):
        return collate(dataset.__getitems__(indices))
    return collate([dataset[i] for i in indices])


def _has_quicker_way(kind: type, name: str) -> bool:
    """Whether there is such a method, made for the last ``__getitem__``, which a subclass may have replaced."""
    for base in kind.__mro__:
        if name in vars(base):
            return True
        if "__getitem__" in vars(base):
            return False
    return False


def _length(x: Any) -> int:
    if not np.ndim(x):
        raise ShapeError("a data set is made of arrays with a sample for each entry of the first axis, not of numbers")
    return int(np.shape(x)[0])


class TensorDataset(Dataset):
    """Samples that are the rows of Tensors or arrays, one of each.

    Parameters
    ----------
    *tensors : Tensor or ndarray
        With first axes of one length.  Arrays are copied; a `numpy.memmap` is not, and stays in its file: samples and
        batches are copies of its rows, and to another process it goes by the name of the file, from which it is read
        there in mode "r".

    Attributes
    ----------
    tensors : tuple of Tensor or memmap

    Raises
    ------
    ShapeError
        If first axes differ in length, or there is no array.
    DTypeError
        If an array is not made of numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> data = mg.data.TensorDataset(np.arange(6.0).reshape(3, 2), np.array([0, 1, 0]))
    >>> data[1]
    (tensor([2., 3.]), tensor(1))
    """

    def __init__(self, *tensors: Any) -> None:
        lengths = [_length(t) for t in tensors]
        if not tensors or len(set(lengths)) > 1:
            raise other_lengths("TensorDataset", lengths)
        self.tensors = tuple(map(_held, tensors))
        self._pages = Pages()

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        sample = tuple(t[index] if isinstance(t, Tensor) else Tensor(t[index]) for t in self.tensors)
        self._pages.count(self.tensors, 1)
        return sample

    def __getbatch__(self, indices: Sequence[int]) -> list[Tensor]:
        batch = [asarray(t[np.asarray(indices, np.intp)]) for t in self.tensors]
        self._pages.count(self.tensors, len(indices))
        return batch

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "tensors": tuple(map(to_place, self.tensors))}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, tensors=tuple(map(from_place, state["tensors"])))

    def __len__(self) -> int:
        return len(self.tensors[0])


def _held(t: Any) -> Any:
    """A Tensor as it is, the rows of a file where they are, and a copy of everything else."""
    if not isinstance(t, np.memmap):
        return t if isinstance(t, Tensor) else Tensor(t)
    numeric(t, "a TensorDataset")  # which does not read it
    return t


class StackDataset(Dataset):
    """Samples that consist of a sample of each of several data sets: tuples, or dicts if they have names.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.data.StackDataset(image=["a", "b"], label=[0, 1])[1]
    {'image': 'b', 'label': 1}
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if bool(args) == bool(kwargs):
            raise ArgumentError("StackDataset: give data sets either by position or by name")
        self.datasets: Any = kwargs or args
        lengths = [len(d) for d in (kwargs.values() if kwargs else args)]
        if len(set(lengths)) > 1:
            raise ShapeError(f"StackDataset: the data sets must have one length, not {lengths}")
        self._count = lengths[0]

    def __getitem__(self, index: int) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __len__(self) -> int:
        return self._count


class ConcatDataset(Dataset):
    """Several data sets one after another.

    Examples
    --------
    >>> import minigrad as mg
    >>> data = mg.data.ConcatDataset([["a", "b"], ["c"]])
    >>> data[2], data[-1], len(data)
    ('c', 'c', 3)
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ArgumentError("ConcatDataset needs a data set")
        self.cumulative_sizes = list(accumulate(len(d) for d in self.datasets))

    def __getitem__(self, index: int) -> Any:
        index = within(index, len(self))
        which = bisect_right(self.cumulative_sizes, index)
        return self.datasets[which][index - (self.cumulative_sizes[which - 1] if which else 0)]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


def within(index: int, count: int) -> int:
    """The number of a sample that is given from the start or, below zero, from the end."""
    if not -count <= index < count:
        raise IndexingError(f"a data set of {count} samples has no number {index}")
    return index % count


class Subset(Dataset):
    """Some samples of a data set.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.data.Subset(["a", "b", "c"], [2, 0])[0]
    'c'
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.indices[index]]

    def __getbatch__(self, indices: Sequence[int]) -> Any:
        return fetch(self.dataset, [self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)


def random_split(
    dataset: Any, lengths: Sequence[float], generator: "np.random.Generator | None" = None
) -> list[Subset]:
    """Divide a data set at random into parts that do not overlap.

    Parameters
    ----------
    dataset : Dataset
    lengths : sequence of int, or of float
        The sizes of the parts; or their shares, which sum to 1 (what rounding leaves over goes to the first parts).
    generator : numpy.random.Generator, optional

    Raises
    ------
    ArgumentError
        If the sizes do not sum to the size of the data set.

    Examples
    --------
    >>> import minigrad as mg
    >>> train, test = mg.data.random_split(range(10), [0.8, 0.2])
    >>> len(train), len(test)
    (8, 2)
    """
    count = len(dataset)
    if all(0 <= n <= 1 for n in lengths) and abs(sum(lengths) - 1) < 1e-9 and list(lengths) != [count]:
        sizes = [int(count * share) for share in lengths]
        for i in range(count - sum(sizes)):
            sizes[i % len(sizes)] += 1
    else:
        sizes = [int(n) if n == n // 1 else -1 for n in lengths]
    if sum(sizes) != count or min(sizes, default=-1) < 0:
        raise ArgumentError(f"random_split: parts of {list(lengths)} do not sum to the {count} samples of the data set")
    order = random.generator(generator).permutation(count).tolist()
    ends = list(accumulate(sizes))
    return [Subset(dataset, order[end - size : end]) for end, size in zip(ends, sizes, strict=True)]
