r"""
Saddles: how gradient descent gets stuck, and away
==================================================

The landscape of a loss: local minimum, global minimum, saddle.  One might sketch all three on one curve, but a curve
has no saddle: there, one number says how it bends.  A saddle bends up in one direction and down in another, so it takes
at least two.
"""

import numpy as np
from matplotlib import pyplot as plt

from minigrad import curvature, objectives, optim, plot

# %%
# One dimension: two starts, two minima.  The one on the right rests in a valley that is not the deepest.
curve = objectives.wavy_parabola
rests = {f"from {start}": optim.minimize(curve, start, lr=0.02, steps=100) for start in (0.4, 2.6)}

# %%
# Two dimensions: x^2 - y^2.  At the origin the gradient is zero and the Hessian has the eigenvalues -2 and 2.  A step
# with learning rate 0.1 multiplies x by 0.8 and y by 1.2.
saddle = objectives.saddle
print("curvatures at the saddle:", curvature.spectrum(saddle, np.zeros(2)).eigenvalues)


def left_at(run):
    """The first step after which y is farther than 1 from the saddle, if there is one."""
    away = np.abs(run.path[:, 1]) > 1
    return int(away.argmax()) if away.any() else None


# %%
# Three runs that differ in next to nothing.  From (1, 0) there is no slope in y, so the run ends at the saddle, and it
# looks like convergence.  A millionth to the side is enough to get away, though that takes 76 steps, for y must grow
# from 1e-6 by a fifth at a time.  With noise in the gradient it takes 35, which is why saddles trouble stochastic
# methods less.
np.random.seed(0)
runs = {
    "from (1, 0)": optim.minimize(saddle, [1.0, 0.0], lr=0.1, steps=100),
    "from (1, 1e-6)": optim.minimize(saddle, [1.0, 1e-6], lr=0.1, steps=100),
    "from (1, 0), noisy gradient": optim.minimize(
        saddle, [1.0, 0.0], lr=0.1, steps=100, noise=lambda shape: 0.01 * np.random.randn(*shape)
    ),
}
for label, run in runs.items():
    step = left_at(run)
    print(label, "stays:" if step is None else f"leaves at step {step}:", "after 100 steps at", run.x)

# %%
# On the left the two minima; in the middle the saddle, seen from above; on the right the distance in y, which grows
# along a straight line on a logarithmic axis: the closer to the saddle's axis one starts, the longer one stays.
fig, (left, middle, right) = plt.subplots(1, 3, figsize=(16, 5), layout="constrained")
plot.curve(curve, rests, domain=(-2, 3.5), legend=False, ax=left)
left.legend(loc="upper left")
left.set(title="One dimension: local and global minimum", ylim=(-1.3, 2.6))
for run, name in zip(rests.values(), ("global minimum", "local minimum"), strict=True):
    left.annotate(name, (run.x, run.loss), (0, -18), textcoords="offset points", ha="center")

paths = {label: runs[label].path[: left_at(runs[label])] for label in reversed(runs)}
plot.contour(saddle, paths, domain=((-1.2, 1.2), (-1.2, 1.2)), equal=True, start=False, legend=False, ax=middle)
middle.plot(0, 0, "X", color="white", markeredgecolor="black", markersize=12, zorder=30, label="saddle")
middle.legend(loc="lower left", fontsize="small")
middle.set(title="$x^2 - y^2$: a minimum along x, a maximum along y", xlabel="x", ylabel="y")

sideways = {label: np.abs(path[:, 1]) for label, path in paths.items() if label != "from (1, 0)"}
plot.losses(sideways, legend=False, ax=right)
right.legend(loc="lower right", title="from (1, 0): 0 for ever")
right.set(title="Distance from the saddle along y", xlabel="step", ylabel="|y|", ylim=(1e-7, 2), yscale="log")
fig.savefig("landscape.png")
pictures = {"landscape": fig}

# %%
# Every figure of the experiment.
figures = {
    "claims": {
        "saddle x^2-y^2, lr 0.1": {
            "from (1,0) after 100 steps": runs["from (1, 0)"].x,
            "from (1,1e-6): step when |y|>1": left_at(runs["from (1, 1e-6)"]),
        },
        "saddle with gradient noise 0.01 (seed 0): step when |y|>1": left_at(runs["from (1, 0), noisy gradient"]),
    }
}
