"""One rank does something wrong at step 3: ``failing.py KIND``; "compiled KIND" is a compiled step, and step 8."""

import os
import signal
import sys
import time

import numpy as np

import minigrad as mg
from minigrad import distributed as dist
from minigrad import nn, optim

kind = sys.argv[1]
dist.init_process_group()
rank = dist.get_rank()
model = nn.parallel.DistributedDataParallel(nn.Linear(3, 1))
optimizer = optim.SGD(model.parameters(), lr=0.1)


def train(x):
    """A step."""
    optimizer.zero_grad()
    loss = (model(x) ** 2).mean()
    loss.backward()
    optimizer.step()
    return loss


at = 3
if kind.startswith("compiled"):
    train, at = mg.jit(train), 8
    kind = kind.removeprefix("compiled ")
for step in range(1000):
    if step == at and rank == 1:
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
        if kind == "other rows":  # for which a compiled step is traced anew
            train(np.ones((3, 3)))
            continue
    if step == at and kind in ("shape", "dtype"):
        dist.all_reduce(np.ones(1000, np.float32))
    train(np.ones((4, 3)))
    time.sleep(0.001)
print(f"rank {rank} came to its end")
