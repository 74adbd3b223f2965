"""
Modules
=======

A network is drawn as it is built: each module is a frame around its operations, and can be closed.
"""

import numpy as np

import minigrad as mg
from minigrad import nn

mg.manual_seed(0)
rng = np.random.default_rng(0)

# %%
# A perceptron with one hidden layer, and a batch of 32 points.  Parameters stand in the frame of the module that owns
# them, under their names in it.
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
x = rng.normal(size=(32, 4))

mg.graph.draw(model, x, show="shape", path="open.svg")

# %%
# ``depth`` is the number of levels of modules to open.  At 0 the model is one box, and at 1 one sees its parts.
mg.graph.draw(model, x, show="shape", depth=1, direction="LR", path="closed.svg")

# %%
# Of arrays with more than nine elements ``show="value"`` writes mean, standard deviation and a histogram.  One sees how
# ReLU cuts off the negative half.
mg.graph.draw(model, x, show=("shape", "value"), path="values.svg")
