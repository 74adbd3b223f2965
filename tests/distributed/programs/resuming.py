"""Training that is saved at each epoch, and may be killed meanwhile: ``resuming.py FILE EPOCHS SAMPLES [kill]``.

It goes on from the file, if there is one, and prints a checksum of all that it has come to.
"""

import hashlib
import os
import signal
import sys
import threading
from pathlib import Path

import numpy as np

import minigrad as mg
from minigrad import data, nn, optim
from minigrad import distributed as dist

file, epochs, samples = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
dist.init_process_group()
rank = dist.get_rank()
if len(sys.argv) > 4 and rank == 0:
    threading.Timer(float(sys.argv[4]), os.kill, (os.getpid(), signal.SIGKILL)).start()
x = np.random.default_rng(0).normal(size=(samples, 6))
set_of_rows = data.TensorDataset(x, x[:, :1] * 2)
sampler = data.DistributedSampler(set_of_rows, seed=3)
loader = data.DataLoader(set_of_rows, batch_size=4, sampler=sampler)
mg.manual_seed(0)
made = nn.Sequential(nn.Linear(6, 300), nn.Dropout(0.1), nn.Tanh(), nn.Linear(300, 1))
model = nn.parallel.DistributedDataParallel(made)
dist.manual_seed(1)
optimizer = optim.Adam(model.parameters(), lr=0.002)
parts = {"model": model.module, "optimizer": optimizer, "loader": loader}
epoch, seen = 0, []
if file.exists():
    other = mg.io.load_checkpoint(file, **parts)
    epoch, seen = other["epoch"], list(other["seen"])
while epoch < epochs:
    sampler.set_epoch(epoch)
    for i, (a, b) in enumerate(loader):
        optimizer.zero_grad()
        loss = ((model(a) - b) ** 2).mean()
        loss.backward()
        optimizer.step()
        if i == 1:  # in the middle of an epoch
            mg.io.save_checkpoint(file, **parts, epoch=epoch, seen=seen)
    with mg.no_grad():
        made.eval()
        seen.append(float(((made(x) - x[:, :1] * 2) ** 2).mean()))
        made.train()
    epoch += 1
bits = b"".join(p.detach().numpy().tobytes() for p in model.parameters()) + np.array(seen).tobytes()
assert len(set(dist.all_gather_object(bits))) == 1
if rank == 0:
    print(f"loss {seen[-1]:.3g}", hashlib.sha256(bits).hexdigest())
    os._exit(0) if len(sys.argv) > 4 else None
dist.destroy_process_group()
