"""
Attention
=========

Every position asks all others a question: one head, several heads, and a whole encoder.
"""

import numpy as np

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F  # noqa: N812  # PyTorch's users know it by this letter

mg.manual_seed(0)
rng = np.random.default_rng(0)


# %%
# One head, in three lines.  Queries times keys are the scores; softmax makes shares of each row; these weigh the
# values.  The scores are divided by the root of the keys' length: their spread, 2.8 before that, is then 1.  Otherwise
# one share would be nearly 1, and the others nearly 0.
def attention(query, key, value):
    scores = query @ key.T / np.sqrt(query.shape[-1])
    return F.softmax(scores, -1) @ value


mg.graph.draw(attention, *rng.normal(size=(3, 5, 8)), show=("shape", "value"), path="head.svg")

# %%
# Two heads, as ``nn.MultiheadAttention`` computes them.  Operations that only arrange elements anew are drawn without a
# box: the heads are made by a reshape, and put together by another.
heads = nn.MultiheadAttention(8, 2, batch_first=True)


def self_attention(x):
    return heads(x, x, x, need_weights=False)[0]


mg.graph.draw(self_attention, rng.normal(size=(1, 5, 8)), show="shape", path="heads.svg")

# %%
# A transformer's encoder with six layers.  In each of them, two arrows lead around what is computed: it is a residual
# network.
layer = nn.TransformerEncoderLayer(16, nhead=4, dim_feedforward=64, dropout=0.0, batch_first=True)
encoder = nn.TransformerEncoder(layer, num_layers=6)
mg.graph.draw(encoder, rng.normal(size=(2, 5, 16)), show="shape", depth=2, path="encoder.svg")

# sphinx_gallery_thumbnail_number = 3
