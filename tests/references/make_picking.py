"""Writes picking.json: what PyTorch gives for the calls of picking.py.

This needs PyTorch 2.13, installed in an environment of its own.  The test suite only reads the file that this script
wrote: ``python tests/references/make_picking.py``.

Second derivatives of products with several zeros, which PyTorch refuses, are left out.
"""

import json
from pathlib import Path

import torch
from picking import CASES, is_integer, key, weights


def called(case, operands):
    """PyTorch's results, as a list."""
    options = dict(case.options)
    dim = options.pop("axis", -1)
    function = getattr(torch, case.name)
    if case.name == "topk":
        return list(function(*operands, dim=dim, **options))
    if case.name.startswith("scatter"):
        x, index, src = operands
        src = src[tuple(slice(n) for n in index.shape)]  # of which PyTorch has no gradient otherwise
        return [function(x, dim, index, src, **options)]
    found = function(*operands, dim)
    return [found] if torch.is_tensor(found) else list(found)


def operand(x):
    """A leaf of floating-point numbers, or integers as they are."""
    if is_integer(x):
        return torch.tensor(x) if isinstance(x, list) else x
    return torch.tensor(x, dtype=torch.float64, requires_grad=True)


def gradients(y, leaves, salt):
    """The gradients of the weighted sum; zeros where there are none."""
    if not y.requires_grad:
        return [torch.zeros_like(x) for x in leaves]
    seed = torch.tensor(weights(y.numel(), salt), dtype=y.dtype).reshape(y.shape)
    return torch.autograd.grad(y, leaves, seed, create_graph=True, materialize_grads=True)


def computed(case):
    """The results, and the derivatives of the first one."""
    index = case.name.startswith("scatter")
    operands = [torch.tensor(x) if index and i == 1 else operand(x) for i, x in enumerate(case.operands)]
    leaves = [x for x in operands if torch.is_tensor(x) and x.dtype == torch.float64]
    results = called(case, operands)
    first = gradients(results[0], leaves, salt=1)
    try:
        each = [gradients(g, leaves, salt=3 + i) for i, g in enumerate(first)]
    except RuntimeError as error:
        if "Double backward is unsupported" not in str(error):
            raise
        each = []
    second = [sum(parts) for parts in zip(*each, strict=True)]
    return {
        "results": [y.detach().tolist() for y in results],
        "first": [g.detach().tolist() for g in first],
        "second": [g.detach().tolist() for g in second],
    }


def main():
    """Compute the calls and write the file."""
    found = {}
    for case in CASES:
        try:
            found[key(case)] = computed(case)
        except Exception as error:
            error.add_note(f"in {case}")
            raise
    path = Path(__file__).with_name("picking.json")
    path.write_text(json.dumps(found, indent=0), encoding="utf-8")
    print(f"{len(found)} calls, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
