r"""
Epochs: what a noisy gradient costs, and what it buys
=====================================================

The gradient on a few rows points in the right direction on average.  It is wrong every single time, and averaging makes
up for that.
"""

import numpy as np
from matplotlib import pyplot as plt

import minigrad as mg
from minigrad import optim, plot

# %%
# A line again, y = 3x + 2 with noise, and half the mean squared error.
rows = 200
np.random.seed(42)
x = np.random.randn(rows, 1)
y = 3 * x + 2 + np.random.randn(rows, 1) * 0.5
X, wanted = np.hstack([x, np.ones((rows, 1))]), y[:, 0]


def half_error(w, X, y):
    return 0.5 * ((X @ w - y) ** 2).mean()


best = np.linalg.lstsq(X, wanted)[0]

# %%
# 100 epochs of each kind: all 200 rows at once, single rows drawn at random, and batches of 32 from a new order.
epochs = 100


def single():
    for _ in range(epochs * rows):
        yield [np.random.randint(rows)]


def batches_of_32():
    for _ in range(epochs):
        order = np.random.permutation(rows)
        for first in range(0, rows, 32):
            yield order[first : first + 32]


start, data = np.zeros(2), (X, wanted)
runs = {
    "Batch GD": optim.minimize(half_error, start, lr=0.1, steps=epochs, data=data),
    "SGD": optim.minimize(half_error, start, lr=0.01, data=data, batches=single(), every=rows),
    "Mini-batch": optim.minimize(half_error, start, lr=0.05, data=data, batches=batches_of_32(), every=7),
}
for name, run in runs.items():
    print(f"{name}: w = {run.x} (true: [3, 2])")

# %%
# Each has looked at 20000 rows.  But the steps are 100, 20000 and 700, and the learning rates differ too, so the curves
# are no fair race.  They show what theory puts into a table: a step costs as much as it looks at rows, so that single
# rows bring two hundred times as many steps for the same price; in return the error of the steps on all rows falls
# faster, for a convex loss like 1 / t instead of 1 / sqrt(t).
print("             steps  rows a step  distance from the best line")
for name, run in runs.items():
    print(f"{name:10}  {run.steps:6}  {epochs * rows / run.steps:11.4g}  {np.linalg.norm(run.x - best):27.5f}")

fig, (left, right) = plt.subplots(1, 2, figsize=(14, 5), layout="constrained")
labels = {name: f"{name}, {run.steps} steps" for name, run in runs.items()}
plot.losses({labels[name]: run.losses[:-1] for name, run in runs.items()}, legend="upper right", ax=left)
left.set(title="Loss at the start of each epoch", xlabel="Epoch", ylabel="MSE Loss")
lines = {name: run.x for name, run in runs.items()} | {"y = 3x + 2": (3, 2)}
plot.fits(x, wanted, lines, domain=(-3, 3), legend=False, ax=right)
right.lines[-1].set(color="black", linewidth=1.2, linestyle="-")
right.legend()
right.autoscale()
right.set(title="The lines that they found", xlabel="x", ylabel="y")
fig.savefig("epochs.png")
pictures = {"epochs": fig}

# %%
# Why does it work at all?  The Jacobian of the row losses holds the gradient of each row.  Their mean is the gradient
# of the mean loss: a gradient on rows drawn at random has no bias.  What it has is variance, and a batch of 32 has much
# less of it; drawn without replacement, even less than a 32nd.
row_gradients = mg.jacobian(lambda w: 0.5 * (X @ w - wanted) ** 2)(start)
full = mg.grad(half_error)(start, X, wanted)
mean = row_gradients.mean(axis=0)
variance = row_gradients.var(axis=0).sum()
variance_of_32 = variance / 32 * (rows - 32) / (rows - 1)
print("gradient of the whole", full, "mean of the rows' gradients", mean)
print(f"variance for single rows {variance:.3f}, for batches of 32 {variance_of_32:.3f}")

# %%
# With a learning rate that falls like 1 / sqrt(t), the mean of all points passed comes as close to the minimum as one
# likes: theory bounds the loss above the minimum by a constant over sqrt(T).  Ten runs, side by side: w has a row for
# each, and the data have, for each step, the ten rows of X that the ten runs draw there.
lengths = (100, 1000, 10000)
drawn = np.stack([np.random.RandomState(seed).randint(rows, size=lengths[-1]) for seed in range(10)], axis=1)


def ten_errors(w, X, y):
    return 0.5 * (((X * w).sum(axis=-1) - y) ** 2).mean(axis=0).sum()


average, averages = np.zeros((10, 2)), {}


def take_mean(step):
    average[:] += (step.x - average) / step.step
    if step.step in lengths:
        averages[step.step] = average.copy()


optim.minimize(
    ten_errors,
    np.zeros((10, 2)),
    lr=0.1,
    schedule=lambda optimizer: optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 / np.sqrt(t + 1)),
    data=(X[drawn], wanted[drawn]),
    batches=([t] for t in range(lengths[-1])),
    every=lengths[-1],
    callback=take_mean,
)

# %%
# The product with sqrt(T) does not grow, as the bound promises.  It even falls, because this loss is strongly convex,
# which the bound does not make use of.
least = half_error(best, X, wanted)
excess = {T: np.mean([half_error(w, X, wanted) for w in averages[T]]) - least for T in lengths}
for T, above in excess.items():
    print(f"T = {T:5}: {above:.6f} above the minimum, times sqrt(T) {above * np.sqrt(T):.4f}")

fig, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
bound = excess[100] * np.sqrt(100 / np.array(lengths))
ax.loglog(lengths, list(excess.values()), "o-", color="#0072B2", linewidth=2, label="mean of ten runs")
ax.loglog(lengths, bound, "--", color="0.4", label=r"falling like $1 / \sqrt{T}$")
ax.set(title="Averaged SGD: loss above the minimum", xlabel="steps T", ylabel="excess loss")
ax.legend()
ax.grid(alpha=0.25)
fig.savefig("averaged-iterates.png")
pictures["averaged-iterates"] = fig

# %%
# Every figure of the experiment and the claims.
names = {"batch": "Batch GD", "sgd": "SGD", "mini": "Mini-batch"}
figures = {
    "epochs": {
        **{
            key: {"w": runs[name].x, "loss_before_epoch": runs[name].losses[:-1], "final_loss": runs[name].loss}
            for key, name in names.items()
        },
        "least_squares": best,
        "data": {"X": x, "y": y},
    },
    "theory": {
        "unbiased SGD gradient (epochs data, w=0)": {
            "full": full,
            "mean_of_per_sample": mean,
            "max_abs_diff": np.abs(full - mean).max(),
            "trace_cov_single": variance,
            "trace_cov_B32_without_replacement": variance_of_32,
        },
        "SGD averaged iterate eta_t=0.1/sqrt(t), seeds 0-9, mean excess loss": excess,
        "SGD averaged iterate: excess*sqrt(T)": {T: above * np.sqrt(T) for T, above in excess.items()},
    },
}
