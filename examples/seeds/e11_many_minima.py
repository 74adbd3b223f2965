r"""
Many minima: the start decides
==============================

sin 3x + 0.1 x^2 is a parabola with waves on it.  Gradient descent goes downhill from where it stands, so it ends in the
valley that it starts in, whether or not there is a deeper one.
"""

import numpy as np
from matplotlib import pyplot as plt

from minigrad import objectives, optim, plot

# %%
# Twenty starts at random.  One array holds them all: the sum of their losses has, for each element, the slope at that
# element alone, so twenty descents are made in one.
f = objectives.wavy_parabola
np.random.seed(42)
starts = np.random.uniform(-5, 5, 20)
lr, steps = 0.01, 2000
run = optim.minimize(lambda x: f(x).sum(), starts, lr=lr, steps=steps)
ends = run.x


# %%
# The valleys and what separates them.  A comb of starts finds all minima; those of -f are the maxima of f, and two
# neighbouring maxima are the borders of a basin, from which all starts lead to the same minimum.
def minima_of(g):
    """The minima of g between -5 and 5, in ascending order."""
    found = optim.minimize(lambda x: g(x).sum(), np.linspace(-5, 5, 41), lr=0.1, steps=200).x
    found = found[np.abs(found) < 5]
    return found[np.unique(found.round(6), return_index=True)[1]]


minima, maxima = minima_of(f), minima_of(lambda x: -f(x))
deepest = minima[f(minima).argmin()]
basin = maxima[maxima < deepest].max(), maxima[maxima > deepest].min()
share = (basin[1] - basin[0]) / 10

# %%
# Where did the starts lead?  Only 3 of 20 reached the deepest minimum.  More cannot be expected: its basin is 21 % of
# the interval.  A convex function, such as the loss of a linear model, has one valley only, and the start does
# not matter.
distances = np.abs(ends[:, None] - minima)
reached = distances.argmin(axis=1)
counts = np.bincount(reached, minlength=len(minima))
for x, count in zip(minima, counts, strict=True):
    note = ", the deepest" if x == deepest else ""
    print(f"x = {x:7.4f}, f = {f(x):7.4f}: {count} of {len(starts)}{note}")
print(f"share of the deepest minimum's basin: {share:.1%}")

# %%
# The picture: open circles are starts, arrows show where the first steps lead, stars are where they end.
fig, ax = plt.subplots(figsize=(10, 5), layout="constrained")
plot.curve(f, domain=(-5, 5), minimum=False, ax=ax)
colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00"]
for i, start in enumerate(starts):
    colour, soon = colours[reached[i]], run.path[10, i]
    arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 2}
    ax.annotate("", (soon, f(soon)), (start, f(start)), arrowprops=arrow)
    ax.plot(start, f(start), "o", color=colour, markerfacecolor="white", markersize=7, markeredgewidth=2, zorder=21)
for x, count, colour in zip(minima, counts, colours, strict=True):
    ax.plot(x, f(x), "*", color=colour, markersize=18, markeredgecolor="black", zorder=20)
    ax.annotate(f"{count} of 20", (x, f(x)), (0, -22), textcoords="offset points", ha="center")
for x in maxima:
    ax.axvline(x, color="0.8", linestyle=":", zorder=0)
ax.set(title=r"Twenty descents on $\sin 3x + 0.1 x^2$ end in five minima", ylim=(-1.6, 3.6))
fig.savefig("many-minima.png")
pictures = {"many-minima": fig}

# %%
# Every figure of the exercise.
figures = {
    "many-minima": {
        "function": "f(x)=sin(3x)+0.1x^2",
        "minima_x_f": np.stack([minima, f(minima)], axis=1),
        "global": (deepest, f(deepest)),
        "x0": starts,
        "lr": lr,
        "n_steps": steps,
        "ends": ends,
        "max_distance_to_nearest_minimum": distances.min(axis=1).max(),
        "counts_per_minimum": counts,
        "fraction_global": np.mean(minima[reached] == deepest),
        "maxima_x": maxima,
        "global_basin": basin,
        "expected_fraction_uniform": share,
    }
}
