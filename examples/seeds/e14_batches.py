r"""
Batches: all rows, some, or one
===============================

What is minimised is the mean of a loss over all rows of the data, here the mean squared error of a line.  A step may
look at all rows, at a few, or at a single one; the fewer they are, the cheaper is the step, and the noisier.
"""

import numpy as np
from matplotlib import pyplot as plt

import minigrad as mg
from minigrad import curvature, optim, plot


def squared_error(line, x, y):
    """The mean squared error of the line with this slope and intercept on some rows."""
    slope, intercept = line[0], line[1]
    return ((slope * x + intercept - y) ** 2).mean()


def with_ones(x):
    """The matrix whose product with (slope, intercept) is the line."""
    return np.column_stack([x, np.ones_like(x)])


# %%
# The first experiment deals the rows out in a new order in each epoch, in batches of 100 (all), of 16, or of 1.  The
# learning rate is the same for all three, and so is the number of rows that are looked at; the number of steps is not.
np.random.seed(42)
x = np.random.randn(100)
y = 3 * x + 2 + np.random.normal(0, 0.5, 100)


def dealt(size, epochs=100):
    """Row numbers of one batch after the other."""
    for _ in range(epochs):
        order = np.random.permutation(100)
        for first in range(0, 100, size):
            yield order[first : first + size]


epochs = {}
for name, size in {"Batch GD": 100, "Mini-batch (16)": 16, "SGD": 1}.items():
    per_epoch = -(-100 // size)
    run = optim.minimize(squared_error, [0.0, 0.0], lr=0.1, data=(x, y), batches=dealt(size), every=per_epoch)
    epochs[name] = run
    print(f"{name}: final w={run.x[0]:.4f}, b={run.x[1]:.4f}, loss={run.loss:.4f}")

# %%
# The picture begins at the end of the first epoch.  Batches of sixteen are there after three.  Single rows get there
# within one, and then never settle: with a constant rate the last rows seen pull the line their way.
fig, ax = plt.subplots(figsize=(9, 4), layout="constrained")
plot.losses({name: run.losses[1:] for name, run in epochs.items()}, legend="upper right", ax=ax)
ax.set(title="Loss at the end of each epoch: smooth, rippled, jagged", xlabel="Epoch", ylabel="MSE Loss (log)")
fig.savefig("line-three-batch-sizes.png")
pictures = {"line-three-batch-sizes": fig}

# %%
# The second one gives each variant a rate and a number of steps of its own, and draws rows anew for each step.  The
# least-squares line is at the bottom of the loss; none of the three is quite there, and the full batch is merely slow.
np.random.seed(42)
u = 2 * np.random.rand(100)
v = 4 + 3 * u + np.random.randn(100) * 0.5
single = ([np.random.randint(100)] for _ in range(1000))
sixteen = (np.random.choice(100, 16, replace=False) for _ in range(200))
fitted = {
    "Batch GD": optim.minimize(squared_error, [0.0, 0.0], lr=0.1, steps=100, data=(u, v)),
    "Stochastic GD": optim.minimize(squared_error, [0.0, 0.0], lr=0.01, data=(u, v), batches=single),
    "Mini-Batch GD": optim.minimize(squared_error, [0.0, 0.0], lr=0.05, data=(u, v), batches=sixteen),
}
print("True values: w=3, b=4")
for name, run in fitted.items():
    print(f"{name:15s}: w={run.x[0]:.4f}, b={run.x[1]:.4f}, Loss={run.loss:.4f}")

fig, ax = plt.subplots(figsize=(9, 5), layout="constrained")
plot.fits(u, v, {f"{name}: loss {run.loss:.4f}": run for name, run in fitted.items()}, legend="upper left", ax=ax)
ax.set_title("Three ways to nearly the same line")
fig.savefig("line-three-ways.png")
pictures["line-three-ways"] = fig

# %%
# There is one line to be found, because the loss is convex.  On the data of the next page, :doc:`e15_epochs`, the
# Hessian of half the mean squared error is X'X / N, the same at every point, and its eigenvalues are positive.  They
# also say how large the learning rate may be.
np.random.seed(42)
a = np.random.randn(200, 1)
b = 3 * a + 2 + np.random.randn(200, 1) * 0.5
X, wanted = with_ones(a[:, 0]), b[:, 0]


def half_error(w):
    return 0.5 * ((X @ w - wanted) ** 2).mean()


found = curvature.spectrum(half_error, np.zeros(2))
hessian = mg.hessian(half_error)(np.zeros(2))
print("Hessian", hessian.tolist(), "is X'X / N:", np.allclose(hessian, X.T @ X / 200))
print(found)


# %%
# Every figure of the three experiments.
def of_line(line, x, y):
    return {"w": line[0], "b": line[1], "loss": squared_error(line, x, y)}


def least_squares(x, y):
    return of_line(np.linalg.lstsq(with_ones(x), y)[0], x, y)


def of_epochs(losses):
    late = losses[-20:]
    return {
        "loss_after_epoch": losses,
        "min_loss": losses.min(),
        "mean_last20": late.mean(),
        "std_last20": late.std(),
    }


figures = {
    "line-three-batch-sizes": {
        **{name: of_line(run.x, x, y) | of_epochs(run.losses[1:]) for name, run in epochs.items()},
        "least_squares": least_squares(x, y),
        "data": {"X": x, "y": y},
    },
    "line-three-ways": {
        **{name: of_line(run.x, u, v) for name, run in fitted.items()},
        "least_squares": least_squares(u, v),
        "data": {"X": u, "y": v},
    },
    "theory": {
        "MSE Hessian (epochs data)": {
            "H": hessian,
            "eigenvalues": found.eigenvalues,
            "limit": found.lr_limit,
            "least_squares_solution": np.linalg.lstsq(X, wanted)[0],
        }
    },
}
