r"""
A wavy bowl: two minima and a saddle
====================================

The loss w1^2 + 3 w2^2 + 0.5 sin 3w1 sin 3w2 is a bowl with ripples.  The ripples are small, and yet they move the
bottom: the origin, where one would look for the minimum, is not one.
"""

import numpy as np
from matplotlib import pyplot as plt

import minigrad as mg
from minigrad import curvature, objectives, optim, plot

# %%
# Three learning rates from the same start.  The largest is the quickest here, and even the smallest is on its way to
# the same minimum.
loss = objectives.wavy_bowl
words = {0.01: "slow", 0.05: "good", 0.15: "aggressive"}
runs = {lr: optim.minimize(loss, [2.5, 1.5], lr=lr, steps=100, x_limit=50) for lr in words}
for lr, run in runs.items():
    w1, w2 = run.x
    print(f"$\\eta={lr}$ ({words[lr]}): final point = ({w1:.4f}, {w2:.4f}), loss = {run.loss:.6f}")

# %%
# What is at the origin?  The gradient is zero there, so a run that starts there never leaves.  But the Hessian has a
# negative eigenvalue: along its eigenvector the loss falls on both sides.  The origin is a saddle.
origin = np.zeros(2)
at_origin = curvature.spectrum(loss, origin)
slope = mg.grad(loss)(origin)
print("at the origin: gradient", slope, "and curvatures", at_origin.eigenvalues)

# %%
# The loss is the same at w and at -w, so it has two minima, one on either side of the saddle.  A start on each side
# finds them; the curvatures there are positive, and 2 / (smallest + largest) is the learning rate to find them with.
near = curvature.spectrum(loss, runs[0.15].x)
minima = [optim.minimize(loss, start, lr=near.lr_best, steps=200) for start in ([1, -1], [-1, 1])]
at_minimum = curvature.spectrum(loss, minima[0].x)
for found in minima:
    print("minimum at", found.x, "with loss", found.loss)
print("curvatures there", at_minimum.eigenvalues)

# %%
# A grid of nearly a million points sees the same, as far as its spacing of 0.005 allows: no point is below the minima.
mesh = np.stack(np.meshgrid(np.linspace(-3, 3, 1201), np.linspace(-2, 2, 801)))
lowest = loss(mesh).min()
print("least loss on the grid", lowest)

# %%
# The surface, and the same from above.  The paths come down the steep side, turn into the long valley, and end in the
# minimum on their side of the saddle.
named = {f"lr={lr} ({words[lr]})": run for lr, run in runs.items()}
fig = plt.figure(figsize=(16, 7), layout="constrained")
left, right = fig.add_subplot(121, projection="3d"), fig.add_subplot(122)
plot.surface(loss, named, points=200, legend=False, ax=left)
left.autoscale()
left.set_title("Loss and three paths down")
left.set_zlabel("Loss", labelpad=10)
plot.contour(loss, named, levels=30, fill=True, legend=False, ax=right)
right.plot(*origin, "X", color="white", markeredgecolor="black", markersize=12, zorder=22, label="saddle")
right.legend(loc="lower right")
right.set_title("Seen from above: the origin is a saddle between two minima")
fig.savefig("wavy-bowl.png")
pictures = {"wavy-bowl": fig}

# %%
# Every figure of the experiment.
hessian = mg.hessian(loss)
surface = {
    "hessian_at_0": hessian(origin),
    "eig_at_0": at_origin.eigenvalues,
    "det_at_0": np.linalg.det(hessian(origin)),
    "loss_at_0": loss(origin),
    "global_minima": [found.x for found in minima],
    "loss_at_min": minima[0].loss,
    "hessian_at_min": hessian(minima[0].x),
    "eig_at_min": at_minimum.eigenvalues,
    "grid_min_1201x801": lowest,
}
histories = {
    f"eta={lr}": {"final": run.x, "loss": run.loss, "path": run.path, "loss_hist": run.losses}
    for lr, run in runs.items()
}
figures = {"wavy-bowl": {**histories, "surface_own": surface}, "theory": {"wavy-bowl surface": surface}}
