"""
A loop over time
================

A recurrent network is a loop, and the graph of a loop is a long chain of equal parts.
"""

import numpy as np

import minigrad as mg
from minigrad import nn

mg.manual_seed(0)
rng = np.random.default_rng(0)
cell = nn.LSTMCell(3, 4)

# %%
# A single step of an LSTM.  One array is cut into four by columns: the gates for what comes in, what is kept and what
# goes out, through a sigmoid each, and the new content, through tanh.  Both results, with a thick outline, go into the
# next step.
hidden, memory = rng.normal(size=(2, 2, 4))


def step(x, hidden, memory):
    return cell(x, (hidden, memory))


mg.graph.draw(step, rng.normal(size=(2, 3)), hidden, memory, show="shape", path="step.svg")


# %%
# Three steps.  Every call of the cell is a box of its own, and all of them use the same four parameters: this is why
# the gradient of a weight is a sum over time.
def unrolled(*inputs):
    state = None
    for x in inputs:
        state = cell(x, state)
    return state[0]


sequence = rng.normal(size=(600, 2, 3))
mg.graph.draw(unrolled, *sequence[:3], show="shape", depth=0, fold=False, direction="LR", path="three.svg")


# %%
# 600 steps are ten thousand nodes.  In graphs of more than sixty nodes, loops are drawn once, with the number of turns.
# Dashed arrows lead from what a step hands on to where the next one takes it.
def read(sequence):
    state = None
    for x in sequence:
        state = cell(x, state)
    return state[0]


mg.graph.draw(read, sequence, show="shape", path="loop.svg")

# sphinx_gallery_thumbnail_number = 2
