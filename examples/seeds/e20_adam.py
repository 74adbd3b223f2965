"""
Adam and RMSprop, step by step
==============================

Two optimizers that divide the gradient by a running mean of its size, on x^2 + 5x + 6 from 10 with a learning rate of
0.5.
"""

import numpy as np
from matplotlib import pyplot as plt

from minigrad import objectives, optim, plot

# %%
# The first step of Adam is as long as the learning rate, 0.5, however steep the function is, and the next ones are
# little shorter while the gradient keeps its direction.  The running mean of the gradient works like momentum: Adam
# arrives at -2.5, goes on to -3.609 at step 44, and returns.  After 100 steps it is at -2.512, after 200 at -2.4999.
f = objectives.parabola
adam = optim.minimize(f, 10.0, optimizer="Adam", lr=0.5, steps=1000)
print(f"Adam result: {adam.path[100]:.6f}")
lowest = np.argmin(adam.path[:101])

# %%
# RMSprop has no momentum, and does not overshoot here.  Its first step is longer than the rate, because the running
# mean of the squared gradient begins at 0 and is not corrected for that: 0.5 / sqrt(1 - 0.9) = 1.58.  It also forgets
# old gradients sooner, with 0.9 against 0.999: what it divides by shrinks along with the gradient, so its steps stay
# long where those of gradient descent become short, and after 100 steps it is at -2.5 to the last bit.
rmsprop = optim.minimize(f, 10.0, optimizer="RMSprop", lr=0.5, alpha=0.9, eps=1e-8, steps=100)
plain = optim.minimize(f, 10.0, lr=0.1, steps=100)

fig, (left, right) = plt.subplots(1, 2, figsize=(14, 4.5), layout="constrained")
runs = {"Adam": adam.path[:101], "RMSprop": rmsprop, "gradient descent, lr=0.1": plain}
plot.iterates(runs, legend="upper right", ax=left)
left.axhline(-2.5, color="0.5", linewidth=0.8, zorder=0)
left.annotate(f"Adam turns at step {lowest}", (lowest, adam.path[lowest]), (52, -1), arrowprops={"arrowstyle": "->"})
left.set_title("$x^2 + 5x + 6$: where each of them is")
plot.iterates(runs, minimum=-2.5, log=True, legend="upper right", ax=right)
right.set(title="Distance from the minimum", ylabel="$|x - x^*|$", ylim=(1e-9, 1e3))
fig.savefig("parabola-adam.png")
pictures = {"parabola-adam": fig}

# %%
# Every figure of the two experiments.
path = {n: adam.path[n] for n in (0, 1, 2, 5, 10, 20, 30, 50, 75, 100, 200, 500, 1000)}
figures = {
    "parabola-adam": {
        "result": adam.path[100],
        "trajectory_own": path,
        "lowest_x_and_step_own": [adam.path[lowest], lowest],
    },
    "claims": {
        "parabola-adam adam x at t": path,
        "parabola-adam adam min x": [adam.path[lowest], lowest],
        "rmsprop rho .9 lr .5 eps 1e-8 on x^2+5x+6 from 10": {n: rmsprop.path[n] for n in (1, 10, 50, 100)},
    },
}
