"""
Many minima
===========

The curve sin 3x + 0.1 x^2 has five minima between -5 and 5, and gradient descent ends in one of them: mostly the next.
"""

from matplotlib import pyplot as plt

from minigrad import objectives, optim, plot

# %%
# From 4.6, plain descent rolls into the next minimum, some momentum over one hill, and more momentum over two, into the
# deepest.
loss = objectives.wavy_parabola
optimizers = {
    "gradient descent": ("SGD", {"lr": 0.02}),
    "momentum": ("SGD", {"lr": 0.02, "momentum": 0.95}),
    "more momentum": ("SGD", {"lr": 0.02, "momentum": 0.97}),
}
runs = {
    word: optim.minimize(loss, 4.6, optimizer=name, steps=300, **options)
    for word, (name, options) in optimizers.items()
}
plot.curve(loss, runs)
plt.show()
print({word: float(run.x.round(3)) for word, run in runs.items()})

# %%
# On the page, gradients with noise of 12 shake runs out of shallow minima: try several seeds.
plot.explore(loss, 4.6, optimizers=optimizers, steps=300, title="sin 3x + 0.1 x²", path="many_minima.html")
