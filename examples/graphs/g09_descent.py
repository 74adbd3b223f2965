"""
Gradient descent as a graph
===========================

A step of descent is made of operations as well.  So the whole descent has a graph, and a gradient.
"""

import minigrad as mg


# %%
# Two steps down a parabola, with the gradients inside.  At each step the loss is differentiated (red), and the
# outcome is subtracted.  The gradient that stands at ``rate`` is that of the final loss with respect to the learning
# rate: it is negative, so a larger rate would have come farther.
def loss(x):
    return (x - 3) ** 2


def descend(x, rate, steps=2):
    for _ in range(steps):
        x = x - rate * mg.grad(loss)(x)
    return loss(x)


mg.graph.draw(descend, 10.0, 0.1, show=("value", "grad"), path="two.svg")


# %%
# Fifty steps, drawn as one; the dashed arrows lead from each to the next.
def longer(x, rate):
    return descend(x, rate, steps=50)


mg.graph.draw(longer, 10.0, 0.1, show="value", path="fifty.svg")
