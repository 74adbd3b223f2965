"""Every collective, with what it must give, on any number of ranks; and what they refuse."""

import re

import numpy as np
import pytest

import minigrad as mg
from minigrad import distributed as dist
from minigrad.errors import ArgumentError, DistributedError, DTypeError, GraphError


def raises(kind, words, call, *args, **kwargs):
    with pytest.raises(kind, match=re.escape(words)):
        call(*args, **kwargs)


raises(DistributedError, "call minigrad.distributed.init_process_group() first", dist.barrier)
dist.init_process_group()
raises(DistributedError, "destroy the old one", dist.init_process_group)
rank, size = dist.get_rank(), dist.get_world_size()
ranks = np.arange(1.0, size + 1)
for dtype in ("float32", "float64", "int32", "int64", "uint8", "complex64", "complex128"):
    x = np.array([rank + 1, 2 * (rank + 1)], dtype)
    given = dist.all_reduce(x)
    assert given is x
    assert given.dtype == dtype
    np.testing.assert_array_equal(given, np.array([ranks.sum(), 2 * ranks.sum()], dtype))
for op, wanted in {"mean": ranks.mean(), "max": size, "min": 1, "product": ranks.prod()}.items():
    np.testing.assert_allclose(dist.all_reduce(np.full((2, 3), rank + 1.0), op), np.full((2, 3), wanted))
apart = np.zeros((4, 6))[::2, ::3]
apart[...] = rank + 1
dist.all_reduce(apart)
np.testing.assert_array_equal(apart, np.full((2, 2), ranks.sum()))
np.testing.assert_array_equal(dist.all_reduce(np.array(rank + 1.0)), ranks.sum())
assert dist.all_reduce(np.zeros((0, 3))).shape == (0, 3)
t = mg.tensor([rank + 1.0])
assert dist.all_reduce(t) is t
assert t.item() == ranks.sum()
np.testing.assert_array_equal(dist.broadcast(np.array([rank, 7]), src=size - 1), [size - 1, 7])
w = mg.tensor([float(rank)], requires_grad=True)
with mg.no_grad():
    dist.broadcast(w, src=size - 1)
assert w.item() == size - 1
raises(GraphError, "has no derivative", dist.all_reduce, w)
raises(GraphError, "has no derivative", dist.all_gather, w * 2)
np.testing.assert_array_equal(np.stack(dist.all_gather(np.full(2, rank))), np.arange(size)[:, None] * np.ones(2))
assert [float(x) for x in dist.all_gather(float(rank))] == list(range(size))
assert dist.all_gather_object({"rank": rank}) == [{"rank": i} for i in range(size)]
assert dist.broadcast_object(["anything", rank], src=size - 1) == ["anything", size - 1]
dist.barrier()
compiled = mg.jit(lambda x: dist.all_reduce(x * 2) + 1)
for step in range(4):
    np.testing.assert_array_equal(compiled(np.full(3, float(rank + step))), (2 * (ranks - 1 + step)).sum() + np.ones(3))
raises(DTypeError, "float16", dist.all_reduce, np.ones(2, np.float16))
raises(DTypeError, "object", dist.all_reduce, np.array([None]))
raises(DTypeError, "writes its result into an array", dist.all_reduce, 3.0)
raises(DTypeError, "complex", dist.all_reduce, np.ones(2, complex), "max")
raises(ArgumentError, "'sum', 'mean'", dist.all_reduce, np.ones(2), "average")
raises(ArgumentError, f"from 0 to {size - 1}", dist.broadcast, np.ones(2), src=size)
raises(ArgumentError, "there is one backend", dist.init_process_group, "nccl")
a = dist.manual_seed(5).random(3)
gathered = np.stack(dist.all_gather(a))
assert len(np.unique(gathered)) == gathered.size
dist.manual_seed(5)
np.testing.assert_array_equal(mg.random.generator().random(3), a)
dist.destroy_process_group()
assert not dist.is_initialized()
raises(DistributedError, "call minigrad.distributed.init_process_group() first", dist.all_reduce, np.ones(1))
dist.init_process_group()
dist.barrier()
dist.destroy_process_group()
print(f"rank {rank} done")
