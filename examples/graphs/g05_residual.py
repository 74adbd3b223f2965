"""
Twelve equal blocks
===================

A residual network is the same block again and again.  Its picture has the block once, and says how many there are.
"""

import numpy as np

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F  # noqa: N812  # PyTorch's users know it by this letter

mg.manual_seed(0)
rng = np.random.default_rng(0)


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner, self.outer = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        return x + self.outer(F.relu(self.inner(self.norm(x))))


class Net(nn.Module):
    def __init__(self, width, blocks):
        super().__init__()
        self.embed, self.head = nn.Linear(8, width), nn.Linear(width, 3)
        self.blocks = nn.ModuleList([Block(width) for _ in range(blocks)])

    def forward(self, x):
        x = self.embed(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


# %%
# One block.  The arrow that goes around everything is what makes it residual: along it, gradients reach the first
# block without a single multiplication.
block = Block(16)
mg.graph.draw(block, rng.normal(size=(32, 16)), show="shape", depth=1, path="block.svg")

# %%
# The whole network.  Modules that are equal and follow each other are drawn once by themselves.
net = Net(16, 12)
x = rng.normal(size=(32, 8))
mg.graph.draw(net, x, show="shape", depth=2, path="net.svg")

# %%
# A picture for a slide about the architecture needs no more than this.
mg.graph.draw(net, x, show="shape", depth=1, direction="LR", path="outline.svg")
