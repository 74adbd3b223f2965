"""Functions that pick and write elements by index, compared with what PyTorch 2.13 gave: see references/picking.py."""

import json
from pathlib import Path

import numpy as np

import minigrad as mg
from tests.references.picking import CASES, is_integer, key, weights
from tests.rows import each

STORED = json.loads((Path(__file__).parent / "references" / "picking.json").read_text(encoding="utf-8"))


def gradients(y, leaves, salt):
    if not y.requires_grad:
        return [mg.zeros_like(x) for x in leaves]
    seed = np.reshape(weights(y.size, salt), y.shape)
    found = mg.autograd.grad(y, leaves, seed, create_graph=True, allow_unused=True)
    return [mg.zeros_like(x) if g is None else g for x, g in zip(leaves, found, strict=True)]


def same(found, expected):
    found = np.asarray(found.detach() if isinstance(found, mg.Tensor) else found)
    np.testing.assert_allclose(found, np.reshape(np.array(expected, float), found.shape), rtol=1e-11, atol=1e-12)


@each("case", CASES, row=lambda case: case[0])
def test_as_in_pytorch(case):
    stored = STORED[key(case)]
    indexed = case.name.startswith("scatter")
    operands = [
        x if i == 1 or (is_integer(x) and not indexed) else mg.tensor(np.array(x, float), requires_grad=True)
        for i, x in enumerate(case.operands)
    ]
    leaves = [x for x in operands if isinstance(x, mg.Tensor)]
    if indexed:
        operands[1] = np.array(operands[1])
    results = getattr(mg, case.name)(*operands, **case.options)
    results = [results] if isinstance(results, mg.Tensor) else list(results)
    for found, expected in zip(results, stored["results"], strict=True):
        same(found, expected)
    first = gradients(results[0], leaves, salt=1)
    second = [sum(parts) for parts in zip(*(gradients(g, leaves, 3 + i) for i, g in enumerate(first)), strict=True)]
    for one, expected in zip(first, stored["first"], strict=True):
        same(one, expected)
    for one, expected in zip(second if stored["second"] else [], stored["second"], strict=True):
        same(one, expected)
