"""
SGD, momentum and Adam on one regression
========================================

A line is fitted to 100 points with batches of 16, by three optimizers with the same learning rate and the same batches.
"""

import numpy as np
from matplotlib import pyplot as plt

from minigrad import optim, plot

# %%
# The data, the loss, and the order of the rows: each run draws the same one.
rng = np.random.RandomState(42)
X = rng.randn(100)
y = 3 * X + 2 + rng.normal(0, 0.5, 100)


def mse(line, x, y):
    """The mean squared error of a line on some rows."""
    w, b = line
    return ((w * x + b - y) ** 2).mean()


def batches(size, epochs, seed):
    """Rows of one batch after the other."""
    rng = np.random.RandomState(seed)
    for _ in range(epochs):
        order = rng.permutation(len(X))
        yield from (order[i : i + size] for i in range(0, len(X), size))


def fit(optimizer, **options):
    """100 epochs of 7 steps; the loss of all rows is recorded after each epoch."""
    rows = batches(16, 100, seed=0)
    return optim.minimize(mse, (0.0, 0.0), data=(X, y), batches=rows, every=7, optimizer=optimizer, lr=0.05, **options)


runs = {"SGD": fit("SGD"), "SGD with momentum 0.9": fit("SGD", momentum=0.9), "Adam": fit("Adam")}

# %%
# Plain SGD is the first to fall below 0.25.  Two parameters on a scale of about 1 leave nothing to adapt to, so Adam,
# whose steps are hardly longer than the rate itself, has to walk to (3, 2) in steps of 0.05.  Momentum makes steps that
# are ten times longer in the long run, overshoots, and then multiplies the noise of the batches: its loss jitters most.
for name, run in runs.items():
    first = np.argmax(run.losses[1:] < 0.25)
    print(f"{name}: below 0.25 after {first + 1} epochs, {run.loss:.4f} at the end")

fig, ax = plt.subplots(figsize=(9, 4), layout="constrained")
after = {name: run.losses[1:] for name, run in runs.items()}
plot.losses(after, legend="upper right", ax=ax)
ax.set(title="Three optimizers, lr=0.05", xlabel="Epoch", ylabel="MSE Loss (log)")
ax.set_yticks([0.2, 0.5, 1, 2, 5], ["0.2", "0.5", "1", "2", "5"])
ax.yaxis.set_minor_formatter("")
fig.savefig("line-three-optimizers.png")
pictures = {"line-three-optimizers": fig}

# %%
# Every figure of the experiment.
figures = {"line-three-optimizers": {}}
for name, run in zip(("sgd", "mom", "adam"), runs.values(), strict=True):
    w, b = run.x
    losses = run.losses[1:]
    figures["line-three-optimizers"][name] = {
        "w": w,
        "b": b,
        "final_loss": run.loss,
        "loss_after_epoch": losses,
        "first_epoch_index_loss_below_0_25": np.argmax(losses < 0.25),
        "mean_last20": losses[-20:].mean(),
        "std_last20": losses[-20:].std(),
    }
