"""
Pages to click through
======================

Graphs that are too large for a picture, and those that change, are looked at in a browser.
"""

import numpy as np

import minigrad as mg
from minigrad import nn, optim, plot
from minigrad.nn import functional as F  # noqa: N812  # PyTorch's users know it by this letter

mg.manual_seed(0)
rng = np.random.default_rng(0)

# %%
# An encoder, as one file that needs no network.  Drag and turn the wheel to move and zoom; click on a module to open
# it, and on an operation to see its value, its gradient and the formula of its derivative.
layer = nn.TransformerEncoderLayer(16, nhead=4, dim_feedforward=64, dropout=0.0, batch_first=True)
encoder = nn.TransformerEncoder(layer, num_layers=6)
mg.graph.draw(encoder, rng.normal(size=(2, 5, 16)), depth=2, path="encoder.html")

# %%
# A training, with a slider over its steps.  ``Snapshots`` notes how values and gradients of the graph are distributed
# whenever ``take`` is called; the arrays are not kept.
model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
x = rng.normal(size=(64, 2))
y = np.sign(x[:, :1] * x[:, 1:])  # 1 in two quadrants, -1 in the others
optimizer = optim.Adam(model.parameters(), lr=0.05)
snapshots = mg.graph.Snapshots(names=dict(model.named_parameters()), title="four quadrants")
history = optim.History(model, optimizer)


def loss_of(x, y):
    return F.mse_loss(model(x), y)


for step in range(101):
    if step % 10 == 0:
        snapshots.take(loss_of, x, y, label=f"step {step}")
    optimizer.zero_grad()
    loss = loss_of(x, y)
    loss.backward()
    history.record(loss=loss)
    optimizer.step()

print(f"loss after 100 steps: {loss.item():.3f}")
snapshots.save("training.html")

# %%
# The same training in numbers: the loss, the norm of each parameter's gradient, and histograms of the weights, with
# one cursor through all of them.  ``History`` was told of each step.
plot.dashboard(history, path="run.html", title="Four quadrants")

# %%
# The last of these moments as a picture, for comparison.
mg.graph.draw(loss_of, x, y, show="value", path="last.svg")
