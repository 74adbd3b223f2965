"""
Where gradients vanish
======================

The same network twice, once with sigmoids and once with ReLU, coloured by the norm of the gradient.
"""

import numpy as np

import minigrad as mg
from minigrad import nn

mg.manual_seed(0)
rng = np.random.default_rng(0)


class Layer(nn.Module):
    def __init__(self, width, activation):
        super().__init__()
        self.linear, self.activation = nn.Linear(width, width), activation

    def forward(self, x):
        return self.activation(self.linear(x))


class Both(nn.Module):
    """Two networks side by side, so that one scale of colours serves both."""

    def __init__(self, width, layers):
        super().__init__()
        self.sigmoid = nn.Sequential(*[Layer(width, nn.Sigmoid()) for _ in range(layers)])
        self.relu = nn.Sequential(*[Layer(width, nn.ReLU()) for _ in range(layers)])
        for part in self.relu.modules():
            if isinstance(part, nn.Linear):
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")

    def forward(self, x):
        return self.sigmoid(x), self.relu(x)


# %%
# Gradients come in at the end, and each layer hands them to the one before it.  The derivative of the sigmoid is 0.25
# at most, and default weights are small: every layer of sigmoids takes most of the gradient away, and the first one
# learns hardly anything.  ReLU with the initial weights of He and others (2015) hands on the whole.
#
# As the layers are equal, one of them would be drawn, with "×6"; ``fold=False`` keeps them apart.
model = Both(32, 6)
x = rng.normal(size=(64, 32))

mg.graph.draw(model, x, heat="grad", depth=2, fold=False, direction="LR", path="gradients.svg")
