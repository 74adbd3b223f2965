"""One rank does something wrong at step 3: ``failing.py KIND``."""

import os
import signal
import sys
import time

import numpy as np

from minigrad import distributed as dist
from minigrad import nn, optim

kind = sys.argv[1]
dist.init_process_group()
rank = dist.get_rank()
model = nn.parallel.DistributedDataParallel(nn.Linear(3, 1))
optimizer = optim.SGD(model.parameters(), lr=0.1)
for step in range(1000):
    if step == 3 and rank == 1:
        print(f"at {time.time()}", flush=True)
        if kind == "exception":
            raise ValueError("bad data")
        if kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if kind == "exit":
            sys.exit(0)
        if kind == "end":
            break
        if kind == "hard end":
            os._exit(0)
        if kind == "shape":
            dist.all_reduce(np.ones(500))
        if kind == "dtype":
            dist.all_reduce(np.ones(1000, np.float64))
        if kind == "order":
            dist.barrier()
        if kind == "nothing":
            continue
    if step == 3 and kind in ("shape", "dtype"):
        dist.all_reduce(np.ones(1000, np.float32))
    optimizer.zero_grad()
    (model(np.ones((4, 3))) ** 2).mean().backward()
    optimizer.step()
    time.sleep(0.001)
print(f"rank {rank} came to its end")
