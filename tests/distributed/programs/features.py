"""What data-parallel training can do beside plain steps, each against what one process computes."""

import re
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad import distributed as dist
from minigrad import nn, optim
from minigrad.errors import ArgumentError, DistributedError, DTypeError, UnsupportedError

dist.init_process_group()
rank, size = dist.get_rank(), dist.get_world_size()
DDP = nn.parallel.DistributedDataParallel


def raises(kind, words, call, *args, **kwargs):
    with pytest.raises(kind, match=re.escape(words)):
        call(*args, **kwargs)


def data(seed, rows=4, columns=3):
    return np.random.default_rng(seed).normal(size=(rows, columns))


def gradients_of(module):
    return [None if p.grad is None else p.grad.numpy().copy() for p in module.parameters()]


def linear(seed=0):
    mg.manual_seed(seed)
    return nn.Linear(3, 2)


# Accumulation: two micro-batches on each rank, of which only the second averages.
model, alone = DDP(linear()), linear()
with model.no_sync():
    (model(data(rank)) ** 2).mean().backward()
local = gradients_of(model)
(model(data(10 + rank)) ** 2).mean().backward()
for other in range(size):
    ((alone(data(other)) ** 2).mean() / size).backward()
    ((alone(data(10 + other)) ** 2).mean() / size).backward()
for a, b in zip(gradients_of(model), gradients_of(alone), strict=True):
    np.testing.assert_allclose(a, b, rtol=1e-13)
before = linear()
(before(data(rank)) ** 2).mean().backward()
np.testing.assert_array_equal(local[0], before.weight.grad.numpy())

# A backward pass of something else averages nothing.
w = mg.tensor([1.0 + rank], requires_grad=True)
(w * w).sum().backward()
assert w.grad.item() == 2 * (1 + rank)

# Frozen parameters are no part of it; what is used on some ranks only must be announced.


class Forked(nn.Module):
    """Of two layers the even ranks use the first one."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(3, 1), nn.Linear(3, 1), nn.Linear(3, 1)
        self.c.weight.requires_grad_(False)
        self.c.bias.requires_grad_(False)

    def forward(self, x):
        return (self.b if rank % 2 else self.a)(x) + self.c(x)


model = DDP(Forked())
if size > 1:
    raises(DistributedError, "find_unused_parameters=True", lambda: model(data(0)).sum().backward())
else:
    model(data(0)).sum().backward()
model = DDP(Forked(), find_unused_parameters=True)
model(np.ones((2, 3))).sum().backward()
evens = (size + 1) // 2
np.testing.assert_allclose(model.module.a.weight.grad.numpy(), np.full((1, 3), 2.0 * evens / size))
if size > 1:
    np.testing.assert_allclose(model.module.b.weight.grad.numpy(), np.full((1, 3), 2.0 * (size - evens) / size))
assert model.module.c.weight.grad is None

# Buffers are rank 0's, if they shall be.
for shared in (True, False):
    mg.manual_seed(0)
    model = DDP(nn.BatchNorm1d(3), broadcast_buffers=shared)
    for step in range(3):
        model(data(100 * rank + step)).sum().backward()
    model(data(0)) if shared else None
    means = np.stack(dist.all_gather(model.module.running_mean))
    assert size == 1 or shared == bool(np.allclose(means, means[0], atol=0.2))

# Names and forms must agree, and something must require grad.
if size > 1:
    raises(DistributedError, "the ranks do not do the same", lambda: DDP(nn.Linear(3, 2 + rank)))
    raises(DistributedError, "float32", lambda: DDP(nn.Linear(3, 2).astype("float32" if rank else "float64")))
raises(ArgumentError, "no parameter that requires grad", lambda: DDP(nn.Tanh()))
model = DDP(linear())
raises(UnsupportedError, "create_graph=True", lambda: (model(data(0)) ** 2).sum().backward(create_graph=True))

# Uneven batches: rank r has 2 + r of them.
model, alone = DDP(linear()), linear()
own, its = optim.SGD(model.parameters(), lr=0.1), optim.SGD(alone.parameters(), lr=0.1)
with model.join():
    for step in range(2 + rank):
        own.zero_grad()
        (model(data(20 * rank + step)) ** 2).mean().backward()
        own.step()
for step in range(1 + size):
    its.zero_grad()
    for other in range(size):
        if step < 2 + other:
            ((alone(data(20 * other + step)) ** 2).mean() / size).backward()
    its.step()
np.testing.assert_allclose(model.module.weight.detach().numpy(), alone.weight.detach().numpy(), rtol=1e-12)

# A whole step that is compiled averages as well.
model, other = DDP(linear(3)), DDP(linear(3))
one, two = optim.Adam(model.parameters(), lr=0.1), optim.Adam(other.parameters(), lr=0.1)


def step_of(model, optimizer):
    def step(x):
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    return step


compiled, plain = mg.jit(step_of(model, one)), step_of(other, two)
for step in range(6):
    a, b = compiled(data(30 * rank + step)), plain(data(30 * rank + step))
    np.testing.assert_array_equal(np.asarray(a), b.detach().numpy())
np.testing.assert_array_equal(model.module.weight.detach().numpy(), other.module.weight.detach().numpy())
assert len({x.tobytes() for x in map(np.asarray, dist.all_gather(model.module.weight.detach().numpy()))}) == 1
mg.manual_seed(0)
model, other = DDP(nn.BatchNorm1d(3)), DDP(nn.BatchNorm1d(3))
one, two = optim.SGD(model.parameters(), lr=0.1), optim.SGD(other.parameters(), lr=0.1)
compiled, plain = mg.jit(step_of(model, one)), step_of(other, two)
for step in range(5):
    a, b = compiled(data(30 * rank + step)), plain(data(30 * rank + step))
    np.testing.assert_array_equal(np.asarray(a), b.detach().numpy())
np.testing.assert_array_equal(model.module.running_var.numpy(), other.module.running_var.numpy())
with model.join():
    raises(UnsupportedError, "compile the loss alone", lambda: mg.jit(step_of(model, one))(data(0)))
raises(DTypeError, "float16", lambda: DDP(nn.Linear(2, 2).astype("float16")))
whole = DDP(linear(3))
forward = mg.jit(lambda x: (whole(x) ** 2).mean())
for step in range(3):
    forward(data(30 * rank + step)).backward()
assert len({x.tobytes() for x in map(np.asarray, dist.all_gather(whole.module.weight.grad.numpy()))}) == 1

# Dropout must not be the same on all ranks.
for seed, warned in ((mg.manual_seed, size > 1), (dist.manual_seed, False)):
    model = DDP(nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5)))
    seed(1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model(data(0))
        model(data(0))
    assert len(caught) == (warned and rank == 0), [str(x.message) for x in caught]
    assert all("minigrad.distributed.manual_seed" in str(x.message) for x in caught)

# How many messages: of 3 MB, in parts of 1 MB at most, and one header.
counts = {"reduce": 0, "header": 0}
group = model._group
for name in counts:
    original = getattr(group, name)

    def counted(*args, name=name, original=original, **kwargs):
        counts[name] += 1
        return original(*args, **kwargs)

    setattr(group, name, counted)
large = DDP(nn.Linear(600, 655, bias=False), bucket_cap_mb=1.0)  # 3,144,000 bytes
counts.update(reduce=0, header=0)
large(np.ones((1, 600))).sum().backward()
assert counts == {"reduce": 3, "header": 1}, counts
dist.barrier()
print(f"rank {rank} done")
