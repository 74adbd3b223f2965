"""
The limit of the learning rate
==============================

Why gradient descent on a quadratic function converges below 2 over the largest eigenvalue and not above, and how far
its loss can be from the minimum on the way.

The theorem
-----------

Let A be a symmetric matrix whose eigenvalues λ are all positive, and let ``f(w) = 1/2 w'Aw - b'w``.  Gradient descent
with a fixed learning rate converges to the minimum from *every* start if and only if ``0 < lr < 2 / λmax``.

None of this can be left out.  If A is not symmetric, the gradient belongs to its symmetric part, and so do the
eigenvalues that count.  If an eigenvalue is 0, there is a whole line of minima, or none; if one is negative, there is
none.  And a single start proves nothing: one that has no part in the steepest direction converges with larger rates
too, and from the minimum itself no rate leads away.

Proof
-----

The gradient is ``Aw - b``.  It vanishes at one point only, the minimum ``m = A⁻¹b``.  Look at the difference
``e = w - m``.  As ``Am = b``, the gradient at w is ``Ae``, so a step turns e into

::

    e - lr Ae = (I - lr A) e

A symmetric matrix has a basis of eigenvectors at right angles to each other.  In this basis the coordinates of e do not
mix: a step multiplies the one along the eigenvector of λ by ``1 - lr λ``, and t steps multiply it by the t-th power.

*If.*  When ``0 < lr < 2 / λmax``, then ``0 < lr λ < 2`` for each λ.  Every factor lies strictly between -1 and 1, so
all powers go to 0, and e goes to 0, wherever it began.

*Only if.*  Start at ``m + v``, where v is an eigenvector of λmax.  When ``lr >= 2 / λmax`` its factor is -1 or less,
and when ``lr <= 0`` it is 1 or more.  Either way the distance from the minimum never shrinks.  ∎
"""

import numpy as np
from matplotlib import pyplot as plt

import minigrad as mg
from minigrad import curvature, objectives, optim, plot

# %%
# A matrix to try it on, with the eigenvalues 1.38 and 3.62.
A, b, w0 = np.array([[3.0, 1.0], [1.0, 2.0]]), np.array([1.0, 1.0]), np.array([4.0, 2.5])


def quadratic(w):
    return 0.5 * w @ A @ w - b @ w


hessian = curvature.spectrum(quadratic, w0)
minimum = np.linalg.solve(A, b)
print(hessian)

# %%
# A thousand steps at seven rates, given as parts of the limit.  Just below the limit the distance falls, slowly; just
# above it grows.  In the middle it falls until rounding stops it.  At the limit the run jumps to and fro for ever, at
# the distance that the start has along the steepest eigenvector.  A rate of 0 stays, of course, and a negative one
# climbs, which is descent with `maximize`.
parts = [-0.1, 0, 0.01, 0.5, 0.99, 1.0, 1.01]
runs = {
    part: optim.minimize(quadratic, w0, lr=abs(part) * hessian.lr_limit, steps=1000, maximize=part < 0)
    for part in parts
}
distances = {part: np.linalg.norm(run.path - minimum, axis=1) for part, run in runs.items()}
for part, distance in distances.items():
    print(f"{part:5} of the limit: distance {distance[0]:.4f} -> {distance[-1]:.4g}")

fig, ax = plt.subplots(figsize=(10, 5.5), layout="constrained")
plot.iterates(
    {f"{part} of the limit": runs[part] for part in parts}, minimum=minimum, log=True, ylim=(1e-17, 1e10), ax=ax
)
ax.lines[1].set(linewidth=5, alpha=0.5)
ax.set_title("Distance from the minimum: it falls for rates between 0 and the limit only")
fig.savefig("the-limit.png")
pictures = {"the-limit": fig}

# %%
# The best rate is 2 / (1.38 + 3.62) = 0.4.  Each step then leaves 0.447 of the distance at most, and after 50 steps
# there is nothing left of it but rounding errors.
best = optim.minimize(quadratic, w0, lr=hessian.lr_best, steps=50)
rate = hessian.rate(hessian.lr_best)
_, eigenvectors = np.linalg.eigh(mg.hessian(quadratic)(w0))

# %%
# How far can the loss be from its minimum after t steps with the rate 1/L?  For every convex function with curvatures
# of at most L: no farther than ``|w0 - m|² / (2 lr t)`` (A. Beck and M. Teboulle, "A fast iterative
# shrinkage-thresholding algorithm for linear inverse problems", 2009).  If the curvatures are also at least μ > 0: no
# farther than ``(1 - μ/L)^t`` times what it was at the start (H. Karimi, J. Nutini and M. Schmidt, "Linear convergence
# of gradient and proximal-gradient methods under the Polyak-Łojasiewicz condition", 2016).
#
# Both hold on w1^2 + 10 w2^2, where L = 20 and μ = 2.  The first bound falls ever more slowly.  The second is a
# straight line on a logarithmic axis, as the loss is, but half as steep: it holds for all such functions, and this one
# is kinder.
bowl = objectives.bowl(1, 10)
curvatures = curvature.spectrum(bowl, w0)
mu, L = curvatures.smallest, curvatures.largest
run = optim.minimize(bowl, w0, lr=1 / L, steps=100)
t = np.arange(1, run.steps + 1)
convex = (w0 @ w0) / (2 / L * t)
strongly = (1 - mu / L) ** t * run.losses[0]

fig, ax = plt.subplots(figsize=(10, 5.5), layout="constrained")
plot.losses(
    {"loss": run.losses[1:], "bound for convex functions": convex, "bound for strongly convex functions": strongly},
    x=t, ax=ax,
)  # fmt: skip
ax.set(title="$w_1^2 + 10 w_2^2$ with lr = 1/L: the loss stays below both bounds", xlabel="step")
fig.savefig("bounds.png")
pictures["bounds"] = fig

# %%
# Every figure of the two experiments.
figures = {
    "the-limit": {
        "A": mg.hessian(quadratic)(w0),
        "b": b,
        "eigenvalues": hessian.eigenvalues,
        "w_star": minimum,
        "limit_2_over_lmax": hessian.lr_limit,
        "eta_star": hessian.lr_best,
        "kappa": hessian.condition_number,
        "rate_at_eta_star=(k-1)/(k+1)": rate,
        "w0": w0,
        "initial_distance": distances[0.5][0],
        **{
            f"distance_to_w_star_after_1000_steps eta={part}*limit": distance[-1]
            for part, distance in distances.items()
        },
        "component_of_w0-w_star_along_top_eigenvector": abs(eigenvectors[:, -1] @ (w0 - minimum)),
        "distance_after_50_steps_at_eta_star": np.linalg.norm(best.x - minimum),
        "bound_rate^50*d0": rate**50 * distances[0.5][0],
    },
    "theory": {
        "bounds eta=1/L=0.05": {
            "columns": ["t", "loss", "||w0-w*||^2/(2 eta t)", "(1-mu/L)^t (L0-L*)"],
            "rows": [[n, run.losses[n], convex[n - 1], strongly[n - 1]] for n in (1, 2, 5, 10, 50, 100)],
            "bounds_hold": bool((run.losses[1:] <= np.minimum(convex, strongly)).all()),
        }
    },
}
