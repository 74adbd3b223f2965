"""Training on all ranks, against one process that adds up the gradients of the same parts of each batch."""

import itertools

import numpy as np

import minigrad as mg
from minigrad import distributed as dist
from minigrad import nn, optim
from minigrad.nn import functional as F  # noqa: N812


class Small(nn.Module):
    """A network with a convolution."""

    def __init__(self):
        super().__init__()
        self.conv, self.last = nn.Conv2d(1, 3, 3), nn.Linear(12, 2)

    def forward(self, x):
        return self.last(F.relu(self.conv(x[:, None, :16].reshape(-1, 1, 4, 4))).reshape(-1, 12))


class Recurrent(nn.Module):
    """A network with a memory."""

    def __init__(self):
        super().__init__()
        self.lstm, self.last = nn.LSTM(4, 5, batch_first=True), nn.Linear(5, 2)

    def forward(self, x):
        return self.last(self.lstm(x.reshape(-1, 4, 4))[0][:, -1])


def mlp():
    return nn.Sequential(nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 2))


dist.init_process_group()
rank, size = dist.get_rank(), dist.get_world_size()
for make, (name, rate), dtype in itertools.product(
    (mlp, Small, Recurrent), (("SGD", 0.1), ("Adam", 0.01)), (np.float32, np.float64)
):
    mg.manual_seed(7)
    alone = make().astype(dtype)
    mg.manual_seed(7 + rank)  # rank 0's parameters go to all
    model = nn.parallel.DistributedDataParallel(make().astype(dtype))
    own = getattr(optim, name)(model.parameters(), lr=rate)
    its = getattr(optim, name)(alone.parameters(), lr=rate)
    numbers = np.random.default_rng(1)
    for step in range(20):
        x, y = numbers.normal(size=(4 * size, 16)).astype(dtype), numbers.normal(size=(4 * size, 2)).astype(dtype)
        part = slice(4 * rank, 4 * rank + 4)
        own.zero_grad()
        ((model(x[part]) - y[part]) ** 2).mean().backward()
        its.zero_grad()
        for other in range(size):
            part = slice(4 * other, 4 * other + 4)
            (((alone(x[part]) - y[part]) ** 2).mean() / size).backward()
        for p, q in zip(model.parameters(), alone.parameters(), strict=True):
            if size == 2:
                np.testing.assert_array_equal(p.grad.numpy(), q.grad.numpy(), err_msg=f"{make} {name} {dtype} {step}")
            else:
                tolerance = 1e-12 if dtype is np.float64 else 1e-5
                np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=tolerance, atol=tolerance)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        nn.utils.clip_grad_norm_(alone.parameters(), 1.0)
        own.step()
        its.step()
    for p, q in zip(model.parameters(), alone.parameters(), strict=True):
        everywhere = dist.all_gather(p.detach().numpy())
        for other in everywhere[1:]:
            np.testing.assert_array_equal(other, everywhere[0])
        if size == 2:
            np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())
    assert list(model.module.state_dict()) == list(alone.state_dict())
dist.destroy_process_group()
if rank == 0:
    print("trained")
