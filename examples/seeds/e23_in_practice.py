"""
Gradients that vanish or explode, and weights that are held small
=================================================================

What may go wrong in deep networks, in the smallest examples that show it, and what a penalty on large weights does.
Clipping is in :doc:`e06_bowl_and_rosenbrock`, learning rates that fall in :doc:`e22_schedule`.
"""

import numpy as np
from matplotlib import pyplot as plt

import minigrad as mg
from minigrad import curvature, optim, plot

# %%
# A deep function is a chain, and its derivative is the product of those of the links.  That of a sigmoid is at most
# 1/4, so the derivative of twenty of them is about 1e-13: hardly anything comes back to the first layer.  If each link
# multiplies by 1.5, the product of fifty is 6e8, and a step along such a gradient lands anywhere.


def slope(link, depth):
    """The derivative at 0 of a function that is applied so many times in a row."""

    def chain(x):
        for _ in range(depth):
            x = link(x)
        return x

    return mg.grad(chain)(0.0)


def times_one_and_a_half(x):
    """A linear layer of one weight."""
    return 1.5 * x


vanishing = {depth: slope(mg.sigmoid, depth) for depth in range(1, 51)}
exploding = {depth: slope(times_one_and_a_half, depth) for depth in range(1, 51)}
for depth in (1, 5, 10, 20, 50):
    print(f"depth {depth}: {vanishing[depth]:.3g} for sigmoids, {exploding[depth]:.6g} for factors of 1.5")

# %%
# A ridge regression: the mean squared error plus lambda times the squared length of the weights, but not of the bias.
# Its minimum is found by a method of Newton's kind, whose gradients and Hessians come from the graph.  The weights
# shrink towards 0, and the bias moves to the mean of y.  A penalty is said to make a loss easier to minimise, too.  It
# adds 2 lambda to the curvature along each weight: a little of it evens the curvatures out, and with much of it the
# bias, which has no penalty, is left behind.
rng = np.random.RandomState(42)
X = rng.randn(100, 2)
y = X @ [3, -2] + 5 + rng.randn(100) * 0.5


def ridge(strength):
    """The loss for one lambda."""

    def loss(model):
        w, b = model
        return ((X @ w + b - y) ** 2).mean() + strength * (w**2).sum()

    return loss


def minimizer(strength):
    """Weights and bias at the minimum."""
    return optim.minimize(ridge(strength), (np.zeros(2), 0.0), method="trust-exact", tol=1e-10).x


found = {strength: minimizer(strength) for strength in (0.0, 0.1, 1.0, 10.0)}
for strength, (w, b) in found.items():
    spectrum = curvature.spectrum(ridge(strength), (w, b))
    print(
        f"lambda {strength}: weights {w.round(4)} of length {np.linalg.norm(w):.4f}, bias {b:.4f}, "
        f"condition number {spectrum.condition_number:.2f}"
    )

strengths = np.geomspace(0.01, 100, 41)
models = [minimizer(strength) for strength in strengths]
fig, (left, right) = plt.subplots(1, 2, figsize=(14, 4.5), layout="constrained")
slopes = {"sigmoids": list(vanishing.values()), "factors of 1.5": list(exploding.values())}
plot.losses(slopes, x=np.arange(1, 51), legend="center right", ax=left)
left.set(title="Derivative of a chain", xlabel="depth", ylabel="derivative at 0")
right.semilogx(strengths, [w[0] for w, b in models], "-", color="#0072B2", label="first weight")
right.semilogx(strengths, [w[1] for w, b in models], "--", color="#D55E00", label="second weight")
right.semilogx(strengths, [b for w, b in models], "-.", color="#009E73", label="bias")
right.axhline(0, color="0.5", linewidth=0.8)
right.set(title="Ridge regression", xlabel=r"$\lambda$", ylabel="at the minimum")
right.legend(loc="center right", fontsize="small")
fig.savefig("in-practice.png")
pictures = {"in-practice": fig}

# %%
# Every figure of the experiment.
figures = {
    "claims": {
        "vanishing: sigmoid chain dy/dx at x=0 depth 1,5,10,20": {n: vanishing[n] for n in (1, 5, 10, 20)},
        "exploding: chain y=1.5*x depth 20,50 gradient": {n: exploding[n] for n in (20, 50)},
        "ridge on estimator data: ||w|| of minimiser of MSE+lam||w||^2 (bias unpenalised)": {
            strength: {"w": [*w, b], "norm": np.linalg.norm(w)} for strength, (w, b) in found.items()
        },
    }
}
