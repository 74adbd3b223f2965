"""Four micro-batches in each step, shared out among 1, 2 or 4 ranks; prints what the weights are, bit for bit."""

import hashlib

import numpy as np

import minigrad as mg
from minigrad import distributed as dist
from minigrad import nn, optim

dist.init_process_group()
rank, size = dist.get_rank(), dist.get_world_size()
count = 4 // size
for dtype in ("float32", "float64"):
    mg.manual_seed(0)
    made = nn.Sequential(nn.Linear(10, 8), nn.Tanh(), nn.Linear(8, 1)).astype(dtype)
    model = nn.parallel.DistributedDataParallel(made, deterministic=True, bucket_cap_mb=1e-4)
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    numbers = np.random.default_rng(1)
    for _ in range(20):
        x, y = numbers.normal(size=(4, 7, 10)).astype(dtype), numbers.normal(size=(4, 7, 1)).astype(dtype)
        optimizer.zero_grad()
        for i in range(rank * count, (rank + 1) * count):
            loss = ((model(x[i]) - y[i]) ** 2).mean() / count
            if i < (rank + 1) * count - 1:
                with model.no_sync():
                    loss.backward()
            else:
                loss.backward()
        optimizer.step()
    bits = b"".join(p.detach().numpy().tobytes() for p in model.parameters())
    assert len(set(dist.all_gather_object(bits))) == 1
    if rank == 0:
        print(dtype, hashlib.sha256(bits).hexdigest())
