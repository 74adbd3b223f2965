"""
Noisy gradients
===============

Gradients with noise lead to the neighbourhood of the minimum, and not to it.  How large that is says the learning rate.
"""

from matplotlib import pyplot as plt

import minigrad as mg
from minigrad import objectives, optim, plot

# %%
# The exact gradient, and gradients with normal noise of 3 at two learning rates.
loss = objectives.bowl(1, 5)
mg.manual_seed(42)
runs = {
    "exact": optim.minimize(loss, [4.0, 2.0], lr=0.06, steps=300),
    "noise": optim.minimize(loss, [4.0, 2.0], lr=0.06, steps=300, noise=3.0),
    "noise, smaller rate": optim.minimize(loss, [4.0, 2.0], lr=0.015, steps=300, noise=3.0),
}
plot.contour(loss, runs, fill=True)
plt.show()
print({word: float(run.losses[200:].mean().round(3)) for word, run in runs.items()}, "over the last 100 steps")

# %%
# On the page all runs have the same noise, from one seed.
rates = {"large rate": 0.06, "small rate": 0.015}
optimizers = {word: ("SGD", {"lr": lr}) for word, lr in rates.items()} | {"Adam": ("Adam", {"lr": 0.1})}
plot.explore(loss, [4.0, 2.0], optimizers=optimizers, noise=3.0, title="w1² + 5 w2² with noise", path="noise.html")
