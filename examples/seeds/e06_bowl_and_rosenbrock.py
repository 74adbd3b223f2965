"""
A bowl and a banana
===================

Gradient descent on a quadratic bowl, and in the bent valley of Rosenbrock's function, where the question is how long
the steps may be.
"""

import numpy as np
from matplotlib import pyplot as plt

import minigrad as mg
from minigrad import objectives, optim, plot

# %%
# In the bowl w1^2 + 5 w2^2 the steep coordinate is settled after a few steps, and the rest of the path leads along the
# flat one.
bowl = objectives.bowl(1, 5)
run = optim.minimize(bowl, [4.0, 2.5], lr=0.08, steps=30)
print(f"Quadratic: final point = ({run.x[0]:.4f}, {run.x[1]:.4f}), loss = {run.loss:.6f}")

# %%
# Rosenbrock's function has its minimum at (1, 1), at the bottom of a valley with steep walls and hardly any slope along
# it.  The walls allow a small rate only, and with that the way along the floor is long: 5000 steps, and not yet there.
#
# The start lies on a wall, where the gradient is (-155, -50).  Cutting each of its elements to at most 10 is said to
# make the descent stable.  It acts in the first 7 steps and never again.
rosenbrock = objectives.rosenbrock
start = [-1.5, 2.0]
clips = {"value": {"clip_value": 10}, "none": {}, "norm": {"clip_norm": 10}}
variants = {name: optim.minimize(rosenbrock, start, lr=0.001, steps=5000, **clip) for name, clip in clips.items()}
clipped = variants["value"]
print(f"Rosenbrock: final point = ({clipped.x[0]:.4f}, {clipped.x[1]:.4f}), loss = {clipped.loss:.6f}")

fig, (left, right) = plt.subplots(1, 2, figsize=(16, 7), layout="constrained")
plot.contour(bowl, {"lr=0.08, 30 steps": run}, domain=((-5, 5), (-3, 3)), legend="upper left", ax=left)
left.set_title("Bowl, $w_1^2 + 5 w_2^2$")
every_50th = {"lr=0.001, every 50th of 5000 steps": clipped.path[::50]}
plot.contour(rosenbrock, every_50th, points=300, levels=30, log=True, legend="lower right", ax=right)
right.set_title("Rosenbrock, $(1 - w_1)^2 + 100 (w_2 - w_1^2)^2$; contours of log(1 + L)")
fig.savefig("bowl-and-rosenbrock.png")
pictures = {"bowl-and-rosenbrock": fig}

# %%
# Was the clipping needed?  No: without it the first steps jump from wall to wall, which is soon over, and the run ends
# lower than the clipped one.  Clipping each element turns (-155, -50) into (-10, -10), which points elsewhere: the path
# comes down at a higher place of the valley, 34 steps behind, and never makes up for them.  Clipping the length of the
# gradient to 10 keeps the direction and costs 11 steps.
over = {
    "value": np.abs(mg.grad(lambda w: rosenbrock(w).sum())(clipped.path[:-1].T)).max(axis=0) > 10,
    "none": np.zeros(variants["none"].steps, bool),
    "norm": variants["norm"].gradient_norms > 10,
}
for name, variant in variants.items():
    behind = variant.steps - np.argmax(variants["none"].losses <= variant.loss)
    print(f"clipping {name}: loss {variant.loss:.6f}, clipped {over[name].sum()} steps, {behind} steps behind")

fig, (left, right) = plt.subplots(1, 2, figsize=(14, 5), layout="constrained")
labels = {"value": "each element clipped to 10", "none": "not clipped", "norm": "length clipped to 10"}
plot.contour(
    rosenbrock, {labels[name]: v.path[:15] for name, v in variants.items()}, domain=((-1.51, -1.33), (1.98, 2.08)),
    log=True, legend=False, ax=left,
)  # fmt: skip
left.set_title("The first 14 steps, across the valley")
plot.losses({labels[name]: v.losses[:101] for name, v in variants.items()}, log=False, ylim=(5.4, 7), ax=right)
right.set_title("The loss in the first 100 steps")
fig.savefig("bowl-and-rosenbrock-clipping.png")
pictures["bowl-and-rosenbrock-clipping"] = fig

# %%
# Every figure of the experiment.
figures = {
    "bowl-and-rosenbrock": {
        "quadratic": {"final": run.x, "loss": run.loss, "path": run.path, "loss_hist": run.losses},
        "rosenbrock": {
            "final": clipped.x,
            "loss": clipped.loss,
            "path": clipped.path,
            "loss_hist": clipped.losses,
            "every_50th_points": len(clipped.path[::50]),
        },
        "clipping_variants_own": {
            name: {
                "final": v.x,
                "loss": v.loss,
                "steps_clipped": over[name].sum(),
                "last_clipped_step": max(np.flatnonzero(over[name]), default=-1),
                "loss_at": dict(enumerate(v.losses)),
            }
            for name, v in variants.items()
        }
        | {"grad_at_start": mg.grad(rosenbrock)(np.array(start))},
    }
}
