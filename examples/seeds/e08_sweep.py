"""
A sweep over learning rates
===========================

The same descent with one rate after the other, first with rates so far apart that none is right, then with rates chosen
by the curvature.
"""

from matplotlib import pyplot as plt

from minigrad import curvature, objectives, optim, plot

# %%
# Five powers of ten, 100 steps each, on w1^2 + 10 w2^2.  A run has arrived when its loss is below 1e-4; it is given up
# when the loss passes 1e10.
#
# Not one of the five arrives.  The two smallest are still on their way.  The two largest diverge within a few steps.
# And 0.1 is exactly the limit, 2 / 20: the factor of the steep coordinate is -1, so it jumps from 2.5 to -2.5 and back
# for ever, and its loss stays at 10 * 2.5^2 = 62.5.  A comparison of their speeds would compare five times "not yet".
bowl = objectives.bowl(1, 10)
start = [4.0, 2.5]
until = {"target": 1e-4, "loss_limit": 1e10}
powers = optim.sweep(bowl, start, [0.001, 0.01, 0.1, 1.0, 10.0], steps=100, **until)

ends = {"slow": "Did not converge in 100 iterations", "diverged": "DIVERGED"}
for lr, run in powers:
    print(f"eta = {lr:6.3f}: {ends[run.verdict.split()[0]]}")

fig, (left, right) = plt.subplots(1, 2, figsize=(16, 6), layout="constrained")
plot.losses(powers, ylim=(1e-10, 1e12), limit=1e-4, legend="lower right", ax=left)
left.set(
    title="No curve reaches the limit", xlabel="Iteration", ylabel=r"Loss $\mathcal{L}(\mathbf{w})$", xlim=(-5, 105)
)
plot.sweep(powers, ax=right)
right.set(title="A full bar: not in 100 steps", xlabel="Learning Rate", ylabel="Iterations to reach loss < 0.0001")
bars = [bar.get_height() for bar in right.patches]
fig.savefig("sweep.png")
pictures = {"sweep": fig}

# %%
# The Hessian says where to look: below 0.1, and around 1/11.  With enough steps, and a finer comb, the sweep finds the
# valley.  Small rates are slow in proportion: half the rate, twice the steps.  On the other side the wall is steep:
# from 0.09 to 0.099 the steps become ten times as many, and at 0.1 there is no arriving.
#
# That 0.09 needs two steps fewer than the best rate, 1/11, is no contradiction.  The best rate is the one with the best
# factor in the long run; but most of the loss at this start lies in the steep coordinate, which 0.09 shrinks faster.
hessian = curvature.spectrum(bowl, start)
comb = [0.001, 0.005, 0.01, 0.04, 0.05, 0.08, 0.09, hessian.lr_best, 0.095, 0.099, 0.1, 0.105, 1.0, 10.0]
fine = optim.sweep(bowl, start, comb, steps=3000, **until)
print(fine)

fig, (left, right) = plt.subplots(1, 2, figsize=(16, 6), layout="constrained")
arrived = {f"{lr:.4g}": run for lr, run in fine if run.converged and run.steps < 400}
plot.losses({f"lr={lr}": arrived[lr] for lr in ("0.01", "0.05", "0.09", "0.095", "0.099")}, limit=1e-4, ax=left)
left.set(title="The loss falls along straight lines", xlabel="step", ylabel="loss")
plot.sweep(arrived, ax=right)
right.set(title="Steps until the loss is below 1e-4", xlabel="learning rate")
fig.savefig("sweep-converging.png")
pictures["sweep-converging"] = fig

# %%
# Every figure of the experiment: None for a run that would never end, -1 for one that diverged.
iterations = {lr: run.steps if run.converged else (-1 if run.diverged else None) for lr, run in fine}
figures = {
    "sweep": {
        "convergence_iters": [-1 if run.diverged else run.steps for _, run in powers],
        "bar_heights": bars,
        **{f"eta={lr}": {"entries": len(run.losses), "final_loss": run.loss, "loss": run.losses} for lr, run in powers},
        "own_true_iterations_to_1e-4": iterations,
    },
    "theory": {"iterations to loss<1e-4 on w1^2+10w2^2 from (4,2.5)": iterations},
}
