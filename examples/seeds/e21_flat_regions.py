"""
A plain that is almost flat
===========================

-exp(-x^2) has a well at 0, and far from it next to no slope.  Who gets from 3 into the well?
"""

import numpy as np
from matplotlib import pyplot as plt

from minigrad import objectives, optim, plot

# %%
# At 3 the slope is 0.00074, so the first step of gradient descent with lr=0.1 is 0.00007 long: it needs 2608 steps to
# come nearer to 0 than 0.1.  Momentum adds up its steps, which makes them ten times longer, and it is there after 316:
# so fast that it flies through the well first, and comes back.  Adam divides the gradient by its own size.  Each of its
# steps is about 0.1 long, however flat it is, and 29 are enough.
well = objectives.well
options = {"lr": 0.1, "steps": 5000, "target": well(0.1)}
runs = {
    "gradient descent": optim.minimize(well, 3.0, **options),
    "momentum 0.9": optim.minimize(well, 3.0, momentum=0.9, **options),
    "Adam": optim.minimize(well, 3.0, optimizer="Adam", **options),
}
for name, run in runs.items():
    print(f"{name}: {run.verdict}")

fig, (left, right) = plt.subplots(1, 2, figsize=(14, 4.5), layout="constrained")
plot.curve(well, {"Adam": runs["Adam"]}, domain=(-1, 4), legend="lower right", ax=left)
left.set_title("$-e^{-x^2}$ with the steps of Adam")
right.axhline(0.1, color="0.4", linestyle=":", label="0.1")
plot.iterates(runs, legend="center left", ax=right)
right.set(title="From the plain into the well", ylim=(-0.8, 3.2), xlabel="step (log scale)")
right.set_xscale("symlog", linthresh=1)
right.set_xlim(0, 5000)
fig.savefig("flat-plain.png")
pictures = {"flat-plain": fig}

# %%
# The figures: the first step after which the distance from 0 is less than 0.1.
steps = [np.argmax(np.abs(run.path) < 0.1) for run in runs.values()]
first = dict(zip(("gd", "mom", "adam"), steps, strict=True))
figures = {"claims": {"flat region f=-exp(-x^2), x0=3, lr 0.1: first step |x|<0.1": first}}
