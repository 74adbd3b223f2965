r"""
Noise: a nuisance near the minimum, a way out of a shallow one
==============================================================

What noise in the gradient does to the path.  The noise is simulated here, by adding random numbers to the exact
gradient, so that one can turn it up and down.
"""

import numpy as np
from matplotlib import pyplot as plt

from minigrad import objectives, optim, plot


# %%
# First on w1^2 + 5 w2^2.  The two noisy runs see the same random numbers, once with a standard deviation of
# 3 and once of 1.  These stand for single rows and for a batch of 32, though such a batch would have not a third but
# 1 / sqrt(32), less than a fifth, of the deviation.
def normal(deviation):
    """Noise from the start of one random stream, for a gradient of any shape."""
    np.random.seed(42)
    return lambda shape: deviation * np.random.randn(*shape)


bowl = objectives.bowl(1, 5)
start, steps = [4.0, 2.0], 60
runs = {
    "batch": optim.minimize(bowl, start, lr=0.06, steps=steps),
    "sgd": optim.minimize(bowl, start, lr=0.04, steps=steps, noise=normal(3.0)),
    "mini": optim.minimize(bowl, start, lr=0.05, steps=steps, noise=normal(1.0)),
}
lengths = {name: np.linalg.norm(np.diff(run.path, axis=0), axis=1).sum() for name, run in runs.items()}
late = {name: run.losses[-20:].mean() for name, run in runs.items()}
for name in runs:
    print(f"{name:5}  path of length {lengths[name]:6.3f}, mean loss of the last 20 points {late[name]:.6f}")

# %%
# The more noise, the longer the way, and the larger the region around the minimum in which it ends up wandering: there
# the gradient is smaller than the noise, and points nowhere in particular.  A part of the difference is due to the
# learning rates, which are not the same either.
titles = {
    "batch": "Exact gradient, lr=0.06",
    "sgd": "Noise of deviation 3, lr=0.04",
    "mini": "Noise of deviation 1, lr=0.05",
}
fig, axes = plt.subplots(1, 3, figsize=(18, 4.6), layout="constrained")
for ax, (name, run) in zip(axes, runs.items(), strict=True):
    plot.contour(
        bowl, {"path": run}, domain=((-5, 5), (-3, 3)), xlim=(-5.5, 5.5), ylim=(-3.5, 3.5), equal=True,
        legend="upper left", ax=ax,
    )  # fmt: skip
    ax.set_title(titles[name])
fig.suptitle("Sixty steps on $w_1^2 + 5 w_2^2$")
fig.savefig("noisy-gradients.png")
pictures = {"noisy-gradients": fig}

# %%
# Then on sin 3x + 0.1 x^2 from 3.5, close to a minimum that is not the deepest.  Twenty runs, each with
# its own random stream, are held in one array: 2000 steps with much noise, then 3000 without, to see in which valley
# each has ended.
f = objectives.wavy_parabola
streams = [np.random.RandomState(seed) for seed in range(20)]


def total(x):
    """The sum over all runs: its gradient has for each run the slope at its own point."""
    return f(x).sum()


noisy = optim.minimize(
    total,
    np.full(20, 3.5),
    lr=0.02,
    steps=2000,
    noise=lambda shape: 12 * np.array([stream.randn() for stream in streams]),
)
ends = optim.minimize(total, noisy.x, lr=0.01, steps=3000, every=3000).x
still = optim.minimize(f, optim.minimize(f, 3.5, lr=0.02, steps=2000).x, lr=0.01, steps=3000, every=3000)

# %%
# Without noise the run stays in its valley.  With it 18 of 20 leave, but only 4 are in the deepest valley when the
# noise stops.  Noise spreads the runs over the valleys, more of them over the deep ones; it guarantees nothing.
valleys, counts = np.unique(ends.round(6), return_counts=True)
print(f"without noise: {float(still.x):.6f}")
for x, count in zip(valleys, counts, strict=True):
    print(f"{count:2} of 20 end at {x:9.6f}, f = {f(x):9.6f}")
print("left the first valley:", np.sum(np.abs(ends - still.x) > 0.1), "of 20")

# %%
# On the left two of the runs while there is noise: they stay around one minimum (a dotted line) for a while, and cross
# into the next valley with a few lucky steps.  On the right where all twenty ended.
fig, (left, right) = plt.subplots(1, 2, figsize=(14, 5), layout="constrained")
plot.iterates({f"run {i}": noisy.path[:, i] for i in (0, 1)}, legend=False, ax=left)
for line in left.lines:
    line.set(linewidth=0.9, linestyle="-")
left.legend(loc="lower left")
for x in valleys:
    left.axhline(x, color="0.6", linestyle=":", zorder=0)
left.set_title("Noise carries x from valley to valley")
plot.curve(f, domain=(-6.5, 6.5), minimum=False, ax=right)
right.plot(3.5, f(3.5), "o", color="black", markerfacecolor="white", markersize=8, zorder=20, label="start of all runs")
right.scatter(
    valleys, f(valleys), 60 * counts, color="#D55E00", edgecolor="black", zorder=10, label="ends, and how many"
)
for x, count in zip(valleys, counts, strict=True):
    right.annotate(str(count), (x, f(x)), (0, -26), textcoords="offset points", ha="center")
right.set(title="Where the twenty runs end", ylim=(-2, 5))
right.legend(loc="upper center")
fig.savefig("noise-that-helps.png")
pictures["noise-that-helps"] = fig

# %%
# Every figure of the two experiments.
figures = {
    "noisy-gradients": {
        name: {
            "final": run.x,
            "final_loss": run.loss,
            "path": run.path,
            "path_length": lengths[name],
            "mean_loss_last20": late[name],
        }
        for name, run in runs.items()
    },
    "claims": {
        "noise escape: f=sin3x+0.1x^2 from 3.5, lr 0.02, 2000 steps then 3000 noiseless at 0.01": {
            "noise 0": still.x,
            "noise 12 seeds 0-19 ends": ends.round(6),
        }
    },
}
