"""
Two dimensions, three learning rates
====================================

Gradient descent on two bowls.  What it does is decided along each axis on its own: a step multiplies the distance to
the minimum by ``1 - lr * curvature``.
"""

import numpy as np
from matplotlib import pyplot as plt

import minigrad as mg
from minigrad import objectives, optim, plot

# %%
# The bowl (w1 - 2)^2 + 3 (w2 + 1)^2 has the curvatures 2 and 6, so 0.05 multiplies the two distances by 0.9 and 0.7,
# and 0.3 by 0.4 and -0.8: it jumps from side to side, and still comes closer.  With 0.8 the second factor is -3.8: that
# run does not oscillate, it leaves for good.
bowl = objectives.bowl(1, 3, center=(2, -1))
runs = {lr: optim.minimize(bowl, [-0.5, 1.5], lr=lr, steps=50) for lr in (0.05, 0.3, 0.8)}

fig, axes = plt.subplots(1, 3, figsize=(14, 4), layout="constrained")
for ax, (lr, words) in zip(axes, {0.05: "steady", 0.3: "oscillates", 0.8: "diverges"}.items(), strict=True):
    plot.contour(bowl, {"path": runs[lr]}, domain=((-1, 5), (-4, 2)), legend=ax is axes[-1], ax=ax)
    ax.set(title=f"lr={lr} ({words})", xlabel="w1", ylabel="w2")
fig.suptitle("Gradient descent on a bowl")
fig.savefig("bowl-three-rates.png")
pictures = {"bowl-three-rates": fig}

# %%
# On w1^2 + 5 w2^2 the loss falls along a straight line, on a logarithmic axis, as soon as the steeper of the two
# directions is done with.
steep = objectives.bowl(1, 5)
run = optim.minimize(steep, [2.5, 1.5], lr=0.08, steps=60, tol=1e-9)
print(f"Initial loss: {run.losses[0]:.4f}")
print(f"Final loss: {run.loss:.2e}")
print(f"Converged to: {run.x}")

fig, (left, right) = plt.subplots(1, 2, figsize=(14, 5), layout="constrained")
domain = ((-3, 3), (-2, 2))
plot.contour(steep, {"path": run}, domain=domain, levels=10, fill=20, equal=True, ax=left)
left.set_title("Gradient descent on $w_1^2 + 5 w_2^2$, lr=0.08, 60 steps")
plot.losses(run, legend=False, ax=right)
right.set(title="A straight line: each step takes the same share", xlabel="Step", ylabel="Loss (log scale)")
fig.savefig("round-bowl.png")
pictures["round-bowl"] = fig

# %%
# Every figure of the two experiments; the factors come from the Hessian, which the graph gives.
curvatures = np.diag(mg.hessian(bowl)(np.zeros(2)))
figures = {
    "bowl-three-rates": {
        f"lr={lr}": {
            "start": r.path[0],
            "first_steps": r.path[1:6],
            "final": r.x,
            "final_loss": r.loss,
            "path": r.path,
            "loss": r.losses,
            "factors": 1 - lr * curvatures,
        }
        for lr, r in runs.items()
    },
    "round-bowl": {
        "initial_loss": run.losses[0],
        "final_loss": run.loss,
        "final": run.x,
        "steps": run.steps,
        "path": run.path,
        "loss": run.losses,
    },
}
