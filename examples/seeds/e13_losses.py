r"""
Losses and what their gradients say
===================================

Squared error and cross-entropy.  A loss decides what a model learns through its gradient alone, so look at the
gradient: it should be large where the model is wrong.
"""

import numpy as np
from matplotlib import pyplot as plt

import minigrad as mg


# %%
# Squared error, with the conventional half, has as its gradient the error itself: predicted minus wanted.
def half_squared_error(predicted, wanted):
    return 0.5 * (predicted - wanted) ** 2


predicted, wanted = 2.5, 1.0
error = mg.grad(half_squared_error)(predicted, wanted)
print(f"half squared error of {predicted} for {wanted}: {half_squared_error(predicted, wanted)}, gradient {error}")

# %%
# A classifier with the answers 0 and 1 puts its output z, the logit, through the sigmoid.  Say that 1 is right.  The
# squared error then multiplies the error with the slope of the sigmoid, which is nearly 0 where the sigmoid is nearly
# 0 or 1; where the classifier is sure and wrong, at z = -10, nothing is left to learn from.  In the cross-entropy
# -log(sigmoid(z)) the logarithm undoes the exponential, and the gradient is sigmoid(z) - 1: the error again.
losses = {
    "mse_half": lambda z: half_squared_error(mg.sigmoid(z), 1.0),
    "ce": lambda z: mg.logaddexp(0.0, -z),  # -log(sigmoid(z)), without the overflow
}
slopes = {name: mg.grad(lambda z, loss=loss: loss(z).sum()) for name, loss in losses.items()}
logits = np.array([-10.0, -5.0, -2.0, 0.0, 2.0])
table = {name: slope(logits) for name, slope in slopes.items()}
print("     z  squared error  cross-entropy    (gradients, 1 is right)")
for z, squared, entropy in zip(logits, *table.values(), strict=True):
    print(f"{z:6.0f}  {squared:13.8f}  {entropy:13.8f}")

# %%
# The same with three classes.  Write p for softmax(z) and y for the wanted probabilities, which sum to 1.  The loss
# -sum(y_i log p_i) has the derivative -y_i / p_i with respect to p_i, and that of p_i with respect to z_j is
# p_i (d_ij - p_j), with d_ij = 1 if i = j and else 0.  By the chain rule the derivative with respect to z_j is the sum
# of -y_i (d_ij - p_j) over i.  That is p_j times the sum of all y_i, minus y_j: so it is p_j - y_j.  The error, once
# more.  The graph finds each of these without having been told.
z, y = np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 0.0])


def stable(z):
    return (y * (mg.logsumexp(z) - z)).sum()  # -log p is log(sum(exp(z))) - z


def naive(z):
    return -(y * np.log(np.exp(z) / np.exp(z).sum())).sum()


p = mg.softmax(z)
outer = mg.grad(lambda p: -(y * np.log(p)).sum())(p)
inner = mg.jacobian(mg.softmax)(z)
gradients = {"p - y": p - y, "chain rule": inner.T @ outer, "stable": mg.grad(stable)(z), "naive": mg.grad(naive)(z)}
for name, gradient in gradients.items():
    print(f"{name:>10}: {gradient}")

# %%
# A check that needs no calculus at all: move each logit by a millionth up and down.
step = 1e-6
differences = np.array([(stable(z + step * e) - stable(z - step * e)) / (2 * step) for e in np.eye(3)])
print(f"{'numbers':>10}: {differences}")

# %%
# Both forms of the loss are right on paper.  With large logits only one is right in a computer: exp(1000) overflows,
# and infinity divided by infinity is not a number.  `logsumexp` takes the largest logit out of the sum first.
big = np.array([1000.0, 0.0, -1000.0])
print("stable:", stable(big), mg.grad(stable)(big))
with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
    print("naive: ", naive(big), mg.grad(naive)(big))

# %%
# The two losses of the sigmoid and the size of their gradients.  To the left the classifier is wrong and sure of it:
# there the squared error lies flat, and the cross-entropy pulls with full force.
logit = np.linspace(-10, 5, 301)
fig, (left, right) = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
looks = {"mse_half": ("half squared error", "#D55E00", "--"), "ce": ("cross-entropy", "#0072B2", "-")}
for name, (label, colour, dashes) in looks.items():
    left.plot(logit, losses[name](logit), dashes, color=colour, linewidth=2, label=label)
    right.plot(logit, np.abs(slopes[name](logit)), dashes, color=colour, linewidth=2, label=label)
left.set(title="Loss of the sigmoid of z, where 1 is right", xlabel="z", ylabel="loss")
right.set(title="Size of its gradient", xlabel="z", ylabel="|d loss / d z|")
for ax in (left, right):
    ax.legend()
    ax.grid(alpha=0.25)
fig.savefig("losses.png")
pictures = {"losses": fig}

# %%
# Every figure of the section and the exercise.
figures = {
    "theory": {
        "MSE half gradient": {
            "yhat": predicted,
            "y": wanted,
            "loss": half_squared_error(predicted, wanted),
            "grad": error,
        },
        "sigmoid gradients, y=1": {
            str(z): {name: gradients[i] for name, gradients in table.items()} for i, z in enumerate(logits)
        },
    },
    "losses": {
        "z": z,
        "y": y,
        "softmax": p,
        "loss": stable(z),
        "analytic": gradients["p - y"],
        "autodiff_of_stable": gradients["stable"],
        "autodiff_of_naive": gradients["naive"],
        "central_difference_h1e_6": differences,
        "dL_dyhat": outer,
        "jacobian": inner,
        "jacobian_identity_max_abs_dev": np.abs(inner - (np.diag(p) - np.outer(p, p))).max(),
        "sum_of_gradient": gradients["stable"].sum(),
        "chain_rule_J_T_dLdyhat": gradients["chain rule"],
        "big_logits": big,
        "big_loss_stable_y_e2": stable(big),
        "big_grad_stable": mg.grad(stable)(big),
        "hessian": mg.hessian(stable)(z),
    },
}
