"""
The steepest direction
======================

Of all directions, the gradient's is the one in which a function rises most.
"""

import numpy as np
from matplotlib import pyplot as plt

import minigrad as mg
from minigrad import objectives, plot

# %%
# Walk from w in the direction v, a vector of length 1.  How fast the function rises at first is the derivative of f(w +
# t v) with respect to t, at t = 0.  Here it is computed for 3600 directions all around, at once; the gradient has no
# part in it.
bowl = objectives.bowl(1, 5)
w = np.array([4.0, 2.5])
angles = np.linspace(0, 2 * np.pi, 3600, endpoint=False)
directions = np.stack([np.cos(angles), np.sin(angles)])
_, slopes = mg.jvp(lambda t: bowl(w[:, None] + t * directions), (0.0,), (1.0,))

# %%
# The slope is a cosine of the angle.  Its top is where the gradient points, and as high as the gradient is long: the
# slope along v is the scalar product of v with the gradient, and among vectors of length 1 that is largest for the one
# parallel to it.  The opposite direction is the steepest way down, and at right angles, along the contour, the slope is
# 0.
gradient = mg.grad(bowl)(w)
norm = np.linalg.norm(gradient)
angle = np.arctan2(gradient[1], gradient[0])
print(f"steepest of 3600 directions: {angles[slopes.argmax()]:.4f} rad, slope {slopes.max():.4f}")
print(f"the gradient {gradient}: {angle:.4f} rad, length {norm:.4f}")

fig, (left, right) = plt.subplots(1, 2, figsize=(14, 5), layout="constrained")
plot.contour(bowl, domain=((-5, 7), (-4, 5)), equal=True, legend=False, ax=left)
for sign, colour, words in ((1, "#D55E00", "gradient"), (-1, "#0072B2", "steepest descent")):
    tip = w + sign * 2.2 * gradient / norm
    left.annotate("", tip, w, arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 2.5}, zorder=5)
    left.plot([], [], color=colour, linewidth=2.5, label=words)
left.plot(*w, "o", color="black", zorder=6, label="(4, 2.5)")
left.legend(loc="lower left")
left.set_title("The gradient stands at right angles to the contour")
right.plot(angles, slopes, color="black", linewidth=2)
right.axhline(0, color="0.6", linewidth=1)
right.axvline(angle, color="#D55E00", linestyle="--", label=f"the gradient's angle, {angle:.3f}")
right.axvline(angle + np.pi, color="#0072B2", linestyle="-.", label=f"the opposite, {angle + np.pi:.3f}")
right.axhline(norm, color="#009E73", linestyle=":", linewidth=2, label=f"the gradient's length, {norm:.2f}")
right.set(title="Slope in every direction", xlabel="angle of the direction, in radians", ylabel="slope")
right.set(xlim=(0, 2 * np.pi), ylim=(-33, 45))
right.legend(loc="upper right")
fig.savefig("steepest-direction.png")
pictures = {"steepest-direction": fig}

figures = {
    "theory": {
        "steepest direction": {
            "gradient": gradient,
            "unit_gradient": gradient / norm,
            "norm": norm,
            "best_of_3600_angles_rad": angles[slopes.argmax()],
            "angle_of_gradient": angle,
            "best_directional_derivative": slopes.max(),
            "worst": slopes.min(),
        }
    }
}
