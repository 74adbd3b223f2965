"""Data sets, samplers and loaders, under the names of ``torch.utils.data``."""

from typing import TYPE_CHECKING

from minigrad.data.collate import default_collate, default_convert
from minigrad.data.dataset import (
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)
from minigrad.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from minigrad.later import imported_later

if TYPE_CHECKING:
    from minigrad.data.distributed_sampler import DistributedSampler
    from minigrad.data.loader import DataLoader
    from minigrad.data.shards import ShardedDataset
    from minigrad.data.worker import WorkerInfo, get_worker_info

__all__ = [
    "BatchSampler",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "DistributedSampler",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "ShardedDataset",
    "StackDataset",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "WorkerInfo",
    "default_collate",
    "default_convert",
    "get_worker_info",
    "random_split",
]

# Most programs read no shards, and threads, processes and signals are imported when somebody wants a loader.
__getattr__ = imported_later(
    __name__,
    {
        "distributed_sampler": ["DistributedSampler"],
        "loader": ["DataLoader"],
        "shards": ["ShardedDataset"],
        "worker": ["WorkerInfo", "get_worker_info"],
    },
)
