"""
How fast
========

How quickly gradient descent moves on a quadratic function can be read off its Hessian before the first step.
"""

import numpy as np
from matplotlib import pyplot as plt

from minigrad import curvature, objectives, optim, plot

# %%
# Along each eigenvector of the Hessian a step multiplies the distance from the minimum by ``1 - lr * eigenvalue``.  The
# factor of largest size is the rate of the whole.  The eigenvalues of w1^2 + 10 w2^2 are 2 and 20, and so
#
# * it converges below 2/20 = 0.1, where the factor of the steep direction reaches -1;
# * it is quickest at 2/(2 + 20) = 1/11, where the two factors are equal but for their signs, 9/11 and -9/11;
# * that best rate is (k - 1)/(k + 1), where k = 10 is the condition number: a long narrow valley is slow at any rate.
bowl = objectives.bowl(1, 10)
hessian = curvature.spectrum(bowl, [4.0, 2.5])
print(hessian)

rates = [0.001, 0.005, 0.01, 0.04, 0.09, round(1 / 11, 16), 0.1, 0.105, 1.0, 10.0]
factors = {lr: 1 - lr * hessian.eigenvalues for lr in rates}
tried = [0.005, 0.04, 0.09, 0.105]

fig, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
lrs = np.linspace(0, 0.12, 500)
ax.plot(lrs, [hessian.rate(lr) for lr in lrs], color="0.75", linewidth=7, label="the larger one: the rate")
for eigenvalue, look in zip(hessian.eigenvalues, (("#0072B2", "--"), ("#D55E00", "-.")), strict=True):
    ax.plot(lrs, abs(1 - lrs * eigenvalue), color=look[0], linestyle=look[1], label=f"eigenvalue {eigenvalue:g}")
ax.plot(tried, [hessian.rate(lr) for lr in tried], "ko", label="tried below")
ax.axhline(1, color="black", linewidth=1)
ax.text(0.06, 1.03, "above this line: diverges", ha="center")
ax.axvline(hessian.lr_best, color="#009E73", linestyle=":", label=f"best, {hessian.lr_best:.4f}")
ax.set(xlim=(0, 0.12), ylim=(0, 1.7), xlabel="learning rate", ylabel="size of the factor per step")
ax.set_title("Each step's factor on $w_1^2 + 10 w_2^2$")
ax.legend(loc="upper left", ncols=2, fontsize="small")
fig.savefig("rates-by-theory.png")
pictures = {"rates-by-theory": fig}

# %%
# Four rates, as predicted.  With 0.005 the factor of the flat direction is 0.99, and 50 steps do not suffice.  With
# 0.04 the steep direction is done with at once (0.2), and the flat one sets the pace (0.92).  With 0.09 the path jumps
# from wall to wall (-0.8) and is the quickest all the same, because the flat direction gains (0.82).  With 0.105 the
# jumps grow (-1.1).
words = {0.005: "too small", 0.04: "steady", 0.09: "near the best", 0.105: "too large"}
runs = {lr: optim.minimize(bowl, [4.0, 2.5], lr=lr, steps=50, x_limit=100) for lr in tried}
named = {f"lr={lr}, {words[lr]}": run for lr, run in runs.items()}

fig, (left, right) = plt.subplots(1, 2, figsize=(16, 6), layout="constrained")
plot.contour(
    bowl, named, domain=((-5, 5), (-3, 3)), xlim=(-6, 6), ylim=(-4, 4), cmap="gray", legend=False, ax=left
)  # fmt: skip
left.lines[-3].set_alpha(0.5)
left.set_title("Paths on $w_1^2 + 10 w_2^2$")
plot.losses(named, ylim=(1e-4, 1e4), ax=right)
right.set(title="Loss", xlabel="Iteration", ylabel="Loss")
fig.savefig("long-bowl-rates.png")
pictures["long-bowl-rates"] = fig

# %%
# The same on w1^2 + 5 w2^2, whose eigenvalues are 2 and 10: the limit is 0.2 and the best rate 1/6.  Of the four rates
# here 0.15 is nearest to it, and the only one that brings the gradient below 1e-9 in 100 steps: 64 are enough.  With
# 0.21 the path leaves for good, and this is no error that a program would notice by itself: the loss is a large number,
# but a number.
#
# Three sentences sum this up.  On a smooth convex function with a minimum, gradient descent arrives if the rate is
# small enough.  How small, the largest curvature says.  And how long it takes is a matter of the ratio between the
# largest curvature and the smallest.
steep = objectives.bowl(1, 5)
limits = curvature.spectrum(steep, [2.5, 1.5])
print(limits)
four = {lr: optim.minimize(steep, [2.5, 1.5], lr=lr, steps=100, tol=1e-9) for lr in (0.01, 0.08, 0.15, 0.21)}
for lr, run in four.items():
    print(f"lr={lr}: rate {limits.rate(lr):.2f} per step, {run.verdict}, loss {run.loss:.2e}")

fig, (left, right) = plt.subplots(1, 2, figsize=(14, 5), layout="constrained")
plot.losses({f"lr={lr}": run.losses[:50] for lr, run in four.items()}, legend="lower left", ax=left)
left.set(title="Loss in the first 49 steps", xlabel="Step", ylabel="Loss")
plot.contour(
    steep, {f"lr={lr}": run.path[:30] for lr, run in four.items()}, domain=((-3, 3), (-2, 2)), levels=8, fill=20,
    cmap="Blues", equal=True, ax=right,
)  # fmt: skip
right.lines[3].set_alpha(0.5)
right.set_title("The first 29 steps")
fig.savefig("round-bowl-rates.png")
pictures["round-bowl-rates"] = fig

# %%
# Every figure of the experiments.
figures = {
    "long-bowl-rates": {
        f"eta={lr}": {
            "steps": run.steps,
            "final": run.x,
            "final_loss": run.loss,
            "path": run.path,
            "loss": run.losses,
            "factors": factors[lr],
        }
        for lr, run in runs.items()
    },
    "round-bowl-rates": {
        f"lr={lr}": {
            "steps": run.steps,
            "final": run.x,
            "final_loss": run.loss,
            "factors": 1 - lr * limits.eigenvalues,
            "path": run.path,
            "loss": run.losses,
            "loss_at_step_49_last_plotted": run.losses[49],
        }
        for lr, run in four.items()
    },
    "theory": {
        "goldilocks L=w1^2+10w2^2": {
            "lmin": hessian.smallest,
            "lmax": hessian.largest,
            "limit": hessian.lr_limit,
            "eta_star": hessian.lr_best,
            "kappa": hessian.condition_number,
            "rate": hessian.rate(hessian.lr_best),
            "factors": factors,
        }
    },
}
