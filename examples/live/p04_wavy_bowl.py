"""
Two minima and a saddle
=======================

The loss w1^2 + 3 w2^2 + 0.5 sin 3w1 sin 3w2 has two minima, and a saddle at the origin between them.
"""

from matplotlib import pyplot as plt

from minigrad import objectives, optim, plot

# %%
# Which minimum is reached depends on the start and on the way.
loss = objectives.wavy_bowl
optimizers = {
    "gradient descent": ("SGD", {"lr": 0.05}),
    "momentum": ("SGD", {"lr": 0.05, "momentum": 0.9}),
    "Adam": ("Adam", {"lr": 0.1}),
}
runs = {
    word: optim.minimize(loss, [2.5, 1.5], optimizer=name, steps=100, **options)
    for word, (name, options) in optimizers.items()
}
plot.contour(loss, runs, levels=30, fill=True)
plt.show()

# %%
# On the page, put the start exactly onto the origin: nothing moves, until there is noise.
plot.explore(
    loss, [2.5, 1.5], optimizers=optimizers, steps=200, title="w1² + 3 w2² + ½ sin 3w1 sin 3w2", path="wavy_bowl.html"
)
