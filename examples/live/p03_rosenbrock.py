"""
Rosenbrock's valley
===================

The way into the valley is short, and the way along its floor is long: the curvature across is thousands of times that
along.
"""

from matplotlib import pyplot as plt

from minigrad import objectives, optim, plot

# %%
# Plain gradient descent may not step farther than the walls allow.  Momentum gathers speed along the floor.
loss = objectives.rosenbrock
optimizers = {
    "gradient descent": ("SGD", {"lr": 0.001}),
    "momentum": ("SGD", {"lr": 0.0005, "momentum": 0.9}),
    "Adam": ("Adam", {"lr": 0.05}),
    "RMSprop": ("RMSprop", {"lr": 0.005}),
}
runs = {
    word: optim.minimize(loss, [-1.5, 2.0], optimizer=name, steps=1000, **options)
    for word, (name, options) in optimizers.items()
}
plot.contour(loss, runs, log=True, fill=True)
plt.show()

# %%
# On the page, look at the eigenvalues under the cursor, on the floor and on the walls.
plot.explore(loss, [-1.5, 2.0], optimizers=optimizers, steps=1000, title="Rosenbrock's valley", path="rosenbrock.html")
