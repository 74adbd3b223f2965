"""
Batches of a regression
=======================

A line through a hundred points.  Each step looks at some of them only: the gradient is quick, and wrong by chance.
"""

import numpy as np
from matplotlib import pyplot as plt

import minigrad as mg
from minigrad import optim, plot

# %%
# The mean square of the errors is the loss; with a batch it is that of the rows in it.
rng = np.random.default_rng(42)
X = rng.normal(size=100)
y = 3 * X + 2 + 0.5 * rng.normal(size=100)


def loss(w, X, y):
    return np.mean((w[0] * X + w[1] - y) ** 2)


mg.manual_seed(0)
sizes = {"all rows": None, "16 rows": 16, "1 row": 1}
runs = {
    word: optim.minimize(loss, [0.0, 0.0], lr=0.05, steps=200, data=(X, y), batches=size)
    for word, size in sizes.items()
}
plot.contour(lambda w: loss(w, X, y), runs, domain=((-0.5, 4.5), (-0.5, 3.5)), points=60, fill=True)
plt.show()

# %%
# On the page the size of the batches can be chosen, and with it the order of the rows, by the seed.
plot.explore(
    loss, [0.0, 0.0], ((-0.5, 4.5), (-0.5, 3.5)), data=(X, y), batches=(16, 1), optimizers=["SGD", "Adam"], lr=0.05,
    steps=200, title="A line through 100 points", path="batches.html",
)  # fmt: skip
