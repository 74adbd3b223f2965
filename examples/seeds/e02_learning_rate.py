"""
The learning rate
=================

The same parabolas with rates that are too small, right, and too large.  On a parabola of curvature c a step multiplies
the distance from the minimum by ``1 - lr * c``, and this factor decides everything.
"""

from matplotlib import pyplot as plt

from minigrad import curvature, objectives, optim, plot

# %%
# The curvature of x^2 is 2.  A rate of 0.5 makes the factor 0: a single step arrives.  With smaller rates x stays on
# its side, with larger ones it jumps across at each step.  The rates 0.1 and 0.9 have the factors 0.8 and -0.8, so they
# are equally quick; and 1.1, with -1.2, moves away.
#
# "Slow" is a verdict on 20 steps, and not on the rate alone: all rates between 0 and 1 arrive in the end.
rates = [0.01, 0.1, 0.5, 0.9, 1.1]
square = objectives.square
swept = optim.sweep(square, 10.0, rates, steps=20)
c = curvature.spectrum(square, 10.0).largest


def verdict(x):
    if abs(x) < 0.01:
        return "Yes"
    return "No (diverged)" if abs(x) > 10 else "Slow"


print(f"{'LR':<8}{'Final x':<15}{'Converged?':<15}")
for lr, run in swept:
    print(f"{lr:<8}{run.x:<15.6f}{verdict(run.x):<15}")

fig, (left, right) = plt.subplots(1, 2, figsize=(14, 5), layout="constrained")
named = {f"lr={lr:g}, factor {1 - lr * c:.2g}": run for lr, run in swept}
plot.iterates([run.path[:4] if run.diverged else run.path for run in swept.results], legend=False, ax=left)
left.set(title="Where x is; of lr=1.1 the first 3 steps", xticks=range(0, 21, 5))
plot.iterates(named, minimum=0.0, log=True, ax=right)
right.lines[1].set(linewidth=5, alpha=0.5)
right.set(title="How far it is from 0: 0.1 and 0.9 are equally quick", xticks=range(0, 21, 5))
fig.savefig("square-rates.png")
pictures = {"square-rates": fig}

# %%
# The parabola x^2 + 5x + 6 has the same curvature, 2, and so the same limit, 1.  At 0.001 the factor is 0.998, and 50
# steps cover a tenth of the way.  At 1.1 every step lands farther out, on the other side; nothing raises an error, and
# the numbers simply grow.
parabola = objectives.parabola
three = optim.sweep(parabola, 10.0, [0.001, 0.1, 1.1], steps=50)
for (lr, run), words in zip(three, ("too small", "good", "too large"), strict=True):
    print(f"\nLearning rate {words} ({lr}):")
    for i in range(0, run.steps, 10):
        print(f"Iteration {i}: x = {run.path[i + 1]:.6f}, f(x) = {run.losses[i + 1]:.6f}")
    print(f"After {run.steps} iterations: x = {run.x:.4f}")

fig, (left, right) = plt.subplots(1, 2, figsize=(14, 5), layout="constrained")
shown = {f"lr={lr:g}": run.path for lr, run in three if not run.diverged}
shown["lr=1.1, the first 5 steps"] = three.results[2].path[:6]
plot.curve(parabola, shown, domain=(-35, 30), legend=False, ax=left)
left.lines[3].set(linestyle=":", linewidth=1)
left.set_title("On the curve: 1.1 climbs out")
plot.iterates(shown, ax=right)
right.axhline(-2.5, color="0.4", linewidth=1, zorder=0)
right.set_title("x against the step; the grey line is the minimum, -2.5")
fig.savefig("parabola-rates.png")
pictures["parabola-rates"] = fig

# %%
# Every figure of the two experiments.
figures = {
    "square-rates": {
        f"lr={lr:g}": {"final": run.x, "factor": 1 - lr * c, "label": verdict(run.x), "x": run.path}
        for lr, run in swept
    },
    "parabola-rates": {f"lr={lr:g}": {"final": run.x, "f": run.loss, "x": run.path} for lr, run in three},
}
