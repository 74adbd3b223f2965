"""
A well in a plain
=================

Far from the well the loss -exp(-x^2) is so flat that plain gradient descent hardly moves.  Methods that divide by the
size of the gradient do not mind.
"""

from matplotlib import pyplot as plt

from minigrad import objectives, optim, plot

# %%
# From 3, all with the same learning rate.
loss = objectives.well
optimizers = {
    "gradient descent": ("SGD", {"lr": 0.1}),
    "momentum": ("SGD", {"lr": 0.1, "momentum": 0.9}),
    "Adam": ("Adam", {"lr": 0.1}),
}
runs = {
    word: optim.minimize(loss, 3.0, optimizer=name, steps=300, **options)
    for word, (name, options) in optimizers.items()
}
plot.curve(loss, runs)
plt.show()

# %%
# On the page, plain descent needs 2600 steps to come to the bottom: give it as many.
plot.explore(loss, 3.0, optimizers=optimizers, steps=300, title="−exp(−x²)", path="flat_regions.html")
