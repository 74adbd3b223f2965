"""
One parabola, three learning rates
==================================

The loss x^2 + 5x + 6 has its minimum at -2.5, and its second derivative is 2 everywhere: gradient descent is stable up
to a learning rate of 2/2 = 1.
"""

from matplotlib import pyplot as plt

from minigrad import objectives, optim, plot

# %%
# From 10, three learning rates: one creeps, one arrives, and one leaps over the minimum, farther away with each step.
loss = objectives.parabola
rates = {"creeps": 0.01, "arrives": 0.1, "leaps away": 1.05}
runs = {word: optim.minimize(loss, 10.0, lr=lr, steps=30) for word, lr in rates.items()}
plot.curve(loss, runs)
plt.show()

# %%
# The same on a page of its own.  At a rate of 0.5 a single step arrives: find it, and find the rate at which the run
# goes to and fro for ever.
optimizers = {word: ("SGD", {"lr": lr}) for word, lr in rates.items()}
plot.explore(loss, 10.0, optimizers=optimizers, steps=60, title="x² + 5x + 6", path="parabola.html")
