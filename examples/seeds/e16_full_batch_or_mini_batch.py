r"""
Full batch or mini-batch: count the rows
========================================

Linear regression with all rows in each step, and with 32.  Counted in steps the two are alike.  Counted in rows that
have to be read, they are not.
"""

import numpy as np
from matplotlib import pyplot as plt

from minigrad import optim, plot


# %%
# First 500 rows, two weights, no intercept.  The mini-batch run shuffles the rows before each of 20 epochs,
# which makes 16 steps of 32 rows (the last has 20); the full-batch run makes 15 steps "per epoch", each on all rows.
def squared_error(w, X, y):
    return ((X @ w - y) ** 2).mean()


np.random.seed(0)
X = np.random.randn(500, 2)
true = np.array([2.0, -1.0])
y = X @ true + 0.5 * np.random.randn(500)
size, epochs = 32, 20


def shuffled():
    order = np.arange(len(X))
    for _ in range(epochs):
        np.random.shuffle(order)
        for first in range(0, len(X), size):
            yield order[first : first + size].copy()


steps = epochs * (len(X) // size)
full = optim.minimize(squared_error, np.zeros(2), lr=0.05, steps=steps, data=(X, y))
mini = optim.minimize(squared_error, np.zeros(2), lr=0.05, data=(X, y), batches=shuffled())
print("Batch GD final weights:", full.x)
print("SGD final weights:", mini.x)
print("True weights:", true)

# %%
# Drawn over the same twenty "epochs" the curves lie on each other, because step for step both go the same way.
runs = {"full batch, 300 steps": full, "batches of 32, 320 steps": mini}
fig, ax = plt.subplots(figsize=(10, 5), layout="constrained")
places = [np.linspace(0, epochs, len(run.losses)) for run in runs.values()]
plot.losses(runs, x=places, legend="upper right", ax=ax)
ax.set(title="300 full steps and 320 small ones, stretched over the same axis", xlabel="Epoch", ylabel="MSE Loss")
fig.savefig("mini-batches.png")
pictures = {"mini-batches": fig}

# %%
# But 300 steps on all rows are 300 epochs, not 20.  Against the rows read, the mini-batches are there fifteen times
# sooner.  Only at the very end the full batch is ahead: it comes to rest in the least-squares solution, which the
# mini-batches keep circling.
fig, ax = plt.subplots(figsize=(10, 5), layout="constrained")
read = [full.recorded * len(X), np.linspace(0, epochs * len(X), len(mini.losses))]
plot.losses(runs, x=read, legend="upper right", ax=ax)
ax.set(title="The same two runs, against what they cost", xlabel="rows read (500 make an epoch)", ylabel="MSE Loss")
ax.set_xlim(-500, 30_000)
fig.savefig("mini-batches-rows.png")
pictures["mini-batches-rows"] = fig
least_squares = np.linalg.lstsq(X, y)[0]
print("Distance from least squares:", np.linalg.norm(full.x - least_squares), np.linalg.norm(mini.x - least_squares))

# %%
# Then 1000 rows, five weights and an intercept, so the point is a pair of arrays; random start, 100 epochs
# of 32 batches.  There is so little noise in the data that one epoch is enough.
np.random.seed(42)
features = np.random.randn(1000, 5)
slopes = np.array([2, -1, 0.5, 3, -0.5])
targets = features @ slopes + 0.1 * np.random.randn(1000)
start = (np.random.randn(5), 0.0)


def with_intercept(model, X, y):
    w, b = model
    return ((X @ w + b - y) ** 2).mean()


def reordered():
    for _ in range(100):
        order = np.random.permutation(1000)
        for first in range(0, 1000, size):
            yield order[first : first + size]


fit = optim.minimize(with_intercept, start, lr=0.1, data=(features, targets), batches=reordered(), every=32)
w, b = fit.x
print("Learned weights:", w)
print("True weights:", slopes)

# %%
# A training loop likes to report the mean of the batch losses that it has computed anyway.  It lags behind the loss of
# all rows, since most batches are seen before the epoch is over.  And the sum must be divided by the number of batches,
# which is 32, the last one being smaller.  The experiment divides by 1000 // 32 = 31: its losses are 3.2 % too large.
sums = fit.batch_losses.reshape(100, 32).sum(axis=1)
reported, means = sums / (1000 // size), sums / 32
curves = {
    "sum of the batch losses / 31": reported,
    "mean of the batch losses": means,
    "all rows, at the end of the epoch": fit.losses[1:],
}
fig, (left, right) = plt.subplots(1, 2, figsize=(14, 5), layout="constrained")
plot.losses(curves, legend="upper right", ax=left)
plot.losses(curves, log=False, ylim=(0.01, 0.0122), legend="upper right", ax=right)
left.set(title="Batches of 32 out of 1000 rows", xlabel="epoch", ylabel="mean squared error")
right.set(title="From the second epoch on", xlabel="epoch", ylabel="mean squared error")
fig.savefig("mini-batches-of-five-weights.png")
pictures["mini-batches-of-five-weights"] = fig

# %%
# Every figure of the two experiments.
figures = {
    "mini-batches": {
        "w_bgd": full.x,
        "w_sgd": mini.x,
        "losses_bgd": full.losses,
        "losses_sgd": mini.losses,
        "steps": [full.steps, mini.steps],
        "least_squares": least_squares,
        "least_squares_loss": squared_error(least_squares, X, y),
        "data": {"X": X, "y": y},
    },
    "mini-batches-of-five-weights": {
        "w": w,
        "b": b,
        "losses": reported,
        "losses_times_31_over_32": means,
        "data": {"X": features, "y": targets},
    },
}
