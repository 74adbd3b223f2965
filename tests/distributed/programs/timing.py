"""Steps of a network on each rank, connected or not: ``timing.py together|alone ROWS``; prints the median time."""

import sys
import time

import numpy as np

import minigrad as mg
from minigrad import distributed as dist
from minigrad import nn, optim

how, rows = sys.argv[1], int(sys.argv[2])
dist.init_process_group()
model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
model = model.astype(np.float32)
if how == "together":
    model = nn.parallel.DistributedDataParallel(model)
optimizer = optim.Adam(model.parameters(), lr=1e-3)
numbers = np.random.default_rng(dist.get_rank())
x, y = numbers.normal(size=(rows, 784)).astype(np.float32), numbers.integers(0, 10, rows)
times = []
dist.barrier()
for _ in range(40):
    begun = time.perf_counter()
    optimizer.zero_grad()
    mg.nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
    times.append(time.perf_counter() - begun)
print(f"step {np.median(times[10:]):.6g}")
dist.barrier()
