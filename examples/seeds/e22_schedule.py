"""
A learning rate that falls
==========================

A network learns to tell the three arms of a spiral apart, once with the learning rate 0.1 throughout, and once with a
tenth of it from epoch 50 and a hundredth from epoch 80 on.
"""

import numpy as np
from matplotlib import pyplot as plt

import minigrad as mg
from minigrad import optim, plot

# %%
# The data set that the exercise names does not exist.  This is a spiral of the usual kind: three arms of 100 points
# each, whose angles are noisy.
rng = np.random.RandomState(42)
radius = np.linspace(0, 1, 100)
angles = [np.linspace(4 * k, 4 * (k + 1), 100) + 0.2 * rng.randn(100) for k in range(3)]
X = np.concatenate([np.stack([radius * np.sin(t), radius * np.cos(t)], axis=1) for t in angles])
arms = np.repeat([0, 1, 2], 100)
Y = np.eye(3)[arms]  # one-hot: a 1 in the column of the arm

# %%
# A network with 64 hidden units is a dict of four arrays.  One run says little where chance has a part, so there are
# five networks, from five seeds: their arrays are stacked along a first axis, and they are trained side by side, each
# on its own batches.  The gradient of the sum of their losses holds the gradient of each.  The functions take arrays
# with any further axes in front.


def scores(weights, X):
    """One score for each arm, shape (..., rows, 3)."""
    return np.tanh(X @ weights["W1"] + weights["b1"]) @ weights["W2"] + weights["b2"]


def cross_entropies(weights, X, Y):
    """The cross-entropy of each network."""
    return -(Y * mg.log_softmax(scores(weights, X))).sum(axis=-1).mean(axis=-1)


def total(weights, X, Y):
    """Their sum, which is minimised."""
    return cross_entropies(weights, X, Y).sum()


# %%
# Each network draws its weights, then an order of the rows for each epoch, from its own seed.  With and without the
# schedule they are the same until epoch 50, so that part is made once, and each run goes on from there.
SEEDS = range(5)


def start_and_batches(size):
    """The weights of all networks, and the rows of each step, shape (steps, networks, size)."""
    starts, orders = [], []
    for seed in SEEDS:
        rng = np.random.RandomState(seed)
        starts.append(
            {"W1": rng.randn(2, 64), "b1": np.zeros((1, 64)), "W2": rng.randn(64, 3) / 8, "b2": np.zeros((1, 3))}
        )
        orders.append(np.concatenate([rng.permutation(300) for _ in range(100)]).reshape(-1, size))
    return {key: np.stack([start[key] for start in starts]) for key in starts[0]}, np.stack(orders, axis=1)


def train(size):
    """The weights after each epoch, without and with the schedule."""
    start, batches = start_and_batches(size)
    epoch = 300 // size  # in steps
    options = {"data": (X, Y), "lr": 0.1, "every": epoch}
    first = optim.minimize(total, start, batches=batches[: 50 * epoch], **options)
    schedules = {
        "constant": None,
        "schedule": lambda optimizer: optim.lr_scheduler.MultiStepLR(optimizer, [0, 30 * epoch], gamma=0.1),
    }
    for name, schedule in schedules.items():
        run = optim.minimize(total, first.x, batches=batches[50 * epoch :], schedule=schedule, **options)
        yield name, {key: np.concatenate([first.path[key], run.path[key][1:]]) for key in start}


paths = {(size, name): path for size in (1, 4) for name, path in train(size)}
losses = {run: cross_entropies(path, X, Y) for run, path in paths.items()}  # shape (epochs, networks)

# %%
# With a batch of one point the gradient is mostly noise, and at the rate 0.1 the loss of seed 0 goes on jumping between
# 0.03 and 0.2.  As soon as the rate falls, so does the loss, and it stops jittering.  To compare the two, take means
# over many epochs: at the very last one, the jitter happens to leave the constant rate of seed 0 slightly ahead.
#
# With batches of four there is less noise, but there are a quarter of the steps, and the same schedule does harm.  The
# jitter goes, but at epoch 50 the loss was still falling, and with a tenth of the rate it hardly can: the mean of the
# constant rate is lower for every seed.
for (size, name), loss in losses.items():
    last = loss[-20:]
    means, jitter = (" ".join(f"{value:.4f}" for value in of) for of in (last.mean(axis=0), last.std(axis=0)))
    print(f"batch {size}, {name}: mean of the last 20 epochs {means}, standard deviation {jitter}")

fig, axes = plt.subplots(1, 2, figsize=(14, 4.5), layout="constrained", sharey=True)
for ax, size, words in zip(axes, (1, 4), ("the schedule ends lower", "the schedule ends higher"), strict=True):
    curves = {name: losses[size, name][:, 0] for name in ("constant", "schedule")}
    plot.losses(curves, legend="upper right", ylim=(0.025, 1.5), ax=ax)
    for epoch in (50, 80):
        ax.axvline(epoch, color="0.4", linestyle=":")
        ax.text(epoch + 0.7, 0.028, f"lr / {10 if epoch == 50 else 100}")
    ax.set(title=f"Batches of {size}: {words}", xlabel="epoch")
fig.savefig("schedule.png")
pictures = {"schedule": fig}

# %%
# Every figure of the experiment.
figures = {
    "schedule": {
        "X_row1": X[1],
        "X_row150": X[150],
        "X_row299": X[299],
        "X_sum": X.sum(axis=0),
        "X_abs_sum": np.abs(X).sum(),
    }
}
for (size, name), loss in losses.items():
    found = scores(paths[size, name], X).argmax(axis=-1)
    accuracy = (found == arms).mean(axis=-1)
    last = loss[-20:]
    figures["schedule"][f"B={size} {name} seed0"] = {
        "loss": dict(enumerate(loss[:, 0])),
        "acc": dict(enumerate(accuracy[:, 0])),
        "std_loss_last20": last[:, 0].std(),
        "mean_loss_last20": last[:, 0].mean(),
        "max_rise_last20": np.diff(last[:, 0]).max(),
    }
    figures["schedule"][f"B={size} {name} seeds0-4"] = {
        "final_loss": loss[-1],
        "final_acc": accuracy[-1],
        "mean_loss_last20": last.mean(axis=0),
        "std_loss_last20": last.std(axis=0),
        "loss_at_50": loss[50],
    }
