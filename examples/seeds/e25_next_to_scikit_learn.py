"""
Next to scikit-learn
====================

scikit-learn's `SGDRegressor`, and the same updates made by minigrad, one row at a time and in the same order.  The two
agree to the last few bits.
"""

import numpy as np
from matplotlib import pyplot as plt
from sklearn.linear_model import SGDRegressor
from sklearn.preprocessing import StandardScaler

from minigrad import optim, plot

# %%
# The data, with features that are scaled to mean 0 and standard deviation 1.
rng = np.random.RandomState(42)
X = rng.randn(1000, 5)
true = np.array([1, 2, 3, 4, 5])
y = X @ true + rng.randn(1000) * 0.5
scaler = StandardScaler()
X_scaled = scaler.fit_transform(X)
sgd = SGDRegressor(max_iter=1000, tol=1e-3, random_state=42).fit(X_scaled, y)
unshuffled = SGDRegressor(max_iter=1000, tol=1e-3, shuffle=False).fit(X_scaled, y)

print("scikit-learn SGDRegressor:")
print(f"Learned coefficients: {sgd.coef_.round(3)}")
print("True coefficients: [1, 2, 3, 4, 5]")

# %%
# These two lines are not to be compared: the coefficients belong to scaled features, the true ones to the features as
# they were.  Either divide the first or multiply the second by the scale.
print(f"Learned, for features as they were: {(sgd.coef_ / scaler.scale_).round(3)}")
print(f"True, for scaled features: {(true * scaler.scale_).round(3)}")

# %%
# Now the same by minigrad.  The loss of a row is half the squared error.  The learning rate at step t is 0.01 / t^0.25,
# and the weights decay by 1e-4 times themselves, but not the intercept: they are two groups of parameters.


def half_squared_error(model, x, y):
    """Half the squared error, on some rows."""
    w, b = model
    return 0.5 * ((x @ w + b - y) ** 2).mean()


def optimizer(params):
    """SGD that lets the weights decay and leaves the intercept alone."""
    w, b = params
    return optim.SGD([{"params": [w], "weight_decay": 1e-4}, {"params": [b]}], lr=0.01)


def inverse_scaling(optimizer):
    """A learning rate that falls with the fourth root of the number of the step."""
    return optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (t + 1) ** 0.25)


# %%
# scikit-learn shuffles by a small generator of its own (G. Marsaglia, "Xorshift RNGs", 2003), which it starts anew in
# each epoch, from a seed that NumPy's generator draws; but what it shuffles is the order of the epoch before.


def shuffled(order, seed):
    """A permutation of the rows, as scikit-learn makes it."""
    order, count = order.copy(), len(order)
    for i in range(count - 1):
        seed ^= (seed << 13) % 2**32
        seed ^= seed >> 17
        seed ^= (seed << 5) % 2**32
        j = i + (seed % 2**31) % (count - i)
        order[[i, j]] = order[[j, i]]
    return order


def batches(epochs, seed=None):
    """Batches of one row, in new orders if there is a seed."""
    order = np.arange(len(X))
    for _ in range(epochs):
        order = order if seed is None else shuffled(order, seed)
        yield from order[:, None]


# %%
# scikit-learn adds up the losses of an epoch, and stops when five sums in a row have not been below the lowest one by
# 0.001 for each row.  Here a few epochs more are made, and the rule says how many of them count.


def epochs_made(sums, tol=1e-3, patience=5):
    """After how many epochs scikit-learn stops."""
    best, waited = np.inf, 0
    for epoch, value in enumerate(sums, 1):
        waited = waited + 1 if value > best - tol * len(X) else 0
        best = min(best, value)
        if waited == patience:
            return epoch
    raise ValueError(f"not yet after {len(sums)} epochs")


def fit(seed=None):
    """A run, recorded ten times in each epoch, and the coefficients, intercept and epochs at which it may stop."""
    run = optim.minimize(
        half_squared_error, (np.zeros(5), 0.0), optimizer=optimizer, schedule=inverse_scaling,
        data=(X_scaled, y), batches=batches(12, seed), every=len(X) // 10,
    )  # fmt: skip
    epochs = epochs_made(run.batch_losses.reshape(12, -1).sum(axis=1))
    return run, run.path[0][10 * epochs], run.path[1][10 * epochs], epochs


def deviation(coef, intercept, theirs):
    """The largest difference from what scikit-learn found."""
    return max(np.abs(coef - theirs.coef_).max(), abs(intercept - theirs.intercept_[0]))


seed = np.random.RandomState(42).randint(0, np.iinfo(np.int32).max)
run, coef, intercept, epochs = fit(seed)
in_order, coef_in_order, intercept_in_order, _ = fit()
print(f"minigrad: {coef.round(3)} after {epochs} epochs, at most {deviation(coef, intercept, sgd):.0e} away")

# %%
# On the left, the weights on their way to the coefficients of scikit-learn.  On the right, how far the loss is above
# that of least squares, the lowest that there is: after three epochs it is 0.001, and after four only the noise of
# single rows is left.


def least_squares(X):
    """Coefficients and intercept, exactly."""
    return np.linalg.lstsq(np.column_stack([X, np.ones(len(X))]), y, rcond=None)[0]


exact = least_squares(X_scaled)
least = half_squared_error((exact[:-1], exact[-1]), X_scaled, y)
fig, (left, right) = plt.subplots(1, 2, figsize=(14, 4.5), layout="constrained")
ours = left.plot(run.recorded / len(X), run.path[0], color="#0072B2")
theirs = left.hlines(sgd.coef_, 0, 4, color="#D55E00", linestyle="--")
left.legend([ours[0], theirs], ["minigrad", "scikit-learn"], loc="center right")
left.set(title="The five weights", xlabel="epoch", ylabel="weight", xlim=(0, 4))
excess = {"in new orders": run.losses - least, "always in the same order": in_order.losses - least}
plot.losses(excess, x=run.recorded / len(X), legend="upper right", ax=right)
right.axvline(epochs, color="0.4", linestyle=":")
right.text(epochs + 0.1, 1, "scikit-learn stops")
right.set(title="Loss above that of least squares", xlabel="epoch", ylabel="loss above the least")
fig.savefig("sgd-regressor.png")
pictures = {"sgd-regressor": fig}

# %%
# Every figure of the experiment.
figures = {
    "sgd-regressor": {
        "seed": seed,
        "coef": sgd.coef_,
        "intercept": sgd.intercept_[0],
        "n_iter": sgd.n_iter_,
        "scale": scaler.scale_,
        "mean": scaler.mean_,
        "replica_coef": coef,
        "replica_intercept": intercept,
        "replica_epochs": epochs,
        "replica_max_abs_dev": deviation(coef, intercept, sgd),
        "noshuffle_coef": unshuffled.coef_,
        "noshuffle_intercept": unshuffled.intercept_[0],
        "noshuffle_n_iter": unshuffled.n_iter_,
        "noshuffle_replica_max_abs_dev": deviation(coef_in_order, intercept_in_order, unshuffled),
        "least_squares_on_scaled": exact,
        "least_squares_on_raw": least_squares(X),
        "true_times_scale": true * scaler.scale_,
        "coef_unscaled": sgd.coef_ / scaler.scale_,
        "y_sum": y.sum(),
        "data": {"X": X, "y": y},
    }
}
