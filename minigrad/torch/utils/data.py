"""`torch.utils.data`: the package's data sets and loaders, which give Tensors of the dialect."""

from collections.abc import Iterator
from typing import Any

import minigrad.data as ours
from minigrad.data import *  # noqa: F403  # all of them
from minigrad.errors.dialects import not_in_the_dialect
from minigrad.torch.tensor import adopted

__all__ = [*ours.__all__]


class DataLoader(ours.DataLoader):  # type: ignore[no-redef]  # in the place of the package's
    """Batches of a data set."""

    def __iter__(self) -> Iterator[Any]:
        for batch in super().__iter__():
            yield adopted(batch)


def __getattr__(name: str) -> Any:
    raise AttributeError(str(not_in_the_dialect(f"utils.data.{name}")))
