"""
One parabola
============

Gradient descent in one dimension.  A step goes against the slope, and the farther the steeper it is:
``x - lr * slope``.  Near the minimum the ground is level, so the steps shrink by themselves.
"""

from matplotlib import pyplot as plt

import minigrad as mg
from minigrad import optim, plot


# %%
# The slope of x^2 at x is 2x.  With a learning rate of 0.1 a step takes away 0.1 times that, a fifth of x, and leaves
# four fifths.  After n steps from 10, x is 10 * 0.8^n: on a logarithmic axis a straight line.
def square(x):
    return x**2


def report(step):
    if step.step <= 5 or step.step >= 48:
        print(f"Iteration {step.step}: x = {step.x:.6f}, f(x) = {step.loss:.6f}")
    elif step.step == 6:
        print("...")


print("Gradient descent on x²")
start = 10.0
print(f"Starting at x = {start}")
run = optim.minimize(square, start, lr=0.1, steps=50, callback=report)
print(f"\nFinal: x = {run.x:.6f} (optimal is 0)")

fig, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
plot.iterates(run, minimum=0.0, log=True, legend=False, ax=ax)
ax.set_title("$x^2$ from 10, lr=0.1: every step leaves 0.8 of the distance")
fig.savefig("square.png")
figures = {"square": {"final_x": run.x, "final_f": run.loss, "x": run.path}}
pictures = {"square": fig}


# %%
# A parabola in another place, with its minimum 1 at 3.  The start is a whole number; descent makes it a real one. The
# constant 1 moves the curve, but neither its slopes nor the steps, so the distance from 3 shrinks by 0.8 here too.
def shifted(x):
    return (x - 3) ** 2 + 1


run = optim.minimize(shifted, 10, lr=0.1, steps=30)
slope = mg.grad(shifted)
print(f"\n{'Step':<6}{'x':<12}{'f(x)':<12}{'Gradient':<12}")
for i in range(0, run.steps + 1, 5):
    print(f"{i:<6}{run.path[i]:<12.4f}{run.losses[i]:<12.4f}{slope(run.path[i]):<12.4f}")

fig, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
plot.curve(shifted, {"30 steps": run}, domain=(-3, 11), minimum=3, ax=ax)
ax.set_title("$(x-3)^2 + 1$ from 10, lr=0.1: equal factors, shrinking steps")
fig.savefig("shifted-parabola.png")
figures["shifted-parabola"] = {"final_x": run.x, "final_f": run.loss, "x": run.path, "f": run.losses}
pictures["shifted-parabola"] = fig


# %%
# One step in detail.  The slope of x^2 + 5x + 6 at 10 is 25, so the first step leads 0.1 * 25 = 2.5 to the left. (The
# lines below call this iteration 0: their x is the one after the step.)
def parabola(x):
    return x**2 + 5 * x + 6


run = optim.minimize(parabola, 10.0, lr=0.1, steps=50)
gradient_at_10 = mg.grad(parabola)(10.0)
print()
for i in range(0, run.steps, 10):
    print(f"Iteration {i}: x = {run.path[i + 1]:.6f}, f(x) = {run.losses[i + 1]:.6f}")
print(f"\nFinal result: x = {run.x:.6f}")
print("Expected minimum: x = -2.5")

fig, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
plot.curve(parabola, {"50 steps": run}, domain=(-12, 12), minimum=-2.5, legend=False, ax=ax)
ax.axline((10.0, parabola(10.0)), slope=float(gradient_at_10), color="black", linestyle="--", label="slope at 10")
ax.legend(loc="upper left")
ax.set_title(f"$x^2 + 5x + 6$ from 10, where the slope is {gradient_at_10:g}: lr=0.1 leads to 7.5")
fig.savefig("parabola.png")
figures["parabola"] = {"final": run.x, "f": run.loss, "x": run.path}
figures["claims"] = {"gradient_at_10": gradient_at_10}
pictures["parabola"] = fig
