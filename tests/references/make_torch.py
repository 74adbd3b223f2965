"""Writes torch.npz: what PyTorch gives for layers, losses and optimizers.

This needs PyTorch 2.13, installed in an environment of its own.  The test suite only reads the file that this script
wrote: ``python tests/references/make_torch.py``.

The archive holds, in float64, the inputs, which cases share, as ``shared/<name>``; the results of each case as
``<case>/<result>``; and as ``options`` the JSON of a dict of each case's options.
"""

import itertools
import json
from pathlib import Path

import numpy as np
import torch

F = torch.nn.functional
REDUCTIONS = ("none", "mean", "sum")
SHAPES = {"class": (4,), "batch": (5, 4), "image": (3, 4, 2, 3)}
LABELS = {
    "plain": {},
    "weight": {"weight": True},
    "ignore": {"ignore_index": 1},
    "smooth": {"label_smoothing": 0.2},
    "all": {"weight": True, "ignore_index": 1, "label_smoothing": 0.2},
}
PROBABILITIES = {key: LABELS[key] for key in ("plain", "weight", "smooth")} | {
    "all": {"weight": True, "label_smoothing": 0.2}
}
OPTIMIZERS = {
    "SGD": {
        "plain": {"lr": 0.02},
        "momentum": {"lr": 0.01, "momentum": 0.9},
        "dampening": {"lr": 0.02, "momentum": 0.8, "dampening": 0.3},
        "nesterov": {"lr": 0.01, "momentum": 0.9, "nesterov": True},
        "weight_decay": {"lr": 0.02, "momentum": 0.5, "weight_decay": 0.1},
        "maximize": {"lr": 0.005, "momentum": 0.5, "weight_decay": 0.1, "maximize": True},
    },
    "Adam": {
        "default": {},
        "options": {"lr": 0.05, "betas": [0.8, 0.95], "eps": 1e-4},
        "weight_decay": {"lr": 0.03, "weight_decay": 0.1},
        "amsgrad": {"lr": 0.05, "betas": [0.9, 0.9], "amsgrad": True},
        "maximize": {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1, "maximize": True},
    },
}

rng = np.random.default_rng(0)
archive, options = {}, {}


def shared(name, array):
    """Store an input."""
    archive[f"shared/{name}"] = array
    return array


def leaf(array):
    """The array as a Tensor that requires grad."""
    return torch.tensor(array, requires_grad=True)


def record(case, chosen, **results):
    """Store what a case gave."""
    options[case] = chosen
    archive.update({f"{case}/{name}": tensor.detach().numpy().copy() for name, tensor in results.items()})


def backward(result, upstream):
    """The backward pass, with a gradient given if the result is not a number."""
    result.backward(torch.tensor(upstream) if result.ndim else None)


def linear():
    """Write F.linear's cases."""
    weight, bias = shared("linear_weight", rng.normal(size=(2, 3))), shared("linear_bias", rng.normal(size=2))
    for name, shape in {"vector": (3,), "matrix": (4, 3), "stack": (2, 4, 3)}.items():
        x = shared(f"linear_{name}", rng.normal(size=shape))
        upstream = shared(f"linear_{name}_upstream", rng.normal(size=(*shape[:-1], 2)))
        for biased in (True, False):
            leaves = [leaf(array) for array in (x, weight, bias)[: 2 + biased]]
            y = F.linear(*leaves)
            backward(y, upstream)
            gradients = {f"grad{i}": x.grad for i, x in enumerate(leaves)}
            record(f"linear-{name}-{'bias' if biased else 'no_bias'}", {}, value=y, **gradients)


def mse_loss():
    """Write F.mse_loss's cases."""
    x, target = shared("mse_input", rng.normal(size=(4, 3))), shared("mse_target", rng.normal(size=(4, 3)))
    upstream = shared("mse_upstream", rng.normal(size=(4, 3)))
    for reduction in REDUCTIONS:
        leaves = leaf(x), leaf(target)
        loss = F.mse_loss(*leaves, reduction=reduction)
        backward(loss, upstream)
        gradients = {f"grad{i}": x.grad for i, x in enumerate(leaves)}
        record(f"mse_loss-{reduction}", {"reduction": reduction}, value=loss, **gradients)


def cross_entropy():
    """Write F.cross_entropy's cases."""
    weight = shared("class_weight", rng.uniform(0.5, 2.0, size=4))
    for name, shape in SHAPES.items():
        axis = 0 if len(shape) == 1 else 1
        logits = shared(f"ce_{name}", 3 * rng.normal(size=shape))
        places = shape[:axis] + shape[axis + 1 :]
        upstream = shared(f"ce_{name}_upstream", rng.normal(size=places))
        labels = shared(f"ce_{name}_labels", np.arange(2, 2 + int(np.prod(places)), dtype=np.int64).reshape(places) % 4)
        scores = np.exp(rng.normal(size=shape))
        chances = shared(f"ce_{name}_probabilities", scores / scores.sum(axis=axis, keepdims=True))
        for (key, chosen), reduction in itertools.product(LABELS.items(), REDUCTIONS):
            how = {**chosen, **({"weight": torch.tensor(weight)} if "weight" in chosen else {})}
            x = leaf(logits)
            loss = F.cross_entropy(x, torch.tensor(labels), reduction=reduction, **how)
            backward(loss, upstream)
            case = f"cross_entropy-{name}-labels-{key}-{reduction}"
            record(case, {**chosen, "reduction": reduction}, value=loss, grad0=x.grad)
        for (key, chosen), reduction in itertools.product(PROBABILITIES.items(), REDUCTIONS):
            how = {**chosen, **({"weight": torch.tensor(weight)} if "weight" in chosen else {})}
            x, target = leaf(logits), leaf(chances)
            loss = F.cross_entropy(x, target, reduction=reduction, **how)
            backward(loss, upstream)
            case = f"cross_entropy-{name}-probabilities-{key}-{reduction}"
            record(case, {**chosen, "reduction": reduction}, value=loss, grad0=x.grad, grad1=target.grad)


def optimizers():
    """Write the parameters after every tenth of 100 steps."""
    start = shared("start_u", rng.normal(size=3)), shared("start_v", rng.normal(size=(2, 2)))
    for kind, cases in OPTIMIZERS.items():
        for key, chosen in cases.items():
            u, v = map(leaf, start)
            optimizer = getattr(torch.optim, kind)([u, v], **chosen)
            path = []
            for step in range(1, 101):
                optimizer.zero_grad()
                loss = ((u - 1.0) ** 2).sum() + (v * v).sum() + torch.cos(3.0 * v).sum() + 0.1 * u.sum() * v.sum()
                loss.backward()
                optimizer.step()
                if step % 10 == 0:
                    path.append(torch.cat([u.detach(), v.detach().flatten()]))
            record(f"{kind}-{key}", chosen, path=torch.stack(path))


if __name__ == "__main__":
    linear()
    mse_loss()
    cross_entropy()
    optimizers()
    archive["options"] = np.array(json.dumps(options))
    np.savez_compressed(Path(__file__).with_name("torch.npz"), **archive)
