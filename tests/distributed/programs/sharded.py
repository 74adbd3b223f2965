"""Optimizers whose state is shared out, against the plain ones; and their states in files."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import distributed as dist
from minigrad import nn, optim
from minigrad.errors import ArgumentError, DistributedError, StateDictError

folder = Path(sys.argv[1])
dist.init_process_group()
rank, size = dist.get_rank(), dist.get_world_size()


def raises(kind, words, call, *args, **kwargs):
    with pytest.raises(kind, match=re.escape(words)):
        call(*args, **kwargs)


def network():
    mg.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 7), nn.Tanh(), nn.Linear(7, 2))


def train(model, optimizer, steps, scheduler=None, start=0):
    for step in range(start, start + steps):
        optimizer.zero_grad()
        x = np.random.default_rng((step, rank)).normal(size=(5, 6))
        (model(x) ** 2).mean().backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()


def weights(model):
    return b"".join(p.detach().numpy().tobytes() for p in model.parameters())


DDP = nn.parallel.DistributedDataParallel
for name, options in (("Adam", {"lr": 0.01}), ("SGD", {"lr": 0.1, "momentum": 0.9}), ("Muon", {"lr": 0.01})):
    if name == "Muon":

        def network():  # of matrices alone
            mg.manual_seed(0)
            return nn.Sequential(nn.Linear(6, 9, bias=False), nn.Tanh(), nn.Linear(9, 2, bias=False))

    one, two = DDP(network()), DDP(network())
    plain = getattr(optim, name)(one.parameters(), **options)
    shared = optim.ZeroRedundancyOptimizer(two.parameters(), getattr(optim, name), **options)
    train(one, plain, 10)
    train(two, shared, 10)
    assert weights(one) == weights(two), name
    own = shared.optim.state if shared.optim is not None else {}
    held = sum(x.nbytes for s in own.values() for x in s.values() if isinstance(x, np.ndarray))
    whole = sum(x.nbytes for s in plain.state.values() for x in s.values() if isinstance(x, np.ndarray))
    largest = max(sum(x.nbytes for x in s.values() if isinstance(x, np.ndarray)) for s in plain.state.values())
    assert held <= whole / size + largest, (held, whole)
    if size > 1:
        raises(ArgumentError, "consolidate_state_dict()", shared.state_dict)
    shared.consolidate_state_dict()
    if rank == 0:
        collected, wanted = shared.state_dict(), plain.state_dict()
        assert list(collected["state"]) == list(wanted["state"])
        for i, entries in wanted["state"].items():
            for key, value in entries.items():
                np.testing.assert_array_equal(collected["state"][i][key], value)
        again = getattr(optim, name)(network().parameters(), **options)
        again.load_state_dict(collected)
    # And the other way: the plain state goes on in shards.
    states = dist.broadcast_object(plain.state_dict())
    third = DDP(network())
    third.module.load_state_dict(one.module.state_dict())
    resumed = optim.ZeroRedundancyOptimizer(third.parameters(), getattr(optim, name), **options)
    resumed.load_state_dict(states)
    train(one, plain, 5, start=10)
    train(third, resumed, 5, start=10)
    assert weights(one) == weights(third), name
    raises(StateDictError, "parameters", lambda: resumed.load_state_dict({"param_groups": [{"params": []}]}))  # noqa: B023

# A schedule changes the rate of all shards.
one, two = DDP(network()), DDP(network())
plain = optim.Adam(one.parameters(), lr=0.1)
shared = optim.ZeroRedundancyOptimizer(two.parameters(), optim.Adam, lr=0.1)
train(one, plain, 6, optim.lr_scheduler.StepLR(plain, 2))
train(two, shared, 6, optim.lr_scheduler.StepLR(shared, 2))
assert weights(one) == weights(two)
if size > 1:
    raises(DistributedError, "the ranks do not do the same",
           lambda: optim.ZeroRedundancyOptimizer([mg.zeros(2 + rank, requires_grad=True)], optim.SGD))  # fmt: skip

# In a checkpoint it is the plain one.
mg.io.save_checkpoint(folder / "run.npz", model=two.module, optimizer=shared, step=6)
loaded = DDP(network())
other = optim.ZeroRedundancyOptimizer(loaded.parameters(), optim.Adam, lr=0.1)
assert mg.io.load_checkpoint(folder / "run.npz", model=loaded.module, optimizer=other) == {"step": 6}
train(two, shared, 3, start=6)
train(loaded, other, 3, start=6)
assert weights(two) == weights(loaded)
print(f"rank {rank} done")
