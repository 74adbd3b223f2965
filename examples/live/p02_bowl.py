"""
A bowl that is steeper one way
==============================

The loss w1^2 + 5 w2^2 curves five times as much along w2.  The steep direction allows a learning rate of 0.2 at most,
and the flat one would like a larger one.
"""

from matplotlib import pyplot as plt

from minigrad import objectives, optim, plot

# %%
# Four ways down from the same start: three learning rates, and momentum.
loss = objectives.bowl(1, 5)
optimizers = {
    "small rate": ("SGD", {"lr": 0.02}),
    "good rate": ("SGD", {"lr": 0.16}),
    "too large": ("SGD", {"lr": 0.205}),
    "momentum": ("SGD", {"lr": 0.02, "momentum": 0.9}),
}
runs = {
    word: optim.minimize(loss, [4.0, 2.5], optimizer=name, steps=40, **options)
    for word, (name, options) in optimizers.items()
}
plot.contour(loss, runs, fill=True)
plt.show()

# %%
# On the page the eigenvalues of the Hessian stand below the losses, with the largest stable rate.  A learning rate of
# 2 / (2 + 10) = 1/6 shrinks both directions by the same factor, which is the best that a constant rate can do.
plot.explore(loss, [4.0, 2.5], optimizers=optimizers, steps=100, title="w1² + 5 w2²", path="bowl.html")
