"""
A model with fit and predict
============================

Linear regression as an estimator with the methods `fit` and `predict`, the form that scikit-learn has given to models.
`Regressor` makes one of any network; by default of a linear model that starts at zero.
"""

import numpy as np
from matplotlib import pyplot as plt

from minigrad import plot
from minigrad.interop.sklearn import Regressor

# %%
# 500 steps of gradient descent on all rows.
rng = np.random.RandomState(42)
X = rng.randn(100, 2)
true_weights, true_bias = np.array([3, -2]), 5
y = X @ true_weights + true_bias + rng.randn(100) * 0.5

model = Regressor(optimizer="SGD", lr=0.1, epochs=500).fit(X, y)
(weights,), (bias,) = (parameter.detach().numpy() for parameter in model.module_.parameters())
losses = np.array(model.loss_history_)
print("Linear Regression with Gradient Descent")
print(f"True weights: {true_weights}, bias: {true_bias}")
print(f"Learned weights: {weights.round(4)}, bias: {bias:.4f}")
print(f"Initial loss: {losses[0]:.4f}")
print(f"Final loss: {losses[-1]:.4f}")

# %%
# The result is that of least squares to the last digits, and after 40 steps the loss is already within 0.0002 of it.
# What remains is the noise in y.
exact, (squares,) = np.linalg.lstsq(np.column_stack([X, np.ones(len(X))]), y, rcond=None)[:2]
print(f"Largest difference from least squares: {np.abs(np.append(weights, bias) - exact).max():.0e}")

fig, (left, right) = plt.subplots(1, 2, figsize=(12, 4.5), width_ratios=(2, 1), layout="constrained")
plot.losses({"before each step": losses[:101]}, limit=squares / len(y), legend=False, ax=left)
left.text(60, 0.3, "least squares", va="bottom")
left.set_title("Loss before each of the first 100 steps")
right.scatter(y, model.predict(X), s=18, color="#0072B2")
right.axline((0, 0), slope=1, color="0.4", linestyle=":")
right.set(title=f"Predictions: R² = {model.score(X, y):.3f}", xlabel="y", ylabel="predicted", aspect="equal")
fig.savefig("estimator.png")
pictures = {"estimator": fig}

# %%
# Every figure of the experiment.
figures = {
    "estimator": {
        "weights": weights,
        "bias": bias,
        "initial_loss": losses[0],
        "final_loss": losses[-1],
        "loss_before_step": losses,
        "least_squares": exact,
        "least_squares_loss": squares / len(y),
        "data": {"X": X, "y": y},
    }
}
