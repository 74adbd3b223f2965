"""
Momentum, where it helps and where it does not
==============================================

Gradient descent with and without momentum, at the same learning rates.  Momentum is said to be faster.  In three of
these five comparisons it is slower, and the eigenvalues of a small matrix say when.
"""

import numpy as np
from matplotlib import pyplot as plt

from minigrad import curvature, objectives, optim, plot

# %%
# On x^2, with lr=0.1, a plain step multiplies x by 0.8.  With momentum the point rushes past the minimum, comes back
# and rushes past it again: after 20 steps it is thirty times farther away.  With lr=0.01 the factor of a plain step is
# 0.98, and momentum is far ahead.
betas = {"plain": 0.0, "momentum": 0.9}
square = {
    (lr, name): optim.minimize(objectives.square, 10.0, lr=lr, momentum=beta, steps=200)
    for lr in (0.1, 0.01)
    for name, beta in betas.items()
}
standard, momentum = (square[0.1, name].path[:21] for name in betas)
print("Comparison: Standard GD vs Momentum")
print(f"Standard GD final x: {standard[-1]:.6f}")
print(f"Momentum GD final x: {momentum[-1]:.6f}")

fig, (left, right) = plt.subplots(1, 2, figsize=(14, 4.5), layout="constrained")
plot.iterates({"plain": standard, "momentum": momentum}, legend="upper right", ax=left)
left.axhline(0, color="0.5", linewidth=0.8, zorder=0)
left.set_title("$x^2$, lr=0.1: momentum overshoots")
plot.iterates({f"{name}, lr={lr}": run for (lr, name), run in square.items()}, minimum=0, log=True, ax=right)
right.set(title="Distance from the minimum, at two rates", ylim=(1e-9, 30))
fig.savefig("square-momentum.png")
pictures = {"square-momentum": fig}

# %%
# The parabola x^2 + 5x + 6 is curved like x^2, so lr=0.05 gives plain descent the factor 0.9.  Momentum is nearer to
# the minimum at -2.5 only in the moments when it passes it.
parabola = {
    name: optim.minimize(objectives.parabola, 10.0, lr=0.05, momentum=beta, steps=200) for name, beta in betas.items()
}
plain, heavy = (run.path[:31] for run in parabola.values())
for i in (0, 10, 20):
    print(f"Iteration {i}: x = {plain[i + 1]:.6f}, f(x) = {objectives.parabola(plain[i + 1]):.6f}")
print(f"Without momentum: {plain[-1]:.6f}")
print(f"With momentum: {heavy[-1]:.6f}")

fig, (left, right) = plt.subplots(1, 2, figsize=(14, 4.5), layout="constrained")
plot.iterates({"plain": plain, "momentum": heavy}, legend="upper right", ax=left)
left.axhline(-2.5, color="0.5", linewidth=0.8, zorder=0)
left.set_title("$x^2 + 5x + 6$, lr=0.05")
plot.iterates(parabola, minimum=-2.5, log=True, ax=right)
right.set_title("Distance from the minimum")
fig.savefig("parabola-momentum.png")
pictures["parabola-momentum"] = fig

# %%
# Why?  Along a direction of curvature c, a step with momentum takes (w, v) to (w - lr v', v') with v' = beta v + c w.
# That is a linear map, and the largest modulus of its eigenvalues is what the distance shrinks by at each step, in the
# long run.  Where the eigenvalues are complex, the point oscillates, and their modulus is sqrt(beta) = 0.949, whatever
# the curvature and the rate.  So momentum of 0.9 wins where the slowest factor of plain descent is above 0.949, and
# loses where it is below.  On w1^2 + 5 w2^2 that factor is 0.98 for lr=0.01, and 0.84 for lr=0.08.


def spectral_radius(lr, beta, c):
    """The largest modulus of an eigenvalue of one step with momentum."""
    return np.abs(np.linalg.eigvals([[1 - lr * c, -lr * beta], [c, beta]])).max()


bowl = objectives.bowl(1, 5)
runs = {
    (lr, beta): optim.minimize(bowl, [4.0, 2.5], lr=lr, momentum=beta, steps=2000)
    for lr in (0.08, 0.01)
    for beta in betas.values()
}
curvatures = curvature.spectrum(bowl, np.zeros(2))
radii = {}
for lr in (0.08, 0.01):
    for c in curvatures.eigenvalues:
        radii[f"spectral_radius beta=0.9 eta={lr} lambda={c}"] = spectral_radius(lr, 0.9, c)
        radii[f"gd_factor eta={lr} lambda={c}"] = abs(1 - lr * c)

# %%
# The rate and the momentum that suit the bowl follow from its two curvatures, and with these momentum is faster than
# plain descent at its own best rate.
print(curvatures)
best = curvatures.momentum_best
tuned = {
    f"plain, lr={curvatures.lr_best:.3f}": optim.minimize(bowl, [4.0, 2.5], lr=curvatures.lr_best),
    f"momentum {best.beta:.2f}, lr={best.lr:.3f}": optim.minimize(bowl, [4.0, 2.5], lr=best.lr, momentum=best.beta),
}

fig, axes = plt.subplots(1, 3, figsize=(16, 4.5), layout="constrained")
paths = {"plain": runs[0.08, 0.0].path[:31], "momentum": runs[0.08, 0.9].path[:31]}
plot.contour(bowl, paths, domain=((-5, 5), (-3.5, 3.5)), equal=True, legend="lower right", ax=axes[0])
axes[0].set_title("lr=0.08, 30 steps")
for ax, lr in zip(axes[1:], (0.08, 0.01), strict=True):
    curves = {f"plain, lr={lr}": runs[lr, 0.0], f"momentum 0.9, lr={lr}": runs[lr, 0.9], **tuned}
    plot.losses({label: run.losses[:401] for label, run in curves.items()}, legend="upper right", ax=ax)
    ax.set(title=f"lr={lr}, and the best rates", ylim=(1e-15, 1e5), xlim=(0, 400))
fig.savefig("momentum-on-a-bowl.png")
pictures["momentum-on-a-bowl"] = fig

# %%
# Momentum is written in two ways.  Here, v = beta v + g and w -= lr v; others write v = beta v - lr g and
# w += v.  As long as the rate is constant that is the same.  Under a schedule it is not: the second way keeps the rates
# of the steps that v was gathered in.


class VelocityMomentum(optim.Optimizer):
    """Momentum whose velocity contains the learning rate."""

    def __init__(self, params, lr=0.1, momentum=0.9):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    def update(self, value, gradient, state, options):
        """One step of one parameter."""
        state["v"] = options["momentum"] * state.get("v", 0.0) - options["lr"] * gradient
        value += state["v"]


for words, schedule in {
    "constant lr": None,
    "lr halved every 5 steps": lambda optimizer: optim.lr_scheduler.StepLR(optimizer, 5, gamma=0.5),
}.items():
    options = {"lr": 0.1, "momentum": 0.9, "schedule": schedule, "steps": 20}
    ends = [optim.minimize(objectives.square, 10.0, optimizer=way, **options).x for way in ("SGD", VelocityMomentum)]
    print(f"{words}: {ends[0]:.6f} and {ends[1]:.6f}")

# %%
# Every figure of the three experiments.


def errors(runs, minimum, steps):
    """The distances from the minimum of several runs at each of some counts of steps."""
    return {n: [abs(run.path[n] - minimum) for run in runs] for n in steps}


def summary(run):
    """What is known of a run on the bowl."""
    path, losses = run.path, run.losses
    return {
        **{f"w{n}": path[n] for n in (1, 2, 10, 30, 100)},
        "loss30": losses[30],
        "loss100": losses[100],
        "first_step_loss_below_1e_6": np.argmax(losses < 1e-6),
        "step_after_which_loss_stays_below_1e_6": np.flatnonzero(losses >= 1e-6)[-1] + 1,
        "sign_changes_w2_first30": np.count_nonzero(np.diff(np.sign(path[:31, 1]))),
        "path_length30": np.linalg.norm(np.diff(path[:31], axis=0), axis=1).sum(),
        "max_loss_rise": np.diff(losses).max(),
    }


at_01 = errors([square[0.1, name] for name in betas], 0.0, (10, 20, 30, 50, 100, 200))
at_001 = errors([square[0.01, name] for name in betas], 0.0, (10, 20, 50, 100, 200))
of_parabola = errors(parabola.values(), -2.5, (10, 20, 30, 50, 100, 200))
figures = {
    "square-momentum": {
        "standard_final": standard[-1],
        "momentum_final": momentum[-1],
        "standard": standard,
        "momentum": momentum,
        "longer": at_01,
        "lr_0_01": at_001,
    },
    "parabola-momentum": {
        "plain": plain[-1],
        "momentum": heavy[-1],
        "plain_x": plain,
        "momentum_x": heavy,
        "error_at_n_own": of_parabola,
    },
    "momentum-on-a-bowl": {**{f"eta={lr},beta={beta}": summary(run) for (lr, beta), run in runs.items()}, **radii},
    "claims": {
        "parabola-momentum error |x+2.5| plain/momentum at n": of_parabola,
        "square-momentum |x| plain/momentum at n": at_01,
        "same with lr=0.01 (x^2 from 10)": at_001,
    },
}
