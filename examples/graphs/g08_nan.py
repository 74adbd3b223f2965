"""
Where a NaN came from
=====================

The loss is NaN.  The picture shows where that began, and which line it was.
"""

import numpy as np

import minigrad as mg
from minigrad.nn import functional as F  # noqa: N812  # PyTorch's users know it by this letter

scores = np.array([10.0, 800.0, 20.0])


# %%
# Softmax as in the textbook, for one score that is large.  ``exp(800)`` is more than a float64 can hold; inf divided by
# inf is NaN, and everything after that is NaN too.  Below the picture, the first value that is not finite is named.
def loss(scores):
    powers = mg.exp(scores)
    shares = powers / mg.sum(powers)
    return -mg.log(shares[1])


with np.errstate(over="ignore", invalid="ignore"):  # NumPy would warn of it
    mg.graph.draw(loss, scores, show=("value", "line"), path="nan.svg")


# %%
# The same loss, computed by its logarithm, which needs no large number.
def better(scores):
    return -F.log_softmax(scores, dim=-1)[1]


mg.graph.draw(better, scores, show=("value", "grad"), direction="LR", path="finite.svg")


# %%
# A worse kind: the values are right, and the gradient is not.  The slope of a root at 0 is infinite.
def roots(x):
    return mg.sum(mg.sqrt(x))


with np.errstate(divide="ignore"):
    mg.graph.draw(roots, np.array([4.0, 1.0, 0.0]), show=("value", "grad"), direction="LR", path="gradient.svg")

# %%
# Which operation of the backward pass made it is seen in the graph of the derivative.
with np.errstate(divide="ignore"):
    mg.graph.draw(mg.grad(roots), np.array([4.0, 1.0, 0.0]), show="value", path="slope.svg")
